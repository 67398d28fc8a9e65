//! Whether a scene holds what a model was trained on: the same bands in the same order, with values of the same kind.

use std::collections::BTreeMap;

use super::PredictError;
use crate::models::TrainedBand;
use crate::raster::{Band, BandRole, PixelWindow};
use crate::report::{Notice, Report};
use crate::scene::{OfSet, Scene, Spread};
use crate::{Result, session};

/// Values that spread this many times as far as in training, or as little, are of another kind.
const HOPELESS: f64 = 4.0;
/// From this factor on a notice says so.
const REMARKABLE: f64 = 2.0;
/// Samples of a scene along each side, and the pixels of one along each side.
const SAMPLES: usize = 5;
const SAMPLE: usize = 128;
/// Fewer valid pixels than this tell nothing.
const FEWEST: usize = 64;

/// What a model knows of its bands, and how it is called in a notice.
pub(crate) struct Known<'a> {
    pub(crate) bands: &'a [TrainedBand],
    /// `the model was trained on`, `the training scene has`.
    pub(crate) who: &'a str,
    /// How a caller goes on all the same.
    pub(crate) on_purpose: &'static str,
}

/// What to write where a model is trained.
pub(crate) const FOR_TRAINING: &str = "`FitOptions::epochs(10).any_values(true)`";

/// Compares the scene's bands with those that were trained on. Returns what a person should know; with `any_values` that is
/// all, without it bands in another order and values of another kind are errors. Models of before there was such knowledge
/// have none, and nothing is compared.
///
/// The scene's values are taken from up to 25 samples of 128 x 128 pixels, evenly spread: no full pass. A chip of a set is
/// judged by the values of the set, as that declares them or as some of its chips have them: a single one may be all water.
///
/// # Errors
/// [`PredictError::BandOrder`], [`PredictError::OtherValues`]; errors of reading.
pub(crate) fn compare(known: &Known<'_>, scene: &Scene, any_values: bool) -> Result<Report> {
    let mut report = Report::new();
    let bands = scene.raster().bands();
    if known.bands.len() != bands.len() {
        return Ok(report);
    }
    let path = || scene.raster().path().to_owned();
    let of_set = scene.set_values();
    let name = || of_set.map_or_else(|| scene.name(), |set| set.name().to_owned());
    if let Some((expected, found)) = other_order(known.bands, scene) {
        if !any_values {
            return Err(PredictError::BandOrder {
                who: known.who.to_owned(),
                expected,
                found,
                on_purpose: known.on_purpose,
                path: path(),
            }
            .into());
        }
        report.push(
            Notice::noted(format!(
                "{} the bands {}, the scene has {}",
                known.who,
                expected.join(", "),
                found.join(", ")
            ))
            .about(scene.name()),
        );
    }
    report.extend(other_roles(known, scene));
    if let Some((was, is)) = numbers(known.bands, bands)
        && was != is
        && report.is_empty()
    {
        let text = format!(
            "{} {}, the scene is read as {}",
            known.who,
            was.join(", "),
            is.join(", ")
        );
        let next = format!(
            "check that they show the same; {} chooses and orders bands",
            crate::host::either("`OpenOptions::new().bands([…])`", "`--bands`")
        );
        report.push(Notice::noted(text).about(scene.name()).next(next));
    }
    let own = || sampled(std::slice::from_ref(scene), SAMPLES);
    // What one chip of changed bands holds tells nothing of the others.
    let (values, any_values) = match of_set {
        Some(OfSet::Known(set)) => (set.spread(|scenes| sampled(scenes, 1))?, any_values),
        Some(OfSet::Changed(_)) => (own()?, true),
        None => (own()?, any_values),
    };
    let Some(values) = values.filter(|values| values.len() == bands.len()) else {
        return Ok(report);
    };
    let (mut notices, mut hopeless) = (Vec::new(), Vec::new());
    for (number, ((was, band), is)) in known.bands.iter().zip(bands).zip(&values).enumerate() {
        let Some(other) = Other::of(was, is, was.data_type != band.data_type) else {
            continue;
        };
        let band_name = match is_number(&band.name) {
            true => format!("band {}", number + 1),
            false => format!("band {} ({})", number + 1, band.name),
        };
        let words = format!(
            "{band_name}: {} in training, {} here, {}",
            words_of(was.data_type.as_str(), was.p2, was.p98),
            words_of(band.data_type.as_str(), is.p2, is.p98),
            other.words
        );
        if other.hopeless {
            hopeless.push(words);
        } else {
            notices.push(words);
        }
    }
    if !hopeless.is_empty() && !any_values {
        return Err(PredictError::OtherValues {
            who: known.who.to_owned(),
            bands: hopeless,
            on_purpose: known.on_purpose,
            path: path(),
        }
        .into());
    }
    for words in hopeless.into_iter().chain(notices) {
        report.push(
            Notice::noted(format!(
                "{} other values, {words}",
                known.who
            ))
            .about(name())
            .next(
                "bring the scene's values to those of the training, or train on imagery like this",
            ),
        );
    }
    Ok(report)
}

/// [`compare`] for models, each with its bands: shows what it found unless `quiet`, and returns it.
pub(crate) fn check_models<'a>(
    models: impl IntoIterator<Item = &'a [TrainedBand]>,
    scene: &Scene,
    on_purpose: &'static str,
    (any_values, quiet): (bool, bool),
) -> Result<Report> {
    let mut all = Report::new();
    for bands in models {
        let known = Known {
            bands,
            who: "the model was trained on",
            on_purpose,
        };
        all.extend(compare(&known, scene, any_values)?);
    }
    if !quiet && !all.is_empty() {
        session::display(&all);
    }
    Ok(all)
}

/// `Byte from 12 to 240`
fn words_of(data_type: &str, low: f64, high: f64) -> String {
    format!("{data_type} from {} to {}", short(low), short(high))
}

/// A number with about four digits that count.
fn short(value: f64) -> String {
    let size = value.abs();
    if size >= 1000.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.4}")
    }
}

/// How the values of a band differ from those of the training.
struct Other {
    words: String,
    hopeless: bool,
}

impl Other {
    /// `None` where they are alike. Another type makes small spreads suspicious; of the same type a lake or a field may well
    /// be more even than the training area.
    fn of(was: &TrainedBand, is: &Spread, other_type: bool) -> Option<Self> {
        // A constant band of the training has no spread to compare with.
        let spread = |low: f64, high: f64| (high - low).max(0.0);
        let (before, now) = (spread(was.p2, was.p98), spread(is.p2, is.p98));
        let outside = is.p2 > was.max || is.p98 < was.min;
        if before <= 0.0 || !before.is_finite() || !now.is_finite() {
            return outside.then(|| Self {
                words: "wholly outside".to_owned(),
                hopeless: true,
            });
        }
        let factor = now / before;
        // An even sample has no factor of its own: that of the means, where values are counted from 0, is better than none.
        let (far, little) = (factor > HOPELESS, factor < 1.0 / HOPELESS);
        let beyond = is.p98 > was.max + before || is.p2 < was.min - before;
        // A wholly different place on the scale, and not a little brighter or darker day.
        let apart = outside && {
            let gap = (is.p2 - was.max).max(was.min - is.p98);
            gap > before / HOPELESS || other_type
        };
        let hopeless = apart || far && (other_type || beyond) || little && other_type;
        let remarkable = !(1.0 / REMARKABLE..=REMARKABLE).contains(&factor);
        if !(hopeless || outside || remarkable && other_type || far || little) {
            return None;
        }
        let mut words = match factor {
            factor if factor >= 1.0 => format!("{} times as far spread", short(factor)),
            factor if factor > 0.0 => format!("{} times less spread", short(1.0 / factor)),
            _ => "without any spread".to_owned(),
        };
        if was.mean != 0.0 && (is.mean / was.mean - factor).abs() < 0.15 * factor {
            words = match factor >= 1.0 {
                true => format!("times {}", short(factor)),
                false => format!("divided by {}", short(1.0 / factor)),
            };
        }
        if outside {
            words += ", wholly outside";
        }
        Some(Self { words, hopeless })
    }
}

/// The values of scenes of the same bands, from at most `most` samples along each side of each of them; `None` when hardly a
/// pixel of the samples is valid.
fn sampled(scenes: &[Scene], most: usize) -> Result<Option<Vec<Spread>>> {
    let bands = scenes.first().map_or(0, Scene::band_count);
    let mut values: Vec<Vec<f32>> = vec![Vec::new(); bands];
    for scene in scenes {
        take_samples(scene, most, &mut values)?;
    }
    if values.iter().any(|values| values.len() < FEWEST) {
        return Ok(None);
    }
    Ok(Some(values.into_iter().map(of_values).collect()))
}

fn take_samples(scene: &Scene, most: usize, values: &mut [Vec<f32>]) -> Result<()> {
    let area = scene.area();
    let side = (area.width.min(SAMPLE), area.height.min(SAMPLE));
    let starts = |origin: i64, length: usize, side: usize| -> Vec<i64> {
        let count = length.div_ceil(side).clamp(1, most);
        let start = |index: usize| match count {
            1 => (length - side) / 2,
            _ => index * (length - side) / (count - 1),
        };
        (0..count)
            .map(|index| origin + start(index) as i64)
            .collect()
    };
    for row in starts(area.row, area.height, side.1) {
        for &col in &starts(area.col, area.width, side.0) {
            session::check_interrupt("comparing the scene with the training")?;
            let window = PixelWindow::new(col, row, side.0, side.1);
            if scene.aoi().is_some_and(|aoi| !aoi.touches(&window)) {
                continue;
            }
            let patch = scene.read(&window)?;
            for (band, values) in values.iter_mut().enumerate() {
                let pairs = patch.band(band).iter().zip(&patch.valid);
                values.extend(
                    pairs
                        .filter(|(_, valid)| **valid != 0)
                        .map(|(value, _)| *value),
                );
            }
        }
    }
    Ok(())
}

fn of_values(mut values: Vec<f32>) -> Spread {
    values.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| f64::from(values[(share * (values.len() - 1) as f64).round() as usize]);
    Spread {
        mean: values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64,
        p2: at(0.02),
        p98: at(0.98),
    }
}

/// Whether a band has no name but its number.
fn is_number(name: &str) -> bool {
    let rest = name.trim().to_lowercase();
    let rest = rest
        .strip_prefix("band")
        .unwrap_or(&rest)
        .trim_start_matches([' ', '_', '-']);
    // `B4` and `band 4` of a file's own description are names; what the library calls a nameless band is `band 4`.
    !rest.is_empty() && name.starts_with("band ") && rest.chars().all(|one| one.is_ascii_digit())
}

/// A name without capitals, spaces and leading zeros: `B04` is `b4`.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for one in name
        .to_lowercase()
        .chars()
        .filter(|one| one.is_alphanumeric())
    {
        let zero = one == '0' && !plain.ends_with(|last: char| last.is_ascii_digit());
        if !zero {
            plain.push(one);
        }
    }
    plain
}

/// Both orders, where a band that both have is at another place in the scene: by name, or by role where names say nothing.
fn other_order(trained: &[TrainedBand], scene: &Scene) -> Option<(Vec<String>, Vec<String>)> {
    let bands = scene.raster().bands();
    let name = |name: &str| {
        (!is_number(name))
            .then(|| plain(name))
            .filter(|name| !name.is_empty())
    };
    let (was, is): (Vec<_>, Vec<_>) = (trained.iter().zip(bands))
        .map(|(was, is)| (name(&was.name), name(&is.name)))
        .unzip();
    match moved(&was, &is) {
        Some(true) => {
            let expected = trained.iter().map(|band| band.name.clone()).collect();
            let found = bands.iter().map(|band| band.name.clone()).collect();
            return Some((expected, found));
        }
        // Names that both have, all at their places, leave no doubt.
        Some(false) => return None,
        None => {}
    }
    let roles = |roles: Vec<Option<BandRole>>| -> Vec<Option<String>> {
        roles.into_iter().map(|role| role.map(word)).collect()
    };
    let was = roles(trained.iter().map(|band| band.role).collect());
    let is = roles(bands.iter().map(|band| band.role).collect());
    if moved(&was, &is) != Some(true) {
        // Numbers of bands say only what a person has chosen and ordered of one file.
        let (was, is) = numbers(trained, bands)?;
        let sorted = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort();
            names
        };
        return (was != is && sorted(&was) == sorted(&is)).then_some((was, is));
    }
    let words = |roles: Vec<Option<String>>| {
        let number = |(index, role): (usize, Option<String>)| {
            role.unwrap_or_else(|| format!("band {}", index + 1))
        };
        roles.into_iter().enumerate().map(number).collect()
    };
    Some((words(was), words(is)))
}

/// The scene with the bands of the training in its order, as a collection has those of its first scene: where each of them is
/// one of the scene's by name, or by what it shows. As it is where they are in order, and where one is not found.
///
/// # Errors
/// Those of opening the file again.
pub(crate) fn in_order_of(trained: &[TrainedBand], scene: Scene) -> Result<Scene> {
    let bands = scene.raster().bands();
    let Some(places) = places_of(trained, bands) else {
        return Ok(scene);
    };
    if places.iter().copied().eq(0..bands.len()) || !scene.raster().is_of_a_file() {
        return Ok(scene);
    }
    let names =
        |bands: &[&Band]| -> Vec<String> { bands.iter().map(|band| band.name.clone()).collect() };
    let chosen: Vec<&Band> = places.iter().filter_map(|&at| bands.get(at)).collect();
    let (chosen, all) = (names(&chosen), names(&bands.iter().collect::<Vec<_>>()));
    let text = format!(
        "the bands are {}, the model was trained on others or in another order: {} are taken, by name",
        all.join(", "),
        chosen.join(", ")
    );
    let notice = Notice::converted(text)
        .about(scene.name())
        .count(chosen.len());
    let options = scene.raster().options().clone().bands(chosen);
    Ok(scene.reopened(options)?.with_notice(notice))
}

/// Where the bands of a training are among others, each of them once.
fn places_of(trained: &[TrainedBand], bands: &[Band]) -> Option<Vec<usize>> {
    let only = |found: Vec<usize>| match found[..] {
        [one] => Some(one),
        _ => None,
    };
    let mut places = Vec::with_capacity(trained.len());
    for wanted in trained {
        let named = (0..bands.len()).filter(|&at| {
            let (was, is) = (&wanted.name, &bands[at].name);
            !is_number(was) && !is_number(is) && plain(was) == plain(is)
        });
        let shows =
            (0..bands.len()).filter(|&at| wanted.role.is_some() && bands[at].role == wanted.role);
        let place = only(named.collect()).or_else(|| only(shows.collect()))?;
        if places.contains(&place) {
            return None;
        }
        places.push(place);
    }
    Some(places)
}

/// The names of both, where all of them are numbers of bands.
fn numbers(trained: &[TrainedBand], bands: &[Band]) -> Option<(Vec<String>, Vec<String>)> {
    let was: Vec<String> = trained.iter().map(|band| band.name.clone()).collect();
    let is: Vec<String> = bands.iter().map(|band| band.name.clone()).collect();
    let all = was.iter().chain(&is).all(|name| is_number(name));
    all.then_some((was, is))
}

/// Whether one of the names that occur once in both lists stands elsewhere; `None` when they share none.
fn moved(was: &[Option<String>], is: &[Option<String>]) -> Option<bool> {
    fn places(names: &[Option<String>]) -> BTreeMap<&str, Vec<usize>> {
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, name) in names.iter().enumerate() {
            if let Some(name) = name {
                places.entry(name).or_default().push(place);
            }
        }
        places.retain(|_, places| places.len() == 1);
        places
    }
    let (was, is) = (places(was), places(is));
    let mut shared = was
        .iter()
        .filter_map(|(name, places)| Some(places != is.get(name)?))
        .peekable();
    shared.peek()?;
    Some(shared.any(|moved| moved))
}

fn word(role: BandRole) -> String {
    let word = serde_json::to_value(role).unwrap_or_default();
    word.as_str().unwrap_or("unknown").replace('_', " ")
}

/// Bands that show something else than in training, though nothing is out of order.
fn other_roles(known: &Known<'_>, scene: &Scene) -> Option<Notice> {
    let different: Vec<String> = (known.bands.iter().zip(scene.raster().bands()))
        .enumerate()
        .filter_map(|(index, (was, is))| {
            let (was, is) = (was.role?, is.role?);
            (was != is).then(|| format!("band {} was {} and is {}", index + 1, word(was), word(is)))
        })
        .collect();
    if different.is_empty() {
        return None;
    }
    let text = format!("{} other bands: {}", known.who, different.join(", "));
    let next =
        "`Scene::open_with(path, OpenOptions::new().bands([…]))` chooses bands and their order";
    Some(
        Notice::noted(text)
            .about(scene.name())
            .count(different.len())
            .next(next),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::DataType;

    fn band(data_type: DataType, low: f64, high: f64) -> TrainedBand {
        TrainedBand {
            name: "band 1".to_owned(),
            role: None,
            data_type,
            min: low,
            max: high,
            mean: (low + high) / 2.0,
            std: (high - low) / 4.0,
            p2: low,
            p98: high,
        }
    }

    fn values(low: f64, high: f64) -> Spread {
        Spread {
            mean: (low + high) / 2.0,
            p2: low,
            p98: high,
        }
    }

    #[test]
    fn a_factor_is_told_and_only_what_cannot_be_meant_is_refused() {
        let byte = band(DataType::U8, 20.0, 220.0);
        let other = |low, high, other_type| Other::of(&byte, &values(low, high), other_type);
        // 16 bits times 40, and floats from 0 to 1.
        let scaled = other(800.0, 8800.0, true).expect("it differs");
        assert!(
            scaled.hopeless && scaled.words.starts_with("times 40"),
            "{}",
            scaled.words
        );
        let share = other(20.0 / 255.0, 220.0 / 255.0, true).expect("it differs");
        assert!(
            share.hopeless && share.words.contains("divided by 255"),
            "{}",
            share.words
        );
        // The same values in another type, a dark lake, a duller day.
        assert!(other(20.0, 220.0, true).is_none());
        assert!(other(25.0, 40.0, false).is_some_and(|other| !other.hopeless));
        assert!(other(20.0, 120.0, false).is_none());
        assert!(other(20.0, 75.0, true).is_some_and(|other| !other.hopeless));
        assert!(other(60.0, 255.0, false).is_none());
        // The same type, another scale.
        let reflectance = band(DataType::U16, 200.0, 600.0);
        let far = Other::of(&reflectance, &values(2000.0, 60_000.0), false);
        assert!(far.is_some_and(|other| other.hopeless));
    }

    #[test]
    fn names_tell_an_order_only_where_both_have_them() {
        let names = |names: &[&str]| -> Vec<Option<String>> {
            let name = |name: &&str| (!is_number(name)).then(|| plain(name));
            names.iter().map(name).collect()
        };
        let moved = |was: &[&str], is: &[&str]| super::moved(&names(was), &names(is));
        assert_eq!(
            moved(&["blue", "green", "red"], &["Red", "Green", "Blue"]),
            Some(true)
        );
        assert_eq!(moved(&["B02", "B03"], &["b2", "b3"]), Some(false));
        assert_eq!(moved(&["B2", "B3", "B4"], &["B3", "B4", "B8"]), Some(true));
        assert_eq!(moved(&["band 1", "band 2"], &["band 2", "band 1"]), None);
        assert_eq!(moved(&["red", "red"], &["green", "red"]), None);
        assert_eq!(moved(&["vv", "vh"], &["hh", "hv"]), None);
        assert_eq!(plain("B10"), "b10");
        assert_eq!(plain("Near_Infrared"), "nearinfrared");
    }
}
