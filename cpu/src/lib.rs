//! What training on the CPU spends its time in, on plain slices in NCHW. The library's `models::conv` gives it to Burn; images
//! of chips are resized, turned, blurred and colored here too.
//!
//! A crate of its own, because these loops want the compiler's highest level and the rest of the library, which is several
//! times larger, does not: at that level the library took three times as long to build.

pub mod blur;
pub mod colors;
mod dense;
mod depthwise;
pub mod epilogue;
pub mod norm;
mod phases;
mod planes;
pub mod regrid;
pub mod resample;
pub mod resize;
pub mod roi;
mod simd;
mod taps;
pub mod warp;

pub use epilogue::Epilogue;
pub use planes::ConvShape;

/// `[n, o, h', w']` of a convolution, with a bias and limits where they are given.
pub fn forward(
    sizes: &ConvShape,
    input: &[f32],
    weights: &[f32],
    epilogue: Option<Epilogue<'_>>,
) -> Vec<f32> {
    if sizes.depthwise {
        depthwise::forward(sizes, input, weights, epilogue)
    } else {
        dense::forward(sizes, input, weights, epilogue)
    }
}

/// The gradient of the input from that of the output.
pub fn input_gradient(sizes: &ConvShape, gradient: &[f32], weights: &[f32]) -> Vec<f32> {
    match sizes.depthwise {
        true => depthwise::input_gradient(sizes, gradient, weights),
        false => phases::input_gradient(sizes, gradient, weights)
            .unwrap_or_else(|| dense::input_gradient(sizes, gradient, weights)),
    }
}

/// The gradient of the weights from that of the output.
pub fn weight_gradient(sizes: &ConvShape, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    match sizes.depthwise {
        true => depthwise::weight_gradient(sizes, input, gradient),
        false => dense::weight_gradient(sizes, input, gradient),
    }
}

#[cfg(test)]
mod tests;
