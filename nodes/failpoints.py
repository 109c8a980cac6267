"""Named places on the order of writes at which a node can be told to die or to stop.

The names hold for clients too: there `received` means that the reply has arrived and nothing was done with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

if TYPE_CHECKING:
    from mmap import mmap

Name = Literal[
    "received",
    "before-first-write",
    "between-writes",
    "before-commit",
    "after-commit",
    "before-send",
    "after-send",
]
"""In the order in which one call passes them."""
NAMES: tuple[Name, ...] = get_args(Name)

Act = Literal["die", "stop"]


class Failpoint(NamedTuple):
    """Fires at the `nth` passage (from 1) of any operation, or without it at this operation's attempt.

    `client` is the client's number in the plan, not its process ordinal; `fault` says whose failpoint it is, by its
    place among the cell's faults.
    """

    name: str
    client: int = 0
    seq: int = 0
    attempt: int = 1
    nth: int | None = None
    act: Act = "die"
    fault: int = 0

    def check(self) -> None:
        """Raises ValueError for a name or an act that does not exist, and if it names neither an operation nor a
        passage, or both."""
        if self.name not in NAMES:
            raise ValueError(f"no failpoint {self.name!r}; there are {', '.join(NAMES)}")
        if self.act not in ("die", "stop"):
            raise ValueError(f"failpoint {self.name}: act {self.act!r} is neither die nor stop")
        if (self.nth is None) == (self.seq == 0):
            raise ValueError(f"failpoint {self.name}: names an operation or an nth passage, exactly one of them")
        if self.nth is not None and self.nth < 1:
            raise ValueError(f"failpoint {self.name}: nth is {self.nth}, passages count from 1")

    @property
    def detail(self) -> dict[str, Any]:
        """What is put on record as it fires."""
        return {"name": self.name, "fault": self.fault, "act": self.act}


class Failpoints:
    """PURE: what is armed in this epoch, and what a passage fires. Each fires at most once: `spent` has a byte of each,
    which the processes of a node may share. Passages each counts for itself.

    The session's hello (seq 0) is not an operation: it is neither matched nor counted. Raises ValueError for a
    failpoint that does not fit.
    """

    def __init__(self, armed: Sequence[Failpoint] = (), spent: bytearray | mmap | None = None) -> None:
        self._armed: dict[str, list[tuple[int, Failpoint]]] = {}
        self._spent = bytearray(len(armed)) if spent is None else spent
        for number, failpoint in enumerate(armed):
            failpoint.check()
            self._armed.setdefault(failpoint.name, []).append((number, failpoint))
        self._passed = dict.fromkeys(self._armed, 0)
        self.names = frozenset(self._armed)

    def disarm(self) -> None:
        """None fires any more."""
        self._spent[:] = b"\1" * len(self._spent)

    def passage(self, name: str, client: int, seq: int, attempt: int) -> Failpoint | None:
        """-> the failpoint that fires as this attempt passes `name`, the first armed one if there are several."""
        armed = self._armed.get(name)
        if armed is None or seq == 0:
            return None
        self._passed[name] += 1
        for number, failpoint in armed:
            if not self._spent[number] and self._matches(failpoint, client, seq, attempt):
                self._spent[number] = 1
                return failpoint
        return None

    def _matches(self, failpoint: Failpoint, client: int, seq: int, attempt: int) -> bool:
        if failpoint.nth is not None:
            return failpoint.nth == self._passed[failpoint.name]
        return (failpoint.client, failpoint.seq, failpoint.attempt) == (client, seq, attempt)
