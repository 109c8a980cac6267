"""Every service's model takes the steps that its implementation takes."""

from __future__ import annotations

import re
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
            kept = service.model.of(call.state)  # where a sequence is a list in what is committed, a tuple in a state
            assert (done.value.value, kept, call.state.keys()) == (result, state, state._asdict().keys())
            assert service.model.difference(kept, state) is None


@pytest.mark.parametrize(
    ("name", "kept", "said"),
    [
        ("counter", {"total": 3}, "3.* 4"),
        ("register", {"value": 3, "version": 1}, "value is 3, its last row wrote 4"),
        ("register", {"value": 4, "version": 2}, "version is 2, it has 1 rows"),
    ],
)
def test_a_state_that_its_rows_do_not_make(name: str, kept: dict[str, int], said: str) -> None:
    model = SERVICES[name].model
    expected = model.of({**kept, "total": 4} if name == "counter" else {"value": 4, "version": 1})
    assert re.search(said, model.difference(model.of(kept), expected) or "")
