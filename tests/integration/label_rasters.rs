//! Labels that come as rasters: where they lie and what their values mean. Expected counts are numpy's over what rasterio
//! reads (GDAL 3.10), places pyproj's.

use std::collections::BTreeMap;

use swath::Hint;
use swath::display::Show;
use swath::labels::{Classes, LabelValues};
use swath::raster::{GeoTransform, Raster, Resolution};
use swath::scene::Scene;

use crate::support::{case, label_counts};

/// 64 x 64 pixels of half a meter in UTM zone 33.
fn image() -> Scene {
    Scene::open(case("f07-mask-255/image.tif")).unwrap()
}

/// The image with the label raster `file` of `label-kinds`.
fn labeled(file: &str, values: impl Into<LabelValues>) -> swath::Result<Scene> {
    image().with_label_raster(case(&format!("label-kinds/{file}")), values)
}

fn two() -> Classes {
    Classes::new(["a", "b"])
}

#[track_caller]
fn check(scene: &Scene, expected: &[(u8, usize)]) {
    assert_eq!(
        label_counts(scene),
        expected.iter().copied().collect::<BTreeMap<_, _>>(),
        "{}",
        scene.report()
    );
}

/// The error's text and hint, which name no program that the set-up does not bring.
#[track_caller]
fn refused(labeled: swath::Result<Scene>) -> String {
    let error = labeled.unwrap_err();
    let text = format!("{error}\n{}", error.hint().expect("a next step"));
    for program in [
        "gdalinfo",
        "ogrinfo",
        "gdalwarp",
        "gdal_translate",
        "ogr2ogr",
    ] {
        assert!(!text.contains(program), "{text}");
    }
    text
}

#[track_caller]
fn holds(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

/// f07, raster-vision#1072: 0 3396, 255 700 (numpy). With one class and no index, 255 is more likely the class.
#[test]
fn a_mask_of_0_and_255_is_refused_as_indices_and_taken_as_binary() {
    let mask = case("f07-mask-255/mask.tif");
    let text = refused(image().with_label_raster(&mask, Classes::new(["building"])));
    holds(
        &text,
        &[
            "255 (700 pixels)",
            "0 (3396 pixels)",
            "ignored",
            "1 building",
            "LabelValues::binary(\"building\")",
            "mask.tif",
        ],
    );
    let scene = image()
        .with_label_raster(&mask, LabelValues::binary("building"))
        .unwrap();
    check(&scene, &[(0, 3396), (1, 700)]);
    assert!(scene.report().is_empty(), "{}", scene.report());
    // Whoever says so may have it ignored.
    let ignored = LabelValues::from(Classes::new(["building"])).ignore([255]);
    let scene = image().with_label_raster(&mask, ignored).unwrap();
    check(&scene, &[(0, 3396), (255, 700)]);
    assert!(scene.report().mentions("no pixel is building"));
}

#[test]
fn beside_class_indices_255_is_ignored_with_a_notice() {
    let scene = labeled("void255.tif", two()).unwrap();
    check(&scene, &[(0, 2608), (1, 640), (2, 720), (255, 128)]);
    assert!(scene.report().mentions("128 pixels are 255"));
    let confirmed = labeled("void255.tif", LabelValues::from(two()).ignore([255])).unwrap();
    check(&confirmed, &[(0, 2608), (1, 640), (2, 720), (255, 128)]);
    assert!(confirmed.report().is_empty());
}

/// f08, raster-vision#969, torchgeo#390: 10 2340, 50 1280, 80 476 (numpy).
#[test]
fn codes_are_listed_when_the_raster_is_opened_and_can_be_named() {
    let scene = || Scene::open(case("f08-codes/image.tif")).unwrap();
    let cover = case("f08-codes/cover.tif");
    let text = refused(scene().with_label_raster(&cover, Classes::new(["tree", "built", "water"])));
    holds(
        &text,
        &[
            "none of the class indices 0 background, 1 tree, 2 built, 3 water",
            "10 (2340 pixels), 50 (1280), 80 (476)",
            "LabelValues::codes([(10, \"tree\"), (50, \"built\"), (80, \"water\")])",
            "cover.tif",
        ],
    );
    let values = LabelValues::codes([(10, "tree"), (50, "built"), (80, "water")]);
    let named = scene().with_label_raster(&cover, values).unwrap();
    check(&named, &[(1, 2340), (2, 1280), (3, 476)]);
    assert_eq!(
        named.classes().names(),
        ["background", "tree", "built", "water"]
    );
    assert!(named.report().is_empty());
    // Several codes of one class, another background, what is ignored, an order of classes given before.
    let values = LabelValues::codes([(50, "made"), (80, "made")])
        .background([10])
        .of_classes(Classes::new(["tree", "made"]));
    check(
        &scene().with_label_raster(&cover, values).unwrap(),
        &[(0, 2340), (2, 1756)],
    );
    let few = LabelValues::codes([(80, "water")]);
    let text = refused(scene().with_label_raster(&cover, few.clone()));
    holds(
        &text,
        &["10 (2340 pixels), 50 (1280)", "others_are_background"],
    );
    let rest = scene()
        .with_label_raster(&cover, few.clone().others_are_background())
        .unwrap();
    check(&rest, &[(0, 3620), (1, 476)]);
    assert!(
        rest.report()
            .mentions("3620 pixels of other values are background")
    );
    let rest = scene()
        .with_label_raster(&cover, few.others_are_ignored())
        .unwrap();
    check(&rest, &[(1, 476), (255, 3620)]);
    let picture = rest.output().text;
    assert!(picture.contains("10 (2340 pixels), 50 (1280)"), "{picture}");
}

/// uint16 codes with nodata 65535, int16 with an undeclared -9999, int8 with -1 and nodata -128, int64 with -9999 (numpy).
#[test]
fn codes_of_every_type_are_exact() {
    let corine = LabelValues::codes([(111, "urban"), (112, "urban"), (311, "forest")]);
    let scene = labeled("corine.tif", corine).unwrap();
    check(&scene, &[(1, 1360), (2, 2480), (255, 256)]);
    assert!(
        scene
            .report()
            .mentions("256 pixels hold the nodata value 65535")
    );
    let text = refused(labeled("undeclared.tif", two()));
    holds(&text, &["-9999 (192 pixels)", ".ignore([-9999])"]);
    let ignoring = LabelValues::from(two()).ignore([-9999]);
    check(
        &labeled("undeclared.tif", ignoring).unwrap(),
        &[(0, 2544), (1, 640), (2, 720), (255, 192)],
    );
    let signed = LabelValues::codes([(1, "a"), (-1, "b")]).background([0]);
    check(
        &labeled("int8.tif", signed).unwrap(),
        &[(0, 2608), (1, 640), (2, 720), (255, 128)],
    );
    check(
        &labeled("int64.tif", two()).unwrap(),
        &[(0, 2544), (1, 640), (2, 720), (255, 192)],
    );
}

/// f09, raster-vision#430, #969: red 600, green 400, blue 3096 (numpy).
#[test]
fn colors_are_refused_as_indices_and_can_be_named() {
    let mask = case("f09-colour-mask/colours.tif");
    let text = refused(image().with_label_raster(&mask, Classes::new(["building"])));
    holds(
        &text,
        &[
            "has 3 bands (red, green, blue), one of class indices is expected",
            "[0, 0, 255] (3096 pixels), [255, 0, 0] (600), [0, 255, 0] (400)",
            "LabelValues::colors([([0, 0, 255], ",
            "LabelValues::bands([",
        ],
    );
    let values = LabelValues::colors([([255, 0, 0], "roof"), ([0, 255, 0], "tree")])
        .background([[0, 0, 255]]);
    let scene = image().with_label_raster(&mask, values).unwrap();
    check(&scene, &[(0, 3096), (1, 600), (2, 400)]);
    assert_eq!(scene.classes().colors()[1], [255, 0, 0]);
    let text = refused(image().with_label_raster(
        &mask,
        LabelValues::colors([([255, 0, 0], "roof"), ([0, 0, 0], "background")]),
    ));
    holds(&text, &["[0, 0, 255] (3096 pixels), [0, 255, 0] (400)"]);
}

/// With transparency (256 px), with a palette, as three equal bands (numpy).
#[test]
fn masks_of_drawing_programs() {
    let painted = || {
        LabelValues::colors([
            ([255, 0, 0], "a"),
            ([0, 0, 255], "b"),
            ([0, 0, 0], "background"),
        ])
    };
    let scene = labeled("colours.png", painted()).unwrap();
    check(&scene, &[(0, 2480), (1, 640), (2, 720), (255, 256)]);
    assert!(scene.report().mentions("256 pixels have no data"));
    let kept = labeled("colours.png", painted().nodata_is("background")).unwrap();
    check(&kept, &[(0, 2736), (1, 640), (2, 720)]);
    // A palette's numbers are class indices, its colors are colors.
    let equal = [(0, 2736), (1, 640), (2, 720)];
    check(&labeled("palette.png", two()).unwrap(), &equal);
    let painted = LabelValues::colors([([255, 0, 0], "a"), ([0, 128, 255], "b")]).background([0]);
    check(&labeled("palette.png", painted).unwrap(), &equal);
    let gray = labeled("grey-rgb.png", two()).unwrap();
    check(&gray, &equal);
    assert!(gray.report().mentions("three bands of equal values"));
    check(
        &labeled("alpha.png", two()).unwrap(),
        &[(0, 2480), (1, 640), (2, 720), (255, 256)],
    );
    check(
        &labeled("onebit.tif", Classes::new(["a"])).unwrap(),
        &[(0, 2736), (1, 1360)],
    );
}

/// JPEG turns 0 and 255 into values near them: 1360 px are from 128 up, 1718 are not 0 (rasterio). Smoothing leaves 1330.
#[test]
fn smeared_masks_are_told_and_divided_in_the_middle() {
    for file in ["smeared.jpg", "smeared.tif"] {
        let text = refused(labeled(file, Classes::new(["building"])));
        holds(&text, &["compressed with loss (JPEG)"]);
        let scene = labeled(file, LabelValues::binary("building")).unwrap();
        check(&scene, &[(0, 2736), (1, 1360)]);
        assert!(
            scene.report().mentions("smeared by JPEG compression"),
            "{}",
            scene.report()
        );
    }
    let smooth = labeled("smeared.png", LabelValues::binary("building")).unwrap();
    check(&smooth, &[(0, 2766), (1, 1330)]);
    assert!(
        smooth.report().mentions("from 128 up they are building"),
        "{}",
        smooth.report()
    );
    let nearest = LabelValues::codes([(255, "building"), (0, "background")]).others_are_nearest();
    check(
        &labeled("smeared.png", nearest).unwrap(),
        &[(0, 2766), (1, 1330)],
    );
}

/// One band for each class; four of 8 bits are red, green, blue, alpha to GDAL. 48 px are set in two bands (numpy).
#[test]
fn one_hot_bands() {
    let text = refused(labeled("onehot2.tif", two()));
    holds(
        &text,
        &[
            "has 2 bands",
            "0 (3456 pixels), 1 (640)",
            "LabelValues::bands([",
        ],
    );
    let scene = labeled("onehot2.tif", LabelValues::bands(["a", "b"])).unwrap();
    check(&scene, &[(0, 2736), (1, 640), (2, 720)]);
    let scene = labeled("onehot4.tif", LabelValues::bands(["a", "b", "c", "d"])).unwrap();
    check(&scene, &[(0, 2736), (1, 240), (2, 400), (3, 192), (4, 528)]);
    holds(
        &scene.report().to_string(),
        &["alpha", "48 pixels are set in several bands"],
    );
    let text = refused(labeled("onehot2.tif", LabelValues::bands(["a", "b", "c"])));
    holds(
        &text,
        &["3 bands were named (a, b, c), the label raster has 2"],
    );
}

/// f10, raster-vision PR#783: `gdal_rasterize -a_nodata 0` leaves the background as nodata; 3396 and 1341 px.
#[test]
fn nodata_0_is_the_background_with_a_notice() {
    let scene = Scene::open(case("f10-label-nodata-0/image.tif")).unwrap();
    let mask = case("f10-label-nodata-0/mask.tif");
    let labeled_scene = scene
        .clone()
        .with_label_raster(&mask, Classes::new(["building"]))
        .unwrap();
    check(&labeled_scene, &[(0, 3396), (1, 700)]);
    assert!(
        labeled_scene
            .report()
            .mentions("3396 pixels are background")
    );
    let binary = scene
        .clone()
        .with_label_raster(&mask, LabelValues::binary("building"))
        .unwrap();
    check(&binary, &[(0, 3396), (1, 700)]);
    let ignoring = LabelValues::from(Classes::new(["building"])).ignore([0]);
    let ignoring = scene.with_label_raster(&mask, ignoring).unwrap();
    check(&ignoring, &[(1, 700), (255, 3396)]);
    let second = Scene::open(case("f10-label-nodata-0-2/image.tif"))
        .unwrap()
        .with_label_raster(case("f10-label-nodata-0-2/cover.tif"), two())
        .unwrap();
    check(&second, &[(0, 1341), (1, 1377), (2, 1378)]);
    assert!(second.report().mentions("1341 pixels are background"));
}

/// A nodata value that is a class, NaN, and values that the file calls something else.
#[test]
fn nodata_and_names_of_the_file_are_weighed_against_what_was_named() {
    let scene = labeled("nodata2.tif", two()).unwrap();
    check(&scene, &[(0, 2736), (1, 640), (255, 720)]);
    assert!(
        scene.report().mentions(".nodata_is(\"b\")"),
        "{}",
        scene.report()
    );
    let kept = labeled("nodata2.tif", LabelValues::from(two()).nodata_is("b")).unwrap();
    check(&kept, &[(0, 2736), (1, 640), (2, 720)]);
    let named = LabelValues::codes([(1, "a"), (2, "b")]).background([0]);
    let named = labeled("nodata2.tif", named).unwrap();
    check(&named, &[(0, 2736), (1, 640), (2, 720)]);
    assert!(
        named
            .report()
            .mentions("2 is the file's nodata value and was named")
    );
    let whole = labeled("whole.tif", two()).unwrap();
    check(&whole, &[(0, 2608), (1, 640), (2, 720), (255, 128)]);
    let swapped = labeled("categories.tif", Classes::new(["built", "water"])).unwrap();
    holds(
        &swapped.report().to_string(),
        &[
            "the file itself calls 1 \"water\" and not \"built\"",
            "(1, \"water\"), (2, \"built\")",
        ],
    );
    let text = refused(labeled("rat.tif", two()));
    holds(
        &text,
        &["(10, \"Tree cover\"), (50, \"Built-up\"), (80, \"Water\")"],
    );
    let more = labeled("palette.png", Classes::new(["a", "b", "c"])).unwrap();
    assert!(more.report().mentions("no pixel is c"), "{}", more.report());
}

#[test]
fn probabilities_are_told_and_divided() {
    let text = refused(labeled("probability.tif", Classes::new(["flood"])));
    holds(
        &text,
        &[
            "probabilities",
            "LabelValues::threshold(\"flood\", 0.5)",
            "4096 pixels",
        ],
    );
    let scene = labeled("probability.tif", LabelValues::threshold("flood", 0.5)).unwrap();
    check(&scene, &[(0, 2736), (1, 1360)]);
}

#[test]
fn mistakes_in_what_values_mean_are_named() {
    let text = |values: LabelValues| refused(labeled("categories.tif", values));
    holds(
        &text(LabelValues::codes([(1, "a"), (1, "b")])),
        &["1 is named twice: as a and as b"],
    );
    holds(
        &text(
            LabelValues::codes([(1, "a")])
                .of_classes(two())
                .nodata_is("c"),
        ),
        &["\"c\" is none of the classes background, a, b"],
    );
    holds(
        &text(LabelValues::codes(Vec::<(i32, String)>::new())),
        &["no class is named"],
    );
    holds(
        &text(LabelValues::codes(
            (0..400).map(|code| (code, format!("class {code}"))),
        )),
        &["400 classes are named, at most 254"],
    );
    holds(
        &text(LabelValues::colors([([255, 0, 0], "a")])),
        &["colors were named, the label raster has 1 band"],
    );
}

/// One map from values to labels: pictures, chips and parts of the classes agree.
#[test]
fn pictures_and_parts_of_the_classes_use_the_same_meaning() {
    let values = LabelValues::codes([(10, "tree"), (50, "built"), (80, "water")]);
    let scene = Scene::open(case("f08-codes/image.tif"))
        .unwrap()
        .with_label_raster(case("f08-codes/cover.tif"), values)
        .unwrap();
    let text = scene.output().text;
    holds(&text, &["tree 57.1 %", "built 31.2 %", "water 11.6 %"]);
    let water = scene.only(["water"]).unwrap();
    check(&water, &[(0, 3620), (1, 476)]);
    holds(&water.output().text, &["water 11.6 %"]);
    let binary = image()
        .with_label_raster(case("f07-mask-255/mask.tif"), LabelValues::binary("a"))
        .unwrap();
    holds(&binary.output().text, &["a 17.1 %"]);
}

/// f11: GDAL's `OSRIsSame` and rasterio's `CRS ==` tell two Lambert systems of one name apart. They lie 717 m apart, the
/// scene is 640 m wide.
#[test]
fn systems_of_one_name_that_differ_are_refused() {
    let scene = Scene::open(case("f11-unknown-crs/image.tif")).unwrap();
    let text =
        refused(scene.with_label_raster(case("f11-unknown-crs/mask.tif"), Classes::new(["a"])));
    holds(
        &text,
        &["mask.tif", "lies elsewhere", "systems of one name"],
    );
}

/// Both are EPSG:32633, one under ESRI's name: 700 px (rasterio).
#[test]
fn systems_of_other_names_that_are_the_same_are_taken() {
    let scene = Scene::open(case("f12-same-crs/image.tif"))
        .unwrap()
        .with_label_raster(case("f12-same-crs/mask.asc"), Classes::new(["a"]))
        .unwrap();
    assert_eq!(label_counts(&scene).get(&1), Some(&700));
    // D10: a system without a datum's name, an undefined engineering system, no system at all, on the image's own grid.
    let equal = [(0, 2736), (1, 640), (2, 720)];
    let other_name = labeled("proj-string.tif", two()).unwrap();
    check(&other_name, &equal);
    let undefined = labeled("local.tif", two()).unwrap();
    check(&undefined, &equal);
    assert!(
        undefined
            .report()
            .mentions("says nothing of where on Earth")
    );
    let none = labeled("no-crs.tif", two()).unwrap();
    check(&none, &equal);
    assert!(
        none.report()
            .mentions("names no coordinate reference system")
    );
    check(&labeled("south-up.tif", two()).unwrap(), &equal);
}

/// f16, rasterio#1240: turned by 45 degrees over the whole image (numpy, nearest).
#[test]
fn a_turned_label_raster_covers_what_its_corners_span() {
    let scene = Scene::open(case("f16-rotated-labels/image.tif"))
        .unwrap()
        .with_label_raster(case("f16-rotated-labels/mask.tif"), two())
        .unwrap();
    check(&scene, &[(1, 2186), (2, 1760), (255, 150)]);
    assert!(scene.report().mentions("beyond the label raster"));
}

/// Degrees, and another zone turned by 20 degrees: counts, sums of rows and of columns of class 1 by pyproj.
#[test]
fn labels_in_other_systems_are_where_proj_puts_them() {
    for (file, expected, rows, columns) in [
        (
            "degrees.tif",
            &[(0, 1328), (1, 1370), (2, 1398)][..],
            43_176,
            43_350,
        ),
        (
            "zone32-turned.tif",
            &[(0, 1009), (1, 1047), (2, 1016), (255, 1024)][..],
            33_036,
            32_796,
        ),
    ] {
        let scene = labeled(file, two()).unwrap();
        check(&scene, expected);
        let labels = scene.label_window(&scene.area()).unwrap();
        let ones = labels.iter().enumerate().filter(|(_, label)| **label == 1);
        let (mut row_sum, mut column_sum) = (0, 0);
        for (pixel, _) in ones {
            row_sum += pixel / 64;
            column_sum += pixel % 64;
        }
        assert_eq!((row_sum, column_sum), (rows, columns), "{file}");
        assert!(scene.report().mentions("by PROJ"), "{}", scene.report());
    }
}

/// f17, geoai PR#197: a mask of the image's own size without a place goes pixel by pixel, as in Raster Vision: 700 px.
#[test]
fn a_mask_without_a_place_needs_the_images_size() {
    let file = case("f17-mask-without-place/image.tif");
    let mask = case("f17-mask-without-place/mask.png");
    let scene = Scene::open(&file)
        .unwrap()
        .with_label_raster(&mask, Classes::new(["a"]))
        .unwrap();
    check(&scene, &[(0, 3396), (1, 700)]);
    assert!(scene.report().mentions("pixel by pixel"));
    let half = || case("label-kinds/half.png");
    let text = refused(labeled("half.png", two()));
    holds(
        &text,
        &[
            "32 x 32 px",
            "64 x 64 px",
            "no place on the ground",
            "half.png",
        ],
    );
    // The image seen at another pixel size is still the image.
    let finer = Scene::open_at(&file, Resolution::Factor(2.0))
        .unwrap()
        .with_label_raster(&mask, Classes::new(["a"]))
        .unwrap();
    check(&finer, &[(0, 4 * 3396), (1, 4 * 700)]);
    // The other way round, and neither with a place.
    let bare = Scene::open(half()).unwrap();
    let text = refused(bare.clone().with_label_raster(&mask, Classes::new(["a"])));
    holds(&text, &["64 x 64 px", "32 x 32 px", "neither"]);
    let placed = Scene::open(&mask)
        .unwrap()
        .with_label_raster(case("label-kinds/categories.tif"), two())
        .unwrap();
    check(&placed, &[(0, 2736), (1, 640), (2, 720)]);
    assert!(placed.report().mentions("the scene's image has no place"));
    check(
        &bare.with_label_raster(half(), two()).unwrap(),
        &[(0, 684), (1, 160), (2, 180)],
    );
}

/// A label raster that lies nowhere near is told with both extents in the scene's coordinates.
#[test]
fn a_label_raster_elsewhere_is_told_with_both_extents() {
    let text = refused(
        Scene::open(case("f10-label-nodata-0-2/image.tif"))
            .unwrap()
            .with_label_raster(case("label-kinds/categories.tif"), two()),
    );
    holds(
        &text,
        &[
            "lies elsewhere",
            "x 640000.00000 to 640019.20000",
            "EPSG:32717",
        ],
    );
}

#[test]
fn the_values_of_a_raster_are_listed() {
    let table = |file: &str| Raster::open(case(file)).unwrap().value_table().unwrap();
    let cover = table("label-kinds/rat.tif");
    let text = cover.output().text;
    holds(
        &text,
        &[
            "2736  10  Tree cover",
            "720  80  Water",
            "640  50  Built-up",
        ],
    );
    let corine = table("label-kinds/corine.tif").output().text;
    holds(&corine, &["256  65535  (nodata value)"]);
    let colors = table("f09-colour-mask/colours.tif").output().text;
    holds(&colors, &["600  [255, 0, 0]"]);
    let palette = table("label-kinds/palette.png").output().text;
    holds(&palette, &["720  2"]);
}

/// f30: a label raster where a vector file belongs.
#[test]
fn a_label_raster_given_as_vector_labels_is_told_so() {
    let mask = case("f30-mask-as-vector/mask.tif");
    let text = refused(image().with_labels(&mask, "building"));
    holds(
        &text,
        &["is a raster", "with_label_raster", "label_raster="],
    );
    // A shell is told of `--label-raster` (tests/python/test_command_line.py), a cell of what it has.
    assert!(!text.contains("--label-raster"), "{text}");
    let text =
        refused(image().with_classes(case("label-kinds/palette.png"), "a", Classes::new(["a"])));
    holds(&text, &["with_label_raster"]);
    let text = refused(image().with_boxes(&mask, "building"));
    holds(&text, &["a picture (TIFF) was found", "with_label_raster"]);
}

/// One band may be much finer than the scene: memory stays bounded, and the centers decide.
#[test]
fn a_label_raster_much_finer_than_the_scene() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fine.tif");
    let size = swath::raster::Size::new(6000, 6000);
    let grid = GeoTransform::north_up(500_000.0, 5_000_000.0, 32.0 / 6000.0);
    let mut writer = swath::raster::RasterWriter::create(
        &path,
        size,
        1,
        swath::raster::RasterType::U8,
        grid,
        "EPSG:32633",
        swath::raster::WriterOptions::default(),
    )
    .unwrap();
    for row in (0..6000).step_by(500) {
        let values: Vec<u8> = (0..500 * 6000)
            .map(|at| u8::from(at % 6000 >= 3000))
            .collect();
        writer.write_rows(row, &values).unwrap();
    }
    writer.finish().unwrap();
    let scene = image()
        .with_label_raster(&path, Classes::new(["a"]))
        .unwrap();
    check(&scene, &[(0, 2048), (1, 2048)]);
}

/// A mask beside the file's bands (`.msk`), and longitudes counted from 0 to 360 on a scene that counts them from -180.
#[test]
fn masks_beside_the_file_and_longitudes_a_turn_apart() {
    let scene = labeled("masked.tif", two()).unwrap();
    check(&scene, &[(0, 2480), (1, 640), (2, 720), (255, 256)]);
    assert!(scene.report().mentions("256 pixels have no data"));
    let west = Scene::open(case("label-kinds/west.tif"))
        .unwrap()
        .with_label_raster(case("label-kinds/east.tif"), two())
        .unwrap();
    check(&west, &[(0, 2736), (1, 640), (2, 720)]);
}

/// A map whose categories are its classes, scored against label rasters: the same labels as indices, as codes, swapped.
#[test]
fn the_command_line_scores_against_label_rasters() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("scores.json");
    let path = |file: &str| case(&format!("label-kinds/{file}")).display().to_string();
    let (map, image) = (path("categories.tif"), case("f07-mask-255/image.tif"));
    let run = |options: &[&str]| {
        let mut words = vec![
            "evaluate".to_owned(),
            map.clone(),
            image.display().to_string(),
        ];
        words.extend(options.iter().map(|&word| word.to_owned()));
        words.extend(["--json".to_owned(), json.display().to_string()]);
        swath::cli::run(&words)
    };
    let accuracy = || {
        let text = std::fs::read_to_string(&json).unwrap();
        let scores: serde_json::Value = serde_json::from_str(&text).unwrap();
        let average = scores.as_array().and_then(|items| items.last()).unwrap();
        average["metrics"]["accuracy"]
            .as_f64()
            .expect("an accuracy")
    };
    assert_eq!(run(&["--label-raster", &path("palette.png")]), 0);
    assert!((accuracy() - 1.0).abs() < 1e-9);
    let codes = "10:background,50:water,80:built";
    assert_eq!(
        run(&["--label-raster", &path("rat.tif"), "--values", codes]),
        0
    );
    assert!((accuracy() - 1.0).abs() < 1e-9);
    let swapped = "10:background,50:built,80:water";
    assert_eq!(
        run(&["--label-raster", &path("rat.tif"), "--values", swapped]),
        0
    );
    assert!((accuracy() - 2736.0 / 4096.0).abs() < 1e-9);
    // Not understood: 2; failed: 1.
    let raster = path("rat.tif");
    assert_eq!(run(&[]), 2);
    assert_eq!(run(&["--label-raster", &raster, "--labels", "a.gpkg"]), 2);
    assert_eq!(run(&["--labels", "a.gpkg", "--values", codes]), 2);
    assert_eq!(
        run(&[
            "--label-raster",
            &raster,
            "--values",
            codes,
            "--binary",
            "a"
        ]),
        2
    );
    assert_eq!(run(&["--label-raster", &raster]), 1);
    assert_eq!(run(&["--label-raster", &raster, "--values", "tree"]), 1);
    assert_eq!(run(&["--labels", &raster, "--class", "water"]), 1);
    let info = ["info", &raster, "--values"].map(str::to_owned);
    assert_eq!(swath::cli::run(&info), 0);
}
