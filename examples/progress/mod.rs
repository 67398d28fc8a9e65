//! A sink for programs: the live view of a training as lines of text, at most one every few seconds.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use swath::display::Output;
use swath::session::Sink;

const PAUSE: Duration = Duration::from_secs(10);

/// Prints what the library shows.
#[derive(Default)]
pub(crate) struct Progress {
    last: Mutex<Option<Instant>>,
}

impl Sink for Progress {
    fn result(&self, output: Output) {
        println!("{}", output.text);
    }

    fn display(&self, output: Output, _id: Option<&str>) {
        println!("{}", output.text.lines().next().unwrap_or_default());
    }

    fn update(&self, output: Output, _id: &str) {
        let Ok(mut last) = self.last.lock() else {
            return;
        };
        if last.is_none_or(|last| last.elapsed() >= PAUSE) {
            println!("{}", output.text.lines().next().unwrap_or_default());
            *last = Some(Instant::now());
        }
    }

    fn clear(&self, _wait: bool) {}

    fn input(&self, _prompt: &str, _password: bool) -> Option<String> {
        None
    }
}
