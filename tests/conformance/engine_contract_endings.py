"""The engines' contract: how waiting at a socket ends without what was waited for: its deadline, its closing."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from engine_contract import ANY_PORT, Subject, after, failing, one, pair, pause

from nodes import ops

TOO_MUCH = bytes(32 << 20)
"""No buffer holds it."""
ROOM = 8 << 20
"""So much was taken of the first, and some of the second is on its way."""


def check_recv_has_a_deadline_and_loses_nothing(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        deadline = yield from after(10)
        error = yield from failing(ops.Recv(server, 10, deadline))
        assert isinstance(error, TimeoutError)
        assert (yield ops.Now()) >= deadline
        yield ops.Send(client, b"late")
        assert (yield ops.Recv(server, 10, (yield from after(10_000)))) == b"late"

    subject.run(main())


def check_send_has_a_deadline(subject: Subject) -> None:
    def main() -> ops.Program:
        client, _server, _ = yield from pair()
        error = yield from failing(ops.Send(client, TOO_MUCH, (yield from after(20))))
        assert isinstance(error, TimeoutError)

    subject.run(main())


def check_a_deadline_that_passed_is_that_of_its_send_alone(subject: Subject) -> None:
    """What ends the next send, which has none, is what happened to the connection."""

    def main() -> ops.Program:
        client, server, _ = yield from pair()
        error = yield from failing(ops.Send(client, TOO_MUCH, (yield from after(20))))
        assert isinstance(error, TimeoutError)
        sending = yield ops.Spawn(failing(ops.Send(client, TOO_MUCH)))
        received = 0
        while received < ROOM:
            received += len((yield ops.Recv(server, 1 << 20)))
        assert not sending.done
        yield ops.Close(server)
        error = yield ops.Join(sending)
        assert isinstance(error, (ConnectionResetError, BrokenPipeError)), repr(error)

    subject.run(main())


def check_a_close_may_reset(subject: Subject) -> None:
    """Whoever reads then is told of it, and not of an end; what came before is lost or not, as it happens."""

    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"x")
        assert (yield ops.Recv(server, 10)) == b"x"
        reading = yield ops.Spawn(failing(ops.Recv(server, 10)))
        yield from pause(5)
        yield ops.Close(client, reset=True)
        yield ops.Close(client, reset=True)
        assert isinstance((yield ops.Join(reading)), ConnectionResetError)
        assert isinstance((yield from failing(ops.Send(client, b"x"))), ConnectionAbortedError)

    subject.run(main())


def check_a_datagram_that_has_room_needs_no_time(subject: Subject) -> None:
    def main() -> ops.Program:
        bound = yield ops.Bind(ANY_PORT)
        yield ops.SendTo(bound, b"prompt", bound.local, (yield from after(10_000)))
        assert (yield ops.RecvFrom(bound, 10)) == (b"prompt", bound.local)

    subject.run(main())


def check_accept_has_a_deadline(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        error = yield from failing(ops.Accept(listener, (yield from after(10))))
        assert isinstance(error, TimeoutError)
        accepting = yield ops.Spawn(one(ops.Accept(listener, (yield from after(10_000)))))
        client = yield ops.Connect(listener.local, (yield from after(10_000)))
        assert (yield ops.Join(accepting)).peer == client.local

    subject.run(main())


def _closed_under(socket: ops.Socket, operation: Any) -> Generator[Any, Any, None]:
    task = yield ops.Spawn(failing(operation))
    yield from pause(10)
    assert not task.done
    yield ops.Close(socket)
    error = yield ops.Join(task)
    assert isinstance(error, ConnectionAbortedError), repr(error)


def check_close_ends_what_waits_on_the_socket(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, listener = yield from pair()
        bound = yield ops.Bind(ANY_PORT)
        yield from _closed_under(listener, ops.Accept(listener))
        yield from _closed_under(server, ops.Recv(server, 10))
        yield from _closed_under(bound, ops.RecvFrom(bound, 10))
        assert (yield ops.Recv(client, 10)) == b""

    subject.run(main())


def check_close_ends_a_stuck_send(subject: Subject) -> None:
    def main() -> ops.Program:
        client, _server, _ = yield from pair()
        yield from _closed_under(client, ops.Send(client, TOO_MUCH))

    subject.run(main())


def check_a_closed_socket_is_of_no_use(subject: Subject) -> None:
    def main() -> ops.Program:
        client, _server, listener = yield from pair()
        bound = yield ops.Bind(ANY_PORT)
        for socket in (client, listener, bound):
            yield ops.Close(socket)
        attempts = (
            ops.Recv(client, 1),
            ops.Send(client, b"x"),
            ops.Shutdown(client),
            ops.Accept(listener),
            ops.RecvFrom(bound, 1),
            ops.SendTo(bound, b"x", bound.local),
        )
        for attempt in attempts:
            assert isinstance((yield from failing(attempt)), ConnectionAbortedError), attempt

    subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
