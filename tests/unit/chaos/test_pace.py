"""What a slow path asks of messages: their time to the nanosecond, and who may send again."""

from __future__ import annotations

from chaos.hop.pace import QUEUE, Pace


def test_one_message_goes_through_after_another() -> None:
    pace = Pace(4)
    assert pace.enter(8, 5) == 2_000_000_005
    assert pace.enter(4, 6) == 3_000_000_005
    assert pace.enter(1, 9_000_000_000) == 9_250_000_000


def test_who_had_to_wait_is_read_again_when_half_of_the_queue_is_gone() -> None:
    assert QUEUE == 262_144
    pace = Pace(1)
    pace.enter(QUEUE, 0)
    assert not pace.full
    pace.enter(1, 0)
    assert pace.full
    pace.paused |= {3, 1, 2}
    assert pace.leave(QUEUE // 2) == []
    assert pace.leave(1) == [1, 2, 3]
    assert pace.leave(1) == []
