//! evcxr's `:commands`. One table stands behind running them, `:help`, completion and `docs/magics.md`: each does what
//! evcxr documents, or is refused with the reason and the better way.

use strsim::levenshtein;

/// A command that the engine carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EngineCommand {
    /// evcxr itself does it.
    Evcxr,
    /// evcxr itself does it, and it is done again when evcxr starts anew.
    Setting,
    Clear,
    ErrorFormat,
    Explain,
    Format,
    Help,
    LastErrorJson,
    Restart,
    ShowDependencies,
    Type,
    Types,
    Variables,
}

/// A command that the front process carries out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrontCommand {
    Doc,
    Env,
    LoadConfig,
    PreserveVariables,
    Quit,
    Timing,
}

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Engine(EngineCommand),
    Front(FrontCommand),
    /// Nothing can be chosen here.
    Refused {
        /// What holds whatever is asked for; printed when nothing is asked for.
        fact: &'static str,
        /// The argument that asks for just that.
        is_so: Option<&'static str>,
        /// Why nothing else can be.
        reason: &'static str,
        /// The better way.
        instead: &'static str,
    },
}

/// One command.
#[derive(Debug)]
pub(crate) struct Command {
    /// Its name with the colon.
    pub(crate) name: &'static str,
    /// What follows the name.
    pub(crate) arguments: &'static str,
    /// One line for lists.
    pub(crate) short: &'static str,
    pub(crate) action: Action,
}

const fn engine(
    name: &'static str,
    arguments: &'static str,
    short: &'static str,
    command: EngineCommand,
) -> Command {
    Command {
        name,
        arguments,
        short,
        action: Action::Engine(command),
    }
}

const fn front(
    name: &'static str,
    arguments: &'static str,
    short: &'static str,
    command: FrontCommand,
) -> Command {
    Command {
        name,
        arguments,
        short,
        action: Action::Front(command),
    }
}

const fn refused(
    name: &'static str,
    short: &'static str,
    fact: &'static str,
    is_so: Option<&'static str>,
    reason: &'static str,
    instead: &'static str,
) -> Command {
    Command {
        name,
        arguments: "",
        short,
        action: Action::Refused {
            fact,
            is_so,
            reason,
            instead,
        },
    }
}

/// All commands of evcxr, by name.
pub(crate) static COMMANDS: &[Command] = &[
    engine(
        ":allow_static_linking",
        "0|1",
        "Says whether crates may be linked into each cell; `0`: they are loaded once, and their statics keep their values",
        EngineCommand::Setting,
    ),
    engine(
        ":build_env",
        "NAME=VALUE",
        "Sets a variable for compiling: what `env!` reads, and build scripts",
        EngineCommand::Setting,
    ),
    refused(
        ":cache",
        "Refused: crates are kept for the session",
        "cache: 0 MiB",
        Some("0"),
        "crates are built in the session's own folder and kept there until it ends",
        "set `sccache` as RUSTC_WRAPPER in cargo's own configuration to keep them for longer",
    ),
    engine(
        ":clear",
        "",
        "Forgets variables, functions, types and dependencies, and keeps settings, as `%reset` does",
        EngineCommand::Clear,
    ),
    refused(
        ":clear_cache",
        "Refused: there is no cache beside the session's folder",
        "",
        None,
        "there is no cache: crates are built in the session's own folder, which goes with the kernel",
        "restart the kernel",
    ),
    refused(
        ":codegen_backend",
        "Refused: cells are compiled as the library was",
        "codegen backend: llvm",
        Some("llvm"),
        "cells share compiled code with the library, which LLVM has made",
        "`:opt 0` makes cells that loop compile faster",
    ),
    engine(
        ":dep",
        "NAME [= \"VERSION\" | = { .. }] | FOLDER",
        "Adds a crate, as `%dep` does",
        EngineCommand::Evcxr,
    ),
    front(
        ":doc",
        "NAME",
        "Shows the documentation of a name below the cell; `%doc` and `?NAME` use the pager",
        FrontCommand::Doc,
    ),
    engine(
        ":efmt",
        "{} | {:?} | {:#?}",
        "Says how errors that leave a cell through `?` are written; `{}` (the default) needs `Display`, the others `Debug`",
        EngineCommand::ErrorFormat,
    ),
    front(
        ":env",
        "NAME=VALUE",
        "Sets a variable of cells and shell commands at once, as `%env` does",
        FrontCommand::Env,
    ),
    engine(
        ":explain",
        "",
        "Prints the compiler's explanation of the last cell's errors",
        EngineCommand::Explain,
    ),
    engine(
        ":fmt",
        "{:?} | {:#?} | {}",
        "Says how values are written; without an argument `{:?}`. After `{}`, values without `Display` keep `{:?}`, and those \
         with a picture keep it",
        EngineCommand::Format,
    ),
    engine(":help", "", "Lists the commands", EngineCommand::Help),
    refused(
        ":internal_debug",
        "Refused: it prints to the terminal of Jupyter's server",
        "",
        None,
        "what it prints goes to the terminal of Jupyter's server, which a notebook does not show",
        "`:last_compile_dir` names the folder with the generated code; SWATH_TRACE=1 has the kernel tell times there",
    ),
    engine(
        ":last_compile_dir",
        "",
        "Prints the folder in which cells are compiled",
        EngineCommand::Evcxr,
    ),
    engine(
        ":last_error_json",
        "",
        "Prints the last cell's errors as the compiler's JSON",
        EngineCommand::LastErrorJson,
    ),
    refused(
        ":linker",
        "Refused: cells are linked with the quickest linker there is",
        "linker: the quickest of mold, the toolchain's lld, and the system's",
        None,
        "each cell is linked by the quickest linker there is: mold, else the lld of the toolchain, else the system's",
        "put `mold` on PATH and restart the kernel",
    ),
    front(
        ":load_config",
        "[--quiet]",
        "Reads the startup files again",
        FrontCommand::LoadConfig,
    ),
    engine(
        ":offline",
        "0|1",
        "Says whether cargo stays away from the network",
        EngineCommand::Setting,
    ),
    engine(
        ":opt",
        "[0|1|2|3]",
        "Sets the optimization of cells that loop or call functions of cells; without a number it goes from 2 to 0 and back",
        EngineCommand::Setting,
    ),
    front(
        ":preserve_vars_on_panic",
        "0|1",
        "Says whether variables outlive a panic (`1`, the default); after `0` a cell that panics begins all of them anew",
        FrontCommand::PreserveVariables,
    ),
    front(
        ":quit",
        "",
        "Ends `jupyter console`; in a notebook it says how to shut the kernel down",
        FrontCommand::Quit,
    ),
    engine(
        ":restart",
        "",
        "Forgets the variables, with a new process, and keeps functions, types, imports and dependencies",
        EngineCommand::Restart,
    ),
    refused(
        ":sccache",
        "Refused: crates are compiled through the kernel's own wrapper",
        "sccache: false",
        Some("0"),
        "crates are compiled through the kernel's own wrapper, which hands over the library that is built already",
        "they are kept for the session as they are",
    ),
    engine(
        ":show_deps",
        "",
        "Prints the dependencies that were added",
        EngineCommand::ShowDependencies,
    ),
    engine(":t", "NAME", "The same as `:type`", EngineCommand::Type),
    refused(
        ":time_passes",
        "Refused: the compiler's passes are not printed",
        "",
        None,
        "a cell's compiler runs behind the kernel, and its passes are not printed",
        "`:timing` tells how long cells take, `%time` and `%timeit` how long code runs",
    ),
    front(
        ":timing",
        "",
        "Toggles a line after each cell that says how long it took, compiling included",
        FrontCommand::Timing,
    ),
    refused(
        ":toolchain",
        "Refused: there is one compiler",
        "",
        None,
        "the library, cells and completion share one compiler: what another one makes does not fit together with them",
        "build Swath anew with the other compiler in `rust-toolchain.toml`; `swath doctor` names the one in use",
    ),
    engine(
        ":type",
        "NAME",
        "Prints the type of a variable",
        EngineCommand::Type,
    ),
    engine(
        ":types",
        "",
        "Toggles the type before each value: `: i32 = 42`",
        EngineCommand::Types,
    ),
    engine(
        ":vars",
        "",
        "Lists the variables with their types, as `%who` does",
        EngineCommand::Variables,
    ),
    engine(
        ":version",
        "",
        "Prints evcxr's version",
        EngineCommand::Evcxr,
    ),
];

/// The command of a name (with its colon).
pub(crate) fn find(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// A line taken apart: the command's name and what follows it; `None` for any other line. Spaces may stand before it,
/// as evcxr allows.
pub(crate) fn parse(line: &str) -> Option<(&str, &str)> {
    let text = line.trim();
    let begins = text
        .strip_prefix(':')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_alphabetic()));
    if !begins {
        return None;
    }
    let (name, arguments) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    Some((name, arguments.trim()))
}

/// What a line that names no command is told.
pub(crate) fn unknown(name: &str) -> String {
    let near = COMMANDS
        .iter()
        .map(|command| (levenshtein(name, command.name), command.name))
        .min();
    let near = match (name, near) {
        (":local_dep", _) => "; a crate in a folder is `:dep FOLDER`".to_owned(),
        (_, Some((distance, near))) if distance * 3 <= name.len() => {
            format!("; did you mean `{near}`?")
        }
        _ => String::new(),
    };
    format!("there is no command `{name}`{near}")
}

/// `:help` as plain text and as HTML.
pub(crate) fn list() -> (String, String) {
    let width = COMMANDS.iter().map(|command| command.name.len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    let mut html = "<table>".to_owned();
    for command in COMMANDS {
        text += &format!("{:width$}  {}\n", command.name, command.short);
        html += &format!(
            "<tr><td><code>{}</code></td><td>{}</td></tr>",
            crate::text::escape_html(command.written().as_str()),
            crate::text::escape_html(command.short)
        );
    }
    (text, html + "</table>")
}

impl Command {
    /// The name and what follows it.
    pub(crate) fn written(&self) -> String {
        format!("{} {}", self.name, self.arguments)
            .trim_end()
            .to_owned()
    }

    /// For the documentation: what it does, or why it is refused and what to do instead.
    pub(crate) fn described(&self) -> String {
        match self.action {
            Action::Refused {
                reason, instead, ..
            } => format!("{}: {reason}. Instead: {instead}", self.short),
            _ => self.short.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_of_evcxr_is_in_the_table_by_name() {
        // The names that evcxr 0.22 lists, from its documentation.
        let evcxr = [
            "allow_static_linking",
            "build_env",
            "cache",
            "clear",
            "clear_cache",
            "codegen_backend",
            "dep",
            "doc",
            "efmt",
            "env",
            "explain",
            "fmt",
            "help",
            "internal_debug",
            "last_compile_dir",
            "last_error_json",
            "linker",
            "load_config",
            "offline",
            "opt",
            "preserve_vars_on_panic",
            "quit",
            "restart",
            "sccache",
            "show_deps",
            "t",
            "time_passes",
            "timing",
            "toolchain",
            "type",
            "types",
            "vars",
            "version",
        ];
        let names: Vec<&str> = COMMANDS.iter().map(|command| &command.name[1..]).collect();
        assert_eq!(names, evcxr);
    }

    #[test]
    fn lines_are_commands_when_a_letter_follows_the_colon() {
        assert_eq!(
            parse("  :dep rand = \"0.9\" "),
            Some((":dep", "rand = \"0.9\""))
        );
        assert_eq!(parse(":vars\r"), Some((":vars", "")));
        assert_eq!(parse("::std::mem::drop(a)"), None);
        assert_eq!(parse(": i32"), None);
        assert_eq!(
            unknown(":verson"),
            "there is no command `:verson`; did you mean `:version`?"
        );
        assert!(unknown(":local_dep").contains(":dep FOLDER"));
        assert_eq!(unknown(":xyzzy"), "there is no command `:xyzzy`");
    }
}
