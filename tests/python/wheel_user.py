"""What a person does with the kernel of a wheel, run by the Python of the environment that the wheel was installed into.

usage: wheel_user.py FOLDER [--tutorial]      FOLDER: theirs, for notebooks and results

Prints one JSON object: what was seen. Every step that fails raises.
"""

import json
import pathlib
import subprocess
import sys
import time

import nbclient
import nbformat
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpecManager


def mapped(pid: int) -> list[str]:
    """Shared objects that a process and those below it have loaded."""
    found, todo = set(), [pid]
    while todo:
        process = pathlib.Path(f"/proc/{todo.pop()}")
        try:
            maps = (process / "maps").read_text()
            for task in (process / "task").iterdir():
                todo += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
        found |= {line.split(maxsplit=5)[5] for line in maps.splitlines() if ".so" in line and "/" in line}
    return sorted(found)


def one_cell(client, code: str) -> str:
    """The text of a cell's result and what it printed."""
    texts = []

    def see(message) -> None:
        content = message["content"]
        if message["msg_type"] == "error":
            raise AssertionError("\n".join(content["traceback"]))
        texts.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

    client.execute_interactive(code, timeout=120, output_hook=see)
    return "".join(texts)


def completed(client, code: str) -> list[str]:
    """What Tab offers; on a busy machine the first answer may come before the sources are read."""
    for _ in range(30):
        if found := client.complete(code, len(code), reply=True, timeout=120)["content"]["matches"]:
            return found
        time.sleep(1)
    return []


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    seen: dict[str, object] = {"kernels": sorted(KernelSpecManager().find_kernel_specs())}
    seen["version"] = subprocess.run(["swath", "--version"], capture_output=True, check=True, text=True).stdout.strip()
    began = time.monotonic()
    manager = KernelManager(kernel_name="swath")
    manager.start_kernel(cwd=str(folder))
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        seen["ready"] = round(time.monotonic() - began, 2)
        seen["first"] = one_cell(client, "let numbers = vec![3, 1, 2];\nnumbers.iter().sum::<i32>()")
        seen["first_after"] = round(time.monotonic() - began, 2)
        # The library, GDAL and PROJ with its tables: a town that is drawn, and where it lies in degrees.
        code = 'let scene = samples::town_in("town", 7, 128)?.scene()?;\nprintln!("{}", scene.raster().crs_name());\nscene'
        seen["scene"] = one_cell(client, code)
        seen["words"] = completed(client, "numbers.le")
        seen["types"] = completed(client, "let s = Scene::op")
        seen["mapped"] = mapped(manager.provisioner.pid)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)

    if "--tutorial" in sys.argv[2:]:
        subprocess.run(["swath", "notebooks", str(folder / "notebooks")], check=True, stdout=subprocess.DEVNULL)
        path = folder / "notebooks/01_first_map.ipynb"
        notebook = nbformat.read(path, as_version=4)
        began = time.monotonic()
        nbclient.NotebookClient(
            notebook, timeout=600, startup_timeout=120, kernel_name=notebook.metadata.kernelspec.name,
            resources={"metadata": {"path": str(path.parent)}},
        ).execute()
        seen["tutorial"] = round(time.monotonic() - began, 1)
        outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
        printed = "".join(output.text for output in outputs if output.output_type == "stream")
        seen["score"] = [line for line in printed.splitlines() if line.startswith("SCORE ")]
        saved = path.parent / "out/banepa"
        seen["saved"] = sorted(file.name for file in saved.iterdir())
    print(json.dumps(seen))


main()
