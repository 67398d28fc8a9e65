use super::Scene;
use super::picture::Over;
use crate::Result;
use crate::labels::IGNORE;
use crate::plot::image::colored;
use crate::plot::{Figure, Overlay, histogram};
use crate::raster::{BandChoice, Patch, PixelWindow, Size};
use crate::session;

/// The longest side of a picture of a scene, in pixels.
pub(super) const LONGEST: usize = 800;
/// The longest side of the sample that a histogram counts.
const SAMPLE: usize = 1024;
/// How opaque labels are over the imagery to begin with.
const OPACITY: f32 = 0.45;
/// How opaque boxes alone are.
const BOX_OPACITY: f32 = 0.9;

/// A small picture of a scene: averaged imagery, and the label under the middle of each of its pixels.
pub(crate) struct Quicklook {
    /// All imagery of the area in use, that outside the area of interest, too.
    pub(crate) patch: Patch,
    /// `[height, width]`; `None` without labels.
    pub(crate) labels: Option<Vec<u8>>,
    /// `[height, width]`, 1 inside the area of interest; `None` where all of it is.
    pub(crate) inside: Option<Vec<u8>>,
}

impl Scene {
    /// A picture of the area in use with its labels over it: one band in gray, or three as red, green and blue, each
    /// stretched from its 2nd to its 98th percentile. Bands are given by name, by what they show, or by place, counted from
    /// 0.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("rgbn.tif")?;
    /// let infrared = scene.show_bands(["nir", "red", "green"])?;
    /// infrared.save("infrared.png")?;
    /// let first = scene.show_bands([0])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::raster::RasterError::NoSuchBand`] for a band that the scene does not have, with those that it has;
    /// [`crate::plot::PlotError::BandCount`] for neither one nor three; [`crate::raster::RasterError::Read`].
    #[doc(alias = "show")]
    #[doc(alias = "plot")]
    #[doc(alias = "imshow")]
    #[doc(alias = "plot_rgb")]
    pub fn show_bands<B: Into<BandChoice>>(
        &self,
        bands: impl IntoIterator<Item = B>,
    ) -> Result<Figure> {
        let bands = self.raster().band_places(bands)?;
        let look = self.read_quicklook(LONGEST)?;
        let caption = format!("{}; bands shown: {}", self.name(), self.band_words(&bands));
        self.overlay(&look, &bands)?.caption(caption).figure()
    }

    /// How often each value occurs in every band, over the valid pixels in use; large scenes are averaged down first.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::Read`] when the file is damaged.
    #[doc(alias = "hist")]
    #[doc(alias = "show_hist")]
    #[doc(alias = "plot_hist")]
    pub fn histogram(&self) -> Result<Figure> {
        let mut look = self.read_imagery(SAMPLE)?;
        if let Some(inside) = &look.inside {
            look.patch.mask_with(inside);
        }
        Ok(histogram(
            &look.patch,
            &self.raster().band_names(),
            &format!("Values of {}", self.name()),
        ))
    }

    /// Reads what [`Scene::overlay`] draws.
    pub(super) fn read_quicklook(&self, longest: usize) -> Result<Quicklook> {
        let mut look = self.read_imagery(longest)?;
        look.labels = self.small_labels(look.patch.size)?;
        let inside = look.inside.as_deref();
        for (index, label) in look.labels.iter_mut().flatten().enumerate() {
            if look.patch.valid[index] == 0 || inside.is_some_and(|inside| inside[index] == 0) {
                *label = IGNORE;
            }
        }
        Ok(look)
    }

    /// The imagery in use, at most `longest` pixels long, without its labels.
    pub(crate) fn read_imagery(&self, longest: usize) -> Result<Quicklook> {
        let size = self.quicklook_size(longest);
        let inside = match self.aoi() {
            Some(aoi) => Some(self.sampled_rows(size, |window| Ok(aoi.mask(window)))?),
            None => None,
        };
        Ok(Quicklook {
            patch: self.raster().read_scaled(&self.area(), size)?,
            labels: None,
            inside,
        })
    }

    /// Draws `bands` with the scene's own labels and boxes over them.
    pub(super) fn overlay(&self, look: &Quicklook, bands: &[usize]) -> Result<Overlay<'static>> {
        self.overlay_at(look, bands, false)
    }

    /// As [`Scene::overlay`], small pictures `magnified` for a closer look.
    pub(super) fn overlay_at(
        &self,
        look: &Quicklook,
        bands: &[usize],
        magnified: bool,
    ) -> Result<Overlay<'static>> {
        let boxes = if self.inner.boxes.as_ref().is_some_and(|boxes| boxes.given) {
            let boxes = self.boxes_in(&self.area(), 0.0);
            colored(&boxes, self.classes(), self.size(), self.size())
                .map(|(shape, color)| (shape, color, String::new()))
                .collect()
        } else {
            Vec::new()
        };
        let over = Over {
            classes: self.classes(),
            labels: look.labels.as_deref(),
            boxes,
            opacity: if self.has_labels() {
                OPACITY
            } else {
                BOX_OPACITY
            },
            magnified,
        };
        self.drawn(look, bands, &over)
    }

    fn small_labels(&self, size: Size) -> Result<Option<Vec<u8>>> {
        match &self.inner.labels {
            None => Ok(None),
            Some(labels) => {
                let read = |window: &PixelWindow| {
                    let all = window.size();
                    let mut row = labels.labels(window, all, !self.inner.labeled_only)?;
                    self.ignore_unlabeled(&mut row, window, all);
                    Ok(row)
                };
                self.sampled_rows(size, read).map(Some)
            }
        }
    }

    /// A small picture from the full one: reads the middle row under each of its rows, so that memory does not grow with
    /// the scene.
    pub(crate) fn sampled_rows(
        &self,
        size: Size,
        read: impl Fn(&PixelWindow) -> Result<Vec<u8>>,
    ) -> Result<Vec<u8>> {
        let area = self.area();
        let middle = |at: usize, small: usize, full: usize| (2 * at + 1) * full / (2 * small);
        let mut sampled = Vec::with_capacity(size.width * size.height);
        for row in 0..size.height {
            session::check_interrupt("drawing the scene")?;
            let row = area.row + middle(row, size.height, area.height) as i64;
            let full = read(&PixelWindow::new(area.col, row, area.width, 1))?;
            sampled.extend((0..size.width).map(|col| full[middle(col, size.width, area.width)]));
        }
        Ok(sampled)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use geo::{MultiPolygon, polygon};

    use super::*;
    use crate::chips::Chips;
    use crate::display::Show as _;
    use crate::raster::{GeoTransform, RasterType, RasterWriter, WriterOptions};
    use crate::scene::Split;
    use crate::vector::{Format, PolygonFeature, write_polygons};

    /// 2000 x 1000 pixels of half a meter: a gradient without data in the last 200 columns, and one building.
    pub(in crate::scene) fn scene(folder: &std::path::Path) -> Result<Scene> {
        let (path, labels) = (folder.join("a & <b>.tif"), folder.join("labels.gpkg"));
        let (size, corner) = (Size::new(2000, 1000), (500_000.0, 3_000_000.0));
        let transform = GeoTransform([corner.0, 0.5, 0.0, corner.1, 0.0, -0.5]);
        let options = WriterOptions::default().nodata(0.0);
        let crs = "EPSG:32645";
        let mut writer =
            RasterWriter::create(&path, size, 3, RasterType::U16, transform, crs, options)?;
        let value = |at: usize| {
            if at % 2000 < 1800 {
                100 + at as u16 % 2000
            } else {
                0
            }
        };
        let plane: Vec<u16> = (0..size.width * size.height).map(value).collect();
        writer.write_window(&PixelWindow::full(size), &plane.repeat(3))?;
        writer.finish()?;
        let geometry = MultiPolygon(vec![polygon![
            (x: corner.0 + 100.0, y: corner.1 - 50.0), (x: corner.0 + 300.0, y: corner.1 - 50.0),
            (x: corner.0 + 300.0, y: corner.1 - 250.0), (x: corner.0 + 100.0, y: corner.1 - 250.0),
        ]]);
        let building = PolygonFeature {
            geometry,
            class: "building".to_owned(),
            score: None,
            area_m2: 4e4,
        };
        write_polygons(&labels, &[building], crs, Format::GeoPackage)?;
        Scene::open(&path)?.with_labels(&labels, "class")
    }

    #[test]
    fn labels_of_a_quicklook_are_those_under_the_middle_of_its_pixels() -> Result<()> {
        let folder = tempfile::tempdir().map_err(|source| {
            crate::plot::PlotError::File(crate::FileError::new("temporary folder", source))
        })?;
        let whole = scene(folder.path())?;
        let (_, right) = whole.split(Split::columns(0.25));
        for part in [whole, right] {
            let look = part.read_quicklook(200)?;
            let labels = look.labels.unwrap_or_default();
            let area = part.area();
            let full = part.label_window(&area)?;
            let size = look.patch.size;
            assert_eq!((labels.len(), size.width), (size.width * size.height, 200));
            let mut differing = 0;
            for row in 0..size.height {
                for col in 0..size.width {
                    let (x, y) = (
                        (2 * col + 1) * area.width / (2 * size.width),
                        (2 * row + 1) * area.height / (2 * size.height),
                    );
                    // Where valid and invalid pixels are averaged, the picture is valid.
                    let one = labels[row * size.width + col];
                    differing += usize::from(one != full[y * area.width + x]);
                }
            }
            assert!(differing <= size.height, "{differing} differ");
            assert!(labels.contains(&1) && labels.contains(&IGNORE));
        }
        Ok(())
    }

    #[test]
    fn scenes_and_chips_print_in_a_line_and_classes_take_colors() -> Result<()> {
        let folder = tempfile::tempdir().unwrap();
        let whole = scene(folder.path())?;
        assert_eq!(
            format!("{whole:?}"),
            "Scene(a & <b>, 2000 x 1000 px, 3 bands, classes: building)"
        );
        let chips = whole.chips(Chips::random(6, 64).seed(3))?;
        let told = "Chips(6 of 64 x 64 px of a & <b>, 3 bands, classes: building)";
        assert_eq!(format!("{chips:?}"), told);
        let red = whole.with_colors([("building", "red")])?;
        assert_eq!(red.classes().colors()[1], [255, 0, 0]);
        let part = red.crop(PixelWindow::new(0, 0, 500, 500))?;
        assert_eq!(part.classes().colors()[1], [255, 0, 0]);
        assert!(whole.with_colors([("tree", "red")]).is_err());
        let model = crate::train::Segmenter::new(crate::models::Unet::resnet18(), red.classes());
        let told = format!("{model:?}");
        assert!(
            told.contains("without weights, classes: building)") && !told.contains('{'),
            "{told}"
        );
        Ok(())
    }

    #[test]
    fn a_scene_shows_its_picture_its_facts_and_escaped_names() -> Result<()> {
        let folder = tempfile::tempdir().map_err(|source| {
            crate::plot::PlotError::File(crate::FileError::new("temporary folder", source))
        })?;
        let scene = scene(folder.path())?;
        let output = scene.output();
        for part in [
            "2000 x 1000 pixels, 1.0 km x 5",
            "90.0 % of the pixels",
            "(1 polygon)",
            "uint16",
        ] {
            let found = output.text.to_lowercase().contains(&part.to_lowercase());
            assert!(found, "{part:?} in {}", output.text);
        }
        let html = output.html.clone().unwrap_or_default();
        assert_eq!(html.matches("type=\"range\"").count(), 1);
        assert!(html.contains("a &amp; &lt;b&gt;.tif") && !html.contains("<b>.tif"));
        assert!(output.webp.is_some() || output.png.is_some());
        assert!(scene.show_bands([2, 1, 0])?.html().contains("<img"));
        let error = scene.show_bands([0, 1, 7]).map(|_| ()).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("there is no band 7, counted from 0")
        );
        let hint = crate::Hint::hint(&error).unwrap_or_default();
        assert!(
            hint.contains("0: \"") && hint.contains("counts from 1 in `%bands`"),
            "{hint}"
        );
        let by_name = scene.show_bands(scene.raster().band_names())?;
        assert!(by_name.html().contains("<img"));
        assert!(scene.show_bands([2, 1, 0]).is_ok() && scene.show_bands(vec![0_usize]).is_ok());
        let two = scene
            .show_bands([0, 1])
            .map(|_| ())
            .unwrap_err()
            .to_string();
        assert!(two.contains("not 2"), "{two}");
        let unknown = scene.show_bands(["thermal"]).map(|_| ()).unwrap_err();
        assert!(unknown.to_string().contains("\"thermal\""));
        assert!(
            scene
                .histogram()?
                .svg()
                .is_some_and(|svg| svg.contains("a &amp; &lt;b&gt;"))
        );
        let chips = scene.chips(Chips::random(6, 64).seed(3))?;
        assert!(
            chips
                .show(4)
                .output()
                .text
                .starts_with("4 of 6 chips of 64 x 64 pixels")
        );
        assert!(chips.output().text.contains("6 chips of 64 x 64 px"));
        Ok(())
    }
}
