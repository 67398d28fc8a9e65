use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file that takes its final name only when it is complete: it is written beside the target under a hidden name,
/// flushed to the disk, then renamed. Dropped before that, it disappears and the target stays as it was.
#[derive(Debug)]
pub(crate) struct StagedFile {
    staged: PathBuf,
    target: PathBuf,
    done: bool,
}

impl StagedFile {
    /// A new name beside `target`, whose folder is made when it is missing. `label` keeps several files for one target
    /// apart, and the extension is kept, since drivers look at it.
    pub(crate) fn new(target: &Path, label: &str) -> io::Result<Self> {
        static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let target = std::path::absolute(target)?;
        let folder = target.parent().unwrap_or_else(|| Path::new("/"));
        std::fs::create_dir_all(folder)?;
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let stem = target.file_stem().unwrap_or_default().to_string_lossy();
        let extension = target.extension().unwrap_or_default().to_string_lossy();
        let staged = folder.join(format!(
            ".{stem}.{label}-{}-{number}.{extension}",
            std::process::id()
        ));
        Ok(Self {
            staged,
            target,
            done: false,
        })
    }

    /// Where to write.
    pub(crate) fn path(&self) -> &Path {
        &self.staged
    }

    /// The final name.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gives the complete file its final name.
    pub(crate) fn commit(mut self) -> io::Result<()> {
        File::open(&self.staged)?.sync_all()?;
        std::fs::rename(&self.staged, &self.target)?;
        self.done = true;
        sync_folder(&self.target);
        Ok(())
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.done {
            let _ = std::fs::remove_file(&self.staged);
        }
        // Drivers leave companions: GDAL's own metadata file, SQLite's journal.
        for suffix in [".aux.xml", "-journal", "-wal", "-shm"] {
            let mut companion = self.staged.clone().into_os_string();
            companion.push(suffix);
            let _ = std::fs::remove_file(companion);
        }
    }
}

/// Flushes the folder of `path`, so that a rename survives a power cut. Some file systems refuse; the rename itself has
/// succeeded then.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
}
