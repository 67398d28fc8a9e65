use serde_json::{Value, json};

use super::confusion::quotient;
use super::{ClassScore, Scores};

impl Scores {
    /// The scores in the shape of Raster Vision's `eval.json`, so that scripts that read one go on working: a list of
    /// one item per class and a last item `average`, weighted by how often each class is labeled. Per class,
    /// `conf_mat` is `[[TN, FP], [FN, TP]]`; in the average it is the whole matrix (rows truth, columns prediction).
    /// NaN is `null`. Added to Raster Vision's: `iou` in the metrics, `mean_iou`, `mean_f1` and `accuracy` in the average.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut items: Vec<Value> = self
            .per_class()
            .iter()
            .enumerate()
            .map(|(index, class)| self.class_item(index, class))
            .collect();
        items.push(self.average_item());
        Value::Array(items)
    }

    fn class_item(&self, index: usize, class: &ClassScore) -> Value {
        let total = self.confusion().total();
        let hits = self.confusion().count(index, index);
        let (false_positive, false_negative) = (class.predicted - hits, class.support - hits);
        let true_negative = total - hits - false_positive - false_negative;
        let counts = [[true_negative, false_positive], [false_negative, hits]];
        let parts = counts.map(|row| row.map(|count| number(quotient(count, total))));
        json!({
            "class_id": index,
            "class_name": class.name,
            "gt_count": class.support,
            "pred_count": class.predicted,
            "count_error": class.predicted.abs_diff(class.support),
            "relative_frequency": number(quotient(class.support, total)),
            "metrics": {
                "recall": number(class.recall),
                "precision": number(class.precision),
                "f1": number(class.f1),
                "sensitivity": number(class.recall),
                "specificity": number(class.specificity),
                "iou": number(class.iou),
            },
            "conf_mat": counts,
            "conf_mat_frac": parts,
            "conf_mat_dict": {"TN": counts[0][0], "FP": counts[0][1], "FN": counts[1][0], "TP": counts[1][1]},
            "conf_mat_frac_dict": {"TN": parts[0][0], "FP": parts[0][1], "FN": parts[1][0], "TP": parts[1][1]},
        })
    }

    fn average_item(&self) -> Value {
        let n = self.confusion().classes.len();
        let total = self.confusion().total();
        let rows = || {
            (0..n).map(move |truth| {
                (0..n).map(move |prediction| self.confusion().count(truth, prediction))
            })
        };
        let counts: Vec<Vec<u64>> = rows().map(Iterator::collect).collect();
        let parts: Vec<Vec<Value>> = rows()
            .map(|row| row.map(|count| number(quotient(count, total))).collect())
            .collect();
        let weighted = |score: fn(&ClassScore) -> f64| number(self.weighted(score));
        json!({
            "class_name": "average",
            "metrics": {
                "recall": weighted(|class| class.recall),
                "precision": weighted(|class| class.precision),
                "f1": weighted(|class| class.f1),
                "sensitivity": weighted(|class| class.recall),
                "specificity": weighted(|class| class.specificity),
                "iou": weighted(|class| class.iou),
                "mean_iou": number(self.mean_iou()),
                "mean_f1": number(self.mean_f1()),
                "accuracy": number(self.accuracy()),
            },
            "gt_count": total,
            "pred_count": total,
            // Raster Vision weighs the classes' count errors as it weighs their metrics.
            "count_error": number(self.weighted(|class| {
                #[expect(clippy::cast_precision_loss, reason = "counts of pixels stay far below 2^53")]
                let error = class.predicted.abs_diff(class.support) as f64;
                error
            })),
            "conf_mat": counts,
            "conf_mat_frac": parts,
        })
    }
}

/// A JSON number, or null for NaN.
fn number(value: f64) -> Value {
    serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use crate::Result;
    use crate::evaluate::Confusion;

    #[test]
    fn the_json_has_raster_vision_s_items_and_null_for_nan() -> Result<()> {
        let mut confusion = Confusion::named(["background", "building", "road"]);
        confusion.add(&[0, 0, 0, 1], &[0, 1, 0, 1])?;
        let items = confusion.scores().to_json();
        let building = &items[1];
        assert_eq!(building["class_name"], "building");
        assert_eq!(building["conf_mat"], serde_json::json!([[2, 1], [0, 1]]));
        assert_eq!(building["conf_mat_dict"]["FP"], 1);
        assert_eq!(building["metrics"]["precision"], 0.5);
        assert_eq!(building["count_error"], 1);
        assert!(items[2]["metrics"]["f1"].is_null());
        assert_eq!(items[2]["metrics"]["specificity"], 1.0);
        let average = &items[3];
        assert_eq!(average["class_name"], "average");
        assert_eq!(
            average["conf_mat"],
            serde_json::json!([[2, 1, 0], [0, 1, 0], [0, 0, 0]])
        );
        assert_eq!(average["metrics"]["recall"], 0.75);
        assert_eq!(average["conf_mat_frac"][0][0], 0.5);
        Ok(())
    }
}
