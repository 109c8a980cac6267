"""The journal's record: what a node can say about itself, and its bytes.

A record is length (u32, big-endian), CRC-32 of the payload (u32), payload. The payload is the msgpack array
[time, kind, client, seq, attempt, process, detail]; time in nanoseconds, detail a map or nil.

A record is written by one write(2), so a process that is killed leaves at most one incomplete record, at the
end. That one is told apart from damage: it must be the beginning of a record and nothing else.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any, NamedTuple, Protocol
from zlib import crc32

import msgpack

SCHEMA = 1
MAX_RECORD = (1 << 20) + (1 << 16)
"""Bytes of payload: a value of the largest message there may be (1 MiB), and what is said of it. A length above it is
damage, not a record that was cut off."""


class Kind(IntEnum):
    """Event kinds. The names in brackets are the keys of `detail`."""

    # every process
    START = 1  # [schema node epoch role engine domain evidence pid incarnation history]
    READY = 2  # [addresses]
    STOP = 3
    FAILPOINT = 4  # [name fault act] fired; the process dies or stops directly after this record
    BROKEN = 5  # [reason size connection] it decodes to no call; [reason connection link] a plane gave it up

    # clients
    INVOKE = 10  # [intent f value]
    OK = 11  # [value]
    FAIL = 12  # [error]
    INFO = 13  # [error]
    ATTEMPT = 14  # [wait] before this attempt connects or sends anything; `wait`: nanoseconds until it is given up
    # (older journals lack it)
    SEND = 15  # [connection server first] directly before its first byte is handed to the transport; `first`
    # is the client's first incomplete number, as the message says it (older journals lack it)
    REPLY = 16  # [status value connection] a reply to this attempt arrived, wanted or not
    END = 17  # [connection error] the connection ended while this attempt was open
    UNCONNECTED = 18  # [error] connecting for this attempt failed
    GATE = 19  # [gate] reached; the client waits for its release
    SESSION = 20  # [incarnation history lease] hello was answered
    CROWD = 21  # [rule connected most refused lacking] a crowd's end: how many of its connections came, how many were
    # open at once at most, how many attempts others refused, and for how many this process had no room

    # servers
    RECEIVE = 30  # [connection first server link] a copy of a call was received and decoded
    EXECUTE = 31  # [intent f value] the procedure is entered
    COMMIT = 32  # [n result] its transaction is committed
    ANSWER = 33  # [status value connection] this attempt is being answered, over that one (older journals lack it)
    TRIM = 34  # [mark] results of this client below mark were forgotten
    USAGE = (
        35  # [cpu voluntary involuntary accepted ended refused full overflows reused] what this process used so far,
    )
    # and its connections went through (nodes/samples.py); cpu in nanoseconds, the rest are counts, None: nobody counts

    # planes
    DECISION = 50  # [link direction occurrence connection rule act] act is 'pass' where no rule applied; and the act's
    # parameters (chaos/decisions.py: awaits, by, bytes_per_second, bits, place, size, gap)
    RELEASE = 51  # [link direction occurrence rule act] a held, delayed or copied message went on
    RULE = 52  # [rule active] a rule was switched
    UPSTREAM = 53  # [link up epoch]
    UNIDENTIFIED = 55  # [link direction connection reason] from here on the stream's messages pass without identity
    BOUND = 56  # [link reason count] a bound cut something off, so many times more
    COUNTER = 54  # [rule link direction packets bytes] what the kernel had counted of a rule when it was read

    # the orchestrator
    PHASE = 60  # [phase]
    ACT = 61  # [act node epoch fault why] kill, pause, resume, restart, archive; none: a fault came in vain, `why`
    REAPED = 62  # [node epoch signal code]

    # collected after draining
    EFFECT = 70  # [n intent epoch result ledger] a row of a ledger
    LEDGER = 71  # [ledger state history archived] a ledger at the end of the run


COMPLETIONS = frozenset({Kind.OK, Kind.FAIL, Kind.INFO})
"""How a call ends."""
COLLECTED = frozenset({Kind.EFFECT, Kind.LEDGER})
"""What no process journals."""


class Record(NamedTuple):
    """One line of a journal. `time` is nanoseconds of the writer's clock domain; a number that says nothing is 0."""

    time: int
    kind: Kind
    client: int
    seq: int
    attempt: int
    process: int
    detail: dict[str, Any] | None


class Note(Protocol):
    """Records that this happened, now, before returning. `detail` has the keys that Kind lists."""

    def __call__(
        self,
        kind: Kind,
        client: int = 0,
        seq: int = 0,
        attempt: int = 0,
        process: int = 0,
        detail: dict[str, Any] | None = None,
    ) -> None: ...


class Witness(Protocol):
    """Who sees what a program does: the seam between programs and evidence. The simulator has its own."""

    @property
    def note(self) -> Note: ...

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        """This attempt passes the failpoint `name`. If one is armed for it, this may not return."""


def start_detail(
    node: str,
    epoch: int,
    role: str,
    *,
    engine: str = "",
    domain: str,
    evidence: str,
    pid: int,
    incarnation: int = 0,
    history: int = 0,
) -> dict[str, Any]:
    """The detail of a START record, with which every journal begins."""
    return {
        "schema": SCHEMA,
        "node": node,
        "epoch": epoch,
        "role": role,
        "engine": engine,
        "domain": domain,
        "evidence": evidence,
        "pid": pid,
        "incarnation": incarnation,
        "history": history,
    }


class Damaged(Exception):
    """Bytes that no writer of records left behind, killed or not. `offset` is where the bad record begins."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(f"byte {offset}: {reason}")
        self.offset = offset
        self.reason = reason


class RecordTooLarge(ValueError):
    """A payload above MAX_RECORD bytes; it was not written."""


_HEAD = struct.Struct(">II")
_HEAD_SIZE = _HEAD.size
_FIRST_BYTE = 0x97  # msgpack's array of seven
_KINDS: dict[int, Kind] = {int(kind): kind for kind in Kind}
_pack = msgpack.Packer(use_bin_type=True).pack  # one for all: making one costs more than packing does
_pack_head = _HEAD.pack


def encode(
    time: int, kind: int, client: int, seq: int, attempt: int, process: int, detail: dict[str, Any] | None
) -> bytes:
    """-> the record's bytes. Raises TypeError for a detail that msgpack cannot hold, and RecordTooLarge."""
    payload: bytes = _pack((time, kind, client, seq, attempt, process, detail))
    if len(payload) > MAX_RECORD:
        raise RecordTooLarge(f"record of {len(payload)} bytes; at most {MAX_RECORD} are allowed")
    return _pack_head(len(payload), crc32(payload)) + payload


def decode(data: bytes) -> tuple[list[Record], str | None]:
    """-> the whole records, and what is wrong with an incomplete last one (None if there is none).

    Raises Damaged for anything that a cut-off last write does not explain.
    """
    records: list[Record] = []
    offset, size = 0, len(data)
    while offset < size:
        start = offset + _HEAD_SIZE
        if start > size:
            return records, f"byte {offset}: {size - offset} bytes of a record's head of {_HEAD_SIZE}"
        length, checksum = _HEAD.unpack_from(data, offset)
        if length > MAX_RECORD:
            raise Damaged(offset, f"length {length} is above {MAX_RECORD}")
        payload = data[start : start + length]
        if len(payload) < length:
            _require_beginning(payload, offset)
            return records, f"byte {offset}: {len(payload)} bytes of a payload of {length}"
        if crc32(payload) != checksum:
            raise Damaged(offset, "the checksum does not match")
        records.append(_parse(payload, offset))
        offset = start + length
    return records, None


def _parse(payload: bytes, offset: int) -> Record:
    try:
        time, number, *identity, detail = msgpack.unpackb(payload, strict_map_key=False)
        client, seq, attempt, process = identity
    except Exception as error:  # unpackb has a family of exceptions, ValueError and TypeError among them
        raise Damaged(offset, f"not a record: {error}") from error
    kind = _KINDS.get(number) if isinstance(number, int) else None
    if kind is None:
        raise Damaged(offset, f"unknown kind {number!r} (written by another version?)")
    if not all(isinstance(value, int) for value in (time, *identity)) or not isinstance(detail, dict | None):
        raise Damaged(offset, "a field has the wrong type")
    return Record(time, kind, client, seq, attempt, process, detail)


def _require_beginning(payload: bytes, offset: int) -> None:
    """A cut-off record begins a msgpack array and does not finish it; a damaged length would show whole ones."""
    if not payload:
        return
    if payload[0] != _FIRST_BYTE:
        raise Damaged(offset, "neither a record nor the beginning of one")
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(payload)
    try:
        unpacker.unpack()
    except msgpack.OutOfData:
        return
    except Exception as error:  # the same family as in _parse
        raise Damaged(offset, f"neither a record nor the beginning of one: {error}") from error
    raise Damaged(offset, "a whole record is shorter than its length says")
