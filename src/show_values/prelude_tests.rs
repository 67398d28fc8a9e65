//! Every type that a cell has by name shows itself, and no more than a screen of it.

use crate::chips::ChipStream;
use crate::display::{Output, Show};
use crate::labels::{Class, ClassColor, LabelPolygons, LabelValue};
use crate::models::{EncoderKind, TrainedBand};
use crate::plot::{ChipGrid, Curves, RgbImage, RgbaImage, Series};
use crate::predict::ThresholdPoint;
use crate::prelude::*;
use crate::raster::{
    Band, BandStatistics, DataType, GeoReference, GeoTransform, Patch, RasterType, Size,
    WriterOptions, ZoomWindow,
};
use crate::report::NoticeKind;
use crate::samples::Sentinel;
use crate::train::{
    DetectionScores, EpochRecord, History, Length, OneCycle, Timings, ValidationScores,
};
use crate::vector::{Feature, Format, LabelPolygon, PointFeature, PolygonFeature, ReadReport};

/// What a person sees without moving.
const LINES: usize = 40;
const COLUMNS: usize = 100;

/// The names in the prelude that are no types of values.
const NO_VALUES: [&str; 5] = [
    "AtThreshold",
    "ClassificationNetwork",
    "DetectionNetwork",
    "Network",
    "Show",
];

fn is_shown<T: Show + ?Sized>() {}

/// Does not compile when one of them does not show itself; the names, for comparison with the prelude.
macro_rules! shown {
    ($($name:ident $(<$of:ty>)?),+ $(,)?) => {{
        $(
            is_shown::<$name $(<$of>)?>();
            is_shown::<Vec<$name $(<$of>)?>>();
            is_shown::<Option<&$name $(<$of>)?>>();
        )+
        [$(stringify!($name)),+]
    }};
}

fn names_of_the_prelude() -> Vec<&'static str> {
    let text = include_str!("../prelude.rs");
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let words = code.flat_map(|line| line.split(|c: char| !c.is_alphanumeric() && c != '_'));
    let mut names: Vec<&str> = words
        .filter(|word| word.starts_with(|first: char| first.is_ascii_uppercase()))
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

#[test]
fn every_type_of_the_prelude_shows_itself() {
    let mut names = shown![
        Affine,
        Annotation,
        Architecture,
        Augment,
        BandChoice,
        BandRole,
        BandTransform,
        BoundingBox,
        BoxFusion,
        BoxSaveOptions,
        BoxScores,
        Buffer,
        Cell,
        CellGrid,
        CellRule,
        CenterNet,
        ChipFolder,
        ChipOptions,
        ChipSet,
        ChipSetOptions,
        Chips,
        ClassScore,
        ClassShares,
        Classes,
        ClassificationOptions,
        Classifier,
        ClassifierArchitecture,
        ClassifierEnsemble,
        ClassifierPredictions,
        ClassifierScenesScores,
        Composite,
        Confusion,
        CopyPaste,
        Date,
        DeepLabV3,
        DeepLabV3Plus,
        Detection,
        DetectionOptions,
        Detector,
        DetectorArchitecture,
        DetectorEnsemble,
        DetectorPredictions,
        DetectorScenesScores,
        Device,
        Ensemble,
        ErrorMap,
        FasterRcnn,
        Figure,
        FitOptions,
        Fpn,
        ImageClassifier,
        ImageArray,
        LabelClass,
        LabelFiles,
        LabelValues,
        Loss,
        LrFinder,
        MapWindow,
        Mosaic,
        Normalization,
        Notice,
        Object,
        Objects,
        OpenOptions,
        Optimizer,
        Outlines,
        Output,
        PixelWindow,
        Places,
        Precision,
        PredictOptions,
        Predictions,
        Quadrilateral,
        Raster,
        Report,
        Resampling,
        Resolution,
        RetinaNet,
        Run<Segmenter>,
        SaveOptions,
        SavedChips,
        SavedFiles,
        SavedScenes,
        Scene,
        SceneBoxes,
        SceneCells,
        SceneMap,
        SceneSplit,
        Scenes,
        ScenesOptions,
        ScenesScores,
        ScoreType,
        Schedule,
        Scores,
        Segmenter,
        SeriesDate,
        SeriesPatch,
        SpectralIndex,
        Split,
        Stack,
        StackExtent,
        StackGrid,
        StackPart,
        StopReason,
        TimeSeries,
        ThresholdChoice,
        Unet,
        VectorSource,
        WorstWindow,
        WorstWindows,
    ]
    .to_vec();
    names.extend(NO_VALUES);
    names.sort_unstable();
    assert_eq!(names, names_of_the_prelude());
    // What their methods give.
    shown![
        Band,
        BandStatistics,
        ChipGrid,
        ChipStream,
        Class,
        ClassColor,
        Curves,
        DataType,
        DetectionScores,
        EncoderKind,
        EpochRecord,
        Feature,
        Format,
        GeoReference,
        GeoTransform,
        History,
        LabelPolygon,
        LabelPolygons,
        LabelValue,
        Length,
        NoticeKind,
        OneCycle,
        Patch,
        PointFeature,
        PolygonFeature,
        RasterType,
        ReadReport,
        RgbImage,
        RgbaImage,
        Sentinel,
        Series,
        Size,
        ThresholdPoint,
        Timings,
        TrainedBand,
        ValidationScores,
        WriterOptions,
        ZoomWindow,
    ];
    is_shown::<[Detection]>();
    is_shown::<(Scene, Scene)>();
    is_shown::<std::slice::Iter<'_, Notice>>();
}

#[track_caller]
fn check(output: &Output) {
    let text = &output.text;
    assert!(!text.is_empty() && text.lines().count() <= LINES, "{text}");
    for line in text.lines() {
        assert!(line.chars().count() <= COLUMNS, "{line}");
    }
    assert!(output.html.is_some(), "no HTML for {text}");
    let dumps = [" { ", "Some(", "}, ", "([["];
    assert!(
        !dumps.iter().any(|sign| text.contains(sign)),
        "a raw dump: {text}"
    );
}

fn epoch(number: usize) -> EpochRecord {
    let scores = DetectionScores {
        ap50: Some(0.5),
        f1: 0.25,
        threshold: 0.4,
        truth: 1_234,
    };
    EpochRecord {
        epoch: number,
        step: number * 100,
        train_loss: 0.5,
        valid_loss: 0.25,
        scores: ValidationScores::Detection(scores),
        lr: 1e-3,
        images_per_second: 12.5,
        seconds: 60.0,
    }
}

#[test]
fn small_values_and_a_thousand_of_them_take_a_screen_at_most() {
    let bounds = BoundingBox::new(1.0, 2.0, 31.5, 42.25);
    let window = PixelWindow::new(-5, 6, 128, 256);
    macro_rules! all {
        ($($value:expr),+ $(,)?) => {$(
            let value = $value;
            check(&value.output());
            check(&Some(&value).output());
            check(&std::iter::repeat_n(&value, 1_000).collect::<Vec<_>>().output());
        )+};
    }
    all![
        bounds,
        Annotation::new(bounds, 1),
        Quadrilateral::from_center(600.25, 400.5, 120.0, 34.0, 30.0),
        Annotation::rotated(
            Quadrilateral::from_center(600.25, 400.5, 120.0, 34.0, 30.0),
            1
        ),
        Detection::new(bounds, 1, 0.87),
        BoxFusion::Nms { iou: 0.5 },
        window,
        ZoomWindow::Pixels(window),
        MapWindow::new(600_000.25, 200_000.5, 600_500.0, 200_600.0),
        MapWindow::around(600_000.25, 200_000.5, 100.0, 200.0),
        Size::new(3, 4),
        GeoTransform::north_up(600_000.0, 200_000.0, 0.3),
        GeoReference::new(
            GeoTransform::north_up(0.0, 0.0, 1.0),
            "LOCAL_CS[\"x\"]".repeat(50)
        ),
        BandRole::NearInfrared,
        BandChoice::from("nir"),
        Resolution::Meters(0.5),
        ImageArray::new(crate::ndarray::Array3::<f32>::zeros((3, 40, 50)))
            .band_names(["a", "b", "c"]),
        OpenOptions::default(),
        DataType::U16,
        Composite::Median,
        Date::parse("2023-04-15").unwrap(),
        SeriesDate::new("2023-04-15", ["a.tif"]),
        TimeSeries::new("s2"),
        SeriesPatch {
            size: Size::new(2, 1),
            dates: vec![Date::parse("2023-04-15").unwrap(); 30],
            bands: vec!["a band with a long name".to_owned(); 12],
            data: vec![0.0; 2 * 30 * 12],
            valid: vec![1; 2 * 30],
        },
        RasterType::U8,
        Split::columns(0.75),
        Split::at_row(128),
        Chips::random(400, 256),
        Notice::left_out("3 of 10 boxes lie outside the scene")
            .about("boxes.csv")
            .count(3)
            .next("check both"),
        LabelValues::codes([(10, "tree"), (20, "shrub")]),
        LabelValue::Number(3.0),
        LabelClass::property("kind"),
        Buffer::meters(3.0),
        VectorSource::new("labels.gpkg").layer("roofs"),
        FitOptions::epochs(3),
        PredictOptions::default(),
        DetectionOptions::default(),
        SaveOptions::default(),
        BoxSaveOptions::default(),
        Outlines::default(),
        ScoreType::F16,
        Optimizer::default(),
        Schedule::default(),
        Loss::default(),
        Loss::Focal { gamma: 2.0 },
        Precision::default(),
        StopReason::NoImprovement { epochs: 3 },
        Normalization {
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225]
        },
        Unet::resnet18(),
        RetinaNet::resnet50(),
        EncoderKind::Resnet18,
        epoch(3),
        LabelPolygons::new(Vec::new()),
    ];
    let (text, iter) = ([epoch(1), epoch(2)].output().text, [epoch(1), epoch(2)]);
    assert_eq!(iter.iter().output().text, text);
    assert_eq!(
        text.lines().next(),
        Some(
            "   epoch  step  train loss  valid loss     F1   AP50  learning rate  images/s  seconds"
        )
    );
}

#[test]
fn facts_are_in_words() {
    assert_eq!(
        Split::columns(0.75).output().text,
        "Split\n  first part   the left 75 % of the columns\n  second part  the columns to their right"
    );
    assert_eq!(
        LabelValues::codes([(10, "tree"), (20, "shrub")])
            .output()
            .text,
        "LabelValues\n  values        10 tree, 20 shrub\n  other values  refused\n  \
         classes       background, tree, shrub"
    );
    assert!(
        PredictOptions::new()
            .output()
            .text
            .starts_with("PredictOptions\n")
    );
    assert!(
        DetectionOptions::new()
            .output()
            .text
            .starts_with("DetectionOptions\n")
    );
    assert_eq!(
        serde_json::json!({"iou": [0.5]}).output().text,
        "{\n  \"iou\": [\n    0.5\n  ]\n}"
    );
    let options = FitOptions::epochs(3).batch(4).output().text;
    for fact in ["FitOptions\n", "Epochs(3)", "  batch             4"] {
        assert!(options.contains(fact), "{fact} in {options}");
    }
}

#[test]
fn chips_of_a_list_are_a_grid() -> crate::Result<()> {
    let chips = samples::town(1, 256)?
        .scene()?
        .chips(Chips::random(20, 64))?;
    let some: Vec<_> = (0..12)
        .map(|index| chips.get(index))
        .collect::<Result<_, _>>()?;
    let output = some.output();
    assert!(
        output.has_picture() && output.text.lines().count() == 9,
        "{}",
        output.text
    );
    assert!(
        output.text.contains("[0] Chip of 64 x 64 px"),
        "{}",
        output.text
    );
    assert!(
        output
            .text
            .ends_with("… 4 more of 12: `&value[8..12]` shows the next"),
        "{}",
        output.text
    );
    assert!(format!("{:?}", some[0]).len() < 200);
    let scene = chips.scenes().first();
    check(&scene.label_polygons().output());
    let polygons = LabelPolygons::new(scene.label_polygons().to_vec());
    check(&polygons.output());
    assert!(format!("{polygons:?}").len() < 60, "{polygons:?}");
    Ok(())
}
