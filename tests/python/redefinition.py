"""Sessions that store values and then redefine what their types are made of: a value must come back exactly, or not at all.

Each session follows from its seed. It defines lengths and types in many ways (constants, const fns, associated items,
modules, macros, aliases, structs, enums, generics), keeps values with patterns that garbage would not have, redefines
something, and reads the values back. `Seen` says what came of each value.

usage: redefinition.py [--sessions 1000] [--seed 0] [--only SEED]    (with a kernelspec "swath" in JUPYTER_PATH)
"""

from __future__ import annotations

import argparse
import os
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

from harness import Cell, Kernel

# Freed and fresh memory is filled, so that what is read wrongly shows.
POISON = {"MALLOC_PERTURB_": "90", "GLIBC_TUNABLES": "glibc.malloc.perturb=90"}

# Types, a value of each, and its text.
ELEMENTS = [
    ("u8", "0xA5u8", "165"),
    ("u16", "0xA5A5u16", "42405"),
    ("u32", "0xA5A5_A5A5u32", "2779096485"),
    ("u64", "0xA5A5_A5A5_A5A5_A5A5u64", "11936128518282651045"),
    ("i128", "-0xA5A5_A5A5_A5A5_A5A5i128", "-11936128518282651045"),
    ("f32", "1.25f32", "1.25"),
    ("f64", "-2.5f64", "-2.5"),
    ("bool", "true", "true"),
    ("char", "'\\u{a5}'", "'¥'"),
    ("String", 'String::from("canary A5")', '"canary A5"'),
    ("Vec<u8>", "vec![0xA5u8; 5]", "[165, 165, 165, 165, 165]"),
    ("Option<Box<u64>>", "Some(Box::new(0xA5A5u64))", "Some(42405)"),
    ("(u8, u64)", "(0xA5u8, 0xA5A5u64)", "(165, 42405)"),
    ("(u64, u8)", "(0xA5A5u64, 0xA5u8)", "(42405, 165)"),
    ("&'static str", '"static canary"', '"static canary"'),
    ("std::rc::Rc<u16>", "std::rc::Rc::new(0xA5A5u16)", "42405"),
    ("Box<[u32]>", "vec![7u32, 8].into_boxed_slice()", "[7, 8]"),
    ("Box<u8>", "Box::new(0xA5u8)", "165"),
    ("usize", "0xA5A5usize", "42405"),
    ("[u8; 8]", "[0xA5u8; 8]", "[165, 165, 165, 165, 165, 165, 165, 165]"),
]
# Generic types of one parameter that a `use … as` may stand for: how a value of `X` is made, and its text.
WRAPPERS = [
    ("std::num::Wrapping", "std::num::Wrapping({})", "{}"),
    ("std::vec::Vec", "vec![{}]", "[{}]"),
    ("std::boxed::Box", "Box::new({})", "{}"),
    ("std::option::Option", "Some({})", "Some({})"),
    ("std::rc::Rc", "std::rc::Rc::new({})", "{}"),
    ("std::cmp::Reverse", "std::cmp::Reverse({})", "Reverse({})"),
    ("std::cell::Cell", "std::cell::Cell::new({})", "Cell {{ value: {} }}"),
    ("std::collections::VecDeque", "std::collections::VecDeque::from([{}])", "[{}]"),
]


@dataclass
class Definition:
    """An item that can be written anew with another meaning. `text(choice)` is its definition."""

    choices: list
    text: object
    choice: object = None
    before: str = ""  # what must stand in a cell before it, and never changes

    def now(self) -> str:
        return self.text(self.choice)


@dataclass
class Made:
    """A type as it is written, a value of it, and the value's text."""

    type: str
    value: str
    shown: str


@dataclass
class Session:
    seed: int
    cells: list[str] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    # What is read: name, the expression that is printed, the text that it must have.
    values: list[tuple[str, str, str]] = field(default_factory=list)
    # From this cell on, values are read back.
    reading_from: int = 0
    meaning_changes: bool = True


class Maker:
    """Makes one session."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.session = Session(seed)
        self.count = 0
        self.pending: list[str] = []

    def name(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.session.seed}x{self.count}"

    def define(self, choices: list, text, before: str = "") -> Definition:
        definition = Definition(choices, text, self.random.choice(choices), before)
        if before:
            self.cell(before)
        self.cell(definition.now())
        self.session.definitions.append(definition)
        return definition

    def cell(self, text: str) -> None:
        """A cell of its own, or a part of the one that comes next."""
        self.pending.append(text)
        if self.random.random() < 0.5:
            self.flush()

    def flush(self) -> None:
        if self.pending:
            self.session.cells.append("\n".join(self.pending))
            self.pending = []

    def length(self, depth: int = 0) -> tuple[str, int]:
        """An expression of type usize that a type may contain, and its value."""
        pick, numbers = self.random.choice, list(range(1, 10))
        kind = pick(["const", "const fn", "impl", "trait", "mod", "mod fn", "macro", "array", "size", "re-export"]
                    + ["sum", "loop"] * (depth < 2))
        n = self.name
        if kind == "const":
            name = n("N")
            return name, self.define(numbers, lambda x: f"const {name}: usize = {x};").choice
        if kind == "const fn":
            name = n("n")
            return f"{name}()", self.define(numbers, lambda x: f"const fn {name}() -> usize {{ {x} }}").choice
        if kind == "impl":
            name = n("B")
            made = self.define(numbers, lambda x: f"impl {name} {{ const N: usize = {x}; }}", f"struct {name};")
            return f"{name}::N", made.choice
        if kind == "trait":
            name = n("B")
            made = self.define(numbers, lambda x: f"impl H{name} for {name} {{ const N: usize = {x}; }}",
                               f"trait H{name} {{ const N: usize; }}\nstruct {name};")
            return f"<{name} as H{name}>::N", made.choice
        if kind == "mod":
            name = n("m")
            return f"{name}::N", self.define(numbers, lambda x: f"mod {name} {{ pub const N: usize = {x}; }}").choice
        if kind == "mod fn":
            name = n("m")
            made = self.define(numbers, lambda x: f"mod {name} {{ pub mod inner {{ pub const fn n() -> usize {{ {x} }} }}\n"
                                                  "pub use inner::n as len; }")
            return f"{name}::len()", made.choice
        if kind == "re-export":
            name = n("m")
            made = self.define(numbers, lambda x: f"mod {name} {{ pub const N: usize = {x}; }}")
            self.cell(f"use {name}::N as N{name};")
            return f"N{name}", made.choice
        if kind == "macro":
            name = n("len")
            made = self.define(numbers, lambda x: f"macro_rules! {name} {{ () => {{ {x} }}; }}")
            return f"{name}!()", made.choice
        if kind == "array":
            name = n("A")
            made = self.define(numbers, lambda x: f"const {name}: [u8; {x}] = [0; {x}];")
            return f"{name}.len()", made.choice
        if kind == "size":
            name = n("Z")
            made = self.define(numbers, lambda x: f"struct {name}([u8; {x}]);")
            return f"std::mem::size_of::<{name}>()", made.choice
        inner, value = self.length(depth + 1)
        name = n("K")
        if kind == "sum":
            made = self.define([1, 2, 3], lambda x: f"const {name}: usize = {inner} + {x};")
            return name, value + made.choice
        made = self.define([1, 2], lambda x: f"const fn {name}() -> usize {{ let mut i = 0; while i < {inner} {{ i += 1; }} i * {x} }}")
        return f"{name}()", value * made.choice

    def made(self, depth: int = 0) -> Made:
        """A type that hangs on a definition."""
        n, pick = self.name, self.random.choice
        kind = pick(["array", "array", "strings", "alias", "use", "assoc", "macro", "mod", "mod struct", "struct", "order", "enum",
                     "generic", "default", "align", "bound"] + ["outer"] * 3 * (depth < 2))
        if kind in ("array", "strings"):
            length, value = self.length()
            shown = [42405 + i for i in range(value)]
            if kind == "array":
                element = pick(["u64", "u16", "i32"])
                make = f"std::array::from_fn::<{element}, {{ {length} }}, _>(|i| (42405 + i) as {element})"
                return Made(f"[{element}; {length}]", make, str(shown))
            texts = "[" + ", ".join(f'"A5-{i}"' for i in range(value)) + "]"
            return Made(f"[String; {length}]", f'std::array::from_fn::<String, {{ {length} }}, _>(|i| format!("A5-{{i}}"))', texts)
        if kind == "alias":
            name = n("E")
            made = self.define(ELEMENTS, lambda e: f"type {name} = {e[0]};")
            return Made(name, made.choice[1], made.choice[2])
        if kind == "use":
            name = n("Kind")
            made = self.define(WRAPPERS, lambda w: f"use {w[0]} as {name};")
            return Made(f"{name}<u64>", made.choice[1].format("0xA5A5u64"), made.choice[2].format("42405"))
        if kind == "assoc":
            name = n("B")
            made = self.define(ELEMENTS, lambda e: f"impl H{name} for {name} {{ type E = {e[0]}; }}",
                               f"trait H{name} {{ type E; }}\nstruct {name};")
            return Made(f"<{name} as H{name}>::E", made.choice[1], made.choice[2])
        if kind == "bound":
            name = n("B")
            made = self.define(ELEMENTS, lambda e: f"impl H{name} for {name} {{ type E = {e[0]}; }}",
                               f"trait H{name} {{ type E: std::fmt::Debug; }}\n#[derive(Debug)] struct {name};\n"
                               f"#[derive(Debug)] struct G{name}<T: H{name}>(u8, T::E);")
            return Made(f"G{name}<{name}>", f"G{name}::<{name}>(9, {made.choice[1]})", f"G{name}(9, {made.choice[2]})")
        if kind == "macro":
            name = n("elem")
            made = self.define(ELEMENTS, lambda e: f"macro_rules! {name} {{ () => {{ {e[0]} }}; }}")
            return Made(f"{name}!()", made.choice[1], made.choice[2])
        if kind == "mod":
            name = n("m")
            made = self.define(ELEMENTS, lambda e: f"mod {name} {{ pub type E = {e[0]}; }}")
            return Made(f"{name}::E", made.choice[1], made.choice[2])
        if kind == "mod struct":
            name = n("m")
            made = self.define(ELEMENTS, lambda e: f"mod {name} {{ #[derive(Debug)] pub struct P {{ pub a: u8, pub b: {e[0]} }} }}")
            return Made(f"{name}::P", f"{name}::P {{ a: 7, b: {made.choice[1]} }}", f"P {{ a: 7, b: {made.choice[2]} }}")
        if kind == "struct":
            name = n("I")
            made = self.define(ELEMENTS, lambda e: f"#[derive(Debug)]\nstruct {name} {{ a: u8, b: {e[0]} }}")
            return Made(name, f"{name} {{ a: 7, b: {made.choice[1]} }}", f"{name} {{ a: 7, b: {made.choice[2]} }}")
        if kind == "order":
            name = n("O")
            orders = [["a", "b", "c"], ["b", "a", "c"], ["c", "b", "a"]]
            made = self.define(orders, lambda o: f"#[derive(Debug)]\nstruct {name} {{ " + ", ".join(f"{x}: u32" for x in o) + " }")
            values = {"a": 11, "b": 22, "c": 33}
            inside = ", ".join(f"{x}: {values[x]}" for x in made.choice)
            return Made(name, f"{name} {{ {inside} }}", f"{name} {{ {inside} }}")
        if kind == "enum":
            name = n("V")
            orders = [["A", "B", "C"], ["C", "A", "B"], ["B", "C", "A"], ["A", "B", "C", "D", "E"]]
            made = self.define(orders, lambda o: f"#[derive(Debug)]\nenum {name} {{ " + ", ".join(f"{x}(u16)" for x in o) + " }")
            return Made(name, f"{name}::{made.choice[1]}(4242)", f"{made.choice[1]}(4242)")
        if kind == "generic":
            name = n("G")
            made = self.define(ELEMENTS, lambda e: f"#[derive(Debug)]\nstruct {name}<T>(T, {e[0]});")
            return Made(f"{name}<u8>", f"{name}(3u8, {made.choice[1]})", f"{name}(3, {made.choice[2]})")
        if kind == "default":
            name = n("D")
            made = self.define(list(range(1, 9)), lambda x: f"#[derive(Debug)]\nstruct {name}<const N: usize = {x}>([u32; N]);")
            return Made(name, f"{name}::<{made.choice}>([42405; {made.choice}])",
                        f"{name}({[42405] * made.choice})")
        if kind == "align":
            name = n("L")
            made = self.define([1, 2, 8, 32], lambda x: f"#[derive(Debug)]\n#[repr(align({x}))]\nstruct {name}(u8, [u8; 3]);")
            return Made(name, f"{name}(0xA5, [1, 2, 3])", f"{name}(165, [1, 2, 3])")
        return self.outer(self.made(depth + 1))

    def outer(self, inner: Made) -> Made:
        """A type of the user's own around another."""
        kind, name = self.random.choice(["struct", "tuple", "enum", "generic", "alias"]), self.name("S")
        swaps = ["", "more"]
        if kind == "struct":
            self.define(swaps[:1] * 3 + swaps[1:], lambda x: f"#[derive(Debug)]\nstruct {name} {{ head: u64, body: {inner.type}, "
                        f"tail: [u8; {3 if not x else 4}] }}")
            tail = 4 if self.session.definitions[-1].choice else 3
            return Made(name, f"{name} {{ head: 77, body: {inner.value}, tail: [0xA5; {tail}] }}",
                        f"{name} {{ head: 77, body: {inner.shown}, tail: {[165] * tail} }}")
        if kind == "tuple":
            self.define([""], lambda x: f"#[derive(Debug)]\nstruct {name}(u8, {inner.type}, u32);")
            return Made(name, f"{name}(1, {inner.value}, 0xA5A5)", f"{name}(1, {inner.shown}, 42405)")
        if kind == "enum":
            self.define(swaps, lambda x: f"#[derive(Debug)]\nenum {name} {{ Empty, {'Other(u64), ' if x else ''}Full(u8, {inner.type}) }}")
            return Made(name, f"{name}::Full(9, {inner.value})", f"Full(9, {inner.shown})")
        if kind == "generic":
            self.define(["u32", "u64"], lambda x: f"#[derive(Debug)]\nstruct {name}<T>({x}, T);")
            return Made(f"{name}<{inner.type}>", f"{name}(5, {inner.value})", f"{name}(5, {inner.shown})")
        self.define([""], lambda x: f"type {name} = (u16, {inner.type});")
        return Made(name, f"(6u16, {inner.value})", f"(6, {inner.shown})")

    def keep(self, made: Made) -> None:
        """A cell that stores the value in a variable."""
        name = self.name("v")
        kind = self.random.choice(["plain", "plain", "vec", "box", "rc", "tuple", "dyn", "closure", "map"])
        typed = f"let held: {made.type} = {made.value};"
        shown, read = made.shown, f'"{{:?}}", {name}'
        if kind == "plain":
            code = f"let {name}: {made.type} = {made.value};"
        elif kind == "vec":
            code, shown = f"let {name} = {{ {typed} vec![held] }};", f"[{shown}]"
        elif kind == "box":
            code, shown = f"let {name} = {{ {typed} Some(Box::new(held)) }};", f"Some({shown})"
        elif kind == "rc":
            code = f"let {name} = {{ {typed} std::rc::Rc::new(held) }};"
        elif kind == "tuple":
            code = f"let ({name}, other_{name}) = {{ {typed} (held, 0xA5A5u64) }};"
            self.session.values.append((f"other_{name}", f'"{{:?}}", other_{name}', "42405"))
        elif kind == "dyn":
            code = f"let {name}: Box<dyn std::fmt::Debug> = {{ {typed} Box::new(held) }};"
        elif kind == "closure":
            code = f"let {name}: Box<dyn Fn() -> String> = {{ {typed} Box::new(move || format!(\"{{held:?}}\")) }};"
            read = f'"{{}}", {name}()'
        else:
            code = f"let {name} = {{ {typed} std::collections::BTreeMap::from([(\"k\", held)]) }};"
            shown = f'{{"k": {shown}}}'
        self.session.values.append((name, read, shown))
        self.pending.append(code)
        self.flush()

    def redefine(self) -> None:
        """Cells that write one definition anew."""
        definition, roll = self.random.choice(self.session.definitions), self.random.random()
        old = definition.choice
        others = [choice for choice in definition.choices if choice != old]
        if roll < 0.15 or not others:
            self.session.meaning_changes = False
            text = definition.now().replace("{", "{ /* the same */ ", 1)
            self.session.cells.append(f"// The same again.\n{text}\n")
            return
        definition.choice = self.random.choice(others)
        text = definition.now()
        if roll < 0.25:
            text += '\nlet _wrong: u8 = "does not compile";'
        elif roll < 0.35:
            text += '\npanic!("after the definition");'
        elif roll < 0.5:
            # Read in the very cell that redefines.
            text += f"\nprintln!({self.session.values[0][1]});"
        self.session.cells.append(text)
        if self.random.random() < 0.2:
            definition.choice = old
            self.session.cells.append(definition.now())

    def make(self) -> Session:
        for _ in range(self.random.choice([1, 2])):
            self.keep(self.made())
        self.flush()
        self.session.reading_from = len(self.session.cells)
        self.redefine()
        for name, read, _ in self.session.values:
            self.session.cells.append(f"println!({read});")
        name, read, _ = self.random.choice(self.session.values)
        self.session.cells.append(f"println!({read});")
        return self.session


def session(seed: int) -> Session:
    return Maker(seed).make()


@dataclass
class Seen:
    """What came of a session's values."""

    session: Session
    counts: Counter = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)

    def fault(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.faults.append(f"{kind}: {what}")

    def __str__(self) -> str:
        return "\n".join([f"seed {self.session.seed}", *self.faults, *self.log])


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def died(cell: Cell) -> bool:
    return cell.status == "error" and cell.error["ename"] in ("ChildDied", "EngineError")


def run(kernel: Kernel, made: Session) -> Seen:
    """Runs a session's cells and judges every value that is read."""
    seen, told = Seen(made), ""
    for number, code in enumerate(made.cells):
        cell = kernel.run(code, seconds=120)
        text = plain(cell.everything())
        told += text
        seen.log.append(f"  In[{number}] {cell.status}: {code}\n    {text[-600:]!r}")
        if died(cell):
            seen.fault("crash", f"In[{number}] {plain(cell.error['evalue'])[:200]}")
            return seen
        wanted = {read: (name, shown) for name, read, shown in made.values}
        if number < made.reading_from:
            if cell.status != "ok":
                seen.fault("not made", f"In[{number}] {plain(cell.error['evalue'])[:200]}")
                return seen
            continue
        for read, (name, shown) in wanted.items():
            if f"println!({read});" in code:
                judge(seen, cell, number, name, shown, told)
    return seen


def judge(seen: Seen, cell: Cell, number: int, name: str, shown: str, told: str) -> None:
    """Exactly right, or refused with a word; anything else is a fault."""
    if cell.status == "ok":
        if cell.stdout.strip() == shown:
            seen.counts["right"] += 1
        else:
            seen.fault("garbage", f"In[{number}] {name} is {cell.stdout.strip()[:300]!r}, wanted {shown!r}")
    elif not seen.session.meaning_changes:
        seen.fault("lost for nothing", f"In[{number}] {name}: {plain(cell.error['evalue'])[:200]}")
    elif f"`{name}`" in told:
        seen.counts["dropped, and told"] += 1
    else:
        seen.counts["refused otherwise"] += 1


FAULTS = ("garbage", "crash", "not made", "lost for nothing")
# As many sessions share a kernel's definitions before they are forgotten.
SESSIONS_OF_A_KERNEL = 25


def run_all(seeds, each=lambda seen: None) -> Counter:
    """Runs the sessions of these seeds in one kernel; the counts of what came of their values."""
    counts: Counter = Counter()
    with Kernel(env=environment()) as kernel:
        for index, seed in enumerate(seeds):
            if index % SESSIONS_OF_A_KERNEL == SESSIONS_OF_A_KERNEL - 1:
                kernel.run("%reset", seconds=60)
            seen = run(kernel, session(seed))
            counts.update(seen.counts)
            counts["sessions"] += 1
            counts["cells"] += len(seen.log)
            each(seen)
            if "crash" in seen.counts:
                kernel.run("%reset", seconds=60)
    return counts


def environment() -> dict[str, str]:
    return {**os.environ, **POISON}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.sessions) if options.only is None else [options.only]
    failed: dict[str, list[int]] = {}
    total, began = Counter(), time.monotonic()

    def each(seen: Seen) -> None:
        for kind in FAULTS:
            if kind in seen.counts:
                failed.setdefault(kind, []).append(seen.session.seed)
        if seen.faults or options.only is not None:
            print(seen, flush=True)
        total.update(seen.counts)
        total["sessions"] += 1
        if total["sessions"] % 25 == 0:
            print(f"{time.monotonic() - began:.0f} s", dict(total), flush=True)

    counts = run_all(seeds, each=each)
    print(f"{time.monotonic() - began:.0f} s", dict(counts))
    for kind, seeds in failed.items():
        print(f"{kind}: {len(seeds)} sessions, seeds {seeds[:60]}")


if __name__ == "__main__":
    main()
