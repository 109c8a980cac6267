"""The attach backend: nodes on hosts where `faultbed agent` already runs. Agents are connected before cells are run,
since only they know what they have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.problem import Problem
from orchestrator.backends.backend import Backend, Option, Options, Ready, Runner
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.refusals import limits, offers, systems
from orchestrator.scenario.cell import Cell

if TYPE_CHECKING:
    from orchestrator.backends.attach.fleet import Fleet
    from orchestrator.backends.attach.inventory import Inventory
    from orchestrator.backends.host import Host

NAME = "attach"


def _read(path: Path) -> Inventory:
    from orchestrator.backends.attach.inventory import load

    return load(path)


INVENTORY = Option(
    "inventory",
    "Attach: the file that names the agents.",
    variable="FAULTBED_INVENTORY",
    file=True,
    read=_read,
    missing="--backend attach needs --inventory FILE, which names the agents (docs/agents.md)",
)


def _problems(cell: Cell) -> Iterator[Problem]:
    yield from systems(cell, NAME)
    yield from offers(cell)
    yield from limits(cell, NAME, frozenset({"files"}))


@contextmanager
def _connect(options: Options) -> Iterator[Ready]:
    from orchestrator.backends.attach.feasible import problems
    from orchestrator.backends.attach.fleet import connected

    with connected(options[INVENTORY.name]) as fleet:
        yield Ready(NAME, options, partial(_open, fleet), partial(problems, fleet), partial(_hosts, fleet))


@contextmanager
def _hosts(fleet: Fleet, home: Path) -> Iterator[Mapping[str, Host]]:
    from orchestrator.backends.attach.host import AgentHost

    with ExitStack() as stack:
        yield {name: stack.enter_context(closing(AgentHost(agent, home))) for name, agent in fleet.agents.items()}


@contextmanager
def _open(fleet: Fleet, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.attach.session import AttachSession
    from orchestrator.backends.conducting import real

    yield real(lambda cell, home: AttachSession(fleet, cell, home), interrupts)


BACKEND = Backend(
    NAME,
    place=3,
    about="agents that run already",
    problems=_problems,
    connect=_connect,
    options=(INVENTORY,),
)
