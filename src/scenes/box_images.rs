//! Boxes of several scenes in one file: which of its images each scene is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::listed;
use super::labels::{Found, Missing};
use super::{LabelFiles, Scenes, ScenesError};
use crate::boxes::formats::ImageMatch;
use crate::report::{Notice, Report, file_name};
use crate::scene::SharedBoxes;
use crate::vector::LabelClass;

/// What one file of boxes is to scenes with these paths and names; `None` where it is nothing that scenes share: other labels, or
/// scenes that are parts of one image.
///
/// # Errors
/// [`ScenesError::NamelessBoxes`], [`ScenesError::SharedEntry`].
pub(crate) fn shared_boxes(
    path: &Path,
    class: &LabelClass,
    scenes: &[(PathBuf, String)],
) -> Result<Option<SharedBoxes>, ScenesError> {
    let paths = scenes.iter().map(|(path, _)| {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        path.to_string_lossy().into_owned()
    });
    let paths: Vec<String> = paths.collect();
    if paths.iter().collect::<BTreeSet<_>>().len() < 2 {
        return Ok(None);
    }
    let Some(shared) = SharedBoxes::read(path, class, &paths) else {
        return Ok(None);
    };
    if shared.is_of_nobody() {
        return Err(ScenesError::NamelessBoxes {
            path: path.to_owned(),
            boxes: shared.nameless,
            scenes: scenes.len(),
        });
    }
    let mut of = BTreeMap::<usize, Vec<String>>::new();
    for (matched, (_, name)) in shared.matches.iter().zip(scenes) {
        if let ImageMatch::Shared(image) = matched {
            of.entry(*image).or_default().push(name.clone());
        }
    }
    match of.into_iter().next() {
        None => Ok(Some(shared)),
        Some((image, scenes)) => Err(ScenesError::SharedEntry {
            path: path.to_owned(),
            entry: shared.name(image),
            scenes,
        }),
    }
}

/// What was found for each scene, with its image where several scenes have one file of boxes.
///
/// # Errors
/// As [`shared_boxes`]; [`ScenesError::NoEntry`] for scenes that the file does not name, unless they are meant to be left out or to
/// hold nothing.
pub(super) fn paired(
    mut found: Vec<Found>,
    files: &LabelFiles,
    scenes: &Scenes,
    class: &LabelClass,
    report: &mut Report,
) -> Result<Vec<Found>, ScenesError> {
    let members = &scenes.inner.members;
    let mut sharing = BTreeMap::<PathBuf, Vec<usize>>::new();
    for (at, one) in found.iter().enumerate() {
        if let Found::File(source, _) = one {
            sharing
                .entry(source.path().to_owned())
                .or_default()
                .push(at);
        }
    }
    for (path, places) in sharing {
        let of: Vec<(PathBuf, String)> = places
            .iter()
            .filter_map(|&at| members.get(at))
            .map(|member| (member.scene.raster().path().to_owned(), member.name.clone()))
            .collect();
        let Some(shared) = shared_boxes(&path, class, &of)? else {
            continue;
        };
        let missing = shared.matches.iter().zip(&of);
        let missing: Vec<String> = missing
            .filter(|(matched, _)| **matched == ImageMatch::Missing)
            .map(|(_, (_, name))| name.clone())
            .collect();
        let becomes = match files.missing {
            // All of them cannot be meant.
            _ if missing.len() == of.len() => Missing::Refused,
            Missing::Refused if scenes.inner.skip_broken => Missing::Skipped,
            asked => asked,
        };
        if let (Missing::Refused, false) = (becomes, missing.is_empty()) {
            return Err(ScenesError::NoEntry {
                path,
                missing,
                of: of.len(),
                there: shared.names(),
            });
        }
        tell(&path, becomes, &missing, of.len(), report);
        for (&at, matched) in places.iter().zip(&shared.matches) {
            let Some(one) = found.get_mut(at) else {
                continue;
            };
            match (matched, &mut *one, becomes) {
                (ImageMatch::Image(image), Found::File(_, of), _) => *of = Some(*image),
                (ImageMatch::Missing, _, Missing::Background) => *one = Found::Background,
                (ImageMatch::Missing, ..) => *one = Found::Skipped,
                // Several images that fit are an error of the scene.
                _ => {}
            }
        }
    }
    Ok(found)
}

fn tell(path: &Path, becomes: Missing, missing: &[String], of: usize, report: &mut Report) {
    let count = missing.len();
    if count == 0 {
        return;
    }
    let names = listed(missing.iter().cloned());
    let notice = match becomes {
        Missing::Background => Notice::assumed(format!(
            "{count} of {of} scenes are not named in it and are all background: {names}"
        )),
        _ => Notice::left_out(format!(
            "{count} of {of} scenes are not named in it: {names}"
        )),
    };
    report.push(
        notice
            .about(file_name(path))
            .count(count)
            .next("check the names of its images if they should be there"),
    );
}
