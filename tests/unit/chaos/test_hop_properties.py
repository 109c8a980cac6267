"""What holds for a hop whatever the traffic: nothing changes without a rule, and heal leaves nothing behind."""

from __future__ import annotations

from typing import Any

from hop_bench import CLIENT, LINK, Bench, Messages, forwarded, injected
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.faults.fault import RelayFault
from chaos.faults.messages import Delay, Duplicate, Hold, Reorder
from chaos.faults.paths import Rate
from chaos.framers import framer
from chaos.hop import Finish, Forward
from chaos.identity import Direction

PROTOCOLS = [(codec, transport) for codec in ("xdr", "msgpack") for transport in ("udp", "tcp")]
STREAMS = [("xdr", "tcp"), ("msgpack", "tcp")]
BOTH: list[Direction] = ["request", "reply"]

Protocol = tuple[str, str]


def bench(protocol: Protocol, *faults: RelayFault) -> Bench:
    return Bench(faults, *protocol)


@given(st.sampled_from(STREAMS), st.lists(st.integers(1, 40), max_size=12), st.binary(max_size=30), st.data())
@settings(deadline=None, max_examples=60)
def test_without_active_rules_a_stream_comes_out_as_it_went_in(
    protocol: Protocol, seqs: list[int], rest: bytes, data: Any
) -> None:
    b = bench(protocol)
    whole = b"".join(b.messages.call(seq) for seq in seqs) + rest
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    out = b""
    for start, stop in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        if start < stop:
            out += forwarded(b.request(whole[start:stop]), "request")
    effects = b.hop.ended(1, "request", 0)
    assert out + forwarded(effects, "request") == whole
    assert effects[-1] == Finish(1, "request")


faults = st.sampled_from(
    [
        *(Hold(link=LINK, hold=direction, every=2) for direction in BOTH),
        *(Delay(link=LINK, delay=direction, by=1_000, every=3) for direction in BOTH),
        *(Reorder(link=LINK, reorder=direction, every=2) for direction in BOTH),
        *(Duplicate(link=LINK, duplicate="request", copy=copy) for copy in ("at-reply", "after-trim", "next-epoch")),
        Rate(link=LINK, rate="both", bytes_per_second=100),
    ]
)
traffic = st.lists(st.tuples(st.sampled_from(BOTH), st.integers(1, 12)), max_size=25)


@given(st.sampled_from(PROTOCOLS), st.lists(faults, max_size=3), traffic, st.booleans())
@settings(deadline=None, max_examples=80)
def test_heal_leaves_nothing_held_and_loses_nothing(
    protocol: Protocol, rules: list[RelayFault], messages: list[tuple[Direction, int]], dies: bool
) -> None:
    b = bench(protocol, *rules)
    effects = [
        effect
        for n, (direction, seq) in enumerate(messages)
        for effect in b.send(direction, b.message(direction, seq), n)
    ]
    if dies and protocol[1] == "tcp":
        b.hop.lost(1)
    effects += b.hop.heal()
    status = b.hop.status()
    assert (status.held, status.pending, b.hop.next_time()) == (0, 0, None)
    requests = [b.message(direction, seq) for direction, seq in messages if direction == "request"]
    arrived = [e.data for e in effects if isinstance(e, Forward) and e.direction == "request"] + injected(effects)
    assert all(arrived.count(request) >= requests.count(request) for request in requests)


def test_messages_of_both_helpers_have_their_identity() -> None:
    for protocol in PROTOCOLS:
        message = framer(*protocol).feed(Messages(*protocol).call(3, 2, 1), "request")[0]
        assert (message.client, message.seq, message.attempt, message.first) == (CLIENT, 3, 2, 1)
