"""A fault has bitten only what the receiver's journal shows it to have bitten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from history_builder import CLIENT, Run, cell
from stories import (
    COPY,
    COPY_LATER,
    CUT,
    DROP_REPLY,
    DROP_REQUEST,
    LINK,
    OVERTAKEN,
    connection_cut,
    crash_after_commit,
    crash_before_commit,
    joined,
    kill,
    overtaken,
    reply_lost,
    request_lost,
)

from chaos.faults.fault import Fault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Hold, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.faults.processes import Kill, Pause, Restart
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

FIRST = (CLIENT, 1)


def bites(run: Run, *faults: Fault, **options: object) -> Bite:
    return bite(Setting(cell(faults=faults, **options), Index(run.history())))


def delivered(fault_act: str, milliseconds: float, *, released: bool = True) -> Run:
    """A request that the relay kept for some time."""
    run = Run().invoke(1).send(1).decide("request", 1, act=fault_act, rule=0).wait(milliseconds)
    if released:
        run.release("request", 1, act=fault_act)
    return run.run(1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).healed(2)


@pytest.mark.parametrize(
    ("story", "fault"),
    [
        (request_lost, DROP_REQUEST),
        (reply_lost, DROP_REPLY),
        (joined, COPY),
        (overtaken, OVERTAKEN),
        (connection_cut, CUT),
        (crash_before_commit, kill("before-commit")),
        (crash_after_commit, kill("after-commit")),
        (request_lost, Partition(partition="request", link=LINK)),
    ],
)
def test_what_was_done_and_seen_is_bitten(story: Callable[[Run], Run], fault: Fault) -> None:
    found = bites(story(Run()), fault)
    assert found.bitten == {FIRST}
    assert (found.missed, found.late, found.idle) == (frozenset(), frozenset(), ())
    assert (CLIENT, 2) in found.others


def test_a_dropped_message_that_arrived_was_not_dropped() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="drop", rule=0).run(1).reply(1, 1, 1).ok(1, 1)
    found = bites(run.healed(2), DROP_REQUEST)
    assert (found.bitten, found.missed, found.idle) == (frozenset(), {FIRST}, (0,))
    assert found.caught == {FIRST}


def test_a_copy_that_never_arrived_is_no_duplicate() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="duplicate", rule=0).run(1).reply(1, 1, 1).ok(1, 1)
    assert bites(run.healed(2), COPY).idle == (0,)


def test_an_operation_that_no_message_of_was_decided_about_is_missed() -> None:
    found = bites(Run().call(1).healed(2), DROP_REQUEST)
    assert (found.missed, found.idle, found.others) == ({FIRST}, (0,), {FIRST, (CLIENT, 2)})


def test_faults_name_by_number_and_by_process() -> None:
    run = Run().call(1).call(2).call(3).call(4)
    assert bites(run, Drop(drop="reply", link=LINK, every=2)).missed == {(CLIENT, 2), (CLIENT, 4)}
    assert bites(run, Drop(drop="reply", link=LINK, operations=(1,), clients=(2,))).missed == frozenset()
    assert bites(run, Drop(drop="reply", link=LINK, probability=0.5)).missed == frozenset()


@pytest.mark.parametrize(("waited", "bitten"), [(60.0, True), (51.0, True), (30.0, False)])
def test_a_delay_bites_from_half_of_what_was_asked(waited: float, bitten: bool) -> None:
    fault = Delay(delay="request", by=100, link=LINK, operations=(1,))
    assert bool(bites(delivered("delay", waited), fault).bitten) is bitten


def test_a_rate_bites_what_it_held_back() -> None:
    fault = Rate(rate="request", link=LINK, bytes_per_second=1000)
    assert bites(delivered("rate", 30), fault).bitten == {FIRST}
    assert bites(delivered("rate", 30, released=False), fault).idle == (0,)


@pytest.mark.parametrize(("waited", "released", "bitten"), [(41, True, True), (9, True, False), (41, False, False)])
def test_a_slice_bites_from_half_of_what_its_pieces_took_and_of_a_gap(
    waited: float, released: bool, bitten: bool
) -> None:
    fault = Slice(slice="request", size=16, gap=20, link=LINK, operations=(1,))
    assert bool(bites(delivered("slice", waited, released=released), fault).bitten) is bitten


def test_a_message_that_came_at_once_was_not_sliced() -> None:
    """Whoever has it says that; the relay says that it took a second."""
    run = Run().invoke(1).send(1).decide("request", 1, act="slice", rule=0).run(1).wait(1000)
    run = run.release("request", 1, act="slice").reply(1, 1, 1).ok(1, 1).healed(2)
    found = bites(run, Slice(slice="request", size=16, gap=20, link=LINK, operations=(1,)))
    assert (found.bitten, found.idle) == (frozenset(), (0,))


def test_a_hold_bites_if_the_message_came_after_its_release() -> None:
    fault = Hold(hold="request", link=LINK, operations=(1,))
    assert bites(delivered("hold", 1), fault).bitten == {FIRST}
    early = Run().invoke(1).send(1).decide("request", 1, act="hold", rule=0).run(1).release("request", 1, act="hold")
    assert bites(early.reply(1, 1, 1).ok(1, 1).healed(2), fault).idle == (0,)
    lost = Run().invoke(1).send(1).decide("request", 1, act="hold", rule=0).release("request", 1, act="lost")
    assert bites(lost.run(1).reply(1, 1, 1).ok(1, 1).healed(2), fault).idle == (0,)


def test_a_reorder_bites_only_if_another_operation_overtook() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="reorder", rule=0).release("request", 1, act="reorder")
    assert bites(run.run(1).reply(1, 1, 1).ok(1, 1).healed(2), OVERTAKEN).idle == (0,)


def test_a_truncated_message_shows_as_broken() -> None:
    fault = Truncate(truncate="request", link=LINK, operations=(1,))
    run = Run().invoke(1).send(1).decide("request", 1, act="truncate", rule=0)
    assert bites(Run().invoke(1).send(1).decide("request", 1, act="truncate", rule=0).info(1), fault).idle == (0,)
    assert bites(run.server(Kind.BROKEN, 0, 0, 0, reason="cut off", size=9).info(1), fault).bitten == {FIRST}


def test_what_a_plane_gave_up_is_no_receivers_word() -> None:
    fault = Truncate(truncate="request", link=LINK, operations=(1,))
    run = Run().invoke(1).send(1).decide("request", 1, act="truncate", rule=0)
    run = run.server(Kind.BROKEN, 0, 0, 0, reason="nobody foresaw this", connection=1, link=LINK)
    assert bites(run.info(1), fault).idle == (0,)


def cut_after_reply() -> Run:
    run = Run().invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="cut", rule=0)
    return run.reply(1, 1, 1).ok(1, 1)


def test_a_cut_behind_a_reply_bites_if_the_client_then_uses_another_connection() -> None:
    fault = Cut(cut="after", of="reply", link=LINK, operations=(1,))
    moved = cut_after_reply().invoke(2).send(2, connection=2).decide("request", 2).run(2).reply(2, 1, 2).ok(2, 2)
    assert bites(moved.healed(3), fault).bitten == {FIRST}
    stayed = cut_after_reply().invoke(2).send(2).decide("request", 2).run(2).reply(2, 1, 2).ok(2, 2)
    assert bites(stayed.healed(3), fault).idle == (0,)


def test_a_cut_behind_a_reply_bites_if_the_connection_ends_under_the_next_call() -> None:
    fault = Cut(cut="after", of="reply", link=LINK, operations=(1,))
    run = cut_after_reply().invoke(2).send(2).end(2)
    assert bites(run.info(2).healed(3), fault).bitten == {FIRST}


def test_a_corrupt_argument_shows_in_what_was_executed() -> None:
    fault = Corrupt(corrupt="request", link=LINK, operations=(1,))
    run = Run().invoke(1).send(1).decide("request", 1, act="corrupt", rule=0).receive(1)
    assert bites(run.server(Kind.EXECUTE, 1, 1, intent=1, f="add", value=4097), fault).bitten == {FIRST}
    same = Run().invoke(1).send(1).decide("request", 1, act="corrupt", rule=0).run(1)
    assert bites(same.reply(1, 1, 1).ok(1, 1), fault).idle == (0,)


def test_a_kill_needs_the_failpoint_as_the_last_line_and_the_signal() -> None:
    fault = kill("after-commit")
    survived = Run().invoke(1).send(1).run(1).reply(1, 1, 1).ok(1, 1).healed(2)
    assert bites(survived, fault).idle == (0,)
    wrong = crash_before_commit(Run())
    assert bites(wrong, fault).idle == (0,)


def test_a_kill_that_archives_must_change_the_history() -> None:
    lost = crash_after_commit(Run(histories=(71, 72)))
    assert bites(lost, kill("after-commit", "archive")).bitten == {FIRST}
    assert bites(crash_after_commit(Run()), kill("after-commit", "archive")).idle == (0,)
    assert bites(lost, kill("after-commit")).idle == (0,)


def timed_kill() -> Run:
    run = Run().call(1).act("kill", fault=0).reap().upstream(False)
    run.invoke(2).unconnected(2).act("restart").serve().upstream(True)
    run.send(2, 2, connection=2).decide("request", 2, 2).run(2, 2).reply(2, 2, 2).ok(2, 2)
    return run.healed(3)


def test_a_timed_kill_bites_what_was_open_while_the_server_was_down() -> None:
    found = bites(timed_kill(), Kill(kill="server", when="client gate 2", restart=Restart()))
    assert (found.bitten, found.others) == ({(CLIENT, 2)}, {FIRST, (CLIENT, 3)})


def test_heal_may_bring_back_a_server_that_nothing_else_restarts() -> None:
    assert bites(timed_kill(), Kill(kill="server", when="client gate 2")).bitten == {(CLIENT, 2)}


def test_a_pause_bites_what_was_received_only_after_it() -> None:
    fault = Pause(pause="server", when="client gate 1", lasts=100)
    run = Run().act("pause", fault=0).invoke(1).send(1).decide("request", 1).act("resume")
    assert bites(run.run(1).reply(1, 1, 1).ok(1, 1).healed(2), fault).bitten == {FIRST}
    begun = Run().invoke(1).send(1).decide("request", 1).receive(1).execute(1).act("pause", fault=0).act("resume")
    begun.commit(1).answer(1, 1, 1).decide("reply", 1).reply(1, 1, 1).ok(1, 1)
    assert bites(begun.healed(2), fault).bitten == {FIRST}
    done = Run().invoke(1).send(1).decide("request", 1).run(1).act("pause", fault=0)
    assert bites(done.decide("reply", 1).reply(1, 1, 1).ok(1, 1).act("resume").healed(2), fault).idle == (0,)
    awake = Run().act("pause", fault=0).call(1).act("resume").healed(2)
    assert bites(awake, fault).idle == (0,)


def test_an_operation_with_a_second_attempt_and_nothing_done_to_it_is_late() -> None:
    run = Run().invoke(1).send(1).decide("request", 1).run(1)
    run.send(1, 2).decide("request", 1, 2).reply(1, 1, 1).ok(1, 1)
    found = bites(run.healed(2))
    assert (found.late, found.caught, found.too_late) == ({FIRST}, {FIRST}, True)
    for seq in range(3, 12):
        run.call(seq)
    assert not bites(run).too_late


def test_an_operation_that_was_open_while_the_server_was_dead_is_caught_by_another_ones_fault() -> None:
    run = Run().invoke(2).send(2).decide("request", 2)
    found = bites(crash_before_commit(run).info(2), kill("before-commit"))
    assert found.bitten == {FIRST}
    assert (CLIENT, 2) in found.caught
    assert found.late == frozenset()


def test_a_copy_for_the_next_epoch_bites_there() -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="duplicate", rule=1).receive(1).execute(1).commit(1)
    run.answer(1, 1, 1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).failpoint("after-send", 1).upstream(False)
    run.serve().upstream(True).release("request", 1, rule=1).run(1).healed(2)
    assert bites(run, kill("after-send"), COPY_LATER).bitten == {FIRST}
    assert bites(run, kill("after-send"), COPY_LATER).idle == ()


def copied(act: str, direction: str = "request", copies: int = 2) -> Run:
    """Another message of attempt 1 was decided about with `act`; then operation 1's own was dropped."""
    run = Run().invoke(1).send(1).decide("request", 1, act=act, rule=1).decide("request", 1, act="drop", rule=0)
    for _ in range(copies):
        run.receive(1)
    run.send(1, 2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1)
    return run.healed(2)


@pytest.mark.parametrize("act", ["pass", "duplicate", "corrupt"])
def test_what_else_passed_may_arrive_beside_a_dropped_message(act: str) -> None:
    assert bites(copied(act, copies=1), DROP_REQUEST).bitten == {FIRST}
    assert bites(copied(act, copies=2), DROP_REQUEST).bitten == frozenset()


@pytest.mark.parametrize("act", ["hold", "reorder", "drop", "lost"])
def test_what_else_did_not_pass_may_not(act: str) -> None:
    assert bites(copied(act, copies=0), DROP_REQUEST).bitten == {FIRST}
    assert bites(copied(act, copies=1), DROP_REQUEST).bitten == frozenset()


@pytest.mark.parametrize(("act", "may"), [("hold", True), ("duplicate", True), ("lost", False)])
def test_what_was_released_may_arrive_beside_a_dropped_message(act: str, may: bool) -> None:
    run = Run().invoke(1).send(1).decide("request", 1, act="drop", rule=0).release("request", 1, act=act).receive(1)
    run.release("reply", 1, act="hold").release("request", 1, 2, act="hold")
    run.send(1, 2).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2).reply(1, 2, 1).ok(1, 1)
    assert (bites(run.healed(2), DROP_REQUEST).bitten == {FIRST}) is may


@pytest.mark.parametrize(("told", "altered"), [(1, False), (9, True), (None, True)])
def test_a_corrupted_reply_that_arrives_bites_if_it_says_something_else(told: int | None, altered: bool) -> None:
    run = Run().invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="corrupt", rule=0)
    run.decide("reply", 1).reply(1, 1, told).reply(1, 1, told).reply(1, 1, told).ok(1, told)
    fault = Corrupt(corrupt="reply", link=LINK, operations=(1,))
    assert (bites(run.healed(2), fault).bitten == {FIRST}) is altered
