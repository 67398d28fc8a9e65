//! What values mean, without a file.

use std::collections::BTreeMap;

use super::*;
use crate::Hint as _;

/// A raster of these values, so many pixels each.
fn found(values: &[(f64, u64)]) -> Found {
    let mut tally = Tally::default();
    for &(value, pixels) in values {
        tally.count(value, pixels);
    }
    Found {
        path: "mask.tif".into(),
        counts: tally.finish(1),
        unit: "pixels",
        kind: NumberKind::Value,
        nodata: None,
        single: false,
        lossy: None,
        names: BTreeMap::new(),
    }
}

fn suggestion(values: impl Into<LabelValues>, found: &Found) -> String {
    let error = resolve(&values.into(), found).unwrap_err();
    error.hint().unwrap_or_default()
}

fn one() -> Classes {
    Classes::new(["building"])
}

#[test]
fn code_is_suggested_for_the_values_that_are_there() {
    for (values, expected) in [
        (
            &[(0.0, 9), (100.0, 3)][..],
            "LabelValues::codes([(100, \"building\")]).background([0])",
        ),
        (
            &[(0.0, 9), (65_535.0, 3)],
            "LabelValues::codes([(65535, \"building\")]).background([0])",
        ),
        (
            &[(0.0, 9), (-1.0, 3)],
            "LabelValues::codes([(-1, \"building\")]).background([0])",
        ),
        (
            &[(0.0, 9), (1.0, 3), (-1.0, 2)],
            "LabelValues::from(CLASSES).ignore([-1])",
        ),
        (
            &[(0.0, 9), (1.0, 3), (2.0, 2), (255.0, 1)],
            "LabelValues::codes([(1, \"building\"), (2, \"CLASS OF 2\")]).background([0]).ignore([255])",
        ),
        (
            &[(2.0, 9), (3.0, 3)],
            "LabelValues::codes([(2, \"CLASS OF 2\"), (3, \"CLASS OF 3\")])",
        ),
    ] {
        let text = suggestion(one(), &found(values));
        assert!(text.contains(expected), "{text}");
    }
    let text = suggestion(
        LabelValues::binary("building"),
        &found(&[(0.0, 9), (1.0, 3), (-1.0, 2)]),
    );
    assert!(
        text.contains("LabelValues::binary(\"building\").ignore([-1])"),
        "{text}"
    );
}

/// 255 is the class wherever nothing else is, whatever else is not a class.
#[test]
fn only_255_is_an_error_and_255_with_declared_nodata_is_none() {
    let mask = found(&[(0.0, 9), (255.0, 3)]);
    assert!(matches!(
        resolve(&one().into(), &mask),
        Err(LabelError::Only255 { pixels: 3, .. })
    ));
    let declared = Found {
        nodata: Some(255.0),
        ..mask
    };
    let resolved = resolve(&one().into(), &declared).unwrap();
    assert_eq!(resolved.map.label(255.0), Some(IGNORE));
    assert!(
        resolved
            .report
            .mentions("3 pixels hold the nodata value 255")
    );
    assert!(resolved.report.mentions("no pixel is building"));
    // A tile without the class is no mistake.
    let empty = resolve(&one().into(), &found(&[(0.0, 9)])).unwrap();
    assert_eq!(empty.map.label(0.0), Some(0));
    assert_eq!(empty.map.label(7.0), None);
}

/// The largest float as nodata is not the same number in 32 and in 64 bits; rasterio compares them as the raster's type.
#[test]
fn nodata_of_floats_is_compared_in_their_own_precision() {
    let lowest = f64::from(f32::MIN);
    let raster = Found {
        nodata: Some(-3.402_823_5e38),
        single: true,
        ..found(&[(0.0, 9), (1.0, 3), (lowest, 4)])
    };
    let resolved = resolve(&one().into(), &raster).unwrap();
    assert_eq!(resolved.map.label(lowest), Some(IGNORE));
    let undeclared = Found {
        nodata: None,
        ..raster
    };
    let ignoring = LabelValues::from(one()).ignore([-3.402_823_5e38]);
    let resolved = resolve(&ignoring, &undeclared).unwrap();
    assert_eq!(resolved.map.label(lowest), Some(IGNORE));
    assert_eq!(resolved.map.label(f64::NAN), Some(IGNORE));
}

#[test]
fn nodata_of_masks_and_thresholds() {
    let mask = Found {
        nodata: Some(0.0),
        ..found(&[(0.0, 9), (255.0, 3)])
    };
    let resolved = resolve(&LabelValues::binary("a"), &mask).unwrap();
    assert_eq!(
        (resolved.map.label(0.0), resolved.map.label(255.0)),
        (Some(0), Some(1))
    );
    assert!(resolved.report.mentions("9 pixels are background"));
    let kept = LabelValues::binary("a").nodata_is("a");
    assert_eq!(resolve(&kept, &mask).unwrap().map.label(0.0), Some(1));
    let heights = Found {
        nodata: Some(-9999.0),
        ..found(&[(0.2, 9), (2.5, 3), (-9999.0, 2)])
    };
    let map = resolve(&LabelValues::threshold("tall", 2.0), &heights)
        .unwrap()
        .map;
    let labels = map.labels(&[0.2, 2.5, 2.0, -9999.0, f64::NAN, f64::INFINITY]);
    assert_eq!(labels, Ok(vec![0, 1, 1, IGNORE, IGNORE, IGNORE]));
    let mut becomes = [0; 256];
    becomes[usize::from(IGNORE)] = IGNORE;
    assert_eq!(map.relabeled(&becomes).label(2.5), Some(0));
}

#[test]
fn the_nearest_value_is_never_nodata() {
    let raster = Found {
        nodata: Some(200.0),
        ..found(&[(0.0, 9), (199.0, 3), (255.0, 4), (200.0, 1)])
    };
    let values = LabelValues::codes([(255, "a"), (0, "background")]).others_are_nearest();
    let resolved = resolve(&values, &raster).unwrap();
    assert_eq!(resolved.map.label(199.0), Some(1));
    assert_eq!(resolved.map.label(200.0), Some(IGNORE));
    assert!(resolved.report.mentions("3 pixels of 1 other values"));
}

#[test]
fn several_values_of_a_mask_are_listed_and_ids_are_no_smear() {
    let ids = found(&[(0.0, 90), (1.0, 3), (2.0, 4), (300.0, 5)]);
    let resolved = resolve(&LabelValues::binary("a"), &ids).unwrap();
    assert_eq!(resolved.map.label(1.0), Some(1));
    assert!(
        resolved
            .report
            .mentions("3 values that are not 0 are all a")
    );
    let text = suggestion(LabelValues::binary("a"), &found(&[(0.0, 9), (0.5, 3)]));
    assert!(
        text.contains("LabelValues::threshold(\"a\", 0.5)"),
        "{text}"
    );
}
