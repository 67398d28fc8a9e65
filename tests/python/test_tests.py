"""Rules for the tests themselves: none passes without testing, what one needs it says, files are found by name, and
`make test` runs each."""

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "scripts"))

from runnable_tests import KNOWN, ignored  # noqa: E402
from rust_text import OF_TESTS, TEST, TEST_FILE, blanked, end_of_block  # noqa: E402

CRATES = ["src", *sorted(f"{manifest.parent.name}/src" for manifest in ROOT.glob("*/Cargo.toml"))]
PACKAGES = ["src", "tests", *sorted(manifest.parent.name for manifest in ROOT.glob("*/Cargo.toml"))]
# What a test may need that not every machine has; `scripts/runnable_tests.py` knows how to look for each.
NEEDS = re.compile(r"needs (.+)")
# The halves of other tests, which run them in a process of their own and look at what they leave.
HALVES = {"trains_until_killed", "an_engine_in_a_process_of_its_own_runs_cells_and_ends"}
# Tests that leave early still, by file.
LEAVE_STILL: dict[str, list[str]] = {}


def sources() -> list[Path]:
    return sorted(path for folder in PACKAGES for path in (ROOT / folder).rglob("*.rs") if "fixtures" not in path.parts)


def bodies_of(text: str) -> list[tuple[str, int, int]]:
    """Name, first and last place of the body of each test."""
    code, found = blanked(text), []
    for test in TEST.finditer(code):
        start = code.index("{", test.end())
        found.append((test[1], start, end_of_block(code, start)))
    return found


def leaves_early(text: str) -> list[str]:
    """The tests that leave, or go on with the next case, where they should have tested.

    That is a `return` in a block, or an arm, that asserts nothing before it; or a `continue` there that speaks of skipping,
    asks for what a machine has, or is the `else` of a `let` in the test's own body or in a loop over listed cases. A test that
    runs itself in another process asserts that this one passed, by itself or in a helper that its condition calls, and may
    return then; closures and functions return for themselves.
    """
    code, found = blanked(text), []
    for name, start, end in bodies_of(text):
        blocks: list[int] = []
        for one in re.finditer(r"[{}]|\b(?:return|continue)\b", code[start:end]):
            place = start + one.start()
            if one[0] == "{":
                blocks.append(place)
                continue
            if one[0] == "}":
                blocks.pop()
                continue
            heads = [code[max(code.rfind(edge, 0, block) for edge in ";{}") + 1 : block] for block in blocks]
            if len(blocks) == 1 or name in HALVES or any(re.search(r"\|\s*$|\bfn \w+", head) for head in heads[1:]):
                continue
            arm = code.rfind("=>", blocks[-1], place) if re.search(r"\bmatch\b", heads[-1]) else -1
            inside = text[max(blocks[-1], arm) : place]
            if "assert" in inside or any(asserting(code, called) for called in re.findall(r"\b(\w+)\(", heads[-1])):
                continue
            loops = [head for head in heads[1:] if re.match(r"\s*(?:for|while|loop)\b", head)]
            listed = all(re.search(r"\bin (?:\[|&?\w+\s*$)", head) for head in loops)
            refused = re.search(r"\blet\b.*\belse\s*$", heads[-1], re.S) and listed
            asked = re.search(r"env::var|\.exists\(\)", heads[-1]) or "skip" in inside
            if one[0] == "return" or refused or asked:
                line = text.count("\n", 0, place) + 1
                found.append(f"{name}, line {line}")
    return found


def asserting(code: str, function: str) -> bool:
    """Whether a function of the same file asserts something."""
    defined = re.search(rf"\bfn {function}\b[^;{{]*{{", code)
    return bool(defined) and "assert" in code[defined.start() : end_of_block(code, defined.end() - 1)]


def test_no_test_of_rust_leaves_early_as_passed():
    tests = 0
    left = {}
    for path in sources():
        text = path.read_text(encoding="utf-8")
        tests += len(bodies_of(text))
        early = leaves_early(text)
        if early:
            left[path.relative_to(ROOT).as_posix()] = early
    assert tests > 1000, tests
    new = {path: early for path, early in left.items() if path not in LEAVE_STILL}
    assert not new, f'#[ignore = "needs …"] in place of leaving early: {new}'
    for path, names in LEAVE_STILL.items():
        now = [early.split(",")[0] for early in left.get(path, [])]
        assert now == names, f"{path}: {now} leave early now, take the others out of the list"


def test_leaving_early_is_seen():
    head = "#[test]\nfn a() {\n"
    for body in [
        'let Some(a) = data("b{") else { return; };',
        'for a in [b, c] { let (Some(a), Some(b)) = (c, d) else {\n continue; }; assert!(a); }',
        'if !path.exists() { println!("skipped: c"); return; }',
        "if std::env::var_os(\"A\").is_none() { return Ok(()); }",
        'match a { Ok(a) => a, b => { eprintln!("skipped {b}"); return; } };',
        "if let Ok(a) = &b { println!(\"not checked: {a}\"); return Ok(()); }",
        "if cfg!(feature = \"a\") && b() { return; }",
        "if a { assert!(a); } else { return; }",
        "match a { Ok(a) => assert!(a), Err(_) => return }",
        "for a in b() { if a.is_none() { return; } assert!(a); }",
    ]:
        assert leaves_early(f"{head}{body}\n}}") == [f"a, line {3 + body[:body.find('continue')].count(chr(10))}"], body
    for body in [
        "if !is_child() { assert_passed(&in_child(\"a\")); return; }",
        'let Ok(a) = b else { panic!("c") };',
        "for a in b() { let Some(a) = a else { continue; }; assert!(a); }",
        "for a in b { if a == 3 { continue; } assert!(a); }",
        "let f = |a| { return a; }; // else { return; }",
        "impl A for B { fn a(&self) { if self.0 { return; } } }",
        "if !alone(b) { return; }\n}\nfn alone(a: &str) -> bool { assert_passed(&in_child(a)); true",
    ]:
        assert leaves_early(f"{head}{body}\n}}") == [], body


def test_make_test_runs_every_file_of_tests_of_python_once():
    script = re.sub(r"^\s*#.*", "", (ROOT / "scripts/test.sh").read_text(encoding="utf-8"), flags=re.M)
    run = re.findall(r"\btests/python/(test_\w+\.py)\b", script)
    there = sorted(path.name for path in (ROOT / "tests/python").glob("test_*.py"))
    assert not set(there) - set(run), f"in no group of scripts/test.sh: {set(there) - set(run)}"
    assert not set(run) - set(there), f"in scripts/test.sh, and not there: {set(run) - set(there)}"
    assert len(run) == len(there), f"twice in scripts/test.sh: {[name for name in there if run.count(name) > 1]}"


def test_what_a_test_needs_is_said_in_a_way_that_make_test_knows():
    reasons = {reason for _, _, reason in ignored(ROOT)}
    assert reasons, "no ignored test"
    unknown = {
        reason for reason in reasons
        if not (needed := NEEDS.fullmatch(reason)) or not all(re.fullmatch(KNOWN, need) for need in needed[1].split(" and "))
    }
    assert not unknown, unknown
    for path in sources():
        assert not re.search(r"#\[ignore\s*\]", blanked(path.read_text(encoding="utf-8"))), f"{path}: say what it needs"


# One file that the unit tests of several crates are made with; it lies outside of them.
SHARED = {"fuzz_harness"}


def misnamed(relative: str, text: str) -> list[str]:
    """What of a file of `src` breaks the rule of CONTRIBUTING: files of tests are `tests.rs` or `…_tests.rs`."""
    code, found = blanked(text), []
    inside = [(at.end(), end_of_block(code, at.end() - 1)) for at in OF_TESTS.finditer(code) if at[3] == "{"]
    for attributes, name, ending in (at.groups() for at in OF_TESTS.finditer(code)):
        if name in SHARED:
            continue
        if not re.fullmatch(r"(?:\w+_)?tests", name):
            found.append(f"{relative}: `mod {name}` is for tests only, but is not called so")
        if ending == ";" and "path" in attributes:
            found.append(f"{relative}: `mod {name}` has a `#[path]`")
    if not TEST_FILE.search(relative):
        outside = [name for name, start, _ in bodies_of(text) if not any(first < start < last for first, last in inside)]
        found += [f"{relative}: `{name}` lies in no module of tests" for name in outside]
    return found


def test_files_of_tests_are_found_by_name():
    found, files = [], 0
    for crate in CRATES:
        for path in sorted((ROOT / crate).rglob("*.rs")):
            relative = path.relative_to(ROOT).as_posix()
            files += bool(TEST_FILE.search(relative))
            found += misnamed(relative, path.read_text(encoding="utf-8"))
    assert files > 20, files
    assert not found, found
    test = "#[test]\nfn a() {}\n"
    assert misnamed("src/a.rs", '#[tokio::test(flavor = "multi_thread")]\nasync fn a() {}\n')
    assert misnamed("src/a.rs", test) and misnamed("src/a.rs", "#[cfg(test)]\nmod oracle;")
    assert misnamed("src/a.rs", '#[cfg(test)]\n#[path = "b_tests.rs"]\nmod tests;')
    assert not misnamed("src/a_tests.rs", test) and not misnamed("src/a/tests.rs", test)
    assert not misnamed("src/a.rs", f"#[cfg(test)]\nmod tests {{\n{test}}}\n")


def asserts(node: ast.AST) -> bool:
    """Whether this asserts something, by itself or in a helper that checks."""
    calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
    names = {getattr(call, "attr", getattr(call, "id", "")) for call in calls}
    stated = any(isinstance(one, (ast.Assert, ast.Raise)) for one in ast.walk(node))
    return stated or any(re.match("check|assert", name) for name in names)


def python_leaves_early(text: str) -> tuple[int, list[str]]:
    """How many tests there are, and those that return before they have asserted anything."""
    tests, left = 0, []
    for function in ast.walk(ast.parse(text)):
        if not (isinstance(function, ast.FunctionDef) and function.name.startswith("test_")):
            continue
        tests += 1
        own = [node for node in ast.walk(function) if node is not function]
        inner = {id(node) for one in own if isinstance(one, (ast.FunctionDef, ast.Lambda)) for node in ast.walk(one)}
        for node in own:
            if isinstance(node, ast.Return) and id(node) not in inner:
                before = [one for one in own if isinstance(one, ast.stmt) and one.end_lineno < node.lineno]
                if not any(asserts(one) for one in before):
                    left.append(f"{function.name}, line {node.lineno}")
    return tests, left


def test_no_test_of_python_leaves_early_as_passed():
    left, tests = {}, 0
    for path in sorted((ROOT / "tests/python").glob("test_*.py")):
        count, early = python_leaves_early(path.read_text(encoding="utf-8"))
        tests += count
        if early:
            left[path.name] = early
    assert tests > 200, tests
    assert not left, f"pytest.skip in place of leaving early: {left}"
    assert python_leaves_early("def test_a():\n    if not there():\n        print('skipped')\n        return\n    assert b")[1]
    assert not python_leaves_early("def test_a():\n    check(b)\n    if not c:\n        return\n    assert b")[1]
