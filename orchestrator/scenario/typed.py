"""PURE: a node of a document as a validated value; what the validator finds becomes a BadScenario with their lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, TypeVar, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from chaos.faults.window import A_DURATION, DURATION
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


def integer(node: Node, expected: str = A_DURATION) -> int:
    """From 0. Raises BadScenario."""
    if isinstance(node.value, bool) or not isinstance(node.value, int) or not 0 <= node.value < 2**63:
        raise node.bad(f"expected {expected}; found {shown(node)}")
    return node.value


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
            expected = " or ".join(dict.fromkeys(_expected(kind, one) for other, _, one in details if other is node))
            mistakes.add(node.bad(f"expected {expected}; found {shown(node)}"))
    return mistakes.error()


def _expected(kind: Any, detail: ErrorDetails) -> str:
    if DURATION in getattr(_hint(kind, detail["loc"]), "__metadata__", ()):
        return A_DURATION
    message = detail["msg"]
    for opening in ("Input should be ", "String should ", "Value error, ", "Dictionary should ", "List should "):
        message = message.removeprefix(opening)
    return message[:1].lower() + message[1:].replace("a valid dictionary or object", "a mapping")


def shown(node: Node) -> str:
    """What was found, in a few words."""
    text = json.dumps(node.plain(), ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def _hint(hint: Any, location: Location) -> Any:
    """How what is at `location` is annotated; a step that is no field, such as an index, stays where it is."""
    for step in location:
        fields = (get_type_hints(kind, include_extras=True) for kind in _classes(hint))
        hint = next((of[step] for of in fields if step in of), hint)
    return hint


def _classes(hint: Any) -> Iterator[type]:
    if isinstance(hint, type):
        yield hint
    for part in get_args(hint):
        yield from _classes(part)


def _keys(kind: Any, location: Location) -> list[str]:
    """The keys that the model at the last but one step of `location` knows, in the file's spelling."""
    for step in location[:-1]:
        fields = getattr(kind, "model_fields", {})
        kind = fields[step].annotation if step in fields else kind
        kind = next((one for one in getattr(kind, "__args__", ()) if hasattr(one, "model_fields")), kind)
    return [field.alias or name for name, field in kind.model_fields.items()]
