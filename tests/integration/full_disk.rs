//! Files that Swath replaces: they keep their permissions, and stay as they were when the disk is full.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use swath::boxes::BoundingBox;
use swath::boxes::formats::{LabeledBox, LabeledImage, coco, csv, voc, yolo};
use swath::burn;
use swath::burn::module::Module;
use swath::burn::tensor::Tensor;
use swath::models::{Architecture, Conv2d, Conv2dConfig, Network};
use swath::prelude::*;
use swath::samples::town_in;
use swath::{Hint, Result};

use crate::support::{assert_passed, in_child, is_child};

#[derive(Module, Debug)]
struct Small {
    first: Conv2d,
    last: Conv2d,
}

impl Network for Small {
    fn forward(&self, images: Tensor<4>) -> Tensor<4> {
        self.last.forward(self.first.forward(images))
    }
}

fn small() -> Architecture {
    Architecture::custom("small", |bands, classes, device| Small {
        first: Conv2dConfig::new([bands, 16], 3).with_bias().init(device),
        last: Conv2dConfig::new([16, classes], 1).with_bias().init(device),
    })
}

/// A way to write a file.
type Write<'a> = Box<dyn Fn(&Path) -> Result<()> + 'a>;

/// Every file that Swath writes at once, by its name, except for rasters and vector files, whose drivers write bit by
/// bit. Each is larger than [`ROOM`].
fn writers<'a>(run: &'a Run, scene: &'a Scene, chips: &'a Chips) -> Vec<(&'static str, Write<'a>)> {
    let bounds = |index: usize| BoundingBox::from_xywh(index as f64, 3.0, 8.0, 9.0);
    let image = LabeledImage {
        boxes: (0..100)
            .map(|index| LabeledBox::new(bounds(index), "car".to_owned()))
            .collect(),
        width: Some(256),
        height: Some(256),
        file: "cars.tif".to_owned(),
        left_out: 0,
    };
    let images = vec![image];
    let classes = vec!["car".to_owned()];
    let checkpoint = move |path: &Path| {
        let folder = path.parent().unwrap_or(path);
        let model = Segmenter::new(small(), scene.classes());
        let fit = FitOptions::steps(1).quiet(true).checkpoints(folder);
        model.fit(chips, scene, fit).map(drop)
    };
    let (one, two, three) = (images.clone(), images.clone(), images.clone());
    let (of_yolo, of_coco) = (classes.clone(), classes);
    vec![
        ("model.swath", Box::new(|path| run.last().save(path))),
        (
            "model.safetensors",
            Box::new(|path| run.last().export_torchvision(path)),
        ),
        ("training.safetensors", Box::new(checkpoint)),
        (
            "scene.png",
            Box::new(|path| scene.show_bands([0, 1, 2])?.save(path)),
        ),
        (
            "scene.html",
            Box::new(|path| scene.show_bands([0, 1, 2])?.save(path)),
        ),
        (
            "cars.csv",
            Box::new(move |path| Ok(csv::write(path, &one)?)),
        ),
        (
            "cars.json",
            Box::new(move |path| Ok(coco::write(path, &two, &of_coco)?)),
        ),
        (
            "cars.txt",
            Box::new(move |path| Ok(yolo::write(path, &three[0], &of_yolo)?)),
        ),
        (
            "cars.xml",
            Box::new(move |path| Ok(voc::write(path, &images[0], voc::Origin::Zero)?)),
        ),
    ]
}

/// A trained model on a drawn town, and a folder for its files.
fn trained(folder: &Path) -> Result<(Run, Scene, Chips, PathBuf)> {
    let scene = town_in(folder, 1, 256)?.scene()?;
    let chips = scene.chips(Chips::random(4, 64))?;
    let model = Segmenter::new(small(), scene.classes());
    let run = model.fit(&chips, &scene, FitOptions::steps(1).quiet(true))?;
    let files = folder.join("files");
    fs::create_dir(&files).unwrap();
    Ok((run, scene, chips, files))
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_string_lossy().into_owned()
    });
    names.collect()
}

#[test]
fn files_keep_the_permissions_of_those_they_replace_and_new_ones_are_as_usual() -> Result<()> {
    let folder = tempfile::tempdir().unwrap();
    let (run, scene, chips, files) = trained(folder.path())?;
    let usual = folder.path().join("usual");
    fs::write(&usual, "").unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (name, write) in writers(&run, &scene, &chips) {
        let path = files.join(name);
        write(&path)?;
        assert_eq!(mode(&path), mode(&usual), "{name}");
        fs::set_permissions(&path, Permissions::from_mode(0o664)).unwrap();
        write(&path)?;
        assert_eq!(mode(&path), 0o664, "{name}");
        assert_eq!(names(&files), [name]);
        fs::remove_file(&path).unwrap();
    }
    Ok(())
}

/// What is there before: a safetensors file without tensors, which models may be saved over.
const OLDER: &[u8] = b"\x02\0\0\0\0\0\0\0{}";

/// Bytes that a file may have when the disk is "full".
const ROOM: u64 = 1_000;

#[test]
fn a_full_disk_leaves_every_kind_of_file_as_it_was() -> Result<()> {
    if !is_child() {
        assert_passed(&in_child(
            "full_disk::a_full_disk_leaves_every_kind_of_file_as_it_was",
            &[],
        ));
        return Ok(());
    }
    let folder = tempfile::tempdir().unwrap();
    let (run, scene, chips, files) = trained(folder.path())?;
    let limit = libc::rlimit {
        rlim_cur: ROOM,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: the limit outlives the call; ignoring the signal makes the write itself fail.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
    }
    for (name, write) in writers(&run, &scene, &chips) {
        let path = files.join(name);
        fs::write(&path, OLDER).unwrap();
        let error = write(&path).expect_err(name);
        assert!(error.to_string().contains(name), "{error}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("free some space"), "{error}: {hint:?}");
        assert_eq!(fs::read(&path).unwrap(), OLDER, "{name}");
        assert_eq!(names(&files), [name], "nothing half-written stays");
        fs::remove_file(&path).unwrap();
    }
    Ok(())
}
