//! The maps of many scenes as one.

use std::path::{Path, PathBuf};

use super::files::{LABELS, SCORES, label_options, score_options, working_folder};
use super::publish::publish_set;
use super::save::{SavedFiles, copy_raster, staging_folder};
use super::score_type::stored_type;
use super::{PredictError, SavedScenes, SceneMap};
use crate::labels::Classes;
use crate::raster::{Mosaic, Raster, RasterType, Resampling};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::{Result, session};

/// A map of which less than one pixel in so many has a scene is not made without being asked for.
const SPARSE: usize = 16;

impl SavedScenes {
    /// The maps of all scenes as one map, which [`SceneMap::save`] saves as one cloud-optimized GeoTIFF with polygons that go
    /// on from scene to scene. Where scenes overlap, later ones lie over earlier ones; between them there is no data. It has the
    /// grid of the first scene; maps in another reference system or of other pixels are brought to it by nearest neighbor, which
    /// its report says.
    ///
    /// Nothing is held in memory but a strip; the joined map lies in the folder for temporary files until it is dropped. Its
    /// scene is the map itself, since there is no imagery of all.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let model = Segmenter::load("buildings.swath")?;
    /// let maps = model.predict_to(&Scenes::open("tiles")?, "maps", PredictOptions::new())?;
    /// maps.mosaic()?.save("town")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`PredictError::NoSavedMap`] when a scene has no map, such as scenes whose objects were found;
    /// [`crate::raster::JoinError`] when some have a place and others none, [`crate::raster::RasterError::Write`] when the folder
    /// for temporary files is full.
    #[doc(alias = "merge")]
    #[doc(alias = "vrt")]
    #[doc(alias = "build_vrt")]
    pub fn mosaic(&self) -> Result<SceneMap> {
        let folders = self.folders();
        let labels: Vec<PathBuf> = folders.iter().map(|folder| folder.join(LABELS)).collect();
        if let Some(path) = labels.iter().find(|path| !path.is_file()) {
            let path = path.clone();
            return Err(PredictError::NoSavedMap { path }.into());
        }
        let folder = working_folder()?;
        let joined = joined(&labels)?;
        // What was joined says the same of classes and of scores.
        // That class maps have colors is no news.
        let is_news = |notice: &&Notice| !notice.text().contains("palette");
        let mut report: Report = joined.report().iter().filter(is_news).cloned().collect();
        let options = label_options(&self.classes).plain_tiles();
        let path = folder.path().join(LABELS);
        copy_raster(&joined, &path, RasterType::U8, options)?;
        let scores = self.joined_scores(&folders, &folder.path().join(SCORES), &mut report)?;
        let scene = Scene::open(&path)?;
        let (area, files) = (scene.area(), (Raster::open(&path)?, scores));
        let classes = self.classes.clone();
        let map = SceneMap::new(folder, files, classes, scene, area, None);
        Ok(map.with_report(report).of_models(self.trained.clone()))
    }

    /// Why the maps are not joined where they are saved without being asked for it: most of the joined map would be empty, or they
    /// have no place on the ground.
    ///
    /// # Errors
    /// When a map cannot be read.
    pub(crate) fn why_not_joined(&self) -> Result<Option<Notice>> {
        let labels: Vec<PathBuf> = (self.folders().iter())
            .map(|folder| folder.join(LABELS))
            .collect();
        let mut pixels = 0;
        for path in &labels {
            session::check_interrupt("looking at maps")?;
            let map = Raster::open(path)?;
            if !map.is_georeferenced() {
                let text = "one map of all scenes, which have no place on the ground";
                return Ok(Some(Notice::left_out(text).count(labels.len())));
            }
            pixels += map.size().area();
        }
        let all = joined(&labels)?.size();
        if all.area() / SPARSE > pixels {
            let text = format!(
                "one map of all scenes, which would have {} x {} pixels, nearly all of them empty",
                all.width, all.height
            );
            return Ok(Some(Notice::left_out(text).count(labels.len())));
        }
        Ok(None)
    }

    /// The scores of all scenes, where each has them in the same type.
    fn joined_scores(
        &self,
        folders: &[PathBuf],
        path: &Path,
        report: &mut Report,
    ) -> Result<Option<Raster>> {
        let files: Vec<PathBuf> = folders.iter().map(|folder| folder.join(SCORES)).collect();
        let there = files.iter().filter(|file| file.is_file()).count();
        if there == 0 {
            return Ok(None);
        }
        let mut kinds = Vec::new();
        for file in files.iter().filter(|file| file.is_file()) {
            session::check_interrupt("joining scores")?;
            let kind = stored_type(&Raster::open(file)?);
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let (&[kind], true) = (kinds.as_slice(), there == files.len()) else {
            let text = format!(
                "the scores: {there} of {} scenes have them, in {} types",
                files.len(),
                kinds.len()
            );
            report.push(Notice::left_out(text).count(files.len()));
            return Ok(None);
        };
        let options = score_options(&self.classes, kind).plain_tiles();
        copy_raster(&joined(&files)?, path, kind.raster_type(), options)?;
        Ok(Some(Raster::open(path)?))
    }
}

fn joined(files: &[PathBuf]) -> Result<Raster> {
    Mosaic::new(files).resampling(Resampling::Nearest).open()
}

/// Saves files of classes as one, called `name`, in `folder`.
///
/// # Errors
/// As [`SavedScenes::mosaic`].
pub(crate) fn join_classes(
    files: &[PathBuf],
    classes: &Classes,
    folder: &Path,
    name: &str,
) -> Result<SavedFiles> {
    let staging = staging_folder(folder)?;
    let all = joined(files)?;
    let path = staging.path().join(name);
    copy_raster(&all, &path, RasterType::U8, label_options(classes))?;
    Ok(publish_set(&[name], staging.path(), folder)?.with_report(all.report().clone()))
}
