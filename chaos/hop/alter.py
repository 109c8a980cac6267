"""PURE: messages that arrive, but not as they were sent."""

from __future__ import annotations

from chaos.framers import Message

FLIPS = 3


def flipped(message: Message, bits: int) -> bytes:
    """The message with up to FLIPS different bits of its body flipped, chosen by `bits` (64 of them).

    A message without a body (a call without arguments) has nothing to corrupt and comes back as it was.
    """
    start, stop, _ = message.body.indices(len(message.data))
    size = (stop - start) * 8
    if size <= 0:
        return message.data
    data = bytearray(message.data)
    places = {(bits >> 20 * n) % size for n in range(FLIPS)}
    for place in places:
        data[start + place // 8] ^= 1 << place % 8
    return bytes(data)


def half(data: bytes) -> bytes:
    """The first half, never the whole."""
    return data[: len(data) // 2]
