//! `%time` and `%timeit`: Rust around the user's Rust, with the library's clock.

use super::arguments::UsageError;
use super::table::Magic;
use crate::syntax::final_expression;

fn needs_code(magic: &Magic, code: &str) -> Result<(), UsageError> {
    if code.trim().is_empty() {
        Err(UsageError::new(
            magic,
            format!("%{} needs something to run", magic.name),
        ))
    } else {
        Ok(())
    }
}

/// The code between the start and the stop of the clock; its bindings stay, and its value is still shown.
pub(super) fn time(magic: &Magic, code: &str) -> Result<String, UsageError> {
    needs_code(magic, code)?;
    let start = "swath::session::start_clock();";
    Ok(match final_expression(code) {
        Some(found) => {
            let range = found.range;
            let (before, value, after) = (
                &code[..range.start],
                &code[range.clone()],
                &code[range.end..],
            );
            if found.is_place {
                format!("{start} {before}swath::session::stop_clock(()); {value}{after}")
            } else {
                format!("{start} {before}swath::session::stop_clock({value}){after}")
            }
        }
        None => format!(
            "{start} {} swath::session::stop_clock(());",
            with_semicolon(code)
        ),
    })
}

/// The code as a closure that the library calls until the mean is sure.
pub(super) fn timeit(magic: &Magic, code: &str) -> Result<String, UsageError> {
    needs_code(magic, code)?;
    Ok(format!(
        "swath::session::time_loops(|| {{ std::hint::black_box({{ {code} }}); Ok::<(), Box<dyn std::error::Error>>(()) }})?;"
    ))
}

/// `%time let a = f()` needs no semicolon; a comment at the end must not hide what follows.
fn with_semicolon(code: &str) -> String {
    let code = code.trim_end();
    let end = crate::syntax::end_of(code);
    let line_end = if code.lines().last().is_some_and(|line| line.contains("//")) {
        "\n"
    } else {
        ""
    };
    if end.after_statement {
        format!("{code}{line_end}")
    } else {
        format!("{code};{line_end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magics::table::find;

    #[test]
    fn time_keeps_bindings_and_the_value() {
        let magic = find("time").unwrap();
        let lines = [
            "let a = f();",
            "let a = f()",
            "f()",
            "f();",
            "let a = 1;\na + 1 // sum",
            "let a = 1; // one",
        ];
        let text: String = lines
            .iter()
            .map(|code| format!("{code}\n  => {}\n", time(magic, code).unwrap()))
            .collect();
        insta::assert_snapshot!(text);
        // A variable is shown, not moved into the clock.
        assert_eq!(
            time(magic, "let a = f(); a").unwrap(),
            "swath::session::start_clock(); let a = f(); swath::session::stop_clock(()); a"
        );
        assert!(time(magic, " ").is_err());
    }
}
