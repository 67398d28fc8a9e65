use gdal_sys::GDALRIOResampleAlg;
use rayon::prelude::*;

use super::{DataType, PixelWindow, Raster, RasterError, Size, statistics_cache};
use crate::{Result, session};

/// Exact statistics of one band over its valid pixels.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct BandStatistics {
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Mean.
    pub mean: f64,
    /// Population standard deviation.
    pub std: f64,
    /// Valid pixels.
    pub count: u64,
    /// The 2nd percentile, for display: exact for 8 and 16 bits, within 1 % otherwise.
    pub p2: f64,
    /// The 98th percentile, as `p2`.
    pub p98: f64,
}

/// Values read at a time by each thread.
pub(super) const CHUNK_VALUES: usize = 1 << 22;

impl Raster {
    /// Exact statistics of every band over its own valid pixels, whatever the other bands hold there: one pass over the
    /// file in parallel, kept in the user's cache for this state of all the files behind the raster and this way of
    /// reading them.
    ///
    /// # Errors
    /// [`RasterError::NoValidPixels`] when nothing is valid, [`RasterError::NoValidPixelsInBand`] when one band has nothing,
    /// [`RasterError::Read`] when the file is damaged, [`RasterError::Changed`] when it is another one by now.
    #[doc(alias = "stats")]
    #[doc(alias = "describe")]
    #[doc(alias = "mean")]
    #[doc(alias = "std")]
    pub fn statistics(&self) -> Result<Vec<BandStatistics>> {
        if let Some(known) = self.inner.statistics.get() {
            return Ok(known.clone());
        }
        self.unchanged()?;
        let identity = self.identity();
        let key = identity.as_ref().map(statistics_cache::Key::of);
        let statistics = match key.as_ref().and_then(statistics_cache::Key::load) {
            Some(known) if known.len() == self.band_count() => known,
            _ => {
                let computed = self.statistics_where(&self.full(), |_| None)?;
                // What changed meanwhile is in no state that could be named.
                if let Some(key) = key
                    && self.identity() == identity
                {
                    key.store(&computed);
                }
                computed
            }
        };
        Ok(self.inner.statistics.get_or_init(|| statistics).clone())
    }

    /// Exact statistics of the valid pixels of each band in a window, where `keep` is 1 for each; `None` keeps all of
    /// them.
    pub(crate) fn statistics_where(
        &self,
        window: &PixelWindow,
        keep: impl Fn(&PixelWindow) -> Option<Vec<u8>> + Sync,
    ) -> Result<Vec<BandStatistics>> {
        let empty = || RasterError::NoValidPixels {
            path: self.path().to_owned(),
            window: *window,
        };
        let counted: Vec<Values> = self
            .bands()
            .iter()
            .map(|band| Values::of(band.data_type))
            .collect();
        let total = self.tallies(window, &counted, keep)?;
        let found: Vec<Option<BandStatistics>> = total
            .iter()
            .zip(counted)
            .map(|(tally, how)| tally.finish(how))
            .collect();
        if found.iter().all(Option::is_none) {
            return Err(empty().into());
        }
        of_all_bands(found, self, window)
    }

    /// Adds the values of a window that count to those of each band.
    fn add_to(
        &self,
        tallies: &mut [Tally],
        counted: &[Values],
        window: &PixelWindow,
        keep: Option<Vec<u8>>,
    ) -> Result<()> {
        session::check_interrupt("computing statistics")?;
        let nearest = GDALRIOResampleAlg::GRIORA_NearestNeighbour;
        let mut read = self.read_by_band(window, window.size(), nearest)?;
        if let Some(keep) = keep {
            let base = read.base.iter_mut().zip(&keep);
            base.for_each(|(valid, &keep)| *valid &= u8::from(keep != 0));
        }
        for (band, (tally, how)) in tallies.iter_mut().zip(counted).enumerate() {
            tally.add(read.band(band), &read.valid(band), *how);
        }
        Ok(())
    }

    /// Percentiles of every band over its valid pixels in a window, where `keep` is 1: exact for 8 and 16 bits, within 1 % otherwise; `None` for a band
    /// without a valid pixel.
    ///
    /// # Shapes
    /// `shares` from 0 to 1; returns `[bands][shares]`.
    ///
    /// # Source
    /// NumPy's `percentile(method="nearest")`.
    pub(crate) fn percentiles_where(
        &self,
        window: &PixelWindow,
        shares: &[f64],
        keep: impl Fn(&PixelWindow) -> Option<Vec<u8>> + Sync,
    ) -> Result<Vec<Option<Vec<f64>>>> {
        let counted: Vec<Values> = self
            .bands()
            .iter()
            .map(|band| Values::of(band.data_type))
            .collect();
        let total = self.tallies(window, &counted, keep)?;
        let of = |(tally, how): (&Tally, Values)| {
            let (min, max) = (f64::from(tally.min), f64::from(tally.max));
            let one = |&share: &f64| tally.percentile(share, how).clamp(min, max);
            (tally.count > 0).then(|| shares.iter().map(one).collect())
        };
        Ok(total.iter().zip(counted).map(of).collect())
    }

    /// Counts of the valid pixels of each band.
    fn tallies(
        &self,
        window: &PixelWindow,
        counted: &[Values],
        keep: impl Fn(&PixelWindow) -> Option<Vec<u8>> + Sync,
    ) -> Result<Vec<Tally>> {
        let inside = self.full().intersect(window);
        let windows: Vec<_> = inside
            .iter()
            .flat_map(|inside| inside.tiles(self.chunk_size()))
            .collect();
        in_parallel(&windows, counted.len(), |tallies, window| {
            self.add_to(tallies, counted, window, keep(window))
        })
    }

    /// A chunk to stream by: whole blocks, so that none is decoded twice, and of bounded size.
    pub(crate) fn chunk_size(&self) -> Size {
        let (size, block) = (self.size(), self.block_size());
        let values = (CHUNK_VALUES / self.band_count().max(1)).max(1);
        let along = (values / block.height.max(1) / block.width).max(1) * block.width;
        let width = along.min(size.width);
        let down = (values / width / block.height).max(1) * block.height;
        Size {
            width,
            height: down.min(size.height),
        }
    }
}

/// Counts of `bands` bands over all windows: each thread has its own, and they are merged.
fn in_parallel<W: Sync>(
    windows: &[W],
    bands: usize,
    add: impl Fn(&mut [Tally], &W) -> Result<()> + Sync,
) -> Result<Vec<Tally>> {
    let fresh = || (0..bands).map(|_| Tally::new()).collect::<Vec<_>>();
    windows
        .par_iter()
        .try_fold(fresh, |mut tallies, window| {
            add(&mut tallies, window)?;
            Ok(tallies)
        })
        .try_reduce(fresh, |mut all, some| {
            all.iter_mut()
                .zip(&some)
                .for_each(|(all, some)| all.merge(some));
            Ok(all)
        })
}

/// The statistics of every band, or the error for the first that has none.
fn of_all_bands(
    found: Vec<Option<BandStatistics>>,
    raster: &Raster,
    window: &PixelWindow,
) -> Result<Vec<BandStatistics>> {
    found
        .into_iter()
        .zip(raster.bands())
        .map(|(statistics, band)| {
            statistics.ok_or_else(|| {
                RasterError::NoValidPixelsInBand {
                    path: raster.path().to_owned(),
                    band: band.name.clone(),
                    window: *window,
                }
                .into()
            })
        })
        .collect()
}

/// 1 for each pixel of a window that counts, `None` when all do.
pub(crate) type Keep<'a> = Box<dyn Fn(&PixelWindow) -> Option<Vec<u8>> + Sync + Send + 'a>;

/// A part of a raster whose values count together with those of others.
pub(crate) struct Part<'a> {
    pub(crate) raster: &'a Raster,
    pub(crate) area: PixelWindow,
    /// 1 for each pixel of a window that counts, `None` when all do.
    pub(crate) keep: Keep<'a>,
    /// Whether all of the raster counts.
    pub(crate) whole: bool,
}

/// Exact statistics of each band over several rasters together: percentiles, too, as those of a single one. The rasters have
/// as many bands; bands of different types are counted as real numbers.
///
/// # Errors
/// As [`Raster::statistics`].
pub(crate) fn pooled_statistics(parts: &[Part<'_>]) -> Result<Vec<BandStatistics>> {
    let Some(first) = parts.first() else {
        return Ok(Vec::new());
    };
    let identities = || -> Option<String> {
        let one = |part: &Part<'_>| part.whole.then(|| part.raster.identity()).flatten();
        // Small files are hashed as a whole, which takes as long as decoding them.
        let all: Vec<String> = parts.par_iter().map(one).collect::<Option<_>>()?;
        Some(format!("{} rasters\n{}", parts.len(), all.join("\n")))
    };
    let identity = identities();
    let key = identity.as_ref().map(statistics_cache::Key::of);
    let bands = first.raster.band_count();
    if let Some(known) = key.as_ref().and_then(statistics_cache::Key::load)
        && known.len() == bands
    {
        return Ok(known);
    }
    let counted: Vec<Values> = (0..bands)
        .map(|band| {
            let mut types = parts
                .iter()
                .filter_map(|part| part.raster.bands().get(band))
                .map(|band| Values::of(band.data_type));
            let first = types.next().unwrap_or(Values::Real);
            match types.all(|other| other == first) {
                true => first,
                false => Values::Real,
            }
        })
        .collect();
    let windows: Vec<(&Part<'_>, PixelWindow)> = parts
        .iter()
        .filter_map(|part| Some((part, part.raster.full().intersect(&part.area)?)))
        .flat_map(|(part, inside)| {
            let tiles = inside.tiles(part.raster.chunk_size());
            tiles.map(move |window| (part, window))
        })
        .collect();
    let total = in_parallel(&windows, bands, |tallies, (part, window)| {
        let keep = (part.keep)(window);
        part.raster.add_to(tallies, &counted, window, keep)
    })?;
    let found: Vec<Option<BandStatistics>> = total
        .iter()
        .zip(&counted)
        .map(|(tally, how)| tally.finish(*how))
        .collect();
    if found.iter().all(Option::is_none) {
        return Err(RasterError::NoValidPixels {
            path: first.raster.path().to_owned(),
            window: first.area,
        }
        .into());
    }
    let computed = of_all_bands(found, first.raster, &first.area)?;
    // What changed meanwhile is in no state that could be named.
    let unchanged = || parts.par_iter().all(|part| part.raster.is_as_opened());
    if let Some(key) = key
        && (unchanged() || identities() == identity)
    {
        key.store(&computed);
    }
    Ok(computed)
}

/// How values are counted for percentiles, and for the sums where counts are exact.
#[derive(Clone, Copy, PartialEq)]
enum Values {
    /// Whole numbers from this one on, 65,536 of them: counts alone give every figure exactly.
    Whole(f32),
    /// Anything else: the upper 16 bits of the ordered bit pattern, about 1 % wide.
    Real,
}

impl Values {
    fn of(data_type: DataType) -> Self {
        match data_type {
            DataType::U8 | DataType::U16 => Self::Whole(0.0),
            DataType::I8 | DataType::I16 => Self::Whole(-32768.0),
            _ => Self::Real,
        }
    }

    fn bin(self, value: f32) -> usize {
        match self {
            Self::Whole(first) => (value - first) as usize,
            Self::Real => {
                let bits = value.to_bits();
                let ordered = if bits >> 31 == 1 {
                    !bits
                } else {
                    bits | 1 << 31
                };
                (ordered >> 16) as usize
            }
        }
    }

    /// The lowest value of a bin.
    fn value(self, bin: usize) -> f64 {
        match self {
            Self::Whole(first) => f64::from(first) + bin as f64,
            Self::Real => {
                let ordered = (bin as u32) << 16;
                let bits = if ordered >> 31 == 1 {
                    ordered & !(1 << 31)
                } else {
                    !ordered
                };
                f64::from(f32::from_bits(bits))
            }
        }
    }
}

#[derive(Clone)]
struct Tally {
    counts: Vec<u64>,
    count: u64,
    mean: f64,
    /// The sum of squared differences from the mean.
    spread: f64,
    min: f32,
    max: f32,
}

impl Tally {
    fn new() -> Self {
        Self {
            counts: vec![0; 65_536],
            ..Self::without_counts()
        }
    }

    const fn without_counts() -> Self {
        Self {
            counts: Vec::new(),
            count: 0,
            mean: 0.0,
            spread: 0.0,
            min: f32::INFINITY,
            max: f32::NEG_INFINITY,
        }
    }

    fn add(&mut self, values: &[f32], valid: &[u8], how: Values) {
        if let Values::Whole(_) = how {
            // Counts alone give mean and deviation ([`Tally::finish`]).
            let mut count = 0;
            let of_bins = self.counts.as_mut_slice();
            for (&value, &valid) in values.iter().zip(valid) {
                if valid != 0 {
                    of_bins[how.bin(value).min(65_535)] += 1;
                    count += 1;
                }
            }
            self.count += count;
            for (&value, &valid) in values.iter().zip(valid) {
                self.min = self.min.min(if valid == 0 { f32::INFINITY } else { value });
                self.max = self
                    .max
                    .max(if valid == 0 { f32::NEG_INFINITY } else { value });
            }
            return;
        }
        let mut part = Self::without_counts();
        let mut sum = 0.0;
        for (&value, _) in values.iter().zip(valid).filter(|&(_, &valid)| valid != 0) {
            self.counts[how.bin(value).min(65_535)] += 1;
            part.count += 1;
            sum += f64::from(value);
            part.min = part.min.min(value);
            part.max = part.max.max(value);
        }
        if part.count == 0 {
            return;
        }
        part.mean = sum / part.count as f64;
        let mean = part.mean;
        part.spread = values
            .iter()
            .zip(valid)
            .filter(|&(_, &valid)| valid != 0)
            .map(|(&value, _)| (f64::from(value) - mean).powi(2))
            .sum();
        self.merge(&part);
    }

    /// # Source
    /// Chan, Golub and LeVeque (1979): means and sums of squares of two parts, without cancellation.
    fn merge(&mut self, other: &Self) {
        self.counts
            .iter_mut()
            .zip(&other.counts)
            .for_each(|(all, &some)| *all += some);
        if other.count == 0 {
            return;
        }
        let (a, b) = (self.count as f64, other.count as f64);
        let difference = other.mean - self.mean;
        self.spread += other.spread + difference * difference * a * b / (a + b);
        self.mean += difference * b / (a + b);
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// `None` when nothing was valid.
    fn finish(&self, how: Values) -> Option<BandStatistics> {
        if self.count == 0 {
            return None;
        }
        let count = self.count as f64;
        let (mut mean, mut variance) = (self.mean, self.spread / count);
        if matches!(how, Values::Whole(_)) {
            // Whole sums are exact in 128 bits whatever the order of the threads.
            let first = how.value(0) as i128;
            let sums = |power: u32| -> i128 {
                self.counts
                    .iter()
                    .enumerate()
                    .map(|(bin, &n)| (first + bin as i128).pow(power) * i128::from(n))
                    .sum()
            };
            let (n, sum, squares) = (i128::from(self.count), sums(1), sums(2));
            mean = sum as f64 / count;
            variance = (squares * n - sum * sum) as f64 / (count * count);
        }
        let (min, max) = (f64::from(self.min), f64::from(self.max));
        let percentile = |share: f64| self.percentile(share, how).clamp(min, max);
        Some(BandStatistics {
            min,
            max,
            mean,
            std: variance.max(0.0).sqrt(),
            count: self.count,
            p2: percentile(0.02),
            p98: percentile(0.98),
        })
    }

    fn percentile(&self, share: f64, how: Values) -> f64 {
        let wanted = (share * (self.count - 1) as f64).round() as u64;
        let mut before = 0;
        for (bin, &count) in self.counts.iter().enumerate() {
            if before + count > wanted {
                return how.value(bin);
            }
            before += count;
        }
        f64::from(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f32], how: Values) -> BandStatistics {
        let mut tally = Tally::new();
        for part in values.chunks(7) {
            tally.add(part, &vec![1; part.len()], how);
        }
        tally.finish(how).expect("there are values")
    }

    #[test]
    fn whole_and_real_counting_agree() {
        let values: Vec<f32> = (0..1000)
            .map(|index| ((index * 7919) % 1009) as f32)
            .collect();
        let (whole, real) = (of(&values, Values::Whole(0.0)), of(&values, Values::Real));
        assert_eq!(
            (whole.min, whole.max, whole.count),
            (real.min, real.max, real.count)
        );
        assert!((whole.mean - real.mean).abs() < 1e-9 && (whole.std - real.std).abs() < 1e-9);
        assert!(
            (whole.p2 - real.p2).abs() <= 0.01 * whole.p2
                && (whole.p98 - real.p98).abs() <= 0.01 * whole.p98
        );
    }

    #[test]
    fn negative_reals_keep_their_order() {
        let found = of(&[-3.0, -1.0, 0.0, 2.0], Values::Real);
        assert_eq!((found.min, found.max, found.mean), (-3.0, 2.0, -0.5));
        let bins: Vec<usize> = [-3.0, -1.0, 0.0, 2.0]
            .iter()
            .map(|&value| Values::Real.bin(value))
            .collect();
        assert!(bins.is_sorted());
        assert_eq!(Values::Real.value(Values::Real.bin(-1.0)).round(), -1.0);
    }

    #[test]
    fn invalid_pixels_do_not_count() {
        let mut tally = Tally::new();
        tally.add(&[1.0, 500.0, 3.0], &[1, 0, 1], Values::Whole(0.0));
        let found = tally.finish(Values::Whole(0.0)).expect("there are values");
        assert_eq!(
            (found.count, found.mean, found.std, found.max),
            (2, 2.0, 1.0, 3.0)
        );
        assert_eq!(Tally::new().finish(Values::Real), None);
    }
}
