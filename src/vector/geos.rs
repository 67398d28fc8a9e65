//! Buffers and unions by GEOS, which GDAL brings with it: those of PostGIS, QGIS and shapely.
//!
//! The `geo` crate has buffers as well, through an integer grid of its own and with arcs of other steps: here the numbers are to be
//! those that people know from their GIS.

use gdal_sys::{OGRGeometryH, OGRwkbGeometryType};
use geo::{Area, Coord, LineString, Polygon};

use crate::raster::gdal_library;

/// Segments of a quarter of a circle: PostGIS's own choice (shapely's method takes 16, its function 8, QGIS 5).
const QUARTER: i32 = 8;

/// A geometry of ours.
struct Owned(OGRGeometryH);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the geometry is ours alone; destroying nothing is allowed.
        unsafe { gdal_sys::OGR_G_DestroyGeometry(self.0) };
    }
}

impl Owned {
    fn new(kind: OGRwkbGeometryType::Type) -> Option<Self> {
        // SAFETY: the kind is one of GDAL's.
        Self::of(unsafe { gdal_sys::OGR_G_CreateGeometry(kind) })
    }

    fn of(raw: OGRGeometryH) -> Option<Self> {
        (!raw.is_null()).then_some(Self(raw))
    }

    /// Puts a part into it.
    fn add(&self, part: Self) -> Option<()> {
        let raw = part.0;
        std::mem::forget(part);
        // SAFETY: both are alive; on success the whole owns the part, otherwise it is still ours.
        unsafe {
            if gdal_sys::OGR_G_AddGeometryDirectly(self.0, raw) == 0 {
                return Some(());
            }
            gdal_sys::OGR_G_DestroyGeometry(raw);
        }
        None
    }

    /// A line, a ring or a point.
    fn line(kind: OGRwkbGeometryType::Type, points: &[Coord<f64>]) -> Option<Self> {
        let line = Self::new(kind)?;
        let count = i32::try_from(points.len()).ok()?;
        let (xs, ys): (Vec<f64>, Vec<f64>) = points.iter().map(|at| (at.x, at.y)).unzip();
        // SAFETY: the geometry is alive; both buffers hold `count` values of 8 bytes, which are copied.
        unsafe {
            gdal_sys::OGR_G_SetPoints(
                line.0,
                count,
                xs.as_ptr().cast(),
                8,
                ys.as_ptr().cast(),
                8,
                std::ptr::null(),
                0,
            );
        }
        Some(line)
    }

    fn polygon(polygon: &Polygon<f64>) -> Option<Self> {
        let whole = Self::new(OGRwkbGeometryType::wkbPolygon)?;
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        for ring in rings {
            whole.add(Self::line(OGRwkbGeometryType::wkbLinearRing, &ring.0)?)?;
        }
        Some(whole)
    }
}

/// Whether GDAL has GEOS.
pub(super) fn is_there() -> bool {
    let (mut major, mut minor, mut patch) = (0, 0, 0);
    // SAFETY: all three numbers are ours.
    unsafe { gdal_sys::OGRGetGEOSVersion(&raw mut major, &raw mut minor, &raw mut patch) }
}

/// What lies at most `distance` from lines (of one vertex: points) and polygons, with round ends and corners. Polygons are
/// filled by even and odd, whatever their rings do. `None` when GEOS fails.
pub(super) fn buffered(
    lines: &[LineString<f64>],
    polygons: &[Polygon<f64>],
    distance: f64,
) -> Option<Vec<Polygon<f64>>> {
    let (areas, _) = gdal_library::with_messages(|| {
        let all = Owned::new(OGRwkbGeometryType::wkbGeometryCollection)?;
        for LineString(points) in lines {
            let kind = match points.len() {
                0 => continue,
                1 => OGRwkbGeometryType::wkbPoint,
                _ => OGRwkbGeometryType::wkbLineString,
            };
            all.add(Owned::line(kind, points)?)?;
        }
        for polygon in polygons {
            let polygon = Owned::polygon(polygon)?;
            // SAFETY: the polygon is alive; no options.
            all.add(Owned::of(unsafe { gdal_sys::OGR_G_MakeValid(polygon.0) })?)?;
        }
        // SAFETY: the geometry is alive.
        let grown = Owned::of(unsafe { gdal_sys::OGR_G_Buffer(all.0, distance, QUARTER) })?;
        Some(polygons_of(&grown))
    });
    areas
}

/// All polygons as one area without overlaps.
pub(super) fn united(polygons: &[Polygon<f64>]) -> Option<Vec<Polygon<f64>>> {
    let (areas, _) = gdal_library::with_messages(|| {
        let all = Owned::new(OGRwkbGeometryType::wkbMultiPolygon)?;
        for polygon in polygons {
            all.add(Owned::polygon(polygon)?)?;
        }
        // SAFETY: the geometry is alive.
        let united = Owned::of(unsafe { gdal_sys::OGR_G_UnionCascaded(all.0) })?;
        Some(polygons_of(&united))
    });
    areas
}

/// Whether rings do not cross themselves or each other, and holes lie inside.
pub(super) fn is_valid(polygon: &Polygon<f64>) -> bool {
    let (valid, _) = gdal_library::with_messages(|| {
        let polygon = Owned::polygon(polygon)?;
        // SAFETY: the polygon is alive.
        Some(unsafe { gdal_sys::OGR_G_IsValid(polygon.0) } != 0)
    });
    valid.unwrap_or(false)
}

/// The part of the ground of two polygons together that both cover; `None` when GEOS fails.
pub(super) fn iou(one: &Polygon<f64>, other: &Polygon<f64>) -> Option<f64> {
    let (both, _) = gdal_library::with_messages(|| {
        let (one, other) = (Owned::polygon(one)?, Owned::polygon(other)?);
        // SAFETY: both polygons are alive.
        let both = Owned::of(unsafe { gdal_sys::OGR_G_Intersection(one.0, other.0) })?;
        // SAFETY: the geometry is alive.
        Some(unsafe { gdal_sys::OGR_G_Area(both.0) })
    });
    let both = both?;
    let all = one.unsigned_area() + other.unsigned_area() - both;
    Some(both / all)
}

/// The polygon without points by which its outline moves less than `tolerance`; `None` when GEOS fails or nothing is left.
pub(super) fn simplified(polygon: &Polygon<f64>, tolerance: f64) -> Option<Polygon<f64>> {
    let (simple, _) = gdal_library::with_messages(|| {
        let polygon = Owned::polygon(polygon)?;
        // SAFETY: the polygon is alive.
        let simple =
            Owned::of(unsafe { gdal_sys::OGR_G_SimplifyPreserveTopology(polygon.0, tolerance) })?;
        let mut parts = polygons_of(&simple);
        (parts.len() == 1).then(|| parts.swap_remove(0))
    });
    simple
}

fn polygons_of(geometry: &Owned) -> Vec<Polygon<f64>> {
    let mut polygons = Vec::new();
    // SAFETY: the geometry is alive.
    unsafe { collect(geometry.0, &mut polygons) };
    polygons
}

/// # Safety
/// `geometry` is a live geometry.
unsafe fn collect(geometry: OGRGeometryH, polygons: &mut Vec<Polygon<f64>>) {
    // SAFETY: by the caller's promise; parts live as long as the whole.
    unsafe {
        let count = gdal_sys::OGR_G_GetGeometryCount(geometry);
        let kind = gdal_sys::OGR_GT_Flatten(gdal_sys::OGR_G_GetGeometryType(geometry));
        if kind != OGRwkbGeometryType::wkbPolygon {
            for part in 0..count {
                collect(gdal_sys::OGR_G_GetGeometryRef(geometry, part), polygons);
            }
            return;
        }
        let mut rings =
            (0..count).map(|ring| points(gdal_sys::OGR_G_GetGeometryRef(geometry, ring)));
        if let Some(exterior) = rings.next().filter(|ring| ring.0.len() > 3) {
            polygons.push(Polygon::new(exterior, rings.collect()));
        }
    }
}

/// The points of a line in their order.
///
/// # Safety
/// `line` is a live line string, ring or point.
pub(super) unsafe fn points(line: OGRGeometryH) -> LineString<f64> {
    // SAFETY: by the caller's promise; both buffers hold `count` values of 8 bytes.
    unsafe {
        let count = usize::try_from(gdal_sys::OGR_G_GetPointCount(line)).unwrap_or(0);
        let (mut xs, mut ys) = (vec![0.0f64; count], vec![0.0f64; count]);
        gdal_sys::OGR_G_GetPoints(
            line,
            xs.as_mut_ptr().cast(),
            8,
            ys.as_mut_ptr().cast(),
            8,
            std::ptr::null_mut(),
            0,
        );
        xs.into_iter().zip(ys).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(polygons: &[Polygon<f64>]) -> f64 {
        polygons.iter().map(Area::unsigned_area).sum()
    }

    /// Authority: shapely 2.2 (GEOS 3.14), `.buffer(distance, quad_segs=8).area`.
    #[test]
    fn buffers_are_those_of_shapely() {
        let line = LineString::from(vec![(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)]);
        let point = LineString::from(vec![(0.0, 0.0)]);
        let bow = Polygon::new(
            LineString::from(vec![
                (0.0, 0.0),
                (10.0, 10.0),
                (10.0, 0.0),
                (0.0, 10.0),
                (0.0, 0.0),
            ]),
            vec![],
        );
        let near = |found: Option<Vec<Polygon<f64>>>, expected: f64| {
            let found = area(&found.unwrap());
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        };
        near(buffered(&[point], &[], 2.0), 12.485_780_609_032_208);
        near(buffered(&[line], &[], 2.0), 91.607_225_761_290_31);
        near(buffered(&[], &[bow], 0.1), 54.855_248_802_070_03);
        assert_eq!(buffered(&[], &[], 1.0), Some(Vec::new()));
    }

    #[test]
    fn overlapping_areas_become_one() {
        let point = |x: f64| LineString::from(vec![(x, 0.0)]);
        let one = buffered(&[point(0.0)], &[], 1.0).unwrap();
        let other = buffered(&[point(1.0)], &[], 1.0).unwrap();
        let together = united(&[one.clone(), other.clone()].concat()).unwrap();
        assert_eq!(together.len(), 1);
        assert!(area(&together) < area(&one) + area(&other));
        let both = buffered(&[point(0.0), point(1.0)], &[], 1.0).unwrap();
        assert!((area(&together) - area(&both)).abs() < 1e-9);
    }
}
