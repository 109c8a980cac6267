"""PURE: a server that has nothing to do uses no CPU: its engine waits, and is not told again and again of what nobody
takes, such as connections for which there is no descriptor, or a descriptor that was closed and is still registered.

Rules of this file:

1. A server has nothing to do from one sample to the next where it journals nothing, accepts nobody and closes nobody,
   and is neither dead nor stopped. From draining on it is asked again and again whether it is done.
2. Looked at are stretches of such samples, as short as they can be and no shorter than STRETCH: what spins for a
   second is not to be hidden by a minute of waiting.
3. Where the server is expected to be in a strait, what it does before shows nothing: a stretch counts that ends after
   each of those that it shows has begun.
4. It spins where it used more than MOST percent of a stretch's time, and so from sample to sample in more than half of
   them: who closed a connection may have something to do once more, such as to bury its process. Measured on two cores:
   who waits uses below 1 %, and 3 % where ten others want them all the time; who spins uses 65 to 100 %, and 14 % then.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from nodes.units import MILLISECOND
from nodes.wire.record import Kind
from orchestrator.checkers.finding import Finding, Violation
from orchestrator.checkers.strained import begun
from orchestrator.checkers.views import View, Views
from orchestrator.history.merged import Event, Life

name = "quiescent"
needs = frozenset({View.SAMPLES})

STRETCH = 500 * MILLISECOND
MOST = 5
COMING = ("accepted", "ended")
"""What a sample counts of connections that come and go."""


class Stretch(NamedTuple):
    """Of a server that has nothing to do, by its samples, two at least. `used`: nanoseconds of CPU."""

    samples: Sequence[Event]

    @property
    def begin(self) -> Event:
        return self.samples[0]

    @property
    def end(self) -> Event:
        return self.samples[-1]

    @property
    def time(self) -> int:
        return self.end.time - self.begin.time

    @property
    def used(self) -> int:
        used: int = self.end.detail["cpu"] - self.begin.detail["cpu"]
        return used

    @property
    def is_spent(self) -> bool:
        return self.used * 100 > MOST * self.time

    @property
    def spins(self) -> bool:
        parts = [Stretch(pair).is_spent for pair in pairwise(self.samples)]
        return self.is_spent and 2 * sum(parts) > len(parts)


def check(setting: Views) -> Finding:
    looked_at = 0
    violations: list[Violation] = []
    for life, samples in setting.index.usage.items():
        stretches = [*_stretches(setting, life, samples)]
        strained = begun(setting, life, samples)
        looked_at += sum(one.end.order > strained for one in stretches)
        violations += _told(setting, life, [one for one in stretches if one.spins])
    return Finding(name, tuple(violations), {"stretches": looked_at})


# Rules 1 and 2


def _stretches(setting: Views, life: Life, samples: Sequence[Event]) -> Iterator[Stretch]:
    orders = setting.index.orders(life)
    idle = [samples[0]]
    for before, sample in pairwise(samples):
        if sample.order > setting.index.drained:
            return
        if not _is_idle(setting, orders, before, sample):
            idle = [sample]
            continue
        idle.append(sample)
        if sample.time - idle[0].time >= STRETCH:
            yield Stretch(idle)
            idle = [sample]


def _is_idle(setting: Views, orders: Sequence[int], before: Event, sample: Event) -> bool:
    place = bisect_left(orders, before.order)
    if orders[place + 1] != sample.order or any(sample.detail[key] != before.detail[key] for key in COMING):
        return False
    return not setting.index.is_away(sample.node, before.order, sample.order)


# Rule 4


def _told(setting: Views, life: Life, spun: Sequence[Stretch]) -> Iterator[Violation]:
    """Of the last operation that the server received before each, or of the first after it."""
    calls = [*_calls(setting, life)] if spun else []
    orders = [event.order for event in calls]
    for operation, stretches in groupby(spun, lambda stretch: _nearest(calls, orders, stretch)):
        first = next(stretches)
        time, share = first.time // MILLISECOND, 100 * first.used // first.time
        when = f"{life[0]} had nothing to do for {time} ms, and used {share} % of a CPU"
        yield Violation(operation.operation, f"{'after' if operation.order < first.end.order else 'before'} it {when}")


def _calls(setting: Views, life: Life) -> Iterator[Event]:
    """What the server received; of one that received nothing, what was called at all."""
    received = (event for event in setting.index.of_kind(Kind.RECEIVE) if event.node == life[0])
    planned = [event for event in received if event.client in setting.callers and event.seq]
    yield from planned or setting.index.of_kind(Kind.INVOKE)


def _nearest(calls: Sequence[Event], orders: Sequence[int], stretch: Stretch) -> Event:
    return calls[max(bisect_left(orders, stretch.end.order) - 1, 0)]
