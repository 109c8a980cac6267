"""The other process of a channel: does what its standard input says, a line of JSON each, and answers with one.

    python -I channel_peer.py MECHANISM ADDRESS ROLE

    {"do": "attach" | "close" | "die"}                       -> {}
    {"do": "send", "first": 1, "count": 3, "size": 64}       -> {"done": 3}         as many as went
    {"do": "receive", "count": 3}                            -> {"done": 3, "found": [[size, digest], ...]}
    {"do": "confined", "what": "send" | "receive", ...}      as those, any system call in between kills the process

`"block": false` is for both. An error ends a command: `{"done": 1, "error": "Full", "why": "..."}`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from typing import Any

from nodes import ipc
from nodes.ipc.common.channel import End, Role
from nodes.ipc.common.errors import ChannelError


def message(number: int, size: int) -> bytes:
    """The one of that number; every page of it differs from that of any other."""
    return (b"%010d," % number * (size // 11 + 1))[:size]


def digest(data: bytes | memoryview) -> list[Any]:
    return [len(data), hashlib.blake2b(data, digest_size=8).hexdigest()]


class Peer:
    def __init__(self, mechanism: str, address: str, role: str) -> None:
        self._mechanism, self._address, self._role = ipc.mechanism(mechanism), address, Role(role)
        self._end: End

    def attach(self) -> dict[str, Any]:
        self._end = self._mechanism.attach(self._address, self._role)
        return {}

    def close(self) -> dict[str, Any]:
        self._end.close()
        return {}

    def die(self) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    def send(self, first: int, size: int, count: int = 1, block: bool = True) -> dict[str, Any]:
        for done in range(count):
            try:
                self._end.send(message(first + done, size), block)
            except ChannelError as error:
                return {"done": done, **told(error)}
        return {"done": count}

    def receive(self, count: int = 1, block: bool = True) -> dict[str, Any]:
        found: list[Any] = []
        while len(found) < count:
            try:
                found.append(digest(self._end.receive(block)))
            except ChannelError as error:
                return {"done": len(found), "found": found, **told(error)}
        return {"done": len(found), "found": found}


def told(error: ChannelError) -> dict[str, str]:
    return {"error": type(error).__name__, "why": str(error)}


def main() -> None:
    peer = Peer(*sys.argv[1:])
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(peer, command.pop("do"))(**command)
        except ChannelError as error:
            answer = told(error)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
