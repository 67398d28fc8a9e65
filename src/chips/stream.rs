use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use super::{Chip, Chips, ChipsError};
use crate::{Result, session};

/// Batches that are read ahead of the one in use.
const BATCHES_AHEAD: usize = 4;

/// Batches of chips, read ahead by worker threads with their own file handles. Their order depends on the seed and the
/// epoch, never on the threads. Dropping it stops the threads.
#[derive(Debug)]
pub struct ChipStream {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    batch: usize,
    batches: usize,
    next_batch: usize,
    failed: bool,
}

#[derive(Debug)]
struct Shared {
    chips: Chips,
    epoch: usize,
    order: Vec<usize>,
    /// Chips of the order that are wanted.
    total: usize,
    /// How far reading may run ahead.
    ahead: usize,
    state: Mutex<State>,
    chip_ready: Condvar,
    room: Condvar,
}

#[derive(Debug, Default)]
struct State {
    next_read: usize,
    next_taken: usize,
    ready: BTreeMap<usize, Result<Chip>>,
    running: usize,
    stopped: bool,
}

impl ChipStream {
    pub(super) fn new(chips: &Chips, epoch: usize, batch: usize, workers: usize) -> Self {
        let order = chips.order(epoch);
        let batch = batch.max(1).min(order.len().max(1));
        let batches = order.len() / batch;
        let workers = workers.clamp(1, 64);
        let shared = Arc::new(Shared {
            chips: chips.clone(),
            epoch,
            total: batches * batch,
            order,
            ahead: batch * BATCHES_AHEAD + workers,
            state: Mutex::new(State {
                running: workers,
                ..State::default()
            }),
            chip_ready: Condvar::new(),
            room: Condvar::new(),
        });
        let workers = (0..workers)
            .filter_map(|number| {
                let of_worker = Arc::clone(&shared);
                let started = std::thread::Builder::new()
                    .name(format!("swath chips {number}"))
                    .spawn(move || of_worker.work());
                if started.is_err() {
                    // The system gives no more threads: the others read alone, and without any the stream says so.
                    shared.state().running -= 1;
                }
                started.ok()
            })
            .collect();
        Self {
            shared,
            workers,
            batch,
            batches,
            next_batch: 0,
            failed: false,
        }
    }

    /// Batches in the epoch.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.batches
    }
}

impl Iterator for ChipStream {
    type Item = Result<Vec<Chip>>;

    /// The next batch; waits for it when it is not ready. After an error the stream ends.
    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.next_batch >= self.batches {
            return None;
        }
        let batch: Result<Vec<Chip>> = (0..self.batch).map(|_| self.shared.take()).collect();
        self.next_batch += 1;
        self.failed = batch.is_err();
        Some(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = if self.failed {
            0
        } else {
            self.batches - self.next_batch
        };
        (left, Some(left))
    }
}

impl Drop for ChipStream {
    fn drop(&mut self) {
        self.shared.state().stopped = true;
        self.shared.room.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        // Counts the thread out even when reading panics, so that nobody waits for it for ever.
        struct Leaving<'a>(&'a Shared);
        impl Drop for Leaving<'_> {
            fn drop(&mut self) {
                self.0.state().running -= 1;
                self.0.chip_ready.notify_all();
            }
        }
        let _leaving = Leaving(self);
        loop {
            let mut state = self.state();
            while !state.stopped
                && state.next_read < self.total
                && state.next_read >= state.next_taken + self.ahead
            {
                state = self
                    .room
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            if state.stopped || state.next_read >= self.total {
                return;
            }
            let position = state.next_read;
            state.next_read += 1;
            drop(state);
            let chip = self.chips.get_in_epoch(self.order[position], self.epoch);
            self.state().ready.insert(position, chip);
            self.chip_ready.notify_all();
        }
    }

    /// The next chip of the order.
    fn take(&self) -> Result<Chip> {
        let mut state = self.state();
        let wanted = state.next_taken;
        loop {
            if let Some(chip) = state.ready.remove(&wanted) {
                state.next_taken += 1;
                drop(state);
                self.room.notify_all();
                return chip;
            }
            session::check_interrupt("reading chips")?;
            if state.running == 0 {
                return Err(ChipsError::WorkerLost.into());
            }
            // Wakes up now and then to see an interrupt while a slow disk or network keeps it waiting.
            let pause = std::time::Duration::from_millis(100);
            state = self
                .chip_ready
                .wait_timeout(state, pause)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
