//! The running session: where outputs go while a cell runs, progress, interruption, questions to the user.
//!
//! Without a host the sink prints text to stdout. The cell runtime ([`crate::rt`]) installs one that sends everything
//! to the front process over the side channel.

mod event;
pub(crate) mod progress;
mod timing;
pub(crate) mod words;

use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, RwLock};
use std::time::{Duration, Instant};

use crate::Hint as _;
use crate::display::{Output, Show};

pub use event::Event;
pub(crate) use event::{takes_events, tell};
pub use timing::{start_clock, stop_clock, time_loops};

/// Receives what the library wants a person to see.
pub trait Sink: Send + Sync {
    /// The value of a cell's last expression.
    fn result(&self, output: Output);
    /// A picture or text in between. `id` names it for [`Sink::update`].
    fn display(&self, output: Output, id: Option<&str>);
    /// Replaces what was displayed under `id`.
    fn update(&self, output: Output, id: &str);
    /// Removes the cell's outputs so far; with `wait`, once the next one arrives.
    fn clear(&self, wait: bool);
    /// Asks the user for a line; `None` when nobody can answer.
    fn input(&self, prompt: &str, password: bool) -> Option<String>;
    /// Whether it takes [`Sink::event`]s, in the place of the live views of long steps.
    fn takes_events(&self) -> bool {
        false
    }
    /// Something has happened in a long step.
    fn event(&self, _event: &Event) {}
}

struct Terminal;

#[expect(
    clippy::print_stdout,
    reason = "the sink of a program without a host is its standard output"
)]
impl Sink for Terminal {
    fn result(&self, output: Output) {
        println!("{}", output.text);
    }
    fn display(&self, output: Output, _id: Option<&str>) {
        println!("{}", output.text);
    }
    fn update(&self, _output: Output, _id: &str) {}
    fn clear(&self, _wait: bool) {}
    fn input(&self, prompt: &str, _password: bool) -> Option<String> {
        println!("{prompt}");
        let mut line = String::new();
        (std::io::stdin().read_line(&mut line).ok()? > 0)
            .then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }
}

/// Ends the cell that runs on this thread; returns where none does.
pub(crate) type EndCell = fn(&crate::Error, &'static Location<'static>);

static END_CELL: OnceLock<EndCell> = OnceLock::new();

/// Says how a host ends a running cell.
pub(crate) fn ends_cells(end: EndCell) {
    END_CELL.get_or_init(|| end);
}

/// Ends the running cell with an error, at the place of the caller, where a call returns no `Result`.
///
/// # Panics
/// With the same words on another thread, and outside of a cell.
#[track_caller]
#[expect(clippy::panic, reason = "documented: there is no cell to end")]
pub(crate) fn end_cell(error: &crate::Error) -> ! {
    if let Some(end) = END_CELL.get() {
        end(error, Location::caller());
    }
    match error.hint() {
        Some(hint) => panic!("{error}; {hint}"),
        None => panic!("{error}"),
    }
}

static SINK: RwLock<Option<Arc<dyn Sink>>> = RwLock::new(None);
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// When somebody last asked whether to stop, in milliseconds since [`clock`] began, and one.
static ASKED: AtomicU64 = AtomicU64::new(0);
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// Sends everything displayed from now on to `sink`.
pub fn set_sink(sink: Arc<dyn Sink>) {
    *SINK
        .write()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(sink);
}

fn sink() -> Arc<dyn Sink> {
    SINK.read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .clone()
        .unwrap_or_else(|| Arc::new(Terminal))
}

/// Shows the result of a cell.
pub fn result(output: Output) {
    sink().result(output);
}

/// Shows the whole `{:?}` text of a value as the result of the cell, however long it is. A cell's last value is shown a
/// screen at most.
///
/// ```
/// swath::session::show_all(&vec![0.5; 3]);
/// ```
pub fn show_all(value: &(impl std::fmt::Debug + ?Sized)) {
    result(Output::text(format!("{value:?}")));
}

/// Shows a value now, while the cell goes on.
pub fn display(value: &dyn Show) {
    sink().display(value.output(), None);
}

/// A displayed value that can be replaced: progress, live curves.
///
/// ```
/// let live = swath::session::Live::new(&swath::display::Output::text("0 %"));
/// live.update(&swath::display::Output::text("100 %"));
/// ```
#[derive(Debug)]
pub struct Live {
    id: String,
}

impl Live {
    /// Shows `value` and keeps a handle to replace it.
    #[must_use]
    pub fn new(value: &dyn Show) -> Self {
        let id = format!(
            "swath-{}-{}",
            std::process::id(),
            NEXT_ID.fetch_add(1, Ordering::Relaxed)
        );
        sink().display(value.output(), Some(&id));
        Self { id }
    }

    /// Replaces what is shown.
    pub fn update(&self, value: &dyn Show) {
        sink().update(value.output(), &self.id);
    }
}

/// Removes the cell's outputs so far; with `wait`, only when the next one arrives, which does not flicker.
pub fn clear_output(wait: bool) {
    sink().clear(wait);
}

/// Asks the user for a line of text; `None` when nobody can answer.
#[must_use]
pub fn input(prompt: &str) -> Option<String> {
    sink().input(prompt, false)
}

/// Asks the user for a line that is not echoed; `None` when nobody can answer.
#[must_use]
pub fn password(prompt: &str) -> Option<String> {
    sink().input(prompt, true)
}

/// Whether the user asked the running cell to stop. Loops that take long ask at every step.
#[must_use]
pub fn interrupted() -> bool {
    ASKED.store(clock() + 1, Ordering::Relaxed);
    is_interrupted()
}

/// The same for those who only want to know.
pub(crate) fn is_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Milliseconds since the first call.
fn clock() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    let elapsed = BEGAN.get_or_init(Instant::now).elapsed();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX - 1)
}

/// How long ago somebody last called [`interrupted`]: a cell that asks from time to time needs no force to stop.
pub(crate) fn asked_ago() -> Option<Duration> {
    let asked = ASKED.load(Ordering::Relaxed).checked_sub(1)?;
    Some(Duration::from_millis(clock().saturating_sub(asked)))
}

/// Waits until the place of the outputs can be used: see `rt::stop`.
pub(crate) fn touch() {
    drop(sink());
}

/// Sets or clears the request to stop. The cell runtime clears it when a cell begins.
pub fn set_interrupted(value: bool) {
    if !value {
        ASKED.store(0, Ordering::Relaxed);
    }
    INTERRUPTED.store(value, Ordering::Relaxed);
}

/// Returns [`crate::Error::Interrupted`] when the user asked to stop.
///
/// # Errors
/// [`crate::Error::Interrupted`] naming `doing`.
pub fn check_interrupt(doing: &'static str) -> crate::Result<()> {
    if interrupted() {
        Err(crate::Error::Interrupted { doing })
    } else {
        Ok(())
    }
}
