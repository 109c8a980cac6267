"""netem for real: two nodes talk through a router with a kernel that has it, and each of its faults bites.

What the packet plane would do in the nodes' namespaces is done in the router's, where their packets pass.
"""

from __future__ import annotations

import itertools
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from switched import run_inside
from uml_router import LIMIT, TAPS, Router, need_router

from chaos.faults.fault import PacketFault
from chaos.faults.packets import Netem, Shape
from chaos.faults.paths import Rate
from chaos.faults.window import Directions
from chaos.planes.packet import tc
from chaos.planes.packet.mechanism import Count, Flow, Place, Rule
from chaos.planes.packet.shaping import Shaping
from nodes.wire.record import Kind, Record
from orchestrator.backends.local.namespaces import NamespaceHost, switch
from orchestrator.backends.processes import Supervisor
from orchestrator.backends.real import RealSession
from orchestrator.backends.real_time import run
from orchestrator.history.merged import Ledger
from orchestrator.run.conductor import Conductor
from orchestrator.scenario.plan import expand

pytestmark = [pytest.mark.xdist_group("netem-router"), pytest.mark.timeout(LIMIT)]

LINK = "client -> server"
ADDRESSES = {"client": "192.0.2.2", "server": "192.0.2.6"}
NEAR = {"client": "192.0.2.1", "server": "192.0.2.5"}
TOWARDS = {"request": "vec1", "reply": "vec0"}
"""The router's devices."""
PORT = 7101
CALLS = 32
DELAY = 100
TICK = 11
"""Milliseconds: the guest's clock ticks every 10."""

CELL = """
scenario: through-a-router
load: 60s
nodes:
  server: {{service: counter, port: {port}}}
  client: {{workload: add, calls: {calls}, outstanding: 8, retry: {{first: {first}ms, maximum: {first}ms}}}}
links:
  - {{from: client, to: server, via: direct, semantics: exactly-once, transport: {transport}, codec: xdr}}
expect:
  others: {{client: ok, executions: 1}}
"""


class RoutedHost(NamespaceHost):
    """The nodes' sockets are at their taps; they are controlled by the switch as ever."""

    def address(self, name: str) -> str:
        return ADDRESSES[name]


class Told(NamedTuple):
    """What one run left."""

    client: list[Record]
    server: list[Record]
    ledgers: list[Ledger]
    leaves: dict[str, tc.Leaf]
    """By direction: what the router's disciplines had to do with."""
    counts: list[Count]


class Rig:
    """Both nodes' namespaces, joined by the router, for one run after another."""

    def __init__(self, stack: ExitStack, home: Path) -> None:
        self._home = home
        self._supervisor = stack.enter_context(Supervisor(secrets.token_hex(8)))
        self._runs = 0
        self._switch = switch(self._supervisor.run, list(ADDRESSES))
        stack.callback(self._switch.close)
        self.router = Router(stack, home)
        places = {node: Place(address, self.router) for node, address in ADDRESSES.items()}
        self._shaping = Shaping(places, seed=7)
        for tap, node in zip(TAPS, ADDRESSES, strict=True):
            self.router.connect(tap, self._switch.path(node), NEAR[node], ADDRESSES[node])

    def talk(self, fault: PacketFault | None, transport: str = "udp") -> Told:
        """Let all calls be made while the fault is on."""
        self._runs += 1
        home = self._home / f"run-{self._runs}"
        text = CELL.format(port=PORT, calls=CALLS, first=_patience(fault, transport), transport=transport)
        (cell,) = expand(text, "through-a-router.yaml").cells
        host = RoutedHost(self._supervisor, home, self._switch)
        rule = None if fault is None else Rule(0, fault, Flow(LINK, transport, "client", "server", PORT))
        if rule is not None:
            self._shaping.on(rule)
        try:
            with RealSession(home, lambda name, role: host) as session:
                run(Conductor(cell, session).program(), session)
            leaves = {direction: self.leaf(device) for direction, device in TOWARDS.items()}
        finally:
            counts = self._shaping.off(rule) if rule is not None else []
        collected = session.collect()
        client, server = (collected.journals[node, 1].records for node in ("client", "server"))
        return Told(client, server, collected.ledgers, {d: leaf for d, leaf in leaves.items() if leaf}, counts)

    def refused(self, node: str) -> int:
        """Packets that the node's kernel has dropped for what is in them (proc_pid_net(5), "snmp")."""
        text = run_inside(self._switch.path(node), "cat", "/proc/net/snmp")
        lines = [line.split() for line in text.splitlines()]  # names, then values, of each protocol
        of = {
            names[0]: dict(zip(names, values, strict=True))
            for names, values in itertools.pairwise(lines)
            if names[0] == values[0]
        }
        return int(of["Udp:"]["InCsumErrors"]) + int(of["Ip:"]["InHdrErrors"])

    def leaf(self, device: str) -> tc.Leaf | None:
        return tc.leaves(self.router.run(tc.show(device))).get(0)


def _patience(fault: PacketFault | None, transport: str) -> int:
    """Milliseconds to a retransmission: where messages are lost one waits for it, elsewhere none shall happen. The
    kernel repairs a connection in its own time, of seconds where it loses several packets in a row."""
    losing = isinstance(fault, Netem) and bool(fault.netem.loss or fault.netem.corrupt)
    return 300 if losing and transport == "udp" else 10_000


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    need_router()
    with ExitStack() as stack:
        yield Rig(stack, tmp_path_factory.mktemp("router"))


Copy = tuple[int, int, int]
"""(client, seq, attempt): what copies of a message have in common."""


def copies(records: list[Record], kind: Kind) -> list[Copy]:
    """Of calls, in the order of the journal; `hello` is none."""
    return [(record.client, record.seq, record.attempt) for record in records if record.kind is kind and record.seq]


def lost(told: Told) -> set[Copy]:
    return set(copies(told.client, Kind.SEND)) - set(copies(told.server, Kind.RECEIVE))


def doubled(told: Told) -> set[Copy]:
    return {copy for copy, number in Counter(copies(told.server, Kind.RECEIVE)).items() if number > 1}


def overtaken(told: Told) -> int:
    """How many requests arrived behind one that was sent later."""
    sent = {copy: number for number, copy in enumerate(copies(told.client, Kind.SEND))}
    arrived = [sent[copy] for copy in copies(told.server, Kind.RECEIVE)]
    return sum(number < max(arrived[:position]) for position, number in enumerate(arrived) if position)


def round_trips(told: Told) -> list[float]:
    """Milliseconds between the sending of an attempt and its first reply."""
    sent = dict(zip(copies(told.client, Kind.SEND), times(told, Kind.SEND), strict=True))
    replied = dict(reversed([*zip(copies(told.client, Kind.REPLY), times(told, Kind.REPLY), strict=True)]))
    return [replied[copy] - sent[copy] for copy in replied]


def times(told: Told, kind: Kind) -> list[float]:
    return [record.time / 1e6 for record in told.client if record.kind is kind and record.seq]


def executed_once(told: Told) -> bool:
    """Whatever the network did, exactly-once is what the ledger shows."""
    (ledger,) = told.ledgers
    executed = Counter((client, seq) for _, client, seq, *_ in ledger.effects)
    return len(executed) == CALLS and set(executed.values()) == {1}


def shaped(of: Directions, **values: Any) -> Netem:
    return Netem(link=LINK, netem=Shape(**values), of=of)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_without_a_fault_nothing_of_it_shows(rig: Rig, transport: str) -> None:
    told = rig.talk(None, transport)
    assert executed_once(told)
    assert (lost(told), doubled(told), overtaken(told)) == (set(), set(), 0)
    assert min(round_trips(told)) < DELAY


def test_a_delay_is_part_of_every_round_trip(rig: Rig) -> None:
    told = rig.talk(shaped("both", delay=DELAY))
    assert executed_once(told)
    assert min(round_trips(told)) >= 2 * DELAY - TICK
    assert {count.direction for count in told.counts} == {"request", "reply"}
    assert lost(told) == set()


def test_a_delay_of_one_direction_is_met_once(rig: Rig) -> None:
    told = rig.talk(shaped("reply", delay=DELAY))
    assert DELAY - TICK <= min(round_trips(told)) < 2 * DELAY
    assert [count.direction for count in told.counts] == ["reply"]


def test_jitter_makes_round_trips_differ(rig: Rig) -> None:
    told = rig.talk(shaped("reply", delay=100, jitter=40, distribution="normal", delay_correlation=0.1))
    trips = round_trips(told)
    assert max(trips) - min(trips) > 40
    assert executed_once(told)


def test_lost_packets_are_missing_in_the_receiver_s_journal(rig: Rig) -> None:
    told = rig.talk(shaped("request", loss=0.3, loss_correlation=0.1))
    arrived = [record for record in told.server if record.kind is Kind.RECEIVE]
    assert 0 < len(lost(told)) <= told.leaves["request"].lost  # which has lost calls, and perhaps hello
    assert told.leaves["request"].packets == len(arrived)
    assert executed_once(told)
    assert [count.packets for count in told.counts] == [told.leaves["request"].packets + told.leaves["request"].lost]


def test_packets_lost_under_tcp_are_repaired_by_the_kernel(rig: Rig) -> None:
    told = rig.talk(shaped("both", loss=0.1), "tcp")
    assert told.leaves["request"].lost + told.leaves["reply"].lost > 0
    assert (lost(told), doubled(told)) == (set(), set())
    assert {attempt for _, _, attempt in copies(told.client, Kind.SEND)} == {1}
    assert executed_once(told)


def test_doubled_packets_are_received_twice_and_executed_once(rig: Rig) -> None:
    told = rig.talk(shaped("request", duplicate=0.5))
    assert 0 < len(doubled(told)) < CALLS
    assert (lost(told), executed_once(told)) == (set(), True)


def test_packets_are_overtaken(rig: Rig) -> None:
    told = rig.talk(shaped("request", delay=DELAY, reorder=0.5))
    assert overtaken(told) > 0
    assert (lost(told), executed_once(told)) == (set(), True)


def test_corrupt_packets_are_dropped_by_the_receiver_s_checksums(rig: Rig) -> None:
    before = rig.refused("server")
    told = rig.talk(shaped("request", corrupt=0.5))
    assert lost(told)
    assert told.leaves["request"].lost == 0
    assert rig.refused("server") > before
    assert executed_once(told)


def test_a_rate_spreads_packets_over_time(rig: Rig) -> None:
    told = rig.talk(shaped("reply", bytes_per_second=5000))
    replied = times(told, Kind.REPLY)
    apart = told.leaves["reply"].bytes / told.leaves["reply"].packets / 5000 * 1000
    assert max(replied) - min(replied) >= apart * (CALLS - 1) - TICK
    assert executed_once(told)


def test_a_token_bucket_does_so_after_its_first_burst(rig: Rig) -> None:
    fault = Rate(link=LINK, rate="reply", bytes_per_second=2000)
    told = rig.talk(fault)
    replied = times(told, Kind.REPLY)
    beyond = told.leaves["reply"].bytes - 1500 - 500
    assert beyond > 0
    assert max(replied) - min(replied) >= beyond / 2000 * 1000 - TICK


def test_a_router_whose_test_is_killed_ends(tmp_path: Path) -> None:
    need_router()
    with ExitStack() as stack:
        router = Router(stack, tmp_path)
        router.abandon()
        assert router.gone()
