//! Scenes, labels, their parts and their chips: `[scenes]`, `[labels]`, `[validation]`, `[split]`, `[chips]`.

use super::choices::{
    Section, as_chain, flag, list, number, path, quoted, shown, text, which_part,
};
use super::rust::{Call, Chain, Value};
use super::{Findings, Places};

/// Bands: places from 0 in Rust, numbers from 1 in the file.
fn band(value: &Value, _: &Places) -> Option<String> {
    match value {
        Value::Number(number) => Some((number.parse::<usize>().ok()? + 1).to_string()),
        Value::Text(name) => Some(quoted(name)),
        _ => None,
    }
}

/// A text, `LabelClass::one("building")` or `LabelClass::property("class")`.
fn class(value: &Value, places: &Places) -> Option<String> {
    match value {
        Value::Chain(chain) if chain.root.starts_with("LabelClass::") && chain.calls.is_empty() => {
            text(chain.arguments.first()?, places)
        }
        other => text(other, places),
    }
}

fn section<'a>(
    name: &'static str,
    places: &'a Places,
    findings: &'a mut Findings,
    notes: &[String],
) -> Section<'a> {
    Section {
        name,
        places,
        findings,
        notes: notes.to_vec(),
    }
}

/// `Scene::open_with("a.tif", OpenOptions::new().bands([2, 1, 0])).with_labels("b.gpkg", "class")`, up to what splits it.
pub(super) fn scenes(chain: &Chain, places: &Places, findings: &mut Findings) {
    opened(chain, places, findings);
    for call in &chain.calls {
        let (cell, first) = (call.cell, call.arguments.first());
        let mut scenes = section("scenes", places, findings, &call.notes);
        match call.name.as_str() {
            "with_index" => indices(call, &mut scenes),
            "composite" => scenes.take("composite", cell, first, composite),
            "where_column" => scenes.take("only", cell, first, |column, _| {
                match (column, call.arguments.get(1)) {
                    (Value::Text(column), Some(Value::Text(value))) => {
                        Some(quoted(&format!("{column}={value}")))
                    }
                    _ => None,
                }
            }),
            "with_aoi" => scenes.take("aoi", cell, first, path),
            "crop" => scenes.take("crop", cell, first, |window, places| match window {
                Value::Chain(window) if window.root == "PixelWindow::new" => {
                    list(number)(&Value::List(window.arguments.clone()), places)
                }
                _ => None,
            }),
            "split" | "try_split" | "split_area" | "split_column" | "part 0" | "part 1" => {}
            _ => labels(call, &mut section("labels", places, findings, &call.notes)),
        }
    }
}

fn indices(call: &Call, section: &mut Section<'_>) {
    let Some(Value::Text(index)) = call.arguments.first() else {
        section.unread(call);
        return;
    };
    let there = section
        .findings
        .choices
        .iter()
        .find(|choice| (choice.section, choice.key) == ("scenes", "index"));
    let before = there.map(|choice| choice.value.trim_matches(['[', ']']).to_owned());
    let value = match before {
        Some(before) => format!("[{before}, {}]", quoted(index)),
        None => format!("[{}]", quoted(index)),
    };
    section.put("index", value);
}

fn composite(value: &Value, _: &Places) -> Option<String> {
    let Value::Chain(chain) = value else {
        return None;
    };
    Some(quoted(match chain.root.as_str() {
        "Composite::Median" => "median",
        "Composite::Mean" => "mean",
        "Composite::Min" => "min",
        "Composite::Max" => "max",
        "Composite::First" => "first",
        "Composite::Last" => "last",
        "Composite::MaxNdvi" => "max-ndvi",
        _ => return None,
    }))
}

fn opened(chain: &Chain, places: &Places, findings: &mut Findings) {
    let mut section = section("scenes", places, findings, &chain.notes);
    let cell = chain.cell;
    let (kind, call) = chain.root.split_once("::").unwrap_or((&chain.root, ""));
    let is_known = ["Scene", "Scenes"].contains(&kind)
        && [
            "open",
            "open_with",
            "series",
            "series_with",
            "mosaic",
            "mosaic_with",
            "table",
            "table_with",
            "stac",
            "stac_with",
            "class_folders",
            "class_folders_with",
        ]
        .contains(&call);
    if !is_known {
        section
            .findings
            .unread(cell, &format!("the scenes: {}(…)", chain.root));
        return;
    }
    let way = call.trim_end_matches("_with");
    // A series and a mosaic are described by one value.
    let described =
        as_chain(chain.arguments.first()).filter(|_| ["series", "mosaic"].contains(&way));
    let files = match described {
        Some(described) => described.arguments.first(),
        None => chain.arguments.first(),
    };
    section.take("files", cell, files, list(path));
    match way {
        "series" => section.put("series", "true".to_owned()),
        "mosaic" => section.put("mosaic", "true".to_owned()),
        "class_folders" => section.put("class_folders", "true".to_owned()),
        "stac" => section.take("asset", cell, chain.arguments.get(1), text),
        _ => {}
    }
    if let Some(described) = described {
        open_calls(described, &mut section);
    }
    let at = if way == "stac" { 2 } else { 1 };
    if call.ends_with("_with") && described.is_none() {
        match as_chain(chain.arguments.get(at)) {
            Some(options) => open_calls(options, &mut section),
            None => {
                let options = chain.arguments.get(at).map_or_else(String::new, shown);
                section
                    .findings
                    .unread(cell, &format!("how scenes are opened: {options}"));
            }
        }
    }
}

/// The calls of `OpenOptions`, `ScenesOptions`, `TimeSeries` and `Mosaic`.
fn open_calls(options: &Chain, section: &mut Section<'_>) {
    for call in &options.calls {
        let (cell, first) = (call.cell, call.arguments.first());
        match call.name.as_str() {
            "bands" => section.take("bands", cell, first, list(band)),
            "nodata" => section.take("nodata", cell, first, number),
            "at" | "pixel_size" => {
                section.take("pixel_size", cell, first, |size, places| match size {
                    Value::Chain(size) if size.root == "Resolution::Meters" => {
                        number(size.arguments.first()?, places)
                    }
                    _ => None,
                });
            }
            "skip_broken" => section.put("skip_broken", "true".to_owned()),
            "open" | "options" => match as_chain(first) {
                Some(inner) => open_calls(inner, section),
                None => section.unread(call),
            },
            "mask" => section.take("mask", cell, first, |name, places| {
                let Value::Text(name) = name else { return None };
                let codes = list(number)(call.arguments.get(1)?, places)?;
                let codes = codes.trim_matches(['[', ']']).replace(", ", ",");
                Some(quoted(&format!("{name}:{codes}")))
            }),
            "between" => section.take("between", cell, first, |_, places| {
                list(text)(&Value::List(call.arguments.clone()), places)
            }),
            _ => section.unread(call),
        }
    }
}

/// A call that labels scenes.
fn labels(call: &Call, section: &mut Section<'_>) {
    let (cell, first, second) = (call.cell, call.arguments.first(), call.arguments.get(1));
    match call.name.as_str() {
        "with_labels" | "with_boxes" | "with_classes" | "with_box_classes" => {
            source(call, first, "file", section);
            section.take("class", cell, second, class);
            if call.name.contains("box") {
                section.text("objects", "boxes");
            }
        }
        "with_label_raster" | "with_label_rasters" => {
            source(call, first, "raster", section);
            match as_chain(second) {
                Some(meaning) => values(call, meaning, section),
                None => section.unread(call),
            }
        }
        "labeled_within" => section.take("labeled_within", cell, first, path),
        "labeled_only" => section.put("labeled_only", "true".to_owned()),
        "with_class_column" => section.take("class_column", cell, first, text),
        "with_cells" => section.take("cells", cell, first, |rule, places| {
            let Value::Chain(rule) = rule else {
                return None;
            };
            let share = || number(rule.arguments.first()?, places);
            Some(quoted(&match rule.root.as_str() {
                "CellRule::majority" => "majority".to_owned(),
                "CellRule::share_of_cell" => format!("cell:{}", share()?),
                "CellRule::share_of_object" => format!("object:{}", share()?),
                _ => return None,
            }))
        }),
        _ => section.unread(call),
    }
}

/// A path, `VectorSource::new(path).layer("a")` or `LabelFiles::new(source).skip_missing()`.
fn source(call: &Call, value: Option<&Value>, key: &'static str, section: &mut Section<'_>) {
    let Some(chain) = as_chain(value) else {
        section.take(key, call.cell, value, path);
        return;
    };
    match chain.root.as_str() {
        "LabelFiles::of_table" => section.text("column", "labels"),
        "LabelFiles::column" => section.take("column", call.cell, chain.arguments.first(), text),
        _ => source(call, chain.arguments.first(), key, section),
    }
    for inner in &chain.calls {
        let first = inner.arguments.first();
        match inner.name.as_str() {
            "layer" => section.take("layer", call.cell, first, text),
            "crs" => section.take("crs", call.cell, first, text),
            "filter" => section.take("where", call.cell, first, text),
            "missing_as_background" => section.text("missing", "background"),
            "skip_missing" => section.text("missing", "skip"),
            "buffer" => section.take("buffer", call.cell, first, |buffer, places| {
                let Value::Chain(buffer) = buffer else {
                    return None;
                };
                let first = buffer.arguments.first()?;
                let words = match (buffer.root.as_str(), first) {
                    ("Buffer::meters", _) => format!("{}m", number(first, places)?),
                    ("Buffer::pixels", _) => format!("{}px", number(first, places)?),
                    ("Buffer::width", Value::Text(column)) => format!("width:{column}"),
                    ("Buffer::property", Value::Text(column)) => format!("distance:{column}"),
                    _ => return None,
                };
                Some(quoted(&words))
            }),
            _ => section.unread(inner),
        }
    }
}

/// What the values of a label raster mean.
fn values(call: &Call, meaning: &Chain, section: &mut Section<'_>) {
    let first = meaning.arguments.first();
    let is_whole = meaning.calls.is_empty();
    match meaning.root.as_str() {
        "Classes::new" if is_whole => section.take("classes", call.cell, first, list(text)),
        "LabelValues::binary" if is_whole => section.take("binary", call.cell, first, text),
        "LabelValues::bands" if is_whole => section.take("one_hot", call.cell, first, list(text)),
        "LabelValues::of_file" if is_whole => section.text("values", "file"),
        "LabelValues::style" if is_whole => section.take("values", call.cell, first, path),
        "LabelValues::codes" | "LabelValues::colors" => match words(meaning) {
            Some(words) => section.text("values", &words),
            None => section.unread(call),
        },
        _ => section.unread(call),
    }
}

/// `10:tree,50:built,0:background,255:ignore`.
fn words(meaning: &Chain) -> Option<String> {
    let pairs = |value: &Value| match value {
        Value::List(values) => Some(values.clone()),
        _ => None,
    };
    let plain = |value: &Value| match value {
        Value::Number(number) => Some(number.clone()),
        Value::Text(text) => Some(text.clone()),
        _ => None,
    };
    let mut words = Vec::new();
    for pair in pairs(meaning.arguments.first()?)? {
        let Value::Tuple(pair) = pair else {
            return None;
        };
        words.push(format!(
            "{}:{}",
            plain(pair.first()?)?,
            plain(pair.get(1)?)?
        ));
    }
    for call in &meaning.calls {
        let name = match call.name.as_str() {
            "background" => "background",
            "ignore" => "ignore",
            "others_are_background" => {
                words.push("*:background".to_owned());
                continue;
            }
            "others_are_ignored" => {
                words.push("*:ignore".to_owned());
                continue;
            }
            "others_are_nearest" => {
                words.push("*:nearest".to_owned());
                continue;
            }
            "nodata_is" => {
                words.push(format!("nodata:{}", plain(call.arguments.first()?)?));
                continue;
            }
            _ => return None,
        };
        for value in pairs(call.arguments.first()?)? {
            words.push(format!("{}:{name}", plain(&value)?));
        }
    }
    Some(words.join(","))
}

/// `train.chips(Chips::random(400, 256).seed(7))`; returns the scenes that are cut.
pub(super) fn chips(chain: &Chain, places: &Places, findings: &mut Findings) -> Option<Chain> {
    if chain.root.starts_with("ChipSet::") {
        set(chain, places, findings);
        return None;
    }
    let Some(at) = chain.last("chips") else {
        findings.unread(chain.cell, &format!("the chips: {}(…)", chain.root));
        return None;
    };
    let call = &chain.calls[at];
    let mut section = section("chips", places, findings, &call.notes);
    match as_chain(call.arguments.first()) {
        Some(options) => cut(options, &mut section),
        None => section.unread(call),
    }
    Some(chain.before(at))
}

fn set(chain: &Chain, places: &Places, findings: &mut Findings) {
    let mut section = section("chips", places, findings, &chain.notes);
    section.take("set", chain.cell, chain.arguments.first(), path);
    for call in &chain.calls {
        match call.name.as_str() {
            "split" => section.take("set_train", call.cell, call.arguments.first(), text),
            "chips" if call.arguments.is_empty() => {}
            _ => section.unread(call),
        }
    }
}

fn cut(options: &Chain, section: &mut Section<'_>) {
    let cell = options.cell;
    let (first, second) = (options.arguments.first(), options.arguments.get(1));
    match options.root.as_str() {
        "Chips::random" => {
            section.text("kind", "random");
            section.take("count", cell, first, number);
            section.take("size", cell, second, number);
        }
        "Chips::random_meters" => {
            section.text("kind", "random");
            section.take("count", cell, first, number);
            section.take("meters", cell, second, number);
        }
        "Chips::sliding" => {
            section.text("kind", "sliding");
            section.take("size", cell, first, number);
        }
        "Chips::sliding_meters" => {
            section.text("kind", "sliding");
            section.take("meters", cell, first, number);
        }
        "Chips::objects" => {
            section.text("kind", "objects");
            section.take("size", cell, first, number);
        }
        other => section
            .findings
            .unread(cell, &format!("the chips: {other}(…)")),
    }
    for call in &options.calls {
        section.notes.extend(call.notes.iter().cloned());
        let (cell, first) = (call.cell, call.arguments.first());
        match call.name.as_str() {
            "seed" => section.take("seed", cell, first, number),
            "stride" => section.take("stride", cell, first, number),
            "meters" => section.take("meters", cell, first, number),
            "neg_ratio" => section.take("neg_ratio", cell, first, number),
            "neg_visible" => section.take("neg_visible", cell, first, number),
            "min_visible" => section.take("min_visible", cell, first, number),
            "min_valid" => section.take("min_valid", cell, first, number),
            "photometric" => section.take("photometric", cell, first, number),
            "flips" => section.take("flips", cell, first, flag),
            "padded" => section.put("padded", "true".to_owned()),
            "evenly" => section.text("weight", "even"),
            "by_labeled_area" => section.text("weight", "labeled"),
            "balanced" => section.text("balance", "pixels"),
            "around_objects" => section.text("balance", "objects"),
            "class_shares" => section.take("class_shares", cell, first, |shares, places| {
                let Value::List(shares) = shares else {
                    return None;
                };
                let pair = |share: &Value| match share {
                    Value::Tuple(pair) => match pair.as_slice() {
                        [Value::Text(name), share] => {
                            Some(format!("{} = {}", quoted(name), number(share, places)?))
                        }
                        _ => None,
                    },
                    _ => None,
                };
                let pairs: Option<Vec<String>> = shares.iter().map(pair).collect();
                Some(format!("{{ {} }}", pairs?.join(", ")))
            }),
            "window_sizes" => {
                section.take("window_sizes", cell, first, |sizes, places| match sizes {
                    Value::Range(low, high) => Some(format!(
                        "[{}, {}]",
                        number(low, places)?,
                        number(high, places)?
                    )),
                    _ => None,
                });
            }
            "augment" => section.take("augment", cell, first, |set, _| match set {
                Value::Chain(set) if set.calls.is_empty() => match set.root.as_str() {
                    "Augment::none" => Some(quoted("none")),
                    "Augment::light" => Some(quoted("light")),
                    "Augment::strong" => Some(quoted("strong")),
                    _ => None,
                },
                _ => None,
            }),
            _ => section.unread(call),
        }
    }
}

/// How the scenes that are trained on and those that are validated on come from each other.
pub(super) fn split(
    train: &Chain,
    valid: Option<&Chain>,
    cell: usize,
    places: &Places,
    findings: &mut Findings,
) {
    let Some(valid) = valid else {
        findings.unread(cell, "the scenes that are validated on");
        return;
    };
    let parts = (which_part(train), which_part(valid));
    let before = |chain: &Chain| chain.before(chain.calls.len().saturating_sub(1));
    if parts == (Some(0), Some(1))
        && before(train).calls == before(valid).calls
        && train.root == valid.root
    {
        let way = before(train);
        if let Some(call) = way.calls.last() {
            parted(call, places, findings);
        }
        return;
    }
    if train == valid {
        findings.unread(
            cell,
            "the same scenes are trained on and validated on: [split] parts them",
        );
        return;
    }
    let mut section = section("validation", places, findings, &valid.notes);
    if valid.root == train.root && valid.arguments == train.arguments {
        section.findings.unread(
            cell,
            "how the scenes that are validated on come from those that are trained on",
        );
        return;
    }
    section.take("files", valid.cell, valid.arguments.first(), list(path));
    for call in &valid.calls {
        let (cell, first) = (call.cell, call.arguments.first());
        match call.name.as_str() {
            "with_labels" | "with_boxes" | "with_classes" => {
                section.take("labels", cell, first, path);
            }
            "with_label_raster" | "with_label_rasters" => section.take("raster", cell, first, path),
            "with_aoi" => section.take("aoi", cell, first, path),
            // As those that are trained on.
            _ if train
                .calls
                .iter()
                .any(|other| other.name == call.name && other.arguments == call.arguments) => {}
            _ => section.unread(call),
        }
    }
}

fn parted(call: &Call, places: &Places, findings: &mut Findings) {
    let mut section = section("split", places, findings, &call.notes);
    let Some(way) = as_chain(call.arguments.first()) else {
        section.unread(call);
        return;
    };
    let (cell, first) = (call.cell, way.arguments.first());
    match way.root.as_str() {
        "Split::columns" | "Split::at_column" => section.text("by", "columns"),
        "Split::rows" | "Split::at_row" => section.text("by", "rows"),
        "SceneSplit::random" => section.text("by", "scene"),
        _ => {
            section.unread(call);
            return;
        }
    }
    let key = match way.root.as_str() {
        "Split::at_column" | "Split::at_row" => "at",
        _ => "fraction",
    };
    section.take(key, cell, first, number);
    for inner in &way.calls {
        match inner.name.as_str() {
            "seed" => section.take("seed", cell, inner.arguments.first(), number),
            "by" => section.take("group", cell, inner.arguments.first(), text),
            _ => section.unread(inner),
        }
    }
}
