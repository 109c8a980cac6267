"""Server CPU per 1 KiB echo: our engines against a hand-written epoll loop and against asyncio.

    python benchmarks/engine.py [--repeats N] [--messages N] [--connections N] [--quick]

100 connections, one message outstanding on each. The load generator is this process, the server another one;
its CPU, user and system, is CLOCK_PROCESS_CPUTIME_ID before and after the load, when all connections are
there and have carried messages. The generator polls without sleeping: else a server that is a little slower
finds it asleep more often and pays for waking it, which measures the scheduler, not the server.

A repeat starts all servers anew, and they take turns in slices of a few milliseconds, so that whatever else
the host does meets all of them alike. Efficiency is messages per CPU second relative to the hand-written loop
in the same repeat. Figures of different hosts or days are not to be compared.
"""

from __future__ import annotations

import argparse
import select
import socket
import statistics
import subprocess
import sys
from pathlib import Path

SERVERS = Path(__file__).with_name("engine_servers.py")
KINDS = ("raw epoll", "epoll", "io_uring", "threads", "asyncio")
REFERENCE = KINDS[0]
MESSAGE = bytes(1024)
SLICES = 20


class Load:
    """The client side: connections that each keep one message outstanding."""

    def __init__(self, port: int, connections: int) -> None:
        self.poller = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            sock = socket.create_connection(("127.0.0.1", port))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets[sock.fileno()] = sock
            self.poller.register(sock.fileno(), select.EPOLLIN)

    def echo(self, messages: int) -> None:
        """`messages` echoes, spread over the connections as they come."""
        for sock in self.sockets.values():
            sock.sendall(MESSAGE)
        missing = dict.fromkeys(self.sockets, len(MESSAGE))
        outstanding = len(self.sockets)
        unsent = messages - outstanding
        while outstanding:
            for fd, _ in self.poller.poll(0):
                missing[fd] -= len(self.sockets[fd].recv(65536))
                if missing[fd]:
                    continue
                if unsent > 0:
                    unsent -= 1
                    missing[fd] = len(MESSAGE)
                    self.sockets[fd].send(MESSAGE)
                else:
                    outstanding -= 1

    def close(self) -> None:
        for sock in self.sockets.values():
            sock.close()
        self.poller.close()


class Server:
    """A server process under load."""

    def __init__(self, kind: str, connections: int) -> None:
        command = [sys.executable, str(SERVERS), kind]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.load = Load(int(self._line()), connections)
        self.load.echo(10 * connections)

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def used(self) -> float:
        """The CPU seconds that it has used so far."""
        assert self.process.stdin is not None
        self.process.stdin.write("?\n")
        self.process.stdin.flush()
        return float(self._line())

    def cost(self, messages: int) -> float:
        """The CPU seconds for so many messages."""
        before = self.used()
        self.load.echo(messages)
        return self.used() - before

    def stop(self) -> None:
        self.load.close()
        self.process.communicate()


def repeat(connections: int, messages: int) -> dict[str, float]:
    """CPU microseconds per message, by kind."""
    servers: dict[str, Server] = {}
    costs = dict.fromkeys(KINDS, 0.0)
    try:
        for kind in KINDS:
            servers[kind] = Server(kind, connections)
        for _ in range(SLICES):
            for kind, server in servers.items():
                costs[kind] += server.cost(messages // SLICES)
    finally:
        for server in servers.values():
            server.stop()
    return {kind: cost / messages * 1e6 for kind, cost in costs.items()}


def measure(repeats: int, connections: int, messages: int) -> dict[str, list[float]]:
    """CPU microseconds per message, by kind; entry k of each list is from repeat k."""
    samples: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for number in range(repeats):
        for kind, cost in repeat(connections, messages).items():
            samples[kind].append(cost)
        print(f"repeat {number + 1} of {repeats}", file=sys.stderr)
    return samples


def spread(values: list[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def table(samples: dict[str, list[float]]) -> str:
    lines = [f"{'server':<12}{'CPU us per echo':>24}{'efficiency, raw = 1':>28}{'times asyncio':>26}"]
    for kind, costs in samples.items():
        to_raw = [raw / cost for raw, cost in zip(samples[REFERENCE], costs, strict=True)]
        to_asyncio = [peer / cost for peer, cost in zip(samples["asyncio"], costs, strict=True)]
        lines.append(f"{kind:<12}{spread(costs, 2):>24}{spread(to_raw, 2):>28}{spread(to_asyncio, 2):>26}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--messages", type=int, default=30_000)
    parser.add_argument("--quick", action="store_true", help="8000 messages")
    arguments = parser.parse_args()
    messages = 8_000 if arguments.quick else arguments.messages
    samples = measure(arguments.repeats, arguments.connections, messages)
    print(f"1 KiB echo, {arguments.connections} connections, {messages} messages, {arguments.repeats} repeats")
    print("median (lowest to highest)\n")
    print(table(samples))


if __name__ == "__main__":
    main()
