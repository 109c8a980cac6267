"""PURE: the folders' names: of a scenario, and of each run of a cell.

Rules of this file:

1. Names are injective: two cells, or two runs of one cell, never share one, whatever their axes' values hold; not on a
   file system that ignores case either. So a plain value is of small letters only, and what is not plain gets a mark
   made of all values, behind a character that no plain value has.
2. Plain values stay readable as they are: "maybe_udp_xdr", "0.2", "request+lost" for "request lost".
3. A name is one file name on every system: short, ASCII, no device's name (NUL, COM1), no dot or hyphen at its ends.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from hashlib import blake2b

LONGEST = 120
"""Characters of a name without its repeat. File systems allow 255 bytes, and Windows 260 for the path that holds it."""

READABLE = 100
"""Characters that are left of one that is too long, before its mark."""

_MARK_BYTES = 8
_PLAIN = re.compile(r"[a-z0-9](?:[a-z0-9. -]*[a-z0-9])?")
_REPEAT = re.compile(r"_repeat=([1-9][0-9]*)$")
_STRANGE = re.compile(r"[^A-Za-z0-9_+-]+")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)


def scenario_folder(scenario: str) -> str:
    return _name((scenario,))


def cell_folder(values: Sequence[str], repeat: int = 1) -> str:
    """The axes' values, in order, and which repeat it is: "maybe_udp_xdr", "maybe_udp_xdr_repeat=2"."""
    return (_name(values) if values else "cell") + (f"_repeat={repeat}" if repeat > 1 else "")


def repeat_of(folder: str) -> int:
    """Which repeat `cell_folder` made the name for."""
    found = _REPEAT.search(folder)
    return int(found[1]) if found else 1


def _name(values: Sequence[str]) -> str:
    name = "_".join(value.replace(" ", "+") for value in values)
    if all(map(_PLAIN.fullmatch, values)) and len(name) <= LONGEST and not _DEVICES.fullmatch(name):
        return name
    mark = blake2b(json.dumps(list(values)).encode(), digest_size=_MARK_BYTES).hexdigest()
    return f"{_STRANGE.sub('-', name)[:READABLE].strip('-')}@{mark}"
