//! Colors of classes: which of the palette stand out from the imagery beneath and from each other.

use super::Classes;
use super::classes::ColorSource;
use crate::color::vision::Seen;

/// What the colors of classes are chosen from, in the order of preference: colors that roofs, soil, plants and water
/// rarely have, bright enough to stand out with a dark edge around them or dark enough with a light one.
pub(super) const PALETTE: [[u8; 3]; 16] = [
    [255, 135, 255],
    [255, 235, 0],
    [0, 0, 220],
    [0, 230, 255],
    [130, 255, 0],
    [255, 170, 30],
    [135, 0, 0],
    [0, 215, 0],
    [90, 0, 120],
    [255, 200, 230],
    [110, 190, 255],
    [170, 255, 200],
    [0, 75, 20],
    [255, 40, 40],
    [150, 90, 255],
    [90, 45, 0],
];

/// A class should be this far from nearly all of the imagery, in `OKLab`, to the eyes that tell them apart worst …
const FROM_GROUND: f32 = 0.09;
/// … and this far from every other class.
const FROM_CLASSES: f32 = 0.14;
/// The part of the imagery that may be closer to a class than that.
const MAY_BE_CLOSER: f32 = 0.05;

impl Classes {
    /// Gives every class whose color nobody has chosen one that stands out from the imagery and from the other classes;
    /// to people with deficient color vision, too. `ground` are colors of the imagery, `around` those around the labels
    /// of each class, by its index.
    ///
    /// The first color of the palette that is far enough from all of them is taken, so that similar imagery gives the
    /// same colors; where none is, the one that comes closest to it.
    pub(crate) fn stand_out(&mut self, ground: &[[u8; 3]], around: &[Vec<[u8; 3]>]) {
        let seen = |colors: &[[u8; 3]]| -> Vec<Seen> {
            colors.iter().map(|&color| Seen::of(color)).collect()
        };
        let ground = seen(ground);
        let palette = PALETTE.map(|color| {
            let seen = Seen::of(color);
            (color, seen, clearance(&seen, &ground))
        });
        let mut taken: Vec<Seen> = self
            .iter()
            .filter(|class| class.source != ColorSource::Default)
            .map(|class| Seen::of(class.color))
            .collect();
        for (index, class) in self.iter_mut().enumerate() {
            if class.source != ColorSource::Default {
                continue;
            }
            let own = around.get(index).map(|own| seen(own)).unwrap_or_default();
            let candidates = palette
                .map(|(color, seen, clear)| (color, seen, clear.min(clearance(&seen, &own))));
            let worth = |(_, seen, clear): &([u8; 3], Seen, f32)| {
                let apart = taken
                    .iter()
                    .map(|other| seen.distance(other))
                    .fold(f32::INFINITY, f32::min);
                (clear / FROM_GROUND).min(apart / FROM_CLASSES).min(1.0)
            };
            // The first of equals wins: `max_by` would take the last.
            let best = candidates.iter().rev().max_by(|one, other| {
                // With more classes than colors all are taken, and the palette is gone through again.
                worth(one).total_cmp(&worth(other))
            });
            if let Some((color, seen, _)) = best
                && worth(&(*color, *seen, f32::INFINITY)) > 0.0
            {
                class.color = *color;
                taken.push(*seen);
            }
            class.source = ColorSource::Chosen;
        }
    }
}

/// How far a color is from all of the ground but the [`MAY_BE_CLOSER`] part that is closest.
fn clearance(color: &Seen, ground: &[Seen]) -> f32 {
    if ground.is_empty() {
        return f32::INFINITY;
    }
    let mut distances: Vec<f32> = ground.iter().map(|pixel| color.distance(pixel)).collect();
    let at = (distances.len() as f32 * MAY_BE_CLOSER) as usize;
    *distances.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_pcg::Pcg64;

    use super::*;
    use crate::color::contrast;

    /// 1500 pixels of a few colors in uneven light, with noise.
    fn ground(colors: &[[u8; 3]]) -> Vec<[u8; 3]> {
        let mut random = Pcg64::seed_from_u64(1);
        (0..1500)
            .map(|_| {
                let light: f32 = random.random_range(0.88..1.12);
                let color = colors[random.random_range(0..colors.len())];
                color.map(|byte| {
                    (f32::from(byte) * light + random.random_range(-5.0..5.0)).clamp(0.0, 255.0)
                        as u8
                })
            })
            .collect()
    }

    fn scenes() -> Vec<(&'static str, Vec<[u8; 3]>)> {
        vec![
            (
                "red roofs",
                ground(&[[150, 60, 45], [180, 90, 70], [120, 110, 100]]),
            ),
            (
                "bare soil",
                ground(&[[170, 130, 90], [200, 165, 120], [140, 100, 70]]),
            ),
            // Vegetation is red, streets and roofs are bluish.
            (
                "color-infrared",
                ground(&[
                    [200, 60, 80],
                    [160, 40, 70],
                    [120, 140, 150],
                    [90, 110, 120],
                ]),
            ),
            (
                "dark forest",
                ground(&[[20, 40, 20], [40, 60, 30], [10, 20, 15]]),
            ),
            (
                "snow",
                ground(&[[240, 240, 245], [220, 225, 235], [200, 210, 225]]),
            ),
        ]
    }

    fn chosen(ground: &[[u8; 3]], count: usize) -> Classes {
        let mut classes = Classes::new((0..count).map(|index| format!("class {index}")));
        classes.stand_out(ground, &[]);
        classes
    }

    /// D13: the one class was always the same orange, "invisible on red roofs, bare soil and color-infrared". The
    /// distances hold for usual vision, protanopia, deuteranopia and tritanopia alike; that orange is the control.
    #[test]
    fn classes_stand_out_from_the_imagery_and_from_each_other_to_all_eyes() {
        for (name, ground) in scenes() {
            let seen: Vec<Seen> = ground.iter().map(|&color| Seen::of(color)).collect();
            for count in [1, 2, 4, 6] {
                let classes = chosen(&ground, count);
                let colors: Vec<Seen> = classes
                    .iter()
                    .skip(1)
                    .map(|class| Seen::of(class.color))
                    .collect();
                // Four classes have 0.09 and 0.13, where 0.02 is just noticeable; six share what there is.
                let (from_ground, from_classes) = if count <= 4 {
                    (0.085, 0.13)
                } else {
                    (0.06, 0.09)
                };
                for (index, color) in colors.iter().enumerate() {
                    let clear = clearance(color, &seen);
                    assert!(
                        clear >= from_ground,
                        "{name}, class {index} of {count}: {clear}"
                    );
                    for (other, second) in colors.iter().enumerate().take(index) {
                        let apart = color.distance(second);
                        assert!(
                            apart >= from_classes,
                            "{name}, {other} and {index} of {count}: {apart}"
                        );
                    }
                }
            }
        }
        // The control: that orange on roofs of clay.
        let orange = Seen::of([230, 159, 0]);
        let clay: Vec<Seen> = ground(&[[190, 100, 40], [215, 140, 60], [160, 90, 50]])
            .into_iter()
            .map(Seen::of)
            .collect();
        let clear = clearance(&orange, &clay);
        assert!(clear < 0.04, "{clear}");
    }

    #[test]
    fn similar_imagery_gives_the_same_colors_and_given_ones_are_kept() {
        for (name, ground) in scenes() {
            let darker: Vec<[u8; 3]> = ground
                .iter()
                .step_by(2)
                .map(|pixel| pixel.map(|byte| byte - byte / 32))
                .collect();
            assert_eq!(chosen(&ground, 2), chosen(&darker, 2), "{name}");
        }
        let soil = &scenes()[1].1;
        let mut classes = Classes::new(["field", "path"]).with_color("field", [170, 130, 90]);
        classes.stand_out(soil, &[]);
        assert_eq!(
            classes.colors()[1],
            [170, 130, 90],
            "never changed, though it is that of the soil"
        );
        let path = Seen::of(classes.colors()[2]);
        assert!(path.distance(&Seen::of([170, 130, 90])) >= 0.09);
        let before = classes.clone();
        classes.stand_out(&scenes()[4].1, &[]);
        assert_eq!(classes, before, "chosen once");
    }

    /// Blue roofs on green ground that are rare in the scene: what lies around the labels counts as well.
    #[test]
    fn what_lies_around_the_labels_of_a_class_counts() {
        let green = ground(&[[60, 110, 50]]);
        let blue = ground(&[[20, 20, 210], [70, 110, 60]]);
        for (around, color) in [
            (vec![], PALETTE[0]),
            (vec![vec![], ground(&[PALETTE[0]])], PALETTE[1]),
        ] {
            let mut classes = Classes::new(["roof"]);
            classes.stand_out(&green, &around);
            assert_eq!(classes.colors()[1], color);
        }
        let mut classes = Classes::new(["a", "b", "c", "roof"]);
        classes.stand_out(&green, &[vec![], vec![], vec![], vec![], blue]);
        assert_ne!(classes.colors()[4], [0, 0, 220]);
    }

    #[test]
    fn many_classes_and_no_imagery_have_colors_too() {
        let classes = chosen(&[], 200);
        let mut first: Vec<[u8; 3]> = classes.colors()[1..=PALETTE.len()].to_vec();
        first.sort_unstable();
        first.dedup();
        assert_eq!(first.len(), PALETTE.len());
        assert!(classes.are_colored());
        for color in PALETTE {
            let best = contrast(color, [0; 3]).max(contrast(color, [255; 3]));
            assert!(best >= 4.5, "{color:?}: {best}");
        }
    }
}
