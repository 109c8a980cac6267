"""PURE: partitions by group: which nodes can no longer send to which.

A Split says who can talk: the members of one group. A node in two groups (a bridge, a ring's overlap) talks to both.
Shapes after Jepsen's nemesis ("complete-grudge", "bridge", "majorities-ring").
"""

from __future__ import annotations

from collections.abc import Sequence

Group = tuple[str, ...]
Pair = tuple[str, str]


def separated(groups: Sequence[Group]) -> frozenset[Pair]:
    """Every (sender, receiver) of the groups' nodes without a group in common."""
    nodes = {node for group in groups for node in group}
    together = {(a, b) for group in groups for a in group for b in group}
    return frozenset((a, b) for a in nodes for b in nodes if a != b and (a, b) not in together)


def groups_of(shape: str, nodes: Group, given: Sequence[Group]) -> tuple[Group, ...]:
    """The groups given, or those of the shape. Raises ValueError."""
    if shape == "groups":
        return _checked(given)
    least = LEAST[shape]
    if len(set(nodes)) != len(nodes) or len(nodes) < least:
        raise ValueError(f"split {shape}: needs at least {least} different nodes, got {', '.join(nodes) or 'none'}")
    return SHAPES[shape](nodes)


def _checked(groups: Sequence[Group]) -> tuple[Group, ...]:
    if len(groups) < 2 or not all(groups):
        raise ValueError(f"split groups: needs at least two groups with nodes, got {[list(group) for group in groups]}")
    return tuple(groups)


def majority(nodes: Group) -> tuple[Group, ...]:
    """The first more-than-half of the nodes, and the rest."""
    size = len(nodes) // 2 + 1
    return nodes[:size], nodes[size:]


def isolate(nodes: Group) -> tuple[Group, ...]:
    """The first node alone, and the rest."""
    return nodes[:1], nodes[1:]


def bridge(nodes: Group) -> tuple[Group, ...]:
    """Two halves that meet only in the node in the middle."""
    middle = len(nodes) // 2
    return nodes[: middle + 1], nodes[middle:]


def ring(nodes: Group) -> tuple[Group, ...]:
    """Every node sees a majority, and no two see the same one: itself and its neighbours on a ring, so that each
    pair that can talk is seen by both."""
    reach = (len(nodes) // 2 + 1) // 2  # neighbours on each side: with itself a majority
    pairs = {tuple(sorted((i, (i + step) % len(nodes)))) for i in range(len(nodes)) for step in range(1, reach + 1)}
    return tuple((nodes[a], nodes[b]) for a, b in sorted(pairs) if a != b)


SHAPES = {"majority": majority, "isolate": isolate, "bridge": bridge, "ring": ring}
LEAST = {"majority": 2, "isolate": 2, "bridge": 3, "ring": 4}
