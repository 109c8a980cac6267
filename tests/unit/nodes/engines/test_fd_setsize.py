"""select and pselect have no place for a descriptor from FD_SETSIZE on: it is refused, and the others are served."""

from __future__ import annotations

import socket

import pytest
from descriptors_taken import none_left

from nodes import engines, ops
from nodes.engines.common.fd_set import FD_SETSIZE
from nodes.wire.addresses import IPv4

ANY_PORT = IPv4("127.0.0.1", 0)


@pytest.mark.parametrize("engine", ["select", "pselect"])
def test_a_connection_beyond_the_table_is_refused_alone(engine: str) -> None:
    if reason := engines.availability(engine):
        pytest.skip(f"engine {engine}: {reason}")

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        with socket.create_connection(listener.local) as first, socket.socket() as second:
            served = yield ops.Accept(listener)
            with none_left(below=FD_SETSIZE):
                second.connect(listener.local)
                refused = yield ops.Accept(listener)
                with pytest.raises(OSError, match="FD_SETSIZE, 1024; use an engine of poll or epoll"):
                    yield ops.Recv(refused, 1)
                with pytest.raises(OSError, match="FD_SETSIZE"):
                    yield ops.Connect(listener.local)
                yield ops.Close(refused)
                assert second.recv(1) == b""
                first.send(b"x")
                return (yield ops.Recv(served, 1))

    assert engines.create(engine, lambda _: 0, lambda: 0.5).run(main()) == b"x"


@pytest.mark.parametrize("engine", ["select", "pselect"])
def test_where_the_table_is_full_before_it_begins_the_run_says_so(engine: str) -> None:
    def main() -> ops.Program:
        yield ops.Now()

    with none_left(below=FD_SETSIZE), pytest.raises(OSError, match="FD_SETSIZE"):
        engines.create(engine, lambda _: 0, lambda: 0.5).run(main())
