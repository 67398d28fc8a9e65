//! The parts of a value by their names, read from its `{:#?}` text: how options show what is set, without knowing them.

use std::any::type_name;
use std::fmt::Debug;

use super::html::{facts_html, table_html, table_text};
use super::{COLUMNS, Output, Show, escape, in_font, lists, type_word};

/// Characters of a value that are shown.
const WIDEST: usize = 76;
/// Characters of a value that is itself made of fields; those of a longer one are shown as the value's own.
const WIDEST_PART: usize = 60;
/// What an option shows that nobody has set.
const NOT_SET: &str = "–";

/// A value's name and the parts that it is made of.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    /// `FitOptions`, `Loss::Focal`, or the whole text of a value without named parts.
    name: String,
    fields: Vec<(String, String)>,
}

impl Parts {
    fn facts(&self) -> Vec<(&str, String)> {
        let fields = self.fields.iter();
        fields
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect()
    }
}

/// A heading with the type's name, and a row for each field.
///
/// The functions with a type parameter stay thin, here and in [`super::records`]: they are compiled once for each type.
pub(crate) fn output<T: Debug>(value: &T) -> Output {
    output_of(value, type_name::<T>())
}

fn output_of(value: &dyn Debug, type_name: &str) -> Output {
    let parts = parts(value, type_name);
    titled(&parts.name, &parts.facts())
}

/// The same under another heading than the type's.
pub(crate) fn titled_output<T: Debug>(title: &str, value: &T) -> Output {
    let parts = parts(value, type_name::<T>());
    match parts.fields.is_empty() {
        true => titled(&parts.name, &[]),
        false => titled(title, &parts.facts()),
    }
}

/// A value whose fields are read from its text, and that shows itself.
trait Fields: Debug + Show {}

impl<T: Debug + Show> Fields for T {}

/// The same for several: a line for each that has no fields, otherwise a table with their fields as columns, where that fits
/// a screen.
pub(crate) fn outputs<T: Debug + Show>(values: &[&T]) -> Output {
    let mut shown: Vec<&dyn Fields> = Vec::new();
    for value in lists::rows(values) {
        shown.push(*value);
    }
    outputs_of(&shown, values.len(), type_name::<T>())
}

/// Of the first of `all` values.
fn outputs_of(values: &[&dyn Fields], all: usize, type_name: &str) -> Output {
    let table = table(values, type_name);
    match table
        .text
        .lines()
        .all(|line| line.chars().count() <= COLUMNS)
    {
        true => lists::counted(table, values.len(), all),
        false => {
            let values: Vec<&dyn Show> = values.iter().map(|value| *value as &dyn Show).collect();
            lists::numbered(&values, all)
        }
    }
}

fn table(values: &[&dyn Fields], type_name: &str) -> Output {
    let parts: Vec<Parts> = (values.iter())
        .map(|value| parts(value, type_name))
        .collect();
    let mut heads = vec![String::new(), type_word(type_name)];
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in parts.iter().flat_map(|parts| &parts.fields) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    heads.extend(names.iter().map(|name| (*name).to_owned()));
    let rows = parts.iter().enumerate().map(|(index, parts)| {
        let mut row = vec![index.to_string(), parts.name.clone()];
        row.extend(names.iter().map(|name| {
            let field = parts.fields.iter().find(|(field, _)| field == name);
            field.map_or_else(String::new, |(_, value)| shortened(value, 30))
        }));
        row
    });
    tabled(&heads, &rows.collect::<Vec<_>>())
}

/// A heading and facts.
pub(crate) fn titled(title: &str, facts: &[(&str, String)]) -> Output {
    if facts.is_empty() {
        return Output::styled(title, escape(title));
    }
    let rows: Vec<Vec<String>> = (facts.iter())
        .map(|(name, value)| vec![format!("  {name}"), value.clone()])
        .collect();
    // Without a heading of its own; numbers stand at the left like the words among them.
    let widest = facts.iter().map(|(name, _)| name.chars().count()).max();
    let lines = rows.iter().map(|row| {
        let (name, value) = (&row[0], &row[1]);
        format!("{name:<width$}  {value}", width = widest.unwrap_or(0) + 2)
    });
    let lines: Vec<String> = lines.collect();
    Output {
        text: format!("{title}\n{}", lines.join("\n")),
        html: Some(in_font(format!(
            "<b>{}</b>{}",
            escape(title),
            facts_html(facts)
        ))),
        ..Output::default()
    }
}

/// A table in both forms.
pub(crate) fn tabled(heads: &[String], rows: &[Vec<String>]) -> Output {
    let heads: Vec<&str> = heads.iter().map(String::as_str).collect();
    Output::styled(table_text(&heads, rows), table_html(&heads, rows))
}

/// Reads `Name {`, a line for each field with its value behind it, and `}`.
fn parts(value: &dyn Debug, type_name: &str) -> Parts {
    let text = format!("{value:#?}");
    let type_word = type_word(type_name);
    // The name of the definition, where people write another one: `OptionsFor` for `PredictOptions`.
    let defined = type_name.split('<').next().unwrap_or(type_name);
    let defined = defined.rsplit("::").next().unwrap_or(defined);
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let named = |name: &str| match name == type_word || name == defined || name.is_empty() {
        true => type_word.clone(),
        false => format!("{type_word}::{name}"),
    };
    let Some(name) = first.strip_suffix(" {") else {
        return Parts {
            name: shortened(&named(&on_one_line(&text)), WIDEST),
            fields: Vec::new(),
        };
    };
    let body: Vec<&str> = lines.take_while(|line| *line != "}").collect();
    let mut fields = Vec::new();
    for (name, value) in fields_of(&body) {
        flatten(&name, &value, &mut fields);
    }
    Parts {
        name: named(name),
        fields,
    }
}

/// The fields between the braces of a `{:#?}` text, each with all its lines.
fn fields_of(body: &[&str]) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in body {
        let field = line.strip_prefix("    ").unwrap_or(line);
        match field.split_once(": ") {
            Some((name, value)) if !field.starts_with([' ', '}', ']', ')']) => {
                fields.push((name.to_owned(), value.to_owned()));
            }
            _ => {
                if let Some((_, value)) = fields.last_mut() {
                    value.push('\n');
                    value.push_str(field);
                }
            }
        }
    }
    fields
}

/// Adds a field; one that is itself made of many adds those.
fn flatten(name: &str, value: &str, fields: &mut Vec<(String, String)>) {
    let line = plain(&on_one_line(value));
    if value.starts_with("PhantomData") {
        return;
    }
    let mut lines: Vec<&str> = value.lines().collect();
    // What stands in a `Some` is as good as without it.
    if let ["Some(", inner @ .., ")," | ")"] = lines.as_slice() {
        let inner = inner
            .iter()
            .map(|line| line.strip_prefix("    ").unwrap_or(line));
        lines = inner.collect();
    }
    if line.chars().count() > WIDEST_PART
        && let [first, body @ .., "}," | "}"] = lines.as_slice()
        && first.ends_with(" {")
    {
        for (name, value) in fields_of(body) {
            flatten(&name, &value, fields);
        }
        return;
    }
    // A list of things with fields of their own: how many.
    if let ["[", inner @ .., "]," | "]"] = lines.as_slice() {
        let of = |line: &&str| {
            let name = line.strip_prefix("    ")?.strip_suffix(" {")?;
            (!name.starts_with(' ')).then(|| name.to_owned())
        };
        let parts: Vec<String> = inner.iter().filter_map(of).collect();
        if let Some(part) = parts.first() {
            let count = super::records::count(parts.len());
            fields.push((words(name), format!("{count} of {part}")));
            return;
        }
    }
    let is_struct = line.ends_with(" }") && line.contains(" { ");
    let line = match is_struct {
        true => line.replace(" { ", " (").replace(" }", ")"),
        false => line,
    };
    fields.push((words(name), shortened(&line, WIDEST)));
}

/// A field's name as words.
fn words(name: &str) -> String {
    name.trim_start_matches("r#").replace('_', " ")
}

/// The `{:?}` form of a `{:#?}` text.
fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for piece in text.lines().map(str::trim) {
        let opens = line.ends_with(['(', '[']);
        let closes = piece.starts_with([')', ']', '}']);
        if closes && line.ends_with(',') {
            line.pop();
        }
        let joined = line.is_empty() || opens || piece.starts_with([')', ']']);
        line.push_str(if joined { "" } else { " " });
        line.push_str(piece);
    }
    line.trim_end_matches(',').to_owned()
}

/// What an option holds: `0.01` for `Some(0.01)`, a dash for `None`.
fn plain(value: &str) -> String {
    match value {
        "None" => return NOT_SET.to_owned(),
        "[]" | "{}" | "\"\"" => return NOT_SET.to_owned(),
        "true" => return "yes".to_owned(),
        "false" => return "no".to_owned(),
        _ => {}
    }
    let inside = value
        .strip_prefix("Some(")
        .and_then(|rest| rest.strip_suffix(')'));
    inside.map_or_else(|| value.to_owned(), plain)
}

/// The first characters, with a sign when there are more.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "their text is read")]
    enum Shape {
        Plain,
        Round { radius: f64 },
        Named(String),
    }

    crate::display::show_fields!(Shape);

    #[derive(Debug)]
    #[expect(dead_code, reason = "its text is read")]
    struct Choice {
        rate: Option<f64>,
        batch_size: usize,
        weights: Vec<f64>,
        none: Option<f64>,
        shape: Shape,
        part: Option<Part>,
        parts: Vec<Part>,
        pair: (u8, String),
        quiet: bool,
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "its text is read")]
    struct Part {
        first_of_its_fields: &'static str,
        second_of_its_fields: usize,
    }

    #[test]
    fn options_show_their_fields_and_what_is_not_set() {
        let choice = Choice {
            rate: Some(0.01),
            batch_size: 8,
            weights: vec![1.0, 2.5],
            none: None,
            shape: Shape::Round { radius: 2.0 },
            part: Some(Part {
                first_of_its_fields: "something",
                second_of_its_fields: 5,
            }),
            parts: vec![
                Part {
                    first_of_its_fields: "a",
                    second_of_its_fields: 1,
                },
                Part {
                    first_of_its_fields: "b",
                    second_of_its_fields: 2,
                },
            ],
            pair: (1, "a: {b,\n".to_owned()),
            quiet: false,
        };
        let output = output(&choice);
        assert_eq!(
            output.text,
            "Choice\n  rate                  0.01\n  batch size            8\n  \
             weights               [1.0, 2.5]\n  none                  –\n  \
             shape                 Round (radius: 2.0)\n  first of its fields   \"something\"\n  \
             second of its fields  5\n  parts                 2 of Part\n  pair                  (1, \"a: {b,\\n\")\n  quiet                 no"
        );
        assert!(
            output
                .html
                .is_some_and(|html| html.contains("<b>Choice</b>"))
        );
    }

    #[test]
    fn a_choice_among_names_says_which_type_it_is_of() {
        assert_eq!(output(&Shape::Plain).text, "Shape::Plain");
        assert_eq!(
            output(&Shape::Named("x".into())).text,
            "Shape::Named(\"x\")"
        );
        assert_eq!(
            output(&Shape::Round { radius: 1.5 }).text,
            "Shape::Round\n  radius  1.5"
        );
        let shapes = [Shape::Plain, Shape::Round { radius: 1.5 }];
        assert_eq!(
            outputs(&shapes.iter().collect::<Vec<_>>()).text,
            "   Shape         radius\n0  Shape::Plain\n1  Shape::Round     1.5"
        );
    }

    #[test]
    fn long_values_are_cut() {
        let text = output(&Shape::Named("x".repeat(1_000))).text;
        assert!(
            text.ends_with('…') && text.chars().count() == WIDEST,
            "{text}"
        );
    }
}
