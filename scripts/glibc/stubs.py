"""Makes a folder against which programs are linked so that they start with an old GNU C library.

usage: stubs.py FOLDER [VERSION]      VERSION defaults to 2.28 (RHEL 8)

A linker binds each symbol to its newest version in the libc.so.6 of the machine that builds: `pow` to the one of 2.29,
`pthread_create` to the one of 2.34, though the older ones are there still and do the same. FOLDER gets libraries without
code that name, of each symbol of this machine's C library, the newest version that is not newer than VERSION, and no other
symbols. Their dynamic names are the real ones, so that the real ones are loaded. What only newer libraries have is in
compat.c. A program that needs more does not link, and the linker says which symbol.

FOLDER/shared/cc and FOLDER/program/cc stand for `cc` where shared libraries and programs are linked; that for the other is
printed with `--program`. A flag of rustc would not do: the folder must be searched before all others.
"""

import argparse
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
LIBRARIES = ["libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1", "libresolv.so.2"]
LOADER = "ld-linux-x86-64.so.2"
# What the linker finds in place of itself, or with a new version, when it was moved into libc.so.6 in 2.32 to 2.34.
MOVED = re.compile(r"^(dl.*)$|^(aio_|lio_|mq_|shm_|timer_).*$|^(openpty|forkpty|login.*|logout|logwtmp)$|^(pthread_|sem_|__pthread|mtx_|thrd_|cnd_|tss_).*$")
MOVED_TO = ["libdl.so.2", "librt.so.1", "libutil.so.1", "libpthread.so.0"]


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.removeprefix("GLIBC_").split("."))


def where(library: str) -> pathlib.Path | None:
    """The library that the compiler would link, behind linker scripts."""
    found = subprocess.run(["cc", f"-print-file-name={library}"], capture_output=True, text=True, check=True).stdout.strip()
    return pathlib.Path(found) if "/" in found else None


def symbols(library: pathlib.Path, limit: tuple[int, ...]):
    """Name, kind, size and version of what the library defines: of each name the newest version within the limit."""
    table = subprocess.run(["objdump", "-T", str(library)], capture_output=True, text=True, check=True).stdout
    newest, moved = {}, set()
    for line in table.splitlines():
        found = re.match(r"^[0-9a-f]{16} .{5}(.)(.) (\S+)\s+([0-9a-f]{16})\s+\(?(GLIBC_[0-9.]+)\)?\s+(\S+)$", line)
        if not found or found[3] in ("*UND*", "*ABS*"):
            continue
        version = number(found[5])
        if version > limit:
            if (2, 32) <= version <= (2, 34):
                moved.add(found[6])
            continue
        kind = "function" if found[2] in "Fi" else "object"
        if found[3] == ".tbss":
            continue
        known = newest.get(found[6])
        if known is None or known[2] < version:
            newest[found[6]] = (kind, int(found[4], 16), version)
    return newest, moved


def write_library(folder: pathlib.Path, name: str, defined) -> None:
    versions = sorted({version for _, _, version in defined.values()})
    lines = [".text"]
    for index, (symbol, (kind, size, version)) in enumerate(sorted(defined.items())):
        label = f"s{index}"
        text = "GLIBC_" + ".".join(map(str, version))
        if kind == "object":
            lines += [".data", f".type {label}, @object", f".size {label}, {size}", f".globl {label}", f"{label}: .skip {max(size, 1)}"]
        else:
            lines += [".text", f".type {label}, @function", f".globl {label}", f"{label}: nop"]
        lines.append(f".symver {label}, {symbol}@@{text}")
    source, script = folder / f"{name}.s", folder / f"{name}.versions"
    source.write_text("\n".join(lines + ['.section .note.GNU-stack,"",@progbits', ""]))
    script.write_text("".join(f"GLIBC_{'.'.join(map(str, version))} {{ }};\n" for version in versions) + "OURS { local: s*; };\n")
    subprocess.run(
        ["cc", "-shared", "-nostdlib", "-o", str(folder / name), str(source), f"-Wl,-soname,{name}", f"-Wl,--version-script={script}"],
        check=True,
    )
    source.unlink()
    script.unlink()


def make(folder: pathlib.Path, limit: tuple[int, ...]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for library in [*LIBRARIES, LOADER]:
        path = where(library)
        found[library], moved = symbols(path, limit) if path else ({}, set())
        if library == "libc.so.6":
            elsewhere = moved
    for symbol in sorted(elsewhere):
        match = MOVED.match(symbol)
        if match and symbol in found["libc.so.6"]:
            target = MOVED_TO[[group is not None for group in match.groups()].index(True)]
            found[target][symbol] = found["libc.so.6"].pop(symbol)
    for library, defined in found.items():
        write_library(folder, library, defined)
    for source in ["compat", "start"]:
        subprocess.run(["cc", "-O2", "-fPIC", "-fno-builtin", "-c", str(HERE / f"{source}.c"), "-o", str(folder / f"{source}.o")], check=True)
    (folder / "libcompat.a").unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", str(folder / "libcompat.a"), str(folder / "compat.o")], check=True)
    rest = " ".join(str(folder / name) for name in [*LIBRARIES[2:], LOADER])
    for library in LIBRARIES:
        name = library.split(".")[0]
        (folder / f"{name}.so").write_text(f"INPUT ( {folder / library} )\n")
    # The system's libgcc_s.so.1 itself may need what is new; at run time there is the other machine's.
    shared = f'exec cc -L{shlex.quote(str(folder))} "$@" -Wl,--allow-shlib-undefined'
    program = f"{shared} {shlex.quote(str(folder / 'start.o'))} -Wl,--wrap=__libc_start_main"
    for name, command in [("shared", shared), ("program", program)]:
        wrapper = folder / name / "cc"
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(f"#!/bin/sh\n{command}\n")
        wrapper.chmod(0o755)
    # As the system's own libc.so, with the libraries that libc.so.6 has taken up since.
    (folder / "libc.so").write_text(f"GROUP ( {folder / 'libc.so.6'} {folder / 'libcompat.a'} AS_NEEDED ( {rest} ) )\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("version", nargs="?", default="2.28")
    parser.add_argument("--program", action="store_true")
    options = parser.parse_args()
    folder = options.folder.resolve()
    sources = "".join((HERE / name).read_text() for name in ["stubs.py", "compat.c", "start.c"])
    libc = where("libc.so.6")
    stamp, key = folder / "stamp", f"{options.version} {libc} {libc.stat().st_mtime_ns if libc else 0}\n{sources}"
    if not stamp.is_file() or stamp.read_text() != key:
        make(folder, number(options.version))
        stamp.write_text(key)
    print(folder / ("program" if options.program else "shared") / "cc")
    return 0


if __name__ == "__main__":
    sys.exit(main())
