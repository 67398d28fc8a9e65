//! Saved maps, opened again.

use std::path::Path;

use super::PredictError;
use super::SceneMap;
use super::files::{LABELS, SCORES, working_folder};
use super::map::placed_on;
use crate::evaluate::EvaluateError;
use crate::labels::Classes;
use crate::raster::{LabelFile, Raster};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::{Result, session};

impl SceneMap {
    /// Opens a map that [`SceneMap::save`] wrote into the folder `dir`, on the scene that it was made of: to score it, to change
    /// its threshold, to trace its polygons in another way. Its files stay where they are and are read when they are needed.
    ///
    /// Scores come back as [`super::ScoreType`] says: bytes to half a step, half floats to 1/2048, floats as they were. The
    /// threshold that decided is not known any more ([`SceneMap::threshold_score`] is `None`).
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("town.tif")?;
    /// let map = SceneMap::open("out/houses", &scene)?;
    /// map.save_with("out/right", SaveOptions::new().outlines(Outlines::new().right_angles(true)))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`PredictError::NoSavedMap`] for a folder without one, [`EvaluateError::OtherGrid`] when its pixels do not lie on the
    /// scene's, [`crate::raster::RasterError`] for a damaged file.
    #[doc(alias = "load")]
    pub fn open(dir: impl AsRef<Path>, scene: &Scene) -> Result<Self> {
        let dir = &*crate::paths::expanded(dir.as_ref());
        let path = dir.join(LABELS);
        if !path.is_file() {
            return Err(PredictError::NoSavedMap { path }.into());
        }
        let labels = Raster::open(&path)?;
        let area = placed_on(&labels, scene)?;
        let classes = saved_classes(&path, &labels, scene)?;
        let mut report = Report::new();
        let scores = dir.join(SCORES);
        let scores = match scores.is_file() {
            true => Some(Raster::open(scores)?),
            false => None,
        };
        let scores = scores.filter(|scores| {
            let fits = scores.band_count() == classes.len() && scores.size() == labels.size();
            if !fits {
                let text = format!(
                    "{SCORES} has {} bands of {}, the map {} classes and {}: it is of another map",
                    scores.band_count(),
                    scores.size(),
                    classes.len(),
                    labels.size()
                );
                report.push(Notice::left_out(text).about(SCORES).count(1));
            }
            fits
        });
        session::check_interrupt("opening a map")?;
        let files = (labels, scores);
        report.push(Notice::left_out(
            "what the model was trained on is not in the files: scores of this map cannot say whether it saw these pixels",
        ));
        let map = Self::new(working_folder()?, files, classes, scene.clone(), area, None);
        Ok(map.with_report(report))
    }
}

/// The classes that a saved map names, in its colors.
pub(crate) fn saved_classes(path: &Path, labels: &Raster, scene: &Scene) -> Result<Classes> {
    let names = labels.category_names();
    if names.is_empty() {
        return Ok(scene.classes().clone());
    }
    let palette = LabelFile::open(path)?.palette;
    let mut classes = Classes::new(names.iter().skip(1).cloned());
    if classes.len() != names.len() {
        let expected = names.clone();
        let found = classes.names().into_iter().map(str::to_owned).collect();
        return Err(EvaluateError::ClassesDiffer { expected, found }.into());
    }
    for (name, color) in names.iter().zip(&palette).skip(1) {
        classes = classes.with_color(name, *color);
    }
    Ok(classes)
}
