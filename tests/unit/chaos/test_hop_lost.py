"""A message that is lost lets nothing go that waits for it to pass."""

from __future__ import annotations

import pytest
from hop_bench import LINK, Bench, forwarded

from chaos.faults.fault import RelayFault
from chaos.faults.messages import Duplicate, Hold, Reorder
from chaos.hop import Forward
from nodes.wire.record import Kind

HELD = Hold(link=LINK, hold="request", operations=(3,))
OVERTAKEN = Reorder(link=LINK, reorder="request", operations=(1,))
COPIED = Duplicate(link=LINK, duplicate="request", operations=(1,), copy="after-trim")


@pytest.mark.parametrize("waiting", [OVERTAKEN, COPIED])
def test_what_is_lost_at_its_release_frees_no_follower(waiting: RelayFault) -> None:
    b = Bench([HELD, waiting], "xdr", "udp")
    b.request(b.messages.call(1))
    b.request(b.messages.call(3, first=3))
    b.hop.upstream(False, 1)
    assert b.hop.release(0) == []
    assert b.acts(Kind.RELEASE) == [(3, 1, "lost")]
    assert b.hop.status().held == 1


@pytest.mark.parametrize("waiting", [OVERTAKEN, COPIED])
def test_what_passes_at_its_release_frees_its_follower(waiting: RelayFault) -> None:
    b = Bench([HELD, waiting], "xdr", "udp")
    first, third = b.messages.call(1), b.messages.call(3, first=3)
    b.request(first)
    b.request(third)
    assert forwarded(b.hop.release(0), "request") == third + first
    assert b.hop.status().held == 0


@pytest.mark.parametrize("waiting", [OVERTAKEN, COPIED])
def test_what_is_lost_at_a_dead_server_frees_no_follower(waiting: RelayFault) -> None:
    b = Bench([waiting], "xdr", "udp")
    b.request(b.messages.call(1))
    b.hop.upstream(False, 1)
    assert b.request(b.messages.call(3, first=3)) == []
    assert b.acts()[-1] == (3, 1, "lost")
    assert b.hop.status().held == 1


def test_a_copy_that_goes_frees_nobody() -> None:
    """Its first has passed already, and freed whom it was to free."""
    copied = Duplicate(link=LINK, duplicate="request", operations=(3,), copy="at-reply")
    b = Bench([copied, Reorder(link=LINK, reorder="request", operations=(4,))], "xdr", "udp")
    third = b.messages.call(3)
    b.request(third)
    b.request(b.messages.call(4))
    assert b.reply(b.messages.reply(3))[0] == Forward(1, "request", third)
    assert b.hop.status().held == 1
