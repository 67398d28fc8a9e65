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
        kernel.folder = folder
        yield kernel


def expansion(kernel, line):
    return kernel.ok(f"%expand {line}").stdout


def test_every_step_by_magic_and_again_by_the_rust_it_stands_for(town):
    steps = [
        town.scene_line,
        "%split 0.75",
        "%chips 8 64 seed=7 show=2",
        "%fit resnet18 steps=2 batch=2 lr=1e-3",
        "%predict",
        "%evaluate",
        f"%map save='{town.folder}/out'",
        "%device cpu",
    ]
    for line in steps:
        rust = expansion(town, line)
        by_magic = town.run(line)
        assert by_magic.status == "ok", f"{line}\n{by_magic.everything()}"
        by_hand = town.run(rust)
        assert by_hand.status == "ok", f"{rust}\n{by_hand.everything()}"
        kinds = [sorted({m["msg_type"] for m in cell.messages if m["msg_type"] == "execute_result"}) for cell in (by_magic, by_hand)]
        assert kinds[0] == kinds[1], f"{line}: shown by one and not by the other: {kinds}"
    assert (town.folder / "out" / "labels.tif").exists()
    variables = town.ok("%who").text
    for name in ("scene", "train", "valid", "chips", "run", "map"):
        assert f"{name} " in variables, variables


def test_several_magics_and_rust_share_a_cell(town):
    cell = town.ok(f"{town.scene_line} as=again\nlet width = again.size().0;\n!echo from the shell\nwidth")
    assert cell.text == "256"
    assert cell.stdout == "from the shell\n"


def test_a_timed_magic_keeps_its_variable(town):
    cell = town.ok(f"%time {town.scene_line} as=timed")
    assert "wall time" in cell.stdout
    assert town.ok("timed.size().0").text == "256"
