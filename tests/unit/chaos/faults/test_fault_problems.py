"""What is impossible about a fault: by itself, in a cell, and in a system that is not ours; and where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import pytest

from chaos.faults.fault import Fault
from chaos.faults.messages import Cut, Delay, Drop, Duplicate, Hold, Slice
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.peers import Crowd
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.streams import Bandwidth, Latency, SlowClose
from chaos.faults.surroundings import ForeignLink
from chaos.problem import Problem

LINK, DIRECT, DATAGRAMS = "client -> server", "client -> other", "late -> other"
KILL = Kill(kill="server", after=5)
ARCHIVED = Restart(state="archive")


class Calling(NamedTuple):
    """A client of two processes that make nine calls each, of which seven come before heal."""

    calls: int = 9
    clients: int = 2
    last_before_heal: int = 7


class Way(NamedTuple):
    name: str
    source: str
    target: str
    via: str = "relay"
    transport: str = "tcp"


class Cell(NamedTuple):
    faults: tuple[Fault, ...] = ()
    servers: Mapping[str, object] = MappingProxyType(dict.fromkeys(["server", "other", "unused"]))
    clients: Mapping[str, Calling] = MappingProxyType(dict.fromkeys(["client", "late"], Calling()))
    links: tuple[Way, ...] = (
        Way(LINK, "client", "server"),
        Way(DIRECT, "client", "other", "direct"),
        Way(DATAGRAMS, "late", "other", "direct", "udp"),
    )


def told(problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """(where, what)"""
    return [(".".join(map(str, problem.path)), problem.message) for problem in problems]


def check(problems: Iterable[Problem], *expected: tuple[str, str]) -> None:
    """Just these, each by its place and a part of its text."""
    found = told(problems)
    assert [where for where, _ in found] == [where for where, _ in expected], found
    assert all(part in text for (_, text), (_, part) in zip(found, expected, strict=True)), found


@pytest.mark.parametrize(
    ("fault", "where", "what"),
    [
        (Kill(kill="server"), "", "nothing says when to kill; expected at, when or after"),
        (Kill(kill="server", after=5, lasts=5), "lasts", "expected restart"),
        (Kill(kill="server", at="received", nth=1, after=5), "at", "a failpoint and a time"),
        (Kill(kill="server", at="received", nth=1, when="x"), "at", "a failpoint and a time"),
        (Kill(kill="server", at="received"), "at", "either the operation or the nth passage"),
        (Kill(kill="server", at="received", operation=1, nth=1), "at", "either the operation or the nth passage"),
        (Kill(kill="server", at="received", operation=1, attempt=0), "attempt", "counts from 1"),
        (Kill(kill="server", at="received", operation=1, epoch=0), "epoch", "counts from 1"),
        (Kill(kill="server", after=5, restart=Restart(after=-1)), "restart.after", "a duration"),
        (Kill(kill="server", after=5, nth=1), "", "without a failpoint; expected at"),
        (Kill(kill="server", after=5, operation=1), "", "without a failpoint; expected at"),
        (Pause(pause="server", after=5, restart=Restart()), "restart", "one of after-commit, after-send, before-send"),
        (Pause(pause="server", at="received", nth=1, restart=ARCHIVED), "restart.state", "expected keep"),
        (Drop(drop="reply", link=LINK, every=2, operations=(1,)), "every", "both operations and every"),
        (Drop(drop="reply", link=LINK, every=2, probability=0.5), "probability", "both every and probability"),
        (Drop(drop="reply", link=LINK, every=0), "every", "1 or more"),
        (Drop(drop="reply", link=LINK, probability=0), "probability", "more than 0"),
        (Drop(drop="reply", link=LINK, probability=1.1), "probability", "at most 1"),
        (Drop(drop="reply", link=LINK, attempt=0), "attempt", "count from 1"),
        (Duplicate(duplicate="reply", link=LINK, copy="after-trim"), "copy", "cannot wait for after-trim"),
        (Delay(delay="reply", link=LINK, by=0), "by", "at least 1 ms"),
        (Delay(delay="reply", link=LINK, by=1, jitter=-1), "by", "not negative"),
        (Slice(slice="reply", link=LINK, size=0, gap=1), "size", "at least 1 byte"),
        (Slice(slice="reply", link=LINK, size=1, gap=0), "gap", "at least 1 ms"),
        (Rate(rate="both", link=LINK, bytes_per_second=0), "bytes_per_second", "at least 1 byte"),
        (Loss(loss="both", link=LINK), "loss", "either probability or every"),
        (Loss(loss="both", link=LINK, probability=0.5, every=2), "loss", "either probability or every"),
        (Loss(loss="both", link=LINK, probability=0), "probability", "more than 0"),
        (Loss(loss="both", link=LINK, every=0), "every", "1 or more"),
        (Blackhole(blackhole=0, link=LINK), "blackhole", "count from 1"),
        (Crowd(crowd="silent", link=LINK, connections=0), "connections", "expected 1 to 4096"),
        (Crowd(crowd="silent", link=LINK, connections=4097), "connections", "expected 1 to 4096"),
        (Crowd(crowd="unread", link=LINK, connections=17), "connections", "expected 1 to 16"),
        (Split(split="groups", groups=(("a",), ("b",)), nodes=("a",)), "nodes", "takes groups"),
        (Split(split="ring", nodes=("a", "b", "c", "d"), groups=(("a",), ("b",))), "groups", "split: ring"),
        (Split(split="groups"), "groups", ""),
        (Split(split="isolate"), "nodes", ""),
        (Netem(netem=Shape(), link=LINK), "netem", "asks for nothing"),
        (Netem(netem=Shape(loss=1.1), link=LINK), "netem.loss", "a share"),
        (Netem(netem=Shape(delay=0), link=LINK), "netem.delay", "at least 1"),
        (Netem(netem=Shape(bytes_per_second=0), link=LINK), "netem.bytes_per_second", "at least 1"),
        (Netem(netem=Shape(reorder=0.5), link=LINK), "netem.reorder", "expected delay beside it"),
        (Netem(netem=Shape(loss_correlation=0.5), link=LINK), "netem.loss_correlation", "expected loss beside it"),
    ],
)
def test_by_itself(fault: Fault, where: str, what: str) -> None:
    check(fault.problems(), (where, what))


@pytest.mark.parametrize(
    "fault",
    [
        KILL,
        Kill(kill="server", when="client ok 1", after=0, restart=Restart(after=0, state="archive")),
        Kill(kill="server", at="before-commit", operation=1, attempt=1, epoch=1),
        Pause(pause="server", at="after-send", nth=1, lasts=0, restart=Restart()),
        Drop(drop="reply", link=LINK, attempt="all", probability=1),
        Drop(drop="reply", link=LINK, every=1),
        Duplicate(duplicate="reply", link=LINK),
        Duplicate(duplicate="request", link=LINK, copy="at-reply"),
        Delay(delay="reply", link=LINK, by=1, jitter=0),
        Slice(slice="reply", link=LINK, size=1, gap=1),
        Rate(rate="both", link=LINK, bytes_per_second=1),
        Loss(loss="both", link=LINK, every=1),
        Loss(loss="both", link=LINK, probability=1),
        Blackhole(blackhole=1, link=LINK),
        Crowd(crowd="flood", link=LINK, connections=1),
        Crowd(crowd="resets", link=LINK, connections=4096),
        Crowd(crowd="unread", link=LINK, connections=16),
        Netem(netem=Shape(delay=1, jitter=1, reorder=1, delay_correlation=1, distribution="normal"), link=LINK),
        Netem(netem=Shape(bytes_per_second=1), link=LINK),
    ],
)
def test_nothing_is_impossible_about_the_least_and_the_most(fault: Fault) -> None:
    check(fault.problems())


@pytest.mark.parametrize(
    ("fault", "where", "what"),
    [
        (Kill(kill="client", after=5), "kill", "is a client, and one that dies"),
        (Pause(pause="late", after=5), "pause", "pause takes a server: other, server, unused"),
        (Kill(kill="nobody", after=5), "kill", "no server 'nobody'; expected one of other, server, unused"),
        (Kill(kill="unused", at="received", operation=1), "operation", "nobody calls 'unused'"),
        (Kill(kill="server", at="received", operation=10), "operation", "operation 10 of 9 calls"),
        (Kill(kill="server", at="received", operation=0), "operation", "operation 0 of 9 calls"),
        (Kill(kill="server", at="received", operation=8), "operation", "comes after heal"),
        (Kill(kill="server", at="received", operation=1, client=3), "client", "client process 3 of 2"),
        (Kill(kill="server", at="received", operation=1, client=0), "client", "client process 0 of 2"),
        (Pause(pause="other", at="received", nth=1, restart=Restart()), "restart", f"link {DIRECT} is direct"),
        (Drop(drop="reply", link=LINK, operations=()), "operations", "an empty list"),
        (Drop(drop="reply", link=LINK, operations=(7, 8)), "operations", "expected at most 7"),
        (Drop(drop="reply", link=LINK, clients=(1, 3)), "clients", "client process 3 of 2"),
        (Drop(drop="reply", link=LINK, clients=(0,)), "clients", "client process 0 of 2"),
        (Duplicate(duplicate="request", link=DIRECT, copy="next-epoch"), "copy", "'other' has no next epoch"),
        (Cut(cut="after", of="reply", link=DATAGRAMS), "cut", "udp, which has no connection to cut"),
        (Slice(slice="reply", link=DATAGRAMS, size=1, gap=1), "slice", "udp, whose messages"),
        (Reject(reject="rst", link=DATAGRAMS), "reject", "expected transport: tcp, or reject: icmp"),
        (Blackhole(blackhole=1, link=DATAGRAMS), "blackhole", "udp, which has no connections; expected transport: tcp"),
        (Split(split="isolate", nodes=("client", "nobody", "other")), "nodes", "no node 'nobody'"),
        (Split(split="isolate", nodes=("late", "server")), "nodes", f"{LINK} has via: relay"),
        (Split(split="groups", groups=(("late",), ("unused",))), "groups", "no client is separated"),
    ],
)
def test_in_a_cell(fault: Fault, where: str, what: str) -> None:
    assert {place for place, message in told(fault.problems_in(Cell((KILL,)))) if what in message} == {where}


def test_who_stops_inside_a_transaction_has_no_successor_of_another_fault_s_either() -> None:
    succeeded = Pause(pause="server", at="received", nth=1, restart=Restart())
    elsewhere = Pause(pause="unused", at="received", nth=1, restart=Restart())
    inside = Pause(pause="server", at="before-commit", nth=1)
    outside = Pause(pause="server", at="after-commit", nth=1)
    (found,) = told(inside.problems_in(Cell((succeeded, inside))))
    assert found[0] == "at"
    assert "expected at one of after-commit, after-send, before-send, received, or no successor of 'server'" in found[1]
    for fault, cell in (
        (inside, (elsewhere, inside, KILL)),
        (outside, (succeeded, outside)),
        (succeeded, (succeeded,)),
    ):
        assert not list(fault.problems_in(Cell(cell)))


@pytest.mark.parametrize(
    "fault",
    [
        Kill(kill="server", at="received", operation=7, client=2),
        Kill(kill="unused", after=5),
        Pause(pause="server", at="received", nth=1, restart=Restart()),
        Pause(pause="other", at="received", nth=1),
        Drop(drop="reply", link=LINK, operations=(1, 7), clients=(1, 2)),
        Duplicate(duplicate="request", link=LINK, copy="next-epoch"),
        Cut(cut="after", of="reply", link=LINK),
        Reject(reject="rst", link=DIRECT),
        Reject(reject="icmp", link=DATAGRAMS),
        Blackhole(blackhole=1, link=DIRECT),
        Partition(partition="both", link=DATAGRAMS),
        Split(split="isolate", nodes=("late", "other")),
    ],
)
def test_nothing_is_impossible_there(fault: Fault) -> None:
    check(fault.problems_in(Cell((KILL,))))


HTTP = ForeignLink("driver -> web:80", "http1", frozenset({"drop", "delay", "hold"}), identified=False)
NAMED = HTTP._replace(identified=True)


@pytest.mark.parametrize(
    ("fault", "link", "where", "what"),
    [
        (Kill(kill="web", at="received", nth=1), None, "at", "has no failpoints"),
        (Pause(pause="web", after=5, restart=Restart()), None, "restart", "a service that is paused goes on"),
        (Kill(kill="web", after=5, restart=ARCHIVED), None, "restart.state", "what its volumes hold; expected keep"),
        (
            Cut(cut="after", of="reply", link=LINK),
            NAMED,
            "cut",
            "not possible in http1; possible are delay, drop, hold",
        ),
        (Drop(drop="reply", link=LINK, attempt="all"), NAMED, "attempt", "expected 1, the first copy"),
        (Drop(drop="reply", link=LINK, operations=(1,)), HTTP, "operations", "driver -> web:80 name no operation"),
        (Drop(drop="reply", link=LINK, every=2), HTTP, "every", "name no operation"),
        (Drop(drop="reply", link=LINK, clients=(1,)), HTTP, "clients", "name no operation"),
        (Bandwidth(bandwidth=1, link=LINK), None, "bandwidth", "what bandwidth does"),
        (SlowClose(slow_close=1, link=LINK), None, "slow_close", "what slow_close does"),
    ],
)
def test_in_a_system(fault: Fault, link: ForeignLink | None, where: str, what: str) -> None:
    check(fault.problems_in_system(link), (where, what))


@pytest.mark.parametrize(
    "fault",
    [
        Kill(kill="web", after=5, restart=Restart()),
        Pause(pause="web", after=5, lasts=5),
        Hold(hold="reply", link=LINK, probability=0.5),
        Latency(latency=5, link=LINK),
    ],
)
def test_nothing_is_impossible_in_a_system(fault: Fault) -> None:
    check(fault.problems_in_system(HTTP))
    check(Drop(drop="reply", link=LINK, operations=(1,), clients=(1,)).problems_in_system(NAMED))
