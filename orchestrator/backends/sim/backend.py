"""The simulated backend: a world of its own for every cell, which starts nothing and touches nothing real."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chaos.problem import Problem
from chaos.supports import PLANE_OF
from orchestrator.backends.backend import Backend, Options, Runner, unconnected
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.refusals import limits, of_processes, one_host, places, systems
from orchestrator.run.specs import planes
from orchestrator.scenario.cell import Cell

NAME = "sim"


def _problems(cell: Cell) -> Iterator[Problem]:
    yield from systems(cell, NAME)
    if cell.system is None:
        yield from _of_ours(cell)


def _of_ours(cell: Cell) -> Iterator[Problem]:
    yield from one_host(cell, shared=False)
    yield from _planes(cell)
    yield from _variants(cell)
    yield from _crowds(cell)
    yield from limits(cell, NAME)
    yield from places(cell, NAME)
    yield from of_processes(cell, NAME)


def _planes(cell: Cell) -> Iterator[Problem]:
    for plane in planes(cell):
        if plane == "relay":
            continue
        index = next(place for place, link in enumerate(cell.links) if PLANE_OF[link.via] == plane)
        message = f"the simulator has no {plane} plane; expected via: relay, or a backend of real processes"
        yield Problem(("links", index, "via"), message)


def _variants(cell: Cell) -> Iterator[Problem]:
    """Of servers: what is wrong with them is what they ask of a system."""
    for name, server in cell.servers.items():
        if server.variant is not None:
            message = f"the simulator has no engine that could be {server.variant}; use a backend of real processes"
            yield Problem(("nodes", name, "variant"), message)


def _crowds(cell: Cell) -> Iterator[Problem]:
    for index, fault in enumerate(cell.faults):
        if fault.by_client:
            message = f"the simulator has no descriptors, buffers or backlog for a {fault.verb}; use --backend local"
            yield Problem(("faults", index, fault.verb), message)


@contextmanager
def _open(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.conducting import conducted
    from orchestrator.backends.sim.session import SimSession, run

    yield conducted(lambda cell, folder: SimSession(cell.seed), run, interrupts)


BACKEND = Backend(
    NAME, place=1, about="the simulator", problems=_problems, connect=unconnected(NAME, _open), performs=True
)
