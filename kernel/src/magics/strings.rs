//! Completes what stands in a string of Rust: names of the user's where a call takes one, and files.

use super::assist::{Known, candidate, colors, files};
use crate::eval::{Completion, Completions};
use crate::syntax::Call;

/// The arguments of the library's that are names of the user's: what calls take, which argument (any, where there is no
/// number), and of which kind it is.
const NAMED: [(&str, Option<usize>, &str); 14] = [
    ("only", None, "class"),
    ("with_colors", None, "class"),
    ("with_color", Some(0), "class"),
    ("of_class", Some(0), "class"),
    ("class", Some(0), "class"),
    ("index_of", Some(0), "class"),
    ("precision_recall", Some(0), "class"),
    ("class_weights", None, "class"),
    ("show_bands", None, "band"),
    ("bands", None, "band"),
    ("with_labels", Some(1), "property"),
    ("with_classes", Some(1), "property"),
    ("with_boxes", Some(1), "property"),
    ("with_box_classes", Some(1), "property"),
];

/// The files that calls take: those with such endings come first.
const FILES: [(&str, &[&str]); 5] = [
    ("open", &["tif", "tiff", "vrt", "jp2", "img", "png", "jpg"]),
    (
        "open_with",
        &["tif", "tiff", "vrt", "jp2", "img", "png", "jpg"],
    ),
    ("load", &["swath"]),
    (
        "with_labels",
        &["gpkg", "geojson", "shp", "json", "fgb", "parquet", "kml"],
    ),
    (
        "with_classes",
        &["gpkg", "geojson", "shp", "json", "fgb", "parquet", "kml"],
    ),
];

/// The names or files that a string of Rust begins to name at the cursor (in code points); `None` outside of strings, and
/// where there is nothing of that name.
pub(crate) fn complete_string(code: &str, cursor: usize, known: &Known<'_>) -> Option<Completions> {
    let before: String = code.chars().take(cursor).collect();
    let typed = crate::syntax::open_string(&before)?;
    let call = crate::syntax::call_around(&before);
    let names = call.as_ref().and_then(|call| names_for(call, known));
    let matches: Vec<Completion> = if let Some(names) = names {
        let is_raw = before[..before.len() - typed.len()].ends_with(['#', 'r'])
            || before[..before.len() - typed.len()].ends_with("r\"");
        let written = |name: String| match is_raw {
            true => name,
            false => name.replace('\\', "\\\\").replace('"', "\\\""),
        };
        let fitting = names.into_iter().filter(|name| name.starts_with(typed));
        fitting
            .map(|name| candidate(written(name), "text"))
            .collect()
    } else {
        let mut paths = files(typed);
        let wanted = call.and_then(|call| FILES.iter().find(|(name, _)| *name == call.name));
        if let Some((_, endings)) = wanted {
            let is_wanted = |path: &String| {
                let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
                path.ends_with('/') || endings.contains(&ending.to_lowercase().as_str())
            };
            paths.sort_by_key(|path| !is_wanted(path));
        }
        paths
            .into_iter()
            .map(|path| candidate(path, "path"))
            .collect()
    };
    (!matches.is_empty()).then(|| Completions {
        matches,
        start: cursor - typed.chars().count(),
        end: cursor,
    })
}

/// The names that an argument of a call can be; `None` where it is none of the user's names.
fn names_for(call: &Call<'_>, known: &Known<'_>) -> Option<Vec<String>> {
    let is_color = match call.name {
        "with_colors" => call.in_tuple == Some(1),
        "with_color" => call.argument == 1,
        _ => false,
    };
    if is_color {
        return Some(colors());
    }
    let (_, _, kind) = NAMED.iter().find(|(name, which, _)| {
        *name == call.name && which.is_none_or(|it| it == call.argument)
    })?;
    Some(match *kind {
        "property" => (known.properties)(call.first),
        kind => (known.words)(kind, call.receiver),
    })
}
