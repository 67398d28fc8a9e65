//! Takes a cell apart: evcxr's commands, items, statements, the final expression, names bound and used.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ra_ap_syntax::ast::{self, HasLoopBody as _, HasName};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode};

/// What the statements are wrapped in to be parsed.
const WRAPPER: &str = "fn f(){";

/// A cell, taken apart. Ranges are bytes of the cell.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// evcxr's `:commands` and `!shell` lines, which come before the first line of Rust.
    pub(crate) commands: Vec<String>,
    /// The cell with the commands blanked; positions are those of the cell.
    pub(crate) rust: String,
    /// Whether the parser found errors; then nothing below is filled.
    pub(crate) broken: bool,
    pub(crate) items: Vec<Item>,
    /// Whether there is anything besides items.
    pub(crate) has_statements: bool,
    /// The last expression, when nothing ends it.
    pub(crate) tail: Option<Range<usize>>,
    /// Names that top-level `let`s bind, with whether they are `mut`; the last binding of a name counts.
    pub(crate) bound: BTreeMap<String, bool>,
    /// Identifiers in statements, inside macros and format strings too, with how often they occur.
    pub(crate) used: BTreeMap<String, usize>,
    /// Whether a statement repeats work: a loop, or a closure, which something may call many times.
    pub(crate) repeats: bool,
    /// Whether a statement awaits a future outside of any `async` block.
    pub(crate) awaits: bool,
}

/// A `fn`, a `struct`, a `use`…
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) range: Range<usize>,
    pub(crate) kind: ItemKind,
    pub(crate) name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// Defines a type or a trait.
    Type,
    Use,
    /// `impl` and `extern` blocks: evcxr cannot tell them apart by a name.
    Unnamed,
    Other,
}

impl Cell {
    pub(crate) fn parse(code: &str) -> Self {
        let (commands, rust) = take_commands(code);
        let mut cell = Self {
            commands,
            rust,
            ..Self::default()
        };
        let parsed = crate::parse::source(&format!("{WRAPPER}{}\n}}", cell.rust));
        cell.broken = !parsed.errors().is_empty();
        let body = parsed
            .syntax_node()
            .children()
            .find_map(ast::Fn::cast)
            .and_then(|function| function.body());
        let Some(statements) = body.and_then(|body| body.stmt_list()) else {
            cell.broken = true;
            return cell;
        };
        if !cell.broken {
            for node in statements.syntax().children() {
                cell.add(&node);
            }
        }
        cell
    }

    fn add(&mut self, node: &SyntaxNode) {
        let range = range_in_cell(node);
        if let Some((kind, name)) = as_item(node) {
            self.items.push(Item { range, kind, name });
            return;
        }
        self.has_statements = true;
        self.tail = (ast::Expr::can_cast(node.kind()) && is_value(node)).then_some(range);
        if let Some(pattern) =
            ast::LetStmt::cast(node.clone()).and_then(|statement| statement.pat())
        {
            for name in pattern
                .syntax()
                .descendants()
                .filter_map(ast::IdentPat::cast)
            {
                self.bind(&name);
            }
        }
        self.repeats |= node.descendants().any(|inner| {
            matches!(
                inner.kind(),
                SyntaxKind::FOR_EXPR
                    | SyntaxKind::WHILE_EXPR
                    | SyntaxKind::LOOP_EXPR
                    | SyntaxKind::CLOSURE_EXPR
            )
        });
        self.awaits |= node
            .descendants()
            .any(|inner| is_top_level_await(&inner, node));
        for token in node
            .descendants_with_tokens()
            .filter_map(ra_ap_syntax::NodeOrToken::into_token)
        {
            // A loop inside a macro is only tokens.
            self.repeats |= matches!(
                token.kind(),
                SyntaxKind::FOR_KW | SyntaxKind::WHILE_KW | SyntaxKind::LOOP_KW
            );
            match token.kind() {
                SyntaxKind::IDENT => *self.used.entry(token.text().to_owned()).or_default() += 1,
                SyntaxKind::STRING if token.text().contains('{') => {
                    for name in names_in_format(token.text()) {
                        *self.used.entry(name).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
    }

    fn bind(&mut self, pattern: &ast::IdentPat) {
        let Some(name) = pattern.name() else { return };
        let name = name.text().to_string();
        // `None` and constants parse as names too.
        if !name.starts_with(char::is_uppercase) {
            self.bound.insert(name, pattern.mut_token().is_some());
        }
    }

    /// The text of an item.
    pub(crate) fn item_text(&self, item: &Item) -> &str {
        self.rust.get(item.range.clone()).unwrap_or_default()
    }

    /// The cell with everything but its statements blanked; positions are those of the cell.
    pub(crate) fn statements_text(&self) -> String {
        let mut text = self.rust.clone();
        for item in &self.items {
            let blank = blank(self.item_text(item));
            text.replace_range(item.range.clone(), &blank);
        }
        text
    }

    /// Names bound in this cell that it also uses after binding them.
    pub(crate) fn used_after_binding(&self) -> BTreeSet<String> {
        self.bound
            .keys()
            .filter(|name| self.used.get(*name).is_some_and(|count| *count > 1))
            .cloned()
            .collect()
    }
}

/// The names of the functions, methods, macros and other items that a cell defines, types excepted.
pub(crate) fn function_names(cell: &Cell) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in cell.items.iter().filter(|item| item.kind != ItemKind::Use) {
        let words = cell
            .item_text(item)
            .split(|character: char| !(character.is_alphanumeric() || character == '_'));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        names.extend(
            words
                .windows(2)
                .filter(|pair| pair[0] == "fn")
                .map(|pair| pair[1].to_owned()),
        );
        if item.kind == ItemKind::Other {
            names.extend(item.name.clone());
        }
    }
    names
}

/// The same number of bytes and lines, with nothing to see.
fn blank(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect()
}

/// evcxr's rule: commands come before the first line that is neither blank nor a `//` comment.
fn take_commands(code: &str) -> (Vec<String>, String) {
    let mut commands = Vec::new();
    let mut rust = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(line) = rest.split_inclusive('\n').next() {
        let text = line.trim_end_matches(['\n', '\r']);
        let is_command = text.starts_with('!') || text.trim_start_matches(' ').starts_with(':');
        if is_command && !text.trim_start().starts_with("::") {
            commands.push(text.to_owned());
            rust.push_str(&blank(line));
        } else if text.trim().is_empty() || text.starts_with("//") {
            rust.push_str(line);
        } else {
            break;
        }
        rest = &rest[line.len()..];
    }
    rust.push_str(rest);
    (commands, rust)
}

fn range_in_cell(node: &SyntaxNode) -> Range<usize> {
    let range = node.text_range();
    usize::from(range.start()) - WRAPPER.len()..usize::from(range.end()) - WRAPPER.len()
}

fn as_item(node: &SyntaxNode) -> Option<(ItemKind, Option<String>)> {
    if ast::Attr::can_cast(node.kind()) {
        return Some((ItemKind::Other, None));
    }
    let name_of = |node: &dyn HasName| node.name().map(|name| name.text().to_string());
    Some(match ast::Item::cast(node.clone())? {
        ast::Item::Struct(item) => (ItemKind::Type, name_of(&item)),
        ast::Item::Enum(item) => (ItemKind::Type, name_of(&item)),
        ast::Item::Union(item) => (ItemKind::Type, name_of(&item)),
        ast::Item::Trait(item) => (ItemKind::Type, name_of(&item)),
        ast::Item::TypeAlias(item) => (ItemKind::Type, name_of(&item)),
        ast::Item::Fn(item) => (ItemKind::Other, name_of(&item)),
        ast::Item::Const(item) => (ItemKind::Other, name_of(&item)),
        ast::Item::Static(item) => (ItemKind::Other, name_of(&item)),
        ast::Item::Module(item) => (ItemKind::Other, name_of(&item)),
        ast::Item::MacroRules(item) => (ItemKind::Other, name_of(&item)),
        ast::Item::MacroDef(item) => (ItemKind::Other, name_of(&item)),
        ast::Item::Use(_) => (ItemKind::Use, None),
        ast::Item::Impl(_) | ast::Item::ExternBlock(_) => (ItemKind::Unnamed, None),
        ast::Item::MacroCall(_) => return None,
        _ => (ItemKind::Other, None),
    })
}

/// Whether a final expression has a value to show: loops and `macro! { … }` statements have none.
fn is_value(node: &SyntaxNode) -> bool {
    match ast::Expr::cast(node.clone()) {
        Some(ast::Expr::ForExpr(_) | ast::Expr::WhileExpr(_)) => false,
        Some(ast::Expr::LoopExpr(expression)) => {
            let body = expression.loop_body();
            body.is_some_and(|body| {
                body.syntax()
                    .descendants()
                    .any(|inner| ast::BreakExpr::can_cast(inner.kind()))
            })
        }
        Some(ast::Expr::MacroExpr(expression)) => {
            let tokens = expression.macro_call().and_then(|call| call.token_tree());
            tokens.is_none_or(|tokens| tokens.l_curly_token().is_none())
        }
        Some(_) => true,
        None => false,
    }
}

fn is_top_level_await(node: &SyntaxNode, statement: &SyntaxNode) -> bool {
    ast::AwaitExpr::can_cast(node.kind())
        && !node
            .ancestors()
            .take_while(|ancestor| ancestor != statement)
            .any(|ancestor| {
                ast::Fn::can_cast(ancestor.kind())
                    || ast::ClosureExpr::can_cast(ancestor.kind())
                    || ast::BlockExpr::cast(ancestor)
                        .is_some_and(|block| block.async_token().is_some())
            })
}

/// Identifiers that a format string may mention: `{name}`, `{name:?}`, `{:width$}`.
fn names_in_format(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('{').skip(1).flat_map(|part| {
        let inside = part.split('}').next().unwrap_or_default();
        inside
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .filter(|word| word.starts_with(|first: char| first.is_alphabetic() || first == '_'))
            .map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_statements_and_the_final_expression_are_told_apart() {
        let cell = Cell::parse(
            "use std::fmt;\nlet mut n = 1;\nfn double(x: i32) -> i32 { x * 2 }\nn += 1;\ndouble(n) // ok",
        );
        assert!(!cell.broken);
        let items: Vec<&str> = cell.items.iter().map(|item| cell.item_text(item)).collect();
        assert_eq!(
            items,
            ["use std::fmt;", "fn double(x: i32) -> i32 { x * 2 }"]
        );
        assert_eq!(
            cell.tail.clone().map(|range| &cell.rust[range]),
            Some("double(n)")
        );
        assert_eq!(cell.bound, BTreeMap::from([("n".to_owned(), true)]));
        assert_eq!(cell.statements_text().len(), cell.rust.len());
        assert!(!cell.statements_text().contains("fmt"));
    }

    #[test]
    fn every_kind_of_pattern_binds_its_names() {
        let cell = Cell::parse(
            "let (a, mut b) = p; let Point { x, y: z } = q; let [first, .., last] = l; let w @ Some(_) = o else { panic!() };\n\
             let None = e else { panic!() };",
        );
        let names: Vec<&str> = cell.bound.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "b", "first", "last", "w", "x", "z"]);
        assert!(cell.bound["b"] && !cell.bound["a"]);
    }

    #[test]
    fn names_inside_macros_and_format_strings_are_used() {
        let cell = Cell::parse(r#"println!("{scene:?} {:>width$}", vec![threshold]);"#);
        for name in ["scene", "width", "threshold"] {
            assert!(cell.used.contains_key(name), "{name}");
        }
    }

    #[test]
    fn commands_come_first_and_keep_their_lines() {
        let cell = Cell::parse("// note\n:dep rand = \"0.9\"\n!ls\n\nlet a = 1;\n:not_a_command");
        assert_eq!(cell.commands, [":dep rand = \"0.9\"", "!ls"]);
        assert_eq!(cell.rust.lines().nth(4), Some("let a = 1;"));
    }

    #[test]
    fn loops_show_nothing_and_awaiting_is_noticed() {
        assert_eq!(
            Cell::parse("for i in 0..3 { println!(\"{i}\"); }").tail,
            None
        );
        assert!(Cell::parse("if a { 1 } else { 2 }").tail.is_some());
        assert!(Cell::parse("let x = fetch().await;").awaits);
        assert!(!Cell::parse("let x = async { fetch().await };").awaits);
    }

    #[test]
    fn repeated_work_and_code_of_the_users_own_are_noticed() {
        assert!(Cell::parse("let s = v.iter().map(|x| x * 2.0).sum::<f64>();").repeats);
        assert!(Cell::parse("run! { for i in 0..9 {} }").repeats);
        assert!(!Cell::parse("scene.size()").repeats);
        let cell = Cell::parse(
            "struct P;\nimpl P { fn area(&self) -> f64 { 1.0 } }\nmacro_rules! twice { () => {} }",
        );
        assert_eq!(
            function_names(&cell),
            BTreeSet::from(["area".to_owned(), "twice".to_owned()])
        );
    }

    #[test]
    fn a_cell_that_does_not_parse_is_broken() {
        assert!(Cell::parse("let = 5;").broken);
        assert!(Cell::parse("fn f( {").broken);
    }
}
