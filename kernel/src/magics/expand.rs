//! The Rust that magics stand for. Every expansion is one line, so that the lines of a cell keep their numbers.

use super::arguments::{Arguments, UsageError};
use super::table::Magic;
use super::{fit, scenes, views};
use crate::syntax::is_variable_name;

/// Rust in two parts: statements, and an expression that is shown when the magic ends its cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expansion {
    /// Each ends with a semicolon.
    pub(crate) statements: String,
    /// Without a semicolon.
    pub(crate) show: Option<String>,
}

impl Expansion {
    pub(super) fn new(statements: impl Into<String>, show: impl Into<String>) -> Self {
        Self {
            statements: statements.into(),
            show: Some(show.into()),
        }
    }

    /// One line of Rust. Where the magic does not end its cell, what it shows is displayed on the way, as IPython does.
    pub(crate) fn rust(&self, ends_cell: bool) -> String {
        match &self.show {
            Some(show) if ends_cell && self.statements.is_empty() => show.clone(),
            Some(show) if ends_cell => format!("{} {show}", self.statements),
            Some(show) => format!("{} ::swath::session::display(&({show}));", self.statements)
                .trim_start()
                .to_owned(),
            None => self.statements.clone(),
        }
    }
}

/// A Rust string literal.
pub(crate) fn literal(text: &str) -> String {
    format!("{text:?}")
}

/// The variable named by option `key`, or `default`.
pub(super) fn variable<'a>(
    magic: &Magic,
    arguments: &'a Arguments,
    key: &str,
    default: &'a str,
) -> Result<&'a str, UsageError> {
    let name = arguments.option(key).unwrap_or(default);
    check_variable(magic, name)?;
    Ok(name)
}

pub(super) fn check_variable(magic: &Magic, name: &str) -> Result<(), UsageError> {
    if is_variable_name(name) {
        return Ok(());
    }
    Err(UsageError::new(
        magic,
        match name.contains([':', ',']) {
            true => format!("{name:?} is no variable: a list has commas and no spaces, `a,b,c`"),
            false => format!("{name:?} is not a name that a variable can have"),
        },
    ))
}

pub(super) fn number<T: std::str::FromStr>(
    magic: &Magic,
    what: &str,
    text: &str,
) -> Result<T, UsageError> {
    text.parse()
        .map_err(|_| UsageError::new(magic, format!("{what} must be a number, found {text:?}")))
}

/// A number written so that Rust reads an `f64`.
pub(super) fn float(magic: &Magic, what: &str, text: &str) -> Result<String, UsageError> {
    let value: f64 = number(magic, what, text)?;
    if value.is_finite() {
        Ok(format!("{value:?}"))
    } else {
        Err(UsageError::new(
            magic,
            format!("{what} must be finite, found {text:?}"),
        ))
    }
}

/// A range of whole numbers with both ends, or one number: `150..200`, `150..=200`, `200`.
fn range(magic: &Magic, key: &str, text: &str) -> Result<String, UsageError> {
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let ends = low
        .parse::<usize>()
        .ok()
        .zip(high.strip_prefix('=').unwrap_or(high).parse::<usize>().ok());
    match ends {
        Some((low, high)) => Ok(format!("{low}..={high}")),
        None => Err(UsageError::new(
            magic,
            format!("{key}= must be a range such as 150..200, found {text:?}"),
        )),
    }
}

pub(super) fn required<'a>(
    magic: &Magic,
    arguments: &'a Arguments,
    index: usize,
    what: &str,
) -> Result<&'a str, UsageError> {
    arguments
        .word(index)
        .ok_or_else(|| UsageError::new(magic, format!("%{} needs {what}", magic.name)))
}

pub(super) fn data(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let named = |what: &str| {
        let names = swath_link::data_sets::NAMES.join(", ");
        required(
            magic,
            arguments,
            1,
            &format!("a name behind {what}, one of {names}"),
        )
    };
    let alone = |word: &str| UsageError::new(magic, format!("nothing stands behind {word:?}"));
    let name = match (arguments.word(0), arguments.word(1)) {
        (None | Some("list"), None) => return Ok(Expansion::new("", "swath::data::list()")),
        (Some("info"), _) => {
            let shown = format!("swath::data::info({})?", literal(named("info")?));
            return Ok(Expansion::new("", shown));
        }
        (Some("fetch"), _) => named("fetch")?,
        (Some(name), None) => name,
        (Some(word), Some(_)) => return Err(alone(word)),
        (None, Some(word)) => return Err(alone(word)),
    };
    let default = name.replace(['-', '.'], "_");
    let variable = variable(magic, arguments, "as", &default)?;
    Ok(Expansion::new(
        format!("let {variable} = swath::data::fetch({})?;", literal(name)),
        variable,
    ))
}

/// What says more about a vector file, with the methods that take it.
const VECTOR_OPTIONS: [(&str, &str); 3] = [
    ("layer", "layer"),
    ("labels_crs", "crs"),
    ("where", "filter"),
];

/// The call that a buffer is: `3m`, `4px`, `width:COLUMN`, `distance:COLUMN`.
fn buffer(magic: &Magic, words: &str) -> Result<String, UsageError> {
    let wrong = || {
        let message = format!(
            "buffer= is meters or pixels to each side, 3m or 4px, or a column, width:COLUMN or distance:COLUMN, found {words:?}"
        );
        UsageError::new(magic, message)
    };
    for (key, call) in [("width:", "width"), ("distance:", "property")] {
        if let Some(column) = words.strip_prefix(key).filter(|column| !column.is_empty()) {
            return Ok(format!("Buffer::{call}({})", literal(column)));
        }
    }
    let (number, call) = match (words.strip_suffix("px"), words.strip_suffix('m')) {
        (Some(number), _) => (number, "pixels"),
        (None, Some(number)) => (number, "meters"),
        (None, None) => return Err(wrong()),
    };
    match number.trim_end().parse::<f64>() {
        Ok(distance) if distance.is_finite() && distance > 0.0 => {
            Ok(format!("Buffer::{call}({distance:?})"))
        }
        _ => Err(wrong()),
    }
}

/// A path, or the `VectorSource` that the options describe.
fn vector_source(magic: &Magic, arguments: &Arguments, file: &str) -> Result<String, UsageError> {
    let mut source = String::new();
    for (key, method) in VECTOR_OPTIONS {
        if let Some(value) = arguments.option(key) {
            source += &format!(".{method}({})", literal(value));
        }
    }
    if let Some(words) = arguments.option("buffer") {
        source += &format!(".buffer({})", buffer(magic, words)?);
    }
    Ok(match source.is_empty() {
        true => literal(file),
        false => format!("VectorSource::new({}){source}", literal(file)),
    })
}

/// What the line says of the imagery itself.
pub(super) fn open_options(
    magic: &Magic,
    arguments: &Arguments,
) -> Result<Option<String>, UsageError> {
    let mut options = String::new();
    if let Some(bands) = arguments.option("bands") {
        options += &format!(".bands({})", views::band_list(magic, bands)?);
    }
    if let Some(value) = arguments.option("nodata") {
        options += &format!(".nodata({})", float(magic, "the nodata value", value)?);
    }
    Ok((!options.is_empty()).then(|| format!("OpenOptions::new(){options}")))
}

/// What labels a scene: `labels` or `boxes`, the source and the class as Rust.
pub(super) fn labels(
    magic: &Magic,
    arguments: &Arguments,
) -> Result<Option<(&'static str, String, String)>, UsageError> {
    let given = ["labels", "boxes"].map(|key| arguments.option(key).map(|file| (key, file)));
    let of_labels = VECTOR_OPTIONS
        .iter()
        .map(|(key, _)| *key)
        .chain(["buffer"])
        .find(|key| arguments.option(key).is_some());
    if let (Some(key), [None, None]) = (of_labels, given) {
        return Err(UsageError::new(
            magic,
            format!("{key}= needs labels= or boxes=: the vector file that it is about"),
        ));
    }
    match (given, arguments.option("class")) {
        ([None, None], None) => Ok(None),
        ([Some(_), Some(_)], _) => Err(UsageError::new(
            magic,
            "labels= and boxes= exclude each other; labeled polygons have boxes around them, too",
        )),
        ([Some((key, file)), None] | [None, Some((key, file))], Some(class)) => {
            let source = vector_source(magic, arguments, file)?;
            Ok(Some((key, source, literal(class))))
        }
        ([Some((key, _)), None] | [None, Some((key, _))], None) => Err(UsageError::new(
            magic,
            format!("{key}= needs class=: a property of the file, or the one class of all"),
        )),
        ([None, None], Some(_)) => Err(UsageError::new(
            magic,
            "class= needs labels= or boxes=: the file that has them",
        )),
    }
}

/// What limits labels, and how cells get their classes: alike for one scene and many.
pub(super) fn limits(magic: &Magic, arguments: &Arguments) -> Result<String, UsageError> {
    let mut calls = String::new();
    if let Some(area) = arguments.option("labeled_within") {
        calls += &format!(".labeled_within({})?", literal(area));
    }
    if let Some(aoi) = arguments.option("aoi") {
        calls += &format!(".with_aoi({})?", literal(aoi));
    }
    if let Some(rule) = arguments.option("cells") {
        let of_share = |name: &str, share: &str| {
            let share = float(magic, "the share", share)?;
            Ok(format!("CellRule::share_of_{name}({share})"))
        };
        let rule = match rule.split_once(':') {
            None if rule == "majority" => "CellRule::majority()".to_owned(),
            Some((name @ ("cell" | "object"), share)) => of_share(name, share)?,
            _ => {
                let message = format!(
                    "cells= must be majority, cell:SHARE or object:SHARE, such as object:0.5, found {rule:?}"
                );
                return Err(UsageError::new(magic, message));
            }
        };
        calls += &format!(".with_cells({rule})?");
    }
    Ok(calls)
}

pub(super) fn split(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let fraction = required(
        magic,
        arguments,
        0,
        "the fraction of the scene for training, such as 0.75",
    )?;
    let written = float(magic, "the fraction", fraction)?;
    if !fraction
        .parse::<f64>()
        .is_ok_and(|value| value > 0.0 && value < 1.0)
    {
        return Err(UsageError::new(
            magic,
            format!("the fraction must lie between 0 and 1, found {fraction}"),
        ));
    }
    let by = arguments.option("by").unwrap_or("columns");
    if by == "scene" {
        return scenes::split(magic, arguments, fraction);
    }
    if !["columns", "rows"].contains(&by) {
        return Err(UsageError::new(
            magic,
            format!("by= must be columns, rows or scene, found {by:?}"),
        ));
    }
    for key in ["seed", "group"] {
        if arguments.option(key).is_some() {
            let message = format!("{key}= is for by=scene, which draws whole scenes");
            return Err(UsageError::new(magic, message));
        }
    }
    let scene = variable(magic, arguments, "scene", "scene")?;
    Ok(Expansion::new(
        format!("let (train, valid) = {scene}.split(Split::{by}({written}));"),
        "Scene::show_parts(&[(\"train\", &train), (\"valid\", &valid)])?",
    ))
}

pub(super) fn chips(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let count = required(
        magic,
        arguments,
        0,
        "a count of random chips, `sliding` or `objects`",
    )?;
    let size: usize = number(
        magic,
        "the chip size",
        required(magic, arguments, 1, "a chip size in pixels")?,
    )?;
    let placed = matches!(count, "sliding" | "objects");
    let mut options = if placed {
        format!("Chips::{count}({size})")
    } else {
        format!(
            "Chips::random({}, {size})",
            number::<usize>(magic, "the count of chips", count)?
        )
    };
    if let Some(sizes) = arguments.option("sizes") {
        options += &format!(".window_sizes({})", range(magic, "sizes", sizes)?);
    }
    for (key, fits, is_for) in [
        ("stride", count == "sliding", "sliding"),
        ("seed", count != "sliding", "random"),
    ] {
        if arguments.option(key).is_some() && !fits {
            let message = format!("{key}= is for {is_for} chips");
            return Err(UsageError::new(magic, message));
        }
    }
    if let Some(seed) = arguments.option("seed") {
        options += &format!(".seed({})", number::<u64>(magic, "the seed", seed)?);
    }
    if let Some(stride) = arguments.option("stride") {
        options += &format!(".stride({})", number::<usize>(magic, "the stride", stride)?);
    }
    for (key, what) in [
        ("photometric", "the strength of changed colors"),
        ("neg_ratio", "the share of chips without objects"),
        ("min_visible", "the share of a box that must be left"),
    ] {
        if let Some(value) = arguments.option(key) {
            options += &format!(".{key}({})", float(magic, what, value)?);
        }
    }
    match arguments.option("augment") {
        None => {}
        Some(set @ ("light" | "strong" | "none")) => {
            options += &format!(".augment(Augment::{set}())");
        }
        Some(other) => {
            let message = format!("augment= must be light, strong or none, found {other:?}");
            return Err(UsageError::new(magic, message));
        }
    }
    match arguments.option("padded") {
        None | Some("no") => {}
        Some("yes") => options += ".padded()",
        Some(other) => {
            let message = format!("padded= must be yes or no, found {other:?}");
            return Err(UsageError::new(magic, message));
        }
    }
    match arguments.option("weight") {
        None | Some("area") => {}
        Some("even") => options += ".evenly()",
        Some("labeled") => options += ".by_labeled_area()",
        Some(other) => {
            let message = format!("weight= must be area, labeled or even, found {other:?}");
            return Err(UsageError::new(magic, message));
        }
    }
    match arguments.option("balance") {
        None => {}
        Some("pixels") => options += ".balanced()",
        Some("objects") => options += ".balanced().around_objects()",
        Some(other) => {
            let message = format!("balance= must be pixels or objects, found {other:?}");
            return Err(UsageError::new(magic, message));
        }
    }
    let from = variable(magic, arguments, "from", "train")?;
    let variable = variable(magic, arguments, "as", "chips")?;
    let show: usize = number(
        magic,
        "the count to show",
        arguments.option("show").unwrap_or("8"),
    )?;
    let mut statements = format!("let {variable} = {from}.chips({options})?;");
    match (arguments.option("save"), arguments.option("split")) {
        (None, Some(_)) => {
            let message = "split= is the part of a data set that save= writes";
            return Err(UsageError::new(magic, message));
        }
        (None, None) => {}
        (Some(folder), None) => {
            let folder = literal(folder);
            statements += &format!(" swath::session::display(&{variable}.save({folder})?);");
        }
        (Some(folder), Some(split)) => {
            let (folder, split) = (literal(folder), literal(split));
            statements += &format!(
                " swath::session::display(&{variable}.save_with({folder}, ChipSetOptions::new().split({split}))?);"
            );
        }
    }
    Ok(Expansion::new(
        statements,
        format!("{variable}.show({show})"),
    ))
}

pub(super) fn predict(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let model = arguments.word(0).unwrap_or("run");
    let scene = variable(magic, arguments, "scene", "scene")?;
    let variable = variable(magic, arguments, "as", "map")?;
    let model = if model.contains(['.', '/']) {
        format!("{}::load({})?", fit::loader(model), literal(model))
    } else {
        check_variable(magic, model)?;
        format!("{model}.best()")
    };
    let threshold = match arguments.option("threshold") {
        Some(score) => format!(".at_threshold({})?", probability(magic, score)?),
        None => String::new(),
    };
    Ok(Expansion::new(
        format!("let {variable} = {model}.predict(&{scene})?{threshold};"),
        variable,
    ))
}

/// A number, or `best`: the one that agrees best with a scene's labels.
fn threshold(
    magic: &Magic,
    arguments: &Arguments,
    map: &str,
    score: &str,
) -> Result<String, UsageError> {
    let scene = variable(magic, arguments, "scene", "valid")?;
    if score == "best" {
        return Ok(format!("{map}.threshold_for(&{scene})?"));
    }
    if arguments.option("scene").is_some() {
        let message = "scene= says where threshold=best looks";
        return Err(UsageError::new(magic, message));
    }
    probability(magic, score)
}

/// A score from which something counts: said before anything is predicted.
fn probability(magic: &Magic, score: &str) -> Result<String, UsageError> {
    let value: f64 = number(magic, "the threshold", score)?;
    if (0.0..=1.0).contains(&value) {
        return Ok(format!("{value:?}"));
    }
    Err(UsageError::new(
        magic,
        format!("the threshold is a probability from 0 to 1, found {score}"),
    ))
}

pub(super) fn map(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let map = views::variable_word(magic, arguments, 0, "map")?;
    let mut statements = Vec::new();
    if let Some(score) = arguments.option("threshold") {
        let value = threshold(magic, arguments, map, score)?;
        statements.push(if score == "best" {
            format!(
                "let {map} = {{ let score = {value}; println!(\"a score counts from {{score:.3}} on\"); {map}.at_threshold(score)? }};"
            )
        } else {
            format!("let {map} = {map}.at_threshold({value})?;")
        });
    }
    if let Some(folder) = arguments.option("save") {
        if views::is_other_file(folder) {
            return Err(UsageError::new(
                magic,
                format!(
                    "save= is a folder, for labels.tif and all else, or a file of vectors (.shp, .gpkg, .geojson, .csv), found \
                     {folder:?}"
                ),
            ));
        }
        let objects = if views::is_vector_file(folder) {
            ".objects()?"
        } else {
            ""
        };
        let folder = literal(folder);
        statements.push(format!(
            "swath::session::display(&{map}{objects}.save({folder})?);"
        ));
    }
    Ok(Expansion::new(statements.join(" "), map))
}

pub(super) fn evaluate(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let map = views::variable_word(magic, arguments, 0, "map")?;
    let scene = variable(magic, arguments, "scene", "scene")?;
    Ok(Expansion::new("", format!("{map}.evaluate(&{scene})?")))
}

pub(super) fn device(magic: &Magic, arguments: &Arguments) -> Result<Expansion, UsageError> {
    let chosen = match arguments.word(0) {
        None => None,
        Some("cpu") => Some("Device::cpu()".to_owned()),
        Some("best") => Some("Device::best()".to_owned()),
        Some("cuda" | "gpu") => Some("Device::cuda(0)?".to_owned()),
        Some("vulkan") => Some("Device::vulkan(0)?".to_owned()),
        Some(other) => match other.split_once(':') {
            Some((kind @ ("cuda" | "vulkan"), index)) => Some(format!(
                "Device::{kind}({})?",
                number::<usize>(magic, "the GPU", index)?
            )),
            _ => {
                return Err(UsageError::new(
                    magic,
                    format!(
                        "the device must be cpu, cuda, cuda:N, vulkan, vulkan:N or best, found {other:?}"
                    ),
                ));
            }
        },
    };
    let statements = chosen
        .map(|device| format!("{device}.set_current();"))
        .unwrap_or_default();
    Ok(Expansion {
        statements: format!(
            "{statements}{}println!(\"{{}}\", Device::current().explain());",
            if statements.is_empty() { "" } else { " " }
        ),
        show: None,
    })
}

pub(super) fn gpu(_magic: &Magic, _arguments: &Arguments) -> Result<Expansion, UsageError> {
    Ok(Expansion::new("", "Device::gpus()"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::magics::table::{Action, find};

    fn expand(line: &str) -> String {
        let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
        let magic = find(name).unwrap();
        let Action::Expand(expand) = magic.action else {
            panic!("{name} does not expand")
        };
        match Arguments::parse(magic, rest).and_then(|arguments| expand(magic, &arguments)) {
            Ok(expansion) => expansion.rust(true),
            Err(error) => format!("error: {} / {}", error.message, error.usage),
        }
    }

    #[test]
    fn expansions_and_usage_errors() {
        let lines = [
            "data",
            "data banepa",
            "data efficientnet-lite0",
            "data banepa as=let",
            "data list",
            "data info landcover-ai",
            "data info",
            "data fetch neon as=trees",
            "data neon banepa",
            "scene vegas.tif",
            "scene vegas.tif labels=buildings.geojson class=building",
            r#"scene "my \"odd\" file\\.tif" as=s"#,
            "scene 'a\tb ü.tif' aoi=area.gpkg",
            "scene",
            "scene a.tif labels=city.gpkg class=kind layer=buildings labels_crs=EPSG:32633",
            r#"scene a.tif labels=city.gpkg class=kind where="split = 'train'""#,
            "scene a.tif labels=roads.gpkg class=road buffer=3m",
            "scene a.tif labels=roads.gpkg class=road layer=roads buffer=2.5px labeled_within=sheets.gpkg",
            "scene a.tif boxes=trees.gpkg class=tree buffer='distance:crown radius'",
            "scene a.tif labels=roads.gpkg class=road buffer=3",
            "scene a.tif labels=roads.gpkg class=road buffer=-3m",
            "scene a.tif buffer=3m",
            "scene a.tif layer=buildings",
            "scene a.tif labels=b",
            "scene a.tif class=b",
            "scene a.tif as=1x",
            "scene a.png boxes=a.xml class=tree",
            "scene a.tif --boxes cars.geojson --class kind aoi=area.gpkg",
            "scene a.tif boxes=b",
            "scene a.tif boxes=b labels=c class=d",
            "scene a.tif label_raster=mask.tif classes=tree,built,water",
            "scene a.tif label_raster='my mask.png' binary=building as=s",
            "scene a.tif label_raster=c.tif values=10:tree,50:built,-1:water,0:background,255:ignore",
            "scene a.tif label_raster=c.tif values='80:open water,*:background,nodata:ignore'",
            "scene a.tif label_raster=c.png values=#ff0000:roof,#000000:background",
            "scene a.tif label_raster=c.tif --one_hot tree,built aoi=area.gpkg",
            "scene a.tif bands=3,2,1 nodata=0",
            "scene a.tif bands=nir,red,green label_raster=c.tif binary=a",
            "scene tiles/*.tif labels=city.gpkg class=kind",
            "scene 'my tiles/**/*.png' bands=1,2,3 index=exg,vari",
            "scene pixels.npz?image",
            "scene tile_?.npz?image",
            "scene tile_?.tif",
            "scene https://host/a.tif?x=1 index=ndvi",
            "scene s2/*.tif series=yes",
            "scene s2 series=yes bands=B04,nir mask=SCL:0,1,3,8 between=2023-04-01,2023-09-30 index=ndvi composite=median",
            "scene s2 series=yes bands=4,3,2",
            "scene s2 series=yes nodata=0",
            "scene s2 series=yes mask=SCL",
            "scene s2 series=yes between=summer",
            "scene s2 series=yes composite=best",
            "scene s2/*.tif mask=SCL:3",
            "scene a.tif label_raster=c.tif",
            "scene a.tif label_raster=c.tif class=tree",
            "scene a.tif label_raster=c.tif values=tree",
            "scene a.tif label_raster=c.tif values=1:a,#ff0000:b",
            "scene a.tif label_raster=c.tif binary=a values=1:a",
            "scene a.tif values=1:a",
            "scene a.tif labels=a.gpkg class=b label_raster=c.tif binary=b",
            "scenes tiles",
            "scenes 'my tiles/*.tif' labels=labels/{stem}.geojson class=kind missing=background as=s",
            "scenes scenes.csv bands=3,2,1 skip_broken=yes boxes=boxes.json class=class",
            "scenes images label_raster=masks/{stem}.png binary=building",
            "scenes tiles skip_broken=maybe",
            "scenes tiles missing=skip",
            "scenes tiles labels=a class=b missing=error",
            "scenes",
            "split 0.8 by=scene",
            "split 0.8 by=scene seed=7 group=city scene=all",
            "split 0.8 seed=7",
            "chips 400 256 weight=even",
            "chips 400 256 weight=none",
            "split 0.75",
            "split 1 by=rows",
            "split 0.5 by=rows scene=s",
            "split",
            "split 0.5 by=area",
            "chips 400 256",
            "scene a.tif labels=houses.gpkg class=house cells=object:0.5",
            "scene a.tif labels=houses.gpkg class=house cells=half",
            "scenes EuroSAT class_folders=yes cells=majority",
            "scenes images.csv class_folders=yes",
            "fit classifier-resnet18 epochs=5",
            "chips 400 256 from=train seed=7 as=c show=4",
            "chips sliding 256 stride=128",
            "chips 400 256 neg_ratio=0.2 min_visible=0.4 photometric=0.4",
            "chips 400 256 seed=7 augment=light padded=yes",
            "chips sliding 256 augment=none",
            "chips objects 64 seed=7",
            "chips 400 256 augment=heavy",
            "chips 400 256 neg_ratio=few",
            "chips 400 256 balance=objects",
            "chips 400 256 balance=yes",
            "chips 400 256 sizes=150..200 seed=7",
            "chips 400 256 --sizes 150..=200",
            "chips sliding 256 sizes=200 stride=100",
            "chips 400 256 sizes=150-200",
            "chips 400 256 save='my chips' as=c",
            "chips sliding 256 from=valid save=set split=val",
            "chips 400 256 split=val",
            "chips many 256",
            "chips 400",
            "fit",
            "fit resnet18 epochs=12 lr=1e-3 batch=4",
            "fit steps=400",
            "fit optimizer=nesterov schedule=cosine loss=focal ema=0.999 accumulate=4",
            "fit schedule=zigzag",
            "fit unet-resnet50",
            "fit fpn",
            "fit --model deeplabv3+ resnet34 loss=dice",
            "fit centernet steps=500",
            "fit --model retinanet-resnet50 weights='coco weights.pth' lr=1e-4 batch=2",
            "fit model=Faster-RCNN resnet34 as=second",
            "fit fasterrcnn-resnet34 model=fasterrcnn",
            "fit resnet18 model=retinanet_resnet50",
            "fit centernet-resnet101",
            "fit retinanet loss=focal",
            "fit yolo",
            "fit epochs=1 steps=2",
            "fit vgg",
            "fit lr=fast",
            "fit lr=nan",
            "predict",
            "predict model.swath scene=test as=m",
            "predict 'my run'",
            "map",
            "map save='out dir/'",
            "map threshold=0.3",
            "map found threshold=0.25 save=out",
            "map threshold=low",
            "map threshold=best",
            "map found threshold=best scene=test",
            "map threshold=0.4 scene=test",
            "evaluate",
            "evaluate m scene=test",
            "predict threshold=0.3",
            "map save=found.SHP",
            "bands 4,3,2",
            "bands nir,red,green map",
            "bands 0,1,2",
            "bands",
            "zoom 200 220 150",
            "zoom 200 220 150 100 map",
            "zoom 200 220 150 map",
            "zoom at=663050,4005040.5 meters=60",
            "zoom at=663050 map",
            "zoom 200",
            "zoom 1 2 3 high map",
            "zoom meters=3",
            "colors building:red,road:#ff8800",
            "colors 'big house:dark orange' town",
            "colors red",
            "errors",
            "errors m scene=test",
            "worst",
            "worst 3 m scene=test size=64",
            "objects",
            "objects m class=building min_area=20 save=houses.csv as=houses",
            "save buildings.swath",
            "save 'my {model}.swath' second",
            "save run",
            "save town.tif",
            "map save=out.tif",
            "chips 40 64 stride=8",
            "chips sliding 64 seed=8",
            "chips objects 64 stride=8",
            "device",
            "device cpu",
            "device cuda:1",
            "device vulkan",
            "device tpu",
            "gpu",
            "gpu 1",
        ];
        let text: String = lines
            .iter()
            .map(|line| format!("%{line}\n    {}\n", expand(line)))
            .collect();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn in_the_middle_of_a_cell_it_is_displayed() {
        let expansion = Expansion::new("let a = 1;", "a");
        assert_eq!(
            expansion.rust(false),
            "let a = 1; ::swath::session::display(&(a));"
        );
        assert_eq!(
            Expansion::new("", "m.evaluate(&s)?").rust(false),
            "::swath::session::display(&(m.evaluate(&s)?));"
        );
        let alone = Expansion {
            statements: "let a = 1;".to_owned(),
            show: None,
        };
        assert_eq!(alone.rust(false), "let a = 1;");
    }
}
