//! Scores as tables and figures, with the confusion matrix labeled: rows truth, columns prediction.

use super::confusion::quotient;
use super::{ClassScore, Confusion, Scores};
use crate::display::{Output, Show, escape, in_font};
use crate::plot::{self, Figure, table_html, table_text};

const HEADS: [&str; 7] = [
    "class",
    "precision",
    "recall",
    "F1",
    "IoU",
    "pixels",
    "share",
];

impl Show for Scores {
    fn output(&self) -> Output {
        let alt = format!(
            "Scores of {} classes: mean IoU {}, accuracy {}",
            self.per_class().len(),
            score(self.mean_iou()),
            score(self.accuracy())
        );
        let rows = self.rows();
        let text = format!("{self}\n\n{}", self.confusion().text_table());
        let matrix = self.confusion().figure().html();
        let html = format!(
            "{}<div>{}</div>{matrix}",
            table_html(&HEADS, &rows),
            escape(&self.summary())
        );
        Output {
            text,
            html: Some(in_font(html)),
            alt,
            ..Output::default()
        }
        .with_report(self.report())
    }
}

impl Show for Confusion {
    fn output(&self) -> Output {
        Output {
            text: self.text_table(),
            ..self.figure().output()
        }
    }
}

crate::show_in_cells!(Scores, Confusion);

impl std::fmt::Display for Scores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{}\n{}",
            table_text(&HEADS, &self.rows()),
            self.summary()
        )
    }
}

impl Scores {
    /// Precision, recall, F1 and IoU of each class as bars.
    ///
    /// ```
    /// # let mut confusion = swath::evaluate::Confusion::named(["background", "building"]);
    /// # confusion.add(&[0, 0, 1, 1], &[0, 1, 1, 1])?;
    /// let figure = confusion.scores().figure();
    /// assert!(figure.alt().contains("building"));
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    pub fn figure(&self) -> Figure {
        let names: Vec<&str> = self
            .per_class()
            .iter()
            .map(|class| class.name.as_str())
            .collect();
        let values = |score: fn(&ClassScore) -> f64| {
            self.per_class().iter().map(score).collect::<Vec<f64>>()
        };
        let bars = [
            ("precision", values(|class| class.precision)),
            ("recall", values(|class| class.recall)),
            ("F1", values(|class| class.f1)),
            ("IoU", values(|class| class.iou)),
        ];
        plot::bars(&names, &bars, "Scores by class")
    }

    /// One row per class, and their mean.
    fn rows(&self) -> Vec<Vec<String>> {
        let total = self.confusion().total();
        let row = |class: &ClassScore| {
            let mut cells = vec![class.name.clone()];
            cells.extend([class.precision, class.recall, class.f1, class.iou].map(score));
            cells.extend([
                thousands(class.support),
                percent(quotient(class.support, total)),
            ]);
            cells
        };
        let mut rows: Vec<Vec<String>> = self.per_class().iter().map(row).collect();
        let mut mean = vec!["mean".to_owned(), String::new(), String::new()];
        mean.extend([
            score(self.mean_f1()),
            score(self.mean_iou()),
            thousands(total),
            String::new(),
        ]);
        rows.push(mean);
        rows
    }

    fn summary(&self) -> String {
        let mut summary = format!(
            "accuracy {}, frequency-weighted IoU {}, {} labeled pixels",
            score(self.accuracy()),
            score(self.frequency_weighted_iou()),
            thousands(self.confusion().total())
        );
        let named = |wanted: fn(&ClassScore) -> bool| -> String {
            let names = self.per_class().iter().filter(|class| wanted(class));
            let names: Vec<&str> = names.map(|class| class.name.as_str()).collect();
            names.join(", ")
        };
        let wrong = named(|class| class.support == 0 && class.predicted > 0);
        if !wrong.is_empty() {
            summary += &format!("; never labeled, yet predicted, so 0 in the means: {wrong}");
        }
        let absent = named(|class| class.support == 0 && class.predicted == 0);
        if !absent.is_empty() {
            summary += &format!("; neither labeled nor predicted, so not in the means: {absent}");
        }
        summary
    }
}

impl Confusion {
    /// The matrix as a picture: each cell is the share of its true class.
    #[must_use]
    pub fn figure(&self) -> Figure {
        plot::confusion_matrix(&self.classes, &self.counts)
    }

    fn text_table(&self) -> String {
        let mut heads = vec!["truth \\ predicted"];
        heads.extend(self.classes.iter().map(String::as_str));
        let n = self.classes.len();
        let share = |truth: usize, prediction: usize| {
            percent(quotient(
                self.count(truth, prediction),
                self.truth_count(truth),
            ))
        };
        let row = |truth: usize| {
            let shares = (0..n).map(|prediction| share(truth, prediction));
            std::iter::once(self.classes[truth].clone())
                .chain(shares)
                .collect()
        };
        let rows: Vec<Vec<String>> = (0..n).map(row).collect();
        format!(
            "{}\n(percent of the pixels of each true class)",
            table_text(&heads, &rows)
        )
    }
}

fn score(value: f64) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else {
        format!("{value:.3}")
    }
}

pub(crate) fn percent(part: f64) -> String {
    if part.is_nan() {
        "–".to_owned()
    } else {
        format!("{:.1} %", part * 100.0)
    }
}

pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Result;

    fn town() -> Result<Scores> {
        let mut confusion = Confusion::named(["background", "<b>building", "road"]);
        let truth = [0, 0, 0, 0, 1, 1, 1, 1];
        confusion.add(&truth, &[0, 0, 0, 1, 1, 1, 1, 1])?;
        Ok(confusion.scores())
    }

    #[test]
    fn the_text_labels_rows_as_truth_and_columns_as_prediction() -> Result<()> {
        let text = town()?.output().text;
        let expected = "\
class        precision  recall     F1    IoU  pixels   share
background       1.000   0.750  0.857  0.750       4  50.0 %
<b>building      0.800   1.000  0.889  0.800       4  50.0 %
road                 –       –      –      –       0   0.0 %
mean                            0.873  0.775       8
accuracy 0.875, frequency-weighted IoU 0.775, 8 labeled pixels; neither labeled nor predicted, so not in the means: \
road

truth \\ predicted  background  <b>building   road
background             75.0 %       25.0 %  0.0 %
<b>building             0.0 %      100.0 %  0.0 %
road                        –            –      –
(percent of the pixels of each true class)";
        assert_eq!(text, expected);
        Ok(())
    }

    #[test]
    fn class_names_are_escaped_in_html() -> Result<()> {
        let html = town()?.output().html.unwrap_or_default();
        assert!(html.contains("&lt;b&gt;building") && !html.contains("<b>"));
        Ok(())
    }

    #[test]
    fn thousands_are_grouped_by_three() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(thousands),
            ["0", "999", "1,000", "1,234,567"]
        );
    }
}
