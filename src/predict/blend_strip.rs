//! The sliding strip of blended scores: as many rows as a window is high, whatever the height of the scene.

/// What a pixel without valid imagery holds in class maps and in stored scores.
pub(super) const NODATA: u8 = 255;
/// A stored score of 1; the probability is the stored value divided by this.
pub(super) const FULL_SCORE: f32 = 254.0;

/// Accumulates weighted scores of the rows that windows still reach, and hands out the finished ones.
#[derive(Debug)]
pub(super) struct BlendStrip {
    width: usize,
    classes: usize,
    /// Rows that fit; row `r` of the area is at `r % capacity`.
    capacity: usize,
    /// The least probability of a class other than background; without one the most probable class wins.
    threshold: Option<f32>,
    /// First row that is not finished.
    top: usize,
    /// `[capacity, classes, width]`
    scores: Vec<f32>,
    /// `[capacity, width]`
    valid: Vec<u8>,
}

/// Where the pixels of a window go and what they count.
pub(super) struct Placement<'a> {
    /// First column and row in the area.
    pub(super) left: usize,
    pub(super) top: usize,
    /// Weights by column and by row; their lengths are the part of the window inside the area.
    pub(super) column_weights: &'a [f32],
    pub(super) row_weights: &'a [f32],
    /// Width of a row of the window's scores, which may reach beyond the area.
    pub(super) stride: usize,
    /// Height of one class's plane of scores.
    pub(super) height: usize,
}

impl BlendStrip {
    /// # Shapes
    /// Memory: `width x capacity x (classes + 1/4)` floats.
    pub(super) fn new(
        width: usize,
        capacity: usize,
        classes: usize,
        threshold: Option<f32>,
    ) -> Self {
        Self {
            width,
            classes,
            capacity,
            threshold,
            top: 0,
            scores: vec![0.0; capacity * classes * width],
            valid: vec![0; capacity * width],
        }
    }

    /// Adds the scores of a window. `scores`: `[classes, height, stride]`; `valid`: `[row_weights, column_weights]`.
    pub(super) fn add(&mut self, placement: &Placement<'_>, scores: &[f32], valid: &[u8]) {
        let columns = placement.column_weights.len();
        for (row, row_weight) in placement.row_weights.iter().enumerate() {
            let slot = (placement.top + row) % self.capacity;
            let target = &mut self.valid[slot * self.width + placement.left..][..columns];
            for (target, valid) in target.iter_mut().zip(&valid[row * columns..]) {
                *target |= valid;
            }
            for class in 0..self.classes {
                let source =
                    &scores[(class * placement.height + row) * placement.stride..][..columns];
                let target = &mut self.scores
                    [(slot * self.classes + class) * self.width + placement.left..][..columns];
                for ((target, score), weight) in
                    target.iter_mut().zip(source).zip(placement.column_weights)
                {
                    *target += score * (weight * row_weight);
                }
            }
        }
    }

    /// First row that is not finished.
    pub(super) fn top(&self) -> usize {
        self.top
    }

    /// Finishes the top row: writes its class map and its probabilities, NaN without valid imagery, and frees it for a row further down.
    ///
    /// # Shapes
    /// `labels`: `[width]`; `scores`: one `[width]` row per class, or none to leave scores out.
    pub(super) fn finish_row(&mut self, labels: &mut [u8], scores: &mut [&mut [f32]]) {
        let slot = self.top % self.capacity;
        let sums =
            &mut self.scores[slot * self.classes * self.width..][..self.classes * self.width];
        let valid = &mut self.valid[slot * self.width..][..self.width];
        // With a threshold the background does not compete: what wins among the others must reach it.
        let first = u8::from(self.threshold.is_some() && self.classes > 1);
        labels.fill(first);
        for class in usize::from(first) + 1..self.classes {
            // Per column: the best class so far wins ties, so equal scores give the lower class index.
            for (column, label) in labels.iter_mut().enumerate() {
                if sums[class * self.width + column]
                    > sums[usize::from(*label) * self.width + column]
                {
                    *label = u8::try_from(class).unwrap_or(NODATA);
                }
            }
        }
        if let Some(threshold) = self.threshold {
            for (column, label) in labels.iter_mut().enumerate() {
                if sums[usize::from(*label) * self.width + column] < threshold {
                    *label = 0;
                }
            }
        }
        for (row, sums) in scores.iter_mut().zip(sums.chunks_exact(self.width)) {
            for ((score, sum), valid) in row.iter_mut().zip(sums).zip(valid.iter()) {
                *score = if *valid == 0 { f32::NAN } else { *sum };
            }
        }
        for (label, valid) in labels.iter_mut().zip(valid.iter()) {
            if *valid == 0 {
                *label = NODATA;
            }
        }
        sums.fill(0.0);
        valid.fill(0);
        self.top += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::super::ScoreType;
    use super::*;

    fn finish(strip: &mut BlendStrip) -> (Vec<u8>, Vec<Vec<f32>>) {
        let mut labels = vec![0; strip.width];
        let mut scores = vec![vec![0.0; strip.width]; strip.classes];
        let mut rows: Vec<&mut [f32]> = scores.iter_mut().map(Vec::as_mut_slice).collect();
        strip.finish_row(&mut labels, &mut rows);
        (labels, scores)
    }

    #[test]
    fn a_row_is_the_best_class_and_255_without_valid_imagery() {
        let mut strip = BlendStrip::new(3, 1, 2, None);
        let placement = Placement {
            left: 0,
            top: 0,
            column_weights: &[1.0; 3],
            row_weights: &[1.0],
            stride: 3,
            height: 1,
        };
        strip.add(&placement, &[0.25, 0.5, 0.0, 0.75, 0.5, 1.0], &[1, 1, 0]);
        let (labels, scores) = finish(&mut strip);
        assert_eq!(labels, [1, 0, 255]);
        assert_eq!(scores[0][..2], [0.25, 0.5]);
        assert_eq!(scores[1][..2], [0.75, 0.5]);
        assert!(scores.iter().all(|row| row[2].is_nan()));
        let stored = |score| ScoreType::U8.byte(score);
        assert_eq!([0.25, 0.5, 0.75, f32::NAN].map(stored), [64, 127, 191, 255]);
    }

    #[test]
    fn with_a_threshold_the_best_class_but_background_must_reach_it() {
        let labels = |threshold| {
            let mut strip = BlendStrip::new(4, 1, 3, Some(threshold));
            let placement = Placement {
                left: 0,
                top: 0,
                column_weights: &[1.0; 4],
                row_weights: &[1.0],
                stride: 4,
                height: 1,
            };
            let scores = [
                0.5, 0.1, 0.75, 0.0, // background
                0.25, 0.4, 0.125, 0.0, // first class
                0.25, 0.5, 0.125, 1.0, // second class
            ];
            strip.add(&placement, &scores, &[1, 1, 1, 0]);
            finish(&mut strip).0
        };
        assert_eq!(labels(0.25), [1, 2, 0, 255]);
        assert_eq!(labels(0.5), [0, 2, 0, 255]);
        assert_eq!(labels(0.0), [1, 2, 1, 255]);
    }

    #[test]
    fn finished_rows_are_reused_empty() {
        let mut strip = BlendStrip::new(1, 2, 2, None);
        let place = |top| Placement {
            left: 0,
            top,
            column_weights: &[1.0],
            row_weights: &[1.0; 2],
            stride: 1,
            height: 2,
        };
        strip.add(&place(0), &[0.0, 0.0, 1.0, 1.0], &[1, 1]);
        assert_eq!(finish(&mut strip).0, [1]);
        assert_eq!(finish(&mut strip).0, [1]);
        strip.add(&place(2), &[1.0, 0.0, 0.0, 1.0], &[1, 1]);
        assert_eq!(strip.top(), 2);
        assert_eq!(finish(&mut strip).0, [0]);
        assert_eq!(finish(&mut strip).0, [1]);
    }
}
