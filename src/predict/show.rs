//! A map over its imagery.

use super::SceneMap;
use crate::Result;
use crate::display::{Output, Show};
use crate::labels::IGNORE;
use crate::plot::{Entry, Figure, Overlay, Swipe};
use crate::raster::{BandChoice, ZoomWindow};
use crate::scene::{Over, Quicklook, Scene, classes_text};

/// Longest side of the picture in a cell: as a scene's.
const LONGEST: usize = 800;
/// How opaque the classes are to begin with.
const OPACITY: f32 = 0.5;

/// What a picture of a map is drawn from.
struct Look {
    /// The part of the scene that the map covers.
    scene: Scene,
    look: Quicklook,
    labels: Vec<u8>,
}

impl SceneMap {
    /// The map over other bands of its imagery, by name or by place as [`Scene::show_bands`] takes them.
    ///
    /// # Errors
    /// As [`Scene::show_bands`].
    #[doc(alias = "show")]
    #[doc(alias = "plot")]
    #[doc(alias = "imshow")]
    pub fn show_bands<B: Into<BandChoice>>(
        &self,
        bands: impl IntoIterator<Item = B>,
    ) -> Result<Figure> {
        let bands = &self.scene().raster().band_places(bands)?;
        let look = self.look()?;
        let caption = format!(
            "{}; bands shown: {}",
            self.summary(&look.labels),
            look.scene.band_words(bands)
        );
        self.overlay(&look, bands)?.caption(caption).figure()
    }

    fn look(&self) -> Result<Look> {
        let scene = self.scene().crop(self.area())?;
        let look = scene.read_imagery(LONGEST)?;
        let labels = self.labels_scaled(look.patch.size)?;
        Ok(Look {
            scene,
            look,
            labels,
        })
    }

    /// A closer look at a part of the map over its imagery, as [`Scene::zoom`]: place, size of a pixel and the part of
    /// each class in view stand under it.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap) -> swath::Result<()> {
    /// let corner = map.zoom(PixelWindow::new(200, 200, 150, 150))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`Scene::zoom`], for the part of the scene that the map covers.
    #[doc(alias = "crop")]
    #[doc(alias = "window")]
    pub fn zoom(&self, window: impl Into<ZoomWindow>) -> Result<Figure> {
        let part = self.scene().crop(self.area())?.part(window.into())?;
        let look = part.scene.read_imagery(LONGEST)?;
        let labels = self.labels_at(&part.scene.area(), look.patch.size)?;
        let shares = format!("map in view: {}", self.shares(&labels));
        let scene = part.scene.clone();
        let look = Look {
            scene,
            look,
            labels,
        };
        let overlay = self.overlay_at(&look, &look.scene.shown_bands(), true)?;
        part.figure(
            overlay,
            &format!("Prediction of {}", self.scene().name()),
            &shares,
        )
    }

    /// This map and another one of the same scene over each other, with a slider between them: of two models, of two dates, of
    /// two thresholds. `titles` are what they are called.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(one: &Segmenter, two: &Segmenter, scene: &Scene) -> swath::Result<()> {
    /// one.predict(scene)?.swipe(&two.predict(scene)?, ["U-Net", "FPN"])?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`crate::evaluate::EvaluateError::OtherGrid`] and [`crate::evaluate::EvaluateError::NoOverlap`] for a map of other pixels;
    /// [`crate::raster::RasterError::Read`].
    #[doc(alias = "side_by_side")]
    #[doc(alias = "split_map")]
    pub fn swipe<S: Into<String>>(&self, other: &Self, titles: [S; 2]) -> Result<Figure> {
        self.check_same_pixels(other)?;
        let drawn = |map: &Self| -> Result<_> {
            let look = map.look()?;
            let bands = look.scene.shown_bands();
            Ok((
                map.overlay(&look, &bands)?.drawn(),
                map.shares(&look.labels),
            ))
        };
        let ((left, first), (right, second)) = (drawn(self)?, drawn(other)?);
        let [one, two] = titles.map(Into::into);
        Swipe::new(left, right)
            .caption(format!("{one}: {first}; {two}: {second}"))
            .titles(one, two)
            .legend(Entry::of_colored(self.classes()))
            .figure()
    }

    fn overlay(&self, look: &Look, bands: &[usize]) -> Result<Overlay<'static>> {
        self.overlay_at(look, bands, false)
    }

    fn overlay_at(
        &self,
        look: &Look,
        bands: &[usize],
        magnified: bool,
    ) -> Result<Overlay<'static>> {
        let over = Over {
            classes: self.classes(),
            labels: Some(&look.labels),
            boxes: Vec::new(),
            opacity: OPACITY,
            magnified,
        };
        let overlay = look.scene.drawn(&look.look, bands, &over)?;
        Ok(overlay.title(format!("Prediction of {}", self.scene().name())))
    }

    /// The map over its imagery, with the part of each class and the same facts as under its scene.
    fn picture(&self) -> Result<Output> {
        let look = self.look()?;
        let bands = look.scene.shown_bands();
        let mut facts = look.scene.facts(Some(&look.look), &bands);
        facts.push(("map", self.shares(&look.labels)));
        let drawn = self.overlay(&look, &bands)?.output();
        let heading = self.summary(&look.labels);
        Ok(self
            .scene()
            .with_facts(&heading, &facts, &look.scene.imagery_report(), drawn))
    }

    fn summary(&self, labels: &[u8]) -> String {
        let (width, height) = self.size();
        format!(
            "Map of {}, {width} x {height} pixels: {}",
            self.scene().name(),
            self.shares(labels)
        )
    }

    /// The part of each class among the valid pixels of a quicklook, in words.
    fn shares(&self, labels: &[u8]) -> String {
        if labels.iter().all(|&label| label == IGNORE) {
            return "no valid imagery".to_owned();
        }
        classes_text(self.classes(), labels, |_| String::new())
    }
}

/// `SceneMap(vegas, 650 x 650 px, classes: building)`.
impl std::fmt::Debug for SceneMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ((width, height), name) = (self.size(), self.scene().name());
        let classes = self.classes().in_words();
        write!(f, "SceneMap({name}, {width} x {height} px{classes})")
    }
}

impl Show for SceneMap {
    fn output(&self) -> Output {
        self.picture().unwrap_or_else(|error| {
            let (width, height) = self.size();
            let name = self.scene().name();
            let text =
                format!("Map of {name}, {width} x {height} pixels (it cannot be drawn: {error})");
            Output::text(text)
        })
    }
}

crate::show_in_cells!(SceneMap);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::Classes;
    use crate::predict::files::{label_options, working_folder};
    use crate::raster::{
        GeoTransform, PixelWindow, Raster, RasterType, RasterWriter, Size, WriterOptions,
    };

    /// A scene of 200 x 100 pixels of half a meter, of which the map covers the right half: class 1 in its upper half.
    fn map(folder: &std::path::Path) -> Result<SceneMap> {
        let (image, crs) = (folder.join("image.tif"), "EPSG:32645");
        let transform = GeoTransform::north_up(500_000.0, 3_000_000.0, 0.5);
        let size = Size::new(200, 100);
        let options = WriterOptions::default();
        let mut writer =
            RasterWriter::create(&image, size, 3, RasterType::U8, transform, crs, options)?;
        let values: Vec<u8> = (0..size.area()).map(|at| (at % 200) as u8).collect();
        writer.write_window(&PixelWindow::full(size), &values.repeat(3))?;
        writer.finish()?;
        let scene = Scene::open(&image)?;
        let area = PixelWindow::new(100, 0, 100, 100);
        let (classes, working) = (Classes::new(["roof"]), working_folder()?);
        let labels = working.path().join("labels.tif");
        let mut writer = RasterWriter::create(
            &labels,
            area.size(),
            1,
            RasterType::U8,
            transform.offset(100, 0),
            crs,
            label_options(&classes),
        )?;
        let values: Vec<u8> = (0..area.area()).map(|at| u8::from(at < 5000)).collect();
        writer.write_window(&PixelWindow::full(area.size()), &values)?;
        writer.finish()?;
        let labels = Raster::open(labels)?;
        Ok(SceneMap::new(
            working,
            (labels, None),
            classes,
            scene,
            area,
            None,
        ))
    }

    #[test]
    fn a_zoomed_map_says_what_is_in_view() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let map = map(folder.path())?;
        let text = map.zoom(PixelWindow::new(90, 40, 40, 20))?.output().text;
        for part in [
            "Prediction of image",
            "(600 x 400 pixels; classes: roof)",
            "columns 100..130, rows 40..60; x 500050 to 500065, y 2999970 to 2999980 in EPSG:32645",
            "magnified 20 times",
            "map in view: background 50.0 %, roof 50.0 %",
            "reaches beyond the scene",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        let both = map.swipe(&map, ["one", "two"])?.output();
        assert!(
            both.text.contains("one: background 50.0 %, roof 50.0 %"),
            "{}",
            both.text
        );
        let empty = map.zoom(PixelWindow::new(110, 60, 20, 20))?.output().text;
        assert!(empty.contains("roof 0.0 %"), "{empty}");
        assert!(
            map.zoom(PixelWindow::new(0, 0, 50, 50)).is_err(),
            "the map is elsewhere"
        );
        assert_eq!(
            format!("{map:?}"),
            "SceneMap(image, 100 x 100 px, classes: roof)"
        );
        Ok(())
    }

    #[test]
    fn the_background_of_a_saved_map_is_transparent() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let map = map(folder.path())?;
        let saved = folder.path().join("map");
        map.save(&saved)?;
        let dataset = gdal::Dataset::open(saved.join("labels.tif")).unwrap();
        let band = dataset.rasterband(1).unwrap();
        let table = band.color_table().unwrap();
        let alpha = |value| table.entry_as_rgb(value).unwrap().a;
        assert_eq!((alpha(0), alpha(1), alpha(255)), (0, 255, 0));
        let roof = table.entry_as_rgb(1).unwrap();
        let color = map.classes().colors()[1].map(i16::from);
        assert_eq!([roof.r, roof.g, roof.b], color);
        let again = Raster::open(saved.join("labels.tif"))?;
        assert_eq!(again.category_names(), ["background", "roof"]);
        let read = again.read(&again.full())?;
        assert!(
            read.valid.iter().all(|&valid| valid == 1)
                && read.data[0] == 1.0
                && read.data[9999] == 0.0
        );
        Ok(())
    }
}
