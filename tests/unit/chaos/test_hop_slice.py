"""A message that goes on in pieces: one at a time, `gap` apart, and nothing comes between them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from itertools import pairwise
from typing import Any

import pytest
from hop_bench import Bench, forwarded, injected, typed
from hypothesis import given, settings
from hypothesis import strategies as st

from chaos.decisions import PASSED, Awaits, Cut, Decided, Decision, Keep, Slice
from chaos.hop import Effect, End, Finish, Forward, Pause, Resume
from chaos.hop.kept import COST
from chaos.identity import Chunk, Direction, Key
from nodes.wire.record import Kind

GAP = 1_000
SLICED = Slice(30, GAP)
BOTH: list[Direction] = ["request", "reply"]
both = pytest.mark.parametrize("direction", BOTH)


def decided(decisions: dict[int, Decision], direction: Direction | None = None) -> Any:
    """By the number of the operation."""

    def decide(key: Key | Chunk, active: Collection[int]) -> Decided:
        seq = key.seq if isinstance(key, Key) else -1
        if seq not in decisions or direction not in (None, key.direction):
            return PASSED
        return Decided(0, decisions[seq])

    return decide


def bench(decisions: dict[int, Decision], direction: Direction | None = None, transport: str = "tcp") -> Bench:
    return Bench([], "xdr", transport, decide=decided(decisions, direction))


def ticked(b: Bench) -> list[list[Effect]]:
    """Tick until there is nothing more to do -> the effects of each."""
    done = []
    while (at := b.hop.next_time()) is not None:
        done.append(b.hop.tick(at))
    return done


def pieces(data: bytes, size: int = SLICED.size) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@both
def test_it_goes_on_in_pieces_a_gap_apart(direction: Direction) -> None:
    b = bench({1: SLICED})
    data = b.message(direction, 1)
    first, *middle, last = pieces(data)
    assert len(middle) > 0
    assert typed(b.send(direction, data, now=5)) == typed([Pause(1, direction), Forward(1, direction, first)])
    for number, piece in enumerate(middle, 1):
        assert b.hop.next_time() == 5 + number * GAP
        assert b.hop.tick(5 + number * GAP - 1) == []
        assert b.hop.status()[:2] == (0, 1)
        assert b.hop.tick(5 + number * GAP) == [Forward(1, direction, piece)]
    assert [typed(done) for done in ticked(b)] == [typed([Forward(1, direction, last), Resume(1, direction)])]
    assert b.acts() == b.acts(Kind.RELEASE) == [(1, 1, "slice")]
    assert b.hop.status()[:2] == (0, 0)


def test_a_late_tick_brings_one_piece_and_the_next_is_a_gap_behind_it() -> None:
    b = bench({1: SLICED})
    data = b.messages.call(1)
    b.request(data)
    assert b.hop.tick(10 * GAP) == [Forward(1, "request", pieces(data)[1])]
    assert b.hop.next_time() == 11 * GAP


def test_it_counts_as_passed_when_all_of_it_went() -> None:
    b = bench({1: SLICED})
    b.request(b.messages.call(1))
    assert b.hop.status().passed == {}
    ticked(b)
    assert b.hop.status().passed == {1: 1}


def test_a_message_that_fits_into_a_piece_passes_as_it_is() -> None:
    b = bench({})
    data = b.messages.call(1)
    b = bench({1: Slice(len(data), GAP)})
    assert b.request(data) == [Forward(1, "request", data)]
    assert (b.acts(), b.acts(Kind.RELEASE), b.hop.next_time()) == ([(1, 1, "slice")], [], None)
    b = bench({1: Slice(len(data) - 1, GAP)})
    assert b.request(data)[-1] == Forward(1, "request", data[:-1])


@both
def test_what_follows_on_its_stream_waits_undecided_and_the_other_direction_does_not(direction: Direction) -> None:
    b = bench({1: SLICED}, direction)
    first, second, third = (b.message(direction, seq) for seq in (1, 2, 3))
    other: Direction = "reply" if direction == "request" else "request"
    b.send(direction, first + second)
    assert b.send(direction, third) == []
    assert b.hop.status().pending == 3
    assert b.send(other, b.message(other, 9)) == [Forward(1, other, b.message(other, 9))]
    assert b.acts() == [(1, 1, "slice"), (9, 1, "pass")]
    rest = ticked(b)
    assert b"".join(forwarded(effects, direction) for effects in rest) == first[SLICED.size :] + second + third
    went = [Forward(1, direction, second), Forward(1, direction, third), Resume(1, direction)]
    assert typed(rest[-1][-3:]) == typed(went)
    assert b.acts()[2:] == [(2, 1, "pass"), (3, 1, "pass")]


def test_another_connection_does_not_wait() -> None:
    b = bench({1: SLICED})
    b.hop.opened(2)
    b.request(b.messages.call(1))
    assert b.request(b.messages.call(2), connection=2) == [Forward(2, "request", b.messages.call(2))]


def test_of_two_in_a_row_the_second_begins_behind_the_first_and_lets_wait_in_its_turn() -> None:
    b = bench({1: SLICED, 2: SLICED})
    first, second, third = (b.messages.call(seq) for seq in (1, 2, 3))
    effects = b.request(first + second + third)
    rest = ticked(b)
    assert effects[1:] == [Forward(1, "request", first[: SLICED.size])]
    assert forwarded([effect for done in (effects, *rest) for effect in done], "request") == first + second + third
    assert b.acts() == [(1, 1, "slice"), (2, 1, "slice"), (3, 1, "pass")]
    assert len(rest) == len(pieces(first)) + len(pieces(second)) - 2
    assert not any(isinstance(effect, Resume) for done in rest[:-1] for effect in done)
    assert typed(rest[-1][-1:]) == typed([Resume(1, "request")])


@both
def test_the_end_of_its_stream_waits_behind_what_waits(direction: Direction) -> None:
    b = bench({1: SLICED})
    data = b.message(direction, 1), b.message(direction, 2)
    b.send(direction, data[0] + data[1] + b"unfinished")
    assert b.hop.ended(1, direction, 0) == []
    assert b.hop.status().pending == 3
    went = [Forward(1, direction, data[1]), Forward(1, direction, b"unfinished"), Finish(1, direction)]
    assert typed(ticked(b)[-1][1:4]) == typed(went)


def test_heal_passes_the_rest_at_once_and_what_waited_behind_it() -> None:
    b = bench({1: SLICED, 2: SLICED})
    data = [b.messages.call(seq) for seq in (1, 2, 3)]
    b.request(data[0] + data[1])
    b.request(data[2])
    effects = b.hop.heal()
    assert forwarded(effects, "request") == data[0][SLICED.size :] + data[1] + data[2]
    assert typed(effects[-1:]) == typed([Resume(1, "request")])
    assert (b.hop.status()[:2], b.hop.next_time()) == ((0, 0), None)
    assert b.acts() == [(1, 1, "slice"), (2, 1, "pass"), (3, 1, "pass")]


GONE: list[Callable[[Bench], Any]] = [
    lambda b: b.hop.lost(1),
    lambda b: b.hop.broken(1, "why"),
    lambda b: b.hop.upstream(False, 1),
]


@pytest.mark.parametrize("gone", GONE, ids=["lost", "broken", "down"])
def test_what_is_left_of_it_is_lost_with_its_connection(gone: Callable[[Bench], Any]) -> None:
    b = bench({1: SLICED})
    b.request(b.messages.call(1) + b.messages.call(2))
    gone(b)
    assert [typed(done) for done in ticked(b)] == [typed([Resume(1, "request")])]
    assert b.acts() == [(1, 1, "slice")]
    assert b.acts(Kind.RELEASE) == [(1, 1, "lost")]
    assert (b.hop.status().passed, b.hop.status()[:2]) == ({}, (0, 0))


def test_what_is_released_onto_its_stream_waits_too() -> None:
    b = bench({1: Keep(Awaits.RELEASE), 2: SLICED, 4: Keep(Awaits.TIME, by=GAP // 2)})
    calls = [b.messages.call(seq) for seq in (1, 2, 3, 4)]
    b.request(calls[0])
    b.request(calls[3])
    b.request(calls[1])
    assert b.hop.release(0) == []
    assert b.hop.tick(GAP // 2) == []
    b.request(calls[2])
    assert b.acts(Kind.RELEASE) == []
    assert b.hop.status()[:2] == (0, 4)
    assert forwarded(ticked(b)[-1], "request").endswith(calls[0] + calls[3] + calls[2])
    assert b.acts(Kind.RELEASE) == [(2, 1, "slice"), (1, 1, "hold"), (4, 1, "delay")]


def test_what_waited_for_its_connection_in_vain_is_injected() -> None:
    b = bench({1: Keep(Awaits.RELEASE), 2: SLICED})
    b.request(b.messages.call(1) + b.messages.call(2))
    b.hop.release(0)
    b.hop.lost(1)
    assert [injected(effects) for effects in ticked(b)] == [[b.messages.call(1)]]


def test_one_that_is_lost_frees_no_follower() -> None:
    b = bench({1: Keep(Awaits.NEXT), 2: SLICED})
    b.request(b.messages.call(1) + b.messages.call(2))
    b.hop.lost(1)
    assert [injected(effects) for effects in ticked(b)] == [[]]
    assert b.hop.status().held == 1


def test_of_a_connection_that_is_unknown_or_over_nothing_ends() -> None:
    b = bench({})
    assert b.hop.ended(9, "request", 0) == []
    assert typed(b.hop.ended(1, "request", 0)) == typed([Finish(1, "request")])
    assert b.hop.ended(1, "request", 0) == []


def test_what_was_to_follow_it_goes_directly_behind_it() -> None:
    b = bench({1: Keep(Awaits.NEXT), 2: SLICED})
    calls = [b.messages.call(seq) for seq in (1, 2, 3)]
    b.request(calls[0])
    b.request(calls[1] + calls[2])
    assert b.hop.status()[:2] == (1, 2)
    assert forwarded(ticked(b)[-1], "request").endswith(calls[0] + calls[2])


@pytest.mark.parametrize("bytes_per_second", [10, 10**9], ids=["slow last", "slow first"])
def test_a_sender_that_a_slow_path_stops_too_is_read_again_when_both_let_it(
    bytes_per_second: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chaos.hop.pace.QUEUE", 10)
    b = bench({1: Keep(Awaits.TURN, bytes_per_second=bytes_per_second), 2: SLICED})
    began = b.request(b.messages.call(1) + b.messages.call(2))
    assert [type(effect) for effect in began] == [Pause, Forward]
    rest = ticked(b)
    assert [effect for done in rest[:-1] for effect in done if isinstance(effect, Resume)] == []
    assert typed(rest[-1][-1:]) == typed([Resume(1, "request")])


def test_beyond_the_bound_it_passes_whole_and_what_waits_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    b = bench({1: SLICED, 2: SLICED, 3: SLICED})
    calls = [b.messages.call(seq) for seq in (1, 2, 3)]
    monkeypatch.setattr("chaos.hop.hop.LARGEST", sum(len(call) + COST for call in calls) - 1)
    b.hop.opened(2)
    b.request(calls[0] + calls[1])
    assert b.request(calls[2], connection=2) == [Forward(2, "request", calls[2])]
    assert b.acts() == [(1, 1, "slice"), (3, 1, "pass")]
    assert [detail["count"] for kind, *_, detail in b.notes if kind is Kind.BOUND] == [1]


def test_a_cut_of_the_other_direction_ends_it() -> None:
    def decide(key: Key | Chunk, active: Collection[int]) -> Decided:
        return Decided(0, SLICED if key.direction == "request" else Cut("before"))

    b = Bench([], "xdr", "tcp", decide=decide)
    b.request(b.messages.call(1))
    assert b.reply(b.messages.reply(9)) == [End(1)]
    assert [typed(done) for done in ticked(b)] == [typed([Resume(1, "request")])]


sizes = st.integers(1, 60)


@given(st.lists(st.one_of(st.none(), sizes), max_size=8), st.lists(st.integers(1, 400), max_size=6), st.integers(0, 3))
@settings(deadline=None, max_examples=80)
def test_whatever_is_sliced_a_stream_comes_out_as_it_went_in(
    sliced: list[int | None], cuts: list[int], ticks: int
) -> None:
    b = bench({seq: Slice(size, GAP) for seq, size in enumerate(sliced, 1) if size is not None})
    whole = b"".join(b.messages.call(seq) for seq in range(1, len(sliced) + 1)) + b"rest"
    effects: list[Effect] = []
    places = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    for start, stop in pairwise(places):
        effects += b.request(whole[start:stop])
        for _ in range(ticks):
            effects += b.hop.tick(b.hop.next_time() or 0)
    effects += b.hop.ended(1, "request", 0)
    effects += [effect for done in ticked(b) for effect in done]
    assert forwarded(effects, "request") == whole
    assert sum(isinstance(effect, Finish) for effect in effects) == 1
    assert sum(isinstance(effect, Pause) for effect in effects) == sum(isinstance(e, Resume) for e in effects)
    assert b.hop._lines.cost == 0


def test_a_rule_that_is_off_already_lets_nothing_go() -> None:
    """A recorded decision keeps a message whatever is switched on."""
    b = bench({1: Keep(Awaits.TURN, bytes_per_second=1)})
    b.request(b.messages.call(1))
    assert b.hop.rule(0, False) == []
    assert b.hop.status().pending == 1
