"""What a cell shows, as a front end gets it: values, displays, questions, texts of threads."""

from __future__ import annotations

import time

import pytest

from harness import Kernel, wait_until

SHOWN = (
    "struct H(u8); impl H { fn evcxr_display(&self) { "
    'println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT", self.0); } }'
)


@pytest.fixture(scope="module")
def kernel():
    with Kernel() as running:
        yield running


def shown(cell, kind: str = "display_data") -> list[str]:
    return [content["data"]["text/html"] for content in cell.of(kind)]


def result(cell) -> str:
    [content] = cell.of("execute_result")
    return content["data"]["text/plain"]


def test_a_long_value_takes_a_screen(kernel):
    # IPython writes 6005 characters for the same list.
    text = result(kernel.ok("vec![0.5f32; 2_000_000]"))
    assert len(text) < 7_000
    assert "1,999,000 more of 2,000,000 elements" in text and "show_all(&value)" in text
    assert len(result(kernel.ok("show_all(&vec![0.5f32; 20_000])"))) > 90_000


def test_a_display_before_a_magic_is_not_lost(kernel):
    kernel.ok(SHOWN)
    cell = kernel.ok("H(1).evcxr_display();\n!echo one")
    assert shown(cell) == ["<b>1</b>"] and cell.stdout == "one\n"
    cell = kernel.ok("H(2).evcxr_display();\n%who\n")
    assert shown(cell) == ["<b>2</b>"]
    cell = kernel.ok("for i in 0..3 { H(i).evcxr_display(); }")
    assert shown(cell) == ["<b>0</b>", "<b>1</b>", "<b>2</b>"] and not cell.of("execute_result")
    cell = kernel.ok("H(4)")
    assert shown(cell, "execute_result") == ["<b>4</b>"]


def test_large_blocks_take_time_in_proportion(kernel):
    code = 'println!("EVCXR_BEGIN_CONTENT text/html\\n{}\\nEVCXR_END_CONTENT", "<td>1</td>\\n".repeat(%d));'
    seconds = []
    for megabytes in (5, 20):
        began = time.monotonic()
        cell = kernel.ok(code % (megabytes * 100_000))
        seconds.append(time.monotonic() - began)
        assert [len(html) for html in shown(cell)] == [11 * megabytes * 100_000]
    # Four times the size took sixteen times the time.
    assert seconds[1] < 8 * seconds[0] + 5, seconds


def test_standard_input_asks_the_front_end(kernel):
    code = 'let mut line = String::new(); std::io::stdin().read_line(&mut line)?; line'
    cell = kernel.run(code, answer="Anna")
    assert result(cell) == '"Anna\\n"'
    [request] = cell.of("input_request")
    assert request == {"prompt": "", "password": False}


def test_the_question_of_evcxr_input_is_asked(kernel):
    # What the crate `evcxr_input` does: the question is printed, the answer is read.
    asks = (
        'fn ask(mark: &str, prompt: &str) -> String { println!("{mark}:{prompt}"); '
        "let mut line = String::new(); if std::io::stdin().read_line(&mut line).is_err() { return String::new(); } "
        "line.trim().to_owned() }"
    )
    kernel.ok(asks)
    cell = kernel.run('ask("EVCXR_INPUT_REQUEST", "Name?")', answer="Anna")
    assert result(cell) == '"Anna"' and cell.stdout == ""
    assert cell.of("input_request") == [{"prompt": "Name?", "password": False}]
    cell = kernel.run('ask("EVCXR_INPUT_REQUEST_PASSWORD", "Key:")', answer="secret")
    assert result(cell) == '"secret"'
    assert cell.of("input_request") == [{"prompt": "Key:", "password": True}]
    # Where nobody can answer, the cell goes on at once and says why.
    cell = kernel.ok('ask("EVCXR_INPUT_REQUEST", "Name?")')
    assert result(cell) == '""' and "allow_stdin" in cell.stderr and not cell.of("input_request")


def test_lines_are_read_one_by_one(kernel):
    code = (
        "let mut total = 0; for line in std::io::stdin().lines().take(3) "
        "{ total += line?.trim().parse::<i32>()?; } total"
    )
    cell = kernel.run(code, answer="7")
    assert result(cell) == "21" and len(cell.of("input_request")) == 3


def test_an_interrupt_ends_a_read(kernel):
    asked = []

    def interrupt(cell):
        if not asked and "begun" in cell.stdout:
            asked.append(time.monotonic())
            time.sleep(0.5)
            kernel.interrupt()

    code = (
        'println!("begun"); let mut line = String::new(); '
        'std::io::stdin().read_line(&mut line).expect("a line"); println!("went on");'
    )
    cell = kernel.run(code, during=interrupt, allow_stdin=True)
    assert cell.status == "error" and "went on" not in cell.stdout
    # The question is still in the client's queue.
    kernel.client.get_stdin_msg(timeout=5)
    assert result(kernel.ok("1 + 1")) == "2"


def test_bars_draw_on_standard_error(kernel):
    # What indicatif and others ask before they draw.
    code = (
        "use std::io::IsTerminal; let mut err = std::io::stderr(); assert!(err.is_terminal()); "
        'for i in 0..3 { eprint!("\\r{i} of 3"); } eprintln!();'
    )
    cell = kernel.ok(code)
    assert cell.stderr == "\r0 of 3\r1 of 3\r2 of 3\n"
    assert kernel.ok('(std::env::var("TERM")?)').status == "ok"


def test_places_are_named_by_the_cell(kernel):
    cell = kernel.ok("fn helper(x: i32) -> i32 { dbg!(x) }\nhelper(3)")
    count = cell.reply["execution_count"]
    assert cell.stderr == f"[In[{count}]:1:28] x = 3\n"
    cell = kernel.ok("std::thread::spawn(|| { let v: Vec<i32> = vec![]; v[0] }).join().is_err()")
    assert f"panicked at In[{count + 1}]:1:" in cell.stderr
    cell = kernel.ok("helper(4)")
    assert cell.stderr == f"[In[{count}]:1:28] x = 4\n"


def test_a_thread_that_panics_later_names_its_own_cell(kernel):
    code = (
        "std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_millis(400));\n"
        'panic!("late") });'
    )
    count = kernel.ok(code).reply["execution_count"]
    kernel.ok("1 + 1")
    cell = kernel.ok("std::thread::sleep(std::time::Duration::from_millis(1500));")
    texts = cell.stderr
    assert f"panicked at In[{count}]:2:1:\nlate" in texts or texts == "", texts


def test_a_thread_s_text_without_a_newline_is_shown_while_nothing_runs(kernel):
    kernel.ok('std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_millis(300)); print!("late word"); });')
    text = ""

    def has_come() -> bool:
        nonlocal text
        while kernel.client.iopub_channel.msg_ready():
            message = kernel.client.get_iopub_msg(timeout=1)
            if message["msg_type"] == "stream":
                text += message["content"]["text"]
        return "late word" in text

    wait_until(has_come, 10, "the word of a thread")


def test_a_cell_that_ends_in_an_err_fails_and_keeps_what_it_made(kernel):
    cell = kernel.run('let made = 7;\n"x".parse::<i32>()')
    assert cell.error["ename"] == "ParseIntError" and cell.error["evalue"] == "invalid digit found in string"
    traceback = "\n".join(cell.error["traceback"])
    assert ":2:1" in traceback and '"x".parse::<i32>()' in traceback
    assert result(kernel.ok("made")) == "7"
    # An error without a text of its own, and one that the user's own type has.
    cell = kernel.run("#[derive(Debug)] struct Code(u8);\nErr::<(), _>(Code(3))")
    assert cell.error["evalue"] == "Code(3)"
    # The hint of the library, and a `Result` that is only a part of the value.
    cell = kernel.run('Scene::open("nothing.tif")')
    assert "there is no such raster" in cell.error["evalue"]
    assert "help" in "\n".join(cell.error["traceback"])
    assert result(kernel.ok('vec![Err::<u8, &str>("inside")]')) == '[Err("inside")]'


def test_an_ok_shows_its_value_and_nothing_for_a_unit(kernel):
    assert kernel.ok('std::fs::write("/dev/null", "x")').of("execute_result") == []
    assert result(kernel.ok("Ok::<u8, String>(3)")) == "Ok(3)"
    assert result(kernel.ok("Some(3)")) == "Some(3)" and result(kernel.ok("None::<u8>")) == "None"
    for cell in ["Some(samples::town(1, 128)?.scene()?)", "samples::town(1, 128)?.scene()"]:
        assert "128 x 128" in result(kernel.ok(cell))


def test_a_panic_in_a_drop_is_no_word_of_evcxr(kernel):
    kernel.ok('struct Bomb; impl Drop for Bomb { fn drop(&mut self) { panic!("boom in drop") } }\nlet b = Bomb;')
    cell = kernel.run("let b = 5;")
    assert "EVCXR" not in cell.everything() and "boom in drop" in cell.everything()


def test_a_forgotten_question_mark_is_told(kernel):
    cell = kernel.ok('let text = "x";\nstd::fs::write("/proc/nope", text);')
    count = cell.reply["execution_count"]
    assert cell.stderr.startswith("warning: this may have failed: its `Result` is not looked at\n")
    assert f"--> In[{count}]:2:1" in cell.stderr and "write `?` behind it" in cell.stderr and "\x1b" not in cell.stderr
    assert kernel.run('std::fs::write("/proc/nope", "x")?;').status == "error"
    for quiet in ['let _ = std::fs::write("/proc/nope", "x");', '#[allow(unused_must_use)] fn quiet() { std::fs::write("/proc/nope", "x"); }',
                  "let unused = 1; let Name = 2; 1 + 1;", 'use std::fmt::Write; let mut s = String::new(); write!(s, "x")?; s']:
        assert kernel.ok(quiet).stderr == "", quiet


def test_other_values_that_must_be_used_are_told_once(kernel):
    cell = kernel.ok("async fn later() {}\nfn forgets() { std::fs::remove_file(\"/proc/nope\"); }\nlater(); [1].iter().map(|x| x + 1);")
    count = cell.reply["execution_count"]
    assert [f"In[{count}]:{place}" in cell.stderr for place in ("2:16", "3:1", "3:10")] == [True] * 3, cell.stderr
    assert "unused-must-use" not in cell.stderr
    assert "futures do nothing unless you `.await`" in cell.stderr and "iterators are lazy" in cell.stderr
    # Not again by cells that are compiled with what an earlier one has defined.
    assert kernel.ok("forgets()").stderr == ""
    # A cell that moves a variable is compiled twice, and warns once.
    kernel.ok("let moved = vec![1];")
    assert kernel.ok('let taken = moved; std::fs::write("/proc/nope", "x");').stderr.count("warning") == 1
