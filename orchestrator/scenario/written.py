"""PURE: values that may be written in more than one form, as nodes in the one form in which they are compared."""

from __future__ import annotations

import re
from collections.abc import Callable

from orchestrator.scenario.document import Node

_DURATION = re.compile(r"([0-9]{1,9})(ms|s)")


def milliseconds(node: Node) -> Node:
    """200ms and 5s; anything else is left as it is."""
    found = _DURATION.fullmatch(node.value) if isinstance(node.value, str) else None
    return node if found is None else node.as_value(int(found[1]) * (1000 if found[2] == "s" else 1))


def spaced(node: Node) -> Node:
    """A link's name or a trigger, with one blank where there are some; a mapping of triggers, with its values so."""
    if node.mapping is not None:
        return node.as_value({key: spaced(value) for key, value in node.mapping.items()})
    if not isinstance(node.value, str):
        return node
    return node.as_value(" ".join(node.value.replace("->", " -> ").split()))


def retrying(node: Node) -> Node:
    """`until-settle` instead of how often; anything else is left as it is."""
    return node.as_value({"attempts": node.as_value(None)}) if node.value == "until-settle" else node


def change(node: Node, key: str, how: Callable[[Node], Node]) -> Node:
    """The mapping with one value changed, if it is a mapping and has the key."""
    if node.mapping is None or key not in node.mapping:
        return node
    return node.as_value({**node.mapping, key: how(node.mapping[key])})
