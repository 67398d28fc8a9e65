"""The table of features names a test for each promise: all of them exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Names of packages look like names of tests.
PACKAGES = {"efficientnet_lite_pytorch", "segmentation_models_pytorch"}
FOLDERS = ["src", "kernel", "boxes", "cli", "cpu", "tests", "benches", "examples"]


def names_of_tests() -> set[str]:
    found = set()
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".rs", ".py"):
                found.update(re.findall(r"\b(?:fn|def) ([a-z0-9_]+)", path.read_text(encoding="utf-8")))
    return found


def test_each_test_and_file_that_the_features_name_exists():
    text = (ROOT / "docs/features.md").read_text(encoding="utf-8")
    functions, missing = names_of_tests(), []
    checked = 0
    for named in re.findall(r"`([^`\n]+)`", text):
        last = named.split("::")[-1]
        if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+){2,}", last):
            checked += 1
            if last not in functions and last not in PACKAGES:
                missing.append(named)
        elif re.fullmatch(r"(?:src|kernel|boxes|cli|cpu|tests|benches|examples|docs|notebooks)/[\w./-]+", named):
            checked += 1
            if not (ROOT / named).exists():
                missing.append(named)
    assert checked > 100, checked
    assert not missing, missing
