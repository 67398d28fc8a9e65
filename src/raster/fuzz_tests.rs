//! Random styles of QGIS (QML): values with names, or an error with words. See [`crate::fuzz_harness`].

use std::path::Path;

use super::read_style;
use crate::fuzz_harness::Target;

#[test]
fn styles() {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => tempfile::tempdir_in(memory),
        false => tempfile::tempdir(),
    };
    let folder = folder.unwrap();
    let path = folder.path().join("a.qml");
    Target {
        name: "style",
        seeds: &[
            "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.16\"><pipe><rasterrenderer \
             band=\"1\" type=\"paletted\"><colorPalette><paletteEntry label=\"W&amp;S &#228;\" value=\"11\" \
             color=\"#0000fF\"/></colorPalette></rasterrenderer></pipe></qgis>",
            "<qgis><rasterrenderer type=\"singlebandpseudocolor\"><colorrampshader><item label=\"Water\" value=\"80\" \
             color=\"0,100,200,255\"/><item value=\"inf\" color=\"#ffffff\"/></colorrampshader></rasterrenderer></qgis>",
            "<qgis><customColorRamp><colorRampEntry red=\"255\" green=\"170\" blue=\"0\" value=\"5.0\" \
             label=\"sand\"/></customColorRamp></qgis>",
            "<qgis><renderer-v2 type=\"singleSymbol\"/></qgis>",
        ],
        words: &[
            "<qgis>", "</qgis>", "<a>", "</a>", "<item ", "<paletteEntry ", "<colorEntry ", "<rasterrenderer ", "/>", ">",
            "value=", "label=", "color=", "red=", "\"", "'", "#é0000", "#ff0000", "1,2,3", "nan", "-inf", "1e308", "&amp;",
            "&#0;", "&#x110000;", "&lt", "<!--", "-->", "<![CDATA[", "]]>", "<?xml version=\"1.0\"?>", "<!DOCTYPE x [",
            "<!ENTITY a \"b\">", "]>",
        ],
        depth: 5000,
    }
    .run(|input| {
        std::fs::write(&path, input).unwrap();
        match read_style(&path) {
            Ok(style) => {
                assert!(!style.values.is_empty());
                assert!(style.values.iter().all(|one| one.value.is_finite() && !one.name.is_empty()));
            }
            Err(error) => assert!(!error.to_string().trim().is_empty()),
        }
    });
}
