from __future__ import annotations

import pytest

from orchestrator.triggers import Trigger, TriggerEvent, parse_trigger


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("server ready 2", Trigger("server", TriggerEvent.READY, 2)),
        ("client  gate 5", Trigger("client", TriggerEvent.GATE, 5)),
        ("client end 1", Trigger("client", TriggerEvent.END, 1)),
        ("split off", Trigger("split", TriggerEvent.OFF, 0)),
        ("healed", Trigger("", TriggerEvent.HEALED, 0)),
    ],
)
def test_forms(text: str, trigger: Trigger) -> None:
    assert parse_trigger(text) == trigger


@pytest.mark.parametrize("text", ["", "ready", "server ready", "server ready 0", "server ready -1", "a b c", "x on 2"])
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="<server> ready"):
        parse_trigger(text)
