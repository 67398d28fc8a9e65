use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use geo::MultiPolygon;

use super::assign::{Matched, Unmatched, by_rules, by_table, fields_of};
use super::buffering::{Buffering, Stopped};
use super::class::{LabelClass, listed, near};
use super::geometry::{GeometryReader, NOT_AN_AREA};
use super::layer::OpenLayer;
use super::project::Projector;
use super::unicode::composed;
use super::values::Field;
use super::{VectorError, VectorSource};
use crate::host::Step;
use crate::raster::GeoReference;
use crate::report::{Notice, Report, file_name};
use crate::{Result, session};

/// One feature with an area.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its shape in pixel coordinates of the raster it was read for, with sub-pixel precision.
    pub geometry: MultiPolygon<f64>,
    /// The value of the property that was asked for; `None` without one, or where the feature has no value.
    pub class: Option<String>,
}

/// What reading a vector file met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReadReport {
    /// Features in the file.
    pub features: usize,
    /// Features that were left out, counted by reason.
    pub skipped: BTreeMap<&'static str, usize>,
    /// Features whose broken parts were left out or mended, counted by what was wrong.
    pub mended: BTreeMap<&'static str, usize>,
    /// Whether the file names no coordinate reference system, so that the raster's was taken.
    pub assumed_crs: bool,
    /// Everything else: the layer that was chosen, the property, the encoding of text.
    pub notices: Report,
    /// What else was assumed or converted about where the features lie.
    pub place: Report,
}

impl ReadReport {
    /// What was left out, mended or assumed, as notices about the file.
    #[must_use]
    pub fn report(&self, path: &Path) -> Report {
        let mut report = self.notices.clone();
        let about = file_name(path);
        for (reason, &count) in &self.skipped {
            let text = format!("{count} of {} features: {reason}", self.features);
            let notice = Notice::left_out(text).about(about.clone()).count(count);
            report.push(match *reason == NOT_AN_AREA {
                true => notice.next(format!("{} makes areas of them", Step::BufferLines)),
                false => notice,
            });
        }
        for (reason, &count) in &self.mended {
            let text = format!("{count} of {} features: {reason}", self.features);
            report.push(Notice::repaired(text).about(about.clone()).count(count));
        }
        if self.assumed_crs {
            let text = "the file names no coordinate reference system, so the raster's was taken";
            report.push(Notice::assumed(text).about(about));
        }
        report.extend(self.place.clone());
        report
    }

    /// What was met in another file, too.
    pub(crate) fn join(&mut self, other: Self) {
        self.features += other.features;
        for (own, others) in [
            (&mut self.skipped, other.skipped),
            (&mut self.mended, other.mended),
        ] {
            for (reason, count) in others {
                *own.entry(reason).or_default() += count;
            }
        }
        self.assumed_crs |= other.assumed_crs;
        self.notices.extend(other.notices);
        self.place.extend(other.place);
    }

    /// One sentence about what was left out or mended; `None` when all was well.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let list = |counts: &BTreeMap<&'static str, usize>| {
            counts
                .iter()
                .map(|(reason, count)| format!("{count} {reason}"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut parts = Vec::new();
        if !self.skipped.is_empty() {
            parts.push(format!(
                "left out of {} features: {}",
                self.features,
                list(&self.skipped)
            ));
        }
        if !self.mended.is_empty() {
            parts.push(format!("mended: {}", list(&self.mended)));
        }
        if self.assumed_crs {
            parts.push(
                "the file names no coordinate reference system, so the raster's was taken"
                    .to_owned(),
            );
        }
        parts.extend(self.place.iter().map(|notice| notice.text().to_owned()));
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// The names of the properties that the features of a file have.
///
/// # Errors
/// [`VectorError`] when there is no such file, it is not a vector file, or it has several layers and names none of them.
pub fn property_names(source: impl Into<VectorSource>) -> Result<Vec<String>> {
    Ok(OpenLayer::open(&source.into(), &[])?.property_names())
}

/// Reads every polygon of a file into the pixels of a raster; see [`read_polygons_reported`] for what was left out.
///
/// # Errors
/// As [`read_polygons_reported`].
pub fn read_polygons(
    source: impl Into<VectorSource>,
    target: &GeoReference,
    class_property: Option<&str>,
) -> Result<Vec<Feature>> {
    read_polygons_reported(source, target, class_property).map(|(features, _)| features)
}

/// Reads every polygon of a file, reprojected from the file's own coordinate reference system into the pixels of a
/// raster. Rings with fewer than three different points and coordinates that are not numbers are left out and counted;
/// a ring that crosses itself is kept and filled by the even-odd rule. A file without features has no polygons. Lines and
/// points are left out and counted, unless [`VectorSource::buffer`] makes areas of them; these are cut where they are too far
/// from a raster of known size to matter, and what lies elsewhere is the rectangle around it.
///
/// # Units
/// Pixel coordinates of `target`, where the center of the first pixel is `(0.5, 0.5)`.
///
/// # Errors
/// [`VectorError::NoProperty`] lists the properties when there is none of that name; [`VectorError::NoPolygons`] when
/// there are features and none is an area; [`VectorError::Read`] when not all features can be read.
pub fn read_polygons_reported(
    source: impl Into<VectorSource>,
    target: &GeoReference,
    class_property: Option<&str>,
) -> Result<(Vec<Feature>, ReadReport)> {
    let class = match class_property {
        Some(property) => LabelClass::property(property),
        None => LabelClass::one(""),
    };
    let read = read_classified(&source.into(), target, &class)?;
    Ok((read.features, read.report))
}

/// The column that says by a 1 which polygons of four corners are rotated boxes, as [`crate::scene::Scene::save_boxes`] writes it.
pub(crate) const ROTATED: &str = "rotated";

/// The polygons of a label file with their classes.
#[derive(Debug)]
pub(crate) struct Classified {
    pub(crate) features: Vec<Feature>,
    /// Those without a class in a table or by rules.
    pub(crate) unmatched: BTreeMap<usize, String>,
    pub(crate) report: ReadReport,
    /// The property whose values are the classes; `None` where every feature is of one class.
    pub(crate) property: Option<String>,
    /// Those that the file calls rotated boxes.
    pub(crate) rotated: BTreeSet<usize>,
    /// Whether features far from the raster were passed over, which lies among them.
    pub(crate) near: bool,
}

impl Classified {
    /// How many features there are of each class.
    pub(crate) fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for class in self.features.iter().filter_map(|one| one.class.as_ref()) {
            *counts.entry(class.clone()).or_default() += 1;
        }
        counts
    }
}

/// Reads the polygons of a label file and what they are called. A file without features is none of its errors, not even
/// when it has no properties either.
///
/// # Errors
/// As [`read_polygons_reported`].
pub(crate) fn read_classified(
    source: &VectorSource,
    target: &GeoReference,
    class: &LabelClass,
) -> Result<Classified> {
    let layer = OpenLayer::open_for(source, class.asked().as_slice(), target)?;
    let names = layer.property_names();
    let found = class.find(&names);
    let rules = class.rule_rows();
    let matched = match rules {
        Some(rules) => Matched::of(&layer, rules)?,
        None => Matched::default(),
    };
    let mut fields = match rules {
        Some(_) => fields_of(&layer, &matched.properties),
        None => fields_of(&layer, found.property.as_slice()),
    };
    let says_rotated = layer.field(ROTATED);
    fields.extend(says_rotated);
    let Read {
        features,
        numbers,
        mut report,
    } = read_layer(&layer, source, target, &fields)?;
    // Of features near a scene nothing can be said of the file: another scene has read it whole.
    if features.is_empty() && report.features > 0 && !layer.is_near() {
        return Err(VectorError::NoPolygons {
            path: source.path().to_owned(),
            features: report.features,
            reasons: report.notice().unwrap_or_default(),
        }
        .into());
    }
    if report.features == 0 && layer.is_near() {
        // Nothing here.
    } else if report.features == 0 {
        check_filter(&layer, source)?;
    } else if found.property.is_none() && class.needs_property() {
        return Err(no_property(source.path(), class.word(), names));
    }
    let (shapes, mut values): (Vec<_>, Vec<_>) = features.into_iter().unzip();
    let mut rotated = BTreeSet::new();
    if says_rotated.is_some() {
        for (at, values) in values.iter_mut().enumerate() {
            let said = values.pop().flatten();
            if said.is_some_and(|said| is_true(&said)) {
                rotated.insert(at);
            }
        }
    }
    let by_property = |values: &mut Vec<Option<String>>| values.pop().flatten();
    let classes = values.iter_mut().map(|values| match rules {
        Some(_) => None,
        None => by_property(values),
    });
    let features: Vec<Feature> = shapes
        .into_iter()
        .zip(classes)
        .map(|(geometry, class)| Feature { geometry, class })
        .collect();
    let mut read = Classified {
        features,
        unmatched: Unmatched::new(),
        report: ReadReport::default(),
        property: found.property,
        rotated,
        near: layer.is_near(),
    };
    let respelled = match class.targets() {
        Some(_) => Vec::new(),
        None => respell(&mut read.features),
    };
    if let Some(rows) = class.table_rows() {
        read.unmatched = by_table(&mut read.features, rows);
    }
    if let Some(rules) = rules {
        read.unmatched = by_rules(
            &layer,
            &mut read.features,
            &numbers,
            &values,
            &matched,
            rules,
        )?;
    }
    let about = file_name(source.path());
    let mut notices = Report::new();
    notices.extend(
        read.property
            .as_ref()
            .and_then(|property| class.values_notice(property, &read.counts())),
    );
    notices.extend(found.notice);
    notices.extend(respelled);
    notices.extend(capitals(&read.counts()));
    let all = std::mem::take(&mut report.notices);
    report.notices = notices
        .into_iter()
        .map(|notice| notice.about(about.clone()))
        .chain(all)
        .collect();
    read.report = report;
    Ok(read)
}

/// `1`, `1.0`, `true`.
fn is_true(text: &str) -> bool {
    let text = text.trim();
    text.eq_ignore_ascii_case("true") || text.parse::<f64>().is_ok_and(|number| number == 1.0)
}

pub(super) fn no_property(path: &Path, property: &str, names: Vec<String>) -> crate::Error {
    VectorError::NoProperty {
        path: path.to_owned(),
        property: property.to_owned(),
        near: near(property, &names),
        names,
    }
    .into()
}

/// That no feature passes a filter is an error where there are some: a slip in it would make everything background.
fn check_filter(layer: &OpenLayer, source: &VectorSource) -> Result<()> {
    let Some(filter) = &source.filter else {
        return Ok(());
    };
    match layer.unfiltered()? {
        0 => Ok(()),
        features => Err(VectorError::NothingPasses {
            path: source.path().to_owned(),
            filter: filter.clone(),
            features,
            names: layer.property_names(),
        }
        .into()),
    }
}

/// Brings the classes into one spelling: blanks around a name and letters apart from their marks are nobody's intent, and
/// would make two classes of one. A name of blanks alone is none.
fn respell(features: &mut [Feature]) -> Vec<Notice> {
    let (mut trimmed, mut one_form) = (0, 0);
    for class in features.iter_mut().map(|feature| &mut feature.class) {
        let Some(name) = class else { continue };
        let short = name.trim();
        let whole = composed(short);
        trimmed += usize::from(short.len() != name.len());
        one_form += usize::from(whole != short);
        if whole != name.as_str() {
            *class = Some(whole.into_owned()).filter(|name| !name.is_empty());
        }
    }
    let said = |count: usize, what: &str| {
        (count > 0).then(|| Notice::repaired(format!("{what} of {count} features")).count(count))
    };
    [
        said(trimmed, "blanks were cut from the class names"),
        said(
            one_form,
            "letters and their marks were composed (Unicode NFC) in the class names",
        ),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// That classes differ in capitals alone, which they are kept with.
fn capitals(counts: &BTreeMap<String, usize>) -> Option<Notice> {
    let mut groups: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (name, &count) in counts {
        let group = groups.entry(name.to_lowercase()).or_default();
        group.insert(name.clone(), count);
    }
    let twins: Vec<String> = groups
        .values()
        .filter(|group| group.len() > 1)
        .map(listed)
        .collect();
    (!twins.is_empty()).then(|| {
        let text = format!(
            "classes that differ in capitals alone: {}",
            twins.join("; ")
        );
        Notice::noted(text).next("if they are one class, write them alike in the file")
    })
}

/// Polygons in pixels, each with the values of the properties that were asked for.
pub(crate) type Valued = (MultiPolygon<f64>, Vec<Option<String>>);

/// As [`read_polygons_reported`] with any number of properties, as text; `None` where a feature has no value. A file
/// without features is none of its errors.
pub(crate) fn read_values(
    source: &VectorSource,
    target: &GeoReference,
    properties: &[&str],
) -> Result<(Vec<Valued>, ReadReport)> {
    let layer = OpenLayer::open(source, properties)?;
    let field = |property: &&str| {
        let field = layer.field(property);
        field.ok_or_else(|| no_property(source.path(), property, layer.property_names()))
    };
    let fields = properties.iter().map(field).collect::<Result<Vec<_>>>()?;
    let read = read_layer(&layer, source, target, &fields)?;
    Ok((read.features, read.report))
}

/// What a layer holds.
struct Read {
    features: Vec<Valued>,
    /// Each feature's number (FID).
    numbers: Vec<i64>,
    report: ReadReport,
}

fn read_layer(
    layer: &OpenLayer,
    source: &VectorSource,
    target: &GeoReference,
    fields: &[&Field],
) -> Result<Read> {
    let mut report = ReadReport::default();
    // A system that is there and cannot be read is no reason to guess one; where another is stated, it does not matter.
    // Drivers read it once, and complain once.
    let own = layer.crs_wkt();
    if source.crs.is_none() {
        own?;
    }
    let projector = Projector::new(layer.raw(), layer.path(), source.crs.as_deref(), target)?;
    let buffering = source.buffer.as_ref();
    let buffering = buffering
        .map(|buffer| Buffering::new(buffer, layer, layer.path(), target))
        .transpose()?;
    let (mut features, mut numbers) = (Vec::new(), Vec::new());
    let mut replaced = 0;
    layer.for_each(|feature, count| -> Result<()> {
        if count % 4096 == 0 {
            session::check_interrupt("reading labels")?;
        }
        report.features += 1;
        // SAFETY: the feature lives until this call ends.
        let distance = buffering
            .as_ref()
            .map(|buffering| unsafe { buffering.distance(feature, &layer.texts) });
        let mut reader = GeometryReader {
            projector: &projector,
            reach: buffering
                .as_ref()
                .zip(distance)
                .map(|(buffering, distance)| {
                    distance.map(|(distance, _)| buffering.reach(distance))
                }),
            polygons: Vec::new(),
            lines: Vec::new(),
            trouble: None,
        };
        // SAFETY: the feature lives until this call ends and owns its geometry.
        unsafe { reader.read(gdal_sys::OGR_F_GetGeometryRef(feature)) };
        let GeometryReader {
            mut polygons,
            lines,
            mut trouble,
            ..
        } = reader;
        if let (Some(buffering), Some(Ok((distance, replaces)))) = (&buffering, distance) {
            let growing = match buffering.takes_polygons() {
                true => std::mem::take(&mut polygons),
                false => Vec::new(),
            };
            if !(lines.is_empty() && growing.is_empty()) {
                replaced += usize::from(replaces);
                match buffering.areas(lines, &growing, distance) {
                    Ok(areas) => polygons.extend(areas),
                    Err(Stopped::Trouble(what)) => trouble = Some(what),
                    Err(Stopped::Error(error)) => return Err(error),
                }
            }
        }
        if polygons.is_empty() {
            *report
                .skipped
                .entry(trouble.unwrap_or("without a geometry"))
                .or_default() += 1;
            return Ok(());
        }
        if let Some(trouble) = trouble {
            *report.mended.entry(trouble).or_default() += 1;
        }
        // SAFETY: the feature lives until this call ends, and the fields are its layer's.
        let value = |field: &&Field| unsafe { field.value(feature, &layer.texts) };
        let values = fields.iter().map(value).collect();
        features.push((MultiPolygon::new(polygons), values));
        // SAFETY: as above.
        numbers.push(unsafe { gdal_sys::OGR_F_GetFID(feature) });
        Ok(())
    })?;
    report.notices = layer.notices.clone();
    let guessed = layer.texts.guessed();
    if guessed > 0 {
        let text =
            format!("{guessed} texts are not UTF-8 and were read as ISO-8859-1 (Windows-1252)");
        let notice = Notice::assumed(text).about(file_name(layer.path()));
        let step = "`VectorSource::new(path).encoding(name)` names another encoding";
        report.notices.push(notice.count(guessed).next(step));
    }
    if replaced > 0 {
        let text = format!(
            "{replaced} of {} features: whose value for their buffer is no number of meters above 0 got the distance of those \
             without one",
            report.features
        );
        let notice = Notice::assumed(text).about(file_name(layer.path()));
        let step = "correct the values in the file, or choose another property";
        report.notices.push(notice.count(replaced).next(step));
    }
    if layer.is_in_order_of_index() && !numbers.is_sorted() {
        // Later features lie over earlier ones of the file, not of its index.
        let mut both: Vec<_> = numbers.into_iter().zip(features).collect();
        both.sort_by_key(|(number, _)| *number);
        (numbers, features) = both.into_iter().unzip();
    }
    projector.finish(layer.path(), &features, &mut report)?;
    Ok(Read {
        features,
        numbers,
        report,
    })
}
