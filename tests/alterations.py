"""A document with one value altered, in every way that somebody could get it wrong; and what is said of each."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

VALUES: tuple[Any, ...] = (0, -1, "x", None, True, [], {"x": 1})
Place = tuple[str | int, ...]


def places_of(value: Any, place: Place = ()) -> Iterator[Place]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*place, key)
        yield from places_of(inner, (*place, key))


def lines(given: dict[str, Any], place: Place, said_of: Callable[[dict[str, Any]], str]) -> Iterator[str]:
    """The alterations of one value, those together of which the same is said."""
    said: dict[str, list[str]] = {}
    for alteration, altered in _alterations(given, place):
        said.setdefault(said_of(altered), []).append(alteration)
    yield ".".join(map(str, place))
    for message, alterations in said.items():
        yield f"  {', '.join(alterations)}: {message}"


def _alterations(given: dict[str, Any], place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    for value in VALUES:
        yield repr(value), _with(given, place, value)
    now = _at(given, place)
    match now:
        case bool():
            yield "other", _with(given, place, not now)
        case int() | float():
            yield "more", _with(given, place, now + 1)
            yield "much more", _with(given, place, now + 1_000_000)
        case str():
            yield "longer", _with(given, place, f"{now}x")
        case list():
            yield "doubled", _with(given, place, now + now)
        case dict():
            yield "with more", _with(given, place, {**now, "more": 1})
    without = copy.deepcopy(given)
    del _at(without, place[:-1])[place[-1]]
    yield "without", without


def _at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


def _with(given: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    altered = copy.deepcopy(given)
    _at(altered, place[:-1])[place[-1]] = value
    return altered
