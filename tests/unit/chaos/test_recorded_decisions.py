"""A recorded decision survives its way into a record, a file and a frame, and falls again on its message alone."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaos.decide import Rule, decision
from chaos.decisions import (
    PASSED,
    Alter,
    Awaits,
    Copy,
    Cut,
    Decided,
    Decision,
    Drop,
    Half,
    Keep,
    Pass,
    Slice,
    decision_of,
    parameters,
)
from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Delay, Duplicate
from chaos.faults.paths import Rate
from chaos.identity import Chunk, Key
from chaos.links import plans
from chaos.recorded import Entry, entry_of, key_of, message, plain, replayer
from chaos.rules import BadConfiguration

LINK = "client -> server"
KEY = Key(LINK, "request", 10101, 3, 2, 1)
DECISIONS: tuple[Decision, ...] = (
    Drop(),
    Copy(),
    *(Copy(awaits) for awaits in (Awaits.REPLY, Awaits.TRIM, Awaits.EPOCH)),
    Keep(Awaits.TIME, by=2**40),
    Keep(Awaits.TURN, bytes_per_second=4000),
    Keep(Awaits.RELEASE),
    Keep(Awaits.NEXT),
    Alter(2**64 - 1),
    Half(),
    Cut("before"),
    Cut("within"),
    Cut("after"),
    Slice(7, 5_000_000),
)


def test_every_kind_of_decision_is_tried_here() -> None:
    assert {type(made) for made in DECISIONS} == {*get_args(Decision)} - {Pass}
    waits = {made.awaits for made in DECISIONS if isinstance(made, Copy | Keep)}
    assert waits == {None, *Awaits}


@pytest.mark.parametrize("made", DECISIONS, ids=str)
def test_a_decision_is_what_its_record_says(made: Decision) -> None:
    assert decision_of({"act": made.act, **parameters(made), "connection": 4}) == made
    entry = Entry(KEY, 2, made)
    assert entry_of(json.loads(json.dumps(plain(entry)))) == entry
    assert entry_of(msgpack.unpackb(msgpack.packb(plain(entry)))) == entry


@pytest.mark.parametrize(
    "fault",
    [
        Delay(link=LINK, delay="request", by=20, jitter=40),
        Corrupt(link=LINK, corrupt="request"),
        Duplicate(link=LINK, duplicate="request", copy="after-trim"),
        Rate(link=LINK, rate="both", bytes_per_second=300),
    ],
)
def test_what_chance_drew_is_in_the_record(fault: RelayFault) -> None:
    drawn = [decision(seed, Rule(0, fault), KEY) for seed in range(5)]
    assert [decision_of({"act": made.act, **parameters(made)}) for made in drawn] == drawn


@given(st.builds(Key, st.just(LINK), st.sampled_from(["request", "reply"]), *[st.integers(0, 2**32 - 1)] * 4))
def test_a_message_is_named_in_one_text(key: Key) -> None:
    assert key_of(message(key)) == key


def test_a_log_decides_about_its_messages_and_no_others() -> None:
    decide = replayer([Entry(KEY, 2, Drop()), Entry(KEY._replace(attempt=3), None, Half())])
    assert decide(KEY, ()) == Decided(2, Drop())
    assert decide(KEY._replace(attempt=3), {2}) == Decided(None, Half())
    assert decide(KEY._replace(occurrence=2), {2}) is PASSED
    assert decide(Chunk(LINK, "request", 1, 1), {2}) is PASSED


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "an entry must be a map, not 3"),
        ({"rule": 0, "act": "drop"}, "None is no message"),
        ({"message": f"{LINK} sideways 1 1 1 1", "act": "drop"}, "is no message"),
        ({"message": f"{LINK} request 1 -1 1 1", "act": "drop"}, "is no message"),
        ({"message": f"{LINK} request x 1 1 1", "act": "drop"}, "is no message"),
        ({"message": message(KEY), "rule": True, "act": "drop"}, "the rule must be a number or null, not True"),
        ({"message": message(KEY), "act": "explode"}, "no decision is called 'explode'; there are drop, duplicate,"),
        ({"message": message(KEY), "act": "pass"}, "no decision is called 'pass'"),
        ({"message": message(KEY), "act": "delay"}, "delay needs by, a number from 0 below .*, got None"),
        ({"message": message(KEY), "act": "corrupt", "bits": 2**64}, "corrupt needs bits"),
        ({"message": message(KEY), "act": "corrupt", "bits": True}, "corrupt needs bits"),
        ({"message": message(KEY), "act": "rate", "bytes_per_second": 0}, "a number from 1 below"),
        ({"message": message(KEY), "act": "slice", "size": 0, "gap": 1}, "slice needs size"),
        ({"message": message(KEY), "act": "slice", "size": 1, "gap": -1}, "slice needs gap"),
        ({"message": message(KEY), "act": "cut", "place": "beside"}, "cut needs a place, before, within or after"),
        ({"message": message(KEY), "act": "duplicate", "awaits": "time"}, "duplicate awaits 'time'; expected reply"),
    ],
)
def test_what_is_no_entry_is_refused(value: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        entry_of(value)


def test_a_link_with_a_log_has_it_decide_instead_of_its_rules() -> None:
    def hop_of(**more: Any) -> Any:
        link = {"name": LINK, "transport": "udp", "codec": "xdr", "upstream": ["127.0.0.1", 9], "epoch": 1}
        rule = {"index": 0, "kind": "Drop", "active": True, "link": LINK, "drop": "request", "attempt": "all"}
        command = {"type": "configure", "seed": 7, "links": [{**link, "rules": [rule], **more}]}
        return plans(command, lambda *_, **__: None)[LINK].hop

    assert hop_of()._decide(KEY, {0}) == Decided(0, Drop())
    hop = hop_of(log=[plain(Entry(KEY._replace(seq=4), 0, Half()))])
    assert hop._decide(KEY, {0}) is PASSED
    assert hop._decide(KEY._replace(seq=4), ()) == Decided(0, Half())
    assert hop.rules == (0,)
    with pytest.raises(BadConfiguration, match="link 'client -> server': its log: an entry must be a map"):
        hop_of(log=[3])
    with pytest.raises(BadConfiguration, match="its log has an entry of link 'a -> b'"):
        hop_of(log=[plain(Entry(KEY._replace(link="a -> b"), 0, Half()))])
