//! Scores as text and HTML tables, with the confusion matrix labelled: rows truth, columns prediction.

use std::fmt::Write as _;

use super::confusion::quotient;
use super::{Confusion, Scores};
use crate::display::{Output, Show, escape};

impl Show for Scores {
    fn output(&self) -> Output {
        let alt = format!(
            "Scores of {} classes: mean IoU {}, accuracy {}",
            self.per_class().len(),
            score(self.mean_iou()),
            score(self.accuracy())
        );
        let text = format!("{}\n{}", self.text_table(), self.confusion().text_table());
        let html = format!("{}{}", self.html_table(), self.confusion().html_table());
        Output {
            text,
            html: Some(html),
            alt,
            ..Output::default()
        }
    }
}

impl Show for Confusion {
    fn output(&self) -> Output {
        let alt = format!(
            "Confusion matrix of {} classes; rows truth, columns prediction",
            self.classes.len()
        );
        Output {
            text: self.text_table(),
            html: Some(self.html_table()),
            alt,
            ..Output::default()
        }
    }
}

crate::show_in_cells!(Scores, Confusion);

impl std::fmt::Display for Scores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text_table())
    }
}

const HEADS: [&str; 6] = ["precision", "recall", "F1", "IoU", "pixels", "share"];
const TABLE: &str = "border-collapse:collapse;margin:0.4em 0;font-variant-numeric:tabular-nums";
const LINE: &str = "border-bottom:1px solid rgba(128,128,128,0.5)";

impl Scores {
    /// One row per class and what they sum up to: cells of the class, then of the table's columns.
    fn rows(&self) -> Vec<(String, [String; 6])> {
        let total = self.confusion().total();
        let row = |class: &super::ClassScore| {
            let cells = [
                score(class.precision),
                score(class.recall),
                score(class.f1),
                score(class.iou),
                thousands(class.support),
                percent(quotient(class.support, total)),
            ];
            (class.name.clone(), cells)
        };
        let mut rows: Vec<_> = self.per_class().iter().map(row).collect();
        let none = String::new;
        let mean = [
            none(),
            none(),
            score(self.mean_f1()),
            score(self.mean_iou()),
            thousands(total),
            none(),
        ];
        rows.push(("mean".to_owned(), mean));
        rows
    }

    fn text_table(&self) -> String {
        let rows = self.rows();
        let name_width = rows
            .iter()
            .map(|(name, _)| name.chars().count())
            .max()
            .unwrap_or(0)
            .max("class".len());
        let widths: [usize; 6] = std::array::from_fn(|column| {
            rows.iter()
                .map(|(_, cells)| cells[column].chars().count())
                .max()
                .unwrap_or(0)
                .max(HEADS[column].len())
        });
        let mut text = format!("{:name_width$}", "class");
        let mut line = |name: &str, cells: &[String; 6]| {
            if !name.is_empty() {
                let _ = write!(text, "\n{name:name_width$}");
            }
            for (cell, width) in cells.iter().zip(widths) {
                let _ = write!(text, "  {cell:>width$}");
            }
        };
        line("", &HEADS.map(str::to_owned));
        for (name, cells) in &rows {
            line(name, cells);
        }
        let _ = writeln!(text, "\n{}", self.summary());
        text
    }

    fn html_table(&self) -> String {
        let mut html = format!(
            "<table style=\"{TABLE}\"><thead><tr><th style=\"text-align:left;{LINE}\">class</th>"
        );
        for head in HEADS {
            let _ = write!(
                html,
                "<th style=\"text-align:right;padding-left:1.2em;{LINE}\">{head}</th>"
            );
        }
        html.push_str("</tr></thead><tbody>");
        let rows = self.rows();
        for (index, (name, cells)) in rows.iter().enumerate() {
            let last = index + 1 == rows.len();
            let style = if last {
                "border-top:1px solid rgba(128,128,128,0.5);font-style:italic"
            } else {
                ""
            };
            let _ = write!(
                html,
                "<tr><td style=\"text-align:left;{style}\">{}</td>",
                escape(name)
            );
            for cell in cells {
                let _ = write!(
                    html,
                    "<td style=\"text-align:right;padding-left:1.2em;{style}\">{cell}</td>"
                );
            }
            html.push_str("</tr>");
        }
        let _ = write!(html, "</tbody></table><div>{}</div>", self.summary());
        html
    }

    fn summary(&self) -> String {
        format!(
            "accuracy {}, frequency-weighted IoU {}, {} labelled pixels",
            score(self.accuracy()),
            score(self.frequency_weighted_iou()),
            thousands(self.confusion().total())
        )
    }
}

impl Confusion {
    fn share(&self, truth: usize, prediction: usize) -> f64 {
        quotient(self.count(truth, prediction), self.truth_count(truth))
    }

    fn text_table(&self) -> String {
        let corner = "truth \\ predicted";
        let n = self.classes.len();
        let name_width = self
            .classes
            .iter()
            .map(|name| name.chars().count())
            .max()
            .unwrap_or(0)
            .max(corner.len());
        let mut text = format!("{corner:name_width$}");
        let widths: Vec<usize> = self
            .classes
            .iter()
            .map(|name| name.chars().count().max(7))
            .collect();
        for (name, width) in self.classes.iter().zip(&widths) {
            let _ = write!(text, "  {name:>width$}");
        }
        for truth in 0..n {
            let _ = write!(text, "\n{:name_width$}", self.classes[truth]);
            for (prediction, width) in widths.iter().enumerate() {
                let _ = write!(text, "  {:>width$}", percent(self.share(truth, prediction)));
            }
        }
        text.push_str("\n(percent of the pixels of each true class)\n");
        text
    }

    fn html_table(&self) -> String {
        let n = self.classes.len();
        let mut html = format!(
            "<table style=\"{TABLE}\"><caption style=\"caption-side:bottom;text-align:left;opacity:0.75\">Percent of the \
             pixels of each true class; rest the pointer on a cell for the count</caption><thead><tr><td></td><th \
             colspan=\"{n}\" style=\"text-align:center\">predicted</th></tr><tr><th style=\"text-align:left;{LINE}\">truth</th>"
        );
        for name in &self.classes {
            let _ = write!(
                html,
                "<th style=\"text-align:right;padding-left:1.2em;{LINE}\">{}</th>",
                escape(name)
            );
        }
        html.push_str("</tr></thead><tbody>");
        for truth in 0..n {
            let _ = write!(
                html,
                "<tr><th style=\"text-align:left\">{}</th>",
                escape(&self.classes[truth])
            );
            for prediction in 0..n {
                let share = self.share(truth, prediction);
                // Right in blue, wrong in orange, stronger with the share; both read on light and dark grounds.
                let colour = if truth == prediction {
                    "31,119,180"
                } else {
                    "230,110,20"
                };
                let strength = if share.is_nan() {
                    0.0
                } else {
                    0.08 + 0.5 * share
                };
                let _ = write!(
                    html,
                    "<td title=\"{} pixels\" style=\"text-align:right;padding-left:1.2em;background:rgba({colour},{strength:.2})\">{}</td>",
                    thousands(self.count(truth, prediction)),
                    percent(share)
                );
            }
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table>");
        html
    }
}

fn score(value: f64) -> String {
    if value.is_nan() {
        "–".to_owned()
    } else {
        format!("{value:.3}")
    }
}

fn percent(part: f64) -> String {
    if part.is_nan() {
        "–".to_owned()
    } else {
        format!("{:.1} %", part * 100.0)
    }
}

fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
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
accuracy 0.875, frequency-weighted IoU 0.775, 8 labelled pixels

truth \\ predicted  background  <b>building     road
background             75.0 %       25.0 %    0.0 %
<b>building             0.0 %      100.0 %    0.0 %
road                        –            –        –
(percent of the pixels of each true class)
";
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
