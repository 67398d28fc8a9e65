//! Transforms bound to the bands of a raster, and what they do to pixels.

use super::band::Reading;
use super::band_transform::{BandTransform, Operation};
use super::by_band::ByBand;
use super::composite_dates::{self, Composite};
use super::dated;
use super::expression::Program;
use super::information::Information;
use super::layer::Kind;
use super::spectral_index::SpectralIndex;
use super::transform_error::TransformError;
use super::{Band, BandStatistics, DataType, Date, Raster};
use crate::Result;
use crate::report::{Notice, Report};

/// A transform that knows its bands.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    /// With the numbers that statistics gave, unless every scene has its own.
    pub(super) transform: BandTransform,
    /// With the numbers in any case.
    pub(super) numbers: BandTransform,
    step: Step,
}

#[derive(Clone, Debug)]
enum Step {
    /// A new band for each list of bands.
    Add {
        program: Program,
        inputs: Vec<Vec<usize>>,
    },
    /// One band of those of several dates.
    Composite(composite_dates::Plan),
    /// Values where a date has none.
    FillDates(Vec<dated::Through>),
    /// These alone.
    Select(Vec<usize>),
    /// Each value of these bands.
    Each(Vec<(usize, Each)>),
}

/// What becomes of a value.
#[derive(Clone, Debug)]
enum Each {
    /// `value * .0 + .1`
    Linear(f64, f64),
    /// `(value - .0) / .1`, between 0 and 1 where `.2`.
    Scale(f64, f64, bool),
    Log,
    Log1p,
    Decibels(f64),
    Clip(f64, f64),
    Fill(f64),
    /// The nearest whole number within these.
    Whole(f64, f64),
    Same,
    Reclass(Vec<[f64; 3]>, Option<f64>),
}

impl Each {
    /// Whether there are values without a result.
    const fn may_fail(&self) -> bool {
        matches!(self, Self::Log | Self::Log1p | Self::Decibels(_))
    }

    fn of(&self, value: f64) -> f64 {
        match self {
            Self::Linear(scale, offset) => value * scale + offset,
            Self::Scale(offset, divisor, clipped) => {
                let scaled = (value - offset) / divisor;
                if *clipped {
                    scaled.clamp(0.0, 1.0)
                } else {
                    scaled
                }
            }
            Self::Log => value.ln(),
            Self::Log1p => value.ln_1p(),
            Self::Decibels(factor) => factor * value.log10(),
            Self::Clip(low, high) => value.max(*low).min(*high),
            Self::Fill(_) | Self::Same => value,
            Self::Whole(first, last) => value.round().clamp(*first, *last),
            Self::Reclass(rules, otherwise) => {
                let holds =
                    |[low, high, _]: &&[f64; 3]| value == *low || (*low..*high).contains(&value);
                let found = rules.iter().find(holds).map(|rule| rule[2]);
                found.or(*otherwise).unwrap_or(value)
            }
        }
    }
}

/// Statistics of a raster as far as transforms need them.
pub(crate) trait Measured {
    /// Of every band, over its valid pixels.
    ///
    /// # Errors
    /// Those of reading.
    fn statistics(&self, raster: &Raster) -> Result<Vec<BandStatistics>>;

    /// Two percentiles of every band, as shares from 0 to 1.
    ///
    /// # Errors
    /// Those of reading.
    fn percentiles(&self, raster: &Raster, shares: [f64; 2]) -> Result<Vec<Option<Vec<f64>>>>;
}

/// All of a raster.
struct Whole;

impl Measured for Whole {
    fn statistics(&self, raster: &Raster) -> Result<Vec<BandStatistics>> {
        raster.statistics()
    }

    fn percentiles(&self, raster: &Raster, shares: [f64; 2]) -> Result<Vec<Option<Vec<f64>>>> {
        raster.percentiles_where(&raster.full(), &shares, |_| None)
    }
}

impl Raster {
    /// This raster with its bands changed while they are read, one transform after another; what goes by statistics takes
    /// those of the whole raster.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let raster = Raster::open("s2.tif")?.with_transforms([BandTransform::index("ndvi")])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`TransformError`] for an expression that cannot be understood, a band or an index that is not there, a name that is
    /// taken; errors of reading where statistics are needed.
    pub fn with_transforms(
        &self,
        transforms: impl IntoIterator<Item = BandTransform>,
    ) -> Result<Self> {
        self.transformed(transforms, &Whole)
    }

    /// As [`Raster::with_transforms`], with statistics of another area.
    pub(crate) fn transformed(
        &self,
        transforms: impl IntoIterator<Item = BandTransform>,
        measured: &dyn Measured,
    ) -> Result<Self> {
        let mut raster = self.clone();
        for transform in transforms {
            raster = raster.transformed_once(&transform, measured)?;
        }
        Ok(raster)
    }

    /// What its bands went through, with the numbers that statistics gave; empty for a raster that is read as it is.
    #[must_use]
    pub fn transforms(&self) -> Vec<BandTransform> {
        match &self.inner.kind {
            Kind::Transformed(base, steps) => {
                let mut all = base.transforms();
                all.extend(steps.iter().map(|bound| bound.transform.clone()));
                all
            }
            Kind::Regridded(base) => base.transforms(),
            _ => Vec::new(),
        }
    }

    /// The names of the bands before the first transform.
    #[must_use]
    pub(crate) fn raw_band_names(&self) -> Vec<String> {
        match &self.inner.kind {
            Kind::Transformed(base, _) | Kind::Regridded(base) => base.raw_band_names(),
            _ => self.band_names(),
        }
    }

    fn transformed_once(&self, transform: &BandTransform, measured: &dyn Measured) -> Result<Self> {
        let resolved = resolved(transform, self, measured)?;
        let (step, bands, report) = bound(&resolved, self)?;
        let (base, mut steps, mut notices) = match &self.inner.kind {
            Kind::Transformed(base, steps) => (
                base.clone(),
                steps.clone(),
                self.inner.information.report.clone(),
            ),
            _ => (self.clone(), Vec::new(), Report::new()),
        };
        steps.push(Bound {
            transform: match transform.each_scene {
                true => transform.clone(),
                false => resolved.clone(),
            },
            numbers: resolved,
            step,
        });
        notices.extend(report);
        let mut information = Information {
            bands,
            report: notices,
            ..base.inner.information.clone()
        };
        information.masks = super::information::Masks::default();
        information.gaps = base.can_be_invalid();
        information.averages_itself = true;
        information.numbers = false;
        Ok(Self::composed(
            self.path().to_owned(),
            Kind::Transformed(base, steps),
            information,
            self.options().clone(),
        ))
    }
}

/// The transform with numbers in the place of statistics, and an expression in the place of an index.
fn resolved(
    transform: &BandTransform,
    raster: &Raster,
    measured: &dyn Measured,
) -> Result<BandTransform> {
    let places = places(transform, raster.bands())?;
    let what = transform.words();
    let wrong = |expected: &str| TransformError::Numbers {
        what: what.clone(),
        expected: expected.to_owned(),
    };
    if transform.each_scene && !transform.goes_by_statistics() {
        return Err(TransformError::Numbers {
            what: format!("`of_each_scene()` on \"{}\"", transform.operation_words()),
            expected: "a transform that goes by statistics (`standard()`, `min_max()`, `percentiles(low, high)`), as any other is the \
                       same on every scene without it,"
                .to_owned(),
        }
        .into());
    }
    let scale = |low_high: Vec<Option<[f64; 2]>>, clipped: bool| -> Result<BandTransform> {
        let (mut offsets, mut divisors) = (Vec::new(), Vec::new());
        for &place in &places {
            let Some([offset, divisor]) = low_high.get(place).copied().flatten() else {
                return Err(TransformError::NothingValid {
                    band: raster.bands()[place].name.clone(),
                    what: what.clone(),
                }
                .into());
            };
            offsets.push(offset);
            // A band of one value becomes 0.
            divisors.push(if divisor > 0.0 { divisor } else { 1.0 });
        }
        Ok(BandTransform {
            operation: Operation::Scale {
                offsets,
                divisors,
                clipped,
            },
            on: transform.on.clone(),
            each_scene: false,
        })
    };
    match &transform.operation {
        Operation::Index { name } => {
            let index = SpectralIndex::named(name).ok_or_else(|| TransformError::UnknownIndex {
                wanted: name.clone(),
                known: SpectralIndex::ALL
                    .iter()
                    .map(|index| index.name.to_owned())
                    .collect(),
            })?;
            Ok(BandTransform::expression(index.name, index.expression))
        }
        Operation::MinMax => {
            let of = |band: &BandStatistics| Some([band.min, band.max - band.min]);
            scale(measured.statistics(raster)?.iter().map(of).collect(), false)
        }
        Operation::Standard => {
            let of = |band: &BandStatistics| Some([band.mean, band.std]);
            scale(measured.statistics(raster)?.iter().map(of).collect(), false)
        }
        Operation::Percentiles { low, high } => {
            if !(*low >= 0.0 && *high <= 100.0 && low < high) {
                return Err(wrong("two percentiles from 0 to 100, the lower one first").into());
            }
            let found = measured.percentiles(raster, [low / 100.0, high / 100.0])?;
            let of = |band: Option<Vec<f64>>| match band?.as_slice() {
                [low, high] => Some([*low, high - low]),
                _ => None,
            };
            scale(found.into_iter().map(of).collect(), true)
        }
        Operation::Linear { scale, offset } if !(scale.is_finite() && offset.is_finite()) => {
            Err(wrong("a scale and an offset that are numbers").into())
        }
        Operation::Clip { low, high } if !(low <= high && low.is_finite() && high.is_finite()) => {
            Err(wrong("two numbers, the lower one first").into())
        }
        Operation::Fill { value } if !(*value as f32).is_finite() => Err(wrong("a number").into()),
        Operation::Reclass { rules, otherwise }
            if rules.is_empty()
                || rules
                    .iter()
                    .any(|rule| !rule.iter().all(|one| one.is_finite()) || rule[0] > rule[1])
                || otherwise.is_some_and(|value| !value.is_finite()) =>
        {
            Err(wrong("at least one rule of numbers, the lower end first").into())
        }
        Operation::Scale {
            offsets, divisors, ..
        } => {
            if offsets.len() != places.len() || divisors.len() != places.len() {
                return Err(TransformError::OtherCount {
                    what,
                    expected: offsets.len(),
                    found: places.len(),
                }
                .into());
            }
            let usable = offsets.iter().all(|one| one.is_finite())
                && divisors.iter().all(|one| one.is_finite() && *one != 0.0);
            match usable {
                true => Ok(transform.clone()),
                false => Err(wrong("numbers that do not divide by zero").into()),
            }
        }
        _ => Ok(transform.clone()),
    }
}

/// The bands that a transform changes.
fn places(transform: &BandTransform, bands: &[Band]) -> Result<Vec<usize>, TransformError> {
    match &transform.on {
        None => Ok((0..bands.len()).collect()),
        Some(names) => dated::chosen(names, bands, false),
    }
}

/// The range of whole numbers of a type; `None` for others.
fn whole(data_type: DataType) -> Option<(f64, f64)> {
    Some(match data_type {
        DataType::U8 => (0.0, 255.0),
        DataType::I8 => (-128.0, 127.0),
        DataType::U16 => (0.0, 65_535.0),
        DataType::I16 => (-32_768.0, 32_767.0),
        DataType::U32 => (0.0, f64::from(u32::MAX)),
        DataType::I32 => (f64::from(i32::MIN), f64::from(i32::MAX)),
        _ => return None,
    })
}

/// What a transform does to a raster's pixels, the bands that it makes, and what there is to say.
fn bound(
    transform: &BandTransform,
    raster: &Raster,
) -> Result<(Step, Vec<Band>, Report), TransformError> {
    let bands = raster.bands();
    let mut report = Report::new();
    let places = places(transform, bands)?;
    let each = |data_type: Option<DataType>, of: &dyn Fn(usize) -> Each| {
        let mut changed = bands.to_vec();
        for (at, &place) in places.iter().enumerate() {
            let band = &mut changed[place];
            // Where a value may have no result, the pixel has none: as with floats.
            band.stored = (!of(at).may_fail()).then(|| band.judged_as());
            band.own_mask = band.can_miss();
            band.data_type = data_type.unwrap_or(DataType::F32);
            (band.missing, band.nodata) = (None, None);
            (band.scale, band.offset) = (1.0, 0.0);
            band.reading = Reading::Plain;
        }
        let steps = places
            .iter()
            .enumerate()
            .map(|(at, &place)| (place, of(at)));
        (Step::Each(steps.collect()), changed)
    };
    // What changes no number keeps the type where that holds the values.
    let kept = |values: &[f64]| {
        let types: Vec<DataType> = places.iter().map(|&place| bands[place].data_type).collect();
        let first = *types.first()?;
        let (low, high) = whole(first)?;
        let fits = |value: &f64| value.fract() == 0.0 && (low..=high).contains(value);
        (types.iter().all(|one| *one == first) && values.iter().all(fits)).then_some(first)
    };
    let (step, bands) = match &transform.operation {
        Operation::Expression { name, expression } => {
            let program = Program::parse(expression)?;
            let words = program.names.iter();
            let words: Vec<(&str, usize)> = words
                .map(|named| (named.name.as_str(), named.column))
                .collect();
            let found = dated::meant(&words, expression, bands)?;
            let mut all = bands.to_vec();
            for (date, inputs) in &found {
                all.push(added(name, *date, inputs, &all)?);
            }
            let inputs: Vec<Vec<usize>> = found.into_iter().map(|(_, inputs)| inputs).collect();
            let used = || inputs.iter().flatten().map(|&band| &bands[band]);
            if let Some(index) = SpectralIndex::ALL
                .iter()
                .find(|index| index.expression == expression)
                && index.of_reflectance
                && used().any(|band| whole(band.data_type).is_some())
            {
                report.push(
                    Notice::noted(format!(
                        "the numbers in {} hold for reflectance from 0 to 1, the bands store whole numbers",
                        index.name.to_uppercase()
                    ))
                    .next("`BandTransform::linear(0.0001, 0.0)` before it brings 0 to 10,000 to 0 to 1"),
                );
            }
            if let Some(band) = used().find(|band| band.offset != 0.0)
                && SpectralIndex::ALL
                    .iter()
                    .any(|index| index.expression == expression)
            {
                report.push(
                    Notice::noted(format!(
                        "{} is made of values as they are stored, to which the file gives an offset ({} x value + {}): of \
                         reflectance it would be another number",
                        name.to_uppercase(),
                        band.scale,
                        band.offset
                    ))
                    .next(format!(
                        "`BandTransform::linear({}, {})` before it brings the values to reflectance",
                        band.scale, band.offset
                    )),
                );
            }
            (Step::Add { program, inputs }, all)
        }
        Operation::Select { bands: names } => {
            let kept = dated::chosen(names, bands, true)?;
            if kept.is_empty() {
                return Err(TransformError::NoBands);
            }
            let chosen = kept.iter().map(|&place| bands[place].clone()).collect();
            (Step::Select(kept), chosen)
        }
        Operation::Linear { scale, offset } => each(None, &|_| Each::Linear(*scale, *offset)),
        Operation::Scale {
            offsets,
            divisors,
            clipped,
        } => {
            if offsets.len() != places.len() || divisors.len() != places.len() {
                return Err(TransformError::OtherCount {
                    what: transform.words(),
                    expected: offsets.len(),
                    found: places.len(),
                });
            }
            each(None, &|at| Each::Scale(offsets[at], divisors[at], *clipped))
        }
        Operation::Log => each(None, &|_| Each::Log),
        Operation::Log1p => each(None, &|_| Each::Log1p),
        Operation::Decibels { factor } => each(None, &|_| Each::Decibels(*factor)),
        Operation::Clip { low, high } => each(kept(&[*low, *high]), &|_| Each::Clip(*low, *high)),
        Operation::Fill { value } => each(kept(&[*value]), &|_| Each::Fill(*value)),
        Operation::Reclass { rules, otherwise } => {
            let mut new: Vec<f64> = rules.iter().map(|rule| rule[2]).collect();
            new.extend(otherwise);
            each(kept(&new), &|_| Each::Reclass(rules.clone(), *otherwise))
        }
        Operation::Cast { data_type } => match whole(*data_type) {
            Some((low, high)) => each(Some(*data_type), &|_| Each::Whole(low, high)),
            None if *data_type == DataType::F32 => each(None, &|_| Each::Same),
            None => return Err(TransformError::Type { found: *data_type }),
        },
        Operation::Composite { how } => {
            let plan = composite_plan(*how, bands, transform)?;
            let first = |band: &dated::Through| band.places.first().map(|&(_, place)| place);
            let mut all: Vec<Band> = Vec::new();
            for band in &plan.bands {
                let Some(place) = first(band) else {
                    continue;
                };
                let Band {
                    scale,
                    offset,
                    role,
                    ..
                } = bands[place].clone();
                let made = added(&band.name, None, &[], &all)?;
                all.push(Band {
                    scale,
                    offset,
                    role,
                    ..made
                });
            }
            all.extend(plan.others.iter().map(|&other| bands[other].clone()));
            (Step::Composite(plan), all)
        }
        Operation::FillDates => {
            let through = dated::through(bands);
            if through.is_empty() {
                return Err(TransformError::NoDates {
                    what: transform.words(),
                });
            }
            let mut all = bands.to_vec();
            for band in all.iter_mut().filter(|band| band.date.is_some()) {
                // Between two whole numbers lie others.
                band.data_type = DataType::F32;
                (band.missing, band.nodata) = (None, None);
            }
            (Step::FillDates(through), all)
        }
        // These have become others in `resolved`.
        Operation::Index { .. }
        | Operation::MinMax
        | Operation::Standard
        | Operation::Percentiles { .. } => {
            return Err(TransformError::Numbers {
                what: transform.words(),
                expected: "a transform with its numbers".to_owned(),
            });
        }
    };
    Ok((step, bands, report))
}

/// A new band that is worked out of others.
///
/// # Errors
/// [`TransformError::NameTaken`]; [`TransformError::Numbers`] for no name.
fn added(
    name: &str,
    date: Option<Date>,
    inputs: &[usize],
    all: &[Band],
) -> Result<Band, TransformError> {
    let own = |date: Date| inputs.iter().all(|&band| all[band].date == Some(date));
    let (name, date) = match date {
        Some(date) => (format!("{name} {date}"), Some(date)),
        // What is made of bands of one date is of that date, by the name that a person gave it.
        None => {
            let first = inputs.first().and_then(|&band| all[band].date);
            (name.to_owned(), first.filter(|&date| own(date)))
        }
    };
    let taken = |band: &Band| band.name.eq_ignore_ascii_case(&name);
    if name.trim().is_empty() {
        return Err(TransformError::Numbers {
            what: format!("a band called {name:?}"),
            expected: "a name".to_owned(),
        });
    }
    if all.iter().any(taken) {
        return Err(TransformError::NameTaken { name });
    }
    Ok(Band {
        number: all.len() as i32 + 1,
        reading: Reading::Plain,
        missing: None,
        own_mask: true,
        image: all.iter().map(|band| band.image).max().unwrap_or(0) + 1,
        stored: None,
        name,
        data_type: DataType::F32,
        nodata: None,
        scale: 1.0,
        offset: 0.0,
        role: None,
        date,
    })
}

fn composite_plan(
    how: Composite,
    bands: &[Band],
    transform: &BandTransform,
) -> Result<composite_dates::Plan, TransformError> {
    let through = dated::through(bands);
    if through.is_empty() {
        return Err(TransformError::NoDates {
            what: transform.words(),
        });
    }
    let mut greenness = Vec::new();
    if how == Composite::MaxNdvi {
        let expression = "(nir - red) / (nir + red)";
        for (date, places) in dated::meant(&[("nir", 2), ("red", 8)], expression, bands)? {
            if let (Some(date), [nir, red]) = (date, places.as_slice()) {
                greenness.push((date, [*nir, *red]));
            }
        }
    }
    let others = bands.iter().enumerate();
    Ok(composite_dates::Plan {
        how,
        bands: through,
        greenness,
        others: others
            .filter(|(_, band)| band.date.is_none())
            .map(|(place, _)| place)
            .collect(),
    })
}

/// Does to pixels what the transforms say.
pub(super) fn apply(steps: &[Bound], bands: &[Band], mut read: ByBand) -> ByBand {
    let area = read.size.area();
    // A mark below 0 is no measurement: where the pixel is valid all the same it is 0, as it is handed out.
    for (at, band) in bands.iter().enumerate() {
        if let Some(present) = &read.present[at]
            && band.marks_nodata()
        {
            let values = read.data[at * area..(at + 1) * area].iter_mut();
            values
                .zip(present)
                .filter(|(_, here)| **here == 0)
                .for_each(|(value, _)| *value = 0.0);
        }
    }
    for bound in steps {
        match &bound.step {
            Step::Composite(plan) => read = plan.apply(&read),
            Step::FillDates(through) => composite_dates::fill(through, &mut read),
            Step::Add { program, inputs } => inputs.iter().for_each(|inputs| {
                let inputs: Vec<Vec<f64>> = inputs
                    .iter()
                    .map(|&band| {
                        let values = read.band(band).iter().map(|&value| f64::from(value));
                        match &read.present[band] {
                            None => values.collect(),
                            Some(present) => values
                                .zip(present)
                                .map(|(value, &here)| if here == 0 { f64::NAN } else { value })
                                .collect(),
                        }
                    })
                    .collect();
                let mut results = vec![0.0; area];
                program.evaluate(&inputs, &mut results);
                let mut present = vec![1; area];
                let mut holes = false;
                for (result, here) in results.iter().zip(&mut present) {
                    if !(*result as f32).is_finite() {
                        *here = 0;
                        holes = true;
                    }
                }
                let values = results.iter().zip(&present);
                read.data.extend(
                    values.map(|(&value, &here)| if here == 0 { 0.0 } else { value as f32 }),
                );
                read.present.push(holes.then_some(present));
            }),
            Step::Select(kept) => {
                let mut data = Vec::with_capacity(kept.len() * area);
                for &band in kept {
                    data.extend_from_slice(read.band(band));
                }
                read.data = data;
                read.present = kept
                    .iter()
                    .map(|&band| read.present[band].clone())
                    .collect();
            }
            Step::Each(changes) => {
                for (band, change) in changes {
                    each(&mut read, *band, change);
                }
            }
        }
    }
    read
}

fn each(read: &mut ByBand, band: usize, change: &Each) {
    let area = read.size.area();
    let values = &mut read.data[band * area..(band + 1) * area];
    let present = &mut read.present[band];
    if let Each::Fill(fill) = change {
        if let Some(present) = present.take() {
            values
                .iter_mut()
                .zip(present)
                .filter(|(_, here)| *here == 0)
                .for_each(|(value, _)| *value = *fill as f32);
        }
        return;
    }
    for (at, value) in values.iter_mut().enumerate() {
        let result = change.of(f64::from(*value)) as f32;
        *value = if result.is_finite() { result } else { 0.0 };
        let here = present.as_ref().is_none_or(|present| present[at] != 0);
        if !result.is_finite() && here {
            present.get_or_insert_with(|| vec![1; area])[at] = 0;
            if !change.may_fail() {
                // Beyond what a float holds: no nodata of one band of an image, so that it takes the pixel.
                read.base[at] = 0;
            }
        }
    }
}
