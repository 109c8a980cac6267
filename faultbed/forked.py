"""One of our parts as a process of its own, forked from a process that has loaded it: a start without its imports.

Rules of this file:

1. Who forks has a single thread and no connection to a database: a child has no other thread, and shares nothing.
2. A child has what its parent has loaded, and else what an executed program has: a session, streams, a folder, an
   environment and a command line of its own, no other open file, and the signals' default handlers.
3. A child never comes back into its parent's code.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from typing import IO, Any, NoReturn

from faultbed import loaded
from faultbed.part import MODULES, Name, command, end

WORKS = sys.platform == "linux"
"""Elsewhere a system's own libraries do not outlive a fork (macOS), or there is none (Windows)."""
ROOM = " " * 1000
"""An argument for who forks: in its place a child's command line stands."""
CRASHED = 1
LONGEST = 4096
"""Bytes that a pipe takes at once (PIPE_BUF)."""


class Forked:
    """A child, as subprocess.Popen has it: `stdout` is a pipe from it."""

    def __init__(self, pid: int, stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Its exit code, less than 0 for a signal; None while it lives."""
        return self._reap(os.WNOHANG)

    def wait(self) -> int | None:
        return self._reap(0)

    def _reap(self, options: int) -> int | None:
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, options)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


def named(argv: Sequence[str]) -> Name | None:
    """The part that this command starts, if it can be forked."""
    return next((name for name in ("nodes", "chaos") if WORKS and list(argv[:5]) == command(name)), None)


def start(
    name: Name,
    argv: Sequence[str],
    environment: Mapping[str, str],
    folder: str,
    log: int,
    limit: Callable[[], None] | None,
) -> Forked:
    """As the command `argv`, which is of this part; `environment` is added to ours, `log` takes its standard error,
    `limit`, if any, is called in it. It leads its session when this returns. Raises OSError."""
    module = _module(name)
    module.prepare(argv[5:])
    with ExitStack() as undo:
        readable, writable = os.pipe()
        undo.callback(os.close, readable)
        with _closed(writable), _closed(os.open(os.devnull, os.O_RDONLY)) as null:
            settle = partial(_settle, argv, environment, folder, limit)
            pid = _fork(settle, (null, writable, log), module.main)
        undo.pop_all()
    return Forked(pid, open(readable, "rb", buffering=0))


def _settle(argv: Sequence[str], environment: Mapping[str, str], folder: str, limit: Callable[[], None] | None) -> None:
    os.setsid()
    _default_signals()
    os.chdir(folder)
    os.environ.update(environment)
    if limit is not None:
        limit()
    sys.argv = [argv[3], *argv[5:]]
    with suppress(OSError):
        _show(argv)


@cache
def _module(name: Name) -> Any:
    """Once: what is garbage by the next time is to be collected."""
    return loaded(MODULES[name])


def _fork(settle: Callable[[], None], streams: Sequence[int], main: Callable[[], int]) -> int:
    """-> the child's id, once it has settled and has these streams. Raises OSError: it could not."""
    heard, told = os.pipe()
    with _closed(heard):
        with _closed(told):
            ours = [int(number) for number in os.listdir("/proc/self/fd")]
            pid = os.fork()
            if pid == 0:
                _become(settle, told, partial(_streams, streams, ours), main)
        problem = os.read(heard, LONGEST)  # nothing, when the child has closed what it inherited
    if problem:
        os.waitpid(pid, 0)
        raise OSError(problem.decode("utf-8", "replace"))
    return pid


@contextmanager
def _closed(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _become(settle: Callable[[], None], told: int, streams: Callable[[], None], main: Callable[[], int]) -> NoReturn:
    code = CRASHED
    try:
        gc.freeze()  # what no collection looks at is not copied
        try:
            settle()
        except BaseException as error:
            os.write(told, str(error).encode("utf-8", "replace")[:LONGEST] or b"it could not settle")
            os._exit(CRASHED)
        streams()
        code = main()
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else CRASHED
    except BaseException:
        traceback.print_exc()
    finally:
        end(code)


def _default_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals():
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            signal.signal(number, signal.SIG_DFL)


def _streams(given: Sequence[int], inherited: Iterable[int]) -> None:
    """The standard ones, and nothing else stays open."""
    for number, descriptor in enumerate(given):
        os.dup2(descriptor, number)
    for descriptor in inherited:
        if descriptor >= len(given):
            with suppress(OSError):  # the one by which they were listed
                os.close(descriptor)


def _show(argv: Sequence[str]) -> None:
    """For who looks: in the place of the parent's arguments in memory (arg_start and arg_end in proc_pid_stat(5))."""
    with open("/proc/self/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    begin, end = int(fields[45]), int(fields[46])
    line = b"".join(os.fsencode(word) + b"\0" for word in argv)[: end - begin - 1]
    with open("/proc/self/mem", "r+b", buffering=0) as memory:
        memory.seek(begin)
        memory.write(line.ljust(end - begin, b"\0"))
