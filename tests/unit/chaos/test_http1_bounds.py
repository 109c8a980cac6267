"""How long the parts of a chunked body may be, to the byte."""

from __future__ import annotations

import pytest

from chaos.framers.http1_body import END, LARGEST_HEAD, LARGEST_LINE, Chunks
from nodes.wire.errors import WireError

LAST = b"0\r\n"


def trailers(size: int) -> bytearray:
    """After the last chunk, so many bytes of trailers that do not end."""
    return bytearray(b"0\r\nA: " + b"x" * (size - len("\r\nA: ")))


def test_trailers_end_within_64_kib() -> None:
    whole = trailers(LARGEST_HEAD - len(END))
    assert Chunks(0).end(whole + END) == len(whole) + len(END)
    assert Chunks(0).end(trailers(LARGEST_HEAD - 1)) is None
    for size in (LARGEST_HEAD, LARGEST_HEAD + 1):
        with pytest.raises(WireError, match="no end of a chunked body's trailers within 64 KiB"):
            Chunks(0).end(trailers(size))
    with pytest.raises(WireError, match="trailers"):
        Chunks(0).end(trailers(LARGEST_HEAD - len(END) + 1) + END)


def test_a_chunks_size_ends_within_its_line() -> None:
    assert Chunks(0).end(bytearray(b"0" * (LARGEST_LINE - 1))) is None
    for size in (LARGEST_LINE, LARGEST_LINE + 1):
        with pytest.raises(WireError, match=f"no chunk size within {LARGEST_LINE} bytes"):
            Chunks(0).end(bytearray(b"0" * size))


def test_a_chunk_is_whole_with_the_end_of_its_line() -> None:
    stream = b"5\r\nhello\r\n" + LAST + b"\r\n"
    for size in range(len(stream)):
        assert Chunks(0).end(bytearray(stream[:size])) is None
    assert Chunks(0).end(bytearray(stream)) == Chunks(0).end(bytearray(stream + b"more")) == len(stream)
    with pytest.raises(WireError, match="does not end where its size says"):
        Chunks(0).end(bytearray(b"5\r\nhello!\r\n"))
    with pytest.raises(WireError, match="does not end where its size says"):
        Chunks(0).end(bytearray(b"5\r\nhello!!"))  # it is known with the last byte of its end
    with pytest.raises(WireError, match="no chunk size where one is due"):
        Chunks(0).end(bytearray(b"x\r\nhello\r\n"))
