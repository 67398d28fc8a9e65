//! Pascal VOC: one XML file an image.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::xml::{self, Element, escaped, shortened};
use super::{BoxFile, FormatError, LabelledBox, LabelledImage, accept, text_of, write_text};
use crate::BoundingBox;

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

/// Reads the boxes of one image.
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
    };
    let root = xml::parse(&text_of(path)?)
        .map_err(|fault| syntax(fault.line, &fault.expected, fault.found))?;
    if root.name != "annotation" {
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
        let value = text
            .parse::<f64>()
            .map_err(|_| syntax(element.line, &expected, format!("{:?}", shortened(text))))?;
        if origin == Origin::One && value < 1.0 {
            return Err(FormatError::Origin {
                path: path.to_owned(),
                line: element.line,
                found: value,
            });
        }
        Ok(value)
    };
    let mut left_out = BTreeMap::new();
    let mut boxes = Vec::new();
    let objects = root.children.iter().filter(|child| child.name == "object");
    for object in objects {
        let Some(corners) = object.child("bndbox") else {
            let found = "<object> without it".to_owned();
            return Err(syntax(object.line, "<bndbox>", found));
        };
        let class = object.text_of("name");
        if class.is_empty() {
            let found = "<object> without it".to_owned();
            return Err(syntax(object.line, "<name> with the class", found));
        }
        let back = if origin == Origin::One { 1.0 } else { 0.0 };
        let bounds = BoundingBox::new(
            number(corners, "xmin")? - back,
            number(corners, "ymin")? - back,
            number(corners, "xmax")?,
            number(corners, "ymax")?,
        );
        if accept(&bounds, &mut left_out) {
            boxes.push(LabelledBox::new(bounds, class));
        }
    }
    let size = root.child("size");
    // Tools that do not know the size write 0.
    let side = |name| {
        let text = size?.text_of(name);
        text.parse::<usize>().ok().filter(|&pixels| pixels > 0)
    };
    let image = LabelledImage {
        file: root.text_of("filename").to_owned(),
        width: side("width"),
        height: side("height"),
        boxes,
    };
    Ok(BoxFile::named(vec![image], left_out))
}

/// Writes the boxes of one image. Crowds and masks' areas have no place in the format.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write(
    path: impl AsRef<Path>,
    image: &LabelledImage,
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
