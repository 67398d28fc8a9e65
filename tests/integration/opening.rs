//! What a raster is opened by, and what is remembered of it: names, containers, missing parts, files that change.

use std::path::Path;

use swath::Hint as _;
use swath::prelude::*;
use swath::raster::{RasterType, Size, WriterOptions};

use crate::support::{case, raster};

fn error_of<T: std::fmt::Debug>(result: swath::Result<T>) -> (String, String) {
    let error = result.unwrap_err();
    (error.to_string(), error.hint().unwrap_or_default())
}

fn drawn(path: &Path, value: f32) {
    raster(
        path,
        Size::new(64, 64),
        1,
        RasterType::U16,
        WriterOptions::default(),
        |_, _, _| value,
    );
}

fn mosaic(path: &Path, tile: &str) {
    let text = format!(
        "<VRTDataset rasterXSize=\"64\" rasterYSize=\"64\"><VRTRasterBand dataType=\"UInt16\" band=\"1\"><SimpleSource>\
         <SourceFilename relativeToVRT=\"1\">{tile}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>\
         </VRTRasterBand></VRTDataset>"
    );
    std::fs::write(path, text).unwrap();
}

fn mean(path: &Path) -> f64 {
    Scene::open(path).unwrap().statistics().unwrap()[0].mean
}

#[test]
fn a_container_lists_its_rasters() {
    let path = case("f28-containers/day.nc");
    let (error, hint) = error_of(Scene::open(&path));
    assert!(
        error.contains(":ndvi") && error.contains(":temp") && error.contains("container of 2"),
        "{error}"
    );
    assert!(
        hint.contains("Scene::open(r#\"NETCDF:") && !hint.contains("gdalinfo"),
        "{hint}"
    );
    let name = format!("NETCDF:\"{}\":ndvi", path.display());
    let scene = Scene::open(name).unwrap();
    assert_eq!(scene.band_count(), 1);
    assert!(scene.statistics().unwrap()[0].count > 0);
}

/// D8: GDAL says "No such file"; so do we, when the raster is opened and when a part goes later.
#[test]
fn a_virtual_raster_without_its_parts_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let (tile, path) = (folder.path().join("tile.tif"), folder.path().join("m.vrt"));
    mosaic(&path, "tile.tif");
    let (error, hint) = error_of(Scene::open(&path));
    assert!(
        error.contains("1 of the 1 files") && error.contains("tile.tif"),
        "{error}"
    );
    assert!(!hint.contains("cut short"), "{hint}");
    let outer = folder.path().join("outer.vrt");
    mosaic(&outer, "m.vrt");
    let (error, _) = error_of(Scene::open(&outer));
    assert!(
        error.contains("1 of the 2 files") && error.contains("tile.tif"),
        "{error}"
    );
    drawn(&tile, 5.0);
    let scene = Scene::open(&outer).unwrap();
    std::fs::remove_file(&tile).unwrap();
    // Another thread opens the parts anew.
    let read = std::thread::spawn(move || scene.read(&scene.area()).map(|patch| patch.size));
    let (error, hint) = error_of(read.join().unwrap());
    assert!(
        error.contains("tile.tif") && !hint.contains("cut short"),
        "{error} {hint}"
    );
}

/// rasterio opens `file://`, `zip://` and archives; a folder and a pattern are told what lies there.
#[test]
fn names_of_every_kind_open_or_say_what_to_choose() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.tif");
    drawn(&path, 3.0);
    let url = format!("file://{}", path.display()).replace(' ', "%20");
    assert_eq!(
        Scene::open(&url).unwrap().statistics().unwrap()[0].mean,
        3.0
    );
    drawn(&folder.path().join("c.tif"), 4.0);
    let (error, hint) = error_of(Scene::open(folder.path()));
    assert!(
        error.contains("a folder is no raster")
            && hint.contains("c.tif")
            && hint.contains("a b.tif"),
        "{error} {hint}"
    );
    let (error, hint) = error_of(Scene::open(folder.path().join("*.tif")));
    assert!(
        error.contains("a pattern is no raster") && hint.contains("Scene::open"),
        "{error} {hint}"
    );
    let (error, hint) = error_of(Scene::open(folder.path().join("*.jp2")));
    assert!(
        error.contains("one of the 0 in it") && hint.contains("no file"),
        "{error} {hint}"
    );
    // Stored without compression, as any archiver can.
    let zip = folder.path().join("z.zip");
    write_zip(
        &zip,
        &[(
            "x/c.tif",
            &std::fs::read(folder.path().join("c.tif")).unwrap(),
        )],
    );
    assert_eq!(mean(&zip), 4.0);
    let inner = format!("zip://{}!x/c.tif", zip.display());
    assert_eq!(mean(Path::new(&inner)), 4.0);
    let two = folder.path().join("two.zip");
    let bytes = std::fs::read(folder.path().join("c.tif")).unwrap();
    write_zip(
        &two,
        &[("c.tif", &bytes), ("d.tif", &bytes), ("readme.txt", b"x")],
    );
    let (error, hint) = error_of(Scene::open(&two));
    assert!(
        error.contains("an archive is no raster, one of the 2"),
        "{error}"
    );
    assert!(hint.contains("d.tif") && !hint.contains("readme"), "{hint}");
    // Nothing to reach, but a word instead of "no such file".
    let (error, _) = error_of(Scene::open("s3://swath-no-such-bucket/a.tif"));
    assert!(
        error.contains("/vsis3/swath-no-such-bucket/a.tif"),
        "{error}"
    );
}

/// A zip archive whose files are stored as they are.
fn write_zip(path: &Path, files: &[(&str, &[u8])]) {
    let crc = |bytes: &[u8]| {
        !bytes.iter().fold(u32::MAX, |mut crc, &byte| {
            crc ^= u32::from(byte);
            for _ in 0..8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0xEDB8_8320
                } else {
                    crc >> 1
                };
            }
            crc
        })
    };
    let (mut body, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let at = body.len() as u32;
        let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        about.extend(crc(bytes).to_le_bytes());
        about.extend((bytes.len() as u32).to_le_bytes());
        about.extend((bytes.len() as u32).to_le_bytes());
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0, 0]);
        body.extend(b"PK\x03\x04");
        body.extend(&about);
        body.extend(name.as_bytes());
        body.extend(*bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let start = body.len() as u32;
    body.extend(&directory);
    body.extend(b"PK\x05\x06\0\0\0\0");
    body.extend((files.len() as u16).to_le_bytes());
    body.extend((files.len() as u16).to_le_bytes());
    body.extend((directory.len() as u32).to_le_bytes());
    body.extend(start.to_le_bytes());
    body.extend([0, 0]);
    std::fs::write(path, body).unwrap();
}

/// The second mean is 200, whatever way the new tile comes: copied over, renamed over, of the same length and time; through
/// a virtual raster of a virtual raster, and with the old scene still open.
#[test]
fn statistics_of_a_mosaic_follow_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for file in ["mosaic.vrt", "tile.tif"] {
        std::fs::copy(case(&format!("f02-stale-statistics/{file}")), at(file)).unwrap();
    }
    mosaic(&at("outer.vrt"), "mosaic.vrt");
    let old = Scene::open(at("outer.vrt")).unwrap();
    assert_eq!(
        (mean(&at("mosaic.vrt")), mean(&at("outer.vrt"))),
        (50.0, 50.0)
    );
    assert_eq!(old.statistics().unwrap()[0].mean, 50.0);
    let time = std::fs::metadata(at("tile.tif"))
        .unwrap()
        .modified()
        .unwrap();
    std::fs::copy(case("f02-stale-statistics/tile_new.tif"), at("tile.tif")).unwrap();
    let tile = std::fs::File::options()
        .write(true)
        .open(at("tile.tif"))
        .unwrap();
    tile.set_modified(time).unwrap();
    assert_eq!(
        (mean(&at("mosaic.vrt")), mean(&at("outer.vrt"))),
        (200.0, 200.0)
    );
    // Renamed over, while the scene that read the tile before stays open.
    let open = Scene::open(at("outer.vrt")).unwrap();
    assert_eq!(open.read(&open.area()).unwrap().data[0], 200.0);
    std::fs::copy(case("f02-stale-statistics/tile.tif"), at("new.tif")).unwrap();
    std::fs::rename(at("new.tif"), at("tile.tif")).unwrap();
    let new = Scene::open(at("outer.vrt")).unwrap();
    assert_eq!(new.read(&new.area()).unwrap().data[0], 50.0);
    assert_eq!(new.statistics().unwrap()[0].mean, 50.0);
    // The scene that was open does not mix the old file with the new one.
    let (error, hint) = error_of(open.read(&open.area()));
    assert!(
        error.contains("was changed after it was opened") && hint.contains("open it again"),
        "{error}"
    );
}

/// numpy on GDAL's reading: n 3072, mean 90 once the side-car says what nodata is.
#[test]
fn statistics_follow_files_that_appear_beside_a_raster() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::copy(case("f02-stale-statistics-2/p.png"), at("p.png")).unwrap();
    let first = Scene::open(at("p.png")).unwrap().statistics().unwrap();
    assert_eq!((first[0].count, first[0].mean), (4096, 67.5));
    std::fs::copy(
        case("f02-stale-statistics-2/p.png.aux.xml.later"),
        at("p.png.aux.xml"),
    )
    .unwrap();
    let second = Scene::open(at("p.png")).unwrap().statistics().unwrap();
    assert_eq!((second[0].count, second[0].mean), (3072, 90.0));
    // A mask beside it, drawn as GDAL lays one out.
    raster(
        &at("m.tif"),
        Size::new(64, 64),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| if col < 32 { 255.0 } else { 0.0 },
    );
    raster(
        &at("i.tif"),
        Size::new(64, 64),
        1,
        RasterType::U8,
        WriterOptions::default(),
        |_, col, _| col as f32,
    );
    assert_eq!(mean(&at("i.tif")), 31.5);
    std::fs::copy(at("m.tif"), at("i.tif.msk")).unwrap();
    let text =
        "<PAMDataset><Metadata><MDI key=\"INTERNAL_MASK_FLAGS_1\">2</MDI></Metadata></PAMDataset>";
    std::fs::write(at("i.tif.msk.aux.xml"), text).unwrap();
    let masked = Scene::open(at("i.tif")).unwrap();
    assert_eq!(masked.statistics().unwrap()[0].count, 32 * 64);
    assert_eq!(masked.statistics().unwrap()[0].mean, 15.5);
}

#[test]
fn statistics_are_those_of_the_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    raster(
        &path,
        Size::new(64, 64),
        2,
        RasterType::U8,
        WriterOptions::default(),
        |band, col, _| (10 * band + usize::from(col < 32)) as f32,
    );
    let means = |options: OpenOptions| -> Vec<f64> {
        let scene = Scene::open_with(&path, options).unwrap();
        scene
            .statistics()
            .unwrap()
            .iter()
            .map(|band| band.mean)
            .collect()
    };
    for _ in 0..2 {
        assert_eq!(means(OpenOptions::new()), [0.5, 10.5]);
        assert_eq!(means(OpenOptions::new().bands([1, 0])), [10.5, 0.5]);
        assert_eq!(means(OpenOptions::new().nodata(0.0)), [1.0, 10.5]);
        assert_eq!(means(OpenOptions::new().nodata_of(1, 11.0)), [0.5, 10.0]);
    }
}

/// Windows and QGIS do not mind capitals, file systems do.
#[test]
fn a_file_of_other_capitals_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("image.tif"), "x").unwrap();
    let error = Raster::open(folder.path().join("IMAGE.TIF")).unwrap_err();
    let hint = error.hint().unwrap();
    assert!(hint.contains("\"image.tif\" meant"), "{hint}");
}
