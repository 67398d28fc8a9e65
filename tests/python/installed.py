"""An installation for others, and a Jupyter that starts its kernel as one of them: a user who owns nothing, on whose search
path is nothing, with an environment as empty as Jupyter leaves it."""

from __future__ import annotations

import contextlib
import os
import shutil
import string
import subprocess
import tempfile
import time
from pathlib import Path

from jupyter_client import KernelManager
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager

from command import SWATH
from harness import PATIENCE, Kernel

# Somebody whom this machine does not know.
UID = 12345
SETPRIV = shutil.which("setpriv")
CAN_BE_OTHERS = os.geteuid() == 0 and SETPRIV is not None
WHY_NOT = "only root can become another user, with setpriv of util-linux"


@contextlib.contextmanager
def open_folder():
    """A folder that everybody can read; pytest's own are private."""
    folder = Path(tempfile.mkdtemp(prefix="swath-installed-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def swath(*words, program: str | Path = SWATH, umask: int = 0o077, **environment) -> subprocess.CompletedProcess:
    return subprocess.run([str(program), *map(str, words)], capture_output=True, text=True, umask=umask,
                          env=os.environ | environment)


def install(prefix: Path, *words, **options) -> subprocess.CompletedProcess:
    """`swath install`, with the umask of a careful administrator."""
    done = swath("install", "--prefix", prefix, *words, **options)
    assert done.returncode == 0, done.stderr
    return done


def program_of(prefix: Path) -> Path:
    (program,) = prefix.glob("lib/swath/*/swath")
    return program


class Home:
    """The folders of somebody else, below `folder`."""

    def __init__(self, folder: Path, name: str = "home", mode: int = 0o700, owner: int = UID) -> None:
        self.path = folder / name
        self.temporary = folder / f"{name}-tmp"
        self.tools = folder / f"{name}-bin"
        for place in (self.path, self.temporary, self.tools):
            place.mkdir()
        os.chown(self.temporary, UID, UID)
        os.chown(self.path, owner, owner)
        self.path.chmod(mode)

    def environment(self) -> dict[str, str]:
        return {"PATH": str(self.tools), "HOME": str(self.path), "TMPDIR": str(self.temporary)}

    def add_tools(self, *names: str) -> None:
        for name in names:
            (self.tools / name).symlink_to(shutil.which(name))


def as_other(home: Home, *words, **environment) -> subprocess.CompletedProcess:
    return subprocess.run([SETPRIV, f"--reuid={UID}", f"--regid={UID}", "--clear-groups", *map(str, words)],
                          capture_output=True, text=True, env=home.environment() | environment, cwd="/")


class OthersKernel(Kernel):
    """The kernel of an installation, found and named by Jupyter's own library, started for somebody else."""

    def __init__(self, prefix: Path, home: Home, name: str = "swath", uid: int = UID, **environment: str) -> None:
        specs = KernelSpecManager(kernel_dirs=[str(prefix / "share/jupyter/kernels")])
        self.manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        self.files = Path(tempfile.mkdtemp(prefix="swath-connection-"))
        self.files.chmod(0o755)
        connection = self.files / "connection.json"
        self.manager.connection_file = str(connection)
        self.manager.write_connection_file()
        os.chown(connection, uid, uid)
        # As jupyter_client fills in a kernelspec; the system's folders, which it names, hold a compiler here.
        environment = home.environment() | environment
        spec = {key: string.Template(value).safe_substitute(environment) for key, value in self.manager.kernel_spec.env.items()}
        spec.pop("PATH", None)
        self.launched = time.monotonic()
        command = [SETPRIV, f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *self.manager.format_kernel_cmd()]
        self.process = subprocess.Popen(command, env=environment | spec, cwd=home.path if home.path.exists() else "/")
        self.client = BlockingKernelClient(connection_file=str(connection))
        self.client.load_connection_file()
        self.client.start_channels()
        self.replies: dict[str, dict] = {}
        self.client.wait_for_ready(timeout=60 * PATIENCE)
        self.seconds_to_ready = time.monotonic() - self.launched

    @property
    def pid(self) -> int:
        return self.process.pid

    def close(self) -> None:
        self.client.shutdown()
        self.client.stop_channels()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait()
            shutil.rmtree(self.files, ignore_errors=True)
