//! The learning-rate finder: a short training whose rate rises from far too low to far too high.

use super::batch::Batch;
use super::fit::Trainer;
use super::halt::Halt;
use super::options::{FitOptions, Length};
use super::run::StopReason;
use super::trainable::Trainable;
use super::{TrainError, checks};
use crate::chips::Chips;
use crate::device::random;
use crate::display::{FONT, Output, Show, escape};
use crate::models::Model;
use crate::plot::{Curves, Figure, Series};
use crate::session::Live;
use crate::{Error, Result};

/// The first rate.
const LOWEST: f64 = 1e-7;
/// The rate that the last step would have.
const HIGHEST: f64 = 10.0;
/// Steps where the options name none.
const STEPS: usize = 100;
/// The smoothed loss's share of its former value.
const SMOOTHING: f64 = 0.98;
/// The search ends when the smoothed loss is this many times the lowest.
const BLOWN_UP: f64 = 4.0;
/// One step in so many left out at the start, where nothing happens, and steps left out at the end, where the loss
/// explodes.
const LEFT_OUT: (usize, usize) = (10, 5);
/// Steps between two redraws of the live view.
const REDRAW_EVERY: usize = 5;

/// What a search for a learning rate found: the loss at each rate, and suggestions. Shows itself as the curve.
///
/// # Source
/// Smith, Cyclical Learning Rates (2017); rates, smoothing, end and suggestions as fastai 2.8's `lr_find`.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct LrFinder {
    rates: Vec<f64>,
    losses: Vec<f64>,
    smoothed: Vec<f64>,
    /// Steps asked for.
    steps: usize,
}

impl LrFinder {
    fn new(steps: usize) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    /// The learning rates tried, in rising order.
    #[must_use]
    pub fn rates(&self) -> &[f64] {
        &self.rates
    }

    /// The training loss at each rate, smoothed.
    #[must_use]
    pub fn smoothed(&self) -> &[f64] {
        &self.smoothed
    }

    /// The rate to train with, `fit.lr(..)`: two thirds along the longest stretch over which the loss falls. `None` when
    /// the search ended too early to tell.
    #[must_use]
    #[doc(alias = "suggestion")]
    pub fn valley(&self) -> Option<f64> {
        let (rates, losses) = self.considered();
        let count = losses.len();
        // Longest falling subsequence that ends at each point.
        let mut lengths = vec![1_usize; count];
        // The start may be one before the first point, as in fastai.
        let (mut start, mut end) = (0_isize, 0);
        for here in 1..count {
            for before in 0..here {
                if losses[here] < losses[before] && lengths[here] < lengths[before] + 1 {
                    lengths[here] = lengths[before] + 1;
                }
                if lengths[end] < lengths[here] {
                    end = here;
                    start = end as isize - lengths[end] as isize;
                }
            }
        }
        let third = (end as isize - start) as f64 / 3.0;
        let index = start + third as isize + (third / 2.0) as isize;
        rates.get(index.max(0) as usize).copied()
    }

    /// The rate where the loss falls most steeply: usable, and often a bit low.
    #[must_use]
    pub fn steepest(&self) -> Option<f64> {
        let (rates, losses) = self.considered();
        let slopes = rates
            .windows(2)
            .zip(losses.windows(2))
            .map(|(rate, loss)| (rate[0], (loss[1] - loss[0]) / (rate[1].ln() - rate[0].ln())));
        slopes
            .min_by(|one, other| one.1.total_cmp(&other.1))
            .map(|(rate, _)| rate)
    }

    /// A tenth of the rate with the lowest loss: the highest rate that is usually safe.
    #[must_use]
    pub fn minimum(&self) -> Option<f64> {
        let (rates, losses) = self.considered();
        rates
            .iter()
            .zip(losses)
            .min_by(|one, other| one.1.total_cmp(other.1))
            .map(|(rate, _)| rate / 10.0)
    }

    /// Without the first tenth and the last five steps.
    fn considered(&self) -> (&[f64], &[f64]) {
        let first = self.steps / LEFT_OUT.0;
        let last = self.smoothed.len().saturating_sub(LEFT_OUT.1);
        if first >= last {
            return (&[], &[]);
        }
        (&self.rates[first..last], &self.smoothed[first..last])
    }

    fn rate(&self) -> f64 {
        LOWEST * (HIGHEST / LOWEST).powf(self.rates.len() as f64 / self.steps.max(1) as f64)
    }

    /// Takes in a step's loss; returns whether the search is over.
    fn add(&mut self, rate: f64, loss: f64) -> bool {
        self.rates.push(rate);
        self.losses.push(loss);
        // The mean from the former one, freed of the share of its start at 0.
        let weight = |steps: usize| 1.0 - SMOOTHING.powi(steps as i32);
        let count = self.losses.len();
        let before = self
            .smoothed
            .last()
            .map_or(0.0, |mean| mean * weight(count - 1));
        let mean = (before * SMOOTHING + loss * (1.0 - SMOOTHING)) / weight(count);
        self.smoothed.push(mean);
        let lowest = self.smoothed.iter().copied().fold(f64::INFINITY, f64::min);
        mean > BLOWN_UP * lowest || count >= self.steps
    }

    /// One sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        match (self.valley(), self.steepest(), self.minimum()) {
            (Some(valley), Some(steepest), Some(minimum)) => format!(
                "Suggested rate {valley:.1e} (valley); steepest {steepest:.1e}, a tenth of the lowest loss's \
                 {minimum:.1e}; {} rates tried",
                self.rates.len()
            ),
            _ => format!(
                "Only {} rates tried: too few to suggest one",
                self.rates.len()
            ),
        }
    }

    /// The loss over the rates, each suggestion marked.
    #[must_use]
    #[doc(alias = "plot")]
    #[doc(alias = "show")]
    pub fn figure(&self) -> Figure {
        let over = |losses: &[f64]| -> Vec<(f64, f64)> {
            let powers = self.rates.iter().map(|rate| rate.log10());
            powers.zip(losses.iter().copied()).collect()
        };
        // The explosion at the end would press everything before it flat.
        let (_, considered) = self.considered();
        let shown = if considered.is_empty() {
            &self.smoothed
        } else {
            considered
        };
        let highest = shown.iter().copied().fold(0.0, f64::max) * 1.2;
        let cut = |losses: &[f64]| -> Vec<(f64, f64)> {
            over(losses)
                .into_iter()
                .map(|(rate, loss)| (rate, if loss <= highest { loss } else { f64::NAN }))
                .collect()
        };
        let color = crate::plot::series_color(0);
        let title = match (self.valley(), self.steepest()) {
            (Some(valley), Some(steepest)) => format!(
                "Loss at each learning rate (dashed: valley {valley:.1e}, steepest {steepest:.1e})"
            ),
            _ => "Loss at each learning rate".to_owned(),
        };
        let mut plot = Curves::new(title)
            .series([
                Series::new("", cut(&self.losses)).faint().color(color),
                Series::new("smoothed training loss", cut(&self.smoothed)).color(color),
            ])
            .x_label("learning rate")
            .y_label("loss")
            .x_limits(LOWEST.log10(), HIGHEST.log10())
            .x_powers();
        for rate in [self.valley(), self.steepest()].into_iter().flatten() {
            plot = plot.mark(rate.log10());
        }
        plot.figure()
    }
}

impl Show for LrFinder {
    fn output(&self) -> Output {
        let (figure, summary) = (self.figure(), self.summary());
        let html = format!(
            "<div style=\"{FONT}\"><div><b>{}</b></div>{}</div>",
            escape(&summary),
            figure.html()
        );
        Output {
            svg: figure.svg(),
            alt: figure.alt().to_owned(),
            ..Output::html(summary, html)
        }
    }
}

crate::show_in_cells!(LrFinder);

/// Searches with the batches, loss and optimizer of `options`; the model stays as it is.
pub(super) fn find_rate<T: Trainable>(
    model: &Model<T>,
    chips: &Chips,
    options: &FitOptions,
    stop: &dyn Fn() -> bool,
) -> Result<LrFinder> {
    let scenes = chips.scenes();
    checks::settings(options)?;
    T::check(options, chips, scenes)?;
    checks::scenes(model, chips, scenes)?;
    checks::class_weights(options, model.classes())?;
    let steps = match options.length {
        Length::Steps(steps) => steps,
        Length::Epochs(_) => STEPS,
    };
    let mut short = options.clone().quiet(true);
    (short.length, short.checkpoints, short.resume, short.ema) =
        (Length::Steps(steps), None, None, None);
    let chips = T::chips(chips);
    let mut trainer = Trainer::new(model, &chips, None, &short, stop)?;
    let mut found = LrFinder::new(steps);
    let mut live: Option<Live> = None;
    for epoch in 0.. {
        let mut stream = chips.epoch(epoch, trainer.settings.batch, options.workers);
        'steps: loop {
            let rate = found.rate();
            trainer.fixed_rate = Some(rate);
            let seed = options.seed.wrapping_add(found.rates.len() as u64 + 1);
            let _alone = random::seeded(&trainer.device, seed);
            let mut taken = Ok(());
            for _ in 0..trainer.settings.accumulate {
                let chips = match stream.next() {
                    Some(Err(Error::Interrupted { .. })) => return Ok(found),
                    Some(chips) => chips?,
                    None => break 'steps,
                };
                if stop() {
                    return Ok(found);
                }
                let batch = Batch::new(&chips, &trainer.normalization);
                taken = taken.and_then(|()| trainer.gather(batch));
            }
            let taken = taken
                .and_then(|()| trainer.descend())
                .and_then(|()| trainer.read_losses());
            match taken {
                Err(Halt::Stop(StopReason::OutOfMemory { .. })) => {
                    return Err(trainer.no_memory().into());
                }
                Err(Halt::Stop(_)) => return over(found),
                Err(Halt::Fail(error)) => return Err(error),
                Ok(()) => {}
            }
            let loss = trainer.history.step_losses.last().copied();
            let done = found.add(rate, f64::from(loss.unwrap_or(f32::NAN)));
            if !options.quiet && found.rates.len().is_multiple_of(REDRAW_EVERY) {
                match &live {
                    Some(live) => live.update(&found.figure()),
                    None => live = Some(Live::new(&found.figure())),
                }
            }
            if done {
                return over(found);
            }
        }
        trainer.undo_step();
    }
    over(found)
}

/// A search that saw no finite loss at all has nothing to show.
fn over(found: LrFinder) -> Result<LrFinder> {
    if found.rates.is_empty() {
        let loss = f32::NAN;
        return Err(TrainError::NotFinite { loss, step: 1 }.into());
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::oracle_tests::{Number, oracle};
    use crate::train::tests::{model, parts, tensors};

    #[test]
    fn suggestions_agree_with_fastai() {
        let cases = oracle("finder");
        for case in &cases {
            // The fixture holds what is left after fastai's own cut.
            let (kept, losses) = (case["rates"].numbers(), case["losses"].numbers());
            let padded = |values: &[f64]| {
                let mut all = vec![1.0; 10];
                all.extend(values);
                all.extend([1.0; 5]);
                all
            };
            let search = LrFinder {
                rates: padded(&kept),
                losses: padded(&losses),
                smoothed: padded(&losses),
                steps: 100,
            };
            for (name, found) in [
                ("valley", search.valley()),
                ("steep", search.steepest()),
                ("minimum", search.minimum()),
            ] {
                let (found, expected) = (found.unwrap_or_default(), case[name].number());
                assert!(
                    (found / expected - 1.0).abs() < 1e-5,
                    "{name}: {found} {expected}"
                );
            }
        }
        assert_eq!(cases.len(), 3);
    }

    #[test]
    fn smoothing_is_a_mean_and_the_search_ends_when_the_loss_blows_up() {
        let mut search = LrFinder::new(100);
        assert!(!search.add(1e-7, 2.0) && !search.add(1e-6, 1.0));
        // fastai's AvgSmoothLoss: (2 * 0.98 * 0.02 + 1 * 0.02) / (1 - 0.98^2).
        assert!(
            (search.smoothed()[1] - 1.494_949_494_949).abs() < 1e-9,
            "{:?}",
            search.smoothed()
        );
        assert!(search.add(1e-5, 1000.0));
        assert_eq!(search.valley(), None);
        assert!(search.summary().contains("too few"));
    }

    #[test]
    fn a_search_tries_rising_rates_finds_one_that_trains_and_leaves_the_model_alone() -> Result<()>
    {
        let (chips, _) = parts()?;
        let model = model();
        let search = find_rate(&model, &chips, &FitOptions::steps(60).quiet(true), &|| {
            false
        })?;
        assert!(search.rates().is_sorted() && search.rates().len() > 40);
        assert_eq!(search.rates()[0], 1e-7);
        let rate = search.valley().unwrap_or_default();
        assert!((1e-6..1.0).contains(&rate), "{}", search.summary());
        assert!(!model.is_trained() && tensors(&model).is_empty());
        let shown = search.output();
        assert!(shown.text.contains("Suggested rate"));
        let svg = shown.svg.unwrap_or_default();
        for part in ["1e-5", "learning rate", "valley"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        Ok(())
    }

    #[test]
    fn an_interrupted_search_keeps_what_it_tried() -> Result<()> {
        let (chips, _) = parts()?;
        let count = std::cell::Cell::new(0);
        let stop = || {
            count.set(count.get() + 1);
            count.get() > 3
        };
        let search = find_rate(&model(), &chips, &FitOptions::epochs(1).quiet(true), &stop)?;
        assert_eq!(search.rates().len(), 3);
        Ok(())
    }
}
