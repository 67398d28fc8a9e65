//! Random manifests of chip sets: sound ones that lead nowhere outside their folder, or words. See [`crate::fuzz_harness`].

use std::path::{Component, Path};

use super::manifest::{BandEntry, ChipEntry, Manifest, PartEntry};
use super::options::Container;
use crate::fuzz_harness::Target;
use crate::labels::{CellRule, Classes};
use crate::raster::{BandStatistics, DataType, PixelWindow};

/// A manifest as it is written, with everything that one may hold.
fn whole() -> String {
    let band = BandEntry {
        name: "red".to_owned(),
        role: None,
        data_type: DataType::U8,
        scale: 1.0,
        offset: 0.0,
    };
    let statistics = vec![BandStatistics {
        min: 0.0,
        max: 255.0,
        mean: 101.25,
        std: 33.3,
        p2: 4.0,
        p98: 240.0,
        count: 4096,
    }];
    let chip = ChipEntry {
        image: "images/train/0_a.tif".to_owned(),
        mask: Some("masks/train/0_a.tif".to_owned()),
        yolo: Some("labels/train/0_a.txt".to_owned()),
        scene: "a".to_owned(),
        source: "/data/a.tif".into(),
        window: PixelWindow::new(3, -4, 64, 64),
        bounds: Some([500_000.0, 4_999_000.0, 500_064.0, 4_999_064.0]),
        system: Some(0),
        valid: 4096,
        pixels: vec![4000, 90],
        objects: vec![0, 2],
        ignored: 6,
        class: Some(1),
    };
    let part = PartEntry {
        split: Some("train".to_owned()),
        size: 64,
        seed: 7,
        flips: true,
        photometric: 0.1,
        epoch: None,
        options: serde_json::json!({"layout": "Objects"}),
        masks: true,
        coco: true,
        yolo: true,
        cells: Some(CellRule::majority()),
        statistics_bits: PartEntry::bits_of(&statistics),
        statistics,
        systems: vec!["EPSG:32632".to_owned()],
        chips: vec![chip],
    };
    let mut manifest = Manifest::new(Container::GeoTiff, vec![band], Classes::new(["car"]));
    manifest.parts.push(part);
    String::from_utf8(manifest.bytes().unwrap()).unwrap()
}

fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && Path::new(path)
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
}

#[test]
fn manifests() {
    let whole = whole();
    let bare = whole
        .replace("\"split\":\"train\"", "\"split\":null")
        .replace("\"statistics_bits\"", "\"others\"");
    Target {
        name: "chip-set",
        seeds: &[&whole, &bare],
        words: &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "null",
            "true",
            "-1",
            "0.5",
            "1e308",
            "1e999",
            "18446744073709551616",
            "9223372036854775807",
            "\"format\":",
            "\"swath chip set\"",
            "\"version\":1",
            "\"bands\":",
            "\"classes\":",
            "\"parts\":",
            "\"chips\":",
            "\"image\":",
            "\"mask\":",
            "\"yolo\":",
            "\"../a.tif\"",
            "\"/etc/passwd\"",
            "\"a/./b\"",
            "\"..\"",
            "\"\"",
            "\"window\":",
            "\"col\":",
            "\"width\":",
            "\"statistics\":",
            "\"statistics_bits\":",
            "\"class\":",
            "\"system\":",
            "\"options\":",
            "\"cells\":",
            "\"split\":",
            "\"imagery\":\"Png\"",
            "\\u0000",
            "\\ud800",
            "\\\\",
        ],
        depth: 300,
    }
    .run(|input| match Manifest::parse(input) {
        Err(words) => assert!(
            !words.trim().is_empty() && words.len() < 4000 + input.len(),
            "{words}"
        ),
        Ok(manifest) => {
            assert!(manifest.files().all(is_inside));
            assert!(manifest.classes.len() <= 255 && manifest.classes.len() > 0);
            for part in &manifest.parts {
                let statistics = part.exact_statistics();
                assert_eq!(statistics.len(), part.statistics.len());
                assert!(statistics.is_empty() || statistics.len() == manifest.bands.len());
                let known = |class: usize| class < manifest.classes.len();
                assert!(part.chips.iter().all(|chip| chip.class.is_none_or(known)));
                let _ = part.is_of_objects();
            }
            for place in manifest.lists() {
                assert!(
                    place.is_relative() && is_inside(&place.to_string_lossy()),
                    "{place:?}"
                );
            }
            let again = Manifest::parse(&manifest.bytes().unwrap());
            let again = again.unwrap_or_else(|words| panic!("{words}: {manifest:?}"));
            assert_eq!(again.files().count(), manifest.files().count());
            assert_eq!(again.classes, manifest.classes);
        }
    });
}
