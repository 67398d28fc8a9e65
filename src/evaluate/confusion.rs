use super::{ClassScore, EvaluateError, Scores};
use crate::Result;

/// Class index of pixels that are not labeled; as [`crate::labels`] writes it.
const IGNORE: u8 = 255;

/// Counts of pixels by true and predicted class. Rows are the truth, columns the prediction.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Confusion {
    /// Class names, by class index.
    pub classes: Vec<String>,
    /// Pixels, row-major: `counts[truth * classes.len() + prediction]`.
    pub counts: Vec<u64>,
}

impl Confusion {
    /// An empty matrix of `n` classes named by their index.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self::named((0..n).map(|index| format!("class {index}")))
    }

    /// An empty matrix with one row and one column per name.
    #[must_use]
    pub fn named(classes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let classes: Vec<String> = classes.into_iter().map(Into::into).collect();
        let counts = vec![0; classes.len() * classes.len()];
        Self { classes, counts }
    }

    /// Counts pixels. A pixel whose truth or prediction is [`crate::labels::IGNORE`] (255) is skipped.
    ///
    /// # Errors
    /// [`EvaluateError::LengthMismatch`] when the slices differ in length, [`EvaluateError::ClassOutOfRange`] when a
    /// class index has no row here; nothing is counted then.
    #[doc(alias = "update")]
    pub fn add(&mut self, truth: &[u8], prediction: &[u8]) -> Result<()> {
        if truth.len() != prediction.len() {
            return Err(EvaluateError::LengthMismatch {
                truth: truth.len(),
                prediction: prediction.len(),
            }
            .into());
        }
        // 256 x 256 counters: the loop over pixels stays free of branches, and indices are checked once at the end.
        let mut pairs = vec![0_u32; 256 * 256];
        let mut found = Self {
            classes: self.classes.clone(),
            counts: self.counts.clone(),
        };
        for (truth, prediction) in truth.chunks(1 << 30).zip(prediction.chunks(1 << 30)) {
            pairs.fill(0);
            for (&truth, &prediction) in truth.iter().zip(prediction) {
                pairs[usize::from(truth) << 8 | usize::from(prediction)] += 1;
            }
            found.add_pairs(&pairs)?;
        }
        *self = found;
        Ok(())
    }

    fn add_pairs(&mut self, pairs: &[u32]) -> Result<()> {
        let n = self.classes.len();
        let ignore = usize::from(IGNORE);
        for (index, &count) in pairs.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (truth, prediction) = (index >> 8, index & 255);
            if truth == ignore || prediction == ignore {
                continue;
            }
            let largest = truth.max(prediction);
            if largest >= n {
                return Err(EvaluateError::ClassOutOfRange {
                    found: largest,
                    classes: self.classes.clone(),
                }
                .into());
            }
            self.counts[truth * n + prediction] += u64::from(count);
        }
        Ok(())
    }

    /// Adds the counts of another matrix over the same classes.
    ///
    /// # Errors
    /// [`EvaluateError::ClassesDiffer`] when the classes are not the same in the same order.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.classes != other.classes {
            let (expected, found) = (self.classes.clone(), other.classes.clone());
            return Err(EvaluateError::ClassesDiffer { expected, found }.into());
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        Ok(())
    }

    /// Pixels of true class `truth` that were predicted as `prediction`; 0 outside the matrix.
    #[must_use]
    pub fn count(&self, truth: usize, prediction: usize) -> u64 {
        let n = self.classes.len();
        if truth < n && prediction < n {
            self.counts[truth * n + prediction]
        } else {
            0
        }
    }

    /// All pixels counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Pixels labeled `truth`.
    #[must_use]
    pub fn truth_count(&self, truth: usize) -> u64 {
        (0..self.classes.len())
            .map(|prediction| self.count(truth, prediction))
            .sum()
    }

    /// Pixels predicted as `prediction`.
    #[must_use]
    pub fn prediction_count(&self, prediction: usize) -> u64 {
        (0..self.classes.len())
            .map(|truth| self.count(truth, prediction))
            .sum()
    }

    /// The scores that follow from the counts.
    #[must_use]
    #[doc(alias = "compute")]
    pub fn scores(&self) -> Scores {
        let per_class = (0..self.classes.len())
            .map(|class| self.class_score(class))
            .collect();
        Scores::new(self.clone(), per_class)
    }

    fn class_score(&self, class: usize) -> ClassScore {
        let hits = self.count(class, class);
        let (support, predicted) = (self.truth_count(class), self.prediction_count(class));
        let precision = quotient(hits, predicted);
        let recall = quotient(hits, support);
        let union = support + predicted - hits;
        let negatives = self.total() - support;
        ClassScore {
            name: self.classes[class].clone(),
            precision,
            recall,
            // The same as the harmonic mean where both are defined and not both 0.
            f1: quotient(2 * hits, support + predicted),
            iou: quotient(hits, union),
            specificity: quotient(negatives + hits - predicted, negatives),
            support,
            predicted,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of pixels stay far below 2^53"
)]
pub(super) fn quotient(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_pixels_are_not_counted() -> Result<()> {
        let mut confusion = Confusion::new(2);
        confusion.add(&[0, 255, 1, 1], &[0, 1, 255, 0])?;
        assert_eq!(confusion.counts, [1, 0, 1, 0]);
        Ok(())
    }

    #[test]
    fn a_class_without_a_row_is_an_error_and_counts_nothing() {
        let mut confusion = Confusion::named(["background", "building"]);
        let error = confusion
            .add(&[0, 2], &[0, 0])
            .expect_err("class 2 has no row");
        assert!(error.to_string().contains("class index 2"), "{error}");
        assert_eq!(confusion.total(), 0);
    }

    #[test]
    fn slices_of_different_length_are_an_error() {
        let error = Confusion::new(2)
            .add(&[0, 1], &[0])
            .expect_err("lengths differ");
        assert!(
            error.to_string().contains('2') && error.to_string().contains('1'),
            "{error}"
        );
    }

    #[test]
    fn merging_adds_counts_and_refuses_other_classes() -> Result<()> {
        let mut left = Confusion::named(["background", "building"]);
        left.add(&[0, 1], &[0, 1])?;
        let right = left.clone();
        left.merge(&right)?;
        assert_eq!(left.counts, [2, 0, 0, 2]);
        assert!(
            left.merge(&Confusion::named(["background", "road"]))
                .is_err()
        );
        Ok(())
    }
}
