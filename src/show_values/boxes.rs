//! Boxes, what was found, and their scores.

use crate::boxes::formats::{
    BoxFile, Format, LabeledBox, LabeledImage, ReadOptions, Remark, RemarkKind,
};
use crate::boxes::score::{
    ClassAp, CocoOptions, CocoScores, ImageBoxes, MatchScore, Matching, PrecisionRecall, Ranked,
};
use crate::boxes::{Annotation, BoundingBox, BoxFusion, BoxIndex, Detection, Quadrilateral};
use crate::display::records::{NOTHING, count, number, perhaps};
use crate::display::{Output, Record, Show, show_fields, show_records};

impl Record for BoundingBox {
    const COLUMNS: &'static [&'static str] =
        &["x min", "y min", "x max", "y max", "width", "height"];

    fn cells(&self) -> Vec<String> {
        let numbers = [
            self.x_min,
            self.y_min,
            self.x_max,
            self.y_max,
            self.width(),
            self.height(),
        ];
        numbers.map(number).to_vec()
    }
}

impl Record for Quadrilateral {
    const COLUMNS: &'static [&'static str] =
        &["x 1", "y 1", "x 2", "y 2", "x 3", "y 3", "x 4", "y 4"];

    fn cells(&self) -> Vec<String> {
        self.to_numbers().map(number).to_vec()
    }
}

/// Whether a box has a rotated outline.
fn rotated(outline: Option<&Quadrilateral>) -> String {
    outline.map_or(NOTHING, |_| "rotated").to_owned()
}

impl Record for Annotation {
    const COLUMNS: &'static [&'static str] = &[
        "class", "x min", "y min", "x max", "y max", "width", "height", "area", "crowd", "rotated",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.class.to_string()];
        cells.extend(self.bounds.cells());
        cells.push(perhaps(self.area));
        cells.push(if self.crowd { "crowd" } else { NOTHING }.to_owned());
        cells.push(rotated(self.outline.as_ref()));
        cells
    }
}

impl Record for Detection {
    const COLUMNS: &'static [&'static str] = &[
        "class", "score", "x min", "y min", "x max", "y max", "width", "height",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.class.to_string(), format!("{:.3}", self.score)];
        cells.extend(self.bounds.cells());
        cells
    }
}

impl Record for LabeledBox {
    const COLUMNS: &'static [&'static str] = &[
        "class", "x min", "y min", "x max", "y max", "width", "height", "area", "crowd", "rotated",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.class.clone()];
        cells.extend(self.bounds.cells());
        cells.push(perhaps(self.area));
        cells.push(if self.crowd { "crowd" } else { NOTHING }.to_owned());
        cells.push(rotated(self.outline.as_ref()));
        cells
    }
}

/// How many boxes of an image are rotated.
fn rotated_of(image: &LabeledImage) -> usize {
    let boxes = image.boxes.iter();
    boxes.filter(|one| one.outline.is_some()).count()
}

impl Record for LabeledImage {
    const COLUMNS: &'static [&'static str] =
        &["file", "width", "height", "boxes", "rotated", "left out"];

    fn cells(&self) -> Vec<String> {
        let size =
            |edge: Option<usize>| edge.map_or_else(|| NOTHING.to_owned(), |edge| edge.to_string());
        vec![
            self.file.clone(),
            size(self.width),
            size(self.height),
            count(self.boxes.len()),
            count(rotated_of(self)),
            count(self.left_out),
        ]
    }
}

impl Record for BoxFile {
    const COLUMNS: &'static [&'static str] = &[
        "images", "boxes", "rotated", "classes", "left out", "remarks",
    ];

    fn cells(&self) -> Vec<String> {
        let boxes: usize = self.images.iter().map(|image| image.boxes.len()).sum();
        let remarks: Vec<&str> = self
            .remarks
            .iter()
            .map(|remark| remark.text.as_str())
            .collect();
        let remarks = match remarks.is_empty() {
            true => NOTHING.to_owned(),
            false => remarks.join("; "),
        };
        vec![
            count(self.images.len()),
            count(boxes),
            count(self.images.iter().map(rotated_of).sum::<usize>()),
            super::list_words(&self.classes, 20),
            count(self.left_out.values().sum::<usize>()),
            remarks,
        ]
    }
}

impl Record for ImageBoxes {
    const COLUMNS: &'static [&'static str] = &["labeled", "found", "ignored labels", "cut boxes"];

    fn cells(&self) -> Vec<String> {
        let lists = [
            self.truth.len(),
            self.found.len(),
            self.ignored.len(),
            self.cut.len(),
        ];
        lists.map(count).to_vec()
    }
}

impl Record for MatchScore {
    const COLUMNS: &'static [&'static str] =
        &["precision", "recall", "F1", "right", "wrong", "missed"];

    fn cells(&self) -> Vec<String> {
        let mut cells = [self.precision, self.recall, self.f1].map(share).to_vec();
        let counts = [
            self.true_positives,
            self.false_positives,
            self.false_negatives,
        ];
        cells.extend(counts.map(count));
        cells
    }
}

impl Record for ClassAp {
    const COLUMNS: &'static [&'static str] = &[
        "class",
        "AP",
        "AP50",
        "AP75",
        "AP small",
        "AP medium",
        "AP large",
        "objects",
        "found",
    ];

    fn cells(&self) -> Vec<String> {
        let scores = [
            self.ap,
            self.ap50,
            self.ap75,
            self.ap_small,
            self.ap_medium,
            self.ap_large,
        ];
        let mut cells = vec![self.class.to_string()];
        cells.extend(scores.map(share));
        cells.extend([self.objects, self.found].map(count));
        cells
    }
}

impl Record for Ranked {
    const COLUMNS: &'static [&'static str] = &["objects", "found", "right"];

    fn cells(&self) -> Vec<String> {
        let right = self.found.iter().filter(|(_, right)| *right).count();
        [self.objects, self.found.len(), right].map(count).to_vec()
    }
}

show_records!(
    BoundingBox,
    Quadrilateral,
    Annotation,
    Detection,
    LabeledBox,
    LabeledImage,
    BoxFile,
    ImageBoxes,
    MatchScore,
    ClassAp,
    Ranked
);
show_fields!(
    BoxFusion,
    ReadOptions,
    Remark,
    RemarkKind,
    Format,
    Matching,
    CocoOptions
);

/// The scores of all classes, and a row for each class.
impl Show for CocoScores {
    fn output(&self) -> Output {
        let facts = [
            ("AP", self.ap),
            ("AP50", self.ap50),
            ("AP75", self.ap75),
            ("AP of small ones", self.ap_small),
            ("AP of medium ones", self.ap_medium),
            ("AP of large ones", self.ap_large),
            ("AR, 1 an image", self.ar1),
            ("AR, 10 an image", self.ar10),
            ("AR, 100 an image", self.ar100),
        ];
        let facts = facts.map(|(name, score)| (name, share(score)));
        let all = crate::display::fields::titled("COCO scores", &facts);
        let classes = self.per_class.output();
        Output::html(
            format!("{}\n{}", all.text, classes.text),
            all.as_html() + &classes.as_html(),
        )
    }
}

/// The curve of precision over recall.
impl Show for PrecisionRecall {
    fn output(&self) -> Output {
        let points = self
            .recall
            .iter()
            .copied()
            .zip(self.precision.iter().copied());
        let figure = crate::plot::Curves::new("Precision over recall")
            .series([crate::plot::Series::new("precision", points)])
            .x_label("recall")
            .y_label("precision")
            .figure();
        Output {
            text: format!("Precision over recall: {} points", count(self.recall.len())),
            ..figure.output()
        }
    }
}

/// How many boxes it finds things among.
impl Show for BoxIndex {
    fn output(&self) -> Output {
        let text = "BoxIndex: finds the boxes that touch another one (`touching`, `touches`)";
        Output::styled(text, crate::display::escape(text))
    }
}

/// A score; a dash for one that nothing decides.
fn share(score: f64) -> String {
    match score.is_nan() || score < 0.0 {
        true => NOTHING.to_owned(),
        false => format!("{score:.3}"),
    }
}
