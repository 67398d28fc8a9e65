use swath::chips::Chip;
use swath::ndarray::{Array2, Array3};
use swath::prelude::*;

/// 200 x 200 pixels of background, a road of two columns, and one pixel of a well.
fn scene(well: bool, road: std::ops::Range<usize>) -> Scene {
    let mask = Array2::<u8>::from_shape_fn((200, 200), |(row, col)| match (row, col) {
        (100, 100) if well => 2,
        (_, col) if road.contains(&col) => 1,
        _ => 0,
    });
    let scene = Scene::from_array(Array3::<f32>::ones((1, 200, 200))).unwrap();
    scene
        .with_label_array(mask, Classes::new(["road", "well"]))
        .unwrap()
}

fn all(chips: &swath::chips::Chips) -> Vec<Chip> {
    (0..chips.len())
        .map(|index| chips.get(index).unwrap())
        .collect()
}

/// The label in the middle of a chip that no edge has moved.
fn middle(chip: &Chip) -> Option<u8> {
    let within = |start: i64| (1..184).contains(&start);
    let inside = within(chip.window.col) && within(chip.window.row);
    inside.then(|| chip.labels[8 * 16 + 8])
}

/// The discrepancy of a Kronecker sequence is below (2 + ln n) / n: as for scenes.
#[test]
fn every_class_has_its_share_of_chips_even_one_of_a_single_pixel() {
    let scene = scene(true, 40..42);
    for seed in 0..3 {
        let options = Chips::random(300, 16).seed(seed).flips(false);
        let chips = all(&scene.chips(options.clone().balanced()).unwrap());
        let around_well = chips.iter().filter(|chip| chip.labels.contains(&2)).count();
        let centered = chips.iter().filter(|chip| middle(chip) == Some(2)).count();
        assert!((92..=108).contains(&centered), "{centered}");
        // Background chips hold it seldom: 256 of 40,000 places.
        assert!(around_well < centered + 8, "{around_well}");
        let roads = chips.iter().filter(|chip| chip.labels.contains(&1)).count();
        assert!((92..=150).contains(&roads), "{roads}");
        let chips = all(&scene
            .chips(options.class_shares([("well", 0.1), ("road", 0.6)]))
            .unwrap());
        let centered = |class| {
            chips
                .iter()
                .filter(|chip| middle(chip) == Some(class))
                .count()
        };
        assert!((22..=38).contains(&centered(2)), "{}", centered(2));
        // 180 are around the road; those near the upper and the lower edge were moved: 15 of 200 rows.
        assert!((140..=200).contains(&centered(1)), "{}", centered(1));
    }
}

/// Pearson's chi-square over eight parts of the road, 7 degrees of freedom: 24.3 is passed once in a thousand draws.
#[test]
fn every_pixel_of_a_class_is_as_likely_as_any_other_in_all_scenes() {
    let scenes = Scenes::of([scene(false, 40..42), scene(false, 90..96)]).unwrap();
    let options = Chips::random(2000, 16)
        .seed(5)
        .flips(false)
        .class_shares([("road", 1.0)]);
    let chips = scenes.chips(options).unwrap();
    let mut counts = [[0_usize; 4]; 2];
    for chip in all(&chips) {
        assert!(chip.labels.contains(&1));
        // Rows of 46 that no edge moves begin at 8.
        let row = chip.window.row + 8;
        if (9..191).contains(&row) {
            counts[chip.scene][((row - 9) * 4 / 182) as usize] += 1;
        }
    }
    let total: usize = counts.iter().flatten().sum();
    let mut chi_square = 0.0;
    for (scene, width) in [2.0, 6.0].into_iter().enumerate() {
        for (part, &count) in counts[scene].iter().enumerate() {
            // Rows of the part by the rule above.
            let rows = (9..191).filter(|row| (row - 9) * 4 / 182 == part).count() as f64;
            let expected = total as f64 * width / 8.0 * rows / 182.0;
            chi_square += (count as f64 - expected).powi(2) / expected;
        }
    }
    assert!(chi_square < 24.3, "{chi_square} {counts:?}");
}

#[test]
fn chips_by_class_are_the_same_with_any_number_of_threads() {
    let scenes = Scenes::of([scene(true, 10..12), scene(false, 90..96)]).unwrap();
    let options = Chips::random(60, 16).seed(9).balanced();
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            let chips = scenes.chips(&options).unwrap();
            let mut read = Vec::new();
            for batch in chips.epoch(0, 4, threads) {
                read.extend(batch.unwrap());
            }
            read
        })
    };
    let (one, four) = (with_threads(1), with_threads(4));
    assert_eq!(one.len(), 60);
    assert!(one == four);
}

#[test]
fn chips_by_class_stay_in_the_area_and_say_what_is_missing() {
    let whole = scene(true, 40..42);
    let (left, _) = whole.split(Split::columns(0.4));
    let chips = left.chips(Chips::random(100, 16).balanced()).unwrap();
    assert!(
        all(&chips)
            .iter()
            .all(|chip| left.area().contains(&chip.window))
    );
    let said: String = chips.report().iter().map(ToString::to_string).collect();
    assert!(
        said.contains("well has no labeled pixel") && said.contains("other classes"),
        "{said}"
    );
    let named = left
        .chips(Chips::random(100, 16).class_shares([("well", 0.5)]))
        .unwrap();
    let said: String = named.report().iter().map(ToString::to_string).collect();
    assert!(said.contains("cut anywhere"), "{said}");
    let error = |options: ChipOptions| left.chips(options).err().unwrap().to_string();
    let random = || Chips::random(10, 16);
    assert!(error(random().class_shares([("lake", 0.5)])).contains("no class \"lake\""));
    assert!(
        error(random().class_shares([("road", 0.7), ("well", 0.7)])).contains("sum of the shares")
    );
    assert!(error(random().class_shares([("road", f64::NAN)])).contains("share of a class"));
    assert!(error(random().class_shares([("road", 0.1), ("road", 0.1)])).contains("twice"));
    assert!(error(Chips::sliding(16).balanced()).contains("at places of their own"));
    assert!(error(random().balanced().neg_ratio(0.2)).contains("negatives"));
    assert!(error(random().around_objects()).contains("balanced"));
    assert!(error(random().balanced().around_objects()).contains("no boxes"));
    let plain = Scene::from_array(Array3::<f32>::ones((1, 50, 50))).unwrap();
    assert!(
        plain
            .chips(random().balanced())
            .err()
            .unwrap()
            .to_string()
            .contains("no labels")
    );
}

#[test]
fn objects_of_every_class_are_in_the_middle_of_chips_however_small() {
    let scene = samples::town(3, 256).unwrap().scene().unwrap();
    let options = Chips::random(200, 64)
        .seed(2)
        .flips(false)
        .min_visible(0.01)
        .padded()
        .balanced()
        .around_objects();
    let chips = scene.chips(options).unwrap();
    let classes = scene.classes().len();
    let mut of_class = vec![0; classes];
    for chip in all(&chips) {
        let at_middle = chip.boxes.iter().filter(|one| {
            let within = |low: f64, high: f64| low <= 33.0 && high >= 32.0;
            within(one.bounds.x_min, one.bounds.x_max) && within(one.bounds.y_min, one.bounds.y_max)
        });
        for class in at_middle
            .map(|one| one.class)
            .collect::<std::collections::BTreeSet<_>>()
        {
            of_class[class] += 1;
        }
    }
    let shares = Scenes::of([&scene]).unwrap().class_shares().unwrap();
    let present: Vec<usize> = (1..classes)
        .filter(|&class| shares.objects(class) > 0)
        .collect();
    assert!(present.len() > 1);
    for &class in &present {
        // Padded chips are not moved; boxes of other classes may lie over the middle, too.
        assert!(
            of_class[class] + 8 >= 200 / present.len(),
            "{of_class:?} {class}"
        );
    }
}

/// The table of a split against counts of the labels themselves.
#[test]
fn the_parts_of_a_split_are_told_by_class() {
    let (left, right) = scene(true, 40..42).split(Split::columns(0.45));
    let parts = [
        ("train", Scenes::of([left]).unwrap()),
        ("valid", Scenes::of([right]).unwrap()),
    ];
    let shares = ClassShares::of_parts(parts.iter().map(|(name, scenes)| (*name, scenes))).unwrap();
    assert_eq!(
        (shares.pixels(1), shares.pixels(2), shares.scenes_with(1)),
        (400, 1, 1)
    );
    let text = shares.output().text;
    // 2 of 90 columns.
    assert!(text.contains("train") && text.contains("2.22 %"), "{text}");
}

/// The background has no objects: the person who gave it a share is told.
#[test]
fn a_share_of_the_background_among_objects_is_told() {
    let scene = samples::town(3, 256).unwrap().scene().unwrap();
    let options = Chips::random(20, 64).class_shares([("background", 0.3)]);
    let chips = scene.chips(options.around_objects()).unwrap();
    assert!(
        chips.report().mentions("background has no object")
            && chips.report().mentions("cut anywhere"),
        "{}",
        chips.report()
    );
    // All classes alike: it is none of them.
    let options = Chips::random(20, 64).balanced().around_objects();
    let chips = scene.chips(options).unwrap();
    assert!(!chips.report().mentions("background"), "{}", chips.report());
}

/// A scene of 100 x 100 pixels with one box of 20 x 20, a road.
fn boxed(folder: &std::path::Path) -> Scene {
    let path = folder.join("roads.json");
    std::fs::write(
        &path,
        r#"{"images": [{"id": 1, "file_name": "a.tif", "width": 100, "height": 100}],
            "categories": [{"id": 1, "name": "road"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [40, 40, 20, 20], "area": 400, "iscrowd": 0}]}"#,
    )
    .unwrap();
    let scene = Scene::from_array(Array3::<f32>::ones((1, 100, 100))).unwrap();
    scene.with_boxes(&path, "class").unwrap()
}

/// 400 labeled pixels of road in one scene, a box of 400 pixels in the other: half of the chips of roads each. Of 200 draws
/// with a chance of one half four standard deviations are 28.
#[test]
fn scenes_of_boxes_alone_have_their_part_beside_labeled_ones() {
    let folder = tempfile::tempdir().unwrap();
    let scenes = Scenes::of([scene(false, 40..42), boxed(folder.path())]).unwrap();
    let options = Chips::random(400, 16).seed(4).flips(false).balanced();
    let chips = scenes.chips(options).unwrap();
    let of_boxed: Vec<Chip> = all(&chips)
        .into_iter()
        .filter(|chip| chip.scene == 1)
        .collect();
    assert!((72..=128).contains(&of_boxed.len()), "{}", of_boxed.len());
    assert!(
        of_boxed
            .iter()
            .all(|chip| (chip.window.col, chip.window.row) == (42, 42))
    );
    assert!(
        chips.report().mentions("1 of 2 scenes have boxes alone"),
        "{}",
        chips.report()
    );
    // Around objects, it is the labeled scene that has none.
    let options = Chips::random(40, 16)
        .class_shares([("road", 1.0)])
        .around_objects();
    let chips = scenes.chips(options).unwrap();
    assert!(all(&chips).iter().all(|chip| chip.scene == 1));
    assert!(
        chips.report().mentions("1 of 2 scenes have no objects"),
        "{}",
        chips.report()
    );
}

/// Without any object there is no other class that a share could go to.
#[test]
fn shares_go_to_other_classes_where_there_are_some() {
    let (left, _) = samples::town(3, 256)
        .unwrap()
        .scene()
        .unwrap()
        .split(Split::columns(0.04));
    let options = Chips::random(4, 8).balanced().around_objects();
    let chips = left.chips(options).unwrap();
    let objects = left.boxes().iter().any(|one| {
        let (x, y) = one.bounds.center();
        left.area().contains_pixel(x as i64, y as i64)
    });
    assert!(!objects);
    assert!(
        chips.report().mentions("cut anywhere") && !chips.report().mentions("other classes"),
        "{}",
        chips.report()
    );
}

#[test]
fn scenes_without_labels_count_nothing_and_say_so() {
    let bare = Scene::from_array(Array3::<f32>::ones((1, 50, 50))).unwrap();
    let alone = bare.class_shares().unwrap();
    assert!(
        alone.report().mentions("neither labels nor boxes"),
        "{}",
        alone.report()
    );
    let shown = alone.output().text;
    assert!(
        shown.contains("nothing was counted") && shown.contains("with_labels"),
        "{shown}"
    );
    let some = Scenes::of([scene(true, 40..42), bare.clone(), bare]).unwrap();
    let shares = some.class_shares().unwrap();
    assert!(
        shares
            .report()
            .mentions("2 of 3 scenes have neither labels nor boxes"),
        "{}",
        shares.report()
    );
    assert_eq!(shares.report().iter().next().unwrap().counted(), Some(2));
    let shown = shares.output().text;
    let row = |line: &&str| line.matches('–').count() >= 3;
    assert_eq!(shown.lines().filter(row).count(), 2, "{shown}");
    let parts = [("train", &some)];
    let parts = ClassShares::of_parts(parts).unwrap();
    assert!(
        parts.report().mentions("2 of 3 scenes"),
        "{}",
        parts.report()
    );
    assert!(
        scene(true, 40..42)
            .class_shares()
            .unwrap()
            .report()
            .is_empty()
    );
}
