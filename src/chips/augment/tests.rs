//! Changes of whole chips: what moves together, what stays, what is put together.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::affine::about_the_middle;
use super::plane_map::PlaneMap;
use super::values::{BandValues, keep_to_types};
use super::warp::{Parts, warp};
use super::{
    Affine, Augment, CopyPaste, band_dropout, brightness, contrast, crop, mixup, mosaic, noise,
    scale_jitter,
};
use crate::boxes::{Annotation, BoundingBox};
use crate::chips::{Chip, ChipsError};
use crate::labels::IGNORE;
use crate::raster::{Patch, PixelWindow, Size};

fn generator(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

fn chip(edge: usize, bands: usize, value: impl Fn(usize, usize) -> f32) -> Chip {
    let area = edge * edge;
    let pixels = |band| (0..area).map(move |pixel| (band, pixel));
    Chip {
        scene: 0,
        window: PixelWindow::new(0, 0, edge, edge),
        patch: Patch {
            size: Size::new(edge, edge),
            bands,
            data: (0..bands)
                .flat_map(pixels)
                .map(|(band, pixel)| value(band, pixel))
                .collect(),
            valid: vec![1; area],
        },
        labels: vec![0; area],
        boxes: Vec::new(),
        class: None,
    }
}

/// Maps of every kind, those of the changes and what follows from several of them.
fn maps(count: u64, size: Size) -> impl Iterator<Item = PlaneMap> {
    (0..count).map(move |seed| {
        let random = &mut generator(seed);
        let affine = Affine::new()
            .rotation(180.0)
            .scale(0.3..=2.5)
            .translation(0.4)
            .shear(30.0);
        let parts = [
            affine.draw(random, size),
            crop::draw(random, &(0.08..=1.0), size),
            scale_jitter::draw(random, &(0.3..=2.0), size),
        ];
        match seed % 4 {
            3 => parts[1].then(&parts[2]).then(&parts[0]),
            one => parts[one as usize],
        }
    })
}

fn moved(chip: &Chip, map: &PlaneMap, min_visible: f64) -> Chip {
    let parts = Parts {
        patch: &chip.patch,
        labels: &chip.labels,
        boxes: &chip.boxes,
    };
    let (patch, labels, boxes) = warp(&parts, map, chip.patch.size, min_visible);
    Chip {
        scene: 0,
        window: chip.window,
        patch,
        labels,
        boxes,
        class: chip.class,
    }
}

/// The center of a moved pixel comes from a pixel of the blob, so it lies in the box around the blob's moved corners.
#[test]
fn a_box_around_a_blob_bounds_what_is_seen_of_it_after_any_map() {
    let (edge, mut seen) = (40, 0);
    for (seed, map) in maps(300, Size::new(edge, edge)).enumerate() {
        let random = &mut generator(1000 + seed as u64);
        let mut one = chip(edge, 2, |_, _| 5.0);
        let (mut low, mut high) = ([edge; 2], [0; 2]);
        // Disks that hang together somehow.
        let (mut x, mut y) = (
            random.random_range(8..32_i32),
            random.random_range(8..32_i32),
        );
        for _ in 0..4 {
            let radius: i32 = random.random_range(1..6);
            for (row, col) in (0..40).flat_map(|row| (0..40).map(move |col| (row, col))) {
                if (row - y).pow(2) + (col - x).pow(2) <= radius.pow(2) {
                    one.labels[(row * 40 + col) as usize] = 7;
                    let at = [col as usize, row as usize];
                    low = [low[0].min(at[0]), low[1].min(at[1])];
                    high = [high[0].max(at[0] + 1), high[1].max(at[1] + 1)];
                }
            }
            (x, y) = (
                x + random.random_range(-4..5),
                y + random.random_range(-4..5),
            );
        }
        one.boxes = vec![Annotation::new(
            BoundingBox::new(low[0] as f64, low[1] as f64, high[0] as f64, high[1] as f64),
            7,
        )];
        let after = moved(&one, &map, 0.0);
        for (at, _) in after
            .labels
            .iter()
            .enumerate()
            .filter(|(_, label)| **label == 7)
        {
            let (col, row) = ((at % edge) as f64 + 0.5, (at / edge) as f64 + 0.5);
            let bounds = after.boxes[0].bounds;
            let near = BoundingBox::new(
                bounds.x_min - 1e-9,
                bounds.y_min - 1e-9,
                bounds.x_max + 1e-9,
                bounds.y_max + 1e-9,
            );
            assert!(
                near.contains(col, row),
                "{col}, {row} beside {bounds:?} after {map:?}"
            );
            seen += 1;
        }
        assert!(
            after
                .boxes
                .iter()
                .all(|one| one.bounds == one.bounds.clip(40.0, 40.0))
        );
    }
    assert!(seen > 5000, "{seen}");
}

/// Values from 100 to 200, nodata as 0: whatever is seen afterwards lies between, and what is not valid is 0 and ignored.
#[test]
fn nothing_of_nodata_or_of_outside_shows_after_any_map() {
    let mut seen = 0;
    for (seed, map) in maps(200, Size::new(32, 32)).enumerate() {
        let random = &mut generator(seed as u64);
        let mut one = chip(32, 3, |band, _| if band == 1 { -50.0 } else { 100.0 });
        for pixel in 0..1024 {
            if random.random::<f64>() < 0.4 {
                one.patch.valid[pixel] = 0;
                one.labels[pixel] = IGNORE;
                (0..3).for_each(|band| one.patch.data[band * 1024 + pixel] = 0.0);
            } else {
                one.patch.data[pixel] += random.random_range(0.0..100.0);
            }
        }
        let after = moved(&one, &map, 0.5);
        for pixel in 0..1024 {
            let values = [0, 1, 2].map(|band| after.patch.data[band * 1024 + pixel]);
            if after.patch.valid[pixel] == 0 {
                assert_eq!((values, after.labels[pixel]), ([0.0; 3], IGNORE));
                continue;
            }
            seen += 1;
            assert_eq!(after.labels[pixel], 0);
            assert!(
                (99.99..=200.01).contains(&values[0]),
                "{values:?} after {map:?}"
            );
            assert!(
                (values[1] + 50.0).abs() < 1e-3 && (values[2] - 100.0).abs() < 1e-3,
                "{values:?}"
            );
        }
    }
    assert!(seen > 20_000, "{seen}");
}

#[test]
fn no_turn_is_no_change_and_whole_steps_move_pixels_as_they_are() {
    let one = chip(17, 2, |band, pixel| (band * 1000 + pixel) as f32 * 0.37);
    let size = one.patch.size;
    let nothing = about_the_middle(0.0, 1.0, [0.0; 2], [0.0; 2], size);
    assert!(nothing.is_identity());
    assert!(Affine::new().draw(&mut generator(1), size).is_identity());
    assert!(crop::draw(&mut generator(1), &(1.0..=1.0), size).is_identity());
    assert!(scale_jitter::draw(&mut generator(1), &(1.0..=1.0), size).is_identity());
    assert_eq!(moved(&one, &PlaneMap::IDENTITY, 0.5), one);
    let step = moved(&one, &PlaneMap::translation(3.0, -2.0), 0.5);
    for row in 0..17 {
        for col in 0..17 {
            let from = (row + 2 < 17 && col >= 3)
                .then(|| one.patch.value(1, row + 2, col - 3))
                .flatten();
            assert_eq!(step.patch.value(1, row, col), from);
        }
    }
    // A chip without labels has none afterwards, and one that is pressed flat shows nothing.
    let bare = Chip {
        scene: 0,
        labels: Vec::new(),
        ..one.clone()
    };
    assert!(
        moved(&bare, &PlaneMap::translation(3.0, -2.0), 0.5)
            .labels
            .is_empty()
    );
    let flat = moved(&one, &PlaneMap::scaling(0.0, 1.0, 0.0, 0.0), 0.5);
    assert_eq!((flat.patch.valid_fraction(), flat.labels[5]), (0.0, IGNORE));
}

/// torchvision's `get_params`: areas and ratios of the ranges, places inside. A smaller chip lies in the chip, a larger around.
#[test]
fn crops_and_scales_are_of_their_ranges_and_lie_inside() {
    let size = Size::new(100, 100);
    let near = |range: std::ops::RangeInclusive<f64>, value: f64| {
        *range.start() - 1e-9 <= value && value <= *range.end() + 1e-9
    };
    for seed in 0..500 {
        let map = crop::draw(&mut generator(seed), &(0.2..=0.6), size);
        let shown = map
            .inverse()
            .unwrap()
            .bounds_of(&BoundingBox::new(0.0, 0.0, 100.0, 100.0));
        assert!(near(0.2..=0.6, shown.area() / 10_000.0), "{shown:?}");
        assert!(
            near(0.75..=4.0 / 3.0, shown.width() / shown.height()),
            "{shown:?}"
        );
        assert!(
            near(0.0..=100.0, shown.x_min)
                && near(0.0..=100.0, shown.x_max)
                && near(0.0..=100.0, shown.y_min)
                && near(0.0..=100.0, shown.y_max)
        );
        let map = scale_jitter::draw(&mut generator(seed), &(0.5..=2.0), size);
        let lies = map.bounds_of(&BoundingBox::new(0.0, 0.0, 100.0, 100.0));
        assert!(near(50.0..=200.0, lies.width()) && near(50.0..=200.0, lies.height()));
        match lies.width() <= 100.0 {
            true => assert!(near(0.0..=100.0, lies.x_min) && near(0.0..=100.0, lies.x_max)),
            false => assert!(lies.x_min <= 1e-9 && lies.x_max >= 100.0 - 1e-9),
        }
    }
}

/// `_mosaic4` of ultralytics: `xc, yc` is where the four meet, and the first lies to its upper left.
#[test]
fn four_chips_meet_at_a_point_with_their_labels_and_boxes() {
    for edge in [8, 9] {
        let tile = |number: usize| {
            let mut one = chip(edge, 2, |band, pixel| {
                (band * 10_000 + number * 1000 + pixel) as f32
            });
            one.labels.fill(number as u8 + 1);
            one.boxes = vec![Annotation {
                area: Some(16.0),
                ..Annotation::new(BoundingBox::new(2.0, 2.0, 6.0, 6.0), number + 1)
            }];
            one
        };
        for seed in 0..60 {
            let point = mosaic::draw(&mut generator(seed), edge);
            let four = [0, 1, 2, 3].map(tile);
            let joined = mosaic::join(&four, point, 0.25).middle(edge, 0.25);
            // In the chip in the middle of the canvas.
            let (x, y) = (
                point.0 as i64 - edge as i64 / 2,
                point.1 as i64 - edge as i64 / 2,
            );
            assert!((0..=edge as i64).contains(&x) && (0..=edge as i64).contains(&y));
            for row in 0..edge as i64 {
                for col in 0..edge as i64 {
                    let number = usize::from(col >= x) + 2 * usize::from(row >= y);
                    let from_col = if col >= x {
                        col - x
                    } else {
                        col - x + edge as i64
                    };
                    let from_row = if row >= y {
                        row - y
                    } else {
                        row - y + edge as i64
                    };
                    let from = from_row as usize * edge + from_col as usize;
                    let at = row as usize * edge + col as usize;
                    assert_eq!(joined.labels[at], number as u8 + 1);
                    let values = [0, 1].map(|band| joined.patch.band(band)[at]);
                    assert_eq!(
                        values,
                        [0, 1].map(|band| four[number].patch.band(band)[from])
                    );
                }
            }
            assert!(joined.patch.valid.iter().all(|&valid| valid == 1));
            for number in 0..4 {
                let right = if number % 2 == 1 { x } else { x - edge as i64 } as f64;
                let down = if number / 2 == 1 { y } else { y - edge as i64 } as f64;
                let whole = BoundingBox::new(2.0, 2.0, 6.0, 6.0).translate(right, down);
                let cut = whole.clip(edge as f64, edge as f64);
                let found = joined.boxes.iter().find(|one| one.class == number + 1);
                match cut.area() / 16.0 >= 0.25 {
                    true => {
                        let found = found.expect("enough of it is seen");
                        assert_eq!(found.bounds, cut);
                        assert!((found.area.unwrap() - cut.area()).abs() < 1e-9);
                    }
                    false => assert!(found.is_none()),
                }
            }
        }
    }
}

#[test]
fn two_chips_over_each_other_keep_what_both_say() {
    let mut one = chip(2, 2, |band, _| 10.0 + band as f32);
    let mut two = chip(2, 2, |band, _| 20.0 + band as f32);
    let object = |class| Annotation::new(BoundingBox::new(0.0, 0.0, 1.0, 1.0), class);
    (one.boxes, two.boxes) = (vec![object(1)], vec![object(2)]);
    // Alike, different, the second alone, the first alone.
    one.labels = vec![1, 1, IGNORE, 1];
    two.labels = vec![1, 2, 2, IGNORE];
    one.patch.valid = vec![1, 1, 0, 1];
    two.patch.valid = vec![1, 1, 1, 0];
    (
        one.patch.data[2],
        one.patch.data[6],
        two.patch.data[3],
        two.patch.data[7],
    ) = (0.0, 0.0, 0.0, 0.0);
    mixup::mix(&mut one, &two, 0.25);
    assert_eq!(one.patch.band(0), [17.5, 17.5, 20.0, 10.0]);
    assert_eq!(one.patch.band(1), [18.5, 18.5, 21.0, 11.0]);
    assert_eq!(one.patch.valid, [1; 4]);
    assert_eq!(one.labels, [1, IGNORE, 2, 1]);
    assert_eq!(one.boxes, [object(1), object(2)]);
}

/// A donor with an object of 3 x 2 px, of which a corner is missing, and others that may not be taken.
fn donor() -> Chip {
    let mut donor = chip(12, 2, |band, pixel| (band * 1000 + pixel) as f32);
    for (row, col) in [(4, 5), (4, 6), (4, 7), (5, 5), (5, 6)] {
        donor.labels[row * 12 + col] = 2;
    }
    let of = |x_min, y_min, x_max, y_max, class| {
        Annotation::new(BoundingBox::new(x_min, y_min, x_max, y_max), class)
    };
    donor.boxes = vec![of(5.0, 4.0, 8.0, 6.0, 2)];
    // Cut by the edge; a crowd; of another class; with a pixel that is not valid.
    donor.boxes.push(of(0.0, 0.0, 3.0, 3.0, 2));
    donor.boxes.push(Annotation {
        crowd: true,
        ..of(5.0, 4.0, 8.0, 6.0, 2)
    });
    donor.boxes.push(of(2.0, 8.0, 4.0, 10.0, 1));
    donor.boxes.push(of(8.5, 8.5, 10.5, 10.5, 2));
    donor.labels[9 * 12 + 9] = 2;
    donor.patch.valid[9 * 12 + 9] = 0;
    donor
}

#[test]
fn objects_are_pasted_pixel_by_pixel_where_nothing_is_hidden() {
    let donor = donor();
    let (mut pasted, mut places) = (0, std::collections::BTreeSet::new());
    for seed in 0..200 {
        let mut onto = chip(10, 2, |_, _| -1.0);
        let existing = Annotation::new(BoundingBox::new(0.0, 0.0, 10.0, 2.0), 1);
        onto.boxes = vec![existing];
        onto.patch.valid[9 * 10..].fill(0);
        onto.labels[8 * 10..9 * 10].fill(IGNORE);
        let found = CopyPaste::new()
            .most(1)
            .paste(&mut onto, &donor, &[2], &mut generator(seed));
        assert!(found);
        let [first, rest @ ..] = onto.boxes.as_slice() else {
            panic!("boxes are kept")
        };
        assert_eq!(*first, existing);
        let Some(object) = rest.first() else { continue };
        pasted += 1;
        let (left, top) = (object.bounds.x_min as usize, object.bounds.y_min as usize);
        assert_eq!(object.bounds.to_xywh()[2..], [3.0, 2.0]);
        assert!(existing.bounds.intersection_over_area(&object.bounds) < 0.3);
        assert!(top + 2 <= 8, "it would lie on what is ignored");
        places.insert((left, top));
        for at in 0..100 {
            let (row, col) = (at / 10, at % 10);
            let inside = row >= top
                && row < top + 2
                && col >= left
                && col < left + 3
                && (row, col) != (top + 1, left + 2);
            let from = if inside {
                Some((row - top + 4) * 12 + col - left + 5)
            } else {
                None
            };
            let label = if row == 8 { IGNORE } else { 0 };
            assert_eq!(onto.labels[at], if inside { 2 } else { label });
            for band in 0..2 {
                let expected = from.map_or(-1.0, |from| donor.patch.band(band)[from]);
                assert_eq!(onto.patch.band(band)[at], expected);
            }
        }
    }
    assert!(
        pasted > 190 && places.len() > 30,
        "{pasted} at {} places",
        places.len()
    );
}

#[test]
fn what_is_not_whole_is_not_pasted_and_boxes_alone_are_pasted_as_they_are() {
    let mut random = generator(1);
    let mut donor = donor();
    let plain = || chip(10, 2, |_, _| -1.0);
    let mut onto = plain();
    assert!(
        !CopyPaste::new().paste(&mut onto, &donor, &[3], &mut random),
        "no such class"
    );
    donor
        .boxes
        .retain(|one| one.bounds.x_min != 5.0 || one.crowd);
    assert!(
        !CopyPaste::new().paste(&mut onto, &donor, &[2], &mut random),
        "cut, crowd, not valid"
    );
    assert_eq!(onto, plain());
    // Of class 1 there is a box, and no label of it in the box.
    assert!(!CopyPaste::new().paste(&mut onto, &donor, &[1], &mut random));
    donor.labels.clear();
    onto.labels.clear();
    assert!(CopyPaste::new().paste(&mut onto, &donor, &[1], &mut random));
    let pasted = onto
        .patch
        .band(0)
        .iter()
        .filter(|&&value| value >= 0.0)
        .count();
    assert_eq!((onto.boxes.len(), pasted), (1, 4));
    // A chip of which nothing is valid takes nothing.
    let mut blank = plain();
    blank.patch.valid.fill(0);
    assert!(CopyPaste::new().paste(&mut blank, &self::donor(), &[], &mut random));
    assert!(blank.boxes.is_empty());
}

fn bands(count: usize) -> Vec<BandValues> {
    (0..count)
        .map(|band| BandValues {
            mean: 100.0 * band as f32,
            std: 10.0,
            p2: 0.0,
            p98: 200.0,
        })
        .collect()
}

#[test]
fn values_change_by_their_band_and_invalid_ones_stay() {
    let bands = bands(2);
    let mut one = chip(3, 2, |band, pixel| 100.0 * band as f32 + pixel as f32).patch;
    one.valid[4] = 0;
    let before = one.clone();
    brightness::brighter(&mut one, &bands, 0.5);
    contrast::stretch(&mut one, &bands, 2.0);
    for (at, (&after, &value)) in one.data.iter().zip(&before.data).enumerate() {
        let mean = if at < 9 { 0.0 } else { 100.0 };
        let expected = if at % 9 == 4 {
            value
        } else {
            mean + 2.0 * (value + 5.0 - mean)
        };
        assert_eq!(after, expected);
    }
    keep_to_types(&mut one, &[(0.0, 12.0), (f32::NEG_INFINITY, f32::INFINITY)]);
    assert!(one.data[..9].iter().all(|&value| value <= 12.0) && one.data[17] > 120.0);
    assert_eq!(
        (one.data[4], one.data[13]),
        (before.data[4], before.data[13])
    );
}

#[test]
fn noise_is_of_the_bands_deviation_and_spares_invalid_pixels() {
    let mut one = chip(200, 2, |_, _| 50.0).patch;
    one.valid[7] = 0;
    let mut bands = bands(2);
    bands[1].std = 40.0;
    noise::apply(&mut one, &bands, 0.5, generator(3));
    let deviation = |band: usize| {
        let square: f64 = one
            .band(band)
            .iter()
            .map(|value| f64::from(value - 50.0).powi(2))
            .sum();
        (square / 40_000.0).sqrt()
    };
    assert!((deviation(1) / deviation(0) - 4.0).abs() < 0.1);
    assert!(deviation(0) > 0.0 && deviation(0) < 5.1);
    assert_eq!((one.data[7], one.data[40_007]), (50.0, 50.0));
}

#[test]
fn some_bands_are_dropped_and_never_all() {
    let mut dropped_counts = [0; 5];
    for seed in 0..300 {
        let mut one = chip(2, 4, |_, _| -1.0).patch;
        one.valid[3] = 0;
        band_dropout::apply(&mut one, &bands(4), 9, &mut generator(seed));
        let dropped: Vec<usize> = (0..4).filter(|&band| one.band(band)[0] != -1.0).collect();
        for band in 0..4 {
            let value = if dropped.contains(&band) {
                100.0 * band as f32
            } else {
                -1.0
            };
            assert_eq!(one.band(band), [value, value, value, -1.0]);
        }
        dropped_counts[dropped.len()] += 1;
    }
    assert_eq!((dropped_counts[0], dropped_counts[4]), (0, 0));
    assert!(
        dropped_counts[1..4].iter().all(|&times| times > 60),
        "{dropped_counts:?}"
    );
    let mut single = chip(2, 1, |_, _| -1.0).patch;
    band_dropout::apply(&mut single, &bands(1), 1, &mut generator(1));
    assert_eq!(single.band(0), [-1.0; 4]);
}

#[test]
fn numbers_that_cannot_be_are_refused_by_name() {
    let none = Augment::none;
    let turned = |degrees| none().affine(Affine::new().rotation(degrees), 0.5);
    let cases = [
        (turned(f64::NAN), "rotation", "NaN"),
        (turned(-3.0), "rotation", "-3"),
        (turned(181.0), "rotation", "181"),
        (
            none().affine(Affine::new().scale(1.5..=0.5), 1.0),
            "scales",
            "1.5..=0.5",
        ),
        (
            none().affine(Affine::new().scale(0.0..=1.0), 1.0),
            "scales",
            "0.0..=1.0",
        ),
        (
            none().affine(Affine::new().translation(1.5), 1.0),
            "moved",
            "1.5",
        ),
        (none().affine(Affine::new().shear(90.0), 1.0), "shear", "90"),
        (none().affine(Affine::new(), 1.5), "probability", "1.5"),
        (none().mosaic(f64::NAN), "probability", "NaN"),
        (none().mixup(-0.1), "probability", "-0.1"),
        (none().crop(0.0..=1.0, 0.5), "cropped", "0.0..=1.0"),
        (
            none().scale_jitter(0.5..=f64::INFINITY, 0.5),
            "scales",
            "0.5..=inf",
        ),
        (none().brightness(-0.1, 0.5), "brightness", "-0.1"),
        (none().contrast(1.1, 0.5), "contrast", "1.1"),
        (none().gamma(1.2..=0.8, 0.5), "exponents", "1.2..=0.8"),
        (none().gamma(0.0..=1.0, 0.5), "exponents", "0.0..=1.0"),
        (none().hue(0.6, 0.5), "hue", "0.6"),
        (none().saturation(f64::NAN, 0.5), "saturation", "NaN"),
        (none().noise(f64::INFINITY, 0.5), "noise", "inf"),
        (none().band_dropout(0, 0.5), "bands to drop", "0"),
        (none().blur(-1.0..=2.0, 0.5), "blurs", "-1.0..=2.0"),
        (none().cutout(0..=2, 0.1..=0.2, 0.5), "holes", "0..=2"),
        (
            none().cutout(std::ops::RangeInclusive::new(3, 2), 0.1..=0.2, 0.5),
            "holes",
            "3..=2",
        ),
        (
            none().cutout(1..=2, 0.1..=1.2, 0.5),
            "holes have",
            "0.1..=1.2",
        ),
        (
            none().copy_paste(CopyPaste::new().most(0), 0.5),
            "pasted",
            "0",
        ),
    ];
    for (augment, what, found) in cases {
        let error = augment.check().expect_err(what);
        assert!(matches!(error, ChipsError::BadOption { .. }));
        let text = error.to_string();
        assert!(
            text.contains(what) && text.contains(&format!(" is {found}, ")),
            "{text}"
        );
    }
    for sound in [
        none(),
        Augment::light(),
        Augment::strong(),
        turned(180.0),
        none().blur(0.0..=0.0, 1.0),
        none().contrast(1.0, 0.0),
    ] {
        sound.check().unwrap();
    }
}

#[test]
fn changes_stand_in_their_order_once_each_and_say_what_they_do() {
    let one = Augment::none()
        .noise(0.1, 0.2)
        .brightness(0.1, 0.5)
        .mosaic(1.0)
        .brightness(0.3, 0.25);
    assert_eq!(format!("{one:?}"), "mosaic 1, brightness 0.25, noise 0.2");
    assert_eq!(format!("{:?}", Augment::none()), "none");
    let words = Augment::light().rows();
    assert_eq!(
        words[0].2,
        "scaled by 0.9 to 1.1, moved by up to 0.0625 of the edge"
    );
    assert_eq!(
        Augment::none().noise(0.1, 0.2).mosaic(0.5),
        Augment::none().mosaic(0.5).noise(0.1, 0.2)
    );
    assert_eq!(Augment::strong().rows().len(), 10);
}
