//! Pieces of HTML for cells: images, legends, tables. Everything that comes from files is escaped here.
//!
//! Styles are written on the elements, because viewers that strip `<style>` keep most of them, and colors are
//! JupyterLab's theme variables with a neutral fallback.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;

use super::{FONT, escape};

/// Text that follows the theme.
pub(crate) const TEXT: &str = "color:var(--jp-ui-font-color1,inherit)";
/// Less important text that follows the theme.
pub(crate) const MUTED: &str = "color:var(--jp-ui-font-color2,#757575)";

/// A name for an HTML element that no other output of any session has.
pub(crate) fn unique_id(kind: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let since = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .map_or(0, |elapsed| elapsed.as_nanos());
    format!(
        "swath-{kind}-{:x}-{since:x}-{:x}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A `data:` address of a file.
pub(crate) fn data_address(media_type: &str, bytes: &[u8]) -> String {
    format!(
        "data:{media_type};base64,{}",
        base64::engine::general_purpose::STANDARD.encode(bytes)
    )
}

/// An image inside the page, no wider than the page.
#[must_use]
pub fn image_html(media_type: &str, bytes: &[u8], alt: &str) -> String {
    format!(
        "<img src=\"{}\" alt=\"{}\" style=\"max-width:100%;height:auto;display:block\"/>",
        data_address(media_type, bytes),
        escape(alt)
    )
}

/// A table. Cells are plain text and are escaped; columns whose filled cells are all numbers are aligned right.
///
/// ```
/// let html = swath::plot::table_html(&["class", "IoU"], &[vec!["<road>".into(), "0.71".into()]]);
/// assert!(html.contains("&lt;road&gt;"));
/// ```
#[must_use]
pub fn table_html(headers: &[&str], rows: &[Vec<String>]) -> String {
    let numeric: Vec<bool> = (0..headers.len())
        .map(|column| is_numeric(rows, column))
        .collect();
    let cell = |tag: &str, column: usize, text: &str, extra: &str| {
        let align = if numeric.get(column).copied().unwrap_or(false) {
            "right"
        } else {
            "left"
        };
        format!(
            "<{tag} style=\"text-align:{align};padding:3px 5px;{extra}\">{}</{tag}>",
            escape(text)
        )
    };
    let mut html = format!("<table style=\"border-collapse:collapse;margin:4px 0;{FONT};{TEXT}\">");
    if headers.iter().any(|header| !header.is_empty()) {
        html.push_str("<thead><tr style=\"background:none\">");
        for (column, header) in headers.iter().enumerate() {
            let line = "font-weight:600;border-bottom:1px solid var(--jp-border-color1,#bdbdbd)";
            html.push_str(&cell("th", column, header, line));
        }
        html.push_str("</tr></thead>");
    }
    html.push_str("<tbody>");
    for row in rows {
        html.push_str("<tr style=\"background:none\">");
        for (column, text) in row.iter().enumerate() {
            let style = if numeric.get(column).copied().unwrap_or(false) {
                "font-variant-numeric:tabular-nums"
            } else {
                ""
            };
            html.push_str(&cell("td", column, text, style));
        }
        html.push_str("</tr>");
    }
    html.push_str("</tbody></table>");
    html
}

/// A table of facts: a name and a value on each line. Both are escaped.
#[must_use]
pub fn facts_html(facts: &[(&str, String)]) -> String {
    let mut html =
        format!("<table style=\"border-collapse:collapse;margin:4px 0;{FONT};{TEXT}\"><tbody>");
    for (name, value) in facts {
        let _ = write!(
            html,
            "<tr style=\"background:none\"><th scope=\"row\" style=\"text-align:left;font-weight:400;padding:1px 14px 1px 0;\
             vertical-align:top;{MUTED}\">{}</th><td style=\"text-align:left;padding:1px 0;\
             overflow-wrap:anywhere\">{}</td></tr>",
            escape(name),
            escape(value)
        );
    }
    html.push_str("</tbody></table>");
    html
}

/// The plain form of [`table_html`]: columns padded with spaces, numbers to the right.
#[must_use]
pub fn table_text(headers: &[&str], rows: &[Vec<String>]) -> String {
    let columns = headers.len();
    let length = |text: &str| text.chars().count();
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|row| row.get(column))
            .map(|text| length(text));
        cells.chain([length(headers[column])]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.take(columns).enumerate() {
            let gap = " ".repeat(widths[column].saturating_sub(length(cell)));
            let separator = if column == 0 { "" } else { "  " };
            let (before, after) = if is_numeric(rows, column) {
                (gap.as_str(), "")
            } else {
                ("", gap.as_str())
            };
            let _ = write!(text, "{separator}{before}{cell}{after}");
        }
        text.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut headers.iter().copied())];
    lines.extend(
        rows.iter()
            .map(|row| line(&mut row.iter().map(String::as_str))),
    );
    lines.join("\n")
}

fn is_numeric(rows: &[Vec<String>], column: usize) -> bool {
    let number = |text: &String| {
        let plain: String = text
            .chars()
            .filter(|character| !matches!(character, ',' | '%' | ' ' | '\u{2009}'))
            .collect();
        plain.is_empty() || plain == "–" || plain == "-" || plain.parse::<f64>().is_ok()
    };
    let mut cells = rows.iter().filter_map(|row| row.get(column)).peekable();
    cells.peek().is_some() && cells.all(number)
}

/// The edge of squares in legends, which shows white ones on light grounds and black ones on dark.
pub(crate) const EDGE: [u8; 3] = [117, 117, 117];

/// A square in this color with an edge of its own.
pub(crate) fn swatch_html(color: [u8; 3]) -> String {
    // The block character keeps the color where backgrounds are stripped.
    let color = crate::color::hex(color);
    square_html(&format!("background:{color};color:{color}"), "&#9632;")
}

/// A square of this style, for legends.
pub(crate) fn square_html(style: &str, inside: &str) -> String {
    format!(
        "<span aria-hidden=\"true\" style=\"display:inline-block;box-sizing:border-box;width:13px;height:13px;\
         line-height:11px;overflow:hidden;vertical-align:-2px;border:1px solid {};{style}\">{inside}</span>",
        crate::color::hex(EDGE)
    )
}
