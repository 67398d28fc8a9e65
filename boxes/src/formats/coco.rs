//! COCO: one JSON file for many images; and the results that `pycocotools` scores.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{BoxFile, FormatError, LabelledBox, LabelledImage, accept, text_of, write_text};
use crate::{BoundingBox, Detection};

#[derive(Deserialize)]
struct File {
    images: Vec<Image>,
    annotations: Vec<Entry>,
    categories: Vec<Category>,
}

#[derive(Deserialize)]
struct Image {
    id: Value,
    #[serde(default)]
    file_name: String,
    width: Option<f64>,
    height: Option<f64>,
}

#[derive(Deserialize)]
struct Category {
    id: Value,
    name: String,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    id: Value,
    image_id: Value,
    category_id: Value,
    /// `null` stands for NaN, which JSON cannot write.
    #[serde(default)]
    bbox: Vec<Option<f64>>,
    #[serde(default)]
    segmentation: Value,
    #[serde(default)]
    iscrowd: Value,
    area: Option<f64>,
}

/// Reads all images of a file with their boxes; an annotation without `bbox` gets that of its polygons.
///
/// # Errors
/// [`FormatError::Json`] when it is no COCO file; [`FormatError::BrokenReference`] names the first annotation whose image
/// or category is not there, two images or categories of one id, and annotations without any box.
pub fn read(path: impl AsRef<Path>) -> Result<BoxFile, FormatError> {
    let path = path.as_ref();
    let file: File = serde_json::from_str(&text_of(path)?).map_err(|source| FormatError::Json {
        path: path.to_owned(),
        source,
    })?;
    let broken = |what: String| FormatError::BrokenReference {
        path: path.to_owned(),
        what,
    };
    let mut places = HashMap::new();
    let mut images = Vec::with_capacity(file.images.len());
    for image in file.images {
        let pixels = |side: Option<f64>| side.filter(|side| *side >= 1.0).map(|side| side as usize);
        if places.insert(image.id.to_string(), images.len()).is_some() {
            return Err(broken(format!("two images have the id {}", image.id)));
        }
        images.push(LabelledImage {
            file: image.file_name,
            width: pixels(image.width),
            height: pixels(image.height),
            boxes: Vec::new(),
        });
    }
    let mut categories = file.categories;
    categories.sort_by(|a, b| match (a.id.as_f64(), b.id.as_f64()) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.id.to_string().cmp(&b.id.to_string()),
    });
    let mut names: HashMap<String, &str> = HashMap::new();
    for category in &categories {
        if names
            .insert(category.id.to_string(), &category.name)
            .is_some()
        {
            return Err(broken(format!(
                "two categories have the id {}",
                category.id
            )));
        }
    }
    let mut left_out = BTreeMap::new();
    for entry in file.annotations {
        let id = &entry.id;
        let place = *places.get(&entry.image_id.to_string()).ok_or_else(|| {
            let (image, count) = (&entry.image_id, places.len());
            broken(format!(
                "annotation {id} is of image {image}, which is none of its {count} images"
            ))
        })?;
        let class = *names.get(&entry.category_id.to_string()).ok_or_else(|| {
            let ids: Vec<String> = categories
                .iter()
                .take(10)
                .map(|one| one.id.to_string())
                .collect();
            broken(format!(
                "annotation {id} is of category {}, which is none of its {}: {}",
                entry.category_id,
                categories.len(),
                ids.join(", ")
            ))
        })?;
        let bounds = match *entry.bbox.as_slice() {
            [x, y, width, height] => {
                let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
                BoundingBox::from_xywh(number(x), number(y), number(width), number(height))
            }
            [] => around(&entry.segmentation).ok_or_else(|| {
                broken(format!("annotation {id} has neither `bbox` nor polygons"))
            })?,
            ref others => {
                let count = others.len();
                return Err(broken(format!(
                    "the `bbox` of annotation {id} has {count} numbers instead of 4"
                )));
            }
        };
        if accept(&bounds, &mut left_out) {
            images[place].boxes.push(LabelledBox {
                bounds,
                class: class.to_owned(),
                crowd: entry.iscrowd == json!(1) || entry.iscrowd == json!(true),
                area: entry.area.filter(|area| area.is_finite() && *area > 0.0),
            });
        }
    }
    let mut classes: Vec<String> = Vec::new();
    for category in &categories {
        if !classes.contains(&category.name) {
            classes.push(category.name.clone());
        }
    }
    Ok(BoxFile {
        classes,
        images,
        left_out,
    })
}

/// The box around polygons, `[[x, y, x, y, …], …]`.
fn around(segmentation: &Value) -> Option<BoundingBox> {
    let rings = segmentation.as_array()?;
    let mut all: Option<BoundingBox> = None;
    for ring in rings {
        let numbers: Vec<f64> = ring
            .as_array()?
            .iter()
            .map(Value::as_f64)
            .collect::<Option<_>>()?;
        for point in numbers.chunks_exact(2) {
            let point = BoundingBox::new(point[0], point[1], point[0], point[1]);
            all = Some(all.map_or(point, |all| all.union(&point)));
        }
    }
    all
}

/// Writes a file of images, boxes and categories. Images and annotations are numbered from 1 in their order, categories
/// from 1 in the order of `classes`.
///
/// # Errors
/// [`FormatError::UnknownClass`] for a box of another class; [`FormatError::Io`].
pub fn write(
    path: impl AsRef<Path>,
    images: &[LabelledImage],
    classes: &[String],
) -> Result<(), FormatError> {
    let path = path.as_ref();
    let mut entries = Vec::new();
    for (image, labelled) in images.iter().enumerate() {
        for one in &labelled.boxes {
            let category = classes.iter().position(|name| *name == one.class);
            let category = category.ok_or_else(|| FormatError::UnknownClass {
                path: path.to_owned(),
                found: one.class.clone(),
                classes: classes.to_vec(),
            })?;
            entries.push(json!({
                "id": entries.len() + 1,
                "image_id": image + 1,
                "category_id": category + 1,
                "bbox": one.bounds.to_xywh(),
                "area": one.area.unwrap_or_else(|| one.bounds.area()),
                "iscrowd": u8::from(one.crowd),
            }));
        }
    }
    let numbered = images.iter().enumerate();
    let images: Vec<Value> = numbered
        .map(|(image, labelled)| {
            json!({
                "id": image + 1,
                "file_name": labelled.file,
                "width": labelled.width.unwrap_or(0),
                "height": labelled.height.unwrap_or(0),
            })
        })
        .collect();
    let categories: Vec<Value> = (1..)
        .zip(classes)
        .map(|(id, name): (usize, &String)| json!({ "id": id, "name": name }))
        .collect();
    let file = json!({ "images": images, "annotations": entries, "categories": categories });
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
            json!({
                "image_id": image,
                "category_id": one.class,
                "bbox": one.bounds.to_xywh(),
                "score": one.score,
            })
        })
        .collect();
    write_text(path.as_ref(), &Value::Array(results).to_string())
}

#[derive(Deserialize)]
struct ResultEntry {
    image_id: usize,
    category_id: usize,
    bbox: [f64; 4],
    score: f32,
}

/// Reads COCO results, as [`write_results`] and `pycocotools` write them: every image's id with its detections in the
/// file's order, ids rising. Boxes that are none are left out.
///
/// # Errors
/// [`FormatError::Results`] when it is no list of results with `image_id`, `category_id`, `bbox` and `score`, the ids whole
/// numbers; [`FormatError::Io`].
pub fn read_results(path: impl AsRef<Path>) -> Result<Vec<(usize, Vec<Detection>)>, FormatError> {
    let path = path.as_ref();
    let entries: Vec<ResultEntry> =
        serde_json::from_str(&text_of(path)?).map_err(|source| FormatError::Results {
            path: path.to_owned(),
            source,
        })?;
    let mut images: BTreeMap<usize, Vec<Detection>> = BTreeMap::new();
    for entry in entries {
        let [x, y, width, height] = entry.bbox;
        let found = images.entry(entry.image_id).or_default();
        let bounds = BoundingBox::from_xywh(x, y, width, height);
        if accept(&bounds, &mut BTreeMap::new()) {
            found.push(Detection::new(bounds, entry.category_id, entry.score));
        }
    }
    Ok(images.into_iter().collect())
}
