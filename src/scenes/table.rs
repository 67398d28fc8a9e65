//! Scenes by a table: a row a scene, with the paths of its imagery and labels and what else is known of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::listed;
use super::open::{Row, opened};
use super::{LabelFiles, Scenes, ScenesError, ScenesOptions};
use crate::boxes::formats::csv;
use crate::raster::Places;
use crate::report::{Notice, Report};
use crate::vector::{Table, VectorError, VectorSource, read_table};
use crate::{Error, Hint as _, Result};

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
        let (rows, places) = rows(&source, &mut report)?;
        let mut options: ScenesOptions = options.into();
        if let Some(places) = places {
            options = options.or_places_of_table(places);
        }
        opened(rows, &options, report)
    }
}

/// What there is to say when columns are for places, and no row has one: files may have places of their own.
fn without_places(error: VectorError) -> Result<Notice> {
    let hint = error.hint();
    let VectorError::NoPlaces { path, rows, found } = error else {
        return Err(error.into());
    };
    let text = format!(
        "the columns of places: none of its {rows} rows has a file and a place that can be read{found}"
    );
    let notice = Notice::left_out(text)
        .about(crate::report::file_name(&path))
        .count(rows);
    Ok(match hint {
        Some(hint) => notice.next(hint),
        None => notice,
    })
}

/// The scenes of a table, and where they lie when it says so.
pub(super) fn rows(
    source: &VectorSource,
    report: &mut Report,
) -> Result<(Vec<Row>, Option<Places>)> {
    let table = read_table(source)?;
    let image = image_column(&table, source)?;
    let places = Places::of(&table, source, image);
    let rows = rows_of(table, image, source, report)?;
    let places = match places {
        Ok(places) => places,
        Err(Error::Vector(error)) => {
            report.push(without_places(error)?);
            None
        }
        Err(error) => return Err(error),
    };
    // Most tables say nothing of places.
    if let Some(places) = &places {
        report.extend(places.report().clone());
    }
    Ok((rows, places))
}

/// The column with the paths of the imagery.
fn image_column(table: &Table, source: &VectorSource) -> Result<usize, ScenesError> {
    table.column(&IMAGE).ok_or_else(|| ScenesError::Table {
        path: source.path().to_owned(),
        reason: format!(
            "no column names the imagery: the columns are {}",
            table.columns.join(", ")
        ),
    })
}

/// The scenes of a table that has been read, whose column `image` names the imagery.
fn rows_of(
    table: Table,
    image: usize,
    source: &VectorSource,
    report: &mut Report,
) -> Result<Vec<Row>> {
    let folder = source.path().parent().unwrap_or(Path::new(""));
    let (mut rows, mut without) = (Vec::new(), 0);
    let all = table.rows.len();
    let twice: BTreeSet<&String> = (table.columns.iter().enumerate())
        .filter(|(at, name)| table.columns.iter().take(*at).any(|other| other == *name))
        .map(|(_, name)| name)
        .collect();
    if !twice.is_empty() {
        let text = format!(
            "columns that are there more than once, of which the first is taken: {}",
            listed(twice.iter().map(|name| (*name).clone()))
        );
        let about = crate::report::file_name(source.path());
        report.push(Notice::assumed(text).about(about).count(twice.len()));
    }
    if let Some(uneven) = uneven(source.path()) {
        report.push(uneven);
    }
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
        return Err(ScenesError::Table {
            path: source.path().to_owned(),
            reason: "the table has no row with imagery".to_owned(),
        }
        .into());
    }
    Ok(rows)
}

/// What is to be said of rows with more or fewer values than there are columns, as where a comma in a name is not quoted: OGR
/// leaves out what is beyond the columns.
fn uneven(path: &Path) -> Option<Notice> {
    let ending = path.extension()?.to_string_lossy().to_lowercase();
    if !["csv", "tsv"].contains(&ending.as_str()) {
        return None;
    }
    // What cannot be read was an error before.
    let lines = csv::uneven_rows(path).ok()?;
    let first = lines.first()?;
    let text = format!(
        "{} rows have more or fewer values than the table has columns, the first in line {first}: what is beyond them is left out, \
         what is missing is empty",
        lines.len()
    );
    let notice = Notice::left_out(text).about(crate::report::file_name(path));
    Some(
        notice
            .count(lines.len())
            .next("quote values that hold the separator"),
    )
}

/// A path that is relative to a folder; addresses and names of GDAL's stay as they are.
pub(super) fn beside(folder: &Path, path: &str) -> PathBuf {
    if path.contains("://") || path.starts_with("/vsi") || path.starts_with('~') {
        return PathBuf::from(path);
    }
    folder.join(path)
}

impl LabelFiles {
    /// The files that the table's column `labels` (or `label`, `mask`) names.
    #[must_use]
    pub fn of_table() -> Self {
        Self::of_columns(&LABELS)
    }
}
