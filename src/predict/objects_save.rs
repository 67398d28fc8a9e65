//! Objects as files: for QGIS and geopandas with their outlines, for a spreadsheet without.

use std::fmt::Write as _;
use std::path::Path;

use super::objects::Unit;
use super::ours::lacks;
use super::save::io;
use super::{Object, Objects, PredictError, SavedFiles, publish_set, staging_folder, write_synced};
use crate::FileError;
use crate::report::{Notice, Report};
use crate::vector::{Container, Measured, write_measured};
use crate::{Result, session};

/// The files of a shapefile, indices that other programs leave beside it and that would be of the old shapes included.
const SHAPEFILE: [&str; 8] = ["shp", "shx", "dbf", "prj", "cpg", "qix", "sbn", "sbx"];
/// The longest name of a column in a shapefile.
const SHAPEFILE_NAME: usize = 10;

impl Objects {
    /// Writes the objects to one file, by its ending; one that was there is replaced when the new one is complete:
    ///
    /// | ending | what it is |
    /// |---|---|
    /// | `.gpkg` | GeoPackage, in the scene's reference system |
    /// | `.geojson` | GeoJSON by RFC 7946, in longitude and latitude |
    /// | `.shp` | a shapefile, which is several files of one name; its columns' names have at most 10 letters |
    /// | `.csv` | a table without outlines, with the center as `x` and `y` in map coordinates |
    ///
    /// The columns are `class`, `score`, `area_m2`, `perimeter_m`, `width_m` and `height_m`; without `_m` where nobody
    /// knows the meter. What a format had to shorten is in [`SavedFiles::report`].
    ///
    /// # Errors
    /// [`PredictError::ObjectFile`] for another ending; [`FileError::OfOthers`] when there is a file of that name
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
            "gpkg" => self.save_whole(path, Container::GeoPackage),
            "geojson" => self.save_whole(path, Container::GeoJson),
            "shp" => self.save_shapefile(path),
            _ => {
                let found = match ending.as_ref() {
                    "" => "a file without an ending".to_owned(),
                    ending => format!(".{ending}"),
                };
                let path = path.to_owned();
                Err(PredictError::ObjectFile { found, path }.into())
            }
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

    fn measured(&self) -> Vec<Measured<'_>> {
        self.iter()
            .map(|object| Measured {
                geometry: &object.geometry,
                class: &object.class,
                score: object.score,
                numbers: self.numbers(object).to_vec(),
            })
            .collect()
    }

    fn save_whole(&self, path: &Path, container: Container) -> Result<SavedFiles> {
        let (features, columns) = (self.measured(), self.columns());
        write_measured(path, &features, &columns, &self.about.crs_wkt, container)?;
        Ok(SavedFiles::new(vec![path.to_owned()]))
    }

    fn save_shapefile(&self, path: &Path) -> Result<SavedFiles> {
        let mut report = Report::new();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let columns = self.columns().map(|column| match column {
            "perimeter_m" => "perim_m",
            column => column,
        });
        for (full, short) in self.columns().iter().zip(columns) {
            debug_assert!(short.len() <= SHAPEFILE_NAME, "{short}");
            if *full != short {
                let text = format!(
                    "the column {full} is called {short}: names in a shapefile have at most {SHAPEFILE_NAME} letters"
                );
                let next = "a GeoPackage (.gpkg) keeps the name";
                report.push(Notice::converted(text).about(name.clone()).next(next));
            }
        }
        let longest = Container::Shapefile.longest_text();
        let cut = self.iter().filter(|object| object.class.len() > longest);
        match cut.count() {
            0 => {}
            cut => report.push(
                Notice::left_out(format!(
                    "the ends of {cut} names of classes: texts in a shapefile have at most {longest} bytes"
                ))
                .about(name.clone())
                .count(cut)
                .next("a GeoPackage (.gpkg) keeps them"),
            ),
        }
        let absolute = std::path::absolute(path).map_err(io("find the folder of", path))?;
        let dir = absolute.parent().unwrap_or_else(|| Path::new("/"));
        let staging = staging_folder(dir)?;
        let file = staging.path().join(path.file_name().unwrap_or_default());
        let (features, crs) = (self.measured(), &self.about.crs_wkt);
        write_measured(&file, &features, &columns, crs, Container::Shapefile)?;
        let set = SHAPEFILE.map(|ending| path.with_extension(ending));
        let set: Vec<_> = set
            .iter()
            .map(|file| file.file_name().unwrap_or_default().to_string_lossy())
            .collect();
        let set: Vec<&str> = set.iter().map(AsRef::as_ref).collect();
        let saved = publish_set(&set, staging.path(), dir)?.into_iter();
        // Named as the caller names them.
        let files = saved.map(|file| path.with_file_name(file.file_name().unwrap_or_default()));
        Ok(SavedFiles::new(files.collect()).with_report(report))
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
