"""PURE: XDR, External Data Representation (RFC 4506): types as values that pack and unpack.

`pack(value) -> bytes`; `unpack(data, offset) -> (value, next offset)`. Everything is big-endian in units of four
bytes; padding must be zero, lengths are bounded. Both raise WireError.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any, Protocol

from nodes.wire.errors import WireError, shown

LIMIT = 1 << 20
"""The default bound of variable lengths: bytes of an opaque or string, elements of an array."""

_LENGTH = struct.Struct(">I")


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
    """Sections 4.1, 4.2, 4.5, 4.6, 4.7: `format` is the struct code of int, unsigned, hyper, float or double."""

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


INT = Number("int", "i")
UNSIGNED = Number("unsigned int", "I")
HYPER = Number("hyper", "q")
UNSIGNED_HYPER = Number("unsigned hyper", "Q")
FLOAT = Number("float", "f")
DOUBLE = Number("double", "d")


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


class Enum:
    """Section 4.3: one of the listed ints."""

    def __init__(self, members: tuple[int, ...]) -> None:
        self.members = members

    def pack(self, value: Any) -> bytes:
        return INT.pack(self._member(value))

    def unpack(self, data: bytes, offset: int) -> tuple[int, int]:
        value, end = INT.unpack(data, offset)
        return self._member(value), end

    def _member(self, value: int) -> int:
        if value not in self.members:
            raise WireError(f"{shown(value)} is none of the enum's {self.members}")
        return value


class Bool:
    """Section 4.4."""

    def pack(self, value: Any) -> bytes:
        if not isinstance(value, bool):
            raise WireError(f"{shown(value)} is no bool")
        return INT.pack(int(value))

    def unpack(self, data: bytes, offset: int) -> tuple[bool, int]:
        value, end = INT.unpack(data, offset)
        if value not in (0, 1):
            raise WireError(f"bool at byte {offset} is {value}, expected 0 or 1")
        return value == 1, end


BOOL = Bool()


class FixedOpaque:
    """Section 4.9."""

    def __init__(self, size: int) -> None:
        self.size = size

    def pack(self, value: Any) -> bytes:
        if not isinstance(value, bytes) or len(value) != self.size:
            raise WireError(f"{shown(value)} is not {self.size} bytes")
        return _padded(value)

    def unpack(self, data: bytes, offset: int) -> tuple[bytes, int]:
        return _cut(data, offset, self.size)


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


class String:
    """Section 4.11; UTF-8 here, of which the RFC's ASCII is a part. `limit` counts bytes."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit

    def pack(self, value: Any) -> bytes:
        if not isinstance(value, str):
            raise WireError(f"{shown(value)} is no string")
        try:
            return Opaque(self.limit).pack(value.encode())
        except UnicodeEncodeError as error:
            raise WireError(f"{shown(value)} cannot be written as UTF-8") from error

    def unpack(self, data: bytes, offset: int) -> tuple[str, int]:
        text, end = Opaque(self.limit).unpack(data, offset)
        try:
            return text.decode(), end
        except UnicodeDecodeError as error:
            raise WireError(f"the string at byte {offset} is not UTF-8") from error


class FixedArray:
    """Section 4.12; packs any sequence, unpacks a list."""

    def __init__(self, element: XdrType, size: int) -> None:
        self.element = element
        self.size = size

    def pack(self, value: Any) -> bytes:
        items = _sequence(value)
        if len(items) != self.size:
            raise WireError(f"{len(items)} elements, expected {self.size}")
        return b"".join([self.element.pack(item) for item in items])

    def unpack(self, data: bytes, offset: int) -> tuple[list[Any], int]:
        return _elements(self.element, self.size, data, offset)


class Array:
    """Section 4.13; packs any sequence, unpacks a list."""

    def __init__(self, element: XdrType, limit: int = LIMIT) -> None:
        self.element = element
        self.limit = limit

    def pack(self, value: Any) -> bytes:
        items = _sequence(value)
        if len(items) > self.limit:
            raise WireError(f"{len(items)} elements, expected at most {self.limit}")
        return _LENGTH.pack(len(items)) + b"".join([self.element.pack(item) for item in items])

    def unpack(self, data: bytes, offset: int) -> tuple[list[Any], int]:
        size, start = _length(data, offset, self.limit)
        return _elements(self.element, size, data, start)


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


class Union:
    """Section 4.15: (discriminant, value of its arm); `default` serves discriminants without an arm."""

    def __init__(self, discriminant: XdrType, arms: Mapping[int, XdrType], default: XdrType | None = None) -> None:
        self.discriminant = discriminant
        self.arms = arms
        self.default = default

    def pack(self, value: Any) -> bytes:
        items = _sequence(value)
        if len(items) != 2:
            raise WireError(f"{len(items)} values, expected a discriminant and its arm's value")
        return self.discriminant.pack(items[0]) + self._arm(items[0]).pack(items[1])

    def unpack(self, data: bytes, offset: int) -> tuple[tuple[int, Any], int]:
        choice, start = self.discriminant.unpack(data, offset)
        inner, end = self._arm(choice).unpack(data, start)
        return (choice, inner), end

    def _arm(self, choice: int) -> XdrType:
        arm = self.arms.get(choice, self.default)
        if arm is None:
            raise WireError(f"the union has no arm for {shown(choice)}")
        return arm


class Optional:
    """Section 4.19: a value or None."""

    def __init__(self, element: XdrType) -> None:
        self.element = element

    def pack(self, value: Any) -> bytes:
        return BOOL.pack(False) if value is None else BOOL.pack(True) + self.element.pack(value)

    def unpack(self, data: bytes, offset: int) -> tuple[Any, int]:
        present, start = BOOL.unpack(data, offset)
        return self.element.unpack(data, start) if present else (None, start)


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
    size, start = UNSIGNED.unpack(data, offset)
    if size > limit:
        raise WireError(f"length {size} at byte {offset} is over the limit of {limit}")
    return size, start


def _sequence(value: Any) -> tuple[Any, ...] | list[Any]:
    if not isinstance(value, tuple | list):
        raise WireError(f"{shown(value)} is no sequence of values")
    return value


def _elements(element: XdrType, size: int, data: bytes, offset: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(size):
        value, offset = element.unpack(data, offset)
        values.append(value)
    return values, offset
