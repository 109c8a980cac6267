"""Records: what is written is read back, a cut-off end is told from damage."""

from __future__ import annotations

import struct
from typing import Any
from zlib import crc32

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire import msgpackrpc
from nodes.wire.record import MAX_RECORD, Damaged, Kind, Record, RecordTooLarge, decode, encode

unsigned = st.integers(0, 2**32 - 1)
scalars = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(max_size=8) | st.binary(max_size=8)
details = st.none() | st.dictionaries(st.text(max_size=6), scalars | st.lists(scalars, max_size=3), max_size=4)
records = st.builds(
    Record, st.integers(0, 2**63 - 1), st.sampled_from(Kind), unsigned, unsigned, unsigned, unsigned, details
)
heads = st.builds(struct.Struct(">II").pack, st.integers(0, 40), unsigned)
payloads = st.binary(max_size=40) | st.binary(max_size=6).map(lambda rest: b"\x97" + rest)
tails = st.binary(max_size=9) | st.builds(bytes.__add__, heads, payloads)


def written(lines: list[Record]) -> bytes:
    return b"".join(encode(*line) for line in lines)


def framed(payload: Any) -> bytes:
    data: bytes = msgpack.packb(payload)
    return struct.pack(">II", len(data), crc32(data)) + data


@settings(max_examples=100, deadline=None)
@given(st.lists(records, max_size=5))
def test_what_is_written_is_read_back(lines: list[Record]) -> None:
    assert decode(written(lines)) == (lines, None)


@settings(max_examples=150, deadline=None)
@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_every_cut_within_the_last_record_is_torn_and_keeps_the_others(
    lines: list[Record], data: st.DataObject
) -> None:
    whole = written(lines)
    before = len(written(lines[:-1]))
    cut = data.draw(st.integers(before + 1, len(whole) - 1))
    kept, torn = decode(whole[:cut])
    assert kept == lines[:-1]
    assert torn is not None
    assert torn.startswith(f"byte {before}:")


@settings(max_examples=200, deadline=None)
@given(st.lists(records, min_size=2, max_size=4), st.data())
def test_a_flipped_bit_is_never_read_as_a_record(lines: list[Record], data: st.DataObject) -> None:
    whole = bytearray(written(lines))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    try:
        kept, torn = decode(bytes(whole))
    except Damaged:
        return
    # Only a length that grew can pass for a cut-off end, and never with more than what preceded it.
    assert torn is not None
    assert kept == lines[: len(kept)]
    assert len(kept) < len(lines)


def test_a_length_that_grew_over_whole_records_is_damage() -> None:
    whole = bytearray(encode(1, Kind.READY, 0, 0, 0, 0, None) * 3)
    whole[2] = 1  # 256 bytes more
    with pytest.raises(Damaged, match="byte 0: a whole record is shorter than its length says"):
        decode(bytes(whole))


@settings(max_examples=100, deadline=None)
@given(st.lists(records, max_size=2), tails)
def test_whatever_follows_records_is_torn_or_damage_and_never_one_more(lines: list[Record], rest: bytes) -> None:
    good = written(lines)
    try:
        kept, wrong = decode(good + rest)
    except Damaged as damaged:
        kept, wrong = lines, str(damaged)
    assert kept == lines
    assert wrong is None if not rest else wrong is not None and wrong.startswith(f"byte {len(good)}:")


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ([1, 999, 0, 0, 0, 0, None], "unknown kind 999"),
        ([1, "READY", 0, 0, 0, 0, None], "unknown kind 'READY'"),
        ([1, 2, 0, 0, 0, None], "not a record"),
        ([1, 2, 0, 0, 0, 0, 0, None], "not a record"),
        ([1, 2, "a", 0, 0, 0, None], "wrong type"),
        ([1, 2, 0, 0, 0, 0, [1]], "wrong type"),
        ({"time": 1}, "not a record"),
        (5, "not a record"),
    ],
)
def test_a_payload_that_is_no_record_is_damage(payload: Any, reason: str) -> None:
    good = encode(1, Kind.READY, 0, 0, 0, 0, None)
    with pytest.raises(Damaged, match=reason) as caught:
        decode(good + framed(payload))
    assert caught.value.offset == len(good)


def test_a_length_above_the_limit_is_damage_and_not_a_torn_end() -> None:
    with pytest.raises(Damaged, match="above"):
        decode(struct.pack(">II", MAX_RECORD + 1, 0))


def test_a_payload_above_the_limit_is_refused_and_the_next_is_written() -> None:
    with pytest.raises(RecordTooLarge):
        encode(1, Kind.OK, 1, 1, 1, 1, {"value": b"x" * MAX_RECORD})
    assert decode(encode(1, Kind.OK, 1, 1, 1, 1, {"value": 3}))[0][0].detail == {"value": 3}


def test_a_detail_that_msgpack_cannot_hold_is_refused_and_the_next_is_written() -> None:
    with pytest.raises(TypeError):
        encode(1, Kind.OK, 1, 1, 1, 1, {"value": object()})
    assert len(decode(encode(1, Kind.OK, 1, 1, 1, 1, None))[0]) == 1


def test_whatever_a_message_of_ours_holds_fits_into_a_record() -> None:
    largest = b"x" * msgpackrpc.LIMIT
    detail = {"intent": 2**64 - 1, "f": "f" * 60, "value": largest, "connection": 2**64 - 1}
    encode(2**64 - 1, Kind.EXECUTE, 2**32 - 1, 2**32 - 1, 2**32 - 1, 99, detail)
