//! Chips of single objects: the polygons that somebody has drawn are the cells (Raster Vision's `infer_cells=False`).

use swath::chips::Chips;
use swath::labels::CellRule;
use swath::raster::PixelWindow;
use swath::scene::{Scene, Split};

use crate::features::{imagery, layer, of, square, write};

/// Six cells of 20 pixels in two rows, a field and a wood in turn; and a narrow wood of 40 by 4 pixels, nearly all of whose
/// square is background.
fn drawn(folder: &std::path::Path) -> Scene {
    let scene = imagery(folder);
    let corner = |col: usize, row: usize| {
        let point = (col as f64, row as f64);
        let (x, y) = scene.raster().transform().world_from_pixel(point);
        format!("{x} {y}")
    };
    let narrow = [(120, 60), (160, 60), (160, 64), (120, 64), (120, 60)];
    let narrow: Vec<String> = narrow.iter().map(|&(x, y)| corner(x, y)).collect();
    let mut cells: Vec<(&str, String)> = (0..6)
        .map(|index| {
            let class = if index % 2 == 0 { "field" } else { "wood" };
            (class, square(index % 3 * 20, index / 3 * 20, 20))
        })
        .collect();
    cells.push(("wood", format!("POLYGON (({}))", narrow.join(","))));
    let path = write(
        &folder.join("cells.gpkg"),
        "GPKG",
        &[layer("cells", "kind", of(&cells))],
    );
    scene.with_labels(path, "kind").unwrap()
}

#[test]
fn drawn_cells_are_chips_of_their_own_class() {
    let folder = tempfile::tempdir().unwrap();
    let scene = drawn(folder.path());
    let options = Chips::objects(20).flips(false);
    // A rule is asked for what lies between the objects, not for these.
    let ruled = scene.with_cells(CellRule::share_of_cell(0.9)).unwrap();
    let chips = ruled.chips(&options).unwrap();
    assert_eq!(chips.len(), 7);
    let (field, wood) = (
        ruled.classes().index_of("field"),
        ruled.classes().index_of("wood"),
    );
    for index in 0..6 {
        let chip = chips.get(index).unwrap();
        let (col, row) = (index as i64 % 3 * 20, index as i64 / 3 * 20);
        assert_eq!(chip.window, PixelWindow::new(col, row, 20, 20));
        assert_eq!(chip.class, if index % 2 == 0 { field } else { wood });
        assert_eq!(chip.patch.data[0], col as f32);
    }
    // The square around the narrow wood is resized to a chip, and the wood is its class though it covers a tenth of it.
    let narrow = chips.get(6).unwrap();
    assert_eq!(narrow.window, PixelWindow::new(120, 42, 40, 40));
    assert_eq!((narrow.patch.size.width, narrow.labels.len()), (20, 400));
    assert_eq!(narrow.class, wood);
    let of_wood = narrow
        .labels
        .iter()
        .filter(|&&label| Some(usize::from(label)) == wood);
    assert_eq!(of_wood.count(), 2 * 20);
    assert_eq!(chips.window_sizes(), 20..=40);
}

#[test]
fn saved_chips_of_objects_keep_their_classes() {
    let folder = tempfile::tempdir().unwrap();
    let scene = drawn(folder.path());
    let chips = scene.chips(Chips::objects(20).flips(false)).unwrap();
    let set = folder.path().join("set");
    chips.save(&set).unwrap();
    let opened = swath::chips::ChipSet::open(&set).unwrap();
    // Each chip lacks one of both classes: said once, with the counts of both.
    let report = opened.report();
    let said: Vec<String> = report
        .iter()
        .map(ToString::to_string)
        .filter(|notice| notice.contains("no pixel"))
        .collect();
    assert_eq!(said.len(), 1, "{report}");
    // Three squares of fields, three of woods, and the narrow wood.
    assert!(
        said[0].contains("7 of 7 scenes have no pixel of some class")
            && said[0].contains("no pixel is wood in 3, field in 4"),
        "{report}"
    );
    assert!(report.len() <= 5, "{report}");
    assert!(
        opened
            .report()
            .mentions("of the object that they were cut around"),
        "{}",
        opened.report()
    );
    let again = opened.chips().unwrap();
    let classes: Vec<_> = (0..7)
        .map(|index| chips.get(index).unwrap().class)
        .collect();
    let read: Vec<_> = (0..7)
        .map(|index| again.get(index).unwrap().class)
        .collect();
    assert!(classes.iter().all(Option::is_some));
    assert_eq!(classes, read);
}

#[test]
fn squares_of_objects_at_the_edge_lie_inside_and_those_of_other_parts_are_left_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let scene = imagery(folder.path());
    let cells = of(&[
        ("a", square(0, 80, 10)),
        ("a", square(95, 0, 12)),
        ("a", square(150, 10, 60)),
    ]);
    let path = write(
        &folder.path().join("cells.gpkg"),
        "GPKG",
        &[layer("cells", "kind", cells)],
    );
    let scene = scene.with_labels(path, "kind").unwrap();
    // The second one's middle is at column 101: it is of the right part, and does not reach into the left one.
    let (left, right) = scene.split(Split::columns(0.5));
    let windows = |scene: &Scene| -> Vec<PixelWindow> {
        let chips = scene.chips(Chips::objects(8)).unwrap();
        let chips = (0..chips.len()).map(|index| chips.get(index).unwrap().window);
        chips.collect()
    };
    assert_eq!(windows(&left), [PixelWindow::new(0, 80, 10, 10)]);
    assert_eq!(
        windows(&right),
        [
            PixelWindow::new(100, 0, 12, 12),
            PixelWindow::new(140, 10, 60, 60)
        ]
    );
}

#[test]
fn what_gives_no_chip_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let scene = drawn(folder.path());
    let sheet = write(
        &folder.path().join("sheet.gpkg"),
        "GPKG",
        &[layer("sheet", "name", of(&[("one", square(0, 0, 45))]))],
    );
    let partial = scene.labeled_within(&sheet).unwrap();
    let chips = partial.chips(Chips::objects(20)).unwrap();
    // Two cells are inside whole, two by 5 of 20 columns.
    assert_eq!(chips.len(), 4);
    let said = chips.report().to_string();
    assert!(
        said.contains("3 objects of which less than half counts"),
        "{said}"
    );

    let (_, empty) = scene.split(Split::columns(0.9));
    let none = empty.chips(Chips::objects(20)).map(|_| ()).unwrap_err();
    assert!(
        none.to_string()
            .contains("no labeled object has its middle in the area")
    );
    for (wrong, text) in [
        (
            Chips::objects(20).stride(4),
            "the stride of chips of objects",
        ),
        (
            Chips::objects(20).balanced(),
            "chips at places of their own",
        ),
        (
            Chips::objects(20).window_sizes(10..=20),
            "the size of its object",
        ),
        (Chips::objects(0), "at least 1 px"),
    ] {
        let error = scene.chips(wrong).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}
