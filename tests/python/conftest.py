"""Fixtures: one kernel that most tests share, and a fresh one for those that break it."""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from harness import Kernel  # noqa: E402

# What tests run is not the user's history, and what the user ran is not the tests'.
HISTORY = Path(tempfile.mkdtemp(prefix="swath-history-"))
atexit.register(shutil.rmtree, HISTORY, ignore_errors=True)
os.environ["SWATH_HISTORY"] = str(HISTORY / "history.sqlite")


@pytest.fixture(scope="module")
def shared_kernel(tmp_path_factory):
    with Kernel(cwd=tmp_path_factory.mktemp("work")) as kernel:
        yield kernel


@pytest.fixture
def kernel(shared_kernel):
    """The module's kernel; a test that left it dead would otherwise fail all that follow."""
    assert shared_kernel.manager.is_alive(), "the kernel died in an earlier test"
    return shared_kernel


@pytest.fixture
def fresh_kernel(tmp_path):
    with Kernel(cwd=tmp_path) as kernel:
        yield kernel
