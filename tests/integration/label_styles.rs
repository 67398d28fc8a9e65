//! Label rasters that say themselves what their values mean: category names, color tables, styles of QGIS.

use std::path::{Path, PathBuf};

use swath::Hint as _;
use swath::labels::{Classes, LabelValues};
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::Scene;

use crate::support::{label_counts, raster};

const SIZE: Size = Size {
    width: 32,
    height: 24,
};

/// As QGIS 3.16 writes it, with an entry for the value that is nodata and one that no pixel has.
const PALETTE: &str = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version=\"3.16.6-Hannover\" styleCategories=\"AllStyleCategories\"><pipe>
<rasterrenderer band=\"1\" type=\"paletted\" opacity=\"1\" nodataColor=\"\" alphaBand=\"-1\"><colorPalette>
<paletteEntry label=\"Background\" alpha=\"255\" value=\"0\" color=\"#000000\"/>
<paletteEntry label=\"Water &amp; ice\" alpha=\"255\" value=\"10\" color=\"#0064c8\"/>
<paletteEntry label=\"Trees\" alpha=\"255\" value=\"20\" color=\"#006400\"/>
<paletteEntry label=\"Snow\" alpha=\"255\" value=\"70\" color=\"#f0f0f0\"/>
<paletteEntry label=\"77\" alpha=\"255\" value=\"77\" color=\"#f0f0f0\"/>
<paletteEntry label=\"No data\" alpha=\"255\" value=\"99\" color=\"#ffffff\"/>
</colorPalette></rasterrenderer></pipe></qgis>";

/// Rows of 0, 10, 20 and 99, six of each.
fn value(_: usize, _: usize, row: usize) -> f32 {
    [0.0, 10.0, 20.0, 99.0][row / 6]
}

fn files(folder: &Path, options: WriterOptions) -> (Scene, PathBuf) {
    let plain = WriterOptions::default;
    let image = folder.join("image.tif");
    raster(&image, SIZE, 1, RasterType::U8, plain(), |_, col, _| {
        col as f32
    });
    let labels = folder.join("cover.tif");
    raster(&labels, SIZE, 1, RasterType::U8, options, value);
    (Scene::open(image).unwrap(), labels)
}

fn colors(scene: &Scene) -> Vec<(&str, [u8; 3])> {
    let classes = scene.classes().iter().skip(1);
    classes
        .map(|class| (class.name.as_str(), class.color))
        .collect()
}

#[test]
fn a_style_beside_the_labels_gives_names_codes_and_colors() {
    let folder = tempfile::tempdir().unwrap();
    let (image, labels) = files(folder.path(), WriterOptions::default().nodata(99.0));
    std::fs::write(folder.path().join("cover.qml"), PALETTE).unwrap();
    let scene = image
        .with_label_raster(&labels, LabelValues::of_file())
        .unwrap();
    assert_eq!(
        colors(&scene),
        [
            ("Water & ice", [0, 0x64, 0xc8]),
            ("Trees", [0, 0x64, 0]),
            ("Snow", [0xf0, 0xf0, 0xf0])
        ]
    );
    // Six rows of 32 pixels each; the nodata value is ignored whatever it is called.
    assert_eq!(
        label_counts(&scene),
        [(0, 192), (1, 192), (2, 192), (255, 192)].into()
    );
    let report = scene.report().to_string();
    assert!(
        report.contains("99 is the file's nodata value and called \"No data\""),
        "{report}"
    );
    assert!(report.contains("no pixel is Snow"), "{report}");

    // What the user says goes first, and a model's classes keep their indices.
    let values = LabelValues::of_file().ignore([0]).background([20]);
    let scene = image.with_label_raster(&labels, values).unwrap();
    assert_eq!(
        label_counts(&scene),
        [(0, 192), (1, 192), (255, 384)].into()
    );
    let order = Classes::new(["Trees", "Water & ice", "Snow"]);
    let values = LabelValues::of_file().of_classes(order);
    let scene = image.with_label_raster(&labels, values).unwrap();
    assert_eq!(label_counts(&scene)[&2], 192);
    assert_eq!(scene.classes().names()[1], "Trees");
    // Codes that the user names are not looked up anywhere.
    let values = LabelValues::codes([(10, "wet")]).others_are_background();
    let scene = image.with_label_raster(&labels, values).unwrap();
    assert_eq!(scene.classes().names(), ["background", "wet"]);
}

#[test]
fn the_files_own_names_and_colors_go_before_a_style_beside_it_but_not_before_one_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut names = vec![String::new(); 21];
    (names[0], names[10], names[20]) = ("background".into(), "lake".into(), "wood".into());
    let mut table = vec![[9, 9, 9]; 21];
    (table[10], table[20]) = ([0, 0, 200], [0, 200, 0]);
    let options = WriterOptions::default().nodata(99.0);
    let options = options.category_names(&names).color_table(&table);
    let (image, labels) = files(folder.path(), options);
    let style = folder.path().join("cover.qml");
    std::fs::write(&style, PALETTE).unwrap();
    let scene = image
        .with_label_raster(&labels, LabelValues::of_file())
        .unwrap();
    assert_eq!(
        colors(&scene),
        [("lake", [0, 0, 200]), ("wood", [0, 200, 0])]
    );
    let scene = image
        .with_label_raster(&labels, LabelValues::style(&style))
        .unwrap();
    assert_eq!(colors(&scene)[0], ("Water & ice", [0, 0x64, 0xc8]));
    // Without a color table the style colors what the file names.
    let plain = WriterOptions::default().nodata(99.0).category_names(&names);
    let (image, labels) = files(folder.path(), plain);
    let scene = image
        .with_label_raster(&labels, LabelValues::of_file())
        .unwrap();
    assert_eq!(colors(&scene)[1], ("wood", [0, 0x64, 0]));
}

#[test]
fn what_nobody_names_is_an_error_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    let (image, labels) = files(folder.path(), WriterOptions::default());
    let refused = |values: LabelValues| {
        let error = image.with_label_raster(&labels, values).unwrap_err();
        format!("{error}\n{}", error.hint().unwrap_or_default())
    };
    let text = refused(LabelValues::of_file());
    for part in [
        "cover.qml",
        "10 (192)",
        "LabelValues::codes([(0, \"CLASS\")",
    ] {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    let text = refused(LabelValues::style(folder.path().join("none.qml")));
    assert!(
        text.contains("none.qml") && text.contains("Paletted/Unique values"),
        "{text}"
    );
    // 99 has a name here, and is no nodata value; 20 has none.
    let short = PALETTE.replace("value=\"20\"", "value=\"21\"");
    std::fs::write(folder.path().join("cover.qml"), short).unwrap();
    let text = refused(LabelValues::of_file());
    assert!(text.contains("20 (192 pixels)"), "{text}");
    let scene = image
        .with_label_raster(&labels, LabelValues::of_file().others_are_ignored())
        .unwrap();
    assert_eq!(scene.classes().names()[4], "No data");
    // A damaged style is an error where it is asked for, and a notice where the user names the values.
    std::fs::write(folder.path().join("cover.qml"), "<qgis><pipe>").unwrap();
    assert!(refused(LabelValues::of_file()).contains("it is no XML"));
    let values = LabelValues::codes([(10, "wet")]).others_are_background();
    let scene = image.with_label_raster(&labels, values).unwrap();
    assert!(
        scene.report().to_string().contains("it is no XML"),
        "{}",
        scene.report()
    );
}

#[test]
fn the_map_that_was_saved_labels_a_scene_by_its_own_style() {
    let folder = tempfile::tempdir().unwrap();
    let classes = Classes::new(["house", "road"]).with_color("road", [1, 2, 3]);
    let options = WriterOptions::default().nodata(255.0);
    let options = options
        .category_names(&classes.names())
        .color_table(&classes.colors());
    let image = folder.path().join("image.tif");
    raster(
        &image,
        SIZE,
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| col as f32,
    );
    let labels = folder.path().join("labels.tif");
    raster(&labels, SIZE, 1, RasterType::U8, options, |_, col, _| {
        (col % 3) as f32
    });
    let scene = Scene::open(&image).unwrap();
    let scene = scene
        .with_label_raster(&labels, LabelValues::of_file())
        .unwrap();
    assert_eq!(scene.classes().names(), ["background", "house", "road"]);
    assert_eq!(scene.classes().colors()[2], [1, 2, 3]);
}
