use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use geo::{Area, Coord, LineString, MultiPolygon};

use super::measured::{Layout, Measured};
use super::project::meridian;
use super::{PointFeature, VectorError};
use crate::Result;
use crate::raster::crs;
use crate::staged::StagedFile;

/// Writes RFC 7946 GeoJSON: WGS 84 longitude and latitude, no `crs` member, exterior rings anticlockwise and holes
/// clockwise, closed rings, eight decimals (a millimeter), cut at the 180th meridian. Without a reference system the coordinates stay as they are, and
/// a member `"crs": null` says that they are no degrees.
pub(super) struct GeoJsonWriter {
    file: std::io::BufWriter<std::fs::File>,
    staged: StagedFile,
    path: PathBuf,
    to_degrees: ToDegrees,
    names: Vec<String>,
    decimals: Option<usize>,
    is_first: bool,
    line: String,
}

type ToDegrees = Option<crs::Transformation>;

impl GeoJsonWriter {
    pub(super) fn create(path: &Path, crs_wkt: &str, layout: &Layout<'_>) -> Result<Self> {
        let to_degrees = if crs_wkt.is_empty() {
            None
        } else {
            Some(crs::between(
                &crs::parse(crs_wkt)?,
                &crs::parse("EPSG:4326")?,
            )?)
        };
        let fail = |error: std::io::Error| failed(path, error.to_string());
        let staged = StagedFile::new(path, "new").map_err(fail)?;
        let file = std::fs::File::create(staged.path()).map_err(fail)?;
        let mut file = std::io::BufWriter::new(file);
        // Without a system "no CRS can be assumed" (the GeoJSON of 2008, 3.): RFC 7946 has no word for it, and would make degrees
        // of pixels.
        let system = if to_degrees.is_none() {
            "\"crs\":null,"
        } else {
            ""
        };
        write!(
            file,
            "{{\"type\":\"FeatureCollection\",{system}\"features\":["
        )
        .map_err(fail)?;
        Ok(Self {
            file,
            staged,
            path: path.to_owned(),
            to_degrees,
            names: layout
                .numbers
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            decimals: layout.decimals,
            is_first: true,
            line: String::new(),
        })
    }

    pub(super) fn add(&mut self, feature: &Measured<'_>) -> Result<()> {
        let decimals = self.decimals;
        let mut line = self.begin();
        let pushed = push_head(&mut line, feature.class, feature.score).and_then(|()| {
            for (name, number) in self.names.iter().zip(feature.numbers) {
                // JSON has no word for what is no number.
                let _ = match (number.is_finite(), decimals) {
                    (false, _) => write!(line, ",\"{name}\":null"),
                    (true, Some(digits)) => write!(line, ",\"{name}\":{number:.digits$}"),
                    (true, None) => write!(line, ",\"{name}\":{number}"),
                };
            }
            push_polygon(&mut line, feature.geometry, &self.to_degrees)
        });
        self.end(line, pushed)
    }

    pub(super) fn add_point(&mut self, feature: &PointFeature) -> Result<()> {
        let mut line = self.begin();
        let pushed = push_point(&mut line, feature, &self.to_degrees);
        self.end(line, pushed)
    }

    fn begin(&mut self) -> String {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        line.push_str(if self.is_first { "\n" } else { ",\n" });
        self.is_first = false;
        line
    }

    fn end(&mut self, line: String, pushed: Result<(), String>) -> Result<()> {
        pushed.map_err(|detail| failed(&self.path, detail))?;
        let written = self.file.write_all(line.as_bytes());
        written.map_err(|error| failed(&self.path, error.to_string()))?;
        self.line = line;
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<()> {
        let path = self.path;
        let fail = |error: std::io::Error| failed(&path, error.to_string());
        self.file.write_all(b"\n]}\n").map_err(fail)?;
        self.file.flush().map_err(fail)?;
        drop(self.file);
        self.staged.commit().map_err(fail)?;
        Ok(())
    }
}

fn failed(path: &Path, detail: String) -> VectorError {
    let path = path.to_owned();
    VectorError::Write { path, detail }
}

/// `"properties":{"class":"tree","score":0.9` without the brace that closes it.
fn push_head(line: &mut String, class: &str, score: Option<f32>) -> Result<(), String> {
    let score = score
        .filter(|score| score.is_finite())
        .map_or("null".to_owned(), |score| score.to_string());
    let class = serde_json::to_string(class).map_err(|error| error.to_string())?;
    let _ = write!(
        line,
        "{{\"type\":\"Feature\",\"properties\":{{\"class\":{class},\"score\":{score}"
    );
    Ok(())
}

/// Closes the properties and adds the shape.
fn push_polygon(
    line: &mut String,
    geometry: &MultiPolygon<f64>,
    to_degrees: &ToDegrees,
) -> Result<(), String> {
    line.push_str("},\"geometry\":{\"type\":\"MultiPolygon\",\"coordinates\":[");
    let mut parts = 0;
    for polygon in geometry {
        let rings = std::iter::once(polygon.exterior()).chain(polygon.interiors());
        let rings = rings.map(|ring| in_degrees(ring, to_degrees.as_ref()));
        let rings = rings.collect::<Result<Vec<_>, _>>()?;
        let pieces = if to_degrees.is_some() {
            meridian::between(rings)
        } else {
            vec![rings]
        };
        for rings in pieces {
            line.push_str(if parts == 0 { "[" } else { ",[" });
            for (ring, points) in rings.into_iter().enumerate() {
                if ring > 0 {
                    line.push(',');
                }
                push_ring(line, points, ring == 0);
            }
            line.push(']');
            parts += 1;
        }
    }
    line.push_str("]}}");
    Ok(())
}

fn push_point(
    line: &mut String,
    feature: &PointFeature,
    to_degrees: &ToDegrees,
) -> Result<(), String> {
    push_head(line, &feature.class, feature.score)?;
    let mut at = in_degrees(&vec![feature.point].into(), to_degrees.as_ref())?;
    for point in &mut at.0 {
        if to_degrees.is_some() && point.x.abs() > 180.0 {
            point.x -= (point.x / 360.0).round() * 360.0;
        }
        let _ = write!(
            line,
            "}},\"geometry\":{{\"type\":\"Point\",\"coordinates\":[{:.8},{:.8}]}}}}",
            point.x, point.y
        );
    }
    Ok(())
}

fn in_degrees(
    ring: &LineString<f64>,
    to_degrees: Option<&crs::Transformation>,
) -> Result<LineString<f64>, String> {
    let (mut xs, mut ys) = moved(ring.0.iter().map(|point| (point.x, point.y)), to_degrees);
    if to_degrees.is_some() && xs.windows(2).any(is_jump) {
        // Half the world or across the 180th meridian: points between the ends say which.
        let quarters = |(index, edge): (usize, &[Coord<f64>])| {
            let shares: &[f64] = if is_jump(&xs[index..=index + 1]) {
                &[0.0, 0.25, 0.5, 0.75]
            } else {
                &[0.0]
            };
            let (from, to) = (edge[0], edge[1]);
            shares.iter().map(move |share| {
                (
                    from.x + (to.x - from.x) * share,
                    from.y + (to.y - from.y) * share,
                )
            })
        };
        let last = ring.0.last().map(|point| (point.x, point.y));
        let finer: Vec<(f64, f64)> = ring
            .0
            .windows(2)
            .enumerate()
            .flat_map(quarters)
            .chain(last)
            .collect();
        (xs, ys) = moved(finer.into_iter(), to_degrees);
    }
    if !xs.iter().chain(&ys).all(|value| value.is_finite()) {
        return Err(
            "a feature has coordinates that no longitude and latitude belong to".to_owned(),
        );
    }
    Ok(xs.into_iter().zip(ys).collect::<Vec<_>>().into())
}

fn is_jump(longitudes: &[f64]) -> bool {
    (longitudes[1] - longitudes[0]).abs() > 180.0
}

fn moved(
    points: impl Iterator<Item = (f64, f64)>,
    to_degrees: Option<&crs::Transformation>,
) -> (Vec<f64>, Vec<f64>) {
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = points.unzip();
    if let Some(to_degrees) = to_degrees {
        to_degrees.transform(&mut xs, &mut ys);
    }
    (xs, ys)
}

fn push_ring(line: &mut String, mut ring: LineString<f64>, exterior: bool) {
    ring.close();
    let anticlockwise = geo::Polygon::new(ring.clone(), Vec::new()).signed_area() > 0.0;
    if anticlockwise != exterior {
        ring.0.reverse();
    }
    for (index, point) in ring.0.iter().enumerate() {
        line.push(if index == 0 { '[' } else { ',' });
        let _ = write!(line, "[{:.8},{:.8}]", point.x, point.y);
    }
    line.push(']');
}
