//! Data sets from their publishers: each file downloaded, checked, unpacked, and remembered, so that what was interrupted
//! goes on where it stopped.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::recipe::{Page, Recipe, RemoteFile, Source};
use super::transfer::Download;
use super::{DataError, cache_dir, fetch, pages, unpack};
use crate::report::{Notice, NoticeKind, Report};
use crate::{Result, cache, session};

/// A page of links is no larger than this.
const MOST_OF_A_PAGE: u64 = 64 << 20;

/// What is done of a data set that is not complete.
#[derive(Default, Deserialize, Serialize)]
struct Done {
    version: String,
    /// The files of the folder that came from each address.
    files: BTreeMap<String, Vec<String>>,
}

struct Work<'a> {
    dir: &'a Path,
    /// Where files arrive, and where a person puts what was fetched elsewhere.
    shelf: std::path::PathBuf,
    done: Done,
}

/// Fetches all files of a recipe into `dir`; returns their names within it.
pub(super) fn fetch_all(recipe: &Recipe, dir: &Path, report: &mut Report) -> Result<Vec<String>> {
    let version = fetch::version(recipe);
    let shelf = cache_dir().join("downloads").join(&recipe.name);
    take_over(&shelf).map_err(|error| crate::FileError::new(shelf.clone(), error))?;
    cache::make_folder(dir).map_err(|error| crate::FileError::new(dir.to_owned(), error))?;
    let mut work = Work {
        dir,
        shelf,
        done: Done::default(),
    };
    let kept = std::fs::read(work.list()).ok();
    let kept = kept.and_then(|text| serde_json::from_slice::<Done>(&text).ok());
    work.done = kept
        .filter(|done| done.version == version)
        .unwrap_or_default();
    work.done.version = version;
    match &recipe.source {
        Source::Files { files } => {
            for file in files {
                work.file(file, report)?;
            }
        }
        Source::Pages { pages } => {
            for page in pages {
                work.page(page, report)?;
            }
        }
        _ => (),
    }
    let files = work.done.files.values().flatten().cloned().collect();
    let _ = std::fs::remove_file(work.list());
    let _ = std::fs::remove_dir(&work.shelf);
    Ok(files)
}

/// Makes the shelf, and removes what a process of another user has left there unfinished, since nobody else can go on with it.
/// The turn is ours, so that nobody is at it.
fn take_over(shelf: &Path) -> std::io::Result<()> {
    cache::make_folder(shelf)?;
    for entry in std::fs::read_dir(shelf)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let owner = entry.metadata().map(|found| found.uid());
        let is_other = owner.is_ok_and(|owner| owner != swath_link::permissions::user());
        if is_other
            && [".part", ".part.head", ".part.json"]
                .iter()
                .any(|end| name.ends_with(end))
        {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

impl Work<'_> {
    fn list(&self) -> std::path::PathBuf {
        self.dir.join(".swath-fetching.json")
    }

    fn is_done(&self, address: &str) -> bool {
        let files = self.done.files.get(address);
        files.is_some_and(|files| files.iter().all(|file| self.dir.join(file).is_file()))
    }

    fn note(&mut self, address: &str, files: Vec<String>) -> Result<()> {
        self.done.files.insert(address.to_owned(), files);
        let text = serde_json::to_vec(&self.done).map_err(|error| DataError::Unpack {
            path: self.list(),
            detail: error.to_string(),
        })?;
        Ok(fetch::write(&self.list(), &text)?)
    }

    fn file(&mut self, file: &RemoteFile, report: &mut Report) -> Result<()> {
        if self.is_done(&file.address) {
            return Ok(());
        }
        let mut download = Download::new(&file.address);
        if let Some(bytes) = file.bytes {
            // An archive and what it holds lie beside each other for a while.
            download = download.bytes(bytes).reserve(bytes);
        }
        if let Some(md5) = &file.md5 {
            download = download.md5(md5);
        }
        let path = self.shelf.join(&file.file);
        let got = download.to(&path)?;
        report.extend(
            got.report()
                .iter()
                .filter(|notice| notice.kind() != NoticeKind::Noted)
                .cloned(),
        );
        if !unpack::is_archive(&got.path) {
            let name = within(&file.folder, &file.file);
            self.place(&got.path, &name)?;
            return self.note(&file.address, vec![name]);
        }
        let folder = match file.folder.is_empty() {
            true => Path::new(&file.file)
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            false => file.folder.clone(),
        };
        let into = self.dir.join(&folder);
        // Of an earlier attempt: what is complete is noted.
        if into.exists() {
            std::fs::remove_dir_all(&into)
                .map_err(|error| crate::FileError::new(into.clone(), error))?;
        }
        let unpacked = unpack::unpack(&got.path, &into, false)?;
        unpacked.report(&file.file, report);
        let files = unpacked.files.iter();
        let files = files
            .map(|path| within(&folder, &path.to_string_lossy()))
            .collect();
        self.note(&file.address, files)?;
        // What it held is there.
        let _ = std::fs::remove_file(&got.path);
        Ok(())
    }

    fn place(&self, from: &Path, name: &str) -> Result<()> {
        let target = self.dir.join(name);
        let io = |error| crate::FileError::new(target.clone(), error);
        if let Some(folder) = target.parent() {
            cache::make_folder(folder).map_err(io)?;
        }
        Ok(std::fs::rename(from, &target).map_err(io)?)
    }

    fn page(&mut self, page: &Page, report: &mut Report) -> Result<()> {
        let links = self.links(page)?;
        if links.len() != page.count {
            let text = format!(
                "{} files are linked where their publisher speaks of {}",
                links.len(),
                page.count
            );
            report.push(
                Notice::noted(text)
                    .about(page.page.clone())
                    .next("look at the page"),
            );
        }
        let mut live = super::progress::Progress::new(page.folder.clone(), false);
        let mut unchecked = 0;
        for (index, address) in links.iter().enumerate() {
            session::check_interrupt("downloading")?;
            let Some(name) = pages::file_name(address) else {
                report.push(Notice::left_out(format!(
                    "an address without a file name: {address}"
                )));
                continue;
            };
            let name = within(&page.folder, name);
            if self.is_done(address) {
                continue;
            }
            live.end(&format!("file {} of {}", index + 1, links.len()));
            let target = self.dir.join(&name);
            let got = Download::new(address).quiet(true).to(&target)?;
            unchecked += usize::from(!got.report().is_empty());
            if index == 0 {
                live.update(got.bytes);
            }
            self.done.files.insert(address.clone(), vec![name]);
            if index % 16 == 15 {
                self.note(
                    address,
                    self.done.files.get(address).cloned().unwrap_or_default(),
                )?;
            }
        }
        if unchecked > 0 {
            let text =
                format!("no checksum is published, so {unchecked} files are taken as they came");
            report.push(
                Notice::assumed(text)
                    .about(page.folder.clone())
                    .count(unchecked),
            );
        }
        Ok(())
    }

    fn links(&self, page: &Page) -> Result<Vec<String>> {
        let path = self
            .shelf
            .join(format!("{}.html", page.folder.replace('/', "-")));
        let _ = std::fs::remove_file(&path);
        let got = Download::new(&page.page).quiet(true).to(&path)?;
        let text = match got.bytes {
            bytes if bytes > MOST_OF_A_PAGE => Vec::new(),
            _ => {
                std::fs::read(&path).map_err(|error| crate::FileError::new(path.clone(), error))?
            }
        };
        let _ = std::fs::remove_file(&path);
        let links = pages::links(&got.address, &String::from_utf8_lossy(&text), &page.endings);
        match links.is_empty() {
            true => Err(DataError::NoLinks {
                page: page.page.clone(),
                endings: page.endings.join(", "),
            }
            .into()),
            false => Ok(links),
        }
    }
}

fn within(folder: &str, name: &str) -> String {
    match folder.is_empty() {
        true => name.to_owned(),
        false => format!("{folder}/{name}"),
    }
}
