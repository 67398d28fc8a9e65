//! Drives an engine with the real programs and the real library: one session is one engine, in a process of its own
//! ([`crate::trial`]), with its child.

use std::io::{BufRead, BufReader, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::trial;

/// Longer than anything a loaded machine needs for one cell.
const PATIENCE: Duration = Duration::from_secs(240);

pub(crate) struct Session {
    child: Child,
    requests: UnixStream,
    events: Receiver<Value>,
}

/// What one cell has shown and how it ended.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) status: String,
    pub(crate) ename: String,
    pub(crate) evalue: String,
    pub(crate) traceback: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) result: Option<Value>,
    pub(crate) milliseconds: u64,
    /// All events in order, texts joined: `stdout:…`, `display`, `result`…
    pub(crate) order: Vec<String>,
}

impl Ran {
    pub(crate) fn plain(&self) -> &str {
        self.result
            .as_ref()
            .and_then(|bundle| bundle["text/plain"].as_str())
            .unwrap_or_default()
    }

    /// The result's text of a cell that must have ended well.
    #[track_caller]
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(self.status, "ok", "{self:#?}");
        self.plain()
    }
}

/// The folder that `scripts/build-dylib.sh` makes.
fn library() -> PathBuf {
    let folder = std::env::var_os("SWATH_LIB_DIR").map_or_else(
        || PathBuf::from(env!("CARGO_BIN_EXE_swath")).with_file_name("lib-swath"),
        PathBuf::from,
    );
    assert!(
        folder.join("libswath.so").exists(),
        "{} is not there: run scripts/build-dylib.sh",
        folder.display()
    );
    folder
}

impl Session {
    pub(crate) fn start(environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("engine");
        let listener = UnixListener::bind(&socket).expect("a socket");
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(trial::ARGUMENTS)
            .env(trial::SOCKET, &socket)
            .env("SWATH_LIB_DIR", library())
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            // The counts of a test that is none.
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let requests = accept(&listener, &mut child);
        let output = BufReader::new(requests.try_clone().expect("a socket"));
        let (sender, events) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let event =
                    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
                if sender.send(event).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            requests,
            events,
        }
    }

    pub(crate) fn send(&mut self, request: &Value) {
        writeln!(self.requests, "{request}").expect("the program reads");
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn event(&mut self) -> Value {
        self.events
            .recv_timeout(PATIENCE)
            .expect("an event in time")
    }

    /// Sends a request and waits for an event of a kind.
    #[track_caller]
    pub(crate) fn ask(&mut self, request: &Value, kind: &str) -> Value {
        self.send(request);
        loop {
            let event = self.event();
            if event["event"] == kind {
                return event;
            }
        }
    }

    #[track_caller]
    pub(crate) fn run(&mut self, code: &str) -> Ran {
        self.send(&json!({ "execute": code }));
        self.end()
    }

    /// Waits for the end of the running cell.
    #[track_caller]
    pub(crate) fn end(&mut self) -> Ran {
        let mut ran = Ran::default();
        loop {
            let event = self.event();
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let kind = text("event");
            match kind.as_str() {
                "stdout" => ran.stdout.push_str(&text("text")),
                "stderr" => ran.stderr.push_str(&text("text")),
                "result" => ran.result = Some(event["bundle"].clone()),
                "status" => {
                    ran.status = text("status");
                    ran.ename = text("ename");
                    ran.evalue = text("evalue");
                    let lines = event["traceback"].as_array().into_iter().flatten();
                    ran.traceback = plain(
                        &lines
                            .filter_map(Value::as_str)
                            .collect::<Vec<_>>()
                            .join("\n"),
                    );
                    ran.milliseconds = event["ms"].as_u64().unwrap_or(0);
                    return ran;
                }
                _ => {}
            }
            match ran.order.last_mut() {
                Some(last) if kind == "stdout" && last.starts_with("stdout:") => {
                    last.push_str(&text("text"));
                }
                _ if kind == "stdout" || kind == "stderr" => {
                    ran.order.push(format!("{kind}:{}", text("text")));
                }
                _ => {
                    let shown = event["bundle"]["text/plain"].as_str().unwrap_or_default();
                    ran.order.push(format!("{kind}:{shown}"));
                }
            }
        }
    }

    /// Ends the program as a kernel is shut down.
    pub(crate) fn close(mut self) -> ExitStatus {
        // The program ends when its input does.
        self.requests.shutdown(Shutdown::Write).expect("it runs");
        self.child.wait().expect("it is a child of this program")
    }

    /// Kills the program, and nothing else.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Name and type of every variable.
    pub(crate) fn variables(&mut self) -> Vec<(String, String)> {
        let answer = self.ask(&json!({ "variables": true }), "variables");
        let variables = answer["variables"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        variables
            .iter()
            .map(|variable| (text(&variable["name"]), text(&variable["type"])))
            .collect()
    }

    pub(crate) fn has_variable(&mut self, name: &str) -> bool {
        self.variables()
            .iter()
            .any(|(existing, _)| existing == name)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The connection of a program that has been started.
fn accept(listener: &UnixListener, child: &mut Child) -> UnixStream {
    listener.set_nonblocking(true).expect("a socket");
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).expect("a socket");
                return stream;
            }
            Err(_) => {
                let ended = child.try_wait().expect("it is a child of this program");
                assert!(ended.is_none(), "the engine's process ended: {ended:?}");
                std::thread::sleep(Duration::from_millis(2));
            }
        }
    }
}

/// Text without colors.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\x1b') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    plain + rest
}
