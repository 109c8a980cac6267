"""PURE: one interface definition, from which both the client's stub and the server's skeleton are made."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from nodes.ops import Program
from nodes.wire.xdr import VOID, Struct, XdrType

Invoke = Callable[["Procedure", tuple[Any, ...]], Program]

SITE_PROGRAMS = 0x20000000 + 0xFB0
"""Our services' program numbers begin here, in the range that every site may use as it likes (RFC 5531 section 8.3)."""


class Procedure:
    """`effect`: executing it changes something, so that how often it runs can be seen. `arguments` is the type of all
    of them together."""

    def __init__(
        self,
        number: int,
        name: str,
        parameters: tuple[tuple[str, XdrType], ...] = (),
        result: XdrType = VOID,
        effect: bool = False,
    ) -> None:
        self.number = number
        self.name = name
        self.parameters = parameters
        self.result = result
        self.effect = effect
        self.arguments = Struct(parameters)


NULL = Procedure(0, "null")
"""Does nothing, by convention (RFC 5531 section 12.1)."""
HELLO = Procedure(1, "hello")
"""A client introduces itself; the reply's header is the answer."""


class Interface:
    """`program` and `version` name it in ONC RPC. Procedures 0 and 1 belong to every interface.

    Raises ValueError when two procedures share a number or a name.
    """

    def __init__(self, name: str, program: int, version: int, procedures: tuple[Procedure, ...]) -> None:
        self.name = name
        self.program = program
        self.version = version
        self.procedures = procedures
        every = (NULL, HELLO, *procedures)
        self.by_number = {procedure.number: procedure for procedure in every}
        self.by_name = {procedure.name: procedure for procedure in every}
        if len(self.by_number) != len(every) or len(self.by_name) != len(every):
            raise ValueError(f"interface {name}: two procedures share a number or a name")

    def procedure(self, name: str) -> Procedure:
        """Raises KeyError for a name that is not in the interface."""
        return self.by_name[name]


def stub(interface: Interface, invoke: Invoke) -> Any:
    """An object with one method per remote procedure: `total = yield from counter.add(3)`.

    A method checks its arguments against the definition (TypeError for their number, WireError for their types)
    and is then the program that `invoke(procedure, arguments)` returns.
    """
    return _kind(interface)(invoke)


class _Stub:
    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke


@cache
def _kind(interface: Interface) -> type[_Stub]:
    members = {procedure.name: _method(procedure) for procedure in interface.procedures}
    return type(f"{interface.name.capitalize()}Stub", (_Stub,), members)


def _method(procedure: Procedure) -> Callable[..., Program]:
    names = [name for name, _ in procedure.parameters]

    def method(self: _Stub, *arguments: Any) -> Program:
        if len(arguments) != len(names):
            raise TypeError(f"{procedure.name}({', '.join(names)}) got {len(arguments)} arguments")
        procedure.arguments.pack(arguments)
        return self._invoke(procedure, arguments)

    method.__name__ = procedure.name
    method.__doc__ = f"Remote procedure {procedure.number}: {procedure.name}({', '.join(names)})."
    return method


class Skeleton:
    """The server's side: calls the implementation's method of a procedure's name, with the execution first.

    Raises TypeError when the implementation lacks a procedure.
    """

    def __init__(self, interface: Interface, implementation: Any) -> None:
        missing = [p.name for p in interface.procedures if not callable(getattr(implementation, p.name, None))]
        if missing:
            name = type(implementation).__name__
            raise TypeError(f"{name} does not implement {', '.join(missing)} of interface {interface.name}")
        self._methods = {p.number: getattr(implementation, p.name) for p in interface.procedures}
        self._methods |= {NULL.number: _nothing, HELLO.number: _nothing}

    def call(self, procedure: Procedure, execution: Any, arguments: tuple[Any, ...]) -> Program:
        """The procedure as a program; its result is the program's."""
        program: Program = self._methods[procedure.number](execution, *arguments)
        return program


def skeleton(interface: Interface, implementation: Any) -> Skeleton:
    """Raises TypeError when the implementation lacks a procedure."""
    return Skeleton(interface, implementation)


def _nothing(execution: Any) -> Program:
    yield from ()
    return None
