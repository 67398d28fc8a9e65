//! From a file's coordinates to the pixels of a raster: which system they are in, and what to do where it ends.

mod clip;
pub(super) mod meridian;
mod ring;
mod source;

use std::cell::{Cell, RefCell};
use std::path::Path;

use gdal_sys::{OGREnvelope, OGRLayerH};
use geo::{BoundingRect, LineString, MultiPolygon};

use super::PlaceError;
use super::read::ReadReport;
use crate::Result;
use crate::raster::crs::{self, Transformation};
use crate::raster::{GeoReference, GeoTransform, Size};
use crate::report::{Notice, file_name};
pub(super) use clip::Rectangle;
use source::Basis;

/// Polygons whose middles are kept, to find out why none lies on the raster.
const MIDDLES: usize = 512;

/// The way from a vector file's world coordinates to pixels of a raster.
///
/// What it does beyond a transformation point by point:
/// - A polygon that reaches far beyond the raster is cut there before it is transformed, since projections end: the
///   half of the world that one of -180 to 180 degrees covers has no place in a zone of UTM.
/// - Longitudes differ by whole turns: 285 is -75. A part is taken wherever it lies on the raster, so that files cut at
///   180 degrees (RFC 7946, 3.1.9) and rasters of 0 to 360 degrees work. An edge that jumps by more than 350 degrees
///   crosses 180, as GDAL's `-wrapdateline` has it.
/// - Edges are straight in the file's coordinates (RFC 7946, 3.1.1); where that makes a tenth of a pixel, an edge gets
///   more vertices. `ogr2ogr` and geopandas join the transformed vertices instead.
pub(super) struct Projector {
    /// `None` when the coordinates are the raster's own.
    to_raster: Option<Transformation>,
    transform: GeoTransform,
    size: Option<Size>,
    /// Around the raster, in the file's coordinates, narrow to wide.
    around: Vec<Rectangle>,
    /// The full turn of the file's longitudes, in its units; `None` when it has none.
    turn: Option<f64>,
    /// The full turn of the raster's longitudes and the longitude of its middle.
    raster_turn: Option<(f64, f64)>,
    /// Whether the file's coordinates come with latitude or northing first.
    exchanged: bool,
    /// Whether y counts upwards from 0 at the top, as QGIS has it for images without a place.
    upwards: bool,
    basis: Basis,
    seen: Seen,
}

/// What was met on the way.
#[derive(Default)]
struct Seen {
    no_degrees: Cell<usize>,
    first_no_degrees: Cell<Option<(f64, f64)>>,
    crossing: Cell<usize>,
    middles: RefCell<Vec<(f64, f64)>>,
}

/// Rings of a polygon in pixels, the exterior first.
pub(super) type Rings = Vec<LineString<f64>>;

impl Projector {
    /// The way from a layer, in the system that it says or that is `stated` (see [`super::VectorSource::crs`]), to a
    /// raster.
    ///
    /// # Errors
    /// [`PlaceError`] when the place would have to be guessed.
    pub(super) fn new(
        layer: OGRLayerH,
        path: &Path,
        stated: Option<&str>,
        target: &GeoReference,
    ) -> Result<Self> {
        let (basis, system) = Basis::of(layer, path, stated, target)?;
        let exchanged = system
            .as_ref()
            .is_some_and(|system| !crs::has_x_first(system));
        let system = system.map(|system| crs::x_first(&system));
        let mut projector = Self {
            to_raster: None,
            transform: target.transform,
            size: target.size,
            around: Vec::new(),
            turn: None,
            raster_turn: None,
            exchanged,
            upwards: false,
            basis,
            seen: Seen::default(),
        };
        if projector.basis.is_pixels() {
            projector.transform = GeoTransform::PIXELS;
        }
        if projector.transform == GeoTransform::PIXELS && system.is_none() {
            projector.upwards =
                extent(layer).is_some_and(|extent| source::counts_upwards(&extent, target.size));
        }
        let raster_system = if target.crs_wkt.is_empty() {
            None
        } else {
            Some(crs::parse(&target.crs_wkt)?)
        };
        let mut from_raster = None;
        if let (Some(system), Some(raster)) = (&system, &raster_system)
            && !crs::same_systems(system, raster)
        {
            let no_way = |error: crate::raster::RasterError| PlaceError::NoWay {
                path: path.to_owned(),
                system: projector.basis.claim(),
                image: crs::short_name(&target.crs_wkt),
                detail: error.to_string(),
            };
            projector.to_raster = Some(crs::between(system, raster).map_err(no_way)?);
            // Without a way back nothing is cut where the projection ends: what has no place is left out and counted.
            from_raster = crs::between(raster, system).ok();
        }
        projector.turn = match (&system, &projector.basis, &raster_system) {
            (Some(system), ..) => source::turn(system),
            (None, Basis::Assumed(_) | Basis::Raster, Some(raster)) => source::turn(raster),
            _ => None,
        };
        if let Some(size) = projector.size {
            let middle = (size.width as f64 / 2.0, size.height as f64 / 2.0);
            let middle = projector.transform.world_from_pixel(middle).0;
            projector.raster_turn = raster_system
                .as_ref()
                .filter(|_| !projector.basis.is_pixels())
                .and_then(source::turn)
                .map(|turn| (turn, middle));
            projector.around = clip::around(
                &projector.transform,
                size,
                projector.turn,
                from_raster.as_ref(),
                projector.to_raster.as_ref(),
            );
        }
        Ok(projector)
    }

    /// The polygons in pixels that a polygon of the file is, its exterior ring first; more than one where it lies on the
    /// raster several times, none with what is wrong when it has no place.
    pub(super) fn place(
        &self,
        mut rings: Vec<Vec<(f64, f64)>>,
    ) -> Result<Vec<Rings>, &'static str> {
        self.straighten(&mut rings)?;
        let Some(bounds) = Rectangle::of(rings.first().into_iter().flatten()) else {
            return Err("with an empty polygon");
        };
        self.keep_middle(&bounds);
        let Some(widest) = self.around.last() else {
            return self.projected(&rings, true).map(|rings| vec![rings]);
        };
        let mut placed = Vec::new();
        let mut failed = false;
        for shift in ring::shifts(&bounds, self.turn) {
            if !bounds.moved(shift).overlaps(widest) {
                continue;
            }
            let mut moved = rings.clone();
            moved
                .iter_mut()
                .flatten()
                .for_each(|point| point.0 += shift);
            match self.near(&moved, &bounds.moved(shift)) {
                Some(rings) if rings.is_empty() => {}
                Some(rings) => placed.extend(self.copies(rings, 0.0)),
                None => failed = true,
            }
        }
        if failed && placed.is_empty() {
            return Err("beyond what the raster's coordinate reference system can show");
        }
        if placed.is_empty() {
            // Elsewhere: where exactly matters only for what is said of it.
            let rings = self
                .projected(&rings, false)
                .map_err(|_| "far outside the raster's coordinate reference system")?;
            if self.on_raster(&rings, 0.0) {
                return Err("far outside the raster's coordinate reference system");
            }
            placed.push(rings);
        }
        Ok(placed)
    }

    /// The lines in pixels that a line of the file is, of one vertex for a point: several where it was cut or lies on the
    /// raster several times. What lies farther from the raster than `reach` pixels may be cut off.
    pub(super) fn place_line(
        &self,
        points: Vec<(f64, f64)>,
        reach: f64,
    ) -> Result<Vec<LineString<f64>>, &'static str> {
        let mut line = [points];
        self.straighten(&mut line)?;
        let [points] = line;
        let Some(bounds) = Rectangle::of(&points) else {
            return Err("with an empty line or point");
        };
        self.keep_middle(&bounds);
        let wider = |around: &Rectangle| match self.size {
            Some(size) => around.widened(reach / size.width.min(size.height).max(1) as f64),
            None => *around,
        };
        let Some(widest) = self.around.last().map(wider) else {
            return self.projected_line(points, true).map(|line| vec![line]);
        };
        let (mut placed, mut failed) = (Vec::new(), false);
        for shift in ring::shifts(&bounds, self.turn) {
            let bounds = bounds.moved(shift);
            if !bounds.overlaps(&widest) {
                continue;
            }
            let moved: Vec<_> = points
                .iter()
                .map(|point| (point.0 + shift, point.1))
                .collect();
            match self.near_line(&moved, &bounds, &wider) {
                Some(lines) => placed.extend(lines.into_iter().flat_map(|line| {
                    let copies = self.copies(vec![line], reach).into_iter();
                    copies.flatten()
                })),
                None => failed = true,
            }
        }
        if failed && placed.is_empty() {
            return Err("beyond what the raster's coordinate reference system can show");
        }
        if placed.is_empty() {
            let outside = "far outside the raster's coordinate reference system";
            let line = self.projected_line(points, false).map_err(|_| outside)?;
            if self.on_raster(std::slice::from_ref(&line), reach) {
                return Err(outside);
            }
            placed.push(line);
        }
        Ok(placed)
    }

    /// The parts of a line near the raster in pixels; `None` when it has no place.
    fn near_line(
        &self,
        line: &[(f64, f64)],
        bounds: &Rectangle,
        wider: &impl Fn(&Rectangle) -> Rectangle,
    ) -> Option<Vec<LineString<f64>>> {
        if self.to_raster.is_none() {
            let line = self.projected_line(line.to_vec(), false).ok()?;
            return Some(vec![line]);
        }
        self.around.iter().rev().find_map(|around| {
            let around = wider(around);
            let parts = match around.holds(bounds) {
                true => vec![line.to_vec()],
                false => around.cut_line(line),
            };
            let parts = parts
                .into_iter()
                .map(|part| self.projected_line(part, true).ok());
            parts.collect()
        })
    }

    fn projected_line(
        &self,
        line: Vec<(f64, f64)>,
        curved: bool,
    ) -> Result<LineString<f64>, &'static str> {
        let mut rings = self.projected_as(&[line], curved, false)?;
        rings.pop().ok_or("with an empty line or point")
    }

    /// Coordinates with x first and y upwards, that jump nowhere.
    fn straighten(&self, rings: &mut [Vec<(f64, f64)>]) -> Result<(), &'static str> {
        if self.exchanged {
            for point in rings.iter_mut().flatten() {
                *point = (point.1, point.0);
            }
        }
        if self.upwards {
            for point in rings.iter_mut().flatten() {
                point.1 = -point.1;
            }
        }
        if let Some(turn) = self.turn {
            self.check_degrees(rings, turn)?;
            if ring::unwrap_all(rings, turn) {
                self.seen.crossing.set(self.seen.crossing.get() + 1);
            }
        }
        Ok(())
    }

    /// A polygon near the raster in pixels, cut where the projection would end; `None` when it has no place.
    fn near(&self, rings: &[Vec<(f64, f64)>], bounds: &Rectangle) -> Option<Rings> {
        if self.to_raster.is_none() {
            return self.projected(rings, false).ok();
        }
        for around in self.around.iter().rev() {
            let cut = if around.holds(bounds) {
                rings.to_vec()
            } else {
                let cut = rings.iter().map(|ring| around.cut(ring));
                cut.filter(|ring| ring.len() > 2).collect()
            };
            if cut.is_empty() {
                return Some(Vec::new());
            }
            if let Ok(rings) = self.projected(&cut, true) {
                return Some(rings);
            }
        }
        None
    }

    fn projected(&self, rings: &[Vec<(f64, f64)>], curved: bool) -> Result<Rings, &'static str> {
        self.projected_as(rings, curved, true)
    }

    /// As polygons or, when not `closed`, as lines.
    fn projected_as(
        &self,
        rings: &[Vec<(f64, f64)>],
        curved: bool,
        closed: bool,
    ) -> Result<Rings, &'static str> {
        let mut projected = Vec::with_capacity(rings.len());
        for ring in rings {
            let world = match &self.to_raster {
                None => ring.clone(),
                Some(way) => ring::transformed(
                    ring,
                    way,
                    &self.transform,
                    self.turn.filter(|_| curved),
                    self.raster_turn,
                    curved,
                    closed,
                )
                .ok_or("outside the raster's coordinate reference system")?,
            };
            let points = world
                .into_iter()
                .map(|point| self.transform.pixel_from_world(point));
            let points: LineString<f64> = points.collect();
            if !points
                .0
                .iter()
                .all(|point| point.x.is_finite() && point.y.is_finite())
            {
                return Err("outside the raster's coordinate reference system");
            }
            projected.push(points);
        }
        Ok(projected)
    }

    /// The polygon, or a line that reaches so many pixels, wherever a turn of the raster's longitudes puts it on the raster.
    fn copies(&self, rings: Rings, reach: f64) -> Vec<Rings> {
        let (Some((turn, _)), Some(_)) = (self.raster_turn, &self.to_raster) else {
            return vec![rings];
        };
        let origin = self.transform.pixel_from_world((0.0, 0.0));
        let turned = self.transform.pixel_from_world((turn, 0.0));
        let (step_x, step_y) = (turned.0 - origin.0, turned.1 - origin.1);
        let moved = |times: f64| -> Rings {
            let point =
                |point: &geo::Coord<f64>| (point.x + times * step_x, point.y + times * step_y);
            let ring = |ring: &LineString<f64>| ring.0.iter().map(point).collect();
            rings.iter().map(ring).collect()
        };
        let others = [-1.0, 1.0].map(moved);
        let mut all: Vec<Rings> = others
            .into_iter()
            .filter(|rings| self.on_raster(rings, reach))
            .collect();
        if all.is_empty() || self.on_raster(&rings, reach) {
            all.push(rings);
        }
        all
    }

    fn on_raster(&self, rings: &[LineString<f64>], reach: f64) -> bool {
        let bounds = rings
            .first()
            .and_then(|ring| Rectangle::of(&points_of(ring)));
        self.size
            .zip(bounds)
            .is_some_and(|(size, bounds)| bounds.overlaps(&Rectangle::of_size(size).grown(reach)))
    }

    fn check_degrees(&self, rings: &[Vec<(f64, f64)>], turn: f64) -> Result<(), &'static str> {
        // A little beyond the pole is a rounding error; two turns are no longitude that anybody uses.
        let wrong = |&&(x, y): &&(f64, f64)| x.abs() > 2.0 * turn || y.abs() > turn / 4.0 * 1.001;
        match rings.iter().flatten().find(wrong) {
            None => Ok(()),
            Some(&point) => {
                if let Some(bounds) = Rectangle::of(rings.iter().flatten()) {
                    self.keep_middle(&bounds);
                }
                self.seen.no_degrees.set(self.seen.no_degrees.get() + 1);
                if self.seen.first_no_degrees.get().is_none() {
                    self.seen.first_no_degrees.set(Some(point));
                }
                Err("with coordinates that are no degrees")
            }
        }
    }

    fn keep_middle(&self, bounds: &Rectangle) {
        let mut middles = self.seen.middles.borrow_mut();
        if middles.len() < MIDDLES {
            middles.push(bounds.middle());
        }
    }

    /// What was assumed and met, into the report.
    ///
    /// # Errors
    /// [`PlaceError`] when nothing has a place and the reason is known: coordinates that are no degrees, an assumed
    /// system in which nothing lies on the raster, x and y exchanged.
    pub(super) fn finish<T>(
        &self,
        path: &Path,
        features: &[(MultiPolygon<f64>, T)],
        report: &mut ReadReport,
    ) -> Result<(), PlaceError> {
        let about = file_name(path);
        report.assumed_crs = matches!(self.basis, Basis::Assumed(_));
        if let Basis::AssumedPixels(what) = &self.basis {
            let text = format!("neither the file nor the image names a reference system: {what}");
            report
                .place
                .push(Notice::assumed(text).about(about.clone()));
        }
        if self.upwards {
            let text = "y counts upwards from 0 at the top edge, as QGIS has it for images without a place; it was turned \
                        round";
            report
                .place
                .push(Notice::converted(text).about(about.clone()));
        }
        let crossing = self.seen.crossing.get();
        if crossing > 0 {
            let text = format!(
                "{crossing} features have an edge that jumps by more than 350 degrees, taken the short way across the \
                 180th meridian"
            );
            let notice = Notice::converted(text).about(about).count(crossing);
            report
                .place
                .push(notice.next("cut them there as RFC 7946 asks"));
        }
        if let (true, Some((x, y))) = (features.is_empty(), self.seen.first_no_degrees.get()) {
            self.check_exchanged(path, None)?;
            return Err(PlaceError::NoDegrees {
                path: path.to_owned(),
                x,
                y,
                claim: self.basis.who_claims(),
            });
        }
        let Some(size) = self.size else {
            return Ok(());
        };
        let raster = Rectangle::of_size(size);
        let bounds =
            |(shape, _): &(MultiPolygon<f64>, T)| shape.bounding_rect().map(Rectangle::from);
        let all = features.iter().filter_map(bounds).reduce(Rectangle::union);
        let on = features
            .iter()
            .filter_map(bounds)
            .any(|bounds| bounds.overlaps(&raster));
        let (Some(all), false) = (all, on) else {
            return Ok(());
        };
        self.check_exchanged(path, Some(&all))?;
        if let Some(assumed) = self.basis.assumed() {
            return Err(PlaceError::AssumedElsewhere {
                path: path.to_owned(),
                assumed: assumed.to_owned(),
                features: all.in_world(&self.transform),
                image: raster.in_world(&self.transform),
            });
        }
        Ok(())
    }

    /// Refuses files whose polygons would lie on the raster if x and y were exchanged: most of them, or some when the file
    /// as it is lies all around nothing of it. `extent` is the file's in pixels.
    fn check_exchanged(&self, path: &Path, extent: Option<&Rectangle>) -> Result<(), PlaceError> {
        let Some(size) = self.size.filter(|_| !self.basis.is_pixels()) else {
            return Ok(());
        };
        let raster = Rectangle::of_size(size);
        let middles = self.seen.middles.borrow();
        let exchanged = |&&(x, y): &&(f64, f64)| {
            let ring = [vec![(y, x)]];
            let placed = self.projected(&ring, false).ok();
            placed.is_some_and(|rings| {
                rings[0]
                    .0
                    .iter()
                    .all(|point| raster.contains((point.x, point.y)))
            })
        };
        let found: Vec<_> = middles.iter().filter(exchanged).collect();
        let around = extent.is_some_and(|extent| extent.overlaps(&raster));
        match found
            .first()
            .filter(|_| !around || found.len() * 2 > middles.len())
        {
            Some(&&(x, y)) => Err(PlaceError::Exchanged {
                path: path.to_owned(),
                count: found.len(),
                total: middles.len(),
                x,
                y,
                system: self.basis.claim(),
            }),
            None => Ok(()),
        }
    }
}

fn points_of(ring: &LineString<f64>) -> Vec<(f64, f64)> {
    ring.0.iter().map(|point| (point.x, point.y)).collect()
}

/// The extent of a layer, from its index or by reading it.
fn extent(layer: OGRLayerH) -> Option<OGREnvelope> {
    let mut extent = OGREnvelope {
        MinX: 0.0,
        MaxX: 0.0,
        MinY: 0.0,
        MaxY: 0.0,
    };
    let (failed, _) = crate::raster::gdal_library::with_messages(|| {
        // SAFETY: the layer is open, and the extent is ours.
        unsafe { gdal_sys::OGR_L_GetExtent(layer, &raw mut extent, 1) }
    });
    (failed == 0).then_some(extent)
}
