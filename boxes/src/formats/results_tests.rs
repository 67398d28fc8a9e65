//! COCO results read back.

use super::coco;
use super::tests::{Scratch, assert_says};
use crate::{BoundingBox, Detection};

#[test]
fn results_are_read_as_they_were_written_and_other_files_say_what_is_missing() {
    let file = Scratch::new("read-results.json");
    let found =
        |x: f64, score| Detection::new(BoundingBox::new(x, 2.25, x + 3.5, 1e3 / 3.0), 2, score);
    let (first, other) = ([found(0.1, 0.3), found(9.7, 0.1)], [found(4.0, 1.0)]);
    coco::write_results(&file.0, [(7, &first[..]), (3, &other[..])]).unwrap();
    let read = coco::read_results(&file.0).unwrap().images;
    assert_eq!(
        read.iter().map(|(image, _)| *image).collect::<Vec<_>>(),
        [3, 7]
    );
    for (one, written) in read[1]
        .1
        .iter()
        .zip(&first)
        .chain(read[0].1.iter().zip(&other))
    {
        assert_eq!((one.class, one.score), (written.class, written.score));
        assert!(1.0 - one.bounds.iou(&written.bounds) < 1e-12, "{one:?}");
    }
    for (text, says) in [
        (
            r#"[{"image_id":1,"category_id":1,"bbox":[0,0,5,5]}]"#,
            "`score`",
        ),
        (
            r#"[{"image_id":1,"category_id":1,"bbox":[0,0,5],"score":1}]"#,
            "length 3",
        ),
        (
            r#"[{"image_id":1,"category_id":-1,"bbox":[0,0,5,5],"score":1}]"#,
            "-1",
        ),
        (
            r#"[{"image_id":1,"category_id":1,"bbox":[0,0,null,5],"score":1}]"#,
            "null",
        ),
        (
            r#"{"images":[],"annotations":[],"categories":[]}"#,
            "a sequence",
        ),
        (r#"[{"image_id":1,"cate"#, "EOF"),
    ] {
        let file = Scratch::holding("no-results.json", text);
        let error = coco::read_results(&file.0).unwrap_err();
        assert_says(&error.to_string(), &["no-results.json", says]);
        assert_says(&error.hint().unwrap(), &["image_id"]);
    }
    let none = Scratch::holding(
        "no-box.json",
        r#"[{"image_id":1,"category_id":1,"bbox":[0,0,0,5],"score":1}]"#,
    );
    let none = coco::read_results(&none.0).unwrap();
    assert_eq!(none.images, [(1, vec![])]);
    assert_eq!(none.left_out.values().sum::<usize>(), 1);
}

#[test]
fn a_broken_result_is_counted_and_the_others_stay() {
    let sound = r#"{"image_id":1,"category_id":1,"bbox":[0,0,5,5],"score":0.5}"#;
    for (broken, what) in [
        (
            r#"{"image_id":1,"category_id":1,"bbox":[0,0,5,5]}"#,
            "`score`",
        ),
        (
            r#"{"image_id":1,"category_id":1,"bbox":[0,0,5],"score":1}"#,
            "length 3",
        ),
        (
            r#"{"image_id":1,"category_id":-1,"bbox":[0,0,5,5],"score":1}"#,
            "-1",
        ),
        (
            r#"{"image_id":1,"category_id":1,"bbox":[0,0,NaN,5],"score":1}"#,
            "null",
        ),
        (
            r#"{"image_id":1,"category_id":1,"bbox":[0,0,-5,5],"score":1}"#,
            "number 2",
        ),
        ("null", "null"),
    ] {
        let file = Scratch::holding("some.json", &format!("[{sound},{broken},{sound}]"));
        let read = coco::read_results(&file.0).unwrap_or_else(|error| panic!("{error}: {broken}"));
        assert_eq!(
            (read.images[0].1.len(), read.left_out.len()),
            (2, 1),
            "{broken}"
        );
        let first: Vec<&String> = read.first_left_out.values().collect();
        assert_says(first[0], &["number 2 of the list", what]);
    }
}
