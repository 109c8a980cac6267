"""The Docker backend: a container for every epoch of a node and for the relay."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from chaos.problem import Problem
from nodes.wire.transports import OF_ONE_HOST, TO_GROUPS
from orchestrator.backends.backend import Backend, Finding, Option, Options, Ready, Runner, Swept
from orchestrator.backends.interrupts import Interrupts
from orchestrator.backends.refusals import limits, offers, places, systems
from orchestrator.scenario.cell import Cell

if TYPE_CHECKING:
    from orchestrator.backends.docker.shared import DockerBackend
    from orchestrator.backends.host import Host

NAME = "docker"


def _profile(given: str) -> str:
    from orchestrator.backends.docker.seccomp import profile

    return profile(given)


IMAGE = Option("image", "Docker: the nodes' image, instead of what `faultbed image build` made.", "IMAGE")
TOXIPROXY_IMAGE = Option(
    "toxiproxy_image",
    "Docker: Toxiproxy's image, instead of the official one.",
    "IMAGE",
    variable="FAULTBED_TOXIPROXY_IMAGE",
)
SECCOMP = Option(
    "seccomp",
    "Docker: the nodes' seccomp profile, a file or `unconfined`; the engine's own may forbid io_uring.",
    "PROFILE",
    read=_profile,
)
OPTIONS = (IMAGE, TOXIPROXY_IMAGE, SECCOMP)


def _problems(cell: Cell) -> Iterator[Problem]:
    yield from systems(cell, NAME)
    yield from offers(cell)
    yield from limits(cell, NAME, frozenset({"cpus", "memory", "files", "processes"}))
    yield from places(cell, NAME)


@contextmanager
def _connect(options: Options) -> Iterator[Ready]:
    from orchestrator.backends.docker.engines import problems, unavailable
    from orchestrator.backends.docker.image import image_name

    image = options.get(IMAGE.name) or image_name()
    told = cache(lambda: unavailable(image, options.get(SECCOMP.name)))
    yield Ready(NAME, options, partial(_open, options), partial(problems, image, told), partial(_hosts, options))


@contextmanager
def _shared(options: Options) -> Iterator[DockerBackend]:
    from orchestrator.backends.docker.shared import DockerBackend
    from orchestrator.backends.processes import Supervisor

    given = [options.get(option.name) for option in OPTIONS]
    with Supervisor(secrets.token_hex(8)) as supervisor, DockerBackend.open(supervisor, *given) as shared:
        yield shared


@contextmanager
def _hosts(options: Options, home: Path) -> Iterator[Mapping[str, Host]]:
    from orchestrator.backends.docker.host import DockerHost

    with _shared(options) as shared, closing(DockerHost(shared, home, groups=False, sockets=False)) as host:
        yield {"": host}


@contextmanager
def _open(options: Options, interrupts: Interrupts) -> Iterator[Runner]:
    from orchestrator.backends.conducting import real
    from orchestrator.backends.docker.session import DockerSession

    with _shared(options) as shared:

        def session(cell: Cell, home: Path) -> DockerSession:
            transports = {link.transport for link in cell.links}
            groups, sockets = not transports.isdisjoint(TO_GROUPS), not transports.isdisjoint(OF_ONE_HOST)
            return DockerSession(shared, home, groups=groups, sockets=sockets)

        yield real(session, interrupts)


def engine(cells: Sequence[Cell]) -> dict[str, str] | None:
    """What it says of itself, for cells that use it."""
    from orchestrator.backends.docker.engine import told

    return told() if cells else None


def _findings() -> Iterator[Finding]:
    from orchestrator.backends.docker.findings import findings

    return findings()


def _sweep() -> Swept:
    from orchestrator.backends.docker.leftovers import swept

    return swept()


BACKEND = Backend(
    NAME,
    place=2,
    about="a container for every node",
    problems=_problems,
    connect=_connect,
    options=OPTIONS,
    engine=engine,
    findings=_findings,
    sweep=_sweep,
)
