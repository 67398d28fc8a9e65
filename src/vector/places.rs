//! Tables of the places of rasters.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Table, VectorError, VectorSource, read_table};
use crate::Result;
use crate::raster::{GeoTransform, PlaceBy, PlaceRow, Places, RasterError, crs};
use crate::report::{Notice, Report, file_name};

/// What a column with names of files is called, the likeliest first.
const FILE: [&str; 12] = [
    "file",
    "filename",
    "file_name",
    "image",
    "path",
    "location",
    "tile",
    "raster",
    "scene",
    "image_path",
    "img",
    "name",
];
/// What the edges are called: left, bottom, right, top.
const EDGES: [[&str; 6]; 4] = [
    ["xmin", "minx", "x_min", "min_x", "left", "west"],
    ["ymin", "miny", "y_min", "min_y", "bottom", "south"],
    ["xmax", "maxx", "x_max", "max_x", "right", "east"],
    ["ymax", "maxy", "y_max", "max_y", "top", "north"],
];
const BOUNDS: [&str; 3] = ["bounds", "bbox", "extent"];
const GDAL_ORDER: [&str; 2] = ["geotransform", "geo_transform"];
const AFFINE_ORDER: [&str; 3] = ["transform", "affine", "proj:transform"];
const CORNER: [[&str; 7]; 2] = [
    ["ulx", "x", "easting", "origin_x", "left", "xmin", "minx"],
    ["uly", "y", "northing", "origin_y", "top", "ymax", "maxy"],
];
const PIXEL: [&str; 5] = ["pixel_size", "resolution", "gsd", "pixelsize", "res"];
const SYSTEM: [&str; 5] = ["crs", "epsg", "srs", "projection", "proj:epsg"];

/// Where a table has its places.
enum Columns {
    Edges([usize; 4]),
    Bounds(usize),
    GdalOrder(usize),
    AffineOrder(usize),
    Corner([usize; 3]),
}

impl Columns {
    /// `None` where no columns say where files lie.
    fn of(table: &Table) -> Option<Self> {
        let edges = EDGES.each_ref().map(|names| table.column(names));
        if let [Some(left), Some(bottom), Some(right), Some(top)] = edges {
            return Some(Self::Edges([left, bottom, right, top]));
        }
        let one = |names: &[&str], columns: fn(usize) -> Self| table.column(names).map(columns);
        one(&BOUNDS, Self::Bounds)
            .or_else(|| one(&GDAL_ORDER, Self::GdalOrder))
            .or_else(|| one(&AFFINE_ORDER, Self::AffineOrder))
            .or_else(|| {
                let corner = [&CORNER[0][..], &CORNER[1], &PIXEL].map(|names| table.column(names));
                match corner {
                    [Some(x), Some(y), Some(pixel)] => Some(Self::Corner([x, y, pixel])),
                    _ => None,
                }
            })
    }

    fn places(&self) -> &[usize] {
        match self {
            Self::Edges(places) => places,
            Self::Corner(places) => places,
            Self::Bounds(place) | Self::GdalOrder(place) | Self::AffineOrder(place) => {
                std::slice::from_ref(place)
            }
        }
    }
}

impl Places {
    /// Reads a table of places in any format that OGR reads: CSV, Parquet, GeoPackage, a spreadsheet. A system for tables
    /// without a column of them is that of the source: `VectorSource::new("tiles.csv").crs("EPSG:25832")`.
    ///
    /// # Errors
    /// [`VectorError`] when the table cannot be read; [`VectorError::Places`] without the columns that are needed;
    /// [`VectorError::NoPlaces`] when no row has a place; [`RasterError::Crs`] for an unknown coordinate reference system.
    pub fn open(table: impl Into<VectorSource>) -> Result<Self> {
        let source = table.into();
        let read = read_table(&source)?;
        let wrong = |reason: &str| VectorError::Places {
            path: source.path().to_owned(),
            reason: format!("{reason}: the columns are {}", read.columns.join(", ")),
        };
        let file = read
            .column(&FILE)
            .ok_or_else(|| wrong("no column names the files"))?;
        let nowhere = "no columns say where the files lie (xmin, ymin, xmax and ymax; bounds; geotransform; transform; x, y \
                       and pixel_size)";
        Ok(Self::of(&read, &source, file)?.ok_or_else(|| wrong(nowhere))?)
    }

    /// The places of a table that has been read, whose column `file` names the files; `None` where no columns say where these
    /// lie.
    ///
    /// # Errors
    /// [`VectorError::NoPlaces`]; [`RasterError::Crs`].
    pub(crate) fn of(read: &Table, source: &VectorSource, file: usize) -> Result<Option<Self>> {
        let path = source.path().to_owned();
        let Some(columns) = Columns::of(read) else {
            return Ok(None);
        };
        let system = read.column(&SYSTEM);
        let stated = source.crs.as_deref().unwrap_or_default().to_owned();
        let mut systems: HashMap<String, Arc<str>> = HashMap::new();
        let (mut rows, mut left_out) = (Vec::new(), Vec::new());
        let all = read.rows.len();
        for (number, row) in read.rows.iter().enumerate() {
            let text = |at: usize| {
                row.get(at)
                    .and_then(|value| value.as_deref())
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
            };
            let (Some(name), Some(by)) = (text(file), placed(&columns, &text)) else {
                left_out.push(number + 1);
                continue;
            };
            let named = system.and_then(text).unwrap_or(&stated);
            let crs_wkt = match systems.get(named) {
                Some(known) => Arc::clone(known),
                None => {
                    let wkt: Arc<str> = system_of(named)?.into();
                    systems.insert(named.to_owned(), Arc::clone(&wkt));
                    wkt
                }
            };
            rows.push(PlaceRow {
                file: name.replace('\\', "/").into(),
                by,
                crs_wkt,
            });
        }
        if rows.is_empty() {
            let found = read.rows.first().map(|row| {
                let shown = columns.places().iter().filter_map(|&at| {
                    let value = row.get(at)?.as_deref().unwrap_or_default();
                    Some(format!("{} {value:?}", read.columns.get(at)?))
                });
                format!("; row 1 has {}", shown.collect::<Vec<_>>().join(", "))
            });
            return Err(VectorError::NoPlaces {
                path,
                rows: all,
                found: found.unwrap_or_default(),
            }
            .into());
        }
        let mut report = Report::new();
        let about = file_name(&path);
        if !left_out.is_empty() {
            report.push(
                Notice::left_out(format!(
                    "{} of {all} rows have no file or no place that can be read, such as row {}",
                    left_out.len(),
                    left_out[0]
                ))
                .about(about.clone())
                .count(left_out.len()),
            );
        }
        let without = rows.iter().filter(|row| row.crs_wkt.is_empty()).count();
        if without > 0 {
            report.push(
                Notice::noted(format!(
                    "{without} of {} places name no coordinate reference system",
                    rows.len()
                ))
                .about(about)
                .count(without)
                .next("add a column `crs`, or `VectorSource::new(table).crs(\"EPSG:25832\")`"),
            );
        }
        Ok(Some(Self::new(path, rows, report)))
    }
}

/// The system of a table's text as WKT: also a bare number, which is one of EPSG's.
fn system_of(text: &str) -> Result<String, RasterError> {
    if text.is_empty() {
        return Ok(String::new());
    }
    // A spreadsheet's 25832.0.
    let bare = text.strip_suffix(".0").unwrap_or(text);
    let code = match bare.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("EPSG:{bare}"),
        false => text.to_owned(),
    };
    let system = crs::parse(&code)?;
    Ok(system.to_wkt().unwrap_or(code))
}

fn placed<'a>(columns: &Columns, text: &impl Fn(usize) -> Option<&'a str>) -> Option<PlaceBy> {
    let number = |at: usize| {
        text(at)?
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
    };
    let many = |at: usize, count: usize| -> Option<Vec<f64>> {
        let numbers = text(at)?
            .split(|sign: char| sign.is_whitespace() || ",;()[]|".contains(sign))
            .filter(|part| !part.is_empty())
            .map(|part| part.parse::<f64>().ok().filter(|number| number.is_finite()))
            .collect::<Option<Vec<f64>>>()?;
        // A matrix of three rows ends in 0, 0, 1.
        let whole = numbers.len() == 9 && numbers[6..] == [0.0, 0.0, 1.0];
        (numbers.len() == count || count == 6 && whole).then_some(numbers)
    };
    let bounds = |edges: [f64; 4]| {
        (edges[0] < edges[2] && edges[1] < edges[3]).then_some(PlaceBy::Bounds(edges))
    };
    match columns {
        Columns::Edges([left, bottom, right, top]) => bounds([
            number(*left)?,
            number(*bottom)?,
            number(*right)?,
            number(*top)?,
        ]),
        Columns::Bounds(at) => match many(*at, 4)?[..] {
            [left, bottom, right, top] => bounds([left, bottom, right, top]),
            _ => None,
        },
        Columns::GdalOrder(at) => match many(*at, 6)?[..] {
            [a, b, c, d, e, f, ..] => Some(PlaceBy::Transform(GeoTransform([a, b, c, d, e, f]))),
            _ => None,
        },
        Columns::AffineOrder(at) => match many(*at, 6)?[..] {
            [a, b, c, d, e, f, ..] => Some(PlaceBy::Transform(GeoTransform([c, a, b, f, d, e]))),
            _ => None,
        },
        Columns::Corner([x, y, pixel]) => {
            let pixel = number(*pixel).filter(|pixel| *pixel > 0.0)?;
            Some(PlaceBy::Transform(GeoTransform::north_up(
                number(*x)?,
                number(*y)?,
                pixel,
            )))
        }
    }
}
