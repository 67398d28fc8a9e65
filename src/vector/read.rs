use std::collections::BTreeMap;
use std::path::Path;

use gdal::spatial_ref::CoordTransform;
use gdal_sys::{OGRGeometryH, OGRwkbGeometryType};
use geo::{Coord, LineString, MultiPolygon, Polygon};

use super::VectorError;
use super::layer::OpenLayer;
use crate::raster::{GeoReference, GeoTransform, crs, gdal_library};
use crate::{Result, session};

/// One feature with an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its shape in pixel coordinates of the raster it was read for, with sub-pixel precision.
    pub geometry: MultiPolygon<f64>,
    /// The value of the property that was asked for; `None` without one, or where the feature has no value.
    pub class: Option<String>,
}

/// What reading a vector file met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadReport {
    /// Features in the file.
    pub features: usize,
    /// Features that were left out, counted by reason.
    pub skipped: BTreeMap<&'static str, usize>,
    /// Features whose broken parts were left out or mended, counted by what was wrong.
    pub mended: BTreeMap<&'static str, usize>,
    /// Whether the file names no coordinate reference system, so that the raster's was taken.
    pub assumed_crs: bool,
}

impl ReadReport {
    /// One sentence about what was left out or mended; `None` when all was well.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let list = |counts: &BTreeMap<&'static str, usize>| {
            counts
                .iter()
                .map(|(reason, count)| format!("{count} {reason}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut parts = Vec::new();
        if !self.skipped.is_empty() {
            parts.push(format!(
                "left out of {} features: {}",
                self.features,
                list(&self.skipped)
            ));
        }
        if !self.mended.is_empty() {
            parts.push(format!("mended: {}", list(&self.mended)));
        }
        if self.assumed_crs {
            parts.push(
                "the file names no coordinate reference system, so the raster's was taken"
                    .to_owned(),
            );
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The names of the properties that the features of a file have.
///
/// # Errors
/// [`VectorError`] when there is no such file or it is not a vector file.
pub fn property_names(path: impl AsRef<Path>) -> Result<Vec<String>> {
    Ok(OpenLayer::open(path.as_ref())?.property_names())
}

/// Reads every polygon of a file into the pixels of a raster; see [`read_polygons_reported`] for what was left out.
///
/// # Errors
/// As [`read_polygons_reported`].
pub fn read_polygons(
    path: impl AsRef<Path>,
    target: &GeoReference,
    class_property: Option<&str>,
) -> Result<Vec<Feature>> {
    read_polygons_reported(path, target, class_property).map(|(features, _)| features)
}

/// Reads every polygon of a file, reprojected from the file's own coordinate reference system into the pixels of a
/// raster. Rings with fewer than three different points and coordinates that are not numbers are left out and counted;
/// a ring that crosses itself is kept and filled by the even-odd rule.
///
/// # Units
/// Pixel coordinates of `target`, where the centre of the first pixel is `(0.5, 0.5)`.
///
/// # Errors
/// [`VectorError::NoProperty`] lists the properties when there is none of that name; [`VectorError::NoPolygons`] when no
/// feature is an area.
pub fn read_polygons_reported(
    path: impl AsRef<Path>,
    target: &GeoReference,
    class_property: Option<&str>,
) -> Result<(Vec<Feature>, ReadReport)> {
    let path = path.as_ref();
    let properties: Vec<&str> = class_property.into_iter().collect();
    let (features, report) = read_values(path, target, &properties)?;
    if features.is_empty() {
        let reasons = report
            .notice()
            .unwrap_or_else(|| "the file is empty".to_owned());
        return Err(VectorError::NoPolygons {
            path: path.to_owned(),
            features: report.features,
            reasons,
        }
        .into());
    }
    let feature = |(geometry, mut values): (_, Vec<Option<String>>)| Feature {
        geometry,
        class: values.pop().flatten(),
    };
    Ok((features.into_iter().map(feature).collect(), report))
}

/// Polygons in pixels, each with the values of the properties that were asked for.
pub(crate) type Valued = (MultiPolygon<f64>, Vec<Option<String>>);

/// As [`read_polygons_reported`] with any number of properties, as text; `None` where a feature has no value. A file
/// without features is none of its errors.
pub(crate) fn read_values(
    path: &Path,
    target: &GeoReference,
    properties: &[&str],
) -> Result<(Vec<Valued>, ReadReport)> {
    let layer = OpenLayer::open(path)?;
    let names = layer.property_names();
    let place = |property: &&str| {
        let place = names.iter().position(|name| name == property);
        place.ok_or_else(|| VectorError::NoProperty {
            path: path.to_owned(),
            property: (*property).to_owned(),
            names: names.clone(),
        })
    };
    let fields = properties
        .iter()
        .map(place)
        .collect::<Result<Vec<_>, _>>()?;
    let mut report = ReadReport::default();
    let source_wkt = layer.crs_wkt();
    let to_raster = match (source_wkt.is_empty(), target.crs_wkt.is_empty()) {
        (false, false) => Some(crs::between(
            &crs::parse(&source_wkt)?,
            &crs::parse(&target.crs_wkt)?,
        )?),
        (true, false) => {
            report.assumed_crs = true;
            None
        }
        (_, true) => None,
    };
    let projector = Projector {
        to_raster,
        transform: target.transform,
    };
    let mut features = Vec::new();
    layer.for_each(|feature, count| -> Result<()> {
        if count % 4096 == 0 {
            session::check_interrupt("reading labels")?;
        }
        report.features += 1;
        let mut reader = GeometryReader {
            projector: &projector,
            polygons: Vec::new(),
            trouble: None,
        };
        // SAFETY: the feature lives until this call ends and owns its geometry.
        unsafe { reader.read(gdal_sys::OGR_F_GetGeometryRef(feature)) };
        let GeometryReader {
            polygons, trouble, ..
        } = reader;
        if polygons.is_empty() {
            *report
                .skipped
                .entry(trouble.unwrap_or("without a geometry"))
                .or_default() += 1;
            return Ok(());
        }
        if let Some(trouble) = trouble {
            *report.mended.entry(trouble).or_default() += 1;
        }
        let value = |&index: &usize| {
            // SAFETY: the index is one of the layer's fields; the text belongs to the feature.
            let value = unsafe {
                (gdal_sys::OGR_F_IsFieldSetAndNotNull(feature, index as i32) != 0).then(|| {
                    gdal_library::text(gdal_sys::OGR_F_GetFieldAsString(feature, index as i32))
                })
            };
            value.filter(|value| !value.is_empty())
        };
        let values = fields.iter().map(value).collect();
        features.push((MultiPolygon::new(polygons), values));
        Ok(())
    })?;
    Ok((features, report))
}

struct Projector {
    to_raster: Option<CoordTransform>,
    transform: GeoTransform,
}

impl Projector {
    /// World coordinates of the file, in place, into pixels; `false` when a point has none.
    fn project(&self, xs: &mut [f64], ys: &mut [f64]) -> bool {
        if let Some(to_raster) = &self.to_raster {
            let (result, _) =
                gdal_library::with_messages(|| to_raster.transform_coords(xs, ys, &mut []));
            if result.is_err() {
                return false;
            }
        }
        for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
            (*x, *y) = self.transform.pixel_from_world((*x, *y));
        }
        xs.iter().chain(ys.iter()).all(|value| value.is_finite())
    }
}

struct GeometryReader<'a> {
    projector: &'a Projector,
    polygons: Vec<Polygon<f64>>,
    trouble: Option<&'static str>,
}

impl GeometryReader<'_> {
    /// Collects the polygons of a geometry, whatever it is nested in.
    ///
    /// # Safety
    /// `geometry` is null or a live geometry.
    unsafe fn read(&mut self, geometry: OGRGeometryH) {
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
        let mut rings = rings.into_iter();
        match rings.next() {
            Some(Some(exterior)) => self
                .polygons
                .push(Polygon::new(exterior, rings.flatten().collect())),
            Some(None) => {}
            None => self.trouble = Some("with an empty polygon"),
        }
    }

    /// # Safety
    /// `ring` is a live line string.
    unsafe fn read_ring(&mut self, ring: OGRGeometryH) -> Option<LineString<f64>> {
        // SAFETY: by the caller's promise; both buffers hold `count` values of 8 bytes.
        let (mut xs, mut ys) = unsafe {
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
        if !self.projector.project(&mut xs, &mut ys) {
            self.trouble = Some("outside the raster's coordinate reference system");
            return None;
        }
        let mut points: Vec<Coord<f64>> = xs
            .into_iter()
            .zip(ys)
            .map(|(x, y)| Coord { x, y })
            .collect();
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
        Some(LineString::new(points))
    }
}
