use crate::models::ChipClassification;
use crate::predict::{OptionsFor, PredictError, check_probability, wrong};

/// The largest side of a cell.
const LARGEST: usize = 8192;

/// How a scene is classified.
///
/// | choice | unless set |
/// |---|---|
/// | [`ClassificationOptions::cell`] | the size of the chips that the model was trained on: side of a cell, in pixels |
/// | [`ClassificationOptions::batch`] | 1 on the CPU, on a GPU what is fastest of 8 and more: cells classified at once |
/// | [`ClassificationOptions::flips`] | false: every cell is seen once, not mirrored too |
/// | [`ClassificationOptions::turns`] | false: nor turned by quarters |
/// | [`ClassificationOptions::threshold`] | none: a cell gets its most probable class, background included |
/// | [`ClassificationOptions::any_values`] | false: values unlike those of the training are an error |
/// | [`ClassificationOptions::quiet`] | false: show progress |
///
/// [`ClassificationOptions::overlap`] is refused, and [`ClassificationOptions::window`] has no meaning: what the network sees
/// is a cell.
///
/// ```
/// use swath::classify::ClassificationOptions;
/// let options = ClassificationOptions::new().cell(128).flips(true);
/// ```
pub type ClassificationOptions = OptionsFor<ChipClassification>;

/// The choices that only cells have.
#[derive(Clone, Default, PartialEq)]
pub struct CellOptions {
    pub(super) cell: Option<usize>,
}

/// `CellOptions { cell: 64 }`, or what it is unless set.
impl std::fmt::Debug for CellOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = f.debug_struct("CellOptions");
        match self.cell {
            Some(cell) => fields.field("cell", &cell),
            None => fields.field("cell", &"that of the chips"),
        };
        fields.finish()
    }
}

impl OptionsFor<ChipClassification> {
    /// Side of a cell in pixels. A network knows best what it has seen: cells of the chips' size.
    #[doc(alias = "cell_sz")]
    pub fn cell(mut self, pixels: usize) -> Self {
        self.of_task.cell = Some(pixels);
        self
    }

    pub(super) fn check(&self) -> Result<(), PredictError> {
        if let Some(cell) = self.of_task.cell
            && !(1..=LARGEST).contains(&cell)
        {
            return Err(wrong("cell", &cell, format!("from 1 to {LARGEST}")));
        }
        if let Some(overlap) = self.tiling.overlap {
            return Err(wrong(
                "overlap",
                &overlap,
                "nothing: cells lie side by side",
            ));
        }
        if self.tiling.batch == Some(0) {
            return Err(wrong("batch", &0, "at least 1"));
        }
        match self.tiling.threshold {
            Some(threshold) => check_probability("threshold", threshold),
            None => Ok(()),
        }
    }
}
