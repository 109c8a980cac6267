"""What ends a call that blocks: what was done meanwhile, or only something else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from nodes import engines
from nodes.probes.common.blocking_bench import BlockingBench, attempt
from nodes.probes.common.meanwhile import during
from nodes.probes.common.trace import Trace

if (missing := engines.availability("poll")) is not None:
    pytest.skip(f"engine poll: {missing}", allow_module_level=True)


@pytest.fixture
def bench() -> Iterator[BlockingBench]:
    made = BlockingBench(Trace(lambda _: None))
    yield made
    made.close()


def test_what_ends_it_is_what_it_gives(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    bench.meanwhile("sent", lambda: ours.recv(10), lambda: theirs.send(b"abc"))
    assert bench.seen == {"sent": "receive: 3 bytes"}


def test_what_does_not_end_it_goes_on_until_the_end(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    order: list[str] = []

    def end() -> None:
        order.append("ended")
        theirs.send(b"abc")

    assert bench.meanwhile("nothing", lambda: ours.recv(10), lambda: order.append("done"), end) == "receive: 3 bytes"
    assert (bench.seen, order) == ({"nothing": "nothing"}, ["done", "ended"])


def test_it_is_done_in_another_thread_while_this_one_waits(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    threads: list[int] = []
    act = lambda: threads.append(threading.get_ident())  # noqa: E731
    result, ended = during(bench, lambda: ours.recv(1), "looked", act, lambda: theirs.send(b"!"))
    assert (result, ended) == (b"!", False)
    assert threads != [threading.get_ident()]


def test_what_fails_meanwhile_is_raised_and_the_wait_ended(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()

    def fail() -> None:
        raise KeyError("it")

    with pytest.raises(KeyError, match="it"):
        during(bench, lambda: ours.recv(1), "failing", fail, lambda: theirs.send(b"!"))


def test_a_call_that_is_over_at_once_needs_nobody(bench: BlockingBench) -> None:
    result, ended = during(bench, lambda: "over", "nothing", lambda: None, lambda: None)
    assert (result, ended) == ("over", True)


def test_what_calls_give_in_words(bench: BlockingBench) -> None:
    ours, theirs = bench.ends()
    theirs.close()
    said = [attempt(call, "it") for call in (lambda: b"abc", lambda: 5, lambda: None)]
    assert said == ["it: 3 bytes", "it: 5 bytes", "it: done"]
    assert attempt(lambda: ours.recv(1), "receive") == "receive: 0 bytes"
    assert attempt(lambda: theirs.recv(1), "receive") == "receive: EBADF"
