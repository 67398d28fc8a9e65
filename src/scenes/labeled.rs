//! Labels and boxes for many scenes.

use super::collection::Member;
use super::labels::Found;
use super::{LabelFiles, Scenes, ScenesError, box_images};
use crate::labels::{Classes, LabelValues};
use crate::report::Report;
use crate::scene::{Scene, SceneError, shared_box_file};
use crate::vector::{LabelClass, ReadOnce, VectorSource};
use crate::{Error, Result};

impl Scenes {
    /// Labels every scene with the polygons of its file, or with those of one file that lie on it; see
    /// [`Scene::with_labels`] for what `class` means. All scenes have the classes of all files, in alphabetical order.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::open("tiles/*.tif")?;
    /// let each = scenes.with_labels("labels/{stem}.geojson", "class")?;
    /// let one_file = scenes.with_labels("city.gpkg", LabelClass::one("building"))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`super::ScenesError::NoLabelFile`] with the scenes that have none; [`super::ScenesError::Broken`] with the scenes
    /// that cannot be labeled, each with its error of [`Scene::with_labels`]; [`super::ScenesError::TooManyClasses`].
    #[doc(alias = "labels")]
    #[doc(alias = "label_source")]
    #[doc(alias = "annotate")]
    pub fn with_labels(
        &self,
        files: impl Into<LabelFiles>,
        class: impl Into<LabelClass>,
    ) -> Result<Self> {
        let (files, class) = (files.into(), class.into());
        // One file for all is read whole once, and for the others as far as it concerns them.
        let (mut whole, once) = (None, ReadOnce::default());
        if let Some(source) = files.of_all() {
            for scene in self.iter() {
                match scene.with_labels(source, class.clone()) {
                    Ok(labeled) => {
                        whole = Some(labeled);
                        break;
                    }
                    // Another scene may lie where the labels do.
                    Err(Error::Scene(SceneError::NoOverlap { .. })) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        let labeled = self.labeled(
            &files,
            Scene::as_background,
            |scene, source, _| match &whole {
                Some(whole) => scene.with_labels_near(source, &class, whole.classes(), &once),
                None => scene.with_labels(source, class.clone()),
            },
        )?;
        // A word that is a property here and the class of all there would mean two things in one collection.
        let by_property = |wanted: bool| {
            let members = labeled.inner.members.iter();
            members.filter(move |member| member.scene.is_labeled_by_property() == Some(wanted))
        };
        if by_property(true).next().is_some() && by_property(false).next().is_some() {
            return Err(ScenesError::MixedClasses {
                word: class.word().to_owned(),
                without: by_property(false)
                    .map(|member| member.name.clone())
                    .collect(),
                of: labeled.len(),
            }
            .into());
        }
        Ok(labeled)
    }

    /// As [`Scenes::with_labels`] with these classes in this order: the same indices whatever the files hold; see
    /// [`Scene::with_classes`].
    ///
    /// # Errors
    /// As [`Scenes::with_labels`].
    pub fn with_classes(
        &self,
        files: impl Into<LabelFiles>,
        property: impl Into<LabelClass>,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        let (property, classes) = (property.into(), classes.into());
        let files = files.into();
        let one = files.of_all().is_some();
        let once = ReadOnce::default();
        let labeled = self.labeled(&files, Scene::as_background, |scene, source, _| match one {
            true => scene.with_classes_near(source, &property, &classes, &once),
            false => scene.with_classes(source, property.clone(), classes.clone()),
        })?;
        // A scene that is all background for want of a file has them, too.
        Ok(labeled.in_classes(&classes))
    }

    /// Labels every scene with a raster of its own, or with one that covers all; see [`Scene::with_label_raster`].
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::open("images/*.tif")?;
    /// let scenes = scenes.with_label_rasters("masks/{stem}.tif", LabelValues::binary("building"))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scenes::with_labels`].
    #[doc(alias = "with_masks")]
    pub fn with_label_rasters(
        &self,
        files: impl Into<LabelFiles>,
        values: impl Into<LabelValues>,
    ) -> Result<Self> {
        let values = values.into();
        self.labeled(&files.into(), Scene::as_background, |scene, source, _| {
            scene.with_label_raster(source.path(), values.clone())
        })
    }

    /// Gives every scene the boxes of its file, or those of its image in one file for all; see [`Scene::with_boxes`].
    ///
    /// Images of a file that several scenes share are known by their names, and by their folders where names are alike, even if
    /// there is one image alone: tables drop images without a box. What becomes of a scene that such a file does not name,
    /// [`LabelFiles::missing_as_background`] and [`LabelFiles::skip_missing`] say.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scenes = Scenes::open("images")?;
    /// let coco = scenes.with_boxes("annotations.json", "class")?;
    /// let voc = scenes.with_boxes("annotations/{stem}.xml", "class")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scenes::with_labels`]; of one file for several scenes [`super::ScenesError::NoEntry`] with the scenes that it does not
    /// name, [`super::ScenesError::SharedEntry`] when an image fits several of them equally well, and
    /// [`super::ScenesError::NamelessBoxes`] when it names no image.
    #[doc(alias = "with_annotations")]
    pub fn with_boxes(
        &self,
        files: impl Into<LabelFiles>,
        class: impl Into<LabelClass>,
    ) -> Result<Self> {
        let (files, class) = (files.into(), class.into());
        let mut report = self.inner.report.clone();
        let boxed = files.pair(self, &mut report).and_then(|found| {
            let found = box_images::paired(found, &files, self, &class, &mut report)?;
            let without = Scene::without_boxes;
            self.labeled_by(found, report, without, |scene, source, image| {
                scene.with_boxes_of_image(source, &class, None, image)
            })
        });
        shared_box_file::forget();
        boxed
    }

    /// Limits every scene to an area of interest; see [`Scene::with_aoi`].
    ///
    /// # Errors
    /// As [`Scenes::with_labels`].
    pub fn with_aoi(&self, files: impl Into<LabelFiles>) -> Result<Self> {
        let files = files.into().refusing_background();
        self.labeled(&files, Scene::clone, |scene, source, _| {
            scene.with_aoi(source)
        })
    }

    /// Says where the labels of every scene are complete; see [`Scene::labeled_within`].
    ///
    /// # Errors
    /// As [`Scenes::with_labels`].
    pub fn labeled_within(&self, files: impl Into<LabelFiles>) -> Result<Self> {
        let files = files.into().refusing_background();
        self.labeled(&files, Scene::clone, |scene, source, _| {
            scene.labeled_within(source)
        })
    }

    fn labeled(
        &self,
        files: &LabelFiles,
        without_file: impl Fn(&Scene) -> Scene + Sync,
        label: impl Fn(&Scene, &VectorSource, Option<usize>) -> Result<Scene> + Sync,
    ) -> Result<Self> {
        let mut report = self.inner.report.clone();
        let found = files.pair(self, &mut report)?;
        self.labeled_by(found, report, without_file, label)
    }

    fn labeled_by(
        &self,
        found: Vec<Found>,
        mut report: Report,
        without_file: impl Fn(&Scene) -> Scene + Sync,
        label: impl Fn(&Scene, &VectorSource, Option<usize>) -> Result<Scene> + Sync,
    ) -> Result<Self> {
        let (mut members, mut sources) = (Vec::new(), Vec::new());
        for (member, found) in self.inner.members.iter().zip(found) {
            let source = match found {
                Found::Skipped => continue,
                Found::Background => None,
                Found::File(source, image) => Some((source, image)),
            };
            members.push(member.clone());
            sources.push(source);
        }
        let scenes = self.with_members(members);
        let members = scenes.each("labeled", &mut report, |index, member| {
            match sources.get(index) {
                Some(Some((source, image))) => label(&member.scene, source, *image),
                _ => Ok(without_file(&member.scene)),
            }
        })?;
        Self::together(members, report, self.inner.skip_broken)
    }

    /// The same scenes with these classes, those of their labels by name.
    fn in_classes(&self, classes: &Classes) -> Self {
        let members = self.inner.members.iter().map(|member| Member {
            scene: member.scene.in_classes(classes),
            ..member.clone()
        });
        self.with_members(members.collect())
    }
}
