"""From a wheel to the first result of a cell: what pip takes, what of it is unpacking, and the first start.

usage: wheel.py [WHEEL] [--times 3]      WHEEL: the one in dist/

Each round makes a fresh environment with jupyter_client, which is not counted, and then installs the wheel and starts a kernel. The
goals of the first result are 60 s from pip's start and 1.5 s from the kernel's.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
FIRST = """
import time
from jupyter_client import KernelManager
began = time.monotonic()
manager = KernelManager(kernel_name="swath")
manager.start_kernel()
client = manager.client()
client.start_channels()
client.wait_for_ready(timeout=120)
seen = []
client.execute_interactive("6 * 7", timeout=120, output_hook=lambda it: seen.append(it["content"].get("data", {}).get("text/plain")))
print(time.monotonic() - began)
assert "42" in seen, seen
client.stop_channels()
manager.shutdown_kernel(now=True)
"""


def took(*words: str) -> float:
    began = time.monotonic()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def first_result(python: pathlib.Path) -> float:
    return float(subprocess.run([str(python), "-c", FIRST], check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("wheel", nargs="?", type=pathlib.Path)
    parser.add_argument("--times", type=int, default=3)
    options = parser.parse_args()
    wheel = options.wheel or next((ROOT / "dist").glob("swath-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        unpacked = sum(info.file_size for info in archive.infolist())
        count = len(archive.infolist())
    rows: dict[str, list[float]] = {"unpacking alone": [], "pip install of the wheel": [], "first start to first result": [], "second start": []}
    for _ in range(options.times):
        with tempfile.TemporaryDirectory(prefix="swath-bench-") as name:
            folder = pathlib.Path(name)
            subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
            pip = [str(folder / "env/bin/pip"), "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "jupyter_client"], check=True)
            rows["unpacking alone"].append(took(sys.executable, "-m", "zipfile", "-e", str(wheel), str(folder / "unpacked")))
            shutil.rmtree(folder / "unpacked")
            rows["pip install of the wheel"].append(took(*pip, "--no-deps", str(wheel)))
            rows["first start to first result"].append(first_result(folder / "env/bin/python"))
            rows["second start"].append(first_result(folder / "env/bin/python"))
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.0f} MB, {count} files, {unpacked / 1e6:.0f} MB unpacked; load {os.getloadavg()[0]:.0f}\n")
    print("| | median | all |\n|---|---|---|")
    for row, seconds in rows.items():
        print(f"| {row} | {statistics.median(seconds):.1f} s | {', '.join(f'{it:.1f}' for it in seconds)} |")
    total = statistics.median(a + b for a, b in zip(rows["pip install of the wheel"], rows["first start to first result"]))
    print(f"| **wheel to first result** (goal 60 s + 1.5 s) | **{total:.1f} s** | |")


if __name__ == "__main__":
    main()
