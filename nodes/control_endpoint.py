"""A node's control endpoint, as programs of its engine: one orchestrator, which proves itself before it is obeyed.

Whoever else connects is told why not and sent away; the node stays for the one that knows the token.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from nodes import control, descriptors
from nodes.accepting import accept
from nodes.log import say
from nodes.ops import Close, Exhausted, Get, Join, Listen, Now, Program, Put, Queue, Recv, Send, Socket, Spawn
from nodes.visitors import AWAITING_ONE, CROWDED, LATE, Sparing, Visitors, places
from nodes.visitors import PATIENCE as HANDSHAKE
from nodes.wire.addresses import internet, written

CHUNK = 65536
PATIENCE = 60_000_000_000
"""Nanoseconds in which the orchestrator must have come: one that died before cannot end this node."""

Message = dict[str, Any]


class ControlEndpoint:
    """`outbox` takes messages for the orchestrator. `name` is the node's, for what is said on standard error."""

    def __init__(self, name: str, host: str, token: bytes) -> None:
        self.outbox = Queue()
        self._name = name
        self._host = host
        self._token = token
        self._proven = Queue()
        self._visitors: Visitors[Socket] = Visitors(places(AWAITING_ONE, descriptors.limit()))
        self._sparing = Sparing()
        self._taken = False

    def serve(self, obey: Callable[[Message], Program]) -> Program:
        """Listen, obey who proves itself, and return when that connection ends or after "stop".

        `obey` is a program that returns the answer to a command. Raises ControlError for bytes that are no messages.
        """
        listener = yield Listen(internet(self._host, 0))
        print(control.control_line(*written(listener.local)), flush=True)
        yield Spawn(self._accept(listener), "control accept")
        socket, endpoint, commands = yield from self._orchestrator()
        yield Close(listener)
        for visitor in self._visitors:
            yield Close(visitor)
        writer = yield Spawn(self._write(socket, endpoint), "control writer")
        try:
            yield from self._read(socket, endpoint, commands, obey)
        finally:
            yield Put(self.outbox, None)
            yield Join(writer)

    def _orchestrator(self) -> Program:
        now = yield Now()
        try:
            return (yield Get(self._proven, now + PATIENCE))
        except TimeoutError:
            raise control.Ended(f"no orchestrator came within {PATIENCE // 10**9} s") from None

    def _accept(self, listener: Socket) -> Program:
        while True:
            try:
                socket = yield from accept(listener)
            except OSError:
                if self._taken:
                    return  # closed: there is an orchestrator
                continue  # whoever connected has gone again
            now = yield Now()
            gone = self._visitors.enter(socket, now)
            if gone is not None:
                self._say(CROWDED, now)
                yield Close(gone)
            try:
                yield Spawn(self._visit(socket, now + HANDSHAKE), "control visitor")
            except Exhausted as error:
                self._say(str(error), now)
                self._visitors.leave(socket)
                yield Close(socket)

    def _visit(self, socket: Socket, deadline: int) -> Program:
        """Until it has proven itself, or was sent away with the reason."""
        endpoint = control.Listener(self._token, os.urandom(control.NONCE_SIZE))
        commands: list[Message] = []
        try:
            yield Send(socket, endpoint.outgoing(), deadline)
            while endpoint.state is not control.State.OPEN:
                data = yield Recv(socket, CHUNK, deadline)
                if not data:
                    raise endpoint.ended() or control.Ended("it closed the connection")
                commands = endpoint.receive(data)
        except TimeoutError:
            yield from self._refuse(socket, endpoint, control.Ended(LATE))
            return
        except (control.ControlError, OSError) as error:
            yield from self._refuse(socket, endpoint, error)
            return
        self._visitors.leave(socket)
        if self._taken:
            yield Close(socket)
            return
        self._taken = True
        yield Put(self._proven, (socket, endpoint, commands))

    def _refuse(self, socket: Socket, endpoint: control.Listener, error: Exception) -> Program:
        now = yield Now()
        if not self._taken and socket in self._visitors:  # else it is closed from this side
            self._say(str(error), now)
        self._visitors.leave(socket)
        try:
            yield Send(socket, endpoint.outgoing(), now + HANDSHAKE)
        except OSError:
            pass  # it has gone already, or takes nothing
        yield Close(socket)

    def _say(self, text: str, now: int) -> None:
        for line in self._sparing.lines(text, now):
            say(f"node {self._name}: {line}")

    def _write(self, socket: Socket, endpoint: control.Listener) -> Program:
        """The one sender: raw bytes of the protocol, then messages; None ends it."""
        try:
            yield Send(socket, endpoint.outgoing())
            while (item := (yield Get(self.outbox))) is not None:
                yield Send(socket, item if isinstance(item, bytes) else endpoint.send(item))
        except OSError:
            return  # the reader sees the end too

    def _read(
        self, socket: Socket, endpoint: control.Listener, commands: list[Message], obey: Callable[[Message], Program]
    ) -> Program:
        recv = Recv(socket, CHUNK)
        while True:
            for command in commands:
                yield Put(self.outbox, (yield from obey(command)))
                if command["type"] == "stop":
                    return
            try:
                data = yield recv
            except OSError:
                return
            if not data:
                return
            try:
                commands = endpoint.receive(data)
            except control.ControlError:
                yield Put(self.outbox, endpoint.outgoing())
                raise
