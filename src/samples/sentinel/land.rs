//! What lies where: fields, woods, villages, a lake and a river.

use geo::{BoundingRect, LineString, MultiPolygon, Polygon};

use crate::raster::PixelWindow;
use crate::samples::noise;
use crate::samples::shapes::{Frame, crown};

/// The distance of the middles of blocks of fields, in pixels of 10 m.
const PITCH: i64 = 56;

/// What the ground is covered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cover {
    Meadow,
    Bare,
    Built,
    Forest,
    Maize,
    Water,
    Wheat,
}

/// The classes, by the alphabet.
pub(super) const COVERS: [Cover; 6] = [
    Cover::Bare,
    Cover::Built,
    Cover::Forest,
    Cover::Maize,
    Cover::Water,
    Cover::Wheat,
];

impl Cover {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Meadow => "meadow",
            Self::Bare => "bare",
            Self::Built => "built",
            Self::Forest => "forest",
            Self::Maize => "maize",
            Self::Water => "water",
            Self::Wheat => "wheat",
        }
    }

    /// Its number in the raster of the truth.
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Meadow => 0,
            Self::Bare => 1,
            Self::Built => 2,
            Self::Forest => 3,
            Self::Maize => 4,
            Self::Water => 5,
            Self::Wheat => 6,
        }
    }
}

/// A piece of land of one cover.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    pub(super) cover: Cover,
    pub(super) outline: MultiPolygon<f64>,
    /// Days that its crop is later than others.
    pub(super) late: f32,
    /// How dense its plants are, from 0 to 1.
    pub(super) vigor: f32,
}

impl Parcel {
    /// Whether some of it may lie in a window.
    pub(super) fn touches(&self, window: &PixelWindow) -> bool {
        self.outline.bounding_rect().is_some_and(|bounds| {
            bounds.max().x > window.col as f64
                && bounds.max().y > window.row as f64
                && bounds.min().x < window.right() as f64
                && bounds.min().y < window.bottom() as f64
        })
    }
}

/// The place by its seed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Land {
    pub(super) seed: u64,
    /// Columns and rows of 10 m.
    pub(super) size: usize,
}

impl Land {
    pub(super) fn shows(&self, parcel: &Parcel) -> bool {
        let size = crate::raster::Size::new(self.size, self.size);
        parcel.touches(&PixelWindow::full(size))
    }

    fn unit(&self, what: u64, x: i64, y: i64) -> f64 {
        f64::from(noise::unit(self.seed ^ what, x, y))
    }

    /// Everything in drawing order: what comes later lies over what came before.
    pub(super) fn parcels(&self) -> Vec<Parcel> {
        let last = self.size as i64 / PITCH + 1;
        let blocks = || (-1..=last).flat_map(|y| (-1..=last).map(move |x| (x, y)));
        let mut parcels: Vec<Parcel> = blocks().flat_map(|(x, y)| self.fields(x, y)).collect();
        parcels.extend(blocks().filter_map(|(x, y)| self.wood(x, y)));
        parcels.extend(blocks().filter_map(|(x, y)| self.village(x, y)));
        parcels.push(self.lake());
        parcels.push(self.river());
        parcels
    }

    fn parcel(&self, cover: Cover, outline: Polygon<f64>, x: i64, y: i64) -> Parcel {
        Parcel {
            cover,
            outline: MultiPolygon::new(vec![outline]),
            late: (self.unit(0x21, x, y) * 16.0 - 8.0) as f32,
            vigor: (0.84 + 0.16 * self.unit(0x22, x, y)) as f32,
        }
    }

    fn middle(&self, x: i64, y: i64) -> (f64, f64) {
        let jitter = |what| self.unit(what, x, y) * 8.0 - 4.0;
        let at = |index: i64| (index * PITCH + PITCH / 2) as f64;
        (at(x) + jitter(0x31), at(y) + jitter(0x32))
    }

    /// A block of two to four fields beside each other, turned a little, with tracks between them.
    fn fields(&self, x: i64, y: i64) -> Vec<Parcel> {
        let count = 2 + (noise::hash(self.seed ^ 0x41, x, y) % 3) as usize;
        let across = self.unit(0x42, x, y) < 0.5;
        let (half, angle) = (
            PITCH as f64 / 2.0 - 4.0,
            (self.unit(0x43, x, y) - 0.5) * 0.5,
        );
        let center = self.middle(x, y);
        let (sin, cos) = angle.sin_cos();
        (0..count)
            .map(|index| {
                let width = half / count as f64;
                let shift = -half + width * (2 * index + 1) as f64;
                let (dx, dy) = if across { (shift, 0.0) } else { (0.0, shift) };
                let inner = width - 0.8;
                let frame = Frame {
                    center: (
                        center.0 + dx * cos - dy * sin,
                        center.1 + dx * sin + dy * cos,
                    ),
                    half: if across { (inner, half) } else { (half, inner) },
                    angle,
                };
                let own = (x * 8 + index as i64, y);
                let cover = match self.unit(0x44, own.0, own.1) {
                    share if share < 0.42 => Cover::Wheat,
                    share if share < 0.84 => Cover::Maize,
                    _ => Cover::Bare,
                };
                self.parcel(cover, frame.rectangle(), own.0, own.1)
            })
            .collect()
    }

    fn round(&self, what: u64, x: i64, y: i64, radius: f64) -> Polygon<f64> {
        let shares: Vec<f64> = (0..28)
            .map(|at| 0.75 + 0.5 * self.unit(what, x * 64 + at, y))
            .collect();
        crown(self.middle(x, y), radius, &shares)
    }

    fn wood(&self, x: i64, y: i64) -> Option<Parcel> {
        let wooded = noise::smooth(self.seed ^ 0x51, x, y, 2) > 0.62;
        let radius = 20.0 + 16.0 * self.unit(0x52, x, y);
        wooded.then(|| self.parcel(Cover::Forest, self.round(0x53, x, y, radius), x, y))
    }

    fn village(&self, x: i64, y: i64) -> Option<Parcel> {
        let built = noise::hash(self.seed ^ 0x61, x, y).is_multiple_of(9);
        let radius = 11.0 + 9.0 * self.unit(0x62, x, y);
        built.then(|| self.parcel(Cover::Built, self.round(0x63, x, y, radius), x, y))
    }

    fn lake(&self) -> Parcel {
        let size = self.size as f64;
        let center = (
            size * (0.2 + 0.6 * self.unit(0x71, 0, 0)),
            size * (0.1 + 0.2 * self.unit(0x71, 1, 0)),
        );
        let shares: Vec<f64> = (0..40)
            .map(|at| 0.85 + 0.3 * self.unit(0x72, at, 0))
            .collect();
        let radius = (size / 16.0).clamp(4.0, 40.0);
        self.parcel(Cover::Water, crown(center, radius, &shares), 0, 0)
    }

    /// From the left edge to the right one, winding.
    fn river(&self) -> Parcel {
        let size = self.size as f64;
        let (phase, level) = (
            self.unit(0x81, 0, 0) * std::f64::consts::TAU,
            size * (0.45 + 0.2 * self.unit(0x81, 1, 0)),
        );
        let middle = |x: f64| {
            let wave = (x / 70.0 + phase).sin() * 14.0 + (x / 23.0 + phase).sin() * 3.0;
            level + wave * (size / 200.0).min(1.0)
        };
        let half = (size / 120.0).clamp(1.5, 4.5);
        let steps: Vec<f64> = (-2..=(self.size as i64 / 4 + 2))
            .map(|step| step as f64 * 4.0)
            .collect();
        let above = steps.iter().map(|&x| (x, middle(x) - half));
        let below = steps.iter().rev().map(|&x| (x, middle(x) + half));
        let mut ring: LineString<f64> = above.chain(below).collect();
        ring.close();
        self.parcel(Cover::Water, Polygon::new(ring, Vec::new()), 0, 1)
    }
}
