//! What every picture promises: words on the axes, escaped names, nothing that is not a number, colors that can be read.

mod imagery;
mod pages;
mod plots;

use rand::SeedableRng as _;
use rand_pcg::Pcg64;

use crate::raster::{Patch, Size};

fn patch(width: usize, height: usize, bands: &[&[f32]]) -> Patch {
    let data = bands.concat();
    Patch {
        size: Size { width, height },
        bands: bands.len(),
        data,
        valid: vec![1; width * height],
    }
}

/// A source of random numbers for each of 500 cases.
fn cases() -> impl Iterator<Item = Pcg64> {
    (0..500).map(Pcg64::seed_from_u64)
}
