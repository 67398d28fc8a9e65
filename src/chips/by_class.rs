//! Random chips that are cut around classes: which class a chip is of, and around which of its pixels or objects.

use rand::RngExt;
use rayon::prelude::*;
use serde::Serialize;

use super::chip::generator;
use super::class_ground::ClassGround;
use super::ground::within;
use super::parts::Part;
use super::{ChipOptions, ChipsError};
use crate::raster::{Patch, PixelWindow};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::scenes::Scenes;
use crate::{Result, session};

/// What the generator of classes is for, beside those of sizes and scenes.
const CLASSES: u64 = u64::MAX - 2;
/// 2^64 times the fraction of the square root of 2: its multiples fill the circle evenly, whatever those of the golden ratio
/// do that scenes are chosen by.
const ROOT_OF_TWO: u64 = 0x6A09_E667_F3BC_C908;
/// Pixels that are tried for one chip before the fullest window of them is taken.
const TRIES: usize = 64;

/// Which share of random chips is cut around which class.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) enum ClassDraw {
    /// Every class that occurs has the same share.
    Even,
    /// These have these shares; the other chips are cut anywhere.
    Shares(Vec<(String, f64)>),
}

impl ClassDraw {
    /// Refuses shares that cannot be.
    pub(super) fn check(&self) -> Result<(), ChipsError> {
        let Self::Shares(shares) = self else {
            return Ok(());
        };
        let bad = |what, found: String, expected| {
            Err(ChipsError::BadOption {
                what,
                found,
                expected,
            })
        };
        if shares.is_empty() {
            return bad(
                "the list of shares of classes",
                "empty".to_owned(),
                "at least one class",
            );
        }
        for (at, (name, share)) in shares.iter().enumerate() {
            if !(0.0..=1.0).contains(share) {
                return bad(
                    "the share of a class",
                    format!("{share} ({name})"),
                    "a share from 0 to 1",
                );
            }
            if shares[..at].iter().any(|(other, _)| other == name) {
                return bad(
                    "a class with a share",
                    format!("{name} twice"),
                    "each class once",
                );
            }
        }
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        match sum > 1.0 + 1e-9 {
            true => bad(
                "the sum of the shares of classes",
                sum.to_string(),
                "at most 1",
            ),
            false => Ok(()),
        }
    }
}

/// One class that chips are cut around.
#[derive(Debug)]
struct OfClass {
    class: usize,
    /// The sum of the shares up to and with this class.
    sum: f64,
    /// Its pixels or objects in all parts up to and with each.
    parts: Vec<u64>,
}

impl OfClass {
    fn total(&self) -> u64 {
        self.parts.last().copied().unwrap_or(0)
    }
}

/// How chips are drawn by class.
#[derive(Debug)]
pub(super) struct ByClass {
    classes: Vec<OfClass>,
    /// Of each part.
    grounds: Vec<ClassGround>,
    /// Where the even sequence of classes begins.
    start: u64,
}

impl ByClass {
    /// Looks where the classes lie, in parallel: the labels are read once. `None` for chips at places of their own.
    ///
    /// # Errors
    /// [`ChipsError::UnknownClass`], [`ChipsError::NoClasses`]; those of reading labels.
    pub(super) fn new(
        scenes: &Scenes,
        parts: &[Part],
        options: &ChipOptions,
        report: &mut Report,
    ) -> Result<Option<Self>> {
        let Some(draw) = &options.classes else {
            return Ok(None);
        };
        let (names, count) = (scenes.classes().names(), scenes.classes().len());
        let wanted: Vec<(usize, f64)> = match draw {
            ClassDraw::Even => (0..count).map(|class| (class, 0.0)).collect(),
            ClassDraw::Shares(shares) => shares
                .iter()
                .map(
                    |(name, share)| match names.iter().position(|known| known == name) {
                        Some(class) => Ok((class, *share)),
                        None => Err(ChipsError::UnknownClass {
                            wanted: name.clone(),
                            known: names.iter().map(|name| (*name).to_owned()).collect(),
                        }),
                    },
                )
                .collect::<Result<_, _>>()?,
        };
        let of_part: Vec<_> = parts
            .iter()
            .map(|part| scenes.get(part.scene).unwrap_or_else(|| scenes.first()))
            .collect();
        let labeled = of_part.iter().any(|scene| scene.has_labels());
        let by_object = options.around_objects || !labeled;
        let has = of_part.iter().any(|scene| match by_object {
            true => scene.has_boxes(),
            false => scene.has_labels(),
        });
        if !has {
            return Err(ChipsError::NoClasses {
                path: scenes.first().raster().path().to_owned(),
                objects: options.around_objects,
            }
            .into());
        }
        let grounds = of_part
            .par_iter()
            .map(|scene| match scene.has_labels() && !by_object {
                true => ClassGround::pixels(scene, count),
                false => Ok(ClassGround::objects(scene, count, !by_object)),
            })
            .collect::<Result<Vec<_>>>()?;
        say_others(&of_part, by_object, report);
        let even = *draw == ClassDraw::Even;
        let mut classes: Vec<OfClass> = Vec::new();
        let mut absent = Vec::new();
        let mut shares = Vec::new();
        for (class, share) in wanted {
            let mut sum = 0;
            let parts: Vec<u64> = grounds
                .iter()
                .map(|ground| {
                    sum += ground.total(class);
                    sum
                })
                .collect();
            if sum > 0 {
                classes.push(OfClass {
                    class,
                    sum: 0.0,
                    parts,
                });
                shares.push(share);
            } else if class > 0 || !by_object || !even {
                absent.push(names[class]);
            }
        }
        let (mut sum, present) = (0.0, classes.len() as f64);
        for (one, share) in classes.iter_mut().zip(shares) {
            sum += if even { 1.0 / present } else { share };
            one.sum = sum;
        }
        if even && let Some(last) = classes.last_mut() {
            // Rounding leaves no chip out.
            last.sum = f64::INFINITY;
        }
        let kind = if by_object { "object" } else { "labeled pixel" };
        if !absent.is_empty() {
            let (verb, share) = match absent.len() {
                1 => ("has", "its share"),
                _ => ("have", "their shares"),
            };
            let goes = match even && !classes.is_empty() {
                true => format!("{share} goes to the other classes"),
                false => format!("the chips of {share} are cut anywhere"),
            };
            report.push(
                Notice::left_out(format!(
                    "{} {verb} no {kind} in these scenes: {goes}",
                    absent.join(", ")
                ))
                .count(absent.len())
                .next("`scenes.class_shares()?` shows where classes occur"),
            );
        }
        Ok(Some(Self {
            classes,
            grounds,
            start: generator(options.seed, usize::MAX, CLASSES).random(),
        }))
    }

    /// The class that chip `index` is cut around; `None` for one that is cut anywhere. Classes follow each other in a Kronecker
    /// sequence, so that after any number of chips each has its share of them to within a few.
    fn class_of(&self, index: usize) -> Option<&OfClass> {
        let turn = self
            .start
            .wrapping_add((index as u64).wrapping_mul(ROOT_OF_TWO));
        let place = turn as f64 / 2f64.powi(64);
        self.classes
            .get(self.classes.partition_point(|one| one.sum <= place))
    }

    /// Chip `index`, when it is one around a class: its part, its window and the imagery there.
    pub(super) fn place(
        &self,
        scenes: &Scenes,
        parts: &[Part],
        options: &ChipOptions,
        index: usize,
    ) -> Result<Option<(usize, PixelWindow, Patch)>> {
        let Some(of_class) = self.class_of(index) else {
            return Ok(None);
        };
        let mut random = generator(options.seed, index, CLASSES);
        let mut fullest: Option<(f64, usize, PixelWindow, Patch)> = None;
        for _ in 0..TRIES {
            session::check_interrupt("looking for places of chips")?;
            let drawn = random.random_range(0..of_class.total());
            let place = of_class.parts.partition_point(|&sum| sum <= drawn);
            let before = if place == 0 {
                0
            } else {
                of_class.parts[place - 1]
            };
            let part = &parts[place];
            let scene = scenes.get(part.scene).unwrap_or_else(|| scenes.first());
            let (col, row) = self.grounds[place].at(scene, of_class.class, drawn - before)?;
            let edge = part.placing.edge(options.seed, index);
            let (area, half) = (scene.area(), edge as i64 / 2);
            let window = PixelWindow::new(
                within(col - half, edge, area.col, area.width, options.padded),
                within(row - half, edge, area.row, area.height, options.padded),
                edge,
                edge,
            );
            let patch = scene.read(&window)?;
            let share = patch.valid_fraction();
            if share > 0.0 && share >= options.min_valid {
                return Ok(Some((place, window, patch)));
            }
            if fullest.as_ref().is_none_or(|(most, ..)| share > *most) {
                fullest = Some((share, place, window, patch));
            }
        }
        // The class lies where little is valid: better such a chip than none of it.
        Ok(fullest.map(|(_, place, window, patch)| (place, window, patch)))
    }
}

/// Says what becomes of scenes that lack what the others have, pixels with labels or boxes.
fn say_others(scenes: &[&Scene], by_object: bool, report: &mut Report) {
    let all = scenes.len();
    let count = |is: &dyn Fn(&Scene) -> bool| scenes.iter().filter(|scene| is(scene)).count();
    let boxes_alone = count(&|scene| scene.has_boxes() && !scene.has_labels());
    if !by_object && boxes_alone > 0 {
        report.push(
            Notice::noted(format!(
                "{boxes_alone} of {all} scenes have boxes alone: chips are cut around the middles of their objects, each of which \
                 counts as the pixels of its box"
            ))
            .count(boxes_alone)
            .next("`.around_objects()` counts each object once, in all scenes"),
        );
    }
    let (without, what) = match by_object {
        true => (count(&|scene| !scene.has_boxes()), "objects"),
        false => (
            count(&|scene| !scene.has_boxes() && !scene.has_labels()),
            "labels",
        ),
    };
    if without > 0 {
        report.push(
            Notice::left_out(format!(
                "{without} of {all} scenes have no {what}: no chip is cut around a class there"
            ))
            .count(without)
            .next("`scenes.class_shares()?` shows where classes occur"),
        );
    }
}
