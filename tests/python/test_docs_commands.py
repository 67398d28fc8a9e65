"""The `swath` commands in the blocks of the book and of the README are understood: without their files they fail, but not
with 2, which is a command line that means nothing."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from command import SWATH

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```sh[ \t]*$(.*?)^```[ \t]*$", re.S | re.M)
# They would change this machine, fetch, draw or wait: with `--help` only their words are looked at.
DOING = {"install", "uninstall", "doctor", "data", "sample", "kernel", "completions", "man"}
NOT_UNDERSTOOD = 2


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"&&|\|\||;", re.split(r" (?:#|>|\|(?!\|))", line)[0]):
                    if part.strip().startswith("swath "):
                        found.append((str(page.relative_to(ROOT)), part.strip()))
    return found


def test_there_are_enough():
    assert len(commands()) >= 20


@pytest.mark.parametrize(("page", "line"), commands(), ids=lambda value: value)
def test_the_command_is_understood(page, line, tmp_path):
    words = shlex.split(line)[1:]
    if words[0] in DOING:
        words = [*words, "--help"]
    done = subprocess.run([SWATH, *words], cwd=tmp_path, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    assert done.returncode != NOT_UNDERSTOOD, f"{page}: {line}\n{done.stderr}"
    assert done.returncode == 0 or words[-1] != "--help", f"{page}: {line}\n{done.stderr}"
