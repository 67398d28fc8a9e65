"""The installation for others beside that of the one who has built it: kernel start to the first result, and a cell of a kernel that
runs, each in turn; and what the installation takes on the disk.

usage: installed.py [--times 7] [--packed]      as root, who installs for others and becomes one
"""

import argparse
import subprocess
import time
from pathlib import Path

from kernels import median, table

from installed import Home, OthersKernel, UID, install, open_folder, program_of

CELLS = {"`6 * 7`": "6 * 7", "a new struct": "#[derive(Debug)] struct Point { x: f64 }\nPoint { x: 1.5 }",
         "the library's": 'swath::device::Device::cpu().name().to_owned()'}
PACK = "tar -C {} -cf - lib share bin | zstd -19 --long=27 -T0 -q | wc -c"


def first_result(prefix: Path, home: Home, uid: int) -> float:
    with OthersKernel(prefix, home, uid=uid, PATH="/usr/local/bin:/usr/bin:/bin") as kernel:
        kernel.ok("6 * 7", seconds=120)
        return time.monotonic() - kernel.launched


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--packed", action="store_true", help="pack it, too, which takes minutes")
    arguments = parser.parse_args()
    with open_folder() as folder:
        prefixes = {"others'": folder / "others", "the builder's": folder / "builder"}
        install(prefixes["others'"], "--with-toolchain")
        install(prefixes["the builder's"], "--without-toolchain")
        users = {"others'": UID, "the builder's": 0}
        homes = {who: Home(folder, f"home-{uid}", owner=uid) for who, uid in users.items()}
        starts = {who: [] for who in users}
        for who in users:
            first_result(prefixes[who], homes[who], users[who])
        for _ in range(arguments.times):
            for who in users:
                starts[who].append(first_result(prefixes[who], homes[who], users[who]))
        mine, its = (median(starts[who]) for who in users)
        rows = [["start to the first result", f"{mine:.2f} s", f"{its:.2f} s", f"{mine / its:.2f} (1.1)"]]
        kernels = {who: OthersKernel(prefixes[who], homes[who], uid=users[who], PATH="/usr/local/bin:/usr/bin:/bin") for who in users}
        try:
            for name, code in CELLS.items():
                cells = {who: [] for who in users}
                for _ in range(2 * arguments.times + 1):
                    for who, kernel in kernels.items():
                        cells[who].append(kernel.ok(code).reply_after)
                # The first of each reads what the others find in memory.
                mine, its = (median(cells[who][1:]) for who in users)
                rows.append([name, f"{1000 * mine:.0f} ms", f"{1000 * its:.0f} ms", f"{mine / its:.2f} (1.1)"])
        finally:
            for kernel in kernels.values():
                kernel.close()
        print(table(["", *users, "ratio (goal)"], rows))
        programs = program_of(prefixes["others'"]).parent
        parts = {part: megabytes(programs / part) for part in ("toolchain", "lib-swath")}
        print(f"\non disk {megabytes(programs):.0f} MB (goal 550): " + ", ".join(f"{part} {size:.0f}" for part, size in parts.items()))
        if arguments.packed:
            packed = subprocess.run(PACK.format(prefixes["others'"]), shell=True, check=True, capture_output=True, text=True)
            print(f"packed {int(packed.stdout) / 1e6:.0f} MB (goal 180): {PACK.format('PREFIX')}")


if __name__ == "__main__":
    main()
