//! YOLO: a text file an image, a line a box: the class's number, then centre, width and height as shares of the image.

use std::collections::BTreeMap;
use std::path::Path;

use super::xml::shortened;
use super::{
    BoxFile, FormatError, LabelledBox, LabelledImage, ReadOptions, accept, text_of, write_text,
};
use crate::BoundingBox;

/// Files that name the classes, a line each, beside the labels or in the folder above.
const NAME_FILES: [&str; 4] = ["classes.txt", "obj.names", "data.yaml", "dataset.yaml"];

/// Reads the boxes of one image, whose size `options` must say. Lines with more than four numbers are outlines (`x y`
/// pairs), whose bounding boxes are taken; a fifth number alone is a score and is passed over. Classes are named by
/// `options`, by a `classes.txt`, `obj.names` or `data.yaml` beside the file or above it, or by their numbers.
///
/// # Errors
/// [`FormatError::SizeNeeded`]; [`FormatError::Syntax`] with the line for what is no number or no box;
/// [`FormatError::UnknownClass`] for a number beyond the names.
pub fn read(path: impl AsRef<Path>, options: &ReadOptions) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let (width, height) = options.size.ok_or_else(|| FormatError::SizeNeeded {
        path: path.to_owned(),
    })?;
    let text = text_of(path)?;
    let names = match &options.class_names {
        Some(names) => Some(names.clone()),
        None => names_beside(path),
    };
    let syntax = |line, expected: &str, found: String| FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected: expected.to_owned(),
        found,
    };
    let mut left_out = BTreeMap::new();
    let mut boxes = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        let Some(class) = words.next() else {
            continue;
        };
        let line = index + 1;
        let number: usize = class.parse().map_err(|_| {
            let found = format!("{:?}", shortened(class));
            syntax(line, "the class's number, from 0", found)
        })?;
        let numbers = words.map(|word| {
            word.parse::<f64>()
                .map_err(|_| syntax(line, "a number", format!("{:?}", shortened(word))))
        });
        let numbers = numbers.collect::<Result<Vec<f64>, _>>()?;
        let bounds = match *numbers.as_slice() {
            [x, y, width, height] | [x, y, width, height, _] => {
                BoundingBox::from_center(x, y, width, height)
            }
            ref points if points.len() >= 6 && points.len() % 2 == 0 => around(points),
            ref others => {
                let found = format!("{} numbers", others.len());
                let expected = "centre, width and height, or an outline of at least three points,";
                return Err(syntax(line, expected, found));
            }
        };
        if bounds.is_finite()
            && [bounds.x_min, bounds.y_min, bounds.x_max, bounds.y_max]
                .iter()
                .any(|edge| edge.abs() > 4.0)
        {
            let found = format!(
                "{:?}",
                shortened(
                    &numbers
                        .iter()
                        .map(f64::to_string)
                        .collect::<Vec<_>>()
                        .join(" ")
                )
            );
            return Err(syntax(line, "shares of the image from 0 to 1", found));
        }
        let class = match &names {
            None => number.to_string(),
            Some(names) => names
                .get(number)
                .cloned()
                .ok_or_else(|| FormatError::UnknownClass {
                    path: path.to_owned(),
                    found: number.to_string(),
                    classes: names.clone(),
                })?,
        };
        let bounds = bounds.scale(width as f64, height as f64);
        if accept(&bounds, &mut left_out) {
            boxes.push(LabelledBox::new(bounds, class));
        }
    }
    let file = path.file_stem().unwrap_or_default().to_string_lossy();
    let image = LabelledImage {
        file: file.into_owned(),
        width: Some(width),
        height: Some(height),
        boxes,
    };
    let file = BoxFile::named(vec![image], left_out);
    Ok(BoxFile {
        classes: names.unwrap_or(file.classes.clone()),
        ..file
    })
}

/// Writes the boxes of one image. The classes' numbers are their places in `classes`.
///
/// # Errors
/// [`FormatError::SizeNeeded`] for an image of unknown size; [`FormatError::UnknownClass`]; [`FormatError::Io`].
pub fn write(
    path: impl AsRef<Path>,
    image: &LabelledImage,
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

/// The box around points given as `x y x y …`.
fn around(points: &[f64]) -> BoundingBox {
    let start = BoundingBox::new(
        f64::INFINITY,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NEG_INFINITY,
    );
    points.chunks_exact(2).fold(start, |all, point| {
        // `f64::min` would pass over NaN, and the outline would look sound.
        if point.iter().any(|value| value.is_nan()) {
            return BoundingBox::new(f64::NAN, f64::NAN, f64::NAN, f64::NAN);
        }
        if all.x_min.is_nan() {
            return all;
        }
        all.union(&BoundingBox::new(point[0], point[1], point[0], point[1]))
    })
}

/// The names in a file beside the labels or in the folder above.
fn names_beside(path: &Path) -> Option<Vec<String>> {
    let beside = path.parent()?;
    let folders = [Some(beside), beside.parent()];
    let files = folders
        .into_iter()
        .flatten()
        .flat_map(|folder| NAME_FILES.map(|name| folder.join(name)));
    files
        .filter(|file| file != path && file.is_file())
        .find_map(|file| {
            let text = text_of(&file).ok()?;
            if file
                .extension()
                .is_some_and(|extension| extension == "yaml")
            {
                return names_in_yaml(&text);
            }
            let names: Vec<String> = text
                .lines()
                .map(|line| line.trim().to_owned())
                .filter(|line| !line.is_empty())
                .collect();
            (!names.is_empty()).then_some(names)
        })
}

/// The value of `names` in a YAML file as YOLO writes it: `[a, b]`, lines of `- a`, or lines of `0: a` in any order.
fn names_in_yaml(text: &str) -> Option<Vec<String>> {
    let plain = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    let mut lines = text
        .lines()
        .map(|line| line.split(" #").next().unwrap_or(line));
    let first = lines.find_map(|line| line.strip_prefix("names:"))?.trim();
    if !first.is_empty() {
        let inside = first.strip_prefix('[')?.strip_suffix(']')?;
        return Some(inside.split(',').map(plain).collect());
    }
    let mut names = BTreeMap::new();
    for line in lines {
        let item = line.trim();
        if item.is_empty() {
            continue;
        }
        if let Some(name) = item.strip_prefix("- ") {
            names.insert(names.len(), plain(name));
        } else if let Some((number, name)) = item.split_once(':').filter(|_| line.starts_with(' '))
        {
            names.insert(number.trim().parse().ok()?, plain(name));
        } else {
            break;
        }
    }
    let without_gap = names.keys().copied().eq(0..names.len());
    (without_gap && !names.is_empty()).then(|| names.into_values().collect())
}
