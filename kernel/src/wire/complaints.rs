//! Log lines about strangers: some, so that it is known; not one for each, which would fill a disk.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many lines are written in one span.
const LINES: u32 = 10;
const SPAN: Duration = Duration::from_secs(60);

/// The complaints of one channel.
pub(crate) struct Complaints {
    channel: &'static str,
    state: Mutex<(Instant, u32)>,
}

impl Complaints {
    pub(crate) fn new(channel: &'static str) -> Self {
        Self {
            channel,
            state: Mutex::new((Instant::now(), 0)),
        }
    }

    /// Writes a line, unless there were enough of them lately.
    pub(crate) fn add(&self, text: &str) {
        if let Some(note) = self.room() {
            crate::log::warn(&format!("{}: {text}{note}", self.channel));
        }
    }

    fn room(&self) -> Option<&'static str> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.elapsed() > SPAN {
            *state = (Instant::now(), 0);
        }
        state.1 = state.1.saturating_add(1);
        match state.1 {
            ..LINES => Some(""),
            LINES => Some(" (more of this in the next minute is not written)"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_lines_in_a_minute_and_the_last_says_so() {
        let complaints = Complaints::new("shell");
        let written: Vec<_> = (0..1000).filter_map(|_| complaints.room()).collect();
        assert_eq!(written.len(), 10);
        assert!(written[9].contains("not written") && written[8].is_empty());
    }
}
