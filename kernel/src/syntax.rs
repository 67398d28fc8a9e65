//! What the text of a cell looks like to a Rust parser: whether it is finished, where its parts are.

use std::cell::RefCell;

use ra_ap_syntax::ast::{self, HasModuleItem};
use ra_ap_syntax::{AstNode, Edition, SyntaxKind};

/// Where a text of Rust ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    /// Open brackets minus closed ones.
    pub(crate) depth: i32,
    /// Whether the end lies inside a string or a block comment.
    pub(crate) inside_literal: bool,
    /// Whether a closing bracket came before its opening one, or does not fit it.
    pub(crate) mismatched: bool,
    /// Whether the text is empty or its last token ends a statement (`;` or `}`).
    pub(crate) after_statement: bool,
}

impl End {
    /// Whether a line that follows can begin something new.
    pub(crate) fn is_between_lines(self) -> bool {
        self.depth == 0 && !self.inside_literal
    }
}

/// A text that was looked at, so that the same text with more lines need not be looked at from its beginning: a cell of
/// a hundred thousand lines that look like magics would take minutes.
#[derive(Default)]
struct Looked {
    text: String,
    open: Vec<SyntaxKind>,
    end: End,
}

thread_local! {
    static LOOKED: RefCell<Looked> = RefCell::default();
}

impl Looked {
    /// The part of `code` after the text, when it can be looked at by itself.
    fn rest<'a>(&self, code: &'a str) -> Option<&'a str> {
        let rest = code.strip_prefix(self.text.as_str())?;
        let can_be = if self.end.inside_literal {
            // Nothing that could end a string or a comment.
            !rest.contains(['"', '\'', '/'])
        } else {
            // `---` begins something else at the beginning of a text.
            self.text.ends_with('\n') && !rest.trim_start().starts_with("---")
        };
        can_be.then_some(rest)
    }

    fn add(&mut self, rest: &str) {
        self.text.push_str(rest);
        if self.end.inside_literal {
            return;
        }
        let tokens = crate::parse::tokens(rest);
        let last = tokens.len().saturating_sub(1);
        // A raw string without its end reaches to the end of the text, which the lexer says in other words.
        self.end.inside_literal = tokens.errors().any(|(place, error)| {
            error.starts_with("Missing trailing")
                || place == last && error.starts_with("Invalid raw string")
        });
        let (open, end) = (&mut self.open, &mut self.end);
        for kind in (0..tokens.len()).map(|place| tokens.kind(place)) {
            if kind.is_trivia() {
                continue;
            }
            end.after_statement = matches!(kind, SyntaxKind::SEMICOLON | SyntaxKind::R_CURLY);
            match kind {
                SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => open.push(kind),
                SyntaxKind::R_PAREN => end.mismatched |= open.pop() != Some(SyntaxKind::L_PAREN),
                SyntaxKind::R_BRACK => end.mismatched |= open.pop() != Some(SyntaxKind::L_BRACK),
                SyntaxKind::R_CURLY => end.mismatched |= open.pop() != Some(SyntaxKind::L_CURLY),
                _ => {}
            }
        }
        end.depth = i32::try_from(open.len()).unwrap_or(i32::MAX);
    }
}

/// Looks at the end of `code`.
pub(crate) fn end_of(code: &str) -> End {
    LOOKED.with_borrow_mut(|looked| {
        let rest = looked.rest(code).unwrap_or_else(|| {
            *looked = Looked {
                end: End {
                    after_statement: true,
                    ..End::default()
                },
                ..Looked::default()
            };
            code
        });
        looked.add(rest);
        looked.end
    })
}

/// The call that the string which `code` ends in is an argument of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call<'a> {
    /// The function or method.
    pub(crate) name: &'a str,
    /// The variable before its dot; nothing where something else stands there.
    pub(crate) receiver: &'a str,
    /// Which argument it is, counted from 0.
    pub(crate) argument: usize,
    /// The text of the first argument, as it is written in its quotes; nothing where it is no string.
    pub(crate) first: &'a str,
    /// The place within a tuple of its own, as in `[("a", "b")]`.
    pub(crate) in_tuple: Option<usize>,
}

/// The call around the end of `code`, also where brackets or parentheses stand between.
pub(crate) fn call_around(code: &str) -> Option<Call<'_>> {
    struct Open<'a> {
        name: Option<&'a str>,
        receiver: &'a str,
        commas: usize,
        first: &'a str,
    }
    let tokens = crate::parse::tokens(code);
    let mut open: Vec<Open<'_>> = Vec::new();
    // The last tokens that are no spaces, the newest first.
    let mut before = ["", "", ""];
    for at in 0..tokens.len() {
        let text = &code[tokens.text_range(at)];
        let is_name = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        match tokens.kind(at) {
            SyntaxKind::WHITESPACE | SyntaxKind::COMMENT => continue,
            SyntaxKind::L_PAREN => open.push(Open {
                name: Some(before[0]).filter(|name| is_name(name)),
                receiver: if before[1] == "." && is_name(before[2]) {
                    before[2]
                } else {
                    ""
                },
                commas: 0,
                first: "",
            }),
            SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => open.push(Open {
                name: None,
                receiver: "",
                commas: usize::MAX,
                first: "",
            }),
            SyntaxKind::R_PAREN | SyntaxKind::R_BRACK | SyntaxKind::R_CURLY => {
                open.pop();
            }
            SyntaxKind::COMMA => {
                if let Some(inner) = open.last_mut() {
                    inner.commas = inner.commas.wrapping_add(1);
                }
            }
            SyntaxKind::STRING => {
                if let Some(inner) = open.last_mut().filter(|inner| inner.commas == 0) {
                    inner.first = text.trim_start_matches('r').trim_matches('"');
                }
            }
            _ => {}
        }
        before = [text, before[0], before[1]];
    }
    let innermost = open.last()?;
    let is_bracket = |it: &Open<'_>| it.name.is_none() && it.commas > usize::MAX / 2;
    let in_tuple = (innermost.name.is_none() && !is_bracket(innermost)).then_some(innermost.commas);
    let call = open.iter().rev().find(|it| it.name.is_some())?;
    Some(Call {
        name: call.name?,
        receiver: call.receiver,
        argument: call.commas,
        first: call.first,
        in_tuple,
    })
}

/// What is typed so far of the string that `code` ends in; `None` when it ends in none, or in one with escapes.
pub(crate) fn open_string(code: &str) -> Option<&str> {
    let tokens = crate::parse::tokens(code);
    let last = tokens.len().checked_sub(1)?;
    let is_open = tokens.kind(last) == SyntaxKind::STRING
        && tokens.errors().any(|(place, error)| {
            place == last
                && (error.starts_with("Missing trailing")
                    || error.starts_with("Invalid raw string"))
        });
    let text = &code[tokens.text_range(last)];
    let typed = &text[text.find('"')? + 1..];
    (is_open && (!typed.contains('\\') || text.starts_with('r'))).then_some(typed)
}

/// Whether a cell can be run as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Completeness {
    /// It can.
    Complete,
    /// More lines must follow, indented by this.
    Incomplete(String),
    /// No further line can make it Rust.
    Invalid,
}

const WRAPPER: &str = "fn cell() {\n";

/// Judges Rust code (magics have been taken out).
pub(crate) fn completeness(code: &str) -> Completeness {
    if crate::parse::check(code).is_err() {
        return Completeness::Invalid;
    }
    let end = end_of(code);
    if end.inside_literal {
        return Completeness::Incomplete(String::new());
    }
    if end.mismatched {
        return Completeness::Invalid;
    }
    if end.depth > 0 {
        return Completeness::Incomplete("    ".repeat(usize::try_from(end.depth).unwrap_or(1)));
    }
    // As the body of a function, because a cell holds statements as well as items.
    let parsed = crate::parse::source(&format!("{WRAPPER}{code}\n}}"));
    let text_end = WRAPPER.len() + code.trim_end().len();
    let mut missing_at_end = false;
    for error in parsed.errors() {
        if usize::from(error.range().end()) >= text_end {
            missing_at_end = true;
        } else {
            return Completeness::Invalid;
        }
    }
    if missing_at_end {
        Completeness::Incomplete(String::new())
    } else {
        Completeness::Complete
    }
}

/// The final expression of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FinalExpression {
    /// Where it stands, in bytes.
    pub(crate) range: std::ops::Range<usize>,
    /// Whether it names a place (`scene`, `run.history`): passing it on would move it.
    pub(crate) is_place: bool,
}

/// The final expression of a cell, when it has one (no `;` after it).
pub(crate) fn final_expression(code: &str) -> Option<FinalExpression> {
    let parsed = crate::parse::source(&format!("{WRAPPER}{code}\n}}"));
    let function = parsed.tree().items().find_map(|item| match item {
        ast::Item::Fn(function) => Some(function),
        _ => None,
    })?;
    let expression = function.body()?.stmt_list()?.tail_expr()?;
    let range = expression.syntax().text_range();
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    let range = start.checked_sub(WRAPPER.len())?..end.checked_sub(WRAPPER.len())?;
    // An expression that is not closed takes the wrapper's brace.
    code.get(range.clone())?;
    Some(FinalExpression {
        range,
        is_place: is_place(&expression),
    })
}

fn is_place(expression: &ast::Expr) -> bool {
    match expression {
        ast::Expr::PathExpr(_) | ast::Expr::FieldExpr(_) | ast::Expr::IndexExpr(_) => true,
        ast::Expr::PrefixExpr(prefix) => prefix.op_kind() == Some(ast::UnaryOp::Deref),
        ast::Expr::ParenExpr(paren) => paren.expr().is_some_and(|inner| is_place(&inner)),
        _ => false,
    }
}

/// Whether `text` is one identifier that a variable may have.
pub(crate) fn is_variable_name(text: &str) -> bool {
    text != "_"
        && SyntaxKind::from_keyword(text, Edition::Edition2024).is_none()
        && text.starts_with(|c: char| c == '_' || c.is_alphabetic())
        && text.chars().all(|c| c == '_' || c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: &str, expected: &str) {
        let found = match completeness(code) {
            Completeness::Complete => "complete".to_owned(),
            Completeness::Invalid => "invalid".to_owned(),
            Completeness::Incomplete(indent) => format!("incomplete {}", indent.len()),
        };
        assert_eq!(found, expected, "{code:?}");
    }

    /// Forgets what was looked at.
    fn at_once(code: &str) -> End {
        end_of("\0");
        end_of(code)
    }

    #[test]
    fn a_text_that_grows_line_by_line_ends_as_one_that_is_looked_at_once() {
        for text in [
            "let a = [\n!x,\n!y,\n];\nlet s = \"a {\n!b }\n\";\n(\n",
            "/* a\n!b\n/* c */\n*/ {\n'x'\n}\n---\n---\n",
            "let r = r#\"\n!a\n\"b\n\"#;\n}\n'\n\"\n",
            "a\n\n\n'b: loop {\n// \"\n}\nb'\\''\n",
        ] {
            let mut grown = String::new();
            let growing = text.split_inclusive('\n').map(|line| {
                grown.push_str(line);
                grown.clone()
            });
            let growing: Vec<String> = growing.collect();
            let by_and_by: Vec<End> = growing.iter().map(|text| end_of(text)).collect();
            for (text, end) in growing.iter().zip(by_and_by) {
                assert_eq!(end, at_once(text), "{text:?}");
            }
        }
        let began = std::time::Instant::now();
        let mut long = "let a = [\n".to_owned();
        for _ in 0..30_000 {
            long.push_str("!x,\n");
            assert_eq!(end_of(&long).depth, 1);
        }
        assert!(began.elapsed().as_secs() < 30);
    }

    #[test]
    fn finished_cells_are_complete() {
        for code in [
            "",
            "1 + 1",
            "let x = 5;",
            "fn f() {}",
            "struct A;\nlet a = A;",
            "if a { 1 } else { 2 }",
            "// only a comment",
            "use std::fmt;",
            "let s = \"a { b\";",
            "for x in 0..3 { println!(\"{x}\"); }",
            "scene.size()",
            "a?",
            "'{'",
            "let r#type = r#\"raw \" { \"#;",
            "vec![1, 2]\n",
            "let x = 5; // trailing",
        ] {
            check(code, "complete");
        }
    }

    #[test]
    fn open_ends_are_incomplete_and_indented_by_their_depth() {
        check("fn f() {", "incomplete 4");
        check("fn f() {\n    if true {", "incomplete 8");
        check("let x = vec![1,", "incomplete 4");
        check("let x =", "incomplete 0");
        check("let x = 5", "incomplete 0");
        check("1 +", "incomplete 0");
        check("let s = \"abc", "incomplete 0");
        check("let s = r#\"abc\"", "incomplete 0");
        check("let s = r#\"abc\"\n%time (", "incomplete 0");
        check("/* comment", "incomplete 0");
        check("fn f()", "incomplete 0");
        check("use std::", "incomplete 0");
        check("scene.", "incomplete 0");
    }

    #[test]
    fn what_no_line_can_mend_is_invalid() {
        check("fn f() { ) }", "invalid");
        check("let x = ;\nlet y = 1;", "invalid");
        check("}", "invalid");
        check("fn 5() {}", "invalid");
    }

    #[test]
    fn the_final_expression_is_found_behind_items_and_statements() {
        let code = "fn f() -> i32 { 1 }\nlet a = f();\na + 1";
        assert_eq!(
            final_expression(code).map(|found| &code[found.range]),
            Some("a + 1")
        );
        let is_place = |code: &str| final_expression(code).map(|found| found.is_place);
        for place in ["scene", "run.history", "values[0]", "*boxed", "(scene)"] {
            assert_eq!(is_place(place), Some(true), "{place}");
        }
        for value in ["f()", "a + 1", "-a", "scene.size()", "f()?", "Some(a)"] {
            assert_eq!(is_place(value), Some(false), "{value}");
        }
        assert_eq!(final_expression("let a = 1;"), None);
        assert_eq!(final_expression("f();"), None);
        assert_eq!(final_expression("struct A;"), None);
    }

    #[test]
    fn names_of_variables_are_neither_keywords_nor_other_text() {
        for name in ["scene", "_x", "größe", "a1"] {
            assert!(is_variable_name(name), "{name}");
        }
        for name in ["", "_", "let", "1a", "a b", "a-b", "fn", "async"] {
            assert!(!is_variable_name(name), "{name}");
        }
    }
}
