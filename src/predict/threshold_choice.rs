//! A threshold that was chosen on labels, with the curve that it was chosen from.

use crate::display::{Output, Show};
use crate::plot::{Curves, Figure, Series, table_text};
use crate::report::{Notice, Report};

/// So many points of a curve are kept.
const POINTS: usize = 256;
/// Rows of the table that stands for the picture.
const ROWS: usize = 9;

/// What counts from which score on, in the words of a call: a number from 0 to 1, or a [`ThresholdChoice`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no threshold",
    note = "a threshold is a number from 0 to 1, or what `best_threshold(&valid)?` returns"
)]
pub trait IntoThreshold {
    /// The score.
    fn into_threshold(self) -> f32;
}

impl IntoThreshold for f32 {
    fn into_threshold(self) -> f32 {
        self
    }
}

impl IntoThreshold for f64 {
    fn into_threshold(self) -> f32 {
        self as f32
    }
}

impl IntoThreshold for ThresholdChoice {
    fn into_threshold(self) -> f32 {
        self.chosen.threshold
    }
}

impl IntoThreshold for &ThresholdChoice {
    fn into_threshold(self) -> f32 {
        self.chosen.threshold
    }
}

/// What a threshold finds, and how much of it is right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ThresholdPoint {
    /// What has at least this score counts.
    pub threshold: f32,
    /// The share of what counts that is right; NaN where nothing counts.
    pub precision: f64,
    /// The share of labeled pixels or objects that is found; NaN where nothing is labeled.
    pub recall: f64,
    /// The harmonic mean of both; NaN where there is neither anything labeled nor anything that counts.
    pub f1: f64,
}

impl ThresholdPoint {
    /// From counts.
    pub(crate) fn of(threshold: f32, right: u64, wrong: u64, labeled: u64) -> Self {
        let share = |part: u64, whole: u64| part as f64 / whole as f64;
        Self {
            threshold,
            precision: share(right, right + wrong),
            recall: share(right, labeled),
            f1: share(2 * right, right + wrong + labeled),
        }
    }
}

/// A threshold chosen on labeled imagery, with the curve of precision, recall and F1 that it was chosen from: what
/// [`super::SceneMap::best_threshold`], [`crate::detect::SceneBoxes::best_threshold`] and, for many scenes together,
/// [`super::Predictions::best_threshold`] return. It goes wherever a threshold does, and prints as its number.
///
/// As the last expression of a cell it shows the curve.
///
/// ```no_run
/// # use swath::prelude::*;
/// # fn example(run: &Run, valid: &Scene, test: &Scene) -> swath::Result<()> {
/// let choice = run.best().predict(valid)?.best_threshold(valid)?;
/// println!("a pixel counts from {choice:.2} on: F1 {:.3}", choice.f1());
/// let map = run.best().predict_with(test, PredictOptions::new().threshold(&choice))?;
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq)]
pub struct ThresholdChoice {
    chosen: ThresholdPoint,
    /// The highest F1 of all.
    highest: ThresholdPoint,
    curve: Vec<ThresholdPoint>,
    /// `pixels`, `boxes at IoU 0.50`.
    of: String,
    /// The scene's name, or how many scenes.
    on: String,
    report: Report,
}

impl ThresholdChoice {
    /// `curve` has rising thresholds.
    pub(crate) fn new(
        chosen: ThresholdPoint,
        curve: Vec<ThresholdPoint>,
        of: impl Into<String>,
        on: impl Into<String>,
    ) -> Self {
        let better = |best: ThresholdPoint, one: &ThresholdPoint| match one.f1 > best.f1 {
            true => *one,
            false => best,
        };
        let highest = curve.iter().fold(chosen, better);
        let every = curve.len().div_ceil(POINTS).max(1);
        let last = curve.len().saturating_sub(1);
        let kept = curve.into_iter().enumerate();
        Self {
            chosen,
            highest,
            curve: kept
                .filter(|(at, _)| at % every == 0 || *at == last)
                .map(|(_, point)| point)
                .collect(),
            of: of.into(),
            on: on.into(),
            report: Report::new(),
        }
    }

    /// This choice with what there is to say of it.
    pub(crate) fn with_notice(mut self, notice: Notice) -> Self {
        self.report.push(notice);
        self
    }

    /// The threshold: what has at least this score counts.
    #[must_use]
    #[doc(alias = "score")]
    #[doc(alias = "value")]
    pub fn threshold(&self) -> f32 {
        self.chosen.threshold
    }

    /// F1 at the threshold, on the labels that it was chosen on: another place may give another.
    #[must_use]
    pub fn f1(&self) -> f64 {
        self.chosen.f1
    }

    /// The share of what counts that is right, at the threshold.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.chosen.precision
    }

    /// The share of what is labeled that is found, at the threshold.
    #[must_use]
    pub fn recall(&self) -> f64 {
        self.chosen.recall
    }

    /// The threshold with the very highest F1, which may be another one: of a map's thresholds that are nearly as good, the
    /// one nearest to a half was chosen.
    #[must_use]
    pub fn highest(&self) -> ThresholdPoint {
        self.highest
    }

    /// Precision, recall and F1 at rising thresholds: at most 257 of them, spread over all.
    #[must_use]
    pub fn curve(&self) -> &[ThresholdPoint] {
        &self.curve
    }

    /// What a person should know about the choice: that nothing is labeled, or nothing right.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Precision, recall and F1 over the threshold, the chosen one marked.
    #[must_use]
    #[doc(alias = "plot")]
    pub fn figure(&self) -> Figure {
        let series = |name: &str, of: fn(&ThresholdPoint) -> f64| {
            let points = self.curve.iter();
            let points = points.map(|point| (f64::from(point.threshold), of(point)));
            Series::new(name, points.collect::<Vec<_>>())
        };
        Curves::new(self.summary())
            .series([
                series("F1", |point| point.f1),
                series("precision", |point| point.precision),
                series("recall", |point| point.recall),
            ])
            .x_label("threshold")
            .y_label(format!("of {}", self.of))
            .x_limits(0.0, 1.0)
            .mark(f64::from(self.threshold()))
            .size(520, 260)
            .figure()
    }

    /// `Threshold 0.42 of pixels, chosen on valid: F1 0.812`.
    fn summary(&self) -> String {
        format!(
            "Threshold {:.2} of {}, chosen on {}: F1 {:.3}",
            self.threshold(),
            self.of,
            self.on,
            self.f1()
        )
    }

    /// The chosen point among some of the others.
    fn table(&self) -> String {
        let near = |wanted: f32| {
            let from = |point: &&ThresholdPoint| (point.threshold - wanted).abs();
            let points = self.curve.iter();
            points.min_by(|one, other| from(one).total_cmp(&from(other)))
        };
        let mut rows: Vec<(ThresholdPoint, bool)> = (1..=ROWS)
            .filter_map(|tenth| near(tenth as f32 / (ROWS + 1) as f32))
            .map(|point| (*point, false))
            .filter(|(point, _)| point.threshold != self.threshold())
            .collect();
        rows.push((self.chosen, true));
        rows.sort_by(|one, other| one.0.threshold.total_cmp(&other.0.threshold));
        rows.dedup_by(|one, other| one.0.threshold == other.0.threshold);
        let cell = |value: f64| match value.is_nan() {
            true => "-".to_owned(),
            false => format!("{value:.3}"),
        };
        let rows: Vec<Vec<String>> = rows
            .iter()
            .map(|(point, chosen)| {
                vec![
                    format!("{:.3}", point.threshold),
                    cell(point.precision),
                    cell(point.recall),
                    cell(point.f1),
                    if *chosen { "chosen" } else { "" }.to_owned(),
                ]
            })
            .collect();
        table_text(&["threshold", "precision", "recall", "F1", ""], &rows)
    }
}

/// As its number, so that `{choice:.2}` is that of the threshold.
impl std::fmt::Display for ThresholdChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.threshold().fmt(f)
    }
}

/// `ThresholdChoice(0.42, F1 0.812 of pixels on valid)`.
impl std::fmt::Debug for ThresholdChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (threshold, f1) = (self.threshold(), self.f1());
        write!(
            f,
            "ThresholdChoice({threshold:.2}, F1 {f1:.3} of {} on {})",
            self.of, self.on
        )
    }
}

impl Show for ThresholdChoice {
    fn output(&self) -> Output {
        let figure = self.figure();
        let text = format!("{}\n{}", self.summary(), self.table());
        Output {
            svg: figure.svg(),
            alt: figure.alt().to_owned(),
            ..Output::html(text, figure.html())
        }
        .with_report(&self.report)
    }
}

crate::show_in_cells!(ThresholdChoice);

#[cfg(test)]
mod tests {
    use super::*;

    fn choice() -> ThresholdChoice {
        // 10 labeled: at 0.25 all are found with 10 others, at 0.5 six with two others, at 0.75 two alone.
        let curve = vec![
            ThresholdPoint::of(0.25, 10, 10, 10),
            ThresholdPoint::of(0.5, 6, 2, 10),
            ThresholdPoint::of(0.75, 2, 0, 10),
        ];
        ThresholdChoice::new(curve[1], curve, "pixels", "valid")
    }

    #[test]
    fn points_are_those_of_the_definitions() {
        let choice = choice();
        assert_eq!((choice.precision(), choice.recall()), (0.75, 0.6));
        // 2 * 0.75 * 0.6 / (0.75 + 0.6) = 2/3; 2 * 0.5 * 1 / 1.5 = 2/3; 2 * 1 * 0.2 / 1.2 = 1/3.
        let f1: Vec<f64> = choice.curve().iter().map(|point| point.f1).collect();
        assert!(
            f1.iter()
                .zip([2.0 / 3.0, 2.0 / 3.0, 1.0 / 3.0])
                .all(|(f1, expected)| (f1 - expected).abs() < 1e-12)
        );
        assert_eq!(choice.highest().threshold, 0.5);
        let none = ThresholdPoint::of(0.5, 0, 0, 0);
        assert!(none.precision.is_nan() && none.recall.is_nan() && none.f1.is_nan());
    }

    #[test]
    fn it_is_a_number_a_curve_and_a_table() {
        let choice = choice();
        assert_eq!(
            (format!("{choice:.2}"), choice.to_string()),
            ("0.50".to_owned(), "0.5".to_owned())
        );
        assert_eq!((&choice).into_threshold(), 0.5);
        assert_eq!(
            format!("{choice:?}"),
            "ThresholdChoice(0.50, F1 0.667 of pixels on valid)"
        );
        let output = choice.output();
        for part in [
            "Threshold 0.50 of pixels, chosen on valid: F1 0.667",
            "0.250",
            "chosen",
        ] {
            assert!(output.text.contains(part), "{part} in {}", output.text);
        }
        assert_eq!(output.text.lines().count(), 5);
        assert!(output.svg.is_some_and(|svg| svg.contains("precision")));
    }

    #[test]
    fn long_curves_keep_both_ends() {
        let curve: Vec<ThresholdPoint> = (0..10_000)
            .map(|at| ThresholdPoint::of(at as f32 / 10_000.0, 1, at, 1))
            .collect();
        let choice = ThresholdChoice::new(curve[5000], curve, "boxes", "valid");
        assert!(choice.curve().len() <= 257);
        assert_eq!(choice.curve()[0].threshold, 0.0);
        assert_eq!(choice.curve().last().unwrap().threshold, 0.9999);
        assert_eq!(choice.highest().threshold, 0.0);
    }
}
