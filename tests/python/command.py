"""The command `swath` as a batch job calls it, and the folders in which files that showed a fault are kept."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy
from hypothesis import HealthCheck, note, settings

ROOT = Path(__file__).resolve().parents[2]
# The environment's own, or another to be tried; SWATH_LIB_DIR names another library, as it does for the kernel.
SWATH = os.environ.get("SWATH") or str(Path(sys.prefix) / "bin" / "swath")
KEPT = Path(os.environ.get("SWATH_KEPT", ROOT / "out" / "oracles"))
# More examples than `make test` has time for: SWATH_ORACLE_TIMES=20 pytest tests/python/test_oracles.py
TIMES = float(os.environ.get("SWATH_ORACLE_TIMES", "1"))


def examples(count: int) -> settings:
    """The same examples on every machine, without a limit of time for each: cold disks are slow."""
    return settings(
        max_examples=max(1, round(count * TIMES)),
        derandomize=True,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )


def info(*words, cwd: Path | None = None) -> list[dict]:
    """What `swath info --json` says of each file, errors included."""
    # The cache of statistics must not answer for a file of an earlier example.
    environment = os.environ | {"SWATH_CACHE": str(KEPT / "cache")}
    done = subprocess.run([SWATH, "info", "--json", *map(str, words)], capture_output=True, text=True, cwd=cwd,
                          env=environment, timeout=300)
    assert done.returncode in (0, 1), f"swath info {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    text = done.stdout.strip()
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def one(*words, **options) -> dict:
    """The facts of one file; an error fails the test."""
    (facts,) = info(*words, **options)
    assert "error" not in facts, f"{facts['error']} (hint: {facts.get('hint')})"
    return facts


def arrays(folder: Path) -> tuple[numpy.ndarray, numpy.ndarray, numpy.ndarray | None]:
    """What `--arrays` wrote: values `[bands, height, width]`, validity and labels `[height, width]`."""
    labels = folder / "labels.npy"
    return (
        numpy.load(folder / "values.npy"),
        numpy.load(folder / "valid.npy").astype(bool),
        numpy.load(labels) if labels.exists() else None,
    )


@contextmanager
def kept(name: str, recipe: object):
    """A folder for the files of one example, kept when the example fails: of the shrunk one in the end."""
    folder = KEPT / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    except BaseException:
        note(f"files kept in {folder}: {sorted(path.name for path in folder.iterdir())}\nmade by {recipe}")
        (folder / "recipe.txt").write_text(f"{recipe}\n")
        raise
    shutil.rmtree(folder, ignore_errors=True)


def said(facts: dict) -> str:
    """All that a person is told beside the figures: notices, or the error with its hint."""
    notices = [f"{notice['kind']}: {notice['text']} ({notice['about']}); {notice['next']}" for notice in facts.get("report", [])]
    return "\n".join([*notices, facts.get("error", ""), facts.get("hint") or ""])
