"""The magics as a person types them, through the real kernel."""

import os
import re

import pytest

from harness import PATIENCE, Kernel

EXPECTED = [
    "%lsmagic", "%scene", "%chips", "%fit", "%predict", "%evaluate", "%device", "%data", "%who", "%time", "%timeit",
    "%gpu", "%dep", "%cd", "%env", "%%bash", "%%writefile", "%reset", "%expand",
]


def test_lsmagic_lists_every_magic(kernel):
    shown = kernel.ok("%lsmagic").everything()
    missing = [name for name in EXPECTED if name not in shown]
    assert not missing, f"{missing} not in {shown}"


@pytest.mark.parametrize("name", EXPECTED)
def test_every_magic_has_help(kernel, name):
    shown = kernel.ok(f"{name}?").everything()
    assert name.lstrip("%") in shown and len(shown) > 40


def test_an_unknown_magic_is_an_error_that_names_a_near_one(kernel):
    cell = kernel.run("%lsmagik")
    assert cell.status == "error"
    assert "lsmagic" in cell.error["evalue"] + "\n".join(cell.error["traceback"])


def test_who_shows_names_and_types(kernel):
    kernel.ok("let who_counts = vec![1u32, 2];")
    shown = kernel.ok("%who").everything()
    assert "who_counts" in shown and "u32" in shown


def test_time_shows_the_result_and_the_time(kernel):
    cell = kernel.ok("%time (1..=10u64).product::<u64>()")
    assert "3628800" in cell.everything()
    assert re.search(r"\d\s*(ns|µs|us|ms|s)\b", cell.everything())


def test_timeit_repeats(kernel):
    shown = kernel.ok("%timeit (0..100u64).sum::<u64>()").everything()
    assert re.search(r"\d\s*(ns|µs|us|ms|s)\b", shown)


def test_shell_commands_stream(kernel, tmp_path):
    def go_on(cell):
        if cell.stdout == "one\n":
            (tmp_path / "seen").touch()

    # The second word comes only when the first has been seen.
    wait = f"timeout {30 * PATIENCE:.0f} sh -c 'until [ -e {tmp_path}/seen ]; do sleep 0.05; done'"
    cell = kernel.ok(f"!echo one; {wait} && echo two", during=go_on)
    assert cell.stdout == "one\ntwo\n"


def test_bash_cell_streams_and_its_failure_is_an_error(kernel):
    cell = kernel.ok("%%bash\nfor i in 1 2 3; do\n  echo line $i\ndone\necho oops >&2")
    assert cell.stdout == "line 1\nline 2\nline 3\n" and "oops" in cell.stderr
    assert kernel.run("%%bash\nexit 3").status == "error"


def test_bash_cell_is_interrupted(kernel):
    pressed = []

    def press(cell):
        if "started" in cell.stdout and not pressed:
            pressed.append(True)
            kernel.interrupt()

    cell = kernel.run("%%bash\necho started\nsleep 60", during=press)
    assert cell.status == "error" and cell.seconds < 10 * PATIENCE


def test_env_reaches_rust_and_the_shell(kernel):
    kernel.ok("%env SWATH_TEST_NAME=Banepa")
    assert kernel.ok('std::env::var("SWATH_TEST_NAME")?').text == '"Banepa"'
    assert kernel.ok("!echo $SWATH_TEST_NAME").stdout == "Banepa\n"


def test_cd_moves_rust_and_the_shell(kernel, tmp_path):
    before = kernel.ok("std::env::current_dir()?").text
    kernel.ok(f"%cd {tmp_path}")
    assert str(tmp_path) in kernel.ok("std::env::current_dir()?").text
    assert str(tmp_path) in kernel.ok("!pwd").stdout
    kernel.ok(f"%cd {before.strip(chr(34))}")


def test_writefile_writes_the_cell(kernel, tmp_path):
    path = tmp_path / "note.txt"
    kernel.ok(f"%%writefile {path}\nfirst\nsecond {{braces}}\n")
    assert path.read_text() == "first\nsecond {braces}\n"
    refused = kernel.run(f"%%writefile {tmp_path}/no/such/note.txt\nx").error["evalue"]
    assert f"there is no folder {tmp_path}/no/such" in refused and ".swath-" not in refused


def test_expand_prints_rust_and_what_it_prints_runs(kernel):
    shown = kernel.ok("%expand %device").everything()
    assert "Device" in shown
    kernel.ok("%device")


def test_gpu_says_what_is_there_what_computes_and_what_to_do(kernel):
    shown = kernel.ok("%gpu").text
    assert "Computes on: " in shown
    assert "cuda:0" in shown or ("No GPU: " in shown and "Next: " in shown), shown
    assert kernel.ok(kernel.ok("%expand %gpu").stdout).text == shown
    # `%device` gives the same answer to the question where tensors live.
    device = kernel.ok("%device").stdout.strip()
    assert f"Computes on: {device}" in shown


def test_gpus_hidden_by_the_environment_are_named_as_that():
    with Kernel(env={**os.environ, "CUDA_VISIBLE_DEVICES": ""}) as kernel:
        shown = kernel.ok("%gpu").text
        assert "No GPU: " in shown and "CUDA_VISIBLE_DEVICES hides every GPU" in shown, shown


def test_scene_magic_and_its_expansion_do_the_same(kernel, tmp_path):
    kernel.ok(f'let town = swath::samples::town_in("{tmp_path}", 3, 256)?;')
    kernel.ok("let town_path = town.scene_path.display().to_string();")
    path = kernel.ok("town_path").text.strip('"')
    kernel.ok(f"%scene {path} as=by_magic")
    assert kernel.ok("by_magic.size()").text == "(256, 256)"
    expansion = kernel.ok(f"%expand %scene {path} as=by_hand").stdout
    assert "Scene::open" in expansion
    kernel.ok(expansion)
    assert kernel.ok("by_hand.size()").text == "(256, 256)"


def test_evcxr_commands_go_on_working(kernel):
    kernel.ok("let seen_by_vars = 3i64;")
    assert "seen_by_vars" in kernel.ok(":vars").everything()


def test_reset_forgets_the_variables(fresh_kernel):
    fresh_kernel.ok("let forgotten = 1;")
    fresh_kernel.ok("%reset")
    assert fresh_kernel.run("forgotten").status == "error"
    assert fresh_kernel.ok("1 + 1").text == "2"
