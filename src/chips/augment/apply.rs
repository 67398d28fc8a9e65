use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::draw::{Draws, whole};
use super::plane_map::PlaneMap;
use super::step::{Change, Step};
use super::values::{BandValues, Range, keep_to_types, range_of};
use super::warp::{Parts, warp};
use super::{
    band_dropout, blur, brightness, colors, contrast, crop, cutout, gamma, hue, mixup, mosaic,
    noise, saturation, scale_jitter,
};
use crate::chips::{Chip, ChipOptions, ChipsError};
use crate::raster::{Patch, Size};
use crate::report::{Notice, Report, file_name};
use crate::scene::{Scene, SceneError};
use crate::scenes::Scenes;
use crate::{Result, session};

/// Chips that are drawn in search of objects to paste.
const DONORS: usize = 8;

/// Changes chips of one scene.
#[derive(Debug)]
pub(in crate::chips) struct Augmenter {
    /// Those that the imagery allows, in their order.
    steps: Vec<Step>,
    /// Empty where no change needs them.
    bands: Vec<BandValues>,
    ranges: Vec<Range>,
    colors: Option<[usize; 3]>,
    /// Of the objects to paste; empty for all.
    pasted: Vec<usize>,
    seed: u64,
    min_visible: f64,
    /// Chips to draw from.
    count: usize,
}

impl Augmenter {
    /// What is needed to change `count` chips of a scene, and what a person should know about it; `None` when nothing is
    /// changed.
    pub(in crate::chips) fn new(
        scenes: &Scenes,
        options: &ChipOptions,
        count: usize,
    ) -> Result<(Option<Self>, Report)> {
        let mut report = Report::new();
        let scene = scenes.first();
        let bands = scene.raster().bands();
        let colors = colors::find(bands);
        let mut steps = Vec::new();
        for step in &options.augment.steps {
            match impossible(scene, step, colors)? {
                Some(notice) => report.push(notice.about(file_name(scene.raster().path()))),
                None => steps.push(step.clone()),
            }
        }
        if steps.is_empty() {
            return Ok((None, report));
        }
        if scene.has_labels() && steps.iter().any(|step| step.change == Change::Mixup) {
            report.push(
                Notice::noted("where two mixed chips have different labels, the pixel is ignored")
                    .next("nothing, for a detector: it learns from the boxes of both"),
            );
        }
        // The widest of the types that the scenes have.
        let ranges = (0..bands.len()).map(|band| {
            let own = scenes
                .iter()
                .filter_map(|scene| scene.raster().bands().get(band));
            own.map(range_of).fold((0.0, 0.0), |all: Range, one| {
                (all.0.min(one.0), all.1.max(one.1))
            })
        });
        let ranges = ranges.collect();
        let bands = match steps.iter().any(|step| step.change.needs_statistics()) {
            true => scenes.statistics()?.iter().map(BandValues::new).collect(),
            false => Vec::new(),
        };
        let augmenter = Self {
            pasted: pasted(scene, &steps)?,
            steps,
            bands,
            ranges,
            colors,
            seed: options.seed,
            min_visible: options.min_visible,
            count,
        };
        Ok((Some(augmenter), report))
    }

    /// Chip `index` as epoch `epoch` sees it. `plain` gives any chip of this epoch before it is changed.
    pub(in crate::chips) fn chip(
        &self,
        index: usize,
        epoch: usize,
        plain: &dyn Fn(usize) -> Result<Chip>,
    ) -> Result<Chip> {
        let draws = Draws {
            seed: self.seed,
            index,
            epoch,
        };
        let mut chip = self.placed(draws, plain)?;
        if let Some((_, mut random)) = self.drawn(draws, |change| *change == Change::Mixup) {
            let other = self.other(&mut random);
            let share = mixup::draw(&mut random);
            mixup::mix(&mut chip, &self.placed(draws.at(other), plain)?, share);
        }
        self.values(draws, &mut chip);
        Ok(chip)
    }

    /// The change of a kind with its generator, where this chip is changed so.
    fn drawn(&self, draws: Draws, kind: impl Fn(&Change) -> bool) -> Option<(&Change, Pcg64Mcg)> {
        let step = self.steps.iter().find(|step| kind(&step.change))?;
        let mut random = draws.of(step.change.order());
        (random.random::<f64>() < step.probability).then_some((&step.change, random))
    }

    /// Any chip.
    fn other(&self, random: &mut Pcg64Mcg) -> usize {
        whole(random, 0..=self.count.saturating_sub(1))
    }

    /// A chip with objects of others.
    fn pasted(&self, draws: Draws, plain: &dyn Fn(usize) -> Result<Chip>) -> Result<Chip> {
        let mut chip = plain(draws.index)?;
        let drawn = self.drawn(draws, |change| matches!(change, Change::CopyPaste(_)));
        if let Some((Change::CopyPaste(paste), mut random)) = drawn {
            for _ in 0..DONORS {
                session::check_interrupt("looking for objects to paste")?;
                let donor = plain(self.other(&mut random))?;
                if paste.paste(&mut chip, &donor, &self.pasted, &mut random) {
                    break;
                }
            }
        }
        Ok(chip)
    }

    /// A chip put together and moved: all but what changes its values.
    fn placed(&self, draws: Draws, plain: &dyn Fn(usize) -> Result<Chip>) -> Result<Chip> {
        let own = self.pasted(draws, plain)?;
        let size = own.patch.size;
        let map = self.map(draws, size);
        let Some((_, mut random)) = self.drawn(draws, |change| *change == Change::Mosaic) else {
            return Ok(self.moved(own, &map, size));
        };
        let point = mosaic::draw(&mut random, size.width);
        let mut other = || self.pasted(draws.at(self.other(&mut random)), plain);
        let four = [own, other()?, other()?, other()?];
        let canvas = mosaic::join(&four, point, self.min_visible);
        if map.is_identity() {
            return Ok(canvas.middle(size.width, self.min_visible));
        }
        let margin = canvas.margin as f64;
        let map = PlaneMap::translation(-margin, -margin).then(&map);
        Ok(self.moved(canvas.chip, &map, size))
    }

    /// Crop, scale jitter and affine as one map of the chip.
    fn map(&self, draws: Draws, size: Size) -> PlaneMap {
        let parts = [
            self.drawn(draws, |change| matches!(change, Change::Crop { .. })),
            self.drawn(draws, |change| matches!(change, Change::ScaleJitter { .. })),
            self.drawn(draws, |change| matches!(change, Change::Affine(_))),
        ];
        let mut map = PlaneMap::IDENTITY;
        for (change, mut random) in parts.into_iter().flatten() {
            let next = match change {
                Change::Crop { area } => crop::draw(&mut random, area, size),
                Change::ScaleJitter { factors } => scale_jitter::draw(&mut random, factors, size),
                Change::Affine(affine) => affine.draw(&mut random, size),
                _ => PlaneMap::IDENTITY,
            };
            map = map.then(&next);
        }
        map
    }

    fn moved(&self, chip: Chip, map: &PlaneMap, size: Size) -> Chip {
        if map.is_identity() {
            return chip;
        }
        let parts = Parts {
            patch: &chip.patch,
            labels: &chip.labels,
            boxes: &chip.boxes,
        };
        let (patch, labels, boxes) = warp(&parts, map, size, self.min_visible);
        Chip {
            scene: chip.scene,
            window: chip.window,
            patch,
            labels,
            boxes,
            class: chip.class,
        }
    }

    /// Changes values, in the order of the changes.
    fn values(&self, draws: Draws, chip: &mut Chip) {
        let mut recolored = false;
        let mut covered = None;
        for step in &self.steps {
            let mut random = draws.of(step.change.order());
            if random.random::<f64>() >= step.probability {
                continue;
            }
            recolored |= self.change(&step.change, &mut chip.patch, random.clone());
            if let Change::Cutout { holes, edge } = &step.change {
                covered = Some((holes, edge, random));
            }
        }
        if recolored {
            keep_to_types(&mut chip.patch, &self.ranges);
        }
        if let Some((holes, edge, mut random)) = covered {
            cutout::apply(
                chip,
                &self.bands,
                holes,
                edge,
                self.min_visible,
                &mut random,
            );
        }
    }

    /// Whether values may have left the range of their type.
    fn change(&self, change: &Change, patch: &mut Patch, mut random: Pcg64Mcg) -> bool {
        let bands = &self.bands;
        match change {
            Change::Brightness { deviations } => {
                brightness::apply(patch, bands, *deviations, &mut random);
            }
            Change::Contrast { strength } => contrast::apply(patch, bands, *strength, &mut random),
            Change::Gamma { exponents } => gamma::apply(patch, bands, exponents, &mut random),
            Change::Saturation { strength } => {
                if let Some(colors) = self.colors {
                    saturation::apply(patch, colors, *strength, &mut random);
                }
            }
            Change::Hue { share } => {
                if let Some(colors) = self.colors {
                    hue::apply(patch, colors, *share, &mut random);
                }
            }
            Change::Noise { deviations } => noise::apply(patch, bands, *deviations, random),
            Change::Blur { sigma } => {
                blur::apply(patch, sigma, &mut random);
                return false;
            }
            Change::BandDropout { most } => {
                band_dropout::apply(patch, bands, *most, &mut random);
                return false;
            }
            _ => return false,
        }
        true
    }
}

/// A notice for a change of a preset that the imagery does not allow, an error for one that a person has asked for.
fn impossible(scene: &Scene, step: &Step, colors: Option<[usize; 3]>) -> Result<Option<Notice>> {
    let raster = scene.raster();
    if step.change.needs_colors() && colors.is_none() {
        if step.where_possible {
            let what = format!(
                "no {}: the imagery does not have one red, one green and one blue band",
                step.change.name()
            );
            let next = "nothing, unless its bands are colors: give the file their names or color interpretation";
            return Ok(Some(Notice::left_out(what).next(next)));
        }
        return Err(ChipsError::NoColors {
            path: raster.path().to_owned(),
            change: step.change.name(),
            bands: raster.band_names(),
        }
        .into());
    }
    if let Change::BandDropout { most } = step.change
        && most >= raster.band_count()
    {
        if step.where_possible {
            let what = "no band is dropped: the imagery has one";
            return Ok(Some(
                Notice::left_out(what).next("nothing: a chip without any band would show nothing"),
            ));
        }
        return Err(ChipsError::BadOption {
            what: super::band_dropout::WHAT,
            found: format!("{most} of {}", raster.band_count()),
            expected: "fewer than there are",
        }
        .into());
    }
    if matches!(step.change, Change::CopyPaste(_)) && !scene.has_boxes() {
        return Err(ChipsError::NoObjects {
            path: raster.path().to_owned(),
        }
        .into());
    }
    Ok(None)
}

/// The indices of the classes whose objects are pasted.
fn pasted(scene: &Scene, steps: &[Step]) -> Result<Vec<usize>> {
    let names = steps.iter().filter_map(|step| match &step.change {
        Change::CopyPaste(paste) => Some(paste.classes.iter()),
        _ => None,
    });
    let classes = scene.classes();
    let indices = names.flatten().map(|name| {
        let index = classes.index_of(name).filter(|&index| index > 0);
        index.ok_or_else(|| {
            SceneError::NoSuchClass {
                path: scene.raster().path().to_owned(),
                found: name.clone(),
                classes: classes
                    .names()
                    .into_iter()
                    .skip(1)
                    .map(str::to_owned)
                    .collect(),
            }
            .into()
        })
    });
    indices.collect()
}
