//! Objects as a table by class, and their areas as a picture.

use super::{Object, Objects};
use crate::display::{Output, Show, escape};
use crate::plot::{self, Figure, table_html, table_text};

/// How many objects are seen one by one.
const ROWS: usize = 5;

impl Objects {
    /// How many objects there are of each size: the areas of each class in a color of its own.
    #[must_use]
    pub fn histogram(&self) -> Figure {
        let of_class = |class: &crate::labels::Class| {
            let areas = self.iter().filter(|object| object.class == class.name);
            let areas: Vec<f32> = areas.map(|object| object.area_m2 as f32).collect();
            (class.name.clone(), class.color, areas)
        };
        let mut series: Vec<_> = self.classes().iter().map(of_class).collect();
        series.retain(|(.., areas)| !areas.is_empty());
        let about = &self.about;
        let title = format!("Sizes of {} of {}", self.counted(), about.scene);
        plot::value_histogram(&series, &title, &format!("area, {}", about.unit.of_area()))
    }

    /// `12 areas`, `1 box`.
    fn counted(&self) -> String {
        let (one, many) = self.about.what;
        match self.count() {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        }
    }

    /// `12 areas of town, 3400.0 m²`.
    pub(super) fn summary(&self) -> String {
        let about = &self.about;
        format!(
            "{} of {}, {:.1} {}",
            self.counted(),
            about.scene,
            self.area(),
            about.unit.of_area()
        )
    }

    fn class_rows(&self) -> Vec<Vec<String>> {
        let row = |class: &crate::labels::Class| {
            let objects = self.iter().filter(|object| object.class == class.name);
            let mut areas: Vec<f64> = objects.map(|object| object.area_m2).collect();
            areas.sort_by(f64::total_cmp);
            let (smallest, largest) = (*areas.first()?, *areas.last()?);
            let middle = areas.len() / 2;
            let median = if areas.len().is_multiple_of(2) {
                f64::midpoint(areas[middle - 1], areas[middle])
            } else {
                areas[middle]
            };
            let total = areas.iter().sum::<f64>();
            let mut cells = vec![class.name.clone(), areas.len().to_string()];
            cells.extend([total, median, smallest, largest].map(number));
            Some(cells)
        };
        self.classes().iter().filter_map(row).collect()
    }
}

fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// One object; its center has so many decimal places.
fn object_row(index: usize, object: &Object, places: usize) -> Vec<String> {
    let score = object.score.map(|score| format!("{score:.2}"));
    vec![
        index.to_string(),
        object.class.clone(),
        score.unwrap_or_else(|| "–".to_owned()),
        number(object.area_m2),
        number(object.perimeter_m),
        format!("{:.*}", places, object.center.x()),
        format!("{:.*}", places, object.center.y()),
    ]
}

impl Show for Objects {
    fn output(&self) -> Output {
        let summary = self.summary();
        if self.is_empty() {
            let html = format!("<div><b>{}</b></div>", escape(&summary));
            return Output::styled(summary, html).with_report(self.report());
        }
        let unit = self.about.unit.of_area();
        let total = format!("area, {unit}");
        let by_class = [
            "class",
            "count",
            total.as_str(),
            "median",
            "smallest",
            "largest",
        ];
        let classes = self.class_rows();
        let one_by_one = ["", "class", "score", total.as_str(), "perimeter", "x", "y"];
        let rows: Vec<_> = self
            .iter()
            .enumerate()
            .take(ROWS)
            .map(|(index, object)| object_row(index, object, self.about.places))
            .collect();
        let more = match self.count() - rows.len() {
            0 => String::new(),
            more => format!("and {more} more"),
        };
        let text = format!(
            "{summary}\n{}\n\n{}\n{more}",
            table_text(&by_class, &classes),
            table_text(&one_by_one, &rows)
        );
        let html = format!(
            "<div><b>{}</b></div>{}{}<div>{more}</div>",
            escape(&summary),
            table_html(&by_class, &classes),
            table_html(&one_by_one, &rows)
        );
        Output::styled(text.trim_end(), html).with_report(self.report())
    }
}

crate::show_in_cells!(Objects);
