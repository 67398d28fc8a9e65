//! Pascal VOC: one XML file an image.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::remark::{Flaw, Gathered, Traits};
use super::shape::turned;
use super::text::{shortened, text_of, write_text};
use super::xml::{self, Element, escaped};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage};
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
/// like the others, as torchvision and Detectron2 have it, which [`BoxFile::remarks`] says. An object without a class, a box
/// or a number where one belongs is left out and counted.
///
/// # Errors
/// [`FormatError::Syntax`] with the line for broken XML, and when no object is sound; [`FormatError::Origin`] for a coordinate
/// below 1 in a file that is said to count from 1: its other boxes would be off by a pixel, too.
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
    for element in root.all("object") {
        match object(element, origin) {
            Ok(one) => {
                let difficult = element.text_of("difficult").to_lowercase();
                let traits = Traits {
                    difficult: !["", "0", "false"].contains(&difficult.as_str()),
                    ..Traits::default()
                };
                gathered.add(&mut image, one, traits, || format!("line {}", element.line));
            }
            Err(Fault::Entry(flaw)) => gathered.broken(Some(&mut image), flaw),
            Err(Fault::Origin { line, found }) => {
                return Err(FormatError::Origin {
                    path: path.to_owned(),
                    line,
                    found,
                });
            }
        }
    }
    gathered.finish_sound(path, EXAMPLE, vec![image], None)
}

/// What is wrong with an object, or with the way in which the whole file is read.
enum Fault {
    Entry(Flaw),
    Origin { line: usize, found: f64 },
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Self {
        Self::Entry(flaw)
    }
}

fn object(object: &Element, origin: Origin) -> Result<LabeledBox, Fault> {
    let back = if origin == Origin::One { 1.0 } else { 0.0 };
    let class = object.text_of("name");
    if class.is_empty() {
        let found = "<object> without it";
        return Err(Flaw::new(
            "without a class",
            object.line,
            "<name> with the class",
            found,
        )
        .into());
    }
    let edge = |corners, name| edge(corners, name, origin);
    if let Some(corners) = object.child("bndbox") {
        let bounds = BoundingBox::new(
            edge(corners, "xmin")? - back,
            edge(corners, "ymin")? - back,
            edge(corners, "xmax")?,
            edge(corners, "ymax")?,
        );
        return Ok(LabeledBox::new(bounds, class));
    }
    let Some(oriented) = object.child("robndbox") else {
        let found = "<object> without it";
        return Err(Flaw::new("without a place", object.line, "<bndbox>", found).into());
    };
    let (x, y) = (
        number(oriented, "cx")? - back,
        number(oriented, "cy")? - back,
    );
    let (width, height) = (number(oriented, "w")?, number(oriented, "h")?);
    let degrees = number(oriented, "angle")?.to_degrees();
    let bounds = BoundingBox::from_center(x, y, width, height);
    Ok(turned(bounds, degrees, class))
}

fn number(parent: &Element, name: &str) -> Result<f64, Flaw> {
    let expected = format!("<{name}> with a number");
    let Some(element) = parent.child(name) else {
        let found = format!("<{}> without it", parent.name);
        return Err(Flaw::new("without a place", parent.line, expected, found));
    };
    let text = &element.text;
    text.parse::<f64>().map_err(|_| {
        let found = format!("{:?}", shortened(text));
        Flaw::new(
            "whose place has other words than numbers",
            element.line,
            expected,
            found,
        )
    })
}

fn edge(parent: &Element, name: &str, origin: Origin) -> Result<f64, Fault> {
    let value = number(parent, name)?;
    // The far edge of a box within the first pixel may lie below 1.
    let from_zero = match name.ends_with("max") {
        true => value <= 0.0,
        false => value < 1.0,
    };
    if origin == Origin::One && from_zero {
        let line = parent
            .child(name)
            .map_or(parent.line, |element| element.line);
        return Err(Fault::Origin { line, found: value });
    }
    Ok(value)
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
