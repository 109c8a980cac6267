"""PURE: from a scenario's fault to its value, chosen by its verb, so that a mistake is named precisely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import get_args, get_type_hints

from chaos.faults.fault import Fault
from chaos.faults.vocabulary import FAULTS
from chaos.faults.window import DURATION, TRIGGER, marked
from orchestrator.scenario.document import Mistakes, Node
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


def fault(node: Node) -> Fault:
    """Raises BadScenario."""
    if node.mapping is None:
        raise node.bad("expected a fault: a mapping with a verb such as drop: request")
    chosen = FAULTS[_verb(node, node.mapping)]
    mistakes = Mistakes()
    _known_keys(node, chosen, mistakes)
    for key, kind in PARTS.items():
        if (part := node.mapping.get(key)) is not None and part.mapping is not None:
            _known_keys(part, kind, mistakes)
    value = mistakes.attempt(lambda: typed(chosen, _written(node, chosen)))
    mistakes.check()
    assert value is not None, "nothing was wrong"
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


def _verb(node: Node, mapping: Mapping[str, Node]) -> str:
    verbs = [key for key in mapping if key in FAULTS]
    if len(verbs) == 1:
        return verbs[0]
    if len(verbs) > 1:
        raise node.bad(f"{' and '.join(verbs)} in one fault; expected one verb")
    raise node.bad(f"no verb; {hint(next(iter(mapping), ''), list(FAULTS))}")


def _known_keys(node: Node, chosen: type, mistakes: Mistakes) -> None:
    """A dataclass ignores what it does not know, so unknown keys are refused here."""
    known = [field.name for field in fields(chosen)]
    for key, item in (node.mapping or {}).items():
        if key not in known:
            mistakes.add(item.bad(f"unknown key; {hint(key, known)}"))
