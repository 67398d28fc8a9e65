//! Long reads that are interrupted, and disks that are full: what belongs to the whole process is tried in one of its own.

use std::path::Path;
use std::time::Instant;

use swath::device::Device;
use swath::models::{BundleMeta, Normalization, Unet, save_bundle};
use swath::predict::{PredictOptions, SaveOptions, predict_scene};
use swath::raster::{PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions};
use swath::scene::Scene;
use swath::{Hint, Result, session};

use crate::support::{self, assert_passed, in_child, is_child};

/// A compressed raster of noise, which takes about a second to read.
pub(crate) fn noise(path: &Path, side: usize) -> Result<Raster> {
    let options = WriterOptions::default().plain_tiles();
    let mut writer = RasterWriter::create(
        path,
        Size::new(side, side),
        1,
        RasterType::U8,
        support::grid(),
        support::CRS,
        options,
    )?;
    let mut state = 1_u32;
    for row in (0..side).step_by(256) {
        let mut value = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 26) as u8
        };
        let rows = 256.min(side - row);
        let values: Vec<u8> = (0..rows * side).map(|_| value()).collect();
        writer.write_rows(row, &values)?;
    }
    Raster::open(writer.finish()?)
}

#[test]
fn a_long_read_stops_between_blocks_when_interrupted() -> Result<()> {
    if !is_child() {
        assert_passed(&in_child(
            "interrupts::a_long_read_stops_between_blocks_when_interrupted",
            // Blocks that were kept would make the second read a short one.
            &[("GDAL_CACHEMAX", "1")],
        ));
        return Ok(());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let raster = noise(&folder.path().join("noise.tif"), 6000)?;
    let small = Size::new(300, 300);
    type Read<'a> = Box<dyn Fn() -> Result<usize> + 'a>;
    let reads: [(&str, Read<'_>); 3] = [
        (
            "as it is",
            Box::new(|| Ok(raster.read(&raster.full())?.data.len())),
        ),
        (
            "scaled",
            Box::new(|| Ok(raster.read_scaled(&raster.full(), small)?.data.len())),
        ),
        (
            "nearest",
            Box::new(|| Ok(raster.read_nearest(&raster.full(), small)?.data.len())),
        ),
    ];
    for (name, read) in &reads {
        let began = Instant::now();
        read()?;
        let whole = began.elapsed();
        // On a busy machine the request can come when the read is over: then it tells nothing.
        let stopped = (0..5).any(|_| {
            session::set_interrupted(false);
            let outcome = std::thread::scope(|scope| {
                scope.spawn(|| {
                    std::thread::sleep(whole / 10);
                    session::set_interrupted(true);
                });
                read()
            });
            matches!(outcome, Err(swath::Error::Interrupted { .. }))
        });
        assert!(stopped, "{name}: a read of {whole:?} was never stopped");
        session::set_interrupted(false);
        assert!(read().is_ok(), "{name}: the raster is as good as before");
    }
    Ok(())
}

/// From now on no file of this process grows beyond `bytes`, as if the disk were full.
fn limit_files(bytes: u64) {
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the limit outlives the call; ignoring the signal makes the write itself fail.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_bundle_that_does_not_fit_the_disk_leaves_the_old_one() -> Result<()> {
    if !is_child() {
        assert_passed(&in_child(
            "interrupts::a_bundle_that_does_not_fit_the_disk_leaves_the_old_one",
            &[],
        ));
        return Ok(());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model.swath");
    std::fs::write(&path, "an older model").expect("it is written");
    let architecture = Unet::resnet18();
    let network = architecture.build(3, 2, &Device::cpu())?;
    let classes = vec!["background".to_owned(), "building".to_owned()];
    let meta = BundleMeta::new(architecture, 3, classes, Normalization::eight_bit(3), 64);
    limit_files(200_000);
    let error = save_bundle(&path, &meta, &*network).expect_err("the weights are larger");
    assert!(error.to_string().contains("model.swath"), "{error}");
    assert!(error.hint().is_some(), "{error}");
    assert_eq!(names(folder.path()), ["model.swath"]);
    assert_eq!(
        std::fs::read_to_string(&path).expect("it is there"),
        "an older model"
    );
    Ok(())
}

#[test]
fn a_map_that_does_not_fit_the_disk_leaves_the_old_one() -> Result<()> {
    if !is_child() {
        assert_passed(&in_child(
            "interrupts::a_map_that_does_not_fit_the_disk_leaves_the_old_one",
            &[],
        ));
        return Ok(());
    }
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::open(noise(&folder.path().join("noise.tif"), 512)?.path())?;
    let network = Unet::resnet18().build(1, 3, &Device::cpu())?;
    let map = predict_scene(
        &*network,
        &Normalization::eight_bit(1),
        &swath::labels::Classes::new(["building", "road"]),
        &scene,
        &Device::cpu(),
        &PredictOptions::new().window(256).quiet(true),
    )?;
    let out = folder.path().join("map");
    let no_polygons = SaveOptions::new().polygons(false);
    map.save_with(&out, &no_polygons)?;
    let before = std::fs::read(out.join("labels.tif")).expect("it was saved");
    limit_files(60_000);
    let error = map
        .save_with(&out, &no_polygons)
        .expect_err("the files are larger");
    assert!(error.to_string().contains("too large"), "{error}");
    assert!(error.hint().is_some(), "{error}");
    let labels = Raster::open(out.join("labels.tif"))?;
    assert_eq!(
        std::fs::read(out.join("labels.tif")).expect("it is there"),
        before
    );
    assert_eq!(labels.read(&PixelWindow::new(0, 0, 8, 8))?.data.len(), 64);
    let left = names(&out);
    assert!(left.iter().all(|name| !name.starts_with('.')), "{left:?}");
    Ok(())
}
