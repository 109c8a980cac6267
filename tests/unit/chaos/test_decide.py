"""Decisions depend on the seed, the rule and the message's identity, and on nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos import decisions
from chaos.decide import Rule, decide, decider, draw, matches, share
from chaos.decisions import PASSED, Awaits, Decision
from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.identity import Chunk, Key
from nodes.wire.header import client_number

LINK = "client -> server"
CLIENT = client_number(1, 2, 1)


def drop(**fields: Any) -> Drop:
    return Drop(**{"link": LINK, "drop": "request", **fields})


def key(seq: int = 5, attempt: int = 1, occurrence: int = 1, client: int = CLIENT, direction: Any = "request") -> Key:
    return Key(LINK, direction, client, seq, attempt, occurrence)


keys = st.builds(
    Key,
    st.just(LINK),
    st.sampled_from(["request", "reply"]),
    st.integers(1, 2**32 - 1),
    st.integers(0, 50),
    st.integers(1, 3),
    st.integers(1, 3),
)
message_rules = st.builds(
    lambda index, operations, every, probability: Rule(
        index, drop(operations=operations, every=every, probability=probability)
    ),
    st.integers(0, 9),
    st.none() | st.lists(st.integers(1, 50), max_size=5).map(tuple),
    st.none() | st.integers(1, 5),
    st.none() | st.floats(0, 1),
)


@given(st.integers(0, 2**63 - 1), st.lists(message_rules, max_size=4), st.lists(keys, max_size=20), st.randoms())
@settings(deadline=None, max_examples=60)
def test_a_decision_does_not_depend_on_other_messages_or_their_order(
    seed: int, rules: list[Rule], asked: list[Key], random: Any
) -> None:
    active = {rule.index for rule in rules}
    alone = {asked_key: decide(seed, rules, asked_key, active) for asked_key in reversed(asked)}
    random.shuffle(asked)
    assert [decide(seed, rules, asked_key, active) for asked_key in asked] == [alone[asked_key] for asked_key in asked]


@given(st.integers(0, 2**63 - 1), st.lists(message_rules, max_size=4, unique_by=lambda rule: rule.index), keys)
@settings(deadline=None, max_examples=60)
def test_the_first_active_rule_that_matches_wins(seed: int, rules: list[Rule], asked: Key) -> None:
    active = {rule.index for rule in rules if rule.index % 2}
    expected = next((rule.index for rule in rules if rule.index in active and matches(seed, rule, asked)), None)
    assert decide(seed, rules, asked, active).rule == expected


@pytest.mark.parametrize("probability", [0.0, 0.1, 0.5, 1.0])
def test_a_probability_is_the_share_of_many_keys(probability: float) -> None:
    rule = Rule(3, drop(probability=probability))
    hits = sum(matches(11, rule, key(seq=seq)) for seq in range(1, 4001))
    assert abs(hits / 4000 - probability) < 0.03


def test_chance_differs_by_seed_rule_and_every_part_of_the_key() -> None:
    variants = [
        share(1, 0, key(), "probability"),
        share(2, 0, key(), "probability"),
        share(1, 1, key(), "probability"),
        share(1, 0, key(), "jitter"),
        share(1, 0, key(seq=6), "probability"),
        share(1, 0, key(attempt=2), "probability"),
        share(1, 0, key(occurrence=2), "probability"),
        share(1, 0, key(client=CLIENT + 1), "probability"),
        share(1, 0, key(direction="reply"), "probability"),
        share(1, 0, Chunk(LINK, "request", 1, 1), "probability"),
    ]
    assert len(set(variants)) == len(variants)
    assert all(0 <= value < 1 for value in variants)


def test_a_draw_is_the_same_on_every_machine_and_in_every_version() -> None:
    assert draw(7, 0, Key("a -> b", "request", 10101, 1, 1, 1), "probability") == 0x8F1E964D85ED0DDD


@pytest.mark.parametrize(
    ("fault", "matching", "others"),
    [
        (drop(operations=(5, 11)), [key(5), key(11)], [key(4), key(12)]),
        (drop(every=3), [key(3), key(6)], [key(4), key(7)]),
        (drop(clients=(2,)), [key()], [key(client=client_number(1, 1, 1))]),
        (drop(clients=(2,)), [key(client=client_number(1, 2, 7))], []),
        (drop(), [key(attempt=1)], [key(attempt=2), key(occurrence=2), key(seq=0), key(direction="reply")]),
        (drop(attempt=2), [key(attempt=2)], [key(attempt=1)]),
        (drop(attempt="all"), [key(attempt=1), key(attempt=9)], [key(occurrence=2)]),
        (drop(link="other -> server"), [], [key()]),
    ],
)
def test_what_a_rule_speaks_of(fault: Drop, matching: list[Key], others: list[Key]) -> None:
    rule = Rule(0, fault)
    assert all(matches(1, rule, asked) for asked in matching)
    assert not any(matches(1, rule, asked) for asked in others)


def test_partition_and_rate_match_hello_copies_and_traffic_without_identity() -> None:
    everything = [key(seq=0), key(occurrence=4, attempt=3), Chunk(LINK, "request", 1, 1)]
    for fault in (Partition(link=LINK, partition="request"), Rate(link=LINK, rate="both", bytes_per_second=1)):
        assert all(matches(1, Rule(0, fault), asked) for asked in everything)
    assert not matches(1, Rule(0, Partition(link=LINK, partition="request")), key(direction="reply"))


def test_rules_that_need_an_identity_leave_alone_what_has_none() -> None:
    chunk = Chunk(LINK, "request", 1, 1)
    assert matches(1, Rule(0, drop()), chunk)
    needy: list[RelayFault] = [
        drop(operations=(1,)),
        drop(every=1),
        drop(clients=(1,)),
        Reorder(link=LINK, reorder="request"),
        Duplicate(link=LINK, duplicate="request", copy="at-reply"),
    ]
    assert not any(matches(1, Rule(0, fault), chunk) for fault in needy)


def test_a_rule_that_is_off_decides_nothing() -> None:
    assert decide(1, [Rule(4, drop())], key(), set()) is PASSED


@pytest.mark.parametrize(
    "fault",
    [
        Drop(link=LINK, drop="reply"),
        Duplicate(link=LINK, duplicate="reply"),
        Reorder(link=LINK, reorder="reply"),
        Hold(link=LINK, hold="reply"),
        Delay(link=LINK, delay="reply", by=1),
        Corrupt(link=LINK, corrupt="reply"),
        Truncate(link=LINK, truncate="reply"),
        Cut(link=LINK, cut="after", of="reply"),
        Slice(link=LINK, slice="reply", size=1, gap=1),
        Partition(link=LINK, partition="reply"),
        Rate(link=LINK, rate="reply", bytes_per_second=1),
    ],
)
def test_every_fault_acts_in_its_direction_alone(fault: RelayFault) -> None:
    assert fault.directions == ("reply",)
    assert matches(1, Rule(0, fault), key(direction="reply"))
    assert not matches(1, Rule(0, fault), key(direction="request"))


@pytest.mark.parametrize(
    ("fault", "decision", "act"),
    [
        (Drop(link=LINK, drop="request"), decisions.Drop(), "drop"),
        (Partition(link=LINK, partition="both"), decisions.Drop(), "drop"),
        (Duplicate(link=LINK, duplicate="request"), decisions.Copy(None), "duplicate"),
        (Duplicate(link=LINK, duplicate="request", copy="at-reply"), decisions.Copy(Awaits.REPLY), "duplicate"),
        (Duplicate(link=LINK, duplicate="request", copy="after-trim"), decisions.Copy(Awaits.TRIM), "duplicate"),
        (Duplicate(link=LINK, duplicate="request", copy="next-epoch"), decisions.Copy(Awaits.EPOCH), "duplicate"),
        (Reorder(link=LINK, reorder="request"), decisions.Keep(Awaits.NEXT), "reorder"),
        (Hold(link=LINK, hold="request"), decisions.Keep(Awaits.RELEASE), "hold"),
        (Delay(link=LINK, delay="request", by=3), decisions.Keep(Awaits.TIME, by=3_000_000), "delay"),
        (Truncate(link=LINK, truncate="request"), decisions.Half(), "truncate"),
        (Cut(link=LINK, cut="within", of="request"), decisions.Cut("within"), "cut"),
        (Slice(link=LINK, slice="request", size=9, gap=2), decisions.Slice(9, 2_000_000), "slice"),
        (
            Rate(link=LINK, rate="both", bytes_per_second=5),
            decisions.Keep(Awaits.TURN, bytes_per_second=5),
            "rate",
        ),
        (
            Corrupt(link=LINK, corrupt="request"),
            decisions.Alter(draw(1, 2, key(), "corrupt")),
            "corrupt",
        ),
    ],
)
def test_what_a_fault_decides_and_what_it_is_called_on_record(fault: RelayFault, decision: Decision, act: str) -> None:
    decide_now = decider(1, [Rule(2, fault)])
    assert decide_now(key(), {2}) == (2, decision)
    assert decision.act == act
    assert decide_now(key(), {1}) is PASSED


def test_jitter_is_a_share_of_its_own_for_every_message() -> None:
    decide_now = decider(1, [Rule(0, Delay(link=LINK, delay="request", by=3, jitter=4))])
    for seq in range(1, 20):
        asked = key(seq)
        late = decisions.Keep(Awaits.TIME, by=int((3 + 4 * share(1, 0, asked, "jitter")) * 1_000_000))
        assert decide_now(asked, {0}).decision == late
