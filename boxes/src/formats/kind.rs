//! Which format a label file is of, by what it holds and not by its name alone.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::text::{Text, picture, text_of};
use super::{FormatError, csv, dota, json};

/// A format of boxes that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// COCO: JSON with `images`, `annotations`, `categories`.
    Coco,
    /// labelme: JSON with `shapes`, a file an image.
    LabelMe,
    /// Pascal VOC: XML with the root `annotation`, a file an image.
    PascalVoc,
    /// CVAT for images 1.1: XML with the root `annotations`.
    Cvat,
    /// YOLO: text with a class number and shares of the image in each line.
    Yolo,
    /// DOTA: text with four corners, a class and a difficulty in each line.
    Dota,
    /// A table: CSV, or separated by semicolons or tabs.
    Table,
}

/// The format of a label file whose boxes are in pixels; `None` for everything that vector libraries read, such as GeoJSON,
/// shapefiles and GeoPackages. Files ending in `.json`, `.xml` and `.txt` are looked into.
///
/// ```
/// use swath_boxes::formats::{Format, format_of};
/// let path = std::env::temp_dir().join("swath-format-of.json");
/// std::fs::write(&path, r#"{"images": [], "annotations": [], "categories": []}"#)?;
/// assert_eq!(format_of(&path)?, Some(Format::Coco));
/// assert_eq!(format_of("trees.geojson")?, None);
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`FormatError::Folder`], [`FormatError::Image`] and [`FormatError::NotText`] for what is no label file;
/// [`FormatError::OtherFormat`] for formats that are known by name only, with the way to convert them;
/// [`FormatError::UnknownJson`], [`FormatError::Json`]; [`FormatError::Io`].
pub fn format_of(path: impl AsRef<Path>) -> Result<Option<Format>, FormatError> {
    let path = path.as_ref();
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let extension = extension.to_lowercase();
    // Some vector formats are folders.
    if path.is_dir() && !["gdb", "parquet"].contains(&extension.as_str()) {
        return Err(FormatError::Folder {
            path: path.to_owned(),
        });
    }
    let name = path.to_string_lossy();
    if name.contains(['*', '?']) && !path.exists() && !name.contains("://") {
        return Err(FormatError::Pattern {
            path: path.to_owned(),
        });
    }
    let other = |format, way| {
        Err(FormatError::OtherFormat {
            path: path.to_owned(),
            format,
            way,
        })
    };
    match extension.as_str() {
        "xml" => Ok(of_xml(&text_of(path)?.text)),
        "json" => of_json(path, &text_of(path)?),
        "txt" => of_text(path, &text_of(path)?.text),
        "csv" | "tsv" => Ok(Some(Format::Table)),
        "names" | "yaml" | "yml" | "data" => other(
            "a file of class names or settings",
            "give the label file itself, such as a `.txt` of YOLO: a `data.yaml`, `classes.txt` or `obj.names` beside it or \
             above it is found",
        ),
        "xls" | "xlsx" | "ods" => other(
            "a spreadsheet",
            "save the sheet as CSV with the columns `image_path,xmin,ymin,xmax,ymax,label`",
        ),
        "npz" | "npy" | "pkl" | "mat" | "tfrecord" | "record" => other(
            "an archive of arrays",
            "write its boxes to CSV with the columns `image_path,xmin,ymin,xmax,ymax,label`",
        ),
        _ => match start_of(path).as_deref().and_then(picture) {
            Some(kind) => Err(FormatError::Image {
                path: path.to_owned(),
                kind,
            }),
            None => Ok(None),
        },
    }
}

/// The first bytes of a file that can be opened; vector libraries open more than files.
fn start_of(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let file = std::fs::File::open(path).ok()?;
    file.take(16).read_to_end(&mut start).ok()?;
    Some(start)
}

/// By the outermost element; GML and KML are vector files.
fn of_xml(text: &str) -> Option<Format> {
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end..]);
            continue;
        }
        if rest.starts_with(['?', '!']) {
            continue;
        }
        let end = rest.find(|letter: char| letter.is_whitespace() || "/>".contains(letter));
        let name = &rest[..end.unwrap_or(rest.len())];
        let local = name.rsplit(':').next().unwrap_or(name);
        return match local {
            "annotations" => Some(Format::Cvat),
            "FeatureCollection" | "kml" | "gpx" | "osm" => None,
            _ => Some(Format::PascalVoc),
        };
    }
    Some(Format::PascalVoc)
}

/// The keys of JSON, without its values.
#[derive(Debug, Default)]
struct Outline {
    /// The outermost keys; empty for a list.
    keys: Vec<String>,
    /// The value of `type`.
    kind: Option<String>,
    /// The keys of the first value, or of the first entry of a list.
    first: Vec<String>,
    list: bool,
}

struct OutlineVisitor;

impl<'de> Visitor<'de> for OutlineVisitor {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut outline = Outline::default();
        while let Some(key) = map.next_key::<String>()? {
            if key == "type" {
                outline.kind = map.next_value::<Word>()?.0;
            } else if outline.keys.is_empty() {
                outline.first = map.next_value::<Keys>()?.0;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            outline.keys.push(key);
        }
        Ok(outline)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Outline, A::Error> {
        let first = list.next_element::<Keys>()?.unwrap_or_default().0;
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Outline {
            first,
            list: true,
            ..Outline::default()
        })
    }
}

impl<'de> Deserialize<'de> for Outline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OutlineVisitor)
    }
}

/// The keys of an object; none of anything else. Nothing else is kept: the value may be a list of a million boxes.
#[derive(Default)]
struct Keys(Vec<String>);

struct KeysVisitor;

impl<'de> Visitor<'de> for KeysVisitor {
    type Value = Keys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            map.next_value::<IgnoredAny>()?;
            keys.push(key);
        }
        Ok(Keys(keys))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Keys, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Keys::default())
    }

    fn visit_bool<E>(self, _: bool) -> Result<Keys, E> {
        Ok(Keys::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Keys, E> {
        Ok(Keys::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Keys, E> {
        Ok(Keys::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Keys, E> {
        Ok(Keys::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Keys, E> {
        Ok(Keys::default())
    }

    fn visit_unit<E>(self) -> Result<Keys, E> {
        Ok(Keys::default())
    }
}

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KeysVisitor)
    }
}

/// A text; `None` for anything else.
struct Word(Option<String>);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().map(str::to_owned)))
    }
}

/// What GeoJSON and TopoJSON call their outermost objects.
const VECTOR_TYPES: [&str; 10] = [
    "FeatureCollection",
    "Feature",
    "Topology",
    "GeometryCollection",
    "Point",
    "MultiPoint",
    "LineString",
    "MultiLineString",
    "Polygon",
    "MultiPolygon",
];

const EXPORT: &str = "export the boxes from that program as COCO JSON or Pascal VOC";

fn of_json(path: &Path, text: &Text) -> Result<Option<Format>, FormatError> {
    let outline: Outline = match json::parse(&text.text) {
        Ok((outline, _)) => outline,
        // GeoJSON in lines, a feature each.
        Err(_) if in_lines(&text.text) => return Ok(None),
        Err(source) => {
            return Err(FormatError::Json {
                path: path.to_owned(),
                format: "COCO",
                source,
            });
        }
    };
    let Outline {
        keys, kind, first, ..
    } = &outline;
    let has = |names: &[&str]| names.iter().all(|name| keys.iter().any(|key| key == name));
    let first_has = |names: &[&str]| names.iter().all(|name| first.iter().any(|key| key == name));
    if kind
        .as_deref()
        .is_some_and(|kind| VECTOR_TYPES.contains(&kind))
        || has(&["features", "geometryType"])
        || has(&["features", "fields"])
    {
        return Ok(None);
    }
    let foreign: Option<(&'static str, &'static str)> = if outline.list {
        match () {
            () if first_has(&["image_id", "category_id"]) => Some((
                "a list of COCO results, which are detections and not labels",
                "`SceneBoxes::open(path, &scene)` reads detections; labels are one object with `images`, `annotations` and \
                 `categories`",
            )),
            () if first_has(&["data"]) && !first_has(&["bbox"]) => {
                Some(("Label Studio's own JSON", EXPORT))
            }
            () if first_has(&["External ID"]) || first_has(&["data_row"]) => {
                Some(("Labelbox's JSON", EXPORT))
            }
            () if first_has(&["image", "annotations"]) => Some(("Create ML's JSON", EXPORT)),
            () => None,
        }
    } else {
        match () {
            () if has(&["shapes"]) => return Ok(Some(Format::LabelMe)),
            () if has(&["_via_img_metadata"]) || first_has(&["regions", "filename"]) => {
                Some(("the VGG image annotator's (VIA) own JSON", EXPORT))
            }
            () if has(&["asset", "regions"])
                || has(&["frames", "visitedFrames"])
                || has(&["assets", "tags"]) =>
            {
                Some(("VoTT's own JSON", EXPORT))
            }
            () if has(&["item", "annotations"]) => Some(("V7 Darwin's JSON", EXPORT)),
            () if has(&["objects", "size"]) => Some(("Supervisely's JSON", EXPORT)),
            () if has(&["data", "annotations"]) => Some(("Label Studio's own JSON", EXPORT)),
            () if has(&["annotations"]) || has(&["annotation"]) || has(&["images"]) => {
                return Ok(Some(Format::Coco));
            }
            () => None,
        }
    };
    if let Some((format, way)) = foreign {
        return Err(FormatError::OtherFormat {
            path: path.to_owned(),
            format,
            way,
        });
    }
    let found = match (outline.list, keys.is_empty()) {
        (true, _) if first.is_empty() => "a list without objects".to_owned(),
        (true, _) => format!("a list of objects with {}", first.join(", ")),
        (false, true) => "nothing".to_owned(),
        (false, false) => keys.iter().take(8).cloned().collect::<Vec<_>>().join(", "),
    };
    Err(FormatError::UnknownJson {
        path: path.to_owned(),
        found,
    })
}

/// Whether each line is a GeoJSON feature of its own.
fn in_lines(text: &str) -> bool {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let feature = |line: &str| {
        json::parse::<Outline>(line.trim_start_matches('\u{1e}'))
            .is_ok_and(|(outline, _)| outline.kind.as_deref() == Some("Feature"))
    };
    lines.next().is_some_and(feature) && lines.next().is_none_or(feature)
}

/// DOTA and tables are known by their lines; other text is YOLO.
fn of_text(path: &Path, text: &str) -> Result<Option<Format>, FormatError> {
    if dota::is_dota(text) {
        return Ok(Some(Format::Dota));
    }
    if csv::has_header(text) {
        return Ok(Some(Format::Table));
    }
    let first = text.lines().find(|line| !line.trim().is_empty());
    let Some(first) = first else {
        return Ok(Some(Format::Yolo));
    };
    let words: Vec<&str> = first.split_whitespace().collect();
    let numbers = |words: &[&str]| {
        words
            .iter()
            .filter(|word| word.parse::<f64>().is_ok())
            .count()
    };
    let commas = first.split(',').count();
    let foreign = if words.len() == 15 && numbers(&words) == 14 && words[0].parse::<f64>().is_err()
    {
        Some("KITTI's text")
    } else if (words.len() == 10 || words.len() == 6)
        && numbers(&words[1..]) == words.len() - 1
        && words[0].parse::<f64>().is_err()
        && words[1]
            .parse::<f64>()
            .is_ok_and(|score| (0.0..=1.0).contains(&score))
    {
        Some("a list of detections, of DOTA or of Pascal VOC")
    } else if commas >= 8
        && first
            .split(',')
            .filter(|word| word.trim().parse::<f64>().is_ok())
            .count()
            >= 8
    {
        Some("a text of numbers between commas, as VisDrone and MOT have it")
    } else {
        None
    };
    match foreign {
        Some(format) => Err(FormatError::OtherFormat {
            path: path.to_owned(),
            format,
            way: "write it as CSV with the columns `image_path,xmin,ymin,xmax,ymax,label`, or export it as COCO JSON",
        }),
        None => Ok(Some(Format::Yolo)),
    }
}
