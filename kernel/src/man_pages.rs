//! Man pages from the tree of commands, with the examples as they are typed.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use clap_mangen::Man;
use swath_cli::clap::Command;

/// The page of the program.
///
/// # Errors
/// Those of writing into memory, which has none of its own.
pub(crate) fn page() -> io::Result<String> {
    render(&tree())
}

/// Writes a page for each command, `swath.1`, `swath-predict.1` and so on.
///
/// # Errors
/// Those of writing the files.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    write_with_inner(&tree(), folder)
}

fn tree() -> Command {
    // The pages take the place of `help`, which would be listed without one of its own.
    let mut tree = swath_cli::shown().disable_help_subcommand(true);
    tree.build();
    tree
}

fn write_with_inner(command: &Command, folder: &Path) -> io::Result<()> {
    let name = Man::new(command.clone()).get_filename();
    std::fs::write(folder.join(name), render(command)?)?;
    command
        .get_subcommands()
        .try_for_each(|inner| write_with_inner(inner, folder))
}

fn render(command: &Command) -> io::Result<String> {
    let man = Man::new(command.clone()).manual("Swath");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    if let Some(text) = command.get_after_help() {
        page.push_str(&examples(&text.to_string()));
    }
    Ok(page)
}

/// The lines behind the word `Examples:`, each as it is typed, and what stands behind them.
fn examples(text: &str) -> String {
    let escaped = |line: &str| line.trim().replace('\\', "\\e").replace('-', "\\-");
    let (lines, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut section = ".SH EXAMPLES\n.nf\n".to_owned();
    for line in lines.lines().skip(1) {
        // Writing to a String cannot fail.
        let _ = writeln!(section, "{}", escaped(line));
    }
    section.push_str(".fi\n");
    if !rest.is_empty() {
        let _ = writeln!(section, ".PP\n{}", escaped(rest));
    }
    section
}
