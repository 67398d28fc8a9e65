//! Boxes out of label files: which of them are meant, what they are called, and what is to be said about the others.

use std::collections::BTreeMap;
use std::path::Path;

use super::boxes::around;
use super::{Scene, SceneError, shared_box_file};
use crate::Result;
use crate::boxes::formats::{
    self, BoxFile, Format, FormatError, LabeledImage, ReadOptions, Remark, RemarkKind,
};
use crate::boxes::{Annotation, BoundingBox, Quadrilateral};
use crate::host::Step;
use crate::labels::{BACKGROUND, Classes};
use crate::raster::Size;
use crate::report::{Notice, NoticeKind, Report, file_name};
use crate::vector::{self, LabelClass, Others, VectorSource, folded, listed};

/// What a caller may say for "the class that the file names", whatever the file's format calls it.
const CLASS_OF_FILE: [&str; 7] = [
    "class",
    "label",
    "name",
    "category",
    "class_name",
    "category_name",
    "category_id",
];

/// A box before its class has a number.
pub(super) struct Named {
    pub(super) annotation: Annotation,
    pub(super) class: String,
}

/// The boxes of a file that are meant.
pub(super) struct ReadBoxes {
    pub(super) boxes: Vec<Named>,
    pub(super) report: Report,
    /// The classes that the scene has when none of its boxes says it.
    pub(super) classes: Vec<String>,
    /// Whether the file is a vector file, which may cover more than one scene.
    pub(super) on_ground: bool,
}

/// What the classes of a file's boxes are.
enum Rule {
    /// Those that the file names; where it names none at all, the one that the caller said.
    OfFile,
    /// Of those that the file names, this one alone, in whatever capitals.
    Only(String),
    /// All are of the class that the caller said.
    One,
}

impl Scene {
    /// The boxes of a label file of any kind; `entry` is the place of the scene's image in a file that scenes share.
    pub(super) fn read_boxes(
        &self,
        source: &VectorSource,
        class: &LabelClass,
        classes: Option<&Classes>,
        options: &ReadOptions,
        entry: Option<usize>,
    ) -> Result<ReadBoxes> {
        let format = shared_box_file::format_of(source.path())?;
        if class.asked().is_none_or(|_| !class.needs_property())
            && is_background(class.word())
            && classes.is_none()
        {
            return Err(SceneError::BackgroundBoxes {
                path: source.path().to_owned(),
            }
            .into());
        }
        let mut read = match format {
            Some(format) => self.boxes_of_file(source, format, class, options, entry)?,
            None => self.boxes_of_vectors(source, class)?,
        };
        leave_out_background(&mut read, classes, source.path());
        Ok(read)
    }

    /// Boxes in pixels: COCO, Pascal VOC, YOLO, tables and the like.
    fn boxes_of_file(
        &self,
        source: &VectorSource,
        format: Format,
        class: &LabelClass,
        options: &ReadOptions,
        entry: Option<usize>,
    ) -> Result<ReadBoxes> {
        let path = source.path();
        check_source(source, class)?;
        let size = self.raster().size();
        let mut options = options.clone();
        options.size = Some((size.width, size.height));
        let word = class.word();
        let mut by_file = class.needs_property() || CLASS_OF_FILE.contains(&folded(word).as_str());
        let column = class_column(path, format, class)?;
        by_file |= column.is_some();
        options.class_column = options.class_column.or(column);
        let generic = CLASS_OF_FILE.contains(&folded(word).as_str());
        if class.needs_property() && !generic && options.class_column.is_none() {
            let names = match format {
                Format::Table => formats::csv::column_names(path)?,
                _ => vec!["class".to_owned()],
            };
            return Err(vector::VectorError::NoProperty {
                path: path.to_owned(),
                property: word.to_owned(),
                near: Vec::new(),
                names,
            }
            .into());
        }
        let file = shared_box_file::read(path, format, &options)?;
        let scene_file = file_name(self.raster().path());
        let wanted = options.image.as_deref().unwrap_or(&scene_file);
        let image = match entry.and_then(|entry| file.images.get(entry)) {
            Some(image) => image,
            None => {
                // Folders tell images of one name apart.
                let whole = self.raster().path().to_string_lossy();
                let sought = options.image.as_deref().unwrap_or(&whole);
                file.image(path, sought)
                    .map_err(|error| error.of_image(wanted))?
            }
        };
        self.check_image(path, format, image)?;
        let about = file_name(path);
        let mut report: Report = notices(&file, &about).collect();
        // Nothing is left of what was there: that is no empty image.
        if image.boxes.is_empty() && image.left_out > 0 {
            return Err(self.no_boxes(path, 0, &report));
        }
        if !image.is_called(wanted) {
            let text = format!("the boxes are of {:?}, the scene is {wanted:?}", image.file);
            let next = "check that both belong together; `ReadOptions { image: Some(…), .. }` with `.with_boxes_read` says \
                        that they do";
            report.push(Notice::noted(text).about(about.clone()).next(next));
        }
        let own = |one: &&str| *one == word || folded(one) == folded(word);
        let names = file.classes.iter().map(String::as_str);
        let rule = match class.asked() {
            None => Rule::One,
            Some(_) if by_file => Rule::OfFile,
            Some(_) => match names.clone().any(|name| name == word) {
                true => Rule::Only(word.to_owned()),
                false if names.clone().any(|name| own(&name)) => Rule::Only(String::new()),
                false => Rule::One,
            },
        };
        let explicit = class.asked().is_none();
        let (boxes, said) = choose(image, &file, &rule, word, explicit);
        report.extend(said.into_iter().map(|notice| notice.about(about.clone())));
        let classes = match rule {
            Rule::OfFile => file.classes.clone(),
            Rule::Only(_) | Rule::One => vec![word.to_owned()],
        };
        Ok(ReadBoxes {
            boxes,
            report,
            classes,
            on_ground: false,
        })
    }

    /// An error for boxes that cannot be of this scene, or of which none is left.
    fn check_image(&self, path: &Path, format: Format, image: &LabeledImage) -> Result<()> {
        self.check_image_size(path, image)?;
        let small = |bounds: &BoundingBox| bounds.width() < 1.0 && bounds.height() < 1.0;
        if format != Format::Yolo
            && let Some(first) = image.boxes.first()
            && image.boxes.iter().all(|one| small(&one.bounds))
        {
            let BoundingBox {
                x_min,
                y_min,
                x_max,
                y_max,
            } = first.bounds;
            return Err(FormatError::NotPixels {
                path: path.to_owned(),
                boxes: image.boxes.len(),
                first: [x_min, y_min, x_max, y_max],
            }
            .into());
        }
        Ok(())
    }

    /// Refuses boxes of an image of another size.
    pub(crate) fn check_image_size(
        &self,
        path: &Path,
        image: &LabeledImage,
    ) -> Result<(), SceneError> {
        let size = self.raster().size();
        let (Some(width), Some(height)) = (image.width, image.height) else {
            return Ok(());
        };
        match (width, height) == (size.width, size.height) {
            true => Ok(()),
            false => Err(SceneError::BoxesOfAnotherImage {
                path: path.to_owned(),
                found: Size::new(width, height),
                scene: size,
            }),
        }
    }

    /// The bounding boxes of a vector file's polygons.
    fn boxes_of_vectors(&self, source: &VectorSource, class: &LabelClass) -> Result<ReadBoxes> {
        let path = source.path();
        let read = vector::read_classified(source, &self.raster().georeference(), class)?;
        let about = file_name(path);
        let mut report = read.report.report(path);
        let (features, mut nameless) = (read.features.len(), 0);
        let mut classes: Vec<String> = match (class.targets(), &read.property) {
            (Some(targets), _) => targets,
            (None, Some(_)) => read.counts().into_keys().collect(),
            (None, None) => vec![class.word().to_owned()],
        };
        if class.targets().is_none() {
            classes.sort();
        }
        let mut others: BTreeMap<String, usize> = BTreeMap::new();
        let mut boxes = Vec::with_capacity(features);
        let mut bent = 0;
        for (at, feature) in read.features.into_iter().enumerate() {
            if let Some(what) = read.unmatched.get(&at) {
                *others.entry(what.clone()).or_default() += 1;
                continue;
            }
            let name = match (&read.property, feature.class) {
                (None, Some(name)) => name,
                (Some(_), None) => {
                    nameless += 1;
                    continue;
                }
                (Some(_), Some(name)) => name,
                (None, _) => class.word().to_owned(),
            };
            if let Some(bounds) = around(&feature.geometry) {
                let stated = read.rotated.contains(&at);
                let outline = stated.then(|| four_corners(&feature.geometry)).flatten();
                bent += usize::from(stated && outline.is_none());
                let outline = outline.filter(|outline| !outline.is_upright());
                boxes.push(Named {
                    annotation: Annotation::new(bounds, 0).with_outline(outline),
                    class: name,
                });
            }
        }
        if bent > 0 {
            let text = format!(
                "features that the column {:?} calls rotated boxes and that have other than four corners on the scene: {bent} of \
                 {features} became the upright boxes around them",
                vector::ROTATED
            );
            report.push(
                Notice::converted(text)
                    .about(about.clone())
                    .count(bent)
                    .next("save them in the coordinate reference system of the scene"),
            );
        }
        if !others.is_empty() {
            if class.others == Others::Refused {
                return Err(SceneError::UnknownClasses {
                    path: path.to_owned(),
                    found: others,
                    classes,
                }
                .into());
            }
            let count: usize = others.values().sum();
            let text = format!(
                "{count} of {features} features {} were left out: {}",
                class.unmatched_words(),
                listed(&others)
            );
            report.push(Notice::left_out(text).about(about.clone()).count(count));
        }
        if let (Some(property), true) = (&read.property, features > 0 && nameless == features) {
            return Err(SceneError::NoValues {
                path: path.to_owned(),
                property: property.clone(),
                features,
            }
            .into());
        }
        if nameless > 0 {
            let text = format!("features without a class left out: {nameless} of {features}");
            let word = class.word();
            report.push(
                Notice::left_out(text)
                    .about(about.clone())
                    .count(nameless)
                    .next(format!(
                        "{} makes every feature of one class",
                        Step::OneClass { class: word }
                    )),
            );
        }
        if features == 0 {
            let text = "the file holds no features: the scene has no boxes";
            report.push(Notice::noted(text).about(about));
        }
        Ok(ReadBoxes {
            boxes,
            report,
            classes,
            on_ground: true,
        })
    }
}

/// The corners of a polygon that has four, and no holes.
fn four_corners(shape: &geo::MultiPolygon<f64>) -> Option<Quadrilateral> {
    let [part] = shape.0.as_slice() else {
        return None;
    };
    match part.exterior().0.as_slice() {
        [a, b, c, d, last] if a == last && part.interiors().is_empty() => {
            Some(Quadrilateral::new([a, b, c, d].map(geo::Coord::x_y)))
        }
        _ => None,
    }
}

/// The column of a table that a caller's word for the class names.
///
/// # Errors
/// As [`formats::csv::column_names`].
pub(super) fn class_column(
    path: &Path,
    format: Format,
    class: &LabelClass,
) -> Result<Option<String>, FormatError> {
    if format != Format::Table || class.asked().is_none() {
        return Ok(None);
    }
    let names = formats::csv::column_names(path)?;
    let word = folded(class.word());
    Ok(names.into_iter().find(|name| folded(name) == word))
}

/// Layers, systems, filters and whatever else is asked of their features are of vector files.
fn check_source(source: &VectorSource, class: &LabelClass) -> Result<(), SceneError> {
    let given = [
        ("layer", source.layer.is_some()),
        ("crs", source.crs.is_some()),
        ("filter", source.filter.is_some()),
        ("encoding", source.encoding.is_some()),
        ("buffer", source.buffer.is_some()),
        ("a table or rules for classes", class.targets().is_some()),
    ];
    let given: Vec<&str> = given
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(name, _)| name)
        .collect();
    match given.is_empty() {
        true => Ok(()),
        false => Err(SceneError::PixelBoxes {
            path: source.path().to_owned(),
            given: given.join(", "),
        }),
    }
}

/// The boxes of an image that a rule means, and what is to be said about the others.
fn choose(
    image: &LabeledImage,
    file: &BoxFile,
    rule: &Rule,
    word: &str,
    explicit: bool,
) -> (Vec<Named>, Vec<Notice>) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut boxes = Vec::with_capacity(image.boxes.len());
    let mut others: BTreeMap<String, usize> = BTreeMap::new();
    let mut nameless = 0;
    for one in &image.boxes {
        let class = match rule {
            Rule::OfFile if one.class.is_empty() && file.classes.is_empty() => word,
            Rule::OfFile if one.class.is_empty() => {
                nameless += 1;
                continue;
            }
            Rule::OfFile => &one.class,
            Rule::One => word,
            Rule::Only(exact) => {
                let meant = match exact.is_empty() {
                    true => folded(&one.class) == folded(word),
                    false => one.class == *exact,
                };
                if !meant {
                    *others.entry(one.class.clone()).or_default() += 1;
                    continue;
                }
                word
            }
        };
        if !one.class.is_empty() {
            *counts.entry(one.class.clone()).or_default() += 1;
        }
        boxes.push(Named {
            annotation: Annotation {
                bounds: one.bounds,
                class: 0,
                crowd: one.crowd,
                area: one.area,
                outline: one.outline,
            },
            class: class.to_owned(),
        });
    }
    let mut said = Vec::new();
    let all = image.boxes.len();
    if nameless > 0 {
        let text = format!("boxes without a class left out: {nameless} of {all}");
        let next = format!(
            "name their class in the file, or let {} make all boxes of one",
            Step::OneClass { class: word }
        );
        said.push(Notice::left_out(text).count(nameless).next(next));
    }
    if !others.is_empty() {
        let count: usize = others.values().sum();
        let text = format!(
            "{count} of {all} boxes are not of the class {word:?} and were left out: {}",
            listed(&others)
        );
        let next = format!(
            "`\"class\"` in place of {word:?} keeps all classes, {} makes all boxes of one",
            Step::OneClass { class: word }
        );
        said.push(Notice::left_out(text).count(count).next(next));
    }
    // Numbers without names are no classes that could be lost, unless there are several.
    let named = !file.unnamed_classes || counts.len() > 1;
    if matches!(rule, Rule::One) && !explicit && named && !counts.is_empty() {
        let text = format!(
            "all {all} boxes count as {word:?}, whatever the file calls them: {}",
            listed(&counts)
        );
        let next = format!(
            "`\"class\"` keeps the file's own classes; {} says that it is meant",
            Step::OneClass { class: word }
        );
        said.push(Notice::noted(text).count(all).next(next));
    }
    if matches!(rule, Rule::OfFile) && file.unnamed_classes && !counts.is_empty() {
        let text = format!(
            "nothing names the classes, so their numbers are their names: {}",
            listed(&counts)
        );
        let next = "`ReadOptions { class_names: Some(vec![…]), .. }` given to `.with_boxes_read` names them, and so does a \
                    `data.yaml` or `classes.txt` beside the labels of YOLO";
        said.push(Notice::assumed(text).next(next));
    }
    (boxes, said)
}

/// What a file of boxes left out and what else its reader met, but for the count of rotated boxes.
pub(crate) fn notices<'a>(file: &'a BoxFile, about: &'a str) -> impl Iterator<Item = Notice> + 'a {
    let kept: usize = file.images.iter().map(|image| image.boxes.len()).sum();
    let lost: usize = file.left_out.values().sum();
    let left_out = file.left_out.iter().map(move |(why, &count)| {
        let first = file.first_left_out.get(why);
        let first = first.map_or_else(String::new, |first| format!(", the first: {first}"));
        let text = format!("boxes {why}: {count} of {} in the file{first}", kept + lost);
        Notice::left_out(text)
            .about(about)
            .count(count)
            .next("correct them in the labeling program where they should count")
    });
    // How many of the rotated boxes are used is known by who uses them: see [`rotated`].
    let remarks = file.remarks.iter().filter(|remark| !remark.of_rotated);
    left_out.chain(remarks.map(move |remark| noticed(remark).about(about)))
}

/// What is to be said about rotated boxes among those that are used; `None` without any.
pub(crate) fn rotated<'a>(
    boxes: impl Iterator<Item = &'a Annotation>,
    about: &str,
) -> Option<Notice> {
    let count = boxes.filter(|one| one.outline.is_some()).count();
    (count > 0).then(|| noticed(&Remark::of_rotated(count)).about(about))
}

fn noticed(remark: &Remark) -> Notice {
    let kind = match remark.kind {
        RemarkKind::Assumed => NoticeKind::Assumed,
        RemarkKind::Repaired => NoticeKind::Repaired,
        RemarkKind::Converted => NoticeKind::Converted,
        _ => NoticeKind::Noted,
    };
    let mut notice = Notice::new(kind, remark.text.clone());
    if let Some(count) = remark.count {
        notice = notice.count(count);
    }
    match &remark.next {
        Some(next) => notice.next(next.clone()),
        None => notice,
    }
}

/// Whether a class name stands for what is no object, in whatever spelling programs have it.
pub(crate) fn is_background(name: &str) -> bool {
    folded(name).trim_matches('_') == BACKGROUND
}

/// No object is of the background, which is index 0 of all classes: boxes that a file calls so are left out, unless the
/// caller has named such a class.
fn leave_out_background(read: &mut ReadBoxes, asked: Option<&Classes>, path: &Path) {
    let meant =
        |name: &str| asked.is_some_and(|asked| asked.index_of(name).is_some_and(|index| index > 0));
    let all = read.boxes.len();
    let mut called = None;
    read.boxes.retain(|one| {
        let out = is_background(&one.class) && !meant(&one.class);
        if out {
            called.get_or_insert_with(|| one.class.clone());
        }
        !out
    });
    read.classes.retain(|name| !is_background(name));
    let count = all - read.boxes.len();
    if let Some(called) = called {
        let text = format!(
            "{count} of {all} boxes are of the class {called:?} and were left out: the background is class 0 of every model, \
             which no object is of"
        );
        let next =
            "rename the class in the file, to \"other\" for example, if its boxes are objects";
        read.report.push(
            Notice::left_out(text)
                .about(file_name(path))
                .count(count)
                .next(next),
        );
    }
}

/// Whether the file is one of those that hold boxes in pixels, even if it is not read.
pub(crate) fn is_box_file(path: &Path) -> bool {
    match formats::format_of(path) {
        Ok(format) => format.is_some(),
        Err(error) => matches!(error, FormatError::OtherFormat { .. }),
    }
}
