"""Every line of the pages for people who come from elsewhere, run in the kernel from top to bottom of each page."""

import re
import shutil
from pathlib import Path

import numpy
import pytest
from harness import Kernel

DOCS = Path(__file__).parents[2] / "docs"
# The page, the head of its left column, how many lines it has at least, the files that they write.
PAGES = [
    ("from-python.md", "Python", 40, ["houses.swath", "houses.shp", "houses.csv", "out/labels.tif"]),
    ("from-raster-vision.md", "Raster Vision", 35, ["houses.swath", "out/labels.tif", "eval.json"]),
    ("from-torchgeo.md", "TorchGeo", 25, ["checkpoints/training.safetensors", "out/labels.tif"]),
    ("from-pytorch.md", "PyTorch", 30, ["checkpoints/training.safetensors", "houses.swath", "houses.safetensors"]),
]
ROW = re.compile(r"^\| (.+?) \| (.+) \|$")
CODE = re.compile(r"`([^`]+)`")
# Two steps instead of twelve epochs.
SHORTER = [("FitOptions::epochs(12)", "FitOptions::steps(2)"), (".batch(4)", ".batch(2)")]
# The last row needs the network of crates.io.
LEFT_OUT = "%pip install"


def lines(page: str, head: str) -> list[tuple[str, str]]:
    rows = [ROW.match(line) for line in (DOCS / page).read_text(encoding="utf-8").splitlines()]
    pairs = [(row[1], CODE.search(row[2])) for row in rows if row and row[1] != head and "---" not in row[1]]
    return [(theirs, ours[1].replace("\\|", "|")) for theirs, ours in pairs if ours and LEFT_OUT not in theirs]


@pytest.mark.parametrize(("page", "head", "least"), [row[:3] for row in PAGES], ids=lambda value: str(value))
def test_there_are_enough(page, head, least):
    assert len(lines(page, head)) >= least


@pytest.mark.parametrize(("page", "head", "files"), [(row[0], row[1], row[3]) for row in PAGES], ids=[row[0] for row in PAGES])
def test_every_line_runs(page, head, files, tmp_path):
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok('let town = samples::town_in(".", 1, 256)?;\nstd::fs::rename(&town.scene_path, "town.tif")?; '
                  'std::fs::rename(&town.labels_path, "town.gpkg")?;', seconds=120)
        # What the pages open beside it: an array of NumPy's, images sorted into folders of their classes.
        numpy.save(tmp_path / "image.npy", numpy.arange(3 * 40 * 50, dtype="uint8").reshape(3, 40, 50))
        for name in ["forest", "field"]:
            (tmp_path / "train" / name).mkdir(parents=True)
            shutil.copy(tmp_path / "town.tif", tmp_path / "train" / name / "a.tif")
        wrong = []
        for theirs, rust in lines(page, head):
            for long, short in SHORTER:
                rust = rust.replace(long, short)
            cell = kernel.run(rust, seconds=300)
            if cell.status != "ok":
                wrong.append(f"{theirs}\n    {rust}\n{cell.everything()[-800:]}")
            elif not rust.rstrip().endswith((";", "}")) and "%" not in rust:
                assert cell.of("execute_result") or cell.of("display_data"), rust
        assert not wrong, f"{len(wrong)} lines:\n" + "\n".join(wrong)
        for file in files:
            assert (tmp_path / file).exists(), file
