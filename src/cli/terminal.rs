//! What the command line shows: results on stdout; progress on stderr, in place where that is a terminal, and a line from time
//! to time where it is a log. For programs everything is a line of JSON on stdout instead.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Map, Value, json};
use swath_cli::LogOptions;

use swath_link::output::print;

use crate::display::Output;
use crate::session::{self, Event, Sink};

/// Whether everything is told in lines of JSON.
static JSON: AtomicBool = AtomicBool::new(false);
/// Milliseconds between two lines of progress in a log; 0 for none.
static EVERY: AtomicU64 = AtomicU64::new(0);

/// Says how this process tells what it does.
pub(super) fn configure(log: &LogOptions) {
    JSON.store(log.json_lines, Ordering::Relaxed);
    let every = log.every().unwrap_or(Duration::ZERO).as_millis();
    EVERY.store(u64::try_from(every).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Whether everything is told in lines of JSON.
pub(super) fn in_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// The sink of a command in a terminal or a batch job.
#[derive(Debug, Default)]
pub(super) struct CommandSink {
    /// Length of the progress line that is being overwritten; 0 when there is none.
    line: Mutex<usize>,
    /// When the last line of progress was written into a log, and what it was about.
    logged: Mutex<Option<(Instant, Value)>>,
}

impl CommandSink {
    fn finish_line(&self) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if *line > 0 {
            let _ = writeln!(std::io::stderr());
            *line = 0;
        }
    }

    /// Writes over the line of progress.
    fn in_place(&self, text: &str) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let length = text.chars().count();
        let _ = write!(
            std::io::stderr(),
            "\r{text}{:fill$}",
            "",
            fill = line.saturating_sub(length)
        );
        let _ = std::io::stderr().flush();
        *line = length;
    }

    /// Whether progress is to be told now: the first and the last of a step always, others when their time has come.
    fn is_time(&self, event: &Event) -> bool {
        let every = EVERY.load(Ordering::Relaxed);
        if every == 0 {
            return false;
        }
        let doing = event.facts.get("doing").cloned().unwrap_or_default();
        let part = |name: &str| event.facts.get(name).and_then(Value::as_u64);
        // A training has a line of its own for the end of an epoch.
        let is_last =
            part("done").is_some() && part("done") == part("total") && doing != "training";
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let due = logged.as_ref().is_none_or(|(at, about)| {
            at.elapsed() >= Duration::from_millis(every)
                || (*about != doing && doing != "validating" && about != "validating")
        });
        if due || is_last {
            *logged = Some((Instant::now(), doing));
        }
        due || is_last
    }
}

/// Writes a line of JSON.
fn json_line(name: &str, text: &str, facts: Map<String, Value>) {
    let mut line = Map::new();
    line.insert("event".to_owned(), json!(name));
    line.insert("time".to_owned(), json!(now()));
    line.extend(facts);
    if !text.is_empty() {
        line.insert("text".to_owned(), json!(text));
    }
    print(&format!("{}\n", Value::Object(line)));
}

/// The present second, as ISO 8601 has it: `2026-11-30T12:30:05Z`.
fn now() -> String {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    iso(since.map_or(0, |since| since.as_secs()))
}

/// Seconds since 1970 as a date and a time.
///
/// # Source
/// Howard Hinnant, chrono-Compatible Low-Level Date Algorithms, `civil_from_days`.
fn iso(seconds: u64) -> String {
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z",
        of_day / 3600,
        of_day % 3600 / 60,
        of_day % 60
    )
}

impl Sink for CommandSink {
    fn result(&self, output: Output) {
        if in_json() {
            json_line("result", output.text.trim_end(), Map::new());
            return;
        }
        self.finish_line();
        print(&format!("{}\n", output.text.trim_end()));
    }

    fn display(&self, output: Output, id: Option<&str>) {
        match id {
            Some(id) => self.update(output, id),
            None if in_json() => json_line("notice", output.text.trim_end(), Map::new()),
            None => self.result(output),
        }
    }

    fn update(&self, output: Output, _id: &str) {
        // A log file of a batch job would fill with it; steps that take long tell of themselves by events.
        if !in_json() && std::io::stderr().is_terminal() && !output.text.contains('\n') {
            self.in_place(&output.text);
        }
    }

    fn clear(&self, _wait: bool) {}

    fn input(&self, prompt: &str, _password: bool) -> Option<String> {
        self.finish_line();
        let _ = write!(std::io::stderr(), "{prompt}");
        let mut line = String::new();
        (std::io::stdin().read_line(&mut line).ok()? > 0)
            .then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    fn takes_events(&self) -> bool {
        true
    }

    fn event(&self, event: &Event) {
        let is_progress = event.name == "progress";
        if is_progress && !in_json() && std::io::stderr().is_terminal() {
            self.in_place(&event.text);
            return;
        }
        if is_progress && !self.is_time(event) {
            return;
        }
        if in_json() {
            json_line(event.name, &event.text, event.facts.clone());
        } else if !event.text.is_empty() {
            self.finish_line();
            // A log is read later: its lines have their time.
            let _ = match std::io::stderr().is_terminal() {
                true => writeln!(std::io::stderr(), "{}", event.text),
                false => writeln!(std::io::stderr(), "{} {}", now(), event.text),
            };
        }
    }
}

/// Says what a person must know at the end, on stderr; programs get it as a line of JSON, too.
pub(super) fn note(text: &str) {
    if in_json() {
        session::tell(|| Event::new("stopped", text, Value::Null));
    }
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// The signal that asked the command to stop; 0 when none has.
static STOPPED_BY: AtomicI32 = AtomicI32::new(0);

/// Turns the first Ctrl-C, and the first SIGTERM or SIGUSR1, with which batch systems announce the end of a job's time, into a
/// request to stop: files that are not whole are removed, a training writes its checkpoint. The second ends the program as
/// usual.
pub(super) fn stop_on_signals() {
    extern "C" fn stop(signal: libc::c_int) {
        STOPPED_BY.store(signal, Ordering::Relaxed);
        crate::session::set_interrupted(true);
        // SAFETY: `signal` may be called from a signal handler, and `SIG_DFL` is always a valid disposition.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    let handler: extern "C" fn(libc::c_int) = stop;
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGUSR1] {
        // SAFETY: the handler only stores to atomics and calls `signal`, both of which signal handlers may do.
        unsafe { libc::signal(signal, handler as libc::sighandler_t) };
    }
}

/// The exit code of a command that was asked to stop: 128 and the number of the signal, as shells have it.
pub(super) fn stopped() -> i32 {
    match STOPPED_BY.load(Ordering::Relaxed) {
        0 => super::INTERRUPTED,
        signal => 128 + signal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        // `date -u -d @SECONDS +%FT%TZ`
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_796_041_805, "2026-11-30T12:30:05Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(seconds), text);
        }
    }

    #[test]
    fn a_log_has_a_line_of_progress_from_time_to_time() {
        let sink = CommandSink::default();
        let event = |doing: &str, done: u64, total: u64| {
            Event::new(
                "progress",
                "",
                json!({ "doing": doing, "done": done, "total": total }),
            )
        };
        configure(&LogOptions {
            progress: Some(1000.0),
            json_lines: false,
        });
        assert!(sink.is_time(&event("predicting", 0, 9)), "the first");
        assert!(!sink.is_time(&event("predicting", 4, 9)));
        assert!(sink.is_time(&event("predicting", 9, 9)), "the last");
        assert!(sink.is_time(&event("tracing", 0, 9)), "another step");
        assert!(sink.is_time(&event("training", 0, 9)));
        assert!(
            !sink.is_time(&event("validating", 3, 9)),
            "part of a training"
        );
        assert!(!sink.is_time(&event("training", 9, 9)));
        configure(&LogOptions {
            progress: Some(0.0),
            json_lines: false,
        });
        assert!(!sink.is_time(&event("predicting", 9, 9)), "none is wanted");
    }
}
