"""`python -I -m chaos`: the relay in a process of its own.

It says on standard output where its control endpoint listens, obeys who knows the token, and ends when that
connection ends.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from chaos.planes.control_server import ControlServer
from chaos.planes.loop import Loop
from chaos.planes.relay import Relay
from nodes import control
from nodes.clock import clock_domain, now
from nodes.failpoints import Failpoints
from nodes.journal import JournalError, JournalWriter
from nodes.wire.record import Kind, start_detail
from nodes.witness import RealWitness

FAILED = 70  # EX_SOFTWARE of sysexits.h
EPOCH = 1


def arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chaos", description="The message relay of one Faultbed run.")
    parser.add_argument("--name", required=True)
    parser.add_argument("--home", type=Path, required=True, help="folder of its journal")
    return parser.parse_args(argv)


def serve(name: str, home: Path, token: bytes) -> None:
    """Run one relay until its control connection ends. Raises JournalError, OSError."""
    journal = JournalWriter(home / f"{name}.{EPOCH}.journal")
    witness = RealWitness(journal, Failpoints(()), now)
    detail = start_detail(name, EPOCH, "relay", domain=clock_domain(), evidence="real", pid=os.getpid())
    witness.note(Kind.START, detail=detail)
    loop = Loop()
    server = ControlServer(loop, token, Relay(loop, witness.note).obey)
    print(control.control_line(*server.address), flush=True)
    loop.run()
    witness.note(Kind.STOP)
    journal.close()


def main() -> int:
    options = arguments(sys.argv[1:])
    try:
        serve(options.name, options.home, control.token_from_hex(os.environ.pop(control.TOKEN_VARIABLE, "")))
    except (control.ControlError, JournalError, OSError) as error:
        print(f"relay {options.name}: {error}", file=sys.stderr)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
