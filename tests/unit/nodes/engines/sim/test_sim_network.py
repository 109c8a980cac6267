"""What programs see of the simulated network: the rules of nodes/engines/sim/stream.py and udp(7)."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sim_programs import MILLISECOND, PORT, accept_one, connect, error_of, idle, pause, world

from nodes import ops
from nodes.engines.sim import World
from nodes.wire.addresses import Group, IPv4


def against(made: World, peer: Any, main: ops.Program) -> Any:
    """Run `main` on a host "client" while "server" accepts one connection and does `peer` with it."""
    made.host("server").spawn(accept_one(peer))
    return made.run(main, made.host("client"))


def close(socket: ops.Socket) -> ops.Program:
    yield ops.Close(socket)


def refusal(host: str) -> ops.Program:
    return (yield from error_of(ops.Connect(IPv4(host, PORT))))


def test_connecting_where_nobody_listens_is_refused() -> None:
    with world() as made:
        made.host("server")
        assert made.run(refusal("server"), made.host("client")) is ConnectionRefusedError
        assert made.now >= 40_000  # there and back


def test_an_unknown_host_is_unreachable() -> None:
    def main() -> ops.Program:
        with pytest.raises(OSError) as caught:
            yield ops.Connect(IPv4("nowhere", 1))
        return caught.value.errno

    with world() as made:
        assert made.run(main(), made.host("client")) == errno.EHOSTUNREACH


def test_addresses_are_those_of_the_hosts() -> None:
    def main() -> ops.Program:
        socket = yield from connect("server")
        return socket.local[0], socket.peer

    with world() as made:
        assert against(made, idle, main()) == ("client", IPv4("server", PORT))


@pytest.mark.parametrize("make", [ops.Listen, ops.Bind])
def test_ports_are_exclusive_and_free_after_close(make: Any) -> None:
    def main() -> ops.Program:
        first = yield make(("127.0.0.1", 5))
        with pytest.raises(OSError) as caught:
            yield make(("localhost", 5))
        yield ops.Close(first)
        yield ops.Close((yield make(("host", 5))))
        with pytest.raises(OSError) as foreign:
            yield make(("elsewhere", 5))
        return caught.value.errno, foreign.value.errno

    with world() as made:
        assert made.run(main(), made.host("host")) == (errno.EADDRINUSE, errno.EADDRNOTAVAIL)


def test_what_is_sent_to_a_group_each_member_gets_from_its_sender() -> None:
    """Also two on one host; who has left gets nothing, and at the group's port nobody is called as a host."""
    group = Group("239.192.0.1", 9, "127.0.0.1")

    def main() -> ops.Program:
        members = [(yield ops.Bind(group)), (yield ops.Bind(group)), (yield ops.Bind(group))]
        yield ops.Close(members[1])
        sender = yield ops.Bind(("127.0.0.1", 5))
        yield ops.SendTo(sender, b"all", IPv4(group.host, group.port))
        yield ops.SendTo(sender, b"nobody", IPv4("host", group.port))
        for number in (0, 2):
            assert members[number].local == IPv4(group.host, group.port)
            assert (yield ops.RecvFrom(members[number], 10)) == (b"all", IPv4("host", 5))
        yield ops.SendTo(members[0], b"back", sender.local)
        got = yield ops.RecvFrom(sender, 10)
        with pytest.raises(TimeoutError):
            yield ops.RecvFrom(members[2], 10, (yield ops.Now()) + MILLISECOND)
        return got

    with world() as made:
        assert made.run(main(), made.host("host")) == (b"back", IPv4("host", group.port))


def test_a_full_backlog_delays_a_connection_until_one_is_accepted() -> None:
    def server() -> ops.Program:
        listener = yield ops.Listen(IPv4("127.0.0.1", PORT), 0)
        yield from pause(500)
        while True:
            yield ops.Accept(listener)

    def main() -> ops.Program:
        yield from connect("server")
        return (yield ops.Now()), (yield from second())

    def second() -> ops.Program:
        yield ops.Connect(IPv4("server", PORT))
        return (yield ops.Now())

    with world() as made:
        made.host("server").spawn(server())
        made.run(pause(1), made.host("client"))
        first, then = made.run(main(), made.host("client"))
        assert first < 10 * MILLISECOND
        assert then > 1000 * MILLISECOND


def test_end_of_file_after_close_and_data_before_it() -> None:
    def peer(socket: ops.Socket) -> ops.Program:
        yield ops.Send(socket, b"last")
        yield ops.Close(socket)

    def main() -> ops.Program:
        socket = yield from connect("server")
        return (yield ops.Recv(socket, 10)), (yield ops.Recv(socket, 10)), (yield ops.Recv(socket, 10))

    with world() as made:
        assert against(made, peer, main()) == (b"last", b"", b"")


def test_shutdown_ends_one_direction() -> None:
    def peer(socket: ops.Socket) -> ops.Program:
        assert (yield ops.Recv(socket, 10)) == b""
        yield ops.Send(socket, b"still")
        yield ops.Close(socket)

    def main() -> ops.Program:
        socket = yield from connect("server")
        yield ops.Shutdown(socket)
        failed = yield from error_of(ops.Send(socket, b"x"))
        return failed, (yield ops.Recv(socket, 10)), (yield ops.Recv(socket, 10))

    with world() as made:
        assert against(made, peer, main()) == (BrokenPipeError, b"still", b"")


def test_closing_with_unread_data_resets_and_what_came_before_can_be_read() -> None:
    def peer(socket: ops.Socket) -> ops.Program:
        yield from pause(1)
        yield ops.Send(socket, b"before")
        yield ops.Close(socket)

    def main() -> ops.Program:
        socket = yield from connect("server")
        yield ops.Send(socket, b"unread")
        yield from pause(5)
        first = yield ops.Recv(socket, 10)
        failed = yield from error_of(ops.Recv(socket, 10))
        return first, failed, (yield ops.Recv(socket, 10)), (yield from error_of(ops.Send(socket, b"x")))

    with world() as made:
        assert against(made, peer, main()) == (b"before", ConnectionResetError, b"", BrokenPipeError)


def test_a_reset_ends_a_receive_that_waits() -> None:
    def peer(socket: ops.Socket) -> ops.Program:
        yield from pause(1)
        yield ops.Close(socket)

    def main() -> ops.Program:
        socket = yield from connect("server")
        yield ops.Send(socket, b"unread")
        return (yield from error_of(ops.Recv(socket, 10)))

    with world() as made:
        assert against(made, peer, main()) is ConnectionResetError


def test_sending_to_a_closed_peer_breaks_after_its_reset() -> None:
    def main() -> ops.Program:
        socket = yield from connect("server")
        assert (yield ops.Recv(socket, 10)) == b""
        first = yield from error_of(ops.Send(socket, b"x"))
        yield from pause(1)
        return first, (yield from error_of(ops.Send(socket, b"x")))

    with world() as made:
        assert against(made, close, main()) == (None, BrokenPipeError)


@pytest.mark.parametrize("seed", range(5))
def test_a_send_waits_while_nobody_reads(seed: int) -> None:
    def peer(socket: ops.Socket) -> ops.Program:
        yield from pause(1000)
        received = 0
        while data := (yield ops.Recv(socket, 5_000)):
            received += len(data)
        yield ops.Get(done)
        return received

    done = ops.Queue()

    def main() -> ops.Program:
        socket = yield from connect("server")
        yield ops.Send(socket, bytes(100_000))
        early = yield ops.Now()
        failed = yield from error_of(ops.Send(socket, b"x", early))
        yield ops.Send(socket, bytes(1))
        yield ops.Close(socket)
        return early, failed, (yield ops.Now())

    with world(seed, buffer=100_000) as made:
        early, failed, late = against(made, peer, main())
        assert early < 10 * MILLISECOND
        assert failed is TimeoutError
        assert late > 1000 * MILLISECOND


def test_a_large_send_arrives_whole_through_a_small_buffer() -> None:
    payload = bytes(range(256)) * 4096

    def peer(socket: ops.Socket) -> ops.Program:
        yield ops.Send(socket, payload)
        yield ops.Close(socket)

    def main() -> ops.Program:
        socket = yield from connect("server")
        parts = []
        while data := (yield ops.Recv(socket, 3_000)):
            assert len(data) <= 3_000
            parts.append(data)
        return b"".join(parts)

    with world(buffer=10_000, split=0.5) as made:
        assert against(made, peer, main()) == payload


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=300), max_size=20), st.integers(1, 100), st.integers(0, 1000))
def test_a_stream_keeps_order_whatever_its_pieces(sent: list[bytes], size: int, seed: int) -> None:
    def peer(socket: ops.Socket) -> ops.Program:
        for data in sent:
            yield ops.Send(socket, data)
        yield ops.Close(socket)

    def main() -> ops.Program:
        socket = yield from connect("server")
        received = b""
        while data := (yield ops.Recv(socket, size)):
            received += data
        return received

    with world(seed, split=0.7, buffer=200, segment=50) as made:
        assert against(made, peer, main()) == b"".join(sent)


def test_closing_wakes_what_waits_on_the_socket() -> None:
    def main() -> ops.Program:
        socket = yield from connect("server")
        listener = yield ops.Listen(IPv4("127.0.0.1", 0))
        datagrams = yield ops.Bind(IPv4("127.0.0.1", 0))
        waiting = []
        for operation in (ops.Recv(socket, 1), ops.Send(socket, bytes(9)), ops.Accept(listener)):
            waiting.append((yield ops.Spawn(error_of(operation))))
        waiting.append((yield ops.Spawn(error_of(ops.RecvFrom(datagrams, 1)))))
        yield from pause(1)
        for closing in (socket, listener, datagrams):
            yield ops.Close(closing)
        errors = []
        for task in waiting:
            errors.append((yield ops.Join(task)))
        return [*errors, (yield from error_of(ops.Recv(socket, 1)))]

    with world(buffer=5) as made:
        assert against(made, idle, main()) == [ConnectionAbortedError] * 5


def test_two_receives_on_one_socket_are_an_error() -> None:
    def main() -> ops.Program:
        socket = yield from connect("server")
        yield ops.Spawn(error_of(ops.Recv(socket, 1)))
        yield from pause(1)
        return (yield from error_of(ops.Recv(socket, 1)))

    with world() as made:
        assert against(made, idle, main()) is RuntimeError


def test_a_connect_that_timed_out_leaves_a_reset_behind() -> None:
    seen = ops.Queue()

    def server() -> ops.Program:
        listener = yield ops.Listen(IPv4("127.0.0.1", PORT))
        socket = yield ops.Accept(listener)
        made.put(seen, (yield from error_of(ops.Recv(socket, 1))))

    def main() -> ops.Program:
        yield from pause(1)
        failed = yield from error_of(ops.Connect(IPv4("server", PORT), (yield ops.Now()) + 60_000))
        return failed, (yield ops.Get(seen))

    with world(latency=(40_000, 40_001)) as made:
        made.host("server").spawn(server())
        assert made.run(main(), made.host("client")) == (TimeoutError, ConnectionResetError)


def test_datagrams_keep_order_between_two_sockets_and_are_cut() -> None:
    def main() -> ops.Program:
        server = yield ops.Bind(IPv4("127.0.0.1", PORT))
        client = yield ops.Bind(IPv4("127.0.0.1", 0))
        for number in range(50):
            yield ops.SendTo(client, b"%02d-tail" % number, server.local)
        received = []
        for _ in range(50):
            data, source = yield ops.RecvFrom(server, 2)
            assert source == client.local
            received.append(int(data))
        return received

    with world() as made:
        assert made.run(main(), made.host("host")) == list(range(50))


def test_a_datagram_to_a_closed_port_is_lost_and_a_huge_one_refused() -> None:
    def main() -> ops.Program:
        socket = yield ops.Bind(IPv4("127.0.0.1", 0))
        yield ops.SendTo(socket, b"x", IPv4("other", 9))
        with pytest.raises(OSError) as caught:
            yield ops.SendTo(socket, bytes(70_000), IPv4("other", 9))
        deadline = (yield ops.Now()) + MILLISECOND
        return caught.value.errno, (yield from error_of(ops.RecvFrom(socket, 1, deadline)))

    with world() as made:
        made.host("other")
        assert made.run(main(), made.host("host")) == (errno.EMSGSIZE, TimeoutError)
