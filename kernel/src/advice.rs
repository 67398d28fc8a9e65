//! What a person who comes from Python has meant: the Rust, or the magic, for lines and names that are no Rust.

mod results;

pub(crate) use results::of_another;

/// A way to write something in Python, and the way to do it here.
struct Habit {
    /// Whether a line without the white space around it looks like that.
    is_in: fn(&str) -> bool,
    advice: &'static str,
}

/// Lines that Rust's grammar refuses, most telling first.
const LINES: &[Habit] = &[
    Habit {
        is_in: |line| {
            line.starts_with("import ") || line.starts_with("from ") && line.contains(" import ")
        },
        advice: "Rust has no `import`: Swath's types (`Scene`, `Chips`, `FitOptions`, …) are there already, `use std::fs;` brings \
                 names of the standard library, `%dep NAME` adds a crate",
    },
    Habit {
        is_in: |line| line.starts_with('#') && !line.starts_with("#[") && !line.starts_with("#!["),
        advice: "comments begin with `//`",
    },
    Habit {
        is_in: |line| line.starts_with("for ") && begins_block(line),
        advice: "a loop is `for i in 0..3 { … }`, or `for item in &items { … }`",
    },
    Habit {
        is_in: |line| {
            (line.starts_with("if ") || line.starts_with("elif ") || line.starts_with("else:"))
                && begins_block(line)
        },
        advice: "a choice is `if x == 1 { … } else if x == 2 { … } else { … }`",
    },
    Habit {
        is_in: |line| line.starts_with("while ") && begins_block(line),
        advice: "a loop is `while x < 3 { … }`",
    },
    Habit {
        is_in: |line| line.starts_with("def ") || line.starts_with("async def "),
        advice: "a function is `fn area(width: f64, height: f64) -> f64 { width * height }`",
    },
    Habit {
        is_in: |line| line.starts_with("class ") && begins_block(line),
        advice: "a class is a `struct Name { field: f64 }`, with its methods in `impl Name { … }`",
    },
    Habit {
        is_in: |line| {
            line.starts_with("try:")
                || line.starts_with("except") && begins_block(line)
                || line.starts_with("finally:")
        },
        advice: "calls that can fail return a `Result`: `?` behind one ends the cell with its error, `match call { Ok(value) \
                 => …, Err(error) => … }` handles it",
    },
    Habit {
        is_in: |line| line.starts_with("raise "),
        advice: "`Err(\"what is wrong\")?;` ends a cell, or a function that returns a `Result`, with an error",
    },
    Habit {
        is_in: |line| line.starts_with("with ") && begins_block(line),
        advice: "files close themselves at the end of their block: `let text = std::fs::read_to_string(\"file.txt\")?;`",
    },
    Habit {
        is_in: |line| {
            let word = line.split(' ').next().unwrap_or_default();
            line.contains(' ')
                && [
                    "cd", "ls", "pip", "conda", "cat", "mkdir", "rm", "echo", "cp", "mv",
                ]
                .contains(&word)
        },
        advice: "`!` runs a command: `!ls`; `%cd FOLDER` changes the folder",
    },
    Habit {
        is_in: |line| line.starts_with('@'),
        advice: "Rust has no decorators; attributes are written `#[derive(Debug)]`",
    },
    Habit {
        is_in: |line| line.starts_with("del "),
        advice: "`drop(name);` frees a value before its end; `%reset` forgets all variables",
    },
    Habit {
        is_in: |line| line.starts_with("assert "),
        advice: "`assert!(x > 0);` and `assert_eq!(x, 1);` check",
    },
    Habit {
        is_in: |line| line.starts_with("type("),
        advice: "`?x` and `%who` tell types",
    },
    Habit {
        is_in: |line| line.starts_with("print "),
        advice: "`println!(\"{x}\");` prints; the last line of a cell is shown without it",
    },
    Habit {
        is_in: |line| has_words(line, &["lambda"]) && line.contains(':'),
        advice: "a function without a name is `|x| x + 1`",
    },
    Habit {
        is_in: |line| {
            line.contains('[') && has_words(line, &["for", "in"]) && !line.starts_with("for ")
        },
        advice: "a list made from another one is `items.iter().map(|x| x * 2).collect::<Vec<_>>()`",
    },
    Habit {
        is_in: |line| has_words(line, &["if", "else"]) && !line.contains('{'),
        advice: "a choice between values is `if x > 0 { a } else { b }`",
    },
    Habit {
        is_in: is_format_string,
        advice: "`format!(\"{x}\")` makes a text with values in it",
    },
    Habit {
        is_in: |line| line.contains("**"),
        advice: "a power is `x.powi(2)` or `x.powf(0.5)` for fractions, `x.pow(2)` for whole numbers",
    },
    Habit {
        is_in: |line| line.contains("//") && !line.trim_start().starts_with("//"),
        advice: "`//` begins a comment; `a / b` of whole numbers is whole, of fractions is not",
    },
    Habit {
        is_in: |line| {
            has_words(line, &["and"])
                || has_words(line, &["or"])
                || line.starts_with("not ")
                || line.contains(" not ")
        },
        advice: "`and`, `or` and `not` are `&&`, `||` and `!`",
    },
    Habit {
        is_in: |line| has_words(line, &["is"]),
        advice: "`==` compares; `x.is_none()` asks for a missing value",
    },
    Habit {
        is_in: |line| line.contains("[:") || line.contains(":]") || is_slice(line),
        advice: "a part is `&items[1..3]`, `&items[1..]` or `&items[..3]`",
    },
    Habit {
        is_in: |line| line.contains('\''),
        advice: "texts stand in double quotes: `\"text\"`",
    },
    Habit {
        is_in: |line| line.contains('{') && line.contains("\":"),
        advice: "a table of keys is `std::collections::HashMap::from([(\"key\", 1)])`",
    },
];

/// Names of Python's, and what to write in their place.
const NAMES: &[(&[&str], &str)] = &[
    (
        &["print"],
        "`println!(\"{x}\");` prints; a cell shows its last line without it",
    ),
    (&["len"], "`items.len()` is the length"),
    (
        &["dir", "vars", "locals", "globals"],
        "`x.` and Tab lists what a value has, `?x` explains it, `%who` lists the variables",
    ),
    (
        &["help"],
        "`?name` is help on a name, `%lsmagic` lists the magics",
    ),
    (
        &["type", "isinstance"],
        "`?x` and `%who` tell types; they never change",
    ),
    (&["str", "repr"], "`x.to_string()`, or `format!(\"{x:?}\")`"),
    (
        &["int"],
        "`x as i64` cuts a number, `text.parse::<i64>()?` reads one",
    ),
    (
        &["float"],
        "`x as f64` turns a number, `text.parse::<f64>()?` reads one",
    ),
    (&["bool"], "`x != 0`, `!items.is_empty()`"),
    (
        &["range"],
        "`0..n` goes from 0 to n - 1; `(0..n).step_by(2)` in steps",
    ),
    (
        &["open"],
        "`Scene::open(\"scene.tif\")?` opens imagery, `std::fs::read_to_string(\"file.txt\")?` reads text",
    ),
    (&["input"], "`swath::session::input(\"question\")` asks"),
    (
        &["sum", "min", "max", "any", "all"],
        "these are methods of iterators: `items.iter().sum::<f64>()`, `.max()`, `.any(|x| …)`",
    ),
    (
        &["sorted", "reversed"],
        "`items.sort();` sorts in place, `.iter().rev()` goes backwards",
    ),
    (
        &["enumerate", "zip", "map", "filter"],
        "these are methods of iterators: `items.iter().enumerate()`, `.map(|x| …)`, `.filter(|x| …)`",
    ),
    (
        &["abs", "round", "pow"],
        "these are methods of numbers: `x.abs()`, `x.round()`, `x.powi(2)`",
    ),
    (&["list"], "`vec![1, 2, 3]`, or `.collect::<Vec<_>>()`"),
    (
        &["dict"],
        "`std::collections::HashMap::from([(\"key\", 1)])`",
    ),
    (&["set"], "`std::collections::HashSet::from([1, 2])`"),
    (&["tuple"], "`(1, \"two\")`"),
    (&["True"], "`true`"),
    (&["False"], "`false`"),
    (
        &["null", "nil", "NULL", "nan", "NaN"],
        "`None` stands for no value, `f64::NAN` for no number",
    ),
    (
        &["np", "numpy"],
        "`Vec<f64>` holds numbers, tensors come from `burn` (a dependency of Swath) or `%dep ndarray`",
    ),
    (
        &["pd", "pandas"],
        "`%dep polars` adds data frames; saved files are listed by `map.save(\"folder\")?`",
    ),
    (
        &["plt", "matplotlib", "sns"],
        "values draw themselves as the last line of a cell: `scene`, `run`, `map`; `plot::bars` draws numbers, `objects.histogram()` \
         sizes",
    ),
    (
        &["torch", "tf", "keras", "nn"],
        "`Segmenter::new(Unet::resnet18(), scene.classes()).fit(&chips, &valid, FitOptions::epochs(10))?` or `%fit` trains; \
         `Device::best()` tells the GPU; `model.save(\"model.swath\")?` saves",
    ),
    (
        &["rasterio", "rio", "gdal", "xr", "rioxarray"],
        "`Scene::open(\"scene.tif\")?` or `%scene scene.tif` opens imagery",
    ),
    (
        &["gpd", "geopandas", "fiona", "shapely"],
        "`scene.with_labels(\"labels.gpkg\", \"class\")?` reads vectors; `map.save(\"folder\")?` writes them",
    ),
    (
        &["os", "sys", "shutil", "pathlib", "Path"],
        "`std::env`, `std::fs` and `std::path::Path` are their likes; `!ls` runs a command",
    ),
    (
        &["math"],
        "functions are methods of numbers: `x.sqrt()`, `x.sin()`; constants are in `std::f64::consts`",
    ),
    (
        &["time"],
        "`%time` and `%timeit` measure; `std::time::Instant::now()` is a clock",
    ),
    (
        &["random"],
        "`%dep rand` adds random numbers; `.seed(7)` makes chips and trainings repeatable",
    ),
    (&["json"], "`%dep serde_json` reads and writes JSON"),
    (
        &["display"],
        "a cell shows its last line; `show_all` shows several values",
    ),
    (
        &["ls", "pwd", "pip", "whoami", "cd", "echo", "mkdir"],
        "`!` runs a command: `!ls`; `%cd FOLDER` changes the folder",
    ),
    (
        &["self"],
        "methods stand in `impl Type { fn method(&self) { … } }`",
    ),
    (
        &["get_ipython"],
        "magics stand on lines of their own: `%time`, `!ls`; `%lsmagic` lists them",
    ),
];

/// Methods of Python's values.
const METHODS: &[(&[&str], &str)] = &[
    // Choices of one network, asked of another: each builder has only its own.
    (
        &["decoder_widths"],
        "`Unet` and `CenterNet` have `decoder_widths`; `Fpn` has `pyramid_channels`",
    ),
    (&["pyramid_channels"], "`Fpn` has `pyramid_channels`"),
    (
        &["dropout"],
        "`DeepLabV3`, `DeepLabV3Plus` and `ImageClassifier` have `dropout`",
    ),
    (
        &["anchor_sizes", "frozen_norms"],
        "`RetinaNet` and `FasterRcnn` have `anchor_sizes` and `frozen_norms`; a `CenterNet` has no anchors",
    ),
    (&["box_loss"], "`RetinaNet` has `box_loss`"),
    (&["head_width"], "`CenterNet` has `head_width`"),
    (
        &["append", "add"],
        "`items.push(x)` adds to a `Vec`, `.insert(x)` to a set",
    ),
    (&["extend"], "`items.extend(more)`"),
    (&["upper"], "`text.to_uppercase()`"),
    (&["lower"], "`text.to_lowercase()`"),
    (&["strip"], "`text.trim()`"),
    (&["startswith"], "`text.starts_with(\"a\")`"),
    (&["endswith"], "`text.ends_with(\"a\")`"),
    (&["format"], "`format!(\"{x:.2}\")`"),
    (&["items"], "`for (key, value) in &table { … }`"),
    (
        &["shape", "ndim"],
        "of a list `x.len()`, of a scene `scene.size()`, of a patch `patch.size` and `patch.bands`, of a tensor `x.dims()`",
    ),
    (&["astype"], "`x as f32`"),
    (
        &["mean"],
        "of a list `items.iter().sum::<f64>() / items.len() as f64`; of a scene `scene.statistics()?`; a patch that ends a cell \
         shows the mean of each band",
    ),
    (&["split_lines", "splitlines"], "`text.lines()`"),
    (
        &["to_crs", "reproject", "rio"],
        "imagery keeps its own reference system; labels in another one are brought into it, and `objects.save(\"a.geojson\")` \
         writes longitude and latitude",
    ),
    (
        &["meta", "profile", "info", "attrs", "tags"],
        "the last line of a cell, `scene`, shows its file, size, pixel, system and bands",
    ),
    (
        &["head", "tail", "sample"],
        "a table that ends a cell shows its first rows; `.iter().take(5)` goes over some",
    ),
    (
        &["plot", "show", "display", "imshow", "draw"],
        "a value draws itself as the last line of a cell",
    ),
    (
        &["to_csv", "to_file", "to_excel", "to_parquet"],
        "`objects.save(\"objects.csv\")?` and `map.save(\"folder\")?` write files; scores are text by `scores.to_json().to_string()`",
    ),
    (
        &[
            "drop",
            "dropna",
            "groupby",
            "sort_values",
            "sort_by",
            "merge",
        ],
        "values become a list by `.iter().collect::<Vec<_>>()`; `%dep polars` adds data frames",
    ),
];

/// How values of the library's types are made: for somebody who wrote something else where one is wanted.
const MAKERS: &[(&[&str], &str)] = &[
    (
        &["PixelWindow"],
        "pixels are read by `scene.read(&PixelWindow::new(column, row, width, height))?`",
    ),
    (
        &["Loss"],
        "losses are `Loss::Dice`, `Loss::CrossEntropy`, `Loss::focal()`, `Loss::Lovasz`; `?Loss` explains them",
    ),
    (
        &["Optimizer"],
        "optimizers are `Optimizer::adamw()` and `Optimizer::sgd(0.9)`",
    ),
    (
        &["Schedule"],
        "schedules are `Schedule::one_cycle()`, `Schedule::cosine()`, `Schedule::poly(0.9)`, `Schedule::constant()`",
    ),
    (
        &["Chips"],
        "chips are cut from a scene: `let chips = train.chips(Chips::random(400, 256))?;`",
    ),
    (
        &["DetectorArchitecture"],
        "a `Detector` takes `CenterNet::resnet18()`, `RetinaNet::resnet50()` or `FasterRcnn::resnet50()`; a `Segmenter` takes \
         `Unet::…`",
    ),
    (
        &["ClassifierArchitecture"],
        "a `Classifier` takes `ImageClassifier::resnet18()`, `ImageClassifier::efficientnet_lite0()`, …; a `Segmenter` takes \
         `Unet::…`, a `Detector` `CenterNet::…`",
    ),
    (
        &["ZoomWindow", "MapWindow"],
        "a part of a scene is `PixelWindow::new(column, row, width, height)` in pixels, or `MapWindow::around(x, y, meters, meters)` \
         in map coordinates",
    ),
    (
        &["Split"],
        "`Split::columns(0.75)` gives the left three quarters to the first part, `Split::rows(0.75)` the upper ones",
    ),
    (
        &["Architecture"],
        "a `Segmenter` takes `Unet::resnet18()`, `Unet::efficientnet_lite0()`, `Fpn::resnet50()`, …; a `Detector` takes \
         `CenterNet::…`",
    ),
    (
        &["ChipOptions"],
        "`Chips::random(400, 256)` cuts 400 chips of 256 pixels, `Chips::sliding(256)` all of them side by side",
    ),
    (
        &["FitOptions"],
        "`FitOptions::epochs(10)` or `FitOptions::steps(300)` says how long; `?FitOptions` lists what can be set",
    ),
    (
        &["Classes"],
        "`scene.classes()` are those of a scene, `Classes::new([\"building\", \"road\"])` new ones",
    ),
    (
        &["PredictOptions", "SaveOptions", "OpenOptions"],
        "options begin with `::new()`: `PredictOptions::new().threshold(0.4)`",
    ),
];

/// What the library's hints say in Rust, and how somebody who uses magics says it.
const FOR_MAGICS: &[(&str, &str)] = &[
    ("`.padded()`", "`padded=yes`"),
    (
        "`VectorSource::new(path).crs(\"EPSG:…\")`",
        "`labels_crs=EPSG:…`",
    ),
    (
        "a `PixelWindow` is counted in pixels from the top-left corner of the file, a `MapWindow` is in the coordinates of \
         `scene.bounds()`",
        "COL ROW WIDTH count pixels from the top-left corner of the file, `at=X,Y` is in the coordinates of `scene.bounds()`",
    ),
    (
        "`Scene::open_with(path, OpenOptions::new().bands([",
        "`%scene FILE bands=` takes bands in this order, and in Rust `Scene::open_with(path, OpenOptions::new().bands([",
    ),
];

/// Magics of IPython's that are none here.
const MAGICS: &[(&[&str], &str)] = &[
    (
        &["matplotlib", "pylab"],
        "pictures show themselves: the last line of a cell draws its value",
    ),
    (
        &["pip", "conda", "mamba", "uv"],
        "`%dep NAME` adds a Rust crate; `!pip install …` runs pip",
    ),
    (
        &["help", "quickref", "magic", "man"],
        "`%lsmagic` lists the magics, `?name` explains a name",
    ),
    (
        &["python", "python3", "py"],
        "this kernel runs Rust; `!python -c '…'` runs Python",
    ),
    (
        &[
            "ls", "cat", "rm", "mkdir", "cp", "mv", "ll", "head", "system", "sx",
        ],
        "`!` runs a command: `!ls`",
    ),
    (
        &["sh", "script", "cmd"],
        "`%%bash` runs a script, `!` a command",
    ),
    (
        &["whos", "who_ls"],
        "`%who` lists the variables with their types",
    ),
    (
        &["run"],
        "`include!(\"/path/file.rs\")` brings Rust in, `%load FILE` puts a file into the cell",
    ),
    (
        &["load_ext", "reload_ext", "autoreload"],
        "there is nothing to load: the magics are built in",
    ),
    (
        &["html", "latex", "markdown", "svg", "javascript", "js"],
        "write text into a cell of type Markdown, or show HTML by `Output::html(\"text\", \"<b>html</b>\")`",
    ),
    (
        &["debug", "pdb", "tb", "xmode"],
        "`dbg!(x)` prints a value with its place; errors show the line",
    ),
    (
        &["del", "xdel", "reset_selective"],
        "`drop(name);` frees one value, `%reset` all",
    ),
    (&["train"], "`%fit` trains"),
    (
        &["plot", "show", "display"],
        "the last line of a cell is shown: `scene`, `run`, `map`",
    ),
    (
        &["open", "load_scene", "raster"],
        "`%scene FILE` opens imagery",
    ),
    (&["score", "metrics", "test"], "`%evaluate` scores a map"),
    (&["export"], "`%map save=FOLDER` writes GIS files"),
];

/// Whether a line has a `:` that begins a block: nothing of Rust's has one behind such words without a brace.
fn begins_block(line: &str) -> bool {
    let is_path = |at: usize| line[at + 1..].starts_with(':') || line[..at].ends_with(':');
    let mut colons = line.match_indices(':');
    !line.contains('{') && colons.any(|(at, _)| !is_path(at))
}

fn has_words(line: &str, words: &[&str]) -> bool {
    let mut found = line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.iter().all(|word| found.any(|it| it == *word))
}

/// `f"{x}"`, and not the end of `"town.tif"`.
fn is_format_string(line: &str) -> bool {
    ["f\"", "f'"].iter().any(|mark| {
        line.match_indices(mark).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|c| c.is_alphanumeric() || "_.\"'".contains(c))
        })
    })
}

/// `x[1:3]`, and no path with `::`.
fn is_slice(line: &str) -> bool {
    line.split('[').skip(1).any(|rest| {
        let inside = rest.split(']').next().unwrap_or_default();
        inside
            .split_once(':')
            .is_some_and(|(from, to)| !to.starts_with(':') && is_number(from) && is_number(to))
    })
}

fn is_number(text: &str) -> bool {
    let text = text.trim().trim_start_matches('-');
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn find(table: &[(&[&str], &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(names, _)| names.contains(&name))
        .map(|(_, advice)| *advice)
}

/// What a line may have meant that Rust's grammar refuses.
pub(crate) fn of_line(line: &str) -> Option<&'static str> {
    let line = line.trim();
    LINES
        .iter()
        .find(|habit| (habit.is_in)(line))
        .map(|habit| habit.advice)
}

/// What a name may have meant that is not there.
pub(crate) fn of_name(name: &str) -> Option<&'static str> {
    find(NAMES, name)
}

/// What a method may have meant that a value does not have.
pub(crate) fn of_method(name: &str) -> Option<&'static str> {
    find(METHODS, name)
}

/// The library's method that a word of another library stands for: `TYPE WORD METHOD` in each line. rustc knows such words
/// (`#[doc(alias)]`) only within the library itself.
const ALIASES: &str = include_str!("../../src/aliases.txt");

/// The method of the library's `of_type` that a word of PyTorch's, rasterio's or another library's means.
pub(crate) fn of_alias(of_type: &str, word: &str) -> Option<String> {
    let of_type = of_type.split('<').next().unwrap_or(of_type);
    let of_type = of_type.rsplit("::").next().unwrap_or(of_type);
    let method = ALIASES.lines().find_map(|line| {
        let mut words = line.split(' ');
        let found = words.next() == Some(of_type) && words.next() == Some(word);
        words.next().filter(|_| found)
    })?;
    let by_itself = if ["show", "plot", "imshow", "display"].contains(&word) {
        "a value draws itself as the last line of a cell; "
    } else {
        ""
    };
    Some(format!(
        "{by_itself}`{of_type}` has `{method}` for that: `?{of_type}::{method}` explains it"
    ))
}

/// A message or hint of the library's as somebody who uses magics says it, who counts bands from 1.
pub(crate) fn for_magic(text: &str) -> String {
    let mut text = text.to_owned();
    for (rust, magic) in FOR_MAGICS {
        text = text.replace(rust, magic);
    }
    let counted = text
        .strip_prefix("there is no band ")
        .and_then(|rest| rest.split_once(", counted from 0"));
    if let Some((number, rest)) = counted
        && let Ok(number) = number.parse::<i64>()
    {
        return format!("there is no band {}, counted from 1{rest}", number + 1);
    }
    let Some(bands) = text.strip_prefix("the bands: ") else {
        return text;
    };
    let (bands, how) = bands.split_once("; choose").unwrap_or((bands, ""));
    let number = |band: &str| -> String {
        match band.split_once(": ") {
            Some((at, what)) if at.parse::<usize>().is_ok() => {
                format!("{}: {what}", at.parse::<usize>().unwrap_or_default() + 1)
            }
            _ => band.to_owned(),
        }
    };
    let bands: Vec<String> = bands.split("; ").map(number).collect();
    format!("the bands: {}; choose{how}", bands.join("; "))
}

/// How a value of a type of the library's is made.
pub(crate) fn of_maker(of_type: &str) -> Option<&'static str> {
    let of_type = of_type.trim_start_matches('&');
    let of_type = of_type.split('<').next().unwrap_or(of_type);
    find(MAKERS, of_type.rsplit("::").next().unwrap_or(of_type))
}

/// What a cell that ran may have meant otherwise: its last line says something else in Python, in QGIS or in R.
pub(crate) fn of_value(cell: &str, is_variable: &dyn Fn(&str) -> bool) -> Option<String> {
    let line = cell.trim_end().lines().next_back()?.trim();
    let is_word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_alphanumeric() || "_.".contains(c))
    };
    let is_number = |text: &str| is_word(text) && text.starts_with(|c: char| c.is_ascii_digit());
    // A name, a number, or something computed of both.
    let is_computed = |text: &str| {
        let mut words = text.split(['+', '-', '*', '/', '(', ')', ' ']);
        let is_known = |word: &str| word.is_empty() || is_number(word) || is_variable(word);
        words.all(is_known) && text.contains(char::is_alphanumeric)
    };
    if let Some((before, after)) = line.split_once("//") {
        let is_value = !before.trim().is_empty() && !before.trim_end().ends_with([';', '}', ',']);
        let after = after.trim();
        return (is_value && is_computed(after))
            .then(|| format!("`//` begins a comment, `{after}` was not looked at: `/` divides"));
    }
    if let Some((base, power)) = line.split_once('^') {
        let (base, power) = (base.trim(), power.trim());
        let are_words = is_word(base) && is_word(power);
        let base = if is_number(base) {
            format!("{base}_i64")
        } else {
            base.to_owned()
        };
        return are_words
            .then(|| format!("`^` is the exclusive or of bits: a power is `{base}.pow({power})`"));
    }
    let whole = |text: &str| text.trim().replace('_', "").parse::<i64>().ok();
    let (over, under) = line.split_once('/')?;
    let (over, under) = (whole(over)?, whole(under)?);
    (over.checked_rem(under)? != 0).then(|| {
        format!("whole numbers divide to whole numbers: `{over}.0 / {under}.0` keeps the fraction")
    })
}

/// What a magic may have meant that is not there.
pub(crate) fn of_magic(name: &str) -> Option<&'static str> {
    find(MAGICS, name)
}

/// What a cell that Rust's grammar refuses at a line may have meant. The grammar may notice later what went wrong before.
pub(crate) fn of_cell(cell: &str, line: usize) -> Option<&'static str> {
    let lines: Vec<&str> = cell.lines().collect();
    let at = lines.get(line).copied().unwrap_or_default();
    of_line(at).or_else(|| lines.iter().take(line).find_map(|line| of_line(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_python_are_known_and_those_of_rust_are_left_alone() {
        for (line, words) in [
            ("import os", "`use std::fs;`"),
            ("from swath import Scene", "there already"),
            ("# a comment", "`//`"),
            ("for i in range(3):", "0..3"),
            ("for i in range(3): print(i)", "0..3"),
            ("if scene: print(1)", "else if"),
            ("with open('a') as f: f.read()", "read_to_string"),
            ("elif x == 1:", "else if"),
            ("def f(x):", "fn area"),
            ("print x", "println!"),
            ("x = [a for a in b]", "collect"),
            ("y = lambda x: x + 1", "|x|"),
            ("x = 1 if a else 2", "if x > 0 {"),
            ("print(f\"{x}\")", "format!"),
            ("x[1:3]", "1..3"),
            ("let a = 'text';", "double quotes"),
            ("Scene::open('a.tif')", "double quotes"),
            ("if a and b {", "&&"),
        ] {
            let advice = of_line(line).unwrap_or_default();
            assert!(advice.contains(words), "{line}: {advice}");
        }
        for line in [
            "let x = vec![1, 2, 3",
            "#[derive(Debug)",
            "for i in 0..3 {",
            "println!(\"{x}\"",
            "a::<B>[c::D]",
            "for x in a::b()",
            "Scene::open(\"town.tif\"",
        ] {
            assert_eq!(of_line(line), None, "{line}");
        }
    }

    #[test]
    fn magics_count_bands_from_one() {
        assert_eq!(
            for_magic("there is no band 8, counted from 0: there are 3: \"a.tif\""),
            "there is no band 9, counted from 1: there are 3: \"a.tif\""
        );
        assert_eq!(
            for_magic("the bands: 0: \"red\" (Byte); 1: \"nir\" (Byte); choose by name"),
            "the bands: 1: \"red\" (Byte); 2: \"nir\" (Byte); choose by name"
        );
        assert_eq!(
            for_magic("there is no band \"x\""),
            "there is no band \"x\""
        );
        assert_eq!(for_magic("`.padded()`"), "`padded=yes`");
    }

    #[test]
    fn values_that_python_would_have_otherwise_are_told() {
        for (cell, words) in [
            ("7 // 2", "`/` divides"),
            ("let x = 7;\nx // 2\n", "`2` was not looked at"),
            ("7 // 2 + 1", "`2 + 1` was not looked at"),
            ("w // h", "`h` was not looked at"),
            ("2 ^ 3", "2_i64.pow(3)"),
            ("a ^ b", "a.pow(b)"),
            ("5 / 2", "5.0 / 2.0"),
        ] {
            let advice = of_value(cell, &|name| name == "h").unwrap_or_default();
            assert!(advice.contains(words), "{cell}: {advice}");
        }
        for cell in [
            "",
            "6 / 2",
            "x / 2",
            "5 / 0",
            "f(); // 2",
            "scene // the town",
            "// 2",
            "\"http://a\"",
            "x // half of it",
            "f(a) ^ 3",
            "\"5 / 2\"",
        ] {
            assert_eq!(of_value(cell, &|name| name == "h"), None, "{cell}");
        }
    }

    #[test]
    fn words_of_other_libraries_lead_to_methods() {
        let of = |of_type, word| of_alias(of_type, word).unwrap_or_default();
        assert!(
            of("swath::prelude::FitOptions", "learning_rate").contains("`FitOptions` has `lr`")
        );
        assert!(of("swath::prelude::Run<swath::prelude::Segmenter>", "nothing").is_empty());
        assert_eq!(of("swath::prelude::Scene", "size"), "");
    }

    #[test]
    fn every_name_is_in_one_place() {
        for table in [NAMES, METHODS, MAKERS, MAGICS] {
            let mut names: Vec<&str> = table
                .iter()
                .flat_map(|(names, _)| *names)
                .copied()
                .collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count);
        }
    }
}
