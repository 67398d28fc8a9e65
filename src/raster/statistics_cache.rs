use std::io::Write as _;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::BandStatistics;
use super::files::hex;
use crate::staged::StagedFile;

/// Grows when the meaning of the figures changes.
const FORMAT: u32 = 3;

/// Names the statistics of one state of one raster, read in one way, in the user's cache.
#[derive(Debug)]
pub(crate) struct Key {
    file: PathBuf,
}

impl Key {
    /// The key of what [`super::Raster::identity`] says.
    pub(crate) fn of(identity: &String) -> Self {
        let name = hex(&Sha256::digest(format!("{FORMAT} {identity}"))[..16]);
        Self {
            file: crate::cache::cache_dir()
                .join("statistics")
                .join(name + ".json"),
        }
    }

    pub(crate) fn load(&self) -> Option<Vec<BandStatistics>> {
        // What anybody could have put there is not believed.
        crate::cache::prepare().ok()?;
        serde_json::from_slice(&std::fs::read(&self.file).ok()?).ok()
    }

    /// Failing to keep them costs a pass over the file next time, nothing else.
    pub(crate) fn store(&self, statistics: &[BandStatistics]) {
        let _ = self.try_store(statistics);
    }

    fn try_store(&self, statistics: &[BandStatistics]) -> std::io::Result<()> {
        crate::cache::prepare()?;
        if let Some(folder) = self.file.parent() {
            crate::cache::make_folder(folder)?;
        }
        let staged = StagedFile::new(&self.file, "new")?;
        // Another machine's process may have this one's number.
        let mut file = std::fs::File::create_new(staged.path())?;
        file.write_all(&serde_json::to_vec(statistics)?)?;
        // Another user's file has the same permissions, since the folder decides.
        crate::cache::share(staged.path())?;
        staged.commit()
    }
}
