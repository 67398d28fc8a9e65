//! Saving cells as GIS files, all of them or none.

use std::path::Path;

use super::{Cell, SceneCells};
use crate::labels::{Drawn, IGNORE, raster_style, vector_style};
use crate::predict::{
    SavedFiles, ScoreType, box_feature, check_folder_name, label_options, publish_set,
    score_options, staging_folder, write_synced,
};
use crate::raster::{PixelWindow, RasterType, RasterWriter, WriterOptions};
use crate::scene::bounds_of;
use crate::session;
use crate::vector::{Format, PolygonFeature, write_polygons};
use crate::{FileError, Result};

/// Every name that saving gives.
const FILES: [&str; 7] = [
    "cells.gpkg",
    "cells.geojson",
    "cells.qml",
    "cell_labels.tif",
    "cell_labels.qml",
    "cell_scores.tif",
    "cell_scores.json",
];

impl SceneCells {
    /// Writes the cells into the folder `dir`, which is made when it is missing:
    ///
    /// - `cells.gpkg` and `cells.geojson` (RFC 7946): a square for each cell with a class, the background's too, cut at the
    ///   edge of the area, with class, score and area;
    /// - `cell_labels.tif`: one pixel for each cell, with the index of its class, colors and names; 255 is nodata;
    /// - `cells.qml` and `cell_labels.qml`: styles with names and colors, which QGIS takes for the files beside them by itself;
    /// - `cell_scores.tif`: the probabilities, a band for each class, from 0 to 254 for 0 to 1;
    /// - `cell_scores.json` when the cells were evaluated at their threshold.
    ///
    /// [`SceneCells::open`] reads them back.
    ///
    /// Without georeferencing the coordinates are pixels, x to the right and y down, and there is no reference system.
    /// Everything is written under other names first: when the disk runs full or the user interrupts, files that were there
    /// before are untouched.
    ///
    /// # Errors
    /// [`crate::FileError::OfOthers`] when a file of one of these names lies in the folder that no cells were saved to,
    /// [`crate::FileError::CellsFile`] for the name of a file, [`crate::FileError::Io`] and the like when the folder cannot be
    /// written, [`crate::Error::Interrupted`] when the user asked to stop.
    #[doc(alias = "to_file")]
    #[doc(alias = "write")]
    #[doc(alias = "export")]
    #[doc(alias = "ChipClassificationGeoJSONStore")]
    pub fn save(&self, dir: impl AsRef<Path>) -> Result<SavedFiles> {
        let dir = &*crate::paths::expanded(dir.as_ref());
        check_folder_name(dir).map_err(|error| match error {
            FileError::FolderName { path } if !crate::host::in_a_shell() => {
                FileError::CellsFile { path }
            }
            other => other,
        })?;
        let staging = staging_folder(dir)?;
        let staged = staging.path();
        let crs = self.scene().raster().crs_wkt();
        let polygons: Vec<_> = self.iter().map(|cell| self.polygon(&cell)).collect();
        for (name, format) in [
            ("cells.gpkg", Format::GeoPackage),
            ("cells.geojson", Format::GeoJson),
        ] {
            session::check_interrupt("saving the cells")?;
            write_polygons(staged.join(name), &polygons, &crs, format)?;
        }
        self.write_raster(
            &staged.join("cell_labels.tif"),
            label_options(self.classes()),
            &self.labels(),
        )?;
        let styles = [
            ("cells.qml", vector_style(self.classes(), Drawn::Areas)),
            ("cell_labels.qml", raster_style(self.classes())),
        ];
        for (name, style) in styles {
            write_synced(&staged.join(name), style.as_bytes())?;
        }
        let count = self.classes().len();
        let mut scores = vec![IGNORE; count * self.grid().len()];
        for index in 0..self.grid().len() {
            for (class, &probability) in self.probabilities(index).into_iter().flatten().enumerate()
            {
                scores[class * self.grid().len() + index] = ScoreType::U8.byte(probability);
            }
        }
        let options = score_options(self.classes(), ScoreType::U8);
        self.write_raster(&staged.join("cell_scores.tif"), options, &scores)?;
        if let Some(scores) = self.scores() {
            let text = format!("{:#}\n", scores.to_json());
            write_synced(&staged.join("cell_scores.json"), text.as_bytes())?;
        }
        publish_set(&FILES, staged, dir)
    }

    /// Writes `[bands, rows, columns]`, a pixel for each cell.
    fn write_raster(&self, path: &Path, options: WriterOptions, values: &[u8]) -> Result<()> {
        let (raster, grid) = (self.scene().raster(), self.grid());
        let (size, side) = (grid.size(), grid.cell() as f64);
        let corner = raster.transform().offset(grid.area().col, grid.area().row);
        let mut writer = RasterWriter::create(
            path,
            size,
            values.len() / size.area().max(1),
            RasterType::U8,
            corner.scaled(side, side),
            &raster.crs_wkt(),
            options,
        )?;
        writer.write_window(&PixelWindow::full(size), values)?;
        writer.finish()?;
        Ok(())
    }

    fn polygon(&self, cell: &Cell) -> PolygonFeature {
        let bounds = bounds_of(&self.within(&cell.window));
        let class = self.class_name(cell.class);
        box_feature(self.scene().raster(), &bounds, class, cell.score)
    }
}
