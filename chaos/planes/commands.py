"""PURE: how a plane's process finds what a command asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chaos.rules import BadConfiguration
from nodes.wire.errors import shown

Command = dict[str, Any]
"""A command of the control protocol, or the body of an answer to one."""
Commands = Mapping[str, Callable[[Command], Command]]


def perform(commands: Commands, command: Command, plane: str) -> Command:
    """-> the body of the answer. Raises BadConfiguration for a command that `plane`, such as "a relay", has not."""
    obey = commands.get(command["type"])
    if obey is None:
        known = ", ".join([*commands, "stop"])
        raise BadConfiguration(f"{plane} has no command {shown(command['type'])}; it has {known}")
    return obey(command)
