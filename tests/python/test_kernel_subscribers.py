"""A reader that does not read delays nobody, and memory has a bound."""

from __future__ import annotations

import threading
import threading
import time

import pytest
from attacks import Stranger, frame, peak_mb, resident_mb
from harness import PATIENCE, Kernel

# What the front may hold: itself, the queues of readers that have stopped, and a message on its way.
BOUND_MB = 320


@pytest.fixture
def kernel():
    with Kernel() as kernel:
        kernel.ok("1 + 1")
        yield kernel


def stalled(kernel) -> Stranger:
    """Subscribes to everything and never reads."""
    stranger = Stranger(kernel, "iopub", receive_buffer=4096).shake()
    stranger.send(frame(0, b"\x01"))
    time.sleep(0.3)
    return stranger


def test_the_others_get_every_line_and_every_idle(kernel):
    strangers = [stalled(kernel) for _ in range(3)]
    lines = 200_000
    cell = kernel.run(f"for i in 0..{lines} {{ println!(\"line {{i}} {'.' * 40}\"); }}", seconds=120)
    assert cell.status == "ok"
    assert cell.stdout.count("\n") == lines
    assert cell.stdout.endswith(f"line {lines - 1} {'.' * 40}\n")
    assert kernel.ok("2 + 2").text == "4"
    for stranger in strangers:
        stranger.close()


def test_one_that_has_stopped_is_dropped_and_the_front_stays_small(kernel):
    stranger = stalled(kernel)
    cell = kernel.run("for i in 0..300_000 { println!(\"{i} {}\", \"x\".repeat(500)); }", seconds=240)
    assert cell.status == "ok" and cell.stdout.count("\n") == 300_000
    assert stranger.is_closed(60), "what is in its buffers, and then the end"
    assert peak_mb(kernel.pid) < BOUND_MB
    assert kernel.ok("2 + 2").text == "4"


def test_one_that_takes_a_little_now_and_then_delays_nobody_for_long(kernel):
    stranger = stalled(kernel)
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.1):
            try:
                stranger.socket.recv(1)
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    cell = kernel.run("for i in 0..150_000 { println!(\"{i} {}\", \"x\".repeat(500)); }", seconds=120)
    stop.set()
    thread.join()
    assert cell.status == "ok" and cell.stdout.count("\n") == 150_000
    print(f"75 MB beside a trickling reader in {cell.seconds:.1f} s")
    stranger.close()


def test_one_that_takes_a_little_now_and_then_delays_nobody_for_long(kernel):
    stranger = stalled(kernel)
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.1):
            try:
                stranger.socket.recv(1)
            except OSError:
                return

    thread = threading.Thread(target=trickle)
    thread.start()
    cell = kernel.run("for i in 0..150_000 { println!(\"{i} {}\", \"x\".repeat(500)); }", seconds=120)
    stop.set()
    thread.join()
    assert cell.status == "ok" and cell.stdout.count("\n") == 150_000
    print(f"75 MB beside a trickling reader in {cell.seconds:.1f} s")
    stranger.close()


def test_an_interrupt_reaches_a_cell_that_prints_for_a_reader_that_does_not_read(kernel):
    stranger = stalled(kernel)
    code = ("let began = std::time::Instant::now(); let mut n = 0u64;\n"
            "while !swath::session::interrupted() && began.elapsed().as_secs() < 100 {\n"
            "    println!(\"{n} {}\", \"y\".repeat(300)); n += 1;\n"
            "}\n"
            "println!(\"stopped at {}\", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs_f64());")
    asked = []

    def interrupt(cell) -> None:
        if not asked and len(cell.messages) > 250:
            asked.append(time.time())
            kernel.request("interrupt_request", {}, "control")

    cell = kernel.run(code, seconds=150, during=interrupt)
    assert "stopped at" in cell.stdout, cell.everything()[-300:]
    waited = float(cell.stdout.rsplit("stopped at ", 1)[1]) - asked[0]
    print(f"the interrupt reached its cell in {waited:.3f} s, {len(cell.stdout) >> 20} MB were printed")
    assert waited < 2 * PATIENCE
    stranger.close()


def test_three_hundred_unread_pictures_are_bounded(kernel):
    strangers = [stalled(kernel) for _ in range(2)]
    before = resident_mb(kernel.pid)
    kernel.client.iopub_channel.stop()
    code = ("let picture = \"A\".repeat(2 << 20);\n"
            "for _ in 0..300 { swath::session::display(&swath::display::Output { png: Some(picture.clone().into_bytes()), ..swath::display::Output::text(\"p\") }); }")
    message_id = kernel.send(code)
    kernel.collect_reply(message_id, 240)
    peak = peak_mb(kernel.pid)
    print("front", before, "MB before, peak", peak, "MB")
    assert peak < BOUND_MB
    for stranger in strangers:
        stranger.close()
