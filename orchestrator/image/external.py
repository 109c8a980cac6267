"""The programs that build the image, each failure a SessionError that says what was tried and what the program said."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from orchestrator.backends.interrupts import Interrupted, first_waits
from orchestrator.run.session import SessionError

LAST_LINES = 20
"""Of a failed program's words: the reason stands at the end."""


def need(program: str, remedy: str) -> None:
    if shutil.which(program) is None:
        raise SessionError(f"there is no program {program!r} on PATH: {remedy}")


def works(command: Sequence[str]) -> bool:
    return _done(command).returncode == 0


def run(command: Sequence[str], what: str, temporary: str | None = None) -> str:
    """-> the program's standard output. `what` is done by it, for the error if it fails. `temporary`: the folder for
    its temporary files, which it leaves there where it is killed."""
    done = _done(command, temporary)
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:])
        raise SessionError(f"{what}: {command[0]} failed with status {done.returncode}:\n{said}")
    return done.stdout


def _done(command: Sequence[str], temporary: str | None = None) -> subprocess.CompletedProcess[str]:
    """As subprocess.run, but a signal that strikes while the program is being started waits until it can be killed."""
    struck: list[int] = []
    program = None
    try:
        with first_waits(struck.append):
            program = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
                env=None if temporary is None else {**os.environ, "TMPDIR": temporary},
            )
        if struck:
            raise Interrupted(struck[0])
        out, err = program.communicate()
    except BaseException:
        if program is not None:
            with program:
                program.kill()
        raise
    return subprocess.CompletedProcess(command, program.returncode, out, err)
