"""PURE: what is impossible about a fault, or another part of a cell, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """`path` leads into the document, or from a fault into it; its end may be a key that is not there."""

    path: Path
    message: str


def names(found: Iterable[str]) -> str:
    return ", ".join(sorted(found)) or "none"


def repeated(path: Path, found: Iterable[object]) -> Iterator[Problem]:
    """Of a list in which something is there more than once."""
    for one, times in Counter(found).items():
        if times > 1:
            yield Problem(path, f"{one} is there {times} times; expected each once")
