//! YOLO: a text file an image, a line a box: the class's number, then center, width and height as shares of the image.

mod names;

use std::collections::BTreeMap;
use std::path::Path;

use super::remark::{Flaw, Gathered, Remark, RemarkKind, Traits, boxes};
use super::shape::{around, four_corners, is_upright, pairs};
use super::text::{Text, shortened, text_of, write_text};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage, ReadOptions};
use crate::{BoundingBox, Quadrilateral};
use names::Names;

const EXAMPLE: &str = "a line of YOLO is `class x y width height`: the class's number, and center and size of the box as shares \
                       of the image from 0 to 1";

/// Reads the boxes of one image, whose size `options` must say. By the numbers after the class's number: 4 are a box, 5 a
/// box and its confidence, 8 the corners of a rotated box (Ultralytics' OBB), another even count an outline of points, another
/// odd count an outline and its confidence; with `kpt_shape` in the `data.yaml`, or where every third number is a visibility,
/// the rest after 4 are keypoints. Rotated boxes keep their corners ([`LabeledBox::outline`]); of outlines, the upright boxes
/// around them are taken.
///
/// What most lines are is what the file is, so that a broken line concerns itself alone: where most are rotated boxes, these
/// keep their corners, whatever else there is; where fewer are, 8 numbers are an outline of four points like the other outlines.
/// A number too few or too many, a class that is no number or has no name, and places that are no shares of the image leave the
/// line out, and it is counted.
///
/// Classes are named by `options`, or by a `data.yaml`, `classes.txt`, `obj.names` or `obj.data` in the folder of the file
/// or above it, up to the root of the data set; otherwise by their numbers ([`BoxFile::unnamed_classes`]).
///
/// # Errors
/// [`FormatError::SizeNeeded`]; [`FormatError::Syntax`] with the first line when no line is a box;
/// [`FormatError::ClassNumber`] when no line is of a class that has a name; [`FormatError::Names`] and
/// [`FormatError::NamesDiffer`] for files of names that cannot be read or contradict each other.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let size = options.size.ok_or_else(|| FormatError::SizeNeeded {
        path: path.to_owned(),
    })?;
    let Text { text, remark } = text_of(path)?;
    let mut gathered = Gathered::default();
    gathered.remarks.extend(remark);
    let mut image = LabeledImage {
        file: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        width: Some(size.0),
        height: Some(size.1),
        ..LabeledImage::default()
    };
    let mut parsed = Vec::new();
    for (index, text) in text.lines().enumerate() {
        if text.trim().is_empty() {
            continue;
        }
        match Line::parse(index + 1, text) {
            Ok(line) => parsed.push(line),
            Err(flaw) => gathered.broken(Some(&mut image), flaw),
        }
    }
    let names = match &options.class_names {
        Some(names) => Names::given(names),
        None => Names::of(path, &parsed)?,
    };
    gathered.remarks.extend(names.remarks.iter().cloned());
    if parsed.iter().all(|line| names.lacks(line.class)) {
        names.check(path, &parsed)?;
    }
    let kind = Kind::of(&parsed, names.keypoints);
    let mut told = Told::default();
    for one in &parsed {
        if names.lacks(one.class) {
            image.left_out += 1;
            gathered.leave_out("of a class number without a name", || {
                let (from, named) = names.extent();
                format!(
                    "line {}, number {}, where {from} names {}",
                    one.line,
                    one.class,
                    shortened(&named)
                )
            });
            continue;
        }
        let found = match kind.read(one) {
            Ok(found) => found,
            Err(flaw) => {
                gathered.broken(Some(&mut image), flaw);
                continue;
            }
        };
        let (width, height) = (size.0 as f64, size.1 as f64);
        let labeled = LabeledBox {
            outline: found.outline.map(|outline| outline.scale(width, height)),
            ..LabeledBox::new(found.bounds.scale(width, height), names.name(one.class))
        };
        let alone = found.is_outline && kind.rotated;
        let traits = Traits {
            shape: (found.is_outline && !alone).then_some("outlines"),
            ..Traits::default()
        };
        if gathered.add(&mut image, labeled, traits, || format!("line {}", one.line)) {
            told.scored += usize::from(found.scored);
            told.posed += usize::from(found.posed);
            told.other(one, alone, kind.rotated && one.numbers.len() < 6);
        }
    }
    gathered.remarks.extend(told.remarks());
    gathered.unnamed = names.is_empty() && !parsed.is_empty();
    let classes = (!names.is_empty()).then(|| names.all());
    gathered.finish_sound(path, EXAMPLE, vec![image], classes)
}

/// A line of numbers.
#[derive(Clone, Debug)]
struct Line {
    line: usize,
    class: usize,
    /// Those after the class's.
    numbers: Vec<f64>,
}

impl Line {
    fn parse(line: usize, text: &str) -> Result<Self, Flaw> {
        let mut words = text.split_whitespace();
        let class = words.next().unwrap_or_default();
        // NumPy writes whole numbers as `0.000e+00`.
        let whole = class.parse::<f64>().ok();
        let whole = whole.filter(|number| number.fract() == 0.0 && (0.0..1e9).contains(number));
        let Some(number) = whole else {
            let found = format!("{:?}", shortened(class));
            let expected = "the class's number, from 0";
            return Err(Flaw::new("without a class number", line, expected, found));
        };
        let numbers = words.map(|word| {
            word.parse::<f64>().map_err(|_| {
                let found = format!("{:?}", shortened(word));
                Flaw::new(
                    "whose place has other words than numbers",
                    line,
                    "a number",
                    found,
                )
            })
        });
        Ok(Self {
            line,
            class: number as usize,
            numbers: numbers.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it is a box and this many numbers of keypoints, with or without a confidence.
    fn has_keypoints(&self, count: usize) -> bool {
        let rest = self.numbers.len().checked_sub(4);
        rest.and_then(|rest| rest.checked_sub(count))
            .is_some_and(|further| further <= 1)
    }
}

/// What most lines of a file are.
struct Kind {
    /// The numbers of a line's keypoints.
    keypoints: Option<usize>,
    /// Whether outlines have a confidence.
    scored: bool,
    /// Whether there are lines of more numbers than a box and its confidence.
    outlines: bool,
    /// Whether these are rotated boxes.
    rotated: bool,
}

/// What a line is.
struct Found {
    bounds: BoundingBox,
    outline: Option<Quadrilateral>,
    /// Whether the box was taken around points that are no upright rectangle, and are not kept.
    is_outline: bool,
    scored: bool,
    posed: bool,
}

impl Found {
    const fn upright(bounds: BoundingBox) -> Self {
        Self {
            bounds,
            outline: None,
            is_outline: false,
            scored: false,
            posed: false,
        }
    }
}

impl Kind {
    fn of(lines: &[Line], stated: Option<usize>) -> Self {
        let stated = stated.filter(|&count| lines.iter().any(|line| line.has_keypoints(count)));
        let counts = || {
            let counts = lines.iter().map(|line| line.numbers.len());
            counts.filter(|&count| count >= 6)
        };
        let odd = counts().filter(|count| count % 2 == 1).count();
        // Labels have no confidence: where as many lines have one as have none, these are right.
        let scored = odd > counts().count() - odd;
        let sound = || counts().filter(|count| (count % 2 == 1) == scored);
        let rotated = sound().filter(|count| count / 2 == 4).count();
        let keypoints = stated.or_else(|| visibilities(lines));
        Self {
            keypoints,
            scored,
            outlines: sound().next().is_some(),
            // A polygon of four points is written as a rotated box is.
            rotated: keypoints.is_none() && rotated > sound().count() - rotated,
        }
    }

    fn read(&self, line: &Line) -> Result<Found, Flaw> {
        let found = self.shape(line)?;
        let edges = [
            found.bounds.x_min,
            found.bounds.y_min,
            found.bounds.x_max,
            found.bounds.y_max,
        ];
        if found.bounds.is_finite() && edges.iter().any(|edge| edge.abs() > 4.0) {
            let shares = line.numbers.iter().map(f64::to_string);
            let shares = shares.collect::<Vec<_>>().join(" ");
            return Err(Flaw::new(
                "whose places are no shares of the image",
                line.line,
                "shares of the image from 0 to 1",
                format!("{:?}", shortened(&shares)),
            ));
        }
        Ok(found)
    }

    fn shape(&self, line: &Line) -> Result<Found, Flaw> {
        let count = line.numbers.len();
        let other_count = |expected: &str| {
            let found = match count {
                1 => "1 number after the class's".to_owned(),
                count => format!("{count} numbers after the class's"),
            };
            Flaw::new(
                "with a number too few or too many",
                line.line,
                expected,
                found,
            )
        };
        let [x, y, width, height, rest @ ..] = line.numbers.as_slice() else {
            let expected = "center, width and height, or an outline of at least three points,";
            return Err(other_count(expected));
        };
        let upright = Found::upright(BoundingBox::from_center(*x, *y, *width, *height));
        if rest.is_empty() {
            return Ok(upright);
        }
        if let Some(keypoints) = self.keypoints {
            if line.has_keypoints(keypoints) {
                return Ok(Found {
                    posed: true,
                    ..upright
                });
            }
            if rest.len() > 1 {
                let expected = format!("a box and the {keypoints} numbers of its keypoints");
                return Err(other_count(&expected));
            }
        }
        if rest.len() == 1 {
            // Among outlines without a confidence, it is what is left of one.
            return match self.outlines && !self.scored && self.keypoints.is_none() {
                true => Err(other_count("a box, or an outline like the others,")),
                false => Ok(Found {
                    scored: true,
                    ..upright
                }),
            };
        }
        if (count % 2 == 1) != self.scored {
            return Err(other_count(match (self.rotated, self.scored) {
                (true, false) => "the 8 numbers of four corners",
                (true, true) => "the 8 numbers of four corners and a confidence",
                (false, false) => "pairs of numbers, as in the other lines,",
                (false, true) => "pairs of numbers and a confidence, as in the other lines,",
            }));
        }
        // An even number of numbers are pairs.
        let corners = pairs(&line.numbers[..count / 2 * 2]).unwrap_or_default();
        let outline =
            four_corners(&corners).filter(|outline| self.rotated && !outline.is_upright());
        Ok(Found {
            outline,
            is_outline: outline.is_none() && !is_upright(&corners),
            scored: self.scored,
            ..Found::upright(around(&corners))
        })
    }
}

/// The count of keypoints' numbers after a box, when most lines have that count and every third is a visibility: 0, 1 or 2.
fn visibilities(lines: &[Line]) -> Option<usize> {
    let is_visibility = |number: &f64| [0.0, 1.0, 2.0].contains(number);
    let posed = |line: &Line| {
        let points = line.numbers.get(4..)?;
        let fits = points.len() >= 3
            && points.len().is_multiple_of(3)
            && points.chunks_exact(3).all(|point| is_visibility(&point[2]));
        fits.then_some(points.len())
    };
    let mut counts = BTreeMap::<usize, usize>::new();
    for count in lines.iter().filter_map(posed) {
        *counts.entry(count).or_default() += 1;
    }
    let (count, fitting) = counts.into_iter().max_by_key(|&(_, fitting)| fitting)?;
    (fitting > lines.len() - fitting).then_some(count)
}

/// What is to be said about lines that were read.
#[derive(Default)]
struct Told {
    scored: usize,
    posed: usize,
    /// Among rotated boxes: outlines of other counts, upright boxes, and the first line of each.
    outlines: usize,
    first_outline: Option<String>,
    upright: usize,
    first_upright: Option<String>,
}

impl Told {
    fn other(&mut self, line: &Line, outline: bool, upright: bool) {
        let words = || format!("line {}, {} numbers", line.line, line.numbers.len());
        if outline {
            self.outlines += 1;
            self.first_outline.get_or_insert_with(words);
        }
        if upright {
            self.upright += 1;
            self.first_upright.get_or_insert_with(words);
        }
    }

    fn remarks(self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let check =
            "look at that line: most lines of the file have four corners, which are 8 numbers";
        if let Some(first) = self.first_outline {
            let text = format!(
                "{} of other than four corners, taken as the upright box around its points; the first: {first}",
                boxes(self.outlines)
            );
            let remark = Remark::new(RemarkKind::Converted, text);
            remarks.push(remark.count(self.outlines).next(check));
        }
        if let Some(first) = self.first_upright {
            let text = format!(
                "{} given by center and size among boxes of four corners; the first: {first}",
                boxes(self.upright)
            );
            let remark = Remark::new(RemarkKind::Noted, text);
            remarks.push(remark.count(self.upright).next(check));
        }
        if self.scored > 0 {
            let text = format!(
                "{} with a confidence, which was passed over",
                boxes(self.scored)
            );
            remarks.push(
                Remark::new(RemarkKind::Noted, text)
                    .count(self.scored)
                    .next("check that these are labels: predictions have confidences"),
            );
        }
        if self.posed > 0 {
            let text = format!("the keypoints of {} were passed over", boxes(self.posed));
            remarks.push(Remark::new(RemarkKind::Converted, text).count(self.posed));
        }
        remarks
    }
}

/// The names of the classes that a file beside a label file, or above it, gives to YOLO's numbers, by number; a number
/// without a name is its own. Empty where no file names them.
///
/// # Errors
/// [`FormatError::Names`] for a file of names that cannot be read.
pub fn class_names(labels: impl AsRef<Path>) -> Result<Vec<String>, FormatError> {
    let names = Names::of(labels.as_ref(), &[])?;
    Ok(names.through_the_last())
}

/// [`class_names`] of all label files of a data set, which lie in one folder or in several; the name of a number that has
/// none is empty, so that [`ReadOptions::class_names`] leaves its lines out. A label file that cannot be read says so when it is
/// read for itself.
///
/// # Errors
/// As [`class_names`]; [`FormatError::NamesDiffer`] where files of names contradict each other about a number that occurs.
pub fn class_names_of<P: AsRef<Path>>(labels: &[P]) -> Result<Vec<String>, FormatError> {
    // The numbers of each folder, with a line and the first file that has it.
    let mut folders = BTreeMap::<&Path, BTreeMap<usize, (Line, &Path)>>::new();
    let mut some_file = BTreeMap::<&Path, &Path>::new();
    for path in labels.iter().map(AsRef::as_ref) {
        let folder = path.parent().unwrap_or(Path::new(""));
        some_file.entry(folder).or_insert(path);
        let numbers = folders.entry(folder).or_default();
        let Ok(text) = text_of(path) else { continue };
        let lines = text.text.lines().zip(1..);
        for line in lines.filter_map(|(text, number)| Line::parse(number, text).ok()) {
            numbers.entry(line.class).or_insert((line, path));
        }
    }
    let mut all_numbers = BTreeMap::<usize, (Line, &Path)>::new();
    let mut names: Option<Names> = None;
    for (folder, numbers) in folders {
        let any = some_file.get(folder).copied().unwrap_or(folder);
        let lines: Vec<Line> = numbers.values().map(|(line, _)| line.clone()).collect();
        for (number, place) in numbers {
            all_numbers.entry(number).or_insert(place);
        }
        // The label file that has the number, which need not be the first.
        let placed = |error| match error {
            FormatError::NamesDiffer {
                number,
                first,
                second,
                path,
            } => FormatError::NamesDiffer {
                path: all_numbers
                    .get(&number)
                    .map_or(path, |(_, has)| (*has).to_owned()),
                number,
                first,
                second,
            },
            other => other,
        };
        let of_folder = Names::of(any, &lines).map_err(placed)?;
        let Some(names) = &mut names else {
            names = Some(of_folder);
            continue;
        };
        let lines: Vec<Line> = all_numbers.values().map(|(line, _)| line.clone()).collect();
        names.check_same(&of_folder, any, &lines).map_err(placed)?;
        names.extend(of_folder);
    }
    let names = names.unwrap_or_default();
    Ok(names.through_the_last_named())
}

/// Writes the boxes of one image, rotated ones as the upright boxes around them: a line of four shares is what detectors of
/// upright boxes read. The classes' numbers are their places in `classes`.
///
/// # Errors
/// [`FormatError::SizeNeeded`] for an image of unknown size; [`FormatError::UnknownClass`]; [`FormatError::Io`].
pub fn write(
    path: impl AsRef<Path>,
    image: &LabeledImage,
    classes: &[String],
) -> Result<(), FormatError> {
    let path = path.as_ref();
    let (Some(width), Some(height)) = (image.width, image.height) else {
        return Err(FormatError::SizeNeeded {
            path: path.to_owned(),
        });
    };
    let mut text = String::new();
    for one in &image.boxes {
        let number = classes.iter().position(|name| *name == one.class);
        let number = number.ok_or_else(|| FormatError::UnknownClass {
            path: path.to_owned(),
            found: one.class.clone(),
            classes: classes.to_vec(),
        })?;
        let shares = one.bounds.scale(1.0 / width as f64, 1.0 / height as f64);
        let (x, y) = shares.center();
        let (wide, high) = (shares.width(), shares.height());
        text.push_str(&format!("{number} {x} {y} {wide} {high}\n"));
    }
    write_text(path, &text)
}
