"""Names the ignored tests of the library that can run on this machine, one a line.

A test that needs more than a checkout carries `#[ignore = "needs THIS and THAT"]`. `make test` runs the others with
everything, asks here for those whose needs are met, and runs them, too; the rest counts as skipped.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(os.environ.get("SWATH_ROOT", Path(__file__).parents[1]))
KNOWN = r"SWATH_DATA|SWATH_TEST_NETWORK|the right to mount|the data set [\w-]+"


def ignored(root: Path) -> list[tuple[Path, str, str]]:
    """File, name and reason of each ignored test of the package `swath`."""
    found = []
    for folder in ("src", "tests"):
        for path in sorted((root / folder).rglob("*.rs")):
            text = path.read_text(encoding="utf-8")
            for reason, name in re.findall(r'#\[ignore = "([^"]*)"\]\s*(?:#\[[^\]]*\]\s*)*fn (\w+)', text):
                found.append((path, name, reason))
    return found


def is_here(need: str) -> bool:
    if need == "SWATH_DATA":
        return Path(os.environ.get("SWATH_DATA") or ROOT.parent / "shared" / "data").is_dir()
    if need == "SWATH_TEST_NETWORK":
        return "SWATH_TEST_NETWORK" in os.environ
    if need == "the right to mount":
        trial = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        try:
            return subprocess.run(trial, capture_output=True).returncode == 0
        except OSError:
            return False
    cache = Path(os.environ.get("SWATH_CACHE") or Path.home() / ".cache" / "swath")
    return (cache / "data" / need.removeprefix("the data set ") / "swath-dataset.json").is_file()


if __name__ == "__main__":
    for _, name, reason in ignored(ROOT):
        missing = [need for need in reason.removeprefix("needs ").split(" and ") if not is_here(need)]
        if missing:
            print(f"{name}: needs {' and '.join(missing)}", file=sys.stderr)
        else:
            print(name)
