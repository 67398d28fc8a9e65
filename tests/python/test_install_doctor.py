"""`swath doctor`: every finding about an installation, produced, with what mends it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command import SWATH
from installed import CAN_BE_OTHERS, WHY_NOT, Home, as_other, install, open_folder, program_of, swath

JUPYTER = Path(sys.executable).parent


def findings(*words, program=SWATH, before=(), **environment) -> dict[str, list[dict]]:
    """What doctor finds, by check; `before` are the words before the command."""
    done = subprocess.run([*before, str(program), "doctor", "--json", *words], capture_output=True, text=True,
                          env=os.environ | environment)
    report = json.loads(done.stdout)
    assert done.returncode == (0 if report["well"] else 1), done.stderr
    assert report["well"] == all(check["status"] != "bad" for check in report["checks"])
    found: dict[str, list[dict]] = {}
    for check in report["checks"]:
        assert check["status"] == "ok" or check["advice"], check
        found.setdefault(check["check"], []).append(check)
    return found


def bad(found: dict, name: str, words: str, advice: str) -> None:
    assert any(it["status"] == "bad" and words in it["found"] and advice in it["advice"] for it in found[name]), found[name]


def note(found: dict, name: str, words: str, advice: str) -> None:
    assert any(it["status"] == "note" and words in it["found"] and advice in it["advice"] for it in found[name]), found[name]


@pytest.fixture(scope="module")
def place():
    with open_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def prefix(place) -> Path:
    install(place / "prefix", "--with-toolchain")
    return place / "prefix"


def on_jupyters_path(prefix: Path) -> dict[str, str]:
    return {"JUPYTER_PATH": str(prefix / "share/jupyter"), "PATH": f"{JUPYTER}:{os.environ['PATH']}"}


def test_a_whole_installation_is_well_and_says_where_everything_is(prefix):
    found = findings(program=prefix / "bin/swath", **on_jupyters_path(prefix))
    programs = program_of(prefix).parent
    assert found["library"][0]["found"] == str(programs / "lib-swath")
    assert str(programs / "toolchain") in found["toolchain"][0]["found"]
    assert found["rust-src"][0]["status"] == found["GDAL"][0]["status"] == found["C library"][0]["status"] == "ok"
    assert any(str(program_of(prefix)) in it["found"] and it["status"] == "ok" for it in found["kernelspec"])


def test_a_jupyter_that_does_not_look_there_is_told_how_to(prefix, place):
    elsewhere = {"JUPYTER_PATH": "", "JUPYTER_DATA_DIR": str(place / "nothing"), "HOME": str(place / "nobody")}
    jupyter = place / "jupyter-bin"
    jupyter.mkdir()
    # One that sees no kernel of ours at all, as on a machine where only this prefix has one.
    (jupyter / "jupyter").write_text(f"#!/bin/sh\necho '{json.dumps({'data': [str(place / 'nothing')]})}'\n")
    (jupyter / "jupyter").chmod(0o755)
    found = findings(program=prefix / "bin/swath", PATH=f"{jupyter}:{os.environ['PATH']}", **elsewhere)
    bad(found, "kernelspec", "does not look in", f"JUPYTER_PATH={prefix}/share/jupyter")


def test_two_kernels_of_one_name_are_told(prefix, place):
    second = place / "second/kernels/swath"
    second.mkdir(parents=True)
    shutil.copy(prefix / "share/jupyter/kernels/swath/kernel.json", second)
    path = f"{prefix / 'share/jupyter'}:{place / 'second'}"
    found = findings(program=prefix / "bin/swath", **on_jupyters_path(prefix) | {"JUPYTER_PATH": path})
    note(found, "kernelspec", f"two kernels are called swath: Jupyter takes {prefix}/share", "--name")


def test_a_kernelspec_that_was_copied_away_from_its_programs_is_told(prefix, place):
    copied = place / "copied/kernels/swath"
    copied.mkdir(parents=True)
    shutil.copy(prefix / "share/jupyter/kernels/swath/kernel.json", copied)
    environment = on_jupyters_path(prefix) | {"JUPYTER_PATH": str(place / "copied")}
    found = findings(program=prefix / "bin/swath", **environment)
    bad(found, "kernelspec", "which is not there", "swath install")


def test_damaged_files_are_told(prefix, place):
    copy = place / "damaged"
    shutil.copytree(prefix, copy, symlinks=True)
    programs = program_of(copy).parent
    file = next((programs / "lib-swath/deps").glob("*.rmeta"))
    file.write_bytes(file.read_bytes()[:-100])
    found = findings(program=copy / "bin/swath")
    bad(found, "library", f"1 of the installed files are missing or not whole in {programs}, such as lib-swath/deps/", "swath install")
    (programs / "lib-swath/libswath.rmeta").unlink()
    bad(findings(program=copy / "bin/swath"), "library", "libswath.rmeta missing", "swath install")
    shutil.rmtree(programs / "toolchain")
    found = findings(program=copy / "bin/swath", PATH="/usr/bin:/bin", RUSTC="/nowhere/rustc")
    bad(found, "toolchain", "is gone", "rustup")
    shutil.rmtree(copy)


def test_a_toolchain_of_another_version_is_told(prefix, place):
    library = place / "other-version"
    library.mkdir()
    for name in ("libswath.so", "libswath.rmeta", "deps", "swath-api"):
        (library / name).symlink_to(program_of(prefix).parent / "lib-swath" / name)
    rustc = place / "old/bin/rustc"
    rustc.parent.mkdir(parents=True)
    rustc.write_text("#!/bin/sh\necho rustc 1.70.0\n")
    rustc.chmod(0o755)
    (library / "toolchain").write_text(str(place / "old"))
    found = findings(program=prefix / "bin/swath", SWATH_LIB_DIR=str(library))
    bad(found, "toolchain", "rustc 1.70.0, but the library was built with", "make build")


def test_a_c_library_that_is_too_old_is_told(prefix, place):
    library = place / "future"
    library.mkdir()
    built = program_of(prefix).parent / "lib-swath"
    wanted = b"GLIBC_2.2.5\0"
    (library / "libswath.so").write_bytes((built / "libswath.so").read_bytes().replace(wanted, b"GLIBC_9.9.9\0"))
    found = findings(program=prefix / "bin/swath", SWATH_LIB_DIR=str(library))
    bad(found, "C library", "needs 9.9", "as old")


def test_tables_of_another_gdal_are_told(prefix, place):
    found = findings(program=prefix / "bin/swath", PROJ_DATA=str(place), PROJ_LIB=str(place))
    bad(found, "GDAL", "does not work", "unset GDAL_DATA PROJ_DATA PROJ_LIB")


@pytest.mark.parametrize(("options", "words"), [("size=64m,noexec", "mounted noexec"), ("size=8m", "less than 64 MB left")])
def test_a_temporary_folder_without_room_or_programs_is_told(options, words, prefix, place):
    folder = place / "temporary"
    folder.mkdir(exist_ok=True)
    mount = f'mount -t tmpfs -o {options} none {folder} && exec "$@"'
    before = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*before, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    bad(findings(program=prefix / "bin/swath", before=before, TMPDIR=str(folder)), "temporary files", words, "TMPDIR")


def test_a_full_disk_or_quota_is_told_where_data_is_kept(prefix, place):
    folder = place / "cache"
    folder.mkdir()
    mount = f'mount -t tmpfs -o size=64k none {folder} && exec "$@"'
    before = ["unshare", "--mount", "sh", "-c", mount, "sh"]
    if subprocess.run([*before, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    found = findings(program=prefix / "bin/swath", before=before, SWATH_CACHE=str(folder / "swath"))
    bad(found, "room", "is full", "SWATH_CACHE")


def test_a_machine_without_a_c_compiler_is_a_note_when_a_linker_came_along(prefix, place):
    empty = place / "no-tools"
    empty.mkdir()
    found = findings(program=prefix / "bin/swath", PATH=str(empty))
    note(found, "linker", "rust-lld, and no C compiler", "gcc")
    note(found, "Jupyter", "not on the search path", "pip install jupyterlab")


@pytest.mark.skipif(not CAN_BE_OTHERS, reason=WHY_NOT)
def test_an_installation_is_looked_at_through_the_eyes_of_others(prefix, place):
    found = findings("--as-other-user", program=prefix / "bin/swath")
    assert found["library"][0]["status"] == found["toolchain"][0]["status"] == "ok"
    # Nobody has no home.
    assert found["room"][0]["status"] != "bad"
    private = place / "private"
    install(private, "--with-toolchain")
    (program_of(private).parent / "toolchain/lib").chmod(0o700)
    found = findings("--as-other-user", program=private / "bin/swath")
    bad(found, "files", f"others cannot read {program_of(private).parent}/toolchain/lib", "--with-toolchain")
    # As one of them, too.
    home = Home(place, "looks")
    looked = as_other(home, private / "bin/swath", "doctor", "--json")
    toolchain = next(it for it in json.loads(looked.stdout)["checks"] if it["check"] == "toolchain")
    assert toolchain["status"] == "bad", toolchain
    shutil.rmtree(private)


@pytest.mark.skipif(not CAN_BE_OTHERS, reason=WHY_NOT)
def test_a_compiler_in_somebodys_private_home_is_told(place):
    prefix = place / "without"
    install(prefix, "--without-toolchain")
    toolchain = program_of(prefix).parent / "lib-swath/toolchain"
    hidden = place / "hidden/toolchain"
    (hidden / "bin").mkdir(parents=True)
    (hidden / "bin/rustc").write_text("")
    (place / "hidden").chmod(0o700)
    toolchain.write_text(str(hidden))
    for path in [*prefix.rglob("*"), prefix]:
        if not path.is_symlink():
            path.chmod(0o755)
    looked = as_other(Home(place, "outside"), prefix / "bin/swath", "doctor", "--json", RUSTC="/nowhere/rustc")
    found = {check["check"]: [check] for check in json.loads(looked.stdout)["checks"]}
    bad(found, "toolchain", "cannot be read by this user", "rustup")
    assert "swath install --with-toolchain" in found["toolchain"][0]["found"]
    said = swath("doctor", "--as-other-user", program=prefix / "bin/swath")
    assert said.returncode == 1 and f"others cannot read {place / 'hidden'}" in said.stdout


def test_a_command_that_others_can_replace_is_told(prefix):
    folder = prefix / "bin"
    mode = folder.stat().st_mode & 0o7777
    folder.chmod(0o777)
    try:
        bad(findings(program=folder / "swath", **on_jupyters_path(prefix)), "permissions", "the command", f"chmod o-w {folder}")
    finally:
        folder.chmod(mode)
    assert findings(program=folder / "swath", **on_jupyters_path(prefix))["permissions"][0]["status"] == "ok"


def test_a_folder_for_temporary_files_that_others_can_change_is_told(prefix, tmp_path):
    tmp_path.chmod(0o777)
    bad(findings(program=prefix / "bin/swath", TMPDIR=str(tmp_path)), "temporary files", str(tmp_path), "TMPDIR")
