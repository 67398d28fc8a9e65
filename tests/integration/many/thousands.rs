//! Thousands of scenes: files that are open and memory stay within bounds.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use swath::prelude::*;
use swath::raster::Size;
use swath::vector::LabelClass;

use super::tile;
use crate::support::{assert_passed, in_child, is_child};

const SCENES: usize = 5_000;
/// Scenes beside each other.
const ROW: usize = 100;
const EDGE: usize = 64;
/// `ulimit -n`; unless set it is 1,024.
const FILES: u64 = 256;

/// One GeoJSON in the scenes' own system: two squares on every scene, of 20 x 20 and 10 x 10 pixels, the second over the
/// first.
fn labels(path: &Path) {
    let mut file = std::io::BufWriter::new(fs::File::create(path).unwrap());
    let head = "{\"type\":\"FeatureCollection\",\"crs\":{\"type\":\"name\",\"properties\":{\"name\":\"EPSG:32632\"}},\"features\":[";
    write!(file, "{head}").unwrap();
    for index in 0..2 * SCENES {
        let (number, edge) = (index / 2, [20, 10][index % 2]);
        let (col, row) = (number % ROW * EDGE + 8, number / ROW * EDGE + 8);
        let ring: Vec<String> = [(0, 0), (edge, 0), (edge, edge), (0, edge), (0, 0)]
            .iter()
            .map(|(x, y)| {
                format!(
                    "[{},{}]",
                    500_000.0 + (col + x) as f64 * 0.5,
                    5_000_000.0 - (row + y) as f64 * 0.5
                )
            })
            .collect();
        let kind = ["field", "house"][index % 2];
        write!(
            file,
            "{}{{\"type\":\"Feature\",\"properties\":{{\"kind\":\"{kind}\"}},\"geometry\":{{\"type\":\"Polygon\",\"coordinates\":[[{}]]}}}}",
            if index == 0 { "" } else { ",\n" },
            ring.join(",")
        )
        .unwrap();
    }
    write!(file, "]}}").unwrap();
}

/// The most memory that this process has held, in MiB.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.unwrap().trim().trim_end_matches(" kB");
    number.parse::<usize>().unwrap() / 1024
}

#[test]
fn five_thousand_scenes_are_opened_labeled_measured_and_cut_with_256_open_files() {
    if !is_child() {
        let test = "many::thousands::five_thousand_scenes_are_opened_labeled_measured_and_cut_with_256_open_files";
        let output = in_child(test, &[("RAYON_NUM_THREADS", "4")]);
        assert_passed(&output);
        print!("{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let limit = libc::rlimit {
        rlim_cur: FILES,
        rlim_max: FILES,
    };
    // SAFETY: the limit is ours; the process is this test's alone.
    unsafe { assert_eq!(libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit), 0) };
    let folder = tempfile::tempdir().unwrap();
    let images = folder.path().join("images");
    let open = || fs::read_dir("/proc/self/fd").unwrap().count();
    let began = Instant::now();
    let size = Size::new(EDGE, EDGE);
    let said = |what: &str, began: Instant| {
        println!(
            "{what}: {:.1} s, {} files open, peak {} MiB",
            began.elapsed().as_secs_f64(),
            open(),
            peak()
        );
    };
    // Seven tiles are written, and 5,000 are these in other places: of a GeoTIFF that is its tie point.
    let origin = [500_000.0_f64, 5_000_000.0].map(f64::to_le_bytes).concat();
    let templates: Vec<(Vec<u8>, usize)> = (0..7)
        .map(|number| {
            let path = folder.path().join(format!("template_{number}.tif"));
            // A mean of 3 over all scenes and pixels: 0 to 6, each as often.
            let value = |_: usize, col: usize, row: usize| ((number + col + row) % 7) as f32;
            let bytes = fs::read(tile(&path, 32, (0.0, 0.0), size, 1, value)).unwrap();
            let at = bytes.windows(16).position(|part| part == origin).unwrap();
            (bytes, at)
        })
        .collect();
    fs::create_dir(&images).unwrap();
    for number in 0..SCENES {
        let (col, row) = (number % ROW * EDGE, number / ROW * EDGE);
        let (bytes, at) = &templates[number % 7];
        let mut bytes = bytes.clone();
        let x = 500_000.0 + col as f64 * 0.5;
        let y = 5_000_000.0 - row as f64 * 0.5;
        bytes[*at..at + 16].copy_from_slice(&[x, y].map(f64::to_le_bytes).concat());
        fs::write(images.join(format!("tile_{number}.tif")), bytes).unwrap();
    }
    let file = folder.path().join("all.geojson");
    labels(&file);
    said("written", began);

    let (before, began) = (open(), Instant::now());
    let scenes = Scenes::open(&images).unwrap();
    assert_eq!(scenes.len(), SCENES);
    said("opened", began);
    let began = Instant::now();
    let scenes = scenes
        .with_labels(&file, LabelClass::property("kind"))
        .unwrap();
    said("labeled from one GeoJSON", began);
    assert_eq!(scenes.classes().names(), ["background", "field", "house"]);
    let began = Instant::now();
    let statistics = scenes.statistics().unwrap();
    assert_eq!(statistics[0].count, (SCENES * EDGE * EDGE) as u64);
    // 64 x 64 is no multiple of 7, but numbers of scenes go round.
    assert!((statistics[0].mean - 3.0).abs() < 1e-3, "{statistics:?}");
    said("statistics", began);
    let began = Instant::now();
    let chips = scenes.chips(Chips::random(20_000, 32).seed(3)).unwrap();
    let (mut most, mut seen) = (0, 0);
    for batch in chips.epoch(0, 50, 4) {
        seen += batch.unwrap().len();
        most = most.max(open());
    }
    assert_eq!(seen, 20_000);
    said("20,000 chips by 4 workers", began);
    // Five of rayon's threads, four workers and this one, each with twelve files at most.
    assert!(
        most <= before + 12 * 10 + 8,
        "{most} files are open, {before} before"
    );
    // Every scene has its two squares, the house over the field.
    for index in [0, 99, 100, SCENES / 2, SCENES - 1] {
        let counts = crate::support::label_counts(scenes.get(index).unwrap());
        let wanted = [(0, EDGE * EDGE - 400), (1, 300), (2, 100)];
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), wanted, "{index}");
    }
    // 20 KiB a scene beside what the process needs anyway.
    assert!(peak() < 400, "{} MiB", peak());
}
