//! Reading saved boxes back.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use geo::Area as _;

use super::DetectError;
use super::{SceneBoxes, searched};
use crate::Result;
use crate::boxes::formats::{FormatError, coco};
use crate::boxes::{BoundingBox, Detection};
use crate::labels::Classes;
use crate::paths::expanded;
use crate::report::{Notice, Report, file_name};
use crate::scene::{Scene, around, bounds_of, is_box_file};
use crate::vector::{property_names, read_values};

/// The files that stand for a folder of saved boxes, the one that says most of them first.
pub(crate) const SAVED: [&str; 3] = ["boxes.gpkg", "boxes.geojson", "detections.json"];

/// What [`SceneBoxes::save`] calls the properties of a box.
const CLASS: &str = "class";
const SCORE: &str = "score";

impl SceneBoxes {
    /// Reads boxes that [`SceneBoxes::save`] wrote for this scene, so that another threshold, scores and pictures need no
    /// second search: `boxes.gpkg`, `boxes.geojson`, or the COCO results of one image, `detections.json`; of their folder, the
    /// first of these that is there. Vector files of
    /// other programs are read, too, when every box has the properties `class` and `score`, in any coordinate reference
    /// system; of shapes that are no upright rectangles in pixels, the bounding boxes are taken.
    ///
    /// The classes are those of the scene's labels, or, for a scene without any, those that occur in the file, in
    /// alphabetical order; COCO's category ids are places among the scene's classes, background 0. All boxes count to
    /// begin with: the threshold is the lowest score in the file. What was not saved, since it was below the threshold
    /// then, is missing here, also for average precision.
    ///
    /// What was searched is in the file `searched.json` beside the boxes: labels elsewhere count for nothing in scores. Without
    /// that file the area in use of the scene stands for it, and the report says so. The pixels of COCO results are those of
    /// the raster that was searched: where that file says that it had another pixel size, they are brought to the scene's, which
    /// the report says, too. Boxes whose middle lies outside the area
    /// in use are left out, and so are broken ones, which [`SceneBoxes::report`] counts.
    /// Places come back to the last digits of the numbers; from GeoJSON, which is written to a millimeter, as exactly as
    /// that.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("forest.tif")?.with_boxes("crowns.xml", "tree")?;
    /// let trees = SceneBoxes::open("trees/boxes.gpkg", &scene)?;
    /// println!("{} sure ones", trees.threshold(0.6).len());
    /// session::display(&trees.evaluate(&scene)?);
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`DetectError::NoScores`] for files of labels and boxes without scores; [`DetectError::UnknownClass`],
    /// [`DetectError::NamelessClasses`]; [`DetectError::BoxesElsewhere`] when none lies on the scene; [`DetectError::NoFiles`] for a
    /// folder without saved boxes;
    /// [`crate::vector::VectorError`] and [`FormatError`] for files that are missing, damaged or something else. A file
    /// without any box is none.
    #[doc(alias = "read_file")]
    #[doc(alias = "load")]
    #[doc(alias = "read")]
    #[doc(alias = "from_file")]
    pub fn open(path: impl AsRef<Path>, scene: &Scene) -> Result<Self> {
        open(&expanded(path.as_ref()), scene, None)
    }

    /// [`SceneBoxes::open`] with classes in this order, such as those of the model that found the boxes.
    ///
    /// ```no_run
    /// use swath::prelude::*;
    /// let scene = Scene::open("forest.tif")?;
    /// let model = Detector::load("trees.swath")?;
    /// let trees = SceneBoxes::open_with_classes("trees/detections.json", &scene, model.classes())?;
    /// # Ok::<(), swath::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`SceneBoxes::open`].
    pub fn open_with_classes(
        path: impl AsRef<Path>,
        scene: &Scene,
        classes: impl Into<Classes>,
    ) -> Result<Self> {
        open(&expanded(path.as_ref()), scene, Some(classes.into()))
    }
}

/// The names of the classes of saved boxes, in alphabetical order; `None` for COCO results, which number them.
pub(crate) fn saved_class_names(path: &Path, scene: &Scene) -> Result<Option<BTreeSet<String>>> {
    if begins_as_list(path)? {
        return Ok(None);
    }
    Ok(Some(names_of(&saved(path, scene)?.boxes)))
}

/// What a file of saved boxes holds.
struct SavedFile {
    boxes: Vec<Saved>,
    /// How many of them are boxes around shapes that are no upright rectangles.
    shapes: usize,
    /// Whether they are in pixels of what was searched, not on the ground.
    in_pixels: bool,
    /// What reading met.
    report: Report,
}

/// A box as its file has it.
struct Saved {
    bounds: BoundingBox,
    class: SavedClass,
    score: f32,
}

enum SavedClass {
    Name(String),
    Number(usize),
}

fn names_of(boxes: &[Saved]) -> BTreeSet<String> {
    let name = |one: &Saved| match &one.class {
        SavedClass::Name(name) => Some(name.clone()),
        SavedClass::Number(_) => None,
    };
    let names = boxes.iter().filter_map(name);
    names.filter(|name| !name.is_empty()).collect()
}

/// The file that is meant by the folder that boxes were saved into.
///
/// # Errors
/// [`DetectError::NoFiles`].
fn file_of(path: &Path) -> Result<PathBuf, DetectError> {
    let is_one = |ending: &str| path.extension().is_some_and(|own| own == ending);
    // Some vector formats are folders.
    if !path.is_dir() || ["gdb", "parquet"].into_iter().any(is_one) {
        return Ok(path.to_owned());
    }
    let file_in = |folder: &Path| {
        let mut files = SAVED.iter().map(|name| folder.join(name));
        files.find(|file| file.is_file())
    };
    file_in(path).ok_or_else(|| {
        let entries = std::fs::read_dir(path).into_iter().flatten();
        let mut below: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|folder| folder.is_dir() && file_in(folder).is_some())
            .collect();
        below.sort();
        DetectError::NoFiles {
            path: path.to_owned(),
            below,
        }
    })
}

fn open(path: &Path, scene: &Scene, classes: Option<Classes>) -> Result<SceneBoxes> {
    let path = &*file_of(path)?;
    let SavedFile {
        mut boxes,
        shapes,
        in_pixels,
        mut report,
    } = saved(path, scene)?;
    let count = boxes.len();
    if let Some(moved) = searched::pixels_to(path, scene).filter(|_| in_pixels) {
        boxes
            .iter_mut()
            .for_each(|one| one.bounds = moved.bounds(&one.bounds));
        let text = format!(
            "boxes in pixels of {}, in which the scene was searched: brought to those of the scene, which has {}",
            moved.size,
            scene.raster().size()
        );
        report.push(Notice::converted(text).about(file_name(path)).count(count));
    }
    let raster = bounds_of(&scene.raster().full());
    let on_scene = |one: &Saved| one.bounds.intersection(&raster).is_some();
    if !boxes.is_empty() && !boxes.iter().any(on_scene) {
        return Err(DetectError::BoxesElsewhere {
            path: path.to_owned(),
            boxes: boxes.len(),
            scene: scene.raster().size(),
        }
        .into());
    }
    let classes = match classes {
        Some(classes) => classes,
        None if scene.classes().len() > 1 => scene.classes().clone(),
        None => Classes::new(names_of(&boxes)),
    };
    if classes.len() < 2 && !boxes.is_empty() {
        let path = path.to_owned();
        return Err(DetectError::NamelessClasses { path }.into());
    }
    let (area, within, assumed) = searched::read(path, scene);
    let used = bounds_of(&scene.area());
    let all = boxes.len();
    let mut detections = Vec::with_capacity(all);
    for one in boxes {
        let (index, found) = match one.class {
            SavedClass::Name(name) => (classes.index_of(&name), name),
            SavedClass::Number(number) => (
                (number < classes.len()).then_some(number),
                number.to_string(),
            ),
        };
        let class = index.filter(|&index| index > 0).ok_or_else(|| {
            let names = classes.names().into_iter().skip(1);
            DetectError::UnknownClass {
                path: path.to_owned(),
                found,
                classes: names.map(str::to_owned).collect(),
            }
        })?;
        let (x, y) = one.bounds.center();
        if used.contains(x, y) {
            detections.push(Detection::new(one.bounds, class, one.score));
        }
    }
    let outside = all - detections.len();
    if outside > 0 {
        let text = format!("boxes whose middle lies outside the area in use: {outside} of {all}");
        report.push(Notice::left_out(text).about(file_name(path)).count(outside));
    }
    let lowest = detections.iter().map(|found| found.score);
    let threshold = lowest.reduce(f32::min).unwrap_or_default();
    if let Some(assumed) = assumed {
        report.push(assumed);
    }
    if shapes > 0 {
        let text = format!(
            "{shapes} of {count} shapes are no upright rectangles: the boxes around them are taken"
        );
        report.push(
            Notice::assumed(text)
                .about(file_name(path))
                .count(shapes)
                .next("areas of a map are scored by its labels.tif"),
        );
    }
    let found = SceneBoxes::new(detections, threshold, classes, scene.clone(), area);
    Ok(found.searched_in(within).with_report(report))
}

fn saved(path: &Path, scene: &Scene) -> Result<SavedFile> {
    if begins_as_list(path)? {
        return of_results(path);
    }
    if path.is_file() && is_box_file(path) {
        return Err(without_scores(path, "this is a file of labels".to_owned()));
    }
    of_vectors(path, scene)
}

/// Whether a file is a JSON list, as COCO results are; GeoJSON and labels are objects.
fn begins_as_list(path: &Path) -> Result<bool> {
    // GDAL opens more than files, and says what is missing.
    let Ok(mut file) = std::fs::File::open(path) else {
        return Ok(false);
    };
    let mut start = [0_u8; 64];
    let read = file.read(&mut start).map_err(|source| FormatError::Io {
        path: path.to_owned(),
        doing: "read",
        source,
    })?;
    let text = start[..read]
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&start[..read]);
    Ok(text.trim_ascii_start().first() == Some(&b'['))
}

/// The results of one image, in pixels.
fn of_results(path: &Path) -> Result<SavedFile> {
    let coco::Results {
        mut images,
        left_out,
        first_left_out,
    } = coco::read_results(path)?;
    if images.len() > 1 {
        return Err(DetectError::SeveralImages {
            path: path.to_owned(),
            images: images.len(),
        }
        .into());
    }
    let found = images.pop().map(|(_, found)| found).unwrap_or_default();
    let saved = |found: Detection| Saved {
        bounds: found.bounds,
        class: SavedClass::Number(found.class),
        score: found.score,
    };
    let found: Vec<Saved> = found.into_iter().map(saved).collect();
    let all = found.len() + left_out.values().sum::<usize>();
    let mut report = Report::new();
    for (why, count) in left_out {
        let first = first_left_out.get(why).map_or("", String::as_str);
        let text = format!("boxes {why}: {count} of {all} in the file, the first: {first}");
        report.push(Notice::left_out(text).about(file_name(path)).count(count));
    }
    Ok(SavedFile {
        boxes: found,
        shapes: 0,
        in_pixels: true,
        report,
    })
}

/// From this part of the area of its bounding box on a shape is a rectangle: those in longitude and latitude are a little
/// turned in pixels.
const RECTANGLE: f64 = 0.95;

/// The boxes around a vector file's polygons, in the scene's pixels.
fn of_vectors(path: &Path, scene: &Scene) -> Result<SavedFile> {
    let names = property_names(path)?;
    let has = |name: &str| names.iter().any(|other| other == name);
    // A file without features may have no properties either.
    let asked: &[&str] = if has(SCORE) { &[SCORE, CLASS] } else { &[] };
    let (features, report) = read_values(&path.into(), &scene.raster().georeference(), asked)?;
    if features.is_empty() && report.features > 0 {
        return Err(DetectError::NoSavedBoxes {
            path: path.to_owned(),
            features: report.features,
            reasons: report.notice().unwrap_or_default(),
        }
        .into());
    }
    if asked.is_empty() && !features.is_empty() {
        let names = names.join(", ");
        let found = format!("their properties are: {names}");
        return Err(without_scores(path, found));
    }
    let (count, mut scoreless, mut shapes) = (features.len(), 0, 0);
    let mut boxes = Vec::with_capacity(count);
    for (shape, mut values) in features {
        let class = values.pop().flatten().unwrap_or_default();
        let score = values.pop().flatten();
        let score = score.and_then(|text| text.trim().parse::<f32>().ok());
        let Some(score) = score.filter(|score| score.is_finite()) else {
            scoreless += 1;
            continue;
        };
        if let Some(bounds) = around(&shape) {
            shapes += usize::from(shape.unsigned_area() < RECTANGLE * bounds.area());
            let class = SavedClass::Name(class);
            boxes.push(Saved {
                bounds,
                class,
                score,
            });
        }
    }
    if scoreless > 0 && scoreless == count {
        let found = format!("{scoreless} of {count} have none that is a number");
        return Err(without_scores(path, found));
    }
    let flat = count - scoreless - boxes.len();
    let mut report = report.report(path);
    for (lost, why) in [
        (scoreless, "without a score that is a number"),
        (flat, "without width or height on the scene"),
    ] {
        if lost > 0 {
            let text = format!("boxes {why}: {lost} of {count}");
            report.push(Notice::left_out(text).about(file_name(path)).count(lost));
        }
    }
    Ok(SavedFile {
        boxes,
        shapes,
        in_pixels: false,
        report,
    })
}

fn without_scores(path: &Path, found: String) -> crate::Error {
    DetectError::NoScores {
        path: path.to_owned(),
        found,
    }
    .into()
}
