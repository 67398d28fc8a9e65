"""A data set as people have them, from the magics to the command: an image with empty edges, labels of which some are
lines, a mask of 0 and 255 without a place. What is left out is said, and the scores are NumPy's."""

import json
import os
import subprocess

import numpy
import pytest
import rasterio
import rasterio.features
from rasterio.transform import Affine
from rasterio.warp import transform_geom

from command import SWATH

pytestmark = pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
SIDE, EDGE = 160, 20
GRID = Affine(0.5, 0.0, 500000.0, 0.0, -0.5, 5750000.0)


def square(column, row, side=14):
    corners = [(column, row), (column + side, row), (column + side, row + side), (column, row + side), (column, row)]
    return {"type": "Polygon", "coordinates": [[tuple(GRID @ corner) for corner in corners]]}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The data set; the truth as NumPy sees it: 0 and 1, and where the image is valid."""
    folder = tmp_path_factory.mktemp("data set")
    random = numpy.random.default_rng(5)
    squares = [square(column, row) for column in range(30, 140, 28) for row in range(8, 140, 30)]
    truth = rasterio.features.rasterize(squares, (SIDE, SIDE), transform=GRID, dtype="uint8")
    image = random.integers(30, 90, (3, SIDE, SIDE)).astype("uint8") + truth * 120
    image[:, :, :EDGE] = 0
    # A dark lake: 0 in one band is no empty edge.
    image[0, 100:120, 60:70] = 0
    with rasterio.open(folder / "image.tif", "w", driver="GTiff", dtype="uint8", count=3, width=SIDE, height=SIDE, nodata=0,
                       crs="EPSG:32633", transform=GRID) as file:
        file.write(image)
    with rasterio.open(folder / "mask.png", "w", driver="PNG", dtype="uint8", count=1, width=SIDE, height=SIDE) as file:
        file.write(truth * 255, 1)
    lines = [{"type": "LineString", "coordinates": [tuple(GRID @ (10, 10)), tuple(GRID @ (80, 90))]} for _ in range(2)]
    features = [{"type": "Feature", "properties": {"kind": "house"}, "geometry": transform_geom("EPSG:32633", "EPSG:4326", shape)}
                for shape in [*squares, *lines]]
    (folder / "houses.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return folder, truth, image.any(axis=0)


def told(cell):
    shown = [cell.stdout]
    for kind in ("execute_result", "display_data"):
        shown += [content["data"].get("text/plain", "") for content in cell.of(kind)]
    return "\n".join(shown)


def test_from_the_magics_to_the_command(files, fresh_kernel):
    folder, truth, valid = files
    shown = told(fresh_kernel.ok(f"%scene '{folder}/image.tif' labels='{folder}/houses.geojson' class=kind"))
    assert "left out: 2 " in shown and "line" in shown, shown
    fresh_kernel.ok("%split 0.6")
    fresh_kernel.ok("%chips 6 64 seed=3 show=1")
    fresh_kernel.ok("%fit resnet18 steps=3 batch=2 lr=1e-3", seconds=120)
    fresh_kernel.ok("%predict", seconds=120)
    fresh_kernel.ok(f"%map save='{folder}/map'")

    # The mask has no place: it lies on the image pixel by pixel, which is said.
    shown = told(fresh_kernel.ok(f"%scene '{folder}/image.tif' label_raster='{folder}/mask.png' binary=house as=truth"))
    assert "assumed:" in shown or "note:" in shown, shown
    counted = fresh_kernel.ok("truth.label_window(&truth.area())?.iter().filter(|&&label| label == 1).count()").text
    assert int(counted) == int((truth[valid] == 1).sum())
    shown = told(fresh_kernel.ok("%evaluate map scene=truth"))
    assert "house" in shown, shown

    with rasterio.open(folder / "map" / "labels.tif") as file:
        predicted = file.read(1)
    assert (predicted[~valid] == 255).all() and (predicted[valid] < 2).all()
    expected = [[int(((truth == t) & (predicted == p) & valid).sum()) for p in (0, 1)] for t in (0, 1)]
    evaluate = [SWATH, "evaluate", folder / "map" / "labels.tif", folder / "image.tif", "--json", folder / "scores.json"]
    for labels in (["--label-raster", folder / "mask.png", "--binary", "house"],
                   ["--labels", folder / "houses.geojson", "--class", "kind"]):
        for quiet in ([], ["--quiet"]):
            done = subprocess.run([*evaluate, *labels, *quiet], capture_output=True, text=True, env=os.environ, timeout=300)
            assert done.returncode == 0, done.stderr
            assert json.loads((folder / "scores.json").read_text())[-1]["conf_mat"] == expected, labels
            notices = [line for line in done.stdout.splitlines() if line.startswith(("left out: ", "assumed: ", "note: "))]
            assert bool(notices) == (not quiet), done.stdout
