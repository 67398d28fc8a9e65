//! Names of types as people write them, in the kernel and in cells.

use std::borrow::Cow;

/// The library's types of a task, and the names that people write for them: with segmentation, detection, classification.
pub const BY_TASK: [(&str, [&str; 3]); 6] = [
    ("Model", ["Segmenter", "Detector", "Classifier"]),
    (
        "Blueprint",
        [
            "Architecture",
            "DetectorArchitecture",
            "ClassifierArchitecture",
        ],
    ),
    (
        "OptionsFor",
        [
            "PredictOptions",
            "DetectionOptions",
            "ClassificationOptions",
        ],
    ),
    (
        "Ensemble",
        ["Ensemble", "DetectorEnsemble", "ClassifierEnsemble"],
    ),
    (
        "Predictions",
        [
            "Predictions",
            "DetectorPredictions",
            "ClassifierPredictions",
        ],
    ),
    (
        "ScenesScores",
        [
            "ScenesScores",
            "DetectorScenesScores",
            "ClassifierScenesScores",
        ],
    ),
];

/// The tasks, in the order of these names.
const TASKS: [&str; 3] = ["Segmentation", "ObjectDetection", "ChipClassification"];

/// A text with the names that people write for types of a task: `Segmenter` for `swath::models::Model<Segmentation>`.
///
/// `own` says whether a name without a path is the user's own type.
#[must_use]
pub fn with_task_names(text: &str, own: impl Fn(&str) -> bool) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (generic, names) in BY_TASK {
        let is_own = own(generic);
        // A message about a method that no task has names the parameter.
        let either = names.join("` or `");
        let written = TASKS.into_iter().zip(names);
        for (task, name) in written.chain([("T", either.as_str())]) {
            for task in [task, &format!("swath::models::{task}")] {
                let written = format!("{generic}<{task}>");
                let found: Vec<usize> = text.match_indices(&written).map(|(at, _)| at).collect();
                for at in found.into_iter().rev() {
                    let path = text[..at].trim_end_matches(|it: char| {
                        it.is_alphanumeric() || it == '_' || it == ':'
                    });
                    // `MyModel<Segmentation>` and `mine::Model<T>` are other types.
                    let start = match &text[path.len()..at] {
                        "" if !is_own => at,
                        path if path.starts_with("swath::") && path.ends_with("::") => {
                            at - path.len()
                        }
                        _ => continue,
                    };
                    text.to_mut().replace_range(start..at + written.len(), name);
                }
            }
        }
    }
    text
}

/// A type's name without the modules of the types in it: `Run<Detector>` for
/// `swath::prelude::Run<swath::models::Model<swath::models::ObjectDetection>>`.
#[must_use]
pub fn short_type(name: &str) -> String {
    with_task_names(&without_modules(name), |_| false).into_owned()
}

fn without_modules(name: &str) -> String {
    let mut short = String::with_capacity(name.len());
    // Where the word that is being read starts in `short`.
    let mut word = 0;
    let mut rest = name;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::")
            && short.len() > word
            && after.starts_with(|next: char| next.is_alphabetic() || next == '_')
        {
            short.truncate(word);
            rest = after;
            continue;
        }
        short.push(next);
        if !(next.is_alphanumeric() || next == '_') {
            word = short.len();
        }
        rest = &rest[next.len_utf8()..];
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_lose_their_modules_and_nothing_else() {
        for (name, short) in [
            ("u32", "u32"),
            (
                "swath::prelude::Run<swath::prelude::Detector>",
                "Run<Detector>",
            ),
            (
                "swath::prelude::Run<swath::models::Model<swath::models::ObjectDetection>>",
                "Run<Detector>",
            ),
            (
                "std::vec::Vec<swath::models::Blueprint<swath::models::Segmentation>>",
                "Vec<Architecture>",
            ),
            ("swath::models::Model<my::Task>", "Model<Task>"),
            (
                "MyModel<swath::models::Segmentation>",
                "MyModel<Segmentation>",
            ),
            (
                "std::vec::Vec<(u8, alloc::string::String)>",
                "Vec<(u8, String)>",
            ),
            (
                "&'static [core::option::Option<f64>; 3]",
                "&'static [Option<f64>; 3]",
            ),
            ("<a::B as c::D>::E", "<B as D>::E"),
            ("fn(std::path::PathBuf) -> bool", "fn(PathBuf) -> bool"),
        ] {
            assert_eq!(short_type(name), short);
        }
    }

    #[test]
    fn messages_name_types_of_a_task_as_people_do() {
        assert_eq!(
            with_task_names(
                "no method named `x` found for struct `swath::models::Model<T>`",
                |_| true
            ),
            "no method named `x` found for struct `Segmenter` or `Detector` or `Classifier`"
        );
        let message = "no method named `x` found for struct `Model<swath::models::Segmentation>`: expected \
                       `&Blueprint<swath::models::ObjectDetection>`, found `swath::models::Model<Segmentation>` or \
                       `MyModel<Segmentation>`";
        assert_eq!(
            with_task_names(message, |_| false),
            "no method named `x` found for struct `Segmenter`: expected `&DetectorArchitecture`, found `Segmenter` or \
             `MyModel<Segmentation>`"
        );
        assert!(matches!(
            with_task_names("nothing", |_| false),
            Cow::Borrowed(_)
        ));
    }

    #[test]
    fn a_type_of_one_s_own_keeps_its_name() {
        for message in [
            "no method named `fit` found for struct `Model<T>` in the current scope",
            "the trait bound `Ensemble<T>: Clone` is not satisfied",
            "expected `Model<Segmentation>`, found `u8`",
        ] {
            assert_eq!(with_task_names(message, |_| true), message);
            assert_ne!(with_task_names(message, |_| false), message);
        }
        let message =
            "no method named `fit` found for struct `mine::Model<T>` in the current scope";
        assert_eq!(with_task_names(message, |_| false), message);
    }
}
