"""JupyterLab as a person uses it: a real server, Chromium, clicks and keys."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from harness import PATIENCE

SCREENS = Path(__file__).resolve().parents[2] / "out" / "screens"
CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
# As root in a container, and quiet: without them Chromium calls out to hosts that a closed network refuses.
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
]


class Server:
    """`jupyter lab` on a folder, with settings of its own."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="swath-lab-"))
        settings = self.home / "settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        # Every cell is in the page, whether it is scrolled to or not.
        (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
        apputils = self.home / "settings" / "@jupyterlab" / "apputils-extension"
        apputils.mkdir(parents=True)
        (apputils / "notification.jupyterlab-settings").write_text(
            json.dumps({"fetchNews": "false", "checkForUpdates": False})
        )
        self.log = open(self.home / "server.log", "w+")
        command = [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
            "--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={folder}",
            "--ServerApp.disable_check_xsrf=True", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
            "--LabApp.collaborative=False",
        ]
        environment = {
            **os.environ, **env,
            "JUPYTERLAB_SETTINGS_DIR": str(self.home / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(self.home / "workspaces"),
            "JUPYTER_CONFIG_DIR": str(self.home / "config"),
            "JUPYTER_RUNTIME_DIR": str(self.home / "runtime"),
        }
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=environment)
        self.url = self._url()

    def _url(self) -> str:
        deadline = time.monotonic() + 60 * PATIENCE
        while time.monotonic() < deadline:
            text = Path(self.log.name).read_text()
            if found := re.search(r"http://127\.0\.0\.1:\d+", text):
                url = found.group(0)
                try:
                    urllib.request.urlopen(f"{url}/api/status", timeout=5).close()
                    return url
                except OSError:
                    pass
            assert self.process.poll() is None, text
            time.sleep(0.2)
        raise AssertionError(f"JupyterLab did not start: {text}")

    def close(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        shutil.rmtree(self.home, ignore_errors=True)


class Lab:
    """One page with one notebook."""

    def __init__(self, page, url: str) -> None:
        self.page = page
        self.url = url

    def shot(self, name: str) -> None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SCREENS / f"{name}.png"))

    def open(self, notebook: str) -> None:
        self.page.goto(f"{self.url}/lab/tree/{notebook}?reset", wait_until="domcontentloaded")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000 * PATIENCE)

    def choose_kernel(self, label: str) -> None:
        """The dialog that a notebook without a kernel opens, or the button at its top right."""
        dialog = self.page.locator(".jp-Dialog")
        try:
            dialog.wait_for(timeout=20_000 * PATIENCE)
        except Exception:
            self.page.locator(".jp-KernelName").first.click()
            dialog.wait_for(timeout=20_000 * PATIENCE)
        dialog.locator("select").first.select_option(label=label)
        self.shot("01-choose-kernel")
        dialog.locator("button.jp-mod-accept").click()
        dialog.wait_for(state="hidden")
        self.page.locator(f'.jp-KernelName:has-text("{label}")').first.wait_for(timeout=20_000 * PATIENCE)

    def wait_idle(self, seconds: float = 120) -> None:
        self.page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').first.wait_for(
            timeout=1000 * seconds * PATIENCE
        )

    def run_all(self) -> None:
        self.page.locator(".lm-MenuBar-item:has-text('Run')").first.click()
        self.page.locator(".lm-Menu-item:has-text('Run All Cells')").first.click()

    def interrupt(self) -> None:
        self.page.locator('[data-command="notebook:interrupt-kernel"], button[title^="Interrupt"], '
                          'jp-button[title^="Interrupt"]').first.click()

    def code_cells(self):
        return self.page.locator(".jp-Notebook .jp-CodeCell")

    def cell_with(self, text: str):
        return self.page.locator(".jp-Notebook .jp-CodeCell", has=self.page.locator(f'.cm-content:has-text("{text}")')).first

    def prompt(self, cell) -> str:
        return (cell.locator(".jp-InputPrompt").first.text_content() or "").strip()

    def output_html(self, cell) -> str:
        outputs = cell.locator(".jp-OutputArea-output")
        return "\n".join(outputs.nth(i).inner_html() for i in range(outputs.count())).strip()

    def output_text(self, cell) -> str:
        outputs = cell.locator(".jp-OutputArea-output")
        return "\n".join(outputs.nth(i).inner_text() for i in range(outputs.count())).strip()

    def watch(self, cell) -> None:
        """Has the page itself note every different output that it draws while the cell's prompt says that it runs: a look
        from here now and then misses some on a busy machine."""
        cell.evaluate("""cell => {
            if (cell.outputsSeen) return;
            cell.outputsSeen = new Set();
            let waiting = false;
            const look = () => {
                waiting = false;
                const prompt = cell.querySelector('.jp-InputPrompt').textContent.trim();
                const outputs = [...cell.querySelectorAll('.jp-OutputArea-output')].map(output => output.innerHTML);
                if (prompt === '[*]:' && outputs.join('').trim()) cell.outputsSeen.add(outputs.join('\\n'));
            };
            const changed = () => {
                if (!waiting) requestAnimationFrame(look);
                waiting = true;
            };
            new MutationObserver(changed).observe(
                cell, { subtree: true, childList: true, characterData: true, attributes: true }
            );
            changed();
        }""")

    def outputs_seen(self, cell) -> int:
        return cell.evaluate("cell => cell.outputsSeen.size")

    def errors(self) -> list[str]:
        found = self.page.locator('.jp-Notebook [data-mime-type="application/vnd.jupyter.stderr"], '
                                  '.jp-Notebook [data-mime-type="application/vnd.jupyter.error"]')
        return [found.nth(i).inner_text() for i in range(found.count())]

    def run_cell(self, cell) -> None:
        cell.locator(".cm-content").first.click()
        self.page.keyboard.press("Control+Enter")

    def add_and_run(self, code: str):
        """A new cell at the end of the notebook, typed and run; returns it."""
        self.code_cells().last.locator(".jp-InputPrompt").first.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+End")
        before = self.page.locator(".jp-Notebook .jp-Cell").count()
        self.page.locator(".jp-Notebook .jp-Cell").last.locator(".jp-InputPrompt").first.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self.page.wait_for_function(f"document.querySelectorAll('.jp-Notebook .jp-Cell').length > {before}")
        cell = self.page.locator(".jp-Notebook .jp-Cell").last
        cell.locator(".cm-content").first.click()
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")
        return cell

    def wait_done(self, cell, seconds: float) -> None:
        deadline = time.monotonic() + seconds * PATIENCE
        while not re.fullmatch(r"\[\d+\]:", self.prompt(cell)):
            assert time.monotonic() < deadline, f"still {self.prompt(cell)} after {seconds * PATIENCE:.0f} s"
            self.page.wait_for_timeout(200)

    def theme(self, name: str) -> None:
        self.page.locator(".lm-MenuBar-item:has-text('Settings')").first.click()
        self.page.locator(".lm-Menu-item:has-text('Theme')").first.hover()
        self.page.locator(f".lm-Menu-item:has-text('{name}')").first.click()
        self.page.wait_for_timeout(1500)
