//! CVAT for images 1.1: one XML file for many images.

use std::path::Path;

#[cfg(doc)]
use super::LabeledBox;
use super::remark::Gathered;
use super::shape::{around, is_upright, turned};
use super::text::{shortened, text_of};
use super::xml::{self, Element};
use super::{BoxFile, FormatError, LabeledImage};
use crate::BoundingBox;

const EXAMPLE: &str = "CVAT writes `<image name=\"a.png\"><box label=\"tree\" xtl=\"1\" ytl=\"2\" xbr=\"30\" ybr=\"40\"/></image>`";

/// Reads all images with their boxes. Rotated boxes, whose `rotation` is in degrees, clockwise about the middle, keep their
/// corners ([`LabeledBox::outline`]); of polygons, ellipses and masks, the upright boxes around them are taken; lines, points,
/// skeletons and tags have none and are left out.
///
/// # Errors
/// [`FormatError::OtherFormat`] for CVAT's tracks of videos; [`FormatError::Syntax`] with the line for broken XML, a shape
/// without label or edges, or an edge that is no number.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let reader = Reader { path };
    let text = text_of(path)?;
    let root = xml::parse(&text.text)
        .map_err(|fault| reader.syntax(fault.line, &fault.expected, fault.found))?;
    if root.name != "annotations" {
        let found = format!("<{}>", shortened(&root.name));
        return Err(reader.syntax(root.line, "<annotations> of CVAT", found));
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
        return Err(reader.syntax(root.line, "<image> of CVAT", found));
    }
    let mut gathered = Gathered::default();
    gathered.remarks.extend(text.remark);
    let mut images = Vec::new();
    for element in root.all("image") {
        images.push(reader.image(element, &mut gathered)?);
    }
    Ok(gathered.finish(images, None))
}

struct Reader<'a> {
    path: &'a Path,
}

impl Reader<'_> {
    fn image(
        &self,
        element: &Element,
        gathered: &mut Gathered,
    ) -> Result<LabeledImage, FormatError> {
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
            let mut degrees = 0.0;
            let bounds = match shape.name.as_str() {
                "box" => {
                    let [x_min, y_min] = self.numbers(shape, ["xtl", "ytl"])?;
                    let [x_max, y_max] = self.numbers(shape, ["xbr", "ybr"])?;
                    degrees = self.rotation(shape)?;
                    BoundingBox::new(x_min, y_min, x_max, y_max)
                }
                "polygon" => {
                    let points = self.points(shape)?;
                    if !is_upright(&points) {
                        gathered.upright("polygons");
                    }
                    around(&points)
                }
                "ellipse" => {
                    let [x, y] = self.numbers(shape, ["cx", "cy"])?;
                    let [across, down] = self.numbers(shape, ["rx", "ry"])?;
                    let angle = self.rotation(shape)?.to_radians();
                    let (sin, cos) = angle.sin_cos();
                    let half = (
                        (across * cos).hypot(down * sin),
                        (across * sin).hypot(down * cos),
                    );
                    gathered.upright("ellipses");
                    BoundingBox::from_center(x, y, 2.0 * half.0, 2.0 * half.1)
                }
                "mask" => {
                    let [x, y] = self.numbers(shape, ["left", "top"])?;
                    let [width, height] = self.numbers(shape, ["width", "height"])?;
                    gathered.upright("masks");
                    BoundingBox::from_xywh(x, y, width, height)
                }
                other => {
                    let why = match other {
                        "polyline" | "points" => "that are lines or points",
                        "tag" => "that are tags of a whole image",
                        _ => "of a shape without a box",
                    };
                    gathered.leave_out(why, || {
                        format!("line {}, <{}>", shape.line, shortened(other))
                    });
                    image.left_out += usize::from(other != "tag");
                    continue;
                }
            };
            let label = shape.attribute("label").map(str::trim).unwrap_or_default();
            if label.is_empty() {
                let found = format!("<{}> without it", shape.name);
                return Err(self.syntax(shape.line, "the attribute `label`", found));
            }
            let one = turned(bounds, degrees, label);
            gathered.add(&mut image, one, || format!("line {}", shape.line));
        }
        Ok(image)
    }

    /// The angle in degrees.
    fn rotation(&self, shape: &Element) -> Result<f64, FormatError> {
        match shape.attribute("rotation") {
            Some(_) => self.numbers(shape, ["rotation"]).map(|[angle]| angle),
            None => Ok(0.0),
        }
    }

    /// `x,y;x,y;…`
    fn points(&self, shape: &Element) -> Result<Vec<(f64, f64)>, FormatError> {
        let text = shape.attribute("points").unwrap_or_default();
        let point = |pair: &str| {
            let (x, y) = pair.split_once(',')?;
            Some((x.trim().parse().ok()?, y.trim().parse().ok()?))
        };
        let points: Option<Vec<(f64, f64)>> = text.split(';').map(point).collect();
        points.ok_or_else(|| {
            let found = format!("{:?}", shortened(text));
            self.syntax(shape.line, "`points` as `x,y;x,y;…`", found)
        })
    }

    fn numbers<const N: usize>(
        &self,
        shape: &Element,
        names: [&str; N],
    ) -> Result<[f64; N], FormatError> {
        let mut numbers = [0.0; N];
        for (number, name) in numbers.iter_mut().zip(names) {
            let expected = format!("the attribute `{name}` with a number");
            let text = shape.attribute(name).ok_or_else(|| {
                self.syntax(
                    shape.line,
                    &expected,
                    format!("<{}> without it", shape.name),
                )
            })?;
            *number = text.trim().parse().map_err(|_| {
                self.syntax(shape.line, &expected, format!("{:?}", shortened(text)))
            })?;
        }
        Ok(numbers)
    }

    fn syntax(&self, line: usize, expected: &str, found: String) -> FormatError {
        FormatError::Syntax {
            path: self.path.to_owned(),
            line,
            expected: expected.to_owned(),
            found,
            example: EXAMPLE,
        }
    }
}
