//! Scores of a class.

use crate::display::records::{NOTHING, count};
use crate::display::{Record, show_records};
use crate::evaluate::ClassScore;

impl Record for ClassScore {
    const COLUMNS: &'static [&'static str] = &[
        "class",
        "precision",
        "recall",
        "F1",
        "IoU",
        "specificity",
        "pixels",
        "predicted",
    ];

    fn cells(&self) -> Vec<String> {
        let scores = [
            self.precision,
            self.recall,
            self.f1,
            self.iou,
            self.specificity,
        ];
        let mut cells = vec![self.name.clone()];
        cells.extend(scores.map(|score| match score.is_nan() {
            true => NOTHING.to_owned(),
            false => format!("{score:.3}"),
        }));
        cells.extend([self.support, self.predicted].map(count));
        cells
    }
}

show_records!(ClassScore);
