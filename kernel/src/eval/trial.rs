//! A way to drive the engine without Jupyter, for tests and measurements.
//!
//! * `swath eval-cells FILE` runs the cells of a file, separated by `---` lines, and prints what they show and how
//!   long each takes;
//! * `swath eval-cells -` takes one JSON request a line on standard input (`{"execute": CODE}`, `{"interrupt": true}`,
//!   `{"complete": CODE, "cursor": N}`, `{"inspect": CODE, "cursor": N}`, `{"variables": true}`, `{"reset": true}`)
//!   and writes one JSON line for each output, end of cell and answer.
//!
//! `SWATH_LIB_DIR` names the folder that `scripts/build-dylib.sh` made.

#![expect(
    clippy::print_stderr,
    reason = "a command for developers that tells errors where its results are not"
)]

use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};

use super::{CellStatus, Engine, EngineOptions, ExecuteOptions, OutputEvent};

/// Runs the trial when the command line asks for it.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != "eval-cells" {
        return None;
    }
    let file = arguments.next().unwrap_or_else(|| "-".to_owned());
    super::prepare_environment();
    Some(match trial(&file) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("swath eval-cells: {reason}");
            ExitCode::FAILURE
        }
    })
}

fn trial(file: &str) -> Result<(), String> {
    let lib_dir =
        PathBuf::from(std::env::var_os("SWATH_LIB_DIR").ok_or("SWATH_LIB_DIR is not set")?);
    let toolchain = std::fs::read_to_string(lib_dir.join("toolchain")).map_err(|error| {
        format!(
            "{} cannot be read: {error}",
            lib_dir.join("toolchain").display()
        )
    })?;
    let working_dir = std::env::current_dir().map_err(|error| error.to_string())?;
    let options = EngineOptions {
        lib_dir,
        toolchain: toolchain.trim().into(),
        working_dir,
        cell_tool: None,
    };
    let engine = Engine::start(options, Box::new(|event| say(&describe(event))));
    let result = if file == "-" {
        serve(&engine)
    } else {
        run_file(&engine, file)
    };
    engine.shutdown();
    result
}

fn say(line: &Value) {
    let mut output = std::io::stdout().lock();
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}

fn describe(event: OutputEvent) -> Value {
    match event {
        OutputEvent::Stdout(text) => json!({ "event": "stdout", "text": text }),
        OutputEvent::Stderr(text) => json!({ "event": "stderr", "text": text }),
        OutputEvent::Result { bundle, metadata } => {
            json!({ "event": "result", "bundle": bundle, "metadata": metadata })
        }
        OutputEvent::Display {
            bundle,
            metadata,
            id,
        } => {
            json!({ "event": "display", "bundle": bundle, "metadata": metadata, "id": id })
        }
        OutputEvent::Update {
            bundle,
            metadata,
            id,
        } => {
            json!({ "event": "update", "bundle": bundle, "metadata": metadata, "id": id })
        }
        OutputEvent::Clear { wait } => json!({ "event": "clear", "wait": wait }),
        OutputEvent::Input {
            prompt,
            password,
            reply,
        } => {
            // The answer is the question, so that a test sees both.
            let _ = reply.send(Some(prompt.clone()));
            json!({ "event": "input", "prompt": prompt, "password": password })
        }
    }
}

fn describe_status(status: &CellStatus, milliseconds: u128) -> Value {
    let (kind, error) = match status {
        CellStatus::Ok => ("ok", None),
        CellStatus::Error(error) => ("error", Some(error)),
        CellStatus::Interrupted(error) => ("interrupted", Some(error)),
        CellStatus::Lost(error) => ("lost", Some(error)),
    };
    json!({
        "event": "status", "status": kind, "ms": u64::try_from(milliseconds).unwrap_or(u64::MAX),
        "ename": error.map(|error| &error.ename), "evalue": error.map(|error| &error.evalue),
        "traceback": error.map(|error| &error.traceback),
    })
}

fn run_file(engine: &Engine, file: &str) -> Result<(), String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{file} cannot be read: {error}"))?;
    let started = Instant::now();
    let _ = engine
        .execute(String::new(), ExecuteOptions::default())
        .blocking_recv();
    say(
        &json!({ "event": "started", "ms": u64::try_from(started.elapsed().as_millis()).unwrap_or(0) }),
    );
    for (number, cell) in (1..).zip(text.split("\n---\n")) {
        let started = Instant::now();
        let options = ExecuteOptions {
            silent: false,
            cell: number,
            written: None,
        };
        let status = engine
            .execute(cell.to_owned(), options)
            .blocking_recv()
            .map_err(|error| error.to_string())?;
        let mut line = describe_status(&status, started.elapsed().as_millis());
        line["cell"] = cell.trim().lines().last().unwrap_or_default().into();
        if let Some(traceback) = line["traceback"].as_array() {
            let text: Vec<&str> = traceback.iter().filter_map(Value::as_str).collect();
            eprintln!("{}", text.join("\n"));
            line["traceback"] = Value::Null;
        }
        say(&line);
    }
    Ok(())
}

fn serve(engine: &Engine) -> Result<(), String> {
    let mut number = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line.map_err(|error| error.to_string())?;
        let request: Value = serde_json::from_str(&line)
            .map_err(|error| format!("not a request: {line}: {error}"))?;
        let cursor = request["cursor"]
            .as_u64()
            .and_then(|cursor| usize::try_from(cursor).ok())
            .unwrap_or(0);
        let code = |name: &str| request[name].as_str().map(str::to_owned);
        if let Some(code) = code("execute") {
            number += 1;
            let started = Instant::now();
            let silent = request["silent"].as_bool().unwrap_or(false);
            let answer = engine.execute(
                code,
                ExecuteOptions {
                    silent,
                    cell: number,
                    written: None,
                },
            );
            std::thread::spawn(move || {
                if let Ok(status) = answer.blocking_recv() {
                    say(&describe_status(&status, started.elapsed().as_millis()));
                }
            });
        } else if let Some(code) = code("complete") {
            let answer = engine.complete(code, cursor);
            std::thread::spawn(move || {
                let found = answer.blocking_recv().ok().flatten();
                let matches: Option<Vec<Value>> = found.as_ref().map(|found| {
                    found
                        .matches
                        .iter()
                        .map(|it| json!({ "text": it.text, "label": it.label, "kind": it.kind }))
                        .collect()
                });
                let range = found.as_ref().map(|found| (found.start, found.end));
                say(&json!({ "event": "completions", "matches": matches, "range": range }));
            });
        } else if let Some(code) = code("inspect") {
            let answer = engine.inspect(code, cursor, 0);
            std::thread::spawn(move || {
                say(
                    &json!({ "event": "inspection", "bundle": answer.blocking_recv().ok().flatten() }),
                );
            });
        } else if request["interrupt"] == true {
            engine.interrupt();
        } else if request["variables"] == true {
            let variables: Vec<Value> = engine
                .variables()
                .into_iter()
                .map(|it| json!({ "name": it.name, "type": it.type_name, "mutable": it.mutable, "cell": it.cell }))
                .collect();
            say(&json!({ "event": "variables", "variables": variables, "busy": engine.is_busy() }));
        } else if request["reset"] == true {
            let reset = engine.reset().blocking_recv();
            let error = reset.unwrap_or_else(|error| Err(error.to_string())).err();
            say(&json!({ "event": "reset", "error": error }));
        }
    }
    Ok(())
}
