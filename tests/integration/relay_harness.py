"""A real relay process, obeyed over its control connection, with raw sockets on both of its sides."""

from __future__ import annotations

import os
import selectors
import socket
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chaos.faults.fault import RelayFault
from nodes import control, journal
from nodes.rpc.codecs import codec
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status, client_number
from nodes.wire.record import Kind, Record

LINK = "client -> server"
CLIENT = client_number(1, 1, 1)
TOKEN = bytes(range(32))
TIMEOUT = 100
ADD = next(procedure for procedure in COUNTER.procedures if procedure.name == "add")
XDR = codec("xdr", COUNTER)


def call(seq: int, attempt: int = 1, first: int = 1, *, stream: bool) -> bytes:
    data = XDR.encode_call(seq, ADD, CallHeader(CLIENT, seq, attempt, first, 0, seq), (seq,))
    return XDR.wrap(data) if stream else data


def reply(seq: int, attempt: int = 1, *, stream: bool) -> bytes:
    data = XDR.encode_reply(seq, ADD, ReplyHeader(CLIENT, seq, attempt, Status.EXECUTED, 1, 1, 60_000), 7)
    return XDR.wrap(data) if stream else data


class Control:
    """The orchestrator's side of one control connection, blocking. Commands are answered in order."""

    def __init__(self, address: tuple[str, int], token: bytes = TOKEN) -> None:
        self.socket = socket.create_connection(address, TIMEOUT)
        self._endpoint = control.Connector(token, os.urandom(control.NONCE_SIZE))
        self._count = 0

    def prove(self) -> None:
        """Raises ControlError, and ConnectionError if the other side just closes."""
        while self._endpoint.state is not control.State.OPEN:
            self._endpoint.receive(self._read())
            self.socket.sendall(self._endpoint.outgoing())

    def ask(self, type_: str, **fields: Any) -> dict[str, Any]:
        """-> the answer, an error as it came."""
        self._count += 1
        self.socket.sendall(self._endpoint.send({"type": type_, "id": self._count, **fields}))
        while not (answers := self._endpoint.receive(self._read())):
            pass
        assert [answer["id"] for answer in answers] == [self._count]
        return answers[0]

    def tell(self, type_: str, **fields: Any) -> dict[str, Any]:
        """-> the answer of a command that must be obeyed."""
        answer = self.ask(type_, **fields)
        assert "error" not in answer, answer
        return answer

    def _read(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the relay closed its control connection")
        return data


class Relay:
    """The process. Leaving the context ends it by the end of its control connection, and checks that it ended."""

    def __init__(self, home: Path, stack: ExitStack, plane: str = "relay", before: tuple[str, ...] = ()) -> None:
        self.home = home
        self._stack = stack
        environment = {**os.environ, control.TOKEN_VARIABLE: TOKEN.hex()}
        command = [
            *before,
            sys.executable,
            "-I",
            "-m",
            "chaos",
            "--name",
            "relay",
            "--plane",
            plane,
            "--home",
            str(home),
        ]
        self.log = stack.enter_context((home / "relay.log").open("w+b"))
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log
        )
        stack.callback(self._end)
        assert self.process.stdout is not None
        stack.enter_context(self.process.stdout)
        self.control_address = control.parse_control_line(self.process.stdout.readline().decode())

    def connect(self) -> Control:
        client = Control(self.control_address)
        self._stack.callback(client.socket.close)
        client.prove()
        return client

    def journal(self) -> list[Record]:
        return journal.read(self.home / "relay.1.journal", killed=False)

    def acts(self, kind: Kind) -> list[tuple[int, str]]:
        return [(record.seq, (record.detail or {})["act"]) for record in self.journal() if record.kind is kind]

    def _end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(TIMEOUT)


class Side:
    """A raw socket whose reads wait, with a bound that no healthy run comes near."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        sock.settimeout(TIMEOUT)

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes of a stream."""
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError(f"end of file after {len(data)} of {size} bytes")
            data += piece
        return data

    def silent(self) -> bool:
        """Whether nothing has arrived."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            return not selector.select(0)

    def ended(self) -> bytes:
        """The rest of the stream, up to its end or its reset."""
        rest = b""
        try:
            while piece := self.socket.recv(65536):
                rest += piece
        except ConnectionResetError:
            pass
        return rest


class Rig:
    """A configured relay with one link, and a server's socket behind it."""

    def __init__(
        self,
        home: Path,
        stack: ExitStack,
        transport: str,
        faults: tuple[RelayFault, ...] = (),
        codec: str = "xdr",
        before: tuple[str, ...] = (),
    ) -> None:
        self.stack = stack
        self.stream = transport == "tcp"
        self.relay = Relay(home, stack, before=before)
        self.control = self.relay.connect()
        self.server = self.listen()
        rules = [
            {"index": index, "kind": type(fault).__name__, "active": True, **asdict(fault)}
            for index, fault in enumerate(faults)
        ]
        link = {"name": LINK, "transport": transport, "codec": codec, "source": "client", "target": "server"}
        link |= {"upstream": list(self.server.getsockname()), "epoch": 1, "rules": rules}
        addresses = self.control.tell("configure", listen="127.0.0.1", seed=7, links=[link])["addresses"]
        self.address: tuple[str, int] = (addresses[LINK][0], addresses[LINK][1])

    def listen(self) -> socket.socket:
        kind = socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM
        sock = self.stack.enter_context(socket.socket(socket.AF_INET, kind))
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(TIMEOUT)
        if self.stream:
            sock.listen()
        return sock

    def connection(self) -> tuple[Side, Side]:
        """A client's stream through the relay, and the server's end of it."""
        client = self.dial()
        server, _ = self.server.accept()
        return client, Side(self.stack.enter_context(server))

    def dial(self) -> Side:
        return Side(self.stack.enter_context(socket.create_connection(self.address, TIMEOUT)))

    def datagrams(self) -> Side:
        """A client's datagram socket, connected to the relay."""
        sock = self.stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sock.connect(self.address)
        return Side(sock)

    def status(self) -> dict[str, Any]:
        return self.control.tell("status")

    def call(self, seq: int, attempt: int = 1, first: int = 1) -> bytes:
        return call(seq, attempt, first, stream=self.stream)

    def reply(self, seq: int, attempt: int = 1) -> bytes:
        return reply(seq, attempt, stream=self.stream)
