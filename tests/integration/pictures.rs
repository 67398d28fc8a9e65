//! Pictures of scenes, chips and maps, measured: what stands out, what the legend says, which bands are shown.

use std::path::{Path, PathBuf};

use swath::burn;
use swath::burn::module::Module;
use swath::burn::tensor::Tensor;
use swath::chips::Chips;
use swath::device::Device;
use swath::display::Show as _;
use swath::labels::Classes;
use swath::models::{Network, Normalization};
use swath::plot::image::decode_png;
use swath::plot::{ChipGrid, Figure, RgbaImage, chip_grid_with, contrast};
use swath::predict::{PredictOptions, SceneMap, predict_scene};
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::{Scene, Split};

use crate::support::{geojson, raster};

const SIDE: usize = 420;

/// Building 1 where the first band is bright.
#[derive(Module, Debug)]
struct Bright {
    classes: usize,
}

impl Network for Bright {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        let [n, _, height, width] = images.dims();
        let first = images.narrow(1, 0, 1);
        let rest = Tensor::full([n, self.classes - 2, height, width], -9.0, &first.device());
        Tensor::cat(vec![-first.clone(), first, rest], 1)
    }
}

fn mapped(scene: &Scene, classes: &Classes) -> SceneMap {
    let network = Bright {
        classes: classes.len(),
    };
    let bands = scene.band_count();
    let normalization = Normalization::new(vec![100.0; bands], vec![50.0; bands]);
    let options = PredictOptions::default().quiet(true);
    predict_scene(
        &network,
        &normalization,
        classes,
        scene,
        &Device::cpu(),
        &options,
    )
    .unwrap()
}

/// Numbers from 0 to 1 that look random and are always the same.
fn noise(seed: usize) -> f32 {
    let mixed = (seed as u32).wrapping_mul(0x9E37_79B9) ^ 0x85EB_CA6B;
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2C1B_3C6D);
    (mixed ^ (mixed >> 12)) as f32 / u32::MAX as f32
}

/// Where two classes of "buildings" lie, one of them a few pixels wide.
fn class_at(col: usize, row: usize) -> u8 {
    match (col % 60, row % 70) {
        (15..40, 20..50) => 1 + ((col / 60 + row / 70) % 2) as u8,
        (48..51, 10..14) => 1,
        _ => 0,
    }
}

/// Imagery of a few colors in uneven light, in patches of 12 pixels, and labels on it.
fn painted(folder: &Path, name: &str, colors: &[[u8; 3]]) -> (PathBuf, PathBuf) {
    let size = Size::new(SIDE, SIDE);
    let image = raster(
        &folder.join(format!("{name}.tif")),
        size,
        3,
        RasterType::U8,
        WriterOptions::default(),
        |band, col, row| {
            let pick = noise(row / 12 * 1000 + col / 12) * colors.len() as f32;
            let color = colors[(pick as usize).min(colors.len() - 1)];
            let light = 0.8 + 0.3 * noise(7 * (row * SIDE + col) + 1);
            (f32::from(color[band]) * light).min(255.0)
        },
    );
    let labels = raster(
        &folder.join(format!("{name}-labels.tif")),
        size,
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| f32::from(class_at(col, row)),
    );
    (image, labels)
}

fn pixels(figure: &Figure, folder: &Path) -> RgbaImage {
    let path = folder.join("figure.png");
    figure.save(&path).unwrap();
    decode_png(&std::fs::read(path).unwrap()).unwrap()
}

fn rgb(image: &RgbaImage, col: usize, row: usize) -> [u8; 3] {
    let [red, green, blue, _] = image.pixel(col, row);
    [red, green, blue]
}

/// Grounds on which the one orange of before was lost (D13), and others.
const GROUNDS: [(&str, &[[u8; 3]]); 6] = [
    (
        "red roofs",
        &[[150, 60, 45], [180, 90, 70], [120, 110, 100]],
    ),
    (
        "bare soil",
        &[[170, 130, 90], [200, 165, 120], [140, 100, 70]],
    ),
    (
        "color-infrared",
        &[[200, 60, 80], [160, 40, 70], [120, 140, 150]],
    ),
    ("dark forest", &[[20, 40, 20], [40, 60, 30], [10, 20, 15]]),
    ("snow", &[[240, 240, 245], [220, 225, 235], [200, 210, 225]]),
    ("mid-gray", &[[118, 118, 118], [122, 122, 122]]),
];

/// WCAG 2.2, success criterion 1.4.11: graphics needed to understand the content have a contrast of 3 to what is beside.
#[test]
fn every_edge_of_every_class_has_a_contrast_of_three_to_the_ground() {
    let folder = tempfile::tempdir().unwrap();
    for (name, colors) in GROUNDS {
        let (image, labels) = painted(folder.path(), name, colors);
        let plain = Scene::open(&image).unwrap();
        let bands = [0, 1, 2];
        let ground = pixels(&plain.show_bands(bands).unwrap(), folder.path());
        for user in [None, Some([colors[0], [128, 128, 128]])] {
            let mut classes = Classes::new(["a", "b"]);
            // Even colors of the ground itself, which nothing changes, have edges that stand out.
            if let Some([a, b]) = user {
                classes = classes.with_color("a", a).with_color("b", b);
            }
            let scene = plain.clone().with_label_raster(&labels, classes).unwrap();
            let drawn = pixels(&scene.show_bands(bands).unwrap(), folder.path());
            let (mut checked, mut worst) = (0, f64::INFINITY);
            for row in 4..330 {
                for col in 4..SIDE - 4 {
                    let own = class_at(col, row);
                    if own == 0 || class_at(col - 1, row) == own {
                        continue;
                    }
                    // A left edge: the line, or an edge beside it, against the imagery that is seen before it.
                    let beside = rgb(&ground, col - 3, row);
                    let best = (col - 2..=col)
                        // An edge may have the color of the ground beneath it, which then does its work.
                        .filter(|&col| {
                            let seen = rgb(&drawn, col, row);
                            seen != rgb(&ground, col, row) || [[0; 3], [255; 3]].contains(&seen)
                        })
                        .map(|col| contrast(rgb(&drawn, col, row), beside))
                        .fold(0.0, f64::max);
                    worst = worst.min(best);
                    checked += 1;
                }
            }
            assert!(
                checked > 500 && worst >= 3.0,
                "{name}, {user:?}: {worst} of {checked}"
            );
        }
    }
}

#[test]
fn one_class_has_one_color_in_scene_parts_chips_maps_and_given_ones_are_never_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (image, labels) = painted(folder.path(), "soil", GROUNDS[1].1);
    let (snow, snow_labels) = painted(folder.path(), "snow", GROUNDS[4].1);
    let open = |image: &Path, labels: &Path, classes: Classes| {
        Scene::open(image)
            .unwrap()
            .with_label_raster(labels, classes)
            .unwrap()
    };
    let plain = || Classes::new(["a", "b"]);
    let scene = open(&image, &labels, plain());
    assert_ne!(
        scene.classes().colors(),
        plain().colors(),
        "not the first of the list on bare soil"
    );
    let (left, right) = scene.split(Split::columns(0.5));
    assert_eq!(left.classes(), right.classes());
    assert_eq!(left.classes(), scene.classes());
    assert_eq!(
        open(&image, &labels, plain()).classes(),
        scene.classes(),
        "the same again"
    );
    let chips = scene.chips(Chips::random(4, 64).seed(1)).unwrap();
    assert_eq!(chips.scenes().classes(), scene.classes());
    // Classes of one scene on another keep their colors, so that a model has one for each.
    let other = open(&snow, &snow_labels, scene.classes().clone());
    assert_eq!(other.classes(), scene.classes());
    // Labels given later, and fewer classes, keep them as well.
    assert_eq!(
        scene
            .clone()
            .with_label_raster(&labels, plain())
            .unwrap()
            .classes(),
        scene.classes()
    );
    assert_eq!(
        scene.clone().only(["b"]).unwrap().classes().colors()[1],
        scene.classes().colors()[2]
    );
    // A map of a scene has its colors, though the model was trained elsewhere.
    let elsewhere = open(&snow, &snow_labels, plain());
    assert_ne!(elsewhere.classes().colors(), scene.classes().colors());
    let map = mapped(&scene, elsewhere.classes());
    assert_eq!(map.classes(), scene.classes());
    assert!(map.evaluate(&scene).is_ok());
    let bare = mapped(&Scene::open(&image).unwrap(), elsewhere.classes());
    assert_eq!(
        bare.classes(),
        elsewhere.classes(),
        "without labels it has the model's"
    );
    // Colors that a person chose.
    let chosen = plain().with_color("b", [170, 130, 90]);
    assert_eq!(
        open(&image, &labels, chosen.clone()).classes().colors()[2],
        [170, 130, 90]
    );
    assert_eq!(
        mapped(&scene, &chosen).classes().colors()[2],
        [170, 130, 90]
    );
}

/// Boxes of the labels' classes are accepted whatever the colors: names decide.
#[test]
fn colors_make_no_classes_differ() {
    let folder = tempfile::tempdir().unwrap();
    let (image, labels) = painted(folder.path(), "soil", GROUNDS[1].1);
    let boxes = folder.path().join("boxes.csv");
    std::fs::write(
        &boxes,
        "xmin,ymin,xmax,ymax,label\n10,10,60,50,a\n100,20,160,90,b\n",
    )
    .unwrap();
    let classes = Classes::new(["a", "b"]);
    let scene = Scene::open(&image)
        .unwrap()
        .with_label_raster(&labels, classes.clone())
        .unwrap();
    let before = scene.classes().clone();
    let boxed = scene.with_box_classes(&boxes, "label", classes).unwrap();
    assert_eq!(boxed.classes(), &before);
}

fn vrt(folder: &Path, image: &Path, colors: &[&str]) -> PathBuf {
    let bands: String = colors
        .iter()
        .enumerate()
        .map(|(index, color)| {
            format!(
                "<VRTRasterBand dataType=\"Byte\" band=\"{band}\"><ColorInterp>{color}</ColorInterp><SimpleSource>\
                 <SourceFilename relativeToVRT=\"0\">{}</SourceFilename><SourceBand>{band}</SourceBand></SimpleSource>\
                 </VRTRasterBand>",
                image.display(),
                band = index + 1
            )
        })
        .collect();
    let path = folder.join(format!("{}.vrt", colors.concat()));
    let text =
        format!("<VRTDataset rasterXSize=\"{SIDE}\" rasterYSize=\"{SIDE}\">{bands}</VRTDataset>");
    std::fs::write(&path, text).unwrap();
    path
}

/// D13: "bands 1–3 are taken for RGB where the bands are blue, green, red". GDAL's color interpretation decides, as in
/// QGIS.
#[test]
fn bands_are_shown_by_what_they_are_and_the_picture_says_which() {
    let folder = tempfile::tempdir().unwrap();
    let (image, _) = painted(folder.path(), "soil", GROUNDS[1].1);
    for (colors, shown, words) in [
        (
            ["Blue", "Green", "Red"],
            [2, 1, 0],
            "red, green, blue (3, 2, 1)",
        ),
        (
            ["Green", "Red", "Blue"],
            [1, 0, 2],
            "red, green, blue (2, 1, 3)",
        ),
        (
            ["Gray", "Undefined", "Undefined"],
            [0, 1, 2],
            "1, 2, 3 as red, green, blue",
        ),
    ] {
        let scene = Scene::open(vrt(folder.path(), &image, &colors)).unwrap();
        let output = scene.output();
        let line = format!("bands shown  {words}");
        assert!(output.text.contains(&line), "{line} in {}", output.text);
        let asked = scene.show_bands(shown).unwrap().output();
        assert_eq!(
            (&output.png, &output.webp),
            (&asked.png, &asked.webp),
            "{colors:?}"
        );
        let chips = scene.chips(Chips::random(2, 64).seed(1)).unwrap();
        let grid = |options: &swath::plot::ChipGrid| chips.grid(2, options).unwrap().output().webp;
        let plain = swath::plot::ChipGrid::new();
        assert_eq!(grid(&plain), grid(&plain.clone().bands(shown)));
        let map = mapped(&scene, &Classes::new(["a"]));
        assert!(map.output().text.contains(&line), "{}", map.output().text);
    }
}

#[test]
fn legends_name_background_ignored_and_invalid_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let size = Size::new(SIDE, SIDE);
    let image = raster(
        &folder.path().join("image.tif"),
        size,
        3,
        RasterType::U8,
        WriterOptions::default().nodata(0.0),
        |band, col, row| {
            if col < 40 {
                0.0
            } else {
                60.0 + (col * (band + 1) + row) as f32 % 150.0
            }
        },
    );
    let labels = raster(
        &folder.path().join("labels.tif"),
        size,
        1,
        RasterType::U8,
        WriterOptions::default().nodata(255.0),
        |_, col, row| {
            if row < 100 {
                255.0
            } else {
                f32::from(class_at(col, row))
            }
        },
    );
    let classes = Classes::new(["snow <a>", "b"]).with_color("snow <a>", [255; 3]);
    let scene = Scene::open(image)
        .unwrap()
        .with_label_raster(&labels, classes)
        .unwrap();
    let output = scene.output();
    let html = output.html.unwrap();
    for name in [
        "> background<",
        "> snow &lt;a&gt;<",
        "> b<",
        "> ignored<",
        "> no data<",
    ] {
        assert!(html.contains(name), "{name}");
    }
    // The white swatch has an edge, and names wrap.
    let white = html.find("background:#ffffff").unwrap();
    assert!(
        html[..white].ends_with("border:1px solid #757575;")
            && html.contains("overflow-wrap:anywhere")
    );
    assert!(contrast([117; 3], [255; 3]) > 3.0 && contrast([117; 3], [17; 3]) > 3.0);
    assert!(!html.contains("<script") && !html.contains("http"));
    for words in ["background ", "ignored ", "valid        90.5 %"] {
        assert!(output.text.contains(words), "{words} in {}", output.text);
    }
    // What is ignored is hatched, what is invalid gray.
    let picture = pixels(&scene.show_bands([0, 1, 2]).unwrap(), folder.path());
    assert_eq!(rgb(&picture, 20, 50), [128; 3]);
    let light = (100..140).filter(|col| rgb(&picture, *col, 50).iter().all(|byte| *byte >= 190));
    assert!(light.count() >= 4);
    let chips = scene
        .chips(Chips::random(6, 128).seed(2))
        .unwrap()
        .show(6)
        .html();
    assert!(chips.contains("> background<") && chips.contains("> b<"));
}

/// D13: a predicted map had neither scale bar nor `show_bands`; now it says what its scene says.
#[test]
fn maps_have_scale_bar_bands_facts_and_notices_as_scenes_have() {
    let folder = tempfile::tempdir().unwrap();
    let (image, labels) = painted(folder.path(), "soil", GROUNDS[1].1);
    let scene = Scene::open(&image)
        .unwrap()
        .with_label_raster(&labels, Classes::new(["a", "b"]))
        .unwrap();
    let map = mapped(&scene, scene.classes());
    let (of_map, of_scene) = (map.output(), scene.output());
    for fact in ["file  ", "size  ", "pixel  ", "bands  ", "bands shown  "] {
        let line = |text: &str| {
            text.lines()
                .find(|line| line.starts_with(fact))
                .map(str::to_owned)
        };
        assert!(
            line(&of_scene.text).is_some() && line(&of_map.text) == line(&of_scene.text),
            "{fact}"
        );
    }
    assert!(
        of_map
            .text
            .starts_with("Map of soil, 420 x 420 pixels: background ")
    );
    assert!(of_map.html.unwrap().contains("bands shown"));
    let picture = pixels(&map.show_bands([0]).unwrap(), folder.path());
    assert_eq!(rgb(&picture, 12, SIDE - 8), [255; 3], "the scale bar");
    assert!(map.show_bands([0, 1, 9]).is_err());
    // The bar is white on dark over imagery and map alike.
    let bare = pixels(&scene.show_bands([2, 1, 0]).unwrap(), folder.path());
    assert_eq!(rgb(&bare, 12, SIDE - 8), [255; 3]);
}

/// D7: a transform without a reference system does not say what its unit is.
#[test]
fn lengths_are_said_only_where_the_unit_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let (image, _) = painted(folder.path(), "soil", GROUNDS[1].1);
    let vrt = vrt(folder.path(), &image, &["Red", "Green", "Blue"]);
    let text = std::fs::read_to_string(&vrt).unwrap();
    let text = text.replacen(
        '>',
        "><GeoTransform>100, 2, 0, 900, 0, -2</GeoTransform>",
        1,
    );
    std::fs::write(&vrt, text).unwrap();
    let scene = Scene::open(&vrt).unwrap();
    let text = scene.output().text;
    assert!(
        text.contains("in units that the file does not name") && !text.contains(" m,"),
        "{text}"
    );
    let plain = pixels(&scene.show_bands([0]).unwrap(), folder.path());
    let known = pixels(
        &Scene::open(&image).unwrap().show_bands([0]).unwrap(),
        folder.path(),
    );
    assert_ne!(rgb(&plain, 12, SIDE - 8), rgb(&known, 12, SIDE - 8));
}

/// D3 as far as pictures go: imagery outside the area of interest is dimmed, not gray, and the area has an edge.
#[test]
fn outside_the_area_of_interest_imagery_is_dimmed() {
    let folder = tempfile::tempdir().unwrap();
    let (image, _) = painted(folder.path(), "soil", GROUNDS[1].1);
    let scene = Scene::open(&image).unwrap();
    let ring = crate::support::degrees(&[
        (100.0, 100.0),
        (300.0, 100.0),
        (300.0, 300.0),
        (100.0, 300.0),
    ]);
    let area = geojson(&folder.path().join("area.geojson"), &[("aoi", &ring)]);
    let limited = scene.with_aoi(&area).unwrap();
    let whole = pixels(&scene.show_bands([0, 1, 2]).unwrap(), folder.path());
    let part = pixels(&limited.show_bands([0, 1, 2]).unwrap(), folder.path());
    let sum =
        |image: &RgbaImage, col: usize| rgb(image, col, 200).map(u32::from).iter().sum::<u32>();
    let outside: Vec<(u32, u32)> = (10..90)
        .map(|col| (sum(&whole, col), sum(&part, col)))
        .collect();
    let darker = outside.iter().filter(|(whole, part)| part < whole).count();
    assert!(darker > 70, "{darker} of 80");
    let mut values: Vec<u32> = outside.iter().map(|(_, part)| *part).collect();
    values.dedup();
    assert!(values.len() > 20, "imagery, not one gray");
    // The line along the edge: white inside, dark outside.
    assert!((99..102).any(|col| rgb(&part, col, 200) == [255; 3]));
    assert!((97..101).any(|col| sum(&part, col) < 60));
    let output = limited.output();
    assert!(
        output
            .text
            .contains("limited to   what lies inside the areas of area.geojson, 22."),
        "{}",
        output.text
    );
    assert!(
        output
            .html
            .unwrap()
            .contains("outside the area of interest")
    );
}

#[test]
fn notices_stand_under_the_picture_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (image, _) = painted(folder.path(), "soil", GROUNDS[1].1);
    let boxes = folder.path().join("<b>boxes.csv");
    std::fs::write(
        &boxes,
        "xmin,ymin,xmax,ymax\n5,5,50,90\nnan,1,2,3\n900,900,910,910\n",
    )
    .unwrap();
    let scene = Scene::open(&image)
        .unwrap()
        .with_boxes(&boxes, "tree")
        .unwrap();
    let (report, output) = (scene.report(), scene.output());
    assert!(!report.is_empty());
    let html = output.html.unwrap();
    assert_eq!(html.matches("<li ").count(), report.len());
    assert!(html.contains("<b>left out</b>") && !html.contains("<b>boxes.csv"));
    for notice in &report {
        assert!(output.text.contains(&notice.to_string()), "{notice}");
    }
}

/// D13: "the first eight sliding chips are eight neighbors; `chips.get(0)?` prints 49,152 numbers".
#[test]
fn a_cell_shows_chips_from_all_over_and_one_chip_as_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let (image, labels) = painted(folder.path(), "soil", GROUNDS[1].1);
    let scene = Scene::open(&image)
        .unwrap()
        .with_label_raster(&labels, Classes::new(["a", "b"]))
        .unwrap();
    let chips = scene.chips(Chips::sliding(64).stride(32)).unwrap();
    assert!(chips.len() > 16);
    let neighbors: Vec<_> = (0..8).map(|index| chips.get(index).unwrap()).collect();
    let neighbors = chip_grid_with(&neighbors, scene.classes(), 4, &ChipGrid::new())
        .unwrap()
        .output();
    for shown in [chips.output(), chips.show(8).output()] {
        assert!(
            shown.webp.or(shown.png) != neighbors.webp.clone().or(neighbors.png.clone()),
            "the chips are neighbors"
        );
    }
    let one = chips.get(0).unwrap().output();
    assert!(
        one.text.contains("Chip of 64 x 64 px, 3 bands"),
        "{}",
        one.text
    );
    assert!(one.html.unwrap().contains("> class 1<") && (one.webp.is_some() || one.png.is_some()));
    // Without a place on the ground no length is said.
    let plain = Scene::open(vrt(folder.path(), &image, &["Red", "Green", "Blue"])).unwrap();
    let text = plain.chips(Chips::random(2, 64)).unwrap().output().text;
    assert!(text.contains("2 chips of 64 x 64 px from "), "{text}");
}

#[test]
fn a_histogram_of_many_bands_with_long_names_has_room_for_its_curves() {
    let folder = tempfile::tempdir().unwrap();
    let path = raster(
        &folder.path().join("many.tif"),
        Size::new(30, 30),
        60,
        RasterType::U16,
        WriterOptions::default(),
        |band, col, row| (band * 30 + col + row) as f32,
    );
    let scene = Scene::open(path).unwrap();
    let svg = scene.histogram().unwrap().svg().unwrap();
    assert!(svg.contains("and 49 more bands"));
    let text = scene.output().text;
    assert!(
        text.contains("60 (band 1, band 2, ") && text.contains("… 45 more), UInt16"),
        "{text}"
    );
}
