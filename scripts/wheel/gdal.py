"""Puts GDAL with the libraries that it uses, its drivers and its tables into the library's folder.

usage: gdal.py LIB_SWATH CACHE       LIB_SWATH: what scripts/build-dylib.sh has made, a copy that may be changed

GDAL is the one that rasterio's wheel carries (manylinux_2_28, so that RHEL 8 can load it), with every driver for rasters, and
the drivers for vector files that it was built without (gdal_drivers.py). The library is made to ask for it by its name. Layout,
which the program knows (kernel/src/natives.rs): lib/, lib/gdalplugins/, share/gdal/, share/proj/.
"""

import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

VERSION = "1.5.2"
SHA256 = "8d0f9c1ba8975fe2980bbef313310982eeea0558f8c8f4989aed5fc6fbeac5c0"
HERE = pathlib.Path(__file__).resolve().parent


def fetch(cache: pathlib.Path) -> pathlib.Path:
    """rasterio's wheel, checked."""
    name = f"rasterio-{VERSION}-cp312-cp312-manylinux_2_28_x86_64.whl"
    path = cache / name
    if not path.is_file():
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--python-version", "3.12"]
            command += ["--implementation", "cp", "--platform", "manylinux_2_28_x86_64", "--dest", folder, f"rasterio=={VERSION}"]
            subprocess.run(command, check=True)
            cache.mkdir(parents=True, exist_ok=True)
            shutil.move(pathlib.Path(folder, name), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        sys.exit(f"gdal: {path} is not the wheel that was checked: SHA-256 {digest}")
    return path


def unpack(wheel: pathlib.Path, library: pathlib.Path) -> pathlib.Path:
    """Unpacks libraries and tables; returns GDAL's shared library."""
    places = {"rasterio.libs/": "lib", "rasterio/gdal_data/": "share/gdal", "rasterio/proj_data/": "share/proj"}
    for place in places.values():
        shutil.rmtree(library / place, ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            for prefix, place in places.items():
                if name.startswith(prefix) and not name.endswith("/"):
                    target = library / place / name[len(prefix) :]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(archive.read(name))
    (found,) = (library / "lib").glob("libgdal-*.so.*")
    return found


def point_to(library: pathlib.Path, gdal: pathlib.Path) -> None:
    """Has the library ask for that GDAL: the name in its table of names gives way to one of the same length, so that nothing
    in the file moves, and the file gets it. It is what the system calls this version."""
    needed = subprocess.run(["objdump", "-p", str(library)], capture_output=True, check=True, text=True).stdout
    (old,) = (line.split()[1] for line in needed.splitlines() if "NEEDED" in line and "libgdal" in line)
    new = "libgdal.so." + gdal.name.split(".so.")[1].split(".")[0]
    content = library.read_bytes()
    if len(old) != len(new) or content.count(b"\0" + old.encode() + b"\0") != 1:
        sys.exit(f"gdal: {library} asks for {old}, which cannot be made {new}")
    aside = library.with_suffix(".new")
    aside.write_bytes(content.replace(b"\0" + old.encode() + b"\0", b"\0" + new.encode() + b"\0"))
    aside.chmod(library.stat().st_mode)
    aside.rename(library)
    gdal.rename(gdal.with_name(new))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("cache", type=pathlib.Path)
    options = parser.parse_args()
    wheel = fetch(options.cache)
    gdal = unpack(wheel, options.library)
    # Named after what they are made from, so that they are compiled once.
    key = hashlib.sha256((HERE / "gdal_drivers.py").read_bytes() + SHA256.encode()).hexdigest()[:12]
    drivers = options.cache / f"drivers-{key}" / "ogr_swath.so"
    if not drivers.is_file():
        drivers.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, str(HERE / "gdal_drivers.py"), str(drivers), str(gdal)], check=True)
    plugins = options.library / "lib/gdalplugins"
    plugins.mkdir()
    shutil.copy(drivers, plugins / drivers.name)
    point_to(options.library / "libswath.so", gdal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
