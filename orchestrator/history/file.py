"""PURE: a history's bytes, and its export as lines.

The file is a msgpack stream: a header map {format, schema, plan, evidence, domains, nodes, clocks, events}, then one
array an event, [time, domain, node, epoch, kind, client, seq, attempt, process, detail] with domain and node as indices
into the header's lists; a clock is [domain, offset, error, where] (orchestrator/history/clocks.py). Then a footer map
{end, crc}: how many events there were, and the CRC-32 of every byte before the footer. A file without its footer was
cut off; one with the wrong sum was changed. Schema 1 had no `plan`, the digest of the plan that the run was made from.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator, Mapping, Sequence
from io import SEEK_END, BytesIO
from types import MappingProxyType
from typing import Any, BinaryIO
from zlib import crc32

import msgpack

from orchestrator.history.clocks import Clock
from orchestrator.history.collection import uncollected
from orchestrator.history.merged import Event, History, HistoryError
from orchestrator.history.stored import Decoder, Stored, failure

FORMAT = "faultbed history"
SCHEMA = 2
READ = (1, SCHEMA)
WHOLE = 100_000
"""Events that are held at once, in 100 MB: of a longer history it takes no more time to read them again."""
CHUNK = 1 << 20
"""Bytes that are read at once."""


def dump(history: History) -> bytes:
    """-> the file's bytes; equal histories give equal bytes."""
    return b"".join(written(history))


def written(history: History) -> Iterator[bytes]:
    """The file's bytes, a part after another."""
    pack = msgpack.Packer(use_bin_type=True).pack
    places = {(event.domain, event.node) for event in history.events}
    domains = {name: number for number, name in enumerate(sorted({domain for domain, _ in places}))}
    nodes = {name: number for number, name in enumerate(sorted({node for _, node in places}))}
    head = {
        "format": FORMAT,
        "schema": SCHEMA,
        "plan": history.plan,
        "evidence": history.evidence,
        "domains": list(domains),
        "nodes": list(nodes),
        "clocks": [list(clock) for clock in history.clocks],
        "events": len(history.events),
    }
    part = bytes(pack(head))
    checksum = crc32(part)
    yield part
    for _, time, domain, node, *middle, detail in history.events:
        part = pack([time, domains[domain], nodes[node], *middle, detail])
        checksum = crc32(part, checksum)
        yield part
    yield bytes(pack({"end": len(history.events), "crc": checksum}))


def load(file: BinaryIO | bytes, name: str = "history", whole: int = WHOLE) -> History:
    """The inverse of `dump`. Raises HistoryError, which begins with `name`, for anything but a whole history.

    One of more than `whole` events is not held: its events are read again whenever they are asked for, from `file`.
    """
    try:
        with uncollected():
            return _load(file if not isinstance(file, bytes) else BytesIO(file), whole)
    except HistoryError as error:
        raise HistoryError(f"{name}: {error}") from None


def _load(file: BinaryIO, whole: int) -> History:
    unpacker = msgpack.Unpacker(file, read_size=CHUNK, strict_map_key=False, max_buffer_size=0)
    head = _head(_next(unpacker, "its header"), file)
    try:
        domains, nodes, count = list(head["domains"]), list(head["nodes"]), int(head["events"])
        evidence, plan = str(head["evidence"]), str(head["plan"] if head["schema"] > 1 else "")
        clocks = tuple(_clock(*fields) for fields in head.get("clocks", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(f"byte 0: its header is damaged ({type(error).__name__} {error})") from error
    decoder = Decoder(domains, nodes, count)
    events: Sequence[Event]
    if count <= whole:
        events = tuple(decoder.events(unpacker, range(count)))
    else:
        events = Stored(file, _starts(unpacker, count), decoder, count)
    _finish(unpacker, file, count)
    return History(evidence, events, clocks, plan)


def _starts(unpacker: Any, count: int) -> Sequence[int]:
    """Where each row begins, and where the last one ends."""
    starts = array("Q", [unpacker.tell()])
    skip, tell, append = unpacker.skip, unpacker.tell, starts.append
    for order in range(count):
        try:
            skip()
        except Exception as error:
            raise failure(error, starts[-1], f"event {order} of {count}") from error
        append(tell())
    return starts


def _clock(domain: str, offset: int, error: int, where: str) -> Clock:
    return Clock(str(domain), int(offset), int(error), str(where))


def _next(unpacker: Any, what: str) -> Any:
    start = unpacker.tell()
    try:
        return unpacker.unpack()
    except Exception as error:
        raise failure(error, start, what) from error


def _head(head: Any, file: BinaryIO) -> dict[str, Any]:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        file.seek(0)
        raise HistoryError(f"byte 0: not a history of faultbed (it begins with {file.read(16)!r})")
    if head.get("schema") not in READ:
        reads = " and ".join(map(str, READ))
        raise HistoryError(f"has schema {head.get('schema')!r}, this version reads {reads}; use the one that wrote it")
    return head


def _finish(unpacker: Any, file: BinaryIO, count: int) -> None:
    start = unpacker.tell()
    foot = _next(unpacker, "its footer")
    if not isinstance(foot, dict) or foot.get("end") != count:
        raise HistoryError(f"byte {start}: {count} events are followed by something that is not the footer")
    if foot.get("crc") != _checksum(file, start):
        raise HistoryError(f"byte {start}: the checksum does not match; the file was changed")
    end = unpacker.tell()
    if (size := file.seek(0, SEEK_END)) != end:
        raise HistoryError(f"byte {end}: {size - end} bytes follow the footer")


def _checksum(file: BinaryIO, size: int) -> int:
    """Of the file's first bytes."""
    file.seek(0)
    checksum = 0
    while size > 0 and (chunk := file.read(min(size, CHUNK))):
        checksum = crc32(chunk, checksum)
        size -= len(chunk)
    return checksum


def to_jsonl(history: History, whose: Mapping[str, Any] = MappingProxyType({})) -> Iterator[str]:
    """One JSON object a line, an event each: whose it is, then index, time (ns), domain, node, epoch, process, type, f,
    value, operation [client, seq], intent, attempt, error, then what else its kind has. Bytes are hexadecimal. Where
    there are several clocks, `estimate` and `estimate_error` tell the time by the orchestrator's (ns)."""
    errors = {clock.domain: clock.error for clock in history.clocks}
    for event, here in zip(history.events, history.on_one_clock(), strict=True):
        detail = event.detail
        line: dict[str, Any] = {
            **whose,
            "index": event.order,
            "time": event.time,
            "domain": event.domain,
            "node": event.node,
            "epoch": event.epoch,
            "process": event.process,
            "type": event.kind.name.lower(),
            "f": detail.get("f"),
            "value": detail.get("value", detail.get("result")),
            "operation": list(event.operation) if event.seq else None,
            "intent": detail.get("intent"),
            "attempt": event.attempt,
            "error": detail.get("error"),
        }
        if history.clocks:
            line |= {"estimate": here.time, "estimate_error": errors.get(event.domain, 0)}
        line.update((key, value) for key, value in detail.items() if key not in line)
        yield json.dumps(line, default=_text)


def _text(value: Any) -> str:
    return bytes(value).hex() if isinstance(value, (bytes, bytearray)) else str(value)
