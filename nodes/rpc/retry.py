"""PURE: when a client sends again."""

from __future__ import annotations

from typing import NamedTuple

from nodes.units import MILLISECOND


class Retry(NamedTuple):
    """`attempts` None is until-settle. Waits in milliseconds; `jitter` is the share by which a wait may differ.

    `same_connection`: over a stream, an attempt that timed out is sent again on its own connection.
    """

    attempts: int | None
    first: int
    maximum: int
    jitter: float
    same_connection: bool

    def wait(self, attempt: int, draw: float) -> int:
        """Nanoseconds to wait after sending `attempt` (from 1); exponential backoff; `draw` in [0, 1)."""
        wait = min(self.first << min(attempt - 1, 20), self.maximum) * MILLISECOND
        return int(wait * (1 + self.jitter * (2 * draw - 1)))

    def spent(self, attempt: int) -> bool:
        return self.attempts is not None and attempt >= self.attempts


def maybe(patience: int, *, same_connection: bool = False) -> Retry:
    """*Maybe*: one attempt, and `patience` milliseconds for its reply."""
    return Retry(attempts=1, first=patience, maximum=patience, jitter=0.0, same_connection=same_connection)
