"""Gathers the texts of all licenses of what a wheel holds.

usage: licenses.py OUT --toolchain SYSROOT --libraries FOLDER [--features cuda]

OUT gets LICENSE-MIT and LICENSE-APACHE (Swath's own) and licenses/: THIRD-PARTY.txt, a list of everything with the license of
each part and a text for each; rust/, what the Rust project says about its compiler and LLVM; native/, the texts of GDAL and the
libraries that it uses. Prints the SPDX expression for the whole. A shared library without a text is an error.
"""

import argparse
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Which text is that of a shared library, by the beginning of its name, and its SPDX expression.
NATIVE = {
    "libgdal": ("gdal", "MIT"),
    "ogr_": ("gdal", "MIT"),
    "libproj": ("proj", "MIT"),
    "libgeos": ("geos", "LGPL-2.1-only"),
    "libsqlite3": ("sqlite", "blessing"),
    "libcrypto": ("openssl", "Apache-2.0"),
    "libssl": ("openssl", "Apache-2.0"),
    "libhdf5": ("hdf5", "BSD-3-Clause"),
    "libnetcdf": ("netcdf", "BSD-3-Clause"),
    "libblosc": ("blosc", "BSD-3-Clause"),
    "libcurl": ("curl", "curl"),
    "libLerc": ("lerc", "Apache-2.0"),
    "libzstd": ("zstd", "BSD-3-Clause"),
    "libjpeg": ("jpeg", "IJG AND BSD-3-Clause"),
    "libtiff": ("tiff", "libtiff"),
    "libopenjp2": ("openjpeg", "BSD-2-Clause"),
    "libwebp": ("webp", "BSD-3-Clause"),
    "libsharpyuv": ("webp", "BSD-3-Clause"),
    "libpcre2": ("pcre2", "BSD-3-Clause"),
    "libpng": ("png", "libpng-2.0"),
    "liblzma": ("xz", "0BSD"),
    "libnghttp2": ("nghttp2", "MIT"),
    "libdeflate": ("libdeflate", "MIT"),
    "libjson-c": ("json-c", "MIT"),
    "libsz": ("libaec", "BSD-2-Clause"),
    "libaec": ("libaec", "BSD-2-Clause"),
    "libgif": ("giflib", "MIT"),
}
# Compiled into one of the libraries above.
INSIDE = {"flatbuffers": ("ogr_swath", "Apache-2.0"), "lz4": ("libblosc", "BSD-2-Clause")}
# Rust's compiler, LLVM and the standard library: rust/COPYRIGHT.html.gz says which part has which.
RUST = ["(MIT OR Apache-2.0)", "Apache-2.0 WITH LLVM-exception", "Unicode-3.0", "NCSA"]
GEOS = """GEOS is under the GNU Lesser General Public License. It is here as shared libraries of its own (libgeos, libgeos_c), unmodified, as
the wheel of rasterio carries it; they can be replaced by others of the same interface. Their sources: https://libgeos.org
"""


def crates(features: str):
    """The crates inside the program, the program for cells and the library, as cargo resolves them for this machine."""
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"]
    command += ["--manifest-path", str(ROOT / "Cargo.toml")]
    if features:
        command += ["--features", f"swath/{features}" if "/" not in features else features]
    about = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    packages = {package["id"]: package for package in about["packages"]}
    nodes = {node["id"]: node for node in about["resolve"]["nodes"]}
    todo = [name for name in about["workspace_members"] if packages[name]["name"] in ("swath", "swath-kernel")]
    seen = set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for dependency in nodes[name]["deps"]:
            # What only builds or tests is not in the result. Macros are: cells use those that the library hands on.
            if any(kind["kind"] is None for kind in dependency["dep_kinds"]):
                todo.append(dependency["pkg"])
    members = set(about["workspace_members"])
    found = [packages[name] for name in seen if name not in members]
    return sorted(found, key=lambda package: (package["name"], package["version"]))


def chosen(expression: str) -> str:
    """Of alternatives, the one that is taken here."""
    parts = [part.strip("() ") for part in expression.split(" OR ")]
    if " AND " in expression or len(parts) == 1:
        return f"({expression})" if " OR " in expression else expression
    return next((part for part in ["MIT", "Apache-2.0"] if part in parts), parts[0])


def texts_of(package) -> list[str]:
    folder = pathlib.Path(package["manifest_path"]).parent
    names = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
    files = sorted(path for path in folder.iterdir() if path.is_file() and names.match(path.name))
    return [path.read_text(errors="replace").strip() for path in files]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--toolchain", type=pathlib.Path, required=True)
    parser.add_argument("--libraries", type=pathlib.Path, required=True, help="searched for shared libraries, below it too")
    parser.add_argument("--features", default="")
    options = parser.parse_args()
    out, texts = options.out, options.out / "licenses"
    shutil.rmtree(out, ignore_errors=True)
    (texts / "native").mkdir(parents=True)
    (texts / "rust").mkdir()
    for name in ["LICENSE-MIT", "LICENSE-APACHE"]:
        shutil.copy(ROOT / name, out / name)

    expressions = set(RUST) | {"(MIT OR Apache-2.0)"}
    listed = ["Everything in this wheel beside Swath itself, with its license.", "", "Native libraries (texts in native/)", ""]
    for library in sorted(path.name for path in options.libraries.rglob("*.so*") if path.is_file()):
        found = next((NATIVE[prefix] for prefix in NATIVE if library.startswith(prefix)), None)
        if found is None:
            sys.exit(f"licenses: no license text is known for {library}")
        listed.append(f"  {library}: {found[1]} (native/{found[0]}.txt)")
        shutil.copy(HERE / f"licenses/{found[0]}.txt", texts / "native" / f"{found[0]}.txt")
        expressions.add(found[1])
        for inside, (holder, expression) in INSIDE.items():
            if library.startswith(holder):
                listed.append(f"    with {inside}: {expression} (native/{inside}.txt)")
                shutil.copy(HERE / f"licenses/{inside}.txt", texts / "native" / f"{inside}.txt")
                expressions.add(expression)
    listed += ["", *GEOS.splitlines(), "", "The Rust compiler, its standard library and LLVM: rust/", ""]
    about = options.toolchain / "share/doc/rust"
    # Fourteen megabytes that are mostly the same.
    for name in ["COPYRIGHT.html", "COPYRIGHT-library.html"]:
        content = (about / name).read_bytes()
        (texts / "rust" / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
    # The Rust project's texts by their SPDX names, and two that it does not need but crates of ours that carry none do.
    for path in [*sorted((about / "licenses").iterdir()), HERE / "licenses/MPL-2.0.txt", HERE / "licenses/BSD-3-Clause.txt"]:
        shutil.copy(path, texts / "rust" / path.name)

    # One number for each different text; most crates share two.
    numbers: dict[str, int] = {}
    listed += ["Crates inside the program and the library (the numbers are those of the texts below)", ""]
    for package in crates(options.features):
        expression = (package["license"] or "see the text").replace("/", " OR ")
        if package["license"]:
            expressions.add(chosen(expression))
        found = [numbers.setdefault(text, len(numbers) + 1) for text in texts_of(package)]
        # A package without a text says who wrote it; the text itself is in rust/.
        authors = ", ".join(package["authors"]) or f"the authors of {package['name']}"
        note = ", ".join(map(str, found)) or f"copyright {authors}; its text is in rust/"
        listed.append(f"  {package['name']} {package['version']}: {expression} [{note}]")
    parts = [f"\n{'=' * 100}\n[{number}]\n\n{text}\n" for text, number in numbers.items()]
    (texts / "THIRD-PARTY.txt").write_text("\n".join(listed) + "\n" + "".join(parts))
    print(" AND ".join(sorted(expressions)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
