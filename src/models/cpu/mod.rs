//! What training on the CPU spends its time in, on plain slices in NCHW; [`super::conv`] gives it to Burn.

mod dense;
mod depthwise;
pub(crate) mod norm;
mod planes;
pub(crate) mod resample;
mod simd;

pub(crate) use planes::Sizes;

/// `[n, o, h', w']` of a convolution.
pub(crate) fn forward(sizes: &Sizes, input: &[f32], weights: &[f32]) -> Vec<f32> {
    if sizes.depthwise {
        depthwise::forward(sizes, input, weights)
    } else {
        dense::forward(sizes, input, weights)
    }
}

/// The gradient of the input from that of the output.
pub(crate) fn input_gradient(sizes: &Sizes, gradient: &[f32], weights: &[f32]) -> Vec<f32> {
    match sizes.depthwise {
        true => depthwise::input_gradient(sizes, gradient, weights),
        false => dense::input_gradient(sizes, gradient, weights),
    }
}

/// The gradient of the weights from that of the output.
pub(crate) fn weight_gradient(sizes: &Sizes, input: &[f32], gradient: &[f32]) -> Vec<f32> {
    match sizes.depthwise {
        true => depthwise::weight_gradient(sizes, input, gradient),
        false => dense::weight_gradient(sizes, input, gradient),
    }
}

#[cfg(test)]
mod tests;
