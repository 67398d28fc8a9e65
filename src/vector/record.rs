//! A feature as bytes: its number, its fields by their kinds, its geometry as well-known binary. Of this process alone.

use std::ffi::{CStr, CString, c_char, c_int};

use gdal_sys::{OGREnvelope, OGRFeatureDefnH, OGRFeatureH, OGRFieldType};

/// What is known of a feature that was written.
pub(super) struct Record {
    /// Its number (FID).
    pub(super) number: i64,
    /// Left, bottom, right and top; `None` without a geometry, and for an empty one.
    pub(super) bounds: Option<[f64; 4]>,
}

const UNSET: u8 = 0;
const NULL: u8 = 1;
const VALUE: u8 = 2;

/// Writes a feature in place of what `bytes` holds; `None` for what has no place in a record.
///
/// # Safety
/// `feature` is live, and its fields are of these kinds.
pub(super) unsafe fn write_feature(
    feature: OGRFeatureH,
    kinds: &[OGRFieldType::Type],
    bytes: &mut Vec<u8>,
) -> Option<Record> {
    bytes.clear();
    // SAFETY: by the caller's promise; texts, lists and the geometry belong to the feature.
    unsafe {
        let number = gdal_sys::OGR_F_GetFID(feature);
        bytes.extend(number.to_le_bytes());
        for (index, &kind) in (0..).zip(kinds) {
            if gdal_sys::OGR_F_IsFieldSet(feature, index) == 0 {
                bytes.push(UNSET);
            } else if gdal_sys::OGR_F_IsFieldNull(feature, index) != 0 {
                bytes.push(NULL);
            } else {
                bytes.push(VALUE);
                write_value(feature, index, kind, bytes)?;
            }
        }
        let geometry = gdal_sys::OGR_F_GetGeometryRef(feature);
        if geometry.is_null() || gdal_sys::OGR_G_IsEmpty(geometry) != 0 {
            return Some(Record {
                number,
                bounds: None,
            });
        }
        let mut envelope = OGREnvelope {
            MinX: 0.0,
            MaxX: 0.0,
            MinY: 0.0,
            MaxY: 0.0,
        };
        gdal_sys::OGR_G_GetEnvelope(geometry, &raw mut envelope);
        let size = usize::try_from(gdal_sys::OGR_G_WkbSize(geometry)).ok()?;
        let start = bytes.len();
        bytes.resize(start + size, 0);
        let order = gdal_sys::OGRwkbByteOrder::wkbNDR;
        if gdal_sys::OGR_G_ExportToIsoWkb(geometry, order, bytes.as_mut_ptr().add(start)) != 0 {
            return None;
        }
        let OGREnvelope {
            MinX,
            MaxX,
            MinY,
            MaxY,
        } = envelope;
        Some(Record {
            number,
            bounds: Some([MinX, MinY, MaxX, MaxY]),
        })
    }
}

/// # Safety
/// As [`write_feature`], for a field that has a value.
unsafe fn write_value(
    feature: OGRFeatureH,
    index: c_int,
    kind: OGRFieldType::Type,
    bytes: &mut Vec<u8>,
) -> Option<()> {
    let mut count: c_int = 0;
    // SAFETY: by the caller's promise; lists have as many values as is said.
    unsafe {
        match kind {
            OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => {
                bytes.extend(gdal_sys::OGR_F_GetFieldAsInteger64(feature, index).to_le_bytes());
            }
            OGRFieldType::OFTReal => {
                bytes.extend(gdal_sys::OGR_F_GetFieldAsDouble(feature, index).to_le_bytes());
            }
            OGRFieldType::OFTString => {
                write_text(gdal_sys::OGR_F_GetFieldAsString(feature, index), bytes)?;
            }
            OGRFieldType::OFTDate | OGRFieldType::OFTTime | OGRFieldType::OFTDateTime => {
                let (mut parts, mut seconds, mut zone) = ([0 as c_int; 5], 0.0_f32, 0);
                let [year, month, day, hour, minute] = &mut parts;
                let read = gdal_sys::OGR_F_GetFieldAsDateTimeEx(
                    feature,
                    index,
                    year,
                    month,
                    day,
                    hour,
                    minute,
                    &raw mut seconds,
                    &raw mut zone,
                );
                if read == 0 {
                    return None;
                }
                for part in parts {
                    bytes.extend(part.to_le_bytes());
                }
                bytes.extend(seconds.to_le_bytes());
                bytes.extend(zone.to_le_bytes());
            }
            OGRFieldType::OFTIntegerList => {
                let list = gdal_sys::OGR_F_GetFieldAsIntegerList(feature, index, &raw mut count);
                bytes.extend(count.to_le_bytes());
                for at in 0..usize::try_from(count).ok()? {
                    bytes.extend((*list.add(at)).to_le_bytes());
                }
            }
            OGRFieldType::OFTInteger64List => {
                let list = gdal_sys::OGR_F_GetFieldAsInteger64List(feature, index, &raw mut count);
                bytes.extend(count.to_le_bytes());
                for at in 0..usize::try_from(count).ok()? {
                    bytes.extend((*list.add(at)).to_le_bytes());
                }
            }
            OGRFieldType::OFTRealList => {
                let list = gdal_sys::OGR_F_GetFieldAsDoubleList(feature, index, &raw mut count);
                bytes.extend(count.to_le_bytes());
                for at in 0..usize::try_from(count).ok()? {
                    bytes.extend((*list.add(at)).to_le_bytes());
                }
            }
            OGRFieldType::OFTStringList => {
                let list = gdal_sys::OGR_F_GetFieldAsStringList(feature, index);
                let count = match list.is_null() {
                    true => 0,
                    false => (0..).take_while(|&at| !(*list.add(at)).is_null()).count(),
                };
                bytes.extend(c_int::try_from(count).ok()?.to_le_bytes());
                for at in 0..count {
                    write_text(*list.add(at), bytes)?;
                }
            }
            _ => return None,
        }
    }
    Some(())
}

/// # Safety
/// `pointer` is null or points to a NUL-terminated string.
unsafe fn write_text(pointer: *const c_char, bytes: &mut Vec<u8>) -> Option<()> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: by the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) }.to_bytes();
    bytes.extend(c_int::try_from(text.len()).ok()?.to_le_bytes());
    bytes.extend(text);
    Some(())
}

/// What is left of a record.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    fn integer(&mut self) -> Option<c_int> {
        self.array().map(c_int::from_le_bytes)
    }

    fn count(&mut self) -> Option<usize> {
        usize::try_from(self.integer()?).ok()
    }

    fn text(&mut self) -> Option<CString> {
        let count = self.count()?;
        CString::new(self.bytes(count)?).ok()
    }

    fn list<T, const N: usize>(&mut self, of: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
        let count = self.count()?;
        (0..count).map(|_| self.array().map(&of)).collect()
    }
}

/// The feature of a record, which the caller destroys.
///
/// # Safety
/// `definition` is that of a layer with fields of these kinds.
pub(super) unsafe fn read_feature(
    definition: OGRFeatureDefnH,
    kinds: &[OGRFieldType::Type],
    bytes: &[u8],
) -> Option<OGRFeatureH> {
    // SAFETY: by the caller's promise; a feature that is not whole is destroyed.
    unsafe {
        let feature = gdal_sys::OGR_F_Create(definition);
        if feature.is_null() {
            return None;
        }
        let filled = fill(feature, kinds, &mut Rest(bytes));
        if filled.is_none() {
            gdal_sys::OGR_F_Destroy(feature);
        }
        filled.map(|()| feature)
    }
}

/// # Safety
/// `feature` is live, and its fields are of these kinds.
unsafe fn fill(
    feature: OGRFeatureH,
    kinds: &[OGRFieldType::Type],
    rest: &mut Rest<'_>,
) -> Option<()> {
    // SAFETY: by the caller's promise; values are copied, and the feature takes the geometry over.
    unsafe {
        gdal_sys::OGR_F_SetFID(feature, i64::from_le_bytes(rest.array()?));
        for (index, &kind) in (0..).zip(kinds) {
            match rest.array::<1>()? {
                [UNSET] => {}
                [NULL] => gdal_sys::OGR_F_SetFieldNull(feature, index),
                _ => fill_value(feature, index, kind, rest)?,
            }
        }
        let mut geometry = std::ptr::null_mut();
        let made = gdal_sys::OGR_G_CreateFromWkb(
            rest.0.as_ptr().cast(),
            std::ptr::null_mut(),
            &raw mut geometry,
            c_int::try_from(rest.0.len()).ok()?,
        );
        if made != 0 || geometry.is_null() {
            return None;
        }
        (gdal_sys::OGR_F_SetGeometryDirectly(feature, geometry) == 0).then_some(())
    }
}

/// # Safety
/// As [`fill`].
unsafe fn fill_value(
    feature: OGRFeatureH,
    index: c_int,
    kind: OGRFieldType::Type,
    rest: &mut Rest<'_>,
) -> Option<()> {
    // SAFETY: by the caller's promise; what is given lives during the call.
    unsafe {
        match kind {
            OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => {
                let value = i64::from_le_bytes(rest.array()?);
                gdal_sys::OGR_F_SetFieldInteger64(feature, index, value);
            }
            OGRFieldType::OFTReal => {
                let value = f64::from_le_bytes(rest.array()?);
                gdal_sys::OGR_F_SetFieldDouble(feature, index, value);
            }
            OGRFieldType::OFTString => {
                gdal_sys::OGR_F_SetFieldString(feature, index, rest.text()?.as_ptr());
            }
            OGRFieldType::OFTDate | OGRFieldType::OFTTime | OGRFieldType::OFTDateTime => {
                let mut parts = [0; 5];
                for part in &mut parts {
                    *part = rest.integer()?;
                }
                let [year, month, day, hour, minute] = parts;
                let seconds = f32::from_le_bytes(rest.array()?);
                let zone = rest.integer()?;
                gdal_sys::OGR_F_SetFieldDateTimeEx(
                    feature, index, year, month, day, hour, minute, seconds, zone,
                );
            }
            OGRFieldType::OFTIntegerList => {
                let list = rest.list(c_int::from_le_bytes)?;
                let count = c_int::try_from(list.len()).ok()?;
                gdal_sys::OGR_F_SetFieldIntegerList(feature, index, count, list.as_ptr());
            }
            OGRFieldType::OFTInteger64List => {
                let list = rest.list(i64::from_le_bytes)?;
                let count = c_int::try_from(list.len()).ok()?;
                gdal_sys::OGR_F_SetFieldInteger64List(feature, index, count, list.as_ptr());
            }
            OGRFieldType::OFTRealList => {
                let list = rest.list(f64::from_le_bytes)?;
                let count = c_int::try_from(list.len()).ok()?;
                gdal_sys::OGR_F_SetFieldDoubleList(feature, index, count, list.as_ptr());
            }
            OGRFieldType::OFTStringList => {
                let count = rest.count()?;
                let texts: Option<Vec<CString>> = (0..count).map(|_| rest.text()).collect();
                let texts = texts?;
                let mut list: Vec<*mut c_char> =
                    texts.iter().map(|text| text.as_ptr().cast_mut()).collect();
                list.push(std::ptr::null_mut());
                gdal_sys::OGR_F_SetFieldStringList(feature, index, list.as_mut_ptr());
            }
            _ => return None,
        }
    }
    Some(())
}
