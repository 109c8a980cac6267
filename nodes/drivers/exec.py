"""The driver that calls any system by way of a program of its user's, which speaks JSON lines on standard streams.

Each client process starts the program once. One line goes to it, one line comes back:

    {"type": "open", "client": 1, "target": "172.18.0.3:8080"}          -> {"type": "ok"}
    {"type": "invoke", "op": 5, "client": 1, "intent": 101000005, "f": "call", "value": 101000005, "timeout": 2.0}
        -> {"type": "ok", "value": ...}      done; the value may be left out
        -> {"type": "fail", "error": "..."}  provably not executed
        -> {"type": "info", "error": "..."}  nobody knows
    {"type": "close"}                                                   -> the program ends

An answer may say how many `attempts` it took: retransmission is the program's own affair, within `timeout` seconds.
What it writes to standard error goes to the node's log. The program's streams are one end of a loopback connection
whose other end this node's engine has, so that it is waited for like every other peer.
"""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgpack

from nodes.drivers import DriverFailed, Operation
from nodes.ops import Accept, Close, Get, Listen, Now, Program, Put, Queue, Recv, Send, Socket, Spawn
from nodes.rpc.calls import End, Outcome
from nodes.units import MILLISECOND, SECOND
from nodes.wire.addresses import IPv4
from nodes.wire.errors import shown

LOOPBACK = "127.0.0.1"
CHUNK = 65536
LARGEST_LINE = 1 << 20
ENDING = 2 * SECOND
"""How long the program may take to end after "close", before it is killed."""


class Finish(NamedTuple):
    """Settling is over; in the mailbox of an open call."""


class Ended(NamedTuple):
    """The program's standard output ended."""


class ExecDriver:
    """One client process's program. `timeout` and `patience` are milliseconds.

    The program is told `timeout` for each call; one that has not answered `patience` after it is said to hang.
    """

    def __init__(
        self, argv: Sequence[str], folder: str, process: int, target: str, timeout: int, patience: int
    ) -> None:
        self._argv = list(argv)
        self._folder = folder
        self._client = process
        self._target = target
        self._timeout = timeout
        self._patience = patience
        self._mailbox = Queue()
        self._child: subprocess.Popen[bytes] | None = None
        self._socket: Socket | None = None

    # The driver seam

    def open(self) -> Program:
        """Raises DriverFailed: the program cannot be started, or does not answer "open" with "ok"."""
        self._socket = yield from self._started()
        yield Spawn(self._read(self._socket), "driver's answers")
        answer = yield from self._ask({"type": "open", "client": self._client, "target": self._target})
        if isinstance(answer, dict) and answer["type"] != "ok":
            raise self._failed(f"it cannot open: {answer.get('error', answer)}")

    def begin(self, operation: Operation) -> None:
        """Its user's program learns of an operation when it is asked."""

    def invoke(self, operation: Operation) -> Program:
        """-> Outcome. Raises DriverFailed: the program hangs, has died, or says what is no answer."""
        question = {
            "type": "invoke",
            "op": operation.seq,
            "client": self._client,
            "intent": operation.intent,
            "f": operation.f,
            "value": operation.value,
            "timeout": self._timeout / 1000,
        }
        answer = yield from self._ask(question)
        if answer is None:
            return Outcome(End.INFO, "no answer when settling ended")
        attempts = answer.get("attempts", 0)
        if not isinstance(attempts, int):
            raise self._failed(f"it says attempts: {shown(attempts)}, expected a number")
        end = End(answer["type"])
        value = answer.get("value") if end is End.OK else str(answer.get("error", ""))
        return Outcome(end, value, attempts)

    def finish(self) -> Program:
        yield Put(self._mailbox, Finish())

    def close(self) -> Program:
        """Whatever the program does, it has ended when this returns."""
        if self._child is None or self._socket is None:
            return
        try:
            now = yield Now()
            yield Send(self._socket, _line({"type": "close"}), now + ENDING)  # it may read nothing any more
            while not isinstance((yield Get(self._mailbox, now + ENDING)), Ended):
                pass
        except (OSError, TimeoutError):
            pass
        yield Close(self._socket)
        self._child.kill()
        self._child.wait()

    # The program

    def _started(self) -> Program:
        """-> our end of the connection that the program has as its standard streams."""
        listener = yield Listen(IPv4(LOOPBACK, 0))
        theirs = socket.create_connection(listener.local)
        try:
            self._child = subprocess.Popen(self._argv, stdin=theirs.fileno(), stdout=theirs.fileno(), cwd=self._folder)
            ours = yield Accept(listener)
            while ours.peer != theirs.getsockname():  # a stranger was quicker
                yield Close(ours)
                ours = yield Accept(listener)
        except OSError as error:
            raise self._failed(f"it cannot be started in {self._folder}: {error.strerror or error}") from error
        finally:
            theirs.close()
            yield Close(listener)
        return ours

    def _ask(self, question: dict[str, Any]) -> Program:
        """-> the answer, or None when settling is over."""
        assert self._socket is not None
        now = yield Now()
        limit = self._timeout + self._patience
        try:
            yield Send(self._socket, _line(question), now + limit * MILLISECOND)
        except OSError:
            pass  # the reader tells that it has ended, or nobody answers
        try:
            item = yield Get(self._mailbox, now + limit * MILLISECOND)
        except TimeoutError:
            raise self._failed(f"it hangs: no answer to {question['type']!r} within {limit} ms") from None
        if isinstance(item, Finish):
            return None
        if isinstance(item, Ended):
            raise self._failed(f"it ended instead of answering {question['type']!r}{self._code()}")
        return self._answer(item)

    def _answer(self, line: bytes) -> dict[str, Any]:
        expected = 'expected one JSON object a line with "type": "ok", "fail" or "info"'
        try:
            answer = json.loads(line)
            msgpack.packb(answer)  # JSON has numbers, texts and depths that no journal can hold
        except (ValueError, RecursionError, OverflowError):
            raise self._failed(f"it says {line!r:.200}; {expected}") from None
        if not isinstance(answer, dict) or answer.get("type") not in ("ok", "fail", "info"):
            raise self._failed(f"it says {line!r:.200}; {expected}")
        return answer

    def _read(self, socket: Socket) -> Program:
        buffer = b""
        while True:
            try:
                data = yield Recv(socket, CHUNK)
            except OSError:
                data = b""
            if not data or len(buffer) > LARGEST_LINE:
                yield Put(self._mailbox, Ended())
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                yield Put(self._mailbox, line)

    def _code(self) -> str:
        assert self._child is not None
        try:
            return f" (exit code {self._child.wait(1)})"
        except subprocess.TimeoutExpired:
            return " (it closed its standard output and goes on running)"

    def _failed(self, reason: str) -> DriverFailed:
        if self._child is not None:
            self._child.kill()
            self._child.wait()
        return DriverFailed(f"driver {' '.join(self._argv)} of client process {self._client}: {reason}")


def _line(message: dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b"\n"
