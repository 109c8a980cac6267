"""The call and reply headers that every RPC message of ours carries, whatever its codec.

RIFL (SOSP 2015) gives the fields their meaning: an operation is (client, seq), and `first` is the client's
first incomplete seq, below which a server may forget.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple


class Status(IntEnum):
    """What the server did about one attempt."""

    EXECUTED = 0
    CACHED = 1
    JOINED = 2
    STALE = 3
    REFUSED = 4
    BUSY = 5


class CallHeader(NamedTuple):
    """All unsigned: client, seq, attempt, first 32 bits; server, intent 64 bits."""

    client: int
    seq: int
    attempt: int
    first: int
    server: int
    intent: int


class ReplyHeader(NamedTuple):
    """client, seq, attempt 32 bits; status an enum; incarnation, history 64 bits; lease milliseconds, 32 bits."""

    client: int
    seq: int
    attempt: int
    status: int
    incarnation: int
    history: int
    lease: int


CALL_LAYOUT = struct.Struct(">IIIIQQ")
REPLY_LAYOUT = struct.Struct(">IIIIQQI")
"""The fields' widths: the bytes of a header in XDR, and for other codecs what fits."""


def client_number(node: int, process: int, epoch: int) -> int:
    """The plan's number for a client: its node's ordinal (from 1), its process (from 1), its epoch (from 1)."""
    return node * 10_000 + process * 100 + epoch


def process_of(client: int) -> int:
    """The process ordinal within its node of a client number."""
    return client // 100 % 100


def operation_of(intent: int) -> tuple[int, int]:
    """(client, seq) of the operation with that intent, in its client's first epoch. Raises ValueError for no intent."""
    place, call = divmod(intent, 1_000_000)
    node, process = divmod(place, 100)
    if not (0 < node < 1_000 and process and call):
        raise ValueError(f"{intent} is no intent: it names no node, no process or no call")
    return client_number(node, process, 1), call


def intent_of(client: int, seq: int) -> int:
    """The intent of that operation of a client in its first epoch."""
    return intent_number(client // 10_000, process_of(client), seq)


def turn(seq: int, links: int) -> int:
    """Which of its node's links an operation takes, counted from 0: each in its turn, so that its number decides."""
    return (seq - 1) % links


def intent_number(node: int, process: int, call: int) -> int:
    """What a user wanted, independent of the client's epoch. `call` counts from 1."""
    return (node * 100 + process) * 1_000_000 + call
