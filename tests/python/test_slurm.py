"""`swath submit` on a real Slurm (slurm.py): a training that is preempted, warned at its time limit and finished; an array of which
a task is killed; what Slurm refuses; a job of a cell."""

from __future__ import annotations

import getpass
import json
import os
import re
import shutil
import struct
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window

import slurm
from command import SWATH
from harness import Kernel

ABSENT = slurm.missing()
pytestmark = pytest.mark.skipif(bool(ABSENT), reason=f"needs Slurm, which cannot be installed here: {', '.join(ABSENT)}")

# Tile edges, so that equal numbers of tiles are no equal work.
EDGES = (48, 96, 64)


@pytest.fixture(scope="module")
def cluster():
    with slurm.Slurm() as cluster:
        yield cluster


def swath(cluster: slurm.Slurm, *words, cwd: Path, code: int = 0, program: str = SWATH, **options) -> str:
    done = cluster.run(program, *map(str, words), cwd=cwd, check=False, **options)
    told = done.stdout + done.stderr
    assert done.returncode == code, f"swath {words}: {done.returncode}\n{told}"
    return told


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """A drawn town with labels, twelve tiles of it, and a project to train on it."""
    folder = tmp_path_factory.mktemp("town")
    subprocess.run([SWATH, "sample", "town", "--out", folder, "--size", "288", "--seed", "3"], check=True, capture_output=True)
    [image], [labels] = folder.glob("*.tif"), [*folder.glob("*.gpkg"), *folder.glob("*.geojson")][:1]
    (folder / "tiles").mkdir()
    with rasterio.open(image) as source:
        for number in range(12):
            edge = EDGES[number % 3]
            window = Window(number % 4 * 60, number // 4 * 80, edge, edge)
            profile = source.profile | {"width": edge, "height": edge, "transform": source.window_transform(window)}
            for key in ("blockxsize", "blockysize", "tiled"):
                profile.pop(key, None)
            with rasterio.open(folder / "tiles" / f"t{number + 1:02}.tif", "w", **profile) as tile:
                tile.write(source.read(window=window))
    (folder / "town.toml").write_text(f"""
[scenes]
files = "{image.name}"
[labels]
file = "{labels.name}"
class = "class"
[chips]
count = 200
size = 64
seed = 7
[network]
architecture = "unet"
encoder = "resnet18"
pretrained = false
[fit]
steps = 6
batch = 2
""")
    return folder


def tensors(bundle: Path) -> dict[str, bytes]:
    """The weights of a model: a bundle is a safetensors file, whose header says where each tensor lies."""
    data = bundle.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    start = 8 + length
    return {name: data[start + about["data_offsets"][0] : start + about["data_offsets"][1]] for name, about in header.items()}


@pytest.fixture(scope="module")
def bundle(town) -> Path:
    """A small model, and with it the seconds that a step takes on one processor."""
    took = []
    for steps in (6, 26):
        began = time.monotonic()
        done = subprocess.run([SWATH, "train", "town.toml", "--quiet", "--fresh", "--set", f"fit.steps={steps}"], cwd=town,
                              capture_output=True, text=True, env=os.environ | {"RAYON_NUM_THREADS": "1"})
        assert done.returncode == 0, done.stderr
        took.append(time.monotonic() - began)
    (town / "seconds").write_text(str(max(0.005, (took[1] - took[0]) / 20)))
    return town / "town.swath"


def submitted(told: str) -> list[str]:
    """The numbers of the jobs that were submitted."""
    return re.findall(r"^job (\d+): ", told, re.M)


def test_a_training_is_preempted_warned_and_finished_with_the_same_weights(cluster, town, bundle):
    seconds = float((town / "seconds").read_text())
    # Longer than the time until the warning, which comes 30 to 90 s after the start, on whatever machine this is.
    steps = max(40, round(120 / seconds))
    for name in ("whole", "stopped"):
        text = (town / "town.toml").read_text().replace("steps = 6", f"steps = {steps}")
        (town / f"{name}.toml").write_text(text)
    ask = ("--progress", 2, "--cpus-per-task", 1, "--mem", "1500M")
    whole = swath(cluster, "submit", "train", "whole.toml", *ask, "--time", 30, cwd=town)
    stopped = swath(cluster, "submit", "train", "stopped.toml", *ask, "--time", 2, "--warn", 30, "--partition", "spare", cwd=town)
    [reference], [job] = submitted(whole), submitted(stopped)
    log = town / "swath-jobs" / f"train-stopped-{job}.log"
    checkpoint = town / "stopped.checkpoints" / "training.safetensors"
    cluster.wait(job, "RUNNING", seconds=60)
    # Both run: two tasks at a time.
    assert cluster.wait(reference, "RUNNING", seconds=60) == "RUNNING"
    cluster.until("it trains", lambda: log.is_file() and re.search(r"step [1-9]\d* of", log.read_text()), 120)
    # A job that goes first takes the processor away.
    urgent = cluster.run("sbatch", "--parsable", "--mem=100M", "--time=1", "--output=/dev/null", "--wrap=sleep 1", cwd=town).stdout.strip()
    cluster.until("the job gives way", lambda: cluster.facts(job).get("Restarts") == "1", 60)
    cluster.until("a checkpoint", checkpoint.is_file, 40)
    cluster.wait(urgent, "COMPLETED", seconds=60)
    # Then its time limit, of which it is warned.
    cluster.until("the job is queued again", lambda: cluster.facts(job).get("Restarts") == "2", 300)
    assert "the time limit is near" in log.read_text()
    state = cluster.wait(job, "COMPLETED", "FAILED", "TIMEOUT", "CANCELLED", seconds=420)
    assert state == "COMPLETED", log.read_text()
    assert cluster.wait(reference, "COMPLETED", "FAILED", seconds=420) == "COMPLETED"
    text = log.read_text()
    assert text.count(": start ") >= 3 and "ended with 0" in text, text
    ours, theirs = tensors(town / "stopped.swath"), tensors(town / "whole.swath")
    assert ours.keys() == theirs.keys() and len(ours) > 50
    different = [name for name in ours if ours[name] != theirs[name]]
    assert not different, f"{len(different)} of {len(ours)} tensors differ, such as {different[:3]}\n{text}"


def test_an_array_of_which_a_task_is_killed_is_restarted_and_joined(cluster, town, bundle):
    command = ("submit", "predict", bundle, "tiles", "-o", "maps", "--labels", next(iter(town.glob("*.gpkg"))).name, "--class", "class",
               "--tasks", 6, "--cpus-per-task", 1, "--mem", "1000M", "--time", 10)
    told = swath(cluster, *command, "--setup", '[ "${SLURM_ARRAY_TASK_ID:-}" != 3 ] || sleep 60', cwd=town)
    assert "12 scenes, of which 0 are finished: 12 in 6 tasks" in told
    array, join = submitted(told)
    script = (town / "swath-jobs" / "predict-town.sh").read_text()
    plan = json.loads(Path(re.search(r"--plan (\S+)", script)[1]).read_text())
    # Equal work: no part has more than the mean and the largest tile.
    pixels = [part["pixels"] for part in plan["parts"]]
    assert sum(pixels) == sum(EDGES[n % 3] ** 2 for n in range(12)) and max(pixels) - min(pixels) <= max(EDGES) ** 2
    killed = plan["parts"][2]["scenes"]
    assert killed
    cluster.wait(f"{array}_3", "RUNNING", seconds=90)
    cluster.run("scancel", f"{array}_3")
    cluster.wait(f"{array}_3", "CANCELLED", seconds=60)
    assert cluster.wait(join, "COMPLETED", "FAILED", seconds=120) == "FAILED"
    states = cluster.jobs()
    assert [states[f"{array}_{n}"] for n in (1, 2, 4, 5, 6)] == ["COMPLETED"] * 5
    log = (town / "swath-jobs" / f"predict-town-join-{join}.log").read_text()
    assert f"missing: {', '.join(killed)}\n" in log and f"{len(killed)} of 12 scenes could not be joined" in log, log
    before = {path: path.stat().st_mtime_ns for path in (town / "maps").glob("t*/labels.tif")}
    assert len(before) == 12 - len(killed)
    # The same command again does what is missing, and nothing else; this time it is followed.
    told = swath(cluster, *command, "--follow", cwd=town)
    assert f"12 scenes, of which {12 - len(killed)} are finished: {len(killed)} in {len(killed)} tasks" in told
    assert "all 12 scenes are predicted" in told and told.rstrip().endswith("completed")
    for path, changed in before.items():
        assert path.stat().st_mtime_ns == changed, f"{path} was predicted again"
    assert len([*(town / "maps").glob("t*/labels.tif")]) == 12
    # The joined map is that of the tiles, the later over the earlier, and the scores are those of all.
    with rasterio.open(town / "maps/joined/labels.tif") as joined:
        found, place = joined.read(1), joined.transform
    expected = np.full(found.shape, 255, np.uint8)
    for tile in sorted((town / "maps").glob("t*/labels.tif")):
        with rasterio.open(tile) as one:
            col, row = (round(value) for value in ~place * (one.transform.c, one.transform.f))
            expected[row : row + one.height, col : col + one.width] = one.read(1)
    assert (found == expected).all()
    scores = json.loads((town / "maps/scores.json").read_text())
    assert len(scores["scenes"]) == 12 and scores["pooled"]
    # Nothing is left: only the results are joined.
    told = swath(cluster, *command, "--dry-run", cwd=town)
    assert "--array" not in told and "--join" in told


def test_what_slurm_refuses_is_told_in_its_words_with_a_way_on(cluster, town, tmp_path):
    words = ("submit", "evaluate", "map.tif", "scene.tif", "--labels", "l.gpkg", "--class", "a")
    told = swath(cluster, *words, "--time", "5:00:00", cwd=tmp_path, code=1)
    assert "Slurm does not take the job: Requested time limit is invalid" in told and "sinfo" in told
    told = swath(cluster, *words, "--gres", "gpu:h100:1", cwd=tmp_path, code=1)
    assert "Slurm does not take the job: " in told and "hint: " in told and "--gres" in told
    told = swath(cluster, *words, "--partition", "nowhere", cwd=tmp_path, code=1)
    assert "invalid partition specified: nowhere" in told.lower() or "Invalid partition name" in told
    if getpass.getuser() != "root":
        pytest.skip("needs root, to be another user who may not")
    # A user who may not use the partition, with the program where he can read it.
    place = Path(cluster.folder) / "learner"
    place.mkdir()
    place.chmod(0o777)
    program = place / "swath"
    shutil.copy(os.path.realpath(SWATH), program)
    program.chmod(0o755)
    home = cluster.environment | {"HOME": str(place)}
    told = swath(cluster, *words, "--partition", "staff", cwd=place, code=1, program=str(program), user="nobody", env=home)
    assert "User's group not permitted to use this partition" in told and "--partition names a partition that you may use" in told
    # He may use another one: the job is his, and waits like any other.
    told = swath(cluster, *words, cwd=place, program=str(program), user="nobody", env=home)
    [job] = submitted(told)
    assert cluster.facts(job)["UserId"].startswith("nobody(")
    assert (place / "swath-jobs" / "evaluate-map.sh").owner() == "nobody"
    cluster.run("scancel", job)


def test_a_job_computes_with_the_threads_that_it_asked_for(cluster, town, bundle, tmp_path):
    script = tmp_path / "job.sh"
    script.write_text(f"""#!/bin/bash
#SBATCH --cpus-per-task=1 --mem=700M --time=2 --output={tmp_path}/log
cat > cell.ipynb <<'JSON'
{{"cells": [{{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {{}}, "outputs": [],
 "source": ["Device::cpu().explain()"]}}], "metadata": {{"kernelspec": {{"name": "swath", "display_name": "x", "language": "rust"}}}},
 "nbformat": 4, "nbformat_minor": 5}}
JSON
{SWATH} run cell.ipynb -o out.ipynb
""")
    job = cluster.run("sbatch", "--parsable", script, cwd=tmp_path).stdout.strip()
    assert cluster.wait(job, "COMPLETED", "FAILED", seconds=120) == "COMPLETED", (tmp_path / "log").read_text()
    assert "with 1 thread" in (tmp_path / "out.ipynb").read_text()


def test_a_cell_submits_a_job_shows_its_state_and_has_its_map(cluster, town, bundle, tmp_path):
    environment = cluster.environment | {"JUPYTER_ALLOW_INSECURE_WRITES": "1"}
    with Kernel(env=environment, cwd=town) as kernel:
        cell = kernel.ok(f"%submit predict {bundle} tiles/t02.tif -o one --mem 1000M --cpus-per-task 1 --time 5 as=map", seconds=180)
        [shown] = cell.of("display_data")
        name = shown["transient"]["display_id"]
        updates = [update["data"]["text/plain"] for update in cell.of("update_display_data")]
        assert all(update["transient"]["display_id"] == name for update in cell.of("update_display_data"))
        states = [shown["data"]["text/plain"], *updates]
        assert any("pending" in text or "running" in text or "submitted" in text for text in states), states
        assert "completed" in updates[-1] and "ended with 0" in updates[-1]
        assert "results in one" in cell.stdout
        assert "96 x 96" in kernel.ok('format!("{}", map.scene().raster().size())').text
        # What was interrupted goes on, and is looked at again by its number.
        interrupted = []

        def stop(cell):
            if cell.of("display_data") and not interrupted:
                interrupted.append(True)
                kernel.interrupt()

        cell = kernel.run(f"%submit predict {bundle} tiles/t03.tif -o three --mem 1000M --time 5", seconds=60, during=stop)
        [job] = submitted(cell.stdout)
        assert cell.error["ename"] == "KeyboardInterrupt" and f"`%submit {job}` looks at it again" in cell.everything()
        cell = kernel.ok(f"%submit {job}", seconds=120)
        assert f"job {job}  completed" in cell.of("update_display_data")[-1]["data"]["text/plain"]
        assert (town / "three" / "labels.tif").is_file()
        cell = kernel.run("%submit 99999")
        assert cell.error["evalue"].startswith("Slurm knows no job 99999"), cell.everything()
        cell = kernel.run("%submit predict nothing.swath tiles/t02.tif -o two --time 5", seconds=60)
        assert cell.status == "error" and "nothing.swath" in cell.everything()
        cell = kernel.run("%submit predict --time soon a b -o c")
        assert "HOURS:MINUTES" in cell.everything()
        script = kernel.ok(f"%submit evaluate {bundle} tiles --labels l --class a --gres gpu:1 --dry-run").stdout
        assert "#SBATCH --gres=gpu:1" in script
