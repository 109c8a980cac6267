"""What a backend says and gives: what it refuses, its options, and how it runs a cell.

Rules of this file:

1. What it cannot do it says before anything is started: `problems` of a cell by itself, and `Ready.problems` where it
   takes asking what is there already (agents).
2. Importing a `BACKEND` costs nothing: what takes a while to import is imported by the functions that need it.
3. Whatever `Ready.open` made is undone when its context is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from chaos.problem import Problem
from orchestrator.backends.interrupts import Interrupts
from orchestrator.history.collected import Collected
from orchestrator.run.session import Session
from orchestrator.scenario.cell import Cell

if TYPE_CHECKING:
    from orchestrator.backends.host import Host

Options = Mapping[str, Any]
"""Option's name -> what was given, None or no entry if nothing was. Its values can be pickled."""
Check = Callable[[Cell], Iterator[Problem]]
"""Every reason why a cell cannot be run, each with its place and the remedy, the first one first."""


class CellFolder(Protocol):
    """The folder of one run of one cell; `logs` in it is the home of its processes."""

    directory: Path
    logs: Path


class Runner(Protocol):
    """Conducts the run of one cell, and gives what it left; from several threads."""

    def __call__(self, cell: Cell, folder: CellFolder, collect: Callable[[Collected], None]) -> None: ...


class Recorded(Session, Protocol):
    """A session that can be ended from outside, and whose evidence can be had in the end."""

    def interrupt(self) -> None: ...

    def collect(self) -> Collected:
        """Read every journal and ledger. Raises JournalError or LedgerError: the evidence is broken."""


class Option(NamedTuple):
    """An option of `faultbed run`: `image` is --image on the command line.

    `file`: it is the path of one. `read` makes of it what the backend is given. `missing` is what is said where the
    backend cannot do without it.
    """

    name: str
    help: str
    metavar: str | None = None
    variable: str | None = None
    file: bool = False
    read: Callable[[Any], Any] | None = None
    missing: str | None = None


class Finding(NamedTuple):
    """Something that this machine can do or cannot. `needed`: nothing runs on the local backend without it."""

    subject: str
    works: bool
    detail: str
    needed: bool = False


def unless(subject: str, reason: str | None) -> Finding:
    """It is available, unless there is a reason why not."""
    return Finding(subject, reason is None, reason or "available")


class Swept(NamedTuple):
    """What killed runs had left, a line each: what was removed, and what could not be."""

    done: Sequence[str] = ()
    left: Sequence[str] = ()


Hosts = Callable[[Path], AbstractContextManager[Mapping[str, "Host"]]]


def _nothing(cell: Cell) -> Iterator[Problem]:
    return iter(())


class Ready(NamedTuple):
    """A backend with its options, connected to what is there already; nothing is started yet.

    `open` makes what its cells share -> what runs them; it raises SessionError where that cannot be had, or could not
    be undone. `hosts`: the places where a part of ours can be started by itself, by their names, "" where there is one;
    what they leave goes into a folder. None: there are none.
    """

    backend: str
    options: Options
    open: Callable[[Interrupts], AbstractContextManager[Runner]]
    problems: Check = _nothing
    hosts: Hosts | None = None


class Backend(NamedTuple):
    """`place` orders what is told of several; `about` says in a few words what it runs on, None if it is no user's
    choice. `connect` raises SessionError where what should be there already is not.

    `performs`: it performs what nodes do by itself, and no node has an engine for it. `engine`: what the Docker engine
    says of itself if these cells use one, None if they do not. `findings`: what of it
    works on this machine. `sweep` removes what killed runs left of its own; it raises SessionError where it cannot be
    looked for.
    """

    name: str
    place: int
    about: str | None
    problems: Check
    connect: Callable[[Options], AbstractContextManager[Ready]]
    options: tuple[Option, ...] = ()
    performs: bool = False
    engine: Callable[[Sequence[Cell]], dict[str, str] | None] = lambda cells: None
    findings: Callable[[], Iterator[Finding]] = lambda: iter(())
    sweep: Callable[[], Swept] = Swept


Opener = Callable[[Options, Interrupts], AbstractContextManager[Runner]]


def unconnected(
    name: str, open: Opener, hosts: Hosts | None = None
) -> Callable[[Options], AbstractContextManager[Ready]]:
    """`connect` of a backend that needs nothing to be there already."""
    return lambda options: nullcontext(Ready(name, options, partial(open, options), hosts=hosts))
