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


def outcome(folder: Path, source: str, required: str, workers: int = 0) -> str:
    run = subprocess.run(
        lay_out(folder, source, "-n", str(workers)),
        env={**os.environ, "FAULTBED_REQUIRE": required},
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    return run.stdout


@pytest.mark.parametrize("workers", [0, 1])
@pytest.mark.parametrize("source", [IN_A_TEST, IN_A_MODULE], ids=["test", "module"])
def test_a_required_feature_may_not_be_skipped(tmp_path: Path, source: str, workers: int) -> None:
    said = outcome(tmp_path, source, "threads,epoll", workers)
    assert "epoll is required here, but: " in said
    assert re.fullmatch(r"1 (failed|error) in .*", said.splitlines()[-1]), said


@pytest.mark.parametrize("required", ["", "threads", "poll"])
def test_any_other_skip_is_a_skip(tmp_path: Path, required: str) -> None:
    assert outcome(tmp_path, IN_A_TEST, required).splitlines()[-1].startswith("1 skipped")
