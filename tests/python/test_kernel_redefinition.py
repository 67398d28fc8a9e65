"""Random redefinitions between cells: a value comes back exactly, or is refused with a word (`redefinition.py`)."""

import pytest

import redefinition
from harness import Kernel

SESSIONS = 40


@pytest.fixture(scope="module")
def poisoned_kernel():
    with Kernel(env=redefinition.environment()) as kernel:
        yield kernel


@pytest.mark.parametrize("first", range(0, SESSIONS, 10))
def test_no_redefinition_shows_a_value_as_another(first, poisoned_kernel) -> None:
    faults, right = [], 0
    poisoned_kernel.run("%reset", seconds=60)
    for seed in range(first, first + 10):
        seen = redefinition.run(poisoned_kernel, redefinition.session(seed))
        right += seen.counts["right"]
        if any(kind in seen.counts for kind in redefinition.FAULTS):
            faults.append(str(seen))
    assert not faults, f"{len(faults)} of 10 sessions\n\n" + "\n\n".join(faults)
    assert right > 0, "no value was kept at all"


def test_a_session_follows_from_its_seed() -> None:
    assert redefinition.session(7).cells == redefinition.session(7).cells
    assert redefinition.session(7).cells != redefinition.session(8).cells


def test_a_crate_edited_on_disk_never_shows_a_value_as_another(poisoned_kernel, tmp_path) -> None:
    """The layout behind a type's name changes although no cell defines it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text('[package]\nname = "edited"\nversion = "0.1.0"\nedition = "2024"\n')
    library = tmp_path / "src" / "lib.rs"
    definition = "#[derive(Debug, Clone)]\npub struct Held {{ pub a: u8, pub b: {} }}\npub const N: usize = {};\n"
    library.write_text(definition.format("u64", 2))
    poisoned_kernel.run("%reset", seconds=60)
    poisoned_kernel.ok(f'%dep edited = {{ path = "{tmp_path}" }}', seconds=240)
    poisoned_kernel.ok("let held = edited::Held { a: 7, b: 0xA5A5 };")
    poisoned_kernel.ok("let many: [edited::Held; edited::N] = [held.clone(), held.clone()];")
    assert poisoned_kernel.ok("held").text == "Held { a: 7, b: 42405 }"
    library.write_text(definition.format("Vec<u64>", 3))
    poisoned_kernel.run(f'%dep edited = {{ path = "{tmp_path}" }}', seconds=240)
    for name, right in (("held", "Held { a: 7, b: 42405 }"), ("many", "[Held { a: 7, b: 42405 }, Held { a: 7, b: 42405 }]")):
        cell = poisoned_kernel.run(name)
        if cell.status == "ok":
            assert cell.text == right
        else:
            assert cell.error["ename"] not in ("ChildDied", "EngineError"), cell.everything()
            assert name in cell.everything()
    assert poisoned_kernel.ok("edited::N").text in ("2", "3")


def test_an_alias_with_the_name_of_a_primitive_costs_no_variable(poisoned_kernel) -> None:
    poisoned_kernel.run("%reset", seconds=60)
    poisoned_kernel.ok("type i32 = u64;\ntype str = u32;\ntype bool = char;")
    poisoned_kernel.ok('let numbers = vec![1 as core::primitive::i32, 2];\nlet equal = 1 == 1;\nlet text = "abc";')
    for name, value in [("numbers", "[1, 2]"), ("equal", "true"), ("text", '"abc"')]:
        assert poisoned_kernel.ok(name).text == value
    poisoned_kernel.ok("struct Pair(i32);\nlet pair = Pair(u64::MAX);")
    assert poisoned_kernel.ok("pair.0").text == str(2**64 - 1)
    poisoned_kernel.run("%reset", seconds=60)
