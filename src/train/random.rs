//! Random numbers of a device, for one training at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::device::Device;

static IN_USE: Mutex<()> = Mutex::new(());

/// Seeds the device's generator and keeps it to the caller until the guard goes.
///
/// Burn has one generator for all that a process does on a device: two trainings side by side would each draw what the
/// other one's seed decides. Whoever draws holds this, for the weights at the beginning and then for a step at a time.
pub(super) fn seeded(device: &Device, seed: u64) -> MutexGuard<'static, ()> {
    let guard = IN_USE.lock().unwrap_or_else(PoisonError::into_inner);
    device.burn().seed(seed);
    guard
}
