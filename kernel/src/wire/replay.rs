//! A signed message runs once: who records it cannot have it run again.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

/// How many signatures are remembered, as many as jupyter_client does.
const REMEMBERED: usize = 1 << 16;

/// The signatures of the messages that came. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    known: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Seen {
    /// Notes a signature; false when it has come before.
    pub(crate) fn is_new(&self, signature: [u8; 32]) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.known.insert(signature) {
            return false;
        }
        state.order.push_back(signature);
        if state.order.len() > REMEMBERED
            && let Some(oldest) = state.order.pop_front()
        {
            state.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(number: usize) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        bytes
    }

    #[test]
    fn a_signature_is_new_once_and_memory_is_bounded() {
        let seen = Seen::default();
        for number in 0..REMEMBERED + 10 {
            assert!(seen.is_new(signature(number)));
            assert!(!seen.is_new(signature(number)));
        }
        let state = seen.0.lock().unwrap();
        assert_eq!(
            (state.known.len(), state.order.len()),
            (REMEMBERED, REMEMBERED)
        );
    }
}
