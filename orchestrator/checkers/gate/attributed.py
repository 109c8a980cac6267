"""PURE: what is on record is of something that the plan has: a process, a link, a client, a fault.

A checker looks at what it can attribute. What it could not would be looked at by none, so it stops here.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Sequence

from nodes.wire.record import Kind
from orchestrator.checkers.gate.names import attempt_name, life_name
from orchestrator.checkers.modelled import Attempt, attempt
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Event

LINKED = (Kind.RECEIVE, Kind.DECISION, Kind.RELEASE, Kind.UPSTREAM, Kind.COUNTER)
RULED = (Kind.DECISION, Kind.RELEASE, Kind.RULE, Kind.COUNTER)
SERVED = (Kind.RECEIVE, Kind.EXECUTE, Kind.COMMIT, Kind.ANSWER, Kind.TRIM, Kind.EFFECT)


def links_and_faults_are_planned(setting: Views) -> Iterator[str]:
    """Whatever names a link or a fault names one of the plan's; a split's counters name who it keeps apart."""
    cell = setting.cell
    links = {path.name for path in cell.paths}
    links |= {f"{sender} -> {receiver}" for fault in cell.faults for sender, receiver in fault.apart}
    for kind in LINKED:
        yield from _unknown(setting.suspected(kind), "link", links)
    faults = {*range(len(cell.faults)), None}
    for kind in RULED:
        yield from _unknown(setting.suspected(kind), "rule", faults)
    for kind in (Kind.ACT, Kind.FAILPOINT):
        yield from _unknown(setting.suspected(kind), "fault", faults)


def _unknown(events: Sequence[Event], key: str, known: Collection[object]) -> Iterator[str]:
    if {event.detail.get(key) for event in events} <= set(known):
        return
    for event in events:
        if event.detail.get(key) not in known:
            yield f"{event.node} journalled {event.kind.name} of {key} {event.detail.get(key)}, which the plan has not"


def served_clients_are_planned(setting: Views) -> Iterator[str]:
    """Whoever a server serves is a client of the plan's, with a link to it; or it has no number (client 0)."""
    known = {(0, server) for server in setting.cell.servers}
    for number, caller in setting.callers.items():
        known.update((number, link.target) for link in setting.cell.links_of(caller.node))
    index = setting.index
    for kind in SERVED:
        strange = kind is not Kind.TRIM or not index.receipts.forgot <= known
        for event in (index.of_kind(kind) if kind is Kind.TRIM else setting.suspected(kind)) if strange else ():
            if (event.client, event.node) not in known:
                yield f"{event.node} journalled {event.kind.name} of client {event.client}, whom the plan has not there"


def executions_were_received(setting: Views) -> Iterator[str]:
    """What a server executes it received before, and a hello is never executed."""
    for trace in setting.suspects:
        received: dict[Attempt, Event] = {}
        for event in trace.receives:
            received.setdefault(attempt(event), event)
        for event in trace.executes:
            first = received.get(attempt(event))
            if first is None or first.order > event.order:
                yield f"{event.node} executed {attempt_name(event)}, and did not journal to have received it before"
            elif event.seq == 0:
                yield f"{event.node} executed {attempt_name(event)}"


def commits_were_executed(setting: Views) -> Iterator[str]:
    """What a server commits it began to execute before, once for each time."""
    for trace in setting.suspects:
        begun: dict[Attempt, deque[int]] = defaultdict(deque)
        for event in trace.executes:
            begun[attempt(event)].append(event.order)
        for event in trace.commits:
            orders = begun[attempt(event)]
            if not orders or orders.popleft() > event.order:
                yield f"{event.node} committed {attempt_name(event)}, and did not journal to have executed it before"


def rows_are_planned(setting: Views) -> Iterator[str]:
    """Each row is of a ledger that was collected, of a process that wrote to a ledger with that history."""
    ledgers = {event.detail["ledger"]: event for event in setting.index.of_kind(Kind.LEDGER)}
    had = {(node, history) for (node, _), history in setting.index.histories.items()}
    for name, ledger in ledgers.items():
        if ledger.node not in setting.cell.servers:
            yield f"ledger {name} is of {ledger.node}, which the plan has not for a server"
        elif (ledger.node, ledger.detail["history"]) not in had:
            yield f"ledger {name} has a history that no process of {ledger.node} says to have had"
    if len(ledgers) < len(setting.index.of_kind(Kind.LEDGER)):
        yield "a ledger was collected twice"
    for name, rows in setting.index.ledgers.items():
        if rows.misdated:
            yield f"ledger {name} has a row of one epoch that says to be of another"
        for life in rows.lives:
            if name not in ledgers or ledgers[name].node != life[0]:
                yield f"ledger {name} has rows of {life_name(life)}, and was not collected of {life[0]}"
            elif setting.index.histories.get(life) != ledgers[name].detail["history"]:
                yield f"ledger {name} has rows of {life_name(life)}, which says to have had another ledger"
