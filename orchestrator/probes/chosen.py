"""PURE: which probes are done on which engines, and what is said before anything starts of those that cannot be.

Rules of this file:

1. What was asked for by its name and cannot be done is refused, with the remedy. What is merely among "all" is left out
   and told: an engine that cannot run here has no cells, a probe that cannot be done here is unknown.
2. A probe that does not apply to an engine is no fault of anybody's; but a choice of which nothing applies is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from nodes.probes.common.probe import Probe
from orchestrator.probes.compared import Cell, not_applicable, unknown
from orchestrator.probes.told import absences
from orchestrator.scenario.matrix import hint

SPARE = 32
"""Descriptors that a process has beside those of a probe."""
OWN, OF_A_PROCESS = 12, 2
"""Descriptors of the command that starts them and listens: its own, and for each process beside the others."""
NOTHING = "nothing of that applies; `faultbed probe --list` and docs/multiplexers.md say what does"


class Impossible(Exception):
    """What was asked for cannot be done; the text says why, and what to do."""


class Facts(NamedTuple):
    """What holds on this machine. `availability`: why an engine cannot run. `refusal`: why a probe (first) cannot be
    done on an engine. `files`: the most that a process may have open. `privilege`: why black holes cannot be made.
    `own`: how many the command may have open that starts them here; None if they are started elsewhere."""

    availability: Callable[[str], str | None]
    refusal: Callable[[str, str], str | None]
    files: int | None
    privilege: Callable[[], str | None]
    own: int | None = None


class Choice(NamedTuple):
    """`todo`: probes by engine. `cells`: those that need not be tried. `notes`: what is left out."""

    todo: dict[str, tuple[str, ...]]
    cells: tuple[Cell, ...]
    notes: tuple[str, ...]


class Asked(NamedTuple):
    """By name; nothing stands for all. `jobs`: engines side by side."""

    engines: Sequence[str] = ()
    probes: Sequence[str] = ()
    jobs: int = 1


def choose(asked: Asked, engines: Sequence[str], catalogue: Mapping[str, Probe], facts: Facts) -> Choice:
    """Raises Impossible."""
    _check("--engine", asked.engines, engines)
    _check("--probe", asked.probes, list(catalogue))
    missing = dict(_missing(asked.engines or engines, facts))
    for engine in asked.engines:
        if engine in missing:
            raise Impossible(f"--engine {engine}: it cannot run here: {missing[engine]}")
    here = [engine for engine in dict.fromkeys(asked.engines or engines) if engine not in missing]
    probes = [name for name in catalogue if name in asked.probes] if asked.probes else list(catalogue)
    lacking = {name: why for name in probes if (why := why_lacking(catalogue[name], facts))}
    for name in asked.probes:
        if name in lacking:
            raise Impossible(f"--probe {name}: {lacking[name]}")
    todo, cells = _divided(here, probes, lacking, facts)
    notes = tuple(_left_out(missing, lacking))
    if not todo and not any(cell.probe in lacking for cell in cells):
        raise Impossible("\n  ".join([NOTHING, *notes, *absences(cells)]))
    _check_own(min(asked.jobs, len(todo)), facts)
    return Choice(todo, tuple(cells), notes)


def _check(option: str, asked: Sequence[str], known: Sequence[str]) -> None:
    for word in asked:
        if word not in known:
            raise Impossible(f"{option} {word}: there is none of that name; {hint(word, list(known))}")


def _check_own(jobs: int, facts: Facts) -> None:
    needed = OWN + OF_A_PROCESS * jobs
    if jobs and facts.own is not None and facts.own < needed:
        raise Impossible(
            f"--jobs {jobs}: it takes {needed} open files to start them, and this command may have {facts.own}; "
            f"allow more (ulimit -n {needed}), or give it fewer --jobs"
        )


def _left_out(missing: Mapping[str, str], lacking: Mapping[str, str]) -> Iterator[str]:
    """A line for each engine, and for the probes that have one reason."""
    for engine, why in missing.items():
        yield f"left out: engine {engine}: {why}"
    for why in dict.fromkeys(lacking.values()):
        yield f"left out: {', '.join(name for name, its in lacking.items() if its == why)}: {why}"


def _missing(engines: Sequence[str], facts: Facts) -> Iterator[tuple[str, str]]:
    for engine in engines:
        if reason := facts.availability(engine):
            yield engine, reason


def why_lacking(probe: Probe, facts: Facts) -> str | None:
    """What it needs of the machine and does not have there."""
    needed = probe.descriptors + SPARE
    if facts.files is not None and facts.files < needed:
        return (
            f"it needs {needed} open files, and a process may have {facts.files} at most here; "
            f"raise the hard limit (ulimit -Hn {needed}, or LimitNOFILE= of the service)"
        )
    return facts.privilege() if probe.root else None


def _divided(
    engines: Sequence[str], probes: Sequence[str], lacking: Mapping[str, str], facts: Facts
) -> tuple[dict[str, tuple[str, ...]], list[Cell]]:
    todo: dict[str, tuple[str, ...]] = {}
    cells = []
    for engine in engines:
        for name in probes:
            if why := facts.refusal(name, engine):
                cells.append(not_applicable(name, engine, why))
            elif name in lacking:
                cells.append(unknown(name, engine, lacking[name]))
            else:
                todo[engine] = (*todo.get(engine, ()), name)
    return todo, cells
