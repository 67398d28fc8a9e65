"""Executes notebooks with the kernel they name, cell by cell, and prints the time of each.

usage: run_notebooks.py [--in-place] [--out DIR] NOTEBOOK...

Stops at the first error and shows it. Executed copies go to out/notebooks as .ipynb and .html; `--in-place` also
writes the outputs back into the notebook. Lines that a notebook prints with `SCORE ` in front are shown as they come.
"""

import argparse
import pathlib
import sys
import time

import nbclient
import nbconvert
import nbformat


def first_line(source: str) -> str:
    for line in source.splitlines():
        if line.strip() and not line.strip().startswith("//"):
            return line.strip()[:72]
    return source.strip()[:72]


class Narrator:
    """Prints what happens while a notebook runs."""

    def __init__(self) -> None:
        self.began = 0.0
        self.code_cells = 0
        self.seconds: list[float] = []

    def start(self, cell, cell_index) -> None:
        self.began = time.monotonic()

    def executed(self, cell, cell_index, execute_reply) -> None:
        took = time.monotonic() - self.began
        self.code_cells += 1
        self.seconds.append(took)
        print(f"    [{self.code_cells:2}] {took:8.2f} s  {first_line(cell.source)}", flush=True)
        for output in cell.outputs:
            if output.output_type == "stream":
                for line in output.text.splitlines():
                    if line.startswith("SCORE "):
                        print(f"    {line}", flush=True)


def run(path: pathlib.Path, out: pathlib.Path, in_place: bool) -> bool:
    notebook = nbformat.read(path, as_version=4)
    narrator = Narrator()
    client = nbclient.NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=180,
        record_timing=False,
        kernel_name=notebook.metadata.get("kernelspec", {}).get("name", "swath"),
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=narrator.start,
        on_cell_executed=narrator.executed,
    )
    print(f"{path}", flush=True)
    began = time.monotonic()
    failed = None
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        failed = str(error)
    except (nbclient.exceptions.DeadKernelError, nbclient.exceptions.CellTimeoutError, RuntimeError) as error:
        failed = f"{type(error).__name__}: {error}"
    took = time.monotonic() - began

    out.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, out / path.name)
    html, _ = nbconvert.HTMLExporter(template_name="lab").from_notebook_node(notebook)
    (out / path.with_suffix(".html").name).write_text(html, encoding="utf-8")
    if failed:
        print(f"    FAILED after {took:.1f} s:\n{failed}", flush=True)
        return False
    if in_place:
        nbformat.write(notebook, path)
    slowest = sorted(narrator.seconds)[-1:] or [0.0]
    print(f"    {narrator.code_cells} code cells in {took:.1f} s, the longest {slowest[0]:.1f} s", flush=True)
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("notebooks", nargs="+", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("out/notebooks"))
    parser.add_argument("--in-place", action="store_true")
    options = parser.parse_args()
    for path in options.notebooks:
        if not run(path, options.out, options.in_place):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
