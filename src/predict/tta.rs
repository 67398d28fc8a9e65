//! Views of a window for test-time augmentation: the eight ways to lay a rectangle on itself or on its transpose.

use burn::tensor::Tensor;

use crate::boxes::BoundingBox;

/// One way to lay a window anew: transposed first, then mirrored. Pixels only change places, so undoing it is exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TtaView {
    transposed: bool,
    mirrored_columns: bool,
    mirrored_rows: bool,
}

impl TtaView {
    /// The plain view first, then, when asked for, its mirror images and quarter turns: 1, 4 or 8 views. Turns are
    /// compositions of a transpose and mirrorings, so `turns` contains `flips`.
    pub(crate) fn all(flips: bool, turns: bool) -> Vec<Self> {
        let transposes = if turns { 2 } else { 1 };
        let mirrorings = if flips || turns { 4 } else { 1 };
        (0..transposes * mirrorings)
            .map(|index| Self {
                transposed: index & 4 != 0,
                mirrored_columns: index & 1 != 0,
                mirrored_rows: index & 2 != 0,
            })
            .collect()
    }

    /// # Shapes
    /// `[n, channels, height, width]` to the same, or to `[n, channels, width, height]` when it is transposed.
    pub(crate) fn apply(self, images: Tensor<4>) -> Tensor<4> {
        let images = if self.transposed {
            images.swap_dims(2, 3)
        } else {
            images
        };
        self.mirror(images)
    }

    /// The inverse of [`TtaView::apply`].
    pub(crate) fn undo(self, images: Tensor<4>) -> Tensor<4> {
        let images = self.mirror(images);
        if self.transposed {
            images.swap_dims(2, 3)
        } else {
            images
        }
    }

    /// A box that was found in this view of a window of `height` x `width` pixels, in the plain window. Exact: mirroring
    /// subtracts from a whole number, and both fit 64 bits.
    pub(crate) fn undo_box(self, bounds: BoundingBox, [height, width]: [usize; 2]) -> BoundingBox {
        let (across, down) = if self.transposed {
            (height as f64, width as f64)
        } else {
            (width as f64, height as f64)
        };
        let BoundingBox {
            mut x_min,
            mut y_min,
            mut x_max,
            mut y_max,
        } = bounds;
        if self.mirrored_columns {
            (x_min, x_max) = (across - x_max, across - x_min);
        }
        if self.mirrored_rows {
            (y_min, y_max) = (down - y_max, down - y_min);
        }
        if self.transposed {
            (x_min, y_min, x_max, y_max) = (y_min, x_min, y_max, x_max);
        }
        BoundingBox::new(x_min, y_min, x_max, y_max)
    }

    fn mirror(self, images: Tensor<4>) -> Tensor<4> {
        match (self.mirrored_rows, self.mirrored_columns) {
            (false, false) => images,
            (true, false) => images.flip([2]),
            (false, true) => images.flip([3]),
            (true, true) => images.flip([2, 3]),
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::device::Device;

    fn image(height: usize, width: usize) -> Tensor<4> {
        let values: Vec<f32> = (0..2 * height * width).map(|value| value as f32).collect();
        Tensor::from_data(
            TensorData::new(values, [1, 2, height, width]),
            Device::cpu().burn(),
        )
    }

    #[test]
    fn undoing_a_view_gives_the_window_back_bit_for_bit() {
        for view in TtaView::all(true, true) {
            let (before, seen) = (image(3, 5), view.apply(image(3, 5)));
            assert_eq!(
                seen.dims(),
                if view.transposed {
                    [1, 2, 5, 3]
                } else {
                    [1, 2, 3, 5]
                }
            );
            view.undo(seen)
                .into_data()
                .assert_eq(&before.into_data(), true);
        }
    }

    #[test]
    fn a_box_at_an_odd_place_comes_back_exactly_from_every_view() {
        let (height, width) = (48, 80);
        let (left, top, right, bottom) = (7, 11, 30, 16);
        let mut values = vec![0.0f32; height * width];
        for row in top..bottom {
            values[row * width + left..row * width + right].fill(1.0);
        }
        let window = Tensor::<4>::from_data(
            TensorData::new(values, [1, 1, height, width]),
            Device::cpu().burn(),
        );
        for view in TtaView::all(true, true) {
            let seen = view.apply(window.clone());
            let [_, _, _, across] = seen.dims();
            let values: Vec<f32> = seen.into_data().try_to_vec().expect("floats");
            let inside = |side: fn(usize, usize) -> usize| {
                let places = values.iter().enumerate().filter(|(_, value)| **value > 0.5);
                places.map(move |(place, _)| side(place, across))
            };
            let (columns, rows) = (|at, across| at % across, |at, across| at / across);
            let corner = |found: Option<usize>| found.expect("the box is seen") as f64;
            let found = BoundingBox::new(
                corner(inside(columns).min()),
                corner(inside(rows).min()),
                corner(inside(columns).max()) + 1.0,
                corner(inside(rows).max()) + 1.0,
            );
            let expected = [left, top, right, bottom].map(|edge| edge as f64);
            let back = view.undo_box(found, [height, width]);
            assert_eq!([back.x_min, back.y_min, back.x_max, back.y_max], expected);
        }
        // Edges between pixels too, as networks give them.
        let odd = BoundingBox::new(f64::from(0.1f32), f64::from(7.7f32), 30.0 + 1.0 / 3.0, 33.5);
        let twice = TtaView::all(true, false).into_iter().map(|view| {
            let size = [height, width];
            view.undo_box(view.undo_box(odd, size), size)
        });
        for back in twice {
            let (found, expected) = (back.iou(&odd), 1.0);
            assert!((found - expected).abs() < 1e-12, "{back:?}");
        }
    }

    #[test]
    fn views_are_different_and_begin_with_the_plain_one() {
        for (flips, turns, count) in [
            (false, false, 1),
            (true, false, 4),
            (false, true, 8),
            (true, true, 8),
        ] {
            let views = TtaView::all(flips, turns);
            assert_eq!(views.len(), count);
            let seen: Vec<Vec<f32>> = views
                .iter()
                .map(|view| {
                    view.apply(image(4, 4))
                        .into_data()
                        .try_to_vec()
                        .expect("floats")
                })
                .collect();
            let different =
                (0..count).all(|index| seen[..index].iter().all(|other| *other != seen[index]));
            assert!(different);
            assert_eq!(
                seen[0],
                (0..32).map(|value| value as f32).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn a_quarter_turn_is_among_the_turns() {
        // Columns become rows, the last one on top.
        let image = Tensor::<4>::from_data(
            TensorData::new(vec![0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0], [1, 1, 3, 2]),
            Device::cpu().burn(),
        );
        let turned: Vec<Vec<f32>> = (TtaView::all(false, true).into_iter())
            .map(|view| {
                view.apply(image.clone())
                    .into_data()
                    .try_to_vec()
                    .expect("floats")
            })
            .collect();
        assert!(
            turned.contains(&vec![1.0, 3.0, 5.0, 0.0, 2.0, 4.0]),
            "{turned:?}"
        );
    }
}
