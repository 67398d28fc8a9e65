//! The sections: every key with its type, its meaning and its default.

use std::collections::BTreeMap;

use super::section::section;
use super::values::{self, Band};
use super::words::{
    self, AugmentWord, BalanceWord, ChipsWord, CompositeWord, LossWord, MissingWord, ObjectsWord,
    OptimizerWord, PrecisionWord, ScheduleWord, SplitWord, TaskWord, WeightWord,
};
use crate::{CellWay, DeviceName};

section! {
    /// The imagery. Relative paths begin at the folder of this file.
    ScenesSection = "scenes" {
        /// A file, a folder, a pattern such as "tiles/*.tif", a table (CSV, Parquet, Excel) with a column `image`, a STAC
        /// item collection (with `asset`), or a list of these.
        files: Vec<String> = values::texts, Example r#""scene.tif""#;
        /// The asset of the items, where `files` is a STAC item collection.
        asset: String = values::text, Example r#""visual""#;
        /// Of the scenes of a table those with this value in a column.
        only: (String, String) = values::condition, Example r#""year=2024""#;
        /// Whether the files are tiles of one scene.
        mosaic: bool = values::flag, Default "false";
        /// Whether the files are one place on several dates, which become one scene; the dates stand in their names.
        series: bool = values::flag, Default "false";
        /// Of a series, the file or band of each date with the values that are not to be used.
        mask: (String, Vec<i32>) = values::mask, Example r#""SCL:0,1,3,8,9,10""#;
        /// Of a series, the first and the last day.
        between: (String, String) = values::days, Example r#"["2023-04-01", "2023-09-30"]"#;
        /// How the dates of a series become one: median, mean, min, max, first, last or max-ndvi.
        composite: CompositeWord = words::composite, Example r#""median""#;
        /// Bands in this order: numbers from 1, or names.
        bands: Vec<Band> = values::bands, Example "[4, 3, 2]";
        /// The value of pixels without data, whatever the files say.
        nodata: f64 = values::number, Example "0";
        /// The pixel size on the ground to which scenes are brought, in meters.
        pixel_size: f64 = values::positive, Example "0.5";
        /// Only this window of each scene: column, row, width and height in pixels.
        crop: [i64; 4] = values::window, Example "[0, 0, 2048, 2048]";
        /// Spectral indices that become bands of their own.
        index: Vec<String> = values::texts, Example r#"["ndvi"]"#;
        /// Only what lies within the areas of this vector file; of several scenes a pattern with {stem}, or a folder.
        aoi: String = values::text, Example r#""district.gpkg""#;
        /// Whether scenes that cannot be opened or labeled are left out, with a notice.
        skip_broken: bool = values::flag, Default "false";
        /// Whether `files` is a folder with a folder of images for each class.
        class_folders: bool = values::flag, Default "false";
    }
}

section! {
    /// What lies in the scenes: `file` with `class`, or `raster` with what its values mean.
    LabelsSection = "labels" {
        /// A vector file of areas or lines, or a file of boxes (Pascal VOC, COCO, YOLO, CSV); of several scenes a pattern
        /// with {stem}, or a folder.
        file: String = values::text, Example r#""buildings.geojson""#;
        /// The column of the scenes' table with the label files, in the place of `file`.
        column: String = values::text, Example r#""labels""#;
        /// The property that names the classes, or the one class of all features.
        class or "classes_property": String = values::text, Example r#""building""#;
        /// What the file is read as: areas or boxes. Usually areas, and boxes for detection.
        objects: ObjectsWord = words::objects, Example r#""boxes""#;
        /// The layer, where the file has several.
        layer: String = values::text, Example r#""buildings""#;
        /// The coordinate reference system, where the file does not say it.
        crs or "labels_crs": String = values::text, Example r#""EPSG:32631""#;
        /// Only the features for which this holds, in SQL.
        where_: String = values::text, Example r#""split = 'train'""#;
        /// Makes areas of lines and points: 3m, 4px, width:COLUMN or distance:COLUMN.
        buffer: String = values::text, Example r#""3m""#;
        /// Labels are complete only within the areas of this vector file.
        labeled_within: String = values::text, Example r#""sheets.gpkg""#;
        /// Whether labels are complete only where something is drawn.
        labeled_only: bool = values::flag, Default "false";
        /// What becomes of scenes without a label file: error, background or skip.
        missing: MissingWord = words::missing, Default r#""error""#;
        /// A label raster; of several scenes a pattern with {stem}, or a folder.
        raster or "label_raster": String = values::text, Example r#""masks/{stem}.tif""#;
        /// What the values of the raster mean; "file" takes what the raster itself says, "NAME.qml" a style of QGIS.
        values: String = values::text, Example r#""10:tree,50:built,0:background,255:ignore""#;
        /// The classes of the raster by their indices, from 1 on.
        classes: Vec<String> = values::texts, Example r#"["tree", "built"]"#;
        /// The one class of a raster that is a mask of 0 and 255.
        binary: String = values::text, Example r#""building""#;
        /// The classes of a raster that has one band for each.
        one_hot: Vec<String> = values::texts, Example r#"["tree", "built"]"#;
        /// The column of the scenes' table that gives each scene one class.
        class_column: String = values::text, Example r#""class""#;
        /// How a cell gets its class from the labels, for classification: majority, cell:SHARE or object:SHARE.
        cells: CellWay = values::cells, Example r#""object:0.5""#;
    }
}

section! {
    /// Scenes of their own to validate on, opened and labeled as those of [scenes] and [labels]. Without this section,
    /// [split] parts the scenes.
    ValidationSection = "validation" {
        /// Files as in [scenes].
        files: Vec<String> = values::texts, Example r#""valid/*.tif""#;
        /// Of the scenes of a table those with this value in a column.
        only: (String, String) = values::condition, Example r#""split=val""#;
        /// The label files, where they are others than those of [labels].
        labels or "labels_file": String = values::text, Example r#""valid/{stem}.geojson""#;
        /// The label rasters, where they are others than those of [labels].
        raster or "label_raster": String = values::text, Example r#""valid/{stem}_mask.tif""#;
        /// The area of interest, where it is another than that of [scenes].
        aoi: String = values::text, Example r#""valid.gpkg""#;
        /// The window, where it is another than that of [scenes].
        crop: [i64; 4] = values::window, Example "[0, 0, 512, 512]";
    }
}

section! {
    /// How the scenes are parted into those to train on and those to validate on.
    SplitSection = "split" {
        /// columns (left and right part of each scene), rows (upper and lower), scene (whole scenes, drawn at random) or
        /// column (a column of the table says it). Usually columns for one scene, and scene for several.
        by: SplitWord = words::split, Example r#""columns""#;
        /// The share that is trained on.
        fraction or "share": f64 = values::true_share, Default "0.75";
        /// Columns or rows that are trained on, in the place of a share.
        at: usize = values::count, Example "1536";
        /// Decides which scenes are drawn, by scene.
        seed: u64 = values::seed, Default "0";
        /// A column of the table: scenes with the same value stay together, by scene.
        group: String = values::text, Example r#""city""#;
        /// The column of the table, by column.
        column: String = values::text, Default r#""split""#;
        /// Its value for scenes that are trained on.
        train: String = values::text, Default r#""train""#;
        /// Its value for scenes that are validated on.
        valid: String = values::text, Default r#""val""#;
    }
}

section! {
    /// How chips are cut from the scenes that are trained on.
    ChipsSection = "chips" {
        /// random (at random places), sliding (side by side) or objects (around each labeled object).
        kind: ChipsWord = words::chips, Default r#""random""#;
        /// How many random chips there are.
        count: usize = values::count, Default "400";
        /// Width and height in pixels.
        size: usize = values::count, Default "256";
        /// Width and height in meters on the ground, in the place of `size`.
        meters: f64 = values::positive, Example "60";
        /// The distance between sliding chips in pixels. Usually `size`.
        stride: usize = values::count, Example "128";
        /// Decides places, flips and all other changes.
        seed: u64 = values::seed, Default "0";
        /// What a scene's share of the random chips follows: area, labeled (the area that counts) or even.
        weight: WeightWord = words::weight, Default r#""area""#;
        /// What random chips are cut around, each class as often as any other: pixels or objects.
        balance: BalanceWord = words::balance, Example r#""pixels""#;
        /// Shares of the random chips that are cut around some classes; the others are cut anywhere.
        class_shares: BTreeMap<String, f64> = values::shares, Example "{ car = 0.2, road = 0.1 }";
        /// With boxes, the share of random chips without objects.
        neg_ratio: f64 = values::share, Example "0.1";
        /// How much of a box may be visible in a chip without objects.
        neg_visible: f64 = values::share, Default "0.2";
        /// The least share of a box that a chip must hold for the box to be kept.
        min_visible: f64 = values::share, Default "0.5";
        /// The least share of valid pixels. Usually 0.5 for random chips, and 0 for others.
        min_valid: f64 = values::share, Example "0.5";
        /// The edge of the windows from which chips are resized, drawn anew for each.
        window_sizes or "sizes": (usize, usize) = values::sizes, Example "[150, 200]";
        /// Whether chips are mirrored and turned at random. Usually true, and false for sliding chips.
        flips: bool = values::flag, Example "true";
        /// Changes at random: none, light or strong.
        augment: AugmentWord = words::augment, Default r#""none""#;
        /// How strongly brightness, contrast and balance of the bands change at random.
        photometric: f64 = values::share, Default "0";
        /// Whether chips may reach over the edge of the area.
        padded: bool = values::flag, Default "false";
        /// A data set of chips (a folder, an archive) in the place of [scenes], [labels] and [split].
        set: String = values::text, Example r#""chips""#;
        /// Its split that is trained on.
        set_train: String = values::text, Default r#""train""#;
        /// Its split that is validated on.
        set_valid: String = values::text, Default r#""val""#;
    }
}

section! {
    /// What is trained.
    NetworkSection = "network" {
        /// segmentation (areas), detection (objects) or classification (cells). Usually that of the architecture.
        task: TaskWord = words::task, Example r#""segmentation""#;
        /// unet, fpn, deeplabv3, deeplabv3plus; centernet, retinanet, fasterrcnn; classifier. Usually the first of the task.
        architecture or "model": String = values::text, Example r#""unet""#;
        /// efficientnet-lite0, resnet18, resnet34, resnet50 or resnet101. Usually the first that the architecture has.
        encoder or "backbone": String = values::text, Example r#""resnet34""#;
        /// Whether the encoder starts from ImageNet weights. Usually true for efficientnet-lite0, and false for ResNets.
        pretrained: bool = values::flag, Example "true";
        /// A state dict (.pth, .safetensors) of the encoder or of the whole network to start from.
        weights: String = values::text, Example r#""coco.pth""#;
        /// A model of the same classes to start from, in the place of everything above.
        start_from: String = values::text, Example r#""earlier.swath""#;
        /// Where to compute: cpu, cuda, cuda:N, vulkan or vulkan:N. Usually a GPU where one is usable.
        device: DeviceName = values::device, Example r#""cuda""#;
        /// The license of the weights, which the model names.
        license: String = values::text, Example r#""CC-BY-4.0""#;
    }
}

section! {
    /// How it is trained.
    FitSection = "fit" {
        /// Passes over all chips, with a validation after each.
        epochs or "num_epochs" or "max_epochs": usize = values::count, Default "10";
        /// Batches, in the place of `epochs`.
        steps or "max_steps": usize = values::count, Example "2000";
        /// Chips that go through the network together.
        batch or "batch_size": usize = values::count, Default "4";
        /// Batches in one step: as if one batch were that many times as large, in the memory of one.
        accumulate: usize = values::count, Default "1";
        /// adamw, sgd or nesterov (sgd that looks ahead).
        optimizer: OptimizerWord = words::optimizer, Default r#""adamw""#;
        /// The momentum of sgd and nesterov.
        momentum: f64 = values::share_below_one, Default "0.9";
        /// The highest learning rate of the schedule. Usually 1e-3 with adamw, and 1e-2 with sgd.
        learning_rate or "lr" or "rate": f64 = values::positive, Example "1e-3";
        /// How the learning rate goes: one-cycle, cosine, poly, plateau or constant.
        schedule: ScheduleWord = words::schedule, Default r#""one-cycle""#;
        /// The share of the steps over which the rate rises. Usually 0.3 with one-cycle, 0.05 with cosine, 0 with others.
        warm_up or "warmup": f64 = values::share_below_one, Example "0.05";
        /// The power of poly.
        power: f64 = values::positive, Default "0.9";
        /// By how much plateau lowers the rate.
        factor: f64 = values::true_share, Default "0.5";
        /// Epochs without a lower validation loss that plateau waits for.
        plateau_patience: usize = values::count_or_none, Default "2";
        /// How strongly weights are pulled towards zero. Usually 0.01 with adamw, and 1e-4 with sgd.
        weight_decay: f64 = values::not_negative, Example "0.01";
        /// sum (cross-entropy and dice), cross-entropy, dice, focal, lovasz or lovasz-sum; for segmentation alone.
        loss: LossWord = words::loss, Default r#""sum""#;
        /// The gamma of focal.
        gamma: f64 = values::not_negative, Default "2";
        /// How much each class counts in the loss, background first; for segmentation alone.
        class_weights: Vec<f64> = values::weights, Example "[0.2, 1.0]";
        /// The largest norm of all gradients together; inf leaves them as they are.
        clip_norm: f64 = values::positive, Default "1.0";
        /// Averages the weights over the steps, keeping this share at each.
        ema: f64 = values::true_share, Example "0.999";
        /// The precision of convolutions: f32, or bf16 on a GPU.
        precision: PrecisionWord = words::precision, Default r#""f32""#;
        /// Stops after this many epochs without a better validation score.
        patience or "early_stopping": usize = values::count, Example "5";
        /// Decides random weights.
        seed: u64 = values::seed, Default "0";
        /// Whether the encoder stays as it is.
        freeze_encoder: bool = values::flag, Default "false";
        /// The encoder's share of the learning rate.
        encoder_lr_scale: f64 = values::not_negative, Default "1.0";
        /// Threads that read chips ahead.
        workers or "num_workers": usize = values::count_or_none, Default "1";
        /// Validation sees at most this share of the number of chips of an epoch.
        validation_share: f64 = values::not_negative, Default "0.5";
        /// Whether imagery is taken whose values or order of bands differ from those of the training.
        any_values: bool = values::flag, Default "false";
        /// The folder of the checkpoint, from which the training goes on when it is started again. Usually a folder beside
        /// this file that is called like it: NAME.checkpoints.
        checkpoints: String = values::text, Example r#""checkpoints""#;
    }
}

section! {
    /// What is written when the training is finished.
    OutputsSection = "outputs" {
        /// The model of the best epoch. Usually NAME.swath beside this file.
        model: String = values::text, Example r#""model.swath""#;
        /// The model after the last step.
        last: String = values::text, Example r#""last.swath""#;
        /// Losses and scores of each epoch, as JSON. Usually NAME.history.json beside this file.
        history: String = values::text, Example r#""history.json""#;
        /// Predicts the scenes that were validated on, whole, and writes the scores as JSON.
        scores: String = values::text, Example r#""scores.json""#;
        /// A folder for the predictions of the scenes that were validated on: maps and polygons, boxes, or cells.
        predictions: String = values::text, Example r#""predictions""#;
        /// The probability or score from which something is a class or an object.
        threshold: f64 = values::share, Example "0.5";
    }
}
