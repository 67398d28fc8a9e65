use std::fs;

use swath::Hint;
use swath::display::Show;
use swath::prelude::*;
use swath::raster::Size;

use super::{row_of_tiles, tile};
use crate::support::{in_child, is_child};

const SMALL: Size = Size {
    width: 40,
    height: 30,
};

fn names(scenes: &Scenes) -> Vec<&str> {
    scenes.names().collect()
}

#[test]
fn folders_patterns_and_lists_are_in_the_order_of_numbers_and_words() {
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(folder.path(), 11, SMALL);
    fs::write(folder.path().join("tile_1.tif.aux.xml"), "<PAMDataset/>").unwrap();
    fs::write(folder.path().join("notes.txt"), "no imagery").unwrap();
    let all = Scenes::open(folder.path()).unwrap();
    let expected: Vec<String> = (1..=11).map(|number| format!("tile_{number}")).collect();
    assert_eq!(names(&all), expected);
    let pattern = format!("{}/tile_?.tif", folder.path().display());
    assert_eq!(names(&Scenes::open(pattern).unwrap()), expected[..9]);
    let list = ["tile_3.tif", "tile_10.tif"].map(|name| folder.path().join(name));
    assert_eq!(names(&Scenes::open(list).unwrap()), ["tile_3", "tile_10"]);
    let text = all.output().text;
    assert!(
        text.starts_with("11 scenes, 3 bands, 13200 pixels") && text.contains("40 x 30"),
        "{text}"
    );
    let html = all.output().html.unwrap();
    assert_eq!(html.matches("<polygon").count(), 11);
    assert_eq!(
        format!("{all:?}"),
        "Scenes(11: tile_1, tile_2, tile_3, tile_4, …)"
    );
}

#[test]
fn files_of_one_name_in_several_folders_are_told_apart_and_found_below() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["north", "south [1]", "öst %20 'x'"] {
        tile(
            &folder.path().join(part).join("a.tif"),
            32,
            (0.0, 0.0),
            SMALL,
            1,
            |_, _, _| 1.0,
        );
    }
    let pattern = format!("{}/**/*.tif", folder.path().display());
    let scenes = Scenes::open(pattern).unwrap();
    assert_eq!(names(&scenes), ["north/a", "south [1]/a", "öst %20 'x'/a"]);
    assert_eq!(scenes.named("öst %20 'x'/a").unwrap().size(), (40, 30));
    let error = Scenes::open(folder.path()).unwrap_err().to_string();
    assert!(
        error.contains("there are 3 folders, which `") && error.contains("**/*.tif"),
        "{error}"
    );
}

#[test]
fn nothing_to_open_says_what_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    for (given, words) in [
        (path.clone(), "the folder is empty"),
        (format!("{path}/*.tif"), "no file matches"),
        (format!("{path}/[.tif"), "cannot be read"),
    ] {
        let error = Scenes::open(given.as_str()).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.hint().is_some());
        assert_eq!(error.domain(), "ScenesError");
    }
    let none: [&str; 0] = [];
    assert!(Scenes::open(none).is_err() && Scenes::of(Vec::<Scene>::new()).is_err());
    let error = Scenes::open(format!("{path}/gone.tif")).unwrap_err();
    assert_eq!(error.domain(), "RasterError", "{error}");
}

/// One broken scene among many: named and counted, and left out when that is asked for.
#[test]
fn broken_scenes_are_named_and_can_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let tiles = row_of_tiles(folder.path(), 6, Size::new(300, 200));
    fs::write(folder.path().join("tile_7.tif"), "no raster").unwrap();
    // Cut off in its pixels: it opens, and cannot be read to its end.
    let bytes = fs::read(&tiles[3]).unwrap();
    fs::write(&tiles[3], &bytes[..bytes.len() / 2]).unwrap();
    let error = Scenes::open(folder.path()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("1 of 7 scenes cannot be opened: tile_7 ("),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("skip_broken()"));
    let scenes = Scenes::open_with(folder.path(), ScenesOptions::new().skip_broken()).unwrap();
    assert_eq!(
        names(&scenes),
        ["tile_1", "tile_2", "tile_3", "tile_5", "tile_6"]
    );
    let report = scenes.report().to_string();
    assert!(
        report.contains("2 of 7 scenes cannot be opened: tile_4: ") && report.contains("tile_7: "),
        "{report}"
    );
    scenes.statistics().unwrap();
}

#[test]
fn bands_are_those_of_the_first_scene_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let with_bands = |name: &str, order: &str| {
        let path = tile(
            &folder.path().join(name),
            32,
            (0.0, 0.0),
            SMALL,
            order.len(),
            |band, _, _| order.as_bytes()[band].into(),
        );
        // GDAL's own way to say what bands show.
        let mut dataset = gdal::Dataset::open_ex(
            &path,
            gdal::DatasetOptions {
                open_flags: gdal::GdalOpenFlags::GDAL_OF_UPDATE,
                ..gdal::DatasetOptions::default()
            },
        )
        .unwrap();
        for (band, letter) in order.chars().enumerate() {
            use gdal::raster::ColorInterpretation;
            let role = match letter {
                'r' => ColorInterpretation::RedBand,
                'g' => ColorInterpretation::GreenBand,
                'b' => ColorInterpretation::BlueBand,
                _ => ColorInterpretation::AlphaBand,
            };
            dataset
                .rasterband(band + 1)
                .unwrap()
                .set_color_interpretation(role)
                .unwrap();
        }
        dataset.flush_cache().unwrap();
        path
    };
    let files = [("a.tif", "rgb"), ("b.tif", "rgba"), ("c.tif", "bgr")]
        .map(|(name, order)| with_bands(name, order));
    let scenes = Scenes::open(files.as_slice()).unwrap();
    for scene in &scenes {
        let patch = scene.read(&PixelWindow::new(3, 3, 1, 1)).unwrap();
        assert_eq!(patch.data, [b'r', b'g', b'b'].map(f32::from));
    }
    let report = scenes.report().to_string();
    assert!(
        report.contains("1 of 3 scenes have more bands or another order"),
        "{report}"
    );
    let gray = with_bands("d.tif", "r");
    let error = Scenes::open([&files[0], &gray]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("1 of 2 scenes have other bands than a ("),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("OpenOptions::new().bands("));
}

#[test]
fn scenes_of_several_types_pixel_sizes_and_systems_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let near = tile(
        &folder.path().join("near.tif"),
        32,
        (0.0, 0.0),
        SMALL,
        1,
        |_, _, _| 9.0,
    );
    let far = tile(
        &folder.path().join("far.tif"),
        33,
        (0.0, 0.0),
        SMALL,
        1,
        |_, _, _| 9.0,
    );
    let coarse = crate::support::raster(
        &folder.path().join("coarse.tif"),
        SMALL,
        1,
        swath::raster::RasterType::F32,
        swath::raster::WriterOptions::default(),
        |_, _, _| 1.0,
    );
    let options = OpenOptions::new().at(Resolution::Factor(0.5));
    let coarse = Scene::open_with(coarse, options).unwrap();
    let scenes = Scenes::of([
        Scene::open(near).unwrap(),
        Scene::open(far).unwrap(),
        coarse,
    ])
    .unwrap();
    let report = scenes.report().to_string();
    assert!(
        report.contains("values of several types: 2 of Byte, 1 of Float32"),
        "{report}"
    );
    assert!(report.contains("from 0.500 to 1.000 m wide"), "{report}");
}

#[test]
fn a_table_names_scenes_labels_and_what_else_is_known() {
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(&folder.path().join("img"), 3, SMALL);
    let table = folder.path().join("scenes.csv");
    fs::write(
        &table,
        "image,split,city\nimg/tile_1.tif,train,A\nimg/tile_2.tif,train,B\n,train,C\nimg/tile_3.tif,test,A\n",
    )
    .unwrap();
    let scenes = Scenes::table(&table).unwrap();
    assert_eq!(names(&scenes), ["tile_1", "tile_2", "tile_3"]);
    assert_eq!(scenes.columns(), ["city", "image", "split"]);
    assert_eq!(scenes.column(2, "city"), Some("A"));
    assert_eq!(
        names(&scenes.where_column("split", "train").unwrap()),
        ["tile_1", "tile_2"]
    );
    let report = scenes.report().to_string();
    assert!(report.contains("1 of 4 rows name no imagery"), "{report}");
    // OGR reads neither what is beyond the columns nor a second column of one name.
    fs::write(
        folder.path().join("odd.csv"),
        "image,city,city\nimg/tile_1.tif,A,B\nimg/tile_2.tif,Aix, en Provence,B\nimg/tile_3.tif\n",
    )
    .unwrap();
    let odd = Scenes::table(folder.path().join("odd.csv")).unwrap();
    let report = odd.report().to_string();
    for told in [
        "2 rows have more or fewer values than the table has columns, the first in line 3",
        "more than once, of which the first is taken: city",
    ] {
        assert!(report.contains(told), "{report}");
    }
    assert_eq!(odd.column(0, "city"), Some("A"));
    let error = scenes
        .where_column("split", "valid")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("no scene has the value \"valid\"; there are test, train"),
        "{error}"
    );
    let error = scenes.where_column("fold", "1").unwrap_err().to_string();
    assert!(
        error.contains("no scene has the column \"fold\"; there are city, image, split"),
        "{error}"
    );
    // A column of words that is called as one of paths may be.
    fs::write(
        &table,
        "image,label\nimg/tile_1.tif,water\nimg/tile_2.tif,land\n",
    )
    .unwrap();
    let water = Scenes::table(&table)
        .unwrap()
        .where_column("label", "water")
        .unwrap();
    assert_eq!(names(&water), ["tile_1"]);
    fs::write(&table, "a,b\n1,2\n").unwrap();
    let error = Scenes::table(&table).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no column names the imagery: the columns are a, b"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("`image`"));
}

#[test]
fn a_stac_collection_gives_an_asset_of_each_item() {
    let folder = tempfile::tempdir().unwrap();
    row_of_tiles(folder.path(), 2, SMALL);
    let item = |number: usize| {
        format!(
            "{{\"type\": \"Feature\", \"id\": \"item-{number}\", \"properties\": {{\"eo:cloud_cover\": {number}}}, \
             \"assets\": {{\"image\": {{\"href\": \"./tile_{number}.tif\"}}}}}}"
        )
    };
    let path = folder.path().join("items.json");
    let text = format!(
        "{{\"type\": \"FeatureCollection\", \"features\": [{}, {}]}}",
        item(1),
        item(2)
    );
    fs::write(&path, text).unwrap();
    let scenes = Scenes::stac(&path, "image").unwrap();
    assert_eq!(names(&scenes), ["tile_1", "tile_2"]);
    assert_eq!(scenes.column(1, "eo:cloud_cover"), Some("2"));
    assert!(
        Scenes::stac(&path, "visual")
            .unwrap_err()
            .to_string()
            .contains("there are image (2)")
    );
}

/// Twelve files a thread at most are open, however many scenes there are.
#[test]
fn many_scenes_keep_few_files_open() {
    if !is_child() {
        let test = "many::opening::many_scenes_keep_few_files_open";
        crate::support::assert_passed(&in_child(test, &[("RAYON_NUM_THREADS", "4")]));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let size = Size::new(16, 16);
    let tiles: Vec<_> = (0..400)
        .map(|number| {
            let place = (number as f64 * 16.0, 0.0);
            tile(
                &folder.path().join(format!("{number}.tif")),
                32,
                place,
                size,
                1,
                |_, col, _| col as f32,
            )
        })
        .collect();
    let before = open();
    let scenes = Scenes::open(tiles).unwrap();
    scenes.statistics().unwrap();
    let chips = scenes.chips(Chips::random(2000, 8).seed(3)).unwrap();
    let mut most = 0;
    for batch in chips.epoch(0, 16, 3) {
        assert_eq!(batch.unwrap().len(), 16);
        most = most.max(open());
    }
    // Four threads of rayon's, three workers, and this one.
    assert!(
        most <= before + 12 * 8 + 8,
        "{most} files are open, {before} before"
    );
}
