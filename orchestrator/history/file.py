"""PURE: a history's bytes, and its export as lines.

The file is a msgpack stream: a header map {format, schema, plan, evidence, domains, nodes, clocks, events}, then one
array an event, [time, domain, node, epoch, kind, client, seq, attempt, process, detail] with domain and node as indices
into the header's lists; a clock is [domain, offset, error, where] (orchestrator/history/clocks.py). Then a footer map
{end, crc}: how many events there were, and the CRC-32 of every byte before the footer. A file without its footer was
cut off; one with the wrong sum was changed. Schema 1 had no `plan`, the digest of the plan that the run was made from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any
from zlib import crc32

import msgpack

from nodes.wire.record import Kind
from orchestrator.history.clocks import Clock
from orchestrator.history.merged import Event, History, HistoryError

FORMAT = "faultbed history"
SCHEMA = 2
READ = (1, SCHEMA)
_WIDTH = 10


def dump(history: History) -> bytes:
    """-> the file's bytes; equal histories give equal bytes."""
    return b"".join(written(history))


def written(history: History) -> Iterator[bytes]:
    """The file's bytes, a part after another."""
    pack = msgpack.Packer(use_bin_type=True).pack
    domains = {name: number for number, name in enumerate(sorted({event.domain for event in history.events}))}
    nodes = {name: number for number, name in enumerate(sorted({event.node for event in history.events}))}
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


def load(data: bytes, name: str = "history") -> History:
    """The inverse of `dump`. Raises HistoryError, which begins with `name`, for anything but a whole history."""
    try:
        return _load(data)
    except HistoryError as error:
        raise HistoryError(f"{name}: {error}") from None


def _load(data: bytes) -> History:
    unpacker = msgpack.Unpacker(strict_map_key=False, max_buffer_size=0)
    unpacker.feed(data)
    head = _head(_next(unpacker, "its header"), data)
    try:
        domains, nodes, count = list(head["domains"]), list(head["nodes"]), int(head["events"])
        evidence, plan = str(head["evidence"]), str(head["plan"] if head["schema"] > 1 else "")
        clocks = tuple(_clock(*fields) for fields in head.get("clocks", ()))
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryError(f"byte 0: its header is damaged ({type(error).__name__} {error})") from error
    events = tuple(_event(unpacker, order, count, domains, nodes) for order in range(count))
    _finish(unpacker, data, count)
    return History(evidence, events, clocks, plan)


def _clock(domain: str, offset: int, error: int, where: str) -> Clock:
    return Clock(str(domain), int(offset), int(error), str(where))


def _next(unpacker: Any, what: str) -> Any:
    start = unpacker.tell()
    try:
        return unpacker.unpack()
    except msgpack.OutOfData:
        raise HistoryError(f"byte {start}: the file ends in {what}; it was cut off") from None
    except Exception as error:  # unpack has a family of exceptions, ValueError and TypeError among them
        raise HistoryError(f"byte {start}: {what} is damaged ({error})") from error


def _head(head: Any, data: bytes) -> dict[str, Any]:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise HistoryError(f"byte 0: not a history of faultbed (it begins with {data[:16]!r})")
    if head.get("schema") not in READ:
        reads = " and ".join(map(str, READ))
        raise HistoryError(f"has schema {head.get('schema')!r}, this version reads {reads}; use the one that wrote it")
    return head


def _event(unpacker: Any, order: int, count: int, domains: list[str], nodes: list[str]) -> Event:
    start = unpacker.tell()
    row = _next(unpacker, f"event {order} of {count}")
    try:
        time, domain, node, epoch, kind, client, seq, attempt, process, detail = row
        if not isinstance(detail, dict):
            raise TypeError("its detail is no map")
        event = Event(
            order, time, domains[domain], nodes[node], epoch, Kind(kind), client, seq, attempt, process, detail
        )
    except (TypeError, ValueError, IndexError) as error:
        raise HistoryError(f"byte {start}: event {order} of {count} is no event ({error})") from error
    if not all(isinstance(field, int) for field in row[: _WIDTH - 1]):
        raise HistoryError(f"byte {start}: event {order} of {count} has a field of the wrong type")
    return event


def _finish(unpacker: Any, data: bytes, count: int) -> None:
    start = unpacker.tell()
    foot = _next(unpacker, "its footer")
    if not isinstance(foot, dict) or foot.get("end") != count:
        raise HistoryError(f"byte {start}: {count} events are followed by something that is not the footer")
    if foot.get("crc") != crc32(data[:start]):
        raise HistoryError(f"byte {start}: the checksum does not match; the file was changed")
    if unpacker.tell() != len(data):
        raise HistoryError(f"byte {unpacker.tell()}: {len(data) - unpacker.tell()} bytes follow the footer")


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
