"""The backend of systems that are not ours: each cell's compose project at this machine's engine. It is no user's
choice: the local backend gives it the cells that have a system."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager

from chaos.problem import Problem
from orchestrator.backends.backend import Backend, Finding, Options, Runner, unconnected
from orchestrator.backends.docker.backend import IMAGE, OPTIONS, TOXIPROXY_IMAGE, engine
from orchestrator.backends.interrupts import Interrupts
from orchestrator.scenario.cell import Cell

NAME = "compose"


def _problems(cell: Cell) -> Iterator[Problem]:
    """What is wrong with its project. Raises SessionError where there is no Compose to ask."""
    from orchestrator.backends.compose.preflight import problems

    assert cell.system is not None, "the cell of a system"
    yield from problems(cell.system, cell.driver)


@contextmanager
def _open(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.compose.systems import Systems
    from orchestrator.backends.processes import Supervisor

    images = options.get(IMAGE.name), options.get(TOXIPROXY_IMAGE.name)
    with (
        Supervisor(secrets.token_hex(8)) as supervisor,
        closing(Systems(supervisor, *images, interrupts)) as systems,
    ):
        yield systems


def _findings() -> Iterator[Finding]:
    from orchestrator.backends.compose.findings import findings

    return findings()


BACKEND = Backend(
    NAME,
    place=4,
    about=None,
    problems=_problems,
    connect=unconnected(NAME, _open),
    options=OPTIONS,
    engine=engine,
    findings=_findings,
)
