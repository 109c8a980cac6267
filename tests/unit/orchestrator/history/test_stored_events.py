"""A history that is too large to be held is the same history: its events, and what is made of them."""

from __future__ import annotations

import random
from collections.abc import Callable
from zlib import crc32

import msgpack
import pytest
from history_builder import Run, cell
from stories import after_trim, connection_cut, crash_after_commit, overtaken, reply_lost

from nodes.wire.record import Kind
from orchestrator.checkers.expect import judge
from orchestrator.history import stored
from orchestrator.history.clocks import Clock
from orchestrator.history.file import dump, load, written
from orchestrator.history.index import Index
from orchestrator.history.merged import History, HistoryError
from orchestrator.history.stored import Stored

STORIES = [reply_lost, after_trim, overtaken, connection_cut, crash_after_commit]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few events, so that a story has many."""
    for name, value in (("BLOCK", 7), ("KEPT", 2)):
        monkeypatch.setattr(stored, name, value)


def both(story: Callable[[Run], Run], calls: int = 8) -> tuple[History, History]:
    run = story(Run())
    for seq in range(3, 3 + calls):
        run.call(seq)
    data = dump(run.history())
    return load(data), load(data, whole=0)


@pytest.mark.parametrize("story", STORIES)
def test_the_events_are_the_same(story: Callable[[Run], Run]) -> None:
    held, unheld = both(story)
    assert isinstance(unheld.events, Stored)
    assert len(unheld.events) == len(held.events)
    assert tuple(unheld.events) == held.events
    assert list(unheld.events[5:30:3]) == list(held.events[5:30:3])
    places = random.Random(1).sample(range(-len(held.events), len(held.events)), 40)
    assert [unheld.events[place] for place in places] == [held.events[place] for place in places]
    with pytest.raises(IndexError):
        unheld.events[len(held.events)]


@pytest.mark.parametrize("story", STORIES)
def test_they_are_put_together_alike(story: Callable[[Run], Run]) -> None:
    one, other = (Index(history) for history in both(story))
    assert {**other.traces} == one.traces
    assert {**other.invoked} == one.invoked
    assert len(other.invoked) == len(one.invoked)
    assert other.hellos == one.hellos
    for kind in Kind:
        assert list(other.of_kind(kind)) == list(one.of_kind(kind))
    assert {life: list(events) for life, events in other.lives.items()} == one.lives


@pytest.mark.parametrize("story", STORIES)
def test_they_are_judged_alike(story: Callable[[Run], Run]) -> None:
    one, other = (judge(cell(), history) for history in both(story))
    assert other == one


@pytest.mark.parametrize(("domain", "shift"), [("test", 1_000), ("elsewhere", 0)])
def test_times_of_another_clock_are_shifted(domain: str, shift: int) -> None:
    held, unheld = (history._replace(clocks=(Clock(domain, 1_000, 10, "agent"),)) for history in both(reply_lost))
    for history in (held, unheld):
        assert [was.time - now.time for was, now in zip(history.events, history.on_one_clock(), strict=True)] == [
            shift for _ in history.events
        ]
    assert tuple(unheld.on_one_clock()) == held.on_one_clock()


@pytest.mark.parametrize("place", [0.3, 0.6, 0.9])
def test_damage_is_found_before_anything_is_judged(place: float) -> None:
    data = bytearray(dump(reply_lost(Run()).history()))
    data[int(place * len(data))] ^= 0x10
    with pytest.raises(HistoryError):
        load(bytes(data), whole=0)
    with pytest.raises(HistoryError, match="cut off"):
        load(bytes(data[: int(place * len(data))]), whole=0)


@pytest.mark.parametrize("whole", [0, 10_000])
def test_a_damaged_event_is_named_by_its_place(whole: int) -> None:
    """0xc1 begins no value of MessagePack."""
    head, *rows, _ = map(bytes, written(reply_lost(Run()).history()))
    before = head + b"".join(rows[:3])
    with pytest.raises(HistoryError, match=rf"byte {len(before)}: event 3 of {len(rows)} is damaged"):
        load(before + b"\xc1" + b"".join(rows[4:]), whole=whole)
    with pytest.raises(HistoryError, match=rf"byte {len(before)}: the file ends in event 3 of {len(rows)}; it was cut"):
        load(before + rows[3][:-1], whole=whole)


def test_an_event_whose_detail_is_no_map_is_none() -> None:
    head, *rows, _ = map(bytes, written(reply_lost(Run()).history()))
    fields = msgpack.unpackb(rows[3], strict_map_key=False)
    rows[3] = msgpack.packb([*fields[:-1], [1]])
    whole = head + b"".join(rows)
    data = whole + msgpack.packb({"end": len(rows), "crc": crc32(whole)})
    with pytest.raises(HistoryError, match=rf"event 3 of {len(rows)} is no event \(its detail is no map\)"):
        list(load(data, whole=0).events)


def test_events_of_several_kinds_come_in_order() -> None:
    held, unheld = (Index(history) for history in both(reply_lost))
    some = [event for event in held.events if event.kind in (Kind.SEND, Kind.EFFECT)]
    assert list(unheld.in_order(Kind.EFFECT, Kind.SEND)) == list(held.in_order(Kind.EFFECT, Kind.SEND)) == some
