"""Every line of docs/from-python.md, run in the kernel from top to bottom."""

import re
from pathlib import Path

from harness import Kernel

PAGE = Path(__file__).parents[2] / "docs" / "from-python.md"
ROW = re.compile(r"^\| (.+?) \| (.+) \|$")
CODE = re.compile(r"`([^`]+)`")
# Two steps instead of twelve epochs.
SHORTER = [("FitOptions::epochs(12)", "FitOptions::steps(2)"), (".batch(4)", ".batch(2)")]
# The last row needs the network of crates.io.
LEFT_OUT = "%pip install"


def lines() -> list[tuple[str, str]]:
    rows = [ROW.match(line) for line in PAGE.read_text().splitlines()]
    found = [(row[1], CODE.search(row[2])[1].replace("\\|", "|")) for row in rows if row and row[1] not in ("Python", "---") and "---" not in row[1]]
    return [(python, rust) for python, rust in found if LEFT_OUT not in python]


def test_there_are_forty():
    assert len(lines()) >= 40


def test_every_line_runs(tmp_path):
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok('let town = samples::town_in(".", 1, 256)?;\nstd::fs::rename(&town.scene_path, "town.tif")?; '
                  'std::fs::rename(&town.labels_path, "town.gpkg")?;', seconds=120)
        wrong = []
        for python, rust in lines():
            for long, short in SHORTER:
                rust = rust.replace(long, short)
            cell = kernel.run(rust, seconds=300)
            if cell.status != "ok":
                wrong.append(f"{python}\n    {rust}\n{cell.everything()[-800:]}")
            elif not rust.rstrip().endswith((";", "}")) and "%" not in rust:
                assert cell.of("execute_result") or cell.of("display_data"), rust
        assert not wrong, f"{len(wrong)} lines:\n" + "\n".join(wrong)
        for file in ("houses.swath", "houses.shp", "houses.csv", "out/labels.tif"):
            assert (tmp_path / file).exists(), file
