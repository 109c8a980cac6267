"""FAULTBED_REQUIRE: a skip whose reason names a required feature fails."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from nested import lay_out

IN_A_TEST = "import pytest\ndef test_it():\n    pytest.skip('engine epoll: not on this system')\n"
IN_A_MODULE = "import pytest\npytest.skip('engine epoll: not on this system', allow_module_level=True)\n"


def outcome(folder: Path, required: str, workers: int = 0) -> str:
    """-> what is printed about a session with a skip in a test, and one of a whole module."""
    (folder / "test_two.py").write_text(IN_A_MODULE)
    run = subprocess.run(
        lay_out(folder, IN_A_TEST, "--continue-on-collection-errors", "-n", str(workers)),
        env={**os.environ, "FAULTBED_REQUIRE": required},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    return run.stdout


@pytest.mark.parametrize("workers", [0, 1])
def test_a_required_feature_may_not_be_skipped(tmp_path: Path, workers: int) -> None:
    said = outcome(tmp_path, "threads,epoll", workers)
    assert len(re.findall("^E? *epoll is required here, but: ", said, re.MULTILINE)) == 2, said
    assert re.fullmatch(r"1 failed, 1 error in .*", said.splitlines()[-1]), said


@pytest.mark.parametrize("required", ["", "threads,poll"])
def test_any_other_skip_is_a_skip(tmp_path: Path, required: str) -> None:
    assert outcome(tmp_path, required).splitlines()[-1].startswith("2 skipped")
