"""A real node process at its control endpoint: it obeys who knows the token, and tells everybody else why not."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from relay_harness import TIMEOUT, TOKEN, Control

from nodes import control, journal
from nodes.wire.record import Kind

ENGINES = ("epoll", "threads")
SPEC = {
    "role": "server",
    "service": "counter",
    "yields": 0,
    "durability": "process",
    "lease": 60_000,
    "workers": 1,
    "backlog": 128,
    "accepts_on": False,
    "host": "127.0.0.1",
    "fenced": True,
    "seed": 1,
    "endpoints": [
        {
            "link": "client -> server",
            "transport": "tcp",
            "codec": "xdr",
            "semantics": "exactly-once",
            "variant": None,
            "port": 0,
        }
    ],
    "failpoints": [],
    "samples": False,
    "report": [],
}


class Node:
    """The process, and what it says at its end."""

    def __init__(self, home: Path, engine: str, token: str = TOKEN.hex()) -> None:
        self.home = home
        self.line = ""
        home.mkdir()
        command = [sys.executable, "-I", "-m", "nodes", "--name", "server", "--epoch", "1", "--home", str(home)]
        self.process = subprocess.Popen(
            [*command, "--engine", engine],
            env={**os.environ, control.TOKEN_VARIABLE: token},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def connect(self, token: bytes = TOKEN) -> Control:
        assert self.process.stdout is not None
        self.line = self.line or self.process.stdout.readline()
        return Control(control.parse_control_line(self.line), token)

    def obeys_who_knows_the_token(self) -> str:
        """-> standard error, after nothing was done for the strangers before and everything for the right one."""
        assert list(self.home.iterdir()) == []
        connection = self.connect()
        with closing(connection.socket):
            connection.prove()
            connection.tell("stop")
        code, err = self.end()
        assert code == 0
        return err

    def end(self) -> tuple[int, str]:
        """-> (exit code, standard error), once it ended by itself."""
        _, err = self.process.communicate(timeout=TIMEOUT)
        return self.process.returncode, err


@pytest.fixture(params=ENGINES)
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    started = Node(tmp_path / "home", request.param)
    yield started
    started.process.kill()
    started.process.communicate()


def said(connection: Control) -> bytes:
    """Everything that comes until the node closes the connection; a reset is an end too."""
    data = b""
    try:
        while piece := connection.socket.recv(65536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def test_a_wrong_token_is_refused_on_both_sides_and_nothing_done(node: Node) -> None:
    stranger = node.connect(b"another run's token")
    with closing(stranger.socket), pytest.raises(control.Refused, match="does not know this run's control token"):
        stranger.prove()
    assert (
        node.obeys_who_knows_the_token() == "node server: the connecting side does not know this run's control token\n"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\xff\xff\xff\xff", "a frame announces 4294967295 bytes"),
        (struct.pack(">I", 2048) + b"\x00" * 2048, "a frame announces 2048 bytes"),
        (struct.pack(">I", 4) + b"\xc1\xc1\xc1\xc1", "msgpack"),
        (struct.pack(">I", 1) + b"\x07", "map"),
        (control.encode({"type": "configure", "id": 1, "spec": SPEC}), "the control handshake needs 'nonce'"),
        (control.encode({"type": "stop", "id": 1}), "the control handshake needs 'nonce'"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "a frame announces"),
    ],
)
def test_what_is_no_proof_is_refused_and_nothing_obeyed(node: Node, data: bytes, reason: str) -> None:
    connection = node.connect()
    with closing(connection.socket):
        connection.socket.sendall(data)
        assert reason.encode() in said(connection)
    err = node.obeys_who_knows_the_token()
    assert err.startswith("node server: ")
    assert reason in err


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (struct.pack(">I", 2**20 + 1), "a frame announces 1048577 bytes"),
        (struct.pack(">I", 4) + b"\xc1\xc1\xc1\xc1", "msgpack"),
        (control.encode({"id": 1}), "must have a 'type'"),
    ],
)
def test_a_bad_frame_after_the_proof_ends_the_node_with_its_reason(node: Node, data: bytes, reason: str) -> None:
    connection = node.connect()
    with closing(connection.socket):
        connection.prove()
        connection.tell("configure", spec=SPEC)
        connection.socket.sendall(data)
        assert reason.encode() in said(connection)
    code, err = node.end()
    assert code == 70
    assert err.startswith("node server: ")
    assert reason in err
    assert journal.read(node.home / "server.1.journal", killed=False)[-1].kind is Kind.STOP


def test_commands_that_make_no_sense_are_answered_and_the_node_stays(node: Node) -> None:
    connection = node.connect()
    with closing(connection.socket):
        connection.prove()
        assert connection.ask("status")["error"] == "node server: 'status' came before configure"
        assert connection.ask("configure")["error"] == "node server: configure lacks 'spec'"
        assert connection.ask("configure", spec=3)["error"] == "node server: the spec must be a map, not 3"
        assert list(node.home.iterdir()) == []
        connection.tell("configure", spec=SPEC)
        assert connection.ask("configure", spec=SPEC)["error"] == "node server: it is configured already"
        assert "does not know the command 'dance'" in connection.ask("dance")["error"]
        assert connection.tell("status")["links"]["client -> server"]["received"] == 0
        connection.tell("stop")
    assert node.end() == (0, "")


def test_the_end_of_its_control_connection_is_its_own(node: Node) -> None:
    connection = node.connect()
    connection.prove()
    connection.tell("configure", spec=SPEC)
    connection.socket.close()
    assert node.end() == (0, "")
    assert journal.read(node.home / "server.1.journal", killed=False)[-1].kind is Kind.STOP


@pytest.mark.parametrize("token", ["", "no hexadecimal"])
def test_a_node_without_a_token_does_not_start(tmp_path: Path, token: str) -> None:
    code, err = Node(tmp_path / "home", "epoll", token).end()
    assert code == 70
    assert err == "node server: FAULTBED_TOKEN must hold the run's control token in hexadecimal\n"


def test_a_node_says_what_is_wrong_with_its_engine(tmp_path: Path) -> None:
    node = Node(tmp_path / "home", "poll:greedy")
    connection = node.connect()
    with closing(connection.socket):
        connection.prove()
        connection.tell("configure", spec=SPEC)
        connection.tell("stop")
    assert node.end() == (0, "")
    assert journal.read(node.home / "server.1.journal", killed=False)[0].detail["engine"] == "poll:greedy"


def test_a_node_cannot_be_wrong_in_every_way(tmp_path: Path) -> None:
    code, err = Node(tmp_path / "home", "poll:undrained").end()
    assert code == 2
    assert "argument --engine: invalid choice: 'poll:undrained'" in err
