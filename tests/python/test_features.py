"""The table of features names what proves each promise: tests that are run, and files that hold some."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from rust_text import OF_TESTS, TEST, blanked  # noqa: E402

FOLDERS = ["src", "tests", *sorted(manifest.parent.name for manifest in ROOT.glob("*/Cargo.toml"))]
ROW = re.compile(r"^\| (.+) \| (.+) \|$", re.M)
NAMED = re.compile(r"`([^`\n]+)`")
PATH = re.compile(r"(?:\w+/)+[\w./{},-]*")
# Files that prove by being compiled and run whole.
RUN_WHOLE = {"src/book.rs", "examples/town_cars.rs"}


def names_of_tests() -> set[str]:
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.rs"):
            found.update(TEST.findall(blanked(path.read_text(encoding="utf-8"))))
    for path in (ROOT / "tests/python").glob("test_*.py"):
        found.update(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    return found


def paths(named: str) -> list[str]:
    """`src/{a,b}.rs` means two files."""
    braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", named)
    return [braces[1] + part + braces[3] for part in braces[2].split(",")] if braces else [named]


def wrong(proofs: str, tests: set[str]) -> list[str]:
    """The names in backticks that prove nothing: no test, no file with tests, no list in the file that is named before."""
    found, file = [], ROOT
    for named in NAMED.findall(proofs):
        if named.startswith("make "):
            continue
        if PATH.fullmatch(named):
            for path in paths(named):
                file = ROOT / path
                text = file.read_text(encoding="utf-8") if file.suffix == ".rs" and file.exists() else "#[test] fn a"
                if not file.exists() or path not in RUN_WHOLE and not (TEST.search(text) or OF_TESTS.search(text)):
                    found.append(path)
        elif named.isupper():
            if not file.is_file() or not re.search(rf"^{named} = ", file.read_text(encoding="utf-8"), re.M):
                found.append(named)
        elif named not in tests:
            found.append(named)
    return found


def test_each_promise_of_the_features_is_proven_by_what_is_named():
    tests = names_of_tests()
    assert len(tests) > 1300, len(tests)
    page = (ROOT / "docs/features.md").read_text(encoding="utf-8")
    everywhere = [path for named in NAMED.findall(page) if PATH.fullmatch(named) for path in paths(named)]
    gone = [path for path in everywhere if not (ROOT / path).exists()]
    assert not gone, gone
    rows = [row for row in ROW.findall(page) if set(row[0]) - set("-|")]
    assert len(rows) > 100, len(rows)
    missing = {promise: names for promise, proofs in rows if (names := wrong(proofs, tests))}
    assert not missing, missing
    named = sum(name in tests for _, proofs in rows for name in NAMED.findall(proofs))
    assert named > 100, named


def test_what_is_no_test_proves_nothing():
    tests = {"a_test"}
    assert not wrong("`src/book.rs`, `a_test`, `make test`, `tests/python/mistakes.py`: `VALUES`", tests)
    for proofs in ["unseen", "a_test_that_is_none", "src/prelude.rs", "src/none.rs", "src/{book,none}.rs", "VALUES"]:
        assert wrong(f"`{proofs}`, `a_test`", tests), proofs
