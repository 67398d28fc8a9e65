"""Whatever a cell ends in shows a picture or a table, and takes a screen of text at most."""

import re
from pathlib import Path

import pytest

LINES, COLUMNS = 40, 100
PICTURES = {"image/png", "image/webp", "image/svg+xml"}

SETUP = [
    'let town = samples::town_in(".", 1, 256)?;\nlet scene = town.scene()?;\nlet chips = scene.chips(Chips::random(20, 64))?;',
    "let box_chips = scene.chips(Chips::random(20, 128))?;\n"
    "let fit = FitOptions::steps(2).batch(2).quiet(true);",
    "let run = Segmenter::new(Unet::resnet18(), scene.classes()).fit(&chips, &scene, fit.clone())?;\n"
    "let map = run.best().predict_with(&scene, PredictOptions::default().scores(true))?;",
    "let box_run = Detector::new(CenterNet::resnet18(), scene.classes()).fit(&box_chips, &scene, fit.clone())?;\n"
    "let boxes = box_run.best().predict_with(&scene, DetectionOptions::default().threshold(0.0))?;",
    "let cell_run = Classifier::new(ImageClassifier::resnet18(), scene.classes()).fit(&chips, &scene, fit.clone())?;\n"
    "let cells = cell_run.best().predict(&scene)?;",
]

# A value of each type in the prelude: what a cell could end in.
PRELUDE = {
    "Affine": "Affine::new().rotation(10.0)",
    "Annotation": "scene.boxes()[0]",
    "Architecture": "Architecture::from(Unet::resnet18())",
    "Augment": "Augment::light()",
    "BandChoice": 'BandChoice::from("red")',
    "BandTransform": 'BandTransform::expression("ratio", "red / blue")',
    "Buffer": "Buffer::meters(3.0)",
    "BandRole": "BandRole::NearInfrared",
    "BoundingBox": "BoundingBox::new(1.0, 2.0, 30.5, 40.0)",
    "BoxFusion": "BoxFusion::Nms { iou: 0.5 }",
    "BoxSaveOptions": "BoxSaveOptions::default()",
    "BoxScores": "boxes.evaluate(&scene)?",
    "Cell": "cells.get(0)",
    "CellGrid": "cells.grid()",
    "CellRule": "CellRule::share_of_object(0.5)",
    "CenterNet": "CenterNet::resnet18()",
    "ChipFolder": 'ChipFolder::new("town").skip_broken()',
    "ChipOptions": "Chips::random(400, 256)",
    "ChipSet": '{ chips.save_with("shown_set", ChipSetOptions::new().quiet(true))?; ChipSet::open("shown_set")? }',
    "ChipSetOptions": 'ChipSetOptions::new().split("train")',
    "Chips": "chips",
    "ClassShares": "Scenes::of([&scene])?.class_shares()?",
    "ClassScore": "map.evaluate(&scene)?.per_class()[0]",
    "Classes": "scene.classes()",
    "ClassificationOptions": "ClassificationOptions::new().cell(64)",
    "Classifier": "cell_run.best()",
    "ClassifierArchitecture": "ClassifierArchitecture::from(ImageClassifier::resnet50())",
    "ClassifierEnsemble": "ClassifierEnsemble::new([cell_run.best()])?",
    "ClassifierPredictions": "cell_run.best().predict(&Scenes::of([&scene])?)?",
    "ClassifierScenesScores": "cell_run.best().evaluate(&Scenes::of([&scene])?)?",
    "Confusion": "map.evaluate(&scene)?.confusion()",
    "Composite": "Composite::Median",
    "Date": 'Date::parse("2023-04-15")',
    "CopyPaste": "CopyPaste::new()",
    "DeepLabV3": "DeepLabV3::resnet50()",
    "DeepLabV3Plus": "DeepLabV3Plus::resnet50()",
    "Detection": "Detection::new(BoundingBox::new(1.0, 2.0, 30.5, 40.0), 1, 0.5)",
    "DetectionOptions": "DetectionOptions::default()",
    "Detector": "box_run.best()",
    "DetectorArchitecture": "DetectorArchitecture::from(RetinaNet::resnet50())",
    "DetectorEnsemble": "DetectorEnsemble::new([box_run.best()])?",
    "DetectorPredictions": "box_run.best().predict(&Scenes::of([&scene])?)?",
    "DetectorScenesScores": "box_run.best().evaluate(&Scenes::of([&scene])?)?",
    "Device": "Device::best()",
    "Ensemble": "Ensemble::new([run.best()])?",
    "ErrorMap": "map.errors(&scene)?",
    "FasterRcnn": "FasterRcnn::resnet50()",
    "Figure": "chips.show(2)",
    "FitOptions": "fit",
    "Fpn": "Fpn::resnet18()",
    "ImageArray": "ImageArray::new(swath::ndarray::Array3::<u8>::zeros((3, 40, 50)))",
    "ImageClassifier": "ImageClassifier::resnet18()",
    "LabelClass": 'LabelClass::property("class")',
    "LabelFiles": 'LabelFiles::new("labels/{stem}.gpkg")',
    "LabelValues": 'LabelValues::codes([(10, "tree"), (20, "shrub")])',
    "Loss": "Loss::Focal { gamma: 2.0 }",
    "LrFinder": "Segmenter::new(Unet::resnet18(), scene.classes()).find_rate(&chips, fit.clone())?",
    "MapWindow": "MapWindow::around(600_000.0, 200_000.0, 100.0, 50.0)",
    "Mosaic": 'Mosaic::new("tiles")',
    "Normalization": "Normalization { mean: vec![0.5; 3], std: vec![0.25; 3] }",
    "Notice": 'swath::report::Notice::left_out("3 of 10 boxes lie outside").next("check both files")',
    "Object": "map.objects()?.iter().next().cloned()",
    "Objects": "map.objects()?",
    "OpenOptions": "OpenOptions::default()",
    "Optimizer": "Optimizer::default()",
    "Outlines": "Outlines::new().right_angles(true)",
    "Output": 'Output::text("a text")',
    "PixelWindow": "PixelWindow::new(-1, 2, 30, 40)",
    "Places": '{ std::fs::write("places.csv", "file,xmin,ymin,xmax,ymax\\na.png,0,0,1,1\\n")?; Places::open("places.csv")? }',
    "Precision": "Precision::default()",
    "PredictOptions": "PredictOptions::default()",
    "Predictions": "run.best().predict(&Scenes::of([&scene])?)?",
    "Quadrilateral": "Quadrilateral::from_center(60.0, 40.0, 30.0, 10.0, 30.0)",
    "Raster": "scene.raster()",
    "Report": "scene.report()",
    "Resampling": "Resampling::Bilinear",
    "Resolution": "Resolution::Meters(0.5)",
    "RetinaNet": "RetinaNet::resnet50()",
    "Run": "run",
    "SaveOptions": "SaveOptions::default()",
    "SavedChips": 'chips.save_with("shown_chips", ChipSetOptions::new().quiet(true))?',
    "SavedFiles": 'map.save("out")?',
    "SavedScenes": 'run.best().predict_to(&Scenes::of([&scene])?, "maps", PredictOptions::new())?',
    "Scene": "scene",
    "SceneBoxes": "boxes",
    "SceneCells": "cells",
    "SceneMap": "map",
    "SceneSplit": "SceneSplit::random(0.8)",
    "Scenes": "Scenes::of([&scene])?",
    "ScenesOptions": "ScenesOptions::new()",
    "ScenesScores": "run.best().evaluate(&Scenes::of([&scene])?)?",
    "Schedule": "Schedule::default()",
    "ScoreType": "ScoreType::F16",
    "Scores": "map.evaluate(&scene)?",
    "Segmenter": "run.best()",
    "SeriesDate": 'SeriesDate::new("2023-04-15", ["a.tif"])',
    "SeriesPatch": (
        'TimeSeries::of([("2023-04-15", scene.raster().path()), ("2023-06-04", scene.raster().path())]).open()?'
        ".read_series(&PixelWindow::new(0, 0, 4, 4))?"
    ),
    "SpectralIndex": 'SpectralIndex::named("ndvi")',
    "Split": "Split::columns(0.75)",
    "Stack": 'Stack::new(["a.tif", "b.tif"])',
    "StackExtent": "StackExtent::Union",
    "StackGrid": "StackGrid::Finest",
    "StackPart": 'StackPart::new("a.tif")',
    "StopReason": "run.stopped()",
    "TimeSeries": 'TimeSeries::new("s2/*.tif")',
    "ThresholdChoice": "map.best_threshold(&scene)?",
    "Unet": "Unet::resnet18()",
    "VectorSource": 'VectorSource::new("labels.gpkg")',
    "WorstWindow": "map.worst(&scene, 3)?.get(0)",
    "WorstWindows": "map.worst(&scene, 3)?",
}
# Not values: traits, and a function.
NOT_VALUES = {"AtThreshold", "ClassificationNetwork", "DetectionNetwork", "Network", "Show"}
# What has no more to show than words.
WORDS = {"Output"}

# What methods give, and lists of all of it.
OTHERS = {
    "a chip": ("chips.get(0)?", True),
    "its window": ("chips.get(0)?.window", False),
    "its patch": ("chips.get(0)?.patch", True),
    "its boxes": ("chips.get(1)?.boxes", False),
    "chips": ("vec![chips.get(0)?, chips.get(1)?]", True),
    "many chips": ("(0..20).map(|i| chips.get(i)).collect::<Result<Vec<_>, _>>()?", True),
    "perhaps a chip": ("Some(chips.get(0)?)", True),
    "references to chips": ("[&chips.get(0)?]", True),
    "a chip in a tuple": ("(chips.get(0)?, scene.classes())", True),
    "chips by name": ('std::collections::BTreeMap::from([("first", chips.get(0)?)])', True),
    "a chip and its name": ('("first", chips.get(0)?)', None),
    "scenes": ("scene.split(Split::columns(0.5))", True),
    "bands": ("scene.raster().bands()", False),
    "a band": ("scene.raster().bands()[0]", False),
    "statistics": ("scene.raster().statistics()?", False),
    "statistics of one": ("scene.raster().statistics()?[0]", False),
    "a size": ("scene.raster().size()", False),
    "a transform": ("scene.raster().transform()", False),
    "a place": ("scene.raster().georeference()", False),
    "labeled boxes": ("scene.boxes()", False),
    "found boxes": ("boxes.detections()", False),
    "label polygons": ("scene.label_polygons()", None),
    "classes": ("scene.classes().iter()", False),
    "objects": ("map.objects()?.iter().collect::<Vec<_>>()", False),
    "the shape of one": ("map.objects()?.iter().next().map(|object| object.geometry.clone())", False),
    "epochs": ("run.history().epochs", False),
    "an epoch": ("run.history().epochs.last()", False),
    "epochs of boxes": ("&box_run.history().epochs[..]", False),
    "history": ("run.history()", True),
    "timings": ("run.timings()", False),
    "scores of classes": ("map.evaluate(&scene)?.per_class()", False),
    "worst windows": ("map.worst(&scene, 3)?.iter()", False),
    "the model's facts": ("run.best().meta()", False),
    "notices": ("scene.report().iter()", None),
    "a town": ("town", False),
    "a thousand boxes": ("vec![Detection::new(BoundingBox::new(0.0, 1.0, 2.0, 3.0), 1, 0.5); 1000]", False),
    "roles": ("vec![Some(BandRole::Red), None]", False),
    "windows": ("(0..50).map(|i| PixelWindow::new(i, 0, 5, 5)).collect::<Vec<_>>()", False),
}


@pytest.fixture(scope="module")
def session(shared_kernel):
    for cell in SETUP:
        shared_kernel.ok(cell, seconds=300)
    return shared_kernel


def shown(session, code: str) -> dict[str, str]:
    results = session.ok(code, seconds=120).of("execute_result")
    assert len(results) == 1, f"{code} showed {len(results)} results"
    return results[0]["data"]


def check(code: str, data: dict[str, str]) -> None:
    text = data["text/plain"]
    lines = text.splitlines()
    screen = sum(max(1, -(-len(line) // COLUMNS)) for line in lines)
    assert text and screen <= LINES, f"{code} shows {screen} lines:\n{text[:3000]}"
    # The text of a derived `Debug`, and numbers without end.
    for dump in [r"^\w+ \{ ", r"\[\w+ \{ ", r"(-?\d+\.\d+, ){9}", r"MultiPolygon\(", r"\bSome\("]:
        assert not re.search(dump, text), f"{code} shows a raw dump ({dump}):\n{text[:3000]}"


def test_each_type_of_the_prelude_is_among_those_that_are_tried():
    prelude = (Path(__file__).parents[2] / "src/prelude.rs").read_text(encoding="utf-8")
    types = set(re.findall(r"\b([A-Z][A-Za-z0-9]+)\b", re.sub(r"//.*", "", prelude)))
    assert types == PRELUDE.keys() | NOT_VALUES


@pytest.mark.parametrize("name", PRELUDE)
def test_a_type_of_the_prelude_shows_itself_in_a_cell(session, name):
    code = PRELUDE[name]
    data = shown(session, code)
    check(code, data)
    if name not in WORDS:
        assert data.keys() & PICTURES or "text/html" in data, f"{code} has text alone: {data['text/plain']}"


@pytest.mark.parametrize("what", OTHERS)
def test_what_methods_give_shows_itself(session, what):
    code, has_picture = OTHERS[what]
    data = shown(session, code)
    check(code, data)
    if has_picture is not None:
        html = data.get("text/html", "")
        assert html, f"{code} has no HTML: {data['text/plain'][:500]}"
        assert has_picture == ("<img" in html or "<svg" in html or bool(data.keys() & PICTURES)), html[:500]


def test_lists_are_cut_with_a_word_about_the_rest(session):
    text = shown(session, OTHERS["a thousand boxes"][0])["text/plain"]
    assert text.endswith("… 980 more of 1,000: `&value[20..40]` shows the next") and len(text.splitlines()) == 22
    text = shown(session, OTHERS["windows"][0] .replace("collect::<Vec<_>>()", "collect::<Vec<_>>()[20..40]"))["text/plain"]
    assert len(text.splitlines()) == 21 and "more" not in text
    text = shown(session, "vec![0.5; 3_000]")["text/plain"]
    assert "2,000 more of 3,000 elements: `show_all(&value)` shows it whole" in text


def test_values_of_others_are_shown_as_before(session):
    for code, text in [("5", "5"), ('"a"', '"a"'), ("vec![1, 2]", "[1, 2]"), ("&[1, 2][..]", "[1, 2]"), ('(1, "a")', '(1, "a")'),
                       ("Some(1)", "Some(1)"), ("vec![Some(1), None]", "[Some(1), None]"), ("Ok::<i32, String>(1)", "Ok(1)"),
                       ("struct Bare;\nvec![Bare].len()", "1"), ("#[derive(Debug)] struct Own(i32);\nvec![Own(1), Own(2)]", "[Own(1), Own(2)]"),
                       ("std::collections::BTreeMap::from([(1, 2)])", "{1: 2}"), ("Vec::<f32>::new()", "[]"), ("Vec::<Scene>::new()", "[]"),
                       ("None::<Scene>", "None"), ("None::<i32>", "None")]:
        assert shown(session, code)["text/plain"] == text, code
    own = 'struct Tree(f64);\nimpl Show for Tree { fn output(&self) -> Output { Output::text(format!("{} m", self.0)) } }\n'
    assert shown(session, own + "Tree(3.5)")["text/plain"] == "3.5 m"
    assert shown(session, "vec![Tree(3.5), Tree(4.0)]")["text/plain"] == "[0] 3.5 m\n[1] 4 m"
    data = shown(session, 'struct Leaf;\nimpl Leaf { fn evcxr_display(&self) { println!("EVCXR_BEGIN_CONTENT text/html\\n<i>leaf</i>\\nEVCXR_END_CONTENT") } }\nLeaf')
    assert data["text/html"].strip() == "<i>leaf</i>"
