use std::ops::RangeInclusive;
use std::sync::Arc;

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;

use super::augment::{Photometric, Placement};
use super::objects::Objects;
use super::options::{self, Edge, Layout};
use super::sizes::{self, Edges};
use super::{ChipOptions, ChipStream, ChipsError, place};
use crate::boxes::Annotation;
use crate::labels::IGNORE;
use crate::raster::{BandStatistics, Patch, PixelWindow, Size};
use crate::scene::Scene;
use crate::{Result, session};

/// Places that are tried for one random chip before giving up on finding enough valid pixels.
const TRIES: usize = 64;

/// What the generator of window sizes is for: 0 is for places, and what follows it for the epochs' flips and colours.
const SIZES: u64 = u64::MAX;

/// A window of a scene with its labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Chip {
    /// Where it was cut, in pixels of the whole raster; of another size than the patch when the chip was resized
    /// ([`ChipOptions::window_sizes`]).
    pub window: PixelWindow,
    /// Its pixels.
    pub patch: Patch,
    /// Its labels, `[height, width]`: class indices, [`IGNORE`] where the pixel is invalid; empty for a scene without
    /// labels.
    pub labels: Vec<u8>,
    /// The boxes of its objects, in its own pixels; those that its edge cuts are cut, and left out where too little is
    /// left ([`ChipOptions::min_visible`]). Empty for a scene without boxes.
    pub boxes: Vec<Annotation>,
}

/// Chips of one size cut from a scene, from windows of the same size or of several. Chip `i` is always the same: it depends on the seed and on `i` alone. Cheap to
/// clone.
#[derive(Clone, Debug)]
pub struct Chips {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    scene: Scene,
    options: ChipOptions,
    /// Of a chip.
    edge: usize,
    /// Of windows.
    edges: Edges,
    /// Of sliding chips; random ones are drawn when they are read.
    windows: Vec<PixelWindow>,
    count: usize,
    /// Where random chips look for boxes, when they do.
    objects: Option<Objects>,
    /// For photometric changes.
    statistics: Vec<BandStatistics>,
}

impl Scene {
    /// Chips of this scene, cut as `options` say. Nothing is read yet but what the options need to know.
    ///
    /// # Errors
    /// [`ChipsError::LargerThanScene`]; [`ChipsError::NothingLabelled`] when the scene has labels and none lies in the
    /// area in use, [`ChipsError::NoBoxes`] when it has boxes instead and none does; [`ChipsError::BadOption`].
    pub fn chips(&self, options: ChipOptions) -> Result<Chips> {
        Chips::new(self, options)
    }
}

impl Chips {
    fn new(scene: &Scene, options: ChipOptions) -> Result<Self> {
        options::check(&options)?;
        let edge = match options.edge {
            Edge::Pixels(edge) => edge,
            Edge::Metres(metres) => sizes::pixels(metres, scene.raster())?,
        };
        let edges = Edges::new(&options, edge, scene.raster())?;
        let (area, path) = (scene.area(), || scene.raster().path().to_owned());
        if !options.padded && edges.largest > area.width.min(area.height) {
            return Err(ChipsError::LargerThanScene {
                path: path(),
                chip: edges.largest,
                scene: area.size(),
            }
            .into());
        }
        if scene.has_labels() && !any_label(scene)? {
            return Err(ChipsError::NothingLabelled { path: path(), area }.into());
        }
        let objects = Objects::new(scene, &options)?;
        let (windows, count) = match options.layout {
            Layout::Random { count } => (Vec::new(), count),
            Layout::Sliding => {
                let windows = sliding_windows(scene, &options, edges.largest)?;
                let count = windows.len();
                (windows, count)
            }
        };
        let statistics = if options.photometric > 0.0 {
            scene.statistics()?
        } else {
            Vec::new()
        };
        let inner = Inner {
            scene: scene.clone(),
            options,
            edge,
            edges,
            windows,
            count,
            objects,
            statistics,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Chips.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.count
    }

    /// Whether there is no chip.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.count == 0
    }

    /// The scene they are cut from.
    #[must_use]
    pub fn scene(&self) -> &Scene {
        &self.inner.scene
    }

    /// How they are cut.
    #[must_use]
    pub fn options(&self) -> &ChipOptions {
        &self.inner.options
    }

    /// The edge of a chip in pixels.
    #[must_use]
    pub fn size(&self) -> usize {
        self.inner.edge
    }

    /// Pixels of a chip for each pixel of the scene to a side, in the middle of the range of
    /// [`ChipOptions::window_sizes`]; 1 without one. `Scene::open_at(path, Resolution::Factor(chips.zoom()))` sees a scene
    /// as the chips show it.
    #[must_use]
    pub fn zoom(&self) -> f64 {
        self.size() as f64 / self.inner.edges.middle()
    }

    /// The smallest and the largest edge of a window in pixels of the scene: the chip's own edge unless
    /// [`ChipOptions::window_sizes`] says otherwise.
    #[must_use]
    pub fn window_sizes(&self) -> RangeInclusive<usize> {
        self.inner.edges.smallest..=self.inner.edges.largest
    }

    /// Reads chip `index`.
    ///
    /// # Errors
    /// [`ChipsError::NoSuchChip`]; [`ChipsError::NoValidPlace`] when the scene has hardly a valid pixel;
    /// [`crate::raster::RasterError::Read`].
    pub fn get(&self, index: usize) -> Result<Chip> {
        self.get_in_epoch(index, 0)
    }

    /// Reads chip `index` as epoch `epoch` sees it: the same place, flipped and coloured anew in every epoch. Epoch 0 is
    /// what [`Chips::get`] returns.
    ///
    /// # Errors
    /// As [`Chips::get`].
    pub fn get_in_epoch(&self, index: usize, epoch: usize) -> Result<Chip> {
        let inner = &*self.inner;
        if index >= inner.count {
            return Err(ChipsError::NoSuchChip {
                index,
                count: inner.count,
            }
            .into());
        }
        let (window, mut patch) = match inner.options.layout {
            Layout::Sliding => (
                inner.windows[index],
                inner.scene.read(&inner.windows[index])?,
            ),
            Layout::Random { .. } => self.random_place(index)?,
        };
        let size = Size::new(inner.edge, inner.edge);
        if patch.size != size {
            patch = patch.resized(size);
        }
        let mut labels = if inner.scene.has_labels() {
            inner.scene.labels_for(&window, &patch)?
        } else {
            Vec::new()
        };
        let mut boxes = inner.scene.boxes_in(&window, inner.options.min_visible);
        if window.width != inner.edge {
            sizes::scale_boxes(&mut boxes, window.width, inner.edge);
        }
        let mut random = generator(inner.options.seed, index, 1 + epoch as u64);
        if inner.options.flips {
            let placement = Placement::draw(&mut random);
            placement.apply_to(&mut patch, &mut labels);
            placement.apply_to_boxes(&mut boxes, patch.size);
        }
        if inner.options.photometric > 0.0 {
            Photometric::draw(inner.options.photometric, &inner.statistics, &mut random)
                .apply_to(&mut patch);
        }
        Ok(Chip {
            window,
            patch,
            labels,
            boxes,
        })
    }

    /// Streams an epoch: every chip once in an order that seed and epoch decide, in batches of `batch`, read by `workers`
    /// threads ahead of time. A last batch that is not full is left out unless it is the only one.
    #[must_use]
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

    fn random_place(&self, index: usize) -> Result<(PixelWindow, Patch)> {
        let inner = &*self.inner;
        let area = inner.scene.area();
        let seed = inner.options.seed;
        let edge = inner.edges.draw(|| generator(seed, index, SIZES));
        let mut random = generator(seed, index, 0);
        for _ in 0..TRIES {
            let window = match &inner.objects {
                Some(objects) => objects.place(&mut random, edge),
                None => place::anywhere(&mut random, &area, edge, inner.options.padded),
            };
            let patch = inner.scene.read(&window)?;
            if patch.valid_fraction() >= inner.options.min_valid {
                return Ok((window, patch));
            }
        }
        Err(ChipsError::NoValidPlace {
            path: inner.scene.raster().path().to_owned(),
            area,
            wanted: inner.options.min_valid * 100.0,
            tries: TRIES,
        }
        .into())
    }
}

/// A generator that depends on these three numbers alone.
fn generator(seed: u64, index: usize, purpose: u64) -> Pcg64Mcg {
    // SplitMix64's finaliser spreads neighbouring numbers over all bits.
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

fn sliding_windows(scene: &Scene, options: &ChipOptions, edge: usize) -> Result<Vec<PixelWindow>> {
    let mut windows = place::sliding(
        &scene.area(),
        edge,
        options.stride.unwrap_or(edge),
        options.padded,
    );
    if let Some(aoi) = scene.aoi() {
        windows.retain(|window| aoi.touches(window));
    }
    let tries = windows.len();
    if tries == 0 {
        return Err(ChipsError::OutsideInterest {
            path: scene.raster().path().to_owned(),
            area: scene.area(),
        }
        .into());
    }
    if options.min_valid > 0.0 {
        let mut kept = Vec::with_capacity(windows.len());
        for window in windows {
            session::check_interrupt("choosing chips")?;
            if scene.read(&window)?.valid_fraction() >= options.min_valid {
                kept.push(window);
            }
        }
        windows = kept;
    }
    if windows.is_empty() {
        return Err(ChipsError::NoValidPlace {
            path: scene.raster().path().to_owned(),
            area: scene.area(),
            wanted: options.min_valid * 100.0,
            tries,
        }
        .into());
    }
    Ok(windows)
}

/// Whether any pixel in use has a class: stops at the first tile that has one.
fn any_label(scene: &Scene) -> Result<bool> {
    for tile in scene.area().tiles(Size::new(1024, 1024)) {
        session::check_interrupt("looking for labels")?;
        if !scene.may_have_labels(&tile) {
            continue;
        }
        if scene
            .label_window(&tile)?
            .iter()
            .any(|&label| label != 0 && label != IGNORE)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
