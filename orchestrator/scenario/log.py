"""PURE: what a recorded run did to messages and processes, as a value: it can be edited, and lies in a cell's plan.

A decision names its message. What was done to a process has a trigger: a failpoint's passage, what the scenario's fault
waits for, or a `moment`: the last invoke, attempt or end of a call before an act whose time had come. Never a time.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import PlainSerializer, PlainValidator

from chaos.faults.window import TriggerText
from chaos.identity import Key
from chaos.recorded import Entry, entry_of, key_of, message, plain
from orchestrator.scenario.value import Value

AT_ONCE = ""
"""The trigger of what waits for nothing that happened: a strike comes with the load, a restart with the death before
it; a pause ends after the scenario's own time, since one in which nothing happens is felt by its length alone."""

_MOMENT = re.compile(r"(\S+) (invoke|attempt|end) ([0-9]+)(?:\.[0-9]+)? of [0-9]+")


def _entry(value: Any) -> Entry:
    return value if isinstance(value, Entry) else entry_of(value)


def _key(value: Any) -> Key:
    return value if isinstance(value, Key) else key_of(value)


Decided = Annotated[Entry, PlainValidator(_entry), PlainSerializer(plain)]
Message = Annotated[Key, PlainValidator(_key), PlainSerializer(message)]


class Passage(NamedTuple):
    """An attempt of an operation, at a failpoint."""

    client: int
    seq: int
    attempt: int


class Strike(Value):
    """What one fault on a process did: it struck at a passage of its failpoint, or else `when` a trigger occurred.

    `fault` is its place in the cell, `epoch` that of the process. `ends` is the trigger at which a pause ended,
    `restart` that at which the next epoch was started; None: neither came before heal.
    """

    fault: int
    node: str
    epoch: int
    passage: Passage | None = None
    when: TriggerText = AT_ONCE
    ends: TriggerText | None = None
    restart: TriggerText | None = None


class Ending(NamedTuple):
    """What an operation's client learnt (ok, fail, info), and how often it was executed to an effect."""

    client: int
    seq: int
    end: str
    executions: int


class Log(Value):
    """`run` is the folder of the recorded run. `passed` are the messages that nothing was done to, by which those that
    are unknown are told. `endings` are by what a replay that went otherwise is told; without any, nothing is compared.
    """

    run: str
    decisions: tuple[Decided, ...] = ()
    strikes: tuple[Strike, ...] = ()
    passed: tuple[Message, ...] = ()
    endings: tuple[Ending, ...] = ()

    def __len__(self) -> int:
        return len(self.decisions) + len(self.strikes)

    def of_link(self, link: str) -> list[Entry]:
        return [entry for entry in self.decisions if entry.key.link == link]


def moment(node: str, event: str, client: int, seq: int, attempt: int = 0) -> str:
    """The trigger that is one client's invoke, attempt or end of an operation."""
    return f"{node} {event} {seq}.{attempt} of {client}" if event == "attempt" else f"{node} {event} {seq} of {client}"


def reported(trigger: str) -> tuple[str, str, int] | None:
    """(node, event, number): what a node has to tell for a moment to be noticed; None for a scenario's trigger."""
    found = _MOMENT.fullmatch(trigger)
    return None if found is None else (found[1], found[2], int(found[3]))
