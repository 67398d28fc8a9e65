//! What the validations of all tasks share: where their windows lie, and reading results off the device.

use std::sync::mpsc;

use burn::tensor::Tensor;
use rayon::prelude::*;

use super::TrainError;
use crate::device::Device;
use crate::labels::Classes;
use crate::raster::{Patch, PixelWindow, Size};
use crate::report::Notice;
use crate::scene::Scene;
use crate::scenes::Scenes;
use crate::{Error, Result, session};

/// Every encoder halves its input five times.
const MULTIPLE: usize = 32;

/// Of more windows than this, so many are looked at, evenly spread.
const LOOKED_AT: usize = 4096;

/// The classes that a window holds, by index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Held([u64; 4]);

impl Held {
    pub(super) fn background() -> Self {
        Self([1, 0, 0, 0])
    }

    pub(super) fn insert(&mut self, class: usize) {
        if let Some(bits) = self.0.get_mut(class / 64) {
            *bits |= 1 << (class % 64);
        }
    }

    pub(super) fn contains(&self, class: usize) -> bool {
        self.0
            .get(class / 64)
            .is_some_and(|bits| bits >> (class % 64) & 1 == 1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0 == [0; 4]
    }

    /// Whether there is no class but the background.
    pub(super) fn is_background(&self) -> bool {
        let [first, others @ ..] = self.0;
        first >> 1 == 0 && others == [0; 3]
    }

    fn and(&self, other: &Self) -> Self {
        let mut both = *self;
        for (both, other) in both.0.iter_mut().zip(other.0) {
            *both |= other;
        }
        both
    }
}

/// A window of one of the validation scenes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValidWindow {
    /// The scene's place in the collection.
    pub(super) scene: usize,
    pub(super) window: PixelWindow,
}

impl ValidWindow {
    /// The scene of the window.
    pub(super) fn of<'a>(&self, scenes: &'a Scenes) -> &'a Scene {
        scenes.get(self.scene).unwrap_or_else(|| scenes.first())
    }
}

/// Lays windows of the chips' size over the areas of the scenes and chooses about `limit` of them, with the classes that these hold
/// together.
///
/// Only windows in which something can be compared are laid: in the area of interest, with valid imagery, with a label that
/// is not ignored; `held` says which classes a window holds, or `None`. Of these, windows with and without a class other
/// than the background are chosen in proportion, so that precision is honest, at least one with such a class where there is
/// any, each kind evenly spread. A class that none of them holds adds the middle one of the windows that do. The same scene
/// gives the same windows.
///
/// The last ones of each row and column reach over the edge, where imagery is invalid and labels are ignored.
///
/// # Errors
/// [`TrainError::NothingToValidate`]; those of `held`.
pub(super) fn lay(
    scenes: &Scenes,
    chip: Size,
    limit: usize,
    held: impl Fn(&Scene, &PixelWindow) -> Result<Option<Held>> + Sync,
) -> Result<(Vec<ValidWindow>, Held)> {
    let (windows, held, _) = lay_windows(scenes, usual_size(scenes, chip), limit, held)?;
    Ok((windows, held))
}

/// One size for all, so that windows of several scenes are of one batch.
fn usual_size(scenes: &Scenes, chip: Size) -> Size {
    let sizes = scenes
        .iter()
        .map(|scene| window_size(chip, scene.area().size()));
    sizes.fold(Size::new(1, 1), |all, one| {
        Size::new(all.width.max(one.width), all.height.max(one.height))
    })
}

/// [`lay`] with windows of this very size; also says of how many windows these were chosen.
pub(super) fn lay_windows(
    scenes: &Scenes,
    size: Size,
    limit: usize,
    held: impl Fn(&Scene, &PixelWindow) -> Result<Option<Held>> + Sync,
) -> Result<(Vec<ValidWindow>, Held, usize)> {
    let mut windows = Vec::new();
    for (index, scene) in scenes.iter().enumerate() {
        let whole = |tile: PixelWindow| ValidWindow {
            scene: index,
            window: PixelWindow::new(tile.col, tile.row, size.width, size.height),
        };
        let counts = |one: &ValidWindow| scene.counts_in(&one.window);
        windows.extend(scene.area().tiles(size).map(whole).filter(counts));
    }
    let windows = spread(&windows, LOOKED_AT.max(limit));
    let looked_at = windows
        .par_iter()
        .map(|one| -> Result<Option<(ValidWindow, Held)>> {
            session::check_interrupt("choosing validation windows")?;
            Ok(held(one.of(scenes), &one.window)?.map(|held| (*one, held)))
        })
        .collect::<Result<Vec<_>>>()?;
    let usable: Vec<_> = looked_at.into_iter().flatten().collect();
    if usable.is_empty() {
        return Err(TrainError::NothingToValidate {
            scene: scenes.name(),
        }
        .into());
    }
    let chosen = choose(&usable, limit);
    let all = chosen
        .iter()
        .fold(Held::default(), |all, (_, held)| all.and(held));
    let windows = chosen.into_iter().map(|(window, _)| window).collect();
    Ok((windows, all, usable.len()))
}

/// As [`lay`] says, in their order.
fn choose<W: Copy>(usable: &[(W, Held)], limit: usize) -> Vec<(W, Held)> {
    let limit = limit.max(1);
    if usable.len() <= limit {
        return usable.to_vec();
    }
    let numbers = |wanted: bool| -> Vec<usize> {
        let one = |index: &usize| usable[*index].1.is_background() != wanted;
        (0..usable.len()).filter(one).collect()
    };
    let (with, without) = (numbers(true), numbers(false));
    let share = (limit * with.len()) as f64 / usable.len() as f64;
    let of_with = (share.round() as usize).clamp(usize::from(!with.is_empty()), with.len());
    // Evenly spread over all of them, unless that misses more than half of what would be in proportion.
    let mut chosen = spread(&(0..usable.len()).collect::<Vec<_>>(), limit);
    let found = chosen
        .iter()
        .filter(|&&index| !usable[index].1.is_background());
    if 2 * found.count() < of_with {
        chosen = spread(&with, of_with);
        if limit > of_with {
            chosen.extend(spread(&without, limit - of_with));
        }
    }
    let together = |chosen: &[usize]| {
        let held = chosen.iter().map(|&index| usable[index].1);
        held.fold(Held::default(), |all, held| all.and(&held))
    };
    let all = usable
        .iter()
        .fold(Held::default(), |all, (_, held)| all.and(held));
    for class in (0..256).filter(|&class| all.contains(class)) {
        if !together(&chosen).contains(class) {
            let holding = |index: &usize| usable[*index].1.contains(class);
            let holding: Vec<usize> = (0..usable.len()).filter(holding).collect();
            chosen.push(holding[holding.len() / 2]);
        }
    }
    chosen.sort_unstable();
    chosen.dedup();
    chosen.into_iter().map(|index| usable[index]).collect()
}

/// What a validation area that lacks classes means for a run: `unit` is what they are looked for in, `score` what decides.
pub(super) fn absent_classes(
    held: &Held,
    classes: &Classes,
    (unit, score): (&str, &str),
) -> Option<Notice> {
    let absent: Vec<&str> = (classes.names().into_iter().enumerate().skip(1))
        .filter(|(class, _)| !held.contains(*class))
        .map(|(_, name)| name)
        .collect();
    if absent.len() + 1 == classes.len() {
        let what = format!("{unit} of a class but the background");
        return Some(nothing_there(&what, score));
    }
    let names = absent.join(", ");
    let text = format!(
        "the validation area holds no {unit} of {names}: the {score} that decides is that of the other classes"
    );
    let step = "validate on an area that holds every class to see how well each is found";
    (!absent.is_empty()).then(|| Notice::noted(text).count(absent.len()).next(step))
}

/// What a validation area that holds no object means for a run.
pub(super) fn nothing_there(what: &str, score: &str) -> Notice {
    Notice::noted(format!(
        "the validation area holds no {what}: there is no {score} to choose the best epoch by, training and validation loss decide"
    ))
    .next("validate on an area that holds objects, as `scene.split` or `scene.split_by_aoi` cut it off")
}

/// The chips' size, smaller where the area is smaller, and always one that every encoder takes.
fn window_size(chip: Size, area: Size) -> Size {
    let side = |chip: usize, area: usize| chip.min(area).div_ceil(MULTIPLE).max(1) * MULTIPLE;
    Size::new(side(chip.width, area.width), side(chip.height, area.height))
}

/// At most `limit` of them, evenly spread.
fn spread<T: Copy>(all: &[T], limit: usize) -> Vec<T> {
    let limit = limit.max(1);
    if all.len() <= limit {
        return all.to_vec();
    }
    // The middle of each of `limit` equal stretches.
    (0..limit)
        .map(|index| all[(2 * index + 1) * all.len() / (2 * limit)])
        .collect()
}

/// A window's imagery with what its labels say.
pub(super) struct Labeled<T> {
    pub(super) patch: Patch,
    pub(super) truth: T,
}

/// Reads windows with their labels in a thread, `batch` of them at a time and two batches ahead, and hands each batch to
/// `work`, which returns false to stop. Returns whether `work` or an interrupt of the reading stopped it.
pub(super) fn read_ahead<T: Send>(
    scenes: &Scenes,
    windows: &[ValidWindow],
    batch: usize,
    truth: impl Fn(&Scene, &PixelWindow) -> Result<T> + Sync,
    mut work: impl FnMut(Vec<Labeled<T>>) -> Result<bool>,
) -> Result<bool> {
    let truth = &truth;
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<Result<Vec<Labeled<T>>>>(2);
        scope.spawn(move || {
            let labeled = |one: &ValidWindow| {
                let scene = one.of(scenes);
                Ok(Labeled {
                    patch: scene.read(&one.window)?,
                    truth: truth(scene, &one.window)?,
                })
            };
            for windows in windows.chunks(batch.max(1)) {
                // The receiver is gone when the user stopped or an error ended the validation.
                if sender.send(windows.iter().map(labeled).collect()).is_err() {
                    break;
                }
            }
        });
        for parts in receiver {
            let parts = match parts {
                Err(Error::Interrupted { .. }) => return Ok(true),
                parts => parts?,
            };
            if !work(parts)? {
                return Ok(true);
            }
        }
        Ok(false)
    })
}

/// One number off the device.
pub(super) fn read_scalar(value: Tensor<1>, device: &Device) -> Result<f32, TrainError> {
    read(value, device).map(|values| values.first().copied().unwrap_or(f32::NAN))
}

/// All values off the device.
pub(super) fn read<const D: usize>(
    values: Tensor<D>,
    device: &Device,
) -> Result<Vec<f32>, TrainError> {
    let wrong = |reason: String| TrainError::Read {
        device: device.name().to_owned(),
        reason,
    };
    let data = values
        .try_into_data()
        .map_err(|error| wrong(format!("{error:?}")))?;
    data.try_to_vec::<f32>()
        .map_err(|error| wrong(format!("{error:?}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_no_larger_than_needed_and_a_multiple_of_32() {
        assert_eq!(
            window_size(Size::new(256, 256), Size::new(162, 650)),
            Size::new(192, 256)
        );
        assert_eq!(
            window_size(Size::new(100, 100), Size::new(1000, 1000)),
            Size::new(128, 128)
        );
        assert_eq!(
            window_size(Size::new(64, 64), Size::new(0, 1)),
            Size::new(32, 32)
        );
    }

    #[test]
    fn a_limit_keeps_windows_spread_over_the_whole_area() {
        let windows: Vec<_> = (0..100).map(|col| PixelWindow::new(col, 0, 1, 1)).collect();
        let kept: Vec<_> = spread(&windows, 4)
            .iter()
            .map(|window| window.col)
            .collect();
        assert_eq!(kept, [12, 37, 62, 87]);
        assert_eq!(spread(&windows, 200).len(), 100);
    }

    fn held(classes: &[usize]) -> Held {
        let mut held = Held::default();
        classes.iter().for_each(|&class| held.insert(class));
        held
    }

    /// Windows in a row; those of `objects` hold these classes, the others background.
    fn row(count: usize, objects: &[(usize, usize)]) -> Vec<(PixelWindow, Held)> {
        let window = |col| PixelWindow::new(col as i64, 0, 1, 1);
        let classes = |col| objects.iter().find(|(at, _)| *at == col);
        (0..count)
            .map(|col| {
                (
                    window(col),
                    classes(col).map_or(held(&[0]), |&(_, class)| held(&[0, class])),
                )
            })
            .collect()
    }

    fn chosen(usable: &[(PixelWindow, Held)], limit: usize) -> Vec<i64> {
        choose(usable, limit)
            .iter()
            .map(|(window, _)| window.col)
            .collect()
    }

    /// Every n-th window missed the only ones with objects (D1: "validation loss 0.0000, mean IoU –").
    #[test]
    fn windows_with_objects_are_chosen_in_proportion_and_no_class_is_missed() {
        // Nothing to choose, and an even spread that is in proportion already.
        assert_eq!(chosen(&row(4, &[(2, 1)]), 4), [0, 1, 2, 3]);
        let every: Vec<_> = (0..100).map(|col| (col, 1)).collect();
        assert_eq!(chosen(&row(100, &every), 4), [12, 37, 62, 87]);
        // 1 of 100, 10 of 100, all classes.
        let one = chosen(&row(100, &[(3, 1)]), 4);
        assert_eq!((one.len(), one[0]), (4, 3));
        let ten: Vec<_> = (0..10).map(|col| (col, 1)).collect();
        let found = chosen(&row(100, &ten), 20);
        assert_eq!(found.iter().filter(|&&col| col < 10).count(), 2);
        assert_eq!(found.len(), 20);
        let rare = chosen(&row(100, &[(1, 1), (2, 1), (3, 1), (60, 2), (61, 200)]), 4);
        for col in [60, 61] {
            assert!(rare.contains(&col), "{rare:?}");
        }
        assert!(!held(&[0, 64]).is_background() && held(&[0]).is_background());
    }
}
