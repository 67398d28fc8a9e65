//! A page of documentation as people see it: plain text for consoles, HTML for notebooks.

use std::fmt::Write as _;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use serde_json::Value;

use crate::eval::interface::MimeBundle;

/// The page of rust-analyzer's Markdown; `None` when it says nothing.
pub(crate) fn bundle(markdown: &str) -> Option<MimeBundle> {
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, Options::ENABLE_TABLES).collect();
    let events = without_hidden_lines(events);
    let plain = plain(&events);
    if plain.trim().is_empty() {
        return None;
    }
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.into_iter());
    Some(MimeBundle::from_iter([
        ("text/plain".to_owned(), Value::from(plain)),
        ("text/html".to_owned(), Value::from(html)),
    ]))
}

/// Leaves out what rustdoc hides in examples (`# let x = 1;`), and what only the crate itself can use.
fn without_hidden_lines(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut in_rust = false;
    let shown = |line: &&str| {
        let line = line.trim_start();
        let is_hidden = line == "#" || line.starts_with("# ") && !line.starts_with("# [");
        !is_hidden && !line.starts_with("pub(")
    };
    events
        .into_iter()
        .map(|event| match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                in_rust = !matches!(&kind, CodeBlockKind::Fenced(name) if name.contains("text"));
                Event::Start(Tag::CodeBlock(kind))
            }
            Event::End(TagEnd::CodeBlock) => {
                in_rust = false;
                Event::End(TagEnd::CodeBlock)
            }
            Event::Text(text) if in_rust => {
                // What a cell defines is not `pub`, and all of it is the user's.
                let of_library = text.starts_with("pub struct ");
                let is_private = |line: &str| {
                    let field = line
                        .strip_prefix("    ")
                        .filter(|field| field.contains(": "));
                    of_library && field.is_some_and(|field| !field.starts_with("pub "))
                };
                let lines: Vec<&str> = (text.split_inclusive('\n'))
                    .filter(|line| shown(line) && !is_private(line))
                    .collect();
                // All fields are the crate's own.
                Event::Text(lines.concat().replace("{\n}", "{ /* … */ }").into())
            }
            other => other,
        })
        .collect()
}

/// The page as plain text: blocks are apart, the columns of tables stand below each other.
fn plain(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    let mut table: Option<Vec<Vec<String>>> = None;
    let mut links: Vec<()> = Vec::new();
    let mut depth = 0_usize;
    for event in events {
        match event {
            Event::Start(Tag::Table(_)) => table = Some(Vec::new()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                if let Some(rows) = &mut table {
                    rows.push(Vec::new());
                }
            }
            Event::Start(Tag::TableCell) => {
                if let Some(row) = table.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(String::new());
                }
            }
            Event::End(TagEnd::Table) => {
                write_table(&mut text, &table.take().unwrap_or_default());
            }
            Event::Start(Tag::List(_)) => depth += 1,
            Event::End(TagEnd::List(_)) => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    text.push('\n');
                }
            }
            Event::Start(Tag::Item) => {
                let indent = "  ".repeat(depth.saturating_sub(1));
                let _ = write!(text, "{indent}- ");
            }
            Event::End(TagEnd::Item) if !text.ends_with('\n') => text.push('\n'),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_)) => {
                text.push_str(if depth == 0 { "\n\n" } else { "\n" });
            }
            Event::End(TagEnd::CodeBlock) => {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push('\n');
            }
            Event::Start(Tag::Link { .. }) => links.push(()),
            Event::End(TagEnd::Link) => drop(links.pop()),
            Event::Text(words) | Event::Code(words) => {
                let target = table
                    .as_mut()
                    .and_then(|rows| rows.last_mut()?.last_mut())
                    .unwrap_or(&mut text);
                // `crate::raster::RasterError` is a path of the library's own.
                target.push_str(&match links.is_empty() {
                    true => words.to_string(),
                    false => words.trim_start_matches("crate::").to_owned(),
                });
            }
            Event::SoftBreak => text.push(' '),
            Event::HardBreak => text.push('\n'),
            Event::Rule => text.push_str("---\n\n"),
            _ => {}
        }
    }
    text.trim_end().to_owned()
}

fn write_table(text: &mut String, rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_readable_as_text_and_as_html() {
        let markdown = "```rust\npub struct FitOptions {\n    pub(super) inner: Arc<Inner>,\n}\n```\n\n---\n\nHow *long*.\n\n\
                        | setting | default |\n|---|---|\n| `lr` | 1e-3 |\n| `batch` | 4 |\n\n# Errors\n\
                        [`crate::raster::RasterError`](https://x) when not.\n\n- one\n- two\n\n\
                        ```\n# use swath::prelude::*;\nlet a = 1;\n#[derive(Debug)]\n# Ok::<(), swath::Error>(())\n```\n";
        let bundle = bundle(markdown).unwrap();
        insta::assert_snapshot!(bundle["text/plain"].as_str().unwrap());
        let html = bundle["text/html"].as_str().unwrap();
        assert!(html.contains("<table>") && html.contains("<td><code>lr</code></td>"));
        assert!(
            !html.contains("swath::prelude")
                && !html.contains("inner")
                && html.contains("#[derive")
        );
        assert!(super::bundle("").is_none());
        let text = |markdown: &str| super::bundle(markdown).unwrap()["text/plain"].to_string();
        let private = text(
            "```rust\npub struct Chips {\n    inner: Arc<Inner>,\n    pub size: usize,\n}\n```\n",
        );
        assert!(
            private.contains("size: usize") && !private.contains("inner"),
            "{private}"
        );
        let own = text("```rust\nstruct Tree {\n    height: f64,\n}\n```\n");
        assert!(own.contains("height: f64"), "{own}");
    }
}
