"""A model's state, out of what a ledger kept of it."""

from __future__ import annotations

from typing import NamedTuple

import msgpack

from nodes.rpc.service import Model


class Queued(NamedTuple):
    waiting: tuple[tuple[int, int], ...] = ()
    taken: int = 0


MODEL = Model(Queued(), lambda state, procedure, argument: (state, None), lambda kept, expected: None)


def test_a_sequence_that_a_ledger_kept_is_in_a_state_as_it_was() -> None:
    state = Queued(((1, 2), (3, 4)), 5)
    made = MODEL.of(msgpack.unpackb(msgpack.packb(state._asdict())))
    assert made == state
    assert hash(made) == hash(state)


def test_what_a_ledger_does_not_have_is_as_at_first() -> None:
    assert MODEL.of({"taken": 2}) == Queued(taken=2)
