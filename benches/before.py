"""Warm cells of this kernel beside those of an earlier one, execute_request to idle: did they get slower?

Both run at the same time and take turns in every round, the first place too, so that both see the same machine. The
earlier one is a folder with `swath`, `swath-cell` and `lib-swath`, copied from `$CARGO_TARGET_DIR/release`.

usage: before.py [FOLDER] [--now FOLDER] [--rounds 40]
"""

import argparse
import json
import os
import random
import shutil
import tempfile
from pathlib import Path

from cells import CELLS, OPEN, town
from kernels import CACHE, Kernel, geometric_mean, median, table

# The session that both hold: 40 items, a user's type, a function.
SETUP = [f"fn step_{i}(x: f64) -> f64 {{ x * {i}.0 + 1.0 }}\n"
         f"#[derive(Debug, Clone)] struct Record{i} {{ value: f64, name: String }}" for i in range(20)]
SETUP += ["#[derive(Debug, Clone)]\nstruct Place { x: f64, y: f64, names: Vec<String> }",
          "fn twice(x: f64) -> f64 { x * 2.0 }"]
MORE_CELLS = {
    "a `let` of a user's struct": "let place = Place {{ x: {i}.0, y: 2.0, names: vec![] }};",
    "a use of that variable": "place.x + {i}.5",
    "a `fn` redefined": "fn again(x: f64) -> f64 {{ x + {i}.0 }}",
    "a `struct` redefined": "#[derive(Debug)]\nstruct Again {{ field_{i}: u64 }}",
    "a call among 40 items": "step_3({i}.0) + step_17(2.0)",
    "a `println!`": 'println!("round {{}}", {i});',
    "two statements and a value": "let mut values = vec![{i}.0, 2.0]; values.push(twice(1.5)); values.len()",
}
KINDS = {**CELLS, **MORE_CELLS}


def start(folder: Path, specs: Path, name: str) -> Kernel:
    """A kernel from a folder with our programs, by a kernelspec of its own."""
    spec = specs / "kernels" / name
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({
        "argv": [str(folder / "swath"), "kernel", "-f", "{connection_file}"], "display_name": name, "language": "rust",
        "interrupt_mode": "message",
    }))
    environment = {**os.environ, "SWATH_LIB_DIR": str(folder / "lib-swath")}
    return Kernel(name=name, env=environment)


def spread(rounds: list[dict[str, float]], draws: int = 400) -> tuple[float, float, float]:
    """The geometric mean over the kinds of their median ratios, and the middle 95 % of it when rounds are drawn anew."""
    def mean(chosen: list[dict[str, float]]) -> float:
        return geometric_mean([median([each[kind] for each in chosen]) for kind in KINDS])

    drawn = random.Random(1)
    means = sorted(mean(drawn.choices(rounds, k=len(rounds))) for _ in range(draws))
    return mean(rounds), means[int(draws * 0.025)], means[int(draws * 0.975)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path, nargs="?", default=CACHE / "before")
    parser.add_argument("--now", type=Path, default=Path(os.environ.get("CARGO_TARGET_DIR", CACHE / "target")) / "release")
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="swath-before-"))
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("JUPYTER_PATH")]))
    kernels = [start(options.before, folder, "swath-before"), start(options.now, folder, "swath-now")]
    path = town(kernels[1], folder)
    for kernel in kernels:
        for code in [OPEN.format(path=path), *SETUP]:
            kernel.ok(code)

    times = {kind: ([], []) for kind in KINDS}
    rounds = []
    for i in range(options.rounds + 2):
        ratios = {}
        for kind, code in KINDS.items():
            took = [0.0, 0.0]
            for which in (0, 1) if i % 2 else (1, 0):
                took[which] = kernels[which].ok(code.format(i=i)).seconds
            ratios[kind] = took[1] / took[0]
            if i >= 2:
                times[kind][0].append(took[0])
                times[kind][1].append(took[1])
        if i >= 2:
            rounds.append(ratios)

    rows = [[kind, f"{1000 * median(before):.0f} ms", f"{1000 * median(now):.0f} ms", f"{median(now) / median(before):.3f}",
             f"{median([each[kind] for each in rounds]):.3f}"] for kind, (before, now) in times.items()]
    print(table(["cell", "before", "now", "ratio of medians", "median ratio"], rows))
    mean, low, high = spread(rounds)
    print(f"\ngeometric mean of the median ratios: {mean:.3f} (95 % {low:.3f} to {high:.3f}; goal at most 1.05), "
          f"of the ratios of medians: {geometric_mean([median(now) / median(before) for before, now in times.values()]):.3f}; "
          f"{options.rounds} rounds, before = {options.before}")
    for kernel in kernels:
        kernel.close()
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    os.environ.pop("MALLOC_CONF", None)
    main()
