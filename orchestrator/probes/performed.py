"""Probes done in processes of our own: one for each engine, several side by side.

Rules of this file:

1. A process tells line by line what it is at (nodes/probes/__main__.py), so that what a probe did is known however the
   process ends.
2. A probe has a deadline, from the line that it begins with. One that passes it is ended with its process, is unknown,
   and what was to come after it goes on in a new one.
3. A process that ends between two probes, or before the first, is the testbed's failure.
4. Whoever stops to listen ends all of them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from queue import SimpleQueue
from time import monotonic
from typing import Any, NamedTuple

from orchestrator.backends.parts import Part
from orchestrator.backends.threads import workers
from orchestrator.probes.compared import Outcome
from orchestrator.run.session import SessionError

TO_START = 60.0
"""Seconds that a process may take until its first probe begins, and from one to the next."""
HUNG = "it did not end within {:g} s"


class Done(NamedTuple):
    probe: str
    engine: str
    outcome: Outcome
    broken: str = ""


class Work(NamedTuple):
    """One engine's. `deadlines`: each probe's, in seconds, in the order in which they are done. `broken`: the name of a
    poller that is wrong on purpose, instead of the engine's own."""

    engine: str
    deadlines: Mapping[str, float]
    broken: str = ""

    @property
    def arguments(self) -> list[str]:
        line = ["--engine", self.engine, "--probes", ",".join(self.deadlines)]
        return [*line, "--broken", self.broken] if self.broken else line


Begin = Callable[[Sequence[str]], Part]
"""A process of probes with these arguments, somewhere."""


def performed(works: Sequence[Work], jobs: int, begin: Begin) -> Iterator[Done]:
    """What was done, as it is done. Raises SessionError: a process could not start, or died beside its probes."""
    told: SimpleQueue[Done | BaseException | None] = SimpleQueue()
    running = _Running(begin)
    pool = workers(min(jobs, max(1, len(works))), "probes")
    with pool, closing(running):
        for work in works:
            pool.submit(_engine, work, running, told.put)
        left = len(works)
        while left:
            done = told.get()
            if isinstance(done, BaseException):
                raise done
            if done is None:
                left -= 1
            else:
                yield done


class _Running:
    """The processes that live; none is started any more after `close`."""

    def __init__(self, begin: Begin) -> None:
        self._begin = begin
        self._lock = threading.Lock()
        self._parts: set[Part] = set()
        self._over = False

    def start(self, arguments: Sequence[str]) -> Part | None:
        with self._lock:
            if self._over:
                return None
            part = self._begin(arguments)
            self._parts.add(part)
            return part

    def ended(self, part: Part) -> None:
        part.kill()
        with self._lock:
            self._parts.discard(part)

    def close(self) -> None:
        with self._lock:
            self._over = True
            for part in self._parts:
                part.end()


def _engine(work: Work, running: _Running, tell: Callable[[Done | BaseException | None], None]) -> None:
    try:
        while work.deadlines:
            part = running.start(work.arguments)
            if part is None:
                break
            try:
                work = _process(work, part, tell)
            finally:
                running.ended(part)
        tell(None)
    except BaseException as error:
        tell(error)


def _process(work: Work, part: Part, tell: Callable[[Done], None]) -> Work:
    """-> what is left to be done when it has ended."""
    left, current = dict(work.deadlines), ""
    trace: list[str] = []
    deadline = monotonic() + TO_START
    while (line := _line(part, deadline)) is not None:
        match json.loads(line):
            case {"begin": name}:
                current, trace, deadline = name, [], monotonic() + left[name]
            case {"note": text, "ms": at}:
                trace.append(f"{at:8.2f} ms  {text}")
            case {"end": name, **result}:
                tell(Done(name, work.engine, _outcome(result, trace), work.broken))
                left.pop(name)
                current, deadline = "", monotonic() + TO_START
    late = not part.ended
    if not current and left:
        at = next(iter(left))
        why = f"it did not begin {at} within {TO_START:g} s; this machine is too busy, or it hangs"
        raise SessionError(f"the process that probes {work.engine}: {why if late else _death(part, at)}")
    if current:
        deadline_of = left.pop(current)
        why = HUNG.format(deadline_of) if late else f"its process ended with it, with {part.problem or 'exit code 0'}"
        tell(Done(current, work.engine, Outcome(None, why, tuple(trace)), work.broken))
    return work._replace(deadlines=left)


def _line(part: Part, deadline: float) -> str | None:
    """None: it has ended, or told nothing in time."""
    try:
        return part.line(deadline - monotonic())
    except TimeoutError:
        return None


def _outcome(result: Mapping[Any, Any], trace: Sequence[str]) -> Outcome:
    return Outcome(result.get("observed"), result.get("failed", ""), tuple(trace))


def _death(part: Part, at: str) -> str:
    return f"it ended before {at}: {part.problem or 'exit code 0'}"
