//! Who shows what the library says: a notebook or a shell. Errors and notices name a step as a [`Step`]; how it is written
//! depends on where the person is, so that no magic is named in a shell and no option of the shell in a cell.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a person reads what the library says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Cells and magics, which every process has unless it says otherwise.
    Notebook,
    /// The command line of the program `swath`.
    Shell,
}

static IN_A_SHELL: AtomicBool = AtomicBool::new(false);

/// Says who shows what this process has to say, once, when it starts.
pub(crate) fn set(host: Host) {
    IN_A_SHELL.store(host == Host::Shell, Ordering::Relaxed);
}

fn current() -> Host {
    match IN_A_SHELL.load(Ordering::Relaxed) {
        true => Host::Shell,
        false => Host::Notebook,
    }
}

/// Whether the command line shows what this process says.
pub(crate) fn in_a_shell() -> bool {
    current() == Host::Shell
}

/// The words for where a person reads them: in a cell, or in a shell. For steps that one place alone names; others are a
/// [`Step`].
pub(crate) fn either<T>(in_a_cell: T, in_a_shell: T) -> T {
    match current() {
        Host::Notebook => in_a_cell,
        Host::Shell => in_a_shell,
    }
}

/// A step that each host writes in its own way. The text is what stands in a sentence, code in backticks included.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step<'a> {
    /// What changes the current folder.
    ChangeFolder,
    /// How to begin anew with another process, after which: an infinitive.
    StartAgain,
    /// How to stop what runs: an infinitive.
    Interrupt,
    /// What shows the programs that hold a device's memory.
    ShowDevicePrograms,
    /// Windows that need less memory.
    SmallerWindows,
    /// Takes imagery of other values than those of the training; `call` does so in Rust.
    AnyValues { call: &'a str },
    /// A look at the values of a scene and at what was assumed of them.
    LookAtValues,
    /// States the nodata value of imagery.
    StateNodata,
    /// Leaves out bands of imagery.
    LeaveBandsOut,
    /// Gives a scene labels that are areas.
    GiveLabels,
    /// Gives a scene labels that are boxes.
    GiveBoxes,
    /// Takes every feature as one class.
    OneClass { class: &'a str },
    /// Lists the values of a label raster.
    ListValues,
    /// Says how cells get their classes.
    CellRule,
    /// Bands by number.
    BandNumbers,
    /// Some bands of a file.
    ChooseBands,
    /// Another part of the scene for training.
    SplitScene,
    /// A map of another scene.
    PredictOther,
    /// A score of what training did not see.
    ScoreUnseen,
    /// States the reference system of a vector file.
    StateCrs { path: &'a Path, crs: &'a str },
    /// The same for whatever file is meant.
    StateAnyCrs { crs: &'a str },
    /// The option of that, where one is not yet named: a remark behind it.
    CrsOption,
    /// Chooses a layer of a vector file.
    ChooseLayer { path: &'a Path, layer: &'a str },
    /// Takes the classes of features from a property.
    ClassesOfProperty,
    /// Another model than that of a file, by the type that loads it.
    LoadWith { model: &'a str },
    /// What makes a model of weights alone.
    StartFromWeights,
    /// Computes without the device that does not answer.
    OtherDevice,
    /// Says that labels may all lie elsewhere.
    AllowElsewhere,
    /// States the reference system of an area of interest: a remark behind it.
    AreaCrs,
    /// Makes areas of lines and points.
    BufferLines,
    /// The same by pixels.
    BufferPixels,
    /// Another layer of the same file.
    OtherLayer,
    /// What becomes of features of classes that the model does not have.
    OtherClasses,
    /// Opens a file as imagery.
    OpenImagery { path: &'a str },
    /// Labels that are a raster.
    LabelRaster,
    /// A label raster whose 255 is the class.
    MaskOf255 { class: &'a str },
    /// A label raster whose 255 is nothing.
    Ignore255,
    /// What the values of a label raster mean; `code` says so in Rust.
    NameValues { code: &'a str },
    /// Takes a band of a time series as its mask.
    MaskSeries { name: &'a str },
    /// Chooses the bands of a time series.
    BandsOfSeries,
    /// Chooses the days of a time series.
    DaysOfSeries,
    /// A search for imagery in a service, and how what it finds is opened.
    SearchImagery {
        api: &'a str,
        collection: &'a str,
        asset: &'a str,
    },
}

impl Step<'_> {
    fn write(&self, host: Host, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, host) {
            (Self::ChangeFolder, Host::Notebook) => f.write_str("`%cd` changes it"),
            (Self::ChangeFolder, Host::Shell) => f.write_str("`cd` changes it"),
            (Self::StartAgain, Host::Notebook) => f.write_str("restart the kernel"),
            (Self::StartAgain, Host::Shell) => f.write_str("start again"),
            (Self::Interrupt, Host::Notebook) => {
                f.write_str("Interrupt the cell (the ■ button, or I I)")
            }
            (Self::Interrupt, Host::Shell) => f.write_str("Press Ctrl-C"),
            (Self::ShowDevicePrograms, Host::Notebook) => {
                f.write_str("`%gpu` shows which programs hold the device's memory")
            }
            (Self::ShowDevicePrograms, Host::Shell) => {
                f.write_str("`nvidia-smi` shows which programs hold the device's memory")
            }
            (Self::SmallerWindows, Host::Notebook) => f.write_str(
                "`PredictOptions::new().window(256)`, for objects `DetectionOptions::new().window(256)`",
            ),
            (Self::SmallerWindows, Host::Shell) => f.write_str("`--window 256`"),
            (Self::AnyValues { call }, Host::Notebook) => f.write_str(call),
            (Self::AnyValues { .. }, Host::Shell) => f.write_str("`--any-values`"),
            (Self::LookAtValues, Host::Notebook) => {
                f.write_str("`scene.report()`, `scene.statistics()?`")
            }
            (Self::LookAtValues, Host::Shell) => f.write_str("`swath info FILE --statistics`"),
            (Self::StateNodata, Host::Notebook) => {
                f.write_str("`OpenOptions::new().nodata(value)` (`nodata=` with `%scene`)")
            }
            (Self::StateNodata, Host::Shell) => f.write_str("`--nodata VALUE`"),
            (Self::LeaveBandsOut, Host::Notebook) => {
                f.write_str("`Scene::open_with(path, OpenOptions::new().bands([…]))`")
            }
            (Self::LeaveBandsOut, Host::Shell) => f.write_str("`--bands` with the others"),
            (Self::GiveLabels, Host::Notebook) => {
                f.write_str("`scene.with_labels(\"labels.geojson\", \"building\")`")
            }
            (Self::GiveLabels, Host::Shell) => f.write_str("`--labels FILE --class NAME`"),
            (Self::GiveBoxes, Host::Notebook) => {
                f.write_str("`scene.with_boxes(\"boxes.xml\", \"tree\")`")
            }
            (Self::GiveBoxes, Host::Shell) => f.write_str("`--labels FILE --class NAME`"),
            (Self::OneClass { class }, Host::Notebook) => {
                write!(f, "`LabelClass::one({class:?})`")
            }
            (Self::OneClass { .. }, Host::Shell) => {
                f.write_str("`--class` with the name of one class, which is no property of the file,")
            }
            (Self::ListValues, Host::Notebook) => {
                f.write_str("`Raster::open(FILE)?.value_table()?`")
            }
            (Self::ListValues, Host::Shell) => f.write_str("`swath info FILE --values`"),
            (Self::CellRule, Host::Notebook) => {
                f.write_str("`scene.with_cells(CellRule::majority())?`")
            }
            (Self::CellRule, Host::Shell) => f.write_str("`--cells majority`"),
            (Self::BandNumbers, Host::Notebook) => {
                f.write_str("by number, which counts from 1 in `%bands` and `%scene` and from 0 in Rust")
            }
            (Self::BandNumbers, Host::Shell) => f.write_str("by number, which `--bands` counts from 1"),
            (Self::ChooseBands, Host::Notebook) => f.write_str(
                "`%scene FILE bands=1,2,3` or `Scene::open_with(path, OpenOptions::new().bands([0, 1, 2]))` takes some of a \
                 file's",
            ),
            (Self::ChooseBands, Host::Shell) => {
                f.write_str("`--bands 1,2,3` takes some of a file's, by number from 1 or by name, of a series by name alone")
            }
            (Self::SplitScene, Host::Notebook) => f.write_str(
                "`let (train, valid) = scene.split(Split::columns(0.75));`, `%split 0.75`",
            ),
            (Self::SplitScene, Host::Shell) => {
                f.write_str("`let (train, valid) = scene.split(Split::columns(0.75));`")
            }
            (Self::PredictOther, Host::Notebook) => {
                f.write_str("`run.best().predict(&other)?`, `%predict scene=OTHER`")
            }
            (Self::PredictOther, Host::Shell) => f.write_str("`swath predict BUNDLE OTHER -o DIR`"),
            (Self::ScoreUnseen, Host::Notebook) => f.write_str(
                "another part of a split (`map.evaluate(&valid)?`, `%evaluate scene=valid`), or a map of another scene \
                 (`run.best().predict(&other)?`, `%predict scene=OTHER`)",
            ),
            (Self::ScoreUnseen, Host::Shell) => f.write_str(
                "another part of the scene (`--aoi FILE`), or another scene (`swath predict BUNDLE OTHER -o DIR`)",
            ),
            (Self::StateCrs { path, crs }, Host::Notebook) => {
                write!(f, "`VectorSource::new({path:?}).crs({crs:?})`")
            }
            (Self::StateAnyCrs { crs }, Host::Notebook) => {
                write!(f, "`VectorSource::new(path).crs({crs:?})`")
            }
            (Self::StateCrs { crs, .. } | Self::StateAnyCrs { crs }, Host::Shell) => {
                write!(f, "`--labels-crs {crs}`")
            }
            (Self::CrsOption, Host::Notebook) => f.write_str(" (`labels_crs=` with `%scene`)"),
            (Self::CrsOption, Host::Shell) => Ok(()),
            (Self::ChooseLayer { path, layer }, Host::Notebook) => write!(
                f,
                "`VectorSource::new({path:?}).layer({layer:?})` in place of the path chooses one; %scene has `layer=`"
            ),
            (Self::ChooseLayer { layer, .. }, Host::Shell) => {
                write!(f, "`--layer {layer:?}` chooses one")
            }
            (Self::ClassesOfProperty, Host::Notebook) => {
                f.write_str("`LabelClass::property(name)` takes the classes from a property")
            }
            (Self::ClassesOfProperty, Host::Shell) => {
                f.write_str("`--class NAME` takes the classes from the property of that name")
            }
            (Self::LoadWith { model }, Host::Notebook) => {
                write!(f, "load it with `{model}::load(path)`")
            }
            (Self::LoadWith { .. }, Host::Shell) => {
                f.write_str("models that are averaged are all for the same")
            }
            (Self::StartFromWeights, Host::Notebook) => f.write_str(
                "make the network, start it from them with `.weights(path)`, as in `Unet::resnet18().weights(path)` or \
                 `RetinaNet::resnet50().weights(path)`, and train it; a bundle is what `.save(\"model.swath\")` writes",
            ),
            (Self::StartFromWeights, Host::Shell) => f.write_str(
                "a bundle is what a notebook's `run.best().save(\"model.swath\")` writes, with bands, classes and \
                 normalization beside the weights",
            ),
            (Self::OtherDevice, Host::Notebook) => f.write_str(
                "`Device::cpu()` trains on this machine's processor; `Device::best()` takes a GPU where one answers",
            ),
            (Self::OtherDevice, Host::Shell) => f.write_str(
                "`--device cpu` computes on this machine's processor; without the option a GPU is taken where one answers",
            ),
            (Self::AllowElsewhere, Host::Notebook) => {
                f.write_str("`VectorSource::new(path).allow_elsewhere()`")
            }
            (Self::AllowElsewhere, Host::Shell) => f.write_str("no `--labels` at all"),
            (Self::AreaCrs, Host::Notebook) => {
                f.write_str("; `VectorSource::new(path).crs(\"EPSG:…\")` states another")
            }
            (Self::AreaCrs, Host::Shell) => Ok(()),
            (Self::BufferLines, Host::Notebook) => f.write_str(
                "`VectorSource::new(path).buffer(Buffer::meters(3.0))` (`buffer=3m` with `%scene`)",
            ),
            (Self::BufferLines, Host::Shell) => f.write_str("`--buffer 3m`"),
            (Self::BufferPixels, Host::Notebook) => f.write_str(
                "`VectorSource::new(path).buffer(Buffer::pixels(4.0))` (`buffer=4px` with `%scene`)",
            ),
            (Self::BufferPixels, Host::Shell) => f.write_str("`--buffer 4px`"),
            (Self::OtherLayer, Host::Notebook) => {
                f.write_str("`VectorSource::new(path).layer(name)` reads another")
            }
            (Self::OtherLayer, Host::Shell) => f.write_str("`--layer NAME` reads another"),
            (Self::OtherClasses, Host::Notebook) => f.write_str(
                "name them, too, write them as the file does, or say what becomes of them: \
                 `LabelClass::property(name).others_ignored()` or `.others_as_background()`",
            ),
            (Self::OtherClasses, Host::Shell) => f.write_str(
                "`--where \"property IN ('a', 'b')\"` reads only features of some classes; the others are background",
            ),
            (Self::OpenImagery { path }, Host::Notebook) => {
                write!(f, "open it as `Scene::open({path:?})`")
            }
            (Self::OpenImagery { path }, Host::Shell) => write!(f, "name {path:?}"),
            (Self::LabelRaster, Host::Notebook) => f.write_str(
                "`.with_label_raster(FILE, CLASSES)`, `%scene … label_raster=FILE classes=…`",
            ),
            (Self::LabelRaster, Host::Shell) => f.write_str("`--label-raster FILE`"),
            (Self::MaskOf255 { class }, Host::Notebook) => write!(
                f,
                "`.with_label_raster(FILE, LabelValues::binary({class:?}))` (`binary={class}` with `%scene`)"
            ),
            (Self::MaskOf255 { class }, Host::Shell) => write!(f, "`--binary {class}`"),
            (Self::Ignore255, Host::Notebook) => {
                f.write_str("`LabelValues::from(CLASSES).ignore([255])`")
            }
            (Self::Ignore255, Host::Shell) => f.write_str("`--values VALUE:CLASS,…,255:ignore`"),
            (Self::NameValues { code }, Host::Notebook) => {
                write!(f, "`.with_label_raster(FILE, {code})`")?;
                if code.starts_with("LabelValues::codes") {
                    f.write_str("; with `%scene` `values=VALUE:CLASS,…`")?;
                }
                Ok(())
            }
            (Self::NameValues { code }, Host::Shell) => {
                let pairs = pairs_of(code);
                match pairs.is_empty() {
                    true => f.write_str("`--values VALUE:CLASS,…`"),
                    false => write!(f, "`--values {pairs}`"),
                }
            }
            (Self::MaskSeries { name }, Host::Notebook) => {
                let word = name.trim();
                write!(
                    f,
                    "`.mask({word:?}, […])` of the `TimeSeries` (`mask={word}:CODE,…` with `%scene`)"
                )
            }
            (Self::MaskSeries { name }, Host::Shell) => {
                write!(f, "`--mask {}:CODE,…`", name.trim())
            }
            (Self::BandsOfSeries, Host::Notebook) => f.write_str(
                "`.bands([…])` of the `TimeSeries` (`bands=NAME,…` with `%scene`)",
            ),
            (Self::BandsOfSeries, Host::Shell) => f.write_str("`--bands` with the others"),
            (Self::DaysOfSeries, Host::Notebook) => f.write_str(
                "`.between(first, last)` of the `TimeSeries` (`between=DATE,DATE` with `%scene`)",
            ),
            (Self::DaysOfSeries, Host::Shell) => f.write_str("`--between DATE,DATE`"),
            (Self::SearchImagery { api, collection, asset }, Host::Notebook) => write!(
                f,
                "`data::StacSearch::service({api:?}).collection({collection:?}).bbox([WEST, SOUTH, EAST, NORTH])\
                 .between(\"2024-06-01\", \"2024-06-30\").save(\"found.json\")?`, then `Scenes::stac(\"found.json\", {asset:?})?`"
            ),
            (Self::SearchImagery { api, collection, asset }, Host::Shell) => write!(
                f,
                "`swath data search {collection} --api {api} --bbox WEST,SOUTH,EAST,NORTH --from 2024-06-01 --to 2024-06-30 \
                 -o found.json`; a notebook opens what it finds by `Scenes::stac(\"found.json\", {asset:?})?`"
            ),
        }
    }

    /// The words of one host alone.
    #[cfg(test)]
    fn words(self, host: Host) -> String {
        struct At<'a>(Step<'a>, Host);
        impl fmt::Display for At<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.write(self.1, f)
            }
        }
        At(self, host).to_string()
    }
}

/// `10:tree,50:built` of `LabelValues::codes([(10, "tree"), (50, "built")])`; nothing of what `--values` does not say.
fn pairs_of(code: &str) -> String {
    let Some(list) = code
        .strip_prefix("LabelValues::codes([(")
        .and_then(|rest| rest.strip_suffix(")])"))
    else {
        return String::new();
    };
    let pair = |text: &str| {
        let (value, name) = text.split_once(", \"")?;
        let name = name.strip_suffix('"')?;
        let is_plain = !name.is_empty() && !name.contains([',', ':', '"', '\\', ' ', '\'']);
        is_plain.then(|| format!("{value}:{name}"))
    };
    let pairs: Option<Vec<String>> = list.split("), (").map(pair).collect();
    pairs.map_or_else(String::new, |pairs| pairs.join(","))
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(current(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notebook_is_told_no_option_of_the_shell_and_a_shell_no_magic() {
        let path = Path::new("a.gpkg");
        let steps = [
            Step::ChangeFolder,
            Step::StartAgain,
            Step::Interrupt,
            Step::ShowDevicePrograms,
            Step::SmallerWindows,
            Step::AnyValues {
                call: "`PredictOptions::new().any_values(true)`",
            },
            Step::LookAtValues,
            Step::StateNodata,
            Step::LeaveBandsOut,
            Step::GiveLabels,
            Step::GiveBoxes,
            Step::OneClass { class: "tree" },
            Step::ListValues,
            Step::CellRule,
            Step::BandNumbers,
            Step::ChooseBands,
            Step::SplitScene,
            Step::PredictOther,
            Step::ScoreUnseen,
            Step::StateCrs {
                path,
                crs: "raster",
            },
            Step::StateAnyCrs { crs: "EPSG:…" },
            Step::ChooseLayer {
                path,
                layer: "roads",
            },
            Step::AllowElsewhere,
            Step::BufferLines,
            Step::BufferPixels,
            Step::OtherLayer,
            Step::OtherClasses,
            Step::OpenImagery { path: "a.tif" },
            Step::ClassesOfProperty,
            Step::LoadWith { model: "Detector" },
            Step::StartFromWeights,
            Step::OtherDevice,
            Step::LabelRaster,
            Step::MaskOf255 { class: "tree" },
            Step::Ignore255,
            Step::NameValues {
                code: "LabelValues::codes([(1, \"tree\")])",
            },
            Step::MaskSeries { name: "SCL" },
            Step::BandsOfSeries,
            Step::DaysOfSeries,
            Step::SearchImagery {
                api: "earth-search",
                collection: "sentinel-2-l2a",
                asset: "visual",
            },
        ];
        for step in steps {
            let (cell, shell) = (step.words(Host::Notebook), step.words(Host::Shell));
            assert!(!cell.is_empty() && !cell.contains("--"), "{step:?}: {cell}");
            assert!(
                !shell.is_empty() && !shell.contains('%'),
                "{step:?}: {shell}"
            );
        }
        assert_eq!(
            Step::StateCrs {
                path,
                crs: "raster"
            }
            .words(Host::Shell),
            "`--labels-crs raster`"
        );
        let code = "LabelValues::codes([(10, \"tree\"), (50, \"built\")])";
        assert_eq!(
            Step::NameValues { code }.words(Host::Shell),
            "`--values 10:tree,50:built`"
        );
        assert_eq!(
            Step::ChooseLayer {
                path,
                layer: "my roads"
            }
            .words(Host::Shell),
            "`--layer \"my roads\"` chooses one"
        );
    }
}
