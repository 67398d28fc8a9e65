//! Drawn scenes with exact truth, for tests, scale and no network at all.
