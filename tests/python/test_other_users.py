"""A machine that many share: what one user has is closed to another, whatever the mask and wherever TMPDIR is, and nothing that
another user could have written is run or believed. Each attack is tried as that other user."""

import json
import os
import pickle
import shutil
import socket
import subprocess
import threading
import time
import zipfile
from pathlib import Path

import numpy
import pytest
import rasterio

from harness import descendants, wait_until
from other_users import ATTACKER, GROUP, VICTIM, Installed, as_user, attempt, listen_to, open_entries

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user needs root's rights")


@pytest.fixture(scope="module")
def installed():
    place = Installed()
    yield place
    place.remove()


@pytest.fixture
def shared(installed):
    """A folder for temporary files as /tmp is: everybody writes, with the sticky bit."""
    folder = installed.root / f"tmp-{time.monotonic_ns()}"
    folder.mkdir()
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def sessions(folder: Path) -> list[Path]:
    return sorted(folder.glob("swath-session-*"))


def scene(path: Path, value: int = 7) -> Path:
    with rasterio.open(path, "w", driver="GTiff", width=64, height=64, count=1, dtype="uint8", crs="EPSG:32645",
                       transform=rasterio.transform.from_origin(500000, 3000000, 1, 1)) as raster:
        raster.write(numpy.full((1, 64, 64), value, "uint8"))
    path.chmod(0o644)
    return path


def owned(path: Path, user: int, text: str = "", mode: int = 0o644) -> Path:
    """A file of a user, with those of its folders that are missing."""
    missing = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    for made in [path, *missing]:
        os.chown(made, user, user)
    return path


def processes(pid: int) -> list[int]:
    return [pid, *descendants(pid)]


def completes(kernel) -> None:
    """Waits until rust-analyzer has read the standard library and answers."""
    def answers() -> bool:
        reply = kernel.request("complete_request", {"code": "n.is_", "cursor_pos": 5}, seconds=120)
        return any("is_positive" in match for match in reply["matches"])

    wait_until(answers, 120, "completion")


# ---------------------------------------------------------------- what is private


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_all_that_a_kernel_makes_is_private_whatever_the_mask_and_cells_keep_the_user_s(installed, shared, umask):
    home = installed.home(VICTIM)
    shutil.rmtree(home)
    installed.home(VICTIM)
    with installed.kernel(umask=umask, mode=0o644, TMPDIR=str(shared)) as kernel:
        kernel.ok("let town = swath::samples::town(1, 128)?.scene()?; let n = 1;")
        kernel.ok("std::fs::write(\"of-a-cell\", \"x\")?; std::fs::create_dir(\"folder-of-a-cell\")?;")
        kernel.ok("!touch of-a-command")
        kernel.ok("%%writefile of-a-magic\ntext")
        kernel.ok("fn f() -> u8 { 1 }\nf()")
        kernel.request("complete_request", {"code": "town.", "cursor_pos": 5}, seconds=60)
        (session,) = sessions(shared)
        assert open_entries(session) == []
        # Sockets, fifos and whatever else a kernel puts there.
        assert [entry for folder in shared.iterdir() for entry in open_entries(folder)] == []
        mode = kernel.file.stat().st_mode & 0o777
        assert mode == 0o600 and "now it is private" in kernel.log(), (oct(mode), kernel.log())
        # What the user's own code makes is as the user wants it.
        of_user = {"of-a-cell": 0o666, "of-a-command": 0o666, "of-a-magic": 0o666, "folder-of-a-cell": 0o777}
        for name, most in of_user.items():
            assert (home / name).stat().st_mode & 0o777 == most & ~umask, name
        history = home / ".local/share/swath/history.sqlite"
        wait_until(history.exists, 20, "the history is there")
        for private in (history, history.parent, home / ".cache/swath"):
            assert private.stat().st_mode & 0o077 == 0, private
        # The cache's folder closes all that is within.
        stored = list((home / ".cache/swath").rglob("*.tif"))
        assert stored and as_user(ATTACKER, attempt, str(stored[0]), "r").startswith("error: PermissionError")
    assert sessions(shared) == []


def test_a_socket_of_a_kernel_is_private_and_asks_who_connects(installed, shared):
    with installed.kernel(umask=0o000, ipc=True, TMPDIR=str(shared)) as kernel:
        kernel.ok("1")
        sockets = [path for path in kernel.place.iterdir() if path.is_socket()]
        assert len(sockets) == 5
        for path in sockets:
            assert path.stat().st_mode & 0o077 == 0, path
        # Even where its folder lets everybody in.
        kernel.place.chmod(0o777)
        for path in sockets:
            path.chmod(0o777)

        def connect(path: str) -> str:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(5)
                stream.connect(path)
                return stream.recv(64).hex() or "closed"

        for path in sockets:
            heard = as_user(ATTACKER, connect, str(path))
            assert heard == "closed" or "ConnectionResetError" in heard, (path, heard)
        assert as_user(VICTIM, connect, str(sockets[0])).startswith("ff")


# ---------------------------------------------------------------- listening, looking, reaching in


def test_another_user_hears_nothing_and_reaches_nothing_of_a_running_kernel(installed, shared):
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        kernel.ok("let secret = 42;")
        ports = {name: getattr(kernel.client, f"{name}_port") for name in ("shell", "iopub", "stdin", "control", "hb")}
        for name, port in ports.items():
            assert as_user(ATTACKER, listen_to, port, name, 3) == "closed", name
            assert as_user(ATTACKER, listen_to, port, name, 3, "127.0.0.2") == "closed", name
        assert f"the user {ATTACKER} is not the kernel's" in kernel.log()
        # The kernel's own user is heard and hears, as before.
        heard = []
        own = threading.Thread(target=lambda: heard.append(as_user(VICTIM, listen_to, ports["iopub"], "iopub", 20)))
        own.start()
        time.sleep(1)
        kernel.ok('println!("the secret is out");')
        own.join(30)
        assert "the secret is out" in heard[0], heard

        (session,) = sessions(shared)
        child = processes(kernel.process.pid)
        targets = [(str(session), "list"), (str(session / "bin"), "list"), (str(session / "planted"), "w"),
                   (str(session / "lock"), "r"), (str(kernel.file), "r"), (str(session / "cell/src/lib.rs"), "w")]
        for pid in child:
            targets += [(f"/proc/{pid}/environ", "r"), (f"/proc/{pid}/fd", "list"), (f"/proc/{pid}/mem", "r")]
        assert len(child) >= 2
        for path, how in targets:
            got = as_user(ATTACKER, attempt, path, how)
            assert "PermissionError" in got or "FileNotFoundError" in got, (path, how, got)
        # The side channel has no name that anybody could connect to; the name of the sockets behind the ports is gone.
        lines = [line.split(maxsplit=7) for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
        named = [line[7] for line in lines if len(line) > 7 and (str(shared) in line[7] or line[7].startswith("@swath"))]
        assert not [name for name in named if name.startswith("@") or Path(name).exists()], named
        kernel.ok("assert_eq!(secret, 42);")


# ---------------------------------------------------------------- names taken first


def test_a_session_s_folder_that_another_user_has_put_in_its_place_is_not_used(installed, shared):
    marker = shared / "evil-was-run"
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        kernel.ok("let kept = 5;")
        (session,) = sessions(shared)
        aside = shared / "aside"
        session.rename(aside)

        def plant() -> None:
            for name in ("bin", "cell/src", "help"):
                os.makedirs(session / name)
            for tool in ("cargo", "rustc", "swath-cell", "mold"):
                (session / "bin" / tool).write_text(f"#!/bin/sh\ntouch {marker}\n")
                (session / "bin" / tool).chmod(0o755)
            os.system(f"chmod -R 777 {session}")

        assert as_user(ATTACKER, plant) is None
        cell = kernel.run("kept + 1")
        assert cell.status == "error" and f"another user ({ATTACKER})" in cell.error["evalue"], cell.everything()
        shutil.rmtree(session)
        elsewhere = shared / "elsewhere"

        def link() -> None:
            os.mkdir(elsewhere, 0o777)
            os.symlink(elsewhere, session)

        assert as_user(ATTACKER, link) is None
        cell = kernel.run("kept + 1")
        assert cell.status == "error" and "a link" in cell.error["evalue"], cell.everything()
        assert list(elsewhere.iterdir()) == []
        session.unlink()
        assert kernel.run("kept + 1").text == "6"
        assert not marker.exists()
        # What others have put beside it with such a name is left alone: a link that leads to a device or to own files.
        home = installed.home(VICTIM)
        precious = home / "precious"
        owned(precious / "lock", VICTIM, Path("/proc/sys/kernel/random/boot_id").read_text(), 0o600)
        assert as_user(ATTACKER, os.symlink, str(precious), str(shared / "swath-session-1-x")) is None
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        kernel.ok("1")
        assert (precious / "lock").exists()


@pytest.mark.parametrize("mode, sticky", [(0o777, False), (0o755, False), (0o1777, True)])
def test_a_folder_for_temporary_files_that_is_another_s_or_open_is_refused_in_one_sentence(installed, mode, sticky):
    other = installed.root / f"other-tmp-{mode:o}"
    other.mkdir()
    os.chown(other, ATTACKER, ATTACKER)
    other.chmod(mode)
    with installed.kernel(TMPDIR=str(other)) as kernel:
        cell = kernel.ok("std::env::temp_dir()")
        assert f"the temporary folder {other} belongs to another user ({ATTACKER})" in cell.stderr, cell.everything()
        assert str(other) not in cell.text, "neither the compiler nor the cells put anything there"
        assert list(other.iterdir()) == []
    shutil.rmtree(other)


def test_an_open_folder_for_temporary_files_without_the_sticky_bit_is_refused(installed, shared):
    shared.chmod(0o777)
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        cell = kernel.ok("1")
        assert "no sticky bit" in cell.stderr and str(shared) in cell.stderr, cell.everything()
    assert list(shared.iterdir()) == []


# ---------------------------------------------------------------- code


def test_settings_and_workspaces_above_the_session_s_folder_are_not_cargo_s(installed, shared):
    marker = shared / "evil-was-run"

    def plant() -> None:
        os.makedirs(shared / ".cargo")
        evil = shared / "evil"
        evil.write_text(f"#!/bin/sh\ntouch {marker}\nexec \"$@\"\n")
        evil.chmod(0o755)
        (shared / ".cargo/config.toml").write_text(f'[build]\nrustc-wrapper = "{evil}"\n[target.x86_64-unknown-linux-gnu]\nlinker = "{evil}"\n')
        (shared / "Cargo.toml").write_text("[workspace]\nmembers = []\n")
        (shared / "rustfmt.toml").write_text("no such = setting\n")

    assert as_user(ATTACKER, plant) is None
    crate = installed.home(VICTIM) / "mine"
    owned(crate / "Cargo.toml", VICTIM, '[package]\nname = "mine"\nversion = "0.1.0"\nedition = "2024"\n')
    owned(crate / "src/lib.rs", VICTIM, "pub fn five() -> i32 { 5 }")
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        kernel.ok("let n = 1;")
        # rust-analyzer has cargo describe the cells' crate.
        completes(kernel)
        assert kernel.run(f':dep mine = {{ path = "{crate}" }}\nmine::five()', seconds=120).text == "5"
    assert not marker.exists()


def test_startup_files_of_another_user_are_not_run_and_one_s_own_are(installed, shared):
    def plant() -> None:
        work = shared / "course"
        os.mkdir(work)
        work.chmod(0o777)
        (work / "evcxr.toml").write_text(f"[evcxr]\nprelude = 'std::fs::write(\"{shared}/evil-was-run\", \"\").ok();'\n")

    assert as_user(ATTACKER, plant) is None
    home = installed.home(VICTIM)
    own = owned(home / ".config/evcxr/prelude.rs", VICTIM, "let from_prelude = 11;")
    with installed.kernel(TMPDIR=str(shared), cwd=shared / "course") as kernel:
        cell = kernel.run("1")
        assert f"belongs to user {ATTACKER}" in cell.stderr and "evcxr.toml" in cell.stderr, cell.everything()
        assert kernel.run("from_prelude").text == "11"
    assert not (shared / "evil-was-run").exists()
    own.chmod(0o666)
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        cell = kernel.run("1")
        assert "prelude.rs is not run: every user of this machine can write to the file" in cell.stderr, cell.everything()
        assert "chmod o-w" in cell.stderr
    own.unlink()


def test_a_library_or_toolchain_that_everybody_can_write_to_is_refused_and_told(installed, shared):
    picture = scene(shared / "a.tif")
    doctor = installed.run(VICTIM, "doctor", TMPDIR=str(shared))
    assert "ok    permissions: " in doctor.stdout, doctor.stdout
    assert installed.run(VICTIM, "info", picture).returncode == 0
    targets = {
        installed.library / "deps": "library",
        installed.library: "library",
        installed.programs: "program",
        installed.toolchain / "bin": "toolchain",
        installed.toolchain / "lib": "toolchain",
        next((installed.library / "deps").glob("*.rmeta")): "library",
        next((installed.toolchain / "lib").glob("librustc_driver*.so")): "toolchain",
    }
    for path, what in targets.items():
        # A file is linked to the builder's: a copy is opened.
        if path.is_file():
            copy = path.read_bytes()
            path.unlink()
            path.write_bytes(copy)
        before = path.stat().st_mode & 0o7777
        path.chmod(before | 0o002)
        try:
            doctor = installed.run(VICTIM, "doctor", TMPDIR=str(shared))
            told = next(line for line in doctor.stdout.splitlines() if "permissions:" in line)
            assert told.startswith("BAD") and f"{path} (mode" in told and what in told, (path, doctor.stdout)
            assert f"chmod o-w {path}" in doctor.stdout and doctor.returncode != 0, doctor.stdout
            used = installed.run(VICTIM, "info", picture)
            if what == "toolchain":
                assert used.returncode == 0, used.stderr
            else:
                assert used.returncode != 0 and f"{path} (mode" in used.stderr, (path, used)
        finally:
            path.chmod(before)
    (installed.toolchain / "lib").chmod(0o777)
    try:
        with installed.kernel(TMPDIR=str(shared)) as kernel:
            cell = kernel.run("1 + 1")
            text = cell.error["evalue"]
            assert cell.status == "error" and f"chmod o-w {installed.toolchain}/lib" in text, text
            assert str(installed.toolchain / "lib") in kernel.log()
            # The helper, which asks cargo and rustc, is not started either.
            assert processes(kernel.process.pid) == [kernel.process.pid]
        with installed.kernel(TMPDIR=str(shared), SWATH_OPEN_FOLDERS="1") as kernel:
            assert kernel.run("1 + 1").text == "2"
    finally:
        (installed.toolchain / "lib").chmod(0o755)


def test_a_kernelspec_that_everybody_can_write_to_is_told(installed, shared):
    spec = installed.root / "share/jupyter/kernels/swath"
    spec.mkdir(parents=True)
    (spec / "kernel.json").write_text(json.dumps({"argv": [str(installed.swath), "kernel"], "language": "rust"}))
    spec.chmod(0o777)
    try:
        doctor = installed.run(VICTIM, "doctor", TMPDIR=str(shared))
        told = next(line for line in doctor.stdout.splitlines() if "permissions:" in line)
        assert told.startswith("BAD") and f"{spec} (mode 0777)" in told, doctor.stdout
    finally:
        shutil.rmtree(installed.root / "share")


# ---------------------------------------------------------------- data


def statistics(done: subprocess.CompletedProcess) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def entries(cache: Path) -> list[Path]:
    return sorted(entry for entry in (cache / "statistics").glob("*.json") if not entry.name.startswith("."))


def test_statistics_that_anybody_could_have_planted_are_not_believed(installed, shared):
    picture = scene(shared / "a.tif")
    ask = ("info", "--json", "--statistics", picture)
    cache = installed.root / "cache-of-one"
    cache.mkdir()
    os.chown(cache, VICTIM, VICTIM)
    cache.chmod(0o700)
    truth = installed.run(VICTIM, *ask, SWATH_CACHE=str(cache))
    statistics(truth)
    (entry,) = entries(cache)
    planted = entry.read_text().replace("7.0", "99.0")
    assert planted != entry.read_text()
    # Proof that the place of an entry is right: in one's own cache it is believed.
    entry.write_text(planted)
    assert installed.run(VICTIM, *ask, SWATH_CACHE=str(cache)).stdout != truth.stdout
    for mode in (0o777, 0o1777):
        everybody = installed.root / f"cache-{mode:o}"
        everybody.mkdir()
        everybody.chmod(mode)

        def plant() -> None:
            os.makedirs(everybody / "statistics")
            (everybody / "statistics" / entry.name).write_text(planted)
            os.system(f"chmod -R 777 {everybody}/statistics")

        assert as_user(ATTACKER, plant) is None
        assert installed.run(VICTIM, *ask, SWATH_CACHE=str(everybody)).stdout == truth.stdout
        fetched = installed.run(VICTIM, "data", "fetch", "neon", SWATH_CACHE=str(everybody))
        assert fetched.returncode != 0 and "every user of this machine can write" in fetched.stderr, fetched
        assert str(everybody) in fetched.stderr and "SWATH_CACHE" in fetched.stderr
        doctor = installed.run(VICTIM, "doctor", SWATH_CACHE=str(everybody)).stdout
        assert f"BAD   cache: every user of this machine can write to the folder {everybody}" in doctor, doctor


def test_who_has_no_home_uses_no_folder_that_another_user_has_made_first(installed, shared):
    picture = scene(shared / "a.tif")
    ask = ("info", "--json", "--statistics", picture)
    cache = installed.root / "cache-for-the-name"
    cache.mkdir()
    os.chown(cache, VICTIM, VICTIM)
    truth = installed.run(VICTIM, *ask, SWATH_CACHE=str(cache))
    (entry,) = entries(cache)
    planted = entry.read_text().replace("7.0", "99.0")

    def plant() -> None:
        for name in ("swath", f"swath-{VICTIM}"):
            os.makedirs(shared / name / "statistics")
            (shared / name / "statistics" / entry.name).write_text(planted)
            os.system(f"chmod -R 755 {shared}/{name}")

    assert as_user(ATTACKER, plant) is None
    done = subprocess.run([str(installed.swath), *map(str, ask)], env={"PATH": "/usr/bin:/bin", "TMPDIR": str(shared)},
                          user=VICTIM, group=VICTIM, extra_groups=[], cwd="/", capture_output=True, text=True, check=False)
    assert done.stdout == truth.stdout, done


def test_two_users_write_one_group_s_cache_at_once_and_every_entry_is_whole(installed, shared):
    pictures = [scene(shared / f"{number}.tif", number + 1) for number in range(3)]
    cache = installed.root / "cache-of-a-group"
    cache.mkdir()
    os.chown(cache, 0, GROUP)
    cache.chmod(0o2770)
    (cache / "statistics").mkdir()
    os.chown(cache / "statistics", VICTIM, GROUP)
    (cache / "statistics").chmod(0o2770)
    # What a process that was killed has left.
    owned(cache / "statistics/.left.new-1-0.json", VICTIM, '{"cut', 0o600)
    waiting = [installed.start((VICTIM, ATTACKER)[number % 2], "info", "--json", "--statistics", *pictures,
                               group=GROUP, umask=0o077, SWATH_CACHE=str(cache)) for number in range(8)]
    ended = []
    thread = threading.Thread(target=lambda: ended.extend(wait() for wait in waiting))
    thread.start()
    looks = 0
    while thread.is_alive():
        for entry in entries(cache):
            json.loads(entry.read_text())
            looks += 1
        time.sleep(0.005)
    thread.join()
    assert {done.stdout for done in ended} == {ended[0].stdout} and not any(done.returncode for done in ended), ended
    written = entries(cache)
    assert len(written) == 3 and looks > 0
    for entry in written:
        assert (entry.stat().st_mode & 0o777, entry.stat().st_gid) == (0o660, GROUP), entry


# ---------------------------------------------------------------- files that others have made


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


def test_files_of_others_are_read_and_never_run(installed, shared):
    marker = shared / "evil-was-run"
    weights = shared / "weights.pth"
    with zipfile.ZipFile(weights, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"conv.weight": Evil(marker)}, protocol=2))
        archive.writestr("archive/version", "3\n")
    legacy = shared / "legacy.pth"
    legacy.write_bytes(pickle.dumps(Evil(marker), protocol=2))
    picture = scene(shared / "a.tif")
    virtual = shared / "virtual.vrt"
    virtual.write_text(f"""<VRTDataset rasterXSize="64" rasterYSize="64"><VRTRasterBand dataType="Byte" band="1"
        subClass="VRTDerivedRasterBand"><PixelFunctionType>evil</PixelFunctionType>
        <PixelFunctionLanguage>Python</PixelFunctionLanguage><PixelFunctionCode><![CDATA[
import os
os.system("touch {marker}")
def evil(in_ar, out_ar, *args, **kwargs):
    os.system("touch {marker}")
]]></PixelFunctionCode><SimpleSource><SourceFilename>{picture}</SourceFilename><SourceBand>1</SourceBand>
        </SimpleSource></VRTRasterBand></VRTDataset>""")
    bundle = shared / "model.swath"
    bundle.write_bytes((2**63).to_bytes(8, "little") + b"{}")
    for file in (weights, legacy, virtual, bundle):
        file.chmod(0o644)
    with installed.kernel(TMPDIR=str(shared)) as kernel:
        for name, code in {
            "weights": f'swath::models::weights::load_pth("{weights}")?.len()',
            "legacy": f'swath::models::weights::load_pth("{legacy}")?.len()',
            "bundle": f'Segmenter::load("{bundle}")?.classes().len()',
            "virtual": f'Raster::open("{virtual}")?.read(&PixelWindow::new(0, 0, 8, 8))?.data.len()',
        }.items():
            cell = kernel.run(code)
            assert cell.status in ("ok", "error") and "panic" not in cell.everything(), (name, cell.everything())
            assert not marker.exists(), name
            if name in ("bundle", "virtual"):
                assert cell.status == "error", (name, cell.everything())
        kernel.ok("1")


# ---------------------------------------------------------------- the network


def test_a_kernel_that_starts_connects_to_nothing_but_this_machine(installed, shared):
    """Seen from the system: every address that kernel, compiler and helper name, from the start to the first completion."""
    home = installed.home(VICTIM)
    shutil.rmtree(home)
    installed.home(VICTIM)
    log = shared / "calls"
    with installed.kernel(TMPDIR=str(shared), wrapper=["/usr/bin/strace", "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg",
                                                       "-e", "signal=none", "-o", str(log)]) as kernel:
        kernel.ok("let n = 1;", seconds=180)
        completes(kernel)
    calls = log.read_text().splitlines()
    assert any("AF_NETLINK" in line or "connect(" in line or "sendto(" in line for line in calls), "strace has seen nothing"
    away = [line for line in calls if ("AF_INET" in line and "127.0.0.1" not in line and "::1" not in line)]
    assert away == [], away
    # No cargo has fetched anything, either: it makes a folder, and marks it as a cache.
    fetched = [path for path in (home / ".cargo/registry").rglob("*") if path.name != "CACHEDIR.TAG"]
    assert fetched == [], fetched


def test_a_kernel_works_without_any_network(installed, shared):
    """In a name space of its own, whose loopback is down, by sockets that are files."""
    # Only root may have one; the kernel in it is the user's.
    wrapper = ["/usr/bin/unshare", "--net", "/usr/bin/setpriv", f"--reuid={VICTIM}", f"--regid={VICTIM}", "--clear-groups"]
    if subprocess.run([*wrapper, "true"], check=False).returncode != 0:
        pytest.skip("no name space of networks may be made here")
    with installed.kernel(TMPDIR=str(shared), ipc=True, wrapper=wrapper, as_root=True) as kernel:
        assert kernel.run("let n = 1; n + 1").text == "2"
        completes(kernel)
