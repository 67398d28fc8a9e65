use std::collections::BTreeMap;
use std::path::Path;

use geo::MultiPolygon;

use super::geometry::GeometryReader;
use super::layer::OpenLayer;
use super::project::Projector;
use super::{VectorError, VectorSource};
use crate::raster::{GeoReference, gdal_library};
use crate::report::{Notice, Report, file_name};
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
    /// What else was assumed or converted about where the features lie.
    pub place: Report,
}

impl ReadReport {
    /// What was left out, mended or assumed, as notices about the file.
    #[must_use]
    pub fn report(&self, path: &Path) -> Report {
        let mut report = Report::new();
        let about = file_name(path);
        for (reason, &count) in &self.skipped {
            let text = format!("{count} of {} features: {reason}", self.features);
            report.push(Notice::left_out(text).about(about.clone()).count(count));
        }
        for (reason, &count) in &self.mended {
            let text = format!("{count} of {} features: {reason}", self.features);
            report.push(Notice::repaired(text).about(about.clone()).count(count));
        }
        if self.assumed_crs {
            let text = "the file names no coordinate reference system, so the raster's was taken";
            report.push(Notice::assumed(text).about(about));
        }
        report.extend(self.place.clone());
        report
    }

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
        parts.extend(self.place.iter().map(|notice| notice.text().to_owned()));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The names of the properties that the features of a file have.
///
/// # Errors
/// [`VectorError`] when there is no such file or it is not a vector file.
pub fn property_names(source: impl Into<VectorSource>) -> Result<Vec<String>> {
    Ok(OpenLayer::open(&source.into())?.property_names())
}

/// Reads every polygon of a file into the pixels of a raster; see [`read_polygons_reported`] for what was left out.
///
/// # Errors
/// As [`read_polygons_reported`].
pub fn read_polygons(
    source: impl Into<VectorSource>,
    target: &GeoReference,
    class_property: Option<&str>,
) -> Result<Vec<Feature>> {
    read_polygons_reported(source, target, class_property).map(|(features, _)| features)
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
    source: impl Into<VectorSource>,
    target: &GeoReference,
    class_property: Option<&str>,
) -> Result<(Vec<Feature>, ReadReport)> {
    let source = source.into();
    let path = source.path();
    let properties: Vec<&str> = class_property.into_iter().collect();
    let (features, report) = read_values(&source, target, &properties)?;
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
    source: &VectorSource,
    target: &GeoReference,
    properties: &[&str],
) -> Result<(Vec<Valued>, ReadReport)> {
    let path = source.path();
    let layer = OpenLayer::open(source)?;
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
    let projector = Projector::new(layer.layer, path, source.crs.as_deref(), target)?;
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
    projector.finish(path, &features, &mut report)?;
    Ok((features, report))
}
