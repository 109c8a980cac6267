"""PURE: what is expected of each engine at each probe, and where that is from: the files in `expected`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from orchestrator.scenario.document import Node, parse
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
    """Raises BadScenario, with the first place that is wrong."""
    found: dict[tuple[str, str], Expected] = {}
    for probe, node, entry in _entries(parse(text, file, "expectations by probe")):
        for engine in entry.engines:
            if (probe, engine) in found:
                raise node.bad(f"{engine} twice for {probe}; expected one entry for each engine", "engines")
            found[probe, engine] = Expected(None if entry.expect == "unknown" else entry.expect, entry.source)
    return found


def _entries(root: Node) -> Iterator[tuple[str, Node, Entry]]:
    if root.mapping is None:
        raise root.bad("expected a mapping of probes to lists of entries")
    for probe, several in root.mapping.items():
        if several.items is None:
            raise several.bad("expected a list of entries, one for the engines that show the same")
        for node in several.items:
            yield probe, node, typed(Entry, node)
