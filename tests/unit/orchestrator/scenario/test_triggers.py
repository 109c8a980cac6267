from __future__ import annotations

import pytest

from orchestrator.scenario.triggers import Trigger, TriggerEvent, last_before_heal, parse_trigger


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


@pytest.mark.parametrize(
    ("gates", "last"),
    [({}, 6), ({3: "server ready 2"}, 6), ({4: "healed"}, 3), ({4: "healed", 2: "healed"}, 1), ({8: "healed"}, 6)],
)
def test_the_last_call_before_heal(gates: dict[int, str], last: int) -> None:
    assert last_before_heal(8, 2, gates) == last


@pytest.mark.parametrize("text", ["", "ready", "server ready", "server ready 0", "server ready -1", "a b c", "x on 2"])
def test_anything_else_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="<server> ready"):
        parse_trigger(text)
