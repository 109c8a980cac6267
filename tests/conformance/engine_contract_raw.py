"""The engines' contract at sockets as they are: what no operation shows, or only another program does to them."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from engine_contract import ANY_PORT, Subject, one, pair, receive_exactly

from nodes import ops
from nodes.wire.addresses import UnixPath


def check_connections_send_without_delay(subject: Subject) -> None:
    """TCP_NODELAY, at both ends."""

    def main() -> ops.Program:
        client, server, _ = yield from pair()
        ends: tuple[Any, Any] = client, server
        for end in ends:
            assert end.raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    subject.run(main())


def check_urgent_data_hides_nothing(subject: Subject) -> None:
    """A receive ends in front of it (tcp(7), SO_OOBINLINE), and what is behind it was announced together with it."""

    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        with socket.create_connection(listener.local) as peer:
            accepted = yield ops.Accept(listener)
            for _ in range(3):
                reading = yield ops.Spawn(receive_exactly(accepted, 200))
                yield ops.Sleep(0)
                peer.send(b"a" * 100)
                peer.send(b"!", socket.MSG_OOB)
                peer.send(b"b" * 100)
                assert (yield ops.Join(reading)) == b"a" * 100 + b"b" * 100

    subject.run(main())


def check_who_connects_has_the_whole_of_its_name(subject: Subject) -> None:
    """One in no file system may end with zero bytes (unix(7), "abstract")."""
    if sys.platform != "linux":
        return

    def main() -> ops.Program:
        start = f"\0faultbed {os.getpid()}"
        listener = yield ops.Listen(UnixPath(f"{start} listener"))
        for name in (start, start + "\0", start + "\0\0", ""):
            accepting = yield ops.Spawn(one(ops.Accept(listener)))
            with socket.socket(socket.AF_UNIX) as client:
                if name:
                    client.bind(name)
                client.connect(listener.local.path)
                accepted = yield ops.Join(accepting)
                assert accepted.peer == UnixPath(name)
            yield ops.Close(accepted)

    subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
