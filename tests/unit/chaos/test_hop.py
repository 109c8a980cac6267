"""What every fault does to real messages, by codec and transport; and what the hop does without one."""

from __future__ import annotations

from typing import Any

import pytest
from hop_bench import CLIENT, LINK, Bench, forwarded, injected, typed

from chaos.decisions import Alter, Decided, Pass
from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Reorder, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.framers import framer
from chaos.hop import End, Finish, Forward
from chaos.identity import Direction
from nodes.wire.record import Kind

MILLISECOND = 1_000_000
PROTOCOLS = [(codec, transport) for codec in ("xdr", "msgpack") for transport in ("udp", "tcp")]
STREAMS = [("xdr", "tcp"), ("msgpack", "tcp")]
DATAGRAMS = [("xdr", "udp"), ("msgpack", "udp")]
BOTH: list[Direction] = ["request", "reply"]

every_protocol = pytest.mark.parametrize("protocol", PROTOCOLS, ids="-".join)
streams = pytest.mark.parametrize("protocol", STREAMS, ids="-".join)
datagrams = pytest.mark.parametrize("protocol", DATAGRAMS, ids="-".join)
both = pytest.mark.parametrize("direction", BOTH)

Protocol = tuple[str, str]


def bench(protocol: Protocol, *faults: RelayFault) -> Bench:
    return Bench(faults, *protocol)


# Dropping


@every_protocol
@both
def test_drop_consumes_the_message_and_keeps_the_connection(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Drop(link=LINK, drop=direction, operations=(2,)))
    data = [b.message(direction, seq) for seq in (1, 2, 3)]
    effects = [effect for part in data for effect in b.send(direction, part)]
    assert effects == [Forward(1, direction, data[0]), Forward(1, direction, data[2])]
    assert b.acts() == [(1, 1, "pass"), (2, 1, "drop"), (3, 1, "pass")]


@every_protocol
def test_a_retransmission_passes(protocol: Protocol) -> None:
    b = bench(protocol, Drop(link=LINK, drop="request", operations=(2,)))
    b.request(b.messages.call(2))
    again = b.messages.call(2, attempt=2)
    assert forwarded(b.request(again), "request") == again


@every_protocol
def test_partition_drops_everything_in_its_direction_hello_included(protocol: Protocol) -> None:
    b = bench(protocol, Partition(link=LINK, partition="request", name="split"))
    assert b.request(b.messages.call(0)) + b.request(b.messages.call(1)) == []
    assert b.reply(b.messages.reply(1)) != []
    b.hop.rule(0, False)
    assert b.request(b.messages.call(2)) != []
    assert [(seq, act) for seq, _, act in b.acts()] == [(0, "drop"), (1, "drop"), (1, "pass"), (2, "pass")]


# Copies


@every_protocol
@both
def test_a_duplicate_follows_directly_behind(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate=direction, operations=(1,)))
    data = b.message(direction, 1)
    assert b.send(direction, data) == [Forward(1, direction, data)] * 2
    assert b.acts() == [(1, 1, "duplicate")]
    assert b.acts(Kind.RELEASE) == [(1, 2, "duplicate")]


@every_protocol
def test_a_copy_at_reply_goes_ahead_of_passing_the_first_reply(protocol: Protocol) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate="request", operations=(1,), copy="at-reply"))
    call, reply = b.messages.call(1), b.messages.reply(1)
    assert b.request(call) == [Forward(1, "request", call)]
    assert b.reply(b.messages.reply(2)) == [Forward(1, "reply", b.messages.reply(2))]
    assert b.reply(reply) == [Forward(1, "request", call), Forward(1, "reply", reply)]
    assert b.reply(reply) == [Forward(1, "reply", reply)]


@every_protocol
def test_a_copy_at_reply_waits_for_more_than_a_repeat(protocol: Protocol) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate="request", operations=(1,), copy="at-reply"))
    b.request(b.messages.call(1))
    again = b.messages.call(1, attempt=2)
    assert b.request(again) == [Forward(1, "request", again)]


@every_protocol
def test_a_copy_after_trim_waits_for_a_first_incomplete_above_it(protocol: Protocol) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate="request", operations=(1,), copy="after-trim"))
    call = b.messages.call(1)
    b.request(call)
    not_yet, trimming = b.messages.call(2, first=1), b.messages.call(3, first=2)
    assert b.request(not_yet) == [Forward(1, "request", not_yet)]
    assert b.request(b.messages.call(9, first=9, client=CLIENT + 100)) != []
    assert b.reply(b.messages.reply(1)) != []
    assert b.hop.status().held == 1
    assert b.request(trimming) == [Forward(1, "request", trimming), Forward(1, "request", call)]


@every_protocol
def test_a_copy_for_the_next_epoch_is_injected_when_that_is_ready(protocol: Protocol) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate="request", operations=(1,), copy="next-epoch"))
    call = b.messages.call(1)
    b.request(call)
    assert injected(b.hop.upstream(False, 1)) == []
    assert injected(b.hop.upstream(True, 1)) == []  # the same process is heard of once more
    assert injected(b.hop.upstream(True, 2)) == [call]
    assert b.hop.status().passed == {1: 1, 2: 1}


@streams
def test_a_copy_whose_connection_died_is_injected(protocol: Protocol) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate="request", operations=(1,), copy="after-trim"))
    call = b.messages.call(1)
    b.request(call)
    b.hop.lost(1)
    b.hop.opened(2)
    trimming = b.messages.call(3, first=2)
    effects = b.request(trimming, connection=2)
    assert effects[0] == Forward(2, "request", trimming)
    assert injected(effects) == [call]


# Order


@every_protocol
@both
def test_a_reordered_message_follows_its_clients_next(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Reorder(link=LINK, reorder=direction, operations=(1,)))
    first, second = b.message(direction, 1), b.message(direction, 2)
    assert b.send(direction, first) == []
    assert b.send(direction, second) == [Forward(1, direction, second), Forward(1, direction, first)]
    assert b.acts(Kind.RELEASE) == [(1, 1, "reorder")]


@every_protocol
def test_another_clients_message_does_not_let_a_reordered_one_go(protocol: Protocol) -> None:
    b = bench(protocol, Reorder(link=LINK, reorder="request", operations=(1,), clients=(1,)))
    b.request(b.messages.call(1))
    other = b.messages.call(2, client=CLIENT + 100)
    assert b.request(other) == [Forward(1, "request", other)]
    assert b.hop.status().held == 1


@every_protocol
@both
def test_a_hold_ends_with_its_release_and_holds_nothing_more(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Hold(link=LINK, hold=direction, operations=(1, 2), until="client gate 3"))
    first, second = b.message(direction, 1), b.message(direction, 2)
    assert b.send(direction, first) == []
    assert b.hop.status().held == 1
    assert b.hop.release(0) == [Forward(1, direction, first)]
    assert b.send(direction, second) == [Forward(1, direction, second)]


@every_protocol
@both
def test_a_delay_is_that_messages_alone(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Delay(link=LINK, delay=direction, operations=(1,), by=20))
    first, second = b.message(direction, 1), b.message(direction, 2)
    assert b.send(direction, first, now=5) == []
    assert b.send(direction, second, now=6) == [Forward(1, direction, second)]
    due = 5 + 20 * MILLISECOND
    assert b.hop.next_time() == due
    assert b.hop.tick(due - 1) == []
    assert b.hop.tick(due) == [Forward(1, direction, first)]
    assert b.hop.next_time() is None


@every_protocol
def test_jitter_is_a_share_that_the_seed_decides(protocol: Protocol) -> None:
    def times() -> list[int | None]:
        found = []
        for seq in range(1, 9):
            b = bench(protocol, Delay(link=LINK, delay="request", by=20, jitter=10))
            b.request(b.messages.call(seq))
            found.append(b.hop.next_time())
        return found

    once = times()
    assert once == times()
    assert len(set(once)) > 4
    assert all(time is not None and 20 * MILLISECOND <= time < 30 * MILLISECOND for time in once)


@every_protocol
@both
def test_a_rate_passes_messages_one_after_another(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Rate(link=LINK, rate=direction, bytes_per_second=1_000))
    first, second = b.message(direction, 1), b.message(direction, 2)
    assert b.send(direction, first) + b.send(direction, second) == []
    millisecond_each = MILLISECOND
    assert b.hop.tick(len(first) * millisecond_each) == [Forward(1, direction, first)]
    assert b.hop.tick(len(first + second) * millisecond_each) == [Forward(1, direction, second)]


@streams
def test_the_end_of_a_stream_stays_behind_what_a_rate_holds_back(protocol: Protocol) -> None:
    b = bench(protocol, Rate(link=LINK, rate="request", bytes_per_second=1_000))
    call = b.messages.call(1)
    b.request(call)
    assert b.hop.ended(1, "request", 0) == []
    went = [Forward(1, "request", call), Finish(1, "request")]
    assert typed(b.hop.tick(len(call) * MILLISECOND)) == typed(went)


@every_protocol
def test_a_rate_that_is_switched_off_lets_everything_go_in_order(protocol: Protocol) -> None:
    b = bench(protocol, Rate(link=LINK, rate="request", bytes_per_second=1))
    calls = [b.messages.call(seq) for seq in (1, 2, 3)]
    for call in calls:
        b.request(call)
    assert b.hop.rule(0, False) == [Forward(1, "request", call) for call in calls]


# Damage


@every_protocol
@both
def test_corruption_flips_bits_of_the_body_only(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Corrupt(link=LINK, corrupt=direction, operations=(1,)))
    data = b.message(direction, 1)
    changed = forwarded(b.send(direction, data), direction)
    body = framer(*protocol).feed(data, direction)[0].body
    assert len(changed) == len(data)
    assert changed[body] != data[body]
    assert (changed[: body.start], changed[body.stop :]) == (data[: body.start], data[body.stop :])


@datagrams
@both
def test_a_truncated_datagram_passes_in_half(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Truncate(link=LINK, truncate=direction, operations=(1,)))
    data = b.message(direction, 1)
    assert b.send(direction, data) == [Forward(1, direction, data[: len(data) // 2])]


@streams
@both
def test_a_truncated_stream_ends_after_half_a_message(protocol: Protocol, direction: Direction) -> None:
    b = bench(protocol, Truncate(link=LINK, truncate=direction, operations=(1,)))
    data = b.message(direction, 1)
    assert b.send(direction, data) == [Forward(1, direction, data[: len(data) // 2]), End(1)]
    assert b.hop.status().passed == {}


@streams
@both
@pytest.mark.parametrize("place", ["before", "within", "after"])
def test_a_cut_ends_the_connection_at_its_place(protocol: Protocol, direction: Direction, place: Any) -> None:
    b = bench(protocol, Cut(link=LINK, cut=place, of=direction, operations=(1,)))
    data = b.message(direction, 1)
    passed = {"before": b"", "within": data[: len(data) // 2], "after": data}[place]
    effects = b.send(direction, data + b.message(direction, 2))
    assert forwarded(effects, direction) == passed
    assert effects[-1] == End(1)
    assert b.acts() == [(1, 1, "cut")]
    assert b.send(direction, data) == []


# The upstream


@datagrams
def test_datagrams_have_no_connections(protocol: Protocol) -> None:
    b = bench(protocol)
    b.request(b.messages.call(1))
    assert b.hop.status().connections == 0


@streams
def test_while_the_upstream_is_down_streams_are_ended(protocol: Protocol) -> None:
    b = bench(protocol)
    assert b.hop.status().connections == 1
    assert b.hop.upstream(False, 1) == [End(1)]
    assert b.request(b.messages.call(1)) == []
    assert b.hop.status().connections == 0


@datagrams
def test_while_the_upstream_is_down_datagrams_are_lost(protocol: Protocol) -> None:
    b = bench(protocol)
    b.hop.upstream(False, 1)
    assert b.request(b.messages.call(1)) == []
    assert b.acts() == [(1, 1, "lost")]
    assert b.reply(b.messages.reply(1)) != []


@every_protocol
def test_what_is_released_while_the_upstream_is_down_is_lost_and_noted(protocol: Protocol) -> None:
    b = bench(protocol, Hold(link=LINK, hold="request", operations=(1,)))
    b.request(b.messages.call(1))
    b.hop.upstream(False, 1)
    assert b.hop.release(0) == []
    assert b.acts(Kind.RELEASE) == [(1, 1, "lost")]


@streams
def test_a_held_request_whose_connection_died_is_injected_and_a_reply_is_lost(protocol: Protocol) -> None:
    faults = [Hold(link=LINK, hold=direction, operations=(1,)) for direction in BOTH]
    b = bench(protocol, *faults)
    call = b.messages.call(1)
    b.request(call)
    b.reply(b.messages.reply(1))
    b.hop.lost(1)
    assert injected(b.hop.release(0)) == [call]
    assert b.hop.release(1) == []
    assert b.acts(Kind.RELEASE) == [(1, 1, "hold"), (1, 1, "lost")]


def test_requests_are_counted_by_the_epoch_that_they_were_passed_to() -> None:
    b = bench(("xdr", "udp"), Drop(link=LINK, drop="request", operations=(2,)))
    for seq in (1, 2, 3):
        b.request(b.messages.call(seq))
    b.hop.upstream(True, 2)
    b.request(b.messages.call(4))
    assert b.hop.status().passed == {1: 2, 2: 1}


# Notes


def test_a_decision_is_noted_with_everything_that_replay_needs() -> None:
    b = bench(("msgpack", "tcp"), Drop(link=LINK, drop="request", operations=(4,)))
    b.request(b.messages.call(4, attempt=1))
    detail = {"link": LINK, "direction": "request", "occurrence": 1, "connection": 1, "rule": 0, "act": "drop"}
    assert b.notes[-1] == (Kind.DECISION, CLIENT, 4, 1, detail)


def test_traffic_without_identity_passes_and_is_noted_as_not_replayable() -> None:
    b = bench(("msgpack", "udp"))
    assert b.request(b"\xc1 nonsense") == [Forward(1, "request", b"\xc1 nonsense")]
    kind, client, _, _, detail = b.notes[-1]
    assert (kind, client, detail["replayable"], detail["chunk"]) == (Kind.DECISION, 0, False, 1)
    assert b.hop.status().passed == {}


def test_a_second_copy_of_an_attempt_has_the_next_occurrence_and_meets_no_rule() -> None:
    b = bench(("xdr", "udp"), Drop(link=LINK, drop="request", operations=(1,)))
    call = b.messages.call(1)
    assert b.request(call) == []
    assert b.request(call) == [Forward(1, "request", call)]
    assert b.acts() == [(1, 1, "drop"), (1, 2, "pass")]


def test_switching_is_noted_once_and_nothing_comes_on_after_heal() -> None:
    b = bench(("xdr", "udp"), Drop(link=LINK, drop="request"))
    b.hop.rule(0, True)
    b.hop.heal()
    b.hop.rule(0, True)
    assert [detail for kind, *_, detail in b.notes if kind is Kind.RULE] == [{"rule": 0, "active": False}]
    assert b.request(b.messages.call(1)) != []


@every_protocol
def test_what_a_decider_lets_pass_is_on_record_by_its_rule(protocol: Protocol) -> None:
    b = Bench([], *protocol, decide=lambda key, active: Decided(4, Pass()))
    data = b.messages.call(1)
    assert b.request(data) == [Forward(1, "request", data)]
    ((_, client, seq, attempt, detail),) = [note for note in b.notes if note[0] is Kind.DECISION]
    assert (client, seq, attempt) == (CLIENT, 1, 1)
    assert detail == {
        "link": LINK,
        "direction": "request",
        "occurrence": 1,
        "connection": 1,
        "rule": 4,
        "act": "pass",
    }
    assert b.hop.status().passed == {1: 1}


@every_protocol
def test_a_copy_that_waits_for_a_trim_does_not_follow_a_reply(protocol: Protocol) -> None:
    b = bench(protocol, Duplicate(link=LINK, duplicate="request", operations=(1,), copy="after-trim"))
    b.request(b.messages.call(1))
    for seq in (1, 2):
        answer = b.messages.reply(seq)
        assert b.reply(answer) == [Forward(1, "reply", answer)]
    assert b.hop.status().held == 1


def test_what_is_left_at_the_end_of_a_stream_has_no_body_to_be_corrupted() -> None:
    b = Bench([], "xdr", "tcp", decide=lambda key, active: Decided(0, Alter(7)))
    left = b.messages.call(1)[:20]
    assert b.request(left) == []
    assert b.hop.ended(1, "request", 0) == [Forward(1, "request", left), Finish(1, "request")]
