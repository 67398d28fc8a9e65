//! The engine in a process of its own, which the tests drive: it sets variables of its process's environment, so each
//! session starts this test program again, for one test alone, and speaks with it through a socket.
//!
//! One JSON request a line (`{"execute": CODE}`, `{"interrupt": true}`, `{"complete": CODE, "cursor": N}`,
//! `{"inspect": CODE, "cursor": N}`, `{"variables": true}`, `{"reset": true}`), one JSON line for each output, end of
//! cell and answer.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};
use swath_kernel::{CellStatus, Engine, EngineOptions, ExecuteOptions, OutputEvent};

use crate::session::Session;

/// Names the socket of the session to the process that has its engine.
pub(crate) const SOCKET: &str = "SWATH_TEST_ENGINE";
/// What the process is started with: the test below, and nothing else.
pub(crate) const ARGUMENTS: [&str; 4] = [
    "trial::an_engine_in_a_process_of_its_own_runs_cells_and_ends",
    "--exact",
    "--nocapture",
    "--test-threads=1",
];

#[test]
fn an_engine_in_a_process_of_its_own_runs_cells_and_ends() {
    if let Some(socket) = std::env::var_os(SOCKET) {
        // As that process: the other tests see whether it does what it should.
        return serve(Path::new(&socket));
    }
    let mut session = Session::start(&[]);
    assert_eq!(session.run("1 + 1").ok(), "2");
    assert!(session.close().success());
}

fn serve(socket: &Path) {
    // The main thread waits for this test's end meanwhile, and does not look at the environment.
    swath_kernel::mark_environment();
    swath_kernel::prepare_environment();
    let lib_dir = PathBuf::from(std::env::var_os("SWATH_LIB_DIR").expect("a library"));
    let toolchain = std::fs::read_to_string(lib_dir.join("toolchain")).expect("its toolchain");
    let options = EngineOptions {
        program: Some(env!("CARGO_BIN_EXE_swath").into()),
        cell_tool: Some(env!("CARGO_BIN_EXE_swath-cell").into()),
        lib_dir,
        toolchain: toolchain.trim().into(),
        working_dir: std::env::current_dir().expect("a folder"),
    };
    let stream = UnixStream::connect(socket).expect("the test's socket");
    let said = Said(Arc::new(Mutex::new(stream.try_clone().expect("a socket"))));
    let shown = said.clone();
    let engine = Engine::start(options, Box::new(move |event| shown.say(&describe(event))));
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        let request: Value = serde_json::from_str(&line).expect("a request");
        answer(&engine, &request, &said);
    }
    engine.shutdown();
}

/// The way back to the test.
#[derive(Clone)]
struct Said(Arc<Mutex<UnixStream>>);

impl Said {
    fn say(&self, line: &Value) {
        // A test that has ended reads no more.
        let _ = writeln!(self.0.lock().unwrap(), "{line}");
    }
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

/// How many cells have run.
static CELLS: AtomicU32 = AtomicU32::new(0);

/// Does what a request asks for; answers that take time come later.
fn answer(engine: &Engine, request: &Value, said: &Said) {
    let said = said.clone();
    let cursor = request["cursor"]
        .as_u64()
        .and_then(|cursor| usize::try_from(cursor).ok())
        .unwrap_or(0);
    let code = |name: &str| request[name].as_str().map(str::to_owned);
    if let Some(code) = code("execute") {
        let started = Instant::now();
        let silent = request["silent"].as_bool().unwrap_or(false);
        let answer = engine.execute(
            code,
            ExecuteOptions {
                silent,
                cell: CELLS.fetch_add(1, Ordering::Relaxed) + 1,
                written: None,
            },
        );
        std::thread::spawn(move || {
            if let Ok(status) = answer.blocking_recv() {
                said.say(&describe_status(&status, started.elapsed().as_millis()));
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
            said.say(&json!({ "event": "completions", "matches": matches, "range": range }));
        });
    } else if let Some(code) = code("inspect") {
        let answer = engine.inspect(code, cursor, 0);
        std::thread::spawn(move || {
            said.say(
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
        said.say(
            &json!({ "event": "variables", "variables": variables, "busy": engine.is_busy() }),
        );
    } else if request["reset"] == true {
        let reset = engine.reset().blocking_recv();
        let error = reset.unwrap_or_else(|error| Err(error.to_string())).err();
        said.say(&json!({ "event": "reset", "error": error }));
    }
}
