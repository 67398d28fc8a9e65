//! Classes as styles of QGIS (QML), which lie beside what they are the style of: QGIS takes `NAME.qml` for every layer of
//! `NAME.tif`, `NAME.gpkg`, `NAME.geojson`, … by itself.
//!
//! # Source
//! The files that QGIS 3.22 writes by Save Default Style. Symbols are written twice, as `Option` (QGIS since 3.18) and as
//! `prop` (before), as QGIS itself did in between. Only symbols and labels are said: all else stays as the user has it.

use std::fmt::Write as _;

use super::Classes;

/// What tells our own styles from those that somebody has saved over them.
pub(crate) const MARK: &str = "written by Swath";

/// What features of a layer look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drawn {
    /// Filled, so that imagery shines through.
    Areas,
    /// An outline, labeled with class and score.
    Boxes,
    /// A dot.
    Points,
}

const HEAD: &str = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n";

/// The style of a class map: a color and a name for each index, nothing where the background is.
pub(crate) fn raster_style(classes: &Classes) -> String {
    let mut text = format!(
        "{HEAD}<qgis version=\"3.22.0\" styleCategories=\"Symbology\">\n  <!-- {MARK} -->\n  <pipe>\n    \
         <rasterrenderer type=\"paletted\" band=\"1\" opacity=\"1\" alphaBand=\"-1\" nodataColor=\"\">\n      \
         <rasterTransparency/>\n      <colorPalette>\n"
    );
    for (index, class) in classes.iter().enumerate() {
        let alpha = if index == 0 && classes.have_background() {
            0
        } else {
            255
        };
        let (color, label) = (crate::color::hex(class.color), escaped(&class.name));
        let _ = writeln!(
            text,
            "        <paletteEntry value=\"{index}\" color=\"{color}\" alpha=\"{alpha}\" label=\"{label}\"/>"
        );
    }
    text.push_str(
        "      </colorPalette>\n    </rasterrenderer>\n    <brightnesscontrast brightness=\"0\" contrast=\"0\" \
         gamma=\"1\"/>\n    <huesaturation saturation=\"0\" grayscaleMode=\"0\" colorizeOn=\"0\"/>\n    \
         <rasterresampler maxOversampling=\"2\"/>\n  </pipe>\n  <blendMode>0</blendMode>\n</qgis>\n",
    );
    text
}

/// The style of features with a column `class`, and `score`: a symbol for each class.
pub(crate) fn vector_style(classes: &Classes, drawn: Drawn) -> String {
    let labeled = u8::from(drawn == Drawn::Boxes);
    let mut text = format!(
        "{HEAD}<qgis version=\"3.22.0\" styleCategories=\"Symbology|Labeling\" labelsEnabled=\"{labeled}\">\n  <!-- {MARK} \
         -->\n  <renderer-v2 type=\"categorizedSymbol\" attr=\"class\" forceraster=\"0\" symbollevels=\"0\" \
         enableorderby=\"0\">\n    <categories>\n"
    );
    let classes = || classes.iter().skip(1).enumerate();
    for (number, class) in classes() {
        let name = escaped(&class.name);
        let _ = writeln!(
            text,
            "      <category render=\"true\" symbol=\"{number}\" value=\"{name}\" label=\"{name}\"/>"
        );
    }
    text.push_str("    </categories>\n    <symbols>\n");
    for (number, class) in classes() {
        symbol(&mut text, number, class.color, drawn);
    }
    text.push_str("    </symbols>\n  </renderer-v2>\n");
    if drawn == Drawn::Boxes {
        text.push_str(LABELS);
    }
    text.push_str("</qgis>\n");
    text
}

/// Class and score above the middle of a box, on a white halo. `placement` 1 is QGIS's "over point", `quadOffset` 4 centered.
const LABELS: &str = "  <labeling type=\"simple\">\n    <settings>\n      <text-style isExpression=\"1\" \
    fieldName=\"concat(&quot;class&quot;, ' ', round(&quot;score&quot;, 2))\" fontSize=\"8\" fontSizeUnit=\"Point\" \
    textColor=\"20,20,20,255\" textOpacity=\"1\">\n        <text-buffer bufferDraw=\"1\" bufferSize=\"0.7\" \
    bufferSizeUnits=\"MM\" bufferColor=\"255,255,255,255\" bufferOpacity=\"0.8\"/>\n      </text-style>\n      \
    <placement placement=\"1\" quadOffset=\"4\"/>\n      <rendering obstacle=\"0\" scaleVisibility=\"0\"/>\n    \
    </settings>\n  </labeling>\n";

fn symbol(text: &mut String, number: usize, [red, green, blue]: [u8; 3], drawn: Drawn) {
    let opaque = format!("{red},{green},{blue},255");
    let (kind, layer, color, width) = match drawn {
        Drawn::Areas => (
            "fill",
            "SimpleFill",
            format!("{red},{green},{blue},110"),
            "0.3",
        ),
        Drawn::Boxes => (
            "fill",
            "SimpleFill",
            format!("{red},{green},{blue},0"),
            "0.6",
        ),
        Drawn::Points => ("marker", "SimpleMarker", opaque.clone(), "0.2"),
    };
    let edge = match drawn {
        Drawn::Points => "255,255,255,255".to_owned(),
        Drawn::Areas | Drawn::Boxes => opaque,
    };
    let mut properties = vec![
        ("color", color.as_str()),
        ("outline_color", &edge),
        ("outline_style", "solid"),
        ("outline_width", width),
        ("outline_width_unit", "MM"),
        ("joinstyle", "miter"),
    ];
    match drawn {
        Drawn::Points => {
            properties.extend([("name", "circle"), ("size", "2"), ("size_unit", "MM")]);
        }
        Drawn::Areas | Drawn::Boxes => properties.push(("style", "solid")),
    }
    let _ = writeln!(
        text,
        "      <symbol type=\"{kind}\" name=\"{number}\" alpha=\"1\" clip_to_extent=\"1\" force_rhr=\"0\">\n        \
         <layer class=\"{layer}\" enabled=\"1\" locked=\"0\" pass=\"0\">\n          <Option type=\"Map\">"
    );
    for (key, value) in &properties {
        let _ = writeln!(
            text,
            "            <Option type=\"QString\" name=\"{key}\" value=\"{value}\"/>"
        );
    }
    text.push_str("          </Option>\n");
    for (key, value) in &properties {
        let _ = writeln!(text, "          <prop k=\"{key}\" v=\"{value}\"/>");
    }
    text.push_str("        </layer>\n      </symbol>\n");
}

/// Text as it stands in an attribute. Characters that XML 1.0 has no way to write become the replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", letter as u32);
            }
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_as_xml_asks() {
        let odd = "a<b>&\"c\"\n\u{1}ö";
        assert_eq!(escaped(odd), "a&lt;b&gt;&amp;&quot;c&quot;&#10;\u{fffd}ö");
    }
}
