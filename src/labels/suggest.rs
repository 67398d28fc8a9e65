//! Code that says what the values of a label raster mean, to be pasted.

use std::collections::BTreeMap;

use super::resolve::Found;
use super::value_counts::NumberKind;
use super::values::Meaning;
use super::{BACKGROUND, LabelValues};

/// Values that code names one by one.
const MOST: usize = 12;

/// Code for the values that are there: with the names that the user gave, in their order, when there are as many values
/// without a meaning as names; otherwise with the file's own names, or with names to fill in.
pub(super) fn codes(values: &LabelValues, found: &Found, unknown: &[(f64, u64)]) -> String {
    let mut unknown: Vec<f64> = unknown.iter().map(|(value, _)| *value).collect();
    unknown.sort_by(f64::total_cmp);
    let names: Vec<&str> = values.names();
    // What is so often no class that it is not to be counted as one.
    let (mut background, mut ignored) = (Vec::new(), Vec::new());
    let mut classes = Vec::new();
    let all_named = matches!(values.meaning, Meaning::Indices(_));
    for &value in &unknown {
        match value {
            _ if found.kind == NumberKind::Colour => classes.push(value),
            0.0 => background.push(value),
            255.0 | 65_535.0 | -1.0 => ignored.push(value),
            value if value < 0.0 => ignored.push(value),
            _ => classes.push(value),
        }
    }
    let shown = |value: f64| found.kind.shown(value);
    let list = |values: &[f64]| {
        let all: Vec<String> = values
            .iter()
            .take(MOST)
            .map(|&value| shown(value))
            .collect();
        all.join(", ")
    };
    let mut steps = String::new();
    if !background.is_empty() {
        steps += &format!(".background([{}])", list(&background));
    }
    if !ignored.is_empty() {
        steps += &format!(".ignore([{}])", list(&ignored));
    }
    let what = match &values.meaning {
        Meaning::Binary(class) => format!("LabelValues::binary({class:?}){steps}"),
        Meaning::Indices(_) if classes.is_empty() => {
            format!("LabelValues::from(CLASSES){steps}")
        }
        Meaning::Named(_) => {
            if !classes.is_empty() {
                steps += &format!(".background([{0}])` or `.ignore([{0}])", list(&classes));
            }
            return format!(
                "name these values, too: `(VALUE, \"CLASS\")` in the list, `{steps}`, or `.others_are_background()`"
            );
        }
        _ => {
            let used: Vec<f64> = found
                .counts
                .values
                .iter()
                .map(|(value, _)| *value)
                .filter(|value| all_named && *value > 0.0 && !unknown.contains(value))
                .collect();
            let mut all: Vec<f64> = used.iter().chain(&classes).copied().collect();
            all.sort_by(f64::total_cmp);
            let in_order = classes.len() == names.len() && used.is_empty();
            let pairs: Vec<String> = all
                .iter()
                .take(MOST)
                .map(|&value| {
                    let index = all.iter().position(|one| *one == value).unwrap_or(0);
                    let own = found.names.get(&(value as i64)).cloned();
                    let named = own
                        .or_else(|| in_order.then(|| names[index].to_owned()))
                        .or_else(|| {
                            let at = value as usize;
                            let name = used.contains(&value).then(|| names.get(at.wrapping_sub(1)));
                            name.flatten().map(|name| (*name).to_owned())
                        })
                        .unwrap_or_else(|| format!("CLASS OF {}", shown(value)));
                    format!("({}, {named:?})", shown(value))
                })
                .collect();
            let more = if all.len() > MOST { ", …" } else { "" };
            let zero = found.counts.of(0.0) > 0 && background.is_empty();
            let zero = if zero && found.kind == NumberKind::Value {
                ".background([0])"
            } else {
                ""
            };
            format!(
                "LabelValues::codes([{}{more}]){zero}{steps}",
                pairs.join(", ")
            )
        }
    };
    let option = option(&what);
    format!("say what the values mean: `.with_label_raster(FILE, {what})`{option}")
}

/// Colours with names to fill in; black and white are background and ignored more often than not.
pub(crate) fn colours(counts: &[(f64, u64)]) -> String {
    let shown: Vec<String> = counts
        .iter()
        .take(MOST)
        .map(|(value, _)| {
            let colour = NumberKind::Colour.shown(*value);
            let name = if *value == 0.0 {
                BACKGROUND.to_owned()
            } else {
                format!("CLASS OF {colour}")
            };
            format!("({colour}, {name:?})")
        })
        .collect();
    let more = if counts.len() > MOST { ", …" } else { "" };
    format!("LabelValues::colours([{}{more}])", shown.join(", "))
}

/// The names of a file as codes.
pub(super) fn named_by_file(names: &BTreeMap<i64, String>) -> String {
    let named: Vec<String> = names
        .iter()
        .filter(|(_, name)| !name.is_empty())
        .take(MOST)
        .map(|(value, name)| format!("({value}, {name:?})"))
        .collect();
    let more = if names.len() > MOST { ", …" } else { "" };
    format!("LabelValues::codes([{}{more}])", named.join(", "))
}

/// How a magic and the command line say the same.
fn option(code: &str) -> &'static str {
    if code.starts_with("LabelValues::codes") {
        "; with `%scene` and on the command line `values=VALUE:CLASS,…` and `--values VALUE:CLASS,…`"
    } else {
        ""
    }
}
