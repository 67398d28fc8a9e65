//! Random numbers of a device, for one task at a time.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Device;

static IN_USE: Mutex<()> = Mutex::new(());

thread_local! {
    /// The lock, while this thread has it, and how many of its guards there are.
    static HELD: RefCell<(usize, Option<MutexGuard<'static, ()>>)> = const { RefCell::new((0, None)) };
}

/// The generator is its thread's until this goes. A thread may have several of them.
#[must_use]
pub(crate) struct Alone {
    /// What is a thread's own stays on it.
    _here: std::marker::PhantomData<*const ()>,
}

impl Drop for Alone {
    fn drop(&mut self) {
        HELD.with_borrow_mut(|(guards, lock)| {
            *guards -= 1;
            if *guards == 0 {
                *lock = None;
            }
        });
    }
}

/// Keeps the device's generator to the caller until the guard goes.
///
/// Burn has one generator for all that a process does on a device: a training draws what its seed decides only while nobody
/// else draws. Whoever draws holds this: a training for the weights at the beginning and then for a step at a time, and who
/// makes a network to load weights into it, since that network draws some first.
pub(crate) fn alone() -> Alone {
    let first = HELD.with_borrow_mut(|(guards, _)| {
        *guards += 1;
        *guards == 1
    });
    if first {
        let lock = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
        HELD.with_borrow_mut(|(_, held)| *held = Some(lock));
    }
    Alone {
        _here: std::marker::PhantomData,
    }
}

/// Seeds the device's generator and keeps it to the caller until the guard goes: see [`alone`].
pub(crate) fn seeded(device: &Device, seed: u64) -> Alone {
    let guard = alone();
    device.burn().seed(seed);
    guard
}
