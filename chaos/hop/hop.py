"""PURE: one link's hop: bytes in, effects out, every decision noted.

Rules of this file:

1. A call notes what was decided before it returns the effects, so evidence is written before bytes move.
2. A message that goes on later than it came, or a second time, is a RELEASE. It takes its own connection while
   both directions of that are open; otherwise a request is injected, and a reply is lost (act "lost").
3. A stream's end overtakes messages that are kept back, except those in front of a slow path, which stays in order.
4. While every decision is to pass, the bytes that go out are the bytes that came in. Message boundaries may delay
   them, nothing else does.
5. What would be kept beyond a bound passes as if nothing had been decided, and the bound is noted. In front of a slow
   path whoever sends a stream has to wait, and datagrams are lost.
6. Over a stream a message of which only a part was forwarded does not count as passed; a datagram always does.
7. Nothing comes between the pieces of a message: what follows on its stream waits, undecided, and is read no more.

Times are nanoseconds of the caller's monotonic clock. The same hop serves sockets and the simulator.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from chaos.decisions import (
    PASS,
    PASSED,
    Alter,
    Awaits,
    Copy,
    Cut,
    Decide,
    Decision,
    Drop,
    Half,
    Keep,
    Pass,
    Slice,
    has_turns,
    keeps,
    passing,
)
from chaos.framers import Framers, Message
from chaos.hop.alter import flipped
from chaos.hop.effects import Effect
from chaos.hop.kept import COST, LARGEST, Closing, Kept, Shelf, Timetable
from chaos.hop.lines import Lines, Waiting
from chaos.hop.notes import Notes
from chaos.hop.occurrences import Occurrences
from chaos.hop.outlet import Outlet
from chaos.hop.pace import Pace
from chaos.hop.path import Path
from chaos.identity import Chunk, Direction, Key
from nodes.wire.record import Kind, Note

_FULL = f"no room to keep a message back: at most {LARGEST} bytes of one link are"
_FORGOTTEN = "copies of the messages of half of the clients are counted no more"


class Status(NamedTuple):
    """`held` wait for an event, `pending` for a time; `connections` are streams; `passed` counts identified requests
    by upstream epoch."""

    held: int
    pending: int
    connections: int
    passed: dict[int, int]


class Hop:
    """One link. `framers` makes fresh framers, of which every connection has one per direction; `decide` says what
    happens to a message, given which of the `rules` are on: at first those that are `active`.

    Every input returns its effects.
    """

    def __init__(
        self,
        link: str,
        framers: Callable[[], Framers],
        decide: Decide,
        rules: Collection[int],
        active: Collection[int],
        note: Note,
        *,
        stream: bool,
    ) -> None:
        self.link = link
        self.notes = Notes(link, note)
        self.rules = tuple(rules)
        self._decide = decide
        self._framers = framers
        self._active = set(active)
        self._stream = stream
        self._out = Outlet(stream=stream)
        self._up = False
        self._healed = False
        self._now = 0  # the time of the latest input that has one
        self._occurrences = Occurrences(lambda: self.notes.cut_off(_FORGOTTEN))
        self._shelf = Shelf()
        self._timetable = Timetable()
        self._lines = Lines()
        self._paces: dict[tuple[int | None, Direction], Pace] = {}
        self.backlog: Callable[[], int] = lambda: 0
        """Bytes of what went on that its receivers have not taken: whoever performs the effects says how many. What
        was kept back comes due all the same, so they count as kept."""

    # Inputs: the path

    def opened(self, connection: int) -> None:
        """A client's connection, or over UDP the first datagram from its address. Numbers are never used again."""
        self._out.paths[connection] = Path(connection, self._framers)

    def received(self, connection: int, direction: Direction, data: bytes, now: int) -> list[Effect]:
        """Bytes of a stream, or one datagram."""
        self._now = now
        path = self._out.paths.get(connection)
        if path is not None and path.open[direction]:
            framer = path.framers[direction]
            for message in framer.feed(data, direction):
                if not path.open[direction]:  # an earlier message cut the connection
                    break
                self._arrive(path, message)
            if framer.problem is not None and direction not in path.unidentified:
                path.unidentified.add(direction)
                self.notes.unidentified(connection, direction, framer.problem)
        return self._out.done()

    def ended(self, connection: int, direction: Direction, now: int) -> list[Effect]:
        """The sender of that direction sends no more: end of file was read."""
        self._now = now
        path = self._out.paths.get(connection)
        if path is not None and path.open[direction]:
            rest = path.framers[direction].pending()
            if rest:
                self._arrive(path, Message(rest, direction, None, None, None, None, slice(0, 0)))
            self._close(path, direction)
        return self._out.done()

    def lost(self, connection: int) -> None:
        """The connection is gone: reset, or the upstream could not be connected to."""
        path = self._out.paths.pop(connection, None)
        if path is not None:
            path.close()

    def broken(self, connection: int, reason: str) -> list[Effect]:
        """What came of that connection could not be dealt with: a stream ends, a datagram is lost."""
        self.notes.broken(connection, reason)
        path = self._out.paths.get(connection)
        if self._stream and path is not None:
            self._out.end(path)
        return self._out.done()

    def upstream(self, up: bool, epoch: int) -> list[Effect]:
        """The server died, or is ready in `epoch`. While it is down its streams are ended and its datagrams lost."""
        self.notes.upstream(up, epoch)
        self._up, self._out.epoch = up, epoch
        if up:
            self._release(self._shelf.take(lambda kept: kept.epoch < epoch, (Awaits.EPOCH, None)))
        elif self._stream:
            for path in list(self._out.paths.values()):
                self._out.end(path)
        return self._out.done()

    # Inputs: time and rules

    def next_time(self) -> int | None:
        """When `tick` has something to do."""
        return self._timetable.next_time()

    def tick(self, now: int) -> list[Effect]:
        self._now = now
        self._release(self._timetable.take(now))
        return self._out.done()

    def rule(self, index: int, active: bool) -> list[Effect]:
        """Switch a rule of this link. After heal nothing can be switched on."""
        if self._switch(index, active and not self._healed) and not active:
            self._release(self._timetable.take_turns(index))
        return self._out.done()

    def release(self, index: int) -> list[Effect]:
        """The trigger of a hold has come: what it held goes on, and it holds nothing more."""
        self._switch(index, False)
        self._release(self._shelf.take(lambda kept: kept.rule == index, (Awaits.RELEASE, None)))
        return self._out.done()

    def heal(self) -> list[Effect]:
        """Everything passes for good, and what was kept back goes on."""
        self._healed, self._decide = True, passing
        for rule in self.rules:
            self._switch(rule, False)
        self._release(self._timetable.take_all())
        self._release(self._shelf.take_all())
        return self._out.done()

    def status(self) -> Status:
        streams = len(self._out.paths) if self._stream else 0
        pending = len(self._timetable) + len(self._lines)
        return Status(len(self._shelf), pending, streams, dict(self._out.passed))

    # What is decided

    def _arrive(self, path: Path, message: Message) -> None:
        if self._lines.open and self._lines.put(path, message.direction, message):
            return
        if message.direction == "reply" and self._shelf.cost:
            self._release(self._shelf.take(lambda kept: kept.is_answered_by(message), (Awaits.REPLY, message.client)))
        key = self._key(path, message)
        rule, decision = self._decide(key, self._active)
        if decision is not PASS and not self._has_room(decision, message):
            if has_turns(decision):
                self.notes.decision(key, path.connection, rule, None)
                return
            rule, decision = PASSED
        if not self._up and message.direction == "request" and not isinstance(decision, (Drop, Keep)):
            self.notes.decision(key, path.connection, None, None)
            return
        self.notes.decision(key, path.connection, rule, decision)
        if decision is PASS:
            self._pass(path, message)
        else:
            self._do(decision, rule, path, message, key)

    def _key(self, path: Path, message: Message) -> Key | Chunk:
        _, direction, client, seq, attempt, first, _ = message
        if client is None or seq is None or attempt is None:
            path.chunks[direction] += 1
            return Chunk(self.link, direction, path.connection, path.chunks[direction])
        occurrence = self._occurrences.count(direction, client, seq, attempt, first)
        return Key(self.link, direction, client, seq, attempt, occurrence)

    def _has_room(self, decision: Decision, message: Message) -> bool:
        """Rule 5."""
        if not keeps(decision) or (self._stream and has_turns(decision)):
            return True
        kept = self._shelf.cost + self._timetable.cost + self._lines.cost + self.backlog()
        has = kept + len(message.data) + COST <= LARGEST
        (self.notes.within if has else self.notes.cut_off)(_FULL)
        return has

    def _do(self, decision: Decision, rule: int | None, path: Path, message: Message, key: Key | Chunk) -> None:
        match decision:
            case Pass():
                self._pass(path, message)
            case Drop():
                pass
            case Keep(awaits):
                self._keep(Kept(message, path, key, rule, decision, awaits, self._out.epoch), decision)
            case Copy(awaits):
                self._pass(path, message)
                copy = Kept(message, path, key, rule, decision, awaits or Awaits.TIME, self._out.epoch)
                (self._shelf.put if awaits else self._go_on)(copy)
            case Alter(bits):
                self._out.forward(path, message, flipped(message, bits))
                self._passed_by(message)
            case Half():
                self._out.forward_half(path, message)
            case Cut(place):
                self._cut(place, path, message)
            case Slice(size):
                self._slice(Kept(message, path, key, rule, decision, Awaits.TIME, self._out.epoch), size)

    def _keep(self, kept: Kept, decision: Keep) -> None:
        if decision.awaits is Awaits.TIME:
            self._timetable.put(self._now + decision.by, kept)
        elif decision.awaits is Awaits.TURN:
            self._timetable.put(self._queue(kept, decision.bytes_per_second), kept)
        else:
            self._shelf.put(kept)

    def _cut(self, place: str, path: Path, message: Message) -> None:
        if place == "within":
            self._out.forward_half(path, message)
            return
        if place == "after":
            self._pass(path, message)
        self._out.end(path)

    def _queue(self, kept: Kept, bytes_per_second: int) -> int:
        """-> when the message has gone through a path of that rate, one after another."""
        connection, direction = kept.path.connection, kept.message.direction
        pace = self._paces.setdefault((kept.rule, direction), Pace(bytes_per_second))
        due = pace.enter(len(kept.message.data), self._now)
        if self._stream and pace.full and connection not in pace.paused:
            pace.paused.add(connection)
            self._out.pause(connection, direction)
        return due

    def _slice(self, kept: Kept, size: int) -> None:
        if len(kept.message.data) <= size:
            self._pass(kept.path, kept.message)
            return
        self._lines.begin(kept.path, kept.message.direction)
        self._out.pause(kept.path.connection, kept.message.direction)
        self._go_on(kept)

    # Going on

    def _pass(self, path: Path, message: Message) -> None:
        self._out.forward(path, message, message.data)
        self._passed_by(message)

    def _passed_by(self, message: Message) -> None:
        """What waited for this message to pass goes behind it."""
        if self._shelf.cost:
            drawers = (Awaits.NEXT, message.client), (Awaits.TRIM, message.client)
            self._release(self._shelf.take(lambda kept: kept.follows(message), *drawers))

    def _release(self, due: Sequence[Kept | Closing]) -> None:
        for item in due:
            if isinstance(item, Closing):
                self._close(item.path, item.direction)
                continue
            self._go_on(item)
            if item.awaits is Awaits.TURN:
                pace = self._paces[item.rule, item.message.direction]
                for connection in pace.leave(len(item.message.data)):
                    self._out.resume(connection, item.message.direction)

    def _go_on(self, kept: Kept) -> None:
        message, path = kept.message, kept.path
        if isinstance(kept.decision, Slice):
            self._go_on_slicing(kept, kept.decision)
            return
        copy = isinstance(kept.decision, Copy)
        own = path.open["reply"] and (message.direction == "reply" or path.open["request"])
        # A piece without identity means nothing on another connection.
        possible = self._up and (own or message.client is not None) if message.direction == "request" else own
        forwards = possible and own and kept.awaits is not Awaits.EPOCH
        if forwards and self._lines.open and self._lines.put(path, message.direction, kept):
            return
        key = kept.key._replace(occurrence=kept.key.occurrence + 1) if copy and isinstance(kept.key, Key) else kept.key
        self._released(kept, key, possible)
        if forwards:
            self._out.forward(path, message, message.data)
        elif possible:
            self._out.inject(message)
        if possible and not copy:
            self._passed_by(message)

    def _go_on_slicing(self, kept: Kept, decision: Slice) -> None:
        """The next piece, or at heal the rest. Behind the last one goes what waited for it."""
        message, path = kept.message, kept.path
        stop = len(message.data) if self._healed else kept.sent + decision.size
        whole = path.open[message.direction]
        if whole and stop < len(message.data):
            self._out.forward_part(path, message, message.data[kept.sent : stop])
            self._timetable.put(self._now + decision.gap, kept._replace(sent=stop))
            return
        waiting = self._lines.end(path, message.direction)
        self._released(kept, kept.key, whole)
        if whole:
            self._out.forward(path, message, message.data[kept.sent :])
            self._passed_by(message)
        for item in waiting:
            self._come_again(item, path)
        self._out.resume(path.connection, message.direction)

    def _come_again(self, item: Waiting, path: Path) -> None:
        if isinstance(item, Kept):
            self._go_on(item)
        elif isinstance(item, Closing):
            self._close(path, item.direction)
        elif path.open[item.direction]:
            self._arrive(path, item)

    def _released(self, kept: Kept, key: Key | Chunk, went: bool) -> None:
        self.notes.message(Kind.RELEASE, key, {"rule": kept.rule, "act": kept.decision.act if went else "lost"})

    def _close(self, path: Path, direction: Direction) -> None:
        """The end of a direction: behind what is in pieces, and what waits for its turn."""
        if self._lines.open and self._lines.put(path, direction, Closing(path, direction, None)):
            return
        queued = self._timetable.last_turn(path, direction)
        if queued is None:
            self._out.finish(path, direction)
        else:
            due, rule = queued
            self._timetable.put(due, Closing(path, direction, rule))

    # Rules, notes

    def _switch(self, index: int, active: bool) -> bool:
        """-> whether that changed anything."""
        if active == (index in self._active):
            return False
        if active:
            self._active.add(index)
        else:
            self._active.discard(index)
        self.notes.switched(index, active)
        return True
