"""PURE: what every fault says of itself, and the planes that perform it by the class that it is of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from chaos.faults.models import Brings, Model
from chaos.faults.surroundings import ForeignLink, Surroundings, Way
from chaos.faults.window import BOTH, Window
from chaos.identity import Direction, Key
from chaos.problem import Problem
from nodes.wire.transports import TRANSPORTS

if TYPE_CHECKING:
    from chaos.faults.processes import ProcessFault


class Fault(Window):
    """One that has a `verb` is a word of the vocabulary: its verb is its key in a scenario."""

    verb: ClassVar[str]
    brings: ClassVar[Brings]
    """The failure models of its bites, where neither its values nor its plane change them."""
    lasting: ClassVar[bool] = True
    """Whether it is on for a time, so that its end can be waited for."""
    punctual: ClassVar[bool] = False
    """Whether it keeps messages, each of them for a time."""
    alters: ClassVar[bool] = False
    """Whether a receiver may take for data what it altered, since no checksum tells."""
    consumes: ClassVar[bool] = False
    """Whether the messages that it chooses are lost, and nothing else is done to their link."""
    samples: ClassVar[bool] = False
    """Whether its bite shows in what the server used."""
    by_client: ClassVar[bool] = False
    """Whether the client of its link performs it, whatever that goes through."""
    discipline: ClassVar[Literal["", "netem", "tbf"]] = ""
    """What of the kernel's traffic control performs it on packets; "": not that."""

    @property
    def title(self) -> str:
        """In few words: "drop request", "kill at before-commit"."""
        which = self.directions
        return f"{self.verb} {which[0] if len(which) == 1 else 'both'}"

    @property
    def act(self) -> str:
        """What its plane calls that on record."""
        return self.verb

    @property
    def passes_first(self) -> bool:
        """Whether it lets the message pass whole before it does anything."""
        return False

    @property
    def on_link(self) -> str | None:
        """The link that it is on; None for one that is on a process, or on no one link."""
        link: str | None = getattr(self, "link", None)
        return link

    @property
    def apart(self) -> frozenset[tuple[str, str]]:
        """Every (sender, receiver) that cannot reach one another, of one that is on no one link. Raises ValueError for
        nodes of which its shape cannot be made."""
        return frozenset()

    @property
    def on_process(self) -> ProcessFault | None:
        """Itself, if it is done to a process."""
        return None

    @property
    def beside(self) -> int:
        """How many connections it opens on its link, beside those of calls."""
        return 0

    @property
    def asks(self) -> bool:
        """Whether it makes the server of its link do what nobody's operation wants."""
        return False

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Those of the messages that meet it."""
        return BOTH

    @property
    def numbers(self) -> tuple[int, ...]:
        """The operations that it lists."""
        return ()

    @property
    def by_chance(self) -> bool:
        """Whether it leaves some of what it meets alone: then it names only what it bit."""
        return False

    @property
    def keeps_open(self) -> bool:
        """Whether it can keep a call open for as long as it is on: every attempt meets it, none of them by chance."""
        return False

    @property
    def released_at(self) -> str | None:
        """The trigger at which what it keeps goes on."""
        return None

    def models(self, *, datagrams: bool, packets: bool) -> tuple[Model, ...]:
        """The failure models of its bites, over datagrams or a stream. `packets`: the kernel does it to them."""
        return self.brings.datagrams if datagrams else self.brings.streams

    def at_one(self, key: Key, clients: tuple[int, ...] | None, kept: int) -> Fault | None:
        """What does to this message alone what it did to it, which it kept for so many milliseconds; None: nothing can.
        `clients`: the process whose it is, None where there is but one."""
        return None

    def problems(self) -> Iterator[Problem]:
        """What is impossible about it wherever it is, such as a number."""
        yield from ()

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        """What is impossible about it in this cell, where its link is there and goes through its plane."""
        yield from ()

    def problems_in_system(self, link: ForeignLink | None) -> Iterator[Problem]:
        """What is impossible about it in a system that is not ours. `link` is the one that it is on."""
        yield from ()

    def way(self, cell: Surroundings) -> Way | None:
        """The link that it is on, if it is there."""
        return next((link for link in cell.links if link.name == self.on_link), None)


class RelayFault(Fault):
    """Performed by the relay, on the messages of its link."""

    of_streams: ClassVar[str] = ""
    """Why datagrams cannot have it, "" if they can."""
    keeps: ClassVar[bool] = False
    """Whether the message passes later, whole."""

    if TYPE_CHECKING:

        @property
        def link(self) -> str: ...

    @property
    def probability(self) -> float | None:
        """The share of what it names; None: all of it."""
        return None

    @property
    def needs_identity(self) -> bool:
        """Whether it can say nothing of a message that is nobody's operation."""
        return False

    def names(self, process: int, seq: int, attempt: int, occurrence: int) -> bool:
        """Whether it speaks of this copy of an operation's message, before chance is asked."""
        return True

    def names_operation(self, process: int, seq: int) -> bool:
        """Whether it names the operation by its number, whatever becomes of its messages."""
        return False

    def problems_in(self, cell: Surroundings) -> Iterator[Problem]:
        if self.of_streams and (way := self.way(cell)) and TRANSPORTS[way.transport].bounded:
            message = f"{self.link} is {way.transport}, {self.of_streams}; expected transport: tcp"
            yield Problem((self.verb,), message)


class ToxicFault(Fault):
    """Performed by Toxiproxy, on the byte streams of its link."""

    if TYPE_CHECKING:

        @property
        def link(self) -> str: ...


class PacketFault(Fault):
    """Performed by the kernel, on the packets of its direct link, or between nodes."""
