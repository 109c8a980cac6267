"""The echo servers that benchmarks/engines compares. Run as `servers.py KIND`; prints its port.

Each prints what it has used (`Usage` in load.py) whenever it is sent a line, and serves until its standard input
ends. All use TCP_NODELAY and receive up to 64 KiB at a time.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nodes import engines, ops
from nodes.wire.addresses import IPv4

ADDRESS = IPv4("127.0.0.1", 0)
SIZE = 65536
BACKLOG = 4096


def announce(port: int) -> None:
    print(port, flush=True)


def answer_questions() -> None:
    """In a thread of its own, which sleeps while the load is on. At the end nothing needs tidying."""

    def answer() -> None:
        for _ in sys.stdin.buffer:
            used = resource.getrusage(resource.RUSAGE_SELF)
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
            print(json.dumps([time.process_time(), used.ru_nvcsw, used.ru_nivcsw, resident]), flush=True)
        os._exit(0)

    threading.Thread(target=answer, daemon=True).start()


def raw_epoll(flag: int = 0) -> None:
    """What one writes by hand: kept registration, receive then send, no abstraction. Level-triggered, or one-shot."""
    listener = socket.create_server(ADDRESS, backlog=BACKLOG)
    listener.setblocking(False)
    poller = select.epoll()
    poller.register(listener.fileno(), select.EPOLLIN)
    connections: dict[int, socket.socket] = {}
    announce(listener.getsockname()[1])
    accepting = listener.fileno()
    while True:
        for fd, _mask in poller.poll():
            if fd == accepting:
                connection, _ = listener.accept()
                connection.setblocking(False)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = connection
                poller.register(connection.fileno(), select.EPOLLIN | flag)
                continue
            connection = connections[fd]
            data = connection.recv(SIZE)
            if data:
                if connection.send(data) != len(data):
                    raise RuntimeError("1 KiB did not fit into an idle connection's buffer")
                if flag:
                    poller.modify(fd, select.EPOLLIN | flag)
            else:
                poller.unregister(fd)
                del connections[fd]
                connection.close()


class EchoProtocol(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


async def serve_protocol() -> None:
    server = await asyncio.get_running_loop().create_server(EchoProtocol, *ADDRESS, backlog=BACKLOG)
    announce(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def on_asyncio() -> None:
    asyncio.run(serve_protocol())


def on_uvloop() -> None:
    import uvloop

    uvloop.run(serve_protocol())


def echo(connection: ops.Socket) -> ops.Program:
    receive, send = ops.Recv(connection, SIZE), ops.Send(connection, b"")
    while True:
        data = yield receive
        if not data:
            break
        send.data = data
        yield send
        data = send.data = b""  # like the loop by hand, it keeps nothing that it sent
    yield ops.Close(connection)


def serve() -> ops.Program:
    listener = yield ops.Listen(ADDRESS, BACKLOG)
    announce(listener.local[1])
    while True:
        connection = yield ops.Accept(listener)
        yield ops.Spawn(echo(connection), connection=connection)


def on_engine(name: str) -> Callable[[], None]:
    def run() -> None:
        engines.create(name, lambda _transaction: 0, lambda: 0.0).run(serve())

    return run


PEERS: dict[str, Callable[[], None]] = {
    "raw epoll": raw_epoll,
    "raw one-shot": partial(raw_epoll, select.EPOLLONESHOT),
    "asyncio protocol": on_asyncio,
    "uvloop protocol": on_uvloop,
}

if __name__ == "__main__":
    answer_questions()
    kind = sys.argv[1]
    (PEERS.get(kind) or on_engine(kind))()
