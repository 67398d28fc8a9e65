use super::ChipSetError;

/// How imagery is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum Container {
    GeoTiff,
    Png,
}

impl Container {
    pub(super) const fn ending(self) -> &'static str {
        match self {
            Self::GeoTiff => "tif",
            Self::Png => "png",
        }
    }
}

/// How chips become files; see [`Chips::save_with`](crate::chips::Chips::save_with).
///
/// | choice | unless set |
/// |---|---|
/// | [`ChipSetOptions::png`] | GeoTIFF: any type, any bands, named and with their place |
/// | [`ChipSetOptions::split`] | no split: `images/`, not `images/train/` |
/// | [`ChipSetOptions::epoch`] | chips as they lie in their scenes, not turned and not changed |
/// | [`ChipSetOptions::plain_masks`] | masks have a color table |
/// | [`ChipSetOptions::coco`] | true: chips with boxes get a COCO file |
/// | [`ChipSetOptions::yolo`] | false: no YOLO files |
/// | [`ChipSetOptions::quiet`] | false: a line tells how far it is |
///
/// ```
/// use swath::prelude::*;
/// let options = ChipSetOptions::new().split("train").yolo(true);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[expect(clippy::struct_excessive_bools, reason = "independent choices")]
pub struct ChipSetOptions {
    pub(super) container: Container,
    pub(super) split: Option<String>,
    pub(super) epoch: Option<usize>,
    pub(super) plain_masks: bool,
    pub(super) coco: bool,
    pub(super) yolo: bool,
    pub(super) quiet: bool,
}

impl Default for ChipSetOptions {
    fn default() -> Self {
        Self {
            container: Container::GeoTiff,
            split: None,
            epoch: None,
            plain_masks: false,
            coco: true,
            yolo: false,
            quiet: false,
        }
    }
}

impl ChipSetOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Imagery and masks as PNG: 8 or 16 bits without sign and 1, 3 or 4 bands alone. PNG has no place on the ground, no
    /// names of bands and no nodata: the manifest keeps the first two, invalid pixels are 0 and their label is 255.
    pub const fn png(mut self) -> Self {
        self.container = Container::Png;
        self
    }

    /// The part of the data set that these chips are, such as `train`, `val` or `test`: its files lie in folders of this
    /// name, and chips that are saved for another part stay.
    #[doc(alias = "subset")]
    pub fn split(mut self, name: impl Into<String>) -> Self {
        self.split = Some(name.into());
        self
    }

    /// Chips as this epoch of a training sees them: mirrored, turned and changed as
    /// [`ChipOptions`](crate::chips::ChipOptions) say. Such chips have no place on the ground, and
    /// values that are no whole numbers.
    #[doc(alias = "augmented")]
    pub const fn epoch(mut self, epoch: usize) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// Masks without a color table, for programs such as OpenCV that replace indices by the colors.
    pub const fn plain_masks(mut self) -> Self {
        self.plain_masks = true;
        self
    }

    /// Whether boxes are written as COCO, `annotations/instances_SPLIT.json`.
    pub const fn coco(mut self, write: bool) -> Self {
        self.coco = write;
        self
    }

    /// Whether boxes are written as YOLO, `labels/` and `data.yaml`; rotated boxes as the upright ones around them, which the
    /// report counts.
    pub const fn yolo(mut self, write: bool) -> Self {
        self.yolo = write;
        self
    }

    /// Without the line of progress.
    pub const fn quiet(mut self, quiet: bool) -> Self {
        self.quiet = quiet;
        self
    }

    /// Refuses names of splits that are no names of folders.
    pub(super) fn check(&self) -> Result<(), ChipSetError> {
        let Some(name) = &self.split else {
            return Ok(());
        };
        match is_split_name(name) {
            true => Ok(()),
            false => Err(ChipSetError::SplitName {
                found: name.clone(),
            }),
        }
    }
}

/// Whether a folder may have this name: one that leads nowhere else.
pub(super) fn is_split_name(name: &str) -> bool {
    let sound = |letter: char| letter.is_alphanumeric() || ['_', '-', '.'].contains(&letter);
    !name.is_empty() && !name.starts_with('.') && name.chars().all(sound)
}
