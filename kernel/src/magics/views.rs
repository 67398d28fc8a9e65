//! Magics that look closer: bands, parts, errors, objects; and the one that saves a model.

use super::arguments::{Arguments, UsageError};
use super::expand::{Expansion, check_variable, float, literal, number, variable};
use super::table::Magic;
use crate::syntax::is_variable_name;

/// The variable that the word at `index` names, or `default`.
pub(super) fn variable_word<'a>(
    magic: &Magic,
    arguments: &'a Arguments,
    index: usize,
    default: &'a str,
) -> Result<&'a str, UsageError> {
    let name = arguments.word(index).unwrap_or(default);
    check_variable(magic, name)?;
    Ok(name)
}

/// Bands by number, from 1, or by name, as Rust.
pub(super) fn band_list(magic: &Magic, bands: &str) -> Result<String, UsageError> {
    let names: Vec<&str> = bands.split(',').map(str::trim).collect();
    let numbers: Option<Vec<usize>> = names.iter().map(|name| name.parse().ok()).collect();
    match numbers {
        Some(numbers) if numbers.contains(&0) => Err(UsageError::new(
            magic,
            "bands count from 1, as QGIS and GDAL do, found 0",
        )),
        // The typed interface counts from 0, as Rust does.
        Some(numbers) => {
            let places: Vec<usize> = numbers.iter().map(|number| number - 1).collect();
            Ok(format!("{places:?}"))
        }
        None => Ok(format!("{names:?}")),
    }
}

pub(super) fn bands(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let Some(bands) = arguments.word(0) else {
        return Err(UsageError::new(
            magic,
            "%bands needs bands: one, or three for red, green and blue, such as 4,3,2",
        ));
    };
    let bands = band_list(magic, bands)?;
    let shown = variable_word(magic, arguments, 1, "scene")?;
    Ok(Expansion::new("", format!("{shown}.show_bands({bands})?")))
}

pub(super) fn zoom(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let meters = arguments.option("meters");
    if let Some(at) = arguments.option("at") {
        let shown = variable_word(magic, arguments, 0, "scene")?;
        let place = at.split_once(',').or_else(|| at.split_once(' '));
        let Some((x, y)) = place else {
            let message = format!("at= must be x,y in map coordinates, found {at:?}");
            return Err(UsageError::new(magic, message));
        };
        let x = float(magic, "x", x.trim())?;
        let y = float(magic, "y", y.trim())?;
        let meters = float(magic, "meters", meters.unwrap_or("100"))?;
        let window = format!("MapWindow::around({x}, {y}, {meters}, {meters})");
        return Ok(Expansion::new("", format!("{shown}.zoom({window})?")));
    }
    if meters.is_some() {
        let message = "meters= needs at=: the place in map coordinates";
        return Err(UsageError::new(magic, message));
    }
    let needed = "%zoom needs COL ROW WIDTH in pixels, or at=X,Y in map coordinates";
    let word = |index| {
        arguments
            .word(index)
            .ok_or_else(|| UsageError::new(magic, needed))
    };
    let col: i64 = number(magic, "the column", word(0)?)?;
    let row: i64 = number(magic, "the row", word(1)?)?;
    let width: usize = number(magic, "the width", word(2)?)?;
    // The fourth word is the height, or what is shown.
    let height: Option<usize> = arguments.word(3).and_then(|word| word.parse().ok());
    let shown_at = if height.is_some() { 4 } else { 3 };
    if shown_at == 3 && arguments.word(4).is_some() {
        let message = format!(
            "the height must be a number, found {:?}",
            arguments.word(3).unwrap_or_default()
        );
        return Err(UsageError::new(magic, message));
    }
    let shown = variable_word(magic, arguments, shown_at, "scene")?;
    let height = height.unwrap_or(width);
    let window = format!("PixelWindow::new({col}, {row}, {width}, {height})");
    Ok(Expansion::new("", format!("{shown}.zoom({window})?")))
}

pub(super) fn colors(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let needed = "%colors needs a color for each class, such as building:red,road:#ff8800";
    let given = arguments
        .word(0)
        .ok_or_else(|| UsageError::new(magic, needed))?;
    let pairs: Option<Vec<(&str, &str)>> = given
        .split(',')
        .map(|pair| pair.split_once(':').or_else(|| pair.split_once('=')))
        .collect();
    let Some(pairs) = pairs else {
        return Err(UsageError::new(magic, format!("{needed}, found {given:?}")));
    };
    let list: Vec<String> = pairs
        .iter()
        .map(|(class, color)| format!("({}, {})", literal(class.trim()), literal(color.trim())))
        .collect();
    let scene = variable_word(magic, arguments, 1, "scene")?;
    Ok(Expansion::new(
        format!("let {scene} = {scene}.with_colors([{}])?;", list.join(", ")),
        scene,
    ))
}

pub(super) fn errors(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let map = variable_word(magic, arguments, 0, "map")?;
    let scene = variable(magic, arguments, "scene", "scene")?;
    Ok(Expansion::new("", format!("{map}.errors(&{scene})?")))
}

pub(super) fn worst(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let count: usize = number(magic, "the count", arguments.word(0).unwrap_or("6"))?;
    let map = variable_word(magic, arguments, 1, "map")?;
    let scene = variable(magic, arguments, "scene", "scene")?;
    let call = match arguments.option("size") {
        Some(size) => {
            let side: usize = number(magic, "the size", size)?;
            format!("{map}.worst_with(&{scene}, {count}, {side})?")
        }
        None => format!("{map}.worst(&{scene}, {count})?"),
    };
    Ok(Expansion::new("", call))
}

pub(super) fn objects(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let map = variable_word(magic, arguments, 0, "map")?;
    let name = variable(magic, arguments, "as", "objects")?;
    let mut value = format!("{map}.objects()?");
    if let Some(class) = arguments.option("class") {
        value += &format!(".of_class({})?", literal(class));
    }
    if let Some(area) = arguments.option("min_area") {
        value += &format!(".at_least({})", float(magic, "the smallest area", area)?);
    }
    let mut statements = format!("let {name} = {value};");
    if let Some(file) = arguments.option("save") {
        statements += &format!(
            " swath::session::display(&{name}.save({})?);",
            literal(file)
        );
    }
    Ok(Expansion::new(statements, name))
}

/// Whether `%map save=` names a file of a kind that it does not write.
pub(super) fn is_other_file(path: &str) -> bool {
    [
        ".tif", ".tiff", ".png", ".jpg", ".json", ".xlsx", ".parquet", ".kml", ".swath",
    ]
    .iter()
    .any(|extension| path.to_ascii_lowercase().ends_with(extension))
}

/// Whether `%map save=` names one file of vectors, and not a folder.
pub(super) fn is_vector_file(path: &str) -> bool {
    [".shp", ".gpkg", ".geojson", ".csv"]
        .iter()
        .any(|extension| path.to_ascii_lowercase().ends_with(extension))
}

pub(super) fn save(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let needed = "%save needs a file for the model, such as buildings.swath";
    let file = arguments
        .word(0)
        .ok_or_else(|| UsageError::new(magic, needed))?;
    if is_variable_name(file) {
        let message = format!("{needed}, found {file:?}");
        return Err(UsageError::new(magic, message));
    }
    if !file.to_ascii_lowercase().ends_with(".swath") {
        let message = format!("the file of a model ends in .swath, found {file:?}");
        return Err(UsageError::new(magic, message));
    }
    let run = variable_word(magic, arguments, 1, "run")?;
    Ok(Expansion {
        statements: format!(
            "{run}.best().save({})?; println!({});",
            literal(file),
            literal(
                &format!("saved the best weights of `{run}`: {file}")
                    .replace('{', "{{")
                    .replace('}', "}}")
            )
        ),
        show: None,
    })
}
