"""What benchmarks/engines puts on a server: connections that wait for their echoes, and what the server used for it."""

from __future__ import annotations

import json
import resource
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import NamedTuple

SERVERS = Path(__file__).with_name("servers.py")
IP_BIND_ADDRESS_NO_PORT = 24  # ip(7): the port is chosen when it is known where to
BATCH = 1000
"""Connections that are opened before they are answered: fewer than a backlog, however slow the server is."""
PORTS = 8000
"""Connections from one address: beyond half of the ephemeral ports Linux searches long for a free one."""
PATIENCE = 120
"""Seconds that an answer may take before the server counts as stuck."""


class Usage(NamedTuple):
    """Of the server's processes so far: CPU seconds (user and system), context switches, resident bytes."""

    cpu: float
    voluntary: int
    involuntary: int
    resident: int


def used(process: Path) -> Usage:
    """Of a process that cannot be asked, proc(5): what it alone is resident with, where it shares."""
    cpu, switches = 0, {"voluntary_ctxt_switches": 0, "nonvoluntary_ctxt_switches": 0}
    for task in (process / "task").iterdir():
        cpu += int((task / "schedstat").read_text().split()[0])
        for line in (task / "status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in switches:
                switches[name] += int(value)
    resident = next(line for line in (process / "smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    return Usage(cpu / 1e9, *switches.values(), int(resident.split()[1]) * 1024)


class Load:
    """The client side: connections that have each carried a message, and then keep one outstanding. It polls without
    sleeping: else a server that is a little slower finds it asleep more often and pays for waking it, which measures
    the scheduler.
    """

    def __init__(self, port: int, connections: int, message: bytes) -> None:
        self.message = message
        self.poller = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        for first in range(0, connections, BATCH):
            fresh = {}
            for number in range(first, min(first + BATCH, connections)):
                sock = connected(port, f"127.0.0.{1 + number // PORTS}")
                fresh[sock.fileno()] = sock
                self.poller.register(sock.fileno(), select.EPOLLIN)
            self.sockets |= fresh
            self.echo(len(fresh), fresh)

    def echo(self, messages: int, over: dict[int, socket.socket] | None = None) -> list[int]:
        """So many echoes, spread over these connections, or over all, as they come; the nanoseconds that each took."""
        began: dict[int, int] = {}
        unsent = messages
        for fd, sock in (over or self.sockets).items():
            if unsent:
                unsent -= 1
                began[fd] = perf_counter_ns()
                sock.sendall(self.message)
        missing = dict.fromkeys(began, len(self.message))
        took: list[int] = []
        quiet_since = perf_counter_ns()
        while len(took) < messages:
            ready = self.poller.poll(0)
            now = perf_counter_ns()
            if ready:
                quiet_since = now
            elif now - quiet_since > PATIENCE * 10**9:
                raise RuntimeError(f"no echo for {PATIENCE} s, {messages - len(took)} are missing")
            for fd, _ in ready:
                part = self.sockets[fd].recv(65536)
                if not part:
                    raise RuntimeError("the server closed a connection")
                missing[fd] -= len(part)
                if missing[fd]:
                    continue
                took.append(perf_counter_ns() - began[fd])
                if unsent:
                    unsent -= 1
                    missing[fd] = len(self.message)
                    began[fd] = perf_counter_ns()
                    self.sockets[fd].send(self.message)
        return took

    def close(self) -> None:
        for sock in self.sockets.values():
            sock.close()
        self.poller.close()


def connected(port: int, source: str) -> socket.socket:
    sock = socket.socket()
    sock.settimeout(PATIENCE)
    sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.bind((source, 0))
    sock.connect(("127.0.0.1", port))
    return sock


class Server:
    """A server process, and the loads that are on it."""

    def __init__(self, kind: str) -> None:
        command = [sys.executable, str(SERVERS), kind]
        self.kind = kind
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.loads: list[Load] = []
        line = self._line()
        if not line.strip().isdigit():
            self.stop()
            raise RuntimeError(f"the server {kind} did not start; its messages are above")
        self.port = int(line)

    def load(self, connections: int, message: bytes) -> Load:
        """New connections, each of which has carried one message."""
        self.loads.append(Load(self.port, connections, message))
        return self.loads[-1]

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def usage(self) -> Usage:
        assert self.process.stdin is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        total = Usage(*json.loads(self._line()))
        for child in self.children():
            total = Usage(*map(sum, zip(total, used(Path("/proc", child)), strict=True)))
        return total

    def children(self) -> list[str]:
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """It runs meanwhile, and not before or after: one that polls without sleeping would take from the others."""
        self.process.send_signal(signal.SIGCONT)
        yield
        self.pause()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        for load in self.loads:
            load.close()
        self.process.communicate()


def descriptors() -> int:
    """How many this process and its children may have open from now on: as many as the hard limit allows."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
