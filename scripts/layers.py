"""Which folder of a crate uses which: read from its sources, and compared with the floors of ARCHITECTURE.md."""

import re
from collections.abc import Iterator
from pathlib import Path

from rust_text import TEST_FILE, blanked, end_of_block, without_tests

# What is beside the floors: the page, the book, the names of every cell, and the one error that names all others.
BESIDE = {"lib", "main", "prelude", "error", "book"}
# `crate::name`, `super::super::{…}`: where a path begins.
BEGINNING = re.compile(r"\b(?:crate|super(?:::super)*)::(?=[\w{*])")
INNER_MODULE = re.compile(r"\bmod \w+\s*\{")

Arrow = tuple[str, str]


def own_name(path: Path) -> str:
    return path.name.removesuffix(".rs")


def folders(root: Path) -> set[str]:
    """The folders of a crate, and its files that are modules by themselves."""
    return {own_name(path) for path in root.iterdir() if path.suffix in ("", ".rs") and not TEST_FILE.search(path.name)}


def beginnings(code: str, start: int) -> Iterator[str]:
    """The first names of the path, or of the paths in braces, at `start`."""
    if code[start] != "{":
        yield re.compile(r"\w+|\*").match(code, start)[0]
        return
    depth = 0
    for part in re.compile(r"[{},]|\w+|\*").finditer(code, start, end_of_block(code, start)):
        if part[0] in "{}":
            depth += 1 if part[0] == "{" else -1
            awaited = depth == 1
        elif part[0] == ",":
            awaited = depth == 1
        elif awaited:
            awaited = False
            yield part[0]


def named_at_the_root(relative: Path, text: str) -> set[str]:
    """The names at the crate's root that a file uses outside of tests; `*` when it takes all of them."""
    code = without_tests(blanked(text))
    inner = [(found.end(), end_of_block(code, found.end() - 1)) for found in INNER_MODULE.finditer(code)]
    depth = len(relative.parts) - (relative.name == "mod.rs")
    found = set()
    for path in BEGINNING.finditer(code):
        up = path[0].count("super")
        here = depth + sum(start <= path.start() < end for start, end in inner)
        if up in (0, here):
            found.update(beginnings(code, path.end()))
    return found


def uses(root: Path) -> dict[Arrow, set[str]]:
    """Which folder uses which, and in which files; tests left out."""
    known = folders(root) | {"*"}
    found: dict[Arrow, set[str]] = {}
    for path in sorted(root.rglob("*.rs")):
        relative = path.relative_to(root)
        own = relative.parts[0].removesuffix(".rs")
        if not TEST_FILE.search(relative.as_posix()):
            for name in named_at_the_root(relative, path.read_text(encoding="utf-8")) & known - {own}:
                found.setdefault((own, name), set()).add(str(relative))
    return {arrow: files for arrow, files in found.items() if not BESIDE & set(arrow)}


def circles(arrows: set[Arrow]) -> list[set[str]]:
    """Sets of folders that reach each other."""
    reach: dict[str, set[str]] = {}
    for one, other in arrows:
        reach.setdefault(one, set()).add(other)
    for middle in reach:
        for one in reach:
            if middle in reach[one]:
                reach[one] |= reach[middle]
    found = {frozenset(other for other in reach[one] if one in reach.get(other, ())) for one in reach if one in reach[one]}
    return sorted((set(circle) for circle in found), key=sorted)


class Floors:
    """What ARCHITECTURE.md says under a heading: floors, arrows that still go up, circles and their reasons."""

    def __init__(self, page: Path, heading: str) -> None:
        section = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", page.read_text(encoding="utf-8"), re.S | re.M)
        text = section[1] if section else ""
        rows = re.findall(r"^\| (\d+) \| (.*?) \|", text, re.M)
        self.of = {folder: int(floor) for floor, folders in rows for folder in re.findall(r"`(\w+)`", folders)}
        self.up = set(re.findall(r"`(\w+)` → `(\w+)`", text))
        self.circles = [set(re.findall(r"`(\w+)`", names)) for names in re.findall(r"^- ((?:`\w+`(?:, )?){2,}): \S", text, re.M)]

    def climbing(self, found: dict[Arrow, set[str]]) -> dict[Arrow, set[str]]:
        """The arrows that go up, with their files."""
        return {arrow: files for arrow, files in found.items() if self.of.get(arrow[1], 0) > self.of.get(arrow[0], 0)}
