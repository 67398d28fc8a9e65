//! Takes a cell apart: evcxr's commands, items, statements, the final expression, names bound and used.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ra_ap_syntax::ast::{self, HasLoopBody as _, HasName as _};
use ra_ap_syntax::{AstNode, SyntaxKind, SyntaxNode, SyntaxToken};
use unicode_normalization::UnicodeNormalization as _;

use super::item_kind::{self, Name};
use super::macros::{self, MacroShape};

/// What the statements are wrapped in to be parsed.
const WRAPPER: &str = "fn f(){";

/// What the session knows that decides how a cell is read.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// What the session's own macros expand to, by name.
    pub(crate) macros: BTreeMap<String, MacroShape>,
    /// Names of constants, unit structs, variants: what a capital name in a pattern can mean.
    pub(crate) constants: BTreeSet<String>,
    /// Whether `name! { … }` of a macro that nobody knows is taken for items.
    pub(crate) unknown_macros_make_items: bool,
}

/// A cell, taken apart. Ranges are bytes of the cell.
#[derive(Debug, Default)]
pub(crate) struct Cell {
    /// evcxr's `:commands`, which come before the first line of Rust.
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
    /// Identifiers in statements that can mean a variable, inside macros and format strings too, with how often they occur.
    pub(crate) used: BTreeMap<String, usize>,
    /// Every identifier in statements.
    pub(crate) mentioned: BTreeSet<String>,
    /// Every `return` that ends the cell, with the names bound before its statement.
    pub(crate) returns: Vec<Return>,
    /// Whether a statement repeats work: a loop, or a closure, which something may call many times.
    pub(crate) repeats: bool,
    /// Whether a statement awaits a future outside of any `async` block.
    pub(crate) awaits: bool,
    /// Whether a macro that nobody knows was taken for items; when that does not compile, it is a statement.
    pub(crate) is_guess: bool,
}

/// A `return` outside of any function or closure of the cell's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Return {
    pub(crate) range: Range<usize>,
    pub(crate) has_value: bool,
    /// The names that are bound by then.
    pub(crate) bound: BTreeSet<String>,
}

/// A `fn`, a `struct`, a `use`…
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) range: Range<usize>,
    pub(crate) kind: ItemKind,
    /// What it defines.
    pub(crate) names: Vec<Name>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// Defines a type or a trait.
    Type,
    Use,
    /// `impl` and `extern` blocks, which have no name.
    Unnamed,
    /// `macro_rules!`, which counts only for what comes after it.
    MacroRules,
    /// A call of a macro that expands to items.
    MacroCall,
    /// `#![…]`
    Attribute,
    /// A `mod`
    Module,
    Constant,
    ConstantFunction,
    Static,
    Other,
}

impl Cell {
    pub(crate) fn parse(code: &str, known: &Known) -> Self {
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
            let own_macros = macros::defined_in(statements.syntax());
            for node in statements.syntax().children() {
                cell.add(&node, known, &own_macros);
            }
        }
        cell
    }

    fn add(&mut self, node: &SyntaxNode, known: &Known, own_macros: &BTreeMap<String, MacroShape>) {
        let range = range_in_cell(node);
        if let Some((kind, names)) = item_kind::of(node) {
            self.items.push(Item { range, kind, names });
            return;
        }
        if let Some(call) = macros::statement(node) {
            let name = macros::name(&call);
            let shape = own_macros.get(&name).or_else(|| known.macros.get(&name));
            let makes_items = match shape {
                Some(shape) => shape.makes_items,
                None if macros::MAKE_ITEMS.contains(&name.as_str()) => true,
                None => {
                    let guess = macros::may_make_items(&call, &name);
                    self.is_guess |= guess;
                    guess && known.unknown_macros_make_items
                }
            };
            if makes_items {
                let names = macros::names_of_items(&call, &name);
                let kind = ItemKind::MacroCall;
                self.items.push(Item { range, kind, names });
                return;
            }
            if shape.is_some_and(|shape| shape.binds) {
                for name in macros::arguments(&call) {
                    self.bound.entry(name).or_insert(true);
                }
            }
        }
        self.has_statements = true;
        self.tail = (ast::Expr::can_cast(node.kind()) && is_value(node)).then(|| range.clone());
        self.add_returns(node);
        if let Some(pattern) =
            ast::LetStmt::cast(node.clone()).and_then(|statement| statement.pat())
        {
            for name in pattern
                .syntax()
                .descendants()
                .filter_map(ast::IdentPat::cast)
            {
                self.bind(&name, known);
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
                SyntaxKind::IDENT => {
                    let name = normalized(token.text());
                    self.mentioned.insert(name.clone());
                    let is_definition = token
                        .parent()
                        .is_some_and(|it| ast::Name::can_cast(it.kind()));
                    if !is_definition && can_mean_a_variable(&token) {
                        *self.used.entry(name).or_default() += 1;
                    }
                }
                SyntaxKind::STRING if token.text().contains('{') => {
                    for name in names_in_format(token.text()) {
                        self.mentioned.insert(name.clone());
                        *self.used.entry(name).or_default() += 1;
                    }
                }
                _ => {}
            }
        }
    }

    fn add_returns(&mut self, statement: &SyntaxNode) {
        let found = statement
            .descendants()
            .filter_map(ast::ReturnExpr::cast)
            .filter(|it| is_of_the_cell(it.syntax(), statement));
        for expression in found {
            self.returns.push(Return {
                range: range_in_cell(expression.syntax()),
                has_value: expression.expr().is_some(),
                bound: self.bound.keys().cloned().collect(),
            });
        }
    }

    /// A capital name in a pattern is a constant when there is one of that name, as in `let None = … else`. Where that
    /// cannot be known, the generated code finds out (see `generate::keep`).
    fn bind(&mut self, pattern: &ast::IdentPat, known: &Known) {
        let Some(name) = pattern.name() else { return };
        let name = normalized(name.text());
        let is_plain = pattern.ref_token().is_none()
            && pattern.mut_token().is_none()
            && pattern.at_token().is_none();
        let is_constant = is_plain && (name == "None" || known.constants.contains(&name));
        if !is_constant {
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
            .filter(|name| self.used.contains_key(*name))
            .cloned()
            .collect()
    }
}

/// An identifier as the compiler reads it: in Unicode's form NFC.
pub(crate) fn normalized(name: &str) -> String {
    if name.is_ascii() {
        name.to_owned()
    } else {
        name.nfc().collect()
    }
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
        if crate::commands::parse(text).is_some() {
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
    (commands, without_inner_documentation(rust))
}

/// `//!` and `/*!` at a cell's beginning document the cell: no statement may begin with them, so they are plain comments.
/// Positions stay.
fn without_inner_documentation(mut rust: String) -> String {
    let mut start = 0;
    loop {
        start += rust[start..].len() - rust[start..].trim_start().len();
        let rest = &rust[start..];
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*!") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else {
            return rust;
        };
        if rest[2..].starts_with('!') {
            rust.replace_range(start + 2..start + 3, " ");
        }
        start += length;
    }
}

fn range_in_cell(node: &SyntaxNode) -> Range<usize> {
    let range = node.text_range();
    usize::from(range.start()) - WRAPPER.len()..usize::from(range.end()) - WRAPPER.len()
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
    ast::AwaitExpr::can_cast(node.kind()) && is_of_the_cell(node, statement)
}

/// Whether a part of a statement belongs to the cell itself, not to a function, a closure or an `async` block in it.
fn is_of_the_cell(node: &SyntaxNode, statement: &SyntaxNode) -> bool {
    !node
        .ancestors()
        .skip(1)
        .take_while(|ancestor| ancestor != statement)
        .any(|ancestor| {
            ast::Fn::can_cast(ancestor.kind())
                || ast::ClosureExpr::can_cast(ancestor.kind())
                || ast::BlockExpr::cast(ancestor).is_some_and(|block| block.async_token().is_some())
        })
}

/// Whether an identifier can mean a variable: it is no field, no method, and no part of a path.
fn can_mean_a_variable(token: &SyntaxToken) -> bool {
    let before = neighbor(token, SyntaxToken::prev_token);
    let after = neighbor(token, SyntaxToken::next_token);
    let is = |token: &Option<SyntaxToken>, kind: SyntaxKind| {
        token.as_ref().is_some_and(|token| token.kind() == kind)
    };
    let follows_a_dot = is(&before, SyntaxKind::DOT)
        // Inside macros `..` is two tokens.
        && !is(&before.as_ref().and_then(SyntaxToken::prev_token), SyntaxKind::DOT);
    let colons = |token: &Option<SyntaxToken>, onward: fn(&SyntaxToken) -> Option<SyntaxToken>| {
        is(token, SyntaxKind::COLON2)
            || (is(token, SyntaxKind::COLON)
                && is(&token.as_ref().and_then(onward), SyntaxKind::COLON))
    };
    let is_label_of_a_field = token
        .parent()
        .and_then(|parent| parent.parent())
        .and_then(ast::RecordExprField::cast)
        .is_some_and(|field| field.colon_token().is_some());
    !(follows_a_dot
        || is_label_of_a_field
        || colons(&before, SyntaxToken::prev_token)
        || colons(&after, SyntaxToken::next_token))
}

/// The next token in a direction that is neither white space nor a comment.
fn neighbor(
    token: &SyntaxToken,
    onward: fn(&SyntaxToken) -> Option<SyntaxToken>,
) -> Option<SyntaxToken> {
    std::iter::successors(onward(token), onward).find(|token| !token.kind().is_trivia())
}

/// Identifiers that a format string may mention: `{name}`, `{name:?}`, `{:width$}`.
fn names_in_format(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split('{').skip(1).flat_map(|part| {
        let inside = part.split('}').next().unwrap_or_default();
        inside
            .split(|character: char| !(character.is_alphanumeric() || character == '_'))
            .filter(|word| word.starts_with(|first: char| first.is_alphabetic() || first == '_'))
            .map(normalized)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(code: &str) -> Cell {
        Cell::parse(code, &Known::default())
    }

    #[test]
    fn items_statements_and_the_final_expression_are_told_apart() {
        let cell = parse(
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
        let cell = parse(
            "let (a, mut b) = p; let Point { x, y: z } = q; let [first, .., last] = l; let w @ Some(_) = o else { panic!() };\n\
             let None = e else { panic!() };",
        );
        let names: Vec<&str> = cell.bound.keys().map(String::as_str).collect();
        assert_eq!(names, ["a", "b", "first", "last", "w", "x", "z"]);
        assert!(cell.bound["b"] && !cell.bound["a"]);
    }

    #[test]
    fn names_inside_macros_and_format_strings_are_used() {
        let cell = parse(r#"println!("{scene:?} {:>width$}", vec![threshold]);"#);
        for name in ["scene", "width", "threshold"] {
            assert!(cell.used.contains_key(name), "{name}");
        }
    }

    #[test]
    fn documentation_of_a_cell_is_a_comment() {
        let code = "//! What it does.\n// More.\n/*! And\n more. */ 1 + 1 //! end";
        let cell = parse(code);
        assert_eq!(
            cell.rust,
            "//  What it does.\n// More.\n/*  And\n more. */ 1 + 1 //! end"
        );
        assert!(!cell.broken && cell.tail.is_some());
    }

    #[test]
    fn commands_come_first_and_keep_their_lines() {
        let cell = parse("// note\n:dep rand = \"0.9\"\n:vars\n\nlet a = 1;\n:not_a_command");
        assert_eq!(cell.commands, [":dep rand = \"0.9\"", ":vars"]);
        assert_eq!(cell.rust.lines().nth(4), Some("let a = 1;"));
    }

    #[test]
    fn loops_show_nothing_and_awaiting_is_noticed() {
        assert_eq!(parse("for i in 0..3 { println!(\"{i}\"); }").tail, None);
        assert!(parse("if a { 1 } else { 2 }").tail.is_some());
        assert!(parse("let x = fetch().await;").awaits);
        assert!(!parse("let x = async { fetch().await };").awaits);
    }

    #[test]
    fn repeated_work_and_code_of_the_users_own_are_noticed() {
        assert!(parse("let s = v.iter().map(|x| x * 2.0).sum::<f64>();").repeats);
        assert!(parse("run! { for i in 0..9 {} }").repeats);
        assert!(!parse("scene.size()").repeats);
    }

    #[test]
    fn a_cell_that_does_not_parse_is_broken() {
        assert!(parse("let = 5;").broken);
        assert!(parse("fn f( {").broken);
    }

    #[test]
    fn capital_names_are_variables_unless_something_of_that_name_is_there() {
        let code = "let X = vec![1]; let (A, b) = (1, 2); let None = o else { return };";
        let names: Vec<_> = parse(code).bound.into_keys().collect();
        assert_eq!(names, ["A", "X", "b"]);
        let known = Known {
            constants: BTreeSet::from(["A".to_owned()]),
            ..Known::default()
        };
        let names: Vec<_> = Cell::parse(code, &known).bound.into_keys().collect();
        assert_eq!(names, ["X", "b"]);
    }

    #[test]
    fn fields_methods_and_paths_are_no_variables() {
        let cell = parse("v.len(); P { x: y, z }; m::w; println!(\"{}\", a.b + ..c, d::e); t.0");
        let used: Vec<&str> = cell.used.keys().map(String::as_str).collect();
        assert_eq!(used, ["P", "a", "c", "println", "t", "v", "y", "z"]);
        assert!(cell.mentioned.contains("len") && cell.mentioned.contains("e"));
    }

    #[test]
    fn a_return_of_the_cell_knows_what_is_bound_before_it() {
        let cell = parse("let a = 1; let f = || { return 2 }; if a > 0 { return; } let b = 3;");
        assert_eq!(cell.returns.len(), 1);
        assert!(!cell.returns[0].has_value && cell.returns[0].bound.contains("a"));
        assert!(!cell.returns[0].bound.contains("b"));
    }

    #[test]
    fn macros_that_make_items_and_variables_are_known() {
        let cell = parse(
            "macro_rules! point { ($n:ident) => { #[derive(Debug)] struct $n { x: i32 } } }\n\
             macro_rules! make { ($n:ident, $e:expr) => { let $n = $e; } }\n\
             point!(Pt); make!(made, 5); thread_local! { static T: u8 = 1; }",
        );
        let kinds: Vec<_> = cell.items.iter().map(|item| item.kind).collect();
        let (rules, call) = (ItemKind::MacroRules, ItemKind::MacroCall);
        assert_eq!(kinds, [rules, rules, call, call]);
        assert!(cell.bound.contains_key("made") && !cell.bound.contains_key("Pt"));
        let guess = "quick! { struct A; }";
        assert!(parse(guess).is_guess && parse(guess).items.is_empty());
    }

    #[test]
    fn two_spellings_of_one_name_are_one() {
        let cell = parse("let e\u{301}te\u{301} = 1; \u{e9}t\u{e9}");
        assert_eq!(
            cell.bound.keys().next().map(String::as_str),
            Some("\u{e9}t\u{e9}")
        );
        assert_eq!(cell.used["\u{e9}t\u{e9}"], 1);
    }
}
