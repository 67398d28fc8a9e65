//! Boxes as offsets from other boxes: what the regression outputs of a detector mean.
//!
//! Source: `torchvision.models.detection._utils.BoxCoder`, after Girshick et al. 2014 (R-CNN).

use burn::tensor::Tensor;

/// Corners of a box in pixels: x_min, y_min, x_max, y_max, torchvision's `xyxy`; x to the right, y down.
pub type Corners = [f32; 4];

/// Encodes boxes as offsets from reference boxes, and decodes them.
///
/// The offsets are the shift of the center by the reference's width and height, and the logarithms of the ratios of width
/// and height, each times its weight.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxCoder {
    /// Factors of the offsets in x, y, width and height.
    pub weights: [f32; 4],
    /// The largest decoded logarithm of a ratio; torchvision's is ln(1000 / 16), so that no output overflows.
    pub clip: f32,
}

impl BoxCoder {
    /// With the weights 1, of RetinaNet and the region proposals.
    #[must_use]
    pub fn new() -> Self {
        Self::with_weights([1.0; 4])
    }

    /// With other weights; Faster R-CNN's second stage has `[10, 10, 5, 5]`.
    #[must_use]
    pub fn with_weights(weights: [f32; 4]) -> Self {
        Self {
            weights,
            clip: (1000.0_f64 / 16.0).ln() as f32,
        }
    }

    /// The offsets of `target` from `reference`. Both need a positive width and height.
    #[must_use]
    pub fn encode(&self, target: &Corners, reference: &Corners) -> [f32; 4] {
        let ([x, y], [width, height]) = center(target);
        let ([from_x, from_y], [from_width, from_height]) = center(reference);
        let [wx, wy, ww, wh] = self.weights;
        [
            wx * (x - from_x) / from_width,
            wy * (y - from_y) / from_height,
            ww * (width / from_width).ln(),
            wh * (height / from_height).ln(),
        ]
    }

    /// The box at these offsets from `reference`.
    #[must_use]
    pub fn decode(&self, offsets: &[f32; 4], reference: &Corners) -> Corners {
        let ([from_x, from_y], [from_width, from_height]) = center(reference);
        let [wx, wy, ww, wh] = self.weights;
        let x = offsets[0] / wx * from_width + from_x;
        let y = offsets[1] / wy * from_height + from_y;
        let half_width = 0.5 * ((offsets[2] / ww).min(self.clip).exp() * from_width);
        let half_height = 0.5 * ((offsets[3] / wh).min(self.clip).exp() * from_height);
        [
            x - half_width,
            y - half_height,
            x + half_width,
            y + half_height,
        ]
    }

    /// [`BoxCoder::decode`] on tensors, with gradients to the offsets.
    ///
    /// # Shapes
    ///
    /// - `offsets`, `references`: `[n, 4]`
    /// - output: `[n, 4]`
    #[must_use]
    pub fn decode_tensor(&self, offsets: &Tensor<2>, references: &Tensor<2>) -> Tensor<2> {
        let column = |tensor: &Tensor<2>, index| tensor.clone().narrow(1, index, 1);
        let [x_min, y_min, x_max, y_max] = [0, 1, 2, 3].map(|index| column(references, index));
        let (from_width, from_height) = (x_max - x_min.clone(), y_max - y_min.clone());
        let from_x = x_min + from_width.clone() * 0.5;
        let from_y = y_min + from_height.clone() * 0.5;
        let part = |index: usize| column(offsets, index) / self.weights[index];
        let x = part(0) * from_width.clone() + from_x;
        let y = part(1) * from_height.clone() + from_y;
        let half_width = part(2).clamp_max(self.clip).exp() * from_width * 0.5;
        let half_height = part(3).clamp_max(self.clip).exp() * from_height * 0.5;
        Tensor::cat(
            vec![
                x.clone() - half_width.clone(),
                y.clone() - half_height.clone(),
                x + half_width,
                y + half_height,
            ],
            1,
        )
    }
}

impl Default for BoxCoder {
    fn default() -> Self {
        Self::new()
    }
}

/// Center, and width and height.
fn center(&[x_min, y_min, x_max, y_max]: &Corners) -> ([f32; 2], [f32; 2]) {
    let (width, height) = (x_max - x_min, y_max - y_min);
    ([x_min + 0.5 * width, y_min + 0.5 * height], [width, height])
}

/// The box cut to an image of `[height, width]` pixels.
#[must_use]
pub fn clip_to_image(corners: &Corners, image: [usize; 2]) -> Corners {
    let (height, width) = (image[0] as f32, image[1] as f32);
    let [x_min, y_min, x_max, y_max] = *corners;
    [
        x_min.clamp(0.0, width),
        y_min.clamp(0.0, height),
        x_max.clamp(0.0, width),
        y_max.clamp(0.0, height),
    ]
}
