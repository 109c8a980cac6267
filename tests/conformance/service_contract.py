"""The contract of nodes.rpc.service.Service, as checks that an implementer runs.

A check takes a service and random calls on it, and raises AssertionError (or what broke) where the contract is broken.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgpack

from nodes.ops import Program
from nodes.rpc.codecs import NAMES, codec
from nodes.rpc.interface import SITE_PROGRAMS, Procedure, skeleton
from nodes.rpc.service import Service
from nodes.services import has_effect
from nodes.wire.xdr import HYPER, Opaque, XdrType

CALLS = 200
INTENTS = (1, 2, 101_000_001, 99_999_999_999)
LAST_SITE_PROGRAM = 0x3FFFFFFF
"""RFC 5531 section 8.3."""


class Execution:
    """What a procedure sees of its call; `commits` are (result, the ledger's state)."""

    def __init__(self) -> None:
        self.commits: list[tuple[Any, dict[str, Any]]] = []

    def pause(self) -> Program:
        yield "pause"

    def commit(self, value: Any, state: dict[str, Any]) -> Program:
        self.commits.append((value, state))
        yield "commit"


def argument(kind: XdrType, draw: random.Random) -> Any:
    """A random value of the type, at its bounds oftener than by chance. A service with further types adds them here."""
    if isinstance(kind, Opaque):
        return draw.randbytes(draw.choice((0, 1, 7, 1000)))
    assert kind == HYPER
    return draw.choice((0, 1, -1, 2**63 - 1, -(2**63), draw.getrandbits(62)))


def calls(service: Service) -> list[tuple[Procedure, tuple[Any, ...]]]:
    draw = random.Random(1)
    chosen = draw.choices(service.interface.procedures, k=CALLS)
    return [(each, tuple(argument(kind, draw) for _, kind in each.parameters)) for each in chosen]


def perform(implementation: Any, service: Service, procedure: Procedure, arguments: tuple[Any, ...]) -> Any:
    """-> (result, commits)."""
    execution = Execution()
    program = skeleton(service.interface, implementation).call(procedure, execution, arguments)
    try:
        while True:
            next(program)
    except StopIteration as done:
        return done.value, execution.commits


def check_it_does_what_its_model_says(service: Service) -> None:
    implementation, state = service.make({}), service.model.init
    for procedure, arguments in calls(service):
        state, expected = service.model.step(state, procedure.name, *(arguments or (None,)))
        assert perform(implementation, service, procedure, arguments)[0] == expected


def check_what_has_an_effect_commits_it_once_and_nothing_else_does(service: Service) -> None:
    implementation = service.make({})
    for procedure, arguments in calls(service):
        result, commits = perform(implementation, service, procedure, arguments)
        assert [value for value, _ in commits] == ([result] if procedure.effect else [])


def check_the_ledger_keeps_the_models_state_and_a_restart_goes_on_from_it(service: Service) -> None:
    kept: dict[str, Any] = {}
    state = service.model.init
    for procedure, arguments in calls(service):
        state, expected = service.model.step(state, procedure.name, *(arguments or (None,)))
        result, commits = perform(service.make(kept), service, procedure, arguments)
        assert result == expected
        for _, fields in commits:
            kept |= msgpack.unpackb(msgpack.packb(fields))  # as a ledger does
            assert service.model.of(kept) == state


def check_its_model_changes_no_state_that_it_was_given(service: Service) -> None:
    """So a checker may try steps in any order from one state. States are compared and looked up by their hash."""
    init, step = service.model.init, service.model.step
    for procedure, arguments in calls(service):
        given = (init, procedure.name, *(arguments or (None,)))
        assert step(*given) == step(*given)
        assert hash(step(*given)[0]) == hash(step(*given)[0])
        if not procedure.effect:
            assert step(*given)[0] == init


def check_its_model_tells_a_state_that_differs(service: Service) -> None:
    model, state = service.model, service.model.init
    for procedure, arguments in calls(service):
        before, (state, _) = state, model.step(state, procedure.name, *(arguments or (None,)))
        assert model.difference(state, state) is None
        assert bool(model.difference(before, state)) is (before != state)


def check_its_workloads_call_it_with_arguments_of_its_types(service: Service) -> None:
    assert service.workloads
    for workload in service.workloads.values():
        for intent in INTENTS:
            name, value = workload(intent)
            service.interface.procedure(name).arguments.pack(() if value is None else (value,))


def check_every_codec_carries_its_calls_and_results(service: Service) -> None:
    implementation = service.make({})
    for procedure, arguments in calls(service):
        result, _ = perform(implementation, service, procedure, arguments)
        for name in NAMES:
            made = codec(name, service.interface)
            call = made.decode_call(made.encode_call(7, procedure, None, arguments))
            assert (call.procedure, call.arguments) == (procedure, arguments)
            reply = made.decode_reply(made.encode_reply(7, procedure, None, result), {7: procedure}.get)
            assert reply.value == result


def check_its_name_and_number_are_its_own(service: Service) -> None:
    assert SITE_PROGRAMS <= service.interface.program <= LAST_SITE_PROGRAM
    for procedure in service.interface.procedures:
        assert has_effect(procedure.name) == procedure.effect, "a procedure of this name differs in another service"


CHECKS: tuple[Callable[[Service], None], ...] = (
    check_it_does_what_its_model_says,
    check_what_has_an_effect_commits_it_once_and_nothing_else_does,
    check_the_ledger_keeps_the_models_state_and_a_restart_goes_on_from_it,
    check_its_model_changes_no_state_that_it_was_given,
    check_its_model_tells_a_state_that_differs,
    check_its_workloads_call_it_with_arguments_of_its_types,
    check_every_codec_carries_its_calls_and_results,
    check_its_name_and_number_are_its_own,
)
