"""The simulated backend: the same programs, policies and hop in one simulated world, with evidence in memory.

It is what joins the simulator's network to the decisions of chaos. One seed is one run, byte for byte.
"""

from __future__ import annotations

import random
import signal as signals
from collections.abc import Callable
from typing import Any

from chaos.links import plans
from chaos.rules import BadConfiguration
from chaos.supports import PlaneName
from nodes.control import FAILED, FENCED
from nodes.engines.sim import Host, World
from nodes.failpoints import Failpoint, Failpoints
from nodes.ledger import Fenced, LedgerError
from nodes.memory_ledger import MemoryFile, MemoryLedger
from nodes.node import BadCommand, Environment, incarnation, make, needs_ledger
from nodes.ops import Get, Now, Program, Put, Queue, Sleep, Spawn, Transaction
from nodes.wire.record import Kind, Note
from orchestrator.backends.sim.journal import SimJournal
from orchestrator.backends.sim.relay import SimRelay
from orchestrator.history.collected import Collected, CollectedJournal
from orchestrator.history.merged import Ledger
from orchestrator.run.session import (
    ORCHESTRATOR,
    Answer,
    Event,
    Evidence,
    Exited,
    Fired,
    Lost,
    NodeEvent,
    Role,
    SessionError,
    SignalName,
    Started,
    Stopped,
)
from orchestrator.scenario.cell import NO_LIMITS, Limits

LOOPBACK = "127.0.0.1"
START_UP = 20_000_000
"""Nanoseconds of virtual time that a process takes to start."""
CONTROL_DELAY = 500_000
"""Nanoseconds until a command arrives: longer than what is already on its way through the network."""
NEWS_DELAY = 10_000
"""Nanoseconds until a node's news arrive, so that what they lead to is later than what they tell of."""


class Life:
    """One epoch of one simulated process: obeys commands from its inbox, and tells the session's events."""

    def __init__(self, session: SimSession, name: str, role: Role, epoch: int) -> None:
        self.name = name
        self.role = role
        self.epoch = epoch
        self.inbox = Queue()
        self.host = _free_host(session.world, name, epoch)
        self.journal = SimJournal(session.world, self.host, self._stopped)
        self._session = session
        self._random = random.Random(f"{session.seed}/{name}/{epoch}")
        self._ledger: MemoryLedger | None = None
        self._untold: list[Fired] = []
        self._obey: Callable[[dict[str, Any]], Program] = self._configure_node if role == "node" else self._relay()

    def start(self) -> None:
        self.host.on_exit = self._ended
        self.host.spawn(self._main(), "control", self._commit, self._random.random)

    def _main(self) -> Program:
        now = yield Now()
        yield Sleep(now + START_UP)
        yield Put(self._session.events, Started(self.name, self.epoch))
        while True:
            number, command, arrival = yield Get(self.inbox)
            yield Sleep(arrival)
            if command["type"] == "stop":
                yield Put(self._session.events, Answer(self.name, number, {}))
                self.journal.note(Kind.STOP)
                self.host.exit()
                return
            try:
                body = self._disarm() if command["type"] == "disarm" else (yield from self._obey(command))
            except (BadCommand, BadConfiguration, LedgerError, OSError) as error:
                body = {"error": f"{self.name}: {error}"}
            yield Put(self._session.events, Answer(self.name, number, body))

    def _disarm(self) -> dict[str, Any]:
        self.journal.armed.disarm()
        return {}

    def _relay(self) -> Callable[[dict[str, Any]], Program]:
        self.journal.start(self.name, self.epoch, "relay", 0, 0)
        return SimRelay(lambda command: plans(command, self.journal.note)).obey

    def _configure_node(self, command: dict[str, Any]) -> Program:
        if command["type"] != "configure":
            raise BadCommand(f"{command['type']!r} came before configure")
        spec = command["spec"]
        self.journal.armed = Failpoints([Failpoint(**failpoint) for failpoint in spec["failpoints"]])
        if needs_ledger(spec):
            file, perform = self._session.file(self.name), self.journal.perform
            self._ledger = MemoryLedger(file, self.epoch, self._random64, fenced=spec["fenced"], perform=perform)
        outbox = Queue()
        number = incarnation(spec, self._ledger, self._random64())
        history = self._ledger.history_id if self._ledger else 0
        self.journal.start(self.name, self.epoch, spec["role"], number, history)
        spec = {**spec, "host": self.host.name, "workers": 1}
        node = make(spec, Environment(self.name, self.epoch, self.journal, self._ledger, number, outbox))
        self._obey = node.obey
        yield Spawn(self._tell(outbox), "events")
        return (yield from node.start())

    def _tell(self, outbox: Queue) -> Program:
        while True:
            event = yield Get(outbox)
            yield from self._told(NodeEvent(self.name, event["event"], event["number"], event["client"]))

    def _commit(self, transaction: Transaction) -> int:
        if self._ledger is None:
            raise LedgerError("a commit without a ledger")
        try:
            return self._ledger.commit(transaction, self.journal)
        except Fenced as fenced:
            self.host.end(str(fenced), fenced)  # at once: none of its programs sees what was not committed
            raise

    def _random64(self) -> int:
        return self._random.getrandbits(63) or 1

    def go_on(self) -> None:
        """SIGCONT."""
        self.journal.go_on()
        if not self.journal.stopped:
            self.host.resume()

    def _stopped(self, fault: int) -> None:
        """At a failpoint: it cannot tell that itself any more."""
        news = Fired(self.name, self.epoch, fault)
        self._untold.append(news)
        self._session.world.host(ORCHESTRATOR).spawn(self._tell_stop(news), "news")

    def _tell_stop(self, news: Fired) -> Program:
        """Unless it ends before, which is heard of after all that it did."""
        now = yield Now()
        yield Sleep(now + NEWS_DELAY)
        if news in self._untold:
            self._untold.remove(news)
            yield Put(self._session.events, news)

    def _told(self, event: Event) -> Program:
        now = yield Now()
        yield Sleep(now + NEWS_DELAY)
        yield Put(self._session.events, event)

    def _ended(self, host: Host, reason: str) -> None:
        self.journal.sealed = True
        events, world = self._session.events, self._session.world
        for news in self._untold:
            world.put(events, news)
        self._untold.clear()
        if isinstance(host.error, Fenced):
            self._session.killed[self.name, self.epoch] = False
            world.put(events, Exited(self.name, self.epoch, 0, FENCED))
        elif host.error is not None and reason not in ("killed", "exited"):
            world.put(events, Lost(self.name, f"{self.name} (epoch {self.epoch}): it failed: {reason}"))
            world.put(events, Exited(self.name, self.epoch, 0, FAILED))
        else:
            self._session.killed[self.name, self.epoch] = reason == "killed"
            number = int(signals.SIGKILL) if reason == "killed" else 0
            if self.journal.fired is not None:
                world.put(events, Fired(self.name, self.epoch, self.journal.fired))
            world.put(events, Exited(self.name, self.epoch, number, 0))


def _free_host(world: World, name: str, epoch: int) -> Host:
    """One of its own for whose predecessor is stopped, and not dead: a host here has one process at a time."""
    host = world.host(name)
    return world.host(f"{name}.{epoch}") if host.up else host


class SimSession:
    """The processes of one cell's run, in a world of their own; see orchestrator.run.session.Session."""

    evidence: Evidence = "sim"

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.world = World(random.Random(f"{seed}/world"))
        self.events = Queue()
        self.killed: dict[tuple[str, int], bool] = {}
        self._lives: dict[tuple[str, int], Life] = {}
        self._latest: dict[str, Life] = {}
        self._files: dict[str, MemoryFile] = {}
        self._archived: list[tuple[str, MemoryFile]] = []
        self._last_id = 0
        self._own = SimJournal(self.world, self.world.host(ORCHESTRATOR))
        self._own.start(ORCHESTRATOR, 1, ORCHESTRATOR, 0, 0)
        self.note: Note = self._own.note

    def start(self, name: str, role: Role, epoch: int, engine: str | None = None, limits: Limits = NO_LIMITS) -> None:
        life = Life(self, name, role, epoch)
        self._lives[name, epoch] = self._latest[name] = life
        life.start()

    def address(self, name: str) -> str:
        return LOOPBACK

    def plane(self, name: PlaneName) -> dict[str, Any]:
        if name != "relay":
            raise SessionError(f"the simulator has messages, and neither byte streams nor packets: no {name} plane")
        return {"listen": LOOPBACK}

    def command(self, name: str, command: dict[str, Any], epoch: int | None = None) -> int:
        self._last_id += 1
        self.world.put(self._life(name, epoch).inbox, (self._last_id, command, self.world.now + CONTROL_DELAY))
        return self._last_id

    def signal(self, name: str, signal: SignalName, epoch: int | None = None) -> None:
        life = self._life(name, epoch)
        {"kill": life.host.crash, "stop": life.host.pause, "continue": life.go_on}[signal]()
        if signal == "stop" and life.host.up:
            self.world.put(self.events, Stopped(name, life.epoch))

    def _life(self, name: str, epoch: int | None) -> Life:
        try:
            return self._latest[name] if epoch is None else self._lives[name, epoch]
        except KeyError:
            raise SessionError(f"{name} was never started") from None

    def archive(self, name: str) -> None:
        if self._life(name, None).host.up:
            raise SessionError(f"the ledger of {name} cannot be archived while it runs")
        file = self.file(name)
        self._archived.append((name, MemoryFile(**vars(file))))
        self._files[name] = MemoryFile(name)

    def file(self, name: str) -> MemoryFile:
        """The node's ledger file, which outlives its epochs."""
        return self._files.setdefault(name, MemoryFile(name))

    def collect(self) -> Collected:
        journals = {
            key: CollectedJournal(None, self.killed.get(key, True), life.journal.records)
            for key, life in self._lives.items()
            if life.journal.records
        }
        journals[ORCHESTRATOR, 1] = CollectedJournal(None, False, self._own.records)
        return Collected(journals, [*self._archives(), *self._current()])

    def interrupt(self) -> None:
        """Have KeyboardInterrupt thrown into the program at what it waits for; from any thread or signal handler."""
        self.world.interrupt()

    def close(self) -> None:
        self.world.close()

    def __enter__(self) -> SimSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _archives(self) -> list[Ledger]:
        counts: dict[str, int] = {}
        ledgers = []
        for name, file in self._archived:
            counts[name] = counts.get(name, 0) + 1
            ledgers.append(_ledger(f"{name}.{counts[name]}.archived", name, file, archived=True))
        return ledgers

    def _current(self) -> list[Ledger]:
        return [_ledger(name, name, file, archived=False) for name, file in sorted(self._files.items())]


def _ledger(ledger: str, node: str, file: MemoryFile, archived: bool) -> Ledger:
    return Ledger(ledger, node, archived, file.read_effects(), file.read_state(), file.history_id)


def run(program: Program, session: SimSession) -> Any:
    """Run the conductor's program in the session's world -> its result, or its error is raised."""
    return session.world.run(program, session.world.host(ORCHESTRATOR))
