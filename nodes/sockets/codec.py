"""PURE: a message of a socket as a call: *maybe*, without a header of ours, and answered by what it carries.

Attempts are not told apart, so there is one; nobody is told what is complete, and nothing is refused.
"""

from __future__ import annotations

from collections.abc import Callable

from nodes.rpc.codecs import Call, Reply, Splitter
from nodes.rpc.interface import Interface, Procedure
from nodes.wire.header import CallHeader, ReplyHeader, Status, intent_of
from nodes.wire.messages import SPLITTERS, decode, delivered, encode, wrap


class SocketCodec:
    """Of a service with one procedure that takes bytes and returns bytes.

    `member`: of a server, its place in the group to which its messages are sent, from 0.
    """

    def __init__(self, protocol: str, interface: Interface, member: int = 0) -> None:
        (self._procedure,) = interface.procedures
        self.protocol = protocol
        self._member = member

    def encode_call(
        self, xid: int, procedure: Procedure, header: CallHeader | None, arguments: tuple[bytes, ...]
    ) -> bytes:
        assert header is not None, "a message says whose it is"
        return encode(header.client, header.seq, arguments[0])

    def encode_reply(self, xid: int, procedure: Procedure, header: ReplyHeader | None, value: bytes) -> bytes:
        assert header is not None, "a message says whose it is"
        return encode(header.client, header.seq, value)

    def encode_error(self, xid: int, header: ReplyHeader | None, text: str) -> bytes:
        raise NotImplementedError("a message is echoed whatever came before")

    def encode_problem(self, call: Call) -> bytes:
        raise NotImplementedError("what is a message is echoed")

    def decode_call(self, data: bytes) -> Call:
        client, number, value, _ = delivered(decode(data), self._member)
        header = CallHeader(client, number, 1, 0, 0, intent_of(client, number))
        return Call(0, self._procedure, header, (value,))

    def decode_reply(self, data: bytes, procedure_of: Callable[[int], Procedure | None]) -> Reply:
        client, number, value, _ = decode(data)
        return Reply(0, ReplyHeader(client, number, 1, Status.EXECUTED, 0, 0, 0), value, None)

    def stream(self) -> Splitter:
        return SPLITTERS[self.protocol]()

    def wrap(self, data: bytes) -> bytes:
        return wrap(self.protocol, data)
