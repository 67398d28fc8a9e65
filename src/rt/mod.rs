//! The runtime of cells: variable store, guard around panics, display of results, side channel. Called by the code that
//! the kernel generates, never by users.
