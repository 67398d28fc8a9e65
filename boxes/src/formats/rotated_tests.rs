//! Rotated boxes: their corners as every format states them, and as COCO keeps them. The corners of CVAT, roLabelImg and
//! Detectron2 were made by shapely 2.2.0's `affinity.rotate(box, angle, origin="center")`, whose positive angles are clockwise
//! where y points down, which is CVAT's and roLabelImg's direction and the opposite of Detectron2's.

use super::tests::{Scratch, assert_says};
use super::*;

const SIZE: (usize, usize) = (200, 100);

fn read_text(name: &str, text: &str) -> Result<BoxFile, FormatError> {
    let file = Scratch::holding(name, text);
    let options = ReadOptions {
        size: Some(SIZE),
        ..ReadOptions::default()
    };
    read(&file.0, &options)
}

#[track_caller]
fn outline(file: &BoxFile, at: usize) -> [f64; 8] {
    let boxes = file.images.iter().flat_map(|image| &image.boxes);
    let all: Vec<_> = boxes.collect();
    let outline = all[at].outline.expect("an outline");
    let (bounds, around) = (all[at].bounds, outline.bounds());
    assert_eq!(bounds, around, "the upright box is the one around");
    outline.to_numbers()
}

#[track_caller]
fn near(found: [f64; 8], expected: [f64; 8]) {
    let far = found
        .iter()
        .zip(expected)
        .map(|(a, b): (&f64, f64)| (a - b).abs());
    assert!(far.fold(0.0, f64::max) < 1e-9, "{found:?} {expected:?}");
}

/// The counts of rotated boxes that the remarks tell.
fn told(file: &BoxFile) -> Vec<Option<usize>> {
    let about = |remark: &&Remark| remark.text.contains("rotated box");
    file.remarks
        .iter()
        .filter(about)
        .map(|remark| remark.count)
        .collect()
}

fn coco_of(annotations: &str) -> String {
    format!(
        r#"{{"images":[{{"id":7,"file_name":"a.png","width":200,"height":100}}],"annotations":[{annotations}],
            "categories":[{{"id":3,"name":"ship"}}]}}"#
    )
}

fn annotation(rest: &str) -> String {
    format!(r#"{{"id":9,"image_id":7,"category_id":3,{rest}}}"#)
}

#[test]
fn dota_keeps_its_corners_to_the_last_digit() {
    let text = "imagesource:GoogleEarth\ngsd:0.14\n10.1 20.0 30.0 25.3 28.0 40.0 8.7 35.0 small-vehicle 0\n\
                1 1 5 1 5 4 1 4 ship 1\n";
    let file = read_text("P0001.txt", text).unwrap();
    assert_eq!(
        outline(&file, 0),
        [10.1, 20.0, 30.0, 25.3, 28.0, 40.0, 8.7, 35.0]
    );
    assert!(
        file.images[0].boxes[1].outline.is_none(),
        "an upright box is not rotated"
    );
    assert_eq!(told(&file), [Some(1)]);
    // Corners that are none leave the box out, and a line is no box.
    for line in [
        "nan 20 30 25 28 40 8 35 ship 0",
        "inf 20 30 25 28 40 8 35 ship 0",
        "1 20 30 20 28 20 8 20 ship 0",
    ] {
        let file = read_text("a.txt", &format!("{text}{line}\n")).unwrap();
        assert_eq!(
            (file.images[0].boxes.len(), file.images[0].left_out),
            (2, 1),
            "{line}"
        );
        assert_eq!(told(&file), [Some(1)], "{line}");
    }
}

#[test]
fn corners_on_a_line_or_out_of_order_are_told() {
    let of = |corners: &str| read_text("a.txt", &format!("{corners} ship 0\n")).unwrap();
    // On one line, across the image: there is no object.
    let line = of("10 10 60 60 110 110 160 160");
    assert_eq!(
        (line.images[0].boxes.len(), line.images[0].left_out),
        (0, 1)
    );
    assert_eq!(line.left_out.get("whose corners lie on one line"), Some(&1));
    // A bow-tie, whose edges cross at its middle.
    let tie = of("10 10 60 60 60 10 10 60");
    let one = &tie.images[0].boxes[0];
    assert_eq!(
        (one.bounds, one.outline),
        (BoundingBox::new(10.0, 10.0, 60.0, 60.0), None)
    );
    assert!(told(&tie).is_empty());
    assert_says(
        &tie.remarks[0].text,
        &["1 box whose corners are not in their order"],
    );
    // A concave one, and three corners of which one lies on an edge, are what they are.
    for corners in ["10 10 60 10 20 20 10 60", "10 10 60 10 35 35 10 60"] {
        assert!(
            of(corners).images[0].boxes[0].outline.is_some(),
            "{corners}"
        );
    }
}

#[test]
fn cvat_turns_clockwise_in_degrees() {
    let of = |attributes: &str| {
        read_text(
            "a.xml",
            &format!(
                "<annotations><version>1.1</version><image id=\"0\" name=\"a.png\" width=\"200\" height=\"100\">\
                 <box label=\"ship\" {attributes}/></image></annotations>"
            ),
        )
        .unwrap()
    };
    let file = of("xtl=\"10\" ytl=\"20\" xbr=\"30\" ybr=\"30\" rotation=\"30\"");
    near(
        outline(&file, 0),
        [
            13.839745962155613,
            15.669872981077807,
            31.160254037844386,
            25.669872981077802,
            26.160254037844386,
            34.33012701892219,
            8.839745962155613,
            24.33012701892219,
        ],
    );
    assert_eq!(told(&file), [Some(1)]);
    let upright = of("xtl=\"10\" ytl=\"20\" xbr=\"30\" ybr=\"30\" rotation=\"0\"");
    assert!(upright.images[0].boxes[0].outline.is_none() && told(&upright).is_empty());
    // Edges the wrong way round are no box, whatever the angle.
    let wrong = of("xtl=\"30\" ytl=\"20\" xbr=\"10\" ybr=\"30\" rotation=\"30\"");
    assert_eq!(
        (wrong.images[0].boxes.len(), wrong.images[0].left_out),
        (0, 1)
    );
    let endless = of("xtl=\"10\" ytl=\"20\" xbr=\"30\" ybr=\"30\" rotation=\"inf\"");
    assert_eq!(endless.images[0].left_out, 1);
}

#[test]
fn pascal_voc_turns_clockwise_in_radians() {
    let text = "<annotation><filename>a.png</filename><object><type>robndbox</type><name>ship</name><robndbox><cx>20</cx>\
                <cy>20</cy><w>10</w><h>4</h><angle>0.5</angle></robndbox></object></annotation>";
    near(
        outline(&read_text("a.xml", text).unwrap(), 0),
        [
            16.570938267756542,
            15.847707183198239,
            25.34676388666027,
            20.64196256924027,
            23.429061732243454,
            24.15229281680176,
            14.65323611333973,
            19.35803743075973,
        ],
    );
}

#[test]
fn labelme_keeps_four_corners() {
    let text = r#"{"shapes":[
        {"label":"ship","points":[[3,1],[5,3],[3,5],[1,3]],"shape_type":"rotation"},
        {"label":"ship","points":[[3,1],[5,3],[3,5],[1,3],[3,1]],"shape_type":"rotation"},
        {"label":"ship","points":[[3,1],[5,3],[3,5]],"shape_type":"rotation"},
        {"label":"ship","points":[[3,1],[5,3],[3,5],[1,3]],"shape_type":"polygon"}],"imagePath":"a.png"}"#;
    let file = read_text("a.json", text).unwrap();
    let diamond = [3.0, 1.0, 5.0, 3.0, 3.0, 5.0, 1.0, 3.0];
    assert_eq!((outline(&file, 0), outline(&file, 1)), (diamond, diamond));
    let outlines = file.images[0].boxes.iter().map(|one| one.outline.is_some());
    assert_eq!(outlines.collect::<Vec<_>>(), [true, true, false, false]);
    assert_eq!(told(&file), [Some(1), Some(2)]);
}

#[test]
fn eight_shares_of_yolo_are_corners_unless_others_are_outlines() {
    // The example of Ultralytics' documentation of OBB data sets.
    let line = "0 0.780811 0.743961 0.782371 0.74686 0.777691 0.752174 0.776131 0.749758";
    let file = read_text("a.txt", line).unwrap();
    near(
        outline(&file, 0),
        [
            156.1622, 74.3961, 156.4742, 74.686, 155.5382, 75.2174, 155.2262, 74.9758,
        ],
    );
    assert_eq!(told(&file), [Some(1)]);
    // With a confidence, and beside an upright box.
    let file = read_text("a.txt", &format!("{line} 0.9\n0 .5 .5 .2 .4\n")).unwrap();
    assert_eq!(
        (told(&file), file.images[0].boxes.len()),
        (vec![Some(1)], 2)
    );
    // Among polygons of other counts, four points are a polygon as well.
    let file = read_text("a.txt", &format!("{line}\n0 .1 .1 .3 .1 .2 .4\n")).unwrap();
    assert!(file.images[0].boxes.iter().all(|one| one.outline.is_none()));
    assert!(told(&file).is_empty());
    let all: Vec<&str> = file.remarks.iter().map(|one| one.text.as_str()).collect();
    assert_says(&all.join("; "), &["2 outlines became the upright boxes"]);
}

#[test]
fn five_numbers_of_coco_are_read_as_detectron2_has_them() {
    let text = coco_of(&annotation(r#""bbox":[9,9,4,2,30]"#));
    let file = read_text("a.json", &text).unwrap();
    near(
        outline(&file, 0),
        [
            6.767949192431124,
            9.133974596215563,
            10.232050807568879,
            7.1339745962155625,
            11.232050807568879,
            8.866025403784441,
            7.767949192431122,
            10.86602540378444,
        ],
    );
    let assumed: Vec<&Remark> = file
        .remarks
        .iter()
        .filter(|remark| remark.kind == RemarkKind::Assumed)
        .collect();
    assert_eq!((assumed.len(), assumed[0].count), (1, Some(1)));
    assert_says(&assumed[0].text, &["Detectron2", "counterclockwise"]);
    // Its polygon leaves nothing to assume.
    let text = coco_of(&annotation(
        r#""bbox":[9,9,4,2,30],"segmentation":[[3,1,5,3,3,5,1,3,3,1]]"#,
    ));
    let file = read_text("a.json", &text).unwrap();
    assert_eq!(outline(&file, 0), [3.0, 1.0, 5.0, 3.0, 3.0, 5.0, 1.0, 3.0]);
    assert!(
        file.remarks
            .iter()
            .all(|remark| remark.kind != RemarkKind::Assumed)
    );
    // One of other than four corners gives the box around it, as ever.
    let text = coco_of(&annotation(
        r#""bbox":[9,9,4,2,30],"segmentation":[[3,1,5,3,1,3]]"#,
    ));
    let file = read_text("a.json", &text).unwrap();
    let one = &file.images[0].boxes[0];
    assert_eq!(one.bounds, BoundingBox::new(1.0, 1.0, 5.0, 3.0));
    assert!(one.outline.is_none());
    assert_says(&file.remarks[0].text, &["the polygon of a rotated box"]);
    // What is none before it is turned is left out, and so is an angle that is none.
    for bbox in ["[9,9,-4,2,30]", "[9,9,4,0,30]", "[9,9,4,2,NaN]"] {
        let text = coco_of(&format!(
            "{},{}",
            annotation(&format!("\"bbox\":{bbox}")),
            annotation("\"bbox\":[1,1,2,2]")
        ));
        let file = read_text("a.json", &text).unwrap();
        assert_eq!(
            (file.images[0].boxes.len(), file.images[0].left_out),
            (1, 1),
            "{bbox}"
        );
    }
}

#[test]
fn coco_of_cvat_and_of_eight_numbers_say_that_a_box_is_rotated() {
    // CVAT exports the box before it is turned, and the angle beside it.
    let text = coco_of(&annotation(
        r#""bbox":[10,20,20,10],"attributes":{"occluded":false,"rotation":30.0}"#,
    ));
    near(
        outline(&read_text("a.json", &text).unwrap(), 0),
        [
            13.839745962155613,
            15.669872981077807,
            31.160254037844386,
            25.669872981077802,
            26.160254037844386,
            34.33012701892219,
            8.839745962155613,
            24.33012701892219,
        ],
    );
    let text = coco_of(&annotation(r#""bbox":[3,1,5,3,3,5,1,3]"#));
    assert_eq!(
        outline(&read_text("a.json", &text).unwrap(), 0),
        [3.0, 1.0, 5.0, 3.0, 3.0, 5.0, 1.0, 3.0]
    );
    // A polygon of four corners alone may be of anything.
    for (rest, rotated) in [
        (r#""attributes":{"rotation":0.0}"#, false),
        (r#""attributes":{"rotated":false}"#, false),
        (r#""attributes":{"rotated":true}"#, true),
        (r#""attributes":[]"#, false),
        (r#""attributes":null"#, false),
        (r#""area":3"#, false),
    ] {
        let text = coco_of(&annotation(&format!(
            r#""bbox":[1,1,4,4],"segmentation":[[3,1,5,3,3,5,1,3]],{rest}"#
        )));
        let file = read_text("a.json", &text).unwrap();
        let one = &file.images[0].boxes[0];
        assert_eq!(one.bounds, BoundingBox::new(1.0, 1.0, 5.0, 5.0), "{rest}");
        assert_eq!(one.outline.is_some(), rotated, "{rest}");
        assert_eq!(told(&file).len(), usize::from(rotated), "{rest}");
    }
    for rest in [
        r#""segmentation":[[3,1,5,3,3,5]]"#,
        r#""segmentation":[[3,1,5,3,3,5,1,3],[1,1,2,1,2,2]]"#,
        r#""segmentation":{"size":[9,9],"counts":[81]}"#,
        r#""segmentation":"x""#,
    ] {
        let text = coco_of(&annotation(&format!(
            r#""bbox":[1,1,4,4],{rest},"attributes":{{"rotated":true}}"#
        )));
        let file = read_text("a.json", &text).unwrap();
        assert!(file.images[0].boxes[0].outline.is_none(), "{rest}");
    }
}

/// A box that the edge cuts keeps its whole outline beside the part that is left.
#[test]
fn coco_gives_outlines_back_as_they_were_written() {
    let outline = Quadrilateral::from_center(4.25, 8.5, 12.0, 3.1, 33.0);
    let cut = LabeledBox {
        bounds: outline
            .bounds()
            .intersection(&BoundingBox::new(0.0, 0.0, 200.0, 100.0))
            .unwrap(),
        ..LabeledBox::rotated(outline, "ship")
    };
    let boxes = vec![
        cut,
        LabeledBox::new(BoundingBox::new(1.0, 2.0, 3.0, 4.0), "ship"),
        LabeledBox {
            crowd: true,
            area: Some(7.5),
            ..LabeledBox::rotated(outline.translate(60.0, 30.0), "ship")
        },
    ];
    let image = LabeledImage {
        file: "a.png".to_owned(),
        width: Some(200),
        height: Some(100),
        boxes,
        left_out: 0,
    };
    let file = Scratch::new("a.json");
    coco::write(&file.0, std::slice::from_ref(&image), &["ship".to_owned()]).unwrap();
    let read = coco::read(&file.0).unwrap();
    for (written, read) in image.boxes.iter().zip(&read.images[0].boxes) {
        match (written.outline, read.outline) {
            (Some(a), Some(b)) => near(a.to_numbers(), b.to_numbers()),
            (a, b) => assert_eq!(a, b),
        }
        let (a, b) = (written.bounds.to_xywh(), read.bounds.to_xywh());
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12));
        assert_eq!(written.crowd, read.crowd);
    }
    assert_eq!(told(&read), [Some(2)]);
    // `area` decides what is small, medium and large, and that is the upright box (docs/file-formats.md): sizes are the same
    // after reading, which they would not be with the area of the outline.
    let sizes = |boxes: &[LabeledBox]| -> Vec<f64> {
        let boxes = boxes.iter();
        boxes
            .map(|one| one.area.unwrap_or_else(|| one.bounds.area()))
            .collect()
    };
    let (now, before) = (sizes(&read.images[0].boxes), sizes(&image.boxes));
    assert!(
        now.iter()
            .zip(before)
            .all(|(now, before)| (now - before).abs() < 1e-9)
    );
    assert!(outline.area() < outline.bounds().area());
    // What pycocotools decodes: a polygon beside an upright box.
    let value: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&file.0).unwrap()).unwrap();
    let entries = value["annotations"].as_array().unwrap();
    assert_eq!(
        entries[2]["segmentation"][0],
        serde_json::json!(outline.translate(60.0, 30.0).to_numbers())
    );
    assert!(entries[1].get("segmentation").is_none() && entries[1].get("attributes").is_none());
}

/// Random quadrilaterals through DOTA's text, bit for bit, and through COCO's, to the last digits: serde_json reads numbers to
/// a unit in the last place.
#[test]
fn random_outlines_are_read_back() {
    use rand::{RngExt, SeedableRng};
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(7);
    let mut number = move || random.random_range(-50.0..250.0_f64);
    let outlines: Vec<Quadrilateral> = (0..500)
        .map(|_| {
            let mut corners: [(f64, f64); 4] = std::array::from_fn(|_| (number(), number()));
            // One after the other around their middle, so that no edges cross.
            let sum = |of: fn(&(f64, f64)) -> f64| corners.iter().map(of).sum::<f64>() / 4.0;
            let (x, y) = (sum(|corner| corner.0), sum(|corner| corner.1));
            corners.sort_by(|a, b| {
                let angle = |corner: &(f64, f64)| (corner.1 - y).atan2(corner.0 - x);
                angle(a).total_cmp(&angle(b))
            });
            Quadrilateral::new(corners)
        })
        .collect();
    let lines = outlines.iter().map(|outline| {
        let words = outline.to_numbers().map(|number| number.to_string());
        format!("{} ship 0\n", words.join(" "))
    });
    let dota = read_text("a.txt", &lines.collect::<String>()).unwrap();
    let found: Vec<_> = dota.images[0]
        .boxes
        .iter()
        .filter_map(|one| one.outline)
        .collect();
    assert!(found == outlines);
    let file = Scratch::new("a.json");
    coco::write(&file.0, &dota.images, &["ship".to_owned()]).unwrap();
    let found = coco::read(&file.0).unwrap().images;
    let found: Vec<_> = found[0]
        .boxes
        .iter()
        .filter_map(|one| one.outline)
        .collect();
    assert_eq!(found.len(), outlines.len());
    for (found, outline) in found.iter().zip(&outlines) {
        near(found.to_numbers(), outline.to_numbers());
    }
}
