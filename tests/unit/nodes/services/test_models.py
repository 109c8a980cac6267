"""Every service's model takes the steps that its implementation takes."""

from __future__ import annotations

from typing import Any, cast

import pytest

from nodes.ops import Program
from nodes.rpc.serve import Execution
from nodes.rpc.service import Service
from nodes.services import SERVICES


class Alone:
    """A call that nothing comes between; it keeps what is committed."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def pause(self) -> Program:
        yield from ()

    def commit(self, value: Any, state: dict[str, Any]) -> Program:
        self.state = state
        yield from ()


@pytest.mark.parametrize("service", SERVICES.values(), ids=list(SERVICES))
def test_a_model_steps_as_its_implementation(service: Service) -> None:
    made, call, state = service.make({}), Alone(), service.model.init
    for intent in (1_000_001, 1_000_002):
        for workload in service.workloads.values():
            procedure, argument = workload(intent)
            arguments = () if argument is None else (argument,)
            with pytest.raises(StopIteration) as done:
                next(getattr(made, procedure)(cast(Execution, call), *arguments))
            state, result = service.model.step(state, procedure, argument)
            assert (done.value.value, call.state) == (result, state._asdict())
            assert service.model.difference(service.model.of(call.state), state) is None
