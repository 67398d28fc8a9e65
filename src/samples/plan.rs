use geo::{MultiPolygon, Polygon};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::noise;
use super::shapes::{Frame, crown};
use crate::raster::PixelWindow;

/// The mean distance of streets in pixels.
const PITCH: i64 = 290;
/// How far a street may lie from its even place.
const JITTER: i64 = 36;
/// The pavement between a street and a lot.
pub(super) const PAVEMENT: f64 = 7.0;
/// What the largest thing (with its shadow) may reach beyond its block.
pub(super) const REACH: i64 = 40;

/// What a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Road,
    Building,
    Car,
    Tree,
}

impl Kind {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Road => "road",
            Self::Building => "building",
            Self::Car => "car",
            Self::Tree => "tree",
        }
    }
}

/// One thing of the town: its exact outline, and what is needed to paint it.
#[derive(Clone, Debug)]
pub(super) struct Thing {
    pub(super) kind: Kind,
    pub(super) outline: MultiPolygon<f64>,
    pub(super) frame: Frame,
    pub(super) color: [f32; 3],
    /// Pixels of shadow; for buildings and trees.
    pub(super) height: f64,
    /// Whether a roof has two slopes.
    pub(super) gabled: bool,
}

/// What a block is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Homes,
    Offices,
    Park,
}

/// The whole town by its seed: any part of it can be asked for on its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) size: usize,
}

/// A street: its middle and its width.
#[derive(Clone, Copy, Debug)]
pub(super) struct Street {
    pub(super) middle: f64,
    pub(super) width: f64,
}

impl Plan {
    /// Street number `index` along one axis.
    pub(super) fn street(&self, index: i64, vertical: bool) -> Street {
        let seed = self.seed ^ if vertical { 0x57 } else { 0xA3 };
        let shift = noise::unit(seed, index, 0) * (2 * JITTER) as f32 - JITTER as f32;
        let avenue = index.rem_euclid(4) == 0;
        let width = if avenue {
            48.0
        } else {
            24.0 + 8.0 * noise::unit(seed, index, 1)
        };
        Street {
            middle: (index * PITCH) as f64 + 0.4 * PITCH as f64 + f64::from(shift),
            width: f64::from(width),
        }
    }

    /// The numbers of the blocks that may show in a window, along one axis: block `i` lies after street `i`.
    fn blocks(start: i64, end: i64) -> std::ops::RangeInclusive<i64> {
        let first = (start - JITTER - REACH).div_euclid(PITCH) - 2;
        let last = (end + JITTER + REACH).div_euclid(PITCH) + 1;
        first..=last
    }

    /// Every block that touches a window.
    pub(super) fn blocks_near(&self, window: &PixelWindow) -> Vec<(i64, i64)> {
        let rows = Self::blocks(window.row, window.bottom());
        let columns = Self::blocks(window.col, window.right());
        let mut near = Vec::new();
        for row in rows {
            for column in columns.clone() {
                let lot = self.lot(column, row);
                let reach = REACH as f64 + 48.0;
                let apart = lot[0] - reach > window.right() as f64
                    || lot[2] + reach < window.col as f64
                    || lot[1] - reach > window.bottom() as f64
                    || lot[3] + reach < window.row as f64;
                if !apart {
                    near.push((column, row));
                }
            }
        }
        near
    }

    /// The streets that cross the town, as one polygon each.
    pub(super) fn streets(&self) -> Vec<Thing> {
        let size = self.size as f64;
        let mut things = Vec::new();
        for vertical in [true, false] {
            for index in Self::blocks(0, self.size as i64) {
                let street = self.street(index, vertical);
                let (low, high) = (
                    street.middle - street.width / 2.0,
                    street.middle + street.width / 2.0,
                );
                if high <= 0.0 || low >= size {
                    continue;
                }
                let (low, high) = (low.max(0.0), high.min(size));
                let center = ((low + high) / 2.0, size / 2.0);
                let half = ((high - low) / 2.0, size / 2.0);
                let swap = |(x, y): (f64, f64)| if vertical { (x, y) } else { (y, x) };
                let frame = Frame {
                    center: swap(center),
                    half: swap(half),
                    angle: 0.0,
                };
                things.push(Thing {
                    kind: Kind::Road,
                    outline: MultiPolygon::new(vec![frame.rectangle()]),
                    frame,
                    color: [0.0; 3],
                    height: 0.0,
                    gabled: false,
                });
            }
        }
        things
    }

    /// The lot of a block, without its pavements: left, top, right, bottom.
    pub(super) fn lot(&self, column: i64, row: i64) -> [f64; 4] {
        let (left, right) = (self.street(column, true), self.street(column + 1, true));
        let (top, bottom) = (self.street(row, false), self.street(row + 1, false));
        [
            left.middle + left.width / 2.0 + PAVEMENT,
            top.middle + top.width / 2.0 + PAVEMENT,
            right.middle - right.width / 2.0 - PAVEMENT,
            bottom.middle - bottom.width / 2.0 - PAVEMENT,
        ]
    }

    pub(super) fn usage(&self, column: i64, row: i64) -> Use {
        match noise::hash(self.seed ^ 0x77, column, row) % 10 {
            0 => Use::Park,
            1..=3 => Use::Offices,
            _ => Use::Homes,
        }
    }

    /// The things of a block in drawing order: buildings, cars, trees.
    pub(super) fn things(&self, column: i64, row: i64) -> Vec<Thing> {
        let mut random = Pcg64Mcg::seed_from_u64(noise::hash(self.seed, column, row));
        let lot = self.lot(column, row);
        let mut block = Block {
            random: &mut random,
            lot,
            buildings: Vec::new(),
            cars: Vec::new(),
            trees: Vec::new(),
        };
        match self.usage(column, row) {
            Use::Homes => block.homes(),
            Use::Offices => block.offices(),
            Use::Park => block.park(),
        }
        block.street_cars(self.street(column, true), self.street(row, false));
        let Block {
            buildings,
            cars,
            trees,
            ..
        } = block;
        buildings.into_iter().chain(cars).chain(trees).collect()
    }
}

struct Block<'a> {
    random: &'a mut Pcg64Mcg,
    lot: [f64; 4],
    buildings: Vec<Thing>,
    cars: Vec<Thing>,
    trees: Vec<Thing>,
}

const TILE_ROOFS: [[f32; 3]; 5] = [
    [150.0, 92.0, 72.0],
    [128.0, 84.0, 70.0],
    [116.0, 110.0, 106.0],
    [96.0, 88.0, 86.0],
    [164.0, 120.0, 92.0],
];
const FLAT_ROOFS: [[f32; 3]; 4] = [
    [186.0, 184.0, 178.0],
    [158.0, 158.0, 160.0],
    [204.0, 200.0, 190.0],
    [134.0, 136.0, 140.0],
];
const CARS: [[f32; 3]; 6] = [
    [222.0, 222.0, 222.0],
    [40.0, 42.0, 46.0],
    [150.0, 152.0, 156.0],
    [150.0, 36.0, 34.0],
    [44.0, 70.0, 130.0],
    [92.0, 96.0, 92.0],
];

impl Block<'_> {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        if high > low {
            self.random.random_range(low..high)
        } else {
            low
        }
    }

    fn pick(&mut self, colors: &[[f32; 3]]) -> [f32; 3] {
        let mut color = colors[self.random.random_range(0..colors.len())];
        let shade = self.random.random_range(0.88..1.1f32);
        color
            .iter_mut()
            .for_each(|value| *value = (*value * shade).min(250.0));
        color
    }

    fn add_building(
        &mut self,
        outline: Polygon<f64>,
        frame: Frame,
        color: [f32; 3],
        height: f64,
        gabled: bool,
    ) {
        let outline = MultiPolygon::new(vec![outline]);
        self.buildings.push(Thing {
            kind: Kind::Building,
            outline,
            frame,
            color,
            height,
            gabled,
        });
    }

    /// Two rows of gardens with a house each, back to back.
    fn homes(&mut self) {
        let [left, top, right, bottom] = self.lot;
        let turn = self.between(-0.05, 0.05);
        let depth = (bottom - top) / 2.0;
        for upper in [true, false] {
            let mut x = left;
            loop {
                let width = self.between(44.0, 66.0);
                if x + width > right {
                    break;
                }
                let y = if upper { top } else { top + depth };
                self.garden([x, y, x + width, y + depth], upper, turn);
                x += width;
            }
        }
    }

    fn garden(&mut self, [left, top, right, bottom]: [f64; 4], upper: bool, turn: f64) {
        if self.random.random_range(0..12) == 0 {
            self.tree_in([left, top, right, bottom], 8.0, 13.0);
            return;
        }
        let half = (
            self.between(14.0, (right - left) / 2.0 - 5.0),
            self.between(13.0, 22.0),
        );
        let set_back = self.between(8.0, 18.0) + half.1;
        let center = (
            (left + right) / 2.0 + self.between(-2.0, 2.0),
            if upper {
                top + set_back
            } else {
                bottom - set_back
            },
        );
        let frame = Frame {
            center,
            half,
            angle: turn + self.between(-0.03, 0.03),
        };
        let gabled = self.random.random_range(0..5) > 0;
        let color = if gabled {
            self.pick(&TILE_ROOFS)
        } else {
            self.pick(&FLAT_ROOFS)
        };
        let outline = match self.random.random_range(0..4) {
            0 => frame.angled(self.between(-0.2, 0.4), self.between(-0.1, 0.4)),
            1 => frame.angled(self.between(0.2, 0.6), self.between(0.1, 0.5)),
            _ => frame.rectangle(),
        };
        let height = self.between(5.0, 9.0);
        self.add_building(outline, frame, color, height, gabled);
        // A shed or a car at the back, trees between them.
        let back = if upper {
            [left, center.1 + half.1 + 5.0, right, bottom]
        } else {
            [left, top, right, center.1 - half.1 - 5.0]
        };
        if back[3] - back[1] > 34.0 {
            if self.random.random_range(0..4) == 0 {
                let half = (self.between(5.0, 9.0), self.between(4.0, 7.0));
                let center = (
                    self.between(left + 12.0, right - 12.0),
                    (back[1] + back[3]) / 2.0,
                );
                let frame = Frame {
                    center,
                    half,
                    angle: turn,
                };
                let color = self.pick(&FLAT_ROOFS);
                self.add_building(frame.rectangle(), frame, color, 3.0, false);
            } else {
                for _ in 0..self.random.random_range(0..4) {
                    self.tree_in(back, 4.0, 11.0);
                }
            }
        }
    }

    /// A few large buildings, some around yards, with a car park.
    fn offices(&mut self) {
        let [left, top, right, bottom] = self.lot;
        let middle = left + (right - left) * self.between(0.4, 0.6);
        let wide = [[left, top, middle, bottom], [middle, top, right, bottom]];
        let parking = self.random.random_range(0..2);
        for (index, part) in wide.into_iter().enumerate() {
            if index == parking && self.random.random_range(0..3) > 0 {
                self.car_park(part);
                continue;
            }
            let center = ((part[0] + part[2]) / 2.0, (part[1] + part[3]) / 2.0);
            let half = (
                (part[2] - part[0]) / 2.0 * self.between(0.62, 0.82),
                (part[3] - part[1]) / 2.0 * self.between(0.6, 0.84),
            );
            let frame = Frame {
                center,
                half,
                angle: 0.0,
            };
            let outline = match self.random.random_range(0..4) {
                0 => frame.courtyard(self.between(0.3, 0.55), self.between(0.3, 0.6)),
                1 => frame.horseshoe(self.between(0.3, 0.5), self.between(-0.4, 0.2)),
                2 => frame.angled(self.between(-0.3, 0.2), self.between(-0.2, 0.2)),
                _ => frame.rectangle(),
            };
            let (color, height) = (self.pick(&FLAT_ROOFS), self.between(10.0, 24.0));
            self.add_building(outline, frame, color, height, false);
        }
    }

    fn car_park(&mut self, [left, top, right, bottom]: [f64; 4]) {
        let mut y = top + 16.0;
        while y < bottom - 16.0 {
            let mut x = left + 10.0;
            while x < right - 10.0 {
                if self.random.random_range(0..10) < 6 {
                    let turn = std::f64::consts::FRAC_PI_2 + self.between(-0.06, 0.06);
                    self.car((x, y), turn);
                }
                x += 10.0;
            }
            y += 34.0;
        }
    }

    fn park(&mut self) {
        let lot = self.lot;
        for _ in 0..self.random.random_range(25..60) {
            self.tree_in(lot, 5.0, 14.0);
        }
    }

    /// A tree that stays inside an area, unless it would stand on a building or in another tree.
    fn tree_in(&mut self, [left, top, right, bottom]: [f64; 4], low: f64, high: f64) {
        let radius = self.between(low, high);
        if right - left < 2.4 * radius || bottom - top < 2.4 * radius {
            return;
        }
        let reach = radius * 1.2;
        let center = (
            self.between(left + reach, right - reach),
            self.between(top + reach, bottom - reach),
        );
        let distance = |other: &Thing| {
            (other.frame.center.0 - center.0).hypot(other.frame.center.1 - center.1)
        };
        if self
            .trees
            .iter()
            .any(|other| distance(other) < (other.frame.half.0 + radius) * 0.9)
        {
            return;
        }
        if self.buildings.iter().any(|other| {
            distance(other) < other.frame.half.0.hypot(other.frame.half.1) * 0.8 + radius * 0.5
        }) {
            return;
        }
        let shares: Vec<f64> = (0..14).map(|_| self.between(0.84, 1.12)).collect();
        let outline = MultiPolygon::new(vec![crown(center, radius, &shares)]);
        let color = self.pick(&[
            [58.0, 84.0, 44.0],
            [72.0, 98.0, 50.0],
            [50.0, 72.0, 46.0],
            [86.0, 104.0, 54.0],
        ]);
        let frame = Frame {
            center,
            half: (radius, radius),
            angle: 0.0,
        };
        self.trees.push(Thing {
            kind: Kind::Tree,
            outline,
            frame,
            color,
            height: radius * 0.9,
            gabled: false,
        });
    }

    fn car(&mut self, center: (f64, f64), angle: f64) {
        let frame = Frame {
            center,
            half: (self.between(6.6, 8.2), self.between(2.8, 3.3)),
            angle,
        };
        let outline = MultiPolygon::new(vec![frame.rectangle()]);
        let color = self.pick(&CARS);
        self.cars.push(Thing {
            kind: Kind::Car,
            outline,
            frame,
            color,
            height: 2.0,
            gabled: false,
        });
    }

    /// Cars on the street to the left and the one above, beside this block, away from the junctions.
    fn street_cars(&mut self, left: Street, above: Street) {
        let [west, north, east, south] = self.lot;
        for vertical in [true, false] {
            let (street, start, end) = if vertical {
                (left, north, south)
            } else {
                (above, west, east)
            };
            let mut along = start + self.between(0.0, 90.0);
            while along < end {
                let side = if self.random.random_range(0..2) == 0 {
                    -1.0
                } else {
                    1.0
                };
                let across = street.middle + side * street.width * self.between(0.2, 0.34);
                let turn = self.between(-0.03, 0.03);
                if vertical {
                    self.car((across, along), turn + std::f64::consts::FRAC_PI_2);
                } else {
                    self.car((along, across), turn);
                }
                along += self.between(24.0, 160.0);
            }
        }
    }
}
