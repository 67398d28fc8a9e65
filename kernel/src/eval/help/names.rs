//! What the session's names alone can answer, and where names begin and end.

use serde_json::Value;

use crate::eval::interface::{Completion, Completions, MimeBundle, Variable};
use crate::eval::variables::VariableTable;
use crate::text::escape_html;

const KEYWORDS: [&str; 28] = [
    "as", "async", "await", "break", "const", "continue", "dyn", "else", "enum", "false", "fn",
    "for", "if", "impl", "in", "let", "loop", "match", "mod", "move", "mut", "pub", "return",
    "struct", "trait", "true", "use", "while",
];

/// The session's variables as statements.
pub(crate) fn declarations(table: &VariableTable) -> String {
    table.iter().fold(String::new(), |text, variable| {
        format!("{text}{} = loop {{}}; ", declaration(variable))
    })
}

/// The byte that a code point index stands for.
pub(crate) fn byte_of(code: &str, codepoint: usize) -> usize {
    code.char_indices()
        .nth(codepoint)
        .map_or(code.len(), |(index, _)| index)
}

/// The code point index that a byte stands for.
pub(crate) fn codepoint_of(code: &str, byte: usize) -> usize {
    code.char_indices()
        .take_while(|(index, _)| *index < byte)
        .count()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Names and keywords that begin like the word before the cursor, or all of them in an empty cell: an answer that needs
/// nobody.
pub(crate) fn complete(
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
    let is_blank = code.trim().is_empty();
    if (word.is_empty() && !is_blank) || before[..start].ends_with(['.', ':']) {
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

/// The declaration of the variable whose name the cursor is in.
pub(crate) fn inspect_variable(
    table: &VariableTable,
    code: &str,
    cursor: usize,
) -> Option<MimeBundle> {
    let variable = variable_at(table, code, cursor)?;
    let text = declaration(variable);
    let html = format!("<pre><code>{}</code></pre>", escape_html(&text));
    Some(MimeBundle::from_iter([
        ("text/plain".to_owned(), Value::from(text)),
        ("text/html".to_owned(), Value::from(html)),
    ]))
}

/// The variable whose name the cursor (in code points) is in.
pub(crate) fn variable_at<'a>(
    table: &'a VariableTable,
    code: &str,
    cursor: usize,
) -> Option<&'a Variable> {
    let end = end_of_name(code, byte_of(code, cursor));
    let before = code[..end].trim_end_matches(is_word);
    let is_part = before.ends_with(['.', ':']) || code[end..].starts_with("::");
    table.get(&code[before.len()..end]).filter(|_| !is_part)
}

fn declaration(variable: &Variable) -> String {
    let mutable = if variable.mutable { "mut " } else { "" };
    format!("let {mutable}{}: {}", variable.name, variable.type_name)
}

/// The end of the name that the cursor is in or right after; an opening bracket right after it is skipped back.
pub(crate) fn end_of_name(code: &str, cursor: usize) -> usize {
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
        let found = complete(&names, "é; sc", 5).unwrap();
        assert_eq!((found.start, found.end), (3, 5));
        assert_eq!(found.matches[0].text, "scene");
        assert_eq!(complete(&names, "scene.", 6), None);
        assert_eq!(
            complete(&names, "scene.tr", 8),
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
