"""PURE: the command shell of a plane: finds what a command asks for, and refuses what is none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from chaos.rules import BadConfiguration
from nodes.wire.errors import shown
from nodes.wire.record import Kind, Note

Command = dict[str, Any]
"""A command of the control protocol, or the body of an answer to one."""


class CommandedPlane(ABC):
    """Obeys the commands of chaos/planes/plane.py, each by its method. `title` is what refusals call it, such as
    "relay"."""

    COMMANDS: ClassVar[tuple[str, ...]] = ("configure", "upstream", "rule", "heal", "status")

    def __init__(self, title: str, note: Note) -> None:
        self._title = title
        self._note = note

    def obey(self, command: Command) -> Command:
        """-> the body of the answer. Raises BadConfiguration: nothing has changed then."""
        name = command["type"]
        if name not in self.COMMANDS:
            known = ", ".join([*self.COMMANDS, "stop"])
            raise BadConfiguration(f"a {self._title} has no command {shown(name)}; it has {known}")
        body: Command = getattr(self, f"_{name}")(command)
        return body

    def _configure(self, command: Command) -> Command:
        if self._configured:
            raise BadConfiguration(f"the {self._title} is configured already")
        addresses = self._open(command)
        self._note(Kind.READY, detail={"addresses": addresses})
        return {"addresses": addresses}

    def _heal(self, command: Command) -> Command:
        self._all_off()
        return {}

    def _status(self, command: Command) -> Command:
        """Of a plane that knows no messages."""
        return {"held": 0, "pending": self._waiting(), "connections": 0, "passed": {}}

    def _waiting(self) -> int:
        """How much it keeps back, if it can tell."""
        return 0

    @property
    @abstractmethod
    def _configured(self) -> bool: ...

    @abstractmethod
    def _open(self, command: Command) -> dict[str, list[Any]]:
        """-> where its links listen, by name."""

    @abstractmethod
    def _upstream(self, command: Command) -> Command: ...

    @abstractmethod
    def _rule(self, command: Command) -> Command: ...

    @abstractmethod
    def _all_off(self) -> None:
        """For good."""
