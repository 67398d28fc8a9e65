//! Numbers that look random and depend on their place alone: the same on every machine and in any order.

/// SplitMix64's finalizer over a seed and two coordinates.
pub(super) fn hash(seed: u64, x: i64, y: i64) -> u64 {
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut value = seed
        .wrapping_add((x as u64).wrapping_mul(GOLDEN))
        .wrapping_add((y as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F));
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// From 0 (inclusive) to 1 (exclusive).
pub(super) fn unit(seed: u64, x: i64, y: i64) -> f32 {
    (hash(seed, x, y) >> 40) as f32 / (1u64 << 24) as f32
}

/// Smooth noise from 0 to 1: random values at the corners of cells of `cell` pixels, blended in between.
pub(super) fn smooth(seed: u64, col: i64, row: i64, cell: i64) -> f32 {
    let (x, y) = (col.div_euclid(cell), row.div_euclid(cell));
    let ease = |part: i64| {
        let t = part as f32 / cell as f32;
        t * t * (3.0 - 2.0 * t)
    };
    let (u, v) = (ease(col.rem_euclid(cell)), ease(row.rem_euclid(cell)));
    let top = unit(seed, x, y) * (1.0 - u) + unit(seed, x + 1, y) * u;
    let bottom = unit(seed, x, y + 1) * (1.0 - u) + unit(seed, x + 1, y + 1) * u;
    top * (1.0 - v) + bottom * v
}
