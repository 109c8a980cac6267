"""What an explored run is asked: as much as one that is recorded, and no less than `run` asks."""

from __future__ import annotations

from random import Random

import pytest

from nodes.drivers.lines import Line, Lines
from nodes.ops import Program
from nodes.wire.record import Kind
from orchestrator.checkers.expect import judge, verdicts
from orchestrator.checkers.views import Views
from orchestrator.explore.attempt import recorded, surprise
from orchestrator.explore.generate import ours
from orchestrator.explore.theory import by_theory
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Cell, Server

LINK = "client -> server"


def drawn(semantics: str = "at-most-once", yields: int = 0) -> Cell:
    cell = ours().draw(Random(1))
    link = cell.links[0].model_copy(update={"semantics": semantics, "transport": "udp"})
    client = cell.clients["client"].model_copy(update={"workload": "add", "gates": {}})
    nodes = {"server": Server(service="counter", yields=yields), "client": client}
    return by_theory(cell.model_copy(update={"links": (link,), "nodes": nodes}))


@pytest.mark.parametrize(("kind", "detail", "check"), [(Kind.TRIM, "", "reference"), (Kind.SEND, "first", "evidence")])
def test_what_journals_of_older_versions_need_not_say_is_missed(kind: Kind, detail: str, check: str) -> None:
    """A server that says nothing of what it forgets, a client that does not say what it knows the results of."""
    cell = drawn()
    history = recorded(cell)
    assert surprise(cell, verdicts(Views(cell, Index(history)))) is None
    events = []
    for event in history.events:
        if event.kind is not kind:
            events.append(event)
        elif detail:
            events.append(event._replace(detail={key: each for key, each in event.detail.items() if key != detail}))
    silent = history._replace(events=tuple(event._replace(order=n) for n, event in enumerate(events)))
    found = surprise(cell, verdicts(Views(cell, Index(silent))))
    assert found is not None
    assert check in found.checks


def test_a_client_that_overlooks_a_reply_surprises_and_a_run_of_it_is_unmet(monkeypatch: pytest.MonkeyPatch) -> None:
    deliver = Lines._deliver

    def overlooking(lines: Lines, message: bytes, line: Line) -> Program:
        reply = lines._codec.decode_reply(message, lines._procedure)
        if reply.header is None or (reply.header.seq, reply.header.attempt) != (1, 1):
            yield from deliver(lines, message, line)

    cell = drawn().model_copy(update={"faults": ()})
    assert surprise(cell, judge(cell, recorded(cell))) is None
    monkeypatch.setattr(Lines, "_deliver", overlooking)
    found = surprise(cell, judge(cell, recorded(cell)))
    assert found is not None
    assert found.checks == ("explained",)
    assert found.told.startswith("operation 1 of client 10101: its wait passed without a reply")
