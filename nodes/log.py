"""What a process that serves says on standard error. One that takes no more, a full disk or a closed terminal, costs
the line only: no visitor may end a process by giving it something to say."""

from __future__ import annotations

import os

STANDARD_ERROR = 2


def say(line: str) -> None:
    """Written past the interpreter's buffer, whose rest would change the exit code at the end."""
    try:
        os.write(STANDARD_ERROR, f"{line}\n".encode("utf-8", "backslashreplace"))
    except OSError:
        pass
