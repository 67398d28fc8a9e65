"""Batch work without a notebook: `swath train`, `init` and `run`, as a job on a cluster meets them.

The authorities: a cell with the same typed calls for the weights of `swath train` (and a run that was never stopped for one
that was), Python's nbformat for the notebooks that `swath run` writes, papermill's conventions for parameters, POSIX and
sysexits.h for exit codes.
"""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import threading
from pathlib import Path

import nbformat
import pytest

from command import SWATH
from harness import PATIENCE, Kernel

STOPPED = 75
KERNEL_ENDED = 3


def swath(*words, code: int = 0, cwd: Path | None = None, env: dict | None = None) -> subprocess.CompletedProcess:
    done = subprocess.run([SWATH, *map(str, words)], capture_output=True, text=True, timeout=300 * PATIENCE, cwd=cwd, env=env)
    assert done.returncode == code, f"swath {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def events(text: str) -> list[dict]:
    """Lines of JSON, each with its event and its time."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", line["time"]) and line["event"] for line in lines), lines
    return lines


def weights(path: Path) -> dict[str, tuple]:
    """Every tensor of a model by its name: type, shape and bytes, as the safetensors format has them."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    body = data[8 + length :]
    return {name: (it["dtype"], it["shape"], body[slice(*it["data_offsets"])]) for name, it in header.items()}


@pytest.fixture(scope="module")
def town(tmp_path_factory) -> Path:
    """A drawn town: `scene` and `labels` within its folder."""
    folder = tmp_path_factory.mktemp("town")
    told = swath("sample", "town", "--out", folder / "town", "--size", 192, "--seed", 3).stdout.split()
    for path, name in zip(told, ("scene.tif", "labels.gpkg"), strict=True):
        if Path(path).name != name:
            (folder / "town" / name).symlink_to(path)
    return folder / "town"


PROJECT = """
[scenes]
files = "{town}/scene.tif"
[labels]
file = "{town}/labels.gpkg"
class = "class"
[split]
fraction = 0.5
[chips]
count = 8
size = 64
seed = 7
[network]
encoder = "efficientnet-lite0"
pretrained = false
device = "cpu"
[fit]
epochs = {epochs}
batch = 2
learning_rate = 2e-3
seed = 5
"""


def project(folder: Path, town: Path, epochs: int = 3, more: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "houses.toml"
    path.write_text(PROJECT.format(town=town, epochs=epochs) + more)
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory, town) -> Path:
    """A training that was never stopped."""
    path = project(tmp_path_factory.mktemp("whole"), town, more='[outputs]\nscores = "out/scores.json"\npredictions = "out/maps"\n')
    done = swath("train", path)
    assert "\r" not in done.stderr, done.stderr
    for part in (r"U-Net EfficientNet-Lite0 on 8 chips of 64 px", r"epoch 3 of 3 done · training loss [\d.]+ · validation loss", r"written: .*houses\.swath"):
        assert re.search(rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ {part}", done.stderr, re.M), (part, done.stderr)
    assert "Finished: 12 steps" in done.stdout, done.stdout
    return path.parent


def test_a_project_gives_the_weights_of_the_same_choices_in_a_cell(whole, town, tmp_path):
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok(f'let scene = Scene::open("{town}/scene.tif")?.with_labels("{town}/labels.gpkg", "class")?;')
        kernel.ok("let (train, valid) = scene.split(Split::columns(0.5)); let chips = train.chips(Chips::random(8, 64).seed(7))?;")
        kernel.ok(
            "let model = Segmenter::new(Unet::efficientnet_lite0().pretrained(false), scene.classes()).device(Device::cpu());\n"
            "let run = model.fit(&chips, &valid, FitOptions::epochs(3).batch(2).lr(2e-3).seed(5).quiet(true))?;\n"
            'run.best().save("cell.swath")?;',
            seconds=300,
        )
    cell, file = weights(tmp_path / "cell.swath"), weights(whole / "houses.swath")
    assert len(file) > 50 and file == cell


def test_the_outputs_are_there(whole):
    history = json.loads((whole / "houses.history.json").read_text())
    assert [epoch["epoch"] for epoch in history["epochs"]] == [1, 2, 3] and len(history["step_losses"]) == 12
    scores = json.loads((whole / "out/scores.json").read_text())
    assert "classes" in scores or "mean_iou" in json.dumps(scores), scores
    assert (whole / "out/maps/labels.tif").is_file()
    assert (whole / "houses.checkpoints/training.safetensors").is_file()


def test_a_finished_training_that_is_started_again_trains_nothing_and_writes_the_same(whole):
    before = weights(whole / "houses.swath")
    (whole / "houses.swath").unlink()
    told = events(swath("train", whole / "houses.toml", "--json-lines").stdout)
    assert [line["event"] for line in told if line["event"] in ("resume", "epoch", "end")] == ["resume", "end"]
    assert told[-1]["exit_code"] == 0
    assert weights(whole / "houses.swath") == before


def until(process: subprocess.Popen, wanted) -> list[dict]:
    """The lines of JSON up to the first that is wanted."""
    seen = []
    for line in process.stdout:
        seen.append(json.loads(line))
        if wanted(seen[-1]):
            return seen
    raise AssertionError(f"it never came: {seen}\n{process.communicate()}")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGKILL])
def test_a_training_that_was_stopped_goes_on_to_the_weights_of_one_that_never_was(whole, town, tmp_path, stop):
    path = project(tmp_path / "stopped", town)
    process = subprocess.Popen(
        [SWATH, "train", path, "--json-lines", "--progress", "0.01"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    limit = threading.Timer(300 * PATIENCE, process.kill)
    limit.start()
    # Behind the checkpoint of the first epoch, within the second one.
    until(process, lambda line: line["event"] == "checkpoint")
    until(process, lambda line: line["event"] == "progress" and line["done"] > 4)
    process.send_signal(stop)
    out, err = process.communicate()
    limit.cancel()
    assert not (path.parent / "houses.swath").exists()
    assert (path.parent / "houses.checkpoints/training.safetensors").is_file()
    if stop == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == STOPPED, err
        assert re.search(r"stopped after step \d+; the checkpoint is .*: the same command goes on from it", err), err
        told = events(out)
        assert told[-1]["event"] == "end" and told[-1]["exit_code"] == STOPPED, told[-1]
    # A run of other settings is not gone on from, and says which.
    told = swath("train", path, "--set", "fit.learning_rate=1e-2", code=1).stderr
    assert "its lr is 0.002, this run's is 0.01" in told and "--fresh" in told, told
    done = swath("train", path, "--resume")
    assert "going on from" in done.stderr, done.stderr
    assert weights(path.parent / "houses.swath") == weights(whole / "houses.swath")


def test_a_training_begins_anew_when_that_is_asked_for(town, tmp_path):
    path = project(tmp_path / "fresh", town, epochs=1)
    told = swath("train", path, "--resume", code=1).stderr
    assert "there is no checkpoint to go on from" in told
    swath("train", path, "--set", "chips.count=4")
    swath("train", path, "--set", "chips.count=4", "--fresh", "--quiet")
    # Without the switch the checkpoint of other chips is refused.
    assert "this run's is" in swath("train", path, code=1).stderr


def test_everything_that_is_wrong_in_a_project_file_is_told_at_once(town, tmp_path):
    path = project(tmp_path / "wrong", town, more='learing_rate = 1e-3\nworkers = "two"\n[netwrok]\n')
    told = swath("train", path, code=2)
    assert told.stdout == ""
    assert "unknown key `learing_rate` in [fit]: did you mean `learning_rate`?" in told.stderr
    assert "`workers` in [fit] is \"two\", expected a whole number, 0 or more" in told.stderr
    assert "unknown section [netwrok]: did you mean [network]?" in told.stderr
    lines = [int(it) for it in re.findall(r"houses\.toml:(\d+): ", told.stderr)]
    text = path.read_text().splitlines()
    assert [text[line - 1] for line in lines] == ["learing_rate = 1e-3", 'workers = "two"', "[netwrok]"]
    told = swath("train", path.with_name("nowhere.toml"), code=1).stderr
    assert "nowhere.toml" in told, told


def test_a_check_reads_everything_and_trains_nothing(town, tmp_path):
    path = project(tmp_path / "check", town)
    told = events(swath("train", path, "--check", "--json-lines").stdout)
    (plan,) = [line for line in told if line["event"] == "plan"]
    assert (plan["chips"], plan["chip_size"], plan["task"], plan["bands"]) == (8, 64, "segmentation", 3), plan
    assert plan["classes"][0] == "background"
    assert sorted(it.name for it in path.parent.iterdir()) == ["houses.toml"]
    told = swath("train", path, "--check", "--set", "labels.file=nowhere.gpkg", code=1).stderr
    assert "error: " in told and "nowhere.gpkg" in told, told


def test_prediction_and_scores_of_several_scenes_tell_programs_what_they_do(whole, town, tmp_path):
    scenes = [tmp_path / "east.tif", tmp_path / "west.tif"]
    for scene in scenes:
        scene.symlink_to(town / "scene.tif")
    model, out = whole / "houses.swath", tmp_path / "maps"
    words = ["--device", "cpu", "--window", 64, "--json-lines", "--progress", "0.01"]
    told = events(swath("predict", model, *scenes, "-o", out, *words).stdout)
    named = [line for line in told if line["event"] == "scene"]
    assert [(line["number"], line["of"], Path(line["scene"]).name) for line in named] == [(1, 2, "east.tif"), (2, 2, "west.tif")]
    assert [Path(line["path"]) for line in told if line["event"] == "file"] == [out / "east", out / "west"]
    steps = [line for line in told if line["event"] == "progress"]
    assert steps and all({"doing", "done", "total", "seconds_left"} <= line.keys() for line in steps)
    assert any(line["done"] == line["total"] for line in steps)
    told = events(swath("evaluate", model, *scenes, "--labels", town / "labels.gpkg", "--class", "class", *words).stdout)
    assert [line for line in told if line["event"] == "scores"] and told[-1]["exit_code"] == 0
    failed = swath("predict", model, scenes[0], tmp_path / "nowhere.tif", "-o", out, *words, code=1)
    assert [line for line in events(failed.stdout) if line["event"] == "error" and "nowhere.tif" in line["message"]]


def test_a_log_has_lines_with_their_time_and_no_returns(whole, town, tmp_path):
    done = swath("predict", whole / "houses.swath", town / "scene.tif", "-o", tmp_path / "map", "--device", "cpu", "--window", 64, "--progress", "0.001")
    assert "\r" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if "predicting" in line]
    assert len(lines) > 2 and all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ predicting: ", line) for line in lines), done.stderr
    assert any(" left)" in line for line in lines), lines
    done = swath("predict", whole / "houses.swath", town / "scene.tif", "-o", tmp_path / "map", "--device", "cpu", "--progress", "0")
    assert "predicting" not in done.stderr


# --- swath init


def test_a_project_file_is_written_with_every_key_and_is_not_written_over(tmp_path):
    told = swath("init", tmp_path / "new.toml").stdout
    assert "swath train" in told
    text = (tmp_path / "new.toml").read_text()
    for line in ("[fit]", "# batch = 4", "# patience = 5  # for example", 'files = "scene.tif"'):
        assert f"\n{line}\n" in text, line
    assert "there is a file already" in swath("init", tmp_path / "new.toml", code=1).stderr
    swath("init", tmp_path / "new.toml", "--force")


def test_the_choices_of_a_notebook_become_a_project_that_trains_the_same(whole, town, tmp_path):
    cells = [
        f"%scene {town}/scene.tif labels={town}/labels.gpkg class=class",
        "%split 0.5",
        "// Few, for a test.\n%chips 8 64 seed=7",
        "let model = Segmenter::new(Unet::efficientnet_lite0().pretrained(false), scene.classes()).device(Device::cpu());\n"
        "let run = model.fit(&chips, &valid, FitOptions::epochs(3).batch(2).lr(2e-3).seed(5))?;",
        "%save best.swath",
    ]
    book = write(tmp_path / "train.ipynb", *cells)
    told = swath("init", tmp_path / "p.toml", "--from", book).stdout
    assert "not read" not in told and "to be filled in" not in told, told
    assert "# cell 3: Few, for a test.\n" in (tmp_path / "p.toml").read_text()
    swath("train", tmp_path / "p.toml")
    assert weights(tmp_path / "best.swath") == weights(whole / "houses.swath")


# --- swath run


def write(path: Path, *cells: str, tags: dict[int, list[str]] | None = None) -> Path:
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": "swath", "display_name": "Rust (Swath)", "language": "rust"}
    book.cells = [nbformat.v4.new_markdown_cell("# A notebook"), *[nbformat.v4.new_code_cell(cell) for cell in cells]]
    for index, names in (tags or {}).items():
        book.cells[index].metadata["tags"] = names
    nbformat.write(book, path)
    return path


def valid(path: Path) -> nbformat.NotebookNode:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert (book.nbformat, book.nbformat_minor) == (4, 5)
    return book


def test_a_notebook_runs_with_parameters_and_without_python(tmp_path):
    book = write(
        tmp_path / "in.ipynb",
        "let epochs: usize = 1; // how often\nlet rate: f32 = 0.5;\nlet name = \"default\";",
        'println!("{epochs} {rate} {name}");\neprintln!("warned");\nprintln!("more");',
        'let live = swath::session::Live::new(&swath::display::Output::text("0 %"));\nlive.update(&swath::display::Output::text("100 %"));',
        "epochs * 2",
        'swath::session::clear_output(false);\nstd::fs::write("here.txt", "x")?;',
        tags={1: ["parameters"], 4: ["skip-execution"]},
    )
    # Programs that a bare node has: no Python among them.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cc", "ld", "cat", "env"):
        for folder in ("/usr/bin", "/bin"):
            if Path(folder, name).exists() and not (programs / name).exists():
                (programs / name).symlink_to(Path(folder, name))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "JPY", "VIRTUAL_ENV"))}
    done = swath("run", book, "-p", "epochs=5", "-p", "rate=1", "-p", "name=new name", "-o", tmp_path / "out.ipynb",
                 env=environment | {"PATH": str(programs)}, cwd="/")
    out = valid(tmp_path / "out.ipynb")
    injected = out.cells[2]
    assert injected.metadata.tags == ["injected-parameters"]
    assert injected.source.splitlines()[2:] == ["let epochs = 5; // int", "let rate = 1; // int", 'let name = "new name"; // str']
    shown = out.cells[3]
    # Two pipes have no order among them; the text of each is one piece at most twice.
    assert "".join(it.text for it in shown.outputs if it.name == "stdout") == "5 1 new name\nmore\n"
    assert "".join(it.text for it in shown.outputs if it.name == "stderr") == "warned\n"
    (live,) = out.cells[4].outputs
    assert live.output_type == "display_data" and live.data["text/plain"] == "100 %"
    assert out.cells[5].outputs == [] and out.cells[5].execution_count is None, "its tag says that it is not run"
    assert (tmp_path / "here.txt").read_text() == "x", "cells run in the folder of the notebook"
    assert out.cells[6].execution_count == 5 and "\r" not in done.stderr
    assert re.search(r"Z \[1/6\] let epochs: usize = 1; // how often$", done.stderr, re.M), done.stderr
    assert re.search(r"Z \[6/6\] done in [\d.]+ s$", done.stderr, re.M), done.stderr


def test_mistakes_of_the_command_line_are_told_before_a_kernel_starts(tmp_path):
    book = write(tmp_path / "in.ipynb", "let epochs = 1;", tags={1: ["parameters"]})
    told = swath("run", book, "-p", "epoch=5", code=2).stderr
    assert "the notebook has no parameter `epoch`: did you mean `epochs`?" in told
    swath("run", book, "-p", "epochs", code=2)
    swath("run", tmp_path / "nowhere.ipynb", code=1)
    python = nbformat.read(book, as_version=4)
    python.metadata["kernelspec"] = {"name": "python3", "display_name": "Python", "language": "python"}
    nbformat.write(python, tmp_path / "python.ipynb")
    assert "the notebook is in python, expected Rust" in swath("run", tmp_path / "python.ipynb", code=1).stderr
    assert not list(tmp_path.glob("*.out.ipynb"))


def test_a_cell_that_fails_ends_the_run_unless_it_is_to_go_on(tmp_path):
    book = write(tmp_path / "in.ipynb", "let a = 1;", "nowhere()", "println!(\"after {a}\");", 'panic!("meant")', tags={4: ["raises-exception"]})
    done = swath("run", book, "--json-lines", code=1)
    told = events(done.stdout)
    (error,) = [line for line in told if line["event"] == "error"]
    assert error["number"] == 2 and "nowhere" in error["traceback"] and "\x1b" not in error["traceback"]
    assert told[-1]["event"] == "end" and told[-1]["exit_code"] == 1
    out = valid(tmp_path / "in.out.ipynb")
    assert out.cells[2].outputs[-1].output_type == "error" and out.cells[3].execution_count is None
    swath("run", book, "--keep-going", "--quiet", code=1)
    out = valid(tmp_path / "in.out.ipynb")
    assert out.cells[3].outputs[0].text == "after 1\n"
    # The last cell is expected to fail.
    swath("run", book, "--keep-going", "-o", tmp_path / "again.ipynb", "--cwd", tmp_path, code=1)
    good = write(tmp_path / "good.ipynb", 'panic!("meant")', tags={1: ["raises-exception"]})
    swath("run", good, "--in-place")
    assert valid(good).cells[1].outputs[-1].output_type == "error"


def test_a_question_is_refused_and_a_kernel_that_ends_is_told(tmp_path):
    book = write(
        tmp_path / "in.ipynb",
        'swath::session::input("Name? ")',
        # The cells' parent is the kernel.
        'std::process::Command::new("/bin/sh").args(["-c", &format!("kill -9 {}", std::os::unix::process::parent_id())]).status()?;\n'
        "std::thread::sleep(std::time::Duration::from_secs(60));",
        "1",
    )
    done = swath("run", book, "--json-lines", code=KERNEL_ENDED)
    out = valid(tmp_path / "in.out.ipynb")
    shown = out.cells[1].outputs
    assert any("the cell asks for a line (\"Name? \"), and nobody can answer" in it.get("text", "") for it in shown), shown
    assert any(it.output_type == "execute_result" and it.data["text/plain"] == "None" for it in shown), shown
    assert "the kernel ended by itself" in out.cells[2].outputs[-1].text
    told = events(done.stdout)
    assert told[-1]["exit_code"] == KERNEL_ENDED
    assert any(line["event"] == "error" and "signal: 9" in line["message"] for line in told), told


@pytest.mark.parametrize("end", ['std::process::Command::new("sh").arg("-c").arg(format!("kill -9 {}", std::process::id())).status()?;',
                                 "std::process::exit(7)", "std::process::abort()"])
def test_a_killed_process_of_cells_ends_the_run_as_a_killed_kernel_does(tmp_path, end):
    """A system without memory kills the process that has most of it: that of the cells."""
    done = swath("run", write(tmp_path / "in.ipynb", "let kept = 1;", end), "--json-lines", code=KERNEL_ENDED)
    assert events(done.stdout)[-1]["exit_code"] == KERNEL_ENDED


def test_a_pipe_gets_the_notebook_once_and_stays_a_pipe(tmp_path):
    book, pipe = write(tmp_path / "in.ipynb", "1 + 1", "2 + 2"), tmp_path / "pipe"
    os.mkfifo(pipe)
    process = subprocess.Popen([SWATH, "run", book, "-o", pipe], stderr=subprocess.PIPE, text=True)
    limit = threading.Timer(120 * PATIENCE, process.kill)
    limit.start()
    with open(pipe, encoding="utf-8") as reader:
        got = json.load(reader)
    _, err = process.communicate()
    limit.cancel()
    assert process.returncode == 0, err
    assert [cell["outputs"][0]["data"]["text/plain"] for cell in got["cells"] if cell["cell_type"] == "code"] == [["2"], ["4"]]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGTERM, 143), (signal.SIGUSR1, 138), (signal.SIGINT, 130)])
def test_a_run_that_is_asked_to_stop_interrupts_its_cell_and_keeps_the_outputs(tmp_path, stop, code):
    book = write(
        tmp_path / "in.ipynb",
        'println!("begun");\nloop { std::thread::sleep(std::time::Duration::from_millis(20)); swath::session::check_interrupt("waiting")?; }',
        "2",
    )
    process = subprocess.Popen([SWATH, "run", book, "--json-lines", "--progress", "0.2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    limit = threading.Timer(120 * PATIENCE, process.kill)
    limit.start()
    until(process, lambda line: line["event"] == "progress" and line["text"] == "begun")
    # Batch systems send it to every process of the job.
    for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
        if stop != signal.SIGINT:
            os.kill(int(child), stop)
    process.send_signal(stop)
    out, err = process.communicate()
    limit.cancel()
    assert process.returncode == code, (out, err)
    book = valid(tmp_path / "in.out.ipynb")
    assert book.cells[1].outputs[0].text == "begun\n" and book.cells[1].outputs[-1].output_type == "error"
    assert book.cells[2].execution_count is None
