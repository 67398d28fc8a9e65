"""Completion that stays: whatever somebody types, and whatever happens to rust-analyzer, the next Tab has an answer."""

import json
import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from harness import PATIENCE, Kernel, alive, descendants, wait_until

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from rust_text import blanked, end_of_block, without_tests  # noqa: E402

TYPED = 'let lengths: Vec<usize> = words.iter().map(|word| word.len()).coll'


def complete(kernel, code: str, cursor: int | None = None) -> dict:
    return kernel.request("complete_request", {"code": code, "cursor_pos": len(code) if cursor is None else cursor}, seconds=30)


def matches(kernel, code: str, cursor: int | None = None) -> list[str]:
    return complete(kernel, code, cursor)["matches"]


def offers(kernel, code: str, wanted: str, seconds: float = 90) -> list[str]:
    """The candidates, once rust-analyzer has read what it needs for this one."""
    found = []

    def is_there() -> bool:
        found[:] = matches(kernel, code)
        return wanted in found

    try:
        wait_until(is_there, seconds, f"{wanted!r} after {code!r}")
    except AssertionError as error:
        raise AssertionError(f"{error}; at last {found[:20]}") from None
    return found


def helper_pid(kernel) -> int | None:
    """The helping process."""
    for pid in descendants(kernel.pid):
        try:
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            name = Path(f"/proc/{pid}/comm").read_text()
        except OSError:
            continue
        if b"SWATH_CHILD=help" in environment and name.startswith("swath") and alive(pid):
            return pid
    return None


@pytest.fixture(scope="module")
def ready_kernel(shared_kernel):
    shared_kernel.ok('let words = vec!["a".to_string()];')
    offers(shared_kernel, "words.le", "len()")
    return shared_kernel


@pytest.mark.parametrize("code", ["words.push(", "let v = 1;\n", "words.push(\n", "fn f(a: &[f32]) -> f32 {\n    "])
def test_three_tabs_where_term_search_panicked_change_nothing(ready_kernel, code):
    """rust-analyzer #22554: the first Tab killed the analyzer, the third ended completion for good."""
    before = helper_pid(ready_kernel)
    for _ in range(3):
        assert "words" in matches(ready_kernel, code) or "fn f" in code
        assert "len()" in matches(ready_kernel, "words.le")
    assert "new()" in matches(ready_kernel, "String::")
    assert helper_pid(ready_kernel) == before, "no process died"


def test_private_fields_of_other_crates_are_never_offered(ready_kernel):
    found = matches(ready_kernel, "words.")
    assert {"len()", "push(value)", "iter()"} <= set(found)
    assert not {"buf", "len", "ptr", "cap"} & set(found), found
    assert matches(ready_kernel, "words.le") == ["leak()", "len()", "le(other)"], "those of traits come last"
    assert not {"vec"} & set(matches(ready_kernel, "words[0]."))


def test_fields_methods_and_modules_of_the_session_are_offered(ready_kernel):
    ready_kernel.ok(
        "mod land {\n    pub struct Field { pub area: f64, hidden: u8 }\n    impl Field {\n"
        "        pub fn new(area: f64) -> Self { Self { area, hidden: 0 } }\n"
        "        pub fn hectares(&self) -> f64 { self.area / 1e4 + f64::from(self.hidden) }\n    }\n}\n"
        "macro_rules! make { ($name:ident) => { fn $name() -> u8 { 7 } } }"
    )
    ready_kernel.ok("let field = land::Field::new(2e4);")
    found = offers(ready_kernel, "field.", "hectares()")
    assert "area" in found and "hidden" not in found
    assert "Field" in matches(ready_kernel, "land::")
    assert "made_by_macro()" in matches(ready_kernel, "make!(made_by_macro);\nlet seven = made_by")
    assert any(text.startswith("make!") for text in matches(ready_kernel, "mak"))
    ready_kernel.ok("fn scaled(x: f64) -> f64 { x }")
    offers(ready_kernel, "let y = scal", "scaled(x)")
    ready_kernel.ok("fn scaled(x: f64, by: f64) -> f64 { x * by }")
    offers(ready_kernel, "let y = scal", "scaled(x, by)")


def test_paths_and_the_preludes_traits_are_offered(ready_kernel):
    assert matches(ready_kernel, "use std::coll") == ["collections"]
    assert {"new()", "from_utf8(vec)"} <= set(matches(ready_kernel, "String::"))
    assert "open(path)" in matches(ready_kernel, "Scene::op")
    assert "HashMap" in matches(ready_kernel, "let m = std::collections::HashM")


@pytest.mark.parametrize("before", [
    "vec![", "let all = vec![words.len(), ", 'println!("{}", ', "dbg!(", "assert_eq!(1, ", 'format!("{:?}", vec![', "drop(vec![1, ",
    "for word in &words {\n    println!(\"{word}\", ",
])
@pytest.mark.parametrize("after", ["", "]", ")", "\nlet b = 3;"])
def test_inside_of_macro_calls(ready_kernel, before, after):
    code = f"{before}words.{after}"
    reply = complete(ready_kernel, code, len(before) + 6)
    assert "len()" in reply["matches"] and "buf" not in reply["matches"]
    assert reply["cursor_start"] == reply["cursor_end"] == len(before) + 6
    reply = complete(ready_kernel, f"{before}wor{after}", len(before) + 3)
    assert "words" in reply["matches"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(before), len(before) + 3)


def test_an_empty_cell_has_a_quick_and_short_answer(ready_kernel):
    for code in ["", "   ", "\n\n"]:
        began = time.monotonic()
        found = matches(ready_kernel, code)
        assert time.monotonic() - began < 2
        assert "words" in found and "let" in found and len(found) < 100


def test_evcxrs_commands_are_offered_where_they_can_stand(ready_kernel):
    assert matches(ready_kernel, ":de") == [":dep"]
    assert ":version" in matches(ready_kernel, "let a = 1;\n:ver")
    assert "words" in matches(ready_kernel, ":type wor")
    assert matches(ready_kernel, "%lsm") == ["%lsmagic"]


def test_places_are_code_points(ready_kernel):
    code = 'let smile = "😀🌍é"; words.le'
    reply = complete(ready_kernel, code)
    assert "len()" in reply["matches"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(code) - 2, len(code))
    assert [entry["start"] for entry in reply["metadata"]["_jupyter_types_experimental"]] == [len(code) - 2] * len(reply["matches"])
    # In the middle of a word: what stands before the cursor counts, the whole word is replaced.
    reply = complete(ready_kernel, code, len(code) - 1)
    assert "len()" in reply["matches"] and reply["cursor_end"] == len(code)


def test_typing_leaves_one_question(ready_kernel):
    """Sixty-six characters, a request for each: every older one is answered at once when the next arrives."""
    client, asked, answered = ready_kernel.client, {}, {}
    assert len(TYPED) == 66

    def hear(seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and len(answered) < len(asked):
            try:
                message = client.get_shell_msg(timeout=max(0.001, deadline - time.monotonic()))
            except Exception:
                return
            answered[message["parent_header"]["msg_id"]] = (time.monotonic(), message["content"]["matches"])

    for length in range(1, 67):
        asked[client.complete(TYPED[:length], length)] = time.monotonic()
        hear(0.05)
        time.sleep(0.05)
    hear(30 * PATIENCE)
    assert len(answered) == 66
    ids, times = list(asked), list(asked.values())
    late = [answered[id][0] - after for id, after in zip(ids, times[1:])]
    print(f"older questions were answered {max(late):.2f} s after the next one at the latest")
    assert max(late) < 1 * PATIENCE
    assert any(text.startswith("collect") for text in answered[ids[-1]][1]), answered[ids[-1]]


def test_crates_of_the_session_are_offered(ready_kernel, tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "soil"\nversion = "0.1.0"\nedition = "2024"\n')
    (tmp_path / "src" / "lib.rs").write_text("/// How wet.\npub fn moisture() -> f32 { 0.5 }\nfn secret() {}\n")
    ready_kernel.ok(f':dep soil = {{ path = "{tmp_path}" }}', seconds=300)
    found = offers(ready_kernel, "soil::", "moisture()")
    assert "secret()" not in found


def test_a_killed_helper_is_replaced_without_end(fresh_kernel):
    kernel = fresh_kernel
    kernel.ok("fn remembered() -> u8 { 1 }\nlet words = vec![1];")
    killed = set()
    for _ in range(10):
        wait_until(lambda: helper_pid(kernel) not in {None, *killed}, 60, "a new helping process")
        killed.add(helper_pid(kernel))
        os.kill(helper_pid(kernel), signal.SIGKILL)
    assert len(killed) == 10
    offers(kernel, "words.le", "len()", seconds=120)
    offers(kernel, "let a = remem", "remembered()")
    assert kernel.ok("remembered()").text == "1", "cells know nothing of it"


def test_a_stopped_helper_holds_nobody_up(fresh_kernel):
    kernel = fresh_kernel
    wait_until(lambda: helper_pid(kernel), 60, "the helping process")
    os.kill(helper_pid(kernel), signal.SIGSTOP)
    long = "let words = vec![1]; // " + "x" * 100_000 + "\nwords."
    for _ in range(5):
        kernel.client.complete(long, len(long))
    began = time.monotonic()
    assert kernel.request("kernel_info_request", {})["status"] == "ok"
    assert "let" in matches(kernel, "")
    assert kernel.ok("1 + 1").text == "2"
    assert time.monotonic() - began < 10 * PATIENCE


def test_intrinsics_are_read_when_somebody_uses_them(ready_kernel):
    offers(ready_kernel, "std::arch::x86_64::_mm_setzero", "_mm_setzero_ps()")


def test_nests_without_end_cost_one_answer(ready_kernel):
    for code in ["(" * 100_000, "vec![" * 3000 + "words.", "-" * 200_000 + "words."]:
        complete(ready_kernel, code)
    offers(ready_kernel, "words.le", "len()")


def test_documentation_right_after_the_start_does_not_end_a_run_of_all_cells():
    with Kernel(ready=False) as kernel:
        asked = [kernel.send(code) for code in ("%doc Vec", "?String", "let a = 1;", "?a", "a + 1")]
        replies = [kernel.collect_reply(id, seconds=300) for id in asked]
        assert [reply["status"] for reply in replies] == ["ok"] * 5, replies
        pages = [page["data"]["text/plain"] for reply in replies for page in reply["payload"]]
        assert len(pages) == 3
        assert "contiguous growable array" in pages[0] or "not ready" in pages[0]
        assert "a: i32" in pages[2]


def test_a_tooltip_of_a_variable_needs_nobody(fresh_kernel):
    fresh_kernel.ok("let mut tally = vec![1.5_f64];")
    reply = fresh_kernel.request("inspect_request", {"code": "tally", "cursor_pos": 3, "detail_level": 0})
    assert reply["found"] and "tally: " in reply["data"]["text/plain"] and "f64" in reply["data"]["text/plain"]


def test_names_from_the_files_of_the_session_are_offered_in_strings(fresh_kernel):
    fresh_kernel.ok('let scene = samples::town_in(".", 1, 256)?.scene()?;\nlet cars = scene.only(["car"])?;')
    assert matches(fresh_kernel, 'scene.only(["b') == ["background", "building"]
    assert matches(fresh_kernel, 'cars.only(["') == ["background", "car"]
    assert matches(fresh_kernel, 'scene.with_colors([("building", "r') == ["red"]
    assert matches(fresh_kernel, 'scene.with_colors([("building", "red"), ("r') == ["road"]
    assert matches(fresh_kernel, 'scene.show_bands(["r') == ["red"]
    assert matches(fresh_kernel, 'scene.with_labels("town-1-1-256.gpkg", "cl') == ["class"]
    assert matches(fresh_kernel, "%colors ca") == ["car"]
    assert matches(fresh_kernel, "%bands red,gr") == ["green"]
    # A name goes with its variable.
    fresh_kernel.ok("drop(scene);")
    assert matches(fresh_kernel, 'anything.only(["b') == ["background"]


def test_the_properties_of_a_file_are_offered_before_anybody_has_opened_it(fresh_kernel, tmp_path):
    path = tmp_path / "other file.geojson"
    path.write_text('{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"kind": 1, "grown": 2}, '
                    '"geometry": {"type": "Point", "coordinates": [1, 2]}}]}')
    assert matches(fresh_kernel, f'scene.with_labels("{path}", "') == ["kind", "grown"]
    assert matches(fresh_kernel, f'%scene a.tif labels="{path}" class=gr') == ["grown"]
    assert matches(fresh_kernel, f'%scene a.tif labels="{path}x" class=gr') == []


def test_the_first_tab_answers_at_once_whatever_the_capitals(fresh_kernel):
    for code, wanted in [("sc", "Scene"), ("pri", "println!"), ("Scene::op", "open(path)")]:
        start = time.monotonic()
        found = matches(fresh_kernel, code)
        assert any(text.startswith(wanted) for text in found), (code, found)
        assert time.monotonic() - start < 5
    start = time.monotonic()
    matches(fresh_kernel, "nothing_that_is_known")
    assert time.monotonic() - start < 5


# How the members of a block begin that are a type's own.
MEMBER = {"impl": r"pub (?:const )?fn (\w+)", "pub struct": r"pub (\w+):", "pub enum": r"([A-Z]\w*)\b", "pub trait": r"fn (\w+)"}


def own_names() -> dict[str, set[str]]:
    """The public names that each type has by itself: methods, fields, variants, and a trait's methods. Not what it has of
    traits, such as `output` and `default`."""
    found: dict[str, set[str]] = {}
    aliases: dict[str, str] = {}
    for folder in ("src", "boxes/src"):
        for path in sorted((ROOT / folder).rglob("*.rs")):
            code = without_tests(blanked(path.read_text(encoding="utf-8")))
            aliases.update(re.findall(r"^pub type (\w+) = (\w+)<", code, re.M))
            for head in re.finditer(r"^(impl|pub struct|pub enum|pub trait)\b(?:<[^{;]*?>)? (\w+)[^{;(]*\{", code, re.M):
                if head[1] == "impl" and re.search(r" for ", head[0]):
                    continue
                body = code[head.end() : end_of_block(code, head.end() - 1)]
                found.setdefault(head[2], set()).update(re.findall(rf"^    {MEMBER[head[1]]}", body, re.M))
    for network in json.loads((ROOT / "link/networks.json").read_text(encoding="utf-8")):
        found.setdefault(network["builder"], set()).update(network["encoders"])
    return found | {alias: found[name] for alias, name in aliases.items() if name in found}


def test_every_type_of_the_prelude_has_its_own_names(ready_kernel):
    """`BoxFusion::` and `BoundingBox::` had none since they came from a crate of their own."""
    prelude = (ROOT / "src/prelude.rs").read_text(encoding="utf-8")
    types = set(re.findall(r"\b([A-Z][A-Za-z0-9]+)\b", re.sub(r"//.*", "", prelude)))
    assert len(types) > 50, types
    own = own_names()
    assert {"new", "iou", "x_min"} <= own["BoundingBox"] and "Nms" in own["BoxFusion"] and "resnet18" in own["Fpn"]
    assert own["Segmenter"] >= {"fit", "predict"} and not {"output", "default", "clone"} & own["Segmenter"]

    def offered(code: str) -> set[str]:
        return {re.split(r"\W", text)[0] for text in matches(ready_kernel, code)}

    offers(ready_kernel, "Scene::op", "open(path)")
    bare = [name for name in sorted(types) if not own[name] & (offered(f"{name}::") | offered(f"fn f(x: &{name}) {{ x."))]
    assert not bare, bare
    assert "BoundingBox" in matches(ready_kernel, "swath::boxes::")


def private_fields() -> dict[str, set[str]]:
    """The fields that nobody outside of the library may name, of each of its structs."""
    found = {}
    for folder in ("src", "boxes/src"):
        for path in (ROOT / folder).rglob("*.rs"):
            for name, body in re.findall(r"^pub struct (\w+)[^\n;(]*\{\n(.*?)^\}", path.read_text(encoding="utf-8"), re.S | re.M):
                found[name] = set(re.findall(r"^    (?:pub\([a-z]+\) )?([a-z]\w*):", body, re.M))
    return found


def test_private_fields_of_our_types_are_never_offered(ready_kernel):
    """A `Split` offered its `axis` and its `place` first."""
    fields = private_fields()
    assert fields["Split"] == {"axis", "place"} and len(fields["FitOptions"]) > 10 and not fields["BoundingBox"]
    offers(ready_kernel, "Scene::op", "open(path)")
    ready_kernel.ok("let cut = Split::columns(0.5);\nlet fit = FitOptions::epochs(1);\nlet window = PixelWindow::new(0, 0, 1, 1);")
    for variable, name in [("cut", "Split"), ("fit", "FitOptions")]:
        found = matches(ready_kernel, f"{variable}.")
        assert "clone()" in found and not fields[name] & set(found), found
    assert {"col", "row", "width", "height"} <= set(matches(ready_kernel, "window.")), "public fields are"
    prelude = (ROOT / "src/prelude.rs").read_text(encoding="utf-8")
    offered = {}
    for name in sorted(set(re.findall(r"\b([A-Z]\w+)\b", prelude)) & fields.keys()):
        of_value = set(matches(ready_kernel, f"fn f(x: &{name}) {{ x.")) & fields[name]
        of_literal = set(matches(ready_kernel, f"let x = {name} {{ ")) & fields[name]
        if of_value | of_literal:
            offered[name] = of_value | of_literal
    assert not offered, offered


@pytest.mark.parametrize(("code", "wanted"), [
    ("swath::burn::", {"tensor", "nn", "module", "optim", "prelude"}),
    ("swath::burn::tensor::", {"Tensor", "TensorData", "Device", "Distribution"}),
    ("swath::burn::tensor::Tensor::", {"zeros(shape, options)", "cat(tensors, dim)"}),
    ("use swath::burn::tensor::Tensor;\nlet t: Tensor<2> = todo!();\nt.", {"matmul(other)", "transpose()", "dims()"}),
    ("swath::burn::nn::", {"LinearConfig", "Dropout"}),
    ("swath::boxes::", {"BoundingBox", "nms(boxes, scores, iou)", "score", "formats"}),
    ("swath::boxes::score::", {"coco(images, classes)"}),
    ("swath::boxes::formats::", {"read(path, options)", "BoxFile"}),
    ("BoxFusion::", {"Nms { iou }"}),
    ("BoundingBox::", {"new(x_min, y_min, x_max, y_max)", "from_xywh(x, y, width, height)"}),
    ("BoundingBox::new(0.0, 0.0, 1.0, 1.0).", {"iou(other)", "x_min", "area()"}),
    ("fn f(object: &Object) { object.geometry.", {"iter()"}),
    ("fn f(object: &Object) { object.center.", {"x()", "y()"}),
])
def test_the_crates_that_the_library_gives_are_known(ready_kernel, code, wanted):
    found = offers(ready_kernel, code, min(wanted))
    assert wanted <= set(found), wanted - set(found)


@pytest.mark.parametrize(("name", "words"), [
    ("BoundingBox", "corners in pixels"), ("BoundingBox::iou", "pub fn iou"), ("BoxFusion", "enum BoxFusion"),
    ("swath::boxes::nms", "pub fn nms"), ("swath::burn::tensor::Tensor", "struct Tensor"),
    ("swath::burn::tensor::Tensor::matmul", "fn matmul"), ("swath::burn::nn::LinearConfig", "struct LinearConfig"),
    ("Split", "cut in two"), ("Split::columns", "left"),
])
def test_help_knows_the_crates_that_the_library_gives(ready_kernel, name, words):
    offers(ready_kernel, "Scene::op", "open(path)")
    reply = ready_kernel.request("inspect_request", {"code": name, "cursor_pos": len(name), "detail_level": 0}, seconds=60)
    assert reply["found"] and words in reply["data"]["text/plain"], reply
    pages = ready_kernel.ok(f"?{name}").reply["payload"]
    assert words in pages[0]["data"]["text/plain"], pages
