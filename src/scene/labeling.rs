use std::collections::{BTreeMap, BTreeSet};

use super::boxes::BoxLabels;
use super::drawn::{Drawn, Labeling};
use super::overlap::lies_on;
use super::{Scene, SceneError};
use crate::Result;
use crate::labels::{BACKGROUND, Classes, IGNORE, LabelPolygons};
use crate::report::{Notice, file_name};
use crate::vector::{self, Classified, LabelClass, Others, ReadOnce, VectorSource, listed};

impl Scene {
    /// Labels the scene with the polygons of a vector file in any coordinate reference system. When the features have a
    /// property named `class`, its values are the classes, in alphabetical order; otherwise every feature is of the one
    /// class `class`. Where both could be meant, [`LabelClass::property`] and [`LabelClass::one`] say it; the scene's
    /// report tells what was taken, with the values and how often they occur. Pixels outside all polygons are background;
    /// later features lie over earlier ones; a feature without a value of the property is an area that does not count.
    /// Each feature has a bounding box, too ([`Scene::boxes`]). Lines and points are left out, unless
    /// [`VectorSource::buffer`] makes areas of them. [`Scene::and_labels`] adds a further file or layer.
    ///
    /// With [`LabelClass::table`] and [`LabelClass::rules`] the classes are those of the table or the rules, in their order.
    ///
    /// A file without features makes a scene that is all background, and so does one whose polygons all lie elsewhere, as
    /// long as the scene lies within their extent: a tile on which nothing is.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("city.tif")?;
    /// let roofs = scene.clone().with_labels("osm.gpkg", LabelClass::one("building"))?;
    /// let kinds = scene.with_labels(VectorSource::new("city.gpkg").layer("buildings"), "kind")?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::vector::VectorError`] when the file cannot be read to its end or no feature is an area;
    /// [`SceneError::NoOverlap`] when the scene lies outside the extent of the labels
    /// ([`VectorSource::allow_elsewhere`] makes it all background); [`SceneError::NoValues`] when no feature has a value.
    #[doc(alias = "labels")]
    #[doc(alias = "add_labels")]
    #[doc(alias = "set_labels")]
    #[doc(alias = "annotate")]
    #[doc(alias = "label")]
    #[doc(alias = "label_source")]
    #[doc(alias = "with_annotations")]
    pub fn with_labels(
        &self,
        source: impl Into<VectorSource>,
        class: impl Into<LabelClass>,
    ) -> Result<Self> {
        let (source, class) = (source.into(), class.into());
        let read = vector::read_classified(&source, &self.raster().georeference(), &class)?;
        let classes = Classes::new(class_names(&source, &class, &read)?);
        self.clone().burned(&source, read, &classes, &class, false)
    }

    /// Adds the polygons of another file, or of another layer of the same file, to the labels that the scene has, polygons or
    /// a raster: they lie over these. Everything is as with [`Scene::with_labels`], for each file on its own: which layer,
    /// which features, what they are called.
    ///
    /// Classes are united by name. Those that the scene has keep their indices; new ones come behind them, in alphabetical
    /// order, or in that of a table or of rules. Of a property with [`LabelClass::others_ignored`] or
    /// [`LabelClass::others_as_background`] none is added, and that is what becomes of features of other classes.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let roads = VectorSource::new("city.gpkg").layer("roads").buffer(Buffer::meters(3.0));
    /// let houses = VectorSource::new("city.gpkg").layer("buildings").filter("height > 2");
    /// let scene = Scene::open("city.tif")?
    ///     .with_labels("landuse.gpkg", "kind")?
    ///     .and_labels(roads, LabelClass::one("road"))?
    ///     .and_labels(houses, LabelClass::one("building"))?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Scene::with_labels`].
    #[doc(alias = "add_label_layer")]
    #[doc(alias = "MultiVectorSource")]
    pub fn and_labels(
        &self,
        source: impl Into<VectorSource>,
        class: impl Into<LabelClass>,
    ) -> Result<Self> {
        let (source, class) = (source.into(), class.into());
        let read = vector::read_classified(&source, &self.raster().georeference(), &class)?;
        let found = class_names(&source, &class, &read)?;
        let known = self.classes().clone();
        // Rules leave out what none holds for; their classes are new all the same.
        let is_closed = class.others != Others::Refused && class.targets().is_none();
        let classes = match is_closed && known.len() > 1 {
            true => known,
            false => {
                let new = found.iter().filter(|name| known.index_of(name).is_none());
                let all = known.len() + new.count();
                if all > usize::from(IGNORE) {
                    return Err(SceneError::TooManyClasses {
                        path: source.path().to_owned(),
                        property: read.property.unwrap_or_default(),
                        found: all - 1,
                    }
                    .into());
                }
                known.and(found)
            }
        };
        self.clone().burned(&source, read, &classes, &class, true)
    }

    /// Labels the scene with a vector file whose property `property` names the classes, in the given order: the same
    /// indices for several scenes. [`LabelClass::one`] makes every feature of one of the classes; those of a table or of rules
    /// must be among them.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let kinds = LabelClass::property("kind").others_ignored();
    /// let scene = Scene::open("city.tif")?.with_classes("city.gpkg", kinds, ["house", "road"])?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`crate::vector::VectorError::NoProperty`] lists the properties; [`SceneError::UnknownClasses`] when features are
    /// of classes that `classes` does not hold, unless [`LabelClass::others_ignored`] or
    /// [`LabelClass::others_as_background`] says what becomes of them.
    #[doc(alias = "set_classes")]
    pub fn with_classes(
        &self,
        source: impl Into<VectorSource>,
        property: impl Into<LabelClass>,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        let (source, class) = (source.into(), property.into().of_named_classes());
        let read = vector::read_classified(&source, &self.raster().georeference(), &class)?;
        self.clone()
            .burned(&source, read, &classes.into(), &class, false)
    }

    /// As [`Scene::with_labels`] for a file that was read whole for another scene, which gave it these classes: features far
    /// from this scene are not read, or once for all scenes where the file has no index.
    pub(crate) fn with_labels_near(
        &self,
        source: &VectorSource,
        class: &LabelClass,
        classes: &Classes,
        once: &ReadOnce,
    ) -> Result<Self> {
        let mut source = source.clone();
        source.near = Some(once.clone());
        let read = vector::read_classified(&source, &self.raster().georeference(), class)?;
        self.clone().burned(&source, read, classes, class, false)
    }

    /// As [`Scene::with_classes`], without reading features far from this scene.
    pub(crate) fn with_classes_near(
        &self,
        source: &VectorSource,
        class: &LabelClass,
        classes: &Classes,
        once: &ReadOnce,
    ) -> Result<Self> {
        self.with_labels_near(source, &class.clone().of_named_classes(), classes, once)
    }

    fn burned(
        self,
        source: &VectorSource,
        read: Classified,
        classes: &Classes,
        class: &LabelClass,
        adding: bool,
    ) -> Result<Self> {
        let property = read.property.clone();
        let by_property = property.is_some();
        // A file without features may have no properties either: it asks for no class.
        let one_class = match &property {
            None if !read.features.is_empty() && class.targets().is_none() => {
                let found = classes.index_of(class.word());
                let index = found.ok_or_else(|| SceneError::UnknownClass {
                    path: source.path().to_owned(),
                    found: class.word().to_owned(),
                    classes: classes.names().into_iter().map(str::to_owned).collect(),
                })?;
                Some(index as u8)
            }
            _ => None,
        };
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        let mut nameless = 0;
        let features = read.features.len();
        let mut labeled = Vec::with_capacity(features);
        for (at, feature) in read.features.into_iter().enumerate() {
            let index = match (&feature.class, one_class) {
                (_, Some(index)) => index,
                (None, None) if read.unmatched.contains_key(&at) => {
                    let what = read.unmatched.get(&at).cloned().unwrap_or_default();
                    *others.entry(what).or_default() += 1;
                    match class.others {
                        Others::Background => continue,
                        Others::Ignored | Others::Refused => IGNORE,
                    }
                }
                // A feature without a value is an area that nobody has named: it does not count.
                (None, None) => {
                    nameless += 1;
                    IGNORE
                }
                (Some(name), None) => match vector::index_of(classes, name) {
                    Some(index) => index as u8,
                    None => {
                        *others.entry(name.clone()).or_default() += 1;
                        match class.others {
                            Others::Background => continue,
                            Others::Ignored | Others::Refused => IGNORE,
                        }
                    }
                },
            };
            labeled.push((feature.geometry, index));
        }
        if class.others == Others::Refused && !others.is_empty() {
            return Err(SceneError::UnknownClasses {
                path: source.path().to_owned(),
                found: others,
                classes: classes
                    .names()
                    .into_iter()
                    .skip(1)
                    .map(str::to_owned)
                    .collect(),
            }
            .into());
        }
        let left = others_notice(&others, class, features);
        let unnamed = property
            .filter(|_| nameless > 0)
            .map(|property| nameless_notice(nameless, features, &property));
        let (labeled, overlap) = if labeled.is_empty() && features > 0 {
            (labeled, None)
        } else {
            self.labels_on(source, labeled, (adding, read.near))?
        };
        let mut notices = read.report.report(source.path());
        let about = file_name(source.path());
        let said = [left, unnamed].into_iter().flatten();
        notices.extend(
            said.map(|notice| notice.about(about.clone()))
                .chain(overlap),
        );
        let before = self
            .inner
            .labels
            .clone()
            .filter(|_| adding)
            .unwrap_or_default();
        let mut report = read.report;
        let mut polygons = labeled;
        if let Some(drawn) = &before.drawn {
            let mut both = drawn.report.clone();
            both.join(report);
            report = both;
            notices = drawn.notices.iter().cloned().chain(notices).collect();
            let new = std::mem::replace(&mut polygons, drawn.polygons.polygons().to_vec());
            polygons.extend(new);
        }
        let given = self
            .inner
            .boxes
            .clone()
            .filter(|boxes| adding && boxes.given);
        let boxes = given.unwrap_or_else(|| BoxLabels::around(&polygons, &self.raster().full()));
        let polygons = LabelPolygons::new(polygons);
        let classes = classes.clone();
        Ok(self.changed(|inner| {
            inner.classes = classes;
            inner.labels = Some(Labeling {
                raster: before.raster,
                drawn: Some(Drawn {
                    polygons,
                    report,
                    by_property,
                    notices,
                }),
            });
            inner.boxes = Some(boxes);
            inner.whole = None;
        }))
    }

    /// How many label polygons of this class lie on the area in use.
    pub(super) fn polygon_count(&self, class: usize) -> usize {
        let Some(polygons) = self.inner.labels.as_ref().and_then(Labeling::polygons) else {
            return 0;
        };
        let area = self.area();
        let all = polygons.polygons();
        polygons
            .touching(&area)
            .into_iter()
            .filter_map(|index| all.get(index))
            .filter(|(shape, label)| usize::from(*label) == class && lies_on(shape, &area))
            .count()
    }
}

/// The classes that a file is read into: those of a table or of rules, the one of all features, or those that occur.
fn class_names(
    source: &VectorSource,
    class: &LabelClass,
    read: &Classified,
) -> Result<Vec<String>, SceneError> {
    let names: BTreeSet<String> = read.counts().into_keys().collect();
    if let Some(property) = read.property.as_ref().filter(|_| names.is_empty())
        && !read.features.is_empty()
        && read.unmatched.is_empty()
    {
        return Err(SceneError::NoValues {
            path: source.path().to_owned(),
            property: property.clone(),
            features: read.features.len(),
        });
    }
    let names = match (class.targets(), &read.property) {
        (Some(targets), _) => targets,
        (None, Some(_)) => names.into_iter().collect(),
        (None, None) => vec![class.word().to_owned()],
    };
    let found = names.iter().filter(|name| *name != BACKGROUND).count();
    if found + 1 > usize::from(IGNORE) {
        return Err(SceneError::TooManyClasses {
            path: source.path().to_owned(),
            property: read.property.clone().unwrap_or_default(),
            found,
        });
    }
    Ok(names)
}

fn others_notice(
    others: &BTreeMap<String, usize>,
    class: &LabelClass,
    features: usize,
) -> Option<Notice> {
    if others.is_empty() {
        return None;
    }
    let count: usize = others.values().sum();
    let what = match class.others {
        Others::Background => "were left out, so that they are background",
        Others::Ignored | Others::Refused => "are areas that do not count",
    };
    let text = format!(
        "{count} of {features} features {} {what}: {}",
        class.unmatched_words(),
        listed(others)
    );
    Some(Notice::left_out(text).count(count))
}

fn nameless_notice(nameless: usize, features: usize, property: &str) -> Notice {
    let text = format!(
        "{nameless} of {features} features have no value of the property {property:?}: they are areas that do not count"
    );
    let step = format!(
        "`VectorSource::new(path).filter(\"\\\"{property}\\\" IS NOT NULL\")` leaves them out, so that they are background"
    );
    Notice::left_out(text).count(nameless).next(step)
}
