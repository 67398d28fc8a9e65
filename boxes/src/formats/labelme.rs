//! labelme: one JSON file an image, and those of its followers such as AnyLabeling.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::json::{self, Lenient};
use super::remark::{Gathered, Remark, RemarkKind, Traits};
use super::shape::{around, four_corners, is_upright};
use super::text::text_of;
use super::{BoxFile, FormatError, LabeledBox, LabeledImage};
use crate::BoundingBox;

#[derive(Deserialize)]
struct File {
    shapes: Option<Vec<Lenient<Shape>>>,
    #[serde(rename = "imagePath", default)]
    image: Value,
    #[serde(rename = "imageWidth", default)]
    width: Value,
    #[serde(rename = "imageHeight", default)]
    height: Value,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    label: Value,
    #[serde(default)]
    points: Value,
    #[serde(default)]
    shape_type: Value,
    #[serde(default)]
    difficult: Value,
}

/// Reads the boxes of one image. Two corners make a rectangle, in either order, as labelme itself has it; rotated boxes of
/// four corners (`rotation`, as AnyLabeling has it) keep these ([`LabeledBox::outline`]); of polygons, circles and masks, the upright boxes around them are taken; lines and points are left out.
///
/// # Errors
/// [`FormatError::Json`] when it is no such file.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?;
    let (file, with_nan): (File, bool) =
        json::parse(&text.text).map_err(|source| FormatError::Json {
            path: path.to_owned(),
            format: "labelme",
            source,
        })?;
    let mut gathered = Gathered::default();
    gathered.remarks.extend(text.remark);
    if with_nan {
        gathered.remarks.push(Remark::new(
            RemarkKind::Noted,
            "the file holds NaN or Infinity, which are read as missing numbers",
        ));
    }
    let mut image = LabeledImage {
        file: json::word(&file.image).unwrap_or_default(),
        width: json::pixels(&file.width),
        height: json::pixels(&file.height),
        ..LabeledImage::default()
    };
    for (index, shape) in file.shapes.unwrap_or_default().into_iter().enumerate() {
        let which = || format!("shape {}", index + 1);
        let mut leave_out = |why| {
            image.left_out += 1;
            gathered.leave_out(why, which);
        };
        let Lenient::Sound(shape) = shape else {
            leave_out("that are no objects with a label and points");
            continue;
        };
        let Some(points) = points_of(&shape.points) else {
            leave_out("whose points are no pairs of numbers");
            continue;
        };
        let Some(label) = json::key(&shape.label).filter(|label| !label.is_empty()) else {
            leave_out("without a label");
            continue;
        };
        // labelme's oldest files have polygons alone and do not say so.
        let kind = json::word(&shape.shape_type).unwrap_or("polygon".to_owned());
        let (mut outline, mut traits) = (None, Traits::default());
        let bounds = match (kind.as_str(), points.as_slice()) {
            ("line" | "linestrip" | "point" | "points", _) => {
                leave_out("that are lines or points");
                continue;
            }
            ("circle", &[(x, y), (a, b)]) => {
                traits.shape = Some("circles");
                let radius = (a - x).hypot(b - y);
                BoundingBox::from_center(x, y, 2.0 * radius, 2.0 * radius)
            }
            ("mask", _) => {
                traits.shape = Some("masks");
                around(&points)
            }
            ("rectangle", corners) if corners.len() == 2 || is_upright(corners) => around(corners),
            (_, corners) if corners.len() < 3 => {
                leave_out("of fewer than three points");
                continue;
            }
            ("rectangle" | "rotation", corners) => {
                outline = four_corners(corners).filter(|outline| !outline.is_upright());
                if outline.is_none() && !is_upright(corners) {
                    traits.shape = Some("rotated boxes of other than four corners");
                }
                around(corners)
            }
            (_, corners) => {
                if !is_upright(corners) {
                    traits.shape = Some("polygons");
                }
                around(corners)
            }
        };
        traits.difficult = matches!(shape.difficult, Value::Bool(true));
        let one = LabeledBox {
            outline,
            ..LabeledBox::new(bounds, label)
        };
        gathered.add(&mut image, one, traits, which);
    }
    Ok(gathered.finish(vec![image], None))
}

/// `[[x, y], …]`
fn points_of(points: &Value) -> Option<Vec<(f64, f64)>> {
    let pair = |point: &Value| match point.as_array()?.as_slice() {
        [x, y] => Some((json::number(x)?, json::number(y)?)),
        _ => None,
    };
    points.as_array()?.iter().map(pair).collect()
}
