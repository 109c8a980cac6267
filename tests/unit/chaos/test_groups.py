"""Partitions by group: who can no longer send to whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.faults.packets import Split
from chaos.groups import groups_of

NODES = tuple(f"n{i}" for i in range(9))
some = st.integers(4, 9).map(lambda n: NODES[:n])


def sees(split: Split, node: str) -> set[str]:
    """Whom the node can talk to, itself among them; talking needs both ways."""
    apart = split.apart
    return {other for other in split.nodes if (node, other) not in apart and (other, node) not in apart}


@given(st.sampled_from(["majority", "ring", "bridge", "isolate"]), some)
def test_every_shape_separates_somebody_and_both_ways(shape: str, nodes: tuple[str, ...]) -> None:
    pairs = Split(split=shape, nodes=nodes).apart  # type: ignore[arg-type]
    assert pairs
    assert {(b, a) for a, b in pairs} == pairs
    assert all(a != b and {a, b} <= set(nodes) for a, b in pairs)


@given(st.lists(st.sets(st.sampled_from(NODES), min_size=1), min_size=2, max_size=4))
def test_nobody_reaches_across_given_groups(groups: list[set[str]]) -> None:
    split = Split(split="groups", groups=tuple(tuple(sorted(group)) for group in groups))
    pairs = split.apart
    for a in NODES:
        for b in NODES:
            together = any({a, b} <= group for group in groups)
            named = any(a in group for group in groups) and any(b in group for group in groups)
            assert ((a, b) in pairs) == (a != b and named and not together)


@given(some)
def test_a_majority_is_whole_and_outnumbers_the_rest(nodes: tuple[str, ...]) -> None:
    split = Split(split="majority", nodes=nodes)
    most, rest = groups_of(split.split, split.nodes, split.groups)
    assert len(most) > len(rest) >= 1
    assert all(sees(split, node) == set(most) for node in most)
    assert all(sees(split, node) == set(rest) for node in rest)


@given(some)
def test_on_a_ring_everyone_sees_a_majority_and_no_two_the_same_one(nodes: tuple[str, ...]) -> None:
    split = Split(split="ring", nodes=nodes)
    views = [frozenset(sees(split, node)) for node in nodes]
    assert all(2 * len(view) > len(nodes) for view in views)
    assert len(set(views)) == len(nodes)


@given(st.integers(3, 9).map(lambda n: NODES[:n]))
def test_a_bridge_sees_all_and_the_halves_see_only_it(nodes: tuple[str, ...]) -> None:
    split = Split(split="bridge", nodes=nodes)
    middle = nodes[len(nodes) // 2]
    assert sees(split, middle) == set(nodes)
    left, right = groups_of(split.split, split.nodes, split.groups)
    assert set(left) & set(right) == {middle}
    for a in set(left) - {middle}:
        assert sees(split, a) == set(left)


def test_the_isolated_one_is_the_first() -> None:
    split = Split(split="isolate", nodes=("a", "b", "c"))
    assert split.apart == {("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")}


@pytest.mark.parametrize(
    ("split", "text"),
    [
        (Split(split="majority"), "split majority: needs at least 2 different nodes, got none"),
        (Split(split="ring", nodes=("a", "b", "c")), "split ring: needs at least 4 different nodes, got a, b, c"),
        (Split(split="bridge", nodes=("a", "b", "b")), "split bridge: needs at least 3 different nodes"),
        (Split(split="groups", groups=(("a",),)), "at least two groups with nodes"),
        (Split(split="groups", groups=(("a",), ())), "at least two groups with nodes"),
    ],
)
def test_what_no_partition_can_be_made_of_is_refused(split: Split, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        groups_of(split.split, split.nodes, split.groups)
