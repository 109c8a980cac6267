"""A program that commits to a real ledger under a real witness, and dies or stops where it is told to.

    python -I dying.py HOME EPOCH NAME ACT [THREAD]

It does operations 1 to 5; the failpoint is armed for operation 3. With THREAD the work is done beside the main thread.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from nodes import clock
from nodes.failpoints import Failpoint, Failpoints
from nodes.journal import JournalWriter
from nodes.ops import Effect, ReplyRecord, Transaction
from nodes.sqlite_ledger import SqliteLedger
from nodes.wire.record import Kind
from nodes.witness import RealWitness

CLIENT = 10101


def work(ledger: SqliteLedger, witness: RealWitness) -> None:
    for seq in range(1, 6):
        witness.note(Kind.EXECUTE, CLIENT, seq, 1)
        effect, record = Effect(CLIENT, seq, seq, 1, seq), ReplyRecord(CLIENT, seq, seq, seq)
        n = ledger.commit(Transaction((CLIENT, seq, 1), {"total": seq}, effect, record), witness)
        witness.note(Kind.COMMIT, CLIENT, seq, 1, detail={"n": n, "result": seq})
    witness.note(Kind.STOP)


def main(home: Path, epoch: int, name: str, act: str, thread: bool) -> None:
    journal = JournalWriter(home / f"server.{epoch}.journal", clock.now)
    armed = Failpoint(name, CLIENT, 3, act=act)  # type: ignore[arg-type]
    witness = RealWitness(journal, Failpoints([armed]))
    ledger = SqliteLedger(home / "server.ledger", epoch, "process", 77)
    if thread:
        worker = threading.Thread(target=work, args=(ledger, witness))
        worker.start()
        worker.join()
    else:
        work(ledger, witness)


if __name__ == "__main__":
    home, epoch, name, act, *rest = sys.argv[1:]
    main(Path(home), int(epoch), name, act, bool(rest))
