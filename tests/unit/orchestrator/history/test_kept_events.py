"""What is read of a history that is not held: what is asked for, once for two who read beside one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import pairwise

import pytest
from history_builder import CLIENT, Run

from nodes.wire.record import Kind
from orchestrator.history import stored
from orchestrator.history.file import dump, load
from orchestrator.history.grouped import UnheldTraces
from orchestrator.history.index import Index
from orchestrator.history.merged import Event, History
from orchestrator.history.stored import Picked, Stored, chosen, picked

BLOCK = 6
CALLS = 12
OTHER = CLIENT + 100


class Counting(BytesIO):
    """How many bytes each reading took."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.sizes: list[int] = []

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.sizes.append(len(data))
        return data

    def times(self, of: Iterator[Event] | Sequence[Event] | Event) -> int:
        """How often it is read for that."""
        self.sizes.clear()
        for _ in of if not isinstance(of, Event) else ():
            pass
        return len(self.sizes)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BLOCK", BLOCK), ("KEPT", 2)):
        monkeypatch.setattr(stored, name, value)


def history() -> Run:
    """Every call but each fourth, of which older versions journalled less, went straight."""
    run = Run()
    for seq in range(1, CALLS + 1):
        if seq % 4:
            run.invoke(seq).send(seq, first=seq, wait=1).decide("request", seq).receive(seq, first=seq).execute(seq)
            run.commit(seq).answer(seq, 1, run.total, connection=1).decide("reply", seq).reply(seq, 1, run.total).ok(
                seq, run.total
            )
        else:
            run.call(seq)
    return run


@pytest.fixture
def file() -> Counting:
    return Counting(dump(history().history()))


@pytest.fixture
def events(file: Counting) -> Stored:
    found = load(file, whole=0).events
    assert isinstance(found, Stored)
    return found


def blocks(events: Stored) -> int:
    return -(-len(events) // BLOCK)


def test_all_that_are_as_many_as_are_held_are_held() -> None:
    data = dump(history().history())
    count = len(load(data).events)
    assert isinstance(load(data, whole=count).events, tuple)
    assert isinstance(load(data, whole=count - 1).events, Stored)


def test_who_reads_along_reads_each_block_once_also_beside_another(file: Counting, events: Stored) -> None:
    assert file.times(iter(events)) == blocks(events)
    assert file.times(event for pair in zip(events, events, strict=True) for event in pair) == blocks(events)
    behind = ((events[order - BLOCK], events[order]) for order in range(BLOCK, len(events)))
    assert file.times(event for pair in behind for event in pair) == blocks(events)


def test_two_blocks_are_kept_those_that_were_asked_for_last(file: Counting, events: Stored) -> None:
    first, second, third = (events[place] for place in (0, BLOCK, 2 * BLOCK))
    file.sizes.clear()
    assert (events[BLOCK], events[2 * BLOCK]) == (second, third)
    assert file.sizes == []
    assert events[0] == first
    assert len(file.sizes) == 1
    assert events[2 * BLOCK] == third
    events[BLOCK]
    file.sizes.clear()
    assert events[2 * BLOCK + 1]
    assert file.sizes == []


def test_of_a_block_of_which_few_are_wanted_the_rest_is_not_decoded(file: Counting, events: Stored) -> None:
    file.sizes.clear()
    assert [event.order for event in events.pick([1, 2])] == [1, 2]
    (few,) = file.sizes
    file.sizes.clear()
    assert [event.order for event in events.pick([0, 1, 2])] == [0, 1, 2]
    assert sum(file.sizes) > few
    assert file.times(events.pick([1, 2])) == 0
    assert file.times(events.pick([BLOCK, BLOCK + 1, 2 * BLOCK])) == 2
    assert file.times(events.pick([BLOCK, BLOCK + 1, 2 * BLOCK])) == 2


def test_what_is_picked_is_a_sequence_of_its_own(events: Stored) -> None:
    some = Picked(events, [3, 5, 8, 13])
    assert [event.order for event in some] == [3, 5, 8, 13]
    assert (len(some), some[1], some[-1]) == (4, events[5], events[13])
    assert [event.order for event in some[1:3]] == [5, 8]
    assert isinstance(some[1:3], Picked)
    held = tuple(events)
    assert list(picked(held, [4, 2])) == [held[4], held[2]]
    assert list(picked(events, [2, 4])) == [held[2], held[4]]


def test_those_at_some_places_are_not_held_if_the_others_were_not(events: Stored) -> None:
    some = chosen(events, [3, 8])
    assert isinstance(some, Picked)
    assert [event.order for event in some] == [3, 8]
    held = list(events)[3:9]
    assert chosen(held, [5, 0]) == [held[5], held[0]]


# Operations


@pytest.fixture
def index(events: Stored) -> Index:
    return Index(History("test", events))


def test_what_went_straight_is_read_again_and_the_rest_is_kept(file: Counting, index: Index) -> None:
    assert isinstance(index.traces, UnheldTraces)
    assert sorted(seq for _, seq in index.courses) == [1, 2, 3, 5, 6, 7, 9, 10, 11]
    file.sizes.clear()
    assert index.traces[CLIENT, 4] is index.traces[CLIENT, 4]
    assert file.sizes == []
    assert index.traces[CLIENT, 5] is not index.traces[CLIENT, 5]
    assert file.sizes


def test_who_asks_for_all_reads_them_once(file: Counting, events: Stored, index: Index) -> None:
    rows = len(index.of_kind(Kind.EFFECT))
    assert file.times(trace.completion for trace in index.invoked.values() if trace.completion) <= (
        blocks(events) + rows
    )


def test_of_all_but_some_the_first_come_first(index: Index) -> None:
    assert [seq for _, seq in index.traces.without(index.courses)] == [4, 8, 12]
    some = {operation: course for operation, course in index.courses.items() if operation[1] not in (3, 9)}
    assert [seq for _, seq in index.traces.without(some)] == [3, 4, 8, 9, 12]


def test_who_asks_for_one_that_is_none_gets_a_key_error(index: Index) -> None:
    for strange in ((CLIENT, CALLS + 2), (CLIENT, 1_000), (OTHER, 1)):
        for mapping in (index.traces, index.invoked):
            assert strange not in mapping
            with pytest.raises(KeyError):
                mapping[strange]


def test_operations_come_in_their_order_whichever_way_they_are_asked_for(index: Index) -> None:
    wanted = [(CLIENT, seq) for seq in range(1, CALLS + 1)]
    assert list(index.invoked) == [operation for operation, _ in index.invoked.items()] == wanted
    assert [trace.operation for trace in index.invoked.values()] == wanted
    assert sorted(index.traces) == wanted
    assert (len(index.traces), len(index.invoked), len(index.invoked.items())) == (CALLS, CALLS, CALLS)
    assert wanted[0] in index.invoked


def test_whoever_they_are_of_they_are_put_together_alike() -> None:
    run = Run()
    for seq in (1, 2, 3):
        run.invoke(seq).invoke(seq, OTHER)
    for seq in (3, 2, 1):
        run.info(seq).info(seq, client=OTHER)
    run.hello().note("server", 1, Kind.RECEIVE, 0, 3).note("server", 1, Kind.BROKEN, 0, 3).trim(2)
    unheld, held = (Index(load(dump(run.history()), whole=whole)) for whole in (0, 1_000))
    assert {**unheld.traces} == held.traces
    assert [*unheld.invoked] == [*held.invoked]
    assert [operation for operation, _ in unheld.invoked.items()] == [*held.invoked]
    assert (unheld.hellos, unheld.strangers) == (held.hellos, held.strangers)
    assert ([*held.hellos], [*held.strangers]) == ([CLIENT], [(0, 3)])
    for life in held.lives:
        assert all(one.order < other.order for one, other in pairwise(unheld.lives[life]))
    assert unheld.lives.keys() == held.lives.keys()
