"""How a process ends or stops itself at once, without running another line of its own, by its system's means."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from time import sleep

from nodes.failpoints import Act

STANDING = "tTZX"
"""States of a process that runs no more, or not for now."""
MOMENT = 0.0005
"""Seconds between two looks."""


def alone(node: int) -> None:
    """Stop the others of the node's processes, this being one of them: when this returns, none goes on (Linux)."""
    if node != os.getpid():
        _stopped(node)  # first: it makes no more
    with open(f"/proc/{node}/task/{node}/children", encoding="ascii") as children:
        for child in map(int, children.read().split()):
            if child != os.getpid():
                _stopped(child)


def _stopped(process: int) -> None:
    with suppress(ProcessLookupError, FileNotFoundError):
        os.kill(process, signal.SIGSTOP)
        while _state(process) not in STANDING:
            sleep(MOMENT)


def _state(process: int) -> str:
    """proc_pid_stat(5)"""
    with open(f"/proc/{process}/stat", encoding="ascii", errors="replace") as status:
        return status.read().rpartition(")")[2].split()[0]


def act_on_oneself(act: Act, node: int) -> None:
    """And on `node`, if this is a child of it. Returns after "stop", once this process was made to go on."""
    if act == "die":
        if node != os.getpid():
            os.kill(node, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        # Directed at this thread: the program stands at its failpoint even where it does not run in the main one.
        signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
