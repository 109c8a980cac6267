"""One contract over every service that the registry knows, and broken services that it must convict."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import service_contract as contract

from nodes import services
from nodes.ops import Program
from nodes.rpc.interface import Interface, Procedure
from nodes.rpc.service import Model, Service
from nodes.services import SERVICES, WORKLOADS
from nodes.services import counter as module
from nodes.services.counter import COUNTER, SERVICE, Counted, Counter, difference, step
from nodes.wire.xdr import HYPER


@pytest.mark.parametrize("check", contract.CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", SERVICES)
def test_a_service_keeps_the_contract(name: str, check: Callable[[Service], None]) -> None:
    check(SERVICES[name])


def test_every_file_is_a_pure_service_of_its_name() -> None:
    files = {path.stem for path in Path(services.__path__[0]).glob("*.py")} - {"__init__"}
    assert files == SERVICES.keys()
    for name in files:
        assert (import_module(f"nodes.services.{name}").__doc__ or "").startswith("PURE: ")


def test_no_two_services_share_a_program_or_a_workload() -> None:
    assert len({service.interface.program for service in SERVICES.values()}) == len(SERVICES)
    assert len(WORKLOADS) == sum(len(service.workloads) for service in SERVICES.values())


class Forgets(Counter):
    def __init__(self, state: dict[str, Any]) -> None:
        super().__init__({})


class CommitsNothing(Counter):
    def add(self, call: Any, amount: int) -> Program:
        self.total = module.as_hyper(self.total + amount)
        return self.total
        yield


class ReadsWithAnEffect(Counter):
    def read(self, call: Any) -> Program:
        yield from call.commit(self.total, {"total": self.total})
        return self.total


def counts_calls(state: Counted, procedure: str, argument: Any) -> tuple[Counted, int]:
    return step(state, procedure, 1)


class Remembering:
    """A step that keeps a state of its own."""

    def __init__(self) -> None:
        self._state = Counted()

    def __call__(self, _: Counted, procedure: str, argument: Any) -> tuple[Counted, int]:
        self._state, result = step(self._state, procedure, argument)
        return self._state, result


READS_HAVE_AN_EFFECT = Interface(
    "counter", COUNTER.program, 1, (COUNTER.procedure("add"), Procedure(3, "read", (), HYPER, effect=True))
)

BROKEN = [
    (
        SERVICE._replace(model=Model(Counted(), step, lambda kept, expected: None)),
        contract.check_its_model_tells_a_state_that_differs,
    ),
    (SERVICE._replace(make=Forgets), contract.check_the_ledger_keeps_the_models_state_and_a_restart_goes_on_from_it),
    (SERVICE._replace(make=CommitsNothing), contract.check_what_has_an_effect_commits_it_once_and_nothing_else_does),
    (SERVICE._replace(make=ReadsWithAnEffect), contract.check_what_has_an_effect_commits_it_once_and_nothing_else_does),
    (SERVICE._replace(model=Model(Counted(), counts_calls, difference)), contract.check_it_does_what_its_model_says),
    (
        SERVICE._replace(model=Model(Counted(), Remembering(), difference)),
        contract.check_its_model_changes_no_state_that_it_was_given,
    ),
    (
        SERVICE._replace(workloads={"add": lambda intent: ("add", str(intent))}),
        contract.check_its_workloads_call_it_with_arguments_of_its_types,
    ),
    (SERVICE._replace(interface=READS_HAVE_AN_EFFECT), contract.check_its_name_and_number_are_its_own),
    (
        SERVICE._replace(interface=Interface("counter", 1, 1, COUNTER.procedures)),
        contract.check_its_name_and_number_are_its_own,
    ),
]


@pytest.mark.parametrize(("broken", "check"), BROKEN)
def test_a_broken_service_is_convicted(broken: Service, check: Callable[[Service], None]) -> None:
    check(SERVICE)
    with pytest.raises((AssertionError, ValueError)):
        check(broken)
