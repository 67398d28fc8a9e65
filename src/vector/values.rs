//! The values of properties as text: what a person reads in the file, whatever the format stores it as.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};

use gdal_sys::{OGRFeatureH, OGRFieldSubType, OGRFieldType, OGRLayerH};

use crate::raster::gdal_library::{self, c_string};

/// How a layer's bytes become text.
#[derive(Debug)]
pub(super) struct Texts {
    /// The encoding that the caller names, where GDAL does not decode.
    encoding: Option<String>,
    /// Values that were not UTF-8 and were taken as Windows-1252.
    guessed: Cell<usize>,
}

impl Texts {
    pub(super) fn new(encoding: Option<&str>) -> Self {
        Self {
            encoding: encoding.map(str::to_owned),
            guessed: Cell::new(0),
        }
    }

    /// How many texts were no UTF-8.
    pub(super) fn guessed(&self) -> usize {
        self.guessed.get()
    }

    /// A text of GDAL's; empty for a null pointer.
    ///
    /// # Safety
    /// `pointer` is null or points to a NUL-terminated string.
    pub(super) unsafe fn decoded(&self, pointer: *const c_char) -> String {
        if pointer.is_null() {
            return String::new();
        }
        // SAFETY: by the caller's promise.
        let text = unsafe { CStr::from_ptr(pointer) };
        if let Some(encoding) = &self.encoding {
            return recoded(text, encoding);
        }
        match text.to_str() {
            Ok(text) => text.to_owned(),
            // The width of a field can cut a letter of several bytes: what came before it is right.
            Err(error) if error.error_len().is_none() => {
                let whole = &text.to_bytes()[..error.valid_up_to()];
                String::from_utf8_lossy(whole).into_owned()
            }
            Err(_) => {
                self.guessed.set(self.guessed.get() + 1);
                text.to_bytes()
                    .iter()
                    .map(|&byte| windows_1252(byte))
                    .collect()
            }
        }
    }
}

/// A byte of Windows-1252, which is ISO-8859-1 with letters where that has control characters.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn recoded(text: &CStr, encoding: &str) -> String {
    let (from, to) = (c_string(encoding), c_string("UTF-8"));
    let (recoded, _) = gdal_library::with_messages(|| {
        // SAFETY: all strings are NUL-terminated; the copy is ours to free.
        unsafe {
            let copy = gdal_sys::CPLRecode(text.as_ptr(), from.as_ptr(), to.as_ptr());
            let recoded = gdal_library::text(copy);
            gdal_sys::VSIFree(copy.cast());
            recoded
        }
    });
    recoded
}

/// A property of a layer.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    index: c_int,
    kind: OGRFieldType::Type,
    sub_kind: OGRFieldSubType::Type,
}

impl Field {
    /// All properties of a layer.
    ///
    /// # Safety
    /// `layer` is an open layer.
    pub(super) unsafe fn all(layer: OGRLayerH, texts: &Texts) -> Vec<Self> {
        // SAFETY: by the caller's promise; the layer owns its definition.
        unsafe {
            let definition = gdal_sys::OGR_L_GetLayerDefn(layer);
            (0..gdal_sys::OGR_FD_GetFieldCount(definition))
                .map(|index| {
                    let field = gdal_sys::OGR_FD_GetFieldDefn(definition, index);
                    Self {
                        name: texts.decoded(gdal_sys::OGR_Fld_GetNameRef(field)),
                        index,
                        kind: gdal_sys::OGR_Fld_GetType(field),
                        sub_kind: gdal_sys::OGR_Fld_GetSubType(field),
                    }
                })
                .collect()
        }
    }

    /// The value of a feature; `None` where it has none. Numbers are written by their value (`1` for a real 1.0), truth
    /// values as `true` and `false`, dates as ISO 8601 has them, lists with commas.
    ///
    /// # Safety
    /// `feature` is a live feature of this field's layer.
    pub(super) unsafe fn value(&self, feature: OGRFeatureH, texts: &Texts) -> Option<String> {
        // SAFETY: by the caller's promise; texts and lists belong to the feature.
        let value = unsafe {
            if gdal_sys::OGR_F_IsFieldSetAndNotNull(feature, self.index) == 0 {
                return None;
            }
            match self.kind {
                OGRFieldType::OFTInteger if self.sub_kind == OGRFieldSubType::OFSTBoolean => {
                    let set = gdal_sys::OGR_F_GetFieldAsInteger(feature, self.index) != 0;
                    set.to_string()
                }
                OGRFieldType::OFTInteger | OGRFieldType::OFTInteger64 => {
                    gdal_sys::OGR_F_GetFieldAsInteger64(feature, self.index).to_string()
                }
                OGRFieldType::OFTReal => {
                    let value = gdal_sys::OGR_F_GetFieldAsDouble(feature, self.index);
                    number(value, self.sub_kind)?
                }
                OGRFieldType::OFTDate | OGRFieldType::OFTTime | OGRFieldType::OFTDateTime => {
                    self.moment(feature)
                }
                OGRFieldType::OFTStringList => {
                    let mut next = gdal_sys::OGR_F_GetFieldAsStringList(feature, self.index);
                    let mut parts = Vec::new();
                    while !next.is_null() && !(*next).is_null() {
                        parts.push(texts.decoded(*next));
                        next = next.add(1);
                    }
                    parts.join(", ")
                }
                OGRFieldType::OFTIntegerList
                | OGRFieldType::OFTInteger64List
                | OGRFieldType::OFTRealList => self.numbers(feature),
                _ => texts.decoded(gdal_sys::OGR_F_GetFieldAsString(feature, self.index)),
            }
        };
        (!value.is_empty()).then_some(value)
    }

    /// # Safety
    /// As [`Field::value`]; the field is a list of numbers.
    unsafe fn numbers(&self, feature: OGRFeatureH) -> String {
        let mut count = 0;
        // SAFETY: by the caller's promise; the lists have as many numbers as GDAL says.
        let parts: Vec<String> = unsafe {
            match self.kind {
                OGRFieldType::OFTIntegerList => {
                    let list =
                        gdal_sys::OGR_F_GetFieldAsIntegerList(feature, self.index, &raw mut count);
                    listed(list, count)
                        .iter()
                        .map(ToString::to_string)
                        .collect()
                }
                OGRFieldType::OFTInteger64List => {
                    let list = gdal_sys::OGR_F_GetFieldAsInteger64List(
                        feature,
                        self.index,
                        &raw mut count,
                    );
                    listed(list, count)
                        .iter()
                        .map(ToString::to_string)
                        .collect()
                }
                _ => {
                    let list =
                        gdal_sys::OGR_F_GetFieldAsDoubleList(feature, self.index, &raw mut count);
                    let values = listed(list, count).iter();
                    values
                        .filter_map(|&value| number(value, self.sub_kind))
                        .collect()
                }
            }
        };
        parts.join(", ")
    }

    /// # Safety
    /// As [`Field::value`].
    unsafe fn moment(&self, feature: OGRFeatureH) -> String {
        let [mut year, mut month, mut day, mut hour, mut minute, mut zone] = [0; 6];
        let mut second = 0.0f32;
        // SAFETY: by the caller's promise; all seven numbers are written.
        unsafe {
            gdal_sys::OGR_F_GetFieldAsDateTimeEx(
                feature,
                self.index,
                &raw mut year,
                &raw mut month,
                &raw mut day,
                &raw mut hour,
                &raw mut minute,
                &raw mut second,
                &raw mut zone,
            );
        }
        let date = format!("{year:04}-{month:02}-{day:02}");
        let second = match second.fract() == 0.0 {
            true => format!("{second:02.0}"),
            false => format!("{second:06.3}"),
        };
        let time = format!("{hour:02}:{minute:02}:{second}");
        match self.kind {
            OGRFieldType::OFTDate => date,
            OGRFieldType::OFTTime => time,
            _ => format!("{date}T{time}"),
        }
    }
}

/// # Safety
/// `list` is null or points to `count` numbers that outlive the use.
unsafe fn listed<'a, T>(list: *const T, count: c_int) -> &'a [T] {
    match usize::try_from(count) {
        // SAFETY: by the caller's promise.
        Ok(count) if !list.is_null() => unsafe { std::slice::from_raw_parts(list, count) },
        _ => &[],
    }
}

/// A number by its value: as short as it reads back exactly, without decimals where there are none. `None` for what is
/// no number.
fn number(value: f64, kind: OGRFieldSubType::Type) -> Option<String> {
    if value.is_nan() {
        return None;
    }
    if kind == OGRFieldSubType::OFSTFloat32 {
        return Some((value as f32).to_string());
    }
    // A sum with 0 has no negative zero.
    Some((value + 0.0).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_by_their_value() {
        let written = |value| number(value, OGRFieldSubType::OFSTNone);
        assert_eq!(written(1.0).as_deref(), Some("1"));
        assert_eq!(written(0.1).as_deref(), Some("0.1"));
        assert_eq!(written(-2.50).as_deref(), Some("-2.5"));
        assert_eq!(written(f64::NAN), None);
        let single = number(f64::from(0.1f32), OGRFieldSubType::OFSTFloat32);
        assert_eq!(single.as_deref(), Some("0.1"));
    }

    #[test]
    fn bytes_that_are_no_utf8_are_windows_1252_and_cut_letters_are_dropped() {
        let texts = Texts::new(None);
        // SAFETY: the literals end with a NUL.
        let decoded = |text: &CStr| unsafe { texts.decoded(text.as_ptr()) };
        assert_eq!(decoded(c"Geb\xe4ude \x80"), "Gebäude €");
        assert_eq!(decoded(c"Stra\xc3\x9fe"), "Straße");
        assert_eq!(decoded(c"Stra\xc3"), "Stra");
        assert_eq!(texts.guessed(), 1);
    }
}
