"""Hours of random valid traffic: three clients on one kernel, errors, panics, interrupts, kills of the cells' process, restarts.

Checked: every request has its reply of the right kind, between one `busy` and one `idle`, executes in the order in which
they were sent; every variable has the value of the client's model, or the kernel has said that it is lost; the memory,
descriptors and threads of every process stay flat; nothing is left at the end. Not part of `make test`.

usage: soak.py [--minutes 120] [--seed 1] [--report FILE]    (with a kernelspec "swath" in JUPYTER_PATH)
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import re
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client import BlockingKernelClient

from harness import Kernel, alive, descendants

# Seconds after which a request without an answer is a fault. Interrupted cells are killed after five.
NO_ANSWER = 180
# Seconds between the controller's acts.
INTERRUPT_EVERY, KILL_EVERY, RESET_EVERY, RESTART_EVERY = 11, 120, 300, 900
SAMPLE_EVERY = 5
# What a process may grow by within one life, from the median of its first third to that of its last.
GROWTH_MIB, GROWTH_PART = 24, 0.25
# Names of errors that come from the controller's acts, or from cells of others that failed before in the queue.
OUTSIDE = {"KeyboardInterrupt", "ChildDied", "Interrupted"}


class Gate:
    """Many clients pass, or the controller alone."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.inside, self.wanted = 0, False

    @contextmanager
    def shared(self):
        with self.changed:
            self.changed.wait_for(lambda: not self.wanted)
            self.inside += 1
        try:
            yield
        finally:
            with self.changed:
                self.inside -= 1
                self.changed.notify_all()

    @contextmanager
    def alone(self):
        with self.changed:
            self.wanted = True
            self.changed.wait_for(lambda: self.inside == 0)
        try:
            yield
        finally:
            with self.changed:
                self.wanted = False
                self.changed.notify_all()


@dataclass
class Report:
    """Counts, times and faults of all clients."""

    counts: Counter = field(default_factory=Counter)
    seconds: defaultdict = field(default_factory=lambda: defaultdict(list))
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, seconds: float | None = None) -> None:
        with self.lock:
            self.counts[what] += 1
            if seconds is not None:
                self.seconds[what].append(seconds)

    def fault(self, what: str) -> None:
        with self.lock:
            self.faults.append(what)
            self.counts["faults"] += 1
        print(f"FAULT {time.strftime('%H:%M:%S')} {what}", flush=True)


@dataclass
class Request:
    """One request and what came of it."""

    kind: str
    content: dict
    about: str = ""
    replies: list[dict] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    text: dict = field(default_factory=lambda: defaultdict(str))
    sent: float = 0.0

    @property
    def is_over(self) -> bool:
        return bool(self.replies) and self.states[-1:] == ["idle"]

    @property
    def status(self) -> str:
        return self.replies[0]["content"].get("status", "ok")

    @property
    def error(self) -> str:
        return self.replies[0]["content"].get("ename", "")

    def said(self) -> str:
        return plain("".join(self.text.values()))[-600:]


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


class Client(threading.Thread):
    """A front end with variables of its own."""

    def __init__(self, letter: str, connection: str, seed: int, gate: Gate, report: Report, stop: threading.Event) -> None:
        super().__init__(name=f"client-{letter}", daemon=True)
        self.letter, self.gate, self.report, self.stop = letter, gate, report, stop
        self.random = random.Random(f"{seed}{letter}")
        self.client = BlockingKernelClient(connection_file=connection)
        self.client.load_connection_file()
        self.client.start_channels()
        # The texts that a variable may have; None when it may be gone.
        self.model: dict[str, set[str | None]] = {}
        self.pending: dict[str, Request] = {}
        self.made = 0
        self.has_type = False

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                with self.gate.shared():
                    if not self.stop.is_set():
                        self.step()
                time.sleep(self.random.random() ** 3 * 0.5)
        except Exception as error:  # noqa: BLE001
            self.report.fault(f"client {self.letter} failed: {type(error).__name__}: {error}")

    def step(self) -> None:
        roll = self.random.random()
        if roll < 0.62:
            self.execute(self.random.choice([self.store, self.store, self.read, self.read, self.read, self.change, self.lines,
                                             self.failing, self.panicking, self.shell, self.value, self.sleeping, self.typed]))
        elif roll < 0.72:
            count = self.random.randrange(2, 5)
            self.converse([Request("execute_request", executing(f"{n} + {self.made}"), f"queue {n + self.made}") for n in range(count)])
        else:
            self.ask()

    # Cells, and what the model makes of them.

    def execute(self, make) -> None:
        code, name, becomes = make()
        if not code:
            return
        request = self.converse([Request("execute_request", executing(code), code)])[0]
        self.report.count(f"cell: {make.__name__}", time.monotonic() - request.sent)
        self.judge(make.__name__, request, name, becomes)

    def judge(self, kind: str, request: Request, name: str, becomes: set) -> None:
        if kind == "typed" and not name:
            self.has_type = request.status == "ok"
        known = self.model.get(name, {None})
        outside = request.status == "aborted" or request.error in OUTSIDE
        if outside:
            self.report.count(f"{kind}: {request.error or request.status}")
            if name and becomes:
                self.model[name] = known | becomes
        elif kind == "read":
            self.judge_read(request, name, known)
        elif kind in ("failing", "panicking"):
            if request.status != "error":
                self.report.fault(f"{request.about!r} ended with {request.status}: {request.said()}")
        elif request.status != "ok":
            if None in known and name and not request.about.startswith("let"):
                self.model.pop(name, None)
            else:
                self.report.fault(f"{request.about!r} failed: {request.error} {request.said()}")
                self.model.pop(name, None)
        elif name:
            self.model[name] = becomes
        elif becomes and request.text["value"] not in becomes and request.text["stdout"] not in becomes:
            self.report.fault(f"{request.about!r} said {request.said()!r}, wanted {str(becomes)[:300]}")

    def judge_read(self, request: Request, name: str, known: set) -> None:
        if request.status == "ok":
            value = request.text["value"]
            if value not in known:
                self.report.fault(f"{name} is {value[:200]!r}, wanted {str(known)[:300]}")
            self.report.count("values right")
            self.model[name] = {value}
        elif None in known:
            self.report.count("values lost, and told")
            self.model.pop(name, None)
        else:
            self.report.fault(f"{name} is lost without a word: {request.error} {request.said()}")
            self.model.pop(name, None)

    def known_name(self) -> str:
        return self.random.choice(sorted(self.model)) if self.model else ""

    def store(self):
        self.made += 1
        name, n = f"{self.letter}{self.random.randrange(12)}", self.made
        if self.random.random() < 0.5:
            values = [n * k for k in range(self.random.randrange(1, 40))]
            return f"let mut {name} = vec!{values};" if values else "", name, {str(values)}
        return f'let mut {name} = String::from("text {n}").into_bytes();', name, {str(list(f"text {n}".encode()))}

    def read(self):
        name = self.known_name()
        return name, name, set()

    def change(self):
        name = self.known_name()
        values = self.model.get(name, {None})
        if None in values or len(values) != 1 or name.endswith("_p"):
            return "", "", set()
        changed = json.loads(next(iter(values))) + [7]
        return f"{name}.push(7);", name, {str(changed)}

    def typed(self):
        upper = self.letter.upper()
        if not self.has_type:
            return f"#[derive(Debug, Clone)] struct Kind{upper} {{ n: u64, name: String }}", "", set()
        self.made += 1
        name = f"{self.letter}_p"
        # The same definition again changes nothing.
        again = f"#[derive(Debug, Clone)] struct Kind{upper} {{ n: u64, name: String }}\n" if self.random.random() < 0.3 else ""
        return (f'{again}let {name} = Kind{upper} {{ n: {self.made}, name: "n".to_string() }};', name,
                {f'Kind{upper} {{ n: {self.made}, name: "n" }}'})

    def lines(self):
        count = self.random.choice([1, 30, 2000])
        return (f'for i in 0..{count} {{ println!("{self.letter} {{i}}"); }}', "",
                {"".join(f"{self.letter} {i}\n" for i in range(count))})

    def value(self):
        self.made += 1
        return f"{self.made} * 2", "", {str(self.made * 2)}

    def failing(self):
        return self.random.choice(['let broken: u8 = "text";', "no_such_thing()", "let = 5;", 'Err::<(), _>("refused")?;']), "", set()

    def panicking(self):
        return self.random.choice(['panic!("on purpose")', "let none: Option<u8> = None; none.unwrap();", "vec![1][7 + 0 * 1]"]), "", set()

    def shell(self):
        return f"!echo shell-{self.made}", "", {f"shell-{self.made}\n"}

    def sleeping(self):
        return f"std::thread::sleep(std::time::Duration::from_millis({self.random.randrange(300)}));", "", set()

    # Requests that run nothing.

    def ask(self) -> None:
        code = self.random.choice(["words.le", "let v: Vec<", "std::coll", "%sce", "fn f() {", "Vec", "println", f"{self.letter}1."])
        kind, content = self.random.choice([
            ("complete_request", {"code": code, "cursor_pos": len(code)}),
            ("inspect_request", {"code": code, "cursor_pos": len(code), "detail_level": 0}),
            ("is_complete_request", {"code": code}),
            ("history_request", {"hist_access_type": "tail", "n": 5, "output": False, "raw": True}),
            ("history_request", {"hist_access_type": "search", "pattern": "*push*", "n": 3, "output": True, "raw": True}),
            ("comm_info_request", {}),
            ("kernel_info_request", {}),
        ])
        request = self.converse([Request(kind, content, kind)])[0]
        self.report.count(kind, time.monotonic() - request.sent)
        status = request.replies[0]["content"].get("status")
        good = ("complete", "incomplete", "invalid", "unknown") if kind == "is_complete_request" else ("ok",)
        if status not in good:
            self.report.fault(f"{kind} of {code!r} is answered {str(request.replies[0]['content'])[:300]}")

    # The wire.

    def converse(self, requests: list[Request]) -> list[Request]:
        """Sends all at once, then reads until each has its reply and its idle."""
        order = []
        for request in requests:
            message = self.client.session.msg(request.kind, request.content)
            request.sent = time.monotonic()
            self.pending[message["header"]["msg_id"]] = request
            order.append(message["header"]["msg_id"])
            self.client.shell_channel.send(message)
        deadline = time.monotonic() + NO_ANSWER
        answered: list[str] = []
        while not all(request.is_over for request in requests):
            if time.monotonic() > deadline:
                left = [(request.about, request.states, len(request.replies)) for request in requests if not request.is_over]
                self.report.fault(f"no answer within {NO_ANSWER} s: {left}")
                raise TimeoutError("the kernel does not answer")
            self.read_iopub(0.02)
            answered += self.read_replies()
        if answered != order:
            self.report.fault(f"replies out of order: {[request.about for request in requests]}")
        for identifier, request in zip(order, requests):
            self.check(request)
            del self.pending[identifier]
        return requests

    def check(self, request: Request) -> None:
        wanted = request.kind.replace("_request", "_reply")
        kinds = [reply["msg_type"] for reply in request.replies]
        if kinds != [wanted]:
            self.report.fault(f"{request.about!r} has the replies {kinds}, wanted {wanted}")
        # While a cell runs, its `busy` is repeated behind the `idle` of each other request.
        repeats = len(request.states) if request.kind == "execute_request" else 2
        if request.states != ["busy"] * (min(len(request.states), repeats) - 1) + ["idle"] or len(request.states) < 2:
            self.report.fault(f"{request.about!r} has the states {request.states}")
        if request.about.startswith("queue ") and request.status == "ok" and request.text["value"] != request.about[6:]:
            self.report.fault(f"{request.content['code']} is {request.said()!r}")
        if request.about.startswith("queue "):
            self.report.count("cells in a queue")

    def read_replies(self) -> list[str]:
        found = []
        while True:
            try:
                reply = self.client.get_shell_msg(timeout=0.001)
            except queue.Empty:
                return found
            identifier = reply["parent_header"].get("msg_id", "")
            request = self.pending.get(identifier)
            if request is None:
                self.report.fault(f"a reply to nothing of ours: {reply['msg_type']} {str(reply['content'])[:200]}")
                continue
            request.replies.append(reply)
            found.append(identifier)

    def read_iopub(self, timeout: float) -> None:
        while True:
            try:
                message = self.client.get_iopub_msg(timeout=timeout)
            except queue.Empty:
                return
            timeout = 0.001
            self.hear(message)
            request = self.pending.get(message["parent_header"].get("msg_id", ""))
            if request is not None:
                self.take(request, message)

    def take(self, request: Request, message: dict) -> None:
        kind, content = message["msg_type"], message["content"]
        if request.states[-1:] == ["idle"]:
            self.report.fault(f"{kind} after the idle of {request.about!r}")
        if kind == "status":
            request.states.append(content["execution_state"])
        elif not request.states:
            self.report.fault(f"{kind} before the busy of {request.about!r}")
        if kind == "stream":
            request.text[content["name"]] += content["text"]
        elif kind == "execute_result":
            request.text["value"] += content["data"].get("text/plain", "")
        elif kind == "error":
            request.text["error"] += f"{content['ename']}: {content['evalue']}"

    def hear(self, message: dict) -> None:
        """What any cell says about lost variables counts for all of them."""
        content = message["content"]
        text = plain(content.get("text", "") + content.get("evalue", "") + "\n".join(content.get("traceback", [])))
        if re.search(r"\b(lost|dropped|gone|moved)\b", text):
            for name in self.model:
                if re.search(rf"\b{name}\b", text):
                    self.model[name] = self.model[name] | {None}

    def forget(self) -> None:
        """After a restart or a reset."""
        self.model.clear()
        self.has_type = False
        while True:
            try:
                self.client.get_iopub_msg(timeout=0.2)
            except queue.Empty:
                break


def executing(code: str) -> dict:
    return {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, "stop_on_error": False}


# Processes.


def processes(front: int) -> dict[str, int]:
    """Our processes by what they do. Compilers and shells come and go and are left out."""
    found = {"front": front}
    for pid in descendants(front):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            command = Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            continue
        if command.startswith("swath") and command != "swath-cell":
            if b"SWATH_CHILD=1" in environment:
                found["child"] = pid
            elif b"SWATH_CHILD=help" in environment:
                found["helper"] = pid
    return found


def measure(pid: int) -> dict[str, float] | None:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        return {
            "MiB": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024,
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        }
    except (OSError, TypeError):
        return None


def growth(samples: list[tuple[float, dict]], what: str) -> tuple[float, float, float]:
    """The medians of the first and the last third, and the slope in units per minute."""
    third = max(1, len(samples) // 3)
    first = statistics.median(sample[what] for _, sample in samples[:third])
    last = statistics.median(sample[what] for _, sample in samples[-third:])
    slope = statistics.linear_regression([at / 60 for at, _ in samples], [sample[what] for _, sample in samples]).slope
    return first, last, slope


class Controller:
    """Interrupts, kills, resets and restarts at random moments, and measures the processes."""

    def __init__(self, kernel: Kernel, clients: list[Client], gate: Gate, report: Report, seed: int) -> None:
        self.kernel, self.clients, self.gate, self.report = kernel, clients, gate, report
        self.random = random.Random(f"{seed}control")
        # Samples of each life of a process.
        self.lives: dict[tuple[str, int], list[tuple[float, dict]]] = defaultdict(list)
        self.seen: set[int] = set()
        self.next: dict[str, float] = {}

    def due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now < self.next.setdefault(what, now + every * self.random.uniform(0.5, 1.5)):
            return False
        self.next[what] = now + every * self.random.uniform(0.5, 1.5)
        return True

    def run(self, until: float) -> None:
        while time.monotonic() < until:
            time.sleep(self.random.uniform(0.05, 0.3))
            if self.due("sample", SAMPLE_EVERY):
                self.sample()
            if self.due("interrupt", INTERRUPT_EVERY):
                self.kernel.interrupt()
                self.report.count("interrupts")
            if self.due("kill", KILL_EVERY):
                self.kill()
            if self.due("reset", RESET_EVERY):
                self.reset()
            if self.due("restart", RESTART_EVERY):
                self.restart()
            if not any(client.is_alive() for client in self.clients):
                return

    def kill(self) -> None:
        child = processes(self.kernel.pid).get("child")
        if child is not None:
            os.kill(child, signal.SIGKILL)
            self.report.count("kills of the cells' process")

    def reset(self) -> None:
        with self.gate.alone():
            cell = self.kernel.run("%reset", seconds=60)
            if cell.status != "ok" and cell.error["ename"] not in OUTSIDE:
                self.report.fault(f"%reset: {cell.everything()[-500:]}")
            self.forget()
            self.report.count("resets")

    def restart(self) -> None:
        with self.gate.alone():
            old = [self.kernel.pid, *descendants(self.kernel.pid)]
            self.kernel.manager.restart_kernel(now=self.random.random() < 0.3)
            self.kernel.client.wait_for_ready(timeout=120)
            for client in self.clients:
                client.client.wait_for_ready(timeout=120)
            self.forget()
            deadline = time.monotonic() + 30
            while (left := [pid for pid in old if alive(pid)]) and time.monotonic() < deadline:
                time.sleep(0.1)
            if left:
                self.report.fault(f"processes of before the restart still live: {left}")
            self.report.count("restarts")

    def forget(self) -> None:
        for client in self.clients:
            client.forget()

    def sample(self) -> None:
        for role, pid in processes(self.kernel.pid).items():
            self.seen.add(pid)
            if (sample := measure(pid)) is not None:
                self.lives[role, pid].append((time.monotonic(), sample))

    def flatness(self) -> list[str]:
        """A line for each life of a process that lasted; growth beyond the limits is a fault."""
        lines = []
        for (role, pid), samples in self.lives.items():
            # What is filled at the start, such as the helper's index, is no growth.
            began = samples[0][0]
            settled = [sample for sample in samples if sample[0] - began > (60 if role == "helper" else 20)]
            if len(settled) < 12:
                continue
            parts = []
            for what in ("MiB", "threads", "descriptors"):
                first, last, slope = growth(settled, what)
                parts.append(f"{what} {first:.0f} -> {last:.0f} ({slope:+.2f}/min)")
                limit = max(GROWTH_MIB, GROWTH_PART * first) if what == "MiB" else max(6, 0.3 * first)
                if last - first > limit:
                    self.report.fault(f"the {role} {pid} grows: {parts[-1]}")
            lines.append(f"{role} {pid}, {settled[-1][0] - settled[0][0]:.0f} s: {', '.join(parts)}")
        return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    temporary, home = Path(tempfile.mkdtemp(prefix="swath-soak-")), Path(tempfile.mkdtemp(prefix="swath-soak-home-"))
    gate, report, stop = Gate(), Report(), threading.Event()
    began = time.monotonic()
    # The history is its own: the soak would fill the user's.
    environment = {**os.environ, "TMPDIR": str(temporary), "XDG_DATA_HOME": str(home), "XDG_STATE_HOME": str(home)}
    kernel = Kernel(env=environment)
    connection = kernel.manager.connection_file
    clients = [Client(letter, connection, options.seed, gate, report, stop) for letter in "abc"]
    for client in clients:
        client.client.wait_for_ready(timeout=120)
        client.start()
    controller = Controller(kernel, clients, gate, report, options.seed)
    try:
        controller.run(began + 60 * options.minutes)
    finally:
        stop.set()
        for client in clients:
            client.join(timeout=NO_ANSWER + 10)
            client.client.stop_channels()
        at_the_end(kernel, controller, report, temporary)
    text = summary(report, controller, time.monotonic() - began)
    print(text)
    if options.report:
        options.report.write_text(text)
    shutil.rmtree(temporary, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
    sys.exit(1 if report.faults else 0)


def at_the_end(kernel: Kernel, controller: Controller, report: Report, temporary: Path) -> None:
    """Shuts down as a front end does, then looks for what is left."""
    controller.sample()
    everything = [kernel.pid, *descendants(kernel.pid), *controller.seen]
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=False)
    deadline = time.monotonic() + 30
    while (left := [pid for pid in everything if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.2)
    if left:
        report.fault(f"processes left at the end: {left}")
    if folders := sorted(path.name for path in temporary.iterdir()):
        report.fault(f"left in the folder for temporary files: {folders}")


def summary(report: Report, controller: Controller, seconds: float) -> str:
    lines = [f"{seconds / 60:.1f} minutes"]
    for what, count in sorted(report.counts.items()):
        times = sorted(report.seconds.get(what, []))
        shown = f", median {1000 * statistics.median(times):.0f} ms, 95 % {1000 * times[int(0.95 * (len(times) - 1))]:.0f} ms" if times else ""
        lines.append(f"{count:7} {what}{shown}")
    lines += controller.flatness()
    lines.append(f"{len(report.faults)} faults")
    lines += [f"- {fault}" for fault in report.faults[:100]]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
