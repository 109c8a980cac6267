"""The local backend with a network for each cell: a namespace for every node, and nothing is left of it."""

from __future__ import annotations

import re
import secrets
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psutil
import pytest
from groups import ALONE
from requirements import need_root
from running import COMMAND, Running
from switched import run_inside

from nodes.clock import now
from orchestrator.backends.leftovers import orchestrator_id, place_mark
from orchestrator.backends.local import namespaces as namespaces_module
from orchestrator.backends.local import switch
from orchestrator.backends.local.namespaces import NamespaceSession, availability
from orchestrator.backends.local.switch import NAMESPACES, Owner, Switch, ip
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.subnets import free, routed
from orchestrator.run.session import SessionError, Started
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.plan import expand

RUN = secrets.token_hex(8)
"""Another one in each session: several may go on at once."""
SCENARIO = """
scenario: in-namespaces
load: 120s
nodes:
  server: {{service: counter{yields}}}
  client: {{workload: add, calls: {calls}}}
  relayed: {{workload: add, calls: {calls}}}
links:
  - {{from: client, to: server, via: direct, semantics: at-least-once, transport: udp}}
  - {{from: relayed, to: server, semantics: at-least-once, transport: tcp}}
faults:
  - {{rate: both, link: client -> server, bytes_per_second: 3000}}
  - {{drop: reply, link: relayed -> server, operations: [2]}}
expect:
  others: {{client: ok, executions: ">=1"}}
"""
PATIENCE = 100 * 10**9
"""Nanoseconds that even a slow machine needs no more of."""
SHORT = SCENARIO.format(yields="", calls=25)
LONG = SCENARIO.format(yields=", yields: 20ms", calls=5000)


@pytest.fixture(autouse=True)
def _may() -> None:
    need_root()
    if reason := availability():
        pytest.skip(f"netfilter: {reason}")


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(RUN) as running:
        yield running


def cell() -> Cell:
    return expand(SHORT, "in-namespaces.yaml").cells[0]


def namespaces(run: str) -> list[str]:
    return [path.name for path in NAMESPACES.iterdir() if f"_{run}_" in path.name]


def interfaces(run: str) -> list[str]:
    return re.findall(rf"^\d+: (fb{run[:8]}\.\d+)", ip("-o", "link"), re.MULTILINE)


def scenario(folder: Path, text: str) -> str:
    (folder / "in-namespaces.yaml").write_text(text)
    return "in-namespaces.yaml"


def test_a_run_from_start_to_verdict(tmp_path: Path) -> None:
    """Calls reach the server directly and by the relay, which has a namespace too."""
    with Running(tmp_path, "run", scenario(tmp_path, SHORT)) as running:
        code, out, err = running.end()
    assert (code, err) == (0, ""), out


def test_a_node_is_alone_in_its_namespace_and_has_no_capability(supervisor: Supervisor, tmp_path: Path) -> None:
    with NamespaceSession(supervisor, tmp_path, cell()) as session:
        for name in ("server", "client"):
            session.start(name, "node", 1)
        for _ in range(2):
            assert session.pump(now() + PATIENCE)
        assert set(session.events.items) == {Started("server", 1), Started("client", 1)}
        places = session_places(session)
        assert places["server"]["address"] == session.address("server") != session.address("client")
        for name in ("server", "client"):
            netns = Path(places[name]["netns"])
            (node,) = map(int, ip("netns", "pids", netns.name).split())
            assert "nodes" in psutil.Process(node).cmdline()
            status = Path(f"/proc/{node}/status").read_text()
            assert set(re.findall(r"^Cap\w+:\t(\w+)$", status, re.MULTILINE)) == {"0" * 16}
        ping = ["python3", "-c", f"import socket; socket.create_connection(('{places['server']['address']}', 9), 20)"]
        with pytest.raises(subprocess.CalledProcessError) as refused:  # refused by the node's kernel: it is reached
            run_inside(places["client"]["netns"], *ping)
        assert "ConnectionRefusedError" in refused.value.stderr
    assert (namespaces(RUN), interfaces(RUN)) == ([], [])


def session_places(session: RealSession) -> dict[str, dict[str, str]]:
    session.start("packet", "packet", 1)
    places: dict[str, dict[str, str]] = session.plane("packet")["places"]
    return places


def test_two_cells_have_networks_of_their_own(supervisor: Supervisor, tmp_path: Path) -> None:
    with (
        NamespaceSession(supervisor, tmp_path / "one", cell()) as one,
        NamespaceSession(supervisor, tmp_path / "two", cell()) as two,
    ):
        first, second = session_places(one), session_places(two)
        assert not {place["address"] for place in first.values()} & {place["address"] for place in second.values()}
        assert len(interfaces(RUN)) == 2
    assert (namespaces(RUN), interfaces(RUN)) == ([], [])


def test_a_network_that_cannot_be_made_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switch, "free", lambda taken, start: iter(()))
    with pytest.raises(SessionError, match="no private subnet is free"):
        Switch(Owner(place_mark(), RUN, orchestrator_id(), 9001), ["server"])
    assert (namespaces(RUN), interfaces(RUN)) == ([], [])


def test_a_subnet_that_somebody_else_took_meanwhile_is_left_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    offered = list(islice(free(routed(ip("-j", "-4", "route", "show", "table", "all")), 7), 3))
    monkeypatch.setattr(switch, "free", lambda taken, start: iter(offered))
    one = Switch(Owner(place_mark(), RUN, orchestrator_id(), 9001), ["server"])
    try:
        two = Switch(Owner(place_mark(), RUN, orchestrator_id(), 9002), ["server"])
        two.close()
        assert one.addresses["server"] != two.addresses["server"]
    finally:
        one.close()
    assert (namespaces(RUN), interfaces(RUN)) == ([], [])


def test_without_privilege_nothing_is_started(tmp_path: Path) -> None:
    unprivileged = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", *COMMAND]
    with Running(tmp_path, "run", scenario(tmp_path, SHORT), command=unprivileged) as running:
        code, out, _ = running.end()
    assert code == 3
    assert "run as root, or use --backend docker" in out
    assert not list(tmp_path.rglob("server.1.journal"))


def test_without_netem_in_the_kernel_nothing_is_made(
    monkeypatch: pytest.MonkeyPatch, supervisor: Supervisor, tmp_path: Path
) -> None:
    monkeypatch.setattr(namespaces_module, "netem", lambda: "no kernel of that kind")
    text = SHORT.replace("rate: both", "netem: {delay: 5ms}").replace(", bytes_per_second: 3000", "")
    (shaped,) = expand(text, "in-namespaces.yaml").cells
    with pytest.raises(SessionError, match="netem's, which cannot be had here: no kernel of that kind"):
        NamespaceSession(supervisor, tmp_path, shaped)
    assert (namespaces(RUN), interfaces(RUN), list(tmp_path.iterdir())) == ([], [], [])


@ALONE
@pytest.mark.parametrize("interrupted", [True, False])
def test_a_run_that_is_ended_early_leaves_nothing(tmp_path: Path, interrupted: bool) -> None:
    """By Ctrl-C; or killed, and then swept up by `faultbed clean`."""
    with Running(tmp_path, "run", scenario(tmp_path, LONG)) as running:
        running.loaded()
        run = psutil.Process(running.node("server").pid).environ()["FAULTBED_RUN"]
        assert (len(namespaces(run)), len(interfaces(run))) == (5, 1)
        if interrupted:
            running.process.send_signal(2)
            assert running.end()[0] == 130
        else:
            running.process.kill()
            running.process.wait()
            subprocess.run([*COMMAND, "clean"], check=True, capture_output=True)
        assert (namespaces(run), interfaces(run)) == ([], [])
        running.all_gone()


@ALONE
def test_clean_leaves_alone_what_a_living_run_needs(tmp_path: Path) -> None:
    with Running(tmp_path, "run", scenario(tmp_path, LONG)) as running:
        running.loaded()
        run = psutil.Process(running.node("server").pid).environ()["FAULTBED_RUN"]
        subprocess.run([*COMMAND, "clean"], check=True, capture_output=True)
        assert (len(namespaces(run)), len(interfaces(run))) == (5, 1)
        running.process.send_signal(2)
        assert running.end()[0] == 130
