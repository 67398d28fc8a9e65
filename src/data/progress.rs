//! Progress of a transfer, shown while it runs: bytes, speed, the time left.

use std::time::{Duration, Instant};

use crate::display::Output;
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
                size(done),
                size(total),
                (done as f64 / total as f64 * 100.0).min(100.0)
            ),
            _ => format!("{}: {}", self.doing, size(done)),
        };
        let speed = done.saturating_sub(self.from) as f64 / elapsed.as_secs_f64().max(1e-3);
        if elapsed > Duration::from_secs(1) && speed > 0.0 {
            line += &format!(", {}/s", size(speed as u64));
            if let Some(left) = self.total.and_then(|total| total.checked_sub(done)) {
                line += &format!(", {} left", duration(left as f64 / speed));
            }
        }
        line
    }
}

/// Decimal units, as disks and browsers count: `94.7 MB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let mut value = bytes as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, next);
    }
    match value < 99.95 {
        true => format!("{value:.1} {unit}"),
        false => format!("{value:.0} {unit}"),
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits_and_a_unit() {
        let told: Vec<String> = [0, 999, 1000, 94_658_721, 999_600, 2_065_402_329, u64::MAX]
            .map(size)
            .to_vec();
        assert_eq!(
            told,
            [
                "0 bytes",
                "999 bytes",
                "1.0 kB",
                "94.7 MB",
                "1.0 MB",
                "2.1 GB",
                "18447 PB"
            ]
        );
    }

    #[test]
    fn a_line_tells_speed_and_the_time_left() {
        let mut progress = Progress::new("a.zip", true);
        progress.begin(10_000_000, Some(110_000_000));
        let line = progress.line(60_000_000, Duration::from_secs(10));
        assert_eq!(line, "a.zip: 60.0 MB of 110 MB (55 %), 5.0 MB/s, 10 s left");
    }
}
