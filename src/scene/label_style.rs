//! Names and colors that a label raster brings itself: category names, a color table, a style of QGIS.

use std::borrow::Cow;

use crate::Result;
use crate::labels::{
    BACKGROUND, Classes, LabelError, LabelValue, LabelValues, Meaning, NumberKind, ValueCounts,
};
use crate::raster::{LabelFile, Style, StyledValue, read_style, style_beside};
use crate::report::{Notice, Report, file_name};

/// Values that code to paste names.
const SUGGESTED: usize = 12;

/// What the user says of the values, or in its place what the file does. A style beside the file also names values for
/// messages.
///
/// # Errors
/// [`LabelError::Style`], [`LabelError::NoNames`].
pub(super) fn labels_of<'a>(
    file: &mut LabelFile,
    labels: &'a LabelValues,
    (counts, kind): (&ValueCounts, NumberKind),
    report: &mut Report,
) -> Result<Cow<'a, LabelValues>> {
    let path = file.raster.path().to_owned();
    let beside = style_beside(&path);
    let Meaning::OfFile(given) = &labels.meaning else {
        if let Some(style) = beside.filter(|_| file.names.is_empty()) {
            match read_style(&style) {
                Ok(style) => {
                    let whole = style.values.into_iter();
                    let whole = whole.filter(|of| of.value.fract() == 0.0 && !is_bare(of));
                    file.names = whole.map(|of| (of.value as i64, of.name)).collect();
                }
                // What nobody asked for is no reason to stop.
                Err(error) => {
                    report.push(Notice::left_out(error.to_string()).about(file_name(&style)));
                }
            }
        }
        return Ok(Cow::Borrowed(labels));
    };
    let style = match (given, beside) {
        (Some(given), _) => Some(read_style(given)?),
        (None, Some(beside)) if file.names.is_empty() || !is_colored(&file.palette) => {
            match read_style(&beside) {
                Ok(style) => Some(style),
                Err(error) if file.names.is_empty() => return Err(error.into()),
                Err(error) => {
                    report.push(Notice::left_out(error.to_string()).about(file_name(&beside)));
                    None
                }
            }
        }
        (None, _) => None,
    };
    let values = match &style {
        Some(style) if given.is_some() || file.names.is_empty() => style.values.clone(),
        _ => named(file),
    };
    if values.is_empty() {
        let shown = counts.values.iter().take(SUGGESTED);
        let codes = shown.map(|(value, _)| format!("({}, \"CLASS\")", kind.shown(*value)));
        let codes: Vec<String> = codes.collect();
        return Err(LabelError::NoNames {
            style: path.with_extension("qml"),
            path,
            values: counts.listed(kind).into(),
            suggestion: format!(
                "say what they mean: `LabelValues::codes([{}])`; or `LabelValues::style(\"STYLE.qml\")` takes a style that lies elsewhere",
                codes.join(", ")
            )
            .into(),
        }
        .into());
    }
    if let Some(style) = &style {
        tell(style, report);
    }
    let colors = Colors {
        file,
        style: style.as_ref(),
        first: given.is_some(),
    };
    let known = Known {
        nodata: file.nodata(&crate::raster::Reading::Band(
            file.plain_bands().first().copied().unwrap_or(0),
        )),
        counts,
    };
    Ok(Cow::Owned(meaning(labels, values, &colors, &known, report)))
}

/// What is known of the values that the raster has.
struct Known<'a> {
    nodata: Option<f64>,
    counts: &'a ValueCounts,
}

impl Known<'_> {
    /// Whether a value may occur.
    fn may_hold(&self, value: f64) -> bool {
        self.counts.one_of > 1 || self.counts.more > 0 || self.counts.of(value) > 0
    }
}

/// What the user would have written, had he written down what the file says.
fn meaning(
    labels: &LabelValues,
    values: Vec<StyledValue>,
    colors: &Colors<'_>,
    known: &Known<'_>,
    report: &mut Report,
) -> LabelValues {
    let explicit = |value: f64| {
        let mut of_user = labels.background.iter().chain(&labels.ignored);
        of_user.any(|one| one.number() == LabelValue::Number(value).number())
    };
    let mut written = LabelValues {
        meaning: Meaning::Named(Vec::new()),
        ..labels.clone()
    };
    let (mut named, mut classes) = (Vec::new(), Classes::new([] as [&str; 0]));
    for of in values {
        if explicit(of.value) {
            continue;
        }
        if of.name.eq_ignore_ascii_case(BACKGROUND) {
            written.background.push(LabelValue::Number(of.value));
            continue;
        }
        if known.nodata == Some(of.value) {
            let pixels = known.counts.of(of.value);
            if pixels > 0 && !is_bare(&of) {
                let text = format!(
                    "{} is the file's nodata value and called {:?}: {pixels} pixels are without data",
                    of.value, of.name
                );
                report.push(
                    Notice::noted(text)
                        .count(pixels as usize)
                        .about(file_name(colors.file.raster.path())),
                );
            }
            continue;
        }
        // QGIS lists all 256 values of a palette, each called by its number.
        if is_bare(&of) && !known.may_hold(of.value) {
            continue;
        }
        classes = classes.and([of.name.clone()]);
        if let Some(color) = colors.of(&of) {
            // The first value of a class gives its color.
            let new = !named.iter().any(|(_, name)| *name == of.name);
            if new && classes.index_of(&of.name).is_some() {
                classes = classes.with_color(&of.name, color);
            }
        }
        named.push((LabelValue::Number(of.value), of.name));
    }
    written.meaning = Meaning::Named(named);
    written.order = Some(match written.order.take() {
        None => classes,
        // A model's classes have the model's colors.
        Some(order) => order,
    });
    written
}

/// Where colors come from.
struct Colors<'a> {
    file: &'a LabelFile,
    style: Option<&'a Style>,
    /// Whether the style goes before the file's own table.
    first: bool,
}

impl Colors<'_> {
    fn of(&self, value: &StyledValue) -> Option<[u8; 3]> {
        let of_style = || {
            let all = self.style.into_iter().flat_map(|style| &style.values);
            let mut same = all.filter(|one| one.value == value.value);
            same.find_map(|one| one.color)
        };
        let of_table = || {
            let index = value.value;
            let fits = index.fract() == 0.0 && index >= 0.0 && is_colored(&self.file.palette);
            fits.then(|| self.file.palette.get(index as usize).copied())?
        };
        match self.first {
            true => of_style().or_else(of_table),
            false => of_table().or_else(of_style),
        }
    }
}

/// Whether a color table tells values apart: some programs leave one of black alone.
fn is_colored(palette: &[[u8; 3]]) -> bool {
    palette
        .first()
        .is_some_and(|first| palette.iter().any(|color| color != first))
}

/// Whether a value is called by its number.
fn is_bare(of: &StyledValue) -> bool {
    of.name.parse::<f64>().is_ok_and(|name| name == of.value)
}

/// The file's own names.
fn named(file: &LabelFile) -> Vec<StyledValue> {
    let names = file.names.iter();
    names
        .map(|(value, name)| StyledValue {
            value: *value as f64,
            name: name.trim().to_owned(),
            color: None,
        })
        .collect()
}

fn tell(style: &Style, report: &mut Report) {
    let about = file_name(&style.path);
    let colorless = style.values.iter().filter(|of| of.color.is_none()).count();
    if style.left_out > 0 {
        let text = format!(
            "{} entries of the style have no value that a pixel can have",
            style.left_out
        );
        report.push(
            Notice::left_out(text)
                .count(style.left_out)
                .about(about.clone()),
        );
    }
    if colorless > 0 {
        let text = format!(
            "{colorless} colors of the style are not written as #rrggbb: classes have our own"
        );
        report.push(Notice::left_out(text).count(colorless).about(about));
    }
}
