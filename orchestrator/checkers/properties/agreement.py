"""PURE: what one member of a group received every member received (agreement: Cachin, Guerraoui and Rodrigues,
"Reliable and Secure Distributed Programming", module 3.2). Multicast datagrams promise none of it; a message that no
member received refutes nothing.

The operations of a client that sends to a group are deliveries: those of one message follow one another, one for each
member. Against those that did not come about a message is convicted of that came about elsewhere.
"""

from __future__ import annotations

from collections import defaultdict

from nodes.wire.header import turn
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.messages import exchanges
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Trace
from orchestrator.history.merged import Operation

name = "agreement"
needs = frozenset({View.JOURNALS, View.GROUPS})


def check(setting: Views) -> Finding:
    messages = _messages(setting)
    missed = [
        Violation(trace.operation, _told(setting, trace, received))
        for deliveries in messages
        if (received := [trace for trace in deliveries if trace.receives])
        for trace in deliveries
        if not trace.receives
    ]
    return Finding(name, tuple(missed), {"messages": len(messages)})


def _messages(setting: Views) -> list[list[Trace]]:
    """The deliveries of each message that was sent to a group, in the order of its members."""
    found: dict[Operation, list[Trace]] = defaultdict(list)
    for link, trace in exchanges(setting):
        client, seq = trace.operation
        if (members := setting.cell.members(link.source)) > 1:
            found[client, seq - turn(seq, members)].append(trace)
    return [*found.values()]


def _told(setting: Views, missed: Trace, received: list[Trace]) -> str:
    others = " and ".join(setting.server_of(trace) for trace in received)
    return f"{setting.server_of(missed)} never received what {others} did"
