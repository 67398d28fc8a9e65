//! Classes, label polygons, and what the values of a label raster mean.

use crate::display::fields::titled;
use crate::display::html::swatch_html;
use crate::display::records::{NOTHING, count};
use crate::display::{Output, Record, Show, counted, escape, in_font, show_fields, show_records};
use crate::labels::Meaning;
use crate::labels::{
    CellRule, Class, ClassColor, Classes, IGNORE, LabelPolygons, LabelValue, LabelValues,
    ValueCount,
};

/// A swatch and a name; several are a table as [`Classes`] show it.
impl Show for Class {
    fn output(&self) -> Output {
        let [red, green, blue] = self.color;
        Output::html(
            format!("Class {}, color #{red:02x}{green:02x}{blue:02x}", self.name),
            in_font(self.swatch_and_name()),
        )
    }

    fn outputs(classes: &[&Self]) -> Output {
        const MOST: usize = 30;
        let shown = classes.len().min(MOST);
        let (mut text, mut html) = (Vec::new(), Vec::new());
        for (index, class) in classes[..shown].iter().enumerate() {
            text.push(format!("{index:>3}  {}", class.name));
            html.push(format!("<div>{index} {}</div>", class.swatch_and_name()));
        }
        counted(
            Output::styled(text.join("\n"), html.concat()),
            shown,
            classes.len(),
        )
    }
}

impl Class {
    fn swatch_and_name(&self) -> String {
        format!("{} {}", swatch_html(self.color), escape(&self.name))
    }
}

impl Record for ValueCount {
    const COLUMNS: &'static [&'static str] = &["value", "pixels", "name"];

    fn cells(&self) -> Vec<String> {
        let name = self.name.clone();
        vec![
            self.value.clone(),
            count(self.pixels),
            name.unwrap_or_else(|| NOTHING.to_owned()),
        ]
    }
}

show_records!(ValueCount);
show_fields!(CellRule, LabelValue, ClassColor);

/// How many polygons there are of each class.
impl Show for LabelPolygons {
    fn output(&self) -> Output {
        let mut counts = std::collections::BTreeMap::<u8, (usize, usize)>::new();
        for (shape, class) in self.polygons() {
            let (polygons, points) = counts.entry(*class).or_default();
            *polygons += 1;
            *points += geo::CoordsIter::coords_count(shape);
        }
        let title = format!(
            "Label polygons: {} in pixel coordinates, later ones over earlier ones",
            count(self.polygons().len())
        );
        let rows: Vec<Vec<String>> = (counts.iter().take(30))
            .map(|(class, (polygons, points))| {
                let class = match *class {
                    IGNORE => format!("{IGNORE} (ignored)"),
                    0 => "0 (background)".to_owned(),
                    class => class.to_string(),
                };
                vec![class, count(*polygons), count(*points)]
            })
            .collect();
        if rows.is_empty() {
            return titled(&title, &[]);
        }
        let heads = ["class", "polygons", "points"];
        Output::html(
            format!("{title}\n{}", crate::plot::table_text(&heads, &rows)),
            in_font(escape(&title)) + &crate::plot::table_html(&heads, &rows),
        )
    }
}

/// What each value means.
impl Show for LabelValues {
    fn output(&self) -> Output {
        let mut facts: Vec<(&str, String)> = Vec::new();
        let names = |classes: &[String]| super::list_words(classes, 12);
        match &self.meaning {
            Meaning::Indices(classes) => {
                let named: Vec<String> = (classes.names().iter().enumerate())
                    .map(|(index, name)| format!("{index} {name}"))
                    .collect();
                facts.push(("class indices", names(&named)));
            }
            Meaning::Named(values) => {
                let named: Vec<String> = (values.iter())
                    .map(|(value, name)| format!("{value} {name}"))
                    .collect();
                facts.push(("values", names(&named)));
            }
            Meaning::Binary(class) => facts.push(("all but 0", class.clone())),
            Meaning::Threshold(class, least) => {
                facts.push(("class", class.clone()));
                facts.push(("from", least.to_string()));
            }
            Meaning::Bands(classes) => facts.push(("a band each", names(classes))),
            Meaning::OfFile(None) => facts.push(("values", "as the file says".to_owned())),
            Meaning::OfFile(Some(style)) => {
                facts.push(("values", format!("as {} says", style.display())));
            }
        }
        for (what, values) in [("background", &self.background), ("ignored", &self.ignored)] {
            if !values.is_empty() {
                facts.push((what, super::list_words(values, 12)));
            }
        }
        facts.push(("other values", format!("{:?}", self.others).to_lowercase()));
        if let Some(class) = &self.nodata {
            facts.push(("nodata", class.clone()));
        }
        facts.push((
            "classes",
            super::list_words(&Classes::names(&self.classes()), 20),
        ));
        titled("LabelValues", &facts)
    }
}
