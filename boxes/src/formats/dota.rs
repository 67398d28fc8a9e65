//! DOTA: a text file an image, a line an object: four corners, the class, the difficulty.

use std::path::Path;

use super::remark::{Flaw, Gathered, Remark, RemarkKind, Traits, boxes};
use super::text::{shortened, text_of};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage};
use crate::Quadrilateral;

const EXAMPLE: &str = "a line of DOTA is `x1 y1 x2 y2 x3 y3 x4 y4 class difficulty`, in pixels";

/// Lines that tell of the whole image.
const HEADERS: [&str; 4] = [
    "imagesource:",
    "gsd:",
    "acquisition dates:",
    "acquisition date:",
];

fn is_header(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    HEADERS.iter().any(|header| line.starts_with(header))
}

/// Eight numbers and a name, whatever follows.
fn is_object(words: &[&str]) -> bool {
    (9..=10).contains(&words.len())
        && words[..8].iter().all(|word| word.parse::<f64>().is_ok())
        && words[8].parse::<f64>().is_err()
}

/// Whether a text begins with one of DOTA's header lines, or more of its lines are eight numbers and a name than are numbers
/// alone, as YOLO has them. One line alone, which may be the broken one, decides nothing but a draw.
pub(super) fn is_dota(text: &str) -> bool {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(first) = lines.clone().next() else {
        return false;
    };
    if is_header(first) {
        return true;
    }
    let balance: i64 = lines
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let numbers = words.iter().all(|word| word.parse::<f64>().is_ok());
            i64::from(is_object(&words)) - i64::from(numbers)
        })
        .sum();
    let first: Vec<&str> = first.split_whitespace().collect();
    balance > 0 || (balance == 0 && is_object(&first))
}

/// Reads the objects of one image, whose name is that of the file. Each object keeps its four corners
/// ([`LabeledBox::outline`]) beside the upright box around them. Difficult objects count like the others, which
/// [`BoxFile::remarks`] says. A line without a difficulty is an object that is not difficult, as the data set's own
/// `DOTA_devkit` and Ultralytics read it; a line that is no object is left out and counted.
///
/// # Errors
/// [`FormatError::Syntax`] with the first line when no line is an object.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?;
    let mut gathered = Gathered::default();
    gathered.remarks.extend(text.remark);
    let mut image = LabeledImage {
        file: path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        ..LabeledImage::default()
    };
    // Lines with a difficulty, lines without, and the first of these.
    let (mut with, mut without, mut first) = (0_usize, 0_usize, 0);
    for (index, line) in text.text.lines().enumerate() {
        if line.trim().is_empty() || is_header(line) {
            continue;
        }
        let number = index + 1;
        match object(number, line) {
            Ok(object) => {
                with += usize::from(object.difficult.is_some());
                if object.difficult.is_none() {
                    first = if without == 0 { number } else { first };
                    without += 1;
                }
                let traits = Traits {
                    difficult: object.difficult == Some(true),
                    ..Traits::default()
                };
                gathered.add(&mut image, object.labeled, traits, || {
                    format!("line {number}")
                });
            }
            Err(flaw) => gathered.broken(Some(&mut image), flaw),
        }
    }
    if with > 0 && without > 0 {
        let text = format!(
            "{} without a difficulty, where others have one, and taken as not difficult; the first: line {first}",
            boxes(without)
        );
        gathered.remarks.push(
            Remark::new(RemarkKind::Assumed, text)
                .count(without)
                .next("look at that line: it may have been cut"),
        );
    }
    gathered.finish_sound(path, EXAMPLE, vec![image], None)
}

struct Object {
    labeled: LabeledBox,
    /// `None` where the line does not say.
    difficult: Option<bool>,
}

fn object(number: usize, line: &str) -> Result<Object, Flaw> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (corners, rest) = match (words.get(..8), words.get(8..)) {
        (Some(corners), Some(rest @ ([_] | [_, _]))) => (corners, rest),
        _ => {
            let found = format!("{:?}, {} words,", shortened(line.trim()), words.len());
            return Err(Flaw::new(
                "of other than eight numbers, a class and a difficulty",
                number,
                "eight numbers, a class and a difficulty",
                found,
            ));
        }
    };
    let mut numbers = [0.0; 8];
    for (corner, word) in numbers.iter_mut().zip(corners) {
        *corner = word.parse().map_err(|_| {
            let found = format!("{:?}", shortened(word));
            Flaw::new(
                "with a coordinate that is no number",
                number,
                "a coordinate",
                found,
            )
        })?;
    }
    let (class, difficulty) = (rest[0], rest.get(1));
    if class.parse::<f64>().is_ok() {
        return Err(Flaw::new(
            "without the name of a class",
            number,
            "the name of a class after eight numbers",
            format!("{:?}", shortened(class)),
        ));
    }
    let difficult = match difficulty.map(|word| word.parse::<u8>()) {
        None => None,
        Some(Ok(difficulty)) => Some(difficulty > 0),
        Some(Err(_)) => {
            return Err(Flaw::new(
                "with a difficulty that is no number",
                number,
                "a difficulty of 0, 1 or 2",
                format!("{:?}", shortened(difficulty.unwrap_or(&""))),
            ));
        }
    };
    let [a, b, c, d, e, f, g, h] = numbers;
    let outline = Quadrilateral::new([(a, b), (c, d), (e, f), (g, h)]);
    Ok(Object {
        labeled: LabeledBox::rotated(outline, class),
        difficult,
    })
}
