"""An agent's listener in this process: what it offers, and everything that it refuses."""

from __future__ import annotations

import queue
import secrets
import socket
import threading
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from nodes.clock import clock_domain, now
from nodes.control import ControlError, Refused
from orchestrator.agent.offer import system
from orchestrator.agent.server import Endpoint, Server
from orchestrator.backends.attach import agent as attached
from orchestrator.backends.attach.agent import Agent
from orchestrator.backends.attach.inventory import AgentEntry
from orchestrator.backends.attach.protocol import veil
from orchestrator.backends.control_client import ControlClient
from orchestrator.backends.host import Ended, Launch, Line, Report
from orchestrator.run.session import SessionError

TOKEN = bytes(range(32))
PATIENCE = 100


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(Endpoint("127.0.0.1", 0), TOKEN)
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made
    made.close()
    thread.join()


def entry(server: Server) -> AgentEntry:
    return AgentEntry(address=str(server.endpoint))


@pytest.fixture
def agent(server: Server) -> Iterator[Agent]:
    made = Agent("alpha", entry(server), TOKEN)
    yield made
    made.close()


class Reports:
    """What became of one process."""

    def __init__(self) -> None:
        self.all: list[Report] = []
        self.line = threading.Event()
        self.ended = threading.Event()

    def __call__(self, report: Report, log: str) -> None:
        self.all.append(report)
        if isinstance(report, Line):
            self.line.set()
        if isinstance(report, Ended):
            self.ended.set()


def launch(name: str = "server", epoch: int = 1) -> Launch:
    return Launch(name, "node", epoch, "epoll", secrets.token_hex(32), Path("unused"))


def test_what_it_offers(agent: Agent) -> None:
    offer = agent.offer
    assert (offer.version, offer.domain, offer.reached) == (version("faultbed"), clock_domain(), "127.0.0.1")
    assert offer.os == system()
    assert offer.engines["threads"] is None
    assert offer.planes["relay"] is None


def test_its_clock_is_probed(agent: Agent) -> None:
    before = now()
    exchanges = agent.probe()
    assert all(before <= one.sent <= one.received <= one.answered <= one.returned <= now() for one in exchanges)


def test_a_process_is_started_reached_signalled_and_forgotten(agent: Agent) -> None:
    cell, reports, what = agent.open_cell(), Reports(), launch()
    agent.spawn(cell, what, reports)
    assert reports.line.wait(PATIENCE)
    client = ControlClient(agent.tunnel((cell, "server", 1), PATIENCE), bytes.fromhex(what.token))
    client.send({"type": "status", "id": 1})
    answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
    reader = threading.Thread(target=lambda: read(client, answers))
    reader.start()
    refused = "node server: 'status' came before configure"
    assert answers.get(timeout=PATIENCE) == {"type": "answer", "id": 1, "error": refused}
    agent.ask({"type": "signal", "cell": cell, "name": "server", "epoch": 1, "signal": "kill"})
    assert reports.ended.wait(PATIENCE)
    reader.join()
    assert reports.all[-1] == Ended(9, 0)
    files = agent.ask({"type": "list", "cell": cell, "names": ["server", "other"]})["files"]
    assert set(files) == {"server.1.log"}
    agent.ask({"type": "close", "cell": cell})
    with pytest.raises(SessionError, match=f"cell {cell} is not open here"):
        agent.ask({"type": "list", "cell": cell, "names": []})


def read(client: ControlClient, answers: queue.SimpleQueue[dict[str, Any]]) -> None:
    try:
        client.listen(answers.put)
    except ControlError:
        return  # the process ended


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ({"type": "dance"}, "an agent has no command 'dance'; it has hello, clock"),
        ({"type": "open"}, "open lacks 'cell'"),
        ({"type": "open", "cell": "../x"}, "'../x' is no number"),
        ({"type": "open", "cell": 1}, "cell 1 is open already here"),
        ({"type": "read", "cell": 1, "file": "../../etc/passwd", "offset": 0}, "is no name of a journal"),
        ({"type": "read", "cell": 1, "file": "server.1.journal", "offset": 0}, "No such file"),
        ({"type": "list", "cell": 1, "names": ["../x"]}, "is no name of a process"),
        ({"type": "archive", "cell": 1, "name": "/tmp/x"}, "is no name of a process"),
        ({"type": "archive", "cell": 1, "name": "server"}, "cannot be archived"),
        ({"type": "signal", "cell": 1, "name": "x", "epoch": 1, "signal": "term"}, "no signal 'term'"),
    ],
)
def test_commands_that_are_refused(agent: Agent, command: dict[str, Any], message: str) -> None:
    assert agent.open_cell() == 1
    with pytest.raises(SessionError) as caught:
        agent.ask(command)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"agent alpha at {agent.entry.address}: ")


def spawn(agent: Agent, **changed: object) -> dict[str, Any]:
    token = veil(bytes(32), TOKEN, agent.session, 1, "server", 1)
    command = {"type": "spawn", "cell": 1, "name": "server", "epoch": 1, "role": "node", "engine": None, "files": None}
    return {**command, "token": token, **changed}


def test_a_program_of_ones_own_cannot_be_started(agent: Agent) -> None:
    agent.open_cell()
    for changed in ({"role": "/bin/sh"}, {"engine": ["-c"]}, {"name": "-c"}, {"epoch": "1"}, {"token": b""}):
        with pytest.raises(SessionError):
            agent.ask(spawn(agent, **changed))


def test_an_epoch_is_started_once(agent: Agent) -> None:
    agent.open_cell()
    agent.ask(spawn(agent))
    with pytest.raises(SessionError, match="server was started as epoch 1 before"):
        agent.ask(spawn(agent))


def test_tunnels_into_nothing_are_refused(agent: Agent) -> None:
    cell = agent.open_cell()
    for life in ((cell, "server", 1), (cell, "../x", 1)):
        with pytest.raises(Refused, match="no tunnel: "):
            ControlClient(agent.tunnel(life, PATIENCE), TOKEN)


def test_a_session_of_another_orchestrator_is_out_of_reach(server: Server, agent: Agent) -> None:
    cell = agent.open_cell()
    other = Agent("beta", entry(server), TOKEN)
    try:
        with pytest.raises(SessionError, match=f"cell {cell} is not open here"):
            other.ask({"type": "list", "cell": cell, "names": []})
    finally:
        other.close()


def test_a_wrong_token_starts_nothing(server: Server) -> None:
    with pytest.raises(SessionError, match=r"agent alpha at 127\.0\.0\.1:\d+ .*token"):
        Agent("alpha", entry(server), bytes(32))


def test_another_version_is_refused_with_both(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attached, "version", lambda name: "9.9.9")
    with pytest.raises(SessionError, match=rf"has Faultbed {version('faultbed')}, this is 9\.9\.9: install the same"):
        Agent("alpha", entry(server), TOKEN)


def test_somebody_who_speaks_something_else_gets_nothing(server: Server) -> None:
    with socket.create_connection(server.endpoint, PATIENCE) as stranger:
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        data = b"".join(iter(lambda: stranger.recv(4096), b""))
    assert b"refused" in data
    assert TOKEN not in data


def test_a_port_in_use_is_told_with_the_remedy(server: Server) -> None:
    with pytest.raises(OSError, match=rf"cannot listen at {server.endpoint}: .* choose another --listen"):
        Server(server.endpoint, TOKEN)
