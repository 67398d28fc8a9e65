"""evcxr's `:commands`, startup files, and what magics, commands and shell lines share.

The authority is evcxr 0.22's own help for each command, IPython's for `exit` and `%reset`, and docs/magics.md for the rest.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness import KERNEL, Kernel

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def kernel():
    with Kernel() as kernel:
        yield kernel


def failed(kernel: Kernel, code: str) -> dict:
    cell = kernel.run(code)
    assert cell.status == "error", f"{code}\n{cell.everything()}"
    return cell.error


def traceback(error: dict) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))


def shown(cell) -> list[str]:
    """What a cell shows, in order: streams, displays and results."""
    parts = []
    for message in cell.messages:
        content = message["content"]
        if message["msg_type"] == "stream":
            parts.append(content["text"].strip())
        elif message["msg_type"] in ("display_data", "execute_result"):
            parts.append(content["data"]["text/plain"].strip())
    return parts


REFUSED = [":cache 500", ":clear_cache", ":codegen_backend cranelift", ":internal_debug", ":linker lld", ":sccache 1",
           ":time_passes", ":toolchain nightly"]


@pytest.mark.parametrize("line", REFUSED)
def test_what_has_no_effect_is_refused_with_the_reason_and_a_better_way(kernel, line):
    error = failed(kernel, line)
    name = line.split()[0]
    assert error["ename"] == "CommandError"
    assert error["evalue"].startswith(f"`{name}` is refused: "), error["evalue"]
    assert "help: " in traceback(error)
    assert kernel.ok("1 + 1").text == "2"


def test_every_command_is_documented_and_listed(kernel):
    page = (ROOT / "docs/magics.md").read_text()
    listed = kernel.ok(":help").text
    names = re.findall(r"^(:\w+)", listed, re.MULTILINE)
    assert len(names) == 33
    for name in names:
        assert f"| `{name}" in page, name


def test_the_output_of_commands_is_shown_in_order_whatever_follows(kernel):
    kernel.ok("let a = 1;")
    assert shown(kernel.ok(":version\n1 + 1")) == ["0.22.0", "2"]
    assert shown(kernel.ok(":vars\n:version\n:t a\n!echo shell\na + 4")) == ["a: i32", "0.22.0", "a: i32", "shell", "5"]
    cell = kernel.ok(":version")
    assert cell.text == "0.22.0" and not cell.of("display_data")
    # One value at most is the cell's result.
    assert len(kernel.ok(":version\n:type a").of("execute_result")) == 1
    cell = kernel.run(":version\nlet x: i32 = \"\";")
    assert shown(cell) == ["0.22.0"] and cell.error["ename"] == "E0308"


def test_types_of_variables(kernel):
    kernel.ok('let word = Some(String::from("a")); let mut many = vec![1.5_f32];')
    assert kernel.ok(":type word").text == "word: Option<String>"
    assert kernel.ok(":t many").text == "many: Vec<f32>"
    assert "there is no variable `nobody`" in failed(kernel, ":t nobody")["evalue"]
    assert "needs NAME, found nothing" in failed(kernel, ":type")["evalue"]


def test_errors_are_explained_until_another_cell_ran(kernel):
    kernel.run('let x: i32 = "text";')
    assert "did not match the received type" in kernel.ok(":explain").text
    assert '"code":"E0308"' in kernel.ok(":last_error_json").text
    kernel.run("let y: i32 = nothing_here;\nlet z = also_nothing;")
    assert kernel.ok(":explain").text.count("An unresolved name was used") == 1
    kernel.ok("1 + 1")
    assert "had no errors" in failed(kernel, ":explain")["evalue"]
    kernel.run("let = ;")
    assert failed(kernel, ":last_error_json")["ename"] == "CommandError"


def test_settings_outlive_clear_and_do_what_they_say(kernel):
    kernel.ok(":build_env SWATH_BUILT_FOR=mars\n:opt 1\n:fmt {:#?}")
    try:
        kernel.ok(":clear")
        assert kernel.ok('env!("SWATH_BUILT_FOR")').text == '"mars"'
        assert kernel.ok("(1, 2)").text == "(\n    1,\n    2,\n)"
        assert kernel.ok(":opt").text == "Optimization: 2"
        kernel.ok(":clear")
        assert kernel.ok(":opt").text == "Optimization: 0"
    finally:
        kernel.ok(":opt 2\n:fmt")
    assert "found `9`" in failed(kernel, ":opt 9")["evalue"]
    assert "found nothing" in failed(kernel, ":offline")["evalue"]
    assert "{:?}" in failed(kernel, ":fmt {:.2}")["evalue"]


def test_values_with_display_alone(kernel):
    kernel.ok("struct Meters(f64);\nimpl std::fmt::Display for Meters { fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { write!(f, \"{} m\", self.0) } }")
    kernel.ok(":fmt {}")
    try:
        assert kernel.ok("Meters(2.0)").text == "2 m"
        assert kernel.ok("vec![1]").text == "[1]"
        assert kernel.ok("();").text == ""
        assert kernel.ok("()").text == ""
    finally:
        kernel.ok(":fmt")


def test_restart_takes_variables_alone(kernel, tmp_path):
    kernel.ok("%reset")
    kernel.ok(f"%cd {tmp_path}\n%env SWATH_KEPT=yes\nuse std::collections::BTreeSet;\nfn kept() -> i32 {{ 7 }}\nstruct Kept(i32);\nlet gone = 1;")
    cell = kernel.ok(":restart\nstd::env::var(\"SWATH_KEPT\")")
    assert shown(cell) == ["Child process restarted", 'Ok("yes")']
    assert kernel.ok("(kept(), Kept(2).0, BTreeSet::from([1]))").text == "(7, 2, {1})"
    assert kernel.ok("std::env::current_dir()?").text == f'"{tmp_path}"'
    assert "dropped by `:restart`" in traceback(failed(kernel, "gone"))
    assert "There are no variables" in kernel.ok("%who").everything()


def test_timing_is_told_after_each_cell(kernel):
    assert kernel.ok(":timing").text == "Timing: true"
    try:
        assert re.fullmatch(r"took \d+\.\d{3} s\n", kernel.ok("let t = 1;").stdout)
    finally:
        assert "Timing: false" in kernel.ok(":timing").everything()
    assert kernel.ok("let t = 1;").stdout == ""


def test_names_that_are_no_commands(kernel):
    assert "did you mean `:version`?" in failed(kernel, ":verson")["evalue"]
    assert ":dep FOLDER" in failed(kernel, ":local_dep .")["evalue"]
    assert failed(kernel, ":xyz\n1 + 1")["evalue"] == "there is no command `:xyz`"
    assert kernel.ok("::std::cmp::max(1, 2)").text == "2"
    assert kernel.ok("let n\n    :i32 = 5;\nn").text == "5"


def test_a_dependency_that_is_not_there_is_named(kernel):
    error = failed(kernel, ":dep swath_has_no_crate_of_this_name")
    assert error["evalue"].startswith("no matching package named `swath_has_no_crate_of_this_name` found")
    assert "`swath_has_no_crate_of_this_name` found" in failed(kernel, "%dep swath_has_no_crate_of_this_name")["evalue"]
    assert "/tmp/no/crate/here" in failed(kernel, ":dep /tmp/no/crate/here")["evalue"]
    assert "with feature `nope`" in failed(kernel, ':dep itoa = { version = "1", features = ["nope"] }')["evalue"]
    assert "candidate versions" in failed(kernel, '%dep itoa = "99"')["evalue"]
    assert kernel.ok("1 + 1").text == "2"


@pytest.mark.parametrize("code", ["exit", "quit", "exit()", " quit() \n", ":quit"])
def test_exit_ends_a_console_and_tells_a_notebook(kernel, code):
    cell = kernel.ok(code)
    assert cell.reply["payload"] == [{"source": "ask_exit", "keepkernel": False}]
    assert "Shut Down" in cell.stdout
    assert kernel.ok("1 + 1").text == "2"


def test_exit_may_be_a_name(kernel):
    kernel.ok("let quit = 5;")
    assert kernel.ok("quit").text == "5"
    kernel.ok("%reset")


NEGATIONS = {
    "let flag = true;\n!flag": "false",
    "let list: Vec<u8> = vec![];\n!list.is_empty()": "false",
    "let test = true;\n!test": "false",
    "!matches!(Some(1), None)": "true",
    "!(1 > 2)": "true",
    "!0_u8": "255",
    "let (a, b) = (true, true);\n!a\n    || b // both lines": "true",
    'let seen = std::collections::HashSet::from(["x"]);\n!seen.contains("y")': "true",
    "!!true": "true",
}


@pytest.mark.parametrize("code", NEGATIONS)
def test_a_negation_at_the_end_is_rust(kernel, code):
    cell = kernel.ok(code)
    assert (cell.text, cell.stdout) == (NEGATIONS[code], "")


def test_names_of_earlier_cells_come_before_programs(kernel):
    kernel.ok("let ls = false; const DONE: bool = true; fn make() -> bool { true }")
    assert kernel.ok("!ls").text == "true"
    assert kernel.ok("!DONE").text == "false"
    assert kernel.ok("!make()").text == "false"
    kernel.ok("%reset")
    assert kernel.ok("!ls /proc/self/comm").stdout == "/proc/self/comm\n"


def test_shell_commands_stay_shell_commands(kernel):
    assert kernel.ok("!true").text == ""
    assert kernel.ok("let a = 1;\n!echo one\n!echo two").stdout == "one\ntwo\n"
    assert kernel.ok("!(echo sub)").stdout == "sub\n"
    assert "no program `no_such_program_here`" in traceback(failed(kernel, "!no_such_program_here"))


def test_magics_that_take_nothing_refuse_words(kernel):
    kernel.ok("let kept = 5;")
    for line in ("%reset extra", "%who kept", "%lsmagic x", "%gpu 1", "%%bash -x\necho no"):
        error = failed(kernel, line)
        assert error["ename"] == "UsageError" and "no further word" in error["evalue"], (line, error)
    assert kernel.ok("kept").text == "5"


def test_cells_of_other_systems(kernel):
    for end in ("\r\n", "\r", ""):
        assert kernel.ok(f"%%bash\r\necho one\r\necho two{end}").stdout == "one\ntwo\n"
    assert kernel.ok("!echo shell\r").stdout == "shell\n"
    assert kernel.ok("\ufefflet bom = 3;\r\nbom").text == "3"
    assert kernel.ok("\ufeff%env SWATH_BOM=1\r\n!echo $SWATH_BOM\r\n").stdout.splitlines()[-1] == "1"
    assert kernel.ok("let text = \"a\r\nb\";\r\ntext.len()").text == "3"
    assert kernel.ok("%%bash\n").status == "ok"
    assert kernel.ok("%%bash").status == "ok"
    assert kernel.ok(":version\r\n1 + 1\r\n").text == "2"


def test_nul_is_an_error_and_no_more(kernel):
    assert "NUL" in failed(kernel, "!echo a\0b")["evalue"]
    assert "NUL" in failed(kernel, "%%bash\necho a\0b")["evalue"]
    failed(kernel, "let a\0 = 1;")
    assert kernel.ok('"a\0b".len()').text == "3"
    assert kernel.ok("1 + 1").text == "2"


def test_crates_of_the_compiler(kernel):
    assert kernel.ok('extern crate alloc; alloc::string::String::from("x")').text == '"x"'
    assert kernel.ok("alloc::vec![1, 2]").text == "[1, 2]"
    assert kernel.ok("extern crate core as heart;\nheart::cmp::max(1, 2)").text == "2"
    kernel.ok("%reset")


def test_folder_and_environment_are_seen_by_both_sides(kernel, tmp_path):
    (tmp_path / "inner").mkdir()
    kernel.ok(f'std::env::set_current_dir("{tmp_path}")?; unsafe {{ std::env::set_var("SWATH_FROM_RUST", "a b"); }}')
    assert kernel.ok("%pwd").stdout == f"{tmp_path}\n"
    assert kernel.ok("!pwd; echo $SWATH_FROM_RUST").stdout == f"{tmp_path}\na b\n"
    assert kernel.ok("%env SWATH_FROM_RUST").stdout == "a b\n"
    kernel.ok("%cd inner")
    assert kernel.ok("std::env::current_dir()?").text == f'"{tmp_path}/inner"'
    kernel.ok("%cd -")
    kernel.ok("%%writefile here.txt\nx")
    assert (tmp_path / "here.txt").exists()
    # A cell that fails has changed its surroundings all the same.
    kernel.run('std::env::set_current_dir("inner")?; panic!("after");')
    assert kernel.ok("!pwd").stdout == f"{tmp_path}/inner\n"
    # Another process of cells gets all of it.
    kernel.run("std::process::abort();")
    assert kernel.ok('(std::env::current_dir()?, std::env::var("SWATH_FROM_RUST"))').text == f'("{tmp_path}/inner", Ok("a b"))'
    kernel.ok('unsafe { std::env::remove_var("SWATH_FROM_RUST"); }')
    assert kernel.ok('!echo "[$SWATH_FROM_RUST]"').stdout == "[]\n"
    kernel.run("std::process::abort();")
    assert kernel.ok('std::env::var("SWATH_FROM_RUST").is_err()').text == "true"
    kernel.ok(f"%cd {ROOT}")


def test_assertions_for_debugging_hold_in_every_cell(kernel):
    assert kernel.ok("cfg!(debug_assertions)").text == "true"
    assert kernel.ok("let mut n = 0; for i in 0..3 { n += i; }\ncfg!(debug_assertions)").text == "true"
    assert failed(kernel, "for n in 0..3 { debug_assert!(n < 2); }")["ename"] == "Panic"


BORROWED = {
    "a lock": "use std::sync::Mutex;\nlet counter = Mutex::new(41);\n*counter.lock()? += 1;\nlet now = *counter.lock()?;\nnow",
    "a lock to read": "let shared = std::sync::RwLock::new(42);\nlet now = *shared.read()?;\nnow",
    "a box": "fn parse(text: &str) -> Result<i32, Box<dyn std::error::Error + '_>> { Ok(text.parse()?) }\n"
             "let text = String::from(\"42\");\nlet now = parse(&text)?;\nnow",
    "a text": "fn check(text: &str) -> Result<i32, &str> { text.parse().map_err(|_| text) }\n"
              "let text = String::from(\"42\");\nlet now = check(&text)?;\nnow",
    "a future": "let counter = std::sync::Mutex::new(42);\nlet now = *async { counter.lock() }.await?;\nnow",
}


@pytest.mark.parametrize("what", BORROWED)
def test_errors_that_borrow_leave_through_a_question_mark(kernel, what):
    assert kernel.ok(BORROWED[what]).text == "42"


def test_errors_that_borrow_are_told(kernel):
    error = failed(kernel, "let text = String::from(\"no number\");\nfn check(text: &str) -> Result<i32, &str> { text.parse().map_err(|_| text) }\ncheck(&text)?;")
    assert error["evalue"] == "no number"
    error = failed(kernel, 'let poisoned = std::sync::Mutex::new(1);\nstd::thread::scope(|s| { let _ = s.spawn(|| { let _held = poisoned.lock(); panic!("in a thread") }).join(); });\n*poisoned.lock()? += 1;')
    assert error["ename"] == "PoisonError" and "poisoned lock" in error["evalue"], error
    # The library's own hints stay.
    error = failed(kernel, 'Scene::open("/no/such/file.tif")?;')
    assert "/no/such/file.tif" in error["evalue"]


def test_jupyter_run_runs_a_file(tmp_path):
    import subprocess
    import sys

    (tmp_path / "cell.rs").write_text('println!("from a file: {}", 6 * 7);\n')
    ran = subprocess.run([sys.executable, "-m", "jupyter_client.runapp", "--kernel", KERNEL, tmp_path / "cell.rs"], capture_output=True, text=True, timeout=300)
    assert ran.stdout == "from a file: 42\n", ran.stderr


def configuration(tmp_path: Path, files: dict[str, str]) -> dict[str, str]:
    import os

    folder = tmp_path / "evcxr"
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return {**os.environ, "EVCXR_CONFIG_DIR": str(folder)}


def test_startup_files_are_read_before_the_first_cell(tmp_path):
    files = {"init.evcxr": ":build_env SWATH_INIT=yes\n", "prelude.rs": "use std::collections::BTreeSet;\nlet started = 1;\nfn helper() -> i32 { 41 }\nprintln!(\"hello\");\n"}
    with Kernel(env=configuration(tmp_path, files)) as kernel:
        cell = kernel.ok("(helper() + started, BTreeSet::from([1]), env!(\"SWATH_INIT\"))")
        assert cell.text == '(42, {1}, "yes")'
        assert (cell.stdout, cell.stderr) == ("hello\n", "")
        assert kernel.ok("started").stdout == ""
        cell = kernel.ok(":load_config")
        assert cell.stdout.count("Loading ") == 2 and "prelude.rs" in cell.stdout
        assert kernel.ok(":load_config --quiet").stdout == "hello\n"
        assert failed(kernel, ":load_config loud")["ename"] == "UsageError"
        assert kernel.ok("started + 1").text == "2"


def test_wrong_startup_files_are_told_once_and_nothing_dies(tmp_path):
    files = {"evcxr.toml": "[evcxr\n", "init.evcxr": ":dep swath_has_no_crate_of_this_name\n", "prelude.rs": "let n: i32 = \"\";\n"}
    with Kernel(env=configuration(tmp_path, files)) as kernel:
        # A request that shows nothing does not use up what has to be told.
        kernel.ok("let quiet = 1;", silent=True)
        cell = kernel.ok("1 + 1")
        assert cell.text == "2"
        for part in ("evcxr.toml is not TOML", "init.evcxr did not run to its end", "swath_has_no_crate_of_this_name", "prelude.rs did not", "E0308"):
            assert part in cell.stderr, (part, cell.stderr)
        cell = kernel.ok("2 + 2")
        assert (cell.text, cell.stderr) == ("4", "")


def test_settings_of_evcxr_toml_and_a_wrong_one_in_the_working_folder(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / "evcxr.toml").write_text('[evcxr]\nopt_level = "0"\ntmpdir = "/no/such/folder"\npreserve_vars_on_panic = false\nprelude = "fn from_toml() -> i32 { 6 }"\n')
    with Kernel(env=configuration(tmp_path, {"prelude.rs": "compile_error!()"}), cwd=work) as kernel:
        cell = kernel.ok("from_toml() * 7")
        assert cell.text == "42"
        assert "`tmpdir`" in cell.stderr and "prelude.rs" not in cell.stderr
        assert kernel.ok(":opt").text == "Optimization: 2"
        kernel.ok("let lost = 1;")
        kernel.run('panic!("x")')
        assert failed(kernel, "lost")["ename"] == "E0425"
    (work / "evcxr.toml").write_text("no toml at all [")
    with Kernel(env=configuration(tmp_path, {"prelude.rs": ""}), cwd=work) as kernel:
        cell = kernel.ok("1 + 1")
        assert cell.text == "2" and "is not TOML" in cell.stderr


def test_startup_files_can_be_left_out(tmp_path):
    env = configuration(tmp_path, {"prelude.rs": "println!(\"read\");"}) | {"SWATH_STARTUP_FILES": "0"}
    with Kernel(env=env) as kernel:
        assert kernel.ok("1 + 1").stdout == ""
