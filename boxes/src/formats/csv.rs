//! Tables of boxes: a row a box, the columns by their names.

use std::collections::BTreeMap;
use std::path::Path;

use super::xml::shortened;
use super::{BoxFile, FormatError, LabelledBox, LabelledImage, accept, text_of, write_text};
use crate::BoundingBox;

/// The names that a column may have, in lower case.
const EDGES: [&[&str]; 4] = [
    &["xmin", "x_min", "x1", "left"],
    &["ymin", "y_min", "y1", "top"],
    &["xmax", "x_max", "x2", "right"],
    &["ymax", "y_max", "y2", "bottom"],
];
const CLASS: &[&str] = &["label", "class", "name", "category", "class_name"];
const IMAGE: &[&str] = &[
    "image_path",
    "image",
    "filename",
    "file_name",
    "file",
    "path",
];

/// Whether a file is a table by its extension.
#[must_use]
pub fn is_table(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("csv") || extension.eq_ignore_ascii_case("tsv")
    })
}

/// The names of a table's columns.
///
/// # Errors
/// [`FormatError::Io`].
pub fn column_names(path: impl AsRef<Path>) -> Result<Vec<String>, FormatError> {
    let text = text_of(path.as_ref())?;
    let header = Rows::new(&text, separator_of(&text)).next();
    let (_, names) = header.unwrap_or_default();
    Ok(names.iter().map(|name| name.trim().to_owned()).collect())
}

/// Whichever the first line holds most of.
fn separator_of(text: &str) -> char {
    let first_line = text.lines().next().unwrap_or_default();
    [',', ';', '\t']
        .into_iter()
        .max_by_key(|&separator| (first_line.matches(separator).count(), separator == ','))
        .unwrap_or(',')
}

/// Reads a table with the columns `xmin`, `ymin`, `xmax`, `ymax`, and as they are there `label` and `image_path`; usual
/// other names of these are known. Separated by commas, semicolons or tabs, whichever the first line holds most of. A row
/// whose four edges are all empty says that its image was looked through and holds nothing.
///
/// # Errors
/// [`FormatError::Syntax`] with the line for a missing column, a row of another length, or an edge that is no number.
pub fn read(path: impl AsRef<Path>, class_column: Option<&str>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?;
    let syntax = |line, expected: String, found: String| FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected,
        found,
    };
    let mut rows = Rows::new(&text, separator_of(&text));
    let Some((_, header)) = rows.next() else {
        return Err(syntax(
            1,
            "a line with the names of the columns".to_owned(),
            "an empty file".to_owned(),
        ));
    };
    let header: Vec<String> = header
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let column = |names: &[&str]| {
        names
            .iter()
            .find_map(|name| header.iter().position(|have| have == name))
    };
    let named = |name: &str| {
        let expected = || format!("a column {name:?}");
        let found = || format!("the columns {}", shortened(&header.join(", ")));
        let wanted = name.to_lowercase();
        column(&[wanted.as_str()]).ok_or_else(|| syntax(1, expected(), found()))
    };
    let mut edges = [0; 4];
    for (place, names) in edges.iter_mut().zip(EDGES) {
        *place = match column(names) {
            Some(found) => found,
            None => named(names[0])?,
        };
    }
    let class = match class_column {
        Some(name) => Some(named(name)?),
        None => column(CLASS),
    };
    let image = column(IMAGE);
    let mut images: Vec<LabelledImage> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut left_out = BTreeMap::new();
    for (line, row) in rows {
        if row.len() != header.len() {
            let expected = format!("{} values", header.len());
            return Err(syntax(line, expected, format!("{}", row.len())));
        }
        let value = |place: Option<usize>| place.map_or("", |place| row[place].trim());
        let file = value(image);
        let place = *places.entry(file.to_owned()).or_insert_with(|| {
            images.push(LabelledImage {
                file: file.to_owned(),
                ..LabelledImage::default()
            });
            images.len() - 1
        });
        let corners = edges.map(|edge| value(Some(edge)));
        if corners.iter().all(|text| text.is_empty()) {
            continue;
        }
        let mut numbers = [0.0; 4];
        for ((number, text), edge) in numbers.iter_mut().zip(corners).zip(edges) {
            *number = text.parse().map_err(|_| {
                let expected = format!("a number as {:?}", header[edge]);
                syntax(line, expected, format!("{:?}", shortened(text)))
            })?;
        }
        let [x_min, y_min, x_max, y_max] = numbers;
        let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
        if accept(&bounds, &mut left_out) {
            images[place]
                .boxes
                .push(LabelledBox::new(bounds, value(class)));
        }
    }
    Ok(BoxFile::named(images, left_out))
}

/// Writes a table with the columns `image_path`, `xmin`, `ymin`, `xmax`, `ymax`, `label`; an image without boxes gets one
/// row of its name alone.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write(path: impl AsRef<Path>, images: &[LabelledImage]) -> Result<(), FormatError> {
    let mut text = "image_path,xmin,ymin,xmax,ymax,label\n".to_owned();
    for image in images {
        let file = quoted(&image.file);
        if image.boxes.is_empty() {
            text.push_str(&format!("{file},,,,,\n"));
        }
        for one in &image.boxes {
            let BoundingBox {
                x_min,
                y_min,
                x_max,
                y_max,
            } = one.bounds;
            let class = quoted(&one.class);
            text.push_str(&format!("{file},{x_min},{y_min},{x_max},{y_max},{class}\n"));
        }
    }
    write_text(path.as_ref(), &text)
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The rows of a table with the lines they begin on (RFC 4180); empty lines are left out.
struct Rows<'a> {
    rest: &'a str,
    line: usize,
    separator: char,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str, separator: char) -> Self {
        Self {
            rest: text,
            line: 1,
            separator,
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = (usize, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(after) = self
            .rest
            .strip_prefix("\r\n")
            .or(self.rest.strip_prefix('\n'))
        {
            self.rest = after;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let (start, mut row, mut value) = (self.line, Vec::new(), String::new());
        let mut quoted = false;
        let mut characters = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, character)) = characters.next() {
            self.line += usize::from(character == '\n');
            match character {
                '"' if quoted && characters.peek().is_some_and(|&(_, next)| next == '"') => {
                    value.push('"');
                    characters.next();
                }
                '"' if quoted || value.is_empty() => quoted = !quoted,
                '\n' if !quoted => {
                    end = at + 1;
                    break;
                }
                '\r' if !quoted => {}
                _ if character == self.separator && !quoted => row.push(std::mem::take(&mut value)),
                _ => value.push(character),
            }
        }
        row.push(value);
        self.rest = &self.rest[end..];
        Some((start, row))
    }
}
