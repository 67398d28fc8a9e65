"""The session's folder and the working folder: removed, full, mounted noexec, with odd names, shared with kernels of other
PID namespaces. Each is healed, or told in one sentence with its cause and remedy; `%reset` or a restart brings all back.

Mounts and namespaces need rights; where they are not given, a user namespace of this test's own gives them."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpecManager

from harness import KERNEL, Kernel, alive, wait_until

PREFIX = "swath-session-"


def sessions(folder: Path) -> list[Path]:
    return sorted(folder.glob(PREFIX + "*"))


def remove(folder: Path) -> None:
    """Removes a folder into which others are writing."""
    wait_until(lambda: shutil.rmtree(folder, ignore_errors=True) or not folder.exists(), 20, f"{folder} is gone")


@contextlib.contextmanager
def kernel_in(temporary: Path, cwd: Path | None = None, **environment):
    with Kernel(env={**os.environ, "TMPDIR": str(temporary), **environment}, cwd=cwd or temporary.parent) as kernel:
        yield kernel


def one_sentence(cell) -> str:
    """The error, which must be one sentence that a person can act on."""
    assert cell.status == "error"
    text = cell.error["evalue"]
    assert "\n" not in text and "STDERR" not in text and "Mutex" not in text and "Failed to run" not in text, text
    return text


@contextlib.contextmanager
def mounted(folder: Path, options: str):
    """A file system of its own; every way to get one is tried before giving up."""
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True, text=True)
    if made.returncode != 0:
        # Not silently: CI without rights runs this file once more under `unshare --user --map-root-user --mount`.
        raise RuntimeError(
            f"no mount is permitted here ({made.stderr.strip()}): run `unshare --user --map-root-user --mount "
            f"{sys.executable} -m pytest {__file__}`"
        )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


# ---------------------------------------------------------------- the folder of the session


def test_the_folder_of_a_running_kernel_is_left_alone_by_kernels_of_other_pid_namespaces(tmp_path):
    temporary = tmp_path / "shared"
    temporary.mkdir()
    with kernel_in(temporary) as kernel:
        kernel.ok("let model = vec![1, 2, 3];")
        (own,) = sessions(temporary)
        spec = KernelSpecManager().get_kernel_spec(KERNEL)
        connection = tmp_path / "other.json"
        other = Kernel(ready=False)  # only to have free ports and a connection file
        connection.write_text(Path(other.manager.connection_file).read_text())
        other.close()
        argv = [part.replace("{connection_file}", str(connection)) for part in spec.argv]
        process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *argv],
            env={**os.environ, **spec.env, "TMPDIR": str(temporary)}, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(lambda: len(sessions(temporary)) == 2 or process.poll() is not None, 30, "the other kernel's folder")
            assert process.poll() is None, process.stderr.read()
            assert own in sessions(temporary)
            assert kernel.ok("model.len()").text == "3"
        finally:
            process.kill()
            process.wait()


def test_the_folder_of_a_killed_kernel_is_removed_by_the_next_one_whatever_runs_under_its_number(tmp_path):
    temporary = tmp_path / "shared"
    temporary.mkdir()
    with kernel_in(temporary) as kernel:
        kernel.ok("1 + 1")
        (left,) = sessions(temporary)
        kernel.manager.provisioner.process.send_signal(signal.SIGKILL)
        wait_until(lambda: not alive(kernel.pid), 10, "the end")
    # A process of the same number, and a folder that is nobody's or just being made.
    taken = left.with_name(f"{PREFIX}{os.getpid()}-abc")
    left.rename(taken)
    young = temporary / f"{PREFIX}999999-young"
    young.mkdir()
    with kernel_in(temporary) as kernel:
        assert kernel.ok("1 + 1").text == "2"
        assert not taken.exists() and young.exists()


def test_a_folder_that_was_removed_is_made_anew_and_nothing_is_lost(tmp_path):
    temporary = tmp_path / "t"
    temporary.mkdir()
    with kernel_in(temporary) as kernel:
        kernel.ok("let model = vec![1, 2, 3];\nfn double(n: usize) -> usize { 2 * n }")
        (own,) = sessions(temporary)
        remove(own)
        cell = kernel.ok("double(model.len())")
        assert cell.text == "6" and "was made anew; nothing is lost" in cell.stderr
        assert kernel.ok("model.len()").stderr == "", "told once"
        assert own.stat().st_mode & 0o777 == 0o700
        # Only a part of it; then even the folder in which it was.
        remove(own / "cell")
        assert kernel.ok("model.len()").text == "3"
        remove(own / "bin")
        assert kernel.ok("model.len()").text == "3"
        remove(temporary)
        assert kernel.ok("double(model.len())").text == "6"
        # A `%reset` right after it works as well.
        remove(own)
        kernel.ok("%reset")
        assert kernel.ok("40 + 2").text == "42"
        # And it is still locked: another kernel does not take it.
        with kernel_in(temporary) as other:
            other.ok("1 + 1")
            assert own.exists()
            assert kernel.ok("40 + 3").text == "43"


def test_a_reset_that_does_not_work_says_so(tmp_path):
    temporary = tmp_path / "t"
    temporary.mkdir()
    with kernel_in(temporary) as kernel:
        kernel.ok("let model = vec![1, 2, 3];")
        remove(temporary)
        # Root may write everywhere, but not make a folder in a file.
        temporary.write_text("in the way")
        for code in ("%reset", ":clear", "1 + 1"):
            text = one_sentence(kernel.run(code))
            assert str(temporary) in text and "TMPDIR" in text and "restart" in text, text
        temporary.unlink()
        kernel.ok("%reset")
        assert kernel.ok("1 + 1").text == "2"


def fill(path: Path):
    """Makes a file as large as it can be."""
    for size in (65536, 1):
        with contextlib.suppress(OSError), path.open("ab", buffering=0) as file:
            while True:
                file.write(b"x" * size)


@contextlib.contextmanager
def kept_full(path: Path):
    """Fills the file system, and takes what a failed build gives back late, until the block ends."""
    over = threading.Event()

    def go_on():
        while not over.wait(0.002):
            fill(path)

    fill(path)
    filler = threading.Thread(target=go_on)
    filler.start()
    try:
        yield
    finally:
        over.set()
        filler.join()


def test_a_full_folder_is_told_in_one_sentence_and_recovers(tmp_path):
    with mounted(tmp_path / "small", "size=24m") as temporary, kernel_in(temporary, cwd=tmp_path) as kernel:
        kernel.ok("let model = vec![1, 2, 3];")
        assert sessions(temporary)
        filler = temporary / "filler"
        for code in ("model.len()", "fn f() -> i32 { 1 }\nf()", "let a = 1; a + 1"):
            with kept_full(filler):
                text = one_sentence(kernel.run(code))
            assert text.startswith(f"No space left on device in {temporary}"), text
            assert "TMPDIR" in text
        filler.unlink()
        assert kernel.ok("model.len()").text == "3"
        kernel.ok("%reset")
        assert kernel.ok("let b = 1; b + 1").text == "2"


def test_a_folder_that_is_full_at_the_start_is_not_taken(tmp_path):
    with mounted(tmp_path / "small", "size=512k") as temporary, kernel_in(temporary, cwd=tmp_path) as kernel:
        cell = kernel.ok("1 + 1")
        assert cell.text == "2" and f"{temporary} is full, so the session's files are in " in cell.stderr, cell.stderr


def test_a_folder_that_does_not_permit_programs_is_not_taken(tmp_path):
    with mounted(tmp_path / "noexec", "noexec,size=64m") as temporary, kernel_in(temporary, cwd=tmp_path) as kernel:
        cell = kernel.ok("1 + 1")
        assert cell.text == "2" and "noexec" in cell.stderr and "so the session's files are in " in cell.stderr
        assert not sessions(temporary)
        assert kernel.ok("2 + 2").stderr == "", "told once"


def test_a_folder_that_is_mounted_noexec_later_is_told_in_one_sentence(tmp_path):
    with mounted(tmp_path / "later", "size=64m") as temporary, kernel_in(temporary, cwd=tmp_path) as kernel:
        kernel.ok("let model = vec![1, 2, 3];")
        subprocess.run(["mount", "-o", "remount,noexec", str(temporary)], check=True)
        text = one_sentence(kernel.run("model.len()"))
        assert "noexec" in text and str(temporary) in text and "TMPDIR" in text, text
        subprocess.run(["mount", "-o", "remount,exec", str(temporary)], check=True)
        assert kernel.ok("model.len()").text == "3"


@pytest.mark.parametrize("name", ["a:b", "new\nline", "tab\there"])
def test_names_that_the_tools_do_not_stand_are_avoided(tmp_path, name):
    temporary = tmp_path / name
    temporary.mkdir()
    with kernel_in(temporary, cwd=tmp_path) as kernel:
        cell = kernel.ok("let a = 40; a + 2")
        assert cell.text == "42" and "so the session's files are in " in cell.stderr, cell.stderr
        assert not sessions(temporary)


@pytest.mark.parametrize("name", ["with space", "quote'\"", "ünï çödé", "$HOME", "back\\slash", "%d#{}", "-dash", "semi;&|colon"])
def test_odd_names_work(tmp_path, name):
    temporary = tmp_path / name
    temporary.mkdir()
    with kernel_in(temporary, cwd=tmp_path) as kernel:
        assert kernel.ok("let a = 40; a + 2").text == "42"
        assert sessions(temporary)


def test_a_temporary_folder_that_is_not_there_is_made_and_a_relative_one_is_found(tmp_path):
    with kernel_in(tmp_path / "not" / "there", cwd=tmp_path) as kernel:
        assert kernel.ok("1 + 1").text == "2"
        assert sessions(tmp_path / "not" / "there")
    (tmp_path / "relative").mkdir()
    with kernel_in(Path("relative"), cwd=tmp_path) as kernel:
        kernel.ok("%cd /")
        assert kernel.ok("1 + 1").text == "2"
        assert sessions(tmp_path / "relative")


# ---------------------------------------------------------------- the working folder


def end_process(kernel):
    child = kernel.child_pid()
    os.kill(child, signal.SIGKILL)
    wait_until(lambda: not alive(child), 10, "the end of the killed process")
    kernel.run("1 + 1")


def test_a_working_folder_that_was_renamed_is_followed(tmp_path):
    before, after = tmp_path / "before", tmp_path / "after"
    before.mkdir()
    with Kernel(cwd=before) as kernel:
        kernel.ok("let model = 1;")
        before.rename(after)
        end_process(kernel)
        assert str(after) in kernel.ok("std::env::current_dir()?").text
        kernel.ok("%reset")
        assert str(after) in kernel.ok("std::env::current_dir()?").text
        (after / "a.txt").write_text("read")
        assert "read" in kernel.ok('std::fs::read_to_string("a.txt")?').text


def test_a_working_folder_that_was_removed_is_replaced_by_home_and_told(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    with Kernel(cwd=folder) as kernel:
        kernel.ok("let model = 1;")
        remove(folder)
        assert kernel.ok("model + 1").text == "2"
        end_process(kernel)
        cell = kernel.ok("std::env::current_dir()?")
        assert str(Path.home()) in cell.text, cell.everything()
        assert kernel.ok("40 + 2").text == "42"
        kernel.ok(f"%cd {tmp_path}")
        assert str(tmp_path) in kernel.ok("std::env::current_dir()?").text
        kernel.ok("%reset")
        assert str(tmp_path) in kernel.ok("std::env::current_dir()?").text


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-v"]))
