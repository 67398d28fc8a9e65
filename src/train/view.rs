//! The live view of a training run: progress, curves, the latest example; redrawn a few times a second at most.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{EpochRecord, History};
use crate::Result;
use crate::display::{FONT, Output, escape};
use crate::host::Step;
use crate::plot::{Curves, Series, series_color};
use crate::session::{self, Event, Live};

/// The shortest time between two redraws: three a second read as live, and cost a training on the CPU nothing to speak of.
const REDRAW: Duration = Duration::from_millis(350);
/// The raw and the smoothed training loss: Okabe and Ito's blue.
const LOSS_COLOR: [u8; 3] = series_color(0);
/// The validation loss: the palette's next, so that no two curves share a color.
const VALIDATION_COLOR: [u8; 3] = series_color(1);
/// The score on the right axis.
const SCORE_COLOR: [u8; 3] = series_color(2);
/// Points of a curve at most; more could not be told apart.
const POINTS: usize = 300;

/// Where a run is.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    pub(super) step: usize,
    pub(super) steps: usize,
    pub(super) steps_per_epoch: usize,
    pub(super) images_per_second: Option<f64>,
    pub(super) seconds_left: Option<f64>,
    /// Windows validated and all windows, during a validation.
    pub(super) validating: Option<(usize, usize)>,
}

/// The view. Without a live part (`quiet`) it does nothing.
pub(super) struct View {
    title: String,
    device: String,
    live: Option<Live>,
    picture: Option<Live>,
    quiet: bool,
    drawn: Option<Instant>,
    /// Seconds spent drawing and sending.
    pub(super) seconds: f64,
}

impl View {
    pub(super) fn new(title: String, device: String, quiet: bool) -> Self {
        Self {
            title,
            device,
            live: None,
            picture: None,
            quiet,
            drawn: None,
            seconds: 0.0,
        }
    }

    /// Redraws when the last time is long enough ago.
    pub(super) fn show(&mut self, progress: &Progress, history: &History) {
        if self.quiet || self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW) {
            return;
        }
        if session::takes_events() {
            self.drawn = Some(Instant::now());
            session::tell(|| progressed(progress, history));
            return;
        }
        self.draw(&self.running(progress, history));
    }

    /// Tells those who write a log that an epoch is over: the last of the history.
    pub(super) fn epoch(&self, progress: &Progress, history: &History) {
        if let Some(last) = history.epochs.last().filter(|_| !self.quiet) {
            session::tell(|| finished(last, progress, history));
        }
    }

    fn draw(&mut self, output: &Output) {
        let start = Instant::now();
        match &self.live {
            Some(live) => live.update(output),
            None => self.live = Some(Live::new(output)),
        }
        self.drawn = Some(Instant::now());
        self.seconds += start.elapsed().as_secs_f64();
    }

    /// The last state, which stays as the cell's output: what there is to say about the run as a whole.
    pub(super) fn finish(&mut self, run: &Output) {
        // Who takes events shows the run itself.
        if self.quiet || session::takes_events() {
            return;
        }
        let html = format!(
            "<div style=\"{FONT}\"><div>{}</div></div>{}",
            escape(&self.title),
            run.html.as_deref().unwrap_or_default(),
        );
        self.draw(&Output::html(format!("{}\n{}", self.title, run.text), html));
    }

    /// The error that ended a run, in place of a progress that goes on for ever.
    pub(super) fn fail(&mut self, error: &crate::Error) {
        if self.live.is_none() {
            return;
        }
        let html = format!(
            "<div style=\"{FONT}\"><div>{}</div><div style=\"margin:2px 0 6px 0\"><b>Failed:</b> {}</div></div>",
            escape(&self.title),
            escape(&error.to_string()),
        );
        self.draw(&Output::html(
            format!("{}\nFailed: {error}", self.title),
            html,
        ));
    }

    /// Shows an example of a validation, drawn by `picture`.
    pub(super) fn example(&mut self, picture: impl FnOnce() -> Result<Output>) {
        if self.quiet || session::takes_events() {
            return;
        }
        let start = Instant::now();
        // A picture that cannot be drawn is no reason to stop a training.
        if let Ok(output) = picture() {
            match &self.picture {
                Some(live) => live.update(&output),
                None => self.picture = Some(Live::new(&output)),
            }
        }
        self.seconds += start.elapsed().as_secs_f64();
    }

    fn running(&self, progress: &Progress, history: &History) -> Output {
        let share = progress.step as f64 / progress.steps.max(1) as f64;
        let line = status(progress, history);
        let stop = format!(
            "{} to stop within a step: the best weights so far are kept.",
            Step::Interrupt
        );
        let text = format!("{} · {:.0} % · {line}\n{stop}", self.title, share * 100.0);
        let mut html = String::new();
        // Writing to a String cannot fail.
        let _ = write!(
            html,
            "<div style=\"{FONT}\"><div>{title} · {device}</div>\
             <div role=\"progressbar\" aria-valuenow=\"{percent:.0}\" aria-valuemin=\"0\" aria-valuemax=\"100\" \
             style=\"height:10px;width:680px;max-width:100%;border-radius:5px;background:rgba(128,128,128,.3);margin:5px 0\">\
             <div style=\"height:10px;border-radius:5px;background:#1f77b4;width:{percent:.1}%\"></div></div>\
             <div><b>{line}</b></div>{curves}<div style=\"opacity:.75\">{stop}</div></div>",
            title = escape(&self.title),
            device = escape(&self.device),
            percent = share * 100.0,
            line = escape(&line),
            curves = if history.step_losses.len() > 1 {
                curves(history, progress.steps).live_html()
            } else {
                String::new()
            },
        );
        Output::html(text, html)
    }
}

/// `epoch 3 of 12 · step 231 of 1200 · loss 0.412 · mean IoU 0.583 (best 0.601, epoch 2) · 4.8 images/s · 3 min 20 s left`
fn status(progress: &Progress, history: &History) -> String {
    let epochs = progress.steps.div_ceil(progress.steps_per_epoch.max(1));
    let epoch = (progress.step / progress.steps_per_epoch.max(1) + 1).min(epochs);
    let mut line = match progress.validating {
        Some((done, all)) => format!(
            "epoch {} of {epochs}, validating {done} of {all}",
            history.epochs.len() + 1
        ),
        None => format!("epoch {epoch} of {epochs}"),
    };
    let mut add = |text: String| {
        line.push_str(" · ");
        line.push_str(&text);
    };
    add(format!("step {} of {}", progress.step, progress.steps));
    if let Some(loss) = history
        .smoothed(smoothing(history.step_losses.len()))
        .last()
    {
        add(format!("loss {loss:.3}"));
    }
    if let (Some(last), Some(best)) = (history.epochs.last(), history.best()) {
        match (last.score(), best.score()) {
            (Some(score), Some(highest)) => add(format!(
                "{}{} {score:.3} (best {highest:.3}, epoch {})",
                last.scores.name(),
                if history.averaged { " (EMA)" } else { "" },
                best.epoch
            )),
            _ => add(format!("validation loss {:.3}", last.valid_loss)),
        }
    }
    if let Some(rate) = progress.images_per_second {
        add(format!("{rate:.1} images/s"));
    }
    if let Some(seconds) = progress.seconds_left {
        add(format!("{} left", duration(seconds)));
    }
    line
}

/// Where a run is, for a log.
fn progressed(progress: &Progress, history: &History) -> Event {
    let epochs = progress.steps.div_ceil(progress.steps_per_epoch.max(1));
    let loss = history.step_losses.last();
    let facts = json!({
        "doing": if progress.validating.is_some() { "validating" } else { "training" },
        "of": "steps",
        "done": progress.step,
        "total": progress.steps,
        "epoch": (progress.step / progress.steps_per_epoch.max(1) + 1).min(epochs),
        "epochs": epochs,
        "loss": loss,
        "images_per_second": progress.images_per_second,
        "seconds_left": progress.seconds_left,
    });
    Event::new("progress", status(progress, history), facts)
}

/// An epoch that is over, for a log.
fn finished(last: &EpochRecord, progress: &Progress, history: &History) -> Event {
    let epochs = progress.steps.div_ceil(progress.steps_per_epoch.max(1));
    let is_best = history.best().is_some_and(|best| best.epoch == last.epoch);
    let score = match last.score() {
        Some(score) => format!(" · {} {score:.4}", history.score_label()),
        None => String::new(),
    };
    let text = format!(
        "epoch {} of {epochs} done · training loss {:.4} · validation loss {:.4}{score}{} · {}",
        last.epoch,
        last.train_loss,
        last.valid_loss,
        if is_best { " (best)" } else { "" },
        duration(last.seconds),
    );
    let facts = json!({
        "epoch": last.epoch,
        "epochs": epochs,
        "step": last.step,
        "train_loss": last.train_loss,
        "valid_loss": last.valid_loss,
        "score_name": history.score_name(),
        "score": last.score(),
        "best": is_best,
        "learning_rate": last.lr,
        "images_per_second": last.images_per_second,
        "seconds": last.seconds,
    });
    Event::new("epoch", text, facts)
}

/// `12 s`, `3 min 20 s`, `2 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// Loss of every step (raw and smoothed) and validation loss on the left axis, the score that decides on the right.
pub(super) fn curves(history: &History, steps: usize) -> crate::plot::Figure {
    let raw: Vec<f64> = history
        .step_losses
        .iter()
        .map(|loss| f64::from(*loss))
        .collect();
    let mut series = vec![
        Series::new("", thinned(&raw)).faint().color(LOSS_COLOR),
        Series::new(
            "training loss",
            thinned(&history.smoothed(smoothing(raw.len()))),
        )
        .color(LOSS_COLOR),
    ];
    if !history.epochs.is_empty() {
        let points = history
            .epochs
            .iter()
            .map(|epoch| (epoch.step as f64, epoch.valid_loss));
        series.push(Series::new("validation loss", points).color(VALIDATION_COLOR));
        let points: Vec<_> = history
            .epochs
            .iter()
            .filter_map(|epoch| Some((epoch.step as f64, epoch.score()?)))
            .collect();
        if !points.is_empty() {
            series.push(
                Series::new(history.score_label(), points)
                    .on_right()
                    .color(SCORE_COLOR),
            );
        }
    }
    let plot = Curves::new("")
        .series(series)
        .x_label("step")
        .y_label("loss")
        .right_label(history.score_name());
    let plot = plot.size(680, 260).x_limits(0.0, steps.max(1) as f64);
    match history.best() {
        Some(best) => plot.mark(best.step as f64).figure(),
        None => plot.figure(),
    }
}

/// Share of the newest step in the smoothed loss: quick at first, so that a short run does not lag, slow later.
fn smoothing(steps: usize) -> f64 {
    (10.0 / steps.max(1) as f64).clamp(0.03, 0.3)
}

/// At most [`POINTS`] points, each the mean of a stretch, at the stretch's last step.
fn thinned(values: &[f64]) -> Vec<(f64, f64)> {
    let stretch = values.len().div_ceil(POINTS).max(1);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    values
        .chunks(stretch)
        .enumerate()
        .map(|(index, chunk)| ((index * stretch + chunk.len()) as f64, mean(chunk)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::history::tests::record;

    fn history(steps: usize) -> History {
        History {
            epochs: vec![
                record(1, [50, 10, 10, 30], 0.8),
                record(2, [50, 0, 10, 40], 0.6),
            ],
            step_losses: (0..steps)
                .map(|step| 1.0 / (1.0 + step as f32 / 50.0))
                .collect(),
            averaged: false,
        }
    }

    fn progress(step: usize) -> Progress {
        Progress {
            step,
            steps: 1000,
            steps_per_epoch: 100,
            images_per_second: Some(4.8),
            seconds_left: Some(200.0),
            validating: None,
        }
    }

    #[test]
    fn the_view_says_where_it_is_how_long_it_takes_and_how_to_stop() {
        let view = View::new("U-Net <b>".into(), "CPU".into(), false);
        let output = view.running(&progress(231), &history(231));
        for part in [
            "epoch 3 of 10",
            "step 231 of 1000",
            "mean IoU 0.817 (best 0.817, epoch 2)",
            "4.8 images/s",
            "3 min 20 s left",
        ] {
            assert!(output.text.contains(part), "{part} in {}", output.text);
            assert!(
                output.html.as_deref().unwrap_or_default().contains(part),
                "{part} in the HTML"
            );
        }
        assert!(output.text.contains("Interrupt the cell"));
        let html = output.html.unwrap_or_default();
        assert!(html.contains("<svg") && html.contains("U-Net &lt;b&gt;"));
    }

    #[test]
    fn each_curve_has_a_color_of_its_own_and_averaged_scores_are_called_so() {
        let averaged = History {
            averaged: true,
            ..history(30)
        };
        let figure = curves(&averaged, 1000);
        let svg = figure.svg().unwrap_or_default().to_lowercase();
        for [red, green, blue] in [LOSS_COLOR, VALIDATION_COLOR, SCORE_COLOR] {
            let color = format!("#{red:02x}{green:02x}{blue:02x}");
            assert!(svg.contains(&color), "{color}");
        }
        assert!(LOSS_COLOR != VALIDATION_COLOR && VALIDATION_COLOR != SCORE_COLOR);
        assert!(svg.contains("mean iou (ema)"));
        let line = status(&progress(231), &averaged);
        assert!(
            line.contains("mean IoU (EMA) 0.817 (best 0.817, epoch 2)"),
            "{line}"
        );
    }

    #[test]
    fn a_long_run_is_drawn_from_few_points() {
        let values: Vec<f64> = (0..10_000).map(f64::from).collect();
        let points = thinned(&values);
        assert!(points.len() <= POINTS);
        assert_eq!(points.last().map(|point| point.0), Some(10_000.0));
        let view = View::new(String::new(), String::new(), false);
        let html = view
            .running(&progress(999), &history(20_000))
            .html
            .unwrap_or_default();
        assert!(html.len() < 60_000, "{} bytes", html.len());
    }

    #[test]
    fn redraws_are_rare_and_quiet_runs_draw_nothing() {
        let mut view = View::new(String::new(), String::new(), true);
        view.show(&progress(1), &history(1));
        assert!(view.live.is_none() && view.drawn.is_none());
        let mut view = View::new(String::new(), String::new(), false);
        view.show(&progress(1), &history(1));
        let drawn = view.drawn;
        view.show(&progress(2), &history(2));
        assert!(drawn.is_some() && view.drawn == drawn);
    }

    #[test]
    fn durations_read_well() {
        assert_eq!(
            [duration(0.4), duration(61.0), duration(7500.0)],
            ["0 s", "1 min 1 s", "2 h 5 min"]
        );
    }
}
