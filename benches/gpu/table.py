"""The table of benches/README.md out of the lines that run.sh gathered, with the GPU's own account of its work.

usage: table.py gpu.jsonl [FOLDER of the .smi files]
"""

import json
import statistics
import sys
from datetime import datetime
from pathlib import Path


def samples(path):
    """Time, share of the time that a kernel ran, MiB taken: nvidia-smi's lines."""
    found = []
    for line in path.read_text().splitlines() if path.exists() else []:
        parts = [part.strip() for part in line.split(",")]
        try:
            at = datetime.strptime(parts[0], "%Y/%m/%d %H:%M:%S.%f").timestamp()
            found.append((at, float(parts[1]), float(parts[2])))
        except (ValueError, IndexError):
            continue  # a line that was cut off, or a MIG slice, for which the driver tells no utilization
    return found


def busy(watched, epoch):
    """Per cent of each epoch that the GPU was busy; epochs end where the next begins, the last where the run does."""
    shares, end = [], epoch["ended"]
    for seconds in reversed(epoch["seconds"]):
        within = [use for at, use, _ in watched if end - seconds <= at <= end]
        shares.insert(0, round(statistics.fmean(within)) if within else None)
        end -= seconds
    return shares


def main():
    rows, group = [], None
    for line in open(sys.argv[1]):
        if line.startswith("{"):
            row = json.loads(line)
            group = row.get("group", group)
            rows.append((group, row))
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    for group, row in rows:
        watched = samples(folder / f"{group}.smi") if folder else []
        if "group" in row:
            most = f", at most {max(used for _, _, used in watched):.0f} MiB taken" if watched else ""
            print(f"\n{group}{most}")
        elif "images_per_second" not in row:
            print("-", ", ".join(f"{key} {value}" for key, value in row.items()))
            if "ended" in row and "seconds" in row and watched and isinstance(row["seconds"], list):
                print("  GPU busy in each epoch (validation included), per cent:", busy(watched, row))
    speeds = [row for _, row in rows if "images_per_second" in row]
    if not speeds:
        return
    print("\n| model | size x batch | number format | ours | eager | compiled | ours / eager | ours / compiled |")
    print("|---|---|---|---|---|---|---|---|")
    for key in dict.fromkeys((row["model"], row["size"], row["batch"], row["dtype"]) for row in speeds):
        found = {row["who"]: row["images_per_second"] for row in speeds
                 if (row["model"], row["size"], row["batch"], row["dtype"]) == key}
        ours, eager, compiled = (found.get(who) for who in ("Swath", "PyTorch eager", "PyTorch compiled"))
        ratio = lambda peer: f"{ours / peer:.2f}" if ours and peer else ""
        print(f"| {key[0]} | {key[1]} x {key[2]} | {key[3]} | {ours or ''} | {eager or ''} | {compiled or ''} "
              f"| {ratio(eager)} | {ratio(compiled)} |")


main()
