"""Kernels of many users on one machine, started one after the other within a minute: whether all answer, how long a first cell
takes, and the memory of each, front, cells' process and helper, as the share of each process in what several use (PSS).

usage, as root: many_kernels.py [--kernels 40] [--seconds 60] [--leave 3072]
"""

import argparse
import threading
import time
from pathlib import Path

from kernels import descendants, median, table
from other_users import Installed  # `kernels` has put the tests' modules on the path

FIRST_USER = 20_000
PARTS = "front", "child", "helper", "other"
CELLS = "let n = {number}; n * 2", "swath::device::Device::cpu().name().to_owned()"


def pss_mib(pid: int) -> float:
    """The memory of a process, what it shares divided by those who share it."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    raise AssertionError(f"no figures of process {pid}")


def role(pid: int) -> str:
    environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return {b"SWATH_CHILD=1": "child", b"SWATH_CHILD=help": "helper"}.get(
        next((word for word in environment if word.startswith(b"SWATH_CHILD=")), b""), "other")


def memory_of(users: list["User"]) -> list[dict[str, float]]:
    """What each kernel's processes have, by their part in it."""
    each = []
    for user in users:
        own = dict.fromkeys(PARTS, 0.0)
        for pid in [user.pid, *descendants(user.pid)]:
            try:
                own["front" if pid == user.pid else role(pid)] += pss_mib(pid)
            except OSError:
                continue
        each.append(own)
    return each


def settled(users: list["User"], leave: float) -> list[dict[str, float]]:
    """Their memory when the helpers have read what they read, or when little is left for others."""
    before = 0.0
    for _ in range(30):
        each = memory_of(users)
        now = sum(sum(own.values()) for own in each)
        if now < 1.01 * before or available_mib() < leave:
            break
        before = now
        time.sleep(15)
    return each


def available_mib() -> float:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("MemAvailable"))


class User(threading.Thread):
    """One user's kernel, from its start until all have been measured."""

    def __init__(self, installed: Installed, number: int, measured: threading.Event) -> None:
        super().__init__(name=f"user {number}")
        self.installed, self.number, self.measured = installed, number, measured
        self.answered = threading.Event()
        self.seconds, self.later, self.pid, self.problem = 0.0, 0.0, 0, None

    def run(self) -> None:
        try:
            began = time.monotonic()
            with self.installed.kernel(FIRST_USER + self.number) as kernel:
                self.pid = kernel.process.pid
                cell = kernel.run(CELLS[0].format(number=self.number), seconds=300)
                self.seconds = time.monotonic() - began
                assert cell.text == str(2 * self.number), cell.everything()
                self.later = kernel.ok(CELLS[1], seconds=300).seconds
                self.answered.set()
                self.measured.wait()
                assert kernel.run("n", seconds=300).text == str(self.number)
        except BaseException as error:  # noqa: BLE001
            self.problem = error
        finally:
            self.answered.set()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kernels", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=60, help="the time in which they are started")
    parser.add_argument("--leave", type=float, default=3072, help="MiB of memory that are left to others: no kernel is started beyond")
    given = parser.parse_args()

    installed = Installed()
    measured = threading.Event()
    before = available_mib()
    users = [User(installed, number, measured) for number in range(1, given.kernels + 1)]
    began = time.monotonic()
    try:
        for user in list(users):
            if available_mib() < given.leave:
                users = [user for user in users if user.ident is not None]
                print(f"no more than {len(users)} kernels: less than {given.leave:.0f} MiB are left")
                break
            user.start()
            time.sleep(max(0.0, began + given.seconds * user.number / given.kernels - time.monotonic()))
        for user in users:
            user.answered.wait()
        all_after = time.monotonic() - began
        time.sleep(5)
        well = [user for user in users if user.problem is None]
        at_once = memory_of(well)
        each = settled(well, given.leave)
        after = available_mib()
    finally:
        measured.set()
        for user in users:
            if user.is_alive():
                user.join()
        installed.remove()
    well = [user for user in users if user.problem is None]
    for user in users:
        if user.problem is not None:
            print(f"{user.name}: {type(user.problem).__name__}: {user.problem}")
    print(f"{len(well)} of {given.kernels} kernels of as many users, started within {given.seconds:.0f} s, have answered; "
          f"the last one {all_after:.0f} s after the first start")
    if not well:
        return
    first = sorted(user.seconds for user in well)
    later = sorted(user.later for user in well)
    print(f"start to the first cell's result: median {median(first):.1f} s, slowest {first[-1]:.1f} s; "
          f"a second cell: median {median(later):.1f} s, slowest {later[-1]:.1f} s")
    rows = []
    for name in PARTS:
        values = sorted(own[name] for own in each)
        if values[-1] > 0:
            rows.append([name, f"{values[0]:.0f}", f"{median(values):.0f}", f"{values[-1]:.0f}", f"{sum(values):.0f}"])
    for title, names in {"front + child": ("front", "child"), "all of a kernel": PARTS}.items():
        values = sorted(sum(own[name] for name in names) for own in each)
        rows.append([title, f"{values[0]:.0f}", f"{median(values):.0f}", f"{values[-1]:.0f}", f"{sum(values):.0f}"])
    soon = sorted(own["front"] + own["child"] for own in at_once)
    print(f"front + child when all had answered: median {median(soon):.0f} MiB; then the helpers have read the standard library:")
    print(table(["MiB (PSS)", "least", "median", "most", "all together"], rows))
    print(f"memory that the machine has left: {before:.0f} MiB before, {after:.0f} MiB with all of them")


if __name__ == "__main__":
    main()
