"""Notebooks with parameters, by papermill from PyPI and the translator that `swath install` ships.

The authority is papermill's own documentation: `-p` sets a parameter in a cell after the one tagged `parameters`,
`--help-notebook` lists them with types, defaults and comments. Types are those of the notebook (docs/magics.md).
"""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager

from harness import KERNEL, PATIENCE

DEFAULTS = """let epochs: usize = 1; // how often
let rate: f32 = 0.5; // how fast
let name = "default";
let title = String::from("title");
let sizes: Vec<f64> = vec![1.0];
let limit: Option<f64> = None;
let flag = false;
const SEED: u64 = 7; // for chance
let classes: std::collections::HashMap<String, usize> = std::collections::HashMap::new();"""


@pytest.fixture(scope="module")
def python(tmp_path_factory) -> Path:
    """An environment with papermill, into which the kernel was installed as its user would."""
    prefix = tmp_path_factory.mktemp("papermill") / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", prefix], check=True)
    python = prefix / "bin/python3"
    packages = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], check=True, capture_output=True, text=True)
    Path(packages.stdout.strip(), "tests.pth").write_text(sysconfig.get_path("purelib") + "\n")
    program = KernelSpecManager().get_kernel_spec(KERNEL).argv[0]
    said = subprocess.run([program, "install", "--prefix", prefix], check=True, capture_output=True, text=True)
    assert f"for papermill:       {prefix}" in said.stdout, said.stdout
    return python


def notebook(path: Path, *cells: str) -> Path:
    book = nbformat.v4.new_notebook()
    book.metadata["kernelspec"] = {"name": KERNEL, "display_name": "Rust (Swath)", "language": "rust"}
    book.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    book.cells[0].metadata["tags"] = ["parameters"]
    nbformat.write(book, path)
    return path


def papermill(python: Path, *arguments: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run([python, "-m", "papermill", *map(str, arguments)], capture_output=True, text=True, timeout=180 * PATIENCE)


def run(python: Path, folder: Path, cells: list[str], *arguments: str) -> nbformat.NotebookNode:
    source, target = notebook(folder / "in.ipynb", *cells), folder / "out.ipynb"
    ran = papermill(python, source, target, *arguments)
    assert ran.returncode == 0, ran.stderr
    return nbformat.read(target, 4)


def results(book: nbformat.NotebookNode) -> list[str]:
    return [output["data"]["text/plain"] for cell in book.cells for output in cell.get("outputs", []) if output["output_type"] == "execute_result"]


def test_parameters_take_the_types_of_the_notebook(python, tmp_path):
    shown = 'println!("{}", std::any::type_name_of_val(&rate));\nlet steps: Vec<usize> = (0..epochs).collect();\n(steps.len(), rate, name, title.len(), sizes.clone(), limit, flag, SEED, classes.get("tree"))'
    book = run(
        python, tmp_path, [DEFAULTS, "fn seed() -> u64 { SEED + 1 }", shown, "seed()"],
        "-p", "epochs", "5", "-p", "rate", "1", "-p", "name", "größe \"x\"", "-y", "sizes: [1, 2.5]", "-p", "limit", "3",
        "-p", "flag", "True", "-p", "SEED", "11", "-p", "title", "ab", "-y", "classes: {tree: 1}",
    )
    injected = book.cells[1]
    assert injected.metadata["tags"] == ["injected-parameters"]
    assert "let epochs = 5; // int" in injected.source and "let flag = true; // bool" in injected.source
    assert results(book) == ['(5, 1.0, "größe \\"x\\"", 2, [1.0, 2.5], Some(3.0), true, 11, Some(1))', "12"]
    assert book.cells[3].outputs[0]["text"] == "f32\n"


VALUES = {
    "whole": -7,
    "large": 10**12,
    "real": 0.25,
    "missing": None,
    "yes": True,
    "quoted": 'a "quoted" \\ line\nand {braces} größe 🛰\t\x07',
    "empty": "",
    "list": [1, 2, 3],
    "mixed": [1, 2.5],
    "nested": [[1], [2, 3]],
    "words": ["a", "b"],
    "pair": [1, "a"],
    "map": {"a": 1, "b": 2},
    "settings": {"a": 1, "b": "x"},
    "type": "a keyword",
}


def test_parameters_without_defaults_have_rust_s_types(python, tmp_path):
    checks = [
        'assert_eq!((whole, large, real, yes, empty), (-7_i32, 1_000_000_000_000_i64, 0.25_f64, true, ""));',
        'assert!(missing.is_none());',
        'assert_eq!(quoted, "a \\"quoted\\" \\\\ line\\nand {braces} größe 🛰\\t\\u{7}");',
        'assert_eq!((list, mixed, nested, words, pair), (vec![1, 2, 3], vec![1.0, 2.5], vec![vec![1], vec![2, 3]], vec!["a", "b"], (1, "a")));',
        'assert_eq!((map["a"], map["b"], r#type), (1, 2, "a keyword"));',
        'assert_eq!(settings, "{\\"a\\": 1, \\"b\\": \\"x\\"}");',
        "assert!(nan.is_nan() && low == f64::NEG_INFINITY);",
    ]
    values = tmp_path / "values.yaml"
    # YAML, where JSON's escapes of two halves of a character are two characters.
    values.write_text(json.dumps(VALUES, ensure_ascii=False) + "\n")
    book = run(python, tmp_path, ["// none", *checks], "-f", str(values), "-y", "nan: .nan", "-y", "low: -.inf")
    assert "as JSON text, since its values have several types" in book.cells[1].source


def test_a_parameter_that_does_not_fit_is_told(python, tmp_path):
    source = notebook(tmp_path / "in.ipynb", "let count: u8 = 1;", "count")
    ran = papermill(python, source, tmp_path / "out.ipynb", "-p", "count", "300")
    assert ran.returncode != 0 and "literal out of range for `u8`" in ran.stderr
    ran = papermill(python, source, tmp_path / "out.ipynb", "-p", "learning-rate", "1")
    assert ran.returncode != 0 and "'learning-rate' cannot be the name of a variable in Rust" in ran.stderr


def test_the_parameters_of_a_notebook_are_listed(python, tmp_path):
    ran = papermill(python, "--help-notebook", notebook(tmp_path / "in.ipynb", DEFAULTS, "epochs"))
    assert ran.returncode == 0, ran.stderr
    listed = [" ".join(line.split()) for line in ran.stdout.splitlines()]
    for line in ("epochs: usize (default 1)", "how often", "SEED: u64 (default 7)", 'name: &str (default "default")', "limit: Option<f64> (default None)"):
        assert any(line in found for found in listed), (line, ran.stdout)


def test_an_output_can_be_run_again(python, tmp_path):
    run(python, tmp_path, ["let n = 1;", "n * 2"], "-p", "n", "4")
    again = papermill(python, tmp_path / "out.ipynb", tmp_path / "again.ipynb", "-p", "n", "5")
    assert again.returncode == 0, again.stderr
    book = nbformat.read(tmp_path / "again.ipynb", 4)
    assert results(book) == ["10"] and len(book.cells) == 3


def test_uninstalling_takes_the_translator_along(python):
    prefix = python.parents[1]
    program = KernelSpecManager().get_kernel_spec(KERNEL).argv[0]
    module = next(prefix.glob("lib/python3*/site-packages/swath_papermill.py"))
    assert list(prefix.glob("lib/swath/*/papermill/pyproject.toml"))
    removed = subprocess.run([program, "uninstall", "--prefix", prefix], check=True, capture_output=True, text=True)
    assert str(module) in removed.stdout and not module.exists()
