"""No bytes from outside make a framer do anything but find messages: nothing is raised, lost, added or out of order.
And none make a node's codec raise anything but its one error."""

from __future__ import annotations

import pytest
from mutations import VALID, Stream, mutated
from requirements import ALL

from chaos.framers import Framers, Message, framers, identifies
from chaos.identity import Direction
from nodes.rpc.codecs import NAMES, Codec, codec
from nodes.services.counter import COUNTER
from nodes.wire.errors import WireError

STREAMS = 100_000 if ALL else 5_000
DECODED = 20_000 if ALL else 5_000
SEED = 8
ASKED = b"".join(VALID["http1", "tcp"]["request"])
"""What the responses of a mutated stream answer."""
NEVER_GIVEN_UP = [each for each in VALID if each[1] == "udp" or each[0] == "lines"]
"""Each datagram is by itself, and a line ends at its line feed whatever it holds."""


@pytest.mark.parametrize("protocol", list(VALID), ids="-".join)
def test_mutated_streams_are_split_or_pass(protocol: tuple[str, str]) -> None:
    fed = identified = given_up = 0
    for stream in mutated(VALID[protocol], protocol[1], STREAMS, SEED):
        connection = framers(*protocol)
        if protocol[0] == "http1" and stream.direction == "reply":
            connection["request"].feed(ASKED, "request")
        found = _split(connection, stream)
        fed += 1
        identified += any(message.client is not None for message in found)
        given_up += connection[stream.direction].problem is not None
    assert fed == STREAMS
    assert identified > STREAMS / 20 or not identifies(protocol[0])
    assert given_up > STREAMS / 20 or protocol in NEVER_GIVEN_UP


@pytest.mark.parametrize("protocol", [each for each in VALID if each[0] in NAMES], ids="-".join)
def test_mutated_streams_are_decoded_or_broken(protocol: tuple[str, str]) -> None:
    name, transport = protocol
    made = codec(name, COUNTER)
    fed = decoded = broken = 0
    for stream in mutated(VALID[protocol], transport, DECODED, SEED):
        splitter = made.stream() if transport == "tcp" else None
        fed += 1
        try:
            for piece in stream.pieces:
                for message in splitter.feed(piece) if splitter else [piece]:
                    decoded += _decode(made, message, stream.direction)
        except WireError:
            broken += 1
    assert fed == DECODED
    assert decoded > DECODED / 20
    assert broken > DECODED / 20


def _decode(made: Codec, message: bytes, direction: Direction) -> bool:
    if direction == "request":
        return made.decode_call(message).procedure is not None
    return made.decode_reply(message, lambda xid: COUNTER.procedure("add")).header is not None


def _split(connection: Framers, stream: Stream) -> list[Message]:
    framer = connection[stream.direction]
    messages = [message for piece in stream.pieces for message in framer.feed(piece, stream.direction)]
    assert b"".join(message.data for message in messages) + framer.pending() == stream.whole
    for message in messages:
        begin, end, _ = message.body.indices(len(message.data))
        assert (begin, end) == (message.body.start, message.body.stop)
        assert (message.client is None) == (message.seq is None) == (message.attempt is None)
    return messages
