"""The magics from file to scored map on a drawn town, and the Rust that `%expand` prints for each: it must compile and
do the same."""

import pytest

from harness import Kernel


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A kernel whose cells know the paths of a small town."""
    folder = tmp_path_factory.mktemp("town with spaces")
    with Kernel() as kernel:
        kernel.ok(f'let town = swath::samples::town_in("{folder}", 3, 256)?;')
        scene = kernel.ok("town.scene_path.display().to_string()").text.strip('"')
        labels = kernel.ok("town.labels_path.display().to_string()").text.strip('"')
        kernel.scene_line = f"%scene '{scene}' labels='{labels}' class=class"
        kernel.boxes_line = f"%scene '{scene}' boxes='{labels}' class=class as=objects"
        kernel.folder = folder
        yield kernel


def expansion(kernel, line):
    return kernel.ok(f"%expand {line}").stdout


def type_of(kernel, variable):
    rows = kernel.ok("%who").text.splitlines()
    return next((row for row in rows if row.startswith(f"{variable} ")), f"no variable {variable} among {rows}")


def by_magic_and_by_hand(kernel, lines):
    """Runs each line as a magic and again as the Rust that `%expand` prints; both must show the same kinds of things."""
    for line in lines:
        rust = expansion(kernel, line)
        by_magic = kernel.run(line)
        assert by_magic.status == "ok", f"{line}\n{by_magic.everything()}"
        by_hand = kernel.run(rust)
        assert by_hand.status == "ok", f"{rust}\n{by_hand.everything()}"
        kinds = [sorted({m["msg_type"] for m in cell.messages if m["msg_type"] == "execute_result"}) for cell in (by_magic, by_hand)]
        assert kinds[0] == kinds[1], f"{line}: shown by one and not by the other: {kinds}"


def test_every_step_by_magic_and_again_by_the_rust_it_stands_for(town):
    by_magic_and_by_hand(town, [
        town.scene_line,
        "%split 0.75",
        "%chips 8 64 seed=7 show=2",
        "%fit resnet18 steps=2 batch=2 lr=1e-3",
        "%predict",
        "%evaluate",
        f"%map save='{town.folder}/out'",
        "%device cpu",
    ])
    assert (town.folder / "out" / "labels.tif").exists()
    variables = town.ok("%who").text
    for name in ("scene", "train", "valid", "chips", "run", "map"):
        assert f"{name} " in variables, variables


def test_a_detector_by_the_same_magics(town):
    by_magic_and_by_hand(town, [
        town.boxes_line,
        "%split 0.75 scene=objects",
        "%chips 8 64 seed=7 show=2 neg_ratio=0.25 min_visible=0.4 photometric=0.3 augment=strong",
        "%fit centernet-resnet18 steps=2 batch=2 lr=1e-3 as=finding",
        "%predict finding scene=objects as=found",
        # A threshold of 0 keeps every box, also those of a model that has learned nothing.
        "%map found threshold=0",
        "%evaluate found scene=objects",
        f"%map found save='{town.folder}/boxes'",
    ])
    for name in ("boxes.gpkg", "boxes.geojson", "centers.gpkg", "centers.geojson", "detections.json", "box_scores.json"):
        assert (town.folder / "boxes" / name).exists(), name
    assert "SceneBoxes" in type_of(town, "found")


@pytest.mark.parametrize("model", ["retinanet-resnet18", "fasterrcnn-resnet18"])
def test_detectors_with_anchors_are_trained_by_the_same_magic(town, model):
    town.ok(town.boxes_line)
    town.ok("%split 0.75 scene=objects")
    town.ok("%chips 2 64 seed=7 show=1")
    cell = town.run(f"%fit --model {model} steps=1 batch=1")
    assert cell.status == "ok", cell.everything()
    assert "Detector>" in type_of(town, "run")


def test_a_saved_model_is_loaded_as_what_its_file_says_it_is(town):
    # Labeled areas have boxes around them: one scene serves both.
    town.ok(f"{town.scene_line}\n%split 0.75\n%chips 2 64 show=1")
    town.ok("%fit centernet-resnet18 steps=1 batch=1")
    town.ok(f'run.best().save("{town.folder}/finds boxes.swath")?;')
    town.ok("%fit resnet18 steps=1 batch=1")
    town.ok(f'run.best().save("{town.folder}/draws maps.swath")?;')
    for file, model, made in (("finds boxes", "Detector", "SceneBoxes"), ("draws maps", "Segmenter", "SceneMap")):
        line = f"%predict '{town.folder}/{file}.swath' as=loaded"
        assert f"{model}::load" in expansion(town, line)
        by_magic_and_by_hand(town, [line])
        assert made in type_of(town, "loaded")


def test_several_magics_and_rust_share_a_cell(town):
    cell = town.ok(f"{town.scene_line} as=again\nlet width = again.size().0;\n!echo from the shell\nwidth")
    assert cell.text == "256"
    assert cell.stdout == "from the shell\n"


def test_a_timed_magic_keeps_its_variable(town):
    cell = town.ok(f"%time {town.scene_line} as=timed")
    assert "wall time" in cell.stdout
    assert town.ok("timed.size().0").text == "256"
