use serde::{Deserialize, Serialize};

use crate::{BoundingBox, Quadrilateral};

/// A labeled object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Annotation {
    /// Where it is, in pixels of the image or window at hand.
    pub bounds: BoundingBox,
    /// The index of its class; 0 is the background, which no object is of.
    pub class: usize,
    /// Whether it stands for a crowd that nobody has counted: whatever is found inside is neither right nor wrong
    /// (COCO's `iscrowd`).
    #[serde(default)]
    pub crowd: bool,
    /// The area that its size is judged by, in square pixels, where it is not that of the box: COCO takes a mask's.
    #[serde(default)]
    pub area: Option<f64>,
    /// Its outline where its label is a rotated box: pictures and files show it, and whatever trains, finds and scores goes by
    /// `bounds`, the upright box around it. Where an edge of the image cuts `bounds`, the outline goes on beyond it.
    #[serde(default)]
    pub outline: Option<Quadrilateral>,
}

impl Annotation {
    /// One object, its size that of the box.
    #[must_use]
    pub const fn new(bounds: BoundingBox, class: usize) -> Self {
        Self {
            bounds,
            class,
            crowd: false,
            area: None,
            outline: None,
        }
    }

    /// One object of a rotated box, with the upright box around it.
    ///
    /// ```
    /// use swath_boxes::{Annotation, BoundingBox, Quadrilateral};
    /// let diamond = Quadrilateral::new([(3.0, 1.0), (5.0, 3.0), (3.0, 5.0), (1.0, 3.0)]);
    /// let ship = Annotation::rotated(diamond, 1);
    /// assert_eq!(ship.bounds, BoundingBox::new(1.0, 1.0, 5.0, 5.0));
    /// assert_eq!(ship.outline, Some(diamond));
    /// ```
    #[must_use]
    pub fn rotated(outline: Quadrilateral, class: usize) -> Self {
        Self::new(outline.bounds(), class).with_outline(Some(outline))
    }

    /// The area that its size is judged by, in square pixels.
    #[must_use]
    pub fn area(&self) -> f64 {
        self.area.unwrap_or_else(|| self.bounds.area())
    }

    /// The same object elsewhere: without the outline that it had, which does not lie there.
    #[must_use]
    pub const fn with_bounds(self, bounds: BoundingBox) -> Self {
        Self {
            bounds,
            outline: None,
            ..self
        }
    }

    /// With another outline, or none.
    #[must_use]
    pub const fn with_outline(self, outline: Option<Quadrilateral>) -> Self {
        Self { outline, ..self }
    }
}

/// An object that a model has found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// Where it is, in pixels of the image or window at hand.
    pub bounds: BoundingBox,
    /// The index of its class; never the background, 0.
    pub class: usize,
    /// How sure the model is, from 0 to 1.
    pub score: f32,
}

impl Detection {
    /// One object that was found.
    #[must_use]
    pub const fn new(bounds: BoundingBox, class: usize, score: f32) -> Self {
        Self {
            bounds,
            class,
            score,
        }
    }

    /// The same object elsewhere.
    #[must_use]
    pub const fn with_bounds(self, bounds: BoundingBox) -> Self {
        Self { bounds, ..self }
    }
}

/// The places of `scores` from the highest to the lowest; equal scores keep their order, and NaN comes last.
pub(crate) fn by_falling_score(scores: impl ExactSizeIterator<Item = f32>) -> Vec<usize> {
    let keys: Vec<f32> = scores
        .map(|score| {
            if score.is_nan() {
                f32::NEG_INFINITY
            } else {
                score
            }
        })
        .collect();
    let mut order: Vec<usize> = (0..keys.len()).collect();
    order.sort_by(|&a, &b| keys[b].total_cmp(&keys[a]));
    order
}
