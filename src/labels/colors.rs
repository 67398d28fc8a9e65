//! Colours of classes: which of the palette stand out from the imagery beneath and from each other.

use super::Classes;
use super::classes::ColorSource;
use crate::plot::vision::Seen;

/// What the colours of classes are chosen from, in the order of preference: colours that roofs, soil, plants and water
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
    /// Gives every class whose colour nobody has chosen one that stands out from the imagery, whose colours are
    /// `ground`, and from the other classes; to people with deficient colour vision, too.
    ///
    /// The first colour of the palette that is far enough from both is taken, so that similar imagery gives the same
    /// colours; where none is, the one that comes closest to it.
    pub(crate) fn stand_out(&mut self, ground: &[[u8; 3]]) {
        let ground: Vec<Seen> = ground.iter().map(|&color| Seen::of(color)).collect();
        let candidates: Vec<([u8; 3], Seen, f32)> = PALETTE
            .iter()
            .map(|&color| {
                let seen = Seen::of(color);
                (color, seen, clearance(&seen, &ground))
            })
            .collect();
        let mut taken: Vec<Seen> = self
            .iter()
            .filter(|class| class.source != ColorSource::Default)
            .map(|class| Seen::of(class.color))
            .collect();
        for class in self.iter_mut() {
            if class.source != ColorSource::Default {
                continue;
            }
            let worth = |(_, seen, clear): &([u8; 3], Seen, f32)| {
                let apart = taken
                    .iter()
                    .map(|other| seen.distance(other))
                    .fold(f32::INFINITY, f32::min);
                (clear / FROM_GROUND).min(apart / FROM_CLASSES).min(1.0)
            };
            // The first of equals wins: `max_by` would take the last.
            let best = candidates.iter().rev().max_by(|one, other| {
                // With more classes than colours all are taken, and the palette is gone through again.
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

/// How far a colour is from all of the ground but the [`MAY_BE_CLOSER`] part that is closest.
fn clearance(color: &Seen, ground: &[Seen]) -> f32 {
    if ground.is_empty() {
        return f32::INFINITY;
    }
    let mut distances: Vec<f32> = ground.iter().map(|pixel| color.distance(pixel)).collect();
    let at = (distances.len() as f32 * MAY_BE_CLOSER) as usize;
    *distances.select_nth_unstable_by(at, f32::total_cmp).1
}
