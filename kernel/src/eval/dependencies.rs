//! What the kernel knows of the crates that cells have added: which builds of them the cells' process uses, and what
//! another build of one of them does to the variables.

use std::collections::BTreeSet;
use std::path::Path;

use swath_link::exchange;
use swath_link::record::{self, Record};

use super::interface::ErrorReport;
use super::render;

/// What a cell's object cannot be loaded without, in the words of `src/rt/shared_objects.rs`.
const NOT_LOADED: &str = "the object of the dependencies: ";
/// Words that say nothing about where a name comes from.
const COMMON: [&str; 24] = [
    "use", "as", "pub", "crate", "self", "super", "std", "core", "alloc", "swath", "impl", "for",
    "dyn", "mut", "where", "fn", "struct", "enum", "type", "trait", "const", "static", "mod",
    "unsafe",
];
/// What a name follows where it is defined.
const DEFINING: [&str; 9] = [
    "fn", "struct", "enum", "union", "type", "trait", "const", "static", "mod",
];

/// The crates that the cells' process uses now.
#[derive(Debug, Default)]
pub(crate) struct Dependencies {
    key: String,
    record: Record,
}

/// What a new build of the dependencies changes for the session.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Every crate that is another one now.
    pub(crate) renewed: BTreeSet<String>,
    /// Those of them that cells have asked for.
    pub(crate) named: Vec<String>,
}

impl Change {
    /// What the user must know: which crates are others, and which variables went with them.
    pub(crate) fn told(&self, dropped: &[String]) -> Option<String> {
        let quoted = |names: &mut dyn Iterator<Item = &String>| {
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            names.join(", ")
        };
        let crates = match self.named.as_slice() {
            [] if dropped.is_empty() => return None,
            [] => quoted(&mut self.renewed.iter()),
            named => quoted(&mut named.iter()),
        };
        let mut text = format!(
            "built anew (edited, or another version or other features): {crates}; statics begin anew there"
        );
        if !dropped.is_empty() {
            text += &format!(
                "; dropped {}: made with the earlier build",
                quoted(&mut dropped.iter())
            );
        }
        Some(text + "\n")
    }
}

impl Dependencies {
    /// Nothing is added any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether files of path dependencies were edited since they were built.
    pub(crate) fn are_outdated(&self) -> bool {
        self.record.is_outdated()
    }

    /// Takes over what the last cell was compiled with.
    pub(crate) fn adopt(&mut self, session: &Path, key: &str, rebuilt: bool) -> Change {
        if key.is_empty() || (key == self.key && !rebuilt) {
            return Change::default();
        }
        let Ok(record) = exchange::read::<Record>(&record::record_path(session, key)) else {
            return Change::default();
        };
        let renewed = record.renewed_since(&self.record);
        let names = record.externs.iter();
        let named = names
            .filter_map(|value| Some(value.split_once('=')?.0.to_owned()))
            .filter(|name| renewed.contains(name))
            .collect();
        key.clone_into(&mut self.key);
        self.record = record;
        Change { renewed, named }
    }

    /// Has every cell link its own copies from now on when the shared object cannot be loaded; the note about it.
    pub(crate) fn give_up_sharing(session: &Path, key: &str, reason: &str) -> Option<String> {
        let reason = reason.strip_prefix(NOT_LOADED)?;
        let path = record::record_path(session, key);
        let mut record: Record = exchange::read(&path).ok()?;
        record.object = None;
        exchange::write(&path, &record).ok()?;
        Some(format!(
            "note: the shared object of the dependencies cannot be loaded ({reason}), so each cell gets copies of its \
             own: cells are slower, and the crates' statics (loggers, counters, thread pools) begin anew in every cell\n"
        ))
    }
}

/// The names through which types can hold something of the `renewed` crates, followed through `items`; `None` when a
/// glob import brings names that cannot be followed.
pub(crate) fn reached<'a>(
    renewed: &BTreeSet<String>,
    items: impl Iterator<Item = &'a str>,
) -> Option<BTreeSet<String>> {
    let mut reached = renewed.clone();
    let mut left: Vec<String> = items
        .map(|item| without_inert_attributes(item, renewed))
        .collect();
    loop {
        let before = left.len();
        let mut rest = Vec::new();
        for item in left {
            if !words(&item).any(|word| reached.contains(word)) {
                rest.push(item);
            } else if kind(&item) == Some("use") && item.contains('*') {
                return None;
            } else {
                reached.extend(names_made_by(&item));
            }
        }
        if rest.len() == before {
            return Some(reached);
        }
        left = rest;
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .filter(|word| !word.is_empty())
}

/// An item without what changes no layout: derives, and attributes that are named like a crate, which only its derives
/// read (`#[serde(default)]`).
fn without_inert_attributes(item: &str, crates: &BTreeSet<String>) -> String {
    let mut kept = String::with_capacity(item.len());
    let mut rest = item;
    while let Some((before, after)) = rest.split_once("#[") {
        kept.push_str(before);
        let name = words(after).next().unwrap_or_default();
        let is_path = after.trim_start().starts_with(&format!("{name}::"));
        let end = closing_bracket(after);
        if !(name == "derive" || crates.contains(name)) || is_path {
            kept.push_str("#[");
            kept.push_str(&after[..end]);
        }
        rest = &after[end..];
    }
    kept + rest
}

/// Where an attribute that began before `text` ends.
fn closing_bracket(text: &str) -> usize {
    let mut depth = 1_usize;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return place + 1;
        }
    }
    text.len()
}

/// The word that says what an item is; `None` for a call of a macro.
fn kind(item: &str) -> Option<&str> {
    let before_body = item.split(['{', '=', ';']).next().unwrap_or(item);
    words(before_body)
        .find(|word| DEFINING.contains(word) || ["use", "impl", "macro_rules"].contains(word))
}

/// The names that an item may define, or change the meaning of; rather too many than too few.
fn names_made_by(item: &str) -> BTreeSet<String> {
    let all: Vec<&str> = words(item).collect();
    let after = |wanted: &[&str]| -> BTreeSet<&str> {
        let pairs = all.windows(2).filter(|pair| wanted.contains(&pair[0]));
        pairs.map(|pair| pair[1]).collect()
    };
    let made = match kind(item) {
        // Methods change no type; associated types and constants can.
        Some("impl") if !all.iter().any(|word| ["type", "const"].contains(word)) => BTreeSet::new(),
        Some("impl") => words(item.split('{').next().unwrap_or(item)).collect(),
        Some("macro_rules") => after(&["macro_rules"]),
        Some("use") | None => all.iter().copied().collect(),
        Some(_) => after(&DEFINING),
    };
    made.into_iter()
        .filter(|word| !COMMON.contains(word))
        .map(str::to_owned)
        .collect()
}

/// Commands, one after the other, with neighboring `:dep` lines in one: their crates are built together.
pub(crate) fn joined(commands: &[String]) -> Vec<String> {
    let is_addition = |line: &str| line.split_whitespace().next() == Some(":dep");
    let mut joined: Vec<String> = Vec::new();
    for command in commands {
        match joined.last_mut() {
            Some(last) if is_addition(last) && is_addition(command) => {
                last.push('\n');
                last.push_str(command);
            }
            _ => joined.push(command.clone()),
        }
    }
    joined
}

/// Whether a type mentions one of these names.
pub(crate) fn mentions(type_name: &str, names: &BTreeSet<String>) -> bool {
    words(type_name).any(|word| names.contains(word))
}

/// The longest reason in one line.
const LONGEST_REASON: usize = 400;

/// cargo's refusal: its first error with the causes is the reason, all of it the traceback.
pub(crate) fn error(text: &str) -> ErrorReport {
    ErrorReport {
        ename: "DependencyError".to_owned(),
        evalue: reason(text).chars().take(LONGEST_REASON).collect(),
        traceback: render::lines(text),
    }
}

fn reason(text: &str) -> String {
    let mut lines = text.lines().map(str::trim);
    let first = lines.next().unwrap_or_default();
    let Some(message) = first.strip_prefix("error: ") else {
        // The compiler's error in one of the crates; cargo says at the end in which.
        let which = text
            .lines()
            .find_map(|line| line.strip_prefix("error: could not compile "))
            .and_then(|rest| rest.split(" (").next());
        return match which {
            Some(which) => format!("{which} does not compile: {first}"),
            None => first.to_owned(),
        };
    };
    let causes = lines
        .take_while(|line| {
            !["error", "help", "warning"]
                .iter()
                .any(|word| line.starts_with(word))
        })
        .filter(|line| !line.is_empty() && *line != "Caused by:");
    causes.fold(message.to_owned(), |reason, cause| {
        format!("{}: {cause}", reason.trim_end_matches(['.', ':', ';']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn types_that_hold_something_of_an_edited_crate_are_found_through_other_items() {
        let items = [
            "struct Outer { inner: Inner }",
            "struct Inner(T);",
            "use counter::Thing as T;",
            "struct Apart { x: f32 }",
        ];
        let names = reached(&set(&["counter"]), items.into_iter()).unwrap();
        for (type_name, wanted) in [
            ("Outer", true),
            ("std::vec::Vec<Inner>", true),
            ("counter::Thing", true),
            ("Apart", false),
            ("std::vec::Vec<f64>", false),
        ] {
            assert_eq!(mentions(type_name, &names), wanted, "{type_name}");
        }
        // Derives, methods and functions change no layout.
        let with_derive = [
            "#[derive(Debug, counter::Mark)]\n#[counter(rename = \"x\")]\nstruct P { x: f64 }",
            "impl P { fn thing(&self) -> counter::Thing { todo!() } }",
            "fn show(p: &P) { println!(\"{:?}\", counter::bump()); }",
        ];
        let names = reached(&set(&["counter"]), with_derive.into_iter()).unwrap();
        assert!(!mentions("P", &names), "{names:?}");
        let with_associated = [
            "impl Tr for P { type Out = counter::Thing; }",
            "#[counter::layout]\nstruct Q(u8);",
            "make!(R, counter::Thing);",
            "const fn size() -> usize { counter::N }",
            "struct S([u8; size()]);",
        ];
        let names = reached(&set(&["counter"]), with_associated.into_iter()).unwrap();
        for name in ["P", "Q", "R", "S"] {
            assert!(mentions(name, &names), "{name}");
        }
        let with_glob = ["use counter::*;", "struct A(Thing);"];
        assert_eq!(reached(&set(&["counter"]), with_glob.into_iter()), None);
    }

    #[test]
    fn dependencies_that_stand_together_are_built_together() {
        let commands = [":dep a", ":dep b = \"1\"", ":vars", ":dep c"].map(str::to_owned);
        assert_eq!(
            joined(&commands),
            [":dep a\n:dep b = \"1\"", ":vars", ":dep c"]
        );
    }

    #[test]
    fn the_reason_is_cargos_first_error_with_its_causes() {
        let error = error(
            "error: failed to get `a` as a dependency of package `b`\n\nCaused by:\n  failed to load source\n\n\
             Caused by:\n  no such folder\n",
        );
        assert_eq!(
            error.evalue,
            "failed to get `a` as a dependency of package `b`: failed to load source: no such folder"
        );
    }

    #[test]
    fn a_crate_that_does_not_compile_is_named() {
        let error = error(
            "error[E0308]: mismatched types\n --> src/lib.rs:1:1\n\n\
             error: could not compile `broken` (lib) due to 1 previous error\n",
        );
        assert_eq!(
            error.evalue,
            "`broken` does not compile: error[E0308]: mismatched types"
        );
    }
}
