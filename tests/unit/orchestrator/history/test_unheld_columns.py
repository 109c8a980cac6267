"""What is known of every event of a history that is not held: its kind, and whose it is."""

from __future__ import annotations

from history_builder import Run

from nodes.wire.record import COLLECTED, Kind
from orchestrator.history.merged import Event
from orchestrator.history.stored import Block
from orchestrator.history.unheld import Columns, OfLife

BLOCK = 7


def seen() -> tuple[tuple[Event, ...], Columns]:
    run = Run()
    for seq in range(1, 6):
        run.call(seq)
    events, columns = run.history().events, Columns()
    for place in range(0, len(events), BLOCK):
        columns.see(Block.of([*events[place : place + BLOCK]]))
    return tuple(events), columns


def test_each_kind_and_each_process_has_its_events() -> None:
    events, columns = seen()
    assert columns.in_time
    for kind in Kind:
        assert list(columns.of_kind(kind)) == [event.order for event in events if event.kind is kind]
    for life, number in columns.lives.items():
        own = [event.order for event in events if (None if event.kind in COLLECTED else event.life) == life]
        found = OfLife(columns, number)
        assert [*columns.of_life(number)] == own == [*found]
        assert not own or (found[0], found[-1], found[1:3], len(found), bool(found)) == (
            own[0],
            own[-1],
            columns.of_life(number)[1:3],
            len(own),
            True,
        )


def test_of_the_ends_of_a_process_nothing_is_sought() -> None:
    _, columns = seen()
    found = OfLife(columns, columns.lives["client", 1])
    assert (found[0] < found[-1], bool(found)) == (True, True)
    assert "_all" not in vars(found)
    assert found[1] > found[0]
    assert "_all" in vars(found)


def test_what_goes_back_is_noticed_across_what_is_seen_at_once() -> None:
    events, _ = seen()
    for place in (BLOCK - 1, BLOCK, BLOCK + 1):
        columns = Columns()
        other = [event._replace(time=10**12) if event.order == place else event for event in events]
        for begin in range(0, len(events), BLOCK):
            columns.see(Block.of(other[begin : begin + BLOCK]))
        assert not columns.in_time
