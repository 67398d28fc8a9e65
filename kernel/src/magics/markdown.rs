//! Help and documentation, from the table.

use std::fmt::Write;

use serde_json::json;

use super::table::{Kind, MAGICS, Magic};
use crate::commands::COMMANDS;
use crate::eval::MimeBundle;

impl Magic {
    /// Its help as plain text.
    pub(crate) fn help_text(&self) -> String {
        let mut text = format!("{}\n\n    {}\n", self.short, self.usage);
        if !self.long.is_empty() {
            let _ = write!(text, "\n{}\n", self.long);
        }
        if !self.options.is_empty() {
            text.push('\n');
            let width = self
                .options
                .iter()
                .map(|(key, _)| key.len())
                .max()
                .unwrap_or(0);
            for (key, help) in self.options {
                let _ = writeln!(
                    text,
                    "    {:width$}  {help}",
                    format!("{key}="),
                    width = width + 1
                );
            }
        }
        text
    }

    fn help_markdown(&self) -> String {
        let mut text = format!("{}.\n\n```text\n{}\n```\n", self.short, self.usage);
        if !self.long.is_empty() {
            let _ = write!(text, "\n{}\n", self.long);
        }
        if !self.options.is_empty() {
            text.push('\n');
            for (key, help) in self.options {
                let _ = writeln!(text, "- `{key}=` {help}");
            }
        }
        text
    }

    /// Its help in the forms that front ends show.
    pub(crate) fn help_bundle(&self) -> MimeBundle {
        let title = format!("**{}**: ", self.written());
        bundle(
            &self.help_text(),
            &format!("{title}{}", self.help_markdown()),
        )
    }
}

fn bundle(plain: &str, markdown: &str) -> MimeBundle {
    let mut bundle = MimeBundle::new();
    bundle.insert("text/plain".to_owned(), json!(plain));
    bundle.insert("text/markdown".to_owned(), json!(markdown));
    bundle
}

/// What `?` alone shows.
pub(crate) fn introduction() -> MimeBundle {
    let text = "\
Cells are Rust: `let x = 1;` makes a variable that later cells have, the last line is shown.\n\n\
- `name?` or `?name` explains a name, Tab completes it, Shift+Tab shows what it is\n\
- `%lsmagic` lists the magics: `%scene`, `%split`, `%chips`, `%fit`, `%predict`, `%map`, `%evaluate` lead from a file to scores\n\
- `%who` lists the variables, `%dep NAME` adds a crate, `!command` runs a program\n";
    bundle(text, text)
}

/// What `%lsmagic` prints.
pub(crate) fn list() -> MimeBundle {
    let width = MAGICS
        .iter()
        .map(|magic| magic.written().len())
        .max()
        .unwrap_or(0);
    let mut plain = String::new();
    let mut markdown = "| magic | what it does |\n|:---|:---|\n".to_owned();
    for magic in MAGICS {
        let _ = writeln!(plain, "{:width$}  {}", magic.written(), magic.short);
        let _ = writeln!(
            markdown,
            "| `{}` | {} |",
            magic.usage.replace('|', "\\|"),
            magic.short
        );
    }
    plain.push_str("\n%name? explains one. !command runs a shell command. evcxr's :commands work (:help lists them).\n");
    markdown.push_str("\n`%name?` explains one, `!command` runs a shell command, evcxr's `:commands` work (`:help` lists them).\n");
    bundle(&plain, &markdown)
}

/// The page `docs/magics.md`.
pub(crate) fn reference() -> String {
    let mut page = "# Magics\n\n\
        <!-- Written by `swath magics` from the kernel's table; a test compares the two. -->\n\n\
        `%name` takes the rest of its line, `%%name` the rest of its cell. `%lsmagic` lists them, `%name?` explains one,\n\
        `%expand` prints the Rust that one stands for. `!command` runs a shell command whose output appears while it runs.\n\
        evcxr's `:commands` are [at the end](#evcxrs-commands), and what [`!` means](#-shell-or-not) before them.\n"
        .to_owned();
    for magic in MAGICS {
        let both = if magic.kind == Kind::Both {
            format!(" and `%%{}`", magic.name)
        } else {
            String::new()
        };
        let _ = write!(
            page,
            "\n## `{}`{both}\n\n{}",
            magic.written(),
            magic.help_markdown()
        );
    }
    page + SHELL_OR_NOT + &commands()
}

const SHELL_OR_NOT: &str = "\n## `!`: shell or not\n\n\
    A line that begins with `!` is a shell command, unless it ends the cell as a Rust expression: when everything from the\n\
    `!` to the cell's end is one Rust expression, it is Rust if it begins with a name of the session or of the cell (a\n\
    variable, a function, a constant), or if there is no program by its first word. So `!flag`, `!v.is_empty()` and\n\
    `!matches!(x, 1)` are Rust; `!ls` and `!true` are commands; after `let test = true;`, `!test` is Rust. Brackets make\n\
    Rust of anything: `(!ls)`.\n\n\
    `exit` and `quit` alone in a cell end `jupyter console`. In a notebook they say how to shut the kernel down.\n\n\
    Commands and cells share their working folder and environment: `%cd`, `%env`, `std::env::set_current_dir` and\n\
    `std::env::set_var` are seen by both, those of Rust from the end of their cell on.\n";

/// The part about evcxr's commands.
fn commands() -> String {
    let mut page = "\n## evcxr's commands\n\n\
        `:name` takes the rest of its line. Commands are carried out where they stand in a cell, and what they say is shown\n\
        there. `:help` lists them.\n\n\
        | command | |\n|---|---|\n"
        .to_owned();
    for command in COMMANDS {
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            command.written().replace('|', "\\|"),
            command.described().replace('|', "\\|")
        );
    }
    page + "\nBefore the first cell the kernel reads evcxr's startup files, by evcxr's rules: `init.evcxr` (commands) and\n\
        `prelude.rs` (Rust) in evcxr's configuration folder (`EVCXR_CONFIG_DIR`, or `~/.config/evcxr`), and `evcxr.toml` there or\n\
        in the working folder. What is wrong with them is told by the first cell, which runs all the same. With\n\
        `SWATH_STARTUP_FILES=0` in the kernel's environment they are not read.\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_page_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/magics.md");
        if std::env::var_os("SWATH_UPDATE").is_some() {
            std::fs::write(path, reference()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == reference(),
            "docs/magics.md is out of date; run `swath magics > docs/magics.md`"
        );
    }

    #[test]
    fn every_magic_is_described_and_named_once() {
        let mut names: Vec<&str> = MAGICS.iter().map(|magic| magic.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), MAGICS.len());
        for magic in MAGICS {
            assert!(magic.usage.starts_with(&magic.written()), "{}", magic.usage);
            assert!(
                !magic.short.is_empty() && !magic.short.ends_with('.'),
                "{}",
                magic.name
            );
        }
    }
}
