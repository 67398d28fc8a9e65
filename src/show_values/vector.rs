//! Vector files: where they are, what is in them.

use crate::display::fields::titled;
use crate::display::records::{NOTHING, count, number, perhaps};
use crate::display::{Output, Record, Show, show_fields, show_records};
use crate::vector::{
    Buffer, Feature, Format, LabelClass, LabelPolygon, Outlines, PointFeature, PolygonFeature,
    ReadReport, VectorSource,
};

impl Record for Feature {
    const COLUMNS: &'static [&'static str] = &["class", "polygons", "points"];

    fn cells(&self) -> Vec<String> {
        let class = self.class.clone();
        let mut cells = vec![class.unwrap_or_else(|| NOTHING.to_owned())];
        cells.extend(shape_counts(&self.geometry));
        cells
    }
}

impl Record for PolygonFeature {
    const COLUMNS: &'static [&'static str] = &["class", "score", "area m²", "polygons", "points"];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![
            self.class.clone(),
            perhaps(self.score.map(f64::from)),
            number(self.area_m2),
        ];
        cells.extend(shape_counts(&self.geometry));
        cells
    }
}

impl Record for PointFeature {
    const COLUMNS: &'static [&'static str] = &["class", "score", "x", "y"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.class.clone(),
            perhaps(self.score.map(f64::from)),
            self.point.x().to_string(),
            self.point.y().to_string(),
        ]
    }
}

impl Record for LabelPolygon {
    const COLUMNS: &'static [&'static str] = &["label", "points", "holes"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.label.to_string(),
            count(geo::CoordsIter::coords_count(&self.geometry)),
            count(self.geometry.interiors().len()),
        ]
    }
}

/// What `scene.label_polygons()` lists.
impl Record for (geo::MultiPolygon<f64>, u8) {
    const COLUMNS: &'static [&'static str] = &["class", "polygons", "points", "x", "y"];

    fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.1.to_string()];
        cells.extend(self.0.cells());
        cells
    }
}

show_records!(
    Feature,
    PolygonFeature,
    PointFeature,
    LabelPolygon,
    (geo::MultiPolygon<f64>, u8)
);
show_fields!(VectorSource, LabelClass, Format, Buffer, Outlines);

/// What was read, left out, mended.
impl Show for ReadReport {
    fn output(&self) -> Output {
        let mut facts = vec![("features", count(self.features))];
        for (what, reasons) in [("left out", &self.skipped), ("mended", &self.mended)] {
            let words: Vec<String> = (reasons.iter())
                .map(|(reason, number)| format!("{} {reason}", count(*number)))
                .collect();
            if !words.is_empty() {
                facts.push((what, words.join(", ")));
            }
        }
        if self.assumed_crs {
            facts.push(("system", "assumed".to_owned()));
        }
        titled("ReadReport", &facts)
            .with_report(&self.notices)
            .with_report(&self.place)
    }
}

fn shape_counts(shape: &geo::MultiPolygon<f64>) -> [String; 2] {
    [
        count(shape.0.len()),
        count(geo::CoordsIter::coords_count(shape)),
    ]
}
