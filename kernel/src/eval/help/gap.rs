//! What somebody has not typed yet, and without which the rest of the file would be misread.

use ra_ap_syntax::{Edition, NodeOrToken, SourceFile, SyntaxKind};

/// Brackets within brackets, deeper than anybody writes: a parser that recurses would need a stack without end.
const MAX_DEPTH: usize = 400;
/// Bytes of a cell that nobody has typed by hand.
const MAX_LENGTH: usize = 400_000;
/// Stands where a word is missing inside of a macro's brackets: `vec![words.]` fits none of the macro's patterns, so that
/// nobody could tell what `words` is.
const WORD: &str = "__swath_here";

/// A place at or after the cursor, and the text that is missing there and behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Gap {
    /// The byte: the cursor's, or the end of the word that the cursor is in.
    pub(super) at: usize,
    lacks_word: bool,
    /// The ends of the brackets that are open at the cursor and never closed, and the bytes where they are missing: an
    /// unfinished call would take the rest of the file for its arguments.
    closers: Vec<(usize, char)>,
    /// Where the next end belongs: behind the last one that closes a bracket from before the cursor.
    next_at: usize,
}

/// A bracket without its end.
struct Open {
    closer: SyntaxKind,
    is_before_cursor: bool,
    is_macro: bool,
}

impl Gap {
    /// Looks at `code` around the byte `cursor`; `None` when it is nested too deeply or too long.
    pub(super) fn find(code: &str, cursor: usize) -> Option<Self> {
        if code.len() > MAX_LENGTH || deepest(code) > MAX_DEPTH {
            return None;
        }
        let file = SourceFile::parse(code, Edition::Edition2024);
        let mut open: Vec<Open> = Vec::new();
        let mut gap = Self {
            at: cursor,
            lacks_word: false,
            closers: Vec::new(),
            next_at: cursor,
        };
        let mut last_two = [SyntaxKind::WHITESPACE; 2];
        let mut touches_word = false;
        let mut is_in_macro = None;
        let tokens = file.syntax_node().descendants_with_tokens();
        for token in tokens.filter_map(NodeOrToken::into_token) {
            let (kind, range) = (
                token.kind(),
                std::ops::Range::<usize>::from(token.text_range()),
            );
            let is_before_cursor = range.start < cursor;
            if !is_before_cursor {
                is_in_macro.get_or_insert_with(|| open.iter().any(|bracket| bracket.is_macro));
            }
            if range.start <= cursor
                && range.end >= cursor
                && !kind.is_punct()
                && kind != SyntaxKind::WHITESPACE
            {
                touches_word = true;
                gap.at = range.end;
                gap.next_at = range.end;
            }
            if let Some(closer) = closing(kind) {
                let is_macro = last_two == [SyntaxKind::IDENT, SyntaxKind::BANG];
                open.push(Open {
                    closer,
                    is_before_cursor,
                    is_macro,
                });
            } else if let Some(place) = open.iter().rposition(|bracket| bracket.closer == kind) {
                let unclosed = open.split_off(place);
                if !is_before_cursor {
                    gap.close(&unclosed[1..]);
                    if unclosed[0].is_before_cursor {
                        gap.next_at = range.end;
                    }
                }
            }
            if !kind.is_trivia() {
                last_two = [last_two[1], kind];
            }
        }
        let is_in_macro =
            is_in_macro.unwrap_or_else(|| open.iter().any(|bracket| bracket.is_macro));
        gap.lacks_word = is_in_macro && !touches_word;
        gap.close(&open);
        Some(gap)
    }

    /// The code with everything that is missing; without the word when `with_word` is false.
    pub(super) fn fill(&self, code: &str, with_word: bool) -> String {
        let mut filled = code[..self.at].to_owned();
        if with_word && self.lacks_word {
            filled.push_str(WORD);
        }
        let mut copied = self.at;
        for (at, closer) in &self.closers {
            filled.push_str(&code[copied..*at]);
            filled.push(*closer);
            copied = *at;
        }
        filled + &code[copied..]
    }

    /// Adds the ends of those brackets that were opened before the cursor.
    fn close(&mut self, unclosed: &[Open]) {
        for bracket in unclosed
            .iter()
            .rev()
            .filter(|bracket| bracket.is_before_cursor)
        {
            let end = match bracket.closer {
                SyntaxKind::R_PAREN => ')',
                SyntaxKind::R_BRACK => ']',
                _ => '}',
            };
            self.closers.push((self.next_at, end));
        }
    }
}

/// How deeply a parser would have to recurse: brackets within brackets, or signs before signs.
fn deepest(code: &str) -> usize {
    let (mut depth, mut signs, mut deepest) = (0_usize, 0_usize, 0);
    for byte in code.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match byte {
            b'-' | b'!' | b'*' | b'&' | b'<' | b'|' => signs += 1,
            _ if byte.is_ascii_whitespace() => {}
            _ => signs = 0,
        }
        deepest = deepest.max(depth).max(signs);
    }
    deepest
}

/// What would close this bracket; `None` for everything else.
fn closing(open: SyntaxKind) -> Option<SyntaxKind> {
    match open {
        SyntaxKind::L_PAREN => Some(SyntaxKind::R_PAREN),
        SyntaxKind::L_BRACK => Some(SyntaxKind::R_BRACK),
        SyntaxKind::L_CURLY => Some(SyntaxKind::R_CURLY),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code with what was added, `|` being the cursor.
    #[track_caller]
    fn check(marked: &str, expected: &str) {
        let cursor = marked.find('|').unwrap();
        let code = marked.replacen('|', "", 1);
        let gap = Gap::find(&code, cursor).unwrap();
        let found = gap.fill(&code, true);
        assert_eq!(found.replace(WORD, "_"), expected, "{marked}");
    }

    #[test]
    fn brackets_that_the_typist_has_not_closed_are_closed_at_the_cursor() {
        check(
            "for w in words {\n    a(w.|",
            "for w in words {\n    a(w.)}",
        );
        check(
            "for w in words {\n    a(w.|\n}",
            "for w in words {\n    a(w.)\n}",
        );
        check("a(wo|rds, [1", "a(words), [1");
        check("a(|words[1], b)", "a(words[1], b)");
        check("{ a(b[c.| }\nd()", "{ a(b[c.]) }\nd()");
        check("words.|", "words.");
        check("\"(\"; '['; /* { */ a.|", "\"(\"; '['; /* { */ a.");
        check("a.|) }", "a.) }");
        check("a(b[c.|]", "a(b[c.])");
        check(
            "for w in words {\n    a([w.|);",
            "for w in words {\n    a([w.])};",
        );
        check("a(\"é|", "a(\"é)");
    }

    #[test]
    fn a_missing_word_is_put_into_a_macro() {
        check("vec![words.|", "vec![words._]");
        check("vec![words.|]", "vec![words._]");
        check("vec![|]", "vec![_]");
        check("vec![wo|", "vec![wo]");
        check("vec![words.|len()]", "vec![words.len()]");
        check(
            "println!(\"{}\", words.|\nlet b = 3;",
            "println!(\"{}\", words._)\nlet b = 3;",
        );
        check("println!(\"{}\", f(words.|", "println!(\"{}\", f(words._))");
        check("vec![1]; a.|", "vec![1]; a.");
        check("!(a.|", "!(a.)");
    }
}
