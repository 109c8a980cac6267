"""No bytes from outside make a framer do anything but find messages: nothing is raised, lost, added or out of order."""

from __future__ import annotations

import pytest
from mutations import VALID, Stream, mutated

from chaos.framers import Framers, Message, framers

STREAMS = 100_000
SEED = 8
ASKED = b"".join(VALID["http1", "tcp"]["request"])
"""What the responses of a mutated stream answer."""


@pytest.mark.parametrize("protocol", list(VALID), ids="-".join)
def test_100000_mutated_streams_are_split_or_pass(protocol: tuple[str, str]) -> None:
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
    assert identified > STREAMS / 20 or protocol[0] == "resp"  # which has no identities
    assert given_up > STREAMS / 20 or protocol[1] == "udp"  # where each datagram is by itself


def _split(connection: Framers, stream: Stream) -> list[Message]:
    framer = connection[stream.direction]
    messages = [message for piece in stream.pieces for message in framer.feed(piece, stream.direction)]
    assert b"".join(message.data for message in messages) + framer.pending() == stream.whole
    for message in messages:
        begin, end, _ = message.body.indices(len(message.data))
        assert (begin, end) == (message.body.start, message.body.stop)
        assert (message.client is None) == (message.seq is None) == (message.attempt is None)
    return messages
