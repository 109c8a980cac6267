"""Every transport over every engine that offers it; and Unix sockets whose process has died."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path

import engine_contract_transports
import pytest
from engine_contract import Subject

from nodes import engines, ops
from nodes.wire.addresses import Group, IPv4, IPv6, UnixPath
from nodes.wire.transports import TRANSPORTS, Transport

CHECKS = engine_contract_transports.CHECKS
ENGINES = (*engines.NAMES, *engines.SIMULATED)
PLACES = [
    *(pytest.param(name, IPv4, id=name) for name in ("tcp", "udp")),
    *(pytest.param(name, IPv6, id=f"{name}-ipv6") for name in ("tcp", "udp")),
    *(pytest.param(name, None, id=name) for name, row in TRANSPORTS.items() if row.address != "internet"),
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


def addresses(row: Transport, kind: type | None, folder: Path) -> Iterator[ops.Address]:
    for number in count():
        match row.address:
            case "internet":
                yield IPv4("127.0.0.1", 0) if kind is IPv4 else IPv6("::1", 0)
            case "group":
                yield Group("239.255.7.7", 17_007, "127.0.0.1")
            case "path":
                yield UnixPath(str(folder / f"socket {number}"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("transport", "kind"), PLACES)
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_contract_over(
    check: Callable[..., None], transport: str, kind: type | None, engine: str, tmp_path: Path
) -> None:
    examined = subject(engine, transport)
    if kind is IPv6 and (engine in engines.SIMULATED or not has_ipv6()):
        pytest.skip("IPv6: no ::1 here")
    fresh = addresses(TRANSPORTS[transport], kind, tmp_path)
    check(examined, TRANSPORTS[transport], fresh.__next__)
    assert list(tmp_path.iterdir()) == [], "a socket's path goes with it"
