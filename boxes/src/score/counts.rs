use serde::{Deserialize, Serialize};

/// Right, wrong and missed boxes, and what follows from them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatchScore {
    /// Found boxes that match an object.
    pub true_positives: usize,
    /// Found boxes that match none.
    pub false_positives: usize,
    /// Objects that no box matches.
    pub false_negatives: usize,
    /// The share of found boxes that are right; NaN when nothing was found.
    pub precision: f64,
    /// The share of objects that were found; NaN when there is none.
    pub recall: f64,
    /// Harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`; NaN when there is neither object nor found box.
    pub f1: f64,
}

impl MatchScore {
    /// The scores that follow from the counts.
    #[must_use]
    pub fn new(true_positives: usize, false_positives: usize, false_negatives: usize) -> Self {
        let share = |part: usize, whole: usize| part as f64 / whole as f64;
        Self {
            true_positives,
            false_positives,
            false_negatives,
            precision: share(true_positives, true_positives + false_positives),
            recall: share(true_positives, true_positives + false_negatives),
            f1: share(
                2 * true_positives,
                2 * true_positives + false_positives + false_negatives,
            ),
        }
    }

    /// The counts of both together, as over several classes or scenes.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self::new(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
        )
    }
}
