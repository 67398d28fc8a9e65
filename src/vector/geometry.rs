//! OGR's geometries as polygons, lines and points in pixels.

use gdal_sys::{OGRGeometryH, OGRwkbGeometryType};
use geo::{LineString, Polygon};

use super::geos;
use super::project::Projector;

/// What is wrong with lines and points to which no buffer was given.
pub(super) const NOT_AN_AREA: &str = "not an area (points or lines)";

/// Coordinates that are none.
const NO_NUMBERS: &str = "with coordinates that are not numbers";

/// Collects the geometry of one feature.
pub(super) struct GeometryReader<'a> {
    pub(super) projector: &'a Projector,
    /// How many pixels lines and points will reach, or why they do not; `None` where they are not asked for.
    pub(super) reach: Option<Result<f64, &'static str>>,
    pub(super) polygons: Vec<Polygon<f64>>,
    /// Lines and, with one vertex, points.
    pub(super) lines: Vec<LineString<f64>>,
    pub(super) trouble: Option<&'static str>,
}

impl GeometryReader<'_> {
    /// Collects what a geometry holds, whatever it is nested in.
    ///
    /// # Safety
    /// `geometry` is null or a live geometry.
    pub(super) unsafe fn read(&mut self, geometry: OGRGeometryH) {
        if geometry.is_null() {
            return;
        }
        // SAFETY: by the caller's promise; parts live as long as the whole.
        unsafe {
            let kind = gdal_sys::OGR_GT_Flatten(gdal_sys::OGR_G_GetGeometryType(geometry));
            match kind {
                OGRwkbGeometryType::wkbPolygon | OGRwkbGeometryType::wkbTriangle => {
                    self.read_polygon(geometry);
                }
                OGRwkbGeometryType::wkbMultiPolygon
                | OGRwkbGeometryType::wkbMultiLineString
                | OGRwkbGeometryType::wkbMultiPoint
                | OGRwkbGeometryType::wkbMultiCurve
                | OGRwkbGeometryType::wkbGeometryCollection
                | OGRwkbGeometryType::wkbPolyhedralSurface
                | OGRwkbGeometryType::wkbTIN => {
                    for part in 0..gdal_sys::OGR_G_GetGeometryCount(geometry) {
                        self.read(gdal_sys::OGR_G_GetGeometryRef(geometry, part));
                    }
                }
                OGRwkbGeometryType::wkbCurvePolygon
                | OGRwkbGeometryType::wkbMultiSurface
                | OGRwkbGeometryType::wkbCircularString
                | OGRwkbGeometryType::wkbCompoundCurve => {
                    let straight =
                        gdal_sys::OGR_G_GetLinearGeometry(geometry, 0.0, std::ptr::null_mut());
                    self.read(straight);
                    gdal_sys::OGR_G_DestroyGeometry(straight);
                }
                _ => self.read_line(geometry),
            }
        }
    }

    /// # Safety
    /// `line` is a live line string or point.
    unsafe fn read_line(&mut self, line: OGRGeometryH) {
        let reach = match self.reach {
            None => {
                self.trouble = Some(NOT_AN_AREA);
                return;
            }
            Some(Err(trouble)) => {
                self.trouble = Some(trouble);
                return;
            }
            Some(Ok(reach)) => reach,
        };
        // SAFETY: by the caller's promise.
        let (LineString(points), is_line) = unsafe {
            let kind = gdal_sys::OGR_GT_Flatten(gdal_sys::OGR_G_GetGeometryType(line));
            match gdal_sys::OGR_G_IsEmpty(line) {
                0 => (geos::points(line), kind != OGRwkbGeometryType::wkbPoint),
                _ => {
                    self.trouble = Some("with an empty line or point");
                    return;
                }
            }
        };
        let mut points: Vec<(f64, f64)> = points.into_iter().map(|at| (at.x, at.y)).collect();
        if !points.iter().all(|(x, y)| x.is_finite() && y.is_finite()) {
            self.trouble = Some(NO_NUMBERS);
            return;
        }
        points.dedup();
        if is_line && points.len() == 1 {
            self.trouble = Some("with a line of no length, taken for a point");
        }
        match self.projector.place_line(points, reach) {
            Ok(placed) => self.lines.extend(placed),
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// # Safety
    /// `polygon` is a live polygon.
    unsafe fn read_polygon(&mut self, polygon: OGRGeometryH) {
        // SAFETY: by the caller's promise; rings live as long as their polygon.
        let rings = unsafe {
            (0..gdal_sys::OGR_G_GetGeometryCount(polygon))
                .map(|ring| self.read_ring(gdal_sys::OGR_G_GetGeometryRef(polygon, ring)))
                .collect::<Vec<_>>()
        };
        match rings.first() {
            Some(Some(_)) => {}
            Some(None) => return,
            None => {
                self.trouble = Some("with an empty polygon");
                return;
            }
        }
        match self.projector.place(rings.into_iter().flatten().collect()) {
            Ok(placed) => self.polygons.extend(placed.into_iter().filter_map(|rings| {
                let mut rings = rings.into_iter();
                rings
                    .next()
                    .map(|exterior| Polygon::new(exterior, rings.collect()))
            })),
            Err(trouble) => self.trouble = Some(trouble),
        }
    }

    /// The points of a ring in the file's coordinates.
    ///
    /// # Safety
    /// `ring` is a live line string.
    unsafe fn read_ring(&mut self, ring: OGRGeometryH) -> Option<Vec<(f64, f64)>> {
        // SAFETY: by the caller's promise.
        let LineString(points) = unsafe { geos::points(ring) };
        let mut points: Vec<(f64, f64)> = points.into_iter().map(|at| (at.x, at.y)).collect();
        if !points.iter().all(|(x, y)| x.is_finite() && y.is_finite()) {
            self.trouble = Some(NO_NUMBERS);
            return None;
        }
        points.dedup();
        let different = if points.len() > 1 && points.first() == points.last() {
            points.len() - 1
        } else {
            points.len()
        };
        if different < 3 {
            self.trouble = Some("with a ring of fewer than three different points");
            return None;
        }
        Some(points)
    }
}
