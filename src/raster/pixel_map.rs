//! From the pixels of one raster to those of another, whatever their coordinate reference systems.

use std::cell::RefCell;
use std::rc::Rc;

use super::crs::{self, Transformation};
use super::{GeoReference, GeoTransform, RasterError, Size};

/// How far interpolated places may lie from PROJ's, in pixels of the target.
const TOLERANCE: f64 = 1e-3;

/// Places this near to the edge of a pixel lie on it, in pixels of the target.
///
/// # Source
/// GDAL's warper (`GWKCheckAndComputeSrcOffsets`), which adds as much before it takes the pixel that a place lies in.
const ON_EDGE: f64 = 1e-10;

/// The same through PROJ, whose ways there and back agree to some nanometers.
const ON_EDGE_THROUGH: f64 = 1e-6;

/// How many roundings of a coordinate there are on the way to a place: those of both origins as their files have them, and
/// of whatever computed them.
const ROUNDINGS: f64 = 4.0;

/// Ways between systems that one thread keeps.
const KEPT: usize = 8;

thread_local! {
    // PROJ's objects belong to one thread each.
    static WAYS: RefCell<Vec<(Systems, Rc<Transformation>)>> = const { RefCell::new(Vec::new()) };
}

/// The way from the pixel coordinates of a source raster to those of a target.
///
/// Places on the edge between two pixels are there exactly, whatever the coordinates of the grids round to: where pixel
/// centers of one grid lie on the corners of another, as they do under labels of half the pixel size, all of them take the
/// pixel to the lower right of the corner ([`f64::floor`]), as in GDAL's warper.
#[derive(Clone, Debug)]
pub(crate) struct PixelMap {
    source: GeoTransform,
    target: GeoTransform,
    systems: Option<Systems>,
    /// The longitude in the middle of a target in degrees: others are taken to be within half a turn of it.
    middle: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Systems {
    source: String,
    target: String,
}

impl PixelMap {
    /// The way for two rasters in one system.
    pub(crate) fn in_one_system(source: &GeoReference, target: &GeoReference, size: Size) -> Self {
        let wkt = if target.crs_wkt.is_empty() {
            &source.crs_wkt
        } else {
            &target.crs_wkt
        };
        Self {
            source: source.transform,
            target: target.transform,
            systems: None,
            middle: middle(wkt, target.transform, size),
        }
    }

    /// The way through PROJ from the source's system to the target's; `size` is the target's.
    ///
    /// # Errors
    /// [`RasterError::Crs`] when there is none.
    pub(crate) fn between(
        source: &GeoReference,
        target: &GeoReference,
        size: Size,
    ) -> Result<Self, RasterError> {
        let systems = Systems {
            source: source.crs_wkt.clone(),
            target: target.crs_wkt.clone(),
        };
        systems.way()?;
        Ok(Self {
            source: source.transform,
            target: target.transform,
            systems: Some(systems),
            middle: middle(&target.crs_wkt, target.transform, size),
        })
    }

    /// A text that differs where the way does.
    pub(crate) fn key(&self) -> String {
        let systems = self
            .systems
            .as_ref()
            .map(|systems| (&systems.source, &systems.target));
        format!("{:?} {:?} {systems:?}", self.source, self.target)
    }

    /// Target pixel coordinates of points in source pixel coordinates; not finite where there are none.
    pub(crate) fn points(&self, points: &[(f64, f64)]) -> Result<Vec<(f64, f64)>, RasterError> {
        let worlds = points.iter().map(|&at| self.source.world_from_pixel(at));
        let Some(systems) = &self.systems else {
            let places = points.iter().zip(worlds);
            return Ok(places.map(|(&at, world)| self.direct(at, world)).collect());
        };
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = worlds.unzip();
        let way = systems.way()?;
        // Points that have no place become NaN, the others are right all the same.
        way.transform(&mut xs, &mut ys);
        let world = xs.into_iter().zip(ys);
        Ok(world
            .map(|(x, y)| {
                let world = (x + self.turn(x), y);
                self.on_edges(self.target.pixel_from_world(world), world)
            })
            .collect())
    }

    /// The place of a point whose world coordinates are those of the target, too. What both origins have in common is
    /// taken away first: it is far larger than a pixel, and its roundings put a place on either side of an edge.
    fn direct(&self, (col, row): (f64, f64), world: (f64, f64)) -> (f64, f64) {
        let (from, to) = (&self.source.0, &self.target.0);
        let offset = (
            (from[0] - to[0] + self.turn(world.0)) + (col * from[1] + row * from[2]),
            (from[3] - to[3]) + (col * from[4] + row * from[5]),
        );
        self.on_edges(self.target.pixel_from_offset(offset), world)
    }

    /// The whole turns of longitude that bring a point nearest to the target.
    fn turn(&self, x: f64) -> f64 {
        match self.middle {
            Some(middle) if x.is_finite() => 360.0 * ((middle - x) / 360.0).round(),
            _ => 0.0,
        }
    }

    /// A place beside an edge of pixels that is on it but for the roundings of coordinates.
    fn on_edges(&self, place: (f64, f64), world: (f64, f64)) -> (f64, f64) {
        let (source, target) = (&self.source.0, &self.target.0);
        let rounded = |at: f64, origin: usize| {
            let largest = at.abs().max(target[origin].abs()).max(source[origin].abs());
            ROUNDINGS * f64::EPSILON * largest
        };
        let (x, y) = (rounded(world.0, 0), rounded(world.1, 3));
        // What these are in pixels, whichever way the grid is turned.
        let determinant = (target[1] * target[5] - target[2] * target[4]).abs();
        let noise = (
            (x * target[5].abs() + y * target[2].abs()) / determinant,
            (y * target[1].abs() + x * target[4].abs()) / determinant,
        );
        let least = match self.systems {
            Some(_) => ON_EDGE_THROUGH,
            None => ON_EDGE,
        };
        let on = |at: f64, noise: f64| {
            let near = least + noise + ROUNDINGS * f64::EPSILON * at.abs();
            on_edge(at, near.min(TOLERANCE))
        };
        (on(place.0, noise.0), on(place.1, noise.1))
    }

    /// Where columns and rows lie on the target, one by one, when its own are parallel to them: every point is the place of its
    /// column and that of its row.
    pub(crate) fn axes(
        &self,
        columns: &[f64],
        rows: &[f64],
    ) -> Result<Option<[Vec<f64>; 2]>, RasterError> {
        let parallel = |grid: &GeoTransform| grid.0[2] == 0.0 && grid.0[4] == 0.0;
        let (Some(&col), Some(&row)) = (columns.first(), rows.first()) else {
            return Ok(None);
        };
        if self.systems.is_some() || !parallel(&self.source) || !parallel(&self.target) {
            return Ok(None);
        }
        let across: Vec<(f64, f64)> = columns.iter().map(|&col| (col, row)).collect();
        let down: Vec<(f64, f64)> = rows.iter().map(|&row| (col, row)).collect();
        let xs = self.points(&across)?.into_iter().map(|(x, _)| x).collect();
        let ys = self.points(&down)?.into_iter().map(|(_, y)| y).collect();
        Ok(Some([xs, ys]))
    }

    /// [`PixelMap::points`] of points that lie on one row, in the order of their columns: interpolated between places that
    /// PROJ gives, as far as that makes no difference.
    pub(crate) fn row(&self, columns: &[f64], row: f64) -> Result<Vec<(f64, f64)>, RasterError> {
        let (first, last) = (0, columns.len().saturating_sub(1));
        if self.systems.is_none() || columns.len() < 8 {
            let points: Vec<(f64, f64)> = columns.iter().map(|&col| (col, row)).collect();
            return self.points(&points);
        }
        let ends = self.points(&[(columns[first], row), (columns[last], row)])?;
        let mut places = vec![(f64::NAN, f64::NAN); columns.len()];
        (places[first], places[last]) = (ends[0], ends[1]);
        self.between_ends(columns, row, &mut places, first, last)?;
        Ok(places)
    }

    fn between_ends(
        &self,
        columns: &[f64],
        row: f64,
        places: &mut [(f64, f64)],
        first: usize,
        last: usize,
    ) -> Result<(), RasterError> {
        if last - first < 2 {
            return Ok(());
        }
        let middle = usize::midpoint(first, last);
        let quarter = usize::midpoint(first, middle);
        let exact = self.points(&[(columns[middle], row), (columns[quarter], row)])?;
        let (a, b) = (places[first], places[last]);
        let on_line = |at: usize| {
            let share = (columns[at] - columns[first]) / (columns[last] - columns[first]);
            (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share)
        };
        let close = |at: usize, exact: (f64, f64)| {
            let line = on_line(at);
            (line.0 - exact.0).abs() < TOLERANCE && (line.1 - exact.1).abs() < TOLERANCE
        };
        if close(middle, exact[0]) && close(quarter, exact[1]) {
            let on = |at: f64| on_edge(at, ON_EDGE_THROUGH);
            for (at, place) in places.iter_mut().enumerate().take(last).skip(first + 1) {
                let (x, y) = on_line(at);
                *place = (on(x), on(y));
            }
            return Ok(());
        }
        places[middle] = exact[0];
        self.between_ends(columns, row, places, first, middle)?;
        self.between_ends(columns, row, places, middle, last)
    }

    /// How far apart source and target pixels of the same coordinates lie over a source of this size, at most; infinite
    /// where a pixel has no place in the target.
    pub(crate) fn largest_difference(&self, other: &Self, size: Size) -> Result<f64, RasterError> {
        let points = spread(size, 5, 0.0);
        let (here, there) = (self.points(&points)?, other.points(&points)?);
        let differences = here
            .iter()
            .zip(&there)
            .map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs()));
        Ok(differences.fold(0.0, |most, one| {
            if one.is_nan() {
                f64::INFINITY
            } else {
                f64::max(most, one)
            }
        }))
    }

    /// Whether every pixel of a source of this size is the same pixel of the target.
    pub(crate) fn is_identity(&self, size: Size) -> Result<bool, RasterError> {
        let points = spread(size, 5, 0.0);
        let mapped = self.points(&points)?;
        Ok(points
            .iter()
            .zip(&mapped)
            .all(|(a, b)| (a.0 - b.0).abs() < 0.01 && (a.1 - b.1).abs() < 0.01))
    }
}

impl Systems {
    /// This thread's own way.
    fn way(&self) -> Result<Rc<Transformation>, RasterError> {
        let known = WAYS.with_borrow(|ways| {
            let found = ways.iter().find(|(known, _)| known == self);
            found.map(|(_, way)| Rc::clone(way))
        });
        if let Some(way) = known {
            return Ok(way);
        }
        let way = Rc::new(crs::between(
            &crs::parse(&self.source)?,
            &crs::parse(&self.target)?,
        )?);
        WAYS.with_borrow_mut(|ways| {
            if ways.len() >= KEPT {
                ways.remove(0);
            }
            ways.push((self.clone(), Rc::clone(&way)));
        });
        Ok(way)
    }
}

/// The edge between two pixels that a place is so near to, or the place. What lies before the first pixel, by however little, is
/// no part of the raster, as in GDAL's warper.
fn on_edge(at: f64, near: f64) -> f64 {
    let edge = at.round();
    let before = edge == 0.0 && at < 0.0;
    if (at - edge).abs() <= near && !before {
        edge
    } else {
        at
    }
}

/// `count` x `count` points over a raster, from edge to edge, or from the middle of the outermost cells with an inset of
/// a half.
pub(crate) fn spread(size: Size, count: usize, inset: f64) -> Vec<(f64, f64)> {
    let steps = count as f64 - 1.0 + 2.0 * inset;
    let at = |index: usize, length: usize| (index as f64 + inset) / steps * length as f64;
    (0..count * count)
        .map(|point| {
            (
                at(point % count, size.width),
                at(point / count, size.height),
            )
        })
        .collect()
}

/// Whether a system says nothing of where on Earth it is: an engineering system, as GDAL calls undefined Cartesian ones.
pub(crate) fn is_local(wkt: &str) -> bool {
    crs::parse(wkt).is_ok_and(|system| system.is_local())
}

/// The middle longitude of a raster in degrees.
fn middle(wkt: &str, transform: GeoTransform, size: Size) -> Option<f64> {
    let geographic = !wkt.is_empty() && crs::parse(wkt).is_ok_and(|system| system.is_geographic());
    let middle = transform.world_from_pixel((size.width as f64 / 2.0, size.height as f64 / 2.0));
    (geographic && middle.0.is_finite()).then_some(middle.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(crs: &str, transform: GeoTransform) -> GeoReference {
        let crs_wkt = crs::parse(crs).unwrap().to_wkt().unwrap();
        GeoReference::new(transform, crs_wkt)
    }

    #[test]
    fn rows_agree_with_proj_to_a_thousandth_of_a_pixel() {
        // A whole UTM zone's width in one row: far from straight in degrees.
        let source = reference(
            "EPSG:32633",
            GeoTransform::north_up(200_000.0, 7_000_000.0, 600.0),
        );
        let target = reference("EPSG:4326", GeoTransform::north_up(5.0, 70.0, 0.005));
        let map = PixelMap::between(&source, &target, Size::new(4000, 4000)).unwrap();
        let columns: Vec<f64> = (0..1000).map(|col| f64::from(col) + 0.5).collect();
        let row = map.row(&columns, 300.5).unwrap();
        let points: Vec<(f64, f64)> = columns.iter().map(|&col| (col, 300.5)).collect();
        for (a, b) in row.iter().zip(map.points(&points).unwrap()) {
            assert!(
                (a.0 - b.0).abs() < 2e-3 && (a.1 - b.1).abs() < 2e-3,
                "{a:?} {b:?}"
            );
        }
    }

    /// The pixels of labels under the centers of a scene's, by exact arithmetic: `pixel` is the size of a label pixel in
    /// those of the scene as a fraction, `shift` where the labels begin.
    fn exactly(pixel: (i64, i64), shift: i64, at: i64) -> i64 {
        ((2 * at + 1 - 2 * shift) * pixel.1).div_euclid(2 * pixel.0)
    }

    /// With `rasterio.warp.reproject(nearest, tolerance=0)` (GDAL 3.10) these are the pixels of all cases but those where
    /// the origin of the labels is no number of 64 bits: there GDAL takes one side or the other.
    #[test]
    fn centers_on_corners_take_the_pixel_to_the_lower_right() {
        // A town, a PlanetScope mosaic, an image of Las Vegas in degrees and one of Banepa.
        let north_up = |x, y, size: f64| [x, size, 0.0, y, 0.0, -size];
        let grids = [
            ("EPSG:32632", north_up(690_000.0, 5_336_000.0, 0.3)),
            (
                "EPSG:3857",
                north_up(
                    -13_046_883.483_940_167,
                    3_913_575.848_201_023_4,
                    4.777_314_267_16,
                ),
            ),
            (
                "EPSG:4326",
                north_up(-115.302_252_6, 36.196_742_699_9, 2.700_000_000_004_365_6e-6),
            ),
            (
                "EPSG:3857",
                north_up(
                    9_519_620.376_692_422,
                    3_203_475.855_431_731_5,
                    0.597_164_283_477_939_5,
                ),
            ),
        ];
        let sizes = [(1, 2), (1, 4), (1, 3), (19, 10), (3, 1), (2, 5)];
        let mut ties = 0;
        for (system, grid) in grids {
            let scene = reference(system, GeoTransform(grid));
            for (pixel, shift) in sizes.iter().flat_map(|&size| [(size, 0), (size, -20)]) {
                let share = pixel.0 as f64 / pixel.1 as f64;
                let (x, y) = scene
                    .transform
                    .world_from_pixel((shift as f64, shift as f64));
                let finer = GeoTransform([x, grid[1] * share, 0.0, y, 0.0, grid[5] * share]);
                let labels = reference(system, finer);
                let map = PixelMap::in_one_system(&scene, &labels, Size::new(1000, 1000));
                let centers: Vec<f64> = (0..900).map(|at| f64::from(at) + 0.5).collect();
                let [xs, ys] = map.axes(&centers, &centers).unwrap().unwrap();
                for (at, (x, y)) in xs.into_iter().zip(ys).enumerate() {
                    let right = exactly(pixel, shift, at as i64);
                    assert_eq!(
                        x.floor() as i64,
                        right,
                        "{system} {pixel:?} {shift} col {at}"
                    );
                    assert_eq!(
                        y.floor() as i64,
                        right,
                        "{system} {pixel:?} {shift} row {at}"
                    );
                    ties += usize::from(x.fract() == 0.0);
                }
            }
        }
        assert!(ties > 4 * 4 * 900, "{ties}");
    }

    /// Places that are really beside an edge stay there.
    #[test]
    fn places_near_corners_keep_their_side() {
        let scene = reference(
            "EPSG:32637",
            GeoTransform::north_up(303_774.6, 3_983_225.7, 0.3),
        );
        for beside in [1e-5, -1e-5] {
            let labels = reference(
                "EPSG:32637",
                GeoTransform::north_up(303_774.6 - beside, 3_983_225.7 + beside, 0.15),
            );
            let map = PixelMap::in_one_system(&scene, &labels, Size::new(1000, 1000));
            for at in 0..400 {
                let center = f64::from(at) + 0.5;
                let (x, y) = map.points(&[(center, center)]).unwrap()[0];
                let right = 2 * at + if beside > 0.0 { 1 } else { 0 };
                assert_eq!((x.floor() as i32, y.floor() as i32), (right, right));
            }
        }
    }

    /// A grid that is turned by 30 degrees, and labels of half its pixel size on the same origin.
    #[test]
    fn turned_grids_take_the_same_corner() {
        let (sin, cos) = (0.5, 3.0_f64.sqrt() / 2.0);
        let turned = |pixel: f64| {
            let grid = [
                303_774.6,
                pixel * cos,
                pixel * sin,
                3_983_225.7,
                pixel * sin,
                -pixel * cos,
            ];
            reference("EPSG:32637", GeoTransform(grid))
        };
        let map = PixelMap::in_one_system(&turned(0.3), &turned(0.15), Size::new(1000, 1000));
        for row in 0..200 {
            let centers: Vec<f64> = (0..200).map(|at| f64::from(at) + 0.5).collect();
            let places = map.row(&centers, f64::from(row) + 0.5).unwrap();
            for (col, (x, y)) in places.into_iter().enumerate() {
                assert_eq!((x, y), (2.0 * col as f64 + 1.0, 2.0 * f64::from(row) + 1.0));
            }
        }
    }

    #[test]
    fn longitudes_a_turn_apart_are_one_place() {
        let east = reference("EPSG:4326", GeoTransform::north_up(284.0, 10.0, 0.1));
        let west = reference("EPSG:4326", GeoTransform::north_up(-76.0, 10.0, 0.1));
        let map = PixelMap::in_one_system(&east, &west, Size::new(20, 20));
        assert!(map.is_identity(Size::new(20, 20)).unwrap());
    }
}
