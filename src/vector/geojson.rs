use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use geo::{Area, Coord, LineString, MultiPolygon};

use super::measured::Measured;
use super::project::meridian;
use super::write::area_name;
use super::{PointFeature, PolygonFeature, VectorError};
use crate::raster::crs;
use crate::staged::StagedFile;
use crate::{Result, session};

/// Writes RFC 7946 GeoJSON: WGS 84 longitude and latitude, no `crs` member, exterior rings anticlockwise and holes
/// clockwise, closed rings, eight decimals (a millimeter), cut at the 180th meridian. Without a reference system the coordinates stay as they are, and
/// a member `"crs": null` says that they are no degrees.
pub(super) fn write(path: &Path, features: &[PolygonFeature], crs_wkt: &str) -> Result<()> {
    let area_name = area_name(crs_wkt);
    write_features(path, features, crs_wkt, |line, feature, to_degrees| {
        push_head(line, &feature.class, feature.score)?;
        let _ = write!(line, ",\"{area_name}\":{:.2}", feature.area_m2);
        push_polygon(line, &feature.geometry, to_degrees)
    })
}

/// As [`write()`] with the columns `names` in the place of the area.
pub(super) fn write_measured(
    path: &Path,
    features: &[Measured<'_>],
    names: &[&str],
    crs_wkt: &str,
) -> Result<()> {
    write_features(path, features, crs_wkt, |line, feature, to_degrees| {
        push_head(line, feature.class, feature.score)?;
        for (name, number) in names.iter().zip(&feature.numbers) {
            // JSON has no word for what is no number.
            let _ = match number.is_finite() {
                true => write!(line, ",\"{name}\":{number}"),
                false => write!(line, ",\"{name}\":null"),
            };
        }
        push_polygon(line, feature.geometry, to_degrees)
    })
}

/// As [`write()`] for points.
pub(super) fn write_points(path: &Path, features: &[PointFeature], crs_wkt: &str) -> Result<()> {
    write_features(path, features, crs_wkt, push_point)
}

type ToDegrees = Option<crs::Transformation>;

fn write_features<F>(
    path: &Path,
    features: &[F],
    crs_wkt: &str,
    push: impl Fn(&mut String, &F, &ToDegrees) -> Result<(), String>,
) -> Result<()> {
    let to_degrees = if crs_wkt.is_empty() {
        None
    } else {
        Some(crs::between(
            &crs::parse(crs_wkt)?,
            &crs::parse("EPSG:4326")?,
        )?)
    };
    let fail = |detail: String| VectorError::Write {
        path: path.to_owned(),
        detail,
    };
    let io = |error: std::io::Error| fail(error.to_string());
    let staged = StagedFile::new(path, "new").map_err(io)?;
    let mut file = std::io::BufWriter::new(std::fs::File::create(staged.path()).map_err(io)?);
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
    .map_err(io)?;
    let mut line = String::new();
    for (index, feature) in features.iter().enumerate() {
        if index % 4096 == 0 {
            session::check_interrupt("writing vectors")?;
        }
        line.clear();
        line.push_str(if index == 0 { "\n" } else { ",\n" });
        push(&mut line, feature, &to_degrees).map_err(fail)?;
        file.write_all(line.as_bytes()).map_err(io)?;
    }
    file.write_all(b"\n]}\n").map_err(io)?;
    file.flush().map_err(io)?;
    drop(file);
    staged.commit().map_err(io)?;
    Ok(())
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
