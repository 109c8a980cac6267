"""The simulated relay performs what a hop decides as the real one does; times are exact there."""

from __future__ import annotations

import random
from collections.abc import Collection
from functools import partial
from itertools import pairwise
from typing import Any

import pytest

from chaos.decisions import PASSED, Decided, Slice
from chaos.framers import framers
from chaos.hop import Hop
from chaos.identity import Chunk, Key
from chaos.links import LinkPlan
from nodes import ops
from nodes.engines.sim import Conditions, World
from nodes.wire.addresses import IPv4
from orchestrator.backends.sim.relay import SimRelay

LINK = "client -> server"
LATENCY = 20_000
GAP = 1_000_000
SLICED = Slice(10, GAP)
FIRST = b"*1\r\n$20\r\n" + b"x" * 20 + b"\r\n"
SECOND = b"*1\r\n$1\r\ny\r\n"


def sliced_first(key: Key | Chunk, active: Collection[int]) -> Decided:
    return Decided(0, SLICED) if isinstance(key, Chunk) and key.chunk == 1 and key.direction == "request" else PASSED


def note(*numbers: Any, detail: dict[str, Any] | None = None) -> None:
    """These tests read no evidence."""


def received(socket: ops.Socket, into: list[tuple[int, bytes]]) -> ops.Program:
    while data := (yield ops.Recv(socket, 65_536)):
        into.append(((yield ops.Now()), data))


def run(after: int | None) -> list[tuple[int, bytes]]:
    """A client sends two commands and ends -> (time, bytes) of what its server reads. Heal comes so much later."""
    got: list[tuple[int, bytes]] = []

    def main() -> ops.Program:
        listener = yield ops.Listen(IPv4("127.0.0.1", 0))
        hop = Hop(LINK, partial(framers, "resp", "tcp"), sliced_first, [0], [0], note, stream=True)
        relay = SimRelay(lambda command: {LINK: LinkPlan(hop, "tcp", listener.local, 1, 0, "xdr")})
        body = yield from relay.obey({"type": "configure"})
        client = yield ops.Connect(tuple(body["addresses"][LINK]))
        yield ops.Send(client, FIRST)
        yield ops.Send(client, SECOND)
        yield ops.Shutdown(client)
        server = yield ops.Accept(listener)
        reading = yield ops.Spawn(received(server, got), "server")
        if after is not None:
            yield ops.Sleep((yield ops.Now()) + after)
            status = yield from relay.obey({"type": "status"})
            assert (status["pending"], status["connections"]) == (2, 1)
            yield from relay.obey({"type": "heal"})
        yield ops.Join(reading)
        assert (yield from relay.obey({"type": "status"}))["pending"] == 0

    with World(random.Random(1), Conditions(latency=(LATENCY, LATENCY), split=0)) as world:
        world.run(main(), world.host("all"))
    return got


def test_a_client_is_refused_where_no_server_is() -> None:
    """By the listener of a relay whose upstream is down, and by a relay that cannot connect itself."""

    def main() -> ops.Program:
        hop = Hop(LINK, partial(framers, "resp", "tcp"), sliced_first, [0], [0], note, stream=True)
        relay = SimRelay(lambda command: {LINK: LinkPlan(hop, "tcp", ("127.0.0.1", 9), 1, 0, "xdr")})
        body = yield from relay.obey({"type": "configure"})
        client = yield ops.Connect(tuple(body["addresses"][LINK]))
        assert (yield ops.Recv(client, 100)) == b""
        assert (yield from relay.obey({"type": "status"}))["connections"] == 0
        yield from relay.obey({"type": "upstream", "link": LINK, "address": None, "epoch": 1})
        with pytest.raises(ConnectionRefusedError):
            yield ops.Connect(tuple(body["addresses"][LINK]))

    with World(random.Random(1), Conditions(latency=(LATENCY, LATENCY), split=0)) as world:
        world.run(main(), world.host("all"))


def test_a_sliced_message_comes_in_pieces_and_what_follows_comes_behind_it() -> None:
    got = run(None)
    assert b"".join(data for _, data in got) == FIRST + SECOND
    assert [data for _, data in got[:3]] == [FIRST[:10], FIRST[10:20], FIRST[20:30]]
    times = [time for time, _ in got[:4]]
    assert [then - first for first, then in pairwise(times)] == [GAP] * 3


@pytest.mark.parametrize("after", [GAP // 2, 2 * GAP + GAP // 2])
def test_heal_brings_the_rest_at_once(after: int) -> None:
    got = run(after)
    assert b"".join(data for _, data in got) == FIRST + SECOND
    assert got[-1][0] - got[0][0] < after + GAP // 2
