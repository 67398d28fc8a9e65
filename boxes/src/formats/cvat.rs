//! CVAT for images 1.1: one XML file for many images.

use std::path::Path;

use super::remark::{Flaw, Gathered, Traits};
use super::shape::{around, is_upright, turned};
use super::text::{shortened, text_of};
use super::xml::{self, Element};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage};
use crate::BoundingBox;

const EXAMPLE: &str = "CVAT writes `<image name=\"a.png\"><box label=\"tree\" xtl=\"1\" ytl=\"2\" xbr=\"30\" ybr=\"40\"/></image>`";

/// Reads all images with their boxes. Rotated boxes, whose `rotation` is in degrees, clockwise about the middle, keep their
/// corners ([`LabeledBox::outline`]); of polygons, ellipses and masks, the upright boxes around them are taken; lines, points,
/// skeletons and tags have none and are left out. So is a shape without a label, an edge or an angle that is a number: it is
/// counted.
///
/// # Errors
/// [`FormatError::OtherFormat`] for CVAT's tracks of videos; [`FormatError::Syntax`] with the line for broken XML, and when no
/// shape is sound.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let syntax = |line, expected: &str, found: String| FormatError::Syntax {
        path: path.to_owned(),
        line,
        expected: expected.to_owned(),
        found,
        example: EXAMPLE,
    };
    let text = text_of(path)?;
    let root =
        xml::parse(&text.text).map_err(|fault| syntax(fault.line, &fault.expected, fault.found))?;
    if root.name != "annotations" {
        let found = format!("<{}>", shortened(&root.name));
        return Err(syntax(root.line, "<annotations> of CVAT", found));
    }
    if root.child("track").is_some() {
        return Err(FormatError::OtherFormat {
            path: path.to_owned(),
            format: "CVAT's XML of a video",
            way: "export the task as \"CVAT for images 1.1\" or as COCO JSON",
        });
    }
    if root.child("image").is_none()
        && root.child("version").is_none()
        && root.child("meta").is_none()
    {
        let found = root.children.first();
        let found = found.map_or("nothing".to_owned(), |child| {
            format!("<{}>", shortened(&child.name))
        });
        return Err(syntax(root.line, "<image> of CVAT", found));
    }
    let mut gathered = Gathered::default();
    gathered.remarks.extend(text.remark);
    let mut images = Vec::new();
    for element in root.all("image") {
        images.push(image(element, &mut gathered));
    }
    gathered.finish_sound(path, EXAMPLE, images, None)
}

fn image(element: &Element, gathered: &mut Gathered) -> LabeledImage {
    let side = |name| {
        let pixels = element.attribute(name)?.parse::<usize>().ok();
        pixels.filter(|&pixels| pixels > 0)
    };
    let mut image = LabeledImage {
        file: element.attribute("name").unwrap_or_default().to_owned(),
        width: side("width"),
        height: side("height"),
        ..LabeledImage::default()
    };
    for shape in &element.children {
        let without_box = match shape.name.as_str() {
            "box" | "polygon" | "ellipse" | "mask" => None,
            "polyline" | "points" => Some("that are lines or points"),
            "tag" => Some("that are tags of a whole image"),
            _ => Some("of a shape without a box"),
        };
        if let Some(why) = without_box {
            gathered.leave_out(why, || {
                format!("line {}, <{}>", shape.line, shortened(&shape.name))
            });
            image.left_out += usize::from(shape.name != "tag");
            continue;
        }
        match labeled(shape) {
            Ok((one, kind)) => {
                let traits = Traits {
                    shape: kind,
                    ..Traits::default()
                };
                gathered.add(&mut image, one, traits, || format!("line {}", shape.line));
            }
            Err(flaw) => gathered.broken(Some(&mut image), flaw),
        }
    }
    image
}

/// The box of a shape, and what it was taken around.
fn labeled(shape: &Element) -> Result<(LabeledBox, Option<&'static str>), Flaw> {
    let (mut degrees, mut kind) = (0.0, None);
    let bounds = match shape.name.as_str() {
        "box" => {
            let [x_min, y_min, x_max, y_max] = numbers(shape, ["xtl", "ytl", "xbr", "ybr"])?;
            degrees = rotation(shape)?;
            BoundingBox::new(x_min, y_min, x_max, y_max)
        }
        "polygon" => {
            let points = points(shape)?;
            kind = (!is_upright(&points)).then_some("polygons");
            around(&points)
        }
        "ellipse" => {
            let [x, y, across, down] = numbers(shape, ["cx", "cy", "rx", "ry"])?;
            let (sin, cos) = rotation(shape)?.to_radians().sin_cos();
            let half = (
                (across * cos).hypot(down * sin),
                (across * sin).hypot(down * cos),
            );
            kind = Some("ellipses");
            BoundingBox::from_center(x, y, 2.0 * half.0, 2.0 * half.1)
        }
        _ => {
            let [x, y, width, height] = numbers(shape, ["left", "top", "width", "height"])?;
            kind = Some("masks");
            BoundingBox::from_xywh(x, y, width, height)
        }
    };
    let label = shape.attribute("label").map(str::trim).unwrap_or_default();
    if label.is_empty() {
        let found = format!("<{}> without it", shape.name);
        return Err(Flaw::new(
            "without a label",
            shape.line,
            "the attribute `label`",
            found,
        ));
    }
    Ok((turned(bounds, degrees, label), kind))
}

/// The angle in degrees. CVAT leaves the attribute out where there is none; what is no number says that there is one.
fn rotation(shape: &Element) -> Result<f64, Flaw> {
    match shape.attribute("rotation") {
        Some(_) => numbers(shape, ["rotation"]).map(|[angle]| angle),
        None => Ok(0.0),
    }
}

/// `x,y;x,y;…`
fn points(shape: &Element) -> Result<Vec<(f64, f64)>, Flaw> {
    let text = shape.attribute("points").unwrap_or_default();
    let point = |pair: &str| {
        let (x, y) = pair.split_once(',')?;
        Some((x.trim().parse().ok()?, y.trim().parse().ok()?))
    };
    let points: Option<Vec<(f64, f64)>> = text.split(';').map(point).collect();
    points.ok_or_else(|| {
        let found = format!("{:?}", shortened(text));
        Flaw::new(
            "whose points are no pairs of numbers",
            shape.line,
            "`points` as `x,y;x,y;…`",
            found,
        )
    })
}

fn numbers<const N: usize>(shape: &Element, names: [&str; N]) -> Result<[f64; N], Flaw> {
    let mut numbers = [0.0; N];
    for (number, name) in numbers.iter_mut().zip(names) {
        let expected = format!("the attribute `{name}` with a number");
        let Some(text) = shape.attribute(name) else {
            let found = format!("<{}> without it", shape.name);
            return Err(Flaw::new("without a place", shape.line, expected, found));
        };
        *number = text.trim().parse().map_err(|_| {
            let found = format!("{name}={:?}", shortened(text));
            let why = match name {
                "rotation" => "whose rotation is no number",
                _ => "whose place has other words than numbers",
            };
            Flaw::new(why, shape.line, expected, found)
        })?;
    }
    Ok(numbers)
}
