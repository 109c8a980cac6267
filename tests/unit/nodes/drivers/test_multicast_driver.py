"""A client that sends to a group: one datagram for all deliveries of a message, and a reply to each of them."""

from __future__ import annotations

from sim_programs import pause, world
from witnessing import Witnessing

from nodes import ops
from nodes.drivers import Operation
from nodes.drivers.multicast import MulticastDriver
from nodes.reports import Reports
from nodes.rpc.calls import End, Outcome, Session
from nodes.rpc.retry import maybe
from nodes.services.echo import ECHO
from nodes.sockets.codec import SocketCodec
from nodes.wire.addresses import Group, IPv4
from nodes.wire.record import Kind

CLIENT = 10101
GROUP = Group("239.192.0.1", 9, "127.0.0.1")
PATIENCE = 50


class Sending(Witnessing):
    """One process that begins operations of a message to three members, in that order of their programs."""

    def __init__(self, *begun: int) -> None:
        super().__init__()
        self.received: list[bytes] = []
        self.recorded: list[int] = []
        """How many sends were on record as each datagram arrived."""
        self.outcomes: dict[int, Outcome] = {}
        with world() as made:
            made.host("member").spawn(self._receive())
            made.host("client").spawn(self._send(begun))
            made.run(pause(4 * PATIENCE), made.host("main"))

    def _receive(self) -> ops.Program:
        """A member that echoes for all three of them, but for the second's delivery of the second message."""
        socket = yield ops.Bind(GROUP)
        while True:
            data, address = yield ops.RecvFrom(socket, 100)
            self.received.append(data)
            self.recorded.append(len(self.of(Kind.SEND)))
            client, number, value = data.split()
            for seq in range(int(number), int(number) + 3):
                if seq != 5:
                    yield ops.SendTo(socket, b"%s %d %s" % (client, seq, value), address)

    def _send(self, begun: tuple[int, ...]) -> ops.Program:
        session, reports = Session(CLIENT, "maybe", introduces=False), Reports(ops.Queue(), [])
        target, retry = IPv4(GROUP.host, GROUP.port), maybe(PATIENCE)
        driver = MulticastDriver(
            3, session, ECHO, SocketCodec("datagrams", ECHO), "multicast", target, "client", retry, self, reports, 1
        )
        yield from driver.open()
        tasks = []
        for seq in begun:
            operation = Operation(seq, 1_000_000 + seq, "echo", b"%d" % ((seq - 1) // 3))
            driver.begin(operation)
            tasks.append((seq, (yield ops.Spawn(driver.invoke(operation)))))
        for seq, task in tasks:
            self.outcomes[seq] = yield ops.Join(task)
        yield from driver.close()

    @property
    def sent(self) -> list[int]:
        return [noted.seq for noted in self.of(Kind.SEND)]


def test_one_datagram_goes_when_all_deliveries_are_on_record_whatever_order_their_programs_run_in() -> None:
    sending = Sending(2, 3, 1)
    assert sending.received == [b"10101 1 30"]
    assert sending.recorded == [3]
    assert sending.sent == [1, 2, 3]
    assert sending.outcomes == {seq: Outcome(End.OK, b"0") for seq in (1, 2, 3)}
    passed = [(name, seq) for name, _, seq, _ in sending.passages if name.endswith("-send")]
    assert passed == [(name, seq) for name in ("before-send", "after-send") for seq in (1, 2, 3)]


def test_a_delivery_without_an_echo_is_unknown_and_the_others_are_not() -> None:
    sending = Sending(1, 2, 3, 4, 5, 6)
    assert sorted(sending.received) == [b"10101 1 30", b"10101 4 31"]
    assert {seq: outcome.end for seq, outcome in sending.outcomes.items()} == {
        seq: End.INFO if seq == 5 else End.OK for seq in range(1, 7)
    }


def test_two_messages_whose_deliveries_come_mixed_each_go_once() -> None:
    sending = Sending(1, 4, 6, 2, 5, 3)
    assert sorted(sending.received) == [b"10101 1 30", b"10101 4 31"]
    assert sending.sent in ([1, 2, 3, 4, 5, 6], [4, 5, 6, 1, 2, 3]), "nothing goes between those of one message"


def test_what_is_not_complete_is_never_sent_and_known_not_to_be() -> None:
    sending = Sending(1, 3)
    assert (sending.received, sending.sent) == ([], [])
    assert sending.outcomes == {seq: Outcome(End.FAIL, "no reply") for seq in (1, 3)}
