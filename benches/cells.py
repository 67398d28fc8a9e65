"""Warm cells through the wire, execute_request to idle: ours beside evcxr_jupyter with the same library as a plain path
dependency, and beside bare `rustc` + link of evcxr's own generated file at its defaults. The kernels take turns in every
round, so that both see the same machine.

usage: cells.py [--rounds 30] [--town DIR] [--prepare-peer]
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from kernels import (
    PEER_SESSION, PEER_SETUP, ROOT, evcxr, evcxr_is_there, geometric_mean, median, peer_environment, swath, table,
)

# `{i}` changes in every round: evcxr does not compile a file that did not change.
CELLS = {
    "`scene`": "scene",
    "`scene.size()`": "scene.size()",
    "`1 + 1`": "1 + {i}",
    "a `fn`": "fn area(width: usize, height: usize) -> usize {{ width * height + {i} }}",
    "a `let`": "let half = scene.size().0 / 2 + {i};",
}
OPEN = 'let scene = Scene::open("{path}").unwrap();'


def town(kernel, folder: Path) -> str:
    kernel.ok(f'let town = swath::samples::town_in("{folder}", 7, 512)?;')
    return kernel.ok("town.scene_path.display().to_string()").text.strip('"')


def bare_rustc(rounds: int) -> float | None:
    """Seconds of rustc with its link on the file that evcxr generated last, with the flags of evcxr's profile."""
    session = PEER_SESSION
    environment = peer_environment()
    said = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True, env=environment).stdout
    host = re.search(r"host: (\S+)", said)[1]
    deps = session / "target" / host / "debug" / "deps"
    libraries = sorted(deps.glob("libswath-*.rlib"), key=lambda path: path.stat().st_mtime)
    if not libraries:
        return None
    folder = Path(tempfile.mkdtemp())
    shutil.copy(session / "src" / "lib.rs", folder / "lib.rs")
    command = [
        "rustc", "--crate-name", "ctx", "--edition=2024", str(folder / "lib.rs"), "--crate-type", "cdylib", "--emit=link",
        "-C", "opt-level=2", "-C", "codegen-units=16", "-C", "debug-assertions=on", "-C", "overflow-checks=on",
        "-C", "embed-bitcode=no", "-C", "rpath", "-C", "strip=debuginfo", "-C", "prefer-dynamic",
        "-L", f"dependency={deps}",
        "-L", f"dependency={session / 'target' / 'debug' / 'deps'}",  # procedural macros are the host's
        "--extern", f"swath={libraries[-1]}", "--out-dir", str(folder), "-A", "warnings",
    ]
    for search in {line.split("=", 1)[1] for path in (session / "target" / host / "debug" / "build").glob("*/output")
                   for line in path.read_text(errors="replace").splitlines() if line.startswith("cargo:rustc-link-search")}:
        command += ["-L", search]
    times = []
    for _ in range(rounds):
        began = time.monotonic()
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL, env=environment)
        times.append(time.monotonic() - began)
    shutil.rmtree(folder)
    return median(times)


def prepare_peer() -> None:
    began = time.monotonic()
    with evcxr() as peer:
        cell = peer.run(PEER_SETUP, seconds=600)
        print(f"evcxr_jupyter: the dependency took {time.monotonic() - began:.0f} s: {cell.status}")
        if cell.status != "ok":
            raise SystemExit(cell.everything()[-4000:])


def long_notebook(kernel) -> tuple[float, float]:
    """Median time of the first cells, and of the cells around the 100th after 40 definitions."""
    first = median([kernel.ok(f"{i} + 1").seconds for i in range(5)])
    for i in range(20):
        kernel.ok(f"fn step_{i}(x: f64) -> f64 {{ x * {i}.0 + 1.0 }}")
        kernel.ok(f"#[derive(Debug, Clone)] struct Record{i} {{ value: f64, name: String }}\n"
                  f"impl Record{i} {{ fn double(&self) -> f64 {{ 2.0 * self.value }} }}")
    for i in range(50):
        kernel.ok(f"let value_{i} = step_{i % 20}({i}.0);")
    return first, median([kernel.ok(f"{i} + 2").seconds for i in range(5)])


def own_network(kernel, times: int = 5) -> float:
    """Median time of tutorial 2's cell with a network of one's own (`#[derive(Module)]`), each time as another type."""
    notebook = json.loads((ROOT / "notebooks" / "02_your_own_data.ipynb").read_text())
    source = next("".join(cell["source"]) for cell in notebook["cells"] if "derive(Module" in "".join(cell["source"]))
    return median([kernel.ok(re.sub(r"\bSmall\b", f"Small{i}", source)).seconds for i in range(times)])


def with_a_crate(kernel) -> tuple[float, float]:
    """Median time of a cell before and after `%dep` of a crate."""
    before = median([kernel.ok(f"{i} + 3").seconds for i in range(10)])
    folder = Path(tempfile.mkdtemp(prefix="swath-bench-crate-"))
    (folder / "src").mkdir()
    (folder / "Cargo.toml").write_text('[package]\nname = "added"\nversion = "0.1.0"\nedition = "2024"\n')
    (folder / "src" / "lib.rs").write_text("pub fn one() -> u32 { 1 }\n")
    kernel.ok(f'%dep added = {{ path = "{folder}" }}', seconds=120)
    kernel.ok("added::one()")
    after = median([kernel.ok(f"{i} + 4").seconds for i in range(10)])
    shutil.rmtree(folder)
    return before, after


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--prepare-peer", action="store_true")
    options = parser.parse_args()
    if options.prepare_peer:
        prepare_peer()
        return

    folder = Path(tempfile.mkdtemp(prefix="swath-bench-"))
    ours = swath()
    path = town(ours, folder)
    ours.ok(OPEN.format(path=path))
    peer = None
    if evcxr_is_there():
        peer = evcxr()
        peer.ok(PEER_SETUP, seconds=360)
        peer.ok(OPEN.format(path=path), seconds=120)
    times = {name: ([], []) for name in CELLS}
    for i in range(options.rounds + 2):
        for name, code in CELLS.items():
            for kernel, index in ((ours, 0), (peer, 1)):
                if kernel is not None:
                    took = kernel.ok(code.format(i=i)).seconds
                    if i >= 2:
                        times[name][index].append(took)

    rows, ratios = [], []
    for name, (mine, its) in times.items():
        row = [name, f"{1000 * median(mine):.0f} ms"]
        if its:
            ratios.append(median(mine) / median(its))
            row += [f"{1000 * median(its):.0f} ms", f"1/{1 / ratios[-1]:.1f}"]
        rows.append(row)
    print(table(["cell", "swath", "evcxr_jupyter", "ratio"][: len(rows[0])], rows))
    all_mine = geometric_mean([median(mine) for mine, _ in times.values()])
    print(f"\ngeometric mean of ours: {1000 * all_mine:.0f} ms")
    if ratios:
        print(f"geometric mean of the ratios: 1/{1 / geometric_mean(ratios):.1f} (goal 1/8, none above 1/5)")
        bare = bare_rustc(max(5, options.rounds // 3))
        if bare:
            print(f"bare rustc + link of evcxr's generated file: {1000 * bare:.0f} ms; ours is {all_mine / bare:.2f} of it (goal 0.6)")
    first, hundredth = long_notebook(ours)
    print(f"first cells {1000 * first:.0f} ms, 100th cell with 40 definitions {1000 * hundredth:.0f} ms: "
          f"{hundredth / first:.2f} x (goal 1.3)")
    print(f"a network of one's own, `#[derive(Module)]` with its imports: {1000 * own_network(ours):.0f} ms")
    before, after = with_a_crate(ours)
    print(f"a cell before and after `%dep`: {1000 * before:.0f} ms, {1000 * after:.0f} ms: {after / before:.2f} x")
    for kernel in (ours, peer):
        if kernel is not None:
            kernel.close()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.environ.pop("MALLOC_CONF", None)
    main()
