"""A TCP link hands out a sliced message piece by piece, and reads no more of its sender meanwhile."""

from __future__ import annotations

import socket
from collections.abc import Collection
from functools import partial

import pytest
from link_bench import LINK, TIMEOUT, Evidence, loops, turn_until

from chaos.decisions import PASSED, Decided, Slice
from chaos.framers import framers
from chaos.hop import Hop
from chaos.identity import Chunk, Key
from chaos.planes.loop import Loop
from chaos.planes.tcp_link import TcpLink
from nodes.wire.record import Kind

GAP = 1_000_000
FIRST = b"*1\r\n$20\r\n" + b"x" * 20 + b"\r\n"
SECOND = b"*1\r\n$1\r\ny\r\n"
PIECES = [FIRST[start : start + 10] for start in range(0, len(FIRST), 10)]


def sliced_first(key: Key | Chunk, active: Collection[int]) -> Decided:
    sliced = isinstance(key, Chunk) and key.chunk == 1 and key.direction == "request"
    return Decided(0, Slice(len(PIECES[0]), GAP)) if sliced else PASSED


class Received:
    """What a socket got so far."""

    def __init__(self, sock: socket.socket) -> None:
        self.data = b""
        self._socket = sock
        sock.setblocking(False)

    def __call__(self, size: int) -> bool:
        """Whether there are that many bytes now."""
        try:
            self.data += self._socket.recv(65_536)
        except BlockingIOError:
            pass
        return len(self.data) >= size


@pytest.mark.parametrize("healed", [False, True])
def test_pieces_come_a_gap_apart_and_what_follows_behind_them(healed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    at = [0]
    for module in ("loop", "tcp_link"):
        monkeypatch.setattr(f"chaos.planes.{module}.now", lambda: at[0])
    evidence = Evidence()
    hop = Hop(LINK, partial(framers, "resp", "tcp"), sliced_first, [0], [0], evidence, stream=True)
    with loops() as loop, socket.create_server(("127.0.0.1", 0)) as server:
        link = TcpLink(loop, hop, "127.0.0.1", 0, 8)
        loop.tickers.append(link)
        link.upstream(server.getsockname(), 1)
        with socket.create_connection(link.address, TIMEOUT) as client:
            turn_until(loop, lambda: hop.status().connections == 1)
            with server.accept()[0] as accepted:
                received = Received(accepted)
                client.sendall(FIRST)
                sent = 0
                for piece in PIECES[:2]:
                    sent += len(piece)
                    turn_until(loop, lambda: received(sent))  # noqa: B023
                    assert received.data == FIRST[:sent]
                    at[0] += GAP
                    client.sendall(SECOND)
                    assert not readable(loop, link)
                if healed:
                    link.perform(hop.heal())
                else:
                    walk(loop, at, received, sent)
                turn_until(loop, lambda: received(len(FIRST) + 2 * len(SECOND)))
                assert received.data == FIRST + 2 * SECOND
        link.upstream(None, 1)
        link._reserved.close()
    acts = [detail["act"] for kind, detail in evidence.notes if kind in (Kind.DECISION, Kind.RELEASE)]
    assert acts == ["slice", "slice", "pass", "pass"]


def walk(loop: Loop, at: list[int], received: Received, sent: int) -> None:
    """The rest of the pieces, each in its time."""
    for piece in PIECES[2:]:
        sent += len(piece)
        turn_until(loop, lambda: received(sent))  # noqa: B023
        at[0] += GAP


def readable(loop: Loop, link: TcpLink) -> bool:
    """Whether the client's side is read."""
    (pair,) = link._pairs.values()
    return pair.client.socket in loop._watched
