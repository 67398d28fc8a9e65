use super::Scenes;
use crate::Result;
use crate::raster::{BandStatistics, Part, pooled_statistics};
use crate::scene::Scene;

impl Scenes {
    /// Exact statistics of each band over the valid pixels in use of all scenes together: one parallel pass over the files,
    /// kept in the user's cache for this state of all of them.
    ///
    /// # Errors
    /// [`crate::raster::RasterError::NoValidPixels`] when nothing is valid; [`crate::raster::RasterError::Read`] for a
    /// damaged file.
    #[doc(alias = "stats")]
    #[doc(alias = "mean")]
    #[doc(alias = "std")]
    pub fn statistics(&self) -> Result<Vec<BandStatistics>> {
        if let Some(known) = self.inner.statistics.get() {
            return Ok(known.clone());
        }
        let scenes: Vec<&Scene> = self.iter().collect();
        let computed = match scenes.as_slice() {
            [one] => one.statistics()?,
            many => {
                let parts: Vec<Part<'_>> = many.iter().map(|scene| scene.as_part()).collect();
                pooled_statistics(&parts)?
            }
        };
        Ok(self.inner.statistics.get_or_init(|| computed).clone())
    }
}
