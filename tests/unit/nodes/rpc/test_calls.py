"""A client's memory: what a reply means for its call, what an attempt says, and what the server may forget."""

from __future__ import annotations

import pytest

from nodes.rpc.calls import Call, End, Numbers, Outcome, Sent, Session, outcome
from nodes.rpc.codecs import Reply
from nodes.rpc.semantics import NAMES, Identity
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status

CLIENT = 10101
ADD = COUNTER.procedure("add")
UNBOUND = ("maybe", "at-least-once", "at-most-once")


def call(seq: int) -> Call:
    return Call(seq, 1_000_000 + seq, ADD, (1,))


def header(status: Status, seq: int = 1) -> ReplyHeader:
    return ReplyHeader(CLIENT, seq, 1, status, 11, 22, 60_000)


def session(semantics: str = "exactly-once", *begun: int) -> Session:
    made = Session(CLIENT, semantics)
    for seq in begun:
        made.begin(seq)
    return made


# What a reply means


@pytest.mark.parametrize("status", [Status.EXECUTED, Status.CACHED, Status.JOINED])
def test_a_result_ends_its_call_however_the_server_came_by_it(status: Status) -> None:
    assert outcome(Reply(7, header(status), 42, None)) == Outcome(End.OK, 42)


@pytest.mark.parametrize(("status", "text"), [(Status.STALE, "stale"), (Status.REFUSED, "refused")])
def test_what_is_stale_or_refused_ends_unknown(status: Status, text: str) -> None:
    assert outcome(Reply(7, header(status), None, "no result")) == Outcome(End.INFO, text)


def test_a_busy_server_is_waited_on() -> None:
    assert outcome(Reply(7, header(Status.BUSY), None, "busy")) is None


def test_a_servers_error_is_no_result() -> None:
    assert outcome(Reply(7, header(Status.EXECUTED), None, "no")) == Outcome(End.INFO, "the server's error: no")


@pytest.mark.parametrize(
    ("error", "text"),
    [("GARBAGE_ARGS", "GARBAGE_ARGS"), (None, "a reply without a header"), ("", "a reply without a header")],
)
def test_a_reply_without_a_header_is_not_waited_on(error: str | None, text: str) -> None:
    assert outcome(Reply(7, None, 42, error)) == Outcome(End.INFO, text)


# What a call is bound to


def test_a_call_is_bound_by_its_first_byte_and_never_again() -> None:
    one = call(1)
    one.bind(11)
    one.bind(12)
    assert (one.server, one.handed) == (11, True)
    unbound = call(2)
    unbound.bind(0)
    unbound.bind(12)
    assert unbound.server == 0


def test_only_what_was_never_handed_over_failed_for_certain() -> None:
    one = call(1)
    assert one.given_up("no connection") == Outcome(End.FAIL, "no connection")
    one.bind(0)
    assert one.given_up("no reply") == Outcome(End.INFO, "no reply")


@pytest.mark.parametrize(
    ("semantics", "bound"), [*((name, 0) for name in UNBOUND), ("at-most-once-incarnation", 11), ("exactly-once", 22)]
)
def test_calls_are_bound_to_what_their_semantics_ask_for(semantics: str, bound: int) -> None:
    made = session(semantics)
    assert made.binding() == 0
    made.learn(header(Status.EXECUTED, seq=0))
    assert made.binding() == bound
    assert {*UNBOUND, "at-most-once-incarnation", "exactly-once"} == {*NAMES}


# What a session learns


def test_hello_tells_who_answers_and_a_refusal_makes_it_due_again() -> None:
    made = session()
    assert (made.greeted, made.identity) == (False, None)
    made.learn(header(Status.EXECUTED, seq=0))
    assert (made.greeted, made.identity) == (True, Identity(11, 22, 60_000))
    made.learn(header(Status.STALE))
    assert made.greeted
    made.learn(header(Status.REFUSED)._replace(incarnation=99))
    assert (made.greeted, made.identity) == (False, Identity(11, 22, 60_000))


def test_who_does_not_introduce_itself_says_nothing_but_its_number() -> None:
    made = Session(CLIENT, "maybe", introduces=False)
    made.begin(3)
    assert not made.owes_hello
    made.greeted = False
    assert not made.owes_hello
    assert made.header(call(3)).first == 0
    assert session("maybe", 3).header(call(3)).first == 3
    assert session().owes_hello


def test_an_operations_reply_does_not_greet() -> None:
    made = session()
    made.learn(header(Status.EXECUTED))
    assert (made.greeted, made.identity) == (False, None)


# What the server may forget


def test_the_first_incomplete_is_the_lowest_that_is_open_or_the_next() -> None:
    made = session("exactly-once", 1, 2, 3)
    seen = [made.numbers.first_incomplete]
    for seq in (2, 1, 3):
        made.end(seq)
        seen.append(made.numbers.first_incomplete)
    assert seen == [1, 1, 3, 4]
    assert session().numbers.first_incomplete == 1


def test_beginning_a_lower_number_does_not_move_the_next_one_back() -> None:
    made = session("exactly-once", 5, 2)
    made.end(2)
    made.end(5)
    assert made.numbers.first_incomplete == 6


def test_a_client_has_its_numbers_in_common_for_all_its_servers() -> None:
    """What a server is told is open counts the calls on the others, too."""
    numbers = Numbers()
    left, right = (Session(CLIENT, "exactly-once", numbers) for _ in range(2))
    left.begin(1)
    right.begin(2)
    right.end(2)
    assert right.numbers.first_incomplete == 1
    left.end(1)
    assert right.numbers.first_incomplete == 3


def test_an_end_forgets_the_call() -> None:
    made = session("exactly-once", 1)
    made.open[1] = call(1)
    made.end(1)
    assert made.open == {}


def test_an_attempt_says_who_it_is_and_what_is_incomplete_now() -> None:
    made = session("exactly-once", 1, 2)
    second = call(2)
    second.attempt = 3
    second.bind(22)
    assert made.header(second) == CallHeader(CLIENT, 2, 3, 1, 22, 1_000_002)
    made.end(1)
    assert made.header(second).first == 2


def test_a_call_is_known_by_each_of_its_xids_as_long_as_it_is_open() -> None:
    one, two = call(1), call(2)
    open_calls = {1: one, 2: two}
    sent = Sent(open_calls)
    first = sent.add(one)
    others = [sent.add(two) for _ in range(Sent.REMEMBERED)]
    assert sent.get(first) is one
    assert all(sent.get(xid) is two for xid in others)
    del open_calls[1]
    last = sent.add(two)
    assert sent.get(first) is None
    assert sent.get(last) is two
    del open_calls[2]
    newest = [sent.add(one) for _ in range(Sent.REMEMBERED)]
    assert sent.get(last) is None
    assert all(sent.get(xid) is one for xid in newest)
