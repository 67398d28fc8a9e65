//! `%scene`: a file, tiles, or a time series, with labels.

use super::arguments::{Arguments, UsageError};
use super::expand::{self, Expansion, literal, required, variable};
use super::table::Magic;
use super::{label_raster, scenes};

/// Whether a name stands for several files. `?` behind `.npz` is a name within that file.
fn is_pattern(file: &str) -> bool {
    let file = match file.split_once(".npz?") {
        Some((archive, _)) => archive,
        None => file,
    };
    file.contains(['*', '?']) && !file.contains("://") && !file.starts_with("/vsi")
}

/// The options that only a time series takes.
const OF_SERIES: [&str; 3] = ["mask", "between", "composite"];

pub(super) fn scene(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let file = required(magic, arguments, 0, "a raster file")?;
    let variable = variable(magic, arguments, "as", "scene")?;
    let is_series = scenes::yes(magic, arguments, "series")?;
    let mut expression = match is_series {
        true => series(magic, arguments, file)?,
        false => of_file(magic, arguments, file)?,
    };
    for index in arguments
        .option("index")
        .into_iter()
        .flat_map(|list| list.split(','))
    {
        expression += &format!(".with_index({})?", literal(index.trim()));
    }
    if let Some(how) = arguments.option("composite") {
        expression += &format!(".composite(Composite::{})?", composite(magic, how)?);
    }
    if let Some(labels) = label_raster::with_label_raster(magic, arguments)? {
        expression += &labels;
    }
    if let Some((key, source, class)) = expand::labels(magic, arguments)? {
        expression += &format!(".with_{key}({source}, {class})?");
    }
    expression += &expand::limits(magic, arguments)?;
    Ok(Expansion::new(
        format!("let {variable} = {expression};"),
        variable,
    ))
}

/// One file, or tiles: a pattern stands for these.
fn of_file(magic: &Magic, arguments: &Arguments, file: &str) -> Result<String, UsageError> {
    if let Some(key) = OF_SERIES.iter().find(|key| arguments.option(key).is_some()) {
        let message = format!("{key}= is for scenes of several dates: series=yes");
        return Err(UsageError::new(magic, message));
    }
    let options = expand::open_options(magic, arguments)?;
    Ok(match (options, is_pattern(file)) {
        (Some(options), false) => format!("Scene::open_with({}, {options})?", literal(file)),
        (None, false) => format!("Scene::open({})?", literal(file)),
        (Some(options), true) => format!(
            "Scene::mosaic_with(Mosaic::new({}).options({options}))?",
            literal(file)
        ),
        (None, true) => format!("Scene::mosaic({})?", literal(file)),
    })
}

/// Files of one place on several dates.
fn series(magic: &Magic, arguments: &Arguments, files: &str) -> Result<String, UsageError> {
    if arguments.option("nodata").is_some() {
        let message = "nodata= is not for series=yes: each file says its own nodata value";
        return Err(UsageError::new(magic, message));
    }
    let mut choices = String::new();
    if let Some(bands) = arguments.option("bands") {
        let names: Vec<&str> = bands.split(',').map(str::trim).collect();
        if names.iter().any(|name| name.parse::<i64>().is_ok()) {
            let message =
                format!("with series=yes bands= has names, such as B04,nir, found {bands:?}");
            return Err(UsageError::new(magic, message));
        }
        choices += &format!(".bands({names:?})");
    }
    if let Some(mask) = arguments.option("mask") {
        let wrong = || {
            let message = format!(
                "mask= is a file or band with the values that are not to be used, such as SCL:0,1,3,8,9,10, found {mask:?}"
            );
            UsageError::new(magic, message)
        };
        let (name, codes) = mask.rsplit_once(':').ok_or_else(wrong)?;
        let codes: Option<Vec<i64>> = codes
            .split(',')
            .map(|code| code.trim().parse().ok())
            .collect();
        let codes = codes.filter(|codes| codes.iter().all(|code| i32::try_from(*code).is_ok()));
        let codes = codes.ok_or_else(wrong)?;
        choices += &format!(".mask({}, {codes:?})", literal(name.trim()));
    }
    if let Some(days) = arguments.option("between") {
        let (first, last) = days.split_once(',').ok_or_else(|| {
            let message =
                format!("between= is two days, such as 2023-04-01,2023-09-30, found {days:?}");
            UsageError::new(magic, message)
        })?;
        choices += &format!(
            ".between({}, {})",
            literal(first.trim()),
            literal(last.trim())
        );
    }
    Ok(match choices.is_empty() {
        true => format!("Scene::series({})?", literal(files)),
        false => format!(
            "Scene::series_with(TimeSeries::new({}){choices})?",
            literal(files)
        ),
    })
}

/// The way in which dates become one.
fn composite(magic: &Magic, how: &str) -> Result<&'static str, UsageError> {
    Ok(match how {
        "median" => "Median",
        "mean" => "Mean",
        "min" => "Min",
        "max" => "Max",
        "first" => "First",
        "last" => "Last",
        "greenest" => "MaxNdvi",
        _ => {
            let message = format!(
                "composite= must be median, mean, min, max, first, last or greenest, found {how:?}"
            );
            return Err(UsageError::new(magic, message));
        }
    })
}
