//! What a cell shows of many scenes: a table, a map of where they lie, what they hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use geo::{BoundingRect, Polygon};
use rayon::prelude::*;

use super::Scenes;
use super::collection::Member;
use super::footprint::ground;
use crate::display::{FONT, Output, Show, escape, in_font};
use crate::plot::{table_html, table_text};
use crate::report::{Notice, Report, Topic};
use crate::scene::Scene;
use crate::session;

/// Scenes in the table.
const ROWS: usize = 20;
/// The longer side of the map, in pixels.
const MAP: f64 = 280.0;
/// Scenes on the map.
const OUTLINES: usize = 2000;
/// What several scenes say alike is said once from so many on.
const ALIKE: usize = 3;

const HEADS: [&str; 7] = ["", "scene", "size", "bands", "type", "pixel", "labels"];

impl Show for Scenes {
    fn output(&self) -> Output {
        let rows: Vec<Vec<String>> = self
            .inner
            .members
            .iter()
            .take(ROWS)
            .enumerate()
            .map(|(index, member)| row(index, member))
            .collect();
        let (more, summary) = (self.len().saturating_sub(ROWS), self.summary());
        let rest = match more {
            0 => String::new(),
            more => format!("\n… and {more} more"),
        };
        let text = format!("{summary}\n\n{}{rest}", table_text(&HEADS, &rows));
        let map = self.place_map();
        let html = format!(
            "<div style=\"{FONT}\"><div>{}</div><div style=\"display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start\">\
             <div>{}<div>{}</div></div>{map}</div></div>",
            escape(&summary),
            table_html(&HEADS, &rows),
            escape(rest.trim())
        );
        Output {
            alt: summary,
            ..Output::html(text, in_font(html))
        }
        .with_report(&self.report())
    }
}

crate::show_in_cells!(Scenes);

impl Scenes {
    /// `12 scenes, 3 bands, 36.0 million pixels, classes: building`.
    fn summary(&self) -> String {
        let (count, bands) = (self.len(), self.band_count());
        let pixels: usize = self.iter().map(|scene| scene.area().area()).sum();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let pixels = match pixels {
            0..1_000_000 => format!("{pixels} pixels"),
            _ => format!("{:.1} million pixels", pixels as f64 / 1e6),
        };
        format!(
            "{count} scene{}, {bands} band{}, {pixels}{}",
            plural(count),
            plural(bands),
            self.classes().in_words()
        )
    }

    /// Where the scenes lie on the ground; nothing when none has a place.
    fn place_map(&self) -> String {
        let scenes: Vec<&Scene> = self.iter().take(OUTLINES).collect();
        let Ok(outlines) = ground(&scenes) else {
            return String::new();
        };
        let placed: Vec<(usize, &Polygon<f64>)> = outlines
            .iter()
            .enumerate()
            .filter_map(|(index, outline)| Some((index, outline.as_ref()?)))
            .collect();
        let bounds = placed
            .iter()
            .filter_map(|(_, polygon)| polygon.bounding_rect());
        let Some(bounds) = bounds.reduce(|all, one| {
            geo::Rect::new(
                geo::coord! { x: all.min().x.min(one.min().x), y: all.min().y.min(one.min().y) },
                geo::coord! { x: all.max().x.max(one.max().x), y: all.max().y.max(one.max().y) },
            )
        }) else {
            return String::new();
        };
        let side = bounds.width().max(bounds.height()).max(f64::MIN_POSITIVE);
        let scale = MAP / side;
        let (width, height) = (bounds.width() * scale + 4.0, bounds.height() * scale + 4.0);
        let mut shapes = String::new();
        for (index, polygon) in &placed {
            let mut points = String::new();
            for point in polygon.exterior().points() {
                let x = (point.x() - bounds.min().x) * scale + 2.0;
                let y = (bounds.max().y - point.y()) * scale + 2.0;
                let _ = write!(points, "{x:.1},{y:.1} ");
            }
            let name = self
                .inner
                .members
                .get(*index)
                .map_or("", |member| member.name.as_str());
            let _ = write!(
                shapes,
                "<polygon points=\"{}\"><title>{}</title></polygon>",
                points.trim_end(),
                escape(name)
            );
        }
        let caption = match placed.len() == self.len() {
            true => "where the scenes lie on the ground, north up".to_owned(),
            false => format!(
                "where {} of {} scenes lie on the ground, north up",
                placed.len(),
                self.len()
            ),
        };
        format!(
            "<figure style=\"margin:4px 0\"><svg width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{caption}\" \
             fill=\"#4c8dd6\" fill-opacity=\"0.35\" stroke=\"#2a6cb8\" stroke-width=\"1\">{shapes}</svg>\
             <figcaption>{caption}</figcaption></figure>"
        )
    }
}

fn row(index: usize, member: &Member) -> Vec<String> {
    let (scene, (width, height)) = (&member.scene, member.scene.size());
    let raster = scene.raster();
    let polygons = scene.label_polygons().len();
    let labels = match (scene.has_labels(), scene.has_boxes()) {
        (true, _) if polygons > 0 => format!("{polygons} polygons"),
        (true, _) if scene.label_report().is_some() => "all background".to_owned(),
        (true, _) => "raster".to_owned(),
        (false, true) => format!("{} boxes", scene.boxes().len()),
        (false, false) => "–".to_owned(),
    };
    let pixel = raster.gsd().map_or_else(
        || "–".to_owned(),
        |(x, y)| format!("{:.3} m", (x * y).sqrt()),
    );
    vec![
        index.to_string(),
        member.name.clone(),
        format!("{width} x {height}"),
        scene.band_count().to_string(),
        raster.data_type().to_string(),
        pixel,
        labels,
    ]
}

/// `Scenes(12: a, b, c, …)`.
impl std::fmt::Debug for Scenes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.names().take(4).collect();
        let more = if self.len() > 4 { ", …" } else { "" };
        write!(f, "Scenes({}: {}{more})", self.len(), names.join(", "))
    }
}

/// What the scenes have to say, each with its name; what many say alike, but for numbers, once with their count.
pub(super) fn summarized(members: &[Member]) -> Report {
    let mut kinds: BTreeMap<(String, String), Vec<(&str, Notice)>> = BTreeMap::new();
    let mut order = Vec::new();
    // What a raster has to say may take a look at its pixels.
    let reports: Vec<Report> = members
        .par_iter()
        .map(
            |member| match session::check_interrupt("looking at scenes") {
                Ok(()) => member.scene.report(),
                Err(_) => Report::new(),
            },
        )
        .collect();
    let (lacking, lacks) = lacking(members, &reports);
    for (member, own) in members.iter().zip(reports) {
        for notice in own {
            if lacks.is_some() && matches!(notice.topic(), Some(Topic::EmptyClasses(_))) {
                continue;
            }
            let alike: String = notice
                .text()
                .chars()
                .filter(|letter| !letter.is_ascii_digit())
                .collect();
            let key = (notice.kind().word().to_owned(), alike);
            if !kinds.contains_key(&key) {
                order.push(key.clone());
            }
            kinds.entry(key).or_default().push((&member.name, notice));
        }
    }
    let mut report = Report::new();
    if let Some(words) = lacks {
        report.push(Notice::noted(words).count(lacking));
    }
    for key in order {
        let said = kinds.remove(&key).unwrap_or_default();
        let few = said.len() < ALIKE;
        if few {
            for (name, notice) in said {
                let about = match notice.subject() {
                    Some(subject) if subject.contains(name) => subject.to_owned(),
                    Some(subject) => format!("{name}: {subject}"),
                    None => name.to_owned(),
                };
                report.push(notice.about(about));
            }
            continue;
        }
        let count = said.len();
        let counted: Option<u64> = said.iter().map(|(_, notice)| notice.counted()).sum();
        let Some((name, first)) = said.into_iter().next() else {
            continue;
        };
        let mut notice = Notice::new(
            first.kind(),
            format!(
                "{count} of {} scenes, such as {name}: {}",
                members.len(),
                first.text()
            ),
        );
        if let Some(counted) = counted.and_then(|counted| usize::try_from(counted).ok()) {
            notice = notice.count(counted);
        }
        if let Some(next) = first.next_step() {
            notice = notice.next(next);
        }
        report.push(notice);
    }
    report
}

/// How many scenes have no pixel of some class, and which classes in how many of them; `None` in words where so few have none
/// that each may say it.
fn lacking(members: &[Member], reports: &[Report]) -> (usize, Option<String>) {
    let (mut scenes, mut first) = (0, None);
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for (member, own) in members.iter().zip(reports) {
        let classes = own.iter().filter_map(|notice| match notice.topic() {
            Some(Topic::EmptyClasses(classes)) => Some(classes),
            _ => None,
        });
        let classes: Vec<&str> = classes.flatten().map(String::as_str).collect();
        if classes.is_empty() {
            continue;
        }
        scenes += 1;
        first.get_or_insert(member.name.as_str());
        for class in classes {
            match counts.iter_mut().find(|(known, _)| *known == class) {
                Some((_, count)) => *count += 1,
                None => counts.push((class, 1)),
            }
        }
    }
    let Some(first) = first.filter(|_| scenes >= ALIKE) else {
        return (scenes, None);
    };
    let words = counts
        .iter()
        .map(|(class, count)| format!("{class} in {count}"));
    let text = format!(
        "{scenes} of {} scenes have no pixel of some class, such as {first}: no pixel is {}",
        members.len(),
        words.collect::<Vec<_>>().join(", ")
    );
    (scenes, Some(text))
}
