"""Every toxic bites on the wire, on connections that are open and on new ones, and not before it is switched on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import pytest
from relay_harness import LINK
from requirements import need
from running import until
from toxiproxy_rig import SIZE, ToxiproxyRig

from chaos.faults.fault import ToxicFault
from chaos.faults.streams import Bandwidth, Down, Latency, LimitData, ResetPeer, Slicer, SlowClose, Timeout
from nodes.wire.record import Kind

Stream = Literal["upstream", "downstream"]
MakeRig = Callable[..., ToxiproxyRig]

ROUNDED = 0.005
"""Seconds by which a delay may seem shorter than it is: Toxiproxy counts from when it read, in whole milliseconds."""

both_streams = pytest.mark.parametrize("stream", ["upstream", "downstream"])
open_or_new = pytest.mark.parametrize("which", ["open", "new"])


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[MakeRig]:
    need("toxiproxy-server", "toxiproxy")
    with ExitStack() as stack:

        def make(*faults: ToxicFault) -> ToxiproxyRig:
            return ToxiproxyRig(tmp_path, stack, faults)

        yield make


@both_streams
@open_or_new
def test_latency_is_added_to_one_direction(rig: MakeRig, which: str, stream: Stream) -> None:
    made = rig(Latency(link=LINK, latency=100, stream=stream))
    until(lambda: made.connection().sent(stream) < 0.1, "an exchange that nothing slows down")
    exchange = made.connection_while_on(which)
    assert exchange.sent(stream) >= 0.1 - ROUNDED


def test_what_latency_holds_passes_when_it_is_switched_off(rig: MakeRig) -> None:
    made = rig(Latency(link=LINK, latency=3_600_000))
    exchange = made.connection_while_on("open")
    exchange.server.socket.sendall(b"held")
    assert exchange.sent("upstream") > 0, "the other direction is as it was"
    made.switch(False)
    assert exchange.client.read(4) == b"held"


@open_or_new
def test_jitter_moves_latency_both_ways(rig: MakeRig, which: str) -> None:
    made = rig(Latency(link=LINK, latency=40, jitter=40))
    exchange = made.connection_while_on(which)
    times = [exchange.sent("downstream", 1) for _ in range(30)]
    assert max(times) > 0.045, "none of 30 draws between 0 and 80 ms is that high once in 10^7"


@both_streams
@open_or_new
def test_bandwidth_takes_its_time(rig: MakeRig, which: str, stream: Stream) -> None:
    made = rig(Bandwidth(link=LINK, bandwidth=100, stream=stream))
    until(lambda: made.connection().sent(stream, 40_000) < 0.2, "an exchange that nothing slows down")
    exchange = made.connection_while_on(which)
    assert exchange.sent(stream, 40_000) >= 0.2


@both_streams
@open_or_new
def test_slow_close_delays_the_end_alone(rig: MakeRig, which: str, stream: Stream) -> None:
    def end(toxic: bool) -> float:
        exchange = made.connection_while_on(which) if toxic else made.connection()
        exchange.sent(stream)
        source, target = exchange.ends(stream)
        begun = time.monotonic()
        source.socket.close()
        assert target.ended() == b""
        return time.monotonic() - begun

    made = rig(SlowClose(link=LINK, slow_close=200, stream=stream))
    until(lambda: end(toxic=False) < 0.2, "an end that nothing slows down")
    assert end(toxic=True) >= 0.2 - ROUNDED


@both_streams
@open_or_new
def test_timeout_passes_nothing_and_closes(rig: MakeRig, which: str, stream: Stream) -> None:
    made = rig(Timeout(link=LINK, timeout=150, stream=stream))
    untouched = made.connection()
    assert untouched.sent(stream) > 0
    untouched.client.socket.close()
    exchange = made.connection_while_on(which)
    source, target = exchange.ends(stream)
    source.socket.sendall(b"lost")
    assert target.ended() == b""


def test_timeout_zero_closes_when_it_is_switched_off(rig: MakeRig) -> None:
    made = rig(Timeout(link=LINK, timeout=0, stream="upstream"))
    exchange = made.connection_while_on("open")
    exchange.client.socket.sendall(b"lost")
    assert exchange.sent("downstream") > 0, "the other direction is as it was"
    made.switch(False)
    assert exchange.server.ended() in (b"", b"lost")
    assert exchange.client.ended() == b""
    assert made.connection().sent("upstream") > 0


@both_streams
def test_reset_peer_resets_a_connection_that_is_opened_while_it_is_on(rig: MakeRig, stream: Stream) -> None:
    made = rig(ResetPeer(link=LINK, reset_peer=0, stream=stream))
    exchange = made.connection_while_on("new")
    source, target = exchange.ends(stream)
    source.socket.sendall(b"lost")
    with pytest.raises(ConnectionResetError):
        target.socket.recv(1)


@both_streams
def test_reset_peer_ends_a_connection_that_was_open(rig: MakeRig, stream: Stream) -> None:
    made = rig(ResetPeer(link=LINK, reset_peer=0, stream=stream))
    exchange = made.connection_while_on("open")
    source, target = exchange.ends(stream)
    source.socket.sendall(b"lost")
    assert target.socket.recv(1) == b""


@both_streams
@open_or_new
def test_slices_are_no_larger_than_asked(rig: MakeRig, which: str, stream: Stream) -> None:
    made = rig(Slicer(link=LINK, slicer=100, gap=20_000, stream=stream))
    without = made.connection().pieces(stream)
    slices = made.connection_while_on(which).pieces(stream)
    assert len(slices) > len(without)
    assert min(slices) <= 100


@both_streams
@open_or_new
def test_limit_data_cuts_within_a_message(rig: MakeRig, which: str, stream: Stream) -> None:
    made = rig(LimitData(link=LINK, limit_data=60, stream=stream))
    without = made.connection()
    assert without.sent(stream) > 0
    exchange = made.connection_while_on(which)
    source, target = exchange.ends(stream)
    source.socket.sendall(b"x" * SIZE)
    assert target.ended() == b"x" * 60


def test_down_ends_connections_and_refuses_new_ones_until_it_is_off(rig: MakeRig) -> None:
    made = rig(Down(link=LINK, down=True), Down(link=LINK, down=True))
    exchange = made.connection_while_on("open")
    assert exchange.client.ended() == b""
    assert exchange.server.ended() == b""
    with pytest.raises(ConnectionRefusedError):
        made.connection()
    made.switch(True, 1)
    made.switch(False, 0)
    with pytest.raises(ConnectionRefusedError):
        made.connection()
    made.switch(False, 1)
    assert made.connection().sent("upstream") > 0


def test_toxicity_is_a_share_of_the_connections(rig: MakeRig) -> None:
    made = rig(LimitData(link=LINK, limit_data=0, toxicity=0.5))
    made.switch(True)
    bitten = 0
    for _ in range(40):
        exchange = made.connection()
        exchange.server.socket.sendall(b"x")
        exchange.server.socket.close()
        bitten += exchange.client.ended() == b""
    assert 0 < bitten < 40, "all or none is drawn once in 10^12"


def test_toxics_of_both_directions_and_several_of_one_add_up(rig: MakeRig) -> None:
    made = rig(
        Latency(link=LINK, latency=60, stream="upstream"),
        Latency(link=LINK, latency=60),
        LimitData(link=LINK, limit_data=60),
    )
    exchange = made.connection()
    for index in range(3):
        made.switch(True, index)
    assert exchange.sent("upstream") >= 0.06 - ROUNDED
    exchange.server.socket.sendall(b"x" * SIZE)
    assert exchange.client.ended() == b"x" * 60


def test_heal_takes_every_rule_off_and_all_is_noted(rig: MakeRig) -> None:
    made = rig(LimitData(link=LINK, limit_data=60), Timeout(link=LINK, timeout=0), Down(link=LINK, down=True))
    for index in range(3):
        made.switch(True, index)
        made.switch(True, index)
    made.switch(False, 1)
    made.control.tell("heal")
    made.control.tell("heal")
    assert made.connection().sent("downstream") > 0
    made.control.tell("stop")
    made.plane.process.wait()
    switched = [record.detail for record in made.plane.journal() if record.kind is Kind.RULE]
    assert switched == [
        {"rule": rule, "active": active}
        for rule, active in [(0, True), (1, True), (2, True), (1, False), (0, False), (2, False)]
    ]


def test_a_restarted_server_is_found_and_rules_stay_on(rig: MakeRig) -> None:
    made = rig(LimitData(link=LINK, limit_data=60))
    exchange = made.connection_while_on("open")
    made.control.tell("upstream", link=LINK, address=None, epoch=1)
    assert exchange.client.ended() == b""
    with pytest.raises(ConnectionRefusedError):
        made.connection()
    made.server = made.listen()
    made.control.tell("upstream", link=LINK, address=list(made.server.getsockname()), epoch=2)
    exchange = made.connection()
    assert exchange.sent("upstream") > 0
    exchange.server.socket.sendall(b"x" * SIZE)
    assert exchange.client.ended() == b"x" * 60
