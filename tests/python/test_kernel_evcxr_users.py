"""What evcxr 0.22's own integration tests ask for, one test each, in cells and programs of our own.

The authority is evcxr's behavior as its tests state it; where Rust or Jupyter say more (an error has a status of its own,
variables outlive `?`), their word is used and the test says so.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness import Kernel, wait_until


@pytest.fixture(scope="module")
def shared():
    with Kernel() as kernel:
        yield kernel


@pytest.fixture
def kernel(shared: Kernel) -> Kernel:
    """A kernel in which nothing is defined."""
    shared.ok("%reset")
    return shared


def variables(kernel: Kernel) -> dict[str, str]:
    lines = kernel.ok(":vars").stdout.splitlines()
    return dict(line.removeprefix("mut ").split(": ", 1) for line in lines)


def failed(kernel: Kernel, code: str) -> dict:
    cell = kernel.run(code)
    assert cell.status == "error", f"{code}\n{cell.everything()}"
    return cell.error


def crate(folder: Path, name: str, source: str) -> Path:
    place = folder / name
    (place / "src").mkdir(parents=True)
    (place / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.3.1"\nedition = "2021"\n')
    (place / "src/lib.rs").write_text(source)
    return place


def test_one_statement(kernel):
    kernel.ok("assert_eq!(6_i64 * 7, 42);")


def test_variables_are_changed_in_later_cells(kernel):
    kernel.ok("let mut total = 30; let more = 12;")
    kernel.ok("total += more;")
    assert kernel.ok("total").text == "42"
    assert failed(kernel, "more = 1;")["ename"] in ("E0594", "E0384")


def test_types_behind_a_question_mark_are_found(kernel):
    kernel.ok("pub mod ship { pub mod deck { pub struct Crate(pub u16); impl Crate { pub fn weight(&self) -> u16 { self.0 } } } }\n"
              "fn load() -> Result<Option<ship::deck::Crate>, String> { Ok(Some(ship::deck::Crate(21))) }")
    kernel.ok("let first = load()?;")
    kernel.ok("let second = load()?;")
    assert kernel.ok("first.unwrap().weight() + second.unwrap().weight()").text == "42"


def test_a_let_without_semicolon_is_told(kernel):
    kernel.ok("mod outer { pub mod inner { pub struct Unit {} } }")
    error = failed(kernel, "let unit = outer::inner::Unit {}")
    assert ";" in error["evalue"], error


def test_both_streams_keep_their_order(kernel):
    cell = kernel.ok('println!("one"); eprintln!("two"); println!("three"); eprintln!("four");')
    assert (cell.stdout, cell.stderr) == ("one\nthree\n", "two\nfour\n")


def test_shared_cells_stay_shared(kernel):
    kernel.ok("use std::rc::Rc; use std::cell::RefCell;\nlet left = Rc::new(RefCell::new(String::new())); let right = Rc::clone(&left);")
    kernel.ok('left.borrow_mut().push_str("ab"); let tail = "cd";')
    kernel.ok("right.borrow_mut().push_str(tail);")
    assert kernel.ok("left.borrow().clone()").text == '"abcd"'


def test_functions_call_those_of_earlier_cells(kernel):
    kernel.ok("pub fn base() -> i32 { 40 }")
    kernel.ok("pub fn more() -> i32 { base() + 2 }\nassert_eq!(more(), 42);")
    assert kernel.ok("more() - base()").text == "2"


def test_variables_outlive_a_panic(kernel):
    kernel.ok("    :preserve_vars_on_panic 1\n    let list = vec![1, 2];\n    let number = 9;")
    assert failed(kernel, 'panic!("as planned, {}", number);')["ename"] == "Panic"
    assert kernel.ok('format!("{list:?} {number}")').text == '"[1, 2] 9"'


def test_variables_go_with_a_panic_when_that_was_asked_for(kernel):
    kernel.ok(":preserve_vars_on_panic 0\nlet list = vec![1, 2]; fn kept() -> i32 { 3 }")
    try:
        error = failed(kernel, 'panic!("as planned");')
        assert any("dropped" in line for line in error["traceback"]), error
        assert variables(kernel) == {}
        failed(kernel, "this does not compile")
        assert variables(kernel) == {}
        assert kernel.ok("kept()").text == "3"
    finally:
        kernel.ok(":preserve_vars_on_panic 1")


def test_thread_locals_in_functions_may_have_destructors(kernel):
    kernel.ok('struct Noisy;\nimpl Drop for Noisy { fn drop(&mut self) { println!("bye"); } }\n'
              "fn touch() -> bool { thread_local! { static ONE: Noisy = const { Noisy }; } ONE.with(|_| true) }")
    assert kernel.ok("touch()").text == "true"


def test_a_moved_value_is_no_variable_any_more(kernel):
    kernel.ok("let word = Some(String::from(\"hi\"));")
    assert list(variables(kernel)) == ["word"]
    assert kernel.ok("word.unwrap()").text == '"hi"'
    assert variables(kernel) == {}


def test_crates_of_folders_come_and_keep_their_state(kernel, tmp_path):
    assert "Static linking: false" in kernel.ok(":allow_static_linking 0").everything()
    error = failed(kernel, ':dep nothing = { path = "/not/there/at/all" }\n7')
    assert "not/there" in error["evalue"] + "".join(error["traceback"])
    state = crate(tmp_path, "with_state", "use std::sync::atomic::{AtomicU32, Ordering};\nstatic LEVEL: AtomicU32 = AtomicU32::new(0);\n"
                  "pub fn raise(by: u32) { LEVEL.fetch_add(by, Ordering::SeqCst); }\npub fn level() -> u32 { LEVEL.load(Ordering::SeqCst) }\n"
                  "pub fn half() -> i32 { 20 }\n")
    error = failed(kernel, f':dep with_state = {{ path = "{state}", features = ["missing"] }}')
    assert "missing" in error["evalue"], error
    other = crate(tmp_path, "stateless", "pub fn rest() -> i32 { 22 }\n")
    cell = kernel.ok(f":dep {state}\n:dep {other}\nwith_state::raise(765);\nwith_state::half() + stateless::rest()", seconds=180)
    assert cell.text == "42"
    assert kernel.ok("with_state::level()", seconds=120).text == "765"


def test_a_crate_with_hyphens_in_its_name(kernel, tmp_path):
    place = crate(tmp_path, "two-part-name", "pub fn answer() -> i32 { 42 }\n")
    assert kernel.ok(f":dep {place}\nuse two_part_name;\ntwo_part_name::answer()", seconds=180).text == "42"


def test_dependencies_are_listed(kernel, tmp_path):
    assert kernel.ok(":show_deps").everything().strip() == ""
    first, second = crate(tmp_path, "aa", ""), crate(tmp_path, "bb", "")
    kernel.ok(f':dep aa = {{ path = "{first}", version = "0.3.1" }}', seconds=180)
    kernel.ok(f":dep {second}", seconds=180)
    assert kernel.ok(":show_deps").text.strip() == (
        f'aa = {{ path = "{first}", version = "0.3.1" }}\nbb = {{ path = "{second}" }}'
    )


def test_what_is_no_rust_is_an_error_and_no_more(kernel):
    failed(kernel, "use crate;")
    assert kernel.ok("1 + 1").text == "2"


def test_a_struct_is_taken_apart(kernel):
    kernel.ok("#[derive(Debug)] struct Place { lat: f64, lon: f64 }")
    kernel.ok("let here = Place { lat: 48.5, lon: 9.0 };")
    assert kernel.ok("here").text == "Place { lat: 48.5, lon: 9.0 }"
    kernel.ok("let Place { lat, lon: east } = here;")
    kernel.ok("assert_eq!((lat, east), (48.5, 9.0));")


def test_numbers_have_types_without_being_told(kernel):
    kernel.ok("let pair = (7, 2.5);")
    assert variables(kernel) == {"pair": "(i32, f64)"}


def test_a_statement_and_an_expression_in_one_cell(kernel):
    assert kernel.ok('let word = String::from("ab") + "cd"; word').text == '"abcd"'


def test_a_wrong_import_is_forgotten(kernel):
    assert failed(kernel, "use not_a_crate_of_any_kind;")["ename"] == "E0432"
    assert kernel.ok('String::from("a") + "b"').text == '"ab"'


def test_errors_in_expanded_macros_point_at_the_cell(kernel):
    error = failed(kernel, 'let mut out = String::new(); out.push_str(format!("x"));')
    assert error["ename"] == "E0308"
    assert 'out.push_str(format!("x"))' in "\n".join(error["traceback"])


def test_an_import_may_be_repeated(kernel):
    for _ in range(2):
        kernel.ok("use std::collections::BTreeSet;")
    assert kernel.ok("BTreeSet::from([2, 1])").text == "{1, 2}"


def test_variables_of_a_type_that_changes_are_dropped(kernel):
    kernel.ok("struct Boxed { w: i32 }\nlet one = Boxed { w: 1 }; let two = Boxed { w: 2 };")
    assert list(variables(kernel)) == ["one", "two"]
    kernel.ok("struct Boxed { w: i32, h: i32 }\nlet three = Boxed { w: 3, h: 4 };")
    assert list(variables(kernel)) == ["three"]
    kernel.ok("assert_eq!(three.w + three.h, 7);")


def test_an_abort_keeps_functions_and_clear_does_not(kernel):
    kernel.ok("fn kept() -> i32 { 42 }\nlet lost = 1;")
    error = failed(kernel, "std::process::abort();")
    assert "signal 6" in error["evalue"], error
    assert variables(kernel) == {}
    assert kernel.ok("kept()").text == "42"
    kernel.ok(":clear")
    assert kernel.ok("40 + 2").text == "42"
    assert failed(kernel, "kept()")["ename"] == "E0425"


def test_a_failed_let_does_not_spoil_an_import(kernel):
    failed(kernel, "let v = no_such_function();")
    kernel.ok("use std::collections::BTreeMap;")
    assert kernel.ok("6 * 7").text == "42"


def test_arrays(kernel):
    kernel.ok("let same = [3_u8; 6];")
    kernel.ok("assert_eq!(same[5] as usize, same.len() / 2);")


def test_constant_parameters_of_types(kernel):
    kernel.ok("struct Row<const N: usize> { cells: [u16; N] }\nlet row: Row<2> = Row::<2> { cells: [7, 8] };")
    assert kernel.ok("row.cells[1]").text == "8"


def test_reserved_words_as_names(kernel):
    kernel.ok("mod r#async { pub struct Task(pub i32); }\nlet task = r#async::Task(5);")
    assert kernel.ok("task.0").text == "5"


def test_a_closure_cannot_be_kept(kernel):
    error = failed(kernel, "let twice = |x: i32| x * 2;")
    assert "twice" in error["evalue"] and "closure" in error["evalue"], error


def test_a_hidden_type_cannot_be_kept(kernel):
    error = failed(kernel, "trait Sound {}\nimpl Sound for u8 {}\nfn hidden() -> impl Sound { 7_u8 }\nlet it = hidden();")
    assert "it" in error["evalue"], error


def test_types_that_are_inferred_in_part(kernel):
    kernel.ok("let squares: Vec<_> = (1..=4).map(|n| n * n).collect();")
    assert kernel.ok("squares").text == "[1, 4, 9, 16]"


def test_printing_and_then_a_variable(kernel):
    assert kernel.ok('println!("first");').stdout == "first\n"
    kernel.ok("let after = 42;")
    assert kernel.ok("after").text == "42"


def test_types_are_written_before_values(kernel):
    assert "Types: true" in kernel.ok(":types").everything()
    try:
        assert kernel.ok("42").text == ": i32 = 42"
        assert kernel.ok('Some(String::from("a"))').text == ': Option<String> = Some("a")'
    finally:
        assert "Types: false" in kernel.ok(":types").everything()
    assert kernel.ok("42").text == "42"


def test_types_are_written_short(kernel):
    kernel.ok(":types\n:fmt {}")
    try:
        assert kernel.ok('String::from("a")').text == ": String = a"
        assert kernel.ok('Box::new("b")').text == ": Box<&str> = b"
        assert kernel.ok("7_i32").text == ": i32 = 7"
        assert kernel.ok("vec![Some(1_u8)]").text == ": Vec<Option<u8>> = [Some(1)]"
    finally:
        kernel.ok(":types\n:fmt")


def test_question_marks_end_a_cell_and_variables_stay(kernel):
    # Where evcxr's cell is "ok", Jupyter wants an error: the cell did not run to its end.
    assert "No such file" in failed(kernel, 'std::fs::read_to_string("/no/such/file")?;')["evalue"]
    failed(kernel, ":efmt y")
    kernel.ok(":efmt {:?}")
    try:
        kernel.ok('let mut grown = String::from("a"); let mut count = 1; let kept = String::from("k");')
        error = failed(kernel, 'grown.push_str("b"); count += 1;\nstd::fs::read_to_string("/no/such/file")?;\n'
                               'grown.push_str("c"); count += 10;')
        assert "NotFound" in error["evalue"], error
        assert kernel.ok("(grown, count, kept)").text == '("ab", 2, "k")'
        failed(kernel, "#[derive(Debug)] struct Code(i32);\nErr::<(), Code>(Code(3))?;")
    finally:
        kernel.ok(":efmt {}")


def test_format_is_a_value(kernel):
    assert kernel.ok('format!("{:>3}", 7)').text == '"  7"'


def test_loops_need_no_semicolon(kernel):
    assert kernel.ok("for _ in 0..2 {}\nwhile false {}\n42").text == "42"


def test_parts_of_a_tuple(kernel):
    kernel.ok("let _ = 1; let (first, ..) = (42, 43, 44);")
    assert kernel.ok("first").text == "42"


def test_macros_of_earlier_cells(kernel):
    kernel.ok("macro_rules! plus_forty { ($n:expr) => { 40 + $n }; }")
    assert kernel.ok("plus_forty!(2)").text == "42"


def complete(kernel: Kernel, code: str) -> dict:
    return kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})


def patient(kernel: Kernel, code: str, wanted: str) -> list[str]:
    """The matches, once rust-analyzer has loaded."""
    found: list[str] = []

    def there() -> bool:
        found[:] = complete(kernel, code)["matches"]
        return any(match.startswith(wanted) for match in found)

    wait_until(there, 60, f"{wanted} among the completions of {code!r}: {found[:5]}")
    return found


def test_completion_knows_the_cell_and_earlier_ones(kernel):
    kernel.ok("mod store { pub struct Shelf; impl Shelf { pub fn newest() -> i32 { 1 } } }\nlet shelf_count = 4; let shelf_name = String::new();")
    code = "fn names() -> Vec<String> { vec![] }\nnames().rese"
    matches = patient(kernel, code, "reserve")
    assert all(match.startswith("rese") for match in matches), matches
    reply = complete(kernel, code)
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 4, len(code))
    assert complete(kernel, code.replace("rese", "qwertz"))["matches"] == []
    names = complete(kernel, "let _ = shelf_")["matches"]
    assert {"shelf_count", "shelf_name"} <= set(names), names
    assert not [match for match in complete(kernel, "let _ = e")["matches"] if "evcxr" in match]
    assert any(match.startswith("Shelf") for match in patient(kernel, "use store::", "Shelf"))
    patient(kernel, "use store::Shelf; Shelf::", "newest")


def test_completion_of_commands(kernel):
    reply = complete(kernel, ":de")
    assert ":dep" in reply["matches"], reply["matches"][:5]
    assert (reply["cursor_start"], reply["cursor_end"]) == (0, 3)
    assert set(reply["matches"]) <= {":dep"}, reply["matches"][:5]


def test_completions_say_what_they_are(kernel):
    kernel.ok("fn names() -> Vec<String> { vec![] }")
    patient(kernel, "names().rese", "reserve")
    described = complete(kernel, "names().rese")["metadata"]["_jupyter_types_experimental"]
    reserve = next(entry for entry in described if entry["text"].startswith("reserve"))
    assert reserve["type"] == "function", reserve


def test_imports_may_overlap(kernel):
    kernel.ok("mod parts { pub struct Bolt; pub struct Nut; pub trait Turn { fn turns(&self) -> i32 { 42 } } impl Turn for Bolt {}\n"
              "pub mod a { pub fn one() {} } pub mod b { pub fn two() {} } }\n"
              "use std::iter::Iterator as _; use parts::Turn as _; use parts::a::*; use parts::b::*; use parts::Bolt;")
    failed(kernel, "use nothing::like::this;")
    assert kernel.ok("use parts::Bolt as _; Bolt.turns()").text == "42"
    assert kernel.ok("use parts::{Bolt, Nut}; one(); two(); let _ = Nut; Bolt.turns()").text == "42"


def test_errors_name_their_places(kernel):
    def places(code: str) -> str:
        return "\n".join(failed(kernel, code)["traceback"])

    assert ":2:39" in places('let near = 1;\nlet größe = "日本"; let wrong: String = 7;')
    assert "not_there" in places("use std::not_there::Thing;")
    assert 'write!(s, "x")' in places('let mut s = String::new(); write!(s, "x").unwrap();')
    assert "s1" in places("let s1 = String::new(); let v = &s1;")
    failed(kernel, "std::mem::drop(1); std::mem::drop(")
    # No errors: nothing is wrong with an unused variable, a repeated import, a value that is dropped.
    kernel.ok("let mut s = String::new();")
    kernel.ok("use std::fmt::Debug; 42")
    kernel.ok("use std::fmt::Debug; 42")
    kernel.ok("let s1 = String::new(); std::mem::drop(s1);")
    for line in (':dep this_crate_is_not_there = "12.34"', ":a_command_that_is_none"):
        failed(kernel, line)


def test_documentation_of_own_types(kernel):
    kernel.ok("/// How heavy it is.\nstruct Weight(usize);")
    shown = kernel.ok(":doc Weight", seconds=120).everything()
    assert "struct Weight(usize)" in shown and "How heavy it is." in shown, shown


def inspect(kernel: Kernel, code: str, cursor: int) -> dict:
    return kernel.request("inspect_request", {"code": code, "cursor_pos": cursor, "detail_level": 0})


def test_hovering_shows_documentation(kernel):
    code = "let list: Vec<i32> = Vec::new()"
    found: dict = {}

    def there() -> bool:
        found.update(inspect(kernel, code, code.index("::new") + 5))
        return found.get("found", False)

    wait_until(there, 60, f"an answer about Vec::new: {found}")
    assert found["data"]["text/plain"] and "<" in found["data"]["text/html"]


def test_hovering_over_what_is_not_known(kernel):
    code = "no_name_of_this_kind()"
    assert inspect(kernel, code, 5)["status"] == "ok"


