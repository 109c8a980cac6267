"""PURE: a node of a document as a validated value; what the validator finds becomes one BadScenario with its line."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.scenario.document import BadScenario, Node, join
from orchestrator.scenario.matrix import hint

T = TypeVar("T")

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def typed(kind: type[T], node: Node, path: str, file: str) -> T:
    """Strictly: "5" is no number and true no integer, but a list does for a tuple. Raises BadScenario."""
    try:
        value: T = _adapter(kind).validate_json(json.dumps(node.plain()), strict=True)
    except ValidationError as error:
        raise _bad(error, kind, node, path, file) from None
    return value


def locate(node: Node, location: tuple[str | int, ...], path: str) -> tuple[Node, str, tuple[str | int, ...]]:
    """-> the deepest node on the way of `location`, its path, and what of the location is not in the document."""
    for position, step in enumerate(location):
        below = _step(node, step)
        if below is None:
            return node, path, location[position:]
        node, path = below, join(path, step)
    return node, path, ()


def _step(node: Node, step: str | int) -> Node | None:
    if isinstance(step, int):
        return node.items[step] if node.items is not None and step < len(node.items) else None
    return node.mapping.get(step) if node.mapping is not None else None


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Making one costs more than using it."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _bad(error: ValidationError, kind: type, node: Node, path: str, file: str) -> BadScenario:
    details = error.errors(include_url=False)
    first = details[0]
    where, place, rest = locate(node, first["loc"], path)
    if first["type"] == "missing":
        return BadScenario(file, where.line, place, f"key {rest[0]!r} is missing")
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = _keys(kind, first["loc"])
        return BadScenario(file, where.line, place, f"unknown key; {hint(str(first['loc'][-1]), known)}")
    # A union's members each say what they expected, at the same place.
    same = [one for one in details if locate(node, one["loc"], path)[1] == place]
    expected = " or ".join(dict.fromkeys(_expected(one) for one in same))
    return BadScenario(file, where.line, place, f"expected {expected}; found {_short(where.plain())}")


def _expected(detail: ErrorDetails) -> str:
    message = detail["msg"]
    for opening in ("Input should be ", "String should ", "Value error, ", "Dictionary should ", "List should "):
        message = message.removeprefix(opening)
    return message[:1].lower() + message[1:].replace("a valid dictionary or object", "a mapping")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(kind: Any, location: tuple[str | int, ...]) -> list[str]:
    """The keys that the model at the last but one step of `location` knows, in the file's spelling."""
    for step in location[:-1]:
        kind = kind.model_fields[step].annotation if isinstance(step, str) else kind
        kind = next((one for one in getattr(kind, "__args__", ()) if hasattr(one, "model_fields")), kind)
    return [field.alias or name for name, field in kind.model_fields.items()]
