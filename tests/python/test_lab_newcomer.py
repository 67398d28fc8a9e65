"""A newcomer in a real JupyterLab: types the mistakes and the wishes of somebody who knows QGIS and some Python, and finds
the next step in each answer. Screenshots in both themes, wide and narrow, go to out/screens."""

import nbformat
import pytest
from playwright.sync_api import sync_playwright

from lab import CHROMIUM, FLAGS, Lab, Server
from test_lab import CONTRASTS, odd_sizes

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine (scripts/setup-system.sh tests)")

# What is typed, and the words that the answer must have.
MISTAKES = [
    ("import os", ["there already"]),
    ("# load a scene", ["comments begin with"]),
    ("for i in range(3):", ["for i in 0..3"]),
    ("x = 5", ["let x = …;"]),
    ("len(scene)", [".len()"]),
    ("%matplotlib inline", ["show themselves"]),
    ("%pip install numpy", ["%dep NAME"]),
    ("%fit", ["%fit needs", "%scene", "%split 0.75"]),
    ('Scene::open("nothing.tif")', ["there is no such raster"]),
    ('let s = "town.tif"; std::fs::write("/proc/x", s);', ["this may have failed", "`?`"]),
    ("vec![1, 2, 3", ["is never closed"]),
]
WISHES = [
    ("let scene = samples::town(1, 256)?.scene()?;\nscene", ["256 x 256"]),
    ("scen", ["`scene`"]),
    ("FitOptions::epochs(2).learning_rate(0.1)", ["`lr`"]),
    ("%split 75", ["between 0 and 1"]),
    ("%split 0.75", ["train: columns 0 to 191", "valid: columns 192 to 255"]),
    ("%bands 1", ["bands shown"]),
    ("%zoom 40 40 60", ["magnified 10 times", "in view"]),
    ("%colors building:orange", ["256 x 256"]),
    ("%chips 16 64 seed=7 show=4", []),
    ("%fit resnet18 steps=4 batch=2", ["Finished: 4 steps"]),
    ("%predict", []),
    ("%map threshold=0.2", []),
    ("%evaluate", ["trained on", "mean"]),
    ("%errors scene=valid", ["missed"]),
    ("%worst 3", []),
    ("%objects min_area=2 save=objects.csv", ["objects.csv"]),
    ("%save town.swath", ["town.swath"]),
    ("%map save=houses.shp", ["houses.shp"]),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("newcomer")
    kernel = {"name": "swath", "display_name": "Rust (Swath)", "language": "rust"}
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")], metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "new.ipynb")
    (folder / "my scene.tif").write_bytes(b"")
    server = Server(folder, {})
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": 1360, "height": 1000})
            lab = Lab(page, server.url)
            lab.open("new.ipynb")
            lab.wait_idle()
            yield lab
            browser.close()
    finally:
        server.close()


def answers(lab, lines) -> list[str]:
    """What is missing in the answers."""
    wrong = []
    for code, words in lines:
        cell = lab.add_and_run(code)
        lab.wait_done(cell, 180)
        text = lab.output_text(cell)
        missing = [word for word in words if word not in text]
        if missing or (not words and not lab.output_html(cell)):
            wrong.append(f"{code}: without {missing}:\n{text[-1500:]}")
    return wrong


def test_mistakes_are_answered_with_the_next_step(lab):
    wrong = answers(lab, MISTAKES)
    lab.shot("10-mistakes")
    assert not wrong, "\n".join(wrong)


def test_wishes_have_an_answer(lab):
    wrong = answers(lab, WISHES)
    lab.shot("11-wishes")
    assert not wrong, "\n".join(wrong)


def test_tab_completes_files_in_strings_and_settings(lab):
    for code, wanted in [('Scene::open("my', "my scene.tif"), ("FitOptions::epochs(2).bat", "batch")]:
        cell = lab.add_and_run("1")
        lab.wait_done(cell, 30)
        cell.locator(".cm-content").first.click()
        lab.page.keyboard.press("Control+a")
        lab.page.keyboard.type(code)
        # One candidate is put in at once, several are listed.
        for _ in range(20):
            lab.page.keyboard.press("Tab")
            lab.page.wait_for_timeout(500)
            listed = lab.page.locator(".jp-Completer").all_inner_texts()
            if wanted in cell.locator(".cm-content").inner_text() or any(wanted in text for text in listed):
                break
        else:
            raise AssertionError(f"{code}: {cell.locator('.cm-content').inner_text()} {listed}")
        lab.page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_errors_are_readable_in_both_themes_and_widths(lab, theme):
    lab.theme(theme)
    for width in (1360, 900):
        lab.page.set_viewport_size({"width": width, "height": 1000})
        lab.page.wait_for_timeout(500)
        cells = lab.code_cells()
        for index in range(0, cells.count(), 4):
            cells.nth(index).scroll_into_view_if_needed()
            lab.shot(f"12-{theme.split()[-1].lower()}-{width}-{index:02}")
        # With the side bar open, too, nothing scrolls sideways but lines of code.
        if width == 900:
            wide = lab.page.evaluate(WIDE)
            assert not wide, wide
    lab.page.set_viewport_size({"width": 1360, "height": 1000})
    texts = lab.page.evaluate(CONTRASTS)
    assert len(texts) > 50, len(texts)
    weak = [f"{one['contrast']:.1f}: {one['text']}" for one in texts if one["contrast"] < 4.5]
    assert not weak, f"{len(weak)} of {len(texts)}: {weak[:20]}"
    assert not odd_sizes(texts), odd_sizes(texts)


# Outputs that are wider than their place.
WIDE = """
() => [...document.querySelectorAll('.jp-OutputArea-output.jp-RenderedHTMLCommon')]
  .filter(output => output.scrollWidth > output.clientWidth + 1)
  .map(output => `${output.scrollWidth} of ${output.clientWidth}: ${output.innerText.slice(0, 60)}`)
"""
