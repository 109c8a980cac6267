"""PURE: the evidence gate. What fails here is the testbed's failure, not a verdict (docs/semantics.md, "Ground truth").

Each rule is a function from a history to problems, one line each, naming the process or the operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import NamedTuple

from nodes.wire.record import Kind
from orchestrator.checkers.gate.attempts import (
    attempts_are_as_many_as_planned,
    attempts_are_whole,
    completions_are_single,
    sends_say_the_first_incomplete,
    waits_are_planned,
)
from orchestrator.checkers.gate.attributed import (
    commits_were_executed,
    executions_were_received,
    links_and_faults_are_planned,
    rows_are_planned,
    served_clients_are_planned,
)
from orchestrator.checkers.gate.chain import messages_were_sent
from orchestrator.checkers.gate.failpoints import failpoints_are_planned
from orchestrator.checkers.gate.fields import records_say_what_they_have_to
from orchestrator.checkers.gate.hops import (
    decisions_are_their_faults,
    releases_were_decided,
    rules_are_switched,
    servers_are_known,
)
from orchestrator.checkers.gate.let_through import chance_strikes_as_often_as_said, faults_let_nothing_through
from orchestrator.checkers.gate.lives import (
    acts_are_planned,
    ends_are_told,
    journals_are_whole,
    phases_are_whole,
    processes_are_planned,
    strikes_are_single,
)
from orchestrator.checkers.gate.names import attempt_name, operation_name
from orchestrator.checkers.gate.planned import invokes_are_planned, no_more_are_open_than_planned
from orchestrator.checkers.gate.records import numbers_are_their_kinds, records_are_by_whom_they_can_be
from orchestrator.checkers.gate.samples import counts_never_fall, crowds_tell_how_large_they_were, samples_are_there
from orchestrator.checkers.gate.sessions import (
    calls_come_after_hello,
    calls_wait_at_their_gates,
    hellos_are_the_servers,
    lines_are_kept,
    who_shares_a_line_sees_its_end,
)
from orchestrator.checkers.gate.streams import streams_keep_their_order
from orchestrator.checkers.modelled import attempt
from orchestrator.checkers.views import View, Views


class Rule(NamedTuple):
    """`needs`: what a run has to show for the rule to be asked; None: nothing more than any."""

    problems: Callable[[Views], Iterator[str]]
    needs: View | None = None


def unchecked(setting: Views) -> Iterator[str]:
    """What the gate would look at, and the run does not show."""
    if not (setting.plan and setting.index.history.plan):
        yield "plan not checked: the history does not say of which plan it is (older versions did not record that)"
    if any("wait" not in event.detail for event in setting.suspected(Kind.ATTEMPT)):
        yield "waits not checked: the journals do not tell how long clients waited (older versions did not record that)"
    if any("connection" not in event.detail for event in setting.suspected(Kind.ANSWER)):
        yield (
            "lines of answers not checked: the journals do not tell over which connections servers answered (older "
            "versions did not record that)"
        )
    if setting.cell.log is not None and not setting.cell.log.endings:
        yield "endings not compared: the log does not say how the operations of its run ended"


def is_of_this_plan(setting: Views) -> Iterator[str]:
    """A cell judges the run that was made from it, and from every byte of it."""
    recorded = setting.index.history.plan
    if setting.plan and recorded and setting.plan != recorded:
        yield (
            "the history is of another plan than the one beside it (plan.json), or that was changed since the run; "
            "put back the plan of this run, or run again"
        )


def reached_its_end(setting: Views) -> Iterator[str]:
    """A run that failed or was interrupted left a part of a history, from which nothing follows."""
    phases = [event.detail["phase"] for event in setting.index.of_kind(Kind.PHASE)]
    if phases[-1:] != ["end"]:
        yield f"the run did not reach its end; its last phase was {phases[-1] if phases else 'none'}"


def rows_have_no_gap(setting: Views) -> Iterator[str]:
    """A ledger numbers its rows 1, 2, 3, ...; a gap is a row that somebody removed."""
    for ledger, rows in setting.index.ledgers.items():
        found = rows.numbers
        if sorted(found) != list(range(1, len(found) + 1)):
            there = set(found)
            missing = list(islice((n for n in range(1, max(found)) if n not in there), 5))
            yield f"ledger {ledger}: its {len(found)} rows are not numbered 1 to {len(found)} (missing: {missing})"


def servers_have_ledgers(setting: Views) -> Iterator[str]:
    """A server whose ledger was not collected could have had any effect."""
    known = {event.node for event in setting.index.of_kind(Kind.LEDGER)}
    for node in setting.index.servers:
        if node not in known:
            yield f"no ledger of {node} was collected"


def effects_were_executed(setting: Views) -> Iterator[str]:
    """Every row has an execution that the same process journalled for the same attempt."""
    for trace in setting.suspects:
        executed = Counter(map(attempt, trace.executes))
        for event in trace.effects:
            executed[attempt(event)] -= 1
            if executed[attempt(event)] < 0:
                yield (
                    f"ledger {event.detail['ledger']}: row {event.detail['n']} is an effect of {attempt_name(event)}, "
                    f"which {event.node} did not journal to have executed in epoch {event.epoch}"
                )


def commits_are_in_ledgers(setting: Views) -> Iterator[str]:
    """A commit is journalled after COMMIT returned, so each has its row, with its result, from its epoch."""
    for trace in setting.suspects:
        rows = {(event.node, event.epoch, event.detail["n"]): event for event in trace.effects}
        for event in trace.commits:
            row = rows.pop((event.node, event.epoch, event.detail["n"]), None)
            if row is None:
                operation = operation_name(event.operation)
                yield f"{event.node} journalled the commit of {operation}, which is in no ledger, or once more"
            elif row.detail["result"] != event.detail.get("result"):
                ledger = row.detail["ledger"]
                yield f"the commit of {operation_name(event.operation)} and its row in {ledger} differ in the result"


def states_come_with_rows(setting: Views) -> Iterator[str]:
    """A state is written in the transaction of an effect."""
    for ledger in setting.index.of_kind(Kind.LEDGER):
        name = ledger.detail["ledger"]
        if ledger.detail["state"] and name not in setting.index.rows:
            yield f"ledger {name}: it has a state and no rows"


def oracle_was_asked(setting: Views) -> Iterator[str]:
    """A run whose oracle gave no answer had any effects."""
    if not setting.index.of_kind(Kind.LEDGER):
        yield "the oracle reported nothing, not even that there are no effects"


FIRST = (Rule(is_of_this_plan), Rule(reached_its_end))
"""Where one finds something, nothing else can be asked."""
OF_THE_RUN = (
    Rule(phases_are_whole, View.JOURNALS),
    Rule(processes_are_planned, View.JOURNALS),
    Rule(journals_are_whole, View.JOURNALS),
    Rule(ends_are_told, View.JOURNALS),
    Rule(acts_are_planned, View.JOURNALS),
    Rule(strikes_are_single, View.JOURNALS),
    Rule(failpoints_are_planned, View.JOURNALS),
    Rule(streams_keep_their_order, View.JOURNALS),
    Rule(numbers_are_their_kinds, View.JOURNALS),
    Rule(records_are_by_whom_they_can_be, View.JOURNALS),
    Rule(records_say_what_they_have_to, View.JOURNALS),
    Rule(counts_never_fall, View.SAMPLES),
    Rule(samples_are_there, View.SAMPLES),
    Rule(crowds_tell_how_large_they_were, View.SAMPLES),
    Rule(rules_are_switched, View.JOURNALS),
    Rule(servers_are_known, View.JOURNALS),
    Rule(decisions_are_their_faults, View.JOURNALS),
    Rule(faults_let_nothing_through, View.JOURNALS),
    Rule(chance_strikes_as_often_as_said, View.JOURNALS),
    Rule(releases_were_decided, View.JOURNALS),
    Rule(hellos_are_the_servers, View.JOURNALS),
    Rule(calls_come_after_hello, View.JOURNALS),
    Rule(lines_are_kept, View.JOURNALS),
    Rule(who_shares_a_line_sees_its_end, View.JOURNALS),
    Rule(calls_wait_at_their_gates, View.JOURNALS),
)
"""On how the run went: its processes, planes and sessions."""
OF_CALLS = (
    Rule(links_and_faults_are_planned),
    Rule(served_clients_are_planned, View.JOURNALS),
    Rule(rows_have_no_gap),
    Rule(servers_have_ledgers, View.JOURNALS),
    Rule(rows_are_planned, View.JOURNALS),
    Rule(executions_were_received, View.JOURNALS),
    Rule(commits_were_executed, View.JOURNALS),
    Rule(effects_were_executed, View.JOURNALS),
    Rule(commits_are_in_ledgers, View.JOURNALS),
    Rule(states_come_with_rows, View.JOURNALS),
    Rule(invokes_are_planned),
    Rule(completions_are_single),
    Rule(no_more_are_open_than_planned),
    Rule(attempts_are_whole, View.JOURNALS),
    Rule(waits_are_planned, View.JOURNALS),
    Rule(attempts_are_as_many_as_planned, View.JOURNALS),
    Rule(sends_say_the_first_incomplete, View.JOURNALS),
    Rule(messages_were_sent, View.JOURNALS),
    Rule(oracle_was_asked, View.ORACLE),
)
"""On the calls, the messages and the ledgers."""
RULES = (*OF_THE_RUN, *OF_CALLS)


def problems(setting: Views, rules: tuple[Rule, ...] = RULES) -> tuple[str, ...]:
    """Why this history's evidence cannot be trusted; empty if it can. Of a part of one, no more is asked.

    What a rule crashed over is told by the setting's guard.
    """
    if partial := _found(setting, FIRST):
        return partial
    return _found(setting, [rule for rule in rules if rule.needs is None or rule.needs in setting.shown])


def _found(setting: Views, rules: Iterable[Rule]) -> tuple[str, ...]:
    found: list[str] = []
    for rule in rules:
        setting.guard(partial(found.extend, rule.problems(setting)), None)
    return tuple(found)
