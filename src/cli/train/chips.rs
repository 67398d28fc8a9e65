//! The chips of a project file.

use swath_cli::project::{AugmentWord, BalanceWord, ChipsSection, ChipsWord, Project, WeightWord};

use super::super::Failure;
use super::Material;
use crate::chips::{Augment, ChipOptions, ChipSet, Chips};

/// Random chips, where the file says no number.
const COUNT: usize = 400;
/// Pixels of their edge, where the file says none.
const SIZE: usize = 256;

/// How chips are cut.
pub(super) fn options(project: &Project) -> ChipOptions {
    let chips = &project.chips;
    let size = chips.size.unwrap_or(SIZE);
    let mut options = match chips.kind.unwrap_or(ChipsWord::Random) {
        ChipsWord::Random => Chips::random(chips.count.unwrap_or(COUNT), size),
        ChipsWord::Sliding => Chips::sliding(size),
        ChipsWord::Objects => Chips::objects(size),
    };
    if let Some(meters) = chips.meters {
        options = options.meters(meters);
    }
    if let Some((low, high)) = chips.window_sizes {
        options = options.window_sizes(low..=high);
    }
    if let Some(stride) = chips.stride {
        options = options.stride(stride);
    }
    options = match chips.weight {
        None | Some(WeightWord::Area) => options,
        Some(WeightWord::Labeled) => options.by_labeled_area(),
        Some(WeightWord::Even) => options.evenly(),
    };
    if let Some(shares) = &chips.class_shares {
        options = options.class_shares(shares.iter().map(|(name, share)| (name.clone(), *share)));
    }
    // With shares of classes, `balance` says what stands for a class.
    options = match (chips.balance, &chips.class_shares) {
        (None, _) | (Some(BalanceWord::Pixels), Some(_)) => options,
        (Some(BalanceWord::Pixels), None) => options.balanced(),
        (Some(BalanceWord::Objects), None) => options.balanced().around_objects(),
        (Some(BalanceWord::Objects), Some(_)) => options.around_objects(),
    };
    if let Some(share) = chips.neg_ratio {
        options = options.neg_ratio(share);
    }
    if let Some(share) = chips.neg_visible {
        options = options.neg_visible(share);
    }
    if chips.padded == Some(true) {
        options = options.padded();
    }
    changes(options, chips)
}

/// What chips of any kind, and those of a data set, can have.
fn changes(mut options: ChipOptions, chips: &ChipsSection) -> ChipOptions {
    if let Some(seed) = chips.seed {
        options = options.seed(seed);
    }
    if let Some(share) = chips.min_visible {
        options = options.min_visible(share);
    }
    if let Some(share) = chips.min_valid {
        options = options.min_valid(share);
    }
    if let Some(flips) = chips.flips {
        options = options.flips(flips);
    }
    if let Some(strength) = chips.photometric {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a strength has a few digits"
        )]
        let strength = strength as f32;
        options = options.photometric(strength);
    }
    match chips.augment {
        None => options,
        Some(AugmentWord::None) => options.augment(Augment::none()),
        Some(AugmentWord::Light) => options.augment(Augment::light()),
        Some(AugmentWord::Strong) => options.augment(Augment::strong()),
    }
}

/// The two splits of a data set of chips.
pub(super) fn of_set(project: &Project, set: &str) -> Result<Material, Failure> {
    let chips = &project.chips;
    let set = ChipSet::open(project.path(set))?;
    let train = set.split(chips.set_train.as_deref().unwrap_or("train"))?;
    let valid = set.split(chips.set_valid.as_deref().unwrap_or("val"))?;
    let options = changes(train.options()?, chips);
    Ok(Material {
        chips: train.scenes().chips(options)?,
        valid: valid.scenes().clone(),
    })
}
