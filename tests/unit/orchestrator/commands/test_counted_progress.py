"""Progress of things with names: only at a terminal, and only where one has to wait."""

from __future__ import annotations

import io

import pytest

from orchestrator.commands.progress import PAUSE, Counted


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "seconds", "shown"),
    [(Terminal(), PAUSE, True), (Terminal(), PAUSE / 2, False), (io.StringIO(), PAUSE, False)],
)
def test_it_is_shown_where_somebody_waits(stream: io.StringIO, seconds: float, shown: bool) -> None:
    times = iter([0.0, seconds, seconds])
    with Counted(2, lambda: next(times), stream) as progress:
        progress.advance("undrained on epoll")
    assert ("undrained on epoll" in stream.getvalue()) is shown
    assert bool(stream.getvalue()) is shown
