"""A session of tests within a test, with all that holds for every test: how the session itself is tested."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

TESTS = Path(__file__).parent
LIGHT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--assert=plain")
IMPATIENT = "\n\nENDING = PATIENCE = 0.0\n"


def lay_out(folder: Path, source: str, *options: str) -> list[str]:
    """Lay one test file out in a folder -> the command that runs it there. What is left is not waited for, and what
    costs a session's start is left out: explained asserts, Hypothesis."""
    for file in TESTS.glob("*.py"):
        shutil.copy(file, folder)
    with (folder / "residue.py").open("a") as residue:
        residue.write(IMPATIENT)
    (folder / "test_one.py").write_text(source)
    return [sys.executable, "-I", "-m", "pytest", "-q", *LIGHT, *options, str(folder)]
