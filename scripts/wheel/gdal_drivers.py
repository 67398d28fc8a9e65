"""Compiles drivers of GDAL for vector files as one plugin of the GDAL that rasterio's wheel carries, which was built without.

usage: gdal_drivers.py OUT LIBGDAL      OUT: the plugin's file, ogr_swath.so; LIBGDAL: the shared library that will load it

GDAL keeps the interface of drivers within a minor version (3.12), so that the sources may be of another patch than the
library. They come from the crate gdal-src. Expat is the system's, as it is that of rasterio's GDAL.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

CRATE = "0.3.0+3.12.1"
# Folder below ogr/ogrsf_frmts, function that registers it. What the sources need beside GDAL's headers is in DEFINES.
DRIVERS = {
    "flatgeobuf": "RegisterOGRFlatGeobuf",
    "csv": "RegisterOGRCSV",
    "kml": "RegisterOGRKML",
    "gml": "RegisterOGRGML",
    "gpx": "RegisterOGRGPX",
    "openfilegdb": "RegisterOGROpenFileGDB",
    "mitab": "RegisterOGRTAB",
    "vrt": "RegisterOGRVRT",
}
DEFINES = {
    "flatgeobuf": ["-Dflatbuffers=gdal_flatbuffers"],
    "kml": ["-DHAVE_EXPAT=1"],
    "gml": ["-DHAVE_EXPAT=1", "-DOGR_P_WITH_SRS_CACHE"],
    "gpx": ["-DHAVE_EXPAT=1"],
    "mitab": ["-DMITAB_USE_OFTDATETIME"],
}
SKIPPED = {"test_ofgdb_write.cpp"}
# cpl_config.h as CMake writes it for Linux on x86-64; all that the headers and these drivers ask for.
CONFIG = """#ifndef CPL_CONFIG_H
#define CPL_CONFIG_H
#define SIZEOF_INT 4
#define SIZEOF_UNSIGNED_LONG 8
#define SIZEOF_VOIDP 8
#define SIZEOF_SIZE_T 8
#define USE_GCC_VISIBILITY_FLAG 1
#define HAVE_GCC_ATOMIC_BUILTINS 1
#define HAVE_GCC_BSWAP 1
#define HAVE_STD_IS_NAN 1
#define VSI_STAT64 stat64
#define VSI_STAT64_T stat64
#define CPL_MULTIPROC_PTHREAD 1
#define HAVE_GETCWD 1
#define HAVE_VSNPRINTF 1
#define HAVE_DLFCN_H 1
#define HAVE_FCNTL_H 1
#define HAVE_LOCALE_H 1
#define HAVE_UNISTD_H 1
#define HAVE_SYS_STAT_H 1
#define HAVE_SYS_TYPES_H 1
#define HAVE_UINT128_T 1
#define UNIX_STDIO_64 1
#endif
"""
HERE = pathlib.Path(__file__).resolve().parent


def sources() -> pathlib.Path:
    """The folder `source` of gdal-src, which cargo fetches and checks."""
    with tempfile.TemporaryDirectory() as folder:
        manifest = pathlib.Path(folder, "Cargo.toml")
        manifest.write_text(
            '[package]\nname = "fetch"\nversion = "0.1.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n'
            f'[dependencies]\ngdal-src = "={CRATE}"\n[workspace]\n'
        )
        pathlib.Path(folder, "lib.rs").touch()
        command = ["cargo", "metadata", "--quiet", "--format-version", "1", "--manifest-path", str(manifest)]
        packages = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)["packages"]
    found = next(package for package in packages if package["name"] == "gdal-src")
    return pathlib.Path(found["manifest_path"]).parent / "source"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("libgdal", type=pathlib.Path)
    options = parser.parse_args()
    source = sources()
    formats = source / "ogr/ogrsf_frmts"
    work = options.out.resolve().parent / "objects"
    (work / "include/gdal_version_full").mkdir(parents=True, exist_ok=True)
    (work / "include/cpl_config.h").write_text(CONFIG)
    for name in ["gdal_version.h", "gdal_version_full/gdal_version.h"]:
        (work / "include" / name).write_text((source / "gcore/gdal_version.h.in").read_text())
    includes = [work / "include", *(source / name for name in ["port", "gcore", "ogr", "alg", "apps", "frmts/mem", "frmts/vrt"])]
    includes += [formats, *(formats / name for name in ["generic", "gmlutils", "mem", "geojson"])]
    flags = ["-std=c++17", "-O1", "-fPIC", "-fvisibility=hidden", "-w", "-DGDAL_COMPILATION", *(f"-I{folder}" for folder in includes)]
    entry = work / "register.cpp"
    declared = "".join(f"void {name}();" for name in DRIVERS.values())
    called = "".join(f"{name}();" for name in DRIVERS.values())
    # The second is in the C++ library since GCC 11, which is newer than that of RHEL 8.
    entry.write_text(
        f'#include <new>\nextern "C" {{ {declared} __attribute__((visibility("default"))) void GDALRegisterMe() {{ {called} }} }}\n'
        "namespace std { void __throw_bad_array_new_length() { throw bad_array_new_length(); } }\n"
    )

    files = [(entry, [])]
    for driver in DRIVERS:
        extra = DEFINES.get(driver, [])
        files += [(path, extra) for path in sorted((formats / driver).glob("*.cpp")) if path.name not in SKIPPED]
    # The helpers of GML that no other driver of the library uses.
    files += [(path, DEFINES["gml"]) for path in sorted((formats / "gmlutils").glob("*.cpp"))]

    def compile_one(item) -> pathlib.Path:
        path, extra = item
        target = work / f"{path.parent.name}-{path.stem}.o"
        if not target.is_file():
            new = target.with_suffix(".new")
            subprocess.run(["g++", *flags, *extra, f"-I{path.parent}", "-c", str(path), "-o", str(new)], check=True)
            new.rename(target)
        return target

    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as pool:
        objects = [str(path) for path in pool.map(compile_one, files)]
    # The C++ compiler, linking as that wrapper does for C.
    linker = subprocess.run(
        [sys.executable, str(HERE.parent / "glibc/stubs.py"), str(work / "glibc")], capture_output=True, check=True, text=True
    ).stdout.strip()
    subprocess.run(
        [linker, "-shared", "-o", str(options.out), *objects, str(options.libgdal), "-lexpat", "-lstdc++", "-lm", "-Wl,-z,defs",
         "-Wl,--gc-sections", "-s"],
        check=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
