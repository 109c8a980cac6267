"""Faults of streams and packets: each is a scenario's verb, and each way to ask for the impossible is answered."""

from __future__ import annotations

import pytest

from chaos.faults.fault import Fault
from chaos.faults.packets import Loss, Netem, Shape, Split
from chaos.faults.streams import Down, Latency, LimitData, Slicer
from orchestrator.backends import named
from orchestrator.scenario.document import BadScenario
from orchestrator.scenario.plan import expand

BASE = """\
scenario: one
nodes:
  server: {{service: counter}}
  client: {{workload: add, calls: 6}}
links:
  - {{from: client, to: server, semantics: exactly-once, transport: {transport}, via: {via}}}
faults:
  - {{{fault}}}
expect:
  bitten: {{client: ok, executions: 1}}
"""
LINK = "client -> server"


def made(fault: str, via: str, transport: str = "tcp") -> Fault:
    return expand(BASE.format(fault=fault, via=via, transport=transport), "f.yaml").cells[0].faults[0]


@pytest.mark.parametrize(
    ("text", "via", "title"),
    [
        ("reset_peer: 0, stream: upstream", "toxiproxy", "reset_peer upstream"),
        ("down: true", "toxiproxy", "down"),
        ("loss: reply, every: 2", "direct", "loss reply"),
        ("partition: both", "direct", "partition both"),
        ("reject: icmp", "direct", "reject icmp"),
        ("blackhole: 1", "direct", "blackhole"),
        ("netem: {loss: 0.1}, of: request", "direct", "netem request"),
    ],
)
def test_a_fault_is_told_by_its_verb(text: str, via: str, title: str) -> None:
    assert made(f"{text}, link: client -> server", via).title == title


@pytest.mark.parametrize(
    ("text", "via", "fault"),
    [
        ("latency: 100ms, jitter: 20ms, stream: upstream, toxicity: 0.5", "toxiproxy",
         Latency(link=LINK, latency=100, jitter=20, stream="upstream", toxicity=0.5)),
        ("slicer: 10, variation: 2, gap: 20000", "toxiproxy", Slicer(link=LINK, slicer=10, variation=2, gap=20_000)),
        ("limit_data: 40, lasts: 1s", "toxiproxy", LimitData(link=LINK, limit_data=40, lasts=1_000)),
        ("down: true", "toxiproxy", Down(link=LINK, down=True)),
        ("loss: request, probability: 0.2", "direct", Loss(link=LINK, loss="request", probability=0.2)),
        ("netem: {delay: 40ms, jitter: 5ms, distribution: normal, loss: 0.1}, of: reply", "direct",
         Netem(link=LINK, netem=Shape(delay=40, jitter=5, distribution="normal", loss=0.1), of="reply")),
    ],
)  # fmt: skip
def test_faults_of_streams_and_packets(text: str, via: str, fault: Fault) -> None:
    assert made(f"{text}, link: client -> server", via) == fault


def test_a_split_needs_no_link() -> None:
    assert made("split: isolate, nodes: [server, client]", "direct") == Split(
        split="isolate", nodes=("server", "client")
    )


@pytest.mark.parametrize(
    ("text", "via", "key", "message"),
    [
        ("latency: 100ms", "relay", "latency", "needs a link with via: toxiproxy"),
        ("latency: 100ms", "relay", "latency", "client -> server has via: relay, which can have corrupt, cut"),
        ("drop: request", "toxiproxy", "drop", "needs a link with via: relay"),
        ("rate: both, bytes_per_second: 9", "toxiproxy", "rate", "via: relay or via: direct"),
        ("reject: rst", "relay", "reject", "needs a link with via: direct"),
        ("latency: 0ms", "toxiproxy", "latency", "at least 1"),
        ("latency: 10ms, jitter: -1", "toxiproxy", "jitter", "at least 0"),
        ("latency: 10ms, toxicity: 0", "toxiproxy", "toxicity", "more than 0 and at most 1"),
        ("latency: 10ms, toxicity: 1.5", "toxiproxy", "toxicity", "more than 0 and at most 1"),
        ("latency: 10ms, stream: sideways", "toxiproxy", "stream", "'upstream' or 'downstream'"),
        ("latency: soon", "toxiproxy", "latency", "expected a duration such as"),
        ("bandwidth: 0", "toxiproxy", "bandwidth", "at least 1"),
        ("timeout: -1", "toxiproxy", "timeout", "at least 0"),
        ("slicer: 10", "toxiproxy", "gap", "at least 1"),
        ("slicer: 10, variation: 10, gap: 5", "toxiproxy", "variation", "less than the 10 bytes"),
        ("down: false", "toxiproxy", "down", "true"),
        ("down: true, toxicity: 0.5", "toxiproxy", "toxicity", "unknown key"),
        ("loss: both", "direct", "loss", "probability or every"),
        ("loss: both, every: 2, probability: 0.5", "direct", "loss", "probability or every"),
        ("loss: both, every: 0", "direct", "every", "1 or more"),
        ("loss: both, probability: 2", "direct", "probability", "at most 1"),
        ("rate: both, bytes_per_second: 0", "direct", "bytes_per_second", "at least 1"),
        ("blackhole: 0", "direct", "blackhole", "count from 1"),
        ("netem: {}", "direct", "netem", "asks for nothing"),
        ("netem: {delai: 4}", "direct", "netem.delai", "did you mean delay?"),
        ("netem: {delay: 0}", "direct", "netem.delay", "at least 1"),
        ("netem: {jitter: 4ms}", "direct", "netem.jitter", "property of delay"),
        ("netem: {reorder: 0.5}", "direct", "netem.reorder", "property of delay"),
        ("netem: {delay: 5, distribution: normal}", "direct", "netem.distribution", "property of jitter"),
        ("netem: {loss: 1.5}", "direct", "netem.loss", "at most 1"),
        ("netem: {loss: 0.1, delay_correlation: 0.5}", "direct", "netem.delay_correlation", "property of jitter"),
    ],
)  # fmt: skip
def test_impossible_faults(text: str, via: str, key: str, message: str) -> None:
    with pytest.raises(BadScenario) as caught:
        made(f"{text}, link: client -> server", via)
    assert message in caught.value.first.message
    assert (caught.value.first.path, caught.value.first.line) == (f"faults[0].{key}", 8)


@pytest.mark.parametrize(
    ("text", "via", "key", "message"),
    [
        ("split: groups, groups: [[server]]", "direct", "groups", "at least two groups"),
        ("split: groups, groups: [[server], []]", "direct", "groups", "at least two groups"),
        ("split: groups, groups: [[server], [clint]]", "direct", "groups", "no node 'clint'"),
        ("split: groups, groups: [[server, client], [server]]", "direct", "groups", "no client is separated"),
        ("split: groups, groups: [[server], [client]], nodes: [server]", "direct", "nodes", "the other shapes"),
        ("split: isolate, nodes: [server]", "direct", "nodes", "at least 2"),
        ("split: isolate, nodes: [server, client], groups: [[server]]", "direct", "groups", "makes its groups"),
        ("split: isolate, nodes: [server, client]", "relay", "nodes", "via: relay; a split separates links"),
    ],
)  # fmt: skip
def test_impossible_splits(text: str, via: str, key: str, message: str) -> None:
    with pytest.raises(BadScenario) as caught:
        made(text, via)
    assert message in caught.value.first.message
    assert caught.value.first.path == f"faults[0].{key}"


@pytest.mark.parametrize(("text", "via", "place"), [
    ("down: true", "toxiproxy", "links[0].via"),
    ("reject: rst", "direct", "faults[0].reject"),
    ("blackhole: 1", "direct", "faults[0].blackhole"),
])  # fmt: skip
def test_datagrams_have_no_connections(text: str, via: str, place: str) -> None:
    with pytest.raises(BadScenario) as caught:
        made(f"{text}, link: client -> server", via, transport="udp")
    assert "tcp" in caught.value.first.message.lower()
    assert caught.value.first.path == place
    assert made("reject: icmp, link: client -> server", "direct", transport="udp")


@pytest.mark.parametrize(("text", "via"), [("down: true", "toxiproxy"), ("reject: rst", "direct")])
def test_the_simulator_has_neither(text: str, via: str) -> None:
    plan = expand(BASE.format(fault=f"{text}, link: client -> server", via=via, transport="tcp"), "f.yaml")
    (found,) = named("sim").problems(plan.cells[0])
    assert found.path == ("links", 0, "via")
    assert "the simulator has no" in found.message
