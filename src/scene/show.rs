use super::Scene;
use super::quicklook::Quicklook;
use crate::display::{Output, Show, escape, in_font};
use crate::labels::{Classes, IGNORE};
use crate::plot::facts_html;
use crate::report::Report;
use crate::report::{report_html, report_text};

/// The longest side of the picture in a cell, in pixels.
const LONGEST: usize = 800;
/// So many bands are named; a file with more says how many it has.
const NAMED: usize = 16;

impl Show for Scene {
    fn output(&self) -> Output {
        let look = self.read_quicklook(LONGEST);
        let bands = self.shown_bands();
        let mut facts = self.facts(look.as_ref().ok(), &bands);
        if self.has_labels() {
            facts.push(("labels", self.label_facts(look.as_ref().ok())));
        }
        if self.inner.boxes.as_ref().is_some_and(|boxes| boxes.given) {
            facts.push(("boxes", self.box_facts()));
        }
        let drawn = look.and_then(|look| self.overlay(&look, &bands)?.output());
        self.with_facts(
            &format!("Scene {}", self.name()),
            &facts,
            &self.report(),
            drawn,
        )
    }
}

crate::show_in_cells!(Scene);

impl Scene {
    /// A picture of the scene with facts and notices under it, or those alone with the reason why it cannot be drawn.
    pub(crate) fn with_facts(
        &self,
        heading: &str,
        facts: &[(&str, String)],
        report: &Report,
        drawn: crate::Result<Output>,
    ) -> Output {
        let lines: String = facts
            .iter()
            .map(|(name, value)| format!("\n{name:12} {value}"))
            .collect();
        let text = format!("{heading}{lines}{}", report_text(report));
        let below = format!("{}{}", facts_html(facts), report_html(report));
        match drawn {
            Ok(mut output) => {
                let picture = output.html.take().unwrap_or_default();
                Output {
                    html: Some(in_font(format!("{picture}{below}"))),
                    text,
                    ..output
                }
            }
            Err(error) => {
                let reason = escape(&error.to_string());
                Output::styled(
                    format!("{text}\nThe picture cannot be drawn: {error}"),
                    format!("{below}<div>The picture cannot be drawn: {reason}</div>"),
                )
            }
        }
    }

    /// What there is to know about the imagery, one line each; `shown` are the bands of the picture.
    pub(crate) fn facts(
        &self,
        look: Option<&Quicklook>,
        shown: &[usize],
    ) -> Vec<(&'static str, String)> {
        let raster = self.raster();
        let (width, height) = self.size();
        let paths = raster.paths();
        let mut facts = vec![match paths.as_slice() {
            [one] if raster.is_in_memory() => (
                "array",
                format!("{}, in memory", crate::report::file_name(one)),
            ),
            [one] => ("file", one.display().to_string()),
            several => ("files", crate::report::several_files(several)),
        }];
        let ground = match raster.gsd() {
            Some((x, y)) => format!(
                ", {} x {}",
                length(width as f64 * x),
                length(height as f64 * y)
            ),
            None if raster.is_georeferenced() => {
                ", in units that the file does not name".to_owned()
            }
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
        if let Some(aoi) = self.aoi() {
            facts.push(("limited to", self.interest_facts(aoi, look)));
        }
        if let Some(area) = self.labeled_area() {
            let name = area
                .path()
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            facts.push((
                "labeled",
                format!("completely within the areas of {name}; outside nothing counts"),
            ));
        }
        if let Some(rule) = self.cells() {
            facts.push(("cells", rule.words()));
        }
        if let Some(pixel) = raster.pixel_words() {
            let system = match raster.crs_name() {
                name if name == "none" => "no reference system".to_owned(),
                name => name,
            };
            facts.push(("pixel", format!("{pixel}, {system}")));
        }
        facts.push(("bands", self.band_facts()));
        facts.push(("bands shown", self.band_words(shown)));
        if let Some(look) = look {
            let valid = look.patch.valid_fraction();
            if valid < 1.0 {
                facts.push(("valid", format!("{:.1} % of the pixels", valid * 100.0)));
            }
        }
        facts
    }

    /// `3 (red, green, blue), Byte, nodata 0`.
    fn band_facts(&self) -> String {
        let raster = self.raster();
        let mut names = raster.band_names();
        let more = names.len().saturating_sub(NAMED);
        if more > 0 {
            names.truncate(NAMED - 1);
            names.push(format!("… {} more", more + 1));
        }
        let nodata = raster
            .nodata()
            .map_or_else(String::new, |value| format!(", nodata {value}"));
        format!(
            "{} ({}), {}{nodata}",
            self.band_count(),
            names.join(", "),
            raster.data_type()
        )
    }

    /// `what lies inside the areas of aoi.geojson, 12.5 % of the pixels`.
    fn interest_facts(&self, aoi: &super::AreaOfInterest, look: Option<&Quicklook>) -> String {
        let side = if aoi.is_inverted() {
            "what lies outside"
        } else {
            "what lies inside"
        };
        let name = aoi.path().file_name().unwrap_or_default().to_string_lossy();
        let inside = look.and_then(|look| look.inside.as_ref());
        let share = inside.map_or_else(String::new, |inside| {
            let counted = inside.iter().filter(|&&inside| inside != 0).count();
            let share = counted as f64 / inside.len().max(1) as f64;
            format!(", {:.1} % of the pixels", share * 100.0)
        });
        format!("{side} the areas of {name}{share}")
    }

    /// `car 213, truck 18; 45 of them rotated`, counting those at least half of which is in use.
    fn box_facts(&self) -> String {
        let counts = self.box_counts();
        if counts.is_empty() {
            return format!("none in use, {} in the whole scene", self.all_boxes().len());
        }
        let one = |(class, count): (&usize, &usize)| {
            let name = self.classes().get(*class).map_or("", |class| &class.name);
            format!("{name} {count}")
        };
        let counts: Vec<String> = counts.iter().map(one).collect();
        let in_use = self.boxes_in(&self.area(), 0.5);
        let rotated = in_use.iter().filter(|one| one.outline.is_some()).count();
        match rotated {
            0 => counts.join(", "),
            rotated => format!("{}; {rotated} of them rotated", counts.join(", ")),
        }
    }

    /// `background 83.7 %, building 12.3 % (213 polygons), road 4.0 % (18 polygons)`.
    pub(super) fn label_facts(&self, look: Option<&Quicklook>) -> String {
        let labels = look
            .and_then(|look| look.labels.as_deref())
            .unwrap_or_default();
        let polygons = |index: usize| match self.polygon_count(index) {
            0 => String::new(),
            1 => " (1 polygon)".to_owned(),
            count => format!(" ({count} polygons)"),
        };
        let mut text = classes_text(self.classes(), labels, polygons);
        let ignored = look.map_or(0, |look| {
            let ignored = look.ignored(look.labels.as_deref());
            ignored.iter().filter(|&&ignored| ignored).count()
        });
        if ignored > 0 {
            let share = ignored as f64 / labels.len().max(1) as f64 * 100.0;
            text.push_str(&format!("; ignored {share:.1} % of the pixels"));
        }
        text
    }
}

/// `background 83.7 %, building 12.3 %`, each followed by what `more` says of it: shares of the pixels that count.
pub(crate) fn classes_text(
    classes: &Classes,
    labels: &[u8],
    more: impl Fn(usize) -> String,
) -> String {
    let mut counts = [0_usize; 256];
    for label in labels {
        counts[usize::from(*label)] += 1;
    }
    let counted = labels.len() - counts[usize::from(IGNORE)];
    let one = |(index, class): (usize, &crate::labels::Class)| {
        let share = if counted == 0 {
            String::new()
        } else {
            format!(" {:.1} %", counts[index] as f64 / counted as f64 * 100.0)
        };
        format!("{}{share}{}", class.name, more(index))
    };
    let all: Vec<String> = classes.iter().enumerate().map(one).collect();
    all.join(", ")
}

/// `640 m`, `12.4 km`.
fn length(meters: f64) -> String {
    if meters >= 1000.0 {
        format!("{:.1} km", meters / 1000.0)
    } else {
        format!("{meters:.0} m")
    }
}

/// `Scene(vegas, 650 x 650 px, 3 bands, classes: building)`: a line, since tuples and lists of scenes print so.
impl std::fmt::Debug for Scene {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ((width, height), bands) = (self.size(), self.band_count());
        let plural = if bands == 1 { "" } else { "s" };
        let classes = self.classes().in_words();
        write!(
            f,
            "Scene({}, {width} x {height} px, {bands} band{plural}{classes})",
            self.name()
        )
    }
}
