use std::collections::{BTreeMap, BTreeSet};

use super::{ImageBoxes, MatchScore};
use crate::BoxIndex;

/// Thresholds that a search tries.
const THRESHOLDS: usize = 200;

/// Labeled and found boxes that overlap enough, whatever their classes.
pub(super) struct Pairs<'a> {
    images: &'a [ImageBoxes],
    /// For each image: object, found box, intersection over union.
    pairs: Vec<Vec<(usize, usize, f64)>>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(images: &'a [ImageBoxes], iou: f64) -> Self {
        let of_image = |image: &ImageBoxes| {
            let index = BoxIndex::new(image.found.iter().map(|found| found.bounds).collect());
            let near = |(at, object): (usize, &crate::Annotation)| {
                let touching = index.touching(&object.bounds).into_iter();
                let pairs = touching
                    .map(|other| (at, other, object.bounds.iou(&image.found[other].bounds)));
                pairs
                    .filter(|(_, _, overlap)| *overlap > iou)
                    .collect::<Vec<_>>()
            };
            image.truth.iter().enumerate().flat_map(near).collect()
        };
        Self {
            images,
            pairs: images.iter().map(of_image).collect(),
        }
    }

    pub(super) fn counts(&self, class: usize, score_threshold: f32) -> MatchScore {
        let (mut right, mut found, mut objects) = (0, 0, 0);
        for (image, pairs) in self.images.iter().zip(&self.pairs) {
            let counted = |at: usize| image.found[at].score >= score_threshold;
            let of_class = |at: &usize| counted(*at) && image.found[*at].class == class;
            found += (0..image.found.len()).filter(of_class).count();
            objects += image
                .truth
                .iter()
                .filter(|object| object.class == class)
                .count();
            // Its table is sorted by overlap, and of those with the same object, then with the same found box, the last
            // stays.
            let mut of_object: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
            for &(object, other, overlap) in pairs.iter().filter(|pair| counted(pair.1)) {
                let best = of_object.entry(object).or_insert((other, overlap));
                if overlap >= best.1 {
                    *best = (other, overlap);
                }
            }
            let mut of_found: BTreeMap<usize, (usize, f64)> = BTreeMap::new();
            for (object, (other, overlap)) in of_object {
                let best = of_found.entry(other).or_insert((object, overlap));
                if overlap >= best.1 {
                    *best = (object, overlap);
                }
            }
            right += of_found
                .iter()
                .filter(|(other, (object, _))| {
                    image.found[**other].class == class && image.truth[*object].class == class
                })
                .count();
        }
        MatchScore::new(right, found - right, objects - right)
    }

    pub(super) fn best(&self, class: usize) -> (f32, MatchScore) {
        let found = self.images.iter().flat_map(|image| &image.found);
        // Scores that are not negative are in the order of their bits.
        let scores: BTreeSet<u32> = found
            .filter(|found| found.class == class && found.score >= 0.0)
            .map(|found| found.score.to_bits())
            .collect();
        let scores: Vec<f32> = scores.into_iter().rev().map(f32::from_bits).collect();
        let mut best = (1.0, self.counts(class, f32::INFINITY));
        let tried = scores.len().min(THRESHOLDS);
        for step in 0..tried {
            let score = scores[(step + 1) * scores.len() / tried - 1];
            let here = self.counts(class, score);
            if here.f1 > best.1.f1 || best.1.f1.is_nan() {
                best = (score, here);
            }
        }
        best
    }
}
