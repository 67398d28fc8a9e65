//! Colors of errors, for front ends that do not let them follow the theme.
//!
//! JupyterLab draws ANSI colors in one shade for both of its themes: intense red has a contrast of 3.0 on the dark one,
//! plain red and blue of 2.6 on the ground of errors in the light one (WCAG 2.2 asks for 4.5). So everything has the theme's
//! own color: words and carets are bold, the margin with its line numbers is plain.

const RESET: &str = "\u{1b}[0m";
/// The color of what points.
const RED: u8 = 1;

/// The lines of an error with words in the theme's color.
pub(super) fn readable(traceback: &[String]) -> Vec<String> {
    traceback.iter().map(|line| readable_line(line)).collect()
}

fn readable_line(line: &str) -> String {
    let mut written = String::with_capacity(line.len());
    let mut pieces = line.split('\u{1b}');
    written.push_str(pieces.next().unwrap_or_default());
    // The color from 1 to 7, and whether text is bold.
    let (mut color, mut bold) = (None, false);
    for piece in pieces {
        let end = piece.find(|c: char| c.is_ascii_alphabetic());
        let code = end.and_then(|end| piece[..end].strip_prefix('[').zip(piece.get(end..end + 1)));
        let (Some(end), Some((codes, "m"))) = (end, code) else {
            written.push('\u{1b}');
            written.push_str(piece);
            continue;
        };
        let mut codes = codes.split(';');
        while let Some(code) = codes.next() {
            match code.parse() {
                Ok(1) => bold = true,
                Ok(22) => bold = false,
                Ok(39) => color = None,
                // Of the palette or of parts: the numbers that follow are no codes.
                Ok(38 | 48) => {
                    let skipped = if codes.next() == Some("5") { 1 } else { 3 };
                    codes.by_ref().take(skipped).for_each(drop);
                    color = Some(4);
                }
                Ok(code @ (31..=37 | 91..=97)) => color = Some(code % 10),
                Ok(0) | Err(_) => (color, bold) = (None, false),
                Ok(_) => {}
            }
        }
        let text = &piece[end + 1..];
        match color {
            _ if text.is_empty() => {}
            // The margin: `1 |`, `-->`.
            Some(color) if color != RED && !text.contains(char::is_alphabetic) => {
                written.push_str(text);
            }
            color if bold || color.is_some() => {
                written.push_str(&format!("\u{1b}[1m{text}{RESET}"));
            }
            _ => written.push_str(text),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_has_the_color_of_the_theme_words_and_carets_are_bold() {
        let line = "\u{1b}[1m\u{1b}[94m1\u{1b}[0m \u{1b}[1m\u{1b}[94m|\u{1b}[0m let x; \u{1b}[1m\u{1b}[91m^^^\u{1b}[0m \u{1b}[1m\u{1b}[91mnot used\u{1b}[0m";
        assert_eq!(
            readable_line(line),
            "1 | let x; \u{1b}[1m^^^\u{1b}[0m \u{1b}[1mnot used\u{1b}[0m"
        );
        assert_eq!(
            readable_line("\u{1b}[31mUsageError\u{1b}[0m: no"),
            "\u{1b}[1mUsageError\u{1b}[0m: no"
        );
    }

    #[test]
    fn every_way_to_name_a_color_is_known() {
        for code in ["31", "1;91", "38;5;9", "38;2;255;0;0", "48;5;1"] {
            let line = format!("\u{1b}[{code}merror\u{1b}[m: plain");
            assert_eq!(
                readable_line(&line),
                "\u{1b}[1merror\u{1b}[0m: plain",
                "{code}"
            );
        }
        assert_eq!(
            readable_line("\u{1b}[1;39mbold\u{1b}[22m, plain"),
            "\u{1b}[1mbold\u{1b}[0m, plain"
        );
    }

    #[test]
    fn other_text_stays() {
        for line in [
            "",
            "plain",
            "a\u{1b}",
            "\u{1b}[2Kcleared",
            "\u{1b}]8;;x\u{7}link",
            "größe\u{1b}é",
        ] {
            assert_eq!(readable_line(line), line);
        }
    }
}
