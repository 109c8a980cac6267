"""PURE: calls and replies as bytes, by an interface: XDR in ONC RPC messages, or MessagePack-RPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from nodes.rpc.interface import Interface, Procedure
from nodes.wire import msgpackrpc, oncrpc, record_marking, xdr
from nodes.wire.errors import WireError, shown
from nodes.wire.header import CallHeader, ReplyHeader
from nodes.wire.oncrpc import Accept


class Call(NamedTuple):
    """`problem` says why it cannot be executed; only then `procedure` may be None."""

    xid: int
    procedure: Procedure | None
    header: CallHeader | None
    arguments: tuple[Any, ...]
    problem: Accept | None = None


class Reply(NamedTuple):
    """`error` is None for a result; `value` is None for void, an error, or a procedure that is not known any more."""

    xid: int
    header: ReplyHeader | None
    value: Any
    error: str | None


class Splitter(Protocol):
    """One direction of a stream: the messages that `data` completes, then perhaps a WireError."""

    def feed(self, data: bytes) -> Iterator[bytes]: ...


class Codec(Protocol):
    """All decoding raises WireError."""

    def encode_call(
        self, xid: int, procedure: Procedure, header: CallHeader | None, arguments: tuple[Any, ...]
    ) -> bytes: ...

    def encode_reply(self, xid: int, procedure: Procedure, header: ReplyHeader | None, value: Any) -> bytes: ...

    def encode_error(self, xid: int, header: ReplyHeader | None, text: str) -> bytes:
        """A reply without a result."""

    def encode_problem(self, call: Call) -> bytes:
        """The answer to a call with a problem."""

    def decode_call(self, data: bytes) -> Call: ...

    def decode_reply(self, data: bytes, procedure_of: Callable[[int], Procedure | None]) -> Reply: ...

    def stream(self) -> Splitter:
        """A new splitter for one direction of a stream."""

    def wrap(self, data: bytes) -> bytes:
        """A message as it goes on a stream."""


class XdrCodec:
    """XDR in ONC RPC messages, with record marking on streams."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface

    def encode_call(
        self, xid: int, procedure: Procedure, header: CallHeader | None, arguments: tuple[Any, ...]
    ) -> bytes:
        interface = self._interface
        body = procedure.arguments.pack(arguments)
        return oncrpc.encode_call(xid, interface.program, interface.version, procedure.number, header, body)

    def encode_reply(self, xid: int, procedure: Procedure, header: ReplyHeader | None, value: Any) -> bytes:
        return oncrpc.encode_reply(xid, header, procedure.result.pack(value))

    def encode_error(self, xid: int, header: ReplyHeader | None, text: str) -> bytes:
        return oncrpc.encode_reply(xid, header, b"", Accept.SYSTEM_ERR)

    def encode_problem(self, call: Call) -> bytes:
        problem = call.problem or Accept.SYSTEM_ERR
        if problem is Accept.PROG_MISMATCH:
            return oncrpc.encode_mismatch(call.xid, problem, self._interface.version, self._interface.version)
        if problem is Accept.RPC_MISMATCH:
            return oncrpc.encode_mismatch(call.xid, problem, oncrpc.RPC_VERSION, oncrpc.RPC_VERSION)
        return oncrpc.encode_reply(call.xid, None, b"", problem)

    def decode_call(self, data: bytes) -> Call:
        message = oncrpc.decode_call(data)
        problem = self._problem(message)
        if problem is not None:
            return Call(message.xid, None, message.header, (), problem)
        procedure = self._interface.by_number[message.procedure]
        try:
            arguments = xdr.decode(procedure.arguments, message.body)
        except WireError:
            return Call(message.xid, procedure, message.header, (), Accept.GARBAGE_ARGS)
        return Call(message.xid, procedure, message.header, arguments)

    def _problem(self, message: oncrpc.OncCall) -> Accept | None:
        if message.rpc_version != oncrpc.RPC_VERSION:
            return Accept.RPC_MISMATCH
        if message.program != self._interface.program:
            return Accept.PROG_UNAVAIL
        if message.version != self._interface.version:
            return Accept.PROG_MISMATCH
        if message.procedure not in self._interface.by_number:
            return Accept.PROC_UNAVAIL
        return None

    def decode_reply(self, data: bytes, procedure_of: Callable[[int], Procedure | None]) -> Reply:
        message = oncrpc.decode_reply(data)
        if message.accept is not Accept.SUCCESS:
            return Reply(message.xid, message.header, None, message.accept.name)
        procedure = procedure_of(message.xid)
        value = None if procedure is None else xdr.decode(procedure.result, message.body)
        return Reply(message.xid, message.header, value, None)

    def stream(self) -> Splitter:
        return record_marking.RecordMarking()

    def wrap(self, data: bytes) -> bytes:
        return record_marking.wrap(data)


class MsgpackCodec:
    """MessagePack-RPC, whose messages delimit themselves. The interface's XDR types say which values it takes."""

    def __init__(self, interface: Interface) -> None:
        self._interface = interface

    def encode_call(
        self, xid: int, procedure: Procedure, header: CallHeader | None, arguments: tuple[Any, ...]
    ) -> bytes:
        return msgpackrpc.encode_call(xid, procedure.name, header, arguments)

    def encode_reply(self, xid: int, procedure: Procedure, header: ReplyHeader | None, value: Any) -> bytes:
        return msgpackrpc.encode_reply(xid, header, value)

    def encode_error(self, xid: int, header: ReplyHeader | None, text: str) -> bytes:
        return msgpackrpc.encode_error(xid, header, text)

    def encode_problem(self, call: Call) -> bytes:
        return msgpackrpc.encode_error(call.xid, None, (call.problem or Accept.SYSTEM_ERR).name)

    def decode_call(self, data: bytes) -> Call:
        message = msgpackrpc.decode_call(data)
        if message.msgid is None:
            raise WireError("a notification: our procedures answer, so nothing is executed without a msgid")
        procedure = self._interface.by_name.get(message.method)
        if procedure is None:
            return Call(message.msgid, None, message.header, (), Accept.PROC_UNAVAIL)
        if not _fits(procedure, message.parameters):
            return Call(message.msgid, procedure, message.header, (), Accept.GARBAGE_ARGS)
        return Call(message.msgid, procedure, message.header, message.parameters)

    def decode_reply(self, data: bytes, procedure_of: Callable[[int], Procedure | None]) -> Reply:
        message = msgpackrpc.decode_reply(data)
        if message.error is not None:
            text = message.error if isinstance(message.error, str) else shown(message.error)
            return Reply(message.msgid, message.header, None, text)
        procedure = procedure_of(message.msgid)
        if procedure is None:
            return Reply(message.msgid, message.header, None, None)
        procedure.result.pack(message.value)  # raises WireError for a value of another type
        return Reply(message.msgid, message.header, message.value, None)

    def stream(self) -> Splitter:
        return msgpackrpc.Messages()

    def wrap(self, data: bytes) -> bytes:
        return data


def _fits(procedure: Procedure, parameters: tuple[Any, ...]) -> bool:
    """Whether the parameters are values of the interface's types, which XDR says once for both codecs."""
    try:
        procedure.arguments.pack(parameters)
    except WireError:
        return False
    return True


_KINDS: Mapping[str, type[XdrCodec] | type[MsgpackCodec]] = MappingProxyType({"xdr": XdrCodec, "msgpack": MsgpackCodec})
NAMES = tuple(_KINDS)


def codec(name: str, interface: Interface) -> Codec:
    """Raises KeyError for an unknown name."""
    return _KINDS[name](interface)
