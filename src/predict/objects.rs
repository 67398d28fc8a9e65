//! The objects of a map: its connected areas, each with what GIS users ask of one.

use std::sync::Arc;

use geo::{
    Area, BoundingRect, Centroid, Coord, LineString, MapCoords, MapCoordsInPlace as _,
    MultiPolygon, Point, Polygon,
};

use super::tiling::wrong;
use super::{PredictError, SceneMap};
use crate::evaluate::EvaluateError;
use crate::labels::Classes;
use crate::raster::{GeoTransform, Raster};
use crate::report::{Notice, Report};
use crate::scene::Scene;
use crate::vector::{Outliner, Outlines, PolygonFeature};
use crate::{Result, session};

/// A connected area of a map, or a box that was found.
///
/// # Units
/// Meters and square meters on the ground, by the pixel size at the scene's middle. Where nobody knows the meter they are
/// edges and squares of pixels, or of the coordinates' unit; [`Objects::report`] says so.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Object {
    /// The name of its class.
    pub class: String,
    /// How sure the model is, from 0 to 1: of an area the mean over its pixels, where scores were kept.
    pub score: Option<f32>,
    /// Its area.
    pub area_m2: f64,
    /// The length of its outline along the edges of the pixels, those of its holes included.
    pub perimeter_m: f64,
    /// How far it reaches along the rows of the imagery.
    pub width_m: f64,
    /// How far it reaches along the columns of the imagery.
    pub height_m: f64,
    /// Its center of mass in map coordinates; in pixels where the scene has no place.
    pub center: Point<f64>,
    /// Its outline in map coordinates; in pixels where the scene has no place.
    pub geometry: MultiPolygon<f64>,
}

impl From<Object> for PolygonFeature {
    fn from(object: Object) -> Self {
        Self {
            geometry: object.geometry,
            class: object.class,
            score: object.score,
            area_m2: object.area_m2,
        }
    }
}

/// Measures shapes that are given in pixels.
#[derive(Clone, Debug)]
pub(crate) struct Ruler {
    /// Width and height of a pixel.
    pixel: (f64, f64),
    world_from_pixel: GeoTransform,
}

impl Ruler {
    pub(crate) fn new((width, height): (f64, f64), world_from_pixel: GeoTransform) -> Self {
        Self {
            pixel: (width.abs(), height.abs()),
            world_from_pixel,
        }
    }

    pub(crate) fn area(&self, polygon: &Polygon<f64>) -> f64 {
        polygon.unsigned_area() * self.pixel_area()
    }

    /// The edge of a square pixel of the same area in meters.
    pub(super) fn edge(&self) -> f64 {
        self.pixel_area().sqrt()
    }

    pub(super) fn pixel_area(&self) -> f64 {
        self.pixel.0 * self.pixel.1
    }

    /// A polygon, in pixels, with another outline.
    pub(super) fn outlined(
        &self,
        polygon: &Polygon<f64>,
        outliner: &mut Outliner<'_>,
    ) -> Polygon<f64> {
        let (width, height) = self.pixel;
        let in_meters = polygon.map_coords(|at| Coord {
            x: at.x * width,
            y: at.y * height,
        });
        outliner.draw(&in_meters).map_coords(|at| Coord {
            x: at.x / width,
            y: at.y / height,
        })
    }

    fn in_pixels(&self, shape: &MultiPolygon<f64>) -> MultiPolygon<f64> {
        shape.map_coords(|at| {
            let (x, y) = self.world_from_pixel.pixel_from_world((at.x, at.y));
            Coord { x, y }
        })
    }

    /// The object whose outline is `shape`, in pixels.
    pub(crate) fn object(
        &self,
        mut shape: MultiPolygon<f64>,
        class: &str,
        score: Option<f32>,
    ) -> Object {
        let to_world = |point: Coord<f64>| {
            let (x, y) = self.world_from_pixel.world_from_pixel((point.x, point.y));
            Coord { x, y }
        };
        let edge =
            |line: geo::Line<f64>| (line.dx() * self.pixel.0).hypot(line.dy() * self.pixel.1);
        let rings = shape
            .iter()
            .flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
        let perimeter_m = rings.flat_map(LineString::lines).map(edge).sum();
        let area_m2 = shape.iter().map(|part| self.area(part)).sum();
        let bounds = shape.bounding_rect();
        let (width, height) = bounds.map_or((0.0, 0.0), |bounds| (bounds.width(), bounds.height()));
        let center = shape.centroid().map_or(Coord::default(), Coord::from);
        // In place: an area with all its holes can be a good part of what is held.
        shape.map_coords_in_place(to_world);
        Object {
            class: class.to_owned(),
            score,
            area_m2,
            perimeter_m,
            width_m: width * self.pixel.0,
            height_m: height * self.pixel.1,
            center: Point(to_world(center)),
            geometry: shape,
        }
    }
}

/// What lengths and areas are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Meters,
    /// Of the coordinates, whatever that is.
    Coordinates,
    Pixels,
}

impl Unit {
    pub(super) fn of(raster: &Raster) -> Self {
        match raster.gsd() {
            Some((width, height)) if (width * height).is_finite() => Self::Meters,
            _ if raster.is_georeferenced() => Self::Coordinates,
            _ => Self::Pixels,
        }
    }

    /// `m²`, as it stands behind a number.
    pub(super) const fn of_area(self) -> &'static str {
        match self {
            Self::Meters => "m²",
            Self::Coordinates => "square units",
            Self::Pixels => "pixels",
        }
    }

    /// What a length and an area are measured in.
    pub(super) const fn words(self) -> [&'static str; 2] {
        let length = match self {
            Self::Meters => "m",
            Self::Coordinates => "units",
            Self::Pixels => "pixels",
        };
        [length, self.of_area()]
    }

    fn notice(self, scene: &Scene) -> Option<Notice> {
        let text = match self {
            Self::Meters => return None,
            Self::Coordinates => {
                "the scene does not say how long a meter is on it: areas are in squares of its own coordinates, \
                 perimeters in their unit"
            }
            Self::Pixels => {
                "the scene has no place on the ground: areas are in pixels, perimeters in edges of pixels, places in \
                 columns and rows"
            }
        };
        let next = "imagery with a coordinate reference system gives square meters";
        Some(Notice::noted(text).about(scene.name()).next(next))
    }
}

/// The objects of a map or of found boxes, in the order in which they are saved. Cheap to clone.
///
/// As the last expression of a cell it shows how many there are of each class and how large they are.
///
/// | method | what it gives |
/// |---|---|
/// | [`Objects::count`], [`Objects::area`] | how many there are, and their area together |
/// | [`Objects::areas`], [`Objects::perimeters`] | one number for each |
/// | [`Objects::of_class`], [`Objects::at_least`] | fewer of them |
/// | [`Objects::histogram`] | a figure of their areas |
/// | [`Objects::save`] | a file for QGIS, geopandas or a spreadsheet |
///
/// ```no_run
/// # use swath::prelude::*;
/// # fn example(map: &SceneMap) -> swath::Result<()> {
/// let houses = map.objects()?.of_class("building")?.at_least(20.0);
/// println!("{} houses on {:.0} m²", houses.count(), houses.area());
/// houses.save("houses.gpkg")?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Objects {
    objects: Vec<Arc<Object>>,
    pub(super) about: Arc<About>,
    report: Report,
}

/// What all objects have in common.
pub(super) struct About {
    /// What one and what several are called: `area`, `areas`.
    pub(super) what: (&'static str, &'static str),
    pub(super) scene: String,
    pub(super) classes: Classes,
    pub(super) crs_wkt: String,
    pub(super) unit: Unit,
    /// Decimal places of coordinates that tell a tenth of a pixel, 2 at least.
    pub(super) places: usize,
    ruler: Ruler,
}

/// Decimal places of coordinates that tell a part of a pixel.
pub(super) fn decimal_places(raster: &Raster, part: f64) -> usize {
    let (width, height) = raster.transform().pixel_edges();
    let wanted = width.min(height) * part;
    (0..9)
        .find(|&places| 0.1_f64.powi(places) <= wanted)
        .unwrap_or(9) as usize
}

impl SceneMap {
    /// The connected areas (pixels that share an edge) of every class but the background: the polygons that
    /// [`SceneMap::save`] writes, measured.
    ///
    /// # Errors
    /// [`crate::raster::RasterError`] when the working files cannot be read, [`crate::Error::Interrupted`] when the user
    /// asked to stop.
    ///
    /// # Examples
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap) -> swath::Result<()> {
    /// let objects = map.objects()?;
    /// println!("{} objects, {:.0} m²", objects.count(), objects.area());
    /// # Ok(()) }
    /// ```
    pub fn objects(&self) -> Result<Objects> {
        self.objects_with(0.0)
    }

    /// [`SceneMap::objects`] without those smaller than `min_area_m2`, as [`super::SaveOptions::min_area_m2`] leaves them
    /// out: quicker than [`Objects::at_least`] on a map of many specks.
    ///
    /// # Errors
    /// As [`SceneMap::objects`]; [`PredictError::Option`] for an area that is negative or not a number.
    pub fn objects_with(&self, min_area_m2: f64) -> Result<Objects> {
        check_area(min_area_m2)?;
        let objects = self.traced(min_area_m2)?;
        let unscored = objects.iter().filter(|object| object.score.is_none());
        let unscored = unscored.count();
        let mut found = Objects::new(
            ("area", "areas"),
            objects,
            self.classes(),
            self.scene(),
            self.ruler(),
        );
        if self.inner.scores.is_some() && unscored > 0 {
            let text = format!("{unscored} objects are too large for a mean score of their own");
            let notice = Notice::left_out(text).about(self.scene().name());
            found.report.push(notice.count(unscored));
        }
        Ok(found)
    }
}

/// # Errors
/// [`PredictError::Option`] for an area that is negative or not a number.
pub(super) fn check_area(min_area_m2: f64) -> Result<(), PredictError> {
    if min_area_m2.is_nan() || min_area_m2 < 0.0 {
        return Err(wrong(
            "min_area_m2",
            &min_area_m2,
            "0 or more square meters",
        ));
    }
    Ok(())
}

/// # Errors
/// [`PredictError::Option`] for an area that is negative or not a number.
pub(super) fn check_pixels(pixels: f64) -> Result<(), PredictError> {
    if pixels.is_nan() || pixels < 0.0 {
        return Err(wrong("min_area_pixels", &pixels, "0 or more pixels"));
    }
    Ok(())
}

/// # Errors
/// [`PredictError::Option`] for a length or an area that is negative or not a number.
pub(super) fn check_outlines(outlines: &Outlines) -> Result<(), PredictError> {
    match outlines.wrong() {
        None => Ok(()),
        Some((name, value)) => Err(wrong(name, &value, "0 or more")),
    }
}

impl Objects {
    pub(crate) fn new(
        what: (&'static str, &'static str),
        objects: Vec<Object>,
        classes: &Classes,
        scene: &Scene,
        ruler: Ruler,
    ) -> Self {
        let unit = Unit::of(scene.raster());
        let about = About {
            what,
            scene: scene.name(),
            classes: classes.clone(),
            crs_wkt: scene.raster().crs_wkt(),
            unit,
            places: decimal_places(scene.raster(), 0.1).max(2),
            ruler,
        };
        Self {
            objects: objects.into_iter().map(Arc::new).collect(),
            about: Arc::new(about),
            report: unit.notice(scene).into_iter().collect(),
        }
    }

    /// How many there are.
    #[must_use]
    #[doc(alias = "shape")]
    #[doc(alias = "size")]
    pub fn count(&self) -> usize {
        self.objects.len()
    }

    /// How many there are, as collections call it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Their area together, in square meters.
    #[must_use]
    pub fn area(&self) -> f64 {
        // An empty sum of floats is -0.
        self.iter().map(|object| object.area_m2).sum::<f64>() + 0.0
    }

    /// The area of each in square meters.
    #[must_use]
    pub fn areas(&self) -> Vec<f64> {
        self.iter().map(|object| object.area_m2).collect()
    }

    /// The length of each outline in meters, along the edges of pixels and around holes, too.
    #[must_use]
    pub fn perimeters(&self) -> Vec<f64> {
        self.iter().map(|object| object.perimeter_m).collect()
    }

    /// One after another, in the order in which they are saved.
    #[doc(alias = "iterrows")]
    #[doc(alias = "itertuples")]
    #[doc(alias = "into_iter")]
    #[doc(alias = "map")]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Object> {
        self.objects.iter().map(Arc::as_ref)
    }

    /// The one at a place in the order, counted from 0.
    #[must_use]
    #[doc(alias = "iloc")]
    #[doc(alias = "__getitem__")]
    #[doc(alias = "loc")]
    #[doc(alias = "first")]
    pub fn get(&self, index: usize) -> Option<&Object> {
        self.objects.get(index).map(Arc::as_ref)
    }

    /// The classes, those without an object among them.
    #[must_use]
    pub fn classes(&self) -> &Classes {
        &self.about.classes
    }

    /// What a person should know, such as that areas are in pixels.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Those of one class.
    ///
    /// # Errors
    /// [`EvaluateError::UnknownClass`], which lists the classes there are.
    pub fn of_class(&self, name: &str) -> Result<Self> {
        if self.about.classes.index_of(name).is_none() {
            let (name, names) = (name.to_owned(), self.about.classes.names());
            let classes = names.into_iter().map(str::to_owned).collect();
            return Err(EvaluateError::UnknownClass { name, classes }.into());
        }
        Ok(self.keeping(|object| object.class == name))
    }

    /// Those of at least this many square meters: without the specks of a prediction. NaN keeps all.
    #[must_use]
    pub fn at_least(&self, area_m2: f64) -> Self {
        self.keeping(|object| area_m2.is_nan() || object.area_m2 >= area_m2)
    }

    /// The same objects with other outlines, measured anew; the report counts what was changed and what stayed.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap) -> swath::Result<()> {
    /// let houses = map.objects()?.of_class("building")?;
    /// houses.with_outlines(&Outlines::new().right_angles(true))?.save("houses.gpkg")?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`PredictError::Option`] for a length or an area that is negative or not a number;
    /// [`crate::vector::VectorError::OutlinesWithoutGeos`]; [`crate::Error::Interrupted`] when the user asked to stop.
    #[doc(alias = "regularize")]
    #[doc(alias = "simplify")]
    pub fn with_outlines(&self, outlines: &Outlines) -> Result<Self> {
        check_outlines(outlines)?;
        let ruler = &self.about.ruler;
        let mut outliner = Outliner::new(outlines, ruler.edge())?.in_units(self.about.unit.words());
        let mut objects = Vec::with_capacity(self.count());
        for (number, object) in self.iter().enumerate() {
            if number % 256 == 0 {
                session::check_interrupt("drawing outlines")?;
            }
            let shape = ruler.in_pixels(&object.geometry).into_iter();
            let shape = shape
                .map(|part| ruler.outlined(&part, &mut outliner))
                .collect();
            objects.push(Arc::new(ruler.object(shape, &object.class, object.score)));
        }
        let mut report = self.report.clone();
        report.extend(outliner.report());
        Ok(Self {
            objects,
            about: Arc::clone(&self.about),
            report,
        })
    }

    /// Those that `keep` says yes to.
    ///
    /// ```no_run
    /// # use swath::prelude::*;
    /// # fn example(map: &SceneMap) -> swath::Result<()> {
    /// let sure = map.objects()?.keeping(|object| object.score > Some(0.8));
    /// # Ok(()) }
    /// ```
    #[must_use]
    #[doc(alias = "filter")]
    #[doc(alias = "query")]
    #[doc(alias = "where")]
    pub fn keeping(&self, keep: impl Fn(&Object) -> bool) -> Self {
        let kept = self.objects.iter().filter(|object| keep(object));
        Self {
            objects: kept.cloned().collect(),
            about: Arc::clone(&self.about),
            report: self.report.clone(),
        }
    }
}

impl<'a> IntoIterator for &'a Objects {
    type Item = &'a Object;
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, Arc<Object>>, fn(&'a Arc<Object>) -> &'a Object>;

    fn into_iter(self) -> Self::IntoIter {
        self.objects.iter().map(Arc::as_ref)
    }
}

impl std::fmt::Debug for Objects {
    /// `Objects(12 areas of town, 3400.0 m²)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Objects({})", self.summary())
    }
}
