//! How a cell of a grid, or a chip, gets one class from what is labeled in it.

use serde::{Deserialize, Serialize};

use super::IGNORE;

/// A cell counts where at least this part of its pixels do: valid, in use, of interest, labeled.
const COUNTED: f64 = 0.5;

/// How a cell, that is a chip or a window of a grid, gets one class from the areas and objects labeled in it, for
/// [`crate::models::Classifier`].
///
/// | rule | a cell is of the class |
/// |---|---|
/// | [`CellRule::majority`], unless another is given | that covers most of its pixels, the background among them |
/// | [`CellRule::share_of_cell`] | that covers at least this part of its pixels; of several the one that covers most |
/// | [`CellRule::share_of_object`] | of an object of which at least this part lies in the cell; of several the one that covers most of the cell |
///
/// Where no class qualifies, the cell is background, unless [`CellRule::otherwise`] or [`CellRule::otherwise_ignored`] says
/// something else. Only pixels that count are looked at (see [`crate::scene::Scene::label_window`]); a cell of which less than
/// half counts does not count itself.
///
/// ```
/// use swath::labels::CellRule;
/// // A cell with at least half of a building in it is a cell of buildings.
/// let rule = CellRule::share_of_object(0.5);
/// ```
///
/// # Source
/// The last two are Raster Vision's `ChipClassificationLabelSourceConfig`: `share_of_object(t)` is `ioa_thresh=t`,
/// `share_of_cell(t)` is that with `use_intersection_over_cell=True`, but for the sum over all polygons of a class instead of
/// each alone; [`CellRule::lowest_class`] is `pick_min_class_id=True`, [`CellRule::otherwise`] its `background_class_id`, and
/// [`CellRule::otherwise_ignored`] its being `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct CellRule {
    pub(crate) share: Share,
    lowest: bool,
    pub(crate) otherwise: Otherwise,
}

/// What of a class has to be in a cell.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Share {
    /// More than of any other, background included.
    Majority,
    /// At least so much of the cell's counting pixels.
    OfCell(f64),
    /// At least so much of one object.
    OfObject(f64),
}

/// What a cell is when no class qualifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Otherwise {
    Background,
    Ignored,
    Class(String),
}

impl Default for CellRule {
    fn default() -> Self {
        Self::majority()
    }
}

impl CellRule {
    fn of(share: Share) -> Self {
        Self {
            share,
            lowest: false,
            otherwise: Otherwise::Background,
        }
    }

    /// The class that covers most of the cell, background included.
    pub fn majority() -> Self {
        Self::of(Share::Majority)
    }

    /// A class that covers at least `share` of the cell, above 0 and at most 1.
    #[doc(alias = "use_intersection_over_cell")]
    pub fn share_of_cell(share: f64) -> Self {
        Self::of(Share::OfCell(share))
    }

    /// The class of an object, polygon or box, of which at least `share` lies in the cell, above 0 and at most 1.
    #[doc(alias = "ioa_thresh")]
    pub fn share_of_object(share: f64) -> Self {
        Self::of(Share::OfObject(share))
    }

    /// Of several classes that qualify, the first in the order of the classes instead of the one that covers most.
    #[doc(alias = "pick_min_class_id")]
    pub fn lowest_class(mut self) -> Self {
        self.lowest = true;
        self
    }

    /// A cell in which no class qualifies is of this class.
    #[doc(alias = "background_class_id")]
    pub fn otherwise(mut self, class: impl Into<String>) -> Self {
        self.otherwise = Otherwise::Class(class.into());
        self
    }

    /// A cell in which no class qualifies does not count.
    pub fn otherwise_ignored(mut self) -> Self {
        self.otherwise = Otherwise::Ignored;
        self
    }

    /// `of the class of an object of which at least 0.5 lies in them; otherwise background`.
    pub(crate) fn words(&self) -> String {
        let which = match self.share {
            Share::Majority => "of the class of most pixels".to_owned(),
            Share::OfCell(share) => format!("of a class that covers at least {share} of them"),
            Share::OfObject(share) => {
                format!("of the class of an object of which at least {share} lies in them")
            }
        };
        let lowest = if self.lowest {
            ", the first of several"
        } else {
            ""
        };
        let otherwise = match &self.otherwise {
            Otherwise::Background => "background",
            Otherwise::Ignored => "they do not count",
            Otherwise::Class(name) => name,
        };
        format!("{which}{lowest}; otherwise {otherwise}")
    }

    /// The share that is asked for, if one is.
    pub(crate) fn asked(&self) -> Option<f64> {
        match self.share {
            Share::Majority => None,
            Share::OfCell(share) | Share::OfObject(share) => Some(share),
        }
    }

    /// Whether it looks at single objects.
    pub(crate) fn is_of_objects(&self) -> bool {
        matches!(self.share, Share::OfObject(_))
    }

    /// The class that qualifies in a cell with these labels; `None` when none does.
    pub(crate) fn of_labels(&self, labels: &[u8]) -> Option<u8> {
        let counts = counts(labels);
        let all: usize = counts.iter().sum();
        let from = match self.share {
            Share::Majority => 0,
            _ => 1,
        };
        let needed = match self.share {
            Share::OfCell(share) => share * all as f64,
            // The class of most pixels, however few; none without pixels.
            Share::Majority | Share::OfObject(_) => f64::MIN_POSITIVE,
        };
        let classes = (from..usize::from(IGNORE)).map(|class| (class as u8, counts[class] as f64));
        self.pick(classes.filter(|(_, pixels)| *pixels >= needed && *pixels > 0.0))
    }

    /// The class that qualifies among objects: the class of each, its area in the cell, and the area of all of it.
    pub(crate) fn of_objects(&self, objects: impl Iterator<Item = (u8, f64, f64)>) -> Option<u8> {
        let least = self.asked().unwrap_or(0.0);
        // Rounding must not lose an object that lies in the cell wholly.
        let enough = |inside: f64, whole: f64| {
            inside > 0.0 && inside >= least * whole * (1.0 - 1e-9) && whole > 0.0
        };
        let qualify = objects.filter(|&(_, inside, whole)| enough(inside, whole));
        self.pick(qualify.map(|(class, inside, _)| (class, inside)))
    }

    /// The class that covers most, or the lowest one; the lower of two that cover as much.
    fn pick(&self, qualified: impl Iterator<Item = (u8, f64)>) -> Option<u8> {
        let mut best: Option<(u8, f64)> = None;
        for (class, covered) in qualified {
            let better = best.is_none_or(|(before, most)| match self.lowest {
                true => class < before,
                false => covered > most || (covered == most && class < before),
            });
            if better {
                best = Some((class, covered));
            }
        }
        best.map(|(class, _)| class)
    }
}

/// Whether enough of a cell's pixels count for the cell to count.
pub(crate) fn counts_as_cell(labels: &[u8]) -> bool {
    let counted = labels.iter().filter(|&&label| label != IGNORE).count();
    counted > 0 && counted as f64 >= COUNTED * labels.len() as f64
}

/// Pixels of each class, those that are ignored left out.
fn counts(labels: &[u8]) -> [usize; 255] {
    let mut counts = [0; 255];
    for &label in labels {
        if let Some(count) = counts.get_mut(usize::from(label)) {
            *count += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(parts: &[(u8, usize)]) -> Vec<u8> {
        let runs = parts.iter();
        runs.flat_map(|&(class, pixels)| std::iter::repeat_n(class, pixels))
            .collect()
    }

    #[test]
    fn shares_of_pixels_decide_as_the_rule_says() {
        let mixed = cell(&[(0, 40), (1, 25), (2, 35)]);
        assert_eq!(CellRule::majority().of_labels(&mixed), Some(0));
        assert_eq!(CellRule::share_of_cell(0.2).of_labels(&mixed), Some(2));
        let lowest = CellRule::share_of_cell(0.2).lowest_class();
        assert_eq!(lowest.of_labels(&mixed), Some(1));
        assert_eq!(CellRule::share_of_cell(0.36).of_labels(&mixed), None);
        // Only pixels that count are looked at: 35 of 50.
        let half = cell(&[(0, 15), (2, 35), (IGNORE, 50)]);
        assert_eq!(CellRule::share_of_cell(0.7).of_labels(&half), Some(2));
        assert!(counts_as_cell(&half) && !counts_as_cell(&half[1..]));
        assert_eq!(CellRule::majority().of_labels(&cell(&[(IGNORE, 9)])), None);
        assert_eq!(CellRule::majority().of_labels(&[]), None);
        // Of two alike the lower one.
        assert_eq!(
            CellRule::majority().of_labels(&cell(&[(3, 5), (1, 5)])),
            Some(1)
        );
    }

    /// The tests of Raster Vision's `infer_cell`: IoA over the polygon, over the cell, the lowest class.
    #[test]
    fn objects_qualify_by_the_part_of_them_that_lies_in_the_cell() {
        // A small object that lies in the cell wholly, and a quarter of a large one.
        let objects = [(2, 4.0, 4.0), (1, 50.0, 200.0)];
        let of = |rule: CellRule| rule.of_objects(objects.into_iter());
        assert_eq!(of(CellRule::share_of_object(0.5)), Some(2));
        assert_eq!(of(CellRule::share_of_object(0.25)), Some(1));
        assert_eq!(of(CellRule::share_of_object(0.26)), Some(2));
        assert_eq!(of(CellRule::share_of_object(1.0)), Some(2));
        let nowhere = [(1, 0.0, 9.0)].into_iter();
        assert_eq!(CellRule::share_of_object(0.1).of_objects(nowhere), None);
    }
}
