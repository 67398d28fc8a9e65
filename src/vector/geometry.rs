//! OGR's geometries as polygons in pixels.

use gdal_sys::{OGRGeometryH, OGRwkbGeometryType};
use geo::Polygon;

use super::project::Projector;

/// Collects the polygons of one feature.
pub(super) struct GeometryReader<'a> {
    pub(super) projector: &'a Projector,
    pub(super) polygons: Vec<Polygon<f64>>,
    pub(super) trouble: Option<&'static str>,
}

impl GeometryReader<'_> {
    /// Collects the polygons of a geometry, whatever it is nested in.
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
                | OGRwkbGeometryType::wkbGeometryCollection
                | OGRwkbGeometryType::wkbPolyhedralSurface
                | OGRwkbGeometryType::wkbTIN => {
                    for part in 0..gdal_sys::OGR_G_GetGeometryCount(geometry) {
                        self.read(gdal_sys::OGR_G_GetGeometryRef(geometry, part));
                    }
                }
                OGRwkbGeometryType::wkbCurvePolygon | OGRwkbGeometryType::wkbMultiSurface => {
                    let straight =
                        gdal_sys::OGR_G_GetLinearGeometry(geometry, 0.0, std::ptr::null_mut());
                    self.read(straight);
                    gdal_sys::OGR_G_DestroyGeometry(straight);
                }
                _ => self.trouble = Some("not an area (points or lines)"),
            }
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
        // SAFETY: by the caller's promise; both buffers hold `count` values of 8 bytes.
        let (xs, ys) = unsafe {
            let count = usize::try_from(gdal_sys::OGR_G_GetPointCount(ring)).unwrap_or(0);
            let (mut xs, mut ys) = (vec![0.0f64; count], vec![0.0f64; count]);
            gdal_sys::OGR_G_GetPoints(
                ring,
                xs.as_mut_ptr().cast(),
                8,
                ys.as_mut_ptr().cast(),
                8,
                std::ptr::null_mut(),
                0,
            );
            (xs, ys)
        };
        if !xs.iter().chain(&ys).all(|value| value.is_finite()) {
            self.trouble = Some("with coordinates that are not numbers");
            return None;
        }
        let mut points: Vec<(f64, f64)> = xs.into_iter().zip(ys).collect();
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
