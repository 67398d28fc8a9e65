//! YOLO: a text file an image, a line a box: the class's number, then center, width and height as shares of the image.

mod names;

use std::path::Path;

use super::remark::{Gathered, Remark, RemarkKind, boxes};
use super::shape::{around, four_corners, is_upright, pairs};
use super::text::{Text, shortened, text_of, write_text};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage, ReadOptions};
use crate::BoundingBox;
use names::Names;

const EXAMPLE: &str = "a line of YOLO is `class x y width height`: the class's number, and center and size of the box as shares \
                       of the image from 0 to 1";

/// Reads the boxes of one image, whose size `options` must say. By the numbers after the class's number: 4 are a box, 5 a
/// box and its confidence, 8 the corners of a rotated box (Ultralytics' OBB), another even count an outline of points, another
/// odd count an outline and its confidence; among other outlines, 8 are one as well; with `kpt_shape` in the `data.yaml`, or where every third number is a visibility, the rest
/// after 4 are keypoints. Rotated boxes keep their corners ([`LabeledBox::outline`]); of outlines, the upright boxes around
/// them are taken.
///
/// Classes are named by `options`, or by a `data.yaml`, `classes.txt`, `obj.names` or `obj.data` in the folder of the file
/// or above it, up to the root of the data set; otherwise by their numbers ([`BoxFile::unnamed_classes`]).
///
/// # Errors
/// [`FormatError::SizeNeeded`]; [`FormatError::Syntax`] with the line for what is no number or no box;
/// [`FormatError::ClassNumber`] for a number beyond the names; [`FormatError::Names`] and [`FormatError::NamesDiffer`] for
/// files of names that cannot be read or contradict each other.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let (width, height) = options.size.ok_or_else(|| FormatError::SizeNeeded {
        path: path.to_owned(),
    })?;
    let Text { text, remark } = text_of(path)?;
    let syntax = |line, expected: &str, found: String| FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected: expected.to_owned(),
        found,
        example: EXAMPLE,
    };
    let lines = text
        .lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line));
    let mut parsed = Vec::new();
    for (line, text) in lines.filter(|(_, text)| !text.trim().is_empty()) {
        parsed.push(
            Line::parse(line, text).map_err(|(expected, found)| syntax(line, expected, found))?,
        );
    }
    let names = match &options.class_names {
        Some(names) => Names::given(names),
        None => Names::of(path, &parsed)?,
    };
    let mut gathered = Gathered::default();
    gathered.remarks.extend(remark);
    gathered.remarks.extend(names.remarks.iter().cloned());
    names.check(path, &parsed)?;
    let mut image = LabeledImage {
        file: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        width: Some(width),
        height: Some(height),
        ..LabeledImage::default()
    };
    let keypoints = names.keypoints.or_else(|| visibilities(&parsed));
    let (mut scored, mut posed) = (0, 0);
    // A polygon of four points is written as a rotated box is.
    let outlines = keypoints.is_none()
        && parsed
            .iter()
            .any(|line| line.numbers.len() >= 6 && line.numbers.len() / 2 != 4);
    for one in &parsed {
        let mut outline = None;
        let (bounds, numbers) = match *one.numbers.as_slice() {
            [x, y, width, height] => (BoundingBox::from_center(x, y, width, height), 4),
            [x, y, width, height, _] => {
                scored += 1;
                (BoundingBox::from_center(x, y, width, height), 4)
            }
            [x, y, width, height, ..]
                if keypoints.is_some_and(|count| {
                    (0..=1).contains(&(one.numbers.len() as i64 - 4 - count as i64))
                }) =>
            {
                posed += 1;
                (BoundingBox::from_center(x, y, width, height), 4)
            }
            ref points if points.len() >= 6 => {
                let even = points.len() / 2 * 2;
                scored += points.len() - even;
                // An even number of numbers are pairs.
                let corners = pairs(&points[..even]).unwrap_or_default();
                if !outlines {
                    outline = four_corners(&corners).filter(|outline| !outline.is_upright());
                }
                if outline.is_none() && !is_upright(&corners) {
                    gathered.upright("outlines");
                }
                (around(&corners), even)
            }
            ref others => {
                let found = format!("{} numbers", others.len());
                let expected = "center, width and height, or an outline of at least three points,";
                return Err(syntax(one.line, expected, found));
            }
        };
        let edges = [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max];
        if bounds.is_finite() && edges.iter().any(|edge| edge.abs() > 4.0) {
            let shares = one.numbers[..numbers].iter().map(f64::to_string);
            let found = format!("{:?}", shortened(&shares.collect::<Vec<_>>().join(" ")));
            return Err(syntax(one.line, "shares of the image from 0 to 1", found));
        }
        let (width, height) = (width as f64, height as f64);
        let one_box = LabeledBox {
            outline: outline.map(|outline| outline.scale(width, height)),
            ..LabeledBox::new(bounds.scale(width, height), names.name(one.class))
        };
        gathered.add(&mut image, one_box, || format!("line {}", one.line));
    }
    if scored > 0 {
        let text = format!("{} with a confidence, which was passed over", boxes(scored));
        gathered.remarks.push(
            Remark::new(RemarkKind::Noted, text)
                .count(scored)
                .next("check that these are labels: predictions have confidences"),
        );
    }
    if posed > 0 {
        let text = format!("the keypoints of {} were passed over", boxes(posed));
        gathered
            .remarks
            .push(Remark::new(RemarkKind::Converted, text).count(posed));
    }
    gathered.unnamed = names.is_empty() && !parsed.is_empty();
    let classes = (!names.is_empty()).then(|| names.all());
    Ok(gathered.finish(vec![image], classes))
}

/// A line of numbers.
struct Line {
    line: usize,
    class: usize,
    /// Those after the class's.
    numbers: Vec<f64>,
}

impl Line {
    /// What is expected and what was found otherwise.
    fn parse(line: usize, text: &str) -> Result<Self, (&'static str, String)> {
        let mut words = text.split_whitespace();
        let class = words.next().unwrap_or_default();
        // NumPy writes whole numbers as `0.000e+00`.
        let whole = class.parse::<f64>().ok();
        let whole = whole.filter(|number| number.fract() == 0.0 && (0.0..1e9).contains(number));
        let Some(number) = whole else {
            let found = format!("{:?}", shortened(class));
            return Err(("the class's number, from 0", found));
        };
        let numbers = words.map(|word| {
            word.parse::<f64>()
                .map_err(|_| ("a number", format!("{:?}", shortened(word))))
        });
        Ok(Self {
            line,
            class: number as usize,
            numbers: numbers.collect::<Result<_, _>>()?,
        })
    }
}

/// The count of keypoints' numbers after a box, when every line has that count and every third is a visibility: 0, 1 or 2.
fn visibilities(lines: &[Line]) -> Option<usize> {
    let count = lines.first()?.numbers.len().checked_sub(4)?;
    let is_visibility = |number: &f64| [0.0, 1.0, 2.0].contains(number);
    let fits = |line: &Line| {
        line.numbers.len() == count + 4
            && line.numbers[4..]
                .chunks_exact(3)
                .all(|point| is_visibility(&point[2]))
    };
    (count >= 3 && count.is_multiple_of(3) && lines.iter().all(fits)).then_some(count)
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
