//! Writing chips as files.

use std::borrow::Borrow;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::choose::{bounds, cell_rule, common_nodata, raster_type, safe};
use super::image::{Place, Told, Writing};
use super::lists::make_folder;
use super::manifest::{self, BandEntry, ChipEntry, Manifest, PartEntry};
use super::{ChipSetError, ChipSetOptions, SavedChips, publish};
#[cfg(doc)]
use crate::FileError;
use crate::boxes::formats::{LabeledBox, LabeledImage, yolo};
use crate::chips::{Chip, Chips};
use crate::labels::{CellRule, IGNORE};
use crate::raster::{GeoTransform, RasterType};
use crate::report::Report;
use crate::scene::Scene;
use crate::session::progress::Progress;
use crate::{Result, session};

/// The folders of a set.
const KINDS: [&str; 3] = ["images", "masks", "labels"];

/// Chips that are written between two updates of the progress.
const BLOCK: usize = 64;

impl Chips {
    /// Writes all chips into `folder` as a data set of files, which PyTorch and other libraries read and
    /// [`ChipSet::open`](crate::chips::ChipSet::open) gives back:
    ///
    /// - `images/NUMBER_SCENE.tif`: the imagery as the scenes store it, GeoTIFF with the names of the bands and the place on
    ///   the ground; invalid pixels hold the scenes' nodata value, or are marked by a mask inside the file where none would
    ///   tell them apart;
    /// - `masks/NUMBER_SCENE.tif`: the labels of scenes that have some, class indices on the same grid with color table
    ///   and class names; 255 is ignored;
    /// - `annotations/instances.json`: boxes as COCO, rotated ones with their corners as a polygon in `segmentation`; also as
    ///   YOLO where [`ChipSetOptions::yolo`] asks for it, all upright;
    /// - `classes.csv`: index, name and color of each class;
    /// - `chips.json`: the manifest: of each chip its scene, window, bounds, pixels and objects by class; bands, classes,
    ///   seed, options, and the statistics of the scenes.
    ///
    /// With [`ChipSetOptions::split`] the files lie in `images/train/`, `masks/train/` and so on, beside those of other
    /// splits. Chips lie as in their scenes: not mirrored, not changed ([`ChipSetOptions::epoch`] is for that).
    ///
    /// Everything is written under other names first: when the disk runs full or the user interrupts, files that were there
    /// before are untouched. Chips that were saved there before, as the same split, are replaced.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = samples::town(1, 2048)?.scene()?;
    /// let (train, valid) = scene.split(Split::columns(0.75));
    /// train.chips(Chips::random(400, 256))?.save_with("town", ChipSetOptions::new().split("train"))?;
    /// valid.chips(Chips::sliding(256))?.save_with("town", ChipSetOptions::new().split("val"))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ChipSetError::OfOthers`] where other files lie, [`ChipSetError::OtherSet`] where chips with other bands or classes
    /// do; [`FileError::Io`] and [`crate::raster::RasterError::Write`] when the folder cannot be written;
    /// [`crate::Error::Interrupted`].
    #[doc(alias = "export")]
    #[doc(alias = "write")]
    #[doc(alias = "to_folder")]
    #[doc(alias = "save_chips")]
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<SavedChips> {
        self.save_with(folder, ChipSetOptions::new())
    }

    /// [`Chips::save`] with choices.
    ///
    /// # Errors
    /// As [`Chips::save`]; [`ChipSetError::NoPng`] for imagery that PNG does not hold; [`ChipSetError::SplitName`].
    pub fn save_with(
        &self,
        folder: impl AsRef<Path>,
        options: impl Borrow<ChipSetOptions>,
    ) -> Result<SavedChips> {
        let options = options.borrow();
        options.check()?;
        let folder = crate::paths::expanded(folder.as_ref()).into_owned();
        Saving::new(self, &folder, options)?.run()
    }
}

/// A set under way.
pub(super) struct Saving<'a> {
    pub(super) chips: &'a Chips,
    pub(super) options: &'a ChipSetOptions,
    pub(super) folder: &'a Path,
    pub(super) known: Option<Manifest>,
    pub(super) raster_type: RasterType,
    pub(super) nodata: Option<f32>,
    /// The names of all classes, by index.
    pub(super) names: Vec<String>,
    /// The names of all scenes.
    pub(super) scenes: Vec<String>,
    /// The coordinate reference systems of the scenes, each once, and which one each scene has.
    pub(super) systems: Vec<String>,
    pub(super) system_of: Vec<Option<usize>>,
    /// How chips get their classes, where all scenes say the same.
    pub(super) cells: Option<CellRule>,
    pub(super) report: Report,
}

/// A chip that has been written.
pub(super) struct Written {
    pub(super) entry: ChipEntry,
    pub(super) told: Told,
    /// With the names of its classes.
    pub(super) boxes: LabeledImage,
}

impl<'a> Saving<'a> {
    fn new(chips: &'a Chips, folder: &'a Path, options: &'a ChipSetOptions) -> Result<Self> {
        let scenes = chips.scenes();
        let known = Manifest::read(folder)?;
        let mut report = Report::new();
        let raster_type = raster_type(chips, options, &mut report)?;
        let names = scenes
            .classes()
            .names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        let mut systems: Vec<String> = Vec::new();
        let mut system_of = Vec::with_capacity(scenes.len());
        for scene in scenes {
            let raster = scene.raster();
            // A chip that is turned or changed lies nowhere.
            let wkt =
                (raster.is_georeferenced() && options.epoch.is_none()).then(|| raster.crs_wkt());
            system_of.push(wkt.map(|wkt| {
                let at = systems.iter().position(|other| *other == wkt);
                at.unwrap_or_else(|| {
                    systems.push(wkt);
                    systems.len() - 1
                })
            }));
        }
        let cells = match chips.are_of_objects() {
            // Each has its object's class, and whatever else is asked the usual one.
            true => Some(scenes.first().cell_rule()),
            false => cell_rule(scenes, &mut report),
        };
        let nodata = common_nodata(scenes.iter().map(Scene::raster), raster_type);
        Ok(Self {
            chips,
            options,
            folder,
            known,
            raster_type,
            nodata,
            names,
            scenes: scenes.names().map(str::to_owned).collect(),
            systems,
            system_of,
            cells,
            report,
        })
    }

    fn run(mut self) -> Result<SavedChips> {
        let scenes = self.chips.scenes();
        let bands = scenes.first().raster().bands();
        let writing = Writing {
            container: self.options.container,
            raster_type: self.raster_type,
            bands,
            nodata: self.nodata,
            classes: scenes.classes(),
            names: &self.names,
            plain_masks: self.options.plain_masks,
        };
        let data_type = writing.data_type();
        let entries = bands.iter().map(|band| BandEntry::of(band, data_type));
        let mut manifest = Manifest::new(
            self.options.container,
            entries.collect(),
            scenes.classes().clone(),
        );
        self.check_known(&manifest)?;
        let places = self.places();
        publish::check(self.folder, &places, self.known.as_ref())?;

        let staging = publish::staging(self.folder)?;
        for kind in KINDS {
            make_folder(&staging.path().join(self.place(kind)))?;
        }
        let statistics = scenes.statistics()?;
        let written = self.write_all(&writing, staging.path())?;
        for kind in KINDS {
            // Only an empty one goes: no chip has such a file.
            let _ = std::fs::remove_dir(staging.path().join(self.place(kind)));
        }
        let told = written
            .iter()
            .fold(Told::default(), |all, one| all.and(one.told));
        self.tell(told, &written);
        let (with_masks, with_boxes) = (
            written.iter().any(|one| one.entry.mask.is_some()),
            scenes.iter().any(Scene::has_boxes),
        );
        let chip_options = self.chips.options();
        let part = PartEntry {
            split: self.options.split.clone(),
            size: self.chips.size(),
            seed: chip_options.seed,
            flips: chip_options.flips,
            photometric: chip_options.photometric,
            epoch: self.options.epoch,
            options: serde_json::to_value(chip_options).unwrap_or_default(),
            masks: with_masks,
            coco: with_boxes && self.options.coco,
            yolo: with_boxes && self.options.yolo,
            cells: self.cells.clone(),
            statistics_bits: PartEntry::bits_of(&statistics),
            statistics,
            systems: self.systems.clone(),
            chips: written.iter().map(|one| one.entry.clone()).collect(),
        };
        self.write_lists(staging.path(), &part, &written, with_boxes)?;
        let saved = SavedChips::new(self.folder, &part, scenes.classes());
        let others = self.known.take().map_or_else(Vec::new, |known| known.parts);
        let mut parts: Vec<PartEntry> = others
            .into_iter()
            .filter(|other| other.split != part.split)
            .collect();
        parts.push(part);
        manifest.parts = parts;
        if manifest.has_yolo() {
            self.write_yaml(staging.path(), &manifest)?;
        }
        publish::publish(staging.path(), self.folder, &places, &manifest)?;
        Ok(saved.with_report(self.report))
    }

    /// The folder of these files, relative to that of the set.
    fn place(&self, kind: &str) -> PathBuf {
        match &self.options.split {
            Some(split) => Path::new(kind).join(split),
            None => PathBuf::from(kind),
        }
    }

    /// The folders and files that this set takes, relative to its folder.
    fn places(&self) -> Vec<PathBuf> {
        let mut places: Vec<PathBuf> = KINDS.map(|kind| self.place(kind)).into();
        places.push(manifest::coco_place(self.options.split.as_deref()));
        places.push(manifest::CLASSES.into());
        // It names all splits with YOLO's files, and is written anew, or goes, with each of them.
        if self.options.yolo || self.known.as_ref().is_some_and(Manifest::has_yolo) {
            places.push(manifest::YAML.into());
        }
        places
    }

    /// Chips of one folder have the same bands and classes, and all have a split or none.
    fn check_known(&self, new: &Manifest) -> Result<(), ChipSetError> {
        let Some(known) = &self.known else {
            return Ok(());
        };
        let others: Vec<&PartEntry> = known
            .parts
            .iter()
            .filter(|part| part.split != self.options.split)
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        let differ = |what, expected: String, found: String| {
            Err(ChipSetError::OtherSet {
                path: self.folder.to_owned(),
                what,
                expected,
                found,
            })
        };
        let split = |split: Option<&String>| split.map_or_else(|| "none".to_owned(), Clone::clone);
        if let Some(other) = others
            .iter()
            .find(|part| part.split.is_none() != self.options.split.is_none())
        {
            return differ(
                "split is",
                split(other.split.as_ref()),
                split(self.options.split.as_ref()),
            );
        }
        if known.imagery != new.imagery {
            return differ(
                "format is",
                format!("{:?}", known.imagery),
                format!("{:?}", new.imagery),
            );
        }
        let bands = |manifest: &Manifest| {
            let words = manifest
                .bands
                .iter()
                .map(|band| format!("{} ({})", band.name, band.data_type));
            words.collect::<Vec<_>>().join(", ")
        };
        if bands(known) != bands(new) {
            return differ("bands are", bands(known), bands(new));
        }
        let classes = |manifest: &Manifest| manifest.classes.names().join(", ");
        if known.classes.names() != new.classes.names() {
            return differ("classes are", classes(known), classes(new));
        }
        Ok(())
    }

    fn write_all(&self, writing: &Writing<'_>, staging: &Path) -> Result<Vec<Written>> {
        let all = self.chips.len();
        let mut progress = Progress::of("saving", ("chips", "chips"), all, self.options.quiet);
        let mut written = Vec::with_capacity(all);
        for start in (0..all).step_by(BLOCK) {
            let numbers: Vec<usize> = (start..(start + BLOCK).min(all)).collect();
            let block: Vec<Result<Written>> = numbers
                .into_par_iter()
                .map(|index| {
                    session::check_interrupt("saving chips")?;
                    self.write(writing, staging, index)
                })
                .collect();
            let count = block.len();
            for one in block {
                written.push(one?);
            }
            progress.add(count);
        }
        Ok(written)
    }

    fn write(&self, writing: &Writing<'_>, staging: &Path, index: usize) -> Result<Written> {
        let chip = match self.options.epoch {
            None => self.chips.placed(index)?,
            Some(epoch) => self.chips.get_in_epoch(index, epoch)?,
        };
        let scenes = self.chips.scenes();
        let scene = scenes.get(chip.scene).unwrap_or_else(|| scenes.first());
        let scene_name = self.scenes.get(chip.scene).map_or("", String::as_str);
        let digits = self.chips.len().saturating_sub(1).to_string().len();
        let name = format!("{index:0digits$}_{}", safe(scene_name));
        let file = |kind: &str, ending: &str| match &self.options.split {
            Some(split) => format!("{kind}/{split}/{name}.{ending}"),
            None => format!("{kind}/{name}.{ending}"),
        };
        let ending = self.options.container.ending();
        let system = self.system_of.get(chip.scene).copied().flatten();
        let transform = system.map(|_| {
            let factor = chip.window.width as f64 / self.chips.size() as f64;
            let raster = scene.raster().transform();
            raster
                .offset(chip.window.col, chip.window.row)
                .scaled(factor, factor)
        });
        let place = Place {
            transform: transform.unwrap_or(GeoTransform::PIXELS),
            crs_wkt: system
                .and_then(|at| self.systems.get(at))
                .map_or("", String::as_str),
        };
        let image = file("images", ending);
        let told = writing.image(&chip, &place, &staging.join(&image))?;
        let mask = match chip.labels.is_empty() {
            true => None,
            false => {
                let mask = file("masks", ending);
                writing.mask(&chip, &place, &staging.join(&mask))?;
                Some(mask)
            }
        };
        let boxes = self.labeled(&chip, &format!("{name}.{ending}"));
        let yolo_file = match self.options.yolo && scene.has_boxes() {
            false => None,
            true => {
                let path = file("labels", "txt");
                yolo::write(staging.join(&path), &boxes, self.box_names())?;
                Some(path)
            }
        };
        let mut entry = ChipEntry {
            image,
            mask,
            yolo: yolo_file,
            scene: scene_name.to_owned(),
            source: scene.raster().path().to_owned(),
            window: chip.window,
            bounds: transform.map(|transform| bounds(&transform, self.chips.size())),
            system,
            valid: chip.patch.valid.iter().filter(|&&valid| valid != 0).count() as u64,
            pixels: Vec::new(),
            objects: Vec::new(),
            ignored: chip.labels.iter().filter(|&&label| label == IGNORE).count() as u64,
            class: chip.class.filter(|_| self.cells.is_some()),
        };
        if !chip.labels.is_empty() {
            entry.pixels = self.counted(chip.labels.iter().map(|&label| usize::from(label)));
        }
        if scene.has_boxes() {
            entry.objects = self.counted(chip.boxes.iter().map(|one| one.class));
        }
        Ok(Written { entry, told, boxes })
    }

    fn counted(&self, classes: impl Iterator<Item = usize>) -> Vec<u64> {
        let mut counts = vec![0; self.names.len()];
        for class in classes {
            if let Some(count) = counts.get_mut(class) {
                *count += 1;
            }
        }
        counts
    }

    /// The classes that objects have.
    pub(super) fn box_names(&self) -> &[String] {
        self.names.get(1..).unwrap_or(&[])
    }

    fn labeled(&self, chip: &Chip, file: &str) -> LabeledImage {
        let named = chip.boxes.iter().filter_map(|one| {
            Some(LabeledBox {
                bounds: one.bounds,
                class: self.names.get(one.class)?.clone(),
                crowd: one.crowd,
                area: one.area,
                outline: one.outline,
            })
        });
        LabeledImage {
            file: file.to_owned(),
            width: Some(chip.patch.size.width),
            height: Some(chip.patch.size.height),
            boxes: named.collect(),
            left_out: 0,
        }
    }
}
