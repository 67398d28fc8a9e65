//! The right places are the formulas of the columns: GDAL's geotransform, rasterio's `from_bounds`.

use std::path::{Path, PathBuf};

use swath::Hint;
use swath::prelude::*;
use swath::raster::{GeoReference, GeoTransform, RasterType, Size, WriterOptions};
use swath::report::NoticeKind;
use tempfile::{TempDir, tempdir};

/// Two tiles of 5 x 4 pixels without a place, and a table beside them.
fn tiles(table: &str) -> (TempDir, PathBuf) {
    let folder = tempdir().unwrap();
    let from =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/numpy/image_u2_little.npy");
    for name in ["a.npy", "b.npy"] {
        std::fs::create_dir_all(folder.path().join("tiles")).unwrap();
        std::fs::copy(&from, folder.path().join("tiles").join(name)).unwrap();
    }
    let path = folder.path().join("places.csv");
    std::fs::write(&path, table).unwrap();
    (folder, path)
}

const EXPECTED: GeoTransform = GeoTransform([500_000.0, 10.0, 0.0, 4_000_040.0, 0.0, -10.0]);

#[test]
fn every_kind_of_table_puts_tiles_side_by_side() {
    for table in [
        "file,xmin,ymin,xmax,ymax,crs\na.npy,500000,4000000,500050,4000040,EPSG:32613\nb.npy,500050,4000000,500100,4000040,EPSG:32613\n",
        "filename;left;bottom;right;top;epsg\ntiles/a;500000;4000000;500050;4000040;32613\ntiles/b.npy;500050;4000000;500100;4000040;32613\n",
        "image,bbox,crs\na.npy,\"(500000, 4000000, 500050, 4000040)\",EPSG:32613\nb.tif,\"[500050 4000000 500100 4000040]\",EPSG:32613\n",
        "file,geotransform,crs\na.npy,\"500000,10,0,4000040,0,-10\",EPSG:32613\nb.npy,\"500050,10,0,4000040,0,-10\",EPSG:32613\n",
        "file,transform,crs\na.npy,\"10,0,500000,0,-10,4000040\",EPSG:32613\nb.npy,\"10,0,500050,0,-10,4000040,0,0,1\",EPSG:32613\n",
        "tile,ulx,uly,pixel_size,srs\na,500000,4000040,10,EPSG:32613\nb,500050,4000040,10,EPSG:32613\n",
    ] {
        let (folder, path) = tiles(table);
        let places = Places::open(&path).unwrap();
        assert_eq!(places.len(), 2, "{table}");
        let options = OpenOptions::new().places(&places);
        let mosaic = Mosaic::new(folder.path().join("tiles")).options(options.clone());
        let whole = mosaic.open().unwrap();
        assert_eq!(
            (whole.size(), whole.transform()),
            (Size::new(10, 4), EXPECTED),
            "{table}"
        );
        assert_eq!(whole.crs_name(), "EPSG:32613");
        // 10 * row + column of the second tile's first band.
        assert_eq!(
            whole
                .read(&PixelWindow::new(6, 2, 1, 1))
                .unwrap()
                .value(0, 0, 0),
            Some(21.0)
        );
        let scenes = Scenes::open_with(folder.path().join("tiles"), options).unwrap();
        let second = scenes.get(1).unwrap();
        assert_eq!(second.raster().transform().0[0], 500_050.0);
        assert!(
            second
                .report()
                .iter()
                .any(|notice| notice.text().contains("that of places.csv"))
        );
    }
}

#[test]
fn a_table_of_scenes_has_places_itself_and_states_systems() {
    let (folder, _) = tiles("");
    let table = folder.path().join("scenes.csv");
    std::fs::write(&table, "image,split,xmin,ymin,xmax,ymax\ntiles/a.npy,train,0,0,50,40\ntiles/b.npy,test,50,0,100,40\n").unwrap();
    let scenes = Scenes::table(VectorSource::new(&table).crs("EPSG:25832")).unwrap();
    let second = scenes.get(1).unwrap().raster();
    assert_eq!(
        (second.transform().0[0], second.crs_name().as_str()),
        (50.0, "EPSG:25832")
    );
    let half = second.at(Resolution::Factor(2.0)).unwrap();
    assert_eq!(
        (half.transform().0[1], half.size()),
        (5.0, Size::new(10, 8))
    );
    let bare = Scenes::table(&table).unwrap();
    assert!(bare.get(0).unwrap().raster().is_georeferenced());
    assert_eq!(bare.get(0).unwrap().raster().crs_name(), "none");
}

#[test]
fn what_a_table_lacks_is_told() {
    let (folder, path) = tiles(
        "file,xmin,ymin,xmax,ymax\na.npy,0,0,50,40\nc.npy,9,0,1,1\n,0,0,1,1\nd.npy,x,0,1,1\n",
    );
    let places = Places::open(&path).unwrap();
    let said: String = places.report().iter().map(ToString::to_string).collect();
    assert!(
        said.contains("3 of 4 rows") && said.contains("no coordinate reference system"),
        "{said}"
    );
    assert!(places.output().text.contains("3 of 4 rows"));
    let options = OpenOptions::new().places(&places);
    let other = Scene::open_with(folder.path().join("tiles/b.npy"), &options).unwrap();
    assert!(!other.raster().is_georeferenced());
    assert!(
        other
            .report()
            .iter()
            .any(|notice| notice.text().contains("no place of its own"))
    );
    let placed = crate::support::raster(
        &folder.path().join("placed.tif"),
        Size::new(8, 8),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| col as f32,
    );
    std::fs::write(&path, "file,xmin,ymin,xmax,ymax\nplaced.tif,0,0,50,40\n").unwrap();
    let places = Places::open(&path).unwrap();
    let kept = Raster::open_with(&placed, OpenOptions::new().places(places)).unwrap();
    assert_eq!(kept.transform(), crate::support::grid());
    assert!(
        kept.report()
            .iter()
            .any(|notice| notice.text().contains("was kept"))
    );
    let error = |table: &str| {
        std::fs::write(&path, table).unwrap();
        Places::open(&path).unwrap_err()
    };
    assert!(
        error("a,b\n1,2\n")
            .to_string()
            .contains("no column names the files")
    );
    let nowhere = error("file,size\na.npy,2\n");
    assert!(
        nowhere.to_string().contains("no columns say where")
            && nowhere.hint().unwrap().contains("xmin")
    );
    assert!(
        error("file,xmin,ymin,xmax,ymax\na.npy,1,1,1,1\n")
            .to_string()
            .contains("none of its 1 rows")
    );
    assert!(
        error("file,xmin,ymin,xmax,ymax,crs\na.npy,0,0,1,1,EPSG:999999\n")
            .to_string()
            .contains("999999")
    );
}

#[test]
fn a_stated_place_is_that_of_one_file() {
    let (folder, _) = tiles("");
    let path = folder.path().join("tiles/a.npy");
    let place = GeoReference::new(EXPECTED, "EPSG:32613");
    let scene = Scene::open_with(&path, OpenOptions::new().place(place)).unwrap();
    assert_eq!(
        (
            scene.raster().transform(),
            scene.raster().crs_name().as_str()
        ),
        (EXPECTED, "EPSG:32613")
    );
    let wrong = GeoReference::new(GeoTransform([0.0; 6]), "");
    let scene = Scene::open_with(&path, OpenOptions::new().place(wrong)).unwrap();
    assert!(!scene.raster().is_georeferenced());
    assert!(
        scene
            .report()
            .iter()
            .any(|notice| notice.text().contains("no area"))
    );
    let unknown = GeoReference::new(EXPECTED, "EPSG:999999");
    assert!(Scene::open_with(&path, OpenOptions::new().place(unknown)).is_err());
}

/// Two files of one name in two folders: the table's folders tell them apart, and without them neither has a place.
#[test]
fn names_that_occur_twice_are_told_apart_by_their_folders() {
    let (folder, path) =
        tiles("file,xmin,ymin,xmax,ymax\ntiles/a.npy,0,0,50,40\nmore/a.npy,50,0,100,40\n");
    let more = folder.path().join("more");
    std::fs::create_dir_all(&more).unwrap();
    std::fs::copy(folder.path().join("tiles/a.npy"), more.join("a.npy")).unwrap();
    let left = |table: &str, file: PathBuf| {
        std::fs::write(&path, table).unwrap();
        let options = OpenOptions::new().places(Places::open(&path).unwrap());
        let raster = Raster::open_with(file, options).unwrap();
        raster.is_georeferenced().then(|| raster.transform().0[0])
    };
    let apart = "file,xmin,ymin,xmax,ymax\ntiles/a.npy,10,0,50,40\nmore/a.npy,50,0,100,40\n";
    assert_eq!(left(apart, folder.path().join("tiles/a.npy")), Some(10.0));
    assert_eq!(left(apart, more.join("a.npy")), Some(50.0));
    let twice = "file,xmin,ymin,xmax,ymax\na.npy,10,0,50,40\na.npy,50,0,100,40\n";
    assert_eq!(left(twice, more.join("a.npy")), None);
}

/// Numbers with a decimal comma are none: the scenes open, and the report says that their places were left out.
#[test]
fn places_that_no_row_of_a_table_of_scenes_gives_are_told() {
    let (folder, path) = tiles("image;xmin;ymin;xmax;ymax\ntiles/a.npy;0,5;0;50,5;40\n");
    let scenes = Scenes::table(&path).unwrap();
    assert!(!scenes.get(0).unwrap().raster().is_georeferenced());
    let report = scenes.report();
    let left_out = report
        .iter()
        .find(|notice| notice.text().contains("none of its 1 rows"));
    let left_out = left_out.unwrap_or_else(|| panic!("{report}"));
    assert_eq!(left_out.kind(), NoticeKind::LeftOut);
    assert!(
        left_out.to_string().contains("0,5") && left_out.to_string().contains("decimal point"),
        "{left_out}"
    );
    let error = Places::open(&path).unwrap_err();
    assert!(error.to_string().contains("0,5"), "{error}");
    assert!(error.hint().unwrap().contains("decimal point"), "{error}");
    // Tables that say nothing of places are as they should be.
    std::fs::write(
        folder.path().join("plain.csv"),
        "image,split\ntiles/a.npy,train\n",
    )
    .unwrap();
    let plain = Scenes::table(folder.path().join("plain.csv")).unwrap();
    assert!(!plain.report().mentions("place"), "{}", plain.report());
}

/// The column that names the imagery names the files that have the places, whatever other columns are called.
#[test]
fn a_table_of_scenes_has_one_column_of_files() {
    let (_folder, path) = tiles(
        "file,image,xmin,ymin,xmax,ymax\nscan_1.dat,tiles/a.npy,0,0,50,40\nscan_2.dat,tiles/b.npy,50,0,100,40\n",
    );
    let scenes = Scenes::table(&path).unwrap();
    let left = |at: usize| scenes.get(at).unwrap().raster().transform().0[0];
    assert!(
        scenes.get(0).unwrap().raster().is_georeferenced(),
        "{}",
        scenes.report()
    );
    assert_eq!((left(0), left(1)), (0.0, 50.0));
}

/// A file with a place of its own is read at other pixel sizes as without the table: GDAL's average, in the file's own type.
#[test]
fn files_with_places_of_their_own_are_resampled_as_without_a_table() {
    let (folder, path) = tiles("image,xmin,ymin,xmax,ymax\nplaced.tif,0,0,50,40\n");
    let placed = crate::support::raster(
        &folder.path().join("placed.tif"),
        Size::new(9, 9),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, row| (3 * col + 7 * row * row) as f32,
    );
    let plain = Raster::open(&placed).unwrap();
    let own = Places::open(&path).unwrap();
    let of_table = Scenes::table(&path).unwrap();
    let by_option = Raster::open_with(&placed, OpenOptions::new().places(own)).unwrap();
    for factor in [0.5, 0.3, 1.7] {
        let values = |raster: &Raster| {
            let raster = raster.at(Resolution::Factor(factor)).unwrap();
            assert_eq!(raster.crs_name(), "EPSG:32632");
            raster.read(&raster.full()).unwrap().data
        };
        let expected = values(&plain);
        assert_eq!(
            values(of_table.get(0).unwrap().raster()),
            expected,
            "{factor}"
        );
        assert_eq!(values(&by_option), expected, "{factor}");
    }
}

/// What gives pixels no area is no place, and the report does not say that it was taken.
#[test]
fn a_place_that_is_refused_is_not_said_to_be_taken() {
    let (folder, path) = tiles("file,geotransform\na.npy,\"0,0,0,0,0,0\"\n");
    let options = OpenOptions::new().places(Places::open(&path).unwrap());
    let raster = Raster::open_with(folder.path().join("tiles/a.npy"), options).unwrap();
    assert!(!raster.is_georeferenced());
    assert!(
        raster.report().mentions("no area") && !raster.report().mentions("its place is that of"),
        "{}",
        raster.report()
    );
}

/// Names that begin with `./`, as shells and programs write them.
#[test]
fn names_that_begin_at_a_folder_are_found() {
    let table = "file,xmin,ymin,xmax,ymax,crs\n./a.npy,500000,4000000,500050,4000040,EPSG:32613\n\
                 ../x/./tiles/b.npy,500050,4000000,500100,4000040,EPSG:32613\n";
    let (folder, path) = tiles(&table.replace("../x/./", "./"));
    let options = OpenOptions::new().places(Places::open(&path).unwrap());
    for (name, left) in [("a", 500_000.0), ("b", 500_050.0)] {
        let file = folder.path().join(format!("tiles/{name}.npy"));
        let raster = Raster::open_with(file, options.clone()).unwrap();
        assert_eq!(raster.transform().0[0], left, "{name}");
        assert!(
            !raster.report().mentions("no place of its own"),
            "{}",
            raster.report()
        );
    }
}

/// On the command line a table's places are taken as by `Scenes::table`.
#[test]
fn the_command_line_takes_the_places_of_a_table() {
    let table =
        "image,xmin,ymin,xmax,ymax,crs\ntiles/a.npy,500000,4000000,500050,4000040,EPSG:32613\n";
    let (folder, path) = tiles(table);
    let scene = Scenes::table(&path).unwrap().get(0).unwrap().clone();
    let bundle = folder.path().join("a.swath");
    let network = Unet::resnet18()
        .build(scene.band_count(), 2, &Device::cpu())
        .unwrap();
    let normalization = swath::models::Normalization::eight_bit(scene.band_count());
    let names = vec!["background".to_owned(), "a".to_owned()];
    let meta = swath::models::BundleMeta::new(
        Unet::resnet18(),
        scene.band_count(),
        names,
        normalization,
        32,
    );
    swath::models::save_bundle(&bundle, &meta, &*network).unwrap();
    let out = folder.path().join("map");
    let line = format!(
        "predict {} {} -o {} --device cpu --quiet --any-values --no-polygons",
        bundle.display(),
        path.display(),
        out.display()
    );
    assert_eq!(crate::cli::swath(&line), swath::cli::DONE);
    let map = Raster::open(out.join("labels.tif")).unwrap();
    assert_eq!(
        (map.transform(), map.crs_name().as_str()),
        (scene.raster().transform(), "EPSG:32613")
    );
}
