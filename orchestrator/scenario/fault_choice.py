"""PURE: from a scenario's fault to its value, chosen by its verb, so that a mistake is named precisely."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import get_args, get_type_hints

from chaos.faults.fault import Fault
from chaos.faults.vocabulary import FAULTS
from chaos.faults.window import DURATION, TRIGGER, marked
from orchestrator.scenario.document import BadScenario, Node, join
from orchestrator.scenario.matrix import hint
from orchestrator.scenario.typed import typed
from orchestrator.scenario.written import change, milliseconds, spaced


def _parts() -> Iterator[tuple[str, type]]:
    for chosen in FAULTS.values():
        for name, of in get_type_hints(chosen).items():
            for kind in get_args(of) or (of,):
                if isinstance(kind, type) and is_dataclass(kind):
                    yield name, kind


PARTS = MappingProxyType(dict(_parts()))
"""Keys of faults whose value is a mapping with keys of its own."""


def fault(node: Node, path: str, file: str) -> Fault:
    """Raises BadScenario."""
    if node.mapping is None:
        raise BadScenario(file, node.line, path, "expected a fault: a mapping with a verb such as drop: request")
    chosen = FAULTS[_verb(node, path, file)]
    _known_keys(node, chosen, path, file)
    for key, kind in PARTS.items():
        if (part := node.mapping.get(key)) is not None and part.mapping is not None:
            _known_keys(part, kind, join(path, key), file)
    value: Fault = typed(chosen, _written(node, chosen), path, file)
    return value


def _written(node: Node, kind: type) -> Node:
    """Links, triggers and durations in the form in which they are compared."""
    for name in ("link", *marked(kind, TRIGGER)):
        node = change(node, name, spaced)
    for name in marked(kind, DURATION):
        node = change(node, name, milliseconds)
    for name, below in PARTS.items():
        node = change(node, name, lambda part, below=below: _written(part, below))  # type: ignore[misc]
    return node


def _verb(node: Node, path: str, file: str) -> str:
    assert node.mapping is not None
    verbs = [key for key in node.mapping if key in FAULTS]
    if len(verbs) == 1:
        return verbs[0]
    if len(verbs) > 1:
        raise BadScenario(file, node.line, path, f"{' and '.join(verbs)} in one fault; expected one verb")
    first = next(iter(node.mapping), "")
    raise BadScenario(file, node.line, path, f"no verb; {hint(first, list(FAULTS))}")


def _known_keys(node: Node, chosen: type, path: str, file: str) -> None:
    """A dataclass ignores what it does not know, so unknown keys are refused here."""
    known = [field.name for field in fields(chosen)]
    for key, item in (node.mapping or {}).items():
        if key not in known:
            raise BadScenario(file, item.line, join(path, key), f"unknown key; {hint(key, known)}")
