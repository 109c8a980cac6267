"""A read that returns what a completed call had overwritten is convicted; one that could not be stale does not count.

The stories are a counter's: after n calls of `add` a read returns n, and 0 before.
"""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import client_number
from nodes.wire.record import Kind
from orchestrator.checkers.checker import asked
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties import staleness
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History, Ledger, merge
from orchestrator.scenario.cell import Cell

OTHER = client_number(1, 2, 1)
SECOND = client_number(2, 1, 1)


def views(history: History) -> Views:
    return Views(cell(), Index(history))


def judged(run: Run) -> Finding:
    return staleness.check(views(run.history()))


def invoke(run: Run, seq: int, client: int = CLIENT) -> Run:
    return run.note("client", 1, Kind.INVOKE, client, seq, intent=seq, f="read", value=None)


def read(run: Run, seq: int, value: int, client: int = CLIENT) -> Run:
    return invoke(run, seq, client).ok(seq, value, client)


def stale(finding: Finding) -> list[int]:
    return [violation.operation[1] for violation in finding.violations]


def test_a_read_of_what_was_completed_is_fresh() -> None:
    run = read(read(Run().call(1), 2, 1).call(3), 4, 2)
    assert judged(run) == Finding("staleness", (), {"reads": 2})


def test_a_read_of_what_was_overwritten_is_stale() -> None:
    run = read(read(read(Run().call(1).call(2), 3, 0), 4, 1), 5, 2)
    found = judged(run)
    assert found.counts == {"reads": 3}
    assert [violation.operation for violation in found.violations] == [(CLIENT, 3), (CLIENT, 4)]
    assert found.violations[1].reason == (
        f"it returned 1, and operation 2 of client {CLIENT}, completed before, had overwritten that"
    )


def test_what_was_not_completed_before_the_read_was_invoked_may_be_missing() -> None:
    for seen in (1, 2):
        run = Run().call(1).invoke(2, OTHER).send(2, client=OTHER)
        invoke(run, 3).run(2, client=OTHER).reply(2, value=2, client=OTHER).ok(2, 2, OTHER)
        assert judged(run.ok(3, seen)) == Finding("staleness", (), {"reads": 1})


def test_a_call_of_which_its_client_does_not_know_was_not_completed() -> None:
    run = Run().call(1).invoke(2).send(2).run(2).info(2)
    assert stale(judged(read(run, 3, 1))) == []


def test_a_call_that_was_executed_once_more_later_was_completed_by_its_first_row() -> None:
    run = read(Run().call(1), 2, 1).run(1, 2)
    assert judged(run) == Finding("staleness", (), {"reads": 1})


def test_newer_values_are_not_stale() -> None:
    run = Run().invoke(1, OTHER).send(1, client=OTHER).run(1, client=OTHER)
    assert judged(read(run.call(2), 3, 2)) == Finding("staleness", (), {"reads": 1})


def test_a_read_that_could_not_have_been_stale_does_not_count() -> None:
    assert judged(read(Run(), 1, 0).call(2)) == Finding("staleness", (), {"reads": 0})
    assert not judged(Run().call(1)).exercised


def test_a_read_without_an_answer_or_with_a_value_of_no_state_is_not_judged() -> None:
    run = invoke(Run().call(1), 2).info(2)
    assert judged(read(run, 3, 99)) == Finding("staleness", (), {"reads": 0})


@pytest.mark.parametrize(("histories", "value"), [((71, 71, 71), 0), ((71, 72, 72), 0)], ids=["kept", "lost"])
def test_a_restart_must_not_bring_back_an_old_state(histories: tuple[int, ...], value: int) -> None:
    """Whether the server forgot what it has, or was started without it."""
    run = Run(histories=histories).call(1).failpoint("received", 2).serve()
    assert stale(judged(read(run, 2, value))) == [2]


def test_what_was_written_after_a_loss_is_newer_than_what_was_lost() -> None:
    run = Run(histories=(71, 72, 72)).call(1).call(2).reap(9).serve().call(3)
    assert stale(judged(read(run, 4, 1))) == []


def test_a_client_that_was_answered_first_counts_for_every_other() -> None:
    run = Run().call(1, OTHER)
    assert stale(judged(read(run, 2, 0))) == [2]


def test_nothing_is_said_of_rows_that_two_processes_wrote_beside_one_another() -> None:
    run = Run().call(1).serve().call(2)
    run.epoch, run.total = 1, 1
    assert judged(read(run.call(3), 4, 0)) == Finding("staleness", (), {"reads": 0})


def test_nothing_is_said_where_the_copies_of_a_call_had_been_altered() -> None:
    run = Run().invoke(1).send(1).receive(1)
    run.server(Kind.EXECUTE, 1, f="add", value=1).server(Kind.EXECUTE, 1, f="add", value=4097).commit(1)
    assert judged(read(run.reply(1, value=1).ok(1, 1), 2, 0)) == Finding("staleness", (), {"reads": 0})


def test_it_is_asked_where_something_was_read() -> None:
    assert asked(staleness, views(read(Run(), 1, 0).history()))
    assert not asked(staleness, views(Run().call(1).history()))


def test_a_call_that_is_not_known_to_have_been_completed_before_may_be_missing() -> None:
    """By the clocks of two hosts; by a later read of that node it is."""
    run = read(read(Run().call(1), 2, 0), 3, 0)
    setting = views(run.history())
    setting.index.ordered = lambda first, second: second.seq == 3
    assert stale(staleness.check(setting)) == [3]


def test_a_read_is_judged_by_the_server_that_it_asked() -> None:
    """Another one's first call was completed; this server has had none."""
    run = Run().start("second", 1, "client").start("other", 1, "server")
    run.note("second", 1, Kind.INVOKE, SECOND, 1, intent=1, f="add", value=1)
    run.note("other", 1, Kind.EXECUTE, SECOND, 1, 1, intent=1, f="add", value=1).note("second", 1, Kind.OK, SECOND, 1)
    other = Ledger("other.5", "other", archived=False, effects=[(1, SECOND, 1, 1, 1, 1, 1)], state={}, history=5)
    read(run, 1, 0).phase("end")
    judged_by = Views(two_servers(), Index(merge(run.journals, [*run.ledgers(), other])))
    assert staleness.check(judged_by) == Finding("staleness", (), {"reads": 0})


def two_servers() -> Cell:
    one = cell()
    return one.model_copy(
        update={"nodes": {"server": one.servers["server"], "other": one.servers["server"]} | one.clients}
    )
