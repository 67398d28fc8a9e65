//! What maps and boxes do alike with the windows of a scene: read ahead in a thread, through the network in batches.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use burn::tensor::{Tensor, TensorData};
use crossbeam_channel::{Receiver, RecvTimeoutError};

use super::PredictError;
use super::batch::BatchSize;
use super::progress::Progress;
use crate::FileError;
use crate::device::{Device, memory};
use crate::models::{AnyModule, Task};
use crate::raster::Patch;
use crate::{Result, session};

/// A window whose imagery was read; `None` when it holds no valid pixel.
type Read<W> = Result<(W, Option<Patch>)>;

/// The windows of a scene on their way through a network.
pub(crate) struct Runner<'a> {
    /// How many there are.
    pub(crate) windows: usize,
    /// How many go through the network at once.
    pub(crate) batch: BatchSize,
    /// What an interrupt stops.
    pub(crate) doing: &'static str,
    pub(crate) progress: &'a mut Progress,
}

impl Runner<'_> {
    /// Reads every window in order, scores batches of those with a valid pixel, and hands each batch on.
    ///
    /// `read` gets a window's number. [`PredictError::OutOfMemory`] of `score` makes it try fewer at once; what was
    /// handed on before stays.
    ///
    /// # Errors
    /// Whatever `read`, `score` or `take` fail with; [`crate::Error::Interrupted`] when the user asked to stop.
    pub(crate) fn run<W: Send, S>(
        mut self,
        read: impl Fn(usize) -> Read<W> + Send + Sync,
        score: impl FnMut(&[Patch]) -> Result<S>,
        take: impl FnMut(&[W], &[Patch], S) -> Result<()>,
    ) -> Result<()> {
        let (sender, receiver) = crossbeam_channel::bounded::<Read<W>>(self.batch.most().max(2));
        let windows = self.windows;
        std::thread::scope(|scope| {
            let reader = std::thread::Builder::new().name("swath-predict-read".to_owned());
            let reading = reader.spawn_scoped(scope, move || {
                for index in 0..windows {
                    let window = read(index).map(|(window, patch)| {
                        let visible = |patch: &Patch| patch.valid.iter().any(|valid| *valid != 0);
                        (window, patch.filter(visible))
                    });
                    // An error ends the reading; a closed channel means that nobody waits any more.
                    if window.is_err() | sender.send(window).is_err() {
                        return;
                    }
                }
            });
            if let Err(source) = reading {
                let path = std::path::PathBuf::from("swath-predict-read");
                return Err(FileError::Io {
                    action: "start a thread",
                    path,
                    source,
                }
                .into());
            }
            self.consume(receiver, score, take)
        })
    }

    /// Takes the receiver by value: when this returns early, dropping it stops the reader.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "dropping the receiver stops the reading thread"
    )]
    fn consume<W, S>(
        &mut self,
        receiver: Receiver<Read<W>>,
        mut score: impl FnMut(&[Patch]) -> Result<S>,
        mut take: impl FnMut(&[W], &[Patch], S) -> Result<()>,
    ) -> Result<()> {
        let mut remaining = self.windows;
        while remaining > 0 {
            session::check_interrupt(self.doing)?;
            let batch = self.batch.windows();
            let mut windows = Vec::with_capacity(batch);
            let mut patches = Vec::with_capacity(batch);
            let mut taken = 0;
            while patches.len() < batch && taken < remaining {
                // A slow disk, or imagery without one valid pixel for long, must not hold up an interrupt.
                let read = match receiver.recv_timeout(Duration::from_millis(100)) {
                    Ok(read) => read,
                    Err(RecvTimeoutError::Timeout) => {
                        session::check_interrupt(self.doing)?;
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                let (window, patch) = read?;
                taken += 1;
                if taken % 64 == 0 {
                    session::check_interrupt(self.doing)?;
                }
                if let Some(patch) = patch {
                    windows.push(window);
                    patches.push(patch);
                }
            }
            if taken == 0 {
                break;
            }
            let mut done = 0;
            while done < patches.len() {
                let end = patches.len().min(done + self.batch.windows());
                let now = &patches[done..end];
                let began = Instant::now();
                let scores = match score(now) {
                    Ok(scores) => scores,
                    // Everything handed on so far stays where it is.
                    Err(crate::Error::Predict(PredictError::OutOfMemory { .. }))
                        if self.batch.out_of_memory(now.len()) =>
                    {
                        session::check_interrupt(self.doing)?;
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                self.batch.scored(now.len(), began.elapsed());
                take(&windows[done..end], now, scores)?;
                done = end;
            }
            remaining -= taken;
            self.progress.add(taken);
        }
        Ok(())
    }
}

/// A network's copy for prediction, on the device where it runs.
pub(crate) fn placed<T: Task>(copy: Box<T::Network>, device: &Device) -> Box<T::Network> {
    if copy.device() == *device.burn() {
        copy
    } else {
        copy.to_device(device.burn())
    }
}

/// Why a network gave nothing: an error of the library, or what the device said.
pub(crate) enum Failed {
    Error(crate::Error),
    Device(String),
}

impl<E: Into<crate::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// Brings prepared windows of one size, at least one, to the device and gives them to a network.
///
/// # Shapes
/// `run` gets `[patches, bands, height, width]`.
///
/// # Errors
/// [`PredictError::OutOfMemory`] when the device has no room for so many windows, [`PredictError::Network`] when the network
/// panics or the device fails in another way, and what `run` fails with.
pub(crate) fn on_device<R>(
    device: &Device,
    patches: &[Patch],
    run: impl FnOnce(Tensor<4>) -> Result<R, Failed>,
) -> Result<R> {
    let (bands, height, width) = patches.first().map_or((0, 0, 0), |first| {
        (first.bands, first.size.height, first.size.width)
    });
    let mut values = Vec::with_capacity(patches.len() * bands * height * width);
    for patch in patches {
        values.extend_from_slice(&patch.data);
    }
    let images = TensorData::new(values, [patches.len(), bands, height, width]);
    // Networks may be the user's own, and a device reports lack of memory by panicking or, since it works behind the
    // program's back, only when the result is asked for.
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run(Tensor::from_data(images, device.burn()))
    }));
    let detail = match outcome {
        Ok(Ok(result)) => return Ok(result),
        Ok(Err(Failed::Error(error))) => return Err(error),
        Ok(Err(Failed::Device(detail))) => detail,
        Err(panic) => memory::panic_text(&*panic),
    };
    if !memory::is_shortage(&detail) {
        return Err(PredictError::Network { detail }.into());
    }
    // What the failed attempt has left behind would be missing in the next one.
    let _ = catch_unwind(AssertUnwindSafe(|| device.burn().memory_cleanup()));
    Err(PredictError::OutOfMemory {
        windows: patches.len(),
        width,
        height,
        detail: detail.lines().next().unwrap_or_default().to_owned(),
    }
    .into())
}
