//! The library's side of the command line: what a batch job does without a notebook.
//!
//! ```text
//! swath info scene.tif
//! swath info east.tif west.tif --json --statistics --labels buildings.geojson --class building
//! swath sample town --size 2000 --out town/
//! swath predict buildings.swath scene.tif -o map/ --labels buildings.geojson --class building
//! swath evaluate map/labels.tif scene.tif --labels buildings.geojson --class building
//! swath predict trees.swath scene.tif -o trees/ --threshold 0.3
//! swath evaluate trees.swath scene.tif --labels trees.xml
//! swath evaluate trees/boxes.gpkg scene.tif --labels trees.xml --threshold 0.5
//! ```
//!
//! Exit codes: 0 done, 1 failed, 2 not understood, 130 interrupted. Results and what was left out or assumed go to stdout, progress and
//! errors to stderr.

mod arguments;
mod boxes;
mod commands;
mod info;
mod npy;
mod predict;
mod scenes;
mod terminal;

use std::ffi::{CStr, c_char, c_int};
use std::sync::Arc;

use arguments::{Accepts, Arguments, Usage};

use crate::{Error, Hint};

/// The command was done.
pub const DONE: i32 = 0;
/// The command failed; stderr says why and what to do.
pub const FAILED: i32 = 1;
/// The command line was not understood.
pub const NOT_UNDERSTOOD: i32 = 2;
/// The user interrupted the command, as shells report it.
pub const INTERRUPTED: i32 = 130;

/// Why a command did not succeed.
enum Failure {
    Usage(Usage),
    Error(Error),
    /// Some of several scenes failed; each was reported when it did.
    Some {
        failed: usize,
        of: usize,
        /// What could not be done with them.
        done: &'static str,
    },
}

impl From<Usage> for Failure {
    fn from(usage: Usage) -> Self {
        Self::Usage(usage)
    }
}

impl<E: Into<Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Error(error.into())
    }
}

/// One command: help and completion come from this table too.
struct Command {
    words: &'static [&'static str],
    accepts: Accepts,
    /// The line after the words, and what the command does.
    synopsis: &'static str,
    about: &'static str,
    run: fn(&Arguments) -> Result<(), Failure>,
}

const COMMANDS: &[Command] = &[
    Command {
        words: &["info"],
        accepts: Accepts {
            positional: &["FILE..."],
            options: &[
                "labels",
                "class",
                "layer",
                "labels-crs",
                "where",
                "label-raster",
                "classes",
                "boxes",
                "aoi",
                "arrays",
            ],
            repeated: &[],
            switches: &["json", "statistics", "values"],
        },
        synopsis: "FILE... [--json] [--statistics] [--values] [--labels FILE --class NAME] [--layer NAME] \
                    [--labels-crs CRS] [--where SQL] [--label-raster FILE --classes NAME,..] [--boxes FILE --class NAME] [--aoi FILE] [--arrays DIR]",
        about: "what is read of rasters: facts, what was left out or assumed, and with --statistics, which reads all of it, \
                figures of each band and valid pixels; --values lists the values there are with their pixels, for label \
                rasters; with labels or boxes, how many there are. --arrays writes the pixels as arrays for NumPy: \
                values.npy, valid.npy, labels.npy, a folder for each of several files. --json gives one object, for several \
                files one on each line",
        run: info::info,
    },
    Command {
        words: &["properties"],
        accepts: Accepts {
            positional: &["FILE"],
            options: &["layer"],
            repeated: &[],
            switches: &[],
        },
        synopsis: "FILE [--layer NAME]",
        about: "the names of the properties of the features of a vector file, one a line",
        run: commands::properties,
    },
    Command {
        words: &["predict"],
        accepts: Accepts {
            positional: &["BUNDLE", "SCENE..."],
            options: &[
                "out",
                "labels",
                "layer",
                "labels-crs",
                "where",
                "class",
                "label-raster",
                "values",
                "binary",
                "aoi",
                "window",
                "overlap",
                "batch",
                "tta",
                "threshold",
                "device",
                "min-area",
                "formats",
                "merge",
                "merge-iou",
                "min-score",
                "max-boxes",
            ],
            repeated: &["also"],
            switches: &["no-scores", "no-polygons", "any-values", "quiet"],
        },
        synopsis: "BUNDLE SCENE... -o DIR [--threshold P] [--aoi FILE] [--labels FILE --class NAME] [--layer NAME] \
                   [--labels-crs CRS] [--where SQL] [--label-raster FILE [--values VALUE:NAME,..|--binary NAME]] [--window PX] \
                   [--overlap PX] [--batch N] [--tta flips|turns] [--also BUNDLE]... \
                   [--device cpu|cuda|cuda:N] [--any-values] [--quiet]\n    \
                   to map areas: [--min-area M2] [--formats gpkg,geojson] \
                   [--no-scores] [--no-polygons]\n    \
                   to find objects: [--merge nms|soft-nms|weighted] [--merge-iou X] [--min-score P] [--max-boxes N]",
        about: "predict scenes, a folder for each of several; with labels, score the result too. The bundle says whether its \
                model maps areas, which gives class map, scores and polygons, or finds objects, which gives boxes, center \
                points and COCO results. --tta also looks at mirrored or turned views, --also averages further models of the same \
                classes; --merge says what becomes of boxes that overlap, --max-boxes how many a tile may have. --any-values predicts \
                imagery whose values or order of bands are not those of the training, which is an error otherwise; --quiet shows \
                nothing but errors",
        run: predict::predict,
    },
    Command {
        words: &["evaluate"],
        accepts: Accepts {
            positional: &["MAP|BOXES|BUNDLE", "SCENE"],
            options: &[
                "labels",
                "layer",
                "labels-crs",
                "where",
                "class",
                "label-raster",
                "values",
                "binary",
                "aoi",
                "json",
                "window",
                "overlap",
                "batch",
                "tta",
                "threshold",
                "device",
                "merge",
                "merge-iou",
                "min-score",
                "max-boxes",
            ],
            repeated: &["also"],
            switches: &["any-values", "quiet"],
        },
        synopsis: "MAP SCENE --labels FILE [--class NAME] [--layer NAME] [--labels-crs CRS] [--where SQL] [--aoi FILE] \
                   [--json FILE]\n    \
                   MAP|BUNDLE SCENE --label-raster FILE [--values VALUE:NAME,..|--binary NAME] [--aoi FILE] [--json FILE]\n    \
                   BOXES SCENE --labels FILE [--class NAME] [--threshold P] [--aoi FILE] [--json FILE]\n    \
                   BUNDLE SCENE --labels FILE [--class NAME] [--aoi FILE] [--json FILE], and what predict takes but -o",
        about: "score a class map (labels.tif) of a scene, saved boxes (boxes.gpkg, boxes.geojson, detections.json), or what a \
                model makes of the scene, against labels or boxes. Saved boxes are those above the threshold of that time: \
                average precision asks for all of them, as `predict --threshold 0` saves them. The values of a label raster are \
                indices of the map's classes, unless --values says what they mean (10:tree,50:built,0:background,255:ignore) \
                or --binary names the one class of a mask of 0 and 255",
        run: predict::evaluate,
    },
    Command {
        words: &["sample", "town"],
        accepts: Accepts {
            positional: &[],
            options: &["size", "seed", "out"],
            repeated: &[],
            switches: &[],
        },
        synopsis: "--out DIR [--size PX] [--seed N]",
        about: "draw a georeferenced town with exact labels",
        run: commands::sample_town,
    },
    Command {
        words: &["data", "list"],
        accepts: Accepts {
            positional: &[],
            options: &[],
            repeated: &[],
            switches: &[],
        },
        synopsis: "",
        about: "data sets and weights that can be fetched",
        run: commands::data_list,
    },
    Command {
        words: &["data", "fetch"],
        accepts: Accepts {
            positional: &["NAME"],
            options: &[],
            repeated: &[],
            switches: &[],
        },
        synopsis: "NAME",
        about: "fetch a data set or weights into the per-user cache",
        run: commands::data_fetch,
    },
];

/// Runs a command; `arguments` are the words after the program's name. Returns the exit code.
#[must_use]
pub fn run(arguments: &[String]) -> i32 {
    let first = arguments.first().map(String::as_str);
    if matches!(first, None | Some("help" | "--help" | "-h")) {
        crate::session::result(crate::display::Output::text(help()));
        return if first.is_none() {
            NOT_UNDERSTOOD
        } else {
            DONE
        };
    }
    let begins = |command: &&Command| {
        command.words.len() <= arguments.len()
            && command
                .words
                .iter()
                .zip(arguments)
                .all(|(word, given)| word == given)
    };
    let Some(command) = COMMANDS.iter().find(begins) else {
        complain(
            &format!("there is no command `{}`", arguments.join(" ")),
            Some(help()),
        );
        return NOT_UNDERSTOOD;
    };
    let usage = || format!("swath {} {}", command.words.join(" "), command.synopsis);
    let words = &arguments[command.words.len()..];
    if words.iter().any(|word| word == "--help" || word == "-h") {
        crate::session::result(crate::display::Output::text(format!(
            "{}\n{}",
            usage(),
            command.about
        )));
        return DONE;
    }
    let outcome = Arguments::parse(words, &command.accepts)
        .map_err(Failure::from)
        .and_then(|words| (command.run)(&words));
    match outcome {
        Ok(()) => DONE,
        Err(Failure::Usage(Usage(message))) => {
            complain(&message, Some(usage()));
            NOT_UNDERSTOOD
        }
        Err(Failure::Some { failed, of, done }) => {
            complain(
                &format!("{failed} of {of} scenes could not be {done}; the others are done"),
                None,
            );
            FAILED
        }
        Err(Failure::Error(error)) => {
            report(&error);
            if matches!(error, Error::Interrupted { .. }) {
                INTERRUPTED
            } else {
                FAILED
            }
        }
    }
}

fn help() -> String {
    let mut text = "Swath: geospatial deep learning. Commands:\n".to_owned();
    for command in COMMANDS {
        text.push_str(&format!(
            "\n  swath {} {}\n      {}\n",
            command.words.join(" "),
            command.synopsis,
            command.about
        ));
    }
    text
}

fn report(error: &Error) {
    complain(&error.to_string(), error.hint());
}

#[expect(clippy::print_stderr, reason = "the command line's place for errors")]
fn complain(message: &str, hint: Option<String>) {
    eprintln!("error: {message}");
    if let Some(hint) = hint {
        eprintln!("\nhint: {hint}");
    }
}

/// Runs the command line of a process that loaded this library: its sink writes to the terminal, Ctrl-C asks the running
/// command to stop.
///
/// # Safety
/// `argv` points to `argc` NUL-terminated strings, the first of which is the program's name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn swath_cli(argc: c_int, argv: *const *const c_char) -> c_int {
    let count = usize::try_from(argc).unwrap_or(0);
    let argument = |index: usize| {
        // SAFETY: by the caller's promise `index < argc` strings are there.
        let text = unsafe { CStr::from_ptr(*argv.add(index)) };
        text.to_string_lossy().into_owned()
    };
    let arguments: Vec<String> = (1..count).map(argument).collect();
    crate::session::set_sink(Arc::new(terminal::CommandSink::default()));
    terminal::stop_on_interrupt();
    // A panic must not cross into C.
    std::panic::catch_unwind(|| run(&arguments)).unwrap_or(FAILED)
}
