"""Which phases their caps ended, and what is doubted of a run in which not every call came in time."""

from __future__ import annotations

from history_builder import CLIENT, Run, cell
from stories import DROP_REQUEST, LINK

from chaos.faults.messages import Hold
from nodes.wire.record import Kind
from orchestrator.checkers.caps import caps, doubt, open_text
from orchestrator.checkers.setting import Setting
from orchestrator.checkers.verdict import Cap
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Cell

FIRST, SECOND = (CLIENT, 1), (CLIENT, 2)
OPEN = f"1 call open (operation 1 of client {CLIENT})"


def setting(run: Run, of: Cell | None = None) -> Setting:
    return Setting(of or cell(), Index(run.history()))


def stuck(phase: str, **detail: object) -> Run:
    """Operation 1 is open when that phase comes."""
    return Run().invoke(1).send(1).phase(phase)


def test_each_phase_that_its_cap_ended_is_named_with_what_was_open_then() -> None:
    run = Run().phase("load-capped").invoke(1).phase("settle-capped").run(1).reply(1, 1, 1).ok(1, 1)
    run.phase("predecessors-capped").invoke(2).phase("drain-capped")
    assert caps(setting(run)) == (
        Cap("load", ()),
        Cap("settle", (FIRST,)),
        Cap("predecessors", ()),
        Cap("drain", (SECOND,)),
    )


def test_other_phases_have_no_caps() -> None:
    assert caps(setting(Run().phase("load").phase("heal").phase("settle"))) == ()


def test_a_run_that_did_not_come_to_heal_is_the_gates() -> None:
    assert doubt(setting(stuck("load-capped"))) == ""


def test_what_was_tried_before_heal_is_not_doubted() -> None:
    assert doubt(setting(Run().call(1).phase("heal").call(2))) == ""


def test_calls_that_came_behind_heal_were_not_tried() -> None:
    two = cell(calls=8, after_heal=6)
    assert doubt(setting(Run().call(1).phase("heal").call(2), two)) == (
        "1 of 2 calls that were to come before heal were not invoked by then"
    )


def test_a_load_that_stood_still_is_doubted_though_all_was_invoked() -> None:
    assert doubt(setting(stuck("load-capped").phase("heal"))) == (
        f"nothing was completed any more, and nobody knows why, with {OPEN}"
    )
    assert doubt(setting(stuck("load-capped").phase("heal"), cell(load=100))) == ""


def test_how_the_load_ended_is_said() -> None:
    two, of_time = cell(calls=8, after_heal=6), cell(calls=8, after_heal=6, load=100)
    missing = "1 of 2 calls that were to come before heal were not invoked by then"
    run = stuck("load-capped").phase("heal")
    assert doubt(setting(run, two)) == f"{missing}: nothing was completed any more, with {OPEN}"
    assert doubt(setting(run, of_time)) == f"{missing}: load ended after its cap of 100 ms, with {OPEN}"


def test_faults_that_last_until_heal_are_named_with_what_they_kept_open() -> None:
    faults = (DROP_REQUEST, Hold(hold="reply", link=LINK), DROP_REQUEST)
    two = cell(faults=faults, calls=8, after_heal=6)
    run = Run().invoke(1).send(1).note("orchestrator", 1, Kind.PHASE, phase="load-kept", faults=[0, 1])
    assert doubt(setting(run.phase("heal"), two)) == (
        "1 of 2 calls that were to come before heal were not invoked by then: fault 1 (drop), 2 (hold) lasts until "
        f"heal, with {OPEN}; expected calls behind it to be among after_heal"
    )
    assert doubt(setting(run, cell(faults=faults))) == ""


def test_each_client_process_has_its_calls_before_heal() -> None:
    two = cell(calls=3, after_heal=1, clients=2)
    other = CLIENT + 100
    run = Run().call(1).call(2).call(1, other).phase("heal").call(3).call(2, other)
    assert doubt(setting(run, two)) == "1 of 4 calls that were to come before heal were not invoked by then"
    run = Run().call(1).call(2).call(3).call(1, 20_101).phase("heal")
    assert doubt(setting(run, cell(calls=3, after_heal=1))) == ""


def test_three_open_calls_are_named() -> None:
    assert open_text(((5, 1),)) == "1 call open (operation 1 of client 5)"
    three = "operation 1 of client 5, operation 2 of client 5, operation 3 of client 5"
    assert open_text(tuple((5, seq) for seq in (1, 2, 3))) == f"3 calls open ({three})"
    assert open_text(tuple((5, seq) for seq in (1, 2, 3, 4))) == f"4 calls open ({three} and 1 more)"
