"""From a sound history exactly one record is taken away, or altered: the gate says so. What may be missing may."""

from __future__ import annotations

from typing import Any

import pytest
from harms import Alter, altered, being, gone, renumbered, saying
from history_builder import CLIENT, STEP, Run, cell, fitted
from stories import COPY, CUT, DROP_REQUEST, STORIES, Story, connection_cut, joined, overtaken

from chaos.faults.fault import Fault
from chaos.faults.messages import Corrupt, Cut
from chaos.faults.packets import Netem, Shape
from nodes.rpc.calls import Sent
from nodes.wire.header import Status
from nodes.wire.record import Kind
from orchestrator.checkers.evidence import OF_CALLS, problems
from orchestrator.checkers.views import Views
from orchestrator.history.index import Index
from orchestrator.history.merged import History


def gate(history: History, *faults: Fault, **options: Any) -> str:
    judged = fitted(cell(faults=faults, **options), history)
    return "; ".join(problems(Views(judged, Index(history)), OF_CALLS))


def told(story: Story) -> History:
    return story(Run()).history()


def plain(run: Run) -> Run:
    run.hello().invoke(1).send(1, first=1).decide("request", 1).run(1).decide("reply", 1)
    return run.reply(1, 1, 1).ok(1, 1).healed(2)


def refused(run: Run) -> Run:
    """The first attempt finds no connection."""
    run.invoke(1).unconnected(1).send(1, 2, first=1).decide("request", 1, 2).run(1, 2).decide("reply", 1, 2)
    return run.reply(1, 2, 1).ok(1, 1).healed(2)


def without(history: History, kind: Kind, **said: Any) -> History:
    """As if one record of operation 1, which says that, had never been written."""
    return changed(history, kind, gone, **said)


def changed(history: History, kind: Kind, alter: Alter, **said: Any) -> History:
    return altered(history, kind, alter, seq=1, **said)


SOUND: dict[Story, tuple[Fault, ...]] = {plain: (), refused: (), **STORIES}


@pytest.mark.parametrize("story", SOUND, ids=lambda story: story.__name__)
def test_a_sound_history_passes(story: Story) -> None:
    assert gate(told(story), *SOUND[story]) == ""


REQUEST, REPLY = {"direction": "request"}, {"direction": "reply"}


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (without(told(plain), Kind.ATTEMPT), "attempt 1, was sent and never begun"),
        (without(told(plain), Kind.SEND), "attempt 1, was begun and neither sent nor found without a connection"),
        (without(told(refused), Kind.UNCONNECTED), "attempt 1 is on record as attempt 1 begun and attempt 2 sent"),
        (
            without(told(refused), Kind.ATTEMPT),
            "its attempt 1 is on record as attempt 2 begun and attempt 1 found without",
        ),
        (without(told(plain), Kind.DECISION, **REQUEST), "received 1 times by server, and as let through 0 times"),
        (without(told(plain), Kind.DECISION, **REPLY), "received 1 times by client, and as let through 0 times"),
        (without(told(overtaken), Kind.RELEASE), "received 1 times by server, and as let through 0 times"),
        (without(told(joined), Kind.RELEASE), "received 2 times by server, and as let through 1 times"),
        (without(told(plain), Kind.RECEIVE), "was answered by server, which never journalled to have received it"),
        (
            without(told(plain), Kind.ANSWER),
            "its reply is on record as decided on 1 times by relay, and as sent 0 times",
        ),
        (without(told(plain), Kind.REPLY), "ended ok, and its client journalled no reply with a result"),
        (without(told(plain), Kind.INVOKE), "invoked operation 2 where operation 1 was due"),
        (without(told(plain), Kind.OK), "journalled INVOKE for operation 1"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_is_missing_is_noticed(history: History, said: str) -> None:
    assert said in gate(history, COPY)


BUSY, ELSEWHERE, SECOND = saying(status=int(Status.BUSY)), saying(link="client -> other"), being(attempt=2)


@pytest.mark.parametrize(
    ("history", "said"),
    [
        (changed(told(plain), Kind.ATTEMPT, SECOND), "on record as attempt 2 begun and attempt 1 sent"),
        (changed(told(plain), Kind.SEND, SECOND), "on record as attempt 1 begun and attempt 2 sent"),
        (
            changed(told(plain), Kind.SEND, saying(first=2)),
            "with 2 as its first incomplete number while operation 1 was",
        ),
        (changed(told(plain), Kind.SEND, saying(server=9)), "was sent with server 9 and received with 0"),
        (changed(told(plain), Kind.RECEIVE, saying(first=2)), "was sent with first 1 and received with 2"),
        (
            changed(told(plain), Kind.RECEIVE, ELSEWHERE),
            "was seen on client -> other; the plan has it on client -> ser",
        ),
        (
            changed(told(plain), Kind.DECISION, ELSEWHERE),
            "was seen on client -> other; the plan has it on client -> ser",
        ),
        (changed(told(plain), Kind.RECEIVE, being(node="two")), "was seen by two"),
        (changed(told(plain), Kind.RECEIVE, SECOND), "attempt 2: its request is on record as received 1 times"),
        (changed(told(plain), Kind.DECISION, saying(act="drop")), "received 1 times by server, and as let through 0"),
        (changed(told(plain), Kind.ANSWER, saying(value=9)), "its client journalled a reply that no server answered"),
        (changed(told(plain), Kind.REPLY, saying(value=9)), "its client journalled a reply that no server answered"),
        (changed(told(plain), Kind.REPLY, BUSY), "its client journalled a reply that no server answered"),
        (changed(told(plain), Kind.DECISION, SECOND), "attempt 2"),
        (changed(told(plain), Kind.REPLY, SECOND), "attempt 2: its reply is on record as received 1 times by client"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_says_something_else_is_noticed(history: History, said: str) -> None:
    assert said in gate(history, COPY)


def test_nothing_arrives_before_it_was_sent() -> None:
    early = Run().receive(1, first=1).invoke(1).send(1).decide("request", 1)
    assert "its request arrived before it was sent" in gate(early.info(1).healed(2).history())


def test_a_hop_passes_no_more_than_was_sent() -> None:
    run = Run().invoke(1).send(1).decide("request", 1).decide("request", 1).run(1).decide("reply", 1)
    assert "its request is on record as" in gate(run.reply(1, 1, 1).ok(1, 1).healed(2).history())


def test_what_arrives_in_the_moment_in_which_it_is_sent_is_not_early() -> None:
    """The client's lines come before the server's of the same time."""
    run = Run().invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1)
    run.time -= 2 * STEP
    assert "before it was sent" not in gate(run.reply(1, 1, 1).ok(1, 1).healed(2).history())


def test_what_does_not_arrive_proves_nothing() -> None:
    lost = Run().invoke(1).send(1).decide("request", 1).unanswered(1).healed(2)
    unseen = Run().invoke(1).send(1).unanswered(1).healed(2)
    assert gate(lost.history()) == gate(unseen.history()) == ""


def test_hellos_have_no_send_and_need_the_rest() -> None:
    history = told(plain)
    hello = [event for event in history.events if event.client == CLIENT and event.seq == 0]
    assert [event.kind for event in hello] == [Kind.DECISION, Kind.RECEIVE, Kind.ANSWER, Kind.DECISION]
    for event, said in zip(hello, ("let through 0", "never journalled to", "sent 0 times"), strict=False):
        assert said in gate(renumbered(history, [other for other in history.events if other is not event]))


def direct(run: Run) -> Run:
    """Nobody writes down what happens to the messages on their way."""
    return run.invoke(1).send(1).run(1).reply(1, 1, 1).ok(1, 1).stop()


def test_where_no_message_plane_stands_a_message_is_what_was_sent() -> None:
    assert gate(direct(Run()).history(), via="direct") == ""
    assert gate(direct(Run()).history(), via="toxiproxy") == ""
    never = direct(Run()).note("server", 1, Kind.RECEIVE, CLIENT, 1, 2, link="client -> server", first=1, server=0)
    assert "received 1 times by server, and as sent 0 times" in gate(never.history(), via="direct")


def doubled(run: Run) -> Run:
    return run.invoke(1).send(1).run(1).receive(1).reply(1, 1, 1).reply(1, 1, 1).ok(1, 1).stop()


def test_only_netem_makes_two_datagrams_of_one() -> None:
    netem = Netem(link="client -> server", netem=Shape(duplicate=0.5))
    history = doubled(Run()).history()
    assert gate(history, netem, via="direct", transport="udp") == ""
    assert "received 2 times by server, and as sent 1 times" in gate(history, netem, via="direct", transport="tcp")
    assert "received 2 times by server, and as sent 1 times" in gate(history, via="direct", transport="udp")


def test_a_stream_that_went_on_without_identity_is_believed() -> None:
    run = Run().invoke(1).send(1).run(1).decide("reply", 1).reply(1, 1, 1).ok(1, 1).stop()
    assert "let through 0 times" in gate(run.history())
    run.note("relay", 1, Kind.UNIDENTIFIED, link="client -> server", direction="request", connection=1, reason="")
    assert gate(run.history()) == ""


def test_an_unchecked_alteration_on_the_way_is_no_other_answer() -> None:
    run = Run().invoke(1).send(1).decide("request", 1).run(1).decide("reply", 1, act="corrupt", rule=0)
    history = run.reply(1, 1, 9).ok(1, 9).stop().history()
    corrupt = Corrupt(corrupt="reply", link=CUT.link, operations=(1,))
    assert gate(history, corrupt) == ""
    assert "that no server answered" in gate(changed(history, Kind.DECISION, saying(act="pass"), direction="reply"))


def test_a_message_with_a_cut_in_it_does_not_go_on() -> None:
    history = told(connection_cut)
    assert gate(history, CUT) == ""
    assert "let through 0 times" in gate(history, Cut(cut="within", of="request", link=CUT.link, operations=(1,)))
    assert "let through 0 times" in gate(history, DROP_REQUEST)  # that of a fault which is none says nothing


def test_calls_without_a_header_are_nobodys() -> None:
    assert gate(Run().call(1).receive(3, client=0).execute(3, client=0).stop().history()) == ""


def test_a_send_says_its_first_incomplete_number() -> None:
    history = told(plain)._replace(plan="digest")
    judged = Views(fitted(cell(), history), Index(history), "digest")
    problem, *_ = problems(judged, OF_CALLS)
    assert "operation 2 of client 10101, attempt 1, was sent, and no journal says with which" in problem


@pytest.mark.parametrize(("calls", "readable"), [(2, True), (3, False)])
def test_a_reply_that_cannot_be_read_is_one_to_what_was_asked_many_attempts_ago(
    calls: int, readable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reply to operation 1 that says nothing, as many attempts after it as its client remembers, or one fewer."""
    monkeypatch.setattr(Sent, "REMEMBERED", 4)
    run = Run().call(1)
    for seq in range(2, 2 + calls):
        run.call(seq)
    history = run.reply(1, 1, None).healed(2 + calls).history()  # which is one more
    assert ("a reply that no server answered" in gate(history)) is readable
