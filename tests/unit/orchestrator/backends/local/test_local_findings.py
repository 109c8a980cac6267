"""What doctor says of this machine was tried."""

from __future__ import annotations

import errno
import os
import socket
from itertools import islice
from typing import Any

import pytest

from orchestrator.backends.local.findings import findings


def loopback() -> list[tuple[str, bool, str]]:
    return [(one.subject, one.works, one.detail) for one in islice(findings(), 2)]


def test_loopback_works_where_something_came_over_it() -> None:
    assert [(subject, ok) for subject, ok, _ in loopback()] == [("loopback tcp", True), ("loopback udp", True)]


def test_loopback_that_can_be_bound_and_not_reached_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any) -> None:
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))

    monkeypatch.setattr(socket.socket, "connect", unreachable)
    said = "127.0.0.1 cannot be reached: Network is unreachable"
    assert loopback() == [("loopback tcp", False, said), ("loopback udp", False, said)]
