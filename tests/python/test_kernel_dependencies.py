"""Crates that cells add: built once as one shared object, with state that lasts, told about while they are built."""

from __future__ import annotations

import os
import time

from harness import PATIENCE, Kernel

COUNTER = """
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
static COUNT: AtomicUsize = AtomicUsize::new(0);
pub static TOTAL: AtomicUsize = AtomicUsize::new(0);
pub static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());
static ONCE: OnceLock<u32> = OnceLock::new();
thread_local! { static LOCAL: std::cell::Cell<u32> = const { std::cell::Cell::new(0) }; }
pub fn bump() -> usize { COUNT.fetch_add(1, Ordering::SeqCst) + 1 }
#[inline] pub fn add(n: usize) -> usize { TOTAL.fetch_add(n, Ordering::SeqCst) + n }
pub fn generic<T: Into<usize>>(n: T) -> usize { static G: AtomicUsize = AtomicUsize::new(0); G.fetch_add(n.into(), Ordering::SeqCst) }
pub fn once(value: u32) -> u32 { *ONCE.get_or_init(|| value) }
pub fn local() -> u32 { LOCAL.with(|cell| { cell.set(cell.get() + 1); cell.get() }) }
#[derive(Debug, Clone)] pub struct Thing { pub a: u64 }
pub fn thing() -> Thing { Thing { a: 7 } }
"""


def write_crate(folder, name, source, version="0.1.0", dependencies="", build="", extra=""):
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "Cargo.toml").write_text(
        f'[package]\nname = "{name}"\nversion = "{version}"\nedition = "2024"\n{extra}\n[dependencies]\n{dependencies}\n'
    )
    (folder / "src" / "lib.rs").write_text(source)
    if build:
        (folder / "build.rs").write_text(build)
    return folder


def add(kernel, name, folder, more=""):
    return kernel.ok(f':dep {name} = {{ path = "{folder}"{more} }}', seconds=300)


# ---------------------------------------------------------------- state


def test_statics_of_a_crate_last_over_cells_and_over_crates_that_are_added_later(tmp_path):
    counter = write_crate(tmp_path / "counter", "counter", COUNTER)
    user = write_crate(
        tmp_path / "user", "user", "pub fn twice() -> usize { counter::bump(); counter::bump() }\n"
        "pub fn add() -> usize { counter::add(1) }\npub type Thing = counter::Thing;",
        dependencies=f'counter = {{ path = "{counter}" }}',
    )
    with Kernel(cwd=tmp_path) as kernel:
        assert "Compiling counter" in add(kernel, "counter", counter).stderr
        assert kernel.ok("counter::bump()").text == "1"
        assert kernel.ok("counter::bump()").text == "2"
        # Inlined into the cell, generic over the cell's type, a loop (compiled with optimization).
        assert kernel.ok("counter::add(5)").text == "5"
        assert kernel.ok("let mut last = 0; for _ in 0..3 { last = counter::add(1); } last").text == "8"
        kernel.ok("counter::generic(3usize)")
        assert kernel.ok("counter::generic(1u8)").text == "3"
        kernel.ok('counter::LOG.lock()?.push("kept".to_owned());')
        assert kernel.ok("counter::LOG.lock()?.len()").text == "1"
        assert (kernel.ok("counter::once(4)").text, kernel.ok("counter::once(5)").text) == ("4", "4")
        assert (kernel.ok("counter::local()").text, kernel.ok("counter::local()").text) == ("1", "2")
        kernel.ok("let thing = counter::thing(); let list = vec![thing.clone()];")
        # Another crate, which uses the first one: a new shared object beside the old one.
        add(kernel, "user", user)
        assert kernel.ok("user::twice()").text == "4"
        assert kernel.ok("counter::bump()").text == "5"
        assert kernel.ok("user::add()").text == "9"
        assert kernel.ok("counter::once(6)").text == "4"
        assert kernel.ok("counter::local()").text == "3"
        assert kernel.ok("let same: user::Thing = list[0].clone(); same.a + thing.a").text == "14"
        # A cell that fails, a panic, and an error in a cell change nothing of it.
        assert kernel.run("counter::no_such()").status == "error"
        assert kernel.run('panic!("{}", counter::bump())').status == "error"
        assert kernel.ok("counter::bump()").text == "7"
        # Another process begins with nothing, and with the crates.
        assert kernel.run("std::process::abort()").status == "error"
        assert kernel.ok("(counter::bump(), user::twice())").text == "(1, 3)"
        kernel.ok("%reset -f", seconds=120)
        add(kernel, "counter", counter)
        assert kernel.ok("counter::bump()").text == "1"


def test_what_cells_do_with_crates_is_what_plain_cargo_does(tmp_path):
    counter = write_crate(tmp_path / "counter", "counter", COUNTER)
    cells = [
        "use counter::{Thing, thing};\nlet t = thing();",
        "t.a",
        "struct Pair { first: Thing, second: f32 }\nlet pair = Pair { first: t.clone(), second: 0.5 };",
        "pair.first.a as f32 + pair.second",
        "(counter::generic(2usize), format!(\"{:?}\", Thing { a: 1 }))",
        "counter::missing()",
        "extern crate counter as c;\nc::thing().a",
    ]

    def results(environment):
        with Kernel(cwd=tmp_path, env=environment) as kernel:
            add(kernel, "counter", counter)
            ran = [kernel.run(cell, seconds=300) for cell in cells]
            return [(cell.status, cell.text, cell.reply.get("ename")) for cell in ran]

    ours = results(None)
    assert ours[1][1] == "7" and ours[3][1] == "7.5" and ours[5][0] == "error", ours
    assert ours[6][:2] == ("ok", "7"), ours
    plain = results({**os.environ, "SWATH_PLAIN_CARGO": "1"})
    assert ours == plain


def test_a_logger_of_a_crate_from_the_registry_serves_all_later_cells(tmp_path):
    """`log` is among the library's own dependencies, so cargo has it without a network."""
    printer = write_crate(
        tmp_path / "printer", "printer",
        "struct Printer;\nimpl log::Log for Printer {\n fn enabled(&self, _: &log::Metadata) -> bool { true }\n"
        " fn log(&self, record: &log::Record) { println!(\"{}: {}\", record.level(), record.args()); }\n fn flush(&self) {}\n}\n"
        "pub fn init() { log::set_logger(&Printer).unwrap(); log::set_max_level(log::LevelFilter::Info); }",
        dependencies='log = "0.4"',
    )
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok(":offline 1")
        kernel.ok(f':dep log = "0.4"\n:dep printer = {{ path = "{printer}" }}\n:dep once_cell = "1"', seconds=300)
        kernel.ok("printer::init();")
        assert kernel.ok('log::warn!("in a later cell");').stdout == "WARN: in a later cell\n"
        kernel.ok("static CELL: once_cell::sync::OnceCell<u8> = once_cell::sync::OnceCell::new();")
        assert kernel.ok("CELL.set(1).is_ok()").text == "true"
        # Once more after another crate has come.
        add(kernel, "counter", write_crate(tmp_path / "counter", "counter", COUNTER))
        assert kernel.ok('for n in 0..2 { log::info!("{n}"); }').stdout == "INFO: 0\nINFO: 1\n"


# ---------------------------------------------------------------- crates that change


def test_an_edited_crate_drops_what_was_made_of_it_and_nothing_else(tmp_path):
    counter = write_crate(tmp_path / "counter", "counter", COUNTER)
    above = write_crate(
        tmp_path / "above", "above", "pub fn value() -> u64 { counter::thing().a }",
        dependencies=f'counter = {{ path = "{counter}" }}',
    )
    with Kernel(cwd=tmp_path) as kernel:
        add(kernel, "counter", counter)
        add(kernel, "above", above)
        kernel.ok("let number = 5; let thing = counter::thing(); let list = vec![counter::thing()];")
        kernel.ok("#[derive(Debug)]\nstruct Own { x: u8 }\nimpl Own { fn thing(&self) -> String { format!(\"{:?}\", counter::thing().a) } }")
        kernel.ok("let own = Own { x: 9 };")
        kernel.ok("struct Holder { inner: counter::Thing }\nstruct Outer(Holder);\nstruct Apart(u8);")
        kernel.ok("let outer = Outer(Holder { inner: counter::thing() }); let apart = Apart(3);")
        assert kernel.ok("(counter::bump(), above::value(), outer.0.inner.a)").text == "(1, 7, 7)"
        # Another layout, another value, the same names.
        edited = COUNTER.replace("pub a: u64", "pub name: String, pub a: [u64; 4]").replace(
            "Thing { a: 7 }", 'Thing { name: "new".into(), a: [8; 4] }')
        (counter / "src" / "lib.rs").write_text(edited)
        (above / "src" / "lib.rs").write_text("pub fn value() -> u64 { counter::thing().a[3] }")
        cell = kernel.ok("number + 1", seconds=300)
        assert cell.text == "6"
        for name in ("thing", "list", "outer"):
            assert f"`{name}`" in cell.stderr, cell.stderr
        assert "`counter`" in cell.stderr and "`apart`" not in cell.stderr and "`own`" not in cell.stderr and "begin anew" in cell.stderr
        assert kernel.ok("(own.x, own.thing())").text == '(9, "[8, 8, 8, 8]")'
        assert kernel.run("outer.0").status == "error"
        assert kernel.run("thing").status == "error"
        assert kernel.ok("(counter::bump(), above::value(), counter::thing().a, apart.0)").text == "(1, 8, [8, 8, 8, 8], 3)"
        # An edit that does not compile is told, and mended by another edit.
        (counter / "src" / "lib.rs").write_text(edited + "\npub fn broken() -> u8 { \"text\" }\n")
        broken = kernel.run("number", seconds=300)
        assert broken.status == "error" and "counter" in broken.everything() and "E0308" in broken.everything()
        (counter / "src" / "lib.rs").write_text(edited)
        assert kernel.ok("number", seconds=300).text == "5"
        # What the edit did not change in the end has kept its state.
        assert kernel.ok("counter::bump()").text == "2"


def test_another_version_drops_the_values_of_the_earlier_one(tmp_path):
    first = write_crate(tmp_path / "one", "shape", "#[derive(Debug)] pub struct Shape(pub u8); pub fn make() -> Shape { Shape(1) }")
    second = write_crate(
        tmp_path / "two", "shape", "#[derive(Debug)] pub struct Shape(pub String); pub fn make() -> Shape { Shape(\"two\".into()) }",
        version="0.2.0",
    )
    with Kernel(cwd=tmp_path) as kernel:
        add(kernel, "shape", first)
        kernel.ok("let shape = shape::make(); let other = 1;")
        cell = add(kernel, "shape", second)
        assert "dropped `shape`" in cell.stderr, cell.stderr
        assert kernel.run("shape.0").status == "error"
        assert kernel.ok("(shape::make().0, other)").text == '("two", 1)'


# ---------------------------------------------------------------- kinds of crates


def test_kinds_of_crates(tmp_path):
    macros = write_crate(
        tmp_path / "macros", "my-macros",
        "use proc_macro::TokenStream;\n#[proc_macro] pub fn seven(_: TokenStream) -> TokenStream { \"7\".parse().unwrap() }\n"
        "#[proc_macro_derive(Hello)] pub fn hello(item: TokenStream) -> TokenStream { let text = item.to_string();"
        " let name = text.split_whitespace().skip_while(|w| *w != \"struct\").nth(1).unwrap().trim_end_matches(';').to_owned();"
        " format!(\"impl {name} {{ fn hello() -> &'static str {{ \\\"{name}\\\" }} }}\").parse().unwrap() }",
        extra="[lib]\nproc-macro = true",
    )
    features = write_crate(
        tmp_path / "features", "with-features",
        "#[cfg(feature = \"extra\")] pub fn extra() -> u8 { 1 }\n#[cfg(feature = \"default\")] pub fn usual() -> u8 { 2 }\n"
        "pub const MADE: &str = env!(\"MADE\");",
        build='fn main() { println!("cargo:rustc-env=MADE=built"); }',
        extra='[features]\ndefault = []\nextra = []\n[lib]\nname = "odd_name"',
    )
    native = write_crate(
        tmp_path / "native", "native-sys",
        "unsafe extern \"C\" { pub fn swath_test_bump() -> i32; }\n"
        "pub fn outside() -> i32 { unsafe { swath_test_bump() } }\n#[inline] pub fn inlined() -> i32 { unsafe { swath_test_bump() } }",
        build='''
fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let run = |program: &str, arguments: &[&str]| assert!(std::process::Command::new(program).args(arguments).status().unwrap().success());
    run("cc", &["-fPIC", "-c", "c.c", "-o", &format!("{out}/c.o")]);
    run("ar", &["rcs", &format!("{out}/libswath_test_c.a"), &format!("{out}/c.o")]);
    println!("cargo:rustc-link-search=native={out}");
    println!("cargo:rustc-link-lib=static=swath_test_c");
    println!("cargo:rerun-if-changed=c.c");
}''',
    )
    (native / "c.c").write_text("static int count = 0; int swath_test_bump(void) { return ++count; }")
    with Kernel(cwd=tmp_path) as kernel:
        add(kernel, "my-macros", macros)
        assert kernel.ok("my_macros::seven!()").text == "7"
        kernel.ok("use my_macros::Hello;\n#[derive(Hello)]\nstruct Widget;")
        assert kernel.ok("Widget::hello()").text == '"Widget"'
        add(kernel, "renamed", features, ', package = "with-features", features = ["extra"], default-features = false')
        assert kernel.ok("(renamed::extra(), renamed::MADE)").text == '(1, "built")'
        assert kernel.run("renamed::usual()").status == "error"
        add(kernel, "native-sys", native)
        assert (kernel.ok("native_sys::outside()").text, kernel.ok("native_sys::outside()").text) == ("1", "2")
        # Called from the cell itself: never somebody else's function of that name.
        assert kernel.ok("native_sys::inlined() > 0", seconds=300).text == "true"
        assert kernel.ok("native_sys::outside()").text == "3"
        # C code that was edited is other code.
        (native / "c.c").write_text("int swath_test_bump(void) { return 100; }")
        assert kernel.ok("native_sys::outside()", seconds=300).text == "100"
        assert kernel.ok("my_macros::seven!() + 1").text == "8"
        assert kernel.ok("extern crate alloc;\nalloc::string::String::from(\"x\")").text == '"x"'
        assert kernel.ok("extern crate native_sys as n;\nn::outside()").text == "100"


def test_a_crate_that_cannot_be_shared_is_linked_into_each_cell_and_that_is_told(tmp_path):
    odd = write_crate(
        tmp_path / "odd", "odd",
        "unsafe extern \"C\" { static swath_nowhere: u8; }\npub fn never() -> u8 { unsafe { swath_nowhere } }\n"
        "pub fn five() -> i32 { 5 }",
    )
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok("let kept = 2;")
        cell = add(kernel, "odd", odd)
        assert "begin anew in every cell" in cell.stderr and "swath_nowhere" in cell.stderr, cell.everything()
        assert kernel.ok("odd::five() + kept", seconds=300).text == "7"
        assert kernel.ok("1 + 1", seconds=300).text == "2"


# ---------------------------------------------------------------- failures, progress, interrupts


def test_a_dependency_that_cannot_be_had_is_named_and_changes_nothing(tmp_path):
    counter = write_crate(tmp_path / "counter", "counter", COUNTER)
    broken = write_crate(tmp_path / "broken", "broken", "pub fn f() -> u8 { \"text\" }")
    empty = tmp_path / "empty"
    (empty / "src").mkdir(parents=True)
    (empty / "Cargo.toml").write_text('[package]\nname = "empty"\nversion = "0.1.0"\nedition = "2024"\n')
    (empty / "src" / "main.rs").write_text("fn main() {}")
    with Kernel(cwd=tmp_path) as kernel:
        add(kernel, "counter", counter)
        kernel.ok("counter::bump(); let thing = counter::thing();")
        for line, wanted in [
            (f':dep broken = {{ path = "{broken}" }}', ["mismatched types"]),
            (f':dep empty = {{ path = "{empty}" }}', ["empty"]),
            (':dep lost = { path = "/nowhere/at/all" }', ["lost", "/nowhere/at/all"]),
            (f':dep counter = {{ path = "{counter}", features = ["no-such-feature"] }}', ["no-such-feature"]),
            (':dep counter = { path = "unclosed', []),
        ]:
            cell = kernel.run(line, seconds=300)
            assert cell.status == "error", (line, cell.everything())
            error = cell.error
            assert "Updating" not in error["evalue"] and "swath_dependencies" not in cell.everything(), error
            for word in wanted:
                assert word in error["evalue"], error
            assert kernel.ok("1 + 1").text == "2"
        assert kernel.ok("(counter::bump(), thing.a)").text == "(2, 7)"


def test_a_build_shows_what_it_does_and_is_interrupted_at_once(tmp_path):
    slow = write_crate(
        tmp_path / "slow", "slow", "pub fn f() -> i32 { 1 }",
        build="fn main() { std::thread::sleep(std::time::Duration::from_secs(if std::path::Path::new(\"quick\").exists() { 0 } else { 120 })); }",
    )
    with Kernel(cwd=tmp_path) as kernel:
        kernel.ok("let kept = 1;")
        asked = []

        def during(cell):
            if "Compiling slow" in cell.stderr and not asked:
                asked.append(time.monotonic())
                kernel.interrupt()

        cell = kernel.run(f':dep slow = {{ path = "{slow}" }}', seconds=100, during=during)
        assert asked and cell.status == "error"
        assert time.monotonic() - asked[0] < 10 * PATIENCE
        assert kernel.ok("kept + 1").text == "2"
        (slow / "quick").write_text("")
        add(kernel, "slow", slow)
        assert kernel.ok("slow::f() + kept").text == "2"
