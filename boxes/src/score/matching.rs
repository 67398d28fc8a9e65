use super::ImageBoxes;
use crate::annotation::by_falling_score;
use crate::{Annotation, BoxIndex, Detection};

/// Below this many pairs a look at all of them is quicker than an index.
const FEW_PAIRS: usize = 4096;

/// The boxes of one class in one image, with the overlaps that can matter.
pub(super) struct ClassBoxes {
    /// Those that count, then those that count neither way.
    pub(super) truth: Vec<Annotation>,
    /// Whether each of these counts neither way.
    pub(super) ignored: Vec<bool>,
    /// Best first.
    pub(super) found: Vec<Detection>,
    /// Whether too little of each of these is visible for it to be wrong.
    pub(super) cut: Vec<bool>,
    /// For each found box the objects that it overlaps by `lowest` or more, with the overlap, ascending by object.
    overlaps: Vec<Vec<(usize, f64)>>,
}

impl ClassBoxes {
    /// The `most` best found boxes of the class and all of its objects.
    pub(super) fn of(image: &ImageBoxes, class: usize, most: usize, lowest: f64) -> Self {
        let of_class = |found: &&Detection| found.class == class;
        let mut all: Vec<Detection> = image.found.iter().filter(of_class).copied().collect();
        let whole = all.len();
        all.extend(image.cut.iter().filter(of_class));
        let mut order = by_falling_score(all.iter().map(|found| found.score));
        order.truncate(most);
        let found: Vec<Detection> = order.iter().map(|&at| all[at]).collect();
        let cut = order.into_iter().map(|at| at >= whole).collect();
        let of_class = |object: &&Annotation| object.class == class;
        let mut truth: Vec<Annotation> = image.truth.iter().filter(of_class).copied().collect();
        let counting = truth.len();
        truth.extend(image.ignored.iter().filter(of_class));
        let ignored = truth
            .iter()
            .enumerate()
            .map(|(at, object)| at >= counting || object.crowd)
            .collect();
        let index = (truth.len() * found.len() > FEW_PAIRS)
            .then(|| BoxIndex::new(truth.iter().map(|object| object.bounds).collect()));
        let of = |found: &Detection| {
            let near = match &index {
                Some(index) => index.touching(&found.bounds),
                None => (0..truth.len()).collect(),
            };
            near.into_iter()
                .map(|object| (object, overlap(found, &truth[object])))
                .filter(|(_, overlap)| *overlap >= lowest)
                .collect()
        };
        let overlaps = found.iter().map(of).collect();
        Self {
            truth,
            ignored,
            found,
            cut,
            overlaps,
        }
    }

    /// Matches at an intersection over union of `iou`, where `ignored` objects count neither way. Returns for each found
    /// box whether it took an object, and whether that is to be ignored.
    pub(super) fn matches(&self, iou: f64, ignored: &[bool]) -> Vec<Match> {
        let mut taken = vec![false; self.truth.len()];
        let mut matches = Vec::with_capacity(self.found.len());
        let mut near: Vec<(usize, f64)> = Vec::new();
        for overlaps in &self.overlaps {
            // Objects that count come first: one that is ignored is taken only where none of them fits.
            near.clear();
            near.extend(overlaps);
            near.sort_by_key(|&(object, _)| (ignored[object], object));
            let mut best: Option<(usize, f64)> = None;
            for &(object, overlap) in &near {
                if taken[object] && !self.truth[object].crowd {
                    continue;
                }
                if best.is_some_and(|(other, _)| !ignored[other] && ignored[object]) {
                    break;
                }
                // Of equal overlaps the last, as in pycocotools.
                let least = best.map_or(iou.min(1.0 - 1e-10), |(_, overlap)| overlap);
                if overlap >= least {
                    best = Some((object, overlap));
                }
            }
            matches.push(match best {
                Some((object, _)) => {
                    taken[object] = true;
                    Match {
                        taken: true,
                        ignored: ignored[object],
                    }
                }
                None => Match {
                    taken: false,
                    ignored: false,
                },
            });
        }
        matches
    }
}

/// What became of a found box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Match {
    /// Whether it took an object.
    pub(super) taken: bool,
    /// Whether that object counts neither way.
    pub(super) ignored: bool,
}

/// Intersection over union; over the found box's own area where the object is a crowd.
fn overlap(found: &Detection, object: &Annotation) -> f64 {
    if object.crowd {
        found.bounds.intersection_over_area(&object.bounds)
    } else {
        found.bounds.iou(&object.bounds)
    }
}
