"""What a server tells of what it uses: when it does, and what it counts."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from typing import Any

import pytest
from witnessing import Witnessing

from nodes.accepting import accept
from nodes.ops import Accept, Now, Send, Sleep, Socket
from nodes.rpc.peers import Outbox
from nodes.samples import PERIOD, STAYS, Sampler, Spent, Tally
from nodes.wire.record import Kind


class Measured:
    """A process whose every sample is another."""

    def __init__(self, *, shared: bool = True) -> None:
        self.shared = shared
        self.asked = 0

    def spent(self) -> Spent:
        self.asked += 1
        return Spent(self.asked * 10, self.asked, None)

    def number(self, socket: Socket) -> int:
        assert isinstance(socket, Numbered)
        return socket.number

    def overflows(self, listeners: Iterable[Socket]) -> int | None:
        return sum(1 for _ in listeners)


class Numbered(Socket):
    def __init__(self, number: int) -> None:
        self.number = number


def sampled(tally: Tally, meter: Measured) -> dict[str, Any]:
    """A server's last sample."""
    witness = Witnessing()
    Sampler(witness, meter, tally).end()
    (noted,) = witness.of(Kind.USAGE)
    assert noted.detail is not None
    return noted.detail


def test_it_says_what_was_used_and_what_connections_went_through() -> None:
    meter = Measured()
    tally = Tally(meter)
    tally.listeners += [Socket(), Socket()]
    for number in (7, 8, 7, 7):
        tally.accept(Numbered(number))
    tally.refused += 2
    outbox = Outbox()
    tally.open(outbox)
    tally.close(outbox)
    said = {"cpu": 10, "voluntary": 1, "involuntary": None, "accepted": 4, "ended": 1}
    assert sampled(tally, meter) == {**said, "refused": 2, "full": 0, "overflows": 2, "reused": 2}


def test_what_each_connections_own_process_sees_it_does_not_tell() -> None:
    meter = Measured(shared=False)
    found = sampled(Tally(meter), meter)
    assert (found["ended"], found["full"], found["accepted"]) == (None, None, 0)


def test_it_samples_at_its_beginning_and_then_again_and_again_until_its_end() -> None:
    witness = Witnessing()
    sampler = Sampler(witness, Measured(), Tally())
    program = sampler.program()
    assert isinstance(next(program), Now)
    for number in range(1, 4):
        assert len(witness.of(Kind.USAGE)) == number
        sleep = program.send(number * 1_000)
        assert isinstance(sleep, Sleep)
        assert sleep.until == number * 1_000 + PERIOD
        if number < 3:
            next(program)
    sampler.end()
    with pytest.raises(StopIteration):
        next(program)
    assert len(witness.of(Kind.USAGE)) == 4


def test_an_answer_that_stays_under_way_is_counted_once() -> None:
    tally, outbox = Tally(), Outbox()
    tally.open(outbox)
    sending = outbox.send(Send(Socket(), b"a"))
    next(sending)
    for look in range(1, STAYS + 5):
        tally.look()
        assert tally.full == (look >= STAYS)
    with pytest.raises(StopIteration):
        next(sending)
    tally.look()
    again = outbox.send(Send(Socket(), b"b"))
    next(again)
    for _ in range(STAYS):
        tally.look()
    assert tally.full == 2


def test_answers_that_are_on_their_way_one_after_another_are_not() -> None:
    tally, outbox = Tally(), Outbox()
    tally.open(outbox)
    for _ in range(3 * STAYS):
        sending = outbox.send(Send(Socket(), b"a"))
        next(sending)
        tally.look()
        assert next(sending, None) is None
    assert tally.full == 0


def test_of_what_waits_behind_it_the_first_is_under_way_then() -> None:
    outbox = Outbox()
    first, second = Send(Socket(), b"a"), Send(Socket(), b"b")
    sending = outbox.send(first)
    next(sending)
    assert next(outbox.send(second), None) is None
    assert outbox.sending is first
    assert next(sending) is second
    assert outbox.sending is second
    assert next(sending, None) is None
    assert outbox.sending is None


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_each_attempt_that_finds_no_room_is_counted(code: int) -> None:
    tally = Tally()
    program = accept(Socket(), tally)
    assert isinstance(next(program), Accept)
    for number in range(1, 4):
        assert isinstance(program.throw(OSError(code, "")), Now)
        assert isinstance(program.send(0), Sleep)
        assert isinstance(next(program), Accept)
        assert tally.refused == number
    with pytest.raises(StopIteration):
        program.send(Socket())
