//! Odd files of every format: what is read, and what is said about the rest.

use super::tests::{Scratch, assert_says};
use super::*;

fn read_text(name: &str, text: &str) -> Result<BoxFile, FormatError> {
    let file = Scratch::holding(name, text);
    let options = ReadOptions {
        size: Some((200, 100)),
        ..ReadOptions::default()
    };
    read(&file.0, &options)
}

#[track_caller]
fn bounds(file: &BoxFile) -> Vec<[f64; 4]> {
    let boxes = file.images.iter().flat_map(|image| &image.boxes);
    let edges = |one: &LabeledBox| {
        [
            one.bounds.x_min,
            one.bounds.y_min,
            one.bounds.x_max,
            one.bounds.y_max,
        ]
    };
    boxes.map(edges).collect()
}

#[track_caller]
fn says(file: &BoxFile, parts: &[&str]) {
    let all: Vec<String> = file
        .remarks
        .iter()
        .map(|remark| remark.text.clone())
        .collect();
    assert_says(&all.join("; "), parts);
}

/// A COCO file of one image 64 x 64 with these annotations.
fn coco_of(annotations: &str) -> String {
    format!(
        r#"{{"images":[{{"id":7,"file_name":"a.png","width":64,"height":64}}],"annotations":[{annotations}],
            "categories":[{{"id":3,"name":"tree"}},{{"id":17,"name":"car"}}]}}"#
    )
}

#[test]
fn coco_boxes_come_from_polygons_and_run_lengths() {
    // The boxes of pycocotools 2.0.11: mask.toBbox(mask.frPyObjects(…)), whose [x, y, w, h] are turned into edges here.
    for (segmentation, expected) in [
        ("[[30, 40, 50, 40, 50, 48]]", [30.0, 40.0, 50.0, 48.0]),
        ("[[[30, 40], [50, 40], [50, 48]]]", [30.0, 40.0, 50.0, 48.0]),
        ("[30, 40, 50, 40, 50, 48]", [30.0, 40.0, 50.0, 48.0]),
        (
            r#"{"size":[64,64],"counts":[323,10,54,10,3699]}"#,
            [5.0, 3.0, 7.0, 13.0],
        ),
        (
            r#"{"size":[64,64],"counts":"S::f10ma3"}"#,
            [5.0, 3.0, 7.0, 13.0],
        ),
        (
            r#"{"size":[64,64],"counts":"Xo03l12O0ij2"}"#,
            [15.0, 39.0, 18.0, 44.0],
        ),
        // Over the end of a column: all rows.
        (r#"{"size":[4,5],"counts":[6,4,10]}"#, [1.0, 0.0, 3.0, 4.0]),
        // A run without length in between.
        (
            r#"{"size":[4,5],"counts":[5,1,0,1,13]}"#,
            [1.0, 1.0, 2.0, 3.0],
        ),
    ] {
        let entry = format!(
            r#"{{"id":5,"image_id":7,"category_id":3,"bbox":null,"segmentation":{segmentation}}}"#
        );
        let file = read_text("a.json", &coco_of(&entry)).unwrap();
        assert_eq!(bounds(&file), [expected], "{segmentation}");
        says(&file, &["1 box without `bbox` taken around"]);
    }
    for broken in [
        r#"{"size":[64,64],"counts":[323,10]}"#,
        r#"{"size":[64,64],"counts":"abc~"}"#,
        r#"{"size":[64],"counts":[1]}"#,
        r#"{"counts":[1]}"#,
        r#"{"size":[18446744073709551615,9],"counts":[18446744073709551615,18446744073709551615]}"#,
        "[[1,2,3]]",
        "[]",
        "7",
    ] {
        let entry = format!(
            r#"{{"id":5,"image_id":7,"category_id":3,"segmentation":{broken}}},{}"#,
            sound()
        );
        let file = read_text("a.json", &coco_of(&entry)).unwrap();
        assert_eq!(
            (file.images[0].boxes.len(), file.images[0].left_out),
            (1, 1),
            "{broken}"
        );
        assert_says(
            file.first_left_out.values().next().unwrap(),
            &["annotation 5"],
        );
    }
}

fn sound() -> &'static str {
    r#"{"id":1,"image_id":7,"category_id":3,"bbox":[5,6,20,15]}"#
}

#[test]
fn coco_annotations_that_nobody_could_place_are_left_out_and_counted() {
    // pycocotools' createIndex passes over annotations of other images without a word; here they are counted.
    for (entry, why) in [
        (
            r#"{"id":9,"image_id":8,"category_id":3,"bbox":[1,1,2,2]}"#,
            "of an image",
        ),
        (
            r#"{"id":9,"image_id":7,"category_id":4,"bbox":[1,1,2,2]}"#,
            "of a category",
        ),
        (r#"{"id":9,"image_id":7,"bbox":[1,1,2,2]}"#, "of a category"),
        (
            r#"{"id":9,"image_id":7,"category_id":3,"bbox":[1,1,2]}"#,
            "other than 4 numbers",
        ),
        (
            r#"{"id":9,"image_id":7,"category_id":3,"bbox":[9,9,-4,2,30]}"#,
            "edges the wrong way round",
        ),
        (
            r#"{"id":9,"image_id":7,"category_id":3,"bbox":["a",1,2,2]}"#,
            "no list of numbers",
        ),
        (
            r#"{"id":9,"image_id":7,"category_id":3,"bbox":{"x":1}}"#,
            "no list of numbers",
        ),
        (
            r#"{"id":9,"image_id":7,"category_id":3,"bbox":[1,1,NaN,2]}"#,
            "not finite",
        ),
        (
            r#"{"id":9,"image_id":7,"category_id":3,"bbox":[],"segmentation":null}"#,
            "neither",
        ),
    ] {
        let file = read_text("a.json", &coco_of(&format!("{},{entry}", sound()))).unwrap();
        assert_eq!(bounds(&file), [[5.0, 6.0, 25.0, 21.0]], "{entry}");
        assert_eq!(file.left_out.values().sum::<usize>(), 1, "{entry}");
        assert_says(&file.notice().unwrap(), &[why]);
        assert_says(
            file.first_left_out.values().next().unwrap(),
            &["annotation 9"],
        );
    }
    let six = r#"{"id":9,"image_id":7,"category_id":3,"bbox":[9,9,4,2,30,1]}"#;
    let error = read_text("a.json", &coco_of(six)).unwrap_err();
    assert_says(
        &error.to_string(),
        &["none of its 1 annotations", "6 numbers as `bbox`"],
    );
    let corners = r#"{"id":9,"image_id":7,"category_id":3,"bbox":[3,1,5,3,3,5,1,3]}"#;
    let file = read_text("a.json", &coco_of(corners)).unwrap();
    assert_eq!(bounds(&file), [[1.0, 1.0, 5.0, 5.0]]);
}

#[test]
fn coco_dialects_and_missing_keys_are_read() {
    // Texts as ids, `annotation` and `filename`, no sizes, nulls, no ids of annotations.
    let text = r#"{"images":[{"id":"7","filename":"x/a.png"},{"id":8,"file_name":"b.png","width":null}],
        "annotation":[{"image_id":7,"category_id":"17","bbox":["1","2","3","4"],"area":null,"segmentation":null},
        {"image_id":"8.0","category_id":3,"bbox":[1,2,3,4],"iscrowd":"1"},
        {"image_id":8,"category_id":3,"bbox":[1,2,3,4],"ignore":1}],
        "categories":[{"id":17,"name":" car "},{"id":3,"name":"tree"},{"id":99,"name":"never"},{"id":100,"name":"car"}]}"#;
    let text = text.replace("8.0\"", "8\"");
    let file = read_text("a.json", &text).unwrap();
    assert_eq!(file.classes, ["tree", "car", "never"]);
    assert_eq!(bounds(&file), [[1.0, 2.0, 4.0, 6.0]; 3]);
    assert!(file.images[1].boxes[0].crowd && file.images[0].file == "x/a.png");
    says(
        &file,
        &["marked `ignore`", "2 categories are called \"car\""],
    );
    let empty = r#"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[],"categories":[]}"#;
    let file = read_text("a.json", empty).unwrap();
    assert!(file.images[0].boxes.is_empty() && file.remarks.is_empty());
    let bare =
        r#"{"images":[{"file_name":"a.png"}],"annotations":[{"category_id":4,"bbox":[1,2,3,4]}]}"#;
    let file = read_text("a.json", bare).unwrap();
    assert!(file.unnamed_classes && file.classes == ["4"]);
    let twice = r#"{"images":[{"id":1}],"annotations":[],"categories":[{"id":1,"name":"t"},{"id":1,"name":"t"}]}"#;
    assert_eq!(read_text("a.json", twice).unwrap().classes, ["t"]);
}

#[test]
fn json_of_other_programs_is_named_with_the_way() {
    for (text, name, way) in [
        (
            r#"[{"image_id":1,"category_id":1,"bbox":[1,2,3,4],"score":0.5}]"#,
            "COCO results",
            "SceneBoxes::open",
        ),
        (
            r#"[{"id":1,"data":{"image":"a.png"},"annotations":[]}]"#,
            "Label Studio",
            "export",
        ),
        (
            r#"{"a.png123":{"filename":"a.png","size":123,"regions":[],"file_attributes":{}}}"#,
            "VIA",
            "export",
        ),
        (
            r#"{"_via_settings":{},"_via_img_metadata":{}}"#,
            "VIA",
            "export",
        ),
        (
            r#"{"asset":{"name":"a.png"},"regions":[]}"#,
            "VoTT",
            "export",
        ),
        (
            r#"[{"image":"a.png","annotations":[]}]"#,
            "Create ML",
            "export",
        ),
        (
            r#"{"description":"","tags":[],"size":{},"objects":[]}"#,
            "Supervisely",
            "export",
        ),
        (
            r#"{"version":"2.0","item":{},"annotations":[]}"#,
            "Darwin",
            "export",
        ),
        (r#"{"one":1,"two":2}"#, "it holds one, two", "labelme"),
        ("[]", "a list without objects", "COCO"),
        ("{}", "it holds nothing", "COCO"),
        ("7", "is not a COCO file", "one object"),
        (r#"{"images":["#, "is not a COCO file", "cut short"),
    ] {
        let error = read_text("a.json", text).unwrap_err();
        assert_says(&error.to_string(), &["a.json", name]);
        assert_says(&error.hint().unwrap(), &[way]);
    }
    for vector in [
        r#"{"type":"FeatureCollection","features":[]}"#,
        r#"{"features":[{"properties":{"annotations":1}}],"type":"FeatureCollection"}"#,
        r#"{"type":"Polygon","coordinates":[]}"#,
        "{\"type\":\"Feature\",\"properties\":{}}\n{\"type\":\"Feature\",\"properties\":{}}\n",
    ] {
        let file = Scratch::holding("a.json", vector);
        assert_eq!(format_of(&file.0).unwrap(), None, "{vector}");
    }
}

#[test]
fn labelme_shapes_become_boxes() {
    let text = r#"{"version":"5.0.1","shapes":[
        {"label":"tree","points":[[30,40],[10,12]],"shape_type":"rectangle"},
        {"label":"tree","points":[[10,12],[30,12],[30,40],[10,40]],"shape_type":"rectangle"},
        {"label":1,"points":[[0,0],[8,0],[4,9]]},
        {"label":"tree","points":[[20,20],[20,25]],"shape_type":"circle"},
        {"label":"tree","points":[[3,1],[5,3],[3,5],[1,3]],"shape_type":"rotation"},
        {"label":"tree","points":[[3,1],[5,3]],"shape_type":"line"},
        {"label":"tree","points":[[3,1]],"shape_type":"point"},
        {"label":"tree","points":"x","shape_type":"polygon"},
        {"label":null,"points":[[3,1],[5,3]],"shape_type":"rectangle"}],
        "imagePath":"..\\images\\a.png","imageHeight":64,"imageWidth":60}"#;
    let file = read_text("a.json", text).unwrap();
    assert_eq!(
        bounds(&file),
        [
            [10.0, 12.0, 30.0, 40.0],
            [10.0, 12.0, 30.0, 40.0],
            [0.0, 0.0, 8.0, 9.0],
            [15.0, 15.0, 25.0, 25.0],
            [1.0, 1.0, 5.0, 5.0]
        ]
    );
    assert_eq!(
        (file.images[0].width, file.images[0].left_out),
        (Some(60), 4)
    );
    assert!(file.images[0].is_called("a.tif"));
    says(
        &file,
        &["1 polygons became", "1 circles", "1 rotated box keeps"],
    );
    assert_says(
        &file.notice().unwrap(),
        &["2 that are lines or points", "1 without a label"],
    );
    let empty = r#"{"shapes":[],"imagePath":"a.png"}"#;
    assert!(
        read_text("a.json", empty).unwrap().images[0]
            .boxes
            .is_empty()
    );
}

#[test]
fn cvat_shapes_become_boxes_and_videos_are_named() {
    let text = r#"<?xml version="1.0"?><annotations><version>1.1</version><meta/>
        <image id="0" name="sub/a.png" width="64" height="60">
        <box label="tree" xtl="10" ytl="12" xbr="30" ybr="40" occluded="0"><attribute name="x">1</attribute></box>
        <box label="tree" xtl="10" ytl="20" xbr="30" ybr="30" rotation="90"/>
        <polygon label="a &amp; b" points="1,2;9,2;9,8"/>
        <ellipse label="tree" cx="20" cy="20" rx="5" ry="3" rotation="90"/>
        <polyline label="road" points="1,2;9,2"/><tag label="sunny"/></image>
        <image id="1" name="b.png" width="64" height="60"/></annotations>"#;
    let file = read_text("a.xml", text).unwrap();
    let found = bounds(&file);
    assert_eq!(found[0], [10.0, 12.0, 30.0, 40.0]);
    let near = |a: [f64; 4], b: [f64; 4]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9);
    assert!(near(found[1], [15.0, 15.0, 25.0, 35.0]) && near(found[3], [17.0, 15.0, 23.0, 25.0]));
    assert_eq!(file.images[0].boxes[2].class, "a & b");
    assert_eq!(
        (
            file.images.len(),
            file.images[0].left_out,
            file.images[1].boxes.len()
        ),
        (2, 1, 0)
    );
    says(&file, &["1 polygons", "1 ellipses"]);
    assert!(
        file.images[0].boxes[1].outline.is_none(),
        "a quarter turn is an upright box"
    );
    let video = "<annotations><version>1.1</version><track id=\"0\" label=\"car\"/></annotations>";
    let error = read_text("a.xml", video).unwrap_err();
    assert_says(&error.to_string(), &["of a video"]);
    let broken = "<annotations><image name=\"a.png\">\n<box label=\"tree\" xtl=\"10\" xbr=\"30\" ybr=\"40\"/></image></annotations>";
    let error = read_text("a.xml", broken).unwrap_err();
    assert_says(&error.to_string(), &["line 2", "`ytl`"]);
    assert_says(&error.hint().unwrap(), &["xbr"]);
}

#[test]
fn dota_corners_become_boxes() {
    let text = "imagesource:GoogleEarth\ngsd:0.14\n10.0 20.0 30.0 25.0 28.0 40.0 8.0 35.0 small-vehicle 0\n\
                1 1 5 1 5 4 1 4 ship 1\n";
    let file = read_text("P0001.txt", text).unwrap();
    assert_eq!(
        bounds(&file),
        [[8.0, 20.0, 30.0, 40.0], [1.0, 1.0, 5.0, 4.0]]
    );
    assert_eq!(file.classes, ["ship", "small-vehicle"]);
    assert_eq!(file.images[0].file, "P0001");
    says(&file, &["1 rotated box keeps", "1 box marked as difficult"]);
    // Without its header, and a file of an image where nothing is.
    let bare = text.split_once("0.14\n").unwrap().1;
    assert_eq!(bounds(&read_text("a.txt", bare).unwrap()).len(), 2);
    assert!(bounds(&read_text("a.txt", "imagesource:x\ngsd:null\n").unwrap()).is_empty());
    for (line, what) in [
        ("1 1 5 1 5 4 1 ship", "a class and a difficulty"),
        ("1 1 5 1 5 4 1 x ship 0", "a coordinate"),
        ("1 1 5 1 5 4 1 4 ship hard", "a difficulty"),
    ] {
        let error = read_text("a.txt", &format!("gsd:1\n{line}\n")).unwrap_err();
        assert_says(&error.to_string(), &["line 2", what]);
        assert_says(&error.hint().unwrap(), &["x1 y1 x2 y2"]);
    }
}

#[test]
fn tables_of_polygons_and_of_other_programs() {
    let crowns = "image_path,label,geometry\na.png,Tree,\"POLYGON ((30 12, 30 40, 10 40, 10 12, 30 12))\"\nb.png,,\n";
    let file = read_text("a.csv", crowns).unwrap();
    assert_eq!(bounds(&file), [[10.0, 12.0, 30.0, 40.0]]);
    assert!(file.remarks.is_empty() && file.images[1].boxes.is_empty());
    let space_net = "ImageId,BuildingId,PolygonWKT_Pix,PolygonWKT_Geo\nimg1,-1,POLYGON EMPTY,POLYGON EMPTY\n\
                     img2,1,\"POLYGON ((1 2 0,9 2 0,5 8 0,1 2 0))\",\"POLYGON ((7.1 4.2,7.2 4.2,7.2 4.1,7.1 4.2))\"\n";
    let file = read_text("a.csv", space_net).unwrap();
    assert_eq!(bounds(&file), [[1.0, 2.0, 9.0, 8.0]]);
    assert!(file.images[0].file == "img1" && file.images[0].boxes.is_empty());
    says(&file, &["1 polygons became the upright boxes"]);
    let open_buildings = "latitude,longitude,area_in_meters,confidence,geometry,full_plus_code\n\
                          9.1,7.2,40,0.8,\"POLYGON((7.1 9.1, 7.2 9.1, 7.2 9.0, 7.1 9.1))\",x\n";
    let error = read_text("a.csv", open_buildings).unwrap_err();
    assert_says(&error.to_string(), &["degrees", "longitude and geometry"]);
    assert_says(&error.hint().unwrap(), &["EPSG:4326"]);
    let tensorflow = "filename,width,height,class,xmin,ymin,xmax,ymax\na.png,300,200,car,5,6,25,21\nb.png,300,200,,,,,\n";
    let file = read_text("a.csv", tensorflow).unwrap();
    assert_eq!(
        (file.images[0].width, file.images[0].height),
        (Some(300), Some(200))
    );
    let of_boxes = "xmin,ymin,xmax,ymax,width,height\n5,6,25,21,20,15\n";
    assert_eq!(read_text("a.csv", of_boxes).unwrap().images[0].width, None);
    let german = "image_path;xmin;ymin;xmax;ymax;label\na.png;1,5;2;30;40,25;Baum;\n";
    let file = read_text("a.csv", german).unwrap();
    assert_eq!(bounds(&file), [[1.5, 2.0, 30.0, 40.25]]);
    says(&file, &["2 numbers with a decimal comma"]);
    let without_header = "a.png,5,6,25,21,car\nb.png,5,6,25,21,car\n";
    let error = read_text("a.csv", without_header).unwrap_err();
    assert_says(&error.to_string(), &["names of the columns", "a.png,5,6"]);
    assert_says(
        &error.hint().unwrap(),
        &["image_path,xmin,ymin,xmax,ymax,label"],
    );
    let open_quote = "xmin,ymin,xmax,ymax,label\n1,2,3,4,t\n1,2,3,4,\"t\n1,2,3,4,t\n";
    let error = read_text("a.csv", open_quote).unwrap_err();
    assert_says(&error.to_string(), &["line 3", "quotation mark"]);
    assert!(read_text("a.txt", "xmin ymin xmax ymax\n").is_err());
    assert_eq!(
        bounds(&read_text("a.txt", "xmin,ymin,xmax,ymax\n1,2,3,4\n").unwrap()).len(),
        1
    );
}

#[test]
fn images_without_objects_are_empty_and_not_broken_in_every_format() {
    // DeepForest: a row of zeros or of nothing says that the image was looked through.
    for (name, text) in [
        (
            "a.csv",
            "image_path,xmin,ymin,xmax,ymax,label\na.png,0,0,0,0,Tree\n",
        ),
        (
            "a.csv",
            "image_path,xmin,ymin,xmax,ymax,label\na.png,,,,,\n",
        ),
        (
            "a.csv",
            "image_path,xmin,ymin,xmax,ymax,label\na.png,nan,nan,nan,nan,nan\n",
        ),
        (
            "a.csv",
            "image_path,xmin,ymin,xmax,ymax,label\na.png,NA,NA,NA,NA,NA\n",
        ),
        ("a.csv", "image_path,xmin,ymin,xmax,ymax,label\n"),
        ("a.txt", ""),
        ("a.txt", "\n"),
        (
            "a.xml",
            "<annotation><filename>a.png</filename></annotation>",
        ),
        ("a.xml", "<annotation/>"),
        (
            "a.xml",
            "<annotations><image name=\"a.png\"/></annotations>",
        ),
        (
            "a.json",
            r#"{"images":[{"id":1,"file_name":"a.png"}],"annotations":[],"categories":[]}"#,
        ),
        (
            "a.json",
            r#"{"images":[],"annotations":[],"categories":[]}"#,
        ),
        ("a.json", r#"{"shapes":[],"imagePath":"a.png"}"#),
        ("a.json", r#"{"shapes":null,"imagePath":"a.png"}"#),
    ] {
        let file = read_text(name, text).unwrap_or_else(|error| panic!("{name} {text}: {error}"));
        let image = file.image(Path::new(name), "a.png").unwrap();
        assert_eq!(
            (image.boxes.len(), image.left_out, file.left_out.len()),
            (0, 0, 0),
            "{text}"
        );
    }
    // Zeros among other rows are boxes without size.
    let text = "image_path,xmin,ymin,xmax,ymax\na.png,0,0,0,0\na.png,1,1,5,5\n";
    let file = read_text("a.csv", text).unwrap();
    assert_eq!((bounds(&file).len(), file.images[0].left_out), (1, 1));
}

#[test]
fn yolo_lines_are_told_apart_by_their_count_of_numbers() {
    let size = |text: &str| {
        let file = read_text("a.txt", text).unwrap();
        let boxes = bounds(&file);
        (boxes[0].map(|edge| (edge * 1e6).round() / 1e6), file)
    };
    // 200 x 100 pixels.
    assert_eq!(size("0 .5 .5 .2 .4").0, [80.0, 30.0, 120.0, 70.0]);
    assert_eq!(size("0.000e+00 5e-1 .5 .2 .4").0, [80.0, 30.0, 120.0, 70.0]);
    let (edges, file) = size("0 .5 .5 .2 .4 .9");
    assert_eq!(edges, [80.0, 30.0, 120.0, 70.0]);
    says(&file, &["1 box with a confidence"]);
    let (edges, file) = size("0 .5 .4 .6 .5 .5 .6 .4 .5");
    assert_eq!(edges, [80.0, 40.0, 120.0, 60.0]);
    says(
        &file,
        &[
            "1 rotated box keeps its corners",
            "the upright box around it",
        ],
    );
    let (edges, file) = size("0 .1 .1 .3 .1 .2 .4 .95");
    assert_eq!(edges, [20.0, 10.0, 60.0, 40.0]);
    says(&file, &["1 outlines", "confidence"]);
    // Ultralytics' pose: the box, then x, y and the visibility of each point.
    let (edges, file) = size("0 .5 .5 .2 .4 .45 .4 2 .55 .6 1 .5 .5 0");
    assert_eq!(edges, [80.0, 30.0, 120.0, 70.0]);
    says(&file, &["the keypoints of 1 box were passed over"]);
    for text in ["-1 .5 .5 .1 .1", "0.5 .5 .5 .1 .1", "0 .5"] {
        let error = read_text("a.txt", text).unwrap_err();
        assert_says(&error.to_string(), &["line 1"]);
        assert_says(&error.hint().unwrap(), &["class x y width height"]);
    }
    for (text, name) in [
        (
            "Car 0.00 0 -1.57 599.4 156.4 629.7 189.2 2.85 2.63 12.34 0.47 1.49 69.44 -1.56",
            "KITTI",
        ),
        ("684,8,273,116,0,0,0,0\n", "VisDrone"),
        ("P0706 0.95 10 20 30 25 28 40 8 35\n", "detections"),
    ] {
        let error = read_text("a.txt", text).unwrap_err();
        assert_says(&error.to_string(), &[name]);
    }
}

/// The classes of `labels/train/a.txt` beside which these files lie.
fn yolo_beside(files: &[(&str, &str)]) -> Result<BoxFile, FormatError> {
    let folder = Scratch::new("x.txt");
    let train = folder.0.with_file_name("train");
    std::fs::create_dir_all(&train).unwrap();
    for (name, text) in files {
        let file = train.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let labels = train.join("a.txt");
    std::fs::write(&labels, "0 .5 .5 .2 .4\n7 .1 .2 .1 .1\n").unwrap();
    let options = ReadOptions {
        size: Some((100, 100)),
        ..ReadOptions::default()
    };
    read(labels, &options)
}

#[test]
fn yolo_names_are_found_in_every_form_of_yaml() {
    // The values are PyYAML 6.0's: yaml.safe_load(text)["names"].
    for yaml in [
        "nc: 8\nnames: [plane, ship, c, d, e, f,\n  harbor, bridge]\n",
        "names: {0: plane, 1: b, 2: c, 3: d, 4: e, 5: f, 6: g, 7: bridge}\n",
        "names:\n  7: bridge\n  0: plane # first\n",
        "names:\n  - plane\n  - 'b: c'\n  - c\n  - d\n  - e\n  - f\n  - g\n  - \"bridge\"\n",
        "# a comment\nall: &names [plane, b, c, d, e, f, g, bridge]\nnames: *names\n",
        "names: ['plane', \"b\", c, d,\n\n  # between\n  e, f, g, bridge,]\n",
        "{\"names\": [\"plane\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"bridge\"]}",
        "names:\n  '0': plane\n  \"7\": bridge\n",
        "---\npath: ../x\nnames:\n- plane\n- b\n- c\n- d\n- e\n- f\n- g\n- bridge\n...\n",
    ] {
        let file = yolo_beside(&[("../../data.yaml", yaml)])
            .unwrap_or_else(|error| panic!("{yaml}: {error}"));
        let names: Vec<&str> = file.images[0]
            .boxes
            .iter()
            .map(|one| one.class.as_str())
            .collect();
        assert_eq!(names, ["plane", "bridge"], "{yaml}");
        assert!(!file.unnamed_classes);
    }
    let long = "plane\nb\nc\nd\ne\nf\ng\nbridge\n";
    for files in [
        &[
            ("../../data.yaml", "names: names.txt\n"),
            ("../../names.txt", long),
        ][..],
        &[
            ("../../obj.data", "classes = 8\nnames = data/obj.list\n"),
            ("../../data/obj.list", long),
        ],
        &[("../classes.txt", long)],
        &[("_darknet.labels", long)],
        &[("../../dota.yaml", "names: {0: plane, 7: bridge}\n")],
        &[("../../other.names", long)],
        &[(
            "../classes.txt",
            "0: plane\n1: b\n2: c\n3: d\n4: e\n5: f\n6: g\n7: bridge\n",
        )],
        &[(
            "../notes.json",
            r#"{"categories":[{"id":0,"name":"plane"},{"id":7,"name":"bridge"}]}"#,
        )],
        // An empty line keeps its number.
        &[("classes.txt", "plane\n\nc\nd\ne\nf\ng\nbridge\n\n")],
        // Alike where it counts.
        &[
            ("classes.txt", long),
            (
                "../../data.yaml",
                "names: {0: plane, 1: other, 7: bridge}\n",
            ),
        ],
    ] {
        let file = yolo_beside(files).unwrap_or_else(|error| panic!("{files:?}: {error}"));
        assert_eq!(file.images[0].boxes[1].class, "bridge", "{files:?}");
    }
    let file =
        yolo_beside(&[("../../data.yaml", "nc: 9\nnames: {0: plane, 7: bridge}\n")]).unwrap();
    says(&file, &["`nc: 9` and 2 names"]);
}

#[test]
fn yolo_names_that_are_missing_or_differ_are_told() {
    let file = yolo_beside(&[]).unwrap();
    assert!(file.unnamed_classes && file.classes == ["0", "7"]);
    let file = yolo_beside(&[("../../data.yaml", "nc: 8\ntrain: x\n")]).unwrap();
    assert!(file.unnamed_classes);
    says(&file, &["`nc: 8` and no `names`"]);
    for (files, parts) in [
        (
            &[("../../data.yaml", "names: {3: plane, 4: ship}\n")][..],
            &[
                "line 1",
                "class number 0",
                "names 3, 4",
                "2 of the file's lines",
            ][..],
        ),
        (
            &[
                ("classes.txt", "a\nb\nc\nd\ne\nf\ng\nh\n"),
                ("../../data.yaml", "names: {0: a, 7: x}\n"),
            ],
            &["class number 7", "\"classes.txt\"", "data.yaml"],
        ),
        (
            &[("../../data.yaml", "names: [plane, ship\n")],
            &["data.yaml", "cannot be read"],
        ),
        (
            &[("../../data.yaml", "names: 8\n")],
            &["data.yaml", "a list of names"],
        ),
        (
            &[("../../data.yaml", "names: [[a], b]\n")],
            &["data.yaml", "a text is expected"],
        ),
        (
            &[("../../data.yaml", "names: nowhere.txt\n")],
            &["nowhere.txt"],
        ),
        (
            &[("../../obj.data", "names = nowhere.names\n")],
            &["nowhere.names"],
        ),
    ] {
        let error = yolo_beside(files).unwrap_err();
        let parts: Vec<String> = parts.iter().map(|part| part.replace('"', "")).collect();
        for part in &parts {
            assert!(
                error.to_string().contains(part.as_str()),
                "{part} is not in: {error}"
            );
        }
        assert!(error.hint().is_some());
    }
    // A YAML file about something else, in a dialect of its own, is nobody's business.
    assert!(
        yolo_beside(&[("../../other.yaml", "a: [\n")])
            .unwrap()
            .unnamed_classes
    );
}

#[test]
fn pascal_voc_says_what_is_difficult_and_turned() {
    let text = "<annotation verified='a > b'><filename>a.png</filename><size><width>64.0</width><height>64</height></size>\n\
        <object><name>ship</name><difficult>1</difficult><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax><ymax>21</ymax>\
        </bndbox></object><object><type>robndbox</type><name>ship</name><robndbox><cx>20</cx><cy>20</cy><w>10</w><h>4</h>\
        <angle>1.5707963267948966</angle></robndbox></object></annotation>";
    let file = read_text("a.xml", text).unwrap();
    let found = bounds(&file);
    assert_eq!(found[0], [5.0, 6.0, 25.0, 21.0]);
    assert!(
        (found[1][0] - 18.0).abs() < 1e-9 && (found[1][3] - 25.0).abs() < 1e-9,
        "{found:?}"
    );
    assert_eq!(file.images[0].width, Some(64));
    says(&file, &["1 box marked as difficult"]);
    let two = "<annotation/>\n<annotation/>";
    assert_says(
        &read_text("a.xml", two).unwrap_err().to_string(),
        &["line 2", "the end of the file"],
    );
}

#[test]
fn texts_of_other_encodings_are_read_and_said() {
    let file = Scratch::new("a.csv");
    std::fs::write(&file.0, b"xmin,ymin,xmax,ymax,label\n1,2,3,4,B\xe4ume\n").unwrap();
    let read_back = read(&file.0, &ReadOptions::default()).unwrap();
    assert_eq!(read_back.classes, ["Bäume"]);
    says(&read_back, &["ISO-8859-1"]);
    let text = "xmin,ymin,xmax,ymax,label\n1,2,3,4,Bäume\n";
    for (mark, big) in [([0xff, 0xfe], false), ([0xfe, 0xff], true)] {
        let units = text.encode_utf16();
        let bytes = units.flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        });
        let bytes: Vec<u8> = mark.into_iter().chain(bytes).collect();
        std::fs::write(&file.0, bytes).unwrap();
        assert_eq!(
            read(&file.0, &ReadOptions::default()).unwrap().classes,
            ["Bäume"]
        );
    }
}

#[test]
fn classes_that_differ_in_capitals_are_noted() {
    let text =
        "xmin,ymin,xmax,ymax,label\n1,2,3,4,Tree\n1,2,3,4,tree\n1,2,3,4, tree \n1,2,3,4,car\n";
    let file = read_text("a.csv", text).unwrap();
    assert_eq!(file.classes, ["Tree", "car", "tree"]);
    says(
        &file,
        &["\"Tree\" and \"tree\" differ only in their capitals"],
    );
}

#[test]
fn folders_patterns_pictures_and_lists_of_names_are_told() {
    let folder = Scratch::new("x.txt");
    let labels = folder.0.parent().unwrap();
    for name in ["a.tif", "mask.png", "a.xml", "a.json"] {
        std::fs::write(labels.join(name), b"\x89PNG\r\n\x1a\n\0\0").unwrap();
        assert!(
            matches!(
                format_of(labels.join(name)),
                Err(FormatError::Image { kind: "PNG", .. })
            ),
            "{name}"
        );
    }
    assert!(matches!(format_of(labels), Err(FormatError::Folder { .. })));
    assert!(matches!(
        format_of(labels.join("*.txt")),
        Err(FormatError::Pattern { .. })
    ));
    for name in ["data.yaml", "obj.names", "a.xlsx"] {
        let error = format_of(labels.join(name)).unwrap_err();
        assert!(matches!(error, FormatError::OtherFormat { .. }) && error.hint().is_some());
    }
    std::fs::write(labels.join("b.csv"), b"a\0b").unwrap();
    assert!(matches!(
        read(labels.join("b.csv"), &ReadOptions::default()),
        Err(FormatError::NotText { .. })
    ));
    assert_eq!(format_of("/vsizip/x.zip/a.shp").unwrap(), None);
}

#[test]
fn images_are_listed_by_their_names_and_nameless_ones_in_words() {
    let of = |names: &[&str]| BoxFile {
        images: names
            .iter()
            .map(|name| LabeledImage {
                file: (*name).to_owned(),
                ..LabeledImage::default()
            })
            .collect(),
        ..BoxFile::default()
    };
    let error = |names: &[&str]| of(names).image(Path::new("l.json"), "z.png").unwrap_err();
    let nameless = error(&["", "", ""]);
    assert_says(
        &nameless.to_string(),
        &["holds 3 images", "its images have no names"],
    );
    assert_says(&nameless.hint().unwrap(), &["file_name"]);
    let some = error(&["a.png", "", "b", "c", "d", "e", "f", "g"]);
    assert_says(
        &some.to_string(),
        &["it has a.png, b, c, d, e and 2 more, 1 without a name"],
    );
    assert_says(&some.hint().unwrap(), &["ReadOptions { image"]);
    assert_eq!(
        of(&["A.PNG", "b.png"])
            .image(Path::new("l.json"), "a.tif")
            .unwrap()
            .file,
        "A.PNG"
    );
    let image = |file: &str| LabeledImage {
        file: file.to_owned(),
        ..LabeledImage::default()
    };
    assert!(image("").is_called("a.png") && image("x/Plot1.PNG").is_called("plot1.tif"));
    assert!(image("tile.1").is_called("tile.1.tif") && !image("plot9.png").is_called("plot1.png"));
}
