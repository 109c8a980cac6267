"""A service, a stub or a server that does something else than it was asked, or says something else than it did, is
convicted in a run without any fault; the correct ones are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
import suite

from nodes.drivers.rpc import RpcDriver
from nodes.ops import Program
from nodes.rpc import serve
from nodes.rpc.interface import Procedure
from nodes.rpc.serve import Execution
from nodes.services import SERVICES
from nodes.services.counter import Counter
from nodes.services.echo import Echo
from nodes.services.register import Register
from orchestrator.checkers.verdict import Met
from orchestrator.scenario.plan import expand

SCENARIO = """
scenario: parts
nodes:
  server: {service: SERVICE}
  client: {workload: WORKLOAD, calls: 6, after_heal: 1}
links:
  - {from: client, to: server, semantics: exactly-once}
expect:
  others: {client: ok, executions: "COUNT"}
"""
COUNTER, ECHO, REGISTER = ("counter", "add", ">=0"), ("echo", "echo", "0"), ("register", "write-read", ">=0")


class Constant(Counter):
    def add(self, call: Execution, amount: int) -> Program:
        self.total += amount
        yield from call.commit(7, {"total": self.total})
        return 7


class OldTotal(Counter):
    def add(self, call: Execution, amount: int) -> Program:
        old, self.total = self.total, self.total + amount
        yield from call.commit(old, {"total": self.total})
        return old


class Unkept(Counter):
    """Says the right thing, and keeps another."""

    def add(self, call: Execution, amount: int) -> Program:
        self.total += amount
        yield from call.commit(self.total, {"total": self.total + 1})
        return self.total


class Reversed(Echo):
    def echo(self, call: Execution, data: bytes) -> Program:
        yield from call.pause()
        return data[::-1]


class Forgetful(Register):
    """Forgets what it keeps in memory; its ledger has it."""

    def read(self, call: Execution) -> Program:
        yield from call.pause()
        return 0


class Unwritten(Register):
    """Numbers its writes, and keeps none."""

    def write(self, call: Execution, value: int) -> Program:
        yield from call.pause()
        self.version += 1
        yield from call.commit(self.version, {"value": 0, "version": self.version})
        return self.version


class Guessing(Register):
    def read(self, call: Execution) -> Program:
        yield from call.pause()
        return self.value + 1


Patch = pytest.MonkeyPatch


def client_adds_one(patch: Patch) -> None:
    plain = RpcDriver._invoke

    def invoke(self: RpcDriver, procedure: Procedure, arguments: tuple[Any, ...]) -> Program:
        return plain(self, procedure, (arguments[0] + 1,))

    patch.setattr(RpcDriver, "_invoke", invoke)


def server_adds_one(patch: Patch) -> None:
    plain = serve.Endpoint._execute

    def execute(self: serve.Endpoint, call: Any, waiter: Any) -> Program:
        return plain(self, call._replace(arguments=(call.arguments[0] + 1,)), waiter)

    patch.setattr(serve.Endpoint, "_execute", execute)


def intent_is_nothing(patch: Patch) -> None:
    plain = serve.transactions

    def transactions(variant: Any, header: Any, state: Any, value: Any, record: Any) -> Any:
        return plain(variant, header._replace(intent=0), state, value, record)

    patch.setattr(serve, "transactions", transactions)


def offers(name: str, made: Callable[[dict[str, Any]], Any]) -> Callable[[Patch], None]:
    return lambda patch: patch.setitem(SERVICES, name, SERVICES[name]._replace(make=made))


class Broken(NamedTuple):
    served: tuple[str, str, str]
    harm: Callable[[Patch], None]
    by: str
    said: str


BROKEN = {
    "the client puts another argument on the wire": Broken(COUNTER, client_adds_one, "valid", "executed with value 2"),
    "the server decodes another argument": Broken(COUNTER, server_adds_one, "valid", "executed with value 2"),
    "a counter returns a constant": Broken(COUNTER, offers("counter", Constant), "valid", "has the result 7"),
    "a counter returns the old total": Broken(COUNTER, offers("counter", OldTotal), "valid", "has the result 0"),
    "a counter keeps another total": Broken(COUNTER, offers("counter", Unkept), "valid", "its rows sum to 6"),
    "an effect has no intent": Broken(COUNTER, intent_is_nothing, "valid", "its effect is of intent 0"),
    "an echo is reversed": Broken(ECHO, offers("echo", Reversed), "valid", "which no state of the echo gives"),
    "a register keeps nothing": Broken(REGISTER, offers("register", Unwritten), "valid", "its last row wrote"),
    "a register guesses": Broken(REGISTER, offers("register", Guessing), "valid", "which no state of the register"),
    "a register forgets": Broken(REGISTER, offers("register", Forgetful), "staleness", "had overwritten that"),
}


def unmet(served: tuple[str, str, str]) -> dict[str, str]:
    service, workload, count = served
    text = SCENARIO.replace("SERVICE", service).replace("WORKLOAD", workload).replace("COUNT", count)
    (ran,) = suite.run(expand(text, "parts.yaml").cells, "sim")
    assert ran.result.judgement is not None
    assert ran.result.judgement.gate == ()
    return {found.name: found.reason for found in ran.result.judgement.expectations if found.verdict is not Met.MET}


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_convicted_without_a_fault(name: str, monkeypatch: Patch) -> None:
    broken = BROKEN[name]
    broken.harm(monkeypatch)
    assert broken.said in unmet(broken.served).get(broken.by, "")


@pytest.mark.parametrize("served", [COUNTER, ECHO, REGISTER])
def test_the_correct_one_is_not(served: tuple[str, str, str]) -> None:
    assert unmet(served) == {}
