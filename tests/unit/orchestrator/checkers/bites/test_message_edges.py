"""From where on a message's receiver shows what was done to it: to the nanosecond, and to the copy."""

from __future__ import annotations

import pytest
from history_builder import MILLISECOND, STEP, Run, cell
from stories import LINK

from chaos.faults.fault import RelayFault
from chaos.faults.messages import Corrupt, Cut, Delay, Drop, Duplicate, Hold, Slice, Truncate
from chaos.faults.paths import Partition, Rate
from chaos.identity import Direction
from nodes.wire.record import Kind
from orchestrator.checkers.bites.messages import effective
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

BOTH: list[Direction] = ["request", "reply"]


def shown(run: Run, fault: RelayFault) -> bool:
    """Whether it was effective on operation 1, of which the relay's first decision with a rule is its."""
    setting = Setting(cell(faults=(fault,)), Index(run.unfinished()))
    trace = setting.trace((10101, 1))
    decision = next(event for event in trace.decisions if event.detail["rule"] == 0)
    return effective(setting, fault, decision, trace)


def met(direction: Direction, act: str) -> Run:
    """The request or the reply, about which the relay decided so; `time` is that of its decision."""
    run = Run().invoke(1).send(1)
    if direction == "reply":
        run.decide("request", 1).run(1)
    return run.decide(direction, 1, act=act, rule=0)


def got(run: Run, direction: Direction, attempt: int = 1) -> Run:
    return run.receive(1, attempt) if direction == "request" else run.reply(1, attempt, 1)


def after(run: Run, nanoseconds: int) -> Run:
    """The next record comes so long after the last one."""
    run.time += nanoseconds - STEP
    return run


def released(run: Run, direction: Direction, act: str, nanoseconds: int) -> Run:
    return after(run, nanoseconds).release(direction, 1, act=act)


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize(("short", "bites"), [(0, True), (1, False)])
def test_late_is_half_of_what_was_asked(direction: Direction, short: int, bites: bool) -> None:
    half = 5 * MILLISECOND - short
    delay = Delay(delay=direction, link=LINK, by=10)
    assert shown(got(after(met(direction, "delay"), half), direction), delay) is bites
    assert not shown(got(met(direction, "delay"), direction), Delay(delay=direction, link=LINK, by=0))
    assert not shown(met(direction, "delay"), delay)


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize(("short", "bites"), [(0, True), (1, False)])
def test_on_a_slow_path_it_is_half_of_what_the_relay_took(direction: Direction, short: int, bites: bool) -> None:
    rate = Rate(rate=direction, link=LINK, bytes_per_second=100)
    run = got(after(met(direction, "rate"), 5 * MILLISECOND - short), direction)
    assert not shown(run, rate)
    assert shown(released(run, direction, "rate", 5 * MILLISECOND + short), rate) is bites


@pytest.mark.parametrize(("short", "bites"), [(0, True), (1, False)])
def test_of_pieces_it_is_half_of_what_they_took_and_of_one_gap_at_least(short: int, bites: bool) -> None:
    slow = Slice(slice="request", size=16, gap=1, link=LINK)
    run = got(after(met("request", "slice"), 5 * MILLISECOND - short), "request")
    assert shown(released(run, "request", "slice", 5 * MILLISECOND + short), slow) is bites
    wide = Slice(slice="request", size=16, gap=10, link=LINK)
    run = got(after(met("request", "slice"), 5 * MILLISECOND - short), "request")
    assert shown(released(run, "request", "slice", STEP), wide) is bites
    assert not shown(got(after(met("request", "slice"), 5 * MILLISECOND), "request"), slow)


@pytest.mark.parametrize("direction", BOTH)
def test_what_was_held_comes_after_it_was_let_go(direction: Direction) -> None:
    hold = Hold(hold=direction, link=LINK)
    held = met(direction, "hold")
    assert not shown(got(held, direction), hold)
    assert not shown(held.release(direction, 1, act="hold"), hold)
    assert shown(got(held, direction), hold)
    lost = got(met(direction, "hold").release(direction, 1, act="lost"), direction)
    assert not shown(lost, hold)
    another = got(met(direction, "hold").release(direction, 1, 2, act="hold"), direction)
    assert not shown(another, hold)
    other: Direction = "reply" if direction == "request" else "request"
    assert not shown(got(met(direction, "hold").release(other, 1, act="hold"), direction), hold)


@pytest.mark.parametrize("direction", BOTH)
@pytest.mark.parametrize("act", ["drop", "partition"])
def test_what_was_dropped_is_missing_beside_the_copies_that_passed(direction: Direction, act: str) -> None:
    drop = Drop(drop=direction, link=LINK)
    fault: RelayFault = drop if act == "drop" else Partition(partition=direction, link=LINK)
    assert shown(met(direction, act), fault)
    assert not shown(got(met(direction, act), direction), fault)
    for passing in ("pass", "duplicate", "corrupt"):
        copied = got(met(direction, act).decide(direction, 1, act=passing), direction)
        assert shown(copied, fault)
        assert not shown(got(copied, direction), fault)
    held = got(met(direction, act).decide(direction, 1, act="hold"), direction)
    assert not shown(held, fault)
    assert shown(held.release(direction, 1, act="hold"), fault)
    lost = got(met(direction, act), direction).release(direction, 1, act="lost")
    assert not shown(lost, fault)
    assert not shown(got(met(direction, act).decide(direction, 1, 2), direction), fault)
    assert shown(got(met(direction, act), direction, attempt=2), fault)


@pytest.mark.parametrize("direction", BOTH)
def test_a_copy_is_a_second_one_of_its_attempt(direction: Direction) -> None:
    fault = Duplicate(duplicate=direction, link=LINK)
    once = got(met(direction, "duplicate"), direction)
    assert not shown(once, fault)
    assert not shown(got(once, direction, attempt=2), fault)
    assert shown(got(once, direction), fault)


def test_what_was_altered_came_with_another_content_or_not_at_all() -> None:
    request, reply = Corrupt(corrupt="request", link=LINK), Corrupt(corrupt="reply", link=LINK)
    assert shown(met("request", "corrupt"), request)
    assert not shown(met("request", "corrupt").receive(1).execute(1), request)
    changed = met("request", "corrupt").receive(1).server(Kind.EXECUTE, 1, 1, intent=1, f="add", value=9)
    assert shown(changed, request)
    other = met("request", "corrupt").receive(1).server(Kind.EXECUTE, 1, 2, intent=1, f="add", value=9)
    assert not shown(other, request)
    assert shown(met("reply", "corrupt"), reply)
    assert not shown(met("reply", "corrupt").reply(1, 1, 1), reply)
    assert shown(met("reply", "corrupt").reply(1, 1, 9), reply)
    assert not shown(met("reply", "corrupt").reply(1, 1, 1).reply(1, 2, 9), reply)


def test_half_a_message_is_noticed_by_its_receiver_or_ends_its_connection() -> None:
    fault = Truncate(truncate="request", link=LINK)
    assert not shown(met("request", "truncate"), fault)
    assert shown(met("request", "truncate").server(Kind.BROKEN, 0, 0, 0, reason="x", size=1), fault)
    assert shown(met("request", "truncate").end(1), fault)
    assert not shown(met("request", "truncate").end(1, error="timeout"), fault)
    assert not shown(met("request", "truncate").end(1, attempt=2), fault)
    before = Run().server(Kind.BROKEN, 0, 0, 0, reason="x", size=1).invoke(1).send(1)
    assert not shown(before.decide("request", 1, act="truncate", rule=0), fault)
    of_a_plane = met("request", "truncate").note("relay", 1, Kind.BROKEN, link=LINK, reason="x")
    assert not shown(of_a_plane, fault)
    assert not shown(met("request", "truncate").end(1).receive(1), fault)


def test_a_connection_was_cut_while_its_call_was_open() -> None:
    for cut in ("before", "within", "after"):
        fault = Cut(cut=cut, of="request", link=LINK)  # type: ignore[arg-type]
        assert shown(met("request", "cut").end(1), fault)
        assert not shown(met("request", "cut"), fault)
        ended = Run().invoke(1).send(1).end(1).decide("request", 1, act="cut", rule=0)
        assert not shown(ended, fault)
    assert shown(met("reply", "cut").end(1), Cut(cut="before", of="reply", link=LINK))


def test_one_that_ends_behind_a_reply_shows_when_its_client_goes_on() -> None:
    fault = Cut(cut="after", of="reply", link=LINK)
    assert not shown(met("reply", "cut").end(1), fault)
    came = met("reply", "cut").reply(1, 1, 1).ok(1, 1)
    assert not shown(came, fault)
    assert not shown(came.invoke(2).send(2), fault)
    elsewhere = met("reply", "cut").reply(1, 1, 1).ok(1, 1).invoke(2).send(2, connection=2)
    assert shown(elsewhere, fault)
    assert shown(met("reply", "cut").reply(1, 1, 1).invoke(2).send(2).end(2), fault)
    assert not shown(met("reply", "cut").end(1).reply(1, 1, 1), fault)
    assert not shown(met("reply", "cut").reply(1, 1, 1).end(1, error="timeout"), fault)
