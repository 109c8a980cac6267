"""Server CPU per 1 KiB echo: our engines against a hand-written epoll loop and against asyncio.

    python benchmarks/engine.py [--repeats N] [--messages N] [--connections N] [--quick]

100 connections, one message outstanding on each. The load generator is this process, the server another one;
its CPU is what wait4(2) reports for it, less what a server costs that only starts and accepts. The servers
take turns within each repeat, so that whatever else the host does meets all of them alike. Efficiency is
messages per CPU second relative to the hand-written loop in the same repeat. Figures of different hosts or
days are not to be compared.
"""

from __future__ import annotations

import argparse
import os
import select
import socket
import statistics
import subprocess
import sys
from pathlib import Path

SERVERS = Path(__file__).with_name("engine_servers.py")
KINDS = ("raw epoll", "epoll", "threads", "asyncio")
REFERENCE = KINDS[0]
MESSAGE = bytes(1024)


def load(port: int, connections: int, messages: int) -> None:
    """`messages` echoes spread over the connections; every connection keeps one outstanding."""
    poller = select.epoll()
    sockets = {}
    for _ in range(connections):
        sock = socket.create_connection(("127.0.0.1", port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[sock.fileno()] = sock
        poller.register(sock.fileno(), select.EPOLLIN)
        sock.sendall(MESSAGE)
    missing = dict.fromkeys(sockets, len(MESSAGE))
    unsent = messages - connections
    outstanding = connections
    while outstanding:
        for fd, _ in poller.poll():
            sock = sockets[fd]
            missing[fd] -= len(sock.recv(65536))
            if missing[fd]:
                continue
            if unsent > 0:
                unsent -= 1
                missing[fd] = len(MESSAGE)
                sock.send(MESSAGE)
            else:
                outstanding -= 1
    for sock in sockets.values():
        sock.close()
    poller.close()


def cpu_seconds(kind: str, connections: int, messages: int) -> float:
    """The CPU, user and system, of one server's whole life."""
    server = subprocess.Popen([sys.executable, str(SERVERS), kind], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        load(int(server.stdout.readline()), connections, messages)
    finally:
        server.stdin.close()
        server.stdout.close()
        _, status, usage = os.wait4(server.pid, 0)
        server.returncode = os.waitstatus_to_exitcode(status)
    if server.returncode != 0:
        raise SystemExit(f"the {kind} server ended with {server.returncode}")
    return usage.ru_utime + usage.ru_stime


def measure(repeats: int, connections: int, messages: int) -> dict[str, list[float]]:
    """CPU microseconds per message, by kind; entry k of each list is from repeat k."""
    samples: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for turn in range(repeats):
        shift = turn % len(KINDS)
        for kind in KINDS[shift:] + KINDS[:shift]:
            idle = cpu_seconds(kind, connections, connections)
            busy = cpu_seconds(kind, connections, messages + connections)
            samples[kind].append((busy - idle) / messages * 1e6)
        print(f"repeat {turn + 1} of {repeats}", file=sys.stderr)
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
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="20 000 messages")
    arguments = parser.parse_args()
    messages = 20_000 if arguments.quick else arguments.messages
    samples = measure(arguments.repeats, arguments.connections, messages)
    print(f"1 KiB echo, {arguments.connections} connections, {messages} messages, {arguments.repeats} repeats")
    print("median (lowest to highest)\n")
    print(table(samples))


if __name__ == "__main__":
    main()
