"""What every backend's session does, whatever its processes are: orchestrator/run/session.py says it in words.

Each check is a run's program, given a session, and what configures its server. What it returns judges the evidence,
when the session was closed.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nodes.ops import Get, Now, Program
from nodes.wire.record import Kind
from orchestrator.history.collected import Collected
from orchestrator.run.session import ORCHESTRATOR, Answer, Exited, Lost, Role, Session, SessionError, Started, Stopped

PATIENCE = 60_000_000_000
"""Nanoseconds that even a slow machine needs no more of."""


class Case(NamedTuple):
    session: Session
    spec: Callable[[int], dict[str, Any]]
    """The server's, for its epoch. It has a ledger."""


Judge = Callable[[Collected], None]


def a_process_answers_in_order_and_ends_when_told(case: Case) -> Program:
    yield from _started(case, "server")
    configure = case.session.command("server", {"type": "configure", "spec": case.spec(1)})
    unknown = case.session.command("server", {"type": "dance"})
    stop = case.session.command("server", {"type": "stop"})
    events = yield from _until_exited(case)
    answers = [event for event in events if isinstance(event, Answer)]
    assert [(answer.name, answer.id) for answer in answers] == [("server", id) for id in (configure, unknown, stop)]
    assert ["error" in answer.body for answer in answers] == [False, True, False]
    assert events[-1] == Exited("server", 1, 0, 0)


def a_plane_is_a_process_like_a_node(case: Case) -> Program:
    yield from _started(case, "relay", "relay")
    assert "listen" in case.session.plane("relay")
    stop = case.session.command("relay", {"type": "stop"})
    events = yield from _until_exited(case)
    assert events == [Answer("relay", stop, {}), Exited("relay", 1, 0, 0)]


def a_kill_is_told_with_its_signal_and_silences(case: Case) -> Program:
    yield from _started(case, "server")
    case.session.signal("server", "kill")
    assert (yield from _until_exited(case)) == [Exited("server", 1, signal.SIGKILL, 0)]
    case.session.command("server", {"type": "stop"})  # nobody there: never answered
    case.session.signal("server", "kill")
    yield from _started(case, "server", epoch=2)
    yield from _told_nothing_of(case, 1)


def what_is_stopped_answers_when_it_goes_on(case: Case) -> Program:
    yield from _started(case, "server")
    case.session.signal("server", "stop")
    assert (yield from _event(case)) == Stopped("server", 1)
    stop = case.session.command("server", {"type": "stop"})
    case.session.signal("server", "continue")
    assert (yield from _until_exited(case)) == [Answer("server", stop, {}), Exited("server", 1, 0, 0)]


def the_ledger_of_what_lives_is_not_archived(case: Case) -> Program:
    yield from _started(case, "server")
    with pytest.raises(SessionError, match="server cannot be archived while it runs"):
        case.session.archive("server")


def a_stopped_process_can_be_killed(case: Case) -> Program:
    yield from _started(case, "server")
    case.session.signal("server", "stop")
    assert (yield from _event(case)) == Stopped("server", 1)
    case.session.signal("server", "kill")
    assert (yield from _until_exited(case)) == [Exited("server", 1, signal.SIGKILL, 0)]


def an_archived_ledger_is_kept_beside_the_next_ones(case: Case) -> Program:
    for epoch in (1, 2):
        yield from _started(case, "server", epoch=epoch)
        case.session.command("server", {"type": "configure", "spec": case.spec(epoch)})
        case.session.command("server", {"type": "stop"})
        yield from _until_exited(case)
        if epoch == 1:
            case.session.archive("server")

    def judge(collected: Collected) -> None:
        ledgers = {ledger.name: ledger for ledger in collected.ledgers}
        assert {name: one.archived for name, one in ledgers.items()} == {"server": False, "server.1.archived": True}
        assert len({ledger.history for ledger in ledgers.values()}) == 2

    return judge


def the_evidence_is_each_epochs_journal(case: Case) -> Program:
    for epoch, ends in ((1, "kill"), (2, "stop")):
        yield from _started(case, "server", epoch=epoch)
        number = case.session.command("server", {"type": "configure", "spec": case.spec(epoch)})
        while not isinstance(event := (yield from _event(case)), Answer):
            pass
        assert (event.id, "error" in event.body) == (number, False)
        if ends == "kill":
            case.session.signal("server", "kill")
        else:
            case.session.command("server", {"type": "stop"})
        yield from _until_exited(case)
    case.session.note(Kind.PHASE, detail={"phase": "heal"})

    def judge(collected: Collected) -> None:
        journals = {key: journal.records for key, journal in collected.journals.items()}
        killed = {key for key, journal in collected.journals.items() if journal.killed}
        own = journals[ORCHESTRATOR, 1]
        assert (set(journals), killed) == ({("server", 1), ("server", 2), (ORCHESTRATOR, 1)}, {("server", 1)})
        assert [records[0].kind for records in journals.values()] == [Kind.START] * 3
        assert journals["server", 2][-1].kind == Kind.STOP
        assert (own[0].detail or {})["evidence"] == case.session.evidence
        assert own[-1].detail == {"phase": "heal"}

    return judge


def closing_ends_whatever_lives(case: Case) -> Program:
    yield from _started(case, "server")
    yield from _started(case, "relay", "relay")
    case.session.signal("relay", "stop")

    def judge(collected: Collected) -> None:
        assert collected.journals["relay", 1].killed

    return judge


def what_was_never_started_is_told(case: Case) -> Program:
    for act in (
        lambda: case.session.command("nobody", {"type": "stop"}),
        lambda: case.session.signal("nobody", "kill"),
        lambda: case.session.archive("nobody"),
    ):
        with pytest.raises(SessionError, match="nobody was never started"):
            act()
    yield Now()


def waiting_has_an_end(case: Case) -> Program:
    now = yield Now()
    with pytest.raises(TimeoutError):
        yield Get(case.session.events, now + 1_000_000)
    assert (yield Now()) >= now + 1_000_000


CHECKS = (
    a_process_answers_in_order_and_ends_when_told,
    a_plane_is_a_process_like_a_node,
    a_kill_is_told_with_its_signal_and_silences,
    what_is_stopped_answers_when_it_goes_on,
    a_stopped_process_can_be_killed,
    the_ledger_of_what_lives_is_not_archived,
    an_archived_ledger_is_kept_beside_the_next_ones,
    the_evidence_is_each_epochs_journal,
    closing_ends_whatever_lives,
    what_was_never_started_is_told,
    waiting_has_an_end,
)


def _event(case: Case) -> Program:
    now = yield Now()
    event = yield Get(case.session.events, now + PATIENCE)
    assert not isinstance(event, Lost), event.reason
    return event


def _started(case: Case, name: str, role: Role = "node", epoch: int = 1) -> Program:
    case.session.start(name, role, epoch, None if role != "node" else "epoll")
    assert (yield from _event(case)) == Started(name, epoch)


def _until_exited(case: Case) -> Program:
    events: list[Any] = []
    while not (events and isinstance(events[-1], Exited)):
        events.append((yield from _event(case)))
    return events


def _told_nothing_of(case: Case, epoch: int) -> Program:
    """What comes up to the end of the latest epoch is not about an earlier one."""
    stop = case.session.command("server", {"type": "stop"})
    assert (yield from _until_exited(case)) == [Answer("server", stop, {}), Exited("server", epoch + 1, 0, 0)]
