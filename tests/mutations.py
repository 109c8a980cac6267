"""Streams as nobody would send them: valid ones, spoilt in ways that are the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from chaos.identity import Direction
from nodes.rpc.codecs import codec
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status, client_number, intent_number
from nodes.wire.messages import encode, wrap
from nodes.wire.oncrpc import Accept

STRETCHES = (1_010, 5_000)
"""Deeper than repr() and as deep as msgpack goes (1,024); longer than what int() takes (4,300 digits)."""


class Stream(NamedTuple):
    """Bytes of one direction, in the pieces that they come in."""

    direction: Direction
    pieces: tuple[bytes, ...]

    @property
    def whole(self) -> bytes:
        return b"".join(self.pieces)


def mutated(
    valid: dict[Direction, Sequence[bytes]], transport: str, count: int, seed: int, stretched: float = 0.002
) -> Iterator[Stream]:
    """That many, of requests and of replies in turn: up to three messages of `valid` with up to two mutations, in up to
    three pieces; over "udp" one message in one piece. The share `stretched` costs a hundred times what others do."""
    chance = random.Random(seed)
    directions: tuple[Direction, Direction] = ("request", "reply")
    most = 3 if transport == "tcp" else 1
    for number in range(count):
        direction = directions[number % 2]
        data = bytearray().join(chance.choices(valid[direction], k=1 + int(chance.random() * most)))
        for _ in range(1 + (chance.random() < 0.5)):
            (_stretch if chance.random() < stretched else chance.choice(_MUTATIONS))(data, chance)
        cuts = sorted(int(chance.random() * len(data)) for _ in range(int(chance.random() * most)))
        yield Stream(direction, tuple(bytes(data[begin:end]) for begin, end in pairwise([0, *cuts, len(data)])))


def _flip(data: bytearray, chance: random.Random) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _extreme(data: bytearray, chance: random.Random) -> None:
    """A byte with which types and lengths of binary protocols, and lines of the others, begin or end."""
    if data:
        data[chance.randrange(len(data))] = chance.choice(b"\x00\x7f\x80\xff\xc1\xdd\xdf\xc6\xc9\xd4\r\n*$|%:- 09")


def _remove(data: bytearray, chance: random.Random) -> None:
    begin = chance.randint(0, len(data))
    del data[begin : begin + chance.randint(1, 8)]


def _repeat(data: bytearray, chance: random.Random) -> None:
    begin = chance.randint(0, len(data))
    data[begin:begin] = data[begin : begin + chance.randint(1, 12)] * chance.randint(1, 3)


def _insert(data: bytearray, chance: random.Random) -> None:
    at = chance.randint(0, len(data))
    data[at:at] = chance.randbytes(chance.randint(1, 6))


def _cut(data: bytearray, chance: random.Random) -> None:
    del data[chance.randint(0, len(data)) :]


def _break_lines(data: bytearray, chance: random.Random) -> None:
    data[:] = data.replace(b"\r\n", chance.choice((b"\n", b"\r", b"\n\r", b"\r\r\n")), chance.randint(1, 3))


def _stretch(data: bytearray, chance: random.Random) -> None:
    """The first thing that a reader counts or descends by, where there is one, else anything: very long."""
    piece = chance.choice((b"0", b"9", b"F", b"\x91", b"\x81\x01", b"*1\r\n", b"|1\r\n+a\r\n+b\r\n", b"a: b\r\n", b" "))
    marks = [
        data.find(mark) + len(mark) for mark in (b"Content-Length: ", b"chunked\r\n\r\n", b"*", b"$") if mark in data
    ]
    at = chance.choice(marks) if marks and chance.random() < 0.7 else chance.randint(0, len(data))
    data[at:at] = piece * chance.choice(STRETCHES)


_MUTATIONS = (_flip, _extreme, _remove, _repeat, _insert, _cut, _break_lines)

CLIENT = client_number(1, 1, 1)
INTENT = intent_number(1, 1, 5)


def _rpc(name: str, *, stream: bool) -> dict[Direction, Sequence[bytes]]:
    """Calls and replies of one of our codecs, with our header, without one, and with a problem."""
    made = codec(name, COUNTER)
    add, wrap = COUNTER.procedure("add"), made.wrap if stream else lambda data: data
    header = CallHeader(CLIENT, 5, 1, 4, 9, INTENT)
    answer = ReplyHeader(CLIENT, 5, 1, Status.EXECUTED, 1, 1, 60_000)
    calls = [made.encode_call(7, add, header, (1000,)), made.encode_call(7, add, None, (1,))]
    problem = made.decode_call(calls[0])._replace(problem=Accept.GARBAGE_ARGS)
    replies = [
        made.encode_reply(7, add, answer, 1000),
        made.encode_reply(7, add, None, 1),
        made.encode_error(7, answer._replace(status=Status.STALE), "stale"),
        made.encode_problem(problem),
    ]
    return {"request": [wrap(call) for call in calls], "reply": [wrap(reply) for reply in replies]}


HTTP1: dict[Direction, Sequence[bytes]] = {
    "request": [
        f"POST /a HTTP/1.1\r\nIdempotency-Key: {INTENT}\r\nContent-Length: 5\r\n\r\nhello".encode(),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"HEAD / HTTP/1.0\r\n\r\n",
        b"PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"CONNECT a:1 HTTP/1.1\r\n\r\n",
    ],
    "reply": [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: 1\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    ],
}
RESP: dict[Direction, Sequence[bytes]] = {
    "request": [b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"PING\r\n", b"*1\r\n$4\r\nPING\r\n"],
    "reply": [
        b"+OK\r\n",
        b":12\r\n",
        b"$5\r\nhe\r\no\r\n",
        b"*2\r\n*1\r\n:1\r\n$-1\r\n",
        b"%1\r\n+key\r\n~2\r\n:1\r\n:2\r\n",
        b"|1\r\n+ttl\r\n:3\r\n*1\r\n+value\r\n",
    ],
}


def _messages(protocol: str) -> dict[Direction, Sequence[bytes]]:
    values = [bytes(range(8)), b"", bytes(40)]
    valid = [wrap(protocol, encode(10_101, number, data)) for number, data in enumerate(values, 1)]
    return {"request": valid, "reply": valid[::-1]}


VALID: dict[tuple[str, str], dict[Direction, Sequence[bytes]]] = {
    ("http1", "tcp"): HTTP1,
    ("resp", "tcp"): RESP,
    ("xdr", "tcp"): _rpc("xdr", stream=True),
    ("msgpack", "tcp"): _rpc("msgpack", stream=True),
    ("xdr", "udp"): _rpc("xdr", stream=False),
    ("msgpack", "udp"): _rpc("msgpack", stream=False),
    ("lines", "tcp"): _messages("lines"),
    ("lengths", "tcp"): _messages("lengths"),
    ("datagrams", "udp"): _messages("datagrams"),
}
"""Valid messages of every framer."""
