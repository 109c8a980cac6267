"""Stub and skeleton from one interface definition."""

from __future__ import annotations

from typing import Any

import pytest

from nodes.ops import Program
from nodes.rpc.interface import HELLO, NULL, SITE_PROGRAMS, Interface, Procedure, skeleton, stub
from nodes.services import SERVICES
from nodes.services.counter import COUNTER
from nodes.services.echo import ECHO
from nodes.services.register import REGISTER
from nodes.wire.errors import WireError
from nodes.wire.xdr import HYPER


def result_of(program: Program, answer: Any = None) -> tuple[list[Any], Any]:
    """What a program yields when each yield is answered alike, and its result."""
    yielded = []
    try:
        yielded.append(next(program))
        while True:
            yielded.append(program.send(answer))
    except StopIteration as done:
        return yielded, done.value


class Adder:
    def add(self, execution: Any, amount: int) -> Program:
        total = yield ("pause", execution)
        return total + amount

    def read(self, execution: Any) -> Program:
        return 5
        yield


def test_a_stub_method_is_a_program_of_its_procedure() -> None:
    def invoke(procedure: Procedure, arguments: tuple[Any, ...]) -> Program:
        reply = yield (procedure.name, arguments)
        return reply

    counter = stub(COUNTER, invoke)

    def caller() -> Program:
        return (yield from counter.add(3)), (yield from counter.read())

    yielded, totals = result_of(caller(), answer=8)
    assert yielded == [("add", (3,)), ("read", ())]
    assert totals == (8, 8)
    assert not hasattr(counter, "hello")


def test_a_stub_checks_arguments_against_the_definition() -> None:
    counter = stub(COUNTER, lambda procedure, arguments: pytest.fail("invoked"))
    with pytest.raises(TypeError, match=r"add\(amount\) got 2 arguments"):
        counter.add(1, 2)
    with pytest.raises(WireError, match="no hyper"):
        counter.add("3")


def test_a_skeleton_calls_the_method_of_the_procedure() -> None:
    dispatcher = skeleton(COUNTER, Adder())
    program = dispatcher.call(COUNTER.procedure("add"), "execution", (3,))
    assert result_of(program, answer=4) == ([("pause", "execution")], 7)
    assert result_of(dispatcher.call(COUNTER.procedure("read"), "execution", ())) == ([], 5)


@pytest.mark.parametrize("procedure", [NULL, HELLO])
def test_a_skeleton_answers_what_every_interface_has(procedure: Procedure) -> None:
    assert result_of(skeleton(COUNTER, Adder()).call(procedure, None, ())) == ([], None)


def test_a_skeleton_names_what_its_implementation_lacks() -> None:
    with pytest.raises(TypeError, match="Adder does not implement write of interface register"):
        skeleton(REGISTER, Adder())


@pytest.mark.parametrize("procedure", [Procedure(1, "other"), Procedure(9, "null")])
def test_procedures_that_share_a_number_or_a_name_are_refused(procedure: Procedure) -> None:
    with pytest.raises(ValueError, match="share a number or a name"):
        Interface("broken", 1, 1, (procedure,))


def test_the_shipped_interfaces() -> None:
    assert len({interface.program for interface in (ECHO, COUNTER, REGISTER)}) == 3
    assert COUNTER.by_number[2] is COUNTER.procedure("add")
    assert COUNTER.procedure("add").parameters == (("amount", HYPER),)
    effects = {p.name for i in (ECHO, COUNTER, REGISTER) for p in i.procedures if p.effect}
    assert effects == {"add", "write"}
    with pytest.raises(KeyError):
        ECHO.procedure("add")


def test_programs_are_numbered_where_every_site_may() -> None:
    """RFC 5531 section 8.3."""
    for service in SERVICES.values():
        assert 0x20000000 <= SITE_PROGRAMS <= service.interface.program <= 0x3FFFFFFF
