//! The page `docs/cli.md`.

use std::fmt::Write as _;

use clap::{Arg, Command};

use crate::help::GROUPS;

const BEGINNING: &str = "# Command line\n\n\
    <!-- Written by `swath commands` from the tree of commands; a test compares the two. -->\n\n\
    `swath` predicts, scores and looks at imagery without a notebook, installs the Jupyter kernel, and helps with both.\n\
    `swath help COMMAND` shows what stands here, `swath completions SHELL` makes the shell complete it, `swath man` gives man\n\
    pages.\n\n\
    Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted, 143 ended by SIGTERM, 138 by SIGUSR1. `swath train`\n\
    ends with 75 in the place of these three when it was stopped: the same command goes on. `swath run` ends with 3 when\n\
    the kernel ended by itself. Results, and what was left out or assumed, go to stdout; progress and errors go to stderr.\n";

/// The reference page of all commands, in Markdown.
#[must_use]
pub fn reference() -> String {
    let mut tree = crate::command();
    tree.build();
    let mut page = BEGINNING.to_owned();
    for (group, names) in GROUPS {
        // Writing to a String cannot fail.
        let _ = write!(page, "\n## {group}\n");
        for name in *names {
            // `help` explains itself.
            if let Some(command) = tree.find_subcommand(name).filter(|_| *name != "help") {
                describe(&mut page, command);
            }
        }
    }
    page
}

/// A command, or those within it.
fn describe(page: &mut String, command: &Command) {
    let inner: Vec<&Command> = (command.get_subcommands())
        .filter(|inner| inner.get_name() != "help")
        .collect();
    if !inner.is_empty() {
        inner.into_iter().for_each(|inner| describe(page, inner));
        return;
    }
    let name = command.get_bin_name().unwrap_or(command.get_name());
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = command
        .get_about()
        .map(ToString::to_string)
        .unwrap_or_default();
    let _ = write!(
        page,
        "\n### `{name}`\n\n{about}.\n\n```text\n{usage}\n```\n"
    );
    let shown = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    // In the order of the first option of each heading.
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in &arguments {
        if !headings.contains(&argument.get_help_heading()) {
            headings.push(argument.get_help_heading());
        }
    }
    for heading in headings {
        page.push('\n');
        if let Some(heading) = heading {
            let _ = write!(page, "{heading}:\n\n");
        }
        for argument in arguments
            .iter()
            .filter(|argument| argument.get_help_heading() == heading)
        {
            let _ = writeln!(page, "- {}", option(argument));
        }
    }
    if let Some(text) = command.get_after_help() {
        let text = text.to_string();
        let (examples, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
        let lines = examples.lines().skip(1).map(str::trim);
        let _ = write!(
            page,
            "\n```sh\n{}\n```\n",
            lines.collect::<Vec<_>>().join("\n")
        );
        if !rest.is_empty() {
            let _ = write!(page, "\n{rest}\n");
        }
    }
}

/// `` `-o`, `--out DIR`: the folder for the results ``, with its values and its default.
fn option(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let values: String = values.iter().map(|name| format!(" {name}")).collect();
    let mut words = Vec::new();
    words.extend(argument.get_short().map(|short| format!("`-{short}`")));
    words.extend(argument.get_long().map(|long| match takes_value {
        true => format!("`--{long}{values}`"),
        false => format!("`--{long}`"),
    }));
    if words.is_empty() {
        words.push(format!("`{}`", values.trim()));
    }
    let help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut text = format!("{}: {help}", words.join(", "));
    let possible: Vec<String> = (argument.get_possible_values().iter())
        .filter(|_| takes_value)
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}` ({help})", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !possible.is_empty() {
        let _ = write!(text, ": {}", possible.join(", "));
    }
    let defaults: Vec<String> = (argument.get_default_values().iter())
        .filter(|_| takes_value)
        .map(|value| value.to_string_lossy().into_owned())
        .collect();
    if !defaults.is_empty() {
        let _ = write!(text, " [default: {}]", defaults.join(","));
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_reference_page_is_the_tree() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md");
        if std::env::var_os("SWATH_UPDATE").is_some() {
            std::fs::write(path, super::reference()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == super::reference(),
            "docs/cli.md is out of date; run `swath commands > docs/cli.md`"
        );
    }
}
