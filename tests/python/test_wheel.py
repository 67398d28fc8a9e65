"""The wheel that `make wheel` has made: what is in it, and that it works for a person who has nothing else.

`SWATH_WHEEL` names the file; otherwise it is the one in dist/.
"""

import base64
import csv
import ctypes
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy
import pyogrio.raw
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

ROOT = Path(__file__).resolve().parents[2]
TAG = re.compile(r"^(swath|swath_cuda)-([0-9.]+)-py3-none-manylinux_(\d+)_(\d+)_x86_64\.whl$")
# What PEP 600 lets a wheel expect of a system, as far as something here needs it (auditwheel's policy manylinux_2_28).
SYSTEM = {
    "libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "ld-linux-x86-64.so.2", "libgcc_s.so.1", "libstdc++.so.6",
    "libz.so.1", "libexpat.so.1",
}
# The newest versions in that policy beside that of the C library: those of GCC 8, which RHEL 8 has.
LIMITS = {"GLIBCXX": (3, 4, 25), "CXXABI": (1, 3, 11), "GCC": (8, 0, 0)}
# A uid that has no name, no home and no rights.
SOMEBODY = 47_110
COREUTILS = "bash sh env cat ls cp mv rm mkdir chmod ln dirname basename readlink uname id whoami sed grep awk tail head sort date sleep true"


def wheel_path() -> Path:
    if named := os.environ.get("SWATH_WHEEL"):
        return Path(named)
    found = sorted((ROOT / "dist").glob("swath-*.whl"))
    assert len(found) == 1, f"`make wheel` makes one wheel, found {found}"
    return found[0]


def number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


@pytest.fixture(scope="module")
def wheel():
    with zipfile.ZipFile(wheel_path()) as archive:
        yield archive


@pytest.fixture(scope="module")
def shared_objects(wheel, tmp_path_factory):
    """Name in the wheel and what objdump says, of every program and shared object."""
    folder = tmp_path_factory.mktemp("elf")
    found = {}
    for index, info in enumerate(wheel.infolist()):
        with wheel.open(info) as file:
            if file.read(4) != b"\x7fELF":
                continue
        path = folder / str(index)
        path.write_bytes(wheel.read(info))
        found[info.filename] = subprocess.run(["objdump", "-p", str(path)], capture_output=True, check=True, text=True).stdout
        path.unlink()
    return found


def test_no_symbol_is_newer_than_the_tag_allows(shared_objects):
    name = TAG.match(wheel_path().name)
    assert name, wheel_path().name
    limits = {"GLIBC": (int(name[3]), int(name[4])), **LIMITS}
    newer = [
        f"{path}: {library}_{version}"
        for path, about in shared_objects.items()
        # The versions that it needs, not those that it defines itself.
        for library, version in re.findall(r"0x[0-9a-f]+ 0x[0-9a-f]+ \d+ (GLIBC|GLIBCXX|CXXABI|GCC)_([0-9.]+)", about)
        if number(version) > limits[library]
    ]
    assert not newer
    parts = {path.rsplit("/", 1)[1] for path in shared_objects}
    for part in ["swath", "swath-cell", "libswath.so", "rustc", "rust-lld", "ogr_swath.so"]:
        assert part in parts, f"{part} was not looked at"


def test_what_it_loads_is_in_it_or_on_every_system(shared_objects):
    carried = {path.rsplit("/", 1)[1] for path in shared_objects}
    carried |= {found[1] for about in shared_objects.values() if (found := re.search(r"SONAME\s+(\S+)", about))}
    for path, about in shared_objects.items():
        needed = set(re.findall(r"NEEDED\s+(\S+)", about))
        assert needed <= carried | SYSTEM, f"{path} needs {needed - carried - SYSTEM}"


def test_pip_finds_every_file_with_its_checksum(wheel):
    information = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
    rows = {row[0]: row[1:] for row in csv.reader(io.StringIO(wheel.read(information).decode()))}
    assert set(rows) == set(wheel.namelist()) and len(wheel.namelist()) == len(rows)
    for name, (digest, size) in rows.items():
        if name == information:
            assert (digest, size) == ("", "")
            continue
        content = wheel.read(name)
        assert digest == "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode(), name
        assert int(size) == len(content), name


def test_modes_times_and_names_are_those_that_pip_keeps(wheel):
    for info in wheel.infolist():
        mode = info.external_attr >> 16
        assert mode in (0o100644, 0o100755), f"{info.filename}: {mode:o}"
        assert info.date_time == (1980, 1, 1, 0, 0, 0)
        assert not re.search(r"(^|/)\.\.?(/|$)", info.filename)
    runs = {info.filename.rsplit("/", 1)[1] for info in wheel.infolist() if info.external_attr >> 16 == 0o100755}
    assert {"swath", "swath-cell", "rustc"} <= runs
    assert not {name for name in runs if name.endswith((".rmeta", ".json", ".rs", ".txt", ".csv"))}


def test_nothing_of_the_machine_that_built_it_is_named(wheel):
    home = str(Path.home())
    for name in wheel.namelist():
        if name.endswith((".json", "/toolchain", "entry_points.txt", "METADATA", "scripts/swath")):
            text = wheel.read(name).decode()
            for place in [str(ROOT), home + "/", "/root/", "/target/"]:
                assert place not in text, f"{name} names {place}"


def test_every_part_has_its_license(wheel):
    names = {name.split(".dist-info/licenses/", 1)[1] for name in wheel.namelist() if ".dist-info/licenses/" in name}
    assert {"LICENSE-MIT", "LICENSE-APACHE", "licenses/THIRD-PARTY.txt", "licenses/rust/LLVM-exception.txt"} <= names
    assert {"licenses/rust/COPYRIGHT.html.gz", "licenses/native/gdal.txt", "licenses/native/proj.txt", "licenses/native/geos.txt"} <= names
    texts = {name: wheel.read(next(it for it in wheel.namelist() if it.endswith("/licenses/" + name))).decode(errors="replace")
             for name in names if name.endswith(".txt")}
    assert "GNU LESSER GENERAL PUBLIC LICENSE" in texts["licenses/native/geos.txt"]
    listed = texts["licenses/THIRD-PARTY.txt"]
    for name in wheel.namelist():
        if "/lib-swath/lib/" in name:
            library = name.rsplit("/", 1)[1]
            assert f"\n  {library}: " in listed, f"no license is named for {library}"
    # Crates that are in the library and in the program, whatever the versions are.
    for crate in ["burn", "gdal", "evcxr", "zeromq", "geo"]:
        assert re.search(rf"^  {crate} \d", listed, re.MULTILINE), crate
    metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("/METADATA"))).decode()
    assert "LGPL-2.1" in metadata and "LLVM-exception" in metadata
    for text in re.findall(r"^License-File: (.*)$", metadata, re.MULTILINE):
        assert text in names


PROGRAM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static int counted;
__attribute__((constructor)) static void count(int arguments, char **texts, char **environment) {
    counted = texts[arguments] == NULL && environment != NULL ? arguments : -1;
}
static void *same(void *value) { return value; }
int main(int arguments, char **texts) {
    pthread_t thread;
    void *back = NULL;
    struct stat about;
    if (pthread_create(&thread, NULL, same, texts) != 0 || pthread_join(thread, &back) != 0 || back != texts) return 1;
    if (stat(texts[0], &about) != 0 || !S_ISREG(about.st_mode) || lstat("/nowhere", &about) == 0) return 2;
    if (gettid() != getpid() || dlsym(RTLD_DEFAULT, "printf") == NULL) return 3;
    printf("%d %.3f %.3f %ld\n", counted, pow(arguments, 2.5), hypot(arguments, 4.0), strtol("0x10", NULL, 16));
    return 0;
}
"""


@pytest.mark.parametrize("version", ["2.17", "2.28"])
def test_a_program_linked_for_an_old_c_library_runs_and_needs_no_newer_one(tmp_path, version):
    stubs = [sys.executable, str(ROOT / "scripts/glibc/stubs.py"), str(tmp_path / "stubs"), version, "--program"]
    linker = subprocess.run(stubs, capture_output=True, check=True, text=True).stdout.strip()
    source, program = tmp_path / "program.c", tmp_path / "program"
    source.write_text(PROGRAM)
    subprocess.run([linker, "-O1", "-o", str(program), str(source), "-lm"], check=True)
    # Constructors get their arguments, as Rust's own does; the values are those of the mathematics.
    ran = subprocess.run([str(program), "a", "b"], capture_output=True, check=True, text=True)
    assert ran.stdout == "3 15.588 5.000 16\n"
    about = subprocess.run(["objdump", "-p", str(program)], capture_output=True, check=True, text=True).stdout
    needed = {number(found) for found in re.findall(r"GLIBC_([0-9.]+)", about)}
    assert needed and max(needed) <= number(version)
    source.write_text("int statx(int, const char *, int, unsigned, void *); int main(void) { return statx(0, 0, 0, 0, 0); }")
    newer = subprocess.run([linker, "-o", str(program), str(source)], capture_output=True, check=False, text=True)
    assert ("statx" in newer.stderr) == (version == "2.17"), newer.stderr


def test_a_macro_that_was_linked_for_this_machine_is_bound_to_an_old_c_library(tmp_path):
    source, library, other = tmp_path / "macro.c", tmp_path / "macro.so", tmp_path / "other.so"
    source.write_text(
        "#include <pthread.h>\n#include <string.h>\nint stat64(const char *, void *);\n"
        "int keys(void) { pthread_key_t key; return pthread_key_create(&key, 0) || pthread_setspecific(key, \"x\")\n"
        "    || strcmp(pthread_getspecific(key), \"x\") || pthread_key_delete(key); }\n"
        "int size(const char *path, void *out) { return stat64(path, out); }\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-Wl,-z,now", "-o", str(library), str(source)], check=True)
    os.link(library, other)
    rebind = [sys.executable, str(ROOT / "scripts/glibc/rebind.py"), "2.28", str(library)]
    subprocess.run(rebind, check=True)
    about = subprocess.run(["objdump", "-p", str(library)], capture_output=True, check=True, text=True).stdout
    assert max(number(found) for found in re.findall(r"GLIBC_([0-9.]+)", about)) <= (2, 28)
    assert ctypes.CDLL(str(library)).keys() == 0
    # Whoever else has a link to the file keeps it as it was.
    assert other.read_bytes() != library.read_bytes()
    assert subprocess.run(rebind, check=True).returncode == 0
    source.write_text("int arc4random(void); int any(void) { return arc4random(); }")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(source)], check=True)
    refused = subprocess.run(rebind, capture_output=True, check=False, text=True)
    assert refused.returncode != 0 and "nothing is known of arc4random" in refused.stderr


def test_packing_gives_the_same_bytes_again(tmp_path):
    stage, licenses = tmp_path / "stage", tmp_path / "licenses"
    (stage / "lib/swath").mkdir(parents=True)
    (stage / "bin").mkdir()
    licenses.mkdir()
    (licenses / "LICENSE-MIT").write_text("text")
    (stage / "lib/swath/tool").write_bytes(b"\x7fELF")
    (stage / "lib/swath/tool").chmod(0o755)
    (stage / "lib/swath/comma, quote\".txt").write_text("x")
    made = []
    for run in ["a", "b"]:
        (stage / "bin/swath").symlink_to("../lib/swath/tool")
        command = [sys.executable, str(ROOT / "scripts/wheel/pack.py"), str(stage), str(tmp_path / run), "--version", "1.2.3",
                   "--tag", "manylinux_2_28_x86_64", "--licenses", str(licenses)]
        path = subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
        made.append(Path(path).read_bytes())
        os.utime(stage / "lib/swath/tool", (1, 1))
    assert made[0] == made[1]
    with zipfile.ZipFile(path) as archive:
        record = archive.read("swath-1.2.3.dist-info/RECORD").decode()
        assert '"swath-1.2.3.data/data/lib/swath/comma, quote"".txt",sha256=' in record
        assert archive.read("swath-1.2.3.data/scripts/swath").startswith(b"#!/bin/sh\n")
    (stage / "bin/swath").symlink_to("/elsewhere")
    (stage / "lib/swath/link").symlink_to("tool")
    refused = subprocess.run(command, capture_output=True, check=False, text=True)
    assert refused.returncode != 0 and "holds no links" in refused.stderr


# From here on as a person: an environment of its own, and nothing of this machine but what every system has.


@pytest.fixture(scope="module")
def place():
    """A folder that everybody can enter: root's home and pytest's folders are root's."""
    folder = Path(tempfile.mkdtemp(prefix="swath-wheel-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def python_for_all() -> str:
    """A Python that other users can start, and that makes environments."""
    for python in ["/usr/bin/python3", sys.executable]:
        works = subprocess.run([python, "-c", "import ensurepip, venv"], capture_output=True, check=False).returncode == 0
        if works and all(parent.stat().st_mode & 1 for parent in Path(python).resolve().parents):
            return python
    pytest.skip("no Python that another user can start")


@pytest.fixture(scope="module")
def environment(place):
    """A fresh virtual environment with JupyterLab and the wheel, and nothing of PATH but a folder of the plainest tools."""
    folder = place / "env"
    subprocess.run([python_for_all(), "-m", "venv", str(folder)], check=True)
    tools = place / "tools"
    tools.mkdir()
    for tool in COREUTILS.split():
        if real := shutil.which(tool, path="/usr/bin:/bin"):
            (tools / tool).symlink_to(real)
    env = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "http", "HTTP", "SSL_"))}
    env |= {"PATH": f"{folder}/bin:{tools}", "HOME": str(place), "LANG": "C.UTF-8"}
    began = time.monotonic()
    command = [f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", str(wheel_path()), "jupyterlab>=4.2,<5"]
    subprocess.run(command, check=True, env=env, cwd=place)
    print(f"pip install of the wheel and JupyterLab: {time.monotonic() - began:.1f} s")
    shutil.rmtree(place / ".cache", ignore_errors=True)
    shutil.copy(ROOT / "tests/python/wheel_user.py", place)
    return folder, env


def as_somebody(environment, home: Path, *words: str, cwd: Path | None = None, **variables: str):
    folder, env = environment
    somebody = {"user": SOMEBODY, "group": SOMEBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.run(
        list(words), env={**env, "HOME": str(home), **variables}, cwd=cwd or home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=900, check=False, umask=0o077, **somebody,
    )


def folder_of_somebody(place: Path, name: str, mode: int = 0o700) -> Path:
    folder = place / name
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, SOMEBODY, SOMEBODY)
    folder.chmod(mode)
    return folder


def check_what_was_seen(seen, folder) -> None:
    assert "swath" in seen["kernels"]
    assert seen["version"].startswith("swath ")
    assert seen["first"] == "6"
    assert "32632" in seen["scene"] or "UTM zone 32N" in seen["scene"], seen["scene"]
    assert any(word.startswith("len") for word in seen["words"]), seen["words"]
    assert any(word.startswith("open(") for word in seen["types"]), seen["types"]
    foreign = [path for path in seen["mapped"] if not path.startswith(str(folder)) and re.search("gdal|proj|geos|rust|std-", path.rsplit("/", 1)[1])]
    assert not foreign, foreign
    loaded = {path.rsplit("/", 1)[1] for path in seen["mapped"] if path.startswith(str(folder))}
    assert any(name.startswith("libgdal") for name in loaded) and "libswath.so" in loaded
    system = {path.rsplit("/", 1)[1] for path in seen["mapped"] if path.startswith(("/usr/lib", "/lib"))}
    print("from the system:", sorted(system), "seconds:", seen["ready"], seen["first_after"], seen.get("tutorial"))


def test_somebody_with_an_empty_home_runs_the_first_tutorial(environment, place):
    folder, _ = environment
    home = folder_of_somebody(place, "home")
    ran = as_somebody(environment, home, f"{folder}/bin/python", str(place / "wheel_user.py"), str(home), "--tutorial", SWATH_TUTORIAL="small")
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-6000:]
    seen = json.loads(ran.stdout.splitlines()[-1])
    check_what_was_seen(seen, folder)
    assert len(seen["score"]) == 1 and "IoU" in seen["score"][0]
    assert "labels.tif" in seen["saved"]


def test_somebody_whose_home_cannot_be_written_runs_cells(environment, place):
    folder, _ = environment
    home, work = folder_of_somebody(place, "bare", 0o555), folder_of_somebody(place, "work")
    cache = folder_of_somebody(place, "cache")
    ran = as_somebody(
        environment, home, f"{folder}/bin/python", str(place / "wheel_user.py"), str(work), cwd=work, SWATH_CACHE=str(cache),
        # Jupyter itself needs a place for connection files.
        JUPYTER_RUNTIME_DIR=str(work / "runtime"),
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-6000:]
    check_what_was_seen(json.loads(ran.stdout.splitlines()[-1]), folder)
    assert not list(home.iterdir())


def test_nothing_of_the_environment_was_written_by_running_it(environment, place):
    folder, env = environment
    checked = subprocess.run(
        [f"{folder}/bin/python", "-c", CHECK_RECORD], capture_output=True, check=False, text=True, env=env, cwd=place
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


CHECK_RECORD = """
import importlib.metadata, os, pathlib, sys
files = importlib.metadata.files("swath") or importlib.metadata.files("swath-cuda")
known = {os.path.normpath(file.locate()) for file in files}
missing = [name for name in known if not os.path.exists(name)]
root = pathlib.Path(sys.prefix, "lib/swath")
more = [str(path) for path in root.rglob("*") if path.is_file() and os.path.normpath(path) not in known]
assert not missing and not more, (missing[:3], more[:3])
(entry,) = importlib.metadata.entry_points(group="papermill.engine", name="swath")
assert entry.value == "swath_papermill:SwathEngine"
"""


@pytest.fixture(scope="module")
def formats(place):
    """Files of many formats, written by GDAL as rasterio and pyogrio carry it."""
    folder = place / "formats"
    folder.mkdir(mode=0o755)
    squares = [shapely.box(at, 0, at + 1, 1) for at in range(3)]
    for name, driver in VECTORS.items():
        path = folder / name
        pyogrio.raw.write(
            path, numpy.array(shapely.to_wkb(squares)), [numpy.array(["a", "b", "c"], dtype=object)], fields=["name"],
            geometry_type="Polygon", crs="EPSG:4326", driver=driver, layer="squares",
            **({"GEOMETRY": "AS_WKT"} if driver == "CSV" else {}),
        )
    pixels = numpy.arange(64 * 48, dtype="uint16").reshape(48, 64)
    profile = {"width": 64, "height": 48, "count": 1, "crs": "EPSG:32632", "transform": from_origin(500_000, 5_000_000, 10, 10)}
    for name, (driver, options) in RASTERS.items():
        data = (pixels % 251).astype("uint8") if driver in ("JPEG", "PNG", "WEBP") else pixels
        if driver == "WEBP":
            data = numpy.stack([data] * 3)
        data = data.reshape(-1, 48, 64)
        with rasterio.open(folder / name, "w", driver=driver, dtype=data.dtype, **{**profile, "count": len(data)}, **options) as raster:
            raster.write(data)
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder


VECTORS = {
    "a.gpkg": "GPKG", "a.geojson": "GeoJSON", "a.shp": "ESRI Shapefile", "a.fgb": "FlatGeobuf", "a.kml": "KML", "a.gml": "GML",
    "a.csv": "CSV", "a.tab": "MapInfo File", "a.gdb": "OpenFileGDB",
}
RASTERS = {
    "b.tif": ("GTiff", {"compress": "zstd"}), "cog.tif": ("COG", {"compress": "lerc"}), "b.jp2": ("JP2OpenJPEG", {}), "b.png": ("PNG", {}),
    "b.jpg": ("JPEG", {}), "b.webp": ("WEBP", {}), "b.img": ("HFA", {}), "b.dat": ("ENVI", {}),
}


@pytest.mark.parametrize("name", VECTORS)
def test_vector_files_are_read(environment, place, formats, name):
    folder, _ = environment
    ran = as_somebody(environment, place / "home", f"{folder}/bin/swath", "properties", str(formats / name))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search("name", ran.stdout, re.IGNORECASE), ran.stdout


@pytest.mark.parametrize("name", RASTERS)
def test_raster_files_are_read(environment, place, formats, name):
    folder, _ = environment
    ran = as_somebody(environment, place / "home", f"{folder}/bin/swath", "info", str(formats / name), "--json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"\b64\b", ran.stdout) and re.search(r"\b48\b", ran.stdout), ran.stdout


def test_tables_of_another_gdal_in_the_environment_do_no_harm(environment, place, formats):
    folder, _ = environment
    other = place / "other"
    other.mkdir(exist_ok=True)
    (other / "proj.db").write_text("no database")
    ran = as_somebody(
        environment, place / "home", f"{folder}/bin/swath", "info", str(formats / "b.tif"),
        GDAL_DATA=str(other), PROJ_DATA=str(other), PROJ_LIB=str(other), GDAL_DRIVER_PATH=str(other),
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "UTM zone 32N" in ran.stdout or "32632" in ran.stdout, ran.stdout


def test_pip_takes_it_away_again(environment, place):
    folder, env = environment
    names = importlib_names(folder, env, place)
    subprocess.run([f"{folder}/bin/pip", "uninstall", "--yes", "--quiet", *names], check=True, env=env, cwd=place)
    left = [str(path) for path in (folder / "lib/swath").rglob("*") if path.is_file()]
    assert not left
    assert not (folder / "bin/swath").exists()
    assert not (folder / "share/jupyter/kernels/swath").exists()


def importlib_names(folder, env, place) -> list[str]:
    code = "import importlib.metadata as m; print(*{d.name for d in m.distributions() if d.name.startswith('swath')})"
    return subprocess.run([f"{folder}/bin/python", "-c", code], capture_output=True, check=True, text=True, env=env, cwd=place).stdout.split()
