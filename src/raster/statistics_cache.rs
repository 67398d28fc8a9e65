use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{BandStatistics, Size};
use crate::staged::StagedFile;

/// Grows when the meaning of the figures changes.
const FORMAT: u32 = 2;

/// Names the statistics of one state of one file, seen at one size, in the user's cache.
#[derive(Debug)]
pub(crate) struct Key {
    file: PathBuf,
}

impl Key {
    /// `None` for what has no modification time, such as remote files, and when the user has no cache folder.
    pub(crate) fn of(path: &Path, size: Size) -> Option<Self> {
        let path = std::fs::canonicalize(path).ok()?;
        let about = std::fs::metadata(&path).ok()?;
        let age = about
            .modified()
            .ok()?
            .duration_since(std::time::UNIX_EPOCH)
            .ok()?;
        let text = format!(
            "{FORMAT} {size} {} {} {}",
            path.display(),
            age.as_nanos(),
            about.len()
        );
        let mut name = String::new();
        for byte in &Sha256::digest(text)[..16] {
            let _ = write!(name, "{byte:02x}");
        }
        Some(Self {
            file: crate::data::cache_dir()
                .join("statistics")
                .join(name + ".json"),
        })
    }

    pub(crate) fn load(&self) -> Option<Vec<BandStatistics>> {
        serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()
    }

    /// Failing to keep them costs a pass over the file next time, nothing else.
    pub(crate) fn store(&self, statistics: &[BandStatistics]) {
        let Ok(staged) = StagedFile::new(&self.file, "new") else {
            return;
        };
        if let Ok(text) = serde_json::to_vec(statistics)
            && std::fs::write(staged.path(), text).is_ok()
        {
            let _ = staged.commit();
        }
    }
}
