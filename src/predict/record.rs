//! What is finished of a prediction of many scenes, in the folder of its results.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::save::io;
use crate::Result;
use crate::scene::Scene;

/// The record of one process at a time.
const RECORD: &str = "scenes.jsonl";
/// Plans, and the records of jobs that work side by side: appending to one file from several machines is not safe on network
/// file systems.
const JOBS: &str = ".swath";

/// A line of the record.
#[derive(Debug, Serialize, Deserialize)]
struct Done {
    /// The scene's name, which its folder has, too.
    scene: String,
    /// Model, options, state of the files, how they are read, and area, as a digest: only the same again need not be done
    /// again. Empty while a folder is being written.
    work: String,
    /// The files, each with its bytes.
    #[serde(default)]
    files: BTreeMap<String, u64>,
    /// Milliseconds since 1970: several records are read as one. Records from before there was this part have one file.
    #[serde(default)]
    at: u64,
}

impl Done {
    /// Whether all files lie in the folder as they were written.
    fn is_whole(&self, folder: &Path) -> bool {
        let same = |(name, bytes): (&String, &u64)| {
            std::fs::metadata(folder.join(name)).is_ok_and(|file| file.len() == *bytes)
        };
        !self.files.is_empty() && self.files.iter().all(same)
    }
}

/// The record of a folder of results.
pub(crate) struct Record {
    path: PathBuf,
    known: BTreeMap<String, Done>,
}

impl Record {
    /// Reads what all processes have finished in `folder`, and makes the folder when it is missing. `job` names the record of
    /// a process that others work beside.
    ///
    /// # Errors
    /// [`crate::FileError::Io`] when the folder cannot be made or read.
    pub(crate) fn open(folder: &Path, job: Option<&str>) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(io("write into the folder", folder))?;
        let mut files = vec![folder.join(RECORD)];
        let jobs = folder.join(JOBS);
        if jobs.is_dir() {
            let entries = std::fs::read_dir(&jobs).map_err(io("read the folder", &jobs))?;
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            files.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "jsonl")));
        }
        let mut lines: Vec<Done> = files.iter().flat_map(|path| lines(path)).collect();
        lines.sort_by_key(|done| done.at);
        let path = match job {
            None => folder.join(RECORD),
            Some(job) => jobs.join(format!("{job}.jsonl")),
        };
        let known = lines.into_iter().map(|done| (done.scene.clone(), done));
        Ok(Self {
            path,
            known: known.collect(),
        })
    }

    /// Whether this work was done on a scene, and its files lie in `place` as they were written.
    pub(crate) fn is_finished(&self, scene: &str, work: Option<&str>, place: &Path) -> bool {
        let before = self.known.get(scene);
        before.is_some_and(|done| Some(done.work.as_str()) == work && done.is_whole(place))
    }

    /// What lies in the folder of a scene is no longer what an earlier line says.
    ///
    /// # Errors
    /// [`crate::FileError::Io`].
    pub(crate) fn begin(&self, scene: &str) -> Result<()> {
        self.append(scene, String::new(), BTreeMap::new())
    }

    /// A scene is finished; `None` for work of which nobody can say whether it would be the same again.
    ///
    /// # Errors
    /// [`crate::FileError::Io`].
    pub(crate) fn finish(
        &self,
        scene: &str,
        work: Option<String>,
        place: &Path,
        files: &[PathBuf],
    ) -> Result<()> {
        let size = |path: &PathBuf| {
            let name = path.strip_prefix(place).unwrap_or(path);
            let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
            (name.display().to_string(), bytes)
        };
        // A style may be changed by its user: the work is none the less done.
        let is_style = |path: &&PathBuf| path.extension().is_some_and(|end| end == "qml");
        let of_work = files.iter().filter(|path| !is_style(path));
        self.append(scene, work.unwrap_or_default(), of_work.map(size).collect())
    }

    fn append(&self, scene: &str, work: String, files: BTreeMap<String, u64>) -> Result<()> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = now.map_or(0, |time| {
            u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
        });
        let done = Done {
            scene: scene.to_owned(),
            work,
            files,
            at,
        };
        append(&self.path, &done).map_err(io("write the file", &self.path))
    }
}

/// What is to be done on a scene: what decides the result beside the scene, with the state of its files and its area. `None`
/// where that state cannot be told, so that it is always done.
pub(crate) fn work_on(scene: &Scene, rest: &str) -> Option<String> {
    let state = scene.raster().identity()?;
    let area = format!("{:?} {:?}", scene.area(), scene.aoi());
    Some(digest(&[rest, &state, &area]))
}

/// A digest of texts, each of which counts as it is.
pub(crate) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    format!("{:x}", hash.finalize())
}

/// The lines of a record; one that was cut off counts for nothing.
fn lines(path: &Path) -> Vec<Done> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    lines.collect()
}

fn append(path: &Path, done: &Done) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    // One write, so that a line is there or is not; a line before it that was cut off does not spoil it.
    file.write_all(format!("\n{}\n", serde_json::to_string(done)?).as_bytes())?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_jobs_are_read_together_and_the_last_line_counts() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("east");
        std::fs::create_dir(&place).expect("a folder");
        let file = place.join("labels.tif");
        std::fs::write(&file, "12345").expect("a file");
        let open = |job| Record::open(folder.path(), job);
        let finished = |record: &Record, work| record.is_finished("east", Some(work), &place);

        let first = open(Some("plan.1"))?;
        assert!(!finished(&first, "a"));
        first.begin("east")?;
        first.finish(
            "east",
            Some("a".to_owned()),
            &place,
            std::slice::from_ref(&file),
        )?;
        assert!(finished(&open(None)?, "a"), "another job's record is read");
        assert!(!finished(&open(None)?, "b"), "other work is not the same");
        assert!(!folder.path().join(RECORD).exists());

        // Milliseconds tell lines apart, and a job needs longer than that.
        std::thread::sleep(std::time::Duration::from_millis(5));
        let second = open(Some("plan.2"))?;
        second.begin("east")?;
        assert!(!finished(&open(None)?, "a"), "it is being written again");
        std::thread::sleep(std::time::Duration::from_millis(5));
        second.finish(
            "east",
            Some("b".to_owned()),
            &place,
            std::slice::from_ref(&file),
        )?;
        assert!(finished(&open(None)?, "b"));

        std::fs::write(&file, "1234").expect("a file");
        assert!(!finished(&open(None)?, "b"), "the file is another one");
        Ok(())
    }
}
