//! Label rasters of `%scene`: `label_raster=mask.tif binary=building`.

use super::arguments::{Arguments, UsageError};
use super::expand::literal;
use super::table::Magic;

/// The ways to say what the values of a label raster mean.
const WAYS: [&str; 4] = ["classes", "values", "binary", "one_hot"];

/// The call that gives a scene the labels of a raster; `None` when the line names none.
pub(super) fn with_label_raster(
    magic: &Magic,
    arguments: &Arguments,
) -> Result<Option<String>, UsageError> {
    let wrong = |message: String| Err(UsageError::new(magic, message));
    let given: Vec<(&str, &str)> = WAYS
        .iter()
        .filter_map(|way| Some((*way, arguments.option(way)?)))
        .collect();
    let Some(file) = arguments.option("label_raster") else {
        return match given.first() {
            Some((way, _)) => wrong(format!(
                "{way}= needs label_raster=: the raster whose values it explains"
            )),
            None => Ok(None),
        };
    };
    if let Some(other) = ["labels", "boxes"]
        .into_iter()
        .find(|key| arguments.option(key).is_some())
    {
        return wrong(format!("label_raster= and {other}= exclude each other"));
    }
    if arguments.option("class").is_some() {
        return wrong(
            "class= is of labels= and boxes=; with label_raster= write classes=, values=, binary= or one_hot=".to_owned(),
        );
    }
    let [(way, text)] = given[..] else {
        return wrong(
            "label_raster= needs one of classes=tree,built (indices 1, 2, ..), values=10:tree,50:built, binary=NAME (a mask of \
             0 and 255) and one_hot=tree,built"
                .to_owned(),
        );
    };
    let meaning = match way {
        "classes" => format!("Classes::new([{}])", names(text)),
        "binary" => format!("LabelValues::binary({})", literal(text)),
        "one_hot" => format!("LabelValues::bands([{}])", names(text)),
        _ => values(text).ok_or_else(|| {
            UsageError::new(
                magic,
                format!(
                    "values= must be VALUE:CLASS,.. such as 10:tree,50:built,0:background,255:ignore, all numbers or all \
                     colors such as #ff0000, found {text:?}"
                ),
            )
        })?,
    };
    Ok(Some(format!(
        ".with_label_raster({}, {meaning})?",
        literal(file)
    )))
}

/// `"tree", "built"`.
fn names(text: &str) -> String {
    let names: Vec<String> = text.split(',').map(|name| literal(name.trim())).collect();
    names.join(", ")
}

/// The Rust of `10:tree,0:background,255:ignore,*:background,nodata:tree`, of `file` and of `STYLE.qml`.
fn values(text: &str) -> Option<String> {
    if text.trim() == "file" {
        return Some("LabelValues::of_file()".to_owned());
    }
    if text.trim().to_lowercase().ends_with(".qml") {
        return Some(format!("LabelValues::style({})", literal(text.trim())));
    }
    let (mut classes, mut background, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    let mut steps = String::new();
    let mut colors = Vec::new();
    for part in text.split(',') {
        let (value, name) = part.split_once([':', '='])?;
        let (value, name) = (value.trim(), name.trim());
        match (value, name) {
            (_, "") => return None,
            ("*", "background") => steps += ".others_are_background()",
            ("*", "ignore") => steps += ".others_are_ignored()",
            ("*", "nearest") => steps += ".others_are_nearest()",
            ("*", _) => return None,
            ("nodata", "ignore") => {}
            ("nodata", name) => steps += &format!(".nodata_is({})", literal(name)),
            (value, name) => {
                colors.push(value.starts_with('#'));
                let value = number(value)?;
                match name {
                    "background" => background.push(value),
                    "ignore" => ignored.push(value),
                    name => classes.push((value, literal(name))),
                }
            }
        }
    }
    let one_kind = colors.iter().all(|color| *color == colors[0]);
    if classes.is_empty() || !one_kind {
        return None;
    }
    let maker = if colors[0] { "colors" } else { "codes" };
    let (values, names): (Vec<String>, Vec<String>) = classes.into_iter().unzip();
    let pairs = of_one_type(values).into_iter().zip(names);
    let pairs: Vec<String> = pairs
        .map(|(value, name)| format!("({value}, {name})"))
        .collect();
    let mut code = format!("LabelValues::{maker}([{}])", pairs.join(", "));
    for (method, values) in [("background", background), ("ignore", ignored)] {
        if !values.is_empty() {
            code += &format!(".{method}([{}])", of_one_type(values).join(", "));
        }
    }
    Some(code + &steps)
}

/// Whole numbers beside real ones are written like these, since the elements of an array have one type.
fn of_one_type(values: Vec<String>) -> Vec<String> {
    let real = |value: &String| value.contains(['.', 'e']);
    if !values.iter().any(real) {
        return values;
    }
    let as_real = |value: String| match value.trim_end_matches("_i64").parse::<f64>() {
        Ok(number) => format!("{number:?}"),
        Err(_) => value,
    };
    values.into_iter().map(as_real).collect()
}

/// A number as Rust reads it, or a color as `[255, 0, 0]`.
fn number(text: &str) -> Option<String> {
    if let Some(digits) = text.strip_prefix('#') {
        let color = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = color.to_be_bytes();
        return (digits.len() == 6).then(|| format!("[{red}, {green}, {blue}]"));
    }
    // Rust takes a whole number without a type for an `i32`.
    match text.parse::<i64>() {
        Ok(whole) if i32::try_from(whole).is_ok() => Some(whole.to_string()),
        Ok(whole) => Some(format!("{whole}_i64")),
        Err(_) => {
            let real: f64 = text.parse().ok()?;
            real.is_finite().then(|| format!("{real:?}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_one_array_have_one_type() {
        assert_eq!(
            values("1:a,-3.4e38:ignore,255:ignore,5000000000:b").as_deref(),
            Some(
                "LabelValues::codes([(1, \"a\"), (5000000000_i64, \"b\")]).ignore([-3.4e38, 255.0])"
            )
        );
        assert_eq!(values("file").as_deref(), Some("LabelValues::of_file()"));
        let style = Some("LabelValues::style(\"my cover.QML\")");
        assert_eq!(values(" my cover.QML").as_deref(), style);
        assert_eq!(values("0:background"), None);
        assert_eq!(values(""), None);
    }
}
