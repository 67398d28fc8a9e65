"""Starts the kernels that the benches compare: ours, evcxr_jupyter with the library as a path dependency, ipykernel."""

import os
import re
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

# The peer's library is a copy, so that work in the tree does not make evcxr compile it again.
PEER_LIBRARY = PEERS / "library"
PEER_SETUP = f':dep swath = {{ path = "{PEER_LIBRARY}" }}\nuse swath::prelude::*;'
# Outside the home folder: evcxr's libraries find the standard library by a path relative to their folder, counted from
# where they were linked and not from where evcxr opens them, which is right only when the two share nothing but `/`.
PEER_SESSION = Path("/var/tmp") / f"swath-peer-{os.getuid()}"
# What a user's own shell has. Our scripts' CARGO_TARGET_DIR would send evcxr's libraries to where it does not look.
PEER_VARIABLES = ("PATH", "HOME", "USER", "LANG", "CARGO_HOME", "RUSTUP_HOME", "GDAL_HOME", "PKG_CONFIG_PATH",
                  "LD_LIBRARY_PATH", "CARGO_BUILD_JOBS", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")


def swath() -> Kernel:
    return Kernel(name="swath")


def evcxr() -> Kernel:
    """Its session folder is kept, so that the dependency is compiled once and not at every run."""
    PEER_SESSION.mkdir(exist_ok=True)
    return Kernel(name="evcxr", env={**peer_environment(), "EVCXR_TMPDIR": str(PEER_SESSION)})


def peer_environment() -> dict[str, str]:
    """A user's shell, and the compiler that the library is pinned to."""
    environment = {name: os.environ[name] for name in PEER_VARIABLES if name in os.environ}
    pinned = re.search(r'^channel *= *"(.*)"', (ROOT / "rust-toolchain.toml").read_text(), re.MULTILINE)[1]
    return {**environment, "RUSTUP_TOOLCHAIN": os.environ.get("RUSTUP_TOOLCHAIN", pinned)}


def ipython() -> Kernel:
    return Kernel(name="python3")


def evcxr_is_there() -> bool:
    """Whether `benches/peers/setup-evcxr.sh` has run to its end; the program alone is no kernel with the library built."""
    return (PEER_SESSION / "target").exists() and any((PEERS / "share" / "jupyter" / "kernels").glob("*/kernel.json"))


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
    "CACHE", "Kernel", "PEERS", "PEER_SESSION", "PEER_SETUP", "ROOT", "descendants", "evcxr", "evcxr_is_there", "geometric_mean",
    "ipython", "median", "peer_environment", "resident_mib", "swath", "table",
]
