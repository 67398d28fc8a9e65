//! One value of several dates, and values where a date has none.

use serde::{Deserialize, Serialize};

use super::Date;
use super::by_band::ByBand;
use super::dated::Through;

/// How one band is made of the same band of several dates, pixel by pixel, of the dates on which the pixel is valid.
///
/// ```no_run
/// use swath::prelude::*;
/// let series = TimeSeries::new("s2/*.tif").mask("SCL", [0, 3, 8, 9, 10]);
/// let clear = Scene::series_with(series)?.composite(Composite::Median)?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Composite {
    /// The middle value; of an even number of dates the mean of the two in the middle (NumPy's `median`).
    Median,
    /// The mean.
    Mean,
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// The value of the earliest date that has one.
    First,
    /// The value of the latest date that has one.
    Last,
    /// All bands of the date on which `(nir - red) / (nir + red)` is largest, the earliest of equal ones: the greenest pixel
    /// (Holben 1986, doi:10.1080/01431168608948945).
    MaxNdvi,
}

impl Composite {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Mean => "mean",
            Self::Min => "smallest value",
            Self::Max => "largest value",
            Self::First => "first valid value",
            Self::Last => "last valid value",
            Self::MaxNdvi => "greenest date",
        }
    }

    /// Of values by date, at least one.
    fn of(self, values: &mut [f32]) -> f32 {
        let (Some(&first), Some(&last)) = (values.first(), values.last()) else {
            return 0.0;
        };
        match self {
            Self::Median => {
                values.sort_unstable_by(f32::total_cmp);
                let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
                f64::midpoint(f64::from(values[low]), f64::from(values[high])) as f32
            }
            Self::Mean => {
                let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
                (sum / values.len() as f64) as f32
            }
            Self::Min => values.iter().copied().fold(first, f32::min),
            Self::Max => values.iter().copied().fold(first, f32::max),
            Self::Last => last,
            Self::First | Self::MaxNdvi => first,
        }
    }
}

/// What a composite needs to know of its bands.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) how: Composite,
    pub(super) bands: Vec<Through>,
    /// Near infrared and red of each date, for the greenest one.
    pub(super) greenness: Vec<(Date, [usize; 2])>,
    /// The bands without a date, which stay.
    pub(super) others: Vec<usize>,
}

fn here(read: &ByBand, band: usize, pixel: usize) -> bool {
    let present = read.present.get(band).and_then(Option::as_ref);
    read.base[pixel] != 0 && present.is_none_or(|present| present[pixel] != 0)
}

impl Plan {
    /// The composite's bands, and behind them those without a date.
    pub(super) fn apply(&self, read: &ByBand) -> ByBand {
        let (size, area) = (read.size, read.size.area());
        let mut all = ByBand {
            size,
            data: Vec::with_capacity((self.bands.len() + self.others.len()) * area),
            base: read.base.clone(),
            present: Vec::new(),
        };
        let greenest = match self.how {
            Composite::MaxNdvi => Some(self.greenest(read)),
            _ => None,
        };
        let mut values = Vec::new();
        for band in &self.bands {
            let mut present = vec![1; area];
            for pixel in 0..area {
                values.clear();
                let date = greenest.as_ref().map(|dates| dates[pixel]);
                for &(own, place) in &band.places {
                    let wanted = date.is_none_or(|date| date == Some(own));
                    if wanted && here(read, place, pixel) {
                        values.push(read.data[place * area + pixel]);
                    }
                }
                present[pixel] = u8::from(!values.is_empty());
                all.data.push(self.how.of(&mut values));
            }
            all.present.push(present.contains(&0).then_some(present));
        }
        for &band in &self.others {
            all.data.extend_from_slice(read.band(band));
            all.present.push(read.present[band].clone());
        }
        all
    }

    /// The date on which each pixel is greenest; `None` where no date tells.
    fn greenest(&self, read: &ByBand) -> Vec<Option<Date>> {
        let area = read.size.area();
        let mut found: Vec<Option<(f64, Date)>> = vec![None; area];
        for &(date, [nir, red]) in &self.greenness {
            for (pixel, best) in found.iter_mut().enumerate() {
                if !(here(read, nir, pixel) && here(read, red, pixel)) {
                    continue;
                }
                let value = |band: usize| f64::from(read.data[band * area + pixel]);
                let ndvi = (value(nir) - value(red)) / (value(nir) + value(red));
                if ndvi.is_finite() && best.is_none_or(|(most, _)| ndvi > most) {
                    *best = Some((ndvi, date));
                }
            }
        }
        let date = |best: Option<(f64, Date)>| best.map(|(_, date)| date);
        found.into_iter().map(date).collect()
    }
}

/// Gives each band of a series a value on the dates that have none, between the nearest dates before and after that have one:
/// on a straight line by days; before the first and after the last that date's own. Where no date has a value none is made.
pub(super) fn fill(bands: &[Through], read: &mut ByBand) {
    let area = read.size.area();
    for band in bands {
        if band
            .places
            .iter()
            .all(|&(_, place)| read.present[place].is_none())
        {
            continue;
        }
        for pixel in 0..area {
            if band
                .places
                .iter()
                .all(|&(_, place)| here(read, place, pixel))
            {
                continue;
            }
            let known: Vec<(Date, f32)> = band
                .places
                .iter()
                .filter(|(_, place)| here(read, *place, pixel))
                .map(|&(date, place)| (date, read.data[place * area + pixel]))
                .collect();
            for &(date, place) in &band.places {
                if !here(read, place, pixel)
                    && let Some(value) = between(&known, date)
                {
                    read.data[place * area + pixel] = value;
                    if let Some(present) = &mut read.present[place] {
                        present[pixel] = 1;
                    }
                }
            }
        }
        for &(_, place) in &band.places {
            let full = |present: &Vec<u8>| !present.contains(&0);
            if read.present[place].as_ref().is_some_and(full) {
                read.present[place] = None;
            }
        }
    }
}

/// The value of a day between those that are known, by date.
fn between(known: &[(Date, f32)], date: Date) -> Option<f32> {
    let next = known.partition_point(|(day, _)| *day <= date);
    let before = next.checked_sub(1).and_then(|at| known.get(at));
    match (before, known.get(next)) {
        (Some(&(from, low)), Some(&(to, high))) => {
            let share = date.days_since(from) as f64 / to.days_since(from).max(1) as f64;
            Some((f64::from(low) + (f64::from(high) - f64::from(low)) * share) as f32)
        }
        (Some(&(_, only)), None) | (None, Some(&(_, only))) => Some(only),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Size;
    use crate::raster::dated::{self, tests::bands};

    fn plan(how: Composite) -> Plan {
        let all = bands();
        let through = dated::through(&all);
        let greenness = [(0, [1, 0]), (1, [3, 2])]
            .map(|(at, places)| (through[0].places[at].0, places))
            .to_vec();
        Plan {
            how,
            bands: through,
            greenness,
            others: vec![4],
        }
    }

    /// Four pixels: both dates, April alone, June alone, none.
    fn read() -> ByBand {
        let data = [
            [1.0, 3.0, 9.0, 9.0], // red in April
            [4.0, 5.0, 9.0, 9.0],
            [2.0, 9.0, 7.0, 9.0], // red in June
            [6.0, 9.0, 8.0, 9.0],
            [10.0, 11.0, 12.0, 13.0],
        ];
        let (april, june) = (vec![1, 1, 0, 0], vec![1, 0, 1, 0]);
        let present = [&april, &april, &june, &june].map(|one| Some(one.clone()));
        let present: Vec<_> = present.into_iter().chain([None]).collect();
        ByBand {
            size: Size::new(4, 1),
            data: data.concat(),
            base: vec![1; 4],
            present,
        }
    }

    /// By hand; NDVI of the first pixel is 0.6 in April and 0.5 in June.
    #[test]
    fn composites_are_of_the_dates_that_a_pixel_is_valid_on() {
        for (how, red, nir) in [
            (Composite::Median, [1.5, 3.0, 7.0], [5.0, 5.0, 8.0]),
            (Composite::Mean, [1.5, 3.0, 7.0], [5.0, 5.0, 8.0]),
            (Composite::Min, [1.0, 3.0, 7.0], [4.0, 5.0, 8.0]),
            (Composite::Max, [2.0, 3.0, 7.0], [6.0, 5.0, 8.0]),
            (Composite::First, [1.0, 3.0, 7.0], [4.0, 5.0, 8.0]),
            (Composite::Last, [2.0, 3.0, 7.0], [6.0, 5.0, 8.0]),
            (Composite::MaxNdvi, [1.0, 3.0, 7.0], [4.0, 5.0, 8.0]),
        ] {
            let made = plan(how).apply(&read());
            assert_eq!(made.band(0)[..3], red, "{how:?}");
            assert_eq!(made.band(1)[..3], nir, "{how:?}");
            assert_eq!(made.present[0], Some(vec![1, 1, 1, 0]), "{how:?}");
            assert_eq!(made.band(2), [10.0, 11.0, 12.0, 13.0]);
            assert_eq!(made.present[2], None);
        }
    }

    /// numpy.interp over days 0, 10 and 40, which holds the ends.
    #[test]
    fn gaps_are_filled_on_a_straight_line_by_days() {
        let day = |number: u16| Date::of_year_day(2023, number + 1).unwrap();
        let known = [(day(0), 10.0), (day(10), 20.0), (day(40), 50.0)];
        for (at, value) in [(0, 10.0), (4, 14.0), (10, 20.0), (25, 35.0), (200, 50.0)] {
            assert_eq!(between(&known, day(at)), Some(value), "{at}");
        }
        assert_eq!(between(&known[1..], day(3)), Some(20.0));
        assert_eq!(between(&[], day(3)), None);
        let mut read = read();
        fill(&dated::through(&bands()), &mut read);
        assert_eq!(read.band(0)[..3], [1.0, 3.0, 7.0]);
        assert_eq!(read.band(2)[..3], [2.0, 3.0, 7.0]);
        assert_eq!(read.present[0], Some(vec![1, 1, 1, 0]));
        assert_eq!(read.present[3], Some(vec![1, 1, 1, 0]));
    }
}
