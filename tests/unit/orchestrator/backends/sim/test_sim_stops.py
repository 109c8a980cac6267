"""A simulated process that stops at a failpoint stands there: what follows comes about when it goes on, or never."""

from __future__ import annotations

import random
from typing import Any

import pytest

from nodes.engines.sim import Host, World
from nodes.failpoints import Act, Failpoint, Failpoints
from nodes.memory_ledger import MemoryFile, MemoryLedger
from nodes.ops import Commit, Effect, Program, Put, Queue, Sleep, Transaction
from nodes.wire.record import Kind
from orchestrator.backends.sim.journal import SimJournal
from orchestrator.backends.sim.session import NEWS_DELAY
from orchestrator.explore.attempt import attempt, recorded
from orchestrator.scenario.plan import expand

CALL = (101, 1, 1)
STOPPED, AGAIN, OVER = 1_000, 5_000, 9_000
"""When it stops, when it is let go on, and when all is over: nanoseconds."""


class Process:
    """One whose program receives a call, commits an effect and answers."""

    def __init__(self, *failpoints: tuple[str, Act], seed: int = 1) -> None:
        self.world = World(random.Random(seed))
        self.host: Host = self.world.host("server")
        self.told: list[int] = []
        self.journal = SimJournal(self.world, self.host, self.told.append)
        self.journal.armed = Failpoints(
            [Failpoint(name, 101, 1, act=act, fault=fault) for fault, (name, act) in enumerate(failpoints)]
        )
        self.host.on_exit = self._ended
        self.file = MemoryFile()
        self._ledger = MemoryLedger(self.file, 1, lambda: 9, perform=self.journal.perform)

    def _ended(self, host: Host, reason: str) -> None:
        self.journal.sealed = True

    def _main(self) -> Program:
        yield Sleep(STOPPED)
        self._note(Kind.RECEIVE)
        self.journal.passage("received", *CALL)
        self._note(Kind.EXECUTE)
        n = yield Commit(Transaction(CALL, {"value": 7}, Effect(101, 1, 5, 1, 7), None))
        self._note(Kind.COMMIT, {"n": n})
        self.journal.passage("before-send", *CALL)
        self._note(Kind.ANSWER)
        yield Sleep(OVER)

    def stopping(self, order: Queue) -> Program:
        yield Sleep(STOPPED)
        self.journal.passage("received", *CALL)
        yield Put(order, "first")

    def _note(self, kind: Kind, detail: dict[str, Any] | None = None) -> None:
        self.journal.note(kind, *CALL, detail=detail)

    def run(self, *at_again: Any) -> list[tuple[int, str]]:
        """Lets it go on at AGAIN, or does that to it -> when it noted what, until then and in the end."""
        for act in at_again or (self.go_on,):
            self.world.run(_until(AGAIN), self.world.host("orchestrator"))
            self.before = self.noted
            act()
        self.world.run(_until(OVER), self.world.host("orchestrator"))
        return self.noted

    def start(self) -> Process:
        self.host.spawn(self._main(), "main", lambda transaction: self._ledger.commit(transaction, self.journal))
        return self

    def go_on(self) -> None:
        self.journal.go_on()
        if not self.journal.stopped:
            self.host.resume()

    @property
    def noted(self) -> list[tuple[int, str]]:
        return [(record.time, record.kind.name.lower()) for record in self.journal.records]


def _until(time: int) -> Program:
    yield Sleep(time)


def at(time: int, *kinds: str) -> list[tuple[int, str]]:
    return [(time, kind) for kind in kinds]


WHERE = {
    "received": (["receive"], 0, ["execute", "commit", "answer"]),
    "before-first-write": (["receive", "execute"], 0, ["commit", "answer"]),
    "before-commit": (["receive", "execute"], 0, ["commit", "answer"]),
    "after-commit": (["receive", "execute"], 1, ["commit", "answer"]),
    "before-send": (["receive", "execute", "commit"], 1, ["answer"]),
}
"""Failpoint -> what is noted before it, effects written by then, and what follows."""


@pytest.mark.parametrize("name", WHERE)
def test_what_follows_the_failpoint_comes_about_when_it_goes_on(name: str) -> None:
    before, written, after = WHERE[name]
    process = Process((name, "stop")).start()
    effects: list[int] = []

    def go_on() -> None:
        effects.append(len(process.file.effects))
        process.go_on()

    assert process.run(go_on) == at(STOPPED, *before, "failpoint") + at(AGAIN, *after)
    assert process.before == at(STOPPED, *before, "failpoint")
    assert (process.told, effects, len(process.file.effects)) == ([0], [written], 1)


@pytest.mark.parametrize("name", WHERE)
def test_who_is_killed_where_it_stands_does_nothing_more(name: str) -> None:
    before, written, _ = WHERE[name]
    process = Process((name, "stop")).start()
    assert process.run(process.host.crash, process.go_on) == at(STOPPED, *before, "failpoint")
    assert len(process.file.effects) == written
    assert not process.host.up


def test_one_failpoint_behind_another_is_passed_when_it_goes_on() -> None:
    process = Process(("before-first-write", "stop"), ("before-commit", "die")).start()
    noted = process.run()
    assert noted == at(STOPPED, "receive", "execute", "failpoint") + at(AGAIN, "failpoint")
    assert (process.told, process.journal.fired, process.host.up) == ([0], 1, False)
    assert not process.file.effects


def test_it_can_stop_again_in_the_same_step() -> None:
    process = Process(("before-commit", "stop"), ("after-commit", "stop")).start()
    noted = process.run(process.go_on, process.go_on)
    assert noted == at(STOPPED, "receive", "execute", "failpoint") + at(AGAIN, "failpoint", "commit", "answer")
    assert (process.told, len(process.file.effects)) == ([0, 1], 1)


@pytest.mark.parametrize("seed", range(8))
def test_what_it_had_set_out_to_do_comes_before_all_else(seed: int) -> None:
    """A commit writes what was computed in the step before it."""
    process = Process(("received", "stop"), seed=seed)
    order = Queue()
    process.host.spawn(_after(STOPPED - 1, order, "other"))
    process.host.spawn(process.stopping(order))
    process.host.spawn(_after(STOPPED + 1, order, "another"))
    process.run()
    assert list(order.items) == ["other", "first", "another"]


def _after(time: int, order: Queue, name: str) -> Program:
    yield Sleep(time)
    yield Put(order, name)


UNSEEN = """
scenario: unseen
nodes:
  server: {service: register}
  client: {workload: write-read, calls: 3, clients: 2, after_heal: 1}
links:
  - {from: client, to: server, semantics: at-most-once-incarnation, codec: xdr}
faults:
  - {pause: server, at: received, operation: 1, lasts: 21ms, restart: {after: 0ms}}
expect: {valid: holds}
"""
"""It goes on beside its successor with a write, and has a read to answer."""


def test_nobody_sees_what_a_fenced_process_could_not_write() -> None:
    (cell,) = expand(UNSEEN, "unseen.yaml").cells
    for seed in range(1, 9):
        assert attempt(cell.model_copy(update={"seed": seed})).surprise is None


KILLED = """
scenario: killed
seed: 425900
nodes:
  server: {service: register, yields: 3ms}
  client: {workload: write-read, calls: 3, clients: 3, after_heal: 1, retry: {connection: same}}
links:
  - {from: client, to: server, semantics: at-most-once-incarnation, codec: xdr}
faults:
  - {kill: server, when: client attempt 2, restart: {after: 250ms}}
  - {pause: server, lasts: 70ms, at: before-send, operation: 1, restart: {after: 20ms}}
expect: {valid: holds}
"""


def test_that_a_process_stopped_is_heard_before_its_end() -> None:
    """It is killed while the news of its stop are on their way."""
    (cell,) = expand(KILLED, "killed.yaml").cells
    history = recorded(cell)
    (struck,) = (event for event in history.events if event.kind is Kind.FAILPOINT)
    (killed,) = (event for event in history.events if event.kind is Kind.ACT and event.detail["act"] == "kill")
    assert struck.time < killed.time < struck.time + NEWS_DELAY
    assert attempt(cell).surprise is None
