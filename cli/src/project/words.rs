//! Values that are one word of a few.

use super::node::{Data, Node};
use super::section::nearest;

macro_rules! words {
    ($($(#[doc = $about:literal])+ $name:ident: $reader:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal),+ $(,)? })+) => {$(
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $doc])+ $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word in the file.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        pub(super) fn $reader(node: &Node) -> Result<$name, String> {
            let words: Vec<&'static str> = $name::ALL.iter().map(|known| known.word()).collect();
            one_of(node, &words).map(|index| $name::ALL[index])
        }
    )+};
}

/// The place of the word among those that are known.
fn one_of(node: &Node, words: &[&str]) -> Result<usize, String> {
    let given = match &node.data {
        Data::Text(text) => text.trim(),
        _ => "",
    };
    if let Some(index) = words.iter().position(|word| *word == given) {
        return Ok(index);
    }
    let all: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let (last, before) = all
        .split_last()
        .map_or(("", &[][..]), |(last, before)| (last.as_str(), before));
    let list = match before {
        [] => last.to_owned(),
        before => format!("{} or {last}", before.join(", ")),
    };
    Err(match nearest(given, words.iter().copied()) {
        Some(near) if !given.is_empty() => format!("{list}: did you mean \"{near}\"?"),
        _ => list,
    })
}

words! {
    /// What a model is for.
    TaskWord: task {
        /// Maps areas.
        Segmentation = "segmentation",
        /// Finds objects.
        Detection = "detection",
        /// Gives classes to cells.
        Classification = "classification",
    }
    /// What labels are read as.
    ObjectsWord: objects {
        /// Areas.
        Areas = "areas",
        /// Boxes around objects.
        Boxes = "boxes",
    }
    /// What becomes of scenes without labels.
    MissingWord: missing {
        /// They are an error.
        Error = "error",
        /// They are all background.
        Background = "background",
        /// They are left out.
        Skip = "skip",
    }
    /// How dates become one.
    CompositeWord: composite {
        /// The middle value.
        Median = "median",
        /// The mean.
        Mean = "mean",
        /// The smallest value.
        Min = "min",
        /// The largest value.
        Max = "max",
        /// The value of the earliest date.
        First = "first",
        /// The value of the latest date.
        Last = "last",
        /// The greenest date.
        MaxNdvi = "max-ndvi",
    }
    /// How scenes are parted.
    SplitWord: split {
        /// Left and right.
        Columns = "columns",
        /// Upper and lower.
        Rows = "rows",
        /// Whole scenes, drawn at random.
        Scene = "scene",
        /// By a column of the table.
        Column = "column",
    }
    /// Where chips are cut.
    ChipsWord: chips {
        /// At random places.
        Random = "random",
        /// Side by side.
        Sliding = "sliding",
        /// Around each object.
        Objects = "objects",
    }
    /// What the share of a scene in the chips follows.
    WeightWord: weight {
        /// Its area.
        Area = "area",
        /// The area that counts in it.
        Labeled = "labeled",
        /// All scenes have the same.
        Even = "even",
    }
    /// What chips are cut around.
    BalanceWord: balance {
        /// Pixels of each class.
        Pixels = "pixels",
        /// Objects of each class.
        Objects = "objects",
    }
    /// How chips are changed at random.
    AugmentWord: augment {
        /// Not at all.
        None = "none",
        /// A little.
        Light = "light",
        /// Much.
        Strong = "strong",
    }
    /// How gradients become changes of the weights.
    OptimizerWord: optimizer {
        /// AdamW.
        AdamW = "adamw",
        /// Stochastic gradient descent.
        Sgd = "sgd",
        /// Stochastic gradient descent that looks ahead.
        Nesterov = "nesterov",
    }
    /// How the learning rate goes.
    ScheduleWord: schedule {
        /// Up, and down to almost nothing.
        OneCycle = "one-cycle",
        /// Half a cosine down.
        Cosine = "cosine",
        /// Down by a power.
        Poly = "poly",
        /// Lower whenever the validation loss does not fall.
        Plateau = "plateau",
        /// Always the same.
        Constant = "constant",
    }
    /// What is made small.
    LossWord: loss {
        /// Cross-entropy and dice.
        Sum = "sum",
        /// Cross-entropy.
        CrossEntropy = "cross-entropy",
        /// Dice.
        Dice = "dice",
        /// Focal.
        Focal = "focal",
        /// Lovász.
        Lovasz = "lovasz",
        /// Cross-entropy and Lovász.
        LovaszSum = "lovasz-sum",
    }
    /// The precision of convolutions.
    PrecisionWord: precision {
        /// 32-bit floats.
        F32 = "f32",
        /// bfloat16.
        Bf16 = "bf16",
    }
}
