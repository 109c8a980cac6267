"""Messages of sockets: their boundaries, losses, repeats and inversions, each convicted by its own checker alone."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import client_number, intent_number
from nodes.wire.record import Kind
from orchestrator.checkers.checker import asked
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.views import View, Views
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Cell, SocketLink

NAMES = ("boundaries", "delivered", "unrepeated", "fifo")
OTHER = client_number(1, 2, 1)


def sockets(protocol: str = "lines", transport: str = "tcp") -> Cell:
    link = SocketLink.model_validate({"from": "client", "to": "server", "protocol": protocol, "transport": transport})
    return cell("maybe", service="echo", workload="echo").model_copy(update={"links": (link,)})


class Exchange(Run):
    """Messages by their numbers: each is sent, taken, echoed and taken back."""

    def __init__(self) -> None:
        super().__init__("echo")

    def sent(self, *numbers: int, client: int = CLIENT, connection: int = 1) -> Exchange:
        for number in numbers:
            self.invoke(number, client).send(number, 1, client, connection, 0)
        return self

    def taken(self, *numbers: int, reads: tuple[int, int] | None = None, value: object = 1) -> Exchange:
        for number in numbers:
            told = {} if reads is None else {"reads": list(reads)}
            said = {"connection": 1, "first": 0, "server": 0, "link": "client -> server", **told}
            self.server(Kind.RECEIVE, number, 1, CLIENT, **said)
            intent = intent_number(1, 1, number)
            self.server(Kind.EXECUTE, number, 1, CLIENT, intent=intent, f="echo", value=value)
            self.answer(number, value=value)
        return self

    def back(self, *numbers: int, value: object = 1) -> Exchange:
        for number in numbers:
            self.reply(number, value=value).ok(number, value)
        return self

    def broken(self, node: str = "server") -> Exchange:
        said = {"reason": "no message", "size": 3, "connection": 1}
        if node == "server":
            self.note("server", 1, Kind.BROKEN, **said)
        else:
            self.note("client", 1, Kind.BROKEN, CLIENT, **said)
        return self


def judged(run: Run, of: Cell | None = None) -> dict[str, Finding]:
    setting = Views(of or sockets(), Index(run.history()))
    return {name: CHECKERS[name].check(setting) for name in NAMES}


def convicting(run: Run, of: Cell | None = None) -> dict[str, list[int]]:
    """By checker the numbers of the messages that it finds against."""
    found = judged(run, of).items()
    return {name: [seq for (_, seq), _ in one.violations] for name, one in found if one.violations}


def test_they_are_asked_of_sockets_alone() -> None:
    history = Index(Exchange().sent(1).taken(1).back(1).history())
    for name in NAMES:
        assert View.MESSAGES in CHECKERS[name].needs
        assert asked(CHECKERS[name], Views(sockets(), history))
        assert not asked(CHECKERS[name], Views(cell("maybe", service="echo", workload="echo"), history))


def test_of_messages_one_after_another_boundaries_and_order_are_not_tried() -> None:
    found = judged(Exchange().sent(1).taken(1, reads=(1, 1)).back(1).sent(2).taken(2, reads=(2, 2)).back(2))
    assert not any(one.violations for one in found.values())
    assert {name: one.exercised for name, one in found.items()} == {
        "boundaries": False,
        "delivered": True,
        "unrepeated": True,
        "fifo": False,
    }


def test_parts_and_messages_that_share_a_read_try_boundaries() -> None:
    found = judged(Exchange().sent(1, 2, 3).taken(1, reads=(1, 2)).taken(2, 3, reads=(2, 2)).back(1, 2, 3))
    assert found["boundaries"] == Finding("boundaries", (), {"split": 1, "joined": 3, "bounded": 0})
    assert found["fifo"] == Finding("fifo", (), {"together": 4})


def test_a_read_of_another_connection_is_another_one() -> None:
    run = Exchange().sent(1).taken(1, reads=(1, 1)).back(1).sent(2)
    run.server(Kind.RECEIVE, 2, 1, CLIENT, connection=2, first=0, server=0, link="client -> server", reads=[1, 1])
    assert judged(run)["boundaries"].counts["joined"] == 0


def test_over_datagrams_every_message_tries_boundaries() -> None:
    found = judged(Exchange().sent(1, 2).taken(1, 2).back(1, 2), sockets("datagrams", "udp"))
    assert found["boundaries"] == Finding("boundaries", (), {"split": 0, "joined": 0, "bounded": 2})


def test_another_value_misses_a_boundary() -> None:
    assert convicting(Exchange().sent(1, 2).taken(1, value=2).taken(2).back(1, value=2).back(2)) == {
        "boundaries": [1, 1]
    }
    assert convicting(Exchange().sent(1, 2).taken(1, 2).back(1, value=2).back(2)) == {"boundaries": [1]}


@pytest.mark.parametrize("direction", ["request", "reply"])
def test_what_a_fault_altered_is_not_compared(direction: str) -> None:
    run = Exchange().sent(1).decide(direction, 1, act="corrupt", rule=0)
    assert isinstance(run, Exchange)
    value = 2 if direction == "request" else 1
    assert convicting(run.taken(1, value=value).back(1, value=2)) == {}


def test_what_is_no_message_is_the_next_one_that_was_due() -> None:
    run = Exchange().sent(1, 2, 3).taken(1).broken()
    assert convicting(run.back(1))["boundaries"] == [2]
    run = Exchange().sent(1, 2).taken(1, 2).back(1).broken("client")
    assert convicting(run)["boundaries"] == [2]
    assert convicting(Exchange().sent(1).taken(1).back(1).broken()) == {}, "nothing was due"


def test_behind_a_fault_that_alters_bytes_no_boundary_was_missed() -> None:
    run = Exchange().sent(1, 2).decide("request", 1, act="corrupt", rule=0)
    assert isinstance(run, Exchange)
    assert "boundaries" not in convicting(run.broken().taken(2).back(2))


def test_over_datagrams_one_that_is_none_is_lost() -> None:
    run = Exchange().sent(1, 2).broken().taken(2).back(2)
    assert convicting(run, sockets("datagrams", "udp")) == {"delivered": [1]}


def test_a_loss_is_no_repeat_and_no_inversion() -> None:
    assert convicting(Exchange().sent(1, 2, 3).taken(1, 3).back(1, 3)) == {"delivered": [2]}
    assert convicting(Exchange().sent(1, 2, 3).taken(1, 2, 3).back(1, 3)) == {"delivered": [2]}


def test_a_repeat_is_no_loss_and_no_inversion() -> None:
    run = Exchange().sent(1, 2).taken(1, 2, 1).back(1, 2)
    run.reply(1, value=1)
    assert convicting(run) == {"unrepeated": [1]}
    run = Exchange().sent(1, 2).taken(1, 2)
    run.answer(1, value=1)
    assert convicting(run.back(1, 2)) == {"unrepeated": [1]}
    run = Exchange().sent(1, 2).taken(1, 2).back(1, 2)
    run.reply(1, value=1)
    assert convicting(run) == {"unrepeated": [1]}


def test_of_copies_each_has_an_echo_that_is_due() -> None:
    assert convicting(Exchange().sent(1).taken(1, 1).back(1)) == {"delivered": [1], "unrepeated": [1]}


def test_an_inversion_is_no_loss_and_no_repeat() -> None:
    assert convicting(Exchange().sent(1, 2, 3).taken(2, 1, 3).back(2, 1, 3)) == {"fifo": [1]}
    assert convicting(Exchange().sent(1, 2, 3).taken(1, 2, 3).back(2, 3, 1)) == {"fifo": [1]}
    assert convicting(Exchange().sent(1, 2, 3).taken(3, 1, 2).back(3, 1, 2))["fifo"] == [2, 1]


def test_echoes_are_in_order_of_what_they_echo() -> None:
    """Whoever overtook on the way there is not convicted again on the way back."""
    assert convicting(Exchange().sent(1, 2).taken(2, 1).back(2, 1)) == {"fifo": [1]}
    assert convicting(Exchange().sent(1, 2).taken(2, 1).back(1, 2)) == {"fifo": [1, 2]}


def test_what_is_sent_over_another_connection_is_in_no_order_with_it() -> None:
    assert convicting(Exchange().sent(1).sent(2, connection=2).taken(2, 1).back(2, 1)) == {}
