"""Conditions of sockets that a probe waits for before it asks: looked at by other means than the subject's."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from nodes.probes.common.masks import ERR, HUP, IN, OUT, PRI, RDHUP, names

GLANCE = 0.001
"""Seconds between two looks."""
LONGEST = 5.0
"""Seconds that a condition may take on the busiest machine."""


class Unsettled(Exception):
    """What a probe's steps should have led to did not come about."""


def until(condition: Callable[[], bool], what: str, longest: float = LONGEST) -> None:
    """Raises Unsettled."""
    deadline = time.monotonic() + longest
    while not condition():
        if time.monotonic() > deadline:
            raise Unsettled(f"waited {longest:.0f} s in vain for {what}")
        time.sleep(GLANCE)


def state(sock: socket.socket) -> int:
    """What poll(2) says of it at this moment, all bits asked for but IN and PRI."""
    look = select.poll()
    look.register(sock, OUT | RDHUP)
    return dict(look.poll(0)).get(sock.fileno(), 0)


def arrived(sock: socket.socket, count: int) -> None:
    """So many bytes are there to be read."""

    def there() -> bool:
        try:
            return len(sock.recv(count, socket.MSG_PEEK | socket.MSG_DONTWAIT)) >= count
        except BlockingIOError:
            return False

    until(there, f"{count} bytes to arrive")


def shows(sock: socket.socket, bits: int, longest: float = LONGEST) -> None:
    until(lambda: state(sock) & bits == bits, " ".join(names(bits)), longest)


def acknowledged(sock: socket.socket) -> None:
    """All that was sent is in the peer's kernel (SIOCOUTQ, tcp(7))."""
    import fcntl  # not every system has it
    import termios

    def nothing_left() -> bool:
        return fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)) == bytes(4)

    until(nothing_left, "an acknowledgement")


def readable(sock: socket.socket) -> None:
    _asked(sock, IN, "something to be read")


def urgent(sock: socket.socket) -> None:
    _asked(sock, PRI, "urgent data")


def _asked(sock: socket.socket, bit: int, what: str) -> None:
    look = select.poll()
    look.register(sock, bit)
    until(lambda: any(mask & bit for _, mask in look.poll(0)), what)


def ended(sock: socket.socket) -> None:
    """The peer has shut its side."""
    shows(sock, RDHUP)


def broken(sock: socket.socket) -> None:
    """The connection is gone."""
    shows(sock, ERR | HUP)


def sleeps(task: int) -> bool:
    """A thread, or a process's only one, waits in the kernel, and not for a lock (wchan, proc(5), "0" of who runs).

    Its state would say that it sleeps a little before it does. A kernel without CONFIG_KALLSYMS always says 0.
    """
    with open(f"/proc/{task}/wchan") as file:
        where = file.read()
    return where not in ("", "0") and not where.startswith("futex")
