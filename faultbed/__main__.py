"""The entry of the command: our own parts before anybody else's modules, then orchestrator/cli.py.

Rules of this file:

1. It has a package of its own, whose name nobody else has: whoever imports `orchestrator` here could get a stranger's.
2. Until our parts come first nothing is imported but what the interpreter has loaded already.
3. Until the command has begun nothing was started: a signal ends the process at once, in the midst of any import.
4. No exit code 1: that says `unmet`.
"""

from __future__ import annotations

import os
import sys

from faultbed import PARTS, loaded

TYPE_CHECKING = False  # the one in typing is not there yet
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn

NAMES = ("nodes", "chaos", "orchestrator")
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
TESTBED, USAGE, SIGNALLED = 3, 4, 128  # orchestrator.report.result.Exit cannot be imported yet


def main() -> NoReturn:
    """Never returns: ends the process with an exit code of docs/semantics.md."""
    require_folder()
    ours_first()
    if not open_streams():
        fail(USAGE, "standard output is closed, so nothing could be told; send it somewhere, such as to /dev/null")
    leave_at_once()
    command = imported()
    try:
        command()
    except KeyboardInterrupt as error:  # a second signal, while the first one was told
        sys.exit(SIGNALLED + getattr(error, "number", 2))
    sys.exit(TESTBED)


def require_folder() -> None:
    """What is relative, `results` by default, is relative to the working folder; somebody may have removed it."""
    try:
        os.getcwd()
    except OSError as error:
        fail(USAGE, f"the working folder cannot be told ({error.strerror}); change to one that exists")


def ours_first() -> None:
    """The parts come first in sys.path, what PYTHONPATH, the working folder (`python -m`) or the script's own folder
    bring comes last."""
    theirs = set()
    if not sys.flags.ignore_environment:
        theirs = {os.path.abspath(entry) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep)}
    if not sys.flags.safe_path:
        theirs.add(os.path.abspath(sys.path[0]))
    foreign = [entry for entry in sys.path if os.path.abspath(entry) in theirs]
    kept = [entry for entry in sys.path if entry not in foreign]
    sys.path[:] = [PARTS, *kept, *foreign]


def open_streams() -> bool:
    """Give the null device to every standard stream that is closed, which would else be the number of the next file
    that is opened -> whether standard output was open."""
    closed = [number for number in range(3) if not _is_open(number)]
    for _ in closed:
        os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8")  # noqa: SIM115 - the process's
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        _reconfigure(stream)
    return 1 not in closed


def _reconfigure(stream: Any) -> None:
    """What a terminal's encoding lacks is told by its number; it is no reason to fail."""
    stream.reconfigure(errors="backslashreplace")


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def leave_at_once() -> None:
    """On any signal that asks for an end; one that is ignored, as with nohup, stays so."""
    import signal

    def leave(number: int, frame: FrameType | None) -> None:
        try:
            os.write(2, f"faultbed: ended by {signal.Signals(number).name}\n".encode())
        finally:
            os._exit(SIGNALLED + number)

    for name in SIGNALS:
        number = getattr(signal, name, None)  # not every system has SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


def imported() -> Callable[[], object]:
    """The command. Ends the process with one message if it cannot be had."""
    try:
        if (problem := stranger()) is not None:
            fail(TESTBED, problem)
        command: Callable[[], object] = loaded("orchestrator.cli").main
    except MemoryError:
        fail(TESTBED, "there is not enough memory to load it (ulimit -v)")
    except Exception as error:
        if os.environ.get("FAULTBED_TRACEBACK"):
            raise
        what = f"{type(error).__name__}: {error}"
        fail(TESTBED, f"it cannot be loaded ({what}); install it again, or see all with FAULTBED_TRACEBACK=1")
    return command


def stranger() -> str | None:
    """Which of our parts another package stands for, None if none does."""
    from importlib.util import find_spec

    for part in NAMES:
        spec = find_spec(part)
        ours = os.path.join(PARTS, part)
        if spec is None or os.path.realpath(os.path.dirname(spec.origin or "")) != os.path.realpath(ours):
            found = "nothing" if spec is None else spec.origin
            return f"package {part!r} is {found}, expected {ours}: install Faultbed in an environment of its own"
    return None


def fail(code: int, message: str) -> NoReturn:
    try:
        os.write(2, f"faultbed: {message}\n".encode("utf-8", "backslashreplace"))
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
