use std::collections::HashMap;

use super::values::unpacked;

/// Different values that are counted one by one; more of them are no labels.
const MOST_VALUES: usize = 1 << 17;

/// Values that a message lists.
const MOST_LISTED: usize = 12;

/// What one number for each pixel of a label raster stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberKind {
    /// It is the value itself.
    Value,
    /// A color ([`super::values::packed`]).
    Color,
    /// The band that is set, from 1; with a half where others are set, too; -1 where a band holds a fraction.
    Band,
}

impl NumberKind {
    pub(crate) fn shown(self, value: f64) -> String {
        match self {
            Self::Value => value.to_string(),
            Self::Color => {
                let [red, green, blue] = unpacked(value);
                format!("[{red}, {green}, {blue}]")
            }
            Self::Band if value < 0.0 => "fractions".to_owned(),
            Self::Band => format!("band {}", value.trunc()),
        }
    }
}

/// A number as a key: equal bits for equal numbers.
pub(crate) fn key(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

/// How often each value occurs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    counts: HashMap<u64, u64>,
    more: u64,
    no_data: u64,
}

impl Tally {
    /// Counts numbers; NaN is no data, and infinity no pixel of the raster.
    pub(crate) fn add(&mut self, values: &[f64]) {
        for run in values.chunk_by(|a, b| a.to_bits() == b.to_bits()) {
            self.count(run[0], run.len() as u64);
        }
    }

    /// Counts one number `pixels` times.
    pub(crate) fn count(&mut self, value: f64, pixels: u64) {
        if value.is_nan() {
            self.no_data += pixels;
        } else if value.is_finite() {
            let full = self.counts.len() >= MOST_VALUES;
            match self.counts.get_mut(&key(value)) {
                Some(count) => *count += pixels,
                None if full => self.more += pixels,
                None => {
                    self.counts.insert(key(value), pixels);
                }
            }
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (&bits, &pixels) in &other.counts {
            self.count(f64::from_bits(bits), pixels);
        }
        self.more += other.more;
        self.no_data += other.no_data;
    }

    pub(crate) fn finish(self, one_of: usize) -> ValueCounts {
        let mut values: Vec<(f64, u64)> = self
            .counts
            .into_iter()
            .map(|(bits, pixels)| (f64::from_bits(bits), pixels))
            .collect();
        values.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
        ValueCounts {
            values,
            more: self.more,
            no_data: self.no_data,
            one_of,
        }
    }
}

/// The values of a label raster, the most frequent first.
#[derive(Clone, Debug, Default)]
pub(crate) struct ValueCounts {
    pub(crate) values: Vec<(f64, u64)>,
    /// Pixels of further values, of which there are too many to count.
    pub(crate) more: u64,
    /// Pixels that are NaN, masked or transparent.
    pub(crate) no_data: u64,
    /// Of so many blocks one was looked at.
    pub(crate) one_of: usize,
}

impl ValueCounts {
    /// Pixels of a value.
    pub(crate) fn of(&self, value: f64) -> u64 {
        self.values
            .iter()
            .find(|(one, _)| key(*one) == key(value))
            .map_or(0, |(_, pixels)| *pixels)
    }

    /// Pixels with data.
    pub(crate) fn total(&self) -> u64 {
        self.values.iter().map(|(_, pixels)| pixels).sum::<u64>() + self.more
    }

    /// The smallest and the largest value.
    pub(crate) fn range(&self) -> (f64, f64) {
        self.values
            .iter()
            .fold((f64::MAX, f64::MIN), |(low, high), (value, _)| {
                (low.min(*value), high.max(*value))
            })
    }

    /// `0 (3396 pixels), 255 (700), no data (20)`.
    pub(crate) fn listed(&self, kind: NumberKind) -> String {
        let mut text = listed(&self.values, kind);
        if self.more > 0 {
            text += &format!(" and {} pixels of still others", self.more);
        }
        if self.no_data > 0 {
            let comma = if text.is_empty() { "" } else { ", " };
            text += &format!("{comma}no data ({})", self.no_data);
        }
        text
    }
}

/// `10 (2340 pixels), 50 (1280) and 3 more`.
pub(crate) fn listed(values: &[(f64, u64)], kind: NumberKind) -> String {
    let mut text = String::new();
    for (index, (value, pixels)) in values.iter().take(MOST_LISTED).enumerate() {
        let (comma, unit) = if index == 0 {
            ("", if *pixels == 1 { " pixel" } else { " pixels" })
        } else {
            (", ", "")
        };
        text += &format!("{comma}{} ({pixels}{unit})", kind.shown(*value));
    }
    if values.len() > MOST_LISTED {
        text += &format!(" and {} more", values.len() - MOST_LISTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_listed_by_frequency() {
        let mut tally = Tally::default();
        tally.add(&[2.0, -0.0, 0.0, 0.0, 7.0, f64::NAN, f64::INFINITY]);
        let mut other = Tally::default();
        other.add(&[7.0, 7.0, 7.0, 7.0]);
        tally.merge(&other);
        let counts = tally.finish(1);
        assert_eq!(
            counts.listed(NumberKind::Value),
            "7 (5 pixels), 0 (3), 2 (1), no data (1)"
        );
        assert_eq!((counts.of(0.0), counts.total()), (3, 9));
        let many: Vec<(f64, u64)> = (0..20).map(|value| (f64::from(value), 1)).collect();
        assert!(listed(&many, NumberKind::Value).ends_with("11 (1) and 8 more"));
        let red = crate::labels::values::packed([255.0, 0.0, 1.0]);
        assert_eq!(NumberKind::Color.shown(red), "[255, 0, 1]");
    }
}
