"""A real Toxiproxy plane process with one link, and raw sockets on both sides of it."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from relay_harness import LINK, TIMEOUT, Relay, Side

from chaos.faults.fault import ToxicFault

SIZE = 1000
"""Bytes of a request, and of a reply."""


class Exchange:
    """One connection's two ends, and what passed between them."""

    def __init__(self, client: Side, server: Side) -> None:
        self.client = client
        self.server = server

    def ends(self, stream: str) -> tuple[Side, Side]:
        """-> (who sends in this direction, who receives)."""
        return (self.client, self.server) if stream == "upstream" else (self.server, self.client)

    def sent(self, stream: str, size: int = SIZE) -> float:
        """Send and receive so many bytes -> the seconds that took."""
        source, target = self.ends(stream)
        begun = time.monotonic()
        source.socket.sendall(b"x" * size)
        target.read(size)
        return time.monotonic() - begun

    def pieces(self, stream: str, size: int = SIZE) -> list[int]:
        """Send so many bytes at once -> the sizes of the pieces in which they were received."""
        source, target = self.ends(stream)
        source.socket.sendall(b"x" * size)
        sizes: list[int] = []
        while sum(sizes) < size:
            piece = target.socket.recv(65536)
            assert piece, "end of file in the middle"
            sizes.append(len(piece))
        return sizes


class ToxiproxyRig:
    """A configured plane whose rules are off until switched. The link's server listens at `here`."""

    def __init__(
        self, home: Path, stack: ExitStack, faults: tuple[ToxicFault, ...] = (), here: str = "127.0.0.1", **place: Any
    ) -> None:
        self._stack = stack
        self._here = here
        self.plane = Relay(home, stack, "toxiproxy")
        self.control = self.plane.connect()
        self.server = self.listen()
        rules = [
            {"index": index, "kind": type(fault).__name__, "active": False, **asdict(fault)}
            for index, fault in enumerate(faults)
        ]
        link = {"name": LINK, "transport": "tcp", "codec": "xdr", "source": "client", "target": "server"}
        link |= {"upstream": list(self.server.getsockname()), "epoch": 1, "rules": rules}
        place = {"listen": "127.0.0.1", **place}
        addresses = self.control.tell("configure", **place, seed=7, links=[link], rules=[])["addresses"]
        self.address: tuple[str, int] = (addresses[LINK][0], addresses[LINK][1])

    def listen(self) -> socket.socket:
        server = self._stack.enter_context(socket.create_server((self._here, 0)))
        server.settimeout(TIMEOUT)
        return server

    def switch(self, active: bool, index: int = 0) -> None:
        self.control.tell("rule", index=index, active=active)

    def connection(self) -> Exchange:
        """A connection that has carried a byte each way, unless it is not let."""
        client = self._stack.enter_context(socket.create_connection(self.address, TIMEOUT))
        server, _ = self.server.accept()
        return Exchange(Side(client), Side(self._stack.enter_context(server)))

    def connection_while_on(self, which: str, index: int = 0) -> Exchange:
        """`which`: "open" before the rule is switched on, or "new" after that."""
        if which == "new":
            self.switch(True, index)
        exchange = self.connection()
        if which == "open":
            exchange.sent("upstream", 1)
            exchange.sent("downstream", 1)
            self.switch(True, index)
        return exchange
