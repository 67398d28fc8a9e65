"""`swath data mirror` and a machine without network: copies that everybody reads, and errors that do not wait for an answer."""

import json
import os
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from command import ROOT, SWATH

RECIPE = next(recipe for recipe in json.loads((ROOT / "src/data/recipes.json").read_text()) if recipe["name"] == "spacenet-atlanta")


def swath(*words, umask: int = -1, **environment) -> subprocess.CompletedProcess:
    clean = {name: value for name, value in os.environ.items() if name not in ("SWATH_MIRROR", "SWATH_OFFLINE", "SWATH_CACHE")}
    return subprocess.run([SWATH, *map(str, words)], capture_output=True, text=True, timeout=120, umask=umask,
                          env=clean | {name: str(value) for name, value in environment.items()})


@pytest.fixture
def cache(tmp_path) -> Path:
    """A user's cache in which one data set lies as `swath data fetch` leaves it, readable by nobody else."""
    folder = tmp_path / "cache" / "data" / RECIPE["name"]
    folder.mkdir(parents=True)
    files = ["atlanta.tif", "atlanta.geojson"]
    for name in files:
        (folder / name).write_text(f"bytes of {name}")
        (folder / name).chmod(0o600)
    manifest = {"format": 1, "license": RECIPE["license"], "credit": RECIPE["credit"], "version": RECIPE["source"]["sha256"], "files": files}
    (folder / "swath-dataset.json").write_text(json.dumps(manifest))
    folder.chmod(0o700)
    return tmp_path / "cache"


def test_a_mirror_is_read_by_others_in_place(cache, tmp_path):
    mirror, name = tmp_path / "shared" / "swath", RECIPE["name"]
    done = swath("data", "mirror", mirror, name, umask=0o077, SWATH_CACHE=cache)
    assert done.returncode == 0, done.stderr
    assert f"{name}: {mirror / 'data' / name}" in done.stdout and f"SWATH_MIRROR={mirror}" in done.stdout
    for path in (mirror / "data").rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o755 if path.is_dir() else 0o644), (path, oct(mode))
    # Another user, whose cache is empty, without a network.
    own = tmp_path / "own"
    done = swath("data", "fetch", name, SWATH_CACHE=own, SWATH_MIRROR=mirror, SWATH_OFFLINE=1)
    assert done.returncode == 0 and f"in {mirror / 'data' / name}" in done.stdout, done.stderr
    assert not (own / "data").exists(), "nothing is copied"
    # A second time nothing changes, and a damaged copy is made anew.
    before = (mirror / "data" / name / "atlanta.tif").stat().st_mtime_ns
    swath("data", "mirror", mirror, name, SWATH_CACHE=cache)
    assert (mirror / "data" / name / "atlanta.tif").stat().st_mtime_ns == before
    (mirror / "data" / name / "atlanta.tif").unlink()
    assert swath("data", "mirror", mirror, name, SWATH_CACHE=cache).returncode == 0
    assert (mirror / "data" / name / "atlanta.tif").read_text() == "bytes of atlanta.tif"


def test_several_people_mirror_at_once(cache, tmp_path):
    mirror, name = tmp_path / "shared", RECIPE["name"]
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(lambda _: swath("data", "mirror", mirror, name, SWATH_CACHE=cache), range(4)))
    assert [done.returncode for done in ended] == [0] * 4, [done.stderr for done in ended]
    assert [path.name for path in (mirror / "data").iterdir()] == [name]
    assert (mirror / "data" / name / "atlanta.geojson").read_text() == "bytes of atlanta.geojson"


@pytest.mark.parametrize(
    "words",
    [["data", "fetch", "banepa"], ["data", "fetch", "eurosat-rgb"], ["data", "search", "naip", "-o", "found.json", "--bbox", "1,2,3,4"],
     ["data", "mirror", "shared", "torchvision/resnet18"]],
    ids=" ".join,
)
def test_without_a_network_nothing_is_waited_for(words, tmp_path):
    began = time.monotonic()
    done = swath(*words, SWATH_CACHE=tmp_path / "cache", SWATH_OFFLINE=1)
    assert done.returncode == 1 and "SWATH_OFFLINE forbids to download it" in done.stderr, done.stderr
    assert time.monotonic() - began < 10
    hint = done.stderr.split("hint: ")[1]
    assert ("swath data mirror" in hint) == ("search" not in words), hint
    # 0 and nothing are no wish: the network is asked, through a Python that is not there.
    for value in ("0", ""):
        done = swath(*words, SWATH_CACHE=tmp_path / "cache", SWATH_OFFLINE=value, SWATH_PYTHON="/nowhere/python3")
        assert "SWATH_OFFLINE" not in done.stderr, done.stderr


def test_a_name_that_is_none_is_told_before_anything_is_fetched(tmp_path):
    done = swath("data", "mirror", tmp_path / "shared", "banepa", "eurosat-rbg", SWATH_CACHE=tmp_path / "cache", SWATH_OFFLINE=1)
    assert done.returncode == 1 and "eurosat-rgb" in done.stderr and not (tmp_path / "shared").exists(), done.stderr
