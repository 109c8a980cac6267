"""Receiving visitors where the process has no descriptor left: nobody is lost for it, and nothing spins."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chaos.planes.loop import Loop
from chaos.planes.reception import Proved, Reception
from nodes.clock import now
from nodes.control import NONCE_SIZE, Connector

TOKEN = b"a secret of this run"
TIMEOUT = 100


class Desk:
    """A reception, and what came of it."""

    def __init__(self, most: int = 4) -> None:
        self.loop = Loop()
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = listener.getsockname()
        self.said: list[str] = []
        self.proved: list[Proved] = []
        self.reception = Reception(self.loop, listener, TOKEN, most, self.proved.append, self.said.append)

    def turn(self, number: int = 1) -> None:
        """So many rounds of the loop, each of which waits until there is something to do."""
        for _ in range(number):
            once(self.loop)

    def visitor(self) -> socket.socket:
        return socket.create_connection(self.address, TIMEOUT)


def once(loop: Loop) -> None:
    """One round: what comes first, a socket or a time."""
    events = loop._selector.select(loop._tick())
    for key, mask in events:
        ready = loop._watched.get(key.fileobj)  # type: ignore[call-overload]
        if ready is not None:
            ready(mask)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.reception.close()
    made.reception.close()
    for one in made.proved:
        one.socket.close()


@contextmanager
def no_descriptor() -> Iterator[None]:
    """What is open stays open, and nothing more can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_without_a_descriptor_it_pauses_and_then_goes_on(desk: Desk) -> None:
    with desk.visitor() as visitor:
        with no_descriptor():
            desk.turn()
            assert [key.fileobj for key in desk.loop._selector.get_map().values()] == []
            assert (desk.reception.next_time() or 0) > now()
        desk.turn(3)
        assert visitor.recv(4096)
    assert desk.said == ["a connection cannot be accepted: Too many open files"]


def test_without_a_descriptor_the_oldest_visitor_gives_its_own_back(desk: Desk) -> None:
    with desk.visitor() as old:
        desk.turn()
        assert old.recv(4096)
        with desk.visitor() as new:
            with no_descriptor():
                desk.turn()
            assert old.recv(4096) == b""
            desk.turn()
            assert new.recv(4096)


def test_who_proved_itself_is_handed_over_and_stays_whoever_comes(desk: Desk) -> None:
    with desk.visitor() as right:
        connector = Connector(TOKEN, os.urandom(NONCE_SIZE))
        desk.turn()
        connector.receive(right.recv(4096))
        right.sendall(connector.outgoing())
        desk.turn()
        connector.receive(right.recv(4096))
        right.sendall(connector.send({"type": "status"}))
        others = [desk.visitor() for _ in range(9)]
        desk.turn(9)
        assert len(desk.proved) == 1
        assert desk.proved[0].endpoint.receive(desk.proved[0].socket.recv(4096)) == [{"type": "status"}]
        for other in others:
            other.close()
