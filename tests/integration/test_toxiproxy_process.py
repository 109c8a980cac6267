"""The Toxiproxy plane's process: whose server it is, what it refuses, and that nothing of it is left behind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from relay_harness import LINK, TIMEOUT
from requirements import need
from running import until
from toxiproxy_rig import ToxiproxyRig

from chaos.faults.streams import Down, LimitData
from chaos.planes.toxiproxy.api import Server
from chaos.planes.toxiproxy.child import OwnServer
from nodes.wire.record import Kind


@pytest.fixture(autouse=True)
def _program() -> None:
    need("toxiproxy-server", "toxiproxy")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def shared() -> Iterator[OwnServer]:
    """A server that no plane of ours started."""
    server = OwnServer("127.0.0.1", 1)
    yield server
    server.close()


def child(rig: ToxiproxyRig) -> psutil.Process:
    (found,) = psutil.Process(rig.plane.process.pid).children()
    assert found.name() == "toxiproxy-server"
    return found


@pytest.mark.parametrize("how", ["stop", "the orchestrator goes", "kill -9"])
def test_its_server_ends_with_it(tmp_path: Path, stack: ExitStack, how: str) -> None:
    rig = ToxiproxyRig(tmp_path, stack)
    server = child(rig)
    if how == "stop":
        rig.control.tell("stop")
    elif how == "kill -9":
        rig.plane.process.kill()
    else:
        rig.control.socket.close()
    assert rig.plane.process.wait(TIMEOUT) == (-9 if how == "kill -9" else 0)
    until(lambda: not server.is_running(), "the server to end")


def test_a_server_that_dies_is_noticed(tmp_path: Path, stack: ExitStack) -> None:
    rig = ToxiproxyRig(tmp_path, stack)
    child(rig).kill()
    until(lambda: "error" in rig.control.ask("status"), "its end to be noticed")
    assert "has ended with status -9" in rig.control.ask("status")["error"]


def test_the_port_stays_ours_while_the_proxy_is_down(tmp_path: Path, stack: ExitStack) -> None:
    rig = ToxiproxyRig(tmp_path, stack, (Down(link=LINK, down=True),))
    rig.switch(True)
    with pytest.raises(OSError, match="Address already in use"), socket.socket() as stranger:
        stranger.bind(rig.address)
    rig.switch(False)
    assert rig.connection().sent("upstream") > 0


def test_runs_share_a_server_and_take_away_what_is_theirs(tmp_path: Path, stack: ExitStack, shared: OwnServer) -> None:
    server = Server(shared.url)
    other = server.create("somebody-elses", "127.0.0.1:0", "127.0.0.1:9")
    rigs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        rigs.append(ToxiproxyRig(tmp_path / name, stack, (LimitData(link=LINK, limit_data=60),), api=shared.url))
    one, two = rigs
    one.switch(True)
    assert two.connection().sent("downstream") > 0, "a rule of one run bites the other"
    exchange = one.connection()
    exchange.server.socket.sendall(b"x" * 100)
    assert exchange.client.ended() == b"x" * 60
    one.control.tell("stop")
    one.plane.process.wait(TIMEOUT)
    assert len(server.proxies()) == 2
    assert two.connection().sent("downstream") > 0, "the end of one run ends the other's"
    two.control.socket.close()
    two.plane.process.wait(TIMEOUT)
    assert list(server.proxies()) == ["somebody-elses"]
    other.delete()


@pytest.mark.parametrize("how", ["stop", "kill -9"])
def test_nothing_is_left_on_a_shared_server(tmp_path: Path, stack: ExitStack, shared: OwnServer, how: str) -> None:
    server = Server(shared.url)
    server.create("somebody-elses", "127.0.0.1:0", "127.0.0.1:9")
    rig = ToxiproxyRig(tmp_path, stack, api=shared.url)
    assert len(server.proxies()) == 2
    (guard,) = psutil.Process(rig.plane.process.pid).children()
    if how == "stop":
        rig.control.tell("stop")
        rig.plane.process.wait(TIMEOUT)
    else:
        rig.plane.process.kill()
    until(lambda: list(server.proxies()) == ["somebody-elses"], "its proxy to be deleted")
    until(lambda: not guard.is_running() or guard.status() == psutil.STATUS_ZOMBIE, "the guard to end")


def test_toxics_are_on_the_server_while_their_rules_are(tmp_path: Path, stack: ExitStack, shared: OwnServer) -> None:
    rig = ToxiproxyRig(tmp_path, stack, (LimitData(link=LINK, limit_data=60),), api=shared.url)
    (proxy,) = Server(shared.url).proxies().values()
    assert proxy.toxics() == []
    rig.switch(True)
    assert proxy.toxics() == ["rule-0"]
    rig.control.tell("heal")
    assert proxy.toxics() == []


def test_a_proxy_that_somebody_deleted_is_told(tmp_path: Path, stack: ExitStack, shared: OwnServer) -> None:
    rig = ToxiproxyRig(tmp_path, stack, (LimitData(link=LINK, limit_data=60),), api=shared.url)
    (proxy,) = Server(shared.url).proxies().values()
    proxy.delete()
    answer = rig.control.ask("rule", index=0, active=True)
    assert "404 proxy not found; somebody else deleted it" in answer["error"]
    rig.control.tell("stop")
    assert rig.plane.process.wait(TIMEOUT) == 0
    assert [record.kind for record in rig.plane.journal()] == [Kind.START, Kind.READY, Kind.STOP]


def test_bad_commands_are_refused_and_change_nothing(tmp_path: Path, stack: ExitStack) -> None:
    rig = ToxiproxyRig(tmp_path, stack, (LimitData(link=LINK, limit_data=60),))
    for command, fields, text in [
        ("release", {"index": 0}, "a Toxiproxy plane has no command 'release'"),
        ("configure", {}, "configured already"),
        ("rule", {"index": 7, "active": True}, "no rule has the index 7"),
        ("rule", {"index": 0, "active": "yes"}, "rule: 'active' must be of type bool"),
        ("rule", {"index": [0], "active": True}, "rule: 'index' must be of type int"),
        ("upstream", {"link": [], "address": None, "epoch": 1}, "upstream: 'link' must be of type str"),
        ("upstream", {"link": "a -> b", "address": None, "epoch": 1}, "no link 'a -> b'"),
        ("upstream", {"link": LINK, "address": "there", "epoch": 1}, "an address must be"),
        ("upstream", {"link": LINK, "address": None, "epoch": "1"}, "upstream: 'epoch' must be of type int"),
    ]:
        assert text in rig.control.ask(command, **fields)["error"]
    assert rig.connection().sent("downstream") > 0
    status = rig.control.tell("status")
    assert (status["held"], status["pending"], status["connections"], status["passed"]) == (0, 0, 0, {})


def test_a_place_that_cannot_be_is_refused_and_leaves_nothing(tmp_path: Path, stack: ExitStack, nobody: str) -> None:
    with pytest.raises(AssertionError, match=r"Connection refused.*is the server running"):
        ToxiproxyRig(tmp_path, stack, api=f"http://{nobody}")
    (tmp_path / "other").mkdir()
    with pytest.raises(AssertionError, match=r"cannot listen at 192\.0\.2\.1: Cannot assign"):
        ToxiproxyRig(tmp_path / "other", stack, listen="192.0.2.1")
