//! Refuses numbers that no change can be made with.

use std::ops::RangeInclusive;

use crate::chips::ChipsError;

/// What a number may be, in words and as bounds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    low: f64,
    high: f64,
    number: &'static str,
    range: &'static str,
}

impl Limits {
    const fn new(low: f64, high: f64, number: &'static str, range: &'static str) -> Self {
        Self {
            low,
            high,
            number,
            range,
        }
    }

    pub(super) const SHARE: Self = Self::new(
        0.0,
        1.0,
        "a share from 0 to 1",
        "a range of shares within 0..=1",
    );
    pub(super) const DEGREES: Self = Self::new(
        0.0,
        180.0,
        "an angle from 0 to 180",
        "a range of angles within 0..=180",
    );
    pub(super) const SHEAR: Self = Self::new(
        0.0,
        80.0,
        "an angle from 0 to 80",
        "a range of angles within 0..=80",
    );
    pub(super) const SCALES: Self = Self::new(
        0.05,
        20.0,
        "a factor from 0.05 to 20",
        "a range of factors within 0.05..=20, the smaller first",
    );
    /// Of a chip's ground; with less it shows a pixel or two.
    pub(super) const AREAS: Self = Self::new(
        0.01,
        1.0,
        "a share from 0.01 to 1",
        "a range of shares within 0.01..=1, the smaller first",
    );
    pub(super) const DEVIATIONS: Self = Self::new(
        0.0,
        10.0,
        "a number of deviations from 0 to 10",
        "a range of deviations within 0..=10",
    );
    pub(super) const HUES: Self = Self::new(
        0.0,
        0.5,
        "a share of the circle of colors from 0 to 0.5",
        "a range within 0..=0.5",
    );
    pub(super) const GAMMAS: Self = Self::new(
        0.1,
        10.0,
        "an exponent from 0.1 to 10",
        "a range of exponents within 0.1..=10, the smaller first",
    );
    pub(super) const SIGMAS: Self = Self::new(
        0.0,
        50.0,
        "a number of pixels from 0 to 50",
        "a range of pixels within 0..=50, the smaller first",
    );
    pub(super) const COUNT: Self = Self::new(
        1.0,
        1000.0,
        "a number from 1 to 1000",
        "a range of numbers within 1..=1000, the smaller first",
    );
}

/// The first thing that is wrong, if any.
#[derive(Debug, Default)]
pub(super) struct Check {
    wrong: Option<ChipsError>,
}

impl Check {
    pub(super) fn number(&mut self, what: &'static str, value: f64, limits: Limits) {
        // NaN is within no bounds.
        if !(limits.low..=limits.high).contains(&value) {
            self.refuse(what, value.to_string(), limits.number);
        }
    }

    pub(super) fn range(
        &mut self,
        what: &'static str,
        range: &RangeInclusive<f64>,
        limits: Limits,
    ) {
        let bounds = limits.low..=limits.high;
        let (low, high) = (range.start(), range.end());
        if !(bounds.contains(low) && bounds.contains(high) && low <= high) {
            self.refuse(what, format!("{range:?}"), limits.range);
        }
    }

    pub(super) fn counts(
        &mut self,
        what: &'static str,
        range: &RangeInclusive<usize>,
        limits: Limits,
    ) {
        let as_numbers = *range.start() as f64..=*range.end() as f64;
        if self.wrong.is_none() {
            self.range(what, &as_numbers, limits);
        }
        // As it was written.
        if let Some(ChipsError::BadOption {
            what: named, found, ..
        }) = &mut self.wrong
            && *named == what
        {
            *found = format!("{range:?}");
        }
    }

    fn refuse(&mut self, what: &'static str, found: String, expected: &'static str) {
        self.wrong.get_or_insert(ChipsError::BadOption {
            what,
            found,
            expected,
        });
    }

    pub(super) fn done(self) -> Result<(), ChipsError> {
        self.wrong.map_or(Ok(()), Err)
    }
}
