//! The classes of features by a table of values or by rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::class::LabelClass;
use super::layer::OpenLayer;
use super::unicode::composed;
use super::values::Field;
use super::{Feature, VectorError};
use crate::{Result, session};

/// Which rule holds for which feature, by the feature's number in the file.
#[derive(Debug, Default)]
pub(super) struct Matched {
    first: HashMap<i64, usize>,
    /// The properties that the rules speak of.
    pub(super) properties: Vec<String>,
}

impl Matched {
    /// Asks GDAL for the features of each rule; the first rule that holds for a feature counts.
    ///
    /// # Errors
    /// [`VectorError::BadFilter`] for a rule that cannot be understood; [`VectorError::NoRules`] without any.
    pub(super) fn of(layer: &OpenLayer, rules: &[(String, String)]) -> Result<Self> {
        if rules.is_empty() {
            return Err(VectorError::NoRules {
                path: layer.path().to_owned(),
            }
            .into());
        }
        let mut first = HashMap::new();
        for (rule, (condition, _)) in rules.iter().enumerate() {
            session::check_interrupt("reading labels")?;
            for feature in layer.numbers_where(condition)? {
                first.entry(feature).or_insert(rule);
            }
        }
        let said: BTreeSet<String> = rules
            .iter()
            .flat_map(|(condition, _)| words(condition))
            .collect();
        let properties = layer.property_names().into_iter();
        Ok(Self {
            first,
            properties: properties
                .filter(|name| said.contains(&name.to_lowercase()))
                .collect(),
        })
    }
}

/// The words of a condition that may be names, in small letters; text in single quotes is skipped.
fn words(condition: &str) -> Vec<String> {
    let outside: String = condition
        .split('\'')
        .step_by(2)
        .collect::<Vec<_>>()
        .join(" ");
    let mut words: Vec<String> = outside
        .split(|letter: char| !(letter.is_alphanumeric() || "_:".contains(letter)))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    // Names in double quotes may hold anything.
    words.extend(outside.split('"').skip(1).step_by(2).map(str::to_lowercase));
    words
}

/// Features for which a table or rules have no class: what they are, by their place in the list.
pub(super) type Unmatched = BTreeMap<usize, String>;

/// Gives features with the values of a table's property the table's classes.
pub(super) fn by_table(features: &mut [Feature], rows: &[(String, String)]) -> Unmatched {
    let classes: HashMap<String, &String> = rows
        .iter()
        .rev()
        .map(|(value, class)| (composed(value.trim()).into_owned(), class))
        .collect();
    let mut unmatched = Unmatched::new();
    for (index, feature) in features.iter_mut().enumerate() {
        let Some(value) = feature.class.take() else {
            continue;
        };
        match classes.get(composed(value.trim()).as_ref()) {
            Some(class) => feature.class = Some((*class).clone()),
            None => {
                unmatched.insert(index, value);
            }
        }
    }
    unmatched
}

/// Gives features the classes of the rules that hold for them; `values` are those of the properties that the rules
/// speak of.
///
/// # Errors
/// [`VectorError::Read`] where several features have one number, by which a rule cannot tell them apart.
pub(super) fn by_rules(
    layer: &OpenLayer,
    features: &mut [Feature],
    numbers: &[i64],
    values: &[Vec<Option<String>>],
    matched: &Matched,
    rules: &[(String, String)],
) -> Result<Unmatched> {
    let mut unmatched = Unmatched::new();
    let mut seen = BTreeSet::new();
    for (index, (feature, number)) in features.iter_mut().zip(numbers).enumerate() {
        if !seen.insert(*number) {
            return Err(VectorError::Read {
                path: layer.path().to_owned(),
                detail: format!(
                    "several features have the number (FID) {number}, so that rules cannot tell them apart"
                ),
            }
            .into());
        }
        match matched.first.get(number).and_then(|&rule| rules.get(rule)) {
            Some((_, class)) => feature.class = Some(class.clone()),
            None => {
                let known = values.get(index).map_or(&[][..], Vec::as_slice);
                unmatched.insert(index, described(&matched.properties, known));
            }
        }
    }
    Ok(unmatched)
}

/// `highway = footway`.
fn described(properties: &[String], values: &[Option<String>]) -> String {
    let told: Vec<String> = properties
        .iter()
        .zip(values)
        .filter_map(|(name, value)| Some(format!("{name} = {}", value.as_ref()?)))
        .collect();
    match told.is_empty() {
        true => "without any of these properties".to_owned(),
        false => told.join(", "),
    }
}

/// The fields of properties.
pub(super) fn fields_of<'a>(layer: &'a OpenLayer, names: &[String]) -> Vec<&'a Field> {
    names.iter().filter_map(|name| layer.field(name)).collect()
}

impl LabelClass {
    /// What a table or rules have no word for, in a sentence.
    pub(crate) fn unmatched_words(&self) -> &'static str {
        match self.rule_rows() {
            Some(_) => "for which no rule holds",
            None => "of other classes",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_conditions() {
        assert_eq!(
            words("building IS NOT NULL AND highway IN ('Path','b') OR \"addr street\" = 'x'"),
            [
                "building",
                "is",
                "not",
                "null",
                "and",
                "highway",
                "in",
                "or",
                "addr",
                "street",
                "addr street"
            ]
        );
    }

    #[test]
    fn values_of_a_table_are_compared_as_they_are_read_and_the_first_row_counts() {
        let feature = |class: Option<&str>| Feature {
            geometry: geo::MultiPolygon::new(Vec::new()),
            class: class.map(str::to_owned),
        };
        let mut features = [
            feature(Some("1")),
            feature(Some("9")),
            feature(None),
            feature(Some(" 2 ")),
        ];
        let row = |value: &str, class: &str| (value.to_owned(), class.to_owned());
        let rows = [row("1", "water"), row("1", "road"), row("2", "road")];
        let unmatched = by_table(&mut features, &rows);
        let classes: Vec<_> = features.iter().map(|one| one.class.as_deref()).collect();
        assert_eq!(classes, [Some("water"), None, None, Some("road")]);
        assert_eq!(unmatched, [(1, "9".to_owned())].into());
    }
}
