//! What the notebook adds to the compiler's messages: what the session knows, what a line of Python may have meant, which step
//! a magic lacks.

use swath_link::exchange::{PUT_MARK, TAKE_MARK};

use super::render::{Diagnostic, Explain, Span, locate, own_name};
use super::source_map::{CellSource, SourceMap};
use crate::advice;

/// Whether a suggestion is of no use for a line of Python: it mends the grammar of what is no Rust, and leads to the next
/// error. That of quotes is right.
pub(super) fn misleads(child: &Diagnostic) -> bool {
    let mends = |span: &Span| span.suggested_replacement.is_some();
    let is_of_names = ["there is a keyword", "with a similar name"]
        .iter()
        .any(|words| child.message.contains(words));
    (is_of_names || child.spans.iter().any(mends)) && !child.message.contains("double quotes")
}

/// What the notebook adds to what the compiler says, and whether it takes the line for Python.
pub(super) fn notes(
    diagnostic: &Diagnostic,
    map: &SourceMap<'_>,
    explain: Explain<'_>,
) -> Vec<(String, bool)> {
    let python = of_python(diagnostic, map, explain);
    let mut notes: Vec<(String, bool)> = of_the_notebook(diagnostic, map, explain)
        .into_iter()
        .map(|note| (note, false))
        .collect();
    notes.extend(python.map(|note| (note.to_owned(), true)));
    notes
}

/// What a line may have meant to somebody who knows Python.
fn of_python(
    diagnostic: &Diagnostic,
    map: &SourceMap<'_>,
    explain: Explain<'_>,
) -> Option<&'static str> {
    let name = quoted(&diagnostic.message, 0);
    match diagnostic.code() {
        code if NAME_ERRORS.contains(&code) => {
            let line = written_line(diagnostic, map);
            let is_known = explain(name).is_some()
                || begins_assignment(line, name)
                || is_keyword_argument(line, name);
            advice::of_name(name).filter(|_| !is_known)
        }
        "E0599" | "E0609" => {
            advice::of_method(name).filter(|_| of_alias(&diagnostic.message).is_none())
        }
        // The grammar's own errors, and those of texts and characters.
        "" | "E0614" | "E0765" | "E0762" | "E0758" => of_the_line(diagnostic, map),
        _ => None,
    }
}

/// Errors about a name that is not there, or is something else.
const NAME_ERRORS: [&str; 6] = ["E0425", "E0423", "E0433", "E0432", "E0412", "E0405"];

fn of_the_notebook(
    diagnostic: &Diagnostic,
    map: &SourceMap<'_>,
    explain: Explain<'_>,
) -> Vec<String> {
    let mut notes = Vec::new();
    let kept = diagnostic
        .spans
        .iter()
        .find_map(|span| own_name(span, map).filter(|(mark, _)| *mark == PUT_MARK));
    let code = diagnostic.code();
    if let Some((_, name)) =
        kept.filter(|_| ["E0597", "E0521", "E0716", "E0515", "E0310"].contains(&code))
    {
        notes.push(format!(
            "`{name}` is kept for later cells, so it cannot hold a reference to another value: store the value itself \
             (`.clone()`, `.to_owned()`), or wrap the cell in `{{ … }}` to keep nothing"
        ));
    }
    // "Not declared as mutable", of a variable that an earlier cell has bound.
    let immutable = ["E0596", "E0594", "E0384"].contains(&code);
    let spans = diagnostic
        .spans
        .iter()
        .chain(diagnostic.children.iter().flat_map(|child| &child.spans));
    let loaded = spans
        .filter_map(|span| own_name(span, map))
        .find(|(mark, _)| *mark == TAKE_MARK);
    if let Some((_, name)) = loaded.filter(|_| immutable) {
        notes.push(format!(
            "an earlier cell has bound `{name}` without `mut`; write `let mut {name} = {name};` before this line"
        ));
    }
    let name = quoted(&diagnostic.message, 0);
    let line = written_line(diagnostic, map);
    notes.extend(of_maker(diagnostic).map(str::to_owned));
    match code {
        "E0277" if diagnostic.message.starts_with("`&str` is not an iterator") => {
            notes.push(
                "a list is wanted, in brackets: `[\"red\"]`, `[\"red\", \"green\"]`".to_owned(),
            );
        }
        "E0277" if diagnostic.message.contains("From<fn(") => {
            notes.push("a function is called with `()` behind its name".to_owned());
        }
        "E0271" if labels(diagnostic).any(|label| label.contains("expected `(_, _)`")) => {
            notes.push("pairs are wanted: `[(\"building\", \"orange\")]`".to_owned());
        }
        "E0277" | "E0308" if mixes_numbers(diagnostic) => {
            notes.push(
                "whole numbers and fractions do not mix: write `2.0`, or `x as f64` where it is a variable".to_owned(),
            );
        }
        "E0277" if diagnostic.message.starts_with(NOT_TRIED) => {
            notes.push("this cannot fail: leave the `?` out".to_owned());
        }
        "E0369" | "E0277"
            if diagnostic.message.starts_with("no implementation for `")
                && diagnostic.message.contains(" ^ ") =>
        {
            notes.push("a power is `x.powi(2)` or `x.powf(0.5)` for fractions, `x.pow(2)` for whole numbers".to_owned());
        }
        "E0369" if diagnostic.message.starts_with("cannot multiply `&str`") => {
            notes.push("`\"a\".repeat(3)` repeats a text".to_owned());
        }
        "E0369" if diagnostic.message.ends_with("to `&str`") => {
            notes.push("`format!(\"EPSG:{}\", 5)` puts values into a text".to_owned());
        }
        "" if diagnostic
            .message
            .starts_with("invalid format string: expected `}`") =>
        {
            notes.push(
                "only names stand in the braces: `println!(\"{}\", scene.band_count())`".to_owned(),
            );
        }
        "E0599" if diagnostic.message.ends_with("` is not an iterator") => {
            let method = primary_text(diagnostic, map);
            let found = advice::of_alias(name, method)
                .or_else(|| advice::of_method(method).map(str::to_owned));
            notes.extend(found);
        }
        "E0608" if name.starts_with("swath::") => {
            notes.extend(advice::of_alias(name, "__getitem__"));
        }
        "E0599" | "E0609" if is_of_result(&diagnostic.message) => {
            notes.push("the value is inside a `Result`: write `?` before the dot".to_owned());
        }
        "E0599" | "E0609" => notes.extend(of_alias(&diagnostic.message)),
        "E0425" if is_keyword_argument(line, name) => {
            notes.push(format!(
                "arguments have no names in Rust: write the value without `{name}=`"
            ));
        }
        "E0308" if expects_result(diagnostic) => {
            notes.push("write `?` behind the call: it takes the value out, or ends the cell with the error".to_owned());
        }
        "E0425" if begins_assignment(line, name) => {
            notes.push(format!(
                "`let {name} = …;` makes a variable, `let mut {name} = …;` one that can change"
            ));
        }
        code if NAME_ERRORS.contains(&code) => notes.extend(explain(name)),
        "E0277" | "E0608" if diagnostic.message.contains("`(") && is_index(&diagnostic.message) => {
            notes.push("the parts of a tuple are `.0`, `.1` and so on".to_owned());
        }
        "E0277" if diagnostic.message.starts_with(QUESTION_MARK) => {
            notes.push(
                "`.ok_or(\"what is missing\")?` makes a `Result` of an `Option`; `.unwrap()` stops the cell where there is none"
                    .to_owned(),
            );
        }
        _ => {}
    }
    notes
}

fn labels(diagnostic: &Diagnostic) -> impl Iterator<Item = &str> {
    let spans = diagnostic.spans.iter();
    spans.filter_map(|span| span.label.as_deref())
}

/// How to make the value of the library's that is wanted where something else stands.
pub(super) fn of_maker(diagnostic: &Diagnostic) -> Option<&'static str> {
    match diagnostic.code() {
        "E0308" => labels(diagnostic)
            .filter(|label| label.starts_with("expected `"))
            .find_map(|label| advice::of_maker(quoted(label, 0))),
        "E0277" => {
            let wanted = quoted(&diagnostic.message, 0);
            let (of_type, _) = wanted.split_once(": std::convert::From<")?;
            advice::of_maker(of_type)
        }
        _ => None,
    }
}

/// The word of the cell that a message is about.
fn primary_text<'a>(diagnostic: &Diagnostic, map: &SourceMap<'a>) -> &'a str {
    let Some((source, start)) = primary_source(diagnostic, map) else {
        return "";
    };
    let rest = &source.text()[start..];
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
    &rest[..end.unwrap_or(rest.len())]
}

/// The library's own word for a method or field that one of its types does not have.
fn of_alias(message: &str) -> Option<String> {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let word = quoted.next()?;
    let of_type = quoted.find(|text| text.trim_start_matches('&').starts_with("swath::"))?;
    advice::of_another(of_type, word)
        .map(str::to_owned)
        .or_else(|| advice::of_alias(of_type, word))
}

/// Whether a message asks a `Result` for what the value inside has.
fn is_of_result(message: &str) -> bool {
    let is_about = message.contains("found for enum `") || message.contains("is not an iterator");
    is_about && message.contains("Result<") && !message.contains("`Result<Result<")
}

fn is_index(message: &str) -> bool {
    message.contains("cannot be indexed") || message.contains("cannot index into")
}

/// How rustc begins to say that a `?` stands behind what cannot fail.
const NOT_TRIED: &str = "the `?` operator can only be applied to values that implement";

/// Whether a whole number and a fraction are added, compared or the like.
fn mixes_numbers(diagnostic: &Diagnostic) -> bool {
    let text = match diagnostic.code() {
        "E0277" => diagnostic.message.as_str(),
        _ => labels(diagnostic).next().unwrap_or_default(),
    };
    let is_about = ["cannot ", "can't ", "expected "]
        .iter()
        .any(|start| text.starts_with(start));
    let fraction = ["{float}", "floating-point", "f64", "f32"];
    let whole = ["{integer}", "integer", "i32", "i64", "usize", "u8"];
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    is_about && has(&fraction) && has(&whole)
}

/// How rustc begins to say that a `?` is where none can be.
const QUESTION_MARK: &str = "the `?` operator can only be used on `Result`s, not `Option`s";

/// A message in terms of the cell, where the compiler's is about what stands around it.
pub(super) fn reworded(diagnostic: &Diagnostic, map: &SourceMap<'_>) -> Option<String> {
    let message = diagnostic.message.as_str();
    if message.starts_with(NOT_TRIED) {
        let of_type = quoted(message, 1);
        let of_type = if of_type.is_empty() { "this" } else { of_type };
        return Some(format!("`?` stands behind what is no `Result`: {of_type}"));
    }
    if message == "unexpected token: `}`" {
        return Some("unexpected end of the cell".to_owned());
    }
    if message.starts_with(QUESTION_MARK) {
        return Some("`?` in a cell works on a `Result`; this is an `Option`".to_owned());
    }
    let (before, found) = message.split_once("found `}`")?;
    let place = diagnostic
        .spans
        .iter()
        .filter(|span| span.is_primary)
        .find_map(|span| locate(span, map))?;
    let rest = place.source.text().get(place.range.start..)?;
    (!rest.contains('}')).then(|| format!("{before}found the end of the cell{found}"))
}

/// Whether a part of a message leads nowhere: it explains code around the cell, says where the compiler has put what it left
/// out, or mends a `Result` by something else than `?`.
pub(super) fn leads_nowhere(child: &Diagnostic, diagnostic: &Diagnostic) -> bool {
    let is_one_of = |all: &[&str]| all.iter().any(|words| child.message.contains(words));
    let texts = child.spans.iter();
    let mut texts = texts.filter_map(|span| span.suggested_replacement.as_deref());
    // Variants of errors are named as the types that they are about.
    // The command line's functions are for its program, and those of `core` that only the newest compilers have are unstable.
    let is_of_nobody = |text: &str| {
        [
            "Error::",
            "swath::cli::",
            "core::f32::math",
            "core::f64::math",
        ]
        .iter()
        .any(|part| text.contains(part))
    };
    let is_import_of_nobody = child.message.starts_with("consider importing")
        && !child.spans.is_empty()
        && texts.all(is_of_nobody);
    is_import_of_nobody
        || diagnostic.message.starts_with(NOT_TRIED)
        || mixes_numbers(diagnostic) && child.spans.is_empty()
        || is_one_of(&[
            "the full name for the type has been written to",
            "consider using `--verbose`",
            "FromResidual<Option<Infallible>>",
            "this error originates in the macro",
            // Of arithmetic on types, which some crate implements for tuples.
            "typenum::",
            "the trait `std::ops::Index<{integer}>` is not implemented for `(",
        ])
        || is_of_result(&diagnostic.message) && is_one_of(&["call `.into_iter()` first"])
        || expects_result(diagnostic) && is_one_of(&["try wrapping the pattern in"])
}

/// The line of the user's that a message is about.
fn written_line<'a>(diagnostic: &Diagnostic, map: &SourceMap<'a>) -> &'a str {
    let Some((source, start)) = primary_source(diagnostic, map) else {
        return "";
    };
    let text = source.text();
    let begin = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    text[begin..].lines().next().unwrap_or_default().trim()
}

/// Where the main place of a message is in what the user wrote.
fn primary_source<'a>(
    diagnostic: &Diagnostic,
    map: &SourceMap<'a>,
) -> Option<(&'a CellSource, usize)> {
    let mut primary = diagnostic.spans.iter().filter(|span| span.is_primary);
    primary.find_map(|span| locate_source(span, map))
}

fn locate_source<'a>(span: &Span, map: &SourceMap<'a>) -> Option<(&'a CellSource, usize)> {
    let (source, range) = map.locate_span(span.byte_start..span.byte_end)?;
    let start = source.written(range).range.start;
    source
        .text()
        .is_char_boundary(start)
        .then_some((source, start))
}

fn of_the_line(diagnostic: &Diagnostic, map: &SourceMap<'_>) -> Option<&'static str> {
    let (source, start) = diagnostic
        .spans
        .iter()
        .find_map(|span| locate_source(span, map))?;
    let line = source.text()[..start].matches('\n').count();
    advice::of_cell(source.text(), line)
}

/// Whether a line calls something with `name=value`.
fn is_keyword_argument(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].trim_end();
        let after = line[at + name.len()..].trim_start();
        before.ends_with(['(', ',']) && after.starts_with('=') && !after.starts_with("==")
    })
}

/// Whether a pattern or value stands where a `Result` is.
fn expects_result(diagnostic: &Diagnostic) -> bool {
    labels(diagnostic)
        .any(|label| label.starts_with("expected `Result<") && label.contains("found `("))
}

/// Whether a line is `name = …`.
fn begins_assignment(line: &str, name: &str) -> bool {
    line.strip_prefix(name)
        .and_then(|rest| rest.trim_start().strip_prefix('='))
        .is_some_and(|rest| !rest.starts_with('='))
}

/// The name of the magic whose Rust a message is about. The Rust behind `%time` is the user's own.
fn magic_of<'a>(diagnostic: &Diagnostic, map: &SourceMap<'a>) -> Option<&'a str> {
    let word = written_line(diagnostic, map).split_whitespace().next()?;
    (word.starts_with('%') && !word.starts_with("%time")).then_some(word)
}

/// A magic that needs variables that are not there: how it is called, and their names.
pub(crate) fn missing_for_magic<'a>(
    diagnostics: &[Diagnostic],
    map: &SourceMap<'a>,
) -> Option<(&'a str, Vec<String>)> {
    let missing = diagnostics.iter().filter(|it| it.has_code("E0425"));
    let mut missing = missing.filter_map(|it| Some((magic_of(it, map)?, quoted(&it.message, 0))));
    let (magic, first) = missing.next()?;
    let mut names = vec![first.to_owned()];
    for (_, name) in missing.filter(|(other, _)| *other == magic) {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    Some((magic, names))
}

/// A magic whose Rust asks a value for what its type does not have: how it is called, the type, and what was asked for.
pub(crate) fn magic_of_another_type<'a>(
    diagnostics: &[Diagnostic],
    map: &SourceMap<'a>,
) -> Option<(&'a str, String, String)> {
    diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.has_code("E0599"))
        .find_map(|it| {
            let [method, of_type] = [0, 1].map(|index| quoted(&it.message, index).to_owned());
            Some((magic_of(it, map)?, of_type, method))
        })
}

/// A magic whose Rust does not fit the types of its variables.
pub(crate) fn magic_that_does_not_fit<'a>(
    diagnostics: &[Diagnostic],
    map: &SourceMap<'a>,
) -> Option<&'a str> {
    diagnostics
        .iter()
        .filter(|it| ["E0277", "E0308", "E0614", "E0609", "E0061", "E0282"].contains(&it.code()))
        .find_map(|it| magic_of(it, map))
}

/// What stands in backquotes for the `index`th time; nothing when there is none.
fn quoted(message: &str, index: usize) -> &str {
    message.split('`').nth(2 * index + 1).unwrap_or_default()
}
