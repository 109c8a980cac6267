"""PURE: a ledger in memory, for simulated nodes. It keeps the rules of nodes/ledger.py.

The file is a value of its own: it outlives the node that crashed, and its next epoch opens it again. Values go
through MessagePack like those of the real ledger, so that nobody shares a list with the node and types agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgpack

from nodes.ledger import EffectRow, Fenced, Passages
from nodes.ops import Effect, ReplyRecord, Transaction

_pack = msgpack.Packer(use_bin_type=True).pack


def _unpack(data: bytes) -> Any:
    return msgpack.unpackb(data, strict_map_key=False)


@dataclass
class MemoryFile:
    """What the SQLite file is to the real ledger. `history_id` is 0 before it was opened first."""

    name: str = "memory"
    history_id: int = 0
    epoch: int = 0
    effects: list[tuple[Effect, int]] = field(default_factory=list)  # with the epoch; the result is packed
    state: dict[str, bytes] = field(default_factory=dict)
    replies: dict[tuple[int, int], tuple[int, bytes]] = field(default_factory=dict)  # (client, seq): (first, result)

    def read_effects(self) -> list[EffectRow]:
        """-> every effect, in the order of n."""
        return [
            EffectRow(n, effect.client, effect.seq, effect.intent, epoch, effect.attempt, _unpack(effect.result))
            for n, (effect, epoch) in enumerate(self.effects, 1)
        ]

    def read_state(self) -> dict[str, Any]:
        """-> the service's state, by key."""
        return {key: _unpack(self.state[key]) for key in sorted(self.state)}


def at_once(write: Callable[[], None]) -> None:
    write()


class MemoryLedger:
    """`file` opened by one epoch of a node. `random64` gives a new file its id: uniform in [0, 2**64).

    Not `fenced` is a negative control, which writes on when a later epoch has opened the file. `perform` writes, or
    does it later where the process is stopped in the midst of its commit. Raises Fenced if a later epoch has opened it.
    """

    def __init__(
        self,
        file: MemoryFile,
        epoch: int,
        random64: Callable[[], int],
        *,
        fenced: bool = True,
        perform: Callable[[Callable[[], None]], None] = at_once,
    ) -> None:
        self.file = file
        self._epoch = epoch
        self._fenced = fenced
        self._perform = perform
        self._fence()
        file.epoch = epoch
        if not file.history_id:
            file.history_id = random64() or 1
        self.history_id = file.history_id

    def commit(self, transaction: Transaction, witness: Passages) -> int:
        """See nodes.ledger.Ledger: nothing is written before all of it was prepared and every passage was passed."""
        self._fence()
        passage = witness.passage
        client, seq, attempt = transaction.identity
        passage("before-first-write", client, seq, attempt)
        effect, record = transaction.effect, transaction.record
        packed = None if effect is None else effect._replace(result=_pack(effect.result))
        state = {key: _pack(value) for key, value in (transaction.state or {}).items()}
        reply = b""
        if record is not None:
            passage("between-writes", client, seq, attempt)
            reply = _pack(record.result)
        passage("before-commit", client, seq, attempt)
        n = 0 if packed is None else len(self.file.effects) + 1
        self._perform(lambda: self._write(packed, state, record, reply))
        passage("after-commit", client, seq, attempt)
        return n

    def _write(self, effect: Effect | None, state: dict[str, bytes], record: ReplyRecord | None, reply: bytes) -> None:
        self.file.state.update(state)
        if effect is not None:
            self.file.effects.append((effect, self._epoch))
        if record is not None:
            self._write_record(record, reply)

    def _write_record(self, record: ReplyRecord, result: bytes) -> None:
        replies = self.file.replies
        for key in [key for key in replies if key[0] == record.client and key[1] < record.first]:
            del replies[key]
        replies[record.client, record.seq] = (record.first, result)  # also where its client has given the call up

    def _fence(self) -> None:
        newest = self.file.epoch
        if newest > self._epoch and self._fenced:
            raise Fenced(f"{self.file.name}: epoch {newest} has taken over, epoch {self._epoch} may not write any more")

    def state(self) -> dict[str, Any]:
        return self.file.read_state()

    def records(self) -> list[ReplyRecord]:
        rows = sorted(self.file.replies.items())
        return [ReplyRecord(client, seq, first, _unpack(result)) for (client, seq), (first, result) in rows]

    def effects(self) -> list[EffectRow]:
        return self.file.read_effects()

    def archive(self) -> MemoryFile:
        """Set the contents aside -> the archived file. The next epoch opens this one as a new, empty ledger."""
        file = self.file
        archived = MemoryFile(file.name, file.history_id, file.epoch, file.effects, file.state, file.replies)
        file.history_id, file.effects, file.state, file.replies = 0, [], {}, {}
        return archived

    def close(self) -> None:
        """Nothing is held open; what was committed stays."""
