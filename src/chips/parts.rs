//! The scenes that chips are cut from: what each gives, and which scene a chip is of.

use rand::Rng as _;
use rayon::prelude::*;

use super::by_class::ByClass;
use super::chip::generator;
use super::ground::Ground;
use super::options::{Edge, Layout, Weight};
use super::placing::{self, Placed, Placing};
use super::sizes::{self, Edges};
use super::{ChipOptions, ChipsError, of_objects};
use crate::raster::{Patch, PixelWindow};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::scenes::Scenes;
use crate::{Error, Result, session};

/// What the generator of scenes is for, beside those of places, sizes, flips and colors.
const SCENES: u64 = u64::MAX - 1;
/// 2^64 divided by the golden ratio: its multiples fill the circle as evenly as can be, however many there are.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What one scene gives.
pub(super) struct Part {
    /// Its place in the collection.
    pub(super) scene: usize,
    /// Of windows.
    pub(super) edges: Edges,
    /// Of sliding chips and those of objects; random ones are drawn when they are read.
    pub(super) windows: Vec<Placed>,
    /// Where random chips are cut.
    pub(super) placing: Placing,
    /// How large its share of random chips is, beside those of the others.
    weight: f64,
}

/// What all scenes give.
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    /// Sums of weights, or of windows where these are known, up to each part.
    sums: Vec<f64>,
    /// Where the even sequence of random chips begins.
    start: u64,
    /// Whether the windows are known before they are read.
    placed: bool,
    /// When chips are cut around classes.
    by_class: Option<ByClass>,
    pub(super) report: Report,
}

impl Parts {
    /// Prepares the chips of every scene, in parallel. `edge` is that of a chip.
    pub(super) fn new(scenes: &Scenes, options: &ChipOptions, edge: usize) -> Result<Self> {
        let all: Vec<(usize, &Scene)> = scenes.iter().enumerate().collect();
        let prepared: Vec<Result<(Part, Report)>> = all
            .par_iter()
            .map(|&(index, scene)| {
                session::check_interrupt("preparing chips")?;
                part(index, scene, options, edge)
            })
            .collect();
        let mut report = Report::new();
        let (mut parts, mut nothing, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for (outcome, name) in prepared.into_iter().zip(scenes.names()) {
            match outcome {
                Ok((part, said)) => {
                    told.push((name, said));
                    parts.push(part);
                }
                Err(error) if all.len() > 1 && gives_nothing(&error) => {
                    nothing.push((name.to_owned(), error));
                }
                Err(error) => return Err(error),
            }
        }
        if parts.is_empty()
            && let Some((_, error)) = nothing.pop()
        {
            return Err(error);
        }
        if !nothing.is_empty() {
            let count = nothing.len();
            let names: Vec<String> = nothing
                .into_iter()
                .take(5)
                .map(|(name, error)| format!("{name}: {error}"))
                .collect();
            let text = format!(
                "{count} of {} scenes give no chip, such as {}",
                all.len(),
                names.join("; ")
            );
            report.push(Notice::left_out(text).count(count));
        }
        report.extend(together(told, all.len()));
        let placed = options.is_placed();
        let mut sum = 0.0;
        let sums = parts
            .iter()
            .map(|part| {
                sum += if placed {
                    part.windows.len() as f64
                } else {
                    part.weight
                };
                sum
            })
            .collect();
        let start = generator(options.seed, usize::MAX, SCENES).next_u64();
        let by_class = ByClass::new(scenes, &parts, options, &mut report)?;
        Ok(Self {
            parts,
            sums,
            start,
            placed,
            by_class,
            report,
        })
    }

    /// Chips there are.
    pub(super) fn count(&self, options: &ChipOptions) -> usize {
        match options.layout {
            Layout::Random { count } => count,
            Layout::Sliding | Layout::Objects => {
                self.parts.iter().map(|part| part.windows.len()).sum()
            }
        }
    }

    /// The place in the collection of the scene of random chip `index`, its window and the imagery there.
    pub(super) fn place(
        &self,
        scenes: &Scenes,
        options: &ChipOptions,
        index: usize,
    ) -> Result<(usize, PixelWindow, Patch)> {
        if let Some(by_class) = &self.by_class
            && let Some((place, window, patch)) =
                by_class.place(scenes, &self.parts, options, index)?
        {
            return Ok((self.parts[place].scene, window, patch));
        }
        let part = self.of(index).0;
        let scene = scenes.get(part.scene).unwrap_or_else(|| scenes.first());
        let (window, patch) = part.placing.place(scene, options, index)?;
        Ok((part.scene, window, patch))
    }

    /// The part that chip `index` is of, and its number within that part.
    ///
    /// Random chips go round the scenes in steps of the golden ratio (a Kronecker sequence): after any number of chips, each
    /// scene has its share of them to within a few, and which scene a chip is of depends on the seed and its number alone.
    pub(super) fn of(&self, index: usize) -> (&Part, usize) {
        let last = self.parts.len() - 1;
        if last == 0 {
            return (&self.parts[0], index);
        }
        let total = self.sums[last];
        let place = if self.placed {
            index as f64
        } else {
            let turn = self.start.wrapping_add((index as u64).wrapping_mul(GOLDEN));
            turn as f64 / 2f64.powi(64) * total
        };
        let part = self.sums.partition_point(|&sum| sum <= place).min(last);
        let before = if part == 0 { 0.0 } else { self.sums[part - 1] };
        let within = if self.placed {
            index - before as usize
        } else {
            index
        };
        (&self.parts[part], within)
    }
}

fn part(index: usize, scene: &Scene, options: &ChipOptions, edge: usize) -> Result<(Part, Report)> {
    // A chip in meters has as many pixels in every scene; its window has those of the scene.
    let own = match options.edge {
        Edge::Pixels(edge) => edge,
        Edge::Meters(_) if index == 0 => edge,
        Edge::Meters(meters) => sizes::pixels(meters, scene.raster())?,
    };
    let mut edges = Edges::new(options, own, scene.raster())?;
    let area = scene.area();
    if !options.padded
        && options.layout != Layout::Objects
        && edges.largest > area.width.min(area.height)
    {
        return Err(ChipsError::LargerThanScene {
            path: scene.raster().path().to_owned(),
            chip: edges.largest,
            scene: area.size(),
        }
        .into());
    }
    let mut report = Report::new();
    let placing = Placing::new(scene, options, edges)?;
    report.extend(placing.background_only(scene)?);
    let windows = match options.layout {
        Layout::Random { .. } => {
            placing.probe(scene, options)?;
            Vec::new()
        }
        Layout::Sliding => {
            let (windows, left_out) = placing::sliding(scene, options, edges.largest)?;
            report.extend(left_out);
            windows
        }
        Layout::Objects => {
            let (windows, left_out) = of_objects::around(scene, options)?;
            report.extend(left_out);
            edges = Edges::of(windows.iter().map(|one| one.window.width)).unwrap_or(edges);
            windows
        }
    };
    let weight = match options.weight {
        Weight::Area => area.area() as f64,
        Weight::Labeled => Ground::of(scene)?.total() as f64,
        Weight::Even => 1.0,
    };
    let part = Part {
        scene: index,
        edges,
        windows,
        placing,
        weight,
    };
    Ok((part, report))
}

/// Whether the scene alone has no place for a chip, while others may.
fn gives_nothing(error: &Error) -> bool {
    matches!(
        error,
        Error::Chips(
            ChipsError::NothingLabeled { .. }
                | ChipsError::NoValidPlace { .. }
                | ChipsError::OutsideInterest { .. }
                | ChipsError::NoObjectInArea { .. }
        )
    )
}

/// What the scenes have to say: each its own where there are few, otherwise counted.
fn together(told: Vec<(&str, Report)>, all: usize) -> Report {
    if all == 1 {
        return told.into_iter().flat_map(|(_, report)| report).collect();
    }
    let mut kinds = std::collections::BTreeMap::<String, (usize, u64, Notice, String)>::new();
    for (name, report) in told {
        for notice in report {
            let alike: String = notice
                .text()
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect();
            let count = notice.counted().unwrap_or(0);
            let of_kind = kinds
                .entry(alike)
                .or_insert_with(|| (0, 0, notice.clone(), name.to_owned()));
            of_kind.0 += 1;
            of_kind.1 += count;
        }
    }
    let notices = kinds.into_values().map(|(scenes, count, first, name)| {
        let text = format!("{scenes} of {all} scenes, such as {name}: {}", first.text());
        let count = if count > 0 { count as usize } else { scenes };
        let notice = Notice::new(first.kind(), text).count(count);
        match first.next_step() {
            // A scene without objects is usual among many.
            Some(next) if scenes == all => notice.next(next),
            _ => notice,
        }
    });
    notices.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(weights: &[f64], seed: u64) -> Parts {
        let mut sum = 0.0;
        let sums: Vec<f64> = weights
            .iter()
            .map(|weight| {
                sum += weight;
                sum
            })
            .collect();
        Parts {
            parts: weights
                .iter()
                .enumerate()
                .map(|(scene, &weight)| Part {
                    scene,
                    edges: Edges {
                        smallest: 1,
                        largest: 1,
                    },
                    windows: Vec::new(),
                    placing: Placing::blind(Edges {
                        smallest: 1,
                        largest: 1,
                    }),
                    weight,
                })
                .collect(),
            sums,
            start: generator(seed, usize::MAX, SCENES).next_u64(),
            placed: false,
            by_class: None,
            report: Report::new(),
        }
    }

    /// The discrepancy of a golden-ratio sequence is below (2 + ln n) / n.
    #[test]
    fn every_scene_has_its_share_after_any_number_of_chips() {
        for (seed, weights) in [
            (0, vec![1.0, 2.0, 7.0]),
            (5, vec![1.0; 40]),
            (9, vec![0.0, 3.0, 0.5]),
        ] {
            let parts = parts(&weights, seed);
            let total: f64 = weights.iter().sum();
            let mut counts = vec![0_usize; weights.len()];
            for index in 0..5000 {
                counts[parts.of(index).0.scene] += 1;
                let chips = index + 1;
                for (count, weight) in counts.iter().zip(&weights) {
                    let fair = weight / total * chips as f64;
                    assert!(
                        (*count as f64 - fair).abs() < 2.0 + (chips as f64).ln(),
                        "{chips}: {count} for {fair}"
                    );
                }
            }
        }
    }
}
