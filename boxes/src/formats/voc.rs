//! Pascal VOC: one XML file an image.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

#[cfg(doc)]
use super::LabeledBox;
use super::remark::Gathered;
use super::shape::turned;
use super::text::{shortened, text_of, write_text};
use super::xml::{self, Element, escaped};
use super::{BoxFile, FormatError, LabeledImage};
use crate::BoundingBox;

const EXAMPLE: &str = "an object of Pascal VOC is `<object><name>tree</name><bndbox><xmin>1</xmin><ymin>2</ymin>\
                       <xmax>30</xmax><ymax>40</ymax></bndbox></object>`";

/// How a Pascal VOC file counts pixels. The files themselves do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// From 0, the far edge exclusive: numbers are taken as they are, as most tools of today write and read them.
    #[default]
    Zero,
    /// From 1, the far pixel inside the box, as the original data set of 2005 to 2012 has it: 1 is taken off the near
    /// edges, and a far edge stays, since it is one less and one more.
    One,
}

/// Reads the boxes of one image. An object with a rotated box alone (`robndbox`, as roLabelImg writes it, its angle in radians
/// clockwise) keeps its corners ([`LabeledBox::outline`]) beside the upright box around it; objects marked as difficult count
/// like the others, as torchvision and Detectron2 have it, which [`BoxFile::remarks`] says.
///
/// # Errors
/// [`FormatError::Syntax`] with the line for broken XML, an object without a box, or a coordinate that is no number;
/// [`FormatError::Origin`] for a coordinate below 1 in a file that counts from 1.
pub fn read(path: impl AsRef<Path>, origin: Origin) -> Result<BoxFile, FormatError> {
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
    if !root.name.eq_ignore_ascii_case("annotation") {
        let found = format!("<{}>", shortened(&root.name));
        return Err(syntax(root.line, "<annotation> of Pascal VOC", found));
    }
    let number = |parent: &Element, name: &str| -> Result<f64, FormatError> {
        let expected = format!("<{name}> with a number");
        let element = parent.child(name).ok_or_else(|| {
            syntax(
                parent.line,
                &expected,
                format!("<{}> without it", parent.name),
            )
        })?;
        let text = &element.text;
        text.parse::<f64>()
            .map_err(|_| syntax(element.line, &expected, format!("{:?}", shortened(text))))
    };
    let edge = |parent: &Element, name: &str| -> Result<f64, FormatError> {
        let value = number(parent, name)?;
        // The far edge of a box within the first pixel may lie below 1.
        let from_zero = match name.ends_with("max") {
            true => value <= 0.0,
            false => value < 1.0,
        };
        if origin == Origin::One && from_zero {
            return Err(FormatError::Origin {
                path: path.to_owned(),
                line: parent
                    .child(name)
                    .map_or(parent.line, |element| element.line),
                found: value,
            });
        }
        Ok(value)
    };
    let back = if origin == Origin::One { 1.0 } else { 0.0 };
    let size = root.child("size");
    // Tools that do not know the size write 0.
    let side = |name| {
        let text = size?.text_of(name);
        let pixels = text.parse::<f64>().ok();
        pixels
            .filter(|pixels| (1.0..1e9).contains(pixels))
            .map(|pixels| pixels as usize)
    };
    let mut image = LabeledImage {
        file: root.text_of("filename").to_owned(),
        width: side("width"),
        height: side("height"),
        ..LabeledImage::default()
    };
    let mut gathered = Gathered::default();
    gathered.remarks.extend(text.remark);
    for object in root.all("object") {
        let class = object.text_of("name");
        if class.is_empty() {
            let found = "<object> without it".to_owned();
            return Err(syntax(object.line, "<name> with the class", found));
        }
        let mut degrees = 0.0;
        let bounds = if let Some(corners) = object.child("bndbox") {
            BoundingBox::new(
                edge(corners, "xmin")? - back,
                edge(corners, "ymin")? - back,
                edge(corners, "xmax")?,
                edge(corners, "ymax")?,
            )
        } else if let Some(oriented) = object.child("robndbox") {
            let center = (
                number(oriented, "cx")? - back,
                number(oriented, "cy")? - back,
            );
            let (width, height) = (number(oriented, "w")?, number(oriented, "h")?);
            degrees = number(oriented, "angle")?.to_degrees();
            BoundingBox::from_center(center.0, center.1, width, height)
        } else {
            let found = "<object> without it".to_owned();
            return Err(syntax(object.line, "<bndbox>", found));
        };
        if !["", "0", "false"].contains(&object.text_of("difficult").to_lowercase().as_str()) {
            gathered.difficult();
        }
        let one = turned(bounds, degrees, class);
        gathered.add(&mut image, one, || format!("line {}", object.line));
    }
    Ok(gathered.finish(vec![image], None))
}

/// Writes the boxes of one image. Crowds, masks' areas and the corners of rotated boxes have no place in the format.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write(
    path: impl AsRef<Path>,
    image: &LabeledImage,
    origin: Origin,
) -> Result<(), FormatError> {
    let mut text = format!(
        "<annotation>\n  <filename>{}</filename>\n  <size>\n    <width>{}</width>\n    <height>{}</height>\n  </size>\n",
        escaped(&image.file),
        image.width.unwrap_or(0),
        image.height.unwrap_or(0)
    );
    let on = if origin == Origin::One { 1.0 } else { 0.0 };
    for one in &image.boxes {
        let bounds = &one.bounds;
        let _ = write!(
            text,
            "  <object>\n    <name>{}</name>\n    <difficult>0</difficult>\n    <bndbox>\n      <xmin>{}</xmin>\n      \
             <ymin>{}</ymin>\n      <xmax>{}</xmax>\n      <ymax>{}</ymax>\n    </bndbox>\n  </object>\n",
            escaped(&one.class),
            bounds.x_min + on,
            bounds.y_min + on,
            bounds.x_max,
            bounds.y_max
        );
    }
    text.push_str("</annotation>\n");
    write_text(path.as_ref(), &text)
}
