"""PURE: ONC RPC version 2 messages (RFC 5531), with our headers as credential and verifier of a private flavour.

A call of ours has a fixed layout up to its arguments, and so has a reply up to its results:

    call   xid 0 2 program version procedure | flavour 32 call header | AUTH_NONE 0 | arguments
    reply  xid 1 0 | flavour 36 reply header | accept_stat | results

Everything that decodes raises WireError.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from nodes.wire.errors import WireError
from nodes.wire.header import CALL_LAYOUT, REPLY_LAYOUT, CallHeader, ReplyHeader, Status
from nodes.wire.xdr import Opaque

RPC_VERSION = 2
AUTH_NONE = 0
FLAVOUR = 0x46425444
"""Ours, "FBTD": a number outside the assigned ones (RFC 5531 section 8.2)."""
AUTH_LIMIT = 400
CALL, REPLY = 0, 1
ACCEPTED, DENIED = 0, 1

OUR_CALL_SIZE = 40 + CALL_LAYOUT.size
OUR_REPLY_SIZE = 24 + REPLY_LAYOUT.size
"""Bytes in front of the arguments of a call of ours, and of the results of an accepted reply."""

_CALL_START = struct.Struct(">6I")
_OUR_CALL = struct.Struct(">8I" + CALL_LAYOUT.format[1:] + "2I")
_REPLY_START = struct.Struct(">6I")
_OUR_REPLY = struct.Struct(">5I" + REPLY_LAYOUT.format[1:] + "I")
_MISMATCH = struct.Struct(">2I")
_WORD = struct.Struct(">I")
_AUTH = Opaque(AUTH_LIMIT)
_NO_AUTH = bytes(8)
_LAST_STATUS = max(Status)


class Accept(IntEnum):
    """accept_stat, section 9; RPC_MISMATCH stands for the denial of the RPC version."""

    SUCCESS = 0
    PROG_UNAVAIL = 1
    PROG_MISMATCH = 2
    PROC_UNAVAIL = 3
    GARBAGE_ARGS = 4
    SYSTEM_ERR = 5
    RPC_MISMATCH = 100


class OncCall(NamedTuple):
    """`body` holds the arguments; `header` is None for a call with another flavour's credential."""

    xid: int
    rpc_version: int
    program: int
    version: int
    procedure: int
    header: CallHeader | None
    body: bytes


class OncReply(NamedTuple):
    """`body` holds the results of SUCCESS; `low` and `high` are the versions of a mismatch."""

    xid: int
    header: ReplyHeader | None
    accept: Accept
    body: bytes
    low: int = 0
    high: int = 0


def encode_call(xid: int, program: int, version: int, procedure: int, header: CallHeader | None, body: bytes) -> bytes:
    """Raises WireError for a number that does not fit."""
    try:
        if header is None:
            return _CALL_START.pack(xid, CALL, RPC_VERSION, program, version, procedure) + _NO_AUTH + _NO_AUTH + body
        size = CALL_LAYOUT.size
        start = _OUR_CALL.pack(
            xid, CALL, RPC_VERSION, program, version, procedure, FLAVOUR, size, *header, AUTH_NONE, 0
        )
    except struct.error as error:
        raise WireError(f"call {xid} with {header} does not fit: {error}") from error
    return start + body


def encode_reply(xid: int, header: ReplyHeader | None, body: bytes, accept: Accept = Accept.SUCCESS) -> bytes:
    """An accepted reply that tells no versions. Raises WireError for a number that does not fit."""
    try:
        if header is None:
            return _REPLY_START.pack(xid, REPLY, ACCEPTED, AUTH_NONE, 0, accept) + body
        return _OUR_REPLY.pack(xid, REPLY, ACCEPTED, FLAVOUR, REPLY_LAYOUT.size, *header, accept) + body
    except struct.error as error:
        raise WireError(f"reply {xid} with {header} does not fit: {error}") from error


def encode_mismatch(xid: int, accept: Accept, low: int, high: int) -> bytes:
    """PROG_MISMATCH or RPC_MISMATCH, with the lowest and highest version that is known here."""
    if accept is Accept.RPC_MISMATCH:
        return _REPLY_START.pack(xid, REPLY, DENIED, 0, low, high)
    return _REPLY_START.pack(xid, REPLY, ACCEPTED, AUTH_NONE, 0, accept) + _MISMATCH.pack(low, high)


def decode_call(data: bytes) -> OncCall:
    try:
        xid, kind, rpc_version, program, version, procedure, flavour, size, *fields = _OUR_CALL.unpack_from(data)
    except struct.error:
        return _decode_foreign_call(data)  # shorter than a call of ours, so it is none
    if flavour != FLAVOUR:
        return _decode_foreign_call(data)
    _require(kind, CALL)
    if size != CALL_LAYOUT.size or fields[-2:] != [AUTH_NONE, 0]:
        raise WireError("the credential of our flavour is no call header, or a verifier follows it")
    header = CallHeader._make(fields[:-2])
    return OncCall(xid, rpc_version, program, version, procedure, header, data[_OUR_CALL.size :])


def our_call(data: bytes) -> tuple[int, int, int, int] | None:
    """-> client, seq, attempt and first of a whole call of ours, at a third of what decoding costs.

    None where only `decode_call` can tell what it is.
    """
    if len(data) < OUR_CALL_SIZE:
        return None
    fields = _OUR_CALL.unpack_from(data)
    ours = fields[1] == CALL and fields[6:8] == (FLAVOUR, CALL_LAYOUT.size) and fields[14:] == (AUTH_NONE, 0)
    return fields[8:12] if ours else None


def our_reply(data: bytes) -> tuple[int, int, int] | None:
    """-> client, seq and attempt of a reply of ours with results; None where only `decode_reply` can tell."""
    if len(data) < OUR_REPLY_SIZE:
        return None
    fields = _OUR_REPLY.unpack_from(data)
    ours = fields[1:5] == (REPLY, ACCEPTED, FLAVOUR, REPLY_LAYOUT.size)
    return fields[5:8] if ours and fields[8] <= _LAST_STATUS and fields[12] == Accept.SUCCESS else None


def _decode_foreign_call(data: bytes) -> OncCall:
    try:
        xid, kind, rpc_version, program, version, procedure = _CALL_START.unpack_from(data)
    except struct.error as error:
        raise WireError(f"a call of {len(data)} bytes is too short") from error
    _require(kind, CALL)
    flavour, _, offset = _auth(data, _CALL_START.size)
    if flavour == FLAVOUR:
        raise WireError(f"a call of our flavour of {len(data)} bytes is too short")
    _, _, offset = _auth(data, offset)
    return OncCall(xid, rpc_version, program, version, procedure, None, data[offset:])


def decode_reply(data: bytes) -> OncReply:
    try:
        xid, kind, state, flavour, size, *fields, accept = _OUR_REPLY.unpack_from(data)
    except struct.error:
        return _decode_foreign_reply(data)
    if kind != REPLY or state != ACCEPTED or flavour != FLAVOUR or size != REPLY_LAYOUT.size:
        return _decode_foreign_reply(data)
    header = ReplyHeader._make(fields)
    if header.status > _LAST_STATUS:
        raise WireError(f"the reply's status is {header.status}, at most {_LAST_STATUS:d} is known")
    return _accepted(xid, header, accept, data[_OUR_REPLY.size :])


def _decode_foreign_reply(data: bytes) -> OncReply:
    """Denied, or accepted with any verifier but ours."""
    try:
        xid, kind, state, first, second, third = _REPLY_START.unpack_from(data)
        _require(kind, REPLY)
        if state == DENIED:
            return _denied(xid, first, second, third, len(data))
        flavour, _, offset = _auth(data, 12)
        (accept,) = _WORD.unpack_from(data, offset)
    except struct.error as error:
        raise WireError(f"a reply of {len(data)} bytes is too short") from error
    if state != ACCEPTED:
        raise WireError(f"reply_stat is {state}, expected 0 or 1")
    if flavour == FLAVOUR:
        raise WireError("the verifier of our flavour is no reply header")
    return _accepted(xid, None, accept, data[offset + 4 :])


def _denied(xid: int, reason: int, low: int, high: int, size: int) -> OncReply:
    if reason != 0:
        raise WireError(f"the call was denied for reason {reason} (1 is an authentication error)")
    if size != _REPLY_START.size:
        raise WireError(f"{size - _REPLY_START.size} bytes follow the denial")
    return OncReply(xid, None, Accept.RPC_MISMATCH, b"", low, high)


def _accepted(xid: int, header: ReplyHeader | None, accept: int, rest: bytes) -> OncReply:
    if accept == Accept.SUCCESS:
        return OncReply(xid, header, Accept.SUCCESS, rest)
    if accept > Accept.SYSTEM_ERR:
        raise WireError(f"accept_stat is {accept}, at most {Accept.SYSTEM_ERR:d} is known")
    expected = _MISMATCH.size if accept == Accept.PROG_MISMATCH else 0
    if len(rest) != expected:
        raise WireError(f"{len(rest)} bytes follow accept_stat {accept}, expected {expected}")
    low, high = _MISMATCH.unpack(rest) if expected else (0, 0)
    return OncReply(xid, header, Accept(accept), b"", low, high)


def _require(kind: int, expected: int) -> None:
    if kind != expected:
        raise WireError(f"the message type is {kind}, expected {expected} ({'reply' if expected else 'call'})")


def _auth(data: bytes, offset: int) -> tuple[int, bytes, int]:
    """opaque_auth, section 8.2: -> (flavour, body, next offset)."""
    if len(data) < offset + 4:
        raise WireError(f"opaque_auth at byte {offset}: the data ends at byte {len(data)}")
    (flavour,) = _WORD.unpack_from(data, offset)
    body, end = _AUTH.unpack(data, offset + 4)
    return flavour, body, end
