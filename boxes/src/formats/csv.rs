//! Tables of boxes: a row a box, the columns by their names.

use std::collections::BTreeMap;
use std::path::Path;

use super::remark::{Flaw, Gathered, Remark, RemarkKind, Traits, boxes};
use super::shape::{Wkt, around, is_upright, wkt};
use super::text::{Text, shortened, text_of, write_text};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage};
use crate::BoundingBox;

const EXAMPLE: &str = "a table begins with the line `image_path,xmin,ymin,xmax,ymax,label`, and every row has as many values";

/// The names that a column may have, in lower case.
const EDGES: [&[&str]; 4] = [
    &["xmin", "x_min", "x1", "left", "bbox_xmin", "minx"],
    &["ymin", "y_min", "y1", "top", "bbox_ymin", "miny"],
    &["xmax", "x_max", "x2", "right", "bbox_xmax", "maxx"],
    &["ymax", "y_max", "y2", "bottom", "bbox_ymax", "maxy"],
];
const CLASS: &[&str] = &[
    "label",
    "class",
    "name",
    "category",
    "class_name",
    "label_name",
    "category_name",
];
const IMAGE: &[&str] = &[
    "image_path",
    "image",
    "filename",
    "file_name",
    "file",
    "path",
    "image_name",
    "img",
    "imageid",
    "image_id",
];
/// How sure a model was: labels have none.
const SCORE: &[&str] = &["score", "scores", "confidence", "conf"];
/// Polygons as well-known text in pixels.
const OUTLINE: &[&str] = &["polygonwkt_pix", "geometry", "wkt", "geom"];
/// Columns beside which an outline is in degrees, as in Google's Open Buildings.
const LONGITUDE: &[&str] = &["longitude", "lon", "lng"];

/// The names of a table's columns.
///
/// # Errors
/// [`FormatError::Io`]; [`FormatError::Syntax`] for a quotation mark that nothing ends.
pub fn column_names(path: impl AsRef<Path>) -> Result<Vec<String>, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?.text;
    // An empty file has no columns.
    let Some(header) = Rows::new(&text, separator_of(&text)).next() else {
        return Ok(Vec::new());
    };
    let (_, names) = header.map_err(|line| unclosed(path, line))?;
    Ok(names.iter().map(|name| name.trim().to_owned()).collect())
}

/// The lines of rows with more or fewer values than the first one; values beyond it that are empty do not count.
///
/// # Errors
/// As [`column_names`].
pub fn uneven_rows(path: impl AsRef<Path>) -> Result<Vec<usize>, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?.text;
    let mut rows = Rows::new(&text, separator_of(&text));
    let Some(header) = rows.next() else {
        return Ok(Vec::new());
    };
    let count = header.map_err(|line| unclosed(path, line))?.1.len();
    let mut uneven = Vec::new();
    for row in rows {
        let (line, mut row) = row.map_err(|line| unclosed(path, line))?;
        drop_empty(&mut row, count);
        if row.len() != count {
            uneven.push(line);
        }
    }
    Ok(uneven)
}

/// Some programs end every row with a separator.
fn drop_empty(row: &mut Vec<String>, columns: usize) {
    while row.len() > columns && row.last().is_some_and(|value| value.trim().is_empty()) {
        row.pop();
    }
}

/// The error of a quotation mark in a line that nothing ends.
fn unclosed(path: &Path, line: usize) -> FormatError {
    FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected: "a quotation mark that ends the value".to_owned(),
        found: "the end of the file".to_owned(),
        example: EXAMPLE,
    }
}

/// Whichever the first line holds most of.
fn separator_of(text: &str) -> char {
    let first_line = text.lines().next().unwrap_or_default();
    [',', ';', '\t']
        .into_iter()
        .max_by_key(|&separator| (first_line.matches(separator).count(), separator == ','))
        .unwrap_or(',')
}

/// Whether the first line names columns of edges or outlines.
pub(super) fn has_header(text: &str) -> bool {
    let header = Rows::new(text, separator_of(text)).next();
    let Some(Ok((_, names))) = header else {
        return false;
    };
    Columns::new(&names).is_some_and(|columns| columns.names.len() > 1)
}

/// Where a table has what.
struct Columns {
    names: Vec<String>,
    place: Place,
    class: Option<usize>,
    image: Option<usize>,
}

enum Place {
    Edges([usize; 4]),
    Outline(usize),
}

impl Columns {
    /// `None` without edges and outlines.
    fn new(header: &[String]) -> Option<Self> {
        let names: Vec<String> = header
            .iter()
            .map(|name| name.trim().to_lowercase())
            .collect();
        let column = |known: &[&str]| find(&names, known);
        let edges = EDGES.map(column);
        let place = match edges {
            [Some(x_min), Some(y_min), Some(x_max), Some(y_max)] => {
                Place::Edges([x_min, y_min, x_max, y_max])
            }
            [None, None, None, None] => Place::Outline(column(OUTLINE)?),
            _ => return None,
        };
        Some(Self {
            place,
            class: column(CLASS),
            image: column(IMAGE),
            names,
        })
    }
}

fn find(names: &[String], known: &[&str]) -> Option<usize> {
    let mut known = known.iter();
    known.find_map(|name| names.iter().position(|have| have == name))
}

/// Reads a table with the columns `xmin`, `ymin`, `xmax`, `ymax`, and as they are there `label` and `image_path`; usual
/// other names of these are known. In place of the edges, `geometry` may hold polygons in pixels as well-known text, as
/// DeepForest writes them, or `PolygonWKT_Pix`, as SpaceNet does: the boxes around them are taken. Separated by commas,
/// semicolons or tabs, whichever the first line holds most of. A row whose four edges are all empty, or all 0 as the only
/// row of its image, says that the image was looked through and holds nothing, as in DeepForest. A row of another length, or
/// with a place that is no number, is left out and counted.
///
/// # Errors
/// [`FormatError::Syntax`] with the line for a missing column, for a quotation mark that nothing ends, since it takes in the
/// rest of the file, and when no row is sound; [`FormatError::Degrees`] for polygons beside latitude and longitude.
pub fn read(path: impl AsRef<Path>, class_column: Option<&str>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let Text { text, remark } = text_of(path)?;
    let syntax = |line, expected: String, found: String| FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected,
        found,
        example: EXAMPLE,
    };
    let unclosed = |line| unclosed(path, line);
    let separator = separator_of(&text);
    let mut rows = Rows::new(&text, separator);
    let Some(header) = rows.next() else {
        return Err(syntax(
            1,
            "a line with the names of the columns".to_owned(),
            "an empty file".to_owned(),
        ));
    };
    let (_, header) = header.map_err(unclosed)?;
    let mut columns = Columns::new(&header).ok_or_else(|| without_edges(&header, &syntax))?;
    if let Some(name) = class_column {
        let wanted = name.to_lowercase();
        columns.class = Some(find(&columns.names, &[wanted.as_str()]).ok_or_else(|| {
            let found = format!("the columns {}", columns.names.join(", "));
            syntax(1, format!("a column {name:?}"), found)
        })?);
    }
    let longitude = find(&columns.names, LONGITUDE);
    if let (Place::Outline(outline), Some(longitude)) = (&columns.place, longitude) {
        return Err(FormatError::Degrees {
            path: path.to_owned(),
            found: format!(
                "{} and {}",
                columns.names[longitude], columns.names[*outline]
            ),
        });
    }
    let mut table = Table {
        images: Vec::new(),
        places: BTreeMap::new(),
        nothing: Vec::new(),
        gathered: Gathered::default(),
        commas: separator != ',',
        mended: 0,
        size: [
            find(&columns.names, &["width"]),
            find(&columns.names, &["height"]),
        ],
        sizes: BTreeMap::new(),
        broken: Vec::new(),
    };
    table.gathered.remarks.extend(remark);
    table.gathered.remarks.extend(doubled(&columns));
    for row in rows {
        let (line, mut row) = row.map_err(unclosed)?;
        drop_empty(&mut row, columns.names.len());
        if row.len() != columns.names.len() {
            let expected = format!("{} values", columns.names.len());
            let found = match row.len() {
                1 => "1 value".to_owned(),
                count => format!("{count} values"),
            };
            let image = columns.image.and_then(|column| row.get(column));
            table.broken.push((
                image.map(|name| name.trim().to_owned()),
                Flaw::new(
                    "of rows of another length than the first line",
                    line,
                    expected,
                    found,
                ),
            ));
            continue;
        }
        if let Err((place, column, found)) = table.row(&columns, line, &row) {
            let (what, why) = match columns.place {
                Place::Edges(_) => ("a number", "whose place has other words than numbers"),
                Place::Outline(_) => (
                    "a polygon as well-known text",
                    "whose place is no polygon in well-known text",
                ),
            };
            let expected = format!("{what} as {:?}", columns.names[column]);
            let found = format!("{:?}", shortened(&found));
            let flaw = Flaw::new(why, line, expected, found);
            table.gathered.broken(table.images.get_mut(place), flaw);
        }
    }
    table.place_broken(&columns);
    if let Some(score) = find(&columns.names, SCORE) {
        table.note_scores(&columns.names[score]);
    }
    table.finish(path)
}

/// What is to be said where columns that are used are there more than once.
fn doubled(columns: &Columns) -> Option<Remark> {
    let place = match &columns.place {
        Place::Edges(edges) => edges.as_slice(),
        Place::Outline(outline) => std::slice::from_ref(outline),
    };
    let used = place.iter().chain(&columns.class).chain(&columns.image);
    let names: Vec<&str> = used
        .filter_map(|&at| columns.names.get(at))
        .map(String::as_str)
        .filter(|name| columns.names.iter().filter(|other| other == name).count() > 1)
        .collect();
    let first = names.first()?;
    let text = match names.len() {
        1 => format!("the table has several columns called {first:?}: the first is taken"),
        _ => format!(
            "the table has several columns of one name, of which the first is taken: {}",
            names.join(", ")
        ),
    };
    Some(Remark::new(RemarkKind::Assumed, text).next("rename or remove the other one"))
}

/// Why a header does not do.
fn without_edges(
    header: &[String],
    syntax: &dyn Fn(usize, String, String) -> FormatError,
) -> FormatError {
    let names: Vec<String> = header
        .iter()
        .map(|name| name.trim().to_lowercase())
        .collect();
    let is_number = |name: &String| name.parse::<f64>().is_ok();
    if names.iter().filter(|name| is_number(name)).count() >= 4 {
        let found = format!("{:?}", shortened(&header.join(",")));
        return syntax(1, "a line with the names of the columns".to_owned(), found);
    }
    let mut missing = EDGES.iter().filter(|edge| find(&names, edge).is_none());
    let missing = missing.next().map_or("xmin", |edge| edge[0]);
    let found = format!("the columns {}", shortened(&names.join(", ")));
    syntax(1, format!("a column {missing:?}"), found)
}

/// What the rows add up to.
struct Table {
    images: Vec<LabeledImage>,
    places: BTreeMap<String, usize>,
    /// For each image, its rows without a place or of four zeros, and the line of its first row.
    nothing: Vec<(usize, usize)>,
    gathered: Gathered,
    /// Whether a comma may stand for a decimal point.
    commas: bool,
    /// Numbers with a decimal comma.
    mended: usize,
    /// The columns `width` and `height`: of the image, as TensorFlow's tables have them, or of the box.
    size: [Option<usize>; 2],
    /// What they say for each image, and whether all its rows say it.
    sizes: BTreeMap<usize, ([Option<f64>; 2], bool)>,
    /// Rows of another length than the header, with what stands in the column of the image.
    broken: Vec<(Option<String>, Flaw)>,
}

impl Table {
    /// Adds a row; otherwise the place of its image, and the column and the value that cannot be understood.
    fn row(
        &mut self,
        columns: &Columns,
        line: usize,
        row: &[String],
    ) -> Result<(), (usize, usize, String)> {
        let value = |place: Option<usize>| place.map_or("", |place| row[place].trim());
        let file = value(columns.image);
        let place = match self.places.get(file) {
            Some(&place) => place,
            None => {
                self.images.push(LabeledImage {
                    file: file.to_owned(),
                    ..LabeledImage::default()
                });
                self.nothing.push((0, line));
                self.places.insert(file.to_owned(), self.images.len() - 1);
                self.images.len() - 1
            }
        };
        let size = self.size.map(|column| value(column).parse::<f64>().ok());
        let (first, alike) = self.sizes.entry(place).or_insert((size, true));
        *alike &= *first == size;
        let class = value(columns.class);
        let mut traits = Traits::default();
        let bounds = match columns.place {
            Place::Edges(edges) => {
                let corners = edges.map(|edge| value(Some(edge)));
                if corners.iter().all(|text| is_nothing(text)) {
                    self.nothing[place].0 += 1;
                    self.gathered.understand();
                    return Ok(());
                }
                let mut numbers = [0.0; 4];
                for ((number, text), edge) in numbers.iter_mut().zip(corners).zip(edges) {
                    *number = self.number(text).ok_or((place, edge, text.to_owned()))?;
                }
                let [x_min, y_min, x_max, y_max] = numbers;
                // As pandas writes a row without values.
                if numbers == [0.0; 4] || numbers.iter().all(|number| number.is_nan()) {
                    self.nothing[place].0 += 1;
                    self.gathered.understand();
                    return Ok(());
                }
                BoundingBox::new(x_min, y_min, x_max, y_max)
            }
            Place::Outline(column) => match wkt(value(Some(column))) {
                None => return Err((place, column, value(Some(column)).to_owned())),
                Some(Wkt::Empty) => {
                    self.nothing[place].0 += 1;
                    self.gathered.understand();
                    return Ok(());
                }
                Some(Wkt::NoArea) => {
                    self.images[place].left_out += 1;
                    self.gathered
                        .leave_out("that are lines or points", || format!("line {line}"));
                    return Ok(());
                }
                Some(Wkt::Area(points)) => {
                    traits.shape = (!is_upright(&points)).then_some("polygons");
                    around(&points)
                }
            },
        };
        let one = LabeledBox::new(bounds, class);
        self.gathered.add(&mut self.images[place], one, traits, || {
            format!("line {line}")
        });
        Ok(())
    }

    fn note_scores(&mut self, column: &str) {
        let count: usize = self.images.iter().map(|image| image.boxes.len()).sum();
        if count > 0 {
            let text = format!(
                "the column {column:?} of {} was passed over: all count alike",
                boxes(count)
            );
            self.gathered.remarks.push(
                Remark::new(RemarkKind::Noted, text)
                    .count(count)
                    .next("check that these are labels: predictions have scores"),
            );
        }
    }

    fn number(&mut self, text: &str) -> Option<f64> {
        if is_nothing(text) {
            return Some(f64::NAN);
        }
        if let Ok(number) = text.parse() {
            return Some(number);
        }
        // As spreadsheets of half the world write it.
        if self.commas && text.matches(',').count() == 1 {
            let number = text.replace(',', ".").parse().ok()?;
            self.mended += 1;
            return Some(number);
        }
        None
    }

    /// Counts rows of another length for their images, as far as they name one: what other rows call an image, or what the
    /// first column says, which is there however short the row.
    fn place_broken(&mut self, columns: &Columns) {
        for (name, flaw) in std::mem::take(&mut self.broken) {
            let known = name
                .as_ref()
                .and_then(|name| self.places.get(name))
                .copied();
            let place = match (known, name) {
                (Some(place), _) => Some(place),
                (None, Some(name)) if columns.image == Some(0) && !name.is_empty() => {
                    self.images.push(LabeledImage {
                        file: name.clone(),
                        ..LabeledImage::default()
                    });
                    self.nothing.push((0, flaw.line));
                    self.places.insert(name, self.images.len() - 1);
                    Some(self.images.len() - 1)
                }
                // A table of one image names it nowhere.
                (None, None) if columns.image.is_none() && self.images.len() == 1 => Some(0),
                _ => None,
            };
            let image = place.and_then(|place| self.images.get_mut(place));
            self.gathered.broken(image, flaw);
        }
    }

    fn finish(mut self, path: &Path) -> Result<BoxFile, FormatError> {
        for (image, &(count, line)) in self.images.iter_mut().zip(&self.nothing) {
            // Alone, such a row is DeepForest's way to say that nothing is there.
            if count == 0 || (image.boxes.is_empty() && image.left_out == 0 && count == 1) {
                continue;
            }
            image.left_out += count;
            for _ in 0..count {
                self.gathered.leave_out("of rows without a place", || {
                    format!("in the rows from line {line}")
                });
            }
        }
        if self.mended > 0 {
            let text = format!("{} numbers with a decimal comma were read", self.mended);
            let remark = Remark::new(RemarkKind::Repaired, text).count(self.mended);
            self.gathered.remarks.push(remark);
        }
        for (&place, (size, alike)) in &self.sizes {
            let image = &mut self.images[place];
            let [Some(width), Some(height)] = *size else {
                continue;
            };
            // Of the image, and not of a box: the same for all rows, around all boxes, and none begins in its corner alone.
            let mut edges = image.boxes.iter().map(|one| &one.bounds);
            let fits = edges
                .clone()
                .all(|one| one.x_max <= width && one.y_max <= height);
            let moved =
                image.boxes.is_empty() || edges.any(|one| one.x_min > 0.0 || one.y_min > 0.0);
            if *alike
                && fits
                && moved
                && (1.0..1e9).contains(&width)
                && (1.0..1e9).contains(&height)
            {
                image.width = Some(width as usize);
                image.height = Some(height as usize);
            }
        }
        if self.images.is_empty() {
            self.gathered.remarks.push(
                Remark::new(
                    RemarkKind::Noted,
                    "the table has no rows, so that no image has boxes",
                )
                .next("check that it is the right file"),
            );
            self.images.push(LabeledImage::default());
        }
        let nameless = self
            .images
            .iter()
            .filter(|image| image.file.is_empty())
            .map(|image| image.boxes.len())
            .sum::<usize>();
        if self.images.len() > 1 && nameless > 0 {
            let text = format!("{} of the table name no image", boxes(nameless));
            let remark = Remark::new(RemarkKind::Noted, text)
                .count(nameless)
                .next("fill in the column of the image");
            self.gathered.remarks.push(remark);
        }
        self.gathered.finish_sound(path, EXAMPLE, self.images, None)
    }
}

/// How tables write that there is no value.
fn is_nothing(text: &str) -> bool {
    ["", "na", "none", "null", "<na>"].contains(&text.to_lowercase().as_str())
}

/// Writes a table with the columns `image_path`, `xmin`, `ymin`, `xmax`, `ymax`, `label`; an image without boxes gets one
/// row of its name alone.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write(path: impl AsRef<Path>, images: &[LabeledImage]) -> Result<(), FormatError> {
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

/// The rows of a table with the lines they begin on (RFC 4180); empty lines are left out. A quotation mark that is not
/// closed is an error with its line: it would swallow the rest of the table.
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
    type Item = Result<(usize, Vec<String>), usize>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(after) = self
            .rest
            .strip_prefix("\r\n")
            .or(self.rest.strip_prefix(['\n', '\r']))
        {
            self.rest = after;
            self.line += 1;
        }
        if self.rest.is_empty() {
            return None;
        }
        let (start, mut row, mut value) = (self.line, Vec::new(), String::new());
        let mut quoted = None;
        let mut characters = self.rest.char_indices().peekable();
        let mut end = self.rest.len();
        while let Some((at, character)) = characters.next() {
            self.line += usize::from(character == '\n');
            match character {
                '"' if quoted.is_some()
                    && characters.peek().is_some_and(|&(_, next)| next == '"') =>
                {
                    value.push('"');
                    characters.next();
                }
                '"' if quoted.is_some() => quoted = None,
                '"' if value.trim().is_empty() => {
                    value.clear();
                    quoted = Some(self.line);
                }
                '\n' if quoted.is_none() => {
                    end = at + 1;
                    break;
                }
                '\r' if quoted.is_none() => {
                    if characters.peek().is_some_and(|&(_, next)| next == '\n') {
                        continue;
                    }
                    // The line ends of old spreadsheets.
                    self.line += 1;
                    end = at + 1;
                    break;
                }
                _ if character == self.separator && quoted.is_none() => {
                    row.push(std::mem::take(&mut value));
                }
                _ => value.push(character),
            }
        }
        row.push(value);
        self.rest = &self.rest[end..];
        Some(match quoted {
            None => Ok((start, row)),
            Some(line) => {
                self.rest = "";
                Err(line)
            }
        })
    }
}
