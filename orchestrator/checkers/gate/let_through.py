"""PURE: a relay's fault did what its word says to every message that it speaks of while it was on.

What a relay did to a message is on record with the fault that did it (gate/hops.py looks at those); here it is looked
at what went on as if no fault spoke of it, or another one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import log
from typing import NamedTuple, cast

from chaos.decide import Rule, matches, speaks
from chaos.faults.fault import RelayFault
from chaos.identity import Key
from nodes.wire.record import Kind
from orchestrator.checkers.gate.names import operation_name
from orchestrator.checkers.views import Views
from orchestrator.history.merged import Operation
from orchestrator.history.straight import Course
from orchestrator.run.specs import plane_of

ONCE_IN = log(1e9)


class Seen(NamedTuple):
    """A message that a relay decided about, between two orders, and the rule that it is on record with."""

    key: Key
    after: int
    before: int
    rule: int | None


class Switched:
    """When a rule was on: from its first order to the next, and so on in turn."""

    def __init__(self, orders: Sequence[int], begins_on: bool) -> None:
        self._orders, self._begins_on = orders, begins_on

    def on(self, after: int, before: int) -> bool:
        """All the time between two orders."""
        place = bisect_right(self._orders, after)
        return place == bisect_right(self._orders, before) and self._on(place)

    def on_once(self, after: int, before: int) -> bool:
        """Some of that time."""
        place = bisect_right(self._orders, after)
        return place < bisect_right(self._orders, before) or self._on(place)

    def _on(self, place: int) -> bool:
        return (place % 2 == 1) is not self._begins_on


def faults_let_nothing_through(setting: Views) -> Iterator[str]:
    """Of each rule the first message is told that it should have met. What was recorded by a log, or an older version,
    is not looked at."""
    rules = _rules(setting)
    if not rules:
        return
    switched = _switched(setting, rules)
    missed: dict[int, list[Seen]] = defaultdict(list)
    for seen in chain(_odd(setting), _even(setting)):
        if (rule := _speaks(setting.cell.seed, rules, switched, seen)) is not None:
            missed[rule].append(seen)
    for rule, found in sorted(missed.items()):
        key = min(found, key=lambda seen: seen.after).key
        more = f", and {len(found) - 1} more messages" if len(found) > 1 else ""
        name = f"{operation_name((key.client, key.seq))}, attempt {key.attempt}"
        verb = setting.cell.faults[rule].verb
        yield f"{name}: its {key.direction} was not met by fault {rule + 1} ({verb}), which was on and names it{more}"


def chance_strikes_as_often_as_said(setting: Views) -> Iterator[str]:
    """A fault by chance met about the share of what it names that its probability says. Of runs that are as they should
    be one in a milliard is told of."""
    rules = [rule for rule in _rules(setting) if rule.fault.probability is not None]
    switched = _switched(setting, rules)
    tallies = {rule.index: Tally() for rule in rules}
    for seen in chain(_odd(setting), _even(setting)) if rules else ():
        for rule in rules:
            if seen.rule in (None, rule.index) and speaks(rule, seen.key):
                tallies[rule.index].add(seen, switched[rule.index], rule.index)
    for rule in rules:
        if told := tallies[rule.index].against(cast(float, rule.fault.probability)):
            yield f"fault {rule.index + 1} ({rule.fault.verb}) {told}"


class Tally:
    """Of the messages that a fault names: how many it met, how many came while it was on, and how many perhaps did."""

    def __init__(self) -> None:
        self._met = self._surely = self._perhaps = 0

    def add(self, seen: Seen, switched: Switched, rule: int) -> None:
        self._met += seen.rule == rule
        self._surely += switched.on(seen.after, seen.before)
        self._perhaps += switched.on_once(seen.after, seen.before)

    def against(self, share: float) -> str:
        """What of it is too unlikely; "" if nothing."""
        met, at_least, at_most = self._met, self._surely, self._perhaps
        if met < share * at_least and _unlikely(met, at_least, share):
            return f"met {met} of {at_least} messages that it names; its probability is {share}"
        if met > share * at_most and _unlikely(met, at_most, share):
            return f"met {met} of at most {at_most} messages that it names; its probability is {share}"
        return ""


def _unlikely(met: int, of: int, share: float) -> bool:
    """Chernoff's bound for so many, or still further from what is expected (Hoeffding 1963, theorem 1)."""
    ways = [(seen, said) for seen, said in ((met / of, share), (1 - met / of, 1 - share)) if seen > 0]
    return any(said <= 0 for _, said in ways) or of * sum(seen * log(seen / said) for seen, said in ways) > ONCE_IN


def _rules(setting: Views) -> list[Rule]:
    """The relay's; none where what they did is not theirs to say."""
    if setting.cell.log is not None or not setting.index.history.plan:
        return []
    return [
        Rule(index, cast(RelayFault, fault))
        for index, fault in enumerate(setting.cell.faults)
        if plane_of(setting.cell, fault) == "relay"
    ]


def _switched(setting: Views, rules: Iterable[Rule]) -> Mapping[int, Switched]:
    orders: dict[int, list[int]] = defaultdict(list)
    for event in setting.index.of_kind(Kind.RULE):
        orders[event.detail["rule"]].append(event.order)
    return {rule.index: Switched(orders[rule.index], rule.fault.starts_on) for rule in rules}


def _speaks(seed: int, rules: Iterable[Rule], switched: Mapping[int, Switched], seen: Seen) -> int | None:
    """The first rule that was on and speaks of the message, if it is on record with none, or a later one."""
    for rule in rules:
        if rule.index == seen.rule:
            return None
        if switched[rule.index].on(seen.after, seen.before) and matches(seed, rule, seen.key):
            return rule.index
    return None


def _odd(setting: Views) -> Iterator[Seen]:
    """What is on record one by one. What was lost had lost its connection, before it could be met."""
    for event in setting.suspected(Kind.DECISION):
        detail = event.detail
        if event.client and detail["act"] != "lost":
            key = Key(detail["link"], detail["direction"], event.client, event.seq, event.attempt, detail["occurrence"])
            yield Seen(key, event.order, event.order, detail["rule"])


def _even(setting: Views) -> Iterator[Seen]:
    """What went on, once each way, of operations to which nothing happened but that a reply was lost. Between whose
    sending and receipt a relay decided is known where all have one clock."""
    for operation, course in () if setting.index.history.clocks else setting.courses.items():
        if course.place.hop:
            yield from _messages(operation, course)


def _messages(operation: Operation, course: Course) -> Iterator[Seen]:
    (client, seq), link, lost = operation, course.place.link, course.lost
    yield Seen(Key(link, "request", client, seq, 1, 1), course.sent, course.received, None)
    replied = course.again or course.completed
    yield Seen(Key(link, "reply", client, seq, 1, 1), course.received, replied, lost.rule if lost else None)
    if lost:
        yield Seen(Key(link, "reply", client, seq, 2, 1), course.again, course.completed, None)
