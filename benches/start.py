"""Kernel starts: to kernel_info_reply beside ipykernel; to the first result of an API cell and of a `let` beside
evcxr_jupyter; memory of the front process and the child.

usage: start.py [--times 5]
"""

import argparse
import time

from kernels import PEER_SETUP, descendants, evcxr, evcxr_is_there, ipython, median, resident_mib, swath, table


def to_kernel_info(start) -> float:
    kernel = start()
    try:
        return kernel.seconds_to_ready
    finally:
        kernel.close()


def to_first_result(start, *cells: str) -> float:
    with start() as kernel:
        for code in cells:
            kernel.ok(code, seconds=120)
        return time.monotonic() - kernel.launched


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times

    info = {"swath": [], "ipykernel": []}
    for _ in range(times):
        info["swath"].append(to_kernel_info(swath))
        info["ipykernel"].append(to_kernel_info(ipython))
    ours, its = median(info["swath"]), median(info["ipykernel"])
    rows = [["start to kernel_info_reply", f"{ours:.2f} s", f"ipykernel {its:.2f} s", f"{ours / its:.2f} x (goal 1)"]]

    api = "swath::device::Device::cpu().name().to_owned()"
    cases = {"start to the first API cell's result": [api], "start to the first `let`'s result": ["let n = 6 * 7;", "n"]}
    for name, cells in cases.items():
        mine = median([to_first_result(swath, *cells) for _ in range(times)])
        row = [name, f"{mine:.2f} s"]
        if evcxr_is_there():
            its = median([to_first_result(evcxr, PEER_SETUP, *cells) for _ in range(max(2, times // 2))])
            row += [f"evcxr_jupyter {its:.2f} s", f"1/{its / mine:.1f} (goal 1/5)"]
        rows.append(row + [""] * (4 - len(row)))
    print(table(["", "swath", "peer", "ratio"], rows))

    with swath() as kernel:
        kernel.ok("let n = 1;")
        time.sleep(20)
        kernel.ok("n")
        print(f"\nmemory after a first cell, warmed up: front {resident_mib(kernel.pid):.0f} MiB, "
              f"child {resident_mib(kernel.child_pid()):.0f} MiB, {len(descendants(kernel.pid))} processes below the front")


if __name__ == "__main__":
    main()
