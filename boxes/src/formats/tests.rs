use std::path::{Path, PathBuf};

use super::*;
use crate::Detection;

/// A file that is gone when the test ends.
pub(super) struct Scratch(pub(super) PathBuf);

impl Scratch {
    pub(super) fn new(name: &str) -> Self {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("swath-boxes-{}-{number}", std::process::id()));
        std::fs::create_dir_all(folder.join("labels")).unwrap();
        Self(folder.join("labels").join(name))
    }

    pub(super) fn holding(name: &str, text: &str) -> Self {
        let scratch = Self::new(name);
        std::fs::write(&scratch.0, text).unwrap();
        scratch
    }

    fn beside(&self, name: &str, text: &str) {
        std::fs::write(self.0.with_file_name(name), text).unwrap();
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Some(folder) = self.0.parent().and_then(Path::parent) {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

/// What reading says of a file with this text.
#[track_caller]
fn error_of(name: &str, text: &str) -> String {
    let file = Scratch::holding(name, text);
    let options = ReadOptions {
        size: Some((200, 100)),
        ..ReadOptions::default()
    };
    let error = read(&file.0, &options).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains(name) || message.contains("labels"),
        "{message}"
    );
    message
}

#[track_caller]
pub(super) fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

fn image(file: &str) -> LabeledImage {
    LabeledImage {
        left_out: 0,
        file: file.to_owned(),
        width: Some(200),
        height: Some(100),
        boxes: vec![
            LabeledBox::new(BoundingBox::new(1.0, 2.0, 31.5, 42.25), "ash & <oak>"),
            LabeledBox::new(
                BoundingBox::new(0.0, 0.0, 200.0, 100.0),
                "with, comma \"and\" quotes",
            ),
        ],
    }
}

fn names(image: &LabeledImage) -> Vec<String> {
    image.boxes.iter().map(|one| one.class.clone()).collect()
}

#[test]
fn every_format_reads_what_it_wrote() {
    let image = image("tile 7.png");
    let classes = names(&image);
    let options = ReadOptions {
        size: Some((200, 100)),
        class_names: Some(classes.clone()),
        ..ReadOptions::default()
    };
    for (name, origin) in [("a.xml", voc::Origin::Zero), ("b.xml", voc::Origin::One)] {
        let file = Scratch::new(name);
        voc::write(&file.0, &image, origin).unwrap();
        let read = voc::read(&file.0, origin).unwrap();
        assert_eq!(read.images, std::slice::from_ref(&image));
        assert_eq!(read.classes, classes);
    }
    let file = Scratch::new("a.csv");
    csv::write(&file.0, std::slice::from_ref(&image)).unwrap();
    let read_back = read(&file.0, &options).unwrap();
    assert_eq!(read_back.images[0].boxes, image.boxes);
    let file = Scratch::new("a.json");
    let crowd = LabeledBox {
        crowd: true,
        area: Some(12.5),
        ..LabeledBox::new(BoundingBox::new(3.0, 3.0, 9.0, 8.0), classes[0].clone())
    };
    let mut of_coco = image.clone();
    of_coco.boxes.push(crowd);
    let empty = LabeledImage {
        boxes: Vec::new(),
        file: "empty.png".to_owned(),
        ..image.clone()
    };
    coco::write(&file.0, &[of_coco.clone(), empty.clone()], &classes).unwrap();
    let read_back = read(&file.0, &options).unwrap();
    assert_eq!(read_back.classes, classes);
    assert_eq!(read_back.images[1], empty);
    assert!(read_back.images[0].boxes[2].crowd && read_back.images[0].boxes[2].area == Some(12.5));
    let bounds =
        |image: &LabeledImage| image.boxes.iter().map(|one| one.bounds).collect::<Vec<_>>();
    assert_eq!(bounds(&read_back.images[0]), bounds(&of_coco));
    let file = Scratch::new("a.txt");
    yolo::write(&file.0, &image, &classes).unwrap();
    let read_back = read(&file.0, &options).unwrap();
    assert_eq!(names(&read_back.images[0]), classes);
    for (ours, theirs) in bounds(&read_back.images[0]).iter().zip(bounds(&image)) {
        assert!(
            (ours.x_max - theirs.x_max).abs() < 1e-9 && (ours.y_min - theirs.y_min).abs() < 1e-9
        );
    }
}

#[test]
fn a_file_of_no_known_kind_or_that_is_not_there_is_named() {
    assert_says(
        &error_of("a.dbf", ""),
        &[".xml (Pascal VOC, CVAT)", "\"dbf\""],
    );
    let error = read(Path::new("nowhere/a.xml"), &ReadOptions::default()).unwrap_err();
    assert_says(&error.to_string(), &["cannot read", "nowhere/a.xml"]);
    let error = read(Path::new("a.dbf"), &ReadOptions::default()).unwrap_err();
    assert!(error.hint().is_some());
}

#[test]
fn broken_pascal_voc_says_the_line_and_what_is_missing() {
    let object = |inside: &str| {
        format!("<annotation>\n<object>\n<name>tree</name>\n{inside}\n</object>\n</annotation>")
    };
    let edges = |edges: &str| object(&format!("<bndbox>\n{edges}\n</bndbox>"));
    assert_says(
        &error_of("a.xml", "<annotation><object>"),
        &["line 1", "the end of the file inside <object>"],
    );
    assert_says(
        &error_of("a.xml", "<html></html>"),
        &["<annotation> of Pascal VOC", "<html>"],
    );
    assert_says(&error_of("a.xml", &object("")), &["line 2", "<bndbox>"]);
    assert_says(
        &error_of("a.xml", &edges("<xmin>1</xmin>")),
        &["line 4", "<ymin>"],
    );
    let text = "<xmin>1</xmin>\n<ymin>x1</ymin><xmax>3</xmax><ymax>4</ymax>";
    assert_says(
        &error_of("a.xml", &edges(text)),
        &["line 6", "a number", "\"x1\""],
    );
    let unnamed =
        edges("<xmin>1</xmin><ymin>1</ymin><xmax>3</xmax><ymax>4</ymax>").replace("tree", "");
    assert_says(&error_of("a.xml", &unnamed), &["line 2", "<name>"]);
}

#[test]
fn pascal_voc_counts_from_0_or_from_1_and_a_0_betrays_the_wrong_one() {
    let text = "<annotation><size><width>0</width></size><object><name>t</name><bndbox><xmin>0</xmin><ymin>1</ymin>\
                <xmax>5</xmax><ymax>6</ymax></bndbox></object></annotation>";
    let file = Scratch::holding("a.xml", text);
    let zero = voc::read(&file.0, voc::Origin::Zero).unwrap();
    assert_eq!(
        zero.images[0].boxes[0].bounds,
        BoundingBox::new(0.0, 1.0, 5.0, 6.0)
    );
    assert_eq!(zero.images[0].width, None);
    let error = voc::read(&file.0, voc::Origin::One).unwrap_err();
    assert_says(
        &error.to_string(),
        &["0 was found where pixels are counted from 1"],
    );
    assert_says(&error.hint().unwrap(), &["Origin::Zero"]);
    std::fs::write(&file.0, text.replace(">0</xmin>", ">1</xmin>")).unwrap();
    let one = voc::read(&file.0, voc::Origin::One).unwrap();
    assert_eq!(
        one.images[0].boxes[0].bounds,
        BoundingBox::new(0.0, 0.0, 5.0, 6.0)
    );
}

#[test]
fn boxes_that_are_none_are_left_out_and_counted_in_every_format() {
    let rows = [
        ("3", "1", "3", "9"),
        ("nan", "1", "3", "9"),
        ("5", "1", "3", "9"),
        ("1", "1", "3", "inf"),
        ("1", "1", "3", "9"),
    ];
    let objects: String = rows
        .iter()
        .map(|(a, b, c, d)| {
            format!("<object><name>t</name><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax><ymax>{d}</ymax></bndbox></object>")
        })
        .collect();
    let voc = Scratch::holding("a.xml", &format!("<annotation>{objects}</annotation>"));
    let table: String = rows
        .iter()
        .map(|(a, b, c, d)| format!("{a},{b},{c},{d},t\n"))
        .collect();
    let table = Scratch::holding("a.csv", &format!("xmin,ymin,xmax,ymax,label\n{table}"));
    let yolo = Scratch::holding(
        "a.txt",
        "0 .5 .5 0 .1\n0 nan .5 .1 .1\n0 .5 .5 -.1 .1\n0 .5 .5 .1 inf\n0 .5 .5 .1 .1\n",
    );
    let coco = r#"{"images":[{"id":1}],"categories":[{"id":1,"name":"t"}],"annotations":[
        {"id":1,"image_id":1,"category_id":1,"bbox":[3,1,0,8]},{"id":2,"image_id":1,"category_id":1,"bbox":[null,1,2,8]},
        {"id":3,"image_id":1,"category_id":1,"bbox":[5,1,-2,8]},{"id":4,"image_id":1,"category_id":1,"bbox":[1,1,2,null]},
        {"id":5,"image_id":1,"category_id":1,"bbox":[1,1,2,8]}]}"#;
    let coco = Scratch::holding("a.json", coco);
    let options = ReadOptions {
        size: Some((20, 20)),
        ..ReadOptions::default()
    };
    for file in [&voc, &table, &yolo, &coco] {
        let read = read(&file.0, &options).unwrap();
        assert_eq!(read.images[0].boxes.len(), 1, "{:?}", file.0);
        let notice = read.notice().unwrap();
        assert_says(
            &notice,
            &[
                "2 with coordinates that are not finite",
                "1 without width or height",
                "1 with edges the wrong way round",
            ],
        );
    }
}

#[test]
fn coco_files_with_broken_references_say_which() {
    let file = |annotations: &str| {
        format!(
            r#"{{"images":[{{"id":7,"file_name":"a.png"}}],"categories":[{{"id":3,"name":"t"}}],"annotations":[{annotations}]}}"#
        )
    };
    let of = |annotations: &str| error_of("a.json", &file(annotations));
    assert_says(
        &of(r#"{"id":5,"image_id":8,"category_id":3,"bbox":[1,1,2,2]}"#),
        &["annotation 5 is of image 8", "none of its 1 images"],
    );
    assert_says(
        &of(r#"{"id":5,"image_id":7,"category_id":4,"bbox":[1,1,2,2]}"#),
        &["annotation 5 is of category 4", "none of its 1: 3"],
    );
    assert_says(
        &of(r#"{"id":5,"image_id":7,"category_id":3,"bbox":[1,1,2]}"#),
        &["annotation 5 has 3 numbers"],
    );
    assert_says(
        &of(r#"{"id":5,"image_id":7,"category_id":3}"#),
        &["annotation 5 has neither"],
    );
    let twice = file("").replace(
        r#"[{"id":7,"file_name":"a.png"}]"#,
        r#"[{"id":7},{"id":7}]"#,
    );
    assert_says(&error_of("a.json", &twice), &["two images have the id 7"]);
    let twice = file("").replace(
        r#"{"id":3,"name":"t"}"#,
        r#"{"id":3,"name":"t"},{"id":3,"name":"u"}"#,
    );
    assert_says(
        &error_of("a.json", &twice),
        &["two categories have the id 3"],
    );
    assert_says(
        &error_of("a.json", r#"{"images":[]}"#),
        &["is not a COCO file", "annotations"],
    );
    assert_says(&error_of("a.json", "{"), &["is not a COCO file", "line 1"]);
    assert!(
        FormatError::BrokenReference {
            path: PathBuf::new(),
            what: String::new()
        }
        .hint()
        .is_some()
    );
}

#[test]
fn coco_boxes_come_from_polygons_where_there_is_no_box_and_crowds_are_marked() {
    let text = r#"{"info":{},"images":[{"id":"x","file_name":"images/a.png","width":100,"height":50}],
        "categories":[{"id":9,"name":"late"},{"id":2,"name":"early"}],"annotations":[
        {"image_id":"x","category_id":9,"segmentation":[[10,10,30,10,20,40],[5,12,8,12,8,14]]},
        {"image_id":"x","category_id":2,"bbox":[1,2,3,4],"iscrowd":1,"segmentation":{"counts":"abc","size":[50,100]},"area":7}]}"#;
    let file = Scratch::holding("a.json", text);
    let read = read(&file.0, &ReadOptions::default()).unwrap();
    assert_eq!(read.classes, ["early", "late"]);
    let boxes = &read.image(&file.0, "/elsewhere/a.png").unwrap().boxes;
    assert_eq!(boxes[0].bounds, BoundingBox::new(5.0, 10.0, 30.0, 40.0));
    assert!(boxes[1].crowd && boxes[1].area == Some(7.0) && !boxes[0].crowd);
}

#[test]
fn the_image_of_a_scene_is_found_by_its_name_and_never_guessed() {
    let of = |files: &[&str]| BoxFile {
        images: files.iter().map(|file| image(file)).collect(),
        ..BoxFile::default()
    };
    let path = Path::new("labels.json");
    let found = |files: &[&str], wanted: &str| {
        of(files)
            .image(path, wanted)
            .map(|image| image.file.clone())
    };
    assert_eq!(found(&["other.jpg"], "a.png").unwrap(), "other.jpg");
    assert_eq!(found(&["x/a.png", "x/b.png"], "b.png").unwrap(), "x/b.png");
    assert_eq!(found(&["x\\a.png", "b.png"], "a.tif").unwrap(), "x\\a.png");
    let error = found(&["a.png", "b.png"], "c.png").unwrap_err();
    assert_says(
        &error.to_string(),
        &["2 images", "\"c.png\"", "a.png, b.png"],
    );
    let error = found(&["x/a.png", "y/a.png"], "a.png").unwrap_err();
    assert_says(&error.to_string(), &["several images called \"a.png\""]);
}

#[test]
fn yolo_lines_that_are_no_boxes_say_the_line() {
    assert_says(
        &error_of("a.txt", "tree .5 .5 .1 .1\ncar .5 .5 .1 .1\n"),
        &["line 1", "the class's number", "\"tree\""],
    );
    assert_says(
        &error_of("a.txt", "\n0 .5 .5 .1\n"),
        &["line 2", "3 numbers"],
    );
    assert_says(&error_of("a.txt", "0 .5 x .1 .1\n"), &["line 1", "\"x\""]);
    assert_says(
        &error_of("a.txt", "0 120 80 30 20\n"),
        &["line 1", "shares of the image"],
    );
    let file = Scratch::holding("b.txt", "0 .5 .5 .1 .1\n");
    assert_says(
        &read(&file.0, &ReadOptions::default())
            .unwrap_err()
            .to_string(),
        &["the size of the image is needed"],
    );
}

#[test]
fn yolo_classes_are_named_by_a_file_beside_or_above_or_by_their_numbers() {
    let options = ReadOptions {
        size: Some((200, 100)),
        ..ReadOptions::default()
    };
    let file = Scratch::holding(
        "a.txt",
        "1 0.5 0.5 0.1 0.2 0.9\n0 0.1 0.1 0.3 0.1 0.2 0.4 0.8\n",
    );
    let first = || read(&file.0, &options).map(|read| read.images[0].boxes.clone());
    let boxes = first().unwrap();
    assert_eq!(
        (boxes[0].class.as_str(), boxes[1].class.as_str()),
        ("1", "0")
    );
    assert!(
        (boxes[0].bounds.x_min - 90.0).abs() < 1e-9
            && (boxes[0].bounds.height() - 20.0).abs() < 1e-9
    );
    // An outline: the box around three points.
    assert_eq!(boxes[1].bounds, BoundingBox::new(20.0, 10.0, 60.0, 40.0));
    for (name, text) in [
        ("classes.txt", "ash\noak\n\n"),
        (
            "../data.yaml",
            "path: x\nnames:\n  1: oak\n  0: ash\nnc: 2\n",
        ),
        ("../data.yaml", "names: ['ash', \"oak\"] # two\n"),
        ("../data.yaml", "names:\n- ash\n- oak\n"),
    ] {
        file.beside(name, text);
        assert_eq!(first().unwrap()[0].class, "oak", "{name}: {text}");
        std::fs::remove_file(file.0.with_file_name(name)).unwrap();
    }
    file.beside("classes.txt", "ash\n");
    let named = read(&file.0, &options).unwrap();
    assert_eq!(
        (names(&named.images[0]), named.images[0].left_out),
        (vec!["ash".to_owned()], 1)
    );
    assert_says(
        &named.first_left_out["of a class number without a name"],
        &["line 1, number 1", "classes.txt", "names 0 alone"],
    );
    std::fs::write(&file.0, "1 0.5 0.5 0.1 0.2\n").unwrap();
    assert_says(
        &first().unwrap_err().to_string(),
        &["class number 1 has no name", "names 0 alone"],
    );
}

#[test]
fn tables_know_other_names_separators_quotes_and_empty_images() {
    let text = "\u{feff}Image_Path;X1;Y1;X2;Y2;Kind;Label\r\n\"a;b.png\";1;2;3;4;k;\"two\nlines\"\r\n\r\nempty.png;;;;;;\r\n";
    let file = Scratch::holding("a.csv", text);
    let read_file = read(&file.0, &ReadOptions::default()).unwrap();
    assert_eq!(read_file.images.len(), 2);
    assert_eq!(read_file.images[0].file, "a;b.png");
    assert_eq!(read_file.images[0].boxes[0].class, "two\nlines");
    assert!(read_file.images[1].boxes.is_empty());
    let options = ReadOptions {
        class_column: Some("kind".to_owned()),
        ..ReadOptions::default()
    };
    assert_eq!(read(&file.0, &options).unwrap().classes, ["k"]);
    assert_eq!(csv::column_names(&file.0).unwrap()[6], "Label");
    let open = Scratch::holding("open.csv", "xmin,\"ymin,xmax\n1,2,3\n");
    let error = csv::column_names(&open.0).unwrap_err().to_string();
    assert!(error.contains("quotation mark"), "{error}");
}

/// A score in a table of labels, and a column that is there twice, are used by nobody: that is told.
#[test]
fn columns_of_tables_that_are_passed_over_are_told() {
    let of = |text: &str| {
        let file = Scratch::holding("a.csv", text);
        let remarks = read(&file.0, &ReadOptions::default()).unwrap().remarks;
        let texts = remarks.into_iter().map(|remark| remark.text);
        texts.collect::<Vec<_>>()
    };
    let scored =
        of("image,xmin,ymin,xmax,ymax,label,Score\na.png,1,2,3,4,car,.4\na.png,5,6,8,9,car,.9\n");
    assert_says(&scored[0], &["\"score\" of 2 boxes was passed over"]);
    let doubled = of("image,xmin,ymin,xmax,ymax,label,label\na.png,1,2,3,4,car,tree\n");
    assert_says(&doubled[0], &["several columns called \"label\"", "first"]);
    let uneven = Scratch::holding("u.csv", "a,b\n1,2\n1\n\"x\n\",2,\n1,2,3\n");
    assert_eq!(csv::uneven_rows(&uneven.0).unwrap(), [3, 6]);
    // What nobody asks for may be there as often as it likes.
    assert!(of("xmin,ymin,xmax,ymax,note,note\n1,2,3,4,a,b\n").is_empty());
}

/// Ultralytics' `data.yaml`, labelImg's `classes.txt`: names of one data set are the same for all its label files.
#[test]
fn names_of_a_set_of_yolo_are_those_of_all_its_files() {
    let scratch = Scratch::new("a.txt");
    let root = scratch.0.parent().and_then(Path::parent).unwrap();
    let write = |name: &str, text: &str| {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    };
    let labels = [
        write("labels/train/a.txt", "1 .5 .5 .1 .1\n"),
        write("labels/val/b.txt", "0 .5 .5 .1 .1\nno line\n"),
    ];
    let yaml = write("data.yaml", "names: [car, tree]\n");
    let names = || yolo::class_names_of(&labels);
    assert_eq!(names().unwrap(), ["car", "tree"]);
    // Numbers that do not occur may be called anything.
    let text = write("labels/classes.txt", "car\ntree\nbush\n");
    assert_eq!(names().unwrap(), ["car", "tree", "bush"]);
    write("labels/classes.txt", "auto\nbaum\n");
    let error = names().unwrap_err().to_string();
    assert_says(&error, &["\"baum\" in ", "\"tree\" in ", "a.txt"]);
    // The nearest file of one folder, and that of the other.
    std::fs::remove_file(text).unwrap();
    std::fs::remove_file(yaml).unwrap();
    write("labels/val/classes.txt", "baum\nauto\n");
    assert_eq!(names().unwrap(), ["baum", "auto"]);
    write("labels/train/classes.txt", "tree\ncar\n");
    let error = names().unwrap_err().to_string();
    assert_says(&error, &["class number 0", "\"tree\" in ", "\"baum\" in "]);
    std::fs::remove_file(root.join("labels/val/classes.txt")).unwrap();
    std::fs::remove_file(root.join("labels/train/classes.txt")).unwrap();
    assert!(names().unwrap().is_empty());
    // A gap is no class.
    write("data.yaml", "names: {0: car, 2: tree}\n");
    assert_eq!(names().unwrap(), ["car", "", "tree"]);
    let options = ReadOptions {
        size: Some((10, 10)),
        class_names: Some(names().unwrap()),
        ..ReadOptions::default()
    };
    assert!(matches!(
        read(&labels[0], &options),
        Err(FormatError::ClassNumber { number: 1, .. })
    ));
}

#[test]
fn broken_tables_say_the_line_and_the_column() {
    assert_says(&error_of("a.csv", ""), &["an empty file"]);
    assert_says(
        &error_of("a.csv", "xmin,ymin,xmax\n"),
        &["a column \"ymax\"", "xmin, ymin, xmax"],
    );
    assert_says(
        &error_of("a.csv", "xmin,ymin,xmax,ymax\n1,2,3\n"),
        &["line 2", "4 values is expected, 3"],
    );
    assert_says(
        &error_of("a.csv", "xmin,ymin,xmax,ymax\n1,2,three,4\n"),
        &["line 2", "\"xmax\"", "\"three\""],
    );
}

#[test]
fn what_was_found_is_written_as_pycocotools_reads_it() {
    let file = Scratch::new("results.json");
    let found = [Detection::new(BoundingBox::new(1.0, 2.0, 4.0, 8.0), 3, 0.5)];
    coco::write_results(&file.0, [(9, &found[..])]).unwrap();
    let text = std::fs::read_to_string(&file.0).unwrap();
    let expected = r#"[{"image_id":9,"category_id":3,"bbox":[1.0,2.0,3.0,6.0],"score":0.5}]"#;
    assert_eq!(text, expected);
    let error = coco::write(&file.0, &[image("a.png")], &["elm".to_owned()]).unwrap_err();
    assert_says(&error.to_string(), &["\"ash & <oak>\"", "elm"]);
    assert_eq!(
        std::fs::read_to_string(&file.0).unwrap(),
        expected,
        "the old file is whole"
    );
    let error = coco::write(Path::new("/nowhere/at/all.json"), &[], &[]).unwrap_err();
    assert_says(
        &error.to_string(),
        &["cannot write", "/nowhere/at/all.json"],
    );
}

#[test]
fn a_million_boxes_are_read_in_seconds() {
    let mut text = "xmin,ymin,xmax,ymax,label\n".to_owned();
    for at in 0..1_000_000 {
        let (x, y) = (at % 1000 * 7, at / 1000 * 7);
        text.push_str(&format!("{x},{y},{},{},t\n", x + 5, y + 6));
    }
    let file = Scratch::holding("a.csv", &text);
    let start = std::time::Instant::now();
    let boxes = &read(&file.0, &ReadOptions::default()).unwrap().images[0].boxes;
    let index = crate::BoxIndex::new(boxes.iter().map(|one| one.bounds).collect());
    let found = index.touching(&BoundingBox::new(700.0, 700.0, 956.0, 956.0));
    println!("a million boxes read and indexed: {:?}", start.elapsed());
    assert_eq!((boxes.len(), found.len()), (1_000_000, 37 * 37));
    assert!(start.elapsed().as_secs() < 60);
}
