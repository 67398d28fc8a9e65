"""The floors of ARCHITECTURE.md: a folder uses those of its own floor and below, and nothing above but what is written there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# What is beside the floors: the page, the book, the names of every cell, and the one error that names all others.
BESIDE = {"lib", "main", "prelude", "error", "book"}
# Files of tests, which `test_tests.py` finds by the same name.
TESTS = re.compile(r"(?:^|[_/])tests(?:\.rs|/|$)")


def floors(heading: str) -> tuple[dict[str, int], set[tuple[str, str]]]:
    """The floor of each folder, and the arrows that still go up, from the tables under a heading."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", text, re.S | re.M)[1]
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", section, re.M)
    known = {folder: int(floor) for floor, folders in rows for folder in re.findall(r"`(\w+)`", folders)}
    up = set(re.findall(r"`(\w+)` → `(\w+)`", section))
    return known, up


def uses(root: Path) -> dict[tuple[str, str], set[str]]:
    """Which folder uses which, and in which files; tests left out."""
    folders = {path.name.removesuffix(".rs") for path in root.iterdir() if path.suffix in ("", ".rs")}
    found: dict[tuple[str, str], set[str]] = {}
    for path in sorted(root.rglob("*.rs")):
        relative = path.relative_to(root)
        own = relative.parts[0].removesuffix(".rs")
        if TESTS.search(str(relative)):
            continue
        text = re.split(r"#\[cfg\(test\)\]\s*(?:#\[.*?\]\s*)*(?:pub(?:\([a-z]+\))? )?mod \w+ \{", path.read_text(encoding="utf-8"), flags=re.S)[0]
        text = re.sub(r"//.*", "", text)
        for used in re.findall(r"\bcrate::(\{[^;]*?\}|\w+)", text):
            names = re.findall(r"[{,]\s*(\w+)", used) if used.startswith("{") else [used]
            for name in set(names) & folders - {own}:
                found.setdefault((own, name), set()).add(str(relative))
    return found


def check(heading: str, folder: str) -> None:
    known, up = floors(heading)
    found = uses(ROOT / folder)
    names = [path.name for path in (ROOT / folder).iterdir() if path.suffix in ("", ".rs") and not TESTS.search(path.name)]
    here = {name.removesuffix(".rs") for name in names} - BESIDE
    assert known.keys() == here, f"on no floor: {here - known.keys()}; on a floor, and not there: {known.keys() - here}"
    climbing = {
        arrow: files for arrow, files in found.items()
        if not BESIDE & set(arrow) and known[arrow[1]] > known[arrow[0]]
    }
    new = {arrow: files for arrow, files in climbing.items() if arrow not in up}
    assert not new, f"arrows that go up: {new}"
    assert not up - climbing.keys(), f"these go up no more, take them out of the table: {up - climbing.keys()}"


def test_the_library_s_folders_use_what_is_below():
    check("Floors of `src`", "src")


def test_the_kernel_s_folders_use_what_is_below():
    check("Floors of `kernel/src`", "kernel/src")
