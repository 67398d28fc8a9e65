//! Scenes by a table: a row a scene, with the paths of its imagery and labels and what else is known of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::open::{Row, opened};
use super::{LabelFiles, Scenes, ScenesError, ScenesOptions};
use crate::raster::Places;
use crate::report::{Notice, Report};
use crate::vector::{VectorError, VectorSource, read_table};
use crate::{Error, Result};

/// What a column with paths of imagery is called, the likeliest first.
const IMAGE: [&str; 9] = [
    "image",
    "scene",
    "raster",
    "path",
    "file",
    "filename",
    "image_path",
    "img",
    "location",
];
/// What a column with paths of labels is called.
pub(super) const LABELS: [&str; 7] = [
    "labels",
    "label",
    "mask",
    "label_path",
    "labels_path",
    "annotation",
    "target",
];

impl Scenes {
    /// Opens the scenes of a table: CSV, Parquet, GeoPackage or whatever else OGR reads. A column `image` (or `scene`,
    /// `raster`, `path`, `file`, `filename`) has the paths, relative to the table's own folder; one called `labels` (or
    /// `label`, `mask`) those of label files, which [`LabelFiles::of_table`] takes; all columns can choose and split scenes
    /// ([`Scenes::where_column`], [`Scenes::split_column`]). Where columns say where files lie ([`Places`] has their names),
    /// files without a place of their own get it from there.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::table("scenes.csv")?.with_labels(LabelFiles::of_table(), "class")?;
    /// let train = scenes.where_column("split", "train")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::vector::VectorError`] when the table cannot be read; [`ScenesError::Table`] without such a column; as
    /// [`Scenes::open`].
    #[doc(alias = "from_csv")]
    #[doc(alias = "read_csv")]
    pub fn table(path: impl Into<VectorSource>) -> Result<Self> {
        Self::table_with(path, ScenesOptions::new())
    }

    /// As [`Scenes::table`], with options for opening.
    ///
    /// # Errors
    /// As [`Scenes::table`].
    pub fn table_with(
        path: impl Into<VectorSource>,
        options: impl Into<ScenesOptions>,
    ) -> Result<Self> {
        let source = path.into();
        let mut report = Report::new();
        let rows = rows(&source, &mut report)?;
        let mut options: ScenesOptions = options.into();
        match Places::open(source) {
            Ok(places) => {
                report.extend(places.report().clone());
                options = options.or_places_of_table(places);
            }
            // Most tables say nothing of places.
            Err(Error::Vector(VectorError::Places { .. })) => {}
            Err(error) => return Err(error),
        }
        opened(rows, &options, report)
    }
}

/// The scenes of a table.
pub(super) fn rows(source: &VectorSource, report: &mut Report) -> Result<Vec<Row>> {
    let table = read_table(source)?;
    let wrong = |reason: String| ScenesError::Table {
        path: source.path().to_owned(),
        reason,
    };
    let image = column(&table.columns, &IMAGE).ok_or_else(|| {
        let columns = table.columns.join(", ");
        wrong(format!(
            "no column names the imagery: the columns are {columns}"
        ))
    })?;
    let folder = source.path().parent().unwrap_or(Path::new(""));
    let (mut rows, mut without) = (Vec::new(), 0);
    let all = table.rows.len();
    for row in table.rows {
        let Some(path) = row
            .get(image)
            .cloned()
            .flatten()
            .filter(|path| !path.trim().is_empty())
        else {
            without += 1;
            continue;
        };
        let columns: BTreeMap<String, String> = table
            .columns
            .iter()
            .zip(row)
            .filter_map(|(name, value)| Some((name.clone(), value?.trim().to_owned())))
            .collect();
        rows.push(Row {
            path: beside(folder, path.trim()),
            columns,
            folder: Some(folder.to_owned()),
        });
    }
    if without > 0 {
        let text = format!("{without} of {all} rows name no imagery");
        let about = crate::report::file_name(source.path());
        report.push(Notice::left_out(text).about(about).count(without));
    }
    if rows.is_empty() {
        return Err(wrong("the table has no row with imagery".to_owned()).into());
    }
    Ok(rows)
}

/// A path that is relative to a folder; addresses and names of GDAL's stay as they are.
pub(super) fn beside(folder: &Path, path: &str) -> PathBuf {
    if path.contains("://") || path.starts_with("/vsi") || path.starts_with('~') {
        return PathBuf::from(path);
    }
    folder.join(path)
}

/// The place of the first column that is called so.
fn column(columns: &[String], called: &[&str]) -> Option<usize> {
    called.iter().find_map(|wanted| {
        columns
            .iter()
            .position(|name| name.trim().eq_ignore_ascii_case(wanted))
    })
}

impl LabelFiles {
    /// The files that the table's column `labels` (or `label`, `mask`) names.
    #[must_use]
    pub fn of_table() -> Self {
        Self::of_columns(&LABELS)
    }
}
