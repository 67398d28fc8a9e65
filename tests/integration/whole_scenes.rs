//! The whole scenes of the development data, of which `tests/fixtures/scenes` holds crops.

use swath::boxes::Annotation;
use swath::chips::Chips;
use swath::display::Show as _;
use swath::raster::{PixelWindow, Raster, Size};
use swath::scene::Scene;

use crate::support::shared_data;

const VEGAS: &str = "vegas/RGB-PanSharpen_AOI_2_Vegas_img205.tif";

#[test]
#[ignore = "needs SWATH_DATA"]
fn vegas_reads_as_the_facts_say() {
    let vegas = Raster::open(shared_data(VEGAS)).unwrap();
    assert_eq!((vegas.size(), vegas.band_count()), (Size::new(650, 650), 3));
    assert_eq!(
        (vegas.data_type().as_str(), vegas.crs_name().as_str()),
        ("UInt16", "EPSG:4326")
    );
    let patch = vegas.read(&PixelWindow::new(0, 0, 650, 650)).unwrap();
    let pixel = |row, col| [0, 1, 2].map(|band| patch.value(band, row, col));
    assert_eq!(pixel(0, 0), [Some(908.0), Some(1029.0), Some(681.0)]);
    assert_eq!(pixel(100, 100), [Some(1118.0), Some(1236.0), Some(809.0)]);
    assert_eq!(pixel(649, 649), [Some(224.0), Some(377.0), Some(324.0)]);
    let (width, height) = vegas.nominal_gsd();
    assert!(
        (0.24..0.25).contains(&width) && (0.29..0.31).contains(&height),
        "{width} {height}"
    );
}

#[test]
#[ignore = "needs SWATH_DATA"]
fn statistics_of_vegas_are_exact() {
    let found = Raster::open(shared_data(VEGAS))
        .unwrap()
        .statistics()
        .unwrap();
    let expected = [
        (522.6078, 336.5551, 18.0, 1499.0),
        (673.0641, 332.3511, 130.0, 1767.0),
        (491.7751, 193.9785, 156.0, 1204.0),
    ];
    for (band, (mean, std, min, max)) in found.iter().zip(expected) {
        assert!(
            (band.mean - mean).abs() < 5e-5 && (band.std - std).abs() < 5e-5,
            "{band:?}"
        );
        assert_eq!((band.min, band.max, band.count), (min, max, 650 * 650));
        assert!(
            band.min <= band.p2
                && band.p2 < band.mean
                && band.mean < band.p98
                && band.p98 <= band.max
        );
    }
}

/// The exact mask counts of the development data, from sub-pixel vertices by the pixel-center rule.
#[test]
#[ignore = "needs SWATH_DATA"]
fn whole_masks_are_exact_to_the_pixel() {
    for (imagery, labels, polygons, pixels) in [
        (
            VEGAS,
            "vegas/buildings_AOI_2_Vegas_img205.geojson",
            49,
            120_441,
        ),
        (
            "sn7/sn7_train_L15-0331E-1257N_1327_3160_13.tif",
            "sn7/sn7_train_Buildings.geojson",
            1940,
            32_097,
        ),
        (
            "sn7/sn7_val_L15-0357E-1223N_1429_3296_13.tif",
            "sn7/sn7_val_Buildings.geojson",
            4634,
            71_000,
        ),
    ] {
        let scene = Scene::open(shared_data(imagery))
            .unwrap()
            .with_labels(shared_data(labels), "building")
            .unwrap();
        assert_eq!(scene.label_polygons().len(), polygons, "{imagery}");
        let labels = scene.label_window(&scene.area()).unwrap();
        let found = labels.iter().filter(|&&label| label == 1).count();
        assert_eq!(found, pixels, "{imagery}");
    }
}

#[test]
#[ignore = "needs SWATH_DATA"]
fn trees_of_neon_are_574_to_train_on_and_279_to_score() {
    let files = [
        (
            "neon/2019_YELL_2_528000_4978000_image_crop2.jpg",
            (2299, 2472),
            574,
        ),
        (
            "neon/2019_YELL_2_541000_4977000_image_crop.png",
            (1249, 1035),
            279,
        ),
        ("neon/OSBS_029.tif", (400, 400), 61),
    ];
    for (image, size, count) in files {
        let image = shared_data(image);
        let scene = Scene::open(&image)
            .unwrap()
            .with_boxes(image.with_extension("xml"), "tree")
            .unwrap();
        assert_eq!((scene.size(), scene.boxes().len()), (size, count));
        assert_eq!(scene.classes().names(), ["background", "tree"]);
        assert!(
            scene
                .output()
                .text
                .contains(&format!("boxes        tree {count}")),
            "{}",
            scene.output().text
        );
        let chips = scene.chips(Chips::random(4, 256).neg_ratio(0.0)).unwrap();
        assert!((0..4).all(|index| !chips.get(index).unwrap().boxes.is_empty()));
    }
    let table = shared_data("neon/OSBS_029.csv");
    let image = table.with_extension("tif");
    let boxes_of = |extension: &str| {
        Scene::open(&image)
            .unwrap()
            .with_boxes(table.with_extension(extension), "label")
            .unwrap()
    };
    let (from_table, from_xml) = (boxes_of("csv"), boxes_of("xml"));
    assert_eq!(from_table.boxes().len(), from_xml.boxes().len());
    assert_eq!(from_table.classes().names(), ["background", "Tree"]);
    let dead = shared_data("neon/SOAP_061.png");
    let scene = Scene::open(&dead)
        .unwrap()
        .with_boxes(dead.with_extension("xml"), "name")
        .unwrap();
    let is_of = |class| move |one: &&Annotation| one.class == class;
    let of = |class| scene.boxes().iter().filter(is_of(class)).count();
    assert_eq!(
        (scene.classes().names(), of(1), of(2)),
        (vec!["background", "Alive", "Dead"], 9, 28)
    );
}
