"""PURE: how far the clock of one domain is ahead of another's, and how well that is known.

Source: RFC 5905 (NTP version 4), section 8: of one exchange with times t1 (sent, our clock), t2 (received, theirs),
t3 (answered, theirs) and t4 (received, ours) the offset is ((t2 - t1) + (t3 - t4)) / 2 and the delay
(t4 - t1) - (t3 - t2). Whatever part of the delay either way took, the true offset is within half the delay of that,
so the exchange with the least delay tells most (section 10, the clock filter). A clock may drift by PHI.

All values are nanoseconds; an offset is what the other clock shows minus what ours shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PHI = 15e-6
"""Seconds a second that a clock may gain or lose: the frequency tolerance of RFC 5905, section 7.1."""


class Exchange(NamedTuple):
    """The four times of one probe."""

    sent: int
    received: int
    answered: int
    returned: int

    @property
    def delay(self) -> int:
        return (self.returned - self.sent) - (self.answered - self.received)

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the greatest offset that agree with these times: nothing arrives before it was sent."""
        return self.answered - self.returned, self.received - self.sent


class Clock(NamedTuple):
    """One domain's clock against the orchestrator's: `offset` ahead of it, give or take `error`.

    `where` names the agent whose clock it is.
    """

    domain: str
    offset: int
    error: int
    where: str


def best(exchanges: Iterable[Exchange]) -> Exchange:
    """The exchange that bounds the offset most narrowly. There must be one."""
    return min(exchanges, key=lambda exchange: exchange.delay)


def estimate(domain: str, where: str, before: Iterable[Exchange], after: Iterable[Exchange]) -> Clock:
    """The offset throughout a run, from probes before and after it: all that both allow, and the drift in between."""
    first, last = best(before), best(after)
    low = min(first.bounds[0], last.bounds[0])
    high = max(first.bounds[1], last.bounds[1])
    drift = int(PHI * max(last.sent - first.sent, 0) / 2)
    offset = (low + high) // 2
    return Clock(domain, offset, max(high - offset, offset - low) + drift, where)
