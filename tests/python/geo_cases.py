"""The cells of tests/fixtures/geo/cells.txt, run once in the real kernel for all tests."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from harness import Cell, Kernel

CASES = Path(__file__).resolve().parents[1] / "fixtures" / "geo"


def cells() -> list[tuple[str, str]]:
    """The name of each cell and its code, in order; the first is no case."""
    parts = re.split(r"^#%% (.*)\n", (CASES / "cells.txt").read_text(), flags=re.MULTILINE)[1:]
    return [(name.strip(), code.strip()) for name, code in zip(parts[::2], parts[1::2], strict=True)]


def names() -> list[str]:
    """The cases, each once."""
    return list(dict.fromkeys(case_of(name) for name, _ in cells()[1:]))


def case_of(cell: str) -> str:
    return cell.partition(" ")[0]


@dataclass
class Seen:
    """What a person saw of a case: its cells in order, and the report of the scene that they left."""

    cells: list[Cell] = field(default_factory=list)
    report: str = ""

    @property
    def printed(self) -> str:
        return "\n".join(cell.stdout for cell in self.cells)

    @property
    def ended(self) -> list[tuple[str, str]]:
        """The errors that ended cells: the message and the hint, without the cell's own code between them."""
        errors = [error for cell in self.cells for error in cell.of("error")]
        return [(strip(error["evalue"]), hint_of(error["traceback"])) for error in errors]

    @property
    def errors(self) -> str:
        """All errors: those that ended a cell, with their hints, and those that a cell printed itself."""
        printed = [line for line in self.printed.splitlines() if "ERR " in line]
        return strip("\n".join([f"{message}\n{hint}" for message, hint in self.ended] + printed))

    @property
    def told(self) -> str:
        """Everything that was shown, with the report, without the code of the cells."""
        shown = [self.printed, self.errors, self.report]
        for cell in self.cells:
            shown.append(cell.stderr)
            shown += [str(value) for kind in ("execute_result", "display_data", "update_display_data")
                      for content in cell.of(kind) for key, value in content["data"].items() if key.startswith("text/")]
        return strip("\n".join(shown))

    def says(self, *words: str) -> bool:
        """Whether errors and notices together hold all of these words, whatever their capitals. A word may be several of
        which one is enough, with `|` between them."""
        return holds(f"{self.errors}\n{self.report}", words)

    def shows(self, *words: str) -> bool:
        """As `says`, in everything that was shown: the picture's legend and what a training said, too."""
        return holds(self.told, words)

    def prints(self, *texts: str) -> bool:
        return all(text in self.printed for text in texts)

    def __str__(self) -> str:
        return f"status {[cell.status for cell in self.cells]}\nprinted {self.printed}\nerrors {self.errors}\nreport {self.report}"


def holds(text: str, words: tuple[str, ...]) -> bool:
    text = text.lower()
    return all(any(one in text for one in word.lower().split("|")) for word in words)


def hint_of(traceback: list[str]) -> str:
    _, mark, hint = strip("\n".join(traceback)).partition("= help:")
    return hint.strip() if mark else ""


def strip(text: str) -> str:
    """Without colors, the pictures' own bytes, and the folders of the files, whose names say what is wrong with them."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    text = re.sub(r"data:image/[a-z+]*;base64,[A-Za-z0-9+/=]*", "", text)
    return re.sub(rf"{re.escape(str(CASES))}/[^/\s]*/", "", text)


def walk(scratch: Path) -> dict[str, Seen]:
    """Runs every cell. One that goes on with the variables of the cell before is run only when that went well."""
    seen: dict[str, Seen] = {name: Seen() for name in names()}
    with Kernel(cwd=scratch) as kernel:
        (_, prelude), *rest = cells()
        kernel.ok(prelude, seconds=120)
        for name, code in rest:
            case = seen[case_of(name)]
            if "Scene::open" not in code and any(cell.status != "ok" for cell in case.cells):
                continue
            cell = kernel.run(code.replace("CASES", str(CASES)).replace("SCRATCH", str(scratch)), seconds=240)
            case.cells.append(cell)
            if cell.status == "ok" and "let s = " in code and not case.report:
                asked = kernel.ok('println!("{}", s.report());', seconds=60)
                case.report = strip(asked.stdout.strip())
            assert kernel.manager.is_alive(), f"the kernel died of {name}"
    return seen
