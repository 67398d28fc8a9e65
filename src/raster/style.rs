//! What values of a raster are called in a style of QGIS (QML).

use std::ffi::CStr;
use std::path::{Path, PathBuf};

use gdal_sys::{CPLXMLNode, CPLXMLNodeType};

use super::gdal_library::{self, c_string, text};
use crate::labels::LabelError;

/// A style with a hundred thousand values has fewer bytes; what is larger is no style.
const LARGEST: u64 = 64 << 20;

/// What a style says of a raster's values.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Style {
    pub(crate) path: PathBuf,
    /// In the order of the file.
    pub(crate) values: Vec<StyledValue>,
    /// Entries without a value that a pixel can have, such as the `inf` that ends a ramp.
    pub(crate) left_out: usize,
}

/// A value with its name and color.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StyledValue {
    pub(crate) value: f64,
    pub(crate) name: String,
    pub(crate) color: Option<[u8; 3]>,
}

/// The style that QGIS takes for a raster by itself: `NAME.qml` beside `NAME.tif`.
pub(crate) fn beside(raster: &Path) -> Option<PathBuf> {
    let ending = raster.extension()?.to_string_lossy().to_lowercase();
    let path = raster.with_extension("qml");
    (ending != "qml" && !gdal_library::is_virtual(raster) && path.is_file()).then_some(path)
}

/// Reads the values of a style: the entries of a palette (`paletteEntry`), those of a color ramp of a single band (`item` in
/// `colorrampshader`), and those of QGIS 1 (`colorRampEntry`, `colorEntry`).
///
/// # Errors
/// [`LabelError::Style`] for a file that cannot be read, is no QML, or lists no values.
pub(crate) fn read(path: &Path) -> Result<Style, LabelError> {
    let path = &*crate::paths::expanded(path);
    let fail = |detail: String| LabelError::Style {
        path: path.to_owned(),
        detail: detail.into(),
    };
    let facts = std::fs::metadata(path).map_err(|error| fail(error.to_string()))?;
    if facts.len() > LARGEST {
        return Err(fail(format!("it has {} bytes", facts.len())));
    }
    let bytes = std::fs::read(path).map_err(|error| fail(error.to_string()))?;
    let content = String::from_utf8_lossy(&bytes);
    let content = c_string(content.trim_start_matches('\u{feff}'));
    let (read, messages) =
        gdal_library::with_messages(|| Tree::parse(&content).map(|tree| tree.entries()));
    let Some(found) = read.filter(|_| !messages.failed()) else {
        return Err(fail(format!(
            "it is no XML: {}",
            messages.joined("GDAL gives no reason")
        )));
    };
    if !found.is_qgis {
        return Err(fail("it has no element `qgis`".to_owned()));
    }
    if found.values.is_empty() {
        return Err(fail(match (found.is_vector, found.renderer) {
            (true, _) => "it is the style of a vector layer".to_owned(),
            (false, Some(kind)) => format!("its renderer `{kind}` lists no values"),
            (false, None) => "it has no renderer of a raster".to_owned(),
        }));
    }
    Ok(Style {
        path: path.to_owned(),
        values: found.values,
        left_out: found.left_out,
    })
}

/// A document of GDAL's.
struct Tree(*mut CPLXMLNode);

impl Tree {
    fn parse(content: &CStr) -> Option<Self> {
        // SAFETY: the text is a C string; what is returned is ours to destroy.
        let root = unsafe { gdal_sys::CPLParseXMLString(content.as_ptr()) };
        (!root.is_null()).then_some(Self(root))
    }

    fn entries(&self) -> Found {
        let mut found = Found::default();
        // Walked with a list of our own: a document may be nested deeper than a stack.
        let mut open = vec![self.0.cast_const()];
        while let Some(node) = open.pop() {
            // SAFETY: the nodes belong to the tree, which is alive; null ends a list.
            let Some(node) = (unsafe { node.as_ref() }) else {
                continue;
            };
            // The last that is put is the first that is taken: children before what follows.
            open.push(node.psNext);
            if node.eType != CPLXMLNodeType::CXT_Element {
                continue;
            }
            open.push(node.psChild);
            // SAFETY: an element has a name.
            let name = unsafe { text(node.pszValue) };
            match name.as_str() {
                "qgis" => found.is_qgis = true,
                "rasterrenderer" => found.renderer = attribute(node, "type"),
                "renderer-v2" => found.is_vector = true,
                "paletteEntry" | "item" | "colorRampEntry" | "colorEntry" => found.add(node),
                _ => {}
            }
        }
        found
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        // SAFETY: the tree is ours alone.
        unsafe { gdal_sys::CPLDestroyXMLNode(self.0) };
    }
}

#[derive(Default)]
struct Found {
    is_qgis: bool,
    is_vector: bool,
    renderer: Option<String>,
    values: Vec<StyledValue>,
    left_out: usize,
}

impl Found {
    fn add(&mut self, node: &CPLXMLNode) {
        let Some(value) = attribute(node, "value") else {
            return;
        };
        let number = value.trim().parse::<f64>().ok();
        let Some(number) = number.filter(|number| number.is_finite()) else {
            self.left_out += 1;
            return;
        };
        let name = attribute(node, "label").map(|label| label.trim().to_owned());
        let name = name.filter(|name| !name.is_empty());
        self.values.push(StyledValue {
            value: number,
            name: name.unwrap_or_else(|| value.trim().to_owned()),
            color: color_of(node),
        });
    }
}

/// `color="#rrggbb"`, `color="r,g,b,a"`, or the attributes `red`, `green` and `blue`.
fn color_of(node: &CPLXMLNode) -> Option<[u8; 3]> {
    let parts: Vec<u8> = match attribute(node, "color") {
        Some(color) => match color.trim().strip_prefix('#') {
            Some(digits) if digits.len() == 6 && digits.is_ascii() => (0..3)
                .map(|part| u8::from_str_radix(&digits[part * 2..part * 2 + 2], 16).ok())
                .collect::<Option<_>>()?,
            Some(_) => return None,
            None => (color.split(',').take(3))
                .map(|part| part.trim().parse().ok())
                .collect::<Option<_>>()?,
        },
        None => ["red", "green", "blue"]
            .into_iter()
            .map(|part| attribute(node, part)?.trim().parse().ok())
            .collect::<Option<_>>()?,
    };
    parts.try_into().ok()
}

fn attribute(node: &CPLXMLNode, name: &str) -> Option<String> {
    let mut child = node.psChild.cast_const();
    // SAFETY: children belong to a tree that is alive; an attribute's value is its only child.
    unsafe {
        while let Some(found) = child.as_ref() {
            if found.eType == CPLXMLNodeType::CXT_Attribute && text(found.pszValue) == name {
                return found.psChild.as_ref().map(|value| text(value.pszValue));
            }
            child = found.psNext;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(content: &str) -> Result<Style, LabelError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.qml");
        std::fs::write(&path, content).unwrap();
        read(&path)
    }

    fn values(content: &str) -> Vec<(f64, String, Option<[u8; 3]>)> {
        let style = read_text(content).unwrap();
        let values = style.values.into_iter();
        values.map(|of| (of.value, of.name, of.color)).collect()
    }

    /// The form that QGIS 3.16 writes for "Paletted/Unique values".
    #[test]
    fn palettes_are_read() {
        let content = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.16.6-Hannover\"><pipe>\
            <rasterrenderer band=\"1\" type=\"paletted\" opacity=\"1\"><rasterTransparency/><colorPalette>\
            <paletteEntry label=\"0 - Unclassified\" alpha=\"255\" value=\"0\" color=\"#000000\"/>\
            <paletteEntry label=\"W&amp;S &#228;\" alpha=\"0\" value=\"11\" color=\"#0000fF\"/>\
            <paletteEntry label=\"\" alpha=\"255\" value=\"-3\" color=\"red\"/></colorPalette>\
            <colorramp type=\"gradient\" name=\"[source]\"><prop k=\"color1\" v=\"1,2,3,255\"/></colorramp>\
            </rasterrenderer></pipe></qgis>";
        let expected = [
            (0.0, "0 - Unclassified", Some([0, 0, 0])),
            (11.0, "W&S ä", Some([0, 0, 255])),
            (-3.0, "-3", None),
        ];
        assert_eq!(
            values(content),
            expected.map(|(value, name, color)| (value, name.to_owned(), color))
        );
    }

    /// The form of "Singleband pseudocolor", and that of QGIS 1.8.
    #[test]
    fn ramps_are_read() {
        let ramp = "<qgis><pipe><rasterrenderer type=\"singlebandpseudocolor\"><rastershader><colorrampshader \
            colorRampType=\"EXACT\"><item alpha=\"255\" label=\"Water\" value=\"80\" color=\"#0064c8\"/>\
            <item alpha=\"255\" label=\"rest\" value=\"inf\" color=\"#ffffff\"/></colorrampshader></rastershader>\
            </rasterrenderer></pipe></qgis>";
        let style = read_text(ramp).unwrap();
        assert_eq!((style.values.len(), style.left_out), (1, 1));
        assert_eq!(
            values(ramp),
            [(80.0, "Water".to_owned(), Some([0, 0x64, 0xc8]))]
        );
        let old = "<qgis version=\"1.8.0\"><rasterproperties><customColorRamp>\
            <colorRampEntry red=\"255\" green=\"170\" blue=\"0\" value=\"5.000000\" label=\"sand\"/>\
            </customColorRamp></rasterproperties></qgis>";
        assert_eq!(values(old), [(5.0, "sand".to_owned(), Some([255, 170, 0]))]);
    }

    #[test]
    fn what_is_no_style_of_values_says_what_it_is() {
        let cases = [
            (
                "<qgis><renderer-v2 type=\"singleSymbol\"/></qgis>",
                "a vector layer",
            ),
            (
                "<qgis><pipe><rasterrenderer type=\"multibandcolor\"/></pipe></qgis>",
                "`multibandcolor`",
            ),
            ("<qgis></qgis>", "no renderer"),
            ("<StyledLayerDescriptor/>", "no element `qgis`"),
            ("<qgis><pipe>", "no XML"),
            ("", "no XML"),
        ];
        for (content, part) in cases {
            let error = read_text(content).unwrap_err().to_string();
            assert!(error.contains(part), "{content}: {error}");
        }
        let deep = format!("<qgis>{}", "<a>".repeat(200_000));
        assert!(read_text(&deep).is_err());
    }
}
