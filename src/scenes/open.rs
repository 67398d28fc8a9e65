//! Finding the files of scenes, and opening them together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::collection::Member;
use super::error::listed;
use super::name::names;
use super::{Scenes, ScenesError};
use crate::raster::{OpenOptions, Places, is_raster_name, names_member};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::{Error, Hint, Result, session};

/// How scenes are opened together.
///
/// ```no_run
/// use swath::prelude::*;
/// let options = ScenesOptions::new().open(OpenOptions::new().bands([0, 1, 2])).skip_broken();
/// let scenes = Scenes::open_with("tiles", options)?;
/// println!("{}", scenes.report());
/// # Ok::<(), swath::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScenesOptions {
    open: OpenOptions,
    skip_broken: bool,
}

impl ScenesOptions {
    /// Every file as it says itself; one that cannot be used is an error.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How each file is opened: its bands, nodata, pixel size.
    #[must_use]
    pub fn open(mut self, options: OpenOptions) -> Self {
        self.open = options;
        self
    }

    /// See [`OpenOptions::or_places_of_table`].
    pub(super) fn or_places_of_table(mut self, places: Places) -> Self {
        self.open = self.open.or_places_of_table(places);
        self
    }

    /// Leaves out scenes that cannot be opened, read to their end or labeled, and says in the report which and why. Every
    /// file is read once for that; its statistics are kept, and need no pass of their own later.
    #[must_use]
    pub const fn skip_broken(mut self) -> Self {
        self.skip_broken = true;
        self
    }
}

impl From<OpenOptions> for ScenesOptions {
    fn from(options: OpenOptions) -> Self {
        Self::new().open(options)
    }
}

impl From<&OpenOptions> for ScenesOptions {
    fn from(options: &OpenOptions) -> Self {
        Self::new().open(options.clone())
    }
}

impl From<&Self> for ScenesOptions {
    fn from(options: &Self) -> Self {
        options.clone()
    }
}

/// Files of scenes: a folder, a pattern such as `tiles/**/*.tif`, a file, or a list of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneFiles(Vec<PathBuf>);

macro_rules! from_paths {
    ($($path:ty),*) => {$(
        impl From<$path> for SceneFiles {
            fn from(path: $path) -> Self {
                Self(vec![PathBuf::from(path)])
            }
        }
    )*};
}
from_paths!(&str, String, &String, PathBuf, &Path, &PathBuf);

impl<P: AsRef<Path>> From<Vec<P>> for SceneFiles {
    fn from(paths: Vec<P>) -> Self {
        Self::from(paths.as_slice())
    }
}

impl<P: AsRef<Path>> From<&Vec<P>> for SceneFiles {
    fn from(paths: &Vec<P>) -> Self {
        Self::from(paths.as_slice())
    }
}

impl<P: AsRef<Path>> From<&[P]> for SceneFiles {
    fn from(paths: &[P]) -> Self {
        Self(paths.iter().map(|path| path.as_ref().to_owned()).collect())
    }
}

impl<P: AsRef<Path>, const N: usize> From<[P; N]> for SceneFiles {
    fn from(paths: [P; N]) -> Self {
        Self::from(paths.as_slice())
    }
}

impl<P: AsRef<Path>, const N: usize> From<&[P; N]> for SceneFiles {
    fn from(paths: &[P; N]) -> Self {
        Self::from(paths.as_slice())
    }
}

impl Scenes {
    /// Opens scenes: a folder (every file of imagery in it, not in folders below), a pattern (`*` any part of a name, `**`
    /// any folders), or a list of files, patterns and folders. They are in the order of the list, and within a folder or a
    /// pattern in that of their names, in which numbers count as numbers.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let folder = Scenes::open("tiles")?;
    /// let pattern = Scenes::open("tiles/2024_*/*.tif")?;
    /// let list = Scenes::open(["east.tif", "west.tif"])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ScenesError::NoScenes`] when nothing is found; [`ScenesError::Broken`] with the names of all that cannot be opened;
    /// [`ScenesError::Bands`] when they do not have the same bands.
    #[doc(alias = "glob")]
    #[doc(alias = "folder")]
    #[doc(alias = "from_files")]
    #[doc(alias = "RasterDataset")]
    #[doc(alias = "load")]
    pub fn open(files: impl Into<SceneFiles>) -> Result<Self> {
        Self::open_with(files, ScenesOptions::new())
    }

    /// As [`Scenes::open`], with bands, nodata or a pixel size other than the files say ([`OpenOptions`] do for that), or
    /// without the scenes that are broken.
    ///
    /// # Errors
    /// As [`Scenes::open`].
    pub fn open_with(
        files: impl Into<SceneFiles>,
        options: impl Into<ScenesOptions>,
    ) -> Result<Self> {
        let (files, options) = (files.into(), options.into());
        let mut report = Report::new();
        let paths = found(&files, &mut report)?;
        let rows = paths.into_iter().map(|path| Row {
            path,
            columns: BTreeMap::new(),
            folder: None,
        });
        opened(rows.collect(), &options, report)
    }

    /// Opens files of which more is known, by column.
    ///
    /// # Errors
    /// As [`Scenes::open`].
    pub(crate) fn of_files(
        files: Vec<(PathBuf, BTreeMap<String, String>)>,
        options: &ScenesOptions,
        report: Report,
    ) -> Result<Self> {
        let rows = files.into_iter().map(|(path, columns)| Row {
            path,
            columns,
            folder: None,
        });
        opened(rows.collect(), options, report)
    }

    /// Does something to every scene, in parallel; what fails is an error that names all, or left out where the user said so.
    pub(super) fn each(
        &self,
        done: &'static str,
        report: &mut Report,
        change: impl Fn(usize, &Member) -> Result<Scene> + Sync,
    ) -> Result<Vec<Member>> {
        let members = &self.inner.members;
        let changed = members.par_iter().enumerate().map(|(index, member)| {
            session::check_interrupt("reading scenes")?;
            let scene = change(index, member)?;
            Ok(Member {
                scene,
                ..member.clone()
            })
        });
        let changed: Vec<Result<Member>> = changed.collect();
        let outcomes = changed.into_iter().zip(members);
        let outcomes = outcomes.map(|(outcome, member)| (member.name.clone(), outcome));
        usable(outcomes.collect(), done, self.inner.skip_broken, report)
    }
}

/// A scene before it is opened.
pub(super) struct Row {
    pub(super) path: PathBuf,
    pub(super) columns: BTreeMap<String, String>,
    /// Where paths in the columns begin.
    pub(super) folder: Option<PathBuf>,
}

/// Opens all, in parallel.
pub(super) fn opened(
    rows: Vec<Row>,
    options: &ScenesOptions,
    mut report: Report,
) -> Result<Scenes> {
    report.extend(repeated(rows.iter().map(|row| row.path.as_path())));
    let names = names(rows.iter().map(|row| row.path.as_path()));
    let outcomes: Vec<(String, Result<Member>)> = names
        .into_par_iter()
        .zip(rows)
        .map(|(name, row)| {
            let open = || -> Result<Member> {
                session::check_interrupt("opening scenes")?;
                let scene = Scene::open_with(&row.path, &options.open)?;
                if options.skip_broken {
                    scene.statistics()?;
                }
                Ok(Member {
                    name: name.clone(),
                    scene,
                    columns: row.columns,
                    folder: row.folder,
                })
            };
            let outcome = open();
            (name, outcome)
        })
        .collect();
    let members = usable(outcomes, "opened", options.skip_broken, &mut report)?;
    Scenes::together(members, report, options.skip_broken)
}

/// What is to be said of files that are named more than once.
fn repeated<'a>(paths: impl Iterator<Item = &'a Path>) -> Option<Notice> {
    let mut times: BTreeMap<PathBuf, (&Path, usize)> = BTreeMap::new();
    for path in paths {
        // What is no file of a folder, such as one in an archive, is called one way.
        let file = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        times.entry(file).or_insert((path, 0)).1 += 1;
    }
    let several: Vec<(&Path, usize)> = times
        .into_values()
        .filter(|(_, times)| *times > 1)
        .collect();
    if several.is_empty() {
        return None;
    }
    let count = several.len();
    let words = several
        .iter()
        .map(|(path, times)| format!("{} ({times} times)", path.display()));
    let text = format!(
        "the same imagery is there more than once, and counts as often: {}",
        listed(words)
    );
    let next = "name each once; in training and test at the same time it makes scores too good";
    Some(Notice::noted(text).count(count).next(next))
}

/// Those that went well; the others are an error that names them all, or a notice.
fn usable(
    outcomes: Vec<(String, Result<Member>)>,
    done: &'static str,
    skip_broken: bool,
    report: &mut Report,
) -> Result<Vec<Member>> {
    let of = outcomes.len();
    let (mut members, mut failed) = (Vec::with_capacity(of), Vec::new());
    for (name, outcome) in outcomes {
        match outcome {
            Ok(member) => members.push(member),
            Err(error @ Error::Interrupted { .. }) => return Err(error),
            Err(error) => failed.push((name, error)),
        }
    }
    if failed.is_empty() {
        return Ok(members);
    }
    if !skip_broken || members.is_empty() {
        // One of one is best told in its own words.
        if of == 1
            && let Some((_, error)) = failed.pop()
        {
            return Err(error);
        }
        let first_hint = failed.first().and_then(|(_, error)| error.hint());
        let failed = failed
            .into_iter()
            .map(|(name, error)| (name, error.to_string()));
        return Err(ScenesError::Broken {
            failed: failed.collect(),
            of,
            done,
            first_hint,
            skip: None,
        }
        .into());
    }
    let count = failed.len();
    let words = failed
        .iter()
        .map(|(name, error)| format!("{name}: {error}"));
    let text = format!("{count} of {of} scenes cannot be {done}: {}", listed(words));
    report.push(
        Notice::left_out(text)
            .count(count)
            .next("mend or remove these files"),
    );
    Ok(members)
}

/// A scene that was named, by itself or in a table.
#[derive(Clone, Debug)]
pub(crate) struct ListedScene {
    pub(crate) path: PathBuf,
    /// The places of its table, for a file without one of its own.
    places: Option<Places>,
    /// Which image it is of a file of boxes for several scenes.
    pub(crate) image: Option<ListedImage>,
}

/// What a listed scene is in a file of boxes for several scenes.
#[derive(Clone, Debug)]
pub(crate) enum ListedImage {
    /// The image of this place.
    Place(usize),
    /// None of the images, which have these names.
    Missing(Arc<[String]>),
}

impl ListedScene {
    fn new(path: PathBuf, places: Option<&Places>) -> Self {
        Self {
            path,
            places: places.cloned(),
            image: None,
        }
    }

    /// How it is opened, by what else is asked for.
    pub(crate) fn options(&self, options: OpenOptions) -> OpenOptions {
        match &self.places {
            Some(places) => options.or_places_of_table(places.clone()),
            None => options,
        }
    }
}

impl From<PathBuf> for ListedScene {
    fn from(path: PathBuf) -> Self {
        Self::new(path, None)
    }
}

impl AsRef<Path> for ListedScene {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// The files of scenes that are given as files, folders, patterns or tables; of tables those rows whose column has the value
/// of `only`.
///
/// # Errors
/// As [`Scenes::open`] and [`Scenes::table`]; [`ScenesError::NoSuchValue`] for a column without this value, and where no table
/// was given.
pub(crate) fn listed_files(
    given: &[PathBuf],
    only: Option<(&str, &str)>,
    report: &mut Report,
) -> Result<Vec<ListedScene>> {
    let (mut all, mut values, mut columns) = (Vec::new(), Vec::new(), Vec::new());
    let mut chosen = 0;
    for path in given {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        if !["csv", "tsv", "parquet", "xlsx", "ods"].contains(&ending.as_str()) {
            let files = found(&SceneFiles::from(path), report)?;
            all.extend(files.into_iter().map(ListedScene::from));
            continue;
        }
        let (rows, places) = super::table::rows(&path.into(), report)?;
        for row in rows {
            columns.extend(row.columns.keys().cloned());
            match only {
                None => all.push(ListedScene::new(row.path, places.as_ref())),
                Some((column, value)) => match row.columns.get(column) {
                    Some(own) if own == value => {
                        chosen += 1;
                        all.push(ListedScene::new(row.path, places.as_ref()));
                    }
                    own => values.extend(own.cloned()),
                },
            }
        }
    }
    let Some((column, value)) = only.filter(|_| chosen == 0) else {
        report.extend(repeated(all.iter().map(|listed| listed.path.as_path())));
        return Ok(all);
    };
    let (what, wanted, mut there) = match columns.iter().any(|name| name == column) {
        true => ("value", value, values),
        false => ("column", column, columns),
    };
    there.sort_unstable();
    there.dedup();
    Err(ScenesError::NoSuchValue {
        what,
        wanted: wanted.to_owned(),
        there,
    }
    .into())
}

/// The files that are meant.
fn found(files: &SceneFiles, report: &mut Report) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for given in &files.0 {
        let path = crate::paths::expanded(given).into_owned();
        let text = path.to_string_lossy().into_owned();
        if path.is_dir() && !is_raster_folder(&path) {
            paths.extend(in_folder(&path, report)?);
        } else if !path.exists()
            && text.contains(['*', '?', '['])
            && !text.starts_with("/vsi")
            && !names_member(&path)
        {
            paths.extend(of_pattern(&text)?);
        } else {
            // What is not there is told with the other scenes that cannot be opened.
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(ScenesError::NoScenes {
            what: "the list of files is empty".to_owned(),
        }
        .into());
    }
    Ok(paths)
}

/// Whether a folder is one raster.
fn is_raster_folder(path: &Path) -> bool {
    let named = path.extension().is_some_and(|ending| {
        ["zarr", "safe"]
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    });
    named || path.join(".zarray").exists() || path.join("zarr.json").exists()
}

/// What lies in a folder, hidden files left out: files that end as imagery does, and everything else.
fn entries(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let read = || -> std::io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let entries = read().map_err(|error| crate::FileError::new(folder.to_owned(), error))?;
    let hidden = |path: &Path| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with('.')
    };
    Ok(entries
        .into_iter()
        .filter(|path| !hidden(path))
        .partition(|path| is_raster_name(&path.to_string_lossy())))
}

/// The images of a folder, and the folders in it, by name.
pub(super) fn images_and_folders(folder: &Path) -> Result<(Vec<PathBuf>, Vec<PathBuf>)> {
    let (imagery, mut others) = entries(folder)?;
    others.retain(|path| path.is_dir());
    others.sort_by_key(|path| in_order(path));
    Ok((imagery, others))
}

fn in_folder(folder: &Path, report: &mut Report) -> Result<Vec<PathBuf>> {
    let (mut imagery, others) = entries(folder)?;
    if imagery.is_empty() {
        let folders = others.iter().filter(|path| path.is_dir()).count();
        let what = match (others.len(), folders) {
            (0, _) => format!("the folder is empty: {folder:?}"),
            (all, 0) => {
                format!("none of {all} files in {folder:?} ends as imagery does (tif, jp2, png, …)")
            }
            (all, folders) => format!(
                "none of {} files in {folder:?} ends as imagery does; there are {folders} folders, which `{}/**/*.tif` looks into",
                all - folders,
                folder.display()
            ),
        };
        return Err(ScenesError::NoScenes { what }.into());
    }
    let folders = others.iter().filter(|path| path.is_dir()).count();
    if folders > 0 {
        let text = format!(
            "{folders} folders within {} are not looked into",
            folder.display()
        );
        let next = format!("`Scenes::open(\"{}/**/*.tif\")` does", folder.display());
        report.push(Notice::noted(text).count(folders).next(next));
    }
    imagery.sort_by_key(|path| in_order(path));
    Ok(imagery)
}

fn of_pattern(pattern: &str) -> Result<Vec<PathBuf>> {
    let wrong = |reason: String| ScenesError::Pattern {
        pattern: pattern.to_owned(),
        reason,
    };
    let found = glob::glob(pattern).map_err(|error| wrong(error.to_string()))?;
    let mut paths = found
        .collect::<Result<Vec<PathBuf>, _>>()
        .map_err(|error| wrong(error.to_string()))?;
    // What lies beside a raster: its statistics, world file, overviews.
    let beside = |path: &Path| {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        [
            ".aux.xml", ".ovr", ".msk", ".tfw", ".pgw", ".jgw", ".wld", ".prj",
        ]
        .iter()
        .any(|ending| name.ends_with(ending))
    };
    paths.retain(|path| !beside(path));
    if paths.is_empty() {
        return Err(ScenesError::NoScenes {
            what: format!("no file matches {pattern:?}"),
        }
        .into());
    }
    paths.sort_by_key(|path| in_order(path));
    Ok(paths)
}

/// A path as it is sorted: runs of digits count as numbers, so that `tile_9` comes before `tile_10`.
pub(crate) fn in_order(path: &Path) -> Vec<(String, u128, String)> {
    let text = path.to_string_lossy();
    let mut parts = Vec::new();
    let (mut words, mut digits) = (String::new(), String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        if !digits.is_empty() {
            parts.push(number(
                std::mem::take(&mut words),
                std::mem::take(&mut digits),
            ));
        }
        words.push(letter);
    }
    parts.push(number(words, digits));
    parts
}

fn number(words: String, digits: String) -> (String, u128, String) {
    (words, digits.parse().unwrap_or(u128::MAX), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imagery_that_is_named_twice_is_told() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let town = crate::samples::town_in(folder.path(), 1, 64)?;
        let other = folder.path().join("other.tif");
        std::fs::copy(&town.scene_path, &other).expect("copied");
        let told = "the same imagery is there more than once, and counts as often";
        let scenes = Scenes::open([&town.scene_path, &other])?;
        assert!(!scenes.report().mentions(told), "{}", scenes.report());
        let twice = Scenes::open([&town.scene_path, &other, &town.scene_path])?;
        assert_eq!(twice.len(), 3);
        assert!(twice.report().mentions(told), "{}", twice.report());
        // A table that has one scene in training and in test, under two ways of writing it.
        let table = folder.path().join("scenes.csv");
        let rows = "image,split\nother.tif,train\n./other.tif,test\n";
        std::fs::write(&table, rows).expect("written");
        let scenes = Scenes::table(&table)?;
        assert!(scenes.report().mentions("(2 times)"), "{}", scenes.report());
        let mut report = Report::new();
        listed_files(&[other.clone(), other], None, &mut report)?;
        assert!(report.mentions(told), "{report}");
        Ok(())
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        let mut paths =
            ["t_10.tif", "t_9.tif", "t_1_b.tif", "s.tif", "t_010.tif"].map(PathBuf::from);
        paths.sort_by_key(|path| in_order(path));
        let names = paths.map(|path| path.display().to_string());
        assert_eq!(
            names,
            ["s.tif", "t_1_b.tif", "t_9.tif", "t_010.tif", "t_10.tif"]
        );
    }
}
