use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{BoxFile, FormatError, LabeledBox, LabeledImage};
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
    /// Whether it is [`Remark::of_rotated`], of all boxes of the file: who takes some of them alone counts anew.
    #[serde(default)]
    pub of_rotated: bool,
}

impl Remark {
    pub(super) fn new(kind: RemarkKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            count: None,
            next: None,
            of_rotated: false,
        }
    }

    /// What is to be said about this many boxes whose corners are kept beside the upright boxes around them.
    ///
    /// ```
    /// use swath_boxes::formats::Remark;
    /// let remark = Remark::of_rotated(3);
    /// assert!(remark.text.starts_with("3 rotated boxes keep their corners") && remark.count == Some(3));
    /// ```
    #[must_use]
    pub fn of_rotated(count: usize) -> Self {
        let text = match count {
            1 => "1 rotated box keeps its corners in pictures and files, and is trained on, found and scored as the upright \
                  box around it"
                .to_owned(),
            count => format!(
                "{count} rotated boxes keep their corners in pictures and files, and are trained on, found and scored as the \
                 upright boxes around them"
            ),
        };
        Self {
            of_rotated: true,
            ..Self::new(RemarkKind::Converted, text).count(count)
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

/// Why one entry of a file cannot be understood: it is left out and counted, and the file's other entries stay.
#[derive(Debug)]
pub(super) struct Flaw {
    /// Behind `boxes`, as the count says it.
    pub(super) why: &'static str,
    pub(super) line: usize,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Flaw {
    pub(super) fn new(
        why: &'static str,
        line: usize,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            why,
            line,
            expected: expected.into(),
            found: found.into(),
        }
    }
}

/// What else is known of a box that a reader adds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traits {
    /// The shape, such as `polygons`, of which only the upright box around it is kept.
    pub(super) shape: Option<&'static str>,
    /// Whether the file marks it as difficult.
    pub(super) difficult: bool,
}

/// What a reader gathers beside the boxes themselves.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// Entries that were understood, whatever became of them.
    understood: usize,
    /// The first that was not.
    flaw: Option<Flaw>,
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
        self.understood += 1;
        self.count(why, which);
    }

    /// Counts an entry that cannot be understood.
    pub(super) fn broken(&mut self, image: Option<&mut LabeledImage>, flaw: Flaw) {
        if let Some(image) = image {
            image.left_out += 1;
        }
        self.count(flaw.why, || {
            format!("line {}, where {} was found", flaw.line, flaw.found)
        });
        self.flaw.get_or_insert(flaw);
    }

    /// Notes an entry that holds no box and is sound all the same.
    pub(super) fn understand(&mut self) {
        self.understood += 1;
    }

    fn count(&mut self, why: &'static str, which: impl FnOnce() -> String) {
        let count = self.left_out.entry(why).or_default();
        *count += 1;
        if *count == 1 {
            self.first.insert(why, which());
        }
    }

    /// Adds a box to its image unless it is none, which is counted; so are rotated ones. Whether it was added.
    pub(super) fn add(
        &mut self,
        image: &mut LabeledImage,
        mut one: LabeledBox,
        traits: Traits,
        which: impl FnOnce() -> String,
    ) -> bool {
        let line = one.outline.as_ref().filter(|outline| outline.is_line());
        match fault(&one.bounds).or(line.map(|_| "whose corners lie on one line")) {
            None => {
                if one.outline.as_ref().is_some_and(Quadrilateral::is_crossed) {
                    one.outline = None;
                    self.crossed += 1;
                }
                self.understood += 1;
                self.rotated += usize::from(one.outline.is_some());
                self.difficult += usize::from(traits.difficult);
                if let Some(shape) = traits.shape {
                    *self.upright.entry(shape).or_default() += 1;
                }
                image.boxes.push(one);
                true
            }
            Some(why) => {
                image.left_out += 1;
                self.leave_out(why, which);
                false
            }
        }
    }

    /// [`Gathered::finish`] for a file in which at least one entry was understood, or none is.
    ///
    /// # Errors
    /// [`FormatError::Syntax`] of the first entry when none of them is one of this format: it is another file.
    pub(super) fn finish_sound(
        mut self,
        path: &Path,
        example: &'static str,
        images: Vec<LabeledImage>,
        classes: Option<Vec<String>>,
    ) -> Result<BoxFile, FormatError> {
        match self.flaw.take() {
            Some(flaw) if self.understood == 0 => Err(FormatError::Syntax {
                path: path.to_owned(),
                line: flaw.line,
                expected: flaw.expected,
                found: flaw.found,
                example,
            }),
            _ => Ok(self.finish(images, classes)),
        }
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
            self.remarks.push(Remark::of_rotated(self.rotated));
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
