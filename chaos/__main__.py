"""`python -I -m chaos`: one plane in a process of its own.

It says on standard output where its control endpoint listens, obeys who knows the token, and ends when that
connection ends.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from chaos.planes.control_server import ControlServer
from chaos.planes.loop import Loop
from chaos.planes.plane import NAMES, make
from nodes import control
from nodes.arguments import Arguments
from nodes.clock import clock_domain, now
from nodes.journal import JournalError, JournalWriter, journal_name
from nodes.log import say
from nodes.wire.record import Kind, start_detail

EPOCH = 1


class Options(NamedTuple):
    """`home`: the folder of its journal. `control`: the host where its control endpoint listens."""

    name: str
    home: str
    control: str
    plane: str


def options_of(argv: Sequence[str]) -> Options:
    given = Arguments("python -m chaos", argv)
    options = Options(
        name=given.text("name"),
        home=given.text("home"),
        control=given.text("control", "127.0.0.1"),
        plane=given.one_of(NAMES, "plane", "relay"),
    )
    given.end()
    return options


def serve(options: Options, token: bytes) -> None:
    """Run one plane until its control connection ends. Raises JournalError, OSError."""
    name = options.name
    journal = JournalWriter(os.path.join(options.home, journal_name(name, EPOCH)), now)
    note = journal.note
    detail = start_detail(name, EPOCH, options.plane, domain=clock_domain(), evidence="real", pid=os.getpid())
    note(Kind.START, detail=detail)
    loop = Loop()
    plane = make(options.plane, loop, note)
    try:
        server = ControlServer(loop, options.control, token, plane.obey)
        print(control.control_line(*server.address), flush=True)
        loop.run()
    finally:
        plane.close()
    note(Kind.STOP)
    journal.close()


def prepare(argv: Sequence[str]) -> None:
    """Import what a process with these arguments will: for who is going to fork it."""
    import_module(NAMES[options_of(argv).plane])


def main() -> int:
    options = options_of(sys.argv[1:])
    try:
        serve(options, control.token_from_hex(os.environ.pop(control.TOKEN_VARIABLE, "")))
    except (control.ControlError, JournalError, OSError) as error:
        say(f"{options.plane} {options.name}: {error}")
        return control.FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
