//! `aliases.txt`: the words that other libraries have for our methods, one a line as `TYPE WORD METHOD`, for programs that
//! explain errors. rustc suggests a method by its `#[doc(alias)]` only within the method's own crate; completion and the
//! documentation's search know it everywhere.

use std::collections::BTreeSet;
use std::path::Path;

use swath_link::types::BY_TASK;

const KNOWN: &str = include_str!("aliases.txt");

/// The names of a type as an `impl` names it: `Model<T>` is `Segmenter`, `Detector` and `Classifier`.
fn names(written: &str) -> Vec<&str> {
    let (name, parameter) = written.split_once('<').unwrap_or((written, ""));
    let by_task = BY_TASK.iter().find(|(generic, _)| *generic == name);
    match (by_task, parameter) {
        (None, _) => vec![name],
        (Some((_, [maps, ..])), "Segmentation>") => vec![maps],
        (Some((_, [_, boxes, _])), "ObjectDetection>") => vec![boxes],
        (Some((_, [.., cells])), "ChipClassification>") => vec![cells],
        (Some((_, all)), _) => all.to_vec(),
    }
}

/// `TYPE WORD METHOD` of every alias in the sources of a folder.
fn aliases(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            aliases(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            of_file(&std::fs::read_to_string(&path).unwrap(), found);
        }
    }
}

fn of_file(text: &str, found: &mut BTreeSet<String>) {
    let (mut owners, mut words) = (Vec::new(), Vec::new());
    let until = |text: &'static str| move |letter: char| text.contains(letter);
    for line in text.lines() {
        if line.starts_with("impl") {
            let named = line
                .trim_end_matches(" {")
                .rsplit(' ')
                .next()
                .unwrap_or_default();
            owners = names(named);
        }
        let line = line.trim();
        if let Some(word) = line.strip_prefix("#[doc(alias = \"") {
            words.push(word.split(until("\"")).next().unwrap_or_default());
        } else if let Some((_, name)) = line.split_once("fn ").filter(|_| line.starts_with("pub "))
        {
            let name = name.split(until("<(")).next().unwrap_or_default();
            for word in words.drain(..) {
                let of = |owner: &&str| format!("{owner} {word} {name}");
                found.extend(owners.iter().map(of));
            }
        }
    }
}

#[test]
fn the_list_of_aliases_is_that_of_the_sources() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    aliases(&source, &mut found);
    let text: String = found.iter().map(|line| format!("{line}\n")).collect();
    if text != KNOWN && std::env::var_os("SWATH_UPDATE").is_some() {
        std::fs::write(source.join("aliases.txt"), &text).unwrap();
    }
    let known: BTreeSet<String> = KNOWN.lines().map(str::to_owned).collect();
    let differing: Vec<_> = known.symmetric_difference(&found).collect();
    assert!(
        differing.is_empty(),
        "run this test with SWATH_UPDATE=1: {differing:?}"
    );
    for line in [
        "FitOptions learning_rate lr",
        "Scene imshow show_bands",
        "Segmenter load_model load",
    ] {
        assert!(known.contains(line), "{line}");
    }
    // One word leads to one method of a type.
    let words: BTreeSet<_> = known
        .iter()
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(word, _)| word)
        .collect();
    assert_eq!(words.len(), known.len());
}

#[test]
fn the_names_of_a_task_are_those_that_the_kernel_writes() {
    use crate::models::{ChipClassification, ObjectDetection, Segmentation, Task};
    let names = |generic: &str| BY_TASK.iter().find(|(it, _)| *it == generic).unwrap().1;
    assert_eq!(
        names("Model"),
        [
            Segmentation::MODEL,
            ObjectDetection::MODEL,
            ChipClassification::MODEL
        ]
    );
    assert_eq!(
        names("Blueprint"),
        [
            Segmentation::ARCHITECTURE,
            ObjectDetection::ARCHITECTURE,
            ChipClassification::ARCHITECTURE
        ]
    );
}
