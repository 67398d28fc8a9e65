"""A newcomer's mistakes, each answered with the next step: the table is in mistakes.py."""

import re

import pytest

from harness import Kernel
from mistakes import GROUPS

# Words of code that nobody typed.
GENERATED = ["__swath", "swath::rt", "run_user_code", "evcxr_display", "in a closure that returns", "CellError", "consider using `--verbose`"]
COLOR = re.compile(r"\x1b\[[0-9;]*m")


def test_there_are_a_hundred():
    assert sum(len(mistakes) for _, mistakes in GROUPS.values()) >= 100


@pytest.mark.parametrize("group", GROUPS)
def test_mistakes_are_answered(group, tmp_path):
    setup, mistakes = GROUPS[group]
    kernel = Kernel(cwd=tmp_path)
    wrong = []
    try:
        for cell in setup:
            kernel.ok(cell)
        for code, name, words in mistakes:
            cell = kernel.run(code, seconds=120)
            if words is None:
                continue
            text = COLOR.sub("", cell.everything())
            found = cell.error["ename"] if cell.status == "error" else None
            missing = [word for word in words if word not in text]
            shown = [word for word in GENERATED if word in text]
            if missing or shown or (found or "None") not in (name or "None").split("|"):
                wrong.append(f"{code!r}: {found} (wanted {name}), without {missing}, with {shown}:\n{text[:1500]}")
    finally:
        kernel.close()
    assert not wrong, f"{len(wrong)} of {len(mistakes)}:\n" + "\n".join(wrong)
