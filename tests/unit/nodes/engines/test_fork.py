"""A process for each connection: it has its own memory, ends with its node, and there is not always one to be had."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from descriptors_taken import none_left

from nodes import ops
from nodes.engines import fork
from nodes.wire.addresses import IPv4

pytestmark = [
    pytest.mark.skipif(fork.availability() is not None, reason=str(fork.availability())),
    # what pytest's workers have beside the main thread takes no lock that a child needs
    pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning"),
]
ANY_PORT = IPv4("127.0.0.1", 0)


def engine() -> fork.Engine:
    return fork.Engine(lambda transaction: 0, lambda: 0.5)


def saying_who(socket: ops.Socket, seen: list[int]) -> ops.Program:
    """Each line is answered with this process's id and how many lines it has seen."""
    while (yield ops.Recv(socket, 1)):
        seen.append(1)
        yield ops.Send(socket, b"%8d%8d" % (os.getpid(), len(seen)))


def serving(listener: ops.Socket, program: Callable[[ops.Socket], ops.Program], refused: list[str]) -> ops.Program:
    while True:
        connection = yield ops.Accept(listener)
        try:
            yield ops.Spawn(program(connection), "a connection", connection=connection)
        except ops.Exhausted as error:
            refused.append(str(error))
            yield ops.Close(connection)


def asked(client: ops.Socket) -> Generator[Any, Any, tuple[int, int]]:
    """-> (process, lines seen)"""
    yield ops.Send(client, b"?")
    answer = b""
    while len(answer) < 16:
        part = yield ops.Recv(client, 16)
        assert part, "it ended"
        answer += part
    return int(answer[:8]), int(answer[8:])


def connected(
    count: int, program: Callable[[ops.Socket], ops.Program], refused: list[str] | None = None
) -> Generator[Any, Any, list[ops.Socket]]:
    listener = yield ops.Listen(ANY_PORT)
    yield ops.Spawn(serving(listener, program, [] if refused is None else refused))
    clients = []
    for _ in range(count):
        clients.append((yield ops.Connect(listener.local)))
    return clients


def test_each_connection_has_a_process_and_a_memory_of_its_own() -> None:
    seen: list[int] = []

    def main() -> ops.Program:
        clients = yield from connected(3, lambda socket: saying_who(socket, seen))
        answers = []
        for client in (*clients, *clients):
            answers.append((yield from asked(client)))
        return answers

    answers = engine().run(main())
    processes = {process for process, _ in answers}
    assert len(processes) == 3
    assert os.getpid() not in processes
    assert [count for _, count in answers] == [1, 1, 1, 2, 2, 2]
    assert seen == []
    assert not [process for process in processes if Path(f"/proc/{process}").exists()], "they end with the run"


def test_a_connections_task_ends_with_its_process() -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        client = yield ops.Connect(listener.local)
        connection = yield ops.Accept(listener)
        task = yield ops.Spawn(saying_who(connection, []), "a connection", connection=connection)
        yield from asked(client)
        assert not task.done
        yield ops.Shutdown(client)
        assert (yield ops.Join(task)) is None
        assert (yield ops.Recv(client, 1)) == b""

    engine().run(main())


def test_a_child_keeps_nothing_open_but_its_connection() -> None:
    def main() -> ops.Program:
        first = yield ops.Listen(ANY_PORT)
        client = yield ops.Connect(first.local)
        connection = yield ops.Accept(first)
        yield ops.Spawn(saying_who(connection, []), "a connection", connection=connection)
        yield from asked(client)
        yield ops.Close(first)
        with pytest.raises(ConnectionRefusedError):
            yield ops.Connect(first.local)
        yield from asked(client)

    engine().run(main())


def failing(socket: ops.Socket) -> ops.Program:
    yield ops.Recv(socket, 1)
    raise LookupError("in a child")


def dying(socket: ops.Socket) -> ops.Program:
    yield ops.Recv(socket, 1)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(("program", "code", "said"), [(failing, "1", "LookupError: in a child"), (dying, "-9", "")])
def test_a_child_that_fails_ends_the_run(
    program: Callable[[ops.Socket], ops.Program], code: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def main() -> ops.Program:
        (client,) = yield from connected(1, program)
        yield ops.Send(client, b"?")
        yield ops.Get(ops.Queue())

    with pytest.raises(ChildProcessError, match=f"the process of a connection ended with {code}"):
        engine().run(main())
    assert said in capfd.readouterr().err


def test_there_are_no_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fork, "MOST", 2)
    refused: list[str] = []

    def main() -> ops.Program:
        *held, third = yield from connected(3, lambda socket: saying_who(socket, []), refused)
        for client in held:
            yield from asked(client)
        assert (yield ops.Recv(third, 1)) == b""

    engine().run(main())
    assert refused == ["2 connections have a process each: there is none for a connection"]


def test_without_a_process_a_connection_is_closed_and_the_next_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    real, refused = os.fork, list[str]()

    def none_yet() -> int:
        monkeypatch.setattr(os, "fork", real)
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def main() -> ops.Program:
        first, second = yield from connected(2, lambda socket: saying_who(socket, []), refused)
        assert (yield ops.Recv(first, 1)) == b""
        yield from asked(second)

    monkeypatch.setattr(os, "fork", none_yet)
    engine().run(main())
    assert len(refused) == 1
    assert refused[0].startswith("the system has no process for a connection (ulimit -u")


def test_without_descriptors_for_a_process_a_connection_is_closed_and_the_next_is_served() -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        first = yield ops.Connect(listener.local)
        second = yield ops.Connect(listener.local)
        unserved = yield ops.Accept(listener)
        with none_left(), pytest.raises(ops.Exhausted, match=r"\(ulimit -u and -n.*Too many open files"):
            yield ops.Spawn(saying_who(unserved, []), "a connection", connection=unserved)
        yield ops.Close(unserved)
        assert (yield ops.Recv(first, 1)) == b""
        yield ops.Spawn(serving(listener, lambda socket: saying_who(socket, []), []))
        yield from asked(second)

    engine().run(main())


def test_a_connection_waits_in_the_backlog_while_there_are_no_descriptors_for_its_process() -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        client = yield ops.Connect(listener.local)
        with none_left():
            soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft + 1, hard))  # one is enough for the connection
            with pytest.raises(OSError, match="Too many open files"):
                yield ops.Accept(listener)
        yield ops.Spawn(serving(listener, lambda socket: saying_who(socket, []), []))
        yield from asked(client)

    engine().run(main())


NODE = """
import sys
sys.path[:0] = {path!r}
from nodes import ops
from test_fork import asked, connected, engine, saying_who
def main():
    (client,) = yield from connected(1, lambda socket: saying_who(socket, []))
    process, _ = yield from asked(client)
    print(process, flush=True)
    yield ops.Get(ops.Queue())
engine().run(main())
"""


def test_children_end_with_a_node_that_is_killed() -> None:
    command = [sys.executable, "-c", NODE.format(path=[str(Path(__file__).parent), *sys.path])]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as node:
        assert node.stdout is not None
        child = int(node.stdout.readline())
        node.kill()
    deadline = time.monotonic() + 60
    while _runs(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _runs(process: int) -> bool:
    """A zombie does not; whose child it is now may not ask for it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
