"""How a part is started."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from faultbed import PARTS
from faultbed.part import MODULES, command


def test_a_part_is_started_isolated_by_this_python_or_by_another() -> None:
    assert command("nodes") == [sys.executable, "-I", "-m", "faultbed.part", "nodes"]
    assert command("chaos", "python3") == ["python3", "-I", "-m", "faultbed.part", "chaos"]


ENDING = """
import sys
from faultbed import part

class Ending:
    def main():
        print("last words")
        sys.stderr.write("and a warning")
        return 3

part.loaded = lambda module: Ending
part.main()
"""


def test_what_a_part_said_is_written_before_it_ends_with_its_code() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDING, "nodes"], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr, ended.returncode) == ("last words\n", "and a warning", 3)


@pytest.mark.parametrize("module", MODULES.values())
def test_what_is_started_is_there(module: str) -> None:
    started = import_module(module)
    assert callable(started.main)
    assert Path(str(started.__file__)).is_relative_to(PARTS)
