"""PURE: what a fault, a gate or a restart waits for: "<subject> <event> [<number>]" (chaos/faults/vocabulary.py)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, get_args, get_type_hints

from chaos.faults.window import TRIGGER, marked
from chaos.problem import Path
from orchestrator.scenario.value import Value


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


def triggers(value: Any) -> Iterator[str]:
    """Every trigger in a scenario's value, at any depth: whatever the types of its fields say is one."""
    return (text for _, text in placed_triggers(value))


def placed_triggers(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Each with its place below `path`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from placed_triggers(item, (*path, key))
    elif isinstance(value, tuple):
        for key, item in enumerate(value):
            yield from placed_triggers(item, (*path, key))
    else:
        for name, is_text in _fields(type(value)):  # type: ignore[arg-type]  # the type of a type is hashable
            if below := getattr(value, name, None):
                yield from (_texts if is_text else placed_triggers)(below, (*path, name))


@cache
def _fields(kind: type) -> tuple[tuple[str, bool], ...]:
    """The fields that may have triggers, of a model or a dataclass; whether they are the texts of some."""
    if not (issubclass(kind, Value) or is_dataclass(kind)):
        return ()
    texts = marked(kind, TRIGGER)
    return tuple((name, name in texts) for name, hint in get_type_hints(kind).items() if name in texts or _holds(hint))


def _holds(hint: Any) -> bool:
    """Whether a value of that type may have triggers at any depth."""
    if isinstance(hint, type) and not get_args(hint):
        return bool(_fields(hint))
    return hint is Any or any(map(_holds, get_args(hint)))


def _texts(value: str | Mapping[Any, str] | None, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif value is not None:
        yield from (((*path, key), text) for key, text in value.items())


def last_before_heal(calls: int, after_heal: int, gates: Mapping[int, str]) -> int:
    """The number of a client's last call that does not wait for heal, at the end or at a gate of the scenario's."""
    healed = (call for call, trigger in gates.items() if trigger == TriggerEvent.HEALED)
    return min([calls - after_heal, *(call - 1 for call in healed)])
