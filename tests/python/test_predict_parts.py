"""`swath predict` of many scenes bit by bit: plans of equal work, what is finished stays, and the results of all tasks of models
become one. rasterio and fiona's reading by GDAL (pyogrio) say what the joined files hold."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

from command import SWATH
from harness import Kernel

FITS = {"areas": "%fit resnet18 steps=1 batch=2", "boxes": "%fit centernet-resnet18 steps=1 batch=2", "cells": "%fit classifier-resnet18 steps=1 batch=2"}


def swath(folder: Path, *words, code: int = 0) -> str:
    done = subprocess.run([SWATH, *map(str, words)], capture_output=True, text=True, timeout=300, cwd=folder)
    told = done.stdout + done.stderr
    assert done.returncode == code, f"swath {words}: {done.returncode}\n{told}"
    return told


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A town, five tiles of it (one large, one without labels of its own), and a model of each task after one step."""
    folder = tmp_path_factory.mktemp("parts")
    swath(folder, "sample", "town", "--out", ".", "--size", 256, "--seed", 3)
    [image] = folder.glob("*.tif")
    image.rename(folder / "town.tif")
    [labels] = folder.glob("*.gpkg")
    labels.rename(folder / "town.gpkg")
    (folder / "tiles").mkdir()
    with rasterio.open(folder / "town.tif") as source:
        for number, (col, row, edge) in enumerate([(0, 0, 128), (128, 0, 64), (192, 0, 64), (0, 128, 64), (128, 64, 96)]):
            window = Window(col, row, edge, edge)
            profile = source.profile | {"width": edge, "height": edge, "transform": source.window_transform(window)}
            for key in ("blockxsize", "blockysize", "tiled"):
                profile.pop(key, None)
            with rasterio.open(folder / "tiles" / f"t{number}.tif", "w", **profile) as tile:
                tile.write(source.read(window=window))
    with Kernel(cwd=folder) as kernel:
        kernel.ok("%scene town.tif labels=town.gpkg class=class cells=majority")
        kernel.ok("%split 0.5")
        kernel.ok("%chips 4 64 seed=7")
        for name, fit in FITS.items():
            kernel.ok(fit, seconds=300)
            kernel.ok(f'run.best().save("{name}.swath")?;')
    return folder


def test_parts_are_of_equal_work_and_what_is_finished_stays(folder):
    base = ("predict", "areas.swath", "tiles", "-o", "maps")
    told = swath(folder, *base, "--plan", "p.json", "--parts", 2)
    assert "5 scenes, 0 finished before: 5 in 2 parts of" in told
    plan = json.loads((folder / "p.json").read_text())
    # The largest first, each to the part that has least: 128² and the last 64²; 96² and two of 64².
    assert sorted(part["pixels"] for part in plan["parts"]) == [17408, 20480]
    assert sorted(name for part in plan["parts"] for name in part["scenes"]) == ["t0", "t1", "t2", "t3", "t4"]
    swath(folder, *base, "--plan", "p.json", "--part", 1)
    first = set(plan["parts"][0]["scenes"])
    assert {path.parent.name for path in (folder / "maps").glob("*/labels.tif")} == first
    told = swath(folder, *base, "--join", code=1)
    missing = [name for name in ["t0", "t1", "t2", "t3", "t4"] if name not in first]
    assert f"missing: {', '.join(missing)}\n" in told and f"{len(missing)} of 5 scenes could not be joined" in told
    before = {name: (folder / "maps" / name / "labels.tif").stat().st_mtime_ns for name in first}
    told = swath(folder, *base, "--resume")
    assert told.count("finished before") == len(first)
    for name, changed in before.items():
        assert (folder / "maps" / name / "labels.tif").stat().st_mtime_ns == changed
    # A file that was lost, other options, another model: these are not finished.
    (folder / "maps" / "t2" / "scores.tif").unlink()
    assert "5 scenes, 4 finished before: 1 in 1 part " in swath(folder, *base, "--plan", "q.json", "--parts", 8)
    assert "0 finished before" in swath(folder, *base, "--min-area", 3, "--plan", "q.json", "--parts", 8)
    assert "0 finished before" in swath(folder, *base, "--also", "areas.swath", "--plan", "q.json", "--parts", 8)
    swath(folder, *base, "--resume")
    # A changed scene is done again, and no other.
    with rasterio.open(folder / "tiles" / "t3.tif", "r+") as tile:
        tile.write(255 - tile.read())
    assert "4 finished before: 1 in 1 part " in swath(folder, *base, "--plan", "q.json", "--parts", 8)
    assert json.loads((folder / "q.json").read_text())["parts"][0]["scenes"] == ["t3"]


def test_plans_that_do_not_fit_are_told(folder):
    base = ("predict", "areas.swath", "tiles", "-o", "other")
    swath(folder, *base, "--plan", "r.json", "--parts", 2)
    assert "'--part 3' is none of the 2 parts of r.json" in swath(folder, *base, "--plan", "r.json", "--part", 3, code=2)
    told = swath(folder, "predict", "areas.swath", "tiles/t0.tif", "tiles/t1.tif", "-o", "other", "--plan", "r.json", "--part", 2, code=2)
    assert "none of the 2 scenes that were given" in told
    (folder / "broken.json").write_text("{}")
    assert "is no plan" in swath(folder, *base, "--plan", "broken.json", "--part", 1, code=2)
    assert "--parts" in swath(folder, *base, "--plan", "r.json", code=2)
    # A scene that cannot be opened belongs to a part, whose job says so.
    (folder / "tiles" / "zz.tif").write_text("no raster")
    try:
        told = swath(folder, *base, "--plan", "r.json", "--parts", 2)
        assert "zz.tif" in told and "6 scenes" in told
        told = swath(folder, *base, "--join", code=1)
        assert "none of 6 scenes could be joined" in told
    finally:
        (folder / "tiles" / "zz.tif").unlink()


def test_joined_maps_are_the_tiles_and_their_scores_those_of_all(folder):
    base = ("predict", "areas.swath", "tiles", "-o", "joint", "--labels", "town.gpkg", "--class", "class")
    swath(folder, *base, "--quiet")
    told = swath(folder, *base, "--join")
    assert "all 5 scenes are predicted" in told and "all together" in told
    with rasterio.open(folder / "joint/joined/labels.tif") as joined:
        found, place, names = joined.read(1), joined.transform, joined.tags()
    expected = np.full(found.shape, 255, np.uint8)
    for tile in sorted((folder / "joint").glob("t*/labels.tif")):
        with rasterio.open(tile) as one:
            col, row = (round(value) for value in ~place * (one.transform.c, one.transform.f))
            expected[row : row + one.height, col : col + one.width] = one.read(1)
    assert (found == expected).all() and (found != 255).sum() == 37888 and names is not None
    together = json.loads((folder / "joint/scores.json").read_text())
    # `evaluate` of the model counts the same pixels.
    swath(folder, "evaluate", "areas.swath", "tiles", "--labels", "town.gpkg", "--class", "class", "--json", "scores.json", "--quiet")
    counted = json.loads((folder / "scores.json").read_text())
    assert together["pooled"] == pytest.approx(counted["pooled"])
    assert {row["scene"] for row in together["scenes"]} == {"t0", "t1", "t2", "t3", "t4"}


def features(path: Path) -> list[dict]:
    return json.loads(path.read_text())["features"]


def test_joined_boxes_are_those_of_all_scenes(folder):
    base = ("predict", "boxes.swath", "tiles", "-o", "boxes", "--threshold", 0)
    swath(folder, *base, "--quiet")
    told = swath(folder, *base, "--join")
    assert "all 5 scenes are predicted" in told

    def places(paths) -> list:
        found = [(feature["properties"]["class"], round(feature["properties"]["score"], 5),
                  tuple(np.round(np.array(feature["geometry"]["coordinates"]).ravel(), 7)))
                 for path in paths for feature in features(path)]
        return sorted(found)

    each = places(sorted((folder / "boxes").glob("t*/boxes.geojson")))
    assert len(each) > 5
    assert [one[:2] for one in places([folder / "boxes/joined/boxes.geojson"])] == [one[:2] for one in each]
    joined = places([folder / "boxes/joined/boxes.geojson"])
    assert np.allclose([one[2] for one in joined], [one[2] for one in each], atol=2e-6)
    assert len(features(folder / "boxes/joined/centers.geojson")) == len(each)


def test_joined_cells_are_one_raster(folder):
    base = ("predict", "cells.swath", "tiles", "-o", "cells")
    swath(folder, *base, "--quiet")
    swath(folder, *base, "--join")
    with rasterio.open(folder / "cells/joined/cell_labels.tif") as joined:
        values = joined.read(1)
    counts = [int((rasterio.open(path).read(1) != 255).sum()) for path in (folder / "cells").glob("t*/cell_labels.tif")]
    assert len(counts) == 5 and (values != 255).any()
