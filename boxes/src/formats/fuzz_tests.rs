//! Random label files of every format: an error with words or sound boxes, never a panic; what was written is read the same.
//! See [`crate::fuzz_harness`].

use std::path::PathBuf;

use super::*;
use crate::fuzz_harness::{Random, Target, random_of};

const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\u0000",
    "null",
    "true",
    "-1",
    "1e308",
    "1e999",
    "0.5",
    "18446744073709551616",
    "\"images\":",
    "\"annotations\":",
    "\"categories\":",
    "\"id\":",
    "\"image_id\":",
    "\"category_id\":",
    "\"bbox\":",
    "\"segmentation\":",
    "\"counts\":",
    "\"size\":",
    "\"iscrowd\":",
    "\"file_name\":",
    "\"width\":",
    "\"height\":",
    "\"area\":",
    "\"shapes\":",
    "\"points\":",
    "\"label\":",
    "\"shape_type\":",
    "\"circle\"",
    "\"imagePath\":",
    "[5,6,20,15]",
    "[[1,2],[3,4]]",
    "{\"size\":[64,64],\"counts\":[323,10,54,10,3699]}",
    "{\"size\":[4294967295,4294967295],\"counts\":\"",
    "\"rotation\":",
    "\"name\":\"tree\"",
];
const XML: &[&str] = &[
    "<",
    ">",
    "/",
    "=",
    "\"",
    "'",
    "&",
    "&amp;",
    "&#x10ffff;",
    "&#0;",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?xml?>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "<annotation>",
    "</annotation>",
    "<object>",
    "</object>",
    "<name>",
    "</name>",
    "<bndbox>",
    "</bndbox>",
    "<xmin>",
    "</xmin>",
    "<robndbox>",
    "<cx>",
    "<angle>",
    "<size>",
    "<width>",
    "<filename>",
    "<annotations>",
    "<image name=\"a\" width=\"9\" height=\"9\">",
    "</image>",
    "<box ",
    "<polygon ",
    "<track ",
    "points=\"1,2;3,4;5,6\"",
    "xtl=\"1\"",
    "rotation=\"1e9\"",
    "label=\"x\"",
    "1e308",
    "-0.0",
    "NaN",
];
const LINES: &[&str] = &[
    "0 ",
    "1 ",
    "0.5 ",
    "1.5 ",
    "-1 ",
    "1e308 ",
    "nan ",
    "inf ",
    "\t",
    "\n",
    "\r\n",
    ",",
    ";",
    "\"",
    "\"\"",
    "0 0.5 0.5 0.2 0.4\n",
    "10.0 20.0 30.0 25.0 28.0 40.0 8.0 35.0 ship 0\n",
    "imagesource:x\n",
    "gsd:",
    "xmin",
    "ymin",
    "xmax",
    "ymax",
    "label",
    "class",
    "image_path",
    "geometry",
    "difficult ",
    "width",
    "height",
    "filename",
    "POLYGON ((",
    "BOX(",
    "MULTIPOLYGON (((",
    ")) ",
    "30 12, 30 40, 10 40, 30 12",
    " EMPTY",
    "a.png,5,6,25,21,tree\n",
    "18446744073709551616 ",
    "é",
    "na",
];

/// A place for the files of one target, in memory where the system has one.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let memory = Path::new("/dev/shm");
        let parent = if memory.is_dir() {
            memory.to_owned()
        } else {
            std::env::temp_dir()
        };
        let folder = parent.join(format!("swath-fuzz-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What holds of every file that was understood.
fn assert_sound(file: &BoxFile) {
    let all = file.images.iter().flat_map(|image| &image.boxes);
    for one in all {
        assert!(one.bounds.is_valid(), "{one:?}");
        assert!(one.area.is_none_or(f64::is_finite), "{one:?}");
        assert!(
            one.outline.is_none_or(|outline| outline.is_finite()),
            "{one:?}"
        );
    }
    let _ = (
        file.notice(),
        file.image(Path::new("x"), "a.png")
            .map(|image| image.boxes.len()),
    );
    for remark in &file.remarks {
        assert!(!format!("{remark:?}").is_empty());
    }
    for (why, count) in &file.left_out {
        assert!(!why.is_empty() && *count > 0);
    }
}

fn assert_says(error: &FormatError, length: usize) {
    let text = error.to_string();
    assert!(!text.trim().is_empty());
    // A message is for a person, however long the file.
    assert!(
        text.len() < 4000 + length / 4,
        "{} bytes: {text}",
        text.len()
    );
    assert!(error.hint().is_none_or(|hint| !hint.trim().is_empty()));
}

fn fuzz(name: &str, file: &str, format: Format, seeds: &[&str], words: &[&str]) {
    let place = Place::new(name);
    let path = place.file(file);
    Target {
        name,
        seeds,
        words,
        depth: 300,
    }
    .run(|input| {
        std::fs::write(&path, input).unwrap();
        let mut random = random_of(input);
        let options = ReadOptions {
            origin: [super::voc::Origin::One, super::voc::Origin::Zero][random.below(2)],
            size: [None, Some((64, 64)), Some((1, usize::MAX)), Some((0, 0))][random.below(4)],
            class_names: [None, Some(vec!["tree".to_owned(), "car".to_owned()])][random.below(2)]
                .clone(),
            class_column: [None, Some("label".to_owned()), Some(String::new())][random.below(3)]
                .clone(),
            image: None,
        };
        match read_as(&path, format, &options) {
            Ok(file) => assert_sound(&file),
            Err(error) => assert_says(&error, input.len()),
        }
        if let Err(error) = format_of(&path) {
            assert_says(&error, input.len());
        }
        if format == Format::Table
            && let Err(error) = super::csv::column_names(&path)
        {
            assert_says(&error, input.len());
        }
        if format == Format::Coco {
            let results = super::coco::read_results(&path).map(|read| read.images.len());
            results.map_or_else(|error| assert_says(&error, input.len()), |_| ());
        }
    });
}

#[test]
fn files_of_coco() {
    let seeds = [
        r#"{"images":[{"id":1,"file_name":"a.png","width":64,"height":64}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[5,6,20,15],"iscrowd":0},{"id":2,"image_id":1,"category_id":1,"bbox":null,"segmentation":[[30,40,50,40,50,48]]},{"id":3,"image_id":1,"category_id":1,"segmentation":{"size":[64,64],"counts":[323,10,54,10,3699]},"iscrowd":1}],"categories":[{"id":1,"name":"tree"}]}"#,
        r#"{"images":[{"id":"a","file_name":"b/a.png"}],"annotations":[{"image_id":"a","category_id":7,"bbox":[0.5,1,2,3,0.3],"area":6}],"categories":[{"id":7,"name":"x"}]}"#,
        r#"{"images":[{"id":1}],"annotations":[{"image_id":1,"category_id":7,"bbox":[9,8,4,2],"segmentation":[[3,1,5,3,3,5,1,3]],"attributes":{"rotated":true}},{"image_id":1,"category_id":7,"bbox":[9,8,4,2],"attributes":{"rotation":30.0}},{"image_id":1,"category_id":7,"bbox":[3,1,5,3,3,5,1,3]}],"categories":[{"id":7,"name":"x"}]}"#,
        r#"[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.9}]"#,
        r#"{"images":[{"id":1,"file_name":"a.png","width":9,"height":9}],"annotations":[{"image_id":1,"category_id":0,"segmentation":{"size":[9,9],"counts":"T1P2"}}],"categories":[]}"#,
    ];
    fuzz("coco", "a.json", Format::Coco, &seeds, JSON);
}

#[test]
fn files_of_labelme() {
    let seeds = [
        r#"{"shapes":[{"label":"tree","points":[[10,12],[30,40]],"shape_type":"rectangle"},{"label":"tree","points":[[10,12],[30,40],[3,9]]},{"label":"car","points":[[1,2],[3,4]],"shape_type":"circle"}],"imagePath":"a.png","imageHeight":64,"imageWidth":64}"#,
    ];
    fuzz("labelme", "a.json", Format::LabelMe, &seeds, JSON);
}

#[test]
fn files_of_voc() {
    let seeds = [
        "<?xml version=\"1.0\"?>\n<annotation><filename>a.png</filename><size><width>64</width><height>64</height></size>\n<object><name>tree</name><difficult>0</difficult><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>21</ymax></bndbox></object></annotation>",
        "<annotation><object><name>a&amp;b</name><robndbox><cx>5</cx><cy>6</cy><w>2</w><h>3</h><angle>0.5</angle></robndbox></object></annotation>",
    ];
    fuzz("voc", "a.xml", Format::PascalVoc, &seeds, XML);
}

#[test]
fn files_of_cvat() {
    let seeds = [
        "<annotations><image id=\"0\" name=\"a.png\" width=\"64\" height=\"64\">\n<box label=\"tree\" xtl=\"10\" ytl=\"12\" xbr=\"30\" ybr=\"40\" rotation=\"10\"/><polygon label=\"a\" points=\"1,2;3,4;5,0\"/></image></annotations>",
        "<annotations><meta/><track id=\"0\" label=\"car\"><box frame=\"0\" xtl=\"1\" ytl=\"2\" xbr=\"3\" ybr=\"4\" outside=\"0\"/></track></annotations>",
    ];
    fuzz("cvat", "a.xml", Format::Cvat, &seeds, XML);
}

#[test]
fn files_of_yolo() {
    let seeds = [
        "0 0.5 0.5 0.2 0.4\n1 0.1 0.2 0.05 0.05 0.9\n",
        "0 0.1 0.1 0.3 0.1 0.2 0.4\n",
        "0 0.5 0.5 0.2 0.4 0.4 0.4 2 0.6 0.6 1 0.5 0.5 0\n",
        "0 0.1 0.1 0.3 0.1 0.3 0.4 0.1 0.4\n",
    ];
    fuzz("yolo", "a.txt", Format::Yolo, &seeds, LINES);
}

#[test]
fn files_of_dota() {
    let seeds = [
        "imagesource:GoogleEarth\ngsd:0.146\n10.0 20.0 30.0 25.0 28.0 40.0 8.0 35.0 ship 0\n1 2 3 2 3 4 1 4 large-vehicle 1\n",
        "10 20 30 25 28 40 8 35 ship\n",
    ];
    fuzz("dota", "a.txt", Format::Dota, &seeds, LINES);
}

#[test]
fn files_of_table() {
    let seeds = [
        "image_path,xmin,ymin,xmax,ymax,label\na.png,5,6,25,21,\"tree\"\n\"b, c.png\",1,2,3,4,\"a\"\"b\"\n",
        "image_path;label;geometry\r\na.png;t;\"POLYGON ((30 12, 30 40, 10 40, 30 12))\"\r\n",
        "a.png,5,6,25,21,tree\nb.png,,,,,\n",
        "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,64,64,tree,1,2,3,4\n",
        "image_id,width,height,bbox,source\nb,1024,1024,\"[834.0, 222.0, 56.0, 36.0]\",x\n",
    ];
    fuzz("table", "a.csv", Format::Table, &seeds, LINES);
}

/// A name as people give them, odd letters within.
fn name(random: &mut Random) -> String {
    const LETTERS: [&str; 16] = [
        "a", "b", "Z", "9", "_", "-", "&", "<", ">", "\"", "'", ",", ";", "é", "木", "#",
    ];
    let length = 1 + random.below(6);
    let letters = (0..length).map(|_| LETTERS[random.below(LETTERS.len())]);
    format!("n{}", letters.collect::<String>())
}

fn random_image(random: &mut Random, classes: &[String]) -> LabeledImage {
    let (width, height) = (1 + random.below(5000), 1 + random.below(5000));
    let mut edges = |size: usize| {
        let mut number = || random.below(size * 1000 + 1) as f64 / 1000.0;
        let (a, b) = (number(), number());
        if (a - b).abs() < 0.01 {
            (0.0, size as f64)
        } else {
            (a.min(b), a.max(b))
        }
    };
    let ((x_min, x_max), (y_min, y_max)) = (edges(width), edges(height));
    let bounds = BoundingBox::new(x_min, y_min, x_max, y_max);
    let count = 1 + random.below(3);
    let boxes =
        (0..count).map(|_| LabeledBox::new(bounds, classes[random.below(classes.len())].clone()));
    let boxes = boxes.collect();
    LabeledImage {
        file: format!("{}.png", name(random)),
        width: Some(width),
        height: Some(height),
        boxes,
        left_out: 0,
    }
}

/// The same classes and, to a billionth of the image, the same places.
#[track_caller]
fn assert_same(kind: &str, written: &[LabeledImage], read: Result<BoxFile, FormatError>) {
    let read = read.unwrap_or_else(|error| panic!("{kind}: {error}\n{written:?}"));
    assert!(
        read.left_out.is_empty(),
        "{kind}: {:?}\n{written:?}",
        read.left_out
    );
    assert_eq!(
        read.images.len(),
        written.len(),
        "{kind}: {written:?}\n{read:?}"
    );
    for (a, b) in written.iter().zip(&read.images) {
        assert_eq!(a.boxes.len(), b.boxes.len(), "{kind}: {a:?}\n{b:?}");
        for (a, b) in a.boxes.iter().zip(&b.boxes) {
            assert_eq!(a.class, b.class, "{kind}");
            let (a, b) = (a.bounds, b.bounds);
            let far = [
                a.x_min - b.x_min,
                a.y_min - b.y_min,
                a.x_max - b.x_max,
                a.y_max - b.y_max,
            ];
            assert!(
                far.iter().all(|far| far.abs() < 1e-5),
                "{kind}: {a:?} {b:?}"
            );
        }
    }
}

#[test]
fn what_was_written_is_read_the_same() {
    let place = Place::new("written");
    let count = std::env::var("SWATH_FUZZ")
        .ok()
        .and_then(|text| text.parse::<u64>().ok());
    for seed in 0..count.unwrap_or(100_000) / 100 {
        let mut random = Random(seed);
        let mut classes: Vec<String> = (0..1 + random.below(4))
            .map(|_| name(&mut random))
            .collect();
        classes.sort();
        classes.dedup();
        let images: Vec<LabeledImage> = (0..1 + random.below(3))
            .map(|_| random_image(&mut random, &classes))
            .collect();
        let mut named: Vec<&str> = images.iter().map(|image| image.file.as_str()).collect();
        named.sort_unstable();
        named.dedup();
        if named.len() < images.len() {
            continue;
        }
        let json = place.file("a.json");
        super::coco::write(&json, &images, &classes).unwrap();
        assert_same("COCO", &images, super::coco::read(&json));
        let one = std::slice::from_ref(&images[0]);
        let table = place.file("a.csv");
        super::csv::write(&table, &images).unwrap();
        assert_same("CSV", &images, super::csv::read(&table, Some("label")));
        for origin in [super::voc::Origin::One, super::voc::Origin::Zero] {
            let xml = place.file("a.xml");
            super::voc::write(&xml, &one[0], origin).unwrap();
            assert_same("VOC", one, super::voc::read(&xml, origin));
        }
        let text = place.file("a.txt");
        super::yolo::write(&text, &one[0], &classes).unwrap();
        let options = ReadOptions {
            size: one[0].width.zip(one[0].height),
            class_names: Some(classes.clone()),
            ..ReadOptions::default()
        };
        assert_same("YOLO", one, super::yolo::read(&text, &options));
    }
}

/// Found by the test above: the far edge of a box within the first pixel was taken for one that counts from 0.
#[test]
fn a_box_within_the_first_pixel_is_read_as_it_was_written() {
    let place = Place::new("first-pixel");
    let image = LabeledImage {
        file: "a.png".to_owned(),
        boxes: vec![LabeledBox::new(
            BoundingBox::new(0.25, 0.5, 0.75, 9.0),
            "tree",
        )],
        ..LabeledImage::default()
    };
    let xml = place.file("a.xml");
    super::voc::write(&xml, &image, super::voc::Origin::One).unwrap();
    let read = super::voc::read(&xml, super::voc::Origin::One);
    assert_same("VOC", std::slice::from_ref(&image), read);
}
