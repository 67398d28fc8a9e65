"""The floors and invariants of ARCHITECTURE.md: a folder uses those of its own floor and below, and nothing above or around
but what is written there; GDAL, Burn, ZeroMQ and evcxr are known where the page says, and nowhere else."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from layers import BESIDE, Floors, circles, folders, named_at_the_root, uses  # noqa: E402
from rust_text import TEST_FILE, blanked, without_tests  # noqa: E402

PAGE = ROOT / "ARCHITECTURE.md"


def check(heading: str, folder: str) -> None:
    floors = Floors(PAGE, heading)
    found = uses(ROOT / folder)
    here = folders(ROOT / folder) - BESIDE
    listed = floors.of.keys()
    assert listed == here, f"on no floor: {here - listed}; on a floor, and not there: {listed - here}"
    everything = [arrow[0] for arrow in found if arrow[1] == "*"]
    assert not everything, f"these take all names of the crate, so that nobody sees what they use: {everything}"
    climbing = floors.climbing(found)
    new = {arrow: files for arrow, files in climbing.items() if arrow not in floors.up}
    assert not new, f"arrows that go up: {new}"
    assert not floors.up - climbing.keys(), f"these go up no more, take them out of the table: {floors.up - climbing.keys()}"
    there = circles(found.keys())
    unlisted = [circle for circle in there if circle not in floors.circles]
    new = {arrow: files for arrow, files in found.items() if any(circle >= set(arrow) for circle in unlisted)}
    assert not new, f"a circle of folders that ARCHITECTURE.md does not give a reason for: {new}"
    gone = [circle for circle in floors.circles if circle not in there]
    assert not gone, f"these are circles no more, take them out of the page: {gone}"


def test_the_library_s_folders_use_what_is_below():
    check("Floors of `src`", "src")


def test_the_kernel_s_folders_use_what_is_below():
    check("Floors of `kernel/src`", "kernel/src")


def test_arrows_are_read_from_every_form_of_a_path():
    for path, code, names in [
        ("a.rs", "use crate::b::C;", {"b"}),
        ("a/d.rs", "use crate::{b::{C, D}, train::{self, E}, f as g};", {"b", "train", "f"}),
        ("a/d.rs", "fn f() -> crate::b::C { $crate::train::run!() }", {"b", "train"}),
        ("a.rs", "use super::{b::C, d};\nmod inner { use super::own; use super::super::train::E; }", {"b", "d", "train"}),
        ("a/mod.rs", "use super::b;", {"b"}),
        ("a/d.rs", "use super::own;\nuse super::super::b;", {"b"}),
        ("a/d/e.rs", "use super::super::own;\nuse super::super::super::b;", {"b"}),
        ("a.rs", "use super::*;", {"*"}),
        ("a.rs", '// use crate::b;\nfn f() { g("crate::c::D"); }', set()),
        ("a.rs", "#[cfg(test)]\nmod tests { use crate::b; }\nuse crate::c;", {"c"}),
    ]:
        assert named_at_the_root(Path(path), code) == names, (path, code)
    assert circles({("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "f"), ("f", "e")}) == [{"a", "b", "c"}, {"e", "f"}]
    assert circles({("a", "b"), ("b", "c"), ("a", "c")}) == []


def library() -> dict[str, str]:
    """The files of `src` without those of tests."""
    files = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "src").rglob("*.rs")}
    return {name: path.read_text(encoding="utf-8") for name, path in files.items() if not TEST_FILE.search(name)}


def test_gdal_and_burn_appear_only_where_the_page_says():
    code = {name: without_tests(blanked(text)) for name, text in library().items()}
    for library_name, crate in [("GDAL", r"gdal(?:_sys)?"), ("Burn", r"burn(?:_\w+)?")]:
        said = re.search(rf"\b{library_name} (?:appears )?only under (.*?)(?:;|\*\*)", PAGE.read_text(encoding="utf-8"), re.S)
        places = re.findall(r"`(src/[\w/.]+)`", said[1])
        naming = {name for name, text in code.items() if re.search(rf"\b{crate}::|\b(?:use|extern crate) {crate}\b", text)}
        # The escape hatch: `pub use burn`.
        outside = {name for name in naming - {"src/lib.rs"} if not any(f"{name}/".startswith(f"{place}/") for place in places)}
        assert not outside, f"{library_name} is named outside of {places}: {outside}"
        unused = [place for place in places if not any(f"{name}/".startswith(f"{place}/") for name in naming)]
        assert not unused, f"{library_name} is not named under {unused}"


def test_labels_do_no_input_or_output():
    code = {name: without_tests(blanked(text)) for name, text in library().items() if name.startswith("src/labels/")}
    assert len(code) > 10
    assert not [name for name, text in code.items() if re.search(r"\b(?:fs|io|net|process|gdal\w*)::|\bFile\b|\bprint", text)]


def test_mime_bundles_are_made_where_the_page_says_and_the_library_does_not_name_jupyter():
    said = {name: re.sub(r"//.*", "", text) for name, text in library().items()}
    assert [name for name, text in said.items() if '"text/plain"' in text] == ["src/rt/side.rs"]
    assert not [name for name, text in said.items() if "jupyter" in text.lower()]


def test_only_the_kernel_knows_zeromq_and_evcxr_and_it_does_not_link_the_library():
    known = {}
    for manifest in [ROOT / "Cargo.toml", *ROOT.glob("*/Cargo.toml")]:
        sections = re.findall(r"^\[dependencies\]\n(.*?)(?=^\[|\Z)", manifest.read_text(encoding="utf-8"), re.S | re.M)
        name = "swath" if manifest.parent == ROOT else manifest.parent.name
        known[name] = set(re.findall(r"^([\w-]+)", "".join(sections), re.M))
    assert {"gdal", "burn"} <= known["swath"] and {"zeromq", "evcxr"} <= known["kernel"]
    assert [name for name, crates in known.items() if crates & {"zeromq", "evcxr"}] == ["kernel"]
    assert [name for name, crates in known.items() if "swath" in crates] == [], "the library is loaded, never linked"
