//! COCO: one JSON file for many images; and the results that `pycocotools` scores.

mod entry;
mod rle;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Value, json as value};

use super::json::Lenient;
use super::remark::{Gathered, Remark, RemarkKind, Traits, boxes, fault};
use super::text::{Text, text_from, text_of, write_text};
use super::{BoxFile, FormatError, LabeledBox, LabeledImage, json};
use crate::{BoundingBox, Detection};
use entry::{Entry, Place};

/// The lists of a file; `annotation` is what some converters call `annotations`.
#[derive(Deserialize)]
struct File {
    images: Option<Vec<Image>>,
    annotations: Option<Vec<Lenient<Entry>>>,
    annotation: Option<Vec<Lenient<Entry>>>,
    categories: Option<Vec<Category>>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    file_name: Value,
    #[serde(default)]
    filename: Value,
    #[serde(default)]
    width: Value,
    #[serde(default)]
    height: Value,
}

#[derive(Deserialize)]
struct Category {
    #[serde(default)]
    id: Value,
    #[serde(default)]
    name: Value,
}

/// Reads all images of a file with their boxes. An annotation without `bbox` gets that of its polygons or of its run
/// lengths, as `pycocotools` decodes them.
///
/// Rotated boxes keep their corners ([`LabeledBox::outline`]) where an annotation says that it is one: by a `bbox` of eight
/// numbers, the corners; by a `bbox` of five, whose corners are those of a polygon of four in `segmentation`, and otherwise
/// follow from Detectron2's center, width, height and angle in degrees counterclockwise, which is told; by `rotation` in
/// `attributes`, degrees clockwise about the center of `bbox`, as CVAT exports them; by `rotated` in `attributes`, as [`write()`]
/// does, for a polygon of four corners. A polygon of four corners alone says nothing of that kind.
///
/// `annotation` and `filename` are known as other names of `annotations` and
/// `file_name`; ids may be numbers or texts.
///
/// Annotations that nothing can be made of are left out and counted, as `pycocotools` passes over those of an image that is
/// not listed; when no box at all is left, that is an error. Categories are in the order of their ids, used or not; two of
/// one name are one class.
///
/// # Errors
/// [`FormatError::Json`] when it is no COCO file; [`FormatError::BrokenReference`] for two images or two categories of one
/// id, and when annotations are there but none can be used: it names the first and why.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    parsed(path, text_of(path)?)
}

/// [`read`] of bytes that come from elsewhere, such as out of an archive; errors name them as `path`.
///
/// ```
/// use swath_boxes::formats::coco;
/// let text = r#"{"images": [{"id": 1, "file_name": "a.png"}], "annotations": []}"#;
/// let file = coco::parse("chips.zip/labels.json", text.into())?;
/// assert_eq!(file.images[0].file, "a.png");
/// assert!(coco::parse("chips.zip/labels.json", Vec::new()).is_err_and(|error| error.to_string().contains("chips.zip")));
/// # Ok::<(), swath_boxes::formats::FormatError>(())
/// ```
///
/// # Errors
/// As [`read`].
pub fn parse(path: impl AsRef<Path>, bytes: Vec<u8>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    parsed(path, text_from(path, bytes)?)
}

fn parsed(path: &Path, Text { text, remark }: Text) -> Result<BoxFile, FormatError> {
    let not_coco = |source| FormatError::Json {
        path: path.to_owned(),
        format: "COCO",
        source,
    };
    let (file, with_nan): (File, bool) = json::parse(&text).map_err(not_coco)?;
    let broken = |what: String| FormatError::BrokenReference {
        path: path.to_owned(),
        what,
    };
    let mut gathered = Gathered::default();
    gathered.remarks.extend(remark);
    if with_nan {
        let what = "the file holds NaN or Infinity, which are read as missing numbers";
        gathered.remarks.push(Remark::new(RemarkKind::Noted, what));
    }
    let (Some(entries), Some(listed)) = (file.annotations.or(file.annotation), file.images) else {
        let what = "the lists `images` and `annotations` are expected";
        return Err(not_coco(serde_json::Error::custom(what)));
    };
    let mut images = Images::new(listed, entries.is_empty(), &mut gathered).map_err(broken)?;
    let categories = Categories::new(file.categories, &mut gathered).map_err(broken)?;
    let count = entries.len();
    let mut reader = Reader {
        images: &mut images,
        categories: &categories,
        gathered: &mut gathered,
        from_shape: BTreeMap::new(),
        first: None,
        ignored: 0,
        assumed: 0,
    };
    for (index, entry) in entries.into_iter().enumerate() {
        match entry {
            Lenient::Sound(entry) => reader.entry(index, &entry),
            Lenient::Other => reader.leave_out(
                None,
                "that are no objects with a `bbox`",
                format!("annotation number {} of the list is none", index + 1),
            ),
        }
    }
    let Reader {
        from_shape,
        first,
        ignored,
        assumed,
        ..
    } = reader;
    let kept: usize = images.all.iter().map(|image| image.boxes.len()).sum();
    if let (0, Some(first)) = (kept, first) {
        return Err(broken(format!(
            "none of its {count} annotations can be used: {first}"
        )));
    }
    for (shape, count) in from_shape {
        let text = format!("{} without `bbox` taken around {shape}", boxes(count));
        let remark = Remark::new(RemarkKind::Converted, text).count(count);
        gathered.remarks.push(remark);
    }
    if assumed > 0 {
        let text = format!(
            "{} of five numbers without a polygon, read as Detectron2 has them: center, width, height, and an angle in degrees \
             counterclockwise",
            boxes(assumed)
        );
        gathered.remarks.push(
            Remark::new(RemarkKind::Assumed, text)
                .count(assumed)
                .next("look at a picture of them; a `segmentation` polygon of the four corners says it beyond doubt"),
        );
    }
    if ignored > 0 {
        let text = format!(
            "{} marked `ignore` counted like the others, as pycocotools does",
            boxes(ignored)
        );
        gathered.remarks.push(
            Remark::new(RemarkKind::Noted, text)
                .count(ignored)
                .next("mark crowds with `iscrowd`, which is neither right nor wrong to find"),
        );
    }
    gathered.unnamed = categories.unnamed;
    // Without categories, the classes are the numbers that occur.
    let classes = (!categories.unnamed).then_some(categories.order);
    Ok(gathered.finish(images.all, classes))
}

/// The images, found by their ids.
struct Images {
    all: Vec<LabeledImage>,
    places: HashMap<String, usize>,
}

impl Images {
    fn new(listed: Vec<Image>, empty: bool, gathered: &mut Gathered) -> Result<Self, String> {
        let mut images = Self {
            all: Vec::with_capacity(listed.len()),
            places: HashMap::new(),
        };
        for image in listed {
            let file = json::word(&image.file_name).or_else(|| json::word(&image.filename));
            if let Some(id) = json::key(&image.id)
                && images.places.insert(id, images.all.len()).is_some()
            {
                return Err(format!("two images have the id {}", image.id));
            }
            images.all.push(LabeledImage {
                file: file.unwrap_or_default(),
                width: json::pixels(&image.width),
                height: json::pixels(&image.height),
                ..LabeledImage::default()
            });
        }
        if images.all.is_empty() && empty {
            gathered.remarks.push(
                Remark::new(
                    RemarkKind::Noted,
                    "the file lists no image and no annotation",
                )
                .next("check that it is the right file"),
            );
            images.all.push(LabeledImage::default());
        }
        Ok(images)
    }
}

/// The categories, found by their ids.
struct Categories {
    names: HashMap<String, String>,
    /// The names in the order of the ids.
    order: Vec<String>,
    /// Whether the file lists none.
    unnamed: bool,
}

impl Categories {
    fn new(listed: Option<Vec<Category>>, gathered: &mut Gathered) -> Result<Self, String> {
        let mut listed = listed.unwrap_or_default();
        listed.sort_by(|a, b| match (json::number(&a.id), json::number(&b.id)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => json::key(&a.id).cmp(&json::key(&b.id)),
        });
        let mut categories = Self {
            names: HashMap::new(),
            order: Vec::with_capacity(listed.len()),
            unnamed: listed.is_empty(),
        };
        let mut several: BTreeMap<String, usize> = BTreeMap::new();
        for category in listed {
            let Some(id) = json::key(&category.id) else {
                return Err(format!("the category {} has no id", category.name));
            };
            // A category without a name is called by its number.
            let name = json::key(&category.name).filter(|name| !name.is_empty());
            let name = name.unwrap_or_else(|| id.clone());
            match categories.names.insert(id, name.clone()) {
                Some(before) if before != name => {
                    return Err(format!("two categories have the id {}", category.id));
                }
                Some(_) => continue,
                None => {}
            }
            *several.entry(name.clone()).or_default() += 1;
            categories.order.push(name);
        }
        for (name, count) in several.into_iter().filter(|(_, count)| *count > 1) {
            let text = format!("{count} categories are called {name:?} and are one class");
            gathered.remarks.push(
                Remark::new(RemarkKind::Noted, text)
                    .next("give them names of their own where they differ"),
            );
        }
        Ok(categories)
    }
}

/// What the annotations add up to.
struct Reader<'a> {
    images: &'a mut Images,
    categories: &'a Categories,
    gathered: &'a mut Gathered,
    from_shape: BTreeMap<&'static str, usize>,
    /// The first annotation that cannot be used, and why.
    first: Option<String>,
    ignored: usize,
    /// Boxes of five numbers whose convention nothing says.
    assumed: usize,
}

impl Reader<'_> {
    fn entry(&mut self, index: usize, entry: &Entry) {
        let which = match json::key(&entry.id) {
            Some(id) => format!("annotation {id}"),
            None => format!("annotation number {} of the list", index + 1),
        };
        let place = match json::key(&entry.image_id) {
            Some(id) => self.images.places.get(&id).copied(),
            None => (self.images.all.len() == 1).then_some(0),
        };
        let Some(place) = place else {
            let (image, count) = (&entry.image_id, self.images.all.len());
            let why = format!("{which} is of image {image}, which is none of its {count} images");
            self.leave_out(None, "of an image that the file does not list", why);
            return;
        };
        let class = match json::key(&entry.category_id) {
            Some(id) if self.categories.unnamed => Some(id),
            Some(id) => self.categories.names.get(&id).cloned(),
            None => self.categories.unnamed.then(String::new),
        };
        let Some(class) = class else {
            let mut ids: Vec<&String> = self.categories.names.keys().collect();
            ids.sort_by_key(|id| (id.len(), (*id).clone()));
            let ids: Vec<&str> = ids.into_iter().take(10).map(String::as_str).collect();
            let why = format!(
                "{which} is of category {}, which is none of its {}: {}",
                entry.category_id,
                self.categories.names.len(),
                ids.join(", ")
            );
            self.leave_out(
                Some(place),
                "of a category that the file does not list",
                why,
            );
            return;
        };
        let Place {
            bounds,
            outline,
            shape,
            assumed,
        } = match entry.place() {
            Ok(found) => found,
            Err((why, detail)) => {
                let detail = format!("{which} {detail}");
                self.leave_out(Some(place), why, detail);
                return;
            }
        };
        let one = LabeledBox {
            bounds,
            class,
            crowd: entry.is_crowd(),
            area: json::number(&entry.area).filter(|area| area.is_finite() && *area > 0.0),
            outline: outline.filter(|outline| !outline.is_upright()),
        };
        let image = &mut self.images.all[place];
        if !self.gathered.add(image, one, Traits::default(), || which) {
            return;
        }
        if let Some(shape) = shape {
            *self.from_shape.entry(shape).or_default() += 1;
        }
        self.assumed += usize::from(assumed);
        self.ignored += usize::from(entry.is_ignored());
    }

    /// `detail` says which annotation it is, and what was found.
    fn leave_out(&mut self, place: Option<usize>, why: &'static str, detail: String) {
        if let Some(place) = place {
            self.images.all[place].left_out += 1;
        }
        self.gathered.leave_out(why, || detail.clone());
        self.first.get_or_insert(detail);
    }
}

/// What the `info` of a file says that [`write()`] has written.
pub const DESCRIPTION: &str = "Boxes saved by Swath";

/// Writes a file of images, boxes and categories. Images and annotations are numbered from 1 in their order, categories
/// from 1 in the order of `classes`. A rotated box has its corners as a polygon in `segmentation` beside the upright `bbox`,
/// and `"attributes": {"rotated": true}`, so that [`read`] knows it from any other polygon.
///
/// # Errors
/// [`FormatError::UnknownClass`] for a box of another class; [`FormatError::Io`].
pub fn write(
    path: impl AsRef<Path>,
    images: &[LabeledImage],
    classes: &[String],
) -> Result<(), FormatError> {
    let path = path.as_ref();
    let mut entries = Vec::new();
    for (image, labeled) in images.iter().enumerate() {
        for one in &labeled.boxes {
            let category = classes.iter().position(|name| *name == one.class);
            let category = category.ok_or_else(|| FormatError::UnknownClass {
                path: path.to_owned(),
                found: one.class.clone(),
                classes: classes.to_vec(),
            })?;
            let mut entry = value!({
                "id": entries.len() + 1,
                "image_id": image + 1,
                "category_id": category + 1,
                "bbox": one.bounds.to_xywh(),
                // By which sizes are scored: that of the upright box, unless the labels have one.
                "area": one.area.unwrap_or_else(|| one.bounds.area()),
                "iscrowd": u8::from(one.crowd),
            });
            if let Some(outline) = &one.outline {
                entry["segmentation"] = value!([outline.to_numbers()]);
                entry["attributes"] = value!({ "rotated": true });
            }
            entries.push(entry);
        }
    }
    let numbered = images.iter().enumerate();
    let images: Vec<Value> = numbered
        .map(|(image, labeled)| {
            value!({
                "id": image + 1,
                "file_name": labeled.file,
                "width": labeled.width.unwrap_or(0),
                "height": labeled.height.unwrap_or(0),
            })
        })
        .collect();
    let categories: Vec<Value> = (1..)
        .zip(classes)
        .map(|(id, name): (usize, &String)| value!({ "id": id, "name": name }))
        .collect();
    let info = value!({ "description": DESCRIPTION });
    let file = value!({ "info": info, "images": images, "annotations": entries, "categories": categories });
    write_text(path, &file.to_string())
}

/// Writes what was found in each image as COCO results, which `pycocotools`' `loadRes` reads: `images` pairs an image's id
/// with its detections, and the class's index is the category's id.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_results<'a>(
    path: impl AsRef<Path>,
    images: impl IntoIterator<Item = (usize, &'a [Detection])>,
) -> Result<(), FormatError> {
    let results: Vec<Value> = images
        .into_iter()
        .flat_map(|(image, found)| found.iter().map(move |one| (image, one)))
        .map(|(image, one)| {
            value!({
                "image_id": image,
                "category_id": one.class,
                "bbox": one.bounds.to_xywh(),
                "score": one.score,
            })
        })
        .collect();
    write_text(path.as_ref(), &Value::Array(results).to_string())
}

/// What a file of COCO results holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Results {
    /// Every image's id with its detections in the file's order, ids rising.
    pub images: Vec<(usize, Vec<Detection>)>,
    /// Entries that were left out, counted by reason.
    pub left_out: BTreeMap<&'static str, usize>,
    /// Where the first one of each reason is, and what was found.
    pub first_left_out: BTreeMap<&'static str, String>,
}

#[derive(Deserialize)]
struct ResultEntry {
    image_id: usize,
    category_id: usize,
    bbox: [f64; 4],
    score: f32,
}

/// Reads COCO results, as [`write_results`] and `pycocotools` write them. Entries that are no result, and boxes that are none,
/// are left out and counted.
///
/// # Errors
/// [`FormatError::Results`] when it is no list, or none of its entries has `image_id`, `category_id`, `bbox` and `score`, the
/// ids whole numbers; [`FormatError::Io`].
pub fn read_results(path: impl AsRef<Path>) -> Result<Results, FormatError> {
    let path = path.as_ref();
    let text = text_of(path)?.text;
    let (entries, broken) = result_entries(&text).map_err(|source| FormatError::Results {
        path: path.to_owned(),
        source,
    })?;
    let mut gathered = Gathered::default();
    for (index, what) in broken {
        let why = "that are no results of COCO";
        gathered.leave_out(why, || format!("number {index} of the list: {what}"));
    }
    let mut images: BTreeMap<usize, Vec<Detection>> = BTreeMap::new();
    for (index, entry) in entries {
        let [x, y, width, height] = entry.bbox;
        let found = images.entry(entry.image_id).or_default();
        let bounds = BoundingBox::from_xywh(x, y, width, height);
        match fault(&bounds) {
            None => found.push(Detection::new(bounds, entry.category_id, entry.score)),
            Some(why) => gathered.leave_out(why, || format!("number {index} of the list")),
        }
    }
    let counted = gathered.finish(Vec::new(), None);
    Ok(Results {
        images: images.into_iter().collect(),
        left_out: counted.left_out,
        first_left_out: counted.first_left_out,
    })
}

/// Entries with their numbers in the list, from 1.
type Numbered<T> = Vec<(usize, T)>;

/// The results of a list, and what is wrong with those that are none; the error of the list when all are.
fn result_entries(
    text: &str,
) -> Result<(Numbered<ResultEntry>, Numbered<String>), serde_json::Error> {
    let strict = match serde_json::from_str::<Vec<ResultEntry>>(text) {
        Ok(entries) => return Ok(((1..).zip(entries).collect(), Vec::new())),
        Err(error) => error,
    };
    let Ok((values, _)) = json::parse::<Vec<Value>>(text) else {
        return Err(strict);
    };
    let (mut sound, mut broken) = (Vec::new(), Vec::new());
    for (index, value) in (1..).zip(values) {
        match serde_json::from_value(value) {
            Ok(entry) => sound.push((index, entry)),
            Err(error) => broken.push((index, error.to_string())),
        }
    }
    match sound.is_empty() {
        true => Err(strict),
        false => Ok((sound, broken)),
    }
}
