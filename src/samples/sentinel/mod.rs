//! A drawn place as Sentinel-2 sees it, on several dates, with exact truth.

mod land;
mod light;

use std::fmt::Display;
use std::path::{Path, PathBuf};

use geo::{Area, MapCoords};
use rayon::prelude::*;

use self::land::{COVERS, Cover, Land, Parcel};
use self::light::{BANDS, Sky, reflectance};
use crate::labels::Scanline;
use crate::raster::{
    Date, GeoTransform, PixelWindow, Raster, RasterError, RasterType, RasterWriter, Size,
    TimeSeries, WriterOptions,
};
use crate::scene::Scene;
use crate::session::progress::Progress;
use crate::vector::{Format, PolygonFeature, VectorWriter};
use crate::{Result, session};

/// UTM zone 32 north; the corner lies on the grids of 10, 20 and 60 m alike.
const CRS: &str = "EPSG:32632";
const CORNER: (f64, f64) = (600_000.0, 5_400_000.0);
/// Pixels of 10 m along a pixel of 60 m.
const COARSEST: usize = 6;
/// Columns and rows of a whole Sentinel-2 tile at 10 m.
const LARGEST: usize = 10_980;
/// From so many columns and rows on, drawing shows its progress.
const SLOW: usize = 1000;
/// Rows that are drawn at a time, a multiple of [`COARSEST`].
const STRIP: usize = 60;
/// What one stored step is as reflectance, and reflectance stored as 0: since processing baseline 04.00 of January 2022.
const SCALE: (f64, f64) = (0.0001, -0.1);
/// Grows when the same seed draws another place.
const FORMAT: u32 = 1;

/// A drawn place as Sentinel-2 sees it on six dates of a year, and what is there.
///
/// | | |
/// |---|---|
/// | bands | `B01` to `B12` as Level-2A has them, a file each: 4 of 10 m, 6 of 20 m, 2 of 60 m; coarser ones are the means of the 10 m pixels under them |
/// | values | unsigned 16 bits; reflectance is `value x 0.0001 - 0.1`, as the files say, and 0 is no data |
/// | clouds | `SCL` of 20 m: 3 under shadow, 8 and 9 under clouds, 4 to 6 where everything under the pixel is clear |
/// | truth | `landcover.gpkg`, outlines with the property `class`, and `landcover.tif`, the same at 10 m |
/// | classes | `bare`, `built`, `forest`, `maize`, `water`, `wheat`; the rest is meadow |
///
/// Wheat and maize reflect alike and differ by date alone: wheat is greenest in May, maize in August, and on June 24 nobody
/// can tell them apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentinel {
    /// Where the files are.
    pub folder: PathBuf,
    /// The outlines of the land cover: GeoPackage with the property `class`, later ones over earlier ones.
    pub labels_path: PathBuf,
    /// The land cover at 10 m: 0 is meadow, then the classes by the alphabet.
    pub land_cover_path: PathBuf,
    /// When it was taken.
    pub dates: Vec<Date>,
}

impl Sentinel {
    /// The names of the bands.
    pub const BANDS: [&'static str; BANDS.len()] = light::names();

    /// The values of `SCL` that stand for pixels that are not to be used: no data, defective, cloud shadow, clouds, cirrus,
    /// snow.
    pub const NOT_CLEAR: [u8; 7] = [0, 1, 3, 8, 9, 10, 11];

    /// The file of a date's band, or of its `SCL`.
    #[must_use]
    pub fn file(&self, date: impl Display, band: &str) -> PathBuf {
        let day = date.to_string().replace('-', "");
        let pixel = BANDS
            .iter()
            .find(|one| one.name == band)
            .map_or(20, |one| one.meters);
        let name = format!("T32UPU_{day}T102021_{band}_{pixel}m.tif");
        self.folder.join(name)
    }

    /// The files of a date's bands, without the clouds.
    #[must_use]
    pub fn files(&self, date: impl Display) -> Vec<PathBuf> {
        let bands = Self::BANDS.iter();
        bands.map(|band| self.file(&date, band)).collect()
    }

    /// All bands of all dates at 10 m, without clouds and their shadows.
    #[must_use]
    pub fn series(&self) -> TimeSeries {
        let files = self.dates.iter().flat_map(|date| {
            let clouds = self.file(date, "SCL");
            self.files(date).into_iter().chain([clouds])
        });
        TimeSeries::new(files.collect::<Vec<_>>())
            .mask("SCL", Self::NOT_CLEAR)
            .named("sentinel")
    }

    /// Opens [`Sentinel::series`] with the land cover as labels.
    ///
    /// # Errors
    /// As [`Scene::series`] and [`Scene::with_labels`].
    pub fn scene(&self) -> Result<Scene> {
        self.labeled(&Scene::series_with(self.series())?)
    }

    /// A scene of these files with the land cover as labels.
    ///
    /// # Errors
    /// As [`Scene::with_labels`].
    pub fn labeled(&self, scene: &Scene) -> Result<Scene> {
        scene.with_labels(&self.labels_path, "class")
    }
}

/// Draws a place of 510 x 510 pixels of 10 m in the user's cache, or finds it there: see [`Sentinel`]. The same seed gives the
/// same place.
///
/// # Errors
/// [`crate::raster::RasterError::Write`] when the disk is full.
///
/// # Examples
/// ```no_run
/// let scene = swath::samples::sentinel(1)?.scene()?;
/// assert_eq!(scene.dates().len(), 6);
/// assert_eq!(scene.band_count(), 6 * 12);
/// # Ok::<(), swath::Error>(())
/// ```
pub fn sentinel(seed: u64) -> Result<Sentinel> {
    sentinel_of(seed, 510)
}

/// As [`sentinel`], with `size` columns and rows of 10 m: a multiple of 6, to which it is rounded up, and at most 10,980, a whole
/// Sentinel-2 tile.
///
/// # Errors
/// [`crate::raster::RasterError::BadSize`] for another size; those of [`sentinel`].
pub fn sentinel_of(seed: u64, size: usize) -> Result<Sentinel> {
    let place = sentinel_in(crate::cache::shelf("samples")?, seed, size)?;
    let shared = crate::cache::share(&place.folder);
    shared.map_err(|error| crate::FileError::new(&place.folder, error))?;
    Ok(place)
}

/// As [`sentinel_of`], in a folder of its own in a folder.
///
/// # Errors
/// As [`sentinel_of`].
pub fn sentinel_in(folder: impl AsRef<Path>, seed: u64, size: usize) -> Result<Sentinel> {
    if !(1..=LARGEST).contains(&size) {
        let found = Size::new(size, size);
        let path = folder.as_ref().to_owned();
        return Err(RasterError::BadSize { path, found }.into());
    }
    let size = size.next_multiple_of(COARSEST);
    let name = format!("sentinel-{FORMAT}-{seed}-{size}");
    let folder = folder.as_ref().join(name);
    let place = Sentinel {
        labels_path: folder.join("landcover.gpkg"),
        land_cover_path: folder.join("landcover.tif"),
        dates: light::dates(),
        folder,
    };
    // The truth is written last, so that it stands for all.
    if Raster::open(&place.land_cover_path).is_ok() {
        return Ok(place);
    }
    let drawn = place.draw(&Land { seed, size });
    if drawn.is_err() {
        // Files of a place that is not complete are of use to nobody, and may be large. That they cannot be removed is not
        // worth more than why they are not complete.
        let _ = std::fs::remove_dir_all(&place.folder);
    }
    drawn.map(|()| place)
}

impl Sentinel {
    fn draw(&self, land: &Land) -> Result<()> {
        let parcels = land.parcels();
        let rows = land.size * self.dates.len();
        let mut progress = Progress::of("drawing", ("rows", "rows"), rows, land.size < SLOW);
        write_outlines(land, &parcels, &self.labels_path)?;
        for &date in &self.dates {
            draw(land, &parcels, self, date, &mut progress)?;
        }
        write_truth(land, &parcels, &self.land_cover_path)
    }
}

fn grid(meters: usize) -> GeoTransform {
    GeoTransform::north_up(CORNER.0, CORNER.1, meters as f64)
}

fn write_outlines(land: &Land, parcels: &[Parcel], path: &Path) -> Result<()> {
    let mut writer = VectorWriter::polygons(path, Format::GeoPackage, CRS, 0)?;
    let transform = grid(10);
    for parcel in parcels.iter().filter(|parcel| land.shows(parcel)) {
        writer.add_polygon(&PolygonFeature {
            area_m2: parcel.outline.unsigned_area() * 100.0,
            geometry: parcel
                .outline
                .map_coords(|point| transform.world_from_pixel((point.x, point.y)).into()),
            class: parcel.cover.class().to_owned(),
            score: None,
        })?;
    }
    writer.finish()?;
    Ok(())
}

/// What lies under each pixel of a window: 0 meadow, otherwise a parcel's number from 1.
fn owners(parcels: &[Parcel], window: &PixelWindow) -> Vec<u32> {
    let mut scanline = Scanline::default();
    let mut owners = vec![0; window.area()];
    for (index, parcel) in parcels.iter().enumerate() {
        if parcel.touches(window) {
            scanline.burn(&parcel.outline, index as u32 + 1, window, &mut owners);
        }
    }
    owners
}

fn strips(size: usize) -> Vec<PixelWindow> {
    let whole = PixelWindow::full(Size::new(size, size));
    whole.tiles(Size::new(size, STRIP)).collect()
}

fn write_truth(land: &Land, parcels: &[Parcel], path: &Path) -> Result<()> {
    let names: Vec<&str> = std::iter::once("meadow")
        .chain(COVERS.map(Cover::class))
        .collect();
    // Names of values live in a file beside a plain one, which only this kind brings along.
    let options = WriterOptions::default().category_names(&names);
    let size = Size::new(land.size, land.size);
    let mut writer = RasterWriter::create(path, size, 1, RasterType::U8, grid(10), CRS, options)?;
    for strip in strips(land.size) {
        session::check_interrupt("drawing a place")?;
        let values: Vec<u8> = owners(parcels, &strip)
            .into_iter()
            .map(|owner| match owner {
                0 => 0,
                index => parcels[index as usize - 1].cover.code(),
            })
            .collect();
        writer.write_window(&strip, &values)?;
    }
    writer.finish()?;
    Ok(())
}

/// Some rows of a date: stored values of each band at its own resolution, and the classes of the scene.
struct Painted {
    bands: Vec<Vec<u16>>,
    classes: Vec<u8>,
}

/// Draws the files of a date, as many rows at a time as the threads draw together.
fn draw(
    land: &Land,
    parcels: &[Parcel],
    place: &Sentinel,
    date: Date,
    progress: &mut Progress,
) -> Result<()> {
    let writer = |name: &str, meters: usize, raster_type, options| {
        let side = land.size * 10 / meters;
        let path = place.file(date, name);
        let size = Size::new(side, side);
        RasterWriter::create(path, size, 1, raster_type, grid(meters), CRS, options)
    };
    let plain = || WriterOptions::default().plain_tiles().nodata(0.0);
    let mut writers = Vec::with_capacity(BANDS.len());
    for band in BANDS {
        let options = plain().scale(SCALE.0, SCALE.1);
        writers.push(writer(band.name, band.meters, RasterType::U16, options)?);
    }
    let mut classes = writer("SCL", 20, RasterType::U8, plain())?;
    let sky = Sky::new(land.seed, date);
    let rows = |strip: &PixelWindow, meters: usize| strip.row as usize * 10 / meters;
    for group in strips(land.size).chunks(rayon::current_num_threads().max(1)) {
        session::check_interrupt("drawing a place")?;
        let painted: Vec<Painted> = group
            .par_iter()
            .map(|strip| paint(land, parcels, &sky, date, strip))
            .collect();
        for (strip, painted) in group.iter().zip(&painted) {
            for ((band, writer), values) in BANDS.iter().zip(&mut writers).zip(&painted.bands) {
                writer.write_rows(rows(strip, band.meters), values)?;
            }
            classes.write_rows(rows(strip, 20), &painted.classes)?;
            progress.add(strip.height);
        }
    }
    for writer in writers {
        writer.finish()?;
    }
    classes.finish()?;
    Ok(())
}

fn paint(land: &Land, parcels: &[Parcel], sky: &Sky, date: Date, strip: &PixelWindow) -> Painted {
    let owners = owners(parcels, strip);
    let area = strip.area();
    let mut seen = vec![[0.0f32; 12]; area];
    let (mut cloud, mut shade) = (vec![0.0f32; area], vec![0.0f32; area]);
    let mut covers = vec![Cover::Meadow; area];
    for pixel in 0..area {
        let col = strip.col + (pixel % strip.width) as i64;
        let row = strip.row + (pixel / strip.width) as i64;
        let parcel = match owners[pixel] {
            0 => None,
            index => parcels.get(index as usize - 1),
        };
        covers[pixel] = parcel.map_or(Cover::Meadow, |parcel| parcel.cover);
        let ground = reflectance(land.seed, parcel, date, col, row);
        (cloud[pixel], shade[pixel]) = (sky.cloud(col, row), sky.shadow(col, row));
        seen[pixel] = sky.over(&ground, cloud[pixel], shade[pixel], col, row);
    }
    let bands = BANDS.iter().enumerate().map(|(at, band)| {
        let factor = band.meters / 10;
        means(strip.size(), factor, |pixel| seen[pixel][at])
            .into_iter()
            .map(stored)
            .collect()
    });
    let most = |values: &[f32]| most_of(strip.size(), 2, values);
    let (clouds, shades) = (most(&cloud), most(&shade));
    let classes = (0..clouds.len()).map(|at| {
        let col = at % (strip.width / 2) * 2;
        let row = at / (strip.width / 2) * 2;
        match (clouds[at], shades[at]) {
            (cloud, _) if cloud >= 0.5 => 9,
            (cloud, _) if cloud > 0.0 => 8,
            (_, shade) if shade > 0.0 => 3,
            _ => match covers[row * strip.width + col] {
                Cover::Water => 6,
                Cover::Bare | Cover::Built => 5,
                _ => 4,
            },
        }
    });
    Painted {
        bands: bands.collect(),
        classes: classes.collect(),
    }
}

/// Reflectance as it is stored; never 0, which is no data.
fn stored(reflectance: f32) -> u16 {
    let value = (f64::from(reflectance) - SCALE.1) / SCALE.0;
    value.round().clamp(1.0, 65_535.0) as u16
}

/// Means of squares of `factor` pixels.
fn means(size: Size, factor: usize, value: impl Fn(usize) -> f32) -> Vec<f32> {
    let (columns, rows) = (size.width / factor, size.height / factor);
    let mut means = Vec::with_capacity(columns * rows);
    for row in 0..rows {
        for col in 0..columns {
            let mut sum = 0.0f64;
            for inner in 0..factor * factor {
                let (y, x) = (row * factor + inner / factor, col * factor + inner % factor);
                sum += f64::from(value(y * size.width + x));
            }
            means.push((sum / (factor * factor) as f64) as f32);
        }
    }
    means
}

/// The largest of squares of `factor` pixels.
fn most_of(size: Size, factor: usize, values: &[f32]) -> Vec<f32> {
    let (columns, rows) = (size.width / factor, size.height / factor);
    let most = |row: usize, col: usize| {
        let inner = (0..factor * factor).map(|inner| {
            let (y, x) = (row * factor + inner / factor, col * factor + inner % factor);
            values[y * size.width + x]
        });
        inner.fold(0.0f32, f32::max)
    };
    (0..rows * columns)
        .map(|at| most(at / columns, at % columns))
        .collect()
}
