"""PURE: the one error of bytes that are not what they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from reprlib import Repr
from typing import TypeVar

T = TypeVar("T")

_LONGEST = 80


class WireError(ValueError):
    """Malformed, oversized or unexpected bytes, or a value that has no form on the wire; says what and where."""


def shown(value: object) -> str:
    """The beginning of a value's repr, however deep it is nested: repr itself has as many calls as levels."""
    return _shown(value)[:_LONGEST]


_repr = Repr()
_repr.maxstring = _repr.maxother = _LONGEST
_shown = _repr.repr


def unforeseen(error: Exception) -> WireError:
    """The last net around decoding: what nobody foresaw in bytes from outside is a broken message too."""
    return error if isinstance(error, WireError) else WireError(f"{type(error).__name__}: {error}"[:_LONGEST])


def whole(feed: Callable[[bytes], Iterator[T]], data: bytes) -> Iterator[T]:
    """What a splitter finds in `data`. Raises WireError and nothing else."""
    try:
        yield from feed(data)
    except Exception as error:
        raise unforeseen(error) from error
