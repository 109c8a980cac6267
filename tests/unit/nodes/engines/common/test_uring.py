"""The ring where it is full: submissions, buffers, completions."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from nodes import engines
from nodes.engines import io_uring
from nodes.engines.common.completion import Request
from nodes.engines.common.uring import Ring, submission
from nodes.engines.io_uring import UringPort, reason

if (missing := engines.availability("io_uring")) is not None:
    pytest.skip(f"engine io_uring: {missing}", allow_module_level=True)

NOP = 0


@pytest.fixture
def port() -> Iterator[UringPort]:
    port = UringPort()
    yield port
    port.close()


def test_more_is_pushed_than_the_ring_holds() -> None:
    ring = Ring(2, 1, 4096)
    try:
        for round_ in range(3):  # more than once around both rings
            tokens = range(100 * round_ + 1, 100 * round_ + 32)
            ring.pushed += (submission(NOP, -1, 0, 0, token) for token in tokens)
            seen: list[int] = []
            while len(seen) < len(tokens):
                seen += (token for token, _result, _flags in ring.wait(1_000_000_000))
            assert seen == list(tokens)
            assert ring.pushed == []
    finally:
        ring.close()


def test_a_submission_may_come_in_pieces() -> None:
    ring = Ring(4, 1, 4096)
    try:
        whole = submission(NOP, -1, 0, 0, 7)
        ring.pushed += (whole[:16], whole[16:28], whole[28:])
        assert [token for token, _result, _flags in ring.wait(None)] == [7]
    finally:
        ring.close()


def test_nothing_comes_at_the_timeout() -> None:
    ring = Ring(4, 1, 4096)
    try:
        assert list(ring.wait(1_000_000)) == list(ring.wait(0)) == []
    finally:
        ring.close()


def test_more_data_comes_than_there_are_buffers(port: UringPort) -> None:
    """All is received all the same, each by whom it was sent to."""
    count = 700
    with ExitStack() as held:
        pairs = [socket.socketpair() for _ in range(count)]
        for pair in pairs:
            for end in pair:
                held.enter_context(end)
        requests = {Request(right.fileno()): number for number, (_left, right) in enumerate(pairs)}
        got: dict[int, bytes] = {}
        for turn in range(2):
            for number, (left, _right) in enumerate(pairs):
                left.send(b"%d %d" % (turn, number))
            for request in requests:
                port.receive(request, 100)
            got.clear()
            while len(got) < count:
                for request, outcome in port.wait(1_000_000_000):
                    got[requests[request]] = outcome
            assert got == {number: b"%d %d" % (turn, number) for number in range(count)}


@pytest.mark.parametrize(("code", "says"), [(38, "has no io_uring"), (1, "seccomp"), (22, "or newer"), (12, "memory")])
def test_why_it_is_not_available(code: int, says: str) -> None:
    assert says in reason(OSError(code, os.strerror(code)))


def test_who_forbids_it_is_told_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = tmp_path / "io_uring_disabled"
    monkeypatch.setattr(io_uring, "_SYSCTL", setting)
    refused = OSError(errno.EPERM, "not permitted")
    for there, says in (("2\n", "kernel.io_uring_disabled is 2: sysctl"), ("0\n", "by a seccomp profile")):
        setting.write_text(there)
        assert says in reason(refused)
    setting.unlink()
    assert "by a seccomp profile" in reason(refused)
