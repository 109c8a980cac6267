"""PURE: the events of a history file that is too large to be held: decoded a block at a time, when they are asked for.

A file's rows are arrays of ten (orchestrator/history/file.py). Nobody else may move the file's position meanwhile.
"""

from __future__ import annotations

import struct
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from types import MappingProxyType
from typing import Any, BinaryIO, NamedTuple, overload

import msgpack

from nodes.wire.record import Kind
from orchestrator.history.merged import Event, HistoryError, Row, event_of

BLOCK = 512
"""Events that are decoded together."""
FEW = 3
"""Of fewer than one in so many the rest of the block is not decoded."""
KEPT = 32
"""Blocks that are kept decoded: whoever reads along some events at once finds all of them."""

_KINDS: Mapping[int, Kind] = {int(kind): kind for kind in Kind}
_new = tuple.__new__  # a named tuple's own way checks what is known here already
_ARRAY = struct.Struct(">BI")
"""How the head of an array of so many is packed."""
_INTEGERS, _MAPS = {int}, {dict}


class Block(NamedTuple):
    """Events that lie together, and of each what many ask for: its time, its process by node and epoch, its kind."""

    rows: Sequence[Row]
    times: Sequence[int]
    nodes: Sequence[str]
    epochs: Sequence[int]
    kinds: bytes

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Block:
        _, times, _, nodes, epochs, kinds, *_ = zip(*rows, strict=True) if rows else [()] * 11
        return cls(rows, times, nodes, epochs, bytes(kinds))

    @property
    def events(self) -> list[Event]:
        return [*map(event_of, self.rows)]


class Decoder:
    """Rows -> events. Its errors name the byte, which is `offset` after the unpacker's first."""

    def __init__(self, domains: Sequence[str], nodes: Sequence[str], count: int) -> None:
        self._domains, self._nodes, self._count = domains, nodes, count

    def events(self, unpacker: Any, orders: Sequence[int], offset: int = 0) -> Iterator[Event]:
        """Raises HistoryError."""
        unpack, tell, domains, nodes = unpacker.unpack, unpacker.tell, self._domains, self._nodes
        for order in orders:
            start = tell()
            try:
                row = unpack()
            except Exception as error:
                raise failure(error, offset + start, f"event {order} of {self._count}") from error
            try:
                time, domain, node, epoch, kind, client, seq, attempt, process, detail = row
                numbers = 0 | time | epoch | client | seq | attempt | process  # a TypeError unless all are integers
                if not isinstance(detail, dict):
                    raise TypeError("its detail is no map")
                place, who, what = domains[domain], nodes[node], _KINDS[kind]
            except (TypeError, ValueError, LookupError) as error:
                raise HistoryError(
                    f"byte {offset + start}: event {order} of {self._count} is no event ({error})"
                ) from error
            del numbers
            yield _new(Event, (order, time, place, who, epoch, what, client, seq, attempt, process, detail))

    def block(self, data: bytes, orders: Sequence[int], offset: int) -> Block:
        """Of rows that lie together, without a look at each unless one is no event."""
        return self._columns(data, orders) or self._single(data, orders, offset)

    def _columns(self, data: bytes, orders: Sequence[int]) -> Block | None:
        try:
            rows = msgpack.unpackb(_ARRAY.pack(0xDD, len(orders)) + data, strict_map_key=False)
            times, where, who, epochs, kinds, clients, seqs, attempts, processes, details = zip(*rows, strict=True)
            if {*map(type, chain(times, epochs, clients, seqs, attempts, processes))} != _INTEGERS:
                return None
            if {*map(type, details)} != _MAPS:
                return None
            nodes = [*map(self._nodes.__getitem__, who)]
            places, what = map(self._domains.__getitem__, where), map(_KINDS.__getitem__, kinds)
            found = orders, times, places, nodes, epochs, what, clients, seqs, attempts, processes, details
            return Block([*zip(*found, strict=True)], times, nodes, epochs, bytes(kinds))
        except Exception:
            return None

    def _single(self, data: bytes, orders: Sequence[int], offset: int) -> Block:
        return Block.of([*self.events(unpacker_of(data), orders, offset)])


def unpacker_of(data: bytes) -> Any:
    unpacker = msgpack.Unpacker(strict_map_key=False, max_buffer_size=0)
    unpacker.feed(data)
    return unpacker


def failure(error: Exception, start: int, what: str) -> HistoryError:
    """Why a value could not be unpacked: unpacking has a family of exceptions, ValueError and TypeError among them."""
    if isinstance(error, msgpack.OutOfData):
        return HistoryError(f"byte {start}: the file ends in {what}; it was cut off")
    return HistoryError(f"byte {start}: {what} is damaged ({error})")


class Stored(Sequence[Event]):
    """`starts` are the bytes at which rows begin, and where the last one ends. `offsets`: domain -> nanoseconds by
    which its times are shown earlier."""

    def __init__(
        self,
        file: BinaryIO,
        starts: Sequence[int],
        decoder: Decoder,
        count: int,
        offsets: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        self._file, self._starts, self._decoder, self._count = file, starts, decoder, count
        self._offsets = offsets
        self._blocks: OrderedDict[int, list[Event]] = OrderedDict()

    def shifted(self, offsets: Mapping[str, int]) -> Stored:
        return Stored(self._file, self._starts, self._decoder, self._count, offsets)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, order: int) -> Event: ...
    @overload
    def __getitem__(self, order: slice) -> Sequence[Event]: ...
    def __getitem__(self, order: int | slice) -> Event | Sequence[Event]:
        if isinstance(order, slice):
            return list(self.pick(range(*order.indices(self._count))))
        place = range(self._count)[order]
        return self._block(place // BLOCK)[place % BLOCK]

    def __iter__(self) -> Iterator[Event]:
        for number in range(-(-self._count // BLOCK)):
            yield from self._block(number)

    def blocks(self) -> Iterator[Block]:
        """All of them, some at once, of which none are kept."""
        return map(self._decoded, range(-(-self._count // BLOCK)))

    def pick(self, orders: Iterable[int]) -> Iterator[Event]:
        """Those of these orders; best if orders that lie together come together."""
        for number, some in groupby(orders, key=lambda order: order // BLOCK):
            mine = list(some)
            if number in self._blocks or len(mine) > BLOCK // FEW:
                block = self._block(number)
                yield from [block[order % BLOCK] for order in mine]
            else:
                yield from self._single(mine)

    def _single(self, orders: Sequence[int]) -> Iterator[Event]:
        """Of one block, without the others of it."""
        first, starts = self._starts[orders[0]], self._starts
        self._file.seek(first)
        data = self._file.read(starts[orders[-1] + 1] - first)
        rows = (data[starts[order] - first : starts[order + 1] - first] for order in orders)
        return iter(self._shifted(self._decoder.block(b"".join(rows), orders, first)).events)

    def _shifted(self, block: Block) -> Block:
        if not self._offsets:
            return block
        here = self._offsets
        return Block.of([event._replace(time=event.time - here.get(event.domain, 0)) for event in block.events])

    def _block(self, number: int) -> list[Event]:
        found = self._blocks.get(number)
        if found is None:
            found = self._blocks[number] = self._decoded(number).events
            if len(self._blocks) > KEPT:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(number)
        return found

    def _decoded(self, number: int) -> Block:
        orders = range(number * BLOCK, min((number + 1) * BLOCK, self._count))
        start, end = self._starts[orders[0]], self._starts[orders[-1] + 1]
        self._file.seek(start)
        return self._shifted(self._decoder.block(self._file.read(end - start), orders, start))


class Picked(Sequence[Event]):
    """Some events of a history, by their orders."""

    def __init__(self, events: Sequence[Event], orders: Sequence[int]) -> None:
        self.events = events
        self.orders = orders

    def __len__(self) -> int:
        return len(self.orders)

    def __bool__(self) -> bool:
        return bool(self.orders)

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | Sequence[Event]:
        if isinstance(place, slice):
            return Picked(self.events, self.orders[place])
        return self.events[self.orders[place]]

    def __iter__(self) -> Iterator[Event]:
        return picked(self.events, self.orders)


def picked(events: Sequence[Event], orders: Iterable[int]) -> Iterator[Event]:
    return events.pick(orders) if isinstance(events, Stored) else map(events.__getitem__, orders)


def chosen(events: Sequence[Event], places: Iterable[int]) -> Sequence[Event]:
    """Those at these places of some events; not held if they were not."""
    if isinstance(events, Stored):
        return Picked(events, array("I", places))
    return [events[place] for place in places]
