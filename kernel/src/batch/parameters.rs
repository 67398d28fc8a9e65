//! Parameters of a notebook: values of the command line as Rust, and the cell that sets them, as papermill does it with
//! `python/swath-papermill`.

use std::fmt::Write as _;

use serde_json::Value;

use super::notebook::{Cell, Notebook};

/// The tag of the cell with the notebook's own values.
const OWN: &str = "parameters";
/// The tag of the cell that sets others.
const INJECTED: &str = "injected-parameters";
/// Has the kernel give each value the type that its name has: see `magics/parameters.rs`.
const HEAD: &str =
    "// %%parameters: each value takes the type that its name has in this notebook\n// Parameters";

/// Words that no variable can be called, and those that can with `r#` before them.
const NEVER: [&str; 5] = ["crate", "self", "super", "Self", "_"];
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn",
    "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let",
    "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return",
    "static", "struct", "trait", "true", "try", "type", "typeof", "unsafe", "unsized", "use",
    "virtual", "where", "while", "yield",
];

/// A value of the command line.
pub(super) fn value(text: &str) -> Value {
    match text.trim() {
        "True" => return Value::Bool(true),
        "False" => return Value::Bool(false),
        "None" => return Value::Null,
        _ => {}
    }
    serde_json::from_str(text.trim()).unwrap_or_else(|_| Value::from(text))
}

/// Sets the parameters in a cell behind that of the notebook's own, or above all cells. What an earlier run has injected goes.
/// Returns what a person should know.
///
/// # Errors
/// When a name is none that the notebook has or Rust can have, or a value cannot be written in Rust.
pub(super) fn inject(
    notebook: &mut Notebook,
    parameters: &[(String, Value)],
) -> Result<Option<String>, String> {
    notebook.cells.retain(|cell| !cell.has_tag(INJECTED));
    if parameters.is_empty() {
        return Ok(None);
    }
    let own = notebook
        .cells
        .iter()
        .position(|cell| cell.is_code() && cell.has_tag(OWN));
    if let Some(own) = own {
        let declared = declared(&notebook.cells[own].source());
        for (name, _) in parameters {
            if !declared.contains(name) {
                return Err(unknown(name, &declared));
            }
        }
    }
    let mut source = HEAD.to_owned();
    for (name, value) in parameters {
        let name = variable(name)?;
        // Writing to a String cannot fail.
        let _ = write!(
            source,
            "\nlet {name} = {}; // {}",
            rust(value)?,
            kind(value)
        );
    }
    let at = own.map_or(0, |own| own + 1);
    notebook.cells.insert(at, Cell::code(&source, &[INJECTED]));
    Ok(own.is_none().then(|| {
        format!("no cell of the notebook has the tag `{OWN}`: the parameters stand above all cells")
    }))
}

fn unknown(name: &str, declared: &[String]) -> String {
    let near = declared
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .min()
        .filter(|(distance, known)| distance * 3 <= known.len().max(name.len()));
    let all = declared.join(", ");
    match near {
        Some((_, near)) => {
            format!("the notebook has no parameter `{name}`: did you mean `{near}`? It has {all}")
        }
        None if declared.is_empty() => {
            format!(
                "the notebook has no parameter `{name}`: its cell with the tag `{OWN}` declares none"
            )
        }
        None => format!("the notebook has no parameter `{name}`; it has {all}"),
    }
}

/// The names that a cell declares.
fn declared(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    // What a magic stands for declares nothing that papermill would know.
    let words: Vec<&str> = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| {
            line.split(|letter: char| !(letter.is_alphanumeric() || "_#".contains(letter)))
        })
        .filter(|word| !word.is_empty())
        .collect();
    for pair in words.windows(3) {
        let name = match pair {
            ["let" | "static", "mut", name] => name,
            ["let" | "const" | "static", name, _] if *name != "mut" => name,
            _ => continue,
        };
        let name = name.trim_start_matches("r#").to_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The name as Rust writes it.
fn variable(name: &str) -> Result<String, String> {
    let mut letters = name.chars();
    let begins = letters
        .next()
        .is_some_and(|first| first.is_alphabetic() || first == '_');
    if !begins
        || !letters.all(|letter| letter.is_alphanumeric() || letter == '_')
        || NEVER.contains(&name)
    {
        return Err(format!(
            "the parameter {name:?} cannot be the name of a variable in Rust: use letters, digits and `_`, a letter first"
        ));
    }
    Ok(match KEYWORDS.contains(&name) {
        true => format!("r#{name}"),
        false => name.to_owned(),
    })
}

/// What Python calls the type of a value: papermill writes it behind each.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// A value as Rust.
fn rust(value: &Value) -> Result<String, String> {
    Ok(match value {
        Value::Null => "None::<f64>".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => integer(whole.into()),
            None => match number.as_u64() {
                Some(whole) => integer(whole.into()),
                None => real(number.as_f64().unwrap_or(f64::NAN)),
            },
        },
        Value::String(text) => match text.as_str() {
            "nan" | "NaN" => "f64::NAN".to_owned(),
            "inf" => "f64::INFINITY".to_owned(),
            "-inf" => "-f64::INFINITY".to_owned(),
            text => format!("{text:?}"),
        },
        Value::Array(values) if values.is_empty() => "Vec::<f64>::new()".to_owned(),
        Value::Array(values) => match alike(values)? {
            Some(written) => format!("vec![{}]", written.join(", ")),
            // Values of several types are a tuple, in Rust.
            None => {
                let parts = values.iter().map(rust).collect::<Result<Vec<_>, _>>()?;
                format!("({},)", parts.join(", "))
            }
        },
        Value::Object(map) => {
            let values: Vec<Value> = map.values().cloned().collect();
            match alike(&values)? {
                Some(written) if !map.is_empty() => {
                    let pairs: Vec<String> = (map.keys().zip(written))
                        .map(|(key, value)| format!("({key:?}, {value})"))
                        .collect();
                    format!("std::collections::BTreeMap::from([{}])", pairs.join(", "))
                }
                _ => format!("{:?}", value.to_string()),
            }
        }
    })
}

fn integer(whole: i128) -> String {
    match i32::try_from(whole) {
        Ok(whole) => whole.to_string(),
        Err(_) => match i64::try_from(whole) {
            Ok(whole) => format!("{whole}_i64"),
            Err(_) => format!("{whole}_i128"),
        },
    }
}

fn real(value: f64) -> String {
    format!("{value:?}")
}

/// Values as Rust can hold them in one array: whole numbers among floats become floats, large ones take the others with
/// them. `None` when they have no type in common.
fn alike(values: &[Value]) -> Result<Option<Vec<String>>, String> {
    let all = |is: fn(&Value) -> bool| values.iter().all(is);
    if all(Value::is_number) {
        let whole = |value: &Value| {
            value
                .as_i64()
                .map(i128::from)
                .or(value.as_u64().map(i128::from))
        };
        let wholes: Option<Vec<i128>> = values.iter().map(whole).collect();
        return Ok(Some(match wholes {
            Some(wholes) if wholes.iter().all(|it| i32::try_from(*it).is_ok()) => {
                wholes.iter().map(ToString::to_string).collect()
            }
            Some(wholes) => {
                let bits = match wholes.iter().all(|it| i64::try_from(*it).is_ok()) {
                    true => 64,
                    false => 128,
                };
                wholes.iter().map(|it| format!("{it}_i{bits}")).collect()
            }
            None => values
                .iter()
                .map(|it| real(it.as_f64().unwrap_or(f64::NAN)))
                .collect(),
        }));
    }
    if all(Value::is_boolean) || all(Value::is_string) {
        return values
            .iter()
            .map(rust)
            .collect::<Result<Vec<_>, _>>()
            .map(Some);
    }
    if all(Value::is_array) {
        let parts = values.iter().map(rust).collect::<Result<Vec<_>, _>>()?;
        // Lists within the list have one type when each is a list.
        return Ok(parts
            .iter()
            .all(|part| part.starts_with("vec!"))
            .then_some(parts));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of docs/papermill.md.
    #[test]
    fn values_are_written_as_the_translator_of_papermill_writes_them() {
        for (text, expected) in [
            ("True", "true"),
            ("true", "true"),
            ("5", "5"),
            ("1000000000000", "1000000000000_i64"),
            ("0.1", "0.1"),
            ("1e-3", "0.001"),
            ("nan", "f64::NAN"),
            ("-inf", "-f64::INFINITY"),
            ("text", "\"text\""),
            ("\"5\"", "\"5\""),
            ("007", "\"007\""),
            ("a \"b\"\\", "\"a \\\"b\\\"\\\\\""),
            ("[1, 2]", "vec![1, 2]"),
            ("[1, 2.5]", "vec![1.0, 2.5]"),
            ("[1, \"a\"]", "(1, \"a\",)"),
            ("[1, 3000000000]", "vec![1_i64, 3000000000_i64]"),
            ("[]", "Vec::<f64>::new()"),
            ("[[1], [2]]", "vec![vec![1], vec![2]]"),
            (
                "{\"a\": 1}",
                "std::collections::BTreeMap::from([(\"a\", 1)])",
            ),
            (
                "{\"a\": 1, \"b\": \"x\"}",
                "\"{\\\"a\\\":1,\\\"b\\\":\\\"x\\\"}\"",
            ),
            ("None", "None::<f64>"),
            ("null", "None::<f64>"),
        ] {
            assert_eq!(rust(&value(text)).unwrap(), expected, "{text}");
        }
    }

    fn notebook(cells: &[Cell]) -> Notebook {
        let path =
            std::env::temp_dir().join(format!("swath-parameters-{}.ipynb", uuid::Uuid::new_v4()));
        let cells: Vec<&serde_json::Map<String, Value>> =
            cells.iter().map(|cell| &cell.json).collect();
        std::fs::write(
            &path,
            serde_json::json!({ "nbformat": 4, "cells": cells }).to_string(),
        )
        .unwrap();
        let notebook = Notebook::read(&path);
        std::fs::remove_file(&path).unwrap();
        notebook.unwrap()
    }

    #[test]
    fn the_injected_cell_stands_behind_the_notebook_s_own_and_replaces_an_earlier_one() {
        let own = Cell::code(
            "let epochs: usize = 1; // how often\nlet mut rate = 0.5;\nconst SEED: u64 = 7;",
            &["parameters"],
        );
        let mut notebook = notebook(&[
            Cell::code("1", &[]),
            own,
            Cell::code("old", &["injected-parameters"]),
            Cell::code("2", &[]),
        ]);
        let given = [
            ("epochs".to_owned(), value("5")),
            ("SEED".to_owned(), value("11")),
        ];
        assert_eq!(inject(&mut notebook, &given).unwrap(), None);
        let sources: Vec<String> = notebook.cells.iter().map(Cell::source).collect();
        assert_eq!(sources.len(), 4);
        assert_eq!(
            sources[2],
            format!("{HEAD}\nlet epochs = 5; // int\nlet SEED = 11; // int")
        );
        let wrong = |name: &str| {
            inject(&mut notebook.clone(), &[(name.to_owned(), value("1"))]).unwrap_err()
        };
        assert_eq!(
            wrong("epoch"),
            "the notebook has no parameter `epoch`: did you mean `epochs`? It has epochs, rate, SEED"
        );
        assert!(
            wrong("how").contains("it has epochs"),
            "a word of a comment"
        );
        inject(&mut notebook, &[]).unwrap();
        assert_eq!(notebook.cells.len(), 3, "no parameters, no cell");
    }

    #[test]
    fn without_a_cell_of_parameters_they_stand_above_all() {
        let mut notebook = notebook(&[Cell::code("a", &[])]);
        let told = inject(&mut notebook, &[("type".to_owned(), value("x"))]).unwrap();
        assert!(
            told.unwrap()
                .contains("no cell of the notebook has the tag")
        );
        assert!(
            notebook.cells[0]
                .source()
                .ends_with("let r#type = \"x\"; // str")
        );
        let wrong = |name: &str| inject(&mut notebook.clone(), &[(name.to_owned(), value("1"))]);
        assert!(wrong("1a").is_err() && wrong("self").is_err() && wrong("a-b").is_err());
    }
}
