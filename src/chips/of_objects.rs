//! Chips of single objects: the squares around them.

use super::ground::within;
use super::options::Edge;
use super::placing::{self, Placed};
use super::{ChipOptions, ChipsError};
use crate::Result;
use crate::boxes::BoundingBox;
use crate::raster::PixelWindow;
use crate::report::{Notice, Report, file_name};
use crate::scene::Scene;

/// How much of an object has to count.
const COUNTED: f64 = 0.5;

/// The square around each object whose middle lies in the area in use, in the order of the labels, and what was left out.
///
/// # Errors
/// [`ChipsError::NoObjectInArea`]; those of windows that show nothing.
pub(super) fn around(scene: &Scene, options: &ChipOptions) -> Result<(Vec<Placed>, Report)> {
    let area = scene.area();
    let (mut placed, mut uncounted) = (Vec::new(), 0);
    for one in scene.all_boxes().iter().filter(|one| !one.crowd) {
        let (x, y) = one.bounds.center();
        if !area.contains_pixel(x.floor() as i64, y.floor() as i64) {
            continue;
        }
        if scene.share_counted(&one.bounds) < COUNTED {
            uncounted += 1;
            continue;
        }
        placed.push(Placed {
            window: square(&one.bounds, &area),
            class: u8::try_from(one.class).ok(),
        });
    }
    let Some(largest) = placed.iter().map(|one| one.window.width).max() else {
        let path = scene.raster().path().to_owned();
        return Err(ChipsError::NoObjectInArea { path, area }.into());
    };
    let (placed, mut report) = placing::showing(scene, options, placed, largest)?;
    report.extend(resized(&placed, options));
    if uncounted > 0 {
        let file = file_name(scene.raster().path());
        let text = format!("{uncounted} objects of which less than half counts give no chip");
        report.push(
            Notice::left_out(text)
                .about(file)
                .count(uncounted)
                .next("show the scene to see the area of interest and where labels are complete"),
        );
    }
    Ok((placed, report))
}

/// Says that objects are seen larger or smaller than the scene shows them, where most are.
fn resized(placed: &[Placed], options: &ChipOptions) -> Option<Notice> {
    let Edge::Pixels(size) = options.edge else {
        return None;
    };
    let mut edges: Vec<usize> = placed.iter().map(|one| one.window.width).collect();
    edges.sort_unstable();
    let (smallest, usual, largest) = (*edges.first()?, edges[edges.len() / 2], *edges.last()?);
    let near = (2 * size).div_ceil(3)..=size + size / 2;
    let count = edges.iter().filter(|edge| !near.contains(edge)).count();
    let text = format!(
        "squares of {smallest} to {largest} px are resized to chips of {size} px: a model sees them larger or smaller than the scene \
         shows them, and cells of a whole scene as they are"
    );
    (2 * count > edges.len()).then(|| {
        Notice::noted(text)
            .count(count)
            .next(format!("`Chips::objects({usual})` changes the fewest"))
    })
}

/// The square around a box, its longer side in whole pixels, moved into the area where it fits.
fn square(bounds: &BoundingBox, area: &PixelWindow) -> PixelWindow {
    let longer = bounds.width().max(bounds.height());
    let edge = (longer.round() as usize).max(1);
    let (x, y) = bounds.center();
    let half = edge as f64 / 2.0;
    let start = |middle: f64, origin: i64, length: usize| {
        let start = (middle - half).round() as i64;
        match edge <= length {
            true => within(start, edge, origin, length, false),
            false => start,
        }
    };
    let col = start(x, area.col, area.width);
    PixelWindow::new(col, start(y, area.row, area.height), edge, edge)
}
