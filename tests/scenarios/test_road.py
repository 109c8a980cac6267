"""The message and the fault that docs/architecture.md follows along the road go as it says."""

from __future__ import annotations

import re
from pathlib import Path

import suite

from nodes.wire.record import Kind
from orchestrator.history.merged import Event
from orchestrator.scenario.plan import load
from orchestrator.scenario.shipped import find

ARCHITECTURE = Path(__file__).parents[2] / "docs/architecture.md"
CELL = {"semantics": "at-most-once", "transport": "udp", "codec": "xdr"}
DRAWN = (
    Kind.INVOKE,
    Kind.SEND,
    Kind.DECISION,
    Kind.RECEIVE,
    Kind.EXECUTE,
    Kind.COMMIT,
    Kind.ANSWER,
    Kind.REPLY,
    Kind.OK,
)
NUMBERED = (Kind.SEND, Kind.RECEIVE, Kind.ANSWER, Kind.REPLY)
STEP = re.compile(r"\S+(?: \S+)*")
"""Steps are two spaces apart."""


def drawn() -> list[tuple[str, str]]:
    """(process, step) from left to right."""
    [figure] = re.findall(r"```\n(client .*?)```", ARCHITECTURE.read_text("utf-8"), re.DOTALL)
    steps = []
    for line in figure.splitlines():
        name, *found = STEP.finditer(line)
        steps += [(step.start(), name.group(), step.group()) for step in found]
    return [(name, step) for _, name, step in sorted(steps)]


def step(event: Event) -> str:
    if event.kind is Kind.DECISION:
        act = str(event.detail["act"])
        return act if act == "pass" else act.upper()
    return f"{event.kind.name.lower()}{f' {event.attempt}' if event.kind in NUMBERED else ''}"


def test_a_message_and_a_fault_go_as_they_are_drawn() -> None:
    [cell] = [cell for cell in load(find("rpc/02-reply-lost")[0]).cells if dict(cell.axes) == CELL]
    [ran] = suite.run([cell], "sim")
    operation = next(event.operation for event in ran.history.events if event.seq == 2)
    events = [event for event in ran.history.events if event.operation == operation and event.kind in DRAWN]
    assert [(event.node, step(event)) for event in events] == drawn()
