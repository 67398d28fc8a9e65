//! Which system a vector file's coordinates are in.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use gdal::spatial_ref::SpatialRef;
use gdal_sys::{OGREnvelope, OGRLayerH};
use serde::{Deserialize, Deserializer};

use super::PlaceError;
use crate::Result;
use crate::raster::gdal_library::{self, c_path, text};
use crate::raster::{GeoReference, GeoTransform, Size, crs};

/// How it is known what the coordinates mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Basis {
    /// The file or the user names a system.
    Named { system: String, who: String },
    /// The user says that they are the raster's own.
    Raster,
    /// The user says that they are pixels.
    Pixels,
    /// The file names no system: taken to be in the raster's.
    Assumed(&'static str),
    /// The file and the raster name none: taken for pixels.
    AssumedPixels(&'static str),
}

impl Basis {
    /// The basis, and the system unless the coordinates are the raster's own.
    pub(super) fn of(
        layer: OGRLayerH,
        path: &Path,
        stated: Option<&str>,
        target: &GeoReference,
    ) -> Result<(Self, Option<SpatialRef>)> {
        let without_place = !target.has_system();
        match stated.map(str::trim) {
            Some("raster") => return Ok((Self::Raster, None)),
            Some("pixels") => return Ok((Self::Pixels, None)),
            Some(definition) => {
                let system = crs::parse_stated(definition)?;
                if without_place {
                    let name = definition.to_owned();
                    return Err(refused(layer, path, name, target).into());
                }
                let basis = Self::Named {
                    system: definition.to_owned(),
                    who: format!("they are stated to be in {definition}"),
                };
                return Ok((basis, Some(system)));
            }
            None => {}
        }
        let system = system_of(layer);
        let member = match &system {
            Some(system) if crs::same_systems(system, &crs::parse("EPSG:4326")?) => {
                crs_member(path)
            }
            _ => Member::Other,
        };
        let system = system.filter(|_| member != Member::Null);
        let pixels = target.transform == GeoTransform::PIXELS && without_place;
        Ok(match system {
            None if pixels => (
                Self::AssumedPixels("its coordinates were taken for pixels of the image"),
                None,
            ),
            None => (Self::Assumed("the raster's was taken"), None),
            Some(_) if member == Member::Absent && pixels && look_like_pixels(layer, target) => (
                Self::AssumedPixels(
                    "its coordinates, which fit the image, were taken for pixels and not for degrees",
                ),
                None,
            ),
            Some(system) => {
                let name = crs::name_of(&system);
                let (name, who) = if member == Member::Absent {
                    (
                        format!("{name}, which GeoJSON without a `crs` member is in"),
                        "GeoJSON without a `crs` member is in degrees of WGS 84".to_owned(),
                    )
                } else {
                    (name.clone(), format!("the file says that it is in {name}"))
                };
                if without_place {
                    return Err(refused(layer, path, name, target).into());
                }
                (Self::Named { system: name, who }, Some(system))
            }
        })
    }

    pub(super) fn is_pixels(&self) -> bool {
        matches!(self, Self::Pixels | Self::AssumedPixels(_))
    }

    /// The system's name.
    pub(super) fn claim(&self) -> String {
        match self {
            Self::Named { system, .. } => system.clone(),
            _ => "the image's own".to_owned(),
        }
    }

    /// Who says that the coordinates are in it.
    pub(super) fn who_claims(&self) -> String {
        match self {
            Self::Named { who, .. } => who.clone(),
            _ => "they were taken to be in the raster's system, which is one of degrees".to_owned(),
        }
    }

    /// What was assumed, when anything was.
    pub(super) fn assumed(&self) -> Option<&'static str> {
        match self {
            Self::Assumed(what) | Self::AssumedPixels(what) => Some(what),
            _ => None,
        }
    }
}

fn refused(layer: OGRLayerH, path: &Path, system: String, target: &GeoReference) -> PlaceError {
    let looks = super::extent(layer).filter(|_| target.transform == GeoTransform::PIXELS);
    let looks = looks.map_or_else(String::new, |extent| {
        let range = format!(
            "x {:.1} to {:.1}, y {:.1} to {:.1}",
            extent.MinX, extent.MaxX, extent.MinY, extent.MaxY
        );
        if counts_upwards(&extent, target.size) {
            format!(
                "; the coordinates ({range}) look like pixels with y upwards, as QGIS counts them"
            )
        } else if fits(&extent, target.size) {
            format!("; the coordinates ({range}) look like pixels")
        } else {
            String::new()
        }
    });
    PlaceError::ImageWithoutSystem {
        path: path.to_owned(),
        system,
        image: target.missing_place(),
        looks,
    }
}

/// The layer's system with its own order of axes; `None` when it names none, or a placeholder for none.
fn system_of(layer: OGRLayerH) -> Option<SpatialRef> {
    // SAFETY: the layer is open and owns its system, which is copied.
    let system = unsafe {
        let system = gdal_sys::OGR_L_GetSpatialRef(layer);
        if system.is_null() {
            return None;
        }
        SpatialRef::from_c_obj(system).ok()?
    };
    let name = system.name().unwrap_or_default().to_lowercase();
    // What MapInfo, ESRI and GDAL call a plane that nobody has named.
    let nameless =
        system.is_local() && ["", "nonearth", "unknown", "unnamed"].contains(&name.as_str());
    (!nameless && !crs::is_undefined(&system)).then_some(system)
}

/// What a full turn is in the units of a system of longitudes and latitudes.
pub(super) fn turn(system: &SpatialRef) -> Option<f64> {
    if !system.is_geographic() {
        return None;
    }
    let turn = std::f64::consts::TAU / system.angular_units();
    turn.is_finite().then_some(if (turn - 360.0).abs() < 1e-6 {
        360.0
    } else {
        turn
    })
}

/// Whether an extent lies on an image when y counts upwards from 0 at its top, and not when it counts down.
pub(super) fn counts_upwards(extent: &OGREnvelope, size: Option<Size>) -> bool {
    let turned = OGREnvelope {
        MinY: -extent.MaxY,
        MaxY: -extent.MinY,
        ..*extent
    };
    extent.MinY < -1.0 && extent.MaxY <= 1.0 && fits(&turned, size)
}

/// Whether an extent could be one in pixels of the image: on it, more than a pixel large, not much beyond it.
fn fits(extent: &OGREnvelope, size: Option<Size>) -> bool {
    let one = |low: f64, high: f64, length: usize| {
        let length = length as f64;
        high - low >= 2.0
            && low > -length / 2.0
            && high < length * 1.5
            && low < length
            && high > 0.0
    };
    size.is_some_and(|size| {
        one(extent.MinX, extent.MaxX, size.width) && one(extent.MinY, extent.MaxY, size.height)
    })
}

fn look_like_pixels(layer: OGRLayerH, target: &GeoReference) -> bool {
    super::extent(layer)
        .is_some_and(|extent| fits(&extent, target.size) || counts_upwards(&extent, target.size))
}

/// The `crs` member of a GeoJSON file (its version of 2008).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Member {
    /// No GeoJSON.
    Other,
    #[default]
    Absent,
    /// `null`: "no CRS can be assumed".
    Null,
    Named,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let member = Option::<serde::de::IgnoredAny>::deserialize(deserializer)?;
        Ok(member.map_or(Self::Null, |_| Self::Named))
    }
}

#[derive(Default, Deserialize)]
struct Top {
    #[serde(default)]
    crs: Member,
}

fn crs_member(path: &Path) -> Member {
    let name = c_path(path);
    let (driver, _) = gdal_library::with_messages(|| {
        // SAFETY: the name is a C string; GDAL owns the driver and its name.
        unsafe {
            let driver = gdal_sys::GDALIdentifyDriver(name.as_ptr(), std::ptr::null_mut());
            if driver.is_null() {
                String::new()
            } else {
                text(gdal_sys::GDALGetDriverShortName(driver))
            }
        }
    });
    if !driver.starts_with("GeoJSON") {
        return Member::Other;
    }
    // What cannot be read here, GDAL has read in its own way: its system counts.
    read_member(path).unwrap_or(Member::Other)
}

/// A file as it was, and what its member says.
type KnownMember = (PathBuf, u64, SystemTime, Member);

fn read_member(path: &Path) -> Option<Member> {
    const NEEDLE: &[u8] = b"\"crs\"";
    // The file that was looked into last: one of many scenes is read as a whole for the first of them.
    static LAST: Mutex<Option<KnownMember>> = Mutex::new(None);
    let mut file = File::open(path).ok()?;
    let about = file.metadata().ok()?;
    let (length, modified) = (about.len(), about.modified().ok()?);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, known_length, time, member)) = last.as_ref()
        && (known.as_path(), *known_length, *time) == (path, length, modified)
    {
        return Some(*member);
    }
    // The member stands before the features or after them; only files that have the word are read as a whole.
    let mut ends = vec![0; 65536.min(length as usize)];
    file.read_exact(&mut ends).ok()?;
    file.seek(SeekFrom::Start(length.saturating_sub(4096)))
        .ok()?;
    file.read_to_end(&mut ends).ok()?;
    if !ends.windows(NEEDLE.len()).any(|window| window == NEEDLE) {
        return Some(Member::Absent);
    }
    file.rewind().ok()?;
    let top: Top = serde_json::from_reader(BufReader::new(file)).ok()?;
    *last = Some((path.to_owned(), length, modified, top.crs));
    Some(top.crs)
}
