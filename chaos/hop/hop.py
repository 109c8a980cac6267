"""PURE: one link's hop: bytes in, effects out, every decision noted.

Rules of this file:

1. A call notes what it decided before it returns the effects, so evidence is written before bytes move.
2. A message that goes on later than it came, or a second time, is a RELEASE. It takes its own connection while
   both directions of that are open; otherwise a request is injected, and a reply is lost (act "lost").
3. A stream's end overtakes messages that a rule keeps back, except those of a rate: a slow path stays in order.
4. Without an active rule the bytes that go out are the bytes that came in. Message boundaries may delay them,
   nothing else does.
5. What a rule would keep beyond a bound passes as if there were no rule, and the bound is noted. In front of a slow
   path whoever sends a stream has to wait, and datagrams are lost.
6. Over a stream a message of which only a part was forwarded does not count as passed; a datagram always does.

Times are nanoseconds of the caller's monotonic clock. The same hop serves sockets and the simulator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from chaos.decide import Chunk, Key, Rule, act, decide, draw, share
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.faults.vocabulary import RelayFault
from chaos.faults.window import Direction
from chaos.framers import Framers, Message
from chaos.hop.alter import flipped, half
from chaos.hop.effects import Effect, End, Finish, Forward, Inject, Pause, Resume
from chaos.hop.kept import COST, LARGEST, Awaits, Closing, Kept, Shelf, Timetable
from chaos.hop.notes import Note, Notes
from chaos.hop.occurrences import Occurrences
from chaos.hop.pace import Pace
from chaos.hop.path import Path
from chaos.hop.supported import require_supported
from nodes.wire.record import Kind

MILLISECOND = 1_000_000

_COPY_AWAITS = {"at-reply": Awaits.REPLY, "after-trim": Awaits.TRIM, "next-epoch": Awaits.EPOCH}
_AT_ONCE = (Duplicate, Corrupt, Truncate, Cut)
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
    """One link. `framers` makes fresh framers, of which every connection has one per direction.

    Raises Unsupported for a rule that the framer's protocol does not allow. Every input returns its effects.
    """

    def __init__(
        self,
        link: str,
        framers: Callable[[], Framers],
        rules: Sequence[Rule],
        active: Collection[int],
        seed: int,
        note: Note,
        *,
        stream: bool,
    ) -> None:
        self.link = link
        self.notes = Notes(link, note)
        self.rules = tuple(rules)
        self._framers = framers
        self._active = set(active)
        self._seed = seed
        self._stream = stream
        self._up = False
        self._epoch = 0
        self._healed = False
        self._paths: dict[int, Path] = {}
        self._occurrences = Occurrences(lambda: self.notes.cut_off(_FORGOTTEN))
        self._passed: Counter[int] = Counter()
        self._shelf = Shelf()
        self._timetable = Timetable()
        self._paces: dict[tuple[int, Direction], Pace] = {}
        self._effects: list[Effect] = []
        self.backlog: Callable[[], int] = lambda: 0
        """Bytes of what went on that its receivers have not taken: whoever performs the effects says how many. What
        was kept back comes due all the same, so they count as kept."""
        require_supported(link, self.rules, framers()["request"])

    # Inputs: the path

    def opened(self, connection: int) -> None:
        """A client's connection, or over UDP the first datagram from its address. Numbers are never used again."""
        self._paths[connection] = Path(connection, self._framers)

    def received(self, connection: int, direction: Direction, data: bytes, now: int) -> list[Effect]:
        """Bytes of a stream, or one datagram."""
        path = self._paths.get(connection)
        if path is not None and path.open[direction]:
            framer = path.framers[direction]
            for message in framer.feed(data, direction):
                if not path.open[direction]:  # an earlier message cut the connection
                    break
                self._arrive(path, message, now)
            if framer.problem is not None and direction not in path.unidentified:
                path.unidentified.add(direction)
                self.notes.unidentified(connection, direction, framer.problem)
        return self._done()

    def ended(self, connection: int, direction: Direction, now: int) -> list[Effect]:
        """The sender of that direction sends no more: end of file was read."""
        path = self._paths.get(connection)
        if path is not None and path.open[direction]:
            rest = path.framers[direction].pending()
            if rest:
                self._arrive(path, Message(rest, direction, None, None, None, None, slice(0, 0)), now)
            queued = self._timetable.last(path, direction, "rate")
            if queued is None:
                self._finish(path, direction)
            else:
                due, rule = queued
                self._timetable.put(due, Closing(path, direction, rule))
        return self._done()

    def lost(self, connection: int) -> None:
        """The connection is gone: reset, or the upstream could not be connected to."""
        path = self._paths.pop(connection, None)
        if path is not None:
            path.close()

    def broken(self, connection: int, reason: str) -> list[Effect]:
        """What came of that connection could not be dealt with: a stream ends, a datagram is lost."""
        self.notes.broken(connection, reason)
        path = self._paths.get(connection)
        if self._stream and path is not None:
            self._end(path)
        return self._done()

    def upstream(self, up: bool, epoch: int) -> list[Effect]:
        """The server died, or is ready in `epoch`. While it is down its streams are ended and its datagrams lost."""
        self.notes.upstream(up, epoch)
        self._up, self._epoch = up, epoch
        if up:
            self._release(self._shelf.take(lambda kept: kept.epoch < epoch, (Awaits.EPOCH, None)))
        elif self._stream:
            for path in list(self._paths.values()):
                self._end(path)
        return self._done()

    # Inputs: time and rules

    def next_time(self) -> int | None:
        """When `tick` has something to do."""
        return self._timetable.next_time()

    def tick(self, now: int) -> list[Effect]:
        self._release(self._timetable.take(now))
        return self._done()

    def rule(self, index: int, active: bool) -> list[Effect]:
        """Switch a rule of this link. After heal nothing can be switched on."""
        if self._switch(index, active and not self._healed) and not active and self._is_rate(index):
            self._release(self._timetable.take_rule(index))
        return self._done()

    def release(self, index: int) -> list[Effect]:
        """The trigger of a hold has come: what it held goes on, and it holds nothing more."""
        self._switch(index, False)
        self._release(self._shelf.take(lambda kept: kept.rule == index, (Awaits.RELEASE, None)))
        return self._done()

    def heal(self) -> list[Effect]:
        """All rules are off for good, and everything kept back goes on."""
        self._healed = True
        for rule in self.rules:
            self._switch(rule.index, False)
        self._release(self._timetable.take_all())
        self._release(self._shelf.take_all())
        return self._done()

    def status(self) -> Status:
        streams = len(self._paths) if self._stream else 0
        return Status(len(self._shelf), len(self._timetable), streams, dict(self._passed))

    # Deciding

    def _arrive(self, path: Path, message: Message, now: int) -> None:
        if message.direction == "reply" and self._shelf.cost:
            self._release(self._shelf.take(lambda kept: kept.is_answered_by(message), (Awaits.REPLY, message.client)))
        key = self._key(path, message)
        rule = decide(self._seed, self.rules, key, self._active)
        if rule is not None and not self._has_room(rule.fault, message):
            if isinstance(rule.fault, Rate):
                self._decided(path, key, rule.index, "lost")
                return
            rule = None
        if not self._up and message.direction == "request" and (rule is None or isinstance(rule.fault, _AT_ONCE)):
            self._decided(path, key, None, "lost")
        elif rule is None:
            self._decided(path, key, None, "pass")
            self._pass(path, message)
        else:
            self._decided(path, key, rule.index, act(rule.fault))
            self._do(rule, path, message, key, now)

    def _key(self, path: Path, message: Message) -> Key | Chunk:
        _, direction, client, seq, attempt, first, _ = message
        if client is None or seq is None or attempt is None:
            path.chunks[direction] += 1
            return Chunk(self.link, direction, path.connection, path.chunks[direction])
        occurrence = self._occurrences.count(direction, client, seq, attempt, first)
        return Key(self.link, direction, client, seq, attempt, occurrence)

    def _has_room(self, fault: RelayFault, message: Message) -> bool:
        """Rule 5."""
        if not _keeps(fault) or (self._stream and isinstance(fault, Rate)):
            return True
        kept = self._shelf.cost + self._timetable.cost + self.backlog()
        has = kept + len(message.data) + COST <= LARGEST
        (self.notes.within if has else self.notes.cut_off)(_FULL)
        return has

    def _decided(self, path: Path, key: Key | Chunk, rule: int | None, name: str) -> None:
        self.notes.message(Kind.DECISION, key, {"connection": path.connection, "rule": rule, "act": name})

    def _do(self, rule: Rule, path: Path, message: Message, key: Key | Chunk, now: int) -> None:
        fault = rule.fault
        match fault:
            case Drop() | Partition():
                pass
            case Duplicate():
                self._pass(path, message)
                self._copy(rule, fault, path, message, key)
            case Reorder():
                self._shelf.put(self._kept(rule, path, message, key, Awaits.NEXT))
            case Hold():
                self._shelf.put(self._kept(rule, path, message, key, Awaits.RELEASE))
            case Delay():
                jitter = share(self._seed, rule.index, key, "jitter") * fault.jitter
                due = now + int((fault.by + jitter) * MILLISECOND)
                self._timetable.put(due, self._kept(rule, path, message, key, Awaits.TIME))
            case Rate():
                due = self._queue(rule.index, fault, path, message, now)
                self._timetable.put(due, self._kept(rule, path, message, key, Awaits.TIME))
            case Corrupt():
                self._forward(path, message, flipped(message, draw(self._seed, rule.index, key, "corrupt")))
                self._passed_by(message)
            case Truncate():
                self._forward_half(path, message)
            case Cut():
                self._cut(fault, path, message)

    def _copy(self, rule: Rule, fault: Duplicate, path: Path, message: Message, key: Key | Chunk) -> None:
        awaits = _COPY_AWAITS.get(fault.copy, Awaits.TIME)
        copy = self._kept(rule, path, message, key, awaits)
        if awaits is Awaits.TIME:
            self._go_on(copy)
        else:
            self._shelf.put(copy)

    def _cut(self, fault: Cut, path: Path, message: Message) -> None:
        if fault.cut == "within":
            self._forward_half(path, message)
            return
        if fault.cut == "after":
            self._pass(path, message)
        self._end(path)

    def _queue(self, index: int, fault: Rate, path: Path, message: Message, now: int) -> int:
        """-> when the message has gone through a path of that rate, one after another."""
        pace = self._paces.setdefault((index, message.direction), Pace(fault.bytes_per_second))
        due = pace.enter(len(message.data), now)
        if self._stream and pace.full and path.connection not in pace.paused:
            pace.paused.add(path.connection)
            self._effects.append(Pause(path.connection, message.direction))
        return due

    def _kept(self, rule: Rule, path: Path, message: Message, key: Key | Chunk, awaits: Awaits) -> Kept:
        return Kept(message, path, key, rule.index, act(rule.fault), awaits, self._epoch)

    # Going on

    def _pass(self, path: Path, message: Message) -> None:
        self._forward(path, message, message.data)
        self._passed_by(message)

    def _passed_by(self, message: Message) -> None:
        """What waited for this message to pass goes behind it."""
        if self._shelf.cost:
            drawers = (Awaits.NEXT, message.client), (Awaits.TRIM, message.client)
            self._release(self._shelf.take(lambda kept: kept.follows(message), *drawers))

    def _release(self, due: Sequence[Kept | Closing]) -> None:
        for item in due:
            if isinstance(item, Closing):
                self._finish(item.path, item.direction)
                continue
            self._go_on(item)
            pace = self._paces.get((item.rule, item.message.direction))
            if pace is not None:
                woken = pace.leave(len(item.message.data))
                self._effects += [Resume(connection, item.message.direction) for connection in woken]

    def _go_on(self, kept: Kept) -> None:
        message, path = kept.message, kept.path
        copy = kept.act == "duplicate"
        own = path.open["reply"] and (message.direction == "reply" or path.open["request"])
        # A piece without identity means nothing on another connection.
        possible = self._up and (own or message.client is not None) if message.direction == "request" else own
        key = kept.key._replace(occurrence=kept.key.occurrence + 1) if copy and isinstance(kept.key, Key) else kept.key
        self.notes.message(Kind.RELEASE, key, {"rule": kept.rule, "act": kept.act if possible else "lost"})
        if possible and own and kept.awaits is not Awaits.EPOCH:
            self._forward(path, message, message.data)
        elif possible:
            self._count(message)
            self._effects.append(Inject(message.data))
        if possible and not copy:
            self._passed_by(message)

    def _forward(self, path: Path, message: Message, data: bytes) -> None:
        self._count(message)
        self._effects.append(Forward(path.connection, message.direction, data))

    def _forward_half(self, path: Path, message: Message) -> None:
        """Rule 6. Half of a stream's message can only be followed by the end."""
        if self._stream:
            self._effects.append(Forward(path.connection, message.direction, half(message.data)))
            self._end(path)
        else:
            self._forward(path, message, half(message.data))

    def _count(self, message: Message) -> None:
        if message.direction == "request" and message.client is not None:
            self._passed[self._epoch] += 1

    def _finish(self, path: Path, direction: Direction) -> None:
        if not path.open[direction]:
            return
        path.open[direction] = False
        self._effects.append(Finish(path.connection, direction))
        if path.over:
            self._end(path)

    def _end(self, path: Path) -> None:
        path.close()
        if self._paths.pop(path.connection, None) is not None:
            self._effects.append(End(path.connection))

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

    def _is_rate(self, index: int) -> bool:
        return any(rule.index == index and isinstance(rule.fault, Rate) for rule in self.rules)

    def _done(self) -> list[Effect]:
        effects, self._effects = self._effects, []
        return effects


def _keeps(fault: RelayFault) -> bool:
    return isinstance(fault, (Reorder, Hold, Delay, Rate)) or (isinstance(fault, Duplicate) and fault.copy != "behind")
