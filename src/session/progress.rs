//! Progress of a long step, shown while it runs: a bar, images per second, the time left.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Event, Live, takes_events, tell};
use crate::display::Output;
use crate::display::units::duration;

/// Updates are not shown more often than this.
const INTERVAL: Duration = Duration::from_millis(250);

/// A live line of progress; shows nothing when `quiet`.
#[derive(Debug)]
pub(crate) struct Progress {
    doing: &'static str,
    /// What is counted: windows, scenes.
    of: &'static str,
    /// What the speed counts.
    rate: &'static str,
    total: usize,
    done: usize,
    started: Instant,
    shown: Instant,
    live: Option<Live>,
    quiet: bool,
}

impl Progress {
    pub(crate) fn new(doing: &'static str, total: usize, quiet: bool) -> Self {
        Self::of(doing, ("windows", "images"), total, quiet)
    }

    /// Progress over something else than windows with images: `("scenes", "scenes")`.
    pub(crate) fn of(
        doing: &'static str,
        (of, rate): (&'static str, &'static str),
        total: usize,
        quiet: bool,
    ) -> Self {
        let now = Instant::now();
        let mut progress = Self {
            doing,
            of,
            rate,
            total,
            done: 0,
            started: now,
            shown: now,
            live: None,
            quiet,
        };
        if quiet {
            return progress;
        }
        if takes_events() {
            tell(|| progress.event(now));
        } else {
            progress.live = Some(Live::new(&progress.output(now)));
        }
        progress
    }

    /// `count` more images are done.
    pub(crate) fn add(&mut self, count: usize) {
        self.done += count;
        let now = Instant::now();
        if self.done >= self.total || now - self.shown >= INTERVAL {
            self.shown = now;
            if let Some(live) = &self.live {
                live.update(&self.output(now));
            } else if !self.quiet {
                tell(|| self.event(now));
            }
        }
    }

    /// Seconds since the beginning, and how many are done in one of them.
    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    fn pace(&self, now: Instant) -> (f64, f64) {
        let elapsed = (now - self.started).as_secs_f64();
        (elapsed, self.done as f64 / elapsed.max(1e-9))
    }

    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    fn event(&self, now: Instant) -> Event {
        let (elapsed, rate) = self.pace(now);
        let left = (self.done > 0).then(|| self.total.saturating_sub(self.done) as f64 / rate);
        let facts = json!({
            "doing": self.doing,
            "of": self.of,
            "done": self.done,
            "total": self.total,
            "seconds": elapsed,
            "seconds_left": left,
        });
        Event::new("progress", self.output(now).text, facts)
    }

    #[expect(clippy::cast_precision_loss, reason = "shown to three digits")]
    fn output(&self, now: Instant) -> Output {
        let (elapsed, rate) = self.pace(now);
        let part = self.done as f64 / self.total.max(1) as f64;
        let pace = if self.done == 0 {
            String::new()
        } else if self.done < self.total {
            let left = (self.total - self.done) as f64 / rate;
            format!(", {rate:.1} {}/s, {} left", self.rate, duration(left))
        } else {
            format!(", {rate:.1} {}/s, took {}", self.rate, duration(elapsed))
        };
        let text = format!(
            "{}: {:.0} % ({} of {} {}{pace})",
            self.doing,
            part * 100.0,
            self.done,
            self.total,
            self.of
        );
        let html = format!(
            "<div><progress value=\"{}\" max=\"{}\" style=\"width:16em;vertical-align:middle\"></progress> {text}</div>",
            self.done, self.total
        );
        Output::styled(text, html)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_tells_what_is_done_and_left() {
        let mut progress = Progress::new("predicting", 40, true);
        progress.add(10);
        let text = progress
            .output(progress.started + Duration::from_secs(5))
            .text;
        assert_eq!(
            text,
            "predicting: 25 % (10 of 40 windows, 2.0 images/s, 15 s left)"
        );
    }
}
