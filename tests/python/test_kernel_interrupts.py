"""What an interrupt does as the front end sees it: the cell ends with an error, those that wait are aborted, variables and
the kernel stay; and no program outlives the kernel."""

import datetime
import os
import queue
import signal
import subprocess
import time
from pathlib import Path

import pytest

from harness import PATIENCE, Kernel, wait_until


def running(command: str) -> int:
    """How many processes have this command line."""
    found = 0
    for entry in Path("/proc").iterdir():
        try:
            found += (entry / "cmdline").read_bytes().replace(b"\0", b" ").strip().decode() == command
        except (OSError, UnicodeDecodeError):
            continue
    return found


def interrupt_first_of_two(kernel, code: str, when, **options) -> tuple[dict, dict, float]:
    """Sends a cell and another one behind it, interrupts the first, and returns both replies."""
    first = kernel.send(code, **options)
    second = kernel.send('println!("the next cell ran");')
    when(kernel)
    pressed = time.monotonic()
    kernel.interrupt()
    replies = kernel.collect_reply(first), kernel.collect_reply(second)
    return *replies, time.monotonic() - pressed


def when_asked(kernel):
    kernel.client.get_stdin_msg(timeout=60 * PATIENCE)


def when_printed(kernel):
    deadline = time.monotonic() + 60 * PATIENCE
    while time.monotonic() < deadline:
        try:
            message = kernel.client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        if message["msg_type"] == "stream" and "begun" in message["content"]["text"]:
            time.sleep(0.3)
            return
    raise AssertionError("the cell did not begin")


BEGUN = 'println!("begun");\n'


@pytest.mark.parametrize(
    "code, when",
    [
        ('let n = swath::session::input("x"); println!("went on with {n:?}");', when_asked),
        ('let n = swath::session::password("x"); println!("went on with {n:?}");', when_asked),
        (BEGUN + 'std::process::Command::new("sleep").arg("77").status()?;', when_printed),
        (BEGUN + 'std::process::Command::new("sleep").arg("77").output()?;', when_printed),
        (BEGUN + "std::thread::sleep(std::time::Duration::from_secs(77));", when_printed),
        (BEGUN + "loop {}", when_printed),
        (BEGUN + 'loop { println!("begun"); }', when_printed),
        (BEGUN + "std::thread::spawn(|| loop { std::thread::park(); }).join().unwrap();", when_printed),
        # A loop that notices the interrupt and ends well, as a training does.
        (BEGUN + "while !swath::session::interrupted() { std::thread::yield_now(); }\nlet made = 3;", when_printed),
        ("!echo begun; sleep 77", when_printed),
        ("%%bash\necho begun; sleep 77", when_printed),
    ],
    ids=["question", "password", "status", "output", "sleep", "spin", "print", "join", "polite", "command", "bash"],
)
def test_an_interrupted_cell_ends_with_an_error_and_the_next_one_does_not_run(kernel, code, when):
    kernel.ok("let kept = std::rc::Rc::new(5);")
    first, second, seconds = interrupt_first_of_two(kernel, code, when, allow_stdin=True)
    assert (first["status"], second["status"]) == ("error", "aborted"), first
    assert first["ename"] in ("Interrupted", "KeyboardInterrupt"), first
    assert seconds < 4.5 * PATIENCE, "it was killed"
    assert kernel.ok("*kept").text == "5"


def test_a_question_that_is_interrupted_does_not_go_on(kernel):
    asked = []

    def press(_):
        if not asked:
            try:
                asked.append(kernel.client.get_stdin_msg(timeout=0.001)["content"])
                kernel.interrupt()
            except queue.Empty:
                pass

    code = 'let used = vec![1];\nlet n = swath::session::input("x");\nprintln!("went on with {n:?} {used:?}");'
    cell = kernel.run(code, during=press, allow_stdin=True)
    assert cell.status == "error" and cell.error["evalue"] == "interrupted while waiting for an answer", cell.everything()
    assert "went on" not in cell.stdout


def test_what_a_polite_cell_has_made_is_kept(kernel):
    code = BEGUN + "while !swath::session::interrupted() { std::thread::yield_now(); }\nlet made = vec![1, 2]; made.len()"
    first, _, _ = interrupt_first_of_two(kernel, code, when_printed)
    assert "what it made is kept" in first["evalue"]
    assert kernel.ok("made").text == "[1, 2]"


def test_thirty_interrupts_at_random_moments_lose_nothing_and_stop_the_right_cell(kernel):
    kernel.ok("let kept = vec![1, 2, 3]; let mut rounds = 0;")
    for number in range(30):
        message = kernel.send("rounds += 1; let waited = std::time::Instant::now(); while waited.elapsed().as_millis() < 30 {}")
        time.sleep(number * 0.011)
        kernel.interrupt()
        kernel.collect(message)
        # An interrupt between cells is nobody's.
        assert kernel.ok("kept.len()").text == "3"


@pytest.mark.parametrize("seconds, own_session, stops", [(-60, True, False), (-60, False, True), (60, True, True)],
                         ids=["sent before the cell", "by another client", "sent after the cell"])
def test_an_interrupt_that_was_sent_before_a_cell_is_not_about_it(kernel, seconds, own_session, stops):
    """Control and shell are two sockets: an interrupt of the cell before may arrive when the next one runs."""
    code = "let waited = std::time::Instant::now(); while waited.elapsed().as_millis() < 3000 {}"
    interrupt = kernel.client.session.msg("interrupt_request", {})
    interrupt["header"]["date"] += datetime.timedelta(seconds=seconds)
    if not own_session:
        interrupt["header"]["session"] = "another"

    def send_once_begun(cell):
        if interrupt and "begun" in cell.stdout:
            kernel.client.control_channel.send(dict(interrupt))
            interrupt.clear()

    cell = kernel.run(f'println!("begun"); {code}', during=send_once_begun)
    assert (cell.status, interrupt) == ("error" if stops else "ok", {})


def test_an_interrupt_wakes_a_process_that_somebody_has_stopped(kernel):
    kernel.ok("let kept_over_a_stop = 3;")
    os.kill(kernel.child_pid(), signal.SIGSTOP)
    message = kernel.send("1 + 1")
    time.sleep(1)
    kernel.interrupt()
    assert kernel.collect_reply(message)["status"] == "error"
    assert kernel.ok("kept_over_a_stop").text == "3"


PROGRAMS = """
for line in ["exec sleep NUMBER", "setsid sleep NUMBER & exit", "trap '' INT TERM HUP; sleep NUMBER & exit"] {
    std::process::Command::new("sh").args(["-c", line]).spawn()?;
}
"""


@pytest.mark.parametrize("number, now", [(7201, False), (7202, True)], ids=["shutdown", "kill"])
def test_nothing_that_was_started_outlives_the_kernel(tmp_path, number, now):
    command = f"sleep {number}"
    kernel = Kernel(cwd=tmp_path)
    kernel.ok(PROGRAMS.replace("NUMBER", str(number)))
    kernel.ok(f"!sleep {number} &")
    wait_until(lambda: running(command) == 4, 20, "the programs begin")
    kernel.client.stop_channels()
    if now:
        kernel.manager.provisioner.process.send_signal(signal.SIGKILL)
    kernel.manager.shutdown_kernel(now=now)
    wait_until(lambda: running(command) == 0, 20, "the programs end")


def test_a_program_in_the_background_survives_the_cell_that_started_it(tmp_path):
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok('let mut server = std::process::Command::new("sleep").arg("7301").spawn()?;')
        kernel.ok("1 + 1")
        assert running("sleep 7301") == 1
        assert kernel.ok("server.try_wait()?.is_none()").text == "true"
        subprocess.run(["true"], check=True)


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-v"]))
