"""Other users of the machine: the installed kernel where they can reach it, started as one of them, and looked at as another.

Root's rights are needed to become somebody else; where they are missing, tests say so and are skipped."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import traceback
from pathlib import Path

from jupyter_client import BlockingKernelClient
from jupyter_client.connect import write_connection_file
from jupyter_client.kernelspec import KernelSpecManager

from attacks import GREETING, TYPES, command, frame, property_
from harness import KERNEL, PATIENCE, Kernel

# Nobody's numbers: who uses Swath, who wants to do harm, and the group of a course.
VICTIM, ATTACKER, GROUP = 12346, 12345, 12347
TOOLS = ["bin/rustc", "bin/cargo", "lib/rustlib/{host}", "lib/rustlib/src"]


def link_tree(source: Path, target: Path) -> None:
    """Hard links where the file system allows, copies otherwise."""
    def put(one: str, other: str) -> str:
        try:
            os.link(one, other)
        except OSError:
            shutil.copy2(one, other)
        return other

    if source.is_dir():
        shutil.copytree(source, target, copy_function=put, symlinks=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        put(str(source.resolve()), str(target))


class Installed:
    """The installed program, library and toolchain in a place that every user can read and nobody but root can change."""

    def __init__(self) -> None:
        # Not pytest's folder, which is its user's alone.
        self.root = Path(tempfile.mkdtemp(prefix="swath-users-", dir="/tmp"))
        self.root.chmod(0o755)
        spec = KernelSpecManager().get_kernel_spec(KERNEL)
        started = spec.argv[0].replace("{resource_dir}", spec.resource_dir)
        program = Path(os.environ.get("SWATH_TEST_PROGRAM") or started)
        library = Path(os.environ.get("SWATH_LIB_DIR") or program.resolve().parent / "lib-swath")
        self.programs = self.root / "lib/swath"
        self.programs.mkdir(parents=True)
        for name in ("swath", "swath-cell", "swath-cc"):
            if (program.resolve().parent / name).exists():
                link_tree(program.resolve().parent / name, self.programs / name)
        self.library = self.programs / "lib-swath"
        link_tree(library, self.library)
        sysroot = Path((library / "toolchain").read_text().strip())
        if not sysroot.is_absolute():
            sysroot = (library / sysroot).resolve()
        self.toolchain = self.root / "toolchain"
        host = next(it.name for it in (sysroot / "lib/rustlib").iterdir() if it.name.endswith("-linux-gnu"))
        for tool in TOOLS:
            source = sysroot / tool.format(host=host)
            if source.exists():
                link_tree(source, self.toolchain / tool.format(host=host))
        for file in (sysroot / "lib").iterdir():
            if file.is_file():
                link_tree(file, self.toolchain / "lib" / file.name)
        named = self.library / "toolchain"
        named.unlink()  # it is the same file as the installed one
        named.write_text(str(self.toolchain))
        self.swath = self.programs / "swath"

    def home(self, user: int) -> Path:
        home = self.root / f"home-{user}"
        if not home.exists():
            home.mkdir(mode=0o755)
            os.chown(home, user, user)
        return home

    def environment(self, user: int, **more: str) -> dict[str, str]:
        return {"HOME": str(self.home(user)), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8",
                "SWATH_TEST": "1", **more}

    def run(self, user: int, *words, group: int | None = None, umask: int = 0o022, **environment) -> subprocess.CompletedProcess:
        return self.start(user, *words, group=group, umask=umask, **environment)()

    def start(self, user: int, *words, group: int | None = None, umask: int = 0o022, **environment):
        """Starts `swath` as a user; the call of what comes back waits for its end."""
        process = subprocess.Popen(
            [str(self.swath), *map(str, words)], env=self.environment(user, **environment), cwd="/", umask=umask,
            user=user, group=group or user, extra_groups=[], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def ended() -> subprocess.CompletedProcess:
            out, err = process.communicate(timeout=120 * PATIENCE)
            return subprocess.CompletedProcess(process.args, process.returncode, out, err)
        return ended

    @contextlib.contextmanager
    def kernel(self, user: int = VICTIM, cwd: Path | None = None, umask: int = 0o022, wrapper: list[str] = (),
               ipc: bool = False, mode: int = 0o600, as_root: bool = False, **environment):
        """A kernel of a user, and root's client for it: root may talk to all. `wrapper` runs as that user, or as root when it
        is to become that user itself."""
        place = Path(tempfile.mkdtemp(prefix="connection-", dir=self.root))
        os.chown(place, user, user)
        file = place / "kernel.json"
        write_connection_file(str(file), transport="ipc" if ipc else "tcp", ip=str(place / "socket") if ipc else "127.0.0.1",
                              key=os.urandom(16).hex().encode())
        os.chown(file, user, user)
        file.chmod(mode)
        user_arguments = {} if as_root else {"user": user, "group": user, "extra_groups": []}
        process = subprocess.Popen(
            [*wrapper, str(self.swath), "kernel", "-f", str(file)], env=self.environment(user, **environment),
            cwd=cwd or self.home(user), umask=umask, **user_arguments, start_new_session=True, stderr=open(place / "log", "w"))
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        client.start_channels()
        kernel = Kernel.__new__(Kernel)
        kernel.client, kernel.replies, kernel.process, kernel.place, kernel.file = client, {}, process, place, file
        kernel.log = lambda: (place / "log").read_text()
        try:
            client.wait_for_ready(timeout=60 * PATIENCE)
            yield kernel
        finally:
            # By message: a signal would reach the wrapper.
            client.shutdown()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
            client.stop_channels()

    def remove(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)


def as_user(user: int, work, *arguments, group: int | None = None):
    """What `work` returns when it is called as a user, by a process of its own; an exception is a text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(group or user)
            os.setuid(user)
            answer = {"value": work(*arguments)}
        except BaseException as error:  # noqa: BLE001
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        with os.fdopen(writing, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    answer = json.loads(text)
    if "error" in answer:
        return f"error: {answer['error']}"
    return answer["value"]


def listen_to(port: int, channel: str, seconds: float, address: str = "127.0.0.1") -> str:
    """What somebody without the key hears at a port: `closed`, or what was said after the handshake."""
    with socket.socket() as stream:
        stream.settimeout(seconds)
        heard = b""
        try:
            stream.connect((address, port))
            ready = property_(b"Socket-Type", TYPES[channel]) + property_(b"Identity", b"")
            stream.sendall(GREETING + command(b"READY", ready))
            if channel == "iopub":
                stream.sendall(frame(0, b"\x01"))
            deadline = time.monotonic() + seconds
            while time.monotonic() < deadline and b"secret" not in heard:
                stream.settimeout(max(0.05, deadline - time.monotonic()))
                part = stream.recv(65536)
                if not part:
                    return "closed" if not heard else f"closed after {len(heard)} bytes: {heard!r}"
                heard += part
        except TimeoutError:
            pass
        except OSError as error:
            return "closed" if not heard else f"closed after {len(heard)} bytes ({error})"
        return heard.decode("latin-1")


def open_entries(folder: Path) -> list[str]:
    """Everything at and below a folder that is not its owner's alone; links have no permissions."""
    found = []
    for path in [folder, *folder.rglob("*")]:
        try:
            mode = path.lstat()
        except FileNotFoundError:
            continue
        if not path.is_symlink() and mode.st_mode & 0o077:
            found.append(f"{path} {mode.st_mode & 0o7777:04o}")
    return found


def attempt(path: str, how: str) -> str:
    """Opens something as whoever calls it."""
    if how == "list":
        return f"listed {os.listdir(path)}"
    with open(path, how) as file:
        if "r" in how:
            return f"read {len(file.read(64))}"
        file.write("x")
        return "written"


__all__ = ["ATTACKER", "GROUP", "VICTIM", "Installed", "as_user", "attempt", "listen_to", "open_entries"]
