"""Where processes of one cell run for real: the seam between a session and this machine, an engine, an agent.

Reports about a process go to its callback in order, until Ended or Failed, from a thread of the host's: the callback
must not wait. Nor does any method but `connect`, `fetch` and `close`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

from chaos.supports import PlaneName
from orchestrator.run.session import Role, SignalName
from orchestrator.scenario.cell import NO_LIMITS, Limits

if TYPE_CHECKING:
    import socket


class Spawned(NamedTuple):
    """The process exists."""

    pid: int


class Line(NamedTuple):
    """A line of its standard output: the first one names its control endpoint."""

    text: str


class Stopped(NamedTuple):
    """It was sent "stop"."""


class Ended(NamedTuple):
    """It was reaped; `signal` is 0 unless one ended it."""

    signal: int
    code: int


class Failed(NamedTuple):
    """It was never started, or its host is gone and nothing more will be known of it."""

    reason: str


Report = Spawned | Line | Stopped | Ended | Failed
Tell = Callable[[Report], None]


PartName = Literal["lanes", "probes"]
"""Parts of ours (faultbed/part.py) that are no process of a cell: they tell what they see, and end."""
PARTS = frozenset(get_args(PartName))


class Launch(NamedTuple):
    """A process to be started. `token` (hex) is its control token; `log` takes its standard error. `arguments`: what a
    part is told on its command line; others have none."""

    name: str
    role: Role | PartName
    epoch: int
    engine: str | None
    token: str
    log: Path
    limits: Limits = NO_LIMITS
    arguments: tuple[str, ...] = ()


class Host(Protocol):
    """The processes of one cell in one place."""

    def spawn(self, launch: Launch, tell: Tell) -> None:
        """Start a process; name and epoch are new in this cell."""

    def signal(self, name: str, epoch: int, signal: SignalName) -> None:
        """No effect on a process that has ended."""

    def connect(self, name: str, epoch: int, line: str, timeout: float) -> socket.socket:
        """A connection to the control endpoint that the process named in its first line.

        Raises ControlError for a line that names none, OSError.
        """

    def address(self, name: str) -> str:
        """Where its sockets are bound and reached by the cell's other processes, from its spawning on."""

    def plane(self, name: PlaneName) -> dict[str, Any]:
        """What the configuration of a plane must say of this place. Raises SessionError: what it lacks, the remedy."""

    def archive(self, name: str) -> None:
        """Set aside the ledger of a node that has ended."""

    def fetch(self, names: Iterable[str]) -> None:
        """Bring the journals, ledgers and logs of these processes into the cell's folder. Raises OSError."""

    def close(self) -> None:
        """Undo whatever was made for this cell; its processes have ended. Closing twice is allowed."""
