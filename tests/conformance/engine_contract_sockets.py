"""The engines' contract: what comes over streams and datagrams."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from engine_contract import (
    ANY_PORT,
    Subject,
    after,
    each,
    failing,
    one,
    pair,
    pause,
    receive_all,
    receive_exactly,
    until,
)

from nodes import ops

MEGABYTE = 1 << 20
PATTERN = bytes(range(251)) * (4 * MEGABYTE // 251)
MORE_THAN_FITS = PATTERN * 3
"""A connection that nobody reads takes about as much as `tcp_wmem` and `tcp_rmem` allow: up to 4.2 MB on Linux."""


def check_a_connection_knows_its_ends(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, listener = yield from pair()
        assert listener.local[1] != 0
        assert listener.peer is None
        assert client.peer == server.local == listener.local
        assert server.peer == client.local

    subject.run(main())


def check_bytes_arrive_in_order(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        for number in range(100):
            yield ops.Send(client, b"%04d" % number)
        expected = b"".join(b"%04d" % number for number in range(100))
        assert (yield from receive_exactly(server, 400)) == expected

    subject.run(main())


def check_recv_gives_no_more_than_asked(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"abcdef")
        yield ops.Close(client)
        chunks: list[int] = []
        assert (yield from receive_all(server, 2, chunks)) == b"abcdef"
        assert max(chunks) <= 2

    subject.run(main())


def check_shutdown_ends_one_direction(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"request")
        yield ops.Shutdown(client)
        assert (yield from receive_all(server)) == b"request"
        assert (yield ops.Recv(server, 10)) == b"", "end of file stays"
        yield ops.Send(server, b"reply")
        yield ops.Close(server)
        assert (yield from receive_all(client)) == b"reply"

    subject.run(main())


def check_close_is_end_of_file_for_the_peer(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        reading = yield ops.Spawn(one(ops.Recv(client, 10)))
        yield from pause(5)
        yield ops.Close(server)
        yield ops.Close(server)
        assert (yield ops.Join(reading)) == b""

    subject.run(main())


def check_closing_with_unread_data_is_a_reset(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"two")
        assert (yield ops.Recv(server, 1)) == b"t"
        yield ops.Close(server)
        assert isinstance((yield from failing(ops.Recv(client, 10))), ConnectionResetError)

    subject.run(main())


def check_an_end_that_came_shows_before_anybody_receives_it(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        assert not (yield ops.HasEnded(client))
        yield ops.Send(server, b"last")
        yield ops.Close(server)
        yield from pause(5)
        assert not (yield ops.HasEnded(client)), "there is something to read"
        assert (yield ops.Recv(client, 10)) == b"last"
        assert (yield ops.HasEnded(client))
        assert (yield ops.Recv(client, 10)) == b"", "nobody took it"
        yield ops.Close(client)
        assert isinstance((yield from failing(ops.HasEnded(client))), ConnectionAbortedError)

    subject.run(main())


def check_a_reset_that_came_is_an_end(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"unread")
        yield from pause(5)
        yield ops.Close(server)
        yield from pause(5)
        assert (yield ops.HasEnded(client))

    subject.run(main())


def check_a_reset_ends_a_waiting_receive(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        reading = yield ops.Spawn(failing(ops.Recv(client, 10)))
        yield ops.Send(client, b"unread")
        yield from pause(5)
        yield ops.Close(server)
        assert isinstance((yield ops.Join(reading)), ConnectionResetError)

    subject.run(main())


def check_an_end_of_file_that_came_with_the_data(subject: Subject) -> None:
    """Both are one edge, which nothing repeats: not a receive that took less than it asked for."""

    def ended(server: ops.Socket, client: ops.Socket, size: int, waits: bool) -> ops.Program:
        data = b"data" * 25
        if waits:
            reading = yield ops.Spawn(one(ops.Recv(server, size)))
            yield from pause(2)
        yield ops.Send(client, data)
        yield ops.Shutdown(client)
        if not waits:
            yield from pause(2)
            reading = yield ops.Spawn(one(ops.Recv(server, size)))
        assert (yield ops.Join(reading)) == data
        assert (yield ops.Recv(server, size)) == b""
        assert (yield ops.Recv(server, size)) == b"", "end of file stays"

    def main() -> ops.Program:
        for waits in (True, False):
            for size in (100, 101, 4096):
                client, server, _ = yield from pair()
                yield from ended(server, client, size, waits)

    subject.run(main())


def check_what_a_receive_left_is_there_for_the_next(subject: Subject) -> None:
    """Nothing announces it again where an event is an edge, or a one-shot."""

    def main() -> ops.Program:
        client, server, _ = yield from pair()
        for _ in range(2):
            yield ops.Send(client, b"0123456789" * 1000)
            data = b""
            while len(data) < 10_000:
                data += yield ops.Recv(server, 3000)
                yield from pause(1)
            assert data == b"0123456789" * 1000

    subject.run(main())


def check_connections_that_come_at_once_are_all_accepted(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        accepting = yield ops.Spawn(one(ops.Accept(listener)))
        clients = yield from each(ops.Connect(listener.local) for _ in range(4))
        accepted = [(yield ops.Join(accepting))]
        yield from pause(2)
        accepted += yield from each([ops.Accept(listener)] * 3)
        assert {socket.peer for socket in accepted} == {client.local for client in clients}

    subject.run(main())


def check_no_more_connections_wait_than_the_backlog_has_room_for(subject: Subject) -> None:
    """Linux has room for one more."""

    def connecting(listener: ops.Socket) -> ops.Program:
        try:
            yield ops.Connect(listener.local, (yield from after(10_000)))
        except OSError:
            pass  # its listener has gone

    def main() -> ops.Program:
        for backlog in (1, 4):
            listener = yield ops.Listen(ANY_PORT, backlog)
            clients = yield from each(ops.Spawn(connecting(listener)) for _ in range(2 * backlog + 2))
            yield from until(lambda clients=clients, room=backlog: sum(client.done for client in clients) > room)
            yield from pause(2)
            assert sum(client.done for client in clients) == backlog + 1

    subject.run(main())


def check_a_connection_that_is_never_answered_has_a_deadline(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT, 0)
        while True:
            try:
                yield ops.Connect(listener.local, (yield from after(30)))
            except TimeoutError:
                return

    subject.run(main())


def check_sending_to_a_closed_peer_fails(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Close(server)
        while True:
            try:
                yield ops.Send(client, b"anybody?")
            except (BrokenPipeError, ConnectionResetError):
                return
            yield from pause(1)

    subject.run(main())


def check_connect_is_refused_where_nobody_listens(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        yield ops.Close(listener)
        for _ in range(3):
            error = yield from failing(ops.Connect(listener.local))
            assert isinstance(error, ConnectionRefusedError)
        again = yield ops.Listen(listener.local)
        assert again.local == listener.local

    subject.run(main())


def check_a_port_whose_connections_have_just_ended_can_be_had_again(subject: Subject) -> None:
    """SO_REUSEADDR: who closes first keeps a connection in TIME_WAIT (RFC 9293, 3.6)."""

    def main() -> ops.Program:
        client, server, listener = yield from pair()
        yield ops.Close(server)
        assert (yield ops.Recv(client, 1)) == b""
        yield ops.Close(client)
        yield ops.Close(listener)
        again = yield ops.Listen(listener.local)
        assert again.local == listener.local

    subject.run(main())


def check_an_address_in_use_is_an_error(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        assert isinstance((yield from failing(ops.Listen(listener.local))), OSError)
        bound = yield ops.Bind(ANY_PORT)
        assert isinstance((yield from failing(ops.Bind(bound.local))), OSError)

    subject.run(main())


def check_a_send_is_complete_however_slow_the_reader(subject: Subject) -> None:
    def write(socket: ops.Socket) -> ops.Program:
        yield ops.Send(socket, MORE_THAN_FITS)
        yield ops.Close(socket)

    def main() -> ops.Program:
        client, server, _ = yield from pair()
        writing = yield ops.Spawn(write(client))
        yield from pause(20)
        assert not writing.done, "nothing was read yet, and buffers are not that large"
        received = bytearray()
        while part := (yield ops.Recv(server, 262144)):
            received += part
            yield from pause(1)
        yield ops.Join(writing)
        assert received == MORE_THAN_FITS

    subject.run(main())


def check_send_takes_any_bytes_like_object(subject: Subject) -> None:
    def main() -> ops.Program:
        for data in (bytearray(MORE_THAN_FITS), memoryview(MORE_THAN_FITS), memoryview(MORE_THAN_FITS).cast("H")):
            client, server, _ = yield from pair()
            writing = yield ops.Spawn(one(ops.Send(client, data)))
            yield from pause(5)
            assert not writing.done
            received = bytearray()
            while len(received) < len(MORE_THAN_FITS):
                received += yield ops.Recv(server, 262144)
            yield ops.Join(writing)
            assert received == MORE_THAN_FITS

    subject.run(main())


def check_both_directions_at_once(subject: Subject) -> None:
    def write(socket: ops.Socket) -> ops.Program:
        yield ops.Send(socket, PATTERN)
        yield ops.Shutdown(socket)

    def main() -> ops.Program:
        client, server, _ = yield from pair()
        writers = []
        for socket in (client, server):
            writers.append((yield ops.Spawn(write(socket))))
        reading = yield ops.Spawn(receive_all(client))
        assert (yield from receive_all(server)) == PATTERN
        assert (yield ops.Join(reading)) == PATTERN
        for writer in writers:
            yield ops.Join(writer)

    subject.run(main())


def check_data_waits_until_somebody_receives(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        yield ops.Send(client, b"1")
        assert (yield ops.Recv(server, 1)) == b"1"
        yield ops.Send(client, b"2")
        yield from pause(20)
        assert (yield ops.Recv(server, 1)) == b"2"
        yield ops.Send(client, b"3")
        assert (yield ops.Recv(server, 1)) == b"3"

    subject.run(main())


def _echo(socket: ops.Socket) -> ops.Program:
    receive, send = ops.Recv(socket, 4096), ops.Send(socket, b"")
    while data := (yield receive):
        send.data = data
        yield send
    yield ops.Close(socket)


def _serve(listener: ops.Socket) -> ops.Program:
    accept = ops.Accept(listener)
    while True:
        connection = yield accept
        yield ops.Spawn(_echo(connection), "connection", connection=connection)


def _chat(address: ops.Address, number: int) -> Generator[Any, Any, int]:
    socket = yield ops.Connect(address)
    for turn in range(5):
        text = b"%d %d" % (number, turn)
        yield ops.Send(socket, text)
        assert (yield from receive_exactly(socket, len(text))) == text
    yield ops.Close(socket)
    return number


def check_many_connections_are_kept_apart(subject: Subject) -> None:
    def main() -> ops.Program:
        listener = yield ops.Listen(ANY_PORT)
        yield ops.Spawn(_serve(listener))
        tasks = []
        for number in range(60):
            tasks.append((yield ops.Spawn(_chat(listener.local, number))))
        assert (yield from each(ops.Join(task) for task in tasks)) == list(range(60))

    subject.run(main())


def check_datagrams_keep_their_boundaries(subject: Subject) -> None:
    def main() -> ops.Program:
        left = yield ops.Bind(ANY_PORT)
        right = yield ops.Bind(ANY_PORT)
        for text in (b"one", b"", b"three", b"cut short"):
            yield ops.SendTo(left, text, right.local)
        got = yield from each(ops.RecvFrom(right, size) for size in (100, 100, 100, 3))
        assert got == [(text, left.local) for text in (b"one", b"", b"three", b"cut")]
        yield ops.SendTo(right, b"back", left.local)
        assert (yield ops.RecvFrom(left, 100)) == (b"back", right.local)

    subject.run(main())


def check_several_programs_send_datagrams_on_one_socket(subject: Subject) -> None:
    def send(socket: ops.Socket, to: ops.Address, number: int) -> ops.Program:
        for turn in range(20):
            yield ops.SendTo(socket, b"%d %d" % (number, turn), to)

    def main() -> ops.Program:
        left, right = yield from each(ops.Bind(ANY_PORT) for _ in range(2))
        tasks = yield from each(ops.Spawn(send(left, right.local, number)) for number in range(4))
        yield from each(ops.Join(task) for task in tasks)
        got = yield from each([ops.RecvFrom(right, 100)] * 80)
        for number in range(4):
            mine = [data for data, _ in got if data.startswith(b"%d " % number)]
            assert mine == [b"%d %d" % (number, turn) for turn in range(20)]

    subject.run(main())


def check_who_asks_for_nothing_takes_nothing_of_a_stream(subject: Subject) -> None:
    def main() -> ops.Program:
        client, server, _ = yield from pair()
        try:
            assert (yield ops.Recv(server, 0, (yield from after(20)))) == b""
        except TimeoutError:  # it may wait for data, and must not for ever
            pass
        yield ops.Send(client, b"data")
        assert (yield ops.Recv(server, 0)) == b""
        assert (yield ops.Recv(server, 10)) == b"data"

    subject.run(main())


def check_a_port_that_is_none_is_refused(subject: Subject) -> None:
    def main() -> ops.Program:
        nowhere = ANY_PORT._replace(port=70_000)
        bound = yield ops.Bind(ANY_PORT)
        attempts = ops.Listen(nowhere), ops.Bind(nowhere), ops.Connect(nowhere), ops.SendTo(bound, b"x", nowhere)
        for attempt in attempts:
            assert isinstance((yield from failing(attempt)), OverflowError), attempt

    subject.run(main())


def check_a_datagram_to_nobody_is_lost_silently(subject: Subject) -> None:
    def main() -> ops.Program:
        gone = yield ops.Bind(ANY_PORT)
        yield ops.Close(gone)
        left = yield ops.Bind(ANY_PORT)
        for _ in range(3):
            yield ops.SendTo(left, b"?", gone.local)
        error = yield from failing(ops.RecvFrom(left, 100, (yield from after(10))))
        assert isinstance(error, TimeoutError)

    subject.run(main())


CHECKS = {name: check for name, check in dict(globals()).items() if name.startswith("check_")}
