"""PURE: what one member of a group took every member took (agreement: Cachin, Guerraoui and Rodrigues,
"Reliable and Secure Distributed Programming", module 3.2). Multicast datagrams promise none of it; a message that no
member took refutes nothing.

The operations of a client that sends to a group are deliveries: those of one message follow one another, one for each
member. A server takes what it executes: one that receives a message and leaves it is as alone as one that misses it.
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
        Violation(trace.operation, _told(setting, trace, taken))
        for deliveries in messages
        if (taken := [trace for trace in deliveries if trace.executes])
        for trace in deliveries
        if not trace.executes
    ]
    return Finding(name, tuple(missed), {"messages": len(messages)})


def _messages(setting: Views) -> list[list[Trace]]:
    """The deliveries of each message that was sent to a group, in the order of its members."""
    found: dict[Operation, list[Trace]] = defaultdict(list)
    for link, trace in exchanges(setting):
        client, seq = trace.operation
        if (members := setting.members[link.source]) > 1:
            found[client, seq - turn(seq, members)].append(trace)
    return [*found.values()]


def _told(setting: Views, missed: Trace, taken: list[Trace]) -> str:
    others = " and ".join(setting.server_of(trace) for trace in taken)
    return f"{setting.server_of(missed)} never took what {others} took"
