//! One annotation of COCO, as odd as converters write it.

use serde::Deserialize;
use serde_json::Value;

use super::rle;
use crate::BoundingBox;
use crate::formats::json;
use crate::formats::shape::{around, pairs};

/// Everything may be missing or `null`; what is needed is looked for when it is.
#[derive(Deserialize)]
pub(super) struct Entry {
    #[serde(default)]
    pub(super) id: Value,
    #[serde(default)]
    pub(super) image_id: Value,
    #[serde(default)]
    pub(super) category_id: Value,
    #[serde(default)]
    bbox: Value,
    #[serde(default)]
    segmentation: Value,
    #[serde(default)]
    iscrowd: Value,
    #[serde(default)]
    ignore: Value,
    #[serde(default)]
    pub(super) area: Value,
}

/// A reason to leave an annotation out, for the count and in full.
type Fault = (&'static str, String);

impl Entry {
    pub(super) fn is_crowd(&self) -> bool {
        is_set(&self.iscrowd)
    }

    pub(super) fn is_ignored(&self) -> bool {
        is_set(&self.ignore)
    }

    /// The box, and the shape that it was taken around where the file gives none.
    pub(super) fn bounds(&self) -> Result<(BoundingBox, Option<&'static str>), Fault> {
        let bbox = match &self.bbox {
            Value::Array(numbers) if !numbers.is_empty() => numbers,
            Value::Null | Value::Array(_) => return self.around_shape(),
            other => {
                let found = format!(
                    "has the `bbox` {}",
                    crate::formats::text::shortened(&other.to_string())
                );
                return Err(("whose `bbox` is no list of numbers", found));
            }
        };
        // `null` stands for NaN, which JSON cannot write.
        let number = |value: &Value| match value {
            Value::Null => Some(f64::NAN),
            value => json::number(value),
        };
        let Some(numbers) = bbox.iter().map(number).collect::<Option<Vec<f64>>>() else {
            let found = "has a `bbox` with something else than numbers".to_owned();
            return Err(("whose `bbox` is no list of numbers", found));
        };
        match *numbers.as_slice() {
            [x, y, width, height] => Ok((BoundingBox::from_xywh(x, y, width, height), None)),
            // Four corners, as converters of DOTA write them.
            ref corners if corners.len() == 8 => {
                let points: Vec<(f64, f64)> = corners.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect();
                Ok((around(&points), Some("the four corners of a turned box")))
            }
            ref others if others.len() == 5 => match self.around_shape() {
                Ok((bounds, _)) => Ok((bounds, Some("the polygon of a turned box"))),
                Err(_) => Err((
                    "with a turned `bbox` of 5 numbers and no polygon",
                    "has a `bbox` of 5 numbers: a turned box with an angle, of which COCO does not say whether it is given by \
                     its corner or its middle; 4 numbers or a `segmentation` polygon are needed"
                        .to_owned(),
                )),
            },
            ref others => Err((
                "with a `bbox` of other than 4 numbers",
                format!("has {} numbers as `bbox` instead of 4", others.len()),
            )),
        }
    }

    fn around_shape(&self) -> Result<(BoundingBox, Option<&'static str>), Fault> {
        if self.segmentation.is_object() {
            return match rle::bounds(&self.segmentation) {
                Some(bounds) => Ok((bounds, Some("run lengths"))),
                None => Err((
                    "without a `bbox`, with run lengths that do not fit their size",
                    "has no `bbox`, and the run lengths of its `segmentation` do not fit their `size`".to_owned(),
                )),
            };
        }
        match polygons(&self.segmentation) {
            Some(points) if !points.is_empty() => {
                let bounds = around(&points);
                Ok((bounds, Some("their polygons")))
            }
            Some(_) => Err((
                "with neither a `bbox` nor a shape",
                "has neither `bbox` nor polygons".to_owned(),
            )),
            None => Err((
                "without a `bbox`, with a polygon that is no list of pairs",
                "has no `bbox`, and its polygon is no list of pairs of numbers".to_owned(),
            )),
        }
    }
}

/// `1`, `true`, `"1"`.
fn is_set(value: &Value) -> bool {
    matches!(value, Value::Bool(true)) || json::number(value).is_some_and(|number| number != 0.0)
}

/// All points of `[[x, y, x, y, …], …]`, of one ring without its list, or of rings of pairs `[[[x, y], …], …]`; none of
/// `null`.
fn polygons(segmentation: &Value) -> Option<Vec<(f64, f64)>> {
    let rings = match segmentation {
        Value::Null => return Some(Vec::new()),
        other => other.as_array()?,
    };
    let numbers = |ring: &[Value]| {
        let numbers = ring.iter().map(json::number);
        pairs(&numbers.collect::<Option<Vec<f64>>>()?)
    };
    if rings.first().is_some_and(Value::is_number) {
        return numbers(rings);
    }
    let mut points = Vec::new();
    for ring in rings {
        let ring = ring.as_array()?;
        if ring.first().is_some_and(Value::is_array) {
            for point in ring {
                points.extend(numbers(point.as_array()?)?);
            }
        } else {
            points.extend(numbers(ring)?);
        }
    }
    Some(points)
}
