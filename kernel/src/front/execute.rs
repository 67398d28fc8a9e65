//! The queue of cells: one runs at a time; after an error those that wait are aborted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jupyter_protocol::{ErrorOutput, ExecuteInput, ExecuteRequest, ExecutionCount, ExecutionState};
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;

use super::built_ins::{self, Outcome, failure};
use super::kernel::Kernel;
use super::outputs::{Captured, CellOutput, Mode, Stream};
use super::startup;
use crate::eval::{CellStatus, ErrorReport, ExecuteOptions};
use crate::magics::{self, Step};
use crate::wire::message::{Message, encoded};
use crate::wire::messages::{ErrorReply, ExecuteReply, ExpressionResult, reply_error};
use crate::wire::request;
use crate::wire::router::Replies;

/// Requests that were sent before an error was told may still be on their way through the socket.
const ABORT_GRACE: Duration = Duration::from_millis(5);

/// Runs cells in the order of their requests.
pub(crate) async fn run_queue(
    kernel: Arc<Kernel>,
    mut queue: UnboundedReceiver<(Message, Replies)>,
) {
    while let Some((message, replies)) = queue.recv().await {
        let message = Arc::new(message);
        *kernel.running() = Some(message.clone());
        kernel.set_interrupted(false);
        kernel.iopub.status(ExecutionState::Busy, Some(&message));
        let (content, abort) = match read_request(&message) {
            Ok(request) => {
                let (reply, abort) = run_cell(&kernel, &message, &request).await;
                (encoded(&reply), abort)
            }
            Err(reason) => (encoded(&ErrorReply::new("BadRequest", &reason)), false),
        };
        let mut aborted = Vec::new();
        if abort {
            // Before the reply: what comes later was sent by somebody who knows of the error.
            tokio::time::sleep(ABORT_GRACE).await;
            while let Ok(waiting) = queue.try_recv() {
                aborted.push(waiting);
            }
        }
        *kernel.running() = None;
        replies.reply("execute_reply", &message, &content);
        kernel.idle(&message);
        for (request, replies) in aborted {
            kernel.with_status(&request, || {
                replies.reply("execute_reply", &request, &ExecuteReply::Aborted);
            });
        }
    }
}

fn read_request(message: &Message) -> Result<ExecuteRequest, String> {
    request::read(
        message,
        json!({ "silent": false, "store_history": true, "user_expressions": {}, "allow_stdin": false, "stop_on_error": true }),
    )
}

/// Runs one cell; returns the reply and whether the cells that wait are to be aborted.
async fn run_cell(
    kernel: &Arc<Kernel>,
    message: &Arc<Message>,
    request: &ExecuteRequest,
) -> (ExecuteReply, bool) {
    let store = request.store_history && !request.silent && !request.code.trim().is_empty();
    let count = if store {
        kernel.execution_count.fetch_add(1, Ordering::SeqCst) + 1
    } else {
        kernel.execution_count.load(Ordering::SeqCst)
    };
    let mode = if request.silent {
        Mode::Discard
    } else {
        Mode::Publish
    };
    kernel
        .outputs
        .begin(message.clone(), count, mode, request.allow_stdin);
    if !request.silent {
        kernel.outputs.publish(&ExecuteInput {
            code: request.code.clone(),
            execution_count: ExecutionCount::new(count as usize),
        });
    }
    if store {
        kernel.history.store(count, &request.code);
    }
    let started = std::time::Instant::now();
    if kernel.is_first_cell() {
        startup::before_first_cell(kernel).await;
    }
    if !request.silent {
        startup::tell_notes(kernel);
    }
    let ended = run_steps(kernel, &request.code, request.silent).await;
    if kernel.preferences().timing && !request.silent {
        let took = format!("took {:.3} s\n", started.elapsed().as_secs_f64());
        kernel.outputs.write(Stream::Stdout, &took);
    }
    // A question whose cell died is no longer asked.
    kernel.stdin.answer(None);
    match ended {
        Ok(payload) => {
            let user_expressions = user_expressions(kernel, request).await;
            if let (Some(output), true) = (kernel.outputs.finish(), store) {
                kernel.history.store_output(count, &output);
            }
            let reply = ExecuteReply::Ok {
                execution_count: count,
                payload,
                user_expressions,
            };
            (reply, false)
        }
        Err(error) => {
            let error = reply_error(&error);
            kernel.outputs.publish(&ErrorOutput {
                ename: error.ename.clone(),
                evalue: error.evalue.clone(),
                traceback: error.traceback.clone(),
            });
            kernel.outputs.finish();
            let reply = ExecuteReply::Error {
                error,
                execution_count: count,
                payload: Vec::new(),
                user_expressions: BTreeMap::new(),
            };
            (reply, request.stop_on_error)
        }
    }
}

/// Runs the steps of a cell until one fails.
async fn run_steps(kernel: &Kernel, code: &str, silent: bool) -> Outcome {
    let search_path = kernel
        .shell
        .variables()
        .remove(std::ffi::OsStr::new("PATH"));
    let steps = magics::plan(
        code,
        &magics::Surroundings {
            knows: &|name| kernel.engine.knows(name),
            type_of: &|name| {
                let variables = kernel.engine.variables();
                let found = variables.into_iter().find(|variable| variable.name == name);
                found.map(|variable| variable.type_name)
            },
            search_path: &search_path.unwrap_or_default(),
        },
    )?;
    for step in &steps {
        if let Step::Rust(code) = step {
            crate::parse::check(code)?;
        }
    }
    let written: Arc<str> = magics::without_marks_of_editors(code).into();
    let last = steps.len().saturating_sub(1);
    let mut payload = Vec::new();
    for (index, step) in steps.into_iter().enumerate() {
        if kernel.is_interrupted() {
            return Err(failure("KeyboardInterrupt", "the cell was interrupted", ""));
        }
        // After a step that gave the cells another process, and before the first.
        replay(kernel).await;
        match step {
            // Only the last expression of a cell is shown.
            Step::Rust(code) => {
                let ended =
                    execute(kernel, code.clone(), Some(&written), silent || index < last).await;
                ended.map_err(|error| about_negation(error, &code))?;
            }
            Step::Command(command, argument) => {
                let is_last = !silent && index == last;
                payload.extend(
                    Box::pin(super::commands::run(kernel, command, &argument, is_last)).await?,
                );
            }
            Step::Shell(command) => execute_shell(kernel, "sh", &command, false).await?,
            Step::Help(name, detail) => {
                payload.extend(built_ins::help(kernel, &name, detail).await?);
            }
            Step::Builtin {
                builtin,
                line,
                body,
            } => {
                // `%%capture` runs a cell within the cell.
                payload.extend(
                    Box::pin(built_ins::run(kernel, builtin, &line, body.as_deref())).await?,
                );
            }
        }
    }
    Ok(payload)
}

/// A name that is not there may have been meant as a program that is not there either.
fn about_negation(mut error: ErrorReport, code: &str) -> ErrorReport {
    if error.ename == "E0425"
        && let Some(program) = magics::misread_negation(code)
    {
        error.traceback.push(format!(
            "note: `!{program}` was taken for Rust, since there is no program `{program}` on the search path"
        ));
    }
    error
}

/// Runs Rust that stands for the cell `written`.
async fn execute(
    kernel: &Kernel,
    code: String,
    written: Option<&Arc<str>>,
    silent: bool,
) -> Result<(), ErrorReport> {
    let cell = kernel.execution_count.load(Ordering::SeqCst);
    let renews = renews_process(&code);
    let options = ExecuteOptions {
        silent,
        cell,
        written: written.cloned(),
    };
    let status = kernel.engine.execute(code, options).await;
    kernel.follow_cells();
    if renews {
        kernel.need_replay();
    }
    match status {
        Ok(CellStatus::Ok) => Ok(()),
        Ok(CellStatus::Error(error))
            if error.ename == "Panic" && !kernel.preferences().preserve_variables =>
        {
            Err(without_variables(kernel, error, cell).await)
        }
        Ok(CellStatus::Error(error) | CellStatus::Interrupted(error)) => Err(error),
        Ok(CellStatus::Lost(error)) => {
            kernel.need_replay();
            Err(error)
        }
        Err(_) => Err(failure(
            "EngineGone",
            "the engine has ended: restart the kernel",
            "",
        )),
    }
}

/// Whether a step gives the cells another process, which lacks what `%cd` and `%env` did.
fn renews_process(code: &str) -> bool {
    code.lines()
        .filter_map(crate::commands::parse)
        .any(|(name, _)| [":clear", ":restart"].contains(&name))
}

/// What `:preserve_vars_on_panic 0` asks for.
async fn without_variables(kernel: &Kernel, mut error: ErrorReport, cell: u32) -> ErrorReport {
    let options = ExecuteOptions {
        silent: true,
        cell,
        written: None,
    };
    let before = kernel.outputs.set_mode(Mode::Discard);
    let restarted = kernel.engine.execute(":restart".to_owned(), options).await;
    kernel.outputs.set_mode(before);
    kernel.need_replay();
    error.traceback.push(match restarted {
        Ok(CellStatus::Ok) => {
            "note: all variables were dropped, as `:preserve_vars_on_panic 0` says".to_owned()
        }
        _ => "note: the variables could not be dropped: restart the kernel".to_owned(),
    });
    error
}

/// Runs the steps of a startup file: what it prints is shown when `says`, its last value is not.
pub(crate) async fn run_silently(
    kernel: &Kernel,
    code: &str,
    says: bool,
) -> Result<(), ErrorReport> {
    let before = if says {
        None
    } else {
        Some(kernel.outputs.set_mode(Mode::Discard))
    };
    let ended = Box::pin(run_steps(kernel, code, true)).await;
    if let Some(before) = before {
        kernel.outputs.set_mode(before);
    }
    ended.map(drop)
}

/// Runs Rust that a magic needs, showing nothing.
pub(crate) async fn execute_rust(kernel: &Kernel, code: &str) -> Result<(), ErrorReport> {
    execute(kernel, code.to_owned(), None, true).await
}

/// Runs a shell command; a status other than 0 is an error for scripts (`must_succeed`), a note for `!command`.
pub(crate) async fn execute_shell(
    kernel: &Kernel,
    program: &str,
    script: &str,
    must_succeed: bool,
) -> Result<(), ErrorReport> {
    let output = Arc::new(CellOutput(kernel.outputs.clone()));
    let status = kernel.shell.run(program, script, output).await;
    let status = status.map_err(|error| {
        failure(
            "ShellError",
            &format!("{program} cannot be run: {error}"),
            "",
        )
    })?;
    if kernel.is_interrupted() {
        return Err(failure(
            "KeyboardInterrupt",
            "the command was interrupted",
            "",
        ));
    }
    if status.success() {
        return Ok(());
    }
    if must_succeed {
        return Err(failure(
            "ShellError",
            &format!("the script ended with {status}"),
            "",
        ));
    }
    kernel
        .outputs
        .write(Stream::Stderr, &format!("[{status}]\n"));
    Ok(())
}

/// Runs a cell and keeps its outputs from the front end.
pub(crate) async fn run_captured(
    kernel: &Kernel,
    code: &str,
) -> (Captured, Result<(), ErrorReport>) {
    run_kept(kernel, code, Mode::Capture).await
}

async fn run_kept(kernel: &Kernel, code: &str, mode: Mode) -> (Captured, Result<(), ErrorReport>) {
    let before = kernel.outputs.set_mode(mode);
    let ended = run_steps(kernel, code, false).await;
    let captured = kernel.outputs.take_captured();
    kernel.outputs.set_mode(before);
    (captured, ended.map(drop))
}

async fn user_expressions(
    kernel: &Kernel,
    request: &ExecuteRequest,
) -> BTreeMap<String, ExpressionResult> {
    let mut values = BTreeMap::new();
    for (name, expression) in request.user_expressions.iter().flatten() {
        // What it prints is text of the cell, as in IPython; what threads print meanwhile is as well.
        let (captured, ended) = run_kept(kernel, expression, Mode::KeepResult).await;
        let value = match ended {
            Ok(()) => {
                let (data, metadata) = captured.result.unwrap_or_default();
                ExpressionResult::Ok { data, metadata }
            }
            Err(error) => ExpressionResult::Error(reply_error(&error)),
        };
        values.insert(name.clone(), value);
    }
    values
}

/// Gives a new process of cells the folder and the variables that the lost one had.
async fn replay(kernel: &Kernel) {
    if !kernel.take_replay() {
        return;
    }
    let mut code: String = kernel
        .shell
        .changed_variables()
        .iter()
        .map(|(name, value)| built_ins::variable_code(name, value.as_deref()) + "\n")
        .collect();
    if kernel.folder_changed()
        && let Ok(folder) = std::env::current_dir()
    {
        code += &built_ins::folder_code(&folder);
    }
    if !code.is_empty()
        && let Err(error) = execute_rust(kernel, &code).await
    {
        crate::log::warn(&format!(
            "the environment of the cells was not restored: {}",
            error.evalue
        ));
    }
}
