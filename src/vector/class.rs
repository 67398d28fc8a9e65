use std::collections::BTreeMap;

use strsim::levenshtein;

use super::unicode::composed;
use crate::host::Step;
use crate::report::Notice;

/// What the features of a label file are called: by a property, whose values are the classes, or all of them alike.
///
/// Plain text is the property of that name when the file has one, and the class of every feature otherwise; what was
/// decided is in the scene's report. The two functions say which is meant.
///
/// ```
/// use swath::vector::LabelClass;
/// // OpenStreetMap's buildings have the property `building`, most often with the value `yes`.
/// let all_of_one_class = LabelClass::one("building");
/// let by_property = LabelClass::property("building");
/// assert_ne!(all_of_one_class, by_property);
/// // Codes, and rules in the words of [`crate::vector::VectorSource::filter`], of which the first that holds counts.
/// let by_code = LabelClass::table("code", [(1, "water"), (2, "road")]);
/// let by_rule = LabelClass::rules([("building IS NOT NULL", "building"), ("highway IN ('primary', 'secondary')", "road")]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelClass {
    word: String,
    meaning: Meaning,
    pub(crate) others: Others,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Meaning {
    /// A property if there is one, else the class of all.
    Either,
    Property,
    One,
    /// The class of all, which is told where a property may have been meant.
    OneInDoubt,
    /// A property whose values, in this order, are of these classes.
    Table(Vec<(String, String)>),
    /// Conditions, in this order, of features of these classes.
    Rules(Vec<(String, String)>),
}

/// What becomes of features of classes that were not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Others {
    /// They are an error.
    Refused,
    /// Their pixels do not count.
    Ignored,
    /// They are not there.
    Background,
}

impl LabelClass {
    /// The values of this property are the classes; a file without it is an error.
    #[must_use]
    pub fn property(name: impl Into<String>) -> Self {
        Self::of(name.into(), Meaning::Property)
    }

    /// Every feature is of this class, whatever its properties are called.
    #[must_use]
    pub fn one(name: impl Into<String>) -> Self {
        Self::of(name.into(), Meaning::One)
    }

    /// Every feature is of this class; says so where the file has what may have been meant as their property.
    pub(crate) fn one_in_doubt(name: impl Into<String>) -> Self {
        Self::of(name.into(), Meaning::OneInDoubt)
    }

    /// The values of this property are codes of classes, several of which may be of one. The classes are in the order of the
    /// table, all of them, so that they have the same indices in every scene. Values are compared as they are read: `1` is 1
    /// and 1.0. A value that the table does not hold is an error that lists all of them, unless
    /// [`LabelClass::others_ignored`] or [`LabelClass::others_as_background`] says what becomes of its features.
    ///
    /// ```
    /// use swath::vector::LabelClass;
    /// let cover = LabelClass::table("code", [(1, "water"), (2, "road"), (3, "road")]).others_as_background();
    /// let kinds = LabelClass::table("kind", [("Wohnhaus", "building"), ("Garage", "building")]);
    /// ```
    #[must_use]
    #[doc(alias = "class_mapping")]
    #[doc(alias = "class_name_mapping")]
    pub fn table<V, C>(
        property: impl Into<String>,
        classes: impl IntoIterator<Item = (V, C)>,
    ) -> Self
    where
        V: ToString,
        C: Into<String>,
    {
        let row = |(value, class): (V, C)| (value.to_string(), class.into());
        let rows = classes.into_iter().map(row).collect();
        Self::of(property.into(), Meaning::Table(rows))
    }

    /// Conditions in OGR's SQL, as in [`crate::vector::VectorSource::filter`], each with the class of the features for which
    /// it holds: the first that holds counts, and `1 = 1` holds for what is left. The classes are in the order in which they
    /// are first named, all of them, so that they have the same indices in every scene. Features for which no condition holds
    /// are left out, so that they are background, unless [`LabelClass::others_ignored`] is called; the report counts them
    /// and says what they are.
    ///
    /// ```
    /// use swath::vector::LabelClass;
    /// let town = LabelClass::rules([
    ///     ("building IS NOT NULL", "building"),
    ///     ("highway IN ('primary', 'secondary')", "road"),
    ///     ("\"natural\" = 'water' OR waterway IS NOT NULL", "water"),
    /// ]);
    /// ```
    #[must_use]
    #[doc(alias = "class_id_to_filter")]
    pub fn rules<R, C>(rules: impl IntoIterator<Item = (R, C)>) -> Self
    where
        R: Into<String>,
        C: Into<String>,
    {
        let rule = |(condition, class): (R, C)| (condition.into(), class.into());
        let rules = rules.into_iter().map(rule).collect();
        let mut class = Self::of(String::new(), Meaning::Rules(rules));
        class.others = Others::Background;
        class
    }

    /// With named classes ([`crate::scene::Scene::with_classes`], a table, rules): features of other classes are areas that
    /// do not count, neither in training nor in scores.
    #[must_use]
    pub const fn others_ignored(mut self) -> Self {
        self.others = Others::Ignored;
        self
    }

    /// With named classes ([`crate::scene::Scene::with_classes`], a table, rules): features of other classes are left out,
    /// so that they are background.
    #[must_use]
    pub const fn others_as_background(mut self) -> Self {
        self.others = Others::Background;
        self
    }

    const fn of(word: String, meaning: Meaning) -> Self {
        Self {
            word,
            meaning,
            others: Others::Refused,
        }
    }

    /// The property's name, or the class; empty for rules.
    pub(crate) fn word(&self) -> &str {
        &self.word
    }

    /// The property that may be meant.
    pub(crate) fn asked(&self) -> Option<&str> {
        let no_property = matches!(self.meaning, Meaning::One | Meaning::Rules(_));
        (!no_property).then_some(self.word.as_str())
    }

    /// The classes of a table or of rules, in the order in which they are first named; `None` where the file names them.
    pub(crate) fn targets(&self) -> Option<Vec<String>> {
        let (Meaning::Table(rows) | Meaning::Rules(rows)) = &self.meaning else {
            return None;
        };
        let mut targets: Vec<String> = Vec::new();
        for (_, class) in rows {
            if !targets.contains(class) {
                targets.push(class.clone());
            }
        }
        Some(targets)
    }

    /// The values of a table with their classes.
    pub(super) fn table_rows(&self) -> Option<&[(String, String)]> {
        match &self.meaning {
            Meaning::Table(rows) => Some(rows),
            _ => None,
        }
    }

    /// Rules with their classes.
    pub(crate) fn rule_rows(&self) -> Option<&[(String, String)]> {
        match &self.meaning {
            Meaning::Rules(rows) => Some(rows),
            _ => None,
        }
    }

    /// Plain text means a property where classes are named.
    pub(crate) fn of_named_classes(mut self) -> Self {
        if self.meaning == Meaning::Either {
            self.meaning = Meaning::Property;
        }
        self
    }

    /// The property among `names` that is meant, and what is to be said about it. A name that differs in capitals, blanks
    /// or the form of its letters alone is the one that is meant, and so are the first ten letters of a longer name, which
    /// is all that a shapefile keeps.
    pub(crate) fn find(&self, names: &[String]) -> Found {
        if self.asked().is_none() {
            return Found::default();
        }
        let word = self.word.as_str();
        if names.iter().any(|name| name == word) {
            return Found {
                property: Some(word.to_owned()),
                notice: None,
            };
        }
        let close = |same: &dyn Fn(&str) -> bool| {
            let mut found = names.iter().filter(|name| same(name.as_str()));
            match (found.next(), found.next()) {
                (Some(one), None) => Some(one.clone()),
                _ => None,
            }
        };
        let alike = close(&|name| folded(name) == folded(word));
        let cut = || {
            let start: String = folded(word).chars().take(10).collect();
            let is_longer = word.chars().count() > 10;
            close(&|name| is_longer && folded(name) == folded(&start))
        };
        let (property, why) = match alike {
            Some(property) => (Some(property), "nothing but its spelling differs"),
            None => (cut(), "a shapefile keeps ten letters of a name"),
        };
        if let Some(property) = property {
            let text = format!("the property {property:?} was taken for {word:?}: {why}");
            let step = format!("`LabelClass::one({word:?})` makes every feature of one class");
            let step = match self.meaning {
                Meaning::Either => Notice::assumed(text).next(step),
                _ => Notice::assumed(text),
            };
            return Found {
                property: Some(property),
                notice: Some(step),
            };
        }
        // What is nearly spelled so, and what often names classes.
        let often = names
            .iter()
            .filter(|name| OFTEN.contains(&folded(name).as_str()));
        let mut candidates = near(word, names);
        for name in often {
            if !candidates.contains(name) {
                candidates.push(name.clone());
            }
        }
        let near: Vec<String> = candidates
            .into_iter()
            .map(|name| format!("{name:?}"))
            .collect();
        let doubtful = matches!(self.meaning, Meaning::Either | Meaning::OneInDoubt);
        let notice = (!near.is_empty() && doubtful).then(|| {
            let text = format!(
                "no property is called {word:?}, so every feature is of the class {word:?}; there is {}",
                near.join(", ")
            );
            Notice::noted(text).next(Step::ClassesOfProperty.to_string())
        });
        Found {
            property: None,
            notice,
        }
    }

    /// Whether the property has to be there.
    pub(crate) fn needs_property(&self) -> bool {
        matches!(self.meaning, Meaning::Property | Meaning::Table(_))
    }

    /// What to say about the values of a property that plain text turned out to be.
    pub(crate) fn values_notice(
        &self,
        property: &str,
        counts: &BTreeMap<String, usize>,
    ) -> Option<Notice> {
        if self.meaning != Meaning::Either || counts.is_empty() {
            return None;
        }
        let truths = [
            "yes", "true", "1", "y", "t", "ja", "oui", "si", "sí", "да", "是",
        ];
        let only_truth = counts
            .keys()
            .all(|value| truths.contains(&value.to_lowercase().as_str()));
        let listed = listed(counts);
        let text = match only_truth {
            true => format!(
                "the property {property:?} only says that it is so ({listed}), and its values became the classes"
            ),
            false => format!("the classes are the values of the property {property:?}: {listed}"),
        };
        let word = &self.word;
        let step = match only_truth {
            true => {
                format!("`LabelClass::one({word:?})` makes {word:?} the class of every feature")
            }
            false => format!("`LabelClass::one({word:?})` would make every feature of one class"),
        };
        Some(Notice::noted(text).next(step))
    }
}

/// Properties that often name classes, folded.
const OFTEN: [&str; 10] = [
    "class",
    "classes",
    "classname",
    "label",
    "labels",
    "category",
    "kind",
    "type",
    "landuse",
    "species",
];

impl<S: AsRef<str>> From<S> for LabelClass {
    fn from(word: S) -> Self {
        Self::of(word.as_ref().to_owned(), Meaning::Either)
    }
}

/// The property that a word means.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) property: Option<String>,
    pub(crate) notice: Option<Notice>,
}

/// `"yes" (206), "no" (3)`, the most frequent first.
pub(crate) fn listed(counts: &BTreeMap<String, usize>) -> String {
    let mut all: Vec<(&String, &usize)> = counts.iter().collect();
    all.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let shown: Vec<String> = all
        .iter()
        .take(12)
        .map(|(value, count)| format!("{value:?} ({count})"))
        .collect();
    match all.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The class of this name, in whatever form its letters are written.
pub(crate) fn index_of(classes: &crate::labels::Classes, name: &str) -> Option<usize> {
    classes.index_of(name).or_else(|| {
        let same = |class: &crate::labels::Class| composed(class.name.trim()) == name;
        classes.iter().position(same)
    })
}

/// A name without what people write in different ways: capitals, blanks around it, letters with their marks apart.
pub(crate) fn folded(name: &str) -> String {
    composed(name.trim()).to_lowercase()
}

/// The names that a slip of one or two letters makes of a word, or that belong to it without their marks.
pub(crate) fn near(word: &str, names: &[String]) -> Vec<String> {
    let word = folded(word);
    let allowed = if word.chars().count() < 5 { 1 } else { 2 };
    let is_near = |name: &&String| {
        let name = folded(name);
        levenshtein(&word, &name) <= allowed
            || (word.chars().count() > 3 && name.starts_with(&word))
    };
    names.iter().filter(is_near).take(4).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn a_name_is_found_as_people_write_it() {
        let found = |word: &str, all: &[&str]| LabelClass::from(word).find(&names(all));
        assert_eq!(
            found("kind", &["kind", "Kind"]).property.as_deref(),
            Some("kind")
        );
        assert_eq!(found("kind", &["kind"]).notice, None);
        // A word that nothing is near to, where the file has what often names classes.
        let notice = found("kind", &["height", "Class"])
            .notice
            .unwrap()
            .to_string();
        assert!(
            notice.contains("every feature is of the class \"kind\"; there is \"Class\""),
            "{notice}"
        );
        assert_eq!(found("building", &["height", "osm_id"]).notice, None);
        for (word, name) in [
            ("class", "Class"),
            ("class", " CLASS "),
            ("landcover_class", "landcover_"),
            ("Landcover_class", "LANDCOVER_"),
            ("gr\u{f6}\u{df}e", "Gro\u{308}\u{df}e"),
        ] {
            let found = found(word, &["id", name]);
            assert_eq!(found.property.as_deref(), Some(name), "{word}");
            // Marks apart from their letters are written so that they are seen.
            let told = found.notice.unwrap().to_string();
            assert!(
                told.contains(name) || told.contains(&format!("{name:?}")),
                "{told}"
            );
        }
        // Two that differ in capitals alone: neither is meant.
        assert_eq!(found("class", &["Class", "CLASS"]).property, None);
        let near = found("building", &["buildng"]);
        assert_eq!(near.property, None);
        assert!(near.notice.unwrap().to_string().contains("buildng"));
        assert_eq!(found("tree", &["id", "height"]), Found::default());
        assert_eq!(
            LabelClass::one("kind").find(&names(&["kind"])),
            Found::default()
        );
    }

    #[test]
    fn values_that_only_say_yes_are_said_to() {
        let counts = [("yes".to_owned(), 206)].into_iter().collect();
        let notice = LabelClass::from("building").values_notice("building", &counts);
        let notice = notice.unwrap().to_string();
        assert!(
            notice.contains("\"yes\" (206)") && notice.contains("LabelClass::one(\"building\")"),
            "{notice}"
        );
        assert_eq!(
            LabelClass::property("building").values_notice("building", &counts),
            None
        );
    }
}
