"""Who has no key cannot kill, stop, slow or bloat the kernel; who has it cannot by accident."""

from __future__ import annotations

import os
import signal
import struct
import threading
import time
from pathlib import Path

import pytest
import zmq
from attacks import GREETING, Stranger, as_bytes, command, frame, peak_mb, property_, resident_mb, signed
from harness import PATIENCE, Kernel, alive, descendants, wait_until
from jupyter_client import KernelManager

CHANNELS = ["shell", "control", "stdin", "hb", "iopub"]


@pytest.fixture(scope="module")
def shared():
    with Kernel() as kernel:
        kernel.ok("1 + 1")
        yield kernel


@pytest.fixture
def kernel(shared):
    """The kernel of this module, which must be well after every test."""
    yield shared
    assert shared.manager.is_alive(), "the front has died"
    assert shared.ok("40 + 2").text == "42"
    assert shared.client.hb_channel.is_beating()


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("flags", [2, 3, 6])
def test_no_length_that_a_stranger_names_is_believed(kernel, channel, flags):
    before = resident_mb(kernel.pid)
    for exponent in (20, 33, 40, 47, 62, 63):
        for length in ((1 << exponent) - 1, 1 << exponent):
            stranger = Stranger(kernel, channel).shake()
            stranger.try_send(bytes([flags]) + struct.pack(">Q", length) + b"few")
            if length > 1 << 32:
                assert stranger.is_closed(), f"2^{exponent} on {channel} is waited for"
            stranger.close()
    assert resident_mb(kernel.pid) < before + 40


def test_bytes_that_do_come_are_bounded_too(kernel):
    before = resident_mb(kernel.pid)
    sent = []
    for _ in range(40):
        stranger = Stranger(kernel, "shell").shake()
        stranger.try_send(b"\x02" + struct.pack(">Q", 30 << 20) + bytes(8 << 20))
        sent.append(stranger)
    time.sleep(1)
    # 64 MB for all strangers together, and their beginnings.
    assert resident_mb(kernel.pid) < before + 110
    assert kernel.request("kernel_info_request", {})["status"] == "ok"
    for stranger in sent:
        stranger.close()


@pytest.mark.parametrize("channel", CHANNELS)
def test_broken_handshakes_are_hung_up_on(kernel, channel):
    kind = {"hb": b"REQ", "iopub": b"SUB"}.get(channel, b"DEALER")
    good = property_(b"Socket-Type", kind)
    attacks = [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        bytes(64),
        b"\xff" + bytes(8) + b"\x7f\x01\x00" + bytes(60),
        GREETING.replace(b"NULL", b"PLAI"),
        GREETING + command(b"READY", property_(b"Identity", b"x")),
        GREETING + command(b"READY", property_(b"Socket-Type", b"PUSH")),
        GREETING + command(b"READY", good + property_(b"Identity", bytes(10 << 20))),
        GREETING + command(b"READY", good + property_(b"X", bytes(5000))),
        GREETING + command(b"READY", good + b"\x01X\xff\xff\xff\xff"),
        GREETING + command(b"NOTHING", good),
        GREETING + frame(0, b"message first"),
        GREETING + b"\x06" + struct.pack(">Q", 1 << 63),
        GREETING + command(b"READY", good) + b"\x80\x00",
        GREETING + command(b"READY", good) + b"\x05\x00",
        GREETING + command(b"READY", good) + b"\x04\x00",
    ]
    for attack in attacks:
        stranger = Stranger(kernel, channel)
        stranger.try_send(attack)
        assert stranger.is_closed(), attack[64:120] or attack[:40]
        stranger.close()


def test_subscriptions_are_bounded(kernel):
    before = resident_mb(kernel.pid)
    flood = b"".join(frame(0, b"\x01" + b"topic %d" % number) for number in range(1_000_000))
    stranger = Stranger(kernel, "iopub").shake()
    stranger.try_send(flood)
    assert stranger.is_closed()
    commands = Stranger(kernel, "iopub").shake()
    commands.try_send(b"".join(command(b"SUBSCRIBE", b"%d" % number) for number in range(10_000)))
    assert commands.is_closed()
    turns = Stranger(kernel, "iopub").shake()
    turns.try_send((frame(0, b"\x01x") + frame(0, b"\x00x")) * 100_000)
    assert resident_mb(kernel.pid) < before + 80
    turns.close()


def test_half_greetings_and_thousands_of_connections_leave_the_others_untouched(kernel):
    stop = threading.Event()
    counts = {"taken": 0}

    def flood(channel: str, beginning: bytes) -> None:
        held = []
        while not stop.is_set():
            try:
                stranger = Stranger(kernel, channel)
                stranger.try_send(beginning)
                held.append(stranger)
                counts["taken"] += 1
            except OSError:
                pass
            while len(held) > 150:
                held.pop(0).close()
        for stranger in held:
            stranger.close()

    beginnings = [b"", GREETING[:11], GREETING, GREETING + command(b"READY", property_(b"Socket-Type", b"DEALER"))]
    threads = [threading.Thread(target=flood, args=(channel, beginnings[place % 4]))
               for place, channel in enumerate(["shell", "control", "shell", "hb", "iopub", "iopub", "control", "stdin"])]
    for thread in threads:
        thread.start()
    try:
        deadline = time.monotonic() + 60 * PATIENCE
        cells = 0
        while (counts["taken"] < 5000 or cells < 5) and time.monotonic() < deadline:
            cells += 1
            assert kernel.ok(f"{cells} + 1").text == str(cells + 1)
            assert kernel.client.hb_channel.is_beating()
        assert counts["taken"] >= 3000, counts
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    # Files are given back.
    wait_until(lambda: len(os.listdir(f"/proc/{kernel.pid}/fd")) < 120, 20, "the connections of the flood to be closed")
    # Somebody new is taken.
    client = kernel.manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=30 * PATIENCE)
    client.stop_channels()


def test_a_message_that_trickles_is_given_up(kernel):
    stranger = Stranger(kernel, "control").shake()
    stranger.send(b"\x01\x05he")
    late = Stranger(kernel, "shell")
    late.send(GREETING[:20])
    began = time.monotonic()
    assert late.is_closed(60), "a half greeting is waited for"
    assert time.monotonic() - began > 3, "a slow client has some seconds"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            stranger.socket.sendall(b"l" if time.monotonic() < began + 2 else b"")
        except OSError:
            break
        if stranger.is_closed(1):
            break
    else:
        pytest.fail("a message without an end is waited for")


def test_a_client_of_zmtp_with_heartbeats_and_odd_headers_is_served(kernel):
    context = zmq.Context()
    with context.socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.HEARTBEAT_IVL, 100)
        dealer.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5000)
        dealer.connect(f"tcp://127.0.0.1:{kernel.client.shell_port}")
        time.sleep(1)
        message_id, frames = signed(kernel, "kernel_info_request", {})
        dealer.send_multipart(frames)
        assert dealer.poll(20_000 * PATIENCE)
        assert message_id.encode() in b"".join(dealer.recv_multipart())
    context.term()
    raw = Stranger(kernel, "shell").shake(b"odd")
    _, frames = signed(kernel, "kernel_info_request", {})
    # Long headers of short frames, and a command in between.
    parts = [b"\x03" + struct.pack(">Q", len(part)) + part for part in frames[:-1]]
    last = b"\x02" + struct.pack(">Q", len(frames[-1])) + frames[-1]
    raw.send(parts[0] + command(b"PING", b"\0\0abc") + b"".join(parts[1:]) + last)
    answer = b""
    deadline = time.monotonic() + 20 * PATIENCE
    while b"kernel_info_reply" not in answer and time.monotonic() < deadline:
        answer += raw.socket.recv(65536)
    assert b"\x04PONGabc" in answer and b"kernel_info_reply" in answer
    raw.close()


def test_a_stranger_with_the_identity_of_a_client_gets_none_of_its_replies(kernel):
    thief = Stranger(kernel, "shell").shake(kernel.client.session.bsession)
    for number in range(5):
        assert kernel.ok(f"{number} * 2").status == "ok"
    thief.socket.settimeout(0.5)
    ready = thief.socket.recv(65536)
    assert b"execute_reply" not in ready
    with pytest.raises(TimeoutError):
        thief.socket.recv(65536)
    thief.close()


def test_signed_messages_run_once(kernel):
    _, frames = signed(kernel, "execute_request", {"code": "println!(\"replayed\");", "silent": False})
    _, other = signed(kernel, "kernel_info_request", {})
    raw = Stranger(kernel, "shell").shake()
    raw.send(as_bytes(frames) * 3)
    elsewhere = Stranger(kernel, "control").shake()
    elsewhere.send(as_bytes(frames) + as_bytes(other))
    upper = [frames[0], frames[1].upper(), *frames[2:]]
    raw.send(as_bytes(upper))
    count = 0
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        try:
            message = kernel.client.get_iopub_msg(timeout=0.5)
        except Exception:  # noqa: BLE001 - queue.Empty, until the time is over
            continue
        if message["msg_type"] == "stream":
            count += message["content"]["text"].count("replayed")
    assert count == 1
    raw.close()
    elsewhere.close()


DEEP = {
    "parentheses": "(" * 3000 + "1" + ")" * 3000,
    "braces": "{" * 3000 + "}" * 3000,
    "references": "&" * 5000 + "1",
    "closures": "|x| " * 5000 + "1",
    "uses": "use a::{" * 5000 + "}" * 5000 + ";",
    "minuses": "-" * 20_000 + "1",
    "sums": "1" + " + 1" * 200_000,
    "generics": "let x: " + "Vec<" * 2000 + "u8" + ">" * 2000 + " = y;",
    "calls": "a" + ".b()" * 50_000,
    "ifs": "if a {} else " * 20_000 + "{}",
    "open": "(" * 100_000,
}


@pytest.mark.parametrize("name", DEEP)
def test_deep_text_is_answered_by_everyone_who_parses(kernel, name):
    code = DEEP[name]
    began = time.monotonic()
    assert kernel.request("is_complete_request", {"code": code})["status"] == "invalid"
    assert time.monotonic() - began < 5 * PATIENCE
    inside = f"fn f() -> i32 {{ {code} }}\n%who\n"
    assert kernel.request("complete_request", {"code": inside, "cursor_pos": len(inside)})["status"] == "ok"
    assert kernel.request("inspect_request", {"code": inside, "cursor_pos": 4})["status"] == "ok"
    for cell in (code, inside, f"%time {code}", f"let a = 1;\n%%time\n{code}"):
        ended = kernel.run(cell)
        assert ended.status == "error"
    ended = kernel.run(f"let a = 1;\n{code}")
    assert ended.error["ename"] == "SyntaxError"
    assert "nested too deeply" in ended.error["evalue"] and "line 2" in ended.error["evalue"]


def test_is_complete_never_holds_up_the_channel(kernel):
    # As deep as it may be: the slowest text that is parsed at all.
    code = "let x: " + "A <B, " * 320 + "u8" + ">" * 320 + " = y;"
    sent = [kernel.client.session.msg("is_complete_request", {"code": code}) for _ in range(4)]
    for message in sent:
        kernel.client.shell_channel.send(message)
    began = time.monotonic()
    assert kernel.request("kernel_info_request", {})["status"] == "ok"
    assert time.monotonic() - began < 1.5 * PATIENCE
    for message in sent:
        assert kernel._reply(message["header"]["msg_id"], 30 * PATIENCE)["content"]["status"] in ("complete", "incomplete", "invalid", "unknown")


def test_a_program_as_deep_as_is_let_through_compiles_or_says_why(kernel):
    assert kernel.ok("let s = 0" + " + 1" * 450 + ";\ns").text == "450"
    assert kernel.ok("let deep = " + "(" * 150 + "7" + ")" * 150 + ";\ndeep").text == "7"
    generics = kernel.run("let b = " + "Box::new(" * 150 + "1" + ")" * 150 + ";", seconds=120)
    assert generics.status in ("ok", "error") and "SIG" not in generics.everything()


def test_cells_of_many_lines_that_look_like_magics_are_planned_at_once(kernel):
    for code in ("let a = [\n" + "!true,\n" * 20_000 + "];\na.len()", "7" + "\n" * 300_000):
        began = time.monotonic()
        cell = kernel.run(code, seconds=120)
        assert cell.text in ("20000", "7"), cell.everything()[:300]
        print(f"{len(code)} bytes in {time.monotonic() - began:.1f} s")


def test_cells_of_many_lines_that_look_like_magics_are_planned_at_once(kernel):
    for code in ("let a = [\n" + "!true,\n" * 20_000 + "];\na.len()", "7" + "\n" * 300_000):
        began = time.monotonic()
        cell = kernel.run(code, seconds=120)
        assert cell.text in ("20000", "7"), cell.everything()[:300]
        print(f"{len(code)} bytes in {time.monotonic() - began:.1f} s")


def test_connect_request_answers_the_ports(kernel):
    ports = kernel.request("connect_request", {})
    for channel in CHANNELS:
        assert ports[f"{channel}_port"] == getattr(kernel.client, f"{channel}_port")


def test_history_numbers_may_be_large(kernel):
    for content in (
        {"hist_access_type": "tail", "n": 10**12},
        {"hist_access_type": "tail", "n": 2**63 - 1},
        {"hist_access_type": "tail", "n": 2**70},
        {"hist_access_type": "range", "session": 10**10, "start": 0, "stop": 10**12},
        {"hist_access_type": "range", "session": -(2**63), "start": -(2**63), "stop": 2**64},
        {"hist_access_type": "search", "pattern": "*", "n": 10**12, "unique": True},
    ):
        reply = kernel.request("history_request", {"output": False, "raw": True, **content})
        assert reply["status"] == "ok", reply
        assert isinstance(reply["history"], list)
    assert kernel.request("history_request", {"hist_access_type": "tail", "n": 10**12})["history"]
    assert kernel.request("history_request", {"hist_access_type": "nonsense"})["status"] == "error"


def test_requests_on_other_channels_are_answered(kernel):
    assert kernel.request("kernel_info_request", {}, "stdin")["status"] == "ok"
    for kind in ("execute_request", "complete_request", "is_complete_request"):
        reply = kernel.request(kind, {"code": "1", "cursor_pos": 1}, "stdin")
        assert reply["status"] == "error" and "shell channel" in reply["evalue"]
    assert kernel.request("execute_request", {"code": "1 + 1", "silent": False}, "control")["status"] == "ok"
    assert kernel.request("complete_request", {"code": "%lsm", "cursor_pos": 4}, "control")["matches"]
    assert kernel.request("is_complete_request", {"code": "1"}, "control")["status"] == "complete"
    assert kernel.request("history_request", {"hist_access_type": "tail", "n": 1}, "control")["status"] == "ok"


def start_of(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None


@pytest.mark.parametrize("name", ["SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM"])
def test_signals_end_the_kernel_and_leave_nothing(name, tmp_path):
    # `nohup` and `&` hand down that some of them are ignored, which the kernel respects.
    before = signal.signal(getattr(signal, name), signal.SIG_DFL)
    kernel = Kernel(env={**os.environ, "TMPDIR": str(tmp_path)})
    signal.signal(getattr(signal, name), before)
    try:
        kernel.ok("let a = 1;")
        assert list(tmp_path.iterdir()), "the session's folder is here"
        # With the times of their starts: their numbers may soon be those of other processes.
        processes = {pid: start_of(pid) for pid in [kernel.pid, *descendants(kernel.pid)]}
        os.kill(kernel.pid, getattr(signal, name))
        ended = lambda: not any(alive(pid) and start_of(pid) == start for pid, start in processes.items())
        wait_until(ended, 20, f"the end after {name}")
        assert not list(tmp_path.iterdir())
    finally:
        kernel.close()


def test_text_of_threads_is_never_lost(kernel):
    printing = ("std::thread::spawn(|| for i in 0..20 { println!(\"tick {i}\"); "
                "std::thread::sleep(std::time::Duration::from_millis(150)); });")
    first = kernel.send(printing)
    kernel.collect_reply(first)
    ticks = ""
    deadline = time.monotonic() + 5 * PATIENCE
    sent = 0
    while ticks.count("tick") < 20 and time.monotonic() < deadline:
        if sent < 4:
            sent += 1
            kernel.collect_reply(kernel.send("2", silent=True, user_expressions={"three": "1 + 2"}))
        try:
            message = kernel.client.get_iopub_msg(timeout=0.1)
        except Exception:  # noqa: BLE001 - queue.Empty, until the time is over
            continue
        if message["msg_type"] == "stream":
            ticks += message["content"]["text"]
            assert message["parent_header"]["msg_id"] == first
    assert ticks.count("tick") == 20, ticks
    # A silent cell itself still says nothing.
    quiet = kernel.send("println!(\"quiet\"); 5", silent=True)
    time.sleep(0.5)
    quiet_cell = kernel.collect(quiet)
    assert not quiet_cell.of("stream") and not quiet_cell.of("execute_result")


def test_a_socket_of_unix_in_a_private_folder(tmp_path):
    manager = KernelManager(kernel_name="swath", transport="ipc", ip=str(tmp_path / "private" / "kernel"))
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60 * PATIENCE)
        reply = client.execute_interactive("1 + 1", timeout=60 * PATIENCE)
        assert reply["content"]["status"] == "ok"
        assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
        sockets = list((tmp_path / "private").iterdir())
        assert len(sockets) == 5
        assert all(path.stat().st_mode & 0o077 == 0 for path in sockets)
        assert client.hb_channel.is_beating()
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)
    assert not list((tmp_path / "private").iterdir())
