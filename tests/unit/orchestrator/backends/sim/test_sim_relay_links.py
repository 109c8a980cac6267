"""What passes a simulated relay beside its connections: injected copies, and datagrams; and what its status counts."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import pytest

from chaos.decisions import PASSED, Awaits, Copy, Decide, Decided, Keep
from chaos.framers import framers
from chaos.hop import Hop
from chaos.identity import Chunk, Key
from chaos.links import LinkPlan
from nodes import ops
from nodes.engines.sim import Conditions, World
from nodes.rpc.codecs import codec
from nodes.services.counter import COUNTER
from nodes.wire.addresses import IPv4
from nodes.wire.header import CallHeader, ReplyHeader, Status
from orchestrator.backends.sim.relay import INJECTION_LIMIT, SimRelay

LINK = "client -> server"
LATENCY = 20_000
SOON = 10 * LATENCY
CLIENT = 10101
CODEC = codec("xdr", COUNTER)
ADD = COUNTER.procedure("add")
Main = Callable[["Relayed"], ops.Program]


def call(seq: int, attempt: int = 1) -> bytes:
    return CODEC.encode_call(seq, ADD, CallHeader(CLIENT, seq, attempt, seq, 0, seq), (1,))


def reply(seq: int) -> bytes:
    return CODEC.encode_reply(seq, ADD, ReplyHeader(CLIENT, seq, 1, Status.EXECUTED, 1, 1, 60_000), 5)


def note(*numbers: Any, detail: dict[str, Any] | None = None) -> None:
    """These tests read no evidence."""


def passing(key: Key | Chunk, active: Collection[int]) -> Decided:
    return PASSED


def copied(key: Key | Chunk, active: Collection[int]) -> Decided:
    """The first copy of a request follows in a later epoch."""
    first = isinstance(key, Key) and (key.direction, key.occurrence) == ("request", 1)
    return Decided(0, Copy(Awaits.EPOCH)) if first else PASSED


def kept(awaits: Awaits, by: int = 0) -> Decide:
    return lambda key, active: Decided(0, Keep(awaits, by)) if key.direction == "request" and 0 in active else PASSED


class Relayed:
    """A relay with one link to a server at `server`."""

    def __init__(self, transport: str, decide: Decide) -> None:
        self.transport = transport
        hop = Hop(LINK, partial(framers, "xdr", transport), decide, [0], [0], note, stream=transport == "tcp")
        self.relay = SimRelay(lambda command: {LINK: LinkPlan(hop, transport, self.server, 1, 0, "xdr")})
        self.server: ops.Address = ("", 0)
        self.address: ops.Address = ("", 0)

    def open(self) -> ops.Program:
        """-> the server's listener, or its socket of datagrams."""
        listener = yield (ops.Bind if self.transport == "udp" else ops.Listen)(("127.0.0.1", 0))
        self.server = listener.local
        body = yield from self.relay.obey({"type": "configure"})
        assert body.keys() == {"addresses"}
        self.address = tuple(body["addresses"][LINK])
        return listener

    def status(self) -> ops.Program:
        return (yield from self.relay.obey({"type": "status"}))

    def upstream(self, address: ops.Address | None, epoch: int) -> ops.Program:
        place = None if address is None else list(address)
        yield from self.relay.obey({"type": "upstream", "link": LINK, "address": place, "epoch": epoch})


def run(transport: str, decide: Decide, main: Main) -> None:
    with World(random.Random(1), Conditions(latency=(LATENCY, LATENCY), split=0)) as world:
        world.run(main(Relayed(transport, decide)), world.host("all"))


def pause(nanoseconds: int = SOON) -> ops.Program:
    yield ops.Sleep((yield ops.Now()) + nanoseconds)


def connected(relayed: Relayed, listener: ops.Socket) -> ops.Program:
    """-> (the client's socket, the server's)"""
    client = yield ops.Connect(relayed.address)
    return client, (yield ops.Accept(listener))


def test_what_passed_is_counted_by_epoch_with_the_connections_that_are_open() -> None:
    def main(relayed: Relayed) -> ops.Program:
        listener = yield from relayed.open()
        client, server = yield from connected(relayed, listener)
        yield ops.Send(client, CODEC.wrap(call(1)) + CODEC.wrap(call(2)))
        yield from pause()
        assert (yield ops.Recv(server, 1_000)) == CODEC.wrap(call(1)) + CODEC.wrap(call(2))
        yield ops.Send(server, CODEC.wrap(reply(1)))
        assert (yield ops.Recv(client, 1_000)) == CODEC.wrap(reply(1))
        status = yield from relayed.status()
        assert status == {"held": 0, "pending": 0, "connections": 1, "passed": {LINK: {"1": 2}}}
        yield ops.Close(client)
        assert (yield ops.Recv(server, 1_000)) == b""
        yield ops.Close(server)
        yield from pause()
        assert (yield from relayed.status())["connections"] == 0

    run("tcp", passing, main)


def test_a_server_that_ends_a_connection_ends_it_for_the_client() -> None:
    def main(relayed: Relayed) -> ops.Program:
        listener = yield from relayed.open()
        client, server = yield from connected(relayed, listener)
        yield ops.Close(server)
        assert (yield ops.Recv(client, 1_000)) == b""

    run("tcp", passing, main)


@pytest.mark.parametrize("answers", [True, False])
def test_a_copy_is_injected_over_a_connection_of_its_own_and_waited_for(answers: bool) -> None:
    def main(relayed: Relayed) -> ops.Program:
        listener = yield from relayed.open()
        client, server = yield from connected(relayed, listener)
        yield ops.Send(client, CODEC.wrap(call(1)))
        assert (yield ops.Recv(server, 1_000)) == CODEC.wrap(call(1))
        assert (yield from relayed.status())["held"] == 1
        yield from relayed.upstream(None, 1)
        yield from pause()
        yield from relayed.upstream(relayed.server, 2)
        copy = yield ops.Accept(listener)
        assert (yield ops.Recv(copy, 1_000)) == CODEC.wrap(call(1))
        status = yield from relayed.status()
        assert (status["held"], status["pending"]) == (0, 1)
        if answers:
            yield ops.Send(copy, CODEC.wrap(reply(1)))
            yield from pause()
        else:
            yield from pause(INJECTION_LIMIT // 2)
            assert (yield from relayed.status())["pending"] == 1
            yield from pause(INJECTION_LIMIT // 2)
        assert (yield from relayed.status())["pending"] == 0
        assert not answers or (yield ops.Recv(copy, 1_000)) == b""
        assert (yield ops.Recv(client, 1_000)) == b""

    run("tcp", copied, main)


def test_a_copy_for_which_nobody_listens_is_no_longer_waited_for() -> None:
    def main(relayed: Relayed) -> ops.Program:
        listener = yield from relayed.open()
        client, server = yield from connected(relayed, listener)
        yield ops.Send(client, CODEC.wrap(call(1)))
        assert (yield ops.Recv(server, 1_000)) == CODEC.wrap(call(1))
        yield ops.Close(listener)
        yield from relayed.upstream(None, 1)
        yield from relayed.upstream(relayed.server, 2)
        yield from pause()
        status = yield from relayed.status()
        assert (status["held"], status["pending"]) == (0, 0)

    run("tcp", copied, main)


def test_datagrams_of_each_client_come_from_a_socket_of_its_own_and_go_back_to_it() -> None:
    def main(relayed: Relayed) -> ops.Program:
        server = yield from relayed.open()
        sources = []
        clients = []
        for seq in (1, 2):
            client = yield ops.Bind(IPv4("127.0.0.1", 0))
            clients.append(client)
            for attempt in (1, 2):
                yield ops.SendTo(client, call(seq, attempt), relayed.address)
                data, source = yield ops.RecvFrom(server, 1_000)
                assert data == call(seq, attempt)
                sources.append(source)
        assert sources[0] == sources[1] != sources[2] == sources[3]
        for seq, source in ((2, sources[2]), (1, sources[0])):
            yield ops.SendTo(server, reply(seq), source)
            data, origin = yield ops.RecvFrom(clients[seq - 1], 1_000)
            assert (data, origin) == (reply(seq), relayed.address)
        status = yield from relayed.status()
        assert status == {"held": 0, "pending": 0, "connections": 0, "passed": {LINK: {"1": 4}}}

    run("udp", passing, main)


def test_while_the_server_is_down_datagrams_are_lost_and_a_copy_comes_in_its_next_epoch() -> None:
    def main(relayed: Relayed) -> ops.Program:
        server = yield from relayed.open()
        client = yield ops.Bind(IPv4("127.0.0.1", 0))
        yield ops.SendTo(client, call(1), relayed.address)
        data, source = yield ops.RecvFrom(server, 1_000)
        yield from relayed.upstream(None, 1)
        yield ops.SendTo(client, call(2), relayed.address)
        yield from pause()
        yield from relayed.upstream(relayed.server, 2)
        data, other = yield ops.RecvFrom(server, 1_000)
        assert (data, other != source) == (call(1), True)
        yield ops.SendTo(client, call(3), relayed.address)
        data, again = yield ops.RecvFrom(server, 1_000)
        assert (data, again) == (call(3), source)
        assert (yield from relayed.status())["pending"] == 0

    run("udp", copied, main)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_what_is_kept_goes_on_when_its_rule_is_released_and_nothing_more_is(transport: str) -> None:
    def main(relayed: Relayed) -> ops.Program:
        server = yield from relayed.open()
        if transport == "tcp":
            client, server = yield from connected(relayed, server)
            yield ops.Send(client, CODEC.wrap(call(1)))
        else:
            client = yield ops.Bind(IPv4("127.0.0.1", 0))
            yield ops.SendTo(client, call(1), relayed.address)
        yield from pause()
        assert (yield from relayed.status())["held"] == 1
        yield from relayed.relay.obey({"type": "release", "index": 0})
        assert (yield from relayed.status())["held"] == 0
        if transport == "tcp":
            assert (yield ops.Recv(server, 1_000)) == CODEC.wrap(call(1))
            yield ops.Send(client, CODEC.wrap(call(2)))
            assert (yield ops.Recv(server, 1_000)) == CODEC.wrap(call(2))
        else:
            assert (yield ops.RecvFrom(server, 1_000))[0] == call(1)
            yield ops.SendTo(client, call(2), relayed.address)
            assert (yield ops.RecvFrom(server, 1_000))[0] == call(2)

    run(transport, kept(Awaits.RELEASE), main)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_what_is_delayed_comes_at_its_time_unless_its_rule_is_off(transport: str) -> None:
    late = 50 * SOON

    def main(relayed: Relayed) -> ops.Program:
        server = yield from relayed.open()
        client = yield ops.Bind(IPv4("127.0.0.1", 0))
        if transport == "tcp":
            client, server = yield from connected(relayed, server)
        began = yield ops.Now()
        for number, wait in ((1, late), (2, 0)):
            if transport == "tcp":
                yield ops.Send(client, CODEC.wrap(call(number)))
                assert (yield ops.Recv(server, 1_000)) == CODEC.wrap(call(number))
            else:
                yield ops.SendTo(client, call(number), relayed.address)
                assert (yield ops.RecvFrom(server, 1_000))[0] == call(number)
            assert (yield ops.Now()) - began == wait + 2 * LATENCY
            yield from relayed.relay.obey({"type": "rule", "index": 0, "active": False})
            began = yield ops.Now()

    run(transport, kept(Awaits.TIME, late), main)
