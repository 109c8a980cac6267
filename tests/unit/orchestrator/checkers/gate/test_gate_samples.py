"""What a server says that it used is looked at before it is believed."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import Run, cell

from nodes.wire.record import Kind
from orchestrator.checkers.evidence import OF_THE_RUN, problems
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index

SAMPLE = {
    "cpu": 5,
    "voluntary": 4,
    "involuntary": 3,
    "accepted": 2,
    "ended": 1,
    "refused": 1,
    "full": 1,
    "overflows": 1,
    "reused": 1,
}


def gate(*samples: dict[str, Any], after_stop: bool = False, node: str = "server", seq: int = 0) -> list[str]:
    """What is said of samples that is not said of the run without them."""
    found: list[set[str]] = []
    for some in ((), samples):
        run = Run().phase("load").hello().call(1)
        if not after_stop:
            for sample in some:
                run.note(node, 1, Kind.USAGE, 0, seq, 0, **{**SAMPLE, **sample})
        run.healed(2)
        if after_stop:
            for sample in some:
                run.note(node, 1, Kind.USAGE, 0, seq, 0, **{**SAMPLE, **sample})
        found.append(set(problems(Views(cell(), Index(run.history())), OF_THE_RUN)))
    return sorted(found[1] - found[0])


def test_counts_that_grow_or_stay_are_believed() -> None:
    assert gate({}, {}, {"cpu": 9, "full": 2}) == []
    assert gate({"full": None}, {"full": None}) == []


@pytest.mark.parametrize("key", SAMPLE)
def test_no_count_falls(key: str) -> None:
    told = f"server, epoch 1 says {key} {SAMPLE[key]}, and then 0; what is counted never falls"
    assert gate({}, {key: 0}, {}) == [told]


def test_who_can_count_always_can() -> None:
    assert gate({"overflows": None}, {}) == [
        "server, epoch 1 says overflows None, and then 1; what is counted never falls"
    ]


@pytest.mark.parametrize(("key", "value"), [("cpu", None), ("refused", "1"), ("full", "x"), ("accepted", 1.5)])
def test_each_is_a_number(key: str, value: object) -> None:
    assert any(f"journalled USAGE, and its {key} is {value!r}" in problem for problem in gate({key: value}))


def test_nothing_comes_after_a_servers_end() -> None:
    assert gate({}, after_stop=True) == ["the journal of server, epoch 1 ends with USAGE, and nobody killed it"]


def test_only_servers_say_it_and_it_is_of_no_call() -> None:
    assert "client journalled USAGE, which is not its to say" in gate({}, node="client")
    assert gate({}, seq=1) == ["server journalled USAGE with seq 1, which that has not"]
