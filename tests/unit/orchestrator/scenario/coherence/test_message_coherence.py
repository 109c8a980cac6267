"""What a fault on messages may ask for: each number at its edge, and what the cell does not offer."""

from __future__ import annotations

from typing import Any

import pytest
from history_builder import cell
from stories import LINK

from chaos.faults.messages import Cut, Delay, Drop, Duplicate, Hold, MessageFault, Reorder, Slice
from chaos.faults.processes import Kill, Restart
from orchestrator.scenario.cell import Link
from orchestrator.scenario.coherence.faults import problems

PROCESSES = 3
KILL = Kill(kill="server", when="client gate 1", restart=Restart())


def told(fault: MessageFault, *others: Any, **options: Any) -> list[tuple[str, str]]:
    """(key, message) in a cell of 3 client processes, 8 calls each, of which the last 2 come after heal."""
    made = cell(faults=(fault, *others), clients=PROCESSES, calls=8, after_heal=2, **options)
    return [(str(problem.path[-1]), problem.message) for problem in problems(made) if problem.path[1] == 0]


def drop(**fields: Any) -> Drop:
    return Drop(drop="request", link=LINK, **fields)


POSSIBLE: list[MessageFault] = [
    drop(),
    drop(attempt="all"),
    drop(attempt=1),
    drop(operations=(1, 6)),
    drop(every=1),
    drop(probability=1e-9),
    drop(probability=1.0),
    drop(clients=(1, PROCESSES)),
    Delay(delay="request", by=1, link=LINK),
    Delay(delay="request", by=1, jitter=0, link=LINK),
    Cut(cut="after", of="reply", link=LINK),
    Slice(slice="reply", size=1, gap=1, link=LINK),
    Hold(hold="request", link=LINK),
    Hold(hold="request", link=LINK, until="client ok 8"),
    Duplicate(duplicate="reply", link=LINK),
    Duplicate(duplicate="request", link=LINK, copy="after-trim"),
    Duplicate(duplicate="request", link=LINK, copy="after-trim", operations=(1, 5)),
    Reorder(reorder="reply", link=LINK, operations=(5,)),
    Reorder(reorder="request", link=LINK, every=6),
]


@pytest.mark.parametrize("fault", POSSIBLE)
def test_what_is_possible(fault: MessageFault) -> None:
    assert told(fault) == []


@pytest.mark.parametrize(
    ("fault", "key", "message"),
    [
        (drop(attempt=0), "attempt", "attempts count from 1"),
        (drop(operations=()), "operations", "an empty list"),
        (drop(operations=(0,)), "operations", "operation 0 of 8 calls; operations count from 1"),
        (drop(operations=(7,)), "operations", "operation 7 comes after heal, when faults are over; expected at most 6"),
        (drop(operations=(8,)), "operations", "operation 8 comes after heal, when faults are over; expected at most 6"),
        (drop(operations=(1, 2, 1)), "operations", "1 is there 2 times; expected each once"),
        (drop(clients=(2, 2)), "clients", "2 is there 2 times; expected each once"),
        (drop(operations=(9,)), "operations", "operation 9 of 8 calls; operations count from 1"),
        (drop(every=0), "every", "expected 1 or more"),
        (drop(probability=0.0), "probability", "more than 0 and at most 1"),
        (drop(probability=1.0000001), "probability", "more than 0 and at most 1"),
        (drop(clients=(0,)), "clients", "client process 0 of 3; they count from 1"),
        (drop(clients=(4,)), "clients", "client process 4 of 3; they count from 1"),
        (drop(operations=(1,), every=2), "every", "both operations and every"),
        (drop(every=2, probability=0.5), "probability", "both every and probability"),
        (Delay(delay="request", by=0, link=LINK), "by", "at least 1 ms"),
        (Delay(delay="request", by=1, jitter=-1, link=LINK), "by", "a jitter that is not negative"),
        (Slice(slice="request", size=0, gap=1, link=LINK), "size", "at least 1 byte"),
        (Slice(slice="request", size=1, gap=0, link=LINK), "gap", "at least 1 ms"),
        (Hold(hold="request", link=LINK, until="client ok 9"), "until", "'client' makes 8 calls"),
        (Duplicate(duplicate="reply", link=LINK, copy="after-trim"), "copy", "a reply's copy cannot wait"),
        (Duplicate(duplicate="request", link=LINK, copy="next-epoch"), "copy", "has no next epoch"),
        (Reorder(reorder="reply", link=LINK, operations=(3, 6)), "operations", "no later one sends what overtakes it"),
        (
            Duplicate(duplicate="request", link=LINK, copy="after-trim", operations=(6,)),
            "operations",
            "operation 6 is the last before heal over client -> server, and no later one sends a request that says",
        ),
    ],
)
def test_what_is_impossible_is_told_once(fault: MessageFault, key: str, message: str) -> None:
    ((where, what),) = told(fault)
    assert where == key
    assert message in what


def test_of_several_links_each_has_its_own_last_operation() -> None:
    """Operations take them in turn: of six before heal the fifth is the first one's last."""
    other = Link.model_validate({"from": "client", "to": "other", "semantics": "at-most-once"})
    for operation, wrong in ((3, False), (5, True)):
        fault = Reorder(reorder="request", link=LINK, operations=(operation,))
        made = cell(faults=(fault,), calls=8, after_heal=2)
        nodes = {**made.nodes, "other": made.nodes["server"]}
        both = made.model_copy(update={"nodes": nodes, "links": (*made.links, other)})
        assert [problem.path[-1] for problem in problems(both)] == ["operations"] * wrong


def test_only_a_stream_has_a_connection_to_cut() -> None:
    assert told(Cut(cut="after", of="reply", link=LINK), transport="udp")[0][0] == "cut"


def test_a_copy_for_the_next_epoch_needs_a_kill_of_its_server() -> None:
    copy = Duplicate(duplicate="request", link=LINK, copy="next-epoch")
    assert told(copy, KILL) == []
    assert told(copy, Kill(kill="client", when="client gate 1")) != []
