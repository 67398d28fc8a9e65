"""A front end for tests: starts the real kernel through its kernelspec and records everything that a cell says."""

from __future__ import annotations

import os
import queue
import time
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_client import KernelManager

KERNEL = os.environ.get("SWATH_KERNEL_NAME", "swath")
# Slow machines: every limit is multiplied by this.
PATIENCE = float(os.environ.get("SWATH_TEST_PATIENCE", "4" if os.environ.get("SWATH_CI") or os.environ.get("CI") else "2"))


@dataclass
class Cell:
    """What one execute_request brought: the reply, and the IOPub messages in order with their arrival times."""

    reply: dict = field(default_factory=dict)
    messages: list[dict] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    seconds: float = 0.0
    reply_after: float = 0.0

    @property
    def status(self) -> str:
        return self.reply.get("status", "no reply")

    def of(self, kind: str) -> list[dict]:
        return [message["content"] for message in self.messages if message["msg_type"] == kind]

    def stream(self, name: str) -> str:
        return "".join(content["text"] for content in self.of("stream") if content["name"] == name)

    @property
    def stdout(self) -> str:
        return self.stream("stdout")

    @property
    def stderr(self) -> str:
        return self.stream("stderr")

    @property
    def text(self) -> str:
        """The plain text of the cell's result."""
        return "".join(content["data"].get("text/plain", "") for content in self.of("execute_result"))

    @property
    def error(self) -> dict:
        errors = self.of("error")
        assert len(errors) == 1, f"expected one error, got {errors}; stdout {self.stdout!r}, stderr {self.stderr!r}"
        return errors[0]

    def everything(self) -> str:
        """All text a person would see, for messages whose channel does not matter."""
        shown = [self.stdout, self.stderr]
        for kind in ("execute_result", "display_data"):
            shown += [str(value) for content in self.of(kind) for value in content["data"].values()]
        shown += ["\n".join(content["traceback"]) + content["evalue"] for content in self.of("error")]
        shown += [str(page["data"]) for page in self.reply.get("payload", []) if page.get("source") == "page"]
        return "\n".join(shown)

    def times_of(self, kind: str) -> list[float]:
        return [at for at, message in zip(self.arrived, self.messages) if message["msg_type"] == kind]


class Kernel:
    """A running kernel and a client for it."""

    def __init__(self, env: dict[str, str] | None = None, cwd: str | Path | None = None, ready: bool = True,
                 name: str = KERNEL) -> None:
        self.manager = KernelManager(kernel_name=name)
        began = time.monotonic()
        extra = {} if env is None else {"env": env}
        if cwd is not None:
            extra["cwd"] = str(cwd)
        self.manager.start_kernel(**extra)
        self.client = self.manager.client()
        self.client.start_channels()
        self.launched = began
        self.replies: dict[str, dict] = {}
        if ready:
            self.client.wait_for_ready(timeout=60 * PATIENCE)
        self.seconds_to_ready = time.monotonic() - began

    @property
    def pid(self) -> int:
        return self.manager.provisioner.pid

    def child_pid(self) -> int:
        """The process that runs user code."""
        for pid in descendants(self.pid):
            try:
                environment = Path(f"/proc/{pid}/environ").read_bytes()
                name = Path(f"/proc/{pid}/comm").read_text().strip()
            except OSError:
                continue
            if b"SWATH_CHILD=1" in environment.split(b"\0") and name.startswith("swath") and name != "swath-cell":
                return pid
        raise AssertionError("the kernel has no child process")

    def send(self, code: str, **options) -> str:
        return self.client.execute(code, **options)

    def run(self, code: str, seconds: float = 60, answer: str | None = None, during=None, **options) -> Cell:
        """Executes a cell. `answer` goes to an input request; `during(cell)` is called after each message."""
        options.setdefault("allow_stdin", answer is not None)
        message_id = self.send(code, **options)
        return self.collect(message_id, seconds, answer, during)

    def collect(self, message_id: str, seconds: float = 60, answer: str | None = None, during=None) -> Cell:
        cell = Cell()
        began = time.monotonic()
        deadline = began + seconds * PATIENCE
        idle = False
        while not (idle and cell.reply):
            left = deadline - time.monotonic()
            assert left > 0, f"no end after {seconds * PATIENCE:.0f} s; so far {cell.status}: {cell.everything()[-2000:]}"
            try:
                message = self.client.get_iopub_msg(timeout=0.02)
                if message["parent_header"].get("msg_id") == message_id:
                    assert not idle, f"{message['msg_type']} came after idle"
                    if message["msg_type"] == "status":
                        idle = message["content"]["execution_state"] == "idle"
                    cell.messages.append(message)
                    cell.arrived.append(time.monotonic())
                    if during is not None:
                        during(cell)
            except queue.Empty:
                if during is not None:
                    during(cell)
            if answer is not None:
                try:
                    request = self.client.get_stdin_msg(timeout=0.001)
                    cell.messages.append(request)
                    cell.arrived.append(time.monotonic())
                    self.client.input(answer)
                except queue.Empty:
                    pass
            if not cell.reply:
                try:
                    reply = self._reply(message_id, 0.001)
                    cell.reply = reply["content"]
                    cell.reply_after = time.monotonic() - began
                except queue.Empty:
                    pass
        cell.seconds = time.monotonic() - began
        return cell

    def _reply(self, message_id: str, timeout: float, channel: str = "shell") -> dict:
        """The reply to a request; replies to others are kept for whoever asks for them."""
        deadline = time.monotonic() + timeout
        while message_id not in self.replies:
            reply = getattr(self.client, f"get_{channel}_msg")(timeout=max(0.001, deadline - time.monotonic()))
            self.replies[reply["parent_header"].get("msg_id")] = reply
        return self.replies.pop(message_id)

    def collect_reply(self, message_id: str, seconds: float = 60) -> dict:
        """The execute_reply alone."""
        return self._reply(message_id, seconds * PATIENCE)["content"]

    def ok(self, code: str, **options) -> Cell:
        cell = self.run(code, **options)
        assert cell.status == "ok", f"{code}\n{cell.everything()}"
        return cell

    def interrupt(self) -> None:
        """As JupyterLab does it: by message when the kernelspec says so, otherwise by signal."""
        self.manager.interrupt_kernel()

    def request(self, kind: str, content: dict, channel: str = "shell", seconds: float = 20) -> dict:
        """Any request with its reply's content, whatever else arrives."""
        message = self.client.session.msg(kind, content)
        sender = getattr(self.client, f"{channel}_channel")
        sender.send(message)
        return self._reply(message["header"]["msg_id"], seconds * PATIENCE, channel)["content"]

    def close(self) -> None:
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def parents() -> dict[int, int]:
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = int(folder.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
    return found


def descendants(pid: int) -> list[int]:
    tree = parents()
    found: list[int] = []
    frontier = [pid]
    while frontier:
        parent = frontier.pop()
        children = [child for child, its_parent in tree.items() if its_parent == parent]
        found += children
        frontier += children
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds * PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"still waiting after {seconds * PATIENCE:.0f} s: {what}"
        time.sleep(0.05)
