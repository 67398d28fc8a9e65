//! Writes the Rust that is compiled for a cell: the items it needs, and its statements as one block that loads the
//! variables it uses and keeps those it binds.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;

use swath_link::exchange::{BACK_MARK, FUNCTION_MARK, PRIMITIVES, PUT_MARK, TAKE_MARK};

use super::interface::Variable;
use super::items::StoredItem;
use super::split::{Cell, ItemKind};
use super::state;
use super::variables::VariableTable;

/// Ends the line before the cell's statements.
pub(crate) const BODY_MARK: &str = "//@body";
const BEFORE_TAIL: &str = "match ::swath::rt::last(&(";
const AFTER_TAIL: &str = ")) { mut __swath_value => if !__swath_value.__swath_ends_cell() \
     && !::swath::rt::list(__swath_value.__swath_shown()).__swath_is_shown() \
     { __swath_value.__swath_shown().evcxr_display(); } };";
/// In scope in every cell, without anybody asking.
const HEAD: &str = "#![allow(unused_imports, unused_mut, dead_code)]\n";
const PRELUDE: &str = "#[allow(unused_imports)] use ::swath::prelude::*;\n";

/// A generated file and the way back to the user's positions.
#[derive(Debug, Default)]
pub(crate) struct Generated {
    pub(crate) code: String,
    /// Whether `code` holds statements after [`BODY_MARK`].
    pub(crate) has_body: bool,
    /// Where each item is.
    pub(crate) pieces: Vec<Piece>,
    /// Where the items end.
    pub(crate) items_end: usize,
    body_length: usize,
    /// What was written between the cell's own characters: where in the cell, and how many bytes.
    inserted: Vec<(usize, usize)>,
}

/// Where an item is in the generated file.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) range: Range<usize>,
    /// Its place among the items.
    pub(crate) item: usize,
    /// Whether it is written as in its cell, so that positions inside can be told.
    pub(crate) is_exact: bool,
}

/// What a cell is made of.
pub(crate) struct Parts<'a> {
    pub(crate) cell: &'a Cell,
    /// All items; the cell's own are the last ones.
    pub(crate) items: &'a [Arc<StoredItem>],
    pub(crate) variables: &'a VariableTable,
    /// Whether statics are made anew in this cell instead of being found.
    pub(crate) makes_statics: bool,
}

impl Generated {
    /// A body that is the cell itself.
    pub(crate) fn whole(length: usize) -> Self {
        Self {
            has_body: true,
            body_length: length,
            ..Self::default()
        }
    }

    /// What leads back from the body to the user's positions, without the code.
    pub(crate) fn body_alone(&self) -> Self {
        Self {
            has_body: self.has_body,
            body_length: self.body_length,
            inserted: self.inserted.clone(),
            ..Self::default()
        }
    }

    /// The length of the generated body.
    pub(crate) fn body_text_length(&self) -> usize {
        let inserted: usize = self.inserted.iter().map(|(_, length)| length).sum();
        self.body_length + inserted
    }

    /// The byte of the cell that byte `offset` after the body's start stands for; `None` after the body.
    pub(crate) fn cell_offset(&self, offset: usize) -> Option<usize> {
        if offset > self.body_text_length() {
            return None;
        }
        let mut before = 0;
        for (place, length) in &self.inserted {
            if offset <= place + before {
                break;
            }
            if offset < place + before + length {
                return Some(*place);
            }
            before += length;
        }
        Some(offset - before)
    }
}

/// Generates the file for a cell that parses.
pub(crate) fn generate(parts: &Parts<'_>) -> Generated {
    let mut generated = Generated::default();
    generated.code.push_str(HEAD);
    write_items(parts, &mut generated);
    generated.items_end = generated.code.len();
    let _ = write!(
        generated.code,
        "#[unsafe(no_mangle)] pub extern \"C\" fn\n{FUNCTION_MARK}\n\
         (__swath_unused: *mut ::std::os::raw::c_void) -> *mut ::std::os::raw::c_void {{\n"
    );
    if parts.cell.has_statements {
        write_block(parts, &mut generated);
    }
    generated.code.push_str("__swath_unused }\n");
    generated
}

/// Attributes of the whole come first, then macros, which count only for what comes after them.
fn write_items(parts: &Parts<'_>, generated: &mut Generated) {
    let rank = |item: &StoredItem| match item.kind {
        ItemKind::Attribute => 0,
        ItemKind::MacroRules => 1,
        _ => 2,
    };
    let mut has_prelude = false;
    let mut places: Vec<usize> = (0..parts.items.len()).collect();
    places.sort_by_key(|place| rank(&parts.items[*place]));
    for place in places {
        let item = &parts.items[place];
        if rank(item) > 0 && !has_prelude {
            generated.code.push_str(PRELUDE);
            has_prelude = true;
        }
        let (text, is_exact) = match &item.state {
            Some(state) if state.made && !parts.makes_statics => (&state.texts.finding, false),
            Some(state) if !parts.makes_statics => (&state.texts.making, false),
            _ => (&item.text, item.text.len() == item.range.len()),
        };
        let start = generated.code.len();
        generated.code.push_str(text);
        generated.pieces.push(Piece {
            range: start..start + text.len(),
            item: place,
            is_exact,
        });
        generated.code.push('\n');
    }
    if !has_prelude {
        generated.code.push_str(PRELUDE);
    }
    let makes = |item: &Arc<StoredItem>| item.state.as_ref().is_some_and(|state| !state.made);
    if !parts.makes_statics && parts.items.iter().any(makes) {
        generated.code.push_str(state::GLOBAL);
    }
}

fn write_block(parts: &Parts<'_>, generated: &mut Generated) {
    let Parts {
        cell, variables, ..
    } = parts;
    let hidden = hidden_primitives(parts.items);
    let loaded: Vec<(&Variable, Cow<'_, str>)> = variables
        .iter()
        .filter(|variable| cell.used.contains_key(&variable.name))
        .map(|variable| (variable, with_primitives(&variable.type_name, &hidden)))
        .collect();
    let code = &mut generated.code;
    code.push_str("#[allow(unused_imports)] use ::swath::rt::{EndsWithDebug as _, EndsWithResult as _, EndsWithValue as _};\n");
    code.push_str("#[allow(unused_imports)] use ::swath::rt::{ShowAny as _, ShowBehind as _, ShowDebug as _, ShowInside as _, ShowRich as _};\n");
    code.push_str("let mut __swath_ready = true;\n");
    for (variable, type_name) in &loaded {
        let name = &variable.name;
        let _ = writeln!(
            code,
            "__swath_ready &= ::swath::rt::has::<{type_name}>(\"{name}\"); {TAKE_MARK}{name}"
        );
    }
    code.push_str("if __swath_ready {\n");
    for (variable, type_name) in &loaded {
        let name = &variable.name;
        let mutable = if variable.mutable { "mut " } else { "" };
        let _ = writeln!(
            code,
            "let {mutable}{name} = ::swath::rt::take::<{type_name}>(\"{name}\"); {TAKE_MARK}{name}"
        );
    }
    // A closure that is called once may move what it captures; `guard` itself is compiled once, in the library.
    code.push_str(
        "{ let mut __swath_cell = ::core::option::Option::Some(\
         || -> ::core::result::Result<(), ::swath::rt::CellError> { ",
    );
    code.push_str(if cell.awaits {
        "::swath::rt::block_on(async { "
    } else {
        ""
    });
    let _ = writeln!(code, "{BODY_MARK}");
    write_body(parts, generated);
    let code = &mut generated.code;
    for name in cell.bound.keys() {
        // The type is read from a lint about `drop(&…)`. A capital name that is no binding but a constant takes no
        // argument of an arbitrary type: its line gets an error, and goes.
        let probe = if name.starts_with(char::is_uppercase) {
            format!("let _ = |{name}: ::swath::rt::NoConstant| {{}}; ")
        } else {
            String::new()
        };
        let _ = writeln!(
            code,
            "{probe}::core::mem::drop(&{name}); ::swath::rt::put(\"{name}\", {name}); {PUT_MARK}{name}"
        );
    }
    code.push_str("::core::result::Result::Ok::<(), ::swath::rt::CellError>(())");
    code.push_str(if cell.awaits { " }) });\n" } else { " });\n" });
    code.push_str(
        "::swath::rt::guard(&mut || match __swath_cell.take() { ::core::option::Option::Some(mut cell) => cell(), \
         ::core::option::Option::None => ::core::result::Result::Ok(()) }); };\n",
    );
    for (variable, _) in &loaded {
        let name = &variable.name;
        // A name that the cell has bound anew is already kept; the old value comes back only when the cell did not
        // come that far.
        let (condition, otherwise) = if cell.bound.contains_key(name) {
            (
                format!("if !::swath::rt::is_kept(\"{name}\") "),
                format!(" else {{ ::swath::rt::discard(\"{name}\", {name}); }}"),
            )
        } else {
            (String::new(), String::new())
        };
        let _ = writeln!(
            code,
            "{condition}{{ ::swath::rt::put(\"{name}\", {name}); }}{otherwise} {BACK_MARK}{name}"
        );
    }
    code.push_str("}\n");
    generated.has_body = true;
}

/// The primitive types whose names an alias of a cell's has taken (`type i32 = u64;`). The compiler writes aliases as what
/// they stand for, so that such a name in a variable's type is always the primitive.
fn hidden_primitives(items: &[Arc<StoredItem>]) -> Vec<&str> {
    let may_be_alias =
        |item: &&Arc<StoredItem>| matches!(item.kind, ItemKind::Use | ItemKind::Type);
    let named = |item: &&Arc<StoredItem>| {
        item.kind == ItemKind::Use || item.text.split_whitespace().any(|word| word == "type")
    };
    items
        .iter()
        .filter(may_be_alias)
        .flat_map(|item| {
            item.names
                .iter()
                .map(move |name| (item, name.text.as_str()))
        })
        .filter(|(item, name)| PRIMITIVES.contains(name) && named(item))
        .map(|(_, name)| name)
        .collect()
}

/// A type with the `hidden` primitives by their full paths.
fn with_primitives<'a>(type_name: &'a str, hidden: &[&str]) -> Cow<'a, str> {
    if hidden.is_empty() {
        return type_name.into();
    }
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut text = String::new();
    let mut rest = type_name;
    while !rest.is_empty() {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(length);
        if hidden.contains(&word) && !text.ends_with("::") {
            text.push_str("::core::primitive::");
        }
        text.push_str(word);
        let length = after.find(is_word).unwrap_or(after.len());
        text.push_str(&after[..length]);
        rest = &after[length..];
    }
    text.into()
}

/// The statements, with what is added between them: the call that shows the last value, and before each `return` of
/// the cell's own the lines that keep what is bound by then.
fn write_body(parts: &Parts<'_>, generated: &mut Generated) {
    let cell = parts.cell;
    let body = cell.statements_text();
    let mut additions: Vec<(usize, String)> = Vec::new();
    if let Some(tail) = &cell.tail {
        additions.push((tail.start, BEFORE_TAIL.to_owned()));
        additions.push((tail.end, AFTER_TAIL.to_owned()));
    }
    for exit in &cell.returns {
        if exit.bound.is_empty() && exit.has_value {
            continue;
        }
        let mut before = "{\n".to_owned();
        for name in &exit.bound {
            let _ = writeln!(
                before,
                "::swath::rt::put(\"{name}\", {name}); {PUT_MARK}{name}"
            );
        }
        additions.push((exit.range.start, before));
        let value = if exit.has_value {
            ""
        } else {
            " ::core::result::Result::Ok(())"
        };
        additions.push((exit.range.end, format!("{value} }}")));
    }
    additions.sort_by_key(|(place, _)| *place);
    let mut written = 0;
    for (place, text) in additions {
        generated.code.push_str(&body[written..place]);
        generated.code.push_str(&text);
        generated.inserted.push((place, text.len()));
        written = place;
    }
    generated.code.push_str(&body[written..]);
    generated.body_length = body.len();
    generated.code.push('\n');
}

#[cfg(test)]
mod tests {
    use super::super::items::ItemStore;
    use super::super::source_map::CellSource;
    use super::super::split::Known;
    use super::*;

    fn table() -> VariableTable {
        let mut table = VariableTable::default();
        for (name, type_name, mutable) in [("scene", "swath::Scene", false), ("other", "i32", true)]
        {
            table.insert(Variable {
                name: name.to_owned(),
                type_name: type_name.to_owned(),
                mutable,
                cell: 1,
            });
        }
        table
    }

    fn generated(code: &str) -> Generated {
        let cell = Cell::parse(code, &Known::default());
        let source = CellSource::new(1, code);
        let merged = ItemStore::default().merge(&cell, &source);
        generate(&Parts {
            cell: &cell,
            items: &merged.items,
            variables: &table(),
            makes_statics: false,
        })
    }

    #[test]
    fn a_cell_loads_what_it_uses_and_keeps_what_it_binds() {
        let code = generated("let size = scene.size();\nsize").code;
        assert!(code.contains("take::<swath::Scene>(\"scene\")"));
        assert!(!code.contains("other"), "not used, so not loaded");
        assert!(code.contains("put(\"size\", size); //@put size\n"));
        assert!(code.contains("{ ::swath::rt::put(\"scene\", scene); } //@back scene\n"));
        assert!(code.contains("last(&(size)) { mut __swath_value => "));
    }

    #[test]
    fn positions_in_the_body_lead_back_to_the_cell() {
        let source = "let é = 1; if é > 1 { return; } // ok\né + y /* end */";
        let generated = generated(source);
        let body = &generated.code[generated.code.find(BODY_MARK).unwrap() + BODY_MARK.len() + 1..];
        for needle in [
            "let é", "if é", "return", "} // ok", "é + y", "y", " /* end",
        ] {
            assert_eq!(
                generated.cell_offset(body.find(needle).unwrap()),
                source.find(needle),
                "{needle}"
            );
        }
        assert_eq!(generated.cell_offset(10_000), None);
    }

    #[test]
    fn an_early_return_keeps_what_is_bound_by_then() {
        let code = generated("let a = 1; if a > 0 { return; } let b = 2;").code;
        assert!(
            code.contains("if a > 0 { {\n::swath::rt::put(\"a\", a); //@put a\nreturn ::core::result::Result::Ok(()) }; } let b"),
            "{code}"
        );
    }

    #[test]
    fn primitives_are_meant_where_an_alias_has_their_name() {
        let hidden = ["i32", "str"];
        assert_eq!(
            with_primitives(
                "std::vec::Vec<(i32, &'static str, my::i32, u8, i32x)>",
                &hidden
            ),
            "std::vec::Vec<(::core::primitive::i32, &'static ::core::primitive::str, my::i32, u8, i32x)>"
        );
        assert_eq!(with_primitives("i32", &[]), "i32");
    }

    #[test]
    fn macros_come_before_what_uses_them() {
        let code = generated("struct A(e!());\nmacro_rules! e { () => { u8 } }").code;
        assert!(code.find("macro_rules").unwrap() < code.find("struct A").unwrap());
    }
}
