use rand::Rng;
use serde::Serialize;

use super::bounds::shifted;
use super::check::{Check, Limits};
use super::draw::{some_of, whole};
use crate::boxes::{Annotation, BoundingBox};
use crate::chips::Chip;
use crate::labels::IGNORE;

/// Which objects [`Augment::copy_paste`](super::Augment::copy_paste) takes from other chips, for those that are rare.
///
/// Another chip is drawn until one holds objects of the classes, eight at most; then the chip stays as it is. From 1 to
/// [`most`](CopyPaste::most) of its objects are put into the chip at random places: where every pixel is valid and labeled, and
/// where less than 0.3 of any box there is covered (ultralytics' `CopyPaste`). An object that the other chip's edge cuts, or
/// that is not valid all over, is not taken.
///
/// On a scene with labels an object is the largest connected area of its class inside its box, and its labels come with it;
/// on one with boxes alone it is all of the box.
///
/// Rare objects are found more often when chips look for them: [`neg_ratio`](crate::chips::ChipOptions::neg_ratio).
///
/// # Source
/// Ghiasi et al. 2021, *Simple Copy-Paste* (arXiv:2012.07177), without its scaling, which other changes do.
///
/// ```
/// use swath::prelude::*;
/// let rare = Augment::light().copy_paste(CopyPaste::new().classes(["bus", "truck"]).most(5), 0.8);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CopyPaste {
    pub(super) classes: Vec<String>,
    most: usize,
}

impl Default for CopyPaste {
    fn default() -> Self {
        Self::new()
    }
}

impl CopyPaste {
    /// Up to three objects of any class.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            classes: Vec::new(),
            most: 3,
        }
    }

    /// Objects of these classes alone, by the names of the scene.
    #[must_use]
    pub fn classes<I>(mut self, names: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.classes = names.into_iter().map(Into::into).collect();
        self
    }

    /// The most objects that a chip is given (3 by default, 1 to 1000).
    #[must_use]
    pub const fn most(mut self, objects: usize) -> Self {
        self.most = objects;
        self
    }

    pub(super) fn check(&self, check: &mut Check) {
        check.number(
            "the most objects that are pasted",
            self.most as f64,
            Limits::COUNT,
        );
    }

    pub(super) fn words(&self) -> String {
        let classes = match self.classes.is_empty() {
            true => "any class".to_owned(),
            false => self.classes.join(", "),
        };
        format!("up to {} objects of {classes}", self.most)
    }

    /// Puts objects of `donor` into `chip`; `wanted` are indices of classes, all of them when there is none. Returns whether
    /// the donor has any.
    pub(super) fn paste(
        &self,
        chip: &mut Chip,
        donor: &Chip,
        wanted: &[usize],
        random: &mut impl Rng,
    ) -> bool {
        let objects: Vec<Cutting> = donor
            .boxes
            .iter()
            .filter(|one| !one.crowd && (wanted.is_empty() || wanted.contains(&one.class)))
            .filter_map(|one| Cutting::of(donor, one))
            .collect();
        if objects.is_empty() {
            return false;
        }
        let count = whole(random, 1..=self.most.min(objects.len()));
        for chosen in some_of(random, count, objects.len()) {
            objects[chosen].put(chip, donor, random);
        }
        true
    }
}

/// Places that are tried for an object.
const TRIES: usize = 10;
/// How much of a box may be covered: ultralytics' bound.
const COVERED: f64 = 0.3;

/// The pixels of an object.
struct Cutting {
    object: Annotation,
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    /// `[height, width]`.
    mask: Vec<bool>,
}

impl Cutting {
    /// `None` for an object that is cut by the edge, has no pixel, or is not valid all over.
    fn of(donor: &Chip, object: &Annotation) -> Option<Self> {
        let (size, bounds) = (donor.patch.size, object.bounds);
        let whole = bounds.x_min > 0.0
            && bounds.y_min > 0.0
            && bounds.x_max < size.width as f64
            && bounds.y_max < size.height as f64;
        if !whole {
            return None;
        }
        let (left, top) = (bounds.x_min.floor() as usize, bounds.y_min.floor() as usize);
        let (right, bottom) = (bounds.x_max.ceil() as usize, bounds.y_max.ceil() as usize);
        let (width, height) = (right.checked_sub(left)?, bottom.checked_sub(top)?);
        let of_object = |at: usize| {
            let (row, col) = (top + at / width, left + at % width);
            match donor.labels.is_empty() {
                true => bounds.contains(col as f64 + 0.5, row as f64 + 0.5),
                false => usize::from(donor.labels[row * size.width + col]) == object.class,
            }
        };
        let mut mask: Vec<bool> = (0..width * height).map(of_object).collect();
        if !donor.labels.is_empty() {
            mask = largest_part(&mask, width);
        }
        let mut pixels = mask
            .iter()
            .enumerate()
            .filter(|(_, of_object)| **of_object)
            .peekable();
        pixels.peek()?;
        let valid =
            |at: usize| donor.patch.valid[(top + at / width) * size.width + left + at % width] != 0;
        pixels.all(|(at, _)| valid(at)).then_some(Self {
            object: *object,
            left,
            top,
            width,
            height,
            mask,
        })
    }

    fn put(&self, chip: &mut Chip, donor: &Chip, random: &mut impl Rng) {
        let size = chip.patch.size;
        let (Some(last_col), Some(last_row)) = (
            size.width.checked_sub(self.width),
            size.height.checked_sub(self.height),
        ) else {
            return;
        };
        for _ in 0..TRIES {
            let (left, top) = (whole(random, 0..=last_col), whole(random, 0..=last_row));
            let (right, down) = (left as i64 - self.left as i64, top as i64 - self.top as i64);
            let moved = shifted(self.object, right, down);
            if self.fits(chip, &moved.bounds, left, top) {
                self.lay(chip, donor, left, top);
                chip.boxes.push(moved);
                return;
            }
        }
    }

    /// The places of its pixels in an image of this width, when its corner lies there.
    fn pixels(&self, left: usize, top: usize, width: usize) -> impl Iterator<Item = usize> + '_ {
        let of_object = (0..self.mask.len()).filter(|&at| self.mask[at]);
        of_object.map(move |at| (top + at / self.width) * width + left + at % self.width)
    }

    fn fits(&self, chip: &Chip, bounds: &BoundingBox, left: usize, top: usize) -> bool {
        let free = |one: &Annotation| one.bounds.intersection_over_area(bounds) < COVERED;
        let counts = |at: usize| chip.patch.valid[at] != 0 && chip.labels.get(at) != Some(&IGNORE);
        chip.boxes.iter().all(free) && self.pixels(left, top, chip.patch.size.width).all(counts)
    }

    fn lay(&self, chip: &mut Chip, donor: &Chip, left: usize, top: usize) {
        let (size, of_donor) = (chip.patch.size, donor.patch.size);
        let to = self.pixels(left, top, size.width);
        let from = self.pixels(self.left, self.top, of_donor.width);
        for (to, from) in to.zip(from) {
            for band in 0..chip.patch.bands.min(donor.patch.bands) {
                chip.patch.data[band * size.area() + to] =
                    donor.patch.data[band * of_donor.area() + from];
            }
            if let (Some(label), Some(&own)) = (chip.labels.get_mut(to), donor.labels.get(from)) {
                *label = own;
            }
        }
    }
}

/// The largest of the parts that hang together by sides; the first of several.
fn largest_part(mask: &[bool], width: usize) -> Vec<bool> {
    let mut part = vec![0_usize; mask.len()];
    let (mut parts, mut best, mut most) = (0, 0, 0);
    for start in 0..mask.len() {
        if !mask[start] || part[start] != 0 {
            continue;
        }
        parts += 1;
        let (mut pixels, mut open) = (0, vec![start]);
        part[start] = parts;
        while let Some(at) = open.pop() {
            pixels += 1;
            let (row, col) = (at / width, at % width);
            let beside = [
                (row > 0).then(|| at - width),
                ((row + 1) * width < mask.len()).then(|| at + width),
                (col > 0).then(|| at - 1),
                (col + 1 < width).then(|| at + 1),
            ];
            for next in beside.into_iter().flatten() {
                if mask[next] && part[next] == 0 {
                    part[next] = parts;
                    open.push(next);
                }
            }
        }
        if pixels > most {
            (best, most) = (parts, pixels);
        }
    }
    part.iter().map(|&one| one != 0 && one == best).collect()
}
