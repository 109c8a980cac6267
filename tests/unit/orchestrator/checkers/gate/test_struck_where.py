"""Where a failpoint is passed: right after the message that passes it, whatever other connections' processes do."""

from __future__ import annotations

from history_builder import Run, cell

from chaos.faults.processes import Kill, Restart
from nodes.wire.header import client_number
from nodes.wire.record import Kind
from orchestrator.checkers.gate.failpoints import failpoints_are_planned
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index

KILL = Kill(kill="server", at="received", operation=1, restart=Restart())
OTHER = client_number(1, 2, 1)
SAID = {"fault": 0, "name": "received", "act": "die"}


def problems(run: Run, engine: str = "fork") -> list[str]:
    run.server(Kind.FAILPOINT, 1, **SAID)
    judged = cell(faults=(KILL,), clients=2).on_engine(engine)
    return list(failpoints_are_planned(Views(judged, Index(run.reap(9).history()))))


def test_another_connections_message_may_come_between() -> None:
    assert problems(Run().invoke(1).send(1).receive(1)) == []
    assert problems(Run().invoke(1).send(1).receive(1).receive(1, client=OTHER).execute(1, client=OTHER)) == []


def test_where_one_process_has_all_connections_nothing_does() -> None:
    assert problems(Run().invoke(1).send(1).receive(1), "epoll") == []
    (told,) = problems(Run().invoke(1).send(1).receive(1).receive(1, client=OTHER), "epoll")
    assert "of what it did not come to" in told


def test_nothing_of_its_own_does() -> None:
    (told,) = problems(Run().invoke(1).send(1).receive(1).execute(1))
    assert told == "server, epoch 1, was at the failpoint received of what it did not come to"
    (told,) = problems(Run().invoke(1).send(1).receive(1, client=OTHER))
    assert "of what it did not come to" in told
