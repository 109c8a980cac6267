"""PURE: how the run's program waits: for conditions, timers and answers, while every event goes on being handled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any

from nodes.ops import Get, Now, Program
from nodes.units import MILLISECOND
from orchestrator.run.agenda import Agenda
from orchestrator.run.session import Session

PATIENCE = 30_000 * MILLISECOND
"""For what takes milliseconds, or seconds where many containers keep few cores busy: a start, an answer, an end."""
EACH = 1_000 * MILLISECOND


def patience(processes: Collection[str]) -> int:
    """Nanoseconds for so many to start, or to end, side by side."""
    return PATIENCE + EACH * len(processes)


class RunFailed(Exception):
    """The testbed could not carry out this run; the text says what, where and why."""


class Attention(ABC):
    """What a program that conducts a session waits with. `_handle` takes each event."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._agenda = Agenda()
        self._answers: dict[tuple[str, int], dict[str, Any]] = {}

    @abstractmethod
    def _handle(self, event: Any) -> Program:
        """Do what an event leads to; an Answer goes to `_answers`."""

    def _wait(self, condition: Callable[[], bool], limit: int) -> Program:
        """Handle events and timers until the condition holds; False when `limit` nanoseconds passed without."""
        now = yield Now()
        deadline = now + limit
        while not condition():
            now = yield Now()
            if now >= deadline:
                return False
            if (act := self._agenda.due(now)) is not None:
                yield from act()
                continue
            try:
                event = yield Get(self._session.events, self._agenda.next_time(deadline))
            except TimeoutError:
                continue
            yield from self._handle(event)
        return True

    def _until(self, condition: Callable[[], bool], limit: int, what: str) -> Program:
        if not (yield from self._wait(condition, limit)):
            raise RunFailed(f"waited {limit // MILLISECOND} ms for {what}")

    def _call(self, name: str, command: dict[str, Any]) -> Program:
        """-> the answer's body; events go on being handled meanwhile."""
        key = (name, self._session.command(name, command))
        what = f"{name} to answer {command['type']!r}"
        yield from self._until(lambda: key in self._answers, PATIENCE, what)
        body = self._answers.pop(key)
        if "error" in body:
            raise RunFailed(body["error"])
        return body
