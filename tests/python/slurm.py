"""A real Slurm of one node for tests: munged, slurmctld and slurmd with files, ports and a key of their own under a folder.

The controller believes in two processors whatever the machine has, so that two tasks run at a time. Started as root it runs
the jobs of any user, otherwise those of its own. It needs Debian's `slurm-wlm` and `munge` (scripts/setup-system.sh installs
them), and nothing of a Slurm that the machine may have already is touched.
"""

from __future__ import annotations

import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")
NODE = "swath"
# Debian keeps daemons out of the path of plain users.
SEARCH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
PATIENCE = float(os.environ.get("SWATH_TEST_PATIENCE", "1"))


def missing() -> list[str]:
    """The programs that are not installed."""
    return [name for name in NEEDED if shutil.which(name, path=SEARCH) is None]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Slurm:
    """A cluster of one node, as a context manager."""

    def __init__(self):
        # Short, since the path of munge's socket may have at most 107 characters, and readable by other users.
        self.folder = Path(tempfile.mkdtemp(prefix="swath-slurm-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.daemons: list[subprocess.Popen] = []
        self.environment = os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": SEARCH}
        # A test that runs within a job is not part of that job.
        for name in [name for name in self.environment if re.match(r"(SLURM|SBATCH)_(?!CONF)", name)]:
            del self.environment[name]

    def __enter__(self) -> "Slurm":
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        folder, user = self.folder, getpass.getuser()
        for name in ("state", "spool", "munge", "logs"):
            (folder / name).mkdir()
        (folder / "munge").chmod(0o711)
        key = folder / "munge" / "key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        munge = folder / "munge" / "socket"
        name = socket.gethostname()
        (folder / "gres.conf").write_text(
            f"NodeName={NODE} Name=gpu Type=a100_1g.10gb File=/dev/null\nNodeName={NODE} Name=gpu Type=a100_1g.10gb File=/dev/zero\n"
        )
        (folder / "slurm.conf").write_text(f"""
ClusterName=swath
SlurmctldHost={name}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={free_port()}
SlurmdPort={free_port()}
AuthType=auth/munge
AuthInfo=socket={munge},cred_expire=10
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/logs/slurmctld
SlurmdLogFile={folder}/logs/slurmd
PlugStackConfig={folder}/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=1000
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0,sched_min_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
EnforcePartLimits=ALL
OverTimeLimit=0
KillWait=30
MinJobAge=600
InactiveLimit=0
SlurmdTimeout=300
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={NODE} NodeHostname={name} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000 Gres=gpu:a100_1g.10gb:2 State=UNKNOWN
PartitionName=main Nodes={NODE} Default=YES MaxTime=60 DefaultTime=10 State=UP PriorityTier=2 PreemptMode=OFF
PartitionName=spare Nodes={NODE} MaxTime=60 DefaultTime=10 State=UP PriorityTier=1
PartitionName=staff Nodes={NODE} MaxTime=60 State=UP AllowGroups=root PriorityTier=2 PreemptMode=OFF
""")
        (folder / "plugstack.conf").write_text("")
        self.daemon("munged", "--foreground", f"--key-file={key}", f"--socket={munge}", f"--pid-file={folder}/munge/pid",
                    f"--log-file={folder}/munge/log", f"--seed-file={folder}/munge/seed", "--force")
        self.until("munge's socket", munge.exists, 10)
        self.daemon("slurmctld", "-D", "-c", "-f", str(folder / "slurm.conf"))
        self.daemon("slurmd", "-D", "-N", NODE, "-f", str(folder / "slurm.conf"))
        self.until("an idle node", lambda: "idle" in self.run("sinfo", "-h", "-o", "%T", check=False).stdout, 60)

    def daemon(self, name: str, *words: str):
        log = open(self.folder / "logs" / f"{name}.output", "wb")
        program = shutil.which(name, path=SEARCH)
        self.daemons.append(subprocess.Popen([program, *words], stdout=log, stderr=subprocess.STDOUT, env=self.environment,
                                             stdin=subprocess.DEVNULL, start_new_session=True))

    def until(self, what: str, is_so, seconds: float):
        """Waits until something is so; what the daemons said comes with the failure."""
        end = time.monotonic() + seconds * PATIENCE
        while not is_so():
            dead = [one.args[0] for one in self.daemons if one.poll() is not None]
            if dead or time.monotonic() > end:
                raise AssertionError(f"{what}: not within {seconds} s; ended: {dead}\n{self.said()}")
            time.sleep(0.2)

    def said(self) -> str:
        """The ends of all logs."""
        logs = [*sorted((self.folder / "logs").glob("*")), self.folder / "munge" / "log"]
        return "\n".join(f"--- {log.name}\n" + log.read_text(errors="replace")[-3000:] for log in logs if log.is_file())

    def stop(self):
        try:
            if len(self.daemons) == 3:
                self.run("scancel", *self.jobs(), check=False)
                end = time.monotonic() + 15
                while time.monotonic() < end and self.run("squeue", "-h", "-o", "%A", check=False).stdout.strip():
                    time.sleep(0.3)
        except (AssertionError, subprocess.TimeoutExpired):
            # The controller is gone: what is left is ended below.
            pass
        finally:
            for one in reversed(self.daemons):
                one.terminate()
            for one in self.daemons:
                try:
                    one.wait(10)
                except subprocess.TimeoutExpired:
                    one.kill()
            for pid in self.left():
                os.kill(pid, signal.SIGKILL)
            shutil.rmtree(self.folder, ignore_errors=True)

    def left(self) -> list[int]:
        """Processes of this cluster that outlive its daemons: the keepers of job steps."""
        mark, found = f"SLURM_CONF={self.folder}/slurm.conf".encode(), []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if b"slurmstepd" in (process / "comm").read_bytes() and mark in (process / "environ").read_bytes():
                    found.append(int(process.name))
            except OSError:
                continue
        return found

    def run(self, *words: str, check: bool = True, user: str | None = None, **options) -> subprocess.CompletedProcess:
        """Runs a command with this cluster's settings, as another user when it is asked for."""
        done = subprocess.run(list(words), capture_output=True, text=True, timeout=120, user=user, group=user and "nogroup",
                              extra_groups=[] if user else None, env=options.pop("env", self.environment), **options)
        if check:
            assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def jobs(self) -> dict[str, str]:
        """The state of every job and array task that the controller still knows."""
        lines = self.run("squeue", "--array", "--states=all", "-h", "-o", "%i|%T").stdout.splitlines()
        return dict(line.split("|") for line in lines)

    def facts(self, job: str) -> dict[str, str]:
        """What `scontrol show job` says of a job."""
        text = self.run("scontrol", "--oneliner", "show", "job", job).stdout
        return dict(re.findall(r"(\S+?)=(\S*)", text))

    def wait(self, job: str, *states: str, seconds: float = 60) -> str:
        """Waits until a job is in one of the states."""
        found = ""

        def is_so():
            nonlocal found
            found = self.jobs().get(job, "gone")
            return found in states

        try:
            self.until(f"job {job} {' or '.join(states)}", is_so, seconds)
        except AssertionError as error:
            raise AssertionError(f"job {job} is {found}: {self.jobs()}\n{error}") from None
        return found
