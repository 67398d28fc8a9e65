//! evcxr's `:commands`, as far as the engine carries them out.

use std::fmt::Write as _;

use evcxr::Error;
use serde_json::{Value, json};
use swath_link::exchange::Request;

use super::super::generate::Generated;
use super::super::interface::{CellStatus, ErrorReport, MimeBundle, OutputEvent};
use super::super::settings::{ErrorFormat, ValueFormat};
use super::super::source_map::{CellSource, SourceMap};
use super::super::{outcome, render};
use super::Worker;
use crate::commands::{self, Action, EngineCommand};

/// Why a command was not carried out, and what to do.
fn refusal(reason: &str, hint: &str) -> ErrorReport {
    outcome::command_error(reason, Some(hint).filter(|hint| !hint.is_empty()))
}

/// A command that is written wrongly.
fn usage(command: &commands::Command, found: &str) -> ErrorReport {
    let found = if found.is_empty() {
        "nothing".to_owned()
    } else {
        format!("`{found}`")
    };
    refusal(
        &format!(
            "`{}` needs {}, found {found}",
            command.name, command.arguments
        ),
        &format!("write `{}`", command.written()),
    )
}

/// What is wrong with a dependency in a folder, for which cargo has no words that name it.
fn missing_folder(command: &str, arguments: &str) -> Option<ErrorReport> {
    let folders = arguments
        .lines()
        .map(|line| crate::commands::parse(line).map_or(line.trim(), |(_, argument)| argument))
        .filter(|argument| command == ":dep" && argument.starts_with(['.', '/']))
        .map(std::path::Path::new);
    let folder = folders
        .into_iter()
        .find(|folder| !folder.join("Cargo.toml").is_file())?;
    let shown = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    Some(refusal(
        &format!(
            "there is no crate in {}: it holds no Cargo.toml",
            shown.display()
        ),
        "name the folder of a crate; a relative one is taken from the working folder (`%pwd`)",
    ))
}

impl Worker {
    /// Runs one command. What it prints is the cell's result when nothing follows it in the cell (`is_last`).
    pub(super) fn command(&mut self, line: &str, is_last: bool) -> CellStatus {
        let (name, argument) = commands::parse(line).unwrap_or((line.trim(), ""));
        let Some(command) = commands::find(name) else {
            return CellStatus::Error(refusal(
                &commands::unknown(name),
                "`:help` lists the commands",
            ));
        };
        match command.action {
            Action::Engine(action) => self.engine_command(command, action, argument, is_last),
            Action::Refused {
                fact,
                is_so,
                reason,
                instead,
            } => {
                if (argument.is_empty() && !fact.is_empty()) || is_so == Some(argument) {
                    self.say(fact, is_last);
                    return CellStatus::Ok;
                }
                if name == ":toolchain" && argument.is_empty() {
                    self.say(&self.toolchain(), is_last);
                    return CellStatus::Ok;
                }
                CellStatus::Error(refusal(&format!("`{name}` is refused: {reason}"), instead))
            }
            Action::Front(_) => CellStatus::Error(refusal(
                &format!("`{name}` is for front ends, and there is none here"),
                "",
            )),
        }
    }

    fn engine_command(
        &mut self,
        command: &commands::Command,
        action: EngineCommand,
        argument: &str,
        is_last: bool,
    ) -> CellStatus {
        let line = format!("{} {argument}", command.name);
        let said = match action {
            EngineCommand::Evcxr => {
                if let Some(problem) = missing_folder(command.name, argument) {
                    return CellStatus::Error(problem);
                }
                return self.pass_on(line.trim(), is_last);
            }
            EngineCommand::Setting => return self.set(command, argument, is_last),
            EngineCommand::ShowDependencies => return self.show_dependencies(is_last),
            EngineCommand::Clear => {
                return match self.reset() {
                    Ok(()) => CellStatus::Ok,
                    Err(reason) => CellStatus::Error(outcome::engine_error(&reason)),
                };
            }
            EngineCommand::Restart => return self.restart(is_last),
            EngineCommand::Help => {
                let (text, html) = commands::list();
                let bundle = json!({ "text/plain": text, "text/html": html });
                self.say_bundle(bundle, is_last);
                return CellStatus::Ok;
            }
            EngineCommand::Variables => {
                (self.sink)(OutputEvent::Stdout(self.variables()));
                return CellStatus::Ok;
            }
            EngineCommand::Type => self.type_of(command, argument),
            EngineCommand::Types => {
                self.settings.types = !self.settings.types;
                Ok(format!("Types: {}", self.settings.types))
            }
            EngineCommand::Format => match ValueFormat::parse(argument) {
                Some(format) => {
                    self.settings.values = format;
                    Ok(format!("Output format: {}", format.written()))
                }
                None => Err(refusal(
                    &format!(
                        "values are written with {}, found `{argument}`",
                        command.arguments
                    ),
                    "print other forms: `println!(\"{:.3}\", value)`",
                )),
            },
            EngineCommand::ErrorFormat => match ErrorFormat::parse(argument) {
                Some(format) => {
                    self.settings.errors = format.unwrap_or(self.settings.errors);
                    Ok(self.settings.errors.described())
                }
                None => Err(usage(command, argument)),
            },
            EngineCommand::Explain => self.explain(),
            EngineCommand::LastErrorJson => self.last_error_json(),
        };
        match said {
            Ok(text) => {
                self.say(&text, is_last);
                CellStatus::Ok
            }
            Err(error) => CellStatus::Error(error),
        }
    }

    fn say(&self, text: &str, is_last: bool) {
        self.say_bundle(json!({ "text/plain": text }), is_last);
    }

    /// Shows what a command says: as the result of the cell, or between its other outputs when something follows.
    fn say_bundle(&self, bundle: Value, is_last: bool) {
        let Value::Object(bundle) = bundle else {
            return;
        };
        let metadata = MimeBundle::new();
        (self.sink)(if is_last {
            OutputEvent::Result { bundle, metadata }
        } else {
            OutputEvent::Display {
                bundle,
                metadata,
                id: None,
            }
        });
    }

    /// Has evcxr run a command; its words, or how it failed.
    fn ask_evcxr(&mut self, line: &str) -> Result<Option<Value>, CellStatus> {
        let (result, end, report) = self.evaluate(line, Request::default());
        match result {
            Ok(outputs) => {
                let bundle: MimeBundle = outputs
                    .content_by_mime_type
                    .into_iter()
                    .map(|(mime, text)| (mime, Value::from(text.trim_end())))
                    .collect();
                Ok((!bundle.is_empty()).then_some(Value::Object(bundle)))
            }
            Err(Error::SubprocessTerminated(reason)) => Err(self.lost(&reason, &end)),
            Err(_) if self.shared.phase.is_interrupted() => Err(CellStatus::Interrupted(
                outcome::interrupted("the command was stopped; all variables are kept"),
            )),
            Err(error) if report.diagnostics.is_empty() || super::is_full(&report) => {
                Err(CellStatus::Error(self.place_error(&error, &report)))
            }
            Err(_) => {
                let source = CellSource::new(0, line);
                let generated = Generated::default();
                let map = SourceMap::new(&report.source, &source, &generated, &[]);
                Err(CellStatus::Error(render::compile_error(
                    &render::Diagnostic::read(&report.diagnostics, |_| false),
                    &map,
                    &|_| None,
                )))
            }
        }
    }

    fn pass_on(&mut self, line: &str, is_last: bool) -> CellStatus {
        match self.ask_evcxr(line) {
            Ok(said) => {
                if let Some(bundle) = said {
                    self.say_bundle(bundle, is_last);
                }
                if line.starts_with(":dep") {
                    self.shared.help.learn(line);
                }
                CellStatus::Ok
            }
            Err(status) => status,
        }
    }

    /// A setting of evcxr's, which outlives it: [`Self::set_again`].
    fn set(&mut self, command: &commands::Command, argument: &str, is_last: bool) -> CellStatus {
        let fits = match command.name {
            ":opt" => argument.is_empty() || ["0", "1", "2", "3"].contains(&argument),
            ":build_env" => argument
                .split_once('=')
                .is_some_and(|(name, _)| !name.trim().is_empty()),
            _ => ["0", "1"].contains(&argument),
        };
        if !fits {
            return CellStatus::Error(usage(command, argument));
        }
        let line = format!("{} {argument}", command.name);
        let said = match self.ask_evcxr(line.trim()) {
            Ok(said) => said,
            Err(status) => return status,
        };
        if let Some(said) = said {
            let chosen = said["text/plain"].as_str().unwrap_or_default();
            let chosen = chosen.rsplit(": ").next().unwrap_or_default().to_owned();
            let again = if argument.is_empty() {
                format!("{} {chosen}", command.name)
            } else {
                line
            };
            self.settings.remember(again);
            self.say_bundle(said, is_last);
        }
        CellStatus::Ok
    }

    /// Tells an evcxr that has just started what was set before.
    pub(super) fn set_again(&mut self) {
        for line in self.settings.remembered().to_vec() {
            if let Some((context, _)) = &mut self.context {
                // It was accepted once.
                let _ = context.execute(&line);
            }
        }
    }

    fn show_dependencies(&mut self, is_last: bool) -> CellStatus {
        match self.ask_evcxr(":show_deps") {
            Ok(said) => {
                let said = said.unwrap_or_default();
                let lines = said["text/plain"].as_str().unwrap_or_default().lines();
                // The library is always there; nobody has added it.
                let added: Vec<&str> = lines.filter(|line| !line.starts_with("swath = ")).collect();
                if !added.is_empty() {
                    self.say(&added.join("\n"), is_last);
                }
                CellStatus::Ok
            }
            Err(status) => status,
        }
    }

    /// Another process for the cells, and with it none of the variables.
    fn restart(&mut self, is_last: bool) -> CellStatus {
        if let Err(status) = self.ask_evcxr(":restart") {
            return status;
        }
        self.channel.forget_child();
        self.items.forget_state();
        self.shared.phase.end_programs();
        self.note_folder();
        for name in self.shared.table().clear() {
            let reason = format!("`{name}` was dropped by `:restart`");
            self.departed.insert(name, reason);
        }
        self.say("Child process restarted", is_last);
        CellStatus::Ok
    }

    fn toolchain(&self) -> String {
        format!("Toolchain: {}", self.options.toolchain.display())
    }

    fn variables(&self) -> String {
        let table = self.shared.table();
        table.iter().fold(String::new(), |text, variable| {
            let mutable = if variable.mutable { "mut " } else { "" };
            format!("{text}{mutable}{}: {}\n", variable.name, variable.type_name)
        })
    }

    fn type_of(&self, command: &commands::Command, name: &str) -> Result<String, ErrorReport> {
        if name.is_empty() {
            return Err(usage(command, name));
        }
        let table = self.shared.table();
        if let Some(variable) = table.get(name) {
            return Ok(format!(
                "{name}: {}",
                swath_link::types::short_type(&variable.type_name)
            ));
        }
        let known: Vec<String> = table
            .iter()
            .map(|variable| format!("`{}`", variable.name))
            .collect();
        let known = if known.is_empty() {
            "there are none".to_owned()
        } else {
            format!("there are {}", known.join(", "))
        };
        let reason = self.departed.get(name).cloned();
        Err(refusal(
            &reason.unwrap_or_else(|| format!("there is no variable `{name}`; {known}")),
            "`:type` knows variables; `?name` explains any name, and `:types` writes the type before each value",
        ))
    }

    /// The errors of the last cell that did not compile.
    fn last_errors(&self) -> Result<&[String], ErrorReport> {
        if self.last_errors.is_empty() {
            return Err(refusal("the last cell had no errors of the compiler", ""));
        }
        Ok(&self.last_errors)
    }

    fn explain(&self) -> Result<String, ErrorReport> {
        let mut explained: Vec<String> = Vec::new();
        for error in self.last_errors()? {
            let error: Value = serde_json::from_str(error).unwrap_or_default();
            if let Some(text) = error["code"]["explanation"].as_str()
                && !explained.iter().any(|known| known == text)
            {
                explained.push(text.to_owned());
            }
        }
        if explained.is_empty() {
            return Err(refusal(
                "the compiler has no explanation of the last cell's errors",
                "",
            ));
        }
        Ok(explained.join("\n"))
    }

    fn last_error_json(&self) -> Result<String, ErrorReport> {
        let mut text = String::new();
        for error in self.last_errors()? {
            let _ = writeln!(text, "{error}");
        }
        Ok(text)
    }
}
