use std::path::{Path, PathBuf};

use swath::Error;
use swath::boxes::formats::{ReadOptions, voc};
use swath::boxes::{Annotation, BoundingBox};
use swath::chips::Chips;
use swath::display::Show as _;
use swath::raster::{PixelWindow, RasterType, Size, WriterOptions};
use swath::scene::{Scene, Split};

use super::support;

/// Boxes of whole pixels, of different sizes, that do not touch each other.
fn objects() -> Vec<BoundingBox> {
    (0..9 * 7)
        .map(|at| {
            let (col, row) = (f64::from(at % 9), f64::from(at / 9));
            let (width, height) = (4.0 + f64::from(at % 5) * 3.0, 5.0 + f64::from(at % 3) * 4.0);
            BoundingBox::from_xywh(3.0 + col * 22.0, 2.0 + row * 28.0, width, height)
        })
        .collect()
}

/// A raster whose value is 100 inside the objects and 7 elsewhere, with a table of the objects beside it.
fn marked(folder: &Path) -> (PathBuf, PathBuf) {
    let objects = objects();
    let raster = support::raster(
        &folder.join("marked.tif"),
        Size::new(200, 200),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| {
            let inside = |one: &BoundingBox| one.contains(col as f64 + 0.5, row as f64 + 0.5);
            if objects.iter().any(inside) {
                100.0
            } else {
                7.0
            }
        },
    );
    let mut table = "image_path,xmin,ymin,xmax,ymax,label\n".to_owned();
    for (at, one) in objects.iter().enumerate() {
        let BoundingBox {
            x_min,
            y_min,
            x_max,
            y_max,
        } = one;
        let label = ["ash", "oak"][at % 2];
        table.push_str(&format!(
            "marked.tif,{x_min},{y_min},{x_max},{y_max},{label}\n"
        ));
    }
    let labels = folder.join("marked.csv");
    std::fs::write(&labels, table).unwrap();
    (raster, labels)
}

fn scene(folder: &Path) -> Scene {
    let (raster, labels) = marked(folder);
    Scene::open(raster)
        .unwrap()
        .with_boxes(labels, "label")
        .unwrap()
}

#[test]
fn boxes_of_chips_lie_exactly_on_their_objects_however_chips_are_turned() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let options = Chips::random(120, 48)
        .seed(5)
        .padded()
        .min_valid(0.0)
        .min_visible(0.0);
    let chips = scene.chips(options).unwrap();
    let mut cut = 0;
    for index in 0..chips.len() {
        let chip = chips.get(index).unwrap();
        let mut drawn = vec![0.0; 48 * 48];
        for one in &chip.boxes {
            let bounds = one.bounds;
            assert!(
                bounds.is_valid() && bounds == bounds.clip(48.0, 48.0),
                "{bounds:?}"
            );
            cut += usize::from(bounds.area().fract() != 0.0 || bounds.width() < 4.0);
            for row in bounds.y_min as usize..bounds.y_max as usize {
                for col in bounds.x_min as usize..bounds.x_max as usize {
                    drawn[row * 48 + col] = 100.0;
                }
            }
        }
        for ((value, &valid), drawn) in chip.patch.band(0).iter().zip(&chip.patch.valid).zip(drawn)
        {
            let expected = if drawn == 0.0 { 7.0 } else { drawn };
            assert!(
                valid == 0 && drawn == 0.0 || *value == expected,
                "chip {index}: {value}, {drawn}"
            );
        }
    }
    assert!(
        cut > 20,
        "only {cut} boxes were cut: the test would prove little"
    );
}

#[test]
fn a_cut_box_is_kept_by_the_share_of_it_that_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    // The first object is 4 wide from column 3: columns 5 and 6 are left.
    let window = PixelWindow::new(5, 0, 20, 20);
    let kept = |min_visible| {
        let boxes = scene.boxes_in(&window, min_visible);
        boxes.first().map(|one| one.bounds)
    };
    assert_eq!(kept(0.5), Some(BoundingBox::new(0.0, 2.0, 2.0, 7.0)));
    assert_eq!(kept(0.51), None);
    let (left, right) = scene.split(Split::at_column(5));
    // A part has the boxes whose middle lies in it: each is of one part.
    let of = |part: &Scene, inside: fn(f64) -> bool| {
        let boxes = part.boxes().iter();
        assert!(boxes.clone().all(|one| inside(one.bounds.center().0)));
        boxes.len()
    };
    assert_eq!(
        of(&left, |x| x < 5.0) + of(&right, |x| x >= 5.0),
        scene.boxes().len()
    );
    assert_eq!(left.boxes_in(&window, 0.0), Vec::<Annotation>::new());
    assert_eq!(
        right.boxes_in(&PixelWindow::new(0, 0, 9, 20), 0.5)[0].bounds,
        BoundingBox::new(5.0, 2.0, 7.0, 7.0)
    );
}

#[test]
fn negatives_show_no_object_and_the_other_chips_show_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (raster, labels) = marked(folder.path());
    // Objects in the left half alone: there is room for negatives.
    let table = std::fs::read_to_string(&labels).unwrap();
    let left: Vec<&str> = table
        .lines()
        .filter(|line| {
            line.split(',')
                .nth(1)
                .unwrap()
                .parse::<f64>()
                .is_ok_and(|x| x < 80.0)
                || line.starts_with("image")
        })
        .collect();
    std::fs::write(&labels, left.join("\n")).unwrap();
    let scene = Scene::open(raster)
        .unwrap()
        .with_boxes(labels, "tree")
        .unwrap();
    assert_eq!(scene.classes().names(), ["background", "tree"]);
    let options = |share| Chips::random(200, 40).seed(2).neg_ratio(share).flips(false);
    let negatives = |share| {
        let chips = scene.chips(options(share).neg_visible(0.0)).unwrap();
        let one = |index| {
            let window = chips.get(index).unwrap().window;
            let whole = scene.boxes_in(&window, 1.0).len();
            let touched = scene.boxes_in(&window, 0.0).len();
            assert!(whole > 0 || touched == 0, "neither: {window}");
            assert!(scene.area().contains(&window));
            touched == 0
        };
        (0..chips.len()).filter(|&index| one(index)).count()
    };
    assert_eq!((negatives(0.0), negatives(1.0)), (0, 200));
    assert!((35..65).contains(&negatives(0.25)), "{}", negatives(0.25));
    let error = scene.chips(options(1.5)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the share of negatives is 1.5, a share from 0 to 1 is expected"
    );
}

#[test]
fn an_area_without_boxes_gives_negatives_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    let gap = scene.crop(PixelWindow::new(0, 0, 200, 2)).unwrap();
    let chips = gap.chips(Chips::random(4, 2)).unwrap();
    assert!(chips.get(3).unwrap().boxes.is_empty());
    let report = chips.report();
    assert!(report.mentions("no box lies in the area"), "{report}");
    assert!(report.iter().all(|notice| notice.next_step().is_some()));
}

#[test]
fn classes_come_from_the_file_or_have_one_name_or_a_given_order() {
    let folder = tempfile::tempdir().unwrap();
    let (raster, labels) = marked(folder.path());
    let open = || Scene::open(&raster).unwrap();
    let counts = |scene: Scene| {
        let classes = scene
            .classes()
            .names()
            .into_iter()
            .skip(1)
            .map(str::to_owned)
            .collect::<Vec<_>>();
        let first = scene.boxes()[0].class;
        (classes, first)
    };
    let own = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        counts(open().with_boxes(&labels, "label").unwrap()),
        (own(&["ash", "oak"]), 1)
    );
    assert_eq!(
        counts(open().with_boxes(&labels, "class").unwrap()),
        (own(&["ash", "oak"]), 1)
    );
    assert_eq!(
        counts(open().with_boxes(&labels, "tree").unwrap()),
        (own(&["tree"]), 1)
    );
    let given = swath::labels::Classes::new(["oak", "ash", "elm"]);
    let scene = open().with_box_classes(&labels, "label", &given).unwrap();
    assert_eq!(counts(scene), (own(&["oak", "ash", "elm"]), 2));
    let error = open()
        .with_box_classes(&labels, "label", swath::labels::Classes::new(["ash"]))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the labels hold \"oak\" (31), the classes are ash"),
        "{error}"
    );
}

#[test]
fn polygons_have_boxes_in_the_pixels_of_the_scene() {
    let folder = tempfile::tempdir().unwrap();
    let raster = support::raster(
        &folder.path().join("grid.tif"),
        Size::new(100, 80),
        3,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| col as f32,
    );
    // The grid begins at (500000, 5000000) with half a meter; a triangle of 10 by 5 m.
    let polygons = folder.path().join("polygons.geojson");
    let text = r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:32632"}},"features":[
        {"type":"Feature","properties":{"kind":"shed"},"geometry":{"type":"Polygon","coordinates":
        [[[500010,4999990],[500020,4999990],[500010,4999985],[500010,4999990]]]}},
        {"type":"Feature","properties":{"kind":null},"geometry":{"type":"Polygon","coordinates":
        [[[500030,4999990],[500040,4999990],[500030,4999985],[500030,4999990]]]}}]}"#;
    std::fs::write(&polygons, text).unwrap();
    let expected = BoundingBox::new(20.0, 20.0, 40.0, 30.0);
    let near = |found: &[Annotation]| {
        let bounds = found[0].bounds;
        (bounds.x_min - expected.x_min).abs() < 1e-6 && (bounds.y_max - expected.y_max).abs() < 1e-6
    };
    let open = || Scene::open(&raster).unwrap();
    let boxed = open().with_boxes(&polygons, "kind").unwrap();
    assert!(near(boxed.boxes()) && boxed.boxes().len() == 1 && !boxed.has_labels());
    assert!(
        boxed
            .output()
            .text
            .contains("features without a class left out: 1")
    );
    let labeled = open().with_labels(&polygons, "shed").unwrap();
    assert!(near(labeled.boxes()) && labeled.boxes().len() == 2 && labeled.has_labels());
    assert!(!labeled.output().text.contains("\nboxes"));
}

#[test]
fn boxes_that_are_none_or_outside_are_counted_and_a_scene_without_any_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (raster, labels) = marked(folder.path());
    let open = || Scene::open(&raster).unwrap();
    std::fs::write(
        &labels,
        "xmin,ymin,xmax,ymax\n5,5,5,9\nnan,1,2,3\n9,9,3,12\n900,900,910,910\n-5,-5,10,5\n",
    )
    .unwrap();
    let scene = open().with_boxes(&labels, "tree").unwrap();
    assert_eq!(scene.boxes().len(), 1);
    assert_eq!(
        scene.boxes()[0].bounds,
        BoundingBox::new(0.0, 0.0, 10.0, 5.0)
    );
    let text = scene.output().text;
    for part in [
        "without width or height",
        "not finite",
        "wrong way round",
        "outside the scene: 1 of 2",
        "tree 1",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    std::fs::write(&labels, "xmin,ymin,xmax,ymax\n900,900,910,910\n").unwrap();
    let error = open().with_boxes(&labels, "tree").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 were read and the scene is 200 x 200"),
        "{error}"
    );
    let image = voc_of("other.png", Some((400, 400)));
    let path = folder.path().join("other.xml");
    voc::write(&path, &image, voc::Origin::Zero).unwrap();
    let error = open().with_boxes(&path, "tree").unwrap_err();
    assert!(
        error
            .to_string()
            .contains("an image of 400 x 400 px, the scene has 200 x 200 px"),
        "{error}"
    );
    let error = open()
        .with_boxes(folder.path().join("absent.xml"), "tree")
        .unwrap_err();
    assert!(matches!(error, Error::Boxes(_)) && error.to_string().contains("absent.xml"));
}

fn voc_of(file: &str, size: Option<(usize, usize)>) -> swath::boxes::formats::LabeledImage {
    swath::boxes::formats::LabeledImage {
        file: file.to_owned(),
        width: size.map(|size| size.0),
        height: size.map(|size| size.1),
        left_out: 0,
        boxes: vec![swath::boxes::formats::LabeledBox::new(
            BoundingBox::new(1.0, 2.0, 11.0, 12.0),
            "tree",
        )],
    }
}

#[test]
fn the_origin_of_pascal_voc_moves_the_near_edges_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (raster, _) = marked(folder.path());
    let path = folder.path().join("marked.xml");
    voc::write(&path, &voc_of("marked.tif", None), voc::Origin::Zero).unwrap();
    let options = ReadOptions {
        origin: voc::Origin::One,
        ..ReadOptions::default()
    };
    let scene = Scene::open(&raster)
        .unwrap()
        .with_boxes_read(&path, "tree", &options)
        .unwrap();
    assert_eq!(
        scene.boxes()[0].bounds,
        BoundingBox::new(0.0, 1.0, 11.0, 12.0)
    );
}

#[test]
fn trees_of_neon_are_as_many_as_the_files_tell() {
    for name in ["yell_train.jpg", "yell_test.png", "OSBS_029.tif"] {
        let facts = &support::facts()["boxes"][name];
        let image = support::crop(name);
        let scene = Scene::open(&image)
            .unwrap()
            .with_boxes(image.with_extension("xml"), "tree")
            .unwrap();
        let (width, height) = scene.size();
        assert_eq!(serde_json::json!([width, height]), facts["size"], "{name}");
        let count = facts["classes"]["Tree"].as_u64().unwrap() as usize;
        assert_eq!(scene.boxes().len(), count, "{name}");
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
    let image = support::crop("OSBS_029.tif");
    let boxes_of = |extension: &str| {
        Scene::open(&image)
            .unwrap()
            .with_boxes(image.with_extension(extension), "label")
            .unwrap()
    };
    let (from_table, from_xml) = (boxes_of("csv"), boxes_of("xml"));
    let bounds = |scene: &Scene| -> Vec<BoundingBox> {
        scene.boxes().iter().map(|one| one.bounds).collect()
    };
    assert_eq!(bounds(&from_table), bounds(&from_xml));
    assert_eq!(from_table.classes().names(), ["background", "Tree"]);
    let trees = support::crop("SOAP_061.png");
    let scene = Scene::open(&trees)
        .unwrap()
        .with_boxes(trees.with_extension("xml"), "name")
        .unwrap();
    let of = |class| {
        let boxes = scene.boxes().iter();
        boxes.filter(|one| one.class == class).count()
    };
    let classes = &support::facts()["boxes"]["SOAP_061.png"]["classes"];
    assert_eq!(scene.classes().names(), ["background", "Alive", "Dead"]);
    assert_eq!(
        serde_json::json!({ "Alive": of(1), "Dead": of(2) }),
        *classes
    );
}

#[test]
fn an_area_of_interest_keeps_the_boxes_that_lie_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let scene = scene(folder.path());
    // The grid begins at (500000, 5000000) with half a meter: the left 100 columns but the upper 60 rows.
    let aoi = folder.path().join("aoi.geojson");
    let text = r#"{"type":"FeatureCollection","crs":{"type":"name","properties":{"name":"EPSG:32632"}},"features":[
        {"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":
        [[[500000,4999970],[500050,4999970],[500050,4999900],[500000,4999900],[500000,4999970]]]}}]}"#;
    std::fs::write(&aoi, text).unwrap();
    let (inside, outside) = scene.split_by_aoi(&aoi).unwrap();
    let whole = scene.area();
    let kept = inside.boxes_in(&whole, 0.6);
    assert!(!kept.is_empty());
    for one in &kept {
        let (x, y) = one.bounds.center();
        assert!(x < 100.0 && y > 60.0, "{:?}", one.bounds);
    }
    // Each object lies at least to 60 % in one part, or else is cut too evenly for either.
    let others = outside.boxes_in(&whole, 0.6);
    let in_neither = scene.boxes().len() - kept.len() - others.len();
    assert!(in_neither < 8, "{in_neither} of {}", scene.boxes().len());
    let parts = inside.boxes().len() + outside.boxes().len();
    assert_eq!(parts, scene.boxes().len());
    assert!(!inside.boxes().is_empty() && !outside.boxes().is_empty());
}
