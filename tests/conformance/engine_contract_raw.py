"""The engines' contract at sockets as they are: what no operation shows, or only another program does to them."""

from __future__ import annotations

import os
import socket
import sys

from engine_contract import Subject, one

from nodes import ops
from nodes.wire.addresses import UnixPath


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
