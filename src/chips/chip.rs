use std::borrow::Borrow;
use std::ops::RangeInclusive;
use std::sync::Arc;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::augment::{Augmenter, Photometric, Placement};
use super::options::{self, Edge, Layout};
use super::parts::Parts;
use super::placing::Placed;
use super::sizes;
use super::{ChipOptions, ChipStream, ChipsError};
use crate::Result;
use crate::boxes::Annotation;
#[cfg(doc)]
use crate::labels::IGNORE;
use crate::raster::{BandStatistics, Patch, PixelWindow, Raster, Size};
use crate::report::Report;
use crate::scene::Scene;
use crate::scenes::Scenes;

/// A window of a scene with its labels.
#[derive(Clone, PartialEq)]
pub struct Chip {
    /// Which of the scenes it was cut from ([`Chips::scenes`]), counted from 0.
    pub scene: usize,
    /// Where it was cut, in pixels of the whole raster; of another size than the patch when the chip was resized
    /// ([`ChipOptions::window_sizes`]). It stays so when the chip is moved or put together with others
    /// ([`ChipOptions::augment`]).
    pub window: PixelWindow,
    /// Its pixels.
    pub patch: Patch,
    /// Its labels, `[height, width]`: class indices, [`IGNORE`] where the pixel is invalid; empty for a scene without
    /// labels.
    pub labels: Vec<u8>,
    /// The boxes of its objects, in its own pixels; those that its edge cuts are cut, and left out where too little is
    /// left ([`ChipOptions::min_visible`]), both by the upright boxes; the outlines of rotated ones move along and stay whole.
    /// Empty for a scene without boxes.
    pub boxes: Vec<Annotation>,
    /// The one class of the whole window: that of its object for [`Chips::objects`], otherwise by the rule of its scene
    /// ([`Scene::with_cells`]); `None` for a window that does not count, and for a scene without a rule unless a classifier is
    /// trained.
    pub class: Option<usize>,
}

/// Chips of one size cut from one scene or many, from windows of the same size or of several. Chip `i` is always the same: it
/// depends on the seed and on `i` alone. Cheap to clone.
#[derive(Clone)]
pub struct Chips {
    inner: Arc<Inner>,
    /// Whether imagery outside the area of interest is left out, too.
    blank: bool,
    /// Whether every chip gets a class, whether or not its scene has a rule.
    classed: bool,
}

struct Inner {
    scenes: Scenes,
    options: ChipOptions,
    /// Of a chip.
    edge: usize,
    count: usize,
    /// What each scene gives.
    parts: Parts,
    /// For photometric changes.
    statistics: Vec<BandStatistics>,
    /// What else changes them at random.
    augmenter: Option<Augmenter>,
}

impl Scene {
    /// Chips of this scene, cut as `options` say. Nothing is read yet but what the options need to know.
    ///
    /// A scene that has labels or boxes, but none in the area in use, gives chips that are all background, such as
    /// negatives for a training; [`Chips::report`] says so.
    ///
    /// Every chip shows something: random ones are cut where at least [`ChipOptions::min_valid`] of the imagery is valid
    /// and some pixel counts, that is, lies in the area of interest and, on a scene with labels, is not ignored. Places are
    /// drawn blindly as long as that finds such ones; around a pixel that counts, each as likely as any other, where there
    /// is an area of interest, less than half of the area is labeled, or 64 blind tries fail.
    ///
    /// # Errors
    /// [`ChipsError::LargerThanScene`]; [`ChipsError::NothingLabeled`] when the scene has labels and every pixel of the
    /// area is ignored; [`ChipsError::NoValidPlace`]; [`ChipsError::BadOption`]; [`ChipsError::NoColors`] and
    /// [`ChipsError::NoObjects`] for an [`Augment`](crate::chips::Augment) that the scene does not allow.
    #[doc(alias = "tiles")]
    #[doc(alias = "patches")]
    #[doc(alias = "windows")]
    #[doc(alias = "sample_chips")]
    #[doc(alias = "dataset")]
    #[doc(alias = "dataloader")]
    #[doc(alias = "sliding_window")]
    pub fn chips(&self, options: impl Borrow<ChipOptions>) -> Result<Chips> {
        Chips::new(&Scenes::from(self), options.borrow().clone())
    }
}

impl Scenes {
    /// Chips of all scenes, cut as `options` say: random ones by the area of the scenes, unless
    /// [`ChipOptions::evenly`] or [`ChipOptions::by_labeled_area`] says otherwise; sliding ones over each scene in turn. See
    /// [`Scene::chips`]. Chips in meters have as many pixels in every scene: those of the first one, to which windows of
    /// other pixel sizes are resized.
    ///
    /// A scene in which no pixel counts gives no chip, and [`Chips::report`] says so.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::open("tiles")?.with_labels("labels", "class")?;
    /// let chips = scenes.chips(Chips::random(2000, 256).seed(7))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scene::chips`].
    pub fn chips(&self, options: impl Borrow<ChipOptions>) -> Result<Chips> {
        Chips::new(self, options.borrow().clone())
    }
}

impl Chips {
    fn new(scenes: &Scenes, options: ChipOptions) -> Result<Self> {
        options::check(&options)?;
        let edge = match options.edge {
            Edge::Pixels(edge) => edge,
            Edge::Meters(meters) => sizes::pixels(meters, scenes.first().raster())?,
        };
        let mut parts = Parts::new(scenes, &options, edge)?;
        let statistics = if options.photometric > 0.0 {
            scenes.statistics()?
        } else {
            Vec::new()
        };
        let count = parts.count(&options);
        let (augmenter, notices) = Augmenter::new(scenes, &options, count)?;
        parts.report.extend(notices);
        let inner = Inner {
            scenes: scenes.clone(),
            count,
            options,
            edge,
            parts,
            statistics,
            augmenter,
        };
        Ok(Self {
            inner: Arc::new(inner),
            blank: false,
            classed: false,
        })
    }

    /// The same chips without the imagery outside the area of interest or where labels are complete: for detectors, which have no pixels to ignore and
    /// would learn that an object there is none.
    pub(crate) fn blank_outside(&self) -> Self {
        Self {
            blank: true,
            ..self.clone()
        }
    }

    /// The same chips, each with the class of its window: for classifiers.
    pub(crate) fn with_classes(&self) -> Self {
        Self {
            classed: true,
            ..self.clone()
        }
    }

    /// What a person should know about these chips: that they hold background alone, that windows were left out.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.inner.parts.report
    }

    /// Whether each is cut around an object, whose class it has.
    pub(super) fn are_of_objects(&self) -> bool {
        self.inner.options.layout == Layout::Objects
    }

    /// Whether their places are known before they are read.
    pub(super) fn are_placed(&self) -> bool {
        self.inner.options.is_placed()
    }

    /// Chips.
    #[must_use]
    #[doc(alias = "count")]
    pub fn len(&self) -> usize {
        self.inner.count
    }

    /// Whether there is no chip.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.count == 0
    }

    /// The scenes they are cut from; a single one is a collection of one.
    #[must_use]
    #[doc(alias = "dataset")]
    #[doc(alias = "scene")]
    pub fn scenes(&self) -> &Scenes {
        &self.inner.scenes
    }

    /// How they are cut.
    #[must_use]
    pub fn options(&self) -> &ChipOptions {
        &self.inner.options
    }

    /// The edge of a chip in pixels.
    #[must_use]
    #[doc(alias = "shape")]
    #[doc(alias = "chip_size")]
    pub fn size(&self) -> usize {
        self.inner.edge
    }

    /// Pixels of a chip for each pixel of the first scene to a side, in the middle of the range of
    /// [`ChipOptions::window_sizes`]; 1 without one. `Scene::open_at(path, Resolution::Factor(chips.zoom()))` sees a scene
    /// as the chips show it.
    #[must_use]
    pub fn zoom(&self) -> f64 {
        self.size() as f64 / self.inner.parts.parts[0].edges.middle()
    }

    /// The edges of a chip's pixel on the ground, by what `of` says of a raster: of several scenes those in the middle.
    pub(crate) fn usual_pixel(&self, of: impl Fn(&Raster) -> Option<[f64; 2]>) -> Option<[f64; 2]> {
        let parts = self.inner.parts.parts.iter();
        let pixels = parts.filter_map(|part| {
            let factor = part.edges.middle() / self.size() as f64;
            let edges = of(self.part_scene(part.scene).raster())?;
            Some(edges.map(|edge| edge * factor))
        });
        let mut pixels: Vec<[f64; 2]> = pixels.collect();
        pixels.sort_by(|a, b| (a[0] * a[1]).total_cmp(&(b[0] * b[1])));
        pixels.get(pixels.len() / 2).copied()
    }

    /// The smallest and the largest edge of a window in pixels of the first scene: the chip's own edge unless
    /// [`ChipOptions::window_sizes`] says otherwise.
    #[must_use]
    pub fn window_sizes(&self) -> RangeInclusive<usize> {
        let edges = self.inner.parts.parts[0].edges;
        edges.smallest..=edges.largest
    }

    /// Reads chip `index`.
    ///
    /// # Errors
    /// [`ChipsError::NoSuchChip`]; [`crate::raster::RasterError::Read`].
    #[doc(alias = "get_chip")]
    #[doc(alias = "__getitem__")]
    pub fn get(&self, index: usize) -> Result<Chip> {
        self.get_in_epoch(index, 0)
    }

    /// Reads chip `index` as epoch `epoch` sees it: the same place, flipped, colored and changed
    /// ([`ChipOptions::augment`]) anew in every epoch. Epoch 0 is what [`Chips::get`] returns.
    ///
    /// # Errors
    /// As [`Chips::get`].
    pub fn get_in_epoch(&self, index: usize, epoch: usize) -> Result<Chip> {
        let inner = &*self.inner;
        self.check_index(index)?;
        match &inner.augmenter {
            Some(augmenter) => augmenter.chip(index, epoch, &|index| self.plain(index, epoch)),
            None => self.plain(index, epoch),
        }
    }

    fn check_index(&self, index: usize) -> Result<(), ChipsError> {
        let count = self.inner.count;
        match index < count {
            true => Ok(()),
            false => Err(ChipsError::NoSuchChip { index, count }),
        }
    }

    /// A chip flipped and colored, and not changed further.
    fn plain(&self, index: usize, epoch: usize) -> Result<Chip> {
        let inner = &*self.inner;
        let mut chip = self.placed(index)?;
        let mut random = generator(inner.options.seed, index, 1 + epoch as u64);
        if inner.options.flips {
            let placement = Placement::draw(&mut random);
            placement.apply_to(&mut chip.patch, &mut chip.labels);
            placement.apply_to_boxes(&mut chip.boxes, chip.patch.size);
        }
        if inner.options.photometric > 0.0 {
            Photometric::draw(inner.options.photometric, &inner.statistics, &mut random)
                .apply_to(&mut chip.patch);
        }
        Ok(chip)
    }

    /// A chip as it lies in its scene, without any random change.
    pub(super) fn placed(&self, index: usize) -> Result<Chip> {
        let inner = &*self.inner;
        self.check_index(index)?;
        let (of_scene, Placed { window, class }, mut patch) = match inner.options.layout {
            Layout::Sliding | Layout::Objects => {
                let (part, within) = inner.parts.of(index);
                let placed = part.windows[within];
                let patch = self.part_scene(part.scene).read(&placed.window)?;
                (part.scene, placed, patch)
            }
            Layout::Random { .. } => {
                let (scene, window, patch) =
                    inner.parts.place(&inner.scenes, &inner.options, index)?;
                let class = None;
                (scene, Placed { window, class }, patch)
            }
        };
        let scene = self.part_scene(of_scene);
        if self.blank
            && let Some(mask) = scene.limit_mask(&window)
        {
            patch.mask_with(&mask);
        }
        let size = Size::new(inner.edge, inner.edge);
        if patch.size != size {
            patch = patch.resized(size);
        }
        let labels = if scene.has_labels() {
            scene.labels_for(&window, &patch)?
        } else {
            Vec::new()
        };
        let class = match class {
            None if self.classed || scene.cells().is_some() => {
                scene.cell_label(&scene.cell_rule(), &window, &labels)?
            }
            known => known,
        };
        let class = class.map(usize::from);
        let mut boxes = scene.boxes_in(&window, inner.options.min_visible);
        if window.width != inner.edge {
            sizes::scale_boxes(&mut boxes, window.width, inner.edge);
        }
        Ok(Chip {
            scene: of_scene,
            window,
            patch,
            labels,
            boxes,
            class,
        })
    }

    /// Whether some windows have another size than the chips, so that their values are resampled.
    pub(super) fn are_resized(&self) -> bool {
        let parts = self.inner.parts.parts.iter();
        let mut edges = parts.map(|part| (part.edges.smallest, part.edges.largest));
        edges.any(|edges| edges != (self.inner.edge, self.inner.edge))
    }

    fn part_scene(&self, index: usize) -> &Scene {
        let scenes = &self.inner.scenes;
        scenes.get(index).unwrap_or_else(|| scenes.first())
    }

    /// Streams an epoch: every chip once in an order that seed and epoch decide, in batches of `batch`, read by `workers`
    /// threads ahead of time. A last batch that is not full is left out unless it is the only one.
    #[must_use]
    #[doc(alias = "dataloader")]
    #[doc(alias = "loader")]
    #[doc(alias = "iter")]
    #[doc(alias = "batches")]
    pub fn epoch(&self, epoch: usize, batch: usize, workers: usize) -> ChipStream {
        ChipStream::new(self, epoch, batch, workers)
    }

    /// The order of an epoch.
    pub(super) fn order(&self, epoch: usize) -> Vec<usize> {
        use rand::seq::SliceRandom;
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut generator(
            self.inner.options.seed,
            usize::MAX,
            epoch as u64,
        ));
        order
    }
}

/// A generator that depends on these three numbers alone.
pub(super) fn generator(seed: u64, index: usize, purpose: u64) -> Pcg64Mcg {
    // SplitMix64's finalizer spreads neighboring numbers over all bits.
    let mix = |value: u64| {
        let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    };
    let golden = 0x9E37_79B9_7F4A_7C15_u64;
    let first = mix(seed.wrapping_add(golden));
    let second = mix(first ^ (index as u64).wrapping_mul(golden));
    Pcg64Mcg::seed_from_u64(mix(second ^ purpose.wrapping_mul(golden)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::town_in;
    use crate::vector::{Format, PolygonFeature, write_polygons};

    /// A detector's chips are blank outside an area of interest, and likewise where labels are not complete; those of other
    /// networks are not.
    #[test]
    fn a_detector_sees_no_imagery_where_its_labels_do_not_count() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let scene = town_in(folder.path(), 1, 128)?.scene()?;
        let reference = scene.raster().georeference();
        let corner = |col: f64, row: f64| reference.transform.world_from_pixel((col, row));
        let ring = [(0.0, 0.0), (64.0, 0.0), (64.0, 128.0), (0.0, 128.0)];
        let ring: geo::LineString<f64> = ring.map(|(col, row)| corner(col, row)).to_vec().into();
        let left = PolygonFeature {
            geometry: geo::MultiPolygon::new(vec![geo::Polygon::new(ring, vec![])]),
            class: "left".to_owned(),
            score: None,
            area_m2: 0.0,
        };
        let path = folder.path().join("left.gpkg");
        let path = write_polygons(path, &[left], &reference.crs_wkt, Format::GeoPackage)?;
        for limited in [scene.with_aoi(&path)?, scene.labeled_within(&path)?] {
            let chips = limited.chips(Chips::sliding(128))?;
            assert!(chips.get(0)?.patch.valid.iter().all(|&valid| valid == 1));
            let valid = chips.blank_outside().get(0)?.patch.valid;
            let expected = (0..128 * 128).map(|at| u8::from(at % 128 < 64));
            assert!(valid.into_iter().eq(expected));
            assert!(
                chips
                    .get(0)?
                    .boxes
                    .iter()
                    .all(|one| one.bounds.x_min < 64.0)
            );
        }
        Ok(())
    }
}
