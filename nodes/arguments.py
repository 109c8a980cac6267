"""What a process of a run is told on its command line. Without argparse, whose import and use are a sixth of a start:
only an orchestrator starts these processes."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from typing import NoReturn

from nodes.log import say

USAGE = 2


class Arguments:
    """`--NAME VALUE ...`. What does not fit ends the process with exit code 2 and a message, when it is asked for; what
    nobody asks for does at `end`."""

    def __init__(self, program: str, words: Sequence[str]) -> None:
        self._program = program
        self._left = list(words)

    def text(self, name: str, default: str | None = None) -> str:
        """Without a default it must be given."""
        option = f"--{name}"
        if option not in self._left[::2]:
            return default if default is not None else self._refuse(f"the argument {option} is required")
        place = 2 * self._left[::2].index(option)
        if place + 1 == len(self._left):
            self._refuse(f"argument {option}: expected one argument")
        value = self._left[place + 1]
        del self._left[place : place + 2]
        return value

    def number(self, name: str) -> int:
        value = self.text(name)
        return int(value) if value.isdecimal() else self._refuse(f"argument --{name}: invalid int value: {value!r}")

    def one_of(self, choices: Collection[str], name: str, default: str) -> str:
        value = self.text(name, default)
        if value not in choices:
            self._refuse(f"argument --{name}: invalid choice: {value!r} (choose from {', '.join(map(repr, choices))})")
        return value

    def end(self) -> None:
        if self._left:
            self._refuse(f"unrecognized arguments: {' '.join(self._left)}")

    def _refuse(self, why: str) -> NoReturn:
        say(f"{self._program}: error: {why}")
        sys.exit(USAGE)
