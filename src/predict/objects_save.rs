//! Objects as files: for QGIS and geopandas with their outlines, for a spreadsheet without.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::objects::Unit;
use super::save::io;
use super::style::{is_of_user, kept};
use super::{Object, Objects, PredictError, SavedFiles, write_synced};
use crate::FileError;
use crate::labels::{Drawn, vector_style};
use crate::report::Report;
use crate::vector::{Format, Layout, Measured, Shapes, VectorWriter, lacks};
use crate::{Result, session};

impl Objects {
    /// Writes the objects to one file, by its ending; one that was there is replaced when the new one is complete:
    ///
    /// | ending | what it is |
    /// |---|---|
    /// | `.gpkg` | GeoPackage, in the scene's reference system |
    /// | `.geojson` | GeoJSON by RFC 7946, in longitude and latitude |
    /// | `.fgb` | FlatGeobuf, in the scene's reference system |
    /// | `.shp` | a shapefile, which is several files of one name; its columns' names have at most 10 letters |
    /// | `.parquet` | GeoParquet, in the scene's reference system, where GDAL was built with it |
    /// | `.csv` | a table without outlines, with the center as `x` and `y` in map coordinates |
    ///
    /// Beside it lies a style for QGIS, `NAME.qml`, unless somebody has made one. The columns are `class`, `score`, `area_m2`, `perimeter_m`, `width_m` and `height_m`; without `_m` where nobody
    /// knows the meter. What a format had to shorten is in [`SavedFiles::report`].
    ///
    /// # Errors
    /// [`PredictError::ObjectFile`] for another ending; [`crate::vector::VectorError::NoDriver`] for a format that this GDAL does
    /// not write; [`FileError::OfOthers`] when there is a file of that name
    /// that no objects were saved to, such as the labels themselves; [`crate::vector::VectorError::Write`] or [`FileError::Io`] when
    /// the file cannot be written, [`crate::Error::Interrupted`] when the user asked to stop.
    ///
    /// # Examples
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap) -> swath::Result<()> {
    /// map.objects()?.at_least(20.0).save("buildings.gpkg")?;
    /// # Ok(()) }
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<SavedFiles> {
        let path = path.as_ref();
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        session::check_interrupt("saving the objects")?;
        if lacks(path, &["class", "area", "perim"]) {
            let path = path.to_owned();
            return Err(FileError::OfOthers { path }.into());
        }
        match ending.to_lowercase().as_str() {
            "csv" => self.save_csv(path),
            // Of a file of JSON nobody knows what it is.
            "json" => Err(cannot_save(path, &ending).into()),
            _ => match Format::of_path(path) {
                Ok(format) => self.save_as(path, format),
                Err(_) => Err(cannot_save(path, &ending).into()),
            },
        }
    }

    /// The names of the columns of numbers.
    fn columns(&self) -> [&'static str; 4] {
        match self.about.unit {
            Unit::Meters => ["area_m2", "perimeter_m", "width_m", "height_m"],
            Unit::Coordinates | Unit::Pixels => ["area", "perimeter", "width", "height"],
        }
    }

    fn numbers(&self, object: &Object) -> [f64; 4] {
        let numbers = [
            object.area_m2,
            object.perimeter_m,
            object.width_m,
            object.height_m,
        ];
        match self.about.unit {
            // Digits beyond a millimeter are what arithmetic left.
            Unit::Meters => numbers.map(|number| (number * 1e3).round() / 1e3),
            Unit::Coordinates | Unit::Pixels => numbers,
        }
    }

    fn save_as(&self, path: &Path, format: Format) -> Result<SavedFiles> {
        let columns = self.columns();
        let layout = Layout {
            shapes: Shapes::Polygons,
            numbers: &columns,
            longest_class: self.iter().map(|one| one.class.len()).max().unwrap_or(1),
            decimals: None,
        };
        let mut writer = VectorWriter::create(path, format, &self.about.crs_wkt, &layout)?;
        for object in self {
            writer.add(&Measured {
                geometry: &object.geometry,
                class: &object.class,
                score: object.score,
                numbers: &self.numbers(object),
            })?;
        }
        let mut report = writer.finish()?;
        let style = self.save_style(path, &mut report)?;
        let endings = format.endings().into_iter().skip(1);
        let beside = endings.map(|ending| path.with_extension(ending));
        let files = std::iter::once(path.to_owned())
            .chain(beside.filter(|file| file.is_file()))
            .chain(style);
        Ok(SavedFiles::new(files.collect()).with_report(report))
    }

    /// The style beside a file, unless somebody has made one.
    fn save_style(&self, path: &Path, report: &mut Report) -> Result<Option<PathBuf>> {
        let drawn = match self.about.what.0 {
            "box" => Drawn::Boxes,
            _ => Drawn::Areas,
        };
        let style = path.with_extension("qml");
        if is_of_user(&style) {
            report.push(kept(&style));
            return Ok(None);
        }
        let text = vector_style(&self.about.classes, drawn);
        write_synced(&style, text.as_bytes())?;
        Ok(Some(style))
    }

    fn save_csv(&self, path: &Path) -> Result<SavedFiles> {
        let mut table = format!("class,score,{},x,y\n", self.columns().join(","));
        for object in self {
            let score = object.score.map(|score| score.to_string());
            let _ = write!(
                table,
                "{},{}",
                quoted(&object.class),
                score.unwrap_or_default()
            );
            for number in self.numbers(object) {
                let _ = write!(table, ",{number}");
            }
            let (x, y) = (object.center.x(), object.center.y());
            let _ = writeln!(table, ",{x},{y}");
        }
        let absolute = std::path::absolute(path).map_err(io("find the folder of", path))?;
        if let Some(dir) = absolute.parent() {
            std::fs::create_dir_all(dir).map_err(io("make the folder", dir))?;
        }
        write_synced(path, table.as_bytes())?;
        Ok(SavedFiles::new(vec![path.to_owned()]))
    }
}

fn cannot_save(path: &Path, ending: &str) -> PredictError {
    let found = match ending {
        "" => "a file without an ending".to_owned(),
        ending => format!(".{ending}"),
    };
    let path = path.to_owned();
    PredictError::ObjectFile { found, path }
}

/// A text of a CSV table (RFC 4180): in quotes where it holds what separates.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r', ';']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn texts_with_separators_are_quoted() {
        assert_eq!(quoted("house"), "house");
        assert_eq!(quoted("house, \"old\""), "\"house, \"\"old\"\"\"");
    }
}
