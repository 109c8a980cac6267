"""The command shell of a plane: what it obeys once, what it refuses, and what it says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.planes.commands import Command, CommandedPlane
from chaos.rules import BadConfiguration
from nodes.wire.record import Kind


class Plane(CommandedPlane):
    """The least that one has to bring."""

    def __init__(self) -> None:
        super().__init__("test plane", self.noted)
        self.notes: list[tuple[Kind, Any]] = []
        self.on = True

    def noted(self, kind: Kind, *numbers: int, detail: dict[str, Any] | None = None) -> None:
        self.notes.append((kind, detail))

    @property
    def _configured(self) -> bool:
        return bool(self.notes)

    def _open(self, command: Command) -> dict[str, list[Any]]:
        return {command["link"]: ["127.0.0.1", 7]}

    def _upstream(self, command: Command) -> Command:
        return {"told": command["address"]}

    def _rule(self, command: Command) -> Command:
        return {"switched": command["index"]}

    def _all_off(self) -> None:
        self.on = False


def test_it_is_configured_once_and_notes_where_it_listens() -> None:
    plane = Plane()
    addresses = {"addresses": {"a -> b": ["127.0.0.1", 7]}}
    assert plane.obey({"type": "configure", "link": "a -> b"}) == addresses
    assert plane.notes == [(Kind.READY, addresses)]
    with pytest.raises(BadConfiguration, match="the test plane is configured already"):
        plane.obey({"type": "configure", "link": "a -> b"})


def test_each_command_is_obeyed_by_its_own() -> None:
    plane = Plane()
    assert plane.obey({"type": "upstream", "address": 5}) == {"told": 5}
    assert plane.obey({"type": "rule", "index": 3}) == {"switched": 3}
    assert plane.on
    assert plane.obey({"type": "heal"}) == {}
    assert not plane.on


def test_one_that_knows_no_messages_keeps_none() -> None:
    assert Plane().obey({"type": "status"}) == {"held": 0, "pending": 0, "connections": 0, "passed": {}}


@pytest.mark.parametrize("name", ["dance", "obey", "all_off", "open"])
def test_what_is_no_command_is_refused(name: str) -> None:
    with pytest.raises(BadConfiguration) as refused:
        Plane().obey({"type": name})
    assert str(refused.value) == (
        f"a test plane has no command '{name}'; it has configure, upstream, rule, heal, status, stop"
    )
