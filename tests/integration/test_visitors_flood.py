"""Whoever connects and proves nothing costs nobody anything: at an agent, at nodes and at planes with few resources."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from agents import TOKEN as AGENTS
from agents import AgentProcess, token_file
from limited import anybodys_folder, descriptors, processes
from relay_harness import TIMEOUT, TOKEN, Control
from test_agent_server import Reports, launch

from nodes import control
from orchestrator.backends.attach.agent import Agent
from orchestrator.backends.attach.inventory import AgentEntry, read_token

MANY = 100
LINES = 60
"""More than are said of any number of visitors in a minute or two."""


@pytest.fixture
def folder() -> Iterator[Path]:
    with anybodys_folder() as made:
        yield made


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as made:
        yield made


def crowd(stack: ExitStack, address: tuple[str, int], number: int = MANY) -> list[socket.socket]:
    """So many who connect and say nothing."""
    return [stack.enter_context(socket.create_connection(address, TIMEOUT)) for _ in range(number)]


def endpoint(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)


@pytest.mark.parametrize("limit", [lambda: descriptors(64), lambda: processes(40)], ids=["descriptors", "processes"])
def test_a_crowd_at_an_agent_keeps_no_orchestrator_out_and_ends_no_session(
    limit: Callable[[], tuple[str, ...]], folder: Path, stack: ExitStack
) -> None:
    token = token_file(folder)
    os.chmod(token, 0o644)
    agent = stack.enter_context(AgentProcess(folder, token, limit()))
    entry = AgentEntry(address=agent.address)
    before = Agent("before", entry, read_token(token))
    stack.callback(before.close)
    crowd(stack, endpoint(agent.address))
    assert before.open_cell() == 1
    after = Agent("after", entry, read_token(token))
    stack.callback(after.close)
    reports = Reports()
    after.spawn(after.open_cell(), launch(), reports)
    assert reports.line.wait(TIMEOUT)
    before.ask({"type": "close", "cell": 1})
    agent.process.terminate()
    code, _, err = agent.end()
    assert code == 143
    assert len(err.splitlines()) < LINES
    assert "Traceback" not in err


def test_an_orchestrator_that_an_agent_has_no_thread_for_is_told_and_the_others_go_on(
    folder: Path, stack: ExitStack
) -> None:
    token = token_file(folder)
    os.chmod(token, 0o644)
    agent = stack.enter_context(AgentProcess(folder, token, processes(12)))
    first = session(stack, agent)
    with pytest.raises(control.Refused, match=r"no thread for .* \(ulimit -u\)|no session can be had here: "):
        crowd_of_sessions(stack, agent)
    assert first.tell("clock")["received"]
    agent.process.terminate()
    code, _, err = agent.end()
    assert (code, "Traceback" in err) == (143, False)


def session(stack: ExitStack, agent: AgentProcess) -> Control:
    proved = Control(endpoint(agent.address), bytes.fromhex(AGENTS))
    stack.callback(proved.socket.close)
    proved.prove()
    proved.tell("hello")
    return proved


def crowd_of_sessions(stack: ExitStack, agent: AgentProcess) -> None:
    for _ in range(12):
        session(stack, agent)


class Process:
    """A node or the relay with its control endpoint; standard error is a file."""

    def __init__(self, stack: ExitStack, home: Path, prefix: tuple[str, ...], kind: str) -> None:
        self.log = home / "log"
        engine = [] if kind == "relay" else ["--epoch", "1", "--engine", kind]
        module = "chaos" if kind == "relay" else "nodes"
        command = [*prefix, sys.executable, "-I", "-m", module, "--name", "one", "--home", str(home), *engine]
        environment = {**os.environ, control.TOKEN_VARIABLE: TOKEN.hex()}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdout is not None
        stack.enter_context(self.process.stdout)
        stack.callback(self.process.wait, TIMEOUT)
        stack.callback(self.process.kill)
        self.address = control.parse_control_line(self.process.stdout.readline())

    def obeys(self) -> None:
        """Who knows the token gets in, and ends it."""
        right = Control(self.address)
        with closing(right.socket):
            right.prove()
            right.tell("stop")
        assert self.process.wait(TIMEOUT) == 0
        assert len(self.log.read_text().splitlines()) < LINES


@pytest.mark.parametrize("kind", ["epoll", "threads", "relay"])
def test_a_crowd_at_a_process_keeps_its_orchestrator_not_out(kind: str, folder: Path, stack: ExitStack) -> None:
    process = Process(stack, folder, descriptors(32), kind)
    crowd(stack, process.address)
    process.obeys()


def test_a_visitor_that_a_node_has_no_thread_for_is_sent_away_alone(folder: Path, stack: ExitStack) -> None:
    process = Process(stack, folder, processes(10), "threads")
    visitors = crowd(stack, process.address, 30)
    with selectors.DefaultSelector() as selector:
        for visitor in visitors[10:]:
            selector.register(visitor, selectors.EVENT_READ)
        assert selector.select(TIMEOUT)
    for visitor in visitors:
        visitor.close()
    until_it_obeys(process)
    assert "no thread for control visitor" in process.log.read_text()


def until_it_obeys(process: Process) -> None:
    """While the crowd's threads end there may be none for the right one either: it is told, and comes again."""
    while True:
        right = Control(process.address)
        with closing(right.socket):
            try:
                right.prove()
            except (ConnectionError, control.ControlError):
                continue
            right.tell("stop")
        break
    assert process.process.wait(TIMEOUT) == 0


FULL = ("sh", "-c", 'exec "$@" 2>/dev/full', "sh")


@pytest.mark.parametrize("kind", ["epoll", "threads", "relay"])
def test_a_process_whose_log_takes_no_more_obeys_all_the_same(kind: str, folder: Path, stack: ExitStack) -> None:
    process = Process(stack, folder, FULL, kind)
    wrong(process.address)
    process.obeys()


def test_an_agent_whose_log_takes_no_more_keeps_its_sessions(folder: Path, stack: ExitStack) -> None:
    agent = stack.enter_context(AgentProcess(folder, token_file(folder), FULL))
    before = session(stack, agent)
    wrong(endpoint(agent.address))
    assert before.tell("clock")["received"]
    session(stack, agent).socket.close()
    agent.process.terminate()
    assert agent.end()[0] == 143


def wrong(address: tuple[str, int]) -> None:
    """A visitor of whom something is said, until it is sent away."""
    with socket.create_connection(address, TIMEOUT) as visitor:
        visitor.sendall(b"\0\0\0\1x")
        while visitor.recv(4096):
            pass


def test_a_visitor_has_its_time_in_all_however_it_deals_out_its_bytes(folder: Path, stack: ExitStack) -> None:
    """One that sends a byte a second would else stay for ever: the frame that it begins announces 1024 bytes."""
    places = [(kind, folder / kind) for kind in ("epoll", "threads", "relay")]
    for _, home in places:
        home.mkdir()
    agent = stack.enter_context(AgentProcess(folder, token_file(folder)))
    addresses = [endpoint(agent.address), *(Process(stack, home, (), kind).address for kind, home in places)]
    visitors = [stack.enter_context(socket.create_connection(address, TIMEOUT)) for address in addresses]
    over = [threading.Event() for _ in visitors]
    readers = [
        threading.Thread(target=drip, args=(visitor, event)) for visitor, event in zip(visitors, over, strict=True)
    ]
    for reader in readers:
        reader.start()
    try:
        for event in over:
            assert event.wait(TIMEOUT)
    finally:
        for visitor in visitors:
            visitor.close()
        for reader in readers:
            reader.join()


def drip(visitor: socket.socket, over: threading.Event) -> None:
    """A byte a second until the other side has had enough."""
    visitor.settimeout(1)
    try:
        visitor.sendall(b"\0\0\4\0")
        while True:
            try:
                if not visitor.recv(4096):
                    break
            except TimeoutError:
                visitor.sendall(b"x")
    except ConnectionError:
        pass
    except OSError:
        return  # the test is over
    over.set()
