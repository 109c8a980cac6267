"""PURE: a node of a document as a validated value; what the validator finds becomes a BadScenario with their lines."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.scenario.document import BadScenario, Mistakes, Node
from orchestrator.scenario.matrix import hint

T = TypeVar("T")
Location = tuple[str | int, ...]

_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def typed(kind: type[T], node: Node) -> T:
    """Strictly: "5" is no number and true no integer, but a list does for a tuple. Raises BadScenario."""
    try:
        value: T = _adapter(kind).validate_json(json.dumps(node.plain()), strict=True)
    except ValidationError as error:
        raise _bad(error, kind, node) from None
    return value


def locate(node: Node, location: Location) -> tuple[Node, Location]:
    """-> the deepest node on the way of `location`, and what of the location is not in the document."""
    for position, step in enumerate(location):
        below = _step(node, step)
        if below is None:
            return node, location[position:]
        node = below
    return node, ()


def _step(node: Node, step: str | int) -> Node | None:
    if isinstance(step, int):
        return node.items[step] if node.items is not None and step < len(node.items) else None
    return node.mapping.get(step) if node.mapping is not None else None


def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Making one costs more than using it."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _bad(error: ValidationError, kind: type, root: Node) -> BadScenario:
    """A node is told of once, unless keys are what it lacks: each is named."""
    mistakes = Mistakes()
    details = [(*locate(root, detail["loc"]), detail) for detail in error.errors(include_url=False)]
    for node, rest, detail in details:
        if detail["type"] == "missing":
            mistakes.add(node.bad(f"key {rest[0]!r} is missing"))
        elif detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
            known = _keys(kind, detail["loc"])
            mistakes.add(node.bad(f"unknown key; {hint(str(detail['loc'][-1]), known)}"))
        else:
            # A union's members each say what they expected, at the same place.
            expected = " or ".join(dict.fromkeys(_expected(one) for other, _, one in details if other is node))
            mistakes.add(node.bad(f"expected {expected}; found {_short(node.plain())}"))
    return mistakes.error()


def _expected(detail: ErrorDetails) -> str:
    message = detail["msg"]
    for opening in ("Input should be ", "String should ", "Value error, ", "Dictionary should ", "List should "):
        message = message.removeprefix(opening)
    return message[:1].lower() + message[1:].replace("a valid dictionary or object", "a mapping")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _keys(kind: Any, location: Location) -> list[str]:
    """The keys that the model at the last but one step of `location` knows, in the file's spelling."""
    for step in location[:-1]:
        fields = getattr(kind, "model_fields", {})
        kind = fields[step].annotation if step in fields else kind
        kind = next((one for one in getattr(kind, "__args__", ()) if hasattr(one, "model_fields")), kind)
    return [field.alias or name for name, field in kind.model_fields.items()]
