"""The documents name files that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PARTS = ("faultbed", "nodes", "chaos", "orchestrator", "tests", "benchmarks")
NAMED = re.compile(r"`([a-z_0-9/]+(?:\.py|/))`")
"""`path/of/a_file.py` and `path/of/a_folder/`; what has a NAME in capitals stands for many."""


def known() -> Iterator[str]:
    """Every file and folder of ours, as "/path/of/a_file.py" and "/path/of/a_folder/"."""
    for part in PARTS:
        yield f"/{part}/"
        for path in (ROOT / part).rglob("*"):
            yield f"/{path.relative_to(ROOT).as_posix()}" + "/" * path.is_dir()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_it_names_is_there(document: Path) -> None:
    """By its whole path, or by the end of it where the sentence says where it lies."""
    endings = {path[at:] for path in known() for at, mark in enumerate(path[:-1]) if mark == "/"}
    named = {name for name in NAMED.findall(document.read_text("utf-8")) if f"/{name}" not in endings}
    assert {name for name in named if name.endswith(".py") or name.startswith(PARTS)} == set()
