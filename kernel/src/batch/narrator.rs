//! What `swath run` tells while it runs: lines for a log, or lines of JSON for programs.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use swath_cli::LogOptions;
use time::OffsetDateTime;
use time::macros::format_description;

/// Tells what happens. Lines go to stderr, JSON to stdout.
pub(super) struct Narrator {
    quiet: bool,
    json: bool,
    every: Option<Duration>,
    told: Instant,
}

impl Narrator {
    pub(super) fn new(log: &LogOptions, quiet: bool) -> Self {
        Self {
            quiet,
            json: log.json_lines,
            every: log.every(),
            told: Instant::now(),
        }
    }

    /// Tells of something: as `text`, or as `facts`.
    pub(super) fn tell(&mut self, event: &str, text: &str, facts: Value) {
        self.told = Instant::now();
        if self.json {
            let mut line = Map::new();
            line.insert("event".to_owned(), json!(event));
            line.insert("time".to_owned(), json!(now()));
            if let Value::Object(facts) = facts {
                line.extend(facts);
            }
            swath_link::output::print(&format!("{}\n", Value::Object(line)));
        } else if !self.quiet && !text.is_empty() {
            line(text);
        }
    }

    /// Tells what went wrong, however quiet the run is to be.
    pub(super) fn fail(&mut self, event: &str, text: &str, facts: Value) {
        if self.json {
            self.tell(event, text, facts);
        }
        line(text);
    }

    /// When the next line of progress is due, if ever.
    pub(super) fn due(&self) -> Option<Instant> {
        self.every.map(|every| self.told + every)
    }
}

/// A line on stderr. A log is read later: its lines have their time.
fn line(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = match err.is_terminal() {
        true => writeln!(err, "{text}"),
        false => writeln!(err, "{} {}", now(), plain(text)),
    };
}

/// The present second, as ISO 8601 has it.
fn now() -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    OffsetDateTime::now_utc()
        .format(&format)
        .unwrap_or_default()
}

/// Text without the colors of a terminal.
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' && letters.peek() == Some(&'[') {
            letters.next();
            // A sequence ends at its first letter.
            for part in letters.by_ref() {
                if ('@'..='~').contains(&part) {
                    break;
                }
            }
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// `12.3 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_no_colors() {
        assert_eq!(
            plain("\u{1b}[1;31merror\u{1b}[0m: a\u{1b}b"),
            "error: a\u{1b}b"
        );
    }

    #[test]
    fn durations_read_well() {
        let of = |seconds: f64| duration(Duration::from_secs_f64(seconds));
        assert_eq!(
            [of(0.34), of(61.0), of(7500.0)],
            ["0.3 s", "1 min 1 s", "2 h 5 min"]
        );
    }
}
