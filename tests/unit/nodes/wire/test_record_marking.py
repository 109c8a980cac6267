"""Record marking (RFC 5531 section 11)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire.errors import WireError
from nodes.wire.record_marking import RecordMarking, wrap


def fragment(content: bytes, last: bool) -> bytes:
    return (len(content) | (1 << 31 if last else 0)).to_bytes(4, "big") + content


def test_one_fragment_has_the_top_bit_and_the_length_in_front() -> None:
    assert wrap(b"abcde").hex() == "80000005" + b"abcde".hex()
    assert list(RecordMarking().feed(wrap(b"abcde"))) == [b"abcde"]


def test_fragments_are_joined_and_the_raw_bytes_kept() -> None:
    marking = RecordMarking()
    raw = fragment(b"ab", False) + fragment(b"", False) + fragment(b"cd", True)
    marking.push(raw + b"\x80")
    record = marking.next()
    assert record is not None
    assert (record.raw, record.payload, record.first) == (raw, b"abcd", 2)
    assert marking.next() is None
    assert marking.pending() == b"\x80"


def test_an_empty_record_is_a_record() -> None:
    assert list(RecordMarking().feed(wrap(b"") + wrap(b"x"))) == [b"", b"x"]


@pytest.mark.parametrize(
    "raw",
    [fragment(bytes(13), True), fragment(bytes(6), False) + fragment(bytes(3), True), b"\xff\xff\xff\xff"],
)
def test_a_record_over_the_limit_is_refused_before_it_has_come(raw: bytes) -> None:
    marking = RecordMarking(limit=16)
    with pytest.raises(WireError, match="at most 16"):
        list(marking.feed(raw))


def test_endless_empty_fragments_reach_the_limit() -> None:
    with pytest.raises(WireError):
        list(RecordMarking(limit=64).feed(fragment(b"", False) * 17))


def test_records_in_front_of_a_bad_one_are_delivered() -> None:
    payloads = RecordMarking(limit=16).feed(wrap(b"good") + b"\xff" * 8)
    assert next(payloads) == b"good"
    with pytest.raises(WireError):
        next(payloads)


@given(st.lists(st.lists(st.binary(max_size=9), min_size=1, max_size=3), max_size=5), st.data())
@settings(max_examples=150, deadline=None)
def test_however_a_stream_is_split_its_records_are_the_same(records: list[list[bytes]], data: st.DataObject) -> None:
    stream = b"".join(
        fragment(part, last=number == len(parts) - 1) for parts in records for number, part in enumerate(parts)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    marking = RecordMarking()
    found: list[bytes] = []
    for start, stop in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        found += marking.feed(stream[start:stop])
    assert found == [b"".join(parts) for parts in records]
    assert marking.pending() == b""


@given(st.lists(st.binary(max_size=40), max_size=6))
@settings(max_examples=150, deadline=None)
def test_arbitrary_bytes_are_kept_or_refused(chunks: list[bytes]) -> None:
    marking = RecordMarking(limit=64)
    raw = b""
    try:
        for chunk in chunks:
            marking.push(chunk)
            while (record := marking.next()) is not None:
                raw += record.raw
    except WireError:
        return
    assert raw + marking.pending() == b"".join(chunks)


@pytest.mark.parametrize("parts", [[b"x" * 12], [b"x" * 4, b"x" * 4]])
def test_a_record_may_be_as_long_as_the_limit_marks_included(parts: list[bytes]) -> None:
    stream = b"".join(fragment(part, last=part is parts[-1] and n == len(parts) - 1) for n, part in enumerate(parts))
    assert len(stream) == 16
    assert list(RecordMarking(limit=16).feed(stream)) == [b"".join(parts)]
    with pytest.raises(WireError, match="a record of at least 16 bytes, at most 15 are allowed"):
        next(RecordMarking(limit=15).feed(stream))
