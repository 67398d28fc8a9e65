//! The commands in groups, for `swath --help` and the reference page.

use std::fmt::Write as _;

use clap::Command;

/// Every command that is shown, by what it is for.
pub(crate) const GROUPS: &[(&str, &[&str])] = &[
    (
        "Imagery and models",
        &[
            "info", "init", "train", "predict", "evaluate", "submit", "devices",
        ],
    ),
    ("Notebooks", &["run"]),
    ("Data", &["data", "sample", "properties"]),
    (
        "Jupyter kernel",
        &["install", "uninstall", "doctor", "notebooks", "kernel"],
    ),
    ("This command", &["completions", "man", "help"]),
];

/// What clap's own command `help` does.
const HELP: &str = "Explain a command, with its options and examples";

/// The tree whose own help lists the commands in groups: clap knows one heading for all of them.
pub(crate) fn grouped(tree: Command) -> Command {
    let styles = tree.get_styles();
    let (header, literal) = (*styles.get_header(), *styles.get_literal());
    let names = GROUPS.iter().flat_map(|(_, names)| names.iter());
    let width = names.map(|name| name.len()).max().unwrap_or(0);
    let mut lists = String::new();
    for (group, names) in GROUPS {
        // Writing to a String cannot fail.
        let _ = writeln!(lists, "\n{header}{group}:{header:#}");
        for name in *names {
            let _ = writeln!(
                lists,
                "  {literal}{name:width$}{literal:#}  {}",
                about(&tree, name)
            );
        }
    }
    tree.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n{lists}\n{header}Options:{header:#}\n{{options}}\n\n\
         `swath help COMMAND` explains a command, with examples.\n"
    ))
}

/// A command in a line.
fn about(tree: &Command, name: &str) -> String {
    match tree.find_subcommand(name).and_then(Command::get_about) {
        Some(about) => about.to_string(),
        None => HELP.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_that_is_shown_stands_in_one_group() {
        let tree = crate::command();
        let shown = tree
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        let mut shown: Vec<&str> = shown.map(Command::get_name).chain(["help"]).collect();
        let mut listed: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| names.iter().copied())
            .collect();
        shown.sort_unstable();
        listed.sort_unstable();
        assert_eq!(shown, listed);
    }
}
