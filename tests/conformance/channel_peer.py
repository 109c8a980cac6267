"""The other process of a channel: does what its standard input says, a line of JSON each, and answers with one.

    python -I channel_peer.py MECHANISM ADDRESS ROLE

    {"do": "attach" | "close" | "die"}                       -> {}
    {"do": "send", "first": 1, "count": 3, "size": 64}       -> {"done": 3}         as many as went
    {"do": "receive", "count": 3}                            -> {"done": 3, "found": [[size, digest], ...]}
    {"do": "confined", "what": "send" | "receive", "count": 9, "size": 64}   messages from 1; it ends with code DONE, or
                                                                             by SIGSYS at its first system call

`"block": false` is for both. An error ends a command: `{"done": 1, "error": "Full", "why": "..."}`.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import json
import os
import signal
import struct
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


DONE = 7


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

    def confined(self, what: str, count: int, size: int) -> dict[str, Any]:
        sent = message(1, size)
        done = 0
        gc.disable()
        allow_nothing_but_to_exit()
        for _ in range(count):
            if what == "send":
                self._end.send(sent, False)
                done += 1
            else:
                done += self._end.receive(False) == sent
        os._exit(DONE if done == count else 1)


def allow_nothing_but_to_exit() -> None:
    """Any system call but exit_group ends this process by SIGSYS (seccomp(2), a filter; x86-64's numbers)."""
    library = ctypes.CDLL(None, use_errno=True)
    instructions = (
        (0x20, 0, 0, 0),  # load the number of the call
        (0x15, 0, 1, 231),  # exit_group?
        (0x06, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
        (0x06, 0, 0, 0x80000000),  # SECCOMP_RET_KILL_PROCESS
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(code)))
    zero = ctypes.c_ulong(0)
    if library.prctl(38, ctypes.c_ulong(1), zero, zero, zero):  # PR_SET_NO_NEW_PRIVS
        raise OSError(ctypes.get_errno(), "PR_SET_NO_NEW_PRIVS")
    if library.prctl(22, ctypes.c_ulong(2), program, zero, zero):  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
        raise OSError(ctypes.get_errno(), "PR_SET_SECCOMP")


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
