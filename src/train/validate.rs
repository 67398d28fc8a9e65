//! What the validations of all tasks share: where their windows lie, and reading results off the device.

use std::sync::mpsc;

use burn::tensor::Tensor;

use super::TrainError;
use crate::device::Device;
use crate::raster::{Patch, PixelWindow, Size};
use crate::scene::Scene;
use crate::{Error, Result};

/// Every encoder halves its input five times.
const MULTIPLE: usize = 32;

/// Lays windows of the chips' size over the scene's area and keeps at most `limit` of them, evenly spread.
///
/// The last ones of each row and column reach over the edge, where imagery is invalid and labels are ignored.
pub(super) fn windows(scene: &Scene, chip: Size, limit: usize) -> Vec<PixelWindow> {
    let area = scene.area();
    let size = window_size(chip, area.size());
    let whole = |tile: PixelWindow| PixelWindow::new(tile.col, tile.row, size.width, size.height);
    spread(area.tiles(size).map(whole).collect(), limit)
}

/// The chips' size, smaller where the area is smaller, and always one that every encoder takes.
fn window_size(chip: Size, area: Size) -> Size {
    let side = |chip: usize, area: usize| chip.min(area).div_ceil(MULTIPLE).max(1) * MULTIPLE;
    Size::new(side(chip.width, area.width), side(chip.height, area.height))
}

fn spread(windows: Vec<PixelWindow>, limit: usize) -> Vec<PixelWindow> {
    let limit = limit.max(1);
    if windows.len() <= limit {
        return windows;
    }
    // The middle of each of `limit` equal stretches.
    (0..limit)
        .map(|index| windows[(2 * index + 1) * windows.len() / (2 * limit)])
        .collect()
}

/// A window's imagery with what its labels say.
pub(super) struct Labelled<T> {
    pub(super) patch: Patch,
    pub(super) truth: T,
}

/// Reads windows with their labels in a thread, `batch` of them at a time and two batches ahead, and hands each batch to
/// `work`, which returns false to stop. Returns whether `work` or an interrupt of the reading stopped it.
pub(super) fn read_ahead<T: Send>(
    scene: &Scene,
    windows: &[PixelWindow],
    batch: usize,
    truth: impl Fn(&PixelWindow) -> Result<T> + Sync,
    mut work: impl FnMut(Vec<Labelled<T>>) -> Result<bool>,
) -> Result<bool> {
    let truth = &truth;
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel::<Result<Vec<Labelled<T>>>>(2);
        scope.spawn(move || {
            let labelled = |window| {
                Ok(Labelled {
                    patch: scene.read(window)?,
                    truth: truth(window)?,
                })
            };
            for windows in windows.chunks(batch.max(1)) {
                // The receiver is gone when the user stopped or an error ended the validation.
                if sender.send(windows.iter().map(labelled).collect()).is_err() {
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
        let kept: Vec<_> = spread(windows.clone(), 4)
            .iter()
            .map(|window| window.col)
            .collect();
        assert_eq!(kept, [12, 37, 62, 87]);
        assert_eq!(spread(windows, 200).len(), 100);
    }
}
