"""Where the plane sees no messages, a fault has bitten what was open meanwhile and suffered what the fault does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from history_builder import CLIENT, Run, cell
from stories import LINK

from chaos.faults.fault import Fault
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.streams import Bandwidth, Down, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout
from nodes.rpc.codecs import NAMES, codec
from nodes.services.counter import COUNTER
from nodes.wire.header import CallHeader, ReplyHeader, Status
from nodes.wire.record import Kind
from orchestrator.checkers.bites.bite import bite
from orchestrator.checkers.bites.values import Bite
from orchestrator.checkers.bites.windows import SMALLEST
from orchestrator.checkers.setting import Setting
from orchestrator.history.index import Index

FIRST = (CLIENT, 1)
ATTEMPT, SEND = Kind.ATTEMPT, Kind.SEND
TOXICS: tuple[Fault, ...] = (
    Latency(link=LINK, latency=100),
    Bandwidth(link=LINK, bandwidth=1),
    SlowClose(link=LINK, slow_close=100),
    Timeout(link=LINK, timeout=50),
    ResetPeer(link=LINK, reset_peer=0),
    Slicer(link=LINK, slicer=4, gap=10_000),
    LimitData(link=LINK, limit_data=10),
    Down(link=LINK, down=True),
)
PACKETS: tuple[Fault, ...] = (
    Loss(link=LINK, loss="both", every=2),
    Partition(link=LINK, partition="both"),
    Rate(link=LINK, rate="both", bytes_per_second=1_000),
    Split(split="groups", groups=(("client",), ("server",))),
    Reject(link=LINK, reject="rst"),
    Blackhole(link=LINK, blackhole=1),
    Netem(link=LINK, netem=Shape(delay=100)),
    Netem(link=LINK, netem=Shape(loss=0.5)),
    Netem(link=LINK, netem=Shape(corrupt=0.5)),
    Netem(link=LINK, netem=Shape(duplicate=0.5)),
    Netem(link=LINK, netem=Shape(bytes_per_second=1_000)),
)
LOSSES = (PACKETS[0], PACKETS[1], PACKETS[3], PACKETS[5], PACKETS[7], PACKETS[8])
Story = Callable[[], Run]


def bites(run: Run, fault: Fault, packets: int = 9, **options: Any) -> Bite:
    """What the only fault bit, by a plane that counted so many packets in each direction, and then healed."""
    run.counter("request", packets).counter("reply", packets).rule(False).healed(9)
    return bite(Setting(cell(faults=(fault,), via=via(fault), **options), Index(run.history())))


def via(fault: Fault) -> str:
    return "toxiproxy" if fault in TOXICS else "direct"


def begun() -> Run:
    return Run().rule(True)


def normal() -> Run:
    """Open while the rule was on, and nothing happened to it."""
    return begun().call(1)


def request_late(milliseconds: float = 60) -> Run:
    return begun().invoke(1).send(1).wait(milliseconds).run(1).reply(1, 1, 1).ok(1, 1)


def reply_late(milliseconds: float = 60) -> Run:
    return begun().invoke(1).send(1).run(1).wait(milliseconds).reply(1, 1, 1).ok(1, 1)


def request_gone() -> Run:
    return begun().invoke(1).send(1).wait(60).end(1, error="timeout").info(1)


def reply_gone() -> Run:
    return begun().invoke(1).send(1).run(1).wait(60).end(1, error="timeout").info(1)


def ended() -> Run:
    """The client has its reply by a second connection."""
    return begun().invoke(1).send(1).end(1).send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)


def unconnected() -> Run:
    return begun().invoke(1).unconnected(1).send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)


def doubled() -> Run:
    return begun().invoke(1).send(1).run(1).receive(1).answer(1, 1, 1).reply(1, 1, 1).ok(1, 1)


def repaired() -> Run:
    """The kernel sent the request again."""
    return request_late(210)


def end_late(milliseconds: float = 60) -> Run:
    run = begun().invoke(1).send(1).receive(1).failpoint("received", 1).wait(milliseconds)
    return run.end(1).serve().send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)


def lingering() -> Run:
    """The first connection ends long after its own last message, when another one is in use."""
    run = begun().invoke(1).send(1).wait(60).send(1, 2, connection=2).end(1)
    return run.run(1, 2).reply(1, 2, 1).ok(1, 1)


def died_late() -> Run:
    """The connection's end came with the server's death, long after the last message."""
    run = begun().invoke(1).send(1).receive(1).wait(60).failpoint("received", 1).end(1).serve()
    return run.send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)


@pytest.mark.parametrize("fault", [*TOXICS, *PACKETS])
def test_what_was_only_open_meanwhile_is_caught_and_not_bitten(fault: Fault) -> None:
    found = bites(normal(), fault)
    assert (found.idle, found.bitten, found.caught) == ((0,), frozenset(), {FIRST})


@pytest.mark.parametrize(
    ("fault", "story"),
    [
        (TOXICS[0], reply_late),
        (TOXICS[0], reply_gone),
        (Latency(link=LINK, latency=100, stream="upstream"), request_late),
        (TOXICS[1], reply_late),
        (TOXICS[2], end_late),
        (TOXICS[2], lingering),
        (TOXICS[3], reply_gone),
        (TOXICS[3], ended),
        (Timeout(link=LINK, timeout=0, stream="upstream"), request_gone),
        (TOXICS[4], ended),
        (TOXICS[4], unconnected),
        (TOXICS[5], reply_late),
        (TOXICS[6], ended),
        (TOXICS[7], ended),
        (TOXICS[7], unconnected),
        (PACKETS[2], request_late),
        (PACKETS[4], unconnected),
        (PACKETS[4], ended),
        (PACKETS[6], reply_late),
        (PACKETS[9], doubled),
        (PACKETS[10], reply_late),
        *((fault, story) for fault in LOSSES for story in (request_gone, reply_gone, repaired, unconnected)),
    ],
)
def test_what_suffered_is_bitten(fault: Fault, story: Story) -> None:
    found = bites(story(), fault)
    assert (found.bitten, found.idle) == ({FIRST}, ())
    assert (CLIENT, 9) in found.others


@pytest.mark.parametrize(
    ("fault", "story"),
    [
        (TOXICS[0], request_late),  # of the other stream
        (TOXICS[0], lambda: reply_late(40)),
        (TOXICS[0], ended),
        (TOXICS[2], lambda: end_late(40)),
        (TOXICS[2], died_late),
        (TOXICS[3], request_gone),
        (TOXICS[6], lambda: reply_late(500)),
        (TOXICS[7], lambda: reply_late(500)),
        (Slicer(link=LINK, slicer=40, gap=10_000), reply_late),  # nothing is longer than its slice
        (Loss(link=LINK, loss="request", every=2), reply_gone),
        (Partition(link=LINK, partition="reply"), request_gone),
        (PACKETS[1], request_late),  # sooner than the kernel sends again
        (PACKETS[4], reply_gone),
        (PACKETS[9], ended),
    ],
)
def test_what_suffered_something_else_is_not_bitten(fault: Fault, story: Story) -> None:
    found = bites(story(), fault)
    assert (found.bitten, found.idle) == (frozenset(), (0,))
    assert FIRST in found.caught


@pytest.mark.parametrize("fault", LOSSES)
def test_a_packet_fault_that_the_kernel_counted_no_packet_of_bit_nothing(fault: Fault) -> None:
    found = bites(request_gone(), fault, packets=0)
    assert (found.bitten, found.idle) == (frozenset(), (0,))
    assert found.rules[0].applied == frozenset()


@pytest.mark.parametrize("fault", [*TOXICS, *PACKETS])
def test_what_suffered_before_the_rule_was_on_was_not_bitten_by_it(fault: Fault) -> None:
    run = Run().invoke(1).send(1).wait(60).end(1).info(1).invoke(2).unconnected(2).fail(2).rule(True)
    assert bites(run, fault).bitten == frozenset()


def test_a_connection_that_the_servers_death_ended_was_not_cut_by_a_toxic() -> None:
    run = begun().invoke(1).send(1).receive(1).failpoint("received", 1).end(1)
    run.serve().send(1, 2, connection=2).run(1, 2).reply(1, 2, 1).ok(1, 1)
    found = bites(run, ResetPeer(link=LINK, reset_peer=0))
    assert (found.bitten, found.caught) == (frozenset(), {FIRST})


def test_a_request_to_a_dead_server_was_not_lost_by_a_partition() -> None:
    run = begun().call(1).reap().invoke(2).send(2).wait(60).end(2, error="timeout").serve()
    run.send(2, 2, connection=2).run(2, 2).reply(2, 2, 2).ok(2, 2)
    assert bites(run, Partition(link=LINK, partition="both")).bitten == frozenset()


def test_chance_names_only_what_it_bit() -> None:
    run = request_gone().call(2).call(3)
    assert bites(run, PACKETS[0]).missed == frozenset()
    again = request_gone().call(2).call(3)
    assert bites(again, PACKETS[1]).missed == {(CLIENT, 2), (CLIENT, 3)}


def test_a_toxic_of_some_connections_names_only_what_it_bit() -> None:
    run = reply_gone().call(2)
    assert bites(run, Latency(link=LINK, latency=100, toxicity=0.5)).missed == frozenset()


@pytest.mark.parametrize(("milliseconds", "bitten"), [(49, False), (51, True)])
def test_connecting_that_took_half_of_a_latency_is_bitten(milliseconds: float, bitten: bool) -> None:
    """The hello of a new connection is delayed too, before the attempt is sent."""
    run = begun().invoke(1).note("client", 1, ATTEMPT, CLIENT, 1, 1).wait(milliseconds)
    run.note("client", 1, SEND, CLIENT, 1, 1, connection=1, server=0).run(1).reply(1, 1, 1).ok(1, 1)
    assert (bites(run, TOXICS[0]).bitten == {FIRST}) is bitten


def test_a_split_reaches_only_links_across_its_groups() -> None:
    together = Split(split="groups", groups=(("client", "server"), ("other",)))
    found = bites(request_gone(), together)
    assert (found.bitten, found.idle) == (frozenset(), (0,))


def test_a_rule_that_nobody_switched_off_was_on_until_the_end() -> None:
    run = request_gone().counter("request", 1).healed(9)
    setting = Setting(cell(faults=(PACKETS[1],), via="direct"), Index(run.history()))
    assert bite(setting).bitten == {FIRST}


@pytest.mark.parametrize("name", NAMES)
def test_no_message_is_smaller_than_what_a_rate_is_measured_by(name: str) -> None:
    add = COUNTER.procedure("add")
    made = codec(name, COUNTER)
    incarnation = 2**63  # random 64 bits: smaller ones are rare
    call = made.encode_call(1, add, CallHeader(10101, 1, 1, 1, 0, 1_000_001), (1,))
    reply = made.encode_reply(1, add, ReplyHeader(10101, 1, 1, Status.EXECUTED, incarnation, incarnation, 60_000), 1)
    assert min(len(call), len(reply)) >= SMALLEST
