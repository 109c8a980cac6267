"""What a hop keeps is bounded, and what a bound cuts off is on record."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hop_bench import LINK, Bench, forwarded, injected, typed

from chaos.decisions import passing
from chaos.faults.fault import RelayFault
from chaos.faults.messages import Delay, Drop, Duplicate, Hold, Reorder
from chaos.faults.paths import Rate
from chaos.framers import Message, framers
from chaos.framers.message import LARGEST_MESSAGE
from chaos.hop import Forward, Hop, Pause, Resume
from chaos.hop.kept import COST, LARGEST, Closing, Timetable
from chaos.hop.pace import QUEUE
from chaos.hop.path import Path
from chaos.identity import Direction
from nodes.wire.record import Kind

BIG = 1 << 20
HEAD = b"*1\r\n$1048576\r\n"


def chunk(number: int) -> bytes:
    """A command of RESP of a MiB."""
    return HEAD + number.to_bytes(4, "big") * (BIG // 4) + b"\r\n"


def bounds(b: Bench) -> list[int]:
    return [detail["count"] for kind, *_, detail in b.notes if kind is Kind.BOUND]


def decided(b: Bench) -> list[tuple[int | None, str]]:
    return [(detail["rule"], detail["act"]) for kind, *_, detail in b.notes if kind is Kind.DECISION]


@pytest.mark.parametrize(
    "fault", [Hold(link=LINK, hold="request"), Delay(link=LINK, delay="request", by=1000)], ids=["hold", "delay"]
)
def test_what_would_be_kept_beyond_a_bound_passes_and_that_is_noted_once_a_burst(fault: RelayFault) -> None:
    b = Bench([fault], "resp", "tcp")
    most = LARGEST // (len(chunk(0)) + COST)
    for number in range(most):
        assert b.request(chunk(number)) == []
    for number in range(most, most + 3):
        assert b.request(chunk(number)) == [Forward(1, "request", chunk(number))]
    assert decided(b) == [(0, type(fault).__name__.lower())] * most + [(None, "pass")] * 3
    assert bounds(b) == [1]
    assert forwarded(b.hop.heal(), "request") == b"".join(map(chunk, range(most)))
    b.hop.notes.close()
    assert bounds(b) == [1, 2]


def test_room_that_is_free_again_ends_the_burst_and_tells_how_long_it_was() -> None:
    b = Bench([Delay(link=LINK, delay="request", by=1)], "resp", "tcp")
    for number in range(LARGEST // len(chunk(0)) + 3):
        b.request(chunk(number))
    b.hop.tick(2_000_000)
    assert b.request(chunk(0)) == []
    assert bounds(b)[0] == 1
    assert sum(bounds(b)) == decided(b).count((None, "pass"))


def test_what_came_due_and_nobody_takes_counts_as_kept() -> None:
    b = Bench([Delay(link=LINK, delay="request", by=1)], "resp", "tcp")
    room = LARGEST - len(chunk(0)) - COST
    b.hop.backlog = lambda: room
    assert b.request(chunk(0)) == []
    b.hop.tick(2_000_000)
    b.hop.backlog = lambda: room + 1
    assert b.request(chunk(1)) == [Forward(1, "request", chunk(1))]
    assert bounds(b) == [1]


@pytest.mark.parametrize(
    "fault",
    [
        Reorder(link=LINK, reorder="request", attempt="all"),
        Duplicate(link=LINK, duplicate="request", copy="at-reply"),
        Duplicate(link=LINK, duplicate="request", copy="after-trim"),
        Duplicate(link=LINK, duplicate="request", copy="next-epoch"),
    ],
)
def test_every_kept_message_counts(fault: RelayFault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chaos.hop.hop.LARGEST", 100 * COST)
    b = Bench([fault], "xdr", "udp")
    for client in range(1, 101):
        b.request(b.messages.call(1, client=client * 100))
    assert bounds(b) == [1]


def test_datagrams_beyond_a_bound_are_lost_in_front_of_a_slow_path() -> None:
    b = Bench([Rate(link=LINK, rate="request", bytes_per_second=1)], "xdr", "udp")
    datagram = b"x" * 60_000
    sent = LARGEST // len(datagram) + 5
    for _ in range(sent):
        assert b.request(datagram) == []
    lost = decided(b).count((0, "lost"))
    assert 0 < lost < 30
    assert bounds(b) == [1]
    assert len(b.hop.heal()) == sent - lost


def test_over_a_stream_the_sender_waits_in_front_of_a_slow_path_until_half_of_the_queue_is_gone() -> None:
    b = Bench([Rate(link=LINK, rate="request", bytes_per_second=QUEUE)], "resp", "tcp")
    b.hop.opened(2)
    assert typed(b.request(chunk(0))) == typed([Pause(1, "request")])
    assert typed(b.request(chunk(1), connection=2)) == typed([Pause(2, "request")])
    second = 1_000_000_000
    begun = b.hop.tick(5 * second)
    assert begun == [Forward(1, "request", chunk(0))]
    rest = [Forward(2, "request", chunk(1)), Resume(1, "request"), Resume(2, "request")]
    assert typed(b.hop.tick(9 * second)) == typed(rest)
    assert bounds(b) == []


def test_a_rate_that_goes_lets_everybody_send_again() -> None:
    b = Bench([Rate(link=LINK, rate="both", bytes_per_second=1)], "resp", "tcp")
    assert typed(b.request(chunk(0))) == typed([Pause(1, "request")])
    assert typed(b.hop.rule(0, False)) == typed([Forward(1, "request", chunk(0)), Resume(1, "request")])


def test_a_message_that_is_too_long_meets_no_fault_and_that_is_noted_once() -> None:
    b = Bench([Drop(link=LINK, drop="request", operations=(5,))], "http1", "tcp")
    begin = f"PUT / HTTP/1.1\r\nIdempotency-Key: 101000005\r\nContent-Length: {LARGEST_MESSAGE}\r\n\r\n".encode()
    assert b.request(begin) == [Forward(1, "request", begin)]
    assert b.request(b"more") == [Forward(1, "request", b"more")]
    notes = [detail for kind, *_, detail in b.notes if kind is Kind.UNIDENTIFIED]
    assert [(note["link"], note["connection"], note["direction"]) for note in notes] == [(LINK, 1, "request")]
    assert "at most" in notes[0]["reason"]
    assert decided(b) == [(None, "pass")] * 2


def test_a_long_cell_does_not_grow() -> None:
    b = Bench([Drop(link=LINK, drop="reply", probability=0.1)], "xdr", "tcp")
    for seq in range(1, 5_000):
        b.request(b.messages.call(seq, first=seq))
        b.reply(b.messages.reply(seq))
        b.notes.clear()
    assert len(b.hop._occurrences) < 2_000


def test_a_copy_that_comes_too_late_to_be_counted_meets_no_message_fault() -> None:
    b = Bench([Drop(link=LINK, drop="request", operations=(1,), attempt="all")], "xdr", "udp")
    assert b.request(b.messages.call(1)) == []
    for seq in range(2, 2_000):
        b.request(b.messages.call(seq, first=seq))
    assert b.request(b.messages.call(1, first=1)) == [Forward(1, "request", b.messages.call(1, first=1))]
    assert b.acts()[-1] == (1, 0, "pass")


class Faulty:
    """A framer with a fault of its own."""

    decisions = frozenset({"drop"})
    problem = None

    def feed(self, data: bytes, direction: Direction) -> list[Message]:
        raise ZeroDivisionError("nobody foresaw this")

    def pending(self) -> bytes:
        return b""


@pytest.mark.parametrize("stream", [True, False])
def test_what_nobody_foresaw_ends_a_stream_and_loses_a_datagram(stream: bool) -> None:
    notes: list[tuple[Kind, Any]] = []

    def note(kind: Kind, *args: int, detail: dict[str, Any] | None = None) -> None:
        notes.append((kind, detail))

    hop = Hop(LINK, lambda: {"request": Faulty(), "reply": Faulty()}, passing, [], [], note, stream=stream)
    hop.upstream(True, 1)
    hop.opened(1)
    with pytest.raises(ZeroDivisionError):
        hop.received(1, "request", b"x", 0)
    effects = hop.broken(1, "ZeroDivisionError: nobody foresaw this")
    assert [type(effect).__name__ for effect in effects] == ["End"] * stream
    reason = {"link": LINK, "connection": 1, "reason": "ZeroDivisionError: nobody foresaw this"}
    assert notes[-1] == (Kind.BROKEN, reason)
    assert injected(hop.heal()) == []


def test_the_end_of_a_direction_takes_no_room() -> None:
    timetable = Timetable()
    timetable.put(5, Closing(Path(1, partial(framers, "xdr", "tcp")), "request", None))
    assert timetable.cost == 0
