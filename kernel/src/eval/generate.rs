//! Writes the Rust that evcxr gets for a cell: its items as they are, its statements as one block that loads the
//! variables it uses and keeps those it binds.

use std::fmt::Write as _;

use super::exchange::{BACK_MARK, PUT_MARK, TAKE_MARK};
use super::split::{Cell, Item, ItemKind};
use super::variables::VariableTable;

/// Ends the line before the cell's statements.
pub(crate) const BODY_MARK: &str = "//@body";
const BEFORE_TAIL: &str = "(&(";
const AFTER_TAIL: &str = ")).evcxr_display();";

/// A generated cell and the way back to the user's positions.
#[derive(Debug, Default)]
pub(crate) struct Generated {
    /// What evcxr gets.
    pub(crate) code: String,
    /// Whether `code` holds a block of statements after [`BODY_MARK`].
    pub(crate) has_body: bool,
    items_length: usize,
    body_length: usize,
    tail: Option<std::ops::Range<usize>>,
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

    /// The same without the code: what leads back to the user's positions.
    pub(crate) fn without_code(&self) -> Self {
        Self {
            code: String::new(),
            tail: self.tail.clone(),
            ..*self
        }
    }

    /// Whether the cell ends with a value to show.
    pub(crate) fn has_tail(&self) -> bool {
        self.tail.is_some()
    }

    /// The length of the generated body.
    pub(crate) fn body_text_length(&self) -> usize {
        let around = BEFORE_TAIL.len() + AFTER_TAIL.len();
        self.body_length + self.tail.as_ref().map_or(0, |_| around)
    }

    /// The cell's items alone.
    pub(crate) fn items(&self) -> &str {
        &self.code[..self.items_length]
    }

    /// The byte of the cell that byte `offset` after the body's start stands for; `None` after the body.
    pub(crate) fn cell_offset(&self, offset: usize) -> Option<usize> {
        if offset > self.body_text_length() {
            return None;
        }
        let Some(tail) = &self.tail else {
            return Some(offset);
        };
        let end = tail.end + BEFORE_TAIL.len();
        Some(if offset <= tail.start {
            offset
        } else if offset < end {
            offset.saturating_sub(BEFORE_TAIL.len()).max(tail.start)
        } else {
            offset
                .saturating_sub(BEFORE_TAIL.len() + AFTER_TAIL.len())
                .max(tail.end)
        })
    }
}

/// Generates the code for a cell that parses.
pub(crate) fn generate(
    cell: &Cell,
    variables: &VariableTable,
    impl_anchor: impl FnMut(&str) -> String,
) -> Generated {
    let mut generated = Generated {
        code: items(cell, impl_anchor),
        ..Generated::default()
    };
    generated.items_length = generated.code.len();
    if cell.has_statements {
        write_block(cell, variables, &mut generated);
    }
    generated
}

/// The items, one after the other. evcxr replaces items by name; a block without a name gets one from a constant
/// before it, so that running its cell again replaces it instead of adding a second one.
fn items(cell: &Cell, mut impl_anchor: impl FnMut(&str) -> String) -> String {
    let mut code = String::new();
    let mut follows_named_item = false;
    if cell
        .items
        .first()
        .is_some_and(|item| cell.item_text(item).starts_with("//"))
    {
        // evcxr skips lines of comments before the first line of code, and would lose the documentation of an item.
        code.push_str("#[allow(non_upper_case_globals)] const __SWATH_FIRST: () = ();\n");
    }
    for item in &cell.items {
        let text = cell.item_text(item);
        if item.kind == ItemKind::Unnamed && !follows_named_item {
            let _ = writeln!(
                code,
                "#[allow(non_upper_case_globals)] const {}: () = ();",
                impl_anchor(text)
            );
        }
        follows_named_item |= item.name.is_some();
        code.push_str(text);
        code.push('\n');
    }
    code
}

fn write_block(cell: &Cell, variables: &VariableTable, generated: &mut Generated) {
    let code = &mut generated.code;
    let loaded: Vec<_> = variables
        .iter()
        .filter(|variable| cell.used.contains_key(&variable.name))
        .collect();
    code.push_str("let _ = {\n#[allow(unused_imports)] use ::swath::rt::{ShowAny as _, ShowDebug as _, ShowLong as _, ShowRich as _};\n");
    code.push_str("let mut __swath_ready = true;\n");
    for variable in &loaded {
        let (name, type_name) = (&variable.name, &variable.type_name);
        let _ = writeln!(
            code,
            "__swath_ready &= ::swath::rt::has::<{type_name}>(\"{name}\"); {TAKE_MARK}{name}"
        );
    }
    code.push_str("if __swath_ready {\n");
    for variable in &loaded {
        let (name, type_name) = (&variable.name, &variable.type_name);
        let mutable = if variable.mutable { "mut " } else { "" };
        let _ = writeln!(
            code,
            "let {mutable}{name} = ::swath::rt::take::<{type_name}>(\"{name}\"); {TAKE_MARK}{name}"
        );
    }
    // A closure that is called once may move what it captures; `guard` itself is compiled once, in the library.
    code.push_str(
        "let __swath_done = { let mut __swath_cell = ::core::option::Option::Some(\
         || -> ::core::result::Result<(), ::swath::rt::CellError> { ",
    );
    code.push_str(if cell.awaits {
        "::swath::rt::block_on(async { "
    } else {
        ""
    });
    let _ = writeln!(code, "{BODY_MARK}");
    write_body(cell, generated);
    let code = &mut generated.code;
    for name in cell.bound.keys() {
        let _ = writeln!(
            code,
            "::core::mem::drop(&{name}); ::swath::rt::put(\"{name}\", {name}); {PUT_MARK}{name}"
        );
    }
    code.push_str("::core::result::Result::Ok::<(), ::swath::rt::CellError>(())");
    code.push_str(if cell.awaits { " }) });\n" } else { " });\n" });
    code.push_str(
        "::swath::rt::guard(&mut || match __swath_cell.take() { ::core::option::Option::Some(mut cell) => cell(), \
         ::core::option::Option::None => ::core::result::Result::Ok(()) }) };\n",
    );
    for variable in &loaded {
        let name = &variable.name;
        // A name that the cell has bound anew is already kept; the old value comes back only when the cell failed.
        let condition = if cell.bound.contains_key(name) {
            "if !__swath_done "
        } else {
            ""
        };
        let _ = writeln!(
            code,
            "{condition}{{ ::swath::rt::put(\"{name}\", {name}); }} {BACK_MARK}{name}"
        );
    }
    code.push_str("}\n};\n");
    generated.has_body = true;
}

fn write_body(cell: &Cell, generated: &mut Generated) {
    let body = cell.statements_text();
    generated.body_length = body.len();
    generated.tail.clone_from(&cell.tail);
    match &cell.tail {
        Some(tail) => {
            let _ = write!(
                generated.code,
                "{}{BEFORE_TAIL}{}{AFTER_TAIL}{}",
                &body[..tail.start],
                &body[tail.clone()],
                &body[tail.end..]
            );
        }
        None => generated.code.push_str(&body),
    }
    generated.code.push('\n');
}

/// What tells two `impl` blocks apart: the text before the braces, and for inherent ones the names inside.
pub(crate) fn impl_key(text: &str) -> (String, Vec<String>) {
    let (header, body) = text.split_once('{').unwrap_or((text, ""));
    let header = header.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut members = Vec::new();
    if !header.contains(" for ") {
        let words: Vec<&str> = body
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .filter(|word| !word.is_empty())
            .collect();
        for pair in words.windows(2) {
            if ["fn", "const", "type"].contains(&pair[0]) && pair[1] != "fn" {
                members.push(pair[1].to_owned());
            }
        }
    }
    (header, members)
}

/// The items of a cell by name, for comparing with earlier definitions.
pub(crate) fn type_items(cell: &Cell) -> impl Iterator<Item = (&str, &str)> {
    cell.items
        .iter()
        .filter(|item| item.kind == ItemKind::Type)
        .filter_map(|item: &Item| Some((item.name.as_deref()?, cell.item_text(item))))
}

#[cfg(test)]
mod tests {
    use super::super::interface::Variable;
    use super::*;

    fn table() -> VariableTable {
        let mut table = VariableTable::default();
        table.insert(Variable {
            name: "scene".to_owned(),
            type_name: "swath::Scene".to_owned(),
            mutable: false,
            cell: 1,
        });
        table.insert(Variable {
            name: "other".to_owned(),
            type_name: "i32".to_owned(),
            mutable: true,
            cell: 1,
        });
        table
    }

    #[test]
    fn a_cell_loads_what_it_uses_and_keeps_what_it_binds() {
        let code = generate(
            &Cell::parse("let size = scene.size();\nsize"),
            &table(),
            |_| unreachable!(),
        )
        .code;
        assert!(code.contains("take::<swath::Scene>(\"scene\")"));
        assert!(!code.contains("other"), "not used, so not loaded");
        assert!(code.contains("put(\"size\", size); //@put size\n"));
        assert!(code.contains("{ ::swath::rt::put(\"scene\", scene); } //@back scene\n"));
        assert!(code.contains("(&(size)).evcxr_display();"));
    }

    #[test]
    fn positions_in_the_body_lead_back_to_the_cell() {
        let source = "let é = 1; // ok\né + y /* end */";
        let cell = Cell::parse(source);
        let generated = generate(&cell, &VariableTable::default(), |_| unreachable!());
        let body = &generated.code[generated.code.find(BODY_MARK).unwrap() + BODY_MARK.len() + 1..];
        for needle in ["let é", "é + y", "y /* end", "/* end"] {
            let needle_start = needle.split(')').next().unwrap();
            let Some(found) = body.find(needle_start) else {
                continue;
            };
            assert_eq!(
                generated.cell_offset(found),
                source.find(needle),
                "{needle}"
            );
        }
        assert_eq!(generated.cell_offset(10_000), None);
    }

    #[test]
    fn an_impl_block_of_its_own_cell_gets_a_name_that_evcxr_can_replace() {
        let code = generate(
            &Cell::parse("impl Foo { fn a(&self) {} }"),
            &table(),
            |_| "IMPL_1".to_owned(),
        )
        .code;
        assert!(
            code.starts_with("#[allow(non_upper_case_globals)] const IMPL_1: () = ();\nimpl Foo")
        );
        let (header, members) = impl_key("impl  Foo {\n pub fn a(&self) {} const B: u8 = 1; }");
        assert_eq!(
            (header.as_str(), members),
            ("impl Foo", vec!["a".to_owned(), "B".to_owned()])
        );
    }
}
