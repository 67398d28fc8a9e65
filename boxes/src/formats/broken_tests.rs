//! Files that were cut or hit by other bytes: never a panic, never fewer boxes without a word.

use rand::{RngExt, SeedableRng};

use super::tests::Scratch;
use super::*;

/// A sound file of each format with three boxes.
fn sound() -> Vec<(&'static str, String)> {
    let coco = r#"{"images":[{"id":1,"file_name":"a.png","width":64,"height":64}],"annotations":[
        {"id":1,"image_id":1,"category_id":1,"bbox":[5,6,20,15],"iscrowd":0},
        {"id":2,"image_id":1,"category_id":1,"bbox":null,"segmentation":[[30,40,50,40,50,48]]},
        {"id":3,"image_id":1,"category_id":1,"segmentation":{"size":[64,64],"counts":[323,10,54,10,3699]},"iscrowd":1}],
        "categories":[{"id":1,"name":"tree"}]}"#;
    let labelme = r#"{"shapes":[{"label":"tree","points":[[10,12],[30,40]],"shape_type":"rectangle"},
        {"label":"tree","points":[[10,12],[30,40],[3,9]]},{"label":"car","points":[[1,2],[3,4]],"shape_type":"circle"}],
        "imagePath":"a.png","imageHeight":64,"imageWidth":64}"#;
    let object = "<object><name>tree</name><difficult>0</difficult><bndbox><xmin>5</xmin><ymin>6</ymin><xmax>25</xmax>\
                  <ymax>21</ymax></bndbox></object>\n";
    let voc = format!(
        "<?xml version=\"1.0\"?>\n<annotation><filename>a.png</filename>\n{object}{object}{object}</annotation>"
    );
    let shape =
        "<box label=\"tree\" xtl=\"10\" ytl=\"12\" xbr=\"30\" ybr=\"40\" rotation=\"10\"/>\n";
    let cvat = format!(
        "<annotations><image name=\"a.png\" width=\"64\" height=\"64\">\n{shape}{shape}{shape}</image></annotations>"
    );
    let dota = "imagesource:x\ngsd:0.1\n".to_owned()
        + &"10.0 20.0 30.0 25.0 28.0 40.0 8.0 35.0 ship 0\n".repeat(3);
    let table = "image_path,xmin,ymin,xmax,ymax,label\n".to_owned()
        + &"a.png,5,6,25,21,\"tree\"\n".repeat(3);
    let crowns = "image_path,label,geometry\n".to_owned()
        + &"a.png,t,\"POLYGON ((30 12, 30 40, 10 40, 30 12))\"\n".repeat(3);
    vec![
        ("coco.json", coco.to_owned()),
        ("labelme.json", labelme.to_owned()),
        ("voc.xml", voc),
        ("cvat.xml", cvat),
        ("dota.txt", dota),
        ("a.csv", table),
        ("b.csv", crowns),
        ("yolo.txt", "0 0.5 0.5 0.2 0.4\n".repeat(3)),
        ("seg.txt", "0 0.1 0.1 0.3 0.1 0.2 0.4\n".repeat(3)),
    ]
}

fn try_read(name: &str, bytes: &[u8]) -> Result<BoxFile, FormatError> {
    let file = Scratch::new(name);
    std::fs::write(&file.0, bytes).unwrap();
    let options = ReadOptions {
        size: Some((64, 64)),
        ..ReadOptions::default()
    };
    read(&file.0, &options)
}

fn counted(file: &BoxFile) -> usize {
    let boxes: usize = file.images.iter().map(|image| image.boxes.len()).sum();
    boxes + file.left_out.values().sum::<usize>()
}

#[test]
fn a_file_that_is_cut_is_an_error_or_complete() {
    for (name, text) in sound() {
        let whole =
            try_read(name, text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(counted(&whole), 3, "{name}");
        let in_lines = name.ends_with("txt") || name.ends_with("csv");
        for end in 0..text.len() {
            let Ok(file) = try_read(name, &text.as_bytes()[..end]) else {
                continue;
            };
            // Where a line is an entry, nothing tells a file of two lines from one of three that lost its last.
            let header = usize::from(name.ends_with("csv"));
            if in_lines {
                let entries = text[..end].trim_end().lines().count();
                let entries =
                    entries.saturating_sub(header + if name == "dota.txt" { 2 } else { 0 });
                // A row that ends before its place says that its image holds nothing.
                let placeless = usize::from(text[..end].ends_with(','));
                assert!(
                    [entries, entries - placeless.min(entries)].contains(&counted(&file)),
                    "{name} at {end}: {} of {entries}",
                    counted(&file)
                );
            } else {
                assert_eq!(counted(&file), 3, "{name} at {end}");
            }
        }
    }
}

#[test]
fn other_bytes_never_panic_and_never_lose_a_box_in_silence() {
    let mut random = rand_pcg::Pcg64Mcg::seed_from_u64(9);
    for (name, text) in sound() {
        let bytes = text.as_bytes();
        for round in 0..400 {
            let mut mutated = bytes.to_vec();
            for _ in 0..=(round % 3) {
                let at = random.random_range(0..mutated.len());
                match random.random_range(0..4) {
                    0 => mutated[at] = random.random_range(0..=255),
                    1 => mutated[at] = b"0-.,;\"'[]{}<>/:e \n"[random.random_range(0..18)],
                    2 => {
                        mutated.remove(at);
                    }
                    _ => mutated.insert(at, mutated[at]),
                }
            }
            // What is read has an error, or a box or a count for each line that is left; a panic fails the test.
            if let Ok(file) = try_read(name, &mutated) {
                let _ = (
                    file.notice(),
                    file.image(Path::new(name), "a.png")
                        .map(|image| image.boxes.len()),
                );
                assert!(
                    file.images
                        .iter()
                        .flat_map(|image| &image.boxes)
                        .all(|one| one.bounds.is_valid())
                );
            }
        }
        // Every line in turn is missing, doubled, or emptied.
        let lines: Vec<&str> = text.lines().collect();
        for at in 0..lines.len() {
            let mut without = lines.clone();
            without.remove(at);
            let mut doubled = lines.clone();
            doubled.insert(at, lines[at]);
            for lines in [without, doubled] {
                let _ = try_read(name, lines.join("\n").as_bytes());
            }
        }
    }
}
