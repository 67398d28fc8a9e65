"""The house in numbers: lines, floors, arrows that go up by the sources, circles of folders, blocks written twice.

    python scripts/house.py [FOLDER]    FOLDER is a checkout, this one unless said

Tests are left out everywhere (files named so, and modules behind `#[cfg(test)]`). A block counts as written twice when eight
lines in a row, without blank lines, comments and lone brackets, stand in two places word for word.
"""

import collections
import re
import sys
from pathlib import Path

from layers import Floors, circles, uses

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
ROOTS = ["src", "kernel/src", "cpu/src", "boxes/src", "link/src", "cli/src"]
IS_TEST = re.compile(r"(?:^|[_/])(?:tests?|oracle|parity)(?:\.rs|/|$)")
INLINE_TESTS = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[.*?\]\s*)*(?:pub(?:\([a-z]+\))? )?mod \w+ \{", re.S)
BLOCK = 8


def code(path: Path) -> str:
    """The text of a file without its tests."""
    return INLINE_TESTS.split(path.read_text(encoding="utf-8"))[0]


def files() -> list[Path]:
    found = [path for root in ROOTS for path in sorted((ROOT / root).rglob("*.rs"))]
    return [path for path in found if not IS_TEST.search(str(path.relative_to(ROOT)))]


def doubles() -> int:
    """Blocks written twice: maximal runs of equal lines, each pair of places once."""
    places: dict[int, list[tuple[int, int]]] = collections.defaultdict(list)
    texts = []
    for number, path in enumerate(files()):
        lines = [re.sub(r"//.*", "", line).strip() for line in code(path).splitlines()]
        lines = [line for line in lines if re.search(r"\w", line) and not line.startswith(("use ", "#["))]
        texts.append(lines)
        for start in range(len(lines) - BLOCK + 1):
            places[hash(tuple(lines[start:start + BLOCK]))].append((number, start))
    pairs = {(one, other) for where in places.values() if len(where) <= 20 for one in where for other in where if one < other}
    return sum(((one[0], one[1] - 1), (other[0], other[1] - 1)) not in pairs for one, other in pairs)


lines = {
    root: sum(code(path).count("\n") for path in files() if (ROOT / root) in path.parents)
    for root in ROOTS if (ROOT / root).exists()
}
print(f"lines without tests: {sum(lines.values())} ({', '.join(f'{root} {count}' for root, count in lines.items())})")
print(f"files over 800 lines: {sum(path.read_text(encoding='utf-8').count(chr(10)) > 800 for path in files())}")
print(f"blocks of {BLOCK} lines and more written twice: {doubles()}")
for root in ("src", "kernel/src"):
    floors, found = Floors(ROOT / "ARCHITECTURE.md", f"Floors of `{root}`"), uses(ROOT / root)
    named = ", ".join(" ".join(sorted(circle)) for circle in circles(found.keys())) or "none"
    print(f"{root}: {len(set(floors.of.values()))} floors, {len(floors.climbing(found))} arrows up, circles of folders: {named}")
