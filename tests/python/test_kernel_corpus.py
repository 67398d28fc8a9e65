"""Cells of ordinary Rust against the plain program that they stand for: same text, same values.

Every file of `tests/corpus` is a session. All plain programs are one crate, compiled once by the kernel's own toolchain.
"""

import json
import os
import subprocess
from pathlib import Path

import plain_rust
import pytest

from harness import PATIENCE, Cell

CORPUS = Path(__file__).resolve().parent.parent / "corpus"
SESSIONS = {path.stem: plain_rust.cells_of(path.read_text()) for path in sorted(CORPUS.glob("*.cells"))}


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    source = folder / "corpus.rs"
    source.write_text(plain_rust.program(SESSIONS))
    compiler = subprocess.run(
        ["rustc", "--edition", "2024", "-C", "opt-level=0", "-C", "debug-assertions=on", "-C", "debuginfo=0",
         "-o", folder / "corpus", source],
        capture_output=True, text=True, timeout=600, cwd=CORPUS.parent.parent,
    )
    assert compiler.returncode == 0, compiler.stderr[-6000:]
    return folder / "corpus"


def test_the_corpus_has_two_hundred_cells() -> None:
    assert sum(len(cells) for cells in SESSIONS.values()) >= 200


@pytest.mark.parametrize("name", SESSIONS)
def test_cells_say_what_the_plain_program_says(name, plain, kernel) -> None:
    environment = {**os.environ, "RUST_BACKTRACE": "0"}
    ran = subprocess.run([plain, name], capture_output=True, text=True, timeout=60 * PATIENCE, env=environment)
    wanted = plain_rust.said(ran.stdout, ran.stderr)
    assert ran.returncode == 0 and len(wanted) == len(SESSIONS[name]), ran.stderr[-2000:]
    kernel.ok("%reset", seconds=60)
    differences = []
    for number, (source, want) in enumerate(zip(SESSIONS[name], wanted), 1):
        difference = judge(kernel.run(source.code, seconds=120), source, want)
        if difference:
            differences.append(f"cell {number}:\n{source.code}\n{difference}")
    assert not differences, f"{len(differences)} of {len(wanted)} cells differ\n\n" + "\n\n".join(differences)


def judge(cell: Cell, source: plain_rust.Cell, want: plain_rust.Said) -> str:
    """How the kernel's answer differs from what is wanted; empty when it does not."""
    if source.refusal:
        fits = cell.status == "error" and source.refusal in cell.everything()
        return "" if fits else f"wanted {source.refusal!r}\nfound {cell.status} {cell.everything()[-1500:]}"
    if want.value.startswith("Err("):
        # A cell that ends in an `Err` fails with what is inside.
        fits = cell.status == "error" and want.value in {f"Err({text})" for text in inside(cell.error["evalue"])}
        return "" if fits and cell.stdout == want.stdout else f"wanted {want}\nfound {cell.status} {cell.everything()[-1500:]}"
    same = cell.status == "ok" and (cell.stdout, cell.text) == (want.stdout, want.value)
    if same and (not want.stderr or told(want.stderr) == told(cell.stderr)):
        return ""
    return f"wanted {want}\nfound {cell.status} {cell.everything()[-1500:]}"


def inside(text: str) -> list[str]:
    """How `{:?}` may write an error whose own text this is: as that text, or as a string."""
    return [text, json.dumps(text, ensure_ascii=False)]


def told(stderr: str) -> list[str]:
    """The lines of stderr without those that a panic writes: places and threads are the kernel's own there."""
    lines = stderr.splitlines()
    panics = {index + offset for index, line in enumerate(lines) if "panicked at" in line for offset in (0, 1, 2)}
    return [line for index, line in enumerate(lines) if index not in panics and line and not line.startswith("note: ")]
