//! What a shapefile is and does not hold: several files of one name, short names of columns, short texts.
//!
//! # Source
//! ESRI, *Shapefile Technical Description*, 1998, and dBASE III for its table: names of fields of 10 characters, texts of
//! 254 bytes. Sizes are counted in 16-bit words of a signed 32-bit number, which most programs read up to 2 GB.

use std::ffi::OsString;
use std::path::Path;

use crate::report::{Notice, Report, file_name};
use crate::staged;

/// Its files, indices that other programs leave beside it and that would be of the old shapes included.
pub(super) const PARTS: [&str; 9] = [
    "shp", "shx", "dbf", "prj", "cpg", "qix", "sbn", "sbx", "shp.xml",
];
/// The longest name of a column.
const LONGEST_NAME: usize = 10;
/// The longest text of a table, in bytes.
pub(super) const LONGEST_TEXT: usize = 254;

/// A folder beside the file for its parts under way.
pub(super) fn staging(path: &Path) -> std::io::Result<tempfile::TempDir> {
    let path = std::path::absolute(path)?;
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    std::fs::create_dir_all(folder)?;
    tempfile::Builder::new()
        .prefix(".swath-save-")
        .tempdir_in(folder)
}

/// Names of at most ten letters, all different: `perimeter_m` becomes `perim_m`, so that the unit is seen.
pub(super) fn short_names(names: &[&str]) -> Vec<String> {
    let mut short: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let cut = |most: usize| name.chars().take(most).collect::<String>();
        let mut new = match name
            .strip_suffix("_m")
            .filter(|_| name.len() > LONGEST_NAME)
        {
            Some(stem) => format!("{}_m", stem.chars().take(5).collect::<String>()),
            None => cut(LONGEST_NAME),
        };
        let mut number = 1;
        while short.contains(&new) {
            let end = format!("_{number}");
            new = cut(LONGEST_NAME - end.len()) + &end;
            number += 1;
        }
        short.push(new);
    }
    short
}

/// Gives the parts their places, all or none; parts of an earlier file that this one has not disappear.
pub(super) fn publish(staged: &Path, path: &Path) -> Result<(), String> {
    let path = std::path::absolute(path).map_err(|error| error.to_string())?;
    let folder = path.parent().unwrap_or_else(|| Path::new("/"));
    let part = |ending: &&str| {
        let mut name = path.file_stem().unwrap_or_default().to_owned();
        name.push(".");
        name.push(ending);
        name
    };
    let all: Vec<OsString> = PARTS.iter().map(part).collect();
    let made: Vec<OsString> = (all.iter())
        .filter(|name| staged.join(name).is_file())
        .cloned()
        .collect();
    for name in &made {
        let synced = std::fs::File::open(staged.join(name)).and_then(|file| file.sync_all());
        synced.map_err(|error| error.to_string())?;
    }
    staged::exchange(&all, staged, folder, &made).map_err(|error| error.to_string())
}

/// What is not in the file as it was.
pub(super) fn lost(path: &Path, renamed: &[(String, String)], cut: usize) -> Report {
    let mut report = Report::new();
    let next = "a GeoPackage (.gpkg) or FlatGeobuf (.fgb) keeps it";
    for (short, full) in renamed.iter().filter(|(short, full)| short != full) {
        let text = format!(
            "the column {full} is called {short}: names in a shapefile have at most {LONGEST_NAME} letters"
        );
        report.push(Notice::converted(text).about(file_name(path)).next(next));
    }
    if cut > 0 {
        let text = format!(
            "the ends of {cut} names of classes: texts in a shapefile have at most {LONGEST_TEXT} bytes"
        );
        report.push(
            Notice::left_out(text)
                .about(file_name(path))
                .count(cut)
                .next(next),
        );
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_ten_letters_and_differ() {
        let names = [
            "area_m2",
            "perimeter_m",
            "perimeter",
            "perimeter_total_m",
            "a_very_long_name",
            "a_very_long_one",
        ];
        let short = short_names(&names);
        assert_eq!(
            short,
            [
                "area_m2",
                "perim_m",
                "perimeter",
                "perimete_1",
                "a_very_lon",
                "a_very_l_1"
            ]
        );
        assert!(short.iter().all(|name| name.len() <= LONGEST_NAME));
    }
}
