"""The packet plane's process: its journal, what it refuses before the load, and that nothing of it is left behind."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from packet_rig import COUNT, LINK, Datagrams
from relay_harness import TIMEOUT, Control, Relay
from requirements import need_root
from switched import Switched

from chaos.faults.fault import Fault
from chaos.faults.packets import Reject
from chaos.faults.paths import Partition, Rate
from chaos.planes.packet import availability
from nodes.wire.record import Kind


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def switched(stack: ExitStack) -> Switched:
    need_root()
    if reason := availability.netfilter():
        pytest.skip(f"netfilter: {reason}")
    return Switched(stack, "server", "client", "other")


def configuration(switched: Switched, server: socket.socket, fault: Fault, *, active: bool = False) -> dict[str, Any]:
    transport = "udp" if server.type == socket.SOCK_DGRAM else "tcp"
    rule = {"index": 0, "kind": type(fault).__name__, "active": active, **asdict(fault)}
    link = {"name": LINK, "transport": transport, "codec": "xdr", "source": "client", "target": "server", "epoch": 1}
    link |= {"upstream": list(server.getsockname()), "rules": [rule]}
    return {"seed": 7, "links": [link], "rules": [], "places": switched.places()}


def test_its_journal_tells_of_the_rule_and_of_what_it_took(
    tmp_path: Path, stack: ExitStack, switched: Switched
) -> None:
    udp = Datagrams(switched)
    plane = Relay(tmp_path, stack, "packet")
    control = plane.connect()
    fault = Partition(link=LINK, partition="request")
    answer = control.tell("configure", **configuration(switched, udp.server, fault, active=True))
    assert answer["addresses"] == {LINK: list(udp.server.getsockname())}
    assert udp.asked() == []
    control.tell("heal")
    assert udp.asked() == list(range(1, COUNT + 1))
    control.tell("stop")
    assert plane.process.wait(TIMEOUT) == 0
    records = plane.journal()
    assert [record.kind for record in records] == [
        Kind.START,
        Kind.RULE,
        Kind.READY,
        Kind.RULE,
        Kind.COUNTER,
        Kind.STOP,
    ]
    size = COUNT * (20 + 8 + 1)  # IP, UDP, what is sent
    counted = {"rule": 0, "link": LINK, "direction": "request", "packets": COUNT, "bytes": size}
    assert records[4].detail == counted


def test_it_heals_when_the_orchestrator_goes(tmp_path: Path, stack: ExitStack, switched: Switched) -> None:
    udp = Datagrams(switched)
    plane = Relay(tmp_path, stack, "packet")
    control = plane.connect()
    fault = Partition(link=LINK, partition="both")
    control.tell("configure", **configuration(switched, udp.server, fault, active=True))
    assert (udp.asked(), udp.answered()) == ([], [])
    control.socket.close()
    assert plane.process.wait(TIMEOUT) == 0
    assert switched.ruleset("server") == switched.ruleset("client") == ""
    assert [record.kind for record in plane.journal()][-3:] == [Kind.COUNTER, Kind.COUNTER, Kind.STOP]


def refusal(control: Control, command: dict[str, Any]) -> str:
    return str(control.ask("configure", **command)["error"])


@pytest.mark.parametrize(
    "fault", [Partition(link=LINK, partition="both"), Rate(link=LINK, rate="both", bytes_per_second=1000)]
)
def test_a_node_that_is_not_there_is_refused_before_the_load(
    tmp_path: Path, stack: ExitStack, switched: Switched, fault: Fault
) -> None:
    command = configuration(switched, Datagrams(switched).server, fault)
    command["places"]["client"]["netns"] = "/run/netns/nobody"
    control = Relay(tmp_path, stack, "packet").connect()
    assert refusal(control, command) == "the network namespace /run/netns/nobody is gone"
    command["places"] = switched.places()
    assert control.tell("configure", **command)["addresses"]


def test_what_these_packets_cannot_have_is_refused_before_the_load(
    tmp_path: Path, stack: ExitStack, switched: Switched
) -> None:
    control = Relay(tmp_path, stack, "packet").connect()
    command = configuration(switched, Datagrams(switched).server, Reject(link=LINK, reject="rst"))
    assert "udp knows no reset; use reject: icmp" in refusal(control, command)


def test_without_privilege_it_says_what_it_needs(
    tmp_path: Path, stack: ExitStack, switched: Switched, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    drop = tools / "nsenter"
    drop.write_text(f'#!/bin/sh\nexec setpriv --bounding-set=-all --inh-caps=-all {shutil.which("nsenter")} "$@"\n')
    drop.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    control = Relay(tmp_path, stack, "packet").connect()
    command = configuration(switched, Datagrams(switched).server, Partition(link=LINK, partition="both"))
    error = refusal(control, command)
    assert "Operation not permitted" in error
    assert "needs root (CAP_SYS_ADMIN and CAP_NET_ADMIN)" in error


def test_without_nftables_it_says_what_it_needs(
    tmp_path: Path, stack: ExitStack, switched: Switched, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "nsenter").symlink_to(shutil.which("nsenter") or "")
    udp = Datagrams(switched)
    monkeypatch.setenv("PATH", str(tools))
    control = Relay(tmp_path, stack, "packet").connect()
    error = refusal(control, configuration(switched, udp.server, Partition(link=LINK, partition="both")))
    assert "failed to execute nft" in error
    assert "need nftables and iproute2 on PATH" in error
    monkeypatch.undo()
