//! What a folder of chips says of itself: `chips.json`.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ChipSetError;
use super::options::{Container, is_split_name};
use crate::labels::{CellRule, Classes};
use crate::raster::{Band, BandRole, BandStatistics, DataType, PixelWindow, StatedBand};

/// Its name.
pub(super) const NAME: &str = "chips.json";

/// What the file calls its format.
const FORMAT: &str = "swath chip set";

/// The table of classes.
pub(super) const CLASSES: &str = "classes.csv";

/// YOLO's description of the set.
pub(super) const YAML: &str = "data.yaml";

/// Where boxes are written as COCO.
pub(super) fn coco_place(split: Option<&str>) -> PathBuf {
    match split {
        Some(split) => format!("annotations/instances_{split}.json").into(),
        None => "annotations/instances.json".into(),
    }
}

/// The version that is written, and the only one that is read.
const VERSION: u32 = 1;

/// All chips of a folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: String,
    version: u32,
    /// The program that wrote it.
    written_by: String,
    pub(super) imagery: Container,
    pub(super) bands: Vec<BandEntry>,
    /// By index, with colors.
    pub(super) classes: Classes,
    /// The label of pixels that do not count.
    pub(super) ignored_label: u8,
    pub(super) parts: Vec<PartEntry>,
}

/// A band of the chips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct BandEntry {
    pub(super) name: String,
    pub(super) role: Option<BandRole>,
    /// In the files.
    pub(super) data_type: DataType,
    pub(super) scale: f64,
    pub(super) offset: f64,
}

/// The chips that were saved together: a split, or all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct PartEntry {
    pub(super) split: Option<String>,
    /// The edge of a chip in pixels.
    pub(super) size: usize,
    pub(super) seed: u64,
    /// Whether a training is to mirror and turn them at random.
    pub(super) flips: bool,
    pub(super) photometric: f32,
    /// The epoch whose random changes they have; null for chips as they lie in their scenes.
    pub(super) epoch: Option<usize>,
    /// How they were cut.
    pub(super) options: serde_json::Value,
    pub(super) masks: bool,
    pub(super) coco: bool,
    pub(super) yolo: bool,
    /// How the chips got their classes, where the scenes say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cells: Option<CellRule>,
    /// Of each band, over the scenes that they were cut from.
    pub(super) statistics: Vec<BandStatistics>,
    /// The same numbers as the bits of 64-bit floats, in the order of their names in `statistics` without the count: JSON's
    /// decimals are read to within the last bit.
    #[serde(default)]
    pub(super) statistics_bits: Vec<[u64; 6]>,
    /// As WKT.
    pub(super) systems: Vec<String>,
    pub(super) chips: Vec<ChipEntry>,
}

/// A chip. Paths begin at the folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct ChipEntry {
    pub(super) image: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) mask: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) yolo: Option<String>,
    /// The scene's name, and its file as it was opened.
    pub(super) scene: String,
    pub(super) source: PathBuf,
    /// Where it was cut, in pixels of the scene.
    pub(super) window: PixelWindow,
    /// Left, bottom, right, top in coordinates of the system of this number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) bounds: Option<[f64; 4]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) system: Option<usize>,
    pub(super) valid: u64,
    /// Of each class, by index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) pixels: Vec<u64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) objects: Vec<u64>,
    pub(super) ignored: u64,
    /// Of the whole chip, by index, where the part has a rule for that; none for a chip that does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) class: Option<usize>,
}

impl PartEntry {
    /// Whether each chip was cut around an object, whose class it has.
    pub(super) fn is_of_objects(&self) -> bool {
        self.options
            .get("layout")
            .is_some_and(|layout| layout == "Objects")
    }

    pub(super) fn bits_of(statistics: &[BandStatistics]) -> Vec<[u64; 6]> {
        let bits = |band: &BandStatistics| {
            [band.min, band.max, band.mean, band.std, band.p2, band.p98].map(f64::to_bits)
        };
        statistics.iter().map(bits).collect()
    }

    /// The statistics as they were.
    pub(super) fn exact_statistics(&self) -> Vec<BandStatistics> {
        let exact = |(band, bits): (&BandStatistics, &[u64; 6])| {
            let [min, max, mean, std, p2, p98] = bits.map(f64::from_bits);
            BandStatistics {
                min,
                max,
                mean,
                std,
                p2,
                p98,
                count: band.count,
            }
        };
        // Whoever edits the one without the other means the decimals.
        let near = |a: f64, b: f64| (a - b).abs() <= 1e-12 * a.abs().max(b.abs());
        let same = |(band, exact): (&BandStatistics, &BandStatistics)| {
            near(band.mean, exact.mean) && near(band.std, exact.std) && near(band.min, exact.min)
        };
        let all: Vec<BandStatistics> = self
            .statistics
            .iter()
            .zip(&self.statistics_bits)
            .map(exact)
            .collect();
        match all.len() == self.statistics.len() && self.statistics.iter().zip(&all).all(same) {
            true => all,
            false => self.statistics.clone(),
        }
    }
}

impl BandEntry {
    pub(super) fn of(band: &Band, data_type: DataType) -> Self {
        Self {
            name: band.name.clone(),
            role: band.role,
            data_type,
            scale: band.scale,
            offset: band.offset,
        }
    }

    /// What the file may not say of it.
    pub(super) fn stated(&self) -> StatedBand {
        StatedBand {
            name: self.name.clone(),
            role: self.role,
            scale: self.scale,
            offset: self.offset,
        }
    }
}

impl Manifest {
    pub(super) fn new(imagery: Container, bands: Vec<BandEntry>, classes: Classes) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            written_by: format!("swath {}", env!("CARGO_PKG_VERSION")),
            imagery,
            bands,
            classes,
            ignored_label: crate::labels::IGNORE,
            parts: Vec::new(),
        }
    }

    /// The manifest of a folder; `None` when there is none.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, ChipSetError> {
        let path = folder.join(NAME);
        let wrong = |reason: String| ChipSetError::Manifest {
            path: path.clone(),
            reason,
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // An archive has none.
            Err(error)
                if [
                    std::io::ErrorKind::NotFound,
                    std::io::ErrorKind::NotADirectory,
                ]
                .contains(&error.kind()) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(wrong(format!("the manifest cannot be read: {error}"))),
        };
        let mut manifest = Self::parse(&bytes).map_err(wrong)?;
        // Colors that are stored are chosen: no scene changes them.
        let stored = manifest.classes.clone();
        for class in &stored {
            let classes = manifest.classes.clone();
            manifest.classes = classes.with_stored_color(&class.name, class.color);
        }
        Ok(Some(manifest))
    }

    /// What the bytes of a manifest say.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        /// What every version has.
        #[derive(Deserialize)]
        struct Head {
            format: String,
            version: u32,
        }
        let head: Head = serde_json::from_slice(bytes)
            .map_err(|error| format!("this is no manifest of chips: {error}"))?;
        if head.format != FORMAT {
            return Err(format!(
                "this is no manifest of chips: its format is {:?}, {FORMAT:?} is expected",
                head.format
            ));
        }
        if head.version != VERSION {
            return Err(format!(
                "the manifest has version {}, this version of swath reads {VERSION}",
                head.version
            ));
        }
        let manifest: Self = serde_json::from_slice(bytes)
            .map_err(|error| format!("the manifest cannot be read: {error}"))?;
        manifest.check().map(|()| manifest)
    }

    /// Refuses what would be believed otherwise: paths that lead out of the folder, numbers that do not fit.
    fn check(&self) -> Result<(), String> {
        if self.classes.len() == 0 || self.classes.len() > usize::from(crate::labels::IGNORE) {
            return Err(format!(
                "the manifest has {} classes, 1 to 255 are possible",
                self.classes.len()
            ));
        }
        for part in &self.parts {
            if let Some(split) = part.split.as_ref().filter(|split| !is_split_name(split)) {
                return Err(format!(
                    "the manifest has a split that no folder can be called after: {split:?}"
                ));
            }
            if !part.statistics.is_empty() && part.statistics.len() != self.bands.len() {
                return Err(format!(
                    "the manifest has statistics of {} bands and {} bands",
                    part.statistics.len(),
                    self.bands.len()
                ));
            }
            for chip in &part.chips {
                if let Some(class) = chip.class
                    && class >= self.classes.len()
                {
                    return Err(format!(
                        "the manifest has a chip of class {class} and {} classes",
                        self.classes.len()
                    ));
                }
                let paths = [Some(&chip.image), chip.mask.as_ref(), chip.yolo.as_ref()];
                for path in paths.into_iter().flatten() {
                    let plain = |part: std::path::Component<'_>| {
                        matches!(part, std::path::Component::Normal(_))
                    };
                    if path.is_empty() || !Path::new(path).components().all(plain) {
                        return Err(format!(
                            "the manifest names a file outside its folder: {path:?}"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    pub(super) fn bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The files that it names, relative to the folder.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let chips = self.parts.iter().flat_map(|part| &part.chips);
        chips
            .flat_map(|chip| [Some(&chip.image), chip.mask.as_ref(), chip.yolo.as_ref()])
            .flatten()
            .map(String::as_str)
    }

    /// The lists of all chips together that were written, relative to the folder.
    pub(super) fn lists(&self) -> impl Iterator<Item = PathBuf> {
        let coco = self.parts.iter().filter(|part| part.coco);
        let yaml = self.has_yolo().then(|| PathBuf::from(YAML));
        coco.map(|part| coco_place(part.split.as_deref()))
            .chain(yaml)
            .chain([PathBuf::from(CLASSES)])
    }

    /// Whether some chips have YOLO's files, which `data.yaml` describes.
    pub(super) fn has_yolo(&self) -> bool {
        self.parts.iter().any(|part| part.yolo)
    }
}
