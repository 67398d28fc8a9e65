//! Which label file belongs to which scene, and one list of classes for all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::collection::Member;
use super::error::listed;
use super::open::in_order;
use super::table::beside;
use super::{Scenes, ScenesError};
use crate::Result;
use crate::boxes::formats::composed;
use crate::labels::{BACKGROUND, Classes};
use crate::raster;
use crate::report::{Notice, Report};
use crate::vector::VectorSource;

/// Where the labels of many scenes are.
///
/// | given | means |
/// |---|---|
/// | `"labels/{stem}.geojson"` | a file for each scene; `{stem}` is the name of the scene's file without its extension, `{parent}` that of its folder, `{folder}` the folder's path |
/// | `"labels"`, a folder | the file in it with the scene's stem, whatever its extension |
/// | `"labels.gpkg"`, a file | one file for all scenes |
/// | [`LabelFiles::of_table`], [`LabelFiles::column`] | the paths in a column of the scenes' table |
///
/// A [`VectorSource`] says layer, reference system and filter of all the files.
///
/// ```no_run
/// use swath::prelude::*;
/// let scenes = Scenes::open("images")?;
/// let files = LabelFiles::new("labels/{stem}_buildings.geojson").missing_as_background();
/// let scenes = scenes.with_labels(files, LabelClass::one("building"))?;
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LabelFiles {
    place: Place,
    pub(super) missing: Missing,
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// A pattern, a folder or a file, in the path of the source.
    Source(VectorSource),
    /// The first of these columns that a scene's table has.
    Columns(Vec<String>),
}

/// What becomes of scenes without a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Refused,
    Background,
    Skipped,
}

/// What was found for a scene.
#[expect(
    clippy::large_enum_variant,
    reason = "one for each scene, and nearly all are the large one"
)]
pub(super) enum Found {
    /// A file, and which of its images the scene is, where it is one of boxes for several scenes.
    File(VectorSource, Option<usize>),
    /// None, and it is all background then.
    Background,
    /// None, and it is left out.
    Skipped,
}

impl LabelFiles {
    /// A pattern with `{stem}`, a folder, or one file for all.
    #[must_use]
    pub fn new(place: impl Into<VectorSource>) -> Self {
        Self {
            place: Place::Source(place.into()),
            missing: Missing::Refused,
        }
    }

    /// The paths in a column of the scenes' table.
    #[must_use]
    pub fn column(name: impl Into<String>) -> Self {
        Self {
            place: Place::Columns(vec![name.into()]),
            missing: Missing::Refused,
        }
    }

    pub(super) fn of_columns(names: &[&str]) -> Self {
        Self {
            place: Place::Columns(names.iter().map(|name| (*name).to_owned()).collect()),
            missing: Missing::Refused,
        }
    }

    /// A scene without a label file holds nothing: it is all background.
    #[must_use]
    pub const fn missing_as_background(mut self) -> Self {
        self.missing = Missing::Background;
        self
    }

    /// A scene without a label file is left out, and the report says so.
    #[must_use]
    pub const fn skip_missing(mut self) -> Self {
        self.missing = Missing::Skipped;
        self
    }

    /// The file, when it is one for all scenes.
    pub(super) fn of_all(&self) -> Option<&VectorSource> {
        match &self.place {
            Place::Source(source) if !source.path().to_string_lossy().contains('{') => {
                Some(source).filter(|source| !source.path().is_dir() || is_one_file(source.path()))
            }
            _ => None,
        }
    }

    /// What belongs to each scene.
    pub(super) fn pair(&self, scenes: &Scenes, report: &mut Report) -> Result<Vec<Found>> {
        let members = &scenes.inner.members;
        let mut there = Vec::new();
        let files: Vec<Option<VectorSource>> = match &self.place {
            Place::Columns(names) => {
                // One column for all scenes, not another where a row is empty.
                let there = |wanted: &&String| {
                    let mut all = members.iter().flat_map(|member| member.columns.keys());
                    all.any(|name| name.eq_ignore_ascii_case(wanted))
                };
                let column = names.iter().find(there);
                let of = |member: &Member| column.and_then(|column| of_column(member, column));
                members.iter().map(of).collect()
            }
            Place::Source(source) if source.path().is_dir() && !is_one_file(source.path()) => {
                let by_stem = by_stem(source.path())?;
                there = by_stem
                    .values()
                    .flatten()
                    .take(6)
                    .map(|path| shown(path))
                    .collect();
                let of = |member: &Member| {
                    in_folder(&member.name, member.scene.raster().path(), &by_stem)
                        .map(|path| path.map(|path| at(source, path)))
                };
                members.iter().map(of).collect::<Result<_, _>>()?
            }
            Place::Source(source) => {
                let pattern = source.path().to_string_lossy().into_owned();
                if !pattern.contains('{') {
                    // One file for all, which says itself when it is not there.
                    return Ok(members
                        .iter()
                        .map(|_| Found::File(source.clone(), None))
                        .collect());
                }
                let folder = source.path().parent().filter(|folder| folder.is_dir());
                there = folder
                    .map(by_stem)
                    .transpose()?
                    .into_iter()
                    .flat_map(BTreeMap::into_values)
                    .flatten()
                    .take(6)
                    .map(|path| shown(&path))
                    .collect();
                let of = |member: &Member| {
                    let path = filled(&pattern, member.scene.raster().path())?;
                    Ok(existing(path).map(|path| at(source, path)))
                };
                members.iter().map(of).collect::<Result<_, ScenesError>>()?
            }
        };
        if matches!(self.place, Place::Source(_)) {
            each_its_own(&files, members)?;
        }
        let missing: Vec<String> = (files.iter().zip(members))
            .filter(|(file, _)| file.is_none())
            .map(|(_, member)| member.name.clone())
            .collect();
        self.tell_of_missing(&missing, members.len(), there, report)?;
        let found = files.into_iter().map(|file| match (file, self.missing) {
            (Some(source), _) => Found::File(source, None),
            (None, Missing::Background) => Found::Background,
            (None, Missing::Skipped | Missing::Refused) => Found::Skipped,
        });
        Ok(found.collect())
    }

    /// Where a scene without a file cannot be background, as for areas.
    pub(super) fn refusing_background(&self) -> Self {
        Self {
            missing: match self.missing {
                Missing::Background => Missing::Refused,
                other => other,
            },
            ..self.clone()
        }
    }

    fn tell_of_missing(
        &self,
        missing: &[String],
        of: usize,
        there: Vec<String>,
        report: &mut Report,
    ) -> Result<(), ScenesError> {
        let count = missing.len();
        if count == 0 {
            return Ok(());
        }
        let what = match self.missing {
            // All of them cannot be meant.
            Missing::Background | Missing::Skipped if count < of => self.missing,
            _ => {
                return Err(ScenesError::NoLabelFile {
                    pattern: self.in_words(),
                    missing: missing.to_vec(),
                    of,
                    there,
                });
            }
        };
        let names = listed(missing.iter().cloned());
        let notice = match what {
            Missing::Background => Notice::assumed(format!(
                "{count} of {of} scenes have no label file and are all background: {names}"
            )),
            _ => Notice::left_out(format!(
                "{count} of {of} scenes have no label file: {names}"
            )),
        };
        report.push(
            notice
                .count(count)
                .next("check the pattern of the names if they should have one"),
        );
        Ok(())
    }

    fn in_words(&self) -> String {
        match &self.place {
            Place::Source(source) => source.path().display().to_string(),
            Place::Columns(names) => match names.as_slice() {
                [one] => format!("in the column {one}"),
                _ => format!("in a column {}", names.first().map_or("", String::as_str)),
            },
        }
    }
}

impl<S: Into<VectorSource>> From<S> for LabelFiles {
    fn from(place: S) -> Self {
        Self::new(place)
    }
}

/// Refuses to give one file to scenes of different files: `a/1.png` and `b/1.png` are both called 1.
fn each_its_own(files: &[Option<VectorSource>], members: &[Member]) -> Result<(), ScenesError> {
    let mut scenes_of = BTreeMap::<&Path, BTreeMap<&Path, &str>>::new();
    for (file, member) in files.iter().zip(members) {
        if let Some(file) = file {
            let of_file = scenes_of.entry(file.path()).or_default();
            of_file.insert(member.scene.raster().path(), &member.name);
        }
    }
    match scenes_of.into_iter().find(|(_, scenes)| scenes.len() > 1) {
        None => Ok(()),
        Some((file, scenes)) => Err(ScenesError::SharedLabelFile {
            file: file.to_owned(),
            scenes: scenes.into_values().map(str::to_owned).collect(),
        }),
    }
}

/// The label file of one scene, where `source` is a pattern with `{stem}`, a folder, or the file itself.
///
/// # Errors
/// [`ScenesError::NoLabelFile`], [`ScenesError::SeveralLabelFiles`], [`ScenesError::Pattern`].
pub(crate) fn label_file(source: &VectorSource, scene: &Path) -> Result<VectorSource> {
    let pattern = source.path().to_string_lossy().into_owned();
    let name = shown(scene);
    let found = if source.path().is_dir() && !is_one_file(source.path()) {
        in_folder(&name, scene, &by_stem(source.path())?)?
    } else if pattern.contains('{') && !source.path().exists() {
        existing(filled(&pattern, scene)?)
    } else {
        return Ok(source.clone());
    };
    match found {
        Some(path) => Ok(at(source, path)),
        None => Err(ScenesError::NoLabelFile {
            pattern,
            missing: vec![name],
            of: 1,
            there: Vec::new(),
        }
        .into()),
    }
}

/// A file of vectors may be a folder, too.
fn is_one_file(path: &Path) -> bool {
    path.extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("gdb"))
}

/// The same source with another path.
fn at(source: &VectorSource, path: PathBuf) -> VectorSource {
    let mut source = source.clone();
    source.path = path;
    source
}

fn shown(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// What the column says of a scene; paths begin at the table's folder.
fn of_column(member: &Member, column: &str) -> Option<VectorSource> {
    let mut columns = member.columns.iter();
    let (_, path) = columns.find(|(name, _)| name.eq_ignore_ascii_case(column))?;
    let path = path.trim();
    let path = match &member.folder {
        _ if path.is_empty() => return None,
        Some(folder) => beside(folder, path),
        None => PathBuf::from(path),
    };
    Some(VectorSource::new(path))
}

/// The pattern with the scene's names in it.
fn filled(pattern: &str, scene: &Path) -> Result<PathBuf, ScenesError> {
    let text =
        |part: Option<&std::ffi::OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let (mut path, mut rest) = (String::new(), pattern);
    while let Some((before, after)) = rest.split_once('{') {
        path.push_str(before);
        let Some((word, after)) = after.split_once('}') else {
            path.push('{');
            rest = after;
            continue;
        };
        match word {
            "stem" | "name" => path.push_str(&text(scene.file_stem())),
            "parent" => path.push_str(&text(scene.parent().and_then(Path::file_name))),
            "folder" => path.push_str(&scene.parent().unwrap_or(Path::new("")).to_string_lossy()),
            _ => {
                return Err(ScenesError::Pattern {
                    pattern: pattern.to_owned(),
                    reason: format!("{{{word}}} is none of {{stem}}, {{parent}} and {{folder}}"),
                });
            }
        }
        rest = after;
    }
    path.push_str(rest);
    Ok(PathBuf::from(path))
}

/// The name of a file without its extension, in one form of Unicode: a scene and its labels may come from systems that write
/// letters differently.
fn stem(path: &Path) -> String {
    composed(&raster::stem(path))
}

/// The path if it is there, or that of the file beside whose name is the same in another form of Unicode.
fn existing(path: PathBuf) -> Option<PathBuf> {
    if path.exists() {
        return Some(path);
    }
    let name = path.file_name()?.to_str()?;
    if name.is_ascii() {
        return None;
    }
    let name = composed(name);
    let entries = std::fs::read_dir(path.parent()?).ok()?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths.find(|path| composed(&shown(path)) == name)
}

/// Files that lie beside label files and are none.
const BESIDE: [&str; 18] = [
    "dbf", "shx", "prj", "cpg", "qpj", "sbn", "sbx", "qix", "xml", "qmd", "tfw", "pgw", "jgw",
    "wld", "ovr", "msk", "qml", "aux",
];

/// The files of a folder by their stems.
fn by_stem(folder: &Path) -> Result<BTreeMap<String, Vec<PathBuf>>> {
    let mut files = BTreeMap::<String, Vec<PathBuf>>::new();
    let failed = |error| crate::FileError::new(folder.to_owned(), error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if name.starts_with('.') || name.ends_with(".aux.xml") {
            continue;
        }
        files.entry(stem(&path)).or_default().push(path);
    }
    for paths in files.values_mut() {
        // A shapefile is several files; Pascal VOC's are `.xml`, where nothing else has this stem.
        if paths.len() > 1 {
            paths.retain(|path| {
                let ending = path
                    .extension()
                    .unwrap_or_default()
                    .to_string_lossy()
                    .to_lowercase();
                !BESIDE.contains(&ending.as_str())
            });
        }
        paths.sort_by_key(|path| in_order(path));
    }
    Ok(files)
}

/// The one file of this scene; the scene itself is none.
fn in_folder(
    name: &str,
    scene: &Path,
    by_stem: &BTreeMap<String, Vec<PathBuf>>,
) -> Result<Option<PathBuf>, ScenesError> {
    let stem = stem(scene);
    let same = |path: &Path| std::path::absolute(path).ok() == std::path::absolute(scene).ok();
    let found = by_stem.get(&stem).into_iter().flatten();
    let found: Vec<&PathBuf> = found.filter(|path| !same(path)).collect();
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        several => Err(ScenesError::SeveralLabelFiles {
            scene: name.to_owned(),
            found: several.iter().map(|path| shown(path)).collect(),
        }),
    }
}

/// All members with one list of classes in the same colors.
pub(super) fn united(members: Vec<Member>) -> Result<Vec<Member>, ScenesError> {
    // A file without features has no properties either, and what was asked for became the name of a class.
    let says_nothing = |member: &Member| {
        let read = member.scene.label_report();
        read.is_some_and(|report| report.features == 0)
    };
    let mut telling: Vec<&Member> = members.iter().filter(|one| !says_nothing(one)).collect();
    if telling.is_empty() {
        telling = members.iter().collect();
    }
    let Some(first) = telling.first().map(|member| member.scene.classes().clone()) else {
        return Ok(members);
    };
    if members
        .iter()
        .all(|member| *member.scene.classes() == first)
    {
        return Ok(members);
    }
    let same = telling
        .iter()
        .all(|member| member.scene.classes().names() == first.names());
    let classes = if same {
        first
    } else {
        let names: BTreeSet<&str> = telling
            .iter()
            .flat_map(|member| member.scene.classes().names())
            .filter(|name| *name != BACKGROUND)
            .collect();
        if names.len() > 254 {
            return Err(ScenesError::TooManyClasses { found: names.len() });
        }
        // The first scene keeps the colors that it has, and gives the others some that stand out from its imagery.
        let all = Classes::new(names);
        members.first().map_or_else(
            || all.clone(),
            |first| first.scene.in_classes(&all).classes().clone(),
        )
    };
    let same_colors = |member: Member| Member {
        scene: member.scene.in_classes(&classes),
        ..member
    };
    Ok(members.into_iter().map(same_colors).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_take_the_scenes_names() {
        let path = Path::new("/data/north/img/a 1.tif");
        let filled = |pattern: &str| filled(pattern, path).map(|path| path.display().to_string());
        assert_eq!(
            filled("l/{stem}_x.json").ok().as_deref(),
            Some("l/a 1_x.json")
        );
        assert_eq!(
            filled("{folder}/../{parent}/{stem}.gpkg").ok().as_deref(),
            Some("/data/north/img/../img/a 1.gpkg")
        );
        assert_eq!(filled("odd{.json").ok().as_deref(), Some("odd{.json"));
        let error = filled("{stm}.json").expect_err("a typo").to_string();
        assert!(error.contains("{stm} is none of {stem}"), "{error}");
    }
}
