"""Control frames: what is written is read again, and no bytes whatever do harm."""

import struct

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nodes.wire.frames import MAXIMUM, FrameError, FrameTooLarge, Splitter, encode

scalars = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary() | st.floats(allow_nan=False)
)
values = scalars | st.lists(scalars, max_size=3) | st.dictionaries(st.text(max_size=5), scalars, max_size=3)
maps = st.dictionaries(st.text(max_size=5), values, max_size=3)


def raw(value: object) -> bytes:
    payload: bytes = msgpack.packb(value)
    return struct.pack(">I", len(payload)) + payload


@settings(deadline=None, max_examples=60)
@given(st.lists(maps, max_size=3), st.integers(1, 40))
def test_a_stream_cut_anywhere_gives_the_same_frames(messages: list[dict[str, object]], size: int) -> None:
    stream = b"".join(encode(message) for message in messages)
    splitter, received = Splitter(), []
    for position in range(0, len(stream), size):
        received += splitter.feed(stream[position : position + size])
    assert received == messages
    assert splitter.pending == 0


def frames_or_reason(splitter: Splitter, chunks: list[bytes]) -> list[dict[str, object]] | str:
    try:
        return [frame for chunk in chunks for frame in splitter.feed(chunk)]
    except FrameError as error:
        return str(error)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.binary(max_size=60), max_size=6))
def test_arbitrary_bytes_give_maps_or_a_reason(chunks: list[bytes]) -> None:
    splitter = Splitter(limit=64)
    result = frames_or_reason(splitter, chunks)
    assert result or splitter.pending <= 4 + 64
    assert isinstance(result, str) or all(isinstance(frame, dict) for frame in result)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=40))
def test_an_arbitrary_payload_in_a_true_length_gives_one_map_or_a_reason(payload: bytes) -> None:
    result = frames_or_reason(Splitter(), [struct.pack(">I", len(payload)) + payload])
    assert len(result) == 1 if isinstance(result, list) else "control frame" in result


def test_the_largest_frame_passes_and_one_byte_more_is_refused() -> None:
    overhead = len(encode({"a": b"x" * 70_000})) - 4 - 70_000
    largest = {"a": b"x" * (MAXIMUM - overhead)}
    assert Splitter().feed(encode(largest)) == [largest]
    with pytest.raises(FrameTooLarge, match="at most 1048576"):
        encode({"a": b"x" * (MAXIMUM - overhead + 1)})


def test_a_length_above_the_limit_is_refused_before_its_payload_arrives() -> None:
    with pytest.raises(FrameTooLarge, match="announces 1048577 bytes"):
        Splitter().feed(struct.pack(">I", MAXIMUM + 1))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (raw([1, 2]), "must be a map, this is a list"),
        (raw("text"), "must be a map, this is a str"),
        (raw({1: 2}), "not msgpack"),
        (raw({b"key": 2}), "keys must be strings"),
        (b"\x00\x00\x00\x00", "not msgpack"),
        (b"\x00\x00\x00\x01\xc1", "not msgpack"),
        (b"\x00\x00\x00\x02\x80\x80", "not msgpack"),
        (b"\x00\x00\x10\x00" + b"\x91" * 4096, "not msgpack"),
    ],
)
def test_what_is_no_map_says_what_it_is(data: bytes, reason: str) -> None:
    with pytest.raises(FrameError, match=reason):
        Splitter().feed(data)
