"""PURE: what a service is: all that anybody has to know of one, in one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from nodes.rpc.interface import Interface

Workload = Callable[[int], tuple[str, Any]]
"""An operation's intent -> the procedure that it calls, and the argument; None if that takes none."""


class Model(NamedTuple):
    """A service without faults, calls one after another: its sequential specification, as Porcupine's model.go has it.

    `init` is its state before the first call; `step(state, procedure, argument)` is (next state, result). States are
    NamedTuples whose fields are what the ledger keeps; `difference(kept, expected)` says how the state that a ledger
    kept differs from what its rows make, None if it does not. They can be looked up by their hash, so a sequence in one
    is a tuple. Who implements the service uses none of this.
    """

    init: Any
    step: Callable[[Any, str, Any], tuple[Any, Any]]
    difference: Callable[[Any, Any], str | None]

    def of(self, kept: Mapping[str, Any]) -> Any:
        """The state of which a ledger kept these fields: in a ledger a sequence is a list, in a state a tuple."""
        return self.init._replace(**{name: _lasting(value) for name, value in kept.items()})


def _lasting(value: Any) -> Any:
    return tuple(map(_lasting, value)) if isinstance(value, list) else value


class Service(NamedTuple):
    """`make(state)` gives the implementation; state is what its ledger holds, {} at first.

    `workloads` are what its clients can be told to do, by name. Which procedures have an effect the interface says.
    """

    interface: Interface
    make: Callable[[dict[str, Any]], Any]
    workloads: Mapping[str, Workload]
    model: Model
