//! One policy in every format: a broken entry is left out and counted, with the place of the first, and the other entries are
//! what they would be without it; a file none of whose entries is sound is an error.

use super::tests::{Scratch, assert_says};
use super::*;

const SIZE: (usize, usize) = (1000, 1000);

fn read_text(name: &str, text: &str) -> Result<BoxFile, FormatError> {
    let file = Scratch::holding(name, text);
    let options = ReadOptions {
        size: Some(SIZE),
        ..ReadOptions::default()
    };
    read(&file.0, &options)
}

fn boxes(file: &BoxFile) -> Vec<&LabeledBox> {
    file.images.iter().flat_map(|image| &image.boxes).collect()
}

/// What the first entries that were left out are said to be.
fn firsts(file: &BoxFile) -> String {
    let all: Vec<&str> = file.first_left_out.values().map(String::as_str).collect();
    all.join("; ")
}

fn remarks(file: &BoxFile) -> String {
    let all: Vec<&str> = file.remarks.iter().map(|one| one.text.as_str()).collect();
    all.join("; ")
}

/// The frame of a file, sound entries, and broken ones with what is said of each.
struct Case {
    name: &'static str,
    before: &'static str,
    between: &'static str,
    after: &'static str,
    sound: [&'static str; 3],
    broken: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 9] = [
    // Ultralytics' OBB: the class's number and four corners as shares, from its documentation of OBB data sets.
    Case {
        name: "a.txt",
        before: "",
        between: "\n",
        after: "",
        sound: [
            "0 0.780811 0.743961 0.782371 0.74686 0.777691 0.752174 0.776131 0.749758",
            "0 0.5 0.3 0.6 0.4 0.5 0.5 0.4 0.4",
            "3 0.2 0.1 0.3 0.2 0.2 0.3 0.1 0.2",
        ],
        broken: &[
            ("0 0.5 0.3 0.6 0.4 0.5 0.5 0.4", "7 numbers"),
            ("0 0.5 0.3 0.6 0.4 0.5 0.5 0.4 0.4 0.7", "9 numbers"),
            ("0 0.5 0.3 0.6 0.4 0.5", "5 numbers"),
            ("0 0.5 0.3 0.6", "3 numbers"),
            ("0", "0 numbers"),
            ("7.5 0.5 0.3 0.6 0.4 0.5 0.5 0.4 0.4", "\"7.5\""),
            ("-1 0.5 0.3 0.6 0.4 0.5 0.5 0.4 0.4", "\"-1\""),
            ("ship 0.5 0.3 0.6 0.4 0.5 0.5 0.4 0.4", "\"ship\""),
            ("0 500 300 600 400 500 500 400 400", "\"500 300 600"),
            ("0 0.5 0.3 0.6 0.4 0.5 0.5 x 0.4", "\"x\""),
            ("0 nan 0.3 0.6 0.4 0.5 0.5 0.4 0.4", "line"),
            ("0 0.1 0.1 0.2 0.2 0.3 0.3 0.4 0.4", "line"),
        ],
    },
    Case {
        name: "a.txt",
        before: "",
        between: "\n",
        after: "",
        sound: [
            "0 0.5 0.5 0.2 0.4",
            "1 0.1 0.2 0.1 0.1",
            "0 0.3 0.3 0.1 0.2",
        ],
        broken: &[
            ("0 0.5 0.5 0.2", "3 numbers"),
            ("0.5 0.5 0.5 0.2 0.4", "\"0.5\""),
            ("0 120 80 30 20", "\"120 80 30 20\""),
            ("0 0.5 0.5 -0.2 0.4", "line"),
            ("x", "\"x\""),
        ],
    },
    // Ultralytics' segments, of any number of points.
    Case {
        name: "a.txt",
        before: "",
        between: "\n",
        after: "",
        sound: [
            "0 0.1 0.1 0.3 0.1 0.2 0.4",
            "0 0.1 0.1 0.3 0.1 0.3 0.4 0.2 0.5 0.1 0.4",
            "0 0.1 0.1 0.3 0.15 0.35 0.4 0.12 0.4",
        ],
        broken: &[
            ("0 0.1 0.1 0.3 0.1 0.2 0.4 0.3", "7 numbers"),
            ("0 0.1 0.1 0.3 0.1 0.2", "5 numbers"),
        ],
    },
    // Ultralytics' poses: a box, then x, y and visibility of each point.
    Case {
        name: "a.txt",
        before: "",
        between: "\n",
        after: "",
        sound: [
            "0 .5 .5 .2 .4 .45 .4 2 .55 .6 1",
            "0 .5 .4 .2 .4 .45 .4 2 .55 .6 0",
            "0 .4 .5 .2 .4 .45 .4 1 .55 .6 1",
        ],
        broken: &[
            ("0 .5 .5 .2 .4 .45 .4 2 .55 .6 1 .3 .3", "12 numbers"),
            ("0 .5 .5 .2 .4 .45 .4 2", "7 numbers"),
            ("0 .5 .5 .2", "3 numbers"),
        ],
    },
    Case {
        name: "a.txt",
        before: "imagesource:GoogleEarth\ngsd:0.14\n",
        between: "\n",
        after: "",
        sound: [
            "10 20 30 25 28 40 8 35 ship 0",
            "50 20 70 25 68 40 48 35 ship 1",
            "10 60 30 65 28 80 8 75 small-vehicle 0",
        ],
        broken: &[
            ("10 20 30 25 28 40 8 ship", "8 words"),
            ("10 20 30 25 28 40 8 35", "8 words"),
            ("10 20 30 25 28 40 8 35 large vehicle 0", "11 words"),
            ("10 20 30 25 28 40 8 x ship 0", "\"x\""),
            ("10 20 30 25 28 40 8 35 ship hard", "\"hard\""),
            ("10 20 30 25 28 40 8 35 7 0", "\"7\""),
            ("nan 20 30 25 28 40 8 35 ship 0", "line"),
        ],
    },
    Case {
        name: "a.xml",
        before: "<annotations><version>1.1</version>\n<image name=\"a.png\" width=\"1000\" height=\"1000\">\n",
        between: "\n",
        after: "\n</image></annotations>",
        sound: [
            "<box label=\"tree\" xtl=\"10\" ytl=\"12\" xbr=\"30\" ybr=\"40\" rotation=\"10\"/>",
            "<box label=\"tree\" xtl=\"50\" ytl=\"12\" xbr=\"70\" ybr=\"40\"/>",
            "<polygon label=\"tree\" points=\"1,2;9,2;9,8\"/>",
        ],
        broken: &[
            (
                "<box label=\"tree\" xtl=\"10\" ytl=\"12\" xbr=\"30\" ybr=\"40\" rotation=\"abc\"/>",
                "rotation=\"abc\"",
            ),
            (
                "<box label=\"tree\" xtl=\"10\" ytl=\"12\" xbr=\"30\" ybr=\"40\" rotation=\"\"/>",
                "rotation=\"\"",
            ),
            (
                "<box label=\"tree\" xtl=\"10\" xbr=\"30\" ybr=\"40\"/>",
                "<box> without it",
            ),
            (
                "<box label=\"tree\" xtl=\"1o\" ytl=\"12\" xbr=\"30\" ybr=\"40\"/>",
                "xtl=\"1o\"",
            ),
            (
                "<box label=\" \" xtl=\"10\" ytl=\"12\" xbr=\"30\" ybr=\"40\"/>",
                "<box> without it",
            ),
            ("<polygon label=\"tree\" points=\"1,2;9\"/>", "\"1,2;9\""),
            ("<polygon label=\"tree\"/>", "\"\""),
            (
                "<ellipse label=\"tree\" cx=\"5\" cy=\"5\" rx=\"\" ry=\"2\"/>",
                "rx=\"\"",
            ),
            (
                "<box label=\"tree\" xtl=\"30\" ytl=\"12\" xbr=\"10\" ybr=\"40\"/>",
                "line",
            ),
        ],
    },
    Case {
        name: "a.xml",
        before: "<annotation><filename>a.png</filename>\n",
        between: "\n",
        after: "\n</annotation>",
        sound: [
            "<object><name>t</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>8</ymax></bndbox></object>",
            "<object><name>t</name><robndbox><cx>20</cx><cy>20</cy><w>10</w><h>4</h><angle>0.5</angle></robndbox></object>",
            "<object><name>u</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>8</ymax></bndbox></object>",
        ],
        broken: &[
            ("<object><name>t</name></object>", "<object> without it"),
            (
                "<object><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>8</ymax></bndbox></object>",
                "<object> without it",
            ),
            (
                "<object><name>t</name><bndbox><xmin>1</xmin></bndbox></object>",
                "<bndbox> without it",
            ),
            (
                "<object><name>t</name><bndbox><xmin>x</xmin><ymin>1</ymin><xmax>5</xmax><ymax>8</ymax></bndbox></object>",
                "\"x\"",
            ),
            (
                "<object><name>t</name><robndbox><cx>20</cx><cy>20</cy><w>10</w><h>4</h><angle/></robndbox></object>",
                "\"\"",
            ),
        ],
    },
    Case {
        name: "a.csv",
        before: "image_path,xmin,ymin,xmax,ymax,label\n",
        between: "\n",
        after: "",
        sound: [
            "a.png,1,2,30,40,t",
            "a.png,5,2,30,40,t",
            "a.png,1,2,30,50,u",
        ],
        broken: &[
            ("a.png,1,2,30,40", "5 values"),
            ("a.png", "1 value"),
            ("a.png,1,2,30,40,t,9", "7 values"),
            ("a.png,1,2,three,40,t", "\"three\""),
            ("a.png,9,2,3,40,t", "line"),
        ],
    },
    Case {
        name: "a.csv",
        before: "image_path,label,geometry\n",
        between: "\n",
        after: "",
        sound: [
            "a.png,t,\"POLYGON ((30 12, 30 40, 10 40, 30 12))\"",
            "a.png,t,\"POLYGON ((30 12, 30 45, 10 45, 30 12))\"",
            "a.png,t,\"POLYGON ((30 12, 30 41, 10 41, 30 12))\"",
        ],
        broken: &[
            (
                "a.png,t,\"POLYGON ((30 12, 30 x, 10 40, 30 12))\"",
                "\"POLYGON ((30 12, 30 x",
            ),
            ("a.png,t,here", "\"here\""),
        ],
    },
];

const JSON: [Case; 2] = [
    Case {
        name: "a.json",
        before: r#"{"images":[{"id":1,"file_name":"a.png"}],"categories":[{"id":3,"name":"t"}],"annotations":["#,
        between: ",\n",
        after: "]}",
        sound: [
            r#"{"id":5,"image_id":1,"category_id":3,"bbox":[1,1,2,2]}"#,
            r#"{"id":6,"image_id":1,"category_id":3,"bbox":[9,9,4,2,30]}"#,
            r#"{"id":7,"image_id":1,"category_id":3,"bbox":[3,1,5,3,3,5,1,3]}"#,
        ],
        broken: &[
            (
                r#"{"id":8,"image_id":1,"category_id":3,"bbox":[1,1,2]}"#,
                "annotation 8 has 3 numbers",
            ),
            (
                r#"{"id":8,"image_id":1,"category_id":3,"bbox":[1,1,2,3,4,5]}"#,
                "has 6 numbers",
            ),
            (
                r#"{"id":8,"image_id":1,"category_id":3,"bbox":"all"}"#,
                "\"all\"",
            ),
            (
                r#"{"id":8,"image_id":1,"category_id":4,"bbox":[1,1,2,2]}"#,
                "of category 4",
            ),
            (
                r#"{"id":8,"image_id":2,"category_id":3,"bbox":[1,1,2,2]}"#,
                "of image 2",
            ),
            ("null", "number"),
            ("7", "number"),
            ("[1,1,2,2]", "number"),
            ("\"x\"", "number"),
            (
                r#"{"id":8,"image_id":1,"category_id":3,"bbox":[1,1,0,2]}"#,
                "annotation 8",
            ),
        ],
    },
    Case {
        name: "a.json",
        before: r#"{"imagePath":"a.png","shapes":["#,
        between: ",\n",
        after: "]}",
        sound: [
            r#"{"label":"t","points":[[30,40],[10,12]],"shape_type":"rectangle"}"#,
            r#"{"label":"t","points":[[3,1],[5,3],[3,5],[1,3]],"shape_type":"rotation"}"#,
            r#"{"label":"t","points":[[3,1],[5,3],[3,5]],"shape_type":"polygon"}"#,
        ],
        broken: &[
            (
                r#"{"label":"t","points":[[30,40],[10]],"shape_type":"rectangle"}"#,
                "shape",
            ),
            (
                r#"{"points":[[30,40],[10,12]],"shape_type":"rectangle"}"#,
                "shape",
            ),
            (r#"{"label":"t"}"#, "shape"),
            ("null", "shape"),
            ("3", "shape"),
            ("[]", "shape"),
        ],
    },
];

impl Case {
    fn of(&self, entries: &[&str]) -> String {
        format!(
            "{}{}{}",
            self.before,
            entries.join(self.between),
            self.after
        )
    }

    fn read(&self, entries: &[&str]) -> Result<BoxFile, FormatError> {
        read_text(self.name, &self.of(entries))
    }
}

#[test]
fn a_broken_entry_is_counted_and_the_others_are_what_they_are_without_it() {
    for case in CASES.iter().chain(&JSON) {
        let whole = case.read(&case.sound).unwrap();
        assert_eq!(boxes(&whole).len(), 3, "{}", case.of(&case.sound));
        for (broken, said) in case.broken {
            // First, in between and last: what comes first decides nothing.
            for at in 0..=3 {
                let mut entries = case.sound.to_vec();
                entries.insert(at, broken);
                let text = case.of(&entries);
                let file = case
                    .read(&entries)
                    .unwrap_or_else(|error| panic!("{error}\n{text}"));
                assert_eq!(boxes(&file), boxes(&whole), "{text}");
                let lost: usize = file.left_out.values().sum();
                assert_eq!(lost, 1, "{text}");
                assert_says(&firsts(&file), &[said]);
                if case.name != "a.json" {
                    let line = case.before.lines().count() + at + 1;
                    assert_says(&firsts(&file), &[&format!("line {line}")]);
                }
                // Of the others, the file says what it says without it.
                assert_eq!(remarks(&file), remarks(&whole), "{text}");
            }
        }
    }
}

#[test]
fn an_image_none_of_whose_entries_is_sound_is_no_empty_image() {
    for case in CASES.iter().chain(&JSON) {
        for (broken, _) in case.broken {
            match case.read(&[broken, broken]) {
                // Alone, such a count of numbers is an outline and its confidence, or a box and its own.
                Ok(file) if broken.starts_with('0') && !boxes(&file).is_empty() => {
                    let numbers = broken.split(' ').count() - 1;
                    assert!([5, 7, 9, 12].contains(&numbers), "{broken}");
                }
                // A sound entry that holds no box, such as one without width.
                Ok(file) => {
                    let lost: usize = file.images.iter().map(|image| image.left_out).sum();
                    let of_none = broken.contains("\"image_id\":2") || !broken.starts_with('{');
                    assert!(boxes(&file).is_empty(), "{broken}");
                    assert!(lost == 2 || of_none && lost == 0, "{lost}: {broken}");
                }
                Err(error) => {
                    let message = error.to_string();
                    assert!(message.contains(case.name), "{message}");
                    assert!(error.hint().is_some(), "{message}");
                }
            }
        }
    }
}

/// `DOTA_devkit`'s `parse_dota_poly` and Ultralytics' `convert_dota_to_yolo_obb` read lines of nine words, and the former
/// gives them difficulty 0.
#[test]
fn dota_without_difficulties_is_dota() {
    let sound = "10 20 30 25 28 40 8 35 ship\n50 20 70 25 68 40 48 35 small-vehicle\n";
    let file = read_text("P1.txt", sound).unwrap();
    assert_eq!(boxes(&file).len(), 2);
    assert!(boxes(&file).iter().all(|one| one.outline.is_some()));
    assert!(!remarks(&file).contains("difficult"));
    // Beside lines that have one, it may have been cut off.
    let mixed = format!("{sound}10 60 30 65 28 80 8 75 ship 1\n");
    let file = read_text("P1.txt", &mixed).unwrap();
    assert_eq!((boxes(&file).len(), file.left_out.len()), (3, 0));
    assert_says(
        &remarks(&file),
        &[
            "2 boxes without a difficulty",
            "line 1",
            "1 box marked as difficult",
        ],
    );
    // The first line is broken, and nothing else says that it is DOTA.
    let file = read_text("P1.txt", &format!("10 20 30 25 28 40 8 ship\n{sound}")).unwrap();
    assert_eq!((boxes(&file).len(), file.images[0].left_out), (2, 1));
}

#[test]
fn outlines_and_upright_boxes_among_rotated_ones_are_taken_and_named() {
    let obb = "0 0.5 0.3 0.6 0.4 0.5 0.5 0.4 0.4\n".repeat(3);
    let file = read_text(
        "a.txt",
        &format!("{obb}0 .1 .1 .3 .1 .2 .4\n0 .5 .5 .1 .2\n"),
    )
    .unwrap();
    let outlines = boxes(&file)
        .iter()
        .filter(|one| one.outline.is_some())
        .count();
    assert_eq!(
        (boxes(&file).len(), outlines, file.left_out.len()),
        (5, 3, 0)
    );
    assert_says(
        &remarks(&file),
        &[
            "3 rotated boxes keep",
            "1 box of other than four corners",
            "line 4, 6 numbers",
            "1 box given by center and size",
            "line 5, 4 numbers",
        ],
    );
    // Where fewer are rotated boxes, four points are a polygon like the others.
    let file = read_text(
        "a.txt",
        &format!("{obb}{}", "0 .1 .1 .3 .1 .2 .4\n".repeat(3)),
    )
    .unwrap();
    assert!(boxes(&file).iter().all(|one| one.outline.is_none()));
    assert_says(&remarks(&file), &["6 outlines became"]);
}

#[test]
fn what_is_left_out_is_not_counted_as_rotated_taken_around_or_difficult() {
    // A polygon with a corner that is none, a difficult object without width, a rotated box with a corner that is none.
    let cvat = "<annotations><image name=\"a.png\"><polygon label=\"a\" points=\"1,2;nan,2;9,8\"/>\
                <box label=\"a\" xtl=\"1\" ytl=\"1\" xbr=\"5\" ybr=\"5\"/></image></annotations>";
    let voc = "<annotation><object><name>t</name><difficult>1</difficult><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>1</xmax>\
               <ymax>8</ymax></bndbox></object></annotation>";
    let dota = "nan 20 30 25 28 40 8 35 ship 1\n1 1 5 1 5 4 1 4 ship 0\n";
    let yolo = "0 .5 .5 0 .4 .9\n0 .5 .5 .2 .4\n";
    let table = "geometry\n\"POLYGON ((30 12, 30 12, 10 12, 30 12))\"\n\"POLYGON ((30 12, 30 40, 10 40, 10 12, 30 12))\"\n";
    for (name, text) in [
        ("a.xml", cvat),
        ("b.xml", voc),
        ("a.txt", dota),
        ("b.txt", yolo),
        ("a.csv", table),
    ] {
        let file = read_text(name, text).unwrap();
        assert_eq!(file.images[0].left_out, 1, "{text}");
        assert_eq!(remarks(&file), "", "{text}");
    }
}

#[test]
fn short_rows_belong_to_the_image_that_they_name() {
    let text = "image_path,xmin,ymin,xmax,ymax,label\na.png,1,2,3,4,t\na.png,1\nb.png,1,2\n";
    let file = read_text("a.csv", text).unwrap();
    let lost: Vec<(&str, usize, usize)> = file
        .images
        .iter()
        .map(|image| (image.file.as_str(), image.boxes.len(), image.left_out))
        .collect();
    assert_eq!(lost, [("a.png", 1, 1), ("b.png", 0, 1)]);
    // Where the image is not in the first column, nobody knows what a row of another length holds there.
    let text =
        "label,xmin,ymin,xmax,ymax,image_path\nt,1,2,3,4,a.png\n1,2,3,4,c.png,t,9\nt,1,2,3,a.png\n";
    let file = read_text("a.csv", text).unwrap();
    assert_eq!((file.images.len(), file.images[0].left_out), (1, 0));
    assert_eq!(file.left_out.values().sum::<usize>(), 2);
}
