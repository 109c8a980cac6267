"""The driver of one client process in a simulated world, where it is its own witness."""

from __future__ import annotations

from typing import NamedTuple

from sim_programs import PORT
from witnessing import Witnessing

from nodes import ops
from nodes.drivers import Operation
from nodes.drivers.rpc import RpcDriver
from nodes.reports import Reports
from nodes.rpc.calls import Session
from nodes.rpc.codecs import Call, codec
from nodes.rpc.interface import HELLO, Procedure
from nodes.rpc.retry import Retry
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status

CLIENT, PROCESS = 10101, 7
WAIT = 20
"""Virtual milliseconds between two attempts; the way there and back takes less than a hundredth of it."""
RETRY = Retry(attempts=2, first=WAIT, maximum=WAIT, jitter=0.0, same_connection=False)
IDENTITY = (11, 22, 60_000)


class Asked(NamedTuple):
    """A call as its server has it."""

    call: Call
    header: CallHeader
    procedure: Procedure


class DriverBench(Witnessing):
    """Whoever makes its world makes its server, too."""

    def __init__(self, codec_name: str, transport: str, retry: Retry = RETRY) -> None:
        super().__init__()
        self.told = ops.Queue()
        self.codec = codec(codec_name, COUNTER)
        self._transport = transport
        self._retry = retry

    def driver(self, kind: type[RpcDriver] = RpcDriver) -> RpcDriver:
        session, reports = Session(CLIENT, "exactly-once"), Reports(self.told, [("attempt", 1)])
        target = ("server", PORT)
        return kind(
            session, COUNTER, self.codec, self._transport, target, "client", self._retry, self, reports, PROCESS
        )

    def asked(self, message: bytes) -> Asked:
        call = self.codec.decode_call(message)
        assert call.header is not None
        assert call.procedure is not None
        return Asked(call, call.header, call.procedure)

    def reply(self, asked: Asked, status: Status = Status.EXECUTED, client: int = CLIENT) -> bytes:
        """The counter says 5."""
        _, seq, attempt, *_ = asked.header
        header = ReplyHeader(client, seq, attempt, status, *IDENTITY)
        if status is Status.BUSY:
            return self.codec.encode_error(asked.call.xid, header, "busy")
        return self.codec.encode_reply(asked.call.xid, asked.procedure, header, None if asked.procedure == HELLO else 5)

    def said(self) -> list[tuple[object, ...]]:
        """(kind, number, attempt, detail) of all that the process noted of its client."""
        assert {(noted.client, noted.process) for noted in self.notes} <= {(CLIENT, PROCESS)}
        return [(noted.kind, noted.seq, noted.attempt, noted.detail) for noted in self.notes]


def operation(seq: int) -> Operation:
    return Operation(seq, 1_000_000 + seq, "add", 5)
