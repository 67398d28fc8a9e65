use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{BoxFile, LabeledBox, LabeledImage};
use crate::{BoundingBox, Quadrilateral};

/// What happened to boxes on the way out of a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum RemarkKind {
    /// The file does not say it, so that a rule decided.
    Assumed,
    /// Something broken was mended.
    Repaired,
    /// Shapes became others.
    Converted,
    /// Nothing was changed, but a person may not expect it.
    Noted,
}

/// One thing that a person should know about a label file, apart from [`BoxFile::left_out`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// What happened.
    pub kind: RemarkKind,
    /// It in words, the count among them.
    pub text: String,
    /// How many boxes, where they can be counted.
    pub count: Option<usize>,
    /// The next step.
    pub next: Option<String>,
}

impl Remark {
    pub(super) fn new(kind: RemarkKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            count: None,
            next: None,
        }
    }

    pub(super) fn count(mut self, count: usize) -> Self {
        self.count = Some(count);
        self
    }

    pub(super) fn next(mut self, step: impl Into<String>) -> Self {
        self.next = Some(step.into());
        self
    }
}

/// `1 box`, `3 boxes`.
pub(super) fn boxes(count: usize) -> String {
    match count {
        1 => "1 box".to_owned(),
        count => format!("{count} boxes"),
    }
}

/// What a reader gathers beside the boxes themselves.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    left_out: BTreeMap<&'static str, usize>,
    first: BTreeMap<&'static str, String>,
    upright: BTreeMap<&'static str, usize>,
    rotated: usize,
    crossed: usize,
    difficult: usize,
    pub(super) remarks: Vec<Remark>,
    pub(super) unnamed: bool,
}

impl Gathered {
    /// Counts a box that is left out; `which` says where it is, for the first of each reason.
    pub(super) fn leave_out(&mut self, why: &'static str, which: impl FnOnce() -> String) {
        let count = self.left_out.entry(why).or_default();
        *count += 1;
        if *count == 1 {
            self.first.insert(why, which());
        }
    }

    /// Adds a box to its image unless it is none, which is counted; so are rotated ones.
    pub(super) fn add(
        &mut self,
        image: &mut LabeledImage,
        mut one: LabeledBox,
        which: impl FnOnce() -> String,
    ) {
        let line = one.outline.as_ref().filter(|outline| outline.is_line());
        match fault(&one.bounds).or(line.map(|_| "whose corners lie on one line")) {
            None => {
                if one.outline.as_ref().is_some_and(Quadrilateral::is_crossed) {
                    one.outline = None;
                    self.crossed += 1;
                }
                self.rotated += usize::from(one.outline.is_some());
                image.boxes.push(one);
            }
            Some(why) => {
                image.left_out += 1;
                self.leave_out(why, which);
            }
        }
    }

    /// Counts a shape, such as `polygons`, of which only the upright box around it is kept.
    pub(super) fn upright(&mut self, shape: &'static str) {
        *self.upright.entry(shape).or_default() += 1;
    }

    /// Counts an object that the file marks as difficult.
    pub(super) fn difficult(&mut self) {
        self.difficult += 1;
    }

    /// The file as it was read. `classes` are those that it lists itself; otherwise those that occur.
    pub(super) fn finish(
        mut self,
        mut images: Vec<LabeledImage>,
        classes: Option<Vec<String>>,
    ) -> BoxFile {
        for (shape, count) in std::mem::take(&mut self.upright) {
            let text = format!("{count} {shape} became the upright boxes around them");
            self.remarks
                .push(Remark::new(RemarkKind::Converted, text).count(count));
        }
        if self.rotated > 0 {
            let text = match self.rotated {
                1 => "1 rotated box keeps its corners in pictures and files, and is trained on, found and scored as the \
                      upright box around it"
                    .to_owned(),
                count => format!(
                    "{count} rotated boxes keep their corners in pictures and files, and are trained on, found and scored as \
                     the upright boxes around them"
                ),
            };
            self.remarks
                .push(Remark::new(RemarkKind::Converted, text).count(self.rotated));
        }
        if self.crossed > 0 {
            let text = format!(
                "{} whose corners are not in their order around it, so that edges cross: the upright box around the corners is \
                 taken",
                boxes(self.crossed)
            );
            self.remarks.push(
                Remark::new(RemarkKind::Repaired, text)
                    .count(self.crossed)
                    .next("give the corners one after the other around the object"),
            );
        }
        if self.difficult > 0 {
            let text = format!(
                "{} marked as difficult, and counted like the others",
                boxes(self.difficult)
            );
            self.remarks.push(
                Remark::new(RemarkKind::Noted, text)
                    .count(self.difficult)
                    .next("take them out of the file where they should not count"),
            );
        }
        for one in images.iter_mut().flat_map(|image| &mut image.boxes) {
            if one.class.trim().len() != one.class.len() {
                one.class = one.class.trim().to_owned();
            }
        }
        let listed = classes.map(|names| {
            let mut unique: Vec<String> = Vec::new();
            for name in names {
                let name = name.trim();
                if !name.is_empty() && !unique.iter().any(|known| known == name) {
                    unique.push(name.to_owned());
                }
            }
            unique
        });
        let mut file = BoxFile::named(images, self.left_out);
        if let Some(variants) = case_variants(&file.classes) {
            let text =
                format!("{variants} differ only in their capitals and are classes of their own");
            self.remarks.push(
                Remark::new(RemarkKind::Noted, text)
                    .next("write them alike where one class is meant"),
            );
        }
        file.classes = listed.unwrap_or(file.classes);
        file.first_left_out = self.first;
        file.remarks = self.remarks;
        file.unnamed_classes = self.unnamed;
        file
    }
}

/// The first class names that are equal but for their capitals: `"Tree" and "tree"`.
fn case_variants(classes: &[String]) -> Option<String> {
    let mut seen: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for name in classes {
        seen.entry(name.to_lowercase()).or_default().push(name);
    }
    let groups = seen.into_values().filter(|group| group.len() > 1);
    let groups: Vec<String> = groups
        .map(|group| {
            let names: Vec<String> = group.iter().map(|name| format!("{name:?}")).collect();
            names.join(" and ")
        })
        .collect();
    (!groups.is_empty()).then(|| format!("the classes {}", groups.join(", ")))
}

/// Why a box is none; `None` for one that is.
pub(super) fn fault(bounds: &BoundingBox) -> Option<&'static str> {
    if !bounds.is_finite() {
        Some("with coordinates that are not finite numbers")
    } else if bounds.width() < 0.0 || bounds.height() < 0.0 {
        Some("with edges the wrong way round")
    } else if bounds.area() == 0.0 {
        Some("without width or height")
    } else {
        None
    }
}
