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
    together: dict[tuple[str, str], list[str]] = {}
    for cell in cells:
        if cell.verdict is not Verdict.UNKNOWN:
            continue
        if cell.trace and cell.observed is None:
            yield f"{cell.probe} on {cell.engine} is unknown: {cell.why}"
            yield from (f"    {line}" for line in cell.trace)
        else:
            together.setdefault((cell.probe, cell.why), []).append(cell.engine)
    for (probe, why), engines in together.items():
        yield f"{probe} on {', '.join(engines)} is unknown: {why}"


def absences(cells: Sequence[Cell]) -> Iterator[str]:
    """What does not apply, by reason: an engine that no probe can be done on is told once."""
    probes = Counter(cell.engine for cell in cells)
    reasons: dict[str, dict[str, list[str]]] = {}
    for cell in cells:
        if cell.verdict is Verdict.NOT_APPLICABLE:
            reasons.setdefault(cell.why, {}).setdefault(cell.engine, []).append(cell.probe)
    for why, engines in reasons.items():
        everywhere = [engine for engine, names in engines.items() if len(names) == probes[engine]]
        if everywhere:
            yield f"not applicable: {', '.join(everywhere)}: {why}"
        by_probes: dict[tuple[str, ...], list[str]] = {}
        for engine, names in engines.items():
            if engine not in everywhere:
                by_probes.setdefault(tuple(names), []).append(engine)
        for probes_of, several in by_probes.items():
            yield f"not applicable: {', '.join(probes_of)} on {', '.join(several)}: {why}"


def summary(cells: Iterable[Cell]) -> str:
    counts = Counter(cell.verdict for cell in cells)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]) or "nothing to do"
