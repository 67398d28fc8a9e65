//! Each change beside SciPy, albumentations, colorsys and NumPy: `tests/python/make_augment_fixtures.py` makes the numbers.

use serde_json::Value;

use super::affine::about_the_middle;
use super::values::BandValues;
use super::warp::{Parts, warp};
use super::{blur, bounds, cutout, gamma, hue, saturation};
use crate::boxes::{Annotation, BoundingBox};
use crate::chips::Chip;
use crate::labels::IGNORE;
use crate::raster::{Patch, PixelWindow, Size};

fn fixture(name: &str) -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/augment");
    serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_f64().unwrap_or(f64::NAN))
        .collect()
}

fn floats(value: &Value) -> Vec<f32> {
    numbers(value).into_iter().map(|one| one as f32).collect()
}

fn bytes(value: &Value) -> Vec<u8> {
    numbers(value).into_iter().map(|one| one as u8).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn bounds_of(value: &Value) -> BoundingBox {
    let [x_min, y_min, x_max, y_max] = numbers(value).try_into().unwrap();
    BoundingBox::new(x_min, y_min, x_max, y_max)
}

fn patch(size: Size, data: Vec<f32>) -> Patch {
    let bands = data.len() / size.area();
    Patch {
        size,
        bands,
        data,
        valid: vec![1; size.area()],
    }
}

#[track_caller]
fn near(found: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (at, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance, "{a} beside {b} at {at}");
    }
}

#[test]
fn maps_move_values_labels_and_boxes_as_scipy_and_numpy_do() {
    let all = fixture("maps");
    let size = Size::new(
        number(&all["width"]) as usize,
        number(&all["height"]) as usize,
    );
    let image = patch(size, floats(&all["image"]));
    let labels = bytes(&all["labels"]);
    let (mut compared, mut ignored, mut kept) = (0, 0, 0);
    for case in all["cases"].as_array().unwrap() {
        let [right, down] = numbers(&case["translate"]).try_into().unwrap();
        let shear = numbers(&case["shear"]).try_into().unwrap();
        let (angle, scale) = (number(&case["angle"]), number(&case["scale"]));
        let map = about_the_middle(angle, scale, [right, down], shear, size);
        let matrix = numbers(&case["matrix"]);
        assert!(
            map.0.iter().zip(&matrix).all(|(a, b)| (a - b).abs() < 1e-7),
            "{map:?}, {matrix:?}"
        );

        let boxes: Vec<Annotation> = case["boxes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| Annotation {
                area: Some(10.0),
                ..Annotation::new(bounds_of(&one["box"]), 1)
            })
            .collect();
        let parts = Parts {
            patch: &image,
            labels: &labels,
            boxes: &boxes,
        };
        let (moved, moved_labels, _) = warp(&parts, &map, size, 0.0);
        for (at, (&found, expected)) in moved.data.iter().zip(numbers(&case["values"])).enumerate()
        {
            if expected.is_finite() {
                assert!(
                    (f64::from(found) - expected).abs() < 2e-3,
                    "{found}, {expected} at {at}"
                );
                assert_eq!(moved.valid[at], 1);
                compared += 1;
            }
        }
        // Where the map leads to an edge between pixels exactly, either side is right.
        let expected = bytes(&case["labels"]);
        let differing = moved_labels
            .iter()
            .zip(&expected)
            .filter(|(a, b)| a != b)
            .count();
        assert!(
            differing <= 1,
            "{differing} labels differ at {angle} degrees"
        );
        let outside = |at: usize| moved.valid[at] == 0 && moved.data[at] == 0.0;
        for (at, _) in moved_labels
            .iter()
            .enumerate()
            .filter(|(_, label)| **label == IGNORE)
        {
            assert!(outside(at), "{at}");
            ignored += 1;
        }

        for min_visible in [0.0, 0.3, 0.8] {
            let moved = bounds::moved(&boxes, &map, size, min_visible);
            let expected: Vec<&Value> = case["boxes"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|one| number(&one["share"]) >= min_visible && number(&one["share"]) > 0.0)
                .collect();
            assert_eq!(moved.len(), expected.len());
            for (found, expected) in moved.iter().zip(expected) {
                let (a, b) = (
                    found.bounds.to_xywh(),
                    bounds_of(&expected["moved"]).to_xywh(),
                );
                assert!(
                    a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6),
                    "{a:?}, {b:?}"
                );
                let area = 10.0 * scale * scale * number(&expected["share"]);
                assert!(
                    (found.area.unwrap() - area).abs() < 1e-6,
                    "{found:?}, {area}"
                );
                kept += 1;
            }
        }
    }
    assert!(
        compared > 1000 && ignored > 200 && kept > 50,
        "{compared}, {ignored}, {kept}"
    );
}

#[test]
fn blurs_are_scipy_s_over_the_valid_pixels() {
    let all = fixture("blurs");
    let size = Size::new(23, 19);
    for case in all["cases"].as_array().unwrap() {
        let mut image = patch(
            size,
            [floats(&all["image"]), floats(&all["image"])].concat(),
        );
        image.valid = bytes(&all["valid"]);
        blur::blur(&mut image, number(&case["sigma"]));
        let expected = floats(&case["values"]);
        near(image.band(0), &expected, 2e-4);
        assert_eq!(image.band(0), image.band(1));
    }
}

/// The colors of the fixture as bands of another order, with one that is none of them in between.
fn colored(all: &Value) -> (Patch, [usize; 3]) {
    let pixels = floats(&all["pixels"]);
    let of = |color: usize| {
        pixels
            .iter()
            .skip(color)
            .step_by(3)
            .copied()
            .collect::<Vec<f32>>()
    };
    let bands = [of(2), vec![7.0; pixels.len() / 3], of(0), of(1)];
    (
        patch(Size::new(pixels.len() / 3, 1), bands.concat()),
        [2, 3, 0],
    )
}

#[track_caller]
fn same_colors(found: &Patch, expected: &Value) {
    let expected = floats(expected);
    for (color, band) in [2, 3, 0].into_iter().enumerate() {
        let of: Vec<f32> = expected.iter().skip(color).step_by(3).copied().collect();
        near(found.band(band), &of, 1e-5);
    }
    assert!(found.band(1).iter().all(|&value| value == 7.0));
}

#[test]
fn hues_are_those_of_colorsys_and_saturation_that_of_torchvision() {
    let all = fixture("colors");
    for case in all["hues"].as_array().unwrap() {
        let (mut image, colors) = colored(&all);
        hue::turn(&mut image, colors, number(&case["share"]) as f32);
        same_colors(&image, &case["pixels"]);
    }
    for case in all["saturations"].as_array().unwrap() {
        let (mut image, colors) = colored(&all);
        saturation::saturate(&mut image, colors, number(&case["factor"]) as f32);
        same_colors(&image, &case["pixels"]);
    }
}

/// The range of values takes no part in a hue: twelve bits below zero turn like shares.
#[test]
fn hues_turn_in_any_units() {
    let all = fixture("colors");
    let case = &all["hues"][3];
    let (mut image, colors) = colored(&all);
    image
        .data
        .iter_mut()
        .for_each(|value| *value = *value * 4096.0 - 1000.0);
    hue::turn(&mut image, colors, number(&case["share"]) as f32);
    image
        .data
        .iter_mut()
        .for_each(|value| *value = (*value + 1000.0) / 4096.0);
    near(
        image.band(2),
        &floats(&case["pixels"])
            .into_iter()
            .step_by(3)
            .collect::<Vec<_>>(),
        1e-5,
    );
}

#[test]
fn powers_are_those_of_albumentations_between_the_percentiles() {
    let all = fixture("gammas");
    let (low, high) = (300.0, 2300.0);
    let bands = [BandValues {
        mean: 0.0,
        std: 1.0,
        p2: low,
        p98: high,
    }];
    for case in all["cases"].as_array().unwrap() {
        let mut values: Vec<f32> = floats(&all["values"])
            .iter()
            .map(|value| low + (high - low) * value)
            .collect();
        values.extend([low - 200.0, low, high, high + 1e6]);
        let mut image = patch(Size::new(values.len(), 1), values);
        gamma::power(&mut image, &bands, number(&case["gamma"]) as f32);
        let (inside, outside) = image.data.split_at(50);
        let shares: Vec<f32> = inside
            .iter()
            .map(|value| (value - low) / (high - low))
            .collect();
        near(&shares, &floats(&case["values"]), 1e-5);
        assert_eq!(outside, [low - 200.0, low, high, high + 1e6]);
    }
}

#[test]
fn a_box_under_holes_stays_as_long_as_enough_of_it_is_seen() {
    let all = fixture("holes");
    let size = Size::new(64, 64);
    let (mut left_out, mut kept) = (0, 0);
    for case in all["cases"].as_array().unwrap() {
        let ranges = |key: &str| -> Vec<std::ops::Range<usize>> {
            let pairs = case[key].as_array().unwrap().iter();
            pairs
                .map(|pair| number(&pair[0]) as usize..number(&pair[1]) as usize)
                .collect()
        };
        let holes: Vec<_> = ranges("rows").into_iter().zip(ranges("columns")).collect();
        let object = Annotation::new(bounds_of(&case["box"]), 1);
        let crowd = Annotation {
            crowd: true,
            ..object
        };
        let seen = 1.0 - number(&case["hidden"]);
        for min_visible in [0.01, seen - 1e-6, seen + 1e-6, 0.9] {
            let mut image = patch(size, vec![5.0; size.area()]);
            image.valid[0] = 0;
            let mut chip = Chip {
                scene: 0,
                window: PixelWindow::new(0, 0, 64, 64),
                patch: image,
                labels: vec![3; size.area()],
                boxes: vec![object, crowd],
                class: None,
            };
            let bands = [BandValues {
                mean: -1.0,
                std: 1.0,
                p2: 0.0,
                p98: 1.0,
            }];
            cutout::cut(&mut chip, &bands, &holes, min_visible);
            let expected = if seen >= min_visible {
                vec![object, crowd]
            } else {
                vec![crowd]
            };
            assert_eq!(chip.boxes, expected, "{seen} seen, {min_visible} asked for");
            let inside = |at: usize| {
                holes.iter().any(|(rows, columns)| {
                    rows.contains(&(at / 64)) && columns.contains(&(at % 64))
                })
            };
            for (at, &value) in chip.patch.data.iter().enumerate() {
                assert_eq!(value, if inside(at) && at > 0 { -1.0 } else { 5.0 });
            }
            assert!(chip.labels.iter().all(|&label| label == 3));
            if seen >= min_visible {
                kept += 1;
            } else {
                left_out += 1;
            }
        }
    }
    assert!(kept > 40 && left_out > 40, "{kept}, {left_out}");
}
