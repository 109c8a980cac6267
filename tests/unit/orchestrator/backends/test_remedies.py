"""What is advised where the system has nothing left of something."""

from __future__ import annotations

import errno

import pytest

from orchestrator.backends.remedies import remedy


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EAGAIN, "(ulimit -u)"),
        (errno.EMFILE, "(ulimit -n)"),
        (errno.ENFILE, "it is the whole system"),
        (errno.ENOMEM, "(ulimit -v)"),
    ],
)
def test_what_can_be_done_is_said(number: int, advice: str) -> None:
    assert advice in remedy(OSError(number, "x"))


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "x"), OSError("x"), RuntimeError("can't start new thread")])
def test_where_nothing_can_nothing_is(error: Exception) -> None:
    assert remedy(error) == ""
