"""A part of ours that is no process of a cell, on any host: what it tells, line by line, until it ends."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from orchestrator.backends.host import Ended, Failed, Host, Launch, Line, PartName, Report
from orchestrator.backends.inbox import Inbox, Nothing

REAPED = 30.0
"""Seconds until one that was killed has ended."""


class Part:
    """One process; `ordinal` is new on its host, from 1, and `home` gets what it says on standard error."""

    def __init__(self, host: Host, name: PartName, arguments: Sequence[str], home: Path, ordinal: int) -> None:
        self._host, self._name, self._ordinal = host, name, ordinal
        self._log = home / f"{name}.{ordinal}.log"
        self._reports: Inbox[Report] = Inbox()
        self._end: Ended | Failed | None = None
        self._told: set[str] = set()
        launch = Launch(name, name, ordinal, None, secrets.token_hex(32), self._log, arguments=tuple(arguments))
        host.spawn(launch, self._reports.put)

    def line(self, seconds: float) -> str | None:
        """The next one; None if it has ended. Raises TimeoutError: none came in time."""
        deadline = monotonic() + seconds
        while self._end is None:
            try:
                report = self._reports.get(deadline - monotonic())
            except Nothing:
                raise TimeoutError from None
            if isinstance(report, Line):
                self._told.add(report.text)
                return report.text
            if isinstance(report, Ended | Failed):
                self._end = report
        return None

    def lines(self, seconds: float) -> Iterator[str]:
        """All of them. Raises TimeoutError: it has not ended by then."""
        deadline = monotonic() + seconds
        while (line := self.line(deadline - monotonic())) is not None:
            yield line

    def end(self) -> None:
        """From any thread: it is told to end at once."""
        if self._end is None:
            self._host.signal(self._name, self._ordinal, "kill")

    def kill(self) -> None:
        """Nothing of it is left then; where its host cannot be reached, what that has ends with the connection."""
        self.end()
        try:
            for _ in self.lines(REAPED):
                continue
        except TimeoutError:
            pass

    @property
    def ended(self) -> bool:
        """As far as was read."""
        return self._end is not None

    @property
    def problem(self) -> str:
        """What was wrong with its end; "" if nothing, or if it has not ended."""
        if isinstance(self._end, Failed):
            return self._end.reason
        if self._end is None or (self._end.signal, self._end.code) == (0, 0):
            return ""
        how = f"signal {self._end.signal}" if self._end.signal else f"exit code {self._end.code}"
        return ": ".join([how, *self._complaints()[-1:]])

    def _complaints(self) -> list[str]:
        """Its log has its lines, too."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return [line for line in lines if line.strip() and line not in self._told]


class Told(NamedTuple):
    """Its lines, and what was wrong with its end; "" if nothing."""

    lines: Sequence[str]
    problem: str = ""


def told(host: Host, name: PartName, arguments: Sequence[str], home: Path, ordinal: int, seconds: float) -> Told:
    """All that a part tells, which has so long."""
    part = Part(host, name, arguments, home, ordinal)
    lines: list[str] = []
    try:
        lines.extend(part.lines(seconds))
    except TimeoutError:
        return Told(lines, f"no end within {seconds:g} s")
    finally:
        part.kill()
    return Told(lines, part.problem)
