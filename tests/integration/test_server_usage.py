"""Real servers that run out of descriptors, drop connections or do not wait: by what they say that they used."""

from __future__ import annotations

import pytest
import suite

from nodes.wire.record import Kind
from orchestrator.checkers.verdict import Judgement, Met, Verdict
from orchestrator.scenario.plan import expand

FEW_FILES = """
scenario: few-files
nodes:
  server: {service: echo, engine: ENGINE, limits: {files: 40}}
  client: {workload: echo, calls: 8, clients: 32, retry: {patience: 2000}}
links:
  - {from: client, to: server, protocol: lines, via: direct}
expect:
  strained: [descriptors-spent]
  quiescent: holds
"""
"""Of the clients some have no connection as long as others have theirs: those wait in the backlog, and nobody calls."""
CONVICTS = ("quiescent: holds", "convicted_by: [quiescent]")
BUSY = """
scenario: busy
nodes:
  server: {service: echo, engine: busy}
  client: {workload: echo, calls: 4, retry: {patience: 2000}}
links:
  - {from: client, to: server, protocol: lines}
faults:
  - {drop: reply, link: client -> server, operations: [2]}
expect:
  quiescent: violated
"""


def ran(text: str) -> suite.Ran:
    (cell,) = expand(text, "f.yaml").cells
    (one,) = suite.run([cell], "local", idle=True)
    return one


def judged(one: suite.Ran) -> Judgement:
    assert one.result.judgement is not None
    assert one.result.judgement.gate == ()
    return one.result.judgement


def expectation(one: suite.Ran, name: str) -> Met:
    return next(found.verdict for found in judged(one).expectations if found.name == name)


def quiescent(one: suite.Ran) -> Verdict:
    return next(found.verdict for found in judged(one).properties if found.name == "quiescent")


def test_a_server_without_descriptors_says_so_and_waits() -> None:
    one = ran(FEW_FILES.replace("ENGINE", "epoll"))
    assert expectation(one, "strained") is Met.MET
    assert (quiescent(one), expectation(one, "quiescent")) == (Verdict.HOLDS, Met.MET)


def test_one_that_has_enough_was_not_strained() -> None:
    one = ran(FEW_FILES.replace("ENGINE", "epoll").replace("files: 40", "files: 400"))
    assert expectation(one, "strained") is Met.INCONCLUSIVE


@pytest.mark.parametrize("engine", ["epoll", "threads"])
def test_one_that_tries_again_at_once_is_convicted(engine: str) -> None:
    one = ran(FEW_FILES.replace("ENGINE", f"{engine}, variant: accepts-on").replace(*CONVICTS))
    assert expectation(one, "strained") is Met.MET
    assert (quiescent(one), expectation(one, "quiescent")) == (Verdict.VIOLATED, Met.MET)


def test_an_engine_that_never_waits_is_convicted() -> None:
    one = ran(BUSY)
    assert (quiescent(one), expectation(one, "quiescent")) == (Verdict.VIOLATED, Met.MET)


def test_nobody_samples_what_nobody_looks_at() -> None:
    one = ran(BUSY.replace("quiescent: violated", "bitten: {client: info, executions: 0}"))
    assert not any(event.kind is Kind.USAGE for event in one.history.events)


@pytest.mark.parametrize("engine", ["fork", "threads"])
def test_it_says_what_its_connections_used(engine: str) -> None:
    one = ran(BUSY.replace("busy", engine).replace("violated", "holds"))
    assert quiescent(one) is Verdict.HOLDS
    samples = [event for event in one.history.events if event.kind is Kind.USAGE]
    stop = next(event for event in one.history.events if event.kind is Kind.STOP and event.node == "server")
    assert samples[-1].order < stop.order
    assert samples[-1].detail["accepted"] == 1
