//! The helping process: an evcxr that runs nothing and whose rust-analyzer completes and inspects.
//!
//! It reads one [`Question`] a line on standard input and writes one [`Reply`] a line on standard output. It is its own
//! process because rust-analyzer takes seconds and hundreds of megabytes: no cell waits for it, and it can be stopped
//! or fail without anybody losing a variable.

use std::collections::VecDeque;
use std::io::{BufRead, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;

use evcxr::CommandContext;
use serde::{Deserialize, Serialize};

use super::assist;
use super::child::{CHILD_ENV, IDLE, LIBRARY_ENV};
use super::evcxr_context;
use super::interface::{Completions, MimeBundle};

/// What the kernel wants.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Takes over items or a command that a cell has run.
    Learn(String),
    /// Completes `code` at `cursor`; `declarations` come before it.
    Complete {
        id: u64,
        declarations: String,
        code: String,
        cursor: usize,
    },
    /// Says what the name at `cursor` is.
    Inspect {
        id: u64,
        declarations: String,
        code: String,
        cursor: usize,
    },
}

/// The answer to the question with the same number; number 0 says that everything is loaded.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) id: u64,
    pub(crate) completions: Option<Completions>,
    pub(crate) bundle: Option<MimeBundle>,
}

/// Answers questions until standard input is closed, and ends the process.
pub(crate) fn run() -> ! {
    // rust-analyzer recurses deeply over long functions.
    let served = std::thread::Builder::new()
        .name("swath-help".to_owned())
        .stack_size(64 << 20)
        .spawn(serve)
        .map_err(|error| error.to_string())
        .and_then(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("rust-analyzer panicked".to_owned()))
        });
    if let Err(reason) = served {
        eprintln!("swath help: {reason}");
        std::process::exit(1);
    }
    std::process::exit(0)
}

/// Waits for the next cell and pretends to have run it: what evcxr's child does here.
pub(crate) fn idle() -> ! {
    for line in std::io::stdin().lock().lines() {
        if line.is_err() {
            break;
        }
        println!("EVCXR_EXECUTION_COMPLETE");
    }
    std::process::exit(0)
}

fn serve() -> Result<(), String> {
    let (sender, questions) = mpsc::channel();
    std::thread::Builder::new()
        .name("swath-questions".to_owned())
        .spawn(move || read_questions(&sender))
        .map_err(|error| format!("a thread cannot start: {error}"))?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.env(CHILD_ENV, IDLE);
    let library = PathBuf::from(std::env::var_os(LIBRARY_ENV).ok_or("no library is named")?);
    let (mut context, _) = evcxr_context::open(command, &library)?;
    // The first completion takes seconds; nobody waits for this one.
    let _ = assist::complete(&mut context, "", "let text = String::new(); text.le", 33);
    say(&Reply::default())?;
    let mut waiting = VecDeque::new();
    loop {
        if waiting.is_empty() {
            match questions.recv() {
                Ok(question) => waiting.push_back(question),
                Err(_) => return Ok(()),
            }
        }
        waiting.extend(questions.try_iter());
        if let Some(question) = waiting.pop_front() {
            let is_stale = waiting.iter().any(|later| asks_the_same(&question, later));
            answer(&mut context, question, is_stale)?;
        }
    }
}

fn read_questions(sender: &mpsc::Sender<Question>) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if let Ok(question) = serde_json::from_str(&line) {
            let _ = sender.send(question);
        }
    }
    // The kernel is gone, and nobody reads what is still being looked up.
    std::process::exit(0)
}

/// Whether a later question makes this one useless: somebody goes on typing.
fn asks_the_same(question: &Question, later: &Question) -> bool {
    matches!(
        (question, later),
        (Question::Complete { .. }, Question::Complete { .. })
            | (Question::Inspect { .. }, Question::Inspect { .. })
    )
}

fn answer(context: &mut CommandContext, question: Question, is_stale: bool) -> Result<(), String> {
    let reply = match question {
        Question::Learn(code) => {
            let _ = context.execute(&code);
            return Ok(());
        }
        Question::Complete { id, .. } | Question::Inspect { id, .. } if is_stale => Reply {
            id,
            ..Reply::default()
        },
        Question::Complete {
            id,
            declarations,
            code,
            cursor,
        } => Reply {
            id,
            completions: assist::complete(context, &declarations, &code, cursor),
            bundle: None,
        },
        Question::Inspect {
            id,
            declarations,
            code,
            cursor,
        } => Reply {
            id,
            completions: None,
            bundle: assist::inspect(context, &declarations, &code, cursor),
        },
    };
    say(&reply)
}

fn say(reply: &Reply) -> Result<(), String> {
    let line = serde_json::to_string(reply).map_err(|error| error.to_string())?;
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}")
        .and_then(|()| output.flush())
        .map_err(|error| error.to_string())
}
