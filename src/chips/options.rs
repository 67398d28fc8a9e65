use serde::Serialize;

use super::by_class::ClassDraw;
use super::sizes::{self, WindowSizes};
use super::{Augment, Chips, ChipsError};

/// How chips are cut; made by [`Chips::random`], [`Chips::sliding`], their siblings in meters, and [`Chips::objects`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChipOptions {
    pub(super) layout: Layout,
    pub(super) edge: Edge,
    pub(super) windows: Option<WindowSizes>,
    pub(super) seed: u64,
    pub(super) stride: Option<usize>,
    pub(super) flips: bool,
    pub(super) photometric: f32,
    /// Not written when there is none, so that earlier trainings go on.
    #[serde(skip_serializing_if = "Augment::is_none")]
    pub(super) augment: Augment,
    pub(super) min_valid: f64,
    pub(super) padded: bool,
    pub(super) neg_ratio: Option<f64>,
    pub(super) neg_visible: f64,
    pub(super) min_visible: f64,
    #[serde(skip_serializing_if = "Weight::is_area")]
    pub(super) weight: Weight,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) classes: Option<ClassDraw>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) around_objects: bool,
}

/// What the share of a scene in the random chips of several follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Weight {
    Area,
    Labeled,
    Even,
}

impl Weight {
    /// As checkpoints of before many scenes have it.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
    fn is_area(&self) -> bool {
        *self == Self::Area
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) enum Layout {
    Random { count: usize },
    Sliding,
    Objects,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) enum Edge {
    Pixels(usize),
    Meters(f64),
}

impl Chips {
    /// `count` square chips of `size` pixels at random places inside the area, flipped and turned at random, at least
    /// half of their pixels valid.
    #[must_use]
    #[doc(alias = "RandomGeoSampler")]
    #[doc(alias = "random_windows")]
    pub fn random(count: usize, size: usize) -> ChipOptions {
        ChipOptions::new(Layout::Random { count }, Edge::Pixels(size))
    }

    /// As [`Chips::random`], with the edge in meters on the ground.
    #[must_use]
    pub fn random_meters(count: usize, meters: f64) -> ChipOptions {
        ChipOptions::new(Layout::Random { count }, Edge::Meters(meters))
    }

    /// Square chips of `size` pixels side by side over the whole area. The last of each row and column is moved back so
    /// that it ends at the edge: every pixel is covered.
    #[must_use]
    #[doc(alias = "GridGeoSampler")]
    #[doc(alias = "sliding_windows")]
    pub fn sliding(size: usize) -> ChipOptions {
        ChipOptions::new(Layout::Sliding, Edge::Pixels(size))
    }

    /// As [`Chips::sliding`], with the edge in meters on the ground.
    #[must_use]
    pub fn sliding_meters(meters: f64) -> ChipOptions {
        ChipOptions::new(Layout::Sliding, Edge::Meters(meters))
    }

    /// A square chip of `size` pixels for each labeled object, polygon or box, whose middle lies in the area: the square around
    /// it, as long as the object's longer side in whole pixels, resized to `size`, flipped and turned at random. For a
    /// [`crate::models::Classifier`] a chip is of its object's class, whatever rule the scene has: cells that somebody has
    /// drawn, fields, roofs.
    ///
    /// Squares are moved into the area where they fit, and reach over its edge where they do not. Objects of which less than
    /// half counts are left out ([`Chips::report`]).
    ///
    /// ```
    /// use swath::prelude::*;
    /// let town = samples::town(1, 256)?.scene()?;
    /// let chips = town.chips(Chips::objects(32).flips(false))?;
    /// assert_eq!(chips.size(), 32);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Source
    /// Raster Vision's `ChipClassificationLabelSourceConfig(infer_cells=False)`, where the polygons are the cells.
    #[must_use]
    pub fn objects(size: usize) -> ChipOptions {
        ChipOptions::new(Layout::Objects, Edge::Pixels(size))
    }
}

/// More chips would not be seen in a lifetime, and their places fill the memory.
const MOST: usize = 100_000_000;

impl ChipOptions {
    fn new(layout: Layout, edge: Edge) -> Self {
        let random = matches!(layout, Layout::Random { .. });
        let sliding = layout == Layout::Sliding;
        Self {
            layout,
            edge,
            windows: None,
            seed: 0,
            stride: None,
            flips: !sliding,
            photometric: 0.0,
            augment: Augment::none(),
            min_valid: if random { 0.5 } else { 0.0 },
            padded: false,
            neg_ratio: None,
            neg_visible: 0.2,
            min_visible: 0.5,
            weight: Weight::Area,
            classes: None,
            around_objects: false,
        }
    }

    /// The seed of places, flips, colors and all other changes (0 by default): the same seed gives the same chips on any machine.
    #[must_use]
    #[doc(alias = "random_state")]
    #[doc(alias = "manual_seed")]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Of several scenes, as many random chips from each, however large it is. Unless this or
    /// [`ChipOptions::by_labeled_area`] is chosen, a scene's share is that of its area in pixels.
    #[must_use]
    #[doc(alias = "weights")]
    pub fn evenly(mut self) -> Self {
        self.weight = Weight::Even;
        self
    }

    /// Of several scenes, random chips from each by the area that counts in it: valid, of interest and, where labels are
    /// partial, labeled.
    #[must_use]
    pub fn by_labeled_area(mut self) -> Self {
        self.weight = Weight::Labeled;
        self
    }

    /// Random chips are cut around the classes, each class with the same share of them, so that rare classes are seen as often
    /// as common ones: the middle of a chip is a labeled pixel of its class, every one as likely as any other in all scenes,
    /// moved only where the edge of the area asks for it. The background is a class when labels are of pixels. Of scenes that
    /// have boxes alone the middle of an object takes the place of a pixel, as with [`ChipOptions::around_objects`]; beside
    /// scenes with labeled pixels an object counts as the pixels of its box.
    ///
    /// The labels are read once when the chips are made. Classes that do not occur are named by [`Chips::report`].
    /// [`crate::scenes::ClassShares::balanced_weights`] makes up for rare classes in the loss instead.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let scene = samples::town(1, 256)?.scene()?;
    /// let chips = scene.chips(Chips::random(40, 64).seed(7).balanced())?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Source
    /// TorchIO's `LabelSampler`, nnU-Net's oversampling of the foreground.
    #[must_use]
    #[doc(alias = "oversample")]
    #[doc(alias = "LabelSampler")]
    #[doc(alias = "WeightedRandomSampler")]
    #[doc(alias = "class_balanced")]
    pub fn balanced(mut self) -> Self {
        self.classes = Some(ClassDraw::Even);
        self
    }

    /// As [`ChipOptions::balanced`], with a share of the chips for each class that is named, from 0 to 1; the other chips are
    /// cut anywhere.
    ///
    /// ```
    /// use swath::prelude::*;
    /// // Three chips of ten around a car or a road, seven anywhere.
    /// let options = Chips::random(400, 256).class_shares([("car", 0.2), ("road", 0.1)]);
    /// ```
    #[must_use]
    pub fn class_shares<S: Into<String>>(
        mut self,
        shares: impl IntoIterator<Item = (S, f64)>,
    ) -> Self {
        let shares = shares.into_iter();
        let shares = shares.map(|(name, share)| (name.into(), share)).collect();
        self.classes = Some(ClassDraw::Shares(shares));
        self
    }

    /// Chips that are cut around classes are cut around their objects, each object as likely as any other of its class,
    /// however large: for [`ChipOptions::balanced`] and [`ChipOptions::class_shares`] on scenes whose labels have boxes.
    #[must_use]
    pub fn around_objects(mut self) -> Self {
        self.around_objects = true;
        self
    }

    /// The distance between sliding chips in pixels of the scene, the edge of their windows by default.
    #[must_use]
    #[doc(alias = "step")]
    pub fn stride(mut self, stride: usize) -> Self {
        self.stride = Some(stride);
        self
    }

    /// The chip's edge in meters on the ground instead of pixels.
    #[must_use]
    pub fn meters(mut self, meters: f64) -> Self {
        self.edge = Edge::Meters(meters);
        self
    }

    /// Whether chips are mirrored and turned by quarters at random, labels alike; on by default, but for sliding chips.
    #[must_use]
    #[doc(alias = "horizontal_flip")]
    pub fn flips(mut self, flips: bool) -> Self {
        self.flips = flips;
        self
    }

    /// Changes brightness, contrast and each band's balance at random by up to this share of the bands' deviation; 0
    /// (off) by default, 0.1 to 0.3 are usual. Works on any number of bands.
    #[must_use]
    #[doc(alias = "color_jitter")]
    #[doc(alias = "brightness")]
    pub fn photometric(mut self, strength: f32) -> Self {
        self.photometric = strength;
        self
    }

    /// The least share of valid pixels of the window, from 0 to 1; half by default for random chips. With 0, too, a chip
    /// shows something. What lies outside the area of interest is valid imagery.
    #[must_use]
    #[doc(alias = "nodata_threshold")]
    pub fn min_valid(mut self, share: f64) -> Self {
        self.min_valid = share;
        self
    }

    /// Lets chips reach over the area's edge: what lies outside is invalid and its labels are ignored.
    #[must_use]
    #[doc(alias = "padding")]
    #[doc(alias = "pad")]
    pub fn padded(mut self) -> Self {
        self.padded = true;
        self
    }

    /// For a scene with boxes: this share of random chips, from 0 to 1, are negatives, in which no box is visible by more
    /// than [`ChipOptions::neg_visible`]; each of the others holds one box, drawn at random, that lies anywhere in the
    /// chip. Without it (the default) every place is as likely as any other. Where a scene is too full for a negative,
    /// the emptiest of 64 places is taken.
    #[must_use]
    #[doc(alias = "negative_ratio")]
    pub fn neg_ratio(mut self, share: f64) -> Self {
        self.neg_ratio = Some(share);
        self
    }

    /// How much of a box may be visible in a negative, as the share of its own area (0.2 by default, as in Raster
    /// Vision's `neg_ioa_thresh`).
    #[must_use]
    pub fn neg_visible(mut self, share: f64) -> Self {
        self.neg_visible = share;
        self
    }

    /// The least share of a box's own area that a chip must hold for the box to be kept, cut to the chip (0.5 by default;
    /// Raster Vision's `ioa_thresh`): half an object at the edge is still to be found, a sliver is not.
    #[must_use]
    pub fn min_visible(mut self, share: f64) -> Self {
        self.min_visible = share;
        self
    }
}

impl ChipOptions {
    /// Whether the places of the chips are known before they are read.
    pub(super) fn is_placed(&self) -> bool {
        !matches!(self.layout, Layout::Random { .. })
    }

    /// The name of a change at random that puts several chips together, if there is one.
    pub(crate) fn joins_chips(&self) -> Option<&'static str> {
        self.augment.joins_chips()
    }
}

/// Refuses options that cannot be.
pub(super) fn check(options: &ChipOptions) -> Result<(), ChipsError> {
    let bad = |what, found: String, expected| {
        Err(ChipsError::BadOption {
            what,
            found,
            expected,
        })
    };
    match options.edge {
        Edge::Pixels(0) => return bad("the chip size", "0 px".to_owned(), "at least 1 px"),
        Edge::Meters(meters) if !(meters.is_finite() && meters > 0.0) => {
            return bad("the chip size", format!("{meters} m"), "a length above 0");
        }
        _ => {}
    }
    if options.layout == (Layout::Random { count: 0 }) {
        return bad("the number of chips", "0".to_owned(), "at least 1");
    }
    let random = matches!(options.layout, Layout::Random { .. });
    if let Some(stride) = options.stride
        && options.layout != Layout::Sliding
    {
        return bad(
            match random {
                true => "the stride of random chips",
                false => "the stride of chips of objects",
            },
            format!("{stride} px"),
            "none (a stride is for chips side by side: `Chips::sliding(size).stride(step)`)",
        );
    }
    if let Some(share) = options.neg_ratio
        && !random
    {
        return bad(
            "the share of negatives of chips at places of their own",
            share.to_string(),
            "none (it is for chips at random places: `Chips::random(count, size).neg_ratio(share)`)",
        );
    }
    if options.classes.is_some() && !random {
        return bad(
            "the choice of classes of chips at places of their own",
            "made".to_owned(),
            "none (it is for chips at random places: `Chips::random(count, size).balanced()`)",
        );
    }
    if options.classes.is_some() && options.neg_ratio.is_some() {
        return bad(
            "the share of negatives of chips that are cut around classes",
            options.neg_ratio.unwrap_or(0.0).to_string(),
            "none (`.class_shares([…])` leaves the other chips anywhere)",
        );
    }
    if options.around_objects && options.classes.is_none() {
        return bad(
            "what chips are cut around",
            "objects, of no class".to_owned(),
            "`.balanced()` or `.class_shares([…])` beside `.around_objects()`",
        );
    }
    if let Some(draw) = &options.classes {
        draw.check()?;
    }
    if let Layout::Random { count } = options.layout
        && count > MOST
    {
        return bad(
            "the number of chips",
            count.to_string(),
            "at most 100,000,000",
        );
    }
    if options.stride == Some(0) {
        return bad("the stride", "0 px".to_owned(), "at least 1 px");
    }
    for (what, share) in [
        ("the least valid share", options.min_valid),
        ("the photometric strength", f64::from(options.photometric)),
        ("the share of negatives", options.neg_ratio.unwrap_or(0.0)),
        ("what may be visible in a negative", options.neg_visible),
        ("the least visible share of a box", options.min_visible),
    ] {
        if !(0.0..=1.0).contains(&share) {
            return bad(what, share.to_string(), "a share from 0 to 1");
        }
    }
    options.augment.check()?;
    sizes::check(options)
}
