//! Where chips are cut: blindly where the scene is whole, aimed at the pixels that count where it is not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::chip::generator;
use super::ground::Ground;
use super::objects::Objects;
use super::sizes::Edges;
use super::{ChipOptions, ChipsError, place};
use crate::labels::IGNORE;
use crate::raster::{Patch, PixelWindow, Size};
use crate::report::{Notice, Report, file_name};
use crate::scene::Scene;
use crate::{Result, session};

/// Places that are tried for one random chip, blindly and then aimed at the pixels that count.
const TRIES: usize = 64;

/// Of the fullest windows, those that are read in search of places when aimed tries fail.
const FULLEST: usize = 64;

/// What the generator of window sizes is for: 0 is for places, and what follows it for the epochs' flips and colors.
const SIZES: u64 = u64::MAX;

/// Where fewer of the pixels than this are labeled, chips are aimed at those from the first try.
const SPARSE: f64 = 0.5;

/// How the places of random chips are found. They depend on the scene, the seed and the chip's number alone.
#[derive(Debug)]
pub(super) struct Placing {
    edges: Edges,
    /// Where boxes are, when chips look for them.
    objects: Option<Objects>,
    /// Whether valid pixels may not count: outside the area of interest or where labels are complete, or without a label.
    partly: bool,
    /// Whether the first try is aimed already.
    aimed: bool,
    /// Where the pixels that count are, once that has been needed.
    ground: OnceLock<Ground>,
    /// The place of chip 0, which always will do.
    probed: OnceLock<PixelWindow>,
    /// Windows of an edge that will do, where aimed tries found none.
    usable: Mutex<HashMap<usize, Arc<[PixelWindow]>>>,
}

impl Placing {
    pub(super) fn new(scene: &Scene, options: &ChipOptions, edges: Edges) -> Result<Self> {
        let unlabeled = scene.has_labels() && scene.may_be_unlabeled();
        let mut placing = Self {
            edges,
            objects: Objects::new(scene, options),
            partly: scene.is_limited() || unlabeled,
            aimed: scene.is_limited(),
            ground: OnceLock::new(),
            probed: OnceLock::new(),
            usable: Mutex::new(HashMap::new()),
        };
        if unlabeled && !placing.aimed {
            placing.aimed = placing.ground(scene)?.share() < SPARSE;
        }
        Ok(placing)
    }

    #[cfg(test)]
    pub(super) fn blind(edges: Edges) -> Self {
        Self {
            edges,
            objects: None,
            partly: false,
            aimed: false,
            ground: OnceLock::new(),
            probed: OnceLock::new(),
            usable: Mutex::new(HashMap::new()),
        }
    }

    fn ground(&self, scene: &Scene) -> Result<&Ground> {
        if let Some(known) = self.ground.get() {
            return Ok(known);
        }
        let ground = Ground::of(scene)?;
        Ok(self.ground.get_or_init(|| ground))
    }

    /// A notice when nothing of the area is labeled with a class or a box; an error when every pixel is ignored.
    pub(super) fn background_only(&self, scene: &Scene) -> Result<Option<Notice>> {
        let what = if scene.has_labels() {
            if any_label(scene)? {
                return Ok(None);
            }
            if self.ground(scene)?.total() == 0 {
                return Err(ChipsError::NothingLabeled {
                    path: scene.raster().path().to_owned(),
                    area: scene.area(),
                }
                .into());
            }
            "no pixel of the area is labeled with a class: every chip is background alone"
        } else {
            let any = |one: &crate::boxes::Annotation| !one.crowd;
            if !scene.has_boxes() || scene.boxes_in(&scene.area(), 0.0).iter().any(any) {
                return Ok(None);
            }
            "no box lies in the area: every chip is a negative"
        };
        let next = "a training needs other chips that hold objects: show the scene to see where they lie, and split it so \
                    that both parts have some";
        Ok(Some(Notice::noted(what).about(scene.name()).next(next)))
    }

    /// Makes sure that there are places before anything waits for chips.
    pub(super) fn probe(&self, scene: &Scene, options: &ChipOptions) -> Result<()> {
        if self.partly || scene.raster().can_be_invalid() {
            let (window, _) = self.place(scene, options, 0)?;
            self.probed.get_or_init(|| window);
        }
        Ok(())
    }

    /// The edge of the window of chip `index`.
    pub(super) fn edge(&self, seed: u64, index: usize) -> usize {
        self.edges.draw(|| generator(seed, index, SIZES))
    }

    /// Chip `index`: its window with the imagery there.
    pub(super) fn place(
        &self,
        scene: &Scene,
        options: &ChipOptions,
        index: usize,
    ) -> Result<(PixelWindow, Patch)> {
        let (seed, area) = (options.seed, scene.area());
        let edge = self.edge(seed, index);
        let mut random = generator(seed, index, 0);
        let blind = !self.aimed || self.objects.is_some();
        for _ in 0..if blind { TRIES } else { 0 } {
            let window = match &self.objects {
                Some(objects) => objects.place(&mut random, edge),
                None => place::anywhere(&mut random, &area, edge, options.padded),
            };
            if let Some(patch) = self.accepted(scene, options, &window)? {
                return Ok((window, patch));
            }
        }
        let ground = self.ground(scene)?;
        for _ in 0..TRIES {
            session::check_interrupt("looking for places of chips")?;
            let Some(window) = ground.place(&mut random, edge, options.padded) else {
                break;
            };
            if let Some(patch) = self.accepted(scene, options, &window)? {
                return Ok((window, patch));
            }
        }
        let usable = self.usable(scene, options, edge)?;
        let drawn = rand::RngExt::random_range(&mut random, 0..usable.len() as u64) as usize;
        Ok((usable[drawn], scene.read(&usable[drawn])?))
    }

    /// The imagery of a window that will do.
    fn accepted(
        &self,
        scene: &Scene,
        options: &ChipOptions,
        window: &PixelWindow,
    ) -> Result<Option<Patch>> {
        let patch = scene.read(window)?;
        let share = patch.valid_fraction();
        let shows = share > 0.0 && share >= options.min_valid;
        let counts = || -> Result<bool> { Ok(!self.partly || counts(scene, window, &patch)?) };
        Ok((shows && counts()?).then_some(patch))
    }

    /// Windows that will do, of those that hold most pixels that count; never empty.
    fn usable(
        &self,
        scene: &Scene,
        options: &ChipOptions,
        edge: usize,
    ) -> Result<Arc<[PixelWindow]>> {
        let mut known = self.usable.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(windows) = known.get(&edge) {
            return Ok(Arc::clone(windows));
        }
        let ground = self.ground(scene)?;
        let (mut usable, mut best) = (Vec::new(), 0.0_f64);
        for window in ground.fullest(edge, options.padded, FULLEST) {
            session::check_interrupt("looking for places of chips")?;
            match self.accepted(scene, options, &window)? {
                Some(_) => usable.push(window),
                None => best = best.max(scene.read(&window)?.valid_fraction()),
            }
        }
        // The chip that was cut first has a place, however hard it is to find.
        usable.extend(self.probed.get().filter(|_| usable.is_empty()));
        if usable.is_empty() {
            return Err(ChipsError::NoValidPlace {
                path: scene.raster().path().to_owned(),
                area: scene.area(),
                chip: edge,
                wanted: options.min_valid * 100.0,
                best: best * 100.0,
            }
            .into());
        }
        let usable: Arc<[PixelWindow]> = usable.into();
        known.insert(edge, Arc::clone(&usable));
        Ok(usable)
    }
}

/// Whether any pixel of a window that has been read counts.
fn counts(scene: &Scene, window: &PixelWindow, patch: &Patch) -> Result<bool> {
    if scene.has_labels() {
        let labels = scene.labels_for(window, patch)?;
        return Ok(labels.iter().any(|&label| label != IGNORE));
    }
    let Some(mask) = scene.limit_mask(window) else {
        return Ok(true);
    };
    Ok(mask
        .iter()
        .zip(&patch.valid)
        .any(|(one, valid)| one & valid != 0))
}

/// A chip whose place is known before it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) window: PixelWindow,
    /// Of the object that it is cut around, if it is.
    pub(super) class: Option<u8>,
}

/// Windows side by side, without those that show nothing or in which nothing is labeled, and how many these were.
pub(super) fn sliding(
    scene: &Scene,
    options: &ChipOptions,
    edge: usize,
) -> Result<(Vec<Placed>, Report)> {
    let area = scene.area();
    let stride = options.stride.unwrap_or(edge);
    let windows = place::sliding(&area, edge, stride, options.padded).into_iter();
    let windows: Vec<Placed> = windows
        .filter(|window| scene.counts_in(window))
        .map(|window| Placed {
            window,
            class: None,
        })
        .collect();
    if windows.is_empty() {
        let path = scene.raster().path().to_owned();
        return Err(ChipsError::OutsideInterest { path, area }.into());
    }
    showing(scene, options, windows, edge)
}

/// The windows that show something in which something is labeled, and how many others there were. `edge` is that of the
/// largest.
pub(super) fn showing(
    scene: &Scene,
    options: &ChipOptions,
    windows: Vec<Placed>,
    edge: usize,
) -> Result<(Vec<Placed>, Report)> {
    let (path, area) = (|| scene.raster().path().to_owned(), scene.area());
    let all = windows.len();
    let unlabeled = scene.has_labels() && scene.may_be_unlabeled();
    let mut report = Report::new();
    if !unlabeled && !scene.raster().can_be_invalid() && options.min_valid == 0.0 {
        return Ok((windows, report));
    }
    let (mut kept, mut blank, mut without_label) = (Vec::with_capacity(all), 0, 0);
    let mut best = 0.0_f64;
    for placed in windows {
        session::check_interrupt("choosing chips")?;
        let window = &placed.window;
        if !unlabeled && options.min_valid == 0.0 && is_valid_in_the_middle(scene, window)? {
            kept.push(placed);
            continue;
        }
        let patch = scene.read(window)?;
        let share = patch.valid_fraction();
        best = best.max(share);
        if share == 0.0 || share < options.min_valid {
            blank += 1;
        } else if unlabeled && !counts(scene, window, &patch)? {
            without_label += 1;
        } else {
            kept.push(placed);
        }
    }
    if kept.is_empty() && without_label > 0 {
        return Err(ChipsError::NothingLabeled { path: path(), area }.into());
    }
    if kept.is_empty() {
        return Err(ChipsError::NoValidPlace {
            path: path(),
            area,
            chip: edge,
            wanted: options.min_valid * 100.0,
            best: best * 100.0,
        }
        .into());
    }
    let file = file_name(scene.raster().path());
    let few = match options.min_valid > 0.0 {
        true => format!("less than {:.0} % valid pixels", options.min_valid * 100.0),
        false => "no valid pixel".to_owned(),
    };
    for (count, why) in [(blank, few.as_str()), (without_label, "no labeled pixel")] {
        if count > 0 {
            report.push(
                Notice::left_out(format!("{count} of {all} chips with {why}"))
                    .about(file.clone())
                    .count(count)
                    .next("show the scene to see where its imagery and labels lie"),
            );
        }
    }
    Ok((kept, report))
}

/// Whether the middle row of a window has a valid pixel: quick to know for windows that are whole.
fn is_valid_in_the_middle(scene: &Scene, window: &PixelWindow) -> Result<bool> {
    let row = window.row + window.height as i64 / 2;
    let line = scene.read(&PixelWindow::new(window.col, row, window.width, 1))?;
    Ok(line.valid.contains(&1))
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
