//! A part of a scene seen closely.

use super::quicklook::{LONGEST, Quicklook};
use super::{Scene, SceneError};
use crate::Result;
use crate::plot::{Figure, Overlay};
use crate::raster::ZoomWindow;

/// About how long the longer side of a magnified part is, in pixels.
const READABLE: usize = 600;

/// A part of a scene, as far as it lies there.
pub(crate) struct Part {
    /// The scene with that part alone in use.
    pub(crate) scene: Scene,
    /// What was asked for, in words, when not all of it lies on the scene.
    cut: Option<String>,
}

impl Scene {
    /// A closer look at a part of the scene, in pixels of the file or in map coordinates: small parts are magnified by a
    /// whole factor, pixel by pixel, so that the longer side of the picture is about 600 pixels. Labels and boxes are
    /// drawn as on the scene; under the picture stand the place, the size of a pixel and what lies in view. A part that
    /// reaches beyond the area in use is cut there, which the picture says.
    ///
    /// Other bands of the same part: `scene.crop(window)?.show_bands(["nir", "red", "green"])?`.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("vegas.tif")?.with_labels("buildings.geojson", "building")?;
    /// let by_pixels = scene.zoom(PixelWindow::new(200, 200, 150, 150))?;
    /// let by_meters = scene.zoom(MapWindow::around(663_050.0, 4_005_040.0, 60.0, 60.0))?;
    /// by_meters.save("corner.png")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`SceneError::EmptyArea`] when the window lies outside the area in use, with the extent of that in both units;
    /// [`crate::raster::RasterError::NoMapWindow`] for map coordinates on a scene without any;
    /// [`crate::raster::RasterError::Read`].
    pub fn zoom(&self, window: impl Into<ZoomWindow>) -> Result<Figure> {
        let part = self.part(window.into())?;
        let scene = &part.scene;
        let look = scene.read_quicklook(LONGEST)?;
        let counts = scene.in_view(&look);
        let overlay = scene.overlay_at(&look, &scene.shown_bands(), true)?;
        part.figure(overlay, &format!("Part of {}", self.file_stem()), &counts)
    }

    /// The part of the area in use that lies in a window.
    pub(crate) fn part(&self, window: ZoomWindow) -> Result<Part> {
        let asked = window.to_pixels(self.raster())?;
        let Some(area) = self.area().intersect(&asked) else {
            return Err(self.outside(window).into());
        };
        let cut = (area != asked).then(|| words(&window));
        let scene = self.with_area(area);
        Ok(Part { scene, cut })
    }

    /// The error for a window that holds nothing of the area in use.
    pub(super) fn outside(&self, window: ZoomWindow) -> SceneError {
        SceneError::EmptyArea {
            asked: words(&window),
            scene: self.area(),
            ground: self.bounds().map_or_else(String::new, |bounds| {
                format!("; {} in {}", bounds_words(bounds), self.crs())
            }),
        }
    }

    /// The edges of the area in use in map units, `[x_min, y_min, x_max, y_max]` (rasterio's left, bottom, right, top);
    /// `None` without a place on the ground. Of an image that is turned against the map, those of the rectangle around it.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("vegas.tif")?;
    /// if let Some([x_min, y_min, x_max, y_max]) = scene.bounds() {
    ///     println!("{} by {} in units of {}", x_max - x_min, y_max - y_min, scene.crs());
    /// }
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "extent")]
    #[doc(alias = "total_bounds")]
    pub fn bounds(&self) -> Option<[f64; 4]> {
        if !self.raster().is_georeferenced() {
            return None;
        }
        let (area, transform) = (self.area(), self.raster().transform());
        let (left, right) = (area.col as f64, area.right() as f64);
        let (top, bottom) = (area.row as f64, area.bottom() as f64);
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)];
        let none = [
            f64::INFINITY,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NEG_INFINITY,
        ];
        Some(corners.into_iter().fold(none, |all, corner| {
            let (x, y) = transform.world_from_pixel(corner);
            [all[0].min(x), all[1].min(y), all[2].max(x), all[3].max(y)]
        }))
    }

    /// The name of the coordinate reference system, such as `EPSG:32645`; `none` without one. The whole definition is
    /// [`crate::raster::Raster::crs_wkt`].
    #[must_use]
    #[doc(alias = "crs_name")]
    #[doc(alias = "epsg")]
    pub fn crs(&self) -> String {
        self.raster().crs_name()
    }

    /// `building 12.3 % (3 polygons); boxes: car 4`: what lies in the area in use, cut objects included.
    fn in_view(&self, look: &Quicklook) -> String {
        let mut parts = Vec::new();
        if self.has_labels() {
            parts.push(format!("labels in view: {}", self.label_facts(Some(look))));
        }
        if self.inner.boxes.as_ref().is_some_and(|boxes| boxes.given) {
            let boxes = self.boxes_in(&self.area(), 0.0);
            let named = self.classes().counted(boxes.iter().map(|one| one.class));
            let rotated = boxes.iter().filter(|one| one.outline.is_some()).count();
            let rotated = match rotated {
                0 => String::new(),
                rotated => format!(" ({rotated} rotated)"),
            };
            parts.push(format!("boxes in view: {named}{rotated}"));
        }
        parts.join("; ")
    }

    fn file_stem(&self) -> String {
        let stem = self.raster().path().file_stem().unwrap_or_default();
        stem.to_string_lossy().into_owned()
    }

    /// `columns 200..350, rows 200..350; x 500100 to 500175, y 2999825 to 2999900 in EPSG:32645`.
    fn place_words(&self) -> String {
        let ground = self.bounds().map_or_else(String::new, |bounds| {
            format!("; {} in {}", bounds_words(bounds), self.crs())
        });
        format!("{}{ground}", self.area())
    }
}

impl Part {
    /// A picture of the part with its place, the size of a pixel and what lies in view under it.
    pub(crate) fn figure(
        &self,
        overlay: Overlay<'static>,
        title: &str,
        counts: &str,
    ) -> Result<Figure> {
        let scene = &self.scene;
        let (width, height) = scene.size();
        let (longer, shown) = (width.max(height), overlay.longer_side());
        let pixel = match scene.raster().gsd() {
            Some((x, _)) => format!("{} m/px, ", short(x)),
            None => String::new(),
        };
        let scale = match (shown / longer.max(1), longer as f64 / shown.max(1) as f64) {
            (0, less) => format!("{} pixels in one of the picture", short(less)),
            (1, _) => "every pixel shown as one".to_owned(),
            (factor, _) => format!("magnified {factor} times"),
        };
        let mut lines = vec![format!("{}; {pixel}{scale}", scene.place_words())];
        if !counts.is_empty() {
            lines.push(counts.to_owned());
        }
        if let Some(asked) = &self.cut {
            lines.push(format!(
                "the window ({asked}) reaches beyond the scene; what lies on it is shown"
            ));
        }
        let title = format!("{title}, {}", scene.area());
        overlay.title(title).caption(lines.join("\n")).figure()
    }
}

/// By how much a part whose picture is this long is magnified: whole factors, so that every pixel stays a square.
pub(crate) fn magnification(longest: usize) -> usize {
    ((READABLE as f64 / longest.max(1) as f64).round() as usize).max(1)
}

fn words(window: &ZoomWindow) -> String {
    match window {
        ZoomWindow::Pixels(window) => window.to_string(),
        ZoomWindow::Map(window) => window.to_string(),
    }
}

/// `x 500100 to 500175, y 2999825 to 2999900`: to a hundredth of the longer side's percent, without zeros at the end.
fn bounds_words([x_min, y_min, x_max, y_max]: [f64; 4]) -> String {
    let longer = (x_max - x_min).max(y_max - y_min);
    let places = (4.0 - longer.abs().log10().floor()).clamp(0.0, 9.0);
    let places = if places.is_finite() {
        places as usize
    } else {
        6
    };
    let told = |value: f64| {
        let text = format!("{value:.places$}");
        match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
            false => text,
        }
    };
    format!(
        "x {} to {}, y {} to {}",
        told(x_min),
        told(x_max),
        told(y_min),
        told(y_max)
    )
}

/// `0.3`, `1.25`, `10`: three digits that count.
fn short(value: f64) -> String {
    let places = (2.0 - value.abs().log10().floor()).clamp(0.0, 6.0);
    let text = format!(
        "{value:.*}",
        if places.is_finite() {
            places as usize
        } else {
            2
        }
    );
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::super::quicklook::tests::scene;
    use super::*;
    use crate::Hint as _;
    use crate::display::Show as _;
    use crate::raster::{MapWindow, PixelWindow};

    /// The scene is of 2000 x 1000 pixels of half a meter from (500000, 3000000); its building covers columns 200 to 600
    /// and rows 100 to 500.
    #[test]
    fn a_part_is_magnified_and_says_its_place_and_what_is_in_view() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene(folder.path())?;
        let figure = scene.zoom(PixelWindow::new(150, 50, 150, 100))?;
        let text = figure.output().text;
        for part in [
            "(600 x 400 pixels",
            "columns 150..300, rows 50..150",
            "x 500075 to 500150, y 2999925 to 2999975 in EPSG:32645",
            "0.5 m/px, magnified 4 times",
            "building 33.3 % (1 polygon)",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        let by_map = scene.zoom(MapWindow::around(500_112.5, 2_999_950.0, 75.0, 50.0))?;
        assert_eq!(by_map.output().text, text);
        assert!(
            figure
                .html()
                .contains("magnified 4 times<br/>labels in view")
        );
        // An empty corner: the building is elsewhere.
        let empty = scene
            .zoom(PixelWindow::new(1000, 700, 300, 300))?
            .output()
            .text;
        assert!(
            empty.contains("building 0.0 %") && !empty.contains("polygon"),
            "{empty}"
        );
        // Large parts are not magnified.
        let large = scene.zoom(scene.area())?.output().text;
        assert!(
            large.contains("2.5 pixels in one of the picture"),
            "{large}"
        );
        Ok(())
    }

    #[test]
    fn a_part_has_a_scale_bar_and_whole_pixels() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene(folder.path())?;
        let path = folder.path().join("part.png");
        scene
            .zoom(PixelWindow::new(1000, 700, 50, 50))?
            .save(&path)?;
        let picture = crate::raster::Raster::open(&path)?;
        assert_eq!(picture.size().width, 600);
        let patch = picture.read(&picture.full())?;
        let at = |col: usize, row: usize| patch.value(0, row, col).unwrap_or(-1.0);
        // Twelve by twelve pixels of the picture are one of the scene.
        let is_one = |col: usize, row: usize| {
            (0..144)
                .all(|one| at(12 * col + one % 12, 12 * row + one / 12) == at(12 * col, 12 * row))
        };
        assert!((0..40 * 50).all(|one| is_one(one % 50, one / 50)));
        let values: std::collections::BTreeSet<u8> = (0..40 * 50)
            .map(|one| at(one % 50 * 12, one / 50 * 12) as u8)
            .collect();
        assert!(values.len() > 10, "{values:?}");
        // The bar of 5 m, 24 pixels each, lies at the bottom left.
        let bar: Vec<f32> = [8, 127, 129].map(|col| at(col, 600 - 34 + 25)).to_vec();
        assert!(
            bar[0] == 255.0 && bar[1] == 255.0 && bar[2] < 255.0,
            "{bar:?}"
        );
        Ok(())
    }

    #[test]
    fn windows_beyond_the_scene_are_cut_or_refused() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let scene = scene(folder.path())?;
        let cut = scene
            .zoom(PixelWindow::new(-50, -50, 100, 100))?
            .output()
            .text;
        assert!(cut.contains("columns 0..50, rows 0..50;"), "{cut}");
        assert!(
            cut.contains("the window (columns -50..50, rows -50..50) reaches beyond"),
            "{cut}"
        );
        let error = scene
            .zoom(MapWindow::new(0.0, 0.0, 10.0, 10.0))
            .map(|_| ())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the area (x 0 to 10, y 0 to 10) holds no pixel of the scene (columns 0..2000, rows 0..1000; x 500000 to \
             501000, y 2999500 to 3000000 in EPSG:32645)"
        );
        assert!(error.hint().unwrap_or_default().contains("scene.bounds()"));
        assert!(scene.crop(PixelWindow::new(2000, 0, 10, 10)).is_err());
        let part = scene.crop(MapWindow::new(
            500_000.0,
            2_999_950.0,
            500_050.0,
            3_000_000.0,
        ))?;
        assert_eq!(part.area(), PixelWindow::new(0, 0, 100, 100));
        assert_eq!(
            part.bounds(),
            Some([500_000.0, 2_999_950.0, 500_050.0, 3_000_000.0])
        );
        assert_eq!(part.crs(), "EPSG:32645");
        Ok(())
    }

    #[test]
    fn places_are_told_in_as_many_digits_as_their_size_needs() {
        assert_eq!(
            bounds_words([10.0, 45.0, 10.0123456, 45.01]),
            "x 10 to 10.012346, y 45 to 45.01"
        );
        assert_eq!(
            [0.3, 1.25, 10.0, 0.000_5, 1234.4].map(short),
            ["0.3", "1.25", "10", "0.0005", "1234"]
        );
    }
}
