//! One annotation of COCO, as odd as converters write it.

use serde::Deserialize;
use serde_json::Value;

use super::rle;
use crate::formats::json;
use crate::formats::remark::fault;
use crate::formats::shape::{around, four_corners, pairs};
use crate::{BoundingBox, Quadrilateral};

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
    #[serde(default)]
    attributes: Value,
}

/// A reason to leave an annotation out, for the count and in full.
type Fault = (&'static str, String);

/// Where an annotation lies.
pub(super) struct Place {
    pub(super) bounds: BoundingBox,
    /// The corners of a rotated box.
    pub(super) outline: Option<Quadrilateral>,
    /// The shape that `bounds` was taken around where the file gives no box.
    pub(super) shape: Option<&'static str>,
    /// Whether the file does not say what its numbers mean.
    pub(super) assumed: bool,
}

impl Place {
    fn upright(bounds: BoundingBox) -> Self {
        Self {
            bounds,
            outline: None,
            shape: None,
            assumed: false,
        }
    }

    /// A box that is rotated, unless it is none before.
    fn turned(bounds: BoundingBox, degrees: f64) -> Self {
        if fault(&bounds).is_some() {
            return Self::upright(bounds);
        }
        let (x, y) = bounds.center();
        let (width, height) = (bounds.width(), bounds.height());
        Self::of(Quadrilateral::from_center(x, y, width, height, degrees))
    }

    fn of(outline: Quadrilateral) -> Self {
        Self {
            outline: Some(outline),
            ..Self::upright(outline.bounds())
        }
    }
}

impl Entry {
    pub(super) fn is_crowd(&self) -> bool {
        is_set(&self.iscrowd)
    }

    pub(super) fn is_ignored(&self) -> bool {
        is_set(&self.ignore)
    }

    /// The box, its corners where it is a rotated one, and the shape that it was taken around where the file gives none.
    pub(super) fn place(&self) -> Result<Place, Fault> {
        let bbox = match &self.bbox {
            Value::Array(numbers) if !numbers.is_empty() => numbers,
            Value::Null | Value::Array(_) => {
                let outline = self.stated();
                return self.around_shape().map(|place| Place { outline, ..place });
            }
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
            [x, y, width, height] => {
                let bounds = BoundingBox::from_xywh(x, y, width, height);
                if let Some(degrees) = self.rotation() {
                    return Ok(Place::turned(bounds, degrees));
                }
                Ok(Place {
                    outline: self.stated(),
                    ..Place::upright(bounds)
                })
            }
            // Four corners, as converters of DOTA write them.
            [a, b, c, d, e, f, g, h] => {
                let corners = [(a, b), (c, d), (e, f), (g, h)];
                Ok(Place::of(Quadrilateral::new(corners)))
            }
            [x, y, width, height, degrees] => {
                if let Some(outline) = self.four_corners() {
                    return Ok(Place::of(outline));
                }
                if let Ok(place) = self.around_shape() {
                    let shape = Some("the polygon of a rotated box");
                    return Ok(Place { shape, ..place });
                }
                let bounds = BoundingBox::from_center(x, y, width, height);
                // Detectron2's angles are counterclockwise.
                Ok(Place {
                    assumed: true,
                    ..Place::turned(bounds, -degrees)
                })
            }
            ref others => Err((
                "with a `bbox` of other than 4 numbers",
                format!("has {} numbers as `bbox` instead of 4", others.len()),
            )),
        }
    }

    /// The angle that CVAT's export says, in degrees clockwise.
    fn rotation(&self) -> Option<f64> {
        json::number(self.attributes.get("rotation")?).filter(|degrees| *degrees != 0.0)
    }

    /// The polygon of an annotation that says that it is the outline of a rotated box.
    fn stated(&self) -> Option<Quadrilateral> {
        let stated = self.attributes.get("rotated").is_some_and(is_set);
        let outline = self.four_corners().filter(|_| stated)?;
        outline.is_finite().then_some(outline)
    }

    /// The one polygon, where it has four corners.
    fn four_corners(&self) -> Option<Quadrilateral> {
        let rings = self.segmentation.as_array()?;
        let one = rings.len() == 1 || rings.first().is_some_and(Value::is_number);
        one.then(|| four_corners(&polygons(&self.segmentation)?))?
    }

    fn around_shape(&self) -> Result<Place, Fault> {
        let of_shape = |bounds, shape| Place {
            shape: Some(shape),
            ..Place::upright(bounds)
        };
        if self.segmentation.is_object() {
            return match rle::bounds(&self.segmentation) {
                Some(bounds) => Ok(of_shape(bounds, "run lengths")),
                None => Err((
                    "without a `bbox`, with run lengths that do not fit their size",
                    "has no `bbox`, and the run lengths of its `segmentation` do not fit their `size`".to_owned(),
                )),
            };
        }
        match polygons(&self.segmentation) {
            Some(points) if !points.is_empty() => Ok(of_shape(around(&points), "their polygons")),
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
