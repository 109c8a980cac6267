"""What a backend cannot do, asked of each cell before anything is started: problems with their places.

A cell of a folder that has one is left out and told; a scenario that was named is refused with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from chaos.problem import Path, Problem
from chaos.supports import PLANE_OF
from nodes.engines import availability
from orchestrator.report.result import Refusal
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell, Client, Server
from orchestrator.scenario.document import join

Check = Callable[[Cell], Iterator[Problem]]


def refusal(cell: Cell, problems: Iterator[Problem]) -> Refusal | None:
    """The first of its problems, None if it has none."""
    first = next(problems, None)
    return None if first is None else Refusal(cell, _text(first.path), first.message)


def problems(cell: Cell, backend: str) -> Iterator[Problem]:
    """Every reason why this backend cannot run the cell, the first one first. What agents lack is asked of them."""
    for check in CHECKS[backend]:
        yield from check(cell)


def _text(path: Path) -> str:
    text = ""
    for step in path:
        text = join(text, step)
    return text


def _nodes(cell: Cell) -> Iterator[tuple[str, Server | Client]]:
    yield from (cell.servers | cell.clients).items()


def _engines(cell: Cell) -> Iterator[Problem]:
    for name, node in _nodes(cell):
        reason = availability(node.engine)
        if reason is not None:
            message = f"engine {node.engine} cannot run here: {reason}; --backend sim needs no engine"
            yield Problem(("nodes", name, "engine"), message)


def _limits(backend: str, possible: frozenset[str]) -> Check:
    def check(cell: Cell) -> Iterator[Problem]:
        for name, node in _nodes(cell):
            wanted = node.limits.model_dump(exclude_none=True).keys()
            if impossible := sorted(wanted - possible):
                message = (
                    f"--backend {backend} cannot limit the {' and '.join(impossible)} of a node; use --backend docker"
                )
                yield Problem(("nodes", name, "limits"), message)

    return check


def _places(backend: str) -> Check:
    def check(cell: Cell) -> Iterator[Problem]:
        for name, node in _nodes(cell):
            if node.place is not None:
                message = f"--backend {backend} has no agents to place nodes on; use --backend attach --inventory FILE"
                yield Problem(("nodes", name, "place"), message)

    return check


def _systems(backend: str) -> Check:
    def check(cell: Cell) -> Iterator[Problem]:
        if cell.system is not None:
            message = f"a compose project runs at this machine's engine, whatever --backend {backend}; leave it out"
            yield Problem(("system",), message)

    return check


def _projects(cell: Cell) -> Iterator[Problem]:
    """All that is wrong with its project in one. Raises SessionError where there is no Compose to ask."""
    if cell.system is not None:
        from orchestrator.backends.compose.preflight import problems  # the engine's client takes a while to import

        found = list(problems(cell.system, cell.driver))
        if found:
            others = (f"\n{_text(one.path)}: {one.message}" for one in found[1:])
            yield found[0]._replace(message="".join([found[0].message, *others]))


def _stops(cell: Cell) -> Iterator[Problem]:
    for index, fault in enumerate(cell.faults):
        struck = fault.on_process
        if struck is not None and struck.at is not None and not struck.deadly:
            message = "a simulated process cannot stop in the middle of a step; expected real processes"
            yield Problem(("faults", index, "at"), message)


def _planes(cell: Cell) -> Iterator[Problem]:
    for plane in planes(cell):
        if plane == "relay":
            continue
        index = next(place for place, link in enumerate(cell.links) if PLANE_OF[link.via] == plane)
        message = f"the simulator has no {plane} plane; expected via: relay, or a backend of real processes"
        yield Problem(("links", index, "via"), message)


CHECKS: Mapping[str, tuple[Check, ...]] = MappingProxyType(
    {
        "local": (_engines, _limits("local", frozenset({"files"})), _places("local"), _projects),
        "sim": (_systems("sim"), _stops, _planes, _limits("sim", frozenset()), _places("sim")),
        "docker": (
            _systems("docker"),
            _limits("docker", frozenset({"cpus", "memory", "files", "processes"})),
            _places("docker"),
        ),
        "attach": (_systems("attach"), _limits("attach", frozenset({"files"}))),
    }
)
"""Backend -> what is to be asked. A backend that refuses something else adds it here."""
