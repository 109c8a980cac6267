"""PURE: what is expected of each engine at each probe, and where that is from: the files in `expected`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from orchestrator.scenario.document import BadScenario, Node, parse
from orchestrator.scenario.typed import typed
from orchestrator.scenario.value import Value

Texts = Mapping[str, str]
"""By step what it shows, in an observation's words."""


class Entry(Value):
    """Engines that do the same. `source`: a manual page, a source file, or "measured" and on what.

    `unknown` stands for what nobody has measured or documented; then `source` says what is in its way.
    """

    engines: tuple[str, ...]
    source: str
    expect: dict[str, str] | Literal["unknown"]


class Expected(NamedTuple):
    """`steps`: None where nobody knows."""

    steps: Texts | None
    source: str


Expectations = Mapping[tuple[str, str], Expected]
"""By probe and engine."""


def read(text: str, file: str) -> Expectations:
    """Raises BadScenario, with the place of all that is wrong."""
    root = parse(text, file, "expectations by probe")
    entries = typed(dict[str, tuple[Entry, ...]], root)
    found: dict[tuple[str, str], Expected] = {}
    for probe, several in entries.items():
        for index, entry in enumerate(several):
            for engine in entry.engines:
                if (probe, engine) in found:
                    raise _twice(root, probe, index, engine)
                found[probe, engine] = Expected(None if entry.expect == "unknown" else entry.expect, entry.source)
    return found


def _twice(root: Node, probe: str, index: int, engine: str) -> BadScenario:
    place = root.nearest((probe, index, "engines"))
    return place.bad(f"{engine} twice for {probe}; expected one entry for each engine")
