"""Which faults can keep a call open until heal, whose calls, and how long a client may be silent."""

from __future__ import annotations

from pathlib import Path

import pytest
from history_builder import cell

from chaos.faults.fault import Fault
from chaos.faults.messages import Cut, Delay, Drop, Hold
from chaos.faults.packets import Blackhole, Loss, Netem, Reject, Shape, Split
from chaos.faults.paths import Partition, Rate
from chaos.faults.processes import Kill, Pause, Restart
from chaos.faults.streams import Down, Latency, ResetPeer, Timeout
from nodes.units import MILLISECOND
from orchestrator.run.until_done import WAITS, comes_back, longest_wait, on_its_way
from orchestrator.scenario.cell import Cell, Client, Link, Retry, Server
from orchestrator.scenario.plan import load

LINK = "client -> server"
EXAMPLE = Path(__file__).parents[4] / "examples" / "orders" / "crash.yaml"


@pytest.mark.parametrize(
    "fault",
    [
        Partition(partition="request", link=LINK),
        Split(split="isolate", nodes=("client", "server")),
        Reject(reject="icmp", link=LINK),
        Down(down=True, link=LINK),
        Blackhole(blackhole=1, link=LINK),
        Loss(loss="reply", link=LINK, probability=1.0),
        Loss(loss="reply", link=LINK, every=1),
        Netem(netem=Shape(loss=1.0), link=LINK),
        Timeout(timeout=0, link=LINK),
        ResetPeer(reset_peer=0, link=LINK),
        Drop(drop="request", link=LINK, operations=(3,), attempt="all"),
        Hold(hold="reply", link=LINK, attempt="all"),
        Cut(cut="before", of="reply", link=LINK, attempt="all"),
    ],
)
def test_what_every_attempt_meets_keeps_a_call_open(fault: Fault) -> None:
    assert fault.keeps_open


@pytest.mark.parametrize(
    "fault",
    [
        Drop(drop="request", link=LINK, operations=(3,)),
        Drop(drop="request", link=LINK, attempt="all", probability=0.9),
        Hold(hold="request", link=LINK),
        Delay(delay="reply", by=1000, link=LINK, attempt="all"),
        Rate(rate="both", bytes_per_second=1, link=LINK),
        Latency(latency=1000, link=LINK),
        Loss(loss="reply", link=LINK, probability=0.9),
        Loss(loss="reply", link=LINK, every=2),
        Netem(netem=Shape(delay=100), link=LINK),
        Timeout(timeout=0, link=LINK, toxicity=0.5),
    ],
)
def test_what_some_attempt_gets_through_does_not(fault: Fault) -> None:
    assert not fault.keeps_open


def test_what_is_started_again_before_heal() -> None:
    assert comes_back(Restart())
    assert comes_back(Restart(when="client attempt 3"))
    assert not comes_back(Restart(when="healed"))
    assert not comes_back(None)


def two() -> Cell:
    """A second client, which waits longer, calls a second server, which is slow."""
    retry = Retry(first=60, maximum=1_000, jitter=0.5)
    links = tuple(
        Link.model_validate({"from": source, "to": target, "semantics": semantics})
        for source, target, semantics in (("client", "server", "maybe"), ("other", "slow", "exactly-once"))
    )
    nodes = {
        "server": Server(service="counter"),
        "slow": Server(service="counter", yields=200),
        "client": Client(workload="add"),
        "other": Client(workload="add", retry=retry),
    }
    return cell().model_copy(update={"nodes": nodes, "links": links})


@pytest.mark.parametrize(
    ("fault", "met"),
    [
        (Kill(kill="server", after=0), ["client"]),
        (Pause(pause="slow", after=0), ["other"]),
        (Partition(partition="both", link="other -> slow"), ["other"]),
        (Split(split="isolate", nodes=("client", "server")), ["client", "other"]),
    ],
)
def test_whose_calls_meet_it(fault: Fault, met: list[str]) -> None:
    assert [client for client in two().clients if on_its_way(two(), client, fault)] == met


def test_a_systems_calls_go_through_all_of_it() -> None:
    made = load(EXAMPLE).cells[0]
    link = made.paths[-1].name
    assert on_its_way(made, "driver", Drop(drop="request", link=link))
    assert on_its_way(made, "driver", Kill(kill=made.paths[-1].server, after=1))


def test_the_longest_wait_is_that_of_the_most_patient_client_and_its_server() -> None:
    assert longest_wait(two()) == WAITS * (1_500 + 200) * MILLISECOND
    assert longest_wait(cell("maybe")) == WAITS * Retry().patience * MILLISECOND
