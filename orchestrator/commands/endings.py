"""However a command ends: one message, and one exit code of docs/semantics.md.

Rules of this file:

1. Nothing ends with 1 but an expectation that is unmet: what nobody foresaw is a defect, told as one, with 3.
2. A message that cannot be told changes no exit code.
3. A traceback is for whoever asks for it: TRACEBACK is set in the environment.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from typing import TextIO

import click

from orchestrator.backends.interrupts import Interrupted
from orchestrator.report.result import Exit
from orchestrator.scenario.document import BadScenario
from orchestrator.sweep.failures import FAILURES, said
from orchestrator.sweep.store import StoreError

TRACEBACK = "FAULTBED_TRACEBACK"
GONE = (errno.EPIPE, errno.EIO)
"""Nobody reads any more: a pipe's other end was closed, a terminal was."""
WORDS = {Exit.INTERRUPTED: "interrupted", Exit.TERMINATED: "terminated", Exit.HUNG_UP: "hung up"}


class Unheard(Exception):
    """Standard output takes no more."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.gone = error.errno in GONE

    def __str__(self) -> str:
        return f"standard output takes no more: {self.args[0].strerror}"


def say(line: str) -> None:
    """A line of the command's output. Raises Unheard."""
    try:
        click.echo(line)
    except OSError as error:
        raise Unheard(error) from error


def ended(error: BaseException) -> Exit:
    """Tell what ended the command -> its exit code."""
    if isinstance(error, Unheard):
        _silence(sys.stdout)
    if isinstance(error, click.ClickException):
        _show(error)
    elif not (isinstance(error, Unheard) and error.gone):
        complain(message_of(error))
    if os.environ.get(TRACEBACK):
        complain("".join(traceback.format_exception(error)).rstrip())
    return exit_of(error)


def exit_of(error: BaseException) -> Exit:
    match error:
        case Interrupted():
            return Exit(128 + error.number)
        case click.Abort() if error.__cause__ is not None:
            return exit_of(error.__cause__)  # click's own word for what struck while it read the arguments
        case KeyboardInterrupt() | click.Abort() | Unheard(gone=True):
            return Exit.INTERRUPTED
        case click.ClickException() | BadScenario() | StoreError():
            return Exit.USAGE
        case _:
            return Exit.TESTBED


def message_of(error: BaseException) -> str:
    code = exit_of(error)
    if code in WORDS:
        return WORDS[code]
    match error:
        case click.ClickException():
            return error.format_message()
        case BadScenario() | StoreError() | Unheard():
            return str(error)
        case _ if isinstance(error, (*FAILURES, MemoryError)):
            return said(error)
        case _:
            return f"{said(error)}; {TRACEBACK}=1 shows where, for a report"


def finished(code: object) -> Exit:
    """The exit code of a command that came to its end, once all of its output was taken."""
    known = Exit(code) if isinstance(code, int) else Exit.MET
    try:
        sys.stdout.flush()
    except OSError as error:
        if known not in WORDS:
            return ended(Unheard(error))
        _silence(sys.stdout)
    return known


def settle() -> None:
    """Nothing is left that the interpreter would write at exit: where it cannot, it ends with 120 whatever was said."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # it is where the descriptor was closed
                stream.flush()
        except OSError:
            _silence(stream)


def complain(message: str) -> None:
    """One message on standard error, if anybody reads it."""
    try:
        click.echo(f"faultbed: {message}", err=True)
    except OSError:
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """The interpreter must not complain when it flushes at exit what nobody takes."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _show(error: click.ClickException) -> None:
    try:
        error.show()
    except OSError:
        _silence(sys.stderr)
