"""What a real server's connections go through shows in its samples, on every engine: peers that take no answers, more
of them than its backlog has room for, and numbers that come again."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from test_node_process import SPEC, Node

from nodes import journal
from nodes.engines import NAMES, availability, offer
from nodes.wire.record import Kind

LINK = "client -> server"
ENDPOINT = {"link": LINK, "transport": "tcp", "codec": "lines", "semantics": "maybe", "variant": None, "port": 0}
SAMPLED = {**SPEC, "service": "echo", "samples": True, "endpoints": [{**ENDPOINT, "member": 0}]}
PATIENCE = 20
"""Seconds until what is to be counted is."""

every = pytest.mark.parametrize("engine", [name for name in NAMES if availability(name) is None])


class Server:
    """A node on this machine; its journal is read as it grows."""

    def __init__(self, home: Path, engine: str) -> None:
        self._node = Node(home, engine)
        self._control = self._node.connect()
        self._control.prove()
        answer = self._control.tell("configure", spec=SAMPLED)
        self.address = tuple(answer["addresses"][LINK])
        self._path = home / "server.1.journal"

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, PATIENCE)

    def signal(self, number: int) -> None:
        self._node.process.send_signal(number)

    def kill(self) -> None:
        self._node.process.kill()
        self._node.process.communicate()

    def samples(self) -> list[dict[str, Any]]:
        found = journal.read(self._path, killed=True)
        return [record.detail or {} for record in found if record.kind is Kind.USAGE]

    def comes_to(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first sample of which that is so."""
        end = monotonic() + PATIENCE
        while monotonic() < end:
            for sample in self.samples():
                if what(sample):
                    return sample
            sleep(0.02)
        raise AssertionError(f"never in {self.samples()[-1]}")

    def end(self) -> None:
        with closing(self._control.socket):
            self._control.tell("stop")
        assert self._node.end() == (0, "")
        *_, last, stop = journal.read(self._path, killed=False)
        assert (last.kind, stop.kind) == (Kind.USAGE, Kind.STOP)


@pytest.fixture
def server(tmp_path: Path, engine: str) -> Iterator[Server]:
    made = Server(tmp_path / "home", engine)
    yield made
    made.kill()


@every
def test_who_takes_no_answers_is_counted_where_connections_share_a_memory(server: Server, engine: str) -> None:
    with ExitStack() as stack:
        peer = stack.enter_context(server.connect())
        peer.settimeout(0.5)
        message = b"1 1 " + b"ff" * 15_000 + b"\n"
        try:
            while True:
                peer.sendall(message)
        except TimeoutError:
            pass
        server.comes_to(lambda sample: sample["full"] == 1 if offer(engine).shared else sample["accepted"] == 1)
        server.end()


@every
def test_a_number_that_comes_again_is_counted(server: Server, engine: str) -> None:
    for number in range(1, 4):
        server.connect().close()
        server.comes_to(lambda sample, number=number: sample["accepted"] == number)  # type: ignore[misc]
    server.comes_to(lambda sample: sample["reused"] > 0)
    server.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts it")
@pytest.mark.parametrize("engine", ["epoll"])
def test_whom_its_backlog_has_no_room_for_is_counted(server: Server) -> None:
    server.signal(signal.SIGSTOP)
    with ExitStack() as stack:
        for _ in range(140):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.address)
        server.signal(signal.SIGCONT)
        server.comes_to(lambda sample: sample["overflows"] > 0)
    server.end()
