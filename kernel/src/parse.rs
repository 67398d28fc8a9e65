//! The one place where text of users meets the Rust parser.
//!
//! The parser calls itself for every level of nesting, and trees are taken apart level by level: text that is nested a
//! few thousand deep overflows a thread's stack, which ends the process. So the lexer goes first. It cannot know the tree,
//! but it can bound its depth: within a pair of brackets a tree is at most as deep as there are tokens since the last
//! separator, because everything that nests without brackets (`- - x`, `a + b + c`, `|x| |y|`, `a.b().c()`, `else if`)
//! needs a token for each level. What is deeper than [`LEVELS`], or nested in more brackets than [`BRACKETS`], is
//! refused before it is parsed; rustc, which has the same trouble, does not see it either.

use ra_ap_parser::LexedStr;
use ra_ap_syntax::{Edition, Parse, SourceFile, SyntaxKind};

use crate::error_report::ErrorReport;

/// How deep a tree may be at most, as the lexer bounds it.
const LEVELS: usize = 1_000;
/// The same for the analyzer that completes and explains, which has smaller stacks.
const ANALYZED: usize = 400;
/// How many brackets (with those of generics) may be open. Machine-written code rarely has more than fifty.
const BRACKETS: usize = 200;
/// How many tokens a text may have: data belong into a file.
const TOKENS: usize = 2_000_000;
/// Up to this depth any thread can parse.
const SHALLOW: usize = 150;
/// The stack for everything else; only what is used of it takes memory.
const STACK: usize = 128 << 20;

/// Why a text is not parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    message: String,
    /// From 1.
    line: usize,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl From<Refusal> for ErrorReport {
    fn from(refusal: Refusal) -> Self {
        Self {
            ename: "SyntaxError".to_owned(),
            traceback: vec![
                format!("\u{1b}[31mSyntaxError\u{1b}[0m: {refusal}"),
                format!("  --> line {}", refusal.line),
            ],
            evalue: refusal.message,
        }
    }
}

/// The first bracket that has no other, and what is wrong with it. Of brackets that are never closed it is the innermost.
pub(crate) fn odd_bracket(code: &str) -> Option<(std::ops::Range<usize>, String)> {
    let lexed = LexedStr::new(Edition::CURRENT, code);
    let mut open: Vec<(std::ops::Range<usize>, char)> = Vec::new();
    for token in 0..lexed.len() {
        let range = lexed.text_range(token);
        let closed = match lexed.kind(token) {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => {
                open.push((range, code[lexed.text_range(token)].chars().next()?));
                continue;
            }
            SyntaxKind::R_PAREN => '(',
            SyntaxKind::R_BRACK => '[',
            SyntaxKind::R_CURLY => '{',
            _ => continue,
        };
        match open.pop() {
            Some((_, bracket)) if bracket == closed => {}
            // It closes one further out.
            Some((inner, bracket)) if open.iter().any(|(_, outer)| *outer == closed) => {
                return Some((inner, format!("`{bracket}` is never closed")));
            }
            Some((_, bracket)) => {
                let found = &code[range.clone()];
                return Some((range, format!("`{found}` does not close `{bracket}`")));
            }
            None => {
                let found = &code[range.clone()];
                return Some((range, format!("`{found}` closes nothing")));
            }
        }
    }
    let (range, bracket) = open.pop()?;
    // A text without an end has swallowed what would close it.
    let is_in_text = lexed
        .errors()
        .any(|(_, error)| error.starts_with("Missing trailing"));
    (!is_in_text).then(|| (range, format!("`{bracket}` is never closed")))
}

/// Looks whether `code` can be parsed without harm.
///
/// # Errors
/// Where and why it cannot.
pub(crate) fn check(code: &str) -> Result<(), Refusal> {
    depth_of(code).map(drop)
}

/// Whether the analyzer can read `code` without harm.
pub(crate) fn can_be_analyzed(code: &str) -> bool {
    depth_of(code).is_ok_and(|depth| depth <= ANALYZED)
}

/// Parses `code`. What [`check`] refuses becomes a tree with an error and nothing else.
pub(crate) fn source(code: &str) -> Parse<SourceFile> {
    match depth_of(code) {
        Ok(depth) if depth <= SHALLOW => SourceFile::parse(code, Edition::Edition2024),
        Ok(_) => on_a_large_stack(|| SourceFile::parse(code, Edition::Edition2024))
            .unwrap_or_else(refused),
        Err(_) => refused(),
    }
}

/// The tokens of `code`, white space and comments included. Lexing knows no depth.
pub(crate) fn tokens(code: &str) -> LexedStr<'_> {
    LexedStr::new(Edition::Edition2024, code)
}

fn refused() -> Parse<SourceFile> {
    SourceFile::parse(")", Edition::Edition2024)
}

fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new()
            .name("parser".to_owned())
            .stack_size(STACK);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

/// A bound for the depth of the tree of `code`.
fn depth_of(code: &str) -> Result<usize, Refusal> {
    let lexed = tokens(code);
    let refuse = |token: usize, what: String| {
        let line = code[..lexed.text_start(token)].matches('\n').count() + 1;
        let message = format!("{what} at line {line}");
        Err(Refusal { message, line })
    };
    if lexed.len() > TOKENS {
        return refuse(
            TOKENS,
            format!(
                "the cell is too long: it has {} tokens, the limit of {TOKENS} is passed; put data into a file and read it",
                lexed.len()
            ),
        );
    }
    let mut depth = Depth::default();
    let mut deepest = 0;
    for place in 0..lexed.len() {
        depth.take(lexed.kind(place));
        deepest = deepest.max(depth.bound());
        if depth.brackets > BRACKETS {
            return refuse(
                place,
                format!(
                    "nested too deeply: more than {BRACKETS} brackets are open; split the expression or the type"
                ),
            );
        }
        if depth.bound() > LEVELS {
            return refuse(
                place,
                format!(
                    "nested too deeply: one expression has more than {LEVELS} parts that depend on each other; split it with `let`"
                ),
            );
        }
    }
    Ok(deepest)
}

/// A pair of brackets that is open. `<` and the first `|` of a closure open soft ones, which other tokens end as well:
/// they may be operators.
#[derive(Clone, Copy, Debug)]
struct Level {
    open: SyntaxKind,
    /// Tokens since the last separator.
    parts: usize,
    /// Whether it counts as a bracket.
    counts: bool,
}

#[derive(Debug, Default)]
struct Depth {
    levels: Vec<Level>,
    /// Tokens of the outermost level since the last separator.
    outside: usize,
    /// The sum over all levels.
    parts: usize,
    brackets: usize,
    /// The last token that was not white space, and whether white space came after it.
    previous: Option<SyntaxKind>,
    spaced: bool,
    /// Whether the last token closed a block, which may have been the end of something.
    after_block: bool,
}

impl Depth {
    fn bound(&self) -> usize {
        self.parts + self.levels.len()
    }

    fn take(&mut self, kind: SyntaxKind) {
        if kind.is_trivia() {
            self.spaced = true;
            return;
        }
        if std::mem::take(&mut self.after_block) && !continues(kind) {
            self.separate();
        }
        self.add();
        match kind {
            SyntaxKind::L_PAREN | SyntaxKind::L_BRACK | SyntaxKind::L_CURLY => {
                self.open(kind, true);
            }
            SyntaxKind::R_PAREN => self.close(SyntaxKind::L_PAREN),
            SyntaxKind::R_BRACK => self.close(SyntaxKind::L_BRACK),
            SyntaxKind::R_CURLY => {
                self.close(SyntaxKind::L_CURLY);
                self.after_block = true;
            }
            SyntaxKind::L_ANGLE => {
                // `a < b` is written with a space, `A<B>` without.
                let counts = !self.spaced;
                self.open(kind, counts);
            }
            SyntaxKind::R_ANGLE => self.right_angle(),
            SyntaxKind::PIPE => self.pipe(),
            SyntaxKind::SEMICOLON => {
                self.end_soft();
                self.separate();
            }
            SyntaxKind::COMMA => self.separate(),
            _ => {}
        }
        self.previous = Some(kind);
        self.spaced = false;
    }

    fn top(&mut self) -> &mut usize {
        match self.levels.last_mut() {
            Some(level) => &mut level.parts,
            None => &mut self.outside,
        }
    }

    fn add(&mut self) {
        *self.top() += 1;
        self.parts += 1;
    }

    /// What comes is beside what was, not within it.
    fn separate(&mut self) {
        self.parts -= std::mem::take(self.top());
    }

    fn open(&mut self, kind: SyntaxKind, counts: bool) {
        self.brackets += usize::from(counts);
        self.levels.push(Level {
            open: kind,
            parts: 0,
            counts,
        });
    }

    fn pop(&mut self) {
        if let Some(level) = self.levels.pop() {
            self.parts -= level.parts;
            self.brackets -= usize::from(level.counts);
        }
    }

    /// Ends the levels that an operator may have opened.
    fn end_soft(&mut self) {
        while self
            .levels
            .last()
            .is_some_and(|level| matches!(level.open, SyntaxKind::L_ANGLE | SyntaxKind::PIPE))
        {
            self.pop();
        }
    }

    /// A closing bracket ends everything up to its opening one; one that fits none ends nothing.
    fn close(&mut self, open: SyntaxKind) {
        let fits = self.levels.iter().rposition(|level| level.open == open);
        if let Some(place) = fits {
            while self.levels.len() > place {
                self.pop();
            }
        }
    }

    /// `->`, `=>` and `>=` are no brackets; before `=>` is a pattern, which is over.
    fn right_angle(&mut self) {
        match self.previous {
            Some(SyntaxKind::EQ) if !self.spaced => {
                self.end_soft();
                self.separate();
            }
            Some(SyntaxKind::MINUS) if !self.spaced => {}
            _ => {
                if self.levels.last().map(|level| level.open) == Some(SyntaxKind::L_ANGLE) {
                    self.pop();
                }
            }
        }
    }

    /// The parameters of a closure stand between two of them; after an operand it is an operator.
    fn pipe(&mut self) {
        if self.levels.last().map(|level| level.open) == Some(SyntaxKind::PIPE) {
            self.pop();
        } else if !self.previous.is_some_and(ends_operand) {
            self.open(SyntaxKind::PIPE, false);
        }
    }
}

fn ends_operand(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::IDENT
            | SyntaxKind::R_PAREN
            | SyntaxKind::R_BRACK
            | SyntaxKind::R_CURLY
            | SyntaxKind::SELF_KW
            | SyntaxKind::TRUE_KW
            | SyntaxKind::FALSE_KW
            | SyntaxKind::UNDERSCORE
            | SyntaxKind::QUESTION
            | SyntaxKind::R_ANGLE
    ) || kind.is_literal()
}

/// Whether a token may go on with an expression that a block seemed to end.
fn continues(kind: SyntaxKind) -> bool {
    kind.is_punct() && !matches!(kind, SyntaxKind::L_CURLY | SyntaxKind::POUND)
        || matches!(kind, SyntaxKind::ELSE_KW | SyntaxKind::AS_KW)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bracket_without_another_is_found() {
        let odd = |code: &str| odd_bracket(code).map(|(range, words)| (range.start, words));
        let never = |bracket: char| format!("`{bracket}` is never closed");
        assert_eq!(odd("vec![1, 2, 3"), Some((4, never('['))));
        assert_eq!(
            odd("fn f() {\n    let v = vec![1;\n}"),
            Some((25, never('[')))
        );
        assert_eq!(odd("fn f( {"), Some((6, never('{'))));
        assert_eq!(odd("f(1]"), Some((3, "`]` does not close `(`".to_owned())));
        assert_eq!(odd("f(1))"), Some((4, "`)` closes nothing".to_owned())));
        assert_eq!(odd("let a = '['; // (\nlet b = \"{\"; /* [ */"), None);
    }

    /// Ways to nest, as what is repeated before and after the middle.
    const WAYS: [(&str, &str, &str); 44] = [
        ("(", "1", ")"),
        ("[", "1", "]"),
        ("{", "1", "}"),
        ("((", "1", "),)"),
        ("vec![", "1", "]"),
        ("f(", "1", ")"),
        ("f(0, ", "1", ")"),
        ("-", "1", ""),
        ("!", "a", ""),
        ("*", "a", ""),
        ("&", "a", ""),
        ("& mut ", "a", ""),
        ("&&", "a", ""),
        ("|x| ", "1", ""),
        ("|x, y| ", "1", ""),
        ("move |x: u8, y| ", "1", ""),
        ("|| ", "1", ""),
        ("return ", "1", ""),
        ("break ", "1", ""),
        ("..", "1", ""),
        ("", "1", " + 1"),
        ("", "1", " - 1"),
        ("1 ^ ", "1", ""),
        ("a = ", "1", ""),
        ("a += ", "1", ""),
        ("", "a", ".b"),
        ("", "a", ".b(0, 1)"),
        ("", "a", "(0, 1)"),
        ("", "a", "[0]"),
        ("", "a", "?"),
        ("", "1", " as u8"),
        ("", "a", ".await"),
        ("if a { 1 } else ", "{ 2 }", ""),
        ("if let Some(x) = y { 1 } else ", "{ 2 }", ""),
        ("match a { _ => ", "1", " }"),
        ("match a { x if b < 1 => { ", "1", " } }"),
        ("", "a", "::b"),
        ("unsafe { ", "1", " }"),
        ("if ", "a", " {}"),
        ("loop { ", "1", " }"),
        ("async { ", "1", " };"),
        ("'a: loop { ", "1", " }"),
        ("let x = { ", "1", " };"),
        ("fn f() { ", "1", " }"),
    ];

    /// The same outside of expressions.
    const ITEMS: [(&str, &str, &str, &str, &str); 22] = [
        ("use a::{", "use ", "b", "}", ";"),
        ("a::{b, ", "use ", "c", "}", ";"),
        ("mod a { ", "", "", " }", ""),
        ("A<", "type T = ", "B", ">", ";"),
        ("A<B, ", "type T = ", "B", ">", ";"),
        ("A<X = ", "type T = ", "B", ">", ";"),
        ("A <B, ", "type T = ", "B", ">", ";"),
        ("&'a ", "type T = ", "B", "", ";"),
        ("*const ", "type T = ", "B", "", ";"),
        ("[", "type T = ", "B", "; 3]", ";"),
        ("(B, ", "type T = ", "B", ")", ";"),
        ("fn(B, B) -> ", "type T = ", "B", "", ";"),
        ("impl Fn(B, B) -> ", "type T = ", "B", "", ";"),
        ("for<'a, 'b> ", "type T = ", "fn()", "", ";"),
        ("<B as ", "type T = ", "B", ">::C", ";"),
        ("", "type T = ", "A", "::B<C, D>", ";"),
        ("Some(", "fn f() { let ", "x", ")", " = 1; }"),
        ("&", "fn f() { let ", "x", "", " = 1; }"),
        ("x @ ", "fn f() { let ", "y", "", " = 1; }"),
        ("(a, ", "fn f() { let ", "x", ")", " = 1; }"),
        ("m!{ ", "", "", " }", ""),
        ("#[a(", "", "b", ")] fn f() {}", ""),
    ];

    fn texts(count: usize) -> Vec<String> {
        let expressions = WAYS.iter().map(|(before, middle, after)| {
            format!(
                "fn f() {{\n{}{middle}{}\n}}",
                before.repeat(count),
                after.repeat(count)
            )
        });
        let items = ITEMS.iter().map(|(before, first, middle, after, last)| {
            format!(
                "{first}{}{middle}{}{last}",
                before.repeat(count),
                after.repeat(count)
            )
        });
        expressions.chain(items).collect()
    }

    #[test]
    fn whatever_is_nested_without_end_is_refused_at_once() {
        for count in [2_500, 20_000] {
            for text in texts(count) {
                let began = std::time::Instant::now();
                let refused = check(&text);
                assert!(refused.is_err(), "{}", &text[..60]);
                assert!(!source(&text).errors().is_empty());
                assert!(began.elapsed().as_secs() < 20);
            }
        }
    }

    #[test]
    fn what_is_let_through_is_parsed_and_taken_apart_on_small_threads() {
        // The threads of the runtime and of the tests have 2 MB; here there is half of it.
        let small = std::thread::Builder::new().stack_size(1 << 20);
        let parsing = small.spawn(|| {
            for (place, _) in texts(1).iter().enumerate() {
                let at = |count: usize| texts(count).swap_remove(place);
                // The most that is let through.
                let (mut good, mut bad) = (1, 2_500);
                while bad - good > 1 {
                    let middle = usize::midpoint(good, bad);
                    if check(&at(middle)).is_ok() {
                        good = middle;
                    } else {
                        bad = middle;
                    }
                }
                let text = at(good);
                let began = std::time::Instant::now();
                let parsed = source(&text);
                let nodes = parsed.syntax_node().descendants_with_tokens().count();
                assert!(nodes > good, "{}", &text[..20]);
                let _ = parsed.errors();
                let clone = parsed.syntax_node();
                drop(parsed);
                drop(clone);
                assert!(began.elapsed().as_secs() < 30, "{}", &text[..20]);
            }
        });
        parsing.unwrap().join().unwrap();
    }

    #[test]
    fn ordinary_code_is_shallow_however_long_it_is() {
        let arms = "        (Some(a), &[x, y]) if a < 3 => { f(a); }\n        &Foo { .. } => (),\n";
        let lines = [
            "    let x = a.iter().map(|(k, v)| k * v).filter(|x| **x < 3).collect::<Vec<_>>();\n",
            "    if a < b && c > d { g(); } else if e { h(); } else { i(); }\n",
            "    *x += 1;\n    v.push((a < b, a | b));\n",
            "    for i in 0..3 { while let Some(x) = y { loop { break } } }\n",
        ];
        let items = [
            "#[derive(Debug)] struct A<T: Fn(u8) -> Vec<Vec<T>>> { a: B<C, D<E>>, b: u8 }\n",
            "impl<T> A<T> { fn f(&self) -> u8 { 1 } fn g() {} }\n",
            "fn g<'a, T>(x: &'a T) -> impl Iterator<Item = &'a T> where T: X { y() }\n",
            "macro_rules! m { ($a:expr) => { $a }; }\n",
        ];
        let long = |text: &str| text.repeat(2_000);
        let mut texts: Vec<String> = items.iter().map(|item| long(item)).collect();
        texts.extend(
            lines
                .iter()
                .map(|line| format!("fn f() {{\n{}}}", long(line))),
        );
        texts.push(format!(
            "fn f() {{\n    match a {{\n{}    }}\n}}",
            long(arms)
        ));
        texts.push(format!("let v = vec![{}];", long("1.0, -2.5, f(3), ")));
        texts.push(format!("let v = [{}];", long("P { x: 1, y: \"2\" }, ")));
        for text in &texts {
            let depth = depth_of(text).unwrap();
            assert!(can_be_analyzed(text));
            assert!(depth < SHALLOW, "{depth}: {}", &text[..60]);
        }
        // A chain as long as a person writes one, and comparisons in a list.
        assert!(check(&format!("let s = a{};", ".with(1)".repeat(300))).is_ok());
        assert!(check(&format!("let s = a{};", " + b".repeat(450))).is_ok());
        assert!(check(&format!("let v = [{}];", "x < 1, ".repeat(300))).is_ok());
    }

    #[test]
    fn the_refusal_says_where_and_what_to_do() {
        let code = format!(
            "let a = 1;\nlet b = {}1{};",
            "(".repeat(300),
            ")".repeat(300)
        );
        let refusal = check(&code).unwrap_err();
        assert_eq!(refusal.line, 2);
        let error = ErrorReport::from(refusal);
        assert_eq!(error.ename, "SyntaxError");
        assert!(
            error.evalue.starts_with("nested too deeply"),
            "{}",
            error.evalue
        );
        assert!(error.evalue.ends_with("at line 2"), "{}", error.evalue);
        let data = format!("let v = [{}];", "1,".repeat(TOKENS / 2));
        assert!(check(&data).unwrap_err().message.contains("into a file"));
    }
}
