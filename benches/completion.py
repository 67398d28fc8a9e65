"""How long completion takes: at random positions of the three tutorials, through the wire, request to reply.

Each question holds the cells before the position as well, without running them, so that rust-analyzer must find out every
type by itself: a session in which they ran gives it the types of the variables, and has less to look at.

usage: completion.py [--positions 50] [--rounds 3] [--seed 7] [--start]

--start also reports how long after the start of a kernel the first useful answer comes, and what the helping process takes.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "python"))

from harness import Kernel, alive, descendants  # noqa: E402

# What was promised for the time after the first second: the median and 95 of 100.
PROMISED = {0.5: 0.1, 0.95: 0.4}


def tutorials() -> list[list[str]]:
    """The code cells of each tutorial."""
    found = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        found.append(["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"])
    return found


def choose(count: int, seed: int) -> list[tuple[str, int]]:
    """Texts and cursors: every character of every cell of Rust is as likely as every other."""
    places = []
    for cells in tutorials():
        before = ""
        for cell in cells:
            if cell.lstrip().startswith("%"):
                continue
            places += [(before, cell, place) for place in range(1, len(cell) + 1)]
            before += cell.rstrip() + (";\n" if not cell.rstrip().endswith((";", "}")) else "\n")
    chosen = random.Random(seed).sample(places, count)
    return [(before + cell[:place], len(before) + place) for before, cell, place in chosen]


def ask(kernel: Kernel, code: str, cursor: int) -> tuple[float, list[str]]:
    began = time.monotonic()
    reply = kernel.request("complete_request", {"code": code, "cursor_pos": cursor}, seconds=60)
    return time.monotonic() - began, reply["matches"]


def helper(kernel: Kernel) -> int:
    for pid in descendants(kernel.pid):
        try:
            if b"SWATH_CHILD=help" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0") and alive(pid):
                return pid
        except OSError:
            continue
    raise AssertionError("there is no helping process")


def wait_for_first(kernel: Kernel) -> float:
    """Seconds since the kernel's start until a method is completed."""
    while "len()" not in ask(kernel, "String::new().le", 16)[1]:
        time.sleep(0.2)
    return time.monotonic() - kernel.launched


def quantile(times: list[float], share: float) -> float:
    ordered = sorted(times)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def report(name: str, times: list[float], found: int) -> None:
    parts = [f"{name}: {len(times)} questions, {found} with candidates"]
    for share, promised in PROMISED.items():
        value = quantile(times, share)
        parts.append(f"{share:.0%} within {1000 * value:.0f} ms ({value / promised:.2f} of {1000 * promised:.0f})")
    print("; ".join(parts) + f"; longest {1000 * max(times):.0f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", action="store_true")
    options = parser.parse_args()
    places = choose(options.positions, options.seed)
    with Kernel() as kernel:
        first = wait_for_first(kernel)
        if options.start:
            status = Path(f"/proc/{helper(kernel)}/status").read_text()
            memory = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
            print(f"first useful answer {first:.1f} s after the start; the helping process takes {int(memory) // 1024} MB")
        time.sleep(1)
        for number in range(options.rounds):
            answers = [ask(kernel, code, cursor) for code, cursor in places]
            report(f"round {number + 1}", [seconds for seconds, _ in answers], sum(bool(found) for _, found in answers))


if __name__ == "__main__":
    main()
