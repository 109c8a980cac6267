"""The registry of local IPC: one file per mechanism, found by its name, imported only when asked for.

A mechanism's module `nodes/ipc/NAME.py` has `DECLARED`, what it is (common/channel.py), `availability() -> str | None`
(None, or why it cannot be used here), `create(name, role) -> End` and `attach(address, role) -> End`. Adding a
mechanism is adding that file, and a line in docs/ipc.md's table, which is made from what it declares.

A *channel* goes one way, between real processes of one host. One process creates it and has one of its ends; what
another one attaches to is the end's `address`. A mechanism that is wrong on purpose says so in `DECLARED.wrong`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol

from nodes.ipc.common.channel import COLUMNS, Declared, End, Role
from nodes.registry import modules

NAMES = modules(__path__)
_HEADINGS = ("mechanism", "what it is", *COLUMNS)


class Mechanism(Protocol):
    DECLARED: Declared

    def availability(self) -> str | None: ...

    def create(self, name: str, role: Role) -> End:
        """A new channel, and this process's end of it. Raises ChannelError; nothing is left then."""

    def attach(self, address: str, role: Role) -> End:
        """The other end. Raises ChannelError: there is no such channel, or it has its two processes."""


class Unavailable(Exception):
    """This mechanism cannot be used on this host; the message says why."""


def availability(name: str) -> str | None:
    """None if it can be used here, otherwise the reason. Raises KeyError for an unknown name."""
    return _module(name).availability()


def declared(name: str) -> Declared:
    """What it is, wherever it can be used. Raises KeyError for an unknown name."""
    return _module(name).DECLARED


def mechanism(name: str) -> Mechanism:
    """Raises KeyError for an unknown name, Unavailable with the reason; never falls back to another."""
    if reason := availability(name):
        raise Unavailable(f"ipc {name}: {reason}")
    return _module(name)


def about(name: str) -> str:
    """What it is, in the first line of its file; "" where Python keeps no docstrings (-OO)."""
    return next(iter((_module(name).__doc__ or "").splitlines()), "")


def markdown() -> Iterator[str]:
    """The lines of a table of what each mechanism declares."""
    yield f"| {' | '.join(_HEADINGS)} |"
    yield "|---" * len(_HEADINGS) + "|"
    for name in NAMES:
        yield f"| `{name}` | {about(name)} | " + " | ".join(declared(name).cells()) + " |"


def _module(name: str) -> Mechanism:
    if name not in NAMES:
        raise KeyError(name)
    module: Mechanism = import_module(f"{__name__}.{name}")
    return module
