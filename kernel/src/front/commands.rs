//! evcxr's `:commands`, as far as the front process carries them out.

use jupyter_protocol::Payload;
use serde_json::json;

use super::built_ins::{HELP, Outcome, environment, failure, print};
use super::inspect::look_up;
use super::kernel::Kernel;
use super::startup;
use crate::commands::{self, FrontCommand};
use crate::eval::{ErrorReport, MimeBundle, OutputEvent};

/// What ends `jupyter console`, as `exit` does with ipykernel. Other front ends leave it alone.
fn ask_exit() -> Payload {
    Payload::AskExit { keepkernel: false }
}

const HOW_TO_QUIT: &str = "`jupyter console` ends now. A notebook's kernel goes on: shut it down with Kernel > Shut Down Kernel.";

fn usage(name: &str, found: &str) -> ErrorReport {
    let written = commands::find(name).map_or_else(|| name.to_owned(), commands::Command::written);
    let found = if found.is_empty() {
        "nothing".to_owned()
    } else {
        format!("{found:?}")
    };
    failure(
        "UsageError",
        &format!("`{name}` does not take {found}"),
        &format!("usage: {written}"),
    )
}

/// Carries out one command. What it prints is the cell's result when nothing follows it in the cell (`is_last`).
pub(crate) async fn run(
    kernel: &Kernel,
    command: FrontCommand,
    argument: &str,
    is_last: bool,
) -> Outcome {
    match command {
        FrontCommand::Doc => documentation(kernel, argument, is_last).await?,
        FrontCommand::Env => {
            let Some((name, value)) = argument.split_once('=') else {
                return Err(usage(":env", argument));
            };
            environment(kernel, argument).await?;
            say(
                kernel,
                &format!("Set {}={}", name.trim(), value.trim()),
                is_last,
            );
        }
        FrontCommand::LoadConfig => {
            let quiet = match argument {
                "" => false,
                "--quiet" => true,
                _ => return Err(usage(":load_config", argument)),
            };
            startup::load(kernel, quiet).await;
            startup::tell_notes(kernel);
        }
        FrontCommand::PreserveVariables => {
            let preserve = match argument {
                "0" => false,
                "1" => true,
                _ => return Err(usage(":preserve_vars_on_panic", argument)),
            };
            kernel.preferences().preserve_variables = preserve;
            say(
                kernel,
                &format!("Preserve vars on panic: {preserve}"),
                is_last,
            );
        }
        FrontCommand::Quit => {
            print(kernel, HOW_TO_QUIT);
            return Ok(vec![ask_exit()]);
        }
        FrontCommand::Timing => {
            let timing = {
                let mut preferences = kernel.preferences();
                preferences.timing = !preferences.timing;
                preferences.timing
            };
            say(kernel, &format!("Timing: {timing}"), is_last);
        }
    }
    Ok(Vec::new())
}

fn say(kernel: &Kernel, text: &str, is_last: bool) {
    let mut bundle = MimeBundle::new();
    bundle.insert("text/plain".to_owned(), json!(text));
    show(kernel, bundle, is_last);
}

/// Shows what a command says: as the result of the cell, or between its other outputs when something follows.
fn show(kernel: &Kernel, bundle: MimeBundle, is_last: bool) {
    let metadata = MimeBundle::new();
    kernel.outputs.accept(if is_last {
        OutputEvent::Result { bundle, metadata }
    } else {
        OutputEvent::Display {
            bundle,
            metadata,
            id: None,
        }
    });
}

async fn documentation(kernel: &Kernel, name: &str, is_last: bool) -> Result<(), ErrorReport> {
    if name.is_empty() {
        return Err(usage(":doc", name));
    }
    match look_up(kernel, name, name.chars().count(), 0, HELP).await {
        Some(bundle) => {
            show(kernel, bundle, is_last);
            Ok(())
        }
        None => Err(super::built_ins::not_found(kernel, name)),
    }
}
