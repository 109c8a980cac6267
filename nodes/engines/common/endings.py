"""How a program that will never be resumed is let go, the same on every engine."""

from __future__ import annotations

from nodes.ops import Program

_PATIENCE = 100


def drop(program: Program) -> None:
    """Close the generator so that its `finally` blocks run.

    Such a block may yield operations (closing a socket is the usual one). Nobody performs them any more, so
    each is skipped by closing again; the engine closes the sockets itself.
    """
    for _ in range(_PATIENCE):
        try:
            program.close()
        except RuntimeError:  # "generator ignored GeneratorExit": it yielded from a finally block
            continue
        except Exception:  # a clean-up that fails because nothing works any more
            return
        return
