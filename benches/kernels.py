"""Starts the kernels that the benches compare: ours, evcxr_jupyter with the library as a path dependency, ipykernel."""

import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "python"))
os.environ.setdefault("SWATH_TEST_PATIENCE", "10")

CACHE = Path(os.environ.get("SWATH_CACHE", Path.home() / ".cache" / "swath"))
PEERS = CACHE / "peers"
os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(PEERS / "share" / "jupyter"), os.environ.get("JUPYTER_PATH")]))

from harness import Kernel, descendants  # noqa: E402

PEER_SETUP = f':dep swath = {{ path = "{ROOT}" }}\nuse swath::prelude::*;'


def swath() -> Kernel:
    return Kernel(name="swath")


def evcxr() -> Kernel:
    """Its session folder is kept, so that the dependency is compiled once and not at every run."""
    # jemalloc's settings are for rustc; they would also change the peer's own memory.
    return Kernel(name="evcxr", env={**os.environ, "EVCXR_TMPDIR": str(PEERS / "session")})


def ipython() -> Kernel:
    return Kernel(name="python3")


def evcxr_is_there() -> bool:
    """Whether `benches/peers/setup-evcxr.sh` has run to its end; the program alone is no kernel with the library built."""
    return (PEERS / "session" / "target").exists() and any((PEERS / "share" / "jupyter" / "kernels").glob("*/kernel.json"))


def median(values) -> float:
    return statistics.median(values)


def geometric_mean(values) -> float:
    return statistics.geometric_mean(values)


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def resident_mib(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


__all__ = [
    "CACHE", "Kernel", "PEERS", "PEER_SETUP", "ROOT", "descendants", "evcxr", "evcxr_is_there", "geometric_mean",
    "ipython", "median", "resident_mib", "swath", "table",
]
