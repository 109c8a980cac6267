"""Which bits of a message are flipped: those of its body that a number chooses, and no other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaos.framers import Message
from chaos.hop.alter import flipped, half

DATA = bytes(range(40))
BODY = slice(8, 40)
BITS = st.integers(0, (BODY.stop - BODY.start) * 8 - 1)


def message(body: slice, data: bytes = DATA) -> Message:
    return Message(data, "request", 1, 1, 1, 1, body)


def differing(one: bytes, other: bytes) -> set[int]:
    """The places of the bits in which they differ, from the first byte's least one on."""
    assert len(one) == len(other)
    return {
        8 * n + bit for n, (a, b) in enumerate(zip(one, other, strict=True)) for bit in range(8) if (a ^ b) >> bit & 1
    }


@given(BITS, BITS, BITS, st.integers(0, 15))
def test_three_bits_of_the_body_are_chosen_by_twenty_bits_each(first: int, second: int, third: int, rest: int) -> None:
    changed = flipped(message(BODY), first | second << 20 | third << 40 | rest << 60)
    assert differing(DATA, changed) == {8 * BODY.start + place for place in (first, second, third)}


@given(st.integers(0, 2**64 - 1), st.integers(0, 39))
def test_whatever_chooses_the_rest_of_the_message_stays(bits: int, start: int) -> None:
    changed = flipped(message(slice(start, start + 1)), bits)
    assert 1 <= len(differing(DATA, changed)) <= 3
    assert changed[:start] + changed[start + 1 :] == DATA[:start] + DATA[start + 1 :]


def test_without_a_body_nothing_is_flipped() -> None:
    assert flipped(message(slice(0, 0)), 7) == flipped(message(slice(9, 9)), 7) == DATA


def test_half_is_never_the_whole() -> None:
    assert [half(DATA[:size]) for size in range(5)] == [b"", b"", DATA[:1], DATA[:1], DATA[:2]]
