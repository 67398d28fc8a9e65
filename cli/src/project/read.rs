//! From text to a project.

use std::path::Path;

use super::node::{Data, Place, Table, of_file, of_set, put};
use super::section::{Reader, Section, nearest};
use super::{Problem, Project, check, sections};

/// Reads a file with the values of `--set`, and tells everything that is wrong.
pub(super) fn read(file: &Path, text: &str, set: &[String]) -> Result<Project, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut root = of_file(text, &mut problems);
    for given in set {
        let over = of_set(given, &mut problems);
        put(&mut root, over);
    }
    let mut project = Project {
        file: file.to_owned(),
        ..Project::default()
    };
    let mut places = Vec::new();
    macro_rules! read_sections {
        ($($field:ident: $section:ident),+ $(,)?) => {$(
            let word = <super::$section as Section>::WORD;
            let mut reader = Reader {
                word,
                keys: <super::$section as Section>::KEYS,
                table: take(&mut root, word, &mut problems),
                problems: &mut problems,
                places: Vec::new(),
            };
            project.$field = super::$section::read(&mut reader);
            places.extend(reader.finish().into_iter().map(|(key, place)| ((word, key.to_owned()), place)));
        )+};
    }
    read_sections!(
        scenes: ScenesSection,
        labels: LabelsSection,
        validation: ValidationSection,
        split: SplitSection,
        chips: ChipsSection,
        network: NetworkSection,
        fit: FitSection,
        outputs: OutputsSection,
    );
    project.places = places.into_iter().collect();
    for (name, place, node) in root {
        problems.push(Problem {
            place: Some(place),
            text: unknown(&name, matches!(node.data, Data::Table(_))),
        });
    }
    // What belongs together is looked at only where each value by itself is right.
    if problems.is_empty() {
        check::check(&project, &mut problems);
    }
    match problems.is_empty() {
        true => Ok(project),
        false => Err(problems),
    }
}

/// Takes a section out of the file.
fn take(root: &mut Table, word: &str, problems: &mut Vec<Problem>) -> Table {
    let Some(at) = root.iter().position(|(name, _, _)| name == word) else {
        return Table::new();
    };
    let (_, place, node) = root.remove(at);
    match node.data {
        Data::Table(table) => table,
        Data::List(items) if items.iter().any(|item| matches!(item.data, Data::Table(_))) => {
            problems.push(wrong(
                place,
                format!("there can be one [{word}], found [[{word}]] with two brackets"),
            ));
            Table::new()
        }
        _ => {
            problems.push(wrong(
                place,
                format!(
                    "`{word}` is a section, [{word}] on a line of its own, found {}",
                    node.shown()
                ),
            ));
            Table::new()
        }
    }
}

fn wrong(place: Place, text: String) -> Problem {
    Problem {
        place: Some(place),
        text,
    }
}

/// Says what may be meant by a name that is no section.
fn unknown(name: &str, is_section: bool) -> String {
    let all = sections();
    let of =
        |(_, _, keys): &&(&str, &[&str], &[super::Key])| keys.iter().any(|key| key.is_called(name));
    if !is_section && let Some((word, _, _)) = all.iter().find(of) {
        return format!("`{name}` stands outside of the sections: it is a key of [{word}]");
    }
    let start = match is_section {
        true => format!("unknown section [{name}]"),
        false => format!("unknown key `{name}` outside of the sections"),
    };
    let words: Vec<&str> = all.iter().map(|(word, _, _)| *word).collect();
    match nearest(name, words.iter().copied()) {
        Some(near) => format!("{start}: did you mean [{near}]?"),
        None => format!("{start}: the sections are {}", words.join(", ")),
    }
}
