"""Packs an installation (`swath install --prefix STAGE --with-toolchain`) as a wheel that any pip installs.

usage: pack.py STAGE OUT --version 0.1.0 --tag manylinux_2_28_x86_64 [--build NAME] [--require "NAME; EXTRA"]

A wheel knows no links, and pip keeps only the bit that makes a file executable. What lies below STAGE goes below the prefix
of the environment (`.data/data`); the command `swath`, a link in STAGE, becomes a script of the environment (`.data/scripts`);
papermill's translator becomes an ordinary module. The same STAGE gives the same bytes: names in order, one time for all.
"""

import argparse
import base64
import hashlib
import os
import pathlib
import stat
import sys
import zipfile

# The least that ZIP knows; SOURCE_DATE_EPOCH is not asked, since nothing in the wheel depends on the day.
TIME = (1980, 1, 1, 0, 0, 0)
# The highest makes the whole one hundredth smaller, in four times the time.
LEVEL = 7
METADATA = """Metadata-Version: 2.4
Name: {name}
Version: {version}
Summary: Geospatial deep learning in Rust notebooks: a Jupyter kernel with its own compiler
License-Expression: {license}
License-File: LICENSE-MIT
License-File: LICENSE-APACHE
License-File: licenses/THIRD-PARTY.txt
Requires-Python: >=3.9
{requires}Description-Content-Type: text/markdown

{readme}"""
README = """# Swath

The Jupyter kernel **Rust (Swath)** with everything that it needs: the library, the Rust compiler for cells, GDAL and PROJ with
their tables. No Rust, no C compiler and no GDAL have to be on the machine.

    pip install {file} jupyterlab
    swath notebooks            # writes the tutorials into ./swath-notebooks
    jupyter lab swath-notebooks

It runs on x86-64 Linux with glibc {glibc} or newer. `swath doctor` says what else is missing, `pip uninstall swath` removes all of it.
The licenses of everything in this wheel are in its folder `licenses`.
"""
# Started as bin/swath, or by a link to it; what it starts lies in the same prefix.
SCRIPT = """#!/bin/sh
exec "$(dirname "$(readlink -f "$0")")/../lib/swath/{version}/swath" "$@"
"""


class Wheel:
    """A wheel file that is written member by member."""

    def __init__(self, path: pathlib.Path, information: str) -> None:
        self.information = information
        self.rows: list[str] = []
        self.archive = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL)

    def add(self, name: str, content: bytes, executable: bool = False) -> None:
        info = zipfile.ZipInfo(name, TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
        self.archive.writestr(info, content, compresslevel=LEVEL)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        quoted = '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
        self.rows.append(f"{quoted},sha256={digest},{len(content)}")

    def close(self) -> None:
        record = f"{self.information}/RECORD"
        text = "\n".join([*self.rows, f"{record},,", ""])
        info = zipfile.ZipInfo(record, TIME)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        self.archive.writestr(info, text, compresslevel=LEVEL)
        self.archive.close()


def files_below(folder: pathlib.Path):
    """All files in the order of their names; links are errors, since a wheel cannot hold them."""
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        if path.is_symlink():
            sys.exit(f"pack: a wheel holds no links: {path}")
        if path.is_file():
            yield path, path.relative_to(folder).as_posix()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("stage", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--name", default="swath")
    parser.add_argument("--version", required=True)
    parser.add_argument("--tag", required=True, help="platform tag, such as manylinux_2_28_x86_64")
    parser.add_argument("--licenses", type=pathlib.Path, required=True, help="the folder with the texts of all licenses")
    parser.add_argument("--license", default="MIT OR Apache-2.0", help="the SPDX expression for the whole wheel")
    parser.add_argument("--require", action="append", default=[], help="a line for Requires-Dist")
    parser.add_argument("--extra", action="append", default=[], help="a name for Provides-Extra")
    parser.add_argument("--papermill", type=pathlib.Path, help="papermill's translator, a module")
    options = parser.parse_args()

    version, tag = options.version, options.tag
    stem = f"{options.name.replace('-', '_')}-{version}"
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{stem}-py3-none-{tag}.whl"
    new = path.with_suffix(".new")
    wheel = Wheel(new, f"{stem}.dist-info")
    if options.papermill:
        wheel.add(options.papermill.name, options.papermill.read_bytes())
    command = options.stage / "bin/swath"
    command.unlink(missing_ok=True)
    for file, name in files_below(options.stage):
        wheel.add(f"{stem}.data/data/{name}", file.read_bytes(), os.access(file, os.X_OK))
    wheel.add(f"{stem}.data/scripts/swath", SCRIPT.format(version=version).encode(), executable=True)
    # What describes the wheel comes last, as the specification recommends.
    requires = "".join(f"Provides-Extra: {extra}\n" for extra in options.extra)
    requires += "".join(f"Requires-Dist: {requirement}\n" for requirement in options.require)
    readme = README.format(file=path.name, glibc=".".join(tag.split("_")[1:3]))
    text = METADATA.format(name=options.name, version=version, license=options.license, requires=requires, readme=readme)
    for file, name in files_below(options.licenses):
        wheel.add(f"{stem}.dist-info/licenses/{name}", file.read_bytes())
    wheel.add(f"{stem}.dist-info/METADATA", text.encode())
    wheel.add(
        f"{stem}.dist-info/WHEEL",
        f"Wheel-Version: 1.0\nGenerator: swath ({version})\nRoot-Is-Purelib: false\nTag: py3-none-{tag}\n".encode(),
    )
    if options.papermill:
        module = options.papermill.stem
        wheel.add(f"{stem}.dist-info/entry_points.txt", f"[papermill.engine]\nswath = {module}:SwathEngine\n".encode())
    wheel.close()
    os.replace(new, path)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
