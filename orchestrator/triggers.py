"""PURE: what a fault, a gate or a restart waits for: "<subject> <event> [<number>]" (chaos/faults.py)."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple


class TriggerEvent(StrEnum):
    """READY and DOWN count a server's epochs; GATE, ATTEMPT, OK and END an operation (END however it ended);
    ON and OFF are a named fault's."""

    READY = "ready"
    DOWN = "down"
    GATE = "gate"
    ATTEMPT = "attempt"
    OK = "ok"
    END = "end"
    ON = "on"
    OFF = "off"
    HEALED = "healed"


SERVER_EVENTS = frozenset({TriggerEvent.READY, TriggerEvent.DOWN})
CLIENT_EVENTS = frozenset({TriggerEvent.GATE, TriggerEvent.ATTEMPT, TriggerEvent.OK, TriggerEvent.END})
FAULT_EVENTS = frozenset({TriggerEvent.ON, TriggerEvent.OFF})

FORMS = '"<server> ready|down <epoch>", "<client> gate|attempt|ok|end <operation>", "<fault> on|off" or "healed"'

_NUMBERED = re.compile(r"(\S+) (ready|down|gate|attempt|ok|end) ([1-9][0-9]{0,5})")
_SWITCHED = re.compile(r"(\S+) (on|off)")


class Trigger(NamedTuple):
    """`subject` is a node's or a fault's name, "" for healed; `number` is 0 for events without one."""

    subject: str
    event: TriggerEvent
    number: int


def parse_trigger(text: str) -> Trigger:
    """Raises ValueError for anything that is not of these forms."""
    words = " ".join(text.split())
    if words == "healed":
        return Trigger("", TriggerEvent.HEALED, 0)
    if numbered := _NUMBERED.fullmatch(words):
        return Trigger(numbered[1], TriggerEvent(numbered[2]), int(numbered[3]))
    if switched := _SWITCHED.fullmatch(words):
        return Trigger(switched[1], TriggerEvent(switched[2]), 0)
    raise ValueError(f"{text!r} is no trigger; expected {FORMS}")
