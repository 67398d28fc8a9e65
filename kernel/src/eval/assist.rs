//! Completion and inspection, through evcxr's rust-analyzer.

use evcxr::CommandContext;
use serde_json::Value;

use super::interface::{Completion, Completions, MimeBundle};
use super::variables::VariableTable;

/// What evcxr says when it knows nothing.
const NOTHING_FOUND: &str = "No documentation found";
/// More candidates than anybody reads.
const MAX_MATCHES: usize = 400;

const KEYWORDS: [&str; 28] = [
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "false", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "return",
    "struct", "trait", "true", "use", "while",
];

/// The session's variables as statements: evcxr does not know them, because they are ours.
pub(crate) fn declarations(table: &VariableTable) -> String {
    table.iter().fold(String::new(), |text, variable| {
        let mutable = if variable.mutable { "mut " } else { "" };
        format!(
            "{text}let {mutable}{}: {} = loop {{}}; ",
            variable.name, variable.type_name
        )
    })
}

/// The byte that a code point index stands for.
fn byte_of(code: &str, codepoint: usize) -> usize {
    code.char_indices()
        .nth(codepoint)
        .map_or(code.len(), |(index, _)| index)
}

fn codepoint_of(code: &str, byte: usize) -> usize {
    code.char_indices()
        .take_while(|(index, _)| *index < byte)
        .count()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// What rust-analyzer proposes.
pub(crate) fn complete(
    context: &mut CommandContext,
    declarations: &str,
    code: &str,
    cursor: usize,
) -> Option<Completions> {
    let prefix = if code.trim_start().starts_with(':') {
        ""
    } else {
        declarations
    };
    let position = prefix.len() + byte_of(code, cursor);
    let found = context
        .completions(&format!("{prefix}{code}"), position)
        .ok()?;
    let start = found.start_offset.checked_sub(prefix.len())?;
    let end = found.end_offset.checked_sub(prefix.len())?;
    let matches: Vec<Completion> = found
        .completions
        .into_iter()
        .filter(|candidate| {
            !candidate.code.starts_with("evcxr_") && !candidate.code.starts_with("__SWATH")
        })
        .map(|candidate| Completion {
            text: candidate.code,
            label: candidate.label,
            kind: candidate.kind.to_owned(),
        })
        .take(MAX_MATCHES)
        .collect();
    (!matches.is_empty()).then(|| Completions {
        matches,
        start: codepoint_of(code, start),
        end: codepoint_of(code, end),
    })
}

/// Names and keywords that begin like the word before the cursor: an answer that needs nobody.
pub(crate) fn complete_names(
    names: &[(String, &'static str)],
    code: &str,
    cursor: usize,
) -> Option<Completions> {
    let end = byte_of(code, cursor);
    let before = code.get(..end)?;
    let word_length: usize = before
        .chars()
        .rev()
        .take_while(|character| is_word(*character))
        .map(char::len_utf8)
        .sum();
    let start = end - word_length;
    let word = &before[start..];
    if word.is_empty() || before[..start].ends_with('.') {
        return None;
    }
    let keywords = KEYWORDS
        .iter()
        .map(|keyword| ((*keyword).to_owned(), "keyword"));
    let matches: Vec<Completion> = names
        .iter()
        .cloned()
        .chain(keywords)
        .filter(|(name, _)| name.starts_with(word))
        .map(|(name, kind)| Completion {
            label: name.clone(),
            text: name,
            kind: kind.to_owned(),
        })
        .collect();
    (!matches.is_empty()).then(|| Completions {
        matches,
        start: codepoint_of(code, start),
        end: cursor,
    })
}

/// What rust-analyzer knows about the name at the cursor.
pub(crate) fn inspect(
    context: &mut CommandContext,
    prefix: &str,
    code: &str,
    cursor: usize,
) -> Option<MimeBundle> {
    let end = end_of_name(code, byte_of(code, cursor));
    let (text, html) = context
        .hover_at(&format!("{prefix}{}", code.get(..end)?), prefix.len() + end)
        .ok()?;
    if text.trim() == NOTHING_FOUND || text.trim().is_empty() {
        return None;
    }
    Some(MimeBundle::from_iter([
        ("text/plain".to_owned(), Value::from(text)),
        ("text/html".to_owned(), Value::from(html)),
    ]))
}

/// The end of the name that the cursor is in or right after; an opening bracket right after it is skipped back.
fn end_of_name(code: &str, cursor: usize) -> usize {
    let mut end = cursor;
    // Right after the bracket a person asks about the call, also when its first argument is already there.
    if !code[cursor..].starts_with(is_word) || code[..cursor].ends_with('(') {
        end = code[..cursor].trim_end_matches(['(', ' ', '{', '!']).len();
    }
    end + code[end..]
        .chars()
        .take_while(|character| is_word(*character))
        .map(char::len_utf8)
        .sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_answer_while_the_engine_is_busy() {
        let names = [
            ("scene".to_owned(), "instance"),
            ("train".to_owned(), "function"),
        ];
        let found = complete_names(&names, "é; sc", 5).unwrap();
        assert_eq!((found.start, found.end), (3, 5));
        assert_eq!(found.matches[0].text, "scene");
        assert_eq!(complete_names(&names, "scene.", 6), None);
        assert_eq!(
            complete_names(&names, "scene.tr", 8),
            None,
            "a method, which names do not tell"
        );
    }

    #[test]
    fn inspection_is_about_the_whole_name() {
        let code = "scene.chips(128)";
        for cursor in [7, 9, 11, 12] {
            assert_eq!(
                &code[..end_of_name(code, cursor)],
                "scene.chips",
                "cursor {cursor}"
            );
        }
    }
}
