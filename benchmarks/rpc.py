"""Calls per second and latency of one synchronous client: our call semantics against Pyro5 and grpcio.

    python benchmarks/rpc.py [--calls 300] [--repeats 7]

Every server is a process of its own on loopback; every client is synchronous and lives in this process. The
contenders take turns, so that a noisy machine is unfair to all of them alike; a ratio compares the median latencies
of one repeat, and the median over the repeats is printed: above 1 we are faster. "bare sockets" is the floor:
a blocking echo of 80 bytes between two processes. Our servers journal every call and, for `add`, commit its effect
to their ledger; the peers keep nothing. The ledger's "process" durability survives SIGKILL (WAL, synchronous NORMAL),
not a power failure.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent import futures
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from nodes import engines
from nodes.control import Ended, parse_control_line
from nodes.drivers import Operation
from nodes.drivers.rpc import RpcDriver
from nodes.ops import Address, Now, Program, Queue
from nodes.reports import Reports
from nodes.rpc.calls import End, Session
from nodes.rpc.codecs import codec
from nodes.rpc.retry import Retry
from nodes.rpc.semantics import NAMES
from nodes.rpc.serve import READ_SIZE
from nodes.services import SERVICES
from nodes.wire.addresses import read
from orchestrator.backends.control_client import ControlClient
from orchestrator.run.specs import server_spec
from orchestrator.scenario.plan import expand

WARM_UP = 30
PATIENT = Retry(attempts=None, first=2_000, maximum=2_000, jitter=0.0, same_connection=True)

LOOPBACK = "127.0.0.1"
SCENARIO = """
scenario: calls
nodes: {{server: {{service: {service}}}, client: {{workload: {workload}, calls: 10}}}}
links: [{{from: client, to: server, semantics: {semantics}, transport: {transport}, codec: {codec}}}]
expect: {{others: {{client: ok, executions: 1}}}}
"""
Connect = Callable[[str], tuple[Callable[[], Any], Callable[[], None]]]
Measure = Callable[[int], list[int]]
"""Make that many calls -> the nanoseconds of each."""


class Silent:
    """The client's evidence is not what is measured: the peers' clients keep none either."""

    def note(self, *_: Any, **__: Any) -> None:
        pass

    def passage(self, *_: Any) -> None:
        pass


class Ours:
    """One of our servers, and a synchronous client of one of its links."""

    def __init__(self, stack: ExitStack, home: Path, semantics: str, transport: str, code: str, workload: str) -> None:
        self._transport, self._codec, self._semantics = transport, code, semantics
        self._service = "counter" if workload == "add" else "echo"
        self._operation: tuple[str, Any] = ("add", 1) if workload == "add" else ("echo", b"x" * 8)
        name = f"{semantics}-{transport}-{code}-{workload}"
        folder = home / name
        folder.mkdir()
        token = os.urandom(16).hex()
        argv = [sys.executable, "-I", "-m", "nodes", "--name", "server", "--epoch", "1", "--home", str(folder)]
        environment = {**os.environ, "FAULTBED_TOKEN": token}
        process = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment, text=True))
        stack.callback(process.kill)
        assert process.stdout is not None
        address = parse_control_line(process.stdout.readline())
        self._control = ControlClient(socket.create_connection(address), bytes.fromhex(token))
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        listener = threading.Thread(target=self._listen, args=(answers.put,))
        listener.start()
        stack.callback(listener.join)
        stack.callback(self._control.close)
        self._target = self._configure(answers)
        self._client = 10101

    def _configure(self, answers: queue.SimpleQueue[dict[str, Any]]) -> Address:
        scenario = SCENARIO.format(
            semantics=self._semantics,
            transport=self._transport,
            codec=self._codec,
            service=self._service,
            workload=self._operation[0],
        )
        (cell,) = expand(scenario, __file__).cells
        self._control.send({"type": "configure", "id": 1, "spec": server_spec(cell, "server", 1, LOOPBACK)})
        answer = answers.get(timeout=10)
        if "error" in answer:
            sys.exit(f"a server refuses: {answer['error']}")
        return read(answer["addresses"][cell.links[0].name])

    def _listen(self, take: Callable[[dict[str, Any]], None]) -> None:
        try:
            self._control.listen(take)
        except Ended:
            return

    def measure(self, calls: int) -> list[int]:
        self._client += 100
        interface = SERVICES[self._service].interface
        driver = RpcDriver(
            Session(self._client, self._semantics),
            interface,
            codec(self._codec, interface),
            self._transport,
            self._target,
            LOOPBACK,
            PATIENT,
            Silent(),
            Reports(Queue()),
            1,
        )
        engine = engines.create("epoll", lambda transaction: 0, random.Random(1).random)
        times: list[int] = engine.run(self._calls(driver, calls))
        return times

    def _calls(self, driver: RpcDriver, calls: int) -> Program:
        yield from driver.open()
        times = []
        name, value = self._operation
        for seq in range(1, calls + 1):
            operation = Operation(seq, seq, name, value)
            start = yield Now()
            driver.begin(operation)
            outcome = yield from driver.invoke(operation)
            times.append((yield Now()) - start)
            assert outcome.end is End.OK, outcome
        yield from driver.close()
        return times


def timed(call: Callable[[], Any], calls: int) -> list[int]:
    times = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return times


class Peer:
    """A peer's server in a process of its own; `connect(address)` gives the call and its clean-up."""

    def __init__(self, stack: ExitStack, name: str, connect: Connect) -> None:
        argv = [sys.executable, __file__, "--serve", name]
        process = stack.enter_context(subprocess.Popen(argv, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True))
        assert process.stdout is not None
        self._call, disconnect = connect(json.loads(process.stdout.readline()))
        stack.callback(disconnect)

    def measure(self, calls: int) -> list[int]:
        return timed(self._call, calls)


def connect_pyro(address: str) -> tuple[Callable[[], Any], Callable[[], None]]:
    import Pyro5.api

    proxy = Pyro5.api.Proxy(address)
    proxy._pyroBind()
    return (lambda: proxy.echo("x" * 8)), proxy._pyroRelease


def connect_grpc(address: str) -> tuple[Callable[[], Any], Callable[[], None]]:
    import grpc

    channel = grpc.insecure_channel(address)
    echo = channel.unary_unary("/faultbed.Echo/echo")
    return (lambda: echo(b"x" * 8)), channel.close


def connect_socket(address: str) -> tuple[Callable[[], Any], Callable[[], None]]:
    host, _, port = address.partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def echo() -> bytes:
        connection.sendall(b"x" * 80)
        return connection.recv(READ_SIZE)

    return echo, connection.close


def serve_socket() -> None:
    """The floor: two blocking sockets and nothing else."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        print(json.dumps(f"127.0.0.1:{listener.getsockname()[1]}"), flush=True)
        connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        while data := connection.recv(READ_SIZE):
            connection.sendall(data)


def serve_pyro() -> None:
    import Pyro5.api

    @Pyro5.api.expose
    class Echo:
        def echo(self, data: str) -> str:
            return data

    daemon = Pyro5.api.Daemon(host=LOOPBACK)
    print(json.dumps(str(daemon.register(Echo))), flush=True)
    threading.Thread(target=lambda: (sys.stdin.read(), daemon.shutdown()), daemon=True).start()
    daemon.requestLoop()


def serve_grpc() -> None:
    import grpc

    handler = grpc.method_handlers_generic_handler(
        "faultbed.Echo", {"echo": grpc.unary_unary_rpc_method_handler(lambda request, context: request)}
    )
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps(f"127.0.0.1:{port}"), flush=True)
    sys.stdin.read()
    server.stop(None)


PEERS = {
    "Pyro5": (serve_pyro, connect_pyro),
    "grpcio": (serve_grpc, connect_grpc),
    "bare sockets": (serve_socket, connect_socket),
}
COMPARED = ("Pyro5", "grpcio")


def contenders(stack: ExitStack, home: Path) -> dict[str, Ours | Peer]:
    ours: dict[str, Ours | Peer] = {}
    for semantics in NAMES:
        for transport in ("tcp", "udp"):
            for code in ("xdr", "msgpack"):
                for workload in ("echo", "add"):
                    ours[f"{semantics} {transport} {code} {workload}"] = Ours(
                        stack, home, semantics, transport, code, workload
                    )
    peers = {name: Peer(stack, name, connect) for name, (_, connect) in PEERS.items()}
    return peers | ours


def percentile(times: list[int], share: float) -> float:
    return sorted(times)[min(int(len(times) * share), len(times) - 1)] / 1000


def run(calls: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as home, ExitStack() as stack:
        everybody = contenders(stack, Path(home))
        results: dict[str, list[list[int]]] = {name: [] for name in everybody}
        for contender in everybody.values():
            contender.measure(WARM_UP)
        for _ in track(range(repeats), "measuring", console=Console(stderr=True)):
            for name, contender in everybody.items():
                results[name].append(contender.measure(calls))
    report(results)


def report(results: dict[str, list[list[int]]]) -> None:
    table = Table("contender", "calls/s", "p50 us", "p99 us", "x Pyro5 echo", "x grpcio unary")
    medians = {name: [statistics.median(times) for times in repeats] for name, repeats in results.items()}
    for name, repeats in results.items():
        together = [value for times in repeats for value in times]
        table.add_row(
            name,
            f"{statistics.median(len(times) / (sum(times) / 1e9) for times in repeats):.0f}",
            f"{percentile(together, 0.5):.0f}",
            f"{percentile(together, 0.99):.0f}",
            *(f"{ratio(medians[peer], medians[name]):.2f}" for peer in COMPARED),
        )
    Console(width=None if sys.stdout.isatty() else 110).print(table)


def ratio(theirs: list[float], mine: list[float]) -> float:
    return statistics.median(their / my for their, my in zip(theirs, mine, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--serve", choices=PEERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        PEERS[options.serve][0]()
    else:
        run(options.calls, options.repeats)


if __name__ == "__main__":
    main()
