#!/usr/bin/env python3
"""How long it takes from an interrupt to the end of the cell, and what is kept.

    PYTHONPATH=tests/python python benches/interrupts.py [REPEATS]

Prints a table in Markdown: the median and the slowest of all repeats (3), and how many variables of two survived. One is
not used by the cell, the other is where the table says so."""

import queue
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "python"))

from harness import Kernel  # noqa: E402

BEGUN = 'println!("begun");\n'
WAIT = "std::thread::sleep(std::time::Duration::from_secs(77));"
LONG = "".join(
    f"fn f{n}(x: &[f64]) -> Vec<f64> {{ let mut v: Vec<f64> = x.iter().map(|a| a.sin() + {n}.0).collect(); "
    f"v.sort_by(f64::total_cmp); v }}\n" for n in range(1500)
) + "".join(f"f{n}(&[1.0]);" for n in range(1500))

CASES = [
    ("`std::thread::sleep`", BEGUN + WAIT),
    ("`sleep` in a cell that uses a variable", BEGUN + "let mine = &used; " + WAIT + ' println!("{mine:?}");'),
    ("`loop {}`", BEGUN + "loop {}"),
    ("a loop that allocates", BEGUN + "loop { std::hint::black_box(vec![1u8; 5000]); }"),
    ("a loop that prints", BEGUN + 'loop { println!("begun"); }'),
    ("`JoinHandle::join`", BEGUN + "std::thread::spawn(|| " + WAIT[:-1] + ").join().unwrap();"),
    ("`Receiver::recv`", BEGUN + "let (_s, r) = std::sync::mpsc::channel::<u8>(); let _ = r.recv();"),
    ("`Command::status`", BEGUN + 'std::process::Command::new("sleep").arg("77").status()?;'),
    ("a program that ignores it", BEGUN + 'std::process::Command::new("sh").args(["-c", "trap \'\' INT; sleep 77"]).status()?;'),
    ("a question (`input`)", 'let _ = swath::session::input("?");'),
    ("a loop with `check_interrupt`", BEGUN + 'loop { swath::session::check_interrupt("counting")?; std::thread::yield_now(); }'),
    ("`!sleep 77`", "!echo begun; sleep 77"),
    ("a long compilation", LONG),
]


def wait_until_begun(kernel, code):
    deadline = time.monotonic() + 60
    if "begun" not in code:
        if "input" in code:
            kernel.client.get_stdin_msg(timeout=60)
        else:
            time.sleep(1.5)
        return
    while time.monotonic() < deadline:
        try:
            message = kernel.client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        if message["msg_type"] == "stream" and "begun" in message["content"]["text"]:
            time.sleep(0.3)
            return
    raise AssertionError("the cell did not begin")


def measure(kernel, code, presses):
    kernel.ok("let kept = vec![1]; let used = vec![2];")
    message = kernel.send(code, allow_stdin=True)
    wait_until_begun(kernel, code)
    began = time.monotonic()
    for _ in range(presses):
        kernel.interrupt()
    reply = kernel.collect_reply(message)
    seconds = time.monotonic() - began
    assert reply["status"] == "error", (code, reply)
    kept = sum(kernel.run(f"{name}.len()").status == "ok" for name in ("kept", "used"))
    return seconds, kept


def main():
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    print("| the cell is in | median s | slowest s | pressed twice s | variables kept of 2 |\n|---|---|---|---|---|")
    with Kernel() as kernel:
        for name, code in CASES:
            rows = [measure(kernel, code, 1) for _ in range(repeats)]
            twice, _ = measure(kernel, code, 2)
            seconds = [row[0] for row in rows]
            print(f"| {name} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | {twice:.2f} | {min(row[1] for row in rows)} |",
                  flush=True)


if __name__ == "__main__":
    main()
