//! Which anchor or proposal is to find which object, and which of them a loss looks at.
//!
//! Source: `Matcher` and `BalancedPositiveNegativeSampler` of `torchvision.models.detection._utils`.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_pcg::Pcg64Mcg;
use rayon::prelude::*;

use super::coder::Corners;

/// What a candidate (an anchor or a proposal) is to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The object with this index.
    Object(usize),
    /// That there is no object.
    Background,
    /// Nothing: it overlaps an object too much for background and too little for the object.
    Ignored,
}

impl Match {
    /// The object's index, if it is one.
    #[must_use]
    pub fn object(self) -> Option<usize> {
        match self {
            Self::Object(index) => Some(index),
            Self::Background | Self::Ignored => None,
        }
    }
}

/// Assigns candidates to objects by their intersection over union (IoU).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matcher {
    /// From this IoU on a candidate belongs to the object it overlaps most.
    pub object_iou: f32,
    /// Below this IoU a candidate is background; between the two it is ignored.
    pub background_iou: f32,
    /// Whether the candidates that overlap an object most are its own in any case, ties included. Without it small
    /// objects between the anchors would never be learned.
    pub keep_best: bool,
}

/// Intersection over union, in torchvision's order of operations.
fn iou(a: &Corners, b: &Corners) -> f32 {
    let width = (a[2].min(b[2]) - a[0].max(b[0])).max(0.0);
    let height = (a[3].min(b[3]) - a[1].max(b[1])).max(0.0);
    let intersection = width * height;
    let union = area(a) + area(b) - intersection;
    intersection / union
}

fn area(corners: &Corners) -> f32 {
    (corners[2] - corners[0]) * (corners[3] - corners[1])
}

impl Matcher {
    /// One [`Match`] for each candidate. All boxes need a positive width and height.
    ///
    /// An object that no candidate touches stays without one. (torchvision would give it every candidate of IoU 0 where
    /// `keep_best` is set.)
    #[must_use]
    pub fn assign(&self, objects: &[Corners], candidates: &[Corners]) -> Vec<Match> {
        if objects.is_empty() {
            return vec![Match::Background; candidates.len()];
        }
        // The IoUs are computed twice instead of kept: 50 000 anchors and 1000 objects would take 200 MB.
        let best_of_objects: Vec<f32> = if self.keep_best {
            let best = |object| {
                candidates
                    .iter()
                    .map(|candidate| iou(object, candidate))
                    .fold(0.0, f32::max)
            };
            objects.par_iter().map(best).collect()
        } else {
            Vec::new()
        };
        candidates
            .par_iter()
            .map(|candidate| {
                let (mut best, mut found) = (f32::NEG_INFINITY, 0);
                let mut kept = false;
                for (index, object) in objects.iter().enumerate() {
                    let overlap = iou(object, candidate);
                    if overlap > best {
                        (best, found) = (overlap, index);
                    }
                    kept |= overlap > 0.0 && best_of_objects.get(index) == Some(&overlap);
                }
                if kept || best >= self.object_iou {
                    Match::Object(found)
                } else if best < self.background_iou {
                    Match::Background
                } else {
                    Match::Ignored
                }
            })
            .collect()
    }
}

/// Draws the candidates that a loss looks at, so that background does not drown the objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// Candidates of each image.
    pub per_image: usize,
    /// The largest share of them that belongs to objects; background fills the rest.
    pub object_share: f64,
}

impl Sampler {
    /// The indices of the drawn candidates of objects and of background, each in rising order. Where there are no more
    /// than wanted, all are taken.
    #[must_use]
    pub fn draw(&self, matches: &[Match], seed: u64) -> (Vec<usize>, Vec<usize>) {
        let of = |wanted: fn(&Match) -> bool| -> Vec<usize> {
            (0..matches.len())
                .filter(|&index| wanted(&matches[index]))
                .collect()
        };
        let objects = of(|found| matches!(found, Match::Object(_)));
        let background = of(|found| matches!(found, Match::Background));
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut take = |mut indices: Vec<usize>, count: usize| {
            if indices.len() > count {
                indices = indices.partial_shuffle(&mut random, count).0.to_vec();
                indices.sort_unstable();
            }
            indices
        };
        let objects = take(
            objects,
            (self.per_image as f64 * self.object_share) as usize,
        );
        let background = take(
            background,
            self.per_image - objects.len().min(self.per_image),
        );
        (objects, background)
    }
}
