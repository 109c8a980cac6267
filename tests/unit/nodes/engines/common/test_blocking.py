"""A blocking socket's deadline becomes the kernel's time-out: never too early, and set only when it changes."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from nodes.engines import threads
from nodes.engines.common import blocking
from nodes.engines.common.blocking import BlockingEndpoint

pytestmark = pytest.mark.skipif(threads.availability() is not None, reason=str(threads.availability()))
NOW = 5_000_000_000


class Recording(socket.socket):
    """A socket that keeps what is set."""

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.options: list[tuple[int, int]] = []

    def setsockopt(self, level: int, option: int, value: bytes) -> None:  # type: ignore[override]
        seconds, microseconds = struct.unpack("@ll", value)
        self.options.append((option, seconds * 1_000_000 + microseconds))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[BlockingEndpoint]:
    monkeypatch.setattr(blocking, "monotonic_ns", lambda: NOW)
    with Recording() as raw:
        yield BlockingEndpoint(raw, threading.Lock(), ("127.0.0.1", 1), None)


@pytest.mark.parametrize(
    ("deadline", "microseconds"),
    [(None, 0), (NOW + 2_000_000, 2_000), (NOW + 1_500_001, 1_501), (NOW + 3_000_000_001, 3_000_001), (NOW, 1), (0, 1)],
)
def test_a_deadline_is_rounded_up(endpoint: BlockingEndpoint, deadline: int | None, microseconds: int) -> None:
    endpoint.limit(socket.SO_RCVTIMEO, deadline)
    assert endpoint.raw.options == [(socket.SO_RCVTIMEO, microseconds)]  # type: ignore[attr-defined]


def test_what_has_not_changed_is_not_set_again(endpoint: BlockingEndpoint) -> None:
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO, socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        endpoint.limit(option, None)
    assert endpoint.raw.options == [(socket.SO_RCVTIMEO, 0), (socket.SO_SNDTIMEO, 0)]  # type: ignore[attr-defined]
