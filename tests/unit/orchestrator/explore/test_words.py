"""What is drawn of each word: every value that can meet something, and no other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields
from itertools import combinations
from random import Random
from typing import Any

import pytest

from chaos.faults.processes import Restart
from nodes.failpoints import NAMES
from orchestrator.explore.words import DRAWN, Place
from orchestrator.scenario.cell import Client, Link

LINK = Link.model_validate({"from": "client", "to": "server", "semantics": "maybe"})
LAST = 4
CLIENT = Client(workload="add", calls=LAST + 1, after_heal=1, clients=2)
DRAWS = 2_000

NUMBERS = range(1, LAST + 1)
SOON = {0, 1, 2, 3, 5, 8, 20, 70, 150}
LONG = {5, 20, 70, 150, 400, None}
BOTH = {"request", "reply"}
WAYS = {*BOTH, "both"}
TRIGGERS = {"server ready 2", "server down 1"} | {
    f"client {event} {number}" for event in ("attempt", "ok", "end") for number in NUMBERS
}
MESSAGES = {
    "link": {LINK.name},
    "operations": {None, *(some for size in (1, 2, 3) for some in combinations(NUMBERS, size))},
    "every": {None, 1, 2},
    "probability": {None, 0.3, 0.6},
    "clients": {None, (1,), (2,)},
    "attempt": {1, 2, "all"},
}
WINDOW = {"link": {LINK.name}, "after": {None, *SOON}, "when": {None, *TRIGGERS}, "lasts": LONG}
AT_ONCE = {Restart(after=after, state=state) for after in (0, 20, 100, 250) for state in ("keep", "archive")}  # type: ignore[arg-type]
TRIGGERED = {
    Restart(when=f"client attempt {number}", state=state)  # type: ignore[arg-type]
    for number in NUMBERS
    for state in ("keep", "archive")
}
PASSAGE = {
    "at": {None, *NAMES},
    "operation": {None, *NUMBERS},
    "nth": {None, 1, 2, 3, 4, 5, 6},
    "client": {1, 2},
    "attempt": {1, 2},
    "epoch": {1, 2},
}
MOMENT = {"after": {None, *SOON}, "when": {None, *TRIGGERS}}
SAID: dict[str, dict[str, Collection[Any]]] = {
    "drop": MESSAGES | {"drop": BOTH},
    "duplicate": MESSAGES | {"duplicate": BOTH, "copy": {"behind", "at-reply", "after-trim", "next-epoch"}},
    "reorder": MESSAGES | {"reorder": BOTH, "attempt": {1, 2}},
    "hold": MESSAGES | {"hold": BOTH, "until": {None, *TRIGGERS}},
    "delay": MESSAGES | {"delay": BOTH, "by": {1, 2, 5, 40, 70, 160, 300}, "jitter": {0, 5, 60}},
    "corrupt": MESSAGES | {"corrupt": BOTH},
    "truncate": MESSAGES | {"truncate": BOTH},
    "cut": MESSAGES | {"cut": {"before", "within", "after"}, "of": BOTH},
    "slice": MESSAGES | {"slice": BOTH, "size": {4, 20, 60}, "gap": {1, 5, 40}},
    "partition": WINDOW | {"partition": WAYS},
    "rate": WINDOW | {"rate": WAYS, "bytes_per_second": {300, 2_000, 20_000}, "lasts": LONG - {None}},
    "kill": PASSAGE | MOMENT | {"kill": {"server"}, "restart": {None, *AT_ONCE, *TRIGGERED}},
    "pause": PASSAGE
    | MOMENT
    | {"pause": {"server"}, "lasts": LONG, "restart": {None, *(Restart(after=after) for after in (0, 20, 100))}},
}
"""What is not here has its default. The least likely value comes once in some hundred draws."""


def drawn(verb: str, client: Client = CLIENT, draws: int = DRAWS) -> list[Any]:
    """Every other one for a server that comes back after an end."""
    return [DRAWN[verb](Place(Random(f"{verb} {number}"), LINK, client, number % 2 > 0)) for number in range(draws)]


def test_only_a_copy_for_a_server_that_comes_back_waits_for_its_next_epoch() -> None:
    for number, fault in enumerate(drawn("duplicate")):
        assert fault.copy != "next-epoch" or number % 2


def test_every_word_is_said_here() -> None:
    assert SAID.keys() == DRAWN.keys()


@pytest.mark.parametrize("verb", SAID)
def test_each_value_comes_and_no_other(verb: str) -> None:
    faults = drawn(verb)
    for field in fields(faults[0]):
        found = {getattr(fault, field.name) for fault in faults}
        assert found == set(SAID[verb].get(field.name, {field.default})), field.name


@pytest.mark.parametrize("verb", SAID)
def test_one_fault_begins_in_one_way_and_chooses_in_one_way(verb: str) -> None:
    for fault in drawn(verb, draws=100):
        assert sum(getattr(fault, key, None) is not None for key in ("at", "after", "when")) <= 1
        assert sum(getattr(fault, key, None) is not None for key in ("operations", "every", "probability")) <= 1
        assert not list(fault.problems())


def test_who_is_alone_and_calls_only_after_heal_has_no_other_number() -> None:
    alone = Client(workload="add", calls=1, after_heal=1)
    faults = drawn("drop", alone, 100)
    assert {fault.operations for fault in faults} == {None, (1,)}
    assert {fault.clients for fault in faults} == {None}
    assert {(fault.operation, fault.client) for fault in drawn("kill", alone, 100)} == {(None, 1), (1, 1)}


@pytest.mark.parametrize("verb", ["kill", "pause"])
def test_a_process_is_struck_by_time_as_often_as_by_a_trigger(verb: str) -> None:
    faults = [fault for fault in drawn(verb) if getattr(fault, "at", None) is None]
    timed = sum(fault.after is not None for fault in faults)
    assert 0.4 < timed / len(faults) < 0.6
    assert timed + sum(fault.when is not None for fault in faults) == len(faults)
