"""Every transport over every engine that offers it, wherever the contract says something of it."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from itertools import count, repeat
from pathlib import Path
from typing import Any

import pytest
from engine_contract import Subject, after, each, failing, one, pause
from engine_contract_transports import CHECKS, Check

from nodes import engines, ops
from nodes.engines.common.paths import PathSocket
from nodes.wire.addresses import Group, IPv4, IPv6, UnixPath
from nodes.wire.transports import TRANSPORTS, Transport

ENGINES = (*engines.NAMES, *engines.SIMULATED)
PLACES = [
    *((name, name, IPv4) for name in ("tcp", "udp")),
    *((f"{name}-ipv6", name, IPv6) for name in ("tcp", "udp")),
    *((name, name, None) for name, row in TRANSPORTS.items() if row.address != "internet"),
]
DUE = [
    pytest.param(check, transport, kind, id=f"{name}-{place}")
    for name, (check, due) in CHECKS.items()
    for place, transport, kind in PLACES
    if due(TRANSPORTS[transport])
]


def subject(engine: str, transport: str) -> Subject:
    if reason := engines.availability(engine):
        pytest.skip(f"engine {engine}: {reason}")
    if transport not in engines.offer(engine).transports:
        pytest.skip(f"engine {engine} does not offer {transport}")
    return Subject(partial(engines.create, engine))


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def addresses(row: Transport, kind: type | None, request: pytest.FixtureRequest) -> Iterator[ops.Address]:
    if row.address == "path":
        folder = request.getfixturevalue("tmp_path")
        yield from (UnixPath(str(folder / f"socket {number}")) for number in count())
    if row.address == "group":
        yield from repeat(
            Group("239.255.7.7", 20_000 + os.getpid() % 10_000, "127.0.0.1")
        )  # what tests beside send is theirs
    yield from repeat(IPv4("127.0.0.1", 0) if kind is IPv4 else IPv6("::1", 0))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("check", "transport", "kind"), DUE)
def test_contract_over(
    check: Check, transport: str, kind: type | None, engine: str, request: pytest.FixtureRequest
) -> None:
    examined, row = subject(engine, transport), TRANSPORTS[transport]
    if kind is IPv6 and (engine in engines.SIMULATED or not has_ipv6()):
        pytest.skip("IPv6: no ::1 here")
    check(examined, row, addresses(row, kind, request).__next__)
    if row.address == "path":
        folder: Path = request.getfixturevalue("tmp_path")
        assert list(folder.iterdir()) == [], "a socket's path goes with it"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system's Python has no Unix domain sockets")
@pytest.mark.parametrize("engine", engines.NAMES)
def test_a_run_ends_while_its_sockets_wait_for_others_that_make_no_room(engine: str, tmp_path: Path) -> None:
    full, crowded = UnixPath(str(tmp_path / "full")), UnixPath(str(tmp_path / "crowded"))

    def flood(sender: ops.Socket) -> ops.Program:
        while True:
            yield ops.SendTo(sender, b"more", full)

    def main() -> ops.Program:
        sender = yield ops.Bind(UnixPath(str(tmp_path / "sender")))
        waiting = yield from each([ops.Spawn(flood(sender)), *(ops.Spawn(one(ops.Connect(crowded))) for _ in range(3))])
        yield from pause(20)
        return [task.done for task in waiting]

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver, socket.socket(socket.AF_UNIX) as listener:
        receiver.bind(full.path)
        listener.bind(crowded.path)
        listener.listen(0)
        late = threading.Timer(20, lambda: [receiver.close(), listener.close()])
        late.start()
        assert subject(engine, "unix-stream").run(main())[0] is False
        late.cancel()
        assert receiver.fileno() >= 0, "it ended when they had gone"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system's Python has no Unix domain sockets")
@pytest.mark.parametrize("engine", engines.NAMES)
def test_what_waits_for_room_is_tried_seldom(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    examined, attempts, send = subject(engine, "unix-stream"), list[bytes](), PathSocket.sendto

    def counting(raw: PathSocket, *arguments: Any) -> int:
        attempts.append(arguments[0])
        return send(raw, *arguments)

    def main() -> ops.Program:
        sender, receiver = yield from each(ops.Bind(UnixPath(str(tmp_path / end))) for end in ("sender", "receiver"))
        filling = yield ops.Spawn(each([ops.SendTo(sender, b"more", receiver.local)] * 10_000))
        yield from pause(20)
        monkeypatch.setattr(PathSocket, "sendto", counting)
        yield from pause(100)
        assert not filling.done
        assert len(attempts) < 20
        late = ops.SendTo(sender, b"late", receiver.local, (yield from after(100)))
        assert isinstance((yield from failing(late)), TimeoutError)
        assert attempts.count(b"late") < 20

    examined.run(main())


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells which descriptors are open")
@pytest.mark.parametrize("engine", engines.NAMES)
def test_a_connect_in_vain_leaves_no_descriptor(engine: str, tmp_path: Path) -> None:
    """Whether its deadline passed in front of a full backlog, or the listener went."""

    def is_open() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    def main() -> ops.Program:
        listener = yield ops.Listen(UnixPath(str(tmp_path / "crowded")), 0)
        yield ops.Connect(listener.local)
        before = is_open()
        for _ in range(3):
            late = ops.Connect(listener.local, (yield from after(10)))
            assert isinstance((yield from failing(late)), TimeoutError)
        waiting = yield from each([ops.Spawn(failing(ops.Connect(listener.local))) for _ in range(3)])
        yield from pause(10)
        yield ops.Close(listener)
        yield from each(ops.Join(task) for task in waiting)
        return is_open() - before

    assert subject(engine, "unix-stream").run(main()) == -1, "that of the listener"
