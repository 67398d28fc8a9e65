//! Objects and windows of maps, and how maps are made and saved.

use crate::detect::BoxSaveOptions;
use crate::display::records::{NOTHING, count, number};
use crate::display::{Output, Record, Show, fields, show_fields, show_records};
use crate::predict::{
    Object, OptionsFor, Predictable, SaveOptions, ScoreType, ThresholdPoint, WorstWindow,
};

impl Record for Object {
    const COLUMNS: &'static [&'static str] = &[
        "class",
        "score",
        "area m²",
        "perimeter m",
        "width m",
        "height m",
        "center x",
        "center y",
    ];

    fn cells(&self) -> Vec<String> {
        let score = self.score.map(|score| format!("{score:.3}"));
        let sizes = [self.area_m2, self.perimeter_m, self.width_m, self.height_m];
        let mut cells = vec![
            self.class.clone(),
            score.unwrap_or_else(|| NOTHING.to_owned()),
        ];
        cells.extend(sizes.map(|size| format!("{size:.1}")));
        cells.extend([self.center.x(), self.center.y()].map(|place| format!("{place:.1}")));
        cells
    }
}

impl Record for WorstWindow {
    const COLUMNS: &'static [&'static str] =
        &["window", "labeled pixels", "wrong", "share", "loss"];

    fn cells(&self) -> Vec<String> {
        let share = self.wrong as f64 * 100.0 / self.labeled.max(1) as f64;
        vec![
            self.window.to_string(),
            count(self.labeled),
            count(self.wrong),
            format!("{share:.1} %"),
            self.loss.map_or_else(|| NOTHING.to_owned(), number),
        ]
    }
}

impl Record for ThresholdPoint {
    const COLUMNS: &'static [&'static str] = &["threshold", "precision", "recall", "F1"];

    fn cells(&self) -> Vec<String> {
        let share = |value: f64| match value.is_nan() {
            true => NOTHING.to_owned(),
            false => format!("{value:.3}"),
        };
        vec![
            format!("{:.3}", self.threshold),
            share(self.precision),
            share(self.recall),
            share(self.f1),
        ]
    }
}

show_records!(Object, ThresholdPoint, WorstWindow);
show_fields!(SaveOptions, BoxSaveOptions, ScoreType);

/// Those of every task, under the name that people write.
impl<T: Predictable> Show for OptionsFor<T> {
    fn output(&self) -> Output {
        fields::output(self)
    }

    fn outputs(values: &[&Self]) -> Output {
        fields::outputs(values)
    }
}
