//! `!`: a shell command, or Rust's negation as the last expression of a cell.
//!
//! The line is Rust when what stands from it to the end of the cell is one Rust expression, and either that expression
//! begins with a name of the session or of the cell (`let test = true;` before `!test`), or the shell would find no
//! program by the first word.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;

use ra_ap_syntax::{AstNode, ast};

use crate::syntax::{Completeness, completeness, final_expression};

/// What a cell finds when it begins.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Whether a variable or an item has this name.
    pub(crate) knows: &'a dyn Fn(&str) -> bool,
    /// The type of the variable of this name.
    pub(crate) type_of: &'a dyn Fn(&str) -> Option<String>,
    /// Where the shell looks for programs.
    pub(crate) search_path: &'a OsStr,
}

impl Surroundings<'_> {
    /// No names, and the system's own programs.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self {
            knows: &|_| false,
            type_of: &|_| None,
            search_path: OsStr::new("/usr/bin:/bin"),
        }
    }
}

/// What the shell knows besides programs, as far as it could be Rust as well.
const OF_THE_SHELL: [&str; 28] = [
    "alias", "bg", "cd", "command", "echo", "eval", "exec", "exit", "export", "false", "fg",
    "getopts", "hash", "history", "jobs", "kill", "printf", "pwd", "read", "set", "shift", "test",
    "times", "trap", "true", "ulimit", "umask", "wait",
];

/// Whether `rest`, the text from a line that begins with `!` to the end of its cell, is Rust. `before` is the Rust above
/// it.
pub(super) fn is_rust(rest: &str, before: &str, surroundings: &Surroundings<'_>) -> bool {
    let expression = rest.trim();
    if !is_one_expression(expression) {
        return false;
    }
    let begins = expression.trim_start_matches(|c: char| "!(*&-".contains(c) || c.is_whitespace());
    let name: String = begins
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    if !name.is_empty() && ((surroundings.knows)(&name) || binds(before, &name)) {
        return true;
    }
    let command = expression.strip_prefix('!').unwrap_or(expression);
    !is_program(first_word(command), surroundings.search_path)
}

fn is_one_expression(text: &str) -> bool {
    completeness(text) == Completeness::Complete
        && final_expression(text).is_some_and(|expression| {
            // Comments may follow it.
            expression.range.start == 0
        })
}

/// Whether the Rust above gives `name` to something.
pub(super) fn binds(before: &str, name: &str) -> bool {
    let parsed = crate::parse::source(&format!("fn cell() {{\n{before}\n}}"));
    parsed
        .syntax_node()
        .descendants()
        .filter_map(ast::Name::cast)
        .any(|found| found.text() == name)
}

/// The first word of a command, as a shell takes words.
pub(super) fn first_word(command: &str) -> &str {
    let command = command.trim_start_matches(|c: char| c == '(' || c.is_whitespace());
    let end = command.find(|c: char| c.is_whitespace() || ";|&<>()\"'`$\\".contains(c));
    &command[..end.unwrap_or(command.len())]
}

fn is_program(word: &str, search_path: &OsStr) -> bool {
    if word.is_empty() {
        return false;
    }
    OF_THE_SHELL.contains(&word)
        || std::env::split_paths(search_path).any(|folder| {
            std::fs::metadata(folder.join(word))
                .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rest: &str, before: &str, expected: bool) {
        let surroundings = Surroundings {
            type_of: &|_| None,
            knows: &|name| ["make", "v", "größe"].contains(&name),
            search_path: OsStr::new("/usr/bin:/bin"),
        };
        assert_eq!(is_rust(rest, before, &surroundings), expected, "{rest:?}");
    }

    #[test]
    fn expressions_are_rust_unless_the_shell_finds_a_program() {
        for rust in [
            "!flag",
            "!v.is_empty()",
            "!größe.is_nan()",
            "!matches!(x, Some(_))",
            "!(1 > 2)",
            "!5u8",
            "!!flag",
            "!!true",
            "!\"text\".is_empty()",
            "!std::path::Path::new(\"a\").exists()",
            "!a\n    && b // both",
            // A variable of the session that is a program, too.
            "!make",
            "!ls.len()",
        ] {
            check(rust, "", true);
        }
        for shell in [
            "!ls",
            "!true",
            "!cd",
            "!ls -l",
            "!cat Cargo.toml | head",
            "!./run.sh",
            "!(cd /tmp && ls)",
            "!ls;",
            "!pip install x",
            "!echo $HOME",
            "!ls\n!pwd",
            "!",
        ] {
            check(shell, "", false);
        }
    }

    #[test]
    fn names_of_the_cell_come_before_programs() {
        check("!test", "let test = true;", true);
        check("!test", "let (a, mut test) = (1, true);", true);
        check("!test", "fn test() -> bool { true }", true);
        check("!test", "let path = \"test\";", false);
        check("!ls", "for ls in 0..1 {}", true);
    }
}
