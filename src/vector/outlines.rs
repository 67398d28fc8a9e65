//! Outlines as people draw them, instead of along the edges of pixels.

use geo::{Area, LineString, Polygon};

use super::right_angles::right_angled;
use super::{VectorError, geos};
use crate::report::{Notice, Report};

/// A right-angled outline covers the ground of the traced one at least this well (intersection over union); otherwise the
/// traced one stays. No square covers a disc better than 0.83.
const LEAST_IOU: f64 = 0.85;
/// By how many pixels a traced outline may be beside an edge: below 1.2 the staircases of slanted edges remain.
const TOLERANCE_PX: f64 = 1.3;
/// The shortest edge of a right-angled outline in pixels, and as a part of the square of the same area.
const SHORTEST_PX: f64 = 3.0;
const SHORTEST_PART: f64 = 0.25;

/// How the outlines of polygons are drawn, which are those of pixels otherwise.
///
/// | choice | unless set |
/// |---|---|
/// | [`Outlines::right_angles`] | false: outlines of buildings get right angles |
/// | [`Outlines::simplify_m`] | 0: the other outlines lose points by which they change less |
/// | [`Outlines::fill_holes_m2`] | 0: smaller holes are filled |
///
/// # Units
/// Meters and square meters on the ground; pixels where nobody knows the meter.
///
/// ```
/// use swath::prelude::*;
/// let options = SaveOptions::new().outlines(Outlines::new().right_angles(true).fill_holes_m2(4.0));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use]
pub struct Outlines {
    right_angles: bool,
    simplify_m: f64,
    fill_holes_m2: f64,
}

impl Outlines {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives outlines right angles where they have such a form: the main direction of their edges, weighted by the squares of their lengths; each
    /// edge snapped to it or to its orthogonal, at its own mean, so that areas stay; edges shorter than 3 pixels (and than a
    /// quarter of the square of the same area) are merged into their neighbors. What has no main direction, such as a round
    /// tank, what would cover other ground (an intersection over union with the traced outline below 0.85) or would not be
    /// valid stays as it was; the report counts both. Neighbors may overlap a little afterwards.
    ///
    /// # Source
    /// Duchêne and others, *Quantitative and qualitative description of building orientation*, 2003, for the direction; Sester,
    /// *Optimization approaches for generalization and data abstraction*, 2005, for removing short edges.
    #[doc(alias = "regularize")]
    #[doc(alias = "orthogonalize")]
    #[doc(alias = "building_regularization")]
    #[doc(alias = "squaring")]
    pub fn right_angles(mut self, make: bool) -> Self {
        self.right_angles = make;
        self
    }

    /// Leaves out points of outlines that did not get right angles, by which these move less than so many meters: Douglas and
    /// Peucker's algorithm as GEOS has it (`ST_SimplifyPreserveTopology`), which keeps rings valid and holes inside. Each polygon is
    /// simplified alone, so that the common edge of neighbors may part.
    #[doc(alias = "simplify")]
    #[doc(alias = "tolerance")]
    pub fn simplify_m(mut self, tolerance: f64) -> Self {
        self.simplify_m = tolerance;
        self
    }

    /// Fills holes below so many square meters.
    #[doc(alias = "fill_holes")]
    #[doc(alias = "min_hole_area")]
    #[doc(alias = "remove_small_holes")]
    pub fn fill_holes_m2(mut self, area: f64) -> Self {
        self.fill_holes_m2 = area;
        self
    }

    /// The first choice that cannot be, with its value.
    pub(crate) fn wrong(&self) -> Option<(&'static str, f64)> {
        let all = [
            ("simplify_m", self.simplify_m),
            ("fill_holes_m2", self.fill_holes_m2),
        ];
        all.into_iter()
            .find(|(_, value)| !value.is_finite() || *value < 0.0)
    }
}

/// Draws outlines one by one and counts what it did.
#[derive(Debug)]
pub(crate) struct Outliner<'a> {
    choices: &'a Outlines,
    /// The edge of a pixel in meters.
    pixel: f64,
    /// What a length and an area are measured in.
    units: [&'static str; 2],
    right_angled: usize,
    left: usize,
    simplified: usize,
    filled: usize,
}

impl<'a> Outliner<'a> {
    /// # Errors
    /// [`VectorError::OutlinesWithoutGeos`] when GDAL has no GEOS, which these outlines need.
    pub(crate) fn new(choices: &'a Outlines, pixel: f64) -> Result<Self, VectorError> {
        if (choices.right_angles || choices.simplify_m > 0.0) && !geos::is_there() {
            return Err(VectorError::OutlinesWithoutGeos);
        }
        Ok(Self {
            choices,
            pixel,
            units: ["m", "m²"],
            right_angled: 0,
            left: 0,
            simplified: 0,
            filled: 0,
        })
    }

    /// Says what lengths and areas are measured in where nobody knows the meter.
    pub(crate) fn in_units(self, units: [&'static str; 2]) -> Self {
        Self { units, ..self }
    }

    /// The outline in place of a traced one.
    ///
    /// # Units
    /// Both in meters, or in the units that [`Outliner::in_units`] names.
    pub(crate) fn draw(&mut self, traced: &Polygon<f64>) -> Polygon<f64> {
        let mut polygon = traced.clone();
        let small = |hole: &LineString<f64>| area_of(hole) < self.choices.fill_holes_m2;
        if polygon.interiors().iter().any(small) {
            let (exterior, holes) = polygon.into_inner();
            let before = holes.len();
            let holes: Vec<_> = holes.into_iter().filter(|hole| !small(hole)).collect();
            self.filled += before - holes.len();
            polygon = Polygon::new(exterior, holes);
        }
        if self.choices.right_angles {
            if let Some(drawn) = self.with_right_angles(&polygon) {
                self.right_angled += 1;
                return drawn;
            }
            self.left += 1;
        }
        if self.choices.simplify_m > 0.0
            && let Some(drawn) = geos::simplified(&polygon, self.choices.simplify_m)
        {
            self.simplified += 1;
            return drawn;
        }
        polygon
    }

    fn with_right_angles(&self, polygon: &Polygon<f64>) -> Option<Polygon<f64>> {
        let tolerance = TOLERANCE_PX * self.pixel;
        let shortest =
            (SHORTEST_PX * self.pixel).min(SHORTEST_PART * polygon.unsigned_area().sqrt());
        let (exterior, direction) = right_angled(polygon.exterior(), tolerance, shortest, None)?;
        // A courtyard has the direction of its building; one without such a form stays as it was traced.
        let holes = polygon.interiors().iter().map(|hole| {
            let drawn = right_angled(hole, tolerance, shortest, Some(direction));
            drawn.map_or_else(|| hole.clone(), |(hole, _)| hole)
        });
        let drawn = Polygon::new(exterior, holes.collect());
        let is_good = geos::is_valid(&drawn)
            && geos::iou(polygon, &drawn).is_some_and(|iou| iou >= LEAST_IOU);
        is_good.then_some(drawn)
    }

    /// What was done to how many.
    pub(crate) fn report(&self) -> Report {
        let mut report = Report::new();
        let mut push = |count: usize, notice: Notice| {
            if count > 0 {
                report.push(notice.count(count));
            }
        };
        push(
            self.right_angled,
            Notice::converted(format!("{} outlines got right angles", self.right_angled)),
        );
        push(
            self.left,
            Notice::noted(format!(
                "{} outlines have no form with right angles that covers the same ground: they were not made right-angled",
                self.left
            )),
        );
        push(
            self.simplified,
            Notice::converted(format!(
                "{} outlines were simplified by {} {}",
                self.simplified, self.choices.simplify_m, self.units[0]
            )),
        );
        push(
            self.filled,
            Notice::converted(format!(
                "{} holes below {} {} were filled",
                self.filled, self.choices.fill_holes_m2, self.units[1]
            )),
        );
        report
    }
}

fn area_of(ring: &LineString<f64>) -> f64 {
    Polygon::new(ring.clone(), Vec::new()).unsigned_area()
}

#[cfg(test)]
mod tests {
    use geo::{BoundingRect, Contains, Coord, MultiPolygon, point};

    use super::*;
    use crate::labels::rasterize;
    use crate::raster::{PixelWindow, Size};
    use crate::vector::polygonize;

    /// A shape burned into pixels and traced again: the largest patch.
    fn traced(shape: &Polygon<f64>) -> Polygon<f64> {
        let bounds = shape.bounding_rect().unwrap();
        let (width, height) = (bounds.max().x as usize + 4, bounds.max().y as usize + 4);
        let window = PixelWindow::new(0, 0, width, height);
        let burned = rasterize(&[(MultiPolygon::new(vec![shape.clone()]), 1)], &window);
        let patches = polygonize(&burned, Size::new(width, height)).unwrap();
        let largest = patches.into_iter().max_by(|a, b| {
            a.geometry
                .unsigned_area()
                .total_cmp(&b.geometry.unsigned_area())
        });
        largest.unwrap().geometry
    }

    /// A shape turned by so many degrees about (80, 80).
    fn turned(points: &[(f64, f64)], degrees: f64) -> LineString<f64> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let turn = |&(x, y): &(f64, f64)| Coord {
            x: 80.0 + (x * cos - y * sin),
            y: 80.0 + (x * sin + y * cos),
        };
        let mut points: Vec<_> = points.iter().map(turn).collect();
        points.push(points[0]);
        LineString(points)
    }

    fn angles_are_right(ring: &LineString<f64>) -> bool {
        let points = &ring.0[..ring.0.len() - 1];
        let count = points.len();
        (0..count).all(|at| {
            let (a, b, c) = (
                points[at],
                points[(at + 1) % count],
                points[(at + 2) % count],
            );
            let dot = (b.x - a.x) * (c.x - b.x) + (b.y - a.y) * (c.y - b.y);
            let lengths = (b.x - a.x).hypot(b.y - a.y) * (c.x - b.x).hypot(c.y - b.y);
            (dot / lengths).abs() < 1e-9
        })
    }

    #[test]
    fn drawn_buildings_get_their_corners_back_at_any_angle() {
        type Drawn<'a> = (&'a str, &'a [(f64, f64)], usize);
        let shapes: [Drawn<'_>; 3] = [
            (
                "rectangle",
                &[(-30.0, -15.0), (30.0, -15.0), (30.0, 15.0), (-30.0, 15.0)],
                5,
            ),
            (
                "L",
                &[
                    (-30.0, -25.0),
                    (30.0, -25.0),
                    (30.0, 5.0),
                    (0.0, 5.0),
                    (0.0, 25.0),
                    (-30.0, 25.0),
                ],
                7,
            ),
            (
                "T",
                &[
                    (-35.0, -20.0),
                    (35.0, -20.0),
                    (35.0, 0.0),
                    (12.0, 0.0),
                    (12.0, 28.0),
                    (-12.0, 28.0),
                    (-12.0, 0.0),
                    (-35.0, 0.0),
                ],
                9,
            ),
        ];
        let choices = Outlines::new().right_angles(true);
        for (name, points, corners) in shapes {
            for degrees in [0.0, 3.0, 11.0, 22.5, 30.0, 44.0, 45.0, 61.0, 88.0] {
                let truth = Polygon::new(turned(points, degrees), Vec::new());
                let mask = traced(&truth);
                let mut outliner = Outliner::new(&choices, 1.0).unwrap();
                let drawn = outliner.draw(&mask);
                let about = format!("{name} at {degrees}: {drawn:?}");
                assert_eq!(outliner.right_angled, 1, "{about}");
                assert!(angles_are_right(drawn.exterior()), "{about}");
                assert_eq!(drawn.exterior().0.len(), corners, "{about}");
                assert!(geos::is_valid(&drawn), "{about}");
                let iou = geos::iou(&mask, &drawn).unwrap();
                assert!(iou > 0.95, "{about}: {iou} of the mask");
                // Nearer to the building than the mask is.
                let (of_mask, of_drawn) = (
                    geos::iou(&truth, &mask).unwrap(),
                    geos::iou(&truth, &drawn).unwrap(),
                );
                assert!(of_drawn > of_mask - 0.005, "{about}: {of_drawn} {of_mask}");
            }
        }
    }

    #[test]
    fn a_courtyard_has_the_direction_of_its_building_and_small_holes_go() {
        let block = turned(
            &[(-40.0, -30.0), (40.0, -30.0), (40.0, 30.0), (-40.0, 30.0)],
            17.0,
        );
        let yard = turned(
            &[(-15.0, -12.0), (20.0, -12.0), (20.0, 12.0), (-15.0, 12.0)],
            17.0,
        );
        let speck = turned(
            &[(25.0, 18.0), (28.0, 18.0), (28.0, 21.0), (25.0, 21.0)],
            17.0,
        );
        let mask = traced(&Polygon::new(block, vec![yard, speck]));
        assert_eq!(mask.interiors().len(), 2);
        let choices = Outlines::new().right_angles(true).fill_holes_m2(20.0);
        let mut outliner = Outliner::new(&choices, 1.0).unwrap();
        let drawn = outliner.draw(&mask);
        assert_eq!((outliner.filled, outliner.right_angled), (1, 1));
        assert_eq!(drawn.interiors().len(), 1);
        assert!(angles_are_right(&drawn.interiors()[0]) && drawn.interiors()[0].0.len() == 5);
        let report = outliner.report().to_string();
        assert!(
            report.contains("1 holes below 20 m² were filled"),
            "{report}"
        );
    }

    #[test]
    fn round_things_stay_as_they_are() {
        let choices = Outlines::new().right_angles(true);
        for radius in [6.0, 10.0, 25.0, 60.0] {
            let circle: Vec<(f64, f64)> = (0..360)
                .map(|degree| f64::from(degree).to_radians())
                .map(|angle| (radius * angle.cos() + 0.3, radius * angle.sin() + 0.1))
                .collect();
            let mask = traced(&Polygon::new(turned(&circle, 0.0), Vec::new()));
            let mut outliner = Outliner::new(&choices, 1.0).unwrap();
            assert_eq!(outliner.draw(&mask), mask, "{radius}");
            assert_eq!(outliner.left, 1, "{radius}");
            assert!(
                outliner
                    .report()
                    .to_string()
                    .contains("1 outlines have no form")
            );
        }
    }

    #[test]
    fn simplified_outlines_are_those_of_geos_and_valid() {
        let circle: Vec<(f64, f64)> = (0..360)
            .map(|degree| f64::from(degree).to_radians())
            .map(|angle| (40.0 * angle.cos(), 40.0 * angle.sin()))
            .collect();
        let mask = traced(&Polygon::new(turned(&circle, 0.0), Vec::new()));
        let choices = Outlines::new().simplify_m(1.0);
        let mut outliner = Outliner::new(&choices, 1.0).unwrap();
        let drawn = outliner.draw(&mask);
        assert!(drawn.exterior().0.len() < mask.exterior().0.len() / 4);
        assert!(geos::is_valid(&drawn) && drawn.contains(&point!(x: 80.0, y: 80.0)));
        assert!(geos::iou(&mask, &drawn).unwrap() > 0.95);
        // shapely 2.2: Polygon([(0,0),(4,0),(4,0.4),(8,0),(8,8),(0,8)]).simplify(0.5) has the corners of the square.
        let bump = Polygon::new(
            LineString::from(vec![
                (0.0, 0.0),
                (4.0, 0.0),
                (4.0, 0.4),
                (8.0, 0.0),
                (8.0, 8.0),
                (0.0, 8.0),
                (0.0, 0.0),
            ]),
            Vec::new(),
        );
        let half = Outlines::new().simplify_m(0.5);
        let drawn = Outliner::new(&half, 1.0).unwrap().draw(&bump);
        assert_eq!(drawn.unsigned_area(), 64.0);
    }

    #[test]
    fn small_and_odd_rings_never_fail() {
        let choices = Outlines::new().right_angles(true).simplify_m(2.0);
        let rings: [&[(f64, f64)]; 4] = [
            &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)],
            &[(0.0, 0.0), (1.0, 0.0), (0.0, 0.0)],
            &[],
            &[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (0.0, 0.0)],
        ];
        for ring in rings {
            let polygon = Polygon::new(LineString::from(ring.to_vec()), Vec::new());
            let mut outliner = Outliner::new(&choices, 1.0).unwrap();
            outliner.draw(&polygon);
        }
        // Every patch of noise: valid afterwards, over the same ground.
        let mut number = 1_u64;
        let size = Size::new(90, 90);
        let noise: Vec<u8> = (0..size.area())
            .map(|_| {
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                u8::from(number >> 62 > 0)
            })
            .collect();
        let right = Outlines::new().right_angles(true);
        let mut outliner = Outliner::new(&right, 1.0).unwrap();
        for patch in polygonize(&noise, size).unwrap() {
            let drawn = outliner.draw(&patch.geometry);
            assert!(drawn == patch.geometry || geos::is_valid(&drawn));
            assert!(
                drawn == patch.geometry || geos::iou(&patch.geometry, &drawn).unwrap() >= LEAST_IOU
            );
        }
    }
}
