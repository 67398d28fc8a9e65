use super::noise;
use super::plan::{Kind, PAVEMENT, Plan, Thing, Use};
use crate::labels::Scanline;
use crate::raster::PixelWindow;

/// Shadows fall to the lower right: the sun stands in the north-west of the picture.
const SHADOW: (f64, f64) = (0.8, 0.6);

/// Draws a window of the town: `[3, height, width]` bytes. A pixel shows a thing exactly where the thing's outline holds
/// the pixel's center.
pub(super) fn paint(plan: &Plan, streets: &[Thing], window: &PixelWindow) -> Vec<u8> {
    let blocks = plan.blocks_near(window);
    let things: Vec<Thing> = streets
        .iter()
        .cloned()
        .chain(
            blocks
                .iter()
                .flat_map(|&(column, row)| plan.things(column, row)),
        )
        .collect();
    let mut scanline = Scanline::default();
    let mut owner = vec![0u32; window.area()];
    for (index, thing) in things.iter().enumerate() {
        scanline.burn(&thing.outline, index as u32 + 1, window, &mut owner);
    }
    let shade = shadows(&things, window, &mut scanline);
    let ground = Ground::new(plan, &blocks, window, &mut scanline);
    let area = window.area();
    let mut pixels = vec![0; 3 * area];
    for pixel in 0..area {
        let col = window.col + (pixel % window.width) as i64;
        let row = window.row + (pixel / window.width) as i64;
        let mut color = match owner[pixel] {
            0 => ground.color(plan.seed, pixel, col, row),
            index => thing_color(&things[index as usize - 1], plan.seed, col, row),
        };
        let on_roof = owner[pixel] != 0
            && matches!(
                things[owner[pixel] as usize - 1].kind,
                Kind::Building | Kind::Tree
            );
        if shade[pixel] != 0 && !on_roof {
            color
                .iter_mut()
                .zip([0.5, 0.54, 0.62])
                .for_each(|(value, share)| *value *= share);
        }
        let grain = noise::hash(plan.seed ^ 0x91, col, row);
        for (band, value) in color.into_iter().enumerate() {
            let grain = ((grain >> (16 * band)) & 0xff) as f32 / 255.0 * 12.0 - 6.0;
            pixels[band * area + pixel] = (value + grain).clamp(1.0, 255.0) as u8;
        }
    }
    pixels
}

/// Every outline moved away from the sun in steps small enough to leave no gap.
fn shadows(things: &[Thing], window: &PixelWindow, scanline: &mut Scanline) -> Vec<u8> {
    let mut shade = vec![0; window.area()];
    for thing in things.iter().filter(|thing| thing.height > 0.0) {
        let steps = (thing.height / 2.5).ceil().max(1.0);
        for step in 1..=steps as usize {
            let length = thing.height * step as f64 / steps;
            let moved =
                geo::Translate::translate(&thing.outline, SHADOW.0 * length, SHADOW.1 * length);
            scanline.burn(&moved, 1, window, &mut shade);
        }
    }
    shade
}

/// What lies under everything: 0 pavement, otherwise the use of the block.
struct Ground {
    map: Vec<u8>,
}

impl Ground {
    fn new(
        plan: &Plan,
        blocks: &[(i64, i64)],
        window: &PixelWindow,
        scanline: &mut Scanline,
    ) -> Self {
        let mut map = vec![0; window.area()];
        for &(column, row) in blocks {
            let [left, top, right, bottom] = plan.lot(column, row);
            if right - left < PAVEMENT || bottom - top < PAVEMENT {
                continue;
            }
            let lot = geo::Rect::new((left, top), (right, bottom)).to_polygon();
            let value = match plan.usage(column, row) {
                Use::Homes => 1,
                Use::Offices => 2,
                Use::Park => 3,
            };
            scanline.burn(&geo::MultiPolygon::new(vec![lot]), value, window, &mut map);
        }
        Self { map }
    }

    fn color(&self, seed: u64, pixel: usize, col: i64, row: i64) -> [f32; 3] {
        let wide = noise::smooth(seed ^ 0x11, col, row, 96);
        let fine = noise::smooth(seed ^ 0x12, col, row, 7);
        let mix = |a: [f32; 3], b: [f32; 3], t: f32| {
            [0, 1, 2].map(|band| a[band] * (1.0 - t) + b[band] * t)
        };
        let color = match self.map[pixel] {
            0 => mix([158.0, 154.0, 148.0], [172.0, 168.0, 160.0], fine),
            2 => mix(
                [118.0, 118.0, 118.0],
                [138.0, 136.0, 132.0],
                0.6 * wide + 0.4 * fine,
            ),
            3 => mix(
                [84.0, 112.0, 60.0],
                [116.0, 134.0, 78.0],
                0.7 * wide + 0.3 * fine,
            ),
            _ => mix(
                [92.0, 108.0, 66.0],
                [150.0, 138.0, 104.0],
                (1.6 * wide - 0.4).clamp(0.0, 1.0) * 0.8 + 0.2 * fine,
            ),
        };
        let shade = 0.92 + 0.16 * fine;
        color.map(|value| value * shade)
    }
}

fn thing_color(thing: &Thing, seed: u64, col: i64, row: i64) -> [f32; 3] {
    let (x, y) = thing.frame.local(col as f64 + 0.5, row as f64 + 0.5);
    let fine = noise::smooth(seed ^ 0x13, col, row, 5);
    let shade = match thing.kind {
        Kind::Road => return road_color(thing, seed, col, row),
        Kind::Building if thing.gabled => {
            // Two slopes along the longer side; the one towards the sun is lighter.
            let across = if thing.frame.half.0 >= thing.frame.half.1 {
                y
            } else {
                x
            };
            let ridge = if across.abs() < 0.06 { 0.12 } else { 0.0 };
            let courses = if row.rem_euclid(3) == 0 { -0.04 } else { 0.0 };
            (if across < 0.0 { 1.12 } else { 0.82 }) + ridge + courses + 0.06 * fine
        }
        Kind::Building => {
            let edge = x.abs().max(y.abs());
            (if edge > 0.93 { 0.84 } else { 1.0 }) + 0.08 * fine
        }
        Kind::Car => {
            // Windscreens before and behind the roof.
            if (0.25..0.5).contains(&x.abs()) {
                0.35
            } else {
                1.05
            }
        }
        Kind::Tree => {
            let light = (-(x * 0.7 + y * 0.7)).clamp(-1.0, 1.0) as f32;
            0.9 + 0.35 * light + 0.4 * (noise::smooth(seed ^ 0x14, col, row, 4) - 0.5)
        }
    };
    thing.color.map(|value| value * shade)
}

fn road_color(thing: &Thing, seed: u64, col: i64, row: i64) -> [f32; 3] {
    let vertical = thing.frame.half.1 > thing.frame.half.0;
    let (x, y) = (col as f64 + 0.5, row as f64 + 0.5);
    let (across, along) = if vertical {
        (x - thing.frame.center.0, row)
    } else {
        (y - thing.frame.center.1, col)
    };
    let wear = noise::smooth(seed ^ 0x15, col, row, 48);
    if across.abs() < 0.9 && along.rem_euclid(26) < 13 {
        return [214.0, 212.0, 204.0];
    }
    let base = 84.0 + 22.0 * wear;
    [base, base, base * 1.02]
}
