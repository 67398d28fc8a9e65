//! Calls of macros at the top level of a cell: whether they expand to items, and which names they bring.

use std::collections::BTreeMap;

use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{AstNode, NodeOrToken, SyntaxKind, SyntaxNode, SyntaxToken};

use super::item_kind::{Name, Namespace};
use super::split::normalized;

/// Macros of the standard library and of common crates that expand to items.
pub(crate) const MAKE_ITEMS: [&str; 6] = [
    "thread_local",
    "lazy_static",
    "bitflags",
    "cfg_if",
    "task_local",
    "global_asm",
];

/// Macros that are statements, whatever their brackets.
const MAKE_STATEMENTS: [&str; 34] = [
    "print",
    "println",
    "eprint",
    "eprintln",
    "dbg",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
    "write",
    "writeln",
    "vec",
    "format",
    "format_args",
    "matches",
    "include",
    "include_str",
    "include_bytes",
    "env",
    "option_env",
    "concat",
    "stringify",
    "line",
    "file",
    "column",
    "json",
    "select",
    "join",
];

/// What a macro of the session's own expands to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct MacroShape {
    pub(crate) makes_items: bool,
    /// Whether it binds variables whose names are among its arguments.
    pub(crate) binds: bool,
    /// Whether it defines a `static`, whose state the session cannot keep.
    pub(crate) makes_statics: bool,
}

/// The call that a statement consists of.
pub(crate) fn statement(node: &SyntaxNode) -> Option<ast::MacroCall> {
    if let Some(call) = ast::MacroCall::cast(node.clone()) {
        return Some(call);
    }
    let expression = match ast::ExprStmt::cast(node.clone()) {
        Some(statement) => statement.expr()?,
        None => ast::Expr::cast(node.clone())?,
    };
    match expression {
        ast::Expr::MacroExpr(expression) => expression.macro_call(),
        _ => None,
    }
}

/// The last name of the macro's path.
pub(crate) fn name(call: &ast::MacroCall) -> String {
    call.path()
        .and_then(|path| path.segment())
        .and_then(|segment| segment.name_ref())
        .map(|name| normalized(name.text()))
        .unwrap_or_default()
}

/// Whether a macro that nobody knows may expand to items: `name! { … }` of none that is known for a statement, with a
/// word inside that begins an item.
pub(crate) fn may_make_items(call: &ast::MacroCall, name: &str) -> bool {
    let has_braces = call
        .token_tree()
        .is_some_and(|tree| tree.l_curly_token().is_some());
    has_braces
        && !MAKE_STATEMENTS.contains(&name)
        && tokens_of(call.syntax()).any(|token| begins_an_item(&token))
}

/// The names that a call which makes items probably defines: those among its arguments.
pub(crate) fn names_of_items(call: &ast::MacroCall, macro_name: &str) -> Vec<Name> {
    if macro_name == "thread_local" || macro_name == "lazy_static" {
        return names_of_statics(call);
    }
    let mut names: Vec<Name> = arguments(call)
        .iter()
        .flat_map(|name| Name::in_all(&[Namespace::Type, Namespace::Value], name))
        .collect();
    names.dedup();
    names
}

fn names_of_statics(call: &ast::MacroCall) -> Vec<Name> {
    let tokens: Vec<SyntaxToken> = tokens_of(call.syntax())
        .filter(|token| !token.kind().is_trivia())
        .collect();
    tokens
        .windows(3)
        .filter(|three| three[0].kind() == SyntaxKind::STATIC_KW)
        .filter_map(|three| {
            let named = if three[1].text() == "ref" {
                &three[2]
            } else {
                &three[1]
            };
            (named.kind() == SyntaxKind::IDENT).then(|| Name::new(Namespace::Value, named.text()))
        })
        .collect()
}

/// The identifiers among a call's arguments, outside of inner brackets.
pub(crate) fn arguments(call: &ast::MacroCall) -> Vec<String> {
    let Some(tree) = call.token_tree() else {
        return Vec::new();
    };
    tree.syntax()
        .children_with_tokens()
        .filter_map(NodeOrToken::into_token)
        .filter(|token| token.kind() == SyntaxKind::IDENT)
        .map(|token| normalized(token.text()))
        .collect()
}

/// The macros that the statements define.
pub(crate) fn defined_in(statements: &SyntaxNode) -> BTreeMap<String, MacroShape> {
    statements
        .children()
        .filter_map(ast::MacroRules::cast)
        .filter_map(|rules| Some((normalized(rules.name()?.text()), shape(&rules))))
        .collect()
}

/// What the `macro_rules!` in an item's text expands to.
pub(crate) fn shape_of_text(text: &str) -> MacroShape {
    crate::parse::source(text)
        .syntax_node()
        .children()
        .find_map(ast::MacroRules::cast)
        .map(|rules| shape(&rules))
        .unwrap_or_default()
}

fn shape(rules: &ast::MacroRules) -> MacroShape {
    let Some(body) = rules.token_tree() else {
        return MacroShape::default();
    };
    let trees: Vec<SyntaxNode> = body.syntax().children().collect();
    let mut shape = MacroShape::default();
    for arm in trees.chunks_exact(2) {
        let (matcher, transcriber) = (&arm[0], &arm[1]);
        let has = |kind: SyntaxKind| tokens_of(transcriber).any(|token| token.kind() == kind);
        let takes = |fragment: &str| tokens_of(matcher).any(|token| token.text() == fragment);
        shape.makes_items |= makes_items(transcriber, takes("vis"), takes("item"));
        shape.binds |= has(SyntaxKind::LET_KW) && (takes("ident") || takes("pat") || takes("tt"));
        shape.makes_statics |= has(SyntaxKind::STATIC_KW);
    }
    shape.binds &= !shape.makes_items;
    shape
}

/// Whether an expansion begins with an item, behind its attributes and visibility.
fn makes_items(tree: &SyntaxNode, has_visibility: bool, has_item: bool) -> bool {
    let mut parts = tree
        .children_with_tokens()
        .filter(|part| !part.kind().is_trivia())
        .skip(1)
        .peekable();
    while let Some(part) = parts.next() {
        match part {
            NodeOrToken::Node(inner) => {
                // `$( … )*`: of attributes, or of whatever follows.
                let first = tokens_of(&inner)
                    .filter(|token| !token.kind().is_trivia())
                    .nth(1);
                if first.is_none_or(|token| token.kind() != SyntaxKind::POUND) {
                    return makes_items(&inner, has_visibility, has_item);
                }
            }
            NodeOrToken::Token(token) => match token.kind() {
                SyntaxKind::POUND | SyntaxKind::BANG => {
                    parts.next_if(|part| part.as_node().is_some());
                }
                SyntaxKind::PUB_KW => {
                    parts.next_if(|part| part.as_node().is_some());
                }
                SyntaxKind::DOLLAR => {
                    // A fragment: `$vis` or an item as a whole; a repetition is a node that comes next.
                    if let Some(fragment) = parts.next_if(|part| part.as_token().is_some()) {
                        let is_last_of_a_kind = parts
                            .peek()
                            .is_none_or(|next| next.kind() == SyntaxKind::R_CURLY);
                        if has_item && (is_last_of_a_kind || fragment.to_string() == "item") {
                            return true;
                        }
                        if !has_visibility {
                            return false;
                        }
                    }
                }
                SyntaxKind::STAR | SyntaxKind::PLUS | SyntaxKind::QUESTION | SyntaxKind::COMMA => {}
                _ if token.text() == "macro_rules" => return true,
                SyntaxKind::IDENT => return MAKE_ITEMS.contains(&token.text()),
                SyntaxKind::UNSAFE_KW | SyntaxKind::ASYNC_KW | SyntaxKind::CONST_KW => {
                    // A block of that kind is a statement.
                    return parts.peek().is_some_and(|next| next.as_token().is_some());
                }
                _ => return begins_an_item(&token),
            },
        }
    }
    false
}

fn begins_an_item(token: &SyntaxToken) -> bool {
    matches!(
        token.kind(),
        SyntaxKind::STRUCT_KW
            | SyntaxKind::ENUM_KW
            | SyntaxKind::FN_KW
            | SyntaxKind::IMPL_KW
            | SyntaxKind::TRAIT_KW
            | SyntaxKind::STATIC_KW
            | SyntaxKind::MOD_KW
            | SyntaxKind::USE_KW
            | SyntaxKind::TYPE_KW
            | SyntaxKind::EXTERN_KW
    ) || token.text() == "union"
}

fn tokens_of(node: &SyntaxNode) -> impl Iterator<Item = SyntaxToken> {
    node.descendants_with_tokens()
        .filter_map(NodeOrToken::into_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_an_expansion_says_what_a_macro_makes() {
        let items = |text: &str| shape_of_text(text).makes_items;
        assert!(items(
            "macro_rules! a { ($n:ident) => { #[derive(Debug)] pub struct $n; } }"
        ));
        assert!(items(
            "macro_rules! a { ($($n:ident),*) => { $( impl T for $n {} )* } }"
        ));
        assert!(items(
            "macro_rules! a { ($(#[$m:meta])* $v:vis $n:ident) => { $(#[$m])* $v enum $n {} } }"
        ));
        assert!(items("macro_rules! a { ($i:item) => { $i } }"));
        assert!(items("macro_rules! a { () => { const fn f() {} } }"));
        assert!(items(
            "macro_rules! a { () => { thread_local! { static A: u8 = 1; } } }"
        ));
        assert!(!items(
            "macro_rules! a { ($e:expr) => { println!(\"{}\", $e) } }"
        ));
        assert!(!items("macro_rules! a { ($e:expr) => { unsafe { $e } } }"));
        assert!(!items("macro_rules! a { () => { 5 } }"));
    }

    #[test]
    fn a_macro_that_binds_its_argument_is_known() {
        let shape = shape_of_text("macro_rules! make { ($n:ident) => { let mut $n = 5; } }");
        assert!(shape.binds && !shape.makes_items);
        assert!(!shape_of_text("macro_rules! five { () => { { let a = 5; a } } }").binds);
    }
}
