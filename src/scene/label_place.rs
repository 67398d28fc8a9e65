//! Where the pixels of a label raster lie on a scene.

use super::Scene;
use crate::Result;
use crate::labels::LabelError;
use crate::raster::{GeoReference, PixelMap, PixelWindow, Raster, Size, crs, is_local, spread};
use crate::report::{Notice, Report, file_name};

/// Points along each side at which it is asked whether two rasters share ground.
const ASKED: usize = 33;

/// Where a label raster lies.
pub(super) struct Place {
    /// From the scene's pixels to the label raster's.
    pub(super) map: PixelMap,
    /// Whether these are the same pixels.
    pub(super) same_grid: bool,
    /// The label raster's pixels under the scene.
    pub(super) covered: PixelWindow,
}

/// Finds where `labels` lie on the scene; what had to be assumed goes into the report.
///
/// # Source
/// A mask without a place that has the image's own size is taken pixel by pixel, as Raster Vision and TorchGeo's datasets
/// of image chips do. Systems are compared by GDAL's `OSRIsSame` and, where that says no, by where they put the corners.
///
/// # Errors
/// [`LabelError::WithoutPlace`], [`LabelError::Elsewhere`], [`LabelError::OtherSystem`].
pub(super) fn place(scene: &Scene, labels: &Raster, report: &mut Report) -> Result<Place> {
    let image = scene.raster();
    let (size, target) = (image.size(), labels.size());
    let (own, other, about) = (
        image.georeference(),
        labels.georeference(),
        file_name(labels.path()),
    );
    let mut say = |notice: Notice| report.push(notice.about(about.clone()));
    let mut systems = "";
    let (map, back) = match (image.is_georeferenced(), labels.is_georeferenced()) {
        (true, true) => {
            let way =
                Way::of(&own, &other, size, target).map_err(|detail| LabelError::OtherSystem {
                    path: labels.path().to_owned(),
                    expected: image.crs_name(),
                    found: labels.crs_name(),
                    detail,
                })?;
            let (theirs, ours) = (labels.crs_name(), image.crs_name());
            match way {
                Way::Same => {}
                Way::Assumed if other.crs_wkt.is_empty() => say(Notice::assumed(format!(
                    "the label raster names no coordinate reference system: that of the scene ({ours}) is taken"
                ))),
                Way::Assumed if own.crs_wkt.is_empty() => say(Notice::assumed(format!(
                    "the scene names no coordinate reference system: that of the label raster ({theirs}) is taken for both"
                ))),
                Way::Assumed => say(Notice::assumed(format!(
                    "the label raster's coordinate reference system {theirs} says nothing of where on Earth it is: that of the \
                     scene ({ours}) is taken"
                ))),
                Way::Through => {
                    systems = differing(&ours, &theirs);
                    say(Notice::converted(format!(
                        "the label raster is in {theirs}, the scene in {ours}{systems}: each pixel takes the label that lies \
                         under its center by PROJ"
                    )));
                }
            }
            way.maps(&own, &other, size, target)?
        }
        (image_has, labels_have) => {
            let stored = || Raster::open_as_stored(image.path()).map(|file| file.size());
            if size != target && !stored().is_ok_and(|stored| stored == target) {
                let which = match (image_has, labels_have) {
                    (true, false) => "the label raster has no",
                    (false, true) => "the scene's image has no",
                    _ => "neither the label raster nor the scene's image has a",
                };
                return Err(LabelError::WithoutPlace {
                    path: labels.path().to_owned(),
                    which,
                    found: target,
                    expected: size,
                }
                .into());
            }
            let which = match (image_has, labels_have) {
                (true, false) => Some("the label raster has no place on the ground"),
                (false, true) => Some("the scene's image has no place on the ground"),
                _ => None,
            };
            if let Some(which) = which {
                say(Notice::assumed(format!(
                    "{which} and both have {target}: they are laid over each other pixel by pixel"
                ))
                .next("check that both were cut from the same place"));
            }
            let (x, y) = (
                size.width as f64 / target.width as f64,
                size.height as f64 / target.height as f64,
            );
            let laid_over = GeoReference::new(own.transform.scaled(x, y), own.crs_wkt.clone());
            Way::Same.maps(&own, &laid_over, size, target)?
        }
    };
    let covered = covered(&map, size, target)?;
    let (under, lost) = shares(&map, size, target)?;
    let (over, _) = shares(&back, target, size)?;
    let Some(covered) = covered.filter(|_| under + over > 0) else {
        return Err(elsewhere(scene, labels, &back, systems)?.into());
    };
    if lost > 0 {
        let share = (lost as f64 / (ASKED * ASKED) as f64 * 100.0).max(1.0);
        say(Notice::noted(format!(
            "about {share:.0} % of the scene lie beyond the label raster: these pixels are ignored"
        )));
    }
    Ok(Place {
        same_grid: size == target && map.is_identity(size)?,
        map,
        covered,
    })
}

/// How two systems are brought together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// They are one.
    Same,
    /// One of them is unknown.
    Assumed,
    /// PROJ leads from one to the other.
    Through,
}

impl Way {
    /// Or why there is none.
    fn of(
        own: &GeoReference,
        other: &GeoReference,
        size: Size,
        target: Size,
    ) -> Result<Self, String> {
        let (ours, theirs) = (&own.crs_wkt, &other.crs_wkt);
        if ours.is_empty() && theirs.is_empty() {
            return Ok(Self::Same);
        }
        if ours.is_empty() || theirs.is_empty() {
            return Ok(Self::Assumed);
        }
        if crs::same(ours, theirs) {
            return Ok(Self::Same);
        }
        let plain = PixelMap::in_one_system(own, other, target);
        let same_grid = || size == target && plain.is_identity(size).unwrap_or(false);
        if is_local(ours) || is_local(theirs) {
            return if same_grid() || is_nameless(theirs) || is_nameless(ours) {
                Ok(Self::Assumed)
            } else {
                Err("one of them says nothing of where on Earth it is".to_owned())
            };
        }
        let through = PixelMap::between(own, other, target).map_err(|error| error.to_string())?;
        // Other names for one system, or a datum without a known shift: no pixel moves.
        let moved = plain
            .largest_difference(&through, size)
            .map_err(|error| error.to_string())?;
        Ok(if moved < 0.01 {
            Self::Same
        } else {
            Self::Through
        })
    }

    /// The way there and the way back.
    fn maps(
        self,
        own: &GeoReference,
        other: &GeoReference,
        size: Size,
        target: Size,
    ) -> Result<(PixelMap, PixelMap)> {
        Ok(match self {
            Self::Same | Self::Assumed => (
                PixelMap::in_one_system(own, other, target),
                PixelMap::in_one_system(other, own, size),
            ),
            Self::Through => (
                PixelMap::between(own, other, target)?,
                PixelMap::between(other, own, size)?,
            ),
        })
    }
}

/// Whether a local system has no name that would tell it from another.
fn is_nameless(wkt: &str) -> bool {
    let name = crs::short_name(wkt).to_lowercase();
    is_local(wkt)
        && (name.is_empty()
            || [
                "unnamed",
                "unknown",
                "undefined",
                "local",
                "none",
                "arbitrary",
                "engineering",
            ]
            .iter()
            .any(|word| name.contains(word)))
}

/// Says it when two systems have one name.
fn differing(ours: &str, theirs: &str) -> &'static str {
    if ours == theirs {
        " (systems of one name that are not the same)"
    } else {
        ""
    }
}

/// The target's pixels that the source covers, with some to spare.
fn covered(map: &PixelMap, size: Size, target: Size) -> Result<Option<PixelWindow>> {
    let places = map.points(&spread(size, ASKED, 0.0))?;
    let (low, high) = bounds(&places);
    if low.0 > high.0 || low.1 > high.1 {
        return Ok(None);
    }
    // Edges are curved between the points that were asked for when systems differ.
    let spare = |low: f64, high: f64| 2.0 + (high - low) / 64.0;
    let (x, y) = (spare(low.0, high.0), spare(low.1, high.1));
    let start = |low: f64, spare: f64| (low - spare).floor().clamp(-1e15, 1e15) as i64;
    let length = |low: f64, high: f64, spare: f64| {
        ((high - low + 2.0 * spare).ceil() + 1.0).clamp(1.0, 1e15) as usize
    };
    let window = PixelWindow::new(
        start(low.0, x),
        start(low.1, y),
        length(low.0, high.0, x),
        length(low.1, high.1, y),
    );
    let full = PixelWindow::full(target);
    if map.is_identity(size)? && size == target {
        return Ok(Some(full));
    }
    Ok(full.intersect(&window))
}

/// How many of the points spread over the source lie on the target, and how many do not.
fn shares(map: &PixelMap, size: Size, target: Size) -> Result<(usize, usize)> {
    let places = map.points(&spread(size, ASKED, 0.5))?;
    let inside = |&(x, y): &(f64, f64)| {
        x >= 0.0 && y >= 0.0 && x < target.width as f64 && y < target.height as f64
    };
    let on = places.iter().filter(|place| inside(place)).count();
    Ok((on, places.len() - on))
}

fn bounds(places: &[(f64, f64)]) -> ((f64, f64), (f64, f64)) {
    places
        .iter()
        .filter(|place| place.0.is_finite() && place.1.is_finite())
        .fold(
            ((f64::MAX, f64::MAX), (f64::MIN, f64::MIN)),
            |(low, high), place| {
                (
                    (low.0.min(place.0), low.1.min(place.1)),
                    (high.0.max(place.0), high.1.max(place.1)),
                )
            },
        )
}

/// Both extents in the scene's own coordinates, which is where a wrong reference system shows.
fn elsewhere(
    scene: &Scene,
    labels: &Raster,
    back: &PixelMap,
    systems: &'static str,
) -> Result<LabelError> {
    let transform = scene.raster().transform();
    let extent = |places: &[(f64, f64)]| {
        let world: Vec<(f64, f64)> = places
            .iter()
            .map(|&place| transform.world_from_pixel(place))
            .collect();
        let (low, high) = bounds(&world);
        if low.0 > high.0 {
            return "nothing that the scene's system can name".to_owned();
        }
        format!(
            "x {:.5} to {:.5}, y {:.5} to {:.5}",
            low.0, high.0, low.1, high.1
        )
    };
    let area = scene.raster().size();
    Ok(LabelError::Elsewhere {
        path: labels.path().to_owned(),
        labels: extent(&back.points(&spread(labels.size(), 5, 0.0))?).into(),
        scene: extent(&spread(area, 2, 0.0)).into(),
        crs: scene.raster().crs_name().into(),
        systems,
    })
}
