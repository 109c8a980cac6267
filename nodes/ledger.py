"""The ledger: the ground truth of what a server did, beside the service's state and its durable reply history.

Rules of every ledger:

1. An effect is a row of its own, written in the effect's transaction, with no unique index on the operation:
   a second execution must be able to show. The mechanism under observation never reads these rows.
2. `n` has no gaps (AUTOINCREMENT's counter is part of the transaction), so a lost row would show as one.
3. A file belongs to the newest epoch that opened it. An older epoch that still runs cannot commit (Fenced).
4. A ledger is archived, never deleted.

That of real nodes is nodes/sqlite_ledger.py, that of simulated ones nodes/memory_ledger.py.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

from nodes.ops import ReplyRecord, Transaction

Durability = Literal["process", "power"]


class LedgerError(Exception):
    """A ledger that cannot be opened, read, written or moved. The message names the file and what to do."""


class Fenced(LedgerError):
    """A later epoch has opened this ledger; this one may not write to it any more."""


class EffectRow(NamedTuple):
    """One execution's lasting change. `n` counts from 1 within one ledger file."""

    n: int
    client: int
    seq: int
    intent: int
    epoch: int
    attempt: int
    result: Any


class Passages(Protocol):
    """The part of a witness that a commit needs."""

    def passage(self, name: str, client: int, seq: int, attempt: int) -> None: ...


class Ledger(Protocol):
    """What a node commits to. `history_id` is random, above 0 and below 2**64, and as durable as the ledger."""

    @property
    def history_id(self) -> int: ...

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        """Write all of it or nothing -> the effect's n, 0 without an effect.

        Passes before-first-write, between-writes (only before a reply record), before-commit, and after-commit once
        it is durable. Whatever a passage before that raises leaves nothing behind. Raises Fenced.
        """

    def state(self) -> dict[str, Any]:
        """-> the service's state, as the last commit left it."""

    def records(self) -> list[ReplyRecord]:
        """-> the durable reply history, by client and seq."""

    def effects(self) -> list[EffectRow]:
        """-> every effect, in the order of n."""

    def close(self) -> None: ...
