use std::path::{Path, PathBuf};

use geo::{Area, MapCoords};
use rayon::prelude::*;

use super::paint::paint;
use super::plan::{Plan, Thing};
use crate::raster::{
    GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions,
};
use crate::scene::Scene;
use crate::vector::{Format, PolygonFeature, VectorWriter};
use crate::{Result, session};

/// The size of a pixel on the ground in meters.
const PIXEL_M: f64 = 0.3;
/// UTM zone 32 north.
const CRS: &str = "EPSG:32632";
const TILE: usize = 512;
/// Grows when the same seed draws another town.
const FORMAT: u32 = 1;

/// A drawn town: imagery and the exact outlines of what was drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Town {
    /// The imagery: RGB, 8 bits, 0.3 m a pixel, tiled GeoTIFF in UTM zone 32 north.
    pub scene_path: PathBuf,
    /// The outlines: GeoPackage with the property `class` (building, car, road, tree).
    pub labels_path: PathBuf,
}

impl Town {
    /// Opens the town with its labels, classes in alphabetical order.
    ///
    /// # Errors
    /// As [`Scene::open`] and [`Scene::with_labels`].
    pub fn scene(&self) -> Result<Scene> {
        Scene::open(&self.scene_path)?.with_labels(&self.labels_path, "class")
    }
}

/// Draws a town of `size` by `size` pixels in the user's cache, or finds it there: streets, buildings with wings and
/// yards, trees and cars, and their exact outlines. The same seed and size give the same town on any machine. Memory
/// does not grow with the size.
///
/// # Errors
/// [`crate::raster::RasterError::Write`] when the disk is full.
///
/// # Examples
/// ```no_run
/// let scene = swath::samples::town(1, 2048)?.scene()?;
/// assert_eq!(scene.classes().names(), ["background", "building", "car", "road", "tree"]);
/// # Ok::<(), swath::Error>(())
/// ```
pub fn town(seed: u64, size: usize) -> Result<Town> {
    let town = town_in(crate::cache::shelf("samples")?, seed, size)?;
    for path in [&town.labels_path, &town.scene_path] {
        crate::cache::share(path).map_err(|error| crate::FileError::new(path, error))?;
    }
    Ok(town)
}

/// As [`town`], in a folder.
///
/// # Errors
/// As [`town`].
pub fn town_in(folder: impl AsRef<Path>, seed: u64, size: usize) -> Result<Town> {
    let name = |extension: &str| {
        folder
            .as_ref()
            .join(format!("town-{FORMAT}-{seed}-{size}.{extension}"))
    };
    let town = Town {
        scene_path: name("tif"),
        labels_path: name("gpkg"),
    };
    // The imagery is written last, so that it stands for both.
    if town.labels_path.is_file() && Raster::open(&town.scene_path).is_ok() {
        return Ok(town);
    }
    let plan = Plan { seed, size };
    let transform = GeoTransform::north_up(690_000.0, 5_336_000.0, PIXEL_M);
    let streets = plan.streets();
    write_outlines(&plan, &streets, &transform, &town.labels_path)?;
    draw(&plan, &streets, transform, &town.scene_path)?;
    Ok(town)
}

fn write_outlines(
    plan: &Plan,
    streets: &[Thing],
    transform: &GeoTransform,
    path: &Path,
) -> Result<()> {
    let mut writer = VectorWriter::polygons(path, Format::GeoPackage, CRS, 0)?;
    let whole = PixelWindow::full(Size::new(plan.size, plan.size));
    let mut add = |thing: &Thing| {
        let shown = geo::BoundingRect::bounding_rect(&thing.outline).is_some_and(|bounds| {
            bounds.max().x > 0.0
                && bounds.max().y > 0.0
                && bounds.min().x < plan.size as f64
                && bounds.min().y < plan.size as f64
        });
        if !shown {
            return Ok(());
        }
        writer.add_polygon(&PolygonFeature {
            area_m2: thing.outline.unsigned_area() * PIXEL_M * PIXEL_M,
            geometry: thing
                .outline
                .map_coords(|point| transform.world_from_pixel((point.x, point.y)).into()),
            class: thing.kind.class().to_owned(),
            score: None,
        })
    };
    streets.iter().try_for_each(&mut add)?;
    for (column, row) in plan.blocks_near(&whole) {
        session::check_interrupt("drawing a town")?;
        plan.things(column, row).iter().try_for_each(&mut add)?;
    }
    writer.finish()?;
    Ok(())
}

/// Draws by strips of tiles: as much as the threads fill together is held at a time.
fn draw(plan: &Plan, streets: &[Thing], transform: GeoTransform, path: &Path) -> Result<()> {
    let size = Size::new(plan.size, plan.size);
    let options = WriterOptions::default()
        .plain_tiles()
        .uncompressed()
        .overviews()
        .band_names(&["red", "green", "blue"]);
    let mut writer = RasterWriter::create(path, size, 3, RasterType::U8, transform, CRS, options)?;
    let strips = PixelWindow::full(size).tiles(Size::new(plan.size.max(1), TILE));
    for strip in strips {
        session::check_interrupt("drawing a town")?;
        let tiles: Vec<PixelWindow> = strip.tiles(Size::new(TILE, TILE)).collect();
        let painted: Vec<Vec<u8>> = tiles
            .par_iter()
            .map(|tile| paint(plan, streets, tile))
            .collect();
        for (tile, pixels) in tiles.iter().zip(&painted) {
            writer.write_window(tile, pixels)?;
        }
    }
    writer.finish()?;
    Ok(())
}
