"""PURE: where a cell runs: the seam between the run's program and real or simulated processes.

The run's program yields `Get`, `Put`, `Sleep` and `Now` of nodes.ops and calls a Session, whose methods never wait.
What comes of a call arrives as an event in `session.events`. Per process and epoch the order is: Started; answers
and node events in the order in which the process sent them; Exited, always the last. A Stopped may come anywhere
between, a Lost anywhere.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol

from chaos.supports import PlaneName
from nodes.ops import Queue
from nodes.wire.record import Note
from orchestrator.run.readiness import Need
from orchestrator.run.waves import Services, Wave
from orchestrator.scenario.cell import NO_LIMITS, Limits

Evidence = Literal["real", "sim"]
Role = Literal["node"] | PlaneName
SignalName = Literal["kill", "stop", "continue"]
ORCHESTRATOR = "orchestrator"


class Started(NamedTuple):
    """The process runs, and both sides of its control connection have proven themselves."""

    name: str
    epoch: int


class Answer(NamedTuple):
    """The answer to the command `id`; `body` has "error" if it was refused, and no "type" and "id"."""

    name: str
    id: int
    body: dict[str, Any]


class NodeEvent(NamedTuple):
    """What a process told unasked: "ready", "gate", "attempt", "ok", "execute", "commit", "heal-gate", "done"."""

    name: str
    event: str
    number: int
    client: int


class Fired(NamedTuple):
    """The process dies or stops at the failpoint of this fault, by its place in the cell. Comes before its end does."""

    name: str
    epoch: int
    fault: int


class Stopped(NamedTuple):
    """A "stop" that was asked for is done."""

    name: str
    epoch: int


class Exited(NamedTuple):
    """The process ended and was reaped. `signal` is the number of the one that ended it, or 0; then `code` counts."""

    name: str
    epoch: int
    signal: int
    code: int


class Lost(NamedTuple):
    """The testbed failed with this process: it died at start or by a fault of its own, or cannot be understood."""

    name: str
    reason: str


Event = Started | Answer | NodeEvent | Fired | Stopped | Exited | Lost


class SessionError(Exception):
    """A call that makes no sense now, such as a command to a process that was never started."""


class Session(Protocol):
    """The processes of one cell's run."""

    @property
    def evidence(self) -> Evidence: ...

    @property
    def events(self) -> Queue:
        """Events, to be taken with Get."""

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None, limits: Limits = NO_LIMITS) -> None:
        """Start a process; `engine` is what a node runs on (nodes.engines.LAUNCHED). Leads to Started, or to Lost."""

    def address(self, name: str) -> str:
        """The host at which its sockets are bound, and reached by the cell's other processes, once it was started."""

    def plane(self, name: PlaneName) -> dict[str, Any]:
        """What the configuration of this plane must say of where it runs. Raises SessionError: it cannot run here."""

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        """Send {"type": ..., ...} -> the id that its Answer will have. A process that has ended never answers.

        Without `epoch` it goes to the latest.
        """

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        """No effect on a process that has ended. "stop" leads to Stopped."""

    def archive(self, name: str) -> None:
        """Set the node's ledger aside: its next epoch starts without durable state. The node must have Exited."""

    @property
    def note(self) -> Note:
        """Writes to the orchestrator's own journal, which begins with its START."""

    def close(self) -> None:
        """Kill whatever lives and wait for it; always works, also twice."""


class ProjectSession(Session, Protocol):
    """The session of a system's cell: the project's services are steered beside its processes, by the same events."""

    @property
    def services(self) -> Services:
        """All of the project's, as Compose tells them."""

    @property
    def folder(self) -> str:
        """The scenario's, absolute: the driver runs there."""

    def up(self, wave: Wave) -> None:
        """Start services; leads to Started of each, once all that the wave waits for stands so, or to Lost."""

    def proxy(self) -> None:
        """Start the proxy's container, where a plane beside it steers it; leads to Started, or to Lost."""

    def restart(self, name: str, epoch: int, need: Need) -> None:
        """Start a service's container again; leads to Started, once it is ready, or to Lost."""

    def service(self, name: str) -> str:
        """Its address, while it runs. Raises SessionError."""
