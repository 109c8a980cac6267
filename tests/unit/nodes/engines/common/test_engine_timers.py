"""The deadline heap against a plain list of deadlines."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.engines.common.timers import Timer, Timers

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("arm"), st.integers(0, 20)),
        st.tuples(st.just("cancel"), st.integers(0, 300)),
        st.tuples(st.just("expire"), st.integers(0, 20)),
    ),
    max_size=300,
)


@settings(max_examples=100, deadline=None)
@given(ACTS)
def test_timers_fire_once_in_order_and_never_after_cancel(acts: list[tuple[str, int]]) -> None:
    timers: Timers[int] = Timers()
    armed: list[tuple[Timer[int], int, int]] = []
    model: dict[int, int] = {}
    for act, number in acts:
        if act == "arm":
            owner = len(armed)
            armed.append((timers.arm(number, owner), number, owner))
            model[owner] = number
        elif act == "cancel" and armed:
            timer, _, owner = armed[number % len(armed)]
            timers.cancel(timer)
            model.pop(owner, None)
        elif act == "expire":
            due = sorted((when, owner) for owner, when in model.items() if when <= number)
            assert list(timers.expired(number)) == [owner for _, owner in due]
            for _, owner in due:
                del model[owner]
        assert timers.earliest() == min(model.values(), default=None)


def test_cancelled_deadlines_do_not_pile_up() -> None:
    timers: Timers[int] = Timers()
    kept = timers.arm(10**9, -1)
    for number in range(10_000):
        timers.cancel(timers.arm(10**9 + number, number))
    assert len(timers.heap) < 200
    assert kept.owner == -1


def test_one_that_is_cancelled_by_another_that_fires_does_not_fire() -> None:
    timers: Timers[str] = Timers()
    timers.arm(1, "first")
    second = timers.arm(1, "second")
    fired = []
    for owner in timers.expired(1):
        fired.append(owner)
        timers.cancel(second)
    assert fired == ["first"]
    assert not timers.heap
