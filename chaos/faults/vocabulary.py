"""PURE: the vocabulary of faults. One value per fault of a scenario; the names are the scenario's keys.

It is what the rooms beside this file have: a class with a `verb` is a word, and its base classes say which planes
perform it; what `partition` and `rate` do depends on what their link goes through. Durations are milliseconds unless a
field says otherwise. Triggers are strings, "<subject> <event> [<number>]": "server ready 2" (epoch), "server down 1"
(epoch), "client gate 5", "client attempt 5", "client ok 5" (operation), "healed", and, for a fault with a name,
"<name> on" and "<name> off".
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar, Union

from chaos.faults import messages, packets, paths, peers, processes, rooms, streams
from chaos.faults.fault import Fault

ROOMS = (messages, paths, streams, packets, processes, peers)
F = TypeVar("F", bound=Fault)

FAULTS: MappingProxyType[str, type[Fault]] = MappingProxyType({kind.verb: kind for kind in rooms.words(*ROOMS)})
"""Verb -> its fault."""

if TYPE_CHECKING:
    AnyFault = Fault
else:
    AnyFault = Union[tuple(FAULTS.values())]  # noqa: UP007
    """What a validator and a schema see."""


def kinds(base: type[F]) -> dict[str, type[F]]:
    """The words that are of this class, by the names that they travel under."""
    return rooms.kinds(base, *ROOMS)
