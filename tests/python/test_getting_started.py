"""The page for a first map, run in the kernel from top to bottom: its Rust, then "The same with magics", which is the same."""

import re
from pathlib import Path

from harness import Kernel

PAGE = Path(__file__).parents[2] / "docs/getting-started.md"
FENCE = re.compile(r"^```(rust,no_run|text)\n(.*?)^```$", re.S | re.M)
# A smaller town, and one short epoch of a network that needs no file of weights.
SHORTER = [
    ("samples::town(7, 1024)?", 'samples::town_in("drawn", 7, 256)?'),
    ("Chips::random(200, 256)", "Chips::random(8, 64)"),
    ("Unet::efficientnet_lite0()", "Unet::resnet18()"),
    ("FitOptions::epochs(3)", "FitOptions::epochs(1)"),
    ("%chips 200 256 ", "%chips 8 64 "),
    ("%fit epochs=3", "%fit resnet18 epochs=1"),
]


def cells() -> tuple[list[str], list[str]]:
    """The blocks of Rust as people see them, without the hidden lines, and the lines of the block with magics."""
    rust, lines = [], []
    for language, code in FENCE.findall(PAGE.read_text(encoding="utf-8")):
        visible = [line for line in code.splitlines() if not line.startswith("# ")]
        if language == "text":
            lines += visible
        else:
            rust.append("\n".join(visible))
    shorter = [rust, lines]
    for long, short in SHORTER:
        assert any(long in cell for cell in [*rust, *lines]), f"{long} stands no more on the page"
        shorter = [[cell.replace(long, short) for cell in cells] for cells in shorter]
    return shorter[0], shorter[1]


def test_the_page_runs_and_its_magics_come_to_the_scores_of_its_rust(tmp_path):
    rust, lines = cells()
    assert len(rust) >= 6 and sum(line.startswith("%") for line in lines) >= 8
    saved = tmp_path / "out"
    with Kernel(cwd=tmp_path) as kernel:
        for cell in rust:
            kernel.ok(cell, seconds=300)
        scores = kernel.ok("scores").text
        assert "building" in scores and "road" not in scores, scores
        files = sorted(str(path.relative_to(saved)) for path in saved.rglob("*"))
        assert {"houses.swath", "houses/labels.tif"} <= set(files)
        saved.rename(tmp_path / "by rust")
        kernel.ok("drop((scene, houses, train, valid, chips, model, run, map, scores));")
        for line in lines:
            cell = kernel.ok(line, seconds=300)
            if line.startswith("%evaluate"):
                assert cell.text == scores
        assert sorted(str(path.relative_to(saved)) for path in saved.rglob("*")) == files
