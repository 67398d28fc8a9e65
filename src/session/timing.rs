//! How long code takes: the clock behind `%time` and the loops behind `%timeit`.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

static STARTED: Mutex<Option<Instant>> = Mutex::new(None);

/// Starts the clock that [`stop_clock`] reads.
pub fn start_clock() {
    *STARTED.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
}

/// Prints the time since [`start_clock`], and returns `value`.
///
/// ```
/// swath::session::start_clock();
/// assert_eq!(swath::session::stop_clock(1 + 1), 2);
/// ```
#[expect(
    clippy::print_stdout,
    reason = "a cell's standard output is where it shows"
)]
pub fn stop_clock<T>(value: T) -> T {
    if let Some(started) = STARTED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
    {
        println!("wall time: {}", readable(started.elapsed().as_secs_f64()));
    }
    value
}

const RUNS: u32 = 7;
const SECONDS_PER_RUN: f64 = 0.2;

/// Runs `code` in 7 runs of as many loops as fit into about 0.2 s each, and prints the mean and the standard deviation
/// per loop. An interrupt ends it early.
///
/// # Errors
/// The first error of `code`.
///
/// ```
/// swath::session::time_loops(|| Ok::<(), std::fmt::Error>(()))?;
/// # Ok::<(), std::fmt::Error>(())
/// ```
#[expect(
    clippy::print_stdout,
    reason = "a cell's standard output is where it shows"
)]
pub fn time_loops<E>(mut code: impl FnMut() -> Result<(), E>) -> Result<(), E> {
    let mut measure = |loops: u64| -> Result<Duration, E> {
        let started = Instant::now();
        for _ in 0..loops {
            code()?;
        }
        Ok(started.elapsed())
    };
    let mut loops = 1;
    let mut first = measure(1)?;
    while first.as_secs_f64() < SECONDS_PER_RUN / 2.0
        && loops < 1_000_000_000
        && !super::interrupted()
    {
        loops *= if first.as_secs_f64() < SECONDS_PER_RUN / 20.0 {
            10
        } else {
            2
        };
        first = measure(loops)?;
    }
    let mut seconds = vec![first.as_secs_f64() / loops as f64];
    for _ in 1..RUNS {
        if super::interrupted() {
            break;
        }
        seconds.push(measure(loops)?.as_secs_f64() / loops as f64);
    }
    let runs = seconds.len() as f64;
    let mean = seconds.iter().sum::<f64>() / runs;
    let deviation = (seconds.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / runs).sqrt();
    println!(
        "{} ± {} per loop (mean ± standard deviation of {} runs of {loops} loops)",
        readable(mean),
        readable(deviation),
        seconds.len()
    );
    Ok(())
}

/// Three significant digits with a fitting unit.
fn readable(seconds: f64) -> String {
    if seconds >= 60.0 {
        return format!(
            "{:.0} min {:.1} s",
            (seconds / 60.0).floor(),
            seconds % 60.0
        );
    }
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s if s >= 1e-6 => (s * 1e6, "µs"),
        s => (s * 1e9, "ns"),
    };
    let digits = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else {
        2
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_three_digits_and_a_unit() {
        let texts = [3e-10, 1.234e-8, 4.56e-5, 0.123_4, 1.0, 59.96, 61.5].map(readable);
        assert_eq!(
            texts,
            [
                "0.30 ns",
                "12.3 ns",
                "45.6 µs",
                "123 ms",
                "1.00 s",
                "60.0 s",
                "1 min 1.5 s"
            ]
        );
    }

    #[test]
    fn the_first_error_ends_the_loops() {
        let mut calls = 0;
        let ended = time_loops(|| {
            calls += 1;
            if calls == 5 { Err("enough") } else { Ok(()) }
        });
        assert_eq!((ended, calls), (Err("enough"), 5));
    }
}
