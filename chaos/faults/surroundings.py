"""PURE: what a fault is told of the cell that it stands in, to say what is impossible there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from chaos.problem import Path, Problem, repeated
from nodes.wire.header import turn

if TYPE_CHECKING:
    from chaos.faults.fault import Fault


class Caller(Protocol):
    """A client node, of so many processes that make so many calls each."""

    @property
    def calls(self) -> int: ...
    @property
    def clients(self) -> int: ...
    @property
    def last_before_heal(self) -> int: ...


class Way(Protocol):
    """A link, from a client node to a server."""

    @property
    def name(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def target(self) -> str: ...
    @property
    def via(self) -> str: ...
    @property
    def transport(self) -> str: ...


class Surroundings(Protocol):
    @property
    def servers(self) -> Mapping[str, object]: ...
    @property
    def clients(self) -> Mapping[str, Caller]: ...
    @property
    def links(self) -> Sequence[Way]: ...
    @property
    def faults(self) -> Sequence[Fault]: ...


class ForeignLink(NamedTuple):
    """A link of a system that is not ours: what can be done to messages in its protocol, and whether they name the
    operations of the driver."""

    name: str
    framer: str
    possible: frozenset[str]
    identified: bool


def last_over(cell: Surroundings, way: Way) -> int:
    """The last operation before heal that takes the link, since operations take those of their client in turn; or 0."""
    caller = cell.clients.get(way.source)
    own = [link.name for link in cell.links if link.source == way.source]
    numbers = range(caller.last_before_heal if caller else 0, 0, -1)
    return next((seq for seq in numbers if own[turn(seq, len(own))] == way.name), 0)


def operations(caller: Caller, chosen: Sequence[int], path: Path) -> Iterator[Problem]:
    """Whether the client makes them, before heal."""
    last = caller.last_before_heal
    yield from repeated(path, chosen)
    if not chosen:
        yield Problem(path, "an empty list; expected the operations that the fault is to hit")
    for operation in chosen:
        if not 1 <= operation <= caller.calls:
            yield Problem(path, f"operation {operation} of {caller.calls} calls; operations count from 1")
        elif operation > last:
            most = f"at most {last}" if last else f"fewer than all {caller.calls} calls in after_heal"
            yield Problem(path, f"operation {operation} comes after heal, when faults are over; expected {most}")
