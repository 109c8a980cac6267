"""Requests by their names, and what completes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nodes import engines
from nodes.probes.common.masks import IN
from nodes.probes.common.ring_bench import RingBench
from nodes.probes.common.trace import Trace

if (missing := engines.availability("io_uring")) is not None:
    pytest.skip(f"engine io_uring: {missing}", allow_module_level=True)


@pytest.fixture
def bench() -> Iterator[RingBench]:
    made = RingBench(Trace(lambda _: None))
    yield made
    made.close()


def test_what_completes_is_told_in_its_order(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.receive(ours.fileno(), 10, "one")
    bench.poll(ours.fileno(), IN)
    bench.completed("at first")
    bench.send(theirs, 3, ours)
    bench.completed("then")
    bench.receive(-1, 10)
    bench.completed("a bad one")
    assert bench.seen["at first"] == "nothing"
    assert sorted(str(bench.seen["then"]).split(", ")) == ["one: 3 bytes", "poll: IN"]
    assert bench.seen["a bad one"] == "receive: EBADF"


def test_what_should_wait_and_is_complete_is_no_observation(bench: RingBench) -> None:
    ours, theirs = bench.pair()
    bench.send(theirs, 3, ours)
    bench.receive(ours.fileno(), 10)
    with pytest.raises(AssertionError, match="complete at once: receive: 3 bytes"):
        bench.handed()


def test_who_is_accepted_is_kept(bench: RingBench) -> None:
    listener, client = bench.sockets.listener(), bench.sockets.stream()
    client.connect_ex(listener.getsockname())
    bench.accept(listener.fileno())
    bench.completed("accepted")
    assert bench.seen == {"accepted": "accept: done"}
    assert len(bench.accepted) == 1
