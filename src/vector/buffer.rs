use std::str::FromStr;

use super::VectorError;

/// How far around lines and points their labels reach: what makes areas of them.
///
/// A buffer is what lies at most so far from a feature, with round ends and round corners (8 segments for a quarter of a
/// circle, as PostGIS has it): GEOS makes it, as it does for PostGIS, QGIS and shapely. Of a line, it reaches so far to each side.
/// Polygons are labels already and stay as they are, unless [`Buffer::polygons_too`] is called.
///
/// **Meters are on the ground.** In a projected system whose unit is known (feet are converted) the plane of the scene is
/// taken for the ground. In degrees, and in Mercator's projection, whose meters are none (EPSG:3857), the ground around
/// each feature is taken: its meters to the east and to the north are those of the WGS 84 ellipsoid there. Where these change
/// by more than half a percent along a feature, it is taken in pieces. [`Buffer::pixels`] are pixels of the scene as it was opened.
///
/// ```
/// use swath::vector::{Buffer, VectorSource};
/// let roads = VectorSource::new("roads.gpkg").buffer(Buffer::meters(3.0));
/// let trees = VectorSource::new("trees.geojson").buffer(Buffer::pixels(4.0));
/// // The column `width` has the full width of a road in meters; roads without one get 2.5 m to each side.
/// let by_width = VectorSource::new("osm.gpkg").buffer(Buffer::width("width").otherwise(2.5));
/// assert_ne!(roads, by_width);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Buffer {
    pub(super) distance: Distance,
    /// Meters where a feature has no value.
    pub(super) otherwise: Option<f64>,
    pub(super) polygons: bool,
}

/// How far a buffer reaches.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Distance {
    Meters(f64),
    Pixels(f64),
    /// Meters from a property's value, of which this share is the distance.
    Property {
        name: String,
        share: f64,
    },
}

impl Buffer {
    /// So many meters on the ground to each side.
    #[must_use]
    pub const fn meters(distance: f64) -> Self {
        Self::of(Distance::Meters(distance))
    }

    /// So many pixels of the scene to each side.
    #[must_use]
    pub const fn pixels(distance: f64) -> Self {
        Self::of(Distance::Pixels(distance))
    }

    /// As many meters to each side as the feature's property `name` says: the distance, as PostGIS and QGIS take it.
    /// A number may have its unit behind it (`3.5 m`), another unit is none. Features without such a value are left out
    /// and counted, unless [`Buffer::otherwise`] says more.
    #[must_use]
    pub fn property(name: impl Into<String>) -> Self {
        Self::of(Distance::Property {
            name: name.into(),
            share: 1.0,
        })
    }

    /// As [`Buffer::property`], for one that holds the full width in meters, as OpenStreetMap's `width`: half of it to each
    /// side.
    #[must_use]
    pub fn width(name: impl Into<String>) -> Self {
        Self::of(Distance::Property {
            name: name.into(),
            share: 0.5,
        })
    }

    /// Of features whose property says nothing: so many meters to each side. Those whose value is no number of meters above
    /// 0 get it too, and are counted in the report.
    #[must_use]
    pub const fn otherwise(mut self, meters: f64) -> Self {
        self.otherwise = Some(meters);
        self
    }

    /// Polygons grow by it, too.
    #[must_use]
    pub const fn polygons_too(mut self) -> Self {
        self.polygons = true;
        self
    }

    const fn of(distance: Distance) -> Self {
        Self {
            distance,
            otherwise: None,
            polygons: false,
        }
    }

    /// Whether its distances are meters.
    pub(super) const fn is_in_meters(&self) -> bool {
        !matches!(self.distance, Distance::Pixels(_))
    }

    /// The property that says how far.
    pub(super) fn asked(&self) -> Option<&str> {
        match &self.distance {
            Distance::Property { name, .. } => Some(name),
            Distance::Meters(_) | Distance::Pixels(_) => None,
        }
    }

    /// A distance that is none; `None` when all are numbers above 0.
    pub(super) fn wrong(&self) -> Option<f64> {
        let own = match self.distance {
            Distance::Meters(distance) | Distance::Pixels(distance) => Some(distance),
            Distance::Property { .. } => None,
        };
        [own, self.otherwise]
            .into_iter()
            .flatten()
            .find(|distance| !(distance.is_finite() && *distance > 0.0))
    }

    /// Whether a feature says something that is no distance, and [`Buffer::otherwise`] stands in for it.
    pub(super) fn replaces(&self, value: Option<&str>) -> bool {
        self.asked().is_some()
            && self.otherwise.is_some()
            && value.is_some_and(|value| meters(value).is_none())
    }

    /// The distance that a property's value means.
    pub(super) fn distance_of(&self, value: Option<&str>) -> Result<f64, &'static str> {
        match &self.distance {
            Distance::Meters(distance) | Distance::Pixels(distance) => Ok(*distance),
            Distance::Property { share, .. } => match (value, self.otherwise) {
                (None, Some(meters)) => Ok(meters),
                (None, None) => Err("without a value for their buffer"),
                (Some(value), otherwise) => match meters(value) {
                    Some(meters) => Ok(meters * share),
                    None => otherwise
                        .ok_or("whose value for their buffer is no number of meters above 0"),
                },
            },
        }
    }
}

/// `3`, `3.5 m`, `3m`: a number of meters above 0.
fn meters(value: &str) -> Option<f64> {
    let value = value.trim();
    let number = value
        .strip_suffix("meters")
        .or_else(|| value.strip_suffix('m'))
        .unwrap_or(value);
    let number: f64 = number.trim_end().parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

/// `3m`, `4px`, `width:COLUMN`, `distance:COLUMN`: as the command line and the magics have it.
///
/// ```
/// use swath::vector::Buffer;
/// assert_eq!("3.5m".parse::<Buffer>()?, Buffer::meters(3.5));
/// assert_eq!("width:lanes".parse::<Buffer>()?, Buffer::width("lanes"));
/// assert!("3".parse::<Buffer>().is_err(), "meters or pixels?");
/// # Ok::<(), swath::vector::VectorError>(())
/// ```
impl FromStr for Buffer {
    type Err = VectorError;

    fn from_str(text: &str) -> Result<Self, VectorError> {
        let wrong = || VectorError::BufferWords {
            found: text.to_owned(),
        };
        let word = text.trim();
        for (key, buffer) in [
            ("width:", Self::width as fn(String) -> Self),
            ("distance:", Self::property),
        ] {
            if let Some(name) = word.strip_prefix(key) {
                return match name.is_empty() {
                    true => Err(wrong()),
                    false => Ok(buffer(name.to_owned())),
                };
            }
        }
        let number = |number: &str| {
            number
                .trim_end()
                .parse::<f64>()
                .map_err(|_not_a_number| wrong())
        };
        let buffer = match (word.strip_suffix("px"), word.strip_suffix('m')) {
            (Some(pixels), _) => Self::pixels(number(pixels)?),
            (None, Some(meters)) => Self::meters(number(meters)?),
            (None, None) => return Err(wrong()),
        };
        match buffer.wrong() {
            None => Ok(buffer),
            Some(_) => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_say_a_number_with_its_unit_or_a_column() {
        let parsed = |text: &str| text.parse::<Buffer>().ok();
        assert_eq!(parsed("3m"), Some(Buffer::meters(3.0)));
        assert_eq!(parsed(" 0.5 px "), Some(Buffer::pixels(0.5)));
        assert_eq!(parsed("width:width"), Some(Buffer::width("width")));
        assert_eq!(parsed("distance:radius"), Some(Buffer::property("radius")));
        for wrong in [
            "3", "m", "-1m", "0px", "infm", "NaNpx", "3 km", "width:", "width", "3ft",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn values_are_meters_and_those_that_are_none_are_told() {
        let width = Buffer::width("width");
        assert_eq!(width.distance_of(Some("7")), Ok(3.5));
        assert_eq!(width.distance_of(Some(" 7.0 m")), Ok(3.5));
        assert!(width.distance_of(None).is_err());
        for wrong in ["12'", "0", "-3", "nan", "inf", "wide", ""] {
            assert!(width.distance_of(Some(wrong)).is_err(), "{wrong}");
            assert_eq!(
                width.clone().otherwise(2.0).distance_of(Some(wrong)),
                Ok(2.0)
            );
        }
        let filled = width.clone().otherwise(2.0);
        assert!(filled.replaces(Some("wide")) && filled.replaces(Some("12'")));
        assert!(!filled.replaces(Some("7 m")) && !filled.replaces(None));
        assert!(!width.replaces(Some("wide")), "nothing stands in");
        assert_eq!(Buffer::property("r").distance_of(Some("2")), Ok(2.0));
        assert_eq!(width.otherwise(0.0).wrong(), Some(0.0));
        assert!(Buffer::meters(f64::NAN).wrong().is_some());
    }
}
