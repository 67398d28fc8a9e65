//! Runs a notebook from its first cell to its last.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use swath_cli::RunArguments;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::client::{Channel, Client, Heard, is_about};
use super::narrator::{Narrator, duration, plain};
use super::notebook::Notebook;
use super::parameters;
use super::recorder::Recorder;

/// A cell failed, or a file cannot be used.
const FAILED: u8 = 1;
/// The command line was not understood.
const NOT_UNDERSTOOD: u8 = 2;
/// The kernel ended by itself.
const KERNEL_ENDED: u8 = 3;
/// The outputs of a cell that runs long are saved so often.
const SAVE_EVERY: Duration = Duration::from_secs(15);

/// How a run ended early.
enum End {
    /// A cell failed.
    Cell,
    /// The kernel is gone.
    Kernel,
    /// A signal of this number came.
    Stopped(i32),
    /// The notebook cannot be saved, for instance.
    Failed(String),
}

/// Runs the notebook that the arguments name; the exit code.
pub(crate) fn run(arguments: &RunArguments) -> u8 {
    let mut narrator = Narrator::new(&arguments.log, arguments.quiet);
    let began = Instant::now();
    let code = match prepare(arguments) {
        Err((code, reason)) => {
            narrator.fail(
                "error",
                &format!("error: {reason}"),
                json!({ "message": reason }),
            );
            code
        }
        Ok(job) => {
            // This process waits for one kernel: a thread is enough.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(job.run(&mut narrator)),
                Err(error) => {
                    let reason = format!("the run cannot start: {error}");
                    narrator.fail(
                        "error",
                        &format!("error: {reason}"),
                        json!({ "message": reason }),
                    );
                    FAILED
                }
            }
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    narrator.tell("end", "", json!({ "exit_code": code, "seconds": seconds }));
    code
}

/// Where the notebook with its outputs goes.
fn out(arguments: &RunArguments) -> PathBuf {
    match (&arguments.out, arguments.in_place) {
        (Some(out), _) => out.clone(),
        (None, true) => arguments.notebook.clone(),
        (None, false) => arguments.notebook.with_extension("out.ipynb"),
    }
}

fn prepare(arguments: &RunArguments) -> Result<Job, (u8, String)> {
    let path = &arguments.notebook;
    let mut notebook = Notebook::read(path).map_err(|reason| (FAILED, reason))?;
    if let Some(language) = notebook.language().filter(|language| language != "rust") {
        return Err((
            FAILED,
            format!(
                "the notebook is in {language}, expected Rust: {}",
                path.display()
            ),
        ));
    }
    let mut values: Vec<(String, Value)> = Vec::new();
    let typed = arguments
        .parameters
        .iter()
        .map(|(name, text)| (name, parameters::value(text)));
    let raw = arguments
        .raw
        .iter()
        .map(|(name, text)| (name, Value::from(text.as_str())));
    for (name, value) in typed.chain(raw) {
        if values.iter().any(|(there, _)| there == name) {
            return Err((
                NOT_UNDERSTOOD,
                format!("the parameter {name} is given twice"),
            ));
        }
        values.push((name.clone(), value));
    }
    let note =
        parameters::inject(&mut notebook, &values).map_err(|reason| (NOT_UNDERSTOOD, reason))?;
    let folder = match &arguments.cwd {
        Some(folder) => folder.clone(),
        None => path
            .parent()
            .filter(|it| !it.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned(),
    };
    let folder = folder.canonicalize().map_err(|error| {
        (
            FAILED,
            format!("the cells cannot run in {}: {error}", folder.display()),
        )
    })?;
    for cell in notebook.cells.iter_mut().filter(|cell| cell.is_code()) {
        cell.clear();
    }
    Ok(Job {
        out: out(arguments),
        notebook,
        recorder: Recorder::default(),
        folder,
        note,
        keep_going: arguments.keep_going,
        cells_died: false,
        saved: Instant::now(),
        changed: false,
    })
}

/// A run.
struct Job {
    notebook: Notebook,
    recorder: Recorder,
    out: PathBuf,
    folder: PathBuf,
    note: Option<String>,
    keep_going: bool,
    /// Whether the process of the cells has ended by itself, with all variables.
    cells_died: bool,
    saved: Instant,
    changed: bool,
}

/// The signals that ask a run to stop.
struct Signals([(i32, Option<Signal>); 3]);

impl Signals {
    fn new() -> Self {
        Self(
            [libc::SIGINT, libc::SIGTERM, libc::SIGUSR1]
                .map(|number| (number, signal(SignalKind::from_raw(number)).ok())),
        )
    }

    /// The number of the next one.
    async fn next(&mut self) -> i32 {
        let [(one, first), (two, second), (three, third)] = &mut self.0;
        async fn of(signal: &mut Option<Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = of(first) => *one,
            () = of(second) => *two,
            () = of(third) => *three,
        }
    }
}

impl Job {
    async fn run(mut self, narrator: &mut Narrator) -> u8 {
        let cells = self.notebook.code_cells();
        let out = self.out.display().to_string();
        if let Err(reason) = self.save() {
            narrator.fail(
                "error",
                &format!("error: {reason}"),
                json!({ "message": reason }),
            );
            return FAILED;
        }
        narrator.tell(
            "start",
            &format!("{} cells, into {out}", cells.len()),
            json!({ "out": self.out, "cells": cells.len(), "folder": self.folder }),
        );
        if let Some(note) = self.note.take() {
            narrator.tell("notice", &note, json!({ "message": note }));
        }
        let mut signals = Signals::new();
        let started = tokio::select! {
            started = Client::start(&self.folder) => started,
            number = signals.next() => {
                narrator.fail("stopped", "stopped before the kernel answered", json!({ "signal": number }));
                return stopped(number);
            }
        };
        let mut client = match started {
            Ok(client) => client,
            Err(reason) => {
                narrator.fail(
                    "error",
                    &format!("error: {reason}"),
                    json!({ "message": reason }),
                );
                return KERNEL_ENDED;
            }
        };
        let mut failed = 0_usize;
        let mut end = None;
        for (number, cell) in cells.iter().copied().enumerate() {
            let name = format!("[{}/{}]", number + 1, cells.len());
            if self.notebook.cells[cell].has_tag("skip-execution") {
                narrator.tell(
                    "cell",
                    &format!("{name} skipped: its tag says so"),
                    json!({ "number": number + 1, "of": cells.len(), "status": "skipped" }),
                );
                continue;
            }
            match self
                .cell(
                    &mut client,
                    &mut signals,
                    narrator,
                    cell,
                    &name,
                    (number + 1, cells.len()),
                )
                .await
            {
                Ok(()) => {}
                Err(End::Cell) if self.keep_going => failed += 1,
                Err(why) => {
                    failed += usize::from(matches!(why, End::Cell));
                    end = Some(why);
                    break;
                }
            }
        }
        let saved = self.notebook.write(&self.out);
        match &end {
            Some(End::Kernel) => client.kill().await,
            _ => client.shut_down().await,
        }
        let code = match end {
            Some(End::Kernel) => KERNEL_ENDED,
            Some(End::Stopped(number)) => stopped(number),
            Some(End::Failed(reason)) => {
                narrator.fail(
                    "error",
                    &format!("error: {reason}"),
                    json!({ "message": reason }),
                );
                FAILED
            }
            Some(End::Cell) | None if self.cells_died => KERNEL_ENDED,
            Some(End::Cell) | None if failed > 0 => FAILED,
            Some(End::Cell) | None => 0,
        };
        if let Err(reason) = saved {
            narrator.fail(
                "error",
                &format!("error: {reason}"),
                json!({ "message": reason }),
            );
            return code.max(FAILED);
        }
        let text = match (code, failed) {
            (0, _) => format!("done: {out}"),
            (_, 0) => format!("not done, the outputs so far: {out}"),
            (_, 1) => format!("a cell failed; its error and the outputs: {out}"),
            (_, failed) => format!("{failed} cells failed; their errors and the outputs: {out}"),
        };
        narrator.tell(
            "file",
            &text,
            json!({ "path": self.out, "failed_cells": failed }),
        );
        code
    }

    /// Writes the outputs so far. What is no file, such as a pipe, cannot be written anew: it gets the whole notebook at the end.
    fn save(&mut self) -> Result<(), String> {
        self.saved = Instant::now();
        self.changed = false;
        match self.out.metadata() {
            Ok(there) if !there.is_file() => Ok(()),
            _ => self.notebook.write(&self.out),
        }
    }

    /// Runs a cell and records what it shows.
    async fn cell(
        &mut self,
        client: &mut Client,
        signals: &mut Signals,
        narrator: &mut Narrator,
        cell: usize,
        name: &str,
        (number, of): (usize, usize),
    ) -> Result<(), End> {
        let source = self.notebook.cells[cell].source();
        let title = title(&source);
        let began = Instant::now();
        narrator.tell(
            "cell",
            &format!("{name} {title}"),
            json!({ "number": number, "of": of, "cell": cell, "status": "running", "source": title }),
        );
        self.recorder.begin(&mut self.notebook, cell);
        let request = client.execute(&source).await.map_err(End::Failed)?;
        let (mut reply, mut idle) = (None, false);
        let mut stopped_by = None;
        let mut latest = String::new();
        // What the error of the cell says is that of the run.
        let mut error = None;
        while reply.is_none() || !idle {
            let due = narrator.due();
            let save_at = self.changed.then(|| self.saved + SAVE_EVERY);
            let heard = tokio::select! {
                heard = client.next() => heard,
                number = signals.next() => {
                    if stopped_by.is_some() {
                        return Err(End::Stopped(number));
                    }
                    stopped_by = Some(number);
                    narrator.tell("stopping", &format!("{name} interrupted by signal {number}"), json!({ "signal": number, "number": number }));
                    client.request(Channel::Control, "interrupt_request", &json!({})).await.map_err(End::Failed)?;
                    continue;
                }
                () = until(due) => {
                    let took = began.elapsed();
                    let text = format!("{name} {} {latest}", duration(took));
                    narrator.tell("progress", text.trim_end(), json!({ "number": number, "of": of, "seconds": took.as_secs_f64(), "text": latest }));
                    continue;
                }
                () = until(save_at) => {
                    self.save().map_err(End::Failed)?;
                    continue;
                }
            };
            let (channel, message) = match heard {
                Heard::Message(channel, message) => (channel, message),
                Heard::Ended(how) => {
                    let reason = format!("the kernel ended by itself ({how})");
                    self.recorder
                        .remark(&mut self.notebook, &format!("swath run: {reason}\n"));
                    narrator.fail(
                        "error",
                        &format!("{name} error: {reason}"),
                        json!({ "number": number, "message": reason }),
                    );
                    return Err(End::Kernel);
                }
            };
            match (channel, message.msg_type()) {
                (Channel::Shell, "execute_reply") if is_about(&message, &request) => {
                    reply = Some(message.content);
                }
                (Channel::Stdin, "input_request") => {
                    let prompt = message
                        .content
                        .get("prompt")
                        .and_then(Value::as_str)
                        .unwrap_or_default();
                    let text = format!(
                        "swath run: the cell asks for a line ({prompt:?}), and nobody can answer\n"
                    );
                    self.recorder.remark(&mut self.notebook, &text);
                    self.changed = true;
                    narrator.tell(
                        "notice",
                        &format!("{name} {}", text.trim_end()),
                        json!({ "number": number, "message": text.trim_end() }),
                    );
                    // A reply without a value that says so: the kernel tells the cell that there is none.
                    let content = json!({ "status": "error", "ename": "NoStdin", "evalue": "nobody can answer" });
                    client
                        .request(Channel::Stdin, "input_reply", &content)
                        .await
                        .map_err(End::Failed)?;
                }
                (Channel::Iopub, kind) => {
                    let is_own = is_about(&message, &request);
                    idle |= is_own
                        && kind == "status"
                        && message
                            .content
                            .get("execution_state")
                            .and_then(Value::as_str)
                            == Some("idle");
                    if kind == "error" && is_own {
                        error = Some(message.content.clone());
                    }
                    // What threads of earlier cells show names their request, and belongs to the running cell here.
                    if self
                        .recorder
                        .accept(&mut self.notebook, kind, &message.content)
                    {
                        self.changed = true;
                        if let Some(text) = last_line(&message.content) {
                            latest = text;
                        }
                    }
                }
                _ => {}
            }
        }
        self.save().map_err(End::Failed)?;
        let took = began.elapsed();
        let reply = reply.unwrap_or_default();
        let status = reply
            .get("status")
            .and_then(Value::as_str)
            .unwrap_or("error");
        let facts = |status: &str| json!({ "number": number, "of": of, "cell": cell, "status": status, "seconds": took.as_secs_f64() });
        if let Some(number) = stopped_by {
            narrator.tell(
                "cell",
                &format!("{name} stopped after {}", duration(took)),
                facts("stopped"),
            );
            return Err(End::Stopped(number));
        }
        if status == "ok" {
            narrator.tell(
                "cell",
                &format!("{name} done in {}", duration(took)),
                facts("ok"),
            );
            return Ok(());
        }
        narrator.tell(
            "cell",
            &format!("{name} failed after {}", duration(took)),
            facts("error"),
        );
        let error = error.unwrap_or(reply);
        if self.notebook.cells[cell].has_tag("raises-exception") {
            return Ok(());
        }
        let traceback = error.get("traceback").and_then(Value::as_array);
        let traceback: Vec<&str> = traceback
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let part = |key: &str| error.get(key).and_then(Value::as_str).unwrap_or_default();
        let text = match traceback.is_empty() {
            true => format!("{}: {}", part("ename"), part("evalue")),
            false => traceback.join("\n"),
        };
        self.cells_died |= part("ename") == "ChildDied";
        narrator.fail(
            "error",
            &format!("{name} {text}"),
            json!({ "number": number, "cell": cell, "ename": part("ename"), "evalue": plain(part("evalue")), "traceback": plain(&text) }),
        );
        Err(End::Cell)
    }
}

/// Waits until then; for ever where there is no such time.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}

/// The exit code of a run that a signal has stopped, as shells have it.
fn stopped(number: i32) -> u8 {
    u8::try_from(128 + number).unwrap_or(FAILED)
}

/// The first line of a cell that says something.
fn title(source: &str) -> String {
    let says = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    let line = source.lines().find(says).or(source.lines().next());
    let line = line.unwrap_or_default().trim();
    let mut short: String = line.chars().take(72).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

/// What a message shows, in a line: of a live view, the last thing that it says.
fn last_line(content: &Value) -> Option<String> {
    let text = match content.get("text") {
        Some(text) => text.as_str(),
        None => content.get("data")?.get("text/plain")?.as_str(),
    }?;
    // A live view says first where it is, and then how to stop it.
    let line = match content.get("text") {
        Some(_) => text
            .rsplit(['\n', '\r'])
            .find(|line| !line.trim().is_empty())?,
        None => text.lines().find(|line| !line.trim().is_empty())?,
    };
    let line = plain(line.trim());
    let mut short: String = line.chars().take(160).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    Some(short)
}
