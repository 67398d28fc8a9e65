"""The command `swath` and its library as a person in a shell meets them: help and mistakes in every command, and errors that
name what a shell has, while those of cells name what a cell has."""

import os
import re
import signal
import subprocess
import time

import numpy
import pytest
import rasterio

from command import ROOT, SWATH
from harness import Kernel

CASES = ROOT / "tests/fixtures/geo"
# What only a notebook has.
MAGIC = re.compile(r"%%?[a-z]{2,}|restart the kernel|\bI I\b|■|this cell|the cell\b")
# Every option of the command line.
FLAGS = sorted(set(re.findall(r"`(--[a-z][a-z-]+)", (ROOT / "docs/cli.md").read_text(encoding="utf-8"))))


def run(*words) -> subprocess.CompletedProcess:
    return subprocess.run([SWATH, *map(str, words)], capture_output=True, text=True, timeout=600, cwd=CASES)


def swath(*words, code: int = 0) -> str:
    """Everything that the command said, after it ended with this exit code."""
    done = run(*words)
    told = done.stdout + done.stderr
    assert done.returncode == code, f"swath {words}: {done.returncode}\n{told}"
    return told


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A kernel with a town and a model of it after one step, and the paths of their files."""
    folder = tmp_path_factory.mktemp("town")
    with Kernel(cwd=folder) as kernel:
        kernel.folder = folder
        kernel.ok(f'let town = swath::samples::town_in("{folder}", 3, 192)?;')
        kernel.image = kernel.ok("town.scene_path.display().to_string()").text.strip('"')
        kernel.labels = kernel.ok("town.labels_path.display().to_string()").text.strip('"')
        kernel.ok(f"%scene {kernel.image} labels={kernel.labels} class=class")
        kernel.ok("%split 0.5")
        kernel.ok("%chips 4 64 seed=7")
        kernel.ok("%fit resnet18 steps=1 batch=2", seconds=300)
        kernel.bundle = str(folder / "town.swath")
        kernel.ok(f'run.best().save("{kernel.bundle}")?;')
        kernel.bright = str(folder / "bright.tif")
        kernel.empty = str(folder / "empty.tif")
        with rasterio.open(kernel.image) as image:
            values, profile = image.read(), image.profile
        with rasterio.open(kernel.bright, "w", **{**profile, "dtype": "uint16"}) as image:
            image.write(values.astype(numpy.uint16) * 200)
        with rasterio.open(kernel.empty, "w", **{**profile, "nodata": 0}) as image:
            image.write(values * 0)
        yield kernel


def test_the_program_links_neither_gdal_nor_the_library():
    linked = subprocess.run(["ldd", SWATH], capture_output=True, text=True, check=True).stdout
    assert "gdal" not in linked and "swath.so" not in linked, linked


def test_help_and_mistakes_need_no_library(tmp_path):
    environment = os.environ | {"SWATH_LIB_DIR": str(tmp_path)}
    for words, code in [(["help", "predict"], 0), (["evaluate", "--help"], 0), (["predikt"], 2), (["info", "--jsn", "a"], 2)]:
        done = subprocess.run([SWATH, *words], capture_output=True, text=True, env=environment, timeout=60)
        assert done.returncode == code, done
    done = subprocess.run([SWATH, "data", "list"], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 1 and done.stderr.startswith("error: "), done


def test_what_only_the_library_knows_is_a_mistake_like_the_others(town):
    out = town.folder / "no"
    told = swath("predict", town.bundle, town.image, "-o", out, "--fusion", "nms", code=2)
    assert told.startswith(f"error: '--fusion' is not for {town.bundle}: its model maps areas"), told
    assert "Usage: swath predict" in told and len(told.splitlines()) < 8, told
    # The names of before are understood, and called by the new ones.
    assert swath("predict", town.bundle, town.image, "-o", out, "--merge", "nms", code=2) == told
    told = swath("evaluate", town.image, town.image, "--labels", town.labels, "--class", "class", "--window", "64", code=2)
    assert told.startswith("error: '--window' is not for "), told
    assert not out.exists()


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_that_is_asked_to_stop_leaves_nothing_behind(town, tmp_path, stop, code):
    large, out, temporary = tmp_path / "large.tif", tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    with rasterio.open(town.image) as image:
        values = numpy.tile(image.read(), (1, 12, 12))
        profile = {**image.profile, "height": values.shape[1], "width": values.shape[2]}
    with rasterio.open(large, "w", **profile) as image:
        image.write(values)
    command = subprocess.Popen(
        [SWATH, "predict", town.bundle, large, "-o", out, "--window", "64", "--tta", "turns", "--device", "cpu"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(temporary)})
    until = time.monotonic() + 120
    while not list(temporary.iterdir()) and time.monotonic() < until:
        assert command.poll() is None, command.communicate()
        time.sleep(0.02)
    command.send_signal(stop)
    told = "".join(command.communicate(timeout=120))
    assert command.returncode == code, told
    assert not list(temporary.iterdir()), list(temporary.iterdir())
    assert not out.exists() or not list(out.iterdir()), list(out.iterdir())


# What fails in a shell, the exit code, and what its error names. `{…}` are the town's files.
IN_A_SHELL = [
    ("info nowhere/x.tif", 1, "`cd` changes it"),
    ("info f07-mask-255/imag.tif", 1, "image.tif"),
    ("info f13-layers/image.tif --labels f13-layers/city.gpkg --class nosuch", 1, ""),
    ("info f14-geojson-metres/image.tif --labels f14-geojson-metres/b.geojson --class b", 1, "`--labels-crs EPSG:CODE`"),
    ("info f15-undefined-crs-2/image.tif --labels f15-undefined-crs-2/b.geojson --class b", 1, "`--labels-crs raster`"),
    ("info f30-mask-as-vector/image.tif --labels f30-mask-as-vector/mask.tif --class building", 1, "`--label-raster FILE`"),
    ("info f07-mask-255/image.tif --label-raster f07-mask-255/mask.tif --classes building", 1, "`--binary building`"),
    ("info f08-codes/image.tif --label-raster f08-codes/cover.tif --classes tree,built,water", 1, "`--values "),
    ("info f09-colour-mask/image.tif --label-raster f09-colour-mask/colours.tif --classes building", 1, ""),
    ("info f11-unknown-crs/image.tif --label-raster f11-unknown-crs/mask.tif --classes a", 1, ""),
    ("info f28-containers/day.nc", 1, "NETCDF"),
    ("info {image} --labels f05-nodata-any-band/lake.geojson --class lake", 1, "`--labels-crs EPSG:…`"),
    ("info {image} --labels {labels} --class class --where kind=", 1, ""),
    ("properties nowhere.gpkg", 1, ""),
    ("data fetch nothing-of-that-name", 1, ""),
    ("predict nowhere.swath {image} -o {out}", 1, ""),
    ("predict {image} {image} -o {out}", 1, ""),
    ("predict {bundle} nowhere/x.tif -o {out}", 1, "`cd` changes it"),
    ("predict {bundle} {image} -o {out} --device cuda:99", 1, ""),
    ("predict {bundle} {image} -o {out} --threshold 1.5", 2, ""),
    ("predict {bundle} {image} -o {out} --window 99999", 1, ""),
    ("predict {bundle} {image} -o {out} --labels {labels} --class nosuch", 1, ""),
    ("predict {bundle} {bright} -o {out}", 1, "`--any-values`"),
    ("predict {bundle} f03-int8/ndvi8.tif -o {out}", 1, ""),
    ("evaluate {image} {image} --labels {labels} --class class", 2, "labels.tif that `swath predict` writes"),
    ("evaluate {bundle} {image} --label-raster {image}", 1, ""),
    # Done, with something that a person must be told.
    ("predict {bundle} {empty} -o {out} --any-values", 0, "`swath info FILE --statistics`"),
    ("evaluate {bundle} {image} --labels {labels} --class class", 0, "(`--aoi FILE`)"),
]


def test_no_error_of_a_shell_names_what_only_a_notebook_has(town):
    files = {"image": town.image, "labels": town.labels, "bundle": town.bundle, "bright": town.bright,
             "empty": town.empty, "out": town.folder / "out"}
    faults = []
    for line, code, names in IN_A_SHELL:
        done = run(*[word.format(**files) for word in line.split()])
        told = done.stdout + done.stderr
        if done.returncode != code:
            faults.append(f"swath {line}: {done.returncode} in the place of {code}\n{told}")
        if code != 0 and not re.search(r"^error: ", done.stderr, re.M):
            faults.append(f"swath {line}: no error\n{told}")
        if names not in told:
            faults.append(f"swath {line}: no {names!r} in\n{told}")
        if found := MAGIC.search(told):
            faults.append(f"swath {line}: {found[0]!r} in\n{told}")
    assert not faults, "\n\n".join(faults)


# What fails in a cell, and what its error names.
IN_A_CELL = [
    ('Scene::open("nowhere/x.tif")?', "`%cd` changes it"),
    ('Scene::open("CASES/f13-layers/image.tif")?.with_labels("CASES/f13-layers/city.gpkg", "nosuch")?', ''),
    ('Scene::open("CASES/f14-geojson-metres/image.tif")?.with_labels("CASES/f14-geojson-metres/b.geojson", "b")?', '.crs('),
    ('Scene::open("CASES/f30-mask-as-vector/image.tif")?.with_labels("CASES/f30-mask-as-vector/mask.tif", "building")?',
     "`.with_label_raster(FILE, CLASSES)`"),
    ('Scene::open("CASES/f07-mask-255/image.tif")?.with_label_raster("CASES/f07-mask-255/mask.tif", Classes::new(["building"]))?',
     "binary=building"),
    ('Scene::open("CASES/f08-codes/image.tif")?.with_label_raster("CASES/f08-codes/cover.tif", Classes::new(["tree", "built", '
     '"water"]))?', "values=VALUE:CLASS"),
    ('scene.show_bands([0, 1, 7])?', "`%bands`"),
    ('scene.with_labels("CASES/f05-nodata-any-band/lake.geojson", "lake")?', ".crs("),
    ('run.best().predict(&Scene::open("{bright}")?)?', "any_values(true)"),
    ('Segmenter::load("nowhere.swath")?', ""),
    ("Device::cuda(99)?", ""),
    ('swath::data::fetch("nothing-of-that-name")?', ""),
    ("%cd nowhere-at-all", ""),
    ("%scene nowhere/x.tif", "`%cd` changes it"),
    ("%scene CASES/f13-layers/image.tif labels=CASES/f13-layers/city.gpkg class=nosuch", ""),
    ("%scene CASES/f14-geojson-metres/image.tif labels=CASES/f14-geojson-metres/b.geojson class=b", "labels_crs="),
    ("%scene CASES/f30-mask-as-vector/image.tif labels=CASES/f30-mask-as-vector/mask.tif class=building", "label_raster="),
    ("%scene {image} labels={labels}", "class"),
    ("%scene", "FILE"),
    ("%split 7", ""),
    ("%chips many", ""),
    ("%fit nosuchnet", ""),
    ("%fit resnet18 epochs=few", ""),
    ("%predict scene=nosuch", ""),
    ("%data nothing-of-that-name", ""),
    ("%nosuch", ""),
]


def test_no_error_of_a_cell_names_an_option_of_the_shell(town):
    assert len(FLAGS) > 30, FLAGS
    faults = []
    for code, names in IN_A_CELL:
        code = code.replace("CASES", str(CASES)).replace("{image}", town.image).replace("{labels}", town.labels)
        code = code.replace("{bright}", town.bright)
        cell = town.run(code, seconds=120)
        told = "\n".join([cell.stdout, cell.stderr, cell.text, *("\n".join(e["traceback"]) for e in cell.of("error"))])
        if cell.status != "error":
            faults.append(f"{code}: no error\n{told}")
        if names not in told:
            faults.append(f"{code}: no {names!r} in\n{told}")
        if found := [flag for flag in FLAGS if re.search(rf"{flag}\b", told)]:
            faults.append(f"{code}: {found} in\n{told}")
    # What a person is told of a score on the imagery of the training.
    scored = town.ok("run.best().predict(&train)?.evaluate(&train)?", seconds=120)
    told = "\n".join(str(data["data"].get("text/plain")) for kind in ("execute_result", "display_data") for data in scored.of(kind))
    if "`%evaluate scene=valid`" not in told or "--" in told:
        faults.append(told)
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("words", [["--version"], ["help"], ["magics"], ["completions", "bash"], ["devices"], ["data", "list"]], ids=" ".join)
def test_what_cannot_be_written_is_an_error(words):
    """As GNU's programs do on a full disk; a closed pipe is none."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([SWATH, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 1 and "cannot be written: No space left" in done.stderr, done
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([SWATH, *words], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(writer)
    assert done.returncode == 0 and not done.stderr, done
