"""One installs, many use: the installation is made by root with a private umask, moved as a whole, and used by somebody who
owns nothing, without cargo, C compiler, linker, network or rust-src, whatever the home folder is like."""

import json
import os
import shutil
import stat
import subprocess
from pathlib import Path

import plain_rust
import pytest

from harness import wait_until
from installed import CAN_BE_OTHERS, UID, WHY_NOT, Home, OthersKernel, as_other, install, open_folder, program_of, swath
from test_kernel_corpus import SESSIONS, judge, plain  # noqa: F401

pytestmark = pytest.mark.skipif(not CAN_BE_OTHERS, reason=WHY_NOT)

# Bytes; docs/installing.md says what takes them.
MOST = 800_000_000


@pytest.fixture(scope="module")
def place():
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def prefix(place) -> Path:
    """Made in one place, used in another."""
    made, moved = place / "made here", place / "used here"
    install(made, "--with-toolchain")
    made.rename(moved)
    return moved


def files(folder: Path) -> dict[str, tuple]:
    """What is in a folder, with what tells whether anybody has written to it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        found[str(path.relative_to(folder))] = (about.st_mode, about.st_size, about.st_mtime_ns, about.st_nlink)
    return found


def test_everybody_can_read_it_and_nothing_in_it_names_a_place(prefix):
    links, size = [], 0
    for path in prefix.rglob("*"):
        about = path.lstat()
        if path.is_symlink():
            links.append((path, os.readlink(path)))
            continue
        assert stat.S_IMODE(about.st_mode) in ((0o755,) if path.is_dir() else (0o644, 0o755)), path
        assert path.is_dir() or about.st_nlink == 1, f"{path} is a hard link"
        size += about.st_size if path.is_file() else 0
    assert [(path.relative_to(prefix), target) for path, target in links] == [
        (Path("bin/swath"), f"../lib/swath/{program_of(prefix).parent.name}/swath")
    ]
    programs = program_of(prefix).parent
    spec = json.loads((prefix / "share/jupyter/kernels/swath/kernel.json").read_text())
    assert spec["argv"][0].startswith("{resource_dir}/../")
    texts = [prefix / "share/jupyter/kernels/swath/kernel.json", programs / "lib-swath/toolchain", programs / "manifest.json"]
    for path in texts:
        text = path.read_text()
        assert "made here" not in text and str(Path.home()) not in text, path
    assert size < MOST, f"{size / 1e6:.0f} MB"


@pytest.mark.parametrize("kind", ["empty", "read-only", "missing"])
def test_cells_run_for_somebody_else_whatever_the_home_is_like(kind, prefix, place):
    home = Home(place, kind.replace("-", ""), *((0o555, 0) if kind == "read-only" else ()))
    if kind == "missing":
        home.path.rmdir()
    before = files(prefix)
    with OthersKernel(prefix, home) as kernel:
        assert kernel.ok("6 * 7").text == "42"
        kernel.ok("#[derive(Debug, Clone)] struct Point { x: f64 }\nlet points = vec![Point { x: 1.5 }];")
        assert kernel.ok("points[0].x + 1.0").text == "2.5"
        # GDAL writes and reads, with its tables.
        kernel.ok(f'let scene = samples::town_in("{home.temporary}/town-{kind}", 7, 64)?.scene()?;', seconds=120)
        assert "EPSG" in kernel.ok("scene").everything()
        assert kernel.run("let wrong: u8 = \"text\";").status == "error"
        missing = kernel.run('%dep rand = "0.9"')
        assert missing.status == "error" and "swath install --with-cargo" in missing.error["evalue"]
        assert kernel.ok("points.len()").text == "1"
    assert files(prefix) == before, "something was written into the installation"
    assert not list(home.temporary.glob("swath-session-*")), "the session's folder stayed"


def test_completion_knows_the_library_and_the_standard_library(prefix, place):
    home = Home(place, "completes")
    wanted = {
        "let text = String::new(); text.le": "len()",
        "let v = vec![1]; v.iter().ma": "map(f)",
        'let scene = Scene::open("")?; scene.with_la': "with_labels(source)",
        "let a: swath::burn::tensor::Tensor<2> = todo!(); a.transp": "transpose()",
    }
    with OthersKernel(prefix, home) as kernel:
        kernel.ok("let n = 1;")
        for code, name in wanted.items():
            found: list[str] = []

            def is_there() -> bool:
                content = {"code": code, "cursor_pos": len(code)}
                found[:] = kernel.request("complete_request", content, seconds=60)["matches"]
                return any(match.split("(")[0] == name.split("(")[0] for match in found)

            wait_until(is_there, 60, f"{name} after {code}: {found[:9]}")
        page = kernel.request("inspect_request", {"code": "Vec::<u8>::with_capacity", "cursor_pos": 16, "detail_level": 0})
        assert page["found"] and "capacity" in page["data"]["text/plain"]


@pytest.fixture(scope="module")
def of_the_corpus(prefix, place):
    home = Home(place, "corpus")
    # Some cells start programs.
    home.add_tools("cat", "echo", "sh")
    with OthersKernel(prefix, home, RUST_BACKTRACE="0") as kernel:
        yield kernel


@pytest.mark.parametrize("name", SESSIONS)
def test_the_whole_corpus_of_cells_compiles_from_what_was_brought_along(name, of_the_corpus, plain):  # noqa: F811
    ran = subprocess.run([plain, name], capture_output=True, text=True, env={**os.environ, "RUST_BACKTRACE": "0"})
    wanted = plain_rust.said(ran.stdout, ran.stderr)
    assert len(wanted) == len(SESSIONS[name])
    of_the_corpus.ok("%reset", seconds=60)
    wrong = []
    for number, (source, want) in enumerate(zip(SESSIONS[name], wanted), 1):
        difference = judge(of_the_corpus.run(source.code, seconds=120), source, want)
        if difference:
            wrong.append(f"cell {number}:\n{source.code}\n{difference}")
    assert not wrong, f"{len(wrong)} of {len(wanted)}\n\n" + "\n\n".join(wrong)


def test_commands_of_the_library_work_for_somebody_else(prefix, place):
    home = Home(place, "commands")
    program = prefix / "bin/swath"
    drawn = as_other(home, program, "sample", "town", "--size", "64", "--out", home.temporary / "town")
    assert drawn.returncode == 0, drawn.stderr
    (scene,) = home.temporary.glob("town/*.tif")
    told = as_other(home, program, "info", "--json", scene, SWATH_CACHE=str(home.temporary / "cache"))
    assert told.returncode == 0 and '"EPSG' in told.stdout, told.stdout + told.stderr


def crates(folder: Path) -> Path:
    """A crate that needs all that cargo does: a build script, a macro, a crate below."""
    parts = {
        "macros/Cargo.toml": '[package]\nname = "macros"\nversion = "1.0.0"\nedition = "2024"\n[lib]\nproc-macro = true\n',
        "macros/src/lib.rs": "use proc_macro::TokenStream;\n#[proc_macro_derive(Answer)]\n"
        'pub fn answer(_: TokenStream) -> TokenStream { "pub const ANSWER: u32 = 41;".parse().unwrap() }\n',
        "crate/Cargo.toml": '[package]\nname = "ours"\nversion = "1.0.0"\nedition = "2024"\nbuild = "build.rs"\n'
        '[dependencies]\nmacros = { path = "../macros" }\n',
        "crate/build.rs": 'fn main() { println!("cargo::rustc-env=BUILT={}", std::env::args().count()); }\n',
        "crate/src/lib.rs": "#[derive(macros::Answer)] pub struct Unit;\n"
        'pub fn answer() -> u32 { ANSWER + env!("BUILT").parse::<u32>().unwrap() }\n',
    }
    for name, text in parts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "crate"


@pytest.fixture(scope="module")
def with_cargo():
    with open_folder() as folder:
        said = install(folder / "with cargo", "--with-cargo").stdout
        assert "with cargo" in said
        yield folder / "with cargo"


@pytest.mark.parametrize("kind", ["empty", "read-only"])
def test_crates_are_added_with_the_cargo_that_was_brought_along_and_no_c_compiler(kind, with_cargo, place):
    home = Home(place, f"adds-{kind}", *((0o555, 0) if kind == "read-only" else ()))
    home.add_tools("sh")
    crate = crates(home.temporary / "crates")
    with OthersKernel(with_cargo, home, CARGO_NET_OFFLINE="true") as kernel:
        kernel.ok(f'%dep ours = {{ path = "{crate}" }}', seconds=180)
        assert kernel.ok("ours::answer()", seconds=60).text == "42"
        assert kernel.ok("!cargo --version").stdout.startswith("cargo ")


def test_a_private_prefix_gets_no_toolchain_and_an_open_one_does():
    with open_folder() as folder:
        folder.chmod(0o700)
        install(folder / "mine")
        assert not list(folder.glob("mine/lib/swath/*/toolchain"))
        assert Path(json.loads((folder / "mine/share/jupyter/kernels/swath/kernel.json").read_text())["argv"][0]).is_absolute()
        folder.chmod(0o755)
        install(folder / "ours")
        assert len(list(folder.glob("ours/lib/swath/*/toolchain/bin/rustc"))) == 1
        install(folder / "ours", "--without-toolchain")
        assert not list(folder.glob("ours/lib/swath/*/toolchain"))


def test_uninstalling_removes_what_was_installed_and_only_that(place):
    prefix = place / "for a while"
    (prefix / "share/jupyter/kernels/python3").mkdir(parents=True)
    (prefix / "share/jupyter/kernels/python3/kernel.json").write_text("{}")
    (prefix / "bin").mkdir()
    before = files(prefix)
    install(prefix, "--with-toolchain")
    mine = program_of(prefix).parent / "lib-swath/deps/mine.txt"
    mine.write_text("notes")
    gone = swath("uninstall", "--prefix", prefix, program=prefix / "bin/swath")
    assert gone.returncode == 0 and f"left {mine}, which was not installed" in gone.stdout, gone.stdout + gone.stderr
    shutil.rmtree(prefix / "lib")
    assert set(files(prefix)) == set(before)


def test_one_of_many_gets_a_kernelspec_of_a_few_kilobytes(prefix, place):
    home = Home(place, "learner")
    made = as_other(home, prefix / "bin/swath", "install", "--user", "--spec-only")
    assert made.returncode == 0, made.stderr
    written = [path for path in home.path.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in written) < 100_000
    (spec,) = home.path.rglob("kernel.json")
    assert Path(json.loads(spec.read_text())["argv"][0]) == program_of(prefix).resolve()
    assert all(path.stat().st_uid == UID for path in written)


def test_a_compiler_that_this_user_cannot_read_is_told_in_the_first_cell(place):
    prefix, hidden = place / "without", place / "hidden"
    install(prefix, "--without-toolchain")
    (hidden / "toolchain/bin").mkdir(parents=True)
    (hidden / "toolchain/bin/rustc").write_text("")
    hidden.chmod(0o700)
    (program_of(prefix).parent / "lib-swath/toolchain").write_text(f"{hidden}/toolchain\n")
    for path in [prefix, *prefix.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755)
    with OthersKernel(prefix, Home(place, "outside")) as kernel:
        said = kernel.run("1 + 1").everything()
    assert f"{hidden}/toolchain/bin/rustc cannot be read by this user" in said and "--with-toolchain" in said, said


def test_a_kernel_of_an_installation_that_is_replaced_meanwhile_says_so(place):
    prefix = place / "replaced"
    install(prefix, "--with-toolchain")
    with OthersKernel(prefix, Home(place, "surprised")) as kernel:
        kernel.ok("let n = 1;")
        install(prefix, "--with-toolchain")
        cell = kernel.run("n + 1", seconds=120)
        assert cell.status == "ok" or "restart the kernel" in cell.everything(), cell.everything()
