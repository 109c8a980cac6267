"""Agreement of a group's members: who misses what another one took, and nobody where all missed it."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import client_number, intent_number
from nodes.wire.record import Kind
from orchestrator.checkers.checker import asked
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Cell, Server, SocketLink

MEMBERS = ("left", "middle", "right")
AGREEMENT = CHECKERS["agreement"]


def group(*members: str, transport: str = "multicast") -> Cell:
    links = tuple(
        SocketLink.model_validate({"from": "client", "to": name, "protocol": "datagrams", "transport": transport})
        for name in members
    )
    made = cell("maybe", service="echo", workload="echo", calls=9, clients=2)
    nodes = {**dict.fromkeys(members, Server(service="echo")), "client": made.nodes["client"]}
    return made.model_copy(update={"links": links, "nodes": nodes})


class Deliveries(Run):
    """Messages, from 1, each sent to all members."""

    def __init__(self) -> None:
        super().__init__("echo")

    def sent(self, *messages: int, client: int = CLIENT) -> Deliveries:
        for message in messages:
            for seq in range(3 * message - 2, 3 * message + 1):
                self.invoke(seq, client).send(seq, 1, client, 1, 0)
        return self

    def taken(self, message: int, *members: str, executed: bool = True, client: int = CLIENT) -> Deliveries:
        for member in members:
            seq = 3 * message - 2 + MEMBERS.index(member)
            said = {"connection": 0, "first": 0, "server": 0, "link": f"client -> {member}"}
            self.note(member, 1, Kind.RECEIVE, client, seq, 1, **said)
            if executed:
                intent = intent_number(1, client // 100 % 100, seq)
                self.note(member, 1, Kind.EXECUTE, client, seq, 1, intent=intent, f="echo", value=1)
        return self


def judged(run: Run, of: Cell | None = None) -> Finding:
    return AGREEMENT.check(Views(of or group(*MEMBERS), Index(run.history())))


def missed(run: Run) -> list[tuple[int, int]]:
    return [violation.operation for violation in judged(run).violations]


def test_it_is_asked_of_groups_alone() -> None:
    history = Index(Deliveries().sent(1).history())
    assert asked(AGREEMENT, Views(group(*MEMBERS), history))
    assert not asked(AGREEMENT, Views(group("left"), history)), "one member agrees with itself"
    assert not asked(AGREEMENT, Views(group(*MEMBERS, transport="udp"), history))


def test_what_all_members_took_or_none_did_they_agree_on() -> None:
    found = judged(Deliveries().sent(1, 2).taken(1, *MEMBERS))
    assert found == Finding("agreement", (), {"messages": 2})


@pytest.mark.parametrize("executed", [False, None])
def test_who_misses_what_others_took_or_leaves_it_disagrees(executed: bool | None) -> None:
    run = Deliveries().sent(1, 2).taken(1, *MEMBERS).taken(2, "left", "right")
    if executed is False:
        run.taken(2, "middle", executed=False)
    (violation,) = judged(run).violations
    assert violation == ((CLIENT, 5), "middle never took what left and right took")


def test_each_of_those_that_miss_it_is_told() -> None:
    assert missed(Deliveries().sent(1).taken(1, "right")) == [(CLIENT, 1), (CLIENT, 2)]


def test_messages_of_several_clients_are_told_apart() -> None:
    other = client_number(1, 2, 1)
    run = Deliveries().sent(1).sent(1, client=other).taken(1, *MEMBERS).taken(1, "left", "middle", client=other)
    assert missed(run) == [(other, 3)]


def test_what_was_not_sent_is_no_message() -> None:
    run = Deliveries()
    run.invoke(1)
    assert judged(run).counts == {"messages": 0}
