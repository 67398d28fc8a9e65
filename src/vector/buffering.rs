//! Areas around lines, points and polygons that lie in pixels.

use std::path::Path;

use geo::{BoundingRect, Coord, LineString, Polygon};

use super::VectorError;
use super::buffer::Buffer;
use super::geos;
use super::ground::{Ground, Linear};
use super::layer::OpenLayer;
use super::project::Rectangle;
use super::read::no_property;
use super::values::{Field, Texts};
use crate::Result;
use crate::raster::GeoReference;
use crate::session;

/// A piece whose meters change by a larger share along it is taken in two.
const LARGEST_CHANGE: f64 = 0.005;

/// How often a piece is halved.
const HALVINGS: usize = 24;

/// Vertices that GEOS takes at a time.
const PART: usize = 512;

/// What is wrong with a feature of which GEOS makes nothing.
const NO_BUFFER: &str = "whose buffer GEOS cannot make";

/// How the features of a layer become areas.
pub(super) struct Buffering<'a> {
    buffer: &'a Buffer,
    field: Option<&'a Field>,
    plane: Plane,
    /// The raster in pixels, when its size is known.
    raster: Option<Rectangle>,
    /// The shortest step of a pixel in the buffer's units.
    shortest: f64,
}

/// Where a distance is measured.
enum Plane {
    Pixels,
    Ground(Ground),
}

/// Lines and points (lines of one vertex) in pixels.
type Lines = Vec<LineString<f64>>;

impl<'a> Buffering<'a> {
    /// # Errors
    /// [`VectorError`] for distances that are none, meters where nobody knows one, a property that the layer does not have,
    /// and a GDAL without GEOS.
    pub(super) fn new(
        buffer: &'a Buffer,
        layer: &'a OpenLayer,
        path: &Path,
        target: &GeoReference,
    ) -> Result<Self> {
        if let Some(found) = buffer.wrong() {
            return Err(VectorError::BadBuffer { found }.into());
        }
        if !geos::is_there() {
            return Err(VectorError::NoGeos {
                path: path.to_owned(),
            }
            .into());
        }
        let find = |name: &str| {
            layer
                .field(name)
                .ok_or_else(|| no_property(path, name, layer.property_names()))
        };
        let field = buffer.asked().map(find).transpose()?;
        let (plane, shortest) = match buffer.is_in_meters() {
            false => (Plane::Pixels, 1.0),
            true => {
                let ground = Ground::of(target);
                let shortest = ground.as_ref().and_then(|ground| ground.shortest(target));
                let (Some(ground), Some(shortest)) = (ground, shortest) else {
                    return Err(VectorError::NoMeters {
                        path: path.to_owned(),
                        image: match target.has_system() {
                            true => "its coordinate reference system names no unit".to_owned(),
                            false => target.missing_place(),
                        },
                    }
                    .into());
                };
                (Plane::Ground(ground), shortest)
            }
        };
        Ok(Self {
            buffer,
            field,
            plane,
            raster: target.size.map(Rectangle::of_size),
            shortest,
        })
    }

    /// Whether polygons grow, too.
    pub(super) fn takes_polygons(&self) -> bool {
        self.buffer.polygons
    }

    /// How far a feature's buffer reaches, in the buffer's units, and whether that stands in for a value that is no distance;
    /// or why nobody knows.
    ///
    /// # Safety
    /// `feature` is a live feature of the layer.
    pub(super) unsafe fn distance(
        &self,
        feature: gdal_sys::OGRFeatureH,
        texts: &Texts,
    ) -> Result<(f64, bool), &'static str> {
        // SAFETY: by the caller's promise; the field is one of the layer's.
        let value = self
            .field
            .and_then(|field| unsafe { field.value(feature, texts) });
        let distance = self.buffer.distance_of(value.as_deref())?;
        Ok((distance, self.buffer.replaces(value.as_deref())))
    }

    /// The most pixels that a distance is anywhere on the raster.
    pub(super) fn reach(&self, distance: f64) -> f64 {
        // Between the places that were looked at a pixel may be smaller still.
        distance / self.shortest * 1.1
    }

    /// What lies at most `distance` from lines, points and polygons, in pixels. Lines are cut where they are too far from the
    /// raster to matter; of a feature that lies elsewhere as a whole, the rectangle around it is returned, which says where.
    pub(super) fn areas(
        &self,
        lines: Lines,
        polygons: &[Polygon<f64>],
        distance: f64,
    ) -> Result<Vec<Polygon<f64>>, Stopped> {
        let reach = self.reach(distance);
        let near = match &self.raster {
            Some(raster) => {
                let around = raster.grown(2.0 * reach + 8.0);
                let all = || {
                    let outlines = polygons.iter().filter_map(BoundingRect::bounding_rect);
                    let of_lines = lines.iter().filter_map(BoundingRect::bounding_rect);
                    outlines
                        .chain(of_lines)
                        .map(Rectangle::from)
                        .reduce(Rectangle::union)
                };
                let Some(bounds) = all() else {
                    return Ok(Vec::new());
                };
                if !bounds.overlaps(&around) {
                    return Ok(vec![bounds.grown(reach).polygon()]);
                }
                let near: Lines = match around.holds(&bounds) {
                    true => lines,
                    false => lines
                        .iter()
                        .flat_map(|line| around.parts_of(line))
                        .collect(),
                };
                if near.is_empty() && polygons.is_empty() {
                    return Ok(vec![bounds.grown(reach).polygon()]);
                }
                near
            }
            None => lines,
        };
        let mut areas = Vec::new();
        let mut groups = 0;
        for (lines, linear) in self.pieces(near)? {
            areas.extend(around_all(&lines, &[], distance, linear)?);
            groups += 1;
        }
        for polygon in polygons {
            let linear = self.at_middle(polygon.bounding_rect().map(Rectangle::from))?;
            areas.extend(around_all(
                &[],
                std::slice::from_ref(polygon),
                distance,
                linear,
            )?);
            groups += 1;
        }
        if groups > 1 {
            areas = geos::united(&areas).ok_or(Stopped::Trouble(NO_BUFFER))?;
        }
        Ok(areas)
    }

    fn at_middle(&self, bounds: Option<Rectangle>) -> Result<Linear, Stopped> {
        let Plane::Ground(ground) = &self.plane else {
            return Ok(Linear::PIXELS);
        };
        let middle = bounds.map_or((0.0, 0.0), |bounds| bounds.middle());
        ground.at(middle).ok_or(Stopped::Trouble(NO_GROUND))
    }

    /// The lines in groups, each with the meters that pixels are there.
    fn pieces(&self, lines: Lines) -> Result<Vec<(Lines, Linear)>, Stopped> {
        let mut done = Vec::new();
        let mut open = vec![(lines, HALVINGS)];
        while let Some((lines, left)) = open.pop() {
            let bounds = lines.iter().filter_map(BoundingRect::bounding_rect);
            let Some(bounds) = bounds.map(Rectangle::from).reduce(Rectangle::union) else {
                continue;
            };
            let linear = self.at_middle(Some(bounds))?;
            if left == 0 || self.is_alike(&bounds, &linear) {
                done.push((lines, linear));
                continue;
            }
            let (one, other) = halves(lines);
            open.extend([one, other].map(|half| (half, left - 1)));
        }
        Ok(done)
    }

    /// Whether the meters are nearly the same at all corners.
    fn is_alike(&self, bounds: &Rectangle, middle: &Linear) -> bool {
        let Plane::Ground(ground @ Ground::Local { .. }) = &self.plane else {
            return true;
        };
        let of_corner = |corner| ground.at(corner);
        let all = bounds.corners().map(of_corner);
        all.iter()
            .flatten()
            .all(|corner| middle.difference(corner) <= LARGEST_CHANGE)
    }
}

/// What is wrong where the raster's system has no place on earth.
const NO_GROUND: &str = "where nobody knows a meter";

/// Why a feature has no buffer.
#[derive(Debug)]
pub(super) enum Stopped {
    /// What is wrong with it.
    Trouble(&'static str),
    /// The user asked to stop.
    Error(crate::Error),
}

/// Lines in two halves: half of them, or half of the one.
fn halves(mut lines: Lines) -> (Lines, Lines) {
    if lines.len() > 1 {
        let rest = lines.split_off(lines.len() / 2);
        return (lines, rest);
    }
    let Some(LineString(points)) = lines.pop() else {
        return (Vec::new(), Vec::new());
    };
    if let [from, to] = points[..] {
        let middle = (from + to) / 2.0;
        return (
            vec![LineString(vec![from, middle])],
            vec![LineString(vec![middle, to])],
        );
    }
    let at = points.len() / 2;
    let rest = points.get(at..).unwrap_or_default().to_vec();
    let mut first = points;
    first.truncate(at + 1);
    (vec![LineString(first)], vec![LineString(rest)])
}

/// Lines and polygons grown together. Many vertices are taken in parts and united, since GEOS, which cannot be interrupted,
/// needs the square of their number where a line comes back to one place again and again.
fn grown_in_parts(
    lines: Lines,
    polygons: &[Polygon<f64>],
    distance: f64,
) -> Result<Vec<Polygon<f64>>, Stopped> {
    let grown = |lines: &[LineString<f64>], polygons: &[Polygon<f64>]| {
        session::check_interrupt("buffering labels").map_err(Stopped::Error)?;
        geos::buffered(lines, polygons, distance).ok_or(Stopped::Trouble(NO_BUFFER))
    };
    let vertices: usize = lines.iter().map(|line| line.0.len()).sum();
    if vertices <= PART {
        return grown(&lines, polygons);
    }
    let (mut areas, mut part, mut vertices) = (grown(&[], polygons)?, Vec::new(), 0);
    for line in lines {
        let last = line.0.len().saturating_sub(1);
        // Neighboring parts share the vertex where the line was cut.
        let starts = (0..last.max(1)).step_by(PART);
        for start in starts {
            let piece = line
                .0
                .get(start..=(start + PART).min(last))
                .unwrap_or_default();
            vertices += piece.len();
            part.push(LineString(piece.to_vec()));
            if vertices >= PART {
                areas.extend(grown(&part, &[])?);
                part.clear();
                vertices = 0;
            }
        }
    }
    areas.extend(grown(&part, &[])?);
    geos::united(&areas).ok_or(Stopped::Trouble(NO_BUFFER))
}

/// Lines and polygons grown where pixels are so many meters, back in pixels.
fn around_all(
    lines: &[LineString<f64>],
    polygons: &[Polygon<f64>],
    distance: f64,
    linear: Linear,
) -> Result<Vec<Polygon<f64>>, Stopped> {
    let bounds = lines.iter().filter_map(BoundingRect::bounding_rect);
    let bounds = bounds.chain(polygons.iter().filter_map(BoundingRect::bounding_rect));
    let Some(bounds) = bounds.map(Rectangle::from).reduce(Rectangle::union) else {
        return Ok(Vec::new());
    };
    let Some(back) = linear.inverse() else {
        return Err(Stopped::Trouble(NO_GROUND));
    };
    // Near the origin, where numbers have most digits.
    let middle = bounds.middle();
    let there = |at: &Coord<f64>| Coord::from(linear.apply((at.x - middle.0, at.y - middle.1)));
    let ring = |ring: &LineString<f64>| -> LineString<f64> { ring.0.iter().map(there).collect() };
    let lines: Vec<LineString<f64>> = lines.iter().map(ring).collect();
    let polygons: Vec<Polygon<f64>> = polygons
        .iter()
        .map(|one| {
            Polygon::new(
                ring(one.exterior()),
                one.interiors().iter().map(ring).collect(),
            )
        })
        .collect();
    let grown = grown_in_parts(lines, &polygons, distance)?;
    let here = |at: &Coord<f64>| {
        let (x, y) = back.apply((at.x, at.y));
        Coord {
            x: x + middle.0,
            y: y + middle.1,
        }
    };
    let ring = |ring: &LineString<f64>| -> LineString<f64> { ring.0.iter().map(here).collect() };
    Ok(grown
        .iter()
        .map(|one| {
            Polygon::new(
                ring(one.exterior()),
                one.interiors().iter().map(ring).collect(),
            )
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use geo::Area;

    use super::*;

    /// The plain reference: one call of GEOS for all of it.
    #[test]
    fn parts_together_are_the_whole() {
        let line = |from: u32, to: u32| -> LineString<f64> {
            let turn = |step: u32| f64::from(step) * 0.05;
            (from..to)
                .map(|step| (turn(step) * turn(step).cos(), turn(step) * turn(step).sin()))
                .collect()
        };
        let lines = vec![
            line(0, 1500),
            line(1400, 2000),
            line(2100, 2101),
            line(3000, 3010),
        ];
        let whole = geos::buffered(&lines, &[], 1.5).unwrap();
        let parts = grown_in_parts(lines, &[], 1.5).unwrap();
        let area = |areas: &[Polygon<f64>]| areas.iter().map(Area::unsigned_area).sum::<f64>();
        let (whole, parts) = (area(&whole), area(&parts));
        assert!((whole - parts).abs() < whole * 1e-4, "{whole} {parts}");
    }

    #[test]
    fn lines_are_halved_until_nothing_is_left_to_halve() {
        let one = LineString::from(vec![(0.0, 0.0), (4.0, 0.0)]);
        let (first, second) = halves(vec![one]);
        assert_eq!(first, [LineString::from(vec![(0.0, 0.0), (2.0, 0.0)])]);
        assert_eq!(second, [LineString::from(vec![(2.0, 0.0), (4.0, 0.0)])]);
        let three = LineString::from(vec![(0.0, 0.0), (1.0, 0.0), (4.0, 0.0)]);
        let (first, second) = halves(vec![three]);
        assert_eq!(first[0].0.last(), second[0].0.first());
        let (first, second) = halves(vec![LineString::from(vec![(1.0, 1.0)])]);
        assert_eq!((first.len(), second.len()), (1, 1));
        assert_eq!(halves(Vec::new()), (Vec::new(), Vec::new()));
    }
}
