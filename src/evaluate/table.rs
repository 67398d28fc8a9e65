//! Scores as tables and figures, with the confusion matrix labeled: rows truth, columns prediction.

use super::confusion::quotient;
use super::scores::Counted;
use super::{ClassScore, Confusion, Scores};
use crate::display::{Output, Show, escape, in_font};
use crate::plot::{self, Figure, table_html, table_text};

impl Counted {
    fn word(self) -> &'static str {
        match self {
            Self::Pixels => "pixels",
            Self::Cells => "cells",
        }
    }
}

impl Show for Scores {
    fn output(&self) -> Output {
        let (name, mean) = match self.counted() {
            Counted::Pixels => ("IoU", self.mean_iou()),
            Counted::Cells => ("F1", self.mean_f1()),
        };
        let alt = format!(
            "Scores of {} classes: mean {name} {}, accuracy {}",
            self.per_class().len(),
            score(mean),
            score(self.accuracy())
        );
        let (heads, rows) = (self.heads(), self.rows());
        let matrix = self.confusion().text_table(Some(self.counted()));
        let text = format!("{self}\n\n{matrix}");
        let matrix = self.confusion().figure().html();
        let html = format!(
            "{}<div>{}</div>{matrix}",
            table_html(&heads, &rows),
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
            text: self.text_table(None),
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
            table_text(&self.heads(), &self.rows()),
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
        let mut bars = vec![
            ("precision", values(|class| class.precision)),
            ("recall", values(|class| class.recall)),
            ("F1", values(|class| class.f1)),
        ];
        if self.counted() == Counted::Pixels {
            bars.push(("IoU", values(|class| class.iou)));
        }
        plot::bars(&names, &bars, "Scores by class")
    }

    fn heads(&self) -> Vec<&'static str> {
        let mut heads = vec!["class", "precision", "recall", "F1"];
        if self.counted() == Counted::Pixels {
            heads.push("IoU");
        }
        heads.extend([self.counted().word(), "share"]);
        heads
    }

    /// One row per class, and their mean.
    fn rows(&self) -> Vec<Vec<String>> {
        let total = self.confusion().total();
        let with_iou = self.counted() == Counted::Pixels;
        let row = |class: &ClassScore| {
            let mut cells = vec![class.name.clone()];
            cells.extend([class.precision, class.recall, class.f1].map(score));
            if with_iou {
                cells.push(score(class.iou));
            }
            cells.extend([
                thousands(class.support),
                percent(quotient(class.support, total)),
            ]);
            cells
        };
        let mut rows: Vec<Vec<String>> = self.per_class().iter().map(row).collect();
        let mut mean = vec!["mean".to_owned(), String::new(), String::new()];
        mean.push(score(self.mean_f1()));
        if with_iou {
            mean.push(score(self.mean_iou()));
        }
        mean.extend([thousands(total), String::new()]);
        rows.push(mean);
        rows
    }

    fn summary(&self) -> String {
        let all = thousands(self.confusion().total());
        let accuracy = score(self.accuracy());
        let mut summary = match self.counted() {
            Counted::Pixels => format!(
                "accuracy {accuracy}, frequency-weighted IoU {}, {all} labeled pixels",
                score(self.frequency_weighted_iou())
            ),
            Counted::Cells => format!("accuracy {accuracy}, {all} labeled cells"),
        };
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

    fn text_table(&self, counted: Option<Counted>) -> String {
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
            "{}\n(percent of {}each true class)",
            table_text(&heads, &rows),
            counted.map_or_else(String::new, |counted| format!("the {} of ", counted.word()))
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
