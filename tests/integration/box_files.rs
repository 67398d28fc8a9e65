//! The cases f18 and f22 to f26 of `tests/fixtures/geo`, and others of their kinds.

use std::path::{Path, PathBuf};

use swath::Hint as _;
use swath::boxes::formats::ReadOptions;
use swath::detect::SceneBoxes;
use swath::labels::Classes;
use swath::raster::{RasterType, Size, WriterOptions};
use swath::scene::Scene;
use swath::vector::{LabelClass, VectorSource};

use super::support::{self, case};

/// `tree:(5,6,25,21) tree:(5,3,7,13)crowd`
fn told(scene: &Scene) -> String {
    let names = scene.classes().names();
    let one = |one: &swath::boxes::Annotation| {
        let bounds = one.bounds;
        format!(
            "{}:({},{},{},{}){}",
            names[one.class],
            bounds.x_min,
            bounds.y_min,
            bounds.x_max,
            bounds.y_max,
            if one.crowd { "crowd" } else { "" }
        )
    };
    scene.boxes().iter().map(one).collect::<Vec<_>>().join(" ")
}

fn boxed(image: &str, labels: &str, class: &str) -> swath::Result<Scene> {
    Scene::open(case(image))?.with_boxes(case(labels), class)
}

#[track_caller]
fn reports(scene: &Scene, parts: &[&str]) {
    let report = scene.report();
    for part in parts {
        assert!(report.mentions(part), "{part:?} is not in:\n{report}");
    }
}

/// Asserts that nothing is said about a label file.
#[track_caller]
fn silent(scene: &Scene) {
    let of_labels = |about: &str| {
        [".csv", ".json", ".xml", ".txt"]
            .iter()
            .any(|end| about.ends_with(end))
    };
    let report = scene.report();
    assert!(
        !report
            .iter()
            .any(|notice| notice.subject().is_some_and(of_labels)),
        "{report}"
    );
}

#[track_caller]
fn refused(result: swath::Result<Scene>, message: &str, hint: &str) {
    let error = match result {
        Ok(scene) => panic!("no error but {}", told(&scene)),
        Err(error) => error,
    };
    let text = error.to_string();
    assert!(text.contains(message), "{message:?} is not in: {text}");
    let next = error.hint().unwrap_or_default();
    assert!(next.contains(hint), "{hint:?} is not in: {next}");
}

/// An image of 64 x 64 without a place, and a folder for label files.
struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(case("f22-coco/a.png"), folder.path().join("a.png")).unwrap();
        Self { folder }
    }

    fn holding(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn scene(&self) -> Scene {
        Scene::open(self.folder.path().join("a.png")).unwrap()
    }

    fn boxed(&self, name: &str, text: &str, class: &str) -> swath::Result<Scene> {
        self.scene().with_boxes(self.holding(name, text), class)
    }
}

#[test]
fn f18_a_tile_that_was_looked_through_has_boxes_and_none() {
    // DeepForest and Raster Vision: an image without objects is an example of what is no object.
    let scene = boxed(
        "f18-nothing-there/image.tif",
        "f18-nothing-there/none.csv",
        "label",
    )
    .unwrap();
    assert!(scene.has_boxes() && scene.boxes().is_empty());
    assert_eq!(scene.classes().names(), ["background", "Tree"]);
    let scene = boxed(
        "f18-nothing-there/image.tif",
        "f18-nothing-there/none.geojson",
        "building",
    )
    .unwrap();
    assert!(scene.has_boxes() && scene.boxes().is_empty());
    assert_eq!(scene.classes().names(), ["background", "building"]);
    reports(&scene, &["holds no features"]);
    // The table in other spellings, and the other formats.
    let folder = Folder::new();
    let header = "image_path,xmin,ymin,xmax,ymax,label\n";
    for (name, text) in [
        ("a.csv", format!("{header}a.png,0,0,0,0,Tree\n")),
        ("a.csv", format!("{header}a.png,nan,nan,nan,nan,\n")),
        ("a.csv", header.to_owned()),
        ("a.json", r#"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[],"categories":[]}"#.to_owned()),
        ("a.xml", "<annotation><filename>a.png</filename><size><width>64</width><height>64</height></size></annotation>".to_owned()),
        ("a.txt", String::new()),
        ("a.json", r#"{"shapes":[],"imagePath":"a.png"}"#.to_owned()),
    ] {
        let scene = folder.boxed(name, &text, "tree").unwrap_or_else(|error| panic!("{name} {text}: {error}"));
        assert!(scene.has_boxes() && scene.boxes().is_empty(), "{text}");
        assert_eq!(scene.classes().names(), ["background", "tree"], "{text}");
    }
    // Boxes that are all broken are no empty image.
    let broken = format!("{header}a.png,5,5,5,9,Tree\n");
    refused(
        folder.boxed("a.csv", &broken, "tree"),
        "no box lies on the scene: 0 were read",
        "broken",
    );
}

#[test]
fn f18_features_of_a_whole_city_may_leave_a_tile_empty() {
    let folder = tempfile::tempdir().unwrap();
    let raster = support::raster(
        &folder.path().join("tile.tif"),
        Size::new(100, 80),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| col as f32,
    );
    // The tile is 50 by 40 m from (500000, 5000000) down; squares of 10 m around it.
    let square = |x: f64, y: f64| {
        format!(
            r#"{{"type":"Feature","properties":{{"kind":"shed"}},"geometry":{{"type":"Polygon","coordinates":[[[{x},{y}],[{},{y}],[{},{}],[{x},{y}]]]}}}}"#,
            x + 10.0,
            x + 10.0,
            y + 10.0
        )
    };
    let file = |features: &[String]| {
        let path = folder.path().join("city.geojson");
        let text = format!(
            r#"{{"type":"FeatureCollection","crs":{{"type":"name","properties":{{"name":"EPSG:32632"}}}},"features":[{}]}}"#,
            features.join(",")
        );
        std::fs::write(&path, text).unwrap();
        path
    };
    let around = [
        square(499_900.0, 4_999_900.0),
        square(500_200.0, 5_000_100.0),
    ];
    let scene = Scene::open(&raster)
        .unwrap()
        .with_boxes(file(&around), "kind")
        .unwrap();
    assert!(scene.has_boxes() && scene.boxes().is_empty());
    assert_eq!(scene.classes().names(), ["background", "shed"]);
    reports(
        &scene,
        &["none of 2 boxes lies on the scene", "within their extent"],
    );
    let far = file(&[square(600_000.0, 4_000_000.0)]);
    refused(
        Scene::open(&raster).unwrap().with_boxes(&far, "kind"),
        "no box lies on the scene",
        "allow_elsewhere",
    );
    let allowed = VectorSource::new(&far).allow_elsewhere();
    assert!(
        Scene::open(&raster)
            .unwrap()
            .with_boxes(allowed, "kind")
            .unwrap()
            .has_boxes()
    );
}

#[test]
fn f22_coco_boxes_come_from_polygons_and_run_lengths() {
    // pycocotools 2.0.11: mask.toBbox of the polygon and of the run lengths.
    let scene = boxed("f22-coco/a.png", "f22-coco/bbox_null.json", "category").unwrap();
    assert_eq!(told(&scene), "tree:(5,6,25,21) car:(30,40,50,48)");
    reports(
        &scene,
        &["1 box without `bbox` taken around their polygons"],
    );
    let scene = boxed("f22-coco/a.png", "f22-coco/rle_only.json", "category").unwrap();
    assert_eq!(told(&scene), "tree:(5,6,25,21) tree:(5,3,7,13)crowd");
    let scene = boxed("f22-coco-2/a.png", "f22-coco-2/seg_null.json", "category").unwrap();
    assert_eq!(told(&scene), "plane:(5,6,25,21) plane:(1,1,9,9)");
}

#[test]
fn f22_boxes_called_background_are_left_out_and_said() {
    let scene = boxed("f22-coco-2/a.png", "f22-coco-2/background.json", "category").unwrap();
    assert_eq!(told(&scene), "plane:(5,6,25,21)");
    reports(
        &scene,
        &[
            "1 of 2 boxes are of the class \"background\"",
            "class 0 of every model",
            "rename the class",
        ],
    );
    let folder = Folder::new();
    for name in ["Background", "__background__", " BACKGROUND "] {
        let table = format!("xmin,ymin,xmax,ymax,label\n5,6,25,21,plane\n1,1,9,9,{name}\n");
        let scene = folder.boxed("a.csv", &table, "label").unwrap();
        assert_eq!(told(&scene), "plane:(5,6,25,21)", "{name}");
        reports(&scene, &["were left out: the background"]);
    }
    let table = "xmin,ymin,xmax,ymax,label\n5,6,25,21,plane\n";
    refused(
        folder.boxed("a.csv", table, "background"),
        "cannot be of the class background",
        "of their own",
    );
    // Named by the caller, it is a class like any other.
    let path = folder.holding("a.csv", "xmin,ymin,xmax,ymax,label\n1,1,9,9,Background\n");
    let scene = folder
        .scene()
        .with_box_classes(path, "label", ["Background"])
        .unwrap();
    assert_eq!(scene.boxes()[0].class, 1);
}

#[test]
fn f22_one_broken_annotation_does_not_cost_the_others() {
    let folder = Folder::new();
    let text = r#"{"images":[{"id":7,"file_name":"a.png"}],"categories":[{"id":1,"name":"tree"}],"annotations":[
        {"id":1,"image_id":7,"category_id":1,"bbox":[5,6,20,15]},{"id":2,"image_id":8,"category_id":1,"bbox":[5,6,20,15]},
        {"id":3,"image_id":7,"category_id":9,"bbox":[5,6,20,15]},{"id":4,"image_id":7,"category_id":1,"bbox":[9,9,4,2,30,1]},
        {"id":5,"image_id":7,"category_id":1,"bbox":[1,1,0,4]}]}"#;
    let scene = folder.boxed("a.json", text, "category").unwrap();
    assert_eq!(told(&scene), "tree:(5,6,25,21)");
    reports(
        &scene,
        &[
            "of an image that the file does not list: 1 of 5",
            "annotation 3",
            "with a `bbox` of other than 4 numbers",
            "without width or height",
        ],
    );
    let counts: u64 = scene
        .report()
        .iter()
        .filter_map(swath::report::Notice::counted)
        .sum();
    assert_eq!(counts, 4);
}

#[test]
fn f23_a_class_that_the_file_names_means_its_boxes_alone() {
    let scene = boxed(
        "f23-one-class-of-several/a.png",
        "f23-one-class-of-several/b.json",
        "tree",
    )
    .unwrap();
    assert_eq!(told(&scene), "tree:(5,6,25,21)");
    reports(
        &scene,
        &[
            "1 of 2 boxes are not of the class \"tree\"",
            "\"car\" (1)",
            "keeps all classes",
        ],
    );
    let (image, labels) = (
        case("f23-one-class-of-several/a.png"),
        case("f23-one-class-of-several/b.json"),
    );
    let all = |class: LabelClass| {
        Scene::open(&image)
            .unwrap()
            .with_boxes(&labels, class)
            .unwrap()
    };
    assert_eq!(
        told(&all("category".into())),
        "tree:(5,6,25,21) car:(30,40,42,49)"
    );
    // Said beyond doubt.
    let one = all(LabelClass::one("tree"));
    assert!(
        one.boxes().len() == 2 && one.classes().len() == 2 && !one.report().mentions("count as")
    );
    assert_eq!(
        all(LabelClass::property("category")).classes().names(),
        ["background", "car", "tree"]
    );
    // None of the file's classes: all are of it, and that is said.
    let plant = all("plant".into());
    assert_eq!(plant.boxes().len(), 2);
    reports(
        &plant,
        &[
            "all 2 boxes count as \"plant\"",
            "\"car\" (1), \"tree\" (1)",
            "LabelClass::one",
        ],
    );
}

#[test]
fn f23_every_format_that_names_classes_follows_the_rule() {
    let folder = Folder::new();
    let object = |name: &str| {
        format!(
            "<object><name>{name}</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>21</ymax></bndbox></object>"
        )
    };
    let voc = format!(
        "<annotation>{}{}</annotation>",
        object("ship"),
        object("harbor")
    );
    let scene = folder.boxed("a.xml", &voc, "Ship").unwrap();
    assert_eq!(told(&scene), "Ship:(5,6,25,21)");
    reports(&scene, &["1 of 2 boxes", "\"harbor\" (1)"]);
    let table =
        "image_path,xmin,ymin,xmax,ymax,label\na.png,5,6,25,21,ship\na.png,1,1,9,9,harbor\n";
    assert_eq!(
        told(&folder.boxed("a.csv", table, "harbor").unwrap()),
        "harbor:(1,1,9,9)"
    );
    // A column is meant before a class.
    assert_eq!(
        folder
            .boxed("a.csv", table, "Label")
            .unwrap()
            .classes()
            .len(),
        3
    );
    folder.holding("data.yaml", "names: [ship, harbor]\n");
    let yolo = "0 0.5 0.5 0.25 0.25\n1 0.25 0.25 0.25 0.25\n";
    assert_eq!(
        told(&folder.boxed("a.txt", yolo, "harbor").unwrap()),
        "harbor:(8,8,24,24)"
    );
    // Only cars in this image, trees in the file: none is here.
    let coco = r#"{"images":[{"id":7,"file_name":"a.png"}],"categories":[{"id":1,"name":"tree"},{"id":2,"name":"car"}],
        "annotations":[{"id":1,"image_id":7,"category_id":2,"bbox":[5,6,20,15]}]}"#;
    let scene = folder.boxed("a.json", coco, "tree").unwrap();
    assert!(scene.boxes().is_empty() && scene.classes().names() == ["background", "tree"]);
    reports(&scene, &["1 of 1 boxes are not of the class \"tree\""]);
    // One class alone in other capitals is the one that is meant.
    let table = "xmin,ymin,xmax,ymax,label\n5,6,25,21,Tree\n";
    let scene = folder.boxed("a.csv", table, "tree").unwrap();
    silent(&scene);
    // Classes that are not named by the caller, left out where they say so.
    let path = folder.holding("a.json", coco);
    let named = |class: LabelClass| {
        folder
            .scene()
            .with_box_classes(&path, class, Classes::new(["tree"]))
    };
    refused(
        named("category".into()),
        "\"car\" (1), the classes are tree",
        "others_ignored",
    );
    let scene = named(LabelClass::property("category").others_as_background()).unwrap();
    assert!(scene.boxes().is_empty());
    reports(&scene, &["1 of 1 boxes of other classes were left out"]);
}

#[test]
fn f24_boxes_of_another_image_are_told() {
    let scene = boxed(
        "f24-other-image/plot1.png",
        "f24-other-image/plot9.csv",
        "label",
    )
    .unwrap();
    reports(
        &scene,
        &[
            "the boxes are of \"plot9.png\", the scene is \"plot1.png\"",
            "belong together",
        ],
    );
    let folder = Folder::new();
    let voc = |file: &str| {
        format!(
            "<annotation><filename>{file}</filename><object><name>t</name><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>21</ymax></bndbox></object></annotation>"
        )
    };
    for (file, fits) in [
        ("a.png", true),
        ("A.TIF", true),
        ("images/a.jpg", true),
        ("C:\\images\\a.png", true),
        ("", true),
        ("b.png", false),
        ("a2.png", false),
    ] {
        let scene = folder.boxed("labels.xml", &voc(file), "t").unwrap();
        assert_eq!(
            scene.report().mentions("the boxes are of"),
            !fits,
            "{file}: {}",
            scene.report()
        );
    }
    let coco = r#"{"images":[{"id":7,"file_name":"b.png"}],"categories":[{"id":1,"name":"t"}],
        "annotations":[{"id":1,"image_id":7,"category_id":1,"bbox":[5,6,20,15]}]}"#;
    reports(
        &folder.boxed("x.json", coco, "t").unwrap(),
        &["the boxes are of \"b.png\""],
    );
    let path = folder.holding("x.json", coco);
    let options = ReadOptions {
        image: Some("b.png".to_owned()),
        ..ReadOptions::default()
    };
    let scene = folder
        .scene()
        .with_boxes_read(&path, "t", &options)
        .unwrap();
    silent(&scene);
    let nameless = r#"{"images":[{"id":7},{"id":8}],"categories":[],"annotations":[]}"#;
    refused(
        folder.boxed("x.json", nameless, "t"),
        "its images have no names",
        "file_name",
    );
}

#[test]
fn f25_yolo_classes_have_their_names() {
    // yaml.safe_load of PyYAML: the eighth name is bridge.
    let scene = boxed("f25-yolo-names/t.png", "f25-yolo-names/t.txt", "class").unwrap();
    assert_eq!(scene.classes().names(), ["background", "bridge", "plane"]);
    let folder = Folder::new();
    let yolo = "0 0.5 0.5 0.25 0.25\n7 0.25 0.25 0.25 0.25\n";
    let scene = folder.boxed("a.txt", yolo, "class").unwrap();
    assert_eq!(scene.classes().names(), ["background", "0", "7"]);
    reports(&scene, &["nothing names the classes", "class_names"]);
    let scene = folder.boxed("a.txt", yolo, "tree").unwrap();
    reports(&scene, &["all 2 boxes count as \"tree\""]);
    let one = "0 0.5 0.5 0.25 0.25\n";
    silent(&folder.boxed("a.txt", one, "tree").unwrap());
    folder.holding("classes.txt", "ash\noak\n");
    let scene = folder.boxed("a.txt", yolo, "class").unwrap();
    assert_eq!(scene.classes().names(), ["background", "ash"]);
    reports(
        &scene,
        &[
            "of a class number without a name: 1 of 2",
            "line 2, number 7",
            "names 0 to 1",
        ],
    );
    refused(
        folder.boxed("b.txt", "7 0.25 0.25 0.25 0.25\n", "class"),
        "class number 7 has no name",
        "class_names",
    );
}

#[test]
fn f26_other_formats_are_read_or_named() {
    for (labels, expected) in [
        ("f26-formats/dota.txt", "small-vehicle:(8,20,30,40)"),
        ("f26-formats/crowns.csv", "Tree:(10,12,30,40)"),
    ] {
        let scene = boxed("f26-formats/a.png", labels, "label").unwrap();
        assert_eq!(told(&scene), expected, "{labels}");
    }
    for labels in ["f26-formats-2/labelme.json", "f26-formats-2/cvat.xml"] {
        let scene = boxed("f26-formats-2/a.png", labels, "label").unwrap();
        assert_eq!(told(&scene), "tree:(10,12,30,40)", "{labels}");
        silent(&scene);
    }
    let scene = boxed("f26-formats/a.png", "f26-formats/dota.txt", "label").unwrap();
    reports(
        &scene,
        &["1 rotated box keeps its corners in pictures and files"],
    );
    let folder = Folder::new();
    let results = r#"[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.5}]"#;
    refused(
        folder.boxed("a.json", results, "t"),
        "COCO results",
        "SceneBoxes::open",
    );
    refused(
        folder.boxed(
            "a.json",
            r#"{"_via_settings":{}, "_via_img_metadata":{}}"#,
            "t",
        ),
        "VIA",
        "COCO JSON",
    );
    let degrees =
        "latitude,longitude,geometry\n9.1,7.2,\"POLYGON((7.1 9.1, 7.2 9.1, 7.2 9.0, 7.1 9.1))\"\n";
    refused(
        folder.boxed("a.csv", degrees, "t"),
        "in degrees",
        "GeoPackage",
    );
    let shares = "xmin,ymin,xmax,ymax\n0.1,0.2,0.5,0.6\n0.3,0.3,0.4,0.9\n";
    refused(
        folder.boxed("a.csv", shares, "t"),
        "all 2 boxes",
        "multiplied by its width",
    );
    refused(
        folder.boxed("a.csv", "a,b\n1,2\n", "t"),
        "a column \"xmin\"",
        "image_path,xmin",
    );
}

#[test]
fn folders_patterns_pictures_and_layers_are_refused_with_the_way() {
    let folder = Folder::new();
    folder.holding("a.txt", "0 0.5 0.5 0.25 0.25\n");
    let with = |path: &Path| folder.scene().with_boxes(path, "tree");
    refused(
        with(folder.folder.path()),
        "a folder was found",
        "label file of the scene's image",
    );
    refused(
        with(&folder.folder.path().join("*.txt")),
        "a pattern for several",
        "its own label file",
    );
    refused(
        with(&folder.folder.path().join("a.png")),
        "a picture (PNG)",
        "with_label_raster",
    );
    refused(
        with(&case("f30-mask-as-vector/mask.tif")),
        "a picture (TIFF)",
        "with_label_raster",
    );
    let source = VectorSource::new(folder.folder.path().join("a.txt")).layer("trees");
    refused(
        folder.scene().with_boxes(source, "tree"),
        "layer was given",
        "the path alone",
    );
}

#[test]
fn saved_detections_are_no_labels_and_labels_are_no_detections() {
    let folder = Folder::new();
    let path = folder.holding("l.json", r#"{"shapes":[],"imagePath":"a.png"}"#);
    let error = SceneBoxes::open(path, &folder.scene()).unwrap_err();
    assert!(error.to_string().contains("a file of labels"), "{error}");
}

/// An empty class in a table is no class called like the argument: the row is left out, as in every other format.
#[test]
fn boxes_without_a_class_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let scene = Scene::open(case("f24-other-image/plot1.png")).unwrap();
    let table = folder.path().join("plot1.csv");
    std::fs::write(
        &table,
        "xmin,ymin,xmax,ymax,label\n10,20,31,32,tree\n1,2,10,20,\n",
    )
    .unwrap();
    for word in ["label", "class"] {
        let boxed = scene.clone().with_boxes(&table, word).unwrap();
        assert_eq!(boxed.classes().names(), ["background", "tree"], "{word}");
        assert!(boxed.report().mentions("without a class left out: 1 of 2"));
    }
    // Where no box has a name, the word is the class of all.
    std::fs::write(&table, "xmin,ymin,xmax,ymax\n10,20,31,32\n1,2,10,20\n").unwrap();
    let boxed = scene.clone().with_boxes(&table, "tree").unwrap();
    assert_eq!(boxed.boxes().len(), 2);
    // A column that is not there is an error, not every box.
    let error = scene
        .with_boxes(&table, swath::vector::LabelClass::property("nix"))
        .unwrap_err();
    assert!(
        error.to_string().contains("nix") && error.to_string().contains("xmin"),
        "{error}"
    );
}
