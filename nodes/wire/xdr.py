"""PURE: XDR, External Data Representation (RFC 4506), what services use of it: types as values that pack and unpack.

`pack(value) -> bytes`; `unpack(data, offset) -> (value, next offset)`. Everything is big-endian in units of four
bytes; padding must be zero, lengths are bounded. Both raise WireError.
"""

from __future__ import annotations

import struct
from typing import Any, Protocol

from nodes.wire.errors import WireError, shown

LIMIT = 1 << 20
"""The default bound of an opaque, in bytes."""


class XdrType(Protocol):
    """What every type of this file can do."""

    def pack(self, value: Any) -> bytes: ...

    def unpack(self, data: bytes, offset: int) -> tuple[Any, int]: ...


def decode(kind: XdrType, data: bytes) -> Any:
    """The one value that `data` holds; bytes that remain are an error."""
    value, end = kind.unpack(data, 0)
    if end != len(data):
        raise WireError(f"{len(data) - end} bytes follow the value")
    return value


class Number:
    """Sections 4.1, 4.2, 4.5, 4.6, 4.7: `format` is the struct code of the number that has this name there."""

    def __init__(self, name: str, format: str) -> None:
        self.name = name
        self.format = format
        self._layout = struct.Struct(">" + format)

    def pack(self, value: Any) -> bytes:
        if value.__class__ is bool:
            raise WireError(f"{value} is a bool, expected {self.name}")
        try:
            return self._layout.pack(value)
        except (struct.error, OverflowError) as error:
            raise WireError(f"{shown(value)} is no {self.name}: {error}") from error

    def unpack(self, data: bytes, offset: int) -> tuple[Any, int]:
        try:
            (value,) = self._layout.unpack_from(data, offset)
        except struct.error as error:
            raise WireError(f"{self.name} at byte {offset}: the data ends at byte {len(data)}") from error
        return value, offset + self._layout.size


HYPER = Number("hyper", "q")
_LENGTH = Number("unsigned int", "I")


def as_hyper(value: int) -> int:
    """What 64 bits keep of it in two's complement: a sum of hypers is one again."""
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)


class Void:
    """Section 4.16."""

    def pack(self, value: Any) -> bytes:
        if value is not None:
            raise WireError(f"{shown(value)} is not void")
        return b""

    def unpack(self, data: bytes, offset: int) -> tuple[None, int]:
        return None, offset


VOID = Void()


class Opaque:
    """Section 4.10."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit

    def pack(self, value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) > self.limit:
            raise WireError(f"{shown(value)} is not at most {self.limit} bytes")
        return _LENGTH.pack(len(value)) + _padded(value)

    def unpack(self, data: bytes, offset: int) -> tuple[bytes, int]:
        size, start = _length(data, offset, self.limit)
        return _cut(data, start, size)


class Struct:
    """Section 4.14: a tuple of the fields' values, in their order."""

    def __init__(self, fields: tuple[tuple[str, XdrType], ...]) -> None:
        self.fields = fields
        formats = [kind.format for _, kind in fields if isinstance(kind, Number)]
        self._flat = struct.Struct(">" + "".join(formats)) if len(formats) == len(fields) else None
        """All fields at once where all are numbers, which arguments mostly are: a third of the time."""

    def pack(self, value: Any) -> bytes:
        items = _sequence(value)
        if len(items) != len(self.fields):
            raise WireError(f"{len(items)} values, expected {', '.join(name for name, _ in self.fields) or 'none'}")
        if self._flat is not None and bool not in map(type, items):
            try:
                return self._flat.pack(*items)
            except (struct.error, OverflowError):
                pass  # below, the field that does not fit is named
        return b"".join([kind.pack(item) for (_, kind), item in zip(self.fields, items, strict=True)])

    def unpack(self, data: bytes, offset: int) -> tuple[tuple[Any, ...], int]:
        flat = self._flat
        if flat is not None and offset + flat.size <= len(data):
            return flat.unpack_from(data, offset), offset + flat.size
        values = []
        for _, kind in self.fields:
            value, offset = kind.unpack(data, offset)
            values.append(value)
        return tuple(values), offset


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _cut(data: bytes, offset: int, size: int) -> tuple[bytes, int]:
    """`size` bytes at `offset`, without what pads them to a multiple of four."""
    end = offset + size
    padded = end + -size % 4
    if padded > len(data):
        raise WireError(f"{size} bytes at byte {offset}: the data ends at byte {len(data)}")
    if any(data[end:padded]):
        raise WireError(f"the padding at byte {end} is not zero")
    return data[offset:end], padded


def _length(data: bytes, offset: int, limit: int) -> tuple[int, int]:
    size, start = _LENGTH.unpack(data, offset)
    if size > limit:
        raise WireError(f"length {size} at byte {offset} is over the limit of {limit}")
    return size, start


def _sequence(value: Any) -> tuple[Any, ...] | list[Any]:
    if not isinstance(value, tuple | list):
        raise WireError(f"{shown(value)} is no sequence of values")
    return value
