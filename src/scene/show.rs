use super::Scene;
use super::quicklook::Quicklook;
use crate::display::{Output, Show, escape};
use crate::plot::facts_html;

/// The longest side of the picture in a cell, in pixels.
const LONGEST: usize = 800;

impl Show for Scene {
    #[expect(
        clippy::redundant_closure_for_method_calls,
        reason = "the method by its name holds for one lifetime only"
    )]
    fn output(&self) -> Output {
        let look = self.read_quicklook(LONGEST);
        let facts = self.facts(look.as_ref().ok());
        let text: String = facts
            .iter()
            .map(|(name, value)| format!("\n{name:12} {value}"))
            .collect();
        let text = format!("Scene {}{text}", self.name());
        let drawn = look
            .and_then(|look| self.overlay(&look, &self.shown_bands(), |overlay| overlay.output()));
        match drawn {
            Ok(mut output) => {
                let picture = output.html.take().unwrap_or_default();
                Output {
                    html: Some(format!("{picture}{}", facts_html(&facts))),
                    text,
                    ..output
                }
            }
            Err(error) => {
                let html = format!(
                    "{}<div>The picture cannot be drawn: {}</div>",
                    facts_html(&facts),
                    escape(&error.to_string())
                );
                Output::html(
                    format!("{text}\nThe picture cannot be drawn: {error}"),
                    html,
                )
            }
        }
    }
}

crate::show_in_cells!(Scene);

impl Scene {
    /// What there is to know about a scene, one line each.
    fn facts(&self, look: Option<&Quicklook>) -> Vec<(&'static str, String)> {
        let raster = self.raster();
        let (width, height) = self.size();
        let mut facts = vec![("file", raster.path().display().to_string())];
        let ground = match raster.pixel_metres() {
            Some((x, y)) => format!(
                ", {} x {}",
                length(width as f64 * x),
                length(height as f64 * y)
            ),
            None if raster.is_georeferenced() => String::new(),
            None => ", without a place on the ground".to_owned(),
        };
        facts.push(("size", format!("{width} x {height} pixels{ground}")));
        if self.area() != raster.full() {
            let full = raster.size();
            let area = self.area();
            facts.push((
                "area in use",
                format!("{area} of {} x {} pixels", full.width, full.height),
            ));
        }
        if let Some(pixel) = raster.pixel_words() {
            let system = match raster.crs_name() {
                name if name == "none" => "no reference system".to_owned(),
                name => name,
            };
            facts.push(("pixel", format!("{pixel}, {system}")));
        }
        let names = raster.band_names().join(", ");
        let nodata = raster
            .nodata()
            .map_or_else(String::new, |value| format!(", nodata {value}"));
        facts.push((
            "bands",
            format!(
                "{} ({names}), {}{nodata}",
                self.band_count(),
                raster.data_type()
            ),
        ));
        if let Some(look) = look {
            let valid = look.patch.valid_fraction();
            if valid < 1.0 {
                facts.push(("valid", format!("{:.1} % of the pixels", valid * 100.0)));
            }
        }
        if self.has_labels() {
            facts.push(("labels", self.label_facts(look)));
        }
        if self.inner.boxes.as_ref().is_some_and(|boxes| boxes.given) {
            facts.push(("boxes", self.box_facts()));
        }
        facts.extend(
            self.report()
                .iter()
                .map(|notice| ("notice", notice.to_string())),
        );
        facts
    }

    /// `car 213, truck 18`, counting those at least half of which is in use.
    fn box_facts(&self) -> String {
        let counts = self.box_counts();
        if counts.is_empty() {
            return format!("none in use, {} in the whole scene", self.boxes().len());
        }
        let one = |(class, count): (&usize, &usize)| {
            let name = self.classes().get(*class).map_or("", |class| &class.name);
            format!("{name} {count}")
        };
        counts.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// `building 12.3 % (213 polygons), road 4.0 % (18 polygons)`.
    fn label_facts(&self, look: Option<&Quicklook>) -> String {
        let labels = look
            .and_then(|look| look.labels.as_deref())
            .unwrap_or_default();
        let counted = labels
            .iter()
            .filter(|&&label| label != crate::labels::IGNORE)
            .count();
        let one = |(index, class): (usize, &crate::labels::Class)| {
            let pixels = labels
                .iter()
                .filter(|&&label| usize::from(label) == index)
                .count();
            let polygons = self.polygon_count(index);
            let share = if counted == 0 {
                String::new()
            } else {
                format!(" {:.1} %", pixels as f64 / counted as f64 * 100.0)
            };
            let polygons = match polygons {
                0 => String::new(),
                1 => " (1 polygon)".to_owned(),
                count => format!(" ({count} polygons)"),
            };
            format!("{}{share}{polygons}", class.name)
        };
        self.classes()
            .iter()
            .enumerate()
            .skip(1)
            .map(one)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// `640 m`, `12.4 km`.
fn length(metres: f64) -> String {
    if metres >= 1000.0 {
        format!("{:.1} km", metres / 1000.0)
    } else {
        format!("{metres:.0} m")
    }
}
