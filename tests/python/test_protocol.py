"""Conversations with the real kernel that jupyter_kernel_test does not have: output while a cell runs, order, errors and
aborts, interruption, death and recovery, questions to the user, shutdown."""

import os
import queue
import signal
import time
import uuid
from pathlib import Path

import pytest

from harness import PATIENCE, Kernel, alive, descendants, wait_until

COUNTING = """
println!("counting");
for step in 0..6000 {
    swath::session::check_interrupt("counting")?;
    std::thread::sleep(std::time::Duration::from_millis(10));
}
"""
# Long to compile, quick to run: a cell that is interrupted while rustc works.
SLOW_TO_COMPILE = "\n".join(
    f"let sum_{i}: u64 = vec![{i}u64, 2, 3].iter().map(|x| x * {i}).filter(|x| x % 2 == 0).sum();" for i in range(1500)
)


def wait_for(path) -> str:
    """Rust that waits for a file, so that a test and its cell take turns, however slow the machine: the cell goes on when the
    test has seen what it wanted to see. `{i}` in the path is the cell's variable."""
    return (
        f"assert!((0..{round(3000 * PATIENCE)}).any(|_| {{ std::thread::sleep(std::time::Duration::from_millis(10)); "
        f'std::path::Path::new(&format!("{path}")).exists() }}), "the test never went on");'
    )


def compiles(kernel) -> bool:
    """Whether rustc is at work on a cell."""
    for pid in descendants(kernel.pid):
        try:
            if b"\0-Cmetadata=swath-cell-" in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
        except OSError:
            continue
    return False


def after_text(text, action):
    """For `during`: calls `action` once when the cell's stdout holds `text`."""
    done = []

    def step(cell):
        if not done and text in cell.stdout:
            done.append(True)
            action()

    return step


# ---------------------------------------------------------------- start


def test_kernel_info_is_answered_before_the_engine_is_ready():
    with Kernel(ready=False) as kernel:
        cell = kernel.send("1 + 1")
        info = kernel.request("kernel_info_request", {})
        print(f"kernel_info after {time.monotonic() - kernel.launched:.2f} s")
        # Both replies come over the shell channel: one that waited for the engine would come behind the cell's.
        assert cell not in kernel.replies, "it waited for the engine"
        assert info["status"] == "ok"
        assert info["language_info"]["name"] == "rust"
        assert kernel.collect_reply(cell)["status"] == "ok"


def test_first_cells_wait_for_the_engine_and_run():
    with Kernel(ready=False) as kernel:
        assert kernel.ok("let early = 40 + 2;\nearly").text == "42"


def test_starts_with_an_empty_environment(tmp_path):
    """`module purge` and Open OnDemand leave next to nothing: the kernelspec must bring what the kernel needs."""
    with Kernel(env={}, cwd=tmp_path) as kernel:
        assert kernel.ok("let answer = 6 * 7;\nanswer").text == "42"
        assert kernel.ok('swath::device::Device::cpu().name().to_owned()').text == '"CPU"'


def test_works_with_its_temporary_folder_under_home(tmp_path_factory):
    """evcxr's rpath is a level off when the session folder and the toolchain share a prefix."""
    folder = os.path.expanduser("~/.cache/swath/tmp-test")
    os.makedirs(folder, exist_ok=True)
    with Kernel(env={**os.environ, "TMPDIR": folder}) as kernel:
        assert kernel.ok("let n = vec![1, 2, 3].len();\nn").text == "3"


# ---------------------------------------------------------------- values and errors


def test_variables_functions_and_types_live_from_cell_to_cell(kernel):
    kernel.ok("struct Field { area: f64 }\nimpl Field { fn hectares(&self) -> f64 { self.area / 10_000.0 } }")
    kernel.ok("let field = Field { area: 25_000.0 };")
    assert kernel.ok("field.hectares()").text == "2.5"
    kernel.ok("fn twice(x: f64) -> f64 { 2.0 * x }")
    assert kernel.ok("twice(field.hectares())").text == "5.0"


def test_tensors_and_modules_are_variables_without_naming_their_type(kernel):
    kernel.ok("let device = swath::device::Device::cpu();")
    kernel.ok("let t = swath::burn::tensor::Tensor::<2>::ones([2, 3], device.burn());")
    kernel.ok("let linear = swath::burn::nn::LinearConfig::new(3, 1).init(device.burn());")
    assert kernel.ok("linear.forward(t.clone()).dims()").text == "[2, 1]"
    assert kernel.ok("t.sum().into_scalar::<f32>()").text.startswith("6")


def test_a_final_expression_shows_its_debug_form_and_unit_shows_nothing(kernel):
    cell = kernel.ok('vec![Some("a"), None]')
    assert cell.text == '[Some("a"), None]'
    assert kernel.ok("()").of("execute_result") == []
    assert kernel.ok("let quiet = 3;").of("execute_result") == []


def test_compile_error_is_one_diagnostic_on_the_cells_own_line(kernel):
    kernel.ok("let kept = 11;")
    cell = kernel.run("let fine = 1;\nlet wrong: u32 = \"text\";")
    assert cell.status == "error"
    assert cell.error["ename"] == "E0308"
    text = "\n".join(cell.error["traceback"])
    assert "mismatched types" in text and '"text"' in text
    assert text.count("mismatched types") == 1, text
    assert "2" in text and "\x1b[" in text, "the second line, in color"
    assert "lib.rs" not in text and "/tmp" not in text, f"paths of generated files: {text}"
    assert cell.stderr == ""
    assert kernel.ok("kept").text == "11"


def test_rustc_help_is_kept(kernel):
    kernel.ok("let windows = vec![1, 2];")
    cell = kernel.run("windows.lenn()")
    assert cell.status == "error"
    text = "\n".join(cell.error["traceback"])
    assert "E0599" in cell.error["ename"] and "len" in text and "help" in text.lower()


def test_panic_is_an_error_with_its_line_and_variables_survive(kernel):
    kernel.ok("let before_panic = vec![1, 2, 3];")
    cell = kernel.run('let n = before_panic.len();\nassert!(n > 5, "only {n} values");')
    assert cell.status == "error"
    assert "only 3 values" in cell.error["evalue"]
    assert "2" in "\n".join(cell.error["traceback"])
    assert cell.stderr == "", "the panic text belongs into the error alone"
    assert kernel.ok("before_panic.len()").text == "3"


def test_question_mark_is_an_error_with_its_hint_and_variables_survive(kernel):
    kernel.ok("let before_question_mark = 5;")
    cell = kernel.run('let scene = Scene::open("no/such/file.tif")?;')
    assert cell.status == "error"
    assert "no/such/file.tif" in cell.error["evalue"]
    assert kernel.ok("before_question_mark").text == "5"
    cell = kernel.run('let n: i32 = "twelve".parse()?;')
    assert cell.status == "error" and "invalid digit" in cell.error["evalue"]


def test_queued_cells_are_aborted_after_an_error(kernel, tmp_path):
    gate = tmp_path / "gate"
    ids = [kernel.send(code) for code in (f'{wait_for(gate)}\npanic!("stop")', "let never = 1;", "let neither = 2;")]
    # The shell channel keeps its order: a kernel that answers this has the three cells.
    kernel.request("comm_info_request", {})
    gate.touch()
    statuses = [kernel.collect_reply(message_id)["status"] for message_id in ids]
    assert statuses == ["error", "aborted", "aborted"]
    assert kernel.run("never").status == "error", "an aborted cell must not have run"
    assert kernel.ok("1 + 1").text == "2"


def test_stop_on_error_false_lets_the_queue_go_on(kernel, tmp_path):
    gate = tmp_path / "gate"
    first = kernel.send(f'{wait_for(gate)}\npanic!("go on")', stop_on_error=False)
    second = kernel.send("let went_on = 1;")
    kernel.request("comm_info_request", {})
    gate.touch()
    assert kernel.collect_reply(first)["status"] == "error"
    assert kernel.collect_reply(second)["status"] == "ok"


def test_moved_variables_are_gone_and_the_message_names_them(kernel):
    kernel.ok("let given = vec![1, 2, 3];")
    kernel.ok("let taken = given;")
    assert kernel.ok("taken.len()").text == "3"
    cell = kernel.run("given.len()")
    assert cell.status == "error" and "given" in cell.everything()
    assert kernel.ok("taken.len()").text == "3"


def test_a_changed_type_is_never_reinterpreted(kernel):
    kernel.ok("#[derive(Debug)] struct Reading { value: u32 }")
    kernel.ok("let reading = Reading { value: 7 };")
    kernel.ok("let bystander = 8;")
    cell = kernel.ok("#[derive(Debug)] struct Reading { value: f64, unit: String }")
    assert "reading" in cell.everything(), "a message names the dropped variable"
    assert kernel.run("reading.value").status == "error"
    assert kernel.ok("bystander").text == "8"


# ---------------------------------------------------------------- live output


def test_text_without_a_newline_and_carriage_returns_appear_while_the_cell_runs(kernel, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    seen = [after_text("10 %", first.touch), after_text("\r20 %", second.touch)]
    cell = kernel.ok(
        f'print!("10 %");\n{wait_for(first)}\nprint!("\\r20 %");\n{wait_for(second)}',
        during=lambda cell: [step(cell) for step in seen],
    )
    assert cell.stdout == "10 %\r20 %"


def test_one_hundred_thousand_lines_arrive_complete_in_order_and_in_batches(kernel):
    cell = kernel.ok('for i in 0..100_000 { println!("line {i}"); }')
    lines = cell.stdout.splitlines()
    assert len(lines) == 100_000
    assert lines == [f"line {i}" for i in range(100_000)]
    messages = len(cell.of("stream"))
    print(f"100,000 lines in {messages} messages, {cell.seconds:.2f} s")
    assert messages < 5_000


def test_binary_junk_on_stdout_harms_nothing(kernel):
    cell = kernel.ok(
        "use std::io::Write;\n"
        "let junk: Vec<u8> = (0..=255u8).cycle().take(4096).collect();\n"
        "std::io::stdout().write_all(&junk)?;\n"
        'println!("after");'
    )
    assert "after" in cell.stdout
    assert kernel.ok("junk.len()").text == "4096"


def test_protocol_words_on_stdout_are_plain_text(kernel):
    cell = kernel.ok('println!("EVCXR_EXECUTION_COMPLETE");\nprintln!("still here");')
    assert "still here" in cell.stdout
    assert kernel.ok("1 + 1").text == "2"


def test_multi_byte_characters_are_never_split(kernel):
    cell = kernel.ok('for _ in 0..20_000 { print!("Bāneps 🛰 "); }')
    assert cell.stdout == "Bāneps 🛰 " * 20_000


def test_streams_and_displays_keep_their_order(kernel):
    cell = kernel.ok(
        "for i in 0..20 {\n"
        '    println!("line {i}");\n'
        '    swath::session::display(&swath::display::Output::text(format!("shown {i}")));\n'
        "}"
    )
    seen = []
    for message in cell.messages:
        if message["msg_type"] == "stream":
            seen += message["content"]["text"].splitlines()
        elif message["msg_type"] == "display_data":
            seen.append(message["content"]["data"]["text/plain"])
    assert seen == [word for i in range(20) for word in (f"line {i}", f"shown {i}")]


def test_displays_are_updated_while_the_cell_runs(kernel, tmp_path):
    def go_on(cell):
        shown = len(cell.of("display_data") + cell.of("update_display_data"))
        (tmp_path / f"{shown} shown").touch()

    cell = kernel.ok(
        'let live = swath::session::Live::new(&swath::display::Output::text("0 %"));\n'
        "for i in 1..=3 {\n"
        f'    {wait_for(tmp_path / "{i} shown")}\n'
        '    live.update(&swath::display::Output::text(format!("{i} of 3")));\n'
        "}\n" + wait_for(tmp_path / "4 shown"),
        during=go_on,
    )
    display = cell.of("display_data")[0]
    updates = cell.of("update_display_data")
    assert [u["data"]["text/plain"] for u in updates] == ["1 of 3", "2 of 3", "3 of 3"]
    assert {u["transient"]["display_id"] for u in updates} == {display["transient"]["display_id"]}


def test_clear_output_carries_wait(kernel):
    cell = kernel.ok('println!("old");\nswath::session::clear_output(true);\nprintln!("new");')
    assert cell.of("clear_output") == [{"wait": True}]
    kinds = [m["msg_type"] for m in cell.messages if m["msg_type"] in ("stream", "clear_output")]
    assert kinds == ["stream", "clear_output", "stream"]


def test_evcxr_content_blocks_become_rich_results(kernel):
    cell = kernel.ok('println!("EVCXR_BEGIN_CONTENT text/html\\n<b>rich</b>\\nEVCXR_END_CONTENT");')
    bundles = [c["data"] for kind in ("execute_result", "display_data") for c in cell.of(kind)]
    assert any(bundle.get("text/html", "").strip() == "<b>rich</b>" for bundle in bundles), cell.everything()


def test_input_asks_the_front_end(kernel):
    cell = kernel.run('let name = swath::session::input("Name: ");\nname', answer="Ada")
    requests = cell.of("input_request")
    assert requests == [{"prompt": "Name: ", "password": False}]
    assert cell.text == 'Some("Ada")'


def test_input_without_a_front_end_that_answers_does_not_hang(kernel):
    assert kernel.ok('swath::session::input("Name: ")', allow_stdin=False).text == "None"


# ---------------------------------------------------------------- while a cell runs


def test_the_kernel_answers_on_control_while_a_cell_runs(kernel, tmp_path):
    def ask():
        assert kernel.request("kernel_info_request", {}, channel="control")["status"] == "ok"
        wait_until(kernel.client.hb_channel.is_beating, 10, "the heart beat")
        (tmp_path / "answered").touch()

    # The cell ends only after the answers: one that waited for the cell would never come.
    kernel.ok(f'println!("running");\n{wait_for(tmp_path / "answered")}', during=after_text("running", ask))


def test_completion_answers_while_a_cell_runs(kernel, tmp_path):
    def ask():
        reply = kernel.request("complete_request", {"code": "%lsm", "cursor_pos": 4})
        assert reply["status"] == "ok" and "%lsmagic" in reply["matches"]
        (tmp_path / "answered").touch()

    kernel.ok(f'println!("running");\n{wait_for(tmp_path / "answered")}', during=after_text("running", ask))


# ---------------------------------------------------------------- interrupt


def test_interrupting_a_library_loop_keeps_the_variables(kernel):
    kernel.ok("let before_interrupt = vec![1, 2, 3];")
    pressed = []
    cell = kernel.run(COUNTING, during=after_text("counting", lambda: (kernel.interrupt(), pressed.append(time.monotonic()))))
    assert cell.status == "error"
    assert "nterrupt" in cell.error["ename"] + cell.error["evalue"]
    assert time.monotonic() - pressed[0] < 2 * PATIENCE
    assert kernel.ok("before_interrupt.len()").text == "3"
    assert kernel.ok("1 + 1").text == "2", "the request to stop ended with the cell"


def test_interrupting_a_compile_keeps_the_variables(kernel):
    kernel.ok("let before_compile = 21;")
    message_id = kernel.send(SLOW_TO_COMPILE)
    wait_until(lambda: compiles(kernel), 30, "the compiler of the cell")
    pressed = time.monotonic()
    kernel.interrupt()
    cell = kernel.collect(message_id)
    took = time.monotonic() - pressed
    assert cell.status == "error", "it compiled before the interrupt: make the cell longer"
    assert "nterrupt" in cell.error["ename"] + cell.error["evalue"]
    assert took < 3 * PATIENCE
    assert kernel.ok("before_compile").text == "21"


def test_interrupt_request_on_shell_while_busy():
    """VS Code sends it there."""
    with Kernel() as kernel:
        kernel.ok("let before_shell_interrupt = 4;")
        request = kernel.client.session.msg("interrupt_request", {})
        cell = kernel.run(COUNTING, during=after_text("counting", lambda: kernel.client.shell_channel.send(request)))
        assert cell.status == "error" and "nterrupt" in cell.error["ename"] + cell.error["evalue"]
        assert kernel.ok("before_shell_interrupt").text == "4"


def test_a_loop_that_never_asks_is_stopped_and_the_message_says_what_is_lost():
    with Kernel() as kernel:
        kernel.ok("let kept_value = 1; let used_value = 2u64;")
        kernel.ok("fn survivor() -> u32 { 9 }")
        cell = kernel.run(
            'println!("spinning");\nlet mut spins = used_value;\nloop { spins = std::hint::black_box(spins.wrapping_add(1)); }',
            during=after_text("spinning", kernel.interrupt),
        )
        assert cell.status == "error"
        assert "`used_value`, which it was using, is lost" in cell.everything()
        assert kernel.manager.is_alive()
        assert kernel.ok("kept_value").text == "1"
        assert kernel.ok("survivor()").text == "9"


# ---------------------------------------------------------------- death of the child


def test_a_killed_child_is_replaced_and_the_connection_stays():
    with Kernel() as kernel:
        kernel.ok("let gone = 1;")
        kernel.ok("fn kept_function() -> u32 { 3 }")
        front = kernel.pid
        child = kernel.child_pid()
        cell = kernel.run(
            'println!("running");\nstd::thread::sleep(std::time::Duration::from_secs(60));',
            during=after_text("running", lambda: os.kill(child, signal.SIGKILL)),
        )
        assert cell.status == "error"
        assert "KILL" in cell.everything().upper(), cell.everything()
        assert kernel.pid == front and kernel.manager.is_alive()
        assert kernel.ok("kept_function()").text == "3"
        assert kernel.run("gone").status == "error"


def test_a_child_killed_between_cells_is_replaced():
    with Kernel() as kernel:
        kernel.ok("let idle_value = 1;")
        child = kernel.child_pid()
        os.kill(child, signal.SIGKILL)
        wait_until(lambda: not alive(child), 10, "the end of the killed process")
        first = kernel.run("2 + 2")
        second = kernel.ok("2 + 3")
        assert first.status == "ok" and first.text == "4" or first.status == "error" and "idle_value" in first.everything()
        assert second.text == "5"


def test_a_segfault_and_an_exit_are_errors_that_name_the_cause():
    with Kernel() as kernel:
        cell = kernel.run("unsafe { std::ptr::null_mut::<u8>().write_volatile(1) }")
        assert cell.status == "error" and "SEGV" in cell.everything().upper(), cell.everything()
        assert kernel.ok("1 + 1").text == "2"
        cell = kernel.run("std::process::exit(3);")
        assert cell.status == "error" and "3" in cell.error["evalue"], cell.everything()
        assert kernel.ok("1 + 1").text == "2"


# ---------------------------------------------------------------- requests


def test_silent_cells_leave_no_trace(kernel):
    before = kernel.ok("1 + 1").reply["execution_count"]
    cell = kernel.run("2 + 2", silent=True)
    assert cell.status == "ok" and cell.of("execute_result") == []
    assert kernel.ok("3 + 3").reply["execution_count"] == before + 1


def test_comm_info_and_unknown_comms_are_answered(kernel):
    assert kernel.request("comm_info_request", {})["comms"] == {}
    kernel.client.shell_channel.send(
        kernel.client.session.msg("comm_open", {"comm_id": "abc", "target_name": "nobody", "data": {}})
    )
    deadline = time.monotonic() + 5 * PATIENCE
    while time.monotonic() < deadline:
        try:
            message = kernel.client.get_iopub_msg(timeout=0.2)
        except queue.Empty:
            continue
        if message["msg_type"] == "comm_close":
            assert message["content"]["comm_id"] == "abc"
            return
    raise AssertionError("no comm_close for an unknown target")


def test_is_complete_gives_the_indent(kernel):
    reply = kernel.request("is_complete_request", {"code": "fn f() {"})
    assert reply["status"] == "incomplete" and reply["indent"] == "    "


def test_completion_knows_the_library_and_the_users_variables(kernel):
    kernel.ok("let my_windows = vec![1u32, 2];")
    wait_until(lambda: "my_windows" in kernel.request("complete_request", {"code": "my_wind", "cursor_pos": 7},
                                                      seconds=60)["matches"], 60, "the variable's name")
    code = "my_windows.le"
    wait_until(lambda: "len" in " ".join(kernel.request("complete_request", {"code": code, "cursor_pos": len(code)},
                                                        seconds=60)["matches"]), 60, "methods from rust-analyzer")
    code = "Scene::op"
    wait_until(lambda: "open" in " ".join(kernel.request("complete_request", {"code": code, "cursor_pos": len(code)},
                                                         seconds=60)["matches"]), 60, "the library's functions")


def test_inspection_shows_the_librarys_documentation(kernel):
    def found():
        reply = kernel.request("inspect_request", {"code": "Scene::open", "cursor_pos": 9, "detail_level": 0}, seconds=60)
        return reply["found"] and "open" in reply["data"].get("text/plain", "")

    wait_until(found, 60, "documentation of Scene::open")


def test_history_keeps_what_ran(kernel):
    # The history file is the user's: other kernels may write to it at the same time.
    name = f"remembered_{uuid.uuid4().hex[:8]}"
    kernel.ok(f"let {name} = 1234;")
    search = {"hist_access_type": "search", "pattern": f"*{name}*", "n": 3, "output": False, "raw": True}
    wait_until(lambda: any(name in entry[2] for entry in kernel.request("history_request", search)["history"]), 10, "history")


# ---------------------------------------------------------------- end


def test_shutdown_ends_every_process():
    kernel = Kernel()
    kernel.ok("let x = 1;")
    family = [kernel.pid, *descendants(kernel.pid)]
    assert len(family) >= 2
    kernel.client.shutdown()
    wait_until(lambda: not any(alive(pid) for pid in family), 10, "processes of the kernel")
    kernel.client.stop_channels()


def test_restart_gives_an_empty_session():
    with Kernel() as kernel:
        kernel.ok("let before_restart = 1;")
        kernel.manager.restart_kernel(now=False)
        kernel.client.wait_for_ready(timeout=60 * PATIENCE)
        assert kernel.run("before_restart").status == "error"
        assert kernel.ok("1 + 1").text == "2"


def test_the_child_does_not_outlive_a_killed_kernel():
    kernel = Kernel()
    kernel.ok("let x = 1;")
    children = descendants(kernel.pid)
    os.kill(kernel.pid, signal.SIGKILL)
    wait_until(lambda: not any(alive(pid) for pid in children), 10, "children of a killed kernel")
    kernel.client.stop_channels()


if __name__ == "__main__":
    raise SystemExit(pytest.main([__file__, "-v"]))
