use std::fmt;
use std::path::PathBuf;

use super::{BACKGROUND, Classes};

/// A value of a label raster: a number, or a color of a mask that was painted.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum LabelValue {
    /// The value of a pixel of one band.
    Number(f64),
    /// Red, green and blue.
    Color([u8; 3]),
}

macro_rules! numbers {
    ($($kind:ty),*) => {$(
        impl From<$kind> for LabelValue {
            fn from(value: $kind) -> Self {
                Self::Number(f64::from(value))
            }
        }
    )*};
}
numbers!(i8, u8, i16, u16, i32, u32, f32, f64);

impl From<i64> for LabelValue {
    fn from(value: i64) -> Self {
        Self::Number(value as f64)
    }
}

impl From<[u8; 3]> for LabelValue {
    fn from(color: [u8; 3]) -> Self {
        Self::Color(color)
    }
}

impl LabelValue {
    /// The one number that stands for the value: colors as 16 bits each of red, green and blue.
    pub(crate) fn number(self) -> f64 {
        match self {
            // -0.0 is 0.0.
            Self::Number(value) => value + 0.0,
            Self::Color(color) => packed(color.map(f64::from)),
        }
    }
}

impl fmt::Display for LabelValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(value) => write!(f, "{value}"),
            Self::Color([red, green, blue]) => write!(f, "[{red}, {green}, {blue}]"),
        }
    }
}

/// Three whole numbers from 0 to 65,535 as one, which a double holds exactly; NaN for anything else.
pub(crate) fn packed(color: [f64; 3]) -> f64 {
    if color
        .iter()
        .all(|part| (0.0..=65_535.0).contains(part) && part.fract() == 0.0)
    {
        (color[0] * 65_536.0 + color[1]) * 65_536.0 + color[2]
    } else {
        f64::NAN
    }
}

/// The opposite of [`packed`].
pub(crate) fn unpacked(value: f64) -> [u16; 3] {
    let whole = value as u64;
    [
        (whole >> 32) as u16,
        (whole >> 16 & 0xffff) as u16,
        (whole & 0xffff) as u16,
    ]
}

/// What the values say.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Meaning {
    /// They are indices of these classes.
    Indices(Classes),
    /// Each stands for the class of this name.
    Named(Vec<(LabelValue, String)>),
    /// 0 is the background and everything else the one class.
    Binary(String),
    /// From this value up it is the one class.
    Threshold(String, f64),
    /// Each band is the mask of one class.
    Bands(Vec<String>),
    /// What the file itself says, or this style of QGIS.
    OfFile(Option<PathBuf>),
}

/// What becomes of values that nobody named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Others {
    /// They are an error that lists them.
    #[default]
    Refused,
    Background,
    Ignored,
    /// They count as the named value that is nearest.
    Nearest,
}

/// What the values of a label raster mean: for [`crate::scene::Scene::with_label_raster`]. [`Classes`] alone, or a list
/// of names, say that pixel values are class indices, with 0 as the background.
///
/// Every value has to mean something: a value without a meaning is an error, which lists the values there are. Nodata,
/// NaN and transparent pixels count neither in training nor in scores, unless their value is named here
/// ([`LabelValues::nodata_is`] names them all).
///
/// # Examples
/// Codes of a land cover, of which several may be one class (ESA WorldCover):
/// ```
/// use swath::prelude::*;
/// let cover = LabelValues::codes([(10, "tree"), (20, "tree"), (50, "built"), (80, "water")])
///     .background([30, 40, 60])
///     .ignore([0]);
/// assert_eq!(cover.classes().names(), ["background", "tree", "built", "water"]);
/// ```
/// A mask of 0 and 255 (INRIA, and most drawing programs):
/// ```
/// # use swath::prelude::*;
/// let mask = LabelValues::binary("building");
/// ```
/// Classes painted in colors (ISPRS Potsdam):
/// ```
/// # use swath::prelude::*;
/// let painted = LabelValues::colors([([0, 0, 255], "building"), ([0, 255, 0], "tree"), ([255, 255, 0], "car")])
///     .background([[255, 255, 255]])
///     .ignore([[255, 0, 0]]);
/// ```
/// Probabilities, one band for each class, values that are class indices already:
/// ```
/// # use swath::prelude::*;
/// let probable = LabelValues::threshold("flood", 0.5);
/// let one_hot = LabelValues::bands(["soil", "crop", "weed"]);
/// let indices = LabelValues::from(Classes::new(["road", "building"])).ignore([255]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabelValues {
    pub(crate) meaning: Meaning,
    pub(crate) background: Vec<LabelValue>,
    pub(crate) ignored: Vec<LabelValue>,
    pub(crate) others: Others,
    /// The class of pixels without data.
    pub(crate) nodata: Option<String>,
    /// The classes whose indices labels have, when these are not simply in the order in which they are named here.
    pub(crate) order: Option<Classes>,
}

impl LabelValues {
    fn of(meaning: Meaning) -> Self {
        Self {
            meaning,
            background: Vec::new(),
            ignored: Vec::new(),
            others: Others::default(),
            nodata: None,
            order: None,
        }
    }

    /// Codes and the classes that they stand for: any whole numbers, negative ones too. Several codes may be one class;
    /// the class `background` is that of index 0. Classes have the order in which they are named first.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let corine = LabelValues::codes([(111, "urban"), (112, "urban"), (311, "forest"), (-1, "background")]);
    /// assert_eq!(corine.classes().names(), ["background", "urban", "forest"]);
    /// ```
    #[must_use]
    pub fn codes<I, V, N>(codes: I) -> Self
    where
        I: IntoIterator<Item = (V, N)>,
        V: Into<LabelValue>,
        N: Into<String>,
    {
        Self::of(Meaning::Named(
            codes
                .into_iter()
                .map(|(value, name)| (value.into(), name.into()))
                .collect(),
        ))
    }

    /// Colors, as red, green and blue, and the classes that they stand for: for masks of three bands, of four with
    /// transparency (pixels that are wholly transparent have no data), or with a palette.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let painted = LabelValues::colors([([255, 0, 0], "roof"), ([0, 0, 0], "background")]);
    /// assert_eq!(painted.classes().colors()[1], [255, 0, 0]);
    /// ```
    #[must_use]
    pub fn colors<I, N>(colors: I) -> Self
    where
        I: IntoIterator<Item = ([u8; 3], N)>,
        N: Into<String>,
    {
        Self::codes(colors)
    }

    /// A mask of one class: 0 is the background, any other value the class. Where a mask was smeared by JPEG, so that
    /// values near 0 and near the largest one occur, the class begins at half of the largest value, which a notice says.
    ///
    /// ```
    /// use swath::prelude::*;
    /// assert_eq!(LabelValues::binary("building").classes().names(), ["background", "building"]);
    /// ```
    #[must_use]
    pub fn binary(class: impl Into<String>) -> Self {
        Self::of(Meaning::Binary(class.into()))
    }

    /// Probabilities, scores or heights: pixels of at least `at_least` are of the class, those below it background.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let flood = LabelValues::threshold("flood", 0.5);
    /// ```
    #[must_use]
    pub fn threshold(class: impl Into<String>, at_least: f64) -> Self {
        Self::of(Meaning::Threshold(class.into(), at_least))
    }

    /// One band for each class, in the order of the bands (one-hot): a band is 0 where its class is not. A pixel that is
    /// 0 in all of them is background; where several are set the last one wins, as later features lie over earlier ones,
    /// and a notice counts them.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let crops = LabelValues::bands(["maize", "wheat"]);
    /// assert_eq!(crops.classes().names(), ["background", "maize", "wheat"]);
    /// ```
    #[must_use]
    pub fn bands<I>(classes: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        Self::of(Meaning::Bands(
            classes.into_iter().map(Into::into).collect(),
        ))
    }

    /// What the file says itself: names are its category names or those of its attribute table, and where it has none those
    /// of a QGIS style beside it (`NAME.qml` beside `NAME.tif`); colors are those of its color table, and otherwise of that
    /// style. A class called `background` is that. [`LabelValues::background`], [`LabelValues::ignore`] and
    /// [`LabelValues::of_classes`] go before what the file says; its nodata value is without data whatever it is called.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("scene.tif")?.with_label_raster("landcover.tif", LabelValues::of_file())?;
    /// println!("{:?}", scene.classes().names());
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "categories")]
    #[doc(alias = "colormap")]
    pub fn of_file() -> Self {
        Self::of(Meaning::OfFile(None))
    }

    /// What a style of QGIS says (`.qml`, by Layer > Save Style): values, names and colors of "Paletted/Unique values", or of
    /// "Singleband pseudocolor" whose items are the codes. Otherwise as [`LabelValues::of_file`].
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let values = LabelValues::style("landcover.qml").ignore([0]);
    /// let scene = Scene::open("scene.tif")?.with_label_raster("landcover.tif", values)?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "qml")]
    pub fn style(path: impl Into<PathBuf>) -> Self {
        Self::of(Meaning::OfFile(Some(path.into())))
    }

    /// These values, too, are background.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let values = LabelValues::codes([(2, "water")]).background([0, 1]);
    /// ```
    #[must_use]
    pub fn background<I>(mut self, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<LabelValue>,
    {
        self.background.extend(values.into_iter().map(Into::into));
        self
    }

    /// Pixels of these values count neither in training nor in scores: clouds, borders, what nobody has labeled.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let values = LabelValues::codes([(1, "water")]).background([0]).ignore([-9999, 255]);
    /// ```
    #[must_use]
    pub fn ignore<I>(mut self, values: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<LabelValue>,
    {
        self.ignored.extend(values.into_iter().map(Into::into));
        self
    }

    /// Every value that is not named is background; a notice lists them.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let water = LabelValues::codes([(80, "water")]).others_are_background();
    /// ```
    #[must_use]
    pub fn others_are_background(mut self) -> Self {
        self.others = Others::Background;
        self
    }

    /// Pixels of every value that is not named are ignored; a notice lists them.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let known = LabelValues::codes([(10, "tree"), (80, "water")]).others_are_ignored();
    /// ```
    #[must_use]
    pub fn others_are_ignored(mut self) -> Self {
        self.others = Others::Ignored;
        self
    }

    /// Every value that is not named counts as the nearest one that is, in red, green and blue for colors: for masks
    /// whose values were smeared by JPEG or by smoothing. A notice counts the pixels.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let painted = LabelValues::colors([([255, 0, 0], "roof"), ([0, 0, 0], "background")]).others_are_nearest();
    /// ```
    #[must_use]
    pub fn others_are_nearest(mut self) -> Self {
        self.others = Others::Nearest;
        self
    }

    /// Pixels without data (the file's nodata value, NaN, transparent or masked ones) are of this class, or
    /// `background`; otherwise they are ignored. What the label raster does not cover is ignored all the same.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let roads = LabelValues::from(Classes::new(["road"])).nodata_is("background");
    /// ```
    #[must_use]
    pub fn nodata_is(mut self, class: impl Into<String>) -> Self {
        self.nodata = Some(class.into());
        self
    }

    /// Labels get the indices that these classes have, such as those of a model or of another scene. A class that is
    /// named here and is none of them is an error when the raster is opened.
    ///
    /// ```
    /// use swath::prelude::*;
    /// let classes = Classes::new(["built", "tree", "water"]);
    /// let values = LabelValues::codes([(10, "tree"), (50, "built")]).of_classes(&classes);
    /// assert_eq!(values.classes().index_of("tree"), Some(2));
    /// ```
    #[must_use]
    pub fn of_classes(mut self, classes: impl Into<Classes>) -> Self {
        self.order = Some(classes.into());
        self
    }

    /// The classes, the background first; the background alone where the file is to say them.
    #[must_use]
    pub fn classes(&self) -> Classes {
        if let Some(order) = &self.order {
            return order.clone();
        }
        let mut classes = match &self.meaning {
            Meaning::Indices(classes) => return classes.clone(),
            _ => Classes::new(self.names()),
        };
        if let Meaning::Named(named) = &self.meaning {
            // The first color of a class is the one that it is drawn with.
            for (value, name) in named.iter().rev() {
                if let LabelValue::Color(color) = value
                    && name != BACKGROUND
                {
                    classes = classes.with_color(name, *color);
                }
            }
        }
        classes
    }

    /// The names of the classes in the order in which they were given.
    pub(crate) fn names(&self) -> Vec<&str> {
        match &self.meaning {
            Meaning::Indices(classes) => classes
                .iter()
                .skip(1)
                .map(|class| class.name.as_str())
                .collect(),
            Meaning::Named(named) => named.iter().map(|(_, name)| name.as_str()).collect(),
            Meaning::Binary(name) | Meaning::Threshold(name, _) => vec![name],
            Meaning::Bands(names) => names.iter().map(String::as_str).collect(),
            Meaning::OfFile(_) => Vec::new(),
        }
    }

    /// Whether values are colors.
    pub(crate) fn are_colors(&self) -> bool {
        let named: Vec<LabelValue> = match &self.meaning {
            Meaning::Named(named) => named.iter().map(|(value, _)| *value).collect(),
            _ => Vec::new(),
        };
        named
            .iter()
            .chain(&self.background)
            .chain(&self.ignored)
            .any(|value| matches!(value, LabelValue::Color(_)))
    }
}

impl<C: Into<Classes>> From<C> for LabelValues {
    /// Pixel values are indices of these classes; 0 is the background.
    fn from(classes: C) -> Self {
        Self::of(Meaning::Indices(classes.into()))
    }
}
