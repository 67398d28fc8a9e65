"""What a session keeps when something goes wrong under it: the cells' process killed, the library installed anew; and
what `%%capture` and questions to the user do with a cell's output."""

import json
import os
import queue
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from harness import KERNEL, Kernel, alive, wait_until

# ---------------------------------------------------------------- a cell that fails


def test_variables_that_a_failed_cell_was_to_replace_are_named_as_those_from_before(kernel):
    kernel.ok("let trained = vec![4]; let other = 1;")
    cell = kernel.run(
        "let trained = vec![6];\nlet new_one = 2;\nstd::fs::read(\"no_such_folder/model\")?;\nlet other = 2;"
    )
    told = "\n".join(cell.error["traceback"])
    assert "`new_one` of this cell is not kept" in told
    assert "`other`, `trained` are still those from before this cell" in told
    assert kernel.ok("(trained[0], other)").text == "(4, 1)"
    # What the cell only read or changed in place is not named, and a cell that ends names nothing.
    cell = kernel.run("let mut sum = trained[0]; sum += other; std::fs::read(\"no_such_folder/model\")?;")
    assert "from before this cell" not in "\n".join(cell.error["traceback"])
    kernel.ok("let trained = vec![7];")
    assert kernel.ok("trained[0]").text == "7"


# ---------------------------------------------------------------- %%capture


def test_captured_rust_shows_nothing_and_keeps_its_variables(kernel):
    cell = kernel.ok(
        "%%capture\n"
        'println!("to stdout");\n'
        'eprintln!("to stderr");\n'
        'swath::session::display(&swath::display::Output::text("a picture"));\n'
        "let captured_value = 41;\n"
        "captured_value + 1"
    )
    kinds = {message["msg_type"] for message in cell.messages}
    assert kinds == {"status", "execute_input"}, cell.everything()
    assert kernel.ok("captured_value").text == "41"
    assert kernel.ok('println!("heard again");').stdout == "heard again\n"


def test_captured_text_goes_to_the_file_with_many_lines_and_characters_whole(kernel, tmp_path):
    path = tmp_path / "captured.txt"
    kernel.ok(f'%%capture {path}\nfor i in 0..20_000 {{ println!("Bāneps {{i}}"); }}')
    assert path.read_text() == "".join(f"Bāneps {i}\n" for i in range(20_000))


def test_a_captured_cell_that_fails_shows_its_error_on_its_own_line(kernel):
    cell = kernel.run('%%capture\nprintln!("before");\nlet wrong: u32 = "text";')
    assert cell.status == "error" and cell.stdout == ""
    assert ":3:" in "\n".join(cell.error["traceback"]), cell.everything()
    cell = kernel.run('%%capture\nprintln!("before");\npanic!("captured panic")')
    assert cell.status == "error" and cell.stdout == "" and "captured panic" in cell.error["evalue"]


def test_magics_within_a_captured_cell_are_captured_as_well(kernel):
    kernel.ok("let named_for_who = 1;")
    cell = kernel.ok("%%capture\n%who\n!echo from the shell\n1 + 1")
    assert cell.everything().strip() == ""


# ---------------------------------------------------------------- questions


def test_an_answer_from_the_front_end_reaches_the_cell_that_asked(kernel):
    # Questions and output travel on two sockets, whose messages a front end may read in either order. So the answer
    # waits until the text before the question has arrived: it can come only if it was sent without waiting for more.
    asked = []

    def answer_after_the_text(cell):
        if not asked:
            try:
                asked.append(kernel.client.get_stdin_msg(timeout=0.001))
            except queue.Empty:
                return
        if len(asked) == 1 and cell.stdout == "before the question ":
            asked.append("answered")
            kernel.client.input("128")

    cell = kernel.run(
        'print!("before the question ");\n'
        'let answered = swath::session::input("Size: ").unwrap_or_default();\n'
        'println!("got {answered}");\n'
        "let doubled = answered.trim().parse::<u32>()? * 2;\n"
        "doubled",
        during=answer_after_the_text,
        allow_stdin=True,
    )
    assert cell.text == "256", cell.everything()
    assert cell.stdout == "before the question got 128\n"
    question = asked[0]
    assert question["content"] == {"prompt": "Size: ", "password": False}
    own_text = next(m for m in cell.messages if m["msg_type"] == "stream")
    assert question["parent_header"]["msg_id"] == own_text["parent_header"]["msg_id"]
    assert kernel.ok("doubled + 1").text == "257"


def test_an_interrupt_ends_a_question_that_nobody_answers(kernel):
    asked = []

    def press(_):
        if not asked:
            try:
                asked.append(kernel.client.get_stdin_msg(timeout=0.001)["content"])
                kernel.interrupt()
            except queue.Empty:  # not asked yet
                pass

    cell = kernel.run(
        'let nothing = swath::session::input("Name: ");\nswath::session::check_interrupt("asking")?;\nnothing',
        during=press, allow_stdin=True,
    )
    assert asked and cell.status == "error", cell.everything()
    assert "nterrupt" in cell.error["ename"] + cell.error["evalue"]
    assert kernel.ok("1 + 1").text == "2"


# ---------------------------------------------------------------- the cells' process is killed


def test_a_killed_process_is_replaced_by_one_with_the_same_environment_and_folder(tmp_path):
    folder = tmp_path / "a folder with spaces"
    folder.mkdir()
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok("%env SWATH_REPLAYED=first value")
        kernel.ok('%env SWATH_QUOTED="quoted" \\ {braces} ü')
        kernel.ok("%env SWATH_REPLAYED=second value")
        kernel.ok(f"%cd '{folder}'")
        child = kernel.child_pid()
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: not alive(child), 10, "the end of the killed process")
        # The cell that finds the process dead says so; the next one runs in its successor.
        first = kernel.run("1 + 1")
        assert first.status == "ok" or "KILL" in first.everything().upper(), first.everything()
        assert kernel.ok('std::env::var("SWATH_REPLAYED")?').text == '"second value"'
        assert kernel.ok('println!("{}", std::env::var("SWATH_QUOTED")?);').stdout == '"quoted" \\ {braces} ü\n'
        assert str(folder) in kernel.ok("std::env::current_dir()?").text
        assert kernel.child_pid() != child
        # The shell's commands and the cells agree.
        assert kernel.ok("!pwd").stdout.strip() == str(folder)
        assert kernel.ok("!echo $SWATH_REPLAYED").stdout == "second value\n"
        Path(folder, "beside.txt").write_text("read by a relative path")
        assert "relative path" in kernel.ok('std::fs::read_to_string("beside.txt")?').text


def test_a_process_killed_while_a_cell_runs_is_replaced_by_one_with_the_same_environment_and_folder(tmp_path):
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok(f"%env SWATH_REPLAYED=kept\n%cd {tmp_path.parent}")
        killed = []

        def kill(cell):
            if "running" in cell.stdout and not killed:
                killed.append(kernel.child_pid())
                os.kill(killed[0], signal.SIGKILL)

        cell = kernel.run('println!("running");\nstd::thread::sleep(std::time::Duration::from_secs(60));', during=kill)
        assert cell.status == "error" and killed
        assert kernel.ok('std::env::var("SWATH_REPLAYED")?').text == '"kept"'
        assert str(tmp_path.parent) in kernel.ok("std::env::current_dir()?").text


# ---------------------------------------------------------------- crates of the user's own


def test_cells_use_a_crate_that_was_added_and_keep_their_variables(tmp_path):
    crate = tmp_path / "spectral"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "spectral"\nversion = "0.1.0"\nedition = "2024"\n')
    (crate / "src" / "lib.rs").write_text(
        "/// Normalized difference.\npub fn ndvi(red: f32, nir: f32) -> f32 { (nir - red) / (nir + red) }\n"
        "#[derive(Debug)]\npub struct Pair(pub f32, pub f32);\n"
    )
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok("let kept = vec![0.5f32, 1.5];\nlet size = swath::raster::Size::new(3, 4);")
        kernel.ok(f'%dep spectral = {{ path = "{crate}" }}', seconds=300)
        assert kernel.ok("spectral::ndvi(kept[0], kept[1])").text == "0.5"
        # A variable of the crate's type, beside one of the library's, over several cells, through a failed one.
        kernel.ok("let pair = spectral::Pair(1.0, 2.0);\nlet area = size.area();")
        assert kernel.run("spectral::no_such_function()").status == "error"
        cell = kernel.run("%dep no-such-crate-here = { path = \"nowhere\" }", seconds=300)
        assert cell.status == "error" and "nowhere" in cell.everything()
        assert kernel.ok("(pair, area, kept.len())").text == "(Pair(1.0, 2.0), 12, 2)"
        assert kernel.ok("1 + 1").text == "2"


# ---------------------------------------------------------------- the library is installed anew

# Another build of the library, as far as the simplest cells can tell: what they call has the same names and other symbols.
OTHER_LIBRARY = """
pub mod prelude { pub struct OnlyInTheOtherBuild; }
pub mod rt {
    #[derive(Debug)]
    pub struct CellError;
    impl<E: std::error::Error> From<E> for CellError { fn from(_: E) -> Self { Self } }
    pub trait ShowAny { fn evcxr_display(&mut self); }
    pub trait ShowRich { fn rich(&self) {} }
    pub trait ShowDebug { fn evcxr_display(&self); }
    impl<T: std::fmt::Debug + ?Sized> ShowDebug for &T { fn evcxr_display(&self) { shown() } }
    impl<T: ?Sized> ShowAny for &T { fn evcxr_display(&mut self) { shown() } }
    #[inline(never)] pub fn shown() {}
    #[inline(never)] pub fn guard(statements: &mut dyn FnMut() -> Result<(), CellError>) -> bool { statements().is_ok() }
    pub fn put<T: 'static>(_: &str, _: T) { shown() }
    pub fn has<T: 'static>(_: &str) -> bool { true }
    pub fn take<T: 'static>(_: &str) -> T { unreachable!() }
}
"""


@pytest.fixture
def own_install(tmp_path, monkeypatch):
    """A kernel installed for this test alone: its program and library can be replaced."""
    spec = KernelSpecManager().get_kernel_spec(KERNEL)
    installed = Path(spec.argv[0]).parent
    program = tmp_path / "lib" / "swath"
    # Links where the file system has them: what is replaced below is a new file in every case.
    shutil.copytree(installed, program, symlinks=True, copy_function=link_or_copy)
    folder = tmp_path / "share" / "jupyter" / "kernels" / "swath-replaced"
    folder.mkdir(parents=True)
    argv = [str(program / "swath"), *spec.argv[1:]]
    (folder / "kernel.json").write_text(json.dumps({**spec.to_dict(), "argv": argv}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share" / "jupyter"))
    return program / "lib-swath"


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    os.replace(fresh, path)


def test_a_library_replaced_under_a_kernel_is_named_as_that(own_install, tmp_path):
    sysroot = (own_install / "toolchain").read_text().strip()
    source = tmp_path / "other.rs"
    source.write_text(OTHER_LIBRARY)
    built = tmp_path / "other"
    subprocess.run(
        [f"{sysroot}/bin/rustc", "--crate-name", "swath", "--crate-type", "dylib", "--edition", "2024", "-C", "prefer-dynamic",
         "--emit=metadata,link", "--out-dir", str(built), str(source)], check=True, capture_output=True, text=True)
    with Kernel(name="swath-replaced") as kernel:
        kernel.ok("let before_replacement = 3;")
        old = {name: (own_install / name).read_bytes() for name in ("libswath.so", "libswath.rmeta")}
        for name in old:
            replace(own_install / name, (built / name).read_bytes())
        cell = kernel.run("let after_replacement = 4;")
        assert cell.status == "error"
        assert cell.error["ename"] == "LibraryReplaced", cell.everything()
        assert "the library was replaced while this kernel ran" in cell.error["evalue"]
        assert "restart the kernel" in cell.everything() and "undefined symbol" not in cell.everything()
        # A cell that does not even compile says both.
        cell = kernel.run("Scene::open(\"a.tif\")?")
        assert cell.status == "error" and "Scene" in cell.everything()
        assert "the library was replaced while this kernel ran" in cell.everything()
        # With the old files back, other files by their identity, the session goes on: nothing was lost.
        for name, content in old.items():
            replace(own_install / name, content)
        assert kernel.ok("before_replacement").text == "3"
        # The user's own mistakes are the user's own.
        cell = kernel.run('panic!("mine")')
        assert "replaced" not in cell.everything()
        kernel.manager.restart_kernel(now=False)
        kernel.client.wait_for_ready(timeout=120)
        cell = kernel.run('let mistaken: u32 = "text";')
        assert cell.status == "error" and "replaced" not in cell.everything()


def test_a_kernel_installed_anew_under_a_running_one_does_not_stop_it(own_install):
    with Kernel(name="swath-replaced") as kernel:
        kernel.ok("let kept = 5;")
        # The same build again, as `make install` does when nothing has changed: all files are others.
        for path in (own_install / "libswath.so", own_install / "libswath.rmeta", own_install.parent / "swath-cell"):
            mode = path.stat().st_mode
            replace(path, path.read_bytes())
            path.chmod(mode)
        time.sleep(0.1)
        assert kernel.ok("kept + 1").text == "6"


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-v"]))
