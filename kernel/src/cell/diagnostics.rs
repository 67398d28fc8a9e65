//! Reads rustc's JSON messages: types of new variables, and errors that only mean that a variable was moved away.

use std::collections::BTreeMap;

use serde::Deserialize;

use swath_link::exchange::{BACK_MARK, NewVariable, PUT_MARK};

/// Codes of errors that our own lines get when the cell has moved a variable, or may not have given it a value.
const MOVED_CODES: [&str; 5] = ["E0382", "E0505", "E0381", "E0507", "E0509"];
/// Codes of errors that a line which keeps a variable gets when there is no such variable: a macro did not bind the
/// name, a `let` was compiled away, a capital name is a constant's.
const ABSENT_CODES: [&str; 5] = ["E0425", "E0308", "E0530", "E0005", "E0423"];
/// How rustc's `dropping_references` lint begins to tell a type.
const TYPE_LABEL: &str = "argument has type `&";

/// One message of rustc, as far as we read it, and the whole of it.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Message {
    #[serde(default)]
    level: String,
    #[serde(default)]
    pub(crate) message: String,
    #[serde(default)]
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(skip)]
    pub(crate) json: String,
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Span {
    line_start: usize,
    is_primary: bool,
    label: Option<String>,
}

impl Message {
    /// Whether it is an error with something to say; `aborting due to…` only sums up.
    pub(crate) fn is_error(&self) -> bool {
        self.level.starts_with("error")
            && !(self.spans.is_empty() && self.message.starts_with("aborting due to"))
    }

    /// Whether the compiler failed, not the cell.
    pub(crate) fn is_internal(&self) -> bool {
        self.level == "error: internal compiler error"
            // A library or toolchain that was replaced: cargo may still manage.
            || self.code.as_ref().is_some_and(|code| ["E0460", "E0461", "E0514", "E0786"].contains(&code.code.as_str()))
    }
}

/// All messages on rustc's standard error.
pub(crate) fn parse(stderr: &[u8]) -> Vec<Message> {
    let text = String::from_utf8_lossy(stderr);
    text.lines()
        .filter_map(|line| {
            let mut message: Message = serde_json::from_str(line).ok()?;
            line.clone_into(&mut message.json);
            Some(message)
        })
        .collect()
}

/// The name after `mark` at the end of a generated line.
pub(crate) fn marked<'a>(line: &'a str, mark: &str) -> Option<&'a str> {
    Some(line[line.rfind(mark)? + mark.len()..].trim_end())
}

/// The types of the variables that the cell keeps, from the lint that fires on `drop(&variable)`.
pub(crate) fn types_of_variables(messages: &[Message], source: &str) -> Vec<NewVariable> {
    let lines: Vec<&str> = source.lines().collect();
    let mut variables: Vec<NewVariable> = Vec::new();
    for message in messages {
        let is_lint = message
            .code
            .as_ref()
            .is_some_and(|code| code.code == "dropping_references");
        for span in message.spans.iter().filter(|_| is_lint) {
            let name = lines
                .get(span.line_start.wrapping_sub(1))
                .and_then(|line| marked(line, PUT_MARK));
            let type_name = span.label.as_deref().and_then(type_in_label);
            if let (Some(name), Some(type_name)) = (name, type_name) {
                let (own, exported) = RENAMED;
                variables.push(NewVariable {
                    name: name.to_owned(),
                    type_name: type_name.replace(own, exported),
                    problem: None,
                });
            }
        }
    }
    variables
}

/// Warnings of values that must be used and are not, as rustc's JSON.
pub(crate) fn unused_results(messages: &[Message]) -> Vec<String> {
    let is_unused = |message: &&Message| {
        let code = message.code.as_ref();
        code.is_some_and(|code| code.code == "unused_must_use")
    };
    let unused = messages.iter().filter(is_unused);
    unused.map(|message| message.json.clone()).collect()
}

/// A crate that the library re-exports under another name: rustc writes its own name behind the library's, where nobody
/// can reach it.
const RENAMED: (&str, &str) = ("swath::swath_boxes::", "swath::boxes::");

fn type_in_label(label: &str) -> Option<&str> {
    let rest = &label[label.find(TYPE_LABEL)? + TYPE_LABEL.len()..];
    rest.strip_suffix('`')
}

/// The lines of ours (counted from one, with their variables) that got errors because the cell moved the variable;
/// `None` when there is any other error.
pub(crate) fn moved_variables(
    errors: &[&Message],
    source: &str,
) -> Option<BTreeMap<usize, String>> {
    let lines: Vec<&str> = source.lines().collect();
    errors
        .iter()
        .map(|error| moved_variable(error, &lines))
        .collect()
}

/// The line of the main place of a message.
pub(crate) fn line(message: &Message) -> Option<usize> {
    let primary = message.spans.iter().find(|span| span.is_primary)?;
    Some(primary.line_start)
}

fn moved_variable(error: &Message, lines: &[&str]) -> Option<(usize, String)> {
    let code = &error.code.as_ref()?.code;
    let primary = error.spans.iter().find(|span| span.is_primary)?;
    let on_our_line = |line: usize| {
        let line = lines.get(line.wrapping_sub(1))?;
        marked(line, PUT_MARK).or_else(|| marked(line, BACK_MARK))
    };
    let name = on_our_line(primary.line_start)?;
    let line = lines.get(primary.line_start.wrapping_sub(1))?;
    let keeps = marked(line, PUT_MARK).is_some();
    let is_known =
        MOVED_CODES.contains(&code.as_str()) || (keeps && ABSENT_CODES.contains(&code.as_str()));
    is_known.then_some(())?;
    Some((primary.line_start, name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "let scene = open();\ndrop(&scene); put(\"scene\", scene); //@put scene\n";

    #[test]
    fn the_type_of_a_variable_is_read_from_the_lint() {
        let json = r#"{"level":"warning","message":"calls to `std::mem::drop`","code":{"code":"dropping_references"},
            "spans":[{"line_start":2,"is_primary":false,"label":"argument has type `&swath::burn::Tensor<2>`"}]}"#;
        let variables = types_of_variables(&parse(json.replace('\n', "").as_bytes()), SOURCE);
        assert_eq!(
            variables,
            [NewVariable {
                name: "scene".to_owned(),
                type_name: "swath::burn::Tensor<2>".to_owned(),
                problem: None,
            }]
        );
    }

    #[test]
    fn types_of_a_crate_that_was_renamed_are_written_as_cells_reach_them() {
        let json = r#"{"level":"warning","message":"calls to `std::mem::drop`","code":{"code":"dropping_references"},
            "spans":[{"line_start":2,"is_primary":false,
            "label":"argument has type `&std::vec::Vec<swath::swath_boxes::score::Matching>`"}]}"#;
        let variables = types_of_variables(&parse(json.replace('\n', "").as_bytes()), SOURCE);
        let types: Vec<&str> = variables.iter().map(|one| one.type_name.as_str()).collect();
        assert_eq!(types, ["std::vec::Vec<swath::boxes::score::Matching>"]);
    }

    #[test]
    fn a_move_is_told_apart_from_an_error_of_the_user() {
        let error = |code: &str, line: usize| {
            let json = format!(
                r#"{{"level":"error","message":"m","code":{{"code":"{code}"}},
                "spans":[{{"line_start":{line},"is_primary":true,"label":null}}]}}"#
            );
            parse(json.replace('\n', "").as_bytes()).remove(0)
        };
        let moved = error("E0382", 2);
        assert_eq!(
            moved_variables(&[&moved], SOURCE),
            Some(BTreeMap::from([(2, "scene".to_owned())]))
        );
        assert_eq!(
            moved_variables(&[&moved, &error("E0382", 1)], SOURCE),
            None,
            "the user's own use after a move"
        );
        assert_eq!(moved_variables(&[&error("E0277", 2)], SOURCE), None);
        assert!(
            moved_variables(&[&error("E0425", 2)], SOURCE).is_some(),
            "a name that nothing has bound"
        );
    }
}
