"""The engines' contract over each transport: its row in nodes/wire/transports.py says what is due.

A check takes the subject, the transport's row, and what gives an address for a new socket. It is asked where it is
`due`, which goes by the row.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from typing import Any

from engine_contract import Subject, after, each, failing, one, pause, receive_all, receive_exactly

from nodes import ops
from nodes.wire.addresses import IPv4, UnixPath
from nodes.wire.transports import Transport

Fresh = Callable[[], ops.Address]
LOOPBACK = IPv4("127.0.0.1", 0)


Check = Callable[[Subject, Transport, Fresh], None]
CHECKS: dict[str, tuple[Check, Callable[[Transport], bool]]] = {}


def due(when: Callable[[Transport], bool] = lambda row: True) -> Callable[[Check], Check]:
    def keep(check: Check) -> Check:
        CHECKS[check.__name__] = check, when
        return check

    return keep


def connected(row: Transport, fresh: Fresh) -> Generator[Any, Any, tuple[ops.Socket, ops.Socket, ops.Socket]]:
    """-> (client's side, server's side, listener)."""
    listener = yield ops.Listen(fresh(), bounded=row.bounded)
    accepting = yield ops.Spawn(one(ops.Accept(listener)))
    client = yield ops.Connect(listener.local, bounded=row.bounded)
    return client, (yield ops.Join(accepting)), listener


@due(lambda row: row.address != "group")
def check_both_ends_are_known(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        if not row.connected:
            bound = yield ops.Bind(fresh())
            assert (type(bound.local), bound.peer) == (type(fresh()), None)
            return
        client, server, listener = yield from connected(row, fresh)
        assert type(listener.local) is type(fresh())
        assert client.peer == server.local == listener.local
        assert server.peer == client.local

    subject.run(main())


@due()
def check_what_is_sent_arrives(subject: Subject, row: Transport, fresh: Fresh) -> None:
    texts = [b"one", b"two, longer", b"3"]

    def over_a_connection() -> ops.Program:
        client, server, _ = yield from connected(row, fresh)
        yield from each(ops.Send(client, text) for text in texts)
        if row.bounded:
            assert (yield from each([ops.Recv(server, 100)] * 3)) == texts
        else:
            assert (yield from receive_exactly(server, 15)) == b"".join(texts)
        yield ops.Send(server, b"back")
        assert (yield ops.Recv(client, 100)) == b"back"
        yield ops.Close(client)
        assert (yield from receive_all(server)) == b""

    def without() -> ops.Program:
        receiver = yield ops.Bind(fresh())
        sender = yield ops.Bind(LOOPBACK if row.address == "group" else fresh())
        for text in texts:
            yield ops.SendTo(sender, text, receiver.local)
        assert (yield from each([ops.RecvFrom(receiver, 100)] * 3)) == [(text, sender.local) for text in texts]

    subject.run(over_a_connection() if row.connected else without())


@due(lambda row: row.address == "group")
def check_every_member_of_a_group_receives(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        members = yield from each(ops.Bind(fresh()) for _ in range(3))
        sender = yield ops.Bind(LOOPBACK)
        yield ops.SendTo(sender, b"to all", fresh())
        received = yield from each(ops.RecvFrom(member, 100) for member in members)
        assert received == [(b"to all", sender.local)] * 3

    subject.run(main())


@due(lambda row: row.connected and row.bounded)
def check_a_message_is_cut_to_the_size_asked_for(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from connected(row, fresh)
        for text in (b"cut short", b"whole"):
            yield ops.Send(client, text)
        assert (yield from each([ops.Recv(server, 5)] * 2)) == [b"cut s", b"whole"]

    subject.run(main())


@due(lambda row: row.bounded)
def check_a_message_is_cut_to_nothing_but_the_size_asked_for(subject: Subject, row: Transport, fresh: Fresh) -> None:
    if sys.platform != "linux":  # others have less room by default
        return
    whole = b"0123456789" * (10_000 if row.address == "path" else 6_000)
    sizes = 2 * len(whole), len(whole) - 1, len(whole)

    def messages(socket: ops.Socket, sender: ops.Socket) -> Generator[Any, Any, list[bytes]]:
        got = []
        for size in sizes:
            if row.connected:
                yield ops.Send(sender, whole)
                got.append((yield ops.Recv(socket, size)))
            else:
                to = fresh() if row.address == "group" else socket.local
                yield ops.SendTo(sender, whole, to)
                data, _ = yield ops.RecvFrom(socket, size)
                got.append(data)
        return got

    def main() -> ops.Program:
        if row.connected:
            sender, receiver, _ = yield from connected(row, fresh)
        else:
            receiver = yield ops.Bind(fresh())
            sender = yield ops.Bind(LOOPBACK if row.address == "group" else fresh())
        assert (yield from messages(receiver, sender)) == [whole[:size] for size in sizes]

    subject.run(main())


@due(lambda row: not row.connected)
def check_each_datagram_says_who_sent_it(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        receiver = yield ops.Bind(fresh())
        to = fresh() if row.address == "group" else receiver.local
        senders = yield from each(ops.Bind(LOOPBACK if row.address == "group" else fresh()) for _ in range(2))
        for sender in (*senders, *senders):
            yield ops.SendTo(sender, b"mine", to)
            assert (yield ops.RecvFrom(receiver, 10)) == (b"mine", sender.local)

    subject.run(main())


@due(lambda row: row.address == "path" and not row.connected)
def check_a_name_in_no_file_system_may_end_with_zero_bytes(subject: Subject, row: Transport, fresh: Fresh) -> None:
    """What is sent to it is for nobody whose name is the same without them (unix(7), "abstract")."""
    if sys.platform != "linux":
        return
    start = f"\0faultbed {os.getpid()}"

    def main() -> ops.Program:
        server = yield ops.Bind(fresh())
        clients = yield from each(ops.Bind(UnixPath(name)) for name in (start, start + "\0", start + "\0\0"))
        for client in clients:
            yield ops.SendTo(client, b"?", server.local)
            _, source = yield ops.RecvFrom(server, 10)
            assert source == client.local
            yield ops.SendTo(server, b"!", source)
            assert (yield ops.RecvFrom(client, 10)) == (b"!", server.local)
            assert isinstance((yield from failing(ops.Bind(client.local))), OSError), "it is taken"

    subject.run(main())


@due(lambda row: row.connected and row.bounded)
def check_a_message_of_no_bytes_is_no_end(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from connected(row, fresh)
        assert not (yield ops.HasEnded(server))
        yield ops.Send(client, b"")
        assert not (yield ops.HasEnded(server)), "a message is there"
        assert (yield ops.Recv(server, 10)) == b""
        assert not (yield ops.HasEnded(server))
        yield ops.Send(client, b"")
        yield ops.Close(client)
        assert not (yield ops.HasEnded(server)), "a message hides it"
        assert (yield ops.Recv(server, 10)) == b""
        assert (yield ops.HasEnded(server))
        assert (yield ops.Recv(server, 10)) == b"", "nobody took it"

    subject.run(main())


@due(lambda row: row.connected and row.bounded)
def check_none_at_all_is_a_message(subject: Subject, row: Transport, fresh: Fresh) -> None:
    """Also to whoever has no room for it yet."""
    messages = [b"", b"x" * 5_000, b""] * 200

    def main() -> ops.Program:
        client, server, _ = yield from connected(row, fresh)
        sending = yield ops.Spawn(each(ops.Send(client, message) for message in messages))
        yield from pause(5)
        assert not sending.done
        assert (yield from each([ops.Recv(server, 5_000)] * len(messages))) == messages
        yield ops.Join(sending)

    subject.run(main())


@due(lambda row: row.address == "path")
def check_a_path_that_is_too_long_is_an_error(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        start = fresh()
        assert isinstance(start, UnixPath)
        far = start.beside("x" * 200)
        if row.connected:
            attempts = [ops.Listen(far, bounded=row.bounded), ops.Connect(far, bounded=row.bounded)]
        else:
            attempts = [ops.Bind(far), ops.SendTo((yield ops.Bind(start)), b"x", far)]
        for attempt in attempts:
            error = yield from failing(attempt)
            assert isinstance(error, OSError), repr(error)
            assert "too long" in str(error)

    subject.run(main())


def _filling(row: Transport, fresh: Fresh) -> Generator[Any, Any, tuple[ops.Socket, ops.Socket, int]]:
    """-> (sender, a receiver that is full, how many datagrams it has)."""
    sender, receiver = yield from each(ops.Bind(fresh()) for _ in range(2))
    for count in range(1_000_000):
        try:
            yield ops.SendTo(sender, b"%d" % count, receiver.local, (yield from after(20)))
        except TimeoutError:
            return sender, receiver, count
    raise AssertionError("a million datagrams, and it is not full")


@due(lambda row: row.ordered and not row.connected)
def check_a_datagram_without_room_has_a_deadline(subject: Subject, row: Transport, fresh: Fresh) -> None:
    """What was not handed over by then never is."""

    def main() -> ops.Program:
        sender, receiver, count = yield from _filling(row, fresh)
        deadline = yield from after(20)
        lost = ops.SendTo(sender, b"lost", receiver.local, deadline)
        losing = yield from each(ops.Spawn(failing(lost)) for _ in range(2))
        late = yield ops.Spawn(one(ops.SendTo(sender, b"late", receiver.local)))
        for task in losing:
            assert isinstance((yield ops.Join(task)), TimeoutError)
        assert (yield ops.Now()) >= deadline
        got = yield from each([ops.RecvFrom(receiver, 100)] * (count + 1))
        yield ops.Join(late)
        assert [data for data, _ in got] == [*(b"%d" % number for number in range(count)), b"late"]
        assert isinstance((yield from failing(ops.RecvFrom(receiver, 100, (yield from after(10))))), TimeoutError)

    subject.run(main())


@due(lambda row: row.ordered and not row.connected)
def check_close_ends_a_datagram_without_room(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        sender, receiver, _ = yield from _filling(row, fresh)
        sending = yield from each([ops.Spawn(failing(ops.SendTo(sender, b"x", receiver.local))) for _ in range(2)])
        yield from pause(3)
        assert not any(task.done for task in sending)
        yield ops.Close(sender)
        for task in sending:
            assert isinstance((yield ops.Join(task)), ConnectionAbortedError)

    subject.run(main())


@due(lambda row: row.ordered and row.address == "path")
def check_a_full_receiver_lets_its_senders_wait(subject: Subject, row: Transport, fresh: Fresh) -> None:
    """Nothing is lost where nothing can be, and nobody waits for ever."""
    messages = [b"%06d" % number * 200 for number in range(600)]

    def send(socket: ops.Socket, to: ops.Address) -> ops.Program:
        for message in messages:
            yield ops.Send(socket, message) if row.connected else ops.SendTo(socket, message, to)

    def receive(socket: ops.Socket) -> Generator[Any, Any, list[bytes]]:
        if not row.connected:
            return [data for data, _ in (yield from each([ops.RecvFrom(socket, 4096)] * len(messages)))]
        if row.bounded:
            return (yield from each([ops.Recv(socket, 4096)] * len(messages)))
        whole = yield from receive_exactly(socket, 1200 * len(messages))
        return [whole[at : at + 1200] for at in range(0, len(whole), 1200)]

    def main() -> ops.Program:
        if row.connected:
            sender, receiver, _ = yield from connected(row, fresh)
        else:
            sender, receiver = yield from each(ops.Bind(fresh()) for _ in range(2))
        sending = yield ops.Spawn(send(sender, receiver.local))
        yield from pause(5)
        assert not sending.done
        assert (yield from receive(receiver)) == messages
        yield ops.Join(sending)

    subject.run(main())


@due(lambda row: row.connected and row.address == "path")  # TCP's next attempt comes after a second
def check_a_full_backlog_lets_clients_wait(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(fresh(), 0, bounded=row.bounded)
        yield ops.Connect(listener.local, bounded=row.bounded)  # has the only place
        connecting = []
        for _ in range(2):
            connecting.append((yield ops.Spawn(one(ops.Connect(listener.local, bounded=row.bounded)))))
        deadline = yield from after(10)
        assert isinstance(
            (yield from failing(ops.Connect(listener.local, deadline, bounded=row.bounded))), TimeoutError
        )
        yield from each([ops.Accept(listener)] * 3)
        yield from each(ops.Join(task) for task in connecting)

    subject.run(main())


@due()
def check_close_ends_what_waits(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def ended(socket: ops.Socket, operation: Any) -> ops.Program:
        task = yield ops.Spawn(failing(operation))
        yield from pause(3)
        yield ops.Close(socket)
        assert isinstance((yield ops.Join(task)), ConnectionAbortedError)

    def main() -> ops.Program:
        if row.connected:
            _, server, listener = yield from connected(row, fresh)
            yield from ended(listener, ops.Accept(listener))
            yield from ended(server, ops.Recv(server, 1))
        else:
            bound = yield ops.Bind(fresh())
            yield from ended(bound, ops.RecvFrom(bound, 1))

    subject.run(main())


@due(lambda row: row.connected)
def check_nobody_there_is_said(subject: Subject, row: Transport, fresh: Fresh) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(fresh(), bounded=row.bounded)
        yield ops.Close(listener)
        error = yield from failing(ops.Connect(listener.local, bounded=row.bounded))
        assert isinstance(error, (ConnectionRefusedError, FileNotFoundError))
        again = yield ops.Listen(listener.local, bounded=row.bounded)
        assert isinstance((yield from failing(ops.Listen(again.local, bounded=row.bounded))), OSError)

    subject.run(main())
