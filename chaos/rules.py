"""PURE: rules in a plane's configuration as they travel: {"index", "kind", "active", and the fields of the fault} ->
the values of chaos.faults.

Everything that comes in is checked, since it comes from another process; a text that refuses says where and why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, ClassVar, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from chaos.faults.fault import Fault
from chaos.problem import Path
from nodes.wire.addresses import Internet, internet
from nodes.wire.errors import shown

Map = dict[str, Any]
F = TypeVar("F", bound=Fault)
T = TypeVar("T")


class BadConfiguration(ValueError):
    """A configuration that cannot be obeyed. Nothing was started."""


@dataclass(frozen=True, slots=True)
class Decoded(Generic[F]):
    """A rule as it came in, and whether it is on."""

    index: int
    fault: F
    active: bool


def address(value: Any) -> Internet | None:
    """[host, port] or None. Raises BadConfiguration."""
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and type(value[1]) is int:
        return internet(value[0], value[1])
    raise BadConfiguration(f"an address must be [host, port] or nil, not {shown(value)}")


def decoded(value: Map, link: str | None, kinds: Mapping[str, type[F]], plane: str) -> Decoded[F]:
    """A rule of any plane; `link` is None for one that belongs to no link. Raises BadConfiguration."""
    fields = dict(value)
    of = "" if link is None else f" of link {link!r}"
    index = field(fields, "index", int, f"a rule{of}")
    where = f"rule {index}"
    kind = kinds.get(field(fields, "kind", str, where))
    if kind is None:
        raise BadConfiguration(
            f"{where}: no fault of a {plane} is called {fields['kind']!r}; known are {', '.join(kinds)}"
        )
    active = field(fields, "active", bool, where)
    for name in ("index", "kind", "active"):
        del fields[name]
    if fields.get("link") != link:
        raise BadConfiguration(f"{where}: belongs to link {fields.get('link')!r}, not to {link!r}")
    fault = _fault(kind, fields, where)
    for path, message in fault.problems():
        raise BadConfiguration(f"{where}: {_at(fault, path)}{message}")
    return Decoded(index, fault, active)


def _at(fault: Fault, path: Path) -> str:
    """A part of a fault and its value, such as "netem.loss is 2, "."""
    value: Any = fault
    for step in path:
        value = getattr(value, str(step))
    return f"{'.'.join(map(str, path))} is {shown(value)}, " if path else ""


def check_indexes(indexes: Iterable[int]) -> None:
    """A command names a rule by its index alone. Raises BadConfiguration."""
    indexes = list(indexes)
    if len(set(indexes)) != len(indexes):
        raise BadConfiguration(f"rule indexes must differ, got {sorted(indexes)}")


def _fault(kind: type[T], fields: Map, where: str) -> T:
    hints = _hints(kind)  # type: ignore[arg-type]  # the type of a type is hashable
    values = {name: _unpacked(value, hints.get(name), f"{where}: {name}") for name, value in fields.items()}
    for name, value in values.items():
        if name not in hints:
            raise BadConfiguration(f"{where}: {kind.__name__} has no field {name!r}; it has {', '.join(sorted(hints))}")
        if not _fits(hints[name])(value):
            raise BadConfiguration(f"{where}: {name} is {shown(value)}, expected {_shown(hints[name])}")
    try:
        return kind(**values)
    except TypeError as error:
        raise BadConfiguration(f"{where}: {error}") from error


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return {name: hint for name, hint in get_type_hints(kind).items() if get_origin(hint) is not ClassVar}


def _unpacked(value: Any, hint: Any, where: str) -> Any:
    """Tuples travel as lists, and a value inside a fault as a map."""
    if isinstance(value, list):
        return tuple(_unpacked(item, None, where) for item in value)
    if isinstance(value, dict) and isinstance(hint, type) and is_dataclass(hint):
        return _fault(hint, value, where)
    return value


@cache
def _fits(hint: Any) -> Callable[[Any], bool]:
    """-> whether a value is of a type as `chaos.faults` uses them."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        fits = [_fits(part) for part in parts]
        return lambda value: any(one(value) for one in fits)
    if origin is Literal:
        return lambda value: value in parts
    if origin is tuple:
        each = _fits(parts[0])
        return lambda value: isinstance(value, tuple) and all(map(each, value))
    kinds = (int, float) if hint is float else (hint,)
    return lambda value: type(value) in kinds


def _shown(hint: Any) -> str:
    return "null" if hint is NoneType else str(hint).replace("typing.", "").removeprefix("<class '").removesuffix("'>")


def mapping(value: Any, where: str) -> Map:
    """Raises BadConfiguration for what is no map."""
    if not isinstance(value, dict):
        raise BadConfiguration(f"{where} must be a map, not {shown(value)}")
    return value


def field(value: Map, name: str, kind: type, where: str) -> Any:
    """What `value` has under `name`, of exactly that type. Raises BadConfiguration."""
    if type(value.get(name)) is not kind:
        raise BadConfiguration(f"{where}: {name!r} must be of type {kind.__name__}, got {shown(value.get(name))}")
    return value[name]


def one_of(value: Map, name: str, known: tuple[str, ...], where: str) -> str:
    """Raises BadConfiguration."""
    if value.get(name) not in known:
        raise BadConfiguration(f"{where}: {name} is {shown(value.get(name))}, expected one of {', '.join(known)}")
    return str(value[name])
