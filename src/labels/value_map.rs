use std::collections::HashMap;

use super::IGNORE;
use super::value_counts::{NumberKind, key};
use super::values::unpacked;

/// What becomes of a value that has no entry of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Otherwise {
    Refused,
    Label(u8),
    /// As the nearest of these.
    Nearest(Vec<(f64, u8)>),
    /// The second from the first on, otherwise background.
    From(f64, u8),
}

/// The one way from the values of a label raster to labels.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueMap {
    pub(crate) named: HashMap<u64, u8>,
    pub(crate) otherwise: Otherwise,
    /// The label of pixels without data.
    pub(crate) no_data: u8,
    /// The label below a threshold.
    pub(crate) below: u8,
    pub(crate) kind: NumberKind,
}

impl ValueMap {
    /// The label of a number; `None` when it has none.
    pub(crate) fn label(&self, value: f64) -> Option<u8> {
        if value.is_nan() {
            return Some(self.no_data);
        }
        if value.is_infinite() {
            return Some(IGNORE);
        }
        if let Some(&label) = self.named.get(&key(value)) {
            return Some(label);
        }
        match &self.otherwise {
            Otherwise::Refused => None,
            Otherwise::Label(label) => Some(*label),
            Otherwise::From(least, label) => {
                Some(if value >= *least { *label } else { self.below })
            }
            Otherwise::Nearest(named) => named
                .iter()
                .min_by(|a, b| {
                    let far = |other: f64| self.distance(value, other);
                    far(a.0).total_cmp(&far(b.0))
                })
                .map(|(_, label)| *label),
        }
    }

    /// The labels of numbers, or the first number without one.
    pub(crate) fn labels(&self, values: &[f64]) -> Result<Vec<u8>, f64> {
        let mut labels = Vec::with_capacity(values.len());
        // Neighbors are alike in label rasters.
        for run in values.chunk_by(|a, b| a.to_bits() == b.to_bits()) {
            let label = self.label(run[0]).ok_or(run[0])?;
            labels.resize(labels.len() + run.len(), label);
        }
        Ok(labels)
    }

    /// The same with other labels.
    pub(crate) fn relabeled(&self, becomes: &[u8; 256]) -> Self {
        let new = |label: u8| becomes[usize::from(label)];
        Self {
            named: self
                .named
                .iter()
                .map(|(&value, &label)| (value, new(label)))
                .collect(),
            otherwise: match &self.otherwise {
                Otherwise::Refused => Otherwise::Refused,
                Otherwise::Label(label) => Otherwise::Label(new(*label)),
                Otherwise::From(least, label) => Otherwise::From(*least, new(*label)),
                Otherwise::Nearest(named) => Otherwise::Nearest(
                    named
                        .iter()
                        .map(|&(value, label)| (value, new(label)))
                        .collect(),
                ),
            },
            no_data: new(self.no_data),
            below: new(self.below),
            kind: self.kind,
        }
    }

    /// How far two numbers lie apart, of colors the squared distance.
    fn distance(&self, one: f64, other: f64) -> f64 {
        match self.kind {
            NumberKind::Color => unpacked(one)
                .iter()
                .zip(unpacked(other))
                .map(|(&a, b)| (f64::from(a) - f64::from(b)).powi(2))
                .sum(),
            _ => (one - other).abs(),
        }
    }
}
