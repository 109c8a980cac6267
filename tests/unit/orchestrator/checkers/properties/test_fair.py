"""No connection waits while one other has its turn again and again, by the server's journal."""

from __future__ import annotations

import pytest
from history_builder import CLIENT, Run, cell

from nodes.wire.header import client_number
from nodes.wire.record import Kind
from orchestrator.checkers.checker import finding
from orchestrator.checkers.finding import Finding
from orchestrator.checkers.properties import CHECKERS
from orchestrator.checkers.properties.fair import ASTRAY, LONG, MANY
from orchestrator.checkers.views import Views
from orchestrator.history.clocks import Clock
from orchestrator.history.index import Index
from orchestrator.scenario.cell import Cell, Expect, SocketLink

NOISY = client_number(9, 1, 1)
"""Nobody of the plan's."""
EACH = 2 * LONG / MANY / 1_000_000
"""Milliseconds between two messages of somebody who is noisy."""


def sockets(via: str = "direct", transport: str = "tcp", **expect: str) -> Cell:
    said = {"from": "client", "to": "server", "protocol": "lines", "transport": transport, "via": via}
    asked = Expect(**(expect or {"fair": "holds"}))  # type: ignore[arg-type]
    made = cell("maybe", service="echo", workload="echo", expect=asked)
    return made.model_copy(update={"links": (SocketLink.model_validate(said),)})


class Crowd(Run):
    """A client on connection 1, and somebody noisy on another one."""

    def __init__(self) -> None:
        super().__init__("echo")
        self.phase("load")

    def noise(self, messages: int, connection: int = 2, each: float = EACH, broken: bool = False) -> Crowd:
        for _ in range(messages):
            self.wait(each)
            if broken:
                self.note("server", 1, Kind.BROKEN, reason="no message", size=3, connection=connection)
            else:
                self.came(1, connection, NOISY)
        return self

    def came(self, seq: int, connection: int = 1, client: int = CLIENT) -> Crowd:
        said = {"connection": connection, "first": 0, "server": 0, "link": "client -> server"}
        self.server(Kind.RECEIVE, seq, 1, client, **said)
        return self

    def sent(self, seq: int) -> Crowd:
        self.invoke(seq).send(seq, first=0)
        return self

    def back(self, seq: int) -> Crowd:
        self.answer(seq, value=1, connection=1).reply(seq, value=1).ok(seq, 1)
        return self


def judged(run: Run, of: Cell | None = None) -> Finding:
    return finding(CHECKERS["fair"], Views(of or sockets(), Index(run.history())))


def convicted(run: Run, of: Cell | None = None) -> list[int]:
    return [seq for (_, seq), _ in judged(run, of).violations]


@pytest.mark.parametrize("broken", [False, True])
def test_who_is_passed_over_again_and_again_shows_it(broken: bool) -> None:
    found = judged(Crowd().noise(9).sent(1).noise(MANY + 5, broken=broken).came(1).back(1))
    ((operation, reason),) = found.violations
    assert operation == (CLIENT, 1)
    assert reason.endswith(f", and meanwhile {MANY + 5} messages of its connection 2 in a row")


def test_who_has_its_turn_between_the_others_messages_tries_the_server() -> None:
    run = Crowd().noise(9)
    for seq in range(1, 11):
        run.sent(seq).noise(64).came(seq).back(seq).noise(MANY // 5)
    found = judged(run)
    assert (found.violations, found.counts["tried"] > 3) == ((), True)


def test_without_noise_nothing_is_tried() -> None:
    run = Crowd()
    for seq in range(1, 5):
        run.sent(seq).noise(100).came(seq).back(seq)
    assert judged(run).counts == {"tried": 0}


def test_a_quick_server_may_receive_many_while_a_client_gets_no_cpu() -> None:
    assert convicted(Crowd().sent(1).noise(5 * MANY, each=0.01).came(1).back(1)) == []


def test_a_slow_server_may_receive_few_for_long() -> None:
    assert convicted(Crowd().sent(1).noise(MANY // 10, each=50).came(1).back(1)) == []


def test_a_third_one_in_between_had_its_turn() -> None:
    run = Crowd().sent(1).noise(MANY - 9).came(1, 3, NOISY + 100).noise(MANY - 9).came(1).back(1)
    assert convicted(run) == []


def test_what_it_sent_itself_is_no_other_connections() -> None:
    assert convicted(Crowd().sent(1).noise(2 * MANY, connection=1).came(1).back(1)) == []


def test_what_came_before_it_was_sent_passed_nobody_over() -> None:
    assert convicted(Crowd().noise(2 * MANY).sent(1).came(1).back(1)) == []
    assert convicted(Crowd().noise(2 * MANY).sent(1).noise(MANY + 1).came(1).back(1)) == [1]


def test_who_has_an_answer_outstanding_may_be_read_no_further_for_its_own_sake() -> None:
    assert convicted(Crowd().sent(1).came(1).sent(2).noise(2 * MANY).came(2).back(1).back(2)) == []


def test_behind_a_hop_a_message_waits_from_when_it_was_passed() -> None:
    late = Crowd().sent(1).noise(2 * MANY)
    late.decide("request", 1)
    assert convicted(late.came(1).back(1), sockets("relay")) == []
    passed = Crowd().sent(1)
    passed.decide("request", 1)
    assert convicted(passed.noise(2 * MANY).came(1).back(1), sockets("relay")) == [1]


def test_whom_a_hop_held_up_waited_for_the_hop() -> None:
    held = Crowd().sent(1)
    held.decide("request", 1, act="hold", rule=0)
    assert convicted(held.noise(2 * MANY).came(1).back(1), sockets("relay")) == []


def test_where_a_plane_sees_no_messages_nobody_knows_who_waits_for_whom() -> None:
    run = Crowd()
    run.rule(True)
    assert not judged(run.sent(1).noise(2 * MANY).came(1).back(1)).exercised


@pytest.mark.parametrize(("error", "convicts"), [(ASTRAY // 2, 1), (ASTRAY // 2 + 1, 0)])
def test_clocks_that_are_far_wrong_do_not_say_who_came_first(error: int, convicts: int) -> None:
    run = Crowd().noise(9).sent(1).noise(MANY + 5).came(1).back(1)
    history = run.history()._replace(clocks=(Clock("test", 0, error, "agent alpha"),))
    found = finding(CHECKERS["fair"], Views(sockets(), Index(history)))
    assert (len(found.violations), found.counts["tried"]) == (convicts, convicts)


def test_datagrams_have_no_connections() -> None:
    run = Crowd().sent(1).noise(2 * MANY).came(1).back(1)
    assert not judged(run, sockets(transport="udp")).exercised


def test_it_looks_at_every_receipt_only_where_it_is_asked_to() -> None:
    run = Crowd().sent(1).noise(2 * MANY).came(1).back(1)
    assert not judged(run, sockets(unrepeated="holds")).exercised
