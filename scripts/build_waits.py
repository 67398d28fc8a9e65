"""What a build waited for, from cargo's own report: usage: build_waits.py TARGET/cargo-timings/cargo-timing.html

Prints the crates that took longest and the chain of crates that the last one waited for (the part no further core helps).
"""

import json
import re
import sys
from pathlib import Path


def main() -> None:
    page = Path(sys.argv[1]).read_text(encoding="utf-8")
    units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\]);\n", page, re.S)[1])
    by_index = {unit["i"]: unit for unit in units}
    # A unit may start when the last of these has come: its rmeta, or all of it.
    waited_for = {}
    for unit in units:
        sections = dict(unit.get("sections") or [])
        metadata_at = sections.get("frontend", {}).get("end", unit["duration"])
        for kind, offset in (("unblocked_rmeta_units", metadata_at), ("unblocked_units", unit["duration"])):
            for freed in unit.get(kind) or []:
                at = unit["start"] + offset
                if freed not in waited_for or waited_for[freed][0] < at:
                    waited_for[freed] = (at, unit["i"])
    total = max(unit["start"] + unit["duration"] for unit in units)
    work = sum(unit["duration"] for unit in units)
    print(f"{len(units)} units, {total:.0f} s wall, {work:.0f} s of units, {work / total:.1f} at a time on average\n")
    print("| crate | s | started at |\n|---|---|---|")
    for unit in sorted(units, key=lambda unit: -unit["duration"])[:15]:
        print(f"| {unit['name']} {unit['version']}{unit['target']} | {unit['duration']:.1f} | {unit['start']:.0f} |")
    last = max(units, key=lambda unit: unit["start"] + unit["duration"])
    chain = [last]
    while chain[-1]["i"] in waited_for:
        chain.append(by_index[waited_for[chain[-1]["i"]][1]])
    print("\nThe chain to the last crate: " + " <- ".join(f"{unit['name']} ({unit['duration']:.0f} s)" for unit in chain))


if __name__ == "__main__":
    main()
