//! Progress of a transfer, shown while it runs: bytes, speed, the time left.

use std::time::{Duration, Instant};

use crate::display::Output;
use crate::display::units::{duration, file_size};
use crate::session::Live;

/// Updates are not shown more often than this.
const INTERVAL: Duration = Duration::from_millis(250);

/// A live line; nothing when `quiet`.
#[derive(Debug)]
pub(super) struct Progress {
    doing: String,
    total: Option<u64>,
    /// The bytes when this process began, for the speed.
    from: u64,
    started: Instant,
    shown: Option<Instant>,
    live: Option<Live>,
    quiet: bool,
}

impl Progress {
    pub(super) fn new(doing: impl Into<String>, quiet: bool) -> Self {
        Self {
            doing: doing.into(),
            total: None,
            from: 0,
            started: Instant::now(),
            shown: None,
            live: None,
            quiet,
        }
    }

    /// What a further attempt begins with.
    pub(super) fn begin(&mut self, from: u64, total: Option<u64>) {
        (self.from, self.total, self.started) = (from, total.or(self.total), Instant::now());
    }

    pub(super) fn expect(&mut self, total: Option<u64>) {
        self.total = total.or(self.total);
    }

    pub(super) fn update(&mut self, done: u64) {
        let now = Instant::now();
        if self.quiet || self.shown.is_some_and(|shown| now - shown < INTERVAL) {
            return;
        }
        self.shown = Some(now);
        self.show(&self.line(done, now - self.started));
    }

    /// The last line of it.
    pub(super) fn end(&mut self, text: &str) {
        if self.live.is_some() {
            self.show(&format!("{}: {text}", self.doing));
        }
    }

    fn show(&mut self, text: &str) {
        let output = Output::text(text);
        match &self.live {
            Some(live) => live.update(&output),
            None => self.live = Some(Live::new(&output)),
        }
    }

    fn line(&self, done: u64, elapsed: Duration) -> String {
        let mut line = match self.total {
            Some(total) if total > 0 => format!(
                "{}: {} of {} ({:.0} %)",
                self.doing,
                file_size(done),
                file_size(total),
                (done as f64 / total as f64 * 100.0).min(100.0)
            ),
            _ => format!("{}: {}", self.doing, file_size(done)),
        };
        let speed = done.saturating_sub(self.from) as f64 / elapsed.as_secs_f64().max(1e-3);
        if elapsed > Duration::from_secs(1) && speed > 0.0 {
            line += &format!(", {}/s", file_size(speed as u64));
            if let Some(left) = self.total.and_then(|total| total.checked_sub(done)) {
                line += &format!(", {} left", duration(left as f64 / speed));
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_speed_and_the_time_left() {
        let mut progress = Progress::new("a.zip", true);
        progress.begin(10_000_000, Some(110_000_000));
        let line = progress.line(60_000_000, Duration::from_secs(10));
        assert_eq!(line, "a.zip: 60.0 MB of 110 MB (55 %), 5.0 MB/s, 10 s left");
    }
}
