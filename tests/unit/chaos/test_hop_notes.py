"""What a hop notes of its upstream and of its rules, word for word: checkers read it."""

from __future__ import annotations

from hop_bench import LINK, Bench

from chaos.faults.messages import Delay, Drop, Hold
from nodes.wire.record import Kind

DROP = Drop(link=LINK, drop="request", operations=(1,))


def noted(b: Bench, kind: Kind) -> list[dict[str, object]]:
    return [detail for each, *_, detail in b.notes if each is kind]


def test_the_upstreams_epochs_are_noted() -> None:
    b = Bench([], "xdr", "udp")
    b.hop.upstream(False, 1)
    b.hop.upstream(True, 2)
    assert noted(b, Kind.UPSTREAM) == [
        {"link": LINK, "up": up, "epoch": epoch} for up, epoch in ((True, 1), (False, 1), (True, 2))
    ]


def test_a_rule_is_noted_when_it_changes_and_acts_from_then_on() -> None:
    b = Bench([DROP], "xdr", "udp")
    first = b.messages.call(1)
    for active in (True, False, False, True):
        b.hop.rule(0, active)
        b.request(first)
    assert noted(b, Kind.RULE) == [{"rule": 0, "active": False}, {"rule": 0, "active": True}]
    assert [act for *_, act in b.acts()] == ["drop", "pass", "pass", "pass"]


def test_a_rule_that_is_switched_on_again_acts_on_what_it_names() -> None:
    b = Bench([DROP], "xdr", "udp")
    b.hop.rule(0, False)
    b.hop.rule(0, True)
    b.request(b.messages.call(1))
    assert [act for *_, act in b.acts()] == ["drop"]


def test_after_heal_no_rule_is_switched_on() -> None:
    b = Bench([DROP], "xdr", "udp")
    b.hop.heal()
    b.hop.rule(0, True)
    b.request(b.messages.call(1))
    assert noted(b, Kind.RULE) == [{"rule": 0, "active": False}]
    assert [act for *_, act in b.acts()] == ["pass"]


def test_a_reply_that_was_held_goes_to_a_client_that_sends_no_more() -> None:
    b = Bench([Hold(link=LINK, hold="reply", operations=(1,))], "xdr", "tcp")
    b.request(b.messages.call(1))
    answer = b.messages.reply(1)
    b.reply(answer)
    b.hop.ended(1, "request", 0)
    assert [effect.data for effect in b.hop.release(0) if hasattr(effect, "data")] == [answer]


def test_a_decision_and_a_release_name_their_rule_and_message() -> None:
    other, hold = (Hold(link=LINK, hold="reply", operations=(seq,)) for seq in (9, 1))
    b = Bench([other, hold], "xdr", "tcp")
    b.request(b.messages.call(1))
    b.reply(b.messages.reply(1))
    b.hop.release(1)
    message = {"link": LINK, "direction": "reply", "occurrence": 1}
    assert noted(b, Kind.DECISION)[-1] == {**message, "connection": 1, "rule": 1, "act": "hold"}
    assert noted(b, Kind.RELEASE) == [{**message, "rule": 1, "act": "hold"}]


def test_what_no_upstream_takes_was_lost_by_no_rule() -> None:
    b = Bench([Delay(link=LINK, delay="request", operations=(1,), by=5)], "xdr", "udp")
    b.hop.upstream(False, 1)
    b.request(b.messages.call(2))
    message = {"link": LINK, "direction": "request", "occurrence": 1}
    assert noted(b, Kind.DECISION) == [{**message, "connection": 1, "rule": None, "act": "lost"}]
