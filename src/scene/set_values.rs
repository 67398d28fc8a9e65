//! The values of a chip's whole set, by which it is judged whether it shows what a model was trained on: a single chip may be
//! all water or all roof.

use std::sync::{Arc, OnceLock};

use super::Scene;
use crate::Result;
use crate::raster::BandStatistics;

/// How the values of one band spread.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) mean: f64,
    pub(crate) p2: f64,
    pub(crate) p98: f64,
}

impl From<&BandStatistics> for Spread {
    fn from(band: &BandStatistics) -> Self {
        let BandStatistics { mean, p2, p98, .. } = *band;
        Self { mean, p2, p98 }
    }
}

/// The values of a set, which all of its scenes share.
#[derive(Debug)]
pub(crate) struct SetValues {
    /// What the set is called.
    pub(crate) name: String,
    known: Known,
}

#[derive(Debug)]
enum Known {
    /// As the set says itself.
    Declared(Vec<Spread>),
    /// As these scenes of it have them, once they have been looked at; `None` when hardly a pixel of them is valid.
    Sampled {
        scenes: Vec<Scene>,
        found: OnceLock<Option<Vec<Spread>>>,
    },
}

/// What a scene knows of its set.
#[derive(Clone, Debug)]
pub(crate) enum OfSet {
    Known(Arc<SetValues>),
    /// The bands of the scene were changed since: neither tells the set of them any more, nor the scene of its set.
    Changed(Arc<SetValues>),
}

impl OfSet {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Known(set) | Self::Changed(set) => &set.name,
        }
    }

    pub(super) fn changed(&self) -> Self {
        match self {
            Self::Known(set) | Self::Changed(set) => Self::Changed(Arc::clone(set)),
        }
    }
}

impl SetValues {
    /// The statistics that a set declares, of the bands in use.
    pub(crate) fn declared(name: String, statistics: &[BandStatistics]) -> Self {
        let known = Known::Declared(statistics.iter().map(Spread::from).collect());
        Self { name, known }
    }

    /// A set that declares none: these scenes, spread evenly over it, stand for all.
    pub(crate) fn sampled(name: String, scenes: Vec<Scene>) -> Self {
        let found = OnceLock::new();
        let known = Known::Sampled { scenes, found };
        Self { name, known }
    }

    /// How the values of each band spread; `sample` looks at scenes.
    ///
    /// # Errors
    /// Those of `sample`.
    pub(crate) fn spread(
        &self,
        sample: impl FnOnce(&[Scene]) -> Result<Option<Vec<Spread>>>,
    ) -> Result<Option<Vec<Spread>>> {
        match &self.known {
            Known::Declared(spread) => Ok(Some(spread.clone())),
            Known::Sampled { scenes, found } => {
                if let Some(found) = found.get() {
                    return Ok(found.clone());
                }
                let sampled = sample(scenes)?;
                Ok(found.get_or_init(|| sampled).clone())
            }
        }
    }
}

impl Scene {
    /// The same scene as one of a set.
    pub(crate) fn of_set(&self, values: &Arc<SetValues>) -> Self {
        self.changed(|inner| inner.of_set = Some(OfSet::Known(Arc::clone(values))))
    }

    /// What the scene knows of its set; `None` for one that is of none.
    pub(crate) fn set_values(&self) -> Option<&OfSet> {
        self.inner.of_set.as_ref()
    }
}
