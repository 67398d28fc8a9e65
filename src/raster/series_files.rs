//! Which files of a series belong to which date.

use std::path::{Path, PathBuf};

use super::Date;
use super::join_error::JoinError;
use super::sensors;
use super::stack::stem;
use crate::report::{Notice, Report, file_name};

/// Folders above a file whose names are asked for a date when the file's own has none.
const FOLDERS: usize = 4;

/// The date in the name of a file or, when it has none, of the nearest folder that has one.
pub(super) fn date_of(path: &Path) -> Option<Date> {
    let names = path.iter().rev().take(FOLDERS + 1);
    names.filter_map(|name| name.to_str()).find_map(Date::parse)
}

/// The files of each date, the earliest first; those of one date in the order in which they are given. What was found is
/// added to `report`.
///
/// # Errors
/// [`JoinError::NoDates`] when no name has a date.
pub(super) fn by_date(
    files: Vec<PathBuf>,
    report: &mut Report,
) -> Result<Vec<(Date, Vec<PathBuf>)>, JoinError> {
    let all = files.len();
    let mut dates: Vec<(Date, Vec<PathBuf>)> = Vec::new();
    let mut without: Vec<PathBuf> = Vec::new();
    for file in files {
        match date_of(&file) {
            Some(date) => match dates.iter_mut().find(|(known, _)| *known == date) {
                Some((_, files)) => files.push(file),
                None => dates.push((date, vec![file])),
            },
            None => without.push(file),
        }
    }
    dates.sort_by_key(|(date, _)| *date);
    if dates.is_empty() {
        return Err(JoinError::NoDates {
            path: without.into_iter().next().unwrap_or_default(),
            files: all,
        });
    }
    if let Some(one) = without.first() {
        let text = format!(
            "{} of {all} files have no date in their names or folders",
            without.len()
        );
        report.push(
            Notice::left_out(text)
                .about(format!("the first is {}", file_name(one)))
                .count(without.len())
                .next("name them with one, such as `20230415`, or state their dates by `TimeSeries::of`"),
        );
    }
    Ok(dates)
}

/// Says which of the dates in names are used, the earliest first.
pub(super) fn say_dates(dates: &[Date]) -> Option<Notice> {
    let (first, last) = (dates.first()?, dates.last()?);
    let words = match dates.len() {
        0..=6 => dates
            .iter()
            .map(Date::to_string)
            .collect::<Vec<_>>()
            .join(", "),
        _ => format!("{first} to {last}"),
    };
    let text = format!("the dates are those in the names of files: {words}");
    Some(
        Notice::assumed(text)
            .count(dates.len())
            .next("`TimeSeries::of([(\"2023-04-15\", \"april.tif\"), …])` states them"),
    )
}

/// Whether a file is of the band of this name, by what a person calls it, its code, or the words of its name.
pub(super) fn is_called(path: &Path, given: Option<&str>, name: &str) -> bool {
    let same = |one: &str| one.trim().eq_ignore_ascii_case(name.trim());
    if let Some(given) = given {
        return same(given);
    }
    let stem = stem(path);
    if sensors::band_code(&stem).is_some_and(|code| same(&code)) {
        return true;
    }
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|letter: char| !letter.is_alphanumeric());
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (wanted, found) = (words(name), words(&stem));
    !wanted.is_empty() && found.windows(wanted.len()).any(|part| part == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_grouped_by_the_date_in_their_names_or_folders() {
        let mut report = Report::new();
        let files = [
            "s2/20230604/B04.tif",
            "s2/20230415/B04.tif",
            "s2/20230415/B08.tif",
            "s2/readme.tif",
            // A date in the file's own name goes before the folder's.
            "s2/20230604/T32UPU_20230701T101559_B04_10m.tif",
        ];
        let dates = by_date(files.iter().map(PathBuf::from).collect(), &mut report).unwrap();
        let told: Vec<(String, usize)> = dates
            .iter()
            .map(|(date, files)| (date.to_string(), files.len()))
            .collect();
        let one = |date: &str, files| (date.to_owned(), files);
        assert_eq!(
            told,
            [
                one("2023-04-15", 2),
                one("2023-06-04", 1),
                one("2023-07-01", 1)
            ]
        );
        let found: Vec<Date> = dates.iter().map(|(date, _)| *date).collect();
        let said = say_dates(&found).unwrap().to_string();
        assert!(said.contains("2023-04-15, 2023-06-04, 2023-07-01"));
        assert!(report.mentions("1 of 5 files have no date"), "{report}");
        let none = by_date(vec![PathBuf::from("a.tif")], &mut Report::new());
        assert!(matches!(none, Err(JoinError::NoDates { files: 1, .. })));
    }

    #[test]
    fn masks_are_found_by_their_names() {
        for (file, given, name, is) in [
            ("T32UPU_20230415T101559_SCL_20m.tif", None, "SCL", true),
            ("T32UPU_20230415T101559_SCL_20m.tif", None, "scl", true),
            (
                "LC09_L2SP_193024_20220612_20220614_02_T1_QA_PIXEL.TIF",
                None,
                "QA_PIXEL",
                true,
            ),
            (
                "LC09_L2SP_193024_20220612_20220614_02_T1_QA_PIXEL.TIF",
                None,
                "PIXEL_QA",
                false,
            ),
            ("april.tif", Some("clouds"), "clouds", true),
            ("clouds.tif", Some("april"), "clouds", false),
            ("20230415_clouds.tif", None, "clouds", true),
            ("20230415_B04.tif", None, "SCL", false),
            ("20230415_B04.tif", None, "", false),
        ] {
            assert_eq!(is_called(Path::new(file), given, name), is, "{file} {name}");
        }
    }
}
