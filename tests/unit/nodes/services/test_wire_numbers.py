"""What names a service and its procedures on the wire: nodes of another release would understand nothing else."""

from __future__ import annotations

from inspect import signature

from nodes.services import SERVICES, has_effect

PROGRAMS = {"echo": 0x20000FB0, "counter": 0x20000FB1, "register": 0x20000FB2}
PROCEDURES = {
    "echo": {2: "echo"},
    "counter": {2: "add", 3: "read"},
    "register": {2: "write", 3: "read"},
}


def test_services_are_known_by_program_and_version() -> None:
    assert {name: service.interface.program for name, service in SERVICES.items()} == PROGRAMS
    assert list(SERVICES) == list(PROGRAMS)
    assert {service.interface.version for service in SERVICES.values()} == {1}


def test_procedures_are_known_by_number() -> None:
    for name, service in SERVICES.items():
        known = {number: procedure.name for number, procedure in service.interface.by_number.items()}
        assert known == {0: "null", 1: "hello", **PROCEDURES[name]}


def test_adding_and_writing_have_an_effect_and_nothing_else_has() -> None:
    names = {name for procedures in PROCEDURES.values() for name in procedures.values()}
    assert {name for name in names if has_effect(name)} == {"add", "write"}


def test_an_interface_calls_its_arguments_what_the_implementation_does() -> None:
    for service in SERVICES.values():
        for procedure in service.interface.procedures:
            _, *named = signature(getattr(service.make({}), procedure.name)).parameters  # the execution comes first
            assert [name for name, _ in procedure.parameters] == named
