//! Bands of several dates: which belong together.

use super::band_words::find;
use super::transform_error::TransformError;
use super::{Band, Date};

/// One band through the dates: its name without a date, and the place of each date's, the earliest first.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Through {
    pub(super) name: String,
    pub(super) places: Vec<(Date, usize)>,
}

/// The bands that words mean, and the date that they are of when that is one by the words.
pub(super) type Meant = (Option<Date>, Vec<usize>);

/// The dates that bands are of, the earliest first.
pub(crate) fn dates(bands: &[Band]) -> Vec<Date> {
    let mut dates: Vec<Date> = bands.iter().filter_map(|band| band.date).collect();
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// The bands with a date, those of one name together, in the order in which names come.
pub(super) fn through(bands: &[Band]) -> Vec<Through> {
    let mut all: Vec<Through> = Vec::new();
    for (place, band) in bands.iter().enumerate() {
        let Some(date) = band.date else {
            continue;
        };
        let name = band.undated_name();
        match all.iter_mut().find(|one| one.name == name) {
            Some(one) => one.places.push((date, place)),
            None => all.push(Through {
                name: name.to_owned(),
                places: vec![(date, place)],
            }),
        }
    }
    for one in &mut all {
        one.places.sort_by_key(|(date, _)| *date);
    }
    all
}

/// The bands of one date, called without it, and those without a date behind them; with their places.
pub(super) fn of_date(bands: &[Band], date: Date) -> (Vec<usize>, Vec<Band>) {
    let of = |wanted: Option<Date>| {
        let all = bands.iter().enumerate();
        all.filter(move |(_, band)| band.date == wanted)
    };
    of(Some(date))
        .chain(of(None))
        .map(|(place, band)| {
            let name = band.undated_name().to_owned();
            let band = Band {
                name,
                ..band.clone()
            };
            (place, band)
        })
        .unzip()
}

/// The bands that words mean on each date; `None` where they mean none of a single date.
fn by_date(words: &[(&str, usize)], text: &str, bands: &[Band]) -> Option<Vec<(Date, Vec<usize>)>> {
    let mut all = Vec::new();
    for date in dates(bands) {
        let (places, own) = of_date(bands, date);
        let found: Option<Vec<usize>> = words
            .iter()
            .map(|&(word, column)| find(word, &own, (text, column)).ok())
            .map(|at| places.get(at?).copied())
            .collect();
        let found = found?;
        if found.iter().all(|&at| bands[at].date.is_none()) {
            return None;
        }
        all.push((date, found));
    }
    (!all.is_empty()).then_some(all)
}

/// The bands that the words of an expression mean: once for each date of a time series where they mean bands of one date,
/// otherwise once for all.
///
/// # Errors
/// [`TransformError::UnknownBand`], [`TransformError::SeveralBands`].
pub(super) fn meant(
    words: &[(&str, usize)],
    text: &str,
    bands: &[Band],
) -> Result<Vec<Meant>, TransformError> {
    if let Some(found) = by_date(words, text, bands) {
        let dated = found.into_iter();
        return Ok(dated.map(|(date, places)| (Some(date), places)).collect());
    }
    let mut places = Vec::with_capacity(words.len());
    for &(word, column) in words {
        places.push(find(word, bands, (text, column))?);
    }
    Ok(vec![(None, places)])
}

/// The bands that names choose, each once, or as often as it is named where `again` says so: in a time series, names without
/// a date choose the bands of every date, date by date.
///
/// # Errors
/// As [`meant`].
pub(super) fn chosen(
    names: &[String],
    bands: &[Band],
    again: bool,
) -> Result<Vec<usize>, TransformError> {
    let words: Vec<(&str, usize)> = names.iter().map(|name| (name.as_str(), 0)).collect();
    let mut places: Vec<usize> = Vec::new();
    // A band that is named with its date is meant on every date, and is there once all the same.
    let mut add = |of_dates: Vec<Vec<usize>>| {
        let mut earlier: Vec<usize> = Vec::new();
        for of_date in of_dates {
            for &place in &of_date {
                let known = if again { &earlier } else { &places };
                if !known.contains(&place) {
                    places.push(place);
                }
            }
            earlier.extend(of_date);
        }
    };
    match by_date(&words, "", bands) {
        Some(found) => add(found.into_iter().map(|(_, places)| places).collect()),
        None => {
            for word in words {
                let found = meant(&[word], "", bands)?;
                add(found.into_iter().map(|(_, places)| places).collect());
            }
        }
    }
    Ok(places)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::raster::{BandRole, DataType};

    /// Red and near infrared on two days, and a height.
    pub(in crate::raster) fn bands() -> Vec<Band> {
        let band = |name: &str, role, date| Band {
            name: name.to_owned(),
            role,
            date,
            ..Band::plain(1, DataType::U16)
        };
        let (red, nir) = (Some(BandRole::Red), Some(BandRole::NearInfrared));
        let (april, june) = (Date::new(2023, 4, 15), Date::new(2023, 6, 4));
        vec![
            band("B04 2023-04-15", red, april),
            band("B08 2023-04-15", nir, april),
            band("B04 2023-06-04", red, june),
            band("B08 2023-06-04", nir, june),
            band("height", None, None),
        ]
    }

    #[test]
    fn words_mean_bands_of_each_date_or_the_one_that_is_named() {
        let all = bands();
        let meant = |words: &[&str]| -> Option<Vec<Vec<usize>>> {
            let words: Vec<(&str, usize)> = words.iter().map(|&word| (word, 0)).collect();
            let found = meant(&words, "", &all).ok()?;
            Some(found.into_iter().map(|(_, places)| places).collect())
        };
        assert_eq!(meant(&["nir", "red"]), Some(vec![vec![1, 0], vec![3, 2]]));
        assert_eq!(
            meant(&["B08", "height"]),
            Some(vec![vec![1, 4], vec![3, 4]])
        );
        assert_eq!(
            meant(&["B08 2023-06-04", "b08 2023-04-15"]),
            Some(vec![vec![3, 1]])
        );
        // What has no date is no band of every date.
        assert_eq!(meant(&["height"]), Some(vec![vec![4]]));
        assert_eq!(meant(&["blue"]), None);
        let chosen = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            assert_eq!(
                chosen(&names, &all, true).ok().map(|again| again.len()),
                chosen(&names, &all, false).ok().map(|once| once.len()),
                "nothing is named twice"
            );
            chosen(&names, &all, false).ok()
        };
        assert_eq!(chosen(&["B08", "B04"]), Some(vec![1, 0, 3, 2]));
        assert_eq!(chosen(&["height", "red"]), Some(vec![4, 0, 2]));
        assert_eq!(chosen(&["B04 2023-06-04"]), Some(vec![2]));
        assert_eq!(chosen(&["green"]), None);
        let twice = ["height", "height"].map(str::to_owned);
        assert_eq!(super::chosen(&twice, &all, true).ok(), Some(vec![4, 4]));
        assert_eq!(super::chosen(&twice, &all, false).ok(), Some(vec![4]));
        let twice = ["B08", "B08", "B04"].map(str::to_owned);
        assert_eq!(
            super::chosen(&twice, &all, true).ok(),
            Some(vec![1, 1, 0, 3, 3, 2])
        );
        let through = through(&all);
        assert_eq!(through.len(), 2);
        assert_eq!(through[1].name, "B08");
        let places: Vec<usize> = through[1].places.iter().map(|(_, place)| *place).collect();
        assert_eq!(places, [1, 3]);
    }
}
