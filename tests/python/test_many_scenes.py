"""Many scenes in the real kernel: the magics, what cells show, and what is said when something is wrong."""

import shutil

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from harness import Kernel

COUNT = 6


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """Six tiles of 96 px side by side, a square of another brightness on each, and its outline in degrees."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "tiles").mkdir()
    (folder / "labels").mkdir()
    random = np.random.default_rng(3)
    for number in range(1, COUNT + 1):
        left, top = 500_000 + number * 48, 5_000_000
        pixels = random.integers(60, 90, (3, 96, 96)).astype("uint8")
        col, row = 20 + number, 30
        pixels[:, row : row + 24, col : col + 24] += 120
        with rasterio.open(
            folder / f"tiles/tile_{number}.tif", "w", driver="GTiff", width=96, height=96, count=3, dtype="uint8",
            crs="EPSG:32632", transform=from_origin(left, top, 0.5, 0.5),
        ) as file:
            file.write(pixels)
        x0, x1 = left + col / 2, left + (col + 24) / 2
        y1, y0 = top - row / 2, top - (row + 24) / 2
        ring = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
        (folder / f"labels/tile_{number}.geojson").write_text(
            '{"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:32632"}}, "features": '
            '[{"type": "Feature", "properties": {"kind": "roof"}, "geometry": {"type": "Polygon", "coordinates": '
            f"[{ring}]}}}}]}}"
        )
    rows = "".join(f"tiles/tile_{n}.tif,{'test' if n > 4 else 'train'}\n" for n in range(1, COUNT + 1))
    (folder / "tiles.csv").write_text("image,split\n" + rows)
    return folder


@pytest.fixture(scope="module")
def kernel(project):
    with Kernel(cwd=project) as kernel:
        yield kernel


def test_the_whole_way_by_magics(kernel, project):
    cell = kernel.ok("%scenes tiles labels=labels/{stem}.geojson class=kind")
    assert cell.text.startswith("6 scenes, 3 bands, 55296 pixels") and "roof" in cell.text
    [shown] = cell.of("execute_result")
    assert shown["data"]["text/html"].count("<polygon") == COUNT
    cell = kernel.ok("%split 0.7 by=scene seed=3")
    assert "4 scenes" in cell.text and "2 scenes" in cell.text
    # By the seed alone, and what is not in one part is in the other.
    names = kernel.ok("{ let mut all: Vec<&str> = train.names().chain(valid.names()).collect(); all.sort(); all.join(\" \") }").text
    assert names == '"' + " ".join(f"tile_{n}" for n in range(1, COUNT + 1)) + '"'
    cell = kernel.ok("%chips 24 64 seed=1 weight=even show=2")
    assert "24 chips" in kernel.ok("chips").text
    kernel.ok("%fit steps=2 batch=2")
    cell = kernel.ok("let scores = run.best().evaluate(&valid)?; scores")
    assert "all together" in cell.text and "mean IoU" in cell.text
    pixels = kernel.ok("scores.pooled().confusion().total()").text
    assert pixels == str(2 * 96 * 96)
    kernel.ok("%predict run scene=valid")
    cell = kernel.ok("%evaluate map scene=valid")
    assert "all together" in cell.text
    kernel.ok('map.save("maps")?;')
    assert len(list((project / "maps").glob("*/labels.tif"))) == 2
    shutil.rmtree(project / "maps")
    shown = kernel.ok("%who")
    assert "Scenes" in shown.text + shown.stdout + str(shown.messages)


def test_a_table_and_python_s_own_reading_agree(kernel, project):
    kernel.ok('let listed = Scenes::table("tiles.csv")?;')
    kernel.ok('let test = listed.where_column("split", "test")?;')
    means = [rasterio.open(project / f"tiles/tile_{n}.tif").read().astype("float64") for n in (5, 6)]
    mean = np.concatenate([one.reshape(3, -1) for one in means], axis=1).mean(axis=1)
    found = kernel.ok("test.statistics()?.iter().map(|band| band.mean).collect::<Vec<f64>>()").text
    assert np.allclose([float(part) for part in found.strip("[]").split(",")], mean, rtol=0, atol=1e-9)


def test_what_is_wrong_is_said(kernel):
    for code, words in [
        ('Scenes::open("nowhere/*.tif")?', ["no file matches"]),
        ('scenes.with_labels("labels/{stem}.gpkg", "kind")?', ["6 of 6 scenes have no label file", "tile_1"]),
        ('scenes.split(SceneSplit::random(80.0))', ["between 0 and 1"]),
        ('listed.where_column("split", "valid")?', ["there are test, train"]),
        ("%scenes tiles missing=skip", ["missing= needs labels="]),
        ("%split 0.8 by=tile", ["columns, rows or scene"]),
    ]:
        cell = kernel.run(code)
        assert cell.status == "error", code
        told = cell.error["evalue"] + cell.stderr + "\n".join(cell.error["traceback"])
        assert all(word in told for word in words), (code, told)
    # A scene is no collection, and a collection no text: rustc says what is wanted.
    cell = kernel.run('run.best().predict("tiles")?')
    assert "a model predicts a scene or scenes" in "\n".join(cell.error["traceback"])


def completed(kernel, code: str) -> list[str]:
    return kernel.request("complete_request", {"code": code, "cursor_pos": len(code)}, seconds=60)["matches"]


def test_completion_knows_scenes(kernel):
    assert "missing=" in completed(kernel, "%scenes tiles miss")
    methods = " ".join(completed(kernel, "scenes.with_"))
    assert "with_labels" in methods and "with_boxes" in methods
    assert any(name.startswith("random") for name in completed(kernel, "SceneSplit::"))
