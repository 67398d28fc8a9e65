//! Code that says what the values of a label raster mean, to be pasted.

use std::collections::BTreeMap;

use super::resolve::Found;
use super::value_counts::NumberKind;
use super::values::Meaning;
use super::{BACKGROUND, LabelValues};
use crate::host::{Step, either};

/// Values that code names one by one.
const MOST: usize = 12;

/// Code for the values that are there: with the names that the user gave, in their order, when there are as many values
/// without a meaning as names; otherwise with the file's own names, or with names to fill in.
pub(super) fn codes(values: &LabelValues, found: &Found, unknown: &[(f64, u64)]) -> String {
    let mut unknown: Vec<f64> = unknown.iter().map(|(value, _)| *value).collect();
    unknown.sort_by(f64::total_cmp);
    let list = |values: &[f64]| {
        let shown = values
            .iter()
            .take(MOST)
            .map(|&value| found.kind.shown(value));
        shown.collect::<Vec<_>>().join(", ")
    };
    // What is so often no class that it is not to be counted as one.
    let is_void = |value: f64| value < 0.0 || value == 255.0 || value == 65_535.0;
    let code = match &values.meaning {
        Meaning::Indices(_) if found.kind == NumberKind::Value => {
            // Class indices that occur, which codes have to name as well.
            let used: Vec<f64> = found
                .counts
                .values
                .iter()
                .map(|(value, _)| *value)
                .filter(|value| {
                    *value > 0.0 && !unknown.contains(value) && found.nodata != Some(*value)
                })
                .collect();
            let (mut void, mut classes): (Vec<f64>, Vec<f64>) =
                unknown.iter().partition(|value| is_void(**value));
            if classes.is_empty() && used.is_empty() {
                // All that there is beside 0 is the class.
                std::mem::swap(&mut void, &mut classes);
            }
            let mut code = if classes.is_empty() {
                "LabelValues::from(CLASSES)".to_owned()
            } else {
                named_codes(values, found, &used, &classes)
            };
            if !void.is_empty() {
                code += &format!(".ignore([{}])", list(&void));
            }
            code
        }
        Meaning::Binary(class) => {
            format!(
                "LabelValues::binary({class:?}).ignore([{}])",
                list(&unknown)
            )
        }
        _ => {
            let all = list(&unknown);
            return either(
                format!(
                    "name these values, too: with `(VALUE, \"CLASS\")` in the list, with `.background([{all}])` or \
                     `.ignore([{all}])`, or all that are not named at once with `.others_are_background()`"
                ),
                format!(
                    "name these values, too ({all}): `VALUE:CLASS`, `VALUE:background` or `VALUE:ignore` in `--values`, or all that \
                     are not named at once with `*:background`"
                ),
            );
        }
    };
    format!(
        "say what the values mean: {}",
        Step::NameValues { code: &code }
    )
}

/// Codes for class indices in use and for values without a meaning.
fn named_codes(values: &LabelValues, found: &Found, used: &[f64], classes: &[f64]) -> String {
    let names: Vec<&str> = values.names();
    let mut all: Vec<f64> = used.iter().chain(classes).copied().collect();
    all.sort_by(f64::total_cmp);
    let in_order = used.is_empty() && classes.len() == names.len();
    let name = |index: usize, value: f64| {
        let own = found.names.get(&(value as i64)).cloned();
        let given = if in_order {
            names.get(index)
        } else if used.contains(&value) {
            names.get((value as usize).wrapping_sub(1))
        } else {
            None
        };
        own.or_else(|| given.map(|name| (*name).to_owned()))
            .unwrap_or_else(|| format!("CLASS OF {value}"))
    };
    let pairs: Vec<String> = all
        .iter()
        .enumerate()
        .take(MOST)
        .map(|(index, &value)| format!("({value}, {:?})", name(index, value)))
        .collect();
    let more = if all.len() > MOST { ", …" } else { "" };
    let zero = if found.counts.of(0.0) > 0 {
        ".background([0])"
    } else {
        ""
    };
    format!("LabelValues::codes([{}{more}]){zero}", pairs.join(", "))
}

/// Colors with names to fill in; black and white are background and ignored more often than not.
pub(crate) fn colors(counts: &[(f64, u64)]) -> String {
    let shown: Vec<String> = counts
        .iter()
        .take(MOST)
        .map(|(value, _)| {
            let color = NumberKind::Color.shown(*value);
            let name = if *value == 0.0 {
                BACKGROUND.to_owned()
            } else {
                format!("CLASS OF {color}")
            };
            format!("({color}, {name:?})")
        })
        .collect();
    let more = if counts.len() > MOST { ", …" } else { "" };
    format!("LabelValues::colors([{}{more}])", shown.join(", "))
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
