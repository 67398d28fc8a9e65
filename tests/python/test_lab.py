"""The first tutorial in a real JupyterLab, driven in Chromium: choose the kernel, run every cell on a small setting, see
the curve move while it trains, interrupt, and go on with the variables. Screenshots go to out/screens."""

import re
import shutil
import time
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import sync_playwright

from harness import PATIENCE
from lab import CHROMIUM, FLAGS, Lab, Server

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
TUTORIAL = NOTEBOOKS / "01_first_map.ipynb"
DISPLAY_NAME = "Rust (Swath)"

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (scripts/setup-system.sh tests)"),
    pytest.mark.skipif(not TUTORIAL.exists(), reason="the tutorial is not there"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notebooks")
    for path in NOTEBOOKS.iterdir():
        if path.name in ("out", ".ipynb_checkpoints"):
            continue
        (shutil.copytree if path.is_dir() else shutil.copy)(path, folder / path.name)
    # Without a kernel and without outputs, as someone's own new notebook: JupyterLab must ask for the kernel.
    notebook = nbformat.read(folder / TUTORIAL.name, as_version=4)
    notebook.metadata.pop("kernelspec", None)
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / TUTORIAL.name)

    server = Server(folder, {"SWATH_TUTORIAL": "small"})
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1360, "height": 1000})
            yield Lab(page, server.url)
            browser.close()
    finally:
        server.close()


def training_source() -> str:
    for cell in nbformat.read(TUTORIAL, as_version=4).cells:
        if cell.cell_type == "code" and ".fit(" in cell.source:
            return cell.source
    raise AssertionError("the tutorial trains nothing")


def pictures_seen(lab, cell, at_least: int, seconds: float) -> int:
    """How many different outputs the cell showed while its prompt said that it runs."""
    lab.watch(cell)
    deadline = time.monotonic() + seconds * PATIENCE
    while lab.outputs_seen(cell) < at_least and time.monotonic() < deadline:
        if re.fullmatch(r"\[\d+\]:", lab.prompt(cell)):
            break
        lab.page.wait_for_timeout(100)
    return lab.outputs_seen(cell)


def test_the_notebook_asks_for_a_kernel_and_ours_is_there(lab):
    lab.open(TUTORIAL.name)
    lab.choose_kernel(DISPLAY_NAME)
    lab.wait_idle()
    lab.shot("02-kernel-ready")


def test_every_cell_runs_and_the_curve_moves_while_it_trains(lab):
    training = lab.cell_with(".fit(")
    lab.watch(training)
    lab.run_all()
    deadline = time.monotonic() + 300 * PATIENCE
    while not lab.output_html(training).strip() and not lab.errors():
        assert time.monotonic() < deadline, "training did not start"
        lab.page.wait_for_timeout(200)
    assert not lab.errors(), lab.errors()
    training.scroll_into_view_if_needed()
    lab.shot("03-training-early")
    seen = pictures_seen(lab, training, 3, 120)
    lab.shot("04-training-later")
    assert seen >= 3, f"only {seen} different pictures while it trained"
    cells = lab.code_cells()
    lab.wait_done(cells.last, 900)
    assert not lab.errors(), lab.errors()
    for index in range(cells.count()):
        assert re.fullmatch(r"\[\d+\]:", lab.prompt(cells.nth(index))), f"cell {index} did not run"
        cells.nth(index).scroll_into_view_if_needed()
        lab.shot(f"05-cell-{index:02}")


def test_pictures_are_drawn_with_their_alternative_text(lab):
    broken = lab.page.evaluate(
        "[...document.querySelectorAll('.jp-OutputArea img')].filter(i => !i.complete || i.naturalWidth === 0).length"
    )
    assert broken == 0
    shown = lab.page.locator(".jp-OutputArea-output img, .jp-OutputArea-output svg")
    assert shown.count() >= 4, "the quicklook, chips, curves and the map at least"
    alternatives = lab.page.evaluate(
        "[...document.querySelectorAll('.jp-OutputArea-output img')].map(i => i.getAttribute('alt') || '')"
    )
    assert all(alternatives), alternatives
    for subject in ("pixels", "chips", "loss", "Prediction"):
        assert any(subject in alternative for alternative in alternatives), (subject, alternatives)


def test_interrupting_training_keeps_the_variables(lab):
    source = training_source()
    longer = re.sub(r"(FitOptions::(?:epochs|steps)\()[^)]*\)", r"\g<1>5000)", source)
    longer = re.sub(r"\blet\s+run\b", "let longer_run", longer)
    cell = lab.add_and_run(longer)
    cell.scroll_into_view_if_needed()
    seen = pictures_seen(lab, cell, 2, 180)
    assert seen >= 2, f"training did not start: {lab.output_text(cell)[-500:]}"
    lab.shot("06-before-interrupt")
    lab.interrupt()
    pressed = time.monotonic()
    lab.wait_done(cell, 30)
    print(f"stopped {time.monotonic() - pressed:.1f} s after the click")
    lab.shot("07-after-interrupt")
    after = lab.add_and_run("west.size()")
    lab.wait_done(after, 30)
    assert re.fullmatch(r"\(\d+, \d+\)", lab.output_text(after)), lab.output_text(after)
    lab.shot("08-variables-are-there")


# The contrast ratio of WCAG 2.2 between every piece of text of the outputs and the first opaque ground under it. Pictures
# must bring a ground of their own: what they draw cannot follow the theme.
CONTRASTS = """
() => {
  const channels = color => (color.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const ground = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0.99) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.querySelector('.jp-Notebook'), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (!text || !element.closest('.jp-OutputArea-output') || !element.getClientRects().length) continue;
    // Blocks that show a color in a legend are their color.
    if (/^[\\u2580-\\u25ff]+$/.test(text)) continue;
    const [light, dark] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    const size = element.closest('svg') ? null : getComputedStyle(element).fontSize;
    found.push({ text: text.slice(0, 60), contrast: (light + 0.05) / (dark + 0.05), size });
  }
  return found;
}
"""

def odd_sizes(texts) -> list[str]:
    """The texts of outputs that are not of JupyterLab's size of code, 13 pixels."""
    return [f"{one['size']}: {one['text']}" for one in texts if one["size"] not in (None, "13px")]


SEE_THROUGH = """
async () => {
  const found = [];
  for (const image of document.querySelectorAll('.jp-OutputArea-output img')) {
    // A class map lies over imagery that is opaque itself.
    if (getComputedStyle(image).position === 'absolute') continue;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const corners = [[0, 0], [canvas.width - 1, 0], [0, canvas.height - 1], [canvas.width - 1, canvas.height - 1]];
    const opacity = Math.min(...corners.map(([x, y]) => context.getImageData(x, y, 1, 1).data[3]));
    found.push({ alt: image.alt, plot: image.src.startsWith('data:image/svg'), opacity });
  }
  return found;
}
"""


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_outputs_are_readable_in_both_themes(lab, theme):
    lab.theme(theme)
    cells = lab.code_cells()
    for index in range(cells.count()):
        if lab.output_html(cells.nth(index)).strip():
            cells.nth(index).scroll_into_view_if_needed()
            lab.shot(f"09-{theme.split()[-1].lower()}-{index:02}")
    texts = lab.page.evaluate(CONTRASTS)
    assert len(texts) > 20, texts
    weak = [f"{one['contrast']:.1f}: {one['text']}" for one in texts if one["contrast"] < 4.5]
    assert not weak, weak
    assert not odd_sizes(texts), odd_sizes(texts)
    pictures = lab.page.evaluate(SEE_THROUGH)
    plots = [one for one in pictures if one["plot"]]
    assert plots and all(one["opacity"] == 255 for one in plots), pictures
