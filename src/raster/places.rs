//! Where rasters without a place of their own lie: said by a person, or by a table beside them.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::information::Information;
use super::{GeoReference, GeoTransform, crs};
use crate::report::{Notice, Report, file_name};

/// How a table says where a raster lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum PlaceBy {
    /// The outer edges of its pixels: left, bottom, right, top.
    Bounds([f64; 4]),
    Transform(GeoTransform),
}

/// One row of a table of places.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// As the table writes it.
    pub(crate) file: PathBuf,
    pub(crate) by: PlaceBy,
    /// WKT; empty where the table names no system.
    pub(crate) crs_wkt: Arc<str>,
}

/// The places of many rasters, from a table beside them: a row a file, with its name, its bounds or its transform, and its
/// coordinate reference system. [`super::OpenOptions::places`] gives it to whatever is opened, a scene, many scenes or a
/// mosaic; each file finds itself in it by its name.
///
/// | columns | mean |
/// |---|---|
/// | `file` (`filename`, `image`, `path`, `tile`, `name`, …) | the file, with or without folders and ending |
/// | `xmin`, `ymin`, `xmax`, `ymax` (`left`, `bottom`, …; `west`, `south`, …), or `bounds` (`bbox`) with all four | the outer edges of its pixels |
/// | `geotransform` | six numbers in GDAL's order: x, pixel width, 0, y, 0, -pixel height |
/// | `transform` (`affine`) | six numbers in the order of rasterio and STAC: pixel width, 0, x, 0, -pixel height, y |
/// | `x`, `y` (`ulx`, `uly`; `left`, `top`) and `pixel_size` (`resolution`, `gsd`) | the top-left corner, and the edge of a pixel |
/// | `crs` (`epsg`, `srs`) | the coordinate reference system: `EPSG:25832`, `25832`, WKT |
///
/// ```no_run
/// use swath::prelude::*;
/// let places = Places::open("tiles.csv")?;
/// let scenes = Scenes::open_with("tiles", OpenOptions::new().places(&places))?;
/// let whole = Scene::mosaic_with(Mosaic::new("tiles").options(OpenOptions::new().places(&places)))?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Places {
    pub(crate) table: PathBuf,
    /// By the names of the files without folders, with and without ending.
    rows: Arc<HashMap<String, Vec<Row>>>,
    files: usize,
    report: Report,
}

impl Places {
    pub(crate) fn new(table: PathBuf, rows: Vec<Row>, report: Report) -> Self {
        let files = rows.len();
        let mut by_name: HashMap<String, Vec<Row>> = HashMap::new();
        for mut row in rows {
            // `./a.npy` and `../tiles/a.npy` begin at a folder that the table does not name.
            let parts = row.file.components();
            let named =
                parts.skip_while(|part| matches!(part, Component::CurDir | Component::ParentDir));
            row.file = named.collect();
            // With and without what follows the last dot, which need not be an ending.
            let names = [row.file.file_name(), row.file.file_stem()];
            let [whole, stem] =
                names.map(|name| name.unwrap_or_default().to_string_lossy().into_owned());
            if whole != stem {
                by_name.entry(whole).or_default().push(row.clone());
            }
            by_name.entry(stem).or_default().push(row);
        }
        Self {
            table,
            rows: Arc::new(by_name),
            files,
            report,
        }
    }

    /// Files that have a place.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files
    }

    /// Whether no file has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// What was left out of the table or assumed.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The row of a file: by its name and as many folders as the table gives; the table may leave the ending away, or have
    /// another one. Several rows that are meant alike are as good as none.
    fn row_of(&self, path: &Path) -> Option<&Row> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let rows = self.rows.get(&*stem)?;
        let bare = path.with_extension("");
        let ways: [&dyn Fn(&Row) -> bool; 3] = [
            &|row| path.ends_with(&row.file),
            &|row| bare.ends_with(&row.file),
            &|row| bare.ends_with(row.file.with_extension("")),
        ];
        for way in ways {
            let mut found = rows.iter().filter(|row| way(row));
            match (found.next(), found.next()) {
                (None, _) => {}
                (Some(one), None) => return Some(one),
                (Some(_), Some(_)) => return None,
            }
        }
        None
    }
}

/// `Places(tiles.csv, 240 files)`.
impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Places({}, {} files)",
            file_name(&self.table),
            self.len()
        )
    }
}

impl From<&Self> for Places {
    fn from(places: &Self) -> Self {
        places.clone()
    }
}

/// What a person says of where rasters lie.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StatedPlace {
    pub(super) one: Option<GeoReference>,
    pub(super) places: Option<Places>,
    /// The table is the one that names the rasters.
    pub(super) of_own_table: bool,
}

impl StatedPlace {
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Gives a raster the place that is stated for it; a table gives one only to a file that has none.
    pub(super) fn apply(
        &self,
        information: &mut Information,
        path: &Path,
    ) -> Result<(), super::RasterError> {
        let (mut said, mut place) = (Vec::new(), None);
        if let Some(one) = &self.one {
            let taken = information.georeferenced.then(|| {
                Notice::left_out(
                    "the place that the file gives was left aside for the one that was stated",
                )
            });
            let system = match one.has_system() {
                true => crs::parse(&one.crs_wkt)?
                    .to_wkt()
                    .unwrap_or_else(|_| one.crs_wkt.clone()),
                false => String::new(),
            };
            place = Some((one.transform, system, taken));
        } else if let Some(places) = &self.places {
            let table = file_name(&places.table);
            match places.row_of(path) {
                _ if self.of_own_table && information.georeferenced => {}
                None => said.push(
                    Notice::noted(format!("{table} gives it no place of its own"))
                        .next("the table's first column of files has names as the files have them, each once"),
                ),
                Some(_) if information.georeferenced => said.push(
                    Notice::noted(format!("the place that the file gives was kept, that of {table} left aside"))
                        .next("`OpenOptions::new().place(georeference)` states another for one file"),
                ),
                Some(row) => {
                    let (width, height) = (information.size.width as f64, information.size.height as f64);
                    let transform = match row.by {
                        PlaceBy::Transform(transform) => transform,
                        PlaceBy::Bounds([left, bottom, right, top]) => GeoTransform([
                            left,
                            (right - left) / width,
                            0.0,
                            top,
                            0.0,
                            (bottom - top) / height,
                        ]),
                    };
                    let taken = Notice::assumed(format!("its place is that of {table}"));
                    place = Some((transform, row.crs_wkt.to_string(), Some(taken)));
                }
            }
        }
        if let Some((transform, system, taken)) = place {
            match transform.is_invertible() && transform.0.iter().all(|number| number.is_finite()) {
                true => {
                    information.transform = transform;
                    information.georeferenced = transform != GeoTransform::PIXELS;
                    information.crs_wkt = system;
                    information.missing_place = None;
                    information.stated = true;
                    said.extend(taken);
                }
                false => said.push(Notice::left_out(format!(
                    "the stated transform {:?} gives pixels no area, so {}",
                    transform.0,
                    match information.georeferenced {
                        true => "the place that the file gives was kept",
                        false => "the image has no place on the ground",
                    }
                ))),
            }
        }
        let about = file_name(path);
        information
            .report
            .extend(said.into_iter().map(|notice| notice.about(about.clone())));
        Ok(())
    }
}
