"""What `hpc/` holds for administrators: the Open OnDemand app rendered by Ruby's ERB and run, the module loaded by Lmod, the
definitions of containers read.

The helpers of Open OnDemand's template "basic" (`find_port`, `create_passwd`, `wait_until_port_used`) are stood in for by
functions that do what its documentation says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HPC = ROOT / "hpc"
APP = HPC / "ondemand"
PREFIX = Path(sys.prefix)
PATIENCE = float(os.environ.get("SWATH_TEST_PATIENCE", "1"))

needs_ruby = pytest.mark.skipif(shutil.which("ruby") is None, reason="needs ruby, which cannot be installed here")
LMOD = Path("/usr/share/lmod/lmod/init/bash")
needs_lmod = pytest.mark.skipif(not LMOD.is_file(), reason="needs lmod, which cannot be installed here")

# As Open OnDemand's dashboard has them: the form's values are methods of the session's context, and those of a running
# session are variables of the view.
RENDER = """
require "erb"; require "json"; require "yaml"; require "ostruct"
file, values = ARGV[0], JSON.parse(STDIN.read)
context = OpenStruct.new(values)
session = OpenStruct.new(values)
scope = context.instance_eval { binding }
scope.local_variable_set(:context, context)
scope.local_variable_set(:session, session)
text = ERB.new(File.read(file), trim_mode: "-").result(scope)
print(file.end_with?(".yml.erb") ? JSON.generate(YAML.safe_load(text)) : text)
"""


def yaml(path: Path) -> dict:
    script = "require 'yaml'; require 'json'; print JSON.generate(YAML.safe_load(File.read(ARGV[0])))"
    done = subprocess.run(["ruby", "-e", script, str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def render(name: str, **values) -> str:
    done = subprocess.run(["ruby", "-e", RENDER, str(APP / name)], input=json.dumps(values), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def form(**others) -> dict:
    """What the form gives when nobody changes anything."""
    asked = yaml(APP / "form.yml")
    values = {}
    for name in asked["form"]:
        attribute = asked["attributes"].get(name) or {}
        options = attribute.get("options")
        values[name] = str(options[0][1] if options else attribute.get("value", ""))
    return values | others


@needs_ruby
def test_the_form_asks_for_what_the_job_takes():
    asked = yaml(APP / "form.yml")
    assert set(asked["attributes"]) <= set(asked["form"])
    manifest = yaml(APP / "manifest.yml")
    assert manifest["role"] == "batch_connect" and manifest["name"]
    job = json.loads(render("submit.yml.erb", **form()))
    # The workshop's: one node, one task, an A100 slice of 10 GB, 32 GB, QOS ood.
    assert job["script"]["native"] == [
        "--nodes=1", "--ntasks=1", "--cpus-per-task=4", "--mem=32G", "--gres=gpu:a100_1g.10gb:1", "--qos=ood",
    ]
    assert job["batch_connect"] == {"template": "basic", "conn_params": ["token"]}


@needs_ruby
def test_no_value_of_the_form_becomes_another_argument():
    odd = 'workshop"\n    - "--uid=root'
    job = json.loads(render("submit.yml.erb", **form(reservation=odd, hardware="", cores="4; reboot", memory="-7")))
    assert job["script"]["native"] == [
        "--nodes=1", "--ntasks=1", "--cpus-per-task=4", "--mem=1G", "--qos=ood", f"--reservation={odd}",
    ]
    script = render("template/script.sh.erb", **form(swath_mirror="/x'; touch /tmp/owned; '", swath_prefix="/a b/$(id)"))
    done = subprocess.run(["bash", "-c", 'eval "$(grep -E "^(prefix|export SWATH_MIRROR)=" <<<"$1")"; printf %s "$prefix|$SWATH_MIRROR"', "_",
                           script], capture_output=True, text=True)
    assert done.stdout == "/a b/$(id)|/x'; touch /tmp/owned; '"


# What a shell, Python and YAML would each take for more than it is.
ODD = [
    "$(touch pwned)", "`touch pwned`", "${HOME}", 'a"b', "a'b", "a\\b", 'a\\"b', "a b", "a\nPYTHON\ntouch pwned\n#", "a\tb", "a#b", "#{id}", "<%= 1 %>",
    "é\N{SNOWMAN}\N{EARTH GLOBE EUROPE-AFRICA}", "a\x7fb", "a\x85b", "a\N{LINE SEPARATOR}b", "a; touch pwned", "%s\\n", "*", "a\rb",
]


@needs_ruby
def test_every_value_of_the_form_is_one_argument_as_it_stands():
    for odd in ODD:
        job = json.loads(render("submit.yml.erb", **form(hardware=odd, qos=odd, reservation=odd)))
        assert job["script"]["native"][-3:] == [f"--gres={odd}", f"--qos={odd}", f"--reservation={odd}"]
        assert job["batch_connect"]["template"] == "basic" and job["script"]["job_name"] == "swath"


def settings(folder: Path, working_folder: str, home: Path) -> dict:
    """What `before.sh` writes for the folder that was asked for, as Python reads it."""
    (folder / "before.sh").write_text(render("template/before.sh.erb", **form(working_folder=working_folder)))
    script = "host=127.0.0.1; find_port() { echo 8888; }; create_passwd() { echo token; }; source ./before.sh"
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"], "HOME": str(home)})
    assert done.returncode == 0 and done.stderr == "", (working_folder, done.stderr)
    read: dict = {}

    class Part:
        def __init__(self, path: str) -> None:
            self.__dict__["path"] = path

        def __getattr__(self, name: str) -> "Part":
            return Part(f"{self.path}{name}.")

        def __setattr__(self, name: str, value) -> None:
            read[self.path + name] = value

    exec((folder / "jupyter_server_config.py").read_bytes(), {"get_config": lambda: Part("")})
    return read


@needs_ruby
def test_the_folder_of_the_form_is_taken_as_it_stands(tmp_path, monkeypatch):
    job, home = tmp_path / 'job "$(id)` \'', tmp_path / "home"
    job.mkdir()
    home.mkdir()
    # The web server's, which is the same person's; and it starts anywhere.
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(job)
    for odd in [*ODD, 'a"b\\ ${HOME}', "$(touch pwned)`touch pwned`"]:
        read = settings(job, f"{tmp_path}/{odd}", home)
        assert read["ServerApp.root_dir"] == f"{tmp_path}/{odd}"
        assert (read["ServerApp.port"], read["IdentityProvider.token"]) == (8888, "token")
        assert read["ServerApp.base_url"] == "/node/127.0.0.1/8888/"
        assert read["MappingKernelManager.default_kernel_name"] == "swath"
        assert [path.name for path in tmp_path.rglob("pwned")] == [], odd
    assert stat.S_IMODE((job / "jupyter_server_config.py").stat().st_mode) == 0o600
    # Without a beginning it is one of the home folder.
    for asked, found in [("", ""), ("  ", ""), ("~", ""), ("~/maps", "/maps"), ("maps/a b", "/maps/a b"), ("~nobody-of-that-name", "/~nobody-of-that-name")]:
        assert settings(job, asked, home)["ServerApp.root_dir"] == f"{home}{found}", asked


@needs_ruby
def test_the_job_takes_paths_as_they_stand(tmp_path):
    odd = 'a "$(touch pwned)` \'\\\n${HOME}'
    prefix, scratch, job = (tmp_path / name / odd for name in ("prefix", "scratch", "job"))
    for folder in (prefix / "bin", scratch, job):
        folder.mkdir(parents=True)
    (prefix / "bin" / "swath").write_text("#!/bin/sh\necho swath\n")
    (prefix / "bin" / "jupyter").write_text('#!/bin/sh\nprintf "%s\\0" "$@" >arguments; env -0 >environment\n')
    for name in ("swath", "jupyter"):
        (prefix / "bin" / name).chmod(0o755)
    mirror = "/mirror/" + odd
    (job / "script.sh").write_text(render("template/script.sh.erb", **form(swath_prefix=str(prefix), swath_mirror=mirror, offline="1")))
    given = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "USER": odd, "SCRATCH": str(scratch), "TMPDIR": str(job), "SLURM_JOB_ID": "7",
             "JUPYTER_PATH": "/kernels/" + odd, "SWATH_JUPYTER_CONFIG": str(job / "config.py")}
    done = subprocess.run(["bash", "script.sh"], cwd=job, env=given, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert (job / "arguments").read_text() == f"lab\0--config={job / 'config.py'}\0"
    had = dict(line.split("=", 1) for line in (job / "environment").read_text().split("\0") if line)
    assert had["PATH"] == f"{prefix}/bin:/usr/bin:/bin"
    assert had["JUPYTER_PATH"] == f"{prefix}/share/jupyter:/kernels/{odd}"
    assert (had["SWATH_MIRROR"], had["SWATH_OFFLINE"], had["SWATH_CACHE"]) == (mirror, "1", f"{scratch}/swath")
    assert list(tmp_path.rglob("pwned")) == []


@needs_ruby
def test_the_link_of_a_session_is_one_link():
    odd = '"><script>alert(1)</script>'
    view = render("view.html.erb", host=odd, port="1; x", token=odd)
    assert "<script" not in view
    [link] = re.findall(r'href="([^"]+)"', view)
    encoded = "%22%3E%3Cscript%3Ealert%281%29%3C%2Fscript%3E"
    assert link == f"/node/{encoded}/1/lab?token={encoded}"


@needs_ruby
def test_scripts_are_good_bash(tmp_path):
    for name in ("before", "script", "after"):
        path = tmp_path / f"{name}.sh"
        path.write_text(render(f"template/{name}.sh.erb", **form()))
        subprocess.run(["bash", "-n", path], check=True)
        if shutil.which("shellcheck"):
            done = subprocess.run(["shellcheck", "--shell=bash", path], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout


HELPERS = r"""
export host=127.0.0.1
find_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])'; }
create_passwd() { tr -cd 'a-zA-Z0-9' </dev/urandom | head -c "${1:-8}"; }
wait_until_port_used() {
    for _ in $(seq 1 $((2 * $2))); do
        (exec 3<>"/dev/tcp/${1%:*}/${1#*:}") 2>/dev/null && return 0
        sleep 0.5
    done
    return 1
}
clean_up() { exit "${1:-0}"; }
"""


@needs_ruby
def test_the_rendered_script_starts_jupyterlab_with_the_kernel(tmp_path):
    work, home = tmp_path / "my work", tmp_path / "home"
    work.mkdir()
    home.mkdir()
    values = form(swath_prefix=str(PREFIX), swath_mirror="", working_folder=str(work))
    for name in ("before", "script", "after"):
        (tmp_path / f"{name}.sh").write_text(render(f"template/{name}.sh.erb", **values))
    # The order of the template "basic": before.sh in the job's shell, script.sh beside after.sh.
    (tmp_path / "job.sh").write_text(HELPERS + """
source ./before.sh
printf '%s %s %s\n' "$host" "$port" "$token" >connection
bash ./script.sh &
server=$!
trap 'kill "$server"; wait' TERM
source ./after.sh
touch ready
wait
""")
    # Jobs of a cluster are never root's.
    (home / ".jupyter").mkdir()
    (home / ".jupyter" / "jupyter_config.json").write_text('{"ServerApp": {"allow_root": true}}')
    # As a job begins: no PATH but the system's, no Rust, an empty home.
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(home), "USER": "learner", "SLURM_JOB_ID": "12"}
    log = open(tmp_path / "output.log", "w+b")
    job = subprocess.Popen(["bash", "job.sh"], cwd=tmp_path, env=environment, stdout=log, stderr=subprocess.STDOUT,
                           start_new_session=True)
    try:
        end = time.monotonic() + 120 * PATIENCE
        while not (tmp_path / "ready").exists():
            assert job.poll() is None and time.monotonic() < end, (tmp_path / "output.log").read_text(errors="replace")
            time.sleep(0.2)
        host, port, token = (tmp_path / "connection").read_text().split()
        assert len(token) == 32
        # Other users read neither the file nor the command line.
        config = tmp_path / "jupyter_server_config.py"
        assert stat.S_IMODE(config.stat().st_mode) == 0o600
        lines = subprocess.run(["ps", "-ef"], capture_output=True, text=True).stdout
        assert token not in lines
        base = f"http://{host}:{port}/node/{host}/{port}"

        def get(path: str, key: str | None) -> bytes:
            headers = {"Authorization": f"token {key}"} if key else {}
            with urllib.request.urlopen(urllib.request.Request(base + path, headers=headers), timeout=30) as answer:
                return answer.read()

        specs = json.loads(get("/api/kernelspecs", token))
        assert specs["kernelspecs"]["swath"]["spec"]["display_name"] == "Rust (Swath)"
        assert specs["default"] == "swath"
        for wrong in (None, "x" * 32):
            with pytest.raises(urllib.error.HTTPError) as refused:
                get("/api/kernelspecs", wrong)
            assert refused.value.code == 403
        # The link of the view leads there, and the folder is the one that was asked for.
        view = render("view.html.erb", host=host, port=port, token=token)
        [link] = re.findall(r'href="([^"]+)"', view)
        assert link == f"/node/{host}/{port}/lab?token={token}"
        with urllib.request.urlopen(f"http://{host}:{port}{link}", timeout=30) as page:
            assert page.status == 200 and b"JupyterLab" in page.read()
        (work / "mine.txt").write_text("here")
        assert [entry["name"] for entry in json.loads(get("/api/contents", token))["content"]] == ["mine.txt"]
        # What is compiled goes to the node's own disk.
        assert not any((home / ".cache").glob("swath/*")) if (home / ".cache").exists() else True
    finally:
        os.killpg(job.pid, signal.SIGTERM)
        try:
            job.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
        log.close()


def module(script: str, **environment) -> subprocess.CompletedProcess:
    text = f"source {LMOD}; module use {HPC / 'modulefiles'}; {script}"
    base = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LMOD_SYSTEM_DEFAULT_MODULES": ""}
    return subprocess.run(["bash", "-c", text], capture_output=True, text=True, env=base | environment)


@needs_lmod
def test_the_module_gives_the_command_and_the_kernel(tmp_path):
    done = module("module load swath; command -v swath; swath --version; echo $JUPYTER_PATH; module unload swath; command -v swath; "
                  "echo \"left:$JUPYTER_PATH\"", SWATH_PREFIX=str(PREFIX))
    command, version, path, left = done.stdout.split("\n")[:4]
    assert command == f"{PREFIX}/bin/swath" and version.startswith("swath "), done.stderr
    assert path.startswith(f"{PREFIX}/share/jupyter") and left == "left:"
    assert (PREFIX / "share/jupyter/kernels/swath/kernel.json").is_file()


@needs_lmod
def test_the_module_says_what_it_is_and_what_is_missing(tmp_path):
    done = module("module -t avail swath; module whatis swath; module help swath")
    told = done.stdout + done.stderr
    assert "swath/0.1.0" in told and "geospatial deep learning" in told and "swath doctor" in told
    done = module("module load swath && echo loaded", SWATH_PREFIX=str(tmp_path))
    assert "loaded" not in done.stdout
    assert f"there is no {tmp_path}/bin/swath" in re.sub(r"\s+", " ", done.stderr)
    # What is mirrored beside the installation is read.
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "swath").write_text("")
    (tmp_path / "mirror").mkdir()
    done = module("module load swath; echo $SWATH_MIRROR", SWATH_PREFIX=str(tmp_path))
    assert done.stdout.strip() == str(tmp_path / "mirror")


def installation(folder: Path, mirror: bool = False) -> Path:
    """What the module looks for."""
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "swath").write_text("")
    if mirror:
        (folder / "mirror").mkdir()
    return folder


# All that a module could have changed: with the end of each line for a `\\0`, since a value may have lines of its own.
STATE = "state() { env -0 | grep -zvE '^(_|__LMOD_REF_COUNT_.*|_ModuleTable.*|_LMFILES_|LOADEDMODULES|LMOD_.*|BASH_FUNC.*|MODULE.*|SHLVL)=' | sort -z; }; "


def states(done: subprocess.CompletedProcess) -> list[dict[str, str]]:
    parts = done.stdout.split("==\n")
    return [dict(line.split("=", 1) for line in part.split("\0") if line) for part in parts]


@needs_lmod
def test_unloading_takes_back_what_loading_has_set(tmp_path):
    first, second = installation(tmp_path / "first", mirror=True), installation(tmp_path / "second")
    # The prefix is there for one command only.
    script = f"state; echo ==; SWATH_PREFIX={first} module load swath; state; echo ==; module unload swath; state"
    for own in ({}, {"SWATH_MIRROR": "/my/mirror"}, {"SWATH_MIRROR": f"{first}/mirror"}, {"JUPYTER_PATH": "/my/kernels", "MANPATH": "/my/man:"},
                {"SWATH_PREFIX": str(second)}):
        done = module(STATE + script, **own)
        before, loaded, after = states(done)
        assert done.stderr == "" and loaded["PATH"].startswith(f"{first}/bin:")
        # A mirror that the user has named stays.
        assert loaded["SWATH_MIRROR"] == own.get("SWATH_MIRROR", f"{first}/mirror")
        assert loaded["JUPYTER_PATH"].split(":")[0] == f"{first}/share/jupyter"
        assert after == before, own
    # The mirror came or went while the module was loaded.
    for change, own in ((f"rmdir {first}/mirror", {}), (f"mkdir {first}/mirror", {"SWATH_MIRROR": f"{first}/mirror"})):
        done = module(STATE + f"state; echo ==; SWATH_PREFIX={first} module load swath; {change}; module unload swath; state", **own)
        before, after = states(done)
        assert done.stderr == "" and after == before, change
    # One that was named while the module was loaded stays.
    done = module(f"SWATH_PREFIX={first} module load swath; SWATH_MIRROR=/my/mirror; module unload swath; echo $SWATH_MIRROR")
    assert done.stdout == "/my/mirror\n", done.stderr
    # Another installation takes the place of the first, wholly.
    done = module(STATE + f"state; echo ==; SWATH_PREFIX={first} module load swath; SWATH_PREFIX={second} module load swath; state; echo ==; "
                  "module refresh; module unload swath; state")
    before, loaded, after = states(done)
    assert done.stderr == "" and str(first) not in "".join(loaded.values()) and loaded["PATH"].startswith(f"{second}/bin:") and after == before


@needs_lmod
def test_the_prefix_is_taken_as_it_stands_or_refused(tmp_path):
    odd = installation(tmp_path / 'a "$(touch pwned)` \'\\${HOME}', mirror=True)
    done = module(STATE + 'state; echo ==; SWATH_PREFIX="$ODD" module load swath; state; echo ==; module unload swath; state', ODD=str(odd))
    before, loaded, after = states(done)
    assert loaded["PATH"] == f"{odd}/bin:/usr/bin:/bin" and loaded["SWATH_MIRROR"] == f"{odd}/mirror", done.stderr
    assert after == before and list(tmp_path.rglob("pwned")) == []
    installation(tmp_path / "a:b")
    for wrong in ("odd", str(tmp_path / "a:b")):
        done = module(f"cd {tmp_path}; module load swath && echo loaded", SWATH_PREFIX=wrong)
        told = re.sub(r"\s+", " ", done.stderr)
        assert "loaded" not in done.stdout and "SWATH_PREFIX" in told and "absolute path without a colon" in told, told
    # Empty is as good as unset.
    done = module(f"cd {tmp_path}; module load swath && echo loaded", SWATH_PREFIX="")
    assert "there is no /apps/swath/" in re.sub(r"\s+", " ", done.stderr)


@needs_lmod
@pytest.mark.skipif(shutil.which("man") is None, reason="needs man, which cannot be installed here")
def test_the_system_s_manual_stays(tmp_path):
    prefix = installation(tmp_path / "swath")
    done = module("man -w; echo ==; module load swath; man -w; echo \"MANPATH=${MANPATH-unset}\"", SWATH_PREFIX=str(prefix))
    before, after = done.stdout.split("==\n")
    # What Lmod's own initialization sets is left as it was.
    plain = module("echo \"MANPATH=${MANPATH-unset}\"").stdout
    assert "/usr/share/man" in before and after == before + plain, done.stderr


def sections(text: str) -> dict[str, str]:
    parts = re.split(r"^%(\w+)\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_containers_are_made_of_the_wheel(tmp_path):
    definition = (HPC / "apptainer" / "swath.def").read_text()
    container = (HPC / "Containerfile").read_text()
    found = sections(definition)
    assert {"arguments", "files", "post", "environment", "test", "runscript"} <= found.keys()
    [wheel] = re.findall(r"^\s*wheel=(\S+)$", found["arguments"], re.M)
    [other] = re.findall(r"^ARG WHEEL=(\S+)$", container, re.M)
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    assert wheel == other and Path(wheel).name.startswith(f"swath-{version}-py3-none-manylinux_")
    assert "{{ wheel }} /opt/wheels/" in found["files"]
    # With the extra of NVIDIA's wheels, for the wheel with CUDA.
    install = '/opt/swath/bin/pip install --no-cache-dir "$(ls /opt/wheels/*.whl)EXTRA" jupyterlab'
    assert install.replace("EXTRA", "{{ extra }}") in found["post"] and install.replace("EXTRA", "${EXTRA}") in container
    extras = re.findall(r"\[cuda\d+\]", definition + container)
    wheel = (ROOT / "scripts" / "wheel.sh").read_text()
    assert extras and all(f"--extra {extra.strip('[]')}" in wheel for extra in extras), extras
    for name in ("post", "environment", "test", "runscript"):
        path = tmp_path / name
        path.write_text("#!/bin/sh\n" + found[name])
        subprocess.run(["sh", "-n", path], check=True)
        if shutil.which("shellcheck"):
            done = subprocess.run(["shellcheck", "--shell=sh", path], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout
    assert "USER learner" in container, "a server of notebooks does not run as root"


def test_the_module_is_of_this_version():
    version = re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.M)[1]
    assert (HPC / "modulefiles" / "swath" / f"{version}.lua").is_file()
    assert f"swath/{version}" in (HPC / "modulefiles" / "swath" / ".modulerc.lua").read_text()
    assert yaml(APP / "form.yml")["attributes"]["swath_prefix"]["value"].endswith(version) if shutil.which("ruby") else True


def test_pip_is_given_the_wheel_s_file():
    """The names `swath` and `swath-cuda` are nobody's on the internet: whoever took one would be installed."""
    pages = [ROOT / "README.md", *(path for folder in ("docs", "hpc", "kernel/src", "cli/src", "scripts", "python", "kernelspec")
                                   for path in (ROOT / folder).rglob("*") if path.suffix in {".md", ".rs", ".sh", ".py", ".lua", ".erb", ".yml", ".def"})]
    commands, wrong = 0, []
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for command in re.findall(r"pip3? install ([^\n`]*)", text):
            named = re.findall(r"(?<![\w/.-])(?:[\w/.-]*/)?swath(?:[-_]cuda)?(?![\w/])[^\s']*", command)
            commands += len(named)
            wrong += [f"{page.relative_to(ROOT)}: {name}" for name in named if not re.search(r"\.whl(\[cuda1\d\])?$", name)]
        wrong += [f"{page.relative_to(ROOT)}: {name}" for name in re.findall(r"swath-cuda\[\w*\]", text)]
    assert commands >= 6 and not wrong, (commands, wrong)


def test_times_and_warnings_of_jobs_are_described_as_slurm_has_them():
    # The forms of sbatch's manual, --time.
    forms = ["MINUTES", "MINUTES:SECONDS", "HOURS:MINUTES:SECONDS", "DAYS-HOURS", "DAYS-HOURS:MINUTES", "DAYS-HOURS:MINUTES:SECONDS"]
    for page in ("docs/cli.md", "cli/src/submit.rs"):
        text = (ROOT / page).read_text(encoding="utf-8")
        [line] = [line for line in text.splitlines() if "The longest time: " in line]
        assert [form for form in forms if not re.search(rf"(?<![\w:-]){form}(?![\w:-])", line)] == [] and "2:00 is two minutes" in line, page
        [line] = [line for line in text.splitlines() if "How long before the time limit" in line]
        assert "at most half of" in line, page
    assert "half" in (ROOT / "docs/guide/cluster.md").read_text(encoding="utf-8").split("## When the time runs out")[1].split("\n\n")[1]
