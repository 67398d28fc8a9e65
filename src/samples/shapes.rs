use geo::{LineString, Polygon};

/// A rectangle turned about its center, in pixel coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) center: (f64, f64),
    /// Half the width and half the height before turning.
    pub(super) half: (f64, f64),
    /// The turn in radians.
    pub(super) angle: f64,
}

impl Frame {
    /// A point given from -1 to 1 along both axes of the frame.
    fn point(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (x, y) = (x * self.half.0, y * self.half.1);
        (
            self.center.0 + x * cos - y * sin,
            self.center.1 + x * sin + y * cos,
        )
    }

    fn ring(&self, points: &[(f64, f64)]) -> LineString<f64> {
        let mut ring: LineString<f64> = points.iter().map(|&point| self.point(point)).collect();
        ring.close();
        ring
    }

    pub(super) fn rectangle(&self) -> Polygon<f64> {
        Polygon::new(
            self.ring(&[(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]),
            Vec::new(),
        )
    }

    /// A rectangle without one corner.
    pub(super) fn angled(&self, x: f64, y: f64) -> Polygon<f64> {
        let ring = [
            (-1.0, -1.0),
            (1.0, -1.0),
            (1.0, y),
            (x, y),
            (x, 1.0),
            (-1.0, 1.0),
        ];
        Polygon::new(self.ring(&ring), Vec::new())
    }

    /// Three wings around a yard that is open to one side.
    pub(super) fn horseshoe(&self, x: f64, y: f64) -> Polygon<f64> {
        let ring = [
            (-1.0, -1.0),
            (1.0, -1.0),
            (1.0, 1.0),
            (x, 1.0),
            (x, y),
            (-x, y),
            (-x, 1.0),
            (-1.0, 1.0),
        ];
        Polygon::new(self.ring(&ring), Vec::new())
    }

    /// Four wings around a yard.
    pub(super) fn courtyard(&self, x: f64, y: f64) -> Polygon<f64> {
        let outer = self.ring(&[(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]);
        Polygon::new(
            outer,
            vec![self.ring(&[(-x, -y), (-x, y), (x, y), (x, -y)])],
        )
    }

    /// Where a pixel center lies in the frame, from -1 to 1 along both axes inside it.
    pub(super) fn local(&self, x: f64, y: f64) -> (f64, f64) {
        let (sin, cos) = self.angle.sin_cos();
        let (dx, dy) = (x - self.center.0, y - self.center.1);
        (
            (dx * cos + dy * sin) / self.half.0,
            (dy * cos - dx * sin) / self.half.1,
        )
    }
}

/// A crown: a ring of points around a center whose distance varies by the given shares.
pub(super) fn crown(center: (f64, f64), radius: f64, shares: &[f64]) -> Polygon<f64> {
    let count = shares.len() as f64;
    let mut ring: LineString<f64> = shares
        .iter()
        .enumerate()
        .map(|(index, share)| {
            let (sin, cos) = (index as f64 / count * std::f64::consts::TAU).sin_cos();
            (
                center.0 + radius * share * cos,
                center.1 + radius * share * sin,
            )
        })
        .collect();
    ring.close();
    Polygon::new(ring, Vec::new())
}
