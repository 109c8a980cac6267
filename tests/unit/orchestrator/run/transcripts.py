"""What a conductor asks of its session, in a simulated one that writes it down."""

from __future__ import annotations

from typing import Any

from chaos.faults.fault import Fault
from nodes.wire.record import Kind
from orchestrator.backends.sim.session import SimSession, run
from orchestrator.run.conductor import Conductor
from orchestrator.run.session import ORCHESTRATOR, Role, SignalName
from orchestrator.scenario.cell import NO_LIMITS, Cell, Limits
from orchestrator.scenario.plan import expand

MILLISECOND = 1_000_000
ASKED_OFTEN = {"status"}


class Transcript(SimSession):
    """`said` has a line for each thing that was asked of a process, without what is asked again and again."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.said: list[str] = []
        self.times: list[int] = []
        """In whole milliseconds, one for each line."""
        self.commands: list[tuple[str, dict[str, Any]]] = []

    def _say(self, *words: object) -> None:
        self.said.append(" ".join(map(str, words)))
        self.times.append(self.world.now // MILLISECOND)

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None, limits: Limits = NO_LIMITS) -> None:
        self._say("start", name, epoch, *filter(None, (engine, limits.cpus)))
        super().start(name, role, epoch, engine, limits)

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        self.commands.append((name, command))
        if command["type"] not in ASKED_OFTEN:
            details = (command[key] for key in ("index", "active", "gate", "epoch") if key in command)
            self._say(command["type"], name, *details)
        return super().command(name, command, epoch)

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        self._say("signal", signal, name, epoch)
        super().signal(name, signal, epoch)

    def archive(self, name: str) -> None:
        self._say("archive", name)
        super().archive(name)

    @property
    def own(self) -> list[tuple[Kind, dict[str, Any]]]:
        """The orchestrator's own journal."""
        records = self.collect().journals[ORCHESTRATOR, 1].records
        return [(record.kind, record.detail) for record in records]

    @property
    def phases(self) -> list[str]:
        return [detail["phase"] for kind, detail in self.own if kind is Kind.PHASE]

    @property
    def acts(self) -> list[tuple[Any, ...]]:
        """(act, node, epoch, fault, why)"""
        keys = ("act", "node", "epoch", "fault", "why")
        return [tuple(detail.get(key) for key in keys) for kind, detail in self.own if kind is Kind.ACT]

    def span(self, first: str, last: str) -> int:
        """Milliseconds from one line to another."""
        return self.times[self.said.index(last)] - self.times[self.said.index(first)]


SCENARIO = """
scenario: conducted
nodes:
  server: {service: counter, engine: threads, limits: {cpus: 0.5}, yields: 5ms}
  client: {workload: add, calls: 6, after_heal: 1, gates: {GATES}}
links:
  - {from: client, to: server, semantics: exactly-once}
expect: {others: {client: ok, executions: 1}}
"""


def cell(*faults: Fault, gates: str = "", **changes: Any) -> Cell:
    text = SCENARIO.replace("GATES", gates)
    made = expand(text, "conducted.yaml").cells[0]
    return made.model_copy(update={"faults": faults, **changes})


def conducted(made: Cell) -> Transcript:
    with Transcript(made.seed) as session:
        run(Conductor(made, session).program(), session)
    return session
