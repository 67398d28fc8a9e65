//! Bands, windows, places, and how files are opened.

use crate::display::fields::titled;
use crate::display::records::{NOTHING, count, number, perhaps};
use crate::display::{Output, Record, Show, show_fields, show_records};
use crate::raster::{
    Band, BandChoice, BandRole, BandStatistics, BandTransform, Composite, DataType, Date,
    GeoReference, GeoTransform, ImageArray, MapWindow, OpenOptions, PixelWindow, Places, Raster,
    RasterType, Resampling, Resolution, SeriesPatch, Size, SpectralIndex, StackExtent, StackGrid,
    WriterOptions, ZoomWindow,
};

impl Record for Band {
    const COLUMNS: &'static [&'static str] = &["name", "role", "type", "nodata", "scale", "offset"];

    fn cells(&self) -> Vec<String> {
        let but = |value: f64, usual: f64| match value == usual {
            true => NOTHING.to_owned(),
            false => number(value),
        };
        vec![
            self.name.clone(),
            self.role
                .map_or_else(|| NOTHING.to_owned(), |role| format!("{role:?}")),
            self.data_type.to_string(),
            perhaps(self.nodata),
            but(self.scale, 1.0),
            but(self.offset, 0.0),
        ]
    }
}

impl Record for BandStatistics {
    const COLUMNS: &'static [&'static str] =
        &["min", "2 %", "mean", "98 %", "max", "std", "pixels"];

    fn cells(&self) -> Vec<String> {
        let numbers = [self.min, self.p2, self.mean, self.p98, self.max, self.std];
        let mut cells = numbers.map(number).to_vec();
        cells.push(count(self.count));
        cells
    }
}

impl Record for PixelWindow {
    const COLUMNS: &'static [&'static str] =
        &["column", "row", "width", "height", "right", "bottom"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.col.to_string(),
            self.row.to_string(),
            self.width.to_string(),
            self.height.to_string(),
            self.right().to_string(),
            self.bottom().to_string(),
        ]
    }
}

impl Record for MapWindow {
    const COLUMNS: &'static [&'static str] = &["window"];

    fn cells(&self) -> Vec<String> {
        vec![self.to_string()]
    }
}

impl Record for ZoomWindow {
    const COLUMNS: &'static [&'static str] = &["pixels", "map"];

    fn cells(&self) -> Vec<String> {
        match self {
            Self::Pixels(window) => vec![window.to_string(), NOTHING.to_owned()],
            Self::Map(window) => vec![NOTHING.to_owned(), window.to_string()],
        }
    }
}

impl Record for SpectralIndex {
    const COLUMNS: &'static [&'static str] = &["name", "title", "expression"];

    fn cells(&self) -> Vec<String> {
        [self.name, self.title, self.expression]
            .map(str::to_owned)
            .to_vec()
    }
}

impl Record for Size {
    const COLUMNS: &'static [&'static str] = &["width", "height"];

    fn cells(&self) -> Vec<String> {
        vec![self.width.to_string(), self.height.to_string()]
    }
}

impl Record for GeoTransform {
    const COLUMNS: &'static [&'static str] = &[
        "origin x",
        "origin y",
        "pixel width",
        "pixel height",
        "x by row",
        "y by column",
    ];

    fn cells(&self) -> Vec<String> {
        let [x, width, x_by_row, y, y_by_column, height] = self.0;
        let skew = |value: f64| match value == 0.0 {
            true => NOTHING.to_owned(),
            false => value.to_string(),
        };
        vec![
            x.to_string(),
            y.to_string(),
            width.to_string(),
            height.to_string(),
            skew(x_by_row),
            skew(y_by_column),
        ]
    }
}

impl Record for Date {
    const COLUMNS: &'static [&'static str] = &["date", "day of the year"];

    fn cells(&self) -> Vec<String> {
        vec![self.to_string(), self.year_day().to_string()]
    }
}

show_records!(
    Band,
    BandStatistics,
    Date,
    PixelWindow,
    MapWindow,
    ZoomWindow,
    Size,
    GeoTransform,
    SpectralIndex
);
show_fields!(
    BandChoice,
    BandRole,
    BandTransform,
    Composite,
    DataType,
    OpenOptions,
    RasterType,
    Resampling,
    Resolution,
    StackExtent,
    StackGrid,
    WriterOptions
);

/// Its shape, and a row for each date.
impl Show for SeriesPatch {
    fn output(&self) -> Output {
        let [dates, bands, height, width] = self.shape();
        let facts = [
            (
                "shape",
                format!("{dates} dates x {bands} bands x {height} x {width} px"),
            ),
            (
                "bands",
                crate::display::fields::shortened(&self.bands.join(", "), 76),
            ),
        ];
        let rows: Vec<Vec<String>> = self
            .dates
            .iter()
            .enumerate()
            .take(20)
            .map(|(at, date)| {
                let valid = self.valid_fraction(at) * 100.0;
                vec![at.to_string(), date.to_string(), format!("{valid:.1} %")]
            })
            .collect();
        let heads = ["", "date", "valid"].map(str::to_owned);
        let table = crate::display::fields::tabled(&heads, &rows);
        let table = crate::display::counted(table, rows.len(), dates);
        let about = titled("SeriesPatch", &facts);
        Output::html(
            format!("{}\n{}", about.text, table.text),
            about.as_html() + &table.as_html(),
        )
    }
}

/// Its shape, and what was said of it.
impl Show for ImageArray {
    fn output(&self) -> Output {
        titled("ImageArray", &self.facts())
    }
}

/// How many files it places, and what was left out of it.
impl Show for Places {
    fn output(&self) -> Output {
        let table = self.table.display().to_string();
        let facts = [("table", table), ("files", count(self.len()))];
        titled("Places", &facts).with_report(self.report())
    }
}

/// Where pixels lie on the map.
impl Show for GeoReference {
    fn output(&self) -> Output {
        let names = GeoTransform::COLUMNS.iter().copied();
        let mut facts: Vec<(&str, String)> = names.zip(self.transform.cells()).collect();
        facts.retain(|(_, value)| value != NOTHING);
        if let Some(size) = self.size {
            facts.push(("size", format!("{size}")));
        }
        let system = match self.crs_wkt.is_empty() {
            true => "none".to_owned(),
            false => crate::display::fields::shortened(&self.crs_wkt, 76),
        };
        facts.push(("system", system));
        if let Some(missing) = &self.missing {
            facts.push(("missing", missing.clone()));
        }
        titled("GeoReference", &facts)
    }
}

/// The file, and a row for each band.
impl Show for Raster {
    fn output(&self) -> Output {
        let size = self.size();
        let paths = self.paths();
        let files = match paths.as_slice() {
            [_] if self.is_in_memory() => ("array", "in memory".to_owned()),
            [one] => ("file", one.display().to_string()),
            several => ("files", crate::report::several_files(several)),
        };
        let mut facts = vec![
            files,
            ("format", self.format().to_owned()),
            (
                "size",
                format!("{} x {} px", count(size.width), count(size.height)),
            ),
            ("system", self.crs_name()),
        ];
        if let Some(pixel) = self.pixel_words() {
            facts.push(("pixel", pixel));
        }
        if self.overview_count() > 0 {
            facts.push(("overviews", self.overview_count().to_string()));
        }
        let name = self
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let file = titled(&format!("Raster {name}"), &facts);
        let bands = self.bands().output();
        let output = Output::html(
            format!("{}\n{}", file.text, bands.text),
            file.as_html() + &bands.as_html(),
        );
        output.with_report(self.report())
    }
}
