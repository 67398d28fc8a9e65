//! What was searched for saved boxes, in a file beside them: boxes alone do not say where nothing was found and where nobody
//! looked.

use std::path::Path;

use geo::{Coord, LineString, MapCoords as _, MultiPolygon, Polygon};
use serde::{Deserialize, Serialize};

use crate::boxes::BoundingBox;
use crate::labels::LabelPolygons;
use crate::predict::write_synced;
use crate::raster::{GeoTransform, PixelWindow, Raster, Size};
use crate::report::{Notice, file_name};
use crate::scene::{AreaOfInterest, Scene};
use crate::{FileError, Result};

/// The name of the file.
pub(super) const FILE: &str = "searched.json";

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Record {
    searched: Window,
    /// The grid whose pixels these are.
    grid: Grid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    within: Option<Within>,
}

#[derive(Serialize, Deserialize)]
struct Window {
    col: i64,
    row: i64,
    width: usize,
    height: usize,
}

#[derive(Serialize, Deserialize, PartialEq)]
struct Grid {
    width: usize,
    height: usize,
    /// GDAL's six numbers, where the imagery has a place.
    transform: Option<GeoTransform>,
    crs: String,
}

/// The area of interest, in pixels.
#[derive(Serialize, Deserialize)]
struct Within {
    file: String,
    outside: bool,
    /// As the coordinates of a GeoJSON `MultiPolygon`.
    polygons: Vec<Vec<Vec<[f64; 2]>>>,
}

impl Grid {
    fn of(raster: &Raster) -> Self {
        let size = raster.size();
        let placed = raster.is_georeferenced();
        Self {
            width: size.width,
            height: size.height,
            transform: placed.then(|| raster.transform()),
            crs: raster.crs_wkt(),
        }
    }

    /// From pixels of this grid to those of another one, when both lie on one ground.
    fn to(&self, other: &Self) -> Option<impl Fn(Coord<f64>) -> Coord<f64> + Copy + use<>> {
        let transforms = match (self.transform, other.transform) {
            _ if self == other => (GeoTransform::PIXELS, GeoTransform::PIXELS),
            (Some(own), Some(others)) if self.crs == other.crs => (own, others),
            _ => return None,
        };
        Some(move |at: Coord<f64>| {
            let world = transforms.0.world_from_pixel((at.x, at.y));
            let (x, y) = transforms.1.pixel_from_world(world);
            Coord { x, y }
        })
    }
}

/// Writes what was searched into the folder `dir`.
///
/// # Errors
/// [`FileError::Io`].
pub(super) fn write(
    dir: &Path,
    raster: &Raster,
    area: PixelWindow,
    within: Option<&AreaOfInterest>,
) -> Result<()> {
    let ring = |ring: &LineString<f64>| ring.coords().map(|at| [at.x, at.y]).collect();
    let polygon = |one: &Polygon<f64>| {
        let rings = std::iter::once(one.exterior()).chain(one.interiors());
        rings.map(ring).collect()
    };
    let record = Record {
        searched: Window {
            col: area.col,
            row: area.row,
            width: area.width,
            height: area.height,
        },
        grid: Grid::of(raster),
        within: within.map(|within| Within {
            file: file_name(within.path()),
            outside: within.is_inverted(),
            polygons: within.shapes().flatten().map(polygon).collect(),
        }),
    };
    let path = dir.join(FILE);
    let text = serde_json::to_string(&record)
        .map_err(|error| FileError::new(path.clone(), error.into()))?;
    write_synced(&path, format!("{text}\n").as_bytes())
}

/// Reads what was searched for the boxes of the file `boxes`, in pixels of the scene: the part of its area in use, and the
/// area of interest; or what is assumed instead.
pub(super) fn read(
    boxes: &Path,
    scene: &Scene,
) -> (PixelWindow, Option<AreaOfInterest>, Option<Notice>) {
    let area = scene.area();
    let assumed = |reason: String| {
        let text = format!(
            "which part of the scene was searched is not known ({reason}): the area in use of the scene stands for it"
        );
        let next = "for boxes of a part, give the scene limited to that part, as it was searched";
        let notice = Notice::assumed(text).about(file_name(boxes)).next(next);
        (area, None, Some(notice))
    };
    let path = boxes.with_file_name(FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return assumed(format!("there is no {FILE} beside the boxes"));
        }
        Err(error) => return assumed(format!("{FILE}: {error}")),
    };
    let record: Record = match serde_json::from_str(&text) {
        Ok(record) => record,
        Err(error) => return assumed(format!("{FILE}: {error}")),
    };
    let Some(to) = record.grid.to(&Grid::of(scene.raster())) else {
        return assumed(format!(
            "{FILE} is of {} x {} pixels of other imagery",
            record.grid.width, record.grid.height
        ));
    };
    let Some(searched) = record
        .searched
        .moved(to)
        .and_then(|window| window.intersect(&area))
    else {
        return assumed(format!("what {FILE} names lies outside of it"));
    };
    let within = record.within.map(|within| {
        let ring = |ring: Vec<[f64; 2]>| {
            LineString(ring.into_iter().map(|[x, y]| Coord { x, y }).collect())
        };
        let polygon = |rings: Vec<Vec<[f64; 2]>>| {
            let mut rings = rings.into_iter().map(ring);
            let outer = rings.next().unwrap_or_else(|| LineString(Vec::new()));
            Polygon::new(outer, rings.collect())
        };
        let shape: MultiPolygon<f64> = within.polygons.into_iter().map(polygon).collect();
        let polygons = LabelPolygons::new(vec![(shape.map_coords(to), 1)]);
        AreaOfInterest::new(Path::new(&within.file), polygons, within.outside)
    });
    (searched, within, None)
}

/// From the pixels of the raster that was searched to those of a scene.
pub(super) struct Moved {
    /// The size of what was searched.
    pub(super) size: Size,
    from: GeoTransform,
    to: GeoTransform,
}

impl Moved {
    /// The upright box around a box.
    pub(super) fn bounds(&self, bounds: &BoundingBox) -> BoundingBox {
        let corners = [
            (bounds.x_min, bounds.y_min),
            (bounds.x_max, bounds.y_min),
            (bounds.x_min, bounds.y_max),
            (bounds.x_max, bounds.y_max),
        ];
        let places =
            corners.map(|corner| self.to.pixel_from_world(self.from.world_from_pixel(corner)));
        let start = (
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        );
        let (left, top, right, bottom) = places.iter().fold(start, |all, &(x, y)| {
            (all.0.min(x), all.1.min(y), all.2.max(x), all.3.max(y))
        });
        BoundingBox::new(left, top, right, bottom)
    }
}

/// How the pixels in which boxes were saved become those of a scene, where the file beside them says that they are others
/// of the same ground: it was searched at another pixel size.
pub(super) fn pixels_to(boxes: &Path, scene: &Scene) -> Option<Moved> {
    let text = std::fs::read_to_string(boxes.with_file_name(FILE)).ok()?;
    let record: Record = serde_json::from_str(&text).ok()?;
    let (own, other) = (record.grid, Grid::of(scene.raster()));
    if own == other || own.crs != other.crs {
        return None;
    }
    let (from, to) = own.transform.zip(other.transform)?;
    (from != to).then(|| Moved {
        size: Size::new(own.width, own.height),
        from,
        to,
    })
}

impl Window {
    /// The pixels of another grid whose middles lie within; `None` for numbers that no raster has.
    fn moved(&self, to: impl Fn(Coord<f64>) -> Coord<f64>) -> Option<PixelWindow> {
        let (left, top) = (self.col as f64, self.row as f64);
        let (right, bottom) = (left + self.width as f64, top + self.height as f64);
        let (one, other) = (
            to(Coord { x: left, y: top }),
            to(Coord {
                x: right,
                y: bottom,
            }),
        );
        let numbers = [one.x, one.y, other.x, other.y];
        if !numbers.into_iter().all(|number| number.abs() <= 1e9) {
            return None;
        }
        let edge = |a: f64, b: f64| (a.min(b).round() as i64, a.max(b).round() as i64);
        let ((left, right), (top, bottom)) = (edge(one.x, other.x), edge(one.y, other.y));
        // Not negative: the larger number comes last.
        Some(PixelWindow::new(
            left,
            top,
            (right - left) as usize,
            (bottom - top) as usize,
        ))
    }
}
