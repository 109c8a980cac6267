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
    kept differs from what its rows make, None if it does not. Who implements the service uses none of this.
    """

    init: Any
    step: Callable[[Any, str, Any], tuple[Any, Any]]
    difference: Callable[[Any, Any], str | None]


class Service(NamedTuple):
    """`make(state)` gives the implementation; state is what its ledger holds, {} at first.

    `workloads` are what its clients can be told to do, by name. Which procedures have an effect the interface says.
    """

    interface: Interface
    make: Callable[[dict[str, Any]], Any]
    workloads: Mapping[str, Workload]
    model: Model
