"""How a part is started."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest

from faultbed import PARTS
from faultbed.part import MODULES, command


def test_a_part_is_started_isolated_by_this_python_or_by_another() -> None:
    assert command("nodes") == [sys.executable, "-I", "-m", "faultbed.part", "nodes"]
    assert command("chaos", "python3") == ["python3", "-I", "-m", "faultbed.part", "chaos"]


@pytest.mark.parametrize("module", MODULES.values())
def test_what_is_started_is_there(module: str) -> None:
    started = import_module(module)
    assert callable(started.main)
    assert Path(str(started.__file__)).is_relative_to(PARTS)
