"""A part of ours that is no process of a cell, on any host: what it tells, until it ends or has taken too long."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic
from typing import NamedTuple

from orchestrator.backends.host import Ended, Failed, Host, Launch, Line, PartName, Report

REAPED = 30.0
"""Seconds until one that was killed has ended."""


class Told(NamedTuple):
    """Its lines, and what was wrong with its end; "" if nothing."""

    lines: Sequence[str]
    problem: str = ""


def told(host: Host, name: PartName, arguments: Sequence[str], home: Path, ordinal: int, seconds: float) -> Told:
    """`ordinal` is new on this host, from 1; `home` gets what it says on standard error."""
    reports: SimpleQueue[Report] = SimpleQueue()
    log = home / f"{name}.{ordinal}.log"
    launch = Launch(name, name, ordinal, None, secrets.token_hex(32), log, arguments=tuple(arguments))
    host.spawn(launch, reports.put)
    lines: list[str] = []
    if (end := _end(reports, lines, seconds)) is None:
        host.signal(name, ordinal, "kill")
        _end(reports, [], REAPED)
        return Told(lines, f"no end within {seconds:g} s")
    if isinstance(end, Failed):
        return Told(lines, end.reason)
    if (end.signal, end.code) == (0, 0):
        return Told(lines)
    how = f"signal {end.signal}" if end.signal else f"exit code {end.code}"
    said = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
    return Told(lines, ": ".join([how, *said]))


def _end(reports: SimpleQueue[Report], lines: list[str], seconds: float) -> Ended | Failed | None:
    deadline = monotonic() + seconds
    while True:
        try:
            report = reports.get(timeout=max(0, deadline - monotonic()))
        except Empty:
            return None
        if isinstance(report, Line):
            lines.append(report.text)
        elif isinstance(report, Ended | Failed):
            return report
