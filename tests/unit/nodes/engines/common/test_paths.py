"""A Unix socket's path goes with it, and one that a dead process left is taken over; nothing else is."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from nodes.engines.common.paths import PathSocket

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix domain sockets")
KINDS = [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "socket"


def bound(path: Path, kind: int, make: type[socket.socket] = PathSocket) -> socket.socket:
    made = make(socket.AF_UNIX, kind)
    made.bind(str(path))
    if kind != socket.SOCK_DGRAM:
        made.listen()
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_ones_path_is_taken_over_and_goes_in_the_end(path: Path, kind: int) -> None:
    bound(path, kind, socket.socket).close()
    assert path.is_socket()
    with bound(path, kind):
        assert path.is_socket()
    assert not path.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_a_living_ones_path_is_in_use(path: Path, kind: int) -> None:
    with bound(path, kind), PathSocket(socket.AF_UNIX, kind) as second, pytest.raises(OSError, match="in use"):
        second.bind(str(path))
    assert not path.exists()


def test_a_file_that_is_no_socket_stays(path: Path) -> None:
    path.write_text("kept")
    with PathSocket(socket.AF_UNIX, socket.SOCK_STREAM) as made, pytest.raises(OSError, match="in use"):
        made.bind(str(path))
    assert path.read_text() == "kept"


def test_a_path_that_is_anothers_by_now_stays(path: Path) -> None:
    first = bound(path, socket.SOCK_STREAM)
    path.rename(path.with_name("moved"))
    with bound(path, socket.SOCK_STREAM):
        first.close()
        assert path.is_socket()


@pytest.mark.skipif(not Path("/proc/net/unix").exists(), reason="abstract names are Linux's")
def test_an_abstract_name_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("\0faultbed test of paths", ""):
        with PathSocket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
            made.bind(name)
    assert list(tmp_path.iterdir()) == []
