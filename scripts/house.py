"""The house in numbers: lines, floors, arrows that go up, circles of folders, blocks written twice.

    python scripts/house.py [FOLDER]    FOLDER is a checkout, this one unless said

Tests are left out everywhere (files named so, and modules behind `#[cfg(test)]`). A block counts as written twice when eight
lines in a row, without blank lines, comments and lone brackets, stand in two places word for word.
"""

import collections
import importlib.util
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
ROOTS = ["src", "kernel/src", "cpu/src", "boxes/src", "link/src", "cli/src"]
IS_TEST = re.compile(r"(?:^|[_/])(?:tests?|oracle|parity)(?:\.rs|/|$)")
BLOCK = 8


def code(path: Path) -> str:
    """The text of a file without its tests."""
    return re.split(r"#\[cfg\(test\)\]\s*(?:#\[.*?\]\s*)*(?:pub(?:\([a-z]+\))? )?mod \w+ \{", path.read_text(encoding="utf-8"), flags=re.S)[0]


def files() -> list[Path]:
    found = [path for root in ROOTS for path in sorted((ROOT / root).rglob("*.rs"))]
    return [path for path in found if not IS_TEST.search(str(path.relative_to(ROOT)))]


def arrows(root: Path) -> set[tuple[str, str]]:
    """Which folder of `root` uses which."""
    folders = {path.name.removesuffix(".rs") for path in root.iterdir()} - {"lib", "main", "prelude", "error", "aliases"}
    found = set()
    for path in files():
        if root not in path.parents:
            continue
        own = path.relative_to(root).parts[0].removesuffix(".rs")
        for used in re.findall(r"\bcrate::(\{[^;]*?\}|\w+)", re.sub(r"//.*", "", code(path))):
            names = re.findall(r"[{,]\s*(\w+)", used) if used.startswith("{") else [used]
            found |= {(own, name) for name in names if name in folders and own in folders and name != own}
    return found


def circles(edges: set[tuple[str, str]]) -> list[set[str]]:
    """Sets of folders that reach each other."""
    reach: dict[str, set[str]] = collections.defaultdict(set)
    for one, other in edges:
        reach[one].add(other)
    for middle in list(reach):
        for one in list(reach):
            if middle in reach[one]:
                reach[one] |= reach[middle]
    reach = dict(reach)
    found = {frozenset({one} | {other for other in reach[one] if one in reach.get(other, ())}) for one in reach if one in reach[one]}
    return sorted((set(circle) for circle in found), key=len)


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


def up(heading: str) -> tuple[int, int]:
    """Floors in ARCHITECTURE's table, and the arrows that still go up as it admits (which a test compares with the code)."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = re.search(rf"^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", text, re.S | re.M)
    if not section:
        return 0, 0
    rows = re.findall(r"^\| (\d+) \|", section[1], re.M)
    return len(rows), len(set(re.findall(r"`(\w+)` → `(\w+)`", section[1])))


lines = {root: sum(code(path).count("\n") for path in files() if (ROOT / root) in path.parents) for root in ROOTS if (ROOT / root).exists()}
print(f"lines without tests: {sum(lines.values())} ({', '.join(f'{root} {count}' for root, count in lines.items())})")
print(f"files over 800 lines: {sum(path.read_text(encoding='utf-8').count(chr(10)) > 800 for path in files())}")
print(f"blocks of {BLOCK} lines and more written twice: {doubles()}")
for root in ("src", "kernel/src"):
    floors, climbing = up(f"Floors of `{root}`")
    found = circles(arrows(ROOT / root))
    print(f"{root}: {floors} floors, {climbing} arrows up, circles of folders: {', '.join(' '.join(sorted(circle)) for circle in found) or 'none'}")
