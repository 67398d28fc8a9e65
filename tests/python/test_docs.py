"""The book and the pages beside it: links lead somewhere, code has a language and is compiled, variables are described."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BOOK = sorted(path for path in DOCS.rglob("*.md") if path.name != "SUMMARY.md")
PAGES = [*BOOK, DOCS / "SUMMARY.md", *(ROOT / name for name in (
    "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "benches/README.md"))]
# `text` is cells with magics, which the kernel's tests read, and what programs print.
LANGUAGES = {"rust", "rust,no_run", "sh", "python", "json", "text", "toml"}
FENCE = re.compile(r"^```(\S*)[ \t]*$(.*?)^```[ \t]*$", re.S | re.M)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
VARIABLE = re.compile(r"\bSWATH_[A-Z0-9_]*[A-Z0-9]\b")
FOLDERS = ["src", "scripts", "benches", *sorted(f"{manifest.parent.name}/src" for manifest in ROOT.glob("*/Cargo.toml"))]
# Parts of generated code, and what a build script hands to the compiler.
NO_VARIABLES = {"SWATH_FIRST", "SWATH_GLOBAL", "SWATH_KEY_B", "SWATH_IMPL_1", "SWATH_RUSTC_VERSION"}

# What scripts hand to each other, and what belongs to cargo, rustup and the system.
FOR_SCRIPTS = {"CARGO_FLAGS", "CARGO_TERM_COLOR", "LD_LIBRARY_PATH", "PYTHON", "RUSTUP_TOOLCHAIN", "STOP_AFTER"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def without_code(text: str) -> str:
    text = FENCE.sub("", text)
    return re.sub(r"``.*?``|`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as mdBook and GitHub make them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ +(.+?) *$", FENCE.sub("", path.read_text(encoding="utf-8")), re.M):
        words = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        anchor, number = words, 0
        while anchor in found:
            number += 1
            anchor = f"{words}-{number}"
        found.add(anchor)
    return found


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_pages_files_and_headings(page):
    wrong = []
    for target in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (page.parent / path).resolve() if path else page
        if not to.exists():
            wrong.append(f"{target}: there is no such file")
        elif page.is_relative_to(DOCS) and not to.is_relative_to(DOCS):
            wrong.append(f"{target}: outside the book")
        elif anchor and to.suffix == ".md" and anchor not in anchors(to):
            wrong.append(f"{target}: there is no such heading")
    assert not wrong, wrong


@pytest.mark.parametrize("page", [ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md"], ids=name)
def test_the_places_that_developers_are_sent_to_are_there(page):
    tops = "src|kernel|link|cli|cpu|boxes|tests|benches|scripts|docs"
    named = re.findall(rf"`((?:{tops})/[\w./{{}},-]+)`", page.read_text(encoding="utf-8"))
    places = []
    for path in named:
        braces = re.fullmatch(r"(.*)\{(.*)\}(.*)", path)
        places += [braces[1] + part + braces[3] for part in braces[2].split(",")] if braces else [path]
    assert len(places) > 5, places
    gone = [path for path in places if not (ROOT / path).exists()]
    assert not gone, gone


def test_the_summary_names_every_page_once():
    named = LINK.findall((DOCS / "SUMMARY.md").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(str(path.relative_to(DOCS)) for path in BOOK)


def test_the_book_is_built_without_a_complaint(tmp_path):
    cache = Path(os.environ.get("SWATH_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swath")
    programs = sorted(cache.glob("tools/mdbook-*/bin/mdbook"))
    if not programs:
        pytest.skip("mdBook is not there: `make docs` builds it once, in minutes")
    done = subprocess.run([programs[-1], "build", DOCS, "--dest-dir", tmp_path / "book"], capture_output=True, text=True, timeout=120)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and not re.search(r"\b(WARN|ERROR)\b", said), said
    for page in BOOK:
        assert (tmp_path / "book" / page.relative_to(DOCS)).with_suffix(".html").exists(), page


@pytest.mark.parametrize("page", BOOK, ids=name)
def test_code_has_a_language_and_rust_is_compiled(page):
    text = page.read_text(encoding="utf-8")
    languages = [language for language, _ in FENCE.findall(text)]
    assert text.count("\n```") == 2 * len(languages), "a fence is not closed"
    assert set(languages) <= LANGUAGES, set(languages) - LANGUAGES
    compiled = re.findall(r'"([\w/-]+\.md)"', (ROOT / "src/book.rs").read_text(encoding="utf-8"))
    has_rust = any(language.startswith("rust") for language in languages)
    assert has_rust == (str(page.relative_to(DOCS)) in compiled), "src/book.rs lists the pages with Rust, and no others"


def test_every_environment_variable_is_described():
    used: dict[str, str] = {}
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".rs", ".sh", ".py") and path.is_file():
                for variable in VARIABLE.findall(path.read_text(encoding="utf-8")):
                    # What only tests set.
                    if not variable.startswith("SWATH_TEST") and variable not in NO_VARIABLES:
                        used.setdefault(variable, name(path))
    described = set(VARIABLE.findall((DOCS / "environment.md").read_text(encoding="utf-8")))
    assert len(used) > 30, len(used)
    missing = {variable: where for variable, where in used.items() if variable not in described}
    assert not missing, f"docs/environment.md does not have {missing}"
    everywhere = set()
    for folder in [*FOLDERS, "tests", "kernel/tests"]:
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".rs", ".sh", ".py") and path.is_file():
                everywhere.update(VARIABLE.findall(path.read_text(encoding="utf-8")))
    assert not described - everywhere, f"nothing reads {described - everywhere}"


def test_what_the_scripts_may_be_told_is_described():
    """Variables with a default, whoever invented them."""
    told: dict[str, str] = {}
    for folder in ["scripts", "benches"]:
        for path in sorted((ROOT / folder).rglob("*.sh")):
            for variable in re.findall(r"\$\{([A-Z][A-Z0-9_]*):-", path.read_text(encoding="utf-8")):
                told.setdefault(variable, name(path))
    described = re.findall(r"`([A-Z][A-Z0-9_]+)`", (DOCS / "environment.md").read_text(encoding="utf-8"))
    assert len(told) > 20, told
    missing = {variable: where for variable, where in told.items() if variable not in {*described, *FOR_SCRIPTS}}
    assert not missing, f"docs/environment.md does not have {missing}"
    rows = re.findall(r"^\| (`.*?`) \|", (DOCS / "environment.md").read_text(encoding="utf-8"), re.M)
    variables = [variable for row in rows for variable in re.findall(r"`(\w+)`", row)]
    twice = {variable for variable in variables if variables.count(variable) > 1}
    assert not twice, f"in two rows of docs/environment.md: {twice}"


def test_the_example_of_the_readme_is_compiled_on_the_library_s_page():
    page = (ROOT / "src/lib.rs").read_text(encoding="utf-8")
    compiled = {line.removeprefix("//!").strip() for line in page.splitlines()}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = [code for language, code in FENCE.findall(readme) if language == "rust"]
    lines = [line.strip() for code in examples for line in code.splitlines() if line.strip()]
    assert len(lines) >= 8
    assert not [line for line in lines if line not in compiled]


def test_readme_is_short():
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 80, "what only developers need belongs into CONTRIBUTING.md, ARCHITECTURE.md or benches/README.md"
