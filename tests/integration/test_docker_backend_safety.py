"""However `faultbed run --backend docker` ends, nothing of it stays in the engine, and what it says is clear."""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import docker
import pytest
from docker.errors import APIError
from docker_rig import made_by
from running import Running, long, until

SOCKET = "/var/run/docker.sock"
PARTS = 7
"""What one cell of `long` makes: a network, and a container and a volume for server, client and relay."""

pytestmark = [pytest.mark.usefixtures("node_image"), pytest.mark.timeout(300)]


def running(folder: Path, *options: str, server: str = "") -> Running:
    """`server` is what its node says more."""
    folder.mkdir(exist_ok=True)
    (folder / "long.yaml").write_text(long().replace("yields: 20ms", f"yields: 20ms{server}"))
    return Running(folder, "run", "long.yaml", "--backend", "docker", *options)


def until_made(client: docker.DockerClient, command: Running, number: int) -> None:
    pid = command.process.pid
    until(lambda: len(made_by(client, pid)) >= number, f"{number} things of the run to be made", 60)


def until_loaded(client: docker.DockerClient, command: Running) -> None:
    """The client has been told where to call: its container has a connection."""
    until_made(client, command, PARTS)
    names = [thing.name for thing in made_by(client, command.process.pid) if thing.name.endswith("-server-1")]
    server = next(name for name in names)
    until(lambda: b" 01 " in _connections(client, server), "the relay to have a connection to the server", 60)


def _connections(client: docker.DockerClient, container: str) -> bytes:
    """Its table of TCP sockets; state 01 is ESTABLISHED (proc(5)). The control connection is the first of two."""
    try:
        made = client.api.exec_create(container, ["cat", "/proc/net/tcp"])
        table: bytes = client.api.exec_start(made["Id"])
    except APIError as error:
        if error.status_code != HTTPStatus.CONFLICT:
            raise
        return b""  # it has been created and does not run yet
    established = [line for line in table.splitlines() if b" 01 " in line]
    return b" 01 " if len(established) >= 2 else b""


@pytest.mark.parametrize("moment", [1, 4, PARTS])
def test_after_a_kill_clean_leaves_nothing(docker_engine: docker.DockerClient, tmp_path: Path, moment: int) -> None:
    with running(tmp_path) as command:
        until_made(docker_engine, command, moment)
        command.process.kill()
        command.end()
        with Running(tmp_path, "clean") as cleaning:
            code, out, err = cleaning.end()
        assert (code, err) == (0, "")
        assert made_by(docker_engine, command.process.pid) == []
        assert f"whose orchestrator {command.process.pid}:" in out
        command.all_gone()


def test_clean_leaves_a_living_run_alone_and_ctrl_c_ends_it(docker_engine: docker.DockerClient, tmp_path: Path) -> None:
    with running(tmp_path / "killed") as killed, running(tmp_path / "living") as living:
        until_loaded(docker_engine, living)
        until_made(docker_engine, killed, 2)
        killed.process.kill()
        killed.end()
        with Running(tmp_path, "clean") as cleaning:
            code, out, _ = cleaning.end()
        assert code == 0
        assert f"{living.process.pid}:" not in out
        assert made_by(docker_engine, killed.process.pid) == []
        assert len(made_by(docker_engine, living.process.pid)) == PARTS
        living.process.send_signal(signal.SIGINT)
        code, out, err = living.end()
        assert code == 130
        assert "Traceback" not in out + err
        assert "interrupted  long - seed=1" in out
        assert made_by(docker_engine, living.process.pid) == []
        history = list((tmp_path / "living").rglob("history.msgpack"))
        assert len(history) == 1, "what is known is kept"


def test_a_node_that_needs_more_memory_than_it_may_have_is_the_testbeds_failure(
    docker_engine: docker.DockerClient, tmp_path: Path
) -> None:
    """Not a finding, though it died: nobody asked for that."""
    with running(tmp_path, server=", limits: {memory: 20000000}") as command:
        until_loaded(docker_engine, command)
        names = [thing.name for thing in made_by(docker_engine, command.process.pid)]
        server = next(name for name in names if name.endswith("-server-1"))
        made = docker_engine.api.exec_create(server, ["sh", "-c", "cat /dev/zero > /tmp/everything"])
        docker_engine.api.exec_start(made["Id"])
        code, out, err = command.end()
    assert code == 3, (out, err)
    assert "server (epoch 1): out of memory: the kernel killed it at its limit of 20000000 bytes" in out
    assert made_by(docker_engine, command.process.pid) == []


@pytest.mark.parametrize(("number", "ends"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_end_a_run_as_ctrl_c_does(
    docker_engine: docker.DockerClient, tmp_path: Path, number: int, ends: int
) -> None:
    with running(tmp_path) as command:
        until_loaded(docker_engine, command)
        command.process.send_signal(number)
        code, out, err = command.end()
        assert made_by(docker_engine, command.process.pid) == []
        command.all_gone()
    assert code == ends, out + err
    assert "interrupted  long - seed=1" in out
    assert len(list(tmp_path.rglob("history.msgpack"))) == 1, "what is known is kept"


def test_the_next_run_removes_what_a_killed_one_left(docker_engine: docker.DockerClient, tmp_path: Path) -> None:
    with running(tmp_path / "killed") as killed:
        until_made(docker_engine, killed, 3)
        killed.process.kill()
        killed.end()
    with running(tmp_path / "next") as after:
        until_made(docker_engine, after, 1)
        assert made_by(docker_engine, killed.process.pid) == []
        after.process.send_signal(signal.SIGINT)
        assert after.end()[0] == 130


class Gateway:
    """The engine's socket at another path, until it is closed: an engine that vanishes."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []
        self._closed = False
        self._path = path
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self) -> None:
        """Closing twice is allowed."""
        if self._closed:
            return
        self._closed = True
        self._path.unlink(missing_ok=True)
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        pairs = []
        while not self._closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                break
            far = socket.socket(socket.AF_UNIX)
            far.connect(SOCKET)
            self._open += [near, far]
            pairs.append(threading.Thread(target=splice, args=(near, far)))
            pairs[-1].start()
        for one in self._open:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already
        for pair in pairs:
            pair.join()


def splice(near: socket.socket, far: socket.socket) -> None:
    other = {near: far, far: near}
    with near, far:
        while True:
            for ready in select.select([near, far], [], [])[0]:
                try:
                    data = ready.recv(65536)
                    other[ready].sendall(data)
                except OSError:
                    return
                if not data:
                    return


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    if not os.path.exists(SOCKET):
        pytest.skip(f"docker: the engine is not at {SOCKET}")
    made = Gateway(tmp_path / "engine.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    yield made
    made.close()


def test_an_engine_that_vanishes_is_told_and_clean_removes_the_rest(
    docker_engine: docker.DockerClient, tmp_path: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(tmp_path) as command:
        until_loaded(docker_engine, command)
        gateway.close()
        code, out, err = command.end()
        assert code == 3
        assert "the Docker engine" in out + err
        assert "faultbed clean" in err
        assert "Traceback" not in out + err
        with Running(tmp_path, "clean") as cleaning:
            assert "nothing answers at its socket" in cleaning.end()[1], "it says what it could not look at"
        monkeypatch.delenv("DOCKER_HOST")
        with Running(tmp_path, "clean") as cleaning:
            assert cleaning.end()[0] == 0
        assert made_by(docker_engine, command.process.pid) == []


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        (("--image", "faultbed-test:no-such-image"), "run `faultbed image build`"),
        (("--toxiproxy-image", "faultbed-test:no-such-image"), "--toxiproxy-image"),
    ],
)
def test_an_image_that_is_missing_is_told_with_its_remedy(
    docker_engine: docker.DockerClient, tmp_path: Path, options: tuple[str, ...], remedy: str
) -> None:
    text = long().replace("transport: tcp", "transport: tcp, via: toxiproxy")
    text = text.replace(
        "{drop: reply, link: client -> server, operations: [4000]}", "{latency: 9, link: client->server}"
    )
    (tmp_path / "toxic.yaml").write_text(text)
    with Running(tmp_path, "run", "toxic.yaml", "--backend", "docker", *options) as command:
        code, out, err = command.end()
    assert code == 3
    assert remedy in out + err
    assert "Traceback" not in out + err
    assert made_by(docker_engine, command.process.pid) == []
