"""Links on a loop: the last net around each connection and datagram, idle sources, and accepting that rests."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from link_bench import LINK, TIMEOUT, Evidence, loops, turn_until

from chaos.decide import Rule, decider
from chaos.faults.messages import Hold
from chaos.framers import Framers, Message
from chaos.hop import Hop
from chaos.hop.kept import COST
from chaos.identity import Direction
from chaos.planes.listening import Listening
from chaos.planes.loop import Loop
from chaos.planes.sources import IDLE, Sources
from chaos.planes.tcp_link import TcpLink
from chaos.planes.udp_link import UdpLink
from nodes.wire.record import Kind

POISON = b"poison"


class Touchy:
    """A framer that takes everything but one thing, and nobody foresaw that."""

    decisions = frozenset({"hold"})
    problem = None

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        if data == POISON:
            raise ZeroDivisionError("nobody foresaw this")
        return [Message(data, direction, None, None, None, None, slice(0, 0))]

    def pending(self) -> bytes:
        return b""


def framers() -> Framers:
    return {"request": Touchy(), "reply": Touchy()}


def hop(evidence: Evidence, *, stream: bool, hold: bool = False) -> Hop:
    rule = Rule(0, Hold(link=LINK, hold="request"))
    return Hop(LINK, framers, decider(1, [rule]), [0], [0] if hold else [], evidence, stream=stream)


@pytest.fixture
def loop() -> Iterator[Loop]:
    with loops() as made:
        yield made


def test_what_nobody_foresaw_ends_its_connection_alone(loop: Loop) -> None:
    evidence = Evidence()
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = TcpLink(loop, hop(evidence, stream=True), "127.0.0.1", 0, 8)
        link.upstream(server.getsockname(), 1)
        clients = [socket.create_connection(link.address, TIMEOUT) for _ in range(2)]
        turn_until(loop, lambda: link.hop.status().connections == 2)
        clients[0].sendall(POISON)
        turn_until(loop, lambda: bool(evidence.of(Kind.BROKEN)))
        assert clients[0].recv(10) == b""
        clients[1].sendall(b"fine")
        turn_until(loop, lambda: len(evidence.of(Kind.DECISION)) == 1)
        accepted = [server.accept()[0] for _ in range(2)]
        for sock in accepted:
            sock.settimeout(TIMEOUT)
        assert sorted(sock.recv(10) for sock in accepted) == [b"", b"fine"]
        link.upstream(None, 1)
        for sock in clients + accepted:
            sock.close()
    (broken,) = evidence.of(Kind.BROKEN)
    assert (broken["link"], broken["reason"]) == (LINK, "ZeroDivisionError: nobody foresaw this")
    link._reserved.close()


def test_what_a_receiver_does_not_take_is_known_until_it_does(loop: Loop) -> None:
    evidence = Evidence()
    data = b"x" * (32 << 20)
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = TcpLink(loop, hop(evidence, stream=True, hold=True), "127.0.0.1", 0, 8)
        link.upstream(server.getsockname(), 1)
        with socket.create_connection(link.address, TIMEOUT) as client:
            turn_until(loop, lambda: link.hop.status().connections == 1)
            with server.accept()[0] as accepted, ThreadPoolExecutor(1) as beside:
                beside.submit(client.sendall, data)
                turn_until(loop, lambda: link.hop._shelf.cost == len(data) + COST * len(link.hop._shelf))
                assert link.hop.backlog() == 0
                link.perform(link.hop.heal())
                assert link.hop.backlog() > len(data) // 4  # the system has taken the rest
                taken = beside.submit(accepted.recv, len(data), socket.MSG_WAITALL)
                turn_until(loop, lambda: link.unsent() == 0)
                assert taken.result(TIMEOUT) == data
                assert link.hop.backlog() == 0
        link.upstream(None, 1)
    link._reserved.close()


def test_what_nobody_foresaw_loses_its_datagram_alone(loop: Loop) -> None:
    evidence = Evidence()
    with datagrams() as server, datagrams() as client:
        link = UdpLink(loop, hop(evidence, stream=False), "127.0.0.1", 8)
        link.upstream(server.getsockname(), 1)
        for data in (POISON, b"fine"):
            client.sendto(data, link.address)
        turn_until(loop, lambda: len(evidence.of(Kind.DECISION)) == 1)
        assert server.recv(10) == b"fine"
    assert [broken["connection"] for broken in evidence.of(Kind.BROKEN)] == [1]


def test_an_idle_source_is_forgotten_for_another_one_and_what_it_left_still_passes(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = [0]
    monkeypatch.setattr("chaos.planes.udp_link.now", lambda: at[0])
    evidence = Evidence()
    with datagrams() as server, datagrams() as old, datagrams() as new:
        link = UdpLink(loop, hop(evidence, stream=False, hold=True), "127.0.0.1", 1)
        link.upstream(server.getsockname(), 1)
        old.sendto(b"held", link.address)
        turn_until(loop, lambda: link.hop.status().held == 1)
        new.sendto(b"refused", link.address)
        turn_until(loop, lambda: len(evidence.of(Kind.BOUND)) == 1)
        at[0] = IDLE
        new.sendto(b"taken", link.address)
        turn_until(loop, lambda: link.hop.status().held == 2)
        link.perform(link.hop.heal())
        turn_until(loop, lambda: link.unsent() == 0)
        lost = [detail["act"] for detail in evidence.of(Kind.RELEASE)]
        assert lost == ["lost", "hold"]  # without identity it means nothing from anywhere else
        assert server.recv(10) == b"taken"
    assert [bound["reason"] for bound in evidence.of(Kind.BOUND)] == [
        "a source too many, whose datagram is lost",
        "an idle source is forgotten for another one",
    ]


def datagrams() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(TIMEOUT)
    return sock


def test_the_source_that_was_heard_least_recently_is_the_first_to_be_idle() -> None:
    sources = Sources()
    first, second = (sources.add(("127.0.0.1", port), 0) for port in (1, 2))
    sources.heard(first, 5)
    assert sources.idle(IDLE - 1) is None
    assert sources.idle(IDLE) == second
    sources.forget(second)
    assert sources.idle(IDLE) is None
    assert (sources.number(("127.0.0.1", 2)), sources.address(second)) == (None, None)
    assert sources.add(("127.0.0.1", 2), IDLE) == 3
    assert sources.idle(IDLE + 5) == first
    sources.heard(second, 0)  # a reply that comes late
    assert len(sources) == 2


def test_without_a_descriptor_accepting_rests_and_nobody_is_lost(loop: Loop) -> None:
    accepted: list[socket.socket] = []
    rested: list[None] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listening = Listening(loop, listener, accepted.append, lambda: rested.append(None))
    with socket.create_connection(listener.getsockname(), TIMEOUT):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            turn_until(loop, lambda: bool(rested))
            assert not loop._watched
            assert listening.next_time() is not None
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        turn_until(loop, lambda: bool(accepted))
    assert len(rested) == 1
    listening.close()
    assert loop.tickers == []
    accepted[0].close()
