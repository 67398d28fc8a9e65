//! What the values that a label raster holds mean by what the user says: a map from values to labels with notices of
//! everything assumed, or an error that lists the values.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::value_counts::{NumberKind, ValueCounts, key, listed};
use super::value_map::{Otherwise, ValueMap};
use super::values::{Meaning, Others, packed};
use super::{BACKGROUND, Classes, IGNORE, LabelError, LabelValue, LabelValues};
use crate::host::{Step, either, in_a_shell};
use crate::report::{Notice, Report, Topic, file_name};

/// What is known of a label raster.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) counts: ValueCounts,
    /// What is counted: `pixels`, or those `of the label raster` where they are not the scene's.
    pub(crate) unit: &'static str,
    pub(crate) kind: NumberKind,
    /// The nodata value as one of the numbers counted.
    pub(crate) nodata: Option<f64>,
    /// Whether numbers are 32-bit floats, which is what they are compared as.
    pub(crate) single: bool,
    /// The lossy compression of the file.
    pub(crate) lossy: Option<String>,
    /// What the file calls its values.
    pub(crate) names: BTreeMap<i64, String>,
}

/// How a label raster is read from now on.
#[derive(Clone, Debug)]
pub(crate) struct Resolved {
    pub(crate) classes: Classes,
    pub(crate) map: ValueMap,
    pub(crate) report: Report,
}

/// What the values mean.
///
/// # Errors
/// [`LabelError`] when a value has no meaning or two.
pub(crate) fn resolve(values: &LabelValues, found: &Found) -> Result<Resolved, LabelError> {
    let mut resolving = Resolving::new(values, found)?;
    resolving.nodata()?;
    match &values.meaning {
        Meaning::Indices(_) => resolving.convention_of_255()?,
        Meaning::Binary(class) => resolving.binary(class)?,
        Meaning::Threshold(class, at_least) => {
            let label = resolving.label_of(class)?;
            resolving.otherwise = Otherwise::From(resolving.rounded(*at_least), label);
        }
        Meaning::Named(_) | Meaning::Bands(_) | Meaning::OfFile(_) => {}
    }
    resolving.others()?;
    resolving.say_what_is_there();
    Ok(Resolved {
        classes: resolving.classes,
        map: ValueMap {
            named: resolving.named,
            otherwise: resolving.otherwise,
            no_data: resolving.no_data,
            below: 0,
            kind: found.kind,
        },
        report: resolving.report,
    })
}

struct Resolving<'a> {
    values: &'a LabelValues,
    found: &'a Found,
    file: String,
    classes: Classes,
    named: HashMap<u64, u8>,
    /// The values that the user spelled out.
    explicit: HashMap<u64, u8>,
    otherwise: Otherwise,
    no_data: u8,
    report: Report,
}

impl<'a> Resolving<'a> {
    fn new(values: &'a LabelValues, found: &'a Found) -> Result<Self, LabelError> {
        let mut distinct = values.names();
        distinct.sort_unstable();
        distinct.dedup();
        distinct.retain(|name| *name != BACKGROUND);
        if distinct.len() >= usize::from(IGNORE) {
            return Err(LabelError::TooManyClasses {
                found: distinct.len(),
            });
        }
        let mut new = Self {
            values,
            found,
            file: file_name(&found.path),
            classes: values.classes(),
            named: HashMap::new(),
            explicit: HashMap::new(),
            otherwise: Otherwise::Refused,
            no_data: IGNORE,
            report: Report::new(),
        };
        match &values.meaning {
            Meaning::Indices(classes) => {
                for (index, class) in classes.iter().enumerate() {
                    let label = new.label_of(&class.name)?;
                    new.named.insert(key(index as f64), label);
                }
            }
            Meaning::Named(named) => {
                if named.is_empty() && values.background.is_empty() {
                    return Err(LabelError::NothingNamed);
                }
                for (value, name) in named {
                    let label = new.label_of(name)?;
                    new.spell_out(*value, label)?;
                }
            }
            Meaning::Binary(_) => {
                new.named.insert(key(0.0), 0);
            }
            // Its names stand in its place by now.
            Meaning::OfFile(_) => return Err(LabelError::NothingNamed),
            Meaning::Threshold(..) => {}
            Meaning::Bands(names) => {
                new.named.insert(key(0.0), 0);
                for (index, name) in names.iter().enumerate() {
                    let (band, label) = (index as f64 + 1.0, new.label_of(name)?);
                    new.named.insert(key(band), label);
                    new.named.insert(key(band + 0.5), label);
                }
            }
        }
        for value in &values.background {
            new.spell_out(*value, 0)?;
        }
        for value in &values.ignored {
            new.spell_out(*value, IGNORE)?;
        }
        let explicit = new.explicit.clone();
        new.named.extend(explicit);
        Ok(new)
    }

    /// A number as the raster holds it.
    fn rounded(&self, value: f64) -> f64 {
        if self.found.single {
            f64::from(value as f32)
        } else {
            value
        }
    }

    fn label_of(&self, name: &str) -> Result<u8, LabelError> {
        let index = self.classes.index_of(name);
        index
            .map(|index| index as u8)
            .ok_or_else(|| LabelError::NoSuchClass {
                name: name.to_owned(),
                classes: self
                    .classes
                    .names()
                    .into_iter()
                    .map(str::to_owned)
                    .collect(),
            })
    }

    fn name_of(&self, label: u8) -> String {
        let class = self.classes.get(usize::from(label));
        class.map_or("ignored".to_owned(), |class| class.name.clone())
    }

    fn spell_out(&mut self, value: LabelValue, label: u8) -> Result<(), LabelError> {
        let number = match (value, self.found.kind) {
            // One number for three colors is a gray.
            (LabelValue::Number(number), NumberKind::Color) => packed([number; 3]),
            (value, _) => self.rounded(value.number()),
        };
        if number.is_nan() {
            // Without data whatever it is called.
            return Ok(());
        }
        match self.explicit.insert(key(number), label) {
            Some(other) if other != label => Err(LabelError::NamedTwice {
                value: value.to_string(),
                first: self.name_of(other),
                second: self.name_of(label),
            }),
            _ => Ok(()),
        }
    }

    fn say(&mut self, notice: Notice) {
        let file = self.file.clone();
        self.report.push(notice.about(file));
    }

    /// Pixels of the nodata value, and those that are NaN, masked or transparent.
    ///
    /// # Source
    /// Nodata 0 in a raster of class indices is what `gdal_rasterize -a_nodata 0` leaves: it fills with 0 what no polygon
    /// covers. That is the background, as Raster Vision takes it; GDAL's and rasterio's masks would drop it.
    fn nodata(&mut self) -> Result<(), LabelError> {
        let unit = self.found.unit;
        let given = self.values.nodata.as_deref();
        let given = given.map(|name| self.label_of(name)).transpose()?;
        self.no_data = given.unwrap_or(IGNORE);
        let missing = self.found.counts.no_data;
        if missing > 0 && given.is_none() {
            let notice = Notice::noted(format!(
                "{missing} {unit} have no data (NaN, masked or transparent): they are ignored"
            ))
            .count(missing as usize);
            // `--values` has no word for them.
            self.say(match in_a_shell() {
                true => notice,
                false => notice.next("`.nodata_is(CLASS)` of `LabelValues` gives them a class"),
            });
        }
        let Some(nodata) = self.found.nodata.map(|nodata| self.rounded(nodata)) else {
            return Ok(());
        };
        if nodata.is_nan() {
            return Ok(());
        }
        let pixels = self.found.counts.of(nodata);
        let shown = self.found.kind.shown(nodata);
        let (label, notice) = match (
            given,
            self.explicit.get(&key(nodata)),
            self.named.get(&key(nodata)),
        ) {
            (Some(label), _, _) => (label, None),
            (None, Some(&label), _) => {
                let name = self.name_of(label);
                let notice = Notice::noted(format!(
                    "{shown} is the file's nodata value and was named: {pixels} {unit} are {name}"
                ));
                (label, (label != IGNORE).then_some(notice))
            }
            // Background is what an index of 0 is, and what a mask or a threshold has there.
            (None, None, _) if nodata == 0.0 && self.zero_is_background() => {
                let notice = Notice::assumed(format!(
                    "0 is the file's nodata value and the background at once: {pixels} {unit} are background"
                ));
                (
                    0,
                    Some(notice.next(either(
                        "`.ignore([0])` of `LabelValues` ignores them",
                        "`--values` with `0:ignore` ignores them",
                    ))),
                )
            }
            (None, None, Some(&label)) => {
                let name = self.name_of(label);
                let notice = Notice::assumed(format!(
                    "{shown} is the file's nodata value and the value of {name:?} at once: {pixels} {unit} are ignored"
                ));
                let next = either(
                    format!("`.nodata_is({name:?})` of `LabelValues` keeps them"),
                    format!("`--values` with `{shown}:{name}` keeps them"),
                );
                (IGNORE, Some(notice.next(next)))
            }
            (None, None, None) => {
                let notice = Notice::noted(format!(
                    "{pixels} {unit} hold the nodata value {shown}: they are ignored"
                ));
                let next = either(
                    "`.nodata_is(CLASS)` of `LabelValues` gives them a class".to_owned(),
                    format!("`--values` with `{shown}:CLASS` gives them a class"),
                );
                (IGNORE, Some(notice.next(next)))
            }
        };
        self.named.insert(key(nodata), label);
        if let Some(notice) = notice.filter(|_| pixels > 0) {
            self.say(notice.count(pixels as usize));
        }
        Ok(())
    }

    fn zero_is_background(&self) -> bool {
        !matches!(self.values.meaning, Meaning::Named(_)) && self.found.kind != NumberKind::Color
    }

    /// The values without a label, the most frequent first.
    fn unknown(&self) -> Vec<(f64, u64)> {
        let values = self.found.counts.values.iter().copied();
        values
            .filter(|(value, _)| !self.named.contains_key(&key(*value)))
            .collect()
    }

    /// Among class indices 255 is what is ignored, as in PASCAL VOC, Cityscapes and PyTorch's usual `ignore_index`. Where
    /// it is the only value beside 0 it is far more often the one class of a mask.
    fn convention_of_255(&mut self) -> Result<(), LabelError> {
        let unit = self.found.unit;
        let value = f64::from(IGNORE);
        if self.named.contains_key(&key(value)) {
            return Ok(());
        }
        let pixels = self.found.counts.of(value);
        let others = self.values.others;
        self.named.insert(key(value), IGNORE);
        if pixels == 0 || !self.unknown().is_empty() && others == Others::Refused {
            if pixels > 0 {
                self.named.remove(&key(value));
            }
            return Ok(());
        }
        let counts = &self.found.counts;
        let indexed = counts.values.iter().any(|(value, _)| {
            let label = self.named.get(&key(*value));
            label.is_some_and(|&label| label != 0 && label != IGNORE)
        });
        if !indexed && self.classes.len() > 1 {
            return Err(LabelError::Only255 {
                path: self.found.path.clone(),
                pixels,
                classes: self.indices().split_off(1),
                values: counts.listed(self.found.kind),
            });
        }
        self.say(
            Notice::noted(format!(
                "{pixels} {unit} are 255, which by convention is ignored"
            ))
            .count(pixels as usize)
            .next(either(
                "`.ignore([255])` of `LabelValues` confirms it, `LabelValues::codes` gives 255 a class",
                "`--values` with `255:ignore` confirms it, with `255:CLASS` gives 255 a class",
            )),
        );
        Ok(())
    }

    /// `0 background`, `1 building`.
    fn indices(&self) -> Vec<String> {
        let classes = match &self.values.meaning {
            Meaning::Indices(classes) => classes,
            _ => &self.classes,
        };
        let named = classes.iter().enumerate();
        named
            .map(|(index, class)| format!("{index} {}", class.name))
            .collect()
    }

    /// Any value but 0 is the class, unless the values are those of a mask that was smeared.
    fn binary(&mut self, class: &str) -> Result<(), LabelError> {
        let unit = self.found.unit;
        let label = self.label_of(class)?;
        let unknown = self.unknown();
        if self.is_fraction(&unknown) {
            return Err(self.fractions(&unknown));
        }
        if unknown.iter().any(|(value, _)| *value < 0.0) {
            let negative: Vec<(f64, u64)> = unknown
                .iter()
                .copied()
                .filter(|(value, _)| *value < 0.0)
                .collect();
            return Err(self.refused(&negative));
        }
        self.otherwise = Otherwise::Label(label);
        if unknown.len() < 2 {
            return Ok(());
        }
        if let Some((middle, smeared)) = self.smeared(&unknown) {
            self.otherwise = Otherwise::From(middle, label);
            let why = self.found.lossy.as_ref();
            let why = why.map_or(String::new(), |lossy| format!(" by {lossy} compression"));
            self.say(
                Notice::converted(format!(
                    "the mask's values are smeared{why}, {smeared} {unit} lie between 0 and the largest value: from {middle} up \
                     they are {class}"
                ))
                .count(smeared as usize)
                .next("save masks without loss (PNG, or GeoTIFF with DEFLATE)"),
            );
            return Ok(());
        }
        let pixels: u64 = unknown.iter().map(|(_, pixels)| pixels).sum();
        let values = listed(&unknown, self.found.kind);
        self.say(
            Notice::noted(format!(
                "{} values that are not 0 are all {class}: {values}",
                unknown.len()
            ))
            .count(pixels as usize)
            .next(either(
                "`.ignore([VALUE])` leaves one out, `LabelValues::codes` tells them apart",
                "`--values VALUE:CLASS,VALUE:ignore` tells them apart",
            )),
        );
        Ok(())
    }

    /// Half of the largest value, and the pixels between 0 and that value, when nearly all values lie close to one of
    /// both or the file is compressed with loss.
    fn smeared(&self, unknown: &[(f64, u64)]) -> Option<(f64, u64)> {
        let high = unknown
            .iter()
            .fold(0.0, |high: f64, (value, _)| high.max(*value));
        let sum = |keep: &dyn Fn(f64) -> bool| -> u64 {
            let kept = unknown.iter().filter(|(value, _)| keep(*value));
            kept.map(|(_, pixels)| pixels).sum()
        };
        let between = sum(&|value| value < high);
        if self.found.kind != NumberKind::Value || high < 16.0 || between == 0 {
            return None;
        }
        let (low, near) = (high / 8.0, high * 7.0 / 8.0);
        let middle = sum(&|value| value > low && value < near);
        let all = self.found.counts.total();
        let close = unknown.len() > 2
            && sum(&|value| value <= low) > 0
            && sum(&|value| value >= near && value < high) > 0
            && middle * 10 <= all;
        (close || self.found.lossy.is_some()).then(|| ((high / 2.0).ceil(), between))
    }

    /// Values that nobody named.
    fn others(&mut self) -> Result<(), LabelError> {
        let unit = self.found.unit;
        if matches!(self.otherwise, Otherwise::Label(_) | Otherwise::From(..)) {
            return Ok(());
        }
        let unknown = self.unknown();
        let pixels: u64 =
            unknown.iter().map(|(_, pixels)| pixels).sum::<u64>() + self.found.counts.more;
        let text = listed(&unknown, self.found.kind);
        let (otherwise, notice) = match self.values.others {
            Others::Refused if unknown.is_empty() && self.found.counts.more == 0 => return Ok(()),
            Others::Refused if self.is_fraction(&unknown) => return Err(self.fractions(&unknown)),
            Others::Refused => return Err(self.refused(&unknown)),
            Others::Background => (
                Otherwise::Label(0),
                Notice::left_out(format!(
                    "{pixels} {unit} of other values are background: {text}"
                )),
            ),
            Others::Ignored => (
                Otherwise::Label(IGNORE),
                Notice::left_out(format!(
                    "{pixels} {unit} of other values are ignored: {text}"
                )),
            ),
            Others::Nearest => {
                // Nodata is no neighbor of anything.
                let nodata = self.found.nodata.map(key);
                let mut named: Vec<(f64, u8)> = self
                    .named
                    .iter()
                    .filter(|(value, _)| {
                        Some(**value) != nodata || self.explicit.contains_key(value)
                    })
                    .map(|(&value, &label)| (f64::from_bits(value), label))
                    .collect();
                named.sort_by(|a, b| a.0.total_cmp(&b.0));
                (
                    Otherwise::Nearest(named),
                    Notice::converted(format!(
                        "{pixels} {unit} of {} other values count as the nearest that is named",
                        unknown.len()
                    )),
                )
            }
        };
        self.otherwise = otherwise;
        if pixels > 0 {
            self.say(
                notice
                    .count(pixels as usize)
                    .next(format!("{} lists the values", Step::ListValues)),
            );
        }
        Ok(())
    }

    fn is_fraction(&self, unknown: &[(f64, u64)]) -> bool {
        match self.found.kind {
            NumberKind::Value => unknown.iter().any(|(value, _)| value.fract() != 0.0),
            NumberKind::Band => unknown.iter().any(|(value, _)| *value < 0.0),
            NumberKind::Color => false,
        }
    }

    fn fractions(&self, unknown: &[(f64, u64)]) -> LabelError {
        let (low, high) = self.found.counts.range();
        let fractions = unknown
            .iter()
            .filter(|(value, _)| value.fract() != 0.0 || self.found.kind == NumberKind::Band);
        LabelError::Fractions {
            path: self.found.path.clone(),
            pixels: fractions.map(|(_, pixels)| pixels).sum::<u64>() + self.found.counts.more,
            low: low.max(if self.found.kind == NumberKind::Band {
                0.0
            } else {
                low
            }),
            high,
            class: self
                .values
                .names()
                .first()
                .copied()
                .unwrap_or("CLASS")
                .to_owned(),
        }
    }

    fn refused(&self, unknown: &[(f64, u64)]) -> LabelError {
        let expected = match &self.values.meaning {
            Meaning::Indices(_) => {
                format!("none of the class indices {}", self.indices().join(", "))
            }
            Meaning::Binary(_) => "negative, 0 and one other are expected".to_owned(),
            _ => "not among those named".to_owned(),
        };
        let mut remark = String::new();
        if let Some(lossy) = &self.found.lossy {
            remark += &format!("; the file is compressed with loss ({lossy}), which smears values");
        }
        if !self.found.names.is_empty() {
            let names: Vec<String> = self
                .found
                .names
                .iter()
                .take(20)
                .map(|(value, name)| format!("{value} {name}"))
                .collect();
            remark += &format!("; the file itself calls them {}", names.join(", "));
        }
        LabelError::UnknownValues {
            path: self.found.path.clone(),
            expected: expected.into(),
            unknown: listed(unknown, self.found.kind).into(),
            values: (self.found.counts.listed(self.found.kind) + &remark).into(),
            suggestion: super::suggest::codes(self.values, self.found, unknown).into(),
        }
    }

    /// What a person would want to know of values that have a meaning.
    fn say_what_is_there(&mut self) {
        let unit = self.found.unit;
        let counts = &self.found.counts;
        let mut pixels = [0_u64; 256];
        let mut several = 0;
        for &(value, count) in &counts.values {
            let map = self.named.get(&key(value)).copied();
            let label = map.unwrap_or(match &self.otherwise {
                Otherwise::Label(label) => *label,
                Otherwise::From(least, label) if value >= *least => *label,
                Otherwise::Nearest(_) => IGNORE,
                _ => 0,
            });
            pixels[usize::from(label)] += count;
            if self.found.kind == NumberKind::Band && value.fract() != 0.0 {
                several += count;
            }
        }
        pixels[usize::from(self.no_data)] += counts.no_data;
        if several > 0 {
            self.say(
                Notice::assumed(format!(
                    "{several} {unit} are set in several bands: the last of them counts"
                ))
                .count(several as usize)
                .next(
                    "put the band that matters most last, or draw the bands so that none overlaps",
                ),
            );
        }
        let named: Vec<&str> = self.values.names();
        let empty: Vec<String> = self
            .classes
            .iter()
            .enumerate()
            .filter(|(index, class)| {
                *index > 0 && pixels[*index] == 0 && named.contains(&class.name.as_str())
            })
            .map(|(_, class)| class.name.clone())
            .collect();
        if !empty.is_empty() && !matches!(self.otherwise, Otherwise::Nearest(_)) {
            let held = match counts.listed(self.found.kind) {
                values if values.is_empty() => "no value at all".to_owned(),
                values => values,
            };
            self.say(
                Notice::noted(format!(
                    "no pixel is {}: the values on the scene are {held}",
                    empty.join(", ")
                ))
                .count(empty.len())
                .of(Topic::EmptyClasses(empty)),
            );
        }
        if counts.one_of > 1 {
            self.say(
                Notice::noted(format!(
                    "the raster is large: values were counted on one of {} blocks",
                    counts.one_of
                ))
                .count(counts.one_of)
                .next("a value without a meaning in the others is an error when it is read"),
            );
        }
        self.compare_names();
    }

    /// Class indices beside the names that the file itself gives to them.
    fn compare_names(&mut self) {
        let Meaning::Indices(classes) = &self.values.meaning else {
            return;
        };
        let differing: Vec<String> = classes
            .iter()
            .enumerate()
            .skip(1)
            .filter_map(|(index, class)| {
                let own = self.found.names.get(&(index as i64))?;
                let same = own.trim().eq_ignore_ascii_case(class.name.trim());
                (!same && !own.is_empty())
                    .then(|| format!("{index} {own:?} and not {:?}", class.name))
            })
            .collect();
        if differing.is_empty() {
            return;
        }
        let codes = super::suggest::named_by_file(&self.found.names);
        self.say(
            Notice::noted(format!("the file itself calls {}", differing.join(", ")))
                .count(differing.len())
                .next(format!(
                    "if the file is right: {}",
                    either(
                        format!("`{codes}`"),
                        Step::NameValues { code: &codes }.to_string()
                    )
                )),
        );
    }
}
