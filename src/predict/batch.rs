//! How many windows are scored at once: found by trying, halved when memory runs out.

use std::time::Duration;

use super::tiling::Tiling;
use crate::device::Device;

/// Windows at once unless the options say otherwise.
const CPU_BATCH: usize = 1;
const GPU_BATCH: usize = 8;
/// What the windows that wait for a batch may hold of the computer's memory while the size of a batch is searched.
const WAITING_BYTES: usize = 256 << 20;

/// A larger batch must be at least this much faster for each window to be kept.
const WORTHWHILE: f64 = 1.05;

/// The number of windows that are scored at once.
///
/// On a GPU it doubles from its start for as long as that makes a window faster: what fits the free memory is found by
/// trying, since it depends on the network, on other programs and on how the device keeps its memory. Running out of
/// memory halves it and ends the search; no window that was scored before is lost.
#[derive(Clone, Debug)]
pub(crate) struct BatchSize {
    current: usize,
    /// The largest size that is tried.
    most: usize,
    searching: bool,
    /// Batches of the current size that were scored: the first one compiles and tunes kernels, and is not measured.
    scored: usize,
    /// Seconds a window took at half the current size.
    before: Option<f64>,
}

impl BatchSize {
    /// For a scene of `windows` windows, whose imagery takes `window_bytes` each: what the options say, one on the CPU,
    /// found by trying on a GPU.
    pub(crate) fn of(
        tiling: &Tiling,
        device: &Device,
        windows: usize,
        window_bytes: usize,
    ) -> Self {
        match tiling.batch {
            Some(batch) => Self::fixed(batch.min(windows)),
            None if device.is_gpu() => {
                let most = (WAITING_BYTES / window_bytes.max(1)).min(windows);
                Self::found_by_trying(GPU_BATCH.min(windows), most)
            }
            None => Self::fixed(CPU_BATCH),
        }
    }

    /// Always `windows`, or less once memory has run out.
    pub(super) fn fixed(windows: usize) -> Self {
        Self {
            current: windows.max(1),
            most: windows.max(1),
            searching: false,
            scored: 0,
            before: None,
        }
    }

    /// Begins with `start` windows and doubles up to `most`.
    pub(super) fn found_by_trying(start: usize, most: usize) -> Self {
        Self {
            most: most.max(start),
            searching: true,
            ..Self::fixed(start)
        }
    }

    /// Windows to score next.
    pub(super) fn windows(&self) -> usize {
        self.current
    }

    /// The most windows that it can come to.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// A batch of `windows` took `time`.
    pub(super) fn scored(&mut self, windows: usize, time: Duration) {
        if !self.searching || windows != self.current {
            return;
        }
        self.scored += 1;
        if self.scored < 2 {
            return;
        }
        let each = time.as_secs_f64() / windows as f64;
        if self.before.is_some_and(|before| before < each * WORTHWHILE) {
            self.current /= 2;
            self.searching = false;
        } else if self.current * 2 > self.most {
            self.searching = false;
        } else {
            (self.current, self.scored, self.before) = (self.current * 2, 0, Some(each));
        }
    }

    /// Memory ran out for `windows`: less from now on. False when there is nothing less than one window.
    pub(super) fn out_of_memory(&mut self, windows: usize) -> bool {
        self.searching = false;
        self.current = (windows.min(self.current) / 2).max(1);
        self.most = self.current;
        windows > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scores batches until nothing changes any more, on a device where `windows` take so many milliseconds.
    fn settled(mut batch: BatchSize, time: impl Fn(usize) -> u64) -> usize {
        for _ in 0..40 {
            let windows = batch.windows();
            batch.scored(windows, Duration::from_millis(time(windows)));
        }
        batch.windows()
    }

    #[test]
    fn it_doubles_while_a_window_gets_faster() {
        // Ten milliseconds for each window and a hundred for each batch, on a device that is full with 16.
        let time = |windows: usize| (windows.max(16) * 10 + 100) as u64;
        assert_eq!(
            settled(BatchSize::found_by_trying(2, 64), |w| time(w.min(16))
                * (w as u64).div_ceil(16)),
            16
        );
        assert_eq!(settled(BatchSize::found_by_trying(2, 8), time), 8);
        assert_eq!(settled(BatchSize::fixed(3), time), 3);
    }

    #[test]
    fn the_first_batch_of_a_size_is_not_measured() {
        let mut batch = BatchSize::found_by_trying(4, 64);
        batch.scored(4, Duration::from_secs(60));
        assert_eq!(batch.windows(), 4);
        batch.scored(4, Duration::from_secs(1));
        assert_eq!(batch.windows(), 8);
        batch.scored(8, Duration::from_secs(60));
        batch.scored(8, Duration::from_secs(1));
        assert_eq!(batch.windows(), 16);
    }

    #[test]
    fn a_last_batch_that_is_not_full_tells_nothing() {
        let mut batch = BatchSize::found_by_trying(4, 64);
        for _ in 0..5 {
            batch.scored(3, Duration::from_secs(1));
        }
        assert_eq!(batch.windows(), 4);
    }

    #[test]
    fn out_of_memory_halves_for_good_and_fails_below_one_window() {
        let mut batch = BatchSize::found_by_trying(8, 64);
        assert!(batch.out_of_memory(8));
        assert_eq!(settled(batch, |_| 1), 4);
        let mut batch = BatchSize::fixed(3);
        assert!(batch.out_of_memory(3));
        assert_eq!((batch.windows(), batch.most()), (1, 1));
        assert!(!batch.out_of_memory(1));
    }
}
