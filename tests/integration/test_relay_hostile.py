"""A real relay and bytes that nobody should send: it passes them, bounds what it keeps, and serves afterwards."""

from __future__ import annotations

import errno
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil
import pytest
from limited import descriptors
from mutations import VALID, Stream, mutated
from relay_harness import LINK, TIMEOUT, Relay, Rig, Side
from requirements import ALL

from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Delay, Drop, Duplicate, Hold, Reorder
from chaos.framers import STREAM_CODECS
from chaos.framers.message import LARGEST_MESSAGE
from chaos.planes.room import OF_A_CONNECTION, OF_A_LINK, RESERVED
from nodes.wire.record import Kind

MakeRig = Callable[..., Rig]
MIB = 1 << 20
STREAMS = 2_000 if ALL else 500
SEED = 8
STRETCHED = 0.3
RESET = (errno.ECONNRESET, errno.EPIPE, errno.ENOTCONN)
LONGEST_DATAGRAM = 60_000


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def rig(tmp_path: Path, stack: ExitStack) -> MakeRig:
    def make(transport: str, *faults: RelayFault, codec: str = "xdr", limit: int | None = None) -> Rig:
        return Rig(tmp_path, stack, transport, faults, codec, () if limit is None else descriptors(limit))

    return make


def told(r: Rig, kind: Kind) -> list[dict[str, Any]]:
    return [record.detail or {} for record in r.relay.journal() if record.kind is kind]


# Mutated streams


class Place:
    """One link of a relay with many, and the server behind it."""

    def __init__(self, stack: ExitStack, name: str, protocol: tuple[str, str], faults: tuple[RelayFault, ...]) -> None:
        self.name = name
        self.codec, self.transport = protocol
        self.address = ("", 0)
        self._faults = faults
        kind = socket.SOCK_STREAM if self.transport == "tcp" else socket.SOCK_DGRAM
        self.server = stack.enter_context(socket.socket(socket.AF_INET, kind))
        self.server.bind(("127.0.0.1", 0))
        self.server.settimeout(TIMEOUT)
        if self.transport == "tcp":
            self.server.listen()

    def configuration(self, first: int) -> dict[str, Any]:
        rules = [
            {**asdict(fault), "link": self.name, "index": first + number, "kind": type(fault).__name__, "active": True}
            for number, fault in enumerate(self._faults)
        ]
        link = {"name": self.name, "transport": self.transport, "codec": self.codec, "epoch": 1, "rules": rules}
        return {**link, "upstream": list(self.server.getsockname())}

    def pass_stream(self, stream: Stream, asked: bytes) -> tuple[bytes, bytes]:
        """-> what the server received, and the client. A stream of replies answers what was `asked`."""
        if self.transport == "udp":
            return self._datagram(stream, asked)
        with socket.create_connection(self.address, TIMEOUT) as client:
            pieces = stream.pieces if stream.direction == "request" else (asked,)
            for piece in pieces:
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)
            accepted, _ = self.server.accept()
            with accepted:
                received = Side(accepted).ended()
                for piece in stream.pieces if stream.direction == "reply" else ():
                    accepted.sendall(piece)
            return received, Side(client).ended()

    def pass_disturbed(self, stream: Stream) -> None:
        """Both ends get what faults make of it. What was kept back may come on a connection of the relay's own.

        A server that answered and closed with something unread resets the connection, at whatever step its client is.
        """
        with socket.create_connection(self.address, TIMEOUT) as client:
            try:
                for piece in stream.pieces:
                    client.sendall(piece)
                client.shutdown(socket.SHUT_WR)
            except OSError as error:
                if error.errno not in RESET:
                    raise
            Side(client).ended()

    def answer(self) -> None:
        """Whoever calls, until the listener is shut down."""
        (reply, *_) = VALID[self.codec, self.transport]["reply"]
        with suppress(OSError):
            while True:
                accepted, _ = self.server.accept()
                with accepted, suppress(OSError):
                    accepted.settimeout(TIMEOUT)
                    accepted.recv(65536)
                    accepted.sendall(reply)

    def _datagram(self, stream: Stream, asked: bytes) -> tuple[bytes, bytes]:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(TIMEOUT)
            client.connect(self.address)
            data = stream.whole[:LONGEST_DATAGRAM]
            client.send(data if stream.direction == "request" else asked)
            received, back = self.server.recvfrom(65535)
            if stream.direction == "request":
                return received, b""
            self.server.sendto(data, back)
            return received, client.recv(65535)


def faults() -> tuple[RelayFault, ...]:
    """Those that keep, change or take messages, as often as not."""
    chosen: dict[str, Any] = {"link": "", "probability": 0.3, "attempt": "all"}
    return (
        Corrupt(corrupt="request", **chosen),
        Drop(drop="reply", **chosen),
        Delay(delay="request", by=1, **chosen),
    )


def ours() -> tuple[RelayFault, ...]:
    chosen: dict[str, Any] = {"link": "", "probability": 0.3}
    return (
        *faults(),
        Reorder(reorder="request", **chosen),
        Duplicate(duplicate="request", copy="after-trim", **chosen),
    )


def test_mutated_streams_through_a_real_relay_that_serves_afterwards(tmp_path: Path, stack: ExitStack) -> None:
    relay = Relay(tmp_path, stack)
    control = relay.connect()
    faithful = [Place(stack, "-".join(protocol), protocol, ()) for protocol in VALID]
    disturbed = [Place(stack, f"{codec} disturbed", (codec, "tcp"), faults()) for codec in sorted(STREAM_CODECS)]
    disturbed += [Place(stack, f"{codec} disturbed", (codec, "tcp"), ours()) for codec in ("xdr", "msgpack")]
    places = faithful + disturbed
    links = [place.configuration(10 * number) for number, place in enumerate(places)]
    addresses = control.tell("configure", listen="127.0.0.1", seed=7, links=links)["addresses"]
    for place in places:
        place.address = (addresses[place.name][0], addresses[place.name][1])
    count = -(-STREAMS // len(places))
    passed = sum(passed_unchanged(place, count) for place in faithful)
    for place in disturbed:
        passed += passed_disturbed(place, count)
    assert passed == count * len(places) >= STREAMS
    for place in faithful:
        assert passed_unchanged(place, 10) == 10
    assert relay.process.poll() is None
    kinds = Counter(record.kind for record in relay.journal())
    assert kinds[Kind.BROKEN] == 0
    assert kinds[Kind.UNIDENTIFIED] > STREAMS / 20


def passed_unchanged(place: Place, count: int) -> int:
    """-> how many streams were received as they were sent."""
    valid = VALID[place.codec, place.transport]
    asked = b"".join(valid["request"]) if place.transport == "tcp" else valid["request"][0]
    same = 0
    for stream in mutated(valid, place.transport, count, SEED, STRETCHED):
        received, answered = place.pass_stream(stream, asked)
        sent = stream.whole if place.transport == "tcp" else stream.whole[:LONGEST_DATAGRAM]
        same += (received if stream.direction == "request" else answered) == sent
    return same


def passed_disturbed(place: Place, count: int) -> int:
    """-> how many streams came to their end."""
    answering = threading.Thread(target=place.answer)
    answering.start()
    ended = 0
    for stream in mutated(VALID[place.codec, place.transport], place.transport, count, SEED, STRETCHED):
        place.pass_disturbed(stream)
        ended += 1
    place.server.shutdown(socket.SHUT_RDWR)
    answering.join()
    return ended


@pytest.mark.parametrize("digits", [b"1" * 5000, b"0" * 5000])
@pytest.mark.parametrize("direction", ["request", "reply"])
def test_a_length_of_5000_digits_passes_unidentified(rig: MakeRig, direction: str, digits: bytes) -> None:
    r = rig("tcp", codec="http1")
    client, server = r.connection()
    head = b"PUT / HTTP/1.1\r\n" if direction == "request" else b"HTTP/1.1 200 OK\r\n"
    message = head + b"Content-Length: " + digits + b"\r\n\r\n"
    asked = b"GET / HTTP/1.1\r\n\r\n"
    client.socket.sendall(asked)
    assert server.read(len(asked)) == asked
    sender, receiver = (client, server) if direction == "request" else (server, client)
    sender.socket.sendall(message)
    assert receiver.read(len(message)) == message
    assert [(note["direction"], note["link"]) for note in told(r, Kind.UNIDENTIFIED)] == [(direction, LINK)]
    r.status()


# Memory


def resident(r: Rig) -> int:
    return int(psutil.Process(r.relay.process.pid).memory_info().rss)


HEADS = {
    "length": b"PUT / HTTP/1.1\r\nContent-Length: 314572801\r\n\r\n",
    "chunks": b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n12c00001\r\n",
}


@pytest.mark.parametrize("how", HEADS)
def test_an_unfinished_body_of_300_mb_passes_and_is_not_kept(rig: MakeRig, how: str) -> None:
    r = rig("tcp", codec="http1")
    client, server = r.connection()
    before = most = resident(r)
    head, piece = HEADS[how], b"x" * MIB
    sender = threading.Thread(target=lambda: [client.socket.sendall(each) for each in (head, *([piece] * 300))])
    sender.start()
    left = len(head) + 300 * MIB
    while left:
        left -= len(server.read(min(left, MIB)))
        most = max(most, resident(r))
    sender.join()
    assert most - before < LARGEST_MESSAGE + 30 * MIB
    assert [note["direction"] for note in told(r, Kind.UNIDENTIFIED)] == ["request"]


def test_200000_messages_of_one_long_cell_do_not_make_the_relay_grow(rig: MakeRig) -> None:
    r = rig("tcp", Drop(link=LINK, drop="request", operations=(1,)))
    client, server = r.connection()
    before = 0
    for begin in range(2, 100_002, 1000):
        calls = b"".join(r.call(seq, first=seq) for seq in range(begin, begin + 1000))
        client.socket.sendall(calls)
        assert server.read(len(calls)) == calls
        replies = b"".join(r.reply(seq) for seq in range(begin, begin + 1000))
        server.socket.sendall(replies)
        assert client.read(len(replies)) == replies
        before = before or resident(r)
    assert r.status()["passed"] == {LINK: {"1": 100_000}}
    assert resident(r) - before < 8 * MIB


# Descriptors


def test_connections_beyond_the_bound_are_refused_and_told_once(rig: MakeRig) -> None:
    limit = 100
    r = rig("tcp", limit=limit)
    most = (limit - RESERVED - OF_A_LINK) // OF_A_CONNECTION
    pairs = [r.connection() for _ in range(most)]
    for client, server in pairs:
        client.socket.sendall(r.call(1))
        assert server.read(len(r.call(1))) == r.call(1)
    refused = [r.dial() for _ in range(50)]
    assert [client.ended() for client in refused] == [b""] * 50
    bounds = told(r, Kind.BOUND)
    assert [note["count"] for note in bounds] == [1]
    assert "refused" in bounds[0]["reason"]
    client, server = pairs[0]
    client.socket.close()
    assert server.ended() == b""
    server.socket.close()
    while r.status()["connections"] != most - 1:
        pass
    client, server = r.connection()
    client.socket.sendall(r.call(2))
    assert server.read(len(r.call(2))) == r.call(2)
    assert [note["count"] for note in told(r, Kind.BOUND)] == [1, 49]


def test_sources_beyond_the_bound_are_refused_and_told_once(rig: MakeRig) -> None:
    r = rig("udp", limit=100)
    clients = [r.datagrams() for _ in range(300)]
    for client in clients:
        client.socket.send(r.call(1))
        r.status()
    received = []
    while len(received) < r.status()["passed"][LINK]["1"]:
        data, back = r.server.recvfrom(65535)
        assert data == r.call(1)
        received.append(back)
    assert 20 < len(received) < 100
    for back in received:
        r.server.sendto(r.reply(1), back)
    for client in clients[: len(received)]:
        assert client.socket.recv(65535) == r.reply(1)
    assert [note["count"] for note in told(r, Kind.BOUND)] == [1]
    r.control.tell("stop")
    assert r.relay.process.wait(TIMEOUT) == 0
    assert [note["count"] for note in told(r, Kind.BOUND)] == [1, 299 - len(received)]


def test_without_a_descriptor_accepting_rests_and_goes_on(rig: MakeRig) -> None:
    r = rig("tcp")
    process = psutil.Process(r.relay.process.pid)
    soft, hard = process.rlimit(psutil.RLIMIT_NOFILE)
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds(), hard))
    client = r.dial()
    client.socket.sendall(r.call(1))
    while not (bounds := told(r, Kind.BOUND)):
        pass
    assert "accepting rests" in bounds[0]["reason"]
    r.status()
    process.rlimit(psutil.RLIMIT_NOFILE, (soft, hard))
    server = Side(r.stack.enter_context(r.server.accept()[0]))
    assert server.read(len(r.call(1))) == r.call(1)


def test_many_held_requests_whose_connections_died_are_injected_a_few_at_once(rig: MakeRig) -> None:
    r = rig("tcp", Hold(link=LINK, hold="request"), limit=64)
    count = 200
    client, server = r.connection()
    client.socket.sendall(b"".join(r.call(seq) for seq in range(1, count + 1)))
    while r.status()["held"] < count:
        pass
    client.socket.close()
    assert server.ended() == b""
    r.control.tell("heal")
    seen = set()
    for _ in range(count):
        injected, _ = r.server.accept()
        with injected:
            seen.add(Side(injected).read(len(r.call(1))))
    assert seen == {r.call(seq) for seq in range(1, count + 1)}
    assert told(r, Kind.BOUND) == []
