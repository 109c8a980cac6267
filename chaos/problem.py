"""PURE: what is impossible about a fault, or another part of a cell, and where."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

Path = tuple[str | int, ...]


class Problem(NamedTuple):
    """`path` leads into the document, or from a fault into it; its end may be a key that is not there."""

    path: Path
    message: str


def names(found: Iterable[str]) -> str:
    return ", ".join(sorted(found)) or "none"
