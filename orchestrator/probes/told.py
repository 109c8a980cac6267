"""PURE: a comparison as `faultbed probe` prints it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.probes.columns import blocks, lines
from orchestrator.probes.compared import Cell, Verdict


def table(cells: Sequence[Cell], titles: Mapping[str, str], width: int) -> Iterator[str]:
    """Probe by probe, engines side by side. `titles` in the probes' order."""
    for probe, title in titles.items():
        seen = {cell.engine: cell.observed for cell in cells if cell.probe == probe and cell.observed is not None}
        if not seen:
            continue
        yield title
        for block in blocks(seen):
            yield from lines(block, width)
        yield ""


def deviations(cells: Iterable[Cell]) -> Iterator[str]:
    """Each with what was expected, where that is from, and its trace."""
    for cell in cells:
        if cell.verdict is Verdict.DEVIATES:
            yield f"{cell.probe} on {cell.engine} deviates"
            for step, observed, expected in cell.differences:
                yield f"  {step}: {observed}; expected {expected}"
            yield f"  expected by: {cell.source}"
            yield from (f"    {line}" for line in cell.trace)
            yield ""


def unknowns(cells: Iterable[Cell]) -> Iterator[str]:
    """Those that have one reason are told together; without an observation there is a trace to look at."""
    together = []
    for cell in cells:
        if cell.verdict is not Verdict.UNKNOWN:
            continue
        if cell.trace and cell.observed is None:
            yield f"unknown: {cell.probe} on {cell.engine}: {cell.why}"
            yield from (f"    {line}" for line in cell.trace)
        else:
            together.append(cell)
    for why, engines in _by_reason(together).items():
        yield from (f"unknown: {where}: {why}" for where in _places(engines))


def absences(cells: Sequence[Cell]) -> Iterator[str]:
    """What does not apply, by reason: an engine that no probe can be done on is told once."""
    probes = Counter(cell.engine for cell in cells)
    for why, engines in _by_reason(cell for cell in cells if cell.verdict is Verdict.NOT_APPLICABLE).items():
        everywhere = [engine for engine, names in engines.items() if len(names) == probes[engine]]
        if everywhere:
            yield f"not applicable: {', '.join(everywhere)}: {why}"
        rest = {engine: names for engine, names in engines.items() if engine not in everywhere}
        yield from (f"not applicable: {where}: {why}" for where in _places(rest))


def _by_reason(cells: Iterable[Cell]) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """Probes by engine, by reason."""
    reasons: dict[str, dict[str, list[str]]] = {}
    for cell in cells:
        reasons.setdefault(cell.why, {}).setdefault(cell.engine, []).append(cell.probe)
    return reasons


def _places(engines: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Probes by engine; engines of the same probes are told together."""
    by_probes: dict[tuple[str, ...], list[str]] = {}
    for engine, names in engines.items():
        by_probes.setdefault(tuple(names), []).append(engine)
    yield from (f"{', '.join(names)} on {', '.join(several)}" for names, several in by_probes.items())


def summary(cells: Iterable[Cell]) -> str:
    counts = Counter(cell.verdict for cell in cells)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]) or "nothing to do"
