"""A counter's endpoint in a simulated world: real messages in; replies, notes, passages and commits out."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from witnessing import Witnessing

from nodes import ops
from nodes.engines.sim import World
from nodes.memory_ledger import MemoryFile, MemoryLedger
from nodes.rpc.codecs import Reply, codec
from nodes.rpc.interface import Procedure, skeleton
from nodes.rpc.semantics import Identity, binding, mechanism
from nodes.rpc.serve import Endpoint
from nodes.services.counter import COUNTER, Counter
from nodes.wire.addresses import IPv4
from nodes.wire.header import CallHeader
from nodes.wire.record import Kind

CLIENT = 10101
ADD = COUNTER.procedure("add")
LINK = "client -> server"
PORT = 700
QUIET = 1_000_000_000
"""Virtual nanoseconds after which nothing more comes."""
BETWEEN = 1_000_000
"""Virtual nanoseconds between two messages: an exchange takes less."""


class Served(Witnessing):
    """A server's only endpoint. It is its own witness; `dies_at` names the passage at which its host crashes."""

    def __init__(
        self, semantics: str = "exactly-once", codec_name: str = "xdr", *, yields: int = 0, dies_at: str = ""
    ) -> None:
        super().__init__()
        self.ledger = MemoryLedger(MemoryFile(), 1, lambda: 22)
        self.identity = Identity(11, self.ledger.history_id, 60_000)
        self.codec = codec(codec_name, COUNTER)
        self.bound = binding(semantics, self.identity)
        self._procedures: dict[int, Procedure] = {}
        self._dies_at = dies_at
        self._die: Callable[[], Any] = lambda: None
        policy = mechanism(semantics, None, self.identity, (), lambda client, mark: None)
        policy.hello(CLIENT)
        self.endpoint = Endpoint(
            LINK,
            self.codec,
            skeleton(COUNTER, Counter({})),
            policy,
            self.identity,
            self,
            variant=None,
            yields=yields,
        )

    # The witness

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None:
        super().passage(name, client, seq, attempt)
        if name == self._dies_at:
            self._die()

    def noted(self, kind: Kind) -> list[tuple[int, int]]:
        """(seq, attempt) of every note of that kind."""
        return [(noted.seq, noted.attempt) for noted in self.of(kind)]

    # What clients say

    def call(
        self, seq: int, attempt: int = 1, *, procedure: Procedure = ADD, arguments: tuple[Any, ...] = (1,)
    ) -> bytes:
        """Its first-incomplete number is its own."""
        header = CallHeader(CLIENT, seq, attempt, seq, self.bound if seq else 0, 1_000_000 + seq)
        xid = seq * 100 + attempt
        self._procedures[xid] = procedure
        return self.codec.encode_call(xid, procedure, header, arguments)

    def datagrams(self, *messages: bytes) -> list[Reply]:
        """Send one after another -> every reply, in the order in which they came."""
        return [self._reply(data) for data in self._run(self._serve_datagrams(), self._ask_by_datagram(messages))]

    def stream(self, *pieces: bytes) -> list[Reply]:
        """Send over one connection until the server ends it or is quiet -> every reply."""
        splitter = self.codec.stream()
        received: bytes = self._run(self._serve_streams(), self._ask_by_stream(pieces))
        return [self._reply(message) for message in splitter.feed(received)]

    def _reply(self, data: bytes) -> Reply:
        return self.codec.decode_reply(data, lambda xid: self._procedures.get(xid, ADD))

    def _run(self, serving: ops.Program, asking: ops.Program) -> Any:
        with World(random.Random(1)) as world:
            host = world.host("server")
            self._die = host.die
            host.spawn(serving, "server", lambda transaction: self.ledger.commit(transaction, self))
            return world.run(asking, world.host("client"))

    def _serve_datagrams(self) -> ops.Program:
        yield from self.endpoint.datagrams((yield ops.Bind(IPv4("server", PORT))))

    def _serve_streams(self) -> ops.Program:
        yield from self.endpoint.accept((yield ops.Listen(IPv4("server", PORT))))

    @staticmethod
    def _ask_by_datagram(messages: tuple[bytes, ...]) -> ops.Program:
        socket = yield ops.Bind(IPv4("client", 0))
        replies: list[bytes] = []
        for message in messages:
            yield ops.Sleep((yield ops.Now()) + BETWEEN)
            yield ops.SendTo(socket, message, IPv4("server", PORT))
        while True:
            try:
                data, _ = yield ops.RecvFrom(socket, 65_536, (yield ops.Now()) + QUIET)
            except TimeoutError:
                return replies
            replies.append(data)

    @staticmethod
    def _ask_by_stream(pieces: tuple[bytes, ...]) -> ops.Program:
        yield ops.Sleep(BETWEEN)
        socket = yield ops.Connect(IPv4("server", PORT))
        for piece in pieces:
            yield ops.Send(socket, piece)
        received = b""
        while True:
            try:
                data = yield ops.Recv(socket, 65_536, (yield ops.Now()) + QUIET)
            except (TimeoutError, ConnectionError):
                return received
            if not data:
                return received
            received += data
