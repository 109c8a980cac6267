"""PURE: the program that conducts one run of one cell through its phases, on any backend.

Rules of this file:

1. It yields `Get`, `Now` and `Sleep` only, and calls a session's non-blocking methods; everything that happens
   comes back as an event. So the same program runs on real processes and in the simulator.
2. A trigger has occurred only when what it says is true for everybody: "server down" after the relay closed its
   listener, "split on" after the relay confirmed the rule, "frozen on" after the process was stopped.
3. A process that ends without having been told to is the testbed's failure, not a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from chaos.faults import Fault, Hold, Kill, Pause, Restart
from nodes.ops import Get, Now, Program, Sleep
from nodes.wire.record import Kind
from orchestrator.agenda import Act, Agenda
from orchestrator.backends import Answer, Exited, Lost, NodeEvent, Role, Session, Started, Stopped
from orchestrator.drained import drained
from orchestrator.scenario import Cell
from orchestrator.specs import RELAY, Address, addresses, client_spec, relay_spec, server_spec

MILLISECOND = 1_000_000
PATIENCE = 10_000 * MILLISECOND
"""For what should take milliseconds: a process's start, an answer to a command."""
POLL = 2 * MILLISECOND


class RunFailed(Exception):
    """The testbed could not carry out this run; the text says what, where and why."""


class Conductor:
    """`program()` runs the cell; afterwards the session has everything to collect."""

    def __init__(self, cell: Cell, session: Session) -> None:
        self._cell = cell
        self._session = session
        self._epochs = dict.fromkeys((RELAY, *cell.servers, *cell.clients), 1)
        self._alive: set[tuple[str, int]] = set()
        self._answers: dict[tuple[str, int], dict[str, Any]] = {}
        self._agenda = Agenda()
        self._addresses: dict[str, Address] = {}
        self._at_heal: set[str] = set()
        self._done: set[str] = set()
        self._down: dict[str, Restart | None] = {}
        self._launched: set[str] = set()
        self._paused: set[str] = set()
        self._stopped: set[tuple[str, int]] = set()
        self._killing: dict[str, Kill] = {}
        self._stopping: set[str] = set()
        self._spent: set[int] = set()

    def program(self) -> Program:
        """Every phase in turn. Raises RunFailed; KeyboardInterrupt heals and stops before it goes on."""
        try:
            yield from self._start()
            yield from self._load()
            yield from self._heal()
            yield from self._settle()
            yield from self._drain()
        except KeyboardInterrupt:
            self._phase("interrupted")
            yield from self._leave()
            raise
        self._phase("stop")
        yield from self._stop([*self._cell.servers, RELAY])
        self._phase("end")

    # Phases

    def _start(self) -> Program:
        self._phase("start")
        yield from self._arm()
        for name in self._epochs:
            self._launch(name)
        yield from self._until(lambda: len(self._alive) == len(self._epochs), PATIENCE, "every process to start")
        upstreams: dict[str, Address] = {}
        for name in self._cell.servers:
            upstreams |= yield from self._configure_server(name)
        answer = yield from self._call(RELAY, {"type": "configure", **relay_spec(self._cell, upstreams)})
        self._addresses = addresses(answer)
        for name in self._cell.servers:
            yield from self._agenda.occur(f"{name} ready", 1)
        for name in self._cell.clients:
            spec = client_spec(self._cell, name, 1, self._addresses)
            yield from self._call(name, {"type": "configure", "spec": spec})

    def _load(self) -> Program:
        self._phase("load")
        now = yield Now()
        for index, fault in enumerate(self._cell.faults):
            if fault.after is not None and fault.when is None:
                self._agenda.at(now + fault.after * MILLISECOND, self._begin(index, fault))
        for name in self._cell.clients:
            yield from self._call(name, {"type": "go"})
        yield from self._wait(self._loaded, self._cell.load * MILLISECOND)

    def _loaded(self) -> bool:
        """Clients wait for heal, and every server that comes back before it is there again."""
        returning = self._killing or any(self._down.values())
        return set(self._cell.clients) <= self._at_heal | self._done and not returning

    def _heal(self) -> Program:
        self._phase("heal")
        self._agenda.heal()
        for name in sorted(self._paused):
            yield from self._resume(name)
        yield from self._until(lambda: not self._killing, PATIENCE, "killed servers to be dead")
        for name in sorted(self._down):
            yield from self._restart(name)
        yield from self._until(lambda: not self._down, PATIENCE, "killed servers to be ready again")
        yield from self._call(RELAY, {"type": "heal"})  # last: what it held back finds a server
        yield from self._agenda.occur("healed")
        yield from self._open_gates()

    def _open_gates(self) -> Program:
        """What a gate waits for can come no more after heal, so none stays closed."""
        for name, client in self._cell.clients.items():
            for gate in sorted(client.gates):
                yield from self._call(name, {"type": "release", "gate": gate})
            yield from self._call(name, {"type": "healed"})

    def _settle(self) -> Program:
        self._phase("settle")
        clients = set(self._cell.clients)
        if (yield from self._wait(lambda: clients <= self._done, self._cell.settle * MILLISECOND)):
            return
        self._session.note(Kind.PHASE, detail={"phase": "settle-capped"})
        for name in sorted(clients - self._done):
            yield from self._call(name, {"type": "finish"})
        yield from self._until(lambda: clients <= self._done, PATIENCE, "clients to end their open calls")

    def _drain(self) -> Program:
        self._phase("drain")
        yield from self._stop(self._cell.clients)
        now = yield Now()
        cap = now + self._cell.settle * MILLISECOND
        while not (yield from self._drained()):
            now = yield Now()
            if now > cap:
                self._session.note(Kind.PHASE, detail={"phase": "drain-capped"})
                return
            yield Sleep(now + POLL)

    def _drained(self) -> Program:
        relay = yield from self._call(RELAY, {"type": "status"})
        servers = {}
        for name in self._cell.servers:
            servers[name] = yield from self._call(name, {"type": "status"})
        return drained(self._cell, self._epochs, relay, servers)

    def _leave(self) -> Program:
        """After Ctrl-C: heal what can be healed and end every process, within a short time."""
        for name in sorted(self._paused):
            self._session.signal(name, "continue")
        for name, epoch in sorted(self._alive):
            if epoch == self._epochs[name]:
                self._stopping.add(name)
                if name == RELAY:
                    self._session.command(name, {"type": "heal"})
                self._session.command(name, {"type": "stop"})
        yield from self._wait(lambda: not self._alive, 2_000 * MILLISECOND)

    def _stop(self, names: Iterable[str]) -> Program:
        names = list(names)
        for name in names:
            self._stopping.add(name)
            self._session.command(name, {"type": "stop"})
        yield from self._until(
            lambda: not any(name in names for name, _ in self._alive), PATIENCE, f"{', '.join(names)} to stop"
        )

    # Processes

    def _launch(self, name: str) -> None:
        node = self._cell.servers.get(name) or self._cell.clients.get(name)
        role: Role = "node" if node else "relay"
        self._session.start(name, role, self._epochs[name], node.engine if node else None)

    def _configure_server(self, name: str) -> Program:
        spec = server_spec(self._cell, name, self._epochs[name])
        return addresses((yield from self._call(name, {"type": "configure", "spec": spec})))

    def _exited(self, event: Exited) -> Program:
        name = event.name
        detail = {"node": name, "epoch": event.epoch, "signal": event.signal, "code": event.code}
        self._session.note(Kind.REAPED, detail=detail)
        self._alive.discard((name, event.epoch))
        if name in self._stopping and not event.code and not event.signal:
            return
        kill = self._killing.pop(name, None) or self._failpoint_kill(name, event)
        if kill is None:
            raise RunFailed(f"{name} (epoch {event.epoch}) ended: signal {event.signal}, exit code {event.code}")
        self._down[name] = kill.restart
        for link in self._cell.links:
            if link.target == name:
                command = {"type": "upstream", "link": link.name, "address": None, "epoch": event.epoch}
                yield from self._call(RELAY, command)
        yield from self._agenda.occur(f"{name} down", event.epoch)
        yield from self._plan_restart(name, kill.restart)

    def _failpoint_kill(self, name: str, event: Exited) -> Kill | None:
        for index, fault in enumerate(self._cell.faults):
            if not isinstance(fault, Kill) or fault.at is None or fault.kill != name or index in self._spent:
                continue
            if fault.epoch == event.epoch and event.signal:
                self._spent.add(index)
                return fault
        return None

    def _plan_restart(self, name: str, restart: Restart | None) -> Program:
        if restart is None:
            return  # heal brings it back

        def later() -> Program:
            now = yield Now()
            self._agenda.at(now + restart.after * MILLISECOND, lambda: self._restart(name))

        if restart.when is None:
            yield from later()
        else:
            yield from self._agenda.when(restart.when, later)

    def _restart(self, name: str) -> Program:
        """Start the next epoch of a server that is down, once."""
        if name not in self._down or name in self._launched:
            return
        restart = self._down[name] or Restart()
        if restart.state == "archive":
            self._act("archive", name)
            self._session.archive(name)
        self._epochs[name] += 1
        self._launched.add(name)
        self._act("restart", name)
        self._launch(name)
        return
        yield

    def _restarted(self, name: str, epoch: int) -> Program:
        upstreams = yield from self._configure_server(name)
        for link, address in upstreams.items():
            command = {"type": "upstream", "link": link, "address": list(address), "epoch": epoch}
            yield from self._call(RELAY, command)
        self._launched.discard(name)
        del self._down[name]
        yield from self._agenda.occur(f"{name} ready", epoch)

    # Faults

    def _arm(self) -> Program:
        """Who waits for which trigger."""
        for index, fault in enumerate(self._cell.faults):
            if fault.when is not None:
                yield from self._agenda.when(fault.when, self._delayed(index, fault), begins_fault=True)
            if isinstance(fault, Hold) and fault.until is not None:
                yield from self._agenda.when(fault.until, self._release_hold(index))
        for name, client in self._cell.clients.items():
            for gate, trigger in client.gates.items():
                yield from self._agenda.when(trigger, self._release_gate(name, gate))

    def _delayed(self, index: int, fault: Fault) -> Act:
        """A fault with a trigger and a time begins that long after the trigger."""
        if fault.after is None:
            return self._begin(index, fault)

        def act() -> Program:
            now = yield Now()
            self._agenda.at(now + (fault.after or 0) * MILLISECOND, self._begin(index, fault))

        return act

    def _begin(self, index: int, fault: Fault) -> Act:
        def act() -> Program:
            if isinstance(fault, Kill):
                self._act("kill", fault.kill, index)
                self._killing[fault.kill] = fault
                self._session.signal(fault.kill, "kill")
            elif isinstance(fault, Pause):
                yield from self._pause(fault.pause, index)
            else:
                yield from self._switch(index, True)
            if fault.name:
                yield from self._agenda.occur(f"{fault.name} on")
            if fault.lasts is not None and not isinstance(fault, Kill):
                now = yield Now()
                self._agenda.at(now + fault.lasts * MILLISECOND, self._cease(index, fault))

        return act

    def _cease(self, index: int, fault: Fault) -> Act:
        def act() -> Program:
            if isinstance(fault, Pause):
                yield from self._resume(fault.pause)
            else:
                yield from self._switch(index, False)
            if fault.name:
                yield from self._agenda.occur(f"{fault.name} off")

        return act

    def _pause(self, name: str, index: int) -> Program:
        """Noted when it is done: what the process journalled until then, it was still free to do."""
        life = (name, self._epochs[name])
        self._paused.add(name)
        self._stopped.discard(life)
        self._session.signal(name, "stop")
        yield from self._until(
            lambda: life in self._stopped or life not in self._alive, PATIENCE, f"{name} to be stopped"
        )
        self._act("pause", name, index)

    def _resume(self, name: str) -> Program:
        if name in self._paused:
            self._paused.discard(name)
            self._act("resume", name)
            self._session.signal(name, "continue")
        return
        yield

    def _switch(self, index: int, active: bool) -> Program:
        yield from self._call(RELAY, {"type": "rule", "index": index, "active": active})

    def _release_hold(self, index: int) -> Act:
        return lambda: self._call(RELAY, {"type": "release", "index": index})

    def _release_gate(self, name: str, gate: int) -> Act:
        return lambda: self._call(name, {"type": "release", "gate": gate})

    # Triggers, timers, events

    def _wait(self, condition: Callable[[], bool], limit: int) -> Program:
        """Handle events and timers until the condition holds; False when `limit` nanoseconds passed without."""
        now = yield Now()
        deadline = now + limit
        while not condition():
            now = yield Now()
            if now >= deadline:
                return False
            if (act := self._agenda.due(now)) is not None:
                yield from act()
                continue
            try:
                event = yield Get(self._session.events, self._agenda.next_time(deadline))
            except TimeoutError:
                continue
            yield from self._handle(event)
        return True

    def _until(self, condition: Callable[[], bool], limit: int, what: str) -> Program:
        if not (yield from self._wait(condition, limit)):
            raise RunFailed(f"waited {limit // MILLISECOND} ms for {what}")

    def _call(self, name: str, command: dict[str, Any]) -> Program:
        """-> the answer's body; events go on being handled meanwhile."""
        key = (name, self._session.command(name, command))
        what = f"{name} to answer {command['type']!r}"
        yield from self._until(lambda: key in self._answers, PATIENCE, what)
        body = self._answers.pop(key)
        if "error" in body:
            raise RunFailed(body["error"])
        return body

    def _handle(self, event: Any) -> Program:
        if isinstance(event, Answer):
            self._answers[event.name, event.id] = event.body
        elif isinstance(event, NodeEvent):
            yield from self._node_event(event)
        elif isinstance(event, Started):
            self._alive.add((event.name, event.epoch))
            if event.epoch > 1:
                yield from self._restarted(event.name, event.epoch)
        elif isinstance(event, Exited):
            yield from self._exited(event)
        elif isinstance(event, Stopped):
            self._stopped.add((event.name, event.epoch))
        elif isinstance(event, Lost):
            raise RunFailed(event.reason)

    def _node_event(self, event: NodeEvent) -> Program:
        if event.event == "heal-gate":
            self._at_heal.add(event.name)
        elif event.event == "done":
            self._done.add(event.name)
        else:
            yield from self._agenda.occur(f"{event.name} {event.event}", event.number)

    # Its own journal

    def _phase(self, phase: str) -> None:
        self._session.note(Kind.PHASE, detail={"phase": phase})

    def _act(self, act: str, node: str, fault: int | None = None) -> None:
        detail = {"act": act, "node": node, "epoch": self._epochs[node], "fault": fault}
        self._session.note(Kind.ACT, detail=detail)
