"""The table of benches/README.md out of the lines that run.sh gathered. usage: table.py gpu.jsonl"""

import json
import sys

rows = []
for line in open(sys.argv[1]):
    if line.startswith("{"):
        rows.append(json.loads(line))
for row in rows:
    if "images_per_second" not in row:
        print("-", ", ".join(f"{key} {value}" for key, value in row.items()))
speeds = [row for row in rows if "images_per_second" in row]
print("\n| model | size x batch | number format | ours | eager | compiled | ours / eager | ours / compiled |")
print("|---|---|---|---|---|---|---|---|")
for key in dict.fromkeys((row["model"], row["size"], row["batch"], row["dtype"]) for row in speeds):
    found = {row["who"]: row["images_per_second"] for row in speeds
             if (row["model"], row["size"], row["batch"], row["dtype"]) == key}
    ours, eager, compiled = (found.get(who) for who in ("Swath", "PyTorch eager", "PyTorch compiled"))
    ratio = lambda peer: f"{ours / peer:.2f}" if ours and peer else ""
    print(f"| {key[0]} | {key[1]} x {key[2]} | {key[3]} | {ours or ''} | {eager or ''} | {compiled or ''} "
          f"| {ratio(eager)} | {ratio(compiled)} |")
