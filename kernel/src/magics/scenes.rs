//! `%scenes`, and `%split` of whole scenes.

use super::arguments::{Arguments, UsageError};
use super::expand::{Expansion, check_variable, float, literal, number, variable};
use super::table::Magic;
use super::{expand, label_raster};

/// Endings of tables, of which each row is a scene.
const TABLES: [&str; 5] = [".csv", ".tsv", ".parquet", ".xlsx", ".ods"];

pub(super) fn scenes(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let files = expand::required(
        magic,
        arguments,
        0,
        "a folder, a pattern such as tiles/*.tif, or a table",
    )?;
    let variable = variable(magic, arguments, "as", "scenes")?;
    let open = expand::open_options(magic, arguments)?;
    let skip = yes(magic, arguments, "skip_broken")?;
    let options = match (open, skip) {
        (None, false) => None,
        (Some(open), false) => Some(open),
        (None, true) => Some("ScenesOptions::new().skip_broken()".to_owned()),
        (Some(open), true) => Some(format!("ScenesOptions::new().open({open}).skip_broken()")),
    };
    let is_table = TABLES
        .iter()
        .any(|ending| files.to_lowercase().ends_with(ending));
    let call = match (yes(magic, arguments, "class_folders")?, is_table) {
        (true, true) => {
            let message =
                "class_folders=yes is for a folder with a folder for each class, not for a table";
            return Err(UsageError::new(magic, message));
        }
        (true, false) => "class_folders",
        (false, true) => "table",
        (false, false) => "open",
    };
    let mut expression = match options {
        Some(options) => format!("Scenes::{call}_with({}, {options})?", literal(files)),
        None => format!("Scenes::{call}({})?", literal(files)),
    };
    if let Some(labels) = label_raster::with_label_raster(magic, arguments)? {
        expression += &labels.replacen(".with_label_raster(", ".with_label_rasters(", 1);
    }
    let missing = match arguments.option("missing") {
        None => "",
        Some("background") => ".missing_as_background()",
        Some("skip") => ".skip_missing()",
        Some(other) => {
            let message = format!("missing= must be background or skip, found {other:?}");
            return Err(UsageError::new(magic, message));
        }
    };
    let labels = expand::labels(magic, arguments)?;
    if labels.is_none() && !missing.is_empty() {
        return Err(UsageError::new(
            magic,
            "missing= needs labels= or boxes=: the files that may be missing",
        ));
    }
    if let Some((key, source, class)) = labels {
        let source = match missing {
            "" => source,
            _ => format!("LabelFiles::new({source}){missing}"),
        };
        expression += &format!(".with_{key}({source}, {class})?");
    }
    expression += &expand::limits(magic, arguments)?;
    Ok(Expansion::new(
        format!("let {variable} = {expression};"),
        variable,
    ))
}

pub(super) fn yes(magic: &Magic, arguments: &Arguments, key: &str) -> Result<bool, UsageError> {
    match arguments.option(key) {
        None | Some("no") => Ok(false),
        Some("yes") => Ok(true),
        Some(other) => {
            let message = format!("{key}= must be yes or no, found {other:?}");
            Err(UsageError::new(magic, message))
        }
    }
}

/// `%split 0.8 by=scene`.
pub(super) fn split(
    magic: &Magic,
    arguments: &Arguments,
    fraction: &str,
) -> Result<Expansion, UsageError> {
    let scenes = variable(magic, arguments, "scene", "scenes")?;
    check_variable(magic, scenes)?;
    let mut split = format!(
        "SceneSplit::random({})",
        float(magic, "the fraction", fraction)?
    );
    if let Some(seed) = arguments.option("seed") {
        split += &format!(".seed({})", number::<u64>(magic, "the seed", seed)?);
    }
    if let Some(column) = arguments.option("group") {
        split += &format!(".by({})", literal(column));
    }
    Ok(Expansion::new(
        format!("let (train, valid) = {scenes}.split({split});"),
        "(&train, &valid)",
    ))
}
