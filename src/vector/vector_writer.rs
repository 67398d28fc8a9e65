//! Writes features one by one to a file of any format, which appears under its name when it is complete.

use std::path::{Path, PathBuf};

use super::geojson::GeoJsonWriter;
use super::measured::{Layout, Measured, Shapes};
use super::ogr_writer::OgrWriter;
use super::write::area_name;
use super::{Format, PointFeature, PolygonFeature};
use crate::report::Report;
use crate::{Result, session};

/// Features between two looks at whether the user asked to stop.
const BETWEEN_CHECKS: usize = 4096;

/// Dropped before it is finished, it leaves what was there.
pub(crate) struct VectorWriter {
    sink: Sink,
    added: usize,
}

enum Sink {
    Ogr(Box<OgrWriter>),
    Json(GeoJsonWriter),
}

impl VectorWriter {
    /// # Errors
    /// [`super::VectorError::NoDriver`] when this GDAL does not write the format, [`super::VectorError::Write`].
    pub(crate) fn create(
        path: &Path,
        format: Format,
        crs_wkt: &str,
        layout: &Layout<'_>,
    ) -> Result<Self> {
        let sink = match format {
            Format::GeoJson => Sink::Json(GeoJsonWriter::create(path, crs_wkt, layout)?),
            _ => Sink::Ogr(Box::new(OgrWriter::create(path, format, crs_wkt, layout)?)),
        };
        Ok(Self { sink, added: 0 })
    }

    /// For polygons with class, score and area. `longest_class` is the most bytes that a class has.
    pub(crate) fn polygons(
        path: &Path,
        format: Format,
        crs_wkt: &str,
        longest_class: usize,
    ) -> Result<Self> {
        let layout = Layout {
            shapes: Shapes::Polygons,
            numbers: &[area_name(crs_wkt)],
            longest_class,
            decimals: Some(2),
        };
        Self::create(path, format, crs_wkt, &layout)
    }

    pub(crate) fn add(&mut self, feature: &Measured<'_>) -> Result<()> {
        self.look()?;
        match &mut self.sink {
            Sink::Ogr(writer) => writer.add(feature),
            Sink::Json(writer) => writer.add(feature),
        }
    }

    pub(crate) fn add_polygon(&mut self, feature: &PolygonFeature) -> Result<()> {
        self.add(&Measured {
            geometry: &feature.geometry,
            class: &feature.class,
            score: feature.score,
            numbers: &[feature.area_m2],
        })
    }

    pub(crate) fn add_point(&mut self, feature: &PointFeature) -> Result<()> {
        self.look()?;
        match &mut self.sink {
            Sink::Ogr(writer) => writer.add_point(feature),
            Sink::Json(writer) => writer.add_point(feature),
        }
    }

    /// Completes the file and says what its format does not hold.
    pub(crate) fn finish(self) -> Result<Report> {
        match self.sink {
            Sink::Ogr(writer) => writer.finish(),
            Sink::Json(writer) => writer.finish().map(|()| Report::new()),
        }
    }

    fn look(&mut self) -> Result<()> {
        if self.added.is_multiple_of(BETWEEN_CHECKS) {
            session::check_interrupt("writing features")?;
        }
        self.added += 1;
        Ok(())
    }
}

/// `path`, or `name` with the format's ending in it where it is a folder or has no ending.
pub(super) fn file_in(path: &Path, name: &str, format: Format) -> PathBuf {
    let mut path = crate::paths::expanded(path).into_owned();
    if path.is_dir() || path.extension().is_none() {
        path.push(format!("{name}.{}", format.ending()));
    }
    path
}
