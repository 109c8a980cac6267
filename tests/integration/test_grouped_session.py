"""The tests' own session: what a group must not do side by side it does one after another, in one worker."""

from __future__ import annotations

import subprocess
from pathlib import Path

from nested import lay_out

GROUPED = """
import os, pathlib
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_it(number):
    pathlib.Path(str(os.getpid())).touch()

@pytest.mark.xdist_group("other")
@pytest.mark.parametrize("number", range(8))
def test_another(number):
    pathlib.Path(f"other-{os.getpid()}").touch()
"""


def test_a_group_stays_in_one_worker(tmp_path: Path) -> None:
    """That it does rests on an agreement of pytest's and pytest-xdist's versions."""
    options = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder")
    done = subprocess.run(
        lay_out(tmp_path, GROUPED, *options), cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines()[-1].startswith("16 passed in "), done.stdout
    workers = sorted(path.name for path in tmp_path.iterdir() if path.name.removeprefix("other-").isdigit())
    assert len(workers) == 2, "each group has one"
