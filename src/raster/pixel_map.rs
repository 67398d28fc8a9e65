//! From the pixels of one raster to those of another, whatever their coordinate reference systems.

use std::cell::RefCell;
use std::rc::Rc;

use super::crs::{self, Transformation};
use super::{GeoReference, GeoTransform, RasterError, Size};

/// How far interpolated places may lie from PROJ's, in pixels of the target.
const TOLERANCE: f64 = 1e-3;

/// Ways between systems that one thread keeps.
const KEPT: usize = 8;

thread_local! {
    // PROJ's objects belong to one thread each.
    static WAYS: RefCell<Vec<(Systems, Rc<Transformation>)>> = const { RefCell::new(Vec::new()) };
}

/// The way from the pixel coordinates of a source raster to those of a target.
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
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points
            .iter()
            .map(|&point| self.source.world_from_pixel(point))
            .unzip();
        if let Some(systems) = &self.systems {
            let way = systems.way()?;
            // Points that have no place become NaN, the others are right all the same.
            way.transform(&mut xs, &mut ys);
        }
        let turned = |x: f64| match self.middle {
            Some(middle) if x.is_finite() => x + 360.0 * ((middle - x) / 360.0).round(),
            _ => x,
        };
        let world = xs.into_iter().zip(ys);
        Ok(world
            .map(|(x, y)| self.target.pixel_from_world((turned(x), y)))
            .collect())
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
            for (at, place) in places.iter_mut().enumerate().take(last).skip(first + 1) {
                *place = on_line(at);
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

    #[test]
    fn longitudes_a_turn_apart_are_one_place() {
        let east = reference("EPSG:4326", GeoTransform::north_up(284.0, 10.0, 0.1));
        let west = reference("EPSG:4326", GeoTransform::north_up(-76.0, 10.0, 0.1));
        let map = PixelMap::in_one_system(&east, &west, Size::new(20, 20));
        assert!(map.is_identity(Size::new(20, 20)).unwrap());
    }
}
