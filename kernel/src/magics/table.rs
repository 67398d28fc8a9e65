//! The table of all magics. To add one: add an entry here, and either an expansion in [`super::expand`] or a
//! [`Builtin`] that `front::built_ins` carries out. Help, completion, `%lsmagic` and `docs/magics.md` follow.

use super::arguments::{Arguments, UsageError};
use super::expand::{self, Expansion};
use super::{fit, scene, scenes, views};

/// Whether a magic is written on a line, at the head of a cell, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `%name`
    Line,
    /// `%%name`
    Cell,
    /// Either.
    Both,
}

/// A magic that the front process carries out itself; the table describes each under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Builtin {
    Bash,
    Capture,
    Cd,
    Dep,
    Doc,
    Env,
    Expand,
    History,
    Load,
    Lsmagic,
    Parameters,
    Pwd,
    Reset,
    Submit,
    Time,
    Timeit,
    Who,
    Writefile,
}

/// What a magic does.
#[derive(Clone, Copy)]
pub(crate) enum Action {
    /// It stands for Rust over the library's API.
    Expand(fn(&Magic, &Arguments) -> Result<Expansion, UsageError>),
    /// The front process carries it out; the rest of its line is taken as it is.
    Run(Builtin),
}

/// One magic.
pub(crate) struct Magic {
    /// Its name without `%`.
    pub(crate) name: &'static str,
    /// Where it may stand.
    pub(crate) kind: Kind,
    /// How it is written.
    pub(crate) usage: &'static str,
    /// One line for lists.
    pub(crate) short: &'static str,
    /// What else there is to know; Markdown.
    pub(crate) long: &'static str,
    /// How many positional words it takes.
    pub(crate) positional: usize,
    /// Its `key=value` options, each with one line.
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// What it does.
    pub(crate) action: Action,
}

impl Magic {
    /// The name with its percent signs.
    pub(crate) fn written(&self) -> String {
        let sign = if self.kind == Kind::Cell { "%%" } else { "%" };
        format!("{sign}{}", self.name)
    }
}

/// The magic of a name; `colors` in British spelling, too.
pub(crate) fn find(name: &str) -> Option<&'static Magic> {
    let name = if name == "colours" { "colors" } else { name };
    MAGICS.iter().find(|magic| magic.name == name)
}

const AS: (&str, &str) = ("as", "name of the variable it makes");

/// All magics, in the order in which a session needs them.
pub(crate) static MAGICS: &[Magic] = &[
    Magic {
        name: "data",
        kind: Kind::Line,
        usage: "%data [NAME|list|info NAME] [as=VARIABLE]",
        short: "Fetches a data set (`banepa`, `neon`, `eurosat-rgb`) and shows where it is; without a name, lists them",
        long: "Files are downloaded once per user, resumed where they stopped, checked, and named with their license. \
               `%data info landcover-ai` tells size, license and addresses before.",
        positional: 2,
        options: &[AS],
        action: Action::Expand(expand::data),
    },
    Magic {
        name: "scene",
        kind: Kind::Line,
        usage: "%scene FILE|PATTERN [bands=N|NAME,..] [nodata=VALUE] [index=NAME,..] [series=yes] [mask=NAME:CODE,..] \
                [between=DATE,DATE] [composite=median|mean|min|max|first|last|greenest] [labels=VECTORS|boxes=FILE class=NAME] \
                [layer=NAME] [labels_crs=CRS] [where=SQL] [buffer=3m|4px|width:COLUMN] [labeled_within=VECTORS] [label_raster=RASTER \
                classes=NAME,..|values=VALUE:NAME,..|binary=NAME|one_hot=NAME,..] [aoi=VECTORS] [cells=majority|cell:SHARE|object:SHARE] [as=VARIABLE]",
        short: "Opens a raster, with labels or boxes if given, and shows it",
        long: "`labels` are areas to map, `boxes` objects to find: Pascal VOC (`.xml`), COCO (`.json`), YOLO (`.txt`), `.csv`, \
               or any vector file, around whose features boxes are put. Labeled areas have boxes, too. \
               `class` is the name of a property whose values are the classes or, when the file has no such property, \
               the class of all of them. `layer`, `labels_crs` and `where` say what a vector file leaves open: \
               `%scene city.tif labels=city.gpkg class=kind layer=buildings where=\"split = 'train'\"`. `buffer` makes areas of lines and \
               points: meters or pixels to each side, or a column with the full width (`width:COLUMN`) or the distance \
               (`distance:COLUMN`) in meters: `%scene city.tif labels=roads.gpkg class=road buffer=3m`. Outside the areas of \
               `labeled_within` labels are not complete and nothing counts. `label_raster` is a \
               raster whose values are labels: class indices from 1 on with `classes=tree,built`, codes with \
               `values=10:tree,50:built,0:background,255:ignore,*:background` (a color is written `#ff0000:roof`), a mask of 0 \
               and 255 with `binary=building`, one band for each class with `one_hot=tree,built`. `bands` chooses and orders \
               bands of the imagery, by numbers counted from 1 as QGIS does or by names, alpha included. `index` adds spectral \
               indices as bands: `%scene s2.tif index=ndvi,ndwi`. `cells` says how a chip gets its one class, for classifiers: the \
               class of most pixels, of at least a share of them (`cell:0.2`), or of an object of which at least a share lies in it \
               (`object:0.5`). A pattern makes one scene of tiles: `%scene tiles/*.tif`. \
               `series=yes` makes one of several dates, which are read from the names of files: `%scene s2/*.tif series=yes \
               mask=SCL:0,1,3,8,9,10 between=2023-04-01,2023-09-30 index=ndvi composite=median`. `mask` is the file or band of each \
               date with the values of clouds and the like; `index` is added for each date, and `composite` then makes one of all. \
               The variable is `scene` unless \
               `as` says otherwise.",
        positional: 1,
        options: &[
            ("labels", "vector file with the labels"),
            ("boxes", "file with the boxes of objects"),
            ("class", "class property, or the one class of all features"),
            ("layer", "layer of the label file, when it has several"),
            (
                "labels_crs",
                "coordinate reference system of the labels, such as EPSG:32633, whatever the file says",
            ),
            (
                "where",
                "condition in SQL for the features that count, such as \"height > 3\"",
            ),
            (
                "buffer",
                "makes areas of lines and points: 3m, 4px, width:COLUMN or distance:COLUMN",
            ),
            (
                "labeled_within",
                "vector file with the areas in which labels are complete",
            ),
            ("label_raster", "raster with the labels"),
            (
                "classes",
                "with label_raster: the classes of the indices 1, 2, ..",
            ),
            (
                "values",
                "with label_raster: what its values mean, such as 10:tree,50:built",
            ),
            (
                "binary",
                "with label_raster: the one class of all values but 0",
            ),
            ("one_hot", "with label_raster: the class of each band"),
            (
                "bands",
                "bands of the imagery in this order: numbers from 1, or names",
            ),
            (
                "index",
                "spectral indices to add as bands, such as ndvi,ndwi",
            ),
            (
                "nodata",
                "value of pixels without data, whatever the file says",
            ),
            (
                "series",
                "yes: files of one place on several dates, as their names or folders say",
            ),
            (
                "mask",
                "with series: the file or band of each date whose values are not to be used, such as SCL:0,1,3,8,9,10",
            ),
            (
                "between",
                "with series: the first and the last day, such as 2023-04-01,2023-09-30",
            ),
            (
                "composite",
                "with series: one date of all: median, mean, min, max, first, last or greenest",
            ),
            ("aoi", "vector file with the area of interest"),
            (
                "cells",
                "how a chip gets its one class: majority, cell:SHARE or object:SHARE",
            ),
            AS,
        ],
        action: Action::Expand(scene::scene),
    },
    Magic {
        name: "scenes",
        kind: Kind::Line,
        usage: "%scenes FOLDER|PATTERN|TABLE [labels=VECTORS|boxes=FILE class=NAME] [missing=background|skip] [layer=NAME] \
                [labels_crs=CRS] [where=SQL] [buffer=3m|4px|width:COLUMN] [labeled_within=VECTORS] [label_raster=RASTERS \
                classes=NAME,..|values=VALUE:NAME,..|binary=NAME|one_hot=NAME,..] [bands=N|NAME,..] [nodata=VALUE] \
                [aoi=VECTORS] [cells=majority|cell:SHARE|object:SHARE] [class_folders=yes] [skip_broken=yes] [as=VARIABLE]",
        short: "Opens many rasters as one, with their labels, and shows where they lie",
        long: "A folder, a pattern such as `tiles/**/*.tif`, or a table with a column `image`. `labels`, `boxes` and `label_raster` \
               are a pattern in which `{stem}` is the name of a scene's file without its extension \
               (`labels=labels/{stem}.geojson`), a folder with files of the same names, or one file for all. The other options \
               are those of `%scene`. `missing` says what a scene without a label file is; it is an error otherwise. \
               `skip_broken=yes` leaves out files that cannot be read, and says which. `class_folders=yes` takes a folder with a \
               folder of images for each class, and labels each image as a whole.",
        positional: 1,
        options: &[
            (
                "labels",
                "label files of polygons: a pattern with {stem}, a folder, or one file",
            ),
            ("boxes", "files with the boxes of objects, likewise"),
            ("class", "class property, or the one class of all features"),
            (
                "missing",
                "what scenes without a label file are: background or skip",
            ),
            ("layer", "layer of the label files, when they have several"),
            (
                "labels_crs",
                "coordinate reference system of the labels, whatever the files say",
            ),
            ("where", "condition in SQL for the features that count"),
            (
                "buffer",
                "makes areas of lines and points: 3m, 4px, width:COLUMN or distance:COLUMN",
            ),
            (
                "labeled_within",
                "vector files with the areas in which labels are complete",
            ),
            ("label_raster", "rasters with the labels, likewise"),
            (
                "classes",
                "with label_raster: the classes of the indices 1, 2, ..",
            ),
            (
                "values",
                "with label_raster: what its values mean, such as 10:tree,50:built",
            ),
            (
                "binary",
                "with label_raster: the one class of all values but 0",
            ),
            ("one_hot", "with label_raster: the class of each band"),
            (
                "bands",
                "bands of the imagery in this order: numbers from 1, or names",
            ),
            (
                "nodata",
                "value of pixels without data, whatever the files say",
            ),
            ("aoi", "vector file with the area of interest"),
            (
                "cells",
                "how a chip gets its one class: majority, cell:SHARE or object:SHARE",
            ),
            (
                "class_folders",
                "yes for a folder with a folder of images for each class",
            ),
            (
                "skip_broken",
                "yes: leaves out what cannot be read, and says so",
            ),
            AS,
        ],
        action: Action::Expand(scenes::scenes),
    },
    Magic {
        name: "split",
        kind: Kind::Line,
        usage: "%split FRACTION [scene=VARIABLE] [by=columns|rows|scene] [seed=N] [group=COLUMN]",
        short: "Splits a scene into `train` and `valid` by area, and shows where they lie",
        long: "The two parts never overlap. `%split 0.75` puts the left three quarters into `train`. `%split 0.8 by=scene` draws \
               whole scenes of `scenes`; those that overlap on the ground, or have the same value in the column `group` of their \
               table, stay together.",
        positional: 1,
        options: &[
            ("scene", "the scene (default: scene; scenes with by=scene)"),
            ("by", "columns (default), rows, or scene for whole scenes"),
            ("seed", "with by=scene: seed of the draw"),
            (
                "group",
                "with by=scene: column whose scenes of one value stay together",
            ),
        ],
        action: Action::Expand(expand::split),
    },
    Magic {
        name: "chips",
        kind: Kind::Line,
        usage: "%chips COUNT|sliding|objects SIZE [from=SCENE] [sizes=N..N] [seed=N] [stride=N] [photometric=X] \
                [augment=light|strong|none] [neg_ratio=X] [min_visible=X] [padded=yes] [weight=area|labeled|even] \
                [balance=pixels|objects] [save=FOLDER] [split=NAME] [show=N] [as=VARIABLE]",
        short: "Cuts training chips and shows some",
        long: "SIZE is in pixels. `%chips 400 256 from=train seed=7` cuts 400 random chips, the same ones at every run; \
               `%chips 400 256 sizes=150..200` cuts windows of 150 to 200 pixels and resizes each to 256; \
               `%chips sliding 256 stride=128` covers the scene, `%chips objects 64` takes the square around each labeled \
               object. `from` is `train` unless given.",
        positional: 2,
        options: &[
            ("from", "the scene to cut from (default: train)"),
            (
                "sizes",
                "smallest and largest window in pixels of the scene, resized to SIZE, such as 150..200",
            ),
            ("seed", "seed of the random places"),
            ("stride", "step of sliding chips in pixels"),
            (
                "photometric",
                "strength of random changes of brightness and contrast, such as 0.4",
            ),
            (
                "augment",
                "light, strong: chips scaled, moved and changed in color at random, strong ones turned, blurred and covered as well",
            ),
            (
                "neg_ratio",
                "with boxes: share of chips that show no object; each of the others shows one",
            ),
            (
                "min_visible",
                "with boxes: share of a cut box that must be left for it to stay (default 0.5)",
            ),
            (
                "padded",
                "yes: chips may reach over the edge of the scene; what lies outside is masked",
            ),
            (
                "weight",
                "of many scenes: each gives chips by its area (default), its labeled area, or all as many (even)",
            ),
            (
                "balance",
                "as many random chips around every class: around its labeled pixels, or around its objects (boxes)",
            ),
            (
                "save",
                "folder for the chips as files: images, masks, boxes, a manifest",
            ),
            (
                "split",
                "with save: the part of the data set that they are, such as train",
            ),
            ("show", "how many to show (default 8)"),
            AS,
        ],
        action: Action::Expand(expand::chips),
    },
    Magic {
        name: "fit",
        kind: Kind::Line,
        usage: "%fit [MODEL] [epochs=N|steps=N] [batch=N] [lr=X] [weights=FILE] [optimizer=NAME] [schedule=NAME] \
                [loss=NAME] [ema=X] [accumulate=N] [chips=VARIABLE] [valid=SCENE] [as=VARIABLE]",
        short: "Trains a model on chips, with live curves",
        long: "MODEL is `unet` (default), `fpn`, `deeplabv3` or `deeplabv3plus` to map areas, `centernet`, `retinanet` or \
               `fasterrcnn` to find objects, `classifier` to give each chip a class; `-resnet18`, `-resnet34`, `-resnet50` and the like choose the encoder, as in \
               `retinanet-resnet50`. `unet`, `centernet` and `classifier` start from the ImageNet weights of EfficientNet-Lite0, the \
               others on ResNet-18. An encoder alone means a U-Net. \
               Uses `chips` and `valid` unless given; makes `run`, whose best epoch is kept. The stop button ends the \
               training and keeps the best weights so far.",
        positional: 1,
        options: &[
            (
                "model",
                "the model, when it is not the first word: `--model retinanet-resnet50`",
            ),
            ("epochs", "how often every chip is seen (default 10)"),
            ("steps", "how many batches, instead of epochs"),
            ("batch", "chips per batch (default 4)"),
            (
                "lr",
                "the highest learning rate (default 1e-3 with adamw, 1e-2 with sgd)",
            ),
            (
                "weights",
                "state dict to start from, `.pth` or `.safetensors`, of the encoder or of the whole network",
            ),
            (
                "optimizer",
                "adamw (default), sgd (momentum 0.9) or nesterov",
            ),
            (
                "schedule",
                "one-cycle (default), cosine, poly, plateau or constant",
            ),
            (
                "loss",
                "for maps: sum (cross-entropy + dice, default), cross-entropy, dice, focal, lovasz or lovasz-sum",
            ),
            (
                "ema",
                "averages the weights, keeping this share at each step, such as 0.999",
            ),
            ("accumulate", "batches per step (default 1)"),
            ("chips", "the chips (default: chips)"),
            ("valid", "the validation scene (default: valid)"),
            AS,
        ],
        action: Action::Expand(fit::fit),
    },
    Magic {
        name: "predict",
        kind: Kind::Line,
        usage: "%predict [RUN|FILE.swath] [scene=SCENE] [threshold=X] [as=VARIABLE]",
        short: "Predicts a whole scene and shows the map, or the boxes that were found",
        long: "Uses the best epoch of `run`, or a saved model, whose file says whether it maps areas or finds objects. Makes \
               `map`. Memory does not grow with the scene.",
        positional: 1,
        options: &[
            ("scene", "the scene (default: scene)"),
            (
                "threshold",
                "the score from which a pixel or a box counts, instead of the model's own",
            ),
            AS,
        ],
        action: Action::Expand(expand::predict),
    },
    Magic {
        name: "map",
        kind: Kind::Line,
        usage: "%map [MAP] [threshold=X|best] [scene=SCENE] [save=FOLDER|FILE]",
        short: "Shows a predicted map or the boxes over their imagery, and saves them",
        long: "`save` writes labels.tif (COG), scores.tif, polygons.gpkg and polygons.geojson; of boxes boxes.gpkg, \
               boxes.geojson, centers.gpkg, centers.geojson and detections.json (COCO). A name that ends in .shp, .gpkg, .geojson or .csv \
               is one file with the objects.",
        positional: 1,
        options: &[
            (
                "threshold",
                "the score from which a pixel or a box counts from now on, or best: the one with the highest F1 on a scene's \
                 labels; nothing is predicted again",
            ),
            (
                "scene",
                "the labeled scene that threshold=best looks at (default: valid)",
            ),
            (
                "save",
                "folder for the GIS files, or one file for the objects",
            ),
        ],
        action: Action::Expand(expand::map),
    },
    Magic {
        name: "evaluate",
        kind: Kind::Line,
        usage: "%evaluate [MAP] [scene=SCENE]",
        short: "Scores a map, or boxes, against a scene's labels",
        long: "Maps: precision, recall, F1 and IoU per class, and the confusion matrix. Boxes: average precision (AP50 and \
               COCO's), F1, and the curve of precision over recall.",
        positional: 1,
        options: &[("scene", "the labeled scene (default: scene)")],
        action: Action::Expand(expand::evaluate),
    },
    Magic {
        name: "errors",
        kind: Kind::Line,
        usage: "%errors [MAP] [scene=SCENE]",
        short: "Shows where a map is right, missed something or found what is not there, beside the truth",
        long: "Pixels are counted as `%evaluate` counts them.",
        positional: 1,
        options: &[("scene", "the labeled scene (default: scene)")],
        action: Action::Expand(views::errors),
    },
    Magic {
        name: "worst",
        kind: Kind::Line,
        usage: "%worst [COUNT] [MAP] [scene=SCENE] [size=PIXELS]",
        short: "Shows the windows in which a map is most wrong, worst first",
        long: "",
        positional: 2,
        options: &[
            ("scene", "the labeled scene (default: scene)"),
            ("size", "side of the windows in pixels (default 128)"),
        ],
        action: Action::Expand(views::worst),
    },
    Magic {
        name: "objects",
        kind: Kind::Line,
        usage: "%objects [MAP] [class=NAME] [min_area=M2] [save=FILE] [as=VARIABLE]",
        short: "Counts and measures what a map holds: areas, perimeters, places; saves them as one file",
        long: "The connected areas of each class of a map, or the boxes that were found. The variable is `objects`: \
               `objects.count()`, `objects.area()` in square meters, `objects.histogram()`. FILE ends in .csv, .shp, .gpkg or \
               .geojson.",
        positional: 1,
        options: &[
            ("class", "only this class"),
            ("min_area", "only objects of at least so many square meters"),
            ("save", "file for the objects"),
            AS,
        ],
        action: Action::Expand(views::objects),
    },
    Magic {
        name: "bands",
        kind: Kind::Line,
        usage: "%bands BAND[,BAND,BAND] [SCENE|MAP]",
        short: "Shows a scene, or a map, over other bands: `%bands 4,3,2` or `%bands nir,red,green`",
        long: "Numbers count from 1, as in QGIS and GDAL. One band is gray, three are red, green and blue.",
        positional: 2,
        options: &[],
        action: Action::Expand(views::bands),
    },
    Magic {
        name: "zoom",
        kind: Kind::Line,
        usage: "%zoom COL ROW WIDTH [HEIGHT] [SCENE|MAP]  or  %zoom at=X,Y [meters=N] [SCENE|MAP]",
        short: "Shows a part of a scene, or of a map, magnified, with what is in view",
        long: "Columns and rows are pixels from the top-left corner; `at` is a point in map coordinates, `meters` the side of \
               the square around it.",
        positional: 5,
        options: &[
            ("at", "the center in map coordinates: X,Y"),
            (
                "meters",
                "with at: the side of the square in meters (default 100)",
            ),
        ],
        action: Action::Expand(views::zoom),
    },
    Magic {
        name: "submit",
        kind: Kind::Line,
        usage: "%submit train|run|predict|evaluate ARGUMENT.. [--gres=GPU --time=TIME --mem=SIZE --cpus-per-task=N --partition=NAME ..] [as=VARIABLE]  or  %submit JOB..",
        short: "Submits a job of Slurm, shows its state and its log while it waits and runs, and opens what it has made",
        long: "The words are those of `swath submit`, which `docs/guide/cluster.md` explains: `%submit predict houses.swath tiles -o maps \
               --gres gpu:1 --time 2:00:00 as=map`. Many scenes become an array of tasks whose results are joined. `--dry-run` prints \
               the script. The stop button leaves the job alone: `%submit JOB`, with its number, looks at it again. `as` makes a \
               variable of the map that `predict` has saved, or of the model that `train` has.",
        positional: 0,
        options: &[(
            "as",
            "name of the variable for the map of `predict` or the model of `train`",
        )],
        action: Action::Run(Builtin::Submit),
    },
    Magic {
        name: "colors",
        kind: Kind::Line,
        usage: "%colors CLASS:COLOR[,CLASS:COLOR..] [SCENE]",
        short: "Gives classes other colors: `%colors building:red,road:#ff8800`",
        long: "A color is a name of CSS's or a hexadecimal number. Chips and maps made from now on have them, too.",
        positional: 2,
        options: &[],
        action: Action::Expand(views::colors),
    },
    Magic {
        name: "save",
        kind: Kind::Line,
        usage: "%save FILE.swath [RUN]",
        short: "Saves the best weights of a run as a model that `%predict FILE.swath` takes",
        long: "",
        positional: 2,
        options: &[],
        action: Action::Expand(views::save),
    },
    Magic {
        name: "device",
        kind: Kind::Line,
        usage: "%device [cpu|cuda|cuda:N|vulkan|vulkan:N|best]",
        short: "Says, or chooses, where tensors live",
        long: "`best` is CUDA when this build has it and a driver answers, otherwise a GPU through Vulkan when this build has that, \
               otherwise the CPU. A Vulkan driver that computes on the processor is taken only when it is asked for.",
        positional: 1,
        options: &[],
        action: Action::Expand(expand::device),
    },
    Magic {
        name: "gpu",
        kind: Kind::Line,
        usage: "%gpu",
        short: "Lists the GPUs that this kernel can see, their memory, and which one computes",
        long: "`CUDA_VISIBLE_DEVICES` and MIG slices are honored. Without a GPU, a driver or a build for GPUs it says which of \
               them is missing and what to do. CUDA is not started. `%device cuda:N` and `%device vulkan:N` choose one.",
        positional: 0,
        options: &[],
        action: Action::Expand(expand::gpu),
    },
    Magic {
        name: "expand",
        kind: Kind::Both,
        usage: "%expand MAGIC..",
        short: "Prints the Rust that a magic stands for",
        long: "`%expand %chips 400 256`; `%%expand` does so for a whole cell. Nothing is run.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Expand),
    },
    Magic {
        name: "who",
        kind: Kind::Line,
        usage: "%who",
        short: "Lists the variables with their types",
        long: "",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Who),
    },
    Magic {
        name: "time",
        kind: Kind::Both,
        usage: "%time STATEMENT",
        short: "Runs a statement, or with `%%time` a cell, and prints how long it took",
        long: "The time is that of the code itself; compiling it is not counted. Variables that it binds are kept. \
               A magic may follow: `%time %predict`.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Time),
    },
    Magic {
        name: "timeit",
        kind: Kind::Both,
        usage: "%timeit EXPRESSION",
        short: "Runs an expression many times and prints the mean and its spread",
        long: "The number of loops is chosen so that one of the 7 runs takes about 0.2 s.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Timeit),
    },
    Magic {
        name: "doc",
        kind: Kind::Line,
        usage: "%doc NAME",
        short: "Shows the documentation of a name in the pager; `?NAME` does the same",
        long: "",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Doc),
    },
    Magic {
        name: "dep",
        kind: Kind::Line,
        usage: "%dep NAME[@VERSION] | NAME = \"VERSION\" | NAME = { .. }",
        short: "Adds a crate from crates.io, a path or a repository",
        long: "The same as evcxr's `:dep`. The first cell after it compiles the crate; later ones take a little longer than before, since they link to it.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Dep),
    },
    Magic {
        name: "cd",
        kind: Kind::Line,
        usage: "%cd [FOLDER]",
        short: "Changes the working folder of cells and shell commands alike",
        long: "Without a folder: the home folder. `%cd -` goes back.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Cd),
    },
    Magic {
        name: "pwd",
        kind: Kind::Line,
        usage: "%pwd",
        short: "Prints the working folder of cells and shell commands",
        long: "",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Pwd),
    },
    Magic {
        name: "env",
        kind: Kind::Line,
        usage: "%env [NAME | NAME=VALUE]",
        short: "Shows or sets environment variables of cells and shell commands alike",
        long: "",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Env),
    },
    Magic {
        name: "bash",
        kind: Kind::Cell,
        usage: "%%bash",
        short: "Runs the cell as a bash script; its output appears while it runs",
        long: "A script that fails makes the cell fail. One line: `!command`.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Bash),
    },
    Magic {
        name: "writefile",
        kind: Kind::Cell,
        usage: "%%writefile [-a] FILE",
        short: "Writes the cell to a file; `-a` appends",
        long: "The file is replaced in one step: an interrupted write leaves the old one.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Writefile),
    },
    Magic {
        name: "capture",
        kind: Kind::Cell,
        usage: "%%capture [FILE]",
        short: "Runs the cell without showing its output; with a file, its text goes there",
        long: "Errors are shown all the same.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Capture),
    },
    Magic {
        name: "load",
        kind: Kind::Line,
        usage: "%load FILE",
        short: "Puts the text of a file into the next cell",
        long: "",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Load),
    },
    Magic {
        name: "history",
        kind: Kind::Line,
        usage: "%history [COUNT]",
        short: "Prints the cells of this session, or the last COUNT of all sessions",
        long: "",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::History),
    },
    Magic {
        name: "reset",
        kind: Kind::Line,
        usage: "%reset [-f]",
        short: "Forgets all variables, functions, types and dependencies",
        long: "`-f` is taken as in IPython, where it says not to ask: this never asks.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Reset),
    },
    Magic {
        name: "parameters",
        kind: Kind::Cell,
        usage: "%%parameters",
        short: "Runs a cell of `let NAME = VALUE;` whose values take the types that the names have already",
        long: "papermill's translator begins the cell of injected parameters with it: after `let rate: f32 = 0.1;` and \
               `let epochs: usize = 5;`, `-p rate 1 -p epochs 7` makes an `f32` and a `usize`. Names without a value before \
               get Rust's own types. `// %%parameters` as the first line does the same, and is a comment for other kernels.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Parameters),
    },
    Magic {
        name: "lsmagic",
        kind: Kind::Line,
        usage: "%lsmagic",
        short: "Lists the magics",
        long: "`%name?` explains one.",
        positional: 0,
        options: &[],
        action: Action::Run(Builtin::Lsmagic),
    },
];
