"""The tutorials, executed as they are on a small setting (`SWATH_TUTORIAL=small`)."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def test_there_are_tutorials():
    names = [path.name for path in TUTORIALS]
    assert names == [
        "01_first_map.ipynb", "02_your_own_data.ipynb", "03_object_detection.ipynb", "04_many_scenes.ipynb",
        "05_bands_and_time.ipynb",
    ]


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_runs_to_its_end_and_scores(path, tmp_path):
    run = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "run_notebooks.py"), "--out", str(tmp_path), str(path)],
        env={**os.environ, "SWATH_TUTORIAL": "small"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=2400,
    )
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
    scores = re.findall(r"SCORE (.*)", run.stdout)
    assert scores, "a tutorial prints its scores in lines that begin with SCORE"
    executed = nbformat.read(tmp_path / path.name, as_version=4)
    pictures = [
        mime
        for cell in executed.cells if cell.cell_type == "code"
        for output in cell.outputs if "data" in output
        for mime in output.data if mime.startswith("image/") or mime == "text/html"
    ]
    assert len(pictures) >= 3
    for cell in executed.cells:
        if cell.cell_type == "code":
            for output in cell.outputs:
                if "data" in output:
                    assert "text/plain" in output.data, f"no text beside the picture of {cell.source[:60]!r}"


@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_tutorial_is_committed_with_its_outputs_at_a_sensible_size(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.kernelspec.name == "swath"
    assert path.stat().st_size < 6_000_000
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs, "run scripts/run_notebooks.py --in-place"
    assert not [output for output in outputs if output.output_type == "error"]


@pytest.mark.parametrize("name", ["01_first_map", "03_object_detection"])
def test_a_tutorial_for_beginners_is_short(name):
    notebook = nbformat.read(ROOT / "notebooks" / f"{name}.ipynb", as_version=4)
    assert len([cell for cell in notebook.cells if cell.cell_type == "code"]) <= 15
