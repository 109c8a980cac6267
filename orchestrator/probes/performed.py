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
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from queue import SimpleQueue
from typing import Any, NamedTuple

from faultbed.part import command
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

    def command(self) -> list[str]:
        line = [*command("probes"), "--engine", self.engine, "--probes", ",".join(self.deadlines)]
        return [*line, "--broken", self.broken] if self.broken else line


def performed(works: Sequence[Work], jobs: int) -> Iterator[Done]:
    """What was done, as it is done. Raises SessionError: a process could not start, or died beside its probes."""
    told: SimpleQueue[Done | BaseException | None] = SimpleQueue()
    running = _Running()
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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen[str]] = set()
        self._over = False

    def start(self, line: Sequence[str]) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._over:
                return None
            try:
                process = subprocess.Popen(
                    line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                )
            except OSError as error:
                raise SessionError(f"a process of probes cannot be started: {error}") from error
            self._processes.add(process)
            return process

    def ended(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.communicate()
        with self._lock:
            self._processes.discard(process)

    def close(self) -> None:
        with self._lock:
            self._over = True
            for process in self._processes:
                process.kill()


def _engine(work: Work, running: _Running, tell: Callable[[Done | BaseException | None], None]) -> None:
    try:
        while work.deadlines:
            process = running.start(work.command())
            if process is None:
                break
            try:
                work = _process(work, process, tell)
            finally:
                running.ended(process)
        tell(None)
    except BaseException as error:
        tell(error)


def _process(work: Work, process: subprocess.Popen[str], tell: Callable[[Done], None]) -> Work:
    """-> what is left to be done when it has ended."""
    left = dict(work.deadlines)
    watch = _Watch(process)
    current = ""
    trace: list[str] = []
    watch.expect(TO_START, "")
    assert process.stdout is not None
    for line in process.stdout:
        match json.loads(line):
            case {"begin": name}:
                current, trace = name, []
                watch.expect(left[name], name)
            case {"note": text, "ms": at}:
                trace.append(f"{at:8.2f} ms  {text}")
            case {"end": name, **result}:
                tell(Done(name, work.engine, _outcome(result, trace), work.broken))
                left.pop(name)
                current = ""
                watch.expect(TO_START, "")
    watch.stop()
    if current:
        deadline = left.pop(current)
        hung = watch.passed is not None
        why = HUNG.format(deadline) if hung else f"its process ended with it, {_last_words(process)}"
        tell(Done(current, work.engine, Outcome(None, why, tuple(trace)), work.broken))
    elif left and not watch.passed:
        raise SessionError(_not_begun(work.engine, next(iter(left)), process, late=watch.passed is not None))
    return work._replace(deadlines=left)


def _not_begun(engine: str, probe: str, process: subprocess.Popen[str], *, late: bool) -> str:
    why = f"it did not begin {probe} within {TO_START:g} s; this machine is too busy, or it hangs"
    return f"the process that probes {engine}: {why if late else f'it ended before {probe}, {_last_words(process)}'}"


def _outcome(result: Mapping[Any, Any], trace: Sequence[str]) -> Outcome:
    return Outcome(result.get("observed"), result.get("failed", ""), tuple(trace))


def _last_words(process: subprocess.Popen[str]) -> str:
    _, said = process.communicate()
    last = said.strip().splitlines()[-1:] or ["it said nothing"]
    return f"with exit code {process.returncode}: {last[0]}"


class _Watch:
    """Ends the process when what is expected of it does not come in time. `passed`: then the probe whose end it was, or
    "" for a beginning; a probe may have ended just in time, and its process is ended all the same."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._timer: threading.Timer | None = None
        self.passed: str | None = None

    def expect(self, seconds: float, what: str) -> None:
        self.stop()
        self._timer = threading.Timer(seconds, self._end, (what,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self, what: str) -> None:
        self.passed = what
        self._process.kill()
