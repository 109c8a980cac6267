"""One transaction makes exactly-once exact; two variants split it."""

from __future__ import annotations

from nodes.ops import ReplyRecord
from nodes.rpc.transactions import transactions
from nodes.wire.header import CallHeader

HEADER = CallHeader(101, 3, 1, 3, 0, 9)
RECORD = ReplyRecord(101, 3, 3, 5)


def test_effect_state_and_record_are_one_transaction() -> None:
    [only] = transactions(None, HEADER, {"total": 5}, 5, RECORD)
    assert only.effect is not None
    assert (only.identity, only.state, only.record) == ((101, 3, 1), {"total": 5}, RECORD)


def test_variants_split_it_in_either_order() -> None:
    effect, record = transactions("effect-before-record", HEADER, {"total": 5}, 5, RECORD)
    assert (effect.record, record.effect, record.state) == (None, None, None)
    assert effect.effect is not None
    assert record.record == RECORD
    assert transactions("record-before-effect", HEADER, {"total": 5}, 5, RECORD) == [record, effect]
