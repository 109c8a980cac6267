"""The log of a run: its decisions with all that makes them, what was done to processes and at which trigger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell

from chaos.decisions import Awaits, Copy, Drop, Keep
from chaos.faults import messages
from chaos.faults.fault import Fault
from chaos.faults.paths import Rate
from chaos.faults.processes import Kill, Pause, Restart
from chaos.identity import Key
from chaos.recorded import Entry
from nodes.wire.record import Kind
from orchestrator.history.merged import History
from orchestrator.history.recorded import MOST, NoLog, log_of
from orchestrator.scenario.cell import Cell
from orchestrator.scenario.log import Log, Passage, Strike

LINK = "client -> server"
DROP = messages.Drop(drop="request", link=LINK, operations=(1,))
HOLD = messages.Hold(hold="request", link=LINK)
KILL = Kill(kill="server", at="received", operation=1, restart=Restart(after=20))


def key(seq: int, attempt: int = 1, occurrence: int = 1) -> Key:
    return Key(LINK, "request", CLIENT, seq, attempt, occurrence)


def decided(run: Run, seq: int, act: str, rule: int | None = 0, **detail: Any) -> Run:
    told = {"link": LINK, "direction": "request", "occurrence": 1, "connection": 1}
    return run.note("relay", 1, Kind.DECISION, CLIENT, seq, 1, **told, rule=rule, act=act, **detail)


def log(run: Run, *faults: Fault) -> Log:
    return log_of(cell(faults=faults), run.history(), "there")


def refused(made: Cell, history: History) -> str:
    with pytest.raises(NoLog) as refusal:
        log_of(made, history, "there")
    return str(refusal.value)


def test_what_was_done_to_messages_is_told_from_what_passed() -> None:
    run = Run().phase("load").invoke(1).send(1)
    decided(run, 1, "drop")
    decided(run, 2, "pass", None)
    decided(run, 3, "hold", 1)
    decided(run, 4, "duplicate", 1, awaits="trim")
    decided(run, 5, "delay", 1, by=7)
    found = log(run, DROP, HOLD)
    assert found.run == "there"
    assert found.decisions == (
        Entry(key(1), 0, Drop()),
        Entry(key(3), 1, Keep(Awaits.RELEASE)),
        Entry(key(4), 1, Copy(Awaits.TRIM)),
        Entry(key(5), 1, Keep(Awaits.TIME, by=7)),
    )
    assert found.passed == (key(2),)
    assert len(found) == 4
    assert Log.model_validate_json(found.model_dump_json()) == found


def test_what_a_dead_server_lost_is_known_and_what_had_no_room_is_dropped() -> None:
    run = decided(Run(), 1, "lost", None)
    decided(run, 2, "lost", 0)
    found = log(run, Rate(rate="request", link=LINK, bytes_per_second=9))
    assert (found.decisions, found.passed) == ((Entry(key(2), 0, Drop()),), (key(1),))


def test_a_copy_has_an_entry_of_its_own() -> None:
    run = decided(Run(), 1, "pass", None)
    run.decide("request", 1, act="pass").decide("request", 1, act="drop", rule=0)
    assert log(run, DROP).decisions == (Entry(key(1, occurrence=2), 0, Drop()),)


def test_a_failpoint_is_named_by_what_passed_it_and_a_restart_by_what_came_before() -> None:
    run = Run().phase("load").invoke(1).send(1).receive(1)
    run.server(Kind.FAILPOINT, 1, 1, name="received", fault=0, act="die").reap().unconnected(1, 2)
    run.note("orchestrator", 1, Kind.ACT, act="restart", node="server", epoch=2, fault=None)
    run.serve().phase("heal")
    struck = {"fault": 0, "node": "server", "epoch": 1, "passage": Passage(CLIENT, 1, 1)}
    assert log(run, KILL).strikes == (Strike(**struck, restart=f"client attempt 1.2 of {CLIENT}"),)
    at_once = replace(KILL, operation=None, nth=1, restart=Restart())
    assert log_of(cell(faults=(at_once,)), run.unfinished(), "").strikes == (Strike(**struck, restart=""),)
    on_ready = replace(KILL, restart=Restart(when="client attempt 1"))
    assert log_of(cell(faults=(on_ready,)), run.unfinished(), "").strikes[0].restart == "client attempt 1"


def test_what_came_by_heal_is_no_part_of_a_strike() -> None:
    run = Run().phase("load").invoke(1).send(1).receive(1)
    run.server(Kind.FAILPOINT, 1, 1, name="received", fault=0, act="die").reap().phase("heal")
    run.note("orchestrator", 1, Kind.ACT, act="restart", node="server", epoch=2, fault=None)
    run.server(Kind.FAILPOINT, 1, 1, name="received", fault=1, act="die")
    (strike,) = log(run, KILL, KILL).strikes
    assert (strike.fault, strike.restart) == (0, None)


def test_a_timed_act_has_the_last_moment_before_it() -> None:
    pause = Pause(pause="server", after=50, lasts=100)
    run = Run().phase("load").invoke(1).send(1).act("pause", fault=0).send(1, 2).info(1).act("resume")
    (strike,) = log(run, pause).strikes
    assert (strike.epoch, strike.passage) == (1, None)
    assert strike.when == f"client attempt 1.1 of {CLIENT}"
    assert strike.ends == f"client end 1 of {CLIENT}"
    (strike,) = log_of(cell(faults=(replace(pause, after=None, when="client gate 1"),)), run.unfinished(), "").strikes
    assert strike.when == "client gate 1"
    first = Run().phase("load").act("pause", fault=0).invoke(1).act("kill", fault=1)
    strikes = log(first, pause, Kill(kill="server", after=60)).strikes
    assert [strike.when for strike in strikes] == ["", f"client invoke 1 of {CLIENT}"]
    assert [strike.ends for strike in strikes] == [None, None]


def test_where_nothing_happened_meanwhile_nothing_is_waited_for() -> None:
    """What came before the strike may come after it in a replay, and then nobody would end the pause that keeps it."""
    run = Run().phase("load").invoke(1).send(1).act("pause", fault=0).act("resume").act("kill", fault=1)
    run.note("orchestrator", 1, Kind.ACT, act="restart", node="server", epoch=2, fault=None)
    strikes = log(run, Pause(pause="server", after=50, lasts=100), replace(KILL, at=None, after=60)).strikes
    assert [(strike.ends, strike.restart) for strike in strikes] == [("", None), (None, "")]


def test_an_act_in_vain_is_none() -> None:
    assert log(Run().phase("load").act("none", fault=0), Kill(kill="server", after=1)).strikes == ()


def test_what_cannot_be_replayed_is_refused() -> None:
    assert refused(cell(), Run().phase("load").unfinished()) == (
        "the run did not reach its end (its last phase was load)"
    )
    assert refused(cell(), Run().unfinished()).endswith("(its last phase was none)")
    chunk = {"link": LINK, "direction": "request", "occurrence": 1, "chunk": 1, "replayable": False}
    run = Run().note("relay", 1, Kind.DECISION, **chunk, rule=None, act="pass")
    assert log(run).passed == ()
    run = Run().note("relay", 1, Kind.DECISION, **chunk, rule=0, act="drop")
    assert refused(cell(faults=(DROP,)), run.history()) == (
        "decisions on client -> server fell on messages without identity, which nobody finds again"
    )
    strange = decided(Run(), 1, "drop", 1).history()
    for faults in ((DROP,), (DROP, KILL), (DROP, replace(DROP, link="a -> b"))):
        assert refused(cell(faults=faults), strange) == (
            "rule 1 decided about client -> server request 10101 1 1 1: that is no fault of the plan; "
            "expected the run's own"
        )
    older = decided(Run(), 1, "delay").history()
    assert refused(cell(faults=(DROP,)), older) == (
        "the decision on client -> server request 10101 1 1 1: delay needs by, a number from 0 below 2**64, got None; "
        "was it recorded by another version?"
    )


def test_more_decisions_than_a_plane_can_be_told_are_refused() -> None:
    run = Run()
    for seq in range(MOST):
        decided(run, seq, "drop")
    assert len(log(run, DROP).decisions) == MOST
    many = decided(run, MOST, "drop").history()
    assert refused(cell(faults=(DROP,)), many) == f"it has {MOST + 1} decisions; at most {MOST} can be made again"


def test_a_passage_that_no_fault_of_the_scenario_can_name_is_refused() -> None:
    run = Run().server(Kind.FAILPOINT, 1, 1, 20101, name="received", fault=0, act="die").reap()
    assert refused(cell(faults=(KILL,)), run.history()) == (
        "fault 1 (kill) struck at an operation that no scenario can name for it"
    )
