//! DOTA: a text file an image, a line an object: four corners, the class, the difficulty.

use std::path::Path;

use super::remark::Gathered;
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

/// Whether a text has DOTA's header lines, or eight numbers and a name in its first line.
pub(super) fn is_dota(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let Some(first) = lines.next() else {
        return false;
    };
    if is_header(first) {
        return true;
    }
    let words: Vec<&str> = first.split_whitespace().collect();
    (9..=10).contains(&words.len())
        && words[..8].iter().all(|word| word.parse::<f64>().is_ok())
        && words[8].parse::<f64>().is_err()
}

/// Reads the objects of one image, whose name is that of the file. Each object keeps its four corners
/// ([`LabeledBox::outline`]) beside the upright box around them. Difficult objects count like the others, which [`BoxFile::remarks`] says.
///
/// # Errors
/// [`FormatError::Syntax`] with the line for what is no object.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?;
    let syntax = |line, expected: &str, found: &str| FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected: expected.to_owned(),
        found: format!("{:?}", shortened(found)),
        example: EXAMPLE,
    };
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
    let mut length = None;
    for (index, line) in text.text.lines().enumerate() {
        if line.trim().is_empty() || is_header(line) {
            continue;
        }
        let number = index + 1;
        let words: Vec<&str> = line.split_whitespace().collect();
        // A line of another length than the first is one that was cut.
        if !(9..=10).contains(&words.len()) || words.len() != *length.get_or_insert(words.len()) {
            return Err(syntax(
                number,
                "eight numbers, a class and a difficulty",
                line,
            ));
        }
        let mut corners = [0.0; 8];
        for (corner, word) in corners.iter_mut().zip(&words) {
            *corner = word
                .parse()
                .map_err(|_| syntax(number, "a coordinate", word))?;
        }
        let class = words[8];
        if class.parse::<f64>().is_ok() {
            return Err(syntax(
                number,
                "the name of a class after eight numbers",
                class,
            ));
        }
        match words.get(9).map(|word| word.parse::<u8>()) {
            None | Some(Ok(0)) => {}
            Some(Ok(_)) => gathered.difficult(),
            Some(Err(_)) => return Err(syntax(number, "a difficulty of 0, 1 or 2", words[9])),
        }
        let [a, b, c, d, e, f, g, h] = corners;
        let outline = Quadrilateral::new([(a, b), (c, d), (e, f), (g, h)]);
        let one = LabeledBox::rotated(outline, class);
        gathered.add(&mut image, one, || format!("line {number}"));
    }
    Ok(gathered.finish(vec![image], None))
}
