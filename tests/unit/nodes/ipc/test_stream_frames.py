"""Messages in a stream, however it is cut."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodes.ipc.common.frames import LARGEST, Frames, prefix


@given(st.lists(st.binary(max_size=300)), st.lists(st.integers(1, 200)))
def test_any_cut_gives_the_messages_in_order(messages: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(prefix(message) + message for message in messages)
    frames, found = Frames(), []
    for size in [*cuts, max(1, len(stream))]:
        frames.feed(stream[:size])
        stream = stream[size:]
        while (message := frames.next()) is not None:
            found.append(message)
    assert found == messages
    assert frames.kept == 0


@given(st.binary(min_size=1, max_size=50), st.integers(0, 53))
def test_what_came_of_a_message_is_counted(message: bytes, size: int) -> None:
    frames, stream = Frames(), prefix(message) + message
    size = min(size, len(stream) - 1)
    frames.feed(stream[: size // 2])
    frames.feed(stream[size // 2 : size])
    assert frames.next() is None
    assert frames.kept == size


def test_a_length_that_cannot_be_one() -> None:
    with pytest.raises(ValueError, match=f"a message of {LARGEST + 1} bytes, at most {LARGEST}"):
        Frames().feed(struct.pack(">I", LARGEST + 1))
