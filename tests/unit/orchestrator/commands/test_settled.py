"""What is left in a stream that takes no more is no reason to end otherwise."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from orchestrator.commands.endings import settle

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_it_is_let_go_of(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with FULL.open("w") as stream:
        stream.write("a line that is not whole")
        monkeypatch.setattr(sys, name, stream)
        settle()
        assert os.fstat(stream.fileno()).st_rdev == os.stat(os.devnull).st_rdev
        stream.flush()


def test_what_is_taken_stays_where_it_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "told").open("w") as stream:
        stream.write("told")
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "stdout", None)
        settle()
        assert (tmp_path / "told").read_text() == "told"
