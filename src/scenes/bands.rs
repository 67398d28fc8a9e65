//! The bands of the first scene in all others: by name where files name them, otherwise by their number.

use super::ScenesError;
use super::collection::Member;
use super::error::listed;
use crate::Result;
use crate::host::either;
use crate::raster::{Band, Raster};
use crate::report::{Notice, Report};
use crate::scene::Scene;

/// Whether a file says nothing of its bands but their numbers and colors.
fn is_unnamed(bands: &[Band]) -> bool {
    bands.iter().all(|band| {
        let name = band.name.to_lowercase();
        name.parse::<u32>().is_ok() || name.starts_with("band ")
    })
}

/// What a band is called, for comparing: its role where it has one, otherwise its name.
fn word(band: &Band) -> String {
    match band.role {
        Some(role) => format!("{role:?}").to_lowercase(),
        None => band.name.trim().to_lowercase(),
    }
}

fn names(raster: &Raster) -> Vec<String> {
    raster
        .bands()
        .iter()
        .map(|band| band.name.clone())
        .collect()
}

/// How the bands of a scene come to those of the first.
enum Match {
    /// They are the same.
    Same,
    /// These places, in this order.
    Chosen(Vec<usize>),
    No,
}

fn compare(first: &[Band], other: &[Band]) -> Match {
    let words = |bands: &[Band]| bands.iter().map(word).collect::<Vec<_>>();
    let (wanted, found) = (words(first), words(other));
    // Several of a role, such as two of short-wave infrared: only their names tell them apart.
    let several = wanted
        .iter()
        .enumerate()
        .any(|(at, word)| wanted[..at].contains(word));
    let named = |bands: &[Band]| -> Vec<String> {
        let name = |band: &Band| band.name.trim().to_lowercase();
        bands.iter().map(name).collect()
    };
    if wanted == found && (!several || named(first) == named(other)) {
        return Match::Same;
    }
    if is_unnamed(first) || is_unnamed(other) {
        return match first.len() == other.len() {
            true => Match::Same,
            false => Match::No,
        };
    }
    let mut places = Vec::with_capacity(wanted.len());
    for (word, band) in wanted.iter().zip(first) {
        let by_word: Vec<usize> = (0..found.len()).filter(|&at| found[at] == *word).collect();
        let by_name = (0..other.len())
            .filter(|&at| other[at].name.trim().eq_ignore_ascii_case(band.name.trim()));
        let place = match by_word.as_slice() {
            [one] => Some(*one),
            // Several of a role, such as three red edges: their names decide.
            _ => by_name.into_iter().next(),
        };
        match place {
            Some(place) if !places.contains(&place) => places.push(place),
            _ => return Match::No,
        }
    }
    match places.iter().copied().eq(0..other.len()) {
        true => Match::Same,
        false => Match::Chosen(places),
    }
}

/// All members with the bands of the first one.
pub(super) fn matched(members: Vec<Member>, report: &mut Report) -> Result<Vec<Member>> {
    let Some(first) = members.first() else {
        return Ok(members);
    };
    let (first_name, expected) = (first.name.clone(), first.scene.raster().bands().to_vec());
    let all = members.len();
    let mut matched = Vec::with_capacity(all);
    let (mut other, mut chosen) = (Vec::new(), Vec::new());
    for mut member in members {
        let raster = member.scene.raster();
        match compare(&expected, raster.bands()) {
            Match::Same => {}
            Match::No => other.push((member.name.clone(), names(raster))),
            // A stack, a mosaic, or bands that were changed are no file that could be opened again in another way.
            Match::Chosen(_) if !raster.is_of_a_file() => {
                other.push((member.name.clone(), names(raster)));
            }
            Match::Chosen(places) => {
                chosen.push(member.name.clone());
                member.scene = with_bands(&member.scene, &places)?;
            }
        }
        matched.push(member);
    }
    if !other.is_empty() {
        return Err(ScenesError::Bands {
            first: first_name,
            expected: expected.iter().map(|band| band.name.clone()).collect(),
            found: other,
            of: all,
            choose: None,
        }
        .into());
    }
    if !chosen.is_empty() {
        let count = chosen.len();
        let text = format!(
            "{count} of {all} scenes have more bands or another order: {} are taken by name ({})",
            expected
                .iter()
                .map(|band| band.name.as_str())
                .collect::<Vec<_>>()
                .join(", "),
            listed(chosen.into_iter())
        );
        report.push(Notice::converted(text).count(count));
    }
    report.extend(differences(&matched));
    Ok(matched)
}

/// The scene with some of its bands.
fn with_bands(scene: &Scene, places: &[usize]) -> Result<Scene> {
    let options = scene.raster().options().clone();
    // Places are those among the bands that are read already.
    let before = scene.raster().bands();
    let names = places
        .iter()
        .filter_map(|&at| before.get(at))
        .map(|band| band.name.clone());
    scene.reopened(options.bands(names))
}

/// What differs between the scenes and may matter: names of bands, types of values, pixel sizes.
fn differences(members: &[Member]) -> Report {
    let mut report = Report::new();
    let lower = |member: &Member| -> Vec<String> {
        let bands = member.scene.raster().bands().iter();
        bands.map(|band| band.name.trim().to_lowercase()).collect()
    };
    if let Some(first) = members.first() {
        let own = lower(first);
        let unlike =
            |member: &&Member| !is_unnamed(member.scene.raster().bands()) && lower(member) != own;
        let other: Vec<&Member> = match is_unnamed(first.scene.raster().bands()) {
            true => Vec::new(),
            false => members.iter().filter(unlike).collect(),
        };
        if let Some(example) = other.first() {
            let text = format!(
                "{} of {} scenes call their bands otherwise, such as {}: {} for {}",
                other.len(),
                members.len(),
                example.name,
                names(example.scene.raster()).join(", "),
                names(first.scene.raster()).join(", ")
            );
            let next = "check that they show the same; `OpenOptions::new().bands([…])` chooses and orders bands";
            report.push(Notice::noted(text).count(other.len()).next(next));
        }
    }
    let mut types = std::collections::BTreeMap::<String, usize>::new();
    for member in members {
        let of_scene = member.scene.raster().data_type();
        *types.entry(of_scene.to_string()).or_default() += 1;
    }
    if types.len() > 1 {
        let counts: Vec<String> = types
            .iter()
            .map(|(name, count)| format!("{count} of {name}"))
            .collect();
        let text = format!(
            "the scenes hold values of several types: {}",
            counts.join(", ")
        );
        let next = "check that they mean the same: a network sees the numbers as they are";
        report.push(Notice::noted(text).count(members.len()).next(next));
    }
    let (mut systems, mut nowhere) = (std::collections::BTreeMap::<String, usize>::new(), 0);
    for member in members {
        let raster = member.scene.raster();
        match raster.georeference().has_system() {
            true => *systems.entry(raster.crs_name()).or_default() += 1,
            false => nowhere += 1,
        }
    }
    if systems.len() > 1 {
        let counts: Vec<String> = systems
            .iter()
            .map(|(name, count)| format!("{count} in {name}"))
            .collect();
        let text = format!(
            "the scenes are in several reference systems: {}",
            counts.join(", ")
        );
        report.push(Notice::noted(text).count(members.len()));
    }
    if nowhere > 0 && !systems.is_empty() {
        let text = format!(
            "{nowhere} of {} scenes have no place on the ground: no label file in map coordinates fits them, and nothing is known of \
             what they overlap",
            members.len()
        );
        report.push(Notice::noted(text).count(nowhere));
    }
    let sizes = members
        .iter()
        .filter_map(|member| member.scene.raster().gsd());
    let sizes: Vec<f64> = sizes.map(|(x, y)| (x * y).sqrt()).collect();
    let low = sizes.iter().copied().fold(f64::INFINITY, f64::min);
    let high = sizes.iter().copied().fold(0.0, f64::max);
    // Longitudes make pixels of one grid a little narrower toward the poles.
    if high > low * 1.1 {
        let text = format!("a pixel is from {low:.3} to {high:.3} m wide on the ground");
        let next = either(
            "`OpenOptions::new().at(Resolution::Meters(…))` brings all scenes to one size",
            "`--pixel-size` brings all scenes to one size",
        );
        report.push(Notice::noted(text).count(sizes.len()).next(next));
    }
    report
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::{BandRole, DataType};

    fn bands(names: &[&str]) -> Vec<Band> {
        let band = |(at, name): (usize, &&str)| Band {
            name: (*name).to_owned(),
            role: match *name {
                "red" => Some(BandRole::Red),
                "green" => Some(BandRole::Green),
                "blue" => Some(BandRole::Blue),
                "nir" => Some(BandRole::NearInfrared),
                "swir1" | "swir2" | "B12" => Some(BandRole::ShortWaveInfrared),
                _ => None,
            },
            ..Band::plain(at as i32 + 1, DataType::U8)
        };
        names.iter().enumerate().map(band).collect()
    }

    fn places(first: &[&str], other: &[&str]) -> Option<Vec<usize>> {
        match compare(&bands(first), &bands(other)) {
            Match::Same => Some((0..first.len()).collect()),
            Match::Chosen(places) => Some(places),
            Match::No => None,
        }
    }

    #[test]
    fn bands_are_found_by_name_and_by_number_where_there_is_none() {
        let rgb = ["red", "green", "blue"];
        assert_eq!(places(&rgb, &rgb), Some(vec![0, 1, 2]));
        assert_eq!(
            places(&rgb, &["blue", "green", "red", "nir"]),
            Some(vec![2, 1, 0])
        );
        assert_eq!(places(&rgb, &["red", "green", "nir"]), None);
        assert_eq!(places(&["band 1", "band 2"], &rgb), None);
        assert_eq!(
            places(&["band 1", "band 2", "band 3"], &rgb),
            Some(vec![0, 1, 2])
        );
        assert_eq!(places(&["B05", "B06"], &["b06", "b05"]), Some(vec![1, 0]));
        // Two of one role, in another order, and of another product.
        assert_eq!(
            places(&["swir1", "swir2"], &["swir2", "swir1"]),
            Some(vec![1, 0])
        );
        assert_eq!(places(&["swir1", "swir2"], &["swir1", "B12"]), None);
    }
}
